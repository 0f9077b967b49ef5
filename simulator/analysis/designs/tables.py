"""Tables and lines of a design, from its dataset alone: what points set, what comes out, and what goes with what."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from simulator.analysis.outcomes import Outcome, between_words, outcome_text, unit_in, years_of
from simulator.analysis.sweep_tables import (
    is_log,
    outcome_table,
    point_outcomes,
    sweep_outcomes,
    swept_axes,
    swept_words,
)
from simulator.errors import RunFileError
from simulator.runs.groups import group
from simulator.runs.table import Table
from simulator.scenario.designs import KINDS, POINT
from simulator.units import Array
from simulator.wording import aligned, capital, listed, sample_count, share_text, signed

MOST_TOLD = 3
"""Entries that are named as going with an outcome."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """An entry that points set: its path, its name in words, its unit, its values, numbers or texts, (point,)."""

    name: str
    label: str
    unit: str
    log: bool
    values: NDArray[Any]

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.values.dtype.kind in "fiu"

    @property
    def words(self) -> str:
        """Its name with its unit."""
        return f"{self.label}, {self.unit}" if self.unit not in ("", "1") else self.label


def is_design(sweep: xr.DataTree) -> bool:
    """Tell whether a sweep has points of a design, and no grid."""
    return "inputs" in sweep.attrs


def columns_of(sweep: xr.DataTree) -> tuple[Column, ...]:
    """Give the entries that the points of a design set."""
    held, summary = json.loads(str(sweep.attrs["inputs"])), group(sweep, "summary")
    if gone := [each["name"] for each in held if each["name"] not in summary.coords]:
        raise RunFileError(f"the sweep file holds no values of {gone[0]}. Make it anew.")
    return tuple(Column(**each, values=np.asarray(summary[each["name"]].values)) for each in held)


def run_points(sweep: xr.DataTree) -> NDArray[np.bool_]:
    """Tell which points were run, (point,); the others are left out for a fault."""
    return np.asarray(group(sweep, "points")["fault"].values.astype(str) == "")


def outcome_values(sweep: xr.DataTree, outcome: Outcome) -> Array:
    """Give what comes out at each point, (point,): a median, or a probability; NaN where a point is left out."""
    return np.asarray(outcome_table(sweep, outcome)["value"], dtype=np.float64)


def design_tables(sweep: xr.DataTree) -> dict[str, Table]:
    """Give `sweep`, a row for each point: what it sets and what comes out, for emulators; and `left_out`."""
    [axis], run = swept_axes(sweep), run_points(sweep)
    names = list(axis.labels) if axis.numbers is None else [int(number) for number in axis.numbers]
    columns: dict[str, Sequence[object]] = {POINT: names}
    said: dict[str, tuple[str, str]] = {}
    for each in columns_of(sweep):
        columns[each.name] = each.values.tolist()
        said[each.name] = (each.unit if each.is_number else "", each.label)
    for outcome in point_outcomes(sweep):
        table, words = outcome_table(sweep, outcome), swept_words(sweep, outcome)
        unit = unit_in(sweep, outcome)
        ends = {} if outcome.is_share else {" 5 %": "lower_90", " 95 %": "upper_90"}
        for end, column in {"": "value", **ends}.items():
            values = [value if kept else None for value, kept in zip(table[column].tolist(), run, strict=True)]
            columns[f"{outcome.text}{end}"] = values
            said[f"{outcome.text}{end}"] = (unit, f"{words}{end and f', its{end} quantile'}")
    tables = {"sweep": Table(columns).saying(said)}
    if not run.all():
        faults, gone = group(sweep, "points")["fault"].values.tolist(), np.flatnonzero(~run).tolist()
        left = {POINT: [names[place] for place in gone], "fault": [faults[place] for place in gone]}
        tables["left_out"] = Table(left).saying({"fault": ("", "why the point is left out")})
    return tables


def going_with(sweep: xr.DataTree, values: Array) -> list[tuple[Column, float]]:
    """Rank the entries that are numbers by their rank correlation with what comes out, the strongest first."""
    from scipy.stats import rankdata

    kept = run_points(sweep)
    ranked = rankdata(values[kept])
    found = [
        (each, float(np.corrcoef(rankdata(each.values[kept]), ranked)[0, 1]))
        for each in columns_of(sweep)
        if each.is_number and ranked.size > 1 and np.ptp(ranked) > 0 and np.ptp(each.values[kept]) > 0
    ]
    return sorted(found, key=lambda each: -abs(each[1]))


def design_lines(sweep: xr.DataTree, *, outcomes: Sequence[Outcome] = ()) -> list[str]:
    """Say a design: what is swept, and of each outcome its range over the points and what goes with it."""
    asked, attrs, run = tuple(outcomes) or sweep_outcomes(sweep), sweep.attrs, run_points(sweep)
    head = (
        f"{attrs['title']}: {KINDS[str(attrs['spread'])]}, {int(attrs['points']):,} points ({attrs['name']}, sweep "
        f"{attrs['run_id']}, {sample_count(int(attrs['samples']))} each on common draws, seed {attrs['seed']})"
    )
    lines = [head]
    for each in columns_of(sweep):
        if each.is_number:
            values = each.values[np.isfinite(each.values)]
            ends = f"{values.min():.4g} to {values.max():.4g}{', by ratios' if each.log else ''}"
        else:
            ends = listed([str(value) for value in dict.fromkeys(each.values.tolist())][:6])
        lines.append(f"  {each.words}: {ends}")
    body, behind = [["", "least", "median", "most"]], list[str]()
    for outcome in asked:
        values = outcome_values(sweep, outcome)
        told = [value_words(sweep, outcome, value) for value in _ends(values[run])]
        most = [f"{each.label} {signed(rank)}" for each, rank in going_with(sweep, values)[:MOST_TOLD]]
        body.append([capital(swept_words(sweep, outcome)), *told])
        behind.append(f"    {outcome.text}: {'; '.join(most) or 'no number'}")
    lines += [*aligned(body, gap=3, keys=1), "  goes most with (rank correlation)", *behind]
    lines += [f"  {int((~run).sum()):,} of {run.size:,} points are left out: left_out.csv"] if not run.all() else []
    return [*lines, *between_words(asked, group(sweep, "summary")["year"].values, of="sweep")]


def _ends(values: Array) -> tuple[float, float, float]:
    ordered = np.sort(values)
    return float(ordered[0]), float(ordered[(ordered.size - 1) // 2]), float(ordered[-1])


def value_words(sweep: xr.DataTree, outcome: Outcome, value: float) -> str:
    """Write what comes out at a point."""
    if math.isnan(value):
        return "left out"
    if outcome.is_share:
        return share_text(value, int(sweep.attrs["samples"]))
    unit = unit_in(sweep, outcome)
    told = is_log(sweep, outcome) or unit == outcome.unit
    return outcome_text(value, unit=unit if told else "", years=years_of(sweep))
