"""From seed and design to parameters: the draws of the joint prior, block by block."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr, ndtri

from simulator.priors.composite import drawn_values
from simulator.priors.joint import JointPrior
from simulator.priors.streams import EDGE, blocks_uniforms, stratified
from simulator.schema.choices import DESIGNS
from simulator.units import Array


def draw_blocks(
    joint: JointPrior, *, seed: int, blocks: range, size: int, design: str, samples: int | None = None
) -> dict[str, Array]:
    """Draw blocks of parameters, one after the other: arrays (samples,) or (1,) by name, internal scale.

    Each prior's uniform numbers are keyed by (seed, name, block); a Gaussian copula joins those that are correlated;
    each then goes through its inverse CDF. Where `samples` end within the last block, that block is as short.
    """
    uniforms = uniforms_of(joint, seed=seed, blocks=blocks, size=size, design=design, samples=samples)
    return values_at(joint, uniforms, block=stratified_block(design, size))


def uniforms_of(
    joint: JointPrior, *, seed: int, blocks: range, size: int, design: str, samples: int | None = None, of: str = ""
) -> dict[str, Array]:
    """Draw the uniform numbers, (sample,) by name, of what is uncertain, before the copula; `of` names other ones."""
    names = {name: of + joint.streams.get(name, name) for name in joint.uncertain}
    every = list(names.values())
    drawn = blocks_uniforms(every, seed=seed, blocks=blocks, size=size, design=design, samples=samples)
    return {name: drawn[stream] for name, stream in names.items()}


def stratified_block(design: str, size: int) -> int | None:
    """Give the size of a block over which a design spreads the numbers of each prior; None where it spreads none."""
    return size if DESIGNS.find(design).stratified else None


def values_at(joint: JointPrior, uniforms: Mapping[str, Array], *, block: int | None = None) -> dict[str, Array]:
    """Turn independent uniform numbers, (sample,) by name, into parameters: through copula and inverse CDF."""
    return values_of(joined_uniforms(joint, uniforms, block=block), joint=joint)


def values_of(joined: Mapping[str, Array], *, joint: JointPrior) -> dict[str, Array]:
    """Turn uniform numbers that are correlated already into parameters: through each inverse CDF.

    A prior that follows another is computed from that one's draws, and takes no uniform numbers of its own.
    """
    families = {name: prior.family for name, prior in joint.priors.items() if name not in joint.functions}
    return with_followers(drawn_values(families, joined), joint=joint)


def with_followers(values: Mapping[str, Array], *, joint: JointPrior) -> dict[str, Array]:
    """Add to drawn numbers by name those of the priors that follow others; in the order of the joint prior."""
    known = dict(values)
    for name, function in joint.functions.items():
        known[name] = function(known[function.of])
    return {name: known[name] for name in joint.priors}


def joined_uniforms(joint: JointPrior, uniforms: Mapping[str, Array], *, block: int | None = None) -> dict[str, Array]:
    """Correlate the uniform numbers of each copula group: Phi(L Phi^-1(u)); the first name of a group keeps its own.

    With a `block`, those of the others are spread over each block of so many samples again, in the order that they have
    (Packham and Schmidt 2010), so that no correlation costs a prior its even spread. Where little is left of one given
    the others, that moves it far: what is weighed by the density of the copula is drawn without.
    """
    result = dict(uniforms)
    for group in joint.groups:
        scores = group.factor @ ndtri(np.stack([uniforms[name] for name in group.names]))
        numbers = np.clip(ndtr(scores), EDGE, 1.0 - EDGE)
        if block and group.is_spread:
            numbers[1:] = [stratified(each, block) for each in numbers[1:]]
        result |= dict(zip(group.names, numbers, strict=True))
    return result
