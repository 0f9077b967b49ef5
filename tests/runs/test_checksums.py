"""What is read of a file is what was written, or refused."""

from __future__ import annotations

import random
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from simulator import load_scenario, open_result, open_run, prior_influence, save_run, simulate
from simulator.engine.checking import check_run
from simulator.errors import RunFileError
from simulator.runs.checksums import _AsWritten
from simulator.runs.netcdf import checksum
from simulator.runs.run import Run
from tests.damage import flip, places_of_values


@pytest.fixture(scope="module")
def run() -> Run:
    return simulate(load_scenario("essay-2023", overrides=["samples=64"]))


@pytest.fixture
def file(run: Run, tmp_path: Path) -> Path:
    save_run(run, tmp_path / "run.nc")
    return tmp_path / "run.nc"


def test_a_bit_that_flips_in_any_variable_is_noticed_once_it_is_read(file: Path) -> None:
    data, draw = file.read_bytes(), random.Random(7)
    places = places_of_values(file, draw)
    assert len(places) > 25
    for place in draw.sample(places, 25):
        file.write_bytes(data)
        flip(file, place, draw)
        with pytest.raises(RunFileError, match="is not what was written"), open_run(file) as opened:
            opened.load()


def changed(file: Path, group: str, name: str) -> None:
    with netCDF4.Dataset(file, "a") as stored:
        variable = stored[group].variables[name]
        variable[0] = "another" if variable.dtype is str else variable[0] + 1


@pytest.mark.parametrize(
    ("group", "name", "at_once"),
    [
        ("summary", "spending", True), ("summary", "label", True), ("summary", "year", True),
        ("crossings", "threshold", True), ("trajectories", "spending", False), ("crossings", "label", False),
    ],
)  # fmt: skip
def test_what_another_program_changes_is_refused_when_it_is_read_and_named(
    file: Path, group: str, name: str, at_once: bool
) -> None:
    changed(file, group, name)
    match = f"run.nc: /{group}/{name} is not what was written: .* Make it again"
    if at_once:
        with pytest.raises(RunFileError, match=match):
            open_run(file)
        return
    with open_run(file) as opened:
        other = opened["parameters/drivers.spending.growth[0].rate"].values
        assert other.shape == (64,)
        for _ in range(2):  # it stays refused
            with pytest.raises(RunFileError, match=match):
                _ = opened[group][name][:1].values
        with pytest.raises(RunFileError, match=match):
            check_run(opened, fast=True)


@pytest.mark.parametrize("said", ["", "[]", "3", '{"/": 1}', "{}"])
def test_checksums_that_are_none_are_refused(file: Path, said: str) -> None:
    with netCDF4.Dataset(file, "a") as stored:
        stored.checksums = said
    with pytest.raises(RunFileError, match="is not what was written"):
        open_run(file)


@pytest.mark.parametrize("change", ["title", "group"])
def test_an_attribute_that_changes_and_a_group_that_is_gone_are_refused(file: Path, change: str) -> None:
    with netCDF4.Dataset(file, "a") as stored:
        if change == "title":
            stored.title = "another"
        else:
            stored.renameGroup("parameters", "other")
    with pytest.raises(RunFileError, match=r"what it says of (/|its groups) .*is not what was written|is missing"):
        open_run(file)


def test_a_change_that_is_meant_takes_the_checksums_away(file: Path) -> None:
    changed(file, "trajectories", "spending")
    with netCDF4.Dataset(file, "a") as stored:
        stored.delncattr("checksums")
    with open_run(file) as opened:
        assert opened["trajectories/spending"].values.shape[0] == 64
        with pytest.raises(RunFileError, match=r"has no checksums: .* Leave --fast out"):
            check_run(opened, fast=True)


def test_what_is_opened_has_no_checksums_of_its_own_and_is_written_with_those_of_what_it_became(file: Path) -> None:
    with open_run(file) as opened:
        assert "checksums" not in opened.attrs
        assert check_run(opened, fast=True).passed
        opened["trajectories/spending"].values[:] += 1.0
        save_run(opened, file.with_name("more.nc"))
    with open_run(file.with_name("more.nc")) as again:
        assert check_run(again, fast=True).passed


def test_values_of_what_is_opened_may_be_set_and_the_file_stays(file: Path) -> None:
    before = file.read_bytes()
    with open_run(file) as opened:
        levels = opened["trajectories/spending"]
        rest = levels[1:].values
        levels[0] = 5.0
        assert (levels.values[0] == 5.0).all()
        assert (levels.values[1:] == rest).all()
    assert file.read_bytes() == before


def test_what_is_read_whole_is_read_once_and_what_is_not_is_checked_all_the_same(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_run(file) as opened:
        turned = opened["trajectories/spending"][::-1].values
        assert np.array_equal(turned, run["trajectories/spending"].values[::-1])
    monkeypatch.setattr(_AsWritten, "_sum", lambda _: "none")
    with open_run(file) as opened:
        opened.load()
    with open_run(file) as opened, pytest.raises(RunFileError, match="is not what was written"):
        _ = opened["trajectories/spending"][:1].values


def test_a_result_of_another_kind_is_checked_too(run: Run, tmp_path: Path) -> None:
    prior_influence(run).write_into(tmp_path)
    with netCDF4.Dataset(tmp_path / "influence.nc", "a") as stored:
        stored.said = "nothing matters"
    with pytest.raises(RunFileError, match="is not what was written"):
        open_result(tmp_path)


def test_a_checksum_is_that_of_the_bytes_and_goes_on_from_another() -> None:
    values = np.arange(12.0).reshape(4, 3)
    assert checksum(np.frombuffer(b"123456789", dtype=np.uint8)) == "cbf43926"  # the check value of CRC-32
    assert checksum(values[2:], checksum(values[:2])) == checksum(values) == checksum(np.asfortranarray(values))
    assert checksum(values.astype(">f8")) == checksum(values)
    assert checksum(np.array(["a", "bc"])) != checksum(np.array(["ab", "c"]))
