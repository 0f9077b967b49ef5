"""Warnings of what is drawn oddly, and of dates, shares and starts that reach where they mean nothing."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from simulator import load_scenario, shipped_scenarios, simulate
from simulator.errors import ScenarioError
from simulator.scenario.load import parse_scenario
from simulator.testing import scenario_text, small_scenario

TEXT = """
schema: 2
name: twice
years: {{first: 2025, last: 2035}}
{inputs}
drivers:
  spending: {{start: {{value: 4e8, unit: USD}}, growth: {spending}}}
  hardware: {{start: {{value: 1e18, unit: FLOP/USD}}, growth: {hardware}}}
{more}
"""
ENTRY = "{prior: constraints/world-product-growth}"
PLACES = "drivers.spending.growth and drivers.hardware.growth"


def drawn_oddly(*, spending: str = ENTRY, hardware: str = ENTRY, inputs: str = "", more: str = "") -> tuple[str, ...]:
    return load_scenario(TEXT.format(spending=spending, hardware=hardware, inputs=inputs, more=more)).warnings


def test_an_entry_of_the_library_in_two_places_is_said_to_be_drawn_twice() -> None:
    (line,) = drawn_oddly()
    assert line == (
        f"constraints/world-product-growth: drawn twice, independently: {PLACES}. "
        "Where one number is meant, name it under inputs and use it as {input: its-name}."
    )


def test_so_is_a_mixture_of_entries() -> None:
    mixture = "{mixture: [{weight: 1, prior: spending/cottier-2024}, {weight: 1, value: 2x/year}]}"
    (line,) = drawn_oddly(spending=mixture, hardware=mixture)
    assert line.startswith(f"spending/cottier-2024: drawn twice, independently: {PLACES}.")


@pytest.mark.parametrize(
    "said",
    [
        {"hardware": "{prior: constraints/world-product-growth, interval_80: [0.5 %/year, 4.75 %/year]}"},  # another number
        {"hardware": "{interval_80: [0.4, 4.75], unit: '%/year'}"},  # which the file states by itself
        {"more": f"correlations: [{{between: [{PLACES.replace(' and', ',')}], rank: 0.8}}]"},
        {"inputs": f"inputs: {{world: {ENTRY}}}", "spending": "{input: world}", "hardware": "{input: world}"},
        {"spending": "{prior: algorithms/benchmark-stitched-2025}", "hardware": "{prior: algorithms/benchmark-stitched-2025}"},
    ],
)  # fmt: skip
def test_what_is_another_number_joined_shared_or_fixed_is_not(said: dict[str, str]) -> None:
    assert drawn_oddly(**said) == ()


def test_an_input_beside_the_same_entry_is_drawn_apart_from_it() -> None:
    (line,) = drawn_oddly(inputs=f"inputs: {{world: {ENTRY}}}", spending="{input: world}")
    assert "drawn twice, independently: inputs.world and drivers.hardware.growth." in line


def test_an_input_that_nothing_uses_is_said() -> None:
    assert drawn_oddly(inputs="inputs: {world: 1.5}", hardware="1.3x/year") == ("inputs.world: nothing uses it.",)
    followed = "{function: {of: inputs.world, points: {1: 1.2, 2: 1.4}}, unit: x/year}"
    assert drawn_oddly(inputs="inputs: {world: {interval_90: [1.2, 1.8]}}", hardware=followed) == ()


def follows(points: str, *, other: str, between: str = "line") -> dict[str, str]:
    """State a growth that is a function of a threshold."""
    function = (
        f"{{function: {{of: thresholds.far.effective_compute, points: {points}, between: {between}}}, unit: x/year}}"
    )
    return {"spending": "2x/year", "hardware": function, "more": f"thresholds: {{far: {{effective_compute: {other}}}}}"}


LEVELS = "{interval_90: [1e28, 1e36], unit: FLOP}"
LOGS = "{family: normal, interval_90: [28, 36], unit: log10(FLOP)}"


def test_points_in_a_unit_that_the_other_prior_no_longer_has_are_said() -> None:
    assert drawn_oddly(**follows("{1e29: 3, 1e35: 2}", other=LEVELS)) == ()
    (line,) = drawn_oddly(**follows("{1e29: 3, 1e35: 2}", other=LOGS))
    assert line == (
        "drivers.hardware.growth: thresholds.far.effective_compute lies below the first point, 1e+29 log10(FLOP), in "
        "100 % of the draws and above the last, 1e+35 log10(FLOP), in 0 %: the function is constant there. "
        "Points are stated in the unit of what they refer to."
    )


def test_points_follow_the_unit_of_what_they_refer_to() -> None:
    stated = [follows("{1e29: 3, 1e35: 2}", other=LEVELS), follows("{29: 3, 35: 2}", other=LOGS)]
    drawn = [
        simulate(load_scenario(TEXT.format(**{"inputs": "", **said})))["parameters/drivers.hardware.growth"].values
        for said in stated
    ]
    np.testing.assert_allclose(drawn[0], drawn[1], rtol=1e-12)
    assert np.ptp(drawn[0]) > 0.1


@pytest.mark.parametrize(
    ("points", "other", "between", "shares"),
    [
        ("{1e10: 3, 1e20: 2}", LEVELS, "line", ("0 %", "100 %")),
        ("{1e31: 3, 1.1e31: 2}", LEVELS, "line", ("34 %", "65 %")),  # P(z < -1 / 2.43) and P(z > -0.96 / 2.43)
        ("{1e40: 3, 1e50: 2}", LEVELS, "step", ("100 %", "0 %")),
        ("{1e10: 3, 1e20: 2}", "1e25", "line", ("0 %", "100 %")),  # of a fixed number
        ("{1e10: 3, 1e20: 2}", "{interval_90: [1e28, 1e36], never: 0.5}", "line", ("0 %", "100 %")),
    ],
)
def test_a_function_of_what_lies_off_its_points_is_said_with_the_shares(
    points: str, other: str, between: str, shares: tuple[str, str]
) -> None:
    line = next(each for each in drawn_oddly(**follows(points, other=other, between=between)) if "draws and" in each)
    assert f"in {shares[0]} of the draws and above the last" in line
    assert f", in {shares[1]}: the function is constant there." in line


@pytest.mark.slow
def test_no_shipped_scenario_draws_oddly_unawares() -> None:
    for name in shipped_scenarios():
        assert not [line for line in load_scenario(name).warnings if "drawn" in line or "constant there" in line]


COMPUTE = "drivers.compute"


def warnings(**changes: Any) -> tuple[str, ...]:
    return parse_scenario(
        scenario_text(small_scenario({key.replace("__", "."): changes[key] for key in changes}))
    ).warnings


def eras(date: Any) -> dict[str, Any]:
    return {"drivers__compute__growth": [{"rate": "2x/year"}, {"from": date, "rate": "1x/year"}]}


@pytest.mark.parametrize(
    ("date", "said"),
    [
        (2030, ""),
        ({"uniform": [2027, 2040]}, ""),
        ({"uniform": [2027, 2180]}, ""),  # of dates that are seen in some samples a run counts those
        (2035, "lies at or beyond the last year, 2035: this era is never in force."),
        ({"uniform": [2036, 2064]}, "lies at or beyond the last year, 2035: this era is never in force."),
        (2025, "lies at or before 2025, where the path begins: the era before is not seen."),
        ({"uniform": [2010, 2020]}, "lies at or before 2025, where the path begins: the era before is not seen."),
        ({"uniform": [2010, 2025.5]}, "lies at or before 2025, where the path begins in 97 % of the draws: the era"),
    ],
)
def test_an_era_outside_the_years_is_warned_of(date: Any, said: str) -> None:
    found = warnings(**eras(date))
    assert (len(found) == 1) == bool(said)
    assert not said or found[0].startswith(f"drivers.compute.growth[1].from: {said}")


def test_a_start_before_the_years_brings_the_eras_before_them_back_into_view() -> None:
    assert not [line for line in warnings(**eras(2020), drivers__compute__at=2015) if "era" in line]
    assert "drivers.compute.at: 2040 lies after the last year, 2035." in warnings(drivers__compute__at=2040)


@pytest.mark.parametrize("date", [{"uniform": [20.27, 20.3]}, {"family": "normal", "mean": 2030, "sd": 100}])
def test_a_drawn_date_that_is_no_year_is_refused(date: Any) -> None:
    with pytest.raises(ScenarioError, match="must be years from 1900 to 2300; 98 % of it lies between"):
        warnings(**eras(date))


WORLD = {"world": {"value": 1e28, "unit": "FLOP"}}


def shared(share: Any) -> tuple[str, ...]:
    return warnings(quantities=WORLD, drivers__compute__caps={"all": {"share": share, "of": "world"}})


@pytest.mark.parametrize(
    ("share", "said"),
    [
        ("1 fraction", ()),
        ("0.4 fraction", ()),
        ("40 %", ()),
        ({"value": 100, "unit": "%"}, ()),
        ({"uniform": [0.1, 0.9], "unit": "fraction"}, ()),
        (
            {"uniform": [0.5, 1.25], "unit": "fraction"},
            ("drivers.compute.caps.all.share: is above 1, the whole, in 33 % of the draws.",),
        ),
    ],
)
def test_a_share_may_be_the_whole_and_is_seldom_more(share: Any, said: tuple[str, ...]) -> None:
    assert shared(share) == said


@pytest.mark.parametrize(
    "share", ["10 fraction", "150 %", {"value": 150, "unit": "%"}, {"uniform": [0.9, 2], "unit": "fraction"}]
)
def test_a_share_above_the_whole_is_refused(share: Any) -> None:
    with pytest.raises(ScenarioError, match="must be at most 1, the whole"):
        shared(share)


def test_any_level_in_fractions_is_a_share_and_a_plain_number_is_none() -> None:
    def made(factor: Any) -> tuple[str, ...]:
        product = {"c": {"limit": {"product": [{"value": 1e28, "unit": "FLOP"}, factor]}}}
        return warnings(constraints=product)

    assert made(12) == made({"value": 12, "unit": "1"}) == made({"value": 120, "unit": "%"}) == ()
    for wrong in ({"value": 12, "unit": "fraction"}, {"mixture": [{"weight": 1, "value": 2, "unit": "fraction"}]}):
        with pytest.raises(ScenarioError, match="must be at most 1, the whole"):
            made(wrong)


@pytest.mark.parametrize(
    ("algorithms", "said"),
    [
        ({"start": 100}, "is 100 in 2025, not 1: effective compute is then so many times physical compute"),
        ({"factors": {"a": {"start": 10}, "b": {"start": 0.5}}}, "is 5 in 2025, not 1"),
        ({"start": {"uniform": [1, 3]}}, "is 2 (90 % 1.1 to 2.9) in 2025, not 1"),
        ({"table": {"2020": 1, "2030": 100, "2035": 100}}, "is 10 in 2025, not 1"),
        ({"at": 2020, "growth": "2x/year"}, "is 1 in 2020 and not in the first year, 2025"),
        ({"start": 1, "growth": "2x/year"}, ""),
        ({"factors": {"a": {"growth": "2x/year"}, "b": {"growth": "3x/year"}}}, ""),
        ({"table": {"2025": 1, "2035": 100}}, ""),
    ],
)
def test_algorithms_that_are_not_1_in_the_first_year_are_warned_of(algorithms: Any, said: str) -> None:
    found = warnings(drivers__algorithms=algorithms)
    assert (len(found) == 1) == bool(said)
    assert not said or found[0].startswith(f"drivers.algorithms: {said}")


def test_a_quantity_that_nothing_uses_is_warned_of_where_the_file_itself_states_it() -> None:
    used = {"lone": 1, "user": {"product": ["part", "whole"]}, "part": {"value": 2, "unit": "FLOP"}, "whole": 3}
    caps = {"drivers__compute__caps": {"c": {"limit": "user"}}}
    assert warnings(quantities=used, **caps) == ("quantities.lone: nothing uses it; with a label it is an output.",)
    chain = {"a": {"product": ["b", 2]}, "b": 1}
    assert warnings(quantities=chain) == (
        *(f"quantities.{each}: nothing uses it; with a label it is an output." for each in "ab"),
    )
    assert load_scenario("no-caps").warnings == ()  # it takes the limits of the baseline away, and no quantities
    seen = {"function": {"of": "quantities.lone", "points": {"0.5": 2, "2": 3}}, "unit": "x/year"}
    assert warnings(quantities={"lone": {"uniform": [0.6, 1.9]}}, drivers__compute__growth=seen) == ()


def test_a_fixed_number_leaves_its_correlation_out_with_one_line_and_all_else_as_it_was() -> None:
    what_if = load_scenario("baseline", overrides=["drivers.spending.start=1e9", "samples=500"])
    assert what_if.warnings == ("correlations[0]: is left out, as drivers.spending.start is fixed and has no rank.",)
    base = load_scenario("baseline", overrides=["samples=500"])
    assert len(base.joint.correlations) - len(what_if.joint.correlations) == 1
    assert {group.names for group in base.joint.groups} - {group.names for group in what_if.joint.groups} == {
        ("drivers.hardware.factors.price-performance.start", "drivers.spending.start")
    }
    before, after = (simulate(each)["parameters"].to_dataset() for each in (base, what_if))
    kept = [name for name in before.data_vars if name != "drivers.spending.start"]
    changed = [name for name in kept if not before[name].equals(after[name])]
    assert changed in ([], ["drivers.hardware.factors.price-performance.start"])


def test_a_file_that_fixes_a_number_and_states_its_correlation_is_read_alike() -> None:
    data = copy.deepcopy(small_scenario({"drivers.algorithms.growth": "2x/year"}))
    names = ["drivers.compute.start", "drivers.compute.growth", "drivers.algorithms.growth"]
    pairs = [(0, 1, 0.5), (1, 2, 0.9), (0, 2, -0.9)]  # with the fixed one they could not hold together
    data["correlations"] = [{"between": [names[a], names[b]], "rank": rank} for a, b, rank in pairs]
    scenario = parse_scenario(scenario_text(data))
    assert scenario.warnings == tuple(
        f"correlations[{place}]: is left out, as drivers.algorithms.growth is fixed and has no rank."
        for place in (1, 2)
    )
    [group] = scenario.joint.groups
    assert group.names == ("drivers.compute.growth", "drivers.compute.start")
    data["correlations"].append({"between": ["drivers.algorithms.growth", "drivers.nothing"], "rank": 0.1})
    with pytest.raises(ScenarioError, match=r"there is no prior 'drivers\.nothing'"):
        parse_scenario(scenario_text(data))
