"""The command that prints again what a folder holds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import Annotated

import typer

from simulator.cli import options
from simulator.errors import InputError


def show(
    path: Annotated[FilePath, typer.Argument(metavar="FOLDER", help="A folder that a command wrote, or its file.")],
    variables: Annotated[
        bool, typer.Option("--variables", help="Of a run or a sweep: list every variable with its unit.")
    ] = False,
) -> None:
    """Print again what a command printed: of a run, sweep, shares, swings, audit, comparison, hindcast, ..."""
    from simulator.runs.kinds import kind_of
    from simulator.runs.result import open_result

    kind = kind_of(path)
    if variables and kind.name not in ("run", "sweep"):
        raise InputError(f"--variables: {path} {kind.is_one}, and --variables is about runs and sweeps. Leave it out.")
    if variables:
        lines: Iterable[str] = _variables(path, kind.name)
    else:
        with open_result(path) as result:
            options.warn(result.warnings)
            lines = result.lines()
    options.tell(lines)


def _variables(path: FilePath, kind: str) -> list[str]:
    from simulator.analysis.sweep_files import open_sweep
    from simulator.runs.folder import open_run
    from simulator.runs.format import explain_lines

    with open_sweep(path) if kind == "sweep" else open_run(path) as opened:
        return explain_lines(opened)
