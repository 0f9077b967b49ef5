"""Writing files: all of it or nothing."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.errors import InputError, SimulatorError
from simulator.files import (
    CsvError,
    _beside,
    check_file,
    check_folder,
    copy_folder,
    csv_cells,
    csv_rows,
    locked,
    make_folder,
    read_bytes,
    remove_folder,
    replace_folder,
    replacing,
    write_text,
)


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


def test_what_must_be_new_is_refused_in_the_words_of_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "forecast.yaml"
    write_text(path, "one\n", new="It stays.")
    with pytest.raises(InputError, match=r"^It stays\.$"):
        write_text(path, "other\n", new="It stays.")
    assert path.read_text() == "one\n"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


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


def test_a_name_that_is_too_long_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"n: cannot be written: File name too long\. Name"):
        check_folder(tmp_path / "new" / ("n" * 300))


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


@pytest.mark.parametrize("check", [check_folder, check_file])
@pytest.mark.parametrize("name", ["x" * 300, "a/" + "x" * 300, "x" * 300 + "/a", "a/" * 3000 + "b"])
def test_a_name_that_is_too_long_is_refused_and_nothing_is_made(
    check: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    with pytest.raises(SimulatorError, match=r"[abx]: cannot be written: File name too long. Name another folder"):
        check(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    check(tmp_path / ("x" * 200))


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"it is a folder. Name a file with --ledger"):
        check_file(tmp_path, option="--ledger")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
def test_a_pipe_or_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    with pytest.raises(
        SimulatorError, match=r"pipe: cannot be written: it is no regular file, .* Name a file with --to"
    ):
        check_file(pipe, option="--to")
    with pytest.raises(SimulatorError, match=r"pipe: cannot be written: it is no regular file, but a pipe or a device"):
        write_text(pipe, "text")
    (link := tmp_path / "stdout").symlink_to("/proc/self/fd/1")
    with pytest.raises(SimulatorError, match="stdout: cannot be written: it is no regular file"):
        write_text(link, "text")
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["pipe", "stdout"]


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


def left_by(process: int, folder: Path, name: str, kind: str = "part") -> Path:
    """Name what a process leaves beside a file while it writes it."""
    mine = _beside(folder / name, kind)  # type: ignore[arg-type]
    return mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{process}-"))


@pytest.fixture
def dead() -> int:
    """Give the number of a process that has ended."""
    return int(
        subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True).stdout
    )


def test_what_killed_processes_left_is_removed_and_what_live_ones_write_stays(tmp_path: Path, dead: int) -> None:
    gone = [left_by(dead, tmp_path, "run.nc"), left_by(dead, tmp_path, "run.zarr", "old")]
    stays = [left_by(os.getpid(), tmp_path, "run.nc"), left_by(1, tmp_path, "run.nc"), tmp_path / ".run.nc.lock"]
    for each in (gone[0], *stays, tmp_path / "run.nc", tmp_path / ".a.part"):
        each.touch()
    for folder in (gone[1], tmp_path / "run.zarr"):
        (folder / "c").mkdir(parents=True)
    before = set(tmp_path.iterdir())
    make_folder(tmp_path)
    assert before - set(tmp_path.iterdir()) == set(gone)


def test_what_another_machine_writes_is_removed_after_a_day_without_a_change(tmp_path: Path) -> None:
    here = left_by(1, tmp_path, "run.nc")
    there = here.with_name(re.sub(r"[0-9a-f]{8}-1-", "00000000-1-", here.name))
    there.touch()
    make_folder(tmp_path)
    assert there.exists()
    os.utime(there, (0, 0))
    make_folder(tmp_path)
    assert not there.exists()


def test_killed_at_any_step_of_replacing_a_folder_the_old_or_the_new_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dead: int
) -> None:
    """A kill is played by steps that do nothing any more, and a process that is known to have ended."""

    class Killed(BaseException):
        pass

    for at in range(5):
        folder, done = tmp_path / str(at), 0
        for name in ("store", "new"):
            (folder / name).mkdir(parents=True)
            (folder / name / "a").write_text(name)
            (folder / name / "b").write_text(name)

        def until(path: Path, change: Callable[..., object], *args: object, **options: object) -> object:
            nonlocal done
            if done == at:  # noqa: B023  # called in this round alone
                raise Killed
            done += 1
            return change(*args, **options)

        with monkeypatch.context() as patch:
            patch.setattr("simulator.files.step", until)
            patch.setattr(os, "getpid", lambda: dead)
            with pytest.raises(Killed) if at < 4 else contextlib.nullcontext():
                replace_folder(folder / "new", folder / "store")
        make_folder(folder)
        held = {file.read_text() for file in (folder / "store").iterdir()}
        assert held == ({"store"} if at < 2 else {"new"})
        assert len(list((folder / "store").iterdir())) == 2
        assert {each.name for each in folder.iterdir()} == ({"store", "new"} if at < 2 else {"store"})


def test_what_a_full_disk_refuses_of_a_copy_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a").touch()
    monkeypatch.setattr(shutil, "copystat", full)
    with pytest.raises(SimulatorError, match=r"^[^\n]*copy: cannot be written: .*No space left on device[^\n]*$"):
        copy_folder(tmp_path / "store", tmp_path / "copy")
    assert [each.name for each in tmp_path.iterdir()] == ["store"]


def test_a_pipe_and_a_device_are_not_waited_for_and_a_large_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path, reason in ((tmp_path / "pipe.csv", "no regular file"), (Path("/dev/zero"), "no regular file")):
        with pytest.raises(OSError, match=reason):
            read_bytes(path)
    with pytest.raises(IsADirectoryError):
        read_bytes(tmp_path)
    (tmp_path / "large").write_bytes(b"x" * (1 << 20))
    assert len(read_bytes(tmp_path / "large", most=1 << 20)) == 1 << 20
    (tmp_path / "large").write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(OSError, match="larger than 1 MiB, the most that is read"):
        read_bytes(tmp_path / "large", most=1 << 20)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+41 run", "'+41 run"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("'=1", "''=1"),
        ("\uff1d1", "'\uff1d1"),
        ("-1.5e3", "-1.5e3"),
        ("-inf", "-inf"),
        ("-", "-"),
        ("'tis", "'tis"),
        ("a=b", "a=b"),
    ],
)
def test_no_spreadsheet_computes_a_text_and_it_reads_back_as_it_was(text: str, cell: str) -> None:
    assert csv_cells([text]) == {text: cell}
    assert csv_rows(f'"{cell}",b\n') == [(1, [text, "b"])]


def test_a_control_character_in_a_table_is_refused_with_its_line() -> None:
    with pytest.raises(CsvError, match=r"it holds the control character U\+001B") as refused:
        csv_rows('a,b\n"1\n2",x\n3,\x1b[2J\n')
    assert refused.value.line == 4
    assert csv_rows("a\r\n1\r\n") == [(1, ["a"]), (2, ["1"])]


def test_what_steers_a_terminal_is_written_out_in_every_text_file(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "a\x1b[2J\u202e\ud800\n\tb")
    assert (tmp_path / "a.txt").read_text() == "a\\u001b[2J\\u202e\\ud800\n\tb"


def test_what_no_command_makes_again_is_on_the_disk_before_it_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("old")
    done: list[str] = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (done.append("fsync"), sync(file)))
    monkeypatch.setattr(os, "replace", lambda old, new: (done.append("replace"), replace(old, new)))
    write_text(tmp_path / "a.txt", "new", lasting=True)
    assert done == ["fsync", "replace"]
    assert (tmp_path / "a.txt").read_text() == "new"


def test_a_folder_goes_though_another_process_puts_a_last_file_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "done").mkdir()
    real = os.rmdir

    def late(path: object, **given: int) -> None:
        monkeypatch.setattr(os, "rmdir", real)
        next(tmp_path.iterdir()).joinpath("last").write_text("by another")
        real(path, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "rmdir", late)
    remove_folder(tmp_path / "done")
    assert list(tmp_path.iterdir()) == []
