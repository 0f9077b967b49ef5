"""Sweep files: opening and writing a sweep, and what an interrupted one leaves."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path as FilePath

import xarray as xr

from simulator.errors import RunFileError
from simulator.files import make_folder, write_table, write_text
from simulator.outputs import damaged_run, open_run, save_run, stored_scenario_text
from simulator.sweep_record import SWEEP_FORMAT
from simulator.sweep_tables import point_table
from simulator.unfinished import keep_in

SWEEP = "sweep.nc"
_REQUIRED = ("sweep_format", "sweep", "run_id", "scenario", "seed", "samples")


def sweep_path(path: FilePath | str) -> FilePath:
    """Find the sweep file that a path names: itself, or the one in the folder.

    Examples
    --------
    >>> sweep_path(getfixture("tmp_path")).name, sweep_path("mine.nc").name
    ('sweep.nc', 'mine.nc')
    """
    file = FilePath(path)
    return file / SWEEP if file.is_dir() else file


def open_sweep(path: FilePath | str) -> xr.DataTree:
    """Open a sweep file.

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
    file = sweep_path(path)
    if not file.exists():
        raise RunFileError(f"{path}: no such sweep file. `simulate sweep` writes one.")
    try:
        sweep = xr.open_datatree(file, engine="netcdf4")
        sweep.load()
        sweep.close()
    except Exception as error:  # noqa: BLE001  # whatever the netCDF library makes of a broken file
        raise damaged_run(str(file), error) from None
    missing = [key for key in _REQUIRED if key not in sweep.attrs]
    if missing or "summary" not in sweep.children:
        what = "is a run, not a sweep: open it with open_run" if "run_format" in sweep.attrs else "is no sweep"
        raise RunFileError(f"{file}: {what} (no {(missing or ['summary'])[0]}).")
    if int(sweep.attrs["sweep_format"]) > SWEEP_FORMAT:
        raise RunFileError(
            f"{file}: is of sweep format {sweep.attrs['sweep_format']}; this simulator reads up to {SWEEP_FORMAT}. "
            "Update it."
        )
    return sweep


def write_sweep(sweep: xr.DataTree, folder: FilePath) -> None:
    """Write a sweep folder: sweep.nc, points.csv with the headlines, and the scenario."""
    make_folder(folder)
    save_run(sweep, folder / SWEEP)
    write_table(folder / "points.csv", point_table(sweep))
    write_text(folder / "scenario.yaml", stored_scenario_text(sweep))


@dataclass(slots=True)
class UnfinishedSweep:
    """The folder in which a sweep leaves the points that are done.

    They are written every `seconds` of work, and when the sweep is interrupted.
    """

    folder: FilePath
    seconds: float = 10.0
    _waiting: dict[str, xr.DataTree] = field(default_factory=dict)
    _written: float = field(default_factory=time.monotonic)

    @property
    def exists(self) -> bool:
        """Whether something of the sweep was left here."""
        return self.folder.is_dir() and any(self.folder.iterdir())

    def point_folder(self, name: str) -> FilePath:
        """Name the folder in which a point that is half done leaves what it has."""
        return self.folder / f"point-{name}.unfinished"

    def keep(self, name: str, run: xr.DataTree) -> None:
        """Take a point that is done, and write those that wait where enough time has passed."""
        self._waiting[name] = run
        if time.monotonic() - self._written >= self.seconds:
            self.write()

    def write(self) -> None:
        """Write the points that wait, a small run file each."""
        for name, run in self._waiting.items():
            keep_in(self.folder, partial(save_run, run, self.folder / f"point-{name}.nc"))
            shutil.rmtree(self.point_folder(name), ignore_errors=True)
        self._waiting = {}
        self._written = time.monotonic()

    def points(self) -> Mapping[str, xr.DataTree]:
        """Read the points that were written, by run id."""
        found = {}
        for path in sorted(self.folder.glob("point-*.nc")):
            try:
                with open_run(path) as run:
                    run.load()
            except RunFileError:
                if path.exists():
                    raise
                continue  # another sweep of the same points was whole just now, and took it away
            found[str(run.attrs["run_id"])] = run
        return found

    def clear(self) -> None:
        """Remove the folder: the sweep is whole."""
        self._waiting = {}
        shutil.rmtree(self.folder, ignore_errors=True)
