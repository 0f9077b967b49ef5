"""Priors on the internal scale, against closed forms and SciPy; correlations as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from simulator import parse_scenario
from simulator.errors import ScenarioError, dotted
from simulator.priors.dependence import nearest_correlation, normal_correlation
from simulator.priors.joint import NamedPrior, joint_prior, named_prior
from simulator.schema.base import Faults
from simulator.schema.prior_names import Slot
from simulator.schema.statements import Prior
from simulator.testing import scenario_text, small_scenario

GRID = np.array([1e-6, 0.05, 0.3, 0.5, 0.7, 0.95, 1 - 1e-6])
Z90 = stats.norm.ppf(0.95)


def prior(stated: Any, kind: Any = "level", unit: str | None = None, *, never: bool = False) -> NamedPrior:
    return named_prior(Slot(("here",), Prior.model_validate(stated), kind, unit, never=never, asks=kind == "rate"))


def test_a_part_without_a_unit_hides_no_fault_of_its_mixture() -> None:
    without, below = {"weight": 1, "value": 3}, {"weight": 1, "value": -2, "unit": "x/year"}
    stated = {"mixture": [without, below, {**without, "never": 0.1}]}
    expected = [
        ("mixture[0]", "does not say its unit: 3 what?"),
        ("mixture[1].value", "must be above 0; got -2."),
        ("mixture[2]", "does not say its unit: 3 what?"),
        ("mixture[2].never", "cannot stand on one part of a mixture."),
    ]
    with pytest.raises(Faults) as alone:
        prior(stated, "rate")
    assert [(dotted(fault.path[1:]), fault.rule) for fault in alone.value.faults] == expected
    with pytest.raises(ScenarioError) as within:
        parse_scenario(scenario_text(small_scenario({"drivers.algorithms": {"growth": stated}})))
    place = "drivers.algorithms.growth."
    assert {(fault.entry.removeprefix(place), fault.rule) for fault in within.value.faults} == set(expected)


def test_a_statement_that_is_read_again_is_fitted_once_and_another_one_anew() -> None:
    stated = {"median": 3, "interval_90": [2, 5], "unit": "x/year"}
    first, again = prior(stated, "rate"), prior(dict(stated), "rate")
    assert again.stated is first.stated
    assert again.family is first.family
    rate = {"median": 3, "unit": "x/year"}
    for other in ({"interval_90": [2, 6]}, {"interval_80": [2, 5]}, {"interval_90": [2, 5], "truncated": [1, None]}):
        assert prior(rate | other, "rate").stated != first.stated


def test_an_interval_of_90_percent_has_5_percent_beyond_each_end() -> None:
    family = prior({"family": "lognormal", "interval_90": [0.004, 5]}).family
    assert 10 ** float(family.ppf(np.array(0.5))) == pytest.approx(0.1414, abs=5e-5)
    np.testing.assert_allclose(family.cdf(np.log10([0.004, 5])), [0.05, 0.95], atol=1e-12)


@pytest.mark.parametrize(
    ("stated", "exact"),
    [
        ({"value": 2.5, "unit": "x/year"}, np.log10(2.5)),
        ("2.5x/year", np.log10(2.5)),
        ("2.5 times per year", np.log10(2.5)),
        ({"value": 2.5, "unit": "factor/year"}, np.log10(2.5)),
        ({"value": 100, "unit": "%/year"}, np.log10(2)),
        ("100 percent/yr", np.log10(2)),
        ({"value": 0.4, "unit": "OOM/year"}, 0.4),
        ({"value": np.log(10), "unit": "ln/year"}, 1.0),
        ({"value": 6, "unit": "months/doubling"}, 2 * np.log10(2)),
        ({"value": 2, "unit": "years/doubling"}, np.log10(2) / 2),
        ({"value": 8, "unit": "months/halving of requirement"}, 1.5 * np.log10(2)),
        ({"value": 2, "unit": "years/halving of requirement"}, np.log10(2) / 2),
        ({"value": 8, "unit": "months/halving"}, -1.5 * np.log10(2)),
        ({"value": 2, "unit": "years/halving"}, -np.log10(2) / 2),
        ({"value": 10, "unit": "factor/2 years"}, 0.5),
        ("10 x/2 years", 0.5),
    ],
)
def test_every_unit_of_growth_becomes_orders_of_magnitude_a_year(stated: Any, exact: float) -> None:
    named = prior(stated, "rate")
    assert named.unit == "OOM/year"
    assert named.value == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(
    ("stated", "readings"),
    [
        (30, ("30 what?", "Is it 30 x/year, 30 %/year or 30 OOM/year?")),
        (
            {"median": 2.4, "interval_90": [1.6, 3.4]},
            ("1.6 to 3.4 what?", "Is it 1.6 to 3.4 x/year, 1.6 to 3.4 %/year or"),
        ),
        ({"uniform": [10, 30]}, ("10 to 30 what?", "10 to 30 %/year")),
        ({"uniform": [0, 30]}, ("0 to 30 what?", "0 to 30 %/year")),
    ],
)
def test_growth_without_a_unit_is_asked_for_it_with_each_reading(stated: Any, readings: tuple[str, str]) -> None:
    with pytest.raises(Faults) as caught:
        prior(stated, "rate")
    (fault,) = caught.value.faults
    assert fault.path == ("here",)
    assert fault.rule == f"does not say its unit: {readings[0]}"
    assert readings[1] in fault.remedy
    assert "Add unit: x/year (or percent/year, OOM/year)." in fault.remedy


@pytest.mark.parametrize(
    ("stated", "unit", "exact"),
    [
        ({"value": 3, "unit": "GW"}, "log10(J/s)", 9 + np.log10(3)),
        ({"value": 2, "unit": "day"}, "log10(s)", np.log10(172_800)),
        ({"value": 20, "unit": "%"}, "log10(1)", np.log10(0.2)),
        ({"value": 1, "unit": "chip/year"}, "log10(chip/s)", -np.log10(365.25 * 86_400)),
        ({"value": 1e18, "unit": "FLOP/USD"}, "log10(FLOP/USD)", 18.0),
    ],
)
def test_every_level_becomes_the_log10_of_base_units(stated: dict[str, Any], unit: str, exact: float) -> None:
    named = prior(stated)
    assert named.unit == unit
    assert named.value == pytest.approx(exact, rel=1e-12)


def test_dates_durations_and_numbers_are_kept_as_they_are() -> None:
    assert (prior({"value": 2027.5}, "date").value, prior({"value": 2027.5}, "date").unit) == (2027.5, "year")
    assert prior({"value": 18, "unit": "month"}, "duration").value == pytest.approx(1.5)
    assert (prior({"value": -2.5}, "number").value, prior({"value": -2.5}, "number").unit) == (-2.5, "1")


RATES: dict[str, dict[str, Any]] = {
    "lognormal": {"family": "lognormal", "median": 2.4, "interval_90": [1.6, 3.6], "unit": "x/year"},
    "doubling": {"family": "lognormal", "median": 7, "interval_90": [5, 9.8], "unit": "months/doubling"},
    "percent": {"mean": 30.0, "sd": 5.0, "unit": "%/year"},
    "halving": {"family": "lognormal", "median": 7, "interval_90": [5, 9.8], "unit": "months/halving"},
    "uniform": {"uniform": [1.5, 4], "unit": "x/year"},
    "OOM": {"mean": 0.4, "sd": 0.1, "unit": "OOM/year"},
}


@pytest.mark.parametrize("stated", RATES.values(), ids=RATES)
def test_quantiles_probabilities_and_densities_agree_on_the_internal_scale(stated: dict[str, Any]) -> None:
    family = prior(stated, "rate").family
    inner = np.linspace(0.01, 0.99, 25)
    values = family.ppf(inner)
    assert (np.diff(values) > 0).all()
    np.testing.assert_allclose(family.cdf(values), inner, atol=1e-9)
    step = 1e-5 * (values[-1] - values[0])
    slope = (family.cdf(values + step) - family.cdf(values - step)) / (2 * step)
    np.testing.assert_allclose(np.exp(family.logpdf(values)), slope, rtol=1e-4)
    low, high = family.ppf(np.array([1e-9, 1 - 1e-9]))
    mass = integrate.quad(lambda x: float(np.exp(family.logpdf(np.array(x)))), low, high, limit=200)[0]
    assert mass == pytest.approx(1, abs=1e-6)
    below, above = family.support
    assert below <= low < high <= above


@given(st.floats(1.05, 20), st.floats(1.01, 3))
def test_a_lognormal_factor_a_year_is_a_normal_rate(median: float, spread: float) -> None:
    stated = {
        "family": "lognormal",
        "median": median,
        "interval_90": [median / spread, median * spread],
        "unit": "x/year",
    }
    exact = stats.norm(np.log10(median), np.log10(spread) / Z90)
    np.testing.assert_allclose(prior(stated, "rate").family.ppf(GRID), exact.ppf(GRID), rtol=1e-7, atol=1e-9)


def test_a_lognormal_doubling_time_falls_as_growth_rises() -> None:
    stated = RATES["doubling"]
    family = prior(stated, "rate").family
    exact = np.log10(2) / (np.exp(stats.norm(np.log(7), np.log(1.4) / Z90).ppf(1 - GRID)) / 12)
    np.testing.assert_allclose(family.ppf(GRID), exact, rtol=1e-6)


def test_a_lognormal_halving_time_is_a_fall_that_slows_as_the_time_rises() -> None:
    family = prior(RATES["halving"], "rate").family
    exact = -np.log10(2) / (np.exp(stats.norm(np.log(7), np.log(1.4) / Z90).ppf(GRID)) / 12)
    np.testing.assert_allclose(family.ppf(GRID), exact, rtol=1e-6)
    assert family.support[1] == 0


TO_ZERO = [
    {"uniform": [0, 12]}, {"triangular": [0, 6, 12]}, {"family": "gamma", "mean": 12, "sd": 10},
    {"family": "beta", "alpha": 1, "beta": 2, "lower": 0, "upper": 12},
    {"family": "normal", "mean": 12, "sd": 4}, {"family": "normal", "mean": 12, "sd": 4, "truncated": [0, None]},
    {"family": "metalog", "quantiles": {"0.05": 1, "0.5": 6, "0.95": 12}, "lower": 0},
]  # fmt: skip
AWAY_FROM_ZERO = [
    {"family": "lognormal", "median": 6, "interval_90": [1, 36]}, {"uniform": [1, 12]},
    {"family": "gamma", "mean": 12, "sd": 2}, {"quantiles": {"0.05": 3, "0.5": 6, "0.95": 12}},
    {"family": "normal", "mean": 12, "sd": 4, "truncated": [1, None]},
    {"family": "normal", "mean": 12, "sd": 1},
]  # fmt: skip


@pytest.mark.parametrize("unit", ["months/doubling", "years/halving", "years/halving of requirement"])
@pytest.mark.parametrize("stated", TO_ZERO, ids=str)
def test_a_doubling_time_that_comes_as_near_to_0_as_it_likes_is_refused(stated: dict[str, Any], unit: str) -> None:
    for told in (stated, {"mixture": [{"weight": 1, **stated}, {"weight": 3, "value": 12}]}):
        with pytest.raises(Faults, match=r"must keep away from 0|must stay above 0"):
            prior({**told, "unit": unit}, "rate")


@pytest.mark.parametrize("stated", AWAY_FROM_ZERO, ids=str)
def test_a_doubling_time_that_keeps_away_from_0_is_read(stated: dict[str, Any]) -> None:
    assert np.isfinite(prior({**stated, "unit": "months/doubling"}, "rate").family.ppf(GRID)).all()


@pytest.mark.parametrize("second", ["doubling", "percent", "OOM"])
def test_a_mixture_of_units_of_growth_mixes_on_the_internal_scale(second: str) -> None:
    parts = [{"weight": 3, **RATES["lognormal"]}, {"weight": 1, **RATES[second]}]
    family = prior({"mixture": parts}, "rate").family
    x = np.linspace(0.2, 0.8, 7)
    one, other = (prior(part, "rate").family.cdf(x) for part in (RATES["lognormal"], RATES[second]))
    np.testing.assert_allclose(family.cdf(x), 0.75 * one + 0.25 * other, atol=1e-9)
    np.testing.assert_allclose(family.cdf(family.ppf(GRID[1:-1])), GRID[1:-1], atol=1e-6)


def test_discrete_values_are_converted_one_by_one() -> None:
    family = prior({"discrete": {"values": [12, 6], "weights": [1, 3]}, "unit": "months/doubling"}, "rate").family
    found = family.ppf(np.array([0.1, 0.2, 0.3, 0.9]))
    np.testing.assert_allclose(found, np.log10(2) * np.array([1, 1, 2, 2]))


def test_the_mass_at_never_lies_above_every_level() -> None:
    family = prior({"family": "lognormal", "interval_90": [1e28, 1e32], "never": 0.2}, never=True).family
    found = family.ppf(np.array([0.4, 0.79, 0.81, 0.99]))
    assert found[0] == pytest.approx(30, abs=1e-9)
    assert np.isfinite(found[1])
    assert np.isposinf(found[2:]).all()


def test_what_was_understood_is_said_in_the_unit_of_the_file() -> None:
    assert "months/doubling" in prior(RATES["doubling"], "rate").understood
    assert prior("2.5x/year", "rate").understood == "2.5 x/year"


@pytest.mark.parametrize(
    ("stated", "unit", "text"),
    [
        (3.9e8, "USD", "390 million USD"),
        (5e10, "USD", "50 billion USD"),
        (1.17e14, "USD", "117 trillion USD"),
        (400, "USD", "400 USD"),
        ({"value": 0.3, "unit": "billion USD"}, "USD", "0.3 billion USD"),
        (2.5e9, "W", "2.5 GW"),
        ({"value": 2500, "unit": "MW"}, "W", "2500 MW"),
        (1.728e7, "s", "200 days"),
        (10, "s", "10 s"),
        (0.2, "1/year", "0.2 1/year"),
        ({"family": "lognormal", "median": 4e8, "interval_90": [2e8, 8e8], "truncated": [1e8, 1e10]}, "USD",
         "skewed lognormal from 100 to 10,000, median 400 (90 % 200 to 800) million USD"),
        ({"mixture": [{"weight": 1, "value": 1e9}, {"weight": 1, "value": 1e9}]}, "USD",
         "mixture of 2, median 1 (90 % 1 to 1) billion USD"),
        ({"mixture": [{"weight": 1, "value": 0.2}, {"weight": 1, "value": 0.2}]}, "1/year",
         "mixture of 2, median 0.2 (90 % 0.2 to 0.2) 1/year"),
    ],
)  # fmt: skip
def test_a_base_unit_becomes_the_one_that_people_use_and_the_files_own_stays(stated, unit, text) -> None:
    assert prior(stated, "level", unit).understood == text


def test_the_joint_prior_names_all_priors_and_those_that_are_uncertain() -> None:
    spec = parse_scenario(scenario_text(small_scenario({"thresholds.a": {"effective_compute": 1e30}}))).spec
    joint = joint_prior(spec)
    assert set(joint.priors) == {"drivers.compute.start", "drivers.compute.growth", "thresholds.a.effective_compute"}
    assert joint.uncertain == ("drivers.compute.start", "drivers.compute.growth")


@given(st.floats(-0.99, 0.99))
def test_the_normal_correlation_gives_back_the_rank_correlation(rank: float) -> None:
    normal = float(normal_correlation(np.array(rank)))
    assert 6 / np.pi * np.arcsin(normal / 2) == pytest.approx(rank, abs=1e-12)
    assert abs(normal) >= abs(rank) - 1e-12


@given(st.lists(st.floats(-0.99, 0.99), min_size=6, max_size=6))
def test_the_nearest_correlation_is_one_and_leaves_a_good_one_alone(entries: list[float]) -> None:
    matrix = np.eye(4)
    matrix[np.triu_indices(4, 1)] = entries
    matrix += np.triu(matrix, 1).T
    near = nearest_correlation(matrix)
    np.testing.assert_allclose(np.diag(near), 1, rtol=1e-12)
    assert np.linalg.eigvalsh(near).min() > 0
    if np.linalg.eigvalsh(matrix).min() > 1e-3:
        np.testing.assert_allclose(near, matrix, atol=1e-9)


def test_correlations_that_cannot_hold_together_are_refused_with_the_nearest_that_can() -> None:
    names = ["drivers.compute.start", "drivers.compute.growth", "thresholds.a.effective_compute"]
    ranks = [(0, 1, 0.9), (1, 2, 0.9), (0, 2, -0.9)]
    data = small_scenario({
        "thresholds.a": {"effective_compute": {"family": "lognormal", "interval_90": [1e28, 1e30]}},
        "correlations": [{"between": [names[i], names[j]], "rank": rank} for i, j, rank in ranks],
    })  # fmt: skip
    with pytest.raises(ScenarioError, match="not positive definite") as caught:
        parse_scenario(scenario_text(data))
    nearest = {}
    for line in str(caught.value).splitlines():
        if " instead of " in line:
            pair, _, numbers = line.strip().partition(": ")
            nearest[frozenset(pair.split(" with "))] = float(numbers.split()[0])
    assert len(nearest) == 3
    data["correlations"] = [{"between": sorted(pair), "rank": rank} for pair, rank in nearest.items()]
    parse_scenario(scenario_text(data))  # what is offered is accepted


def test_a_prior_that_may_be_never_is_told_in_the_unit_of_the_file() -> None:
    stated = {"median": 1e30, "interval_90": [1e28, 1e32], "never": 0.1}
    scenario = parse_scenario(scenario_text(small_scenario({"thresholds": {"some": {"effective_compute": stated}}})))
    said = scenario.joint.priors["thresholds.some.effective_compute"].understood
    assert "median 1e+30 (90 % 1e+28 to 1e+32)" in said
    assert "10 %" in said
    assert "onverted" not in said


def test_single_values_are_told_in_the_unit_of_the_file() -> None:
    read = prior({"discrete": {"values": [1e26, 1e27], "weights": [1, 2]}, "unit": "FLOP"})
    np.testing.assert_allclose(read.family.ppf(np.array([0.1, 0.9])), [26, 27])
    assert read.understood == "discrete, median 1e+27 (90 % 1e+26 to 1e+27) FLOP"
