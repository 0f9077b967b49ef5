"""A store is whole, or refused by the name of what is not."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("zarr")

from simulator import load_scenario, open_run
from simulator.engine.checking import check_run
from simulator.engine.run_folders import run_to_folder
from simulator.engine.simulation import How
from simulator.errors import RunFileError
from simulator.runs.manifest import check_manifest, is_whole, seal, write_manifest

PIECE = "trajectories/spending/c/0/0"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scenario = load_scenario("essay-2023", overrides=["samples=64"])
    return run_to_folder(scenario, tmp_path_factory.mktemp("made"), how=How(store="zarr"))[1] / "run.zarr"


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "run.zarr"))


def flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def changed(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda store: (store / PIECE).unlink(), rf"{PIECE} is missing"),
        (lambda store: shutil.rmtree(store / "crossings"), r"crossings/.* is missing"),
        (lambda store: os.truncate(store / PIECE, 10), rf"{PIECE} has 10 bytes in the place of [\d,]+"),
        (lambda store: (store / "more").touch(), "more does not belong to it"),
        (lambda store: flipped(store / "trajectories/spending/zarr.json"), r"trajectories/spending/zarr.json was changed"),
        (lambda store: flipped(store / "summary/spending/c/0/0"), r"summary/spending/c/0/0 was changed"),
        (lambda store: changed(store / "zarr.json", '"seed": ', '"seed": 1'), "zarr.json is another"),
        (lambda store: os.truncate(store / "zarr.json", 100), "zarr.json cannot be read"),
    ],
)  # fmt: skip
def test_a_store_that_is_not_whole_is_refused_at_opening(
    store: Path, change: Callable[[Path], object], why: str
) -> None:
    change(store)
    with pytest.raises(RunFileError, match=rf"is not whole, or not what was written: .*{why}.* --resume goes on"):
        open_run(store)
    assert not is_whole(store)


def test_a_piece_that_changes_is_noticed_when_it_is_read_and_by_a_fast_check(store: Path) -> None:
    flipped(store / PIECE)
    with open_run(store) as opened:
        with pytest.raises(RunFileError, match=r"/trajectories/spending cannot be read: it is damaged"):
            _ = opened["trajectories/spending"].values
        with pytest.raises(RunFileError, match=f"{PIECE} was changed"):
            check_run(opened, fast=True)


def test_a_whole_store_passes_and_one_of_an_early_version_is_opened_with_a_warning(store: Path) -> None:
    assert check_manifest(store, full=True)
    with open_run(store) as opened:
        assert check_run(opened, fast=True).passed
        assert "manifest" not in opened.attrs
    root = json.loads((store / "zarr.json").read_text())
    del root["attributes"]["manifest"]
    (store / "zarr.json").write_text(json.dumps(root))
    with open_run(store) as opened:
        assert "whether it is whole is not known" in opened.warnings[-1]
        with pytest.raises(RunFileError, match="has no checksums"):
            check_run(opened, fast=True)


def test_what_was_written_elsewhere_and_is_not_seen_whole_is_refused(store: Path) -> None:
    sealed = {PIECE: seal((store / PIECE).read_bytes())}
    os.truncate(store / PIECE, 10)
    with pytest.raises(RunFileError, match=f"{PIECE} is missing, or was not seen whole yet"):
        write_manifest(store, sealed=sealed, needed=[PIECE])
    (store / PIECE).unlink()
    with pytest.raises(RunFileError, match=f"{PIECE} is missing"):
        write_manifest(store, sealed={}, needed=[PIECE])
    with pytest.raises(RunFileError, match=f"{PIECE} is missing"):
        check_manifest(store)
