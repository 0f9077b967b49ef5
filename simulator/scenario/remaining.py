"""What else is wrong with a scenario of which some entries are at fault: it is checked again without these."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from simulator.errors import Fault, Path, dotted
from simulator.scenario import layers
from simulator.scenario.checks.whole import check_scenario
from simulator.scenario.layers import lookup, text_keys
from simulator.schema.base import Faults
from simulator.schema.prior_names import entries_of
from simulator.schema.quantities import OPERATIONS
from simulator.schema.spec import LEAST_COMPUTE, ScenarioSpec
from simulator.schema.statements import Prior, is_prior


def by_number(data: Any, faults: Iterable[Fault]) -> list[Fault]:
    """Name the items of lists in the paths of faults by their numbers, so that paths can be compared."""
    return [replace(fault, path=layers.positions(data, fault.path)) for fault in faults]


_ROUNDS = 8  # taking an entry out can leave the one above it incomplete, and so on upwards
_ROOT_STAND_INS: Mapping[str, Any] = {"schema": 2, "name": "stand-in", "years": {"first": 2025, "last": 2045}}
_DRIVER_UNITS = {"spending": "USD", "hardware": "FLOP/USD"}


def remaining_faults(data: Any, known: Sequence[Path]) -> list[Fault]:
    """Check a scenario without the entries that are known to be at fault."""
    data = text_keys(data)
    roots = {entry_root(data, path) for path in known}
    faults: list[Fault] = []
    stood_in: set[Path] = set()
    for _ in range(_ROUNDS):
        try:
            spec = ScenarioSpec.read(_with_stand_ins(_cut(data, roots, ()), roots))
        except Faults as error:
            hidden = error.faults  # those that show only when the others are gone
            faults += [each for each in hidden if not concerns(each.path, roots) and not _left_out(each, roots)]
            found = {fault.path for fault in hidden}
            gone = (found & roots) | {path for path in found if lookup(data, path) is None and len(path) > 1}
            roots |= {entry_root(data, path) for path in found - roots}
            roots |= {entry_root(data, path[:-1]) for path in gone if path}
            continue
        told = by_number(data, check_scenario(spec).faults)
        checked = [each for each in told if not concerns(each.path, {*roots, *stood_in})]
        faults += [each for each in checked if not _names(each, roots) and not _sums(each, {*roots, *stood_in})
                   and not (stood_in and _OF_UNITS.match(each.rule))]  # fmt: skip
        priors = {layers.positions(data, path) for path, _ in entries_of(Prior, spec)}
        broken = [path for each in checked if (path := _prior_above(priors, each.path))]
        for path in broken:  # what they hide shows in the next round
            lookup(data, path[:-1])[path[-1]] = layers.stand_in(path)
        if not broken:
            break
        stood_in |= {*broken}
    return faults


_OF_UNITS = re.compile(r"(is|must be) in .*; |multiply to |says no unit")
"""Faults of units, which say nothing where a plain number stands in for a part."""


def _prior_above(priors: Collection[Path], path: Path) -> Path:
    """Find the prior in which an entry stands, a bare number or an amount too; empty where it is in none."""
    return next((path[:length] for length in range(len(path), 0, -1) if path[:length] in priors), ())


def _left_out(fault: Fault, roots: Iterable[Path]) -> bool:
    """Tell whether an entry is missing only where one beside it is at fault: by another name it may be that one."""
    return fault.rule.startswith(("is missing", "needs ", "does not say of what")) and any(
        root[:-1] == fault.path[:-1] for root in roots
    )


def entry_root(data: Any, path: Path) -> Path:
    """Find the innermost prior in which an entry stands; the entry itself where it stands in none."""
    for length in range(len(path), 0, -1):
        entry = lookup(data, path[:length])
        if _stands_in(entry) or not (isinstance(entry, Mapping) or _item_stand_in(path[:length]) is None):
            return path[:length]
    while path and isinstance(path[-1], int) and _item_stand_in(path) is None:
        path = path[:-1]  # to take one item out of a list would rename the items after it
    return path


_ITEMS: Mapping[str, Any] = {
    **dict.fromkeys(OPERATIONS, "stand-in"),  # no such quantity, so that nothing is said of its unit
    "mixture": {"value": 1.0, "weight": 1.0}, "mean_of": {"value": 1.0, "unit": "x/year"},
    "correlations": {"between": ["stand-in", "another"], "rank": 0.0},
    "growth": {"rate": "1x/year"}, "feedback": {"at": LEAST_COMPUTE, "multiplier": 1.0},
}  # fmt: skip
"""What stands in for an item of a list that is at fault itself, by the key of the list."""


def _item_stand_in(path: Path) -> Any:
    """Give what stands in for an item of a list; None where nothing does, or it is none."""
    in_list = len(path) > 1 and isinstance(path[-1], int) and path[-2:] != ("power", 1)
    return _ITEMS.get(str(path[-2])) if in_list else None


def concerns(path: Path, roots: Iterable[Path]) -> bool:
    """Tell whether an entry lies in one of others, or right above it."""
    return any(root and (path[: len(root)] == root or path == root[:-1]) for root in roots)


def _cut(data: Any, roots: set[Path], path: Path) -> Any:
    """Copy plain data without some entries; a number stands in for a prior."""
    if isinstance(data, Mapping):
        if path in roots and is_prior(data):
            kept = {"unit": data["unit"]} if isinstance(data.get("unit"), str) else {}
            return layers.stand_in(path) | kept | ({"weight": 1.0} if path[-2:-1] == ("mixture",) else {})
        gone = {key for key, value in data.items() if (*path, key) in roots and not _stands_in(value)}
        return {key: _cut(value, roots, (*path, key)) for key, value in data.items() if key not in gone}
    if isinstance(data, list):
        inner = [(item, (*path, index)) for index, item in enumerate(data)]
        return [
            _item_stand_in(at) if at in roots and not _stands_in(item) else _cut(item, roots, at) for item, at in inner
        ]
    return data


def _stands_in(value: Any) -> bool:
    return isinstance(value, Mapping) and is_prior(value)


def _with_stand_ins(data: Any, roots: Iterable[Path]) -> Any:
    """Put plain values where a scenario cannot do without, in the place of drivers that are among the entries cut."""
    drivers = data.get("drivers")
    drivers = dict(drivers) if isinstance(drivers, Mapping) else {}
    cut = {root[1:2] for root in roots if root[:1] == ("drivers",)}
    if "compute" not in drivers:
        for name, unit in _DRIVER_UNITS.items() if cut & {(), ("compute",)} else ():
            drivers.setdefault(name, {"start": {"value": 1.0, "unit": unit}})
    if ("models", "above") in roots and isinstance(models := data.get("models"), Mapping):
        data = {**data, "models": {"within_oom": [1.0], **models}}  # counts of nothing are none
    return {**_ROOT_STAND_INS, **data, "drivers": drivers}


def _sums(fault: Fault, roots: set[Path]) -> bool:
    """Tell whether a fault is of shares that do not add up, one of which is at fault."""
    return "add up" in fault.rule and any(root[:3] == fault.path[:3] for root in roots if len(root) > 3)


def _names(fault: Fault, roots: set[Path]) -> bool:
    """Tell whether a fault comes of the stand-in years, or is only that a name leads to what was taken out."""
    if "the scenario runs from" in fault.rule and any(root[:1] == ("years",) for root in roots):
        return True
    names = {dotted(root) for root in roots} | {str(root[1]) for root in roots if len(root) == 2}
    return any(f"'{name}'" in fault.rule or f"'{name}." in fault.rule for name in names)
