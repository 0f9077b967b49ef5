"""The variance of outcomes of a scenario, parted among inputs: what is drawn, and what is evaluated where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain

import numpy as np

from simulator.analysis.association import rank_among
from simulator.analysis.evaluation import Input, Model, evaluate_values, model_of
from simulator.analysis.outcomes import Outcome
from simulator.analysis.shapley import CorrelatedColumns, ShapleyPoints, shapley_effects
from simulator.analysis.sobol import Parted, SobolPoints, sobol_indices
from simulator.engine.workers import Workers, parted
from simulator.errors import InputError
from simulator.priors.draws import joined_uniforms, values_at, values_of
from simulator.priors.streams import block_uniforms
from simulator.scenario.resolving import Scenario
from simulator.units import Array

DESIGN = "latin-hypercube"
"""Of the two halves: each prior has one number in each of as many equal strata as there are rows."""


@dataclass(frozen=True)
class Study:
    """What is evaluated, (outcome, row): Sobol indices on independent numbers, or Shapley effects on joined ones."""

    model: Model
    inputs: Sequence[Input]
    outcomes: Sequence[Outcome]
    samples: int
    method: str

    def _numbers(self, names: Sequence[str], suffix: str) -> Array:
        """Draw uniform numbers (row, name), keyed by the seed and each name."""
        seed, keys = self.model.component.spec.seed, (f"{name}.sensitivity.{suffix}" for name in names)
        drawn = (block_uniforms(key, seed=seed, block=0, size=self.samples, design=DESIGN) for key in keys)
        return np.stack(list(drawn), axis=1)

    def _half(self, suffix: str) -> Array:
        joint, names = self.model.joint, self.model.joint.uncertain
        drawn = self._numbers(names, suffix)
        if self.method == "sobol":
            return drawn
        joined = joined_uniforms(joint, dict(zip(names, drawn.T, strict=True)))
        return np.stack([joined[name] for name in names], axis=1)

    @cached_property
    def points(self) -> SobolPoints | ShapleyPoints:
        """Where it is evaluated."""
        names = self.model.joint.uncertain
        columns = [[names.index(prior) for prior in each.members] for each in self.inputs]
        first, second = self._half("a"), self._half("b")
        if self.method == "sobol":
            return SobolPoints(first, second, columns)
        order = self._numbers([each.name for each in self.inputs], "order")
        correlated = [
            CorrelatedColumns(tuple(map(names.index, group.names)), group.factor @ group.factor.T)
            for group in self.model.joint.groups
        ]
        return ShapleyPoints(first, second, order, columns, correlated)

    def at(self, place: int) -> Array:
        """Evaluate all outcomes at the points of a place."""
        joint, points = self.model.joint, self.points.at(place)
        numbers = dict(zip(joint.uncertain, points.T, strict=True))
        values = values_at(joint, numbers) if self.method == "sobol" else values_of(numbers, joint=joint)
        return evaluate_values(self.model, values, self.outcomes)

    def each_at(self, places: Sequence[int]) -> Iterator[Array]:
        """Evaluate them at the points of several places."""
        return map(self.at, places)


def _evaluated(
    inputs: Sequence[Input],
    outcomes: Sequence[Outcome],
    samples: int,
    method: str,
    scenario: Scenario,
    places: Sequence[int],
) -> list[Array]:
    return list(Study(model_of(scenario), inputs, outcomes, samples, method).each_at(places))


def parted_variance(study: Study, workers: Workers = 1) -> Parted:
    """Estimate Sobol indices or Shapley effects; crossing years count by their rank."""
    outcomes, points, plan = study.outcomes, study.points, study.model.plan
    task = partial(_evaluated, study.inputs, outcomes, study.samples, study.method)

    def evaluated(places: range) -> Iterator[Array]:
        return parted(task, plan, places, workers=workers, here=study.each_at)

    halves = list(evaluated(range(2)))
    ordered = {
        place: np.sort(np.concatenate([half[place] for half in halves]))
        for place, each in enumerate(outcomes) if each.censored
    }  # fmt: skip

    def ranked(found: Array) -> Array:
        for place, among in ordered.items():
            found[place] = rank_among(found[place], among)
        return _finite(found, outcomes)

    values = map(ranked, chain(halves, evaluated(range(2, len(points)))))
    if isinstance(points, SobolPoints):
        return sobol_indices(values, inputs=len(study.inputs), seed=plan.spec.seed)
    return shapley_effects(values, points, seed=plan.spec.seed)


def _finite(values: Array, outcomes: Sequence[Outcome]) -> Array:
    """Turn (outcome, sample) round, and refuse what has no variance because it is not finite."""
    wrong = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if wrong.size:
        raise InputError(
            f"outcome '{outcomes[int(wrong[0])].asked}': is not finite in some samples, and so has no variance. "
            "Ask for another variable, or for crossed:NAME@YEAR."
        )
    return np.ascontiguousarray(values.T)
