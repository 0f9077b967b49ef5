"""What kinds of chart share: values become pixels, marks become layers."""

from __future__ import annotations

import pytest

from simulator.charts.layout import RECT, Marks, PixelScale, rule_mark
from simulator.charts.style import shape_mark


def test_values_are_placed_between_two_pixels_in_either_direction() -> None:
    along, up = PixelScale(2025, 2045, 100, 500), PixelScale(0, 1, 300, 100)
    assert [along(year) for year in (2025, 2035, 2045)] == [100, 300, 500]
    assert [up(share) for share in (0, 0.25, 1)] == [300, 250, 100]


@pytest.mark.parametrize(("value", "pixel"), [(-1, 300), (0.5, 200), (7, 100)])
def test_what_lies_beyond_a_scale_is_held_at_its_end(value: float, pixel: float) -> None:
    assert PixelScale(0, 1, 300, 100).held(value) == pixel


def test_each_kind_of_mark_that_has_rows_is_one_layer_under_the_texts() -> None:
    marks = Marks(rules=rule_mark(), bars=RECT, dots=shape_mark("circle", 40, fill="white", rim="black", width=1))
    marks.text(["two", "lines"], 0, 20)
    marks.add("dots", x=1, y=2)
    marks.box("rules", (0, 100), (5, 5))
    marks.add("dots", x=3, y=4)
    layers = marks.layers({"mark": {"type": "image"}})
    assert [layer["mark"]["type"] for layer in layers] == ["rule", "point", "image", "text"]
    assert layers[0]["data"]["values"] == [{"x": 0, "x2": 100, "y": 5, "y2": 5}]
    assert len(layers[1]["data"]["values"]) == 2


def test_symbols_without_a_fill_take_the_colours_of_their_rows() -> None:
    assert "fill" not in shape_mark("triangle-up", 60)
    assert shape_mark("triangle-up", 60)["filled"] is True
