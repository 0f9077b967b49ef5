"""Several actors beside one another: who leads, how far the others are behind, who crosses when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.errors import near_or_all
from simulator.schema.actors import ALL, FIRST, who_decides
from simulator.units import Array

LEADS: Mapping[str, str] = MappingProxyType({"lead": "behind", "lead_years": "behind_years"})
"""What is told of the second, whoever it is, and of each actor where that is from."""


class Distance(NamedTuple):
    """How far actors are apart: the array of a race, how many of its units one is, and the unit in which it is told."""

    name: str
    times: float
    unit: str


DISTANCES: Mapping[str, Distance] = MappingProxyType({
    "lead": Distance("lead", 1.0, "OOM"), "lead_months": Distance("lead_years", 12.0, "months"),
    "behind": Distance("behind", 1.0, "OOM"), "behind_months": Distance("behind_years", 12.0, "months"),
})  # fmt: skip


def race(years: Array, levels: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Tell how far actors are behind the one that leads, of their levels (actor, year, sample).

    `behind` in OOM and `behind_years` (actor, year, sample): how long ago the frontier was first where an actor is now;
    +inf where that was before the first year. `lead`, `lead_years` (year, sample): the same of the second, where there
    is one.
    """
    top = levels.max(axis=0)
    at_top = levels == top
    behind = np.where(at_top, 0.0, np.subtract(top, levels, where=~at_top, out=np.zeros(levels.shape)))
    late = np.where(at_top, 0.0, years[:, None] - _reached(years, np.maximum.accumulate(top, axis=0), levels))
    result = {"behind": behind, "behind_years": late}
    if len(levels) > 1:
        result |= {name: np.partition(result[of], 1, axis=0)[1] for name, of in LEADS.items()}
    return result


def leading(levels: NDArray[Any]) -> Array:
    """Tell who leads, (actor, year, sample): 1 of the one that does, in equal parts of several."""
    at_top = levels == levels.max(axis=0)
    return np.asarray(at_top / at_top.sum(axis=0))


@dataclass(frozen=True)
class Race:
    """Samples of actors by name: `levels` (actor, year, sample) by variable, and years of `crossing` (actor, sample).

    They race in the level that is the `headline`.
    """

    actors: tuple[str, ...]
    headline: str
    years: Array
    levels: Mapping[str, NDArray[Any]]
    crossing: Mapping[str, NDArray[Any]]

    def with_date(self, date: float) -> Race:
        """Add levels at a date between two of the years, on the straight lines between theirs."""
        place = int(np.searchsorted(self.years, date))
        if self.years[place] == date:
            return self
        part = (date - self.years[place - 1]) / (self.years[place] - self.years[place - 1])
        levels = {}
        for name, each in self.levels.items():
            if each.ndim < 3:  # not read
                continue
            low, high = each[:, place - 1].astype(np.float64), each[:, place].astype(np.float64)
            with np.errstate(invalid="ignore"):
                between = np.where(low == high, low, low + part * (high - low))
            levels[name] = np.insert(each.astype(np.float64), place, between, axis=1)
        return replace(self, years=np.insert(self.years, place, date), levels=levels)

    @cached_property
    def distances(self) -> Mapping[str, NDArray[Any]]:
        """How far they are apart; see `race`."""
        return race(self.years, self.levels[self.headline])

    @cached_property
    def leads(self) -> Array:
        """Who leads, (actor, year, sample); see `leading`."""
        return leading(self.levels[self.headline])

    def at(self, name: str, actor: str, year: float, *, leads: bool = False) -> Array:
        """Give a level or distance of an actor (of none: the lead) in a year, (sample,); or whether it leads."""
        place = int(np.searchsorted(self.years, year))
        number = self.actors.index(actor) if actor else 0
        if leads:
            return np.asarray(self.leads[number, place])
        if name not in DISTANCES:
            return np.asarray(self.levels[name][number, place], dtype=np.float64)
        values = self.distances[DISTANCES[name].name]
        return np.asarray(DISTANCES[name].times * (values[number, place] if actor else values[place]))

    def crossed_by(self, threshold: str, by: str) -> Array:
        """Give the years (sample,) in which a threshold is crossed by `first`, `all`, so many, or one by name."""
        number, by_date = who_decides(by, self.actors)
        years = self.crossing[threshold]
        return np.asarray(np.sort(years, axis=0)[number] if by_date else years[number], dtype=np.float64)


def race_fault(name: str, by: str, *, actors: Sequence[str], known: Collection[str] | None, dated: bool) -> str:
    """Say what is wrong with a question about actors; empty where nothing is.

    `known` are the thresholds (`dated`) or levels of which one is asked, none where it is who leads.
    """
    many = dated and (by in (FIRST, ALL) or (by.isdecimal() and 1 <= int(by) <= len(actors)))
    alone = name in ("lead", "lead_months")
    if alone and by:
        other = name.replace("lead", "behind")
        return f"is of the first and the second, whoever they are. Write {name}@2030, or {other}:{by}@2030."
    if alone and len(actors) < 2:
        return f"there is one actor, {actors[0]}, which is ahead of nobody."
    if not alone and by not in actors and not many:
        more = f" Or write all, or 1 to {len(actors)}." if dated else ""
        return f"there is no actor '{by}'. {near_or_all(by, actors)}{more}"
    if known is not None and name not in known:
        return f"there is no {'threshold' if dated else 'variable by actor'} '{name}'. {near_or_all(name, known)}"
    return ""


def _reached(years: Array, frontier: NDArray[Any], levels: NDArray[Any]) -> Array:
    """Find when the frontier, (year, sample), which never falls, was first at levels, straight between the years.

    -inf where it was there before the first year.
    """
    low = np.zeros(levels.shape, dtype=np.int16)  # in how many years it was below
    for place in range(years.size - 1):
        low[:, place + 1 :] += frontier[place] < levels[:, place + 1 :]
    before = np.maximum(low - 1, 0)
    start, end = (np.take_along_axis(frontier[None], place, axis=1).astype(np.float64) for place in (before, low))
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(end > start, (levels - start) / (end - start), 1.0)
    part = np.where(np.isfinite(part), part, 1.0)
    when = years[before] + np.clip(part, 0.0, 1.0) * (years[low] - years[before])
    return np.where((low == 0) & (levels < frontier[0]), -np.inf, np.where(low == 0, years[0], when))
