"""The tables of fans, read off a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.chart_frame import said_level
from simulator.charts import FanTables
from simulator.errors import InputError, number
from simulator.estimates import sample_quantiles
from simulator.fan_history import observed_rows, trend_rows
from simulator.figure import FigureOptions, Row
from simulator.labelled import Group
from simulator.rungroups import arrays, group
from simulator.summary import Summarised, crossing_table, summarised, threshold_table
from simulator.units import Array
from simulator.words import power

if TYPE_CHECKING:
    import xarray as xr

MOST_PATHS = 200
RESOLUTION = 0.002
"""Two bins of the histogram from which a run of the summary reads quantiles."""
_UNITS = {"J/s": "W"}


@dataclass(frozen=True, slots=True)
class Fan:
    """The fan of one variable: its name, how it is called, its unit, whether it is a logarithm, and its tables."""

    quantity: str
    label: str
    unit: str
    log: bool
    tables: FanTables

    @property
    def spread(self) -> bool:
        """Whether the bands have any width."""
        return bool(self.tables.bands)

    def said(self, level: float) -> str:
        """Write a level with its unit, in a line of text."""
        number = power(level) if self.log and not -2 <= level < 4 else said_level(level, log=self.log)
        return f"{number} {self.unit}".strip()


def read_fan(run: Group | xr.DataTree, quantity: str, options: FigureOptions) -> Fan:
    """Read the tables of the fan of a variable off a run.

    Raises
    ------
    InputError
        As `fan_figures`.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> fan = read_fan(simulate(load_scenario("essay-2023")), "spending", FigureOptions(years=(2040, 2043)))
    >>> fan.unit, fan.log, fan.spread, len(fan.tables.medians)  # fixed numbers have no spread
    ('USD', True, False, 4)
    """
    values = summarised(run, quantity)
    unit = str(values.attrs["units"])
    log = unit.startswith("log10(")
    places = _places(values.years, options.years)
    years = values.years[places].tolist()
    medians = [
        {"year": year, "median": level}
        for year, level in zip(years, _levels(run, quantity, values, 0.5)[places].tolist(), strict=True)
    ]
    bands: list[Row] = []
    for band in sorted(_checked_bands(options.bands), reverse=True):
        lower, upper = _band(run, quantity, values, band)
        bands += [
            {"band": f"{100 * band:g} %", "year": year, "lower": low, "upper": high}
            for year, low, high in zip(years, lower[places].tolist(), upper[places].tolist(), strict=True)
        ]
    if all(row["lower"] == row["upper"] for row in bands):
        bands = []  # every prior in it is fixed: there is no spread to draw
    every = quantity == "effective_compute"  # the figure of a run: all that it crosses stands below
    thresholds = [_certain(row) for row in threshold_table(run) if _has_level(row)]
    own = {row["threshold"] for row in threshold_table(run) if row["quantity"] == quantity}
    crossings = [row for row in crossing_table(run) if every or row["threshold"] in own]
    tables = FanTables(
        medians, bands, thresholds, crossings, paths=_paths(run, quantity, options.paths, places),
        history=_history(options, log=log, quantity=quantity) or observed_rows(run, quantity, years=options.years),
        trend=trend_rows(run, quantity, years=options.years),
    )  # fmt: skip
    return Fan(quantity, str(values.attrs["long_name"]), _unit(quantity, unit), log, tables)


def _has_level(row: Row) -> bool:
    """Say whether a threshold has a level in the median; one that most samples have none of gets no line."""
    level = row["level"]
    return isinstance(level, float) and math.isfinite(level)


def _certain(row: Row) -> Row:
    """Take away an interval that is no wider than what a run of the summary tells apart."""
    lower, upper = row.get("lower"), row.get("upper")
    narrow = isinstance(lower, float) and isinstance(upper, float) and upper - lower < RESOLUTION
    return {key: value for key, value in row.items() if not (narrow and key in ("lower", "upper"))}


def _unit(quantity: str, unit: str) -> str:
    """Write the unit of a variable as readers say it."""
    inner = unit.removeprefix("log10(").removesuffix(")") if unit.startswith("log10(") else unit
    if inner == "1":
        return "times the start" if quantity.startswith("algorithms") or "_factor_" in quantity else ""
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


def _checked_bands(bands: Sequence[float]) -> Sequence[float]:
    if not 1 <= len(set(bands)) <= 3 or not all(0 < band < 1 for band in bands):
        given = ", ".join(f"{100 * band:g}" for band in bands) or "none"
        raise InputError(f"--bands: must be one to three levels between 0 and 100 %; got {given}.")
    return sorted(set(bands))


def _levels(run: Group | xr.DataTree, quantity: str, values: Summarised, level: float) -> Array:
    """Read a quantile by year from the summary, or where it has none at this level from the samples."""
    if values.has(level):
        return values.at(level)
    samples = arrays(run, "trajectories", of_samples=True)[quantity].values
    return np.asarray(sample_quantiles(np.asarray(samples, dtype=np.float64), [level])[0])


def _band(run: Group | xr.DataTree, quantity: str, values: Summarised, band: float) -> tuple[Array, Array]:
    low, high = (1 - band) / 2, (1 + band) / 2
    if not (values.has(low) and values.has(high)) and "trajectories" not in run.children:
        can = [f"{100 * (1 - 2 * level):.3g}" for level in reversed(values.levels.tolist()) if level < 0.5 - 1e-9]
        raise InputError(
            f"--bands: a band of {100 * band:g} % cannot be had from this run, which kept its summary only; it has "
            f"{', '.join(can)} %. Name one of these, or run it again with --keep trajectories."
        )
    return _levels(run, quantity, values, low), _levels(run, quantity, values, high)


def _paths(run: Group | xr.DataTree, quantity: str, count: int, places: Sequence[int]) -> list[Row]:
    """Read the first samples of a variable."""
    if count == 0:
        return []
    if not 0 < count <= MOST_PATHS:
        raise InputError(f"--paths: must be 0 to {MOST_PATHS}, more cannot be told apart; got {count}.")
    values = group(run, "trajectories", of_samples=True)[quantity]
    if count > values.sizes["sample"]:
        raise InputError(f"--paths: the run has {values.sizes['sample']:,} samples; got {count}. Draw fewer.")
    drawn = values.isel(sample=slice(count), year=list(places)).transpose("sample", "year")
    years = drawn["year"].values.tolist()
    return [
        {"path": sample, "year": year, "value": value}
        for sample, line in zip(drawn["sample"].values.tolist(), drawn.values.astype(float).tolist(), strict=True)
        for year, value in zip(years, line, strict=True)
    ]


def _history(options: FigureOptions, *, log: bool, quantity: str) -> list[Row]:
    """Put observed runs on the scale of the chart."""
    first, last = options.years or (-math.inf, math.inf)
    rows: list[Row] = []
    for row in options.history:
        value, date = float(str(row["value"])), float(str(row["date"]))
        if log and not value > 0:
            raise InputError(f"--history: {quantity} has a log scale: a value must be above 0; got {dict(row)}.")
        if first <= date <= last:
            rows.append({"date": date, "value": math.log10(value) if log else value, "label": str(row["label"])})
    return rows


def wide_rows(fans: Sequence[Fan]) -> list[Row]:
    """Tabulate fans, one row for a variable and year: median and the ends of each band.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=256"]))
    >>> list(wide_rows([read_fan(run, "spending", FigureOptions())])[0])
    ['variable', 'unit', 'year', 'median', 'lower_50', 'upper_50', 'lower_80', 'upper_80', 'lower_90', 'upper_90']
    """
    rows: list[Row] = []
    for fan in fans:
        bands = {(row["band"], row["year"]): row for row in fan.tables.bands}
        names = list(dict.fromkeys(str(row["band"]) for row in reversed(fan.tables.bands)))
        unit = f"log10({fan.unit or 1})" if fan.log else fan.unit
        for row in fan.tables.medians:
            cells: dict[str, object] = {"variable": fan.quantity, "unit": unit, **row}
            for name in names:
                short = name.removesuffix(" %")
                cells |= {f"{end}_{short}": bands[name, row["year"]][end] for end in ("lower", "upper")}
            rows.append(cells)
    return rows
