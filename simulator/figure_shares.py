"""Shares of variance as tables and as charts over the years, from their dataset alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from simulator.chart_shares import draw_shares
from simulator.errors import number
from simulator.figure import Figure, Row
from simulator.outcomes import Outcome, in_a_sentence, outcome_words
from simulator.words import listed, percent

MOST_NAMED = 7
FEWEST_DECIDING = 20
"""Samples that must make up the variance of an outcome for its shares to be shown."""
LEAST_NAMED = 0.01
"""The share that an input must have in some year to be named in a chart."""
MEASURES = {"sobol": ("first_order", "total"), "shapley": ("shapley",)}


def measure_of(shares: xr.Dataset) -> str:
    """Name the variable that parts the variance: `first_order` or `shapley`."""
    return MEASURES[str(shares.attrs["method"])][0]


def subject_words(subject: str, *, year: float | None = None) -> str:
    """Name what shares over the years are of, in one of the years or in all of them.

    Examples
    --------
    >>> subject_words("effective_compute"), subject_words("crossed:agi", year=2030)
    ('effective compute', 'whether agi is crossed by 2030')
    """
    kind, colon, name = subject.partition(":")
    outcome = Outcome(kind, name, year) if colon else Outcome("level", subject, year)  # type: ignore[arg-type]
    return in_a_sentence(outcome_words(outcome, labels={}))


def share_table(shares: xr.Dataset) -> list[Row]:
    """Tabulate all shares: a row for each outcome and input, with standard errors and 90 % bounds.

    Examples
    --------
    >>> from simulator import load_scenario
    >>> from simulator.outcomes import parse_outcome
    >>> from simulator.variance_shares import variance_shares
    >>> shares = variance_shares(load_scenario("baseline"), [parse_outcome("spending@2030")], samples=64, by="driver")
    >>> share_table(shares)[0]["label"]
    'spending'
    """
    names, outcomes = shares["input"].values.tolist(), shares["outcome"].values.tolist()
    labels = shares["input_words"].values.tolist()
    columns = [
        (f"{measure}{part}", shares[f"{measure}{part}"].values.tolist())
        for measure in MEASURES[str(shares.attrs["method"])]
        for part in ("", "_error", "_lower", "_upper")
    ]
    variance, constant = shares["variance"].values.tolist(), shares["constant"].values.tolist()
    return [
        {
            "outcome": outcome, "input": name, "label": labels[row],
            **{column: values[row][place] for column, values in columns},
            "variance_of_outcome": variance[place], "constant": constant[place],
        }
        for place, outcome in enumerate(outcomes)
        for row, name in enumerate(names)
    ]  # fmt: skip


def share_rows(shares: xr.Dataset, subject: str) -> list[Row]:
    """Tabulate the parts that a chart stacks: the largest inputs, the others together, and interactions.

    An estimate below 0, which only chance gives, counts as 0; what the parts come to above 1 is taken off all of them.
    Years in which the outcome is constant, or hangs on too few samples, are left out.

    Returns
    -------
    rows of `part`, `label`, `kind` (`input`, `others`, `interactions`), `year`, `share`, `estimate`, `lower`, `upper`
    (None where a part is a rest); the largest first
    """
    here = _over_years(shares, subject)
    measure = measure_of(shares)
    estimates = here[measure].values
    drawn = np.maximum(estimates, 0.0)
    drawn = drawn / (drawn.sum(axis=0) if measure == "shapley" else np.maximum(drawn.sum(axis=0), 1.0))
    named = largest(drawn)
    names, years = here["input"].values.tolist(), here["year"].values.tolist()
    labels = here["input_words"].values.tolist()
    bounds = (here[f"{measure}_lower"].values, here[f"{measure}_upper"].values)
    rows: list[Row] = [
        {
            "part": names[place], "label": labels[place], "kind": "input", "year": year,
            "share": float(drawn[place, y]), "estimate": float(estimates[place, y]),
            "lower": float(bounds[0][place, y]), "upper": float(bounds[1][place, y]),
        }
        for place in named
        for y, year in enumerate(years)
    ]  # fmt: skip
    others = [place for place in range(len(names)) if place not in named]
    if others:
        many = f"{len(others)} others" if len(others) > 1 else labels[others[0]]
        rows += _rest("others", many, years, drawn[others].sum(axis=0), estimates[others].sum(axis=0))
    if measure == "first_order":
        left = 1.0 - drawn.sum(axis=0)
        rows += _rest("interactions", "interactions", years, left, 1.0 - estimates.sum(axis=0))
    return rows


def _rest(
    kind: str, label: str, years: Sequence[float], share: NDArray[np.float64], raw: NDArray[np.float64]
) -> list[Row]:
    return [
        {
            "part": kind, "label": label, "kind": kind, "year": year, "share": max(float(share[y]), 0.0),
            "estimate": float(raw[y]), "lower": None, "upper": None,
        }
        for y, year in enumerate(years)
    ]  # fmt: skip


def largest(drawn: NDArray[np.float64], *, most: int = MOST_NAMED) -> list[int]:
    """Choose the inputs to name: the largest on average over (input, year), of those that are worth a name."""
    order = np.argsort(-drawn.mean(axis=1), kind="stable")[:most]
    return [int(place) for place in order if drawn[place].max() >= LEAST_NAMED] or [int(order[0])]


def is_telling(shares: xr.Dataset) -> xr.DataArray:
    """Say of each outcome whether enough samples make up its variance to share it out."""
    return shares["deciding_samples"] >= FEWEST_DECIDING


def _over_years(shares: xr.Dataset, subject: str) -> xr.Dataset:
    chosen = (shares["subject"] == subject) & is_telling(shares) & shares["year"].notnull()
    return shares.isel(outcome=np.flatnonzero(chosen.values))


def series_subjects(shares: xr.Dataset) -> list[str]:
    """List the subjects that have shares in two years or more, and so a chart."""
    subjects = dict.fromkeys(shares["subject"].values.tolist())
    return [subject for subject in subjects if _over_years(shares, subject).sizes["outcome"] > 1]


def share_figures(shares: xr.Dataset) -> list[Figure]:
    """Draw the shares of variance of each subject over the years.

    Parameters
    ----------
    shares : xarray.Dataset
        From `variance_shares`.

    Returns
    -------
    list of Figure, `shares_<subject>`; none for a subject that varies in fewer than two years
    """
    return [_figure(shares, subject) for subject in series_subjects(shares)]


def _figure(shares: xr.Dataset, subject: str) -> Figure:
    rows = share_rows(shares, subject)
    years = sorted({float(str(row["year"])) for row in rows})
    final = [row for row in rows if row["year"] == years[-1]]
    most = max((row for row in final if row["kind"] == "input"), key=lambda row: float(str(row["share"])))
    about = subject_words(subject, year=years[-1])
    title = f"{_percent(most)} of the variance of {about} comes from {most['label']}"
    if final[-1]["kind"] == "interactions" and float(str(final[-1]["share"])) > float(str(most["share"])):
        title = f"{_percent(final[-1])} of the variance of {about} comes from priors acting together"
    how = METHOD_WORDS[str(shares.attrs["method"])]
    said = listed([f"{row['label']} {_percent(row)}" for row in final])
    caption = f"{title}. All parts: {said}. {how}"
    left_out = _left_out(shares, subject)
    if left_out:
        caption += f" Left out, for too few samples differ: {left_out}."
    alt_text = (
        f"Stacked area chart. Along: years {number(years[0])} to {number(years[-1])}. Up: shares of the variance of "
        f"{subject_words(subject)}, from 0 to 100 %. At the right, from the bottom: {said}."
    )
    chart = draw_shares(
        rows,
        title=title,
        subtitle=f"{shares.attrs['title']}: {shares.attrs['subject']}.\n{how}",
        heading=f"share of the variance of {'' if ':' in subject else 'log10 '}{subject_words(subject)}",
        foot=[share_label(shares), f"{METHOD_NAMES[str(shares.attrs['method'])]}: {shares.attrs['method_because']}."],
    )  # fmt: skip
    return Figure(f"shares_{re.sub(r'[^A-Za-z0-9]+', '_', subject)}", chart, {"": rows}, caption, alt_text)


METHOD_NAMES = {"sobol": "Sobol indices", "shapley": "Shapley effects"}
METHOD_WORDS = {
    "sobol": (
        "First-order Sobol indices: what knowing one prior alone would take off the variance. "
        "Interactions: what only several together explain."
    ),
    "shapley": (
        "Shapley effects: what knowing a prior takes off the variance, on average over all orders in which "
        "priors may come to be known. Interactions and correlations are divided among those that have part in them."
    ),
}


def share_label(shares: xr.Dataset) -> str:
    """Name the shares: their id, scenario, seed and samples."""
    attrs = shares.attrs
    return (
        f"Shares {attrs['shares_id']} · scenario {attrs['name']} · seed {attrs['seed']} · "
        f"{int(attrs['samples']):,} samples in either half"
    )


def _left_out(shares: xr.Dataset, subject: str) -> str:
    chosen = (shares["subject"] == subject) & ~is_telling(shares) & shares["year"].notnull()
    years = shares["year"].values[chosen.values].tolist()
    return listed(map(number, years)) if years else ""


def _percent(row: Row) -> str:
    return percent(float(str(row["share"])))
