"""The description of the run format is that of a run, and its examples run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import arviz as az
import numpy as np
import pytest
import xarray as xr

import simulator
from simulator import load_scenario, save_run, simulate
from simulator.runs.format import ATTRIBUTES, SWEEP_ATTRIBUTES, explain_lines, run_format_text
from simulator.testing import run_of, small_scenario
from simulator.variables import COORDINATES, PATTERNS, VARIABLES
from tests.places import ROOT


@pytest.fixture(scope="module")
def both() -> tuple[xr.DataTree, xr.DataTree]:
    limit = "drivers.spending.caps.cash-flow.limit"
    over = {
        "drivers.spending.growth[0].rate.centre": [2.0, 2.4, 3.0],
        "money": {"poor": {limit: {"value": 1e10, "unit": "USD"}}, "rich": {limit: {"value": 1e12, "unit": "USD"}}},
    }
    small = ["samples=1024"]
    return simulate(load_scenario("baseline", overrides=small)), simulator.sweep("baseline", over=over, overrides=small)


@pytest.fixture(scope="module")
def run(both: tuple[xr.DataTree, xr.DataTree]) -> xr.DataTree:
    return both[0]


@pytest.fixture(scope="module")
def sweep(both: tuple[xr.DataTree, xr.DataTree]) -> xr.DataTree:
    return both[1]


@pytest.fixture(scope="module")
def path(run: xr.DataTree, sweep: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("run") / "run.nc"
    save_run(run, file)
    save_run(sweep, file.with_name("sweep.nc"))
    return file


def test_the_document_is_what_the_table_a_run_and_a_sweep_say(
    run: xr.DataTree, sweep: xr.DataTree, request: pytest.FixtureRequest
) -> None:
    document = ROOT / "docs" / "run-format.md"
    if request.config.getoption("--renew-golden"):
        document.write_text(run_format_text(run, sweep), encoding="utf-8")
    written = document.read_text(encoding="utf-8")
    assert written == run_format_text(run, sweep), "write it anew with --renew-golden"


def test_every_attribute_of_the_file_is_described(run: xr.DataTree) -> None:
    assert list(run.attrs) == list(ATTRIBUTES)


def test_every_attribute_group_and_axis_of_a_sweep_is_described(run: xr.DataTree, sweep: xr.DataTree) -> None:
    assert set(sweep.attrs) == (set(ATTRIBUTES) - {"run_format"}) | set(SWEEP_ATTRIBUTES)
    text = run_format_text(run, sweep).partition("## Sweeps")[2]
    for node in sweep.subtree:
        assert not node.data_vars or f"`{node.path}`" in text
    axes = json.loads(sweep.attrs["sweep"])
    assert [set(axis) for axis in axes] == [{"name", "unit", "numbers", "points"}] * 2
    assert all(set(point) == {"label", "set"} for axis in axes for point in axis["points"])
    for axis in axes:
        assert f"{axis['name']}: " in text
        for name, values in sweep["summary"].data_vars.items():
            assert axis["name"] in values.dims, name


def test_a_sweep_has_the_variables_of_a_run_over_its_axes_first(run: xr.DataTree, sweep: xr.DataTree) -> None:
    axes = tuple(axis["name"] for axis in json.loads(sweep.attrs["sweep"]))
    assert set(sweep["summary"].data_vars) == set(run["summary"].data_vars)
    for name, values in run["summary"].data_vars.items():
        assert sweep["summary"][name].dims == (*axes, *values.dims), name


def test_every_coordinate_and_variable_is_in_a_table_with_its_dimensions(run: xr.DataTree) -> None:
    for node in run.subtree:
        for name, values in node.coords.items():
            known = COORDINATES["limit_<subject>" if str(name).startswith("limit_") else str(name)]
            assert values.ndim == len(known.dims)
            assert values.attrs.get("units", "") in ("", known.unit)
        for name, values in node.data_vars.items():
            if node.path == "/parameters":
                continue
            base = re.sub("_(mean|error)$", "", str(name))
            patterns = [pattern for pattern in PATTERNS if re.fullmatch(pattern.expression, base)]
            assert base in VARIABLES or patterns, name
            own = VARIABLES[base].dims if base in VARIABLES else patterns[0].dims
            if node.path != "/summary" or "sample" not in own:
                assert values.ndim == len(own), name


def test_the_python_examples_of_the_document_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    text = (ROOT / "docs" / "run-format.md").read_text(encoding="utf-8")
    found = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(found) == 3
    for example in found:
        exec(compile(example, "run-format.md", "exec"), {})


def test_xarray_reads_the_samples_only_when_they_are_asked_for(path: Path) -> None:
    with xr.open_datatree(path, engine="netcdf4") as opened:
        level = opened["trajectories/effective_compute"]
        assert not level.variable._in_memory
        one = level.sel(year=2035).values
        assert one.shape == (1024,)
        assert not level.variable._in_memory


def test_arviz_opens_a_run_and_takes_its_samples_as_draws(run: xr.DataTree, path: Path) -> None:
    with az.from_netcdf(path) as opened:
        assert isinstance(opened, xr.DataTree)
        parameters = opened["parameters"].to_dataset()
        names = ["drivers.spending.start", "drivers.spending.growth[0].rate"]
        told = az.summary(parameters[names], sample_dims="sample", kind="stats", round_to="none")
        size = az.ess(parameters[names], sample_dims="sample")
        for name in names:
            assert told.loc[name, "mean"] == pytest.approx(float(run["parameters"][name].mean()))
            assert np.isfinite(float(size[name]))


def test_lines_say_every_variable_with_dims_unit_and_long_name(run: xr.DataTree) -> None:
    lines = explain_lines(run)
    for node in run.subtree:
        for name, values in node.data_vars.items():
            found = [line for line in lines if line.split()[:1] == [str(name)]]
            assert any(str(values.attrs["units"]) in line for line in found)
    assert any(
        re.fullmatch(r"  effective_compute +\(sample, year\)  log10\(FLOP\)  effective compute", line) for line in lines
    )
    assert any("lognormal, median 3.89e+08" in line for line in lines)


def test_a_run_without_samples_has_the_summarys_lines_alone() -> None:
    lines = explain_lines(run_of(small_scenario({"samples": 64}), keep="summary"))
    assert [line for line in lines if not line.startswith(" ")] == ["summary  (quantile 25, year 11)"]
