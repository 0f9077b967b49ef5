"""The command that prints again what a folder holds."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, cast

import typer

import simulator
from simulator.cli import options
from simulator.errors import InputError

if TYPE_CHECKING:
    from xarray import DataTree


def show(
    path: Annotated[FilePath, typer.Argument(metavar="FOLDER", help="A folder that a command wrote, or its file.")],
    variables: Annotated[
        bool, typer.Option("--variables", help="Of a run or a sweep: list every variable with its unit.")
    ] = False,
) -> None:
    """Print again what a command printed: of a run, sweep, shares, swings, audit, comparison, hindcast, ..."""
    from simulator.runs.format import explain_lines
    from simulator.runs.kinds import kind_of

    kind = kind_of(path)
    if variables and kind.name not in ("run", "sweep"):
        raise InputError(f"--variables: {path} {kind.is_one}, and --variables is about runs and sweeps. Leave it out.")
    with simulator.open_result(path) as result:
        if variables:
            options.tell(explain_lines(cast("DataTree", result.stored)))
        else:
            options.show(result)
