"""The scenario as a function: from given uniform numbers, or given parameters, to outcomes.

The same priors, projection and crossings as in a run, without its blocks: what sensitivity analyses vary, one
input or several at a time. On the uniform numbers of a run's own blocks it gives that run's samples.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath

import numpy as np

from simulator.addresses import as_path
from simulator.analysis.outcomes import DATED, Outcome, is_between, outcomes_from, outcomes_over
from simulator.engine.batches import STEP, Arrays, Batch, compute_batch, event_years
from simulator.engine.frontier import counts_of, deciding, frontier, race_of
from simulator.engine.plan import Plan, plan_of, plan_warnings
from simulator.engine.run_folders import Say, ready
from simulator.engine.simulation import run_plan
from simulator.errors import InputError
from simulator.files import is_there
from simulator.model.events import blocks_of
from simulator.model.meeting import cross_block
from simulator.model.projection import Paths, Projection, year_grid
from simulator.priors.draws import stratified_block, values_at
from simulator.priors.joint import JointPrior
from simulator.priors.streams import blocks_uniforms
from simulator.runs.folder import open_run
from simulator.runs.groups import stored_scenario_text
from simulator.runs.kinds import run_path
from simulator.scenario.assumptions import lineage
from simulator.scenario.documents import Document
from simulator.scenario.load import load_scenario, parse_scenario
from simulator.scenario.resolving import Component, Scenario
from simulator.schema.drivers import CustomDriver, custom_entries
from simulator.schema.spec import ScenarioSpec
from simulator.units import Array
from simulator.variables import is_count

_EVENT = re.compile(r"events\.[^.]+")
_SHOCK = re.compile(r"\.shock\[-?\d+\]$")


@dataclass(frozen=True, slots=True)
class Input:
    """What is varied as one: a prior, or several that only make sense together, as the yearly shocks of a drift."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A scenario of one component, ready to be evaluated: `plan` has its years and custom drivers."""

    plan: Plan
    component: Component

    @property
    def joint(self) -> JointPrior:
        return self.component.joint

    @property
    def years(self) -> Array:
        return self.plan.years

    @property
    def block(self) -> int | None:
        """The samples of a block over which the numbers of each prior are spread in its run; None if they are not."""
        return stratified_block(self.component.spec.design, self.component.spec.block)


@dataclass(frozen=True, slots=True)
class Asked:
    """A scenario that something is asked of, the files that it comes from, and what its reader should know."""

    scenario: Scenario
    documents: tuple[Document, ...] = ()
    warnings: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()


def open_scenario(
    item: str, *, outputs: FilePath, overrides: Sequence[str] = (), outcomes: Sequence[Outcome] = (), say: Say = print
) -> Asked:
    """Read a scenario by file or shipped name, or that of a run by its file or folder, ready for these outcomes.

    `outputs` holds the fits of history, which are told through `say`. Changes of the scenario of a run are refused.
    """
    path = as_path(item)
    if path.suffix in (".yaml", ".yml") or not (is_there(path) or path.suffix in (".nc", ".zarr")):
        return read_scenario(item, outputs, overrides, outcomes, say=say)
    folder = run_path(path).parent
    if overrides:
        rule = "is a run, whose scenario is taken as it is. For --set, name the scenario"
        raise InputError(f"{item}: {rule}: {folder}/scenario.yaml holds it.")
    with open_run(path) as run:
        text, changed = stored_scenario_text(run), str(run.attrs.get("overrides", "")).splitlines()
    return Asked(replace(parse_scenario(text, file=str(folder / "scenario.yaml")), overrides=tuple(changed)))


def read_scenario(
    item: str, outputs: FilePath, overrides: Sequence[str], outcomes: Sequence[Outcome | str], *, say: Say = print
) -> Asked:
    """Read a scenario by file or shipped name, ready for these outcomes: one that has them not learns nothing."""
    scenario = load_scenario(item, overrides=overrides)
    asked = scenario_outcomes(scenario, outcomes)
    if scenario.must_learn and asked:
        check_outcomes(scenario, asked)
    scenario = ready(scenario, outputs, say=say)
    return Asked(scenario, lineage(item) if len(scenario.components) == 1 else (), plan_warnings(scenario), asked)


def scenario_outcomes(scenario: Scenario, given: Iterable[Outcome | str]) -> tuple[Outcome, ...]:
    """Read outcomes, each once; a text that leaves its year open stands for every year of the scenario."""
    years = year_grid(scenario.spec).tolist()
    read = (outcomes_over(each, years) if isinstance(each, str) else (each,) for each in given)
    return tuple(dict.fromkeys(outcome for outcomes in read for outcome in outcomes))


def model_of(scenario: Scenario, *, custom: Mapping[str, CustomDriver] | None = None) -> Model:
    """Take a scenario for evaluation; one that mixes several, whose priors of one name may differ, is refused."""
    if len(scenario.components) > 1:
        names = ", ".join(component.name for component in scenario.components)
        rule = "and a prior of one name may mean another thing in each. Ask it of one of them."
        raise InputError(f"{scenario.spec.name}: mixes {names}, {rule}")
    return Model(run_plan(scenario, custom), scenario.components[0])


def first_sample(scenario: Scenario) -> tuple[Plan, Batch] | None:
    """Compute one sample of a scenario, which tells the names of all that a run would have.

    None where one that has not learnt yet has custom drivers, which come from Python.
    """
    if not scenario.must_learn:
        plan = run_plan(scenario)
    elif any(custom.driver is None for each in scenario.components for _, custom in custom_entries(each.spec)):
        return None
    else:
        plan = plan_of(scenario.components)
    return plan, compute_batch(plan, 0, 1)


def check_outcomes(scenario: Scenario, outcomes: Sequence[Outcome]) -> None:
    """Refuse outcomes that a scenario has not, before it learns or is run."""
    if found := first_sample(scenario):
        plan, sample = found
        dates = (*sample.crossings.get("event_year", ()), *sample.crossings["crossing_year"])
        crossing = dict(zip((*plan.events, *plan.thresholds), dates, strict=True))
        race = None
        if sample.actors:
            levels = [{name: sample.actors[name][at] for name in plan.told} for at in range(len(plan.actors))]
            race = race_of(plan, plan.years, levels, plan.told, [*sample.actors["crossing_year"]])
        outcomes_from(outcomes, years=plan.years, rows=sample.trajectories, crossing=crossing, race=race)


def inputs_of(model: Model, *, whole: bool = False) -> tuple[Input, ...]:
    """List what can be varied: every uncertain prior; the yearly shocks of one drift count as one input.

    So does `whole` all of an event: whether and when it comes, how long it lasts, how much it changes.
    """
    members: dict[str, list[str]] = {}
    for name in model.joint.uncertain:
        of = _EVENT.match(name) if whole else None
        members.setdefault(of[0] if of else _SHOCK.sub(".shocks", name), []).append(name)
    return tuple(Input(name, tuple(priors)) for name, priors in members.items())


def prior_uniforms(spec: ScenarioSpec, name: str, *, samples: int) -> Array:
    """Give the uniform numbers that a prior of a name has in a run of so many samples, (sample,)."""
    blocks = range(-(-samples // spec.block))
    drawn = blocks_uniforms([name], seed=spec.seed, blocks=blocks, size=spec.block, design=spec.design, samples=samples)
    return drawn[name]


def evaluate(model: Model, uniforms: Mapping[str, Array], outcomes: Sequence[Outcome]) -> Array:
    """Evaluate outcomes (outcome, sample) at the uniform numbers of a run by name, (sample,), before the copula."""
    return evaluate_values(model, values_at(model.joint, uniforms, block=model.block), outcomes)


def evaluate_values(model: Model, values: Mapping[str, Array], outcomes: Sequence[Outcome]) -> Array:
    """Evaluate outcomes (outcome, sample) at parameters on the internal scale: arrays by name, (sample,) or (1,)."""
    years = model.years
    needed = {outcome.of for outcome in outcomes if outcome.kind == "level"}
    crosses = any(outcome.kind in DATED for outcome in outcomes)  # which takes most of the time
    counted = any(is_count(name) for name in (*needed, *(model.plan.thresholds.values() if crosses else ())))
    between = [place for place, outcome in enumerate(outcomes) if is_between(outcome, years)]
    whole = max((array.size for array in values.values()), default=1)
    parts = []
    for start in range(0, whole, STEP):
        size = min(STEP, whole - start)
        here = {name: array if array.size == 1 else array[start : start + STEP] for name, array in values.items()}
        every, crossed, events = list[Paths](), list[Array](), list[Array]()
        drawn = [part.draws(here) for part in model.plan.parts]
        blocks = blocks_of(model.plan.projections, drawn, size=size, decides=model.plan.decides)
        for part, projection in zip(model.plan.parts, model.plan.projections, strict=True):
            every.append(paths := projection.project(block := blocks.pop(0), counts=counted))
            if crosses:
                crossed.append(cross_block(part.spec, block.draws, paths, years=years, size=size)["crossing_year"])
                events.append(event_years(model.plan, block.draws, size).get("event_year", np.empty((0, size))))
        crossing: dict[str, Array] = {}
        if crosses:
            met = np.stack(crossed)
            dates = (*np.minimum.reduce(events), *np.take_along_axis(met, deciding(model.plan, met), axis=0)[0])
            crossing = dict(zip((*model.plan.events, *model.plan.spec.thresholds), dates, strict=True))
        counts = counts_of(model.plan, every) if counted else [{} for _ in every]
        apart = [_rows(model, each.levels | own, years, size, needed) for each, own in zip(every, counts, strict=True)]
        rows, race = frontier(model.plan, apart), race_of(model.plan, years, apart, needed, crossed)
        parts.append(outcomes_from(outcomes, years=years, rows=rows, crossing=crossing, race=race))
        if between:
            dated = [each.block.draws for each in every]
            parts[-1][between] = _levels_between(model, dated, [outcomes[place] for place in between], size)
    return np.concatenate(parts, axis=1)


def _rows(model: Model, levels: Mapping[str, Array], years: Array, size: int, needed: Collection[str]) -> Arrays:
    """Turn levels, (sample, year), and lay those out in full that are needed; of several actors, all."""
    whole = len(model.plan.parts) > 1
    return {
        name: np.broadcast_to(each.T, (years.size, size)) if whole or name in needed else each.T
        for name, each in levels.items()
    }


def _levels_between(
    model: Model, values: Sequence[Mapping[str, Array]], outcomes: Sequence[Outcome], size: int
) -> Array:
    """Compute levels (outcome, sample) at dates between the years: by the equations, and not by a straight line.

    `values`, those of each part, hold the dates of events too.
    """
    dates = [float(outcome.year) for outcome in outcomes if outcome.year is not None]  # each has one
    known = model.years if any(outcome.of_actors for outcome in outcomes) else model.years[:1]  # how long ago
    years, every = np.unique([*known, *dates]), list[Arrays]()
    for part, own in zip(model.plan.parts, values, strict=True):
        spec = part.spec.model_copy(update={"models": None})  # which are counted by calendar year
        projection = Projection(spec, years=years, custom=model.plan.custom)
        every.append(_rows(model, projection.project(projection.block(own)).levels, years, size, ()))
    race = race_of(model.plan, years, every, {outcome.of for outcome in outcomes})
    return outcomes_from(outcomes, years=years, rows=frontier(model.plan, every), crossing={}, race=race)
