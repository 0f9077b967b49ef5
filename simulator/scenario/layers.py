"""Plain data from several files laid over one another: extended scenarios, library entries, overrides.

Maps merge; lists and priors replace what they stand over, so that no number keeps a source that is not its own.
Every entry keeps the place it came from.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from simulator import errors
from simulator.errors import Fault, InputError, Path, Place, PlacedFault, ScenarioError, dotted, is_item_name, item_part
from simulator.scenario.documents import Document
from simulator.schema.amounts import (
    ASKED,
    amounts_in,
    holds_numbers,
    is_read_one_way,
    plain_numbers,
    same_unit,
    written_in_numbers,
)
from simulator.schema.hints import ANY_PRIOR, example_at, joined
from simulator.schema.prior_families import SHORT_FORMS
from simulator.schema.statements import NO_STATEMENT, PROVENANCE_KEYS, WHOLE_KEYS, is_prior, stating_keys

WITHOUT = "without"
"""The key of a layer that names what is left out of the layers below it, so that it can be said anew as a whole."""


def merge(base: Document, over: Document) -> Document:
    """Lay one document over another, without what that one says to leave out."""
    base, over = _left_out(base, over)
    replaced: list[Path] = []
    data = _merge(base.data, over.data, (), replaced)
    kept = {
        path: place for path, place in base.places.items() if not any(path[: len(root)] == root for root in replaced)
    }
    return Document(data, kept | dict(over.places), (*base.faults, *over.faults), base)


def _left_out(base: Document, over: Document) -> tuple[Document, Document]:
    """Take the entries that a document names under `without` away from what it is laid over."""
    if not isinstance(over.data, Mapping) or WITHOUT not in over.data:
        return base, over
    named, faults = over.data[WITHOUT], list[PlacedFault]()
    data, places = base.data, dict(base.places)
    for number, name in enumerate(named if isinstance(named, list) else [named]):
        path = known_path(data, errors.as_path(name)) if isinstance(name, str) else ()
        entry = lookup(data, path) if path else None
        if entry is None or any(isinstance(part, int) or is_item_name(part) for part in path):
            rule, remedy = f"there is no entry {errors.shown(name)} in what is extended.", _nearest(data, path)
            if entry is not None:
                rule, remedy = f"{name} is an item of a list.", "A list is replaced as a whole: write it anew."
            at = (WITHOUT, number)
            faults.append(PlacedFault(place_of(over.places, at), dotted(at), rule, remedy))
            continue
        data = rebuilt(data, (), lambda inner, at, path=path: {  # type: ignore[misc]
            key: value for key, value in inner.items() if (*at, str(key)) != path
        })  # fmt: skip
        places = {at: place for at, place in places.items() if at[: len(path)] != path}
    own = {key: value for key, value in over.data.items() if key != WITHOUT}
    kept = {at: place for at, place in over.places.items() if at[:1] != (WITHOUT,)}
    left = replace(base, data=data, places=places)
    return left, replace(over, data=own, places=kept, faults=(*over.faults, *faults))


def _nearest(data: Any, path: Path) -> str:
    """Suggest what may have been meant by the path of an entry that is not there."""
    for length in range(len(path)):
        above = lookup(data, path[:length])
        if isinstance(above, Mapping) and lookup(data, path[: length + 1]) is None:
            there = f"There are: {', '.join(map(str, above))}." if len(above) <= 12 else ""
            return errors.near_name(str(path[length]), map(str, above)) or there
    return "Name entries by their paths: [constraints, drivers.spending.caps]."


def _merge(base: Any, over: Any, path: Path, replaced: list[Path]) -> Any:
    whole = path != ("capability",) and (is_prior(over) or is_prior(base))  # a metric has a key `scale`, as some priors
    if not isinstance(base, Mapping) or not isinstance(over, Mapping) or whole:
        replaced.append(path)
        return over
    merged = dict(base)
    for key, value in over.items():
        inner = (*path, str(key))
        if value is None and key in base:  # null in the file that extends takes the entry away
            del merged[key]
            replaced.append(inner)
        else:
            merged[key] = _merge(base[key], value, inner, replaced) if key in base else value
    own = {key: merged[key] for key in over if key in merged} if path == ("thresholds",) else {}
    return own | {key: value for key, value in merged.items() if key not in own}  # a file's own are told first


def expand_priors(document: Document, find: Callable[[str, Place], Document], *, above: Path = ()) -> Document:
    """Write every `prior: file/name` out with the fields of the library entry.

    Keys beside `prior` override fields of the entry. A key that restates the numbers as a whole (value, quantiles,
    family, mixture, ...) replaces all of the entry's numbers; any changed number drops the entry's source, which
    would be no longer true. A reference that leads nowhere joins the document's faults, and 1 stands in for it;
    `above` is where the document stands in its file, for the names of the entries at fault.
    """
    places = dict(document.places)
    faults: list[PlacedFault] = []

    def written_out(written: dict[Any, Any], path: Path) -> Any:
        reference = written.get("prior")
        if not isinstance(reference, str):
            return written
        try:
            entry = find(reference, place_of(places, (*path, "prior")))
        except ScenarioError as error:
            faults.extend(
                PlacedFault(fault.place, fault.entry or dotted((*above, *path, "prior")), fault.rule, fault.remedy)
                for fault in error.faults
            )
            return stand_in(path)
        if entry.faults:
            faults.extend(entry.faults)
            return stand_in(path)
        inherited, fault = _inherited(entry.data, written)
        if fault is not None:
            at = (*path, *fault.path)
            faults.append(PlacedFault(place_of(places, at), dotted((*above, *at)), fault.rule, fault.remedy))
            return stand_in(path)
        for inner, place in entry.places.items():
            if inner and inner[0] in inherited and inner[0] not in written:
                places.setdefault((*path, *inner), place)
        return {**inherited, **written}

    data = rebuilt(document.data, (), written_out)
    return replace(document, data=data, places=places, faults=(*document.faults, *faults))


def stand_in(path: Path) -> dict[str, Any]:
    """Give a number for a prior at fault, in a unit that does at its place."""
    field = next((key for key in reversed(path) if isinstance(key, str) and key != "mixture"), "")
    return {"value": 1.0} | ({"unit": ASKED[field]} if field in ASKED else {})


def rebuilt(data: Any, path: Path, change: Callable[[dict[Any, Any], Path], Any], *, having: str = "") -> Any:
    """Copy plain data, with every mapping, or every one with a key, changed after those in it."""
    if isinstance(data, list):
        return [rebuilt(item, (*path, index), change, having=having) for index, item in enumerate(data)]
    if not isinstance(data, dict):  # which is asked of a number four times as fast as whether it is a Mapping
        return data
    copy = {key: rebuilt(value, (*path, str(key)), change, having=having) for key, value in data.items()}
    return copy if having and having not in copy else change(copy, path)


def _inherited(entry: Mapping[str, Any], written: Mapping[str, Any]) -> tuple[dict[str, Any], Fault | None]:
    """List what a prior takes from a library entry; a fault where what it says itself can be read in several ways."""
    if NO_STATEMENT.issuperset(written):
        return dict(entry), _unit_fault(str(entry.get("unit", "")), written, alone=False)
    numbers = stating_keys({**written, **entry})
    restated = numbers.intersection(written)
    if not restated:
        return dict(entry), _unit_fault(str(entry.get("unit", "")), written, alone=False)
    whole = not WHOLE_KEYS.isdisjoint(restated)
    interval = any(key.startswith("interval_") for key in restated)
    dropped = {
        key
        for key in entry
        if (whole and key in numbers) or (interval and key.startswith("interval_")) or key in PROVENANCE_KEYS
    }
    taken = {key: value for key, value in entry.items() if key not in dropped}
    rest = [key for key in taken if holds_numbers(key) and key not in written]
    if fault := _unit_fault(str(entry.get("unit", "")), written, alone=not rest):
        return taken, fault
    if not rest and any(each.unit for each in amounts_in(written)):
        taken.pop("unit", None)  # the numbers bring their own
    elif "median" in written and not interval and not whole:
        taken |= moved({**taken, "median": entry.get("median")}, written["median"]) or {}
    return taken, None


def _unit_fault(unit: str, written: Mapping[str, Any], *, alone: bool) -> Fault | None:
    """Find a number beside a library entry that takes a unit which nobody who reads it can know."""
    if isinstance(written.get("unit"), str):
        if alone or not unit or same_unit(written["unit"], unit):
            return None
        rule = f"is {written['unit']}, where the other numbers of the entry are in {unit}."
        return Fault(("unit",), rule, f"State all of its numbers, or those beside it in {unit}: nothing is converted.")
    bare = [(key, value) for key in written if holds_numbers(key) for value in plain_numbers(written[key])]
    if not bare or any(each.unit for each in amounts_in(written)) or is_read_one_way(unit):
        return None
    key, told = bare[0][0], errors.number(bare[0][1])
    others = ("x/year", "percent/year") if "/" in unit else ("percent", "fraction")
    readings = [f"{told} {each}" for each in dict.fromkeys((unit, *others))]
    asked = f"Is it {', '.join(readings[:-1])} or {readings[-1]}?"
    remedy = f"The entry of the library is in {unit}. {asked} Write the unit with it."
    return Fault((key,), f"does not say its unit: {told} what?", remedy)


DIFFERENCES = frozenset({"year", "OOM/year", "ln/year", "%/year", "percent/year"})
"""Units in which what is added counts, not what is multiplied by."""


def moved(prior: Mapping[str, Any], centre: Any) -> dict[str, Any] | None:
    """Move a prior to another centre: its median, and its interval or quantiles with it; None where it has none.

    Growth, levels and limits keep the ratios between their quantiles; dates and rates in OOM or % keep the differences.
    """
    written, faults = written_in_numbers({**prior, "value": centre})
    value, name = written.pop("value"), next((key for key in prior if str(key).startswith("interval_")), None)
    quantiles = {str(key): number for key, number in (written.get("quantiles") or {}).items()}
    middle = next((number for key, number in quantiles.items() if float(key) == 0.5), None)
    ends = list(written[name]) if name else list(quantiles.values())
    if faults or not (name or middle is not None) or not all(isinstance(end, int | float) for end in (*ends, value)):
        return None
    ratios = written.get("unit") not in DIFFERENCES and min(ends) > 0
    if middle is None:
        middle = math.sqrt(math.prod(ends)) if ratios else sum(ends) / 2
    stated = written.get("median")
    old = float(middle if stated is None else stated)
    if ratios and not value > 0:
        raise InputError(f"{errors.number(value)}: must be above 0; the prior keeps the ratios of its quantiles.")

    def move(number: float) -> float:  # the least digits are dropped, so that what stays put is exact
        return float(f"{number * (value / old) if ratios else number + (value - old):.12g}")

    if name:
        return {"median": value, name: [move(end) for end in ends]}
    return {"quantiles": {key: move(number) for key, number in quantiles.items()}}


def below(document: Document, root: Path) -> Document:
    """Cut out what stands below a path, as a document of its own."""
    places = {path[len(root) :]: place for path, place in document.places.items() if path[: len(root)] == root}
    return Document(lookup(document.data, root), places)


def place_of(places: Mapping[Path, Place], path: Path) -> Place:
    """Find the place of an entry, or of the nearest entry above it that has one."""
    for length in range(len(path), -1, -1):
        if path[:length] in places:
            return places[path[:length]]
    return Place("<scenario>")


def is_override(place: Place) -> bool:
    """Tell whether an entry was changed from outside."""
    return place.file.startswith("--set ")


def placed(faults: Sequence[Fault], document: Document) -> ScenarioError:
    """Give faults their places in a document, and join them with those that the document has already.

    A fault in what a library entry says is placed where the scenario refers to the entry: there it can be mended.
    """
    changed = {path[:-1]: place for path, place in document.places.items() if is_override(place)}
    return ScenarioError([*document.faults, *(_placed(fault, document, changed) for fault in joined(faults))])


def _placed(fault: Fault, document: Document, changed: Mapping[Path, Place]) -> PlacedFault:
    """Place a fault; `changed` are the last changes from outside, by the path of what they change an entry of."""
    path = positions(document.data, fault.path)
    remedy = example_at(path) if fault.remedy == ANY_PRIOR else fault.remedy
    given = lookup(document.data, path)
    if fault.remedy == ANY_PRIOR and path[-1] in ("growth", "rate") and given in _quantities(document):
        remedy = f"Growth that follows a quantity is written {{quantity: {given}, unit: ln/year}}, for example."
    while path and path[-1] in ("value", *SHORT_FORMS) and path not in document.places:
        path = path[:-1]  # a bare number has no key `value`
    place = place_of(document.places, path)
    for length in range(len(path) + 1):
        reference = document.places.get((*path[:length], "prior"))
        if reference is not None and place.file != reference.file and not is_override(place):
            remedy = f"{remedy}\n{path[-1]} comes from {place}.".strip()
            place = reference
            break
    for length in range(len(path)):
        if path[:length] in changed and is_prior(lookup(document.data, path[:length])):
            place = changed[path[:length]]
    if re.fullmatch(r"--set [^=]*\.median=.*", place.file, re.DOTALL) and str(path[-1]).startswith("interval_"):
        remedy = f"{remedy}\nOr write .centre in the place of .median: the interval then goes along.".strip()
    if beside := re.match(r"stands beside (\w+)", fault.rule):
        other = document.places.get((*path[:-1], beside[1]))
        if other is not None and other.file != place.file:
            newer = is_override(place) or place.file == place_of(document.places, ()).file
            older, at = (beside[1], other) if newer else (str(path[-1]), place)
            remedy = f"{remedy}\n{older} comes from {at}; {older}: null takes it away.".strip()
    return PlacedFault(place, dotted(named(document.data, path)), fault.rule, remedy)


def _quantities(document: Document) -> list[str]:
    return [str(name) for key in ("quantities", "stocks") for name in lookup(document.data, (key,)) or ()]


def named(data: Any, path: Path) -> Path:
    """Put the names of items in the place of their numbers, as paths are told."""
    found: list[str | int] = []
    for length, part in enumerate(path):
        item = lookup(data, path[: length + 1]) if isinstance(part, int) and length > 1 else None
        found.append(part if item is None else item_part(item, part))  # type: ignore[arg-type]
    return tuple(found)


def position(items: Sequence[Any], part: str | int) -> int | None:
    """Find an item of a list by its number or its name; None where there is none."""
    if isinstance(part, int):
        return part if part < len(items) else None
    return next((at for at, item in enumerate(items) if item_part(item, at) == part), None)


def positions(data: Any, path: Path) -> Path:
    """Put numbers in the place of the names of items, as places in a document are kept."""
    found: list[str | int] = []
    for length, part in enumerate(path):
        within = lookup(data, path[:length]) if is_item_name(part) else None
        place = position(within, part) if isinstance(within, list) else None
        found.append(part if place is None else place)
    return tuple(found)


def lookup(data: Any, path: Path) -> Any:
    """Read the entry at a path; None where there is none."""
    for part in path:
        if isinstance(data, list):
            place = position(data, part)
            data = None if place is None else data[place]
        elif isinstance(data, Mapping):
            data = next((value for key, value in data.items() if str(key) == str(part)), None)
        else:
            return None
    return data


def values_in(data: Any) -> Iterator[Any]:
    """List plain data and all values in it, however deep."""
    return (value for _, value in entries_in(data))


def entries_in(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """List plain data and all that is in it, however deep, each with its path."""
    yield path, data
    inner = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield from entries_in(value, (*path, key))


def effects_in(data: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """List what the events in plain data are on: the name of an event, the path of something, and its effect there."""
    events = lookup(data, ("events",))
    for name, event in events.items() if isinstance(events, Mapping) else ():
        effects = lookup(event, ("effects",))
        for effect in effects if isinstance(effects, list) else ():
            on = lookup(effect, ("on",))
            paths = on if isinstance(on, list) else [on]
            yield from ((str(name), path, effect) for path in paths if isinstance(path, str))


def left_limits(before: Any, after: Any) -> dict[str, str]:
    """Name the limits that an event put on and none does any more, each with that event: they always stand."""
    had, has = (
        {on: name for name, on, effect in effects_in(data) if effect.get("limit") == "put-on"}
        for data in (before, after)
    )
    return {on: name for on, name in had.items() if on not in has and lookup(after, errors.as_path(on)) is not None}


def texts_under(data: Any, keys: Collection[str]) -> dict[str, set[str]]:
    """Collect the texts that stand under some keys, however deep, by key."""
    found: dict[str, set[str]] = {key: set() for key in keys}
    left = [data]
    while left:
        inner = left.pop()
        if isinstance(inner, list):
            left += inner
        elif isinstance(inner, Mapping):
            left += inner.values()
            for key in found.keys() & inner.keys():
                if isinstance(inner[key], str):
                    found[key].add(inner[key])
    return found


def known_path(data: Any, path: Path) -> Path:
    """Name keys of mappings as the data do: a number may be written in another way (1e29, 0.050), or in brackets."""
    known: list[str | int] = []
    for part in path:
        key: str | int = part
        if isinstance(data, Mapping):
            plain = str(part).strip("[]")
            key = next((str(key) for key in data if _same_key(str(key), plain)), plain if is_item_name(part) else part)
        known.append(key)
        data = lookup(data, (key,))
    return tuple(known)


def _same_key(one: str, other: str) -> bool:
    if one == other or one.isalpha() or other.isalpha():
        return one == other
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def text_keys(data: Any) -> Any:
    """Copy plain data with every key as text: a file may write a year or a probability as a key."""
    if isinstance(data, dict):
        return {str(key): text_keys(value) for key, value in data.items()}
    return [text_keys(item) for item in data] if isinstance(data, list) else data
