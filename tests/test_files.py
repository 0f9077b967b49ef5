"""Writing files: all of it or nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from simulator.errors import InputError, SimulatorError
from simulator.files import check_file, check_folder, locked, make_folder, replacing, write_text


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt(), RuntimeError("broken")])
def test_a_failure_in_the_middle_leaves_the_old_file_and_no_other(tmp_path: Path, failure: BaseException) -> None:
    path = tmp_path / "run.nc"
    path.write_text("old")

    def write() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half of the new")
            raise failure

    with pytest.raises((SimulatorError, KeyboardInterrupt, RuntimeError)):
        write()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["run.nc"]


def test_the_new_file_takes_the_place_of_the_old_with_the_rights_of_a_new_file(tmp_path: Path) -> None:
    path, fresh = tmp_path / "a.txt", tmp_path / "fresh"
    write_text(path, "old\n")
    write_text(path, "new é\n")
    fresh.touch()
    assert path.read_bytes() == "new é\n".encode()
    assert path.stat().st_mode == fresh.stat().st_mode


def test_a_folder_under_a_file_cannot_be_made_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(SimulatorError, match=r"cannot be written: .*Name another folder with --output, or free space"):
        make_folder(tmp_path / "taken" / "outputs")
    with pytest.raises(SimulatorError, match="cannot be written"):
        write_text(tmp_path / "missing" / "a.txt", "text")


def test_a_full_disk_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SimulatorError, match="No space left on device"):
        write_text(tmp_path / "a.txt", "text")
    assert list(tmp_path.iterdir()) == []


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


def test_a_lock_is_refused_while_it_is_held_and_its_file_stays(tmp_path: Path) -> None:
    """A file that goes with its lock would leave whoever opened it before with a lock on nothing."""
    lock = tmp_path / ".store.lock"
    for _ in range(2):
        with locked(tmp_path / "store", busy="it is at work there"):
            held = lock.stat().st_ino
            with (
                pytest.raises(InputError, match="it is at work there"),
                locked(tmp_path / "store", busy="it is at work there"),
            ):
                pass
        assert lock.stat().st_ino == held
    with locked(tmp_path / "store"):
        pass


def test_a_lock_holds_against_another_process_where_fcntl_is_missing(tmp_path: Path) -> None:
    code = (
        "import sys\nsys.modules['fcntl'] = None\n"
        "from pathlib import Path\nfrom simulator.errors import InputError\nfrom simulator.files import locked\n"
        "path = Path(sys.argv[1])\n"
        "with locked(path, busy='held'):\n"
        "    try:\n        with locked(path, busy='held'):\n            print('both')\n"
        "    except InputError as error:\n        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "store")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "held\n"
