"""Shares of variance as a result: tables, lines, the parts that a chart stacks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import ClassVar

import numpy as np
import xarray as xr

from simulator.analysis.outcomes import Outcome, in_a_sentence, outcome_words
from simulator.errors import number
from simulator.runs.netcdf import open_dataset
from simulator.runs.result import Result
from simulator.runs.table import Table
from simulator.scenario.documents import yaml_text
from simulator.units import Array
from simulator.wording import cut, listed

SHARES_FORMAT = 2
MOST_NAMED = 7
LEAST_NAMED = 0.01
"""The share that an input must have in some year to be named in a chart."""
FEWEST_DECIDING = 20
"""Samples that must make up the variance of an outcome for its shares to be shown."""
MEASURES = {"sobol": ("first_order", "total"), "shapley": ("shapley",)}
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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Shares(Result):
    """Shares of variance by input, as `variance_shares` gives them."""

    kind: ClassVar[str] = "shares"
    found: xr.Dataset

    @property
    def dataset(self) -> xr.Dataset:
        """All shares; see `variance_shares`."""
        return self.found

    @property
    def folder_name(self) -> str:
        """`<scenario>-shares-<id>`."""
        return f"{self.found.attrs['name']}-shares-{self.found.attrs['shares_id']}"

    @property
    def label(self) -> str:
        """Their id, scenario, seed and samples."""
        attrs = self.found.attrs
        return (
            f"Shares {attrs['shares_id']} · scenario {attrs['name']} · seed {attrs['seed']} · "
            f"{attrs['samples']:,} samples in either half"
        )

    @property
    def measures(self) -> tuple[str, ...]:
        """The variables that part the variance; the parts of the first add up."""
        return MEASURES[self.found.attrs["method"]]

    def tables(self) -> dict[str, Table]:
        """`shares`: a row for each outcome and input, with standard errors and 90 % bounds."""
        found = self.found
        inputs, outcomes = found.sizes["input"], found.sizes["outcome"]
        parts = [f"{measure}{part}" for measure in self.measures for part in ("", "_error", "_lower", "_upper")]
        columns = {
            "outcome": np.repeat(found["outcome"].values, inputs),
            "input": np.tile(found["input"].values, outcomes),
            "label": np.tile(found["input_words"].values, outcomes),
            **{part: found[part].values.T.ravel() for part in parts},
            "variance_of_outcome": np.repeat(found["variance"].values, inputs),
            "constant": np.repeat(found["constant"].values, inputs),
        }
        return {"shares": Table(columns)}

    def texts(self) -> dict[str, str]:
        """The resolved scenario."""
        return {"scenario.yaml": yaml_text(json.loads(self.found.attrs["scenario"]))}

    def lines(self) -> list[str]:
        """Say the largest shares of each subject, in a few of the years."""
        attrs = self.found.attrs
        size = f"{attrs['samples']:,} samples in either half, seed {attrs['seed']}"
        lines = [f"Shares of variance of {attrs['name']} (shares {attrs['shares_id']}, {size})"]
        lines.append(f"  {METHOD_NAMES[attrs['method']]}: {attrs['method_because']}")
        for subject in self.subjects():
            lines += _subject_lines(self._of(subject), subject, self.measures)
        return lines

    def subjects(self, *, over_years: bool = False) -> list[str]:
        """List what the shares are of, whatever the year; or what has shares in two years or more, and so a chart."""
        subjects = list(dict.fromkeys(self.found["subject"].values.tolist()))
        return [each for each in subjects if self._drawn(each).sizes["outcome"] > 1] if over_years else subjects

    def stacked(self, subject: str) -> Table:
        """Tabulate the parts that a chart stacks: the largest inputs, the others together, and interactions.

        An estimate below 0, which only chance gives, counts as 0; what the parts come to above 1 is taken off all of
        them. Years in which the outcome is constant, or hangs on too few samples, are left out. The columns are
        `part`, `label`, `kind` (`input`, `others`, `interactions`), `year`, `share`, `estimate`, `lower`, `upper`.
        """
        here, measure = self._drawn(subject), self.measures[0]
        estimates = here[measure].values
        drawn = np.maximum(estimates, 0.0)
        drawn = drawn / (drawn.sum(axis=0) if measure == "shapley" else np.maximum(drawn.sum(axis=0), 1.0))
        named = largest(drawn)
        others = [place for place in range(len(drawn)) if place not in named]
        names, labels = here["input"].values.tolist(), here["input_words"].values.tolist()
        lower, upper = (here[f"{measure}_{end}"].values.tolist() for end in ("lower", "upper"))
        years = here["year"].values.tolist()
        nothing = [None] * len(years)
        parts = [
            (names[place], labels[place], "input", drawn[place], estimates[place], lower[place], upper[place])
            for place in named
        ]
        if others:
            many = f"{len(others)} others" if len(others) > 1 else labels[others[0]]
            parts.append(("others", many, "others", drawn[others].sum(0), estimates[others].sum(0), nothing, nothing))
        if measure == "first_order":
            left = 1.0 - drawn.sum(axis=0), 1.0 - estimates.sum(axis=0)
            parts.append(("interactions", "interactions", "interactions", *left, nothing, nothing))
        return Table.of_rows(
            {
                "part": part, "label": label, "kind": kind, "year": year, "share": max(float(share[y]), 0.0),
                "estimate": float(raw[y]), "lower": low[y], "upper": high[y],
            }
            for part, label, kind, share, raw, low, high in parts
            for y, year in enumerate(years)
        )  # fmt: skip

    def left_out(self, subject: str) -> str:
        """Name the years that are left out of a chart."""
        here = self._of(subject)
        years = here["year"].values[~is_telling(here).values]
        return listed(number(year) for year in years.tolist()) if years.size else ""

    def _of(self, subject: str) -> xr.Dataset:
        return self.found.isel(outcome=self.found["subject"].values == subject)

    def _drawn(self, subject: str) -> xr.Dataset:
        here = self._of(subject)
        return here.isel(outcome=(is_telling(here) & here["year"].notnull()).values)


def open_shares(path: FilePath | str) -> Shares:
    """Open shares of variance: a file, or the folder that holds it."""
    return Shares(open_dataset(path, kind="shares", format_=SHARES_FORMAT))


def subject_words(subject: str, *, year: float | None = None) -> str:
    """Name what shares over the years are of, in one of the years or in all of them."""
    kind, colon, name = subject.partition(":")
    outcome = Outcome(kind, name, year) if colon else Outcome("level", subject, year)  # type: ignore[arg-type]
    return in_a_sentence(outcome_words(outcome, labels={}))


def largest(drawn: Array, *, most: int = MOST_NAMED) -> list[int]:
    """Choose the inputs to name: the largest on average over (input, year), of those that are worth a name."""
    order = np.argsort(-drawn.mean(axis=1), kind="stable")[:most]
    return [int(place) for place in order if drawn[place].max() >= LEAST_NAMED] or [int(order[0])]


def is_telling(shares: xr.Dataset) -> xr.DataArray:
    """Say of each outcome whether enough samples make up its variance to share it out."""
    return shares["deciding_samples"] >= FEWEST_DECIDING


MOST_LINES = 12
MOST_COLUMNS = 5
_NAME = 44


def _subject_lines(shares: xr.Dataset, subject: str, measures: Sequence[str]) -> Iterator[str]:
    count = shares.sizes["outcome"]
    columns = np.unique(np.linspace(0, count - 1, min(count, MOST_COLUMNS)).round().astype(int)).tolist()
    years = shares["year"].values
    constant, telling = shares["constant"].values.astype(bool), is_telling(shares).values
    untold = np.where(constant, "constant", np.where(telling, "", "rare")).tolist()
    values = [shares[measure].values for measure in measures]

    def line(name: str, *numbers: Array) -> str:
        cells = [untold[column] or " / ".join(_points(each[column]) for each in numbers) for column in columns]
        return _line(name, cells)

    yield f"  {subject_words(subject)}, %{', first-order / total' if len(measures) > 1 else ''}"
    heads = [number(year) if np.isfinite(year) else "" for year in years[columns].tolist()]
    if any(heads):
        yield _line("", heads)
    if telling.any():
        named = largest(np.maximum(values[0], 0.0)[:, telling], most=MOST_LINES)
        names = shares["input_words"].values.tolist()
        for place in named:
            yield line(cut(names[place], width=_NAME - 1), *(each[place] for each in values))
        others = [place for place in range(len(names)) if place not in named]
        if others:
            yield line(f"{len(others)} others", values[0][others].sum(axis=0))
        if len(measures) > 1:
            yield line("interactions", 1.0 - values[0].sum(axis=0))
        errors = [shares[f"{measure}_error"].values[:, telling].max() for measure in measures]
        yield f"    standard errors: at most {100 * max(errors):.1f} points"
    for word, chosen, why in (
        ("constant", constant, "no sample differs, and there is no variance to share"),
        ("rare", ~telling & ~constant, "too few samples differ to share out the variance; take more --samples"),
    ):
        if chosen.any():
            when = [number(year) for year in years[chosen].tolist() if np.isfinite(year)]
            yield f"    {word}{f' in {when[0]}{_more(len(when) - 1)}' if when else ''}: {why}"


def _line(name: str, cells: Sequence[str]) -> str:
    return f"    {name:<{_NAME}}{''.join(f'{cell:>10}' for cell in cells)}"


def _more(years: int) -> str:
    return f" and {years} more year{'s' * (years > 1)}" if years else ""


def _points(share: float) -> str:
    return f"{100 * share:.0f}".replace("-0", "0")
