"""The commands of studies: comparing, reweighting, swings, audit, shares of variance and influence."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Literal

import typer

import simulator
from simulator.cli import options, terminal
from simulator.errors import InputError


def compare(
    items: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN-OR-SCENARIO...",
            help="Runs (folders, files, names in outputs/, or latest), scenario files, or shipped names.",
            callback=options.item_option,
            autocompletion=terminal.item_names,
        ),
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
    cluster: options.ClusterOption = "",
    json: options.JsonOption = False,
) -> None:
    """Say what differs in the inputs and results of runs.

    Each is held against the first; scenarios are run for it.

    Example: simulate compare baseline tight-caps --samples 1000
    """
    formats = options.chart_formats(format_, theme=theme, charts=charts)
    count = None if samples is None else options.number_of_samples(samples)
    told = {"attribute": attribute, "samples": count, "seed": seed, "outputs": output, "say": options.say}
    found = options.done_by(cluster, simulator.compare_runs, items, **told)
    options.finish(found, output, formats=formats, theme=theme, json=json)


def reweight(
    run: options.RunArgument,
    set_: options.SetOption = None,
    output: options.BesideOption = None,
    json: options.JsonOption = False,
) -> None:
    """Give a run's headline numbers under other priors.

    Its samples are weighed; nothing is run again.

    Example: simulate reweight latest --set 'drivers.spending.growth[0].rate.median=2.45x/year'
    """
    if not set_:
        raise InputError(
            "reweight: needs a prior to change, for example --set drivers.spending.growth[0].rate.median=2.6x/year."
        )

    folder = options.folder_for(run, output)
    with simulator.open_run(run) as opened:
        options.finish(simulator.reweight_run(opened, set_), folder, file="reweighted.csv", json=json)


def condition(
    run: options.RunArgument,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--given",
            metavar="WHAT",
            help="What happened: 'physical_compute@2027.9 >= 1e28', 'spending@2027 = $1 billion +- 0.1 OOM', "
            "'crossing:NAME by end of 2027', 'crossing:NAME = never', 'leads:ACTOR@2030'; may be given several times.",
        ),
    ] = None,
    redraw: Annotated[
        bool, typer.Option("--redraw", help="Draw samples anew where it holds: for what few samples of the run have.")
    ] = False,
    output: options.OutputOption = FilePath("outputs"),
    charts: options.ChartsOption = True,
    format_: options.FormatOption = "png,svg",
    theme: options.ThemeOption = "light",
    json: options.JsonOption = False,
) -> None:
    """Give a run's forecast given what happened.

    It tells how likely that was and which priors it moves; nothing is run again.

    Example: simulate condition latest --given 'physical_compute@2027.9 >= 1e28'
    """
    formats = options.chart_formats(format_, theme=theme, charts=charts)
    with simulator.open_run(run) as opened:
        found = simulator.condition(opened, given or (), redraw=redraw)
    options.finish(found, output, formats=formats, theme=theme, json=json)


def signposts(
    run: options.RunArgument,
    outcome: Annotated[
        str,
        typer.Option(
            autocompletion=terminal.outcome_names,
            help="The later outcome: crossing:NAME, effective_compute@2035 or crossed:NAME@2030.",
        ),
    ],
    observable: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=terminal.observable_names,
            help="A variable that is observed, such as spending or power; may be given several times. Without it "
            "physical compute, spending and every named quantity.",
        ),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="The last date of an observation.")] = None,
    output: options.OutputOption = FilePath("outputs"),
    charts: options.ChartsOption = True,
    format_: options.FormatOption = "png,svg",
    theme: options.ThemeOption = "light",
    json: options.JsonOption = False,
) -> None:
    """Tell which early observables say most about an outcome.

    It tells too what each value of them would mean; nothing is run again.

    Example: simulate signposts latest --outcome crossing:1e30-run
    """
    formats = options.chart_formats(format_, theme=theme, charts=charts)
    with simulator.open_run(run) as opened:
        found = simulator.signposts(opened, outcome, observables=observable or (), until=until)
    options.finish(found, output, formats=formats, theme=theme, json=json)


def boxes(
    sweep: options.FolderArgument,
    outcome: Annotated[
        str, typer.Option(help="What is parted: crossing:NAME, crossed:NAME@2030 or effective_compute@2035.")
    ],
    before: Annotated[str | None, typer.Option(metavar="DATE", help="Of a crossing: early is before it.")] = None,
    after: Annotated[str | None, typer.Option(metavar="DATE", help="Of a crossing: late is from it on.")] = None,
    above: Annotated[float | None, typer.Option(help="Of a level, in its unit, or a probability: high.")] = None,
    below: Annotated[float | None, typer.Option(help="Of a level, in its unit, or a probability: low.")] = None,
    method: Annotated[Literal["prim", "cart"], typer.Option(help="Peel boxes, or grow a tree.")] = "prim",
    density: Annotated[float, typer.Option(help="The share of the points in a box that shall be such.")] = 0.8,
    output: options.OutputOption = FilePath("outputs"),
    charts: options.ChartsOption = True,
    format_: options.FormatOption = "png,svg",
    theme: options.ThemeOption = "light",
    json: options.JsonOption = False,
) -> None:
    """Tell where in a design an outcome comes early.

    Boxes say it, "early if a > .. and b > ..", with coverage and density, and what chance would do as well.

    Example: simulate boxes baseline-sweep --outcome crossing:1000x-gpt-4 --before 2028
    """
    formats = options.chart_formats(format_, theme=theme, charts=charts)
    found = simulator.find_boxes(
        simulator.open_sweep(sweep), outcome,
        before=before, after=after, above=above, below=below, method=method, density=density,
    )  # fmt: skip
    options.finish(found, output, formats=formats, theme=theme, json=json)


ItemArgument = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO|RUN",
        help="A scenario file or shipped name; or a run, whose scenario is read.",
        callback=options.item_option,
        autocompletion=terminal.item_names,
    ),
]
OutcomeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--outcome",
        autocompletion=terminal.outcome_names,
        help="effective_compute@2035, crossing:NAME, crossed:NAME@2030 or restricted:NAME; of actors leads:NAME@2030, "
        "lead@2030, lead_months@2030, behind:NAME@2030 or crossing:NAME:2; may be given several times.",
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
    set_: options.SetOption = None,
    output: options.OutputOption = FilePath("outputs"),
    charts: options.ChartsOption = True,
    format_: options.FormatOption = "png,svg",
    theme: options.ThemeOption = "light",
    cluster: options.ClusterOption = "",
    json: options.JsonOption = False,
) -> None:
    """Move each input to its 10 and 90 % quantile: tornados.

    What comes of it is said and drawn for each outcome.

    Example: simulate swings baseline --samples 128
    """
    from simulator.analysis.evaluation import open_scenario
    from simulator.analysis.outcomes import parse_outcomes
    from simulator.analysis.swings import check_swings

    formats = options.chart_formats(format_, theme=theme, charts=charts)
    count, asked = options.number_of_samples(samples), parse_outcomes(outcome or ())
    how = check_swings(mode, samples=count)
    read = open_scenario(item, outputs=output, overrides=set_ or (), outcomes=asked, say=options.say)
    options.warn(read.warnings)
    told = {"outcomes": asked, "mode": how, "samples": count}
    found = options.done_by(cluster, simulator.prior_swings, read.scenario, **told)
    options.finish(found, output, formats=formats, theme=theme, json=json)


def audit(
    item: ItemArgument,
    outcome: OutcomeOption = None,
    format_: Annotated[
        Literal["text", "csv", "markdown"],
        typer.Option("--format", help="What is printed; the files are audit.csv and audit.md in any case."),
    ] = "text",
    samples: DrawsOption = "1024",
    set_: options.SetOption = None,
    output: options.OutputOption = FilePath("outputs"),
    cluster: options.ClusterOption = "",
    json: options.JsonOption = False,
) -> None:
    """List every assumption, what to research next first.

    Each has its source, where it is stated, and what rests on it.

    Example: simulate audit baseline --samples 128
    """
    from simulator.analysis.evaluation import open_scenario
    from simulator.analysis.outcomes import parse_outcomes
    from simulator.analysis.shares import check_method

    count, asked = options.number_of_samples(samples), parse_outcomes(outcome or ())
    check_method("auto", samples=count)
    read = open_scenario(item, outputs=output, overrides=set_ or (), outcomes=asked, say=options.say)
    options.warn(read.warnings)
    told = {"outcomes": asked, "documents": read.documents, "samples": count}
    found = options.done_by(cluster, simulator.audit_scenario, read.scenario, **told)
    printed = {"text": "", "csv": found.tables()["audit"].to_csv(), "markdown": found.texts()["audit.md"]}
    options.finish(found, output, printed=printed[format_], json=json)


def shares(
    scenario: options.ScenarioArgument,
    outcome: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=terminal.outcome_names,
            help="A variable, or crossed:THRESHOLD, in every year or with @YEAR in one; or crossing:THRESHOLD, by "
            "the rank of the year, or restricted:THRESHOLD; of actors leads:NAME, lead, crossing:THRESHOLD:2. "
            "May be repeated. [default: effective compute]",
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
    set_: options.SetOption = None,
    seed: options.SeedOption = None,
    output: options.OutputOption = FilePath("outputs"),
    charts: options.ChartsOption = True,
    format_: options.FormatOption = "png,svg",
    theme: options.ThemeOption = "light",
    cluster: options.ClusterOption = "",
    json: options.JsonOption = False,
) -> None:
    """Share out the variance of an outcome among the priors.

    It says which assumption matters, year by year.

    Example: simulate shares baseline --samples 128
    """
    from simulator.analysis.evaluation import read_scenario
    from simulator.analysis.inputs import check_by, parse_groups
    from simulator.analysis.shares import check_method

    formats = options.chart_formats(format_, theme=theme, charts=charts)
    count, groups = options.number_of_samples(samples), parse_groups(group or ())
    check_method(method, samples=count)
    check_by(by)
    read = read_scenario(scenario, output, options.overridden(set_, None, seed), outcome or (), say=options.say)
    options.warn(read.warnings)
    told = {"outcomes": read.outcomes or None, "samples": count, "method": method, "groups": groups, "by": by}
    found = options.done_by(cluster, simulator.variance_shares, read.scenario, **told)
    options.finish(found, output, formats=formats, theme=theme, json=json)


def influence(
    run: options.RunArgument,
    outcome: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=terminal.outcome_names,
            help="effective_compute@2035, crossing:NAME, crossed:NAME@2030 or restricted:NAME; may be given several "
            "times. Without it effective compute half-way and at the end, and the first threshold ahead.",
        ),
    ] = None,
    charts: options.ChartsOption = True,
    format_: options.FormatOption = "png,svg",
    theme: options.ThemeOption = "light",
    output: options.BesideOption = None,
    json: options.JsonOption = False,
) -> None:
    """Tell from a run's samples which priors move its outcomes.

    It tells too which part early from late crossings; nothing is run again.

    Example: simulate influence latest
    """
    from simulator.analysis.outcomes import parse_outcomes

    formats = options.chart_formats(format_, theme=theme, charts=charts)
    folder, asked = options.folder_for(run, output), parse_outcomes(outcome or ())
    with simulator.open_run(run) as opened:
        options.finish(simulator.prior_influence(opened, asked), folder, formats=formats, theme=theme, json=json)
