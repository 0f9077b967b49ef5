"""Checking a run: its stored scenario is run again, and every number compared."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from simulator.outputs import damaged_run, open_run
from simulator.quantities import CustomDriver
from simulator.record import stored_scenario
from simulator.simulation import simulate
from simulator.stores import STORE, simulate_to_store
from simulator.unfinished import Unfinished

_SAME_ATTRIBUTES = ("name", "title", "subject", "scenario_hash", "samples", "seed", "design", "block", "sources")
_AT_ONCE = 1 << 18
_ROUNDING = 1e-6
"""A relative difference that other versions of the numerical libraries may make in float32 levels."""


@dataclass(frozen=True, slots=True)
class RunCheck:
    """What a check found: how many variables were compared, which are equal, close, or different (with how much)."""

    equal: int
    close: Mapping[str, float]
    different: Mapping[str, float]

    @property
    def passed(self) -> bool:
        """Whether nothing differs by more than rounding."""
        return not self.different


def check_run(run: xr.DataTree, *, custom: Mapping[str, CustomDriver] | None = None) -> RunCheck:
    """Run a run's stored scenario again and compare every variable.

    Parameters
    ----------
    run : xarray.DataTree
        From `open_run`.
    custom : functions of custom drivers, as in `simulate`

    Returns
    -------
    RunCheck

    Raises
    ------
    RunFileError
        The stored scenario cannot be read by this version.
    """
    scenario = stored_scenario(run)
    if run.attrs.get("store") == "zarr":
        with tempfile.TemporaryDirectory() as folder:
            path = FilePath(folder) / STORE
            simulate_to_store(scenario, path, unfinished=Unfinished(path.with_suffix(".unfinished")))
            with open_run(path) as again:
                return _compared(run, again)
    return _compared(run, simulate(scenario, keep=run.attrs["keep"], custom=custom))


def _compared(run: xr.DataTree, again: xr.DataTree) -> RunCheck:
    equal, close = 0, {}
    different = {key: np.inf for key in _SAME_ATTRIBUTES if run.attrs.get(key) != again.attrs[key]}
    held = {node.path: node.variables for node in run.subtree}
    for node in again.subtree:
        name_of_group = node.path.lstrip("/")
        stored = held.get(node.path, {})
        for name, values in node.variables.items():
            label = f"{name_of_group}/{name}"
            if name not in stored:
                different[label] = np.inf
                continue
            try:
                distance = _distance(stored[str(name)], values)
            except (OSError, RuntimeError) as error:
                raise damaged_run(f"{label} of the run", error) from None
            equal += distance == 0.0
            if 0.0 < distance <= _ROUNDING:
                close[label] = distance
            elif distance > _ROUNDING:
                different[label] = distance
    return RunCheck(equal, close, different)


def _distance(stored: xr.Variable, again: xr.Variable) -> float:
    """The largest relative difference of two variables, read a stretch of samples at a time."""
    if stored.dims != again.dims or stored.shape != again.shape:
        return float(np.inf)
    if "sample" not in again.dims:
        return _array_distance(np.asarray(stored.values), np.asarray(again.values))
    parts = [{"sample": slice(first, first + _AT_ONCE)} for first in range(0, again.sizes["sample"], _AT_ONCE)]
    return max(
        (_array_distance(np.asarray(stored[part].values), np.asarray(again[part].values)) for part in parts),
        default=0.0,
    )


def _array_distance(stored: NDArray[Any], again: NDArray[Any]) -> float:
    """The largest relative difference of two arrays; +inf where their infinities or texts differ."""
    if again.dtype.kind not in "fiu" or stored.dtype.kind not in "fiu":
        return 0.0 if np.array_equal(stored.astype(str), again.astype(str)) else float(np.inf)
    if np.array_equal(stored, again, equal_nan=True):
        return 0.0
    same = (stored == again) | (np.isnan(stored) & np.isnan(again))
    with np.errstate(invalid="ignore"):
        gap = np.abs(stored.astype(float) - again.astype(float)) / np.maximum(np.abs(again.astype(float)), 1.0)
    worst = np.where(same, 0.0, gap).max()
    return float(worst) if np.isfinite(worst) else float(np.inf)


def describe_check(check: RunCheck) -> str:
    """Say a check in a line or a few."""
    if check.passed and not check.close:
        return f"same: {check.equal} variables, bit for bit."
    if check.passed:
        worst = max(check.close.values())
        return (
            f"same to rounding: {check.equal} variables bit for bit, {len(check.close)} to {worst:.1g} "
            "(other library versions)."
        )
    rows = [
        f"  {name}: differs by {gap:.3g}" if np.isfinite(gap) else f"  {name}: is another, or missing"
        for name, gap in sorted(check.different.items(), key=lambda item: -item[1])[:10]
    ]
    more = len(check.different) - len(rows)
    return "\n".join(
        [f"different: {len(check.different)} variables.", *rows, *([f"  and {more} more"] if more > 0 else [])]
    )
