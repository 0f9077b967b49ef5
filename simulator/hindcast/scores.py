"""Scores of forecasts that are samples: how near, how well calibrated, how sharp.

All take draws of the forecast (..., sample) and what came (...), in one unit, and give an array (...). Samples and
observations may be +inf, "not by the horizon", as crossing years are. Then a horizon must be given, and everything
later than it counts as one: the score is that of min(x, horizon), which is a proper score of what can be known by
then. All but coverage and PIT are losses: smaller is better. All refuse (InputError) what is not a number, or is
infinite where no horizon is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.errors import InputError

type Array = NDArray[np.float64]

PINBALL_LEVELS: Final[tuple[float, ...]] = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
INTERVAL_LEVELS: Final[tuple[float, ...]] = (0.5, 0.8, 0.9)


def crps(samples: ArrayLike, observed: ArrayLike, *, horizon: float | None = None) -> Array:
    """Compute the continuous ranked probability score, the integral of (F(x) - [observed <= x])^2.

    It is in the unit of the samples; the absolute error where the forecast is one number. Of M samples in order it is
    2 / M^2 times the sum of |x_m - observed| by m - 1/2 where x_m <= observed, else by M - m + 1/2 (Laio and Tamea
    2007), as in scoringrules, whose import takes three seconds of processor where numba is installed.

    >>> crps([1.0, 1.0], 3.0).round(12).item()
    2.0
    >>> crps([2030.0, float("inf")], float("inf"), horizon=2045.0).item()
    3.75
    """
    draws, came = _censored(samples, observed, horizon=horizon)
    draws, came, size = np.sort(draws, axis=-1), came[..., None], draws.shape[-1]
    below = np.arange(1, size + 1) - 0.5
    weighted = np.where(draws <= came, below, size - below) * np.abs(draws - came)
    return np.asarray(2 * (weighted.sum(axis=-1) / size**2))


def pinball(
    samples: ArrayLike,
    observed: ArrayLike,
    *,
    levels: Sequence[float] = PINBALL_LEVELS,
    horizon: float | None = None,
) -> Array:
    """Compute the mean pinball loss over quantile levels.

    loss = level (observed - q) where observed >= q, else (1 - level) (q - observed).

    >>> pinball([1.0, 1.0], 3.0, levels=[0.9]).round(12).item()
    1.8
    """
    draws, came = _censored(samples, observed, horizon=horizon)
    quantiles = np.quantile(draws, levels, axis=-1)
    losses = [((came < each) - level) * (each - came) for level, each in zip(levels, quantiles, strict=True)]
    return np.asarray(np.mean(losses, axis=0))


def interval_score(
    samples: ArrayLike,
    observed: ArrayLike,
    *,
    levels: Sequence[float] = INTERVAL_LEVELS,
    horizon: float | None = None,
) -> Array:
    """Compute the weighted interval score of the median and K central intervals.

    WIS = (|observed - median| / 2 + sum of alpha/2 IS_alpha) / (K + 1/2), with alpha = 1 - level and
    IS_alpha = width + 2/alpha (distance outside the interval) (Bracher et al. 2021).

    >>> interval_score([1.0, 1.0], 3.0).round(12).item()
    2.0
    """
    draws, came = _censored(samples, observed, horizon=horizon)
    total = np.abs(came - np.median(draws, axis=-1)) / 2
    for level in levels:
        alpha = 1.0 - level
        low, high = np.quantile(draws, [alpha / 2, 1 - alpha / 2], axis=-1)
        outside = np.maximum(np.maximum(low - came, came - high), 0.0)
        total = total + alpha / 2 * (high - low + 2 / alpha * outside)
    return np.asarray(total / (len(levels) + 0.5))


def log_score(samples: ArrayLike, observed: ArrayLike, *, horizon: float | None = None) -> Array:
    """Compute minus the natural log of the forecast's density at what came.

    The density is a sum of normal kernels (Silverman's bandwidth). Where what came is later than the horizon, it is
    minus the log of the share of samples that are, counted as (k + 1/2) / (n + 1) so that it stays finite; before
    it, the density of the samples before it times their share. Samples that are all equal have none and are refused.

    >>> import numpy as np
    >>> log_score([2030.0, np.inf, np.inf], np.inf, horizon=2045.0).round(3).item()  # -log(2.5 / 4)
    0.47
    """
    draws, came = _censored(samples, observed, horizon=horizon)
    shape = came.shape
    flat = [
        _log_score(each, float(value), horizon=np.inf if horizon is None else horizon)
        for each, value in zip(draws.reshape(-1, draws.shape[-1]), came.ravel(), strict=True)
    ]
    return np.array(flat).reshape(shape)


def _log_score(draws: Array, came: float, *, horizon: float) -> float:
    from scipy.special import logsumexp

    before = draws[draws < horizon]
    share = (draws.size - before.size + 0.5) / (draws.size + 1)
    if came >= horizon:
        return float(-np.log(share))
    if before.size == 0 or np.ptp(before) == 0:
        raise InputError(
            "log score: the samples must spread to have a density; all that are before the horizon are equal. "
            "Take the CRPS, which needs none."
        )
    low, high = np.quantile(before, [0.25, 0.75])
    spreads = [spread for spread in (before.std(ddof=1), (high - low) / 1.34) if spread > 0]
    width = 1.06 * min(spreads) * before.size**-0.2
    # By the log of sums: scoringrules gives infinity where every kernel is far away.
    log_density = float(logsumexp(-0.5 * ((came - before) / width) ** 2))
    loss = float(np.log(before.size * width * np.sqrt(2 * np.pi))) - log_density
    return loss - float(np.log1p(-share)) if np.isfinite(horizon) else loss


def pit(samples: ArrayLike, observed: ArrayLike, *, horizon: float | None = None) -> Array:
    """Compute the probability integral transform: the share of samples below what came, 0 to 1.

    Samples equal to it count half, so that what lies beyond the horizon stands in the middle of its range. Of a
    calibrated forecast these are spread evenly over 0 to 1.

    >>> pit([1.0, 2.0, 3.0, 4.0], 2.0).item()
    0.375
    """
    draws, came = _censored(samples, observed, horizon=horizon)
    below, equal = draws < came[..., None], draws == came[..., None]
    return np.asarray(np.mean(below + 0.5 * equal, axis=-1))


def covered(
    samples: ArrayLike, observed: ArrayLike, *, level: float, horizon: float | None = None
) -> NDArray[np.bool_]:
    """Say whether what came lies in the central interval of a level: equal-tailed, its ends belong to it.

    >>> covered([1.0, 2.0, 3.0], 2.9, level=0.5).item()
    False
    """
    draws, came = _censored(samples, observed, horizon=horizon)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=-1)
    return np.asarray((low <= came) & (came <= high))


def brier(probability: ArrayLike, happened: ArrayLike) -> Array:
    """Compute the Brier score of probabilities (0 to 1) of events: (probability - [happened])^2.

    >>> brier([0.7, 0.7], [True, False]).round(2).tolist()
    [0.09, 0.49]
    """
    forecast = np.asarray(probability, dtype=np.float64)
    if not np.all((forecast >= 0) & (forecast <= 1)):
        raise InputError("Brier score: a probability must lie between 0 and 1. Divide percentages by 100.")
    return np.asarray((forecast - np.asarray(happened, dtype=np.float64)) ** 2)


def _censored(samples: ArrayLike, observed: ArrayLike, *, horizon: float | None) -> tuple[Array, Array]:
    """Bring samples (..., sample) and what came (...) under the horizon, as one shape."""
    draws, came = np.asarray(samples, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    if np.isnan(draws).any() or np.isnan(came).any():
        raise InputError("score: a forecast or an observation is not a number. Leave out what is not known.")
    if horizon is not None:
        draws, came = np.minimum(draws, horizon), np.minimum(came, horizon)
    if not (np.isfinite(draws).all() and np.isfinite(came).all()):
        raise InputError(
            "score: a forecast or an observation is infinite (not by the horizon), and no horizon is given. "
            "Give horizon=, the last year of the run: later than it then counts as one."
        )
    shape = np.broadcast_shapes(draws.shape[:-1], came.shape)
    return np.broadcast_to(draws, (*shape, draws.shape[-1])), np.broadcast_to(came, shape)


def level_scores(samples: Array, observed: float) -> dict[str, Any]:
    """Score draws (sample,) of a level at what came, by every rule that needs no spread."""
    return {
        "crps": float(crps(samples, observed)),
        "pinball": float(pinball(samples, observed)),
        "interval_score": float(interval_score(samples, observed)),
        "pit": float(pit(samples, observed)),
        **{f"inside_{100 * level:.0f}": bool(covered(samples, observed, level=level)) for level in INTERVAL_LEVELS},
    }
