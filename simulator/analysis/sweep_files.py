"""A sweep as one labelled dataset: the summary of a run, with a dimension more for each axis."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path as FilePath
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from simulator.analysis.designs.tables import design_lines, design_tables, is_design
from simulator.analysis.sweep_points import SweepPlan
from simulator.analysis.sweep_tables import (
    axis_meant,
    parse_outcomes,
    point_table,
    sweep_lines,
    swept_axes,
    value_meant,
)
from simulator.engine.checkpoints import Unfinished, keep_in
from simulator.engine.plan import plan_warnings
from simulator.engine.record import run_attributes, run_id
from simulator.errors import RunFileError
from simulator.files import remove_folder, short_hash, state_of
from simulator.runs.checked import open_kept
from simulator.runs.folder import open_run, save_run
from simulator.runs.groups import headline_of
from simulator.runs.run import TreeResult
from simulator.runs.table import Table
from simulator.scenario.overrides import CENTRE
from simulator.scenario.resolving import Scenario
from simulator.scenario.sweep_axes import Axis
from simulator.schema.words import input_words
from simulator.variables import subject_words
from simulator.version import source_digest

SWEEP_FORMAT = 1
_ABSENT_LIMIT = ("cap_", "constraint_")
_ALIKE_NAMED = 3
"""Points that are the same as another, as many as are named."""


class Sweep(TreeResult):  # type: ignore[no-untyped-call]  # of xarray's __init_subclass__
    """A sweep: an `xarray.DataTree` in every respect, and a result like those of other studies.

    `sweep["summary"]` is the summary of a run with a dimension more for each entry that is swept, called by its path;
    `at` selects points by words of those paths.
    """

    __slots__ = ()
    kind: ClassVar[str] = "sweep"

    @property
    def folder_name(self) -> str:
        return f"{self.attrs['name']}-sweep-{self.attrs['run_id']}"

    def at(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> xr.Dataset:
        """Select of the summary the points with values of axes, each named by some words of its path.

        Other dimensions (`year`, `quantile`, `threshold`) are selected by name, as xarray does.

        Parameters
        ----------
        values, named
            An axis `drivers.spending.growth[0].rate.centre` is meant by `rate`, `spending_growth` or any words of it
            that stand together and are of no other axis; its whole path works too. A number is one of the axis, to
            within rounding; or a label, or whatever else `Dataset.sel` takes.

        Raises
        ------
        InputError
            No axis, or more than one, is meant by such words; or it has no such value.

        Examples
        --------
        >>> from simulator import sweep
        >>> swept = sweep("essay-2023", over={"drivers.spending.growth[2].rate": ["1.5x/year", "3x/year"]})
        >>> round(swept.at(rate=3, quantile=0.5, year=2027)["spending"].item(), 2)  # log10 USD
        10.95
        """
        summary, axes, chosen = self["summary"].to_dataset(), swept_axes(self), {}
        for key, value in {**(values or {}), **named}.items():
            if key in summary.dims and key not in {axis.name for axis in axes}:
                chosen[key] = value
                continue
            axis = axis_meant(axes, key)
            chosen[axis.name] = value_meant(axis, value)
        return summary.sel(chosen)

    def texts(self) -> Mapping[str, str]:
        """The resolved scenario, which runs again; of several scenarios none: each has a run folder."""
        return {} if "joined" in self.attrs else TreeResult.texts(self)

    def tables(self) -> Mapping[str, Table]:
        """The headlines of every point; of a design a row for each, with what it sets."""
        return design_tables(self) if is_design(self) else {"points": point_table(self)}

    def lines(self, outcomes: Sequence[str] = ()) -> list[str]:
        """Say what is swept, and outcomes at its points; without them the headlines."""
        told = design_lines if is_design(self) else sweep_lines
        return told(self, outcomes=parse_outcomes(self, outcomes))

    @property
    def holds(self) -> bool:
        """Whether every point could be run."""
        return not int(self.attrs.get("left_out", 0))


def point_ids(plan: SweepPlan) -> tuple[str, ...]:
    """Name the run of each point; points that say the same have the same name."""
    return tuple(run_id(point, keep="summary") for point in plan.points)


def sweep_id(plan: SweepPlan) -> str:
    """Name a sweep by all that determines it: what is swept, its points, what they are called, the format, the code."""
    base = run_id(plan.base, keep="summary")
    return short_hash(axes_text(plan.axes, plan.base), base, *point_ids(plan), str(SWEEP_FORMAT), source_digest())


def build_sweep(plan: SweepPlan, runs: Mapping[str, xr.DataTree]) -> Sweep:
    """Join the summaries of the points, from runs by their ids.

    A cap or constraint that a point has not is +inf there, and binds in no sample; other variables are left out.
    """
    ids = point_ids(plan)
    ordered = [runs[name] for name in ids]

    def of(path: str) -> tuple[xr.Dataset, list[str]]:
        return stacked([run[path].to_dataset() for run in ordered], _coords(plan), plan.shape)

    summary, left = of("summary")
    attributes = run_attributes(plan.base, keep="summary", store="netcdf", identity=sweep_id(plan))
    del attributes["run_format"]
    about = {
        "sweep_format": SWEEP_FORMAT,
        **attributes,
        "sweep": axes_text(plan.axes, plan.base),
        "points": len(plan.points),
    }
    datasets = {"/": xr.Dataset(attrs=about), "summary": summary}
    if all("actors_summary" in run.children for run in ordered):
        datasets["actors_summary"], _ = of("actors_summary")
    for name in ordered[0]["components"].children if "components" in ordered[0].children else ():
        if all(name in run["components"].children for run in ordered):
            datasets[f"components/{name}"], _ = of(f"components/{name}")
    named = xr.Variable(plan.dims, np.array(ids, dtype=str).reshape(plan.shape), {"long_name": "run of the point"})
    datasets["points"] = xr.Dataset({"run_id": named}, coords=_coords(plan))
    sweep = Sweep.of(xr.DataTree.from_dict(datasets))
    left_out = [f"left out of the sweep, since not every point has them: {', '.join(left)}."] if left else []
    sweep.attrs["warnings"] = "\n".join([
        *_without_unchanged(plan_warnings(plan.base)),
        *left_out, *_point_warnings(plan, ordered), *_same_points(plan, ids),
        *_constant(plan, summary, datasets.get("actors_summary", xr.Dataset())),
    ])  # fmt: skip
    return sweep


def axes_text(swept: Sequence[Axis], base: Scenario) -> str:
    """Write axes as a sweep holds them."""
    labels = base.labels
    axes = [
        {
            "name": axis.name,
            "label": input_words(axis.name.removesuffix(f".{CENTRE}"), labels=labels)
            if "." in axis.name
            else axis.name,
            "unit": axis.unit,
            "numbers": None if axis.numbers is None else list(axis.numbers),
            "points": [{"label": point.label, "set": list(point.overrides)} for point in axis.points],
        }
        for axis in swept
    ]
    return json.dumps(axes, ensure_ascii=False)


def _coords(plan: SweepPlan) -> dict[str, xr.Variable]:
    """Label the axes: numbers with their unit, or texts."""
    named = ((axis, {} if axis.numbers is None else {"units": axis.unit}) for axis in plan.axes)
    return {
        axis.name: xr.Variable(axis.name, np.array(axis.values), {**about, "long_name": axis.name})
        for axis, about in named
    }


def stacked(
    summaries: Sequence[xr.Dataset], along: Mapping[str, xr.Variable], shape: Sequence[int]
) -> tuple[xr.Dataset, list[str]]:
    """Stack summaries along axes with their values; give the names of the variables that are left out, too."""
    names = list(dict.fromkeys(str(name) for summary in summaries for name in summary.data_vars))
    first = summaries[0]
    coords: dict[str, xr.Variable] = {str(name): coord.variable for name, coord in first.coords.items()}
    for limits in dict.fromkeys(
        str(name) for each in summaries for name in each.coords if str(name).startswith("limit_")
    ):
        known = [each[limits].values.astype(str) for each in summaries if limits in each.coords]
        coords[limits] = xr.Variable(limits, np.unique(np.concatenate(known)))
    for name in ("threshold", "quantity", "label"):
        if name in coords:  # read back from a file they are objects
            coords[name] = xr.Variable(coords[name].dims, np.array(coords[name].values, dtype=str), coords[name].attrs)
    variables, left = {}, []
    for name in names:
        described = next(summary[name].variable for summary in summaries if name in summary)
        if any(name not in summary for summary in summaries) and not name.startswith((*_ABSENT_LIMIT, "binding_")):
            left.append(name)
            continue
        parts = [_part(summary, name, described, coords) for summary in summaries]
        values = np.stack(parts).reshape(*shape, *parts[0].shape)
        variables[name] = xr.Variable((*along, *described.dims), values, dict(described.attrs))
    return xr.Dataset(variables, coords={**along, **coords}), left


def _part(
    summary: xr.Dataset, name: str, described: xr.Variable, coords: Mapping[str, xr.Variable]
) -> NDArray[np.float64]:
    """Give a variable of one point; where it has no such limit, what stands for none."""
    if name in summary:
        own = summary[name]
        if name.startswith("binding_"):  # the limits of another point bind in no sample of this one
            own = own.reindex({own.dims[0]: coords[str(own.dims[0])].values}, fill_value=0.0)
        return np.asarray(own.values, dtype=np.float64)
    absent = 0.0 if name.startswith("binding_") else np.nan if name.endswith("_error") else np.inf
    return np.full([coords[str(dim)].size for dim in described.dims], absent)


def _without_unchanged(warnings: Iterable[str]) -> list[str]:
    """Leave out that an override changes nothing: an axis may well pass through what the scenario says."""
    return [line for line in warnings if not line.startswith("--set ")]


def _point_warnings(plan: SweepPlan, runs: Sequence[xr.DataTree]) -> list[str]:
    """Join the warnings of the points; each is said once, with the points at which it holds."""
    base = set(plan_warnings(plan.base))
    found: dict[str, list[int]] = {}
    for place, run in enumerate(runs):
        for line in _without_unchanged(str(run.attrs["warnings"]).splitlines()):
            if line not in base:
                found.setdefault(line, []).append(place)
    count = len(runs)
    return [
        line if len(places) == count else f"at {len(places)} of {count} points, first at {plan.name(places[0])}: {line}"
        for line, places in found.items()
    ]


def _same_points(plan: SweepPlan, ids: Sequence[str]) -> list[str]:
    """Say which points are the same scenario."""
    pairs = [(ids.index(name), place) for place, name in enumerate(ids) if ids.index(name) < place]
    if not pairs:
        return []
    said = [f"{plan.name(other)} is {plan.name(place)}" for other, place in pairs[:_ALIKE_NAMED]]
    more = f"; and {len(pairs) - _ALIKE_NAMED} more" if len(pairs) > _ALIKE_NAMED else ""
    return [
        f"{len(pairs)} of {len(ids)} points say the same as another and were not run again: {'; '.join(said)}{more}."
    ]


def _constant(plan: SweepPlan, summary: xr.Dataset, by_actor: xr.Dataset) -> list[str]:
    """Say which axes change nothing, and which results no axis changes."""
    said = []
    values = [each.values for held in (summary, by_actor) for each in held.data_vars.values()]
    for place, axis in enumerate(plan.axes):
        if plan.shape[place] > 1 and all(_is_constant(each, (place,)) for each in values):
            said.append(f"nothing depends on {axis.name}: every result is the same at all its values.")
    every = tuple(range(len(plan.shape)))
    if len(plan.points) == 1 or all(_is_constant(each, every) for each in values):
        return said
    main = headline_of(summary)
    if _is_constant(summary[main].values, every):
        said.append(f"{subject_words(main)} is the same at every point.")
    if "threshold" in summary.coords:
        crossing = summary["crossing_quantile"].values
        same = [
            str(label)
            for place, label in enumerate(summary["label"].values)
            if _is_constant(crossing[..., place, :], every) and float(summary["already"][..., place].min()) < 1.0
        ]
        if same:
            said.append(f"the crossing years are the same at every point: {', '.join(same)}.")
    return said


def _is_constant(values: NDArray[Any], axes: tuple[int, ...]) -> bool:
    """Tell whether values are the same along some axes."""
    first = values[tuple(slice(0, 1) if place in axes else slice(None) for place in range(values.ndim))]
    return bool(((values == first) | (np.isnan(values) & np.isnan(first))).all())


def open_sweep(path: FilePath | str) -> Sweep:
    """Open a sweep that was written.

    Parameters
    ----------
    path : path
        A sweep file (`sweep.nc`) or its folder.

    Returns
    -------
    Sweep
        In memory; the file is closed.

    Raises
    ------
    RunFileError
        The file is missing, damaged, no sweep or of a newer format.

    Examples
    --------
    >>> open_sweep("no-such-sweep.nc")
    Traceback (most recent call last):
    simulator.errors.RunFileError: no-such-sweep.nc: no such sweep file. `simulate sweep` writes one.
    """
    return Sweep.of(open_kept(path, kind="sweep", format_=SWEEP_FORMAT))


@dataclass(slots=True)
class UnfinishedSweep(Unfinished):
    """The folder in which a sweep leaves the points that are done, every `seconds` of work and when interrupted."""

    _waiting: dict[str, xr.DataTree] = field(default_factory=dict)

    def point_folder(self, name: str) -> FilePath:
        """Name the folder in which a point that is half done leaves what it has."""
        return self.folder / f"point-{name}.unfinished"

    def keep(self, name: str, run: xr.DataTree) -> None:
        """Take a point that is done, and write those that wait where enough time has passed."""
        self._waiting[name] = run
        if self.due():
            self.write()

    def write(self) -> None:
        """Write the points that wait, a small run file each."""
        for name, run in self._waiting.items():
            keep_in(self.folder, partial(save_run, run, self.folder / f"point-{name}.nc"))
            remove_folder(self.point_folder(name))
        self._waiting = {}
        self._written = time.monotonic()

    def points(self) -> Mapping[str, xr.DataTree]:
        """Read the points that were written, by run id."""
        found = {}
        for path in sorted(self.folder.glob("point-*.nc")):
            before = state_of(path)
            try:
                with open_run(path) as run:
                    run.load()
            except RunFileError:
                if before and state_of(path) == before:
                    raise
                continue  # another sweep of the same points was whole just now, and took it away
            found[str(run.attrs["run_id"])] = run
        return found
