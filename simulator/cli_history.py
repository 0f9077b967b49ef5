"""The `simulate history` commands."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated

import typer

from simulator.cli_options import file_option
from simulator.errors import InputError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Read observed training runs and accelerators. Public tables: https://epoch.ai/data (download them yourself; "
    "nothing is fetched).",
)

FileArgument = Annotated[
    FilePath, typer.Argument(metavar="FILE", help="A CSV export of Epoch AI's models or hardware, or the tidy form.")
]
SnapshotOption = Annotated[
    str, typer.Option(metavar="DATE", help="When the table was exported, e.g. 2025-06: its values are revised later.")
]
TableOption = Annotated[
    FilePath | None,
    typer.Option("--output", metavar="FILE", help="Write the table as CSV in the tidy form.", callback=file_option),
]


@app.command()
def load(
    file: FileArgument,
    snapshot: SnapshotOption,
    output: TableOption = None,
    prices: Annotated[
        FilePath | None,
        typer.Option(metavar="FILE", help="An export of hardware prices, for accelerators without a release price."),
    ] = None,
) -> None:
    """Read a table of training runs or of accelerators: what it holds, and what was left out and why.

    Exports are at https://epoch.ai/data: download one yourself, nothing is fetched.
    """
    from simulator.files import make_folder, write_table
    from simulator.history import is_hardware, load_accelerators, load_history
    from simulator.history_tables import accelerator_rows, report_lines, run_rows

    if is_hardware(file):
        hardware = load_accelerators(file, snapshot=snapshot, prices=prices)
        lines, rows = report_lines(hardware), accelerator_rows(hardware)
    elif prices is not None:
        raise InputError(f"--prices: {file} is no table of accelerators. Leave --prices out.")
    else:
        runs = load_history(file, snapshot=snapshot)
        lines, rows = report_lines(runs), run_rows(runs)
    for line in lines:
        typer.echo(line)
    if output is not None:
        make_folder(output.parent)
        write_table(output, rows)
        typer.echo(f"  {output}")


@app.command()
def frontier(
    file: Annotated[
        FilePath | None,
        typer.Argument(metavar="[FILE]", help="A table of training runs; without one, the shipped landmarks."),
    ] = None,
    snapshot: Annotated[
        str | None, typer.Option(metavar="DATE", help="When the table was exported, e.g. 2025-06.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="Among so many largest at release.")] = 10,
    since: Annotated[str, typer.Option(metavar="YEAR", help="First year of the list and of the trend.")] = "2012",
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Use what was published by then, e.g. 2018 or 2018-06-30.")
    ] = None,
    without_domain: Annotated[
        list[str] | None, typer.Option(metavar="DOMAIN", help="Leave a domain out before ranking, e.g. Games.")
    ] = None,
    without_run: Annotated[
        list[str] | None, typer.Option(metavar="NAME=REASON", help="Leave a run out before ranking.")
    ] = None,
) -> None:
    """List the runs that were among the largest at their release, the records, and their growth."""
    from simulator.history import load_history
    from simulator.history_columns import last_day
    from simulator.history_frontier import frontier_lines, published_until, without
    from simulator.history_library import SNAPSHOT, shipped_runs

    if file is None:
        history = shipped_runs(snapshot or SNAPSHOT)
    elif snapshot is None:
        raise InputError(f"--snapshot: {file} needs the date of its export. Write for example --snapshot 2025-06.")
    else:
        history = load_history(file, snapshot=snapshot)
    reasons: dict[str, str] = {}
    for word in without_run or []:
        name, equals, reason = word.partition("=")
        if not equals or not reason.strip():
            raise InputError(f"--without-run: must be NAME=REASON; got '{word}'. Say why the run does not count.")
        reasons[name.strip()] = reason.strip()
    if without_domain or reasons:
        history = without(history, domains=without_domain or (), names=reasons)
    if until is not None:
        history = published_until(history, last_day(until, entry="--until"))
    for line in frontier_lines(history, top, since=last_day(since, entry="--since").year):
        typer.echo(line)
