"""Changes from outside, `--set path=value`, laid over a document."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simulator import errors
from simulator.errors import InputError, Path, Place, ScenarioError, dotted, is_item_name, item_part, near_name, shown
from simulator.scenario.documents import Document, parse_document, yaml_text
from simulator.scenario.layers import is_override, known_path, lookup, moved, place_of, position, positions
from simulator.schema.amounts import is_read_one_way, prior_in_words, same_unit, written_in_numbers
from simulator.schema.statements import PROVENANCE_KEYS, WHOLE_KEYS, is_prior, is_statement, stating_keys
from simulator.wording import cut, listed

CENTRE = "centre"
"""The word for moving a prior as a whole: its median, and its interval with it."""


@dataclass(frozen=True, slots=True)
class Override:
    """One `--set path=value`."""

    path: Path
    value: Any
    text: str


def parse_override(text: str) -> Override:
    """Read `path=value`; the value is YAML."""
    name, equals, value = text.partition("=")
    path = errors.as_path(name.strip())
    if not equals or not path:
        raise InputError(
            f"--set {text}: must be path=value, for example drivers.spending.growth[0].rate.median=3x/year."
        )
    try:
        return Override(path, _plain(value.strip()) or _parsed(value, text), text)
    except ScenarioError as error:
        fault = error.faults[0]
        raise InputError(f"--set {text}: the value cannot be read: {fault.rule} {fault.remedy}".rstrip()) from None


def override_of(path: Path, value: Any) -> Override:
    """Write a change as `path=value` in one line of YAML, which reads back as the same."""
    text = yaml_text(value, flow=True, width=1 << 30).removesuffix("...\n").strip()
    return Override(path, value, f"{dotted(path)}={text}")


def change_line(path: Path, before: Any, after: Any) -> str:
    """Say what was changed from outside."""
    return f"{dotted(path)}: {value_text(before)} -> {value_text(after)}"


def value_text(value: Any) -> str:
    """Write what stands at an entry, in short."""
    if value is None:
        return "nothing"
    if isinstance(value, float):
        return errors.number(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return cut(text, width=60)


_DECIMAL, _QUOTED = re.compile(r"-?[1-9]\d{0,9}\.\d{1,12}"), re.compile(r'"[\d.]+ [A-Za-z/]+"')


def _plain(value: str) -> float | str | None:
    """Read a decimal number, or an amount in quotes, without YAML; None where it is neither."""
    if _DECIMAL.fullmatch(value):
        return float(value)
    return value[1:-1] if _QUOTED.fullmatch(value) else None


def _parsed(value: str, text: str) -> Any:
    return parse_document(value, file=f"--set {text}").data if value.strip() else None


def meets(path: Path, others: Iterable[Path]) -> bool:
    """Tell whether an entry stands in one of others, or one of them in it; names of items may stand for any number."""
    pairs = (zip(path, other, strict=False) for other in others)
    return any(all(a == b or is_item_name(a) or is_item_name(b) for a, b in each) for each in pairs)


def written_out(
    override: Override, document: Document, expanded: Document, find: Callable[[str, Place], Document]
) -> list[Override]:
    """Name an override's entry as the document does, and write a centre out as the numbers that it stands for.

    The median of an entry of the library takes the interval of the entry along, which nobody wrote beside it.
    """
    override = replace(override, path=known_path(expanded.data, override.path))
    root, key = override.path[:-1], override.path[-1]
    prior = lookup(expanded.data, root) if root else None
    if isinstance(prior, str) and (words := prior_in_words(prior)):
        prior = words[0]
    if key == CENTRE and (is_prior(prior) or not isinstance(prior, Mapping)):
        if isinstance(prior, int | float) or (isinstance(prior, Mapping) and "value" in prior):
            return [replace(override, path=(*root, "value"))]
        if isinstance(prior, Mapping) and isinstance(override.value, int | float | str):
            return [replace(override, path=(*root, name), value=number) for name, number in _moved(override, prior)]
        raise InputError(f"--set {override.text}: {dotted(root)} is {shown(prior)}, which has no centre to move.")
    if key == "median" and isinstance(prior, Mapping) and _is_of_library(prior, root, document, find):
        return [replace(override, path=(*root, name), value=number) for name, number in _moved(override, prior)]
    return [override]


def _moved(override: Override, prior: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """List the numbers of a prior that is moved to another centre, by key."""
    written, faults = written_in_numbers({**prior, "value": override.value})
    try:
        found = None if faults else moved(prior, override.value)
    except InputError as error:
        raise InputError(f"--set {override.text}: {error}") from None
    root = dotted(override.path[:-1])
    if faults:
        raise InputError(f"--set {override.text}: {faults[0].rule} {faults[0].remedy}")
    if found is None:
        shape = shown({key: value for key, value in prior.items() if key not in PROVENANCE_KEYS})
        rule = "it states no interval, and no quantiles with 0.5, that could go along"
        raise InputError(f"--set {override.text}: {root} is {shape}: {rule}. Set {root} itself, or one of its numbers.")
    unit = str(written.get("unit", ""))
    beside = bool(unit) and "unit" not in prior  # the numbers alone say their unit
    said = beside or (isinstance(override.value, str) and not is_read_one_way(unit))  # then all say it
    return [(key, _with_unit(value, unit) if said else value) for key, value in found.items()]


def _with_unit(value: Any, unit: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_unit(each, unit) for key, each in value.items()}
    return [_with_unit(each, unit) for each in value] if isinstance(value, list) else f"{errors.number(value)} {unit}"


def _is_of_library(
    prior: Mapping[str, Any], root: Path, document: Document, find: Callable[[str, Place], Document]
) -> bool:
    """Tell whether the interval of a prior is that of the library entry that it names, and not one of its own."""
    name = next((key for key in prior if str(key).startswith("interval_")), None)
    if name is None or "median" not in prior or not isinstance(prior.get("prior"), str):
        return False
    place = place_of(document.places, (*root, "prior"))
    if is_override(document.places.get((*root, name), place)) and (*root, name) in document.places:
        return False
    try:
        entry = find(prior["prior"], place)
    except ScenarioError:
        return False
    return not entry.faults and entry.data.get(name) == prior[name]


def units_alone(given: Sequence[Override], before: Document, after: Document) -> None:
    """Refuse another unit for numbers that stay: 2 x/year would become 2 percent/year, which nobody wrote."""
    for override in given:
        root = override.path[:-1]
        prior = lookup(before.data, root) if root and override.path[-1] == "unit" else None
        if isinstance(prior, str) and (words := prior_in_words(prior)):
            prior = words[0]
        if not isinstance(prior, Mapping) or not isinstance(override.value, str):
            continue
        written, now = written_in_numbers(prior)[0], lookup(after.data, root)
        unit, at = str(written.get("unit") or ""), positions(after.data, root)
        kept = [key for key in sorted(stating_keys(written)) if isinstance(now, Mapping) and key in now]
        kept = [key for key in kept if not _is_set(after, (*at, key), override)]
        if unit and kept and not same_unit(unit, override.value):
            rule = f"{dotted(root)} is stated in {unit}, and a unit alone converts nothing"
            raise InputError(f"--set {override.text}: {rule}. Set its numbers with it: {listed(kept)}.")


def _is_set(document: Document, path: Path, unless: Override) -> bool:
    """Tell whether an entry was changed from outside, and not by one of the changes."""
    place = place_of(document.places, path)
    return is_override(place) and place.file != f"--set {unless.text}"


def apply_override(document: Document, override: Override) -> Document:
    """Set one entry, making the maps above it where they are missing; null removes it.

    To set `prior` replaces the whole prior: numbers that stood beside it would otherwise override the new entry.
    """
    root, value = override.path, override.value
    if root[-1] == "prior" and len(root) > 1 and isinstance(value, str):  # another prior, not other words for this one
        root = root[:-1]
        part = lookup(document.data, root)
        weight = part.get("weight") if isinstance(part, Mapping) else None
        value = {"prior": value} | ({} if weight is None else {"weight": weight})
    if isinstance(root[-1], int) or is_item_name(root[-1]):
        value = _still_named(lookup(document.data, root), value)
    data = _set(_without_untrue(document.data, root, value), root, value, override, ())
    root = positions(document.data, root)
    places = {path: place for path, place in document.places.items() if path[: len(root)] != root}
    place = Place(f"--set {override.text}")
    made = {root[:length]: place for length in range(1, len(root)) if root[:length] not in places}
    return replace(document, data=data, places=places | made | {root: place})


def _still_named(item: Any, value: Any) -> Any:
    """Leave an item of a list its name, whatever else takes its place."""
    name = item.get("name") if isinstance(item, Mapping) else None
    if name is None or value is None:
        return value
    if isinstance(value, str) and (words := prior_in_words(value)):
        value = words[0]
    return {"name": name, **(value if isinstance(value, Mapping) else {"value": value})}


def _without_untrue(data: Any, path: Path, value: Any) -> Any:
    """Drop what a change makes untrue: sources of the priors in which a number stands, values of another column."""
    for length in range(1, len(path)):
        root, key, above = path[:length], path[length], lookup(data, path[:length])
        gone: Collection[str] = ()
        if isinstance(above, Mapping) and is_prior(above) and key in stating_keys({**above, str(key): 0}):
            whole = length == len(path) - 1 and key in WHOLE_KEYS and key != "family"
            others = stating_keys(above) - {key} if whole and "prior" not in above else ()
            own_unit = {"unit"} & {*written_in_numbers({key: value})[0]} if whole else set()
            gone = {*PROVENANCE_KEYS, *others, *own_unit}
        elif root[-1] == "empirical" and key in ("file", "column"):
            gone = ("values",)
        if gone and not set(gone).isdisjoint(above):
            kept = {each: value for each, value in above.items() if each not in gone}
            data = set_entry(data, root, kept)
    return data


def _is_of_prior(key: Any) -> bool:
    return is_statement(key) or key in ("unit", *PROVENANCE_KEYS)


def set_entry(data: Any, path: Path, value: Any) -> Any:
    """Copy plain data with another value at a path; without the entry where the value is None."""
    return _set(data, path, value, Override(path, value, ""), ())


def _meant(items: list[Any], path: Path, above: Path) -> str:
    """Name the entries of the items of a list that may have been meant by one of the list."""
    field = ("rate",) if above[-1:] == ("growth",) and path[0] not in ("rate", "from", "times") else ()
    places = (item_part(item, number) for number, item in enumerate(items))
    known = [(*above, at, *field, *path) for at, item in zip(places, items, strict=True)
             if isinstance(item, Mapping) and (not field or "rate" in item)]  # fmt: skip
    return f" Did you mean {' or '.join(map(dotted, known[:3]))}?" if known else ""


def no_item(data: Any, path: Path, above: Path) -> str:
    """Say why what stands above a path has no such item as its first, and what can be written in its place."""
    part, rest = path[0], path[1:]
    if not isinstance(data, list):
        of_an_era = above[-1:] == ("growth",) and rest[:1] in (("rate",), ("from",), ("times",))
        if of_an_era and rest[0] != "rate":
            return f"is no list; set it as a whole: {dotted(above)}=[{{rate: ..}}, {{rate: .., from: ..}}]."
        return f"is no list; leave {dotted((part, 'rate') if of_an_era else (part,))} out."
    if isinstance(part, int):
        return f"has only {len(data)} items, counted from [0]."
    names = [str(name) for at, item in enumerate(data) if is_item_name(name := item_part(item, at))]
    there = f"There are {listed(names)}." if names else "None is named: count from [0]."
    return f"has no item {part}. {near_name(part, names) or there}"


def _set(data: Any, path: Path, value: Any, override: Override, above: Path) -> Any:
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(head, int) or is_item_name(head):
        place = position(data, head) if isinstance(data, list) else None
        if place is None:
            raise InputError(f"--set {override.text}: {dotted(above) or 'the file'} {no_item(data, path, above)}")
        return [
            _set(item, rest, value, override, (*above, head)) if at == place else item for at, item in enumerate(data)
        ]
    if isinstance(data, int | float) and not isinstance(data, bool):
        data = {"value": data} if head not in ("median", "mean") else {}
    elif isinstance(data, str) and _is_of_prior(head) and (words := prior_in_words(data)):
        data = {key: each for key, each in words[0].items() if key != "value" or head not in ("median", "mean")}
    if data is None:
        data = {}
    if not isinstance(data, Mapping):
        kind = "a list; name an item, as in [0]" if isinstance(data, list) else errors.shown(data)
        meant = _meant(data, path, above) if isinstance(data, list) else ""
        raise InputError(f"--set {override.text}: {dotted(above)} is {kind}: it has no entry '{head}'.{meant}")
    key = next((known for known in data if str(known) == head), head)
    changed = {known: inner for known, inner in data.items() if known != key}
    inner = _set(data.get(key), rest, value, override, (*above, head))
    if inner is None and not rest:
        return changed
    return {known: (inner if known == key else data[known]) for known in data} | {key: inner}
