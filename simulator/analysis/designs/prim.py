"""Boxes that hold what is looked for: the patient rule induction method, and what chance would do as well.

Friedman and Fisher, Bump hunting in high-dimensional data, Statistics and Computing 9, 1999. Quasi-p-values: Bryant and
Lempert, Thinking inside the box, Technological Forecasting and Social Change 77, 2010.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.units import Array

PEEL = 0.05
"""The share of the points in a box that is peeled off, or pasted on, at once."""
LEAST_MASS, FEWEST = 0.05, 10
"""The share of all points that a box holds at least, and their number."""
CHANCE = 0.05
"""Quasi-p-values from which a restriction is one that chance would make as well."""

type Cases = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """Ends (input,) between which points lie; -inf and inf where they are open."""

    low: Array
    high: Array

    def holds(self, values: Array) -> Cases:
        """Tell which points (point, input) lie in it."""
        return np.asarray(((values >= self.low) & (values <= self.high)).all(axis=1))

    @property
    def restricted(self) -> list[int]:
        """The inputs that it restricts."""
        return np.flatnonzero(np.isfinite(self.low) | np.isfinite(self.high)).tolist()

    def without(self, place: int) -> Box:
        """Let go of what it says of an input."""
        low, high = self.low.copy(), self.high.copy()
        low[place], high[place] = -np.inf, np.inf
        return Box(low, high)

    def moved(self, place: int, *, low: float | None = None, high: float | None = None) -> Box:
        """Move an end."""
        lows, highs = self.low.copy(), self.high.copy()
        if low is not None:
            lows[place] = low
        if high is not None:
            highs[place] = high
        return Box(lows, highs)


def whole(inputs: int) -> Box:
    """Give the box that holds everything."""
    return Box(np.full(inputs, -np.inf), np.full(inputs, np.inf))


def coverage_and_density(box: Box, values: Array, cases: Cases) -> tuple[float, float]:
    """Tell the share of the cases that lie in a box, and the share of the points in it that are cases."""
    held = box.holds(values)
    found = int(cases[held].sum())
    return found / max(int(cases.sum()), 1), found / max(int(held.sum()), 1)


def peeled(values: Array, cases: Cases, *, fewest: int) -> Iterator[Box]:
    """Peel: each box is the one before it less the slice without which the mean of the cases is highest."""
    box = whole(values.shape[1])
    yield box
    while True:
        held = box.holds(values)
        own, mine = values[held], cases[held]
        best: tuple[float, int, Box] | None = None
        for place in range(values.shape[1]):
            order = np.unique(own[:, place])
            ordered = np.sort(own[:, place])
            size = max(1, int(PEEL * ordered.size))
            if order.size < 2:
                continue
            above = order[min(np.searchsorted(order, ordered[size - 1], side="right"), order.size - 1)]
            below = order[max(np.searchsorted(order, ordered[-size], side="left") - 1, 0)]
            for kept, cut in (
                (own[:, place] >= above, box.moved(place, low=_between(order, above, -1))),
                (own[:, place] <= below, box.moved(place, high=_between(order, below, 1))),
            ):
                count = int(kept.sum())
                if fewest <= count < own.shape[0]:
                    told = (float(mine[kept].mean()), count, cut)
                    best = told if best is None or told[:2] > best[:2] else best
        if best is None or mine.all():
            return
        box = best[2]
        yield box


def _between(order: Array, end: float, step: int) -> float:
    """Put an end half-way between the last value that is kept and the next, which is not."""
    place = int(np.searchsorted(order, end)) + step
    return float((end + order[place]) / 2) if 0 <= place < order.size else float(end)


def pasted(box: Box, values: Array, cases: Cases) -> Box:
    """Paste: move an end out again by a slice, as long as the mean of the cases does not fall and there are more."""
    while True:
        held = box.holds(values)
        mean, most, best = float(cases[held].mean()), int(cases[held].sum()), None
        for place in box.restricted:
            beyond = box.without(place).holds(values) & ~held
            for up in (False, True):
                end = (box.high if up else box.low)[place]
                outside = np.sort(values[beyond & ((values[:, place] > end) == up), place])
                if not np.isfinite(end) or not outside.size:
                    continue
                size = min(max(1, int(PEEL * held.sum())), outside.size)
                new = float(outside[size - 1] if up else outside[-size])
                wider = box.moved(place, high=new) if up else box.moved(place, low=new)
                more = wider.holds(values)
                if float(cases[more].mean()) >= mean and int(cases[more].sum()) > most:
                    most, best = int(cases[more].sum()), wider
        if best is None:
            return box
        box = best


def quasi_p(box: Box, place: int, values: Array, cases: Cases) -> float:
    """Tell how likely so many cases were in a box if an input said nothing: drawn from the box without its ends."""
    from scipy.stats import binom

    held, without = box.holds(values), box.without(place).holds(values)
    share = float(cases[without].mean())
    return float(binom.sf(int(cases[held].sum()) - 1, int(held.sum()), share))


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A box, and what was left off it: by input the ends that it had, and their quasi-p-value."""

    box: Box
    chance: Mapping[int, tuple[float, float, float]]


def significant(box: Box, values: Array, cases: Cases) -> Found:
    """Let go of restrictions that chance would make as well, the likeliest first."""
    gone: dict[int, tuple[float, float, float]] = {}
    while box.restricted:
        found = {place: quasi_p(box, place, values, cases) for place in box.restricted}
        worst = max(found, key=lambda place: found[place])
        if found[worst] < CHANCE:
            break
        gone[worst] = (float(box.low[worst]), float(box.high[worst]), found[worst])
        box = box.without(worst)
    return Found(box, gone)


def prim(values: Array, cases: Cases, *, density: float) -> Found:
    """Find the first box on the way down, thus the largest, that is as dense as asked, or else the densest."""
    fewest = max(FEWEST, int(LEAST_MASS * values.shape[0]))
    if values.shape[0] < 2 * fewest or not cases.any() or cases.all():
        return Found(whole(values.shape[1]), {})
    path = list(peeled(values, cases, fewest=fewest))
    dense = [coverage_and_density(box, values, cases)[1] for box in path]
    place = next((at for at, found in enumerate(dense) if found >= density), int(np.argmax(dense)))
    return significant(pasted(path[place], values, cases), values, cases)
