"""Tables of forecasts of the record: their quantiles, and how well they told that thresholds would be passed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.counting import LEVELS
from simulator.observations import Observations
from simulator.posterior_forecast import RecordForecast
from simulator.scores import brier

THRESHOLDS: Final[tuple[float, ...]] = (1e24, 1e25, 1e26)
"""FLOP of which it is asked whether the record is above them."""


@dataclass(frozen=True, slots=True)
class Arm:
    """Hold a forecast made at one origin beside the model and the baselines.

    Parameters
    ----------
    name : str
        The forecast's name in the tables; that of all its origins.
    forecast : RecordForecast
        Samples by year.
    hindsight : bool
        Whether a prior in it knew what came.
    """

    name: str
    forecast: RecordForecast
    hindsight: bool = False


@dataclass(frozen=True, slots=True)
class QuantileRow:
    """Hold one quantile of one forecast of the record at the end of `target`; `value` is log10 FLOP."""

    forecast: str
    origin: int
    target: int
    quantile: float
    value: float
    hindsight: bool


@dataclass(frozen=True, slots=True)
class EventRow:
    """Hold one forecast that the record at the end of `target` is at or above a threshold (FLOP)."""

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
    """Hold the mean Brier score of one forecast for one threshold; `happened` is the share of times that it came."""

    forecast: str
    threshold: float
    forecasts: int
    brier: float
    happened: float
    hindsight: bool


def quantile_rows(arm: Arm) -> Iterator[QuantileRow]:
    """List the 25 quantiles of a forecast in each of its years.

    Examples
    --------
    >>> import numpy as np
    >>> rows = list(quantile_rows(Arm("x", RecordForecast(2020, (2021,), np.array([[24.0, 25.0, 26.0]])))))
    >>> len(rows), rows[12].quantile, rows[12].value
    (25, 0.5, 25.0)
    """
    for target, samples in zip(arm.forecast.years, arm.forecast.samples, strict=True):
        for level, value in zip(LEVELS, np.quantile(samples, LEVELS), strict=True):
            yield QuantileRow(arm.name, arm.forecast.origin, target, level, float(value), arm.hindsight)


def event_rows(arm: Arm, observations: Observations, *, thresholds: Sequence[float] = THRESHOLDS) -> Iterator[EventRow]:
    """Score the forecast that the record passes thresholds by the end of each year that has come.

    The record never falls, so that it has passed a threshold by the end of a year where it is above it then. A
    threshold that the record had passed at the origin is no forecast and is left out.

    Parameters
    ----------
    arm : Arm
    observations : Observations
        With the record.
    thresholds : sequence of float
        FLOP.
    """
    came = dict(zip(observations.record_year.astype(int).tolist(), observations.record_log_compute, strict=True))
    ahead = [level for level in thresholds if came[arm.forecast.origin] < np.log10(level)]
    for target, samples in zip(arm.forecast.years, arm.forecast.samples, strict=True):
        for threshold in ahead if target in came else []:
            level = np.log10(threshold)
            probability, happened = float(np.mean(samples >= level)), bool(came[target] >= level)
            score = float(brier(probability, happened))
            yield EventRow(
                arm.name, arm.forecast.origin, target, threshold, probability, happened, score, arm.hindsight
            )


def event_scores(rows: Sequence[EventRow]) -> tuple[EventScore, ...]:
    """Average Brier scores by forecast and threshold.

    Examples
    --------
    >>> rows = [EventRow("x", 2020, year, 1e24, 0.5, year > 2021, 0.25, False) for year in (2021, 2022)]
    >>> event_scores(rows)
    (EventScore(forecast='x', threshold=1e+24, forecasts=2, brier=0.25, happened=0.5, hindsight=False),)
    """
    table = []
    for name, threshold in dict.fromkeys((row.forecast, row.threshold) for row in rows):
        mine = [row for row in rows if (row.forecast, row.threshold) == (name, threshold)]
        table.append(
            EventScore(
                name,
                threshold,
                forecasts=len(mine),
                brier=float(np.mean([row.brier for row in mine])),
                happened=float(np.mean([row.happened for row in mine])),
                hindsight=any(row.hindsight for row in mine),
            )
        )
    return tuple(table)
