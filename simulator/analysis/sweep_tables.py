"""Tables of a sweep, from its dataset alone: one outcome, or all headlines, at every point."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from simulator.analysis.outcomes import Outcome, outcome_words_in, parse_outcome
from simulator.errors import InputError, near_name
from simulator.runs.groups import group
from simulator.runs.summary import PASSED
from simulator.wording import cut, power, power_text, year_text

type Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class SweptAxis:
    """One axis of a sweep: its path, the unit of its numbers, its labels, and its numbers where it has them."""

    name: str
    unit: str
    labels: tuple[str, ...]
    numbers: tuple[float, ...] | None


def swept_axes(sweep: xr.DataTree) -> tuple[SweptAxis, ...]:
    """Read the axes of a sweep.

    Examples
    --------
    >>> from simulator import sweep
    >>> swept = sweep("baseline", over={"correlations[1].rank": [0, 0.5]}, overrides=["samples=1024"])
    >>> swept_axes(swept)[0].numbers
    (0.0, 0.5)
    """
    return tuple(
        SweptAxis(
            str(axis["name"]),
            str(axis["unit"]),
            tuple(str(point["label"]) for point in axis["points"]),
            None if axis["numbers"] is None else tuple(axis["numbers"]),
        )
        for axis in json.loads(str(sweep.attrs["sweep"]))
    )


def sweep_outcomes(sweep: xr.DataTree) -> tuple[Outcome, ...]:
    """Choose what is shown of a sweep where nothing is asked.

    Effective compute half-way and at the end; of the first threshold that is ahead, in most samples if there is one,
    the crossing year, and whether it is crossed by the year in which that is most open.

    Examples
    --------
    >>> from simulator import sweep
    >>> swept = sweep("essay-2023", over={"drivers.spending.growth[2].rate": [1.5, 3]})
    >>> [outcome.text for outcome in sweep_outcomes(swept)]
    ['effective_compute@2027', 'effective_compute@2043', 'crossing:gpt-4', 'crossed:gpt-4@2043']
    """
    years = group(sweep, "summary")["year"].values.tolist()
    middle, last = _middle(years), years[-1]
    ahead = (_ahead(sweep, passed=0.5) or _ahead(sweep))[:1]
    crossings = [Outcome("crossing", name) for name in ahead]
    crossed = [Outcome("crossed", name, _even_year(sweep, name)) for name in ahead]
    return (
        Outcome("level", "effective_compute", middle),
        Outcome("level", "effective_compute", last),
        *crossings,
        *crossed,
    )


def parse_outcomes(sweep: xr.DataTree, texts: Sequence[str]) -> tuple[Outcome, ...]:
    """Read outcomes, and check that a sweep has them.

    A variable without a year stands for its last year.

    Raises
    ------
    InputError
        One is not written as an outcome, or the sweep has no such variable, threshold or year.

    Examples
    --------
    >>> from simulator import sweep
    >>> swept = sweep("essay-2023", over={"drivers.spending.growth[2].rate": [1.5, 3]})
    >>> [outcome.text for outcome in parse_outcomes(swept, ["spending", "crossed:gpt-4@2023"])]
    ['spending@2043', 'crossed:gpt-4@2023']
    >>> parse_outcomes(swept, ["spending@2050"])
    Traceback (most recent call last):
    simulator.errors.InputError: outcome 'spending@2050': the sweep has no such year. The nearest are 2041, 2042, 2043.
    """
    years = group(sweep, "summary")["year"].values.tolist()
    return read_outcomes(texts, variables=_levels(sweep), thresholds=_thresholds(sweep), years=years)


def read_outcomes(
    texts: Sequence[str], *, variables: Sequence[str], thresholds: Sequence[str], years: Sequence[float]
) -> tuple[Outcome, ...]:
    """Read outcomes, and check that a sweep with such variables, thresholds and years has them.

    Parameters
    ----------
    texts : sequence of str
    variables, thresholds : sequence of str
        The names that the sweep has.
    years : sequence of decimal years, rising

    Raises
    ------
    InputError
        As `parse_outcomes`.

    Examples
    --------
    >>> read_outcomes(["spending"], variables=["spending"], thresholds=[], years=[2030.0, 2035.0])[0].text
    'spending@2035'
    """
    outcomes = tuple(parse_outcome(text if "@" in text or ":" in text else f"{text}@{years[-1]:g}") for text in texts)
    for outcome in outcomes:
        _check(outcome, variables=variables, thresholds=thresholds, years=years)
    return outcomes


def _check(outcome: Outcome, *, variables: Sequence[str], thresholds: Sequence[str], years: Sequence[float]) -> None:
    if outcome.kind == "restricted":
        raise InputError(
            f"outcome '{outcome.asked}': a sweep keeps no samples, of which it would be the mean. "
            f"Ask for crossing:{outcome.name}, or crossed:{outcome.name}@YEAR."
        )
    known, what = (variables, "variable") if outcome.kind == "level" else (thresholds, "threshold")
    if outcome.name not in known:
        hint = near_name(outcome.name, known) or (f"There are: {', '.join(known)}." if 0 < len(known) <= 20 else "")
        raise InputError(f"outcome '{outcome.asked}': the sweep has no {what} '{outcome.name}'. {hint}".rstrip())
    if outcome.year is not None and outcome.year not in years:
        asked = outcome.year
        nearest = ", ".join(f"{year:g}" for year in sorted(sorted(years, key=lambda year: abs(year - asked))[:3]))
        raise InputError(f"outcome '{outcome.asked}': the sweep has no such year. The nearest are {nearest}.")


def _levels(sweep: xr.DataTree) -> list[str]:
    """Name the variables that have quantiles by year."""
    summary, dims = group(sweep, "summary"), len(swept_axes(sweep)) + 2
    known = [str(n) for n, v in summary.data_vars.items() if v.ndim == dims and not str(n).endswith("_error")]
    return [name for name in known if summary[name].dims[-2:] == ("quantile", "year")]


def _thresholds(sweep: xr.DataTree) -> list[str]:
    summary = group(sweep, "summary")
    return [str(name) for name in summary["threshold"].values] if "threshold" in summary.coords else []


def swept_words(sweep: xr.DataTree, outcome: Outcome) -> str:
    """Name what is told of an outcome at every point of a sweep.

    Examples
    --------
    >>> from simulator import sweep
    >>> swept = sweep("essay-2023", over={"drivers.spending.growth[2].rate": [1.5, 3]})
    >>> swept_words(swept, Outcome("crossed", "gpt-4", 2023.0))
    'probability that GPT-4 is crossed by 2023'
    """
    return outcome_words_in(sweep, outcome, statistic="mean" if outcome.kind == "crossed" else "")


def outcome_rows(sweep: xr.DataTree, outcome: Outcome) -> list[Row]:
    """Tabulate an outcome at every point of a sweep, the last axis running fastest.

    Parameters
    ----------
    sweep : xarray.DataTree
    outcome : Outcome
        A level, a crossing year, or whether a threshold is crossed by a year.

    Returns
    -------
    rows of a column for each axis (number or label), and `value` (a median: log10 of the unit, or a year, +inf later
        than the horizon; or a probability), `standard_error` (NaN where it cannot be told), `lower_50`, `upper_50`,
        `lower_90`, `upper_90` (of the samples; None for a probability)

    Raises
    ------
    InputError
        The sweep has no such variable, threshold or year, or the outcome is none of a summary.

    Examples
    --------
    >>> from simulator import sweep
    >>> swept = sweep("baseline", over={"correlations[1].rank": [0, 0.5]}, overrides=["samples=1024"])
    >>> [row["correlations[1].rank"] for row in outcome_rows(swept, parse_outcome("crossed:1000x-gpt-4@2030"))]
    [0.0, 0.5]
    """
    axes = swept_axes(sweep)
    columns = _columns(sweep, outcome)
    shape = tuple(len(axis.labels) for axis in axes)
    rows: list[Row] = []
    for places in itertools.product(*map(range, shape)):
        row: Row = {
            axis.name: axis.labels[place] if axis.numbers is None else axis.numbers[place]
            for axis, place in zip(axes, places, strict=True)
        }
        rows.append(row | {name: None if values is None else float(values[places]) for name, values in columns.items()})
    return rows


def point_table(sweep: xr.DataTree) -> list[Row]:
    """Tabulate the headlines of a sweep: a row for each point and outcome.

    The outcomes are effective compute half-way and at the end, and of each threshold that is ahead the crossing year
    and the probability of having crossed it half-way and at the end.

    Returns
    -------
    rows
        A column for each axis, by its path; `outcome`, `unit`, `statistic` (median or probability); and the numbers of
        `outcome_rows`.

    Examples
    --------
    >>> from simulator import sweep
    >>> path = "drivers.spending.growth[2].rate"
    >>> rows = point_table(sweep("essay-2023", over={path: [1.5, 3]}))
    >>> {row[path]: f"{row['value']:.1f}" for row in rows if row["outcome"] == "crossing:hundred-billion-dollar-run"}
    {1.5: '2031.0', 3.0: '2028.0'}
    """
    years = group(sweep, "summary")["year"].values.tolist()
    asked = [Outcome("level", "effective_compute", year) for year in dict.fromkeys((_middle(years), years[-1]))]
    for name in _ahead(sweep):
        asked.append(Outcome("crossing", name))
        asked += [Outcome("crossed", name, year) for year in dict.fromkeys((_middle(years), years[-1]))]
    summary = group(sweep, "summary")
    names = [axis.name for axis in swept_axes(sweep)]
    rows: list[Row] = []
    for outcome in asked:
        unit = str(summary[outcome.name].attrs["units"]) if outcome.kind == "level" else outcome.unit
        statistic = "probability" if outcome.kind == "crossed" else "median"
        for row in outcome_rows(sweep, outcome):
            point = {name: row.pop(name) for name in names}
            rows.append(point | {"outcome": outcome.text, "unit": unit, "statistic": statistic} | row)
    return rows


def _columns(
    sweep: xr.DataTree, outcome: Outcome
) -> Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None]:
    summary, thresholds = group(sweep, "summary"), _thresholds(sweep)
    _check(outcome, variables=_levels(sweep), thresholds=thresholds, years=summary["year"].values.tolist())
    spread = {"lower_50": 0.25, "upper_50": 0.75, "lower_90": 0.05, "upper_90": 0.95}
    if outcome.kind == "level":
        values, name = _at_year(summary[outcome.name], outcome), f"{outcome.name}_error"
        errors = _at_year(summary[name], outcome) if name in summary else xr.full_like(values, math.nan)
    else:
        here = summary.isel(threshold=thresholds.index(outcome.name))
        if outcome.kind == "crossed":
            value, error = (_at_year(here[name], outcome).values for name in ("crossed", "crossed_error"))
            return {"value": value, "standard_error": error, **dict.fromkeys(spread)}
        values, errors = here["crossing_quantile"], here["crossing_quantile_error"]
    levels = values["quantile"].values

    def at(item: xr.DataArray, level: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.asarray(item.isel(quantile=int(np.argmin(np.abs(levels - level)))).values, dtype=np.float64)

    columns = {"value": at(values, 0.5), "standard_error": at(errors, 0.5)}
    return columns | {name: at(values, level) for name, level in spread.items()}


def _at_year(values: xr.DataArray, outcome: Outcome) -> xr.DataArray:
    return values.isel(year=int(np.flatnonzero(values["year"].values == outcome.year)[0]))


def _middle(years: Sequence[float]) -> float:
    return min(years, key=lambda year: abs(year - (years[0] + years[-1]) / 2))


def _even_year(sweep: xr.DataTree, threshold: str) -> float:
    """Find the year by which it is, over all points, nearest to even odds that a threshold is crossed.

    Of years alike the last counts: what is never crossed is not crossed by the horizon, not by the start.
    """
    summary = group(sweep, "summary")
    place = summary["threshold"].values.tolist().index(threshold)
    shares = summary["crossed"].values[..., place, :].reshape(-1, summary.sizes["year"]).mean(axis=0)
    distance = np.abs(shares - 0.5)
    return float(summary["year"].values[np.flatnonzero(distance == distance.min())[-1]])


def _ahead(sweep: xr.DataTree, *, passed: float = PASSED) -> list[str]:
    """List the thresholds that are not passed, in so large a share of the samples, at the start of every point."""
    summary = group(sweep, "summary")
    if "threshold" not in summary.coords:
        return []
    names = [str(name) for name in summary["threshold"].values]
    return [name for place, name in enumerate(names) if float(summary["already"][..., place].min()) < passed]


MOST_ROWS = 24
LABEL_WIDTH = 34

type TextRow = Mapping[str, object]


def value_text(row: TextRow, key: str, *, outcome: Outcome, last: float, log: bool = True) -> str:
    """Write a value of an outcome: a level as a power of ten, a year, or a share in percent.

    Examples
    --------
    >>> value_text({"value": math.inf}, "value", outcome=Outcome("crossing", "agi"), last=2045.0)
    '> 2045'
    """
    value = float(str(row[key]))
    if outcome.kind == "level":
        if not log:
            return f"{value:.3g}"
        return power(value) if key != "value" else power_text(value)
    return year_text(value, last) if outcome.kind == "crossing" else f"{100 * value:.1f} %"


def is_log(sweep: xr.DataTree, outcome: Outcome) -> bool:
    """Tell whether an outcome is a level in log10."""
    return outcome.kind == "level" and str(group(sweep, "summary")[outcome.name].attrs["units"]).startswith("log10(")


def axis_value(axis: SweptAxis, value: object) -> str:
    """Write a value of an axis: a number with as few digits as tell it from the others, or its label.

    Examples
    --------
    >>> axis = SweptAxis("limit", "USD", ("", ""), (1e11, 2e11))
    >>> axis_value(axis, 1e11)
    '1e11'
    """
    if axis.numbers is None:
        return str(value)
    digits = next((n for n in range(4, 17) if len({f"{each:.{n}g}" for each in axis.numbers}) == len(axis.numbers)), 17)
    mantissa, e, exponent = f"{float(str(value)):.{digits}g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def axis_heading(axis: SweptAxis) -> str:
    """Write the name of an axis with its unit.

    Examples
    --------
    >>> axis_heading(SweptAxis("spending.growth", "factor/year", ("2", "3"), (2.0, 3.0)))
    'spending.growth, factor/year'
    """
    return f"{axis.name}, {axis.unit}" if axis.unit not in ("", "1") else axis.name


def sweep_lines(sweep: xr.DataTree, *, outcomes: Sequence[Outcome] = (), most: int = MOST_ROWS) -> list[str]:
    """Say a sweep: what is swept, and a table of its points.

    Medians with their Monte Carlo standard errors and the 90 % interval of the samples; `> 2045` is later than the
    horizon.

    Parameters
    ----------
    sweep : xarray.DataTree
    outcomes : what is shown; without it, effective compute and the first threshold ahead
    most : int
        Rows at most.
    """
    asked = tuple(outcomes) or sweep_outcomes(sweep)
    axes, last = swept_axes(sweep), float(group(sweep, "summary")["year"].values[-1])
    attrs = sweep.attrs
    points = int(attrs["points"])
    samples = int(attrs["samples"])
    head_line = (
        f"{attrs['title']}: sweep of {points:,} points ({attrs['name']}, sweep {attrs['run_id']}, "
        f"{samples:,} sample{'s' * (samples != 1)} each on common draws, seed {attrs['seed']})"
    )
    lines = [head_line, *(f"  [{place + 1}] {axis_heading(axis)}" for place, axis in enumerate(axes))]
    tables = [outcome_rows(sweep, outcome) for outcome in asked]
    head = [*(f"[{place + 1}]" for place in range(len(axes))), *(swept_words(sweep, outcome) for outcome in asked)]
    body = []
    for rows in zip(*tables, strict=True):
        cells = [cut(axis_value(axis, rows[0][axis.name]), width=LABEL_WIDTH) for axis in axes]
        cells += [
            _cell(row, outcome, last, log=is_log(sweep, outcome)) for row, outcome in zip(rows, asked, strict=True)
        ]
        body.append(cells)
    shown = body if len(body) <= most else body[: most - 1]
    widths = [max(len(cells[column]) for cells in (head, *shown)) for column in range(len(head))]
    lines += [
        "  " + "   ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in (head, *shown)
    ]
    if len(shown) < len(body):
        lines.append(f"  ... and {len(body) - len(shown)} more points in points.csv")
    return lines


def _cell(row: TextRow, outcome: Outcome, last: float, *, log: bool) -> str:
    """Write a value with its error, and the 90 % interval where there is one."""
    text = value_text(row, "value", outcome=outcome, last=last, log=log)
    error = float(str(row["standard_error"]))
    if math.isfinite(error) and outcome.kind != "level":
        scaled = 100 * error if outcome.kind == "crossed" else error
        least = f"{scaled:.1f}" if scaled >= 0.05 else "<0.1"
        text = f"{text.removesuffix(' %')} ± {least}{' %' if text.endswith('%') else ''}"
    if row["lower_90"] is None:
        return text
    ends = [float(str(row[key])) for key in ("lower_90", "upper_90")]
    # Quantiles come from counted cells, 1/1024 wide: an interval within one is that of a fixed number.
    cell = 1e-3 if log or outcome.kind == "crossing" else 0.0
    if math.isclose(*ends, rel_tol=1e-9, abs_tol=cell):
        return text
    low, high = (value_text(row, key, outcome=outcome, last=last, log=log) for key in ("lower_90", "upper_90"))
    return f"{text} ({low} to {high})"
