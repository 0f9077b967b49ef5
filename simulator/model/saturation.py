"""Bend levels under their limits, by the laws that a scenario names.

Shapes and units are those of `growth`: levels are log10 of the base unit, the sample axis comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property, reduce
from typing import cast

import numpy as np
from numpy.typing import NDArray

from simulator.model.growth import LN_10, log_one_plus, mean_decay
from simulator.registers import attribute_at
from simulator.schema.choices import LAWS, SaturationLaw
from simulator.units import Array


@cache
def law_of(kind: str) -> SaturationLaw:
    """Find a law of saturation by its name, its function loaded."""
    law = LAWS.find(kind)
    return replace(law, bend=attribute_at(law.bend), step=attribute_at(law.step) if law.step else None)


def saturate(log_level: Array, log_limit: Array, *, kind: str, log_start: Array) -> Array:
    """Bend a demanded level under a limit by the law named `kind`.

    Far below the limit every law gives the demanded level, far above it the limit; none exceeds either. All are log10
    of one unit, on axes (sample, year) that fit one another; a limit of +inf is none. The start counts in laws such as
    "gompertz" alone. InputError: an unknown kind.

    >>> demanded, limit = np.array([[10.0, 12.0, 14.0]]), np.array(12.0)
    >>> saturate(demanded, limit, kind="logistic", log_start=demanded[:, :1]).round(3)
    array([[ 9.996, 11.699, 11.996]])
    """
    law = law_of(kind)
    bend = cast("Callable[..., Array]", law.bend)
    return bend(log_level, log_limit, log_start=log_start) if law.from_start else bend(log_level, log_limit)


def hard_saturation(log_level: Array, log_limit: Array) -> Array:
    """Stop growth at a limit: min(V, L). Shapes and units as in `saturate`.

    >>> hard_saturation(np.array([[10.0, 14.0]]), np.array(12.0))
    array([[10., 12.]])
    """
    return np.asarray(np.minimum(log_level, log_limit), dtype=np.float64)


def exponential_saturation(log_level: Array, log_limit: Array) -> Array:
    """Bend growth smoothly under a limit: L (1 - exp(-V/L)). Shapes and units as in `saturate`.

    Limits: V (1 - V/(2L)) far below, L far above; at V = L, 63 % of L.

    >>> exponential_saturation(np.array([[10.0, 12.0, 14.0]]), np.array(12.0)).round(3)
    array([[ 9.998, 11.801, 12.   ]])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        # At V = 50 L the law equals L to the last bit; fmin also reads two equal infinities as saturated.
        ratio = np.exp(np.fmin(log_level - log_limit, 1.7) * LN_10)
        loss = np.log(np.minimum(ratio, 1.0) / (1.0 - np.exp(-ratio)))
        # ln(r / (1 - exp(-r))) by its series where the logarithm of a number near 1 would lose digits.
        s = ratio * ratio
        series = 1 / 24 - s * (1 / 2880 - s * (1 / 181440 - s * (1 / 9676800 - s / 479001600)))
        loss = np.where(ratio < 0.3, ratio / 2 - s * series, loss) / LN_10
    return np.asarray(np.minimum(log_level, log_limit) - loss, dtype=np.float64)


def logistic_saturation(log_level: Array, log_limit: Array) -> Array:
    """Bend growth under a limit: V / (1 + V/L). Shapes and units as in `saturate`.

    Where V grows exponentially this is the logistic curve. Limits: V (1 - V/L) far below, L far above;
    half of it at V = L.

    >>> logistic_saturation(np.array([[10.0, 12.0, 14.0]]), np.array(12.0)).round(3)
    array([[ 9.996, 11.699, 11.996]])
    """
    return np.asarray(np.minimum(log_level, log_limit) - log_one_plus(log_level, log_limit), dtype=np.float64)


def gompertz_saturation(log_level: Array, log_limit: Array, *, log_start: Array) -> Array:
    """Slow growth in proportion to the distance to a limit that stands still. Shapes and units as in `saturate`.

    dlnV/dt = g min(1, (ln L - ln V) / (ln L - ln V0)) from V0, where g is the rate of the demanded level D; in closed
    form ln V = ln L - (ln L - ln V0) exp(-(ln D - ln V0) / (ln L - ln V0)) where D is above V0, and D below it: a limit
    slows growth and never speeds a decline. Limits: D near the start, L far above. Where L <= V0 there is no distance
    to slow over, and the level is min(D, L).

    >>> demanded, limit, start = np.array([[9.0, 10.0, 12.0, 14.0, 30.0]]), np.array(12.0), np.array(10.0)
    >>> gompertz_saturation(demanded, limit, log_start=start).round(3)
    array([[ 9.   , 10.   , 11.264, 11.729, 12.   ]])
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        distance, demand = log_limit - log_start, log_level - log_start
        x = demand / distance
        power = np.expm1(-x)
        # 1 - (1 - exp(-x)) / x by its series near 0, where the difference would lose digits.
        slowed = 1.0 + power / x
        if (small := x < 0.02).any():
            near = x * (1 / 2 - x * (1 / 6 - x * (1 / 24 - x * (1 / 120 - x * (1 / 720 - x / 5040)))))
            slowed = np.where(small, near, slowed)
        below = log_level - demand * slowed
        bent = np.where(x < 1.0, below, log_limit - distance * (1.0 + power))
    straight = np.minimum(log_level, log_limit)
    plain = (distance <= 0) | (distance == np.inf) | (demand <= 0)
    return np.asarray(np.where(plain, straight, np.minimum(bent, straight)), dtype=np.float64)


def gompertz_step(bent: Array, levels: tuple[Array, Array], limits: tuple[Array, Array], *, log_start: Array) -> Array:
    """Move a level on by the law of `gompertz_saturation` while the limit moves too.

    The demanded level and the limit go straight in the log from the first to the second of `levels` and `limits`; all
    are (sample,) or (1,), log10 of one unit. With y = V - V0 and w = L - V0 in the log, dy = dD min(1, (w - y) / w) is
    linear in y; exact over the step but where y changes its sign, and there to second order. A limit at or below V0
    holds V at min(D, L), and V is never above L.

    >>> gompertz_step(np.array([8.0]), (8.0, 12.77), (10.0, 11.76), log_start=np.array([8.0])).round(3)
    array([10.483])
    """
    start, later = np.asarray(limits[0] - log_start), np.asarray(limits[1] - log_start)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        # Of a step from a limit below V0, what comes after the limit has passed it, V at V0 or at a lower D.
        change = (levels[1] - levels[0]) * np.where(start < 0.0, later / (later - start), 1.0)
        gained = np.where(start <= 0.0, np.minimum(levels[1] - change - log_start, 0.0), bent - log_start)
        free = np.where((gained < 0.0) & (change > 0.0), np.minimum(-gained, change), 0.0)  # what is gained up to V0
        room = np.maximum(start, 0.0)
        room = room + (later - room) * np.where(change > 0.0, free / change, 0.0)
        left, moved = change - free, later - room
        share = np.where(moved == 0.0, 1.0, np.log1p(moved / room) / (moved / room)) / room
        pull = left * later * share * mean_decay((left + moved) * share)
        slowed = np.exp(-left * share) * np.maximum(gained, 0.0) + pull
        slowed = np.where(room > 0.0, slowed, left / (left + moved) * later)  # from no room at all
        slowed = np.where(slowed < 0.0, left * slowed / (slowed - gained), slowed)  # below V0 nothing is slowed
        plain = ((gained + free <= 0.0) & (left <= 0.0)) | np.isinf(later) | np.isinf(room)
        result = np.where(later <= 0.0, levels[1] - log_start, np.where(plain, gained + change, slowed))
    return np.asarray(np.minimum(log_start + result, limits[1]), dtype=np.float64)


@dataclass(frozen=True)
class Capped:
    """A level under its limits: what was demanded, what is left, the limits by name.

    `followed` are the levels under those limits that are followed from the start, `bent` those under each limit by
    itself, in the order in which they count where two leave the same.
    """

    demanded: Array
    capped: Array
    limits: Mapping[str, Array]
    followed: Mapping[str, Array]
    bent: Mapping[str, Array]

    @cached_property
    def binding(self) -> NDArray[np.int8]:
        """The number of the limit that binds, in the order of names; 0: none.

        A limit binds where the demanded level has reached it; where several are reached, the one that leaves the least.
        """
        binding = np.zeros((1, 1), dtype=np.int8)
        earlier: list[tuple[NDArray[np.bool_], Array]] = []
        numbers = {name: number for number, name in enumerate(sorted(self.limits), start=1)}
        for name, bent in self.bent.items():
            reached = self.demanded >= self.limits[name]
            binds = reached
            for before, least in earlier:
                binds = binds & (~before | (bent < least))
            earlier.append((reached, bent))
            binding = binding * ~binds + np.int8(numbers[name]) * binds  # np.where takes ten times as long
        return binding


type Limits = Mapping[str, tuple[str, Array]]
"""The kind and level (sample, year) of each limit, by name."""


def under_limits(demanded: Array, limits: Limits, *, start: Array, followed: Mapping[str, Array]) -> Capped:
    """Put a level (sample, year) in log10 under several limits; the one that leaves the least counts.

    `start` (sample, 1) is the level at the start; `followed` the levels under limits that are followed from there.
    """
    # Far above two limits of one height their levels round to the same number: the law that leaves less comes first.
    order = sorted(limits, key=lambda name: (law_of(limits[name][0]).rank, name))
    bent = {
        name: followed[name] if name in followed else saturate(demanded, limits[name][1], kind=kind, log_start=start)
        for name, kind in ((name, limits[name][0]) for name in order)
    }
    levels = {name: level for name, (_, level) in limits.items()}
    is_least = any(kind == "hard" for kind, _ in limits.values())  # of the level and a limit: no need to look again
    capped = reduce(np.minimum, bent.values()) if is_least else reduce(np.minimum, bent.values(), demanded)
    return Capped(demanded, capped, levels, followed, bent)
