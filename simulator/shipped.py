"""The scenarios and prior libraries that travel with the simulator."""

from __future__ import annotations

from functools import cache
from pathlib import Path as FilePath
from typing import Literal

from simulator.errors import InputError, near_name

Kind = Literal["scenarios", "priors", "history"]
_ENDINGS = {"scenarios": ".yaml", "priors": ".yaml", "history": ".csv"}


@cache
def shipped_folder(kind: Kind) -> FilePath:
    """Name the folder of the shipped scenarios or prior libraries: inside an installed package, or in a checkout."""
    package = FilePath(__file__).resolve().parent
    inside = package / "data" / kind
    return inside if inside.is_dir() else package.parent / kind


@cache
def shipped_names(kind: Kind) -> tuple[str, ...]:
    """List the names of the shipped files, sorted; one in a subfolder is called `folder/name`.

    The published numbers that a scenario is held against stand in folders called `targets`, and are no scenarios.

    Examples
    --------
    >>> "baseline" in shipped_names("scenarios")
    True
    """
    folder = shipped_folder(kind)
    return tuple(
        sorted(
            file.relative_to(folder).with_suffix("").as_posix()
            for file in folder.rglob(f"*{_ENDINGS[kind]}")
            if "targets" not in file.relative_to(folder).parts
        )
    )


def shipped_file(kind: Kind, name: str) -> FilePath:
    """Find a shipped file by its name without the ending.

    Raises
    ------
    InputError
        There is none of that name.
    """
    known = shipped_names(kind)
    if name not in known:
        hint = near_name(name, known) or f"There are: {', '.join(known)}."
        what = {"scenarios": "scenario", "priors": "prior library", "history": "table of history"}[kind]
        raise InputError(f"{name}: no such file, and no {what} is shipped under that name. {hint}")
    return shipped_folder(kind) / f"{name}{_ENDINGS[kind]}"
