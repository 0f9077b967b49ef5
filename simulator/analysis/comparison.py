"""Compare runs: what their scenarios say differently, and what comes out differently, with its standard error."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from simulator.analysis.attribution import (
    CROSSED,
    MEDIAN_YEAR,
    Attribution,
    attribute_runs,
    check_attributable,
    chosen_years,
)
from simulator.analysis.comparison_lines import NEVER, SAME, compared_lines
from simulator.engine.run_folders import Item, Say, read_alike, run_all
from simulator.files import short_hash
from simulator.runs.estimates import sorted_quantiles
from simulator.runs.groups import group
from simulator.runs.result import Result
from simulator.runs.summary import summarised_names
from simulator.runs.table import Row, Table
from simulator.scenario.differences import differing_inputs, run_labels
from simulator.units import Array
from simulator.wording import year_text

if TYPE_CHECKING:
    import xarray as xr

VARIABLES = ("effective_compute", "physical_compute", "spending", "capability")
LEVELS = (0.05, 0.5, 0.95)
LONGEST_STRETCH = 1024
"""Samples of the longest stretch whose own estimates enter a standard error, as in the summary of a run."""
EXACT = 1e-9
"""Below it an error is none: rounding, in runs whose numbers are fixed or differ by the same in every sample."""
MOST_LINES = 25

_QUANTILES = tuple(f"{100 * level:g} % quantile" if level != 0.5 else "median" for level in LEVELS)
_SAME_DRAWS = ("seed", "design", "block", "samples")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison(Result):
    """What differs between runs, the first of which is what the others are held against.

    A row of `inputs` is an entry, with a column for each run; `kind` is "number" for what results depend on. A row of
    `results` is a statistic of a run; `difference` is missing where a crossing is censored.
    """

    kind: ClassVar[str] = "comparison"
    runs: tuple[xr.DataTree, ...]
    labels: tuple[str, ...]
    inputs: Table
    results: Table
    attribution: Attribution | None = None

    @property
    def dataset(self) -> xr.Dataset:
        """Value, difference and their errors over (result, run); NaN where a run has no such result."""
        import xarray as xr

        keys = list(dict.fromkeys(tuple(row[name] for name in _HEAD) for row in self.results.rows()))
        made = {name: np.full((len(keys), len(self.labels)), np.nan) for name in _NUMBERS}
        for row in self.results.rows():
            at = keys.index(tuple(row[name] for name in _HEAD)), self.labels.index(row["run"])
            for name in _NUMBERS:
                made[name][at] = np.nan if row[name] is None else row[name]
        heads = Table.of_rows((dict(zip(_HEAD, key, strict=True)) for key in keys), _HEAD)
        coords = {"run": list(self.labels), **{name: ("result", heads[name]) for name in _HEAD}}
        return xr.Dataset({name: (("result", "run"), values) for name, values in made.items()}, coords=coords)

    @property
    def label(self) -> str:
        """The runs, with what they are called."""
        named = zip(self.runs, self.labels, strict=True)
        return "Runs " + ", ".join(f"{run.attrs['run_id']} ({label})" for run, label in named)

    @property
    def parts(self) -> tuple[Attribution, ...]:
        """The attribution, if there is one."""
        return (self.attribution,) if self.attribution else ()

    @property
    def folder_name(self) -> str:
        """`compare-<first>-<second>-<hash of the run ids and labels>`."""
        key = short_hash(*(f"{run.attrs['run_id']} {name}" for run, name in zip(self.runs, self.labels, strict=True)))
        plain = ["".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower()) for name in self.labels[:2]]
        return "-".join(["compare", *("-".join(filter(None, word.split("-")))[:40] for word in plain), key])

    def tables(self) -> dict[str, Table]:
        shared = {"attribution": self.attribution.table} if self.attribution else {}
        return {"inputs": self.inputs, "results": self.results, **shared}

    def lines(self, *, most: int = MOST_LINES) -> list[str]:
        """Say inputs first, then results, each run against the first; what does not fit in `most` lines is counted."""
        lines = compared_lines(self.inputs, self.results, self.labels, most=most)
        return lines + (self.attribution.lines() if self.attribution else [])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the runs hard to compare."""
        return tuple(_warnings(self.runs, self.labels))


_HEAD = ("quantity", "label", "statistic", "year", "unit")
_NUMBERS = ("value", "standard_error", "difference", "difference_error")


def compare_runs(
    runs: Sequence[Item],
    *,
    labels: Sequence[str] | None = None,
    attribute: bool = False,
    samples: int | None = None,
    seed: int | None = None,
    outputs: FilePath | str = "outputs",
    say: Say = lambda _: None,
) -> Comparison:
    """Compare runs: what differs in their inputs, and what differs in their results.

    Where two runs kept samples on the same seed, design, block and number of samples, priors of the same name have the
    same draws in both. Then the standard error of a difference comes from the differences within stretches of samples,
    sd over the stretches / sqrt(number of them), and is mostly smaller than that of two independent runs, which is
    sqrt(error1^2 + error2^2). Levels are compared in log10 of their unit (OOM), metrics in their own unit, crossings
    in years and in points of probability.

    Parameters
    ----------
    runs : sequence of xarray.DataTree, Scenario, path or name
        Two to twelve; the first is what the others are held against. Scenarios are run for it, on the draws of the
        first, unless samples or seed are given.
    labels : sequence of str, optional
        What to call them; without it their names, with the run id where two have the same.
    attribute : bool
        Whether each difference is shared out among the inputs that differ, as `attribute_difference` does; of two
        runs, neither of a mixture.
    samples, seed : int, optional
        Of the scenarios.
    outputs : path
        The folder among whose run folders fits of history are kept.
    say : function of str, optional
        Is told when a scenario learns from history.

    Returns
    -------
    Comparison
        Its tables are `inputs`, `results` and, where it was asked for, `attribution`.

    Raises
    ------
    InputError
        There are too few or too many runs, labels that are not one each and all different, or runs that cannot be
        attributed.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> runs = [simulate(load_scenario("essay-2023", overrides=[f"years.last={year}"])) for year in (2030, 2031)]
    >>> compare_runs(runs, labels=["short", "long"]).inputs.rows()
    [{'path': 'years.last', 'kind': 'number', 'short': '2030', 'long': '2031'}]
    """
    items = read_alike(runs, samples=samples, seed=seed)
    if attribute:
        check_attributable(items)
    held = run_all(items, FilePath(outputs), say=say)
    names = tuple(run_labels(held, labels))
    shared = attribute_runs(held, names) if attribute else None
    inputs = Table.of_rows(differing_inputs(held, labels=names))
    return Comparison(tuple(held), names, inputs, _differing_results(held, names), shared)


@dataclass(frozen=True, slots=True)
class _Measure:
    """What is compared: some statistics of one quantity, in one year where it has one."""

    quantity: str
    label: str
    unit: str
    statistics: tuple[str, ...]
    year: float | None = None


@dataclass(frozen=True, slots=True)
class _Estimate:
    """The statistics in one run: `values` and `errors` (statistic,), and what each stretch of samples gives alone."""

    values: Array
    errors: Array
    stretches: Array | None


def common_years(runs: Sequence[xr.DataTree]) -> list[float]:
    """List the years that all runs have, matched exactly."""
    return sorted(set.intersection(*(set(group(run, "summary")["year"].values.tolist()) for run in runs)))


def _differing_results(runs: Sequence[xr.DataTree], names: Sequence[str]) -> Table:
    """Tabulate results of runs side by side, and how far each is from that of the first run."""
    rows: list[Row] = []
    for measure in _measures(runs, chosen_years(common_years(runs))):
        first = _estimate(runs[0], measure)
        for run, name in zip(runs, names, strict=True):
            own = first if run is runs[0] else _estimate(run, measure)
            if first is None or own is None:
                continue
            gaps = [_FIRST] * len(measure.statistics) if name == names[0] else _gaps(runs[0], run, measure, first, own)
            head = {"quantity": measure.quantity, "label": measure.label}
            task = {"year": measure.year, "unit": measure.unit, "run": name}
            rows += [
                {**head, "statistic": statistic, **task, "value": value, "standard_error": _known(error), **gap}
                for statistic, value, error, gap in zip(
                    measure.statistics, own.values.tolist(), own.errors.tolist(), gaps, strict=True
                )
            ]
    return Table.of_rows(rows)


_FIRST: Row = {"difference": None, "difference_error": None, "draws": "", "said": ""}
"""How far the first run is from itself: nothing is said of it."""


def _gaps(first: xr.DataTree, run: xr.DataTree, measure: _Measure, one: _Estimate, other: _Estimate) -> list[Row]:
    """Hold the statistics of a run against those of the first."""
    errors = np.hypot(one.errors, other.errors)
    common = np.zeros(errors.shape, dtype=bool)
    if on_common_draws(first, run) and one.stretches is not None and other.stretches is not None:
        with np.errstate(invalid="ignore"):
            gaps = np.where(one.stretches == other.stretches, 0.0, other.stretches - one.stretches)
        together = _error(first, gaps)
        common = ~np.isnan(together)
        errors = np.where(common, together, errors)
    horizons = [float(group(each, "summary")["year"].values[-1]) for each in (first, run)]
    told: list[Row] = []
    for place, statistic in enumerate(measure.statistics):
        a, b = float(one.values[place]), float(other.values[place])
        gap = b - a if math.isfinite(a) and math.isfinite(b) else None
        error = None if gap is None else _known(float(errors[place]))
        sure = error is None or (error < EXACT and not common[place])
        draws = "" if sure else "common" if common[place] else "independent"
        said = _censored(a, b, horizons) if gap is None else _signed(statistic, measure.unit, gap, error)
        told.append({"difference": gap, "difference_error": error, "draws": draws, "said": said})
    return told


def _known(error: float) -> float | None:
    return None if math.isnan(error) else error


def on_common_draws(first: xr.DataTree, second: xr.DataTree) -> bool:
    """Tell whether priors of the same name have the same draws in both runs, and both kept them."""
    kept = all("trajectories" in run.children for run in (first, second))
    return kept and all(first.attrs[key] == second.attrs[key] for key in _SAME_DRAWS)


def _measures(runs: Sequence[xr.DataTree], years: Sequence[float]) -> Iterator[_Measure]:
    """List what the first run shares with any other."""
    first, *others = (group(run, "summary") for run in runs)
    variables = {name for summary in others for name in summarised_names(summary)} & set(summarised_names(first))
    for name in filter(variables.__contains__, VARIABLES):
        described = first[name].attrs
        for year in years:
            yield _Measure(name, str(described["long_name"]), str(described["units"]), _QUANTILES, year)
    shared = {name for summary in others for name in _thresholds(summary)}
    for name, label in _thresholds(first).items():
        if name in shared:
            yield _Measure(name, label, "year", (MEDIAN_YEAR,))
            for year in years:
                yield _Measure(name, label, "1", (NEVER if year == years[-1] else CROSSED,), year)


def _thresholds(summary: xr.Dataset) -> dict[str, str]:
    """Give the labels of the thresholds by name."""
    if "threshold" not in summary.coords:
        return {}
    return dict(zip(summary["threshold"].values.tolist(), summary["label"].values.tolist(), strict=True))


def _estimate(run: xr.DataTree, measure: _Measure) -> _Estimate | None:
    """Read some statistics off a run; None where it has no such quantity."""
    summary = group(run, "summary")
    if measure.statistics == _QUANTILES:
        if measure.quantity not in summary:
            return None
        every, error = summary[measure.quantity].sel(year=measure.year), f"{measure.quantity}_error"
        found = every.sel(quantile=list(LEVELS)).values
        errors = np.full(found.shape, np.nan)
        if error in summary:
            errors = summary[error].sel(quantile=list(LEVELS), year=measure.year).values
    elif measure.quantity not in _thresholds(summary):
        return None
    else:
        here = summary.sel(threshold=measure.quantity)
        every = here["crossing_quantile"]
        name, at = ("crossed", {"year": measure.year}) if measure.year else ("crossing_quantile", {"quantile": 0.5})
        found, errors = (np.atleast_1d(here[key].sel(at).values) for key in (name, f"{name}_error"))
    values = np.round(1.0 - found, 12) if measure.statistics == (NEVER,) else found
    stretches = _stretches(run, measure)
    if every.values[0] == every.values[-1]:  # all samples agree: there is nothing that another seed would change
        errors = np.zeros(values.shape)
    elif stretches is not None and np.isnan(errors).all():
        errors = _error(run, stretches)
    return _Estimate(values.astype(np.float64), errors.astype(np.float64), stretches)


def _stretches(run: xr.DataTree, measure: _Measure) -> Array | None:
    """Read the statistics off each full stretch of samples alone, (stretch, statistic)."""
    if "trajectories" not in run.children:
        return None
    if measure.statistics == _QUANTILES:
        kept = group(run, "trajectories")[measure.quantity].sel(year=measure.year)
    else:
        kept = group(run, "crossings")["crossing_year"].sel(threshold=measure.quantity)
    samples = np.asarray(kept.values)
    part = _stretch(run)
    full = samples.size // part
    parts = samples[: full * part].reshape(full, part)
    if measure.statistics in ((CROSSED,), (NEVER,)):
        shares: Array = np.mean(parts <= measure.year, axis=1, keepdims=True)
        return 1.0 - shares if measure.statistics == (NEVER,) else shares
    levels = LEVELS if measure.statistics == _QUANTILES else (0.5,)
    return sorted_quantiles(np.sort(parts, axis=1), levels).T


def _stretch(run: xr.DataTree) -> int:
    return min(int(run.attrs["block"]), LONGEST_STRETCH)


def _error(run: xr.DataTree, stretches: Array) -> Array:
    """Take sd over the stretches / sqrt(their number); NaN where there are fewer than two or one is censored."""
    if stretches.shape[0] < 2:
        return np.full(stretches.shape[1:], np.nan)
    with np.errstate(invalid="ignore"):
        spread: Array = np.std(stretches, axis=0, ddof=1) / np.sqrt(int(run.attrs["samples"]) / _stretch(run))
    return np.where(np.isfinite(stretches).all(axis=0), spread, np.nan)


def _censored(a: float, b: float, horizons: Sequence[float]) -> str:
    """Say which of two crossing years is later than the horizon."""
    texts = [year_text(year, horizon) for year, horizon in zip((a, b), horizons, strict=True)]
    return f"both {texts[0]}" if texts[0] == texts[1] else f"from {texts[0]} to {texts[1]}"


def _signed(statistic: str, unit: str, difference: float, error: float | None) -> str:
    """Say a difference with its error: in years or points, of a level in OOM, of a metric in its own unit."""
    if difference == 0.0 and not error:
        return SAME
    digits, word = (2, "OOM") if statistic in _QUANTILES else (1, "years" if statistic == MEDIAN_YEAR else "points")
    scale = 100 if word == "points" else 1
    value, spread = scale * difference, scale * (error or 0.0)
    text, smallest = f"{value:+.{digits}f}", 10.0**-digits
    told = f"{spread:.{digits}f}"
    if statistic in _QUANTILES and not unit.startswith("log10("):  # a metric may be of any size
        text, word = f"{value:+.4g}", "" if unit == "1" else unit
        told, smallest = f"{spread:.2g}", 10.0 ** (math.floor(math.log10(abs(value) or spread)) - 3)
    least = "" if spread < EXACT else f" ± {told}" if spread >= smallest / 2 else f" ± <{smallest:g}"
    return f"{text if float(text) else text[1:]}{least} {word}".rstrip()


def _warnings(runs: Sequence[xr.DataTree], names: Sequence[str]) -> Iterator[str]:
    """Say what makes the runs hard to compare."""
    for key, word in (("subject", "subjects"), ("dollars", "dollars")):
        said = [str(run.attrs[key]) for run in runs]
        if len(set(said)) > 1:
            listed = "; ".join(f"{name}: {text}" for name, text in zip(names, said, strict=True))
            yield f"the runs have different {word} - {listed}. A difference may be one of what is counted."
    years = common_years(runs)
    if not years:
        yield "the runs have no year in common: only crossing years are compared. Give them the same years and step."
    starts = [str(run.attrs["first_year"]) for run in runs]
    if years and len(set(starts)) > 1:
        yield (
            f"the runs begin in different years ({', '.join(starts)}), and effective compute counts FLOP of the "
            "algorithms of the first year: its levels are not alike."
        )
    apart = [name for run, name in zip(runs[1:], names[1:], strict=True) if not on_common_draws(runs[0], run)]
    if apart:
        yield (
            f"not on the draws of {names[0]}: {', '.join(apart)}. The errors of those differences are those of "
            "independent runs. For common draws keep the samples, with the same seed, design, block and number."
        )
    few = []
    for run, name in zip(runs, names, strict=True):
        ends = group(run, "summary")["effective_compute"].values[[0, -1]]
        if (ends[0] < ends[1]).any() and int(run.attrs["samples"]) < 2 * _stretch(run):  # not certain, and short
            few.append(name)
    if few:
        yield (
            f"too few samples to tell standard errors: {', '.join(few)}. They come from stretches of samples, of which "
            f"there must be two: {2 * LONGEST_STRETCH:,} samples are enough."
        )
    for run, name in zip(runs[1:], names[1:], strict=True):
        if run.attrs["run_id"] == runs[0].attrs["run_id"]:
            yield f"{name} is the same run as {names[0]}."
