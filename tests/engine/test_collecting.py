"""Runs that keep samples and runs that count them say the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from simulator import load_scenario, simulate
from simulator.engine import collecting
from simulator.engine.collecting import LEVELS
from simulator.runs.estimates import quantiles
from simulator.testing import run_of, small_scenario

DATA = small_scenario({
    "samples": 1000,
    "drivers.algorithms.growth": {"mean": 0.3, "sd": 0.2, "unit": "OOM/year"},
    "drivers.compute.caps.cap": {"limit": {"family": "lognormal", "median": 1e29, "interval_90": [1e28, 1e30], "unit": "FLOP"}},
    "capability": {"name": "score", "kind": "gain-per-doubling", "gain": {"uniform": [1.1, 2.0]}},
    "thresholds": {
        "some": {"effective_compute": {"family": "lognormal", "median": 1e30, "interval_90": [1e28, 1e32], "never": 0.1}},
        "passed": {"physical_compute": 1e20},
        "beyond": {"effective_compute": 1e60},
        "score": {"capability": 1e6},
    },
})  # fmt: skip


@pytest.fixture(scope="module")
def whole() -> xr.DataTree:
    return run_of(DATA)


@pytest.fixture(scope="module")
def counted() -> xr.DataTree:
    return run_of(DATA, keep="summary")


def test_the_summary_is_what_the_samples_say(whole: xr.DataTree) -> None:
    for name, values in whole["trajectories"].data_vars.items():
        if not str(name).startswith("binding_"):
            np.testing.assert_array_equal(whole["summary"][name], quantiles(values, LEVELS), err_msg=str(name))
    binding = whole["trajectories/binding_physical_compute"].values
    np.testing.assert_array_equal(
        whole["summary/binding_physical_compute_share"].values[0], (binding == 1).mean(axis=0)
    )
    crossings = whole["crossings"]
    np.testing.assert_array_equal(
        whole["summary/crossing_quantile"].values, quantiles(crossings["crossing_year"], LEVELS).values.T
    )
    np.testing.assert_allclose(whole["summary/never"], np.isinf(crossings["crossing_year"]).mean("sample"), atol=1e-12)
    np.testing.assert_array_equal(whole["summary/already"], crossings["already_above"].mean("sample"))


@pytest.mark.parametrize("name", ["effective_compute", "physical_compute", "algorithms", "crossing_quantile"])
def test_counted_quantiles_are_within_a_bin(name: str, whole: xr.DataTree, counted: xr.DataTree) -> None:
    kept, streamed = whole["summary"][name].values, counted["summary"][name].values
    np.testing.assert_array_equal(np.isinf(kept), np.isinf(streamed))
    finite = np.isfinite(kept)
    np.testing.assert_allclose(streamed[finite], kept[finite], rtol=0, atol=0.001)


def test_a_metric_that_spans_many_orders_is_counted_to_a_fraction_of_a_percent(
    whole: xr.DataTree, counted: xr.DataTree
) -> None:
    kept, streamed = whole["summary/capability"].values, counted["summary/capability"].values
    assert kept.max() / kept.min() > 1e4
    np.testing.assert_allclose(streamed, kept, rtol=0.003, atol=3e-6)
    np.testing.assert_allclose(counted["summary/threshold_level_quantile"].sel(threshold="score"), 1e6, rtol=0.003)


@pytest.mark.parametrize("name", ["crossed", "crossed_error", "never", "already", "binding_physical_compute_share",
                                  "effective_compute_error"])  # fmt: skip
def test_counts_and_errors_are_the_same_to_the_bit(name: str, whole: xr.DataTree, counted: xr.DataTree) -> None:
    np.testing.assert_array_equal(counted["summary"][name], whole["summary"][name])


def test_a_run_of_the_summary_keeps_no_samples(counted: xr.DataTree) -> None:
    assert list(counted.children) == ["summary"]
    assert "sample" not in counted["summary"].sizes


def test_censored_mass_and_the_mass_at_never_stand_in_the_summary(whole: xr.DataTree) -> None:
    summary = whole["summary"].to_dataset()
    assert float(summary["never"].sel(threshold="beyond")) == 1.0
    assert np.isposinf(summary["crossing_quantile"].sel(threshold="beyond")).all()
    assert float(summary["already"].sel(threshold="passed")) == 1.0
    np.testing.assert_array_equal(summary["crossing_quantile"].sel(threshold="passed"), 2025.0)
    assert float(summary["never"].sel(threshold="some")) >= 0.09
    assert np.isposinf(float(summary["threshold_level_quantile"].sel(threshold="some", quantile=0.95)))


@pytest.mark.parametrize(
    ("samples", "block", "keep", "told"),
    [(511, 256, "trajectories", False), (512, 256, "trajectories", True), (700, 256, "summary", True),
     (999, 500, "summary", False), (1000, 500, "trajectories", True)],
)  # fmt: skip
def test_errors_of_levels_are_told_from_two_full_blocks_on_and_those_of_shares_always(
    samples: int, block: int, keep: Any, told: bool
) -> None:
    data = small_scenario({"samples": samples, "block": block, "thresholds.a": {"effective_compute": 1e29}})
    summary = run_of(data, keep=keep)["summary"].to_dataset()
    for name in ("effective_compute_error", "physical_compute_error"):
        assert np.isfinite(summary[name]).all() == told, name
        assert np.isnan(summary[name]).all() != told, name
    share, error = summary["crossed"].values, summary["crossed_error"].values
    assert np.isfinite(error).all()
    if not told:
        np.testing.assert_allclose(error, np.sqrt(share * (1 - share) / samples), rtol=1e-12)


@pytest.mark.parametrize("keep", ["summary", "trajectories"])
def test_what_a_reader_must_be_told_is_counted_once_for_all_components(
    monkeypatch: pytest.MonkeyPatch, keep: str
) -> None:
    seen: list[int] = []
    real = collecting.count_noted
    monkeypatch.setattr(collecting, "count_noted", lambda plan, batch: seen.append(batch.size) or real(plan, batch))
    simulate(load_scenario("views", overrides=["samples=64"]), keep=keep)
    assert seen == [64]
