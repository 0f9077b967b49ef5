"""Moving one input of a scenario on common draws: to a quantile, by a standard deviation, or to its median.

An input moves on its normal score z = Phi^-1(its probability). What is correlated with it moves along as the copula
says: with correlations C of the scores, the score of each other prior j moves by C_ji times what that of the input i
does. So the draws in which an input is moved to a quantile are draws of the others given that quantile, exactly.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import block_diag
from scipy.special import ndtr, ndtri

from simulator.analysis.evaluation import Input, Model
from simulator.analysis.outcomes import Outcome, prior_text
from simulator.errors import InputError, near_name, shown
from simulator.priors.draws import joined_uniforms, stratified_block, uniforms_of, values_of, with_followers
from simulator.priors.joint import JointPrior, NamedPrior
from simulator.priors.streams import EDGE
from simulator.runs.estimates import Moments, difference_error
from simulator.units import Array

MOST_NUMBERS = 1 << 26
"""Numbers of the common draws, samples times priors: half a GiB."""
REPLICATES = 8
"""Parts of the common draws that are independent of one another: their spread tells errors."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws of the joint prior by name, (sample,): normal `scores`, after the copula, and `values` (internal scale)."""

    scores: Mapping[str, Array]
    values: Mapping[str, Array]


class Part(NamedTuple):
    """How the score of a prior goes with an input, of which it is a member where it is its `own`.

    The score of the input is the sum of `weight` times theirs, standard normal; as it rises by 1, theirs by `slope`.
    """

    name: str
    weight: float
    slope: float
    own: bool


def common_draws(model: Model, samples: int) -> Draws:
    """Draw samples in independent replicates, each spread evenly; more than can be held at once are refused."""
    most = MOST_NUMBERS // max(1, len(model.joint.uncertain))
    if samples > most:
        raise InputError(
            f"--samples: must be at most {most:,} for {len(model.joint.uncertain)} priors; got {samples:,}. "
            "All are held at once and evaluated twice for each input; 1,024 give medians to a few hundredths of an OOM."
        )
    spec, size = model.component.spec, replicate_size(samples)
    uniforms = uniforms_of(
        model.joint, seed=spec.seed, blocks=range(-(-samples // size)), size=size, design=spec.design, samples=samples
    )
    joined = joined_uniforms(model.joint, uniforms, block=stratified_block(spec.design, size))
    return Draws({name: ndtri(array) for name, array in joined.items()}, values_of(joined, joint=model.joint))


def replicate_size(samples: int) -> int:
    """Tell how many of the common draws make a replicate; the last may have fewer."""
    return -(-samples // REPLICATES)


def replicated(statistic: Callable[..., float], *samples: Array) -> float:
    """Estimate the standard error of a statistic of columns (sample,) of common draws from that of each replicate.

    NaN where it is not finite in one of them.
    """
    size = replicate_size(samples[0].size)
    whole = range(0, samples[0].size - size + 1, size)
    found = np.array([statistic(*(column[start : start + size] for column in samples)) for start in whole])
    return float(Moments.of(found).mean_error(samples[0].size / size))


def moved_error(outcome: Outcome, first: Array, second: Array) -> float:
    """Estimate the standard error of how far the middle of an outcome is in one column from that in another."""
    level = None if outcome.statistic == "mean" else 0.5
    return difference_error(first, second, level=level, block=replicate_size(first.size))


def median_draws(model: Model, size: int) -> Draws:
    """Put every prior at its median, `size` times."""
    scores = {name: np.zeros(size) for name in model.joint.uncertain}
    return Draws(scores, _with_scores(model.joint, {}, scores))


def direction_of(joint: JointPrior, varied: Input) -> list[Part]:
    """Find how scores move with an input."""
    groups = [group for group in joint.groups if set(group.names) & set(varied.members)]
    grouped = [name for group in groups for name in group.names]
    names = (*grouped, *(name for name in varied.members if name not in grouped))
    correlation = block_diag(*(group.factor @ group.factor.T for group in groups), np.eye(len(names) - len(grouped)))
    own = np.array([name in varied.members for name in names])
    weights = own / np.sqrt(own @ correlation @ own)
    return list(map(Part, names, weights.tolist(), (correlation @ weights).tolist(), own.tolist()))


def companions(joint: JointPrior, varied: Input) -> tuple[str, ...]:
    """Name the priors that move along with an input because they are correlated with it."""
    return tuple(each.name for each in direction_of(joint, varied) if not each.own and abs(each.slope) > 1e-12)


def moved_to(joint: JointPrior, draws: Draws, varied: Input, *, score: float | Array) -> dict[str, Array]:
    """Give parameters with an input (the sum of its members) at a score, one or (sample,); companions move along."""
    now = sum(each.weight * draws.scores[each.name] for each in direction_of(joint, varied) if each.weight)
    return moved_by(joint, draws, varied, step=score - now)


def moved_by(joint: JointPrior, draws: Draws, varied: Input, *, step: float | Array) -> dict[str, Array]:
    """Give parameters with the score of an input moved by a number of standard deviations, one or (sample,)."""
    parts = [each for each in direction_of(joint, varied) if abs(each.slope) > 1e-12]
    scores = {each.name: draws.scores[each.name] + each.slope * step for each in parts}
    return _with_scores(joint, draws.values, scores)


def moved_alone(joint: JointPrior, draws: Draws, varied: Input, *, score: float | Array) -> dict[str, Array]:
    """Give parameters with an input at a score, all others where they are."""
    size = next(iter(draws.scores.values())).shape
    own = {each.name: each.slope for each in direction_of(joint, varied) if each.own}
    scores = {name: np.broadcast_to(np.asarray(score * slope), size) for name, slope in own.items()}
    return _with_scores(joint, draws.values, scores)


def _with_scores(joint: JointPrior, values: Mapping[str, Array], scores: Mapping[str, Array]) -> dict[str, Array]:
    """Give parameters, (sample,) or (1,) on the internal scale, in which some priors stand at other scores."""
    changed = {
        name: joint.priors[name].family.ppf(np.clip(ndtr(score), EDGE, 1.0 - EDGE)) for name, score in scores.items()
    }
    fixed = {name: np.array([prior.value]) for name, prior in joint.priors.items() if prior.value is not None}
    return with_followers({**values, **fixed, **changed}, joint=joint)


def parse_groups(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read groups written as NAME=PATTERN,PATTERN; a `*` stands for any text."""
    groups: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, patterns = map(str.strip, text.partition("="))
        parts = tuple(part.strip() for part in patterns.split(",") if part.strip())
        if not equals or not name or not parts:
            raise InputError(
                f"--group {text}: must be NAME=PATTERN; got {shown(text)}. "
                "Write for example --group algorithms=drivers.algorithms.*, and several patterns with commas."
            )
        if name in groups:
            raise InputError(
                f"--group {text}: the group '{name}' is named twice. Put its patterns into one, with commas."
            )
        groups[name] = parts
    return groups


def check_by(by: str | None) -> None:
    """Check the name of a grouping that is built in."""
    if by not in (None, "driver"):
        raise InputError(f"--by: must be driver; got {shown(by)}. For other groups write --group NAME=PATTERN.")


def group_inputs(
    inputs: Sequence[Input], *, groups: Mapping[str, Sequence[str]] | None = None, by: str | None = None
) -> tuple[Input, ...]:
    """Put inputs together by patterns of names, and by driver what is in no group; ordered by their first priors.

    A `*` stands for any text; a pattern without one also takes all below it.
    """
    check_by(by)
    member_of: dict[str, str] = {}
    for name, patterns in (groups or {}).items():
        for pattern in patterns:
            for found in _matching(inputs, pattern, name):
                if member_of.setdefault(found, name) != name:
                    raise InputError(
                        f"--group {name}={pattern}: takes {found}, which group '{member_of[found]}' has. "
                        "Shares of variance need groups that do not overlap: narrow one of the patterns."
                    )
    alone = [each.name for each in inputs if each.name not in member_of]
    if clash := sorted(set(groups or {}) & set(alone)):
        raise InputError(f"--group {clash[0]}: is the name of a prior outside the group. Give the group another name.")
    if by:
        member_of |= {name: ".".join(name.split(".")[:2]) for name in alone}
    members: dict[str, list[str]] = {}
    for each in inputs:
        members.setdefault(member_of.get(each.name, each.name), []).extend(each.members)
    return tuple(Input(name, tuple(priors)) for name, priors in members.items())


def _matching(inputs: Sequence[Input], pattern: str, group: str) -> list[str]:
    expression = ".*".join(map(re.escape, pattern.split("*"))) + ("" if "*" in pattern else r"(?:[.\[].*)?")
    found = [each.name for each in inputs if re.fullmatch(expression, each.name)]
    if not found:
        known = {".".join(each.name.split(".")[:depth]) for each in inputs for depth in range(1, 9)}
        near = near_name(pattern.replace(".*", ""), sorted(known))
        raise InputError(
            f"--group {group}={pattern}: matches no uncertain prior; those that hold one number have no share. "
            + (near or "`simulate validate SCENARIO` lists the priors. Write for example drivers.algorithms.*.")
        )
    return found


def quantiles_of(
    priors: Mapping[str, NamedPrior], varied: Input, levels: tuple[float, ...]
) -> tuple[list[float], list[str]]:
    """Give an input at quantiles, as numbers and written; of several members, such as yearly shocks, the levels."""
    if len(varied.members) > 1:
        return [math.nan] * len(levels), [f"{100 * level:g} %" for level in levels]
    prior = priors[varied.members[0]]
    values = prior.family.ppf(np.array(levels)).tolist()
    return values, [prior_text(prior, value) for value in values]
