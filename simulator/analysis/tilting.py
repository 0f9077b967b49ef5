"""Samples of a scenario where something unlikely holds: importance sampling from a tilted prior."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from scipy.special import logsumexp, ndtr, ndtri

from simulator.analysis.evaluation import Model, evaluate_values, model_of
from simulator.analysis.evidence import Fact, likelihood
from simulator.analysis.reweighting import Read
from simulator.priors.draws import joined_uniforms, values_of
from simulator.priors.streams import EDGE, blocks_uniforms
from simulator.runs.estimates import effective_samples
from simulator.scenario.resolving import Scenario
from simulator.units import Array

PILOT, ROUNDS, PART = 4096, 16, 0.15
"""Samples of a round of search, rounds at most, and the share of equal samples that a round is relaxed to."""
MIXED = (0.6, 0.3, 0.1)
"""Shares of the fitted normal, of that with the prior's own spread about its mean, and of the prior itself.

The last bounds every weight by 10 times its likelihood.
"""
_STREAM = "given"


@dataclass(frozen=True, slots=True)
class Weighted:
    """Samples that stand for a forecast given something: `logs` (sample,) of their weights, and what is read of them.

    `scores` (sample,) by prior are normal scores where they are known exactly; the others go by rank.
    """

    logs: Array
    read: Read
    parameters: Mapping[str, Array] = field(default_factory=dict)
    scores: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Proposal:
    """A mixture of three normals of independent scores: about `mean` (score,) with `root` (score, score), and wider."""

    mean: Array
    root: Array

    def draw(self, normal: Array) -> Array:
        """Turn independent normal numbers (score, sample) into draws; parts take turns, in every 20 samples."""
        turn = np.arange(normal.shape[1]) % 20
        fitted, wide = turn < 20 * MIXED[0], turn < 20 * (MIXED[0] + MIXED[1])
        moved = np.where(wide, self.mean[:, None], 0.0) + normal
        moved[:, fitted] = self.mean[:, None] + self.root @ normal[:, fitted]
        return moved

    def log_ratio(self, scores: Array) -> Array:
        """Give the log density (sample,) of the prior over that of the mixture; their common factor is left out."""
        away = scores - self.mean[:, None]
        own = np.linalg.solve(self.root, away)
        logs = [-0.5 * np.square(own).sum(axis=0) - np.linalg.slogdet(self.root)[1],
                -0.5 * np.square(away).sum(axis=0), prior := -0.5 * np.square(scores).sum(axis=0)]  # fmt: skip
        return prior - np.asarray(logsumexp(logs, axis=0, b=np.array(MIXED)[:, None]))

    @classmethod
    def fitted(cls, scores: Array, weights: Array) -> _Proposal:
        """Fit weighted scores: means beyond chance, and the directions in which their spread is beyond chance.

        Of so many samples in so many dimensions a covariance that is 1 has eigenvalues within (1 ± sqrt(d / n))^2
        (Marchenko and Pastur 1967), and a little beyond. A narrower spread is widened by half, so that no
        tail is cut.
        """
        worth = effective_samples(weights)
        mean = scores @ weights
        mean[np.abs(mean) < 2.0 / math.sqrt(worth)] = 0.0
        away = scores - mean[:, None]
        values, vectors = np.linalg.eigh((away * weights) @ away.T)
        chance = 1.2 * math.sqrt(mean.size / worth)
        seen = (values < (1.0 - min(chance, 1.0)) ** 2) | (values > (1.0 + chance) ** 2)
        spread = np.where(seen, np.where(values < 1.0, np.minimum(1.0, 1.5 * values), values), 1.0)
        return cls(mean, vectors @ np.diag(np.sqrt(np.maximum(spread, 1e-6))) @ vectors.T)


def tilted(scenario: Scenario, facts: Sequence[Fact], *, samples: int) -> Weighted:
    """Draw samples of a scenario from where facts hold, with the logs of likelihood times prior over proposal.

    In rounds the proposal, a normal over the independent normal scores of the priors, is fitted to what is nearer and
    nearer to the facts (the cross-entropy method of Rubinstein and Kroese 2004, with tempered misses); the last draws
    are from the proposal that all samples of the round before are used for. Every round has numbers of its own, keyed
    by the seed, the names of priors and the round.
    """
    model = model_of(scenario)
    outcomes, names = [fact.outcome for fact in facts], model.joint.uncertain
    proposal = _Proposal(np.zeros(len(names)), np.eye(len(names)))
    scales, is_certain = np.ones(len(facts)), np.array([fact.value is None for fact in facts])
    power = 12.0
    for number in range(ROUNDS):
        scores = proposal.draw(_normals(model, number, PILOT))
        found = evaluate_values(model, _values(model, scores)[0], outcomes)
        if number == 0:
            scales = np.array([_spread(row) if sure else 1.0 for row, sure in zip(found, is_certain, strict=True)])
        ratio = proposal.log_ratio(scores)
        logs = ratio + likelihood(facts, found)
        if not (reached := _worth(logs) >= PART * MIXED[0] * PILOT):
            tops = float(model.years[-1]) + scales
            misses = np.stack(list(map(_distances, facts, found, tops))) / scales[:, None]
            squares = np.square(misses)
            parts = (squares[sure].sum(axis=0) for sure in (is_certain, ~is_certain))
            logs, power = _tempered(ratio, *parts, most=power)
        weights = np.exp(logs - logs.max())
        proposal = _Proposal.fitted(scores, weights / weights.sum())
        if reached:
            break
    scores = proposal.draw(_normals(model, ROUNDS, samples))
    values, joined = _values(model, scores)
    read = partial(evaluate_values, model, values)
    found = read(outcomes)
    logs = proposal.log_ratio(scores) + likelihood(facts, found)
    after = {name: ndtri(numbers) for name, numbers in joined.items()}
    held = {name: np.broadcast_to(array, (samples,)) for name, array in values.items()}
    return Weighted(logs, read, held, after)


def _spread(samples: Array) -> float:
    """Tell how far the middle two thirds of the finite samples reach; 1 where they do not vary."""
    finite = samples[np.isfinite(samples)]
    return float(np.ptp(np.quantile(finite, [0.16, 0.84]))) or 1.0 if finite.size else 1.0


def _normals(model: Model, number: int, samples: int) -> Array:
    """Draw the independent normal numbers (score, sample) of a round."""
    spec, names = model.component.spec, model.joint.uncertain
    keyed = {name: f"{_STREAM}.{number}.{name}" for name in names}
    size = spec.block
    drawn = blocks_uniforms(list(keyed.values()), seed=spec.seed, blocks=range(-(-samples // size)), size=size,
                            design="random", samples=samples)  # fmt: skip
    return np.asarray(ndtri(np.stack([drawn[keyed[name]] for name in names])))


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


def _worth(logs: Array) -> float:
    return effective_samples(np.exp(logs - logs.max())) if np.isfinite(logs).any() else 0.0


def _tempered(ratio: Array, certain: Array, observed: Array, *, most: float) -> tuple[Array, float]:
    """Relax squared misses by the least that makes the samples worth `PART` of their number, and by `most` at most.

    What is `certain` is relaxed to a normal density about it, what is `observed` to one with a larger error. Gives log
    weights (sample,) and the power of ten of those errors.
    """

    def relaxed(power: float) -> Array:
        eased: Array = certain / 100.0**power + observed / 100.0 ** max(power, 0.0)
        return ratio - eased / 2

    low, high = -6.0, most
    for _ in range(40):
        middle = (low + high) / 2
        enough = _worth(relaxed(middle)) >= PART * MIXED[0] * ratio.size
        low, high = (low, middle) if enough else (middle, high)
    return relaxed(high), high
