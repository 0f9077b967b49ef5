"""The commands that run scenarios: once, with more samples, or swept over changed priors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import simulator
from simulator.cli import options, terminal
from simulator.cli.terminal import echo
from simulator.errors import SimulatorError

if TYPE_CHECKING:
    from xarray import DataTree

    from simulator.charts.writing import Saver
    from simulator.engine.run_folders import Runs
    from simulator.engine.simulation import How
    from simulator.engine.workers import Workers
    from simulator.runs.groups import Group
    from simulator.runs.result import Result

DrawnOption = Annotated[
    Literal["fan", "all", "none"],
    typer.Option(help="The fan of effective compute (or physical), every chart, or none."),
]
WorkersOption = Annotated[
    int, typer.Option(min=1, max=64, help="Batches computed side by side; the result does not depend on it.")
]


def run(
    scenarios: Annotated[
        list[str],
        typer.Argument(
            metavar="SCENARIO",
            help="A .yaml file, or the name of a shipped scenario; or several.",
            autocompletion=terminal.scenario_names,
        ),
    ],
    set_: options.SetOption = None,
    samples: options.SamplesOption = None,
    seed: options.SeedOption = None,
    output: options.OutputOption = FilePath("outputs"),
    keep: Annotated[
        Literal["trajectories", "summary"],
        typer.Option(help="Keep every sample, or quantiles and probabilities only (runs of any size)."),
    ] = "trajectories",
    store: Annotated[
        Literal["netcdf", "zarr"],
        typer.Option(
            help="One file, or a folder written batch by batch for samples that do not fit into memory.",
            callback=options.store_option,
        ),
    ] = "netcdf",
    charts: DrawnOption = "fan",
    no_charts: Annotated[bool, typer.Option("--no-charts", help="The same as --charts none.")] = False,
    workers: WorkersOption = 1,
    cluster: options.ClusterOption = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what an interrupted run left.")] = False,
    trust: Annotated[
        bool, typer.Option("--trust", help="Exit with 0 also where the chains of a fit of history did not agree.")
    ] = False,
    json: options.JsonOption = False,
) -> None:
    """Run a scenario: write its run, tables and chart; print a summary.

    A file with variants runs them too, on common draws, and compares them. A scenario that learns from history does so
    first; where its chains do not agree, what comes out is written, and the exit code is 1. Several scenarios are
    joined to one dataset too; a faulty one is told, and the others finish.

    Example: simulate baseline --samples 1000 --set 'drivers.spending.growth[0].rate.median=2.6x/year'
    """
    drawn, changes = "none" if no_charts else charts, options.overridden(set_, samples, seed)
    with options.hands(workers, cluster) as hands, _saving(drawn, hands) as save:
        from simulator.engine.simulation import How

        with options.progress_bar(label="blocks", least=40) as bar:
            told = _Told(
                output, changes, How(keep, store, hands, bar, made=_beginning(save)), resume, trust, drawn, save, json
            )
            _run_several(scenarios, told) if len(scenarios) > 1 else _run_one(scenarios[0], told)


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said of every scenario that is run."""

    output: FilePath
    changes: Sequence[str]
    how: How
    resume: bool
    trust: bool
    charts: str
    save: Saver | None
    json: bool


def _made(runs: Runs, told: _Told) -> Iterator[tuple[str, Group]]:
    """Draw and print a run and those of its variants when each is done, and give it."""
    for place, (name, made, folder) in enumerate(runs):
        _finish(made, folder, told.charts, told.save, latest=place == 0, json=told.json)
        yield name, made


def _run_one(scenario: str, told: _Told) -> None:
    from simulator.engine.run_folders import refuse_bad_fits, run_with_variants

    runs = run_with_variants(scenario, told.output, told.changes, how=told.how, resume=told.resume, say=options.say)
    done = list(_made(runs, told))
    if len(done) > 1:
        options.finish(_compared(done), told.output, formats=_pictures(told), json=told.json)
    refuse_bad_fits(() if told.trust else [made for _, made in done])


def _pictures(told: _Told) -> tuple[str, ...]:
    return () if told.charts == "none" else ("png", "svg")


def _run_several(scenarios: Sequence[str], told: _Told) -> None:
    """Run scenarios as one queue, tell of those that fail, and join the others to one dataset."""
    from simulator.analysis.sweeps import summary_of_run
    from simulator.engine.run_folders import refuse_bad_fits, run_several

    done: list[tuple[str, DataTree]] = []
    codes: list[int] = []
    every = run_several(scenarios, told.output, told.changes, how=told.how, resume=told.resume, say=options.say)
    with contextlib.closing(every):
        for scenario, runs in zip(scenarios, options.with_time_left(every, of=len(scenarios)), strict=True):
            try:
                for name, made in _made(runs(), told):
                    done.append((name, summary_of_run(made)))
                    refuse_bad_fits(() if told.trust else [made])
            except SimulatorError as error:
                options.say(str(error) if scenario in str(error) else f"{scenario}: {error}")
                codes.append(error.exit_code)
    if codes:
        options.say(f"{len(codes)} of {len(scenarios)} scenarios failed; {len(done)} runs are written.")
    if len(done) > 1:
        joined = simulator.join_runs([run for _, run in done], labels=[name for name, _ in done])
        options.finish(joined, told.output, formats=_pictures(told), json=told.json)
    if codes:
        raise typer.Exit(max(codes))


def _compared(runs: Sequence[tuple[str, Group]]) -> Result:
    return simulator.compare_runs([run.to_xarray() for _, run in runs], labels=[name for name, _ in runs])


def extend(
    path: options.RunArgument,
    samples: Annotated[str, typer.Option(help="How many samples in all, e.g. 1e6.")],
    output: options.OutputOption = FilePath("outputs"),
    charts: DrawnOption = "fan",
    workers: WorkersOption = 1,
    cluster: options.ClusterOption = "",
    json: options.JsonOption = False,
) -> None:
    """Run a run's scenario with more samples, keeping those it has.

    Example: simulate extend latest --samples 2000
    """
    count = options.number_of_samples(samples)
    extended = partial(simulator.extend_run, path, samples=count, outputs=output, say=options.say)
    with options.hands(workers, cluster) as hands, _saving(charts, hands) as save:
        with options.progress_bar(label="blocks", least=40) as bar:
            made = extended(workers=hands, progress=bar)
        _finish(made, output / made.folder_name, charts, save, json=json)


def sweep(
    scenario: options.ScenarioArgument,
    over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH=VALUES",
            help="What is swept: from:to:count, from:to:count:log, or values with commas between them. A path that "
            "ends in .centre moves a median and its interval together. Several: all combinations. It stands in the "
            "place of the file's sweep block. With --design the range of an entry: from:to or from:to:log.",
        ),
    ] = None,
    design: Annotated[
        str | None,
        typer.Option(
            metavar="KIND:POINTS", help="Spread points over the ranges: lhs:500 (Latin hypercube) or sobol:512."
        ),
    ] = None,
    points: Annotated[
        FilePath | None,
        typer.Option(metavar="FILE.csv", help="Run the points of a table: its columns are paths, maybe one is label."),
    ] = None,
    set_: options.SetOption = None,
    samples: options.SamplesOption = None,
    seed: options.SeedOption = None,
    outcome: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=terminal.outcome_names,
            help="What is printed and drawn: effective_compute@2035, crossing:NAME, crossed:NAME@2030, "
            "leads:ACTOR@2030; several.",
        ),
    ] = None,
    output: options.OutputOption = FilePath("outputs"),
    charts: options.ChartsOption = True,
    format_: options.FormatOption = "png,svg",
    theme: options.ThemeOption = "light",
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Points computed side by side; the result does not depend on it.")
    ] = 1,
    cluster: options.ClusterOption = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what an interrupted sweep left.")] = False,
    json: options.JsonOption = False,
) -> None:
    """Run a scenario at every combination of changed priors, or a design.

    All are run on common draws: one dataset, a table and charts. A point of a design that fails is told and left out,
    and the exit code is 1.

    Example: simulate sweep essay-2023 --over drivers.spending.start=500,1000
    """
    from simulator.analysis.sweeps import check_asked, load_plan, sweep_to_folder

    formats, asked = options.chart_formats(format_, theme=theme, charts=charts), outcome or ()
    changes = options.overridden(set_, samples, seed)
    plan = load_plan(scenario, over=over, design=design, points=points, overrides=changes)
    check_asked(plan, asked)
    with options.hands(workers, cluster) as hands, options.progress_bar(label="points", least=5) as bar:
        made, folder = sweep_to_folder(plan, output, workers=hands, progress=bar, resume=resume, say=options.say)
    options.show(made, folder, formats=formats, theme=theme, asked=asked, lines=made.lines(asked), json=json)
    options.fail_unless(made.holds)


def _saving(charts: str, workers: Workers) -> AbstractContextManager[Saver | None]:
    """Give what saves the fan, where it is drawn; beside a run by one process, a second that gets ready meanwhile."""
    if charts != "fan":
        return nullcontext()
    from simulator.charts.writing import saving_beside

    return saving_beside(useful=workers == 1)


def _beginning(save: Saver | None) -> Callable[[Group], None] | None:
    """Give what lets the fan be drawn while the run is written."""
    if save is None:
        return None
    from simulator.charts.drawing import begin_charts

    return partial(begin_charts, save=save)


def _finish(
    run: Group | DataTree, folder: FilePath, charts: str, save: Saver | None, *, latest: bool = True, json: bool
) -> None:
    """Draw the charts of a run that stands in its folder, the fan or all, and print it as `show` does."""
    from simulator.runs.groups import Group
    from simulator.runs.kinds import mark_latest
    from simulator.runs.result import as_json
    from simulator.runs.summary import run_tables, summary_lines

    if latest:
        mark_latest(folder)
    if save:
        from simulator.charts.drawing import write_charts

        try:
            write_charts(run, folder, save)
        except KeyboardInterrupt as stop:
            stop.add_note(f"The run is whole, its chart is not drawn: simulate chart {folder}")
            raise
    elif charts == "all":
        from simulator.charts.drawing import draw_charts

        draw_charts(run.to_xarray() if isinstance(run, Group) else run, folder, left_out=options.say)
    options.warn(warned := str(run.attrs["warnings"]).splitlines())
    if json:
        echo(as_json("run", folder.name, run_tables(run), warnings=warned))
    else:
        options.tell([*summary_lines(run), f"  {folder}"])
