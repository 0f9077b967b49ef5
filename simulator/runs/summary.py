"""Quantiles, tables and the printed summary, from a run alone."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.dates import point_words
from simulator.errors import InputError, near_or_all
from simulator.runs.actors import actor_summaries, actor_tables, lead_lines
from simulator.runs.allocation import allocation_tables
from simulator.runs.crossings import crossed_by, likely_line, said_by, threshold_samples, within
from simulator.runs.estimates import BANDS, INTERVAL, SAME_QUANTILE, place_of
from simulator.runs.events import event_lines, event_table
from simulator.runs.groups import (
    Group,
    arrays,
    differing_samples,
    headline_of,
    kept_dates,
    named_thresholds,
    read_quantiles,
    stood_on,
    summarised_names,
)
from simulator.runs.limits import binding_line, bound_limits
from simulator.runs.model_counts import count_lines, count_table
from simulator.runs.table import Table, axis_columns
from simulator.units import Array, plain_unit
from simulator.variables import told_by_laws
from simulator.wording import (
    amount_range,
    amount_words,
    apart_line,
    percent,
    plus_minus,
    sample_count,
    share_text,
    year_range,
    year_text,
)

if TYPE_CHECKING:
    import xarray as xr


PASSED = 0.995
"""A threshold that so many samples have passed at the start is nothing to forecast."""


@dataclass(frozen=True, slots=True)
class Summarised:
    """The quantiles of a variable by year: `values` (quantile, year) at `levels` (quantile,) and `years` (year,)."""

    levels: Array
    years: Array
    values: Array
    attrs: Mapping[str, Any]

    def at(self, level: float) -> Array:
        """Read one quantile by year; InputError where the summary does not have it."""
        return np.asarray(self.values[place_of(level, self.levels)], dtype=np.float64)

    def three_in(self, year: float) -> tuple[float, float, float]:
        """Read the 5, 50 and 95 % quantiles in the year of the grid that is nearest."""
        place = int(np.argmin(np.abs(self.years - year)))
        low, middle, high = (float(self.at(level)[place]) for level in (0.05, 0.5, 0.95))
        return low, middle, high

    @property
    def middle_and_last(self) -> tuple[float, float]:
        """The year in the middle of the grid, and its last year."""
        middle = self.years[np.argmin(np.abs(self.years - (self.years[0] + self.years[-1]) / 2))]
        return float(middle), float(self.years[-1])

    @property
    def is_log(self) -> bool:
        """Whether the values are log10 of their unit."""
        return str(self.attrs["units"]).startswith("log10(")

    @property
    def is_certain(self) -> bool:
        """Whether all samples agree in every year."""
        return bool((self.values[0] == self.values[-1]).all())

    def has(self, level: float) -> bool:
        """Say whether the summary has a quantile."""
        return bool(np.abs(self.levels - level).min() < SAME_QUANTILE)


def summarised(run: Group | xr.DataTree, quantity: str) -> Summarised:
    """Read the quantiles by year of a variable off the run's summary; InputError where it has none of that name."""
    summary = arrays(run, "summary")
    names = summarised_names(summary)
    if quantity not in names:
        hint = near_or_all(quantity, names)
        raise InputError(f"the run has no variable '{quantity}'. {hint}")
    return _summarised(summary, quantity)


def _summarised(summary: Group, name: str) -> Summarised:
    found, coords = summary.data_vars[name], summary.coords
    return Summarised(coords["quantile"].values, coords["year"].values, found.values, found.attrs)


def run_tables(run: Group | xr.DataTree) -> dict[str, Table]:
    """Give the tables of a run by the names of their CSV files; those of models and actors where it has some."""
    tables = {
        "quantiles": quantile_table(run),
        "crossing_years": crossing_quantile_table(run),
        "crossing_probability": probability_table(run),
        "binding": binding_table(run),
    }
    more = {"models": count_table(run), "events": event_table(run)}
    return tables | {name: table for name, table in more.items() if table} | allocation_tables(run) | actor_tables(run)


def quantile_table(run: Group | xr.DataTree) -> Table:
    """Tabulate every variable's quantiles by year, as log10 of its unit, with standard errors."""
    summary = arrays(run, "summary")
    names, data = summarised_names(summary), summary.data_vars
    kept = slice(None, None, kept_dates(summary)[0])
    years, levels = summary.coords["year"].values[kept], summary.coords["quantile"].values
    nothing = np.full((levels.size, years.size), np.nan)
    errors = [data[f"{name}_error"].values[:, kept] if f"{name}_error" in data else nothing for name in names]
    units = [data[name].attrs["units"] for name in names]
    values = np.ravel([data[name].values[:, kept] for name in names])
    columns = axis_columns({"variable": names, "quantile": levels, "year": years}) | {
        "unit": np.repeat(units, nothing.size),
        "value": values,
        "standard_error": np.ravel(errors),
    }
    return Table(columns).select("variable", "unit", "year", "quantile", "value", "standard_error")


def crossing_quantile_table(run: Group | xr.DataTree) -> Table:
    """Tabulate the quantiles of the crossing years (inf: later than the horizon), their errors, P(never)."""
    summary = arrays(run, "summary")
    names, data, levels = list(named_thresholds(summary)), summary.data_vars, summary.coords["quantile"].values
    if not names:
        return Table({})
    columns = axis_columns({"threshold": names, "quantile": levels})
    return Table(
        {
            "threshold": columns["threshold"],
            "quantity": np.repeat(summary.coords["quantity"].values, levels.size),
            "quantile": columns["quantile"],
            "year": data["crossing_quantile"].values.ravel(),
            "standard_error": data["crossing_quantile_error"].values.ravel(),
            "never_by_horizon": np.repeat(data["never"].values, levels.size),
            "already_at_start": np.repeat(data["already"].values, levels.size),
        }
    )


def probability_table(run: Group | xr.DataTree) -> Table:
    """Tabulate the probability of having crossed each threshold by each year, with its standard error."""
    summary = arrays(run, "summary")
    names, data = list(named_thresholds(summary)), summary.data_vars
    if not names:
        return Table({})
    values = {"probability": data["crossed"].values.ravel(), "standard_error": data["crossed_error"].values.ravel()}
    return Table(axis_columns({"threshold": names, "year": summary.coords["year"].values}) | values)


def binding_table(run: Group | xr.DataTree) -> Table:
    """Tabulate the share of samples in which each cap or constraint binds, by year."""
    summary = arrays(run, "summary")
    years = summary.coords["year"].values
    parts = [
        axis_columns({"on": [on.subject], "limit": on.names, "year": years})
        | {"share": on.shares.values.ravel(), "standard_error": on.errors.values.ravel()}
        | {"on_label": np.repeat(on.words, on.shares.values.size), "label": np.repeat(on.labels, years.size)}
        for on in bound_limits(summary)
    ]
    if not parts:
        return Table({})
    whole = Table({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    return whole.select("on", "on_label", "limit", "label", "year", "share", "standard_error")


def fan_table(run: Group | xr.DataTree, quantity: str, bands: Sequence[float]) -> tuple[Table, Table]:
    """Tabulate the fan of a variable: its median by year, and the central bands (such as 0.9) by year, widest first."""
    values, widest = summarised(run, quantity), sorted(bands, reverse=True)
    ends = [(values.at((1 - band) / 2), values.at((1 + band) / 2)) for band in widest]
    columns = axis_columns({"band": [f"{100 * band:g} %" for band in widest], "year": values.years})
    columns |= {"lower": np.ravel([low for low, _ in ends]), "upper": np.ravel([high for _, high in ends])}
    return Table({"year": values.years, "median": values.at(0.5)}), Table(columns)


def threshold_table(run: Group | xr.DataTree) -> Table:
    """Tabulate the thresholds' levels: median, and the 90 % interval where a level is uncertain.

    The columns of an interval are there where any level has one; an interval that reaches "never" has no upper end.
    """
    summary = arrays(run, "summary")
    names = list(named_thresholds(summary))
    if not names:
        return Table({})
    low, middle, high = read_quantiles(summary, "threshold_level_quantile", INTERVAL).values()
    columns: dict[str, Any] = {"threshold": names}
    columns |= {name: [str(each) for each in summary.coords[name].values] for name in ("label", "quantity")}
    columns |= {"level": middle}
    ends = list(zip(low.tolist(), high.tolist(), strict=True))
    if any(a < b for a, b in ends):
        columns["lower"] = [a if a < b else None for a, b in ends]
        columns["upper"] = [b if a < b < math.inf else None for a, b in ends]
    return Table(columns)


def crossing_table(run: Group | xr.DataTree) -> Table:
    """Tabulate the crossings as a chart needs them: median, 50 and 90 % intervals, P(never), P(already), ends.

    `samples` is how many the probabilities are estimated from: 1 where all are alike.
    """
    return _crossing_table(arrays(run, "summary"), differing_samples(run))


def component_crossings(run: Group | xr.DataTree) -> Table:
    """Tabulate the crossings as `crossing_table` does, for each `part` of a run that mixes scenarios."""
    samples = component_samples(run)
    tables = ((name, _crossing_table(part, samples[name])) for name, part in component_summaries(run).items())
    return sum((own.with_columns({"part": [name] * len(own)}) for name, own in tables if own), start=Table({}))


def _crossing_table(summary: Group, samples: int) -> Table:
    names, data = list(named_thresholds(summary)), summary.data_vars
    if not names:
        return Table({})
    order = ("median", "lower_50", "upper_50", "lower_90", "upper_90")
    columns: dict[str, Any] = {"threshold": names, "label": [str(each) for each in summary.coords["label"].values]}
    columns |= read_quantiles(summary, "crossing_quantile", {name: BANDS[name] for name in order})
    columns |= {"never": data["never"].values, "never_error": data["crossed_error"].values[:, -1]}
    columns |= {"already": data["already"].values, "samples": list(threshold_samples(summary, samples).values())}
    ends = {"first_year": 0, "last_year": -1}
    years = summary.coords["year"].values
    return Table(columns | {name: np.full(len(names), float(years[place])) for name, place in ends.items()})


MOST_THRESHOLDS = 12
"""Thresholds that the summary of a run dates."""


def summary_lines(run: Group | xr.DataTree, *, most: int = MOST_THRESHOLDS) -> list[str]:
    """Say a run in a few lines: what it is about, counts of models, crossing years, what binds.

    Parameters
    ----------
    run : xarray.DataTree
        From `simulate` or `open_run`; samples are not needed.
    most : int
        How many thresholds at most, in the order of the scenario; those that do not fit are counted.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> print(summary_lines(simulate(load_scenario("essay-2023", overrides=["samples=64"])))[-1])
      binds at 2043.0 (end of 2042) - spending: hard cap 100 %
    """
    summary, attrs, count = arrays(run, "summary"), run.attrs, int(run.attrs["samples"])
    head = (
        f"{attrs['title']}: {attrs['subject']} ({attrs['name']}, run {attrs['run_id']}, "
        f"{sample_count(count)}{f', seed {attrs["seed"]}' if count > 1 else ''})"
    )
    note, main = sampling_note(run), main_quantity(run)
    about = dict.fromkeys([main, *(["capability"] if "capability" in summarised_names(summary) else [])])
    weights = component_weights(run)
    apart = {f"{name} ({percent(weights[name])})": part for name, part in component_summaries(run).items()}
    parts = apart | actor_summaries(run)
    lines = [
        head,
        *([f"  {note}"] if note else []),
        *(line for name in about for line in _level_lines(summary, name, parts)),
    ]
    crossings = _crossing_lines(summary, differing_samples(run), parts)
    for told in crossings[:most]:
        lines += told
    if len(crossings) > most:
        lines.append(f"  ... and {len(crossings) - most} more thresholds in crossing_years.csv")
    is_passed = summary.data_vars["already"].values >= PASSED if named_thresholds(summary) else np.zeros(0, dtype=bool)
    passed = [str(summary.coords["label"].values[t]) for t in np.flatnonzero(is_passed)]
    first = float(summary.coords["year"].values[0])
    lines += [f"  passed in {first:g} already: {', '.join(passed)}"] if passed else []
    binding = binding_line(summary, differing_samples(run))
    likely = likely_line(run, passed=PASSED)
    lines += [*lead_lines(run), *event_lines(run), *count_lines(run, actor_summaries(run))]
    return [*lines, *([likely] if likely else []), *([binding] if binding else [])]


def by_date_lines(run: Group | xr.DataTree, date: str | float, *, threshold: str = "") -> list[str]:
    """Say what a run gives by a date: its main level, and how likely each threshold is crossed."""
    table = crossed_by(run, date, threshold=threshold)
    values = summarised(run, main_quantity(run))
    year = within(date, values.years)
    lines = [f"{run.attrs['title']!s} ({run.attrs['name']}, run {run.attrs['run_id']}) at {point_words(year)}"]
    if not threshold:
        three = (float(np.interp(year, values.years, values.at(level))) for level in (0.05, 0.5, 0.95))
        lines.append(f"  {_level_words(values, *three)}")
    lines += [f"  {said_by(row, run)}" for row in table.rows()] + ([] if threshold else lead_lines(run, year))
    if year not in values.years:
        what = [] if threshold else ["levels, in log10"]
        what += [] if "crossings" in run.children else ["probabilities, of which no samples were kept"]
        lines += [f"  on straight lines between the years of the run: {'; '.join(what)}"] if what else []
    return lines


def sampling_note(run: Group | xr.DataTree) -> str:
    """Say what a run has too few samples for; empty where it has enough, or where every number is fixed."""
    samples, block = int(run.attrs["samples"]), int(run.attrs["block"])
    if not run.attrs.get("uncertain", 1):
        return ""
    if samples == 1:
        return "one sample: a point forecast, one draw of each prior, and not a distribution"
    few = f"fewer than two blocks of {block:,} samples: errors of levels cannot be told"
    return few if samples < 2 * block else ""


def why_no_spread(run: Group | xr.DataTree, fixed: str = "every number is fixed") -> str:
    """Say why there is no spread: there is one sample only, or what is `fixed`."""
    only = int(run.attrs["samples"]) == 1 and run.attrs.get("uncertain", 1)
    return "one sample is a point forecast" if only else fixed


def main_quantity(run: Group | xr.DataTree) -> str:
    """Name what a run is about: effective compute, or physical where no algorithms tell the two apart.

    Where all its thresholds stand on others, it is the first that they stand on.
    """
    whole = "effective_compute" if "algorithms" in str(run.attrs["drivers"]).split() else "physical_compute"
    summary = arrays(run, "summary")
    if "effective_compute" not in summary.data_vars:
        return headline_of(summary)
    asked = stood_on(summary)
    beside = {"capability", *told_by_laws(asked)}
    known = [name for name in asked if name in summarised_names(summary) and name not in beside]
    if len(known) < len(asked) or not known or not {"effective_compute", "physical_compute"}.isdisjoint(known):
        return whole
    return str(known[0])


def component_weights(run: Group | xr.DataTree) -> dict[str, float]:
    """Read the weights of the components of a run that mixes scenarios, by name; nothing of a run of one scenario."""
    return dict(json.loads(str(run.attrs.get("components") or "{}")))


def component_samples(run: Group | xr.DataTree) -> dict[str, int]:
    """Count the samples of each component that shares are estimated from: 1 where all are alike."""
    samples = differing_samples(run)
    return {name: max(1, round(weight * samples)) for name, weight in component_weights(run).items()}


def component_summaries(run: Group | xr.DataTree) -> dict[str, Group]:
    """Give the summaries of the components that have samples; nothing of a run of one scenario."""
    parts = run.children.get("components")
    return {} if parts is None else {str(name): arrays(parts, str(name)) for name in parts.children}


def _level_lines(summary: Group, name: str, parts: Mapping[str, Group]) -> list[str]:
    found = _summarised(summary, name)
    error = _summarised(summary, f"{name}_error").at(0.5) if f"{name}_error" in summary.data_vars else None
    lines = []
    for year in dict.fromkeys(found.middle_and_last):
        low, mid, high = found.three_in(year)
        spread = float(error[found.years == year][0]) if error is not None and high > low else math.nan
        logs = f", log10 {mid:.2f}{plus_minus(spread, 2)}" if found.is_log and mid < math.inf else ""
        lines.append(f"  {point_words(year)}  {_level_words(found, low, mid, high)}{logs}")
        known = {each: _summarised(part, name) for each, part in parts.items() if name in part.data_vars}
        lines += apart_line({each: _level_text(part, part.three_in(year)[1]) for each, part in known.items()})
    return lines


def _level_words(found: Summarised, low: float, middle: float, high: float) -> str:
    """Say what a variable is called, and its median and 90 % interval in its unit."""
    interval = f" (90 % {amount_range(_level_text(found, low), _level_text(found, high))})" if high > low else ""
    return f"{found.attrs['long_name']} {_level_text(found, middle, bare=False)}{interval}"


def _level_text(found: Summarised, level: float, *, bare: bool = True) -> str:
    """Write a level as people tell it; `bare`: without its unit, but for millions, billions and the like."""
    if level == math.inf and not found.is_log:
        return "beyond any number"
    unit = plain_unit(str(found.attrs["units"]))
    unit = "" if unit in ("1", found.attrs["long_name"]) else unit
    text = amount_words(level, unit) if found.is_log else f"{level:.3g} {unit}".rstrip()
    return text.removesuffix(unit).rstrip() if bare else text


def component_levels(run: Group | xr.DataTree, quantity: str) -> dict[str, Summarised]:
    """Read a variable's quantiles by component of a run that mixes scenarios; nothing of a run of one scenario."""
    parts = component_summaries(run).items()
    return {name: _summarised(part, quantity) for name, part in parts if quantity in part.data_vars}


def _crossing_lines(summary: Group, samples: int, parts: Mapping[str, Group]) -> list[list[str]]:
    """Say each threshold that is not passed at the start in a line; one more where there are components."""
    names, data = list(named_thresholds(summary)), summary.data_vars
    if not names:
        return []
    first, last = (float(summary.coords["year"].values[place]) for place in (0, -1))
    lows, middles, highs = read_quantiles(summary, "crossing_quantile", INTERVAL).values()
    errors = read_quantiles(summary, "crossing_quantile_error")["median"]
    apart = {name: read_quantiles(part, "crossing_quantile") for name, part in parts.items()}
    labels, share_errors = summary.coords["label"].values, data["crossed_error"].values[:, -1]
    certain, known = _summarised(summary, headline_of(summary)).is_certain, threshold_samples(summary, samples)
    lines = []
    for t in np.flatnonzero(data["already"].values < PASSED):
        low, mid, high = float(lows[t]), float(middles[t]), float(highs[t])
        error = math.nan if low == high or mid <= first else float(errors[t])
        never = float(data["never"].values[t])
        told = f"{year_text(mid, last, first)}{plus_minus(error, 1)}"
        told += f" (90 % {year_range(low, high, last, first)})" if low < high else ""
        if low < high or not certain:
            told += f", never by {last:g}: {share_text(never, known[names[t]], float(share_errors[t]))}"
        middle = {name: float(dates["median"][t]) for name, dates in apart.items()}
        lines.append(
            [f"  {labels[t]}: {told}", *apart_line({name: year_text(mid, last, first) for name, mid in middle.items()})]
        )
    return lines


def sources(run: Group | xr.DataTree) -> dict[str, str]:
    """List the source of each prior by name."""
    return dict(json.loads(run.attrs["sources"]))
