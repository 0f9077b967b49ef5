"""Differential equations in small steps, for every sample at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.oracle.units import Array

Slope = Callable[[Array, int, int], Array]
"""Slopes (level, sample) from levels (level, sample), the step, and the half of it: 0 and 2 are its ends, 1 its middle."""
Path = Callable[[Array], Array]
"""A level as a function of times (sample, k)."""


def solve(nodes: Array, start: Array, slope: Slope) -> list[Path]:
    """Levels from their start (level, sample) at the first node, by Runge and Kutta's rule of fourth order.

    Each step goes from one node (sample, k) to the next, forwards or backwards; in between they are cubics.
    """
    levels, slopes = [start], []
    for k in range(nodes.shape[1] - 1):
        now, step = levels[-1], nodes[:, k + 1] - nodes[:, k]
        one = slope(now, k, 0)
        two = slope(now + step / 2 * one, k, 1)
        three = slope(now + step / 2 * two, k, 1)
        four = slope(now + step * three, k, 2)
        levels.append(now + step / 6 * (one + 2 * two + 2 * three + four))
        slopes.append((one, slope(levels[-1], k, 2)))
    values = np.array(levels).transpose(1, 2, 0)
    ends = np.array(slopes).transpose(2, 1, 3, 0)
    return [_between(nodes, level, *of_level) for level, of_level in zip(values, ends, strict=True)]


def _between(nodes: Array, values: Array, starts: Array, ends: Array) -> Path:
    """A function of times: cubics through values at nodes and slopes at both ends of each step."""
    if nodes[0, 0] > nodes[0, -1]:
        nodes, values, starts, ends = (array[:, ::-1] for array in (nodes, values, ends, starts))
    rows = np.arange(len(nodes))[:, None]
    apart = rows * 1e4  # rows one after another in one rising line, so that one search finds every step
    line = (nodes + apart).ravel()

    def path(t: Array) -> Array:
        t = np.broadcast_to(t, (len(nodes), t.shape[1]))
        k = np.clip(np.searchsorted(line, t + apart, side="right") - 1 - rows * nodes.shape[1], 0, nodes.shape[1] - 2)
        low, high, y0, y1 = (np.take_along_axis(a, k + on, 1) for a in (nodes, values) for on in (0, 1))
        width = high - low
        s0, s1 = (np.take_along_axis(slopes, k, 1) * width for slopes in (starts, ends))
        x = np.clip((t - low) / np.where(width > 0, width, 1), 0, 1)
        return y0 + x * (s0 + x * (3 * (y1 - y0) - 2 * s0 - s1 + x * (2 * (y0 - y1) + s0 + s1)))

    return path
