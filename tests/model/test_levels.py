"""Broken lines are what the equations of growth give, and paths between the years are those of the years."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from simulator.engine.plan import plan_of
from simulator.model.events import block_of
from simulator.model.growth import FAR_YEAR, regime_growth
from simulator.model.lines import Line
from simulator.model.projection import Paths, joined
from simulator.priors.draws import draw_blocks
from simulator.scenario.load import load_scenario, parse_scenario
from simulator.testing import run_of, scenario_text, small_scenario

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


def projected(quantities: dict[str, Any], **changes: Any) -> Paths:
    """Project a scenario with named quantities, in full precision."""
    text = scenario_text(small_scenario({"quantities": quantities, **changes}))
    plan = plan_of(parse_scenario(text).components)
    draws = draw_blocks(plan.components[0].joint, seed=3, blocks=range(1), size=SAMPLES, design="random")
    return plan.projections[0].project(block_of(plan.projections[0], draws, size=SAMPLES))


def of(value: float, unit: str, growth: Any = None) -> dict[str, Any]:
    """State a quantity that is a number at first."""
    return {"start": {"value": value, "unit": unit}, **({} if growth is None else {"growth": growth})}


FALLING = -0.4 / np.log(0.9)
AT_ONCE = {"rate": {"value": 0.6, "unit": "OOM/year"}, "half_life": "3 years"}
FLOW = {"accumulation": {"value": 0.02, "unit": "1/year/year"}, "start": {"value": 0.2, "unit": "1/year"}, "at": 2020}


@pytest.mark.parametrize(
    ("unit", "rate", "exact"),
    [
        ("OOM/year", of(0.4, "1/year"), lambda t: 0.4 * t),
        ("ln/year", of(40, "%/year"), lambda t: 0.4 * t / np.log(10)),
        ("%/year", {"product": [{"value": 60, "unit": "%/year"}, 0.5]}, lambda t: t * np.log10(1.3)),
        ("x/year", of(0.5, "1"), lambda t: -t * np.log10(2)),
        ("months/doubling", of(6, "months"), lambda t: 2 * t * np.log10(2)),
        ("x/2 years", of(9, "1"), lambda t: t * np.log10(3)),
        ("OOM/year", of(0.4, "1/year", "-10 %/year"), lambda t: FALLING * (1 - 0.9**t)),
        ("ln/year", {"product": ["half", of(0.8, "1/year", "-10 %/year")]},
         lambda t: FALLING * (1 - 0.9**t) / np.log(10)),
        ("years/doubling", of(1, "year", "20 %/year"), lambda t: np.log10(2) * (1 - 1.2**-t) / np.log(1.2)),
        ("x/year", of(2, "1", "-10 %/year"), lambda t: t * np.log10(2) + t**2 / 2 * np.log10(0.9)),
        ("%/year", of(0.3, "1/year", "-10 %/year"), lambda t: quad(lambda s: np.log10(1 + 0.3 * 0.9**s), 0, t)[0]),
        ("OOM/year", FLOW, lambda t: 0.3 * t + 0.01 * t**2),
        ("OOM/year", {"sum": [of(0.4, "1/year", "-10 %/year"), FLOW]},
         lambda t: FALLING * (1 - 0.9**t) + 0.3 * t + 0.01 * t**2),
        ("x/year", of(1, "1", [AT_ONCE]),
         lambda t: 1.8 / np.log(2) * (t - 3 / np.log(2) * (1 - 2 ** (-t / 3))) if t > 0 else 0.3 * t**2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("at", [2025, 2023.3, 2029.9])
def test_growth_may_follow_a_quantity(unit: str, rate: Any, exact: Callable[[float], float], at: float) -> None:
    """The level is the integral of the rate: of constant ones, of falling and rising ones, of stocks and of sums."""
    growth = {"quantity": rate, "unit": unit}
    paths = projected({"this": {**of(1, "1", growth), "at": at}, "half": 0.5})
    times = paths.projection.years
    found = [exact(t) - exact(at - 2025) for t in times - 2025]
    np.testing.assert_allclose(paths.levels["quantity_this"][0], found, rtol=0, atol=1e-8)


def test_eras_and_dates_of_each_sample_are_kept_to_the_day() -> None:
    """A rate of 0.4 falls by 10 % a year from a drawn date on; growth follows it from another, and half of it later."""
    dates = {
        name: {"uniform": [first, first + 2]} for name, first in (("falls", 2026), ("follows", 2027), ("half", 2030))
    }
    eras = [{"rate": "1.0x/year"}, {"from": {"input": "falls"}, "rate": "-10 %/year"}]
    growth = [{"rate": "2x/year"}, {"from": {"input": "follows"}, "rate": {"quantity": "rate", "unit": "OOM/year"}},
              {"from": {"input": "half"}, "times": 0.5}]  # fmt: skip
    slow = {**of(1, "1", growth), "caps": {"far": {"limit": 1e9}}}
    paths = projected(
        {"rate": of(0.4, "1/year", eras), "this": of(1, "1", growth), "slow": slow},
        inputs=dates,
        thresholds={"hundred": {"quantity": "this", "level": 100}},
    )
    falls, follows, half = (paths.block.draws[f"inputs.{name}"][:, None] - 2025 for name in dates)

    def integral(t: np.ndarray) -> np.ndarray:
        return 0.4 * np.minimum(t, falls) + FALLING * (1 - 0.9 ** np.maximum(t - falls, 0))

    def level(t: np.ndarray) -> np.ndarray:
        first, last = np.minimum(np.maximum(t, follows), half), np.maximum(t, half)
        full = integral(first) - integral(follows)
        return np.minimum(t, follows) * np.log10(2) + full + 0.5 * (integral(last) - integral(half))

    exact = level(paths.projection.years - 2025)
    for name in ("this", "slow"):
        np.testing.assert_allclose(paths.levels[f"quantity_{name}"], exact, rtol=0, atol=1e-10)
    samples, times = RNG.integers(SAMPLES, size=50), RNG.uniform(2025, 2035, 50)
    found = paths.at(["quantity_this"], np.zeros(50, dtype=int), samples, times)
    np.testing.assert_allclose(found, level(times - 2025)[samples, np.arange(50)], rtol=0, atol=1e-10)


def test_growth_that_follows_what_bends_is_the_same_between_the_years_and_in_pieces() -> None:
    """A share of a capped driver: what it gives at any time is its integral, by an adaptive rule."""
    share = {"product": [{"ratio": ["physical_compute", {"value": 1e27, "unit": "FLOP"}]}, {"input": "share"}]}
    caps = {"cap": {"kind": "logistic", "limit": {"value": 1e27, "unit": "FLOP"}}}
    paths = projected({"this": of(1, "1", {"quantity": share, "unit": "ln/year"})},
                      inputs={"share": {"uniform": [0.2, 0.6], "unit": "1/year"}}, **{"drivers.compute.caps": caps})  # fmt: skip
    draws, times = paths.block.draws, np.array([2027.3, 2031.01, 2034.97])

    def rate(t: float, sample: int) -> float:
        grown = draws["drivers.compute.start"][sample] + draws["drivers.compute.growth"][sample] * t - 27
        return 10 ** draws["inputs.share"][sample] * 365.25 * 86400 / (1 + 10**-grown)

    exact = [[quad(rate, 0, t - 2025, args=(sample,))[0] / np.log(10) for t in times] for sample in range(3)]
    samples = np.repeat(np.arange(3), 3)
    found = paths.at(["quantity_this"], np.zeros(9, dtype=int), samples, np.tile(times, 3))
    np.testing.assert_allclose(found, np.ravel(exact), rtol=0, atol=1e-7)
    pieces = [paths.block.taken(slice(start, start + 20), paths.projection.years) for start in (0, 20)]
    parts = joined([paths.projection.project(piece) for piece in pieces], ["quantity_this"])
    np.testing.assert_array_equal(parts.levels["quantity_this"], paths.levels["quantity_this"])
    again = parts.at(["quantity_this"], np.zeros(9, dtype=int), samples, np.tile(times, 3))
    np.testing.assert_array_equal(again, found)


def test_growth_that_follows_what_jumps_does_so_from_the_day_on() -> None:
    """A rate of 0.4 falls to a quarter in an event, and comes back in a year; another one leaps, at random times."""
    shock = {"probability": 0.6, "from": {"uniform": [2026, 2030]}, "for": "1.5 years",
             "effects": [{"on": "quantities.falls", "times": 0.25, "recovers": "1 year"},
                         {"name": "beside", "on": "quantities.by-leaps", "times": 1}]}  # fmt: skip
    leaps = {"start": {"value": 0.4, "unit": "1/year"}, "jumps": {"rate": "0.5/year", "size": 2}}
    rates = {"falls": of(0.4, "1/year"), "leaps": leaps}
    grown = {f"by-{name}": of(1, "1", {"quantity": name, "unit": "OOM/year"}) for name in rates}
    paths = projected(rates | grown, events={"shock": shock})
    block = paths.block
    times = np.tile([2026.3, 2028.01, 2030.97, 2034.9], SAMPLES)
    samples = np.repeat(np.arange(SAMPLES), 4)
    begin = block.draws["events.shock"][samples]
    back = 0.4 * (1 - 0.25) / np.log(4)  # the integral of 0.4 x 4^(t - 1) over the year
    last = np.clip(times - begin - 1.5, 0, 1)
    exact = 0.4 * (np.minimum(times, begin) - 2025) + 0.1 * np.clip(times - begin, 0, 1.5)
    exact += back * (4**last - 1) / 3 + 0.4 * np.maximum(times - begin - 2.5, 0)
    found = paths.at(["quantity_by_falls"], np.zeros(times.size, dtype=int), samples, times)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-7)
    come = np.stack([when for when, _ in block.jumps["quantities", "leaps", "jumps"]])[:, samples]
    assert (np.isfinite(come).sum(axis=0) > 4).any()
    come = np.sort(np.concatenate([[2025 + 0 * times], np.minimum(come, times), [times]]), axis=0)
    leapt = np.sum(0.4 * 2.0 ** np.arange(len(come) - 1)[:, None] * np.diff(come, axis=0), axis=0)
    found = paths.at(["quantity_by_leaps"], np.zeros(times.size, dtype=int), samples, times)
    np.testing.assert_allclose(found, leapt, rtol=0, atol=1e-8)
    pieces = [block.taken(slice(start, start + 20), paths.projection.years) for start in (0, 20)]
    parts = joined([paths.projection.project(piece) for piece in pieces], ["quantity_by_falls", "quantity_by_leaps"])
    for name, levels in parts.levels.items():
        np.testing.assert_array_equal(levels, paths.levels[name])
    again = parts.at(["quantity_by_leaps"], np.zeros(times.size, dtype=int), samples, times)
    np.testing.assert_array_equal(again, found)
