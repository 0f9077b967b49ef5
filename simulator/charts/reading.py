"""What charts read off a run: its subject, its years, the limits that it has, and the tables of a fan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, Final

import numpy as np

from simulator.charts.frame import Frame, check_numbers, check_texts, check_years
from simulator.charts.spec import FigureOptions, Head
from simulator.charts.ticks import said_level
from simulator.errors import InputError, number
from simulator.history.columns import fit_date
from simulator.runs.estimates import sample_quantiles
from simulator.runs.events import event_table
from simulator.runs.groups import Dataset, Group, Run, arrays, group, headline_of, run_label, summarised_names
from simulator.runs.summary import (
    Summarised,
    component_crossings,
    component_levels,
    component_weights,
    crossing_table,
    summarised,
    threshold_table,
)
from simulator.runs.table import Row, Table
from simulator.scenario.canonical import stored_data
from simulator.schema.subjects import level_name
from simulator.units import Array, parse_unit, plain_unit
from simulator.variables import snake, told_by_laws
from simulator.wording import amount_words, capital, listed

SEEN: Final = {"physical_compute": ("run_log_compute", "run_year"), "spending": ("cost_log_usd", "costed_run_year")}
"""What was observed of a variable, and when; log10 of its unit."""
TRENDS: Final = {"physical_compute": "compute", "spending": "spending", "hardware": "efficiency"}
"""Which trend of the model of history a variable goes on from."""
NINETY = 1.645  # standard deviations from the middle to either end of the 90 % of a normal error
MOST_PATHS = 200
RESOLUTION = 0.002  # two bins of the histogram from which a run of the summary reads quantiles
_UNITS = {"J/s": "W"}


def subtitle(run: Group | Run) -> str:
    """Name the scenario and its subject."""
    return (
        f"{run.attrs['title']}: {run.attrs['subject']}".rstrip(" .?!:") if run.attrs["subject"] else run.attrs["title"]
    )


def run_head(run: Group | Run, title: str, under: str) -> Head:
    """Head a chart of a run: its subject, and what is drawn of it."""
    return Head(title, f"{subtitle(run)}.\n{under}", run_label(run))


def level_unit(unit: str) -> str:
    """Write the unit of a level as readers say it."""
    plain = plain_unit(unit)
    return "times the start" if plain == "1" else plain


def central_levels(levels: Sequence[float], band: float) -> tuple[float, float]:
    """Find the quantile levels of a central band among those of a summary.

    >>> central_levels([0.05, 0.5, 0.95], 0.9)
    (0.05, 0.95)
    """

    def near(wanted: float) -> list[float]:
        return [level for level in levels if abs(level - wanted) < 1e-9]

    low, high = near((1 - band) / 2), near((1 + band) / 2)
    if not (low and high and 0 < band < 1):
        known = [1 - 2 * level for level in levels if level < 0.5 and near(1 - level)]
        raise InputError(
            f"bands: {100 * band:g} %: the summary has no quantiles at its ends; it holds those of "
            f"{', '.join(f'{100 * level:.3g}' for level in sorted(known))} %. Choose among these."
        )
    return low[0], high[0]


def drawn_years(summary: Dataset, years: tuple[float, float] | None) -> list[int]:
    """Choose the places of the years of a run that lie within a range: two or more, rising."""
    every = np.asarray(summary["year"].values, dtype=np.float64)
    first, last = years or (every[0], every[-1])
    places: list[int] = np.flatnonzero((every >= first - 1e-9) & (every <= last + 1e-9)).tolist()
    if len(places) < 2:
        raise InputError(
            f"years: {number(first)} to {number(last)}: two or more years of the run must lie in it; {len(places)} do. "
            f"The run has {every.size}, {number(every[0])} to {number(every[-1])}: choose a range within them."
        )
    return places


@dataclass(frozen=True, slots=True)
class FanTables:
    """The tables of a fan; levels are log10 of the unit, or the unit itself where it is drawn on a plain scale.

    medians: `year` (decimal, ascending), `median`. bands: `band` ("90 %"; one to three), `year`, `lower`, `upper`.
    thresholds: `threshold`, `label`, `level`; where they are known, `quantity`, and `lower`, `upper` (90 % interval of
    a level that is itself uncertain; no `upper` where there may be no such level). crossings: `threshold`, `label`,
    `median`, `lower_50` ... `upper_90` (decimal years; None or inf: later than the horizon), `never`, `already` (shares
    of the samples), `last_year`. paths: `path`, `year`, `value`. history: `date`, `value`, `label` (may be empty).
    trend (what was learnt of the past): `year`, `median`, `lower`, `upper` (90 %). moving (thresholds that move):
    `threshold`, `year`, `value` (their median); where one does, `thresholds` say which (`moves`), at the last year.
    parts (of a mixture of scenarios): `part`, `weight`, `year`, `median`, `lower`, `upper` (90 %), and in
    `part_crossings` `part`, `threshold`, `label`, `median` and the other columns of crossings. windows: `event_table`.
    """

    medians: Table
    bands: Table = field(default_factory=partial(Table, {}))
    thresholds: Table = field(default_factory=partial(Table, {}))
    crossings: Table = field(default_factory=partial(Table, {}))
    paths: Table = field(default_factory=partial(Table, {}))
    history: Table = field(default_factory=partial(Table, {}))
    trend: Table = field(default_factory=partial(Table, {}))
    moving: Table = field(default_factory=partial(Table, {}))
    parts: Table = field(default_factory=partial(Table, {}))
    part_crossings: Table = field(default_factory=partial(Table, {}))
    windows: Table = field(default_factory=partial(Table, {}))

    def check(self) -> None:
        """Refuse tables that cannot be drawn."""
        check_years(self.medians)
        for table in (self.thresholds, self.crossings, self.history):
            check_texts(table, "label")
        for name, columns in _NUMBERS.items():
            check_numbers(getattr(self, name), *columns, of=name, beyond=name in ("medians", "bands", "paths", "parts"))
        check_numbers(self.crossings, *YEARS, of="crossings", open_ended=True)

    def band_names(self) -> list[str]:
        """Name the bands, the widest first."""
        return sorted(set(_column(self.bands, "band")), key=_percent, reverse=True)

    def path_count(self) -> int:
        """Count the sample paths."""
        return len(set(_column(self.paths, "path")))

    def seen(self) -> list[float]:
        """List the dates of what was observed, and the years of its trend."""
        return [*_column(self.history, "date"), *_column(self.trend, "year")]

    def levels(self) -> list[float]:
        """List what the axis must hold: levels of medians, paths, observations, and ends of bands."""
        drawn = [(self.medians, "median"), (self.paths, "value"), (self.history, "value"), (self.parts, "median")]
        drawn += [(table, end) for table in (self.bands, self.trend) for end in ("lower", "upper")]
        return [level for table, name in drawn for level in _column(table, name) if level != math.inf]


def _column(table: Table, name: str) -> list[Any]:
    """List a column of a table that may be empty."""
    return table[name].tolist() if len(table) else []


YEARS = ("median", "lower_50", "upper_50", "lower_90", "upper_90")
_NUMBERS = {
    "medians": ("median",), "bands": ("year", "lower", "upper"), "thresholds": ("level",), "paths": ("year", "value"),
    "crossings": ("never", "already", "samples", "last_year"), "history": ("date", "value"),
    "trend": ("year", "median", "lower", "upper"), "moving": ("year", "value"),
    "parts": ("weight", "year", "median", "lower", "upper"),
}  # fmt: skip


def _percent(name: str) -> float:
    try:
        return float(name.removesuffix("%"))
    except ValueError:
        raise InputError(f"bands: band: must be a percentage such as '90 %'; got {name!r}.") from None


@dataclass(frozen=True, slots=True)
class Fan:
    """The fan of one variable: its tables, its name, how it is called, its unit, and whether it is a logarithm.

    `dollars` says which ones a sum of money is in, where that is known.
    """

    tables: FanTables
    quantity: str
    label: str
    unit: str
    log: bool = True
    dollars: str = ""

    def full(self, unit: str) -> str:
        """Name a unit in which it is told; of a sum of money with its dollars."""
        return f"{unit} ({self.dollars} dollars)" if self.dollars else unit

    def heading(self, unit: str) -> str:
        """What stands over the plot: the name of the variable with its unit."""
        return f"{capital(self.label)}, {self.full(unit)}" if unit else capital(self.label)

    def told_in(self, frame: Frame) -> tuple[Frame, str]:
        """Choose the unit in which a frame of it is told, by its last median."""
        return frame.told_in(self.tables.medians["median"][-1], self.unit)

    @property
    def spread(self) -> bool:
        """Whether the bands have any width."""
        return len(self.tables.bands) > 0

    def said(self, level: float) -> str:
        """Write a level with its unit, in a line of text."""
        return amount_words(level, self.unit) if self.log else f"{said_level(level, log=False)} {self.unit}".strip()

    def table(self) -> Table:
        """Tabulate it in one row for a year: median and the ends of each band, the narrowest first."""
        medians, bands = self.tables.medians, self.tables.bands
        columns: dict[str, Any] = {
            "variable": [self.quantity] * len(medians),
            "unit": [f"log10({self.unit or 1})" if self.log else self.unit] * len(medians),
            **{name: medians[name] for name in medians.names},
        }
        for name in reversed(self.tables.band_names()):
            own, short = bands.where(band=name), name.removesuffix(" %")
            columns |= {f"lower_{short}": own["lower"], f"upper_{short}": own["upper"]}
        return Table(columns)


def read_fan(run: Group | Run, quantity: str, options: FigureOptions) -> Fan:
    """Read the tables of the fan of a variable off a run, and what the options ask for."""
    values = summarised(run, quantity)
    unit = str(values.attrs["units"])
    log = unit.startswith("log10(")
    places = _places(values.years, options.years)
    years = values.years[places]
    thresholds, crossings = threshold_table(run), crossing_table(run)
    moving, thresholds = _moving(run, quantity, thresholds, places)
    # Below the figure of a run stands all that it crosses.
    if quantity != headline_of(arrays(run, "summary")) and len(thresholds):
        own = thresholds.where(quantity=quantity)["threshold"]
        crossings = crossings.where(np.isin(crossings["threshold"], own))
    tables = FanTables(
        Table({"year": years, "median": _levels(run, quantity, values, 0.5)[places]}),
        _bands(run, quantity, values, options.bands, places),
        _with_certain_levels(thresholds),
        crossings,
        paths=_paths(run, quantity, options.paths, places),
        history=_history(options, log=log, quantity=quantity, unit=plain_unit(unit))
        or observed_table(run, quantity, years=options.years),
        trend=trend_table(run, quantity, years=options.years),
        moving=moving,
        parts=_parts(run, quantity, places),
        part_crossings=_part_crossings(run, crossings["threshold"].tolist() if len(crossings) else ()),
        windows=event_table(run),
    )
    said, dollars = _unit(quantity, unit), str(run.attrs.get("dollars", "not stated"))
    dollars = dollars if "USD" in said and dollars != "not stated" else ""
    return Fan(tables, quantity, str(values.attrs["long_name"]), said, log, dollars)


def _parts(run: Group | Run, quantity: str, places: Sequence[int]) -> Table:
    """Tabulate the median and the 90 % band of a variable in each part of a mixture, the weightiest first."""
    weights, found = component_weights(run), component_levels(run, quantity)
    rows = [
        {"part": name, "weight": weights[name], "year": year, "median": middle, "lower": low, "upper": high}
        for name in sorted(found, key=lambda name: -weights[name])
        for year, low, middle, high in np.stack(
            [found[name].years, *(found[name].at(level) for level in (0.05, 0.5, 0.95))], axis=1
        )[places].tolist()
    ]
    return Table.of_rows(rows) if rows else Table({})


def _part_crossings(run: Group | Run, thresholds: Sequence[str]) -> Table:
    found = component_crossings(run)
    return found.where(np.isin(found["threshold"], thresholds)) if len(found) else found


def _moving(run: Group | Run, quantity: str, thresholds: Table, places: Sequence[int]) -> tuple[Table, Table]:
    """Tabulate the medians of thresholds on a quantity that move, and give these the level of the last year drawn."""
    known, rows = summarised_names(arrays(run, "summary")), list(thresholds.rows())
    named = {str(row["threshold"]): f"moving_threshold_{snake(str(row['threshold']))}" for row in rows}
    found = {name: summarised(run, variable) for name, variable in named.items() if variable in known}
    own = [row["threshold"] for row in rows if row["quantity"] == quantity and row["threshold"] in found]
    if not found:
        return Table({}), thresholds
    paths = {name: _levels(run, named[name], values, 0.5)[places].tolist() for name, values in found.items()}
    ends = {name: {"level": path[-1], "lower": None, "upper": None, "moves": True} for name, path in paths.items()}
    told = [row | ends.get(row["threshold"], {"moves": False}) for row in rows]
    moving = [
        {"threshold": name, "year": year, "value": value}
        for name in own
        for year, value in zip(found[name].years[places], paths[name], strict=True)
    ]
    return Table.of_rows(moving), Table.of_rows(told)


def _with_certain_levels(thresholds: Table) -> Table:
    """Leave out thresholds that most samples have no level of, and intervals too narrow to tell apart."""
    if not len(thresholds):
        return thresholds
    thresholds = thresholds.where(np.isfinite(thresholds["level"]))
    if "lower" not in thresholds:
        return thresholds
    ends = [
        row if row["lower"] is not None and (row["upper"] is None or row["upper"] - row["lower"] >= RESOLUTION) else {}
        for row in thresholds.select("lower", "upper").rows()
    ]
    if not any(ends):
        return thresholds.select(*(name for name in thresholds.names if name not in ("lower", "upper")))
    return thresholds.with_columns({key: [row.get(key) for row in ends] for key in ("lower", "upper")})


def _bands(run: Group | Run, quantity: str, values: Summarised, bands: Sequence[float], places: Sequence[int]) -> Table:
    """Tabulate the central bands, the widest first; none where every prior is fixed and nothing is spread."""
    if not 1 <= len(set(bands)) <= 3 or not all(0 < band < 1 for band in bands):
        given = ", ".join(f"{100 * band:g}" for band in bands) or "none"
        raise InputError(f"--bands: must be one to three levels between 0 and 100 %; got {given}.")
    widest_first = sorted(set(bands), reverse=True)
    ends = [_ends(run, quantity, values, band) for band in widest_first]
    lower, upper = (np.concatenate([each[side][places] for each in ends]) for side in (0, 1))
    if np.array_equal(lower, upper):
        return Table({})
    return Table({
        "band": [f"{100 * band:g} %" for band in widest_first for _ in places],
        "year": np.tile(values.years[places], len(ends)), "lower": lower, "upper": upper,
    })  # fmt: skip


def _unit(quantity: str, unit: str) -> str:
    """Write the unit of a variable as readers say it."""
    inner = plain_unit(unit)
    if inner == "1":
        of_start = quantity.startswith("algorithms") or "_factor_" in quantity
        return "times the start" if of_start and not told_by_laws([quantity]) else ""
    return _UNITS.get(inner, inner)


def _places(years: Array, asked: tuple[float, float] | None) -> list[int]:
    """Choose the years to draw."""
    first, last = asked or (-math.inf, math.inf)
    places = [place for place, year in enumerate(years.tolist()) if first <= year <= last]
    if len(places) < 2:
        raise InputError(
            f"--years: must hold two or more years of the run, which has {years.size} from {years[0]:g} "
            f"to {years[-1]:g}; got {number(first)}-{number(last)}."
        )
    return places


def _levels(run: Group | Run, quantity: str, values: Summarised, level: float) -> Array:
    """Read a quantile by year from the summary, or where it has none at this level from the samples."""
    if values.has(level):
        return values.at(level)
    samples = np.asarray(arrays(run, "trajectories", of_samples=True)[quantity].values, dtype=np.float64)
    return np.asarray(sample_quantiles(samples, [level])[0])


def _ends(run: Group | Run, quantity: str, values: Summarised, band: float) -> tuple[Array, Array]:
    low, high = (1 - band) / 2, (1 + band) / 2
    if not (values.has(low) and values.has(high)) and "trajectories" not in run.children:
        can = [f"{100 * (1 - 2 * level):.3g}" for level in reversed(values.levels.tolist()) if level < 0.5 - 1e-9]
        raise InputError(
            f"--bands: a band of {100 * band:g} % cannot be had from this run, which kept its summary only; it has "
            f"{', '.join(can)} %. Name one of these, or run it again with --keep trajectories."
        )
    return _levels(run, quantity, values, low), _levels(run, quantity, values, high)


def _paths(run: Group | Run, quantity: str, count: int, places: Sequence[int]) -> Table:
    """Read the first samples of a variable."""
    if count == 0:
        return Table({})
    if not 0 < count <= MOST_PATHS:
        raise InputError(f"--paths: must be 0 to {MOST_PATHS}, more cannot be told apart; got {count}.")
    values = group(run, "trajectories", of_samples=True)[quantity]
    if count > values.sizes["sample"]:
        raise InputError(f"--paths: the run has {values.sizes['sample']:,} samples; got {count}. Draw fewer.")
    drawn = values.isel(sample=slice(count), year=list(places)).transpose("sample", "year")
    samples, years = drawn["sample"].values, drawn["year"].values
    return Table({
        "path": np.repeat(samples, years.size), "year": np.tile(years, samples.size),
        "value": drawn.values.astype(float).ravel(),
    })  # fmt: skip


def _history(options: FigureOptions, *, log: bool, quantity: str, unit: str) -> Table:
    """Put what was observed on the scale of the chart: what is of the quantity, or in its unit."""
    units = {str(row.get("unit", unit)) for row in options.history}
    alike = {each for each in units if each == unit or parse_unit(each).dimension == parse_unit(unit).dimension}
    if units and not alike:
        raise InputError(f"--history: {quantity} is in {unit}; the table is in {listed(sorted(units))}.")
    alike_rows = [row for row in options.history if row.get("unit", unit) in alike]
    seen = [row for row in alike_rows if row.get("quantity", quantity) == quantity]
    if options.history and not seen:
        had = listed(sorted({row["quantity"] for row in options.history}))
        raise InputError(
            f"--history: the table says nothing of {quantity}; it has {had}. Ask for --quantity physical_compute or "
            "spending, or give a table with the columns date, value and label."
        )
    for row in seen:
        if log and not row["value"] > 0:
            raise InputError(f"--history: {quantity} has a log scale: a value must be above 0; got {dict(row)}.")
    rows = [{**row, "value": math.log10(row["value"]) if log else row["value"]} for row in seen]
    return _within(Table.of_rows(rows, ("date", "value", "label")), "date", options.years)


def _within(table: Table, name: str, years: tuple[float, float] | None) -> Table:
    """Keep the rows whose date lies within a range, if there is one."""
    first, last = years or (-math.inf, math.inf)
    return table.where((table[name] >= first) & (table[name] <= last)) if len(table) else table


def observed_table(run: Group | Run, quantity: str, *, years: tuple[float, float] | None = None) -> Table:
    """Tabulate the observations of a variable that a run learnt from; training runs have no names there.

    Those of a quantity have the 90 % of their errors, `lower` and `upper`, and a label where the next has another.
    """
    name, when = SEEN.get(quantity, ("", ""))
    rows = _observed_rows(run, quantity)
    if "observed_data" in run.children and name in (seen := arrays(run, "observed_data")):
        pairs = zip(seen[when].values.tolist(), seen[name].values.tolist(), strict=True)
        rows += [{"date": date, "value": value, "label": ""} for date, value in pairs]
    return _within(Table.of_rows(sorted(rows, key=lambda row: (row["date"], row["value"]))), "date", years)


def _observed_rows(run: Group | Run, quantity: str) -> list[Row]:
    """List what the scenario of a run says that was observed of a quantity, and was written there in numbers."""
    history = (stored_data(run.attrs).get("history") if "scenario" in run.attrs else None) or {}
    told = history.get("quantities") or {}
    own = [each for name in told if quantity in (name, level_name(("quantities", name))) for each in told[name]]
    rows = list[dict[str, Any]]()
    for each, point in ((seen, point) for seen in own for point in seen.get("points", ())):
        reach = NINETY * math.hypot(each.get("error") or 0.0, point.get("spread", 0.0))
        said = {"date": point["at"], "value": point["log10"], "label": point.get("label", "")}
        rows.append(said | {"lower": point["log10"] - reach, "upper": point["log10"] + reach})
    rows.sort(key=lambda row: float(row["date"]))
    for row, following in pairwise(rows):
        row["label"] = "" if row["label"] == following["label"] else row["label"]
    return list(rows)


def trend_table(run: Group | Run, quantity: str, *, years: tuple[float, float] | None = None) -> Table:
    """Tabulate the trend that a run has learnt up to the end of the data, with its 90 %; empty of under two years."""
    learnt = arrays(run, "posterior") if quantity in TRENDS and "posterior" in run.children else None
    if learnt is None or TRENDS[quantity] not in learnt:  # a change point has no trend by year
        return Table({})
    known = learnt["year"].values
    path = learnt[TRENDS[quantity]].values.reshape(-1, known.size)  # (chain, draw, year)
    low, middle, high = np.quantile(path, [0.05, 0.5, 0.95], axis=0)
    whole = Table({"year": known, "lower": low, "median": middle, "upper": high})
    trend = _within(whole.where(known <= fit_date(learnt.attrs)), "year", years)
    return trend if len(trend) > 1 else Table({})
