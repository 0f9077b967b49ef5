"""What is given, as people write it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from simulator import parse_scenario, simulate
from simulator.analysis.conditioning import condition
from simulator.analysis.evidence import Fact, facts_about, read_facts
from simulator.analysis.outcomes import run_outcomes
from simulator.errors import InputError
from simulator.testing import run_of, small_scenario
from tests.analysis.linear_scenario import LINEAR

NEEDED = """
quantities:
  power: {start: {value: 1e9, unit: W}, growth: {value: 1.2, unit: x/year}}
  share: {start: {value: 50 %, unit: fraction}}
"""


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return simulate(parse_scenario(LINEAR + NEEDED, overrides=["samples=64"]))


def read(run: xr.DataTree, text: str) -> Fact:
    (fact,) = read_facts(run, [text])
    return fact


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("spending@2027 >= $2 billion", math.log10(2e9), math.inf),
        ("spending@end of 2027<=2e9", -math.inf, math.log10(2e9)),
        ("physical-compute@2026.9 > 6e27 FLOP", math.log10(6e27), math.inf),
        ("power@2027 in 1 to 3 GW", 9.0, math.log10(3e9)),
        ("quantity_power@2027 ≤ 0.5 GW", -math.inf, math.log10(5e8)),
        ("crossing:late <= 2028", -math.inf, 2028.0),
        ("crossing:late by end of 2027", -math.inf, 2028.0),
        ("crossing:late not by end of 2027", math.nextafter(2028.0, 1e9), math.inf),
        ("crossing:late never", math.inf, math.inf),
        ("crossing:late = never", math.inf, math.inf),
        ("crossing:late in mid-2027 to 2029", 2027.5, 2029.0),
        ("crossed:late@2028", 1.0, 1.0),
        ("not crossed:late@2028", 0.0, 0.0),
    ],
)
def test_what_is_certain_is_read(run: xr.DataTree, text: str, low: float, high: float) -> None:
    fact = read(run, text)
    assert (fact.low, fact.high, fact.value) == (pytest.approx(low), pytest.approx(high), None)


@pytest.mark.parametrize(
    ("text", "value", "sd", "of_amount"),
    [
        ("spending@2027 = $1 billion +- 0.1 OOM", 9.0, 0.1, False),
        ("spending@2027 = 1e9 x/ 1.5", 9.0, math.log10(1.5), False),
        ("spending@2027 = $1 billion ± 30 %", 1e9, 3e8, True),
        ("spending@2027 = $1 billion +/- $200 million", 1e9, 2e8, True),
        ("power@2027 = 1 to 4 GW (90 %)", 9 + math.log10(2), math.log10(2) / stats.norm.ppf(0.95), False),
        ("crossing:late = 2027.5 +- 0.3", 2027.5, 0.3, False),
        ("crossing:late = mid-2027 +- 6 months", 2027.5, 0.5, False),
    ],
)
def test_what_is_observed_is_read(run: xr.DataTree, text: str, value: float, sd: float, of_amount: bool) -> None:
    fact = read(run, text)
    assert (fact.value, fact.sd, fact.of_amount) == (pytest.approx(value), pytest.approx(sd), of_amount)


def test_the_likelihood_of_an_observation_is_a_normal_density() -> None:
    levels = np.array([8.5, 9.0, 9.4])
    logged = Fact("", None, value=9.1, sd=0.2)  # type: ignore[arg-type]
    assert logged.logs(levels) == pytest.approx(stats.norm(levels, 0.2).logpdf(9.1))
    assert logged.place(levels) == pytest.approx(stats.norm(levels, 0.2).cdf(9.1))
    plain = Fact("", None, value=1.2e9, sd=3e8, of_amount=True)  # type: ignore[arg-type]
    assert plain.logs(levels) == pytest.approx(stats.norm(10**levels, 3e8).logpdf(1.2e9))


def test_what_is_farther_off_than_a_float_tells_has_no_likelihood(run: xr.DataTree) -> None:
    fact = read(run, "physical_compute@2026.9 = 1e27 +- 1e-300 OOM")
    assert np.isneginf(fact.logs(np.array([20.0, 30.0]))).all()  # without a warning: those are errors here


def test_what_never_crosses_is_beyond_every_date(run: xr.DataTree) -> None:
    years = np.array([2026.0, 2028.0, np.inf])
    assert np.exp(read(run, "crossing:late never").logs(years)).tolist() == [0, 0, 1]
    assert np.exp(read(run, "crossing:late >= 2028").logs(years)).tolist() == [0, 1, 1]
    assert np.exp(read(run, "crossing:late not by 2028").logs(years)).tolist() == [0, 0, 1]
    assert np.exp(read(run, "crossing:late = 2028 +- 1").logs(years))[2] == 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("spending@2027", "does not say what is given"),
        ("spending@2027 = 1e9", r"its error is missing. Write '1e9 \+- 0.1 OOM'"),
        ("spending@2027 = $1 to 3 billion", r"does not say its level.* Write '\$1 to 3 billion \(90 %\)'"),
        ("spending@2027 >= 3 GW", "is in GW, and the variable is in USD"),
        ("spending@2027 >= much", "'much' is no amount"),
        ("spending@2027 >=", "does not say how much"),
        ("spending@2027 >= -1", "must be above 0"),
        ("spending@2027 = 1e9 +- nothing", "is no standard error"),
        ("spending@2027 = 1e9 x/ 0.9", "must be above 1"),
        ("spending@2027 = 1e9 x/ 1e400", "must be above 1"),
        ("spending@2027 >= 1e400", "must be finite"),
        ("spending@2027 = 1e9 +- 1e400 %", "is no standard error"),
        ("spending@2027 = $1 billion +- 0.2", r"the error 0\.2 has no unit. Write it with one"),
        ("spending@2027 = 1e9 +- 0.1", r"the error 0\.1 has no unit.* '1e9 \+- 0.1 OOM'"),
        ("share@2027 = 60 % +- 5 %", r"a share of it or points. Write x/ 1.05, or \+- 0.05"),
        (
            "spending@2027 in $1 to 3 billion (90 %)",
            r"has no level. Write '= \$1 to 3 billion \(90 %\)', or 'in \$1 to",
        ),
        ("spending@2027 = $1 to 3 billion (100 %)", r"between 0 and 100 %. Write '\$1 to 3 billion \(90 %\)'"),
        ("crossing:late = 2026 to 2028 (9.5.5 %)", "its error is missing"),
        ("spending@2027 => 1e9", "'=>' is no comparison. Write >="),
        ("spending@2027 in 3e9 to 1e9", "from its lower to its higher end"),
        ("spending@2027 by 2028", "'by' is said of crossings"),
        ("spending@2040 >= 1e9", "--given 'spending@2040 >= 1e9': the years go from 2025 to 2030. Name a date in"),
        ("spendign@2027 >= 1e9", "no variable 'spendign'. Did you mean 'spending'"),
        ("spending >= 1e9", "a variable needs a year"),
        ("crossing:late <= 2040", "tells crossings from 2025 to 2030 alone"),
        ("crossing:late <= soon", "must be a year or a date"),
        ("crossing:late = 2028 +- 0.1 OOM", "no level that orders of magnitude"),
        ("crossed:late@2028 >= 1", "Write 'crossed:late@2028' or 'not crossed:late@2028'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_remedy(run: xr.DataTree, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read(run, text)
    assert text in str(caught.value) or "outcome" in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("spending@2027 >= 3e9", "spending@2027 <= 2e9", "'spending@2027 >= 3e9': and 'spending@2027 <= 2e9' exclude"),
        ("crossing:late = never", "crossing:late by 2028", "exclude each other"),
        ("crossed:late@2028", "not crossed:late@2028", "exclude each other"),
        ("spending@2027 = 1e9 +- 0.1 OOM", "spending@2027 = $1 billion +- 0.1 OOM", "given twice, and would count as"),
    ],
)
def test_what_excludes_each_other_and_an_observation_given_twice_are_refused(
    run: xr.DataTree, one: str, other: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        read_facts(run, [one, other])


def test_facts_that_go_together_are_read(run: xr.DataTree) -> None:
    given = ["spending@2027 >= 1e9", "spending@2027 <= 1e9", "spending@2028 <= 1e8", "spending@2027 = 1e9 +- 0.1 OOM"]
    assert len(read_facts(run, [*given, "spending@2027 = 1e9 +- 0.2 OOM", given[0]])) == 5


def test_the_end_of_a_day_is_said_as_a_day() -> None:
    with pytest.raises(InputError, match="the years go from 2026 to 2026-11-30"):
        facts_about(["spending@2027 >= 1"], units={"spending": "USD"}, years=np.array([2026.0, 2026 + 334 / 365]))


def test_nothing_given_is_refused(run: xr.DataTree) -> None:
    for nothing in ([], "spending@2027 >= 1e9"):
        with pytest.raises(InputError, match="must be one text or more"):
            read_facts(run, nothing)


def test_a_unit_that_the_value_or_its_error_has_is_that_of_both(run: xr.DataTree) -> None:
    for text in ("power@2027 = 5 +- 1 GW", "power@2027 = 5 GW +- 1000 MW", "power@2027 = 5e9 +- 1e9"):
        fact = read(run, text)
        assert (fact.value, fact.sd) == (pytest.approx(5e9), pytest.approx(1e9))
    assert read(run, "spending@2027 = 2 +- 1 billion").value == pytest.approx(2e9)


def test_what_comes_at_the_very_end_counts_as_it_is_said(run: xr.DataTree) -> None:
    years = np.array([2028.0, 2030.0, np.inf])
    for text, kept in (
        ("crossing:late > 2028", [0, 1, 1]),
        ("crossing:late < 2030", [1, 0, 0]),
        ("crossing:late by 2030", [1, 1, 0]),
        ("crossing:late not by 2030", [0, 0, 1]),
    ):
        assert np.exp(read(run, text).logs(years)).tolist() == kept, text


def test_a_sample_that_has_no_number_is_not_what_was_observed(run: xr.DataTree) -> None:
    fact = read(run, "spending@2027 = 1e9 +- 0.1 OOM")
    assert np.isneginf(fact.logs(np.array([np.nan, -np.inf]))).all()


def test_an_event_is_given_by_its_name() -> None:
    events = {"shock": {"probability": "40 %", "from": {"uniform": [2027, 2029]}}, "late": {"from": 2300}}
    run = run_of(small_scenario({"events": events, "samples": 500, "block": 500}))
    dates = run["events/event_year"].sel(event="shock").values
    for text, holds in (
        ("shock", dates < np.inf), ("not shock", dates == np.inf), ("shock never", dates == np.inf),
        ("shock by 2028", dates <= 2028), ("crossing:shock >= 2028", dates >= 2028),
    ):  # fmt: skip
        (fact,) = read_facts(run, [text])
        np.testing.assert_array_equal(fact.logs(run_outcomes(run, [fact.outcome])[0]) == 0.0, holds, err_msg=text)
    with pytest.raises(InputError, match=r"there is no event 'shocks'. Did you mean 'shock'\?"):
        read_facts(run, ["shocks"])
    with pytest.raises(InputError, match=r"there is no event 'rain'. There are: late, shock. Write for example"):
        read_facts(run, ["rain"])
    given = condition(run, ["shock"])
    assert given.facts.rows()[0]["probability"] == pytest.approx(0.4, abs=1e-9)
    assert given.effective == pytest.approx(200)
