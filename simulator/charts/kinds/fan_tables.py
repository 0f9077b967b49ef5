"""The tables of fans, read off a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.charts.frame import said_level
from simulator.charts.kinds.fan import FanTables
from simulator.charts.kinds.fan_layers import share_text
from simulator.charts.spec import FigureOptions, Row
from simulator.errors import InputError, number
from simulator.runs.estimates import sample_quantiles
from simulator.runs.groups import Group, arrays, group
from simulator.runs.summary import PASSED, Summarised, crossing_table, summarised, threshold_table
from simulator.units import Array
from simulator.wording import listed, power

if TYPE_CHECKING:
    import xarray as xr


SEEN: Final = {"physical_compute": ("run_log_compute", "run_year"), "spending": ("cost_log_usd", "costed_run_year")}
"""What was observed of a variable, and when; log10 of its unit."""
TRENDS: Final = {"physical_compute": "compute", "spending": "spending", "hardware": "efficiency"}
"""Which trend of the model of history a variable goes on from."""


def observed_rows(run: Group | xr.DataTree, quantity: str, *, years: tuple[float, float] | None = None) -> list[Row]:
    """List the observations of a variable that a run learnt from; none of a run that has not learnt.

    Parameters
    ----------
    run : xarray.DataTree, or its groups of labelled arrays
    quantity : str
        A variable of the summary.
    years : first and last year, or None for all

    Returns
    -------
    rows of `date` (decimal year), `value` (log10 of the unit), `label` (empty: a run holds no names of them)

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> observed_rows(simulate(load_scenario("doubling-times")), "physical_compute")
    []
    """
    if quantity not in SEEN or "observed_data" not in run.children:
        return []
    name, when = SEEN[quantity]
    seen = arrays(run, "observed_data")
    if name not in seen:
        return []
    first, last = years or (-math.inf, math.inf)
    pairs = sorted(zip(seen[when].values.tolist(), seen[name].values.tolist(), strict=True))
    return [{"date": date, "value": value, "label": ""} for date, value in pairs if first <= date <= last]


def trend_rows(run: Group | xr.DataTree, quantity: str, *, years: tuple[float, float] | None = None) -> list[Row]:
    """Tabulate the trend that a run has learnt, up to the end of the data; none of a run that has not learnt.

    Returns
    -------
    rows of `year`, `median`, and `lower`, `upper` (the central 90 %), log10 of the unit; none where fewer than two
    years are left
    """
    if quantity not in TRENDS or "posterior" not in run.children:
        return []
    learnt = arrays(run, "posterior")
    years_learnt = learnt["year"].values
    path = learnt[TRENDS[quantity]].values.reshape(-1, years_learnt.size)  # (chain, draw, year)
    bands = np.quantile(path, [0.05, 0.5, 0.95], axis=0)
    first, last = years or (-math.inf, math.inf)
    end = float(learnt.attrs["origin"]) + 1.0
    rows: list[Row] = [
        {"year": year, "lower": low, "median": median, "upper": high}
        for year, low, median, high in zip(years_learnt.tolist(), *bands.tolist(), strict=True)
        if first <= year <= min(last, end)
    ]
    return rows if len(rows) > 1 else []


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
    levels = threshold_table(run).rows()
    thresholds = [_certain(row) for row in levels if _has_level(row)]
    own = {row["threshold"] for row in levels if row["quantity"] == quantity}
    crossings = [row for row in crossing_table(run).rows() if every or row["threshold"] in own]
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
    narrow = lower is None or (isinstance(lower, float) and isinstance(upper, float) and upper - lower < RESOLUTION)
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


def capital(text: str) -> str:
    """Begin a sentence with a text."""
    return f"{text[0].upper()}{text[1:]}"


def first_year(fan: Fan) -> str:
    """Write the first year that is drawn."""
    return number(float(str(fan.tables.medians[0]["year"])))


def last_year(fan: Fan) -> str:
    """Write the last year that is drawn."""
    return number(float(str(fan.tables.medians[-1]["year"])))


def widest(fan: Fan) -> str:
    """Name the widest band."""
    return str(fan.tables.bands[0]["band"])


def final_level(fan: Fan, key: str) -> float:
    """Read the last median, or an end of the widest band in the last year."""
    if key == "median":
        return float(str(fan.tables.medians[-1]["median"]))
    rows = [row for row in fan.tables.bands if row["band"] == widest(fan)]
    return float(str(rows[-1][key]))


def final_range(fan: Fan) -> str:
    """Write the widest band in the last year."""
    if not fan.spread:
        return fan.said(final_level(fan, "median"))
    low, high = fan.said(final_level(fan, "lower")), fan.said(final_level(fan, "upper"))
    return low if low == high else f"{low.removesuffix(fan.unit).strip()} to {high}"


def panel_line(fan: Fan) -> str:
    """Say in a few words what one of several fans shows."""
    level = fan.said(final_level(fan, "median"))
    if not fan.spread:
        return f"{last_year(fan)}: {level}"
    return f"{last_year(fan)}: median {level}, {widest(fan)} {final_range(fan).removesuffix(fan.unit).strip()}"


def course(fan: Fan) -> str:
    """Say where the median begins and ends, and how wide the samples end."""
    first, last = float(str(fan.tables.medians[0]["median"])), final_level(fan, "median")
    verb = "stays near" if fan.said(first) == fan.said(last) else "rises from" if last > first else "falls from"
    course = f"{verb} {fan.said(first)} in {first_year(fan)}"
    if fan.said(first) != fan.said(last):
        course += f" to {fan.said(last)} in {last_year(fan)}"
    if not fan.spread:
        return f"{fan.label} {course}, without any spread"
    return f"the median of {fan.label} {course}; {widest(fan)} of the samples end at {final_range(fan)}"


def fan_caption(fan: Fan) -> str:
    """Say the fan and its crossings in three sentences.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> from simulator.charts.kinds.fan_tables import read_fan
    >>> from simulator.charts.spec import FigureOptions
    >>> fan = read_fan(simulate(load_scenario("essay-2023")), "spending", FigureOptions())
    >>> print(fan_caption(fan))
    Spending rises from 1,000 USD in 2012 to 1e11 USD in 2043, without any spread. It crosses $100 billion run in 2030.
    """
    sentences = [f"{capital(course(fan))}."]
    own = {row["threshold"] for row in fan.tables.thresholds if row["quantity"] == fan.quantity}
    rows = [row for row in fan.tables.crossings if row["threshold"] in own and float(str(row["already"])) < PASSED]
    crossed = [row for row in rows if math.isfinite(float(str(row["median"])))]
    late = [row for row in rows if row not in crossed]
    if crossed:
        said = [f"{row['label']} in {math.floor(float(str(row['median'])) + 1e-6)}" for row in crossed[:4]]
        sentences.append(f"{'The median crosses' if fan.spread else 'It crosses'} {listed(said)}.")
    if late:
        horizon = number(float(str(late[0]["last_year"])))
        said = [f"{row['label']} in {share_text(float(str(row['never'])))} of the samples" for row in late[:3]]
        sentences.append(f"Not crossed by {horizon}: {listed(said)}.")
    if fan.tables.history:
        named = ", labelled where there is room" if any(row["label"] for row in fan.tables.history) else ""
        sentences.append(f"Dots: runs that were observed ({len(fan.tables.history)}){named}.")
    if fan.tables.trend:
        sentences.append(f"Grey: the trend that was learnt of them, to {number(_trend_end(fan))}, with its 90 % band.")
    return " ".join(sentences)


def _trend_end(fan: Fan) -> float:
    return float(str(fan.tables.trend[-1]["year"]))


def fan_alt_text(fan: Fan) -> str:
    """Describe a fan to somebody who does not see it.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> from simulator.charts.kinds.fan_tables import read_fan
    >>> from simulator.charts.spec import FigureOptions
    >>> fan = read_fan(simulate(load_scenario("essay-2023")), "spending", FigureOptions())
    >>> for sentence in fan_alt_text(fan).split(". "):
    ...     print(sentence)
    Chart of one line: years from 2012 to 2043 along, spending in USD on a log scale up
    Spending rises from 1,000 USD in 2012 to 1e11 USD in 2043, without any spread
    Below, bars show the years in which a threshold is crossed.
    """
    scale = "on a log scale" if fan.log else "on a plain scale"
    unit = f" in {fan.unit}" if fan.unit else ""
    bands = list(dict.fromkeys(str(row["band"]) for row in reversed(fan.tables.bands)))
    drawn = f"Fan chart of a median and bands of {listed(bands)} of the samples" if bands else "Chart of one line"
    sentences = [
        f"{drawn}: years from {first_year(fan)} to {last_year(fan)} along, {fan.label}{unit} {scale} up.",
        f"{capital(course(fan))}.",
    ]
    extra = []
    if fan.tables.paths:
        extra.append(f"{len({row['path'] for row in fan.tables.paths})} thin lines are single samples")
    if fan.tables.history:
        extra.append(f"dots are observed runs ({len(fan.tables.history)})")
    if fan.tables.trend:
        extra.append(f"a grey band is the trend that was learnt of the past, to {number(_trend_end(fan))}")
    if extra:
        sentences.append(f"{capital(' and '.join(extra))}.")
    if fan.tables.crossings:
        count = len(fan.tables.crossings)
        crossed = "a threshold is crossed" if count == 1 else f"{count} thresholds are crossed"
        sentences.append(f"Below, bars show the years in which {crossed}.")
    return " ".join(sentences)
