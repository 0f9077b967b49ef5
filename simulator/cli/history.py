"""The `simulate history` commands."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Literal

import typer

from simulator.cli.options import OutputOption, file_option, warn
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
    from simulator.history.loading import is_hardware, load_accelerators, load_history
    from simulator.history.tables import accelerator_rows, report_lines, run_rows

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
    from simulator.history.columns import last_day
    from simulator.history.frontier import frontier_lines, published_until, without
    from simulator.history.loading import SNAPSHOT, load_history, shipped_runs

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


def fragility(
    runs: Annotated[
        FilePath | None, typer.Option(help="An export of training runs; the shipped table without it.")
    ] = None,
    snapshot: Annotated[str, typer.Option(help="The date of the estimates in it, e.g. 2026-05.")] = "2026-05",
    until: Annotated[str, typer.Option(help="The last day of what was known; whole years count.")] = "2025",
    without_domain: Annotated[
        list[str] | None, typer.Option(help="Leave a domain out of the frontier, e.g. Games; may be repeated.")
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="One more group to try the rate without, e.g. 'AlphaGo*,AlphaZero'."),
    ] = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit again without the group that moves the rate most.")
    ] = False,
    sampler: Annotated[Literal["pymc", "nutpie"], typer.Option(help="What samples the posterior.")] = "pymc",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the chains.")] = 0,
    output: OutputOption = FilePath("outputs"),
    trust: Annotated[bool, typer.Option("--trust", help="Exit with 0 also where chains did not agree.")] = False,
) -> None:
    """Say what conflicts with the priors, which runs carry the rate, and what the posterior is sensitive to.

    A fit that was made before is read from <output>/fits.
    """
    import datetime as dt
    from dataclasses import asdict

    from simulator.files import make_folder, short_hash, write_table, write_text
    from simulator.history.columns import last_day
    from simulator.history.fit import SamplerSettings
    from simulator.history.fragility import examine_history, fragility_lines, fragility_page
    from simulator.history.frontier import without
    from simulator.history.loading import SHIPPED_TOP, load_history, shipped_accelerators, shipped_runs

    history = shipped_runs(snapshot) if runs is None else load_history(runs, snapshot=snapshot)
    if without_domain:
        history = without(history, domains=without_domain)
    last = last_day(until, entry="--until")
    # A fit stands at the end of a year: what came in a year that had not ended does not count.
    end = last if (last.month, last.day) == (12, 31) else dt.date(last.year - 1, 12, 31)
    found = examine_history(
        history,
        shipped_accelerators(),
        until=end,
        top=SHIPPED_TOP if runs is None else 10,
        named=leave_out or (),
        refit=refit,
        settings=SamplerSettings(sampler=sampler, seed=seed),
        cache=output / "fits",
    )
    for line in fragility_lines(found):
        typer.echo(line)
    warn(found.warnings)
    asked = [f"--snapshot {snapshot}", f"--until {until}", f"--sampler {sampler}", f"--seed {seed}"]
    asked += [f"--runs {runs}"] if runs is not None else []
    asked += [f"--without-domain '{domain}'" for domain in without_domain or ()]
    asked += [f"--leave-out '{names}'" for names in leave_out or ()]
    asked += ["--refit"] if refit else []
    folder = output / f"fragility-{snapshot}-{found.origin}-{short_hash(*asked)}"
    make_folder(folder)
    for name in ("shifts", "rates", "sensitivities", "refits"):
        rows = [asdict(row) for row in getattr(found, name)]
        if rows:
            write_table(folder / f"{name}.csv", rows)
    write_text(
        folder / "fragility.txt", fragility_page(found, command=" ".join(["simulate history fragility", *asked]))
    )
    typer.echo(f"  {folder}")
    if not trust and any(fit.faults for fit in found.diagnostics):
        raise typer.Exit(1)
