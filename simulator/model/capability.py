"""A metric as a function of compute, or of the parameters and tokens that compute is spent on."""

from __future__ import annotations

from collections.abc import Mapping
from math import log10

import numpy as np
from numpy.typing import ArrayLike

from simulator.model.growth import LN_10, aligned
from simulator.model.levels import Block
from simulator.schema.goals import Capability
from simulator.units import Array


def metric(spec: Capability, block: Block, levels: Mapping[str, Array], first: Array) -> Array:
    """Compute the metric from the levels that it is `made_of`; `first` is compute in the first year."""

    def drawn(key: str) -> Array:
        return block.draw(("capability", key))[:, None]

    compute = levels[spec.made_of[0]]
    if spec.kind in ("gain-per-doubling", "gain-per-factor"):
        reference = first if spec.reference is None else drawn("reference")
        per = log10(2.0) if spec.per is None else drawn("per")
        return gain_per_factor(compute, log_reference=reference, log_gain=drawn("gain"), log_factor=per)
    if spec.kind == "power-law-loss":
        return power_law_loss(
            compute, irreducible=drawn("irreducible"), log_scale=drawn("scale"), exponent=drawn("exponent")
        )
    if spec.kind == "parameters-and-data-loss":
        terms = [
            power_law_loss(
                levels[name], irreducible=0.0, log_scale=drawn(f"{of}_scale"), exponent=drawn(f"{of}_exponent")
            )
            for name, of in zip(spec.made_of, ("parameter", "data"), strict=True)
        ]
        return drawn("irreducible") + terms[0] + terms[1]
    return logistic_capability(
        compute,
        midpoint_log10=drawn("midpoint"),
        slope_per_oom=drawn("slope"),
        floor=0.0 if spec.floor is None else drawn("floor"),
        ceiling=1.0 if spec.ceiling is None else drawn("ceiling"),
    )


def gain_per_factor(
    log_compute: ArrayLike, *, log_reference: ArrayLike, log_gain: ArrayLike, log_factor: ArrayLike
) -> Array:
    """Compute a metric that rises by a gain with each factor of compute: gain^(log(C / C_ref) / log factor).

    1 at the reference; 0 far below and without bound (at last inf) far above, for a gain above 1.
    `log_compute` is (sample,) or (sample, year) and `log_reference` one or (sample,), log10 FLOP; `log_gain` is log10
    of the gain, `log_factor` of the factor that brings it (a doubling: log10 2). The result is the metric itself, in
    multiples of its value at the reference.

    >>> gain_per_factor(26 + np.log10([1, 40, 1600]), log_reference=26, log_gain=np.log10(2), log_factor=np.log10(40)
    ...                 ).round(6)
    array([1., 2., 4.])
    """
    compute, reference, gain, factor = aligned(log_compute, log_reference, log_gain, log_factor)
    with np.errstate(over="ignore"):
        return np.asarray(np.exp((compute - reference) * gain * (LN_10 / factor)), dtype=np.float64)


def power_law_loss(
    log_compute: ArrayLike, *, irreducible: ArrayLike, log_scale: ArrayLike, exponent: ArrayLike
) -> Array:
    """Compute a loss that falls as a power of compute, of parameters or of data: E + A C^-alpha.

    Limits: E far above, without bound (at last inf) far below. `log_compute` is (sample,) or (sample,
    year), log10 FLOP; `irreducible` E, `log_scale` log10 of A, and `exponent` alpha > 0, are one or
    (sample,). The result is the loss itself. Source of the form: Hoffmann et al. 2022, arXiv:2203.15556.

    >>> power_law_loss([20.0, 30.0], irreducible=1.7, log_scale=3.0, exponent=0.15).round(3)
    array([2.7  , 1.732])
    """
    compute, floor, scale, power = aligned(log_compute, irreducible, log_scale, exponent)
    with np.errstate(over="ignore"):
        return np.asarray(floor + np.exp((scale - power * compute) * LN_10), dtype=np.float64)


def logistic_capability(
    log_compute: ArrayLike,
    *,
    midpoint_log10: ArrayLike,
    slope_per_oom: ArrayLike,
    floor: ArrayLike = 0.0,
    ceiling: ArrayLike = 1.0,
) -> Array:
    """Compute a score that rises in an S: f + (c - f) / (1 + exp(-k (log10 C - m))).

    The floor far below the midpoint, the ceiling far above, half-way at it. `log_compute` is (sample,) or
    (sample, year) and `midpoint_log10` one or (sample,), log10 FLOP; the slope k is in log odds per OOM,
    floor and ceiling in the unit of the score. The result is the score itself.

    >>> logistic_capability([20.0, 26.0, 27.0], midpoint_log10=26, slope_per_oom=2.0, floor=0.25).round(3)
    array([0.25 , 0.625, 0.911])
    """
    compute, midpoint, slope, low, high = aligned(log_compute, midpoint_log10, slope_per_oom, floor, ceiling)
    return np.asarray(low + (high - low) * np.exp(-np.logaddexp(0.0, slope * (midpoint - compute))), dtype=np.float64)
