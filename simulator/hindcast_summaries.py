"""How well the forecasts of a hindcast did together: where what came lay in them, and skill by years ahead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scipy import special

from simulator.hindcast import MODEL, ForecastRow, SkillRow, skills

LEVELS: Final[tuple[int, ...]] = (50, 80, 90)
LEAST_TARGETS: Final[int] = 3
"""Distinct years below which no interval is given."""


@dataclass(frozen=True, slots=True)
class PitRow:
    """Count where in their forecasts (probability of no more than what came) the values that came lay, in one bin.

    `expected` is the count of a calibrated forecast, with its 90 % interval for as many independent forecasts as there
    are distinct years.
    """

    forecast: str
    lower: float
    upper: float
    count: int
    expected: float
    expected_05: float
    expected_95: float


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """Hold how often what came lay in the central intervals of a level, with a 90 % interval of the true share.

    The interval (Jeffreys) is that of as many independent forecasts as there are distinct years (`targets`), for
    forecasts of one year err together.
    """

    forecast: str
    level: int
    inside: int
    forecasts: int
    targets: int
    seen: float
    seen_05: float
    seen_95: float
    hindsight: bool


@dataclass(frozen=True, slots=True)
class HorizonRow:
    """Hold the skill of the model against a baseline so many years ahead; no interval of fewer than three years."""

    baseline: str
    first_ahead: int
    last_ahead: int
    forecasts: int
    targets: int
    crps: float
    baseline_crps: float
    skill: float
    skill_05: float | None
    skill_95: float | None
    hindsight: bool


def pit_rows(rows: Sequence[ForecastRow]) -> tuple[PitRow, ...]:
    """Count probability integral transforms in 5 bins (10 from 50 forecasts on), by forecast.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> places = enumerate((0.02, 0.11, 0.5, 0.97, 0.99), start=2021)
    >>> rows = pit_rows([SimpleNamespace(forecast="model", target=year, pit=pit) for year, pit in places])
    >>> [row.count for row in rows], rows[0].expected  # too many at the ends: the forecast is too narrow
    ([2, 0, 1, 0, 2], 1.0)
    """
    table = []
    for name in dict.fromkeys(row.forecast for row in rows):
        mine = [row for row in rows if row.forecast == name]
        bins = 10 if len(mine) >= 50 else 5
        targets = len({row.target for row in mine})
        low, high = (binomial_quantile(level, targets, 1 / bins) * len(mine) / targets for level in (0.05, 0.95))
        for place in range(bins):
            count = sum(min(int(row.pit * bins), bins - 1) == place for row in mine)
            table.append(PitRow(name, place / bins, (place + 1) / bins, count, len(mine) / bins, low, high))
    return tuple(table)


def binomial_quantile(level: float, count: int, share: float) -> int:
    """Give the smallest number of successes whose cumulated probability reaches a level.

    Examples
    --------
    >>> binomial_quantile(0.05, 7, 0.2), binomial_quantile(0.95, 7, 0.2)
    (0, 3)
    """
    reached = 0.0
    for hits in range(count + 1):
        reached += math.comb(count, hits) * share**hits * (1 - share) ** (count - hits)
        if reached >= level:
            return hits
    return count


def coverage_rows(rows: Sequence[ForecastRow]) -> tuple[CoverageRow, ...]:
    """Count how often what came lay inside the 50, 80 and 90 % intervals, by forecast.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> held = {"inside_50": False, "inside_80": True, "inside_90": True}
    >>> rows = coverage_rows([SimpleNamespace(forecast="model", target=2020, hindsight=False, **held)])
    >>> [(row.level, row.seen, round(row.seen_05, 2)) for row in rows]  # one year tells little
    [(50, 0.0, 0.0), (80, 1.0, 0.23), (90, 1.0, 0.23)]
    """
    table = []
    for name in dict.fromkeys(row.forecast for row in rows):
        mine = [row for row in rows if row.forecast == name]
        targets = len({row.target for row in mine})
        for level in LEVELS:
            inside = sum(bool(getattr(row, f"inside_{level}")) for row in mine)
            low, high = jeffreys(inside / len(mine) * targets, targets)
            late = any(row.hindsight for row in mine)
            table.append(CoverageRow(name, level, inside, len(mine), targets, inside / len(mine), low, high, late))
    return tuple(table)


def jeffreys(hits: float, count: int) -> tuple[float, float]:
    """Give the central 90 % interval of a share after `hits` of `count`: Beta(hits + 1/2, count - hits + 1/2).

    The lower end is 0 where nothing hit, the upper 1 where everything did (Brown, Cai and DasGupta 2001).

    Examples
    --------
    >>> [round(end, 2) for end in jeffreys(5, 10)], jeffreys(0, 7)[0], jeffreys(7, 7)[1]
    ([0.26, 0.74], 0.0, 1.0)
    """
    low, high = (float(special.betaincinv(hits + 0.5, count - hits + 0.5, level)) for level in (0.05, 0.95))
    return (0.0 if hits <= 0 else low), (1.0 if hits >= count else high)


def horizon_bins(rows: Sequence[ForecastRow]) -> list[tuple[int, int]]:
    """Group years ahead, from the nearest, so that each group has three distinct target years or more.

    Examples
    --------
    Forecasts of 2019 to 2025 from 2018, 2020 and 2022 give groups of 1, 2, 3, and 4 to 7 years ahead.

    >>> from types import SimpleNamespace
    >>> pairs = [(origin, target) for origin in (2018, 2020, 2022) for target in range(origin + 1, 2026)]
    >>> horizon_bins([SimpleNamespace(forecast=MODEL, origin=origin, target=target) for origin, target in pairs])
    [(1, 1), (2, 2), (3, 3), (4, 7)]
    """
    targets: dict[int, set[int]] = {}
    for row in rows:
        if row.forecast == MODEL:
            targets.setdefault(row.target - row.origin, set()).add(row.target)
    bins: list[tuple[int, int]] = []
    first, held = min(targets), set[int]()
    for ahead in sorted(targets):
        held |= targets[ahead]
        if len(held) >= LEAST_TARGETS:
            bins.append((first, ahead))
            first, held = ahead + 1, set[int]()
    if held:
        begin = bins.pop()[0] if bins else first
        bins.append((begin, max(targets)))
    return bins


def horizon_rows(rows: Sequence[ForecastRow]) -> tuple[HorizonRow, ...]:
    """Compare the model with every other forecast by years ahead; whole target years are resampled, as in `skills`."""
    table = []
    for first, last in horizon_bins(rows):
        mine = [row for row in rows if first <= row.target - row.origin <= last]
        count = sum(row.forecast == MODEL for row in mine)
        targets = len({row.target for row in mine})
        table += [_horizon(skill, (first, last), count, targets) for skill in skills(mine, seed=0)]
    names = list(dict.fromkeys(row.forecast for row in rows))
    return tuple(sorted(table, key=lambda row: (names.index(row.baseline), row.first_ahead)))


def _horizon(skill: SkillRow, ahead: tuple[int, int], count: int, targets: int) -> HorizonRow:
    known = targets >= LEAST_TARGETS
    return HorizonRow(
        skill.baseline, *ahead, forecasts=count, targets=targets, crps=skill.crps, baseline_crps=skill.baseline_crps,
        skill=skill.skill, skill_05=skill.skill_05 if known else None, skill_95=skill.skill_95 if known else None,
        hindsight=skill.hindsight,
    )  # fmt: skip
