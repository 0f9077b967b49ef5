"""Moving a whole prior along an axis: `PATH.centre=...` puts its median there, and its interval goes with it.

`centre` is a word of sweeps alone: it is written out as the median and the interval, or the quantiles, that it
stands for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from simulator.errors import InputError, dotted, shown
from simulator.layers import lookup, parse_override
from simulator.sweep_axes import CENTRE, Axis, AxisPoint, value_override

_DIFFERENCES = frozenset({"year", "OOM/year", "%/year"})
"""Units in which what is added counts, not what is multiplied by."""


def written_out(axis: Axis, data: Any) -> Axis:
    """Write an axis of centres out as the medians and intervals that they stand for; any other axis is as it was.

    Growth, levels and limits keep the ratios between their quantiles; dates and rates in OOM or % keep the differences.

    Raises
    ------
    InputError
        The prior states no median and interval and no quantiles, or a centre is no number that it can have.

    Examples
    --------
    >>> from simulator.sweep_axes import parse_over
    >>> axis, = parse_over(["a.centre=4"])
    >>> written_out(axis, {"a": {"interval_90": [1, 4]}}).points[0].overrides
    ('a.median=4', 'a.interval_90=[2, 8]')
    """
    points = [
        AxisPoint(point.label, tuple(text for given in point.overrides for text in _expanded(axis.name, given, data)))
        for point in axis.points
    ]
    return replace(axis, points=tuple(points))


def _expanded(name: str, text: str, data: Any) -> tuple[str, ...]:
    """Write one override out."""
    override = parse_override(text)
    if override.path[-1] != CENTRE:
        return (text,)
    root, value = dotted(override.path[:-1]), override.value
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise InputError(f"--over {name}: a centre is a number; got {shown(value)} for {root}.")
    found = lookup(data, override.path[:-1])
    return _moved(name, root, found if isinstance(found, Mapping) else {"value": found}, float(value))


def _moved(axis: str, root: str, prior: Mapping[str, Any], value: float) -> tuple[str, ...]:
    name = next((key for key in prior if str(key).startswith("interval_")), None)
    quantiles = {str(key): number for key, number in (prior.get("quantiles") or {}).items()}
    middle = next((number for key, number in quantiles.items() if float(key) == 0.5), None)
    ends = list(prior[name]) if name else list(quantiles.values())
    if not (name or middle is not None) or not all(isinstance(end, int | float) for end in ends):
        raise InputError(
            f"--over {axis}: {root} is {shown(dict(prior))}: it states no interval, and no quantiles with 0.5, that "
            f"could go along. Sweep {root} itself, or one of its numbers."
        )
    ratios = prior.get("unit") not in _DIFFERENCES and min(ends) > 0
    old = float(prior.get("median", middle if middle is not None else _between(ends, ratios=ratios)))
    if ratios and not value > 0:
        raise InputError(f"at {root}.centre={value:g}: must be above 0; the prior keeps the ratios of its quantiles.")
    move = _move(old, value, ratios=ratios)
    if name:
        return f"{root}.median={value_override(value)}", f"{root}.{name}={value_override([move(end) for end in ends])}"
    return (f"{root}.quantiles={value_override({key: move(number) for key, number in quantiles.items()})}",)


def _between(ends: Sequence[float], *, ratios: bool) -> float:
    low, high = ends
    return math.sqrt(low * high) if ratios else (low + high) / 2


def _move(old: float, new: float, *, ratios: bool) -> Callable[[float], float]:
    """Give what moves a number along with the centre; the least digits are dropped, so that what stays put is exact."""
    return lambda number: float(f"{number * (new / old) if ratios else number + (new - old):.12g}")
