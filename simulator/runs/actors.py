"""Actors of a run: what each has, who leads and by how much, when the first, the second, ... crosses a threshold."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.dates import point_words
from simulator.errors import InputError, near_or_all
from simulator.model.race import Race
from simulator.runs.estimates import BANDS, at_date
from simulator.runs.groups import Group, Labelled, arrays, group, headline_of, read_quantiles
from simulator.runs.model_counts import summary_counts
from simulator.runs.table import Table, axis_columns
from simulator.schema.actors import ALL, FIRST
from simulator.units import Array
from simulator.variables import ACTORS, is_count
from simulator.wording import amount_range, percent

if TYPE_CHECKING:
    import xarray as xr

GROUP = "actors_summary"
MONTHS = 12.0


def actor_labels(run: Group | xr.DataTree) -> dict[str, str]:
    """Give the labels of the actors of a run by name; nothing of a run without."""
    if GROUP not in run.children:
        return {}
    coords = arrays(run, GROUP).coords
    return dict(zip(*(map(str, coords[name].values.tolist()) for name in ("actor", "actor_label")), strict=True))


def actor_summaries(run: Group | xr.DataTree) -> dict[str, Group]:
    """Give what a run says of each actor, by its label, in the form of its summary."""
    if GROUP not in run.children:
        return {}
    held = arrays(run, GROUP)
    own = {name: each for name, each in held.data_vars.items() if each.dims[0] == "actor"}
    dims = {name: tuple(map(str, each.dims[1:])) for name, each in own.items()}
    coords = {name: each for name, each in held.coords.items() if "actor" not in each.dims}
    return {
        label: Group(
            {name: Labelled(dims[name], each.values[at], dict(each.attrs)) for name, each in own.items()}, coords
        )
        for at, label in enumerate(actor_labels(run).values())
    }


def many_words(by: str) -> str:
    """Say by whom a threshold is crossed: `first`, `all`, so many, or one by name or label."""
    named = {FIRST: "the first actor", "1": "the first actor", ALL: "all actors"}
    return named.get(by) or (f"{by} actors" if by.isdecimal() else by)


def told_names(run: Group | xr.DataTree) -> list[str]:
    """List the levels of which a run with actors keeps those of each."""
    known = arrays(run, GROUP).data_vars.items()
    levels = (name for name, each in known if each.dims == ("actor", "quantile", "year") and name not in ACTORS)
    return [name for name in levels if not is_count(name)]


def _columns(axes: Mapping[str, Any], values: Mapping[str, NDArray[Any]]) -> Table:
    return Table(axis_columns(axes) | {name: each.ravel() for name, each in values.items()})


def actor_table(run: Group | xr.DataTree, quantity: str = "") -> Table:
    """Tabulate levels by actor and year, of one variable or of all: median, 50 and 90 % intervals."""
    held, labels = arrays(run, GROUP), actor_labels(run)
    names = told_names(run)
    if quantity and quantity not in names:
        hint = "Counts are drawn by --kind counts." if quantity in held and is_count(quantity) else ""
        raise InputError(f"the run has no level '{quantity}' by actor. {hint or near_or_all(quantity, names)}")
    tables = []
    for name in [quantity] if quantity else names:
        table = _columns({"actor": list(labels), "year": held.coords["year"].values}, read_quantiles(held, name))
        said = {"variable": [name] * len(table), "unit": [str(held[name].attrs["units"])] * len(table)}
        labelled = {"label": [labels[each] for each in table["actor"].tolist()]}
        tables.append(table.with_columns(said | labelled))
    return sum(tables[1:], start=tables[0]).select("actor", "label", "variable", "unit", "year", *BANDS)


def lead_table(run: Group | xr.DataTree) -> Table:
    """Tabulate by actor and year how likely it leads, and how far it is behind: in OOM, and in months."""
    held, labels = arrays(run, GROUP), actor_labels(run)
    values = {"leads": held["leads"].values, "leads_error": held["leads_error"].values}
    values |= {f"behind_{key}": each for key, each in read_quantiles(held, "behind").items()}
    values |= {f"months_{key}": MONTHS * each for key, each in read_quantiles(held, "behind_years").items()}
    return _columns({"actor": list(labels), "year": held.coords["year"].values}, values)


def lead_years(run: Group | xr.DataTree) -> Table:
    """Tabulate by how many years the first is ahead of the second, whoever they are: median, 50 and 90 % intervals."""
    held = arrays(run, GROUP)
    return _columns({"year": held.coords["year"].values}, read_quantiles(held, "lead_years"))


def actor_crossings(run: Group | xr.DataTree) -> Table:
    """Tabulate when each actor crosses each threshold: median, 50 and 90 % intervals, P(never)."""
    return _crossings(run, "actor", "crossing_quantile", "crossed")


def place_crossings(run: Group | xr.DataTree) -> Table:
    """Tabulate when the first, the second, ... actor crosses each threshold, whichever it is."""
    return _crossings(run, "place", "place_quantile", "place_crossed")


def _crossings(run: Group | xr.DataTree, of: str, quantiles: str, crossed: str) -> Table:
    held = arrays(run, GROUP)
    if quantiles not in held:
        return Table({})
    labels = {name: list(map(str, held.coords[name].values)) for name in ("threshold", "label")}
    never = {"never_by_horizon": 1.0 - held[crossed].values[..., -1]}
    table = _columns(
        {of: held.coords[of].values, "threshold": labels["threshold"]}, read_quantiles(held, quantiles) | never
    )
    named = dict(zip(*labels.values(), strict=True))
    told = table.with_columns({"label": [named[each] for each in table["threshold"].tolist()]})
    return told.select(of, "threshold", "label", *BANDS, "never_by_horizon")


def actor_counts(run: Group | xr.DataTree) -> Table:
    """Tabulate the counts of models of each actor, as those of all are; empty where none are counted."""
    tables = [
        table.with_columns({"actor": [name] * len(table), "label": [label] * len(table)})
        for (name, label), part in zip(actor_labels(run).items(), actor_summaries(run).values(), strict=True)
        if (table := summary_counts(part))
    ]
    if not tables:
        return Table({})
    told = sum(tables[1:], start=tables[0])
    return told.select("actor", "label", *told.names[:-2])


def actor_tables(run: Group | xr.DataTree) -> dict[str, Table]:
    """Give the tables of a run that are about its actors, by the names of their CSV files; none of a run without."""
    if GROUP not in run.children:
        return {}
    tables = {"actors": actor_table(run), "lead": lead_table(run)}
    more = {"actor_crossings": actor_crossings(run), "place_crossings": place_crossings(run)}
    more["actor_models"] = actor_counts(run)
    return tables | {name: table for name, table in more.items() if table}


def lead_lines(run: Group | xr.DataTree, date: float | None = None) -> list[str]:
    """Say who leads at a date, or in the middle of the years and in the last, and by how much.

    Between two years on straight lines; nothing without several actors.
    """
    labels = actor_labels(run)
    if len(labels) < 2:
        return []
    held = arrays(run, GROUP)
    years, leads = held.coords["year"].values, held["leads"].values
    ahead, late = (read_quantiles(held, name) for name in ("lead", "lead_years"))
    middle = years[int(np.argmin(np.abs(years - (years[0] + years[-1]) / 2)))]
    lines = []
    for year in dict.fromkeys((float(middle), float(years[-1])) if date is None else (date,)):
        order = sorted(zip(at_date(leads, years, year).tolist(), labels.values(), strict=True), key=lambda row: -row[0])
        said = ", ".join(f"{label} {percent(share)}" for share, label in order)
        lead = _spread({key: round(float(at_date(each, years, year)), 2) for key, each in ahead.items()}, "OOM")
        time = _spread(
            {key: round(MONTHS * float(at_date(each, years, year)), 1) for key, each in late.items()}, "months"
        )
        behind = f"the second is {lead} behind, {time}"
        if not at_date(ahead["median"], years, year) > 0:
            many = "half" if at_date(ahead["upper_90"], years, year) > 0 else "95 %"
            behind = f"in {many} of the samples or more several have the same" + (
                f"; {behind}" if many == "half" else ""
            )
        lines.append(f"  leads at {point_words(year)}: {said}; {behind}")
    return lines


def _spread(found: Mapping[str, float], unit: str) -> str:
    """Say a median and its 90 % interval."""
    low, middle, high = (_number(found[key]) for key in ("lower_90", "median", "upper_90"))
    return f"{middle} {unit}" + (f" (90 % {amount_range(low, high)})" if low != high else "")


def _number(value: float) -> str:
    return "more than since the start" if value == math.inf else f"{value:g}"


def run_race(run: xr.DataTree, names: Collection[str]) -> Race | None:
    """Read the actors of a run that kept its samples, with their levels by name; none where it has none."""
    if "actors" not in run.children:
        return None
    held, main = group(run, "actors", of_samples=True), headline_of(group(run, "summary"))
    levels = {
        str(name): each.transpose("actor", "year", "sample").values if name in names or name == main else np.empty(0)
        for name, each in held.data_vars.items()
        if "year" in each.dims
    }
    crossing: dict[str, Array] = {}
    if "crossing_year" in held:
        met = held["crossing_year"].transpose("threshold", "actor", "sample")
        crossing = dict(zip(met["threshold"].values.tolist(), met.values, strict=True))
    years = group(run, "summary")["year"].values
    return Race(tuple(map(str, held["actor"].values.tolist())), main, years, levels, crossing)
