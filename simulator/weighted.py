"""Quantiles, shares and headline numbers of a run whose samples have weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from simulator.comparison import compared_years
from simulator.errors import InputError
from simulator.outcomes import Outcome, run_outcomes
from simulator.rungroups import group
from simulator.units import Array
from simulator.words import plus_minus, power, year_text

LEVELS = (0.05, 0.5, 0.95)
STRETCH = 1024
"""Samples whose own estimates enter a standard error, as in the summary of a run."""

type Row = dict[str, object]


def effective_samples(weights: Array) -> float:
    """Give how many equal samples the weighted ones are worth: (sum w)^2 / sum w^2 (Kish 1965).

    Examples
    --------
    >>> effective_samples(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    return float(weights.sum() ** 2 / np.square(weights).sum())


def weighted_quantiles(values: Array, weights: Array, levels: Sequence[float]) -> Array:
    """Read quantiles off weighted samples.

    The samples of positive weight stand, in their order, at p_k = (S_k - w_k / 2 - w_1 / 2) / (1 - w_1 / 2 - w_n / 2)
    with S_k the weight up to and with k, and the quantile is linear between them; with equal weights that is the usual
    (k - 1) / (n - 1). Between a finite value and +inf it is +inf.

    Parameters
    ----------
    values : array (sample,); may hold +inf
    weights : array (sample,), not negative
    levels : probabilities in [0, 1]

    Returns
    -------
    array (level,)

    Examples
    --------
    >>> values = np.array([1.0, 2.0, 3.0, np.inf])
    >>> weighted_quantiles(values, np.ones(4), [0.5, 0.9]).tolist()
    [2.5, inf]
    >>> weighted_quantiles(values, np.array([1.0, 1.0, 1.0, 0.0]), [0.5, 0.9]).round(6).tolist()
    [2.0, 2.8]
    """
    held = weights > 0
    order = np.argsort(values[held], kind="stable")
    ordered = np.asarray(values[held][order], dtype=np.float64)
    share = weights[held][order] / weights[held].sum()
    if ordered.size == 1:
        return np.full(len(levels), ordered[0])
    ends = (share[0] + share[-1]) / 2
    places = (np.cumsum(share) - share / 2 - share[0] / 2) / (1.0 - ends)
    wanted = np.asarray(levels, dtype=np.float64)
    above = np.clip(np.searchsorted(places, wanted - 1e-12), 1, ordered.size - 1)
    below = above - 1
    part = np.clip((wanted - places[below]) / (places[above] - places[below]), 0.0, 1.0)
    low, high = ordered[below], ordered[above]
    with np.errstate(invalid="ignore"):
        between = low + part * (high - low)
    return np.where((part <= 1e-9) | (low == high), low, np.where(np.isinf(high), high, between))


def headline_table(run: xr.DataTree, weights: Array) -> list[Row]:
    """Tabulate the headline numbers of a run as it is and with its samples weighted.

    Quantiles of effective compute in the compared years, the median crossing year and the probability of having
    crossed of every threshold. Standard errors are from stretches of 1,024 samples, each weighted by itself: sd over
    the stretches / sqrt(their number); None where there are fewer than four, or a crossing year is censored in one.

    Parameters
    ----------
    run : xarray.DataTree
        A run that kept its samples.
    weights : array (sample,)

    Returns
    -------
    rows of `quantity`, `label`, `statistic`, `year`, `unit`, `before`, `before_error`, `after`, `after_error`

    Raises
    ------
    InputError
        The run kept its summary only, or has another number of samples than there are weights.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> rows = headline_table(run, np.ones(1024))
    >>> all(row["before"] == row["after"] for row in rows)
    True
    """
    trajectories = group(run, "trajectories", of_samples=True)
    if weights.shape != (trajectories.sizes["sample"],):
        raise InputError(
            f"weights: must be one for each of {trajectories.sizes['sample']} samples; got {weights.size}."
        )
    years = compared_years([run])
    outcomes = [Outcome("level", "effective_compute", year) for year in years]
    labels = {}
    if "crossings" in run.children:
        crossings = group(run, "crossings")
        labels = dict(zip(crossings["threshold"].values.tolist(), crossings["label"].values.tolist(), strict=True))
        outcomes += [Outcome("crossing", name) for name in labels]
    rows: list[Row] = []
    for outcome, values in zip(outcomes, run_outcomes(run, outcomes), strict=True):
        if outcome.kind == "level":
            described = trajectories["effective_compute"].attrs
            for level in LEVELS:
                name = "median" if level == 0.5 else f"{100 * level:g} % quantile"
                head = _head(outcome.name, described["long_name"], name, outcome.year, described["units"])
                rows.append(head | _both(values, weights, level))
            continue
        label = labels[outcome.name]
        rows.append(_head(outcome.name, label, "median crossing year", None, "year") | _both(values, weights, 0.5))
        for year in years:
            crossed = np.asarray(values <= year, dtype=np.float64)
            head = _head(outcome.name, label, "probability of having crossed", year, "1")
            rows.append(head | _both(crossed, weights, None))
    return rows


def _head(quantity: str, label: object, statistic: str, year: float | None, unit: object) -> Row:
    return {"quantity": quantity, "label": str(label), "statistic": statistic, "year": year, "unit": str(unit)}


def _both(values: Array, weights: Array, level: float | None) -> Row:
    found: Row = {}
    for name, own in (("before", np.ones(values.size)), ("after", weights)):
        estimate, error = _estimate(values, own, level)
        found |= {name: estimate, f"{name}_error": error}
    return found


def _estimate(values: Array, weights: Array, level: float | None) -> tuple[float, float | None]:
    """Estimate a quantile, or the mean where there is no level, and its standard error."""

    def statistic(part: slice) -> float:
        if level is None:
            return float(values[part] @ weights[part] / weights[part].sum())
        return float(weighted_quantiles(values[part], weights[part], [level])[0])

    whole = statistic(slice(None))
    full = values.size // STRETCH
    parts = [slice(start * STRETCH, (start + 1) * STRETCH) for start in range(full)]
    if full < 4 or not all(weights[part].any() for part in parts):
        return whole, None
    single = np.array([statistic(part) for part in parts])
    if not np.isfinite(single).all():
        return whole, None
    return whole, float(single.std(ddof=1) / np.sqrt(values.size / STRETCH))


def headline_lines(rows: Sequence[Row], *, horizon: float) -> list[str]:
    """Write the medians and probabilities before and after, one to a line.

    Examples
    --------
    >>> row = {"label": "Effective compute", "statistic": "median", "year": 2035.0, "unit": "log10(FLOP)"}
    >>> headline_lines([row | {"before": 32.0, "before_error": 0.01, "after": 32.5, "after_error": None}], horizon=2045)
    ['  2035  Effective compute: 1e32 -> 3e32 FLOP (log10 32.00 ± 0.01 -> 32.50)']
    """
    lines = []
    for row in rows:
        before, after = float(str(row["before"])), float(str(row["after"]))
        if row["statistic"] == "median":
            unit = str(row["unit"]).removeprefix("log10(").removesuffix(")")
            logs = f"log10 {before:.2f}{_error(row, 'before', 2)} -> {after:.2f}{_error(row, 'after', 2)}"
            text = f"{power(before)} -> {power(after)} {unit} ({logs})"
            lines.append(f"  {row['year']:g}  {row['label']}: {text}")
        elif row["statistic"] == "median crossing year":
            texts = [
                f"{year_text(value, horizon)}{_error(row, name, 1) if np.isfinite(value) else ''}"
                for name, value in (("before", before), ("after", after))
            ]
            lines.append(f"  {row['label']}: median crossing year {texts[0]} -> {texts[1]}")
        elif row["statistic"] == "probability of having crossed" and row["year"] == horizon:
            lines[-1] += f"; crossed by {horizon:g}: {100 * before:.1f} % -> {100 * after:.1f} %"
    return lines


def _error(row: Row, name: str, digits: int) -> str:
    error = row[f"{name}_error"]
    return "" if error is None else plus_minus(float(str(error)), digits)
