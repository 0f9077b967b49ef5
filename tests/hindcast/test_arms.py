"""Arms of a hindcast: what is made at each origin, what is flagged, what is refused."""

from __future__ import annotations

from textwrap import dedent

import numpy as np
import pytest

from simulator import load_scenario, parse_scenario
from simulator.errors import InputError
from simulator.hindcast.arms import PERIOD, check_hindsight, growth_knew, hindsight, scenario_arms, scenario_notes
from tests.hindcast.compute_scenario import COMPUTE, SEEN

LATE = COMPUTE.replace("growth: {value: 10, unit: x/year}", "growth: {value: 10, unit: x/year, as_of: 2019}")


def arms(*scenarios, allow=False, origins=(2018, 2020)):
    if not allow:
        check_hindsight(scenarios, origins=origins)
    made = [arm.made(SEEN, each) for arm in scenario_arms(scenarios, size=256, seed=0) for each in origins]
    return made, scenario_notes(scenarios, origins=origins)


def test_each_arm_forecasts_every_later_year_from_every_origin():
    made = arms(parse_scenario(COMPUTE))
    assert [(arm.name, arm.forecast.origin) for arm in made[0]] == [
        (PERIOD, 2018), (PERIOD, 2020), ("scenario whole", 2018), ("scenario whole", 2020)
    ]  # fmt: skip
    for arm in made[0]:
        assert arm.forecast.years == tuple(range(arm.forecast.origin + 1, 2023))
        assert arm.forecast.samples.shape == (len(arm.forecast.years), 256)
    assert not any(arm.hindsight for arm in made[0])
    assert any("1 priors state no as_of" in note for note in made[1])
    assert any("2018: period/2018/openai-compute" in note for note in made[1])


def test_hindsight_is_refused_or_flagged_where_it_is():
    with pytest.raises(InputError, match="knew of 2019, after the origin 2018"):
        arms(parse_scenario(LATE))
    made = arms(parse_scenario(LATE), allow=True)
    assert [(arm.forecast.origin, arm.hindsight) for arm in made[0] if arm.name != PERIOD] == [
        (2018, True),
        (2020, False),
    ]
    assert len(arms(parse_scenario(LATE), origins=(2019, 2020))[0]) == 4


def test_hindsight_of_a_further_scenario_is_refused_too_and_is_its_own():
    other = parse_scenario(LATE.replace("whole", "other"))
    with pytest.raises(InputError, match="knew of 2019"):
        arms(parse_scenario(COMPUTE), other)
    late = [arm for arm in arms(parse_scenario(COMPUTE), other, allow=True)[0] if arm.hindsight]
    assert {arm.name for arm in late} == {"scenario other"}


def test_two_scenarios_of_one_name_are_refused():
    with pytest.raises(InputError, match="two of the scenarios are 'scenario baseline'"):
        arms(load_scenario("baseline"), load_scenario("baseline"), allow=True)


def test_a_scenario_of_the_period_needs_no_leave():
    text = COMPUTE.replace("growth: {value: 10, unit: x/year}", "growth: {prior: period/2018/openai-compute}")
    made = arms(parse_scenario(text))
    assert not any(arm.hindsight for arm in made[0])
    assert not any("state no as_of" in note for note in made[1])
    period, whole = (next(arm for arm in made[0] if arm.name == name) for name in (PERIOD, "scenario whole"))
    assert np.median(whole.forecast.samples, axis=1) == pytest.approx(
        np.median(period.forecast.samples, axis=1), abs=4 * 0.2 * 1.25 * np.sqrt(2 / 256)
    )


def test_the_model_has_hindsight_where_its_growth_priors_knew_and_nowhere_else():
    learns = """
    schema: 2
    name: two
    years: {first: 2026, last: 2030}
    drivers:
      spending:
        start: {median: 4e8, interval_90: [2e8, 8e8], unit: USD}
        growth: [{rate: {median: 2.4, interval_90: [1.6, 3.4], as_of: 2019, unit: x/year}}, {from: 2028, rate: 2x/year}]
      hardware:
        start: {median: 1e18, interval_90: [7e17, 1.5e18], unit: FLOP/USD}
        growth: {median: 1.35, interval_90: [1.2, 1.5], as_of: 2018, unit: x/year}
    constraints:
      power: {limit: {value: 1e30, unit: FLOP, as_of: 2024}}
    """
    scenario = parse_scenario(dedent(learns))
    assert [growth_knew(scenario, origin=origin) for origin in (2018, 2019, 2022)] == [True, False, False]
    assert hindsight(scenario, origin=2022)  # by the constraint, which the model of history does not know
