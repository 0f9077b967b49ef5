"""The command that sweeps a scenario over changed priors."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated

import typer

from simulator.cli import options


def sweep(
    scenario: options.ScenarioArgument,
    over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH=VALUES",
            help="What is swept: from:to:count, from:to:count:log, or values with commas between them. A path that "
            "ends in .centre moves a median and its interval together. Several: all combinations. It stands in the "
            "place of the file's sweep block.",
        ),
    ] = None,
    set_: options.SetOption = None,
    samples: options.SamplesOption = None,
    seed: options.SeedOption = None,
    outcome: Annotated[
        list[str] | None,
        typer.Option(
            help="What is printed and drawn: effective_compute@2035, crossing:NAME, crossed:NAME@2030; several."
        ),
    ] = None,
    output: options.OutputOption = FilePath("outputs"),
    charts: options.ChartsOption = True,
    format_: options.FormatOption = "png,svg",
    theme: options.ThemeOption = "light",
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Points computed side by side; the result does not depend on it.")
    ] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what an interrupted sweep left.")] = False,
) -> None:
    """Run a scenario at every combination of changed priors, on common draws: one dataset, a table and charts."""
    formats = options.chart_formats(format_, theme=theme, charts=charts)

    from simulator.analysis.sweep_points import load_sweep
    from simulator.analysis.sweep_tables import parse_outcomes
    from simulator.analysis.sweeps import check_asked, sweep_to_folder
    from simulator.charts.drawing import draw_result

    plan = load_sweep(scenario, over=over, overrides=options.overridden(set_, samples, seed))
    check_asked(plan.points[0], outcome or ())
    with options.progress_bar(len(plan.points), label="points", least=5) as progress:
        result, folder = sweep_to_folder(
            plan, output, workers=workers, progress=progress, resume=resume, say=options.say
        )
    options.warn(result.warnings)
    options.tell(result.lines(parse_outcomes(result, outcome or ())))
    if formats:
        draw_result(result, folder, formats=formats, theme=theme, asked=outcome or ())
    typer.echo(f"  {folder}")
