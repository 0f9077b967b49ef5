"""The command that tells what each prior of a run has to do with its outcomes."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated

import typer

from simulator.cli_options import (
    BesideOption,
    ChartsOption,
    FormatOption,
    RunArgument,
    ThemeOption,
    chart_formats,
    folder_for,
)


def influence(
    run: RunArgument,
    outcome: Annotated[
        list[str] | None,
        typer.Option(
            help="effective_compute@2035, crossing:NAME, crossed:NAME@2030 or restricted:NAME; may be given several "
            "times. Without it effective compute half-way and at the end, and the first threshold ahead."
        ),
    ] = None,
    charts: ChartsOption = True,
    format_: FormatOption = "png,svg",
    theme: ThemeOption = "light",
    output: BesideOption = None,
) -> None:
    """Tell from a run's samples alone which priors move its outcomes, and which part early from late crossings."""
    formats = chart_formats(format_, theme=theme, charts=charts)

    from simulator.influence import default_outcomes, influence_of
    from simulator.influence_text import influence_lines, legend_lines
    from simulator.outcomes import parse_outcome, run_outcomes
    from simulator.outputs import open_run
    from simulator.rungroups import group

    folder = folder_for(run, output)
    asked = [parse_outcome(text) for text in dict.fromkeys(outcome or [])]
    with open_run(run) as opened:
        if asked:
            run_outcomes(opened, asked)  # names what the run has not before the first is worked on
        found = [influence_of(opened, one) for one in asked or default_outcomes(opened)]
        horizon = float(group(opened, "summary")["year"].values[-1])
        for each in found:
            for line in influence_lines(each, horizon=horizon):
                typer.echo(line)
        told = [each for each in found if not each.said]
        if not told:
            return
        for line in legend_lines([each.outcome for each in told]):
            typer.echo(line)
        _write_tables(folder, [(each.indices, each.deciles, each.regions) for each in told])
        if formats:
            from simulator.chart_palette import check_theme
            from simulator.figure_influence import influence_figure
            from simulator.figures import write_figure

            footer = f"Run {opened.attrs['run_id']} of scenario {opened.attrs['name']}"
            for each in told:
                figure = influence_figure(opened, each)
                write_figure(figure, folder, formats=formats, theme=check_theme(theme), footer=footer)
    typer.echo(f"  {folder}")


def _write_tables(folder: FilePath, tables: list[tuple[object, ...]]) -> None:
    from simulator.files import make_folder, write_table

    make_folder(folder)
    for place, name in enumerate(("influence", "influence_deciles", "influence_regions")):
        rows = [row for parts in tables for row in parts[place]]  # type: ignore[attr-defined]
        if rows:
            write_table(folder / f"{name}.csv", rows)
