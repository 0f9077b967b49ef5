"""`simulate export`: a run in the formats of other programs."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.options import RunArgument, folder_beside
from simulator.errors import InputError

if TYPE_CHECKING:
    import datetime as dt

    from simulator.export.metaculus import Scale


def export(
    path: RunArgument,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="csv, parquet: tables. json: the summary. hub: quantiles for forecast hubs. "
            "metaculus: the CDF of a question. bibtex: the sources.",
        ),
    ],
    group: Annotated[
        str,
        typer.Option(help="csv, parquet: parameters, trajectories, crossings or summary; without it, all of them."),
    ] = "",
    variable: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this variable; may be given several times.")
    ] = None,
    threshold: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this threshold; may be given several times.")
    ] = None,
    year: Annotated[float | None, typer.Option(help="metaculus: the year in which --variable is asked for.")] = None,
    range_: Annotated[
        tuple[str, str] | None,
        typer.Option("--range", metavar="LOW HIGH", help="metaculus: the question's bounds, numbers or dates."),
    ] = None,
    open_lower: Annotated[bool, typer.Option("--open-lower", help="metaculus: the lower bound is open.")] = False,
    open_upper: Annotated[bool, typer.Option("--open-upper", help="metaculus: the upper bound is open.")] = False,
    log: Annotated[
        bool, typer.Option("--log", help="metaculus: the scale is even in the logarithm (zero point 0).")
    ] = False,
    zero_point: Annotated[
        float | None, typer.Option(help="metaculus: the zero point of a logarithmic scale, where it is not 0.")
    ] = None,
    date: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="hub: the date from which horizons count; else the run's first.")
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
    from simulator.export.formats import (
        TABLES,
        ExportOptions,
        check_export,
        check_target,
        export_tables,
        export_text,
        write_export,
    )
    from simulator.runs.folder import open_run

    scale = _scale(range_, open_lower=open_lower, open_upper=open_upper, log=log, zero_point=zero_point)
    options = ExportOptions(
        group=group, variables=tuple(variable or ()), thresholds=tuple(threshold or ()), year=year, scale=scale,
        origin=_date(date) if date else None,
    )  # fmt: skip
    check_export(format_, options)
    target = output
    if output is None and format_ in TABLES:
        beside = folder_beside(path) / "export"
        target = beside / f"{group}.{format_}" if group else beside
    if target is not None:
        check_target(format_, options, target)
    with open_run(path) as run:
        if format_ in TABLES and target is not None:
            for written in export_tables(run, format_, target, options):
                typer.echo(str(written))
            return
        text, note = export_text(run, format_, options)
    if target is None:
        typer.echo(text, nl=False)
    else:
        write_export(text, target)
        typer.echo(f"{target}: written.")
    if note:
        typer.echo(note, err=True)


def _scale(
    bounds: tuple[str, str] | None, *, open_lower: bool, open_upper: bool, log: bool, zero_point: float | None
) -> Scale | None:
    from simulator.export.metaculus import Scale, bound_of

    if bounds is None:
        if open_lower or open_upper or log or zero_point is not None:
            raise InputError(
                "--open-lower, --open-upper, --log, --zero-point: say of which bounds, with --range LOW HIGH."
            )
        return None
    if log and zero_point is not None:
        raise InputError("--log, --zero-point: give one of them; --log is --zero-point 0.")
    low, high = (bound_of(text) for text in bounds)
    return Scale(low, high, open_lower, open_upper, 0.0 if log else zero_point)


def _date(text: str) -> dt.date:
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--date: is a day as 2026-11-01; got '{text}'.") from None


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
    from simulator.files import check_file
    from simulator.report.report import check_report_path, write_report
    from simulator.runs.folder import open_run

    target = output or folder_beside(path) / "report.html"
    check_report_path(target)
    check_file(target)
    with open_run(path) as run:
        write_report(run, target)
    typer.echo(str(target))
