"""Eras that begin with an event, against the date that arithmetic gives in each sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulator.testing import run_of, small_scenario

YEARS = np.arange(11.0)
DRAWN = {"uniform": [0.5, 1.5], "unit": "OOM/year"}
FIRST = {"value": 1, "unit": "OOM/year"}
THEN = {"value": 0.1, "unit": "OOM/year"}


def spending(growth: Any, **changes: Any) -> tuple[np.ndarray, Any]:
    """Give log10 of spending, from $100 million on, (sample, year); and the run."""
    drivers = {
        "spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": growth},
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "10x/year"},
        "algorithms": {"growth": "10x/year"},
    }
    run = run_of(small_scenario({"drivers": drivers, "samples": 16, **changes}))
    return np.asarray(run["trajectories/spending"].values, dtype=float), run


def turned(date: Any, rate: Any = 1.0, later: float = 0.1) -> np.ndarray:
    """Give a level that grows at one rate until a date, and at another from then on."""
    date, rate = np.reshape(date, (-1, 1)), np.reshape(rate, (-1, 1))
    return 8 + rate * np.minimum(YEARS, date) + later * np.maximum(YEARS - date, 0.0)


def test_growth_slows_on_the_day_that_a_run_costs_so_much() -> None:
    growth = [{"rate": DRAWN}, {"from": {"when": "spending", "reaches": "$4 billion"}, "rate": THEN}]
    found, run = spending(growth)
    rate = run["parameters/drivers.spending.growth[0].rate"].values
    np.testing.assert_allclose(found, turned(np.log10(40) / rate, rate), atol=3e-6)


def test_a_level_that_is_drawn_is_each_samples_own() -> None:
    level = {"uniform": [1e9, 1e11], "unit": "USD"}
    growth = [{"rate": FIRST}, {"from": {"when": "spending", "reaches": level}, "rate": THEN}]
    found, run = spending(growth)
    reached = run["parameters/drivers.spending.growth[1].from.reaches"].values
    np.testing.assert_allclose(found, turned(reached - 8), atol=3e-6)


def test_a_threshold_on_what_depends_on_the_era_begins_it_after_its_delay() -> None:
    """Effective compute is 1e26 and grows by 3 OOM a year: 1e29 in 2026, and a year and a half of delay."""
    growth = [{"rate": FIRST}, {"from": {"threshold": "far"}, "rate": THEN}]
    far = {"effective_compute": 1e29, "delay": "1.5 years"}
    found, run = spending(growth, thresholds={"far": far})
    np.testing.assert_allclose(found, np.broadcast_to(turned(2.5), found.shape), atol=3e-6)
    np.testing.assert_allclose(run["crossings/crossing_year"].values, 2027.5, atol=1e-6)


def test_eras_after_an_event_wait_for_it_and_one_that_does_not_come_begins_none() -> None:
    later = {"from": 2026, "rate": {"value": 0.5, "unit": "OOM/year"}}
    growth = [{"rate": FIRST}, {"from": {"when": "spending", "reaches": "$100 billion"}, "rate": THEN}, later]
    np.testing.assert_allclose(spending(growth)[0], np.broadcast_to(turned(3, later=0.5), (16, 11)), atol=3e-6)
    growth[1] = {"from": {"when": "spending", "reaches": {"value": 1e30, "unit": "USD"}}, "rate": THEN}
    np.testing.assert_allclose(spending(growth)[0], np.broadcast_to(8 + YEARS, (16, 11)), atol=3e-6)
    growth[1] = {"from": {"when": "spending", "reaches": "$1 million"}, "rate": THEN}
    there = 8 + 0.1 * np.minimum(YEARS, 1) + 0.5 * np.maximum(YEARS - 1, 0)
    np.testing.assert_allclose(spending(growth)[0], np.broadcast_to(there, (16, 11)), atol=3e-6)


def test_an_event_of_one_driver_moves_that_of_another() -> None:
    """Spending slows at $1 billion, in 2026; hardware at 1e30 FLOP, which spending then delays to 1e28 x 10^(1.1 t)."""
    drivers = {
        "spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": [
            {"rate": FIRST}, {"from": {"when": "spending", "reaches": "$1 billion"}, "rate": THEN}]},
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": [
            {"rate": FIRST}, {"from": {"when": "physical_compute", "reaches": {"value": 1e30, "unit": "FLOP"}}, "rate": THEN}]},
    }  # fmt: skip
    run = run_of(small_scenario({"drivers": drivers, "samples": 1}))
    date = 1 + 2 / 1.1
    exact = 18 + np.minimum(YEARS, date) + 0.1 * np.maximum(YEARS - date, 0)
    np.testing.assert_allclose(run["trajectories/hardware"].values[0], exact, atol=3e-6)


@pytest.mark.parametrize("step", ["year", "quarter"])
def test_with_feedback_the_date_is_that_of_the_path_that_is_bent(step: str) -> None:
    """Algorithms grow at twice their rate: effective compute by 1 + 1 + 2 OOM a year, so 1e34 comes in 2027."""
    growth = [
        {"rate": FIRST},
        {"from": {"when": "effective_compute", "reaches": {"value": 1e34, "unit": "FLOP"}}, "rate": THEN},
    ]
    twice = [{"at": 1e20, "multiplier": 2}, {"at": 1e40, "multiplier": 2}]
    drivers = {
        "spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": growth},
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "10x/year"},
        "algorithms": {"growth": "10x/year", "feedback": twice},
    }
    years = {"first": 2025, "last": 2035, "step": step}
    run = run_of(small_scenario({"drivers": drivers, "samples": 1, "years": years}))
    found = run["trajectories/spending"].sel(year=2035).values[0]
    assert found == pytest.approx(8 + 2 + 0.1 * 8, abs=1e-5)


@pytest.mark.parametrize("less", [1e-5, 9e-4, 2e-3])
def test_a_path_that_hardly_turns_meets_an_event_and_a_threshold_where_it_does(less: float) -> None:
    """Compute slows in mid-2027, within the step in which it meets a level: a line over that step is off by a quarter of that."""
    level = {"uniform": [28.0, 29.0], "unit": "log10(FLOP)"}
    growth = [{"rate": FIRST}, {"from": 2027.5, "rate": {"value": 1 - less, "unit": "OOM/year"}},
              {"from": {"when": "physical_compute", "reaches": {"input": "level"}}, "times": 1}]  # fmt: skip
    changes = {"drivers.compute": {"start": "1e26 FLOP", "growth": growth}, "inputs": {"level": level},
               "thresholds": {"met": {"physical_compute": {"input": "level"}}}}  # fmt: skip
    run = run_of(small_scenario(changes))
    above = run["parameters/inputs.level"].values - 28.5
    exact = 2027.5 + np.where(above > 0, above / (1 - less), above)
    for found in (run["events/event_year"], run["crossings/crossing_year"]):
        np.testing.assert_allclose(found.values[0], exact, rtol=0, atol=1e-5)


@pytest.mark.parametrize("later", [0.1, 0.0, -0.5])
@pytest.mark.parametrize("delay", ["0 years", {"uniform": [0, 3], "unit": "year"}])
def test_a_threshold_of_the_height_at_which_an_era_begins_is_met_as_the_event_comes(later: float, delay: Any) -> None:
    """However the path goes on from there; a 40-fold of $100 million may differ from $4 billion by rounding."""
    thresholds = {"begins": {"multiple": 40, "of": "start", "quantity": "spending", "delay": delay},
                  "there": {"spending": 4e9}, "soon": {"spending": 4e9, "delay": "1 year"}}  # fmt: skip
    growth = [
        {"rate": DRAWN},
        {"from": {"when": "spending", "reaches": "$4 billion"}, "rate": {"value": later, "unit": "OOM/year"}},
        {"from": {"threshold": "begins"}, "rate": THEN},
    ]
    found, run = spending(growth, thresholds=thresholds)
    rate = run["parameters/drivers.spending.growth[0].rate"].values
    met = np.log10(40) / rate
    waits = run["parameters/thresholds.begins.delay"].values if isinstance(delay, dict) else 0.0
    events, crossings = run["events/event_year"].values - 2025, run["crossings/crossing_year"].values - 2025
    np.testing.assert_allclose(events, [met, met + waits], rtol=0, atol=1e-9)
    np.testing.assert_allclose(crossings, [met + waits, met, met + 1], rtol=0, atol=1e-9)
    after = np.clip(YEARS - met[:, None], 0, np.reshape(waits, (-1, 1))) * later
    exact = turned(met, rate, 0.0) + after + 0.1 * np.maximum(YEARS - np.reshape(met + waits, (-1, 1)), 0)
    np.testing.assert_allclose(found, exact, atol=3e-6)


def test_with_feedback_a_threshold_that_begins_an_era_of_decline_is_dated_with_it() -> None:
    growth = [{"rate": DRAWN}, {"from": {"threshold": "top"}, "rate": {"value": -5, "unit": "OOM/year"}}]
    faster = [{"at": 1e26, "multiplier": 1}, {"at": 1e36, "multiplier": 3}]
    changes = {"drivers": {
        "spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": growth},
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "10x/year"},
        "algorithms": {"growth": "10x/year", "feedback": faster},
    }, "thresholds": {"top": {"effective_compute": 1e33}}}  # fmt: skip
    run = run_of(small_scenario({"samples": 8, **changes}))
    met = run["crossings/crossing_year"].values[0]
    assert (met < 2030).all()
    np.testing.assert_array_equal(run["events/event_year"].values[0], met)
