"""Writing files so that a killed run leaves the old file or the new one, never half of one."""

from __future__ import annotations

import contextlib
import csv
import errno
import hashlib
import io
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path as FilePath
from typing import Literal

from simulator.addresses import Address, refuse_lost
from simulator.errors import InputError, SimulatorError
from simulator.wording import harmful, harmless

_LEFT = re.compile(r"\.(?P<name>.+)\.(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{8}\.(?P<kind>part|old)")
"""What stands beside a file or folder while it is written, or replaced (`old`); the name says by which process."""
_DAY = 86_400.0


def step[**Given, Result](
    path: FilePath, change: Callable[Given, Result], *args: Given.args, **options: Given.kwargs
) -> Result:
    """Make one change on the disk, and say in one line where it refuses; every change of the simulator is made here."""
    try:
        return change(*args, **options)
    except OSError as error:
        raise SimulatorError(_cannot_write(path, error)) from None


@contextlib.contextmanager
def replacing(path: FilePath, *, new: str = "", lasting: bool = False) -> Iterator[FilePath]:
    """Give a temporary path beside a file, and put it in the file's place when all has been written.

    What must be `new` is refused with that text (InputError) where a file stands in that place. What no command makes
    again is `lasting`: it is on the disk before its place is taken, at the cost of some milliseconds, and outlives a
    loss of power. What goes to an address is written here first, and then put there whole.
    """
    if isinstance(path, Address):
        with _sending(path, new) as temporary:
            yield temporary
        return
    if _is_device(path):  # which a file would take the place of, where its folder can be written
        raise SimulatorError(_cannot_write(path, OSError(errno.EINVAL, _NO_FILE)))
    temporary = _beside(path, "part")
    try:
        step(path, temporary.touch, exist_ok=False)
        try:
            yield temporary
        except OSError as error:
            raise SimulatorError(_cannot_write(path, error)) from None
        if lasting:
            step(path, _sync, temporary)
        if new:
            step(path, _link, temporary, path, new)
        else:
            step(path, os.replace, temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def _sending(address: Address, new: str) -> Iterator[FilePath]:
    """Give a path of this machine, and put what was written there to an address."""
    if new and address.exists():
        raise InputError(new)
    with tempfile.TemporaryDirectory(prefix="simulate-") as folder:
        temporary = FilePath(folder) / address.name
        try:
            yield temporary
        except OSError as error:
            raise SimulatorError(_cannot_write(temporary, error)) from None
        address.send(temporary)


_NO_FILE = "it is no regular file, but a pipe or a device"


def _is_device(path: FilePath) -> bool:
    if os.path.islink(path) and os.readlink(path).startswith(("/proc/", "/dev/")):  # noqa: PTH114, PTH115
        return True  # as /dev/stdout, wherever that leads now
    return is_there(path) and not (is_folder(path) or os.path.isfile(path))  # noqa: PTH113  # pathlib's raises


def _link(path: FilePath, to: FilePath, stays: str) -> None:
    try:
        os.link(path, to)
    except FileExistsError:
        raise InputError(stays) from None


def _sync(path: FilePath) -> None:
    with path.open("r+b") as stream:
        os.fsync(stream.fileno())


def replace_folder(new: FilePath, path: FilePath) -> None:
    """Put a whole folder in the place of another: the old one goes aside, then the new one in, then the old is removed.

    Killed in between, one of both is whole; `make_folder` of the folder above puts the old one back where none is.
    """
    old = _beside(path, "old")
    if path.exists():
        step(path, os.rename, path, old)
    step(path, os.rename, new, path)
    remove_folder(old)


def remove_folder(path: FilePath) -> None:
    """Remove a folder as far as it goes; it goes aside first, so that half of it is never taken for the whole."""
    if isinstance(path, Address):
        path.remove()
        return
    if path.exists():
        aside = _beside(path, "part")
        with contextlib.suppress(SimulatorError):
            step(path, os.rename, path, aside)
            with contextlib.suppress(SimulatorError):
                step(path, shutil.rmtree, aside)
                return
            step(path, shutil.rmtree, aside)  # another process put a last file into it meanwhile


def remove_file(path: FilePath) -> None:
    """Remove a file where it is there."""
    if isinstance(path, Address):
        path.remove()
        return
    step(path, path.unlink, missing_ok=True)


def copy_folder(path: FilePath, target: FilePath) -> None:
    """Copy a folder; the copy is there when it is whole."""
    aside = _beside(target, "part")
    try:
        step(target, shutil.copytree, path, aside)
        step(target, os.rename, aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def link_to(mark: FilePath, folder: FilePath) -> None:
    """Make or replace a link to a folder beside it; a file with its name where links are not allowed."""
    if isinstance(mark, Address):
        write_text(mark, f"{folder.name}\n")
        return
    temporary = _beside(mark, "part")
    try:
        step(mark, temporary.symlink_to, folder.name, target_is_directory=True)
    except SimulatorError:  # as mostly on Windows
        write_text(mark, f"{folder.name}\n")
    else:
        step(mark, os.replace, temporary, mark)


def _beside(path: FilePath, kind: Literal["part", "old"]) -> FilePath:
    """Name what stands beside a path for a while, by the process that writes it."""
    return path.with_name(f".{path.name[:40]}.{_machine()}-{os.getpid()}-{os.urandom(4).hex()}.{kind}")


def _machine() -> str:
    """Name where a number of a process means this process: the machine, or the container."""
    spaces = FilePath("/proc/self/ns/pid")
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return short_hash(name, str(spaces.stat().st_ino) if spaces.exists() else "")


def tidy(folder: FilePath) -> None:
    """Remove what killed processes left in a folder half written; what they had put aside whole goes back.

    A process of another machine counts as killed when it has not written for a day. At an address there is no such.
    """
    if isinstance(folder, Address):
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            left = _LEFT.fullmatch(entry.name)
            if left is None or _is_at_work(left, entry):
                continue
            path, meant = FilePath(entry.path), folder / left["name"]
            with contextlib.suppress(OSError, SimulatorError):
                if left["kind"] == "old" and not meant.exists():
                    step(meant, os.rename, path, meant)
                elif entry.is_dir(follow_symlinks=False):
                    step(path, shutil.rmtree, path)
                else:
                    step(path, path.unlink, missing_ok=True)


def _is_at_work(left: re.Match[str], entry: os.DirEntry[str]) -> bool:
    if left["machine"] != _machine() or os.name == "nt":  # where a signal that only asks would end the process
        return time.time() - entry.stat(follow_symlinks=False).st_mtime < _DAY
    try:
        os.kill(int(left["process"]), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # of another user
        return True
    return True


@contextlib.contextmanager
def locked(path: FilePath, *, busy: str = "") -> Iterator[None]:
    """Keep other processes from what stands at a path; wait for them, or raise InputError(busy) where that is given.

    A hidden file beside it is the lock. It stays: whoever waits for a file that is removed would hold another one.
    At an address there is none.
    """
    if isinstance(path, Address):
        yield
        return
    from filelock import FileLock, Timeout

    make_folder(path.parent)
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0 if busy else -1)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(busy) from None
    except OSError as error:
        raise SimulatorError(_cannot_write(path, error)) from None
    try:
        yield
    finally:
        lock.release()


def _cannot_write(path: FilePath, error: OSError) -> str:
    while isinstance(error, shutil.Error) and error.args and error.args[0]:  # of a tree: what each file met with
        error = OSError(str(error.args[0][0][-1]))
    return f"{path}: cannot be written: {error.strerror or error}. Name another folder with --output, or free space."


def short_hash(*parts: str, results: bytes = b"") -> str:
    """Name a folder's content by what determines it: 8 characters of the hash of texts, and of results where given."""
    return hashlib.sha256("\n".join(parts).encode() + results).hexdigest()[:8]


def make_folder(path: FilePath) -> None:
    """Make a folder and those above it; where it is there, remove what killed processes left in it half written."""
    if isinstance(path, Address):
        return  # folders are parts of names there
    refuse_lost(path)
    if is_folder(path):
        tidy(path)
    else:
        step(path, path.mkdir, parents=True, exist_ok=True)


def write_text(path: FilePath, text: str, *, new: str = "", lasting: bool = False) -> None:
    """Write a text file; with `new` it replaces none but says that, and what is `lasting` no command makes again."""
    with replacing(path, new=new, lasting=lasting) as temporary:
        temporary.write_text(harmless(text), encoding="utf-8", newline="\n")


class CsvError(ValueError):
    """What is wrong with a text that is no CSV, and on which line."""

    def __init__(self, line: int, fault: str) -> None:
        super().__init__(fault)
        self.line = line


def is_there(path: FilePath) -> bool:
    """Tell whether a file or a folder is there; none is where a name is too long for one, or leads in a circle."""
    return path.exists() if isinstance(path, Address) else os.path.exists(path)  # noqa: PTH110  # pathlib's raises


def is_folder(path: FilePath) -> bool:
    """Tell whether a folder is there, like `is_there`."""
    return path.is_dir() if isinstance(path, Address) else os.path.isdir(path)  # noqa: PTH112  # pathlib's raises


def state_of(path: FilePath) -> tuple[int, int] | None:
    """Tell a file from another that took its place meanwhile; None where there is none, and at an address."""
    if isinstance(path, Address):
        return None
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_ino, found.st_mtime_ns
    return None


LARGEST_TEXT, LARGEST_TABLE = 4 << 20, 64 << 20
"""Bytes of a scenario, a library of priors or a frozen forecast, and of a table, that are read at most."""


def read_bytes(path: FilePath, *, most: int = LARGEST_TABLE) -> bytes:
    """Read a regular file of at most so many bytes; OSError says why it cannot be read, in `strerror`."""
    if isinstance(path, Address):
        if path.size() > most:
            raise OSError(errno.EFBIG, _too_large(most))
        return path.read_bytes()
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as stream:  # a pipe without a writer is not waited for
        kind = os.fstat(handle).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, _NO_FILE)
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, _too_large(most))
    return content


def _too_large(most: int) -> str:
    return f"it is larger than {most >> 20} MiB, the most that is read"


def as_stream(path: FilePath) -> FilePath | io.BytesIO:
    """Give what a reader of files opens: the path, or what stands at an address."""
    return io.BytesIO(path.read_bytes()) if isinstance(path, Address) else path


_HEADING = re.compile(r"[^\W\d][^:=\x00-\x1f]{0,79}")


def headings(names: list[str]) -> list[str]:
    """Give the names of columns that a message may quote: none where a first line is that of no table."""
    return names if all(map(_HEADING.fullmatch, map(str.strip, names))) else []


_AS_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠].", re.DOTALL)
"""A text that a spreadsheet would take for a formula, or one before which a quote keeps it from that."""


def csv_cells(texts: Iterable[str]) -> dict[str, str]:
    """Write texts so that no spreadsheet computes them: a quote before, which `csv_rows` takes away; numbers stay."""
    return {text: text if text.isprintable() and not _AS_FORMULA.match(text) else _csv_cell(text) for text in texts}


def _csv_cell(text: str) -> str:
    if not _AS_FORMULA.match(text):
        return harmless(text)
    try:
        float(text)
    except ValueError:
        return f"'{harmless(text)}"
    return text


def csv_rows(text: str) -> list[tuple[int, list[str]]]:
    r"""Read the rows of a CSV text that are not blank, each with the line on which it begins."""
    at, character = harmful(text)
    if character:
        raise CsvError(text[:at].count("\n") + 1, f"it holds the control character {character}")
    return unchecked_rows(text)


def unchecked_rows(text: str) -> list[tuple[int, list[str]]]:
    """Read rows as `csv_rows` does, of a text in which no cell was looked at: who uses one looks for `harmful`."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, line, quoted = [], 1, "'" in text
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                plain = [cell[1:] if cell[:1] == "'" and _AS_FORMULA.match(cell) else cell for cell in cells]
                rows.append((line, plain if quoted else cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise CsvError(reader.line_num, str(error)) from None
    return rows


def read_csv(path: FilePath) -> list[tuple[int, list[str]]]:
    """Read the rows of a CSV file in UTF-8, see `csv_rows`; OSError and ValueError say why it cannot be read."""
    return csv_rows(read_bytes(path).decode("utf-8-sig"))


def check_folder(path: FilePath, *, option: str = "--output", file: str = "") -> None:
    """Refuse a folder, or a file of this name in it, that cannot be made or written; nothing is made or left.

    A file is opened without a name in the folder, or in the nearest one above it that is there. To an address
    something is written and taken away.
    """
    if isinstance(path, Address):
        path.probe()
        return
    refuse_lost(path)
    above = path
    while not os.path.lexists(above) and above != above.parent:
        above = above.parent
    remedy = f"Name another folder with {option}."
    if not above.is_dir():
        what = "is a file" if above.is_file() else "is no folder"
        raise SimulatorError(f"{path}: cannot be written: {'it' if above == path else above} {what}. {remedy}")
    below = path / file
    try:
        tempfile.TemporaryFile(dir=above).close()
        for each in (below, *(above / name for name in below.relative_to(above).parts)):
            with contextlib.suppress(FileNotFoundError):
                each.lstat()  # refuses a name that is too long
    except OSError as error:
        raise SimulatorError(f"{below}: cannot be written: {error.strerror or error}. {remedy}") from None


def check_file(path: FilePath, *, option: str = "--output") -> None:
    """Refuse a file that cannot be written: a folder stands in its place, or its folder cannot be made or written."""
    if not isinstance(path, Address) and (is_folder(path) or _is_device(path)):
        what = _NO_FILE if _is_device(path) else "it is a folder"
        raise SimulatorError(f"{path}: cannot be written: {what}. Name a file with {option}.")
    check_folder(path.parent, option=option, file=path.name)
