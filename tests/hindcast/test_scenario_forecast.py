"""A scenario as it stands starts from the record, keeps its dates, and is refused where it cannot start."""

from __future__ import annotations

import numpy as np
import pytest

from simulator import load_scenario, parse_scenario, simulate
from simulator.errors import InputError
from simulator.hindcast.arms import check_hindsight, hindsight, undated
from simulator.hindcast.scenario_forecast import (
    Start,
    _set_starts,
    forecast_learned,
    forecast_period,
    forecast_scenario,
    growth_priors,
    period_growth,
    scenario_at,
    start_at,
)
from simulator.history.columns import last_day
from simulator.history.model import build_model
from simulator.scenario.describing import library_lines
from simulator.scenario.library import library_prior, load_library, shipped_names
from simulator.testing import scenario_text
from tests.hindcast.compute_scenario import COMPUTE, SEEN
from tests.hindcast.made_up_record import OBSERVED, RECORD
from tests.history.made_up_fit import DRAWS, fit
from tests.money import money_alone

PLAIN = """
schema: 2
name: plain
years: {first: 2025, last: 2030}
samples: 1024
block: 1024
seed: 1
drivers:
  spending: {start: {value: 1e8, unit: USD}, growth: [{rate: 3x/year}, {from: 2020, rate: 2x/year}]}
  hardware:
    factors:
      chips: {start: {value: 1e18, unit: FLOP/USD}, growth: {value: 1.5, unit: x/year}}
      use: {start: {median: 0.4, interval_90: [0.3, 0.5], unit: "1"}}
"""
EXACT = 4 * 0.2 * 1.25 / np.sqrt(1024)


def forecast(text, *, origin=2018, seen=SEEN, overrides=()):
    return forecast_scenario(parse_scenario(text, overrides=overrides), seen, origin=origin, last_year=2022, size=1024)


def medians(made):
    return [float(np.median(samples)) for samples in made.samples]


def test_physical_compute_starts_at_the_record_and_regimes_keep_their_dates():
    made = forecast(PLAIN)
    assert made.years == (2019, 2020, 2021, 2022)
    steps = np.diff([RECORD[6], *medians(made)])
    expected = np.log10([3 * 1.5, 2 * 1.5, 2 * 1.5, 2 * 1.5])  # the end of 2019 is 2020.0
    assert steps[1:] == pytest.approx(expected[1:], abs=1e-5)
    assert steps[0] == pytest.approx(expected[0], abs=EXACT)
    assert made.samples[0].std() == pytest.approx(0.2, rel=0.1)


def test_a_factor_without_a_start_is_1_at_the_origin_whatever_its_date():
    more = PLAIN.replace("      use:", "      more: {at: 2025, growth: 1.2x/year}\n      use:")
    grown = np.array(medians(forecast(more))) - medians(forecast(PLAIN))
    assert grown == pytest.approx(np.arange(1, 5) * np.log10(1.2), abs=1e-5)


def test_the_first_years_do_not_depend_on_where_the_scenario_starts_by_itself():
    later = forecast(PLAIN, overrides=["years.first=2027", "drivers.spending.start.value=1e10"])
    assert np.array_equal(later.samples, forecast(PLAIN).samples)


def test_compute_as_a_whole_needs_no_cost():
    made = forecast(COMPUTE, seen=OBSERVED)
    assert medians(made) == pytest.approx(RECORD[6] + np.arange(1, 5), abs=EXACT)


def test_a_table_is_moved_to_the_record():
    table = "{2015: 1e5, 2030: 1e20}, unit: PFLOP"
    made = forecast(
        COMPUTE.replace("start: {value: 1e26, unit: FLOP}, growth: {value: 10, unit: x/year}", f"table: {table}")
    )
    assert medians(made) == pytest.approx(RECORD[6] + np.arange(1, 5), abs=1e-4)


def test_quantities_keep_the_year_in_which_they_were_stated():
    changes = ["quantities.money={start: {value: 1e9, unit: USD}, growth: {value: 10, unit: x/year}}",
               "drivers.spending.caps.money={limit: money}"]  # fmt: skip
    moved = scenario_at(
        parse_scenario(PLAIN, overrides=changes).components[0], start_at(SEEN, origin=2018), last_year=2022, size=256
    )
    money = simulate(moved)["trajectories/quantity_money"]
    assert money.sel(year=2019.0).values == pytest.approx(9 - 6)  # 1e9 in 2025, ten times less every year before
    assert float(simulate(moved)["trajectories/spending"].sel(year=2019.0).max()) == pytest.approx(3)


def test_a_mixture_shares_its_samples_by_weight():
    scenario = load_scenario("views", overrides=["block=256"])
    made = forecast_scenario(scenario, SEEN, origin=2020, last_year=2021, size=400)
    assert abs(made.samples.shape[1] - 400) <= len(scenario.components)


def test_correlations_of_starts_go_and_others_stay():
    scenario = load_scenario("baseline")
    moved = scenario_at(scenario.components[0], start_at(SEEN, origin=2018), last_year=2022, size=64)
    kept = {each.between for each in moved.spec.correlations}
    assert len(kept) == len(scenario.spec.correlations) - 1
    assert not any("start" in name and name.startswith("drivers") for pair in kept for name in pair)


@pytest.mark.parametrize(
    ("text", "change", "message"),
    [
        (PLAIN, "drivers.hardware={custom: {}}", r"drivers\.hardware: is computed by Python code"),
        (COMPUTE, "drivers.compute={table: {2020: 1e24, 2030: 1e30}, unit: FLOP}", "covers 2020 to 2030, and not 2019"),
        (COMPUTE, "constraints.stock={limit: {accumulation: {value: 1e20, unit: FLOP/s}, start: {value: 1e28, unit: FLOP}}}",
         r"constraints\.stock\.limit: is a stock that is known from 2025 on"),
    ],
)  # fmt: skip
def test_what_cannot_start_at_the_origin_is_refused(text, change, message):
    with pytest.raises(InputError, match=message):
        forecast(text, overrides=[change])


def test_without_a_cost_spending_cannot_be_told_from_hardware():
    with pytest.raises(InputError, match="no cost of a run is known by the end of 2018"):
        forecast(PLAIN, seen=OBSERVED)


def test_a_prior_that_knew_what_came_is_named_by_file_and_line(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(PLAIN.replace("{rate: 3x/year}", "{rate: {value: 3, as_of: 2019-05, unit: x/year}}"))
    scenario = load_scenario(file)
    (fault,) = hindsight(scenario, origin=2018)
    assert (fault.place.file, fault.place.line) == (str(file), 9)
    assert fault.entry == "drivers.spending.growth[0].rate.as_of"
    assert not hindsight(scenario, origin=2019)
    with pytest.raises(InputError, match=r"(?s):9:.*--allow-hindsight"):
        check_hindsight([scenario], origins=[2018, 2019])


def test_a_library_entry_and_the_parts_of_a_mixture_count():
    entries = {fault.entry for fault in hindsight(load_scenario("baseline"), origin=2022)}
    assert "drivers.spending.growth[0].rate.as_of" in entries
    mixed = parse_scenario(
        COMPUTE,
        overrides=["drivers.compute.growth={mixture: [{weight: 1, value: 4x/year, as_of: 2018}, {weight: 1, value: 5x/year, as_of: 2020}]}"],
    )  # fmt: skip
    (fault,) = hindsight(mixed, origin=2019)
    assert fault.entry == "drivers.compute.growth.mixture[1].as_of"
    assert hindsight(load_scenario("views"), origin=2022)


def test_starts_thresholds_and_algorithms_do_not_count_but_feedback_does():
    late = {"value": 2, "as_of": "2024", "unit": "x/year"}
    text = COMPUTE.replace("start: {value: 1e26, unit: FLOP}", "start: {value: 1e26, unit: FLOP, as_of: 2024}")
    changes = [
        f"drivers.algorithms={{growth: {late}}}",
        "thresholds.x={physical_compute: {value: 1e27, as_of: 2024}}",
    ]
    assert not hindsight(parse_scenario(text, overrides=changes), origin=2018)
    points = "[{at: 1e25, multiplier: 1}, {at: 1e30, multiplier: 2}]"
    feeding = [f"drivers.algorithms={{growth: {late}, feedback: {points}}}"]
    assert hindsight(parse_scenario(text, overrides=feeding), origin=2018)


def test_priors_that_do_not_say_what_they_knew_are_listed():
    assert undated(parse_scenario(COMPUTE)) == ("drivers.compute.growth",)


def test_growth_priors_are_those_of_the_first_regimes_in_oom_per_year():
    text = PLAIN.replace("{rate: 3x/year}", "{rate: {median: 3, interval_90: [2, 4.5], unit: x/year}}").split(
        "  hardware:"
    )[0]
    text += "  hardware: {start: {value: 1e18, unit: FLOP/USD}, growth: {median: 1.5, interval_90: [1.2, 1.875], unit: x/year}}\n"
    found = growth_priors(parse_scenario(text))
    assert found is not None
    middle = np.array([0.5])
    assert found.spending_growth.ppf(middle) == pytest.approx(np.log10(3))
    assert found.efficiency_growth.ppf(middle) == pytest.approx(np.log10(1.5))
    names = set(build_model(SEEN, priors=found).model.named_vars)
    assert {"spending_growth", "efficiency_growth"} <= names


@pytest.mark.parametrize("text", [PLAIN, COMPUTE])
def test_factors_or_compute_as_a_whole_give_no_growth_priors(text):
    assert growth_priors(parse_scenario(text)) is None


FILES = [name for name in shipped_names("priors") if name.startswith("period/")]
ENTRIES = [f"{file}/{key}" for file in FILES for key in load_library(file).data["priors"]]


def test_there_are_libraries_of_2018_2020_2022_and_2024():
    assert FILES == ["period/2018", "period/2020", "period/2022", "period/2024"]


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_was_known_in_its_year_and_says_where_it_comes_from(entry):
    prior = library_prior(entry)
    assert last_day(prior.as_of, entry="as_of").year <= int(entry.split("/")[1])
    assert prior.source
    assert prior.confidence
    assert prior.notes
    assert entry.split("-")[-1] in ("compute", "hardware", "spending", "algorithms", "cap")


@pytest.mark.parametrize(
    ("origin", "file"), [(2018, "2018"), (2019, "2018"), (2021, "2018"), (2023, "2022"), (2030, "2024")]
)
def test_the_newest_priors_that_were_known_are_taken(origin, file):
    assert {reference.split("/")[1] for reference in period_growth(origin)} == {file}


def test_before_the_first_of_them_an_origin_is_refused():
    with pytest.raises(InputError, match=r"origin 2017: no prior .* the first is of 2018"):
        period_growth(2017)


def test_the_forecast_starts_from_the_record_and_doubles_every_3_4_months():
    made = forecast_period(OBSERVED, origin=2019, last_year=2021, size=4000, seed=0)
    assert made.years == (2020, 2021)
    rate = 12 / 3.4 * np.log10(2)
    for ahead, samples in zip((1, 2), made.samples, strict=True):
        assert np.median(samples) == pytest.approx(RECORD[7] + ahead * rate, abs=4 * 0.2 * 1.25 / np.sqrt(4000))
        assert samples.std() == pytest.approx(0.2, rel=0.05)


def test_several_priors_are_mixed_in_equal_parts():
    medians = [float(prior.family.ppf(np.array([0.5]))[0]) for prior in period_growth(2022).values()]
    made = forecast_period(OBSERVED, origin=2022, last_year=2032, size=4000, seed=0)
    rates = (made.samples[-1] - made.samples[0]) / 9
    assert np.mean(np.isclose(rates, min(medians))) == pytest.approx(0.5, abs=0.04)


def test_a_folder_of_libraries_and_an_entry_below_it_are_shown():
    assert sum(line.startswith("period/") for line in library_lines("period")) == 4
    assert next(library_lines("period/2018/openai-compute")) == "period/2018/openai-compute"


def test_a_scenario_without_compute_is_refused() -> None:
    with pytest.raises(InputError, match="has no hardware, and a hindcast asks about the compute of the record"):
        _set_starts({}, parse_scenario(scenario_text(money_alone())).components[0], Start(2020, 24.0, 17.0))


def test_what_learns_goes_on_from_the_record_by_what_was_learnt_then() -> None:
    """A nearly certain fit at the end of 2019: the record has its error of 0.2 OOM, and grows by 0.6 OOM a year."""
    slopes, spending, efficiency = np.random.default_rng(0).normal([0.8, 0.5, 0.1], [0.3, 0.01, 0.01], (DRAWS, 3)).T
    shape = (2, DRAWS // 2)  # what a run costs changes no compute; what is certain would have nothing to learn
    known = fit(record=20.0, cost_slope=slopes.reshape(shape), spending_growth=spending.reshape(shape),
                efficiency_growth=efficiency.reshape(shape))  # fmt: skip
    known.attrs |= {"fit": "0123456789abcdef", "snapshot": "2026-05", "sampler": "none"}
    made = forecast_learned(
        load_scenario("learned", overrides=["history.from_record=1"]), known, last_year=2021, size=1000
    )
    assert (made.origin, made.years, made.samples.shape) == (2019, (2020, 2021), (2, 1000))
    assert np.median(made.samples, axis=1) == pytest.approx([20.6, 21.2], abs=4 * 0.2 * 1.25 / np.sqrt(1000))
    assert made.samples.std(axis=1) == pytest.approx([0.2, 0.2], rel=0.2)
    with pytest.raises(InputError, match="names no history to learn from"):
        forecast_learned(parse_scenario(COMPUTE), known, last_year=2021, size=9)
