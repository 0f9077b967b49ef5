"""The command that draws charts of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.charts.register import BANDS, KINDS, band_levels, year_span
from simulator.cli import options
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.runs.kinds import Kind


_BANDS = ",".join(f"{100 * level:g}" for level in BANDS)


def chart(
    run: options.RunArgument,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help=f"{', '.join(KINDS.names())}, or all; repeatable. Of a hindcast: fans, calibration, skill, or all."
        ),
    ] = None,
    quantity: Annotated[
        list[str] | None,
        typer.Option(
            help="A variable of the run, such as spending; several make small fans side by side. Of a sweep: "
            "an outcome, such as effective_compute@2035, crossing:NAME or crossed:NAME@2030."
        ),
    ] = None,
    bands: Annotated[
        str, typer.Option(help="Bands in %, such as 50,80,90; or boe (30/60/90), ipcc (66/90), hub (50/95).")
    ] = _BANDS,
    paths: Annotated[int, typer.Option(min=0, help="Draw the first samples as thin lines, e.g. 20.")] = 0,
    years: Annotated[str | None, typer.Option(metavar="FIRST-LAST", help="Years to draw, e.g. 2026-2035.")] = None,
    history: Annotated[
        FilePath | None, typer.Option(help="A CSV table of observed runs (date, value, label), drawn as dots.")
    ] = None,
    format_: options.FormatOption = "png,svg",
    theme: options.ThemeOption = "light",
    output: options.BesideOption = None,
) -> None:
    """Draw charts of a run, of a sweep, of shares or swings, or of a hindcast.

    Of a run: fans, crossings, growth, what binds, demand, counts, priors, what was learnt from history, influence.
    """
    levels, span = band_levels(bands), year_span(years) if years is not None else None
    formats = options.chart_formats(format_, theme=theme)
    folder = options.folder_for(run, output)

    from simulator.runs.kinds import kind_of

    found = kind_of(run)
    asked = {
        "--kind": kind, "--quantity": quantity, "--paths": paths, "--years": years, "--history": history,
        "--bands": bands != _BANDS,
    }  # fmt: skip
    _check_asked(run, found, [name for name, value in asked.items() if value])
    if found.name != "run":
        written = _other(run, folder, found, kind or quantity or (), formats=formats, theme=theme)
    else:
        from simulator.charts.drawing import draw_charts
        from simulator.charts.spec import FigureOptions
        from simulator.history.tables import read_points
        from simulator.runs.folder import open_run

        points = read_points(history) if history is not None else ()
        how = FigureOptions(tuple(quantity or ()), levels, paths, span, points)
        with open_run(run) as opened:
            written = draw_charts(
                opened, folder, kinds=kind or ["fan"], options=how, formats=formats, theme=theme, left_out=options.say
            )
    options.tell(map(str, written))


def _check_asked(path: FilePath, kind: Kind, asked: Sequence[str]) -> None:
    """Refuse what is not drawn, and options that are about another kind of charts."""
    if kind.name != "run" and kind.name not in _TAKEN:
        raise InputError(f"{path}: {kind.is_one}, and no chart is drawn from its folder. 'simulate show' prints it.")
    for option in asked:
        if option in _TAKEN.get(kind.name, asked):
            continue
        if (option, kind.name) == ("--kind", "sweep"):
            raise InputError("--kind: a sweep is drawn by outcome. Write --quantity crossing:NAME, or leave it out.")
        raise InputError(f"{option}: {path} {kind.is_one}, and {option} is about charts of runs. Leave it out.")


def _other(
    path: FilePath, folder: FilePath, kind: Kind, asked: Sequence[str], *, formats: Sequence[str], theme: str
) -> list[FilePath]:
    """Draw the charts of what is no run; `asked` are the outcomes of a sweep, or kinds of chart of a hindcast."""
    from simulator.charts.drawing import draw_result
    from simulator.runs.result import open_result

    with open_result(path) as result:
        written = draw_result(result, folder, formats=formats, theme=theme, asked=asked)
    if not written and kind.name == "shares":
        rule = "no chart: shares are drawn over the years, and nothing in it has shares in two years or more"
        raise InputError(f"{path}: {rule}. 'simulate show' prints what it has.")
    return written


_TAKEN: Mapping[str, tuple[str, ...]] = {
    "sweep": ("--quantity",), "hindcast": ("--kind",), "shares": (), "swings": (),
}  # fmt: skip
"""The options that a kind of folder with charts takes beside formats, theme and output; runs take all."""
