"""Kumar and Manning 2025: the published counts of models, by the source's rule and by the right one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from simulator import load_scenario, simulate
from simulator.documents import load_document
from simulator.model_tables import OF_SUM, SUM_OF, count_quantiles, count_table
from simulator.summary import summary_lines
from simulator.testing import assert_valid_run

FOLDER = Path(__file__).parents[1] / "scenarios" / "published"
FILE = FOLDER / "kumar-manning-2025.yaml"
TARGETS: list[dict[str, Any]] = load_document(FOLDER / "targets" / FILE.name).data


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return simulate(load_scenario(FILE))


@pytest.fixture(scope="module")
def rows(run: xr.DataTree) -> list[dict[str, object]]:
    return count_table(run)


@pytest.mark.parametrize(
    "target", TARGETS, ids=lambda each: f"{each['quantity']}-{each['year']}-{each['quantile']}-{each['published']}"
)
def test_a_published_count_is_met(rows: list[dict[str, object]], target: dict[str, Any]) -> None:
    (row,) = [
        row for row in rows if [row[key] for key in ("variable", "year", "reading")]
        == [target["quantity"], target["year"], target["reading"]]
    ]  # fmt: skip
    found = row[{0.05: "lower_90", 0.5: "median", 0.95: "upper_90"}[target["quantile"]]]
    assert found == pytest.approx(target["published"], abs=target["tolerance"])


def test_every_number_of_the_source_is_a_target_within_15_percent(run: xr.DataTree) -> None:
    assert run.attrs["samples"] == 20_000
    assert len({(each["quantity"], each["year"], each["quantile"], each["published"]) for each in TARGETS}) == 28
    for each in TARGETS:
        assert each["tolerance"] == pytest.approx(0.15 * each["published"], abs=0.005)


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
