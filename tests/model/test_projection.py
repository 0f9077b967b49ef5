"""Whole scenarios against closed forms: fans, limits, feedback, capability, what binds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from scipy.integrate import solve_ivp

from simulator import parse_scenario
from simulator.errors import InputError
from simulator.model.fine_grid import FINE_STEPS
from simulator.model.projection import year_grid
from simulator.model.saturation import logistic_saturation, under_limits
from simulator.runs.growth_by_driver import mean_contributions
from simulator.runs.summary import summary_lines
from simulator.schema.subjects import binding_names
from simulator.testing import run_of, scenario_text, small_scenario

FLOAT32 = 4e-6
YEARS = np.arange(11.0)


def levels(changes: dict[str, Any], name: str = "effective_compute") -> np.ndarray:
    """Give the one trajectory of a scenario without uncertainty."""
    fixed = {"drivers.compute.start": 1e26, "drivers.compute.growth": {"value": 0.5, "unit": "OOM/year"}, "samples": 1}
    run = run_of(small_scenario({**fixed, **changes}))
    return np.asarray(run["trajectories"][name].values[0], dtype=float)


@pytest.mark.parametrize(
    ("first", "last", "step", "expected"),
    [
        (2025, 2028, "year", [2025, 2026, 2027, 2028]),
        (2025.5, 2027.25, "year", [2025.5, 2026, 2027, 2027.25]),
        (2025.9, 2026.5, "quarter", [2025.9, 2026, 2026.25, 2026.5]),
        (2025, 2025 + 1 / 4, "month", [2025, 2025 + 1 / 12, 2025 + 2 / 12, 2025.25]),
        (2025.1, 2025.2, "year", [2025.1, 2025.2]),
    ],
)
def test_the_years_are_the_first_every_calendar_step_and_the_last(
    first: float, last: float, step: str, expected: list[float]
) -> None:
    data = small_scenario({"years": {"first": first, "last": last, "step": step}})
    np.testing.assert_array_equal(year_grid(parse_scenario(scenario_text(data)).spec), expected)


def test_a_normal_start_and_a_normal_rate_give_a_normal_fan() -> None:
    run = run_of(small_scenario({"samples": 16_384, "block": 1024}))
    values, errors = run["summary/effective_compute"], run["summary/effective_compute_error"]
    normal = stats.norm.ppf(values["quantile"].values)[:, None]
    exact = 26 + 0.5 * YEARS + normal * np.hypot(np.log10(4) / stats.norm.ppf(0.95), 0.1 * YEARS)
    # 275 numbers, each with an error known from 16 blocks: Student t with 15 degrees of freedom.
    assert (np.abs(values.values - exact) <= 5.5 * errors.values + FLOAT32).all()


def test_growth_in_regimes_is_the_sum_of_what_each_gives() -> None:
    growth = [
        {"rate": {"value": 4, "unit": "x/year"}},
        {"from": 2027.5, "rate": {"value": 0.25, "unit": "OOM/year"}},
        {"from": 2031, "rate": {"value": 12, "unit": "months/doubling"}},
    ]
    exact = (
        26
        + np.log10(4) * np.minimum(YEARS, 2.5)
        + 0.25 * np.clip(YEARS - 2.5, 0, 3.5)
        + np.log10(2) * np.maximum(YEARS - 6, 0)
    )
    np.testing.assert_allclose(levels({"drivers.compute.growth": growth}), exact, rtol=0, atol=FLOAT32)


def test_a_uniform_date_of_change_gives_a_piecewise_linear_mixture() -> None:
    growth = [{"rate": {"value": 1.0, "unit": "OOM/year"}}, {"from": {"uniform": [2027, 2031]}, "rate": "1.0x/year"}]
    run = run_of(small_scenario({"drivers.compute.start": 1e26, "drivers.compute.growth": growth, "samples": 4096}))
    last = run["summary/effective_compute"].isel(year=-1)
    # Growth stops at a date that is uniform on 2 to 6 years after the start; a stratified draw is off by 1 / block.
    np.testing.assert_allclose(last.values, 28 + 4 * last["quantile"].values, rtol=0, atol=4 / 256)


@pytest.mark.parametrize("kind", ["hard", "exponential", "logistic", "gompertz"])
def test_each_law_of_saturation_holds_through_a_whole_scenario(kind: str) -> None:
    v, limit = 10.0 ** (0.5 * YEARS), 1e3
    exact = {
        "hard": np.minimum(v, limit),
        "exponential": limit * -np.expm1(-v / limit),
        "logistic": v / (1 + v / limit),
        "gompertz": limit * (1 / limit) ** np.exp(-np.log(v) / np.log(limit)),
    }[kind]
    cap = {"kind": kind, "limit": {"value": 1e29, "unit": "FLOP"}}
    np.testing.assert_allclose(levels({"drivers.compute.caps.cap": cap}), 26 + np.log10(exact), rtol=0, atol=FLOAT32)
    algorithms = {"growth": {"value": 0.5, "unit": "OOM/year"}, "caps": {"cap": {"kind": kind, "limit": 1e3}}}
    found = levels({"drivers.algorithms": algorithms}, "algorithms")
    np.testing.assert_allclose(found, np.log10(exact), rtol=0, atol=FLOAT32)
    factors = {"one": algorithms, "two": {"growth": {"value": 0.1, "unit": "OOM/year"}}}
    found = levels({"drivers.algorithms": {"factors": factors}}, "algorithms")
    np.testing.assert_allclose(found, np.log10(exact) + 0.1 * YEARS, rtol=0, atol=FLOAT32)


def test_spending_times_hardware_times_algorithms() -> None:
    changes = {
        "drivers": {
            "spending": {"start": {"value": 2e8, "unit": "USD"}, "growth": "3x/year"},
            "hardware": {
                "factors": {
                    "price-performance": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "1.4x/year"},
                    "precision": {"growth": [{"rate": "2x/year"}, {"from": 2027, "rate": "1x/year"}]},
                }
            },
            "algorithms": {"growth": {"value": 6, "unit": "months/halving of requirement"}},
        }
    }
    run = run_of({**small_scenario(), **changes, "samples": 1})["trajectories"]
    spending, hardware = 2e8 * 3**YEARS, 1e18 * 1.4**YEARS * 2 ** np.minimum(YEARS, 2)
    for name, exact in {
        "spending": spending, "hardware": hardware, "algorithms": 4.0**YEARS,
        "physical_compute": spending * hardware, "effective_compute": spending * hardware * 4.0**YEARS,
        "hardware_factor_precision": 2 ** np.minimum(YEARS, 2),
    }.items():  # fmt: skip
        np.testing.assert_allclose(run[name].values[0], np.log10(exact), rtol=0, atol=FLOAT32, err_msg=name)


def test_without_algorithms_effective_compute_is_physical_compute() -> None:
    run = run_of(small_scenario())["trajectories"]
    np.testing.assert_array_equal(run["effective_compute"], run["physical_compute"])


def test_a_level_that_holds_at_another_year_is_carried_to_the_first() -> None:
    np.testing.assert_allclose(levels({"drivers.compute.at": 2027}), 26 + 0.5 * (YEARS - 2), rtol=0, atol=FLOAT32)


def test_the_limit_that_leaves_the_least_binds_and_is_named() -> None:
    caps = {
        "low": {"limit": {"start": {"value": 1e28, "unit": "FLOP"}, "growth": {"value": 0.3, "unit": "OOM/year"}}},
        "high": {"limit": {"value": 1e29, "unit": "FLOP"}},
    }
    run = run_of(small_scenario({"drivers.compute.start": 1e26, "drivers.compute.caps": caps, "samples": 1,
                                 "drivers.compute.growth": {"value": 0.75, "unit": "OOM/year"}}))  # fmt: skip
    binding = run["trajectories/binding_physical_compute"]
    assert binding.attrs["flag_meanings"] == "none high low"
    assert binding.attrs["flag_values"].tolist() == [0, 1, 2]
    # Demand 26 + 0.75 t meets the low cap, 28 + 0.3 t, at 4.4 years; 29 lies below it from 3.3 years on: so it binds
    # alone from 4 years, when demand reaches it.
    assert binding.values[0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]
    shares = run["summary/binding_physical_compute_share"]
    assert shares["limit_physical_compute"].values.tolist() == ["high", "low"]
    np.testing.assert_array_equal(shares.sel(limit_physical_compute="high"), binding.values[0] == 1)


def test_under_limits_by_hand() -> None:
    demanded = np.array([[1.0, 2.0, 3.0, 4.0]])
    limits = {"b": ("hard", np.full((1, 4), 3.0)), "a": ("logistic", np.full((1, 4), 3.5))}
    capped = under_limits(demanded, limits, start=demanded[:, :1], followed={})
    bent = logistic_saturation(demanded, np.array(3.5))
    np.testing.assert_array_equal(capped.capped, np.minimum(np.minimum(demanded, 3.0), bent))
    assert capped.binding.tolist() == [[0, 0, 2, 2]]
    np.testing.assert_array_equal(capped.demanded, demanded)


def test_a_cap_on_a_factor_binds_and_takes_away_what_growth_demands() -> None:
    """Growth alone gives 0.128 OOM a year, 1.28 in ten; the wall stands 0.9 above the start and is met after 7.03."""
    wall = {"limit": {"value": 10.0**0.9, "unit": "1"}}
    factors = {
        "price": {"start": {"value": 1, "unit": "1"}, "growth": {"value": 0.128, "unit": "OOM/year"}, "caps": {"wall": wall}},
        "rest": {"start": {"value": 1e26, "unit": "FLOP"}},
    }  # fmt: skip
    drivers = {"drivers.compute.factors": factors, "drivers.compute.start": None, "drivers.compute.growth": None}
    run = run_of(small_scenario({**drivers, "samples": 1}))
    levels, name = run["trajectories"], "compute_factor_price"
    assert levels[f"binding_{name}"].values[0].tolist() == [0] * 8 + [1] * 3
    assert levels[f"binding_{name}"].attrs["flag_meanings"] == "none wall"
    assert levels[f"cap_{name}_wall"].attrs["long_name"] == "cap on compute factor price: wall"
    np.testing.assert_allclose(levels[f"{name}_demanded"].values[0], 0.128 * YEARS, rtol=0, atol=1e-6)
    np.testing.assert_allclose(levels[name].values[0], np.minimum(0.128 * YEARS, 0.9), rtol=0, atol=1e-6)
    assert run[f"summary/binding_{name}_share"].values[0].tolist() == [0.0] * 8 + [1.0] * 3
    parts = mean_contributions(run).isel(year=-1)
    assert float(parts.sel(part=name)) == pytest.approx(1.28, abs=1e-5)
    assert float(parts.sel(part=f"limits_{name}")) == pytest.approx(-0.38, abs=1e-5)
    assert summary_lines(run)[-1].startswith("  binds at 2035.0 (end of 2034) - compute factor price: wall")


def test_a_cap_on_a_level_within_a_quantity_binds() -> None:
    grown = {"start": {"value": 1, "unit": "1"}, "growth": {"value": 1, "unit": "OOM/year"},
             "caps": {"top": {"limit": {"value": 1e3, "unit": "1"}}}}  # fmt: skip
    chips = {"product": [{"value": 1e24, "unit": "FLOP"}, grown]}
    run = run_of(small_scenario({"quantities.chips": chips, "constraints.chips": {"limit": "chips"}, "samples": 1}))
    name = "quantity_chips_product_1"
    levels = run["trajectories"]
    assert levels[f"binding_{name}"].values[0].tolist() == [0, 0, 0] + [1] * 8
    np.testing.assert_array_equal(levels[name].values[0], np.minimum(YEARS, 3))
    np.testing.assert_array_equal(levels[f"{name}_demanded"].values[0], YEARS)
    np.testing.assert_allclose(levels["quantity_chips"].values[0], 24 + np.minimum(YEARS, 3), rtol=0, atol=FLOAT32)


@pytest.mark.parametrize("step", ["year", "quarter"])
@pytest.mark.parametrize(("first", "at"), [(2025, 2025), (2012, 2025), (2030, 2025), (2025, 2027)])
def test_a_gompertz_limit_that_moves_is_the_equation(first: float, at: float, step: str) -> None:
    """From 1e8 in the year of the start, 3x a year under 1e10 growing 1.5x: 10.483 after ten years, by SciPy too."""
    limit = {"start": {"value": 1e10, "unit": "FLOP"}, "at": at, "growth": "1.5x/year"}
    caps = {"moving": {"kind": "gompertz", "limit": limit}}
    changes = {"start": 1e8, "at": at, "growth": "3x/year", "caps": caps}
    data = small_scenario({f"drivers.compute.{key}": value for key, value in changes.items()})
    data |= {"years": {"first": first, "last": at + 10, "step": step}, "samples": 1}
    run = run_of(data)["trajectories/physical_compute"]

    def slope(time: float, level: np.ndarray) -> np.ndarray:
        top = 10 + np.log10(1.5) * time
        return np.log10(3) * np.minimum(1, (top - level) / (top - 8))

    exact = solve_ivp(slope, (0, 10), [8.0], rtol=1e-10, atol=1e-10, dense_output=True).sol
    years = run["year"].values
    after = years >= at
    np.testing.assert_allclose(run.values[0][after], exact(years[after] - at)[0], rtol=0, atol=3e-5)
    np.testing.assert_allclose(run.values[0][~after], 8 + np.log10(3) * (years[~after] - at), rtol=0, atol=3e-5)
    assert float(run.sel(year=at + 10)[0]) == pytest.approx(10.483128, abs=3e-5)


def test_a_fixed_gompertz_limit_starts_where_the_start_holds() -> None:
    caps = {"top": {"kind": "gompertz", "limit": {"value": 1e30, "unit": "FLOP"}}}
    start = {"drivers.compute.start": 1e24, "drivers.compute.at": 2023, "drivers.compute.growth": "3.0x/year"}
    found = {}
    for first in (2012, 2023):
        data = small_scenario(
            {**start, "drivers.compute.caps": caps, "samples": 1, "years.first": first, "years.last": 2050}
        )
        found[first] = float(run_of(data)["trajectories/physical_compute"].sel(year=2050)[0])
    expected = 30 - 6 * np.exp(-27 * np.log10(3) / 6)
    assert found == {2012: pytest.approx(expected, abs=FLOAT32), 2023: pytest.approx(expected, abs=FLOAT32)}


def test_a_constraint_and_a_cap_stand_under_their_names() -> None:
    limit = {"limit": {"value": 1e28, "unit": "FLOP"}}
    data = small_scenario({"drivers.compute.caps.cap": limit, "constraints.power": limit})
    assert binding_names(parse_scenario(scenario_text(data)).spec) == {"binding_physical_compute": ("cap", "power")}
    run = run_of(data)["trajectories"]
    assert {"cap_physical_compute_cap", "constraint_power", "physical_compute_demanded"} <= set(run.data_vars)


def test_a_cap_and_a_constraint_of_one_name_are_not_confused() -> None:
    """Both limit physical compute: one would silently stand in for the other."""
    narrow, wide = ({"limit": {"value": value, "unit": "FLOP"}} for value in (1e27, 1e30))
    data = small_scenario({"drivers.compute.caps.power": narrow, "constraints.power": wide})
    with pytest.raises(InputError, match=r"constraints\.power: has the name of a cap on compute"):
        run_of(data)


def feedback(multipliers: Any, rate: float = 0.3) -> dict[str, Any]:
    points = [{"at": at, "multiplier": by} for at, by in zip((1e26, 1e30), multipliers, strict=True)]
    return {"growth": {"value": rate, "unit": "OOM/year"}, "feedback": points}


def test_a_multiplier_of_1_changes_nothing_and_one_of_2_doubles_the_growth() -> None:
    plain = levels({"drivers.algorithms": {"growth": {"value": 0.3, "unit": "OOM/year"}}}, "algorithms")
    one, two = (levels({"drivers.algorithms": feedback((by, by))}, "algorithms") for by in (1, 2))
    np.testing.assert_allclose(one, plain, rtol=0, atol=1e-6)
    np.testing.assert_allclose(two, 2 * plain, rtol=0, atol=1e-6)


def test_feedback_follows_the_differential_equation() -> None:
    """d a/dt = 0.3 10^(share log10 5), share = (26 + 0.5 t + a - 26) / 4 within 0 and 1; SciPy at a tolerance of 1e-10."""

    def slope(time: float, algorithms: np.ndarray) -> np.ndarray:
        return 0.3 * 5.0 ** np.clip((0.5 * time + algorithms) / 4, 0, 1)

    exact = solve_ivp(slope, (0, 10), [0.0], t_eval=YEARS, rtol=1e-10, atol=1e-10, max_step=0.05).y[0]
    found = levels({"drivers.algorithms": feedback((1, 5))}, "algorithms")
    # Heun's method is of second order; the kink where the multiplier stops rising costs another half step^2 of slope.
    np.testing.assert_allclose(found, exact, rtol=0, atol=0.25 / FINE_STEPS**2)
    assert exact[-1] > 8


def test_feedback_on_compute_itself_and_under_a_cap() -> None:
    cap = {"limit": {"value": 1e28, "unit": "FLOP"}}
    driver = {"start": 1e26, "caps": {"cap": cap}, **feedback((1, 3), rate=0.5)}
    found = levels({"drivers.compute": driver}, "physical_compute_demanded")
    # Once the cap binds, effective compute stays at 10^28, half way: the multiplier is sqrt 3.
    np.testing.assert_allclose(np.diff(found)[-5:], 0.5 * np.sqrt(3), rtol=0, atol=1e-5)


def test_feedback_of_an_uncertain_multiplier_on_a_certain_driver() -> None:
    points = [{"at": 1e20, "multiplier": 1}, {"at": 1e21, "multiplier": {"uniform": [1.0, 4.0]}}]  # long passed
    driver = {"growth": {"value": 0.3, "unit": "OOM/year"}, "feedback": points}
    changes = {"drivers.algorithms": driver, "drivers.compute.start": 1e26, "drivers.compute.growth": "1.0x/year"}
    run = run_of(small_scenario(changes))
    log_multiplier = run["parameters/drivers.algorithms.feedback[1].multiplier"].values[:, None]
    np.testing.assert_allclose(run["trajectories/algorithms"].values, 0.3 * YEARS * 10**log_multiplier, rtol=1e-5)


@pytest.mark.parametrize(
    ("form", "exact"),
    [
        ({"kind": "gain-per-doubling", "gain": 1.1}, lambda c: 1.1 ** (np.log2(10) * (c - 26))),
        (
            {"kind": "gain-per-doubling", "gain": 2, "reference": {"value": 1e27, "unit": "FLOP"}},
            lambda c: 10 ** (c - 27),
        ),
        (
            {"kind": "power-law-loss", "irreducible": 1.69, "scale": 400, "exponent": 0.1},
            lambda c: 1.69 + 400 * 10 ** (-0.1 * c),
        ),
        (
            {"kind": "logistic", "midpoint": {"value": 1e28, "unit": "FLOP"}, "slope": 2, "floor": 0.25},
            lambda c: 0.25 + 0.75 / (1 + np.exp(-2 * (c - 28))),
        ),
        (
            {"kind": "logistic", "midpoint": {"value": 1e28, "unit": "FLOP"}, "slope": 2, "ceiling": 90.0},
            lambda c: 90 / (1 + np.exp(-2 * (c - 28))),
        ),
    ],
)
def test_each_form_of_capability(form: dict[str, Any], exact: Any) -> None:
    found = levels({"capability": {"name": "score", **form}}, "capability")
    np.testing.assert_allclose(found, exact(26 + 0.5 * YEARS), rtol=1e-9)


def test_capability_may_stand_on_physical_compute() -> None:
    algorithms = {"growth": "10x/year"}
    form = {"name": "score", "kind": "gain-per-doubling", "gain": 2, "of": "physical_compute"}
    found = levels({"capability": form, "drivers.algorithms": algorithms}, "capability")
    np.testing.assert_allclose(found, 10 ** (0.5 * YEARS), rtol=1e-9)


def test_nothing_overflows_far_from_a_limit() -> None:
    caps = {
        kind: {"kind": kind, "limit": {"value": 1e27, "unit": "FLOP"}}
        for kind in ("hard", "exponential", "logistic", "gompertz")
    }
    growth = {"value": 30, "unit": "OOM/year"}
    found = levels({"drivers.compute.growth": growth, "drivers.compute.caps": caps})
    assert found[0] == pytest.approx(26, abs=0.05)
    assert found[-1] == pytest.approx(27, abs=1e-5)
    assert isinstance(run_of(small_scenario({"drivers.compute.growth": growth}), keep="summary"), xr.DataTree)
