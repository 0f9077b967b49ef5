"""The summary of a run as strict JSON that says what it says, and as rows for forecast hubs."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from typing import Any

import numpy as np
import pytest
import xarray as xr

from simulator.errors import InputError
from simulator.export.summary import HUB_LEVELS, hub_table, hub_text, summary_document, summary_json
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


def test_a_threshold_of_an_older_run_is_one_that_rises(small_run: xr.DataTree, document: dict[str, Any]) -> None:
    older = small_run.copy()
    older["summary"] = xr.DataTree(small_run["summary"].to_dataset().drop_vars("falling"))
    assert summary_document(older)["thresholds"] == document["thresholds"]
    assert [each["falling"] for each in document["thresholds"]] == [False, False]


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


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    changes = {"samples": 256, "thresholds": {"near": {"effective_compute": 1e28}, "far": {"effective_compute": 1e60}}}
    return run_of(small_scenario(changes), keep="summary")


def test_the_levels_are_the_23_of_the_forecast_hubs() -> None:
    assert len(HUB_LEVELS) == 23
    assert [f"{level:g}" for level in HUB_LEVELS[:4]] == ["0.01", "0.025", "0.05", "0.1"]
    assert [f"{level:g}" for level in HUB_LEVELS[-3:]] == ["0.95", "0.975", "0.99"]


def test_rows_have_the_three_columns_of_the_standard_and_one_prediction_each(run: xr.DataTree) -> None:
    rows = hub_table(run).rows()
    columns = ["origin_date", "scenario_id", "target", "horizon", "output_type", "output_type_id", "value"]
    assert all(list(row) == columns for row in rows)
    assert {row["output_type"] for row in rows} == {"quantile", "cdf"}
    keys = [tuple(row[name] for name in columns[:-1]) for row in rows]
    assert len(set(keys)) == len(keys)
    assert list(csv.DictReader(io.StringIO(hub_text(run)[0]))) == rows


def test_quantiles_of_a_variable_are_the_summarys_and_rise(run: xr.DataTree) -> None:
    rows = [row for row in hub_table(run, variables=["effective_compute"]).rows() if row["horizon"] == "4"]
    summary = run["summary/effective_compute"].sel(year=2029)
    assert [row["output_type_id"] for row in rows] == [f"{level:g}" for level in HUB_LEVELS]
    wanted = summary.sel(quantile=list(HUB_LEVELS), method="nearest").values
    np.testing.assert_array_equal([float(str(row["value"])) for row in rows], wanted)
    assert rows[0]["target"] == "effective_compute log10(FLOP)"


def test_a_crossing_is_given_as_quantiles_with_inf_and_as_probabilities_by_year(run: xr.DataTree) -> None:
    rows = hub_table(run, thresholds=["far"]).rows()
    assert {row["target"] for row in rows} == {"crossing_year far"}
    assert {row["value"] for row in rows if row["output_type"] == "quantile"} == {"Inf"}
    near = [row for row in hub_table(run, thresholds=["near"]).rows() if row["output_type"] == "cdf"]
    shares = [float(str(row["value"])) for row in near]
    assert shares == sorted(shares)
    assert [row["output_type_id"] for row in near] == [f"{year:g}" for year in run["summary/year"].values]


def test_horizons_count_from_the_origin(run: xr.DataTree) -> None:
    rows = hub_table(run, variables=["effective_compute"], origin=date(2027, 1, 1)).rows()
    assert (rows[0]["origin_date"], rows[0]["horizon"], rows[-1]["horizon"]) == ("2027-01-01", "-2", "8")


def test_what_is_not_there_is_named_with_the_near_name(run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="Did you mean 'effective_compute'"):
        hub_table(run, variables=["effective-compute"])
    with pytest.raises(InputError, match="Did you mean 'near'"):
        hub_table(run, thresholds=["neer"])
    few = xr.DataTree.from_dict(
        {"/": xr.Dataset(attrs=run.attrs), "summary": run["summary"].to_dataset().isel(quantile=[0, 12])}
    )
    with pytest.raises(InputError, match=r"no quantile at 0\.025"):
        hub_table(few)
