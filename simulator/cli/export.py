"""`simulate export`: a run in the formats of other programs."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import options
from simulator.errors import InputError
from simulator.export.formats import ExportOptions, check_export, export_as, format_help, takers

if TYPE_CHECKING:
    import datetime as dt


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
        list[str] | None, typer.Option(metavar="NAME", help="Only this threshold; may be given several times.")
    ] = None,
    year: Annotated[
        float | None, typer.Option(help=f"{takers('year')}: the year in which --variable is asked for.")
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
            metavar="YYYY-MM-DD", help=f"{takers('origin')}: the date from which horizons count; else the run's first."
        ),
    ] = "",
    output: Annotated[
        FilePath | None,
        typer.Option(
            help="The file to write, or for all tables the folder. Without it, text is printed and tables go to "
            "the folder 'export' beside the run file."
        ),
    ] = None,
) -> None:
    """Write a run as CSV, Parquet, JSON, hub quantiles, a Metaculus CDF or BibTeX."""
    from simulator.export.metaculus import read_scale
    from simulator.runs.folder import open_run

    asked = ExportOptions(
        group, tuple(variable or ()), tuple(threshold or ()), year,
        read_scale(range_, open_lower=open_lower, open_upper=open_upper, log=log, zero_point=zero_point),
        _date(date) if date else None,
    )  # fmt: skip
    exporter = check_export(format_, asked, output)
    if output is None and exporter.table:
        output = options.folder_beside(path) / "export" / (f"{group}{exporter.suffix}" if group else "")
        check_export(format_, asked, output)
    with open_run(path) as run:
        done = export_as(run, format_, asked, output)
    if exporter.table:
        options.tell(map(str, done.files))
    elif output is None:
        typer.echo(done.text, nl=False)
    else:
        typer.echo(f"{output}: written.")
    if done.note:
        typer.echo(done.note, err=True)


def _date(text: str) -> dt.date:
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--date: is a day as 2026-11-01; got '{text}'.") from None


def report(
    path: options.RunArgument,
    output: Annotated[
        FilePath | None,
        typer.Option(metavar="FILE.html", help="The file to write; without it, report.html beside the run file."),
    ] = None,
) -> None:
    """Write a run as one HTML page: forecast, charts, every assumption with its source.

    The page needs nothing from outside, so that it can be mailed and printed.
    """
    from simulator.files import check_file
    from simulator.report.report import check_report_path, write_report
    from simulator.runs.folder import open_run

    target = output or options.folder_beside(path) / "report.html"
    check_report_path(target)
    check_file(target)
    with open_run(path) as run:
        write_report(run, target)
    typer.echo(str(target))
