"""The command that compares runs and scenarios."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated

import typer

from simulator.cli import options
from simulator.errors import InputError

_MOST = 12


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
    if len(items) < 2:
        raise InputError(
            f"compare: needs two runs or scenarios at least; got {items[0]!r} alone. "
            "Name another: simulate compare baseline tight-caps."
        )
    if len(items) > _MOST:
        raise InputError(f"compare: takes at most {_MOST} runs or scenarios; got {len(items)}. Compare fewer at once.")
    if attribute and len(items) != 2:
        raise InputError(f"compare: --attribute: takes two runs or scenarios; got {len(items)}. Compare two at a time.")
    formats = options.chart_formats(format_, theme=theme, charts=charts)

    from simulator.analysis.attribution import check_attributable
    from simulator.analysis.comparison import compare_runs
    from simulator.engine.run_folders import read_alike, run_all

    read = read_alike(items, samples=None if samples is None else options.number_of_samples(samples), seed=seed)
    if attribute:
        check_attributable(read)
    runs = run_all(read, output, say=options.say)
    options.finish(compare_runs(runs, attribute=attribute), output, formats=formats, theme=theme)


def reweight(run: options.RunArgument, set_: options.SetOption = None, output: options.BesideOption = None) -> None:
    """Give the headline numbers of a run under other priors by weighing its samples; nothing is run again."""
    if not set_:
        raise InputError(
            "reweight: needs a prior to change, for example --set drivers.spending.growth[0].rate.median=2.6."
        )

    from simulator.analysis.reweighting import reweight_run
    from simulator.runs.folder import open_run

    folder = options.folder_for(run, output)
    with open_run(run) as opened:
        found = reweight_run(opened, set_)
    found.write_into(folder)
    options.tell([*found.lines(), f"  {folder / 'reweighted.csv'}"])
