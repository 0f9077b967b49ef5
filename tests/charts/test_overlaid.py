"""Named fans over one another: lines, frames, legends and the units that they are told in."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest

from simulator.charts.overlaid import HEIGHT, LEFT, PANEL_HEIGHT, SHADES, WIDTH, draw_fans, ends_words
from simulator.charts.spec import Head
from simulator.runs.table import Row, Table

HEAD = Head("What is seen", "Which runs", ["Runs"])


def level_rows(count: int, *, width: float = 2.0, last: int = 2040) -> list[Row]:
    return [
        {"run": f"run-{n}", "year": float(year), "median": 26 + (0.3 + 0.1 * n) * (year - 2025),
         "lower": 26 + (0.3 + 0.1 * n) * (year - 2025) - width, "upper": 26 + (0.3 + 0.1 * n) * (year - 2025) + width}
        for n in range(count)
        for year in range(2025, last + 1)
    ]  # fmt: skip


def layers(chart: Any) -> list[dict[str, Any]]:
    return [{**layer, "rows": layer["data"]["values"]} for layer in chart["vconcat"][0]["layer"]]


def lines(found: list[dict[str, Any]], color: str) -> list[dict[str, Any]]:
    return [layer for layer in found if layer["mark"]["type"] == "line" and layer["mark"].get("color") == color]


def words(found: list[dict[str, Any]]) -> list[str]:
    return [item["text"] for layer in found if layer["mark"]["type"] == "text" for item in layer["rows"]]


def overlaid(rows: list[Row]) -> list[dict[str, Any]]:
    return layers(draw_fans(Table.of_rows(rows), name="level", unit="FLOP", head=HEAD))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_each_run_has_a_line_of_its_own_colour_and_dashes(count: int) -> None:
    rows = level_rows(count)
    found = overlaid(rows)
    for place, (color, dash) in enumerate(SHADES[:count]):
        own = [layer for layer in lines(found, color) if len(layer["rows"]) == 16]
        assert len(own) == (1 if place == 0 else 3)  # the first has a filled band, the others its two ends
        assert {tuple(layer["mark"]["strokeDash"]) for layer in own} == {tuple(dash)}
    assert len({tuple(dash) for _, dash in SHADES}) == len(SHADES)
    for row in rows:
        if row["year"] == 2040:
            assert {row["run"], f"2040: {ends_words(row, 'FLOP')}"} <= set(words(found))


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
    found = overlaid(level_rows(count))
    (area,) = [layer for layer in found if layer["mark"]["type"] == "area"]
    assert len({item["detail"] for item in area["rows"]}) == count
    assert {f"run-{n}" for n in range(count)} <= set(words(found))
    frames: dict[str, list[float]] = {}
    for item in area["rows"]:
        frames.setdefault(item["detail"], []).append(item["x"])
    assert len({(min(x), max(x)) for x in frames.values()}) == 3  # three columns


@pytest.mark.parametrize(("count", "in_a_corner"), [(5, True), (6, False), (7, True)])
def test_the_legend_fills_the_free_corner_of_the_last_row(count: int, in_a_corner: bool) -> None:
    found = overlaid(level_rows(count))
    (area,) = [layer for layer in found if layer["mark"]["type"] == "area"]
    last = [item for item in area["rows"] if item["detail"] == f"run-{count - 1}"]
    (text,) = [item for layer in found for item in layer["rows"] if item.get("text") == "run-0 in every frame"]
    beside = text["x"] > max(item["x"] for item in last) and text["y"] > min(item["y2"] for item in last) - PANEL_HEIGHT
    assert beside is in_a_corner


@pytest.mark.parametrize("count", [2, 5])
def test_levels_beyond_any_number_stand_at_the_top(count: int) -> None:
    rows = [row | ({"median": math.inf, "upper": math.inf} if row["year"] > 2035 else {}) for row in level_rows(count)]
    found = overlaid(rows)
    assert all(math.isfinite(value) for layer in found for item in layer["rows"] for value in (item.get("y", 0.0),))
    (area,) = [layer for layer in found if layer["mark"]["type"] == "area"]
    tops = [item["y2"] for item in area["rows"] if item.get("detail", "run-0") == "run-0"]
    assert len(set(tops[-5:])) == 1
    assert tops[-1] < min(tops[:-5])
    assert ends_words({"lower": 29.0, "median": math.inf, "upper": math.inf}, "FLOP") == (
        "beyond 1e300 (1.0e29 to beyond 1e300)"
    )


def test_levels_of_money_are_told_in_one_unit() -> None:
    row = {"lower": 9.845, "median": 10.7, "upper": 11.477}
    assert ends_words(row, "USD") == "50 billion (7 to 300 billion)"
    assert ends_words({"lower": 29.0, "median": 31.0, "upper": 33.0}, "FLOP") == "1.0e31 (1.0e29 to 1.0e33)"
    rows = [{"run": run, "year": year, **row} for run in ("a", "b") for year in (2025.0, 2035.0)]
    found = layers(draw_fans(Table.of_rows(rows), name="spending", unit="USD", head=HEAD))
    assert {"spending, billion USD", "10", "100"} <= set(words(found))
