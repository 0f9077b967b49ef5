"""Arms of a hindcast: what is made at each origin, what is flagged, what is refused."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import numpy as np
import pytest
import xarray as xr

from simulator import load_scenario, parse_scenario
from simulator.errors import InputError
from simulator.hindcast.arms import (
    DATED,
    FORECAST,
    PARTS,
    PERIOD,
    STACK,
    check_hindsight,
    fitted_arms,
    hindsight,
    mixed,
    model_knew,
    past_weights,
    path_arms,
    sampled,
    scenario_arms,
    scenario_notes,
)
from simulator.history.fit import SamplerSettings
from simulator.history.forecast import RecordForecast
from tests.hindcast.compute_scenario import COMPUTE, SEEN
from tests.hindcast.made_up_record import OBSERVED

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
    assert [arm.hindsight for arm in made[0]] == [False, False, True, True]  # who does not say is not believed
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
    early = parse_scenario(LATE.replace("2019", "2017"))
    late = [arm for arm in arms(early, other, allow=True)[0] if arm.hindsight]
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
    knew = "drivers.spending.growth[0].rate knew of 2019"
    assert [knew in model_knew(scenario, origin) for origin in (2018, 2019, 2022)] == [True, False, False]
    assert "constraints" not in model_knew(scenario, 2018)
    assert hindsight(scenario, origin=2022)  # by the constraint, which the model of history does not know


def test_the_forecast_is_a_third_of_each_part_and_says_whose_growth_it_is() -> None:
    made = {arm.name: arm for arm in path_arms(size=300, seed=0)}
    assert list(made) == [FORECAST, *PARTS, DATED, STACK]
    whole, *parts = (made[name].forecast(SEEN, 2018).samples for name in (FORECAST, *PARTS))
    for place, part in enumerate(parts):
        third = slice(100 * place, 100 * (place + 1))
        assert np.array_equal(whole[:, third], part[:, third])
        assert np.all(np.diff(part, axis=0) >= 0)
    assert made[FORECAST].hindsight(2025) == ("path-growth knew of 2026-11; path-growth-drifting knew of 2026-11")
    assert [made[name].hindsight(2025) for name in PARTS] == [
        f"{entry} knew of 2026-11" for entry in ("path-growth", "path-growth-drifting", "path-growth-drifting")
    ]
    assert not made[FORECAST].hindsight(2026)
    assert not made[DATED].hindsight(2012)


def test_what_came_after_an_origin_changes_no_forecast_in_closed_form() -> None:
    later = np.where(SEEN.record_year > 2018, SEEN.record_log_compute + 3, SEEN.record_log_compute)
    changed = replace(SEEN, record_log_compute=later, run_log_compute=later)
    for arm in path_arms(size=60, seed=0):
        ours, theirs = (arm.forecast(seen, 2018).samples for seen in (SEEN, changed))
        assert np.array_equal(ours, theirs), arm.name


def test_a_stack_weighs_by_what_had_come_and_each_year_once() -> None:
    came = dict(zip(SEEN.record_year.tolist(), SEEN.record_log_compute.tolist(), strict=True))

    def off(by: float, origin: int) -> RecordForecast:
        years = tuple(range(origin + 1, 2023))
        return RecordForecast(origin, years, np.array([[came[year] + by] * 4 for year in years]))

    past = [[off(by, origin) for by in (0.1, 0.2, 0.3)] for origin in (2015, 2016)]
    assert past_weights(past, SEEN, 2015) == pytest.approx(np.ones(3))
    weights = past_weights(past, SEEN, 2018)  # three years came, the scores are 0.1, 0.2, 0.3 in each
    assert weights == pytest.approx(np.exp([0.0, -0.45, -0.9]) / np.exp([0.0, -0.45, -0.9]).sum())
    assert mixed(past[0], np.array([1.0, 0.0, 1.0])).samples[0] - came[2016] == pytest.approx([0.1, 0.1, 0.3, 0.3])


def test_the_sampled_model_is_fitted_once_for_all_origins_of_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[list[float]] = []

    def fits(seen, *, dates, settings, **_):
        fitted.append(list(dates))
        return [
            xr.DataTree.from_dict({"/": xr.Dataset(attrs={"at": int(date)}), "posterior": xr.Dataset()})
            for date in dates
        ]

    def forecast(fit, *, last_year, seed):
        first = fit.attrs["at"]
        return RecordForecast(first - 1, tuple(range(first, last_year + 1)), np.zeros((last_year + 1 - first, 9)))

    monkeypatch.setattr("simulator.hindcast.arms.fit_dates", fits)
    monkeypatch.setattr("simulator.hindcast.arms.forecast_record", forecast)
    model, learned = fitted_arms(sampled((2018, 2020, 2030), settings=SamplerSettings()), size=9, seed=0)
    assert (model.name, learned.name) == ("model", "learned")
    assert [model.forecast(OBSERVED, origin).origin for origin in (2020, 2018)] == [2020, 2018]
    assert fitted == [[2019.0, 2021.0]]
    assert "spending-growth knew of 2026-11" in model.hindsight(2020)
    assert "drivers.spending" in learned.hindsight(2020)
