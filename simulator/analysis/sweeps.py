"""Sweeps: a scenario run with changed priors, each point on the same draws, as one dataset.

A point is a run of its own that keeps its summary: `simulate` with overrides, and nothing else. Runs of several
scenarios are joined to such a dataset too, with the dimension `scenario`.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path as FilePath

import numpy as np
import xarray as xr

from simulator.analysis.designs.points import DesignPlan, UnfinishedDesign, design_id, load_design, run_design
from simulator.analysis.evaluation import first_sample
from simulator.analysis.sweep_files import (
    SWEEP_FORMAT,
    Sweep,
    UnfinishedSweep,
    build_sweep,
    point_ids,
    stacked,
    sweep_id,
)
from simulator.analysis.sweep_points import Over, SweepPlan, load_sweep
from simulator.analysis.sweep_tables import Known, read_outcomes
from simulator.engine.checkpoints import Unfinished
from simulator.engine.run_folders import FITS, Say
from simulator.engine.simulation import COUNTED, How, Progress, run_arrays, run_plan, simulate, works_of
from simulator.engine.workers import Workers, queued, side_by_side, submitted, width, worth_processes
from simulator.errors import InputError
from simulator.files import short_hash, tidy
from simulator.runs.groups import Group, as_dataset, named_thresholds
from simulator.scenario.load import parse_scenario
from simulator.scenario.resolving import Scenario
from simulator.version import source_digest
from simulator.wording import listed

BATCHES_EACH = 4
"""Batches for each worker from which a point is shared between them, in the place of points done side by side."""

type Point = tuple[str, Scenario]


def sweep(
    source: Scenario | FilePath | str,
    *,
    over: Over | None = None,
    design: str | None = None,
    points: FilePath | str | None = None,
    overrides: Sequence[str] = (),
    workers: Workers = 1,
    progress: Progress | None = None,
) -> Sweep:
    """Run a scenario at every combination of changed priors, or at the points of a design, on common draws.

    Parameters
    ----------
    source : Scenario, path or str
        A scenario, a file, or the name of a shipped scenario.
    over : mapping or sequence of str, optional
        The entries that are swept, by path, with their values: a text such as "1.5:4:6" or "1e10:1e12:5:log", a
        sequence, or labels with a value each; or texts as behind `--over`. Without it, the `sweep:` block of the file.
        With `design` their ranges: "1.5:4", "1e10:1e12:log" or a pair of numbers.
    design : str, optional
        "lhs:500", a Latin hypercube, or "sobol:512", a Sobol sequence, of so many points over the ranges.
    points : path, optional
        A table (CSV) of points: a column for each entry, called by its path, and maybe one called `label`.
    overrides : sequence of str
        Changes of the whole sweep, as `path=value`.
    workers : int
        Points computed side by side; the result does not depend on it. As for `simulate`, a script that asks for
        several must do so below `if __name__ == "__main__":`.
    progress : function, optional
        Called with (points done, points in all).

    Returns
    -------
    Sweep
        An `xarray.DataTree`: its `summary` is that of a run with a dimension more for each entry that is swept, in
        their order, called by its path. Of a design the dimension is `point`, with the entries as coordinates along
        it; a point that fails is NaN, told in `warnings`, and `holds` is False.

    Raises
    ------
    ScenarioError
        The scenario has faults, or has them at a point of the sweep.
    InputError
        What is swept cannot be read or is too much.

    Examples
    --------
    >>> swept = sweep("essay-2023", over={"drivers.spending.growth[2].rate": ["1.5x/year", "3x/year"]})
    >>> swept["summary/never"].dims
    ('drivers.spending.growth[2].rate', 'threshold')
    >>> swept.at(rate=3)["never"].sel(threshold="gpt-4").item()
    0.0
    >>> spread = sweep("essay-2023", over={"drivers.spending.start": "500:1000"}, design="sobol:4")
    >>> spread["summary/never"].dims, spread["summary/drivers.spending.start"].dims
    (('point', 'threshold'), ('point',))
    """
    plan = load_plan(source, over=over, design=design, points=points, overrides=overrides)
    if isinstance(plan, DesignPlan):
        return run_design(plan, workers=workers, progress=progress)
    return run_sweep(learnt_plan(plan), workers=workers, progress=progress)


def load_plan(
    source: Scenario | FilePath | str,
    *,
    over: Over | None = None,
    design: str | None = None,
    points: FilePath | str | None = None,
    overrides: Sequence[str] = (),
) -> SweepPlan | DesignPlan:
    """Read a scenario and what is swept: a grid, or the points of a design or a table."""
    if design is None and points is None:
        return load_sweep(source, over=over, overrides=overrides)
    return load_design(source, over=over, design=design, points=points, overrides=overrides)


def learnt_plan(plan: SweepPlan, *, cache: FilePath | None = None) -> SweepPlan:
    """Let the points of a sweep learn from history where they name one; points with one prior share one fit."""
    if not any(point.must_learn for point in plan.points):
        return plan
    from simulator.history.learning import learn_each

    base, *points = learn_each((plan.base, *plan.points), cache=cache)
    return replace(plan, base=base, points=tuple(points))


def check_asked(plan: SweepPlan | DesignPlan, outcomes: Sequence[str]) -> None:
    """Check outcomes that are asked of a sweep before it is run, by one of its points: all have the same."""
    found = first_sample(plan.points[0] if isinstance(plan, SweepPlan) else plan.base) if outcomes else None
    if found is not None:
        own, sample = found
        levels = [name for name in sample.trajectories if not name.startswith("binding_")]
        actors = [each.name for each in own.actors]
        read_outcomes(outcomes, Known(levels, list(own.thresholds), own.years.tolist(), actors, own.told))


def run_sweep(
    plan: SweepPlan,
    *,
    workers: Workers = 1,
    progress: Progress | None = None,
    unfinished: UnfinishedSweep | None = None,
) -> Sweep:
    """Run the points of a sweep that are not done, and join all; on interruption they are left in `unfinished`."""
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
    plan: SweepPlan | DesignPlan,
    outputs: FilePath,
    *,
    workers: Workers = 1,
    progress: Progress | None = None,
    resume: bool = False,
    say: Say = print,
) -> tuple[Sweep, FilePath]:
    """Run a sweep or a design and write its folder, `<scenario>-sweep-<id>`, below `outputs`; give both.

    Points that are done are left in `<folder>.unfinished` until it is written; `resume` goes on with them.
    """
    if isinstance(plan, DesignPlan):
        identity = design_id(plan)
    else:
        plan = learnt_plan(plan, cache=outputs / FITS)
        identity = sweep_id(plan)
    folder = outputs / f"{plan.base.spec.name}-sweep-{identity}"
    place = folder.with_name(f"{folder.name}.unfinished")
    unfinished: UnfinishedDesign | UnfinishedSweep
    if isinstance(plan, DesignPlan):
        run = partial(run_design, plan, unfinished=(unfinished := UnfinishedDesign(place)))
    else:
        run = partial(run_sweep, plan, unfinished=(unfinished := UnfinishedSweep(place)))
    tidy(outputs)
    if unfinished.exists and not resume:
        say(f"an interrupted sweep is started anew; --resume would have gone on with {unfinished.folder}")
        unfinished.clear()
    if resume and not unfinished.exists:
        say("nothing was left by an interrupted sweep: it is run from the start.")
    with unfinished.noted():
        result = run(workers=workers, progress=progress)
        result.write_into(folder)
    unfinished.clear()
    return result, folder


def _computed(
    todo: Sequence[Point], *, workers: Workers, unfinished: UnfinishedSweep | None
) -> Iterator[tuple[str, xr.DataTree]]:
    """Compute points in their order: one after the other, each by all workers, or several side by side."""
    if not todo:
        return
    afar = isinstance(workers, Executor)
    long = todo[0][1].spec.samples >= BATCHES_EACH * width(workers) * COUNTED
    if workers == 1 or long or (len(todo) == 1 and not afar):
        left = {name: Unfinished(unfinished.point_folder(name)) for name, _ in todo} if unfinished else {}
        yield from _each_by_all(todo, workers=workers, left=left)
        return
    if not afar:
        began = time.perf_counter()
        yield todo[0][0], simulate(todo[0][1], keep="summary")
        each, todo = time.perf_counter() - began, todo[1:]
        workers = workers if worth_processes(each * len(todo)) else 1
    shared = side_by_side(
        todo,
        workers=workers,
        here=lambda point: simulate(point[1], keep="summary"),
        there=lambda pool, point: submitted(pool, _remote, json.dumps(point[1].data)),
    )
    yield from ((name, run) for (name, _), run in shared)


def _remote(text: str) -> xr.DataTree:
    return simulate(parse_scenario(text, file="the scenario"), keep="summary")


def _each_by_all(
    todo: Sequence[Point], *, workers: Workers, left: Mapping[str, Unfinished]
) -> Iterator[tuple[str, xr.DataTree]]:
    """Compute points one after the other, each by all workers; an executor is handed their batches as one queue."""
    works = (
        (place, work)
        for place, (name, point) in enumerate(todo)
        if name not in left or not left[name].exists
        for work in works_of(run_plan(point), "summary")
    )
    with queued(workers, works) as queue:
        for place, (name, point) in enumerate(todo):
            if queue:
                queue.begin(place)
            how = How("summary", workers=workers, queue=queue)
            yield name, run_arrays(point, how=how, unfinished=left.get(name)).to_xarray()


SCENARIO = "scenario"
MOST_LEFT = 12
"""What is left out that is named."""
_DRAWS = ("seed", "samples", "block", "design")


def summary_of_run(run: Group) -> xr.DataTree:
    """Take of a run what is joined: its summary, and what it says of itself."""
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=run.attrs), "summary": as_dataset(run.children["summary"])})


def join_runs(runs: Sequence[xr.DataTree], *, labels: Sequence[str] = ()) -> Sweep:
    """Join the summaries of runs of several scenarios to one dataset.

    Years, thresholds and variables that not all have are left out, and told; a cap or constraint that a scenario has
    not is +inf there.

    Parameters
    ----------
    runs : sequence of Run
        Two or more.
    labels : sequence of str, optional
        What they are called along the dimension `scenario`; otherwise by the names of their scenarios.

    Returns
    -------
    Sweep
        Its `summary` is that of a run with the dimension `scenario` in front.

    Raises
    ------
    InputError
        There are fewer than two, or they have no two years in common.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> names = ("essay-2023", "baseline")
    >>> joined = join_runs([simulate(load_scenario(name, overrides=["samples=64"])) for name in names])
    >>> joined["summary/effective_compute"].dims, joined["summary/scenario"].values.tolist()
    (('scenario', 'quantile', 'year'), ['essay-2023', 'baseline'])
    """
    if len(runs) < 2:
        raise InputError(f"scenarios: two or more are joined; got {len(runs)}.")
    names = _told_apart(labels or [str(run.attrs["name"]) for run in runs])
    summaries, left = _in_common([run["summary"].to_dataset() for run in runs])
    ids = [str(run.attrs["run_id"]) for run in runs]
    along = {SCENARIO: xr.Variable(SCENARIO, np.array(names, dtype=str), {"long_name": SCENARIO})}
    summary, gone = stacked(summaries, along, [len(runs)])
    left += [name for name in gone if not name.endswith(("_mean", "_error"))]
    left += [f"{len(left) - MOST_LEFT} more"] if len(left) > MOST_LEFT else []
    left = left if len(left) <= MOST_LEFT else [*left[:MOST_LEFT], left[-1]]
    axis = {"name": SCENARIO, "label": "", "unit": "", "numbers": None,
            "points": [{"label": name, "set": list[str]()} for name in names]}  # fmt: skip
    first = {key: value for key, value in runs[0].attrs.items() if key != "run_format"}
    years = summary["year"].values
    said = {
        "sweep_format": SWEEP_FORMAT, "run_id": short_hash(*ids, *names, str(SWEEP_FORMAT), source_digest()),
        "name": f"{runs[0].attrs['name']}-and-{len(runs) - 1}-more", "title": listed(names), "keep": "summary",
        "store": "netcdf", "sweep": json.dumps([axis], ensure_ascii=False), "points": len(runs),
        "samples": min(int(run.attrs["samples"]) for run in runs), "first_year": str(years[0]),
        "last_year": str(years[-1]), "overrides": "", "notes": "", "components": "", "joined": 1,
    }  # fmt: skip
    told = [f"left out, since not every scenario has them: {', '.join(left)}."] if left else []
    for key in _DRAWS:
        values = [str(run.attrs[key]) for run in runs]
        if len(set(values)) > 1:
            each = "; ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))
            told.append(f"the scenarios are not on common draws: {key} is {each}. Give it to all with --{key}."
                        if key in ("seed", "samples") else f"the scenarios differ in {key}: {each}.")  # fmt: skip
    lines = dict.fromkeys(line for run in runs for line in str(run.attrs["warnings"]).splitlines())
    for line in lines:
        having = [n for n, run in zip(names, runs, strict=True) if line in str(run.attrs["warnings"]).splitlines()]
        told.append(line if len(having) == len(runs) else f"{', '.join(having)}: {line}")
    return Sweep.of(xr.DataTree.from_dict({
        "/": xr.Dataset(attrs=first | said | {"warnings": "\n".join(told)}),
        "summary": summary,
        "points": xr.Dataset({"run_id": (SCENARIO, np.array(ids), {"long_name": "run of the scenario"})}, coords=along),
    }))  # fmt: skip


def _told_apart(names: Sequence[str]) -> list[str]:
    """Number names that come twice."""
    count = Counter(names)
    return [f"{name} ({list(names[: place + 1]).count(name)})" if count[name] > 1 else name
            for place, name in enumerate(names)]  # fmt: skip


def _in_common(summaries: Sequence[xr.Dataset]) -> tuple[list[xr.Dataset], list[str]]:
    """Keep the years, thresholds and variables of one unit that all have; name what is left out."""
    years = [each["year"].values.tolist() for each in summaries]
    common = [year for year in years[0] if all(year in own for own in years)]
    if len(common) < 2:
        raise InputError("scenarios: have no two years in common; each has its run folder.")
    lost = sorted({year for own in years for year in own} - set(common))
    left = [f"{len(lost)} years ({lost[0]:g} to {lost[-1]:g})"] if lost else []
    stands = [named_thresholds(each, "quantity") for each in summaries]
    kept = [name for name, on in stands[0].items() if all(own.get(name) == on for own in stands)]
    left += [f"threshold {name}" for name in dict.fromkeys(n for own in stands for n in own) if name not in kept]
    units = [{str(name): each.attrs.get("units") for name, each in own.data_vars.items()} for own in summaries]
    other = {name for own in units for name, unit in own.items() for each in units if each.get(name, unit) != unit}
    result = []
    for own in summaries:
        taken = own.sel(year=common).drop_vars(sorted(other & {*map(str, own.data_vars)}))
        result.append(taken.sel(threshold=kept) if kept and "threshold" in own.dims else taken.drop_dims("threshold")
                      if "threshold" in own.dims else taken)  # fmt: skip
    return result, left + sorted(other)
