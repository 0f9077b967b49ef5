"""Whether one forecast is better than another, said no more surely than the years that came allow.

Forecasts of one history overlap: differences in their scores depend on one another from cell to cell, and hardly any
interval made from them holds the truth as often as it says. `simulated_verdicts` counts how often this one does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from simulator.runs.table import Row, Table
from simulator.units import Array

TIE: Final[float] = 0.03
"""Differences in CRPS (OOM) below this say nothing: Monte Carlo noise and the choice of seed are as large."""
T_95: Final[float] = float(np.tan(0.45 * np.pi))
"""The 95 % quantile of Student's t with one degree of freedom."""
LEAST_ORIGINS: Final[int] = 4
"""Origins below which no interval is given: of three it holds the truth in 84 % of some worlds."""
TOO_FEW: Final[str] = "too few distinct years to tell"


def two_halves(origins: ArrayLike, differences: ArrayLike) -> tuple[Array, Array, Array]:
    """Give the mean of differences (..., forecast) and its 90 % interval; NaN ends of fewer than four origins.

    The origins (forecast,) are cut into an earlier and a later half, the earlier has the odd one; with means d1, d2 the
    half-width is t |d1 - d2| / 2, with t of one degree of freedom (Ibragimov and Mueller 2010).

    >>> [round(float(each), 3) for each in two_halves([2018, 2019, 2020, 2021], [0.3, 0.3, 0.4, 0.4])]
    [0.35, 0.034, 0.666]
    """
    made, values = np.asarray(origins), np.asarray(differences, dtype=np.float64)
    years, mean = np.unique(made), np.asarray(values.mean(axis=-1))
    if years.size < LEAST_ORIGINS:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    early = made <= years[(years.size - 1) // 2]
    half = T_95 * np.abs(values[..., early].mean(axis=-1) - values[..., ~early].mean(axis=-1)) / 2
    return mean, np.asarray(mean - half), np.asarray(mean + half)


def verdict(skill: Row) -> str:
    """Say whether one forecast is "better" or "worse" by a `difference`, "a tie", or that there are too few years.

    A tie is an interval that lies within 0.03; better and worse one that leaves 0 out, about a difference of 0.03.
    """
    difference, low, high = (skill[f"difference{end}"] for end in ("", "_05", "_95"))
    if low >= -TIE and high <= TIE:
        return "a tie"
    if abs(difference) >= TIE and (low > 0 or high < 0):
        return "better" if difference > 0 else "worse"
    return TOO_FEW


EQUAL: Final[Mapping[str, str]] = {
    "biases": "one grows 0.15 OOM a year too fast, the other 0.15 too slowly",
    "errors": "their growth errs by 0.2, 0.7 of it from origin to origin",
    "drift": "true growth drifts; both follow the last three years by half, one 0.1 too high, one 0.1 too low",
    "both": "errors as above and biases of 0.1",
}
"""Kinds of worlds in which two forecasters are equally good."""
UNEQUAL: Final[Mapping[str, str]] = {
    "biased": "the other grows 0.25 OOM a year too fast",
    "wilder": "the growth of one errs by 0.1, that of the other by 0.4",
}
"""Kinds of worlds in which the first is better."""
DESIGNS: Final[Mapping[str, Sequence[int]]] = {
    "2018, 2020, 2022, 2024": (2018, 2020, 2022, 2024),
    "2021 to 2024": range(2021, 2025),
    "2020 to 2024": range(2020, 2025),
    "2018 to 2024": range(2018, 2025),
    "2014 to 2024": range(2014, 2025),
}
"""Origins from which the record is forecast to the end of 2025."""
_FIRST, _LAST = 2005, 2025


def simulated_differences(kind: str, origins: Sequence[int], *, worlds: int, seed: int) -> tuple[Array, Array, Array]:
    """Give the origins and targets (forecast,), and by how much the first scores better in worlds (world, forecast).

    The record steps by N(0.55, 0.6^2) a year; forecasts h years ahead are N(record + growth h, 0.36 h + (0.15 h)^2).
    """
    rng = np.random.default_rng([seed, [*EQUAL, *UNEQUAL].index(kind), len(origins), origins[0]])
    years = _LAST - _FIRST
    steps = 0.55 + 0.6 * rng.standard_normal((worlds, years))
    if kind == "drift":
        steps += _correlated(rng, steps.shape, 0.8, 0.25)
    record = np.concatenate([np.zeros((worlds, 1)), np.cumsum(steps, axis=1)], axis=1)
    spreads = {"errors": (0.2, 0.2), "both": (0.2, 0.2), "wilder": (0.1, 0.4)}.get(kind, (0.0, 0.0))
    biases = {"biases": (0.15, -0.15), "both": (0.1, -0.1), "drift": (0.1, -0.1), "biased": (0.0, 0.25)}
    growths = []
    for spread, bias in zip(spreads, biases.get(kind, (0.0, 0.0)), strict=True):
        believed = 0.55 + bias + _correlated(rng, record.shape, 0.7, spread)
        if kind == "drift":
            for place in range(3, years + 1):
                believed[:, place] += 0.5 * (steps[:, place - 3 : place].mean(axis=1) - 0.55)
        growths.append(believed)
    places = np.array([(origin, target) for origin in origins for target in range(origin + 1, _LAST + 1)])
    start, ahead, came = places[:, 0] - _FIRST, places[:, 1] - places[:, 0], record[:, places[:, 1] - _FIRST]
    spread = np.sqrt(0.36 * ahead + (0.15 * ahead) ** 2)
    mine, theirs = (_normal_crps(came - record[:, start] - each[:, start] * ahead, spread) for each in growths)
    return places[:, 0], places[:, 1], theirs - mine


def _correlated(rng: np.random.Generator, shape: tuple[int, int], kept: float, spread: float) -> Array:
    """Draw rows of a stationary AR(1)."""
    shocks = spread * rng.standard_normal(shape)
    for place in range(1, shape[1]):
        shocks[:, place] = kept * shocks[:, place - 1] + np.sqrt(1 - kept**2) * shocks[:, place]
    return shocks


def _normal_crps(error: Array, spread: Array) -> Array:
    """Compute the CRPS of a normal forecast, closed form."""
    z = error / spread
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return np.asarray(spread * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi)))


def simulated_verdicts(*, worlds: int = 2000, seed: int = 0) -> Table:
    """Count verdicts in simulated worlds, by kind and origins.

    `holds`: how often the 90 % interval holds the true difference, 0 of equal forecasters (missing of others);
    `better`, `worse`: how often this is the verdict on the first.
    """
    rows = []
    for kind in (*EQUAL, *UNEQUAL):
        for design, origins in DESIGNS.items():
            made, _, differences = simulated_differences(kind, origins, worlds=worlds, seed=seed)
            mean, low, high = two_halves(made, differences)
            told = np.abs(mean) >= TIE
            rows.append(
                {"kind": kind, "origins": design,
                 "holds": float(np.mean((low <= 0) & (high >= 0))) if kind in EQUAL else None,
                 "better": float(np.mean(told & (low > 0))), "worse": float(np.mean(told & (high < 0)))}
            )  # fmt: skip
    return Table.of_rows(rows)
