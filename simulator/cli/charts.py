"""The command that draws charts of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.options import BesideOption, FormatOption, RunArgument, ThemeOption, chart_formats, folder_for
from simulator.errors import InputError, near_name

if TYPE_CHECKING:
    from simulator.charts.spec import FigureOptions
    from simulator.runs.kinds import Kind


BANDS = "50,80,90"
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
    ] = BANDS,
    paths: Annotated[int, typer.Option(min=0, help="Draw the first samples as thin lines, e.g. 20.")] = 0,
    years: Annotated[str | None, typer.Option(metavar="FIRST-LAST", help="Years to draw, e.g. 2026-2035.")] = None,
    history: Annotated[
        FilePath | None, typer.Option(help="A CSV table of observed runs (date, value, label), drawn as dots.")
    ] = None,
    format_: FormatOption = "png,svg",
    theme: ThemeOption = "light",
    output: BesideOption = None,
) -> None:
    """Draw charts of a run, of a sweep, of shares or swings, or of a hindcast.

    Of a run: fans, crossings, growth, what binds, demand, counts, priors, what was learnt from history, influence.
    """
    given = _options(quantity, bands, paths, years)
    formats = chart_formats(format_, theme=theme)
    folder = folder_for(run, output)

    from simulator.runs.kinds import kind_of

    found = kind_of(run)
    asked = {
        "--kind": kind, "--quantity": quantity, "--paths": paths, "--years": years, "--history": history,
        "--bands": bands != BANDS,
    }  # fmt: skip
    _check_asked(run, found, [name for name, value in asked.items() if value])
    if found.name == "run":
        written = _run(run, folder, kind or ["fan"], given, history, formats, theme)
    else:
        written = _other(run, folder, found, kind or quantity or (), formats=formats, theme=theme)
    for path in written:
        typer.echo(str(path))


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


def _run(
    path: FilePath,
    folder: FilePath,
    kinds: Sequence[str],
    options: FigureOptions,
    history: FilePath | None,
    formats: Sequence[str],
    theme: str,
) -> list[FilePath]:
    from dataclasses import replace

    from simulator.charts.palette import check_theme
    from simulator.charts.register import write_figures
    from simulator.runs.folder import open_run

    if history is not None:
        from simulator.history.tables import read_points

        options = replace(options, history=read_points(history))
    with open_run(path) as opened:
        return write_figures(
            opened,
            folder,
            kinds=kinds,
            options=options,
            formats=formats,
            theme=check_theme(theme),
            left_out=lambda line: typer.echo(line, err=True),
        )


def _other(
    path: FilePath, folder: FilePath, kind: Kind, asked: Sequence[str], *, formats: Sequence[str], theme: str
) -> list[FilePath]:
    """Draw the charts of what is no run; `asked` are the outcomes of a sweep, or kinds of chart of a hindcast."""
    from simulator.charts.folder import draw_result
    from simulator.runs.result import open_result

    written = draw_result(open_result(path), folder, formats=formats, theme=theme, asked=asked)
    if not written and kind.name == "shares":
        rule = "no chart: shares are drawn over the years, and nothing in it has shares in two years or more"
        raise InputError(f"{path}: {rule}. 'simulate show' prints what it has.")
    return written


_TAKEN: Mapping[str, tuple[str, ...]] = {
    "sweep": ("--quantity",), "hindcast": ("--kind",), "shares": (), "swings": (),
}  # fmt: skip
"""The options that a kind of folder with charts takes beside formats, theme and output; runs take all."""


def _options(quantity: list[str] | None, bands: str, paths: int, years: str | None) -> FigureOptions:
    """Read the options that are written as texts."""
    levels = band_levels(bands)
    span = year_span(years) if years is not None else None

    from simulator.charts.spec import FigureOptions

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
