"""Shares of variance in lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from simulator.errors import number
from simulator.figure_shares import MEASURES, METHOD_NAMES, is_telling, largest, measure_of, subject_words
from simulator.words import cut

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
