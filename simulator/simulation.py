"""Run a scenario: blocks of draws, projected, crossed and summarised, as one labelled dataset.

    scenario -> blocks of draws -> trajectories and crossings -> run (xarray.DataTree)

Blocks are independent, so they can be computed side by side; they are collected in their order, so the result does
not depend on how many are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal

import xarray as xr

from simulator.batches import Plan, compute_batch
from simulator.collect import Samples, Tallies, tally
from simulator.errors import InputError, near_name
from simulator.projection import year_grid
from simulator.quantities import CustomDriver
from simulator.record import build_run
from simulator.scenario import Scenario
from simulator.schema import ScenarioSpec

MOST_BYTES = 4 * 2**30
"""The memory that samples may take before a run is refused."""

SURELY_FITS = 50_000
KEPT, COUNTED = 16_384, 65_536
"""Samples in a batch: where samples are kept, and where they are only counted."""

type Progress = Callable[[int, int], None]
"""Told after each block how many are done, of how many."""


def simulate(
    scenario: Scenario,
    *,
    keep: Literal["trajectories", "summary"] = "trajectories",
    custom: Mapping[str, CustomDriver] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Run a scenario.

    Parameters
    ----------
    scenario : Scenario
        From `load_scenario`.
    keep : {"trajectories", "summary"}
        Keep every sample, or only quantiles, probabilities and shares; then memory is bounded by the block and
        quantiles are exact to 0.001 OOM.
    custom : mapping from str to function, optional
        For each custom driver, by dotted path, a function of (draws by name, years) that returns log10 levels.
    workers : int
        Blocks computed side by side; the result does not depend on it.
    progress : function, optional
        Called with (blocks done, blocks in all).

    Returns
    -------
    xarray.DataTree
        With groups `parameters` (sample), `trajectories` (sample, year), `crossings` (threshold, sample) - these
        where samples are kept - and `summary`.

    Raises
    ------
    InputError
        The samples would take too much memory, or a custom driver is missing or unknown.
    SimulatorError
        A quantity falls to 0 or below, or a custom driver returns something else than levels.

    Examples
    --------
    >>> from simulator import load_scenario
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> run["trajectories/effective_compute"].sizes["sample"]
    1024
    """
    given = dict(custom or {})
    _check_custom(scenario, given)
    years = year_grid(scenario.spec)
    plan = Plan(scenario.spec, scenario.joint, years, given)
    total = -(-scenario.spec.samples // scenario.spec.block)
    if keep == "trajectories":
        if scenario.spec.samples > SURELY_FITS:
            _refuse_too_many(plan)
        samples = Samples(plan)
        for done, batch in _in_order(lambda *span: compute_batch(plan, *span), scenario.spec, KEPT, workers):
            samples.add(batch)
            _tell(progress, done, total)
        groups = samples.groups()
    else:
        tallies = Tallies(plan)
        for done, counted in _in_order(
            lambda *span: tally(plan, compute_batch(plan, *span)), scenario.spec, COUNTED, workers
        ):
            tallies.add(counted)
            _tell(progress, done, total)
        groups = tallies.groups()
    return build_run(scenario, groups, years=years, keep=keep, custom=bool(given))


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)


def _in_order[Result](
    work: Callable[[int, int], Result], spec: ScenarioSpec, size: int, workers: int
) -> Iterator[tuple[int, Result]]:
    """Do the work of each batch (first sample, size), `workers` at a time; give (blocks done, result) in order."""
    length = max(size, spec.block)
    spans = [(first, min(length, spec.samples - first)) for first in range(0, spec.samples, length)]
    done = [-(-(first + count) // spec.block) for first, count in spans]
    if workers <= 1:
        yield from ((blocks, work(*span)) for blocks, span in zip(done, spans, strict=True))
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[tuple[int, Future[Result]]] = deque()
        for blocks, span in zip(done, spans, strict=True):
            if len(waiting) > workers:  # a few ahead at most, so that memory does not grow with the samples
                first, future = waiting.popleft()
                yield first, future.result()
            waiting.append((blocks, pool.submit(work, *span)))
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()


def _check_custom(scenario: Scenario, given: Mapping[str, CustomDriver]) -> None:
    declared = []
    for name in ("spending", "hardware", "compute", "algorithms"):
        driver = getattr(scenario.spec.drivers, name)
        if driver is not None:
            declared += [f"drivers.{name}"] if driver.custom else []
            declared += [
                f"drivers.{name}.factors.{key}" for key, factor in (driver.factors or {}).items() if factor.custom
            ]
    for name in declared:
        if name not in given:
            raise InputError(
                f"{name}: is a custom driver; run it from Python: simulate(scenario, custom={{'{name}': function}})."
            )
    for name in given:
        if name not in declared:
            hint = near_name(name, declared) or "The scenario marks one by custom: {parameters: ..}."
            raise InputError(f"custom: the scenario has no custom driver '{name}'. {hint}")


def _refuse_too_many(plan: Plan) -> None:
    """Refuse a run whose samples would take too much memory, before it is taken: one block tells how much."""
    spec = plan.spec
    probe = compute_batch(Plan(spec, plan.joint, plan.years, plan.custom), 0, min(spec.samples, spec.block))
    one = sum(
        array.nbytes / probe.size
        for group in (probe.parameters, probe.trajectories, probe.crossings)
        for array in group.values()
    )
    if (need := one * spec.samples) > MOST_BYTES:
        raise InputError(
            f"samples: {spec.samples:,} samples of {len(probe.trajectories)} variables in {plan.years.size} years take "
            f"{need / 2**30:,.0f} GiB; at most {MOST_BYTES / 2**30:.0f} GiB are taken. Write --keep summary, "
            "which keeps quantiles and probabilities only, or fewer samples."
        )
