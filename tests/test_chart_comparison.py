"""Charts of several runs, by their tables and specifications."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest

from simulator.chart_comparison import (
    HEIGHT,
    LEFT,
    SHADES,
    WIDTH,
    Panel,
    draw_dumbbells,
    draw_multiples,
    draw_overlaid,
)
from simulator.figure import Row

TITLES = {"title": "What is seen", "subtitle": "Which runs"}


def level_rows(count: int, *, width: float = 2.0, last: int = 2040) -> list[Row]:
    return [
        {"run": f"run-{n}", "year": float(year), "median": 26 + (0.3 + 0.1 * n) * (year - 2025),
         "lower": 26 + (0.3 + 0.1 * n) * (year - 2025) - width, "upper": 26 + (0.3 + 0.1 * n) * (year - 2025) + width}
        for n in range(count)
        for year in range(2025, last + 1)
    ]  # fmt: skip


def crossing_row(run: str, low: float, median: float, high: float, last: float = 2045.0) -> Row:
    return {"threshold": "t", "label": "a threshold with a name of forty letters", "run": run, "lower_50": low, "median": median,
            "upper_50": high, "last_year": last, "text": "said"}  # fmt: skip


def layers(chart: Any) -> list[dict[str, Any]]:
    return [{**layer, "rows": layer["data"]["values"]} for layer in chart["vconcat"][0]["layer"]]


def lines(found: list[dict[str, Any]], color: str) -> list[dict[str, Any]]:
    return [layer for layer in found if layer["mark"]["type"] == "line" and layer["mark"].get("color") == color]


def words(found: list[dict[str, Any]]) -> list[str]:
    return [item["text"] for layer in found if layer["mark"]["type"] == "text" for item in layer["rows"]]


def overlaid(rows: list[Row]) -> list[dict[str, Any]]:
    notes = {str(row["run"]): f"note of {row['run']}" for row in rows}
    return layers(draw_overlaid(rows, heading="level, FLOP", notes=notes, foot=["Runs"], **TITLES))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_each_run_has_a_line_of_its_own_colour_and_dashes(count: int) -> None:
    found = overlaid(level_rows(count))
    for place, (color, dash) in enumerate(SHADES[:count]):
        own = [layer for layer in lines(found, color) if len(layer["rows"]) == 16]
        assert len(own) == (1 if place == 0 else 3)  # the first has a filled band, the others its two ends
        assert {tuple(layer["mark"]["strokeDash"]) for layer in own} == {tuple(dash)}
    assert len({tuple(dash) for _, dash in SHADES}) == len(SHADES)
    for n in range(count):
        assert {f"run-{n}", f"note of run-{n}"} <= set(words(found))


def test_every_mark_of_the_fans_lies_within_the_frame() -> None:
    found = overlaid(level_rows(4, width=40))
    for layer in found:
        fan = layer["mark"]["type"] == "area" or layer["mark"].get("color") in [color for color, _ in SHADES]
        if fan and len(layer["rows"]) == 16:
            for item in layer["rows"]:
                assert LEFT <= item["x"] <= LEFT + WIDTH
                assert 30 <= item["y"] <= 30 + HEIGHT


def test_the_names_of_runs_that_end_together_do_not_overlap() -> None:
    rows: list[Row] = [{**row, "run": f"{row['run']}-{n}"} for n in range(4) for row in level_rows(1)]
    found = overlaid(rows)
    heights = sorted(item["y"] for layer in found for item in layer["rows"] if item.get("text", "").startswith("run-"))
    assert min(b - a for a, b in pairwise(heights)) >= 30


def test_runs_without_spread_have_no_ends_of_a_band() -> None:
    found = overlaid(level_rows(2, width=0.0))
    assert len([layer for layer in lines(found, SHADES[1][0]) if len(layer["rows"]) == 16]) == 1


@pytest.mark.parametrize("count", [5, 12])
def test_many_runs_have_a_frame_each_with_the_first_in_every_one(count: int) -> None:
    rows = level_rows(count)
    notes = {str(row["run"]): "note" for row in rows}
    found = layers(draw_multiples(rows, heading="level, FLOP", notes=notes, foot=["Runs"], **TITLES))
    (area,) = [layer for layer in found if layer["mark"]["type"] == "area"]
    assert len({item["detail"] for item in area["rows"]}) == count
    assert {f"run-{n}" for n in range(count)} <= set(words(found))
    frames: dict[str, list[float]] = {}
    for item in area["rows"]:
        frames.setdefault(item["detail"], []).append(item["x"])
    assert len({(min(x), max(x)) for x in frames.values()}) == 3  # three columns


def dumbbells(rows: list[Row]) -> list[dict[str, Any]]:
    return layers(draw_dumbbells(rows, years=(2025.0, 2045.0), foot=["Runs"], **TITLES))


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


def test_a_panel_places_years_and_levels() -> None:
    panel = Panel(10, 20, 100, 200, (2025, 2045), (20, 40))
    assert (panel.x(2025), panel.x(2045), panel.y(40), panel.y(20), panel.y(30)) == (10, 110, 20, 220, 120)
