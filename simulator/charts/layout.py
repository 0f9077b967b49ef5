"""What chart kinds share: rows, end labels, legends, panels, heads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.spec import Row
from simulator.errors import InputError, near_name, number
from simulator.runs.groups import Group
from simulator.runs.growth_by_driver import SUBJECTS, limits_on
from simulator.wording import percent

if TYPE_CHECKING:
    import xarray as xr

WIDTH = 600
LABEL_X = WIDTH + 32
COLUMN = 50
POWER_COLUMN = 66
NAME_CHARACTERS = 30


@dataclass(frozen=True, slots=True)
class EndLabel:
    """Label what ends at the pixel `y` of the right edge: numbers in columns, and a name in lines.

    `power` is a level in log10, written as a power of ten in the place of numbers.
    """

    y: float
    values: tuple[str, ...]
    lines: tuple[str, ...]
    color: str = style.INK
    bold: bool = False
    power: float | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """A fill: a colour of the palette, and how much of it covers the paper."""

    color: str
    opacity: float


FILLS = (
    Fill(style.BLUE, 1.0), Fill(style.VERMILION, 0.75), Fill(style.DARK_BLUE, 0.9), Fill(style.BLUE, 0.35),
    Fill(style.VERMILION, 0.3), Fill(style.QUIET, 0.6), Fill(style.QUIET, 0.25),
)  # fmt: skip
"""Neighbours differ in grey too."""


def _share_channel() -> vega.Channel:
    scale = vega.linear_scale(0, 100)
    axis = {"values": [0, 25, 50, 75, 100], "labelExpr": "datum.value + ' %'", "title": None}
    return vega.y("low", scale=scale, axis=axis)


def _label_lines(name: str, shares: Sequence[float], *, years: Sequence[float]) -> tuple[str, ...]:
    """Write the name of a limit, and when it binds most where that is long before the last year."""
    most = max(shares)
    lines = style.wrapped(name, width=NAME_CHARACTERS)
    if most > shares[-1] + 0.05:
        lines.append(f"most: {percent(most)} in {number(years[shares.index(most)])}")
    return tuple(lines)


def year_channel(years: Sequence[float], column: str = "year") -> vega.Channel:
    """Make the channel of time: from the first to the last of the years."""
    scale = vega.linear_scale(years[0], years[-1])
    return vega.x(column, scale=scale, axis=style.year_axis(years[0], years[-1]))


def area_mark(fill: Fill) -> vega.Spec:
    """Make the mark of one of several stacked areas, set apart by a fine line."""
    return {"type": "area", "color": fill.color, "opacity": fill.opacity, "stroke": style.PAPER, "strokeWidth": 0.8}


def label_height(lines: Sequence[str]) -> float:
    """Tell the height that labels of so many lines take together, with the gaps between them."""
    return (style.LINE_HEIGHT + 3.0) * len(lines)


def label_middles(labels: Sequence[EndLabel], *, height: float) -> list[float]:
    """Tell where labels stand, from the top down, each as near to its end as room allows; pixels.

    Examples
    --------
    >>> close = [EndLabel(y, (), (name,)) for y, name in ((50.0, "power"), (52.0, "data"))]
    >>> label_middles(close, height=200.0)
    [42.0, 60.0]
    """
    wanted = [min(max(label.y, 0.0), height) for label in labels]
    heights = [style.LINE_HEIGHT * len(label.lines) + 3.0 for label in labels]
    return style.spread_labels(wanted, heights=heights, top=-8.0, bottom=height + 8.0)


def end_labels(
    labels: Sequence[EndLabel], *, height: float, x: float = LABEL_X, bend: float = WIDTH + 8, indent: float = 0.0
) -> list[vega.Spec]:
    """Place labels beside the plot, with leader lines.

    Parameters
    ----------
    labels : sequence of EndLabel
        From the top down.
    height : float, pixels
        Of the plot.
    x : float, pixels
        Where the labels begin.
    bend : float, pixels
        How far the leader lines run straight.
    indent : float, pixels
        Room to leave before the names.
    """
    leaders: style.Data = []
    texts = []
    for place, (label, end) in enumerate(zip(labels, label_middles(labels, height=height), strict=True)):
        start = min(max(label.y, 0.0), height)
        corners = ((WIDTH + 2, start), (bend, start), (x - 8, end), (x - 3, end))
        leaders += [{"detail": place, "x": across, "y": down} for across, down in corners]
        right = x
        for value in label.values:
            right += COLUMN
            texts.append(style.Text([value], right - 8, end, label.color, bold=label.bold, align="right"))
        if label.power is not None:
            right += POWER_COLUMN
            texts += style.power_texts(label.power, right=right - 8, y=end, color=label.color)
        texts.append(style.Text(label.lines, right + indent, end, label.color, bold=label.bold))
    mark = {"type": "line", "color": style.QUIET, "strokeWidth": 0.8}
    return [*([style.pixel_layer(leaders, mark=mark)] if leaders else []), *style.text_layers(texts)]


def numeric(row: Row, key: str) -> float:
    """Read a number of a table.

    Raises
    ------
    InputError
        There is none, or one that is not finite.

    Examples
    --------
    >>> numeric({"limit": "power", "share": 0.65}, "share")
    0.65
    >>> numeric({"limit": "power"}, "share")
    Traceback (most recent call last):
    simulator.errors.InputError: share: must be a finite number in every row of a table; got None in ...
    """
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(
            f"{key}: must be a finite number in every row of a table; got {value!r} in {dict(row)}. "
            "A chart cannot place it: check the table that the chart is drawn from."
        )
    return float(value)


def subtitle(run: Group | xr.DataTree) -> str:
    """Name the scenario and its subject.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> subtitle(simulate(load_scenario("essay-2023")))
    'Three factors with regimes (essay, 2023): largest training run, as the essay of spring 2023 counts it'
    """
    return (
        f"{run.attrs['title']}: {run.attrs['subject']}".rstrip(" .?!:") if run.attrs["subject"] else run.attrs["title"]
    )


def chosen_subjects(run: xr.DataTree, quantities: Sequence[str], *, kind: str) -> list[str]:
    """Choose what to draw among the subjects that have limits, in the order of the model.

    Parameters
    ----------
    run : xarray.DataTree
    quantities : sequence of str
        Subjects that are asked for; none: all.
    kind : str
        The kind of chart, for the error.

    Raises
    ------
    InputError
        There are none, or not on what is asked for.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("essay-2023"))
    >>> chosen_subjects(run, [], kind="binding")
    ['spending']
    >>> chosen_subjects(run, ["hardware"], kind="binding")
    Traceback (most recent call last):
    simulator.errors.InputError: binding: hardware: no limit stands on it in this run. Limits stand on: spending
    """
    limits = limits_on(run)
    if not limits:
        raise InputError(
            f"{kind}: this run has no caps and no constraints, so there is nothing to draw. "
            "Add some to its scenario (caps under a driver, or constraints) and run it again."
        )
    for quantity in quantities:
        if quantity not in limits:
            known = quantity in SUBJECTS
            rule = "no limit stands on it" if known else "no such subject of limits"
            hint = "" if known else near_name(quantity, limits)
            raise InputError(
                f"{kind}: {quantity}: {rule} in this run. {hint or 'Limits stand on: ' + ', '.join(limits)}"
            )
    return [subject for subject in limits if subject in quantities or not quantities]


def drawn_years(summary: xr.Dataset, years: tuple[float, float] | None) -> list[int]:
    """Choose the places of the years of a run that lie within a range.

    Returns
    -------
    list of places of years, rising

    Raises
    ------
    InputError
        Fewer than two do.
    """
    every = np.asarray(summary["year"].values, dtype=np.float64)
    first, last = years or (every[0], every[-1])
    places: list[int] = np.flatnonzero((every >= first - 1e-9) & (every <= last + 1e-9)).tolist()
    if len(places) < 2:
        raise InputError(
            f"years: {number(first)} to {number(last)}: two or more years of the run must lie in it; {len(places)} do. "
            f"The run has {every.size}, {number(every[0])} to {number(every[-1])}: choose a range within them."
        )
    return places
