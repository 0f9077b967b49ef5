"""Which early observables tell most of an outcome: closed forms, places, and what values mean."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from simulator import condition, load_scenario, open_result, parse_scenario, signposts, simulate
from simulator.analysis.signposts import Signposts
from simulator.errors import InputError
from simulator.runs.table import Row
from tests.analysis.linear_scenario import LINEAR

START = 0.5 * math.log10(4) / stats.norm.ppf(0.95)
WHOLE = math.hypot(START, 5 * math.sqrt(0.1**2 + 0.05**2 + 0.2**2))
"""The standard deviation of log10 of effective compute in 2030."""


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return simulate(parse_scenario(LINEAR, overrides=["samples=16000"]))


@pytest.fixture(scope="module")
def found(run: xr.DataTree) -> Signposts:
    return signposts(run, "effective_compute@2030")


def post(found: Signposts, observable: str, year: float) -> Row:
    (row,) = found.posts.where(observable=observable, year=year).rows()
    return row


def correlation(observable: str, year: float) -> float:
    """Correlate a level in a year with effective compute in 2030: both are normal."""
    passed, start = year - 2025, START**2 if observable != "algorithms" else 0.0
    rates = {"spending": 0.1**2, "algorithms": 0.2**2, "physical_compute": 0.1**2 + 0.05**2}[observable]
    return (start + 5 * passed * rates) / math.sqrt(start + passed**2 * rates) / WHOLE


@pytest.mark.parametrize("observable", ["spending", "algorithms", "physical_compute"])
@pytest.mark.parametrize("year", [2026.0, 2029.0])
def test_of_jointly_normal_numbers_it_is_one_less_the_root_of_one_less_the_squared_correlation(
    found: Signposts, observable: str, year: float
) -> None:
    row = post(found, observable, year)
    exact = 1 - math.sqrt(1 - correlation(observable, year) ** 2)
    assert abs(row["reduction"] - exact) < 4 * row["reduction_error"] + 0.003
    assert 0 < row["reduction_error"] < 0.02


def test_the_expected_score_is_that_of_a_normal(found: Signposts) -> None:
    assert found.about["crps"] == pytest.approx(WHOLE / math.sqrt(math.pi), rel=0.02)


def test_a_value_means_the_conditional_median(found: Signposts) -> None:
    rows = found.meant.where(observable="algorithms").rows()
    share = correlation("algorithms", rows[0]["year"])
    assert [row["level"] for row in rows] == [0.1, 0.5, 0.9]
    for row in rows:
        exact = 30 + share * WHOLE * stats.norm.ppf(row["level"])
        assert abs(row["median"] - exact) < 4 * row["error"] + 0.02
        assert row["upper"] - row["lower"] == pytest.approx(2 * 1.645 * WHOLE * math.sqrt(1 - share**2), rel=0.15)


def test_what_is_within_the_error_shares_its_place(found: Signposts) -> None:
    rows = found.posts.rows()
    best = max(rows, key=lambda row: row["reduction"])
    assert (best["behind"], best["behind_error"]) == (0.0, 0.0)
    # The growth of algorithms alone makes their level: every year tells as much.
    assert {row["place"] for row in rows if row["observable"] == "algorithms"} == {1}
    assert all(row["place"] > 1 for row in rows if row["observable"] == "hardware")
    for row in rows:
        assert row["place"] > 1 or row["behind"] <= 2 * row["behind_error"] + 1e-4


def test_a_crossing_counts_up_to_the_horizon_and_is_told_by_what_delays_it(run: xr.DataTree) -> None:
    found = signposts(run, "crossing:late", until="end of 2026")
    assert sorted(set(found.posts["year"].tolist())) == [2026.0, 2027.0]
    low, middle, high = (row["median"] for row in found.meant.where(observable="algorithms").rows())
    assert low > middle > high
    never = found.meant.where(observable="algorithms")["never"].tolist()
    assert never[0] > 0.4
    assert never[2] < 0.05
    assert found.about["crps_unit"] == "years"


def test_a_probability_is_scored_as_brier_does(run: xr.DataTree) -> None:
    found = signposts(run, "crossed:late@2029", observables=["algorithms"], until=2026)
    chance = stats.norm(26 + 4 * 0.8, math.hypot(START, 4 * math.hypot(0.1, 0.05, 0.2))).sf(29)
    assert found.about["crps"] == pytest.approx(chance * (1 - chance), rel=0.02)
    rows = found.meant.rows()
    assert rows[0]["median"] < chance < rows[2]["median"]
    assert rows[0]["lower"] is None


def test_what_does_not_vary_and_what_is_not_there_is_refused(run: xr.DataTree) -> None:
    for words, said in (
        ({"outcome": "crossing:lat"}, "no threshold 'lat'"),
        ({"outcome": "crossing:late", "observables": ["spendign"]}, "Did you mean 'spending'"),
        ({"outcome": "crossing:late", "until": 2040}, "must be a year after 2025, up to 2030"),
        ({"outcome": "crossing:late", "until": "soon"}, "must be a year or a date"),
        ({"outcome": "spending@2028", "until": 2028}, "must be before the outcome, 2028; got 2028"),
    ):
        with pytest.raises(InputError, match=said):
            signposts(run, **words)  # type: ignore[arg-type]
    far = simulate(parse_scenario(LINEAR, overrides=["samples=1000", "thresholds.late.effective_compute=1e80"]))
    with pytest.raises(InputError, match="is the same in every sample"):
        signposts(far, "crossing:late")
    level = float(np.partition(run["trajectories/effective_compute"].sel(year=2030).values, -2)[-2])
    rare = simulate(parse_scenario(LINEAR, overrides=[f"thresholds.late.effective_compute={10**level:.17g}"]))
    with pytest.raises(InputError, match=r"is the same in [\d,]+ of [\d,]+ samples: the others are too few"):
        signposts(rare, "crossed:late@2030")
    with pytest.raises(InputError, match="needs 800 samples"):
        signposts(simulate(parse_scenario(LINEAR, overrides=["samples=500"])), "crossing:late")


def test_default_observables_are_drivers_the_record_and_named_quantities() -> None:
    run = simulate(load_scenario("baseline", overrides=["samples=2000"]))
    found = signposts(run, "crossing:million-x-gpt-4")
    names = set(found.posts["observable"].tolist())
    assert {"spending", "algorithms", "physical_compute", "quantity_power_of_ai"} <= names
    assert not [name for name in names if name.endswith("_demanded") or "product_1" in name]
    assert found.posts.where(place=1)["observable"].tolist()[0] == "algorithms"
    with pytest.raises(InputError, match="'binding_spending': the run has no such amount"):
        signposts(run, "crossing:million-x-gpt-4", observables=["binding_spending"])
    with pytest.raises(InputError, match="numbers which limit binds"):
        condition(run, ["binding_spending@2027 >= 1"])


def test_the_folder_gives_it_again(found: Signposts, tmp_path: Path) -> None:
    folder = found.save(tmp_path)
    stored = open_result(folder)
    assert list(stored.lines()) == found.lines()
    assert "none" not in found.lines()[2]
    assert np.allclose(stored.dataset["reduction"].values, found.dataset["reduction"].values)
    assert stored.dataset.attrs["outcome"] == "effective_compute@2030"
