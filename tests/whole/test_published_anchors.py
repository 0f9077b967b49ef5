"""Published closed forms, a table of crossing years and a forecast, as the shipped scenarios give them."""

from __future__ import annotations

from math import log10

import numpy as np
import pytest

from simulator.scenario.library import shipped_names
from simulator.scenario.load import load_scenario
from simulator.units import parse_growth_unit
from tests.published_runs import published, run_of

NAMES = (
    "cottier-2023", "cottier-2024", "four-times-a-year", "gpt-3-carried-forward", "rethink-2024", "cotra-2020",
)  # fmt: skip


def test_there_are_targets_for_every_requirement_and_factor_of_the_tables():
    assert len(published("rethink-2024").targets) == 23
    assert len(published("cotra-2020").targets) == 4 * 9 + 2


def test_published_numbers_are_no_scenarios():
    assert {f"published/{name}" for name in NAMES} <= set(shipped_names("scenarios"))
    assert not [name for name in shipped_names("scenarios") if "targets" in name]


def test_a_scenario_of_fixed_numbers_has_nothing_to_draw():
    for name in ("cottier-2024", "four-times-a-year", "gpt-3-carried-forward", "rethink-2024"):
        assert load_scenario(f"published/{name}").joint.uncertain == ()
    assert load_scenario("published/cotra-2020").joint.uncertain == ("thresholds.requirement.effective_compute",)


def test_rates_and_limits_follow_the_drawn_requirement_in_every_sample():
    parameters = run_of("cotra-2020")["parameters"]
    x = parameters["thresholds.requirement.effective_compute"].values
    years = np.clip(3.5 - (x - 29) / 4, 2, 3.5)
    headroom = np.clip(2 + (x - 32) / 4, 2, 5)
    assert np.isinf(x).mean() == pytest.approx(0.07, abs=1e-3)
    assert parameters["drivers.algorithms.growth"].values == pytest.approx(log10(2) / years, abs=1e-9)
    assert parameters["drivers.algorithms.caps.headroom.limit"].values == pytest.approx(headroom, abs=1e-9)


@pytest.mark.parametrize("x", range(23, 46))
def test_the_steps_of_the_table_are_its_roundings(x):
    joint = load_scenario("published/rethink-2024", overrides=[f"thresholds.requirement.effective_compute=1e{x}"]).joint
    years = min(max(3.5 - round((x - 29) / 2) / 2, 2), 3.5)
    assert joint.priors["drivers.algorithms.growth"].value == pytest.approx(log10(2) / years, rel=1e-12)
    limit = joint.priors["drivers.algorithms.caps.headroom.limit"].value
    assert limit == pytest.approx(min(max(2 + round((x - 32) / 4), 2), 5), rel=1e-12)


@pytest.mark.parametrize(
    ("months", "factor", "digits"), [(8, 2.83, 2), (5, 5.28, 2), (14, 1.81, 2), (2, 64, 0), (22, 1.46, 2)]
)
def test_a_halving_time_is_a_factor_a_year(months, factor, digits):
    rate = float(parse_growth_unit("months/halving of requirement").conversion.forward(np.array(float(months))))
    assert round(10**rate, digits) == factor


def test_300000_fold_takes_61_9_months_at_a_doubling_in_3_4_months():
    rate = float(parse_growth_unit("months/doubling").conversion.forward(np.array(3.4)))
    assert 12 * log10(300_000) / rate == pytest.approx(61.9, abs=0.05)
