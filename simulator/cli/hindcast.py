"""The command that makes forecasts from past years and scores them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated

import typer

import simulator
from simulator.cli.options import (
    DomainOption,
    EstimatesOption,
    OutputOption,
    RunsOption,
    SamplerOption,
    TrustOption,
    fail_unless,
    file_option,
    finish,
    need,
    show,
)
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.hindcast.output import Hindcast


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
    runs: RunsOption = None,
    accelerators: Annotated[
        FilePath | None, typer.Option(help="A table of accelerators with prices; the shipped one without it.")
    ] = None,
    snapshot: EstimatesOption = "2026-05",
    until: Annotated[str, typer.Option(help="The last day whose record is forecast.")] = "2025",
    without_domain: DomainOption = None,
    sampler: SamplerOption = "pymc",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the chains and forecasts.")] = 0,
    output: OutputOption = FilePath("outputs"),
    document: Annotated[
        FilePath | None, typer.Option(help="Write the tables as a page, e.g. docs/hindcast.md.", callback=file_option)
    ] = None,
    no_charts: Annotated[bool, typer.Option("--no-charts", help="Write tables and draw nothing.")] = False,
    trust: TrustOption = False,
) -> None:
    """Forecast the record of training compute from past years, and score model and baselines against what came.

    With a scenario, it is run as it stands from the record of each of those years, and so are the priors that were
    published by then. A prior of the scenario that knew what came is refused (its as_of). Where the scenario learns
    from history, the model has its table of runs and its priors on past growth.
    A fit that was made before is read from <output>/fits. Needs scoringrules: pip install
    'effective-compute-simulator[hindcast]'.
    """
    need("scoringrules", extra="hindcast")
    found = simulator.make_hindcast(
        scenario, against=against or (), allow_hindsight=allow_hindsight, origins=_years(origins), runs=runs,
        accelerators=accelerators, snapshot=snapshot, until=until, without_domain=without_domain or (),
        sampler=sampler, seed=seed, cache=output / "fits",
    )  # fmt: skip
    formats = () if no_charts else ("png", "svg")
    finish(found, output, formats=formats)
    more = _write_page(document, found, drawn=bool(formats)) if document else ()
    fail_unless(trust or all(each.holds for each in (found, *more)))


def _write_page(document: FilePath, found: Hindcast, *, drawn: bool) -> Sequence[Hindcast]:
    """Write the page, with its pictures where charts are drawn; print and give what else it needs."""
    from simulator.charts.kinds.hindcast import write_pictures
    from simulator.hindcast.hindcast import write_hindcast_page

    pictures = write_pictures(found, document.parent) if drawn else ()
    more = write_hindcast_page(document, found, pictures=pictures, say=show)
    typer.echo(f"  {document}")
    return more


def _years(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--origins: must be years such as 2018,2020,2022; got '{text}'.") from None
