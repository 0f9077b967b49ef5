"""How each family is made from what is stated about one number.

`fitting.fit_family` checks a statement and calls the function that the record of its family names. Intervals are
equal-tailed and, like quantiles, matched exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, isfinite, log, sqrt

import numpy as np
from scipy import special

from simulator.errors import number
from simulator.priors import free_families
from simulator.priors.families import PERT, Beta, Gamma, Normal, SkewedNormal, StudentT, Triangular, Uniform
from simulator.schema.prior_families import Distribution, FitError, Points, Statement


def fit_centred(statement: Statement) -> Distribution:
    """Make a normal or lognormal, two-piece where the median is not central."""
    log_scale = statement.family == "lognormal"
    kind = free_families.LogNormal if log_scale else Normal
    if statement.sd is not None:
        return _from_moments(statement, statement.sd, log_scale=log_scale)
    points = statement.points
    z, y = _on_scale(points, log_scale=log_scale)
    if len(points) == 2:
        spread = (y[1] - y[0]) / (z[1] - z[0])
        centre = (y[0] * z[1] - y[1] * z[0]) / (z[1] - z[0])
        return kind(centre, spread)
    if len(points) > 3:
        raise FitError(
            "quantiles",
            f"a {'lognormal' if log_scale else 'normal'} goes through 2 or 3 quantiles; got {len(points)}.",
            "Use family: quantiles (a smooth curve through all of them) or family: metalog.",
        )
    below, above = (y[1] - y[0]) / (z[1] - z[0]), (y[2] - y[1]) / (z[2] - z[1])
    if abs(below - above) <= 1e-9 * max(below, above):
        spread = (y[2] - y[0]) / (z[2] - z[0])
        centre = y[1] - spread * z[1]
        return kind(centre, spread)
    return _two_piece(points, log_scale=log_scale, key="quantiles" if statement.quantiles else "interval")


def _from_moments(statement: Statement, sd: float, *, log_scale: bool) -> Distribution:
    if not log_scale:
        centre = statement.mean if statement.mean is not None else statement.median
        return Normal(float(centre if centre is not None else 0.0), sd)
    if statement.mean is not None:
        variance = np.log1p((sd / statement.mean) ** 2)
        return free_families.LogNormal(log(statement.mean) - 0.5 * float(variance), sqrt(variance))
    median = float(statement.median if statement.median is not None else 1.0)
    # sd^2 = median^2 w (w - 1) with w = exp(log_sd^2); w - 1 is kept to full precision for a small sd.
    square = 4 * (sd / median) ** 2
    excess = square / (2 * (1 + sqrt(1 + square)))
    return free_families.LogNormal(log(median), sqrt(float(np.log1p(excess))))


def _on_scale(points: Points, *, log_scale: bool) -> tuple[list[float], list[float]]:
    z = [float(special.ndtri(probability)) for probability, _ in points]
    return z, [log(value) if log_scale else float(value) for _, value in points]


def _standard_two_piece(share: float, probability: float) -> float:
    """Return the quantile of a two-piece normal with mode 0, width `share` below and 1 - share above."""
    if probability < share:
        return share * float(special.ndtri(probability / (2 * share)))
    return (share - 1) * float(special.ndtri((1 - probability) / (2 * (1 - share)))) if share < 1 else 0.0


def _half_width_ratio(share: float, probabilities: tuple[float, ...]) -> float:
    low, middle, high = (_standard_two_piece(share, probability) for probability in probabilities)
    return (high - middle) / (middle - low)


def within_reach(points: Points, *, log_scale: bool) -> bool:
    """Tell whether a two-piece normal, of x or ln x, goes through three points."""
    _, ratio, least, most = _lopsided(points, log_scale=log_scale)
    return least < ratio < most


def _lopsided(points: Points, *, log_scale: bool) -> tuple[list[float], float, float, float]:
    """Give three points on their scale, the upper part over the lower, and the least and most that it can be."""
    _, y = _on_scale(points, log_scale=log_scale)
    probabilities = tuple(probability for probability, _ in points)
    least, most = (_half_width_ratio(share, probabilities) for share in (1.0, 0.0))
    return y, (y[2] - y[1]) / (y[1] - y[0]), least, most


def _two_piece(points: Points, *, log_scale: bool, key: str) -> Distribution:
    """Return the two-piece normal, of x or ln x, through three points."""
    y, ratio, least, most = _lopsided(points, log_scale=log_scale)
    if not least < ratio < most:
        ends = sorted(y[0] + (y[2] - y[0]) / (1 + r) for r in (least, most))
        low, high = (exp(end) if log_scale else end for end in ends)
        shown = ", ".join(f"{number(value)} at {number(round(p, 12))}" for p, value in points)
        kind, scale = ("lognormal", " on the log scale") if log_scale else ("normal", "")
        raise FitError(
            key,
            f"too lopsided for a two-piece {kind}: {shown}. The upper part is {ratio:.3g} times the lower{scale}; "
            f"it can be {least:.3g} to {most:.3g} times.",
            f"Move the middle value to between {low:.4g} and {high:.4g}, or use family: metalog or family: quantiles.",
        )
    probabilities = tuple(probability for probability, _ in points)
    share = _root(lambda s: _half_width_ratio(s, probabilities) - ratio, 0.0, 1.0)
    low, middle, high = (_standard_two_piece(share, probability) for probability in probabilities)
    width = (y[2] - y[0]) / (high - low)
    family = free_families.SkewedLogNormal if log_scale else SkewedNormal
    return family(y[1] - width * middle, width * share, width * (1 - share))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the zero of a monotone function between low and high, to the last bits, by halving."""
    rising = function(high) > 0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if (function(middle) > 0) == rising:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


def fit_skewed(statement: Statement) -> Distribution:
    """Make a two-piece normal, of x or of ln x."""
    points, key = statement.points, "quantiles" if statement.quantiles else "interval"
    if len(points) != 3:
        raise FitError(key, f"a two-piece family needs 3 quantiles; got {len(points)}.", "State three of them.")
    return _two_piece(points, log_scale=statement.family == "skewed-lognormal", key=key)


def fit_uniform(statement: Statement) -> Distribution:
    """Make a uniform, of x or of ln x."""
    log_scale = statement.family == "log-uniform"
    if not statement.points:
        lower, upper = statement.parameters["lower"], statement.parameters["upper"]
    else:
        (first, low), (last, high) = statement.points
        low, high = (log(low), log(high)) if log_scale else (low, high)
        lower = low - first * (high - low) / (last - first)
        upper = high + (1 - last) * (high - low) / (last - first)
        lower, upper = (exp(lower), exp(upper)) if log_scale else (lower, upper)
    return free_families.LogUniform(lower, upper) if log_scale else Uniform(lower, upper)


def fit_peaked(statement: Statement) -> Distribution:
    """Make a triangular or a PERT."""
    kind = PERT if statement.family == "pert" else Triangular
    return kind(statement.parameters["lower"], statement.parameters["mode"], statement.parameters["upper"])


def fit_beta(statement: Statement) -> Distribution:
    """Make a beta on its bounds."""
    lower, upper = statement.parameters.get("lower", 0.0), statement.parameters.get("upper", 1.0)
    bounds = f"{number(lower)} and {number(upper)}"
    if "alpha" in statement.parameters:
        return Beta(statement.parameters["alpha"], statement.parameters["beta"], lower, upper)
    _ = Beta(1.0, 1.0, lower, upper)  # refuses reversed bounds before they are used
    if statement.mean is not None and statement.sd is not None:
        mean, variance = (statement.mean - lower) / (upper - lower), (statement.sd / (upper - lower)) ** 2
        if not 0 < mean < 1:
            raise FitError("mean", f"must lie between {bounds}; got {number(statement.mean)}.", "Move it inside.")
        if variance >= mean * (1 - mean):
            most = sqrt(mean * (1 - mean)) * (upper - lower)
            between = f"values between {bounds} with mean {number(statement.mean)}"
            raise FitError("sd", f"must be below {most:.4g} for {between}; got {number(statement.sd)}.", "Lower it.")
        total = mean * (1 - mean) / variance - 1
        return Beta(mean * total, (1 - mean) * total, lower, upper)
    (first, low), (last, high) = statement.points
    if not lower < low < high < upper:
        shown = f"[{number(low)}, {number(high)}]"
        raise FitError(
            "interval", f"must lie between {bounds}; got {shown}.", "Move it inside, or state lower and upper."
        )
    shares = [(value - lower) / (upper - lower) for value in (low, high)]

    def alpha_beta(log_total: float) -> tuple[float, float]:
        total = exp(log_total)

        def excess(logit: float) -> float:
            mean = float(special.expit(logit))
            return float(special.betainc(mean * total, (1 - mean) * total, shares[0])) - first

        mean = float(special.expit(_root(excess, -30.0, 30.0)))
        return mean * total, (1 - mean) * total

    alpha, beta = alpha_beta(
        _root(lambda log_total: float(special.betainc(*alpha_beta(log_total), shares[1])) - last, -5.0, 18.0)
    )
    return _confirmed(Beta(alpha, beta, lower, upper), statement.points, name="beta")


def fit_gamma(statement: Statement) -> Distribution:
    """Make a gamma."""
    if "shape" in statement.parameters:
        return Gamma(statement.parameters["shape"], statement.parameters["scale"])
    if statement.mean is not None and statement.sd is not None:
        return Gamma((statement.mean / statement.sd) ** 2, statement.sd**2 / statement.mean)
    (first, low), (last, high) = statement.points

    def log_ratio(log_shape: float) -> float:
        ends = special.gammaincinv(exp(log_shape), [first, last])
        return float(np.log(ends[1]) - np.log(ends[0])) - log(high / low)

    shape = exp(_root(log_ratio, log(0.02), log(1e10)))
    return _confirmed(Gamma(shape, high / float(special.gammaincinv(shape, last))), statement.points, name="gamma")


def _confirmed(family: Distribution, points: Points, *, name: str) -> Distribution:
    """Return the family, or refuse it where the search did not reach the stated interval."""
    found = family.ppf(np.array([probability for probability, _ in points]))
    if np.allclose(found, [value for _, value in points], rtol=1e-9, atol=0):
        return family
    shown = f"[{number(points[0][1])}, {number(points[-1][1])}]"
    raise FitError("interval", f"no {name} has the interval {shown}.", "Use family: lognormal or family: quantiles.")


def fit_student(statement: Statement) -> Distribution:
    """Make a Student t, of x or of ln x."""
    log_scale = statement.family == "log-student-t"
    df = statement.parameters["df"]
    if not statement.points:
        return StudentT(df, statement.parameters["location"], statement.parameters["scale"])
    if df <= 0:
        raise FitError("df", f"must be above 0; got {number(df)}.", "1 is Cauchy; above 30 it is nearly a normal.")
    scores = [float(special.stdtrit(df, probability)) for probability, _ in statement.points]
    y = [log(value) if log_scale else value for _, value in statement.points]
    scale = (y[-1] - y[0]) / (scores[-1] - scores[0])
    middle = y[0] - scale * scores[0]
    if len(y) == 3:
        centre = middle + scale * scores[1]
        if abs(y[1] - centre) > 1e-9 * (y[2] - y[0]):
            raise FitError(
                "median",
                f"a {statement.family} is symmetric{' on the log scale' if log_scale else ''}: the median of "
                f"this interval is {exp(centre) if log_scale else centre:.10g}; got {number(statement.points[1][1])}.",
                "Leave the median out, or use family: metalog or family: quantiles.",
            )
    return free_families.LogStudentT(df, middle, scale) if log_scale else StudentT(df, middle, scale)


def fit_metalog(statement: Statement) -> Distribution:
    """Make the metalog of as many terms as there are quantiles."""
    points, key = statement.points, "quantiles" if statement.quantiles else "interval"
    if (terms := len(points)) < 3:
        rule = f"a metalog of {terms} terms needs as many quantiles, at least 3; got {terms}."
        raise FitError(key, rule, "State one quantile for each term.")
    positive = statement.positive and "upper" not in statement.parameters
    lower = statement.parameters.get("lower", 0.0 if positive else -np.inf)
    upper = statement.parameters.get("upper", np.inf)
    if not lower < points[0][1] < points[-1][1] < upper:
        shown = f"{number(points[0][1])} to {number(points[-1][1])}"
        rule = f"the values must lie between {number(lower)} and {number(upper)}; got {shown}."
        raise FitError(key, rule, "Move the bounds outwards.")
    matrix, level = [], []
    for probability, value in points:
        logit = float(special.logit(probability))
        powers = (free_families.metalog_term(term) for term in range(terms))
        matrix.append([(probability - 0.5) ** power * (logit if of_logit else 1.0) for power, of_logit in powers])
        above = log(value - lower) if isfinite(lower) else 0.0
        under = log(upper - value) if isfinite(upper) else 0.0
        level.append(above - under if isfinite(lower) or isfinite(upper) else value)
    coefficients = np.linalg.solve(np.array(matrix), np.array(level))
    try:
        return free_families.Metalog(tuple(coefficients.tolist()), lower, upper)
    except ValueError as error:
        rule = f"no metalog goes through these {len(points)} points and rises everywhere."
        remedy = "Move the points closer to evenly spread, change the bounds, or use family: quantiles."
        raise FitError(key, rule, remedy) from error


def fit_quantiles(statement: Statement) -> Distribution:
    """Join the quantiles by a curve; of logs, for a positive quantity."""
    points = statement.points
    log_scale = statement.positive and all(value > 0 for _, value in points)
    return free_families.Quantiles(tuple(p for p, _ in points), tuple(value for _, value in points), log=log_scale)
