"""Decimal years and calendar dates."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta


def date_of(year: float) -> datetime:
    """Give the moment of a decimal year: 2025.5 is the middle of 2025."""
    whole = math.floor(year)
    start = datetime(whole, 1, 1, tzinfo=UTC)
    return start + (datetime(whole + 1, 1, 1, tzinfo=UTC) - start) * (year - whole)


def year_of(moment: datetime) -> float:
    """Give the decimal year of a moment, which says its time zone."""
    start = datetime(moment.year, 1, 1, tzinfo=UTC)
    length = datetime(moment.year + 1, 1, 1, tzinfo=UTC) - start
    return moment.year + (moment - start) / length


def moments_between(low: datetime, high: datetime, *, steps: int) -> list[datetime]:
    """Cut the time between two moments into equal steps; both ends are given."""
    step: timedelta = (high - low) / steps
    return [low + step * n for n in range(steps)] + [high]
