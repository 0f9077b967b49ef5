"""Tables of a sweep, from its dataset alone: one outcome, or all headlines, at every point."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from simulator.analysis.outcomes import (
    DATED,
    KINDS,
    Outcome,
    between_words,
    check_race,
    check_within,
    outcome_text,
    outcome_words_in,
    parse_outcome,
    unit_in,
    years_of,
)
from simulator.dates import year_words
from simulator.errors import InputError, near_name, near_or_all
from simulator.model.race import DISTANCES
from simulator.runs.actors import actor_labels
from simulator.runs.estimates import at_date
from simulator.runs.groups import differing_samples, group, headline_of, named_thresholds
from simulator.runs.summary import PASSED
from simulator.runs.table import Row, Table
from simulator.scenario.sweep_axes import Axis, AxisPoint
from simulator.schema.actors import who_decides
from simulator.units import Array
from simulator.wording import (
    aligned,
    cut,
    plus_minus,
    power,
    power_text,
    sample_count,
    share_text,
    year_range,
    year_text,
)

_WORD = re.compile(r"[A-Za-z]+|\d+")


def swept_axes(sweep: xr.DataTree) -> tuple[Axis, ...]:
    """Read the axes of a sweep."""
    return tuple(
        Axis(
            axis["name"],
            tuple(AxisPoint(point["label"], tuple(point["set"])) for point in axis["points"]),
            numbers=None if axis["numbers"] is None else tuple(axis["numbers"]),
            unit=axis["unit"],
            label=axis.get("label", ""),
        )
        for axis in json.loads(str(sweep.attrs["sweep"]))
    )


def axis_meant(axes: Sequence[Axis], key: str) -> Axis:
    """Find the one axis that is meant by its path, or by words of it that stand together."""
    found = [axis for axis in axes if axis.name == key] or [axis for axis in axes if _words(key) in _words(axis.name)]
    if len(found) != 1:
        known = "There are: " + ", ".join(axis.name for axis in axes) + "."
        raise InputError(f"{key}: {'no axis' if not found else 'more than one axis'} of the sweep is meant. {known}")
    return found[0]


def _words(path: str) -> str:
    return f".{'.'.join(_WORD.findall(path))}."


def value_meant(axis: Axis, value: Any) -> Any:
    """Find the value of an axis that a number means, to within rounding; or check a label; other things are kept."""
    if isinstance(value, str) and axis.numbers is None and value not in axis.labels:
        known = near_or_all(value, axis.labels)
        raise InputError(f"{axis.name}: has no value {value!r}. {known}")
    if isinstance(value, str) or not isinstance(value, int | float) or axis.numbers is None:
        return value
    nearest = min(axis.numbers, key=lambda number: abs(number - value))
    if not math.isclose(nearest, value, rel_tol=1e-9):
        listed = ", ".join(axis_value(axis, number) for number in axis.numbers)
        raise InputError(f"{axis.name}: has no value {value:g}. There are: {listed}.")
    return nearest


def sweep_outcomes(sweep: xr.DataTree) -> tuple[Outcome, ...]:
    """Choose what is shown where nothing is asked: effective compute half-way and at the end, and a threshold."""
    # Of the first threshold that is ahead, in most samples if there is one: the crossing year, and whether it is
    # crossed by the year in which that is most open.
    summary = group(sweep, "summary")
    years = summary["year"].values.tolist()
    asked = [Outcome("level", headline_of(summary), year) for year in (_middle(years), years[-1])]
    for name in (_ahead(sweep, passed=0.5) or _ahead(sweep))[:1]:
        asked += [Outcome("crossing", name), Outcome("crossed", name, _even_year(sweep, name))]
    return tuple(asked)


def parse_outcomes(sweep: xr.DataTree, texts: Sequence[str]) -> tuple[Outcome, ...]:
    """Read outcomes, and check that a sweep has them; a variable without a year stands for its last year."""
    years = group(sweep, "summary")["year"].values.tolist()
    return read_outcomes(texts, Known(_levels(sweep), _thresholds(sweep), years, *_actors(sweep)))


class Known(NamedTuple):
    """What a sweep has: variables, thresholds, years; actors, and the levels that are kept of each."""

    variables: Sequence[str]
    thresholds: Sequence[str]
    years: Sequence[float]
    actors: Sequence[str] = ()
    by_actor: Sequence[str] = ()


def read_outcomes(texts: Sequence[str], known: Known) -> tuple[Outcome, ...]:
    """Read outcomes, and check that a sweep has them; a level without a year is that of the last."""
    last = year_words(known.years[-1])
    dated = ("@" in text or text.partition(":")[0] in KINDS for text in texts)
    outcomes = tuple(parse_outcome(text if has else f"{text}@{last}") for text, has in zip(texts, dated, strict=True))
    for outcome in outcomes:
        _check(outcome, known)
    return outcomes


def _check(outcome: Outcome, known: Known) -> None:
    if outcome.kind == "restricted":
        raise InputError(
            f"outcome '{outcome.asked}': a sweep keeps no samples, of which it would be the mean. "
            f"Ask for crossing:{outcome.name}, or crossed:{outcome.name}@YEAR."
        )
    check_within(outcome, known.years)
    if outcome.of_actors:
        check_race(outcome, actors=known.actors, levels=known.by_actor, thresholds=known.thresholds)
        return
    names, what = (known.variables, "variable") if outcome.kind == "level" else (known.thresholds, "threshold")
    if outcome.name not in names:
        hint = near_name(outcome.name, names) or (f"There are: {', '.join(names)}." if 0 < len(names) <= 20 else "")
        raise InputError(f"outcome '{outcome.asked}': the sweep has no {what} '{outcome.name}'. {hint}".rstrip())


def _actors(sweep: xr.DataTree) -> tuple[list[str], list[str]]:
    """Name the actors of a sweep, and the levels that it keeps of each."""
    labels = actor_labels(sweep)
    return list(labels), [*_levels(sweep, "actors_summary")] if labels else []


def _levels(sweep: xr.DataTree, path: str = "summary") -> list[str]:
    """Name the variables that have quantiles by year."""
    found = ((str(name), values.dims) for name, values in group(sweep, path).data_vars.items())
    return [name for name, dims in found if dims[-2:] == ("quantile", "year") and not name.endswith("_error")]


def _thresholds(sweep: xr.DataTree) -> list[str]:
    return list(named_thresholds(group(sweep, "summary")))


def swept_words(sweep: xr.DataTree, outcome: Outcome) -> str:
    """Name what is told of an outcome at every point of a sweep."""
    return outcome_words_in(sweep, outcome, statistic="mean" if outcome.is_share else "")


def outcome_table(sweep: xr.DataTree, outcome: Outcome) -> Table:
    """Tabulate an outcome of the summary at every point of a sweep, the last axis running fastest.

    A column for each axis (number or label), and `value` (a median: log10 of the unit, or a year, +inf later than the
    horizon; or a probability), `standard_error` (NaN where it cannot be told), and the ends of the intervals of the
    samples: `lower_50`, `upper_50`, `lower_90`, `upper_90`, missing for a probability.
    """
    axes = swept_axes(sweep)
    points = zip(*itertools.product(*(axis.values for axis in axes)), strict=True)
    columns = dict(zip((axis.name for axis in axes), map(list, points), strict=True))
    none = [None] * math.prod(len(axis.points) for axis in axes)
    numbers = _columns(sweep, outcome).items()
    return Table(columns | {name: none if values is None else values.ravel() for name, values in numbers})


def point_outcomes(sweep: xr.DataTree) -> list[Outcome]:
    """Choose the headlines: the main level half-way and at the end; of thresholds ahead when, and how likely."""
    summary = group(sweep, "summary")
    years = summary["year"].values.tolist()
    when = list(dict.fromkeys((_middle(years), years[-1])))
    asked = [Outcome("level", headline_of(summary), year) for year in when]
    for name in _ahead(sweep):
        asked += [Outcome("crossing", name), *(Outcome("crossed", name, year) for year in when)]
    actors, _ = _actors(sweep)
    if len(actors) > 1:
        asked += [Outcome("leads", name, year) for name in actors for year in when]
        asked += [Outcome("level", "lead", year) for year in when]
    return asked


def point_table(sweep: xr.DataTree) -> Table:
    """Tabulate the headlines of a sweep: a row for each point and outcome.

    Effective compute half-way and at the end; of each threshold ahead when it is crossed, and how likely by then.
    """
    axes = swept_axes(sweep)
    rows: list[Row] = []
    for outcome in point_outcomes(sweep):
        told = {"outcome": outcome.text, "unit": unit_in(sweep, outcome)}
        told["statistic"] = "probability" if outcome.is_share else "median"
        for row in outcome_table(sweep, outcome).rows():
            point = {axis.name: row.pop(axis.name) for axis in axes}
            rows.append(point | told | row)
    return Table.of_rows(rows).saying(
        {axis.name: (axis.unit or "", axis.label or "value of this entry") for axis in axes if rows}
    )


def _columns(sweep: xr.DataTree, outcome: Outcome) -> Mapping[str, Array | None]:
    """Give the columns of numbers of an outcome, each over the axes."""
    years = group(sweep, "summary")["year"].values.tolist()
    _check(outcome, Known(_levels(sweep), _thresholds(sweep), years, *_actors(sweep)))
    here, name, times = _place(sweep, outcome)
    values, errors = times * here[name], here.get(f"{name}_error", xr.full_like(here[name], math.nan))
    if outcome.year is not None:
        read = partial(at_date, years=here["year"].values, date=outcome.year)
        values, errors = (xr.apply_ufunc(read, each, input_core_dims=[["year"]]) for each in (values, errors))
    spread = {"lower_50": 0.25, "upper_50": 0.75, "lower_90": 0.05, "upper_90": 0.95}
    if outcome.is_share:
        return {"value": values.values, "standard_error": errors.values, **dict.fromkeys(spread)}

    def at(item: xr.DataArray, level: float) -> Array:
        return np.asarray(item.sel(quantile=level, method="nearest").values, dtype=np.float64)

    columns = {"value": at(values, 0.5), "standard_error": at(errors, 0.5)}
    return columns | {name: at(values, level) for name, level in spread.items()}


def _place(sweep: xr.DataTree, outcome: Outcome) -> tuple[xr.Dataset, str, float]:
    """Find the summary in which an outcome stands, of its threshold or actor; its name there, what to multiply by."""
    here, start, times = group(sweep, "actors_summary" if outcome.of_actors else "summary"), "crossing", 1.0
    if outcome.kind in DATED:
        here = here.sel(threshold=outcome.of)
        if outcome.by and outcome.by not in _actors(sweep)[0]:
            place = who_decides(outcome.by, here["actor"].values.tolist())[0]
            here, start = here.sel(place=1 + place), "place"
        elif outcome.by:
            here = here.sel(actor=outcome.by)
        crossed = "place_crossed" if start == "place" else "crossed"
        return here, crossed if outcome.is_share else f"{start}_quantile", times
    here = here.sel(actor=outcome.by) if outcome.by else here
    if outcome.kind == "leads":
        return here, "leads", times
    name, times, _ = DISTANCES.get(outcome.of, (outcome.of, 1.0, ""))
    return here, name, times


def _middle(years: Sequence[float]) -> float:
    return min(years, key=lambda year: abs(year - (years[0] + years[-1]) / 2))


def _even_year(sweep: xr.DataTree, threshold: str) -> float:
    """Find the last year by which it is, over all points, nearest to even odds that a threshold is crossed."""
    summary = group(sweep, "summary")
    place = summary["threshold"].values.tolist().index(threshold)
    shares = summary["crossed"].values[..., place, :].reshape(-1, summary.sizes["year"])
    distance = np.abs(np.nanmean(shares, axis=0) - 0.5)
    return float(summary["year"].values[np.flatnonzero(distance == distance.min())[-1]])


def _ahead(sweep: xr.DataTree, *, passed: float = PASSED) -> list[str]:
    """List the thresholds that are not passed, in so large a share of the samples, at the start of every point."""
    names, summary = _thresholds(sweep), group(sweep, "summary")
    return [name for place, name in enumerate(names) if float(np.nanmin(summary["already"][..., place])) < passed]


MOST_ROWS = 24
LABEL_WIDTH = 34


def value_text(row: Row, key: str, *, outcome: Outcome, years: tuple[float, float], log: bool = True) -> str:
    """Write a level as a power of ten, or a year; `share_text` writes shares."""
    value = float(row[key])
    if outcome.kind == "level":
        if not log:
            return outcome_text(value, unit=outcome.unit, years=years, short=True)
        return power(value) if key != "value" else power_text(value)
    return year_text(value, years[1], years[0])


def interval_text(row: Row, *, outcome: Outcome, years: tuple[float, float], log: bool = True) -> str:
    """Write the 90 % interval of the samples."""
    if outcome.kind == "crossing":
        return year_range(float(row["lower_90"]), float(row["upper_90"]), years[1], years[0])
    return " to ".join(value_text(row, end, outcome=outcome, years=years, log=log) for end in ("lower_90", "upper_90"))


def is_log(sweep: xr.DataTree, outcome: Outcome) -> bool:
    """Tell whether an outcome is a level in log10."""
    return unit_in(sweep, outcome).startswith("log10(")


def axis_value(axis: Axis, value: Any) -> str:
    """Write a value of an axis: a number with as few digits as tell it from the others, or its label."""
    if axis.numbers is None:
        return str(value)
    digits = next((n for n in range(4, 17) if len({f"{each:.{n}g}" for each in axis.numbers}) == len(axis.numbers)), 17)
    mantissa, e, exponent = f"{float(value):.{digits}g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def axis_heading(axis: Axis) -> str:
    """Write what an axis is called, with its unit."""
    called = axis.label or axis.name
    return f"{called}, {axis.unit}" if axis.unit not in ("", "1") else called


def sweep_lines(sweep: xr.DataTree, *, outcomes: Sequence[Outcome] = (), most: int = MOST_ROWS) -> list[str]:
    """Say a sweep: what is swept, and a table of at most so many of its points.

    Medians with their Monte Carlo standard errors and the 90 % interval; `> 2045` is later than the horizon.
    """
    asked = tuple(outcomes) or sweep_outcomes(sweep)
    axes, attrs = swept_axes(sweep), sweep.attrs
    told = partial(_cell, years=years_of(sweep), samples=differing_samples(sweep))
    said = f"{sample_count(int(attrs['samples']))} each on common draws, seed {attrs['seed']})"
    head = (
        f"{attrs['title']}: sweep of {int(attrs['points']):,} points ({attrs['name']}, sweep {attrs['run_id']}, {said}"
    )
    if "joined" in attrs:
        head = f"{int(attrs['points']):,} scenarios ({attrs['name']}, sweep {attrs['run_id']})"
    marks = [f"[{place + 1}]" for place in range(len(axes))]
    heads = [*marks, *(swept_words(sweep, outcome) for outcome in asked)]
    logs, body = [is_log(sweep, outcome) for outcome in asked], []
    for rows in zip(*(outcome_table(sweep, outcome).rows() for outcome in asked), strict=True):
        cells = [cut(axis_value(axis, rows[0][axis.name]), width=LABEL_WIDTH) for axis in axes]
        cells += [told(row, outcome, log=log) for row, outcome, log in zip(rows, asked, logs, strict=True)]
        body.append(cells)
    lines = [head, *(f"  {mark} {axis_heading(axis)}" for mark, axis in zip(marks, axes, strict=True))]
    lines += aligned([heads, *(body if len(body) <= most else body[: most - 1])], gap=3, keys=len(axes))
    if len(body) > most:
        lines.append(f"  ... and {len(body) - most + 1} more points in points.csv")
    return [*lines, *between_words(asked, group(sweep, "summary")["year"].values, of="sweep")]


def _cell(row: Row, outcome: Outcome, *, years: tuple[float, float], samples: int, log: bool) -> str:
    """Write a value with its error, and the 90 % interval where there is one."""
    if outcome.is_share:
        return share_text(row["value"], samples, row["standard_error"])
    text, ends = value_text(row, "value", outcome=outcome, years=years, log=log), (row["lower_90"], row["upper_90"])
    text += f" {outcome.unit}" if outcome.unit in ("OOM", "months") and math.isfinite(row["value"]) else ""
    # Quantiles come from counted cells, 1/1024 wide: an interval within one is that of a fixed number.
    cell = 1e-3 if log or outcome.kind == "crossing" else 0.0
    if ends[0] is None or math.isclose(*ends, rel_tol=1e-9, abs_tol=cell):
        return text
    if outcome.kind == "crossing" and row["value"] > years[0]:
        text += plus_minus(row["standard_error"], 1)
    return f"{text} ({interval_text(row, outcome=outcome, years=years, log=log)})"
