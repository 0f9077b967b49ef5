"""Charts of a sweep: heat maps over two of its axes, and lines or strips along one."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.outcomes import Outcome
from simulator.analysis.sweep_tables import (
    SweptAxis,
    axis_heading,
    axis_value,
    is_log,
    outcome_rows,
    sweep_outcomes,
    swept_axes,
    swept_words,
    value_text,
)
from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.kinds.sweep_lines import MOST_LINES, Lines, Scale, draw_lines, draw_strips
from simulator.charts.spec import Figure, Row
from simulator.charts.style import Text
from simulator.errors import InputError
from simulator.runs.groups import group
from simulator.wording import number_in

if TYPE_CHECKING:
    import xarray as xr

RAMP = (*style.band_tints(3), style.BLUE, style.DARK_BLUE)
"""Colours of the classes of a scale, from the least; they ascend in grey too, on paper and on a dark ground."""
PALE = 3
"""How many of them are pale enough for dark text."""
WIDTH, HEIGHT = 640.0, 330.0
MOST_LABEL = 210.0
HATCH = 7.0
GAP = 1.5
BESIDE, WIDEST = 36.0, 980.0


@dataclass(frozen=True, slots=True)
class Heat:
    """What a heat map is drawn from.

    Parameters
    ----------
    rows : rows (cell,)
        `panel`, `x`, `y` (places along the axes), `class` (place in `RAMP`, or None beyond the horizon), `text`,
        `interval`.
    x_labels, y_labels : the values along the axes, from the left and from below
    x_heading, y_heading : the axes' names
    panels : headings of the maps; one empty heading where there is one map
    classes : what each colour stands for, with its place in `RAMP`
    beyond : what hatched cells stand for, or empty
    """

    rows: Sequence[Row]
    x_labels: Sequence[str]
    y_labels: Sequence[str]
    x_heading: str
    y_heading: str
    panels: Sequence[str]
    classes: Sequence[tuple[int, str]]
    beyond: str = ""


def draw_heat(heat: Heat, *, title: str, subtitle: str, foot: Sequence[str]) -> vega.Spec:
    """Draw a heat map, or several smaller ones on one scale, two beside one another where they have room.

    Cells beyond the horizon are hatched and say so. The interval of a cell is written where it fits.

    Examples
    --------
    >>> cell = {"panel": "", "x": 0, "y": 0, "class": 1, "text": "2031", "interval": "2029 to 2035"}
    >>> late = cell | {"x": 1, "class": None, "text": "> 2045", "interval": ""}
    >>> heat = Heat([cell, late], ["1", "2"], [""], "rank", "", [""], [(1, "2030 to 2035")], beyond="> 2045")
    >>> draw_heat(heat, title="When", subtitle="", foot=["few"])["title"]["text"]
    ['When']
    """
    left = min(MOST_LABEL, max(style.text_width(label) for label in heat.y_labels)) + 16
    several = len(heat.panels) > 1
    cell = (
        max(46.0, min(96.0 if several else 150.0, WIDTH / len(heat.x_labels))),
        max(26.0, min(44.0 if several else 64.0, HEIGHT / len(heat.y_labels))),
    )
    step = left + cell[0] * len(heat.x_labels) + BESIDE
    across = 2 if several and 2 * step - BESIDE <= WIDEST else 1
    parts = _Parts(heat, left=left, cell=cell)
    width = max(across * step - BESIDE, left + WIDTH)
    top = parts.legend(width)
    for row in itertools.batched(heat.panels, across):
        tops = [parts.panel(name, top=top, x=place * step) for place, name in enumerate(row)]
        top = max(tops)
    view = vega.view(parts.layers(), width=width, height=top)
    return style.framed(view, title=title, subtitle=subtitle, foot=foot, width=width)


class _Parts:
    """Collect the marks of all cells, so that each kind is one layer."""

    def __init__(self, heat: Heat, *, left: float, cell: tuple[float, float]) -> None:
        self._heat, self._left, self._cell = heat, left, cell
        self._cells: style.Data = []
        self._hatches: style.Data = []
        self._plates: style.Data = []
        self._texts: list[Text] = []

    def legend(self, width: float) -> float:
        """Lay out the scale; give the pixel at which the first map begins."""
        x, y = self._left, 8.0
        entries = [*self._heat.classes, *([(-1, self._heat.beyond)] if self._heat.beyond else [])]
        for place, text in entries:
            if x + 22 + style.text_width(text) > width:
                x, y = self._left, y + 20
            self._fill(place, (x, x + 18, y - 7, y + 7))
            self._texts.append(Text([text], x + 24, y, style.QUIET))
            x += 24 + style.text_width(text) * 1.05 + 16
        return y + 22

    def panel(self, name: str, *, top: float, x: float) -> float:
        """Add a map, whose room begins at the pixels; give the pixel at which the next begins."""
        wide, high = self._cell
        heat, left = self._heat, x + self._left
        room = self._left + wide * len(heat.x_labels)
        if name:
            self._texts.append(Text([style.cut(name, room / 1.08)], x, top + 8, bold=True))
            top += 22
        if x == 0.0:
            up = style.cut(heat.y_heading, room / 1.08 + (BESIDE if name else WIDTH))
            self._texts.append(Text([up], x, top + 2, style.QUIET if name else style.INK, bold=not name))
        top += 18
        for row in heat.rows:
            if row["panel"] == name:
                column, line = int(str(row["x"])), len(heat.y_labels) - 1 - int(str(row["y"]))
                self._one(row, left + column * wide, top + line * high)
        bottom = top + high * len(heat.y_labels)
        for place, label in enumerate(heat.y_labels):
            middle = bottom - (place + 0.5) * high
            self._texts.append(Text([style.cut(label, MOST_LABEL)], left - 8, middle, align="right"))
        for place, label in enumerate(heat.x_labels):
            shown = style.cut(label, wide - 6)
            start = left + (place + 0.5) * wide - style.text_width(shown) / 2
            self._texts.append(Text([shown], start, bottom + 13))
        along = style.cut(heat.x_heading, (room - self._left) / 1.08 + BESIDE) if name else heat.x_heading
        self._texts.append(Text([along], left, bottom + 32, style.QUIET if name else style.INK, bold=not name))
        return bottom + 58

    def _one(self, row: Row, x: float, y: float) -> None:
        wide, high = self._cell
        place = -1 if row["class"] is None else int(str(row["class"]))
        self._fill(place, (x + GAP, x + wide - GAP, y + GAP, y + high - GAP))
        ink = style.INK if place < PALE else style.PAPER
        text, interval = str(row["text"]), str(row["interval"])
        size = 12.0 if style.text_width(text) <= wide - 8 else 10.0
        both = bool(interval) and high >= 40 and style.text_width(interval, size=10) <= wide - 6
        lines = [
            (text, size, y + high / 2 - (7 if both else 0)),
            *([(interval, 10.0, y + high / 2 + 9)] if both else []),
        ]
        for line, font, middle in lines:
            half = style.text_width(line, size=font) / 2
            center = x + wide / 2
            if place < 0:
                plate = {"x": center - half - 3, "x2": center + half + 3, "y": middle - 8, "y2": middle + 8}
                self._plates.append(plate | {"color": style.PAPER})
            self._texts.append(Text([line], center - half, middle, ink, size=font))

    def _fill(self, place: int, box: tuple[float, float, float, float]) -> None:
        """Fill a cell; one beyond the horizon is hatched."""
        x, x2, y, y2 = box
        color = RAMP[place] if place >= 0 else style.PAPER
        self._cells.append({"x": x, "x2": x2, "y": y, "y2": y2, "color": color})
        if place >= 0:
            return
        offset = HATCH / 2
        while offset < (x2 - x) + (y2 - y):  # lines from the lower left to the upper right, cut at the edges
            a, b = min(offset, x2 - x), max(0.0, offset - (x2 - x))
            c, d = max(0.0, offset - (y2 - y)), min(offset, y2 - y)
            self._hatches.append({"x": x + a, "y": y + b, "x2": x + c, "y2": y + d})
            offset += HATCH
        edges = ((x, y, x2, y), (x2, y, x2, y2), (x2, y2, x, y2), (x, y2, x, y))
        self._hatches += [{"x": a, "y": b, "x2": c, "y2": d} for a, b, c, d in edges]

    def layers(self) -> list[vega.Spec]:
        """Give the layers of all maps."""
        rect, rule = {"type": "rect"}, {"type": "rule", "color": style.AXIS, "strokeWidth": 0.9}
        marks = ((self._cells, rect), (self._hatches, rule), (self._plates, rect))
        return [*(style.pixel_layer(rows, mark=mark) for rows, mark in marks if rows), *style.text_layers(self._texts)]


_STEPS = {"level": 0.1, "crossing": 0.1, "crossed": 0.01}
"""The least width of a class of colours: OOM, years, shares."""

MOST_PANELS = 12
"""Maps or frames of one figure: combinations of the axes beyond those that are drawn along and up."""


def sweep_figures(sweep: xr.DataTree, outcomes: Sequence[Outcome] = ()) -> list[Figure]:
    """Draw each outcome of a sweep: a heat map where two entries or more are swept, and lines along a swept number.

    Labels that stand alone are drawn as strips. Further axes make further lines, maps and frames.

    Parameters
    ----------
    sweep : xarray.DataTree
    outcomes : what is drawn; without it, what `sweep_outcomes` chooses

    Raises
    ------
    InputError
        The sweep has too many axes to be drawn, or no such outcome.

    Examples
    --------
    >>> from simulator import sweep
    >>> swept = sweep("baseline", over={"correlations[1].rank": [0, 0.5]}, overrides=["samples=1024"])
    >>> [figure.name for figure in sweep_figures(swept)][0]
    'sweep_lines_effective_compute_2035'
    """
    axes = swept_axes(sweep)
    figures: list[Figure] = []
    for outcome in outcomes or sweep_outcomes(sweep):
        rows = outcome_rows(sweep, outcome)
        if len(axes) > 1:
            figures.append(_heat_figure(sweep, outcome, rows))
        along = _along(axes)
        if along is not None:
            figures.append(_line_figure(sweep, outcome, rows, along))
    return figures


def _along(axes: Sequence[SweptAxis]) -> tuple[SweptAxis, SweptAxis | None] | None:
    """Choose the axis that lines run along and the one whose values are lines; None where there are no lines."""
    first = next((axis for axis in axes if axis.numbers is not None), None)
    if len(axes) == 1:
        return axes[0], None
    if first is None:
        return None
    others = [axis for axis in axes if axis is not first and len(axis.labels) <= MOST_LINES]
    return (first, others[0]) if others else None


def _heat_figure(sweep: xr.DataTree, outcome: Outcome, rows: Sequence[Row]) -> Figure:
    axes = swept_axes(sweep)
    along, up = axes[:2]
    panels = _panels(axes[2:])
    values = [number_in(row, "value") for row in rows]
    bounds = _bounds([value for value in values if math.isfinite(value)], step=_STEPS[outcome.kind])
    last = _last(sweep)
    log = is_log(sweep, outcome)
    drawn: list[dict[str, object]] = []
    for row, value in zip(rows, values, strict=True):
        finite = math.isfinite(value)
        drawn.append({
            "panel": _panel_of(row, axes[2:]), "x": _place(row, along), "y": _place(row, up),
            "class": min(int(np.searchsorted(bounds[1:-1], value, side="right")), len(RAMP) - 1) if finite else None,
            "text": value_text(row, "value", outcome=outcome, last=last, log=log),
            "interval": _interval(row, outcome, last=last, log=log),
        })  # fmt: skip
    steps = list(itertools.pairwise(bounds))
    classes = [
        (len(RAMP) // 2 if len(steps) == 1 else place, _class_text(low, high, outcome, last=last, log=log))
        for place, (low, high) in enumerate(steps)
    ]
    if len(steps) == 1:
        drawn = [row | {"class": len(RAMP) // 2} if row["class"] is not None else row for row in drawn]
    censored = any(math.isinf(value) for value in values)
    heat = Heat(
        drawn, _labels(along), _labels(up), axis_heading(along), axis_heading(up), panels, classes,
        f"median later than {last:g}" if censored else "",
    )  # fmt: skip
    title = _title(sweep, outcome, rows)
    small = "" if outcome.kind == "crossed" else " Small, where there is room: 90 % of the samples."
    chart = draw_heat(heat, title=title, subtitle=f"{_subtitle(outcome)}{small}", foot=_foot(sweep))
    alt_text = (
        f"Heat map of {swept_words(sweep, outcome)}, {len(along.labels)} by {len(up.labels)} cells"
        f"{f' in {len(panels)} maps' if len(panels) > 1 else ''}. Along: {axis_heading(along)}, {_ends(along)}. "
        f"Up: {axis_heading(up)}, {_ends(up)}. {title}."
    )
    return Figure(f"sweep_heat_{_slug(outcome)}", chart, {"": rows}, _caption(sweep, outcome, rows, title), alt_text)


def _line_figure(
    sweep: xr.DataTree, outcome: Outcome, rows: Sequence[Row], chosen: tuple[SweptAxis, SweptAxis | None]
) -> Figure:
    axes = swept_axes(sweep)
    along, by = chosen
    rest = [axis for axis in axes if axis.name not in (along.name, by.name if by else "")]
    last, log = _last(sweep), is_log(sweep, outcome)
    drawn = []
    for row in rows:
        value, error = number_in(row, "value"), number_in(row, "standard_error")
        known = math.isfinite(value) and math.isfinite(error)
        drawn.append({
            "panel": _panel_of(row, rest), "line": axis_value(by, row[by.name]) if by else "",
            "x": row[along.name], "label": axis_value(along, row[along.name]), "value": value,
            "low": value - 2 * error if known else None, "high": value + 2 * error if known else None,
            **{key: row[key] for key in ("lower_50", "upper_50", "lower_90", "upper_90")},
            "text": value_text(row, "value", outcome=outcome, last=last, log=log),
        })  # fmt: skip
    beyond = f"> {last:g}" if any(number_in(row, "value") == math.inf for row in rows) else ""
    scale: Scale = "year" if outcome.kind == "crossing" else "share" if outcome.kind == "crossed" else "power"
    lines = Lines(
        drawn, axis_heading(along), _heading(sweep, outcome), _labels(by) if by else ("",),
        axis_heading(by) if by else "", _panels(rest), _is_spaced_by_ratios(along),
        "plain" if scale == "power" and not log else scale, _span(rows, outcome, last, bands=by is None), beyond,
    )  # fmt: skip
    title = _title(sweep, outcome, rows)
    numeric = along.numbers is not None
    draw = draw_lines if numeric else draw_strips
    interval = by is None and outcome.kind != "crossed"
    subtitle = f"{_subtitle(outcome)} Bars: two standard errors." + (" Bands: 50 and 90 % of the samples." * interval)
    chart = draw(lines, title=title, subtitle=subtitle, foot=_foot(sweep))
    kind = f"{len(lines.lines)} lines" if by else "one line" if numeric else "bars"
    alt_text = (
        f"Chart of {swept_words(sweep, outcome)} as {kind} along {axis_heading(along)}, {_ends(along)}"
        f"{f', one for each value of {axis_heading(by)}' if by else ''}. {title}."
    )
    name = f"sweep_{'lines' if numeric else 'strips'}_{_slug(outcome)}"
    return Figure(name, chart, {"": rows}, _caption(sweep, outcome, rows, title), alt_text)


def _title(sweep: xr.DataTree, outcome: Outcome, rows: Sequence[Row]) -> str:
    last, log = _last(sweep), is_log(sweep, outcome)
    low, high = (choose(rows, key=lambda row: number_in(row, "value")) for choose in (min, max))
    texts = [value_text(row, "value", outcome=outcome, last=last, log=log) for row in (low, high)]
    unit = f" {_unit(sweep, outcome)}" if outcome.kind == "level" else ""
    what = swept_words(sweep, outcome)
    what = f"{what[0].upper()}{what[1:]}"
    said = "" if outcome.kind == "crossed" else "median "
    if texts[0] == texts[1]:
        return f"{what}: {said}{texts[0]}{unit} at every point"
    return f"{what}: {said}{texts[0]} to {texts[1]}{unit}"


def _caption(sweep: xr.DataTree, outcome: Outcome, rows: Sequence[Row], title: str) -> str:
    axes, last, log = swept_axes(sweep), _last(sweep), is_log(sweep, outcome)
    said = []
    for choose, word in ((min, "lowest"), (max, "highest")):
        row = choose(rows, key=lambda row: number_in(row, "value"))
        at = ", ".join(f"{axis.name} {axis_value(axis, row[axis.name])}" for axis in axes)
        said.append(f"{word} {value_text(row, 'value', outcome=outcome, last=last, log=log)} at {at}")
    errors = [number_in(row, "standard_error") for row in rows if math.isfinite(number_in(row, "standard_error"))]
    scale, unit = {"level": (1.0, "OOM" if log else ""), "crossing": (1.0, "years"), "crossed": (100.0, "points")}[
        outcome.kind
    ]
    error = f" Monte Carlo standard errors: at most {scale * max(errors):.2g} {unit}.".rstrip() if errors else ""
    count = sum(math.isinf(number_in(row, "value")) for row in rows)
    beyond = f" At {count} of {len(rows)} points the median is later than {last:g}." if count else ""
    return f"{title}: {'; '.join(said)}.{beyond} All points on the same draws.{error}"


def _subtitle(outcome: Outcome) -> str:
    if outcome.kind == "crossed":
        return "Share of the samples, every point on the same draws."
    return "Medians of the samples, every point on the same draws."


def _heading(sweep: xr.DataTree, outcome: Outcome) -> str:
    label = swept_words(sweep, outcome)
    return f"{label}, {_unit(sweep, outcome)}" if outcome.kind == "level" else label


def _unit(sweep: xr.DataTree, outcome: Outcome) -> str:
    unit = str(group(sweep, "summary")[outcome.name].attrs["units"]).removeprefix("log10(").removesuffix(")")
    return "times the start" if unit == "1" and is_log(sweep, outcome) else unit


def _interval(row: Row, outcome: Outcome, *, last: float, log: bool) -> str:
    if row["lower_90"] is None or row["lower_90"] == row["upper_90"]:
        return ""
    low, high = (value_text(row, key, outcome=outcome, last=last, log=log) for key in ("lower_90", "upper_90"))
    return f"{low} to {high}"


def _class_text(low: float, high: float, outcome: Outcome, *, last: float, log: bool) -> str:
    texts = [value_text({"value": value}, "value", outcome=outcome, last=last, log=log) for value in (low, high)]
    return texts[0] if texts[0] == texts[1] else f"{texts[0].removesuffix(' %')} to {texts[1]}"


def _foot(sweep: xr.DataTree) -> list[str]:
    attrs = sweep.attrs
    each = f"{int(attrs['samples']):,} samples at each of {int(attrs['points']):,} points"
    return [f"Sweep {attrs['run_id']} · scenario {attrs['name']} · seed {attrs['seed']} · {each}"]


def _slug(outcome: Outcome) -> str:
    return re.sub(r"[^a-z0-9_-]+", "_", outcome.text.lower()).strip("_")


def _panels(axes: Sequence[SweptAxis]) -> tuple[str, ...]:
    """Name the maps or frames: the combinations of the axes that are drawn neither along nor up."""
    count = math.prod(len(axis.labels) for axis in axes)
    if count > MOST_PANELS:
        raise InputError(
            f"sweep: {count} maps would be drawn for {' x '.join(axis.name for axis in axes)}; at most {MOST_PANELS} "
            "are. The table has every point; sweep fewer entries to have charts."
        )
    every = itertools.product(*(_labels(axis) for axis in axes))
    return tuple(
        ", ".join(f"{axis.name} = {label}" for axis, label in zip(axes, labels, strict=True)) for labels in every
    )


def _panel_of(row: Row, axes: Sequence[SweptAxis]) -> str:
    return ", ".join(f"{axis.name} = {axis_value(axis, row[axis.name])}" for axis in axes)


def _labels(axis: SweptAxis) -> tuple[str, ...]:
    return tuple(axis_value(axis, value) for value in axis.numbers or axis.labels)


def _ends(axis: SweptAxis) -> str:
    labels = _labels(axis)
    return f"{labels[0]} to {labels[-1]}" if axis.numbers else "; ".join(labels)


def _place(row: Row, axis: SweptAxis) -> int:
    values: Sequence[object] = axis.numbers or axis.labels
    return list(values).index(row[axis.name])


def _bounds(values: Sequence[float], *, step: float) -> list[float]:
    """Part the range of values into as many classes as there are colours; one where all are told alike."""
    if not values:
        return []
    low, high = min(values), max(values)
    if high - low < step / 2:
        return [low, high]
    spare = max(0.0, step * len(RAMP) - (high - low)) / 2  # colours that differ stand for numbers that do
    return np.linspace(low - spare, high + spare, len(RAMP) + 1).tolist()


def _span(rows: Sequence[Row], outcome: Outcome, last: float, *, bands: bool) -> tuple[float, float]:
    """Choose the ends of the axis of an outcome."""
    keys = ("value", "lower_90", "upper_90") if bands else ("value",)
    values = [number_in(row, key) for row in rows for key in keys if row[key] is not None]
    finite = [value for value in values if math.isfinite(value)]
    if outcome.kind == "crossed":
        low, high = min(finite), max(finite)
        return (0.0, 1.0) if high - low > 0.2 else (max(0.0, low - 0.1), min(1.0, high + 0.1))
    if not finite:
        return last - 1.0, last
    low, high = min(finite), max(finite)
    spare = max(1.0 - (high - low), 0.0) / 2 + 0.04 * (high - low)
    if outcome.kind == "crossing":
        return low - spare, last if math.inf in values else min(last, high + spare)
    return low - spare, high + spare


def _is_spaced_by_ratios(axis: SweptAxis) -> bool:
    """Tell whether values ascend by ratios rather than by differences."""
    values = np.array(axis.numbers or (1.0,))
    if values.size < 3 or values.min() <= 0:
        return bool(values.size > 1 and values.min() > 0 and values.max() / values.min() >= 30)
    ratios, gaps = np.diff(np.log(np.sort(values))), np.diff(np.sort(values))
    return bool(ratios.std() / ratios.mean() < gaps.std() / gaps.mean())


def _last(sweep: xr.DataTree) -> float:
    return float(group(sweep, "summary")["year"].values[-1])
