"""A prior family: the half normal, above 0, densest there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from simulator.schema.prior_families import FitError, PriorFamily, Statement
from simulator.units import Array


@dataclass(frozen=True)
class HalfNormal:
    """The absolute value of a normal with mean 0 and standard deviation `sigma`."""

    sigma: float

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, math.inf

    def ppf(self, u: Array) -> Array:
        return np.asarray(self.sigma * ndtri(0.5 + 0.5 * u))

    def cdf(self, x: Array) -> Array:
        return np.asarray(np.where(x > 0.0, 2.0 * ndtr(x / self.sigma) - 1.0, 0.0))

    def logpdf(self, x: Array) -> Array:
        z = np.asarray(x) / self.sigma
        return np.where(z >= 0.0, 0.5 * math.log(2.0 / math.pi) - math.log(self.sigma) - 0.5 * z * z, -np.inf)


def fit(statement: Statement) -> HalfNormal:
    """Make the half normal of a width, or of a median."""
    if statement.median is not None:
        return HalfNormal(statement.median / float(ndtri(0.75)))
    sigma = float(statement.parameters["sigma"])
    if sigma <= 0.0:
        raise FitError("sigma", f"must be above 0; got {sigma:g}.", "Write a positive width.")
    return HalfNormal(sigma)


FAMILY = PriorFamily(
    "half-normal",
    "half normal",
    (("sigma",), ("median",)),
    fit,
    HalfNormal,
    keys={"sigma": "Width of a half-normal prior."},
    positive=True,
)
