"""The tables of a hindcast: forecasts with their scores, means, skills, quantiles, events, calibration.

Levels are log10 FLOP. `hindsight` says whether a prior knew what came. Forecasts of one target year from several
origins err together, so that whole target years are resampled, and counted in intervals of shares.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import special

from simulator.engine.collecting import LEVELS
from simulator.hindcast.scores import Array, brier, level_scores, log_score
from simulator.history.forecast import RecordForecast
from simulator.history.observations import Observations

MODEL: Final[str] = "model"
QUANTILES: Final[tuple[float, ...]] = (0.05, 0.25, 0.5, 0.75, 0.95)
RESAMPLES: Final[int] = 4000
TIE: Final[float] = 0.03
"""Differences in CRPS below this say nothing: Monte Carlo noise and the choice of seed are as large."""
THRESHOLDS: Final[tuple[float, ...]] = (1e24, 1e25, 1e26)
"""FLOP of which it is asked whether the record is above them."""
COVERAGES: Final[tuple[int, ...]] = (50, 80, 90)
LEAST_TARGETS: Final[int] = 3
"""Distinct years below which no interval is given."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A forecast made at one origin, under the name that all its origins have in the tables."""

    name: str
    forecast: RecordForecast
    hindsight: bool = False


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """One forecast of the record at the end of `target`, made at the end of `origin`; `error` is median - observed."""

    forecast: str
    origin: int
    target: int
    observed: float
    quantile_05: float
    quantile_25: float
    quantile_50: float
    quantile_75: float
    quantile_95: float
    crps: float
    pinball: float
    interval_score: float
    log_score: float
    error: float
    pit: float
    inside_50: bool
    inside_80: bool
    inside_90: bool
    hindsight: bool = False


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """Mean scores of a forecast at one origin, or over all where that is None; `targets` counts distinct years."""

    forecast: str
    origin: int | None
    forecasts: int
    targets: int
    crps: float
    pinball: float
    interval_score: float
    log_score: float
    bias: float
    coverage_50: float
    coverage_80: float
    coverage_90: float
    hindsight: bool = False


@dataclass(frozen=True, slots=True)
class SkillRow:
    """The model's CRPS beside another's over the same forecasts; 90 % intervals resample whole years, paired.

    `skill` = 1 - model / other; `difference` = other - model; `better` is the share of resamples where the model wins.
    """

    baseline: str
    crps: float
    baseline_crps: float
    skill: float
    skill_05: float
    skill_95: float
    difference: float
    difference_05: float
    difference_95: float
    better: float
    hindsight: bool = False

    @property
    def verdict(self) -> str:
        """Whether the model is "better", "worse", or there is "a tie": within 0.03, or the interval holds 0."""
        if abs(self.difference) < TIE or self.difference_05 <= 0 <= self.difference_95:
            return "a tie"
        return "better" if self.difference > 0 else "worse"


@dataclass(frozen=True, slots=True)
class QuantileRow:
    """One quantile of one forecast of the record at the end of `target`."""

    forecast: str
    origin: int
    target: int
    quantile: float
    value: float
    hindsight: bool


@dataclass(frozen=True, slots=True)
class RecordRow:
    """The record at the end of a year, and the snapshot of history that says so."""

    year: int
    log_flop: float
    snapshot: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One forecast that the record at the end of `target` is at or above a threshold (FLOP)."""

    forecast: str
    origin: int
    target: int
    threshold: float
    probability: float
    happened: bool
    brier: float
    hindsight: bool


@dataclass(frozen=True, slots=True)
class EventScore:
    """The mean Brier score of one forecast for one threshold; `happened` is the share of times that it came."""

    forecast: str
    threshold: float
    forecasts: int
    brier: float
    happened: float
    hindsight: bool


@dataclass(frozen=True, slots=True)
class PitRow:
    """How many values that came lay in one bin of their forecasts (probability of no more than what came).

    `expected` is of a calibrated forecast, with its 90 % interval for as many independent forecasts as distinct years.
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
    """How often what came lay in the central intervals of a level (%), with a 90 % interval of the true share.

    The interval (Jeffreys) is that of as many independent forecasts as there are distinct years (`targets`).
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
    """The skill of the model against another so many years ahead; no interval of fewer than three years."""

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


def _came(observations: Observations) -> dict[int, float]:
    years = observations.record_year.astype(int).tolist()
    return dict(zip(years, observations.record_log_compute.tolist(), strict=True))


def forecast_rows(arm: Arm, observations: Observations) -> Iterator[ForecastRow]:
    """Score a forecast of the record in every year that has come."""
    came = _came(observations)
    for target, samples in zip(arm.forecast.years, arm.forecast.samples, strict=True):
        if target in came:
            ends: dict[str, Any] = {
                f"quantile_{100 * level:02.0f}": float(value)
                for level, value in zip(QUANTILES, np.quantile(samples, QUANTILES), strict=True)
            }
            yield ForecastRow(
                forecast=arm.name,
                origin=arm.forecast.origin,
                target=target,
                observed=came[target],
                **ends,
                **level_scores(samples, came[target]),
                log_score=float(log_score(samples, came[target])),
                error=ends["quantile_50"] - came[target],
                hindsight=arm.hindsight,
            )


def quantile_rows(arm: Arm) -> Iterator[QuantileRow]:
    """List the 25 quantiles of a forecast in each of its years."""
    for target, samples in zip(arm.forecast.years, arm.forecast.samples, strict=True):
        for level, value in zip(LEVELS, np.quantile(samples, LEVELS), strict=True):
            yield QuantileRow(arm.name, arm.forecast.origin, target, level, float(value), arm.hindsight)


def event_rows(arm: Arm, observations: Observations, *, thresholds: Sequence[float] = THRESHOLDS) -> Iterator[EventRow]:
    """Score the forecast that the record passes thresholds (FLOP) by the end of each year that has come.

    What the record had passed at the origin is no forecast and is left out; it never falls.
    """
    came = _came(observations)
    ahead = [level for level in thresholds if came[arm.forecast.origin] < np.log10(level)]
    for target, samples in zip(arm.forecast.years, arm.forecast.samples, strict=True):
        for threshold in ahead if target in came else []:
            level = np.log10(threshold)
            probability, happened = float(np.mean(samples >= level)), bool(came[target] >= level)
            score = float(brier(probability, happened))
            yield EventRow(
                arm.name, arm.forecast.origin, target, threshold, probability, happened, score, arm.hindsight
            )


def _names(rows: Iterable[ForecastRow | EventRow]) -> list[str]:
    return list(dict.fromkeys(row.forecast for row in rows))


def _mean(rows: Sequence[object], column: str) -> float:
    return float(np.mean([getattr(row, column) for row in rows]))


def mean_scores(rows: Sequence[ForecastRow]) -> tuple[ScoreRow, ...]:
    """Average scores by forecast, over all origins (`origin` None, first) and at each origin."""
    table = []
    for name in _names(rows):
        mine = [row for row in rows if row.forecast == name]
        for origin in (None, *sorted({row.origin for row in mine})):
            chosen = [row for row in mine if origin in (None, row.origin)]
            table.append(
                ScoreRow(
                    name,
                    origin,
                    forecasts=len(chosen),
                    targets=len({row.target for row in chosen}),
                    **{rule: _mean(chosen, rule) for rule in ("crps", "pinball", "interval_score", "log_score")},
                    bias=_mean(chosen, "error"),
                    coverage_50=_mean(chosen, "inside_50"),
                    coverage_80=_mean(chosen, "inside_80"),
                    coverage_90=_mean(chosen, "inside_90"),
                    hindsight=any(row.hindsight for row in chosen),
                )
            )
    return tuple(table)


def event_scores(rows: Sequence[EventRow]) -> tuple[EventScore, ...]:
    """Average Brier scores by forecast and threshold."""
    table = []
    for name, threshold in dict.fromkeys((row.forecast, row.threshold) for row in rows):
        mine = [row for row in rows if (row.forecast, row.threshold) == (name, threshold)]
        late = any(row.hindsight for row in mine)
        table.append(EventScore(name, threshold, len(mine), _mean(mine, "brier"), _mean(mine, "happened"), late))
    return tuple(table)


def skills(rows: Sequence[ForecastRow], *, seed: int) -> tuple[SkillRow, ...]:
    """Compare the model with every other, over the same origins and targets.

    The few target years make the intervals wide; neighbouring years are dependent still: they should be wider.
    """
    scores = {(row.forecast, row.origin, row.target): row.crps for row in rows}
    places = [(row.origin, row.target) for row in rows if row.forecast == MODEL]
    targets = sorted({target for _, target in places})
    counts = np.array([sum(target == each for _, target in places) for each in targets], dtype=np.float64)
    chosen = np.random.default_rng([seed, 4]).multinomial(len(targets), [1 / len(targets)] * len(targets), RESAMPLES)

    def totals(name: str) -> Array:
        return np.array([sum(scores[name, *place] for place in places if place[1] == each) for each in targets])

    table = []
    late = {row.forecast for row in rows if row.hindsight}
    mine = totals(MODEL)
    for name in (each for each in _names(rows) if each != MODEL):
        theirs = totals(name)
        resampled, other = chosen @ mine, chosen @ theirs
        skill = np.quantile(1 - resampled / other, [0.05, 0.95])
        difference = np.quantile((other - resampled) / (chosen @ counts), [0.05, 0.95])
        table.append(
            SkillRow(
                name,
                crps=float(mine.sum() / counts.sum()),
                baseline_crps=float(theirs.sum() / counts.sum()),
                skill=float(1 - mine.sum() / theirs.sum()),
                skill_05=float(skill[0]),
                skill_95=float(skill[1]),
                difference=float((theirs.sum() - mine.sum()) / counts.sum()),
                difference_05=float(difference[0]),
                difference_95=float(difference[1]),
                better=float(np.mean(resampled < other)),
                hindsight=name in late,
            )
        )
    return tuple(table)


def pit_rows(rows: Sequence[ForecastRow]) -> tuple[PitRow, ...]:
    """Count probability integral transforms in 5 bins (10 from 50 forecasts on), by forecast."""
    table = []
    for name in _names(rows):
        mine = [row for row in rows if row.forecast == name]
        bins = 10 if len(mine) >= 50 else 5
        targets = len({row.target for row in mine})
        low, high = (binomial_quantile(level, targets, 1 / bins) * len(mine) / targets for level in (0.05, 0.95))
        for place in range(bins):
            count = sum(min(int(row.pit * bins), bins - 1) == place for row in mine)
            table.append(PitRow(name, place / bins, (place + 1) / bins, count, len(mine) / bins, low, high))
    return tuple(table)


def binomial_quantile(level: float, count: int, share: float) -> int:
    """Give the smallest number of successes whose cumulated probability reaches a level."""
    reached = 0.0
    for hits in range(count + 1):
        reached += math.comb(count, hits) * share**hits * (1 - share) ** (count - hits)
        if reached >= level:
            return hits
    return count


def coverage_rows(rows: Sequence[ForecastRow]) -> tuple[CoverageRow, ...]:
    """Count how often what came lay inside the 50, 80 and 90 % intervals, by forecast."""
    table = []
    for name in _names(rows):
        mine = [row for row in rows if row.forecast == name]
        targets = len({row.target for row in mine})
        for level in COVERAGES:
            inside = sum(bool(getattr(row, f"inside_{level}")) for row in mine)
            low, high = jeffreys(inside / len(mine) * targets, targets)
            late = any(row.hindsight for row in mine)
            table.append(CoverageRow(name, level, inside, len(mine), targets, inside / len(mine), low, high, late))
    return tuple(table)


def jeffreys(hits: float, count: int) -> tuple[float, float]:
    """Give the central 90 % interval of a share after `hits` of `count`: Beta(hits + 1/2, count - hits + 1/2).

    The lower end is 0 where nothing hit, the upper 1 where everything did (Brown, Cai and DasGupta 2001).
    """
    low, high = (float(special.betaincinv(hits + 0.5, count - hits + 0.5, level)) for level in (0.05, 0.95))
    return (0.0 if hits <= 0 else low), (1.0 if hits >= count else high)


def horizon_bins(rows: Sequence[ForecastRow]) -> list[tuple[int, int]]:
    """Group years ahead, from the nearest, so that each group has three distinct target years or more."""
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
    for ahead in horizon_bins(rows):
        mine = [row for row in rows if ahead[0] <= row.target - row.origin <= ahead[1]]
        count, targets = sum(row.forecast == MODEL for row in mine), len({row.target for row in mine})
        for each in skills(mine, seed=0):
            low, high = (each.skill_05, each.skill_95) if targets >= LEAST_TARGETS else (None, None)
            scores = each.crps, each.baseline_crps, each.skill
            table.append(HorizonRow(each.baseline, *ahead, count, targets, *scores, low, high, each.hindsight))
    names = _names(rows)
    return tuple(sorted(table, key=lambda row: (names.index(row.baseline), row.first_ahead)))
