"""The groups of a run, opened with a message where one is missing."""

from __future__ import annotations

import xarray as xr

from simulator.errors import InputError, near_name


def group(run: xr.DataTree, name: str, *, of_samples: bool = False) -> xr.Dataset:
    """Give one group of a run as a dataset.

    Raises
    ------
    InputError
        The run does not have it.
    """
    if name not in run.children:
        if of_samples:
            raise InputError(
                f"{run_words(run)} kept its summary only and has no {name}. "
                "Run it again with --keep trajectories to have samples."
            )
        raise InputError(f"{run_words(run)} has no {name}. {near_name(name, list(run.children))}".strip())
    return run.children[name].to_dataset()


def run_words(run: xr.DataTree) -> str:
    """Name a run for a message: its id and scenario where it has them.

    Examples
    --------
    >>> run_words(xr.DataTree())
    'this run'
    """
    if "run_id" not in run.attrs:
        return "this run"
    return f"run {run.attrs['run_id']} of {run.attrs['name']}" if "name" in run.attrs else f"run {run.attrs['run_id']}"
