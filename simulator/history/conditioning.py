"""What was learnt, written back: posterior draws become the priors of a scenario, joined by their rank correlations."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import special, stats

from simulator.dates import date_of
from simulator.errors import Fault, Path, ScenarioError, dotted
from simulator.history.columns import fit_date
from simulator.history.diagnostics import seen_words
from simulator.history.model import path_density
from simulator.priors.composite import exact_density
from simulator.scenario.documents import Document
from simulator.scenario.layers import is_override, lookup, place_of, placed, position
from simulator.scenario.library import BESIDE, beyond, folder_of, shipped_file
from simulator.scenario.resolving import Scenario
from simulator.schema.prior_families import Distribution
from simulator.units import Array

if TYPE_CHECKING:
    import xarray as xr

PROBABILITIES: Final[tuple[float, ...]] = (
    0.005, 0.01, 0.025, *(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99, 0.995,
)  # fmt: skip
"""Where the quantiles of a posterior are written down; between them a monotone curve, beyond them normal tails."""

_POINTS: Final = 121
CALLED: Final = ("label", "name", "dollars", "weight")
"""What a prior is called and counts by, whatever its numbers."""


def refused(scenario: Scenario, path: Path, rule: str, remedy: str) -> ScenarioError:
    """Make the fault of an entry of a scenario, at its place in the file."""
    return placed([Fault(path, rule, remedy)], Document(dict(scenario.data), scenario.places))


def table_beside(scenario: Scenario, path: Path, name: str) -> FilePath:
    """Find a table beside the file that names it at a path, or a shipped one; one named by --set counts from here."""
    if not FilePath(name).suffix:
        return shipped_file("history", name)
    folder = folder_of(stated := place_of(scenario.places, path))
    if not is_override(stated) and (rule := beyond(name, folder)):
        raise refused(scenario, path, rule, f"{BESIDE}, or name it by --set.")
    return folder / name


@dataclass(frozen=True, slots=True)
class Learnt:
    """Draws of what one prior of a scenario becomes, in its unit (levels as log10), and the words it had before.

    Without such words it is no longer of what was stated: a start at another date.
    """

    values: Array  # (draw,)
    unit: str
    was: str | None = None
    is_spread: bool = False


PRIOR_CURVES: Final = "prior_curves"
"""The attribute of prior draws that keeps the densities of what was stated, whatever families they are, by name."""


def keep_priors(fit: xr.DataTree, families: Mapping[str, Distribution]) -> xr.DataTree:
    """Keep with the prior draws of a fit the densities of what is stated, and of its paths at the end of the data."""
    prior, curves = fit["prior"].to_dataset(), dict[str, tuple[Array, Array]]()
    for name, family in families.items():
        low, high = family.ppf(np.array([0.01, 0.99])).tolist()
        if low < high:
            points, plain = np.linspace(low, high, _POINTS), name.removesuffix("_excess")
            fewest = float((prior[plain] - prior[name]).mean()) if plain != name else 0.0
            curves[plain] = points + fewest, exact_density(family, points)
    for path in ("spending", "efficiency", "compute") if "spending_volatility" in prior.data_vars else ():
        year = fit_date(fit.attrs)
        low, high = np.quantile(prior[path].interp(year=year).values, [0.01, 0.99]).tolist()
        if low == high:
            continue
        points = np.linspace(low, high, _POINTS)
        curves[f"{path}_end"] = points, path_density(path, points, prior=prior, starts=families, year=year)
    told = {
        name: {"value": [float(f"{each:.7g}") for each in value], "height": [float(f"{each:.5g}") for each in height]}
        for name, (value, height) in curves.items()
    }
    fit["prior"].attrs[PRIOR_CURVES] = json.dumps(told)
    return fit


def rank_correlations(columns: Mapping[str, Array]) -> list[tuple[str, str, float]]:
    """Measure the correlation of normal scores between columns, written as the rank correlation that gives it.

    A Gaussian copula with these rank correlations has the correlations of the scores; its matrix is positive
    definite, as theirs is.

    >>> rank_correlations({"a": np.array([1.0, 2, 3, 4]), "b": np.array([1.0, 3, 2, 4])})
    [('a', 'b', 0.846258)]
    """
    names = list(columns)
    if len(names) < 2:
        return []
    scores = [special.ndtri((stats.rankdata(column) - 0.5) / column.size) for column in columns.values()]
    matrix = np.corrcoef(np.stack(scores))
    ranks = 6.0 / np.pi * np.arcsin(matrix / 2.0)
    return [
        (names[row], names[column], round(float(ranks[row, column]), 6))
        for row, column in itertools.combinations(range(len(names)), 2)
    ]


def conditioned(
    scenario: Scenario, learnt: Mapping[Path, Learnt], fit: xr.DataTree, *, at: Mapping[Path, float] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Write what was learnt as priors, by their paths, and when levels start; give the data, and what was said."""
    data: dict[str, Any] = copy.deepcopy(dict(scenario.data))
    for path, year in (at or {}).items():
        lookup(data, path)["at"] = year
    named: dict[str, Array] = {}
    for path, what in learnt.items():
        if what.was is not None and np.ptp(what.values) == 0.0:  # stated as certain: there is nothing to learn
            continue
        stated = _stated(what, fit)
        put(data, path, stated, keeps=() if what.was is None else CALLED)
        if "quantiles" in stated:
            named[dotted(path)] = what.values
    correlations, dropped = [], []
    for correlation in data.get("correlations") or []:
        between = [str(each) for each in correlation["between"]]
        if all(each in named for each in between):
            dropped.append(f"the correlation between {between[0]} and {between[1]} is learnt.")
        else:
            correlations.append(correlation)
    source = f"posterior of history, fit {fit.attrs['fit']}"
    correlations += [
        {"between": [first, second], "rank": rank, "source": source} for first, second, rank in rank_correlations(named)
    ]
    data["correlations"] = correlations
    data["history"] = {**data["history"], "fit": str(fit.attrs["fit"])}
    return data, dropped


def put(data: Any, path: Path, stated: Mapping[str, Any], *, keeps: Sequence[str] = CALLED) -> None:
    """Put a prior in the place of another, or where none was; what it is called stays."""
    holder, last = lookup(data, path[:-1]), path[-1]
    place: Any = position(holder, last) if isinstance(holder, list) else None
    place = next((key for key in holder if str(key) == str(last)), last) if place is None else place
    was = holder[place] if place in holder or isinstance(holder, list) else None
    kept = {key: was[key] for key in keeps if key in was} if isinstance(was, Mapping) else {}
    holder[place] = {**kept, **stated}


def numbers_of(levels: Sequence[float], ends: Sequence[float | None] = (None, None)) -> dict[str, Any]:
    """State a posterior by its quantiles at PROBABILITIES, cut off at the ends; what is one number is that number.

    Of quantiles that coincide, where a chain stayed or all is told by few draws, the nearest to the median stands.

    >>> numbers_of([1.0] * 3 + [2.0 + step for step in range(22)])["quantiles"]["0.025"]
    1.0
    >>> numbers_of([3.0] * 25)
    {'value': 3.0}
    """
    told: dict[float, float] = {}
    for probability, level in sorted(zip(PROBABILITIES, levels, strict=True), key=lambda each: abs(each[0] - 0.5)):
        told.setdefault(float(f"{level:.7g}"), probability)
    if len(told) == 1:
        return {"value": min(told)}
    cut = {"truncated": list(ends)} if any(end is not None for end in ends) else {}
    return {"quantiles": {f"{told[level]:g}": level for level in sorted(told)}, **cut}


def _stated(learnt: Learnt, fit: xr.DataTree) -> dict[str, Any]:
    levels = np.quantile(learnt.values, PROBABILITIES)
    shown = levels if learnt.unit in ("OOM/year", "year") else 10.0**levels
    prior = "" if learnt.was is None else f" Before: {learnt.was}."
    return {
        # The normal tail of a curve would reach below 0.
        **numbers_of(shown.tolist(), (0.0 if learnt.is_spread else None, None)),
        "unit": learnt.unit,
        "source": f"posterior of {seen_words(fit.attrs)}, estimates of {fit.attrs['snapshot']}",
        "as_of": date_of(fit_date(fit.attrs) - 1e-6).date().isoformat(),
        "notes": f"learnt from history (fit {fit.attrs['fit']}).{prior}",
    }
