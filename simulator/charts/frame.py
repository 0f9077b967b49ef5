"""The frame of a chart over the years: both axes, pixels, and numbers read from the rows of tables."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from simulator.charts import spec, style
from simulator.charts.layout import Marks, fill_mark
from simulator.charts.ticks import plain_text, plain_ticks, power_ticks, year_axis
from simulator.errors import InputError, number
from simulator.runs.table import Table
from simulator.wording import BEYOND, told_unit

EVERYDAY = (-2.5, 4.5)
"""The log10 of numbers that people write out."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame of a plot: years along, a quantity up, on a log scale or a plain one."""

    first: float
    last: float
    lower: float
    upper: float
    height: float
    gutter: float
    width: float
    log: bool = True
    size: float = 0.0
    """The log10 of the unit in which its numbers are told."""

    def told_in(self, level: float, unit: str) -> tuple[Frame, str]:
        """Tell its numbers in the unit in which people tell a level, where they are everyday ones then; and name it."""
        size, name = told_unit(level, unit) if self.log else (0.0, unit)
        told = replace(self, size=size)
        return (told, name) if size and told.everyday else (self, unit)

    @property
    def everyday(self) -> bool:
        """Whether the numbers of a log axis are such as people write out."""
        return self.lower - self.size >= EVERYDAY[0] and self.upper - self.size <= EVERYDAY[1]

    def pixel(self, level: float) -> float:
        """Place a level, from the top of the plot."""
        return (self.upper - level) / (self.upper - self.lower) * self.height

    def pixel_x(self, year: float) -> float:
        """Place a year, from the left edge of the plot."""
        return (year - self.first) / (self.last - self.first) * self.width

    def x(self, column: str) -> spec.Channel:
        """Encode years."""
        scale = spec.linear_scale(self.first, self.last)
        axis = year_axis(self.first, self.last, most=12 if self.width > 400 else 6)
        return spec.x(column, scale=scale, axis=axis)

    def y(self, column: str) -> spec.Channel:
        """Encode levels; the labels of the axis are the `texts` of the frame."""
        scale = spec.linear_scale(self.lower, self.upper)
        axis = {"values": self.ticks(), "labels": False, "title": None}
        return spec.y(column, scale=scale, axis=axis)

    def ticks(self) -> list[float]:
        """Choose the ticks of the quantity."""
        most = 9 if self.height > 260 else 6
        choose = power_ticks if self.log else plain_ticks
        return [tick + self.size for tick in choose(self.lower - self.size, self.upper - self.size, most=most)]

    def texts(self) -> list[style.Text]:
        """Write the numbers at the ticks of the quantity."""
        return [text for tick in self.ticks() for text in self.level_texts(tick, right=-9, y=self.pixel(tick))]

    def level_texts(self, level: float, *, right: float, y: float, color: str = style.INK) -> list[style.Text]:
        """Write a level so that it ends at the pixel `right`; powers of ten but for an axis of everyday numbers."""
        level -= self.size
        if self.log and not (self.everyday and EVERYDAY[0] <= level <= EVERYDAY[1]):
            return style.power_texts(level, right=right, y=y, color=color)
        number = plain_text(10.0**level if self.log else level)
        return [style.Text([number], right, y, color, align="right")]

    def bands(self, rows: spec.Data, *, levels: Sequence[int], clip: bool = False) -> list[spec.Spec]:
        """Draw bands between columns such as `lower_90` and `upper_90`, the widest first; `clip`: at the edges."""
        more = {"clip": True} if clip else {}
        return [
            spec.layer(rows, self.x("year"), self.y(f"lower_{level}"), spec.y2(f"upper_{level}"), mark=mark | more)
            for mark, level in zip(map(fill_mark, style.band_tints(len(levels))), levels, strict=True)
        ]

    def pointer_layer(self, rows: spec.Data, *, columns: Sequence[tuple[str, str]], name: str) -> spec.Spec:
        """Draw strips (`from`, `to`, `y`, `y2`) that are seen only under the pointer, and then say columns."""
        said = [{"field": column, "type": "nominal", "title": title} for column, title in columns]
        hidden: spec.Channel = {"tooltip": said, "opacity": {"value": 0}}
        places = (self.x("from"), spec.x2("to"), spec.y("y"), spec.y2("y2"))
        mark = {"type": "rect", "color": style.INK}
        return {"name": f"{spec.POINTER}_{name}", **spec.layer(rows, *places, hidden, mark=mark)}

    def held(self, table: Table, *names: str) -> spec.Data:
        """Give the rows of a table, levels beyond any number at the top of the axis."""
        return [{**row, **{name: min(row[name], self.upper) for name in names}} for row in table.rows()]

    def holds(self, level: float) -> bool:
        """Say whether a level is on the axis."""
        return self.lower <= level <= self.upper

    def covers(self, year: float) -> bool:
        """Say whether a year is on the axis."""
        return self.first <= year <= self.last


def beyond_said(*columns: Container[object]) -> list[str]:
    """Say in a sentence where levels beyond any number (+inf) stand; nothing where there are none."""
    said = "What lies beyond any number stands at the top: in some samples growth has no bound."
    return [said] if any(math.inf in levels for levels in columns) else []


def crossing_text(year: float, *, start: float = -math.inf, last: float = math.inf) -> str:
    """Write the year of a crossing, rounded, or that it is outside the years of a run.

    >>> crossing_text(2031.7), crossing_text(2025.5, start=2025.5), crossing_text(math.inf, last=2045)
    ('2031.7', '≤ 2025.5', '> 2045')
    """
    if year == math.inf:
        return f"> {number(last)}"
    if year <= start:
        return f"≤ {number(start)}"
    return f"{year:.1f}"


@dataclass(frozen=True, slots=True)
class Interval:
    """Two intervals of a crossing year at the pixel `y`, each a pair of ends; inf is later than the horizon."""

    y: float
    wide: tuple[float, float]
    narrow: tuple[float, float]
    color: str = ""
    thickness: tuple[float, float] = (2, 7)


def interval_layers(intervals: Sequence[Interval], *, frame: Frame) -> list[spec.Spec]:
    """Draw intervals as a thick line on a thin one; what goes on beyond the last year has an arrow at the edge."""
    first, last = frame.first, frame.last
    bars: spec.Data = []
    arrows: spec.Data = []
    for each in intervals:
        for (lower, upper), thickness in zip((each.wide, each.narrow), each.thickness, strict=True):
            if lower <= last and upper >= first:
                row: dict[str, object] = {"y": each.y, "from": max(lower, first), "to": min(upper, last)}
                bars.append(row | {"width": thickness} | ({"color": each.color} if each.color else {}))
        if max(each.wide[1], each.narrow[1]) > last:
            arrows.append({"x": frame.width + 5, "y": each.y})
    channels = [frame.x("from"), spec.x2("to"), spec.y("y"), spec.line_widths("width")]
    mark: spec.Spec = {"type": "rule"}
    if any(each.color for each in intervals):
        channels.append(spec.as_given("stroke", "color"))
    else:
        mark["color"] = style.VERMILION
    # Drawn even where it is empty, for it carries the axis.
    layers = [spec.layer(bars, *channels, mark=mark)]
    return [*layers, spec.pixel_layer(arrows, mark=style.arrow_mark())] if arrows else layers


def strip_view(
    marks: Marks, intervals: Sequence[Interval], over: Sequence[spec.Spec], entries: Sequence[style.LegendEntry], *,
    frame: Frame, edges: Sequence[float], right: float, legend_y: float,
) -> spec.Spec:  # fmt: skip
    """Set intervals of crossing years in rows between edges, up to the pixel `right`; texts are those of the marks."""
    left = -frame.gutter
    for edge in edges:
        marks.add("rules", x=left, x2=right, y=edge)
    layers = marks.layers(*interval_layers(intervals, frame=frame), *over)
    layers += style.legend_layers(entries, x=left, y=legend_y)
    return spec.view(layers, width=frame.width, height=edges[-1])


def check_numbers(table: Table, *names: str, of: str, open_ended: bool = False, beyond: bool = False) -> None:
    """Refuse a table with a row in which a column has no finite number.

    `open_ended`: +inf and nothing are let pass; `beyond`: levels beyond any number are, +inf.
    """
    for row in table.rows():
        for name in names:
            value = row.get(name)
            if isinstance(value, float | int) and not isinstance(value, bool) and math.isfinite(value):
                continue
            if not (open_ended and name in row and value in (None, math.inf)):
                if value == math.inf and beyond:
                    continue
                if value == math.inf and name != "year":
                    raise InputError(
                        f"{of}: {name}: is beyond 10^{BEYOND:g} in the row {row}, and this chart has no place for it: "
                        "samples explode, as the run's warnings say. Draw the years before: --years."
                    )
                given = "nothing" if value is None else repr(value)
                raise InputError(
                    f"{of}: {name}: must be a finite number in every row; got {given} in {row}. "
                    "A chart cannot place it: check the table that the chart is drawn from."
                )


def check_texts(table: Table, *names: str) -> None:
    """Refuse a table with a row in which a column has no text."""
    for row in table.rows():
        for name in names:
            if not isinstance(row.get(name), str):
                raise InputError(f"{name}: must be a text in every row; got {row.get(name)!r} in {row}.")


def check_years(table: Table, *, of: str = "medians") -> None:
    """Refuse a table whose years are fewer than two, or do not ascend."""
    check_numbers(table, "year", of=of)
    years = table["year"].tolist() if len(table) else []
    if len(years) < 2 or years != sorted(set(years)):
        given = ", ".join(map(number, years[:5])) or "none"
        raise InputError(f"{of}: year: must be two or more years in ascending order; got {given}.")
