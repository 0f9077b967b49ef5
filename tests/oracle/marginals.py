"""What a prior states, read anew: its distribution in the units of a run, and how far the draws are from it.

A distribution is a grid of its quantiles at evenly spaced probabilities, so that units, truncation and mixtures are plain
operations on numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from tests.oracle.chance import normal
from tests.oracle.model import REGIME, Spec, converted
from tests.oracle.units import Array

GRID = (np.arange(4000) + 0.5) / 4000
STATED = {"uniform", "log-uniform", "triangular", "mixture", "mean"}
"""Keys beside quantiles that state a prior."""
KINDS = {"growth": "rate", "mean_of": "rate", **REGIME, "exponent": "plain", "jumps spread": "plain"} | dict.fromkeys(
    ("delay", "by", "life", "for", "recovers", "delays"), "years"
)
"""How the numbers of a prior are read by its key; others are levels."""
INTERVAL = re.compile(r"interval_([0-9.]+)")
Quantile = Callable[[Array], Array]


def priors(path: str, spec: Spec, key: str = "") -> Iterator[tuple[str, Spec, str]]:
    """Every uncertain prior below an entry: its path, its statement, and whether it is a level, a rate or a plain number."""
    if isinstance(spec, Mapping):
        key = str(spec.get("used as", key))
        if stated_points(spec) or spec.keys() & STATED:
            yield path, spec, KINDS.get(key, "level")
            return
        for name, below in spec.items():
            inside = f"{key} {name}" if key == "jumps" else key if key == "delays" else str(name)
            if name == "times" and not str(spec.get("on", "growth")).endswith("growth"):
                inside = "shift"
            yield from priors(f"{path}.{name}" if path else str(name), below, inside)
    elif isinstance(spec, list):
        for k, below in enumerate(spec):
            name = below.get("name", k) if isinstance(below, Mapping) else k
            yield from priors(f"{path}[{name}]", below, "exponent" if (key, k) == ("power", 1) else key)


def furthest(draws: Array, spec: Spec, kind: str) -> float:
    """Largest distance of the draws' distribution from the stated one, in standard errors at its median."""
    finite = np.sort(draws[np.isfinite(draws)])
    n, low, high = len(finite), np.zeros(len(finite)), np.zeros(len(finite))
    for weight, part in _parts(spec):
        bounds = _within_points if part.get("family") == "quantiles" else _exactly
        below, above = bounds(part, part.get("unit", spec.get("unit")), kind, finite)
        low, high = low + weight * below, high + weight * above
    rank = np.arange(n)
    apart = max(float(np.max(low - (rank + 1) / n)), float(np.max(rank / n - high)), 0.0)
    never = abs(1 - n / len(draws) - float(spec.get("never", 0.0)))
    return float(2 * max(apart, never) * np.sqrt(len(draws)))


def rank_error(both: Sequence[Array], rank: float) -> float:
    """How far Spearman's correlation of two priors' draws is from the stated one, in standard errors."""
    ranks = [np.argsort(np.argsort(draws)) for draws in both]
    return float(abs(np.corrcoef(ranks[0], ranks[1])[0, 1] - rank) / (1 - rank**2) * np.sqrt(len(ranks[0]) - 1))


def _parts(spec: Spec) -> list[tuple[float, Spec]]:
    if "mixture" not in spec:
        return [(1.0, spec)]
    total = sum(float(part["weight"]) for part in spec["mixture"])
    return [(float(part["weight"]) / total, part) for part in spec["mixture"]]


def _exactly(spec: Spec, unit: str | None, kind: str, at: Array) -> tuple[Array, Array]:
    """The share below numbers of a run, twice."""
    values = np.sort(converted(_grid(spec, unit, kind), unit, kind))
    share = np.interp(at, values, GRID, left=0, right=1)
    return share, share


def _within_points(spec: Spec, unit: str | None, kind: str, at: Array) -> tuple[Array, Array]:
    """The least and the greatest share below numbers of a run where only some quantiles are stated."""
    p, values = (np.array(column) for column in zip(*sorted(stated_points(spec).items()), strict=True))
    values = converted(values, unit, kind)
    k = np.searchsorted(values, at, side="right")
    return np.concatenate(([0.0], p))[k], np.concatenate((p, [1.0]))[np.searchsorted(values, at, side="left")]


def stated_points(spec: Spec) -> dict[float, float]:
    """Stated quantiles by probability."""
    found = {float(p): float(value) for p, value in (spec.get("quantiles") or {}).items()}
    if "median" in spec:
        found[0.5] = float(spec["median"])
    for key, ends in spec.items():
        if level := INTERVAL.fullmatch(str(key)):
            outside = (1 - float(level[1]) / 100) / 2
            found |= {outside: float(ends[0]), 1 - outside: float(ends[1])}
    return found


def _grid(spec: Spec, unit: str | None, kind: str) -> Array:
    """The grid of a prior; stated quantiles are those of what is left between its bounds."""
    quantile, stated = quantile_function(spec, unit, kind), stated_points(spec)
    low, high = _kept(quantile, spec)
    for _ in range(80 if stated and "truncated" in spec else 0):
        moved = {round(low + p * (high - low), 15): value for p, value in stated.items()}
        quantile = quantile_function({"family": spec.get("family"), "quantiles": moved}, unit, kind)
        low, high = _kept(quantile, spec)
    return quantile(low + GRID * (high - low))


def _kept(quantile: Quantile, spec: Spec) -> tuple[float, float]:
    """The probabilities below the bounds of a prior."""
    ends = []
    for bound, open_end in zip(spec.get("truncated") or (None, None), (0.0, 1.0), strict=True):
        low, high = 0.0, 1.0
        for _ in range(50 if bound is not None else 0):
            middle = (low + high) / 2
            low, high = (middle, high) if quantile(np.array(middle)) < float(bound) else (low, middle)
        ends.append(open_end if bound is None else low)
    return ends[0], ends[1]


def quantile_function(spec: Spec, unit: str | None, kind: str) -> Quantile:
    """The quantile function of a family, in the unit of the file."""
    if "uniform" in spec or "log-uniform" in spec:
        low, high = np.array(spec.get("uniform") or np.log(spec["log-uniform"]), dtype=float)
        return (lambda p: low + p * (high - low)) if "uniform" in spec else (lambda p: np.exp(low + p * (high - low)))
    if "triangular" in spec:
        return _triangular(*(float(corner) for corner in spec["triangular"]))
    if "mean" in spec:
        mean, sd = float(spec["mean"]), float(spec["sd"])
        return lambda p: mean + sd * normal(p)
    points = stated_points(spec)
    positive = kind in {"level", "years"} or (kind == "rate" and unit not in {"OOM/year", "%/year"})
    family = spec.get("family") or ("lognormal" if positive else "normal")
    if family == "metalog":
        return _metalog(points, float(spec["lower"]) if "lower" in spec else 0.0, spec.get("upper"))
    if family in {"normal", "lognormal"}:
        if family == "normal":
            return _two_piece(points)
        logs = _two_piece({p: float(np.log(value)) for p, value in points.items()})
        return lambda p: np.exp(logs(p))
    raise NotImplementedError(family)


def _triangular(low: float, mode: float, high: float) -> Quantile:
    def quantile(p: Array) -> Array:
        rising = low + np.sqrt(p * (high - low) * (mode - low))
        return np.where(p < (mode - low) / (high - low), rising, high - np.sqrt((1 - p) * (high - low) * (high - mode)))

    return quantile


def _metalog(points: dict[float, float], lower: float, upper: Spec) -> Quantile:
    """Keelin's metalog with a term for each point, on the log or the logit where it is bounded."""
    p = np.array(sorted(points))
    stated = np.array([points[key] for key in p])
    if upper is None:
        back, bent = lambda y: lower + np.exp(y), np.log(stated - lower)
    else:
        top = float(upper)
        back, bent = (
            lambda y: lower + (top - lower) / (1 + np.exp(-y)),
            np.log((stated - lower) / (top - stated)),
        )

    def terms(p: Array) -> Array:
        odds, centred = np.log(p / (1 - p)), p - 0.5
        return np.stack([np.ones_like(p), odds, centred * odds, centred], axis=-1)[..., : len(points)]

    weights = np.linalg.solve(terms(p), bent)
    return lambda p: back(terms(p) @ weights)


def _two_piece(points: dict[float, float]) -> Quantile:
    """Two half normals of different widths that join at the mode with one density; one normal where they are equal."""
    (p_low, low), *between, (p_high, high) = sorted(points.items())
    z_low, z_high = normal(np.array([p_low, p_high]))
    if not between:
        return lambda p: low + (high - low) * (normal(p) - z_low) / (z_high - z_low)
    ((p_middle, median),) = between

    def shape(p: Array, left: float) -> Array:
        under = left * normal(np.minimum(p / (2 * left), 0.5))
        return under + (1 - left) * normal(np.maximum(0.5 + (p - left) / (2 * (1 - left)), 0.5))

    least, most = 1e-6, 1 - 1e-6  # the share of the probability that lies left of the mode
    for _ in range(60):
        left = (least + most) / 2
        ends = shape(np.array([p_low, p_middle, p_high]), left)
        wider_below = (ends[1] - ends[0]) * (high - median) > (ends[2] - ends[1]) * (median - low)
        least, most = (least, left) if wider_below else (left, most)
    scale = (high - low) / float(ends[2] - ends[0])
    if abs(median - low - scale * float(ends[1] - ends[0])) > 1e-9 * abs(high - low):
        raise NotImplementedError("a middle value that no two half normals reach")
    return lambda p: median + scale * (shape(p, left) - ends[1])
