"""When a path first stands at or above a level: a property of the path in continuous time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.oracle.model import Model, Moment, moving
from tests.oracle.units import Array

READ = ("level", "path", "multiple", "of", "quantity", "falling", "within_oom", "reading", "delay", "label", "notes")
SCANS_A_YEAR = 24
HALVINGS = 30
GOLDEN = (3 - 5**0.5) / 2
QUANTITIES = ("effective_compute", "physical_compute", "spending", "capability")


@dataclass(frozen=True)
class Crossing:
    """When each sample crosses a threshold, and the level of that."""

    year: Array
    level: Array
    already: Array
    """Whether the first year meets it."""


def crossings(model: Model, thresholds: Any = None) -> dict[str, Crossing]:
    """By threshold, those of the scenario or given ones, the years that are reported; +inf: not by the horizon."""
    grid = model.times(SCANS_A_YEAR)
    scan = Moment(model, grid)
    found = {}
    for name, spec in (thresholds or model.scenario.get("thresholds") or {}).items():
        quantity, level, against = threshold(model, name, spec)
        sign = -1 if spec.get("falling") else 1

        def path(t: Array, of: Moment | None = None, quantity=quantity, against=against, sign=sign) -> Array:
            moment = of or Moment(model, t)
            return sign * (moment.one(quantity) - (moment.expression(*against) if against else 0))

        if spec.get("reading") == "calendar":
            years = np.broadcast_to(model.years(), (model.samples, len(model.years())))
            above = path(years) >= sign * level
            year = np.where(above.any(axis=1), years[0, above.argmax(axis=1)], np.inf)
        else:
            year = first_crossing(path, grid, path(grid, scan), sign * level)
        if against:
            level = level + Moment(model, np.minimum(year, model.last)[:, None]).expression(*against)
        late = year + model.number(f"thresholds.{name}.delay", spec.get("delay", 0), "years")[:, 0]
        found[name] = Crossing(np.where(late > model.last, np.inf, late), level[:, 0], year == model.first)
    return found


def threshold(model: Model, name: str, spec: Any) -> tuple[str, Array, tuple[str, Any] | None]:
    """What a threshold stands on, its level (sample, 1), log10, and what that is counted from where it moves."""
    path = f"thresholds.{name}"
    if left := spec.keys() - {*QUANTITIES, *READ}:
        raise NotImplementedError(", ".join(sorted(left)))
    past = float(spec.get("within_oom", 0)) * (-1 if spec.get("falling") else 1)
    if "multiple" in spec:
        multiple = past + model.number(f"{path}.multiple", spec["multiple"])
        if spec["of"] != "start":
            quantity, level, against = threshold(model, spec["of"], model.scenario["thresholds"][spec["of"]])
            return quantity, level + multiple, against
        quantity = spec.get("quantity", "effective_compute")
        return quantity, Moment(model, np.full((model.samples, 1), model.first)).one(quantity) + multiple, None
    quantity = spec.get("quantity") or next(key for key in QUANTITIES if key in spec)
    if against := moving(name, spec):
        return quantity, np.full((model.samples, 1), past), against
    key = "level" if "level" in spec else quantity
    kind = "plain" if quantity == "capability" else "level"
    stated = f"{spec['path']}.reaches" if "path" in spec else f"{path}.{key}"
    level = past + model.number(stated, spec[key], kind)
    return quantity, np.broadcast_to(level, (model.samples, 1)), None


def first_crossing(path: Callable[[Array], Array], grid: Array, values: Array, level: Array) -> Array:
    """First time at which the path is at or above the level, from a scan; peaks between its times are looked into."""
    rows = np.arange(len(grid))
    low, high = np.full(len(grid), np.nan), np.full(len(grid), np.inf)
    above = values >= level
    any_above = above.any(axis=1)
    at = np.where(any_above, above.argmax(axis=1), grid.shape[1])
    inside = any_above & (at > 0)
    low[inside], high[inside] = grid[rows[inside], at[inside] - 1], grid[rows[inside], at[inside]]
    high[at == 0] = grid[at == 0, 0]
    _look_into_peaks(path, grid, values, level, at, low, high)
    open_ = np.isfinite(low)
    for _ in range(HALVINGS):
        middle = np.where(open_, (low + high) / 2, grid[:, 0])
        reached = path(middle[:, None])[:, 0] >= level[:, 0]
        high, low = np.where(open_ & reached, middle, high), np.where(open_ & ~reached, middle, low)
    return high


def _look_into_peaks(
    path: Callable[[Array], Array], grid: Array, values: Array, level: Array, at: Array, low: Array, high: Array
) -> None:
    """Where a path turns down just below the level before it is found above, look for the peak by the golden section."""
    steepest = np.abs(np.diff(values, axis=1)).max(axis=1, keepdims=True)
    turn = (values[:, 1:-1] >= values[:, :-2]) & (values[:, 1:-1] > values[:, 2:]) & (values[:, 1:-1] < level)
    turn &= (values[:, 1:-1] + steepest >= level) & (np.arange(1, grid.shape[1] - 1) < at[:, None])
    while turn.any():
        first = turn.argmax(axis=1)
        here = turn.any(axis=1)
        turn[np.arange(len(turn)), first] = False
        left, right = grid[np.arange(len(grid)), first].copy(), grid[np.arange(len(grid)), first + 2].copy()
        begin = left.copy()
        for _ in range(HALVINGS):
            inner = (right - left) * GOLDEN
            rises = (path((left + inner)[:, None]) < path((right - inner)[:, None]))[:, 0]
            left, right = np.where(rises, left + inner, left), np.where(rises, right, right - inner)
        peak = (left + right) / 2
        new = here & (path(peak[:, None])[:, 0] >= level[:, 0]) & ~(high <= peak)
        low[new], high[new] = begin[new], peak[new]
