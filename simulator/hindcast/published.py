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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import xarray as xr

from simulator.engine.simulation import simulate
from simulator.errors import InputError, Place, PlacedFault, ScenarioError, near_name, near_or_all, shown
from simulator.runs.estimates import quantiles
from simulator.runs.groups import group
from simulator.runs.model_counts import count_quantiles
from simulator.runs.table import Table, value_or_none
from simulator.scenario.documents import Document, file_document
from simulator.scenario.library import find_scenario, shipped_file, shipped_names
from simulator.scenario.load import load_scenario, load_variants


@dataclass(frozen=True, slots=True)
class Target:
    """One row of published numbers; the keys are those that the module describes."""

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


def published_names() -> tuple[str, ...]:
    """List the shipped scenarios that have published numbers beside them."""
    return tuple(name for name in shipped_names("scenarios") if _file(shipped_file("scenarios", name)).exists())


def _file(scenario: FilePath) -> FilePath:
    return scenario.parent / "targets" / scenario.name


def load_published(name: str) -> Published:
    """Read the published numbers of a scenario."""
    known = published_names()
    scenario = f"published/{name}" if f"published/{name}" in known else name
    if scenario not in known and not scenario.endswith((".yaml", ".yml")):
        hint = near_name(name, [each.removeprefix("published/") for each in known])
        rule = f"{name}: no scenario of that name has published numbers beside it."
        raise InputError(f"{rule} {hint or f'There are: {", ".join(known)}.'}")
    file = _file(find_scenario(scenario))
    if not file.exists():
        raise InputError(f"{scenario}: has no published numbers beside it. Write them into {file}.")
    document = file_document(file, keep_faults=False)
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


SAMPLES = 20_000
"""Of a scenario in which anything is uncertain; else 1."""

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Reproduced:
    """What the tool gives for a target: `what` it is in words, the value, the last year of the run."""

    target: Target
    what: str
    value: float
    last_year: float

    @property
    def difference(self) -> float:
        """What the tool gives, less what it is held against; NaN where it is held against nothing."""
        expected = self.target.expected
        if expected is None:
            return math.nan
        return 0.0 if expected == self.value else self.value - expected

    @property
    def within(self) -> bool | None:
        """Whether it lies within the tolerance; None where it is not held."""
        tolerance = self.target.tolerance
        return None if tolerance is None else abs(self.difference) <= tolerance + ROUNDING


def run_published(scenario: str, *, variant: str = "", overrides: Sequence[str] = ()) -> xr.DataTree:
    """Run a published scenario: 20,000 samples, or one where every number is fixed."""
    loaded = load_scenario(scenario, overrides=overrides)
    uncertain = any(component.joint.uncertain for component in loaded.components)
    wanted = SAMPLES if uncertain else 1
    changes = (*overrides, *([] if loaded.spec.samples == wanted else [f"samples={wanted}"]))
    if variant:
        variants = load_variants(scenario, overrides=changes)
        if variant not in variants:
            hint = near_or_all(variant, variants)
            raise InputError(f"{scenario}: has no variant '{variant}'. {hint}")
        return simulate(variants[variant])
    return simulate(loaded if changes == tuple(overrides) else load_scenario(scenario, overrides=changes))


def published_results(published: Published) -> tuple[Reproduced, ...]:
    """Run a published scenario in each way that its rows ask for, and read every row off, in their order."""
    results: dict[Target, Reproduced] = {}
    for way in dict.fromkeys((target.variant, target.set) for target in published.targets):
        run = run_published(published.scenario, variant=way[0], overrides=way[1])
        asked = (target for target in published.targets if (target.variant, target.set) == way)
        results |= {target: read_result(run, target) for target in asked}
    return tuple(results[target] for target in published.targets)


def read_result(run: xr.DataTree, target: Target) -> Reproduced:
    """Read off a run what a row of published numbers is about, in the row's unit."""
    what, value = _read(run, target)
    return Reproduced(target, what, value, float(run.attrs["last_year"]))


def _read(run: xr.DataTree, target: Target) -> tuple[str, float]:
    if target.threshold:
        crossings = _at(group(run, "crossings", of_samples=True), target, "threshold", target.threshold)
        label = str(crossings["label"].item()) if "label" in crossings else target.threshold
        years = crossings["crossing_year"]
        if target.quantity == "crossed":
            return f"crossed: {label}", _share(float((years.values <= target.year).mean()), target)
        return label, float(quantiles(years, [target.quantile]).item())
    summary = group(run, "summary")
    if target.limit:
        shares = _variable(summary, target, f"{target.quantity}_share")
        share = _at(_at(shares, target, str(shares.dims[0]), target.limit), target, "year", target.year)
        return f"share bound by {target.limit}", _share(float(share.item()), target)
    if target.reading:
        by_reading = count_quantiles(run, target.quantity)
        count = xr.DataArray(
            list(by_reading.values()),
            [
                ("reading", list(by_reading)),
                ("quantile", [0.05, 0.5, 0.95]),
                ("year", np.floor(summary["year"].values)),
            ],
        )
        for along in ("year", "reading", "quantile"):
            count = _at(count, target, along, getattr(target, along))
        return f"{summary[target.quantity].attrs['long_name']}, {target.reading}", float(count.item())
    return _read_level(run, target)


def _share(share: float, target: Target) -> float:
    return 100 * share if target.unit == "%" else share


def _read_level(run: xr.DataTree, target: Target) -> tuple[str, float]:
    levels = _variable(group(run, "trajectories", of_samples=True), target, target.quantity)
    named, unit = str(levels.attrs.get("long_name", target.quantity)), str(levels.attrs["units"])
    values = _at(levels, target, "year", target.year)
    if target.since is not None:
        grown = values.astype(float) - _at(levels, target, "year", target.since).astype(float)
        return f"growth factor of {named}", _plain(float(quantiles(grown, [target.quantile]).item()), target, "factor")
    value = float(quantiles(values, [target.quantile]).item())
    if unit == target.unit:
        return named, value
    return named, _plain(value, target, unit.removeprefix("log10(").removesuffix(")"))


def _variable(dataset: xr.Dataset, target: Target, name: str) -> xr.DataArray:
    if name not in dataset:
        hint = near_name(name, map(str, dataset.data_vars)) or "'simulate show RUN --variables' lists what it has."
        raise InputError(f"{target.place}: quantity: the run has no '{name}'. {hint}")
    return dataset[name]


def _at[Values: (xr.DataArray, xr.Dataset)](
    values: Values, target: Target, along: str, wanted: str | float | None
) -> Values:
    """Take what stands at one place of a dimension."""
    known = values[along].values.tolist()
    if wanted not in known:
        names = [f"{each:g}" if isinstance(each, float) else str(each) for each in known]
        hint = near_name(str(wanted), names) if isinstance(wanted, str) else ""
        has = ", ".join(names) if len(names) < 9 else f"{names[0]} to {names[-1]}"
        raise InputError(f"{target.place}: {along}: the run has no {wanted}; it has {has}. {hint}".strip())
    return values.sel({along: wanted})


def _plain(log_value: float, target: Target, unit: str) -> float:
    """Turn a log10 level into the plain number that a row states."""
    if target.unit != unit:
        rule = f"the run has {target.quantity} in {unit} or its log10, and the row in {target.unit}"
        raise InputError(f"{target.place}: unit: {rule}. Write the run's unit and the number in it.")
    return float(10.0**log_value)


def result_table(found: Sequence[tuple[Published, Sequence[Reproduced]]]) -> Table:
    """Tabulate results: `scenario`, the keys of the target, `tool`, `difference`, `within`."""
    return Table.of_rows(
        {
            "scenario": published.scenario,
            **{key: getattr(result.target, key) for key in KEYS},
            "set": "; ".join(result.target.set),
            "tool": result.value,
            "difference": value_or_none(result.difference),
            "within": result.within,
        }
        for published, results in found
        for result in results
    )
