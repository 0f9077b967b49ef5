"""Crossing years that are read off a run."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simulator import crossing_years
from simulator.errors import InputError
from simulator.testing import run_of, small_scenario


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return run_of(small_scenario({
        "drivers": {
            "spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": {"uniform": [2, 4], "unit": "x/year"}},
            "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "1.4x/year"},
        },
        "thresholds": {"far": {"effective_compute": 3e30}, "rich": {"spending": 1e10}},
    }))  # fmt: skip


def test_a_declared_threshold_is_given_by_name(run: xr.DataTree) -> None:
    found = crossing_years(run, "rich")
    assert found.dims == ("sample",)
    np.testing.assert_array_equal(found, run["crossings/crossing_year"].sel(threshold="rich"))
    growth = run["parameters/drivers.spending.growth"].values
    exact = np.where(2025 + 2 / growth <= 2035, 2025 + 2 / growth, np.inf)
    np.testing.assert_allclose(found, exact, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "level", "quantity"), [("far", 3e30, "effective_compute"), ("rich", 1e10, "spending")]
)
def test_any_level_is_crossed_as_a_declared_one_is(run: xr.DataTree, name: str, level: float, quantity: str) -> None:
    declared, free = crossing_years(run, name).values, crossing_years(run, level, quantity=quantity)
    assert free.attrs["units"] == "year"
    np.testing.assert_array_equal(np.isinf(free), np.isinf(declared))
    finite = np.isfinite(declared)
    np.testing.assert_allclose(free.values[finite], declared[finite], rtol=0, atol=2e-5)  # levels are kept in float32


def test_a_level_long_passed_is_crossed_at_the_start_and_one_too_far_never(run: xr.DataTree) -> None:
    assert (crossing_years(run, 1e10) == 2025).all()
    assert np.isposinf(crossing_years(run, 1e60)).all()


@pytest.mark.parametrize(
    ("threshold", "options", "words"),
    [
        ("farr", {}, "the run has no threshold 'farr'. Did you mean 'far'?"),
        ("x", {}, "the run has no threshold 'x'. There are: far, rich."),
        (1e30, {"quantity": "spendin"}, "the run has no variable 'spendin'. Did you mean 'spending'?"),
        (0.0, {}, "a threshold must be above 0; got 0.0."),
        (-1.0, {}, "a threshold must be above 0; got -1.0."),
        (float("nan"), {}, "a threshold must be above 0; got nan."),
    ],
)
def test_what_is_not_there_is_named(
    run: xr.DataTree, threshold: str | float, options: dict[str, str], words: str
) -> None:
    with pytest.raises(InputError) as caught:
        crossing_years(run, threshold, **options)
    assert str(caught.value) == words


def test_a_run_without_samples_or_thresholds_says_so() -> None:
    summary = run_of(small_scenario({"thresholds.a": {"effective_compute": 1e30}}), keep="summary")
    for threshold in ("a", 1e30):
        with pytest.raises(InputError, match=r"kept its summary only .* Run it again with --keep trajectories"):
            crossing_years(summary, threshold)
    with pytest.raises(InputError, match="declares no thresholds"):
        crossing_years(run_of(small_scenario()), "a")
