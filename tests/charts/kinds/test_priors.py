"""The priors of a run: tables, pages and words."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
import xarray as xr

from simulator import load_scenario, simulate
from simulator.charts.kinds.priors import MOST_ON_A_PAGE, density_table, paged, prior_figures, prior_table
from simulator.charts.spec import FigureOptions
from simulator.charts.writing import svg_text
from simulator.errors import InputError
from simulator.runs.folder import stored_scenario
from simulator.runs.table import Row
from simulator.testing import run_of, small_scenario

OPTIONS = FigureOptions()


def number(row: Row, key: str) -> float:
    return float(str(row[key]))


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    drivers = {
        "spending": {
            "start": {"discrete": {"values": [1e8, 1e9], "weights": [1, 3]}, "unit": "USD", "source": "own judgement"},
            "growth": {"median": 20, "interval_90": [-5, 60], "unit": "%/year", "source": "X <2024> & others"},
        },
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": {"uniform": [1.2, 1.6], "unit": "x/year"}},
        "algorithms": {"growth": {"mixture": [{"weight": 0.5, "median": 1.5, "interval_90": [1.4, 1.6], "unit": "x/year"},
                                              {"weight": 0.5, "median": 10, "interval_90": [9, 11], "unit": "x/year"}]}},
    }  # fmt: skip
    never = {"median": 1e30, "interval_90": [1e28, 1e32], "never": 0.25, "confidence": "low"}
    return run_of(
        small_scenario({"drivers": drivers, "samples": 2048, "thresholds": {"maybe": {"effective_compute": never}}})
    )


def row_of(run: xr.DataTree, name: str) -> Row:
    (row,) = [row for row in prior_table(run) if row["name"] == name]
    return row


def test_quantiles_are_those_of_the_samples(run: xr.DataTree) -> None:
    row = row_of(run, "drivers.hardware.growth")
    found = [10 ** number(row, key) for key in ("lower_90", "lower_50", "median", "upper_50", "upper_90")]
    np.testing.assert_allclose(found, [1.22, 1.3, 1.4, 1.5, 1.58], rtol=2e-3)
    assert (row["unit"], row["fixed"], row["never"], row["source"]) == ("OOM/year", False, 0.0, "")


def test_a_share_at_never_is_counted(run: xr.DataTree) -> None:
    row = row_of(run, "thresholds.maybe.effective_compute")
    assert number(row, "never") == pytest.approx(0.25, abs=0.01)
    assert number(row, "upper_90") < math.inf  # of those that are not at "never"
    assert "given that it happens, never 25 %" in svg(run)


@pytest.mark.parametrize("exact", [True, False])
def test_a_density_keeps_the_edges_of_a_bounded_prior_and_the_humps_of_a_mixture(run: xr.DataTree, exact: bool) -> None:
    stated = {name: prior.family for name, prior in stored_scenario(run).priors.items()} if exact else {}
    rows = density_table(run, ["drivers.hardware.growth", "drivers.algorithms.growth"], stated)
    flat = [number(row, "height") for row in rows if row["name"] == "drivers.hardware.growth"]
    assert min(flat) > 0.6  # uniform in the factor: it rises by a third over the log of it, and has no tails
    humps = [row for row in rows if row["name"] == "drivers.algorithms.growth"]
    between = [number(row, "height") for row in humps if 2 < 10 ** number(row, "value") < 8]
    assert max(between) < 0.05
    assert max(number(row, "height") for row in rows) == 1.0


def test_single_values_have_their_share_as_height(run: xr.DataTree) -> None:
    rows = density_table(run, ["drivers.spending.start"], {})
    assert [(round(number(row, "value"), 9), row["single"]) for row in rows] == [(8.0, True), (9.0, True)]
    assert number(rows[0], "height") == pytest.approx(1 / 3, abs=0.01)


def svg(run: xr.DataTree) -> str:
    return "".join(svg_text(figure.chart) for figure in prior_figures(run, OPTIONS))


def test_the_chart_says_numbers_and_sources_and_where_there_is_none(run: xr.DataTree) -> None:
    text = svg(run)
    for words in (
        "no source",
        "own judgement",
        "X &lt;2024&gt; &amp; others",
        "% a year",
        "low confidence",
        str(run.attrs["run_id"]),
    ):
        assert words in text, words


def test_the_same_run_gives_the_same_bytes(run: xr.DataTree) -> None:
    assert svg(run) == svg(run)


def test_what_is_fixed_is_in_the_caption_only(run: xr.DataTree) -> None:
    (figure,) = prior_figures(run, OPTIONS)
    assert "hardware: start (1e+18 FLOP/USD)" in figure.caption
    assert "drivers.hardware.start" not in json.dumps(figure.chart)
    assert figure.tables[""].rows() == [row for row in prior_table(run) if not row["fixed"]]


def test_words_count_where_priors_come_from(run: xr.DataTree) -> None:
    (figure,) = prior_figures(run, OPTIONS)
    (title,) = figure.chart["title"]["text"]
    assert title == "Priors on spending, hardware, algorithms and thresholds: 3 of 5 have no source"
    assert "1 of them rest on a published source and 1 on own judgement; 3 have no source." in figure.caption
    assert "1 of 5" in figure.caption
    assert "5 priors" in figure.alt_text


def group_sizes(pages: Sequence[Sequence[Row]]) -> list[int]:
    return [len(page) for page in pages]


def test_pages_hold_every_prior_once_and_about_a_dozen() -> None:
    rows: list[Row] = [{"group": group, "name": n} for group, count in (("quantities", 24), ("spending", 9), ("hardware", 4)) for n in range(count)]  # fmt: skip
    pages = paged(rows)
    assert sorted(group_sizes(pages)) == [12, 12, 13]
    assert max(group_sizes(pages)) <= MOST_ON_A_PAGE
    assert pages[0][0]["group"] == "spending"
    drawn = [(row["group"], row["name"]) for page in pages for row in page]
    assert sorted(map(str, drawn)) == sorted(str((row["group"], row["name"])) for row in rows)


def test_a_run_without_samples_or_spread_says_what_to_do() -> None:
    with pytest.raises(InputError, match="--keep trajectories"):
        prior_figures(run_of(small_scenario(), keep="summary"), OPTIONS)
    start = {"value": 1e26, "unit": "FLOP"}
    with pytest.raises(InputError, match="every prior is fixed"):
        prior_figures(run_of(small_scenario({"drivers": {"compute": {"start": start, "growth": "3x/year"}}})), OPTIONS)


def test_yearly_shocks_are_no_beliefs_and_are_left_out():
    drawn = simulate(load_scenario("baseline", overrides=["samples=256", "drivers.algorithms.drift=0.05"]))
    names = {str(row["name"]) for row in prior_table(drawn)}
    assert "drivers.algorithms.drift" in names
    assert not [name for name in names if "shock" in name]


def test_nobody_believes_anything_about_the_draw_by_which_an_event_comes() -> None:
    shock = {"probability": "40 %", "effects": [{"on": "drivers.compute", "times": 2}]}
    drawn = run_of(small_scenario({"events": {"shock": shock | {"from": 2027}}}))
    names = {str(row["name"]) for row in prior_table(drawn)}
    assert "events.shock.occurs" in drawn["parameters"].data_vars
    assert "events.shock.probability" in names
    assert "events.shock.occurs" not in names


def test_a_component_that_no_sample_follows_has_no_row() -> None:
    rows = prior_table(simulate(load_scenario("views", overrides=["samples=1"])))
    assert rows
    assert all(row["median"] is not None for row in rows)
