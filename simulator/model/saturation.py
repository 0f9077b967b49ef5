"""Bend levels under their limits, by the laws that a scenario names.

Shapes and units are those of `growth`: levels are log10 of the base unit, the sample axis comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from simulator.model.growth import LN_10, aligned, log_one_plus
from simulator.registers import attribute_at
from simulator.schema.choices import LAWS, SaturationLaw
from simulator.units import Array


@cache
def law_of(kind: str) -> SaturationLaw:
    """Find a law of saturation by its name, its function loaded."""
    law = LAWS.find(kind)
    return replace(law, bend=attribute_at(law.bend))


def saturate(log_level: ArrayLike, log_limit: ArrayLike, *, kind: str, log_start: ArrayLike | None = None) -> Array:
    """Bend a demanded level under a limit by the law named `kind`.

    Far below the limit every law gives the demanded level, far above it the limit; none exceeds either. `log_level`
    (sample, year), `log_limit` and `log_start`, each one, (sample,) or (sample, year), and the result (sample, year)
    are log10 of one unit; a limit of +inf is none; the start is needed by laws such as "gompertz" alone. ValueError:
    an unknown kind, or no start where one is needed.

    >>> saturate([[10.0, 12.0, 14.0]], 12.0, kind="logistic").round(3)
    array([[ 9.996, 11.699, 11.996]])
    """
    if kind not in LAWS:
        raise ValueError(
            f"saturate: kind: must be one of {', '.join(LAWS)}; got {kind!r}. "
            "The kind says how growth bends under its limit. Choose one of them."
        )
    law = law_of(kind)
    bend = cast("Callable[..., Array]", law.bend)
    if not law.from_start:
        return bend(log_level, log_limit)
    if log_start is None:
        raise ValueError(
            f"saturate: log_start: must be given for kind '{kind}'; got none. "
            "This law slows growth by how far a level has come from its start. Give it, or another kind."
        )
    return bend(log_level, log_limit, log_start=log_start)


def hard_saturation(log_level: ArrayLike, log_limit: ArrayLike) -> Array:
    """Stop growth at a limit: min(V, L). Shapes and units as in `saturate`.

    >>> hard_saturation([[10.0, 14.0]], 12.0)
    array([[10., 12.]])
    """
    level, limit = aligned(log_level, log_limit)
    return np.asarray(np.minimum(level, limit), dtype=np.float64)


def exponential_saturation(log_level: ArrayLike, log_limit: ArrayLike) -> Array:
    """Bend growth smoothly under a limit: L (1 - exp(-V/L)). Shapes and units as in `saturate`.

    Limits: V (1 - V/(2L)) far below, L far above; at V = L, 63 % of L.

    >>> exponential_saturation([[10.0, 12.0, 14.0]], 12.0).round(3)
    array([[ 9.998, 11.801, 12.   ]])
    """
    level, limit = aligned(log_level, log_limit)
    with np.errstate(invalid="ignore", divide="ignore"):
        # At V = 50 L the law equals L to the last bit; fmin also reads two equal infinities as saturated.
        ratio = np.exp(np.fmin(level - limit, 1.7) * LN_10)
        loss = np.log(np.minimum(ratio, 1.0) / (1.0 - np.exp(-ratio)))
        # ln(r / (1 - exp(-r))) by its series where the logarithm of a number near 1 would lose digits.
        s = ratio * ratio
        series = 1 / 24 - s * (1 / 2880 - s * (1 / 181440 - s * (1 / 9676800 - s / 479001600)))
        loss = np.where(ratio < 0.3, ratio / 2 - s * series, loss) / LN_10
    return np.asarray(np.minimum(level, limit) - loss, dtype=np.float64)


def logistic_saturation(log_level: ArrayLike, log_limit: ArrayLike) -> Array:
    """Bend growth under a limit: V / (1 + V/L). Shapes and units as in `saturate`.

    Where V grows exponentially this is the logistic curve. Limits: V (1 - V/L) far below, L far above;
    half of it at V = L.

    >>> logistic_saturation([[10.0, 12.0, 14.0]], 12.0).round(3)
    array([[ 9.996, 11.699, 11.996]])
    """
    level, limit = aligned(log_level, log_limit)
    return np.asarray(np.minimum(level, limit) - log_one_plus(level, limit), dtype=np.float64)


def gompertz_saturation(log_level: ArrayLike, log_limit: ArrayLike, *, log_start: ArrayLike) -> Array:
    """Slow growth in proportion to the distance to the limit in the log. Shapes and units as in `saturate`.

    dlnV/dt = g (ln L - ln V) / (ln L - ln V0) from V0, where g is the rate of the demanded level D; in
    closed form ln V = ln L - (ln L - ln V0) exp(-(ln D - ln V0) / (ln L - ln V0)). Limits: D near the
    start, L far above. Where L <= V0 there is no distance to slow over, and the level is min(D, L); a level
    that shrinks below V0 stays D.

    >>> gompertz_saturation([[9.0, 10.0, 12.0, 14.0, 30.0]], 12.0, log_start=10.0).round(3)
    array([[ 9.   , 10.   , 11.264, 11.729, 12.   ]])
    """
    level, limit, start = aligned(log_level, log_limit, log_start)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        distance, demand = limit - start, level - start
        x = demand / distance
        power = np.expm1(-x)
        # 1 - (1 - exp(-x)) / x by its series near 0, where the difference would lose digits.
        near = x * (1 / 2 - x * (1 / 6 - x * (1 / 24 - x * (1 / 120 - x * (1 / 720 - x / 5040)))))
        below = level - demand * np.where(x < 0.02, near, 1.0 + power / x)
        bent = np.where(x < 1.0, below, limit - distance * (1.0 + power))
    straight = np.minimum(level, limit)
    plain = (distance <= 0) | (distance == np.inf) | (demand <= 0)
    return np.asarray(np.where(plain, straight, np.minimum(bent, straight)), dtype=np.float64)
