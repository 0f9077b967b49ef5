"""The command that sweeps a scenario over changed priors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.options import (
    ChartsOption,
    FormatOption,
    OutputOption,
    SamplesOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    ThemeOption,
    chart_formats,
    overridden,
    progress_bar,
    warn,
)

if TYPE_CHECKING:
    import xarray as xr


def sweep(
    scenario: ScenarioArgument,
    over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH=VALUES",
            help="What is swept: from:to:count, from:to:count:log, or values with commas between them. A path that "
            "ends in .centre moves a median and its interval together. Several: all combinations. It stands in the "
            "place of the file's sweep block.",
        ),
    ] = None,
    set_: SetOption = None,
    samples: SamplesOption = None,
    seed: SeedOption = None,
    outcome: Annotated[
        list[str] | None,
        typer.Option(
            help="What is printed and drawn: effective_compute@2035, crossing:NAME, crossed:NAME@2030; several."
        ),
    ] = None,
    output: OutputOption = FilePath("outputs"),
    charts: ChartsOption = True,
    format_: FormatOption = "png,svg",
    theme: ThemeOption = "light",
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Points computed side by side; the result does not depend on it.")
    ] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what an interrupted sweep left.")] = False,
) -> None:
    """Run a scenario at every combination of changed priors, on common draws: one dataset, a table and charts."""
    formats = chart_formats(format_, theme=theme, charts=charts)

    from simulator.analysis.sweep_points import load_sweep
    from simulator.analysis.sweep_tables import parse_outcomes, sweep_lines
    from simulator.analysis.sweeps import check_asked, sweep_to_folder

    plan = load_sweep(scenario, over=over, overrides=overridden(set_, samples, seed))
    check_asked(plan.points[0], outcome or ())
    with progress_bar(len(plan.points), label="points", least=5) as progress:
        result, folder = sweep_to_folder(
            plan, output, workers=workers, progress=progress, resume=resume, say=lambda text: typer.echo(text, err=True)
        )
    outcomes = parse_outcomes(result, outcome or ())
    warn(str(result.attrs["warnings"]).splitlines())
    for line in sweep_lines(result, outcomes=outcomes):
        typer.echo(line)
    if formats:
        _write_charts(result, folder, outcome or (), formats=formats, theme=theme)
    typer.echo(f"  {folder}")


def draw_sweep(
    path: FilePath, *, outcomes: Sequence[str], formats: Sequence[str], theme: str, output: FilePath
) -> list[FilePath]:
    """Draw the charts of a sweep file, and give the files."""
    from simulator.analysis.sweep_files import open_sweep

    return _write_charts(open_sweep(path), output, outcomes, formats=formats, theme=theme)


def _write_charts(
    result: xr.DataTree, folder: FilePath, outcomes: Sequence[str], *, formats: Sequence[str], theme: str
) -> list[FilePath]:
    from simulator.analysis.sweep_tables import parse_outcomes
    from simulator.charts.kinds.sweep import sweep_figures
    from simulator.charts.palette import check_theme
    from simulator.charts.register import check_formats, write_figure
    from simulator.files import make_folder

    check_formats(formats)
    ground = check_theme(theme)
    figures = sweep_figures(result, parse_outcomes(result, outcomes))
    make_folder(folder)
    footer = f"Sweep {result.attrs['run_id']} of scenario {result.attrs['name']}"
    return [
        path
        for figure in figures
        for path in write_figure(figure, folder, formats=formats, theme=ground, footer=footer)
    ]
