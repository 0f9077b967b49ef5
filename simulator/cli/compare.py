"""The command that compares runs and scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.options import (
    BesideOption,
    ChartsOption,
    FormatOption,
    OutputOption,
    RunArgument,
    SamplesOption,
    SeedOption,
    SetOption,
    ThemeOption,
    chart_formats,
    folder_for,
    learnt,
    number_of_samples,
)
from simulator.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from simulator.analysis.comparison import Comparison
    from simulator.scenario.resolving import Scenario


_MOST = 12
_SHARED = ("seed", "samples", "design", "block")
"""What runs must have in common for their priors to share draws."""


def compare(
    items: Annotated[
        list[str],
        typer.Argument(metavar="RUN-OR-SCENARIO...", help="Run files or folders, scenario files, or shipped names."),
    ],
    samples: SamplesOption = None,
    seed: SeedOption = None,
    output: OutputOption = FilePath("outputs"),
    charts: ChartsOption = True,
    format_: FormatOption = "png,svg",
    theme: ThemeOption = "light",
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
    formats = chart_formats(format_, theme=theme, charts=charts)
    runs = open_or_run(items, samples=samples, seed=seed, output=output, attribute=attribute)
    lines, folder = compare_runs(runs, output=output, formats=formats, theme=theme)
    if attribute:
        from simulator.analysis.attribution import attribute as attribute_difference
        from simulator.analysis.attribution import attribution_lines, write_attribution
        from simulator.charts.folder import draw_attribution
        from simulator.runs.folder import stored_scenario
        from simulator.runs.kinds import keep_lines

        found = attribute_difference(stored_scenario(runs[0]), stored_scenario(runs[1]))
        write_attribution(found, folder)
        if formats:
            draw_attribution(found, runs, folder, formats=formats, theme=theme)
        lines += attribution_lines(found)
        keep_lines(folder, "comparison", lines)
    tell(lines, folder)


def tell(lines: Sequence[str], folder: FilePath) -> None:
    """Print what `compare_runs` gave: warnings beside the output."""
    from simulator.runs.kinds import WARNING

    for line in [*lines, f"  {folder}"]:
        typer.echo(line, err=line.startswith(WARNING))


def open_or_run(
    items: Sequence[str],
    *,
    samples: str | None = None,
    seed: int | None = None,
    output: FilePath = FilePath("outputs"),
    attribute: bool = False,
) -> list[xr.DataTree]:
    """Open runs, and run scenarios on the draws of the first item, unless samples or seed are given.

    A run that kept its summary only has no draws to share; then the next item is the first.

    Parameters
    ----------
    items : sequence of str
        Run files or folders; scenario files or names of shipped scenarios.
    samples : str, optional
        Samples of the scenarios, such as "1e4".
    seed : int, optional
        Seed of the scenarios.
    output : path, optional
        The folder of run folders, in which fits of history are stored.
    attribute : bool
        Whether their difference will be attributed: mixtures are then refused.

    Raises
    ------
    InputError
        There is no such run or scenario, or it has faults. Nothing has been run then.
    """
    from simulator.engine.simulation import simulate
    from simulator.runs.folder import open_run
    from simulator.scenario.load import load_scenario
    from simulator.scenario.resolving import Scenario

    given = {} if samples is None else {"samples": str(number_of_samples(samples))}
    given |= {} if seed is None else {"seed": str(seed)}
    shared: dict[str, str] = {}
    read: list[xr.DataTree | Scenario] = []  # all of them, before one is run
    for item in items:
        if _is_run(item):
            run = open_run(item)
            stated = {key: str(run.attrs[key]) for key in _SHARED} if "trajectories" in run.children else {}
            read.append(run)
        else:
            own = load_scenario(item)
            stated = {key: str(getattr(own.spec, key)) for key in _SHARED}
            changes = [f"{key}={value}" for key, value in (shared | given).items() if stated[key] != value]
            read.append(load_scenario(item, overrides=changes) if changes else own)
        shared = shared or stated
    if attribute:
        from simulator.analysis.attribution import check_attributable

        check_attributable(read)
    return [simulate(learnt(each, output)) if isinstance(each, Scenario) else each for each in read]


def _is_run(item: str) -> bool:
    from simulator.scenario.library import shipped_names

    path = FilePath(item)
    if path.suffix in (".yaml", ".yml"):
        return False
    held = any((path / name).exists() for name in ("run.nc", "run.zarr"))
    if item in shipped_names("scenarios"):
        return held
    return held or path.suffix in (".nc", ".zarr") or len(path.parts) > 1


def compare_runs(
    runs: Sequence[xr.DataTree],
    *,
    labels: Sequence[str] | None = None,
    output: FilePath = FilePath("outputs"),
    formats: Sequence[str] = ("png", "svg"),
    theme: str = "light",
) -> tuple[list[str], FilePath]:
    """Compare runs, write the tables and charts into a folder of their own, and say what differs.

    Parameters
    ----------
    runs : sequence of xarray.DataTree
        Two to twelve; the first is what the others are held against.
    labels : sequence of str, optional
        What to call them; without it their names.
    output : path
        The folder in which `compare-<first>-<second>-<hash of the run ids>` is made.
    formats : sequence of str
        Formats of the charts; none: no charts are drawn.
    theme : {"light", "dark"}

    Returns
    -------
    lines for the terminal, warnings, which begin with `warning: `, and what differs; and the folder

    Raises
    ------
    InputError
        There are too few or too many runs.
    """
    from simulator.analysis.comparison import comparison_lines
    from simulator.runs.kinds import WARNING, keep_lines
    from simulator.scenario.differences import run_labels

    names = run_labels(runs, labels)
    folder = output / _folder_name(runs, names)
    comparison = write_comparison(runs, folder, labels=names, formats=formats, theme=theme)
    lines = [*(f"{WARNING}{warning}" for warning in comparison.warnings), *comparison_lines(comparison)]
    keep_lines(folder, "comparison", lines)
    return lines, folder


def _folder_name(runs: Sequence[xr.DataTree], names: Sequence[str]) -> str:
    from simulator.files import short_hash

    key = short_hash(*(f"{run.attrs['run_id']} {name}" for run, name in zip(runs, names, strict=True)))
    words = ["".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower()).strip("-") for name in names[:2]]
    return "-".join(["compare", *("-".join(filter(None, word.split("-")))[:40] for word in words), key])


def write_comparison(
    runs: Sequence[xr.DataTree],
    folder: FilePath,
    *,
    labels: Sequence[str] | None = None,
    formats: Sequence[str] = ("png", "svg"),
    theme: str = "light",
) -> Comparison:
    """Write what differs between runs into a folder: `inputs.csv`, `results.csv`, and charts with their tables.

    Parameters
    ----------
    runs, labels, formats, theme
        As in `compare_runs`.
    folder : path
        Made where it is not there.
    """
    from simulator.analysis.comparison import compare_results
    from simulator.files import make_folder, write_table

    comparison = compare_results(runs, labels=labels)
    make_folder(folder)
    write_table(folder / "inputs.csv", comparison.inputs)
    write_table(folder / "results.csv", comparison.results)
    if formats:
        _write_charts(runs, folder, comparison.labels, formats=formats, theme=theme)
    return comparison


def _write_charts(
    runs: Sequence[xr.DataTree], folder: FilePath, labels: Sequence[str], *, formats: Sequence[str], theme: str
) -> None:
    from simulator.charts.kinds.comparison import comparison_figures
    from simulator.charts.palette import check_theme
    from simulator.charts.register import write_figure
    from simulator.charts.spec import FigureOptions

    named = zip(runs, labels, strict=True)
    footer = "Runs " + ", ".join(f"{run.attrs['run_id']} ({label})" for run, label in named)
    for figure in comparison_figures(runs, FigureOptions(), labels=labels):
        write_figure(figure, folder, formats=formats, theme=check_theme(theme), footer=footer)


def reweight(
    run: RunArgument,
    set_: SetOption = None,
    output: BesideOption = None,
) -> None:
    """Give the headline numbers of a run under other priors by weighing its samples; nothing is run again."""
    if not set_:
        raise InputError(
            "reweight: needs a prior to change, for example --set drivers.spending.growth[0].rate.median=2.6."
        )

    from simulator.analysis.reweighting import headline_lines, headline_table
    from simulator.analysis.reweighting import reweight as weigh
    from simulator.files import make_folder, write_table
    from simulator.runs.folder import open_run
    from simulator.runs.groups import group

    folder = folder_for(run, output)
    with open_run(run) as opened:
        weights = weigh(opened, dict(_parted(text) for text in set_))
        rows = headline_table(opened, weights.values)
        horizon = float(group(opened, "summary")["year"].values[-1])
        count = weights.values.size
    typer.echo(f"run {opened.attrs['run_id']}, before -> after: {', '.join(set_)}")
    for line in headline_lines(rows, horizon=horizon):
        typer.echo(line)
    typer.echo(
        f"  {count:,} samples are worth {weights.effective:,.0f} ({100 * weights.effective / count:.0f} %); "
        f"the largest weight is {100 * weights.largest:.2g} %"
    )
    make_folder(folder)
    write_table(folder / "reweighted.csv", rows)
    typer.echo(f"  {folder / 'reweighted.csv'}")


def _parted(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set {text}: must be path=value, for example drivers.spending.growth[0].rate.median=3.")
    return path.strip(), value
