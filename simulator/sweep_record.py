"""A sweep as one labelled dataset: the summary of a run, with a dimension more for each axis."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from simulator.files import short_hash
from simulator.record import run_attributes, run_id, simulator_version
from simulator.sweep_points import SweepPlan

SWEEP_FORMAT = 1
_ABSENT_LIMIT = ("cap_", "constraint_")
_ALIKE_NAMED = 3
"""Points that are the same as another, as many as are named."""


def point_ids(plan: SweepPlan) -> tuple[str, ...]:
    """Name the run of each point; points that say the same have the same name."""
    return tuple(run_id(point, keep="summary") for point in plan.points)


def sweep_id(plan: SweepPlan) -> str:
    """Name a sweep by all that determines it: its points, what they are called, the format, the simulator's version."""
    parts = [_axes_text(plan), *point_ids(plan), str(SWEEP_FORMAT), simulator_version()]
    return short_hash(*parts)


def build_sweep(plan: SweepPlan, runs: Mapping[str, xr.DataTree]) -> xr.DataTree:
    """Join the summaries of the points.

    A cap or constraint that a point does not have is +inf there, and binds in no sample. Any other variable that a
    point does not have is left out, with a warning.

    Parameters
    ----------
    plan : SweepPlan
    runs : runs that kept their summary, by run id

    Returns
    -------
    xarray.DataTree
        `summary` with the variables of a run's summary over (axis, ..., their dimensions there); of mixtures
        `components`; `points` with the `run_id` of each point's own run.
    """
    ids = point_ids(plan)
    identity = sweep_id(plan)
    ordered = [runs[name] for name in ids]
    summary, left = _stacked(plan, [run["summary"].to_dataset() for run in ordered])
    datasets = {"/": xr.Dataset(attrs=_attributes(plan, identity)), "summary": summary}
    for name in ordered[0]["components"].children if "components" in ordered[0].children else ():
        if all(name in run["components"].children for run in ordered):
            datasets[f"components/{name}"] = _stacked(
                plan, [run[f"components/{name}"].to_dataset() for run in ordered]
            )[0]
    named = xr.Variable(_dims(plan), np.array(ids, dtype=str).reshape(plan.shape), {"long_name": "run of the point"})
    datasets["points"] = xr.Dataset({"run_id": named}, coords=_coords(plan))
    sweep = xr.DataTree.from_dict(datasets)
    left_out = [f"left out of the sweep, since not every point has them: {', '.join(left)}."] if left else []
    sweep.attrs["warnings"] = "\n".join([
        *_without_unchanged(plan.base.warnings), *left_out, *_point_warnings(plan, ordered), *_same_points(plan, ids),
        *_constant(plan, summary),
    ])  # fmt: skip
    return sweep


def _axes_text(plan: SweepPlan) -> str:
    axes = [
        {
            "name": axis.name,
            "unit": unit,
            "numbers": None if axis.numbers is None else list(axis.numbers),
            "points": [{"label": point.label, "set": list(point.overrides)} for point in axis.points],
        }
        for axis, unit in zip(plan.axes, plan.units, strict=True)
    ]
    return json.dumps(axes, ensure_ascii=False)


def _attributes(plan: SweepPlan, identity: str) -> dict[str, str | int]:
    attributes = run_attributes(plan.base, keep="summary", store="netcdf", identity=identity)
    del attributes["run_format"]
    return {"sweep_format": SWEEP_FORMAT, **attributes, "sweep": _axes_text(plan), "points": len(plan.points)}


def _dims(plan: SweepPlan) -> tuple[str, ...]:
    return tuple(axis.name for axis in plan.axes)


def _coords(plan: SweepPlan) -> dict[str, xr.Variable]:
    """Label the axes: numbers with their unit, or texts."""
    coords = {}
    for axis, unit in zip(plan.axes, plan.units, strict=True):
        if axis.numbers is None:
            values: NDArray[Any] = np.array([point.label for point in axis.points], dtype=str)
            coords[axis.name] = xr.Variable(axis.name, values, {"long_name": axis.name})
        else:
            described = {"units": unit, "long_name": axis.name}
            coords[axis.name] = xr.Variable(axis.name, np.array(axis.numbers, dtype=np.float64), described)
    return coords


def _stacked(plan: SweepPlan, summaries: Sequence[xr.Dataset]) -> tuple[xr.Dataset, list[str]]:
    """Stack summaries; give the names of the variables that are left out, too."""
    names = list(dict.fromkeys(str(name) for summary in summaries for name in summary.data_vars))
    first = summaries[0]
    coords: dict[str, xr.Variable] = {str(name): coord.variable for name, coord in first.coords.items()}
    limits: dict[str, list[str]] = {}
    for summary in summaries:
        for name in (str(name) for name in summary.coords if str(name).startswith("limit_")):
            known = limits.setdefault(name, [])
            known += [limit for limit in summary[name].values.tolist() if limit not in known]
    coords |= {name: xr.Variable(name, np.array(sorted(known), dtype=str)) for name, known in limits.items()}
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
        values = np.stack(parts).reshape(*plan.shape, *parts[0].shape)
        variables[name] = xr.Variable((*_dims(plan), *described.dims), values, dict(described.attrs))
    return xr.Dataset(variables, coords=_coords(plan) | coords), left


def _part(
    summary: xr.Dataset, name: str, described: xr.Variable, coords: Mapping[str, xr.Variable]
) -> NDArray[np.float64]:
    """Give a variable of one point; where it has no such limit, what stands for none."""
    if not name.startswith("binding_"):
        absent = np.nan if name.endswith("_error") else np.inf
        own = summary[name].values if name in summary else np.full(described.shape, absent)
        return np.asarray(own, dtype=np.float64)
    dim = str(described.dims[0])
    every = coords[dim].values.tolist()
    values = np.zeros((len(every), described.shape[1]))
    if name in summary:
        for row, limit in zip(summary[name].values, summary[dim].values.tolist(), strict=True):
            values[every.index(limit)] = row
    return values


# ------------------------------------------------------------------------------------------------------- warnings


def _without_unchanged(warnings: Iterable[str]) -> list[str]:
    """Leave out that an override changes nothing: an axis may well pass through what the scenario says."""
    return [line for line in warnings if not line.startswith("--set ")]


def _point_warnings(plan: SweepPlan, runs: Sequence[xr.DataTree]) -> list[str]:
    """Join the warnings of the points; each is said once, with the points at which it holds."""
    base = set(plan.base.warnings)
    found: dict[str, list[int]] = {}
    for place, run in enumerate(runs):
        for line in _without_unchanged(str(run.attrs["warnings"]).splitlines()):
            if line not in base:
                found.setdefault(line, []).append(place)
    return [
        line
        if len(places) == len(runs)
        else f"at {len(places)} of {len(runs)} points, first at {plan.name(places[0])}: {line}"
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


def _constant(plan: SweepPlan, summary: xr.Dataset) -> list[str]:
    """Say which axes change nothing, and which results no axis changes."""
    said = []
    for place, axis in enumerate(plan.axes):
        if plan.shape[place] > 1 and all(
            _is_constant(values.values, (place,)) for values in summary.data_vars.values()
        ):
            said.append(f"nothing depends on {axis.name}: every result is the same at all its values.")
    every = tuple(range(len(plan.shape)))
    if len(plan.points) == 1 or all(_is_constant(values.values, every) for values in summary.data_vars.values()):
        return said
    if _is_constant(summary["effective_compute"].values, every):
        said.append("effective compute is the same at every point.")
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
