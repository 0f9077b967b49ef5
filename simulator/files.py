"""Writing files so that a killed run leaves the old file or the new one, never half of one."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path as FilePath

from simulator.errors import InputError, SimulatorError


@contextlib.contextmanager
def replacing(path: FilePath, *, new: bool = False) -> Iterator[FilePath]:
    """Give a temporary path beside a file, and put it in the file's place when all has been written.

    What must be `new` is refused where a file stands in that place.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise SimulatorError(_cannot_write(path, error)) from None
    temporary = FilePath(name)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        (os.link if new else os.replace)(temporary, path)
    except OSError as error:
        raise SimulatorError(_cannot_write(path, error)) from None
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: FilePath, *, busy: str = "") -> Iterator[None]:
    """Keep other processes from what stands at a path; wait for them, or raise InputError(busy) where that is given.

    A hidden file beside it is the lock. It stays: whoever waits for a file that is removed would hold another one.
    """
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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot_write(path: FilePath, error: OSError) -> str:
    return f"{path}: cannot be written: {error.strerror or error}. Name another folder with --output, or free space."


def short_hash(*parts: str, results: bytes = b"") -> str:
    """Name a folder's content by what determines it: 8 characters of the hash of texts, and of results where given."""
    return hashlib.sha256("\n".join(parts).encode() + results).hexdigest()[:8]


def make_folder(path: FilePath) -> None:
    """Make a folder and those above it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SimulatorError(_cannot_write(path, error)) from None


def write_text(path: FilePath, text: str, *, new: bool = False) -> None:
    """Write a text file; what must be `new` replaces none."""
    with replacing(path, new=new) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


class CsvError(ValueError):
    """What is wrong with a text that is no CSV, and on which line."""

    def __init__(self, line: int, fault: str) -> None:
        super().__init__(fault)
        self.line = line


def csv_rows(text: str) -> list[tuple[int, list[str]]]:
    r"""Read the rows of a CSV text that are not blank, each with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, line = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise CsvError(reader.line_num, str(error)) from None
    return rows


def read_csv(path: FilePath) -> list[tuple[int, list[str]]]:
    """Read the rows of a CSV file in UTF-8, see `csv_rows`; OSError and ValueError say why it cannot be read."""
    return csv_rows(path.read_bytes().decode("utf-8-sig"))


def check_folder(path: FilePath, *, option: str = "--output") -> None:
    """Refuse a folder that cannot be made or written; nothing is made, and nothing is left.

    A file is opened without a name in the folder, or in the nearest one above it that is there.
    """
    above = path
    while not os.path.lexists(above) and above != above.parent:
        above = above.parent
    remedy = f"Name another folder with {option}."
    if not above.is_dir():
        what = "is a file" if above.is_file() else "is no folder"
        raise SimulatorError(f"{path}: cannot be written: {'it' if above == path else above} {what}. {remedy}")
    try:
        tempfile.TemporaryFile(dir=above).close()
    except OSError as error:
        raise SimulatorError(f"{path}: cannot be written: {error.strerror or error}. {remedy}") from None


def check_file(path: FilePath, *, option: str = "--output") -> None:
    """Refuse a file that cannot be written: a folder stands in its place, or its folder cannot be made or written."""
    if path.is_dir():
        raise SimulatorError(f"{path}: cannot be written: it is a folder. Name a file with {option}.")
    check_folder(path.parent, option=option)
