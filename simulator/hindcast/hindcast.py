"""Hindcasts: forecasts of the record from past origins, scored against what came and against simple baselines.

At each origin a forecast sees what had been published by the end of that year, as the snapshot tells it today: later
revisions of those values are not undone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Final

import numpy as np

from simulator.hindcast.baselines import BASELINES, draw_baseline
from simulator.hindcast.scores import (
    THRESHOLDS,
    Arm,
    EventRow,
    EventScore,
    QuantileRow,
    RecordRow,
    covered,
    crps,
    event_rows,
    event_scores,
    interval_score,
    log_score,
    pinball,
    pit,
    quantile_rows,
)
from simulator.history.diagnostics import Diagnostics, RateCheck, check_rate, diagnose
from simulator.history.fit import SamplerSettings, fit_origins
from simulator.history.forecast import RecordForecast, forecast_record, horizon_of
from simulator.history.model import GrowthPriors
from simulator.history.observations import Array, Observations, known_at

MODEL: Final[str] = "model"
QUANTILES: Final[tuple[float, ...]] = (0.05, 0.25, 0.5, 0.75, 0.95)
ORIGINS: Final[tuple[int, ...]] = (2018, 2020, 2022)
RESAMPLES: Final[int] = 4000
TIE: Final[float] = 0.03
"""Differences in CRPS below this say nothing: Monte Carlo noise and the choice of seed are as large."""


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """Hold one forecast of the record at the end of `target`, made at the end of `origin`; log10 FLOP.

    `quantile_05` to `quantile_95` are of the forecast; `error` is its median minus what came; `inside_50` to
    `inside_90` say whether what came lay in the central interval; `hindsight` whether a prior knew what came.
    """

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
    """Hold the mean scores of one forecast at one origin, or over all origins where `origin` is None.

    `bias` is the mean error; `coverage_50` to `coverage_90` are shares of forecasts; `targets` counts distinct years.
    """

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
    """Compare the model's CRPS with a baseline's over the same forecasts.

    `skill` = 1 - model / baseline; above 0 the model is better. `difference` = baseline - model in CRPS. The 90 %
    intervals resample whole target years, paired; `better` is the share of resamples in which the model wins.
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
class Hindcast:
    """Hold a hindcast of one snapshot: every forecast, mean scores, skill, and whether the fits can be trusted.

    `diagnostics` has one entry for every origin; `rate_checks` too, where history without one domain was given.
    """

    snapshot: str
    origins: tuple[int, ...]
    forecasts: tuple[ForecastRow, ...]
    scores: tuple[ScoreRow, ...]
    skills: tuple[SkillRow, ...]
    diagnostics: tuple[Diagnostics, ...]
    rate_checks: tuple[RateCheck, ...]
    quantiles: tuple[QuantileRow, ...] = ()
    events: tuple[EventRow, ...] = ()
    notes: tuple[str, ...] = ()
    record: tuple[RecordRow, ...] = ()

    @property
    def event_scores(self) -> tuple[EventScore, ...]:
        """Mean Brier scores by forecast and threshold."""
        return event_scores(self.events)

    @property
    def targets(self) -> int:
        """The number of distinct years that were forecast: fewer than the forecasts, which overlap."""
        return len({row.target for row in self.forecasts})

    @property
    def warnings(self) -> tuple[str, ...]:
        """What speaks against trusting these figures, one line each."""
        fits = zip(self.origins, self.diagnostics, strict=True)
        lines = [f"origin {origin}: {fault}" for origin, fit in fits for fault in fit.faults]
        return (*lines, *(check.line for check in self.rate_checks if not check.passed))


def hindcast(
    observations: Observations,
    *,
    origins: Sequence[int] = ORIGINS,
    without: Observations | None = None,
    left_out: str = "one domain",
    priors: GrowthPriors | None = None,
    settings: SamplerSettings | None = None,
    cache: FilePath | None = None,
    arms: Sequence[Arm] = (),
    with_hindsight: Collection[int] = (),
    notes: Sequence[str] = (),
    thresholds: Sequence[float] = THRESHOLDS,
) -> Hindcast:
    """Forecast the year-end record from past origins to the last known year, and score model and baselines."""
    settings = settings or SamplerSettings()
    check_origins(observations, origins)
    fits = fit_origins(observations, origins=origins, priors=priors, settings=settings, cache=cache)
    last = observations.years[1]
    made = [
        Arm(MODEL, forecast_record(fit, last_year=last, seed=settings.seed), hindsight=origin in with_hindsight)
        for origin, fit in zip(origins, fits, strict=True)
    ]
    for name in BASELINES:
        size = _draws(settings)
        made += [
            Arm(name, forecast_baseline(name, observations, origin=origin, size=size, seed=settings.seed))
            for origin in origins
        ]
    made += arms
    rows = tuple(
        row for arm in made for row in score_record(arm.forecast, observations, name=arm.name, hindsight=arm.hindsight)
    )
    checks = [] if without is None else [
        check_rate(observations, without=without, left_out=left_out, origin=origin) for origin in origins
    ]  # fmt: skip
    return Hindcast(
        snapshot=observations.snapshot,
        origins=tuple(origins),
        forecasts=rows,
        scores=mean_scores(rows),
        skills=skills(rows, seed=settings.seed),
        diagnostics=tuple(diagnose(fit) for fit in fits),
        rate_checks=tuple(checks),
        quantiles=tuple(row for arm in made for row in quantile_rows(arm)),
        events=tuple(row for arm in made for row in event_rows(arm, observations, thresholds=thresholds)),
        notes=tuple(notes),
        record=tuple(
            RecordRow(int(year), float(level), observations.snapshot)
            for year, level in zip(observations.record_year, observations.record_log_compute, strict=True)
        ),
    )


def check_origins(observations: Observations, origins: Sequence[int]) -> None:
    """Check before any fit that a record can be forecast from each origin, by model and baselines."""
    for origin in origins:
        known_at(observations, origin=origin)
        horizon_of(origin, observations.years[1])
        for name in BASELINES:
            forecast_baseline(name, observations, origin=origin, size=1, seed=0)


def _draws(settings: SamplerSettings) -> int:
    return settings.chains * settings.draws


def forecast_baseline(name: str, observations: Observations, *, origin: int, size: int, seed: int) -> RecordForecast:
    """Forecast the record by a baseline from the end of a year to the last known year."""
    known = observations.record_year <= origin
    targets = tuple(int(year) for year in observations.record_year[~known])
    rng = np.random.default_rng([seed, origin, list(BASELINES).index(name)])
    samples = [
        draw_baseline(
            name,
            years=observations.record_year[known],
            record=observations.record_log_compute[known],
            target=target,
            size=size,
            rng=rng,
        )
        for target in targets
    ]
    return RecordForecast(origin, targets, np.array(samples).reshape(len(targets), size))


def score_record(
    forecast: RecordForecast, observations: Observations, *, name: str, hindsight: bool = False
) -> Iterator[ForecastRow]:
    """Score a forecast of the record in every year that has come."""
    came = dict(zip(observations.record_year.astype(int).tolist(), observations.record_log_compute, strict=True))
    for target, samples in zip(forecast.years, forecast.samples, strict=True):
        if target not in came:
            continue
        observed = float(came[target])
        low, lower, median, upper, high = (float(value) for value in np.quantile(samples, QUANTILES))
        yield ForecastRow(
            forecast=name,
            origin=forecast.origin,
            target=target,
            observed=observed,
            quantile_05=low,
            quantile_25=lower,
            quantile_50=median,
            quantile_75=upper,
            quantile_95=high,
            crps=float(crps(samples, observed)),
            pinball=float(pinball(samples, observed)),
            interval_score=float(interval_score(samples, observed)),
            log_score=float(log_score(samples, observed)),
            error=median - observed,
            pit=float(pit(samples, observed)),
            inside_50=bool(covered(samples, observed, level=0.5)),
            inside_80=bool(covered(samples, observed, level=0.8)),
            inside_90=bool(covered(samples, observed, level=0.9)),
            hindsight=hindsight,
        )


def mean_scores(rows: Sequence[ForecastRow]) -> tuple[ScoreRow, ...]:
    """Average scores by forecast, over all origins (`origin` None, first) and at each origin."""
    table = []
    for name in dict.fromkeys(row.forecast for row in rows):
        mine = [row for row in rows if row.forecast == name]
        table.append(_mean(mine, origin=None))
        origins = sorted({row.origin for row in mine})
        table += [_mean([row for row in mine if row.origin == origin], origin=origin) for origin in origins]
    return tuple(table)


def _mean(rows: Sequence[ForecastRow], *, origin: int | None) -> ScoreRow:
    def mean(value: Callable[[ForecastRow], float]) -> float:
        return float(np.mean([value(row) for row in rows]))

    return ScoreRow(
        rows[0].forecast,
        origin,
        forecasts=len(rows),
        targets=len({row.target for row in rows}),
        crps=mean(lambda row: row.crps),
        pinball=mean(lambda row: row.pinball),
        interval_score=mean(lambda row: row.interval_score),
        log_score=mean(lambda row: row.log_score),
        bias=mean(lambda row: row.error),
        coverage_50=mean(lambda row: row.inside_50),
        coverage_80=mean(lambda row: row.inside_80),
        coverage_90=mean(lambda row: row.inside_90),
        hindsight=any(row.hindsight for row in rows),
    )


def skills(rows: Sequence[ForecastRow], *, seed: int) -> tuple[SkillRow, ...]:
    """Compare the model with every baseline, forecast by forecast.

    Forecasts of one target year from several origins err together, so whole target years are resampled; the few of
    them make the intervals wide, and neighbouring years are dependent still, so that they should be wider.
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
    for name in dict.fromkeys(row.forecast for row in rows if row.forecast != MODEL):
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
