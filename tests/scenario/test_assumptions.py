"""Every number of a scenario, read off the run."""

import numpy as np
import pytest

from simulator import load_scenario, simulate
from simulator.report.sources import correlations, limitations, quantities
from simulator.scenario.assumptions import NO_BELIEFS, assumptions, stated_name, statement
from simulator.scenario.library import shipped_names


@pytest.mark.parametrize("name", sorted(shipped_names("scenarios")))
def test_every_drawn_number_is_an_assumption_of_the_scenario(name):
    scenario = load_scenario(name, overrides=["samples=256"])
    if scenario.must_learn:
        pytest.skip("test_learning.py has its run")
    run = simulate(scenario)
    found = {each.path: each for each in assumptions(run)}
    drawn = run["parameters"].to_dataset().drop_vars(NO_BELIEFS, errors="ignore")
    assert {stated_name(str(name)) for name in drawn.data_vars} <= set(found)
    for path, values in drawn.data_vars.items():
        said = found[stated_name(str(path))].statements
        if len(said) == 1 and np.isfinite(values.values).all():  # all parts of a mixture have it, and say the same
            assert said[0].is_fixed == (np.ptp(values.values) == 0)
            assert said[0].origin.get("source", "") == values.attrs.get("source", "")


def test_a_summary_has_the_same_assumptions_as_samples():
    scenario = load_scenario("feedback", overrides=["samples=256"])
    kept, summed = (assumptions(simulate(scenario, keep=keep)) for keep in ("trajectories", "summary"))
    assert [each.path for each in kept] == [each.path for each in summed]
    assert [each.statements[0].is_fixed for each in kept] == [each.statements[0].is_fixed for each in summed]


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ({"median": 2, "interval_90": [1, 4], "unit": "factor/year"}, "2 (90 %: 1 to 4) factor/year"),
        ({"interval_80": [1e10, 2e11], "unit": "USD"}, "80 %: 10¹⁰ to 2 × 10¹¹ USD"),
        ({"uniform": [2027, 2030]}, "2027 to 2030"),
        ({"quantiles": {"0.1": 1, "0.9": 5}, "lower": 0}, "10 %: 1, 90 %: 5, at least 0"),
        ({"median": 8, "truncated": [None, 9], "never": 0.07}, "8, at most 9, none at all with 7 %"),
        ({"value": 3, "unit": "1"}, "3"),
        (2030, "2030"),
    ],
)
def test_plain_data_are_put_into_words(entry, value):
    assert statement(entry, {}).value == value


@pytest.mark.parametrize(
    ("understood", "units", "value", "shape"),
    [
        ("1 1", "log10(1)", "1", ""),
        ("1.2", "OOM/year", "1.2 factor/year", ""),
        ("1e+30", "log10(FLOP)", "10³⁰ FLOP", ""),
        ("mixture of 2, median 34.6 (90 % 27.3 to 44.3) log10(FLOP)", "log10(FLOP)",
         "4 × 10³⁴ (90 %: 2 × 10²⁷ to 2 × 10⁴⁴) FLOP", "mixture of 2"),
    ],
)  # fmt: skip
def test_what_was_understood_is_taken_apart(understood, units, value, shape):
    said = statement({}, {"understood": understood, "units": units})
    assert (said.value, said.shape) == (value, shape)


def test_sources_tell_judgement_from_publications():
    standings = [statement(1, {"source": source}).standing for source in ("Own judgement on it", "Ho 2024", "")]
    assert standings == ["own judgement", "source", "no source"]


def test_limits_say_their_law_and_what_they_are_made_of():
    run = simulate(load_scenario("baseline", overrides=["samples=256"]))
    said = {each.name: each.text for each in limitations(run)}
    assert "company cash flow × 0.141" in said["Cap “cash-flow” on spending"]
    assert "Gompertz" in said["Cap “headroom” on algorithms"]
    assert "logistic" in said["Cap “cmos” on flop per joule"]
    assert said["Constraint “data” on physical compute"].endswith("0.3 FLOP/token^2 × tokens × tokens.")
    assert {each.name: each.text for each in quantities(run)}["power for one run"].startswith("the largest of: ")
    assert [each["rank"] for each, _ in correlations(run)] == [-0.22, 0.3, 0.8, 0.5, 0.7]
