"""Where results go: refused before the work where they could not be written after it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path as FilePath

from simulator.errors import SimulatorError


def check_folder(path: FilePath, *, option: str = "--output") -> None:
    """Refuse a folder that cannot be made or written; nothing is made, and nothing is left.

    A file is opened without a name in the folder, or in the nearest one above it that is there.

    Parameters
    ----------
    path : path
    option : str
        The option by which another folder is named.

    Raises
    ------
    SimulatorError
        A file stands in its place, or in that of a folder above it; or nothing can be written there.

    Examples
    --------
    >>> taken = getfixture("tmp_path") / "taken"
    >>> check_folder(taken / "outputs")
    >>> taken.touch()
    >>> check_folder(taken / "outputs")
    Traceback (most recent call last):
    simulator.errors.SimulatorError: ...: cannot be written: ...taken is a file. Name another folder with --output.
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
    """Refuse a file that cannot be written: a folder stands in its place, or its folder cannot be made or written.

    Raises
    ------
    SimulatorError
        It cannot.

    Examples
    --------
    >>> check_file(getfixture("tmp_path"), option="--document")
    Traceback (most recent call last):
    simulator.errors.SimulatorError: ...: cannot be written: it is a folder. Name a file with --document.
    """
    if path.is_dir():
        raise SimulatorError(f"{path}: cannot be written: it is a folder. Name a file with {option}.")
    check_folder(path.parent, option=option)
