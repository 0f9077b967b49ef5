"""The path of frontier compute in closed form: a posterior without a sampler, and forecasts of the record from it.

On a yearly grid k = 0 .. K from the start of the first year on, f is log10 compute of a typical frontier run, and on
straight lines between. With z, z' standard normal:

    f[k+1] = f[k] + m + u[k] + walk z[k]          m ~ Normal(mean, sd)          f[0] ~ Normal(first run's level, 2)
    u[k+1] = damp u[k] + drift sqrt(1 - damp^2) z'[k]                           u[0] ~ Normal(0, drift)
    run i  ~ StudentT(nu, f(t_i), scale_i)        scale_i^2 = scatter^2 + error_i^2

so that before any run is seen f is normal, with S the lower triangle of ones below the diagonal (K + 1, K):

    covariance of f = 4 11' + S (sd^2 11' + walk^2 I + drift^2 damp^|i-j|) S'

Given (nu, drift, damp, walk, scatter) the mode of f comes by reweighted least squares. With H the matrix that reads f
at the times of the runs, K the covariance, r_i = y_i - f(t_i):

    w_i = (nu + 1) / (nu + (r_i / scale_i)^2)      A = K^-1 + H' diag(w / scale^2) H
    f = A^-1 (K^-1 mean + H' (w y / scale^2))      log evidence = log Student likelihood at f
                                                   - 1/2 (f - mean)' K^-1 (f - mean) - 1/2 log|K| - 1/2 log|A|

A is the curvature of weighted least squares; that of the likelihood itself may be no covariance. The unknowns of the
grid are summed over with weights evidence x prior. A draw is a point of the grid, then f ~ Normal(mode, A^-1), past and
future years at once. Errors as nu -> infinity are normal, and all this exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from simulator.history.forecast import largest_run
from simulator.history.model import path_at
from simulator.history.observations import Array, Known, Observations

FIRST_SPREAD: Final[float] = 2.0
"""OOM: the first run tells hardly where the frontier was; a run of its year differs by a few OOM."""
WALK_SCALE, SCATTER_SCALE = 0.2, 0.6
"""Scales of half-normal priors, OOM: own judgement. Half or twice as much walk scores the same within 4 %."""
ROUNDS: Final[int] = 12
"""Of reweighting, after which the mode moves by less than 0.001 OOM."""
RECORD_ERROR: Final[float] = 0.2
"""OOM by which the compute of the record is uncertain where a forecast goes on from it."""


@dataclass(frozen=True, slots=True)
class PathPrior:
    """What is believed of a path before runs are seen; those of several values are alike likely, or as half-normals.

    Damped trends (Gardner and McKenzie 1985) keep 0.8 to 0.98 of a year's deviation in the next. Degrees of freedom of
    2 let the variance be infinite, 8 are nearly normal.
    """

    mean: float  # of growth, OOM/year
    sd: float
    drift: tuple[float, ...] = (0.0,)  # OOM/year, of growth about its mean
    damp: tuple[float, ...] = (0.9,)  # the share of it that is left after a year
    walk: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)  # OOM; even in the logarithm, as is the scatter
    scatter: tuple[float, ...] = (0.15, 0.231, 0.356, 0.549, 0.845, 1.3)  # OOM
    nu: tuple[float, ...] = (2.0, 4.0, 8.0)

    @property
    def points(self) -> Array:
        """The grid (point, 5): nu, drift, damp, walk, scatter."""
        return np.array(list(itertools.product(self.nu, self.drift, self.damp, self.walk, self.scatter)))


DRIFTS: Final[tuple[float, ...]] = (0.1, 0.2, 0.4)
DAMPS: Final[tuple[float, ...]] = (0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class PathFit:
    """The posterior of a path: a mixture of normals over the points of the grid."""

    year: Array  # (year,), the grid
    weight: Array  # (point,)
    mode: Array  # (point, year), log10 FLOP
    covariance: Array  # (point, year, year)
    scatter: Array  # (point,), OOM

    def draw(self, size: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw paths (sample, year) and the scatter about each (sample,); a longer grid changes no earlier year."""
        chosen = rng.choice(self.weight.size, size, p=self.weight)
        normal = rng.standard_normal((self.year.size, size)).T
        factors = np.linalg.cholesky(self.covariance)
        return self.mode[chosen] + np.einsum("sij,sj->si", factors[chosen], normal), self.scatter[chosen]


def fit_path(times: Array, levels: Array, errors: Array, *, prior: PathPrior, first: float, last: float) -> PathFit:
    """Fit a path to runs: their decimal years, log10 FLOP and standard errors (OOM), on a grid of whole years.

    >>> times = np.arange(2012.5, 2020.0)
    >>> prior, levels = PathPrior(0.48, 0.36), 18 + 0.5 * (times - 2012)
    >>> fit = fit_path(times, levels, np.zeros(8), prior=prior, first=2012, last=2021)
    >>> bool(abs(fit.weight @ fit.mode[:, -1] - 22.5) < 0.05)
    True
    """
    year = np.arange(first, last + 1.0)
    nu, drift, damp, walk, scatter = prior.points.T
    mean = levels[np.argmin(times)] + prior.mean * (year - first)
    covariance = prior_covariance(year.size - 1, prior.sd, drift, damp, walk)
    inverse, reads = np.linalg.inv(covariance), path_at(np.eye(year.size), times, grid=year).T
    squares = (reads[:, :, None] * reads[:, None, :]).reshape(times.size, -1)
    scale, weight = np.hypot(scatter[:, None], errors), np.ones((nu.size, times.size))
    for _ in range(ROUNDS):
        precision = weight / scale**2
        curvature = inverse + (precision @ squares).reshape(inverse.shape)
        pulls = inverse @ mean + (precision * levels) @ reads
        mode = np.linalg.solve(curvature, pulls[..., None])[..., 0]
        residuals = (levels - mode @ reads.T) / scale
        weight = (nu[:, None] + 1) / (nu[:, None] + residuals**2)
    evidence = _student(residuals, nu[:, None], scale).sum(axis=1)
    away = mode - mean
    evidence -= 0.5 * np.einsum("pi,pij,pj->p", away, inverse, away)
    evidence -= 0.5 * (np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(curvature)[1])
    for values, width in ((walk, WALK_SCALE), (scatter, SCATTER_SCALE)):  # half-normal, on grids of the logarithm
        evidence += np.log(values) - 0.5 * (values / width) ** 2
    return PathFit(year, special.softmax(evidence), mode, np.linalg.inv(curvature), scatter)


def prior_covariance(steps: int, sd: float, drift: Array, damp: Array, walk: Array) -> Array:
    """Compute the covariance of a path over so many years (point, year, year) before runs are seen."""
    sums, place = np.tri(steps + 1, steps, -1), np.arange(steps)
    apart = np.abs(place[:, None] - place)
    growth = sd**2 + walk[:, None, None] ** 2 * np.eye(steps)
    growth = growth + drift[:, None, None] ** 2 * damp[:, None, None] ** apart
    return np.asarray(FIRST_SPREAD**2 + sums @ growth @ sums.T)


def _student(residuals: Array, nu: Array, scale: Array) -> Array:
    """Give the log density of a Student t at residuals in units of its scale."""
    norm = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    return np.asarray(norm - np.log(scale) - (nu + 1) / 2 * np.log1p(residuals**2 / nu))


def path_of(observations: Observations, known: Known, errors: Array, *, prior: PathPrior, until: float) -> PathFit:
    """Fit a path to the runs that were known at a date, up to a later one; `errors` are of every run (run,), OOM."""
    seen, first = known.run, observations.years[0]
    times, levels = observations.run_year[seen], observations.run_log_compute[seen]
    return fit_path(times, levels, errors[seen], prior=prior, first=first, last=np.ceil(until))


def records_from_runs(
    fit: PathFit, known: Known, *, error: float, times: Sequence[float], size: int, rng: np.random.Generator
) -> Array:
    """Forecast the record (time, sample) by the runs that come out about the path until each of some rising times.

    In d years Poisson(rate d) runs come out at uniform times, rate ~ Gamma(runs so far + 1/2, years so far). Each is
    f(t) + sqrt(scatter^2 + error^2) z: they are told with an error (OOM) too, and z is normal, for the heavy tail of
    the fit stands for estimates that are off, and not for ability. The record is the largest so far, the last known
    one included.
    """
    # One stream for the paths, one for the rate and one for each time: a later end changes no earlier year.
    of_paths, of_rate, *streams = rng.spawn(len(times) + 2)
    paths, scatter = fit.draw(size, of_paths)
    spread = np.hypot(scatter, error)
    rate = of_rate.gamma(known.run.sum() + 0.5, 1.0 / (known.date - fit.year[0]), size)
    record, records = np.full(size, known.record), []
    for start, end, stream in zip([known.date, *times], times, streams, strict=False):
        for low, high in _within_years(start, end):
            start_at, end_at = path_at(paths, np.array([low, high]), grid=fit.year).T
            largest = largest_run(start_at, end_at, rate=rate * (high - low), scatter=spread, rng=stream)
            record = np.maximum(record, largest)
        records.append(record)
    return np.array(records)


def _within_years(start: float, end: float) -> Iterator[tuple[float, float]]:
    """Cut a time at the turns of years, between which a path is straight."""
    return itertools.pairwise(np.unique([start, *np.arange(np.ceil(start), end), end]).tolist())


def records_from_record(
    fit: PathFit, known: Known, *, times: Sequence[float], size: int, rng: np.random.Generator
) -> Array:
    """Forecast the record (time, sample) as the last known one, with its error, that grows as the path does.

    record(t) = record + 0.2 z + f(t) - f(now), and the running maximum of that, from the last known record on.
    """
    of_paths, of_record = rng.spawn(2)
    paths, _ = fit.draw(size, of_paths)
    levels = path_at(paths, np.array([known.date, *times]), grid=fit.year)
    grown = known.record + RECORD_ERROR * of_record.standard_normal((size, 1)) + levels[:, 1:] - levels[:, :1]
    return np.asarray(np.maximum.accumulate(np.maximum(grown, known.record), axis=1).T)
