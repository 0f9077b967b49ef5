"""`simulate score`: a run against what came after it."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated

import typer

import simulator
from simulator.cli import options
from simulator.errors import InputError

LEDGER = FilePath("outputs/ledger.csv")


def score(
    path: Annotated[
        FilePath | None, typer.Argument(metavar="[RUN]", help="A run file (run.nc) or its folder.", show_default=False)
    ] = None,
    observed: Annotated[
        FilePath | None,
        typer.Option(metavar="FILE", help="A table of training runs, as 'simulate history load' reads them."),
    ] = None,
    snapshot: Annotated[
        str | None, typer.Option(metavar="DATE", help="The date of the estimates in it; 2026-05 of the shipped table.")
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Count only what came after it; the run's first year without it."),
    ] = None,
    output: Annotated[
        FilePath | None,
        typer.Option(
            metavar="FOLDER",
            help="Where scores.csv is written; the run folder without it.",
            callback=options.folder_option,
        ),
    ] = None,
    ledger: Annotated[
        FilePath | None,
        typer.Option(metavar="FILE", help=f"The CSV file to which scores are added.  [default: {LEDGER}]"),
    ] = None,
) -> None:
    """Score a run against training runs that came after it, and add the scores to a ledger.

    Without a run, print the mean scores of the ledger by scenario. Without --observed, the shipped table counts.
    Needs scoringrules: pip install 'effective-compute-simulator[hindcast]'.
    """
    from simulator.hindcast.ledger import added_line, check_ledger, ledger_lines

    if path is None:
        _refuse_without_run(observed, snapshot, after, output)
        options.tell(ledger_lines(ledger or LEDGER))
        return
    options.need("scoringrules", extra="hindcast")
    folder = options.folder_for(path, output)
    check_ledger(ledger or LEDGER)
    found = simulator.score_run(path, observed, snapshot=snapshot, after=after)
    options.finish(found, folder, file="scores.csv")
    options.tell([added_line(ledger or LEDGER, found.tables()["scores"])])


def _refuse_without_run(*given: object) -> None:
    if any(given):
        raise InputError("simulate score: names no run to score. Write: simulate score RUN --observed FILE.")


def published(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Shipped scenarios with published numbers, e.g. cotra-2020; all of them without a name.",
            show_default=False,
        ),
    ] = None,
    document: Annotated[
        FilePath | None,
        typer.Option(
            metavar="FILE", help="Write the tables as a page, e.g. docs/published.md.", callback=options.file_option
        ),
    ] = None,
    output: Annotated[
        FilePath | None,
        typer.Option(
            metavar="FOLDER", help="Write every number to published.csv in this folder.", callback=options.folder_option
        ),
    ] = None,
) -> None:
    """Run published forecasts from what their authors assumed, and compare with what they published.

    The exit code is 1 where a number is out of its tolerance. A scenario file of your own may have published numbers
    beside it, in targets/<its name>; name the file.
    """
    from simulator.hindcast.published_text import write_published_page

    found = simulator.reproduce_published(names or (), say=options.tell)
    if output is not None:
        found.write_into(output)
        typer.echo(f"  {output / 'published.csv'}")
    if document is not None:
        write_published_page(document, found, names or ())
        typer.echo(f"  {document}")
    options.fail_unless(found.holds)
