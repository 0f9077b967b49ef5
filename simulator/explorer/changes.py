"""What a reader changed, as a scenario: read like a file, with its faults by control; and written as one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.errors import InputError, Path, PlacedFault, ScenarioError, dotted, near_name, shown
from simulator.explorer.handles import Handle, handles
from simulator.explorer.protocol import Change, Changes, Fault
from simulator.explorer.restating import as_data, family_name, plain, quantiles, restated
from simulator.scenario.changes import retitled, titled
from simulator.scenario.documents import Document, flow_text, yaml_text
from simulator.scenario.layers import lookup
from simulator.scenario.library import extended
from simulator.scenario.load import Source, load_groups
from simulator.scenario.overrides import Override, apply_override, set_entry
from simulator.scenario.resolving import Scenario, change_line, checked
from simulator.schema.statements import PROVENANCE_KEYS

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "prior": ("median", "width", "family"), "number": ("value",), "switch": ("on",), "weight": ("weight",)
}  # fmt: skip
"""What can be changed of a control of each kind."""
MOST_CHANGES = 500


class Refused(InputError):
    """Report changes that make no scenario: a fault for each control that is at fault, in the words of the reader."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{fault['path']}: {fault['text']}" for fault in faults))


@dataclass(frozen=True, slots=True)
class Opened:
    """A scenario that is explored: what it is called on the command line, what it says, and what can be changed.

    `name` is empty where it has none: it was handed over as text or data, or has learnt since it was read.
    """

    name: str
    document: Document
    scenario: Scenario
    handles: Mapping[str, Handle]


def opened(source: Source | Scenario, *, ready: Callable[[Scenario], Scenario] = lambda scenario: scenario) -> Opened:
    """Read a scenario to be explored, once; `ready` lets one that has to learn do so."""
    if isinstance(source, Scenario):
        name, document, scenario = "", None, source
    else:
        groups = load_groups(source)
        document = titled(extended(groups.own, groups.file))
        scenario = checked(document, (), ())
        is_text = isinstance(source, Mapping) or (isinstance(source, str) and ("\n" in source or ": " in source))
        name = "" if is_text else str(source)
    if scenario.must_learn or document is None:
        scenario = ready(scenario)
        name, document = "", Document(dict(scenario.data), scenario.places)
    return Opened(name, document, scenario, handles(scenario))


def changed(source: Opened | Source, changes: Changes) -> Scenario:
    """Read a scenario with changes; Refused where the reader has faults with them."""
    base = source if isinstance(source, Opened) else opened(source)
    if not changes:
        return base.scenario
    try:
        edits = _edits(base, changes)
        return _read(base, edits)
    except ScenarioError as error:
        raise Refused(list(_by_control(error.faults, base, changes))) from None


def _read(base: Opened, edits: Sequence[Override]) -> Scenario:
    document, log = base.document, list[str]()
    for edit in edits:
        document = apply_override(document, edit)
        log.append(change_line(edit.path, lookup(base.scenario.data, edit.path), edit.value))
    return checked(retitled(base.document, document), log, ())


def settings(source: Opened | Source, changes: Changes) -> list[str]:
    """Write changes as `path=value`, in the order of the scenario, as `--set` takes them."""
    base = source if isinstance(source, Opened) else opened(source)
    return [edit.text for edit in _edits(base, changes)]


def _edits(base: Opened, changes: Changes) -> list[Override]:
    """Say what is set where, in the order of the scenario; Refused where a change is none."""
    if faults := list(_amiss(base, changes)):
        raise Refused(faults)
    edits, faults = list[Override](), list[Fault]()
    moved = [each for path, each in base.handles.items() if path in changes and not _is_idle(each, changes[path])]
    for root in dict.fromkeys(handle.root for handle in moved):
        own = [handle for handle in moved if handle.root == root]
        try:
            value = _value(base, root, own, changes)
        except InputError as error:
            faults.append(Fault(path=own[0].path, text=str(error)))
            continue
        edits.append(Override(root, value, f"{dotted(root)}={flow_text(value)}"))
    if faults:
        raise Refused(faults)
    return edits


def _amiss(base: Opened, changes: Changes) -> Iterator[Fault]:
    """Find what is no change, whoever sent it."""
    if len(changes) > MOST_CHANGES:
        yield Fault(path="", text=f"has {len(changes):,} changes; at most {MOST_CHANGES} are read.")
        return
    for path, change in changes.items():
        handle = base.handles.get(path)
        if handle is None:
            yield Fault(path=str(path), text=f"there is no such control. {near_name(str(path), base.handles)}".strip())
            continue
        for key, value in change.items():
            if key not in _FIELDS[handle.kind]:
                yield Fault(path=path, text=f"has no {key} to change: it is a {handle.kind}.")
            elif not _does(key, value):
                yield Fault(path=path, text=f"{key} must be {_MUST_BE.get(key, 'a number')}; got {shown(value)}.")


_MUST_BE = {"on": "true or false", "family": "the name of a family", "width": "a number above 0"}


def _does(key: str, value: Any) -> bool:
    if key in ("on", "family"):
        return isinstance(value, bool if key == "on" else str)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return is_number and (key != "width" or value > 0)


def _is_idle(handle: Handle, change: Change) -> bool:
    """Tell whether a change leaves things as they are."""
    if handle.prior is not None and handle.kind == "prior":
        same = change.get("median") in (None, plain(quantiles(handle.prior, [0.5])[0] / handle.size))
        return same and change.get("width", 1.0) == 1.0 and change.get("family") in (None, family_name(handle.prior))
    if handle.kind == "switch":
        return change.get("on", True)
    had = None if handle.value is None else plain(handle.value / handle.size)
    return change.get("value", change.get("weight", had)) == had


def _value(base: Opened, root: Path, own: Sequence[Handle], changes: Changes) -> Any:
    """Give what stands at an entry once it is changed: a prior or a number; None where it is taken away."""
    written, whole = lookup(base.document.data, root), lookup(base.scenario.data, root)
    data: Any = written if own[0].at == root else None
    for handle in own:
        change = changes[handle.path]
        if handle.kind == "switch":
            return written if change.get("on", True) else None
        inner = handle.at[len(root) :]
        at_part = whole if not inner else lookup(whole, inner)
        if handle.kind == "weight":
            data = _with_part(data, written, whole, inner, float(change["weight"]))
        elif handle.kind == "number":
            value = change.get("value")
            new = _number(at_part, None if value is None else plain(value * handle.size))
            data = _with_part(data, written, whole, inner, new) if inner else new
        elif handle.prior is not None:
            median = None if "median" not in change else plain(change["median"] * handle.size)
            family = change.get("family")
            new = restated(at_part, handle.prior, median=median, width=change.get("width", 1.0), family=family)
            data = _with_part(data, written, whole, inner, new) if inner else new
    return data


def _number(stated: Any, value: float | None) -> Any:
    if value is None:
        return stated
    if isinstance(stated, int | float):
        return value
    gone = (*PROVENANCE_KEYS, "prior")
    return {key: each for key, each in as_data(stated).items() if key not in gone} | {"value": value}


def _with_part(data: Any, written: Any, whole: Any, inner: Path, value: Any) -> dict[str, Any]:
    """Put another part or weight into a mixture, whose own source is no longer true; other parts stay as written."""
    if data is None:
        stated = written if isinstance(written, Mapping) and "mixture" in written else whole
        data = {key: each for key, each in as_data(stated).items() if key not in (*PROVENANCE_KEYS, "prior")}
    return set_entry(data, inner, value)  # type: ignore[no-any-return]


def _by_control(faults: Iterable[PlacedFault], base: Opened, changes: Changes) -> Iterator[Fault]:
    """Lay faults at the controls that made them; where none is above a fault, at the only one that was changed."""
    for fault in faults:
        text = f"{fault.rule} {fault.remedy}".strip()
        above = [path for path in changes if _is_above(path, fault.entry)] or [
            path for path in changes if _is_above(dotted(base.handles[path].root), fault.entry)
        ]
        above = above or list(changes) if len(changes) == 1 else above
        yield Fault(path=max(above, key=len, default=""), text=text)


def _is_above(path: str, entry: str) -> bool:
    return entry == path or entry.startswith((f"{path}.", f"{path}["))


def saved_text(source: Opened | Source, changes: Changes) -> str:
    """Write a scenario file of changes that reads back as the scenario that they make."""
    base = source if isinstance(source, Opened) else opened(source)
    edits = _edits(base, changes)
    data: dict[str, Any] = {"schema": 2, "extends": base.name}
    for edit in edits:
        data = _layered(data, base.document.data, edit)
    head = "".join(f"# {edit.text}\n" for edit in edits)
    return f"{head}{yaml_text(data)}"


def _layered(layer: dict[str, Any], whole: Any, edit: Override) -> dict[str, Any]:
    """Add a change to what is laid over a scenario: a list is replaced as a whole."""
    path = edit.path
    depth = next((at for at, _ in enumerate(path) if isinstance(lookup(whole, path[:at]), list)), len(path))
    value = edit.value
    if depth < len(path):
        under = lookup(layer, path[:depth])
        value = set_entry(lookup(whole, path[:depth]) if under is None else under, path[depth:], edit.value)
    return _put(layer, path[:depth], value)


def _put(data: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    head, rest = str(path[0]), path[1:]
    return {**data, head: _put(data.get(head) or {}, rest, value) if rest else value}
