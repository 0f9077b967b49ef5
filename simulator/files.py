"""Writing files so that a killed run leaves the old file or the new one, never half of one."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath

from simulator.errors import SimulatorError


@contextlib.contextmanager
def replacing(path: FilePath) -> Iterator[FilePath]:
    """Give a temporary path beside a file, and put it in the file's place when all has been written.

    Raises
    ------
    SimulatorError
        The folder cannot be written, or the disk is full.

    Examples
    --------
    >>> file = getfixture("tmp_path") / "table.csv"
    >>> write_text(file, "as it was")
    >>> with replacing(file) as temporary:
    ...     raise ValueError(f"half of {temporary.suffix} is written")
    Traceback (most recent call last):
    ValueError: half of .csv is written
    >>> file.read_text()
    'as it was'
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
        os.replace(temporary, path)
    except OSError as error:
        raise SimulatorError(_cannot_write(path, error)) from None
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot_write(path: FilePath, error: OSError) -> str:
    return f"{path}: cannot be written: {error.strerror or error}. Name another folder with --output, or free space."


def short_hash(*parts: str, results: bytes = b"") -> str:
    """Name a folder's content by what determines it: 8 characters of the hash of texts, and of results where given.

    Examples
    --------
    >>> short_hash("baseline", "1024"), short_hash("baseline", "1025")
    ('831cc083', '1967e532')
    """
    return hashlib.sha256("\n".join(parts).encode() + results).hexdigest()[:8]


def make_folder(path: FilePath) -> None:
    """Make a folder and those above it.

    Raises
    ------
    SimulatorError
        It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SimulatorError(_cannot_write(path, error)) from None


def write_text(path: FilePath, text: str) -> None:
    """Write a text file."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_table(path: FilePath, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows as CSV; the columns are the keys of the rows as they come, and what a row does not have is empty.

    Raises
    ------
    SimulatorError
        The file cannot be written.

    Examples
    --------
    >>> file = getfixture("tmp_path") / "table.csv"
    >>> write_table(file, [{"year": 2030, "median": 28.5}, {"year": 2031, "error": 0.1}])
    >>> print(file.read_text())
    year,median,error
    2030,28.5,
    2031,,0.1
    """
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        if rows:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(map(row.get, columns) for row in rows)  # what is None is left empty
