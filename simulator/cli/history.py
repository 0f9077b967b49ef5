"""The `simulate history` commands."""

from __future__ import annotations

from functools import partial
from pathlib import Path as FilePath
from typing import Annotated

import typer

import simulator
from simulator.cli.options import (
    LOOK,
    ChartsOption,
    DomainOption,
    EstimatesOption,
    FormatOption,
    JsonOption,
    OutputOption,
    RunArgument,
    RunsOption,
    SamplerOption,
    ScenarioArgument,
    SetOption,
    ThemeOption,
    TrustOption,
    answer,
    chart_formats,
    fail_unless,
    file_option,
    finish,
    folder_option,
    note,
    tell,
)
from simulator.errors import InputError

app = typer.Typer(
    **LOOK,
    help="Read observed training runs, accelerators and supply. Public tables: https://epoch.ai/data (download them "
    "yourself; nothing is fetched).",
)

FileArgument = Annotated[
    FilePath, typer.Argument(metavar="FILE", help="A CSV export of Epoch AI, or the tidy form of one.")
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
    json: JsonOption = False,
) -> None:
    """Say what a table of runs, accelerators or supply holds.

    Supply is chip sales and owners, GPU clusters, data centres, prices of hardware and companies. It says too what was
    left out and why. Exports are at https://epoch.ai/data: download one yourself, nothing is fetched.

    Example: simulate history load history/training-runs.csv --snapshot 2026-05
    """
    from simulator.files import make_folder
    from simulator.history.exports import load_table
    from simulator.history.tables import report_lines

    found = load_table(file, snapshot=snapshot, prices=prices)
    answer(json, "history", str(file), lambda: {"runs": found.table}, lambda: report_lines(found))
    if output is not None:
        make_folder(output.parent)
        found.table.save_csv(output)
        note(f"  {output}", json=json)


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
    json: JsonOption = False,
) -> None:
    """List the runs that were among the largest at their release.

    The records are marked, and their growth is told.

    Example: simulate history frontier --top 3
    """
    from simulator.history.columns import last_day
    from simulator.history.frontier import chosen_runs, frontier_lines, frontier_table

    reasons = dict(map(_reason, without_run or []))
    history = chosen_runs(
        file, snapshot=snapshot, until=until, without_domain=without_domain or (), without_run=reasons
    )
    first = last_day(since, entry="--since").year
    rows = partial(frontier_table, history, top, since=first)
    answer(json, "frontier", history.file, lambda: {"runs": rows()}, lambda: frontier_lines(history, top, since=first))


def _reason(word: str) -> tuple[str, str]:
    name, equals, reason = word.partition("=")
    if not equals or not reason.strip():
        raise InputError(f"--without-run: must be NAME=REASON; got '{word}'. Say why the run does not count.")
    return name.strip(), reason.strip()


def nowcast(
    scenario: ScenarioArgument = "learned",
    date: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="The day at whose end it is told, e.g. 2026-11-30; today without it."),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT",
            help="What is known from elsewhere, as simulate condition takes it: "
            "'physical_compute@2026-06-02 = 6.1e27 +- 0.3 OOM'; may be given several times.",
        ),
    ] = None,
    set_: SetOption = None,
    output: OutputOption = FilePath("outputs"),
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Tell the largest training run today, and why.

    The trends that a scenario learns from history go on to the day: the largest run, its spending and FLOP per USD,
    before and given evidence that the tables have not. A fit that was made before is read from <output>/fits.

    Example: simulate history nowcast --date 2026-11-30
    """
    asked = simulator.load_scenario(scenario, overrides=set_ or ())
    found = simulator.nowcast(asked, date=date, given=given or (), cache=output / "fits")
    finish(found, output, json=json)
    fail_unless(trust or found.holds)


def fragility(
    runs: RunsOption = None,
    snapshot: EstimatesOption = "2026-05",
    until: Annotated[str, typer.Option(help="The last day of what was known.")] = "2025",
    without_domain: DomainOption = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="One more group to try the rate without, e.g. 'AlphaGo*,AlphaZero'."),
    ] = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit again without the group that moves the rate most.")
    ] = False,
    sampler: SamplerOption = "pymc",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the chains.")] = 0,
    output: OutputOption = FilePath("outputs"),
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Say which runs carry the rate, and what conflicts.

    It says where data and priors are in conflict, and what the posterior is sensitive to. A fit that was made before is
    read from <output>/fits.

    Example: simulate history fragility --until 2024
    """
    found = simulator.history_fragility(
        runs, snapshot=snapshot, until=until, without_domain=without_domain or (), leave_out=leave_out or (),
        refit=refit, sampler=sampler, seed=seed, cache=output / "fits",
    )  # fmt: skip
    finish(found, output, json=json)
    fail_unless(trust or found.holds)


SeriesOption = Annotated[FilePath, typer.Option(help="The folder of frozen forecasts.", callback=folder_option)]


def freeze(
    run: RunArgument,
    dated: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="The date of the forecast, e.g. 2026-11; this month without it."),
    ] = None,
    series: SeriesOption = FilePath("forecasts"),
) -> None:
    """Freeze the headlines of a run as a dated forecast.

    They are written once, into a small text file that people can read, with the scenario beside it; what is there is
    never replaced. 'simulate score FILE' scores it as truth arrives, 'simulate history moved' holds it against others.

    Example: simulate history freeze latest
    """
    with simulator.open_run(run) as opened:
        tell([f"  {simulator.freeze_forecast(opened, series, dated=dated)}"])


def moved(
    scenario: Annotated[str, typer.Argument(metavar="[SCENARIO]", help="Whose frozen forecasts.")] = "baseline",
    series: SeriesOption = FilePath("forecasts"),
    since: Annotated[str, typer.Option(metavar="DATE", help="The first release that counts; all without it.")] = "",
    reasons: Annotated[
        bool, typer.Option("--reasons/--no-reasons", help="Tell what the moves are due to; the scenarios are run.")
    ] = True,
    output: OutputOption = FilePath("outputs"),
    charts: ChartsOption = True,
    format_: FormatOption = "png,svg",
    theme: ThemeOption = "light",
    json: JsonOption = False,
) -> None:
    """Draw how a frozen forecast moved between releases, and why.

    Each headline by release date, with its intervals; each move is shared out among the inputs that differ, as by
    'simulate compare --attribute'.

    Example: simulate history moved baseline
    """
    formats = chart_formats(format_, theme=theme, charts=charts)
    found = simulator.forecast_moves(series, scenario, since=since, reasons=reasons)
    finish(found, output, formats=formats, theme=theme, json=json)
