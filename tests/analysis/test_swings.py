"""Swings of inputs: their laws, censored outcomes, and what is said of them."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtri
from scipy.stats import norm

from simulator.analysis.evaluation import Input, evaluate, inputs_of, model_of
from simulator.analysis.inputs import common_draws, direction_of, moved_alone, moved_by, moved_error, moved_to
from simulator.analysis.outcomes import Outcome, parse_outcome
from simulator.analysis.swings import forecast_outcomes, is_seen, narrowing_text, prior_swings, rest_text, swing_text
from simulator.errors import InputError
from simulator.model import projection
from simulator.scenario.load import load_scenario, parse_scenario
from simulator.scenario.resolving import Scenario
from simulator.testing import scenario_text, small_scenario

UNUSED = {"quantities": {"unused": {"median": 5, "interval_90": [1, 25], "unit": "USD"}}}
NEAR = {"thresholds": {"near": {"effective_compute": 1e29}, "far": {"effective_compute": 1e40}}}
LEVEL = [parse_outcome("effective_compute@2035")]


def scenario(changes: dict[str, Any] | None = None) -> Scenario:
    return parse_scenario(scenario_text(small_scenario(changes)))


def correlated(rank: float) -> Scenario:
    pair = {"between": ["drivers.compute.start", "drivers.compute.growth"], "rank": rank}
    return scenario({"correlations": [pair]})


def swings_of(given: Scenario, outcome: str, **options: Any) -> dict[str, dict[str, Any]]:
    found = prior_swings(given, outcomes=[parse_outcome(outcome)], **options)
    return {row["input"]: row for row in found.tables()["swings"].rows()}


def test_with_the_others_at_their_medians_a_swing_is_that_of_the_closed_form() -> None:
    rows = swings_of(scenario(), "effective_compute@2035", mode="fixed")
    z = float(ndtri(0.9))
    assert rows["drivers.compute.growth"]["base"] == pytest.approx(31.0)
    assert rows["drivers.compute.growth"]["upper"] == pytest.approx(31.0 + 10 * 0.1 * z)
    spread = math.log10(16) / (2 * norm.ppf(0.95))
    assert rows["drivers.compute.start"]["swing"] == pytest.approx(2 * z * spread)


def test_with_the_others_free_the_conditional_median_is_that_of_the_closed_form() -> None:
    rows = swings_of(correlated(0.6), "effective_compute@2035", samples=4096)
    z, r = float(ndtri(0.9)), 2 * math.sin(math.pi * 0.6 / 6)
    spread = math.log10(16) / (2 * norm.ppf(0.95))
    expected = 31.0 + z * (1.0 + r * spread)  # the start is drawn given the growth
    row = rows["drivers.compute.growth"]
    assert row["upper"] == pytest.approx(expected, abs=0.03)
    assert row["moves_along"] == "drivers.compute.start"
    assert row["standard_error"] < 0.03


@pytest.mark.parametrize("mode", ["free", "fixed"])
def test_an_input_that_nothing_uses_swings_by_0_exactly(mode: str) -> None:
    row = swings_of(scenario(UNUSED), "effective_compute@2035", mode=mode)["quantities.unused"]
    assert row["swing"] == 0.0
    assert row["lower"] == row["upper"] == row["base"]
    assert row["lower_value"] == "$1.43"
    assert mode == "fixed" or (row["removed"] == row["base"] and row["narrowing"] == 0.0)


@pytest.mark.parametrize("mode", ["free", "fixed"])
def test_the_swing_of_an_input_of_which_more_gives_more_is_positive(mode: str) -> None:
    level = swings_of(load_scenario("baseline"), "effective_compute@2045", mode=mode, samples=256)
    years = swings_of(load_scenario("baseline"), "restricted:1e30-run", mode=mode, samples=256)
    for name in ("drivers.algorithms.growth", "drivers.algorithms.caps.headroom.limit"):
        assert level[name]["swing"] > 0.0
    for name in ("drivers.spending.start", "constraints.power.limit.product[3]"):
        assert years[name]["swing"] <= 0.0
    assert min(float(row["swing"]) for row in level.values() if not row["moves_along"]) >= 0.0


def test_the_same_scenario_twice_has_the_same_swings() -> None:
    first, second = (prior_swings(load_scenario("baseline"), samples=128) for _ in range(2))
    xr.testing.assert_identical(first.dataset, second.dataset)


def test_fixing_the_only_uncertain_input_leaves_no_interval() -> None:
    rows = swings_of(scenario({"drivers.compute.start": {"value": 1e26, "unit": "FLOP"}}), "effective_compute@2035")
    assert [row["narrowing"] for row in rows.values()] == [1.0]
    assert next(iter(rows.values()))["removed"] == pytest.approx(31.0)


def test_an_end_that_is_not_crossed_is_kept_and_ordered() -> None:
    rows = swings_of(scenario(NEAR | {"drivers.compute.growth.mean": 0.3, "drivers.compute.growth.sd": 0.05}),
                     "crossing:near", mode="fixed")  # fmt: skip
    row = rows["drivers.compute.growth"]
    assert row["lower"] == math.inf
    assert row["swing"] == -math.inf
    assert row["at_least"] == pytest.approx(2035 - row["upper"])


def test_an_outcome_later_than_the_horizon_whatever_moves_is_said() -> None:
    found = prior_swings(scenario(NEAR), outcomes=[parse_outcome("crossing:far")], samples=256)
    assert {row["swing"] for row in found.tables()["swings"].rows()} == {None}
    assert "Not crossed by 2035 in any sample." in "\n".join(found.lines())
    late = scenario(NEAR | {"drivers.compute.growth.mean": 0.15})
    found = prior_swings(late, outcomes=[parse_outcome("crossing:near")], samples=256)
    assert "Later than 2035 wherever an input is moved" in "\n".join(found.lines())


def test_an_outcome_that_is_the_same_in_all_samples_is_said() -> None:
    passed = scenario({"thresholds": {"low": {"effective_compute": 1e10}}})
    for mode in ("free", "fixed"):
        found = prior_swings(passed, outcomes=[parse_outcome("crossing:low")], mode=mode, samples=64)
        said = "\n".join(found.lines())
        assert "It is the same" in said
        assert "as it is passed at the start" in said


def test_the_outcomes_that_are_chosen_leave_out_what_is_passed_at_the_start() -> None:
    model = model_of(
        scenario({"thresholds": {"low": {"effective_compute": 1e10}, "near": {"effective_compute": 1e29}}})
    )
    assert forecast_outcomes(model, common_draws(model, 64))[-1].text == "crossing:near"


def test_moving_an_input_moves_what_is_correlated_with_it_by_its_correlation() -> None:
    joint = correlated(0.6).joint
    draws = common_draws(model_of(correlated(0.6)), 512)
    growth = Input("drivers.compute.growth", ("drivers.compute.growth",))
    found = direction_of(joint, growth)
    assert {each.name: each.slope for each in found}["drivers.compute.start"] == pytest.approx(
        2 * math.sin(math.pi * 0.6 / 6)
    )
    there = moved_to(joint, draws, growth, score=1.0)
    np.testing.assert_allclose(there["drivers.compute.growth"], 0.6)
    assert (moved_by(joint, draws, growth, step=0.0)["drivers.compute.start"] == pytest.approx(
        draws.values["drivers.compute.start"]))  # fmt: skip
    alone = moved_alone(joint, draws, growth, score=1.0)
    np.testing.assert_array_equal(alone["drivers.compute.start"], draws.values["drivers.compute.start"])


def test_the_yearly_shocks_of_a_drift_move_together() -> None:
    growth = {"mean": 0.5, "sd": 0.1, "unit": "OOM/year"}
    drifting = scenario({"drivers.compute.growth": growth, "drivers.compute.drift": 0.05})
    model = model_of(drifting)
    (shocks,) = [each for each in inputs_of(model) if len(each.members) > 1]
    draws = common_draws(model, 256)
    moved = moved_to(model.joint, draws, shocks, score=1.5)
    total = sum(moved[name] for name in shocks.members) / math.sqrt(len(shocks.members))
    np.testing.assert_allclose(total, 1.5, atol=1e-6)
    row = swings_of(drifting, "effective_compute@2035", samples=256)[shocks.name]
    assert row["swing"] > 0.0
    assert row["lower_value"] == "10 %"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": "loose"}, "--mode: must be free or fixed; got 'loose'"),
        ({"samples": 4}, "--samples: must be 8 at least; got 4"),
        ({"outcomes": [parse_outcome("efective_compute@2035")]}, "Did you mean 'effective_compute'"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        prior_swings(scenario(), **options)


def test_a_scenario_of_fixed_numbers_and_a_mixture_are_refused() -> None:
    fixed = scenario({"drivers.compute.start": 1e26, "drivers.compute.growth": "3x/year"})
    with pytest.raises(InputError, match="every prior is fixed"):
        prior_swings(fixed)
    with pytest.raises(InputError, match="Ask it of one of them"):
        prior_swings(load_scenario("views"))


def test_no_swing_is_written_as_nothing_with_a_sign() -> None:
    lines = prior_swings(load_scenario("baseline"), samples=256).lines()
    assert len(lines) > 20
    assert not any("-0.0 " in line or "+0.0 " in line or "0.00 ±" in line for line in lines)


def test_more_draws_than_can_be_held_are_refused_before_any_is_drawn():
    with pytest.raises(
        InputError, match=r"--samples: must be at most [0-9,]+ for [0-9]+ priors; got 1,000,000,000,000"
    ):
        prior_swings(load_scenario("baseline"), samples=10**12)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"swing": -1.25, "standard_error": 0.02, "at_least": 1.25}, "−1.2 ± <0.1 years"),
        ({"swing": math.inf, "standard_error": None, "at_least": 6.0}, "more than 6.0 years"),
        ({"swing": -math.inf, "standard_error": None, "at_least": 6.0}, "earlier by more than 6.0 years"),
        ({"swing": None, "standard_error": None, "at_least": 0.0, "lower": math.inf}, "not crossed at either"),
        ({"swing": None, "standard_error": None, "at_least": 0.0, "lower": 2025}, "passed at the start at either"),
        ({"swing": 0.0, "standard_error": 0.0, "at_least": 0.0}, "0"),
    ],
)
def test_a_swing_is_written_with_its_error_or_in_words(row: dict[str, Any], text: str) -> None:
    assert swing_text(row | {"unit": "year"}) == text


def test_a_swing_is_seen_where_it_is_more_than_0_as_it_is_written_and_than_twice_its_error() -> None:
    row = {"unit": "year", "swing": -0.06, "standard_error": None}
    assert [is_seen(row | {"at_least": size}) for size in (0.04, 0.06)] == [False, True]
    assert [is_seen(row | {"at_least": 0.06, "standard_error": error}) for error in (0.02, 0.04)] == [True, False]
    assert is_seen(row | {"at_least": 0.06, "swing": -math.inf, "standard_error": 0.04})


def test_what_fixing_does_and_what_is_not_named_is_said() -> None:
    texts = [narrowing_text(*each) for each in ((0.6, 0.02), (-0.02, None), (0.001, None), (0.05, 0.03), (1.0, 0.0))]
    assert texts == [
        "interval 60 ± 2 % narrower", "interval 2 % wider", "interval as wide", "interval as wide",
        "interval 100 % narrower",
    ]  # fmt: skip
    rows = [{"at_least": size, "swing": size, "unit": "log10(FLOP)", "lower": 30.0} for size in (0.12, 0.0)]
    assert rest_text(rows) == "2 more inputs, each by 0.12 OOM at most; 1 of them not at all"
    assert rest_text([]) == ""


def test_what_is_passed_at_the_start_is_no_date_that_an_input_moves() -> None:
    # In the first year the median is 1e26 and its 90 % quantile 3e26: the threshold lies between, so that moving the
    # start up ends before the first year, by no one knows how much.
    given = scenario({"thresholds": {"near": {"effective_compute": 1.5e26}}})
    for mode in ("fixed", "free"):
        found = prior_swings(given, outcomes=["crossing:near"], mode=mode, samples=256)
        row = next(row for row in found.tables()["swings"].rows() if row["input"] == "drivers.compute.start")
        assert row["upper"] == 2025.0
        assert row["swing"] == -math.inf
        assert row["at_least"] == pytest.approx(row["lower"] - 2025.0)
        said = "\n".join(found.lines())
        assert re.search(r"earlier by more than 1\.\d years  20\d\d\.\d to already in 2025\b", said)
        assert said.endswith("their orders may differ.")


def test_twice_its_error_holds_the_difference_of_two_medians_over_independent_replicates() -> None:
    rng, level = np.random.default_rng(9), LEVEL[0]
    held = [
        abs(level.middle(high) - level.middle(low) - 0.3) <= 2 * moved_error(level, low, high)
        for low, high in ((rng.normal(size=1024), rng.normal(0.3, 1, size=1024)) for _ in range(400))
    ]
    assert np.mean(held) == pytest.approx(0.954, abs=3 * math.sqrt(0.954 * 0.046 / 400))


def test_a_difference_has_an_error_where_a_replicate_is_censored_and_none_where_a_median_is() -> None:
    years = Outcome("crossing", "x")
    ordered = np.linspace(2030.0, 2040.0, 800)
    late = np.where(ordered > 2037.0, np.inf, ordered)  # the last two of eight replicates are later than the horizon
    # No sample changes sides of the median, and one might: 10 years for all of them, 1/80 for one.
    assert moved_error(years, late, late + 1.0) == pytest.approx(10 / 800, rel=0.01)
    assert moved_error(years, late, late) == 0.0
    assert math.isnan(moved_error(years, late, np.full(800, np.inf)))


@pytest.mark.parametrize(
    ("outcome", "is_counted"),
    [("effective_compute@2035", False), ("crossing:near", False), ("models_above_1e26@2035", True)],
)
def test_models_are_counted_only_where_an_outcome_is_of_them(
    outcome: str, is_counted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of swings that asked for no count, most of the time went into counting."""
    counted = {"models": {"largest_share": "0.1 fraction", "smallest": 5, "above": [1e26]}}
    asked, model_counts = list[Any](), projection.model_counts
    model, bare = model_of(scenario(counted | NEAR)), model_of(scenario(NEAR))

    def counting(*given: Any, **more: Any) -> Any:
        asked.append(given)
        return model_counts(*given, **more)

    monkeypatch.setattr(projection, "model_counts", counting)
    rng = np.random.default_rng(1)
    uniforms = {name: rng.random(16) for name in model.joint.uncertain}
    found = evaluate(model, uniforms, [parse_outcome(outcome)])
    assert bool(asked) == is_counted
    if not is_counted:
        np.testing.assert_array_equal(found, evaluate(bare, uniforms, [parse_outcome(outcome)]))
