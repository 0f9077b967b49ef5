"""Sweeps: a scenario run with changed priors, each point on the same draws, as one dataset.

A point is a run of its own that keeps its summary: `simulate` with overrides, and nothing else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from simulator.analysis.evaluation import first_sample
from simulator.analysis.sweep_files import UnfinishedSweep, build_sweep, point_ids, sweep_id, write_sweep
from simulator.analysis.sweep_points import Over, SweepPlan, load_sweep
from simulator.analysis.sweep_tables import read_outcomes
from simulator.engine.checkpoints import Unfinished
from simulator.engine.run_folders import FITS
from simulator.engine.simulation import COUNTED, Progress, simulate
from simulator.engine.workers import side_by_side, worth_processes
from simulator.scenario.load import parse_scenario
from simulator.scenario.resolving import Scenario

if TYPE_CHECKING:
    import xarray as xr

BATCHES_EACH = 4
"""Batches for each worker from which a point is shared between them, in the place of points done side by side."""

type Say = Callable[[str], None]
type Point = tuple[str, Scenario]


def sweep(
    source: Scenario | FilePath | str,
    *,
    over: Over | None = None,
    overrides: Sequence[str] = (),
    workers: int = 1,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Run a scenario at every combination of changed priors, on common draws.

    Parameters
    ----------
    source : Scenario, path or str
        A scenario, a file, or the name of a shipped scenario.
    over : mapping or sequence of str, optional
        The entries that are swept, by path, with their values: a text such as "1.5:4:6" or "1e10:1e12:5:log", a
        sequence, or labels with a value each; or texts as behind `--over`. Without it, the `sweep:` block of the file.
    overrides : sequence of str
        Changes of the whole sweep, as `path=value`.
    workers : int
        Points computed side by side; the result does not depend on it. As for `simulate`, a script that asks for
        several must do so below `if __name__ == "__main__":`.
    progress : function, optional
        Called with (points done, points in all).

    Returns
    -------
    xarray.DataTree
        Its `summary` is that of a run with a dimension more for each entry that is swept, in their order.

    Raises
    ------
    ScenarioError
        The scenario has faults, or has them at a point of the sweep.
    InputError
        What is swept cannot be read or is too much.

    Examples
    --------
    >>> rank = "correlations[1].rank"
    >>> swept = sweep("baseline", over={rank: [0.0, 0.5]}, overrides=["samples=1024"])
    >>> swept["summary/never"].sel({rank: 0.5}).dims
    ('threshold',)
    """
    plan = learnt_plan(load_sweep(source, over=over, overrides=overrides))
    return run_sweep(plan, workers=workers, progress=progress)


def learnt_plan(plan: SweepPlan, *, cache: FilePath | None = None) -> SweepPlan:
    """Let the points of a sweep learn from history where they name one; points with one prior share one fit.

    Parameters
    ----------
    plan : SweepPlan
    cache : path of a folder, optional
        Where fits are kept and found again.

    Examples
    --------
    >>> plan = load_sweep("essay-2023", over={"drivers.spending.growth[2].rate": [1.5, 3]})
    >>> learnt_plan(plan) is plan  # nothing to learn
    True
    """
    if not any(point.must_learn for point in plan.points):
        return plan
    from simulator.history.learning import learn_each

    base, *points = learn_each((plan.base, *plan.points), cache=cache)
    return replace(plan, base=base, points=tuple(points))


def check_asked(point: Scenario, outcomes: Sequence[str]) -> None:
    """Check what is asked of a sweep before it is run, by one of its points.

    Parameters
    ----------
    point : Scenario
        Any point of the sweep: all have the same variables, thresholds and years.
    outcomes : sequence of str
        As written after `--outcome`.

    Raises
    ------
    InputError
        One is not written as an outcome, or a sweep has no such variable, threshold or year.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> check_asked(load_scenario("essay-2023"), ["effective_compute@2030"])
    >>> check_asked(load_scenario("essay-2023"), ["spendin@2030"])
    Traceback (most recent call last):
    simulator.errors.InputError: outcome 'spendin@2030': the sweep has no variable 'spendin'. Did you mean 'spending'?
    """
    found = first_sample(point) if outcomes else None
    if found is not None:
        plan, sample = found
        levels = [name for name in sample.trajectories if not name.startswith("binding_")]
        read_outcomes(outcomes, variables=levels, thresholds=list(plan.thresholds), years=plan.years.tolist())


def run_sweep(
    plan: SweepPlan, *, workers: int = 1, progress: Progress | None = None, unfinished: UnfinishedSweep | None = None
) -> xr.DataTree:
    """Run the points of a sweep that are not done, and join all.

    Parameters
    ----------
    plan : SweepPlan
        From `load_sweep`, learnt where it must.
    workers, progress
        As in `sweep`.
    unfinished : UnfinishedSweep, optional
        Where points that are done are left on interruption, and taken up again.

    Returns
    -------
    xarray.DataTree
        As `sweep`.

    Raises
    ------
    SimulatorError
        A point cannot be computed, or a process was killed.

    Examples
    --------
    >>> plan = load_sweep("essay-2023", over={"drivers.spending.growth[2].rate": [1.5, 3]})
    >>> run_sweep(plan)["summary/spending"].sel(quantile=0.5, year=2027).values.round(2).tolist()  # log10 USD
    [10.35, 10.95]
    """
    wanted = dict(zip(point_ids(plan), plan.points, strict=True))  # points that say the same are run once
    left = unfinished.points() if unfinished else {}
    done = {name: left[name] for name in wanted if name in left}
    todo = [(name, point) for name, point in wanted.items() if name not in done]
    try:
        for name, run in _computed(todo, workers=workers, unfinished=unfinished):
            done[name] = run
            if unfinished:
                unfinished.keep(name, run)
            if progress:
                progress(len(done), len(wanted))
    except BaseException:
        if unfinished:
            unfinished.write()
        raise
    return build_sweep(plan, done)


def sweep_to_folder(
    plan: SweepPlan,
    outputs: FilePath,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    resume: bool = False,
    say: Say = print,
) -> tuple[xr.DataTree, FilePath]:
    """Run a sweep and write its folder, `<scenario>-sweep-<id>`.

    Points that are done are left in `<folder>.unfinished` every ten seconds and when the sweep is interrupted; they
    go when the folder is written.

    Parameters
    ----------
    plan : SweepPlan
    outputs : path of the folder that holds run folders
    workers, progress
        As in `sweep`.
    resume : bool
        Go on with what an interrupted sweep of the same points left.
    say : function
        Told what the reader should know.

    Returns
    -------
    xarray.DataTree, and the path of its folder

    Raises
    ------
    InputError, SimulatorError
        As `sweep`; or the folder cannot be written.

    Examples
    --------
    >>> plan = load_sweep("essay-2023", over={"drivers.spending.growth[2].rate": [1.5, 3]})
    >>> result, folder = sweep_to_folder(plan, getfixture("tmp_path"))
    >>> sorted(file.name for file in folder.iterdir())
    ['points.csv', 'scenario.yaml', 'sweep.nc']
    """
    plan = learnt_plan(plan, cache=outputs / FITS)
    folder = outputs / f"{plan.base.spec.name}-sweep-{sweep_id(plan)}"
    unfinished = UnfinishedSweep(folder.with_name(f"{folder.name}.unfinished"))
    if unfinished.exists and not resume:
        say(f"an interrupted sweep is started anew; --resume would have gone on with {unfinished.folder}")
        unfinished.clear()
    if resume and not unfinished.exists:
        say("nothing was left by an interrupted sweep: it is run from the start.")
    result = run_sweep(plan, workers=workers, progress=progress, unfinished=unfinished)
    write_sweep(result, folder)
    unfinished.clear()
    return result, folder


def _computed(
    todo: Sequence[Point], *, workers: int, unfinished: UnfinishedSweep | None
) -> Iterator[tuple[str, xr.DataTree]]:
    """Compute points in their order: one after the other, each by all workers, or several side by side."""
    if not todo:
        return
    long = todo[0][1].spec.samples >= BATCHES_EACH * workers * COUNTED
    if workers <= 1 or long or len(todo) == 1:
        for name, point in todo:
            left = Unfinished(unfinished.point_folder(name)) if unfinished else None
            yield name, simulate(point, keep="summary", workers=workers, unfinished=left)
        return
    began = time.perf_counter()
    yield todo[0][0], simulate(todo[0][1], keep="summary")
    each = time.perf_counter() - began
    if not worth_processes(each * (len(todo) - 1)):
        yield from ((name, simulate(point, keep="summary")) for name, point in todo[1:])
        return
    shared = side_by_side(
        todo[1:],
        workers=workers,
        here=lambda point: simulate(point[1], keep="summary"),
        there=lambda pool, point: pool.submit(_remote, json.dumps(point[1].data)),
    )
    for (name, _), run in shared:
        yield name, run


def _remote(text: str) -> xr.DataTree:
    return simulate(parse_scenario(text, file="the scenario"), keep="summary")
