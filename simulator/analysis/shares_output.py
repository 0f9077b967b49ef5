"""Shares of variance in lines for the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.outcomes import Outcome, in_a_sentence, outcome_words
from simulator.analysis.shares import SHARES_FORMAT
from simulator.analysis.swings import Row
from simulator.errors import number
from simulator.runs.netcdf import open_dataset
from simulator.runs.result import Result
from simulator.runs.table import Table
from simulator.scenario.documents import yaml_text
from simulator.wording import cut, listed, percent

if TYPE_CHECKING:
    import xarray as xr

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
    >>> from simulator.analysis.outcomes import parse_outcome
    >>> from simulator.analysis.shares import variance_shares
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


MOST_LINES = 12
MOST_COLUMNS = 5
_NAME = 44


def share_lines(shares: xr.Dataset) -> Iterator[str]:
    """Say shares of variance: a table for each subject, the largest inputs first, in a few of the years.

    Examples
    --------
    >>> from simulator import load_scenario
    >>> from simulator.analysis.outcomes import parse_outcome
    >>> from simulator.analysis.shares import variance_shares
    >>> shares = variance_shares(load_scenario("baseline"), [parse_outcome("spending@2030")], samples=64)
    >>> next(share_lines(shares)).split(" (")[0]
    'Shares of variance of baseline'
    """
    attrs = shares.attrs
    yield (
        f"Shares of variance of {attrs['name']} (shares {attrs['shares_id']}, {int(attrs['samples']):,} samples in "
        f"either half, seed {attrs['seed']})"
    )
    yield f"  {METHOD_NAMES[attrs['method']]}: {attrs['method_because']}"
    for subject in dict.fromkeys(shares["subject"].values.tolist()):
        yield from _subject_lines(shares.isel(outcome=np.flatnonzero(shares["subject"].values == subject)), subject)


def _subject_lines(shares: xr.Dataset, subject: str) -> Iterator[str]:
    measure = measure_of(shares)
    count = shares.sizes["outcome"]
    columns = np.unique(np.linspace(0, count - 1, min(count, MOST_COLUMNS)).round().astype(int))
    years = shares["year"].values
    constant = shares["constant"].values.astype(bool)
    telling = is_telling(shares).values
    heads = [number(year) if np.isfinite(year) else "" for year in years[columns].tolist()]
    both = ", first-order / total" if measure == "first_order" else ""
    yield f"  {subject_words(subject)}, %{both}"
    if any(heads):
        yield f"    {'':<{_NAME}}{''.join(f'{head:>10}' for head in heads)}"
    values = np.maximum(shares[measure].values, 0.0)
    named = largest(values[:, telling], most=MOST_LINES) if telling.any() else []
    names = shares["input_words"].values.tolist()
    for place in named:
        cells = [_untold(shares, column) or _cell(shares, measure, place, column) for column in columns.tolist()]
        yield f"    {cut(names[place], width=_NAME - 1):<{_NAME}}{''.join(f'{cell:>10}' for cell in cells)}"
    others = [place for place in range(len(names)) if place not in named]
    rests = {f"{len(others)} others": shares[measure].values[others].sum(axis=0)} if others else {}
    rests |= {"interactions": 1.0 - shares[measure].values.sum(axis=0)} if measure == "first_order" else {}
    for name, shown in rests.items() if named else ():
        cells = [_untold(shares, column) or _points(float(shown[column])) for column in columns.tolist()]
        yield f"    {name:<{_NAME}}{''.join(f'{cell:>10}' for cell in cells)}"
    if named:
        told = shares.isel(outcome=np.flatnonzero(telling))
        errors = [100 * float(told[f"{name}_error"].max()) for name in MEASURES[str(shares.attrs["method"])]]
        yield f"    standard errors: at most {max(errors):.1f} points"
    for word, chosen, why in (
        ("constant", constant, "no sample differs, and there is no variance to share"),
        ("rare", ~telling & ~constant, "too few samples differ to share out the variance; take more --samples"),
    ):
        if chosen.any():
            when = [number(year) for year in years[chosen].tolist() if np.isfinite(year)]
            spell = f" in {when[0]}{_more(len(when) - 1)}" if when else ""
            yield f"    {word}{spell}: {why}"


def _more(years: int) -> str:
    return f" and {years} more year{'s' * (years > 1)}" if years else ""


def _untold(shares: xr.Dataset, column: int) -> str:
    """Say why an outcome has no shares that are worth showing; nothing where it has."""
    if shares["constant"].values[column]:
        return "constant"
    return "" if is_telling(shares).values[column] else "rare"


def _cell(shares: xr.Dataset, measure: str, place: int, column: int) -> str:
    share = _points(float(shares[measure].values[place, column]))
    return share if measure == "shapley" else f"{share} / {_points(float(shares['total'].values[place, column]))}"


def _points(share: float) -> str:
    return f"{100 * share:.0f}".replace("-0", "0")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Shares(Result):
    """Shares of variance by input, as `variance_shares` gives them."""

    kind: ClassVar[str] = "shares"
    found: xr.Dataset

    @property
    def dataset(self) -> xr.Dataset:
        """See `variance_shares`."""
        return self.found

    @property
    def folder_name(self) -> str:
        """`<scenario>-shares-<id>`."""
        return f"{self.found.attrs['name']}-shares-{self.found.attrs['shares_id']}"

    @property
    def label(self) -> str:
        """Their id, scenario, seed and samples."""
        return share_label(self.found)

    def tables(self) -> dict[str, Table]:
        """`shares`: see `share_table`."""
        return {"shares": Table.of_rows(share_table(self.found))}

    def texts(self) -> dict[str, str]:
        """The resolved scenario."""
        return {"scenario.yaml": yaml_text(json.loads(str(self.found.attrs["scenario"])))}

    def lines(self) -> list[str]:
        """A table for each subject."""
        return list(share_lines(self.found))


def open_shares(path: FilePath | str) -> Shares:
    """Open shares of variance: a file, or the folder that holds it.

    Raises
    ------
    RunFileError
        There is none, or the file is something else.

    Examples
    --------
    >>> open_shares("no-such-shares.nc")
    Traceback (most recent call last):
    simulator.errors.RunFileError: no-such-shares.nc: no such file of shares. `simulate shares` writes one.
    """
    return Shares(open_dataset(path, kind="shares", format_=SHARES_FORMAT))
