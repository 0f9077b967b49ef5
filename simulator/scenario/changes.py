"""What a layer changes in what it is laid over: said as a title, and named where it makes a fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from simulator.errors import InputError, Place, PlacedFault, ScenarioError, dotted
from simulator.scenario.differences import ABSENT, Entry, differing_entries, in_short, with_entry
from simulator.scenario.documents import Document
from simulator.scenario.layers import is_override, lookup, place_of, text_keys
from simulator.scenario.library import OF_ITS_OWN
from simulator.scenario.resolving import Scenario, checked, overridden, resolve
from simulator.schema.words import input_words
from simulator.wording import cut, listed

_MOST, _WIDEST = 3, 40
_TRIED = 40
_SPAN = {"first": "from", "last": "to"}


def resolve_changed(document: Document, overrides: Sequence[str] = ()) -> Scenario:
    """Check a document with overrides; a fault is laid at the change that made it, never at what was changed."""
    try:
        changed, log, idle = overridden(document, overrides)
        return checked(retitled(document, changed), log, idle)
    except ScenarioError as error:
        error_faults = faults = list(error.faults)
    given = list(overrides)
    suspects = [fault for fault in faults if not is_override(fault.place)]
    before: set[tuple[str, str]] = set()
    if given and suspects:
        before = _faults(document)
        for number, text in enumerate(given, start=1):
            after = _faults(document, given[:number])
            faults = [
                _at(fault, Place(f"--set {text}")) if _is_new(fault, before, after) else fault for fault in faults
            ]
            before |= after
    relaid = _at_own_changes(faults, document, given)
    kept = [fault for fault, old in zip(relaid, error_faults, strict=True) if fault is old or not _is_lost(fault)]
    raise ScenarioError(kept or relaid)


def _is_lost(fault: PlacedFault) -> bool:
    """Tell whether a fault is that of a correlation which is left out once the others are mended."""
    return fault.entry.startswith("correlations[") and fault.rule.startswith("there is no prior")


def _key(fault: PlacedFault) -> tuple[str, str]:
    return fault.entry, fault.rule


def _faults(document: Document, overrides: Sequence[str] = ()) -> set[tuple[str, str]]:
    try:
        resolve(document, overrides)
    except ScenarioError as error:
        return {_key(fault) for fault in error.faults}
    except InputError:
        pass
    return set()


def _is_new(fault: PlacedFault, before: set[tuple[str, str]], after: set[tuple[str, str]]) -> bool:
    return not is_override(fault.place) and _key(fault) in after and _key(fault) not in before


def _at(fault: PlacedFault, place: Place) -> PlacedFault:
    stands = f"{fault.entry} stands at {fault.place}."
    return replace(fault, place=place, remedy=f"{fault.remedy}\n{stands}".strip())


def _at_own_changes(faults: Sequence[PlacedFault], document: Document, overrides: Sequence[str]) -> list[PlacedFault]:
    """Lay the faults in a file that is extended at the entry of the file that extends without which they are none."""
    own, parent = place_of(document.places, ()).file, document.parent
    open_ = [fault for fault in faults if not is_override(fault.place) and fault.place.file != own]
    if parent is None or not open_:
        return list(faults)
    known = _faults(parent)
    theirs = [fault for fault in open_ if _key(fault) in known]
    laid = dict(zip(theirs, _at_own_changes(theirs, parent, ()), strict=True))
    open_ = [fault for fault in open_ if fault not in laid]
    for entry in differing_entries(text_keys(parent.data), text_keys(document.data), every=True)[:_TRIED]:
        place = place_of(document.places, entry.path)
        if not open_ or place.file != own:
            continue
        left = _faults(replace(document, data=with_entry(document.data, entry.path, entry.one)), overrides)
        laid |= {fault: _at(fault, place) for fault in open_ if _key(fault) not in left}
        open_ = [fault for fault in open_ if fault not in laid]
    return [laid.get(fault, fault) for fault in faults]


def titled(document: Document) -> Document:
    """Give a document without a title of its own one that says what it was laid over, and what it changes there."""
    if document.parent is None or document.data.get("title") is not None or not isinstance(document.data, Mapping):
        return document
    parent = document.parent.data
    said, called = changes_in_words(parent, document.data), _called(parent)
    return replace(document, data={**document.data, "title": f"{called} {said}" if said else f"after {called}"})


def _called(data: Mapping[str, Any]) -> str:
    return data.get("title") or data.get("name") or "another scenario"


def retitled(document: Document, changed: Document) -> Document:
    """Let what overrides make of a document, where results depend on them, speak of itself as what extends it does."""
    one, other = document.data, changed.data
    said = "" if changed is document else changes_in_words(one, other)
    if not said:
        return changed
    named = {"title": f"{_called(one)} {said}"}
    kept = {key: value for key, value in other.items() if key not in OF_ITS_OWN or value != one.get(key)}
    return replace(changed, data=named | kept)


def changes_in_words(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Say in one line what another scenario changes: with what, without what; empty where no result depends on it."""
    entries = differing_entries(text_keys(one), text_keys(other))
    entries = [each for each in entries if each.path[-1] not in ("name", "label") and each.path[0] != "correlations"]
    starts = {entry.path[:-1] for entry in entries if entry.path[-1] == "start"}
    entries = [entry for entry in entries if entry.path[-1] != "at" or entry.path[:-1] not in starts]
    said = list(dict.fromkeys(each for entry in entries for each in _in_words(entry, other)))
    shown: dict[str, list[str]] = {"with": [], "without": [], "": []}
    for kind, words in said[:_MOST]:
        shown[kind].append(words)
    parts = [f"{kind} {listed(words)}" if kind else " ".join(words) for kind, words in shown.items() if words]
    more = len(said) - _MOST
    return ", ".join([*parts, *([f"{more} more changes" if more > 1 else "one more change"] if more > 0 else [])])


def _in_words(entry: Entry, other: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Say a change, and whether it is one with something or without it; a map left empty stands for all in it."""
    path = entry.path
    words = input_words(dotted(path)).replace(": ", " ", 1)
    if entry.other is ABSENT:
        while len(path) > 1 and not lookup(other, path[:-1]):
            path = path[:-1]
            words = " ".join(str(part) for part in (path[1:] if path[0] == "drivers" else path)).replace("_", " ")
        yield "without", words
    elif path == ("years",) and isinstance(entry.one, Mapping) and isinstance(entry.other, Mapping):
        for key, value in entry.other.items():
            if entry.one.get(key) != value:
                word, told = ("with", key) if key == "step" else ("", _SPAN.get(key, key))
                yield word, f"{told} {in_short(value)}"
    elif len(short := in_short(entry.other)) <= _WIDEST:
        yield "with", f"{words} {short}"
    else:
        labels = [each.get("label") for each in (entry.other, entry.one) if isinstance(each, Mapping)]
        words = str(next(filter(None, labels), words.replace(": ", " ")))
        whole = path[0] in ("events", "actors") and len(path) == 2 and entry.one is not ABSENT
        told = cut(words, width=60)
        yield "with", f"{told} changed" if whole else f"{'' if entry.one is ABSENT else 'another '}{told}"
