"""The command that draws charts of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli_options import BesideOption, FormatOption, RunArgument, ThemeOption, chart_formats, folder_for
from simulator.errors import InputError, near_name

if TYPE_CHECKING:
    from simulator.figure import FigureOptions

BAND_PRESETS = {"boe": (0.3, 0.6, 0.9), "ipcc": (0.66, 0.9), "hub": (0.5, 0.95)}
"""Bands as banks, climate assessments and forecast hubs draw them."""


def chart(
    run: RunArgument,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help="fan, crossings, growth, binding, demand, counts, priors, posterior, predictive, influence, or all; "
            "repeatable. Of a hindcast: fans, calibration, skill, or all."
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
    ] = "50,80,90",
    paths: Annotated[int, typer.Option(min=0, help="Draw the first samples as thin lines, e.g. 20.")] = 0,
    years: Annotated[str | None, typer.Option(metavar="FIRST-LAST", help="Years to draw, e.g. 2026-2035.")] = None,
    history: Annotated[
        FilePath | None, typer.Option(help="A CSV table of observed runs (date, value, label), drawn as dots.")
    ] = None,
    format_: FormatOption = "png,svg",
    theme: ThemeOption = "light",
    output: BesideOption = None,
) -> None:
    """Draw charts of a run, of a sweep, or of a hindcast.

    Of a run: fans, crossings, growth, what binds, demand, counts, priors, what was learnt from history, influence.
    """
    given = _options(quantity, bands, paths, years)
    formats = chart_formats(format_, theme=theme)
    folder = folder_for(run, output)
    if (run / "forecasts.csv").is_file():
        asked = {"--quantity": quantity, "--paths": paths, "--years": years, "--history": history}
        _hindcast(run, kind, [name for name, value in asked.items() if value], formats, theme, folder)
        return

    from dataclasses import replace

    from simulator.figures import write_figures
    from simulator.outputs import open_run
    from simulator.sweep_files import is_sweep

    if is_sweep(run):
        if kind:
            raise InputError("--kind: a sweep is drawn by outcome. Write --quantity crossing:NAME, or leave it out.")
        from simulator.cli_sweep import draw_sweep

        draw_sweep(run, outcomes=quantity or (), formats=formats, theme=theme, output=folder)
        return
    if history is not None:
        from simulator.history_points import read_points

        given = replace(given, history=read_points(history))
    with open_run(run) as opened:
        written = write_figures(
            opened,
            folder,
            kinds=kind or ["fan"],
            options=given,
            formats=formats,
            theme=theme,
            left_out=lambda line: typer.echo(line, err=True),
        )
    for path in written:
        typer.echo(str(path))


def _hindcast(
    path: FilePath,
    kind: list[str] | None,
    asked: list[str],
    formats: Sequence[str],
    theme: str,
    output: FilePath,
) -> None:
    """Draw charts of a hindcast."""
    if asked:
        raise InputError(f"{asked[0]}: {path} is a hindcast, and {asked[0]} is about charts of runs. Leave it out.")

    from simulator.figure_hindcast import write_hindcast_figures
    from simulator.hindcast_folder import open_hindcast

    stored = open_hindcast(path)
    for written in write_hindcast_figures(stored, output, kinds=kind or ["all"], formats=formats, theme=theme):
        typer.echo(str(written))


def _options(quantity: list[str] | None, bands: str, paths: int, years: str | None) -> FigureOptions:
    """Read the options that are written as texts."""
    levels = band_levels(bands)
    span = year_span(years) if years is not None else None

    from simulator.figure import FigureOptions

    return FigureOptions(quantities=tuple(quantity or ()), bands=levels, paths=paths, years=span)


def band_levels(text: str) -> tuple[float, ...]:
    """Read the levels of bands: a preset, or percentages with commas between them.

    Raises
    ------
    InputError
        It is neither.

    Examples
    --------
    >>> band_levels("ipcc"), band_levels("80,50")
    ((0.66, 0.9), (0.5, 0.8))
    """
    word = text.strip().lower()
    if word in BAND_PRESETS:
        return BAND_PRESETS[word]
    try:
        levels = sorted({round(float(part) / 100, 6) for part in word.replace("%", "").split(",") if part.strip()})
    except ValueError:
        levels = []
    if not 1 <= len(levels) <= 3 or not all(0 < level < 1 for level in levels):
        written = {name: "/".join(f"{100 * level:g}" for level in preset) for name, preset in BAND_PRESETS.items()}
        presets = ", ".join(f"{name} ({percents})" for name, percents in written.items())
        raise InputError(
            f"--bands: must be one to three percentages between 0 and 100, or one of {presets}; got {text!r}. "
            f"Write for example 50,80,90. {near_name(word, BAND_PRESETS)}".rstrip()
        )
    return tuple(levels)


def year_span(text: str) -> tuple[float, float]:
    """Read a span of years.

    Raises
    ------
    InputError
        It is none.

    Examples
    --------
    >>> year_span("2026-2035.5")
    (2026.0, 2035.5)
    """
    first, _, last = text.replace("–", "-").partition("-")
    try:
        span = float(first), float(last)
    except ValueError:
        span = (0.0, 0.0)
    if not 0 < span[0] < span[1] < 10_000:
        raise InputError(f"--years: must be a first and a later last year, as 2026-2035; got {text!r}.")
    return span
