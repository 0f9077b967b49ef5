"""What was learnt of history: tables, words and what is refused."""

from __future__ import annotations

import json

import pytest
import xarray as xr

from simulator.charts.kinds.learnt import (
    posterior_figures,
    predictive_figures,
    predictive_table,
)
from simulator.charts.spec import FigureOptions
from simulator.charts.writing import svg_text
from simulator.errors import InputError
from simulator.history.conditioning import PRIOR_CURVES
from simulator.testing import run_of, small_scenario
from tests.charts.learnt_run import RUNS, learnt_run

OPTIONS = FigureOptions()


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return learnt_run()


def test_each_unknown_that_is_one_number_has_a_row_and_the_paths_end_with_the_data(run: xr.DataTree) -> None:
    rows = {str(row["name"]): row for row in posterior_figures(run, OPTIONS)[0].tables[""].rows()}
    assert list(rows) == [
        "spending_growth", "efficiency_growth", "spending_end", "efficiency_end", "compute_end", "run_scatter"
    ]  # fmt: skip
    assert rows["compute_end"]["median"] == pytest.approx(24.0, abs=0.01)
    assert rows["spending_growth"]["median"] == pytest.approx(0.4, abs=0.01)
    assert rows["spending_growth"]["contraction"] == pytest.approx(0.99, abs=0.005)
    assert rows["run_scatter"]["contraction"] == pytest.approx(0.0, abs=0.2)


def test_a_conflict_is_said_in_the_table_the_title_and_the_panel() -> None:
    (figure,) = posterior_figures(learnt_run(prior_shift=0.5), OPTIONS)
    (row,) = [row for row in figure.tables[""].rows() if row["conflict"]]
    assert row["name"] == "efficiency_growth"
    assert str(row["conflict"]).endswith("prior sd below the prior's mean")
    assert "in conflict with the prior: growth of FLOP per amortised USD" in figure.caption
    assert str(row["conflict"]) in svg_text(figure.chart).replace("&#39;", "'")


def test_growth_is_told_as_a_factor_before_and_after(run: xr.DataTree) -> None:
    (figure,) = posterior_figures(run, OPTIONS)
    assert "none is in conflict with its prior" in figure.caption
    assert "Growth of spending per run: 2.5" in figure.caption
    assert "x a year (90 %" in figure.caption
    text = svg_text(figure.chart)
    for word in ("learnt 2.5", "before 2.", "contraction 99 %: the data decide", "12 frontier runs", "2026-05"):
        assert word in text, word


def test_the_curves_are_as_high_as_one_another(run: xr.DataTree) -> None:
    (figure,) = posterior_figures(run, OPTIONS)
    for of in ("prior", "posterior"):
        heights = [
            row["height"] for row in figure.tables["density"].rows() if (row["name"], row["of"]) == ("run_scatter", of)
        ]
        assert max(map(float, map(str, heights))) == 1.0


def test_a_prior_is_drawn_by_the_density_that_the_run_keeps() -> None:
    run = learnt_run()
    run["prior"].attrs[PRIOR_CURVES] = json.dumps({"spending_growth": {"value": [0.1, 0.2, 0.3], "height": [1, 4, 2]}})
    growth = posterior_figures(run, OPTIONS)[0].tables["density"].where(of="prior", name="spending_growth")
    assert (growth["value"].tolist(), growth["height"].tolist()) == ([0.1, 0.2, 0.3], [0.25, 1.0, 0.5])


def test_the_same_run_gives_the_same_picture(run: xr.DataTree) -> None:
    first, second = (svg_text(posterior_figures(run, OPTIONS)[0].chart) for _ in range(2))
    assert first == second


def test_a_run_that_has_learnt_nothing_is_refused_with_what_to_run() -> None:
    with pytest.raises(InputError, match=r"learnt nothing from history.*the shipped scenario learned"):
        posterior_figures(run_of(small_scenario({})), OPTIONS)


def test_every_observation_stands_in_the_table_by_date_and_one_is_outside(run: xr.DataTree) -> None:
    rows = [row for row in predictive_table(run).rows() if row["kind"] == "run_log_compute"]
    years = [float(str(row["year"])) for row in rows]
    assert len(rows) == RUNS
    assert years == sorted(years)
    assert [place for place, row in enumerate(rows) if not row["inside_90"]] == [3]


def test_the_share_inside_is_written_for_each_kind(run: xr.DataTree) -> None:
    (figure,) = predictive_figures(run, FigureOptions())
    assert figure.caption.startswith("Inside the 90 % band: 11 of 12 runs and 7 of 8 costs.")
    text = svg_text(figure.chart)
    for word in (
        "11 of 12 inside the 90 %",
        "7 of 8 inside the 90 %",
        "seen, outside 90 %",
        "Cost of frontier runs, USD",
    ):
        assert word in text, word
    assert "accelerators" not in text.split("Sources")[0].lower()


def test_years_choose_observations(run: xr.DataTree) -> None:
    (figure,) = predictive_figures(run, FigureOptions(years=(2019.0, 2021.0)))
    assert 0 < len(figure.tables[""]) < 20
    assert max(float(str(row["year"])) for row in figure.tables[""].rows()) <= 2021.0


def test_a_run_that_has_learnt_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="learnt nothing from history"):
        predictive_figures(run_of(small_scenario({})), FigureOptions())
