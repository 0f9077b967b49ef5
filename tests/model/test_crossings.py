"""Crossing years against closed forms, a plain loop, and the laws of censoring."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simulator import parse_scenario, simulate
from simulator.errors import ScenarioError
from simulator.model.crossings import first_crossing, path_crossings
from simulator.schema.subjects import is_falling, quantity_of
from simulator.testing import run_of, scenario_text, small_scenario

YEARS = np.array([2025.0, 2026.0, 2028.0, 2030.0, 2040.0])

# Levels are rounded: a crossing that is nearer to a year than rounding can tell would be dated on that year.
levels = st.floats(-5.0, 5.0).map(lambda value: round(value, 6))
paths = arrays(np.float64, (6, YEARS.size), elements=st.integers(-5, 5).map(float) | levels)
thresholds = arrays(np.float64, 6, elements=st.integers(-6, 6).map(float) | st.just(np.inf) | levels)


def crossing_by_loop(level, threshold, falling):
    """Return the crossing year of one path by looking at one step after another."""
    sign = -1.0 if falling else 1.0
    if threshold == np.inf:
        return np.inf
    if sign * level[0] >= sign * threshold:
        return YEARS[0]
    for left, right in zip(range(YEARS.size - 1), range(1, YEARS.size), strict=True):
        if sign * level[right] >= sign * threshold:
            return np.interp(sign * threshold, sign * level[[left, right]], YEARS[[left, right]])
    return np.inf


def test_a_straight_path_crosses_where_its_line_does():
    rate, threshold = np.array([0.5, 0.25, 2.0]), np.array([26.0, 27.0, 31.0])
    level = 25.0 + rate[:, None] * (YEARS - 2025.0)
    year, already = first_crossing(YEARS, level, threshold)
    np.testing.assert_allclose(year, 2025.0 + (threshold - 25.0) / rate, rtol=1e-15)
    assert not already.any()


@given(level=paths, threshold=thresholds, falling=st.booleans())
def test_every_path_crosses_where_a_plain_loop_says(level, threshold, falling):
    year, already = first_crossing(YEARS, level, threshold, falling=falling)
    expected = [crossing_by_loop(row, limit, falling) for row, limit in zip(level, threshold, strict=True)]
    np.testing.assert_allclose(year, expected, rtol=1e-12)
    assert not np.isnan(year).any()
    there = level[:, 0] <= threshold if falling else level[:, 0] >= threshold
    np.testing.assert_array_equal(already, there & (threshold < np.inf))
    assert np.all((year >= YEARS[0]) & ((year <= YEARS[-1]) | (year == np.inf)))


@given(level=paths, threshold=thresholds, more=st.floats(0.0, 3.0))
def test_a_higher_threshold_is_never_crossed_earlier(level, threshold, more):
    year, _ = first_crossing(YEARS, level, threshold)
    later, _ = first_crossing(YEARS, level, threshold + more)
    assert np.all(later >= year - 1e-9)


@given(level=paths, threshold=thresholds)
def test_a_later_horizon_changes_no_crossing_before_it(level, threshold):
    year, _ = first_crossing(YEARS, level, threshold)
    short, _ = first_crossing(YEARS[:3], level[:, :3], threshold)
    np.testing.assert_array_equal(short, np.where(year <= YEARS[2], year, np.inf))


@given(level=paths, threshold=thresholds, order=st.permutations(range(6)))
def test_the_order_of_samples_changes_nothing(level, threshold, order):
    year, already = first_crossing(YEARS, level, threshold)
    shuffled = first_crossing(YEARS, level[order], threshold[order])
    np.testing.assert_array_equal(shuffled[0], year[order])
    np.testing.assert_array_equal(shuffled[1], already[order])


@pytest.mark.parametrize("falling", [False, True])
def test_a_threshold_of_infinity_is_never_met_in_either_direction(falling):
    year, already = first_crossing(YEARS, [[1.0, 2.0, 3.0, 4.0, np.inf]], np.inf, falling=falling)
    assert year.tolist() == [np.inf]
    assert already.tolist() == [False]


def test_a_path_that_returns_counts_its_first_crossing_only():
    level = [[0.0, 2.0, 0.0, 2.0, 2.0]]
    assert first_crossing(YEARS, level, 1.0)[0].tolist() == [2025.5]
    assert first_crossing(YEARS, level, 2.0)[0].tolist() == [2026.0]


def test_a_falling_threshold_is_met_from_above():
    level = [[5.0, 4.0, 2.0, 2.0, 1.0]]
    year, already = first_crossing(YEARS, level, [3.0, 5.0, 0.5, 2.0], falling=True)
    assert year.tolist() == [2027.0, 2025.0, np.inf, 2028.0]
    assert already.tolist() == [False, True, False, False]


def test_a_jump_from_or_to_infinity_has_a_year():
    level = [[-np.inf, 1.0, 1.0, 1.0, 1.0], [0.0, np.inf, 1.0, 1.0, 1.0], [-np.inf, np.inf, 1.0, 1.0, 1.0]]
    assert first_crossing(YEARS, level, [0.5, 0.5, 0.5])[0].tolist() == [2026.0, 2025.0, 2026.0]


def test_one_path_may_meet_many_thresholds_and_many_paths_one():
    level = np.array([0.0, 1.0, 3.0, 5.0, 15.0])
    assert first_crossing(YEARS, level, [0.0, 2.0, 20.0])[0].tolist() == [2025.0, 2027.0, np.inf]
    many = np.vstack([level, level + 2.0])
    year, already = first_crossing(YEARS, many, 2.0)
    assert year.tolist() == [2027.0, 2025.0]
    assert already.tolist() == [False, True]


def test_one_year_alone_tells_only_whether_it_is_met():
    year, already = first_crossing([2025.0], [[1.0], [3.0]], 2.0)
    assert year.tolist() == [np.inf, 2025.0]
    assert already.tolist() == [False, True]


@pytest.mark.parametrize(
    ("years", "level", "threshold", "words"),
    [
        ([2026.0, 2025.0], [[1.0, 2.0]], 1.5, "years: must be strictly increasing"),
        ([], np.zeros((1, 0)), 1.5, "years: must be strictly increasing, at least one"),
        (
            [2025.0, 2026.0],
            [[1.0, 2.0, 3.0]],
            1.5,
            r"log_level: must be \(sample, 2 years\); got shape \(1, 3\)",
        ),
        ([2025.0, 2026.0], np.zeros((3, 2)), [1.0, 2.0], "one per sample, 3; got 2"),
        ([2025.0, 2026.0], [[1.0, np.nan]], 1.5, "log_level: must not be NaN; got 1 of 2"),
        ([2025.0, 2026.0], [[1.0, 2.0]], np.nan, "log_threshold: must not be NaN; got 1 of 1"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_rule_and_what_was_given(years, level, threshold, words):
    with pytest.raises(ValueError, match=words):
        first_crossing(years, level, threshold)


SURE = {"drivers.compute.start": 1e26, "drivers.compute.growth": {"value": 0.5, "unit": "OOM/year"}, "samples": 2}


def crossing(thresholds: dict[str, Any], name: str, **changes: Any) -> tuple[float, bool, float]:
    """Give the year, the flag and the level of a threshold for 10^26 FLOP that grow by 0.5 OOM a year from 2025."""
    run = run_of(small_scenario({**SURE, "thresholds": thresholds, **changes}))
    one = run["crossings"].to_dataset().sel(threshold=name).isel(sample=0)
    return float(one["crossing_year"]), bool(one["already_above"]), float(one["threshold_level"])


@pytest.mark.parametrize(
    ("threshold", "year", "already"),
    [
        ({"effective_compute": 1e28}, 2029, False),
        ({"effective_compute": 10**27.85}, 2028.7, False),
        ({"effective_compute": 1e26}, 2025, True),
        ({"effective_compute": 1e20}, 2025, True),
        ({"effective_compute": 1e31}, 2035, False),
        ({"effective_compute": 1.01e31}, np.inf, False),
        ({"multiple": 100, "of": "start"}, 2029, False),
        ({"multiple": 1, "of": "start"}, 2025, True),
        ({"multiple": 100, "of": "start", "quantity": "physical_compute"}, 2029, False),
        ({"multiple": 10, "of": "base"}, 2029, False),
        ({"effective_compute": 1e27, "within_oom": 1.5}, 2030, False),
        ({"effective_compute": 1e25, "within_oom": 1}, 2025, True),
        ({"effective_compute": 1e28, "delay": "2.5 years"}, 2031.5, False),
        ({"effective_compute": 1e28, "delay": "6 years"}, 2035, False),
        ({"effective_compute": 1e28, "delay": "6.01 years"}, np.inf, False),
        ({"effective_compute": 1e20, "delay": "1 years"}, 2026, False),
        ({"effective_compute": 1e28, "delay": {"value": 18, "unit": "month"}}, 2030.5, False),
        ({"effective_compute": 10**27.85, "reading": "calendar"}, 2029, False),
        ({"effective_compute": 1e28, "reading": "calendar"}, 2029, False),
        ({"effective_compute": 1e20, "reading": "calendar"}, 2025, True),
        ({"effective_compute": 1.01e31, "reading": "calendar"}, np.inf, False),
        ({"effective_compute": 10**27.85, "reading": "calendar", "delay": "4 years"}, 2033, False),
        ({"effective_compute": 10**27.85, "reading": "calendar", "delay": "6.5 years"}, np.inf, False),
    ],
)
def test_each_form_of_threshold_is_crossed_when_it_should_be(threshold: Any, year: float, already: bool) -> None:
    found, flag, _ = crossing({"base": {"effective_compute": 1e27}, "this": threshold}, "this")
    assert found == pytest.approx(year, abs=1e-9)
    assert flag is already


QUANTITIES = {
    "power": {"start": {"value": 1, "unit": "GW"}, "growth": {"value": 0.25, "unit": "OOM/year"}},
    "grid": {"start": {"value": 100, "unit": "GW"}, "growth": {"value": 0.05, "unit": "OOM/year"}},
    "price": {"start": {"value": 60, "unit": "USD/token"}, "growth": {"value": -0.5, "unit": "OOM/year"}},
    "stock": {
        "accumulation": {"value": 1e6, "unit": "chip/year"},
        "start": {"value": 1e6, "unit": "chip"},
    },
    "doubled": {"product": ["power", 2]},
}
GROWING = {"start": {"value": 1e27, "unit": "FLOP"}, "growth": {"value": 0.25, "unit": "OOM/year"}}


@pytest.mark.parametrize(
    ("threshold", "year", "level"),
    [
        ({"quantity": "power", "level": "10 GW"}, 2029, 10),
        ({"quantity": "quantities.power", "level": {"value": 1e4, "unit": "MW"}}, 2029, 10),
        ({"quantity": "doubled", "level": "10 GW"}, 2025 + 4 * np.log10(5), 10),
        ({"quantity": "power", "multiple": 10, "of": "start"}, 2029, 10),
        ({"quantity": "stock", "level": {"value": 5e6, "unit": "chip"}}, 2029, np.log10(5e6)),
        ({"quantity": "algorithms", "level": 100}, 2033, 2),
        ({"quantity": "drivers.algorithms.factors.data", "level": 10}, 2035, 1),
        ({"quantity": "constraints.network", "level": "1e29 FLOP"}, 2029, 29),
        ({"quantity": "physical_compute_demanded", "level": "1e31 FLOP"}, 2035, 31),
        ({"quantity": "physical_compute", "level": 1e28}, 2029, 28),
        ({"quantity": "price", "level": {"value": 0.06, "unit": "USD/token"}, "falling": True}, 2031, np.log10(0.06)),
        ({"quantity": "price", "multiple": 0.001, "of": "start", "falling": True}, 2031, np.log10(0.06)),
        ({"quantity": "price", "level": {"value": 0.6, "unit": "USD/token"}, "falling": True, "within_oom": 1},
         2031, np.log10(0.06)),
        # that move: the difference of two paths is met
        ({"quantity": "power", "level": {"product": [0.1, "grid"]}}, 2030, 10.25),
        ({"quantity": "power", "level": "grid"}, 2035, 11.5),
        ({"physical_compute": GROWING}, 2029, 28),
        ({"effective_compute": GROWING}, 2027, 27.5),
        ({"effective_compute": GROWING, "within_oom": 1}, 2029, 29),
        ({"effective_compute": GROWING, "reading": "calendar", "delay": "1 years"}, 2028, 27.5),
        ({"multiple": 10, "of": "tenth-of-the-grid"}, 2035, 11.5),
        ({"multiple": 20, "of": "tenth-of-the-grid"}, np.inf, 11.5 + np.log10(2)),
        ({"quantity": "price", "level": {"product": ["price", 2]}, "falling": True}, 2025, np.log10(120)),
    ],
)  # fmt: skip
def test_a_threshold_on_any_quantity_is_crossed_on_its_path(threshold: Any, year: float, level: float) -> None:
    thresholds = {"tenth-of-the-grid": {"quantity": "power", "level": {"product": [0.1, "grid"]}}, "this": threshold}
    changes = {
        "quantities": QUANTITIES,
        "constraints": {"network": {"limit": {"start": {"value": 1e28, "unit": "FLOP"}, "growth": "0.25 OOM/year"}}},
        "drivers.algorithms": {"factors": {"data": {"growth": "0.1 OOM/year"}, "other": {"growth": "0.15 OOM/year"}}},
    }
    found, flag, at = crossing(thresholds, "this", **changes)
    assert found == pytest.approx(year, abs=1e-6)
    assert flag is bool(year == 2025)
    assert at == pytest.approx(level, abs=1e-6)


def test_one_quantity_is_met_from_above_and_from_below_and_against_uncertain_paths() -> None:
    """A price falls up to 2030 and rises then; an income meets it from below where it meets the income from above."""
    eras = [{"rate": "-0.25 OOM/year"}, {"from": 2030, "rate": "0.25 OOM/year"}]
    quantities = {
        "price": {"start": {"value": 60, "unit": "USD"}, "growth": eras},
        "income": {"start": {"median": 60, "interval_90": [20, 200], "unit": "USD"}, "growth": {"mean": 0.2, "sd": 0.02, "unit": "OOM/year"}},
    }  # fmt: skip
    thresholds = {
        "cheap": {"quantity": "price", "level": "30 USD", "falling": True},
        "dear": {"quantity": "price", "level": "61 USD"},
        "affordable": {"quantity": "price", "level": "income", "falling": True},
        "within-means": {"quantity": "income", "level": "price"},
    }
    run = run_of(small_scenario({"quantities": quantities, "thresholds": thresholds}))
    years = run["crossings/crossing_year"]
    assert years.sel(threshold="cheap").values == pytest.approx(2025 + 4 * np.log10(2), abs=1e-6)
    assert np.isinf(years.sel(threshold="dear").values).all()
    start, rate = (run[f"parameters/quantities.income.{key}"].values for key in ("start", "growth"))
    exact = np.maximum(2025 + (np.log10(60) - start) / (rate + 0.25), 2025)
    assert (exact < 2030).all()
    np.testing.assert_allclose(years.sel(threshold="within-means"), exact, atol=1e-6)
    np.testing.assert_array_equal(years.sel(threshold="affordable"), years.sel(threshold="within-means"))
    assert run["crossings/falling"].values.tolist() == [1, 0, 1, 0]


def test_a_multiple_counts_from_the_level_and_not_from_its_distance_to_the_frontier() -> None:
    thresholds = {"base": {"effective_compute": 1e27, "within_oom": 1}, "this": {"multiple": 10, "of": "base"}}
    assert crossing(thresholds, "base")[::2] == (2029, 28)
    assert crossing(thresholds, "this")[::2] == (2029, 28)


def test_a_loss_is_crossed_from_above() -> None:
    """Loss 1 + 10^(2 - 0.1 log10 C): 0.38 above 1 at 10^24.2."""
    capability = {"name": "loss", "kind": "power-law-loss", "irreducible": 1.0, "scale": 1000, "exponent": 0.1}
    thresholds = {
        "met": {"capability": 1 + 10 ** (3 - 2.8)},
        "passed": {"capability": 5.0},
        "under-the-floor": {"capability": 0.9},
        "half": {"multiple": 0.5, "of": "passed"},
    }
    changes = {"capability": capability}
    year = 2025 + (28 - 26) / 0.5
    assert crossing(thresholds, "met", **changes)[0] == pytest.approx(
        year, abs=0.02
    )  # linear in the loss within a step
    assert crossing(thresholds, "passed", **changes)[:2] == (2025, True)
    assert crossing(thresholds, "under-the-floor", **changes)[0] == np.inf
    assert crossing(thresholds, "half", **changes)[2] == pytest.approx(2.5)
    spec = parse_scenario(scenario_text(small_scenario({**SURE, "thresholds": thresholds, **changes}))).spec
    assert [is_falling(spec, name) for name in thresholds] == [True] * 4
    assert quantity_of(spec, "half") == "capability"


def test_a_threshold_of_spending_stands_on_spending() -> None:
    drivers = {"spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": "10x/year"},
               "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}}}  # fmt: skip
    thresholds = {"rich": {"spending": 1e10}, "tenfold": {"multiple": 10, "of": "rich"}}
    assert crossing(thresholds, "tenfold", drivers=drivers)[::2] == (2028, 11)


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    level = {"family": "lognormal", "median": 1e29, "interval_90": [1e27, 1e31], "never": 0.25}
    return run_of(small_scenario({
        "samples": 4096,
        "thresholds": {"a": {"effective_compute": level}, "b": {"multiple": 100, "of": "a"},
                       "late": {"effective_compute": 1e29, "delay": {"uniform": [1, 9], "unit": "year"}}},
    }))  # fmt: skip


def test_the_mass_at_never_is_never_crossed_and_neither_are_its_multiples(run: xr.DataTree) -> None:
    level, year = (run["crossings"][name] for name in ("threshold_level", "crossing_year"))
    none = np.isposinf(level.sel(threshold="a").values)
    assert none.mean() == pytest.approx(0.25, abs=0.002)  # stratified
    assert np.isposinf(year.sel(threshold=["a", "b"]).values[:, none]).all()
    np.testing.assert_array_equal(np.isposinf(level.sel(threshold="b").values), none)


def test_the_probability_of_having_crossed_never_falls_and_adds_up_with_never(run: xr.DataTree) -> None:
    summary = run["summary"].to_dataset()
    assert (np.diff(summary["crossed"], axis=1) >= 0).all()
    np.testing.assert_allclose(summary["crossed"].values[:, -1] + summary["never"], 1, atol=1e-12)


def test_crossing_years_with_a_delay_that_ends_beyond_the_horizon_are_never_and_not_the_last_year(
    run: xr.DataTree,
) -> None:
    late = run["crossings/crossing_year"].sel(threshold="late").values
    level = run["trajectories/effective_compute"].values.astype(float)
    crossed = np.array([np.interp(29, row, run["trajectories/year"].values, left=2025, right=np.inf) for row in level])
    exact = crossed + run["parameters/thresholds.late.delay"].values
    met = exact <= 2035
    assert 0.05 < met.mean() < 0.95
    np.testing.assert_array_equal(np.isfinite(late), met)
    np.testing.assert_allclose(late[met], exact[met], atol=1e-4)  # levels are kept in float32
    assert (late != 2035).all()


def test_no_delay_is_a_delay_of_none() -> None:
    def years(threshold: str) -> list[float]:
        text = f"""
schema: 2
name: delays
years: {{first: 2025, last: 2030}}
samples: 256
drivers: {{compute: {{start: {{value: 1e26, unit: FLOP}}, growth: {{median: 4, interval_90: [3, 5], unit: x/year}}}}}}
thresholds: {{t: {threshold}}}
"""
        return simulate(parse_scenario(text))["crossings/crossing_year"].values[0].tolist()

    assert years("{effective_compute: 1e27, delay: 0}") == years("{effective_compute: 1e27}")


def test_a_delay_below_nothing_is_refused() -> None:
    text = "{effective_compute: 1e27, delay: -1}"
    head = "schema: 2\nname: delays\nyears: {first: 2025, last: 2030}\n"
    drivers = "drivers: {compute: {start: {value: 1e26, unit: FLOP}}}\n"
    with pytest.raises(ScenarioError, match="must not fall below 0"):
        parse_scenario(f"{head}{drivers}thresholds: {{t: {text}}}\n")


def test_a_crossing_lies_on_the_path_and_not_on_the_line_between_two_years() -> None:
    """A kink, a curve, a path that touches a cap of the threshold's height, and one that falls back within the step."""
    year = np.array([2025.0, 2026.0, 2027.0])
    paths = [
        lambda t: np.where(t < 2026.25, 0.2 * (t - 2025), 0.25 + 2 * (t - 2026.25)),
        lambda t: (t - 2025) ** 3,
        lambda t: np.minimum(5 * (t - 2025), 1.75),
    ]
    goals = np.array([[1.0, 0.5, 1.75]])
    rows = np.stack([path(year) for path in paths], axis=1)[None]
    calls = []

    def at(quantity: np.ndarray, sample: np.ndarray, time: np.ndarray) -> np.ndarray:
        calls.append(sample.size)
        return np.array([float(paths[s](t)) for s, t in zip(sample, time, strict=True)])

    crossing, already = path_crossings(at, year, rows, goals, np.array([0]))
    assert crossing[0] == pytest.approx([2026.625, 2025 + 0.5 ** (1 / 3), 2025.35], abs=2e-4)
    assert not already.any()
    assert sum(calls) < 200
    assert first_crossing(year, rows[0].T, goals[0])[0] == pytest.approx([2026.516, 2025.5, 2026.0], abs=0.02)


@pytest.mark.parametrize("flat", [1.0, 0.99, 1.005])
def test_a_path_that_is_flat_near_a_threshold_crosses_it_where_it_does(flat: float) -> None:
    """It rises by 2 a year to `flat`, or past it, stands still for a quarter of a year, and rises on."""
    goals, begin = np.linspace(flat - 0.01, flat + 0.01, 40), 2026 + flat / 2
    met = np.where(goals < flat, 2026 + goals / 2, 2026.25 + goals / 2)

    def level(time: np.ndarray) -> np.ndarray:
        return 2.0 * (time - 2026 - np.clip(time - begin, 0.0, 0.25))

    def at(quantity: np.ndarray, sample: np.ndarray, time: np.ndarray) -> np.ndarray:
        return level(time)

    year = np.array([2025.0, 2026.0, 2027.0, 2028.0])
    rows = np.repeat(level(year)[None, :, None], goals.size, axis=2)
    crossing, _ = path_crossings(at, year, rows, goals[None], np.array([0]))
    np.testing.assert_allclose(crossing[0], met, atol=1e-3)


def test_a_path_that_rises_to_a_cap_of_the_thresholds_height_crosses_where_it_meets_it() -> None:
    assert run_of(
        small_scenario(
            {
                "drivers.compute": {"start": {"value": 1e26, "unit": "FLOP"}, "growth": {"value": 4, "unit": "factor/year"},
                                    "caps": {"wall": {"kind": "hard", "limit": {"value": 1e28, "unit": "FLOP"}}}},
                "thresholds": {"wall": {"physical_compute": 1e28}},
            }
        )
    )["crossings/crossing_year"].values[0] == pytest.approx(2025 + 2 / np.log10(4), abs=1e-3)  # fmt: skip


def test_the_essays_hundred_billion_dollar_run_is_where_its_own_arithmetic_puts_it() -> None:
    from simulator import load_scenario, simulate

    run = simulate(load_scenario("essay-2023", overrides=["samples=1"]))
    years = run["crossings/crossing_year"].sel(threshold="hundred-billion-dollar-run")
    assert float(years[0]) == pytest.approx(2029.2, abs=0.01)


def test_a_jump_to_an_infinite_level_is_crossed_where_it_is_made() -> None:
    year, rows = np.array([2025.0, 2026.0, 2027.0]), np.array([[0.0], [10.0], [np.inf]])

    def at(quantity: np.ndarray, sample: np.ndarray, time: np.ndarray) -> np.ndarray:
        return np.where(time < 2026.75, 10.0, np.inf)

    crossing, _ = path_crossings(at, year, rows[None], np.array([[100.0]]), np.array([0]))
    assert crossing[0, 0] == pytest.approx(2026.75, abs=1e-3)


def test_a_path_that_jumps_by_as_much_every_year_is_crossed_at_the_jump_whatever_the_step() -> None:
    """Years with one jump each are as steep as one another, and no straight lines."""
    jumping = {"growth": "1.2x/year", "jumps": {"rate": "1/year", "size": "4x"}}
    changes = {"drivers.algorithms": jumping, "thresholds": {"far": {"effective_compute": 1e29}}}
    stepped = [{"first": 2025, "last": 2035, "step": step} for step in ("year", "month")]
    yearly, monthly = (
        run_of(small_scenario({**changes, "years": years}))["crossings/crossing_year"].values for years in stepped
    )
    np.testing.assert_allclose(yearly, monthly, atol=1e-3)


_CUT = {"cut": {"from": {"uniform": [2031, 2033]}, "effects": [{"on": "drivers.compute", "times": 0.5}]}}


@pytest.mark.parametrize("events", [{}, _CUT])
def test_a_path_that_jumps_past_a_threshold_and_falls_back_before_the_next_year_crosses_it(events: Any) -> None:
    """An event that waits for it comes then, and no step between the years makes it another date."""
    jumping = {"start": "1e26 FLOP", "growth": "-40 %/year", "jumps": {"rate": "1/year", "size": "2x"}}
    late = {"from": {"threshold": "far"}, "effects": [{"on": "drivers.compute.growth", "times": 1}]}
    changes = {"drivers.compute": jumping, "thresholds": {"far": {"physical_compute": 3e26}}}
    yearly, monthly = (
        run_of(small_scenario({**changes, "events": {**events, "late": late}, "years": years}))
        for years in ({"first": 2025, "last": 2035, "step": step} for step in ("year", "month"))
    )
    found = yearly["crossings/crossing_year"].values
    np.testing.assert_allclose(found, monthly["crossings/crossing_year"].values, atol=1e-3)
    np.testing.assert_allclose(found[0], yearly["events/event_year"].sel(event="late").values, atol=1e-3)
    path = monthly["trajectories/physical_compute"].max("year").values
    assert np.isfinite(found[0]).sum() >= (path >= np.log10(3e26)).sum() > 0
