"""Moving one input of a scenario on common draws: to a quantile, by a standard deviation, or to its median.

An input moves on its normal score z = Phi^-1(its probability). What is correlated with it moves along as the copula
says: with correlations C of the scores, the score of each other prior j moves by C_ji times what that of the input i
does. So the draws in which an input is moved to a quantile are draws of the others given that quantile, exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from simulator.distributions import Fixed
from simulator.draws import joined_uniforms, values_of
from simulator.errors import InputError
from simulator.evaluation import Input, Model, base_uniforms
from simulator.priors import JointPrior
from simulator.streams import EDGE
from simulator.units import Array

MOST_NUMBERS = 1 << 26
"""Numbers of the common draws, samples times priors: half a GiB."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws of the joint prior by name, (sample,): normal `scores`, after the copula, and `values` (internal scale)."""

    scores: Mapping[str, Array]
    values: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Direction:
    """How the scores move with an input.

    The input's own score is the sum of `weights` times the scores of `names`; it is standard normal. As it rises by 1,
    the scores rise by `slopes`; `own` says which of the names are members of the input.
    """

    names: tuple[str, ...]
    weights: Array
    slopes: Array
    own: tuple[bool, ...]


def common_draws(model: Model, samples: int) -> Draws:
    """Draw the first samples of a run of the scenario.

    Raises
    ------
    InputError
        They are too many to be held at once, for every prior.

    Examples
    --------
    >>> from simulator.evaluation import model_of
    >>> from simulator.scenario import load_scenario
    >>> draws = common_draws(model_of(load_scenario("baseline")), 64)
    >>> draws.values["drivers.spending.start"].shape
    (64,)
    """
    most = MOST_NUMBERS // max(1, len(model.joint.uncertain))
    if samples > most:
        raise InputError(
            f"--samples: must be at most {most:,} for {len(model.joint.uncertain)} priors; got {samples:,}. "
            "All are held at once and evaluated twice for each input; 1,024 give medians to a few hundredths of an OOM."
        )
    joined = joined_uniforms(model.joint, base_uniforms(model, samples))
    return Draws({name: ndtri(array) for name, array in joined.items()}, values_of(joined, joint=model.joint))


def median_draws(model: Model, size: int) -> Draws:
    """Put every prior at its median, `size` times.

    Examples
    --------
    >>> from simulator.evaluation import model_of
    >>> from simulator.scenario import load_scenario
    >>> draws = median_draws(model_of(load_scenario("baseline")), 2)
    >>> (10 ** draws.values["drivers.algorithms.growth"]).round(2).tolist()
    [2.55, 2.55]
    """
    scores = {name: np.zeros(size) for name in model.joint.uncertain}
    return Draws(scores, _with_scores(model.joint, {}, scores))


def direction_of(joint: JointPrior, varied: Input) -> Direction:
    """Find how scores move with an input.

    Examples
    --------
    >>> from simulator.scenario import load_scenario
    >>> joint = load_scenario("baseline").joint
    >>> found = direction_of(joint, Input("drivers.spending.start", ("drivers.spending.start",)))
    >>> found.names[0], found.slopes.round(2).tolist()
    ('drivers.hardware.factors.price-performance.start', [-0.23, 1.0])
    """
    groups = [group for group in joint.groups if set(group.names) & set(varied.members)]
    grouped = [name for group in groups for name in group.names]
    names = (*grouped, *(name for name in varied.members if name not in grouped))
    correlation = np.eye(len(names))
    start = 0
    for group in groups:
        end = start + len(group.names)
        correlation[start:end, start:end] = group.factor @ group.factor.T
        start = end
    own = np.array([name in varied.members for name in names])
    weights = own / np.sqrt(own @ correlation @ own)
    return Direction(names, weights, correlation @ weights, tuple(own.tolist()))


def companions(joint: JointPrior, varied: Input) -> tuple[str, ...]:
    """Name the priors that move along with an input because they are correlated with it.

    Examples
    --------
    >>> from simulator.scenario import load_scenario
    >>> joint = load_scenario("baseline").joint
    >>> companions(joint, Input("drivers.spending.start", ("drivers.spending.start",)))
    ('drivers.hardware.factors.price-performance.start',)
    """
    found = direction_of(joint, varied)
    return tuple(
        name
        for name, own, slope in zip(found.names, found.own, found.slopes.tolist(), strict=True)
        if not own and abs(slope) > 1e-12
    )


def moved_to(joint: JointPrior, draws: Draws, varied: Input, *, score: float | Array) -> dict[str, Array]:
    """Give parameters with an input at a score, and what is correlated with it where that puts it.

    `score` is one number or (sample,). Several members of one input, such as yearly shocks, move together: the score
    is that of their sum.

    Returns
    -------
    dict of arrays by name, (sample,) or (1,), internal scale
    """
    found = direction_of(joint, varied)
    now = sum(weight * draws.scores[name] for name, weight in zip(found.names, found.weights, strict=True) if weight)
    return _moved(joint, draws, found, score - now)


def moved_by(joint: JointPrior, draws: Draws, varied: Input, *, step: float) -> dict[str, Array]:
    """Give parameters with the score of an input moved by a number of standard deviations.

    Returns
    -------
    dict of arrays by name, (sample,) or (1,), internal scale

    Examples
    --------
    >>> from simulator.evaluation import inputs_of, model_of
    >>> from simulator.scenario import load_scenario
    >>> model = model_of(load_scenario("baseline"))
    >>> draws, algorithms = median_draws(model, 1), Input("drivers.algorithms.growth", ("drivers.algorithms.growth",))
    >>> moved = moved_by(model.joint, draws, algorithms, step=1.0)
    >>> [name for name in model.joint.uncertain if moved[name] != draws.values[name]]
    ['drivers.algorithms.growth']
    """
    found = direction_of(joint, varied)
    return _moved(joint, draws, found, np.float64(step))


def moved_alone(joint: JointPrior, draws: Draws, varied: Input, *, score: float | Array) -> dict[str, Array]:
    """Give parameters with an input at a score, all others where they are.

    Returns
    -------
    dict of arrays by name, (sample,) or (1,), internal scale
    """
    found = direction_of(joint, varied)
    size = next(iter(draws.scores.values())).shape
    scores = {
        name: np.broadcast_to(np.asarray(score * slope), size)
        for name, own, slope in zip(found.names, found.own, found.slopes, strict=True)
        if own
    }
    return _with_scores(joint, draws.values, scores)


def _moved(joint: JointPrior, draws: Draws, found: Direction, step: Array | np.float64) -> dict[str, Array]:
    scores = {
        name: draws.scores[name] + slope * step
        for name, slope in zip(found.names, found.slopes, strict=True)
        if abs(slope) > 1e-12
    }
    return _with_scores(joint, draws.values, scores)


def _with_scores(joint: JointPrior, values: Mapping[str, Array], scores: Mapping[str, Array]) -> dict[str, Array]:
    """Give parameters in which some priors stand at other scores."""
    changed = {
        name: joint.priors[name].family.ppf(np.clip(ndtr(score), EDGE, 1.0 - EDGE)) for name, score in scores.items()
    }
    fixed = {
        name: np.array([prior.family.value]) for name, prior in joint.priors.items() if isinstance(prior.family, Fixed)
    }
    return {name: {**values, **fixed, **changed}[name] for name in joint.priors}
