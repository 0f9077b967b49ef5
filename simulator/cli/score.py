"""`simulate score`: a run against what came after it."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated

import typer

from simulator.cli.options import file_option, folder_for, folder_option, need
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
            metavar="FOLDER", help="Where scores.csv is written; the run folder without it.", callback=folder_option
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
    from simulator.hindcast.ledger import append_ledger, check_ledger, ledger_lines

    kept = ledger or LEDGER
    if path is None:
        if observed or snapshot or after or output:
            raise InputError("simulate score: names no run to score. Write: simulate score RUN --observed FILE.")
        for line in ledger_lines(kept):
            typer.echo(line)
        return
    need("scoringrules", extra="hindcast")

    from simulator.hindcast.run_scores import score_run
    from simulator.runs.folder import open_run

    folder = folder_for(path, output)
    check_ledger(kept)
    with open_run(path) as run:
        result = score_run(run, observed, snapshot=snapshot, after=after)
    for line in result.lines():
        typer.echo(line)
    result.write_into(folder)
    typer.echo(f"  {folder / 'scores.csv'}")
    scores = result.tables()["scores"]
    added = append_ledger(kept, scores)
    held = f"; {len(scores) - added} were there already" if len(scores) > added else ""
    typer.echo(f"  {kept}: {added} rows added{held}")


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
        typer.Option(metavar="FILE", help="Write the tables as a page, e.g. docs/published.md.", callback=file_option),
    ] = None,
    output: Annotated[
        FilePath | None,
        typer.Option(
            metavar="FOLDER", help="Write every number to published.csv in this folder.", callback=folder_option
        ),
    ] = None,
) -> None:
    """Run published forecasts from what their authors assumed, and compare with what they published.

    The exit code is 1 where a number is out of its tolerance. A scenario file of your own may have published numbers
    beside it, in targets/<its name>; name the file.
    """
    from simulator.hindcast.published_text import published_page, reproduce_published

    found = reproduce_published(names or (), say=lambda lines: typer.echo("\n".join(lines)))
    if output is not None:
        found.write_into(output)
        typer.echo(f"  {output / 'published.csv'}")
    if document is not None:
        from simulator.files import make_folder, write_text

        command = " ".join(["simulate published", *(names or []), f"--document {document}"])
        make_folder(document.parent)
        write_text(document, published_page(found.found, command=command))
        typer.echo(f"  {document}")
    if not found.holds:
        raise typer.Exit(1)
