"""Run a scenario: blocks of draws, projected, crossed and summarised, as one labelled tree.

    scenario -> blocks of draws -> trajectories and crossings -> run (xarray.DataTree)

Blocks are independent, so they can be computed side by side; they are collected in their order, so the result does
not depend on how many are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from simulator.engine import workers as work
from simulator.engine.batches import Batch, compute_batch, free_memory
from simulator.engine.checkpoints import Unfinished
from simulator.engine.collecting import Groups, Tallies, sample_groups
from simulator.engine.plan import Plan, batch_length, joint_variables, parts_of, plan_of
from simulator.engine.record import build_run
from simulator.engine.workers import Workers
from simulator.errors import InputError, SimulatorError, dotted, near_name
from simulator.runs.groups import Group
from simulator.runs.histograms import histogram_bytes
from simulator.scenario.load import Source, scenario_of
from simulator.scenario.resolving import Scenario
from simulator.schema.drivers import CustomDriver, custom_entries

if TYPE_CHECKING:
    from simulator.runs.run import Run


MOST_BYTES = 4 * 2**30
"""The memory that samples may take before a run is refused."""

AT_ONCE = 4.0
"""How many times what is kept of a run is in memory while it is summarised; counts of several batches, when merged."""

SURELY_FITS = 1 << 26
"""Numbers that are kept without a look, of samples or of counts, at 16,384 a histogram: a GiB at once, about."""

FIRST_LOOK = 1000
"""Samples from which warnings are made before a run."""

KEPT, COUNTED = 10_000, 65_536
"""Samples in a batch, at most: where samples are kept, and where they are only counted."""

LEAVES_COUNTS = 1 << 20
"""Samples from which a run leaves its counts, so that it can be extended without counting them again."""

type Progress = Callable[[int, int], None]
"""Told after each block how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class How:
    """How a scenario is run: what is kept and where, by how many workers, what is told."""

    keep: Literal["trajectories", "summary"] = "trajectories"
    store: Literal["netcdf", "zarr"] = "netcdf"
    workers: Workers = 1
    progress: Progress | None = None
    queue: work.Queue | None = None
    """In which the batches stand, beside those of other runs, where they are handed out with those."""
    made: Callable[[Group], None] | None = None
    """Told of a run that is computed, before it is written."""


def simulate(
    scenario: Scenario | Source,
    *,
    keep: Literal["trajectories", "summary"] = "trajectories",
    custom: Mapping[str, CustomDriver] | None = None,
    workers: Workers = 1,
    progress: Progress | None = None,
    unfinished: Unfinished | None = None,
) -> Run:
    """Run a scenario.

    Parameters
    ----------
    scenario : Scenario, or what `load_scenario` reads
        From `load_scenario`. One that learns from history does so first, which takes about a minute; `learn` does
        it once for several runs.
    keep : {"trajectories", "summary"}
        Keep every sample, or only quantiles, probabilities and shares; then memory is bounded, however many
        samples there are, and quantiles are exact to 0.001 OOM.
    custom : mapping from str to function, optional
        For each custom driver without a name, by dotted path, a function of (draws by name, years) that returns
        log10 levels.
    workers : int or concurrent.futures.Executor
        Blocks computed side by side, in processes where the work is long; the result does not depend on it. A script
        that asks for several must do so below `if __name__ == "__main__":`, as for any Python that starts processes.
        An executor, such as that of `cluster`, is handed all blocks.
    progress : function, optional
        Called with (blocks done, blocks in all).
    unfinished : Unfinished, optional
        Where what is done is left from time to time and on interruption, and taken up again.

    Returns
    -------
    Run, an xarray.DataTree
        With groups `parameters` (sample), `trajectories` (sample, year), `crossings` (threshold, sample) - these
        where samples are kept - and `summary`; `components` holds a summary of each scenario of a mixture; where
        priors were learnt, `posterior` and the other groups of a fit, in ArviZ's form.

    Raises
    ------
    InputError
        The samples would take too much memory, or a custom driver is missing or unknown.
    SimulatorError
        A quantity falls to 0 or below, or a custom driver returns something else than levels.

    Examples
    --------
    >>> from simulator import load_scenario
    >>> run = simulate(load_scenario("essay-2023", overrides=["samples=64"]))
    >>> float(run["summary/effective_compute"].sel(quantile=0.5, year=2030).round(1))  # log10 FLOP
    34.9
    """
    scenario = scenario_of(scenario)
    from simulator.runs.run import Run

    if scenario.must_learn:
        from simulator.history.learning import learn

        scenario = learn(scenario)
    how = How(keep, workers=workers, progress=progress)
    return Run.of(run_arrays(scenario, how=how, custom=custom, unfinished=unfinished).to_xarray())


def run_arrays(
    scenario: Scenario,
    *,
    how: How = How(),  # it is frozen
    custom: Mapping[str, CustomDriver] | None = None,
    unfinished: Unfinished | None = None,
) -> Group:
    """Run a scenario that has learnt what it has to; the run is that of `simulate`, as labelled arrays."""
    plan, groups = summed_up(scenario, how=how, custom=custom, unfinished=unfinished)
    return build_run(scenario, groups, plan=plan, keep=how.keep)


def summed_up(
    scenario: Scenario,
    *,
    how: How = How(),  # it is frozen
    custom: Mapping[str, CustomDriver] | None = None,
    unfinished: Unfinished | None = None,
) -> tuple[Plan, Groups]:
    """Run a scenario; give its plan and its arrays, which have no labels yet."""
    plan = run_plan(scenario, custom)
    refuse_too_large(plan, how.keep)
    return plan, (_kept if how.keep == "trajectories" else _counted)(plan, how, unfinished)


def run_plan(scenario: Scenario, custom: Mapping[str, CustomDriver] | None = None) -> Plan:
    """Plan the run of a scenario with its custom drivers."""
    if scenario.must_learn:
        raise InputError(f"{scenario.spec.name}: has not learnt from its history yet. Hand over learn(scenario).")
    _check_custom(scenario, dict(custom or {}))
    plan = plan_of(scenario.components, custom=custom)
    return plan if custom else replace(plan, data=scenario.data)  # drivers by name are found by each process itself


def sample_warnings(scenario: Scenario) -> tuple[str, ...]:
    """Say what the first samples of a scenario show that its author must be told; nothing where none can be drawn."""
    handed = [
        custom for each in parts_of(scenario.components) for _, custom in custom_entries(each.spec) if not custom.driver
    ]
    if scenario.must_learn or handed:
        return ()
    plan = plan_of(scenario.components)
    try:
        return sample_groups(plan, [compute_batch(plan, 0, min(plan.spec.samples, FIRST_LOOK))]).warnings
    except SimulatorError as error:  # as a run would end
        return (str(error),)


def batch_firsts(plan: Plan, *, keep: str, done: int = 0) -> range:
    """List the batches of a run that are not done, each by its first sample."""
    length = batch_length(plan.spec.block, KEPT if keep == "trajectories" else COUNTED)
    return range(done, plan.spec.samples, length)


def work_through[Result](
    given: work.Work[Result],
    *,
    add: Callable[[Result], None],
    keep: Callable[[Unfinished], None],
    how: How,
    unfinished: Unfinished | None,
) -> None:
    """Do a task for each batch and add its result; leave what is done from time to time, and on interruption.

    Interrupted while a result is added, it leaves what it left before.
    """
    samples, block, whole = given.plan.spec.samples, given.plan.spec.block, True
    try:
        for done, result in (how.queue and how.queue.results(given)) or work.in_order(given, workers=how.workers):
            whole = False
            add(result)
            whole = True
            if how.progress is not None:
                how.progress(-(-min(done.stop, samples) // block), -(-samples // block))
            if unfinished and unfinished.due():
                keep(unfinished)
    except BaseException:
        if unfinished and whole:
            keep(unfinished)
        raise


def kept_work(plan: Plan, *, done: int = 0) -> work.Work[list[Batch]]:
    """Give the work of a run that keeps its samples, of which so many are done."""
    return work.Work(work.kept, plan, batch_firsts(plan, keep="trajectories", done=done))


def counted_works[Result](
    task: Callable[[Plan, range], Result], plan: Plan, *, keep: str = "summary", done: int = 0
) -> tuple[work.Work[Result], work.Work[Result]]:
    """Give the work of a run that is counted, of which so many are done: its full batches, and what is left over."""
    firsts = batch_firsts(plan, keep=keep, done=done)
    full = len(firsts) - (1 if firsts and plan.spec.samples % firsts.step else 0)
    return work.Work(task, plan, firsts[:full], work.MOST_TOGETHER), work.Work(task, plan, firsts[full:])


def works_of(plan: Plan, keep: str) -> tuple[work.Work[Any], ...]:
    """Give all that is handed out for a run into one file, from its start."""
    return (kept_work(plan),) if keep == "trajectories" else counted_works(work.counted, plan)


def _kept(plan: Plan, how: How, unfinished: Unfinished | None) -> Groups:
    batches = unfinished.batches() if unfinished else []

    def keep(left: Unfinished) -> None:
        left.keep_batches(batches)

    todo = kept_work(plan, done=sum(batch.size for batch in batches))
    work_through(todo, add=batches.extend, keep=keep, how=how, unfinished=unfinished)
    return sample_groups(plan, batches)


def _counted(plan: Plan, how: How, unfinished: Unfinished | None) -> Groups:
    tallies = unfinished.tallies() if unfinished else Tallies()

    def keep(left: Unfinished) -> None:
        left.keep_tallies(tallies)

    full, rest = counted_works(work.counted, plan, done=tallies.samples)
    work_through(full, add=tallies.add, keep=keep, how=how, unfinished=unfinished)
    if unfinished and tallies.samples >= LEAVES_COUNTS:
        keep(unfinished)
    elif unfinished:
        unfinished.counted = Tallies()  # what was left after ten seconds of work stays in no run folder
    # After what is left for an extension, which starts where full batches end.
    work_through(rest, add=tallies.add, keep=keep, how=how, unfinished=None)
    return tallies.groups(plan)


def _check_custom(scenario: Scenario, given: Mapping[str, CustomDriver]) -> None:
    every = [each for part in parts_of(scenario.components) for each in custom_entries(part.spec)]
    named = {dotted(path): custom.driver for path, custom in every if custom.driver is not None}
    declared = [dotted(path) for path, custom in every if custom.driver is None]
    for name in declared:
        if name not in given:
            raise InputError(
                f"{name}: is a custom driver; run it from Python: simulate(scenario, custom={{'{name}': function}}). "
                "One of an installed package can be named: custom: {driver: .., parameters: ..}."
            )
    for name in given:
        if name in declared:
            continue
        if name in named:
            raise InputError(
                f"custom: the scenario names the driver of {name}, '{named[name]}': a function beside it would make "
                "the run another than the scenario says. Remove one of the two."
            )
        hint = near_name(name, declared) or "The scenario marks one by custom: {parameters: ..}."
        raise InputError(f"custom: the scenario has no custom driver '{name}'. {hint}")


def refuse_too_large(plan: Plan, keep: str) -> None:
    """Refuse a run that would take too much memory, before it is taken: one block tells how much it keeps."""
    spec, counted = plan.spec, keep == "summary"
    variables = len(joint_variables(plan.components))
    if plan.actors:
        variables += len(plan.actors) * len(plan.told)
    if (1 << 14 if counted else spec.samples) * (variables * plan.years.size + len(plan.parameters)) <= SURELY_FITS:
        return
    probe = compute_batch(plan, 0, min(spec.samples, spec.block))
    if counted:
        apart = 1 if len(plan.components) == 1 else 1 + len(plan.components)
        levels = [values for name, values in probe.trajectories.items() if not name.startswith("binding_")]
        need, what = apart * sum(map(histogram_bytes, levels)), "years: the counts"
        remedy = "Write a coarser step, an earlier last year or narrower priors."
    else:
        need, what = probe.nbytes / probe.size * spec.samples, f"samples: {spec.samples:,} samples"
        remedy = "Write --keep summary, which keeps quantiles and probabilities only, or --store zarr, which keeps "
        remedy += "samples on the disk alone; or fewer samples or years."
    told = f"{what} of {len(probe.trajectories)} variables in {plan.years.size} years take"
    if not counted and need > MOST_BYTES:
        size = f"{need / 2**30:,.0f} GiB; at most {MOST_BYTES / 2**30:.0f} GiB are taken"
        raise InputError(f"{told} {size}. {remedy}")
    at_once = 1.1 if counted and spec.samples <= COUNTED else AT_ONCE
    refuse_beyond_memory(told, need, at_once=at_once, remedy=remedy)


def refuse_beyond_memory(told: str, need: float, *, at_once: float, remedy: str) -> None:
    """Refuse what needs so many bytes where so many times as many, while it is summarised, are not free."""
    if (peak := at_once * need) > (free := free_memory()):
        rule = f"{peak / 2**30:,.1f} GiB while they are summarised; {free / 2**30:,.1f} GiB are free"
        raise InputError(f"{told} {need / 2**30:,.1f} GiB, {rule}. {remedy}")
