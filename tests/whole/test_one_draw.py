"""Inputs: one draw in several places, whatever asks for it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm, spearmanr

from simulator import (
    attribute_difference,
    audit_scenario,
    check_run,
    compare_runs,
    describe_scenario,
    load_scenario,
    prior_influence,
    prior_swings,
    reweight_run,
    simulate,
    sweep,
    write_report,
)
from simulator.analysis.evaluation import inputs_of, model_of
from simulator.charts.kinds.priors import prior_table
from simulator.errors import InputError, ScenarioError
from simulator.units import Array

TEXT = """
schema: 2
name: together
years: {{first: 2025, last: 2035}}
samples: 4000
inputs:
  pace: {pace}
drivers:
  spending: {{start: {{value: 4e8, unit: USD}}, growth: {spending}}}
  hardware: {{start: {{value: 1e18, unit: FLOP/USD}}, growth: {hardware}}}
thresholds: {{far: {{effective_compute: 1e30}}}}
"""
PACE = "{family: normal, mean: 0.2, sd: 0.05, unit: OOM/year, label: pace of the world, source: a study}"
USE = "{input: pace}"
SPENDING, HARDWARE = "drivers.spending.growth", "drivers.hardware.growth"


def text(*, pace: str = PACE, spending: str = USE, hardware: str = USE, more: str = "") -> str:
    return TEXT.format(pace=pace, spending=spending, hardware=hardware) + more


def log_compute(text: str) -> Array:
    return simulate(load_scenario(text))["trajectories/effective_compute"].isel(year=-1).to_numpy()


def test_what_two_places_use_is_one_number_in_every_sample() -> None:
    drawn = simulate(load_scenario(text()))["parameters"]
    assert (drawn[SPENDING].values == drawn["inputs.pace"].values).all()
    assert (drawn[HARDWARE].values == drawn["inputs.pace"].values).all()
    assert drawn[HARDWARE].attrs["input"] == "inputs.pace"
    assert drawn["inputs.pace"].attrs["source"] == "a study"


def test_one_draw_adds_its_spread_up_where_two_draws_only_add_variances() -> None:
    exact = 26 + math.log10(4) + 10 * 2 * (0.2 + 0.05 * norm.ppf([0.05, 0.5, 0.95]))  # 4e8 USD x 1e18 FLOP/USD
    np.testing.assert_allclose(np.quantile(log_compute(text()), [0.05, 0.5, 0.95]), exact, atol=0.005)
    apart = PACE.replace("label: pace of the world, ", "")
    two = np.quantile(log_compute(text(spending=apart, hardware=apart)), [0.05, 0.95])
    assert np.ptp(two) == pytest.approx(np.ptp(exact) / math.sqrt(2), rel=0.03)


def test_uses_are_no_dimensions_and_change_no_other_draw() -> None:
    joined, plain = load_scenario(text()), load_scenario(text(hardware="{interval_90: [1.2, 1.5], unit: x/year}"))
    assert joined.joint.uncertain == ("inputs.pace",)
    assert plain.joint.uncertain == ("inputs.pace", HARDWARE)
    first, second = (simulate(each)["parameters/inputs.pace"].values for each in (joined, plain))
    assert (first == second).all()


@pytest.mark.parametrize(
    ("pace", "place", "use"),
    [
        ("{interval_90: [20, 50], unit: '%/year'}", SPENDING, "growth: {input: pace}"),
        ("{interval_90: [6, 12], unit: months/doubling}", SPENDING, "growth: {input: pace, unit: '%/year'}"),
        ("{interval_90: [1, 3], unit: year}", "thresholds.far.delay", "delay: {input: pace}"),
        ("{interval_90: [2027, 2030], unit: year}", "drivers.spending.growth[1].from",
         "growth: [{rate: 2x/year}, {from: {input: pace}, rate: 1.5x/year}]"),
        ("{mixture: [{weight: 1, interval_90: [20, 50], unit: '%/year'}, {weight: 1, interval_90: [2, 3], unit: x/year}]}", SPENDING,
         "growth: {input: pace}"),
    ],
)  # fmt: skip
def test_a_use_is_the_same_number_through_units(pace: str, place: str, use: str) -> None:
    given = text(pace=pace, spending="2x/year", hardware="1.3x/year")
    old = "effective_compute: 1e30" if "delay" in place else "growth: 2x/year}"
    new = f"effective_compute: 1e30, {use}" if "delay" in place else f"{use}}}"
    drawn = simulate(load_scenario(given.replace(old, new)))["parameters"]
    np.testing.assert_array_equal(drawn[place].values, drawn["inputs.pace"].values)
    assert np.ptp(drawn[place].values) > 0


def test_a_use_in_another_unit_is_told_in_it() -> None:
    given = text(pace="{interval_90: [6, 12], unit: months/doubling}", hardware="{input: pace, unit: '%/year'}")
    told = load_scenario(given).joint.priors[HARDWARE].understood
    low, middle, high = (100 * (2 ** (12 / months) - 1) for months in (12, math.sqrt(72), 6))
    assert told == f"input pace, median {middle:.3g} (90 % {low:.3g} to {high:.3g}) %/year"


def test_a_level_and_a_plain_number_are_the_same_number() -> None:
    metric = """
capability: {name: skill, kind: logistic, midpoint: 1e28, slope: {input: pace}}
constraints: {wall: {limit: {product: [{value: 1e40, unit: FLOP}, {input: pace}]}}}
"""
    given = text(pace="{interval_90: [0.5, 2], unit: '1'}", spending="2x/year", hardware="1.3x/year", more=metric)
    drawn = simulate(load_scenario(given))
    level, slope = drawn["parameters/constraints.wall.limit.product[1]"], drawn["parameters/capability.slope"]
    np.testing.assert_allclose(10**level.values, slope.values, rtol=1e-12)
    np.testing.assert_array_equal(drawn["parameters/inputs.pace"].values, level.values)
    assert np.median(slope) == pytest.approx(1.0, rel=0.01)


def test_a_mass_at_never_goes_with_an_input_of_thresholds() -> None:
    given = text(pace="{interval_90: [1e27, 1e33], unit: FLOP, never: 0.25}", spending="2x/year", hardware="1.3x/year")
    used = given.replace("effective_compute: 1e30", "effective_compute: {input: pace}")
    drawn = simulate(load_scenario(used))["parameters/thresholds.far.effective_compute"]
    assert float(np.isinf(drawn).mean()) == pytest.approx(0.25, abs=0.001)
    with pytest.raises(ScenarioError, match=r"inputs.pace.never: goes with thresholds only"):
        load_scenario(text(pace="{interval_90: [1.2, 3], unit: x/year, never: 0.25}"))


def test_a_correlation_names_the_input() -> None:
    ranks = "correlations: [{between: [inputs.pace, drivers.spending.start], rank: 0.7}]\n"
    given = text(more=ranks).replace("start: {value: 4e8", "start: {interval_90: [1e8, 1e9]")
    drawn = simulate(load_scenario(given))["parameters"]
    assert spearmanr(drawn[HARDWARE], drawn["drivers.spending.start"])[0] == pytest.approx(0.7, abs=0.03)
    with pytest.raises(ScenarioError, match=r"Correlate what it is a function of: inputs.pace"):
        load_scenario(given.replace("[inputs.pace,", f"[{HARDWARE},"))


def test_a_function_may_follow_an_input_and_an_input_may_be_one() -> None:
    follows = "{function: {of: inputs.pace, points: {0: 1, 1: 3}}, unit: x/year}"
    drawn = simulate(load_scenario(text(hardware=follows)))["parameters"]
    np.testing.assert_allclose(10 ** drawn[HARDWARE].values, 1 + 2 * drawn["inputs.pace"].values)
    of_start = "{function: {of: drivers.spending.start, points: {1e8: 2, 1e9: 4}}, unit: x/year}"
    given = text(pace=of_start).replace("start: {value: 4e8", "start: {interval_90: [1e8, 1e9]")
    drawn = simulate(load_scenario(given))["parameters"]
    np.testing.assert_allclose(10 ** drawn[HARDWARE].values, np.interp(drawn["drivers.spending.start"], [8, 9], [2, 4]))


def test_overrides_and_sweeps_change_the_input() -> None:
    scenario = load_scenario(text(), overrides=["inputs.pace.mean=0.3"])
    assert scenario.overrides == ("inputs.pace.mean: 0.2 -> 0.3",)
    assert np.median(simulate(scenario)["parameters"][SPENDING]) == pytest.approx(0.3, abs=0.001)
    alone = load_scenario(text(), overrides=[f"{SPENDING}=2x/year"])
    assert alone.joint.uncertain == ("inputs.pace",)
    with pytest.raises(ScenarioError, match=r"stands beside input: the number is that of inputs.pace"):
        load_scenario(text(), overrides=[f"{SPENDING}.mean=0.3"])
    swept = sweep(load_scenario(text()), over={"inputs.pace.mean": [0.1, 0.3]})
    assert "inputs.pace.mean" in str(swept.tables())


def test_studies_vary_the_input_and_not_its_uses() -> None:
    scenario = load_scenario(text())
    assert [each.name for each in inputs_of(model_of(scenario))] == ["inputs.pace"]
    found = prior_swings(scenario, outcomes=["effective_compute@2035"], samples=256).dataset.sel(input="inputs.pace")
    assert found["input_words"] == "pace of the world"
    swing = found["moved"].isel(outcome=0).sel(quantile=0.9) - found["moved"].isel(outcome=0).sel(quantile=0.1)
    assert float(swing) == pytest.approx(2 * 10 * 0.05 * 2 * norm.ppf(0.9), rel=1e-6)  # free median: exact
    audited = audit_scenario(scenario, samples=256).assumptions.rows()
    names = [name for row in audited for name in row["priors"].split("; ")]
    assert names[0] == "inputs.pace"
    assert not {SPENDING, HARDWARE} & {*names}
    run = simulate(scenario)
    (influence,) = prior_influence(run, ["effective_compute@2035"]).found
    assert {SPENDING, HARDWARE}.isdisjoint(row["input"] for row in influence.indices.rows())
    assert influence.indices.rows()[0]["input"] == "inputs.pace"
    assert {SPENDING, HARDWARE}.isdisjoint(row["name"] for row in prior_table(run))
    assert check_run(run).passed


def test_a_function_follows_what_is_moved() -> None:
    follows = text(hardware="{function: {of: inputs.pace, points: {0: 1, 1: 11}}, unit: x/year}")
    found = prior_swings(load_scenario(follows), outcomes=["effective_compute@2035"], samples=256).dataset
    ends = 0.2 + 0.05 * norm.ppf([0.1, 0.9])
    exact = 10 * np.diff(ends + np.log10(1 + 10 * ends))[0]
    result = found["moved"].isel(outcome=0).sel(input="inputs.pace")
    assert float(result.sel(quantile=0.9) - result.sel(quantile=0.1)) == pytest.approx(exact, rel=1e-6)


def test_a_comparison_and_its_parts_name_the_input() -> None:
    one, other = load_scenario(text()), load_scenario(text(), overrides=["inputs.pace.mean=0.25"])
    assert [each.input for each in attribute_difference(one, other, samples=500).inputs] == ["inputs.pace"]
    free = text(spending="{interval_90: [1.5, 2.5], unit: x/year}", hardware="{interval_90: [1.2, 1.5], unit: x/year}")
    apart = load_scenario(free.replace(f"inputs:\n  pace: {PACE}\n", ""))
    assert len(attribute_difference(one, apart, samples=500).inputs) == 1  # the input and its uses go together
    runs = [simulate(each) for each in (one, other)]
    assert "inputs.pace" in "\n".join(compare_runs(runs).lines())


def test_a_run_is_weighted_for_another_input_once() -> None:
    run = simulate(load_scenario(text()))
    weighted = reweight_run(run, ["inputs.pace.mean=0.21"])
    median = next(
        row for row in weighted.headlines.rows()
        if (row["quantity"], row["statistic"], row["year"]) == ("effective_compute", "median", 2035)
    )  # fmt: skip
    assert weighted.changed == ("inputs.pace",)
    assert median["after"] - median["before"] == pytest.approx(10 * 2 * 0.01, abs=0.03)
    with pytest.raises(InputError, match="follows another prior in one of the two"):
        reweight_run(run, [f"{SPENDING}={{interval_90: [1.5, 2.5], unit: x/year}}"])


def test_report_and_description_name_the_input_and_its_source(tmp_path: Path) -> None:
    lines = describe_scenario(load_scenario(text()))
    assert lines[0].split() == [
        "inputs.pace",
        *["normal,", "median", "0.2", "(90", "%", "0.118", "to", "0.282)", "OOM/year", "[a", "study]"],
    ]
    assert any("input pace, median 0.2" in line for line in lines)
    write_report(simulate(load_scenario(text())), tmp_path / "report.html")
    assert "pace of the world" in (tmp_path / "report.html").read_text(encoding="utf-8")
