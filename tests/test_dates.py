"""Dates as people write them, the decimal years that they are, and how these are written again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.dates import (
    DateError,
    as_date,
    date_of,
    day_text,
    moments_between,
    point_words,
    read_year,
    year_of,
    year_words,
)


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2027", 2027.0), ("2027.5", 2027.5), (" 2027. ", 2027.0), ("2027-07-01", 2027.5), ("2026-07", 2026.5),
        ("2026 Q3", 2026.5), ("2026-Q3", 2026.5), ("2026q1", 2026.0), ("Q4 2026", 2026.75), ("mid-2028", 2028.5),
        ("Mid 2028", 2028.5), ("middle of 2028", 2028.5), ("end of 2027", 2028.0), ("end-2027", 2028.0),
        ("end of 2027 Q2", 2027.5), ("end of June 2027", 2027.5), ("end of 2027-12-31", 2028.0),
        ("start of 2027", 2027.0), ("the beginning of 2027", None), ("July 2027", 2027.5), ("1 Jul 2027", 2027.5),
        ("1. September 2027", 2027 + 8 / 12), ("2027-12-31", 2027 + (11 + 30 / 31) / 12),
        ("2028-02-29", 2028 + (1 + 28 / 29) / 12),
    ],
)  # fmt: skip
def test_a_date_is_read_as_the_point_in_time_at_which_it_begins(text: str, year: float | None) -> None:
    if year is None:
        with pytest.raises(DateError):
            read_year(text)
    else:
        assert read_year(text) == pytest.approx(year, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("early 2027", "no one date"), ("late-2027", "no one date"), ("31.12.2027", "2027-12-31"),
        ("12/31/2027", "2027-12-31"),
        ("3/7/2027", "two ways"), ("2027-13", "no month"), ("2027-02-30", "no day"), ("2027-1-0", "no day"),
        ("2027 Q5", "must be a year or a date"), ("soon", "must be"), ("", "must be"), ("-5", "must be"),
        ("27", "must be"), ("mid-27", "must be"), ("1e3", "must be"), ("July", "must be"), ("a 2027", "must be"),
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused_and_what_to_write_is_said(text: str, rule: str) -> None:
    with pytest.raises(DateError, match=rule) as refused:
        read_year(text)
    assert refused.value.remedy.startswith("Write ")


@pytest.mark.parametrize("text", ["2027", "2027.5", "$5 billion", "2.4x/year", "10 years", "10 May", "may 5", "1000"])
def test_a_number_or_an_amount_is_no_date(text: str) -> None:
    assert as_date(text) is None


@given(st.dates(date(1900, 1, 1), date(2300, 12, 31)))
def test_every_day_is_written_as_it_was_read_and_later_days_are_later(day: date) -> None:
    year = read_year(day.isoformat())
    assert day_text(year) == day.isoformat()
    assert read_year(year_words(year)) == year
    assert read_year((day + timedelta(days=1)).isoformat()) > year
    assert abs(year - year_of(datetime(day.year, day.month, day.day, tzinfo=UTC))) < 2 / 365


@given(st.floats(1900, 2300))
def test_a_year_is_written_so_that_it_reads_back(year: float) -> None:
    assert read_year(year_words(year)) == year


def test_a_point_in_time_says_what_people_call_it() -> None:
    assert point_words(2028.0) == "2028.0 (end of 2027)"
    assert [read_year(text) for text in ("end of 2027", "2028-01-01", "2028")] == [2028.0] * 3


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


def test_the_last_day_that_a_calendar_knows_is_a_date() -> None:
    last = datetime(9999, 12, 31, tzinfo=UTC)
    assert abs(date_of(year_of(last)) - last) < timedelta(seconds=60)
