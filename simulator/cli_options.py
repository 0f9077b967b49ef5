"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.scenario import Scenario

SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUE", help="Override any entry, e.g. drivers.spending.caps.cash-flow.limit=3e10."
    ),
]
SamplesOption = Annotated[str | None, typer.Option(help="Number of samples, e.g. 100000 or 1e6.")]
SeedOption = Annotated[int | None, typer.Option(help="Seed of the draws.")]
ScenarioArgument = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A .yaml file, or the name of a shipped scenario.")
]
RunArgument = Annotated[FilePath, typer.Argument(metavar="RUN", help="A run file (run.nc) or its folder.")]
OutputOption = Annotated[FilePath, typer.Option(help="Folder in which the run folder is made.")]


def overridden(given: list[str] | None, samples: str | None, seed: int | None) -> list[str]:
    """Put the options that change a scenario into the form of --set."""
    overrides = list(given or [])
    if samples is not None:
        overrides.append(f"samples={number_of_samples(samples)}")
    if seed is not None:
        overrides.append(f"seed={seed}")
    return overrides


def number_of_samples(text: str) -> int:
    """Read a number of samples, such as 100000, 1_000 or 1e6.

    Raises
    ------
    InputError
        It is no whole number from 1.
    """
    try:
        count = float(text.replace("_", "").replace(",", ""))
    except ValueError:
        raise InputError(f"--samples: must be a whole number; got {text!r}. Write for example 100000 or 1e6.") from None
    if count != count // 1 or not 1 <= count <= 1e12:
        raise InputError(f"--samples: must be a whole number from 1; got {text}. Write for example 100000 or 1e6.")
    return int(count)


def learnt(scenario: Scenario, output: FilePath) -> Scenario:
    """Let a scenario learn from the history that it names; fits are stored among the run folders."""
    from simulator.runs import ready

    return ready(scenario, output, say=lambda text: typer.echo(text, err=True))


def warn(warnings: Iterable[str]) -> None:
    """Print warnings beside the output."""
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)


def need(library: str, *, extra: str) -> None:
    """Refuse a command whose library is not installed.

    Raises
    ------
    InputError
        It is not; it says how to install it.
    """
    from importlib.util import find_spec

    if find_spec(library) is None:
        raise InputError(
            f"{library} is not installed, which this command needs. "
            f"Install it: pip install 'effective-compute-simulator[{extra}]'"
        )
