"""The command that opens a scenario in the browser, where its assumptions are changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import options

if TYPE_CHECKING:
    from simulator.explorer.desk import Engine
    from simulator.explorer.server import Place


def explore(
    scenario: options.ScenarioArgument = "baseline",
    set_: options.SetOption = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the page; 8117 without it, or any that is free.")
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen at. Beyond this machine it needs --token: who knows it can have this machine "
            "compute and write runs, and what is sent is not encrypted."
        ),
    ] = "127.0.0.1",
    token: Annotated[
        str,
        typer.Option(
            help="Secret part of the page's address; a new one each time without it.", envvar="SIMULATE_TOKEN"
        ),
    ] = "",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, and open no browser.")] = False,
    share: Annotated[
        FilePath | None,
        typer.Option(
            metavar="FILE", help="Write the page as one file that works offline.", callback=options.file_option
        ),
    ] = None,
) -> None:
    """Open a scenario in the browser: change an assumption, see the forecast move.

    Everything is computed here, with the draws of `simulate SCENARIO`. Changes stand in the address of the page and
    outlive the command, which Ctrl-C ends.

    Example: simulate explore baseline
    """
    if share is not None:
        from simulator.explorer.share import write_shared

        options.tell(write_shared(scenario, share, overrides=set_ or ()))
        return
    for library in ("starlette", "uvicorn"):
        options.need(library, extra="explore")
    from simulator.explorer.server import place, serve

    at = place(host, port, token)
    with closing(at.listener):
        serve(partial(_engine, scenario, set_ or ()), at, listens=partial(_listens, at, browser=not no_browser))


def _engine(scenario: str, overrides: Sequence[str]) -> Engine:
    """Read the scenario, and make what answers about it; the page is computed while the browser starts."""
    from simulator.explorer.explorer import Explorer

    explorer = Explorer(scenario, overrides=overrides, waits=False)
    explorer.answer({"kind": "state"})  # of faults the page is told
    return explorer.answer


def _listens(at: Place, *, browser: bool) -> None:
    """Tell where the page is, and open it."""
    from simulator.explorer.server import open_browser

    if at.is_open:
        options.warn(
            ["other machines reach this page. Who knows its address can have this machine compute and write runs."]
        )
    options.tell([at.address, "Ctrl-C ends it; what is changed stands in the address of the page, and stays."])
    if browser:
        open_browser(at.address)
