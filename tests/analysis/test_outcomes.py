"""What a sensitivity is of, read from text, from arrays and from runs."""

import json
import re

import numpy as np
import pytest

from simulator import (
    compare_runs,
    condition,
    load_scenario,
    parse_scenario,
    prior_swings,
    simulate,
    sweep,
    variance_shares,
)
from simulator.analysis.evaluation import Model, evaluate, inputs_of, model_of, prior_uniforms
from simulator.analysis.influence import default_outcomes
from simulator.analysis.outcomes import (
    Outcome,
    between_words,
    difference_words,
    headline_outcomes,
    in_a_sentence,
    outcome_text,
    outcome_unit,
    outcome_words,
    outcome_words_in,
    outcomes_from,
    outcomes_over,
    parse_outcome,
    parse_outcomes,
    prior_text,
    run_outcomes,
    unit_in,
)
from simulator.analysis.sweep_tables import outcome_table
from simulator.errors import InputError
from simulator.testing import run_of, scenario_text, small_scenario
from simulator.wording import level_text
from tests.money import money_alone, power_alone

ASKED = [
    "effective_compute@2035",
    "spending@2025.5",
    "crossing:1000x-gpt-4",
    "crossed:1000x-gpt-4@2028",
    "restricted:1000x-gpt-4",
]
READ = [
    *ASKED,
    "leads:us-frontier@2030",
    "lead@2030",
    "lead_months@2030.5",
    "behind:open-weights@2030",
    "effective_compute:us-frontier@2030",
    "crossing:1000x-gpt-4:2",
    "crossed:1000x-gpt-4:all@2030",
]


@pytest.fixture(scope="module")
def scenario():
    return load_scenario("baseline-2025", overrides=["samples=5000", "block=1024"])


@pytest.mark.parametrize("text", READ)
def test_an_outcome_is_written_as_it_is_read(text):
    assert parse_outcome(text).text == text


def test_a_level_between_the_years_knows_the_date_of_an_event():
    """Spending grows tenfold a year up to $4 billion, in mid-2026 or so, and stands still from then on."""
    still = {"from": {"when": "spending", "reaches": "$4 billion"}, "rate": {"value": 0, "unit": "OOM/year"}}
    spending = {"start": "$0.1 billion", "growth": [{"rate": "10x/year"}, still]}
    drivers = {"spending": spending, "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}}}
    model = model_of(parse_scenario(scenario_text(small_scenario({"drivers": drivers}))))
    found = evaluate(model, {}, parse_outcomes(["spending@2026.25", "spending@2026.75", "spending@2030.25"]))
    np.testing.assert_allclose(found[:, 0], [9.25, np.log10(4e9), np.log10(4e9)], atol=1e-6)


@pytest.mark.parametrize(
    ("text", "year", "written"),
    [
        ("spending@2027-12-31", 2027 + (11 + 30 / 31) / 12, "spending@2027-12-31"),
        ("spending@end of 2027", 2028.0, "spending@2028"),
        ("crossed:a@2026 Q3", 2026.5, "crossed:a@2026.5"),
        ("crossed:a@2026-11", 2026 + 10 / 12, "crossed:a@2026-11-01"),
    ],
)
def test_a_date_is_written_so_that_it_is_read_again(text, year, written):
    outcome = parse_outcome(text)
    assert (outcome.year, outcome.text) == (pytest.approx(year, abs=1e-12), written)
    assert parse_outcome(outcome.text) == outcome


def test_levels_between_the_years_follow_the_equations_and_those_of_a_stored_run_straight_lines(scenario):
    few = ["samples=200", "block=200"]
    asked = parse_outcomes(["spending@2029.25", "effective_compute@mid-2028", "crossed:1e30-run@2029 Q2"])
    yearly = load_scenario("baseline-2025", overrides=few)
    model, run = model_of(yearly), simulate(yearly)
    finer = run_outcomes(simulate(load_scenario("baseline-2025", overrides=[*few, "years.step=quarter"])), asked)
    np.testing.assert_allclose(evaluate(model, uniforms(model, 200), asked), finer, atol=1e-5)
    stored = run_outcomes(run, asked)
    np.testing.assert_array_equal(stored[2], finer[2])  # a crossing is known to the day
    levels = run["trajectories/spending"].sel(year=[2029, 2030]).transpose("year", "sample").values.astype(float)
    np.testing.assert_allclose(stored[0], 0.75 * levels[0] + 0.25 * levels[1], atol=1e-12)
    assert 0.001 < np.abs(stored[1] - finer[1]).max() < 0.5
    years = run["summary"]["year"].values
    assert "spending@2029.25 and effective_compute@2028.5" in between_words(asked, years)[0]
    assert between_words(parse_outcomes(["spending@2029", *ASKED[2:]]), years) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("effective_compute", "needs a year"),
        ("effective_compute@soon", "'soon' is no year"),
        ("crossd:agi@2030", "Did you mean 'crossed'?"),
        ("crossed:agi", "needs the year by which"),
        ("crossing:agi@2030", "has no year"),
        ("crossing:", "names nothing"),
        ("", "needs a year"),
    ],
)
def test_what_is_no_outcome_is_refused_with_the_way_to_write_it(text, said):
    with pytest.raises(InputError, match=said):
        parse_outcome(text)


def uniforms(model: Model, samples: int):
    """The uniform numbers of a run, by name of the uncertain prior."""
    return {name: prior_uniforms(model.component.spec, name, samples=samples) for name in model.joint.uncertain}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("efective_compute@2035", "no variable 'efective_compute'. Did you mean 'effective_compute'?"),
        ("effective_compute@2045.5", "the years go from 2025.5 to 2045"),
        ("crossed:1e30-run@2025-06-30", "the years go from 2025.5 to 2045"),
        ("binding_spending@2035.3", "told in the run's years alone. The nearest are 2034, 2035, 2036"),
        ("crossing:1000x-gpt4", "Did you mean '1000x-gpt-4'?"),
        ("crossed:1000x-gpt-4@2099", "go from 2025.5 to 2045"),
    ],
)
def test_what_the_scenario_does_not_have_is_refused(scenario, text, said):
    model = model_of(scenario)
    with pytest.raises(InputError, match=said):
        evaluate(model, uniforms(model, 4), [parse_outcome(text)])


def test_the_scenario_as_a_function_gives_the_samples_of_its_run(scenario):
    outcomes = [parse_outcome(text) for text in ASKED]
    model = model_of(scenario)
    found = evaluate(model, uniforms(model, 5000), outcomes)
    expected = run_outcomes(simulate(scenario), outcomes)
    np.testing.assert_allclose(found, expected, rtol=1e-6)  # a run keeps levels as float32
    np.testing.assert_array_equal(found[2:], expected[2:])


def test_a_crossing_year_is_censored_and_a_restricted_one_never_infinite():
    crossing = {"a": np.array([2020.0, 2031.5, np.inf])}
    asked = [parse_outcome(text) for text in ("crossing:a", "restricted:a", "crossed:a@2030")]
    assert [outcome.censored for outcome in asked] == [True, False, False]
    found = outcomes_from(asked, years=np.array([2020.0, 2040.0]), rows={}, crossing=crossing)
    assert found.tolist() == [[2020.0, 2031.5, np.inf], [2020.0, 2031.5, 2040.0], [1.0, 0.0, 0.0]]


def test_the_shocks_of_a_drift_are_one_input():
    model = model_of(load_scenario("baseline", overrides=["drivers.algorithms.drift=0.05"]))
    drift = [each for each in inputs_of(model) if each.name == "drivers.algorithms.drift.shocks"]
    assert len(drift) == 1
    assert len(drift[0].members) == 20
    every = [member for each in inputs_of(model) for member in each.members]
    assert sorted(every) == sorted(model.joint.uncertain)


def test_a_mixture_is_refused_by_name():
    with pytest.raises(InputError, match="mixes baseline, tight-caps, no-caps"):
        model_of(load_scenario("views"))


def test_without_thresholds_there_are_levels_alone():
    assert [outcome.text for outcome in headline_outcomes("effective_compute", [2025.0, 2030.0], [])] == [
        "effective_compute@2030"
    ]


def test_an_outcome_may_leave_its_year_open():
    years = [2025.5, 2026.0, 2027.0]
    assert [each.year for each in outcomes_over("spending", years)] == years
    assert [each.text for each in outcomes_over("crossed:a", years)] == [
        "crossed:a@2025.5", "crossed:a@2026", "crossed:a@2027"
    ]  # fmt: skip
    assert outcomes_over("spending@2026", years) == (parse_outcome("spending@2026"),)
    assert outcomes_over("restricted:a", years) == (parse_outcome("restricted:a"),)
    with pytest.raises(InputError, match="is no kind of outcome"):
        outcomes_over("crosed:a", years)


@pytest.mark.parametrize(
    ("outcome", "statistic", "words"),
    [
        (Outcome("level", "effective_compute", 2035.0), "median", "median effective compute in 2035"),
        (Outcome("crossing", "agi"), "", "crossing year of AGI"),
        (Outcome("restricted", "agi"), "mean", "mean crossing year of AGI, the horizon where it is later"),
        (Outcome("crossed", "agi", 2030.0), "", "whether AGI is crossed by the end of 2029"),
        (Outcome("crossed", "agi", 2030.0), "mean", "probability that AGI is crossed by the end of 2029"),
        (Outcome("crossed", "agi"), "", "whether AGI is crossed by the year"),
    ],
)
def test_an_outcome_is_named_in_words(outcome, statistic, words):
    assert outcome_words(outcome, labels={"agi": "AGI"}, statistic=statistic) == words


def test_an_outcome_is_named_as_its_run_calls_it():
    run = simulate(load_scenario("essay-2023"))
    first = Outcome("crossed", str(run["summary/threshold"].values[0]), 2030.0)
    assert outcome_words_in(run, first, statistic="mean") == "probability that GPT-4 is crossed by the end of 2029"
    level = parse_outcome("effective_compute@2030")
    assert outcome_words_in(run, level, statistic="median") == "median effective compute in 2030"


def test_an_article_is_set_where_a_sentence_needs_one():
    assert in_a_sentence("crossing year of AGI") == "the crossing year of AGI"
    assert in_a_sentence("effective compute in 2035") == "effective compute in 2035"


def test_outcomes_are_read_once_each_whether_texts_or_not():
    level = parse_outcome("spending@2030")
    assert parse_outcomes(["spending@2030", level, "crossing:agi"]) == (level, Outcome("crossing", "agi"))


def test_the_statistic_of_years_may_be_never_and_that_of_a_share_is_its_mean():
    years = np.array([2030.0, 2031.0, np.inf])
    assert [Outcome("crossing", "agi").middle(each) for each in (years, years[1:])] == [2031.0, np.inf]
    assert Outcome("crossed", "agi", 2031.0).middle(np.array([1.0, 1.0, 0.0, 0.0])) == 0.5


def test_units_and_numbers_of_outcomes_are_written():
    scenario = load_scenario("essay-2023")
    asked = (Outcome("level", "spending", 2035.0), Outcome("crossing", "agi"), Outcome("crossed", "agi", 2035.0))
    assert [outcome_unit(scenario, outcome) for outcome in asked] == ["log10(USD)", "year", "1"]
    assert [difference_words(unit) for unit in ("year", "log10(FLOP)", "1")] == [(1, "years"), (2, "OOM"), (2, "")]
    assert outcome_text(32.3, unit="log10(FLOP)", years=(2025.5, 2045.0)) == "2.0e32 FLOP"
    assert outcome_text(32.3, unit="log10(FLOP)", years=(2025.5, 2045.0), short=True) == "2.0e32"
    assert outcome_text(np.inf, unit="year", years=(2025.5, 2045.0)) == "> 2045"
    assert outcome_text(2025.5, unit="year", years=(2025.5, 2045.0)) == "already in 2025.5"
    texts = [outcome_text(0.25, unit="1", years=(2025.5, 2045.0), short=short) for short in (True, False)]
    assert texts == ["0.25", "0.25"]


@pytest.mark.parametrize(
    ("log_value", "unit", "text"),
    [
        (9.0, "USD", "$1 billion"),
        (4.8, "USD", "$63,100"),
        (9.4, "W", "2.51 GW"),
        (7.1911, "s", "180 days"),
        (4.0, "s", "10,000 s"),
        (32.3, "FLOP", "2.0e32 FLOP"),
        (-0.85, "fraction", "0.141"),
    ],
)
def test_a_level_is_written_with_its_unit(log_value, unit, text):
    assert level_text(log_value, unit) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("drivers.spending.start", 8.26, "$182 million"),
        ("drivers.algorithms.growth", 0.3, "2x/yr"),
        ("quantities.world-product.growth", 0.011, "2.57 %/yr"),
    ],
)
def test_a_number_of_a_prior_is_written_in_the_unit_of_the_file(name, value, text):
    assert prior_text(load_scenario("baseline").joint.priors[name], value) == text


def test_without_compute_studies_ask_about_what_there_is() -> None:
    scenario = parse_scenario(scenario_text(money_alone()))
    assert set(variance_shares(scenario, samples=64).dataset["subject"].values) == {"spending"}
    asked = prior_swings(scenario, samples=64).dataset["outcome"].values.tolist()
    assert asked == ["spending@2030", "spending@2035", "crossing:dear"]
    run = run_of(money_alone())
    assert [outcome.text for outcome in default_outcomes(run)] == asked
    compared = compare_runs([run, run_of(power_alone())], labels=["a", "b"])
    assert len(compared.results) == 0


def test_a_level_without_a_date_is_one_of_every_year_whoevers_it_is():
    years = [2030.0, 2031.0]
    for text in ("leads:us", "lead", "behind:us", "physical_compute:us"):
        assert [each.text for each in outcomes_over(text, years)] == [f"{text}@2030", f"{text}@2031"]
    assert [each.text for each in outcomes_over("crossing:run:2", years)] == ["crossing:run:2"]


RACE = {
    "schema": 2, "name": "race", "years": {"first": 2026, "last": 2032}, "samples": 512, "block": 128,
    "drivers": {"spending": {"start": "$1 billion", "growth": "2x/year"},
                "hardware": {"start": {"median": 1e18, "interval_90": [3e17, 3e18], "unit": "FLOP/USD"}}},
    "thresholds": {"run": {"physical_compute": 1e28, "label": "1e28 FLOP"}},
    "actors": {
        "us": {"label": "US lab"},
        "late": {"drivers": {"hardware": {"start": {"times": 0.1}}}},
        "eu": {"drivers": {"spending": {"start": {"times": {"median": 1, "interval_90": [0.5, 2]}}}}},
    },
}  # fmt: skip
OF_ACTORS = [
    "behind:late@2030", "behind_months:late@2031", "leads:us@2028", "lead@2031", "lead_months@2031",
    "physical_compute:eu@2029", "crossing:run:late", "crossing:run:2", "crossing:run:all", "crossing:run:first",
    "crossed:run:2@2030", "restricted:run:all", "lead@2030.25", "leads:eu@2030.25", "physical_compute:late@2030.25",
]  # fmt: skip


def test_who_leads_and_by_how_much_is_an_outcome_to_its_closed_form_of_a_run_as_of_a_scenario():
    scenario = parse_scenario(json.dumps(RACE | {"thresholds": {"run": {"physical_compute": 1e28}}}))
    run, model = simulate(scenario), model_of(scenario)
    found = dict(zip(OF_ACTORS, run_outcomes(run, parse_outcomes(OF_ACTORS)), strict=True))
    uniforms = {name: prior_uniforms(scenario.spec, name, samples=512) for name in model.joint.uncertain}
    evaluated = evaluate(model, uniforms, parse_outcomes(OF_ACTORS))
    np.testing.assert_allclose(evaluated, list(found.values()), atol=2e-4)
    us, late, eu = (run["actors/physical_compute"].sel(actor=name).transpose("year", "sample").values
                    for name in ("us", "late", "eu"))  # fmt: skip
    ahead = np.maximum(us, eu)
    np.testing.assert_allclose(found["behind:late@2030"], (ahead - late)[4], atol=1e-5)
    months = np.where(ahead[0] > late[5], np.inf, 12 * (ahead - late)[5] / np.log10(2))
    np.testing.assert_allclose(found["behind_months:late@2031"], months, rtol=1e-4)
    np.testing.assert_array_equal(found["leads:us@2028"], us[2] > eu[2])
    np.testing.assert_allclose(found["lead@2031"], np.abs(us - eu)[5], atol=1e-5)
    crossing = [2026 + (28 - own[0]) / np.log10(2) for own in (us, late, eu)]
    ordered = np.sort(np.where(np.array(crossing) > 2032, np.inf, np.maximum(crossing, 2026)), axis=0)
    for place, by in ((0, "first"), (1, "2"), (2, "all")):
        np.testing.assert_allclose(found[f"crossing:run:{by}"], ordered[place], atol=1e-4)
    np.testing.assert_array_equal(found["crossed:run:2@2030"], ordered[1] <= 2030)
    np.testing.assert_allclose(found["restricted:run:all"], np.minimum(ordered[2], 2032), atol=1e-4)
    np.testing.assert_allclose(found["physical_compute:late@2030.25"], late[4] + 0.25 * np.log10(2), atol=1e-5)


@pytest.mark.parametrize(
    ("text", "words", "unit"),
    [
        ("leads:us@2028", "probability that US lab leads in 2028", "1"),
        ("lead_months@2028", "lead of the first actor over the second in time in 2028", "months"),
        ("behind:us@2028", "distance from the actor that leads, of US lab in 2028", "OOM"),
        ("physical_compute:us@2028", "physical compute, of US lab in 2028", "log10(FLOP)"),
        ("crossing:run:2", "crossing year of 1e28 FLOP by 2 actors", "year"),
        ("crossed:run:us@2028", "probability that 1e28 FLOP is crossed by US lab by the end of 2027", "1"),
    ],
)
def test_outcomes_of_actors_are_told_in_words_and_units(text, words, unit):
    scenario, outcome = parse_scenario(json.dumps(RACE | {"samples": 128})), parse_outcome(text)
    statistic = "mean" if outcome.statistic == "mean" else ""
    assert outcome_words(outcome, labels=scenario.words, statistic=statistic) == words
    assert outcome_unit(scenario, outcome) == unit
    run = simulate(scenario)
    assert (outcome_words_in(run, outcome, statistic=statistic), unit_in(run, outcome)) == (words, unit)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("leads:uss@2028", "there is no actor 'uss'."),
        ("crossing:run:4", "there is no actor '4'. There are: us, late, eu. Or write all, or 1 to 3."),
        ("behind@2028", "there is no actor ''."),
        ("lead:us@2028", "is of the first and the second, whoever they are. Write lead@2030, or behind:us@2030."),
        ("capability:us@2028", "there is no variable by actor 'capability'."),
        ("leads:us@2040", "the years go from 2026 to 2032."),
    ],
)
def test_what_is_asked_of_no_actor_is_refused(text, said):
    run = simulate(parse_scenario(json.dumps(RACE | {"samples": 16})))
    with pytest.raises(InputError, match=re.escape(said)):
        run_outcomes(run, parse_outcomes([text]))
    alone = simulate(parse_scenario(json.dumps({**RACE, "samples": 16, "actors": {}})))
    with pytest.raises(
        InputError, match="is of actors, and there are none here" if ":" in text else "no variable|none"
    ):
        run_outcomes(alone, parse_outcomes([text]))


def test_who_leads_is_swept_shared_out_and_given_like_any_other_outcome():
    scenario = parse_scenario(json.dumps(RACE))
    swept = sweep(scenario, over={"actors.late.drivers.hardware.start.times": [0.1, 1, 10]})
    table = outcome_table(swept, parse_outcome("leads:late@2030"))
    assert table["value"].tolist()[0] < 0.05
    assert table["value"].tolist()[2] > 0.95
    for value, point in zip(table["value"].tolist(), (0.1, 1, 10), strict=True):
        own = simulate(
            parse_scenario(json.dumps(RACE), overrides=[f"actors.late.drivers.hardware.start.times={point}"])
        )
        assert value == pytest.approx(run_outcomes(own, [parse_outcome("leads:late@2030")]).mean(), abs=1e-12)
        second = outcome_table(swept, parse_outcome("crossing:run:2"))["value"].tolist()[(0.1, 1, 10).index(point)]
        assert second == pytest.approx(np.median(run_outcomes(own, [parse_outcome("crossing:run:2")])), abs=2e-3)
    found = variance_shares(scenario, outcomes=["leads:us@2030", "lead@2030"], samples=64)
    assert {"actors.eu.drivers.spending.start.times"} == {
        str(name)
        for name, total in zip(found.dataset["input"].values, found.dataset["total"].values[:, 1], strict=True)
        if total > 0.5
    }
    given = condition(simulate(scenario), ["leads:us@2030"])
    assert given.tables()["given"].rows()[0]["probability"] == pytest.approx(0.5, abs=0.06)
    assert condition(simulate(scenario), ["lead_months@2030 >= 3"]).effective > 100
