"""A truncated prior of which the stated numbers hold after the truncation.

A median, an interval, quantiles, a mean and a deviation are what a reader finds in the truncated prior. Parameters of
a family (shapes, a scale, the ends of a uniform) are those of the family that is cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import exp, inf, log

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from simulator.errors import number
from simulator.priors.composite import Truncated
from simulator.priors.fitting import family_name, fit_family, fit_statement
from simulator.priors.free_families import Quantiles
from simulator.schema.prior_families import SHIPPED, Distribution, FitError, Statement
from simulator.units import Array

_LEAST = 1e-15
"""Less than this beyond a bound is as nothing."""

_STEP, _CLOSE = 1e-5, 1e-11
"""The step over which slopes are measured, and the distance to a zero from which rounding may keep it."""


def fit_truncated(statement: Statement, lower: float, upper: float) -> Truncated:
    """Make the family that says what was stated once it is cut to lower..upper; FitError where none does.

    With the probabilities a below lower and b at or below upper, the stated point (p, x) of what is left is the point
    (a + p (b - a), x) of the family: a and b are those of the family through the points that they move.
    """
    base = fit_family(statement)
    cut = Truncated(base, lower, upper)
    if statement.points and statement.sd is None:
        x = np.array(statement.points)[:, 1]
        if not (np.all(x >= lower) and np.all(x <= upper)):
            outside = float(x[(x < lower) | (x > upper)][0])
            rule = f"cuts off {number(outside)}, which the prior states as one of its quantiles."
            raise FitError("truncated", rule, "Move the bounds, or state what holds between them.")
        through = _through_points if family_name(statement) in SHIPPED else _with_numbers
        return through(statement, cut)
    return cut if statement.sd is None else _with_moments(statement, cut)


def _through_points(statement: Statement, cut: Truncated) -> Truncated:
    """Fit a family through the points as they lie before the truncation.

    A free curve, whose normal tails may leave too much or too little between the last points and the bounds, is bent
    to the bounds instead.
    """
    p, x = np.array(statement.points).T
    ends = np.array([cut.lower, cut.upper])
    finite = np.isfinite(ends)
    named = replace(statement, family=family_name(statement), median=None, interval=None)

    def beyond(family: Distribution) -> Array:
        below, within = family.cdf(ends)
        return np.asarray(logit(np.clip(np.array([below, 1.0 - within]), _LEAST, 1.0 - _LEAST)[finite]))

    def moved(scores: Array) -> Distribution:
        outside = np.zeros(2)
        outside[finite] = expit(scores)
        if float(outside.sum()) >= 1.0 - 1e-9:
            raise ValueError("leaves nothing")
        at = (outside[0] + p * (1.0 - outside.sum())).tolist()
        return fit_statement(replace(named, quantiles=tuple(zip(at, x.tolist(), strict=True))))

    start = beyond(cut.base)
    if np.all(expit(start) <= 2 * _LEAST):
        return cut
    starts = (start + shift for shift in (0.0, 1.0, 3.0, -2.0))  # the family of the numbers as stated may lie far off
    tries = (_solved(lambda scores: beyond(moved(scores)) - scores, each) for each in starts)
    found = next((scores for scores in tries if scores is not None), None)
    result = None if found is None else Truncated(moved(found), cut.lower, cut.upper)
    if result is None and isinstance(cut.base, Quantiles) and cut.lower < x[0] < x[-1] < cut.upper:
        return replace(cut, base=replace(cut.base, lower=cut.lower, upper=cut.upper))
    if result is None or not np.allclose(result.ppf(p), x, rtol=1e-7, atol=1e-7 * float(x[-1] - x[0])):
        raise _refusal(statement, cut, _shown(statement))
    return result


def _with_numbers(statement: Statement, cut: Truncated) -> Truncated:
    """Move the stated numbers of an installed family, whose fit takes no others, until those of what is left fit."""
    p, x = np.array(statement.points).T
    spread = float(x[-1] - x[0]) or abs(float(x[0])) or 1.0

    def moved(scores: Array) -> Truncated:
        at = dict(zip(p.tolist(), (x + spread * scores).tolist(), strict=True))
        points = tuple(at.items()) if statement.quantiles else ()
        median = None if statement.median is None else at[0.5]
        interval = statement.interval
        if interval is not None:
            interval = (interval[0], at[0.5 - 0.5 * interval[0]], at[0.5 + 0.5 * interval[0]])
        return Truncated(
            fit_family(replace(statement, median=median, interval=interval, quantiles=points)), cut.lower, cut.upper
        )

    found = _solved(lambda scores: (moved(scores).ppf(p) - x) / spread, np.zeros(p.size))
    if found is None:
        raise _refusal(statement, cut, _shown(statement))
    return moved(found)


def _shown(statement: Statement) -> list[str]:
    return [f"{number(round(100 * at, 9))} % at {number(value)}" for at, value in statement.points]


def _with_moments(statement: Statement, cut: Truncated) -> Truncated:
    """Move the stated centre (mean or median) and deviation of a family until those that are left are the stated."""
    key = "median" if statement.mean is None else "mean"
    centre, sd = float(getattr(statement, key)), float(statement.sd or 0.0)

    def moved(scores: Array) -> Truncated:
        at = centre + float(scores[0]) * sd
        changed = replace(statement, mean=at) if key == "mean" else replace(statement, median=at)
        return Truncated(fit_family(replace(changed, sd=sd * exp(scores[1]))), cut.lower, cut.upper)

    def off(scores: Array) -> Array:
        left = moved(scores)
        mean, deviation = moments(left)
        middle = mean if key == "mean" else float(left.ppf(np.array([0.5]))[0])
        return np.array([(middle - centre) / sd, log(deviation / sd)])

    found = _solved(off, np.zeros(2))
    if found is None:
        raise _refusal(statement, cut, [f"{key} {number(centre)}", f"sd {number(sd)}"])
    return moved(found)


@cache
def _rule() -> tuple[Array, Array]:
    """Give nodes and weights of Gauss and Legendre's rule, on -1..1."""
    return np.polynomial.legendre.leggauss(256)


def moments(family: Truncated) -> tuple[float, float]:
    """Compute mean and standard deviation, over the normal scores of the family that is cut."""
    nodes, weights = _rule()
    low, high = ndtri(np.clip(family.probabilities, 1e-15, 1.0 - 1e-15))
    z = low + 0.5 * (high - low) * (nodes + 1.0)
    weights = weights * np.exp(-0.5 * z**2)
    weights /= weights.sum()
    x = np.clip(family.base.ppf(ndtr(z)), family.lower, family.upper)
    mean = float(weights @ x)
    return mean, float(np.sqrt(weights @ (x - mean) ** 2))


def _refusal(statement: Statement, cut: Truncated, stated: list[str]) -> FitError:
    ends = ", ".join("null" if abs(end) == inf else number(end) for end in (cut.lower, cut.upper))
    kept = float(np.diff(cut.probabilities)[0])
    said = f"no {family_name(statement)} that is cut to [{ends}] has {', '.join(stated)}."
    remedy = (
        f"Stated without the bounds, {100 * (1 - kept):.2g} % of it lies beyond them: move them outwards, or use "
        "family: metalog with lower and upper instead of bounds."
    )
    return FitError("truncated", said, remedy)


def _solved(function: Callable[[Array], Array], start: Array) -> Array | None:
    """Find a zero by Broyden's method; None where it finds none.

    A trial is a fit: what it says of the slopes is kept (Broyden 1965). They are measured anew only where a step comes
    no nearer, and then it is halved until it does.
    """

    def tried(x: Array) -> Array:
        try:
            with np.errstate(all="ignore"):
                value = function(x)
        except (FitError, ValueError, ArithmeticError, np.linalg.LinAlgError):
            return np.full(x.shape, np.inf)
        return np.where(np.isfinite(value), value, np.inf)

    def measured(x: Array, value: Array) -> Array:
        return np.stack([(tried(x + step) - value) / _STEP for step in _STEP * np.eye(x.size)], axis=1)

    x, value = start, tried(start)
    if not np.isfinite(value).all():
        return None
    slope, is_new = measured(x, value), True
    for _ in range(100):
        size = float(np.abs(value).max())
        if size < 1e-13 or not np.isfinite(slope).all() or abs(float(np.linalg.det(slope))) < 1e-12:
            break
        change = np.linalg.solve(slope, value)
        change *= min(1.0, 3.0 / float(np.abs(change).max()))
        for _ in range(30 if is_new and size > _CLOSE else 1):
            after = tried(x - change)
            if float(np.abs(after).max()) < size:
                break
            change = change / 2
        else:
            if is_new or size < _CLOSE:
                break
            slope, is_new = measured(x, value), True
            continue
        slope = slope - np.outer(after - value + slope @ change, change) / float(change @ change)
        x, value, is_new = x - change, after, False
    return x if float(np.abs(value).max()) < 1e-8 else None
