"""From seed and design to parameters: the draws of the joint prior, block by block."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr, ndtri

from simulator.priors.families import Fixed
from simulator.priors.joint import JointPrior
from simulator.priors.streams import EDGE, blocks_uniforms
from simulator.units import Array


def draw_blocks(
    joint: JointPrior, *, seed: int, blocks: range, size: int, design: str, samples: int | None = None
) -> dict[str, Array]:
    """Draw blocks of parameters, one after the other.

    Each prior's uniform numbers are keyed by (seed, name, block); a Gaussian copula joins those that are correlated;
    each then goes through its inverse CDF.

    Parameters
    ----------
    joint : JointPrior
    seed : int
    blocks : range
        The numbers of the blocks.
    size : int
        Samples in a block, a power of two.
    design : str
        `sobol`, `latin-hypercube` or `random`.
    samples : int, optional
        How many are needed, from the first on; all of the blocks where it is left out.

    Returns
    -------
    dict of arrays by name, (samples,), or (1,) for a fixed prior; internal scale

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> joint = load_scenario("baseline").joint
    >>> draws = draw_blocks(joint, seed=0, blocks=range(2), size=1024, design="sobol")
    >>> draws["drivers.spending.start"].shape
    (2048,)
    """
    uniforms = blocks_uniforms(joint.uncertain, seed=seed, blocks=blocks, size=size, design=design)
    joined = joined_uniforms(joint, uniforms)  # of whole blocks, so that no number depends on how many are needed
    return values_of({name: values[:samples] for name, values in joined.items()}, joint=joint)


def values_at(joint: JointPrior, uniforms: Mapping[str, Array]) -> dict[str, Array]:
    """Turn independent uniform numbers into parameters: through the copula, then through each inverse CDF.

    Parameters
    ----------
    joint : JointPrior
    uniforms : arrays by name, (sample,), in (0, 1)
        One for each uncertain prior, as from `block_uniforms`.

    Returns
    -------
    dict of arrays by name, (sample,), or (1,) for a fixed prior; internal scale

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> joint = load_scenario("baseline").joint
    >>> middle = values_at(joint, {name: np.array([0.5]) for name in joint.uncertain})
    >>> middle["drivers.spending.start"].round(2).tolist()
    [8.59]
    """
    return values_of(joined_uniforms(joint, uniforms), joint=joint)


def values_of(joined: Mapping[str, Array], *, joint: JointPrior) -> dict[str, Array]:
    """Turn uniform numbers that are correlated already into parameters: through each inverse CDF.

    A prior that is a function of another is computed from that one's draws, and takes no uniform numbers of its own.

    Parameters
    ----------
    joined : arrays by name, (sample,), in (0, 1)
    joint : JointPrior

    Returns
    -------
    dict of arrays by name, (sample,), or (1,) for a fixed prior; internal scale

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> joint = load_scenario("baseline").joint
    >>> middle = values_of({name: np.array([0.5]) for name in joint.uncertain}, joint=joint)
    >>> round(10 ** float(middle["drivers.algorithms.growth"][0]), 2)  # a factor a year
    2.55
    """
    values = {
        name: np.array([prior.family.value]) if isinstance(prior.family, Fixed) else prior.family.ppf(joined[name])
        for name, prior in joint.priors.items()
        if name not in joint.functions
    }
    for name, function in joint.functions.items():
        values[name] = function(values[function.of])
    return {name: values[name] for name in joint.priors}


def joined_uniforms(joint: JointPrior, uniforms: Mapping[str, Array]) -> dict[str, Array]:
    """Correlate the uniform numbers of each copula group: Phi(L Phi^-1(u)); the first name of a group keeps its own.

    Parameters
    ----------
    joint : JointPrior
    uniforms : arrays by name, (sample,), in (0, 1)

    Returns
    -------
    dict of arrays by name, (sample,); those of no group are handed on

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> joint = load_scenario("baseline").joint
    >>> first, second = joint.groups[0].names[:2]
    >>> joined = joined_uniforms(joint, {name: np.array([0.9 if name == first else 0.5]) for name in joint.uncertain})
    >>> joined[first].round(2).tolist(), joined[second].round(2).tolist()  # a high first raises the second
    ([0.9], [0.66])
    """
    result = dict(uniforms)
    for group in joint.groups:
        scores = group.factor @ ndtri(np.stack([uniforms[name] for name in group.names]))
        result |= dict(zip(group.names, np.clip(ndtr(scores), EDGE, 1.0 - EDGE), strict=True))
    return result
