"""Named quantities: operations, tables, accumulation, drift, decay, custom drivers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from simulator import parse_scenario, simulate
from simulator.errors import InputError, SimulatorError
from simulator.model.fine_grid import FINE_STEPS, fine_grid, is_fine
from simulator.testing import run_of, scenario_text, small_scenario

FLOAT32 = 4e-6
YEARS = np.arange(11.0)
A = {"start": {"value": 2e3, "unit": "W"}, "growth": {"value": 0.2, "unit": "OOM/year"}}
B = {"start": {"value": 5e3, "unit": "W"}, "growth": {"value": 0.1, "unit": "OOM/year"}}
a, b = 2e3 * 10 ** (0.2 * YEARS), 5e3 * 10 ** (0.1 * YEARS)


def quantity(stated: Any, **others: Any) -> np.ndarray:
    """Give the levels of one quantity of a scenario without uncertainty, in base units."""
    run = run_of(small_scenario({"quantities": {"this": stated, "a": A, "b": B, **others}, "samples": 1}))
    return 10 ** np.asarray(run["trajectories/quantity_this"].values[0], dtype=float)


@pytest.mark.parametrize(
    ("operation", "exact"),
    [
        ({"product": ["a", "b"]}, a * b),
        ({"product": ["a", 3, {"value": 2, "unit": "hour"}]}, a * 3 * 7200),
        ({"sum": ["a", "b", {"value": 1, "unit": "kW"}]}, a + b + 1e3),
        ({"minimum": ["a", "b"]}, np.minimum(a, b)),
        ({"maximum": ["a", "b"]}, np.maximum(a, b)),
        ({"ratio": ["a", "b"]}, a / b),
        ({"difference": [{"product": ["b", 100]}, "a"]}, 100 * b - a),
        ({"sum": [{"product": ["a", 2]}, {"minimum": ["a", {"maximum": ["b", {"value": 9, "unit": "kW"}]}]}]},
         2 * a + np.minimum(a, np.maximum(b, 9e3))),
        ("a", a),
        ({"value": 7, "unit": "MW"}, np.full(11, 7e6)),
        ({**A, "caps": {"cap": {"limit": "b"}}}, np.minimum(a, b)),
        ({**A, "caps": {"cap": {"kind": "logistic", "share": {"value": 50, "unit": "%"}, "of": "b"}}}, a / (1 + 2 * a / b)),
    ],
)  # fmt: skip
def test_each_operation_gives_what_arithmetic_gives(operation: Any, exact: np.ndarray) -> None:
    np.testing.assert_allclose(quantity(operation), exact, rtol=1e-5)


def test_a_table_is_linear_in_the_log_between_its_years() -> None:
    table = {"2025": 1, "2027": 100, "2035": 100}
    np.testing.assert_allclose(quantity({"table": table, "unit": "GW"}), 1e9 * 10 ** np.minimum(YEARS, 2), rtol=1e-5)


def test_a_stock_of_chips_is_what_was_there_and_the_geometric_sum_of_production() -> None:
    """3 million chips, and production of 1 million a year that grows by g: (g^t - 1) / ln g more."""
    flow = {"start": {"value": 1e6, "unit": "chip/year"}, "growth": "1.4x/year"}
    stock = {"accumulation": flow, "start": {"value": 3e6, "unit": "chip"}}
    np.testing.assert_allclose(quantity(stock), 3e6 + 1e6 * (1.4**YEARS - 1) / np.log(1.4), rtol=1e-5)
    early = {"accumulation": {**flow, "at": 2025}, "start": {"value": 3e6, "unit": "chip"}, "at": 2020}
    before = 3e6 + 1e6 * (1.4**YEARS - 1.4**-5) / np.log(1.4)
    np.testing.assert_allclose(quantity(early), before, rtol=1e-5)


def test_a_stock_of_a_flow_that_bends_follows_the_integral() -> None:
    flow = {
        "start": {"value": 1e6, "unit": "chip/year"},
        "growth": "3x/year",
        "caps": {"fabs": {"kind": "logistic", "limit": {"value": 5e7, "unit": "chip/year"}}},
    }
    found = quantity({"accumulation": flow, "start": {"value": 1, "unit": "chip"}})
    exact = [1 + quad(lambda t: 1e6 * 3**t / (1 + 3**t / 50), 0, year, epsrel=1e-10)[0] for year in YEARS]
    np.testing.assert_allclose(found[1:], exact[1:], rtol=0.05 / FINE_STEPS**2)  # straight in the log within a step


def test_drift_has_the_variance_of_a_random_walk_of_the_rate() -> None:
    """The rate changes by 0.1 z at each whole year: the level at t has a variance of 0.01 sum over j of (t - j)^2."""
    changes = {"drivers.compute.start": 1e26, "drivers.compute.growth": "1.0x/year", "drivers.compute.drift": 0.1,
               "samples": 16_384, "design": "random"}  # fmt: skip
    found = run_of(small_scenario(changes))["trajectories/effective_compute"].values.astype(float)
    exact = np.array([0.01 * sum((t - j) ** 2 for j in range(1, int(t) + 1)) for t in YEARS])
    assert found[:, :2].std(axis=0) == pytest.approx(0, abs=FLOAT32)
    np.testing.assert_allclose(found.var(axis=0)[2:], exact[2:], rtol=4 * np.sqrt(2 / 16_384))
    np.testing.assert_allclose(found.mean(axis=0), 26, atol=4 * np.sqrt(exact[-1] / 16_384))


def test_drift_of_a_level_that_is_known_after_the_horizon_is_none() -> None:
    changes = {"drivers.compute.drift": 0.1, "drivers.compute.at": 2050}
    plain, drifting = (run_of(small_scenario(c))["trajectories/effective_compute"]
                       for c in ({"drivers.compute.at": 2050}, changes))  # fmt: skip
    np.testing.assert_array_equal(plain, drifting)


def test_a_rate_that_decays_gives_its_integral() -> None:
    """Rate 0.1 + 0.5 2^(-t / 3): the level rises by 0.1 t + 0.5 x 3 / ln 2 (1 - 2^(-t / 3))."""
    towards = {"value": 0.1, "unit": "OOM/year"}
    growth = [{"rate": {"value": 0.6, "unit": "OOM/year"}, "half_life": "3 years", "towards": towards}]
    found = quantity({"start": {"value": 1, "unit": "W"}, "growth": growth})
    np.testing.assert_allclose(np.log10(found), 0.1 * YEARS + 1.5 / np.log(2) * (1 - 2 ** (-YEARS / 3)), atol=FLOAT32)


def test_a_difference_that_reaches_zero_says_where_and_in_how_many_samples() -> None:
    parts = [{"median": 10, "interval_90": [5, 20], "unit": "W"}, {"value": 10, "unit": "W"}]
    with pytest.raises(SimulatorError) as caught:
        run_of(small_scenario({"quantities.rest": {"difference": parts}}))
    assert str(caught.value).startswith("quantities.rest: is not above 0 in 50 % of the samples")
    assert "minimum or maximum" in str(caught.value)


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ({"accumulation": A, "start": {"value": 3, "unit": "J"}, "at": 2020},
         "this.lag.of: accumulates from 2020, after the first year 2018"),
        ({"table": {"2020": 1, "2035": 2}, "unit": "W"},
         "this.lag.of.table: covers 2020 to 2035; it is needed from 2018"),
    ],
)  # fmt: skip
def test_what_a_lag_in_a_few_samples_needs_and_is_not_there_is_refused(of: Any, words: str) -> None:
    rare = {"discrete": {"values": [1, 7], "weights": [0.9996, 0.0004]}, "unit": "year"}
    with pytest.raises(SimulatorError, match=words):
        run_of(small_scenario({"quantities": {"this": {"lag": {"of": of, "by": rare}}}, "samples": 6000}))


def test_a_rate_may_be_a_product_of_two_beliefs() -> None:
    rate = {"value": 0.4, "unit": "OOM/year"}
    growth = [{"rate": rate, "times": 0.5}, {"from": 2030, "rate": rate, "times": {"value": 25, "unit": "%"}}]
    found = quantity({"start": {"value": 1, "unit": "W"}, "growth": growth})
    np.testing.assert_allclose(
        np.log10(found), 0.2 * np.minimum(YEARS, 5) + 0.1 * np.maximum(YEARS - 5, 0), atol=FLOAT32
    )
    drawn = {"rate": {"uniform": [0.1, 0.4], "unit": "OOM/year"}, "times": {"uniform": [0.5, 2]}}
    run = run_of(small_scenario({"quantities.this": {"start": {"value": 1, "unit": "W"}, "growth": [drawn]}}))
    product = np.prod([run[f"parameters/quantities.this.growth[0].{key}"].values for key in drawn], axis=0)
    np.testing.assert_allclose(run["trajectories/quantity_this"].values, product[:, None] * YEARS, rtol=1e-6)


def test_a_level_may_be_stated_as_its_log() -> None:
    np.testing.assert_allclose(quantity({"value": 3.5, "unit": "OOM"}), 10**3.5, rtol=1e-5)
    np.testing.assert_allclose(
        quantity({"product": [{"value": 3.5, "unit": "log10(GW)"}, "a"]}), 10**12.5 * a, rtol=1e-5
    )
    stated = {"family": "lognormal", "interval_80": [2.25, 12.1], "unit": "OOM"}
    run = run_of(small_scenario({"quantities.this": stated, "samples": 4096}))
    drawn = run["parameters/quantities.this"]
    assert drawn.attrs["units"] == "log10(1)"
    assert drawn.attrs["understood"] == "lognormal, median 5.22 (90 % 1.77 to 15.4) OOM"
    np.testing.assert_allclose(np.quantile(drawn, [0.1, 0.9]), [2.25, 12.1], rtol=0.02)


def test_a_steady_flow_and_the_same_flow_under_a_far_cap_add_up_to_one_stock() -> None:
    """The first needs no fine grid, the second has one."""
    flow = {"start": {"value": 1e6, "unit": "chip/year"}, "growth": "1.4x/year"}
    far = {**flow, "caps": {"far": {"limit": {"value": 1e30, "unit": "chip/year"}}}}
    product = {"product": [flow, {"start": {"value": 1, "unit": "1"}, "growth": "1.2x/year"}]}
    product_far = {"product": [far, product["product"][1]]}
    for steady, bent in ((flow, far), (product, product_far)):
        one, two = (
            quantity({"accumulation": each, "start": {"value": 3e6, "unit": "chip"}, "at": 2019.3})
            for each in (steady, bent)
        )
        np.testing.assert_allclose(one, two, rtol=1e-6)


def with_custom(function: Any, **changes: Any) -> Any:
    data = small_scenario(
        {"drivers.algorithms": {"custom": {"parameters": {"speed": {"uniform": [0.1, 0.5]}}}}, **changes}
    )
    return simulate(parse_scenario(scenario_text(data)), custom={"drivers.algorithms": function})


def test_a_custom_driver_gets_its_draws_and_the_years() -> None:
    def growing(draws: Mapping[str, np.ndarray], years: np.ndarray) -> np.ndarray:
        return draws["speed"][:, None] * (years - years[0]) ** 2

    run = with_custom(growing)
    speed = run["parameters/drivers.algorithms.custom.parameters.speed"].values[:, None]
    np.testing.assert_allclose(run["trajectories/algorithms"], speed * YEARS**2, rtol=1e-6)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            lambda draws, years: np.zeros((3, 2)),
            r"drivers.algorithms: must return \(sample, year\) = \(512, 11\); got \(3, 2\)",
        ),
        (lambda draws, years: np.full(years.size, np.nan), "returned NaN or infinity in 100 %"),
        (lambda draws, years: np.full(years.size, -np.inf), "returned NaN or infinity in 100 %"),
    ],
)
def test_a_custom_driver_that_returns_something_else_is_named(function: Any, words: str) -> None:
    with pytest.raises(SimulatorError, match=words):
        with_custom(function)


def test_a_custom_driver_that_is_missing_or_unknown_is_named() -> None:
    data = small_scenario({"drivers.algorithms": {"custom": {}}})
    with pytest.raises(InputError, match=r"drivers.algorithms: is a custom driver; run it from Python"):
        run_of(data)
    scenario = parse_scenario(scenario_text(small_scenario()))
    with pytest.raises(InputError, match=r"no custom driver 'drivers.compute'"):
        simulate(scenario, custom={"drivers.compute": lambda draws, years: years})


def test_the_fine_grid_holds_the_years_and_whole_steps_whatever_the_step() -> None:
    years = np.array([2025.3, 2025.4, 2026.0, 2026.1])
    grid = fine_grid(2025.3, 2026.1, years)
    assert set(years) <= set(grid)
    steps = np.arange(np.ceil(2025.3 * FINE_STEPS), np.floor(2026.1 * FINE_STEPS) + 1) / FINE_STEPS
    np.testing.assert_array_equal(grid[is_fine(grid)], [2025.3, *steps])


TINY = """
schema: 2
name: tiny
years: {{first: 2025, last: 2035}}
samples: 1024
drivers:
  compute: {{start: {{value: 1e26, unit: FLOP}}, {growth}}}
"""


def test_a_regime_that_multiplies_takes_its_share_of_the_rate_before_it():
    first = "{rate: {family: normal, mean: 0.4, sd: 0.1, unit: OOM/year}}"
    later = "{from: 2030, times: 0.5}, {from: 2032, times: {uniform: [0, 1]}}"
    text = TINY.format(growth=f"growth: [{first}, {later}]")
    run = simulate(parse_scenario(text))
    level = run["trajectories/physical_compute"]
    rate = run["parameters"]["drivers.compute.growth[0].rate"]
    scale = run["parameters"]["drivers.compute.growth[2].times"]
    np.testing.assert_allclose(level.sel(year=2032) - level.sel(year=2030), 2 * 0.5 * rate, atol=1e-5)
    np.testing.assert_allclose(level.sel(year=2035) - level.sel(year=2032), 3 * 0.5 * scale * rate, atol=1e-5)


def test_volatility_spreads_the_level_by_the_root_of_the_years():
    run = simulate(parse_scenario(TINY.format(growth="growth: 4x/year, volatility: 0.1")))
    spread = run["trajectories/physical_compute"].std("sample")
    np.testing.assert_allclose(spread.sel(year=[2026, 2029, 2034]), [0.1, 0.2, 0.3], rtol=0.03)
    assert "drivers.compute.volatility.shock[2026]" in run["parameters"]


def test_no_volatility_changes_nothing():
    plain, still = (
        simulate(parse_scenario(TINY.format(growth=text)))
        for text in ("growth: 4x/year", "growth: 4x/year, volatility: 0")
    )
    np.testing.assert_array_equal(plain["trajectories/physical_compute"], still["trajectories/physical_compute"])


SITE = {"start": {"median": 0.3, "interval_90": [0.2, 0.5], "unit": "GW"}, "growth": {"mean": 0.3, "sd": 0.05, "unit": "OOM/year"}}  # fmt: skip
POWER_RUN = {"product": ["site", {"value": 1e12, "unit": "FLOP/J"}, {"value": 100, "unit": "day"}]}


def test_a_driver_may_be_a_quantity_with_caps_on_top() -> None:
    """No dummy driver: physical compute is what the power allows, 10^12 FLOP a joule for 100 days."""
    cap = {"limit": {"value": 1e29, "unit": "FLOP"}}
    scenario = {"drivers.compute": {"level": "power-run"}, "quantities": {"site": SITE, "power-run": POWER_RUN}}
    run = run_of(small_scenario(scenario))["trajectories"]
    drawn = run["quantity_site"].values + np.log10(1e12 * 100 * 86400)
    np.testing.assert_allclose(run["physical_compute"].values, drawn, atol=FLOAT32)
    capped = run_of(small_scenario({**scenario, "drivers.compute": {"level": "power-run", "caps": {"data": cap}}}))
    np.testing.assert_allclose(capped["trajectories/physical_compute"].values, np.minimum(drawn, 29), atol=FLOAT32)
    assert (capped["trajectories/physical_compute_demanded"].values == run["physical_compute"].values).all()


def test_spending_and_factors_of_hardware_may_be_quantities() -> None:
    drivers = {
        "spending": {"level": {"product": [{"value": 0.001, "unit": "fraction"}, "world"]}},
        "hardware": {
            "factors": {
                "speed": {"level": {"ratio": [{"value": 1e15, "unit": "FLOP/s"}, {"value": 2, "unit": "USD/hour"}]}},
                "gain": {"growth": "1.4x/year"},
            }
        },
    }
    world = {"start": {"value": 1e14, "unit": "USD"}, "growth": "3 %/year"}
    run = run_of(small_scenario({"drivers": drivers, "quantities": {"world": world}}))["trajectories"]
    np.testing.assert_allclose(10.0 ** run["spending"].values[0], 1e11 * 1.03**YEARS, rtol=1e-5)
    np.testing.assert_allclose(10.0 ** run["hardware"].values[0], 1e15 * 1800 * 1.4**YEARS, rtol=1e-5)
    assert run["hardware_factor_speed"].attrs["units"] == "log10(FLOP/USD)"


def test_feedback_multiplies_the_growth_of_a_driver_that_is_a_quantity() -> None:
    points = [{"at": 1e10, "multiplier": 2}, {"at": 1e90, "multiplier": 2}]
    gains = {"start": {"value": 1, "unit": "1"}, "growth": "3x/year"}
    plain = small_scenario(
        {"drivers.algorithms": {"level": "gains", "feedback": points}, "quantities": {"gains": gains}}
    )
    levels = run_of(plain)["trajectories/algorithms"].values
    np.testing.assert_allclose(levels[0], 2 * YEARS * np.log10(3), atol=1e-5)


ROOT_A = {"power": [{"ratio": ["a", {"value": 5, "unit": "W"}]}, 0.5]}


@pytest.mark.parametrize(
    ("operation", "exact"),
    [
        ({"power": ["a", 2]}, a**2),
        ({"power": [{"product": ["a", "a", {"value": 1, "unit": "W"}]}, "1/3"]}, np.cbrt(a * a)),
        (ROOT_A, np.sqrt(a / 5)),
        ({"power": [{"sum": [ROOT_A, 1]}, -2]}, (np.sqrt(a / 5) + 1) ** -2),
        ({"lag": {"of": "a", "by": "2 years"}}, a * 10**-0.4),
        ({"lag": {"of": {"sum": ["a", "b"]}, "by": "18 months"}}, a * 10**-0.3 + b * 10**-0.15),
        ({"lag": {"of": {"table": {"2020": 1, "2035": 1e15}, "unit": "GW"}, "by": "5 years"}}, 1e9 * 10**YEARS),
        ({"highest": "a"}, a),
        ({"lowest": "a"}, np.full(11, a[0])),
        ({"lowest": "a", "at": 2027}, np.where(YEARS < 2, a, a[2])),
        ({"highest": {"table": {"2025": 1, "2027": 100, "2030": 1, "2035": 1e5}, "unit": "W"}},
         10 ** np.where(YEARS < 7, np.minimum(YEARS, 2), YEARS - 5)),
    ],
)  # fmt: skip
def test_powers_lags_and_extremes_give_what_arithmetic_gives(operation: Any, exact: np.ndarray) -> None:
    np.testing.assert_allclose(quantity(operation), exact, rtol=1e-5)


@pytest.mark.parametrize(("how", "rate"), [({"depreciation": "25 %/year"}, -np.log(0.75)), ({"life": "4 years"}, 0.25)])
def test_a_stock_that_decays_is_the_solution_of_its_equation(how: dict[str, Any], rate: float) -> None:
    """S' = F e^(g t) - d S: S = S0 e^(-d t) + F (e^(g t) - e^(-d t)) / (g + d)."""
    flow, g = {"start": {"value": 1e6, "unit": "chip/year"}, "growth": "1.4x/year"}, np.log(1.4)
    stock = quantity({"accumulation": flow, "start": {"value": 3e6, "unit": "chip"}, **how})
    decayed = np.exp(-rate * YEARS)
    np.testing.assert_allclose(stock, 3e6 * decayed + 1e6 * (1.4**YEARS - decayed) / (g + rate), rtol=1e-5)


def test_a_stock_without_a_flow_worth_naming_loses_its_share_a_year() -> None:
    stock = {"accumulation": {"value": 1e-9, "unit": "chip/year"}, "start": {"value": 8, "unit": "chip"}}
    np.testing.assert_allclose(quantity({**stock, "depreciation": "50 %/year"}), 8 * 0.5**YEARS, rtol=1e-5)
    with pytest.raises(SimulatorError, match=r"depreciation: is all of the stock within a year"):
        quantity({**stock, "depreciation": {"value": 100, "unit": "%/year"}})


def test_a_drawn_lag_is_each_samples_own() -> None:
    lagged = {"lag": {"of": "stock", "by": {"uniform": [1, 3], "unit": "year"}}}
    stock = {"accumulation": {**A, "start": {"value": 1, "unit": "J/s"}, "at": 2020},
             "start": {"value": 1, "unit": "J"}, "at": 2020}  # fmt: skip
    run = run_of(small_scenario({"quantities": {"this": lagged, "stock": stock}, "samples": 8}))
    by = run["parameters/quantities.this.lag.by"].values[:, None]
    seconds, g = 365.25 * 86400, 0.2 * np.log(10)
    exact = 1 + seconds * (np.exp(g * (YEARS + 5 - by)) - 1) * 10 ** (0.2 * -0.0) / g
    np.testing.assert_allclose(10 ** run["trajectories/quantity_this"].values.astype(float), exact, rtol=2e-3)


def test_a_drawn_lag_of_a_sum_is_read_straight_between_steps_of_the_grid_in_every_sample() -> None:
    """Of 10^(6 + 0.3 t) and 10^(5 + u (t - 1) from 2026 on): each sample's sum on sixteenths of a year."""
    bent = {"start": {"value": 1e5, "unit": "chip"}, "growth": [
        {"rate": "0 %/year"}, {"from": 2026, "rate": {"uniform": [0.5, 1.5], "unit": "OOM/year"}}]}  # fmt: skip
    parts = [{"start": {"value": 1e6, "unit": "chip"}, "growth": {"value": 0.3, "unit": "OOM/year"}}, bent]
    lagged = {"lag": {"of": {"sum": parts}, "by": {"uniform": [0.1, 4], "unit": "year"}}}
    run = run_of(small_scenario({"quantities": {"this": lagged}, "samples": 64, "block": 64}))
    drawn = run["parameters"]
    by = drawn["quantities.this.lag.by"].values
    rate = drawn["quantities.this.lag.of.sum[1].growth[1].rate"].values
    grid = np.arange(-5 * 16, 10 * 16 + 1) / 16
    on_grid = np.log10(10 ** (6 + 0.3 * grid) + 10 ** (5 + rate[:, None] * np.maximum(grid - 1, 0)))
    exact = np.stack([np.interp(YEARS - late, grid, row) for late, row in zip(by, on_grid, strict=True)])
    np.testing.assert_allclose(run["trajectories/quantity_this"].values, exact, rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    "of",
    [
        {"highest": {**A, "volatility": {"value": 0.3, "unit": "OOM/year"}}},
        {"accumulation": A, "start": {"interval_90": [1, 2], "unit": "J"}, "at": 1990},
    ],
)
def test_a_drawn_lag_of_what_is_held_on_a_grid_is_the_same_however_many_samples_there_are(of: Any) -> None:
    """Of so many months samples are projected in pieces, whose longest and shortest lags differ."""
    lagged = {"lag": {"of": of, "by": {"interval_90": [0.5, 3], "unit": "year"}}}
    changes = {"quantities": {"this": lagged}, "years": {"first": 2025, "last": 2055, "step": "month"}, "block": 100}
    few, many = (run_of(small_scenario({**changes, "samples": samples})) for samples in (100, 300))
    found = many["trajectories/quantity_this"].values[:100]
    np.testing.assert_array_equal(found, few["trajectories/quantity_this"].values)


OWN = {
    "drivers": {
        "spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": "10x/year"},
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "1.5x/year"},
        "algorithms": {"growth": "3x/year"},
    },
    "samples": 1,
}


def own(changes: dict[str, Any], name: str = "quantity_this") -> np.ndarray:
    """Give a variable of a scenario whose drivers are told apart."""
    return 10 ** np.asarray(run_of(small_scenario({**OWN, **changes}))[f"trajectories/{name}"].values[0], dtype=float)


@pytest.mark.parametrize(
    ("stated", "exact"),
    [
        ({"product": ["spending", 2]}, 2e8 * 10**YEARS),
        ({"ratio": ["effective_compute", "physical_compute"]}, 3**YEARS),
        ({"lag": {"of": "physical_compute", "by": "2 years"}}, 1e26 * 15 ** (YEARS - 2)),
        ({"power": [{"ratio": ["physical_compute", {"value": 120, "unit": "FLOP/parameter^2"}]}, 0.5]},
         np.sqrt(1e26 * 15**YEARS / 120)),
    ],
)  # fmt: skip
def test_quantities_are_made_of_the_scenarios_own_variables(stated: Any, exact: np.ndarray) -> None:
    np.testing.assert_allclose(own({"quantities.this": stated}), exact, rtol=1e-5)


def test_what_is_spent_over_the_years_is_the_integral_of_spending() -> None:
    yearly = {"ratio": ["spending", {"value": 1, "unit": "year"}]}
    spent = own({"quantities.this": {"accumulation": yearly, "start": {"value": 1e8, "unit": "USD"}}})
    np.testing.assert_allclose(spent, 1e8 * (1 + (10**YEARS - 1) / np.log(10)), rtol=1e-5)


@pytest.mark.parametrize("by", [1, 0.5, 2.5, 0.0625])
def test_a_cap_may_follow_from_what_was_spent_before(by: float) -> None:
    """Spending is at most twice what it was: before the first year it grew tenfold a year, without limits."""
    cap = {"limit": {"product": [{"lag": {"of": "spending", "by": f"{by} years"}}, 2]}}
    found = own({"drivers.spending.caps": {"follows": cap}}, "spending")

    def exact(t: float) -> float:
        return 10**t if t < 0 else min(10**t, 2 * exact(t - by))

    np.testing.assert_allclose(found, [1e8 * exact(t) for t in YEARS], rtol=1e-5)


def test_a_drawn_lag_of_spending_within_its_own_cap_is_followed_in_every_sample() -> None:
    cap = {"limit": {"product": [{"lag": {"of": "spending", "by": {"uniform": [1.6, 1.9], "unit": "year"}}}, 2]}}
    run = run_of(small_scenario({**OWN, "drivers.spending.caps": {"follows": cap}, "samples": 4}))
    by = run["parameters/drivers.spending.caps.follows.limit.product[0].lag.by"].values

    def exact(t: float, by: float) -> float:
        return 10**t if t < 0 else min(10**t, 2 * exact(t - by, by))

    found = 10 ** run["trajectories/spending"].values.astype(float)
    np.testing.assert_allclose(found[:, :4], [[1e8 * exact(t, each) for t in YEARS[:4]] for each in by], rtol=1e-4)
