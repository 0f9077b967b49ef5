"""Several fans in one figure."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from test_charts import FEW, RUN, fan, threshold

from simulator.chart_panels import WIDTH, Panel, draw_panels
from simulator.charts import FanTables

PANEL = Panel(fan([{**row, "quantity": "q"} for row in FEW]), "q", "Quantity", "FLOP", "2045: median 3e32 FLOP")


def panels_of(panels: list[Panel], **options: Any) -> list[dict[str, Any]]:
    spec = draw_panels(panels, title="What is seen", subtitle="of what", run=RUN, **options)
    return [panel for row in spec["vconcat"] if "hconcat" in row for panel in row["hconcat"]]


def words(panel: dict[str, Any]) -> list[str]:
    return [row["text"] for layer in panel["layer"] for row in layer["data"]["values"] if "text" in row]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_panels_stand_two_in_a_row(count: int) -> None:
    spec = draw_panels([PANEL] * count, title="t", subtitle="", run=RUN)
    rows = [len(view["hconcat"]) for view in spec["vconcat"] if "hconcat" in view]
    assert sum(rows) == count
    assert all(length == 2 for length in rows[:-1])


def test_panels_share_the_years_and_the_height_and_have_scales_of_their_own() -> None:
    other = replace(PANEL, tables=fan(rate=1.5))
    one, two = panels_of([PANEL, other])
    axes = [panel["layer"][0]["encoding"] for panel in (one, two)]
    assert axes[0]["x"]["scale"] == axes[1]["x"]["scale"]
    assert axes[0]["y"]["scale"] != axes[1]["y"]["scale"]
    assert one["height"] == two["height"]


def test_a_panel_says_its_name_its_unit_and_what_is_seen() -> None:
    (panel,) = panels_of([PANEL])
    assert {"Quantity, FLOP", "2045: median 3e32 FLOP", "label of gpt-4"} <= set(words(panel))


def test_a_panel_labels_its_own_thresholds_alone() -> None:
    (panel,) = panels_of([replace(PANEL, quantity="another")])
    assert not [text for text in words(panel) if text.startswith("label of")]


@pytest.mark.parametrize("spacing", [0.0, 0.1, 3.0])
def test_labels_of_many_thresholds_do_not_overlap(spacing: float) -> None:
    many = [
        threshold(str(i), 27 + spacing * i, quantity="q") | {"label": f"{i} is a threshold whose name is forty letters"}
        for i in range(12)
    ]
    (panel,) = panels_of([replace(PANEL, tables=fan(many))])
    labels = sorted(
        (row["y"], row["y"] + 15 * row["text"].count("\n"))
        for layer in panel["layer"]
        for row in layer["data"]["values"]
        if " is a thr" in row.get("text", "") and row["x"] > WIDTH
    )
    assert len(labels) == 12
    assert all(last + 14 <= first for (_, last), (first, _) in pairwise(labels))
    assert labels[-1][1] <= panel["height"] + 15


def test_a_long_name_is_cut_to_its_panel() -> None:
    (panel,) = panels_of([replace(PANEL, label="a very long name of a quantity " * 6)])
    (heading,) = [text for text in words(panel) if text.startswith("a very long")]
    assert heading.endswith("…")
    assert len(heading) < 100


def test_a_fan_of_no_width_is_drawn() -> None:
    flat = FanTables([{"year": 2025, "median": 3.0}, {"year": 2045, "median": 3.0}], [])
    (panel,) = panels_of([replace(PANEL, tables=flat)])
    low, high = panel["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert low < 3.0 < high
