"""What moved is the project's attribution: parts that add up, in the words of the scenario."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from simulator.analysis.attribution import attribute_difference
from simulator.explorer.moving import MOST_SAID, moved
from simulator.scenario.load import load_scenario

CHANGES = ["drivers.spending.growth[0].rate=3x/year", "drivers.spending.caps.cash-flow=null", "constraints.data=null"]


def test_parts_are_those_of_the_attribution_and_add_up() -> None:
    before, after = load_scenario("baseline"), load_scenario("baseline", overrides=CHANGES)
    found = moved(before, after, samples=1000)
    whole = attribute_difference(before, after, samples=1000)
    assert json.loads(json.dumps(found, allow_nan=False))
    first = found[0]
    assert first["title"] == "median of effective compute in 2045"
    place = next(at for at, number in enumerate(whole.numbers) if (number.statistic, number.year) == ("median", 2045.0))
    parts = {"growth of spending until it slows", "company cash flow", "training data"}
    assert {name for name, _, _ in first["inputs"]} == parts
    assert sorted(part for _, part, _ in first["inputs"]) == pytest.approx(sorted(whole.shares.parts[:, place]))
    assert first["before"] == pytest.approx(float(whole.before[place]))
    for each in found:
        assert sum(part for _, part, _ in each["inputs"]) == pytest.approx(each["after"] - each["before"])
        assert all(abs(one[1]) >= abs(other[1]) for one, other in pairwise(each["inputs"]))
        assert each["unit"] == ("years" if "crossing" in each["title"] else "OOM")


def test_it_is_said_in_words_with_errors() -> None:
    before, after = load_scenario("baseline"), load_scenario("baseline", overrides=CHANGES[:2])
    found = {each["title"]: each for each in moved(before, after, samples=1000)}
    said = found["median year of crossing $10 billion run"]["lines"]
    assert said[0].startswith("The median year of crossing $10 billion run goes from 2031.1 to 2030.3: −0.8")
    assert said[1].startswith(
        "Growth of spending until it slows (from skewed lognormal, median 2.4 (90 % 2 to 2.9) factor/year to 3 x/year): −0.7"
    )
    assert " ± " in said[1]
    assert said[1].endswith(" years.")
    assert said[2].startswith("Company cash flow (taken away): −0.")
    assert said[-1] == "On 1,000 common samples."
    said = found["mean year, at most 2045, of crossing $100 billion run"]["lines"]
    assert said[-2].endswith("; the mean of the year, at most 2045, stands in for it.")


def test_nothing_moves_where_nothing_was_changed() -> None:
    scenario = load_scenario("baseline", overrides=["samples=500"])
    assert moved(scenario, scenario) == []
    assert moved(scenario, load_scenario("baseline", overrides=["samples=500", "notes=mine"])) == []


def test_it_can_be_ended_after_any_evaluation() -> None:
    class EndError(Exception):
        pass

    count = 0

    def end() -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise EndError

    after = load_scenario("baseline", overrides=CHANGES)
    with pytest.raises(EndError):
        moved(load_scenario("baseline"), after, samples=500, progress=end)
    assert count == 2


def test_what_moved_a_mixture_of_scenarios_is_told_input_by_input() -> None:
    changes = [CHANGES[0], "mixture[tight-caps].changes.constraints.power=null", "mixture[no-caps].weight=0.5"]
    one, other = (load_scenario("views", overrides=["samples=1000", *more]) for more in ((), changes))
    first = moved(one, other)[0]
    assert {name for name, _, _ in first["inputs"]} == {
        "growth of spending until it slows", "electric power (tight-caps)", "weights of scenarios"
    }  # fmt: skip
    assert sum(part for _, part, _ in first["inputs"]) == pytest.approx(first["after"] - first["before"])
    assert any("growth of spending until it slows (from skewed lognormal" in line.lower() for line in first["lines"])


def test_of_other_mixtures_the_whole_is_told() -> None:
    one, other = (load_scenario(name, overrides=["samples=1000"]) for name in ("baseline", "views"))
    found = moved(one, other)
    assert found[0]["title"] == "median of effective compute in 2045"
    for each in found:
        assert each["inputs"] == [("all changes together", each["after"] - each["before"], None)]
        assert "do not mix the same scenarios" in each["lines"][-1]


def test_many_inputs_are_said_as_one() -> None:
    """From another forecaster, with all that the two state otherwise."""
    few = ["samples=100"]
    one, other = (load_scenario(name, overrides=few) for name in ("essay-2023", "essay-2023-realistic"))
    found = moved(one, other)
    assert found
    for each in found:
        count = len(each["inputs"])
        stood_in = each["title"].startswith("mean year")
        assert len(each["lines"]) == 2 + min(count, MOST_SAID) + (count > MOST_SAID) + stood_in


def test_of_many_changes_parts_still_add_up_and_say_how_sure_they_are() -> None:
    """Random orders in the place of all subsets: their error is told too."""
    inputs = ["caps.cash-flow", "caps.world-product", "growth[0].rate", "growth[1].rate", "start"]
    paths = [f"drivers.spending.{name}" for name in inputs]
    values = ["null", "null", "3x/year", "1.7x/year", "1e9 USD"]
    changes = [f"{path}={value}" for path, value in zip(paths, values, strict=True)]
    changes += ["constraints.data=null", "constraints.power=null"]
    few = ["samples=1000"]
    found = moved(load_scenario("baseline", overrides=few), load_scenario("baseline", overrides=[*few, *changes]))
    first = found[0]
    assert len(first["inputs"]) == len(changes)
    assert sum(part for _, part, _ in first["inputs"]) == pytest.approx(first["after"] - first["before"])
    assert all(error is not None and error > 0 for _, _, error in first["inputs"])
    assert first["lines"][-2].startswith("1 more: ")
