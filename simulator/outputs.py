"""Run folders: writing, opening and checking runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from simulator.documents import yaml_text
from simulator.errors import InputError, RunFileError
from simulator.files import make_folder, replacing, write_table, write_text
from simulator.quantities import CustomDriver
from simulator.record import RUN_FORMAT
from simulator.scenario import parse_scenario
from simulator.simulation import simulate
from simulator.summary import binding_table, crossing_quantile_table, probability_table, quantile_table

_REQUIRED = ("run_format", "run_id", "scenario", "seed", "samples", "keep")
_SAME_ATTRIBUTES = ("name", "title", "subject", "scenario_hash", "samples", "seed", "design", "block", "sources")
COMPRESSED_ABOVE = 100_000_000
"""Bytes above which a run file is compressed; a smaller one is written in a third of the time without."""
_ROUNDING = 1e-6
"""A relative difference that other versions of the numerical libraries may make in float32 levels."""


def run_folder(run: xr.DataTree, outputs: FilePath) -> FilePath:
    """Name the folder of a run: outputs/<scenario>-<run id>."""
    return outputs / f"{run.attrs['name']}-{run.attrs['run_id']}"


def write_run(run: xr.DataTree, outputs: FilePath | str) -> FilePath:
    """Write a run folder: run.nc, CSV tables and the resolved scenario.

    Parameters
    ----------
    run : xarray.DataTree
    outputs : path
        The folder that holds run folders.

    Returns
    -------
    path of the run folder

    Raises
    ------
    SimulatorError
        The folder cannot be written. What stood there before is left as it was.
    """
    folder = run_folder(run, FilePath(outputs))
    make_folder(folder)
    save_run(run, folder / "run.nc")
    write_table(folder / "quantiles.csv", quantile_table(run))
    write_table(folder / "crossing_years.csv", crossing_quantile_table(run))
    write_table(folder / "crossing_probability.csv", probability_table(run))
    write_table(folder / "binding.csv", binding_table(run))
    write_text(folder / "scenario.yaml", stored_scenario_text(run))
    return folder


def stored_scenario_text(run: xr.DataTree) -> str:
    """Write the resolved scenario of a run as YAML."""
    return yaml_text(json.loads(str(run.attrs["scenario"])))


def save_run(run: xr.DataTree, path: FilePath | str) -> None:
    """Write a run as one netCDF file with groups; the same run gives the same bytes.

    Raises
    ------
    SimulatorError
        The file cannot be written.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> folder = getfixture("tmp_path")
    >>> save_run(simulate(load_scenario("baseline", overrides=["samples=1024"])), folder / "run.nc")
    >>> int(open_run(folder / "run.nc").attrs["samples"])
    1024
    """
    packed = {"zlib": True, "complevel": 1, "shuffle": True} if run.nbytes > COMPRESSED_ABOVE else {}
    encoding = {
        node.path: {str(name): dict(packed) for name, values in node.data_vars.items() if values.dtype.kind in "fi"}
        for node in run.subtree
        if node.data_vars
    }
    with replacing(FilePath(path)) as temporary:
        try:
            run.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
        except RuntimeError as error:  # the netCDF library's word for a full disk
            raise OSError(str(error)) from None


def open_run(path: FilePath | str) -> xr.DataTree:
    """Open a run file, lazily.

    Raises
    ------
    RunFileError
        The file is missing, damaged, cut short, of another tool or of a newer format.

    Examples
    --------
    >>> open_run("no-such-run.nc")
    Traceback (most recent call last):
    simulator.errors.RunFileError: no-such-run.nc: no such run file.
    """
    file = FilePath(path)
    if file.is_dir():
        file = file / "run.nc"
    if not file.exists():
        raise RunFileError(f"{path}: no such run file.")
    try:
        run = xr.open_datatree(file, engine="netcdf4")
        if "summary" in run.children:
            run.children["summary"].load()  # small, and what most readers want; samples stay on the disk
    except Exception as error:  # noqa: BLE001  # whatever the netCDF library makes of a broken file
        raise _damaged(str(file), error) from None
    missing = [key for key in _REQUIRED if key not in run.attrs]
    if missing or "summary" not in run.children:
        raise RunFileError(
            f"{file}: is a netCDF file but not a run of this simulator (no {(missing or ['summary'])[0]})."
        )
    if not str(run.attrs["run_format"]).isdecimal() or int(run.attrs["run_format"]) > RUN_FORMAT:
        raise RunFileError(
            f"{file}: is of run format {run.attrs['run_format']}; this simulator reads up to {RUN_FORMAT}. Update it."
        )
    return run


def _damaged(file: str, error: Exception) -> RunFileError:
    return RunFileError(
        f"{file}: cannot be read as a run: it is damaged, cut short, or no netCDF file ({type(error).__name__}). "
        "Run the scenario again."
    )


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
    try:
        scenario = parse_scenario(str(run.attrs["scenario"]), file="the stored scenario")
    except InputError as error:
        raise RunFileError(f"the run's stored scenario cannot be read by this version:\n{error}") from None
    again = simulate(scenario, keep=run.attrs["keep"], custom=custom)
    equal, close = 0, {}
    different = {key: np.inf for key in _SAME_ATTRIBUTES if run.attrs.get(key) != again.attrs[key]}
    for node in again.subtree:
        name_of_group = node.path.lstrip("/")
        stored = run[name_of_group].variables if name_of_group in run.children else {}
        for name, values in node.variables.items():
            label = f"{name_of_group}/{name}"
            if name not in stored:
                different[label] = np.inf
                continue
            try:
                distance = _distance(np.asarray(stored[str(name)].values), np.asarray(values.values))
            except (OSError, RuntimeError) as error:
                raise _damaged(f"{label} of the run", error) from None
            equal += distance == 0.0
            if 0.0 < distance <= _ROUNDING:
                close[label] = distance
            elif distance > _ROUNDING:
                different[label] = distance
    return RunCheck(equal, close, different)


def _distance(stored: NDArray[Any], again: NDArray[Any]) -> float:
    """The largest relative difference of two arrays; +inf where their shapes, infinities or texts differ."""
    if stored.shape != again.shape:
        return float(np.inf)
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
