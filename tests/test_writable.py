"""Where results go is tried before the work."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from simulator.errors import SimulatorError
from simulator.writable import check_file, check_folder


def test_a_folder_that_can_be_made_is_neither_made_nor_refused(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    check_folder(tmp_path)
    check_file(tmp_path / "a" / "report.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["taken", "taken/below", "taken/below/twice"])
def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "taken").write_text("as it was")
    with pytest.raises(SimulatorError, match=r"cannot be written: .* is a file. Name another folder with --output."):
        check_folder(tmp_path / below)
    assert (tmp_path / "taken").read_text() == "as it was"


def test_a_link_to_nothing_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    with pytest.raises(SimulatorError, match="cannot be written: it is no folder"):
        check_folder(tmp_path / "link")


def test_a_folder_in_which_nothing_can_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    with pytest.raises(
        SimulatorError, match=r"outputs: cannot be written: Permission denied. Name another folder with --to"
    ):
        check_folder(tmp_path / "outputs", option="--to")


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"it is a folder. Name a file with --ledger"):
        check_file(tmp_path, option="--ledger")
