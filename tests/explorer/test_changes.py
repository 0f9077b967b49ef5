"""Changes of controls become the scenario that a file or `--set` with the same numbers gives."""

from __future__ import annotations

import pytest

from simulator import load_scenario
from simulator.explorer.changes import Refused, changed, opened, saved_text, settings

CHANGES = {
    "drivers.spending.growth[0].rate": {"median": 2.6, "width": 1.1},
    "drivers.algorithms.growth.mixture[1].weight": {"weight": 0.4},
    "drivers.algorithms.growth.mixture[0]": {"width": 0.9},
    "thresholds.1e30-run.physical_compute": {"value": 5e29},
    "constraints.data": {"on": False},
}


def test_a_change_is_the_same_scenario_by_hand_by_set_and_by_its_file():
    base = opened("baseline")
    found = changed(base, CHANGES)
    assert found.spec.constraints.keys() == {"power"}
    assert found.joint.priors["drivers.spending.growth[0].rate"].understood.startswith("skewed lognormal, median 2.6 ")
    told = load_scenario("baseline", overrides=settings(base, CHANGES))
    assert (told.hash, told.overrides) == (found.hash, found.overrides)  # which a run has its id of
    assert load_scenario(saved_text(base, CHANGES)).hash == found.hash


def test_no_change_is_the_scenario_itself():
    base = opened("baseline")
    assert changed(base, {}).hash == load_scenario("baseline").hash
    assert settings(base, {"drivers.spending.start": {"width": 1.0}}) == []


def test_a_fault_stands_at_its_control_in_the_words_of_the_reader():
    with pytest.raises(Refused) as caught:
        changed("baseline", {"drivers.algorithms.growth.mixture[0]": {"width": 1.2}, "samples": {"value": 3}})
    assert [fault["path"] for fault in caught.value.faults] == ["samples"]
    with pytest.raises(Refused) as caught:
        changed("baseline", {"drivers.algorithms.growth.mixture[0]": {"width": 1.2}, "constraints.data": {"on": False}})
    (fault,) = caught.value.faults
    assert fault["path"] == "drivers.algorithms.growth.mixture[0]"
    assert fault["text"].startswith("no lognormal that is cut to [1.2, null] has 5 % at ")
