"""Groups of labelled arrays, beside xarray's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simulator import load_scenario
from simulator.engine.simulation import run_arrays, simulate
from simulator.runs.groups import Group, Labelled, of_tree, run_label, short_sources


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
    with pytest.raises(OSError, match=r"small\.nc"):
        variable.values.sum()


def test_paths_and_sizes() -> None:
    assert [path for path, _ in small().walk()] == ["/", "/summary", "/components", "/components/one"]
    assert small().children["summary"].sizes == {"run": 2, "year": 3}
    assert "year" in small().children["summary"]
    assert "month" not in small().children["summary"]


def test_a_run_in_arrays_is_the_run_that_xarray_holds() -> None:
    scenario = load_scenario("baseline", overrides=["samples=512"])
    assert run_arrays(scenario).to_xarray().identical(simulate(scenario))


@pytest.mark.parametrize(
    ("source", "short"),
    [
        (
            "Cottier et al. 2024, The rising costs of training frontier AI models, arXiv:2405.21015",
            "Cottier et al. 2024",
        ),
        ("Ho, Erdil & Besiroglu 2023, limits to CMOS energy efficiency", "Ho, Erdil & Besiroglu 2023"),
        ("Epoch AI, Data on AI Models, snapshot of 2 May 2026", "Epoch AI"),
        ("Refit of the Epoch AI models database, snapshot of 2 May 2026", "Refit of the Epoch AI models database"),
        ("Own judgement from the published estimates", "own judgement"),
        ("one two three four five six seven eight nine ten", "one two three four five six seven ..."),
    ],
)
def test_a_source_is_shortened_to_who_and_when(source: str, short: str) -> None:
    assert short_sources([source]) == (short,)


def test_the_most_used_source_comes_first_and_judgement_last() -> None:
    sources = ["own judgement"] * 5 + ["B 2020, x", "A 2021, y", "B 2020, z"]
    assert short_sources(sources) == ("B 2020", "A 2021", "own judgement")


def test_a_label_is_read_off_a_run_and_needs_no_sources() -> None:
    attributes = {"run_id": "1a", "name": "base", "seed": 0, "samples": 8}
    run = xr.DataTree(xr.Dataset(attrs=attributes))
    assert (run_label(run).run_id, run_label(run).seed, run_label(run).sources) == ("1a", 0, ())
    run.attrs["sources"] = json.dumps({"a": "Cotra 2020, Anchors"})
    assert run_label(run).sources == ("Cotra 2020",)
