"""Decimal years and calendar dates."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.dates import date_of, moments_between, year_of


@given(st.floats(1900, 2200))
def test_a_decimal_year_comes_back_from_its_date(year: float) -> None:
    assert year_of(date_of(year)) == pytest.approx(year, abs=1e-9)


def test_whole_years_begin_on_new_years_day_in_leap_years_too() -> None:
    assert [date_of(year) for year in (2027, 2028)] == [datetime(year, 1, 1, tzinfo=UTC) for year in (2027, 2028)]
    assert year_of(datetime(2028, 12, 31, tzinfo=UTC)) == 2028 + 365 / 366


def test_moments_are_even_in_time_and_end_exactly() -> None:
    low, high = datetime(2026, 1, 1, tzinfo=UTC), datetime(2031, 3, 7, tzinfo=UTC)
    found = moments_between(low, high, steps=7)
    assert (found[0], found[-1], len(found)) == (low, high, 8)
    steps = [(b - a).total_seconds() for a, b in pairwise(found)]
    assert max(steps) - min(steps) < 1e-3
