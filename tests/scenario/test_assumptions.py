"""Every number of a scenario, and what was understood of it."""

import datetime as dt
from typing import Any

import numpy as np
import pytest

from simulator import load_scenario, simulate
from simulator.priors.composite import WithNever
from simulator.priors.families import Fixed, Normal, Uniform
from simulator.priors.joint import NamedPrior
from simulator.report.sources import correlations, limitations, quantities
from simulator.scenario.assumptions import assumptions, is_belief, knowledge, stated_name, statement
from simulator.scenario.documents import yaml_text
from simulator.scenario.library import shipped_names
from simulator.scenario.load import parse_scenario
from simulator.schema.prior_families import Distribution
from simulator.schema.statements import Prior
from simulator.testing import small_scenario
from simulator.wording import raised


@pytest.mark.parametrize("name", sorted(shipped_names("scenarios")))
def test_every_drawn_number_is_an_assumption_of_the_scenario(name):
    scenario = load_scenario(name, overrides=["samples=256"])
    if scenario.must_learn:
        pytest.skip("test_learning.py has its run")
    run = simulate(scenario)
    found = {each.path: each for each in assumptions(scenario)}
    drawn = run["parameters"].to_dataset()
    drawn = drawn.drop_vars([name for name in drawn.data_vars if not is_belief(str(name))])
    named = {name: name if name in found else stated_name(str(name)) for name in drawn.data_vars}
    assert set(named.values()) <= set(found)
    for path, values in drawn.data_vars.items():
        said = found[named[path]].statements
        if len(said) == 1 and np.isfinite(values.values).all():  # all parts of a mixture have it, and say the same
            assert said[0].is_fixed == (np.ptp(values.values) == 0)
            assert said[0].origin.get("source", "") == values.attrs.get("source", "")


def test_what_stands_in_a_list_under_a_name_is_told_once_and_what_actors_say_in_words():
    told = {each.path: each.words for each in assumptions(load_scenario("events"))}
    assert {path: words for path, words in told.items() if path.startswith("events.taiwan.effects")} == {
        "events.taiwan.effects[chips].rate": "war over Taiwan: chips: rate",
        "events.taiwan.effects[spending].recovers": "war over Taiwan: spending: recovers",
        "events.taiwan.effects[spending].times": "war over Taiwan: spending: times",
    }
    told = {each.path: each.words for each in assumptions(load_scenario("actors"))}
    assert told["actors.open-weights.lag"] == "Open weights: lag"


def test_a_label_that_begins_with_a_number_is_no_assumption():
    every = assumptions(
        load_scenario(small_scenario({"thresholds": {"t": {"label": "1e30 FLOP", "effective_compute": 1e30}}}))
    )
    assert [each.path for each in every if each.about == "thresholds"] == ["thresholds.t.effective_compute"]


def test_what_is_stated_has_the_same_assumptions_as_what_was_understood():
    scenario = load_scenario("feedback", overrides=["samples=256"])
    kept, summed = (assumptions(scenario, understood=understood) for understood in (True, False))
    assert [each.path for each in kept] == [each.path for each in summed]
    assert [each.statements[0].is_fixed for each in kept] == [each.statements[0].is_fixed for each in summed]


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ({"median": 2, "interval_90": [1, 4], "unit": "factor/year"}, "2 (90 %: 1 to 4) factor/year"),
        ({"interval_80": [1e10, 2e11], "unit": "USD"}, "80 %: 10¹⁰ to 2 × 10¹¹ USD"),
        ({"uniform": [2027, 2030]}, "2027 to 2030"),
        ({"quantiles": {"0.1": 1, "0.9": 5}, "lower": 0}, "10 %: 1, 90 %: 5, at least 0"),
        ({"median": 8, "truncated": [None, 9], "never": 0.07}, "8, at most 9, given that it happens, never with 7 %"),
        ({"value": 3, "unit": "1"}, "3"),
        (2030, "2030"),
    ],
)
def test_plain_data_are_put_into_words(entry, value):
    assert statement(entry).value == value


def prior(family: Distribution, scale: str, **stated: Any) -> NamedPrior:
    return NamedPrior("drivers.x", family, scale, Prior.model_validate({"value": 1, **stated}), family)


@pytest.mark.parametrize(
    ("read", "value", "shape"),
    [
        (prior(Fixed(1.0), "log10(1)", value=1, unit="1"), "1", ""),
        (prior(Fixed(1.2), "OOM/year", value=1.2), "1.2 OOM/year", ""),
        (prior(Fixed(1e30), "log10(FLOP)", value=1e30), "10³⁰ FLOP", ""),
        (prior(WithNever(Fixed(2030.0), 0.25), "year", value=2030), "2030 given that it happens, never with 25 %",
         "one number"),
        (prior(Normal(34.6, 3.0), "log10(FLOP)", value=None, median=34.6, interval_90=[29.7, 39.5], unit="log10(FLOP)"),
         "3.98 × 10³⁴ (90 %: 4.63 × 10²⁹ to 3.42 × 10³⁹) FLOP", "normal"),
        (prior(Uniform(399.9996, 400.0), "log10(1)", value=None, uniform=[399, 400], unit="log10(1)"),
         "10⁴⁰⁰ (90 %: 9.99 × 10³⁹⁹ to 10⁴⁰⁰)", "uniform"),
    ],
)  # fmt: skip
def test_what_was_understood_is_told_with_its_unit(read, value, shape):
    said = statement({}, read)
    assert (said.value, said.shape) == (value, shape)


def test_a_mixture_is_told_by_its_own_numbers_not_by_those_of_a_sentence():
    part = {"weight": 1, "unit": "FLOP"}
    parts = [{**part, "median": median, "interval_90": [3.4e27, 3e28]} for median in (9.7e27, 9.8e27)]
    data = small_scenario({"thresholds": {"far": {"effective_compute": {"mixture": parts}}}})
    scenario = parse_scenario(yaml_text(data))
    read = scenario.priors["thresholds.far.effective_compute"]
    told = {each.path: each.statements[0] for each in assumptions(scenario)}["thresholds.far.effective_compute"]
    low, median, high = 10 ** read.family.ppf(np.array([0.05, 0.5, 0.95]))
    assert told.value == raised(f"{median:.3g} (90 %: {low:.3g} to {high:.3g}) FLOP")
    assert told.value.startswith("9.75 × 10²⁷ (90 %: 3.4 × 10²⁷ to 3 × 10²⁸)")


def test_the_anchors_are_told_to_three_digits_and_given_that_they_happen():
    scenario = load_scenario("published/cotra-2020")
    told = {each.path: each.statements[0].value for each in assumptions(scenario)}
    assert told["thresholds.requirement.effective_compute"] == (
        "4.42 × 10³⁴ (90 %: 1.84 × 10²⁷ to 1.93 × 10⁴⁴) FLOP given that it happens, never with 7 %"
    )


def test_a_number_that_is_drawn_anew_each_year_is_stated_once():
    assert stated_name("models.largest_share[2027]") == "models.largest_share"
    assert stated_name("drivers.spending.growth[0].rate") == "drivers.spending.growth[0].rate"


def test_sources_tell_judgement_from_publications():
    standings = [
        statement({"value": 1, "source": source}).standing for source in ("Own judgement on it", "Ho 2024", "")
    ]
    assert standings == ["own judgement", "source", "no source"]


def test_limits_say_their_law_and_what_they_are_made_of():
    scenario = load_scenario("baseline")
    every = assumptions(scenario)
    said = {each.name: each.text for each in limitations(scenario, every)}
    assert "company cash flow × 0.141" in said["Cap “cash-flow” on spending"]
    assert "Gompertz" in said["Cap “headroom” on algorithms"]
    assert "logistic" in said["Cap “cmos” on flop per joule"]
    assert said["Constraint “data” on physical compute"].endswith("0.3 FLOP/token^2 × tokens × tokens.")
    assert {each.name: each.text for each in quantities(scenario, every)}["power for one run"].startswith(
        "the largest of: "
    )
    assert [each.rank for each, _ in correlations(scenario)] == [-0.38, 0.3, 0.5, 0.7]


def test_growth_that_follows_a_quantity_is_said_in_words():
    text = """
schema: 2
name: followed
years: {first: 2025, last: 2030}
drivers: {compute: {start: 1e26 FLOP, growth: 3x/year}}
quantities:
  effort: 50 %/year
  chips: {start: 1e6 chips, growth: {quantity: {product: [effort, 0.5]}, unit: ln/year}}
"""
    scenario = parse_scenario(text)
    said = {each.name: each.text for each in quantities(scenario, assumptions(scenario))}
    assert said["chips"].endswith("growing by what effort × 0.5 says, in ln/year")


def test_thresholds_do_not_count_as_knowledge() -> None:
    known = knowledge({"a": [{"as_of": 2020}], "thresholds": {"x": {"as_of": "2026-01"}}})
    assert known == dt.date(2020, 12, 31)
    assert knowledge({}) is None


def test_the_chance_of_runs_and_events_is_nobodys_belief_whoever_they_are_of() -> None:
    drawn = ("models.runs", "actors.us.models.runs", "events.ban.occurs", "component")
    assert not any(map(is_belief, drawn))
    assert all(map(is_belief, ("models.gradient", "actors.us.models.largest_share[2027]", "actors.us.lag")))
