"""The faults of a sweep: each that is different once, with the points that have it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from simulator.errors import Place, PlacedFault

MOST_FAULTS = 12
"""Faults of a sweep that are said at once."""
MOST_POINTS = 5
"""Points of one fault that are named; the others are counted."""

_GIVEN = re.compile(r"'[^']*'|[-+]?\d[\d_.,]*(?:e[-+]?\d+)?", re.IGNORECASE)
"""What differs in a rule from point to point: what was given."""


@dataclass(frozen=True, slots=True)
class PointFaults:
    """The faults that a point has; `texts` are the changes that make it, as `path=value`."""

    name: str
    texts: tuple[str, ...]
    faults: tuple[PlacedFault, ...]


@dataclass(slots=True)
class _Fault:
    """A fault as it is first met, and the points that have it: the values of one entry, or the names of points."""

    first: PlacedFault
    path: str
    points: dict[str, None] = field(default_factory=dict)


def joined_faults(points: Iterable[PointFaults]) -> list[PlacedFault]:
    """Put together the faults that differ only in the value that was given.

    A fault of one changed value stands at that value, others where the file has them, with the points at which they
    come up.

    Examples
    --------
    >>> said = [PlacedFault(Place(f"--set a.rank={n}"), "a.rank", f"must be below 1; got {n}.") for n in (1, 2)]
    >>> met = [PointFaults(f"a.rank={n}", (f"a.rank={n}",), (fault,)) for n, fault in zip((1, 2), said)]
    >>> print(*joined_faults(met))
    at a.rank=1: a.rank: must be below 1; got 1.
            The same at 2.
    """
    found: dict[tuple[str, str, str, str], _Fault] = {}
    for point in points:
        for fault in point.faults:
            text = fault.place.file.removeprefix("--set ")
            own = text != fault.place.file and text in point.texts
            path, _, value = text.partition("=") if own else ("", "", "")
            key = (path or str(fault.place), fault.entry, _GIVEN.sub("", fault.rule), fault.remedy)
            at = value.replace('"', "") if own else point.name
            found.setdefault(key, _Fault(fault, path)).points.setdefault(at)
    return _shortened(sorted(map(_said, found.values())))


def _said(fault: _Fault) -> PlacedFault:
    first, points = fault.first, list(fault.points)
    if not fault.path:
        return _with(first, f"It comes up at {_listed(points, by='; ')}.")
    lines = ["Or write .centre in the place of .median: the interval then goes along."] * fault.path.endswith(".median")
    lines += [f"The same at {_listed(points[1:], by=', ')}."] * (len(points) > 1)
    return _with(replace(first, place=Place(f"at {fault.path}={points[0]}")), *lines)


def _with(fault: PlacedFault, *lines: str) -> PlacedFault:
    return replace(fault, remedy="\n".join([fault.remedy, *lines]).strip())


def _listed(points: Sequence[str], *, by: str) -> str:
    more = len(points) - MOST_POINTS
    return by.join([*points[:MOST_POINTS], *([f"and {more} more"] if more > 0 else [])])


def _shortened(faults: list[PlacedFault]) -> list[PlacedFault]:
    more = len(faults) - MOST_FAULTS
    if more <= 0:
        return faults
    last = _with(faults[MOST_FAULTS - 1], f"{more} more faults of the sweep are not listed.")
    return [*faults[: MOST_FAULTS - 1], last]
