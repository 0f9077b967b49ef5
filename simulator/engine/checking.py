"""Checking a run: its scenario is run again, and every number compared."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.addresses import as_path
from simulator.engine.checkpoints import Unfinished
from simulator.engine.simulation import How, simulate
from simulator.engine.zarr_store import STORE, simulate_to_store
from simulator.errors import RunFileError
from simulator.runs.folder import damaged_run, open_run, stored_scenario
from simulator.runs.groups import run_words
from simulator.runs.manifest import check_manifest
from simulator.runs.netcdf import CHECKSUMS
from simulator.runs.table import Table
from simulator.schema.drivers import CustomDriver
from simulator.version import made_otherwise, otherwise_words

if TYPE_CHECKING:
    import xarray as xr


_SAME_ATTRIBUTES = ("name", "title", "subject", "scenario_hash", "samples", "seed", "design", "block", "sources")
_AT_ONCE = 1 << 18
_ROUNDING = 1e-6
"""A relative difference that other versions of the numerical libraries may make in float32 levels."""


@dataclass(frozen=True, slots=True)
class RunCheck:
    """What a check found: how many variables are equal, which are close or different, and what made them otherwise."""

    equal: int
    close: Mapping[str, float]
    different: Mapping[str, float]
    otherwise: Mapping[str, tuple[str, str]]

    @property
    def passed(self) -> bool:
        """Whether nothing differs by more than rounding."""
        return not self.different

    def tables(self) -> dict[str, Table]:
        """Lay out by how much each variable differs, and by what else the run was made."""
        gaps = [{"variable": name, "difference": gap} for name, gap in {**self.close, **self.different}.items()]
        made = [{"name": name, "then": then, "here": here} for name, (then, here) in self.otherwise.items()]
        return {"differences": Table.of_rows(gaps), "made_by": Table.of_rows(made)}


def check_run(run: xr.DataTree, *, custom: Mapping[str, CustomDriver] | None = None, fast: bool = False) -> RunCheck:
    """Run a run's stored scenario again and compare every variable.

    Parameters
    ----------
    run : xarray.DataTree
        From `open_run` or `simulate`.
    custom : functions of custom drivers, as in `simulate`
    fast : bool
        Run nothing: hold every variable of an opened run against the checksum that its file has of it.

    Returns
    -------
    RunCheck
        `passed` tells whether nothing differs by more than 1e-6 of its size; `equal` how many variables are the same
        to the last bit; `close` and `different` name the others, with by how much; `otherwise` what made the run and
        is another here: simulator, Python, a library, the platform, with both names.

    Raises
    ------
    RunFileError
        The stored scenario cannot be read by this version; or, if `fast`, the file is not what was written.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> check = check_run(simulate(load_scenario("essay-2023", overrides=["samples=64"])))
    >>> check.passed, dict(check.different)
    (True, {})
    """
    if fast:
        return RunCheck(_as_written(run), {}, {}, made_otherwise(run.attrs))
    scenario = stored_scenario(run)
    if run.attrs.get("store") == "zarr":
        with tempfile.TemporaryDirectory() as folder:
            path = FilePath(folder) / STORE
            simulate_to_store(scenario, path, unfinished=Unfinished(path.with_suffix(".unfinished")), how=How())
            with open_run(path) as again:
                return _compared(run, again)
    return _compared(run, simulate(scenario, keep=run.attrs["keep"], custom=custom))


def _as_written(run: xr.DataTree) -> int:
    """Hold an opened run against the checksums of its file; give the number of variables."""
    from simulator.runs.checksums import read_all

    file = as_path(str(run.encoding.get("source", "")))
    known = check_manifest(file, full=True) if run.attrs.get("store") == "zarr" else run.encoding.get(CHECKSUMS)
    if not known:
        why = "it is in memory alone, or its file was written by an earlier version"
        raise RunFileError(f"{run_words(run)}: has no checksums: {why}. Leave --fast out, and it is run again.")
    return read_all(run)


def _compared(run: xr.DataTree, again: xr.DataTree) -> RunCheck:
    equal, close = 0, dict[str, float]()
    different = {key: np.inf for key in _SAME_ATTRIBUTES if run.attrs.get(key) != again.attrs[key]}
    held = {node.path: node.variables for node in run.subtree}
    for node in again.subtree:
        stored = held.get(node.path, {})
        for name, values in node.variables.items():
            label = f"{node.path.lstrip('/')}/{name}"
            try:
                distance = _distance(stored[str(name)], values) if name in stored else np.inf
            except (OSError, RuntimeError) as error:
                raise damaged_run(f"{label} of the run", error) from None
            equal += distance == 0.0
            if distance > 0.0:
                (close if distance <= _ROUNDING else different)[label] = distance
    return RunCheck(equal, close, different, made_otherwise(run.attrs))


def _distance(stored: xr.Variable, again: xr.Variable) -> float:
    """The largest relative difference of two variables, read a stretch of samples at a time."""
    if stored.dims != again.dims or stored.shape != again.shape:
        return float(np.inf)
    firsts = range(0, again.sizes.get("sample", 0), _AT_ONCE)
    parts = [{"sample": slice(first, first + _AT_ONCE)} for first in firsts] or [{}]
    return max(_array_distance(np.asarray(stored[part].values), np.asarray(again[part].values)) for part in parts)


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
    rows = [f"same: {check.equal} variables, bit for bit."]
    if check.close:
        worst = f"{len(check.close)} to {max(check.close.values()):.1g}"
        rows = [f"same to rounding: {check.equal} variables bit for bit, {worst}."]
    if not check.passed:
        rows = [f"different: {len(check.different)} variables."]
        for name, gap in sorted(check.different.items(), key=lambda item: -item[1])[:10]:
            rows.append(f"  {name}: " + (f"differs by {gap:.3g}" if np.isfinite(gap) else "is another, or missing"))
        more = len(check.different) - 10
        rows += [f"  and {more} more"] if more > 0 else []
    if check.otherwise:
        rows.append(f"  made by {otherwise_words(check.otherwise)}")
    elif len(rows) > 1 or check.close:
        rows.append("  made by the same code and libraries, on the same platform")
    return "\n".join(rows)
