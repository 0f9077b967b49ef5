"""Run folders from scenarios: run, go on with what was interrupted, extend what is there."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.addresses import Address, as_path
from simulator.engine.batches import Batch
from simulator.engine.checkpoints import COUNTS, Unfinished, read_tallies, write_tallies
from simulator.engine.frontier import CROSSED
from simulator.engine.plan import batch_length
from simulator.engine.record import fit_of, run_id
from simulator.engine.simulation import COUNTED, KEPT, How, Progress, run_arrays, run_plan, simulate, works_of
from simulator.engine.workers import Work, Workers, queued
from simulator.engine.zarr_store import STORE, simulate_to_store, take_store
from simulator.errors import InputError, RunFileError, SimulatorError
from simulator.files import LARGEST_TEXT, is_there, make_folder, tidy
from simulator.model.meeting import room_for_crossings
from simulator.runs.folder import open_run, stored_scenario, write_run, write_tables
from simulator.runs.groups import Group, kept_scenario_text, of_tree
from simulator.runs.kinds import run_path
from simulator.scenario.canonical import kept_text
from simulator.scenario.differences import check_number
from simulator.scenario.library import shipped_names
from simulator.scenario.load import load_scenario, load_with_variants, scenario_of
from simulator.scenario.resolving import Scenario
from simulator.version import made_otherwise, otherwise_words

if TYPE_CHECKING:
    import xarray as xr

    from simulator.runs.run import Run

FITS = "fits"
"""The folder of stored fits of history, among the run folders."""

type Say = Callable[[str], None]


def run_to_folder(
    scenario: Scenario, outputs: FilePath, *, how: How, resume: bool = False, say: Say = print
) -> tuple[Group, FilePath]:
    """Run a scenario and write its run folder.

    What is done is left in `<run folder>.unfinished` every ten seconds and when the run is interrupted; it goes when
    the run folder is written.
    """
    if how.store == "zarr" and how.keep == "summary":
        raise InputError("--store zarr holds samples; write --keep trajectories with it, or leave it out.")
    scenario = ready(scenario, outputs, say=say)
    with _at_work(scenario, outputs, how) as unfinished, unfinished.noted():
        if unfinished.exists and not resume:
            say(
                "an interrupted run of this scenario is started anew; "
                f"--resume would have gone on with {unfinished.folder}"
            )
            unfinished.clear()
        if resume and not unfinished.exists:
            if taken := _whole(unfinished.folder.with_suffix("")):
                say(f"{taken[1]}: is whole, and taken as it is.")
                return taken
            say("nothing was left by an interrupted run of this scenario: it is run from the start.")
        return _finish(scenario, outputs, how, unfinished)


type Runs = Iterator[tuple[str, Group, FilePath]]
"""Runs, when each is done: what it is called, itself, its folder."""


def run_with_variants(
    source: FilePath | str, outputs: FilePath, overrides: Sequence[str], *, how: How, resume: bool, say: Say
) -> Runs:
    """Run a scenario and its variants into run folders."""
    yield from _run_each(load_with_variants(source, overrides=overrides), outputs, how=how, resume=resume, say=say)


def _run_each(
    given: tuple[Scenario, Mapping[str, Scenario]], outputs: FilePath, *, how: How, resume: bool, say: Say
) -> Runs:
    scenario, variants = given
    for name, each in ((scenario.spec.name, scenario), *variants.items()):
        yield name, *run_to_folder(each, outputs, how=how, resume=resume, say=say)


def run_several(
    sources: Sequence[FilePath | str],
    outputs: FilePath,
    overrides: Sequence[str],
    *,
    how: How,
    resume: bool = False,
    say: Say = print,
) -> Generator[Callable[[], Runs], None, None]:
    """Give what runs each of several scenarios with its variants, in their order.

    An executor is handed their batches as one queue: the next ones before one is whole. Runs into stores, of scenarios
    that must learn, and those that are gone on with hand out their own. `resume` takes runs that are whole as they are.
    """
    read = [cache(partial(load_with_variants, source, overrides=overrides)) for source in sources]

    def works() -> Iterator[tuple[int, Work[Any]]]:
        for place, found in enumerate(read):
            with contextlib.suppress(SimulatorError):  # which is told when its turn comes
                scenario, variants = found()
                for each in (scenario, *variants.values()):
                    if not (each.must_learn or (resume and _begun(each, outputs, how))):
                        yield from ((place, todo) for todo in works_of(run_plan(each), how.keep))

    def runs(place: int) -> Runs:
        yield from _run_each(read[place](), outputs, how=replace(how, queue=queue), resume=resume, say=say)
        read[place].cache_clear()

    with queued(how.workers if how.store == "netcdf" else 1, works()) as queue:
        for place in range(len(read)):
            if queue:
                queue.begin(place)
            yield partial(runs, place)


def _begun(scenario: Scenario, outputs: FilePath, how: How) -> bool:
    """Tell whether a run of a scenario, or what is left of one, is there."""
    unfinished = _unfinished(scenario, outputs, how)
    return unfinished.exists or is_there(unfinished.folder.with_suffix(""))


def ready(scenario: Scenario, outputs: FilePath, *, say: Say = print, stored: bool = False) -> Scenario:
    """Let a scenario learn from the history that it names, from a stored fit where there is one.

    Fits are stored in the folder `fits` among the run folders. A scenario that names no history stays what it is.
    Beside an address they are stored in `outputs/` here. With `stored` no fit is made: NotStoredError where none is.
    """
    if not scenario.must_learn:
        return scenario
    from simulator.history.learning import learn, learnt_lines

    of_runs = scenario.spec.history is None or scenario.spec.history.runs != "none"
    fits = (FilePath("outputs") if isinstance(outputs, Address) else outputs) / FITS
    kept = f"a stored fit is read at once ({fits}, 500 MB at most)"
    how = f"history; sampling takes about a minute, {kept}" if of_runs else "what was observed"
    say(f"{scenario.spec.name}: learns from {how}.")
    learnt = learn(scenario, cache=fits, stored=stored)
    for line in learnt_lines(learnt):
        say(line)
    return learnt


_SHARED = ("seed", "samples", "design", "block")
"""What runs must have in common for their priors to share draws."""


type Item = xr.DataTree | Scenario | FilePath | str
"""A run or a scenario, or what names one."""


def read_alike(
    items: Sequence[Item], *, samples: int | None = None, seed: int | None = None
) -> list[xr.DataTree | Scenario]:
    """Open runs, and read scenarios so that they are drawn as the first item is, unless samples or seed are given.

    A run that kept its summary only has no draws to share; then the next item is the first. Every item is read, and
    its faults said, before one is run.
    """
    items = [items] if isinstance(items, str) else items
    check_number([_called(item) for item in items])
    given = {} if samples is None else {"samples": str(samples)}
    given |= {} if seed is None else {"seed": str(seed)}
    shared: dict[str, str] = {}
    read: list[xr.DataTree | Scenario] = []
    for item in items:
        if not isinstance(item, Scenario) and (not isinstance(item, str | FilePath) or _names_run(str(item))):
            run = open_run(item) if isinstance(item, str | FilePath) else item
            stated = {key: str(run.attrs[key]) for key in _SHARED} if "trajectories" in run.children else {}
            read.append(run)
        else:
            own = scenario_of(item)
            stated = {key: str(getattr(own.spec, key)) for key in _SHARED}
            changes = [f"{key}={value}" for key, value in (shared | given).items() if stated[key] != value]
            named = item.text() if isinstance(item, Scenario) else item
            read.append(load_scenario(named, overrides=changes) if changes else own)
        shared = shared or stated
    return read


def _called(item: Item) -> str:
    if isinstance(item, str | FilePath):
        return str(item)
    return item.spec.name if isinstance(item, Scenario) else str(item.attrs["name"])


def _names_run(item: str) -> bool:
    """Tell whether a text names a run: a file or a folder, where it names no scenario."""
    path = as_path(item)
    if path.suffix in (".yaml", ".yml"):
        return False
    if isinstance(path, Address):
        return True
    if any(is_there(path / name) for name in ("run.nc", STORE)):
        return True
    return item not in shipped_names("scenarios") and (path.suffix in (".nc", ".zarr") or len(path.parts) > 1)


def run_all(
    items: Sequence[xr.DataTree | Scenario], outputs: FilePath, *, say: Say = print, workers: Workers = 1
) -> list[xr.DataTree]:
    """Run what is still a scenario, in memory; fits of history are stored among the run folders."""
    return [
        simulate(ready(item, outputs, say=say), workers=workers) if isinstance(item, Scenario) else item
        for item in items
    ]


def refuse_bad_fits(runs: Iterable[Group]) -> None:
    """Refuse runs that learnt from history by chains that did not agree."""
    faults: list[str] = []
    for run in runs:
        if "posterior" in run.children:
            from simulator.history.diagnostics import diagnose

            faults += [f"{run.attrs['name']}: {fault}" for fault in diagnose(run.to_xarray()).faults]
    if faults:
        rows = "\n".join(faults)
        raise SimulatorError(f"{rows}\nThe posterior cannot be relied on. What it gave is written; --trust accepts it.")


@contextlib.contextmanager
def _at_work(scenario: Scenario, outputs: FilePath, how: How) -> Iterator[Unfinished]:
    """Give what was left of a run, and keep two processes from growing one store.

    Files are replaced whole, and two processes that write them write the same.
    """
    if len(json.dumps(scenario.data)) > LARGEST_TEXT // 2:
        kept_text(scenario.data)  # refuses what is too large before there is any work
    tidy(outputs)
    unfinished = _unfinished(scenario, outputs, how)
    with unfinished.alone() if how.store == "zarr" else contextlib.nullcontext():
        yield unfinished


def _unfinished(scenario: Scenario, outputs: FilePath, how: How) -> Unfinished:
    identity = run_id(scenario, keep=how.keep, store=how.store)
    return Unfinished(outputs / f"{scenario.spec.name}-{identity}.unfinished")


def _whole(folder: FilePath) -> tuple[Group, FilePath] | None:
    """Open a run that is whole, and write what a kill left out beside it; None where there is none."""
    if not is_there(folder):
        return None
    tidy(folder)
    with contextlib.suppress(RunFileError):
        run = of_tree(open_run(folder))
        write_tables(run, folder, kept_scenario_text(run))
        return run, folder
    return None


def _finish(scenario: Scenario, outputs: FilePath, how: How, unfinished: Unfinished) -> tuple[Group, FilePath]:
    folder = unfinished.folder.with_suffix("")
    if how.store == "zarr":
        simulate_to_store(scenario, folder / STORE, unfinished=unfinished, how=how)
        run = of_tree(open_run(folder))
        write_tables(run, folder, kept_scenario_text(run))
    else:
        run = run_arrays(scenario, how=how, unfinished=unfinished)
        if how.made:
            how.made(run)
        folder = write_run(run, outputs)
    if unfinished.counted.samples:
        write_tallies(folder / COUNTS, unfinished.counted, packed=True)
    unfinished.clear()
    return run, folder


def extend_run(
    path: FilePath | str,
    *,
    samples: int,
    outputs: FilePath | str = "outputs",
    workers: Workers = 1,
    progress: Progress | None = None,
    say: Say | None = None,
) -> Run:
    """Run a run's scenario with more samples, taking over those that it has, into a run folder of its own.

    The result is that of a fresh run with so many samples, to the last bit: samples are numbered, and a run with more
    of them begins with the same. Samples that were kept are taken over in whole batches, of 10,000 for the usual block;
    where they were only counted, from runs of a million samples on, which leave their counts.

    Parameters
    ----------
    path : path of a run file or run folder
    samples : int
        How many samples the new run has in all.
    outputs : path of the folder that holds run folders
    workers, progress
        As in `simulate`.
    say : function, optional
        Told in lines what the reader should know, such as how many samples are taken over.

    Returns
    -------
    Run, opened from its new folder, `outputs / run.folder_name`

    Raises
    ------
    InputError
        The run has as many samples already.
    RunFileError
        There is no such run, or other code made it.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> outputs = getfixture("tmp_path")
    >>> folder = simulate(load_scenario("essay-2023", overrides=["samples=64"])).save(outputs)
    >>> extend_run(folder, samples=128, outputs=outputs)["parameters"].sizes["sample"]
    128
    """
    outputs = as_path(outputs)
    with open_run(path) as run:
        scenario = _extended(run, samples, path)
        if run.attrs.get("store") == "zarr" and isinstance(as_path(path), Address) != isinstance(outputs, Address):
            rule = "its store grows by files that are laid out otherwise at an address and on this machine"
            raise InputError(f"{path}: {rule}. Name with --output what is like it.")
        how = How(run.attrs["keep"], run.attrs.get("store", "netcdf"), workers, progress)
        with _at_work(scenario, outputs, how) as unfinished, unfinished.noted("The same command goes on from there."):
            if not unfinished.exists:
                taken = _take_over(run, run_path(path), unfinished)
                if say:
                    say(f"{taken:,} samples are taken over.")
            return open_run(_finish(scenario, outputs, how, unfinished)[1])


def _extended(run: xr.DataTree, samples: int, path: FilePath | str) -> Scenario:
    had = int(run.attrs["samples"])
    if samples <= had:
        raise InputError(f"--samples: must be more than the {had:,} samples that {path} has; got {samples:,}.")
    other = made_otherwise(run.attrs)
    if "simulator" in other:
        then, now = other["simulator"]
        rule = f"was made by simulator {then}; this is {now}, whose samples may differ"
        raise RunFileError(f"{path}: {rule}. Run its scenario.yaml anew.")
    scenario = stored_scenario(run, overrides=[f"samples={samples}"])
    if other:
        line = f"the samples of the run that is extended were made by {otherwise_words(other)}: they may differ from "
        scenario = replace(scenario, warnings=(*scenario.warnings, f"{line}fresh ones in their last digits."))
    stated = str(run.attrs["overrides"]).splitlines()
    first = next((line.partition(" -> ")[0] for line in stated if line.startswith("samples:")), f"samples: {had}")
    before = [line for line in stated if not line.startswith("samples:")]
    return replace(scenario, overrides=(*before, f"{first} -> {samples}"), fit=fit_of(run))


def _take_over(run: xr.DataTree, file: FilePath, unfinished: Unfinished) -> int:
    """Put what a run holds where an interrupted run would have left it; give the number of samples."""
    counts = file.parent / COUNTS
    most = COUNTED if run.attrs["keep"] == "summary" else KEPT  # as they were counted or kept, batch by batch
    length = batch_length(int(run.attrs["block"]), most)
    if run.attrs["keep"] == "summary" or file.name == STORE:
        tallies = read_tallies(counts)
        if tallies is None or tallies.samples % length:
            return 0
        make_folder(unfinished.folder)
        if file.name == STORE:
            take_store(file, unfinished.folder)
        unfinished.keep_tallies(tallies)
        return tallies.samples
    batches = _arrays(run).cut(length)
    unfinished.keep_batches(batches)
    return sum(batch.size for batch in batches)


def _arrays(run: xr.DataTree) -> Batch:
    """Take the samples of a run as one batch."""
    parameters, trajectories, crossings, events, actors = (
        {str(name): values.values for name, values in run[group].data_vars.items()} if group in run.children else {}
        for group in ("parameters", "trajectories", "crossings", "events", "actors")
    )
    size = run["parameters"].sizes["sample"]
    component = parameters.pop("component", np.zeros(size, dtype=np.int16))
    trajectories = {name: values.T for name, values in trajectories.items()}
    none = room_for_crossings(0, size)
    if actors:
        count = run["actors"].sizes["actor"]
        actors = {name: values if name in CROSSED else values.T for name, values in actors.items()}
        actors = {name: np.empty((count, 0, size), none[name].dtype) for name in CROSSED} | actors
    return Batch(0, size, parameters, trajectories, (crossings or none) | events, component, actors)
