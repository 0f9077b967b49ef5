"""The command that makes forecasts from past years and scores them."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from simulator.cli.options import OutputOption, file_option, finish, need, warn
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.runs.result import Result


def hindcast(
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="[SCENARIO]", help="A scenario to forecast by as well.", show_default=False),
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option(metavar="SCENARIO", help="A further scenario; may be repeated.")
    ] = None,
    allow_hindsight: Annotated[
        bool, typer.Option("--allow-hindsight", help="Admit priors that knew what came; every table says so.")
    ] = False,
    origins: Annotated[str, typer.Option(help="Years at whose ends forecasts are made.")] = "2018,2020,2022",
    runs: Annotated[
        FilePath | None, typer.Option(help="An export of training runs; the shipped table without it.")
    ] = None,
    accelerators: Annotated[
        FilePath | None, typer.Option(help="A table of accelerators with prices; the shipped one without it.")
    ] = None,
    snapshot: Annotated[str, typer.Option(help="The date of the estimates in it, e.g. 2026-05.")] = "2026-05",
    until: Annotated[str, typer.Option(help="The last day whose record is forecast.")] = "2025",
    without_domain: Annotated[
        list[str] | None, typer.Option(help="Leave a domain out of the frontier, e.g. Games; may be repeated.")
    ] = None,
    sampler: Annotated[Literal["pymc", "nutpie"], typer.Option(help="What samples the posterior.")] = "pymc",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the chains and forecasts.")] = 0,
    output: OutputOption = FilePath("outputs"),
    document: Annotated[
        FilePath | None, typer.Option(help="Write the tables as a page, e.g. docs/hindcast.md.", callback=file_option)
    ] = None,
    no_charts: Annotated[bool, typer.Option("--no-charts", help="Write tables and draw nothing.")] = False,
    trust: Annotated[bool, typer.Option("--trust", help="Exit with 0 also where chains did not agree.")] = False,
) -> None:
    """Forecast the record of training compute from past years, and score model and baselines against what came.

    With a scenario, it is run as it stands from the record of each of those years, and so are the priors that were
    published by then. A prior of the scenario that knew what came is refused (its as_of). Where the scenario learns
    from history, the model has its table of runs and its priors on past growth.
    A fit that was made before is read from <output>/fits. Needs scoringrules: pip install
    'effective-compute-simulator[hindcast]'.
    """
    need("scoringrules", extra="hindcast")
    years = _years(origins)

    from simulator.hindcast.hindcast import make_hindcast, write_hindcast_page

    made = [
        make_hindcast(
            scenario, against=against or (), allow_hindsight=allow_hindsight, origins=years, runs=runs,
            accelerators=accelerators, snapshot=snapshot, until=until, without_domain=without_domain or (),
            sampler=sampler, seed=seed, cache=output / "fits",
        )
    ]  # fmt: skip
    finish(made[0], output, formats=() if no_charts else ("png", "svg"))
    if document is not None:
        pictures = []
        if not no_charts:
            from simulator.charts.kinds.hindcast import write_pictures

            pictures = write_pictures(made[0], document.parent)

        def say(result: Result) -> None:
            for line in result.lines():
                typer.echo(line)
            warn(result.warnings)

        made += write_hindcast_page(document, made[0], pictures=pictures, say=say)
        typer.echo(f"  {document}")
    if not trust and any(fit.faults for result in made for fit in result.diagnostics):
        raise typer.Exit(1)


def _years(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--origins: must be years such as 2018,2020,2022; got '{text}'.") from None
