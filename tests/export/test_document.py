"""The summary of a run as JSON: strict, and what the summary says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import xarray as xr

from simulator.export.document import summary_document, summary_json
from simulator.testing import run_of, small_scenario


@pytest.fixture(scope="module")
def small_run() -> xr.DataTree:
    return run_of(
        small_scenario(
            {
                "samples": 256,
                "notes": "Größe",
                "drivers.compute.caps.power": {"limit": {"value": 1e29, "unit": "FLOP"}},
                "thresholds": {"near": {"effective_compute": 1e28}, "far": {"effective_compute": 1e60}},
            }
        )
    )


@pytest.fixture(scope="module")
def document(small_run: xr.DataTree) -> dict[str, Any]:
    def refuse(token: str) -> float:
        raise AssertionError(f"{token} is no JSON")

    return json.loads(summary_json(small_run)[0], parse_constant=refuse)


def test_the_text_is_strict_json_and_says_what_the_document_says(
    small_run: xr.DataTree, document: dict[str, Any]
) -> None:
    assert document == json.loads(json.dumps(summary_document(small_run), allow_nan=False))
    assert document["run"]["run_id"] == small_run.attrs["run_id"]
    assert document["scenario"]["notes"] == "Größe"


def test_quantiles_means_and_errors_are_those_of_the_summary(small_run: xr.DataTree, document: dict[str, Any]) -> None:
    summary = small_run["summary"].to_dataset()
    assert document["years"] == summary["year"].values.tolist()
    assert document["levels"] == summary["quantile"].values.tolist()
    said = document["variables"]["effective_compute"]
    assert (said["unit"], said["long_name"]) == ("log10(FLOP)", "effective compute")
    assert said["quantiles"] == summary["effective_compute"].transpose("quantile", "year").values.tolist()
    assert said["mean"] == summary["effective_compute_mean"].values.tolist()
    errors = np.array(said["standard_errors"], dtype=float)  # None becomes NaN
    np.testing.assert_array_equal(errors, summary["effective_compute_error"].transpose("quantile", "year").values)


def test_a_crossing_that_does_not_come_is_null_and_censored(document: dict[str, Any]) -> None:
    near, far = document["thresholds"]
    assert (near["threshold"], far["threshold"]) == ("near", "far")
    assert all(row["year"] is None and row["censored"] for row in far["crossing_year"])
    assert far["never_by_horizon"] == 1.0
    assert near["crossing_year"][0]["censored"] is False
    assert near["crossing_year"][0]["year"] > 2025
    assert len(near["crossed"]) == len(document["years"])


def test_a_limit_that_a_sample_does_not_have_is_null(small_run: xr.DataTree) -> None:
    summary = small_run["summary"].to_dataset()
    levels = summary["cap_physical_compute_power"]
    summary = summary.assign(cap_physical_compute_power=levels.where(levels["quantile"] < 0.9, np.inf))
    without = xr.DataTree.from_dict({"/": xr.Dataset(attrs=small_run.attrs), "summary": summary})
    said = json.loads(summary_json(without)[0])["variables"]["cap_physical_compute_power"]["quantiles"]
    assert set(said[-1]) == {None}
    assert None not in said[0]


def test_binding_has_a_share_per_limit_and_year(small_run: xr.DataTree, document: dict[str, Any]) -> None:
    shares = document["binding"]["physical_compute"]["power"]
    assert shares == small_run["summary/binding_physical_compute_share"].values[0].tolist()
