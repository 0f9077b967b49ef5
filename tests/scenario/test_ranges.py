"""Dates, shares and starts that reach where they mean nothing, or something else than they say."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from simulator import load_scenario, simulate
from simulator.errors import ScenarioError
from simulator.scenario.load import parse_scenario
from simulator.testing import scenario_text, small_scenario

COMPUTE = "drivers.compute"


def warnings(**changes: Any) -> tuple[str, ...]:
    return parse_scenario(
        scenario_text(small_scenario({key.replace("__", "."): changes[key] for key in changes}))
    ).warnings


def eras(date: Any) -> dict[str, Any]:
    return {"drivers__compute__growth": [{"rate": 2}, {"from": date, "rate": 1}]}


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
    assert warnings(**eras(2020), drivers__compute__at=2015) == ()
    assert warnings(drivers__compute__at=2040) == ("drivers.compute.at: 2040 lies after the last year, 2035.",)


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
        (1, ()),
        (0.4, ()),
        ({"value": 100, "unit": "%"}, ()),
        ({"uniform": [0.1, 0.9]}, ()),
        ({"uniform": [0.5, 1.25]}, ("drivers.compute.caps.all.share: is above 1, the whole, in 33 % of the draws.",)),
    ],
)
def test_a_share_may_be_the_whole_and_is_seldom_more(share: Any, said: tuple[str, ...]) -> None:
    assert shared(share) == said


@pytest.mark.parametrize("share", [10, {"value": 150, "unit": "%"}, {"uniform": [0.9, 2]}])
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
        ({"start": 1, "at": 2020, "growth": 2}, "is 1 in 2020 and not in the first year, 2025"),
        ({"start": 1, "growth": 2}, ""),
        ({"factors": {"a": {"growth": 2}, "b": {"growth": 3}}}, ""),
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
    assert warnings(quantities=used, **caps) == ("quantities.lone: nothing uses it.",)
    chain = {"a": {"product": ["b", 2]}, "b": 1}
    assert warnings(quantities=chain) == ("quantities.a: nothing uses it.", "quantities.b: nothing uses it.")
    assert load_scenario("no-caps").warnings == ()  # it takes the limits of the baseline away, and no quantities
    seen = {"function": {"of": "quantities.lone", "points": {"0.5": 2, "2": 3}}}
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
    data = copy.deepcopy(small_scenario({"drivers.algorithms.growth": 2}))
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
