"""Faults of stocks and of who uses them: names that lead to two quantities, units, shares that do not add up."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import mul

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Fault, Path, dotted, items, near_name, number
from simulator.priors.joint import JointPrior
from simulator.scenario.checks.units import UnitCheck, unit_name
from simulator.schema.quantities import Quantity
from simulator.schema.spec import ScenarioSpec
from simulator.schema.stocks import Allocation, LargestRun
from simulator.units import Array, Unit, parse_unit
from simulator.wording import percent

ROUNDED = 1e-9
"""How far from 1 shares may add up that are stated as numbers."""
FAR = 0.1
"""How far from 1 the medians of shares that are scaled may add up without a word."""


def name_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find names that a stock or an allocation gives to a quantity and that another quantity has."""
    places: dict[str, Path] = {}
    if not (spec.stocks or spec.allocation):
        return
    for name, (path, _) in spec.every_named:
        if (other := places.setdefault(name, path)) != path:
            rule = f"gives a quantity the name '{name}', as {dotted(other)} does."
            yield Fault(path, rule, "Rename one of the two.")


def stated_quantities(spec: ScenarioSpec) -> list[tuple[Path, Quantity]]:
    """List the quantities that have a name and are written in the file; those that follow have the units of these."""
    return [(each.path, each.quantity) for each in spec.named.values() if not (spec.allocation and each.derived)]


def allocation_unit_faults(spec: ScenarioSpec, units: UnitCheck) -> Iterator[Fault]:
    """Find allocations of nothing, floors that are not in the unit of the stock, and largest runs that are no FLOP."""
    for stock, allocation in spec.allocation.items():
        path: Path = ("allocation", stock)
        if stock not in spec.named:
            rule = f"there is no stock or quantity '{stock}' to share out."
            yield Fault(path, rule, near_name(stock, spec.named) or "Define it under stocks.")
        elif (unit := units.of(stock, path)) is not None:
            for name, use in allocation.uses.items():
                at = (*path, "uses", name, "floor")
                floor = None if use.floor is None else units.of(use.floor, at)
                if floor is not None and floor.dimension != unit.dimension:
                    rule = f"must be in {unit_name(unit)}, as the stock is; it is in {unit_name(floor)}."
                    yield Fault(at, rule, "Divide by what a unit of the stock brings.")
            if allocation.largest_run is not None:
                yield from _run_faults(allocation.largest_run, (*path, "largest_run", "product"), stock, unit, units)


def _run_faults(run: LargestRun, path: Path, stock: str, unit: Unit, units: UnitCheck) -> Iterator[Fault]:
    parts = [units.of(part, (*path, place)) for place, part in items(run.product)]
    if None in parts:
        return
    made = reduce(mul, [each for each in parts if each is not None], unit)
    if made.dimension != parse_unit("FLOP").dimension:
        rule = f"must make FLOP of {stock}, which is in {unit_name(unit)}; it makes {unit_name(made)}."
        yield Fault(path, rule, "Write speed, utilisation and time: [1e15 FLOP/s/chip, 40 %, 90 days].")


def sum_faults(spec: ScenarioSpec, joint: JointPrior) -> Iterator[Fault]:
    """Find shares that do not add up to 1, or that leave nothing for the rest, whatever is drawn."""
    for stock, allocation in spec.allocation.items():
        path: Path = ("allocation", stock, "uses")
        dates = _dates(allocation, spec)
        low, _, high = _sums(allocation, path, dates, joint)
        fixed = bool((low == high).all())
        if allocation.rest is not None:
            if (full := low >= 1.0).any():
                rule = f"gets nothing: the others add up to {_told(low, dates, full)}{'' if fixed else ', or more'}."
                yield Fault((*path, allocation.rest, "share"), rule, "Lower their shares.")
        elif fixed and (off := np.abs(low - 1.0) > ROUNDED).any():
            rule = f"must add up to 100 %; they add up to {_told(low, dates, off)}."
            yield Fault(path, rule, "Change them, or let one be what the others leave: share: rest.")
        elif not fixed and not allocation.scaled:
            remedy = "Let one be what the others leave, share: rest; or write scaled: true beside uses: each is then"
            yield Fault(path, "need not add up to 100 %, as they are drawn.", f"{remedy} divided by their sum.")


def sum_warnings(spec: ScenarioSpec, joint: JointPrior) -> Iterator[str]:
    """Warn of shares that are scaled by much."""
    for stock, allocation in spec.allocation.items():
        dates = _dates(allocation, spec)
        middle = _sums(allocation, ("allocation", stock, "uses"), dates, joint)[1]
        if allocation.scaled and (off := np.abs(middle - 1.0) > FAR).any():
            yield (
                f"allocation.{stock}: the medians of its shares add up to {_told(middle, dates, off)}. Each is divided "
                f"by the sum: 10 % are {percent(0.1 / float(middle[off][0]))} then."
            )


def _dates(allocation: Allocation, spec: ScenarioSpec) -> list[float]:
    """List the dates between which the sum of shares is straight."""
    return sorted({date for use in allocation.uses.values() for date, _, _ in use.dated}) or [spec.years.first]


def _sums(allocation: Allocation, path: Path, dates: list[float], joint: JointPrior) -> Array:
    """Add shares up at dates: the least that they may be, their medians, the most, (3, date)."""
    total = np.zeros((3, len(dates)))
    for name, use in allocation.uses.items():
        if name == allocation.rest:
            continue
        at = (*path, name)
        known = [(date, (*at, "shares", key)) for date, key, _ in use.dated] or [(dates[0], (*at, "share"))]
        ends = np.array([_ends(joint, place) for _, place in known])
        total += [np.interp(dates, [date for date, _ in known], each) for each in ends.T]
    return total


def _ends(joint: JointPrior, path: Path) -> list[float]:
    family = joint.priors[dotted(path)].family
    return [10.0**each for each in (family.support[0], float(family.ppf(np.array([0.5]))[0]), family.support[1])]


def _told(sums: Array, dates: list[float], which: NDArray[np.bool_]) -> str:
    """Say what shares add up to at the dates that are told, at most two of them."""
    found = [f"{number(float(f'{100 * sums[at]:.6g}'))} % in {number(dates[at])}" for at in np.flatnonzero(which)]
    return " and ".join(found[:2])
