"""Drawing what a folder holds: charts of a run, or of a result that was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path as FilePath

from simulator.charts.drawing import draw_charts, draw_result
from simulator.charts.register import BANDS_TEXT, band_levels, year_span
from simulator.charts.spec import FigureOptions
from simulator.errors import InputError
from simulator.history.tables import read_points
from simulator.runs.folder import open_run
from simulator.runs.kinds import RUN, Kind, kind_of
from simulator.runs.result import open_result


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the charts of a folder, in words; a field that is not as here was asked for."""

    kind: tuple[str, ...] = ()
    quantity: tuple[str, ...] = ()
    bands: str = BANDS_TEXT
    paths: int = 0
    years: str = ""
    history: FilePath | None = None

    @property
    def options(self) -> list[str]:
        """The options by which something was asked for."""
        return [f"--{each.name}" for each in fields(self) if getattr(self, each.name) != each.default]

    def read(self) -> FigureOptions:
        """Read what is asked of the charts of a run."""
        levels, span = band_levels(self.bands), year_span(self.years) if self.years else None
        return FigureOptions(self.quantity, levels, self.paths, span, read_points(self.history) if self.history else ())


_TAKEN: Mapping[str, tuple[str, ...]] = {
    "sweep": ("--quantity",), "hindcast": ("--kind",), "shares": (), "swings": (),
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
) -> list[FilePath]:
    """Draw charts of what a folder holds, or a file: a run, or a result of which charts are drawn."""
    kind = kind_of(path)
    _check_asked(path, kind, asked.options)
    how = asked.read()
    if kind is RUN:
        with open_run(path) as run:
            kinds = asked.kind or ("fan",)
            return draw_charts(run, folder, kinds=kinds, options=how, formats=formats, theme=theme, left_out=left_out)
    with open_result(path) as result:
        written = draw_result(result, folder, formats=formats, theme=theme, asked=asked.kind or asked.quantity)
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
