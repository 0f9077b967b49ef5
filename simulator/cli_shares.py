"""The command that shares out the variance of outcomes among the priors."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated

import typer

from simulator.cli_options import (
    ChartsOption,
    FormatOption,
    OutputOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    ThemeOption,
    chart_formats,
    learnt,
    number_of_samples,
    overridden,
    warn,
)


def shares(
    scenario: ScenarioArgument,
    outcome: Annotated[
        list[str] | None,
        typer.Option(
            help="A variable, or crossed:THRESHOLD, in every year or with @YEAR in one; or restricted:THRESHOLD. "
            "May be repeated. [default: effective_compute]"
        ),
    ] = None,
    samples: Annotated[str, typer.Option(help="Rows of either half of the draws.")] = "1024",
    method: Annotated[
        str, typer.Option(help="sobol, shapley, or auto: Sobol indices if the inputs are independent.")
    ] = "auto",
    group: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATTERN", help="Count priors as one, e.g. algorithms=drivers.algorithms.*; may be repeated."
        ),
    ] = None,
    by: Annotated[str | None, typer.Option(help="driver: put together what stands under one driver.")] = None,
    set_: SetOption = None,
    seed: SeedOption = None,
    output: OutputOption = FilePath("outputs"),
    charts: ChartsOption = True,
    format_: FormatOption = "png,svg",
    theme: ThemeOption = "light",
) -> None:
    """Share out the variance of an outcome among the priors: which assumption matters, year by year."""
    formats = chart_formats(format_, theme=theme, charts=charts)

    from simulator.chart_palette import check_theme
    from simulator.input_groups import check_by, parse_groups
    from simulator.outcomes import outcomes_over
    from simulator.projection import year_grid
    from simulator.scenario import load_scenario
    from simulator.shares_folder import write_shares
    from simulator.shares_text import share_lines
    from simulator.variance_shares import check_method, variance_shares

    count = number_of_samples(samples)
    groups = parse_groups(group or [])
    check_method(method, samples=count)
    check_by(by)
    loaded = load_scenario(scenario, overrides=overridden(set_, None, seed))
    years = year_grid(loaded.spec).tolist()
    asked = list(
        dict.fromkeys(each for text in outcome or ["effective_compute"] for each in outcomes_over(text, years))
    )
    loaded = learnt(loaded, output, outcomes=asked)
    warn(loaded.warnings)
    found = variance_shares(loaded, asked, samples=count, method=method, groups=groups, by=by)
    for line in share_lines(found):
        typer.echo(line)
    folder = write_shares(found, output, formats=formats, theme=check_theme(theme))
    typer.echo(f"  {folder}")
