"""Shares of variance in lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from simulator.errors import number
from simulator.figure_shares import MEASURES, METHOD_NAMES, input_label, largest, measure_of, subject_words

MOST_LINES = 12
MOST_COLUMNS = 5
_NAME = 44


def share_lines(shares: xr.Dataset) -> Iterator[str]:
    """Say shares of variance: a table for each subject, the largest inputs first, in a few of the years.

    Examples
    --------
    >>> from simulator import load_scenario
    >>> from simulator.outcomes import parse_outcome
    >>> from simulator.variance_shares import variance_shares
    >>> shares = variance_shares(load_scenario("baseline"), [parse_outcome("spending@2030")], samples=64)
    >>> next(share_lines(shares)).split(" (")[0]
    'Shares of variance of baseline'
    """
    attrs = shares.attrs
    yield (
        f"Shares of variance of {attrs['name']} (shares {attrs['shares_id']}, {int(attrs['samples']):,} samples in "
        f"either half, seed {attrs['seed']})"
    )
    yield f"  {METHOD_NAMES[attrs['method']]}, for {attrs['method_because']}"
    for subject in dict.fromkeys(shares["subject"].values.tolist()):
        yield from _subject_lines(shares.isel(outcome=np.flatnonzero(shares["subject"].values == subject)), subject)


def _subject_lines(shares: xr.Dataset, subject: str) -> Iterator[str]:
    measure = measure_of(shares)
    count = shares.sizes["outcome"]
    columns = np.unique(np.linspace(0, count - 1, min(count, MOST_COLUMNS)).round().astype(int))
    years = shares["year"].values
    constant = shares["constant"].values.astype(bool)
    heads = [number(year) if np.isfinite(year) else "" for year in years[columns].tolist()]
    both = ", first-order / total" if measure == "first_order" else ""
    yield f"  {subject_words(subject)}, %{both}"
    if any(heads):
        yield f"    {'':<{_NAME}}{''.join(f'{head:>10}' for head in heads)}"
    values = np.maximum(shares[measure].values, 0.0)
    named = largest(values[:, ~constant], most=MOST_LINES) if not constant.all() else []
    names = shares["input"].values.tolist()
    for place in named:
        cells = [_cell(shares, measure, place, column) for column in columns.tolist()]
        yield f"    {_cut(input_label(names[place])):<{_NAME}}{''.join(f'{cell:>10}' for cell in cells)}"
    others = [place for place in range(len(names)) if place not in named]
    rests = {f"{len(others)} others": shares[measure].values[others].sum(axis=0)} if others else {}
    rests |= {"interactions": 1.0 - shares[measure].values.sum(axis=0)} if measure == "first_order" else {}
    for name, shown in rests.items() if named else ():
        cells = ["constant" if constant[column] else _points(float(shown[column])) for column in columns.tolist()]
        yield f"    {name:<{_NAME}}{''.join(f'{cell:>10}' for cell in cells)}"
    if named:
        errors = [100 * float(shares[f"{name}_error"].max()) for name in MEASURES[str(shares.attrs["method"])]]
        yield f"    standard errors: at most {max(errors):.1f} points"
    if constant.any():
        when = ", ".join(number(year) for year in years[constant].tolist() if np.isfinite(year))
        yield f"    constant{f' in {when}' if when else ''}: no sample differs, and there is no variance to share"


def _cell(shares: xr.Dataset, measure: str, place: int, column: int) -> str:
    if shares["constant"].values[column]:
        return "constant"
    share = _points(float(shares[measure].values[place, column]))
    return share if measure == "shapley" else f"{share} / {_points(float(shares['total'].values[place, column]))}"


def _points(share: float) -> str:
    return f"{100 * share:.0f}".replace("-0", "0")


def _cut(text: str) -> str:
    return text if len(text) < _NAME else f"{text[: _NAME - 2]}…"
