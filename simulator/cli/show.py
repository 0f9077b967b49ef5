"""The commands that show what is there: what a folder holds, printed again or drawn; libraries and scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, cast

import typer

import simulator
from simulator.addresses import as_path
from simulator.charts.register import BANDS_TEXT, KINDS
from simulator.cli import options, terminal
from simulator.errors import InputError

if TYPE_CHECKING:
    from xarray import DataTree

    from simulator.runs.kinds import Kind
    from simulator.runs.result import Result


def show(
    path: Annotated[
        FilePath,
        typer.Argument(
            metavar="FOLDER",
            help="What a command wrote: its folder or file, its name in outputs/ where it is the only one (baseline, "
            "baseline-swings), or latest, the last run.",
            parser=as_path,
            callback=options.run_option,
            autocompletion=terminal.folder_names,
        ),
    ],
    variables: Annotated[
        bool, typer.Option("--variables", help="Of a run or a sweep: list every variable with its unit.")
    ] = False,
    quantities: Annotated[
        bool,
        typer.Option(
            "--quantities",
            help="Of a run: print its named quantities, first year, middle and last, and the dates of events.",
        ),
    ] = False,
    allocation: Annotated[
        bool,
        typer.Option("--allocation", help="Of a run: who uses its stocks, and both readings of the largest run."),
    ] = False,
    json: options.JsonOption = False,
    by: Annotated[
        str | None, typer.Option(metavar="DATE", help="Of a run: what is reached by 2027-12-31, mid-2028, end of 2027.")
    ] = None,
    threshold: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            autocompletion=terminal.threshold_names,
            help="Of a run: this threshold alone; without --by for every year.",
        ),
    ] = "",
) -> None:
    """Print again what a command printed, or answer by date.

    It shows runs, sweeps, shares, swings, audits, comparisons, hindcasts, ...

    Example: simulate show latest --by 2029-12-31
    """
    from simulator.runs.kinds import kind_of

    asked = dict(zip(_OF_RUNS, (by is not None, bool(threshold), quantities, allocation), strict=True))
    _refuse_of_others(kind_of(path), path, variables=variables, asked=asked)
    with simulator.open_result(path) as result:
        if quantities or allocation:
            (_quantities if quantities else _allocation)(cast("DataTree", result.stored), json=json)
        elif variables:
            _variables(result, json=json)
        elif by is not None or threshold:
            _answer(cast("DataTree", result.stored), by, threshold, json=json)
        else:
            options.show(result, json=json)


_OF_RUNS = ("--by", "--threshold", "--quantities", "--allocation")
"""Options that are about runs alone."""


def _refuse_of_others(kind: Kind, path: FilePath, *, variables: bool, asked: Mapping[str, bool]) -> None:
    """Refuse what is asked of another kind of folder."""
    if variables and kind.name not in ("run", "sweep"):
        raise InputError(f"--variables: {path} {kind.is_one}, and --variables is about runs and sweeps. Leave it out.")
    for option, given in asked.items():
        if given and kind.name != "run":
            raise InputError(f"{option}: {path} {kind.is_one}, and {option} is about runs. Leave it out.")
    together = [option for option, given in {"--variables": variables, **asked}.items() if given]
    if len(together) > 1 and together != ["--by", "--threshold"]:
        raise InputError(f"{' and '.join(together)}: are questions of their own. Ask one at a time.")


def _variables(result: Result, *, json: bool) -> None:
    """Print what every variable of a run or a sweep is."""
    from simulator.runs.kinds import explain_lines, explain_rows

    tree = cast("DataTree", result.stored)
    found = partial(options.table, "variables", explain_rows(tree))
    options.answer(json, result.kind, str(tree.attrs["run_id"]), found, lambda: explain_lines(tree))


def _quantities(run: DataTree, *, json: bool) -> None:
    """Print the named quantities of a run."""
    from simulator.runs.named_quantities import quantity_lines, quantity_table

    table = quantity_table(run)
    options.answer(json, "run", str(run.attrs["run_id"]), lambda: {"quantities": table}, lambda: quantity_lines(table))


def _allocation(run: DataTree, *, json: bool) -> None:
    """Print who uses the stocks of a run, and the largest run in both readings."""
    from simulator.runs.allocation import allocation_lines, allocation_tables

    tables = partial(allocation_tables, run)
    options.answer(json, "run", str(run.attrs["run_id"]), tables, lambda: allocation_lines(run))


def _answer(run: DataTree, by: str | None, threshold: str, *, json: bool) -> None:
    """Answer a question by date."""
    from simulator.runs.crossings import by_year_lines, crossed_by
    from simulator.runs.summary import by_date_lines

    options.answer(
        json,
        "run",
        str(run.attrs["run_id"]),
        lambda: {"crossed_by": crossed_by(run, () if by is None else by, threshold=threshold)},
        lambda: by_date_lines(run, by, threshold=threshold) if by is not None else by_year_lines(run, threshold),
    )


def chart(
    run: options.FolderArgument,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help=f"{', '.join(KINDS.names())}, or all; repeatable. Of a hindcast: fans, calibration, skill, or all."
        ),
    ] = None,
    quantity: Annotated[
        list[str] | None,
        typer.Option(
            help="A variable of the run, such as spending; several make small fans side by side. Of a sweep: "
            "an outcome, such as effective_compute@2035, crossing:NAME or crossed:NAME@2030."
        ),
    ] = None,
    bands: Annotated[
        str, typer.Option(help="Bands in %, such as 50,80,90; or boe (30/60/90), ipcc (66/90), hub (50/95).")
    ] = BANDS_TEXT,
    paths: Annotated[int, typer.Option(min=0, help="Draw the first samples as thin lines, e.g. 20.")] = 0,
    years: Annotated[
        str | None,
        typer.Option(metavar="FIRST-LAST", help="Years or dates to draw: 2026-2035, mid-2026 to end of 2034."),
    ] = None,
    history: Annotated[
        FilePath | None,
        typer.Option(
            metavar="FILE",
            help="Observed runs, drawn as dots: a table that 'history load' reads, or one of date, value, label.",
        ),
    ] = None,
    format_: options.FormatOption = "png,svg",
    theme: options.ThemeOption = "light",
    scale: Annotated[float, typer.Option(help="Times the size, for slides, e.g. 1.5.")] = 1.0,
    width: Annotated[int | None, typer.Option(help="Instead: the width, of a PNG in pixels.")] = None,
    output: options.BesideOption = None,
) -> None:
    """Draw charts of a run, sweep, shares, swings or hindcast.

    Of a run: fans, crossings, growth, what binds, demand, counts, who uses stocks, priors, what was learnt, influence.

    Example: simulate chart latest --kind crossings
    """
    from simulator.charts.drawing import Asked, draw_stored
    from simulator.charts.register import Size

    formats = options.chart_formats(format_, theme=theme)
    size = Size(scale, width)
    asked = Asked(tuple(kind or ()), tuple(quantity or ()), bands, paths, years, history)
    folder = options.folder_for(run, output)
    written = draw_stored(run, folder, asked, formats=formats, theme=theme, left_out=options.say, size=size)
    options.tell(map(str, written))


def priors(
    name: Annotated[
        str | None,
        typer.Argument(
            autocompletion=terminal.library_names,
            help="A library (algorithms), an entry (algorithms/ho-2024), or a scenario file.",
        ),
    ] = None,
    json: options.JsonOption = False,
) -> None:
    """List the prior library, one entry, or a scenario's priors.

    An entry is shown with its interval, source and histogram.

    Example: simulate priors algorithms/ho-2024
    """
    from simulator.scenario.describing import library_lines, library_rows

    options.answer(
        json, "priors", name or "", lambda: options.table("priors", library_rows(name)), lambda: library_lines(name)
    )


def scenarios(json: options.JsonOption = False) -> None:
    """List the shipped scenarios.

    Example: simulate scenarios
    """
    from simulator.scenario.describing import scenario_lines, scenario_rows

    options.answer(json, "scenarios", "", lambda: options.table("scenarios", scenario_rows()), scenario_lines)
