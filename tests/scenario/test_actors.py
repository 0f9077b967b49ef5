"""Actors are read as variants are: their priors, starts with their dates, and what is refused, each in its own place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator import load_scenario
from simulator.errors import ScenarioError
from simulator.scenario.load import parse_scenario
from simulator.schema.words import input_words

SMALL: dict[str, Any] = {
    "schema": 2,
    "name": "small",
    "years": {"first": 2025, "last": 2030},
    "drivers": {
        "spending": {"start": {"value": 1e9, "unit": "USD"}, "growth": [{"rate": "2x/year"}, {"from": 2027, "rate": "3x/year"}]},
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": {"median": 1.3, "interval_90": [1.2, 1.5], "unit": "x/year"}},
    },
}  # fmt: skip


COUNTED = {"above": [1e26], "largest_share": "10 %", "smallest": 7, "gradient": 1}
SHARED = {"quantities": {"chips": {"start": "1 million chip"}},
          "allocation": {"chips": {"uses": {"run": {"share": "3 %"}, "other": {"share": "rest"}}}}}  # fmt: skip


OWN = {"median": 0.4, "interval_90": [0.1, 2.0]}


def faults_of(changes: dict[str, Any]) -> list[str]:
    with pytest.raises(ScenarioError) as error:
        parse_scenario(json.dumps(SMALL | changes))
    return [f"{fault.entry}: {fault.rule}" for fault in error.value.faults]


def test_what_an_actor_states_itself_is_a_prior_of_its_own_name_and_the_rest_is_the_scenarios() -> None:
    growth = {"median": 1.2, "interval_90": [1.1, 1.4], "unit": "x/year"}
    actors = {
        "us": {},
        "eu": {"label": "Europe", "drivers": {"hardware": {"growth": growth}, "spending": {"start": {"times": 0.2}}}},
    }
    scenario = parse_scenario(json.dumps(SMALL | {"actors": actors}))
    own = [name for name in scenario.priors if name.startswith("actors.")]
    assert own == ["actors.eu.drivers.hardware.growth", "actors.eu.drivers.spending.start.times"]
    us, eu = scenario.components[0].actors
    assert not us.own
    assert {name: drawn.of for name, drawn in eu.own.items()} == {
        "drivers.hardware.growth": own[0], "drivers.spending.start": "drivers.spending.start"
    }  # fmt: skip
    assert input_words(own[1], labels=scenario.labels) == "Europe: spending: start: times"
    again = parse_scenario(scenario.text())
    assert again == scenario
    assert [each.own for each in again.components[0].actors] == [us.own, eu.own]


def test_a_multiple_of_growth_is_one_of_every_rate() -> None:
    scenario = parse_scenario(
        json.dumps(SMALL | {"actors": {"eu": {"drivers": {"spending": {"growth": {"times": 0.5}}}}}})
    )
    drawn = scenario.components[0].actors[0].own
    assert [*drawn] == ["drivers.spending.growth[0].rate", "drivers.spending.growth[1].rate"]
    assert all(each.is_rate and each.times == ("actors.eu.drivers.spending.growth.times",) for each in drawn.values())


def test_a_start_of_an_actor_holds_in_the_first_year_of_the_file_that_states_it(tmp_path: Path) -> None:
    start = {"drivers": {"spending": {"start": {"value": 5e8, "unit": "USD"}}}}
    (tmp_path / "base.yaml").write_text(json.dumps(SMALL | {"actors": {"eu": start}}))
    later = {"schema": 2, "name": "later", "extends": "./base.yaml", "years": {"first": 2026}}
    (tmp_path / "later.yaml").write_text(json.dumps(later))
    (actor,) = load_scenario(tmp_path / "later.yaml").components[0].actors
    assert actor.spec.drivers.spending is not None
    assert actor.spec.drivers.spending.at == 2025


def test_an_override_reaches_what_an_actor_says_and_a_file_may_take_one_away() -> None:
    actors = {"us": {}, "eu": {"drivers": {"spending": {"start": {"times": 0.2}}}}}
    changed = parse_scenario(
        json.dumps(SMALL | {"actors": actors}), overrides=["actors.eu.drivers.spending.start.times=0.3"]
    )
    assert changed.overrides == ("actors.eu.drivers.spending.start.times: 0.2 -> 0.3",)
    gone = parse_scenario(json.dumps(SMALL | {"actors": actors}), overrides=["actors.eu=null"])
    assert [each.name for each in gone.components[0].actors] == ["us"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"models": COUNTED | {"earlier": {"1e26": 2}}, "actors": {"a": {}}},
         "models.earlier: is of one scenario, and stands beside actors (a): of whom is it known?"),
        ({"models": COUNTED, "actors": {"a": {"models": {"above": [1e27]}}}},
         "actors.a.models.above: is the same for all actors, so that their counts add up."),
        ({"actors": {"a": {"models": COUNTED}}}, "actors.a.models: counts models that the scenario does not."),
        ({"thresholds": {"run": {"physical_compute": 1e27, "by": 2}}}, "thresholds.run.by: goes with actors, of which the scenario has none."),
        ({"actors": {"a": {}}, "thresholds": {"run": {"physical_compute": 1e27, "by": 2}}}, "thresholds.run.by: is 2, of 1 actors."),
        ({"actors": {"a": {}}, "thresholds": {"run": {"physical_compute": 1e27, "by": "b"}}}, "thresholds.run.by: there is no actor 'b'."),
        ({"actors": {"a": {"events": {"war": {"probability": "9 %", "from": 2028}}}}},
         "actors.a.events.war: there is no event 'war'."),
        ({"actors": {"a": {"events": {"ban": {"probability": "9 %"}}}}, "events": {"ban": {"probability": "5 %", "from": 2028,
          "effects": [{"on": "drivers.hardware.growth", "times": 0.5}]}}},
         "actors.a.events.ban.probability: is the same for all actors, as whether and when an event comes is."),
        ({"actors": {"all": {}}}, "actors.all: is all of the actors, where a threshold says by whom."),
        ({"actors": {"a": {"allocation": {"chips": {"uses": {"more": {"share": "3 %"}}}}}}, **SHARED},
         "actors.a.allocation.chips.uses.more: changes who uses it, which is the same for all actors: shares of the frontier add up to 1."),
        ({"actors": {"a": {"allocation": {"chips": {"uses": {"run": None}}}}}, **SHARED},
         "actors.a.allocation.chips.uses.run: changes who uses it, which is the same for all actors: shares of the frontier add up to 1."),
        ({"actors": {"a": {"of": "b"}, "b": {"of": "a"}}}, "actors.a.of: is like itself: a of b of a."),
        ({"actors": {"a": {"drivers": {"hardware": {"start": {"times": 0}}}}}},
         "actors.a.drivers.hardware.start.times: must be above 0; got 0."),
        ({"actors": {"a": {"drivers": {"algorithms": {"growth": {"times": 0.5}}}}}},
         "actors.a.drivers.algorithms.growth.times: multiplies no start and no growth."),
        ({"actors": {"a": {}}, "correlations": [{"between": ["actors.a.drivers.hardware.growth", "drivers.hardware.growth"], "rank": 0.5}]},
         "correlations[0].between[0]: there is no prior 'actors.a.drivers.hardware.growth'."),
        ({"actors": {"a": {"drivers": {"hardware": {"start": {"times": OWN}}}},
                     "b": {"drivers": {"hardware": {"start": {"times": OWN}}}, "drawn_as": "a"}}},
         ("actors.b.drawn_as: draws actors.b.drivers.hardware.start.times as actors.a.drivers.hardware.start.times, "
          "and so is actors.a.drivers.hardware.start.times.")),
    ],
)  # fmt: skip
def test_what_is_refused(changes: dict[str, Any], said: str) -> None:
    assert said in faults_of(changes)


def test_an_event_that_an_actor_takes_away_comes_to_it_without_effects() -> None:
    ban = {"from": 2028, "effects": [{"on": "drivers.hardware.growth", "times": 0.5}]}
    scenario = parse_scenario(
        json.dumps(SMALL | {"events": {"ban": ban}, "actors": {"a": {}, "b": {"events": {"ban": None}}}})
    )
    assert [len(actor.spec.events["ban"].effects) for actor in scenario.components[0].actors] == [1, 0]


def test_a_name_of_before_under_which_nothing_is_drawn_is_told() -> None:
    scenario = parse_scenario(json.dumps(SMALL | {"actors": {"a": {"drawn_as": "b", "drivers": {"hardware": {
        "start": {"times": 2}}}}}}))  # fmt: skip
    assert "actors.a.drawn_as: changes nothing, as no prior of it is drawn." in scenario.warnings


def test_a_fault_of_the_scenario_is_told_once_and_that_of_an_actor_with_it() -> None:
    wrong = {"drivers": {"spending": {"start": {"value": 1, "unit": "FLOP"}}}}
    actors = {"a": {}, "b": {"of": "a"}, "c": {"drivers": {"hardware": {"start": {"times": 0.4}}}}, "d": wrong}
    unit = "drivers.spending.start.unit: must be a unit of USD; got 'FLOP'."
    power = {"limit": {"product": ["chips", {"value": 1, "unit": "FLOP"}]}}
    no_chips = "constraints.power.limit.product[0]: there is no quantity 'chips'."
    assert faults_of({"actors": actors, "constraints": {"power": power}}) == [f"actors.d.{unit}", no_chips]
    assert faults_of({"actors": actors, "drivers": SMALL["drivers"] | wrong["drivers"]}) == [unit, f"actors.d.{unit}"]


def test_a_multiple_of_a_driver_that_is_a_product_is_told_what_may_be_multiplied() -> None:
    theirs = {"hardware": {"start": {"times": 0.4}, "growth": {"times": 0.5}}}
    with pytest.raises(ScenarioError) as error:
        parse_scenario(
            json.dumps({"schema": 2, "name": "a", "extends": "baseline", "actors": {"a": {"drivers": theirs}}})
        )
    factors = "drivers.hardware.factors"
    assert [fault.remedy for fault in error.value.faults] == [
        f"What may be multiplied: {factors}.price-performance.start.",
        f"What may be multiplied: {factors}.price-performance.growth, {factors}.precision-and-utilisation.growth.",
    ]


def test_a_mixture_has_no_actors() -> None:
    part = {"weight": 1, "scenario": SMALL | {"actors": {"a": {}}}, "name": "one"}
    mixed = {"schema": 2, "name": "mixed", "mixture": [part, {"weight": 1, "scenario": SMALL, "name": "two"}]}
    with pytest.raises(ScenarioError, match=r"mixture\[0\]: 'one' has actors \(a\)"):
        parse_scenario(json.dumps(mixed))


def test_what_an_actor_alone_uses_is_used_and_what_nobody_uses_is_told_once() -> None:
    theirs = {"drivers": {"algorithms": {"level": "theirs"}}}
    data = SMALL | {"quantities": {"theirs": {"start": 2}, "lone": {"start": 3}}, "actors": {"us": {}, "cn": theirs}}
    data["inputs"] = {"pace": {"median": 2, "interval_90": [1, 4], "unit": "x/year"}}
    data["actors"]["cn"]["drivers"]["spending"] = {"growth": {"input": "pace"}}
    warned = [line for line in parse_scenario(json.dumps(data)).warnings if "uses it" in line]
    assert warned == ["quantities.lone: nothing uses it; with a label it is an output."]
