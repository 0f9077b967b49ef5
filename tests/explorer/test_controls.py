"""Controls show every prior of a scenario, those that matter most first."""

from __future__ import annotations

import numpy as np
import pytest

from simulator import load_scenario
from simulator.engine.simulation import run_arrays
from simulator.explorer.controls import controls, first_order, groups


def test_controls_of_the_baseline_stand_by_what_matters():
    scenario = load_scenario("baseline", overrides=["samples=512"])
    found = controls(scenario, shares=first_order(run_arrays(scenario)))
    assert {*scenario.joint.uncertain} <= {each["path"] for each in found}
    assert found[0]["path"] == "drivers.algorithms.growth"
    shares = [each["share"] for each in found if "share" in each]
    assert shares == sorted(shares, reverse=True)
    assert groups(found)[0]["title"] == "Algorithmic efficiency"


def test_a_control_says_what_is_believed_in_the_unit_in_which_it_is_told():
    by_path = {each["path"]: each for each in controls(load_scenario("baseline"))}
    start = by_path["drivers.spending.start"]
    assert (start["unit"], start["median"], start["low"], start["high"]) == ("million USD", 750, 320, 2500)
    assert start["families"][0] == start["family"] == "skewed-lognormal"
    x, y = start["density"]["x"], start["density"]["y"]
    assert np.trapezoid(y, np.log10(x)) == pytest.approx(0.99, abs=0.002)  # between the 0.5 and the 99.5 % point
