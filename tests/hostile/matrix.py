"""Every command on every shipped scenario and on every kind of folder, whether it takes such a one or refuses it."""

from __future__ import annotations

import inspect
import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path as FilePath

from tests.hostile.attacks import stored_folders
from tests.hostile.children import Case, command

NEEDED: Mapping[str, tuple[str, ...]] = {
    "sweep": ("--over", "samples=64,128"),
    "extend": ("--samples", "1000"),
    "swings": ("--samples", "16"),
    "reweight": ("--set", "seed=8"),
    "condition": ("--given", "effective_compute@2026 >= 1e20"),
    "signposts": ("--outcome", "crossing:late"),
    "export": ("--format", "csv"),
    "chart": ("--format", "vega"),
    "load": ("--snapshot", "2026-05"),
    "frontier": ("--snapshot", "2026-05"),
    "freeze": ("--dated", "2026-11", "--series", "series"),
    "score": ("--ledger", "book.csv"),
}
"""What a command is asked beside what it is asked of."""
LONG = ("hindcast", "nowcast", "fragility", "explore")
"""Commands that fit history whatever they are asked, minutes each; and one that goes on until it is ended."""


def commands() -> dict[tuple[str, ...], Callable[..., None]]:
    """Give all commands by their words, those of groups below them."""
    from simulator.cli.main import COMMANDS, GROUPS

    found: dict[tuple[str, ...], Callable[..., None]] = {(name,): made for name, made in COMMANDS.items()}
    for group, app in GROUPS.items():
        found |= {(group, each.callback.__name__): each.callback for each in app.registered_commands}
    return found


def _words(name: tuple[str, ...], made: Callable[..., None], subject: str) -> tuple[str, ...]:
    """Ask a command of a subject, for as few samples as it can be asked, and without pictures."""
    options = inspect.signature(made).parameters
    words = (*name, subject, *NEEDED.get(name[-1], ()))
    if "samples" in options and "--samples" not in words:
        words = (*words, "--samples", "64")
    if "charts" in options:
        words = (*words, "--no-charts") if isinstance(options["charts"].default, bool) else (*words, "--charts", "none")
    return words


def matrix_cases(stored: FilePath, *, most: int) -> list[Case]:
    """Give the cases of the matrix, or as many of them as are asked for, by chance."""
    from simulator.runs.kinds import KINDS
    from simulator.scenario.library import shipped_names
    from simulator.scenario.load import load_scenario

    subjects = [name for name in shipped_names("scenarios") if not load_scenario(name).must_learn]
    subjects += ["outputs/latest", *(f"outputs/{each.name}" for each in stored_folders(stored))]
    subjects += [f"bare/{kind.name}" for kind in KINDS]
    asked = [
        words
        for name, made in commands().items()
        if name[-1] not in LONG
        for subject in subjects
        for words in ((*_words(name, made, subject), *more) for more in _ways(name, subject))
    ]
    some = asked if len(asked) <= most else random.Random("matrix").sample(asked, most)
    return [(f"matrix: {' '.join(words)}", partial(_asked, words=words, stored=stored)) for words in some]


def _ways(name: tuple[str, ...], subject: str) -> tuple[tuple[str, ...], ...]:
    return ((), ("--store", "zarr"), ("--keep", "summary")) if name == ("run",) and "bare" not in subject else ((),)


def _asked(folder: FilePath, *, words: Sequence[str], stored: FilePath) -> Iterator[tuple[str, str]]:
    from simulator.runs.kinds import KINDS

    shutil.copytree(stored, folder, dirs_exist_ok=True, symlinks=True)
    for kind in KINDS:
        (folder / "bare" / kind.name).mkdir(parents=True)
        (folder / "bare" / kind.name / kind.file).write_bytes(b"")
    os.environ["COLUMNS"] = "120"
    yield from ((cause, f"{where} [{words[0]}]") for cause, where in command(*words).trouble)
