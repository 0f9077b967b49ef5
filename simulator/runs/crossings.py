"""Crossings of a run: the year of each sample, and questions by date: how likely a threshold is crossed by then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.dates import DateError, by_words, point_words, read_year
from simulator.errors import InputError, near_name, near_or_all
from simulator.model.crossings import first_crossing
from simulator.model.race import race_fault
from simulator.runs.actors import actor_labels, many_words
from simulator.runs.estimates import plain_error
from simulator.runs.groups import Group, arrays, differing_samples, group, named_thresholds
from simulator.runs.table import Row, Table
from simulator.schema.actors import who_decides
from simulator.units import Array
from simulator.variables import snake
from simulator.wording import share_text

if TYPE_CHECKING:
    import xarray as xr


def crossing_years(run: xr.DataTree, threshold: str | float, *, quantity: str = "effective_compute") -> xr.DataArray:
    """Give the year in which each sample crosses a threshold.

    The first time at or above it, interpolated in log10 within the step; a sample above it at the start has the first
    year, one that does not cross by the horizon +inf. No sample is dropped.

    Parameters
    ----------
    run : xarray.DataTree
        A run that kept its samples.
    threshold : str or float
        The name of a threshold of the scenario, whose crossings lie on the paths themselves, or a level in FLOP (or
        USD) that is crossed by `quantity`: on straight lines in log10 between the stored years.
    quantity : str
        With a level: the variable that crosses it.

    Returns
    -------
    xarray.DataArray (sample,), decimal years or +inf

    Raises
    ------
    InputError
        There is no such threshold or variable, or the run kept no samples.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("essay-2023", overrides=["samples=64"]))
    >>> float(crossing_years(run, "gpt-4").median().round(1)), float(crossing_years(run, 1e27).median().round(1))
    (2023.0, 2021.1)
    """
    if isinstance(threshold, str):
        if "crossings" not in run.children and "trajectories" in run.children:
            raise InputError(
                f"the run declares no thresholds, and none '{threshold}'. Hand over a level instead of a name."
            )
        crossings = group(run, "crossings", of_samples=True)
        _check_name(threshold, crossings["threshold"].values.tolist())
        return crossings["crossing_year"].sel(threshold=threshold, drop=True)
    trajectories = group(run, "trajectories", of_samples=True)
    if quantity not in trajectories:
        names = [str(name) for name in trajectories.data_vars]
        raise InputError(f"the run has no variable '{quantity}'. {near_name(quantity, names)}".strip())
    if not threshold > 0 or math.isnan(threshold):
        raise InputError(f"a threshold must be above 0; got {threshold}.")
    values = trajectories[quantity]
    years, _ = first_crossing(values["year"].values, values.values.astype(np.float64), np.log10(threshold))
    import xarray as xr

    said = {"units": "year", "long_name": f"crossing year of {threshold:g}"}
    return xr.DataArray(years, coords={"sample": values["sample"]}, dims="sample", name="crossing_year", attrs=said)


_LEAST_NEWS = 0.05
"""A threshold that so few samples, or all but so few, have crossed at every whole year tells nothing by date."""


_SHOWING = 300
"""So many samples show what holds in one of a hundred, as do the outermost quantiles of a summary."""


def threshold_samples(summary: Group | xr.Dataset, samples: int) -> dict[str, int]:
    """Count the samples that shares of each threshold are estimated from: 1 of one that nothing uncertain concerns."""
    held: dict[Any, Any] = {**summary.coords, **summary.data_vars}
    if "threshold" not in held:
        return {}
    moves = any(str(name).startswith("moving_threshold_") for name in held)
    found = {}
    for place, name in enumerate(map(str, held["threshold"].values)):
        own = [held[each].values[place] for each in ("crossing_quantile", "threshold_level_quantile")]
        quantity = str(held["quantity"].values[place])
        paths = [quantity, *([f"moving_threshold_{snake(name)}"] if moves else [])]
        years = slice(0, 1) if held["already"].values[place] == 1 else slice(None)
        own += [held[each].values[:, years] for each in paths if each in held]
        sure = samples >= _SHOWING and quantity in held and all((each[0] == each[-1]).all() for each in own)
        found[name] = 1 if sure and held["crossed"].values[place, -1] in (0, 1) else samples
    return found


def crossed_by(
    run: Group | xr.DataTree, date: str | float | Sequence[str | float] = (), *, threshold: str = ""
) -> Table:
    """Tell how likely thresholds are crossed by a date.

    Parameters
    ----------
    run : xarray.DataTree
        From `simulate` or `open_run`. Of one that kept its samples the crossings are counted, to the day; of one that
        kept its summary the probability is read between the run's years on a straight line.
    date : str or float, or several
        A decimal year, or a date such as `2027-12-31`, `2026 Q3`, `mid-2028`, `end of 2027`; the run's years without.
    threshold : str
        The name of one threshold; all without it. Of a run with actors `NAME:2`, `NAME:all` or `NAME:ACTOR` too: by so
        many of them, or by one.

    Returns
    -------
    Table of `threshold`, `label`, `by` (in words), `year`, `probability`, `standard_error`

    Raises
    ------
    InputError
        There is no such date, or it lies outside the years of the run; or there is no such threshold.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("essay-2023", overrides=["samples=64"]))
    >>> crossed_by(run, "end of 2022", threshold="gpt-4")["by"].tolist()
    ['by the end of 2022']
    """
    summary = arrays(run, "summary")
    if ":" in threshold:
        return _crossed_by_some(run, date, *threshold.split(":", 1))
    names, years = _names(summary, threshold), np.asarray(summary.coords["year"].values, dtype=np.float64)
    asked = _asked(date, years)
    samples = None if np.isin(asked, years).all() else _crossing_years(run)  # in its years the summary has counted
    rows: list[Row] = []
    for name in names:
        place = [str(each) for each in summary.coords["threshold"].values].index(name)
        likely, errors = (np.asarray(summary.data_vars[key].values[place]) for key in ("crossed", "crossed_error"))
        for year in asked:
            share = float(np.interp(year, years, likely))
            if samples is not None:
                share = float(np.mean(samples[place] <= year))
            told: dict[str, Any] = {"threshold": name, "label": str(summary.coords["label"].values[place])}
            told |= {"by": by_words(year), "year": year, "probability": share}
            rows.append(told | {"standard_error": float(np.interp(year, years, errors))})
    return Table.of_rows(rows)


def _crossed_by_some(run: Group | xr.DataTree, date: str | float | Sequence[str | float], name: str, by: str) -> Table:
    """Tell how likely a threshold is crossed by some of the actors by a date, or by one of them."""
    summary, labels = arrays(run, "summary"), actor_labels(run)
    _names(summary, name)
    if rule := race_fault(name, by, actors=list(labels), known=None, dated=True):
        raise InputError(f"--threshold {name}:{by}: {rule if labels else 'the run has no actors.'}")
    held, years = arrays(run, "actors_summary"), np.asarray(summary.coords["year"].values, dtype=np.float64)
    at = [str(each) for each in held.coords["threshold"].values].index(name)
    number, by_place = who_decides(by, list(labels))
    shares = held["place_crossed" if by_place else "crossed"].values[number, at]
    samples = None
    if "actors" in run.children:
        met = arrays(run, "actors").data_vars["crossing_year"].values[:, at]
        samples = np.sort(met, axis=0)[number] if by_place else met[number]
    rows, many = list[Row](), int(run.attrs["samples"])
    for year in _asked(date, years):
        share = float(np.interp(year, years, shares) if samples is None else np.mean(samples <= year))
        label = f"{summary.coords['label'].values[at]} by {many_words(labels.get(by, by))}"
        rows.append({"threshold": f"{name}:{by}", "label": label, "by": by_words(year), "year": year,
                     "probability": share, "standard_error": plain_error(share, many)})  # fmt: skip
    return Table.of_rows(rows)


def _names(summary: Group, threshold: str) -> list[str]:
    names = list(named_thresholds(summary))
    if threshold:
        _check_name(threshold, names)
    return [threshold] if threshold else names


def _check_name(threshold: str, names: Sequence[str]) -> None:
    if threshold not in names:
        hint = near_or_all(threshold, names)
        raise InputError(f"the run has no threshold '{threshold}'. {hint}")


def _asked(date: str | float | Sequence[str | float], years: Array) -> list[float]:
    """Read the dates that are asked for; the years of the run without any."""
    given = [date] if isinstance(date, str | int | float) else date
    return [within(each, years) for each in given] or years.tolist()


def read_date(date: str | float, *, option: str) -> float:
    """Read a date that is given for an option, in any form or as a decimal year."""
    try:
        return read_year(date) if isinstance(date, str) else float(date)
    except DateError as error:
        raise InputError(f"{option}: {error.rule} {error.remedy}".strip()) from None


def within(date: str | float, years: Array) -> float:
    """Read a date, which must lie within the years of a run."""
    year = read_date(date, option="--by")
    if not years[0] <= year <= years[-1]:
        ends = f"{point_words(float(years[0]))} to {point_words(float(years[-1]))}"
        raise InputError(f"--by: {point_words(year)} lies outside the years of the run, {ends}.")
    return year


def _crossing_years(run: Group | xr.DataTree) -> Array | None:
    """Read the crossing years (threshold, sample) of a run that kept its samples; None of another."""
    if "crossings" not in run.children:
        return None
    found = arrays(run, "crossings").data_vars["crossing_year"]
    return np.asarray(found.values if found.dims[0] == "threshold" else found.values.T, dtype=np.float64)


def by_year_lines(run: Group | xr.DataTree, threshold: str) -> list[str]:
    """Say how likely a threshold is crossed by the end of each whole year of a run, while that changes."""
    rows = [row for row in crossed_by(run, threshold=threshold).rows() if row["year"] == np.floor(row["year"])]
    samples = threshold_samples(arrays(run, "summary"), differing_samples(run)).get(threshold.partition(":")[0], 1)
    last = next((n for n, row in enumerate(rows) if row["probability"] >= rows[-1]["probability"]), len(rows) - 1)
    head = f"{rows[0]['label']}: crossed" if rows else threshold
    told = [f"  {row['by']}: {share_text(row['probability'], samples, row['standard_error'])}" for row in rows]
    return [head, *told[: last + 1]]


def said_by(row: Row, run: Group | xr.DataTree) -> str:
    """Say a row of `crossed_by` in words."""
    samples = threshold_samples(arrays(run, "summary"), differing_samples(run))[row["threshold"].partition(":")[0]]
    share = share_text(row["probability"], samples, row["standard_error"])
    return f"P({row['label']} {row['by']}) {share}"


def likely_line(run: Group | xr.DataTree, *, passed: float) -> str:
    """Say the first threshold that is not sure yet, by the end of the year in which it is nearest to even odds.

    Empty where every threshold is out of reach, or `passed` by so many samples at the start.
    """
    summary = arrays(run, "summary")
    names = _names(summary, "")
    years = [year for year in summary.coords["year"].values.tolist() if year == np.floor(year)]
    for name, already in zip(names, summary.data_vars["already"].values if names else (), strict=True):
        if already >= passed or not years:
            continue
        rows = crossed_by(run, years, threshold=name).rows()
        nearest = min(rows, key=lambda row: abs(row["probability"] - 0.5))
        if _LEAST_NEWS <= nearest["probability"] <= 1 - _LEAST_NEWS:
            return f"  {said_by(nearest, run)}"
    return ""
