"""Ticks are few, round and inside the axis."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.charts.ticks import axis_ticks, power_parts, power_ticks, tick_text, year_axis, year_ticks


@given(st.floats(-60, 60))
def test_power_parts_give_the_value_to_two_digits(log_value: float) -> None:
    base, exponent = power_parts(log_value)
    mantissa = float(base.removesuffix("10").removesuffix("×") or 1)
    assert 1 <= mantissa < 10
    assert math.log10(mantissa) + int(exponent.replace("−", "-")) == pytest.approx(
        log_value, abs=math.log10(1.05) + 1e-12
    )


@given(st.floats(-40, 60), st.floats(1, 300))
def test_power_ticks_are_few_and_inside_the_axis(lower: float, span: float) -> None:
    ticks = power_ticks(lower, lower + span)
    assert 2 <= len(ticks) <= 10
    assert ticks == sorted(set(ticks))
    assert lower <= ticks[0] <= ticks[-1] <= lower + span


@given(st.floats(1900, 2100), st.floats(5, 300))
def test_year_ticks_are_few_and_inside_the_axis(first: float, span: float) -> None:
    ticks = year_ticks(first, first + span)
    assert 2 <= len(ticks) <= 13
    assert len({b - a for a, b in pairwise(ticks)}) == 1
    assert first <= ticks[0] <= ticks[-1] <= first + span


def test_an_axis_within_one_year_has_its_ends_as_ticks() -> None:
    axis = year_axis(2023.2, 2023.93)
    assert (axis["values"], axis["format"]) == ([2023.2, 2023.93], ".7~g")
    assert year_axis(2023.2, 2025.0)["values"] == [2024, 2025]


def test_years_have_whole_ticks_alone_where_there_are_two_or_more() -> None:
    assert axis_ticks(2025.2, 2029.8, "year", most=7) == [2026.0, 2027.0, 2028.0, 2029.0]
    assert len(axis_ticks(2025.2, 2026.4, "year", most=7)) > 2


def test_numbers_at_ticks_are_written_as_their_scale_says() -> None:
    assert [tick_text(0.07, "share"), tick_text(2035.5, "year"), tick_text(1500.0, "plain")] == [
        "7 %",
        "2035.5",
        "1,500",
    ]
