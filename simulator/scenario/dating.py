"""The year of every start: one that is not written is the first year of the file that wrote the start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from simulator.dates import DateError, read_year
from simulator.errors import Path, dotted
from simulator.scenario.documents import Document
from simulator.scenario.layers import lookup, merge
from simulator.scenario.overrides import set_entry
from simulator.wording import listed

_SECTIONS = ("drivers", "quantities", "stocks", "allocation", "constraints", "thresholds")
_NAMES = ("factors", "caps", "uses")
_GROWS = ("start", "growth", "drift", "volatility", "jumps")
_SINCE = ("highest", "lowest")
"""Of operations: what counts from a date on."""
_OTHERWISE = ("table", "custom", "factors", "level")
"""What states all levels of an entry, which then has no start to date."""


def laid_over(base: Document, over: Document) -> Document:
    """Lay a document over another, with its starts dated.

    A start that it writes without `at` holds at its own first year, or at that of the base where it has none. A start
    that it replaces or takes away takes its date with it.
    """
    first = first_year(base.data) if (own := first_year(over.data)) is None else own
    for path, entry in _entries(over.data):
        if "start" in entry and "at" not in entry:
            base = _with(base, path, None)
            over = over if entry["start"] is None or first is None else _with(over, path, first)
    return dated(merge(base, over), first)


def dated(document: Document, first: Any = None) -> Document:
    """Date every level of a whole document that is not dated yet: at `first`, or its first year.

    What states its levels otherwise loses a date that nobody wrote.
    """
    first = first_year(document.data) if first is None else first
    for path, entry in _entries(document.data):
        grows = any(entry.get(key) is not None for key in (*_GROWS, *_SINCE))
        grows = grows and not any(key in entry for key in _OTHERWISE)
        if grows and "at" not in entry and first is not None:
            document = _with(document, path, first)
        elif not grows and "at" in entry and (*path, "at") not in document.places:
            document = _with(document, path, None)
    for path, entry in _of_actors(document.data):
        if "start" in entry and "at" not in entry and first is not None and not _is_multiple(entry["start"]):
            document = _with(document, path, first)
    return document


def dates_taken(document: Document) -> list[str]:
    """Say which dates no file writes, in a line for each date: those have no place of their own."""
    taken: dict[str, list[str]] = {}
    for path, entry in _entries(document.data):
        if "at" in entry and (*path, "at") not in document.places:
            taken.setdefault(str(entry["at"]), []).append(dotted(path))
    return [
        f"at: {at}, the first year of the file that states it, was taken for {listed(names)}"
        for at, names in taken.items()
    ]


def first_year(data: Any) -> Any:
    """Give the first year as it is written; None where there is none, or it is no year."""
    first = lookup(data, ("years", "first"))
    try:
        usable = read_year(first) if isinstance(first, str) else first
    except DateError:
        return None
    return first if isinstance(usable, int | float) and not isinstance(usable, bool) else None


def _with(document: Document, path: Path, at: Any) -> Document:
    """Date an entry anew; without a date it loses the one that it has."""
    here = (*path, "at")
    if at is None and lookup(document.data, here) is None:
        return document
    places = {each: place for each, place in document.places.items() if each != here}
    return replace(document, data=set_entry(document.data, here, at), places=places)


def _entries(data: Any) -> Iterator[tuple[Path, Mapping[Any, Any]]]:
    """List the entries of plain data that grow, or start: levels and stocks, with the path of each."""
    for section in _SECTIONS:
        named = data.get(section) if isinstance(data, Mapping) else None
        for name, entry in named.items() if isinstance(named, Mapping) else ():
            yield from _within(entry, (section, str(name)))


def _of_actors(data: Any) -> Iterator[tuple[Path, Mapping[Any, Any]]]:
    """List the same of what actors say of themselves."""
    actors = lookup(data, ("actors",))
    for name in actors if isinstance(actors, Mapping) else ():
        yield from ((("actors", str(name), *path), entry) for path, entry in _entries(lookup(actors, (name,))))


def _is_multiple(start: Any) -> bool:
    return start is None or (isinstance(start, Mapping) and "times" in start)


def _within(entry: Any, path: Path) -> Iterator[tuple[Path, Mapping[Any, Any]]]:
    if isinstance(entry, list):
        for place, inner in enumerate(entry):
            yield from _within(inner, (*path, place))
    if not isinstance(entry, Mapping):
        return
    if any(key in entry for key in (*_GROWS, *_SINCE, "at")):
        yield path, entry
    for key, inner in entry.items():
        if key in _NAMES and isinstance(inner, Mapping):
            for name, each in inner.items():
                yield from _within(each, (*path, str(key), str(name)))
        elif key == "growth":
            for at, quantity in _followed(inner):
                yield from _within(quantity, (*path, "growth", *at))
        elif key not in (*_GROWS, *_NAMES, "feedback"):
            yield from _within(inner, (*path, str(key)))


def _followed(growth: Any) -> Iterator[tuple[Path, Any]]:
    """List the quantities that rates of growth follow, with their paths below it."""
    for place, era in enumerate(growth if isinstance(growth, list) else ()):
        rate = era.get("rate") if isinstance(era, Mapping) else None
        yield from (((place, "rate", *at), quantity) for at, quantity in _followed(rate))
    if isinstance(growth, Mapping) and "quantity" in growth:
        yield ("quantity",), growth["quantity"]
