"""A run is a tree of xarray in every respect, and shows itself in a few lines."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import xarray as xr

from simulator import load_scenario, open_run, save_run, simulate
from simulator.runs.folder import write_run
from simulator.runs.result import MOST_LINES, Result, open_result
from simulator.runs.run import Run
from simulator.runs.summary import summary_lines


@pytest.fixture(scope="module")
def run() -> Run:
    return simulate(load_scenario("essay-2023", overrides=["samples=64"]))


@pytest.fixture
def opened(run: Run, tmp_path: Path) -> Run:
    save_run(run, tmp_path / "run.nc")
    return open_run(tmp_path / "run.nc")


def test_a_run_is_a_tree_and_a_result(run: Run, opened: Run) -> None:
    for each in (run, opened):
        assert isinstance(each, xr.DataTree)
        assert isinstance(each, Result)
        assert each["trajectories/effective_compute"].sel(year=2030.0).sizes == {"sample": 64}
        assert type(each["summary"]) is xr.DataTree
        assert each["summary"].to_dataset().sizes["quantile"] == 25
    assert run.identical(opened)
    assert opened.identical(run)
    assert run.copy().identical(run)


@pytest.mark.parametrize("name", ["essay-2023", "baseline", "views", "published/kumar-manning-2025"])
def test_it_shows_itself_in_few_lines_and_as_a_table(name: str) -> None:
    run = simulate(load_scenario(name, overrides=["samples=64"]), keep="summary")
    lines = repr(run).splitlines()
    assert lines[:-1] == summary_lines(run, most=2)
    assert lines[-1].startswith("  groups: summary")
    assert len(lines) <= MOST_LINES
    assert run._repr_html_().startswith("<pre>")
    assert ">summary</th>" in run._repr_html_()
    assert len(run._repr_html_()) < 4000


def test_a_selection_from_a_run_and_a_bare_tree_are_shown_as_xarray_shows_them(run: Run) -> None:
    assert repr(run.sel(year=2030.0)).startswith("<xarray.")
    assert "<svg" in run.sel(year=2030.0)._repr_html_()
    assert repr(Run()).startswith("<xarray.")


def test_an_opened_run_is_read_when_it_is_asked_for_and_its_file_closed_with_it(opened: Run) -> None:
    assert not opened["trajectories/spending"].variable._in_memory
    repr(opened)
    assert not opened["trajectories/spending"].variable._in_memory
    with opened:
        pass
    assert opened._close is None


def test_it_goes_through_files_of_xarray_and_pickle(run: Run, opened: Run, tmp_path: Path) -> None:
    for each in (run, opened):
        again = pickle.loads(pickle.dumps(each))
        assert type(again) is Run
        assert again.identical(run)
    run.to_netcdf(tmp_path / "by-xarray.nc", engine="netcdf4")
    with xr.open_datatree(tmp_path / "by-xarray.nc", engine="netcdf4") as tree:
        assert Run.of(tree).equals(run)
    pytest.importorskip("zarr")
    run.to_zarr(tmp_path / "by-xarray.zarr", zarr_format=3, consolidated=False)
    with xr.open_datatree(tmp_path / "by-xarray.zarr", engine="zarr", consolidated=False, chunks=None) as tree:
        assert Run.of(tree).equals(run)


def test_it_is_saved_as_other_results_are_and_as_the_command_writes_it(run: Run, tmp_path: Path) -> None:
    one, other = run.save(tmp_path / "a"), write_run(run, tmp_path / "b")
    assert one.name == other.name == f"essay-2023-{run.attrs['run_id']}"
    assert {file.name: file.read_bytes() for file in one.iterdir()} == {
        file.name: file.read_bytes() for file in other.iterdir()
    }
    assert open_result(one).lines() == run.lines()


@pytest.mark.parametrize("name", ["baseline", "views", "published/kumar-manning-2025"])
def test_dimensions_are_selected_by_their_names(name: str) -> None:
    run = simulate(load_scenario(name, overrides=["samples=64"]))
    dims = {str(dim) for node in run.subtree for dim in node.dims}
    assert all(dim.isidentifier() for dim in dims), dims
    last = float(run["summary"]["year"][-1])
    assert run["summary/effective_compute"].sel(quantile=0.5, year=last).ndim == 0
    if "crossings" in run.children:
        first = str(run["crossings"]["threshold"].values[0])
        assert run["summary/crossed"].sel(threshold=first, year=last).ndim == 0
