"""The path in closed form: against sums over a fine grid, against normal algebra, and on data that it made itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from simulator.history.model import path_at
from simulator.history.observations import known_at
from simulator.history.path import (
    PathPrior,
    fit_path,
    path_of,
    prior_covariance,
    records_from_record,
    records_from_runs,
)
from tests.hindcast.made_up_record import OBSERVED

ONE = PathPrior(0.5, 0.3, drift=(0.2,), damp=(0.8,), walk=(0.1,), scatter=(0.4,), nu=(4.0,))
TIMES = np.array([2012.3, 2012.9, 2013.5])
LEVELS = np.array([18.0, 18.9, 18.4])


def covariance(prior: PathPrior, steps: int) -> np.ndarray:
    _, drift, damp, walk, _ = prior.points[:1].T
    return prior_covariance(steps, prior.sd, drift, damp, walk)[0]


def test_the_prior_covariance_is_that_of_simulated_paths() -> None:
    rng, size, steps = np.random.default_rng(1), 200_000, 3
    level, mean = 2.0 * rng.standard_normal(size), 0.3 * rng.standard_normal(size)
    off, path = 0.2 * rng.standard_normal(size), [level]
    for _ in range(steps):
        path.append(path[-1] + mean + off + 0.1 * rng.standard_normal(size))
        off = 0.8 * off + 0.2 * np.sqrt(1 - 0.8**2) * rng.standard_normal(size)
    assert np.cov(path) == pytest.approx(covariance(ONE, steps), rel=0.02)


def test_normal_errors_give_the_normal_algebra_and_its_evidence() -> None:
    prior, errors = replace(ONE, nu=(1e7,)), np.array([0.0, 0.3, 0.9])
    fit = fit_path(TIMES, LEVELS, errors, prior=prior, first=2012, last=2014)
    before, reads = covariance(prior, 2), path_at(np.eye(3), TIMES, grid=fit.year).T
    mean = LEVELS[0] + 0.5 * np.arange(3)
    seen = reads @ before @ reads.T + np.diag(0.4**2 + errors**2)
    gain = before @ reads.T @ np.linalg.inv(seen)
    assert fit.mode[0] == pytest.approx(mean + gain @ (LEVELS - reads @ mean), abs=1e-5)
    assert fit.covariance[0] == pytest.approx(before - gain @ reads @ before, abs=1e-5)
    two = fit_path(TIMES, LEVELS, errors, prior=replace(prior, walk=(0.1, 0.2)), first=2012, last=2014)
    odds = [0.0, 0.0]
    for place, walk in enumerate((0.1, 0.2)):
        wide = covariance(replace(prior, walk=(walk,)), 2)
        seen = reads @ wide @ reads.T + np.diag(0.4**2 + errors**2)
        odds[place] = (
            stats.multivariate_normal(reads @ mean, seen).pdf(LEVELS) * walk * np.exp(-0.5 * (walk / 0.2) ** 2)
        )
    assert two.weight == pytest.approx(np.array(odds) / sum(odds), abs=1e-4)


def test_heavy_tails_come_near_to_a_sum_over_a_fine_grid() -> None:
    """Two unknowns, the level at the turns of two years, and Student errors; the last run is an outlier."""
    levels, times = np.array([18.0, 18.3, 18.2, 20.5]), np.array([2012.2, 2012.4, 2012.6, 2012.8])
    prior = replace(ONE, walk=(0.1, 0.4), scatter=(0.3, 0.8))
    fit = fit_path(times, levels, np.zeros(4), prior=prior, first=2012, last=2013)
    axes = np.linspace(13.0, 24.0, 551), np.linspace(13.0, 24.0, 551)
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    at_runs = path_at(points, times, grid=fit.year)
    weights, means = [], []
    for nu, _, _, walk, scatter in prior.points:
        before = covariance(replace(prior, walk=(walk,)), 1)
        density = stats.multivariate_normal(levels[0] + np.array([0.0, 0.5]), before).pdf(points)
        density *= np.prod(stats.t(nu).pdf((levels - at_runs) / scatter) / scatter, axis=-1)
        weights.append(density.sum() * walk * scatter * np.exp(-0.5 * ((walk / 0.2) ** 2 + (scatter / 0.6) ** 2)))
        means.append((density[..., None] * points).sum(axis=(0, 1)) / density.sum())
    brute = np.array(weights) / sum(weights)
    spread = np.sqrt(fit.weight @ fit.covariance[:, 0, 0])
    assert fit.weight == pytest.approx(brute, abs=0.01)
    assert fit.weight @ fit.mode == pytest.approx(brute @ np.array(means), abs=spread / 8)


def test_intervals_hold_the_path_of_data_that_the_model_made() -> None:
    rng, prior, inside = np.random.default_rng(3), PathPrior(0.48, 0.2, (0.1, 0.4), (0.9,), nu=(2.0, 8.0)), []
    for _ in range(25):
        nu, drift, damp, walk, scatter = (
            rng.choice(each) for each in (prior.nu, prior.drift, prior.damp, (0.1, 0.2), (0.25, 0.4))
        )
        hidden = prior_covariance(12, prior.sd, *(np.array([each]) for each in (drift, damp, walk)))[0]
        path = rng.multivariate_normal(18 + 0.48 * np.arange(13), hidden)
        times = np.sort(rng.uniform(2012, 2020, 40))
        levels = path_at(path, times, grid=np.arange(2012.0, 2025.0)) + scatter * rng.standard_t(nu, 40)
        drawn, _ = fit_path(times, levels, np.zeros(40), prior=prior, first=2012, last=2024).draw(1000, rng)
        low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
        inside.append((low <= path) & (path <= high))
    share = np.mean(inside, axis=0)[[4, 8, 12]]  # standard error 0.06 of a share of 0.9
    assert np.all((share > 0.72) & (share <= 1.0)), share


def test_records_are_the_largest_runs_about_the_path() -> None:
    """A path that is known: the record of a year is the maximum of Poisson many normals about it."""
    known = known_at(OBSERVED, 2018.0)
    sure = replace(ONE, sd=1e-6, drift=(0.0,), walk=(1e-5,), scatter=(1e-3,))
    fit = path_of(OBSERVED, known, np.full(OBSERVED.run_year.size, 1e-3), prior=sure, until=2019.0)
    flat = replace(fit, mode=np.zeros_like(fit.mode), covariance=1e-12 * np.tile(np.eye(fit.year.size), (1, 1, 1)))
    low = replace(known, record=-50.0)
    found = records_from_runs(flat, low, error=1.0, times=[2019.0], size=20_000, rng=np.random.default_rng(0))[0]
    rate = (known.run.sum() + 0.5) / 6.0  # Gamma(n + 1/2, years): P(no run above x) = (1 + tail / years)^-(n + 1/2)
    for level in (-0.5, 0.5, 1.5):
        below = (1 + stats.norm.sf(level) / 6.0) ** -(rate * 6.0)
        assert np.mean(found <= level) == pytest.approx(below, abs=0.012)
    high = records_from_runs(
        flat, replace(known, record=9.0), error=1.0, times=[2019.0], size=9, rng=np.random.default_rng(0)
    )
    assert np.all(high == 9.0)


def test_a_record_goes_on_with_the_growth_of_the_path_and_a_part_of_a_year_counts() -> None:
    known = known_at(OBSERVED, 2018.0)
    fit = path_of(OBSERVED, known, np.zeros(OBSERVED.run_year.size), prior=PathPrior(0.5, 0.3), until=2021.0)
    times = [2018.25, 2019.0, 2021.0]
    found = records_from_record(fit, known, times=times, size=4000, rng=np.random.default_rng(0))
    assert np.all(np.diff(found, axis=0) >= 0)
    assert found.min() == known.record
    assert np.median(found, axis=1) == pytest.approx(known.record + 0.6 * np.array([0.25, 1.0, 3.0]), abs=0.12)
    runs = records_from_runs(fit, known, error=0.0, times=times, size=4000, rng=np.random.default_rng(0))
    assert np.all(np.diff(runs, axis=0) >= 0)


def test_a_later_end_changes_no_earlier_year() -> None:
    known, errors = known_at(OBSERVED, 2018.0), np.zeros(OBSERVED.run_year.size)
    shorter, longer = (
        records_from_runs(
            path_of(OBSERVED, known, errors, prior=PathPrior(0.5, 0.3), until=times[-1]),
            known, error=0.0, times=times, size=300, rng=np.random.default_rng(0),
        )
        for times in ([2019.0, 2020.0], [2019.0, 2020.0, 2025.0])
    )  # fmt: skip
    assert shorter == pytest.approx(longer[:2], abs=1e-6)
