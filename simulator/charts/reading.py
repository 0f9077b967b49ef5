"""What chart kinds read of a run: its subject, its years, its bands, the subjects that have limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from simulator.errors import InputError, near_name, number
from simulator.runs.groups import Group
from simulator.runs.growth_by_driver import SUBJECTS, limits_on
from simulator.units import plain_unit

if TYPE_CHECKING:
    import xarray as xr


def subtitle(run: Group | xr.DataTree) -> str:
    """Name the scenario and its subject."""
    return (
        f"{run.attrs['title']}: {run.attrs['subject']}".rstrip(" .?!:") if run.attrs["subject"] else run.attrs["title"]
    )


def level_unit(unit: str) -> str:
    """Write the unit of a level as readers say it."""
    plain = plain_unit(unit)
    return "times the start" if plain == "1" else plain


def check_learnt(run: Group | xr.DataTree) -> None:
    """Refuse a run that has learnt nothing from history."""
    if "posterior" not in run.children:
        raise InputError(
            "the run has learnt nothing from history: its priors are as its scenario states them. "
            "Run one that has history: in it, such as the shipped scenario learned."
        )


def central_levels(levels: Sequence[float], band: float) -> tuple[float, float]:
    """Find the quantile levels of a central band among those of a summary.

    Examples
    --------
    >>> central_levels([0.05, 0.5, 0.95], 0.9)
    (0.05, 0.95)
    """

    def near(wanted: float) -> list[float]:
        return [level for level in levels if abs(level - wanted) < 1e-9]

    low, high = near((1 - band) / 2), near((1 + band) / 2)
    if not (low and high and 0 < band < 1):
        known = [1 - 2 * level for level in levels if level < 0.5 and near(1 - level)]
        raise InputError(
            f"bands: {100 * band:g} %: the summary has no quantiles at its ends; it holds those of "
            f"{', '.join(f'{100 * level:.3g}' for level in sorted(known))} %. Choose among these."
        )
    return low[0], high[0]


def chosen_subjects(run: xr.DataTree, quantities: Sequence[str], *, kind: str) -> list[str]:
    """Choose what to draw among the subjects that have limits, in the order of the model: all, or what is asked for."""
    limits = limits_on(run)
    if not limits:
        raise InputError(
            f"{kind}: this run has no caps and no constraints, so there is nothing to draw. "
            "Add some to its scenario (caps under a driver, or constraints) and run it again."
        )
    for quantity in quantities:
        if quantity not in limits:
            known = quantity in SUBJECTS
            rule = "no limit stands on it" if known else "no such subject of limits"
            hint = "" if known else near_name(quantity, limits)
            raise InputError(
                f"{kind}: {quantity}: {rule} in this run. {hint or 'Limits stand on: ' + ', '.join(limits)}"
            )
    return [subject for subject in limits if subject in quantities or not quantities]


def drawn_years(summary: xr.Dataset, years: tuple[float, float] | None) -> list[int]:
    """Choose the places of the years of a run that lie within a range: two or more, rising."""
    every = np.asarray(summary["year"].values, dtype=np.float64)
    first, last = years or (every[0], every[-1])
    places: list[int] = np.flatnonzero((every >= first - 1e-9) & (every <= last + 1e-9)).tolist()
    if len(places) < 2:
        raise InputError(
            f"years: {number(first)} to {number(last)}: two or more years of the run must lie in it; {len(places)} do. "
            f"The run has {every.size}, {number(every[0])} to {number(every[-1])}: choose a range within them."
        )
    return places
