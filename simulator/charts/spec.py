"""The parts of a chart, as the plain data of a Vega-Lite specification.

A chart is written in the words of Vega-Lite, and nothing stands between the tables and what draws them: to load a
library of classes for it takes as long as to draw a chart. `fan_chart` gives a chart as an object of altair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from simulator.runs.groups import RunLabel
from simulator.runs.table import Row, Table

if TYPE_CHECKING:
    import altair as alt

type Spec = dict[str, Any]
"""A chart, or a part of one: a view, a layer, a mark, a scale, an axis."""

type Channel = dict[str, Any]
"""What of a mark is read from which column: the name of the channel, and its definition."""

type Data = list[dict[str, object]]

POINTER = "pointer"
"""How the names of layers begin that only answer to a pointer: pictures leave them out."""


def x(column: str, *, scale: Spec | None = None, axis: Spec | None = None) -> Channel:
    """Place marks along; without a scale the column holds pixels of the view."""
    return {"x": {"field": column, "type": "quantitative", "scale": scale, "axis": axis}}


def y(column: str, *, scale: Spec | None = None, axis: Spec | None = None) -> Channel:
    """Place marks up and down; without a scale the column holds pixels of the view."""
    return {"y": {"field": column, "type": "quantitative", "scale": scale, "axis": axis}}


def x2(column: str) -> Channel:
    """Say where along a mark ends, on the scale of `x`."""
    return {"x2": {"field": column}}


def y2(column: str) -> Channel:
    """Say at which height a mark ends, on the scale of `y`."""
    return {"y2": {"field": column}}


def as_given(name: Literal["color", "fill", "shape", "stroke"], column: str) -> Channel:
    """Take colours or shapes from a column as they stand there."""
    return {name: {"field": column, "type": "nominal", "scale": None}}


def line_widths(column: str) -> Channel:
    """Take the widths of lines from a column, in pixels."""
    return {"strokeWidth": {"field": column, "type": "quantitative", "scale": None}}


def words(column: str) -> Channel:
    """Take texts from a column."""
    return {"text": {"field": column, "type": "nominal"}}


def one_line_each(column: str) -> Channel:
    """Draw one line for each value of a column."""
    return {"detail": {"field": column, "type": "nominal"}}


def linear_scale(first: float, last: float) -> Spec:
    """Make a scale that ends where it is told to."""
    return {"domain": [first, last], "nice": False, "zero": False}


def layer(rows: Data, *channels: Channel, mark: Spec) -> Spec:
    """Draw the rows of one table with one kind of mark."""
    encoding = {name: definition for channel in channels for name, definition in channel.items()}
    return {"data": {"values": rows}, "mark": mark, "encoding": encoding}


def pixel_layer(rows: Data, *, mark: Spec) -> Spec:
    """Draw rows that hold pixels of the view: `x`, `y`; optional `x2`, `y2`, `color`, `text`, `detail`."""
    makers: dict[str, Callable[[str], Channel]] = {
        "x": x, "y": y, "x2": x2, "y2": y2, "color": partial(as_given, "color"),
        "text": words, "detail": one_line_each,
    }  # fmt: skip
    return layer(rows, *(make(name) for name, make in makers.items() if name in rows[0]), mark=mark)


def view(layers: Sequence[Spec], *, width: float, height: float) -> Spec:
    """Lay layers over one another, from the back to the front."""
    return {"layer": list(layers), "width": width, "height": height}


def side_by_side(views: Sequence[Spec], *, spacing: float) -> Spec:
    """Set views beside one another, their plots as far apart as told, whatever stands around them."""
    return {"hconcat": list(views), "spacing": spacing, "bounds": "flush"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, the tables that it is drawn from, and what it says in words.

    Parameters
    ----------
    name : str
        The stem of its files, such as `fan_effective_compute`.
    chart : dict
        Its Vega-Lite specification.
    tables : mapping of str to Table
        Written as `<figure>.csv` where the name is empty, otherwise as `<figure>_<name>.csv`.
    caption : str
        What is seen, in plain words, with the numbers that a reader would quote.
    alt_text : str
        The same for somebody who does not see it: what kind of chart, its axes, what it shows.
    """

    name: str
    chart: Spec
    tables: Mapping[str, Table]
    caption: str
    alt_text: str


@dataclass(frozen=True, slots=True)
class FigureOptions:
    """What may be asked of a chart; each kind heeds what concerns it.

    Parameters
    ----------
    quantities : names of variables of the run; none: the kind's own choice
    bands : levels of central intervals, widest last
    paths : number of sample paths to draw (needs a run that kept its samples)
    years : first and last year to draw, or None for all
    history : rows of `date` (decimal year), `value` (not a logarithm), `label`
    """

    quantities: tuple[str, ...] = ()
    bands: tuple[float, ...] = (0.5, 0.8, 0.9)
    paths: int = 0
    years: tuple[float, float] | None = None
    history: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above a chart, and below it: the run that it is drawn from and a note, or the lines that say it."""

    title: str
    subtitle: str
    foot: RunLabel | Sequence[str] = ()
    note: str = ""


def altair_chart(chart: Spec) -> alt.VConcatChart:
    """Give a chart as an object of altair.

    `altair.VConcatChart.from_dict` tries every class of altair on every part: that takes longer than all else together.
    """
    import altair as alt

    def part(view: Spec) -> alt.Chart | alt.LayerChart | alt.HConcatChart:
        rest = {name: value for name, value in view.items() if name not in ("layer", "hconcat")}
        if "hconcat" in view:
            return alt.HConcatChart(hconcat=[part(below) for below in view["hconcat"]], **rest)
        if "layer" in view:
            return alt.LayerChart(layer=[part(below) for below in view["layer"]], **rest)
        return alt.Chart(**rest | {"encoding": alt.FacetedEncoding(**view["encoding"])})

    rest = {name: value for name, value in chart.items() if name != "vconcat"}
    return alt.VConcatChart(vconcat=[part(view) for view in chart["vconcat"]], **rest)
