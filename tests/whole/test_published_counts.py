"""Kumar and Manning 2025: the published counts of models, by the source's rule and by the right one."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simulator.runs.model_counts import OF_SUM, SUM_OF, count_quantiles
from simulator.runs.summary import summary_lines
from simulator.testing import assert_valid_run
from tests.published_runs import results_of, run_of

FILE = "published/kumar-manning-2025"


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return run_of(FILE)


def test_every_number_of_the_source_is_a_target_within_15_percent(run: xr.DataTree) -> None:
    assert run.attrs["samples"] == 20_000
    held = [result for result in results_of(FILE) if result.within is not None]
    assert len({(each.target.quantity, each.target.year, each.target.quantile) for each in held}) == len(held) == 24
    for each in held:
        assert each.target.reading == SUM_OF
        assert each.target.tolerance == pytest.approx(0.15 * each.target.recomputed, abs=0.005)


def test_what_the_paper_prints_is_met_too() -> None:
    printed = [result for result in results_of(FILE) if result.target.published is not None]
    assert [result.target.published for result in printed] == [103, 306, 45, 148]
    for result in printed:
        assert result.value == pytest.approx(result.target.published, rel=0.15)


@pytest.mark.parametrize("name", ["models_above_1e25", "models_above_1e26"])
def test_the_percentile_of_the_sum_is_narrower_than_the_sum_of_percentiles(run: xr.DataTree, name: str) -> None:
    found = count_quantiles(run, name)
    (low, middle, high), (added_low, added_middle, added_high) = found[OF_SUM][:, -1], found[SUM_OF][:, -1]
    assert added_low < low < middle < high < added_high
    assert high - low < 0.75 * (added_high - added_low)
    assert added_middle == pytest.approx(middle, rel=0.06)  # the middles nearly agree
    np.testing.assert_array_equal(found[OF_SUM][:, :2], found[SUM_OF][:, :2])  # up to the first year that is drawn


def test_what_is_known_takes_the_place_of_what_is_drawn(run: xr.DataTree) -> None:
    trajectories = run["trajectories"].to_dataset().sel(year=2024)
    for name, count in (("models_above_1e25_in_year", 20), ("models_above_1e25", 24), ("models_above_1e26", 0)):
        assert set(np.unique(trajectories[name])) == {count}


def test_the_total_of_a_sample_is_the_sum_of_its_years(run: xr.DataTree) -> None:
    trajectories = run["trajectories"].to_dataset()
    total = 4 + trajectories["models_above_1e25_in_year"].cumsum("year")
    np.testing.assert_array_equal(trajectories["models_above_1e25"], total)


def test_the_run_is_valid_and_its_summary_says_the_total(run: xr.DataTree) -> None:
    assert_valid_run(run)
    lines = [line for line in summary_lines(run) if line.startswith("  models above")]
    assert [line.split(" by the end of 2028: ")[0] for line in lines] == [
        "  models above 1e25 FLOP", "  models above 1e26 FLOP",
    ]  # fmt: skip
    low, middle, high = count_quantiles(run, "models_above_1e26")[OF_SUM][:, -1]
    assert lines[1].endswith(f" {middle:.0f} (90 % {low:.0f} to {high:.0f})")


def test_the_largest_run_of_2024_is_the_known_one(run: xr.DataTree) -> None:
    """Half an OOM below 3.8e25 lie as many runs in 2024 as below the largest run of a year with the same share."""
    trajectories = run["trajectories"].to_dataset().sel(year=2024)
    share = 3.8e25 / 10.0 ** trajectories["physical_compute"].values
    np.testing.assert_allclose(share, 3.8e25 / (3.375e26 * 10.0 ** growth(run) * 0.4), rtol=1e-5)
    counts = trajectories["models_within_0.5_oom_in_year"].values
    fast = counts[share < np.quantile(share, 0.1)].mean()
    slow = counts[share > np.quantile(share, 0.9)].mean()
    assert fast > 1.2 * slow  # more compute beside a largest run that is known: more runs near it


def growth(run: xr.DataTree) -> np.ndarray:
    return run["parameters/drivers.compute.factors.all-use.growth"].values
