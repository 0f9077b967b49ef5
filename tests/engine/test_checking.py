"""A check says what made a run otherwise: where numbers differ, and in a line where they do not."""

from __future__ import annotations

import json

import pytest
import xarray as xr

from simulator.engine.checking import check_run, describe_check
from simulator.testing import run_of, small_scenario


@pytest.fixture
def run() -> xr.DataTree:
    return run_of(small_scenario({"samples": 64}))


def older(run: xr.DataTree) -> xr.DataTree:
    libraries = json.loads(run.attrs["libraries"]) | {"numpy": "1.0"}
    run.attrs.update(libraries=json.dumps(libraries), simulator_version="0.0.1", code="0")
    return run


def altered(run: xr.DataTree) -> xr.DataTree:
    run["trajectories/effective_compute"] = run["trajectories/effective_compute"] + 0.5
    return run


def test_what_made_it_otherwise_is_one_line_where_numbers_agree(run: xr.DataTree) -> None:
    check = check_run(older(run))
    assert check.passed
    first, second = describe_check(check).splitlines()
    assert first == f"same: {check.equal} variables, bit for bit."
    assert second.startswith("  made by simulator 0.0.1, code 0 (here ")
    assert "; numpy 1.0 (here " in second
    assert "scipy" not in second


def test_where_numbers_differ_it_is_said_what_differs_or_that_nothing_does(run: xr.DataTree) -> None:
    said = describe_check(check_run(altered(run))).splitlines()
    assert said[0] == "different: 1 variables."
    assert said[-1] == "  made by the same code and libraries, on the same platform"
    assert "; numpy 1.0 (here " in describe_check(check_run(altered(older(run)))).splitlines()[-1]


def test_a_run_of_before_versions_were_stored_is_checked(run: xr.DataTree) -> None:
    for name in ("code", "libraries", "platform"):
        del run.attrs[name]
    assert "code not stated (here " in describe_check(check_run(run))
