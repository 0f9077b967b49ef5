"""Compare runs: what their scenarios say differently, and what comes out differently, with its standard error."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.runs.estimates import sorted_quantiles
from simulator.runs.groups import group
from simulator.runs.summary import summarised_names
from simulator.scenario.differences import differing_inputs, run_labels
from simulator.wording import cut, power_text, year_text

if TYPE_CHECKING:
    import xarray as xr

VARIABLES = ("effective_compute", "physical_compute", "spending", "capability")
LEVELS = (0.05, 0.5, 0.95)
LONGEST_STRETCH = 1024
EXACT = 1e-9
"""Below it an error is none: rounding, in runs whose numbers are fixed or differ by the same in every sample."""
"""Samples of the longest stretch whose own estimates enter a standard error, as in the summary of a run."""

_SAME_DRAWS = ("seed", "design", "block", "samples")

__all__ = [
    "Comparison",
    "chosen_years",
    "compare_results",
    "compared_years",
    "differing_inputs",
    "differing_results",
    "run_labels",
]

type Array = NDArray[np.float64]
type Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between runs, the first of which is what the others are held against.

    Parameters
    ----------
    labels : what each run is called, all different
    inputs, results : as from `differing_inputs` and `differing_results`
    warnings : what makes the runs hard to compare
    """

    labels: tuple[str, ...]
    inputs: Sequence[Row]
    results: Sequence[Row]
    warnings: tuple[str, ...]


def compare_results(runs: Sequence[xr.DataTree], *, labels: Sequence[str] | None = None) -> Comparison:
    """Compare runs: inputs, results, and what makes them hard to compare.

    Parameters
    ----------
    runs : sequence of xarray.DataTree
        Two to twelve; the first is what the others are held against.
    labels : sequence of str, optional
        What to call them; without it their names, with the run id where two have the same.

    Raises
    ------
    InputError
        There are too few or too many runs, or labels that are not one each and all different.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=2048"]))
    >>> rows = [row for row in compare_results([run, run]).results if row["run"] == "baseline (2)"]
    >>> sorted({str(row["said"]) for row in rows})
    ['both > 2045', 'no difference']
    """
    names = run_labels(runs, labels)
    return Comparison(
        tuple(names),
        differing_inputs(runs, labels=names),
        differing_results(runs, labels=names),
        tuple(_warnings(runs, names)),
    )


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


_QUANTILES = tuple(f"{100 * level:g} % quantile" if level != 0.5 else "median" for level in LEVELS)
MEDIAN_YEAR = "median crossing year"
NEVER = "probability of no crossing"
CROSSED = "probability of having crossed"
SAME = "no difference"


def common_years(runs: Sequence[xr.DataTree]) -> list[float]:
    """List the years that all runs have, matched exactly.

    Parameters
    ----------
    runs : sequence of xarray.DataTree

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> changes = (["years.first=2039"], ["years.last=2041"])
    >>> common_years([simulate(load_scenario("essay-2023", overrides=change)) for change in changes])
    [2039.0, 2040.0, 2041.0]
    """
    shared = set.intersection(*(set(group(run, "summary")["year"].values.tolist()) for run in runs))
    return sorted(shared)


def compared_years(runs: Sequence[xr.DataTree]) -> list[float]:
    """Choose the common years that are compared: a quarter of the way, half of it, the last.

    Parameters
    ----------
    runs : sequence of xarray.DataTree

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> compared_years([simulate(load_scenario("essay-2023"))])
    [2020.0, 2027.0, 2043.0]
    """
    years = common_years(runs)
    return chosen_years(years) if years else []


def chosen_years(years: Sequence[float]) -> list[float]:
    """Choose a quarter of the way, half of it and the last of years.

    Examples
    --------
    >>> chosen_years([2025.5, 2026.0, 2030.0, 2035.0, 2045.0])
    [2030.0, 2035.0, 2045.0]
    """
    grid = np.array(years)
    wanted = [years[0] + share * (years[-1] - years[0]) for share in (0.25, 0.5, 1.0)]
    return sorted({years[int(np.argmin(np.abs(grid - year)))] for year in wanted})


def differing_results(runs: Sequence[xr.DataTree], *, labels: Sequence[str] | None = None) -> list[Row]:
    """Tabulate results of runs side by side, and how far each is from that of the first run.

    Where two runs kept samples on the same seed, design, block and number of samples, priors of the same name have the
    same draws in both. Then the standard error of a difference comes from the differences within stretches of samples,
    sd over the stretches / sqrt(number of them), and is mostly smaller than that of two independent runs, which is
    sqrt(error1^2 + error2^2).

    Parameters
    ----------
    runs : sequence of xarray.DataTree
    labels : sequence of str, optional
        As in `compare_results`.

    Returns
    -------
    rows of `quantity`, `label`, `statistic`, `year`, `unit`, `run`, `value` (+inf: a crossing later than the horizon),
    `standard_error`, `difference` (None where a crossing year is censored), `difference_error` (None where it cannot
    be told), `draws` ("common" or "independent": how that error was told), `said` (the difference in words)

    Raises
    ------
    InputError
        There are too few or too many runs, or labels that are not one each and all different.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> changes = ([], ["drivers.spending.caps=null"])
    >>> runs = [simulate(load_scenario("essay-2023", overrides=change)) for change in changes]
    >>> rows = [row for row in differing_results(runs, labels=["capped", "free"]) if row["run"] == "free"]
    >>> [(row["label"], row["year"], row["said"]) for row in rows if row["statistic"] == "median"][-1]
    ('spending', 2043.0, '+3.28 OOM')
    """
    names = run_labels(runs, labels)
    rows: list[Row] = []
    for measure in _measures(runs, compared_years(runs)):
        first = _estimate(runs[0], measure)
        if first is None:
            continue
        rows += _rows(measure, names[0], first)
        for run, name in zip(runs[1:], names[1:], strict=True):
            estimate = _estimate(run, measure)
            if estimate is None:
                continue
            error, common = _difference_error(runs[0], first, estimate, paired=on_common_draws(runs[0], run))
            horizons = (_horizon(runs[0]), _horizon(run))
            for place, row in enumerate(_rows(measure, name, estimate)):
                a, b = float(first.values[place]), float(estimate.values[place])
                gap = _gap(a, b)
                spread = None if gap is None or math.isnan(error[place]) else float(error[place])
                sure = spread is None or (spread < EXACT and not common[place])
                draws = "" if sure else "common" if common[place] else "independent"
                said = _said(measure.statistics[place], a, b, gap, spread, horizons)
                rows.append(row | {"difference": gap, "difference_error": spread, "draws": draws, "said": said})
    return rows


def _rows(measure: _Measure, name: str, estimate: _Estimate) -> list[Row]:
    """Write what one run gives, as yet held against nothing."""
    return [
        {
            "quantity": measure.quantity, "label": measure.label, "statistic": statistic, "year": measure.year,
            "unit": measure.unit, "run": name, "value": value, "standard_error": None if math.isnan(error) else error,
            "difference": None, "difference_error": None, "draws": "", "said": "",
        }
        for statistic, value, error in zip(
            measure.statistics, estimate.values.tolist(), estimate.errors.tolist(), strict=True
        )
    ]  # fmt: skip


def _gap(a: float, b: float) -> float | None:
    """Take b - a; None where either is a crossing year later than the horizon."""
    return b - a if math.isfinite(a) and math.isfinite(b) else None


def on_common_draws(first: xr.DataTree, second: xr.DataTree) -> bool:
    """Tell whether priors of the same name have the same draws in both runs, and both kept them.

    Parameters
    ----------
    first, second : xarray.DataTree

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> first, second, other = (
    ...     simulate(load_scenario(name, overrides=["samples=256", seed]))
    ...     for name, seed in (("baseline", "seed=1"), ("no-caps", "seed=1"), ("no-caps", "seed=2"))
    ... )
    >>> on_common_draws(first, second), on_common_draws(first, other)
    (True, False)
    """
    kept = all("trajectories" in run.children for run in (first, second))
    return kept and all(first.attrs[key] == second.attrs[key] for key in _SAME_DRAWS)


def _horizon(run: xr.DataTree) -> float:
    return float(group(run, "summary")["year"].values[-1])


def _measures(runs: Sequence[xr.DataTree], years: Sequence[float]) -> Iterator[_Measure]:
    """List what the first run shares with any other."""
    summaries = [group(run, "summary") for run in runs]
    others = {name for summary in summaries[1:] for name in summarised_names(summary)}
    first = summaries[0]
    for name in VARIABLES:
        if name in others and name in summarised_names(first):
            described = first[name].attrs
            for year in years:
                yield _Measure(name, str(described["long_name"]), str(described["units"]), _QUANTILES, year)
    shared = {name for summary in summaries[1:] for name in _thresholds(summary)}
    for name, label in _thresholds(first).items():
        if name in shared:
            yield _Measure(name, label, "year", (MEDIAN_YEAR,))
            for year in years[:-1]:
                yield _Measure(name, label, "1", (CROSSED,), year)
            for year in years[-1:]:
                yield _Measure(name, label, "1", (NEVER,), year)


def _thresholds(summary: xr.Dataset) -> dict[str, str]:
    if "threshold" not in summary.coords:
        return {}
    return dict(zip(summary["threshold"].values.tolist(), summary["label"].values.tolist(), strict=True))


def _estimate(run: xr.DataTree, measure: _Measure) -> _Estimate | None:
    """Read some statistics off a run; None where it has no such quantity."""
    summary = group(run, "summary")
    if measure.statistics == _QUANTILES:
        if measure.quantity not in summary:
            return None
        at = {"quantile": list(LEVELS), "year": measure.year}
        values = summary[measure.quantity].sel(at).values
        error = f"{measure.quantity}_error"
        errors = summary[error].sel(at).values if error in summary else np.full(len(LEVELS), np.nan)
    elif measure.quantity not in _thresholds(summary):
        return None
    else:
        here = summary.sel(threshold=measure.quantity)
        if measure.year is None:
            found = (here["crossing_quantile"].sel(quantile=0.5), here["crossing_quantile_error"].sel(quantile=0.5))
        else:
            found = (here["crossed"].sel(year=measure.year), here["crossed_error"].sel(year=measure.year))
        values, errors = (np.atleast_1d(np.asarray(item.values, dtype=np.float64)) for item in found)
        values = np.round(1.0 - values, 12) if measure.statistics == (NEVER,) else values
    stretches = _stretches(run, measure)
    if _is_certain(summary, measure):
        errors = np.zeros(values.shape)
    elif stretches is not None and np.isnan(errors).all():
        errors = _error(run, stretches)
    return _Estimate(values.astype(np.float64), errors.astype(np.float64), stretches)


def _is_certain(summary: xr.Dataset, measure: _Measure) -> bool:
    """Tell whether all samples agree, so that there is nothing that another seed would change."""
    if measure.statistics == _QUANTILES:
        quantiles = summary[measure.quantity].sel(year=measure.year).values
    else:
        quantiles = summary["crossing_quantile"].sel(threshold=measure.quantity).values
    return bool(quantiles[0] == quantiles[-1])


def _stretches(run: xr.DataTree, measure: _Measure) -> Array | None:
    """Read the statistics off each full stretch of samples alone, (stretch, statistic)."""
    if "trajectories" not in run.children:
        return None
    if measure.statistics == _QUANTILES:
        kept = group(run, "trajectories")[measure.quantity].sel(year=measure.year)
    else:
        kept = group(run, "crossings")["crossing_year"].sel(threshold=measure.quantity)
    samples = np.asarray(kept.values)
    part = min(int(run.attrs["block"]), LONGEST_STRETCH)
    full = samples.size // part
    parts = samples[: full * part].reshape(full, part)
    if measure.statistics in ((CROSSED,), (NEVER,)):
        shares: Array = np.mean(parts <= measure.year, axis=1, keepdims=True)
        return 1.0 - shares if measure.statistics == (NEVER,) else shares
    levels = LEVELS if measure.statistics == _QUANTILES else (0.5,)
    return sorted_quantiles(np.sort(parts, axis=1), levels).T


def _error(run: xr.DataTree, stretches: Array) -> Array:
    """Take sd over the stretches / sqrt(their number); NaN where there are fewer than two or one is censored."""
    if stretches.shape[0] < 2:
        return np.full(stretches.shape[1:], np.nan)
    part = min(int(run.attrs["block"]), LONGEST_STRETCH)
    with np.errstate(invalid="ignore"):
        spread: Array = np.std(stretches, axis=0, ddof=1) / np.sqrt(int(run.attrs["samples"]) / part)
    return np.where(np.isfinite(stretches).all(axis=0), spread, np.nan)


def _difference_error(
    run: xr.DataTree, first: _Estimate, second: _Estimate, *, paired: bool
) -> tuple[Array, NDArray[np.bool_]]:
    """Estimate the errors of differences, and say which of them rest on common draws."""
    independent = np.hypot(first.errors, second.errors)
    if not paired or first.stretches is None or second.stretches is None:
        return independent, np.zeros(independent.shape, dtype=bool)
    with np.errstate(invalid="ignore"):
        gaps = np.where(first.stretches == second.stretches, 0.0, second.stretches - first.stretches)
    together = _error(run, gaps)
    common = ~np.isnan(together)
    return np.where(common, together, independent), common


def _said(
    statistic: str, a: float, b: float, difference: float | None, error: float | None, horizons: tuple[float, float]
) -> str:
    """Say a difference: in OOM, years or points, or which of two crossing years is censored."""
    if difference is None:
        texts = [year_text(year, horizon) for year, horizon in zip((a, b), horizons, strict=True)]
        return f"both {texts[0]}" if texts[0] == texts[1] else f"from {texts[0]} to {texts[1]}"
    if statistic == MEDIAN_YEAR:
        return _signed(difference, error, 1, "years")
    if statistic in (NEVER, CROSSED):
        return _signed(100 * difference, None if error is None else 100 * error, 1, "points")
    return _signed(difference, error, 2, "OOM")


def _signed(difference: float, error: float | None, digits: int, unit: str) -> str:
    if difference == 0.0 and not error:
        return SAME
    smallest = 10.0**-digits
    least = (
        "" if not error or error < EXACT else f" ± {error:.{digits}f}" if error >= smallest / 2 else f" ± <{smallest:g}"
    )
    text = f"{difference:+.{digits}f}"
    return f"{text if float(text) else text[1:]}{least} {unit}"


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
    few = [name for run, name in zip(runs, names, strict=True) if _is_short(run)]
    if few:
        yield (
            f"too few samples to tell standard errors: {', '.join(few)}. They come from stretches of samples, of which "
            f"there must be two: {2 * LONGEST_STRETCH:,} samples are enough."
        )
    for run, name in zip(runs[1:], names[1:], strict=True):
        if run.attrs["run_id"] == runs[0].attrs["run_id"]:
            yield f"{name} is the same run as {names[0]}."


def _is_short(run: xr.DataTree) -> bool:
    """Tell whether a run that is not certain has fewer than two stretches."""
    ends = group(run, "summary")["effective_compute"].values[[0, -1]]
    part = min(int(run.attrs["block"]), LONGEST_STRETCH)
    return bool((ends[0] < ends[1]).any()) and int(run.attrs["samples"]) < 2 * part


MOST_LINES = 25
LINE_WIDTH = 120


def comparison_lines(comparison: Comparison, *, most: int = MOST_LINES) -> list[str]:
    """Say what differs between runs: inputs first, then results, each run against the first.

    Parameters
    ----------
    comparison : Comparison
    most : int
        Lines that are wanted at most; what does not fit is counted and named by its table.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> from simulator.analysis.comparison import compare_results
    >>> run = simulate(load_scenario("baseline", overrides=["samples=2048"]))
    >>> comparison_lines(compare_results([run, run], labels=["a", "b"]))[1]
    '  nothing that the results depend on'
    """
    labels = comparison.labels
    numbers = [row for row in comparison.inputs if row["kind"] == "number"]
    others = [str(row["path"]) for row in comparison.inputs if row["kind"] != "number"]
    lines = [f"inputs that differ ({', '.join(labels)}):"]
    said = [_input_line(row, labels) for row in numbers] or ["  nothing that the results depend on"]
    lines += _shortened(said, room=max(3, most // 3), table="inputs.csv")
    if others:
        lines.append(cut(f"  and, beside what the model computes with: {', '.join(others)}", width=LINE_WIDTH))
    results = list(_result_lines(comparison.results, labels[1:]))
    room = max(len(labels) - 1, most - len(lines) - 1)
    share = max(1, room // (len(labels) - 1) - 1)
    for label in labels[1:]:
        own = [line for name, line in results if name == label]
        lines.append(f"{label} against {labels[0]}{_draws(comparison.results, label)}:")
        lines += _shortened(own or ["  no result in common"], room=share, table="results.csv")
    return lines


def _shortened(lines: Sequence[str], *, room: int, table: str) -> list[str]:
    if len(lines) <= room:
        return list(lines)
    kept = max(1, room - 1)
    return [*lines[:kept], f"  ... and {len(lines) - kept} more in {table}"]


def _input_line(row: Row, labels: Sequence[str]) -> str:
    """Write an entry with its values; equal ones once, where there are many runs."""
    values = [str(row[label]) for label in labels]
    if len(values) > 2:
        holders = {
            value: [label for label, own in zip(labels, values, strict=True) if own == value] for value in values
        }
        parts = [f"{value} ({', '.join(names)})" for value, names in holders.items()]
    else:
        parts = values
    room = max(16, (LINE_WIDTH - len(str(row["path"])) - 4) // len(parts) - 4)
    short = [cut(part, width=room) for part in parts]
    return cut(f"  {row['path']}: {(' | ' if len(values) > 2 else ' -> ').join(short)}", width=LINE_WIDTH)


def _draws(results: Sequence[Row], label: str) -> str:
    kinds = {row["draws"] for row in results if row["run"] == label} - {""}
    return " (on common draws)" if kinds == {"common"} else ""


def _result_lines(results: Sequence[Row], labels: Sequence[str]) -> list[tuple[str, str]]:
    """Write a line per median level and per threshold, those that tell most first: the latest year, then crossings."""
    first = {_key(row): row for row in results if row["said"] == ""}
    lines: list[tuple[int, float, str, str]] = []
    for row in results:
        if row["run"] not in labels or row["said"] == "":
            continue
        one = first[_key(row)]
        note = "" if row["draws"] != "independent" else ", independent errors"
        if row["statistic"] == "median":
            a, b = (_level(item) for item in (one, row))
            text = f"  {row['year']:g}  {row['label']}: {a} -> {b} ({row['said']}{note})"
            rank = 0 if row["quantity"] == "effective_compute" else 3
            lines.append((rank, -float(str(row["year"])), str(row["run"]), text))
        elif row["statistic"] == MEDIAN_YEAR:
            never = _of_threshold(results, row)
            text = f"  {row['label']}: {_crossing(one, row)}{note}{never}"
            lines.append((2 if text.count(SAME) == 2 else 1, 0.0, str(row["run"]), text))
    return [(run, text) for *_, run, text in sorted(lines, key=lambda line: line[:2])]


def _key(row: Row) -> tuple[object, ...]:
    return row["quantity"], row["statistic"], row["year"]


def _level(row: Row) -> str:
    value, unit = float(str(row["value"])), str(row["unit"])
    if not unit.startswith("log10("):
        return f"{value:.4g}"
    name = unit.removeprefix("log10(").removesuffix(")")
    return f"{power_text(value)} {name}" if name != "1" else power_text(value)


def _crossing(first: Row, row: Row) -> str:
    if row["difference"] is None:
        return str(row["said"])
    return f"{float(str(first['value'])):.1f} -> {float(str(row['value'])):.1f} ({row['said']})"


def _of_threshold(results: Sequence[Row], crossing: Row) -> str:
    """Add the probability that a threshold is not crossed by the last common year."""
    for row in results:
        if row["quantity"] == crossing["quantity"] and row["run"] == crossing["run"] and row["statistic"] == NEVER:
            share = 100 * float(str(row["value"]))
            return f"; not by {row['year']:g}: {share:.1f} % ({row['said']})"
    return ""
