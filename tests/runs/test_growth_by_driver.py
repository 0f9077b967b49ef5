"""The parts of growth add up, sample by sample and in the mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import load_scenario, simulate
from simulator.errors import InputError
from simulator.runs.growth_by_driver import _parts, _stacked, mean_contributions
from simulator.runs.limits import limits_on
from simulator.testing import ROUNDING, run_of, scenario_data, scenario_text, small_scenario


def growth(run: xr.DataTree) -> np.ndarray[Any, Any]:
    effective = run["trajectories/effective_compute"].values.astype(float)
    return effective - effective[:, :1]


def contributions(run: xr.DataTree) -> xr.DataArray:
    """The parts of the growth sample by sample, as `mean_contributions` splits the means."""
    levels = run["trajectories"].to_dataset().astype(np.float64)
    return _stacked(_parts([str(name) for name in levels.data_vars], limits_on(run), {}), lambda name: levels[name])


def tolerance(run: xr.DataTree) -> float:
    """The levels are kept in single precision: those of two years may each miss an identity by a rounding."""
    parts = ("spending", "hardware", "compute", "physical_compute", "algorithms", "effective_compute")
    levels = [values.values for name, values in run["trajectories"].data_vars.items() if name.startswith(parts)]
    return 2 * ROUNDING * max(1.0, max(float(np.abs(values).max()) for values in levels) / 30)


@given(scenario_data(), st.booleans())
@settings(max_examples=25)
def test_the_parts_of_every_sample_add_up_to_its_growth(data: dict[str, Any], constrained: bool) -> None:
    if not constrained:
        data.pop("constraints", None)
    run = run_of(data)
    parts = contributions(run)
    assert parts.dims == ("part", "sample", "year")
    assert np.abs(parts.sum("part").values - growth(run)).max() <= tolerance(run)
    means = mean_contributions(run)
    assert means["part"].values.tolist() == parts["part"].values.tolist()
    np.testing.assert_allclose(means.values, parts.mean("sample").values, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["baseline", "tight-caps", "no-caps", "feedback", "essay-2023", "capability"])
def test_the_means_of_a_summary_add_up_to_the_mean_growth(name: str) -> None:
    run = simulate(load_scenario(name, overrides=["samples=256"]), keep="summary")
    mean = run["summary/effective_compute_mean"].values
    np.testing.assert_allclose(mean_contributions(run).sum("part").values, mean - mean[0], rtol=0, atol=1e-5)


def test_the_first_year_adds_nothing_and_each_part_is_described() -> None:
    run = simulate(load_scenario("baseline", overrides=["samples=256"]))
    parts = mean_contributions(run)
    assert not parts.isel(year=0).any()
    assert parts.attrs["units"] == "OOM"
    assert parts["kind"].values.tolist() == ["growth"] * 4 + ["limits"] * 3
    assert parts["subject"].values.tolist()[-3:] == ["spending", "physical_compute", "algorithms"]
    assert "hardware: price-performance" in parts["label"].values
    assert "limits on spending: company cash flow, share of world product" in parts["label"].values


def test_a_limit_that_was_there_from_the_start_and_loosens_gives_back() -> None:
    caps = {"site": {"kind": "hard", "limit": {"product": ["site"]}}}
    start = {"start": {"value": 1e24, "unit": "FLOP"}, "growth": {"value": 1.0, "unit": "OOM/year"}}
    run = run_of(small_scenario({"drivers.compute.caps": caps, "quantities": {"site": start}}))
    taken = mean_contributions(run).sel(part="limits_physical_compute")
    assert (taken.values[1:] > 0).all()


def test_without_limits_there_is_no_part_of_limits() -> None:
    run = run_of(small_scenario())
    assert limits_on(run) == {}
    assert mean_contributions(run)["part"].values.tolist() == ["physical_compute"]


def test_many_limits_are_counted_rather_than_named() -> None:
    caps = {f"cap-{n}": {"kind": "hard", "limit": {"value": 10.0 ** (27 + n), "unit": "FLOP"}} for n in range(4)}
    labels = mean_contributions(run_of(small_scenario({"drivers.compute.caps": caps})))["label"].values.tolist()
    assert labels[-1] == "limits on physical compute: 4 of them"


def test_factors_that_not_every_component_has_are_told_as_their_driver(tmp_path: Path) -> None:
    wall = {"wall": {"limit": {"value": 5, "unit": "factor"}}}
    for name, other, caps in (("one", "use", wall), ("two", "size", {})):
        price = {"start": {"value": 1e26, "unit": "FLOP"}, "growth": {"value": 0.2, "unit": "OOM/year"}}
        factors = {"price": price, other: {"growth": {"value": 0.1, "unit": "OOM/year"}, "caps": caps}}
        data = small_scenario({"drivers.compute": {"factors": factors}, "name": name})
        (tmp_path / f"{name}.yaml").write_text(scenario_text(data))
    text = "{schema: 2, name: both, mixture: [{weight: 1, scenario: ./one.yaml}, {weight: 1, scenario: ./two.yaml}]}"
    (tmp_path / "both.yaml").write_text(text)
    run = simulate(load_scenario(tmp_path / "both.yaml"))
    parts, mean = mean_contributions(run), run["summary/effective_compute_mean"].values
    assert parts["part"].values.tolist() == ["physical_compute"]
    np.testing.assert_allclose(parts.sum("part").values, mean - mean[0], rtol=0, atol=1e-5)


def test_a_summary_without_means_is_refused() -> None:
    run = run_of(small_scenario(), keep="summary")
    run["summary"] = xr.DataTree(run["summary"].to_dataset().drop_vars("effective_compute_mean"))
    with pytest.raises(InputError, match="has no means"):
        mean_contributions(run)
