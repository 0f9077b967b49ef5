"""The kinds of chart of a run, drawn and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import TYPE_CHECKING

from simulator.charts.palette import Theme, check_theme
from simulator.charts.spec import Figure, FigureOptions
from simulator.charts.writing import save_chart
from simulator.errors import InputError, RunFileError, near_name
from simulator.files import make_folder, write_text
from simulator.runs.groups import Group
from simulator.runs.model_counts import counted_names

if TYPE_CHECKING:
    import altair as alt
    import xarray as xr


BANDS = (0.5, 0.8, 0.9)
FORMATS = ("png", "svg", "pdf", "html")
ALL = "all"

type Draw = Callable[[xr.DataTree, FigureOptions], list[Figure]]


def _fan(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    from simulator.charts.kinds.fan import fan_figures

    return fan_figures(run, options)


def _crossings(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    from simulator.charts.kinds.crossings import crossing_figures

    return crossing_figures(run, options)


def _growth(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    from simulator.charts.kinds.growth import growth_figures

    return growth_figures(run, options)


def _binding(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    from simulator.charts.kinds.binding import binding_figures

    return binding_figures(run, options)


def _demand(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    from simulator.charts.kinds.demand import demand_figures

    return demand_figures(run, options)


def _counts(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    from simulator.charts.kinds.model_counts import count_figures

    return count_figures(run, options)


def _priors(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    from simulator.charts.kinds.priors import prior_figures

    return prior_figures(run, options)


def _posterior(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    from simulator.charts.kinds.posterior import posterior_figures

    return posterior_figures(run, options)


def _predictive(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    from simulator.charts.kinds.predictive import predictive_figures

    return predictive_figures(run, options)


def _influence(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    from simulator.charts.kinds.influence import influence_figures

    return influence_figures(run, options)


KINDS: Mapping[str, Draw] = MappingProxyType({
    "fan": _fan,
    "crossings": _crossings,
    "growth": _growth,
    "binding": _binding,
    "demand": _demand,
    "counts": _counts,
    "priors": _priors,
    "posterior": _posterior,
    "predictive": _predictive,
    "influence": _influence,
})  # fmt: skip
"""What each kind of chart is drawn by; a kind is loaded when it is drawn."""


def draw(run: xr.DataTree, kind: str, options: FigureOptions | None = None) -> list[Figure]:
    """Draw one kind of chart of a run.

    Parameters
    ----------
    run : xarray.DataTree
        From `simulate` or `open_run`.
    kind : str
        A key of `KINDS`.
    options : FigureOptions

    Raises
    ------
    InputError
        There is no such kind, or it cannot be drawn from this run.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> draw(run, "fan")[0].name
    'fan_effective_compute'
    """
    if kind not in KINDS:
        hint = near_name(kind, KINDS) or f"There are: {', '.join(KINDS)}, and all."
        raise InputError(f"--kind: no kind of chart '{kind}'. {hint}")
    return KINDS[kind](run, options or FigureOptions())


def draw_kinds(
    run: xr.DataTree, kinds: Sequence[str], options: FigureOptions, *, left_out: Callable[[str], None]
) -> list[Figure]:
    """Draw several kinds of chart; where all are asked for, those that do not apply to the run are left out.

    Parameters
    ----------
    run : xarray.DataTree
    kinds : keys of `KINDS`, or "all"
    options : FigureOptions
    left_out : function
        Called with a line that names each kind that is left out, and why.

    Raises
    ------
    InputError
        A kind that was asked for by name cannot be drawn; nor can the fan, which every run has.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run, said = simulate(load_scenario("essay-2023")), []
    >>> [figure.name for figure in draw_kinds(run, ["all"], FigureOptions(), left_out=said.append)]
    ['fan_effective_compute', 'crossings', 'growth', 'binding', 'demand_spending']
    >>> [line.partition(":")[0] for line in said]
    ['counts', 'priors', 'posterior', 'predictive', 'influence']
    """
    figures: list[Figure] = []
    for kind in dict.fromkeys(kinds):
        if kind != ALL:
            figures += draw(run, kind, options)
            continue
        for each in KINDS:
            try:
                figures += draw(run, each, options)
            except RunFileError:
                raise
            except InputError as error:
                if each == "fan":
                    raise
                left_out(f"{each}: left out: {error}")
    return list({figure.name: figure for figure in figures}.values())


def write_figures(
    run: xr.DataTree,
    folder: FilePath | str,
    *,
    kinds: Sequence[str] = (ALL,),
    options: FigureOptions | None = None,
    formats: Sequence[str] = ("png", "svg"),
    theme: str = "light",
    left_out: Callable[[str], None] | None = None,
) -> list[FilePath]:
    """Draw kinds of chart and write each with its tables and its words.

    Of a figure: one file for each format; its tables as CSV; and a text with its caption and its alternative text.

    Parameters
    ----------
    run : xarray.DataTree
    folder : path
        Made where it is not there.
    kinds : keys of `KINDS`, or "all"
    options : FigureOptions
    formats : of "png", "svg", "pdf", "html"
    theme : "light" or "dark"
    left_out : function
        Called with a line for each kind that "all" leaves out.

    Returns
    -------
    list of the files that were written

    Raises
    ------
    InputError
        A kind, format or theme is none, or a chart cannot be drawn from this run.
    SimulatorError
        The folder cannot be written.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run, folder = simulate(load_scenario("essay-2023")), getfixture("tmp_path")
    >>> sorted({path.suffix for path in write_figures(run, folder, kinds=["fan"], formats=["svg"])})
    ['.csv', '.svg', '.txt']
    """
    check_formats(formats)
    ground = check_theme(theme)
    figures = draw_kinds(run, kinds, options or FigureOptions(), left_out=left_out or (lambda _: None))
    make_folder(FilePath(folder))
    footer = f"Run {run.attrs['run_id']} of scenario {run.attrs['name']}"
    return [
        path
        for figure in figures
        for path in write_figure(figure, FilePath(folder), formats=formats, theme=ground, footer=footer)
    ]


def check_formats(formats: Sequence[str]) -> None:
    """Check the names of formats.

    Raises
    ------
    InputError
        One is not known.

    Examples
    --------
    >>> check_formats(["svg", "jpg"])
    Traceback (most recent call last):
    simulator.errors.InputError: --format: must be of png, svg, pdf, html; got 'jpg'. Did you mean 'png'?
    """
    for name in formats:
        if name not in FORMATS:
            hint = near_name(name, FORMATS)
            raise InputError(f"--format: must be of {', '.join(FORMATS)}; got {name!r}. {hint}".strip())
    if not formats:
        raise InputError(f"--format: must be one or more of {', '.join(FORMATS)}; got none.")


def write_figure(
    figure: Figure, folder: FilePath, *, formats: Sequence[str], theme: Theme = "light", footer: str = ""
) -> list[FilePath]:
    """Write one figure in formats, with its tables and its words; see `write_figures`.

    Parameters
    ----------
    figure : Figure
    folder : path of a folder that is there
    formats, theme
        As in `write_figures`.
    footer : str
        What stands at the end of an HTML page.
    """
    stills = [folder / f"{figure.name}.{name}" for name in FORMATS if name in formats and name != "html"]
    if stills:
        save_chart(figure.chart, *stills, theme=theme, alt_text=figure.alt_text)
    paths = list(stills)
    if "html" in formats:
        from simulator.charts.writing import page_text

        paths.append(folder / f"{figure.name}.html")
        write_text(paths[-1], page_text(figure, theme=theme, footer=footer))
    for name, table in figure.tables.items():
        paths.append(folder / f"{figure.name}{f'_{name}' if name else ''}.csv")
        table.save_csv(paths[-1])
    paths.append(folder / f"{figure.name}.txt")
    write_text(paths[-1], f"{figure.caption}\n\nAlternative text: {figure.alt_text}\n")
    return paths


def fan_chart(
    run: xr.DataTree, quantity: str = "effective_compute", *, bands: Sequence[float] = BANDS
) -> alt.VConcatChart:
    """Draw the fan of a variable of a run, with its thresholds and their crossing years.

    Parameters
    ----------
    run : xarray.DataTree
        From `simulate` or `open_run`.
    quantity : str
        A variable of the summary, such as `effective_compute` or `spending`.
    bands : levels of central bands, such as 0.9

    Returns
    -------
    altair.VConcatChart, whose `save` writes HTML and JSON; `save_chart` writes PNG, SVG and PDF without a browser

    Raises
    ------
    InputError
        The run has no such variable, or the levels of a band cannot be read off it.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> chart = fan_chart(simulate(load_scenario("baseline", overrides=["samples=1024"])))
    >>> type(chart).__name__
    'VConcatChart'
    """
    from simulator.charts.spec import altair_chart

    return altair_chart(draw(run, "fan", FigureOptions(quantities=(quantity,), bands=tuple(bands)))[0].chart)


def write_charts(run: Group | xr.DataTree, folder: FilePath) -> None:
    """Write the fan of the main quantity into a run folder, and its counts of models if it has any: PNG and SVG."""
    from simulator.charts.kinds.fan import fan_figures
    from simulator.charts.kinds.model_counts import count_figures

    figures = fan_figures(run, FigureOptions())
    if counted_names(run):
        figures += count_figures(run, FigureOptions())
    for figure in figures:
        paths = [folder / f"{figure.name}.{name}" for name in ("png", "svg")]
        save_chart(figure.chart, *paths, alt_text=figure.alt_text)
