"""`simulate report`: a run as one HTML page."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated

import typer

from simulator.cli_options import RunArgument, folder_beside


def report(
    path: RunArgument,
    output: Annotated[
        FilePath | None,
        typer.Option(metavar="FILE.html", help="The file to write; without it, report.html beside the run file."),
    ] = None,
) -> None:
    """Write a run as one HTML page: forecast, charts, every assumption with its source.

    The page needs nothing from outside, so that it can be mailed and printed.
    """
    from simulator.outputs import open_run
    from simulator.report import check_report_path, write_report
    from simulator.writable import check_file

    target = output or folder_beside(path) / "report.html"
    check_report_path(target)
    check_file(target)
    with open_run(path) as run:
        write_report(run, target)
    typer.echo(str(target))
