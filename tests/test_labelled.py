"""Groups of labelled arrays, beside xarray's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simulator import load_scenario
from simulator.labelled import Group, Labelled, of_tree
from simulator.simulation import run_arrays, simulate


def small() -> Group:
    inner = Group(
        {"level": Labelled(("run", "year"), np.arange(6.0).reshape(2, 3), {"units": "FLOP"})},
        {
            "year": Labelled(("year",), np.array([2030.0, 2031.0, 2032.0])),
            "label": Labelled(("run",), np.array(["a", "b"])),
        },
        {"note": "inner"},
    )
    return Group(attrs={"name": "small"}, children={"summary": inner, "components": Group(children={"one": inner})})


def test_groups_go_to_xarray_and_come_back_the_same() -> None:
    tree = small().to_xarray()
    assert tree.attrs == {"name": "small"}
    assert tree["components/one/level"].attrs == {"units": "FLOP"}
    assert set(tree["summary"].to_dataset().coords) == {"year", "label"}
    back = of_tree(tree)
    xr.testing.assert_identical(back.to_xarray(), tree)


def test_a_tree_of_xarray_is_not_read_before_its_values_are_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "small.nc"
    small().to_xarray().to_netcdf(file, engine="netcdf4")
    tree = xr.open_datatree(file, engine="netcdf4")
    variable = of_tree(tree).children["summary"]["level"]
    tree.close()
    file.write_bytes(b"")
    assert variable.shape == (2, 3)
    assert variable.nbytes == 48
    with pytest.raises(OSError, match=r"small\.nc"):
        variable.values.sum()


def test_paths_and_sizes() -> None:
    assert [path for path, _ in small().walk()] == ["/", "/summary", "/components", "/components/one"]
    assert small().children["summary"].sizes == {"run": 2, "year": 3}
    assert "year" in small().children["summary"]
    assert "month" not in small().children["summary"]


def test_a_run_in_arrays_is_the_run_that_xarray_holds() -> None:
    scenario = load_scenario("baseline", overrides=["samples=512"])
    xr.testing.assert_identical(run_arrays(scenario).to_xarray(), simulate(scenario))
