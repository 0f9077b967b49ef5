"""What a reader changed, as a scenario: read like a file, with its faults by control; and written as one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from simulator.errors import InputError, Path, PlacedFault, ScenarioError, dotted, near_name, shown
from simulator.explorer.handles import Handle, handles, label_of, said_of
from simulator.explorer.protocol import Change, Changes, Fault
from simulator.explorer.restating import as_data, bare, family_name, plain, quantiles, restated
from simulator.priors.joint import NamedPrior, named_prior
from simulator.scenario.assumptions import parts_of
from simulator.scenario.changes import resolve_changed, retitled
from simulator.scenario.differences import as_layer, laid_between
from simulator.scenario.documents import Document, yaml_text
from simulator.scenario.layers import expand_priors, lookup, text_keys
from simulator.scenario.library import OF_ITS_OWN, library_entry
from simulator.scenario.load import Groups, Source, load_groups, part_documents
from simulator.scenario.mixing import by_part, mixed_of, weight_of
from simulator.scenario.overrides import apply_override, change_line, override_of, set_entry
from simulator.scenario.resolving import Scenario, checked, limits_left, overridden
from simulator.schema.base import Faults
from simulator.schema.statements import Prior
from simulator.wording import harmless, listed

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "prior": ("median", "width", "family"), "number": ("value",), "switch": ("on",), "weight": ("weight",)
}  # fmt: skip
"""What can be changed of a control of each kind."""
_MUST_BE = {"on": "true or false", "family": "the name of a family", "width": "a number above 0"}
MOST_CHANGES = 500
_MOST_WHOLE = 1e12


class Refused(InputError):
    """Report changes that make no scenario: a fault for each control that is at fault, in the words of the reader."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{fault['path']}: {fault['text']}" for fault in faults))


@dataclass(frozen=True, slots=True)
class Opened:
    """A scenario that is explored, read once: what it is called on the command line, what it says, what can be changed.

    `name` is empty where it has none: it was handed over as text or data, or has learnt since it was read. `stated` are
    the documents of the scenarios that it mixes, by name, as their files state them; of one alone the name is empty.
    `documents`, `weights` and `resolved` are with what was set since. `written` are the documents with the entries of
    the library: from what they say the command line tells what was changed.
    """

    name: str
    scenario: Scenario
    handles: Mapping[str, Handle]
    groups: Groups
    stated: Mapping[str, Document]
    documents: Mapping[str, Document]
    weights: Mapping[str, float]
    written: Mapping[str, Document]
    resolved: Mapping[str, Scenario]


@dataclass(frozen=True, slots=True)
class _Edit:
    """What is set at a path, in one scenario of a mixture or in all."""

    part: str
    path: Path
    value: Any

    @property
    def text(self) -> str:
        """The edit as `--set` takes it."""
        within = f"mixture[{self.part}].{'changes.' if self.path != ('weight',) else ''}" if self.part else ""
        return f"{within}{override_of(self.path, self.value).text}"


def opened(
    source: Source | Scenario,
    *,
    overrides: Sequence[str] = (),
    ready: Callable[[Scenario], Scenario] = lambda scenario: scenario,
) -> Opened:
    """Read a scenario to be explored, once, with `overrides`; `ready` lets one that has to learn do so."""
    given = source if isinstance(source, Scenario) else None
    groups = load_groups(source.data if isinstance(source, Scenario) else source)
    stated = part_documents(groups)
    each, weights = by_part(groups.mixture, overrides) if groups.mixture else ([list(overrides)], [1.0])
    own, weighed = dict(zip(stated, each, strict=True)), dict(zip(stated, weights, strict=True))
    resolved = _of_all(stated, lambda name: resolve_changed(stated[name], own[name]))
    scenario = given or _joined(groups, resolved, weighed)
    if scenario.must_learn and (learnt := ready(scenario)) is not scenario:
        return opened(learnt)
    documents = {name: overridden(document, own[name])[0] for name, document in stated.items()}
    written = {name: expand_priors(document, library_entry) for name, document in documents.items()}
    known = handles(scenario)
    return Opened(_called(source), scenario, known, groups, stated, documents, weighed, written, resolved)


def _of_all(names: Iterable[str], read: Callable[[str], Scenario]) -> dict[str, Scenario]:
    """Read the scenarios of a mixture, or the one; the faults of all are raised together."""
    found, faults = dict[str, Scenario](), list[PlacedFault]()
    for name in names:
        try:
            found[name] = read(name)
        except ScenarioError as error:
            faults += error.faults
    if faults:
        raise ScenarioError(faults)
    return found


def _called(source: Source | Scenario) -> str:
    """Name a source as the command line does; one that is text or data has no name."""
    is_name = isinstance(source, FilePath) or (isinstance(source, str) and "\n" not in source and ": " not in source)
    return str(source) if is_name else ""


def believed(base: Opened, path: str, change: Change) -> NamedPrior:
    """Read with a change the prior in which a control stands, and nothing else of the scenario.

    InputError where the prior by itself cannot be so; Faults where its numbers cannot.
    """
    (edit,) = _edits(base, {path: change})
    handle = base.handles[path]
    whole = next(each for each in base.handles.values() if (each.part, each.at) == (handle.part, handle.root))
    document = expand_priors(Document({"prior": as_data(edit.value)}, {}), library_entry)
    if whole.slot is None or document.faults:
        raise InputError(f"{path}: is no prior.")
    return named_prior(replace(whole.slot, prior=Prior.read(text_keys(document.data["prior"]))))


def _joined(groups: Groups, resolved: Mapping[str, Scenario], weights: Mapping[str, float]) -> Scenario:
    if "" in resolved:
        return resolved[""]
    return mixed_of(groups.mixture, groups.whole, resolved, [weights[name] for name in resolved])


def changed(source: Opened | Source, changes: Changes) -> Scenario:
    """Read a scenario with changes; Refused where the reader has faults with them."""
    base = source if isinstance(source, Opened) else opened(source)
    edits = _edits(base, changes)
    if not edits:
        return base.scenario
    try:
        found = _read(base, edits)
    except ScenarioError as error:
        raise Refused(_by_control(error.faults, base, changes)) from None
    return found if base.scenario.fit is None else replace(found, fit=base.scenario.fit)


def _read(base: Opened, edits: Sequence[_Edit]) -> Scenario:
    def read(name: str) -> Scenario:
        made, log = _made(base, name, edits)
        if not log:
            return base.resolved[name]
        stated = base.stated[name]
        log = [*base.resolved[name].overrides, *log]
        return checked(retitled(stated, made), log, limits_left(stated, made))

    return _joined(base.groups, _of_all(base.documents, read), _weights(base, edits))


def _made(base: Opened, name: str, edits: Sequence[_Edit]) -> tuple[Document, list[str]]:
    """Lay edits over one of the scenarios; what each changed as `path: old -> new`."""
    made, log, written = base.documents[name], list[str](), base.written[name]
    for edit in edits:
        if edit.part not in ("", name) or _is_of_mixture(edit):
            continue
        if isinstance(edit.value, list):  # in which others may have been changed before
            written = expand_priors(made, library_entry)
        log.append(change_line(edit.path, lookup(written.data, edit.path), edit.value))
        made = apply_override(made, override_of(edit.path, edit.value))
    return made, log


def _weights(base: Opened, edits: Sequence[_Edit]) -> dict[str, float]:
    """Give the weights of the scenarios of a mixture, as edits change them."""
    return {**base.weights, **{edit.part: float(edit.value) for edit in edits if _is_of_mixture(edit)}}


def _is_of_mixture(edit: _Edit) -> bool:
    return bool(edit.part) and edit.path == ("weight",)


def settings(source: Opened | Source, changes: Changes) -> list[str]:
    """Write changes as `path=value`, in the order of the scenario, as `--set` takes them."""
    base = source if isinstance(source, Opened) else opened(source)
    return [edit.text for edit in _edits(base, changes)]


def _edits(base: Opened, changes: Changes) -> list[_Edit]:
    """Say what is set where, in the order of the scenario; Refused where a change is none."""
    if faults := list(_amiss(base, changes)):
        raise Refused(faults)
    moved = [each for path, each in base.handles.items() if path in changes and not _is_idle(each, changes[path])]
    found: dict[tuple[str, Path], _Edit] = {}
    roots = dict.fromkeys((handle.part, handle.root) for handle in moved)
    lists = [(part, root) for part, root in roots if isinstance(_written(base, part, root), list)]
    for part, root in sorted(roots, key=lambda each: each in lists):  # after what is changed within them
        own = [handle for handle in moved if (handle.part, handle.root) == (part, root)]
        try:
            if root:
                found[part, root] = _Edit(part, root, _whole(_value(base, own, changes, found.values())))
            else:
                found[part, root] = _Edit(part, ("weight",), weight_of(changes[own[0].path]["weight"]))
        except Faults as error:
            faults += [Fault(path=own[-1].path, text=f"{each.rule} {each.remedy}".strip()) for each in error.faults]
    if faults:
        raise Refused(faults)
    found |= {(each.part, path): _Edit(each.part, path, None) for each in moved for path in each.also}
    gone = {where for where, edit in found.items() if edit.value is None}
    return [
        edit for (part, path), edit in found.items() if gone.isdisjoint((part, path[:at]) for at in range(len(path)))
    ]


def _whole(value: Any) -> Any:
    """Write whole numbers as such."""
    if isinstance(value, Mapping):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < _MOST_WHOLE
    return int(value) if is_whole else value


def _written(base: Opened, part: str, path: Path) -> Any:
    """Read what an entry says as it is written; of what all scenarios of a mixture say, the first."""
    return lookup(base.documents[part or next(iter(base.documents))].data, path)


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
    return change.get("value", change.get("weight", handle.told)) == handle.told


def _value(base: Opened, own: Sequence[Handle], changes: Changes, before: Iterable[_Edit]) -> Any:
    """Give what stands at an entry once it is changed: a prior, a number or a list; None where it is taken away."""
    part, root = own[0].part, own[0].root
    written = _written(base, part, root)
    if own[0].kind == "switch":
        return None if own[0].at == root else _without(base, own, before)
    whole = as_data(lookup(base.resolved[part or next(iter(base.resolved))].data, root))
    inner = [handle for handle in own if handle.at != root]
    data: Any = written
    if inner:
        data = as_data(written)
        data = bare(data if "mixture" in data or "prior" not in data else whole)
    for handle in inner:
        at, change = handle.at[len(root) :], changes[handle.path]
        data = set_entry(data, at, _new(lookup(whole, at), handle, change))
    if len(inner) == len(own):
        return data
    handle = next(each for each in own if each.at == root)
    if inner and handle.slot is not None:
        whole = {**whole, **data} | ({"mixture": _expanded(data, whole)} if "mixture" in data else {})
        prior = Prior.read(text_keys(whole))
        slot = replace(handle.slot, prior=prior)
        handle = replace(handle, slot=slot, prior=named_prior(slot))
    return _new(whole if inner or isinstance(written, Mapping) else written, handle, changes[handle.path])


def _expanded(data: Mapping[str, Any], whole: Mapping[str, Any]) -> list[Any]:
    """Give the parts of a mixture, those that are written as entries of the library with what these say."""
    return [
        {**known, **part} if isinstance(part, Mapping) and "prior" in part else part
        for part, known in zip(data["mixture"], whole["mixture"], strict=True)
    ]


def _without(base: Opened, own: Sequence[Handle], before: Iterable[_Edit]) -> list[Any]:
    """Give a list without the items that are switched off, and with what was changed in it before."""
    part, root = own[0].part, own[0].root
    data: Any = base.documents[part or next(iter(base.documents))].data
    for edit in before:
        if edit.part == part and edit.path[: len(root)] == root:
            data = set_entry(data, edit.path, edit.value)
    gone = [lookup(data, handle.at) for handle in own]
    return [item for item in lookup(data, root) if not any(item is each for each in gone)]


def _new(stated: Any, handle: Handle, change: Change) -> Any:
    """Give what stands at a handle once it is changed."""
    if handle.kind == "weight":
        return float(change["weight"])
    if handle.kind == "number" or handle.prior is None or handle.slot is None:
        value = plain(change["value"] * handle.size)
        numeric = stated is None or isinstance(stated, int | float) or handle.prior is None
        return value if numeric else {**bare(as_data(stated)), "value": value}
    median = plain(change["median"] * handle.size) if "median" in change else None
    width, family = change.get("width", 1.0), change.get("family")
    return restated(stated, handle.prior, handle.slot, median=median, width=width, family=family)


def _by_control(faults: Sequence[PlacedFault], base: Opened, changes: Changes) -> list[Fault]:
    """Lay faults at the controls that made them: one above the fault, or else one without which it is none."""
    found: list[Fault] = []
    for fault in faults:
        text = f"{fault.rule} {fault.remedy}".strip()
        above = [path for path in changes if _is_above(base.handles[path].at, fault.entry)] or [
            path for path in changes if _is_above(base.handles[path].root, fault.entry)
        ]
        made = max(above, key=len, default="") or _maker(fault, base, changes)
        found.append(Fault(path=made, text=text))
    return list({(each["path"], each["text"]): each for each in found}.values())


def _is_above(path: Path, entry: str) -> bool:
    name = dotted(path)
    return bool(path) and (entry == name or entry.startswith((f"{name}.", f"{name}[")))


def _maker(fault: PlacedFault, base: Opened, changes: Changes) -> str:
    """Find the change that makes a fault: by itself, or else with others, so that without it there is none."""
    if len(changes) == 1:
        return next(iter(changes))
    alone = (path for path in changes if _has(fault, base, {path: changes[path]}))
    others = {path: {key: each for key, each in changes.items() if key != path} for path in changes}
    needed = (path for path in changes if not _has(fault, base, others[path]))
    return next(alone, "") or next(needed, "")


def _has(fault: PlacedFault, base: Opened, changes: Changes) -> bool:
    """Tell whether changes make a fault."""
    try:
        _read(base, _edits(base, changes))
    except ScenarioError as error:
        return any((each.entry, each.rule) == (fault.entry, fault.rule) for each in error.faults)
    return False


def saved_text(source: Opened | Source, changes: Changes) -> str:
    """Write a scenario file of changes that reads back as the scenario that they make.

    It extends what was opened, by its name; one without a name is written out as a whole.
    """
    base = source if isinstance(source, Opened) else opened(source)
    scenario, edits = changed(base, changes), _edits(base, changes)
    head = harmless("".join(f"# {' '.join(line.splitlines())}\n" for line in _told(base, scenario, changes)))
    if not base.name:
        return f"{head}{scenario.text()}"
    if "" not in base.documents:
        return f"{head}{yaml_text(_mixture(base, scenario, edits))}"
    name = FilePath(base.name)
    extends = f"./{name.name}" if name.suffix in (".yaml", ".yml") else base.name
    made = _made(base, "", edits)[0].data
    layer = as_layer(laid_between(base.stated[""].data, made), made)
    return head + yaml_text({"schema": 2, "extends": extends, **_of_itself(scenario.data), **layer})


def _of_itself(data: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a scenario says of itself, which what extends it does not inherit."""
    return {key: data[key] for key in OF_ITS_OWN if key in data}


def _told(base: Opened, scenario: Scenario, changes: Changes) -> Iterator[str]:
    """Say in words what was changed."""
    name, told = FilePath(base.name).name or base.scenario.spec.name, base.scenario.overrides
    yield f"Changed in {name}:" if changes or told else f"As {name}:"
    yield from (f"  {line}" for line in told)
    now = handles(scenario, like=base.handles)
    for path, handle in base.handles.items():
        if path not in changes or _is_idle(handle, changes[path]):
            continue
        words = label_of(handle, base.scenario)
        if handle.kind == "switch":
            along = f", and with it {listed([dotted(path) for path in handle.also])}" if handle.also else ""
            yield f"  {words}: taken away{along}"
        elif path in now:
            yield f"  {words}: {said_of(handle)} -> {said_of(now[path])}"


def _mixture(base: Opened, scenario: Scenario, edits: Sequence[_Edit]) -> dict[str, Any]:
    """Write a mixture of scenarios anew, with what was changed in all of them and in each."""
    whole = {key: value for key, value in base.groups.whole.data.items() if key not in OF_ITS_OWN}
    made = {name: _made(base, name, edits)[0].data for name in base.stated}
    changes = {name: laid_between(document.data, made[name]) for name, document in base.stated.items()}
    own = {name: entry.get("changes") or {} for name, entry in zip(made, whole["mixture"], strict=True)}
    first, *others = changes.values()
    shared = {
        path: value
        for path, value in first.items()
        if all(path in each and each[path] == value for each in others)
        and not any(_is_stated(each, path) for each in own.values())
    }
    entries, parts, weights = [], parts_of(scenario), _weights(base, edits)
    for entry, stated, (name, each) in zip(whole["mixture"], base.groups.mixture, changes.items(), strict=True):
        apart = {path: value for path, value in each.items() if path not in shared}
        layer = _of_itself(parts[name]) | as_layer(apart, made[name], under=own[name])
        weight = entry["weight"] if weights[name] == stated.weight else weights[name]
        entries.append({**entry, "weight": weight, "changes": layer})
    return {**as_layer(shared, next(iter(made.values())), under=whole), "mixture": entries}


def _is_stated(layer: Any, path: Path) -> bool:
    """Tell whether a layer says something at a path, in it, or in the place of what it stands in."""
    if not path or not isinstance(layer, Mapping):
        return True
    return any(_is_stated(inner, path[1:]) for key, inner in layer.items() if str(key) == str(path[0]))
