"""The charts of a folder that a command wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import TYPE_CHECKING

from simulator.charts.palette import check_theme
from simulator.charts.register import check_formats, write_figure
from simulator.charts.spec import Figure
from simulator.files import make_folder
from simulator.registers import attribute_at

if TYPE_CHECKING:
    from simulator.runs.result import Result

DRAWN: Mapping[str, str] = MappingProxyType(
    {
        "attribution": "simulator.charts.kinds.attribution:attribution_figures",
        "comparison": "simulator.charts.kinds.comparison:compared_figures",
        "hindcast": "simulator.charts.kinds.hindcast:hindcast_figures",
        "influence": "simulator.charts.kinds.influence:outcome_figures",
        "shares": "simulator.charts.kinds.shares:share_figures",
        "sweep": "simulator.charts.kinds.sweep:swept_figures",
        "swings": "simulator.charts.kinds.swings:swing_figures",
    }
)
"""What draws the figures of a kind of result, as `module:function`; loaded when it is drawn.

The function takes the result, and where its kind offers a choice (outcomes, kinds of chart) what is asked of it.
"""


def draw_result(
    result: Result, folder: FilePath, *, formats: Sequence[str], theme: str = "light", asked: Sequence[str] = ()
) -> list[FilePath]:
    """Draw the charts of a result into a folder, which is made where there are any; give the files.

    Raises
    ------
    InputError
        A format, theme or what is asked for is none, or it cannot be drawn.
    SimulatorError
        The folder cannot be written.
    """
    check_formats(formats)
    ground = check_theme(theme)
    written: list[FilePath] = []
    for part in (result, *result.parts):
        if part.kind not in DRAWN:
            continue
        figures_of = attribute_at(DRAWN[part.kind])
        figures: list[Figure] = figures_of(part, asked) if asked else figures_of(part)
        if figures:
            make_folder(folder)
        for figure in figures:
            written += write_figure(figure, folder, formats=formats, theme=ground, footer=part.label)
    return written
