"""How the numbers of priors are told and placed."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.charts.densities import power_text, scale_of
from simulator.charts.kinds.priors import NOTE_X, PLOT_WIDTH, PLOT_X, WIDTH, draw_priors
from simulator.charts.spec import Head
from simulator.priors.fitting import Understood
from simulator.runs.groups import RunLabel
from simulator.runs.table import Table
from simulator.units import plain_unit

RUN = RunLabel("3f9a2c1", "some-scenario", 1, 4096)
NAME = "drivers.spending.start"
READ = Understood("lognormal", 1e8, 1e9, 1e10, "USD")
KINDS = (("log10(USD)", ""), ("OOM/year", "factor/year"), ("OOM/year", "%/year"), ("year", ""), ("1", ""))


def row(unit: str = "log10(USD)", **known: object) -> dict[str, object]:
    quantiles = {"lower_90": 8.0, "lower_50": 8.5, "median": 9.0, "upper_50": 9.5, "upper_90": 10.0}
    said = {"understood": "lognormal, median 1e9 USD", "library": "", "source": "S 2024", "confidence": "", "as_of": ""}
    return {"name": NAME, "label": "spending: start", "unit": unit, "never": 0.0, **quantiles, **said, **known}


def points(low: float, high: float, *, single: bool = False) -> list[dict[str, object]]:
    return [
        {"name": NAME, "value": low + (high - low) * n / 10, "height": 1 - abs(n - 5) / 5, "single": single}
        for n in range(11)
    ]


def layers(prior: dict[str, object], density: list[dict[str, object]]) -> list[dict[str, Any]]:
    chart = draw_priors([prior | {"group": "spending"}], Table.of_rows(density), {NAME: READ}, head=Head("t", "", RUN))
    found: list[dict[str, Any]] = chart["vconcat"][0]["layer"]
    return [{**layer, "rows": layer["data"]["values"]} for layer in found]


@pytest.mark.parametrize(("unit", "ending"), KINDS)
@given(low=st.floats(-3, 3), width=st.floats(1e-3, 30))
def test_ticks_are_few_and_within_the_axis(unit: str, ending: str, low: float, width: float) -> None:
    scale = scale_of(unit, ending)
    if scale.is_percent:
        width = min(width, 2.0)
    ticks = [tick for tick in scale.ticks(low, low + width) if low <= tick <= low + width]
    assert len(ticks) <= 6
    assert ticks == sorted(set(ticks))
    assert all(math.isfinite(tick) for tick in ticks)


@pytest.mark.parametrize(
    ("unit", "stated", "value", "text"),
    [
        ("log10(USD)", "million USD", 8.591, "390"),
        ("log10(J/s)", "GW", 9.398, "2.5"),
        ("log10(s)", "days", 7.237, "200"),
        ("log10(1)", "%", -1.0, "10"),
        ("log10(1)", "fraction", -1.0, "0.1"),
        ("log10(FLOP)", "log10(FLOP)", 25.0, "1e25"),
    ],
)
def test_a_level_is_told_in_the_unit_that_is_stated(unit, stated, value, text) -> None:
    scale = scale_of(unit, stated)
    assert (scale.text(value), scale.unit) == (text, plain_unit(stated))
    assert all(value - 1 <= tick <= value + 1 for tick in scale.ticks(value - 1, value + 1))


def test_a_level_may_span_more_than_numbers_hold() -> None:
    assert power_text(500.3) == "2e500"
    assert scale_of("log10(FLOP)", "").ticks(400, 400.2)[0] == pytest.approx(400.0)


@pytest.mark.parametrize(
    ("unit", "stated", "value", "text"),
    [
        ("log10(1)", "fraction", -1.0, "0.1 fraction"),
        ("log10(J/s)", "", 9.4, "2.5e9 W"),
        ("OOM/year", "%/year", math.log10(1.026), "2.6 % a year"),
        ("OOM/year", "OOM/year", 0.13, "1.35 times a year"),
        ("OOM/year", "OOM/year", 4.0, "10,000 times a year"),
        ("year", "", 2028.53, "2028.5 "),
        ("years", "", 1.234, "1.23 years"),
        ("1", "", 0.5, "0.5 "),
        ("log10(USD)", "", math.inf, "never USD"),
    ],
)
def test_numbers_are_told_in_the_unit_of_readers(unit: str, stated: str, value: float, text: str) -> None:
    scale = scale_of(unit, stated)
    assert f"{scale.text(value)} {scale.unit}" == text


def test_the_density_changes_its_tint_at_the_ends_of_the_intervals() -> None:
    areas = [layer for layer in layers(row(), points(7.0, 11.0)) if layer["mark"]["type"] == "area"]
    ends = [(min(p["x"] for p in area["rows"]), max(p["x"] for p in area["rows"])) for area in areas]
    assert len({area["mark"]["color"] for area in areas}) == 3
    assert ends[0][0] < ends[1][0] < ends[2][0] < ends[2][1] < ends[1][1] < ends[0][1]
    assert ends[0][0] >= PLOT_X
    assert ends[0][1] <= PLOT_X + PLOT_WIDTH


def texts(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for layer in found if layer["mark"]["type"] == "text" for item in layer["rows"]]


def test_a_long_source_takes_two_lines_of_its_column_and_none_is_said_aloud() -> None:
    from simulator.charts.style import text_width

    long = [item for item in texts(layers(row(source="many words " * 40), points(7, 11))) if item["x"] == NOTE_X]
    assert all(text_width(line) <= WIDTH - NOTE_X for item in long for line in item["text"].split("\n"))
    assert any(item["text"].endswith("…") for item in long)
    bare = texts(layers(row(source=""), points(7, 11)))
    assert "no source" in [item["text"] for item in bare]


def test_a_share_at_never_has_an_arrow_and_words() -> None:
    found = layers(row(never=0.07), points(7, 11))
    assert any(item["text"] == "1e9 (90 % 1e8 to 1e10) USD given that it happens, never 7 %" for item in texts(found))
    assert any(layer["mark"].get("shape") == "triangle-right" for layer in found)
    all_never = dict.fromkeys(("lower_90", "lower_50", "median", "upper_50", "upper_90"), math.inf)
    assert any(item["text"] == "never 97 %" for item in texts(layers(row(never=0.97, **all_never), points(7, 11))))


def test_single_values_are_spikes() -> None:
    found = layers(row(), points(8, 10, single=True))
    spikes = [layer for layer in found if layer["mark"].get("strokeWidth") == 5]
    assert len(spikes[0]["rows"]) == 11
    assert not [layer for layer in found if layer["mark"]["type"] == "area"]
