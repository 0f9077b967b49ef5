"""The command that compares runs and scenarios."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated

import typer

import simulator
from simulator.cli import options
from simulator.errors import InputError


def compare(
    items: Annotated[
        list[str],
        typer.Argument(metavar="RUN-OR-SCENARIO...", help="Run files or folders, scenario files, or shipped names."),
    ],
    samples: options.SamplesOption = None,
    seed: options.SeedOption = None,
    output: options.OutputOption = FilePath("outputs"),
    charts: options.ChartsOption = True,
    format_: options.FormatOption = "png,svg",
    theme: options.ThemeOption = "light",
    attribute: Annotated[
        bool, typer.Option("--attribute", help="Share each difference out among the inputs that differ (two items).")
    ] = False,
) -> None:
    """Compare runs: what differs in their inputs and results, each against the first; scenarios are run for it."""
    formats = options.chart_formats(format_, theme=theme, charts=charts)
    count = None if samples is None else options.number_of_samples(samples)
    found = simulator.compare_runs(
        items, attribute=attribute, samples=count, seed=seed, outputs=output, say=options.say
    )
    options.finish(found, output, formats=formats, theme=theme)


def reweight(run: options.RunArgument, set_: options.SetOption = None, output: options.BesideOption = None) -> None:
    """Give the headline numbers of a run under other priors by weighing its samples; nothing is run again."""
    if not set_:
        raise InputError(
            "reweight: needs a prior to change, for example --set drivers.spending.growth[0].rate.median=2.6."
        )

    folder = options.folder_for(run, output)
    with simulator.open_run(run) as opened:
        options.finish(simulator.reweight_run(opened, set_), folder, file="reweighted.csv")
