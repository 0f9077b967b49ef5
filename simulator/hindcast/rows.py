"""The tables of a hindcast: forecasts with their scores, means, skills, quantiles, events, calibration.

    forecasts     forecasts of the record at the end of `target`, made at that of `origin`; `error`: median - observed
    scores        their means at one origin, or over all where that is missing; `targets` counts distinct years
    skills        the CRPS of the first forecast beside another's over the same cells: `skill` = 1 - first / other,
                  `difference` = other - first, with 90 % intervals (see `verdicts`; NaN of too few origins);
                  a skill is at most 1
    quantiles     of the same forecasts
    record        what came: the record at the end of a year, and the snapshot of history that says so
    events        forecasts that the record at the end of `target` is at or above a threshold (FLOP)
    event_scores  their mean Brier scores by threshold; `happened` is the share of times that it came

Levels are log10 FLOP. `hindsight` says whether a prior knew what came. Forecasts of one target year from several
origins err together: intervals of shares count distinct years.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from simulator.engine.collecting import LEVELS
from simulator.hindcast.scores import INTERVAL_LEVELS, Array, brier, level_scores, log_score
from simulator.hindcast.verdicts import two_halves
from simulator.history.forecast import RecordForecast
from simulator.history.observations import Observations
from simulator.runs.table import Row, Table

MODEL: Final[str] = "model"
QUANTILES: Final[tuple[float, ...]] = (0.05, 0.25, 0.5, 0.75, 0.95)
ENDS: Final[tuple[str, ...]] = tuple(f"quantile_{100 * level:02.0f}" for level in QUANTILES)
THRESHOLDS: Final[tuple[float, ...]] = (1e24, 1e25, 1e26)
"""FLOP of which it is asked whether the record is above them."""
COVERAGES: Final[tuple[int, ...]] = tuple(round(100 * level) for level in INTERVAL_LEVELS)
INSIDE: Final[tuple[str, ...]] = tuple(f"inside_{level}" for level in COVERAGES)
HORIZONS: Final[tuple[tuple[int, int], ...]] = ((1, 1), (2, 3), (4, 6), (7, 99))
"""Years ahead by which forecasts are grouped, the last of each included."""

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "forecasts": (
        "forecast", "origin", "target", "observed", *ENDS, "crps", "pinball", "interval_score", "log_score", "error",
        "pit", *INSIDE, "hindsight",
    ),
    "skills": (
        "baseline", "crps", "baseline_crps", "skill", "skill_05", "skill_95", "difference", "difference_05",
        "difference_95", "hindsight",
    ),
    "quantiles": ("forecast", "origin", "target", "quantile", "value", "hindsight"),
    "events": ("forecast", "origin", "target", "threshold", "probability", "happened", "brier", "hindsight"),
    "record": ("year", "log_flop", "snapshot"),
}  # fmt: skip
"""The columns of the tables from which the others follow."""


@dataclass(frozen=True, slots=True)
class Made:
    """A forecast made at one origin, under the name that all its origins have in the tables."""

    name: str
    forecast: RecordForecast
    hindsight: bool = False


def made_table(name: str, rows: Iterable[Row]) -> Table:
    """Make one of the tables of rows; it has its columns where there are none."""
    return Table.of_rows(rows, COLUMNS[name])


def record_table(observations: Observations) -> Table:
    """Tabulate the record that came."""
    years = observations.record_year.astype(int)
    named = [observations.snapshot] * years.size
    return Table({"year": years, "log_flop": observations.record_log_compute, "snapshot": named})


def came_by_year(observations: Observations) -> dict[int, float]:
    """Give the record at the end of each year, log10 FLOP."""
    years = observations.record_year.astype(int).tolist()
    return dict(zip(years, observations.record_log_compute.tolist(), strict=True))


def _targets(arm: Made) -> Iterator[tuple[dict[str, object], int, Array]]:
    """Give what all rows of a forecast say, its years, and its samples in each."""
    said = {"forecast": arm.name, "origin": arm.forecast.origin, "hindsight": arm.hindsight}
    for target, samples in zip(arm.forecast.years, arm.forecast.samples, strict=True):
        yield {**said, "target": target}, target, samples


def forecast_rows(arm: Made, observations: Observations) -> Iterator[Row]:
    """Score a forecast of the record in every year that has come."""
    came = came_by_year(observations)
    for begun, target, samples in _targets(arm):
        if target in came:
            observed, ends = came[target], np.quantile(samples, QUANTILES).tolist()
            yield {
                **begun,
                "observed": observed,
                **dict(zip(ENDS, ends, strict=True)),
                **level_scores(samples, observed),
                "log_score": float(log_score(samples, observed)),
                "error": ends[QUANTILES.index(0.5)] - observed,
            }


def quantile_rows(arm: Made) -> Iterator[Row]:
    """List the 25 quantiles of a forecast in each of its years."""
    for begun, _, samples in _targets(arm):
        for level, value in zip(LEVELS, np.quantile(samples, LEVELS).tolist(), strict=True):
            yield {**begun, "quantile": level, "value": value}


def event_rows(arm: Made, observations: Observations, *, thresholds: Sequence[float] = THRESHOLDS) -> Iterator[Row]:
    """Score the forecast that the record passes thresholds (FLOP) by the end of each year that has come.

    What the record had passed at the origin is no forecast and is left out; it never falls.
    """
    came = came_by_year(observations)
    ahead = [level for level in thresholds if came[arm.forecast.origin] < np.log10(level)]
    for begun, target, samples in _targets(arm):
        for threshold in ahead if target in came else []:
            level = np.log10(threshold)
            probability, happened = float(np.mean(samples >= level)), bool(came[target] >= level)
            said = {"threshold": threshold, "probability": probability, "happened": happened}
            yield {**begun, **said, "brier": float(brier(probability, happened))}


def distinct(rows: Table, column: str) -> list[str]:
    """List the different entries of a column as they first come."""
    return list(dict.fromkeys(rows[column].tolist()))


def _mean(rows: Table, column: str) -> float:
    return float(np.mean(rows[column]))


def _is_late(rows: Table) -> bool:
    return any(rows["hindsight"].tolist())


_MEANS: Final[Mapping[str, str]] = {
    **{rule: rule for rule in ("crps", "pinball", "interval_score", "log_score")},
    "bias": "error",
    **{f"coverage_{level}": f"inside_{level}" for level in COVERAGES},
}
"""Mean scores, and the columns of forecasts that they are means of."""


def mean_scores(forecasts: Table) -> Table:
    """Average scores by forecast, over all origins (`origin` missing, first) and at each origin."""
    rows = []
    for (name,), mine in forecasts.groups("forecast"):
        for origin in (None, *sorted(set(mine["origin"].tolist()))):
            chosen = mine if origin is None else mine.where(origin=origin)
            counts = {"forecasts": len(chosen), "targets": len(distinct(chosen, "target"))}
            said = {key: _mean(chosen, column) for key, column in _MEANS.items()}
            rows.append({"forecast": name, "origin": origin, **counts, **said, "hindsight": _is_late(chosen)})
    return Table.of_rows(rows)


def event_scores(events: Table) -> Table:
    """Average Brier scores by forecast and threshold."""
    return Table.of_rows(
        {"forecast": name, "threshold": threshold, "forecasts": len(mine), "brier": _mean(mine, "brier"),
         "happened": _mean(mine, "happened"), "hindsight": _is_late(mine)}
        for (name, threshold), mine in events.groups("forecast", "threshold")
    )  # fmt: skip


def lead(forecasts: Table) -> str:
    """Name the forecast that the others are held against: the first."""
    return str(forecasts["forecast"][0])


def skills(forecasts: Table, of: str | None = None) -> Table:
    """Compare a forecast, the first without a name, with every other, over the same origins and targets."""
    first, late = of or lead(forecasts), distinct(forecasts.where(hindsight=True), "forecast")
    scores = {tuple(key): crps for *key, crps in forecasts.select("forecast", "origin", "target", "crps").records()}
    places = [place for name, *place in scores if name == first]
    mine = np.array([scores[first, *place] for place in places])
    rows = []
    for name in (each for each in distinct(forecasts, "forecast") if each != first):
        theirs = np.array([scores[name, *place] for place in places])
        difference, low, high = (float(each) for each in two_halves([origin for origin, _ in places], theirs - mine))
        other = float(theirs.mean())
        rows.append(
            {"baseline": name, "crps": float(mine.mean()), "baseline_crps": other, "skill": difference / other,
             "skill_05": low / other, "skill_95": min(high / other, 1.0), "difference": difference,
             "difference_05": low, "difference_95": high, "hindsight": name in late}
        )  # fmt: skip
    return made_table("skills", rows)


def pit_table(forecasts: Table) -> Table:
    """Count probability integral transforms in 5 bins (10 from 50 forecasts on), by forecast.

    `expected` is of a calibrated forecast, with its 90 % interval for as many independent forecasts as distinct years.
    """
    rows = []
    for (name,), mine in forecasts.groups("forecast"):
        bins = 10 if len(mine) >= 50 else 5
        targets = len(distinct(mine, "target"))
        low, high = (binomial_quantile(level, targets, 1 / bins) * len(mine) / targets for level in (0.05, 0.95))
        places = np.minimum((mine["pit"] * bins).astype(int), bins - 1)
        rows += [
            {"forecast": name, "lower": place / bins, "upper": (place + 1) / bins, "count": int(count),
             "expected": len(mine) / bins, "expected_05": low, "expected_95": high}
            for place, count in enumerate(np.bincount(places, minlength=bins))
        ]  # fmt: skip
    return Table.of_rows(rows)


def binomial_quantile(level: float, count: int, share: float) -> int:
    """Give the smallest number of successes whose cumulated probability reaches a level."""
    return int(np.argmax(special.bdtr(np.arange(count + 1), count, share) >= level))


def coverage_table(forecasts: Table) -> Table:
    """Count how often what came lay inside the 50, 80 and 90 % intervals, by forecast.

    The 90 % interval of the true share (Jeffreys) is that of as many independent forecasts as distinct years.
    """
    rows = []
    for (name,), mine in forecasts.groups("forecast"):
        count, targets = len(mine), len(distinct(mine, "target"))
        for level, column in zip(COVERAGES, INSIDE, strict=True):
            inside = sum(mine[column].tolist())
            low, high = jeffreys(inside / count * targets, targets)
            rows.append(
                {"forecast": name, "level": level, "inside": inside, "forecasts": count, "targets": targets,
                 "seen": inside / count, "seen_05": low, "seen_95": high, "hindsight": _is_late(mine)}
            )  # fmt: skip
    return Table.of_rows(rows)


def jeffreys(hits: float, count: int) -> tuple[float, float]:
    """Give the central 90 % interval of a share after `hits` of `count`: Beta(hits + 1/2, count - hits + 1/2).

    The lower end is 0 where nothing hit, the upper 1 where everything did (Brown, Cai and DasGupta 2001).
    """
    low, high = (float(special.betaincinv(hits + 0.5, count - hits + 0.5, level)) for level in (0.05, 0.95))
    return (0.0 if hits <= 0 else low), (1.0 if hits >= count else high)


def horizon_table(forecasts: Table) -> Table:
    """Compare the first forecast with every other by years ahead."""
    rows, ahead = [], forecasts["target"] - forecasts["origin"]
    for first, last in HORIZONS:
        mine = forecasts.where((first <= ahead) & (ahead <= last))
        said = {"first_ahead": first, "last_ahead": min(last, int(ahead.max()))}
        counts = {"forecasts": len(mine.where(forecast=lead(forecasts))), "targets": len(distinct(mine, "target"))}
        keys = ("crps", "baseline_crps", "skill", "skill_05", "skill_95", "hindsight")
        made = skills(mine).rows() if len(mine) else []
        rows += [{"baseline": each["baseline"], **said, **counts, **{key: each[key] for key in keys}} for each in made]
    names = distinct(forecasts, "forecast")
    return Table.of_rows(sorted(rows, key=lambda row: (names.index(row["baseline"]), row["first_ahead"])))
