"""Figures of several runs: tables, words, what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import xarray as xr

from simulator.charts.kinds.comparison import comparison_figures, crossings_of, levels_of
from simulator.charts.overlaid import draw_dumbbells
from simulator.charts.spec import Figure, Head
from simulator.charts.writing import svg_text
from simulator.errors import InputError
from simulator.runs.summary import fan_table
from simulator.runs.table import Row, Table
from simulator.testing import run_of, small_scenario
from tests.money import money_alone, power_alone

THRESHOLDS = {
    "passed": {"effective_compute": 1e20}, "near": {"effective_compute": 1e28, "label": "Near <10>"},
    "far": {"effective_compute": 1e32},
}  # fmt: skip


def small(name: str, growth: float = 0.5, **changes: Any) -> xr.DataTree:
    mean = {"drivers.compute.growth.mean": growth}
    return run_of(small_scenario({"name": name, "thresholds": THRESHOLDS, **mean, **changes}))


@pytest.fixture(scope="module")
def runs() -> list[xr.DataTree]:
    return [small("plain"), small("quick", 0.8)]


@pytest.fixture(scope="module")
def figures(runs: list[xr.DataTree]) -> list[Figure]:
    return comparison_figures(runs)


def test_levels_are_those_of_the_summary(runs: list[xr.DataTree]) -> None:
    rows = levels_of(runs, ["a", "b"]).rows()
    medians, bands = fan_table(runs[1], "effective_compute", (0.9,))
    own = [row for row in rows if row["run"] == "b"]
    assert [row["median"] for row in own] == medians["median"].tolist()
    assert [(row["lower"], row["upper"]) for row in own] == [(row["lower"], row["upper"]) for row in bands.rows()]


def test_thresholds_that_all_have_passed_are_left_out(runs: list[xr.DataTree]) -> None:
    rows = crossings_of(runs, ["a", "b"]).rows()
    assert {row["threshold"] for row in rows} == {"near", "far"}
    far = {row["run"]: row for row in rows if row["threshold"] == "far"}
    assert (far["a"]["median"], far["a"]["text"]) == (math.inf, "> 2035")
    near = [row for row in rows if row["threshold"] == "near"]
    shift = near[1]["median"] - near[0]["median"]
    assert near[1]["text"].endswith(f"({shift:+.1f})")


def test_a_median_at_the_start_of_a_run_is_no_date_and_has_no_shift() -> None:
    low = {"low": {"effective_compute": 5e25}}
    early, late = small("early", thresholds=low), small("late", thresholds=low, years={"first": 2026, "last": 2035})
    rows = crossings_of([early, late], ["early", "late"]).rows()
    assert [row["text"] for row in rows] == ["already in 2025", "already in 2026"]
    caption = comparison_figures([early, late])[1].caption
    assert "early already in 2025; late already in 2026." in caption
    both = {**low, "high": {"effective_compute": 1e28}}
    early, late = small("early", thresholds=both), small("late", thresholds=both, years={"first": 2026, "last": 2035})
    title = " ".join(comparison_figures([early, late])[1].chart["title"]["text"])
    assert title.startswith("high: median crossing year 20")  # a year apart, and of the other nothing is known


def test_titles_and_words_have_the_numbers(figures: list[Figure]) -> None:
    levels, crossings = figures
    title = " ".join(levels.chart["title"]["text"])
    assert title == "Effective compute in 2035: median 1.0e31 FLOP in plain, 1.0e34 in quick"
    assert "plain 1.0e31 (" in levels.caption
    assert "2 runs" in levels.alt_text
    assert "far: median crossing year 20" in " ".join(crossings.chart["title"]["text"])
    assert ", > 2035 (plain)" in " ".join(crossings.chart["title"]["text"])
    assert "The runs differ most on far: plain > 2035; quick 20" in crossings.caption


def test_the_charts_name_the_runs_and_escape_their_words(runs: list[xr.DataTree], figures: list[Figure]) -> None:
    for figure in figures:
        text = svg_text(figure.chart)
        assert all(str(run.attrs["run_id"]) in text for run in runs)
        assert "seed 0 · 512 samples each" in text
    assert "Near &lt;10&gt;" in svg_text(figures[1].chart)


def test_the_same_runs_give_the_same_bytes(runs: list[xr.DataTree], figures: list[Figure]) -> None:
    again = comparison_figures(runs)
    assert [svg_text(figure.chart) for figure in again] == [svg_text(figure.chart) for figure in figures]


def test_many_runs_are_drawn_in_small_frames_with_the_thresholds_that_differ_most() -> None:
    more = {f"t{n}": {"effective_compute": 10.0 ** (27 + n / 3)} for n in range(12)}
    many = [small(f"run-{n}", 0.4 + 0.1 * n, thresholds=more) for n in range(8)]
    levels, crossings = comparison_figures(many)
    assert "run-0 against 7 other runs" in " ".join(levels.chart["title"]["subtitle"])
    assert "3 thresholds on which the runs differ least are left out" in crossings.caption
    assert len({row["threshold"] for row in crossings.tables[""].rows()}) == 12


def test_runs_of_other_seeds_and_horizons_can_be_drawn(runs: list[xr.DataTree]) -> None:
    other = small("plain", seed=7, years={"first": 2040, "last": 2060})
    levels, crossings = comparison_figures([runs[0], other])
    assert "in the last year of each" in levels.caption
    assert "seed 7" in svg_text(crossings.chart)


def test_a_comparison_needs_two_runs(runs: list[xr.DataTree]) -> None:
    with pytest.raises(InputError, match="needs two runs or scenarios at least"):
        comparison_figures(runs[:1])


def test_runs_without_thresholds_have_no_figure_of_crossings() -> None:
    pair = [small(name, thresholds={}) for name in ("a", "b")]
    assert [figure.name for figure in comparison_figures(pair)] == ["comparison_effective_compute"]


def test_many_runs_of_fixed_numbers_are_drawn_without_bands() -> None:
    sure = {"drivers.compute.start": 1e26, "samples": 1}
    runs = [
        small(f"run-{n}", **{**sure, "drivers.compute.growth": {"value": 0.4 + 0.1 * n, "unit": "OOM/year"}})
        for n in range(6)
    ]
    assert "run-5" in svg_text(comparison_figures(runs)[0].chart)


HEAD = Head("What is seen", "Which runs", ["Runs"])


def crossing_row(run: str, low: float, median: float, high: float, last: float = 2045.0) -> Row:
    return {"threshold": "t", "label": "a threshold with a name of forty letters", "run": run, "lower_50": low, "median": median,
            "upper_50": high, "last_year": last, "text": "said"}  # fmt: skip


def layers(chart: Any) -> list[dict[str, Any]]:
    return [{**layer, "rows": layer["data"]["values"]} for layer in chart["vconcat"][0]["layer"]]


def words(found: list[dict[str, Any]]) -> list[str]:
    return [item["text"] for layer in found if layer["mark"]["type"] == "text" for item in layer["rows"]]


def dumbbells(rows: list[Row]) -> list[dict[str, Any]]:
    return layers(draw_dumbbells(Table.of_rows(rows), years=(2025.0, 2045.0), head=HEAD))


def shapes(found: list[dict[str, Any]], shape: str) -> list[dict[str, Any]]:
    return [item for layer in found if layer["mark"].get("shape") == shape for item in layer["rows"]]


def test_medians_are_joined_with_that_of_the_first_run() -> None:
    found = dumbbells([crossing_row("first", 2028, 2030, 2032), crossing_row("other", 2034, 2035, 2036)])
    first, other = (shapes(found, shape)[0]["x"] for shape in ("circle", "diamond"))
    (links,) = [
        layer["rows"] for layer in found if layer["mark"]["type"] == "rule" and layer["mark"]["strokeWidth"] == 1.2
    ]
    assert (links[0]["x"], links[0]["x2"]) == (first, other)
    assert first < other


def test_what_is_censored_ends_in_an_arrow_at_the_horizon_of_its_run() -> None:
    rows = [
        crossing_row("first", 2030, 2040, math.inf, last=2042.0),
        crossing_row("never", math.inf, math.inf, math.inf),
        crossing_row("other", 2028, 2029, 2030),
    ]
    found = dumbbells(rows)
    arrows = shapes(found, "triangle-right")
    assert len(arrows) == 2
    assert arrows[0]["x"] < arrows[1]["x"]
    assert len(shapes(found, "circle")) - 1 == 1  # and one in the legend
    assert len(shapes(found, "diamond")) - 1 == 1
    assert words(found).count("said") == 3


def test_where_no_run_crosses_the_chart_still_draws() -> None:
    found = dumbbells([crossing_row(run, math.inf, math.inf, math.inf) for run in ("first", "other")])
    assert len(shapes(found, "triangle-right")) == 2


def test_runs_without_compute_are_compared_by_what_all_have() -> None:
    spent, powered, whole = run_of(money_alone()), run_of(power_alone()), run_of(small_scenario())
    assert comparison_figures([spent, spent], labels=["a", "b"])[0].name == "comparison_spending"
    assert comparison_figures([spent, whole], labels=["a", "b"]) == []
    assert comparison_figures([powered, powered], labels=["a", "b"])[0].name == "comparison_quantity_site"
