"""Run a scenario: blocks of draws, projected, crossed and summarised, as one labelled dataset.

    scenario -> blocks of draws -> trajectories and crossings -> run (xarray.DataTree)

Blocks are independent, so they can be computed side by side; they are collected in their order, so the result does
not depend on how many are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import xarray as xr

from simulator.collect import Collector, SampleCollector, StreamCollector
from simulator.draws import draw_block
from simulator.errors import InputError, near_name
from simulator.events import Crossings, cross_block
from simulator.projection import project_block, year_grid
from simulator.quantities import CustomDriver
from simulator.record import build_run
from simulator.scenario import Scenario
from simulator.units import Array

MOST_BYTES = 4 * 2**30
"""The memory that samples may take before a run is refused."""

type Progress = Callable[[int, int], None]
"""Told after each block how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class BlockResult:
    """One block: drawn parameters, trajectories and crossings by name; `size` is how many samples of it count."""

    size: int
    draws: Mapping[str, Array]
    trajectories: Mapping[str, Array]
    crossings: Mapping[str, Crossings]


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
    collector: Collector
    if keep == "trajectories":
        _refuse_too_many(scenario, years)
        collector = SampleCollector(scenario.spec, scenario.joint, years)
    else:
        collector = StreamCollector(scenario.spec, scenario.joint, years)
    total = -(-scenario.spec.samples // scenario.spec.block)
    for done, block in enumerate(_blocks(scenario, years, given, total, workers), start=1):
        collector.add(block.size, block.draws, block.trajectories, block.crossings)
        if progress is not None:
            progress(done, total)
    return build_run(scenario, collector.groups(), years=years, keep=keep)


def _blocks(
    scenario: Scenario, years: Array, custom: Mapping[str, CustomDriver], total: int, workers: int
) -> Iterator[BlockResult]:
    """Compute blocks in order, `workers` at a time."""
    if workers <= 1:
        yield from (compute_block(scenario, years, custom, number) for number in range(total))
        return
    with ThreadPoolExecutor(workers) as pool:
        for first in range(0, total, 4 * workers):  # a few at a time, so that memory is bounded by the block
            numbers = range(first, min(first + 4 * workers, total))
            yield from pool.map(lambda number: compute_block(scenario, years, custom, number), numbers)


def compute_block(scenario: Scenario, years: Array, custom: Mapping[str, CustomDriver], number: int) -> BlockResult:
    """Draw, project and cross block `number` of a scenario; the last block of a run counts in part."""
    spec = scenario.spec
    draws = draw_block(scenario.joint, seed=spec.seed, block=number, size=spec.block, design=spec.design)
    trajectories = project_block(spec, draws, years=years, custom=custom)
    crossings = cross_block(spec, draws, trajectories, years=years, size=spec.block)
    return BlockResult(min(spec.block, spec.samples - number * spec.block), draws, trajectories, crossings)


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


def _refuse_too_many(scenario: Scenario, years: Array) -> None:
    spec = scenario.spec
    probe = compute_block(scenario, years[[0, -1]], {}, 0) if not _has_custom(scenario) else None
    variables = len(probe.trajectories) if probe else 24
    need = spec.samples * (4 * variables * years.size + 8 * len(scenario.joint.priors) + 24 * len(spec.thresholds))
    if need > MOST_BYTES:
        raise InputError(
            f"samples: {spec.samples:,} samples of {variables} variables in {years.size} years take {need / 2**30:,.0f} GiB; "
            f"at most {MOST_BYTES / 2**30:.0f} GiB are taken. Write --keep summary, which keeps quantiles and "
            "probabilities only, or fewer samples."
        )


def _has_custom(scenario: Scenario) -> bool:
    return "custom" in repr(scenario.data.get("drivers"))
