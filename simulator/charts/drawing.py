"""Drawing the charts of a run, of a result or of what a folder holds, each written with its tables and its words."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from simulator.addresses import as_path
from simulator.charts.register import (
    ALL,
    BANDS,
    BANDS_TEXT,
    KINDS,
    RESULTS,
    Size,
    Theme,
    band_levels,
    check_formats,
    check_theme,
    year_span,
)
from simulator.charts.spec import Figure, FigureOptions, altair_chart
from simulator.charts.writing import OWN_SIZE, Saver, page_text, save_chart, vega_text
from simulator.errors import InputError, NothingToDraw, RunFileError, SimulatorError, near_or_all
from simulator.files import make_folder, write_text
from simulator.registers import attribute_at
from simulator.runs.folder import open_run
from simulator.runs.groups import Group, Run
from simulator.runs.kinds import RUN, Kind, kind_of
from simulator.runs.model_counts import counted_names
from simulator.runs.result import open_result

if TYPE_CHECKING:
    import altair as alt

    from simulator.runs.result import Result


def draw(run: Run, kind: str, options: FigureOptions | None = None) -> list[Figure]:
    """Draw one kind of chart of a run."""
    if kind not in KINDS:
        hint = near_or_all(kind, KINDS, more=", and all")
        raise InputError(f"--kind: no kind of chart '{kind}'. {hint}")
    if kind == ALL:
        rule = "an installed package offers a kind of chart by this name, which stands for every kind"
        raise InputError(f"--kind {ALL}: {rule}. Its package must give it another.")
    return KINDS.find(kind, entry=f"--kind {kind}")(run, options or FigureOptions())


def draw_kinds(
    run: Run, kinds: Sequence[str], options: FigureOptions, *, left_out: Callable[[str], None]
) -> list[Figure]:
    """Draw several kinds of chart; where all are asked for, those of which the run has nothing are passed over.

    `left_out` is told of one that cannot be drawn for another reason. A kind that is asked for by name is never left
    out; nor is the fan.
    """
    figures: list[Figure] = []
    asked = [(each, kind == ALL) for kind in dict.fromkeys(kinds) for each in (KINDS if kind == ALL else [kind])]
    for kind, one_of_all in asked:
        try:
            figures += draw(run, kind, options)
        except InputError as error:
            if not one_of_all or kind == "fan" or isinstance(error, RunFileError):
                raise
            if isinstance(error, NothingToDraw):
                continue
            left_out(f"{kind}: left out: {error}")
    return list({figure.name: figure for figure in figures}.values())


def draw_charts(
    run: Run,
    folder: FilePath | str,
    *,
    kinds: Sequence[str] = (ALL,),
    options: FigureOptions | None = None,
    formats: Sequence[str] = ("png", "svg"),
    theme: str = "light",
    left_out: Callable[[str], None] | None = None,
    size: Size = OWN_SIZE,
) -> list[FilePath]:
    """Draw kinds of chart of a run into a folder, each with its tables and its words.

    Of a figure: one file for each format; its tables as CSV; and a text with its caption and its alternative text.

    Parameters
    ----------
    run : xarray.DataTree
        From `simulate` or `open_run`.
    folder : path
        Made where it is not there.
    kinds : sequence of str
        "fan", "crossings", "growth", "binding", "demand", "counts", "priors", "posterior", "predictive", "influence",
        or what a package offers under the entry points `simulator.chart_kinds`; "all" is each that applies.
    options : FigureOptions
        Quantities, bands, years, paths, observed runs; each kind heeds what concerns it.
    formats : of "png", "svg", "pdf", "html", "vega"
    theme : "light" or "dark"
    left_out : function of str
        Called with a line for each kind that "all" leaves out.
    size : Size
        How large pictures are.

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
    >>> sorted({path.suffix for path in draw_charts(run, folder, kinds=["fan"], formats=["svg"])})
    ['.csv', '.svg', '.txt']
    """
    check_formats(formats)
    ground = check_theme(theme)
    figures = draw_kinds(run, kinds, options or FigureOptions(), left_out=left_out or (lambda _: None))
    footer = f"Run {run.attrs['run_id']} of scenario {run.attrs['name']}"
    return write_figures(figures, as_path(folder), formats=formats, theme=ground, footer=footer, size=size)


def draw_result(
    result: Result,
    folder: FilePath,
    *,
    formats: Sequence[str],
    theme: str = "light",
    asked: Sequence[str] = (),
    size: Size = OWN_SIZE,
) -> list[FilePath]:
    """Draw the charts of a result into a folder, each with its tables and its words.

    Parameters
    ----------
    result : Result
    folder : path
        Made where there are charts.
    formats : of "png", "svg", "pdf", "html", "vega"
    theme : {"light", "dark"}
    asked : sequence of str
        Outcomes or kinds of chart, where the kind of result offers a choice; all without it.
    size : Size
        How large pictures are.

    Returns
    -------
    list of the files that were written; empty where nothing of it is drawn

    Raises
    ------
    InputError
        There is no such format or theme, or no such chart.

    Examples
    --------
    >>> from simulator import compare_runs, load_scenario, simulate
    >>> runs = [simulate(load_scenario(name)) for name in ("essay-2023", "essay-2023-realistic")]
    >>> written = draw_result(compare_runs(runs), getfixture("tmp_path"), formats=["svg"])
    >>> written[0].name
    'comparison_effective_compute.svg'
    """
    check_formats(formats)
    ground = check_theme(theme)
    written: list[FilePath] = []
    for part in (result, *result.parts):
        if part.kind in RESULTS:
            figures_of = attribute_at(RESULTS[part.kind])
            figures: list[Figure] = figures_of(part, asked) if asked else figures_of(part)
            written += write_figures(figures, folder, formats=formats, theme=ground, footer=part.label, size=size)
    return written


_PICTURES = ("png", "svg", "pdf")


def write_figures(
    figures: Sequence[Figure],
    folder: FilePath,
    *,
    formats: Sequence[str],
    theme: Theme = "light",
    footer: str = "",
    size: Size = OWN_SIZE,
) -> list[FilePath]:
    """Write figures in formats, with their tables and words; `footer` stands at the end of an HTML page."""
    written: list[FilePath] = []
    for figure in figures:
        make_folder(folder)
        paths = [folder / f"{figure.name}.{name}" for name in _PICTURES if name in formats]
        if paths:
            save_chart(figure.chart, *paths, theme=theme, alt_text=figure.alt_text, size=size)
        if "vega" in formats:
            paths.append(folder / f"{figure.name}.vl.json")
            write_text(paths[-1], vega_text(figure.chart, theme=theme))
        if "html" in formats:
            paths.append(folder / f"{figure.name}.html")
            write_text(paths[-1], page_text(figure, theme=theme, footer=footer))
        for name, table in figure.tables.items():
            paths.append(folder / f"{figure.name}{f'_{name}' if name else ''}.csv")
            table.save_csv(paths[-1])
        paths.append(folder / f"{figure.name}.txt")
        write_text(paths[-1], f"{figure.caption}\n\nAlternative text: {figure.alt_text}\n")
        written += paths
    return written


def fan_chart(run: Run, quantity: str = "effective_compute", *, bands: Sequence[float] = BANDS) -> alt.VConcatChart:
    """Draw the fan of a variable of a run, with its thresholds and their crossing years.

    Parameters
    ----------
    run : xarray.DataTree
        From `simulate` or `open_run`.
    quantity : str
        A variable of the summary, such as `effective_compute` or `spending`.
    bands : sequence of float
        Levels of one to three central bands, such as 0.9.

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
    >>> chart = fan_chart(simulate(load_scenario("essay-2023")), "spending")
    >>> type(chart).__name__
    'VConcatChart'
    """
    return altair_chart(draw(run, "fan", FigureOptions(quantities=(quantity,), bands=tuple(bands)))[0].chart)


STANDING = (".png", ".svg")
"""The formats of the charts that stand in a run folder."""


def begin_charts(run: Group, save: Saver) -> None:
    """Let the fan of a run be drawn while the run is written; what cannot be drawn is told when it is saved."""
    from simulator.charts.kinds.fan import fan_figures

    with contextlib.suppress(SimulatorError):
        figure = fan_figures(run, FigureOptions())[0]
        save.begin(figure.chart, *STANDING, alt_text=figure.alt_text)


def write_charts(run: Group | Run, folder: FilePath, save: Saver | None = None) -> None:
    """Write the fan of the main quantity into a run folder, and its counts of models if it has any: PNG and SVG."""
    from simulator.charts.kinds.fan import fan_figures
    from simulator.charts.kinds.model_counts import count_figures

    counts = count_figures(run, FigureOptions()) if counted_names(run) else []
    for figure in (*fan_figures(run, FigureOptions()), *counts):
        paths = [folder / f"{figure.name}{suffix}" for suffix in STANDING]
        (save or Saver())(figure.chart, *paths, alt_text=figure.alt_text)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the charts of a folder, in words; a field that is not as here was asked for."""

    kind: tuple[str, ...] = ()
    quantity: tuple[str, ...] = ()
    bands: str = BANDS_TEXT
    paths: int = 0
    years: str | None = None
    history: FilePath | None = None

    @property
    def options(self) -> list[str]:
        """The options by which something was asked for."""
        return [f"--{each.name}" for each in fields(self) if getattr(self, each.name) != each.default]

    def read(self) -> FigureOptions:
        """Read what is asked of the charts of a run."""
        from simulator.history.exports import observed_points

        levels, span = band_levels(self.bands), None if self.years is None else year_span(self.years)
        return FigureOptions(
            self.quantity, levels, self.paths, span, observed_points(self.history) if self.history else ()
        )


_TAKEN: Mapping[str, tuple[str, ...]] = {
    "sweep": ("--quantity",), "hindcast": ("--kind",), "shares": (), "swings": (), "condition": (),
    "signposts": (), "moved": (), "boxes": (),
}  # fmt: skip
"""The options that a kind of folder with charts takes beside formats, theme and output; runs take all."""


def draw_stored(
    path: FilePath,
    folder: FilePath,
    asked: Asked,
    *,
    formats: Sequence[str],
    theme: str,
    left_out: Callable[[str], None],
    size: Size = OWN_SIZE,
) -> list[FilePath]:
    """Draw charts of what a folder holds, or a file: a run, or a result of which charts are drawn."""
    kind = kind_of(path)
    _check_asked(path, kind, asked.options)
    how = asked.read()
    if kind is RUN:
        with open_run(path) as run:
            kinds = asked.kind or ("fan",)
            return draw_charts(
                run, folder, kinds=kinds, options=how, formats=formats, theme=theme, left_out=left_out, size=size
            )
    with open_result(path) as result:
        written = draw_result(
            result, folder, formats=formats, theme=theme, asked=asked.kind or asked.quantity, size=size
        )
    if not written and kind.name == "shares":
        rule = "no chart: shares are drawn over the years, and nothing in it has shares in two years or more"
        raise InputError(f"{path}: {rule}. 'simulate show' prints what it has.")
    return written


def _check_asked(path: FilePath, kind: Kind, asked: Sequence[str]) -> None:
    """Refuse what is not drawn, and options that are about another kind of charts."""
    if kind is not RUN and kind.name not in _TAKEN:
        raise InputError(f"{path}: {kind.is_one}, and no chart is drawn from its folder. 'simulate show' prints it.")
    for option in asked:
        if option in _TAKEN.get(kind.name, asked):
            continue
        if (option, kind.name) == ("--kind", "sweep"):
            raise InputError("--kind: a sweep is drawn by outcome. Write --quantity crossing:NAME, or leave it out.")
        raise InputError(f"{option}: {path} {kind.is_one}, and {option} is about charts of runs. Leave it out.")
