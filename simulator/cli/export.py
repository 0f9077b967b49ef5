"""`simulate export`: a run in the formats of other programs."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated

import typer

import simulator
from simulator.addresses import as_path
from simulator.cli import options, terminal
from simulator.cli.terminal import echo
from simulator.export.formats import export_file, format_help, read_options, takers

_SCALED = takers("scale")
"""The formats that take the scale of a question."""


def export(
    path: options.RunArgument,
    format_: Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help=format_help())],
    group: Annotated[
        str,
        typer.Option(
            help=f"{takers('group')}: parameters, trajectories, crossings or summary; without it, all of them."
        ),
    ] = "",
    variable: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this variable; may be given several times.")
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this threshold; may be given several times.",
            autocompletion=terminal.threshold_names,
        ),
    ] = None,
    year: Annotated[
        str | None, typer.Option(metavar="DATE", help=f"{takers('year')}: the date at which --variable is asked for.")
    ] = None,
    range_: Annotated[
        tuple[str, str] | None,
        typer.Option("--range", metavar="LOW HIGH", help=f"{_SCALED}: the question's bounds, numbers or dates."),
    ] = None,
    open_lower: Annotated[bool, typer.Option("--open-lower", help=f"{_SCALED}: the lower bound is open.")] = False,
    open_upper: Annotated[bool, typer.Option("--open-upper", help=f"{_SCALED}: the upper bound is open.")] = False,
    log: Annotated[
        bool, typer.Option("--log", help=f"{_SCALED}: the scale is even in the logarithm (zero point 0).")
    ] = False,
    zero_point: Annotated[
        float | None, typer.Option(help=f"{_SCALED}: the zero point of a logarithmic scale, where it is not 0.")
    ] = None,
    date: Annotated[
        str,
        typer.Option(
            metavar="DATE", help=f"{takers('origin')}: the date from which horizons count; else the run's first."
        ),
    ] = "",
    output: Annotated[
        FilePath | None,
        typer.Option(
            metavar="<path>",
            parser=as_path,
            help="The file to write, or for all tables the folder. Without it, text is printed and tables go to "
            "the folder 'export' beside the run file.",
        ),
    ] = None,
) -> None:
    """Write a run in the formats of other programs.

    They are CSV, Parquet, JSON, hub quantiles, a Metaculus CDF and BibTeX.

    Example: simulate export latest --format hub
    """
    asked = read_options(
        group=group, variables=variable or (), thresholds=threshold or (), year=year, bounds=range_, date=date,
        open_lower=open_lower, open_upper=open_upper, log=log, zero_point=zero_point,
    )  # fmt: skip
    done = export_file(path, format_, asked, output)
    echo(done.said, end="")
    if done.note:
        options.say(done.note)


def report(
    path: options.RunArgument,
    output: Annotated[
        FilePath | None,
        typer.Option(
            metavar="FILE.html", parser=as_path, help="The file to write; without it, report.html beside the run file."
        ),
    ] = None,
) -> None:
    """Write a run as one HTML page, with every assumption.

    It holds the forecast, charts, every assumption with its source, and how to reproduce it. The page needs nothing
    from outside, so that it can be mailed and printed.

    Example: simulate report latest
    """
    from simulator.files import check_file
    from simulator.report.report import check_report_path
    from simulator.runs.kinds import run_path

    target = output or run_path(path).parent / "report.html"
    check_report_path(target)
    check_file(target)
    with simulator.open_run(path) as run:
        simulator.write_report(run, target)
    echo(str(target))
