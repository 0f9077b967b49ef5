"""The commands that tell which assumption matters: swings and the audit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from simulator.cli_options import (
    ChartsOption,
    FormatOption,
    OutputOption,
    SetOption,
    ThemeOption,
    chart_formats,
    folder_beside,
    learnt,
    number_of_samples,
    warn,
)
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.documents import Document
    from simulator.outcomes import Outcome
    from simulator.scenario import Scenario

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

    from simulator.chart_palette import check_theme
    from simulator.swings import check_samples, checked_mode, prior_swings
    from simulator.swings_folder import write_swings
    from simulator.swings_text import swing_lines

    chosen, count, asked = checked_mode(mode), number_of_samples(samples), _outcomes(outcome)
    check_samples(count)
    scenario, _ = open_scenario(item, overrides=set_ or [], output=output, outcomes=asked)
    found = prior_swings(scenario, outcomes=asked, mode=chosen, samples=count)
    folder = write_swings(found, output, formats=formats, theme=check_theme(theme))
    for line in [*swing_lines(found), f"  {folder}"]:
        typer.echo(line)


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
    from simulator.audit import audit as audited
    from simulator.audit_text import audit_lines, audit_markdown, audit_table
    from simulator.files import make_folder, write_table, write_text
    from simulator.folders import keep_lines
    from simulator.variance_shares import check_method

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
    from simulator.outcomes import parse_outcome

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
    from simulator.provenance import lineage
    from simulator.scenario import load_scenario

    path = FilePath(item)
    if path.suffix in (".yaml", ".yml") or not (path.exists() or path.suffix in (".nc", ".zarr")):
        scenario = learnt(load_scenario(item, overrides=overrides), output, outcomes=outcomes)
        warn(scenario.warnings)
        return scenario, lineage(item) if len(scenario.components) == 1 else ()
    if overrides:
        raise InputError(
            f"{item}: is a run, whose scenario is taken as it is. For --set, name the scenario: "
            f"{folder_beside(path)}/scenario.yaml holds it."
        )
    from dataclasses import replace

    from simulator.outputs import open_run, run_path, stored_scenario_text
    from simulator.scenario import parse_scenario

    with open_run(path) as run:
        text, changed = stored_scenario_text(run), str(run.attrs.get("overrides", "")).splitlines()
    scenario = parse_scenario(text, file=str(run_path(path).parent / "scenario.yaml"))
    return replace(scenario, overrides=tuple(changed)), ()
