"""Run a scenario: blocks of draws, projected, crossed and summarised, as one labelled tree.

    scenario -> blocks of draws -> trajectories and crossings -> run (xarray.DataTree)

Blocks are independent, so they can be computed side by side; they are collected in their order, so the result does
not depend on how many are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from simulator.engine import workers as work
from simulator.engine.batches import Batch, compute_batch
from simulator.engine.checkpoints import Unfinished
from simulator.engine.collecting import Groups, Samples, Tallies
from simulator.engine.plan import Plan, plan_of
from simulator.engine.record import build_run
from simulator.errors import InputError, dotted, near_name
from simulator.runs.groups import Group
from simulator.scenario.resolving import Scenario
from simulator.schema.drivers import CustomDriver, custom_entries

if TYPE_CHECKING:
    from simulator.runs.run import Run


MOST_BYTES = 4 * 2**30
"""The memory that samples may take before a run is refused."""

SURELY_FITS = 50_000
KEPT, COUNTED = 16_384, 65_536
"""Samples in a batch: where samples are kept, and where they are only counted."""

LEAVES_COUNTS = 1 << 20
"""Samples from which a run leaves its counts, so that it can be extended without counting them again."""

type Progress = Callable[[int, int], None]
"""Told after each block how many are done, of how many."""


def simulate(
    scenario: Scenario,
    *,
    keep: Literal["trajectories", "summary"] = "trajectories",
    custom: Mapping[str, CustomDriver] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    unfinished: Unfinished | None = None,
) -> Run:
    """Run a scenario.

    Parameters
    ----------
    scenario : Scenario
        From `load_scenario`. One that learns from history does so first, which takes about a minute; `learn` does
        it once for several runs.
    keep : {"trajectories", "summary"}
        Keep every sample, or only quantiles, probabilities and shares; then memory is bounded, however many
        samples there are, and quantiles are exact to 0.001 OOM.
    custom : mapping from str to function, optional
        For each custom driver without a name, by dotted path, a function of (draws by name, years) that returns
        log10 levels.
    workers : int
        Blocks computed side by side, in processes where the work is long; the result does not depend on it. A script
        that asks for several must do so below `if __name__ == "__main__":`, as for any Python that starts processes.
    progress : function, optional
        Called with (blocks done, blocks in all).
    unfinished : Unfinished, optional
        Where what is done is left from time to time and on interruption, and taken up again.

    Returns
    -------
    Run, an xarray.DataTree
        With groups `parameters` (sample), `trajectories` (sample, year), `crossings` (threshold, sample) - these
        where samples are kept - and `summary`; `components` holds a summary of each scenario of a mixture; where
        priors were learnt, `prior`, `posterior`, `posterior_predictive`, `sample_stats`, `observed_data`.

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
    from simulator.runs.run import Run

    if scenario.must_learn:
        from simulator.history.learning import learn

        scenario = learn(scenario)
    run = run_arrays(scenario, keep=keep, custom=custom, workers=workers, progress=progress, unfinished=unfinished)
    return Run.of(run.to_xarray())


def run_arrays(
    scenario: Scenario,
    *,
    keep: Literal["trajectories", "summary"] = "trajectories",
    custom: Mapping[str, CustomDriver] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    unfinished: Unfinished | None = None,
) -> Group:
    """Run a scenario that has learnt what it has to; the run is that of `simulate`, as labelled arrays."""
    plan = run_plan(scenario, custom)
    text = None if custom else json.dumps(scenario.data)  # drivers by name are found by each process itself
    if keep == "trajectories":
        if scenario.spec.samples > SURELY_FITS:
            _refuse_too_many(plan)
        groups = _kept(plan, workers=workers, text=text, progress=progress, unfinished=unfinished)
    else:
        groups = _counted(plan, workers=workers, text=text, progress=progress, unfinished=unfinished)
    return build_run(scenario, groups, plan=plan, keep=keep)


def run_plan(scenario: Scenario, custom: Mapping[str, CustomDriver] | None = None) -> Plan:
    """Plan the run of a scenario with its custom drivers."""
    if scenario.must_learn:
        raise InputError(f"{scenario.spec.name}: has not learnt from its history yet. Hand over learn(scenario).")
    _check_custom(scenario, dict(custom or {}))
    return plan_of(scenario.components, custom=custom)


def batch_spans(plan: Plan, *, keep: str, done: int = 0) -> work.Spans:
    """List the batches of a run that are not done: (first sample, samples)."""
    spec = plan.spec
    length = max(KEPT if keep == "trajectories" else COUNTED, spec.block)
    return work.Spans(range(done, spec.samples, length), spec.samples)


def _kept(
    plan: Plan, *, workers: int, text: str | None, progress: Progress | None, unfinished: Unfinished | None
) -> Groups:
    samples, new = Samples(plan), list[Batch]()
    for batch in unfinished.batches() if unfinished else ():
        samples.add(batch)
    spans = batch_spans(plan, keep="trajectories", done=samples.samples)
    try:
        for done, batches in work.in_order(work.kept, plan, spans, workers=workers, text=text):
            for batch in batches:
                samples.add(batch)
                new.append(batch)
            tell(plan, progress, done)
            if unfinished and unfinished.due():
                unfinished.keep_batches(new)
                new = []
    except BaseException:
        if unfinished:
            unfinished.keep_batches(new)
        raise
    return samples.groups()


def _counted(
    plan: Plan, *, workers: int, text: str | None, progress: Progress | None, unfinished: Unfinished | None
) -> Groups:
    tallies = unfinished.tallies() if unfinished else Tallies()
    spans = batch_spans(plan, keep="summary", done=tallies.samples)
    whole, last = _without_partial(spans)
    try:
        together = work.MOST_TOGETHER
        for done, piece in work.in_order(work.counted, plan, whole, workers=workers, text=text, together=together):
            tallies.add(piece)
            tell(plan, progress, done)
            if unfinished and unfinished.due():
                unfinished.keep_tallies(tallies)
    except BaseException:
        if unfinished:
            unfinished.keep_tallies(tallies)
        raise
    if unfinished and tallies.samples >= LEAVES_COUNTS:
        unfinished.keep_tallies(tallies)
    for span in last:  # after what is left for an extension, which starts where full batches end
        tallies.add(work.counted(plan, [span]))
        tell(plan, progress, [span])
    return tallies.groups(plan)


def _without_partial(spans: Sequence[work.Span]) -> tuple[Sequence[work.Span], Sequence[work.Span]]:
    """Part the batches into full ones and the last, where that is not full."""
    if spans and spans[-1][1] % COUNTED:
        return spans[:-1], spans[-1:]
    return spans, []


def tell(plan: Plan, progress: Progress | None, done: Sequence[work.Span]) -> None:
    """Tell how many blocks are done, of how many."""
    if progress is not None:
        first, count = done[-1]
        progress(-(-(first + count) // plan.spec.block), -(-plan.spec.samples // plan.spec.block))


def _check_custom(scenario: Scenario, given: Mapping[str, CustomDriver]) -> None:
    every = [each for component in scenario.components for each in custom_entries(component.spec)]
    named = {dotted(path): custom.driver for path, custom in every if custom.driver is not None}
    declared = [dotted(path) for path, custom in every if custom.driver is None]
    for name in declared:
        if name not in given:
            raise InputError(
                f"{name}: is a custom driver; run it from Python: simulate(scenario, custom={{'{name}': function}}). "
                "One of an installed package can be named: custom: {driver: .., parameters: ..}."
            )
    for name in given:
        if name in named and name not in declared:
            raise InputError(
                f"custom: the scenario names the driver of {name}, '{named[name]}': a function beside it would make "
                "the run another than the scenario says. Remove one of the two."
            )
        if name not in declared:
            hint = near_name(name, declared) or "The scenario marks one by custom: {parameters: ..}."
            raise InputError(f"custom: the scenario has no custom driver '{name}'. {hint}")


def _refuse_too_many(plan: Plan) -> None:
    """Refuse a run whose samples would take too much memory, before it is taken: one block tells how much."""
    spec = plan.spec
    probe = compute_batch(plan, 0, min(spec.samples, spec.block))
    one = sum(
        array.nbytes / probe.size
        for group in (probe.parameters, probe.trajectories, probe.crossings)
        for array in group.values()
    )
    if (need := one * spec.samples) > MOST_BYTES:
        raise InputError(
            f"samples: {spec.samples:,} samples of {len(probe.trajectories)} variables in {plan.years.size} years take "
            f"{need / 2**30:,.0f} GiB; at most {MOST_BYTES / 2**30:.0f} GiB are taken. Write --keep summary, "
            "which keeps quantiles and probabilities only, or --store zarr, which keeps samples on the disk alone."
        )
