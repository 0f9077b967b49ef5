"""Dates as people write them, and the decimal years in which everything is computed.

A year is twelve equal months here, as the steps of a scenario are: 2027-07-01, 2027-07, 2027 Q3 and mid-2027 are all
2027.5. What names a month, a quarter or a year means its beginning; `end of 2027` is 2028.0. A number is itself.
`date_of` and `year_of` count the days of a year instead, for moments of a clock; the two differ by two days at most.
"""

from __future__ import annotations

import calendar
import math
import re
from datetime import UTC, date, datetime, timedelta

FORMS = "2027.5, 2027-07-01, 2027-07, 2027 Q3, July 2027, mid-2027 or end of 2027"
"""How a date may be written, for messages and help."""
_MONTHS = tuple(name.lower() for name in calendar.month_name[1:])
_WHERE = {"start": 0.0, "beginning": 0.0, "mid": 0.5, "middle": 0.5, "end": 1.0}
_POINT = re.compile(r"(?:(?P<where>start|beginning|mid|middle|end)(?:-| of |-of-| )(?:the )?)?(?P<period>.+)")
_ISO = re.compile(r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{1,2})(?:-(?P<day>[0-9]{1,2}))?)?")
_QUARTER = re.compile(r"(?P<year>[0-9]{4})[ -]?q(?P<quarter>[1-4])|q(?P<first>[1-4])[ -]?(?P<then>[0-9]{4})")
_WORDS = re.compile(r"(?:(?P<day>[0-9]{1,2})\.? )?(?P<name>[a-z]{3,9})\.? (?P<year>[0-9]{4})")
_NUMBER = re.compile(r"[0-9]{4}(?:\.[0-9]*)?")
_SAME = 1e-9


class DateError(ValueError):
    """Report a text that is no date; `remedy` says what to write."""

    def __init__(self, rule: str, remedy: str = f"Write {FORMS}.") -> None:
        super().__init__(f"{rule} {remedy}")
        self.rule, self.remedy = rule, remedy


def read_year(text: str) -> float:
    """Read a date, or a year as a number, as a decimal year; DateError where it is neither.

    >>> [read_year(text) for text in ("2027", "2027.25", "2027-07-01", "2026 Q3", "mid-2028", "end of 2027")]
    [2027.0, 2027.25, 2027.5, 2026.5, 2028.5, 2028.0]
    """
    plain = text.strip()
    if _NUMBER.fullmatch(plain):
        return float(plain)
    if (year := as_date(plain)) is not None:
        return year
    if re.match(r"(early|late)[ -]", plain.lower()):
        raise DateError(f"'{plain}' is no one date.")
    if found := re.fullmatch(r"([0-9]{1,2})[./]([0-9]{1,2})[./]([0-9]{4})", plain):
        pairs = [(found[2], found[1]), (found[1], found[2])]  # (month, day): 31.12. or 12/31
        days = [f"{found[3]}-{month:0>2}-{day:0>2}" for month, day in dict.fromkeys(pairs) if int(month) <= 12]
        rule = "can be read in two ways" if len(days) > 1 else "is not how a date is written here"
        raise DateError(f"'{plain}' {rule}.", f"Write {' or '.join(days) or FORMS}.")
    raise DateError(f"must be a year or a date; got '{plain}'.")


def as_date(text: str) -> float | None:
    """Give the decimal year of a date that is no bare number; None where a text is none.

    A date that is written as one and does not exist, as 2027-02-30, is a DateError.
    """
    point = _POINT.fullmatch(" ".join(text.lower().split()))
    if point is None or (point["where"] is None and re.fullmatch(r"[0-9.]+", point["period"])):
        return None
    found = _period(point["period"], text)
    return None if found is None else found[0] + _WHERE[point["where"] or "start"] * found[1]


def day_at(year: float) -> date:
    """Give the day that begins at a decimal year, or within which it lies."""
    whole = math.floor(year * 12 + _SAME)
    passed = math.floor((year * 12 - whole) * _days(whole // 12, whole % 12 + 1) + 1e-6)
    return date(whole // 12, whole % 12 + 1, 1) + timedelta(days=passed)


def last_day_of(text: str) -> date:
    """Give the last day that a date covers: of a year, quarter or month its last, of a point in time the one before it.

    >>> [str(last_day_of(text)) for text in ("2027", "2026 Q3", "2027-02", "2027-02-03", "mid-2027", "end of 2027")]
    ['2027-12-31', '2026-09-30', '2027-02-28', '2027-02-03', '2027-06-30', '2027-12-31']
    """
    end, point = read_year(text), _POINT.fullmatch(" ".join(text.lower().split()))
    if point and point["where"] is None and (period := _period(point["period"], text)):
        end = sum(period)
    if not 1 < end <= 10_000:
        raise DateError(f"must be a year or a date; got '{text.strip()}'.")
    return day_at(end - 1e-7)


def _period(words: str, text: str) -> tuple[float, float] | None:
    """Read a day, month, quarter or year: its beginning and its length, in years."""
    if found := _QUARTER.fullmatch(words):
        return int(found["year"] or found["then"]) + (int(found["quarter"] or found["first"]) - 1) / 4, 0.25
    named = _WORDS.fullmatch(words)
    month = next((str(n) for n, name in enumerate(_MONTHS, 1) if named and name.startswith(named["name"])), None)
    iso = _ISO.fullmatch(words)
    if iso is None and (named is None or month is None):
        return None
    year, month, day = iso.groups() if iso else (named["year"], month, named["day"])  # type: ignore[index]
    if month is None:
        return float(year), 1.0
    if not 1 <= int(month) <= 12 or (day and not 1 <= int(day) <= _days(int(year), int(month))):
        raise DateError(f"there is no {'day' if day else 'month'} '{text.strip()}'.")
    begun = 12 * int(year) + int(month) - 1
    if day is None:
        return begun / 12, 1 / 12
    days = _days(int(year), int(month))
    return (begun + (int(day) - 1) / days) / 12, 1 / (12 * days)


def _days(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1] if year else 0


def day_text(year: float) -> str:
    """Write the day that begins at a decimal year, as 2027-12-31; empty where none does.

    >>> day_text(read_year("2027-12-31")), day_text(2027.91)
    ('2027-12-31', '')
    """
    months = year * 12
    whole = math.floor(months + _SAME)
    days = _days(whole // 12, whole % 12 + 1)
    day = (months - whole) * days
    if abs(day - round(day)) > _SAME * 12 * days or not 0 <= round(day) < days:
        return ""
    return f"{whole // 12:04d}-{whole % 12 + 1:02d}-{round(day) + 1:02d}"


def year_words(year: float) -> str:
    """Write a decimal year so that it reads back as it is: 2035, 2027.5, 2027-12-31, 2036.137842.

    >>> year_words(2035.0), year_words(2027.5), year_words(read_year("2027-12-31"))
    ('2035', '2027.5', '2027-12-31')
    """
    short = f"{year:.10g}"
    exact = short if float(short) == year else repr(float(year))
    day = "" if len(exact.partition(".")[2]) <= 2 else day_text(year)
    return day if day and read_year(day) == year else exact


def point_words(year: float) -> str:
    """Write a year as the point in time that it is, with what people call it.

    >>> point_words(2028.0), point_words(2027.5), point_words(read_year("2027-12-31")), point_words(2027.3)
    ('2028.0 (end of 2027)', '2027.5 (mid-2027)', '2027-12-31', '2027.3')
    """
    whole = math.floor(year)
    if year == whole:
        return f"{year:.1f} (end of {whole - 1})"
    return f"{year:.1f} (mid-{whole})" if year - whole == 0.5 else year_words(year)


def by_words(year: float) -> str:
    """Say by when, in the words of a sentence.

    >>> by_words(2028.0), by_words(2027.5), by_words(read_year("2027-12-31"))
    ('by the end of 2027', 'by mid-2027', 'by 2027-12-31')
    """
    whole = math.floor(year)
    if year == whole:
        return f"by the end of {whole - 1}"
    return f"by mid-{whole}" if year - whole == 0.5 else f"by {year_words(year)}"


def date_of(year: float) -> datetime:
    """Give the moment of a decimal year by its days: 2025.5 is the middle of 2025."""
    whole = math.floor(year)
    return datetime(whole, 1, 1, tzinfo=UTC) + _length(whole) * (year - whole)


def year_of(moment: datetime) -> float:
    """Give the decimal year of a moment, which says its time zone, by its days."""
    return moment.year + (moment - datetime(moment.year, 1, 1, tzinfo=UTC)) / _length(moment.year)


def _length(year: int) -> timedelta:
    return timedelta(days=366 if calendar.isleap(year) else 365)


def moments_between(low: datetime, high: datetime, *, steps: int) -> list[datetime]:
    """Cut the time between two moments into equal steps; both ends are given."""
    step: timedelta = (high - low) / steps
    return [low + step * n for n in range(steps)] + [high]
