"""`simulate score`: a run against what came after it."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any

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
    from simulator.hindcast.ledger import ledger_lines

    if path is None:
        if observed or snapshot or after or output:
            raise InputError("simulate score: names no run to score. Write: simulate score RUN --observed FILE.")
        for line in ledger_lines(ledger or LEDGER):
            typer.echo(line)
        return
    need("scoringrules", extra="hindcast")
    _score(path, observed, snapshot, after, output, ledger or LEDGER)


def _score(
    path: FilePath,
    observed: FilePath | None,
    snapshot: str | None,
    after: str | None,
    output: FilePath | None,
    ledger: FilePath,
) -> None:
    import datetime as dt
    import hashlib

    from simulator.files import check_file, make_folder, write_table
    from simulator.hindcast.ledger import Scoring, append_ledger, ledger_rows, read_ledger
    from simulator.hindcast.run_scores import run_score_lines, score_run
    from simulator.history.columns import last_day
    from simulator.history.loading import history_file
    from simulator.runs.folder import open_run

    folder = folder_for(path, output)
    check_file(ledger, option="--ledger")
    history = _history(observed, snapshot)
    if ledger.exists():
        read_ledger(ledger)  # a file that is no ledger is refused before anything is written
    with open_run(path) as run:
        start = None if after is None else last_day(after, entry="--after")
        result = score_run(run, history, after=start)
        attributes = {key: str(run.attrs.get(key, "")) for key in ("run_id", "name", "scenario_hash")}
        version = str(run.attrs.get("simulator_version", ""))
    named = "shipped table" if observed is None else observed.name
    against = f"{named}, estimates of {history.snapshot}"
    for line in run_score_lines(result, name=f"{attributes['name']} (run {attributes['run_id']})", against=against):
        typer.echo(line)
    source = history_file("training-runs") if observed is None else observed
    scoring = Scoring(
        scored_on=dt.datetime.now(tz=dt.UTC).date().isoformat(),
        **attributes,
        simulator_version=version,
        observations=source.name,
        snapshot=history.snapshot,
        observations_sha256=hashlib.sha256(source.read_bytes()).hexdigest(),
    )
    rows = ledger_rows(scoring, result.rows)
    make_folder(folder)
    write_table(folder / "scores.csv", rows)
    typer.echo(f"  {folder / 'scores.csv'}")
    added = append_ledger(ledger, rows)
    held = len(rows) - added
    typer.echo(f"  {ledger}: {added} rows added{f'; {held} were there already' if held else ''}")


def _history(observed: FilePath | None, snapshot: str | None) -> Any:
    from simulator.history.columns import refusal
    from simulator.history.loading import SNAPSHOT, is_hardware, load_history, shipped_runs

    if observed is None:
        return shipped_runs(snapshot or SNAPSHOT)
    if snapshot is None:
        rule = "--observed needs --snapshot, the date of the table's estimates: they are revised later."
        raise InputError(f"{rule} Write for example --snapshot 2027-01.")
    if is_hardware(observed):
        raise refusal(observed, "is a table of accelerators.", "Name a table of training runs.")
    return load_history(observed, snapshot=snapshot)


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
    from simulator.files import make_folder, write_table, write_text
    from simulator.hindcast.published import load_published, published_names, published_results, result_table
    from simulator.hindcast.published_text import published_lines, published_page
    from simulator.runs.kinds import keep_lines

    sources = [load_published(name) for name in names or published_names()]
    found, said = [], list[str]()
    for source in sorted(sources, key=lambda each: (each.date, each.scenario)):
        results = published_results(source)
        found.append((source, results))
        lines = list(published_lines(source, results))
        said += lines
        for line in lines:
            typer.echo(line)
    if output is not None:
        make_folder(output)
        write_table(
            output / "published.csv", [row for source, results in found for row in result_table(source, results)]
        )
        keep_lines(output, "published", said)
        typer.echo(f"  {output / 'published.csv'}")
    if document is not None:
        command = " ".join(["simulate published", *(names or []), f"--document {document}"])
        make_folder(document.parent)
        write_text(document, published_page(found, command=command))
        typer.echo(f"  {document}")
    if any(result.within is False for _, results in found for result in results):
        raise typer.Exit(1)
