"""Run folders: written whole, read back, opened by others, checked."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import xarray as xr

from simulator import check_run, load_scenario, open_run, parse_scenario, save_run, simulate
from simulator.cli.main import main
from simulator.engine.checking import describe_check
from simulator.errors import InputError, RunFileError, SimulatorError
from simulator.runs import netcdf
from simulator.runs.folder import write_run
from simulator.runs.groups import group, stored_scenario_text
from simulator.testing import assert_valid_run, run_of, scenario_text, small_scenario

DATA = small_scenario({
    "drivers.compute.caps.cap": {"limit": {"family": "lognormal", "median": 1e29, "interval_90": [1e28, 1e30], "unit": "FLOP"}},
    "thresholds": {"near": {"effective_compute": 1e28, "label": "Näher"}, "far": {"effective_compute": 1e60}},
    "capability": {"name": "score", "kind": "gain-per-doubling", "gain": 1.1},
    "notes": "Größe",
})  # fmt: skip


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return run_of(DATA)


@pytest.fixture(scope="module")
def folder(run: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(run, tmp_path_factory.mktemp("outputs"))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def altered(folder: Path, tmp_path: Path, change: Any) -> Path:
    """Copy a run file and change the copy through the netCDF library."""
    path = tmp_path / "run.nc"
    path.write_bytes((folder / "run.nc").read_bytes())
    with netCDF4.Dataset(path, "a") as file:
        change(file)
        file.delncattr("checksums")  # as who means a change does
    return path


def test_a_run_folder_holds_the_run_its_tables_and_its_scenario(run: xr.DataTree, folder: Path) -> None:
    assert folder.name == f"small-{run.attrs['run_id']}"
    assert folder.parent / run.folder_name == folder
    assert {file.name for file in folder.iterdir()} == {
        "run.nc", "quantiles.csv", "crossing_years.csv", "crossing_probability.csv", "binding.csv", "scenario.yaml",
    }  # fmt: skip
    again = parse_scenario((folder / "scenario.yaml").read_text(encoding="utf-8"))
    assert again.hash == run.attrs["scenario_hash"]
    assert again.spec.notes == "Größe"


def test_a_run_comes_back_with_every_group_variable_and_attribute(run: xr.DataTree, folder: Path) -> None:
    with open_run(folder) as opened:
        assert list(opened.children) == ["summary", "parameters", "trajectories", "crossings"]
        for node in run.subtree:
            stored = opened[node.path]
            for name, values in node.variables.items():
                assert stored.variables[name].dims == values.dims
                np.testing.assert_array_equal(stored.variables[name].values, values.values)
                for key, value in values.attrs.items():
                    np.testing.assert_array_equal(stored.variables[name].attrs[key], value)
        assert {key: opened.attrs[key] for key in run.attrs} == run.attrs
        assert all(isinstance(value, str | int | float | np.number) for value in opened.attrs.values())
        assert_valid_run(opened.load())


def test_samples_are_opened_lazily(folder: Path) -> None:
    with open_run(folder) as opened:
        values = opened["trajectories"].variables["effective_compute"]
        assert not isinstance(values._data, np.ndarray)
        assert isinstance(opened["summary"].variables["effective_compute"]._data, np.ndarray)
    with open_run(folder / "run.nc") as opened, xr.open_dataset(folder / "run.nc", group="summary") as summary:
        assert summary["effective_compute"].equals(opened["summary/effective_compute"])


def test_the_same_scenario_gives_the_same_bytes(run: xr.DataTree, folder: Path, tmp_path: Path) -> None:
    again = write_run(run_of(DATA), tmp_path)
    for file in folder.iterdir():
        assert digest(again / file.name) == digest(file), file.name


def test_another_process_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom simulator import parse_scenario, simulate\nfrom simulator.runs.folder import write_run\n"
        "write_run(simulate(parse_scenario(sys.stdin.read())), sys.argv[1])"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code, str(tmp_path)], input=scenario_text(DATA), text=True,
                   check=True, env={"PYTHONHASHSEED": "77", "PYTHONPATH": ":".join(filter(None, sys.path))})  # fmt: skip
    assert digest(tmp_path / folder.name / "run.nc") == digest(folder / "run.nc")


def test_the_stored_scenario_runs_again_to_the_same_run(run: xr.DataTree) -> None:
    text = stored_scenario_text(run)
    assert simulate(parse_scenario(text)).attrs["run_id"] == run.attrs["run_id"]


@pytest.mark.parametrize("keep", ["trajectories", "summary"])
def test_runs_without_thresholds_caps_or_samples_are_written_and_read(keep: Any, tmp_path: Path) -> None:
    folder = write_run(run_of(small_scenario(), keep=keep), tmp_path)
    with open_run(folder) as opened:
        assert ("trajectories" in opened.children) is (keep == "trajectories")
        assert check_run(opened).passed


def test_arviz_opens_and_summarises_the_parameters(folder: Path) -> None:
    az = pytest.importorskip("arviz")
    with xr.open_dataset(folder / "run.nc", group="parameters") as parameters:
        table = az.summary(parameters.load(), sample_dims="sample", kind="stats", round_to="none")
    assert table.loc["drivers.compute.growth", "mean"] == pytest.approx(0.5, abs=0.001)  # stratified


def test_a_failure_while_writing_leaves_the_old_run_and_no_other_file(
    run: xr.DataTree, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.nc"
    save_run(run, path)
    before = digest(path)

    def broken(*_: object) -> None:
        raise RuntimeError("NetCDF: HDF error")

    monkeypatch.setattr(netcdf, "_packing", broken)
    with pytest.raises(SimulatorError, match=r"run.nc: cannot be written: NetCDF: HDF error. Name another folder"):
        save_run(run, path)
    assert digest(path) == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.nc"]


def test_a_folder_that_cannot_be_written_is_named(run: xr.DataTree, tmp_path: Path) -> None:
    taken = tmp_path / "outputs"
    taken.write_text("a file")
    with pytest.raises(SimulatorError, match=r"outputs.*cannot be written"):
        write_run(run, taken)
    assert taken.read_text() == "a file"


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match=r"nothing.nc: no such run file."):
        open_run(tmp_path / "nothing.nc")


@pytest.mark.parametrize("name", ["x" * 300, f"{'x' * 300}.nc", f"none/{'x' * 300}", f"{'y/' * 3000}latest"])
@pytest.mark.parametrize(
    "command",
    ["show NAME", "check NAME", "influence NAME", "score NAME", "chart NAME", "report NAME", "compare NAME views",
     "extend NAME --samples 9", "condition NAME --given spending@2027>=1e9", "export NAME --format csv"],
)  # fmt: skip
def test_a_name_that_is_too_long_is_that_of_no_run(
    name: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ending:
        main([name if word == "NAME" else word for word in command.split()])
    assert ending.value.code in (1, 2)  # 1: what is written beside the run has no place
    assert re.search(
        "no such run file|no scenario|no such file|File name too long. Name another", capsys.readouterr().err
    )


def test_a_folder_of_something_else_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match=r"is a folder without a run \(run.nc\)"):
        open_run(tmp_path)
    (tmp_path / "results.csv").touch()
    with pytest.raises(RunFileError, match=r"is a comparison, not a run\. 'simulate show' prints it"):
        open_run(tmp_path)


def test_what_a_run_of_the_summary_lacks_is_said_with_its_name() -> None:
    counted = simulate(load_scenario("baseline", overrides=["samples=256"]), keep="summary")
    with pytest.raises(InputError, match=f"run {counted.attrs['run_id']} of baseline kept its summary only"):
        group(counted, "trajectories", of_samples=True)


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.95])
def test_a_run_cut_short_is_told(folder: Path, tmp_path: Path, kept: float) -> None:
    whole = (folder / "run.nc").read_bytes()
    (tmp_path / "run.nc").write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(RunFileError, match=r"it is damaged, cut short, or no netCDF file .*Run the scenario again"):
        open_run(tmp_path)


def test_a_text_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "run.nc").write_text("name: small\n" * 100)
    with pytest.raises(RunFileError, match="no netCDF file"):
        open_run(tmp_path)


def test_damage_anywhere_is_told_and_never_a_wrong_number(run: xr.DataTree, folder: Path, tmp_path: Path) -> None:
    """Bits are turned over at twenty places; what passes the check holds the numbers of the run."""
    whole = (folder / "run.nc").read_bytes()
    told = 0
    for place in np.linspace(0, len(whole) - 64, 20).astype(int):
        damaged = bytes(byte ^ 0xFF for byte in whole[place : place + 64])
        (tmp_path / "run.nc").write_bytes(whole[:place] + damaged + whole[place + 64 :])
        try:
            with open_run(tmp_path) as opened:
                if not check_run(opened).passed:
                    told += 1
                    continue
                for node in run.subtree:
                    for name, values in node.variables.items():
                        np.testing.assert_array_equal(opened[node.path].variables[name].values, values.values)
        except RunFileError:
            told += 1
    assert told >= 5  # much of a small file is room that holds nothing


def test_a_file_of_another_tool_is_told(tmp_path: Path) -> None:
    xr.Dataset({"x": ("t", [1.0])}).to_netcdf(tmp_path / "run.nc")
    with pytest.raises(RunFileError, match=r"is a netCDF file but is no run. `simulate SCENARIO` writes one"):
        open_run(tmp_path)


def test_a_newer_run_is_told(folder: Path, tmp_path: Path) -> None:
    path = altered(folder, tmp_path, lambda file: file.setncattr("run_format", 99))
    with pytest.raises(RunFileError, match=r"is of run format 99; this simulator reads 1. Update it"):
        open_run(path)


def test_a_run_passes_its_check(folder: Path) -> None:
    with open_run(folder) as opened:
        check = check_run(opened)
    assert check.passed
    assert describe_check(check) == f"same: {check.equal} variables, bit for bit."
    assert check.equal > 20


def set_value(group: str, name: str, value: Any) -> Any:
    def change(file: netCDF4.Dataset) -> None:
        file[group].variables[name][3] = value

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (set_value("trajectories", "effective_compute", 31.0), "trajectories/effective_compute"),
        (set_value("parameters", "drivers.compute.growth", 0.9), "parameters/drivers.compute.growth"),
        (
            lambda file: (
                file["summary"].variables["physical_compute"].__setitem__(3, file["summary/physical_compute"][2])
            ),
            "summary/physical_compute",
        ),
        (
            lambda file: file["crossings"].variables["crossing_year"].__setitem__((0, 0), np.inf),
            "crossings/crossing_year",
        ),
        (lambda file: file["summary"].variables["label"].__setitem__(0, "Nearer"), "summary/label"),
        (lambda file: file.setncattr("title", "Another"), "title"),
        (lambda file: file.setncattr("seed", 8), "seed"),
    ],
)
def test_a_changed_value_label_or_attribute_is_found(folder: Path, tmp_path: Path, change: Any, named: str) -> None:
    with open_run(altered(folder, tmp_path, change)) as opened:
        check = check_run(opened)
    assert not check.passed
    assert named in check.different
    assert describe_check(check).startswith("different: ")
    assert f"  {named}: " in describe_check(check)


def test_a_difference_of_rounding_passes_and_is_said(folder: Path, tmp_path: Path) -> None:
    def nudge(file: netCDF4.Dataset) -> None:
        values = file["trajectories"].variables["effective_compute"]
        values[0, 0] = np.nextafter(values[0, 0], np.float32(99))

    with open_run(altered(folder, tmp_path, nudge)) as opened:
        check = check_run(opened)
    assert check.passed
    assert list(check.close) == ["trajectories/effective_compute"]
    assert describe_check(check).startswith("same to rounding: ")


def test_a_stored_scenario_that_cannot_be_read_is_told(folder: Path, tmp_path: Path) -> None:
    path = altered(folder, tmp_path, lambda file: file.setncattr("scenario", '{"schema": 9}'))
    with open_run(path) as opened, pytest.raises(RunFileError, match="stored scenario cannot be read by this version"):
        check_run(opened)


def test_a_run_of_the_first_edition_of_the_format_is_read_as_what_it_meant(folder: Path, tmp_path: Path) -> None:
    def of_the_first(file: netCDF4.Dataset) -> None:
        said = json.loads(file.scenario)
        said |= {"schema": 1, "quantities": {"power": {"start": {"value": 1, "unit": "GW"}, "growth": 2}}}
        file.scenario = json.dumps(said)

    with open_run(altered(folder, tmp_path, of_the_first)) as opened:
        said = json.loads(opened.attrs["scenario"])
        assert said["schema"] == 2
        assert said["quantities"]["power"] == {"at": 2025, "start": {"value": 1, "unit": "GW"}, "growth": "2x/year"}
        assert parse_scenario(opened.attrs["scenario"]).hash == opened.attrs["scenario_hash"]
        assert all("power" in name for name in check_run(opened).different)


def test_a_run_is_saved_at_an_address_and_opened_from_there() -> None:
    memory = pytest.importorskip("fsspec").filesystem("memory")
    run = simulate(load_scenario("essay-2023", overrides=["samples=64"]))
    folder = run.save("memory://saved")
    try:
        assert {*folder.sizes()} >= {"run.nc", "scenario.yaml", "quantiles.csv"}
        with open_run(folder) as opened:
            assert opened.identical(run)
        with open_run(f"{folder}/run.nc") as opened:
            assert opened.identical(run)
        with pytest.raises(RunFileError, match=r"^memory://saved/none: no such run file"):
            open_run("memory://saved/none")
    finally:
        memory.store.clear()
