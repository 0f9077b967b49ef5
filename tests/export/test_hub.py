"""Rows for forecast hubs: the standard's columns, its levels, valid probabilities."""

from __future__ import annotations

import csv
import io
from datetime import date

import numpy as np
import pytest
import xarray as xr

from simulator.errors import InputError
from simulator.export.hub import HUB_LEVELS, hub_table, hub_text
from simulator.testing import run_of, small_scenario


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
