"""What a page of the documentation shows by doing it: the files that it writes and the commands that it runs.

A block of a page is a file where the line above it ends in a name, such as `money.yaml`:. Every line of a block in sh
is a command. A test runs each page with few samples, and the site shows what the commands print and draw.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from simulator.cli.main import COMMANDS, GROUPS, main

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_DRAWING = ("chart", "compare", "condition", "signposts", "history")
"""Commands that draw each time they are asked to, in the theme that is asked for."""
_FILE = re.compile(r"`([\w./-]+\.\w+)`:\s*\Z")


@dataclass(frozen=True)
class Done:
    """One command, what it printed, and the pictures that it wrote."""

    command: str
    printed: str
    code: int
    pictures: tuple[Path, ...] = ()
    dark: tuple[Path, ...] = ()


def blocks(text: str) -> Iterator[tuple[re.Match[str], str, str]]:
    """List the blocks of a page: where each stands, the name of the file that it is (or nothing), its content."""
    for block in BLOCK.finditer(text):
        named = _FILE.search(text[: block.start()].rstrip() + "\n")
        yield block, named[1] if named else "", block[2]


def run_page(
    text: str, folder: Path, *, samples: int | None = None, runs: int | None = None, dark: bool = False
) -> list[list[Done]]:
    """Write the files of a page into a folder and run its commands there, block by block; draw charts dark too.

    `samples` are those of each command that takes a number of them, `runs` those of runs where they differ.
    """
    done = []
    with contextlib.chdir(folder):
        for block, name, content in blocks(text):
            if name:
                Path(name).write_text(content, encoding="utf-8")
            elif block[1] == "sh":
                lines = [line for line in content.splitlines() if line.strip()]
                done.append([_in_both(run_command(line, samples=samples, runs=runs), dark=dark) for line in lines])
    return done


def _in_both(done: Done, *, dark: bool) -> Done:
    """Draw a chart for dark pages too."""
    if not dark or not done.pictures or done.command.split()[1] not in _DRAWING:
        return done
    return replace(done, dark=run_command(f"{done.command} --theme dark --format svg --output dark").pictures)


def run_command(line: str, *, samples: int | None = None, runs: int | None = None) -> Done:
    """Run one command line, as a shell would in the folder that is the current one."""
    words = [found for word in shlex.split(line) for found in _expanded(word)]
    if words[0] != "simulate":
        raise ValueError(f"a page runs nothing but simulate; got {line}")
    before = _pictures()
    stream, code = io.StringIO(), 0
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        try:
            main([*words[1:], *_fewer(words[1:], samples, runs)])
        except SystemExit as ending:
            code = int(ending.code or 0)
    after = _pictures()
    return Done(line, stream.getvalue(), code, tuple(path for path in after if after[path] != before.get(path)))


def _expanded(word: str) -> list[str]:
    """Expand a pattern as a shell does."""
    return [str(path) for path in sorted(Path().glob(word))] or [word] if "*" in word and "/" in word else [word]


def _fewer(words: list[str], samples: int | None, runs: int | None) -> list[str]:
    command = COMMANDS.get(words[0], COMMANDS["run"])
    takes = words[0] not in GROUPS and "samples" in inspect.signature(command).parameters
    count = runs if runs is not None and command is COMMANDS["run"] else samples
    return ["--samples", str(count)] if count is not None and takes else []


def _pictures() -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in sorted(Path().rglob("*.svg"))}
