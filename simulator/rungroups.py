"""The groups of a run, opened with a message where one is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.errors import InputError, near_name
from simulator.labelled import Group, as_dataset, of_dataset

if TYPE_CHECKING:
    import xarray as xr


def group(run: Group | xr.DataTree, name: str, *, of_samples: bool = False) -> xr.Dataset:
    """Give one group of a run as a dataset, whether xarray holds the run or not.

    Parameters
    ----------
    run : xarray.DataTree
    name : str
    of_samples : bool
        Whether the group is one that a run without samples lacks; the error then says so.

    Raises
    ------
    InputError
        The run does not have it.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("essay-2023"), keep="summary")
    >>> group(run, "summary").sizes["year"]
    32
    >>> group(run, "trajectories", of_samples=True)
    Traceback (most recent call last):
    simulator.errors.InputError: run ... of essay-2023 kept its summary only and has no trajectories. ...
    """
    _check(run, name, of_samples=of_samples)
    child = run.children[name]
    return as_dataset(child) if isinstance(child, Group) else child.to_dataset()


def arrays(run: Group | xr.DataTree, name: str, *, of_samples: bool = False) -> Group:
    """Give one group of a run as labelled arrays, whether xarray holds the run or not.

    Parameters
    ----------
    run : Group, or xarray.DataTree
    name, of_samples
        As in `group`.

    Raises
    ------
    InputError
        The run does not have it.
    """
    _check(run, name, of_samples=of_samples)
    child = run.children[name]
    return child if isinstance(child, Group) else of_dataset(child.to_dataset())


def _check(run: Group | xr.DataTree, name: str, *, of_samples: bool) -> None:
    if name in run.children:
        return
    if of_samples:
        raise InputError(
            f"{run_words(run)} kept its summary only and has no {name}. "
            "Run it again with --keep trajectories to have samples."
        )
    raise InputError(f"{run_words(run)} has no {name}. {near_name(name, list(run.children))}".strip())


def run_words(run: Group | xr.DataTree) -> str:
    """Name a run for a message: its id and scenario where it has them.

    Examples
    --------
    >>> run_words(Group())
    'this run'
    """
    if "run_id" not in run.attrs:
        return "this run"
    return f"run {run.attrs['run_id']} of {run.attrs['name']}" if "name" in run.attrs else f"run {run.attrs['run_id']}"
