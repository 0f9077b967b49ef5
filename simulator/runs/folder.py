"""Run folders: writing, opening and checking runs."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from functools import partial
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

import numpy as np

from simulator.addresses import Address, as_path
from simulator.errors import InputError, RunFileError, SimulatorError, missing_extra
from simulator.files import is_folder, is_there, make_folder, replacing, write_text
from simulator.runs.groups import Group, kept_scenario_text, of_tree
from simulator.runs.kinds import RUN, RUN_FORMAT, kind_of, run_path
from simulator.runs.manifest import MANIFEST, check_manifest, open_store
from simulator.runs.netcdf import check_sealed, write_netcdf
from simulator.runs.summary import run_tables
from simulator.scenario.canonical import stored_data
from simulator.scenario.editions import is_first_edition, upgraded_data
from simulator.scenario.load import parse_scenario
from simulator.scenario.resolving import Scenario, data_hash

if TYPE_CHECKING:
    import xarray as xr

    from simulator.runs.run import Run


def stored_scenario(run: xr.DataTree, *, overrides: Sequence[str] = ()) -> Scenario:
    """Read the scenario that a run holds; overrides are changes as `path=value`."""
    text = str(run.attrs["scenario"])
    try:
        stored = parse_scenario(text, file="the stored scenario")
    except InputError as error:
        raise RunFileError(
            f"run {run.attrs['run_id']}: its stored scenario cannot be read by this version:\n{error}\n"
            f"Use version {run.attrs.get('simulator_version', 'that wrote it')} of the simulator, or run it anew."
        ) from None
    return parse_scenario(text, file="the stored scenario", overrides=overrides) if overrides else stored


ORDER = "variable_order"
"""The attribute of a Zarr store that keeps the order of a group's variables and groups."""


def write_run(run: Group | xr.DataTree, outputs: FilePath | str) -> FilePath:
    """Write a run folder: run.nc, CSV tables and the resolved scenario; `Run.save` does the same.

    Parameters
    ----------
    run : Run, or its groups of labelled arrays
    outputs : path
        The folder that holds run folders.

    Returns
    -------
    path of the run folder

    Raises
    ------
    SimulatorError
        The folder cannot be written. What stood there before is left as it was.
    InputError
        The tables of the scenario's priors would not be read again from its scenario.yaml; nothing is written.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("essay-2023", overrides=["samples=64"]))
    >>> folder = write_run(run, getfixture("tmp_path"))
    >>> sorted(file.name for file in folder.iterdir())
    ['binding.csv', 'crossing_probability.csv', 'crossing_years.csv', 'quantiles.csv', 'run.nc', 'scenario.yaml']
    """
    folder = as_path(outputs) / f"{run.attrs['name']}-{run.attrs['run_id']}"
    scenario = kept_scenario_text(run)
    make_folder(folder)
    save_run(run, folder / "run.nc")
    write_tables(run, folder, scenario)
    return folder


def write_tables(run: Group | xr.DataTree, folder: FilePath, scenario: str) -> None:
    """Write the CSV tables of a run and its resolved scenario into its folder."""
    for name, table in run_tables(run).items():
        table.save_csv(folder / f"{name}.csv")
    write_text(folder / "scenario.yaml", scenario)


def save_run(run: Group | xr.DataTree, path: FilePath | str) -> None:
    """Write a run as one netCDF file with groups; the same run gives the same bytes.

    Parameters
    ----------
    run : Run, or its groups of labelled arrays
    path : path of the file; what stands there is replaced when all is written

    Raises
    ------
    SimulatorError
        The file cannot be written.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> folder = getfixture("tmp_path")
    >>> save_run(simulate(load_scenario("essay-2023", overrides=["samples=64"])), folder / "mine.nc")
    >>> int(open_run(folder / "mine.nc").attrs["samples"])
    64
    """
    with replacing(as_path(path)) as temporary:
        write_netcdf(run if isinstance(run, Group) else of_tree(run), temporary)


def _no_run(path: FilePath) -> str:
    if not is_folder(path):
        return f"{path}: no such run file. 'simulate SCENARIO' writes one into outputs/ of the folder it is started in."
    kind = kind_of(path)
    if kind is not RUN:
        return f"{path}: {kind.is_one}, not a run. 'simulate show' prints it."
    return f"{path}: is a folder without a run (run.nc). Name the folder of a run: 'simulate SCENARIO' prints it."


def open_run(path: FilePath | str) -> Run:
    """Open a run, lazily: its summary is read at once, its samples when they are asked for.

    Parameters
    ----------
    path : path
        A run folder, its `run.nc` or `run.zarr`, or a run file of any name.

    Returns
    -------
    Run
        As `simulate` gives it; `with open_run(path) as run:` closes its file.

    Raises
    ------
    RunFileError
        The file is missing, damaged, cut short, of another tool or of a newer format.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> folder = simulate(load_scenario("essay-2023", overrides=["samples=64"])).save(getfixture("tmp_path"))
    >>> with open_run(folder) as run:
    ...     run["trajectories/effective_compute"].sel(year=2030).sizes["sample"]
    64
    >>> open_run("no-such-run.nc")
    Traceback (most recent call last):
    simulator.errors.RunFileError: no-such-run.nc: no such run file. 'simulate SCENARIO' writes ...
    """
    import xarray as xr

    from simulator.runs.checked import of_kind
    from simulator.runs.run import Run

    file = run_path(path)
    if not is_there(file):
        raise RunFileError(_no_run(as_path(path)))
    here = file
    try:
        if file.suffix == ".zarr" if isinstance(file, Address) else file.is_dir():
            run = _open_store(file)
        else:
            run = xr.open_datatree(here := check_sealed(file), engine="netcdf4")
    except SimulatorError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever the netCDF library makes of a broken file
        raise damaged_run(str(file), error) from None
    if "sweep_format" in run.attrs:
        raise RunFileError(
            f"{file}: is a sweep, not a run. 'simulate show' and 'simulate chart' read it; from Python, open_sweep."
        )
    try:
        of_kind(run, RUN, file=file, newest=RUN_FORMAT)
    except RunFileError:
        run.close()
        raise
    if is_first_edition(stored := stored_data(run.attrs)):
        said = upgraded_data(stored)
        run.attrs |= {"scenario": json.dumps(said, ensure_ascii=False), "scenario_hash": data_hash(said)}
    opened = Run.of(run)
    if isinstance(file, Address):
        opened.set_close(partial(_close, run, here))
    return opened


def _close(run: xr.DataTree, _: FilePath) -> None:
    """Close a run; the copy of its file, which is known here, stands until then."""
    run.close()


def _open_store(path: FilePath) -> xr.DataTree:
    try:
        import zarr  # noqa: F401
    except ImportError:
        raise missing_extra(f"{path}: is a Zarr store.", "zarr") from None
    import xarray as xr

    if isinstance(path, Address):
        known = True
        run = xr.open_datatree(open_store(path), engine="zarr", consolidated=True, chunks=None)  # type: ignore[arg-type]
        run.encoding["source"] = str(path)
    else:
        known = check_manifest(path)
        run = xr.open_datatree(path, engine="zarr", consolidated=False, chunks=None)
    run.attrs.pop(MANIFEST, None)
    if not known:
        said = "this store was written without a manifest of its files: whether it is whole is not known."
        run.attrs["warnings"] = f"{run.attrs.get('warnings', '')}\n{said}".strip()
    for node in list(run.subtree):
        _put_in_order(node)
        for values in node.variables.values():
            if isinstance(values.attrs.get("flag_values"), list):  # JSON, in which Zarr keeps attributes, has no arrays
                values.attrs["flag_values"] = np.asarray(values.attrs["flag_values"], dtype=values.dtype)
    return run


def _put_in_order(node: xr.DataTree) -> None:
    """Put the variables and groups of a store into their order: it lists them as the disk happens to."""
    names = list(node.attrs.pop(ORDER, []))

    def place(name: Hashable) -> tuple[int, str]:
        return names.index(name) if name in names else len(names), str(name)

    node.dataset = node.to_dataset(inherit=False)[sorted(node.data_vars, key=place)]
    node.children = {name: node.children[name] for name in sorted(node.children, key=place)}


def damaged_run(file: str, error: Exception) -> RunFileError:
    """Say that a run file cannot be read."""
    return RunFileError(
        f"{file}: cannot be read as a run: it is damaged, cut short, or no netCDF file ({type(error).__name__}). "
        "Run the scenario again."
    )
