"""Published numbers that scenarios are held against: one reader of their files.

Beside a scenario may stand a file of published numbers, `targets/<name of the scenario file>`:

    date: "2024-05"                # of the source; the page is in this order
    assumed: ...                   # what the source assumed, in a sentence or two
    found: ...                     # optional: what was found, as where the source contradicts itself
    missing: ...                   # optional: what is not reproduced, or not published
    rows:
      - {quantity: spending, year: 2030, quantile: 0.05, published: 8.58, tolerance: 0.1, unit: log10(USD)}

Keys of a row:

    quantity     a variable of the run, or crossing_year or crossed (the probability) of a threshold
    unit         of the numbers: log10(USD), FLOP, year, %, fraction, factor, 1
    year         of the run; of crossed, by its end
    since        an earlier year: then the number is the growth from it to `year`
    threshold    of crossing_year and crossed
    limit        with binding_<subject>: the share of the samples in which this limit binds
    reading      of counts of models: in the year, percentile of the sum, or sum of percentiles
    quantile     among the samples; 0.5 without it
    published    what the source says; "> 2124" is later than the horizon
    recomputed   what the source's inputs give when computed again without the tool. The tool is held against it
                 where there is one, else against `published`; a row that has neither is shown and not held.
    tolerance    in the unit
    variant      the variant that is run
    set          the overrides with which the scenario is run, a list
    case         what a variant or the overrides are called in tables
    note         for readers
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path as FilePath
from typing import Any

from simulator.documents import Document, load_document, mapping_document
from simulator.errors import InputError, Place, PlacedFault, ScenarioError, near_name, shown
from simulator.reading import find_scenario
from simulator.scenario import load_scenario
from simulator.shipped import shipped_file, shipped_names


@dataclass(frozen=True, slots=True)
class Target:
    """One row of published numbers; the keys are those that the module describes.

    Examples
    --------
    >>> Target(Place("numbers.yaml"), "spending", "log10(USD)", published=8.6, recomputed=8.58).expected
    8.58
    """

    place: Place
    quantity: str
    unit: str
    year: float | None = None
    since: float | None = None
    threshold: str = ""
    limit: str = ""
    reading: str = ""
    quantile: float = 0.5
    published: float | None = None
    recomputed: float | None = None
    tolerance: float | None = None
    variant: str = ""
    set: tuple[str, ...] = ()
    case: str = ""
    note: str = ""

    @property
    def expected(self) -> float | None:
        """What the tool is held against; None where the row is only shown."""
        return self.published if self.recomputed is None else self.recomputed


@dataclass(frozen=True, slots=True)
class Published:
    """A scenario with the numbers that were published of it, and what is to be said of them."""

    scenario: str
    title: str
    date: str
    assumed: str
    found: str
    missing: str
    targets: tuple[Target, ...]


# ------------------------------------------------------------------------------------------------------ the files


def published_names() -> tuple[str, ...]:
    """List the shipped scenarios that have published numbers beside them.

    Examples
    --------
    >>> "published/cotra-2020" in published_names()
    True
    """
    return tuple(name for name in shipped_names("scenarios") if _file(shipped_file("scenarios", name)).exists())


def _file(scenario: FilePath) -> FilePath:
    return scenario.parent / "targets" / scenario.name


def load_published(name: str) -> Published:
    """Read the published numbers of a scenario.

    Parameters
    ----------
    name : str
        A shipped scenario, with `published/` before it or not, or a scenario file that has numbers beside it.

    Raises
    ------
    InputError
        There is no such scenario, or it has no published numbers.
    ScenarioError
        The file of numbers has faults: all of them.

    Examples
    --------
    >>> found = load_published("cottier-2024")
    >>> found.scenario, found.targets[0].published
    ('published/cottier-2024', 2026.88)
    """
    known = published_names()
    scenario = f"published/{name}" if f"published/{name}" in known else name
    if scenario not in known and not scenario.endswith((".yaml", ".yml")):
        hint = near_name(name, [each.removeprefix("published/") for each in known])
        rule = f"{name}: no scenario of that name has published numbers beside it."
        raise InputError(f"{rule} {hint or f'There are: {", ".join(known)}.'}")
    file = _file(find_scenario(scenario))
    if not file.exists():
        raise InputError(f"{scenario}: has no published numbers beside it. Write them into {file}.")
    document = mapping_document(load_document(file), str(file))
    faults: list[PlacedFault] = []
    said = {key: _text(document, key, faults) for key in ("date", "assumed", "found", "missing")}
    for key in sorted(set(document.data) - {*said, "rows"}):
        hint = near_name(key, [*said, "rows"])
        faults.append(PlacedFault(document.places[key,], key, "is no key of published numbers.", hint))
    targets = tuple(_targets(document, str(file), faults))
    if faults:
        raise ScenarioError(faults)
    return Published(scenario, str(load_scenario(scenario).spec.title or scenario), **said, targets=targets)


def _text(document: Document, key: str, faults: list[PlacedFault]) -> str:
    value = document.data.get(key, "")
    if not isinstance(value, str):
        faults.append(PlacedFault(document.places[key,], key, f"must be a text; got {shown(value)}.", "Quote it."))
    return " ".join(str(value).split())


def _targets(document: Document, file: str, faults: list[PlacedFault]) -> Iterator[Target]:
    """Read the rows of a file, and collect what is wrong with them."""
    rows = document.data.get("rows")
    if not isinstance(rows, list) or not rows:
        rule, remedy = "must be a list of at least one row.", "Write for example - {quantity: spending, ...}."
        faults.append(PlacedFault(document.places.get(("rows",), Place(file)), "rows", rule, remedy))
        return
    for number, row in enumerate(rows):
        place, entry = document.places["rows", number], f"rows[{number}]"
        wrong = list(_row_faults(row))
        faults += [PlacedFault(place, f"{entry}.{key}".rstrip("."), rule, remedy) for key, rule, remedy in wrong]
        if not wrong:
            yield Target(place=place, **{key: _value(key, value) for key, value in row.items()})


KEYS = tuple(each.name for each in fields(Target) if each.name != "place")
_NUMBERS = ("year", "since", "quantile", "published", "recomputed", "tolerance")


def _row_faults(row: Any) -> Iterator[tuple[str, str, str]]:
    """Say what is wrong with a row: the key, the rule, the remedy."""
    if not isinstance(row, dict):
        yield "", f"must be keys with values; got {shown(row)}.", "Write for example {quantity: spending, year: 2030}."
        return
    for key, value in row.items():
        if key not in KEYS:
            yield str(key), "is no key of a row.", near_name(str(key), KEYS) or f"Keys are: {', '.join(KEYS)}."
        elif key == "set" and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
            yield key, f"must be a list of overrides; got {shown(value)}.", 'Write for example ["seed=1"].'
        elif key in _NUMBERS and not _is_number(key, value):
            yield key, f"must be a number; got {shown(value)}.", "Write the number without its unit."
        elif key not in (*_NUMBERS, "set") and not isinstance(value, str):
            yield key, f"must be a text; got {shown(value)}.", "Put it in quotes."
    for key in ("quantity", "unit"):
        if key not in row:
            yield key, "is missing.", "Every row has a quantity and a unit."
    of_threshold = row.get("quantity") in ("crossing_year", "crossed")
    if of_threshold and "threshold" not in row:
        yield "threshold", "is missing.", f"'{row['quantity']}' is that of a threshold: name it."
    if row.get("quantity") != "crossing_year" and "year" not in row:
        yield "year", "is missing.", "Only a crossing year needs none."
    held = "published" in row or "recomputed" in row
    if held != ("tolerance" in row):
        rule = "is missing." if held else "stands there without a number to hold against."
        yield "tolerance", rule, "A row has published or recomputed and a tolerance, or neither."


def _is_number(key: str, value: Any) -> bool:
    if key == "published" and isinstance(value, str):
        return value.startswith(">")
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value(key: str, value: Any) -> Any:
    if key == "set":
        return tuple(value)
    if key not in _NUMBERS:
        return value
    return math.inf if isinstance(value, str) else float(value)
