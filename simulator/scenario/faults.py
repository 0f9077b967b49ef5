"""Faults beside those that are known: what else is wrong with a scenario that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from simulator.errors import Fault, Path, dotted
from simulator.scenario.checks import check_scenario
from simulator.scenario.layers import lookup, text_keys
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import Faults, is_prior

_ROUNDS = 4  # taking an entry out can leave the one above it incomplete, and so on upwards
_ROOT_STAND_INS: Mapping[str, Any] = {"schema": 1, "name": "stand-in", "years": {"first": 2025, "last": 2045}}
_DRIVER_UNITS = {"spending": "USD", "hardware": "FLOP/USD"}


def remaining_faults(data: Any, known: Sequence[Path]) -> list[Fault]:
    """Check a scenario without the entries that are known to be at fault."""
    data = text_keys(data)
    roots = {entry_root(data, path) for path in known}
    faults: list[Fault] = []
    for _ in range(_ROUNDS):
        try:
            spec = ScenarioSpec.read(_with_stand_ins(_cut(data, roots, ())))
        except Faults as error:
            hidden = error.faults  # those that show only when the others are gone
            faults += [fault for fault in hidden if not concerns(fault.path, roots)]
            found = {fault.path for fault in hidden}
            roots |= {entry_root(data, path) for path in found - roots} | {path[:-1] for path in found & roots if path}
            roots |= {path[:-1] for path in found if lookup(data, path) is None and len(path) > 1}
            continue
        faults += [fault for fault in check_scenario(spec).faults if not concerns(fault.path, roots)]
        return [fault for fault in faults if not _names(fault, roots)]
    return faults


def entry_root(data: Any, path: Path) -> Path:
    """Find the innermost prior in which an entry stands; the entry itself where it stands in none."""
    for length in range(len(path), 0, -1):
        if _stands_in(lookup(data, path[:length])):
            return path[:length]
    while path and isinstance(path[-1], int):
        path = path[:-1]  # to take one item out of a list would rename the items after it
    return path


def concerns(path: Path, roots: Iterable[Path]) -> bool:
    """Tell whether an entry lies in one of others, or right above it."""
    return any(root and (path[: len(root)] == root or path == root[:-1]) for root in roots)


def _cut(data: Any, roots: set[Path], path: Path) -> Any:
    """Copy plain data without some entries; a number stands in for a prior."""
    if isinstance(data, Mapping):
        if path in roots and is_prior(data):
            kept = {"unit": data["unit"]} if isinstance(data.get("unit"), str) else {}
            return {"value": 1.0} | kept | ({"weight": 1.0} if path[-2:-1] == ("mixture",) else {})
        gone = {key for key, value in data.items() if (*path, key) in roots and not _stands_in(value)}
        return {key: _cut(value, roots, (*path, key)) for key, value in data.items() if key not in gone}
    if isinstance(data, list):
        return [_cut(item, roots, (*path, index)) for index, item in enumerate(data)]
    return data


def _stands_in(value: Any) -> bool:
    return isinstance(value, Mapping) and is_prior(value)


def _with_stand_ins(data: Any) -> Any:
    """Put plain values where a scenario cannot do without."""
    drivers = data.get("drivers")
    drivers = dict(drivers) if isinstance(drivers, Mapping) else {}
    if "compute" not in drivers:
        for name, unit in _DRIVER_UNITS.items():
            drivers.setdefault(name, {"start": {"value": 1.0, "unit": unit}})
    return {**_ROOT_STAND_INS, **data, "drivers": drivers}


def _names(fault: Fault, roots: set[Path]) -> bool:
    """Tell whether a fault comes of the stand-in years, or is only that a name leads to what was taken out."""
    if "the scenario runs from" in fault.rule and any(root[:1] == ("years",) for root in roots):
        return True
    names = {dotted(root) for root in roots} | {str(root[1]) for root in roots if len(root) == 2}
    return any(f"'{name}'" in fault.rule or f"'{name}." in fault.rule for name in names)
