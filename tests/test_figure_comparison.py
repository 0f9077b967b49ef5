"""Figures of several runs: tables, words, what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import xarray as xr

from simulator.chart_files import svg_text
from simulator.errors import InputError
from simulator.figure import Figure, FigureOptions
from simulator.figure_comparison import comparison_figures, crossing_rows, level_rows
from simulator.summary import fan_table
from simulator.testing import run_of, small_scenario

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
    return comparison_figures(runs, FigureOptions())


def test_levels_are_those_of_the_summary(runs: list[xr.DataTree]) -> None:
    rows = level_rows(runs, ["a", "b"], quantity="effective_compute", band=0.8)
    medians, bands = fan_table(runs[1], "effective_compute", (0.8,))
    own = [row for row in rows if row["run"] == "b"]
    assert [row["median"] for row in own] == [row["median"] for row in medians]
    assert [(row["lower"], row["upper"]) for row in own] == [(row["lower"], row["upper"]) for row in bands]


def test_years_may_be_cut_but_not_to_fewer_than_two(runs: list[xr.DataTree]) -> None:
    rows = level_rows(runs, ["a", "b"], quantity="effective_compute", band=0.9, years=(2027, 2030))
    assert {row["year"] for row in rows} == {2027.0, 2028.0, 2029.0, 2030.0}
    with pytest.raises(InputError, match="fewer than two years from 2050 to 2060; it runs from 2025 to 2035"):
        comparison_figures(runs, FigureOptions(years=(2050, 2060)))


def test_thresholds_that_all_have_passed_are_left_out(runs: list[xr.DataTree]) -> None:
    rows = crossing_rows(runs, ["a", "b"])
    assert {row["threshold"] for row in rows} == {"near", "far"}
    far = {str(row["run"]): row for row in rows if row["threshold"] == "far"}
    assert (far["a"]["median"], far["a"]["text"]) == (math.inf, "> 2035")
    near = [row for row in rows if row["threshold"] == "near"]
    shift = float(str(near[1]["median"])) - float(str(near[0]["median"]))
    assert str(near[1]["text"]).endswith(f"({shift:+.1f})")


def test_titles_and_words_have_the_numbers(figures: list[Figure]) -> None:
    levels, crossings = figures
    title = " ".join(levels.chart["title"]["text"])
    assert title == "Effective compute in 2035: median 9.3e30 FLOP in plain, 9.3e33 in quick"
    assert "plain 9.3e30 (" in levels.caption
    assert "2 runs" in levels.alt_text
    assert "> 2035" in " ".join(crossings.chart["title"]["text"])
    assert "The runs differ most on far: plain > 2035; quick 20" in crossings.caption


def test_the_charts_name_the_runs_and_escape_their_words(runs: list[xr.DataTree], figures: list[Figure]) -> None:
    for figure in figures:
        text = svg_text(figure.chart)
        assert all(str(run.attrs["run_id"]) in text for run in runs)
        assert "seed 0 · 512 samples each" in text
    assert "Near &lt;10&gt;" in svg_text(figures[1].chart)


def test_the_same_runs_give_the_same_bytes(runs: list[xr.DataTree], figures: list[Figure]) -> None:
    again = comparison_figures(runs, FigureOptions())
    assert [svg_text(figure.chart) for figure in again] == [svg_text(figure.chart) for figure in figures]


def test_many_runs_are_drawn_in_small_frames_with_the_thresholds_that_differ_most() -> None:
    more = {f"t{n}": {"effective_compute": 10.0 ** (27 + n / 3)} for n in range(12)}
    many = [small(f"run-{n}", 0.4 + 0.1 * n, thresholds=more) for n in range(8)]
    levels, crossings = comparison_figures(many, FigureOptions())
    assert "run-0 against 7 other runs" in " ".join(levels.chart["title"]["subtitle"])
    assert "3 thresholds on which the runs differ least are left out" in crossings.caption
    assert len({row["threshold"] for row in crossings.tables[""]}) == 12


def test_runs_of_other_seeds_and_horizons_can_be_drawn(runs: list[xr.DataTree]) -> None:
    other = small("plain", seed=7, years={"first": 2040, "last": 2060})
    levels, crossings = comparison_figures([runs[0], other], FigureOptions())
    assert "in the last year of each" in levels.caption
    assert "seed 7" in svg_text(crossings.chart)


def test_a_comparison_needs_levels_that_every_run_has(runs: list[xr.DataTree]) -> None:
    with pytest.raises(InputError, match="Did you mean 'effective_compute'"):
        comparison_figures(runs, FigureOptions(quantities=("efective_compute",)))
    metric = {"capability": {"name": "score", "kind": "gain-per-doubling", "gain": 1.1}}
    pair = [small("a", **metric), small("b", **metric)]
    with pytest.raises(InputError, match="on a log scale"):
        comparison_figures(pair, FigureOptions(quantities=("capability",)))
    with pytest.raises(InputError, match="2 to 12 runs"):
        comparison_figures(runs[:1], FigureOptions())


def test_runs_without_thresholds_have_no_figure_of_crossings() -> None:
    pair = [small(name, thresholds={}) for name in ("a", "b")]
    assert [figure.name for figure in comparison_figures(pair, FigureOptions())] == ["comparison_effective_compute"]


def test_many_runs_of_fixed_numbers_are_drawn_without_bands() -> None:
    sure = {"drivers.compute.start": 1e26, "samples": 1}
    runs = [
        small(f"run-{n}", **{**sure, "drivers.compute.growth": {"value": 0.4 + 0.1 * n, "unit": "OOM/year"}})
        for n in range(6)
    ]
    assert "run-5" in svg_text(comparison_figures(runs, FigureOptions())[0].chart)
