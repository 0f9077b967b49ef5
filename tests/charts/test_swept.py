"""Long names in charts of sweeps: a second line before anything is cut, and nothing over another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.charts.spec import Head, Spec
from simulator.charts.swept import Plot, Point, Side, draw_heat, draw_lines, draw_strips

LONG = "growth of algorithmic efficiency as a wide prior of several sources"
PANELS = tuple(f"share of a company's compute in one run: {name} per cent of all" for name in "ab")
UP = Side("limit of algorithms", (f"{LONG} one", f"{LONG} two"), None)
ALONG = Side(
    "growth of spending once it has slowed, with all that is known of it", ("1", "power for two campuses"), (1.0, 2.0)
)
POINTS = [
    Point(panel, x, y, 30.0 + x + y, 0.1, (29.0, 31.0), (28.0, 33.0), "30", "29 to 31")
    for panel in PANELS
    for x in range(2)
    for y in range(2)
]
PLOT = Plot(POINTS, ALONG, UP, PANELS, "effective compute", "plain", (25.0, 40.0), None)
HEAD = Head("Title", "under", ["foot"])


def blocks(chart: Spec) -> list[tuple[str, float, float, float]]:
    """List the texts with their left edge and what they reach from and to, up and down."""
    rows = [row for layer in chart["vconcat"][0]["layer"] for row in layer["data"]["values"] if "text" in row]
    return [(row["text"], row["x"], row["y"] - 7, row["y"] + 7 + 15 * row["text"].count("\n")) for row in rows]


@pytest.mark.parametrize("kind", ["heat", "lines", "strips"])
def test_long_names_take_a_second_line_and_are_not_cut(kind: str) -> None:
    alone = [replace(point, panel="") for point in POINTS if point.panel == PANELS[0] and point.y == 0]
    strips = replace(PLOT, points=alone, panels=("",), along=replace(UP, numbers=None), up=Side("", ("",), None))
    chart = {
        "heat": lambda: draw_heat(PLOT, bounds=[29.0, 31.0, 33.0], classes=["a", "b"], head=HEAD),
        "lines": lambda: draw_lines(PLOT, head=HEAD),
        "strips": lambda: draw_strips(strips, head=HEAD),
    }[kind]()
    texts = [text.replace("\n", " ") for text, *_ in blocks(chart)]
    assert not [text for text in texts if "…" in text]
    assert {f"{LONG} one", f"{LONG} two"} <= set(texts)


def test_the_names_of_frames_stand_below_the_key_of_lines() -> None:
    found = blocks(draw_lines(PLOT, head=HEAD))
    key = max(bottom for text, _, _, bottom in found if text.startswith("growth of algorithmic"))
    names = [top for text, _, top, _ in found if text.startswith("share of a company")]
    assert len(names) == 2
    assert min(names) >= key
