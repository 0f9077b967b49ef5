"""Find the year in which a path first meets a threshold: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.errors import SimulatorError, dotted
from simulator.schema.spec import ScenarioSpec, is_falling, quantity_of
from simulator.units import Array


def first_crossing(
    years: ArrayLike, log_level: ArrayLike, log_threshold: ArrayLike, *, falling: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Find the first year at or above a threshold (falling: at or below it).

    Within a step the level is linear, so the crossing lies at y0 + (T - v0) / (v1 - v0) (y1 - y0): near y0
    for a threshold just above v0, y1 for one at v1. A path that crosses, returns and crosses again counts
    once, the first time. A path already there counts from the first year, flagged. One that is not there by
    the last year gives +inf (censored, not missing), and so does a threshold of +inf, which says "never" in
    either direction.

    `years` (year,) are decimal years, strictly increasing; `log_level` (sample, year), (1, year) or (year,) is log10 of
    the unit (or a metric in its own), `log_threshold`, one or (sample,), the same; `falling` says that the threshold
    is met from above, as a loss is. The crossing years (sample,) are decimal years or +inf, never NaN; beside them
    stands whether the first year meets the threshold. ValueError: years out of order, shapes that do not match, or a
    level or threshold that is NaN.

    >>> year, already = first_crossing([2025, 2026, 2028], [[25.0, 26.0, 27.0]], [24.0, 26.5, 30.0])
    >>> year.tolist(), already.tolist()
    ([2025.0, 2027.0, inf], [True, False, False])
    """
    year = np.asarray(years, dtype=np.float64).reshape(-1)
    level = np.atleast_2d(np.asarray(log_level, dtype=np.float64))
    threshold = np.asarray(log_threshold, dtype=np.float64).reshape(-1)
    _check(year, level, threshold)
    rows = np.ascontiguousarray(np.broadcast_to(level, (max(level.shape[0], threshold.size), year.size)).T)
    return crossing_by_year(year, rows, np.broadcast_to(threshold, rows.shape[1:]), falling=falling)


def crossing_by_year(
    year: NDArray[np.float64], rows: NDArray[np.float64], threshold: NDArray[np.float64], *, falling: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Do the work of `first_crossing` for paths that are known to be sound: no NaN, years in order.

    `rows` (year, sample) are contiguous, as each year is compared as a whole; `threshold` and both results (sample,).
    """
    reach = threshold < np.inf
    waiting, short = reach.copy(), np.empty(threshold.size, dtype=np.bool_)
    first = np.zeros(threshold.size, dtype=np.intp)  # years that pass before the first one that meets the threshold
    few = np.zeros(threshold.size, dtype=np.uint8)  # the same in a byte, which is added to many times faster
    for number, row in enumerate(rows, start=1):
        (np.greater if falling else np.less)(row, threshold, out=short)
        waiting &= short
        few += waiting.view(np.uint8)
        if number % 255 == 0:
            first += few
            few[:] = 0
    first += few
    ever = reach & (first < year.size)
    already = reach & (first == 0)
    first = np.minimum(first, year.size - 1)
    earlier = np.maximum(first - 1, 0)
    sample, flat = np.arange(threshold.size), rows.reshape(-1)
    low, high = flat[earlier * threshold.size + sample], flat[first * threshold.size + sample]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        # fmin keeps rounding inside the step, and reads a jump from an infinite level as made at its end.
        share = np.fmin((threshold - low) / (high - low), 1.0)
        crossing = year[earlier] + share * (year[first] - year[earlier])
    return np.where(already, year[0], np.where(ever, crossing, np.inf)), already


def _check(year: NDArray[np.float64], level: NDArray[np.float64], threshold: NDArray[np.float64]) -> None:
    """Refuse years out of order, shapes that do not match and NaN."""
    if year.size == 0 or not np.all(np.diff(year) > 0):
        raise ValueError(
            f"first_crossing: years: must be strictly increasing, at least one; got {year.tolist()}. "
            "The first crossing is sought from the first year on. Sort the years and keep one of each."
        )
    if level.ndim != 2 or level.shape[1] != year.size:
        raise ValueError(
            f"first_crossing: log_level: must be (sample, {year.size} years); got shape {level.shape}. "
            "Each path has one level per year. Give the years of the path."
        )
    if level.shape[0] != threshold.size and 1 not in (level.shape[0], threshold.size):
        raise ValueError(
            f"first_crossing: log_threshold: must be one, or one per sample, {level.shape[0]}; "
            f"got {threshold.size}. A threshold belongs to a sample. Draw both from the same samples."
        )
    for name, values in (("log_level", level), ("log_threshold", threshold)):
        if np.isnan(values.min(initial=np.inf)):  # a minimum is NaN where any value is, and takes no array of its own
            missing = int(np.isnan(values).sum())
            raise ValueError(
                f"first_crossing: {name}: must not be NaN; got {missing} of {values.size}. "
                "A path or threshold that is not known has no crossing year. Find where the NaN comes from."
            )


def _threshold_level(spec: ScenarioSpec, name: str, draws: Mapping[str, Array], rows: Mapping[str, Array]) -> Array:
    """Compute the level of a threshold in each sample, (sample,) or (1,); `within_oom` lies above it."""
    threshold, quantity = spec.thresholds[name], quantity_of(spec, name)
    if threshold.multiple is None:
        return draws[dotted(("thresholds", name, quantity))]
    from_start = threshold.of == "start"
    base = rows[quantity][0] if from_start else _threshold_level(spec, str(threshold.of), draws, rows)
    multiple = draws[dotted(("thresholds", name, "multiple"))]
    return base * 10.0**multiple if quantity == "capability" else base + multiple


def cross_block(
    spec: ScenarioSpec, draws: Mapping[str, Array], rows: Mapping[str, Array], *, years: Array, size: int
) -> dict[str, NDArray[Any]]:
    """Find the crossings of every declared threshold in a block of `size` samples; `rows` are (year, sample).

    The year, whether the first year meets the threshold, and the level in the quantity's own scale, each (threshold,
    sample). SimulatorError: a path that a threshold stands on is not a number somewhere.
    """
    quantities = {name: quantity_of(spec, name) for name in spec.thresholds}
    for quantity in sorted(set(quantities.values())):
        if np.isnan(rows[quantity].min()):  # a minimum is NaN where any value is
            share = np.isnan(rows[quantity]).any(axis=0).mean()
            raise SimulatorError(
                f"{quantity}: is not a number in {share:.1%} of the samples. Check the priors that it is made of."
            )
    result = room_for_crossings(len(spec.thresholds), size)
    for place, (name, threshold) in enumerate(spec.thresholds.items()):
        level = _threshold_level(spec, name, draws, rows) + (threshold.within_oom or 0.0)
        level = np.ascontiguousarray(np.broadcast_to(level, (size,)))
        year, already = crossing_by_year(years, rows[quantities[name]], level, falling=is_falling(spec, name))
        if threshold.reading == "calendar":
            year = calendar_years(year, years)
        if threshold.delay is not None:
            later = year + draws[dotted(("thresholds", name, "delay"))]
            year, already = np.where(later > years[-1], np.inf, later), already & (later <= years[0])
        for key, values in zip(result, (year, already, level), strict=True):
            result[key][place] = values
    return result


def room_for_crossings(thresholds: int, size: int) -> dict[str, NDArray[Any]]:
    """Make the arrays for the crossings of some thresholds by `size` samples, (threshold, sample)."""
    kinds = {"crossing_year": np.float64, "already_above": np.int8, "threshold_level": np.float64}
    return {name: np.empty((thresholds, size), dtype=kind) for name, kind in kinds.items()}


def calendar_years(crossing: Array, years: Array) -> Array:
    """Give the first of the scenario's years at or after each crossing; +inf stays."""
    return np.append(years, np.inf)[np.searchsorted(years, crossing)]
