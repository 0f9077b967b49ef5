"""Priors that are functions of another prior, through given points.

Such a prior is no free dimension: its number in a sample follows from the other's draw in that sample.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from simulator.errors import Fault, Path, near_name, number
from simulator.statements import Faults, PointFunction
from simulator.units import Array, Conversion


@dataclass(frozen=True, slots=True)
class Axis:
    """The scale on which one side of a function is straight.

    `conversion` leads from the numbers of the file to the internal scale. A level (`log`) is straight in its log,
    which is the internal scale; everything else in the unit in which it is stated. `least` is what the numbers must
    stay above, or, where `reached`, at or above; `meaning` explains them.
    """

    conversion: Conversion
    log: bool
    least: float
    reached: bool = False
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Dependence:
    """A function of the prior `of`, from its internal scale to that of the prior which follows from it.

    `at` and `values` are the points on the scales on which the function is straight, `at` rising; `read` leads there
    from the internal scale of `of`, `write` from there to the internal scale of the result.
    """

    of: str
    at: tuple[float, ...]
    values: tuple[float, ...]
    between: str
    read: Callable[[Array], Array]
    write: Callable[[Array], Array]

    def __call__(self, drawn: Array) -> Array:
        """Compute the numbers that follow from draws of `of`, on the internal scales; +inf (never): the last point."""
        with np.errstate(divide="ignore"):
            x = self.read(drawn)
        if self.between == "line":
            return self.write(np.interp(x, self.at, self.values))
        place = np.searchsorted(self.at, x, side="right") - 1
        return self.write(np.array(self.values)[np.maximum(place, 0)])


def dependence(function: PointFunction, path: Path, *, other: Axis, own: Axis) -> Dependence:
    """Make the function that a prior is of another one.

    Parameters
    ----------
    function : PointFunction
    path : path of the prior
    other, own : Axis
        The scales of the prior that it is a function of, and its own.

    Raises
    ------
    Faults
        Points that are no numbers, that stand twice, or that lie where a scale ends.

    Examples
    --------
    >>> from simulator.units import logarithm, parse_growth_unit
    >>> times = parse_growth_unit("years/doubling").conversion
    >>> function = PointFunction(of="thresholds.x.spending", points={"1e29": 3.5, "1e35": 2.0})
    >>> rate = dependence(function, ("rate",), other=Axis(logarithm(), True, 0), own=Axis(times, False, 0))
    >>> times.inverse(rate(np.array([20.0, 29.0, 32.0, 40.0, np.inf]))).round(6).tolist()
    [3.5, 3.5, 2.75, 2.0, 2.0]
    """
    faults: list[Fault] = []
    points: dict[float, float] = {}
    for text, value in function.points.items():
        where = (*path, "function", "points", text)
        try:
            at = float(text)
        except ValueError:
            remedy = "Write for example 1e29: 3.5: where the other prior is 1e29, this one is 3.5."
            faults.append(Fault(where, f"must be a number; got '{text}'.", remedy))
            continue
        if at in points:
            faults.append(Fault(where, f"is a second point at {number(at)}.", "Keep one of the two."))
        points[at] = value
        faults += [
            Fault(where, f"{what} {fault}", f"{axis.meaning}\nWrite a larger number.".strip())
            for what, axis, given in (
                ("lies where the other prior has no value: it", other, at),
                ("gives what", own, value),
            )
            if (fault := _beyond(axis, given))
        ]
    if faults:
        raise Faults(faults)
    x = np.array(sorted(points))
    y = np.array([points[at] for at in sorted(points)])
    return Dependence(
        function.of,
        tuple((other.conversion.forward(x) if other.log else x).tolist()),
        tuple((own.conversion.forward(y) if own.log else y).tolist()),
        function.between,
        _same if other.log else other.conversion.inverse,
        _same if own.log else own.conversion.forward,
    )


def _beyond(axis: Axis, value: float) -> str:
    """Say that a number lies where a scale has no values; empty where it does not."""
    if value > axis.least or (axis.reached and value == axis.least):
        return ""
    return f"must be {'at least' if axis.reached else 'above'} {number(axis.least)}; got {number(value)}."


def _same(values: Array) -> Array:
    return values


def chained(uses: Mapping[str, str]) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    """Put functions of priors into an order in which each comes after what it is a function of.

    Parameters
    ----------
    uses : mapping of str to str
        The name of each function, and what it is a function of.

    Returns
    -------
    order, circles
        The names that are in no circle and lead into none; of each circle a name and the way round.

    Examples
    --------
    >>> chained({"a": "b", "b": "start", "c": "d", "d": "c"})
    (('b', 'a'), [('c', 'c -> d -> c')])
    """
    order: list[str] = []
    circles: list[tuple[str, str]] = []
    lost: set[str] = set()
    for name in uses:
        way = [name]
        while (following := uses.get(way[-1])) is not None and following in uses and following not in order:
            if following in lost or following in way:
                break
            way.append(following)
        following = uses[way[-1]]
        if following in way:
            circle = [*way[way.index(following) :], following]
            circles.append((following, " -> ".join(circle)))
        if following in way or following in lost:
            lost |= set(way)
        else:
            order += [each for each in reversed(way) if each not in order]
    return tuple(order), circles


def reference_faults(uses: Mapping[str, str], paths: Mapping[str, Path], names: Collection[str]) -> Iterator[Fault]:
    """List functions of priors that there are not, and functions of themselves.

    Parameters
    ----------
    uses : mapping of str to str
        The name of each function, and what it is a function of.
    paths : mapping of str to path
        The path of each function.
    names : collection of str
        Every prior of the scenario.

    Examples
    --------
    >>> [fault.rule for fault in reference_faults({"a": "c"}, {"a": ("a",)}, ["a", "b"])]
    ["there is no prior 'c'."]
    """
    for name, of in uses.items():
        if of not in names:
            below = [known for known in names if known.startswith(f"{of}.")]
            near = f"Did you mean '{below[0]}'?" if len(below) == 1 else near_name(of, names)
            remedy = near or "Name a prior by its path, for example drivers.spending.start."
            yield Fault((*paths[name], "function", "of"), f"there is no prior '{of}'.", remedy)
    for name, way in chained(uses)[1]:
        remedy = "Break the circle: state one of them by its own numbers."
        yield Fault((*paths[name], "function", "of"), f"is a function of itself: {way}.", remedy)
