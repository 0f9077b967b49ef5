"""What was seen against what the fitted model would have shown."""

from __future__ import annotations

import pytest
import xarray as xr

from simulator.charts.kinds.predictive import predictive_figures, predictive_table
from simulator.charts.spec import FigureOptions
from simulator.charts.writing import svg_text
from simulator.errors import InputError
from simulator.testing import run_of, small_scenario
from tests.charts.learnt_run import RUNS, learnt_run


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return learnt_run()


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
