"""Rank correlations of pairs of names in the first samples of a run, as the design of draws gives them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.priors.streams import blocks_uniforms


def rank_correlations(pairs: Sequence[tuple[str, str]], *, samples: int, block: int = 500) -> np.ndarray:
    """Compute the rank correlation of each pair, (pair,)."""
    found = []
    for pair in pairs:
        blocks = range(-(-samples // block))
        drawn = blocks_uniforms(pair, seed=1, blocks=blocks, size=block, design="latin-hypercube", samples=samples)
        first, second = (np.argsort(np.argsort(drawn[name])) - (samples - 1) / 2 for name in pair)
        found.append(np.mean(first * second) * 12 / (samples**2 - 1))
    return np.array(found)
