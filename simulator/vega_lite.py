"""The parts of a chart, as the plain data of a Vega-Lite specification.

A chart is written in the words of Vega-Lite, and nothing stands between the tables and what draws them: to load a
library of classes for it takes as long as to draw a chart. `fan_chart` gives a chart as an object of altair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

type Spec = dict[str, Any]
"""A chart, or a part of one: a view, a layer, a mark, a scale, an axis."""

type Channel = dict[str, Any]
"""What of a mark is read from which column: the name of the channel, and its definition."""

type Data = list[dict[str, object]]


def x(column: str, *, scale: Spec | None = None, axis: Spec | None = None) -> Channel:
    """Place marks along; without a scale the column holds pixels of the view.

    Examples
    --------
    >>> x("year", scale={"domain": [2025, 2045]})
    {'x': {'field': 'year', 'type': 'quantitative', 'scale': {'domain': [2025, 2045]}, 'axis': None}}
    """
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
    """Draw the rows of one table with one kind of mark.

    Examples
    --------
    >>> layer([{"x": 1, "y": 2}], x("x"), y("y"), mark={"type": "point"})["mark"]
    {'type': 'point'}
    """
    encoding = {name: definition for channel in channels for name, definition in channel.items()}
    return {"data": {"values": rows}, "mark": mark, "encoding": encoding}


def view(layers: Sequence[Spec], *, width: float, height: float) -> Spec:
    """Lay layers over one another, from the back to the front."""
    return {"layer": list(layers), "width": width, "height": height}


def side_by_side(views: Sequence[Spec], *, spacing: float) -> Spec:
    """Set views beside one another, their plots as far apart as told, whatever stands around them."""
    return {"hconcat": list(views), "spacing": spacing, "bounds": "flush"}
