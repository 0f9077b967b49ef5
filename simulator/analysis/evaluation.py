"""The scenario as a function: from given uniform numbers, or given parameters, to outcomes.

The same priors, projection and crossings as in a run, without its blocks: what sensitivity analyses vary, one
input or several at a time. On the uniform numbers of a run's own blocks it gives that run's samples.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.analysis.outcomes import Outcome, outcomes_from
from simulator.engine.batches import STEP, Batch, compute_batch
from simulator.engine.draws import values_at
from simulator.engine.plan import Plan, plan_of
from simulator.engine.simulation import run_plan
from simulator.errors import InputError
from simulator.model.crossings import cross_block
from simulator.priors.joint import JointPrior
from simulator.priors.streams import block_uniforms
from simulator.scenario.resolving import Component, Scenario
from simulator.schema.drivers import CustomDriver, custom_entries
from simulator.schema.spec import ScenarioSpec
from simulator.units import Array

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
        """The joint prior."""
        return self.component.joint

    @property
    def years(self) -> Array:
        """The years of the projection, (year,)."""
        return self.plan.years


def labels_of(spec: ScenarioSpec) -> dict[str, str]:
    """Give the labels of thresholds by name; a threshold without one is called by its name.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> labels_of(load_scenario("essay-2023").spec)["20x-gpt-4"]
    '20x GPT-4'
    """
    return {name: threshold.label or name for name, threshold in spec.thresholds.items()}


def model_of(scenario: Scenario, *, custom: Mapping[str, CustomDriver] | None = None) -> Model:
    """Take a scenario for evaluation.

    Raises
    ------
    InputError
        It mixes several scenarios, whose priors of one name may say different things; it has not learnt yet; or a
        custom driver is missing.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> len(inputs_of(model_of(load_scenario("baseline"))) ) > 20
    True
    """
    if len(scenario.components) > 1:
        names = ", ".join(component.name for component in scenario.components)
        raise InputError(
            f"{scenario.spec.name}: mixes {names}, and a prior of one name may mean another thing in each. "
            "Ask it of one of them."
        )
    return Model(run_plan(scenario, custom), scenario.components[0])


def first_sample(scenario: Scenario) -> tuple[Plan, Batch] | None:
    """Compute one sample of a scenario that may not have learnt yet: it tells the names of all that a run would have.

    None where a scenario that has not learnt has custom drivers, which come from Python.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> plan, sample = first_sample(load_scenario("essay-2023"))
    >>> sample.size, sorted(sample.trajectories)[:3]
    (1, ['algorithms', 'binding_spending', 'cap_spending_hard'])
    """
    if not scenario.must_learn:
        plan = run_plan(scenario)
    elif any(custom.driver is None for each in scenario.components for _, custom in custom_entries(each.spec)):
        return None
    else:
        plan = plan_of(scenario.components)
    return plan, compute_batch(plan, 0, 1)


def check_outcomes(scenario: Scenario, outcomes: Sequence[Outcome]) -> None:
    """Check that a scenario has outcomes before it learns or is run.

    Raises
    ------
    InputError
        There is no such variable, threshold or year.

    Examples
    --------
    >>> from simulator.analysis.outcomes import parse_outcome
    >>> from simulator.scenario.load import load_scenario
    >>> check_outcomes(load_scenario("learned"), [parse_outcome("crossing:gtp-4")])
    Traceback (most recent call last):
    simulator.errors.InputError: outcome 'crossing:gtp-4': there is no threshold 'gtp-4'. Did you mean 'gpt-4'?
    """
    found = first_sample(scenario)
    if found is not None:
        plan, sample = found
        crossing = dict(zip(plan.thresholds, sample.crossings["crossing_year"], strict=True))
        outcomes_from(outcomes, years=plan.years, rows=sample.trajectories, crossing=crossing)


def inputs_of(model: Model) -> tuple[Input, ...]:
    """List what can be varied: every uncertain prior; the yearly shocks of one drift count as one input.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> changes = ["years.last=2027", "drivers.algorithms.drift={value: 0.1, unit: OOM/year}"]
    >>> found = inputs_of(model_of(load_scenario("baseline", overrides=changes)))
    >>> [(each.name, len(each.members)) for each in found if len(each.members) > 1]
    [('drivers.algorithms.drift.shocks', 2)]
    """
    members: dict[str, list[str]] = {}
    for name in model.joint.uncertain:
        members.setdefault(_SHOCK.sub(".shocks", name), []).append(name)
    return tuple(Input(name, tuple(priors)) for name, priors in members.items())


def base_uniforms(model: Model, samples: int) -> dict[str, Array]:
    """Give the uniform numbers of a run's first samples, by name of the uncertain prior, (sample,)."""
    spec = model.component.spec
    return {name: prior_uniforms(spec, name, samples=samples) for name in model.joint.uncertain}


def prior_uniforms(spec: ScenarioSpec, name: str, *, samples: int) -> Array:
    """Give the uniform numbers that a prior of a name has in the first samples of a run, (sample,).

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> spec = load_scenario("baseline").spec
    >>> few, more = (prior_uniforms(spec, "drivers.algorithms.growth", samples=count) for count in (1000, 9000))
    >>> bool((few == more[:1000]).all())
    True
    """
    blocks = range(-(-samples // spec.block))
    parts = [block_uniforms(name, seed=spec.seed, block=block, size=spec.block, design=spec.design) for block in blocks]
    return np.concatenate(parts)[:samples]


def evaluate(model: Model, uniforms: Mapping[str, Array], outcomes: Sequence[Outcome]) -> Array:
    """Evaluate outcomes at uniform numbers.

    Parameters
    ----------
    model : Model
    uniforms : arrays by name, (sample,) or (1,), in (0, 1)
        One for each uncertain prior; before the copula.
    outcomes : sequence of Outcome

    Returns
    -------
    array (outcome, sample), float64

    Raises
    ------
    InputError
        The scenario has no such variable, threshold or year.

    Examples
    --------
    >>> from simulator.analysis.outcomes import parse_outcome
    >>> from simulator.scenario.load import load_scenario
    >>> model = model_of(load_scenario("baseline"))
    >>> found = evaluate(model, base_uniforms(model, 8), [parse_outcome("effective_compute@2035")])
    >>> found.shape
    (1, 8)
    """
    return evaluate_values(model, values_at(model.joint, uniforms), outcomes)


def evaluate_values(model: Model, values: Mapping[str, Array], outcomes: Sequence[Outcome]) -> Array:
    """Evaluate outcomes at parameters on the internal scale: arrays by name, (sample,) or (1,).

    Returns
    -------
    array (outcome, sample)

    Raises
    ------
    InputError
        There is no such variable, threshold or year.

    Examples
    --------
    >>> from simulator.analysis.outcomes import parse_outcome
    >>> from simulator.scenario.load import load_scenario
    >>> model = model_of(load_scenario("essay-2023"))
    >>> values = {name: np.array([prior.value]) for name, prior in model.joint.priors.items()}
    >>> evaluate_values(model, values, [parse_outcome("spending@2043")]).round(2).tolist()  # log10 USD
    [[11.0]]
    """
    size = max((array.size for array in values.values()), default=1)
    parts = []
    for start in range(0, size, STEP):
        here = {name: array if array.size == 1 else array[start : start + STEP] for name, array in values.items()}
        parts.append(_evaluated(model, here, outcomes, min(STEP, size - start)))
    return np.concatenate(parts, axis=1)


def _evaluated(model: Model, values: Mapping[str, Array], outcomes: Sequence[Outcome], size: int) -> Array:
    spec, years = model.component.spec, model.years
    projected = model.plan.projections[0].project(values)
    needed = {outcome.name for outcome in outcomes if outcome.kind == "level"} | set(model.plan.thresholds.values())
    rows = {
        name: np.ascontiguousarray(np.broadcast_to(levels.T, (years.size, size))) if name in needed else levels.T
        for name, levels in projected.items()
    }
    crossed = cross_block(spec, values, rows, years=years, size=size)
    return outcomes_from(
        outcomes, years=years, rows=rows, crossing={name: crossing.year for name, crossing in crossed.items()}
    )
