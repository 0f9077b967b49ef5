"""Controls show every prior of a scenario, those that matter most first, in the unit in which it is told."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from simulator import load_scenario
from simulator.engine.simulation import run_arrays
from simulator.explorer.changes import changed, opened
from simulator.explorer.controls import controls, first_order, groups
from simulator.explorer.restating import plain
from simulator.scenario.assumptions import is_belief, stated_name
from simulator.scenario.library import shipped_names
from simulator.scenario.resolving import Scenario
from simulator.testing import small_scenario


def believed(scenario: Scenario) -> set[str]:
    """Name the priors of a scenario that are drawn; shocks of a year are none that anybody states."""
    drawn = {stated_name(name) for each in scenario.components for name in each.joint.uncertain}
    return {name for name in drawn if not name.endswith(".shock") and is_belief(name)}


@pytest.mark.parametrize("name", sorted(shipped_names("scenarios")))
def test_every_uncertain_prior_has_a_control_that_can_be_drawn(name):
    scenario = load_scenario(name)
    found = controls(scenario)
    paths = [each["path"] for each in found]
    assert not {name for name, count in Counter(paths).items() if count > 1}
    bare = {path.rpartition("].changes.")[2] for path in paths}
    assert believed(scenario) <= bare
    json.dumps(found, allow_nan=False)
    assert sorted(path for group in groups(found) for path in group["controls"]) == sorted(paths)
    for each in found:
        assert each["label"], each
        if each["kind"] == "prior":
            low, high = each["span"]
            assert low < each["low"] < each["median"] < each["high"] < high, each["path"]
            assert each["families"][0] == each["family"]
            x, y = np.array(each["density"]["x"]), np.array(each["density"]["y"])
            assert np.all(np.diff(x) > 0), each["path"]
            assert np.all(y >= 0), each["path"]
            if each["family"] not in ("discrete", "fixed"):  # between the 0.5 and the 99.5 % point
                area = np.trapezoid(y, np.log10(x) if each["scale"] == "log" else x)
                assert area == pytest.approx(0.99, abs=0.03), each["path"]
        elif each["kind"] != "switch":
            value = each["value"] if each["kind"] == "number" else each["weight"]
            assert each["span"][0] <= value <= each["span"][1], each["path"]


def test_controls_of_the_baseline_stand_by_what_matters():
    scenario = load_scenario("baseline", overrides=["samples=512"])
    shares = first_order(run_arrays(scenario))
    found = controls(scenario, shares=shares)
    assert found[0]["path"] == max(shares, key=lambda name: shares[name]) == "drivers.algorithms.growth"
    assert found[1]["path"] == "drivers.algorithms.growth.mixture[0].weight"
    told = [each["share"] for each in found if "share" in each]
    assert told == sorted(told, reverse=True)
    assert 0.7 < sum(told) < 1.1
    assert [each["title"] for each in groups(found)[:1]] == ["Algorithmic efficiency"]


def test_the_share_is_that_of_the_variance_where_one_prior_makes_it():
    data = {
        "schema": 2, "name": "two", "years": {"first": 2025, "last": 2035}, "samples": 4000,
        "drivers": {"compute": {
            "start": {"value": 1e26, "unit": "FLOP"},
            "growth": [
                {"rate": {"family": "normal", "mean": 0.5, "sd": 0.1, "unit": "OOM/year"}},
                {"from": 2030, "rate": {"family": "normal", "mean": 0.5, "sd": 0.05, "unit": "OOM/year"}},
            ],
        }},
    }  # fmt: skip
    shares = first_order(run_arrays(load_scenario(data)))
    assert shares["drivers.compute.growth[0].rate"] == pytest.approx(0.8, abs=0.02)  # 0.1^2 / (0.1^2 + 0.05^2)
    assert shares["drivers.compute.growth[1].rate"] == pytest.approx(0.2, abs=0.03)


def test_a_control_says_what_is_believed_in_the_unit_in_which_it_is_told():
    by_path = {each["path"]: each for each in controls(load_scenario("baseline"))}
    start = by_path["drivers.spending.start"]
    assert (start["unit"], start["median"], start["low"], start["high"]) == ("million USD", 750, 320, 2500)
    assert start["source"].startswith("Nowcast of November 2026")
    assert start["scale"] == "log"
    assert start["families"][0] == start["family"] == "skewed-lognormal"
    days = by_path["constraints.power.limit.product[3]"]
    assert (days["unit"], round(days["median"])) == ("days", 181)
    era = by_path["drivers.spending.growth[1].from"]
    assert (era["scale"], era["low"], era["high"]) == ("linear", 2027.15, 2029.85)
    assert by_path["correlations[0].rank"]["label"] == (
        "rank correlation of cost of the largest run in November 2026 and FLOP per dollar in November 2026"
    )
    assert by_path["constraints.data"]["kind"] == "switch"


@pytest.mark.parametrize("name", ["baseline", "published/scaling-2030"])
def test_every_family_that_is_offered_can_be_chosen(name):
    base = opened(name)
    for each in controls(base.scenario):
        for family in each.get("families", ())[1:]:
            found = changed(base, {each["path"]: {"family": family}})
            (now,) = controls(found, like={each["path"]: base.handles[each["path"]]})
            assert now["median"] == pytest.approx(each["median"], rel=1e-6), (each["path"], family)
            wide = each["high"] - each["low"]  # the interval that is stated is met, which may be one of 80 %
            assert now["low"] == pytest.approx(each["low"], abs=0.15 * wide), (each["path"], family)
            assert now["high"] == pytest.approx(each["high"], abs=0.15 * wide), (each["path"], family)


def test_what_was_changed_is_told_in_the_unit_in_which_it_was_opened():
    base = opened("baseline")
    found = changed(base, {"drivers.spending.start": {"median": 3000.0}})
    (start,) = controls(found, like={"drivers.spending.start": base.handles["drivers.spending.start"]})
    assert (start["unit"], plain(start["median"])) == ("million USD", 3000.0)
    assert start["understood"] == "skewed lognormal, median 3 (90 % 1.28 to 10) billion USD"
    assert start["source"] == ""


def test_what_is_believed_is_told_in_powers_of_ten_and_without_an_end_at_infinity():
    found = {each["path"]: each["understood"] for each in controls(load_scenario("baseline"))}
    limit = found["drivers.algorithms.caps.headroom.limit"]
    assert limit == "metalog, median 10⁶ (90 % 171 to 1.96 × 10¹⁴)"
    part = found["drivers.algorithms.growth.mixture[0]"]
    assert part == "skewed lognormal above 1.2, median 8 (90 % 2 to 22) months/halving of requirement"


def test_mixtures_of_scenarios_have_weights_and_what_they_share_once():
    found = {each["path"]: each for each in controls(load_scenario("views"))}
    assert found["mixture[no-caps].weight"]["weight"] == 0.1
    assert found["mixture[no-caps].weight"]["group"] == "mixture"
    assert "drivers.spending.growth[0].rate" in found
    assert "drivers.spending.caps.cash-flow" not in found  # one of the scenarios has it not
    assert found["mixture[baseline].changes.drivers.spending.caps.cash-flow"]["label"] == "company cash flow (baseline)"


def test_events_can_be_switched_off_and_changed_and_their_luck_cannot() -> None:
    events = {
        "treaty": {"hazard": "3 %/year", "effects": [{"on": "drivers.compute.growth", "times": 0.5}]},
        "controls": {"label": "export controls tighten", "probability": "40 %", "from": {"uniform": [2027.5, 2029]},
                     "effects": [{"on": "drivers.compute.growth", "rate": "0 %/year"}]},
    }  # fmt: skip
    data = small_scenario({"events": events})
    found = {each["path"]: each for each in controls(load_scenario(data))}
    own = {path: each for path, each in found.items() if path.startswith("events.")}
    assert {each["group"] for each in own.values()} == {"events"}
    assert {path for path, each in own.items() if each["kind"] == "switch"} == {"events.treaty", "events.controls"}
    assert own["events.controls"]["label"] == "export controls tighten"
    assert own["events.controls.probability"]["value"] == 40
    assert own["events.controls.from"]["kind"] == "prior"
    assert not any(path.endswith("occurs") for path in own)  # by chance, which no file states
    off = changed(opened(data), {"events.treaty": {"on": False}})
    assert list(off.spec.events) == ["controls"]
