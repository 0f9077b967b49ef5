"""The thresholds that a scenario declares, and their crossings, in one block of samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.crossing import crossing_by_year
from simulator.errors import SimulatorError, dotted
from simulator.goals import THRESHOLD_QUANTITIES, Threshold
from simulator.schema import ScenarioSpec
from simulator.units import Array


@dataclass(frozen=True, slots=True)
class Crossings:
    """The crossing of one threshold in a block: year (sample,), flag, level (sample,) in the quantity's own scale."""

    year: Array
    already: NDArray[np.bool_]
    level: Array


def quantity_of(spec: ScenarioSpec, name: str) -> str:
    """Name the variable that a threshold stands on.

    Examples
    --------
    >>> from simulator.scenario import load_scenario
    >>> quantity_of(load_scenario("baseline").spec, "ten-billion-dollar-run")
    'spending'
    """
    threshold = spec.thresholds[name]
    for quantity in THRESHOLD_QUANTITIES:
        if getattr(threshold, quantity) is not None:
            return quantity
    return (
        (threshold.quantity or "effective_compute") if threshold.of == "start" else quantity_of(spec, str(threshold.of))
    )


def is_falling(spec: ScenarioSpec, name: str) -> bool:
    """Tell whether a threshold is met from above, as a loss is."""
    loss = spec.capability is not None and spec.capability.kind == "power-law-loss"
    return loss and quantity_of(spec, name) == "capability"


def threshold_level(spec: ScenarioSpec, name: str, draws: Mapping[str, Array], rows: Mapping[str, Array]) -> Array:
    """Compute the level of a threshold in each sample, (sample,) or (1,); `within_oom` lies above it."""
    threshold = spec.thresholds[name]
    path = ("thresholds", name)
    if threshold.multiple is None:
        level = draws[dotted((*path, quantity_of(spec, name)))]
    else:
        if threshold.of == "start":
            base = rows[quantity_of(spec, name)][0]
        else:
            base = threshold_level(spec, str(threshold.of), draws, rows)
        multiple = draws[dotted((*path, "multiple"))]
        is_metric = quantity_of(spec, name) == "capability"
        level = base * 10.0**multiple if is_metric else base + multiple
    return level


def cross_block(
    spec: ScenarioSpec, draws: Mapping[str, Array], rows: Mapping[str, Array], *, years: Array, size: int
) -> dict[str, Crossings]:
    """Find the crossings of every declared threshold in a block of `size` samples; `rows` are (year, sample).

    Raises
    ------
    SimulatorError
        A path that a threshold stands on is not a number somewhere.
    """
    result = {}
    for quantity in sorted({quantity_of(spec, name) for name in spec.thresholds}):
        if np.isnan(rows[quantity].min()):  # a minimum is NaN where any value is
            share = np.isnan(rows[quantity]).any(axis=0).mean()
            raise SimulatorError(
                f"{quantity}: is not a number in {share:.1%} of the samples. Check the priors that it is made of."
            )
    for name, threshold in spec.thresholds.items():
        level = threshold_level(spec, name, draws, rows) + (threshold.within_oom or 0.0)
        level = np.ascontiguousarray(np.broadcast_to(level, (size,)))
        year, already = crossing_by_year(years, rows[quantity_of(spec, name)], level, falling=is_falling(spec, name))
        if threshold.reading == "calendar":
            year = calendar_years(year, years)
        result[name] = Crossings(*_delayed(threshold, name, draws, year, already, years), level)
    return result


def calendar_years(crossing: Array, years: Array) -> Array:
    """Give the first of the scenario's years at or after each crossing; +inf stays.

    Examples
    --------
    >>> calendar_years(np.array([2025.2, 2026.0, np.inf]), np.array([2025.0, 2026.0])).tolist()
    [2026.0, 2026.0, inf]
    """
    return np.append(years, np.inf)[np.searchsorted(years, crossing)]


def _delayed(
    threshold: Threshold,
    name: str,
    draws: Mapping[str, Array],
    year: Array,
    already: NDArray[np.bool_],
    years: Array,
) -> tuple[Array, NDArray[np.bool_]]:
    if threshold.delay is None:
        return year, already
    later = year + draws[dotted(("thresholds", name, "delay"))]
    return np.where(later > years[-1], np.inf, later), already & (later <= years[0])
