"""What a report says in sentences."""

import numpy as np
import pytest

from simulator import load_scenario, simulate
from simulator.report.sentences import (
    amount,
    base_unit,
    cautions,
    crossed_in,
    forecast_sentences,
    growth_sentences,
    isolated,
    knowledge_date,
    ooms,
    told,
    when,
)
from simulator.testing import run_of, small_scenario
from simulator.wording import raised, share_text


@pytest.fixture(scope="module")
def run():
    return simulate(load_scenario("baseline-2025", overrides=["samples=1024"]))


def test_the_forecast_is_three_sentences_with_the_numbers_of_the_run(run):
    level, crossing, binding = forecast_sentences(run)
    summary = run["summary"].to_dataset()
    median = float(summary["effective_compute"].sel(quantile=0.5, year=2045))
    assert amount(median, "FLOP") in level
    assert "in 2035 (90 % interval" in level
    never = dict(zip(summary["threshold"].values.tolist(), summary["never"].values.tolist(), strict=True))
    assert share_text(never["hundred-billion-dollar-run"], run.attrs["samples"]) in crossing
    assert "not crossed by 2045" in crossing
    assert "after 2045" in crossing
    share = float(summary["binding_spending_share"].sel(year=2045).sum())
    assert f"spending back in {share_text(share, run.attrs['samples'])} of cases" in binding
    assert "inf" not in level + crossing + binding


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        (["thresholds=null"], 1, "The scenario names no thresholds"),
        (['thresholds={"low": {"physical_compute": 1e20}}'], 1, "Its threshold is passed at the start"),
        (
            ['thresholds={"high": {"physical_compute": 1e90}}'],
            1,
            "high is not crossed by 2045 in > 98.8 % of cases",
        ),
    ],
)
def test_thresholds_that_say_little_are_said_so(changes, place, said):
    sentences = forecast_sentences(simulate(load_scenario("baseline", overrides=["samples=256", *changes])))
    assert said in sentences[place]


def test_a_run_without_limits_says_so():
    free = simulate(load_scenario("capability"))
    assert "no caps and no constraints" in forecast_sentences(free)[2]
    assert growth_sentences(free)[-1].startswith("No limit takes anything away")


def test_the_parts_of_the_growth_add_up(run):
    said = " ".join(growth_sentences(run))
    mean = run["summary/effective_compute_mean"].values
    assert f"What is left is {mean[-1] - mean[0]:.1f} OOM" in said


def test_fixed_numbers_and_uncertain_ones_are_warned_of_differently(run):
    fixed = list(cautions(run, judged=0, bare=0, doubted=0, uncertain=0, tied=0))
    loose = list(cautions(run, judged=2, bare=1, doubted=1, uncertain=5, tied=0))
    assert any(line.startswith("Every number is fixed") for line in fixed)
    assert any("1 has no source" in line for line in loose)
    assert any(line.startswith("No rank correlations are stated; ") for line in loose)


def test_one_sample_and_few_blocks_are_warned_of_and_are_no_fixed_numbers():
    one, few = (run_of(small_scenario({"samples": samples})) for samples in (1, 500))
    assert forecast_sentences(one)[0].endswith("; one sample is a point forecast, so there is no interval.")
    said = [next(iter(cautions(run, judged=1, bare=0, doubted=0, uncertain=2, tied=0))) for run in (one, few)]
    assert said[0] == "One sample: a point forecast, one draw of each prior, and not a distribution."
    assert said[1] == "Fewer than two blocks of 256 samples: errors of levels cannot be told."


def test_the_date_of_knowledge_is_the_latest_of_all_sources():
    assert knowledge_date(simulate(load_scenario("essay-2023"))) == "2023"


def test_amounts_round_up_to_the_next_word():
    assert amount(8.9999, "USD") == "$1,000 million"
    assert amount(9.0, "USD") == "$1 billion"
    assert amount(-3.0) == "10⁻³"


def test_names_keep_their_digits():
    assert raised("1e30-run, v2e5, 3e5") == "1e30-run, v2e5, 3 × 10⁵"


def test_a_censored_year_is_never_a_date():
    assert crossed_in(np.inf, 2045.5) == "after 2045.5"


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (amount(32.31, "FLOP"), "2 × 10³² FLOP"),
        (amount(8.59, "USD"), "$390 million"),
        (amount(13.02, "USD"), "$10 trillion"),
        (amount(2.5), "320"),
        (amount(np.inf, "USD"), "none"),
        (base_unit("log10(FLOP)"), "FLOP"),
        (base_unit("log10(1)"), ""),
        (base_unit("1"), ""),
        (when(2035.0), "2035"),
        (when(2025.5), "mid‑2025"),
        (when(2025.25), "2025.25"),
        (crossed_in(2031.94, 2045.0), "2031.9"),
        (crossed_in(np.inf, 2045.0), "after 2045"),
        (crossed_in(2025.5, 2045.0, 2025.5), "already in 2025.5"),
        (isolated("GPT-4"), "GPT-4"),
        (isolated("\u05d0\u05d1"), "\u2068\u05d0\u05d1\u2069"),
        (isolated("\u202eabc"), "\\u202eabc"),
        (ooms(4.41), "+4.4"),
        (ooms(-0.66), "−0.7"),
        (ooms(0.001), "0.0"),
    ],
)
def test_numbers_years_and_names_are_written_for_readers(said, text):
    assert said == text


def test_what_most_samples_exceed_at_the_start_is_said_with_its_share():
    run = run_of(small_scenario({"thresholds": {"low": {"effective_compute": 5e25}}}))
    assert forecast_sentences(run)[1] == "low is passed in 2025 already in 80 % of cases."
    run = run_of(small_scenario({"thresholds": {"mid": {"effective_compute": 1.2e26}}}))
    assert (
        forecast_sentences(run)[1]
        == "The median year of crossing is 2025.2 for mid (90 % interval 2025 or before to 2026.4)."
    )


def test_a_run_of_fixed_numbers_is_told_year_by_year():
    run = simulate(load_scenario("essay-2023"))
    assert told(run).middle_and_last == (2027.0, 2043.0)
    assert growth_sentences(run)[1] == (
        "Limits take 3.3 OOM away: on spending (hard cap) −3.3. What is left is 20.5 OOM, a factor of 3 × 10²⁰."
    )
