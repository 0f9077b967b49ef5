"""Samples of a scenario where something unlikely holds: importance sampling from a tilted prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from scipy.special import ndtr, ndtri

from simulator.analysis.evaluation import Model, evaluate_values, model_of
from simulator.analysis.evidence import Fact, likelihood
from simulator.analysis.outcomes import Outcome
from simulator.analysis.reweighting import Read
from simulator.errors import InputError
from simulator.history.importance import LetIn, refuse_beyond, tilted_scores
from simulator.priors.draws import joined_uniforms, uniforms_of, values_of
from simulator.priors.streams import EDGE
from simulator.scenario.resolving import Scenario
from simulator.units import Array

_STREAM = "given"
_WIDEST, _POWERS = 12.0, 18.0
"""The power of ten by which misses are relaxed at first, and by how many powers less when all is let in."""


@dataclass(frozen=True, slots=True)
class Weighted:
    """Samples that stand for a forecast given something: `logs` (sample,) of their weights, and what is read of them.

    `scores` (sample,) by prior are normal scores where they are known exactly; the others go by rank.
    """

    logs: Array
    read: Read
    parameters: Mapping[str, Array] = field(default_factory=dict)
    scores: Mapping[str, Array] = field(default_factory=dict)


def tilted(scenario: Scenario, facts: Sequence[Fact], *, samples: int) -> Weighted:
    """Draw samples of a scenario from where facts hold, with the logs of likelihood times prior over proposal.

    What is certain is let in as a normal density about it that grows narrow, what is observed as one with a larger
    error. Every round has numbers of its own, keyed by the seed, the names of priors and the round.
    """
    model = model_of(scenario)
    if not model.joint.uncertain:
        raise InputError("condition: --redraw needs priors that vary, and all numbers of this scenario are fixed.")
    outcomes, is_certain = [fact.outcome for fact in facts], np.array([fact.value is None for fact in facts])
    spreads: list[float] = []

    def likelihood_of(scores: Array) -> LetIn:
        found = evaluate_values(model, _values(model, scores)[0], outcomes)
        if not spreads:  # of the first round, which is drawn from the prior
            spreads.extend(_spread(row) if sure else 1.0 for row, sure in zip(found, is_certain, strict=True))
        scales = np.array(spreads)
        with np.errstate(over="ignore"):  # as in `Fact.logs`
            apart = np.stack(list(map(_distances, facts, found, model.years[-1] + scales)))
            squares = np.square(apart / scales[:, None])
        certain, observed = (squares[sure].sum(axis=0) for sure in (is_certain, ~is_certain))
        exact = likelihood(facts, found)

        def let_in(part: float) -> Array:
            power = _WIDEST - _POWERS * part
            relaxed: Array = certain / 100.0**power + observed / 100.0 ** max(power, 0.0)
            return exact if part == 1.0 else -relaxed / 2

        return let_in

    scores, logs = tilted_scores(likelihood_of, partial(_normals, model), drawn=samples)
    refuse_beyond(scores, logs, study="condition")
    values, joined = _values(model, scores)
    after = {name: ndtri(numbers) for name, numbers in joined.items()}
    held = {name: np.broadcast_to(array, (samples,)) for name, array in values.items()}
    return Weighted(logs, _once(partial(evaluate_values, model, values)), held, after)


def _once(read: Read) -> Read:
    """Keep what is read, so that the samples are evaluated once for each outcome."""
    kept: dict[Outcome, Array] = {}

    def again(outcomes: Sequence[Outcome]) -> Array:
        if new := [outcome for outcome in dict.fromkeys(outcomes) if outcome not in kept]:
            kept.update(zip(new, read(new), strict=True))
        return np.stack([kept[outcome] for outcome in outcomes])

    return again


def _spread(samples: Array) -> float:
    """Tell how far the middle two thirds of the finite samples reach; 1 where they do not vary."""
    finite = samples[np.isfinite(samples)]
    return float(np.ptp(np.quantile(finite, [0.16, 0.84]))) or 1.0 if finite.size else 1.0


def _normals(model: Model, number: int, samples: int) -> Array:
    """Draw the independent normal numbers (score, sample) of a round."""
    spec, size, of = model.component.spec, model.component.spec.block, f"{_STREAM}.{number}."
    drawn = uniforms_of(model.joint, seed=spec.seed, blocks=range(-(-samples // size)), size=size, design="random",
                           samples=samples, of=of)  # fmt: skip
    return np.asarray(ndtri(np.stack(list(drawn.values()))))


def _values(model: Model, scores: Array) -> tuple[dict[str, Array], dict[str, Array]]:
    """Turn independent scores (score, sample) into parameters, and into uniform numbers after the copula, by name."""
    numbers = np.clip(ndtr(scores), EDGE, 1.0 - EDGE)
    joined = joined_uniforms(model.joint, dict(zip(model.joint.uncertain, numbers, strict=True)))
    return values_of(joined, joint=model.joint), joined


def _distances(fact: Fact, samples: Array, top: float) -> Array:
    """Tell how far samples (sample,) are from a fact, those that never cross as if they did at the `top`."""
    if fact.outcome.kind not in ("crossing", "restricted"):
        return fact.misses(samples)
    return replace(fact, low=min(fact.low, top)).misses(np.minimum(samples, top))
