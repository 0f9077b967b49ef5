"""Labels make way for one another; colours, light and dark, are told apart, legible, and mapped whatever the chart."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.charts import style
from simulator.charts.kinds.fan import draw_panels
from simulator.charts.spec import Head, Spec
from simulator.charts.style import DARK, band_tints, spread_labels, themed
from simulator.errors import InputError
from simulator.runs.table import Table
from tests.charts.drawn import colors_of
from tests.charts.small import CROSSED, FEW, PANEL, RUN, drawn, fan, observed, steps, threshold

GROUNDS = {"light": lambda color: color, "dark": lambda color: DARK[color]}


def luminance(color: str) -> float:
    """The relative luminance of WCAG 2."""
    digits = {"white": "#FFFFFF"}.get(color, color).removeprefix("#")
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", GROUNDS)
def test_text_is_legible_on_the_ground(theme: str) -> None:
    seen = GROUNDS[theme]
    for color in (style.INK, style.QUIET):
        assert contrast(seen(color), seen(style.PAPER)) >= 4.5, color


@pytest.mark.parametrize("theme", GROUNDS)
def test_lines_are_seen_on_what_lies_behind_them(theme: str) -> None:
    seen = GROUNDS[theme]
    for color in (style.VERMILION, style.BLUE, style.DARK_BLUE, style.AXIS):
        assert contrast(seen(color), seen(style.PAPER)) >= 3, color
    for count in (1, 2, 3):
        for tint in band_tints(count):
            assert contrast(seen(style.DARK_BLUE), seen(tint)) >= 3, tint
            assert contrast(seen(style.INK), seen(tint)) >= 3, tint


@pytest.mark.parametrize("theme", GROUNDS)
def test_bands_are_told_apart_in_grey(theme: str) -> None:
    seen = GROUNDS[theme]
    for count in (1, 2, 3):
        levels = [luminance(seen(color)) for color in (style.PAPER, *band_tints(count))]
        assert levels == sorted(levels, reverse=theme == "light")
        assert all(contrast(seen(a), seen(b)) > 1.15 for a, b in pairwise((style.PAPER, *band_tints(count))))


def test_every_colour_has_a_dark_one_of_its_own() -> None:
    constants = {
        value for name, value in vars(style).items() if isinstance(value, str) and (value[0] == "#" or name == "PAPER")
    }
    tints = {tint for count in (1, 2, 3) for tint in band_tints(count)}
    assert set(DARK) == constants | tints
    assert len(set(DARK.values())) == len(DARK)


FULL = replace(
    fan([*FEW, threshold("vague", 29.0, lower=28.0, upper=30.0)], CROSSED),
    paths=Table.of_rows(steps(0, 30.0)), history=Table.of_rows(observed(2015.0, 2020.0)),
)  # fmt: skip


@pytest.mark.parametrize(
    "spec", [drawn(FULL), draw_panels([PANEL] * 3, head=Head("t", "", RUN))], ids=["fan", "panels"]
)
def test_a_fan_has_colours_of_the_palette_alone_and_the_dark_one_their_counterparts(spec: Spec) -> None:
    light = colors_of(spec)
    assert light <= set(DARK)
    assert {style.PAPER, style.INK, style.QUIET} <= light
    assert colors_of(themed(spec, "dark")) == {DARK[color] for color in light}
    assert themed(spec, "light") == spec


def test_a_text_that_is_the_name_of_a_colour_stays_a_text() -> None:
    spec = {"title": {"text": ["white"], "color": "white"}, "datasets": {"a": [{"text": "white", "color": "white"}]}}
    dark = themed(spec, "dark")
    assert dark["title"] == {"text": ["white"], "color": DARK["white"]}
    assert dark["datasets"]["a"] == [{"text": "white", "color": DARK["white"]}]


def test_colours_are_found_where_an_encoding_holds_them() -> None:
    encoding = {"color": {"condition": {"param": "p", "value": style.BLUE}, "scale": {"range": [style.SKY]}}}
    assert colors_of(encoding) == {style.BLUE, style.SKY}
    assert colors_of(themed(encoding, "dark")) == {DARK[style.BLUE], DARK[style.SKY]}


def test_a_theme_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="must be light or dark; got 'sepia'"):
        themed({}, "sepia")  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.floats(0, 400), st.sampled_from([18.0, 33.0])), min_size=1, max_size=12))
def test_spread_labels_never_overlap_and_stay_inside(labels: list[tuple[float, float]]) -> None:
    wanted = sorted(position for position, _ in labels)
    heights = [height for _, height in labels]
    placed = spread_labels(wanted, heights=heights, top=-8, bottom=408)
    edges = [(middle - height / 2, middle + height / 2) for middle, height in zip(placed, heights, strict=True)]
    assert all(above[1] <= below[0] + 1e-9 for above, below in pairwise(edges))
    assert edges[0][0] >= -8 - 1e-9
    assert edges[-1][1] <= 408 + 1e-9


def test_spread_labels_leave_distant_labels_where_they_are() -> None:
    assert spread_labels([20, 200, 380], heights=[18, 33, 18], top=0, bottom=400) == [20, 200, 380]


def test_spread_labels_share_the_shift_of_equal_positions() -> None:
    assert spread_labels([200, 200, 200], heights=[18, 18, 18], top=0, bottom=400) == [182, 200, 218]
