"""Changes of controls become the scenario that a file or `--set` with the same numbers gives."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from simulator import load_scenario
from simulator.engine.simulation import run_arrays
from simulator.explorer.changes import Opened, Refused, believed, changed, opened, saved_text, settings
from simulator.explorer.controls import controls
from simulator.explorer.picture import with_samples
from simulator.explorer.protocol import Change, Control
from simulator.priors.draws import draw_blocks
from simulator.runs.groups import arrays
from simulator.runs.summary import main_quantity
from simulator.scenario.library import shipped_names
from simulator.scenario.load import scenario_of
from simulator.scenario.resolving import Scenario
from simulator.testing import small_scenario

SHIPPED = sorted(shipped_names("scenarios"))
QUICK = ("baseline", "change-point", "published/cotra-2020", "three-eras", "views")
CHANGES: dict[str, Change] = {
    "drivers.spending.growth[0].rate": {"median": 2.6, "width": 1.1},
    "drivers.algorithms.growth.mixture[1].weight": {"weight": 0.4},
    "drivers.algorithms.growth.mixture[0]": {"width": 0.9},
    "thresholds.1e30-run.physical_compute": {"value": 5e29},
    "constraints.data": {"on": False},
}


def nudged(control: Control, *, up: bool, by: float = 0.05) -> Change:
    """Change a control a little."""
    sign = 1.0 if up else -1.0
    if control["kind"] == "prior":
        towards = control["high"] if up else control["low"]
        return {"median": control["median"] + by * (towards - control["median"]), "width": 1.0 + sign * by}
    if control["kind"] == "weight":
        return {"weight": control["weight"] * (1.0 + sign * by)}
    if control["kind"] == "number":
        return {"value": control["value"] + sign * 0.001 * (abs(control["value"]) or 1.0)}
    return {"on": False}


def test_a_change_is_the_same_scenario_by_hand_by_set_and_by_its_file():
    base = opened("baseline")
    found = changed(base, CHANGES)
    assert found.spec.constraints.keys() == {"power"}
    assert found.joint.priors["drivers.spending.growth[0].rate"].understood.startswith("skewed lognormal, median 2.6 ")
    assert load_scenario("baseline", overrides=settings(base, CHANGES)).hash == found.hash
    text = saved_text(base, CHANGES)
    assert load_scenario(text).hash == found.hash
    assert text.startswith(
        "# Changed in baseline:\n#   growth of spending until it slows: skewed lognormal, median 2.4 "
    )
    assert "#   training data: taken away\n" in text


def test_its_draws_and_numbers_are_those_of_the_command_line():
    base = opened("essay-2023-realistic")
    path = next(each["path"] for each in controls(base.scenario) if each["kind"] == "prior")
    control = next(each for each in controls(base.scenario) if each["path"] == path)
    changes = {path: nudged(control, up=True)}
    ours = run_arrays(changed(base, changes))
    theirs = run_arrays(load_scenario("essay-2023-realistic", overrides=settings(base, changes)))
    assert ours.attrs["run_id"] == theirs.attrs["run_id"]
    for name, levels in arrays(ours, "trajectories").data_vars.items():
        np.testing.assert_array_equal(levels.values, arrays(theirs, "trajectories")[name].values)


def random_changes(base: Opened, known: list[Control], rng: random.Random) -> dict[str, Change]:
    """Change a few controls, each a little, some to another family."""
    chosen = rng.sample(known, min(len(known), rng.choice([1, 2, 4])))
    changes = {each["path"]: nudged(each, up=rng.random() < 0.5, by=0.1 * rng.random()) for each in chosen}
    for each in chosen:
        if rng.random() < 0.2 and len(each.get("families", ())) > 1:
            changes[each["path"]]["family"] = rng.choice(each["families"])
    return changes


def drawn(scenario: Scenario) -> dict[tuple[str, str], np.ndarray]:
    """Draw the priors of a scenario a few times: by the name of a scenario in it and of the prior."""
    spec = scenario.spec
    how = {"seed": spec.seed, "blocks": range(1), "size": spec.block, "design": spec.design, "samples": 16}
    return {(each.name, name): values for each in scenario.components
            for name, values in draw_blocks(each.joint, **how).items()}  # fmt: skip


@pytest.mark.parametrize("name", [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SHIPPED
])  # fmt: skip
def test_random_changes_are_one_scenario_by_three_ways(name):
    base, told = opened(name), list[str]()
    known, rng = controls(base.scenario), random.Random(17)
    tried, unknown = 0, set[str]()
    for _ in range(12):
        changes = random_changes(base, known, rng)
        try:
            found = changed(base, changes)
        except Refused as error:
            unknown |= {fault["path"] for fault in error.faults} - {*changes}
            continue
        tried += 1
        told += settings(base, changes)
        by_set = load_scenario(name, overrides=told)
        assert by_set.hash == found.hash
        assert (by_set.overrides, by_set.warnings) == (found.overrides, found.warnings)  # as the id of the run has them
        by_file = load_scenario(text := saved_text(base, changes))
        assert by_file.hash == found.hash
        assert (f"\nextends: {name}\n" in text) == ("" in base.documents) or base.scenario.fit is not None
        for theirs in (drawn(by_set), drawn(by_file)):
            assert theirs.keys() == (ours := drawn(found)).keys()
            assert all(values.tobytes() == theirs[name].tobytes() for name, values in ours.items())
        if tried == 2:
            break
        base = opened(name, overrides=told)  # the second time it is opened as the first left it
        known = controls(base.scenario)
    assert tried, "every change was refused"
    assert not unknown


@pytest.mark.slow
def test_every_control_moved_a_little_gives_a_scenario_or_a_fault_there():
    seen, amiss = set[str](), set[str]()
    for name in SHIPPED:
        base = opened(name)
        for control in controls(base.scenario):
            said = json.dumps({key: control.get(key) for key in ("path", "understood", "density", "source")})
            if said in seen:  # as in a scenario that this one extends
                continue
            seen.add(said)
            try:
                changed(base, {control["path"]: nudged(control, up=len(seen) % 2 == 0)})
            except Refused as error:
                amiss |= {fault["path"] for fault in error.faults if not fault["text"]}
                amiss |= {fault["path"] for fault in error.faults} - {control["path"]}
    assert len(seen) > 400
    assert not amiss


def test_no_change_is_the_scenario_itself():
    base = opened("baseline")
    assert changed(base, {}).hash == load_scenario("baseline").hash
    same: dict[str, Change] = {
        "drivers.spending.start": {"width": 1.0, "median": 750.0, "family": "skewed-lognormal"},
        "constraints.data": {"on": True},
        "years.last": {"value": 2045},
    }
    assert settings(base, same) == []
    assert changed(base, same).hash == load_scenario("baseline").hash
    assert load_scenario(saved_text(base, {})).hash == load_scenario("baseline").hash


def test_a_fault_stands_at_its_control_in_the_words_of_the_reader():
    with pytest.raises(Refused) as caught:
        changed("baseline", {"drivers.algorithms.growth.mixture[0]": {"width": 1.2}, "constraints.data": {"on": False}})
    (fault,) = caught.value.faults
    assert fault["path"] == "drivers.algorithms.growth.mixture[0]"
    assert fault["text"].startswith("no lognormal that is cut to [1.2, null] has 5 % at ")


@pytest.mark.parametrize(("path", "change", "text"), [
    ("samples", {"value": 3}, "there is no such control."),
    ("drivers.spending.start", {"median": True}, "median must be a number; got true."),
    ("drivers.spending.start", {"median": float("nan")}, "median must be a number; got nan."),
    ("drivers.spending.start", {"width": 0.0}, "width must be a number above 0; got 0."),
    ("drivers.spending.start", {"family": "nonsense"}, "must be one of 'fixed', 'normal', "),
    ("drivers.spending.start", {"median": -5.0}, "must be above 0"),
    ("drivers.spending.start", {"width": 1e9}, "must be"),
    ("constraints.data", {"on": 0}, "on must be true or false; got 0."),
    ("constraints.data", {"value": 1.0}, "has no value to change: it is a switch."),
    ("years.last", {"value": 2000.0}, "must come after first 2026.9; got 2000."),
    ("correlations[0].rank", {"value": 1.5}, "must be below 1; got 1.5."),
    ("drivers.algorithms.growth.mixture[0].weight", {"weight": 0.0}, "must be above 0; got 0."),
])  # fmt: skip
def test_what_is_no_change_is_refused_at_its_control(path, change, text):
    with pytest.raises(Refused) as caught:
        changed("baseline", {path: change})
    assert [fault["path"] for fault in caught.value.faults] == [path]
    assert text in caught.value.faults[0]["text"]


def test_a_limit_that_something_stands_on_is_not_taken_away():
    data = {
        "extends": "baseline", "name": "own",
        "thresholds": {"enough": {"quantity": "constraints.power", "level": "1e30 FLOP"}},
    }  # fmt: skip
    with pytest.raises(Refused) as caught:
        changed(data, {"constraints.power": {"on": False}, "years.last": {"value": 2040.0}})
    (fault,) = caught.value.faults
    assert fault["path"] == "constraints.power"
    assert "constraints.power" in fault["text"] or "no limit" in fault["text"]


def test_an_era_that_waits_for_an_event_is_taken_out_of_its_list():
    growth = [
        {"rate": {"interval_90": [1.5, 3], "unit": "x/year"}},
        {"rate": "2x/year", "from": {"when": "physical_compute", "reaches": "1e28 FLOP"}},
        {"rate": "1.1x/year", "from": {"threshold": "enough"}},
    ]
    enough = {"enough": {"physical_compute": 1e29}}
    base = opened(small_scenario({"drivers.compute.growth": growth, "thresholds": enough}))
    changes: dict[str, Change] = {
        "drivers.compute.growth[1]": {"on": False},
        "drivers.compute.growth[0].rate": {"width": 0.5},
        "drivers.compute.growth[2].rate": {"value": 1.2},
    }
    found = changed(base, changes)
    eras = found.data["drivers"]["compute"]["growth"]
    assert [era.get("from") for era in eras] == [None, {"threshold": "enough"}]
    assert eras[1]["rate"]["value"] == 1.2
    assert load_scenario(saved_text(base, changes)).hash == found.hash
    by_set = load_scenario(base.scenario.data, overrides=settings(base, changes))
    assert (by_set.hash, by_set.overrides) == (found.hash, found.overrides)


def test_an_event_goes_with_what_it_alone_brings_about_and_puts_on():
    base = opened("events")
    off = {name: {f"events.{name}": Change(on=False)} for name in base.scenario.spec.events}
    assert settings(base, off["taiwan"]) == ["events.taiwan=null"]  # the slump has a hazard of its own
    assert settings(base, off["slump"]) == [
        "events.slump=null",
        "events.bailout=null",
        "events.taiwan.triggers.slump=null",
    ]
    assert settings(base, off["cap-on-runs"]) == ["events.cap-on-runs=null", "constraints.cap-on-runs=null"]
    told = "taken away, and with it events.bailout and events.taiwan.triggers.slump\n"
    assert f"#   slump of the chip industry: {told}" in saved_text(base, off["slump"])
    assert "constraints.cap-on-runs" not in base.handles  # it goes with the event, and would always stand without it
    moved = {"events.slump.triggers.bailout": Change(value=30.0), "events.bailout.for": Change(value=4.0)}
    every = {path: change for each in off.values() for path, change in each.items()}
    for changes in (*off.values(), moved | off["bailout"], moved | every):
        found = changed(base, changes)
        assert load_scenario("events", overrides=settings(base, changes)).hash == found.hash
        assert load_scenario(saved_text(base, changes)).hash == found.hash
        assert not found.warnings
    assert not found.spec.events
    assert found.spec.constraints == load_scenario("baseline").spec.constraints


def test_an_input_that_is_used_in_several_places_is_one_control():
    base = opened("baseline")
    assert [path for path in base.handles if "world-product-growth" in path] == ["inputs.world-product-growth"]
    found = changed(base, {"inputs.world-product-growth": {"median": 4.0}})
    for path in ("quantities.world-product.growth", "quantities.company-cash-flow.growth[1].rate"):
        assert found.joint.priors[path].read.median == pytest.approx(4.0, abs=0.01)


def test_a_start_keeps_its_date_in_the_file_that_is_saved():
    base = opened("baseline")
    text = saved_text(base, {"quantities.world-product.start": {"value": 120.0}})
    assert load_scenario(text).data["quantities"]["world-product"]["at"] == 2022


def test_scenarios_of_a_mixture_change_together_and_apart():
    base = opened("views")
    changes: dict[str, Change] = {
        "mixture[no-caps].weight": {"weight": 0.5},
        "drivers.spending.growth[0].rate": {"median": 3.0},
        "mixture[baseline].changes.drivers.spending.caps.cash-flow": {"on": False},
    }
    found = changed(base, changes)
    assert [each.weight for each in found.components] == pytest.approx([0.6 / 1.4, 0.3 / 1.4, 0.5 / 1.4])
    for each in found.components:
        assert each.joint.priors["drivers.spending.growth[0].rate"].read.median == pytest.approx(3.0)
    spending = [each.spec.drivers.spending for each in found.components]
    assert ["cash-flow" in each.caps for each in spending if each is not None] == [False, True, False]
    assert "mixture[no-caps].weight=0.5" in settings(base, changes)


def test_a_scenario_of_a_mixture_has_a_weight_that_a_file_may_give_it():
    base = opened("views")
    for paths in (["no-caps"], ["baseline", "tight-caps", "no-caps"]):
        changes = {f"mixture[{name}].weight": {"weight": 0.0} for name in paths}
        for make in (changed, settings, saved_text):
            with pytest.raises(Refused) as error:
                make(base, changes)
            assert [each["path"] for each in error.value.faults] == sorted(changes, key=list(base.handles).index)
            assert all("must be above 0; got 0" in each["text"] for each in error.value.faults)


def test_weights_of_scenarios_are_those_of_the_file():
    data = {"schema": 2, "name": "two", "mixture": [
        {"scenario": "baseline", "weight": 2, "name": "bold"}, {"scenario": "tight-caps", "weight": 1},
    ]}  # fmt: skip
    base = opened(data)
    assert [base.handles[f"mixture[{name}].weight"].told for name in ("bold", "tight-caps")] == [2.0, 1.0]
    found = changed(base, {"mixture[bold].weight": {"weight": 1.0}})
    assert [each.weight for each in found.components] == [0.5, 0.5]
    assert load_scenario(saved_text(base, {"mixture[bold].weight": {"weight": 1.0}})).hash == found.hash


def test_what_has_learnt_is_written_out_as_a_whole():
    stated = load_scenario("learned")
    learnt = scenario_of({**stated.data, "history": {**stated.data["history"], "fit": "0" * 16}})
    base = opened("learned", ready=lambda _: replace(learnt, fit=None))
    assert base.name == ""
    changes: dict[str, Change] = {"drivers.spending.growth[0].rate": {"median": 0.4}}
    again = load_scenario(saved_text(base, changes))
    assert again.hash == changed(base, changes).hash
    assert not again.must_learn


def test_a_file_is_extended_beside_it(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text("extends: baseline\nname: own\nsamples: 64\n")
    base, changes = opened(file), {"years.last": Change(value=2040.0)}
    beside = tmp_path / "saved.yaml"
    beside.write_text(saved_text(base, changes))
    assert "extends: ./own.yaml\n" in beside.read_text()
    assert load_scenario(beside).hash == changed(base, changes).hash


SET = [
    "samples=64", "drivers.spending.growth[0].rate.median=2.7", "constraints.data=null", "title=Mine",
    "quantities.world-product.start=$120 trillion", "thresholds.mine={physical_compute: 1e28 FLOP}",
]  # fmt: skip


def test_what_was_set_before_is_saved_as_changes_with_what_was_changed_since():
    base, changes = opened("baseline", overrides=SET), {"thresholds.mine.physical_compute": Change(value=2e28)}
    text = saved_text(base, changes)
    found, again = changed(base, changes), load_scenario(text)
    assert found.hash == again.hash == load_scenario("baseline", overrides=[*SET, *settings(base, changes)]).hash
    assert (list(again.data["thresholds"]), again.spec.title) == (list(found.data["thresholds"]), "Mine")
    assert text.startswith(
        "# Changed in baseline:\n#   samples: 10000 -> 64\n#   drivers.spending.growth[0].rate.median: "
    )
    assert "\n#   threshold mine: physical compute: 1e+28 FLOP -> 2e+28 FLOP\n" in text
    assert text.count("\n") < 50  # and not the whole


def test_what_was_set_in_a_mixture_is_saved_in_each_and_in_all(tmp_path):
    given = ["mixture[no-caps].weight=0.4", "mixture[baseline].changes.constraints.power=null", "years.last=2040",
             "drivers.spending.growth[0].rate.median=2.7"]  # fmt: skip
    two = tmp_path / "two.yaml"
    two.write_text(
        "schema: 2\nname: two\nmixture:\n"
        "- {scenario: baseline, weight: 0.6, changes: {drivers: {spending: {growth: 3x/year}}}}\n"
        "- {scenario: no-caps, weight: 0.1}\n"
    )
    weight = {"mixture[baseline].weight": Change(weight=0.5)}
    for source, told in (("views", given), (two, [given[0], given[2], "drivers.spending.growth=2.5x/year"])):
        base = opened(source, overrides=told)
        found = changed(base, weight)
        assert found.hash == load_scenario(source, overrides=[*told, *settings(base, weight)]).hash
        text = saved_text(base, weight)
        assert load_scenario(text).hash == found.hash
        assert text.count("last: 2040") == 1


KINDS = {
    "schema": 2, "name": "kinds", "years": {"first": 2025, "last": 2040}, "samples": 64, "block": 32,
    "inputs": {"shared": {"median": 1.4, "interval_90": [1.2, 1.7], "unit": "x/year"}},
    "drivers": {
        "spending": {
            "start": "$1 to 4 billion (90 %)",
            "growth": [
                {"name": "boom", "rate": {
                    "mean_of": [{"input": "shared"}, {"interval_80": [1.5, 2.5], "unit": "x/year"}], "weights": [1, 2]}},
                {"name": "slow", "from": {"triangular": [2028, 2029, 2033]}, "rate": "20 to 60 %/year (90 %)",
                 "half_life": "3 to 6 years (80 %)", "towards": "3 %/year"},
                {"from": {"when": "spending", "reaches": {"interval_90": [1e12, 1e14], "unit": "USD"}}, "times": 0.5},
            ],
            "volatility": {"family": "lognormal", "interval_90": [0.01, 0.1], "unit": "OOM/year"},
            "caps": {"money": {"kind": "logistic", "limit": {"difference": ["pot", "$1 billion"]}}},
        },
        "hardware": {
            "start": {"discrete": {"values": [1e18, 2e18], "weights": [1, 3]}, "unit": "FLOP/USD"},
            "growth": {"family": "student-t", "df": 5, "location": 0.15, "scale": 0.02, "unit": "OOM/year"},
            "jumps": {"rate": "0.1/year", "size": {"interval_90": [1.5, 4], "unit": "x"}, "spread": 0.1},
        },
        "algorithms": {
            "start": 1,
            "growth": {"function": {"of": "thresholds.agi.effective_compute", "points": {"1e29": 3.5, "1e35": 2}},
                       "unit": "years/doubling"},
            "feedback": [{"at": 1e27, "multiplier": 1}, {"at": 1e32, "multiplier": {"interval_90": [1.1, 3]}}],
        },
    },
    "quantities": {"pot": {
        "accumulation": {
            "start": {"median": 1e12, "interval_90": [5e11, 2e12], "unit": "USD/year"},
            "growth": {"family": "beta", "alpha": 2, "beta": 3, "lower": 0.01, "upper": 0.3, "unit": "OOM/year"},
        },
        "start": "$5 trillion", "depreciation": "5 %/year",
    }},
    "constraints": {"chips": {"limit": {"table": {"2025": 1e28, "2040": 1e33}, "unit": "FLOP"}}},
    "thresholds": {
        "agi": {"effective_compute": {"median": 1e32, "interval_90": [1e28, 1e36], "unit": "FLOP", "never": 0.1},
                "delay": "6 to 24 months (90 %)"},
        "sure": {"physical_compute": {"value": 1e29, "unit": "FLOP", "never": 0.2}, "within_oom": 1},
    },
    "correlations": [{"name": "both", "between": ["drivers.spending.start", "drivers.hardware.growth"], "rank": 0.3}],
}  # fmt: skip
"""A scenario with every kind of entry that can be changed."""


def test_every_kind_of_entry_is_changed_alike_by_three_ways():
    base = opened(KINDS)
    known = {each["path"]: each for each in controls(base.scenario)}
    assert {
        "drivers.algorithms.feedback[1].at", "drivers.algorithms.growth.function.points.1e29", "drivers.spending.at",
        "constraints.chips.limit.table.2040", "correlations[both].rank", "drivers.hardware.jumps.size",
        "drivers.spending.growth[2].from.reaches", "drivers.spending.growth[boom].rate.weights[1]",
        "drivers.spending.growth[slow].half_life", "quantities.pot.depreciation", "thresholds.agi.delay",
        "thresholds.agi.effective_compute.never", "thresholds.sure.within_oom",
    } <= {*known}  # fmt: skip
    assert {path for path, each in known.items() if each["kind"] == "switch"} == {
        "constraints.chips", "drivers.algorithms.feedback", "drivers.hardware.jumps", "drivers.spending.caps.money",
        "drivers.spending.growth[2]", "drivers.spending.volatility",
    }  # fmt: skip
    for path, each in known.items():
        changes = {path: nudged(each, up=path not in ("years.last", "quantities.pot.at"))}
        found = changed(base, changes)
        by_set = load_scenario(KINDS, overrides=settings(base, changes))
        assert (by_set.hash, by_set.overrides) == (found.hash, found.overrides), path
        assert load_scenario(saved_text(base, changes)).hash == found.hash, path
        assert found.hash != base.scenario.hash, path


@pytest.mark.parametrize("name", ["baseline", "views"])
def test_a_prior_that_is_read_alone_is_that_of_the_whole_scenario(name):
    base, compared = opened(name), 0
    priors = [(path, handle) for path, handle in base.handles.items() if handle.kind == "prior"]
    for path, handle in priors[::3]:
        (control,) = (each for each in controls(base.scenario, like={path: handle}) if each["path"] == path)
        for change in (nudged(control, up=True), nudged(control, up=False), Change(width=40.0)):
            try:
                whole = changed(base, {path: change})
            except Refused:  # of which the prior alone need not know
                continue
            own = next(each for each in whole.components if handle.part in ("", each.name)).joint.priors
            alone = believed(base, path, change)
            assert alone == replace(own[alone.name], middle=alone.middle)
            compared += 1
    assert compared > 30


def test_thresholds_of_a_saved_file_keep_their_order():
    name, changes = "published/pilz-2025", {"thresholds.million-chips.level": {"value": 2e6}}
    base = opened(name)
    found, again = changed(base, changes), load_scenario(saved_text(base, changes))
    assert again.hash == found.hash
    assert list(again.data["thresholds"]) == list(found.data["thresholds"])
    assert main_quantity(run_arrays(with_samples(again, 64))) == main_quantity(run_arrays(with_samples(found, 64)))


def test_a_list_that_differs_between_the_scenarios_of_a_mixture_is_saved_in_each():
    base, changes = opened("views"), {"quantities.power-of-ai.growth[1].from": Change(value=2031.0)}
    found, again = changed(base, changes), load_scenario(saved_text(base, changes))
    for one, other in zip(found.components, again.components, strict=True):
        assert one.joint.priors == other.joint.priors
