"""Broken lines are what the equations of growth give, and paths between the years are those of the years."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.engine.plan import plan_of
from simulator.model.growth import FAR_YEAR, regime_growth
from simulator.model.levels import Line
from simulator.priors.draws import draw_blocks
from simulator.scenario.load import load_scenario
from simulator.testing import run_of, small_scenario

RNG = np.random.default_rng(5)
SAMPLES = 40
TIMES = np.array([2015.0, 2024.25, 2026.0, 2031.5, 2060.0])


def drawn(base: float, regimes: int) -> tuple[Line, np.ndarray]:
    """Draw regimes, their dates in any order, and give them as lines and as the equation gives them."""
    start, rates = RNG.normal(size=SAMPLES), list(RNG.normal(size=(regimes, SAMPLES)))
    dates = [RNG.choice([*RNG.uniform(2018, 2050, SAMPLES), -np.inf, np.inf], SAMPLES) for _ in rates[1:]]
    line = Line.grown(start, since=2025.5, base=base, dates=dates, rates=rates)
    none = [None] * regimes
    exact = regime_growth(TIMES, base=base, starts=[-np.inf, *dates], rates=rates, half_lives=none, floors=none)
    return line, start[:, None] + exact


@pytest.mark.parametrize("base", [2010.0, 2025.5, 2040.0])
@pytest.mark.parametrize("regimes", [1, 2, 4])
def test_lines_are_the_integral_of_their_rates(base: float, regimes: int) -> None:
    line, exact = drawn(base, regimes)
    np.testing.assert_allclose(line.at(TIMES), exact, rtol=0, atol=1e-9)
    assert len(line.bends) == regimes - 1


def test_dates_that_never_come_change_no_bit() -> None:
    never = np.full(1, FAR_YEAR * 2)
    line = Line.grown(np.ones(1), since=2025.0, base=2025.0, dates=[never], rates=[np.full(1, 0.3), np.full(1, 9.0)])
    np.testing.assert_array_equal(line.at(TIMES), Line(2025.0, np.ones(1), np.full(1, 0.3)).at(TIMES))


def test_products_and_ratios_of_lines_are_lines() -> None:
    (one, first), (other, second) = drawn(2020.0, 3), drawn(2025.5, 2)
    still = Line(2025.5, np.full(1, 7.0))
    np.testing.assert_allclose(one.plus(other).at(TIMES), first + second, rtol=0, atol=1e-9)
    np.testing.assert_allclose(one.plus(other, -1.0).at(TIMES), first - second, rtol=0, atol=1e-9)
    np.testing.assert_allclose(still.plus(one, -1.0).at(TIMES), 7.0 - first, rtol=0, atol=1e-9)
    assert still.at(TIMES).shape == (1, TIMES.size)
    assert still.plus(still).slope is None


def test_samples_in_a_row_and_at_times_of_their_own() -> None:
    line, exact = drawn(2025.5, 3)
    np.testing.assert_array_equal(line.at(TIMES, slice(10, 20)), line.at(TIMES)[10:20])
    samples, place = RNG.integers(SAMPLES, size=90), RNG.integers(TIMES.size, size=90)
    found = line.at(TIMES[place][:, None], samples)
    np.testing.assert_allclose(found[:, 0], exact[samples, place], rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["baseline", "feedback", "tight-caps", "capability", "published/scaling-2030"])
def test_paths_between_the_years_meet_those_at_the_years(name: str) -> None:
    plan = plan_of(load_scenario(name).components)
    projection, joint = plan.projections[0], plan.components[0].joint
    block = projection.block(draw_blocks(joint, seed=3, blocks=range(1), size=200, design="random"))
    paths = projection.project(block)
    names = [each for each in ("spending", "physical_compute", "effective_compute") if each in paths.levels]
    which, sample, year = (RNG.integers(most, size=500) for most in (len(names), 200, plan.years.size))
    rows = [np.broadcast_to(paths.levels[each], (200, plan.years.size)) for each in names]
    exact = np.stack(rows)[which, sample, year]
    np.testing.assert_allclose(paths.at(names, which, sample, plan.years[year]), exact, rtol=0, atol=1e-9)


def test_a_rate_may_be_the_weighted_geometric_mean_of_drawn_ones() -> None:
    """Logs are averaged: 9x and 1x a year make 3x; weights are scaled; each part is a draw, an input one draw for all."""
    wide = {"interval_90": [3, 5], "unit": "x/year"}
    drivers = {
        "compute": {
            "start": {"value": 1e26, "unit": "FLOP"},
            "growth": [
                {"rate": {"mean_of": [{"input": "chips"}, wide], "weights": [1, 3]}},
                {"from": 2030, "times": 0.5},
            ],
        },
        "algorithms": {"growth": {"mean_of": ["9x/year", "1x/year"]}},
    }
    inputs = {"chips": {"interval_90": [1.2, 1.7], "unit": "x/year"}}
    run = run_of(small_scenario({"drivers": drivers, "inputs": inputs}))
    years = run["trajectories/year"].values - 2025
    np.testing.assert_allclose(run["trajectories/algorithms"].values[0], years * np.log10(3), atol=4e-6)
    chips, other = (run[f"parameters/drivers.compute.growth[0].rate.mean_of[{place}]"].values for place in (0, 1))
    np.testing.assert_array_equal(chips, run["parameters/inputs.chips"].values)
    rate = (0.25 * chips + 0.75 * other)[:, None]
    exact = 26 + rate * np.minimum(years, 5) + 0.5 * rate * np.maximum(years - 5, 0)
    np.testing.assert_allclose(run["trajectories/physical_compute"].values, exact, atol=4e-6)
