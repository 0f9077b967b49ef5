"""The commands that tell which assumption matters: swings and the audit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from simulator.cli.options import (
    BesideOption,
    ChartsOption,
    FormatOption,
    OutputOption,
    RunArgument,
    ScenarioArgument,
    SeedOption,
    SetOption,
    ThemeOption,
    chart_formats,
    finish,
    folder_beside,
    folder_for,
    learnt,
    number_of_samples,
    overridden,
    warn,
)
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.analysis.outcomes import Outcome
    from simulator.scenario.documents import Document
    from simulator.scenario.resolving import Scenario


ItemArgument = Annotated[
    str,
    typer.Argument(metavar="SCENARIO|RUN", help="A scenario file or shipped name; or a run, whose scenario is read."),
]
OutcomeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--outcome",
        help="effective_compute@2035, crossing:NAME, crossed:NAME@2030 or restricted:NAME; may be given several times.",
    ),
]
DrawsOption = Annotated[str, typer.Option("--samples", help="Common draws; more make the medians sharper.")]


def swings(
    item: ItemArgument,
    outcome: OutcomeOption = None,
    mode: Annotated[
        str, typer.Option(help="free: the others vary on common draws; fixed: the others at their medians.")
    ] = "free",
    samples: DrawsOption = "1024",
    set_: SetOption = None,
    output: OutputOption = FilePath("outputs"),
    charts: ChartsOption = True,
    format_: FormatOption = "png,svg",
    theme: ThemeOption = "light",
) -> None:
    """Move each input to its 10 and 90 % quantile, and say what comes of it: a tornado for each outcome."""
    formats = chart_formats(format_, theme=theme, charts=charts)

    from simulator.analysis.swings import check_samples, checked_mode, prior_swings
    from simulator.analysis.swings_output import Swings

    chosen, count, asked = checked_mode(mode), number_of_samples(samples), _outcomes(outcome)
    check_samples(count)
    scenario, _ = open_scenario(item, overrides=set_ or [], output=output, outcomes=asked)
    found = prior_swings(scenario, outcomes=asked, mode=chosen, samples=count)
    finish(Swings(found), output, formats=formats, theme=theme)


def audit(
    item: ItemArgument,
    outcome: OutcomeOption = None,
    format_: Annotated[
        Literal["text", "csv", "markdown"],
        typer.Option("--format", help="What is printed; the files are audit.csv and audit.md in any case."),
    ] = "text",
    samples: DrawsOption = "1024",
    set_: SetOption = None,
    output: OutputOption = FilePath("outputs"),
) -> None:
    """List every assumption: its source, where it is stated, what rests on it; what to research next first."""
    from simulator.analysis.audit import audit as audited
    from simulator.analysis.audit import audit_lines, audit_markdown, audit_table
    from simulator.analysis.shares import check_method
    from simulator.files import make_folder, write_table, write_text
    from simulator.runs.kinds import keep_lines

    count, asked = number_of_samples(samples), _outcomes(outcome)
    check_method("auto", samples=count)
    scenario, documents = open_scenario(item, overrides=set_ or [], output=output, outcomes=asked)
    found = audited(scenario, outcomes=asked, documents=documents, samples=count)
    folder = output / f"{found.name}-audit-{found.key}"
    make_folder(folder)
    write_table(folder / "audit.csv", audit_table(found))
    write_text(folder / "audit.md", audit_markdown(found))
    lines = audit_lines(found)
    keep_lines(folder, "audit", lines)
    if format_ == "text":
        for line in [*lines, f"  {folder}"]:
            typer.echo(line)
        return
    file = folder / ("audit.csv" if format_ == "csv" else "audit.md")
    typer.echo(file.read_text(encoding="utf-8"), nl=False)


def _outcomes(texts: Sequence[str] | None) -> tuple[Outcome, ...]:
    from simulator.analysis.outcomes import parse_outcome

    return tuple(dict.fromkeys(parse_outcome(text) for text in texts or ()))


def open_scenario(
    item: str, *, output: FilePath, overrides: Sequence[str] = (), outcomes: Sequence[Outcome] = ()
) -> tuple[Scenario, tuple[Document, ...]]:
    """Read a scenario, or that of a run, with the files that it comes from.

    Parameters
    ----------
    item : str
        A scenario file or shipped name, a run file, or its folder.
    output : path
        The folder of run folders, in which fits of history are stored.
    overrides : sequence of str
        Changes as `path=value`.
    outcomes : sequence of Outcome
        What will be asked of it: a scenario that has not these does not learn first.

    Raises
    ------
    InputError
        There is no such scenario or run, or it has faults.
    """
    from simulator.engine.plan import plan_warnings
    from simulator.scenario.assumptions import lineage
    from simulator.scenario.load import load_scenario

    path = FilePath(item)
    if path.suffix in (".yaml", ".yml") or not (path.exists() or path.suffix in (".nc", ".zarr")):
        scenario = learnt(load_scenario(item, overrides=overrides), output, outcomes=outcomes)
        warn(plan_warnings(scenario))
        return scenario, lineage(item) if len(scenario.components) == 1 else ()
    if overrides:
        raise InputError(
            f"{item}: is a run, whose scenario is taken as it is. For --set, name the scenario: "
            f"{folder_beside(path)}/scenario.yaml holds it."
        )
    from dataclasses import replace

    from simulator.runs.folder import open_run, run_path, stored_scenario_text
    from simulator.scenario.load import parse_scenario

    with open_run(path) as run:
        text, changed = stored_scenario_text(run), str(run.attrs.get("overrides", "")).splitlines()
    scenario = parse_scenario(text, file=str(run_path(path).parent / "scenario.yaml"))
    return replace(scenario, overrides=tuple(changed)), ()


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

    from simulator.analysis.inputs import check_by, parse_groups
    from simulator.analysis.outcomes import outcomes_over
    from simulator.analysis.shares import check_method, variance_shares
    from simulator.analysis.shares_output import Shares
    from simulator.engine.plan import plan_warnings
    from simulator.model.projection import year_grid
    from simulator.scenario.load import load_scenario

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
    warn(plan_warnings(loaded))
    found = variance_shares(loaded, asked, samples=count, method=method, groups=groups, by=by)
    finish(Shares(found), output, formats=formats, theme=theme)


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

    from simulator.analysis.influence import default_outcomes, influence_lines, influence_of, legend_lines
    from simulator.analysis.outcomes import parse_outcome, run_outcomes
    from simulator.runs.folder import open_run
    from simulator.runs.groups import group

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
            from simulator.charts.kinds.influence import influence_figure
            from simulator.charts.palette import check_theme
            from simulator.charts.register import write_figure

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
