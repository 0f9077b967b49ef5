"""Charts of hindcasts: the head that all have, and fans by origin with what came later."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import batched

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.frame import Frame, row_columns, row_number, row_text
from simulator.charts.layout import outside_mark
from simulator.charts.spec import Row
from simulator.charts.style import Text

LATE = "with hindsight"
WIDTH = 960
GUTTER = 56.0
NAME_HEIGHT = 18
MOST_COLUMNS = 4
REACH = 3.5
_NUMBER_SIZE = 40


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above and below every chart of a hindcast.

    Parameters
    ----------
    title, subtitle : str
    targets, forecasts : int
        Distinct years, and forecasts of them by each way of forecasting.
    origins : sequence of int
    source : str
        Where the tables are from, for the foot.
    late : sequence of str
        Forecasts in which a prior knew what came.
    """

    title: str
    subtitle: str
    targets: int
    forecasts: int
    origins: Sequence[int]
    source: str
    late: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class FanRow:
    """One row of small fans: the name of a forecast, and the tables of each origin.

    Parameters
    ----------
    name : str
    panels : sequence of Panel
        From the first origin to the last.
    late : bool
        Whether a prior knew what came.
    """

    name: str
    panels: Sequence[Panel]
    late: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """The forecasts of one origin.

    Parameters
    ----------
    origin : int
    bands : rows (year,)
        `year`, `lower_90`, `lower_50`, `median`, `upper_50`, `upper_90` (log10 FLOP).
    record : rows (year,)
        `year`, `value` (log10 FLOP), `state` ("before", "inside" or "outside").
    note : str
        What is seen in it.
    """

    origin: int
    bands: Sequence[Row]
    record: Sequence[Row]
    note: str


def framed(views: Sequence[vega.Spec], *, head: Head, left: float) -> vega.Spec:
    """Set the number of distinct years large above a chart, and where it is from below it.

    Parameters
    ----------
    views : sequence of dict, views of Vega-Lite
        From the top down.
    head : Head
    left : float, pixels
        The left edge of the texts, from the left edge of the plots.
    """
    origins = style.wrapped(", ".join(map(str, head.origins)), width=90)
    years, times = ("year" if head.targets == 1 else "years"), "time" if head.forecasts == 1 else "times"
    wide = style.text_width(str(head.targets), size=_NUMBER_SIZE) + 14
    texts = [
        Text([str(head.targets)], left, 20, bold=True, size=_NUMBER_SIZE),
        Text([f"distinct {years} that came,"], left + wide, 11, bold=True, size=16),
        Text(
            [f"forecast {head.forecasts} {times}, from the end of {origins[0]}{' ...' if len(origins) > 1 else ''}"],
            left + wide, 31, style.QUIET,
        ),
    ]  # fmt: skip
    height = 42.0
    if head.late:
        lines = style.wrapped(f"With hindsight: {', '.join(head.late)}. Their priors knew what came.", width=130)
        texts.append(Text(lines, left, 52 + style.LINE_HEIGHT * len(lines) / 2, style.VERMILION, bold=True))
        height = 56.0 + style.LINE_HEIGHT * len(lines)
    top = vega.view(style.text_layers(texts), width=10, height=height)
    lines = style.wrapped(head.source, width=int(WIDTH / (0.52 * style.FOOT_SIZE)))
    words = Text(lines, left, style.LINE_HEIGHT * len(lines) / 2, style.QUIET, size=style.FOOT_SIZE)
    foot = vega.view(style.text_layers([words]), width=10, height=style.LINE_HEIGHT * len(lines))
    return style.stacked([top, *views, foot], title=head.title, subtitle=head.subtitle, width=WIDTH)


def draw_hindcast_fans(rows: Sequence[FanRow], *, head: Head, height: float) -> vega.Spec:
    """Draw the forecasts from each origin, and what came, beside one another; each way of forecasting in a row.

    All plots share both axes, four stand beside one another at most. What lies far outside what came is cut off at
    the edge, and the foot says so.

    Parameters
    ----------
    rows : sequence of FanRow
        With the same origins.
    head : Head
    height : float, pixels
        Of one plot.
    """
    count = min(MOST_COLUMNS, max(len(row.panels) for row in rows))
    gap = 34.0
    width = min(420.0, (WIDTH - GUTTER - (count - 1) * gap) / count)
    frame = _frame([panel for row in rows for panel in row.panels], width=width, height=height)
    pale, strong = style.band_tints(2)
    entries: list[style.LegendEntry] = [
        ("line", style.DARK_BLUE, "median"), ("band", strong, "50 %"), ("band", pale, "90 % of the forecast"),
        ("thread", style.QUIET, "record before"), ("point", style.INK, "what came, inside 90 %"),
    ]  # fmt: skip
    legend = style.legend_layers(entries, x=-GUTTER, y=0)
    last = -GUTTER + sum(24 + style.text_width(text) + 18 for _, _, text in entries)
    legend.append(style.pixel_layer([{"x": last + 9, "y": 0}], mark=outside_mark()))
    legend += style.text_layers([Text(["what came, outside"], last + 24, 0, style.QUIET)])
    views: list[vega.Spec] = [vega.view(legend, width=10, height=4)]
    lone = len(rows) == 1
    for row, part in [(each, part) for each in rows for part in batched(each.panels, count)]:
        drawn = [
            _panel(panel, frame=frame, first=not place, lone=lone, name=None if lone or place else row)
            for place, panel in enumerate(part)
        ]
        views.append(vega.side_by_side(drawn, spacing=gap))
    if any(_is_cut(panel, frame) for row in rows for panel in row.panels):
        head = replace(head, source=f"{head.source} · bands are cut off at the edge")
    return framed(views, head=head, left=-GUTTER)


def _is_cut(panel: Panel, frame: Frame) -> bool:
    levels = [row_number(row, key, table="bands") for row in panel.bands for key in ("lower_90", "upper_90")]
    return not all(frame.holds(level) for level in levels)


def _frame(panels: Sequence[Panel], *, width: float, height: float) -> Frame:
    """Choose axes that hold what came and the narrower bands, and at most `REACH` OOM beyond what came."""
    record = [row for panel in panels for row in panel.record]
    years = [row_number(row, "year", table="record") for row in record]
    years += [row_number(row, "year", table="bands") for panel in panels for row in panel.bands]
    came = [row_number(row, "value", table="record") for row in record]
    levels = [
        row_number(row, key, table="bands")
        for panel in panels
        for row in panel.bands
        for key in ("lower_90", "upper_90")
    ]
    lower, upper = max(min(levels + came), min(came) - REACH), min(max(levels + came), max(came) + REACH)
    margin = 0.05 * (upper - lower)
    return Frame(
        min(years) - 0.5, max(years) + 0.5, lower - margin, upper + margin, height=height, gutter=GUTTER, width=width
    )


def _panel(panel: Panel, *, frame: Frame, first: bool, lone: bool, name: FanRow | None) -> vega.Spec:
    """Draw one fan; the only row has the origin above it, of several each has its name above the first."""
    keys = ("year", "lower_90", "lower_50", "median", "upper_50", "upper_90")
    rows = row_columns(panel.bands, *keys, table="bands")
    layers = []
    for fill, level in zip(style.band_tints(2), (90, 50), strict=True):
        area = {"type": "area", "color": fill, "opacity": 1, "clip": True}
        layers.append(
            style.layer(rows, frame.x("year"), frame.y(f"lower_{level}"), vega.y2(f"upper_{level}"), mark=area)
        )
    line = {"type": "line", "color": style.DARK_BLUE, "strokeWidth": 2, "clip": True}
    layers.append(style.layer(rows, frame.x("year"), frame.y("median"), mark=line))
    record = {
        state: row_columns(
            [row for row in panel.record if row_text(row, "state") == state], "year", "value", table="record"
        )
        for state in ("before", "inside", "outside")
    }
    thread = {"type": "line", "color": style.QUIET, "strokeWidth": 1.2, "clip": True}
    small = style.point_mark()
    small["size"] = 34
    for state, mark in (("before", thread), ("inside", small), ("outside", outside_mark())):
        if record[state]:
            layers.append(style.layer(record[state], frame.x("year"), frame.y("value"), mark=mark))
    note = panel.note if lone else f"from {panel.origin}: {panel.note}"
    texts = [Text([note], 6, 12, style.QUIET, size=style.FOOT_SIZE)]
    texts += frame.texts() if first else []
    if name is not None:
        late = f"  ({LATE})" if name.late else ""
        texts.append(Text([name.name], -GUTTER, -NAME_HEIGHT, bold=True, size=style.TEXT_SIZE + 1))
        if late:
            wide = style.text_width(name.name, size=style.TEXT_SIZE + 1) * 1.08
            texts.append(Text([late], -GUTTER + wide, -NAME_HEIGHT, style.VERMILION, bold=True))
    if lone:
        texts.append(Text([f"from the end of {panel.origin}"], 0, -12))
    return vega.view([*layers, *style.text_layers(texts)], width=frame.width, height=frame.height)


NAME_CHARACTERS = 22
_PIT_X, _PIT_WIDTH = 190.0, 240.0
_COVER_X, _COVER_WIDTH = 510.0, 300.0
_NOTE_X = _COVER_X + _COVER_WIDTH + 18
_ROW, _PLOT = 96.0, 62.0
_WIDTH = 960.0


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """One forecast: its name, rows of `PitRow` and of `CoverageRow` (by level, rising), whether a prior knew what came.

    Rows are mappings of the fields of those classes, see `simulator.hindcast.rows`.
    """

    name: str
    pit: Sequence[Row]
    coverage: Sequence[Row]
    late: bool = False


@dataclass(frozen=True, slots=True)
class SkillGroup:
    """The skill against one baseline: rows of `label`, `skill`, `skill_05`, `skill_95`, `note`, `whole`."""

    name: str
    rows: Sequence[Row]
    late: bool = False


def draw_calibration(rows: Sequence[CalibrationRow], *, head: Head) -> vega.Spec:
    """Draw for each forecast the histogram of its probability transforms, and nominal against seen coverage.

    Parameters
    ----------
    rows : sequence of CalibrationRow
        From the top down.
    head : Head
    """
    parts = _Parts()
    top = 54.0
    parts.text("Where in the forecast what came lay", _PIT_X, 8, bold=True)
    parts.text("counts; grey: what a calibrated one gives, 90 %", _PIT_X, 25, quiet=True)
    parts.text("How often its intervals held what came", _COVER_X, 8, bold=True)
    parts.text("disc: seen; line: its 90 % interval; stroke: as stated", _COVER_X, 25, quiet=True)
    for row in rows:
        parts.rules.append({"x": 0, "x2": _WIDTH, "y": top - 12, "y2": top - 12})
        parts.name(row.name, late=row.late, y=top + _PLOT / 2)
        _pit(parts, row.pit, top=top)
        _coverage(parts, row.coverage, top=top)
        top += _ROW
    for place in range(5):
        parts.text(f"{25 * place} %", _COVER_X + _COVER_WIDTH * place / 4, top - 14, middle=True, quiet=True)
    for place, word in enumerate(("below all of it", "above all of it")):
        wide = style.text_width(word, size=style.FOOT_SIZE)
        parts.text(word, _PIT_X + place * (_PIT_WIDTH - wide), top - 6, quiet=True, size=style.FOOT_SIZE)
    return framed([parts.view(height=top + 4)], head=head, left=0)


def _pit(parts: _Parts, rows: Sequence[Row], *, top: float) -> None:
    highest = max(row_number(row, key, table="pit") for row in rows for key in ("count", "expected_95"))
    base, scale = top + _PLOT, _PLOT / highest
    first = rows[0]
    low, high = (row_number(first, key, table="pit") for key in ("expected_05", "expected_95"))
    expected = base - scale * row_number(first, "expected", table="pit")
    ends = {"x": _PIT_X, "x2": _PIT_X + _PIT_WIDTH}
    parts.grey.append({**ends, "y": base - scale * low, "y2": base - scale * high})
    parts.axes += [{**ends, "y": base, "y2": base}]
    parts.dashes.append({**ends, "y": expected, "y2": expected})
    for row in rows:
        left, right = (_PIT_X + _PIT_WIDTH * row_number(row, key, table="pit") for key in ("lower", "upper"))
        count = row_number(row, "count", table="pit")
        wide = 0.28 * (right - left)
        middle, up = (left + right) / 2, base - scale * count
        if count:
            parts.bars.append({"x": middle - wide, "x2": middle + wide, "y": base, "y2": up})
        parts.text(f"{count:.0f}", middle, base + 9, middle=True, size=style.FOOT_SIZE)


def _coverage(parts: _Parts, rows: Sequence[Row], *, top: float) -> None:
    for share in range(5):
        x = _COVER_X + _COVER_WIDTH * share / 4
        parts.hair.append({"x": x, "x2": x, "y": top - 6, "y2": top + _PLOT + 6})
    for place, row in enumerate(rows):
        y = top + 8 + place * (_PLOT - 16) / max(1, len(rows) - 1)
        level = row_number(row, "level", table="coverage")
        seen, low, high = (
            _COVER_X + _COVER_WIDTH * row_number(row, key, table="coverage") for key in ("seen", "seen_05", "seen_95")
        )
        nominal = _COVER_X + _COVER_WIDTH * level / 100
        parts.text(f"{level:.0f} %", _COVER_X - 38, y)
        parts.lines.append({"x": low, "x2": high, "y": y, "y2": y})
        parts.strokes.append({"x": nominal, "x2": nominal, "y": y - 9, "y2": y + 9})
        parts.dots.append({"x": seen, "y": y})
        inside, count = (row_number(row, key, table="coverage") for key in ("inside", "forecasts"))
        parts.text(f"{inside:.0f} of {count:.0f}: {100 * inside / count:.0f} %", _NOTE_X, y)


_AXIS_X, _AXIS_WIDTH = 230.0, 380.0
_SKILL_NOTE_X = _AXIS_X + _AXIS_WIDTH + 24
_LINE = 21.0


def draw_skill(groups: Sequence[SkillGroup], *, head: Head) -> vega.Spec:
    """Draw the skill of the model against each baseline, in all and by years ahead, with intervals.

    The axis runs from -1 to 1; what lies beyond has an arrow.

    Parameters
    ----------
    groups : sequence of SkillGroup
        From the top down.
    head : Head
    """
    parts = _Parts()
    parts.text("← the other is better", _AXIS_X, 8, quiet=True)
    right = "the model is better →"
    parts.text(right, _AXIS_X + _AXIS_WIDTH - style.text_width(right), 8, quiet=True)
    parts.text("skill (90 % interval)", _SKILL_NOTE_X, 8, bold=True)
    top = 26.0
    for group in groups:
        parts.rules.append({"x": 0, "x2": _WIDTH, "y": top, "y2": top})
        y = top + 14
        bottom = top + 8 + _LINE * (len(group.rows) + 1)
        for tick in (-1.0, -0.5, 0.0, 0.5, 1.0):
            x = _AXIS_X + _AXIS_WIDTH * (tick + 1) / 2
            kept = parts.axes if tick == 0 else parts.hair
            kept.append({"x": x, "x2": x, "y": top, "y2": bottom})
        parts.text(f"against {group.name}", 0, y, bold=True)
        if group.late:
            wide = style.text_width(f"against {group.name}") * 1.08
            parts.text(f"  ({LATE})", wide, y, color=style.VERMILION, bold=True)
        for row in group.rows:
            y += _LINE
            _skill(parts, row, y=y)
        top = bottom
    for tick in (-1.0, -0.5, 0.0, 0.5, 1.0):
        label = f"{tick:+g}".replace("-", "−") if tick else "0"
        parts.text(label, _AXIS_X + _AXIS_WIDTH * (tick + 1) / 2, top + 12, middle=True)
    return framed([parts.view(height=top + 20)], head=head, left=0)


def _skill(parts: _Parts, row: Row, *, y: float) -> None:
    whole = bool(row["whole"])
    skill = row_number(row, "skill", table="skill")

    def pixel(value: float) -> float:
        return _AXIS_X + _AXIS_WIDTH * (min(1.0, max(-1.0, value)) + 1) / 2

    parts.text(row_text(row, "label"), 16, y, bold=whole)
    if row["skill_05"] is not None:
        low, high = (row_number(row, key, table="skill") for key in ("skill_05", "skill_95"))
        kept = parts.bars_wide if whole else parts.lines
        kept.append({"x": pixel(low), "x2": pixel(high), "y": y, "y2": y})
        if low < -1:
            parts.arrows.append({"x": _AXIS_X - 7, "y": y})
    if abs(skill) <= 1:
        parts.dots.append({"x": pixel(skill), "y": y})
    elif row["skill_05"] is None:
        parts.arrows.append({"x": _AXIS_X - 7, "y": y})
    parts.text(row_text(row, "note"), _SKILL_NOTE_X, y, bold=whole, quiet=not whole)


class _Parts:
    """Collect marks in pixels, so that each kind is one layer."""

    def __init__(self) -> None:
        self.hair: style.Data = []
        self.rules: style.Data = []
        self.grey: style.Data = []
        self.bars: style.Data = []
        self.bars_wide: style.Data = []
        self.dashes: style.Data = []
        self.axes: style.Data = []
        self.lines: style.Data = []
        self.strokes: style.Data = []
        self.dots: style.Data = []
        self.arrows: style.Data = []
        self._texts: list[Text] = []

    def view(self, *, height: float) -> vega.Spec:
        hair = {"type": "rule", "color": style.HAIR, "strokeWidth": 0.8}
        arrow = {
            "type": "point",
            "shape": "triangle-left",
            "size": 70,
            "filled": True,
            "fill": style.BLUE,
            "opacity": 1,
        }
        layers = [
            style.pixel_layer([_rounded(row) for row in rows], mark=mark)
            for rows, mark in (
                (self.grey, {"type": "rect", "color": style.HAIR}),
                (self.hair, hair),
                (self.rules, {"type": "rule", "color": style.AXIS, "strokeWidth": 0.8}),
                (self.bars, {"type": "rect", "color": style.band_tints(3)[2]}),
                (self.dashes, {"type": "rule", "color": style.QUIET, "strokeWidth": 1, "strokeDash": [4, 3]}),
                (self.axes, {"type": "rule", "color": style.QUIET, "strokeWidth": 1}),
                (self.lines, {"type": "rule", "color": style.BLUE, "strokeWidth": 2}),
                (self.bars_wide, {"type": "rule", "color": style.BLUE, "strokeWidth": 7}),
                (self.strokes, {"type": "rule", "color": style.VERMILION, "strokeWidth": 3}),
                (self.arrows, arrow),
                (self.dots, style.dot_mark()),
            )
            if rows
        ]
        return vega.view([*layers, *style.text_layers(self._texts)], width=_WIDTH, height=height)

    def name(self, name: str, *, late: bool, y: float) -> None:
        lines = style.wrapped(name, width=NAME_CHARACTERS)
        shift = style.LINE_HEIGHT / 2 if late else 0.0
        self._texts.append(Text(lines, 0, y - shift, bold=True))
        if late:
            below = y - shift + style.LINE_HEIGHT * (len(lines) + 1) / 2
            self._texts.append(Text([LATE], 0, below, style.VERMILION, bold=True))

    def text(
        self,
        text: str,
        x: float,
        y: float,
        *,
        bold: bool = False,
        quiet: bool = False,
        middle: bool = False,
        size: float = style.TEXT_SIZE,
        color: str = style.INK,
    ) -> None:
        left = x - style.text_width(text, size=size) / 2 if middle else x
        self._texts.append(Text([text], left, y, style.QUIET if quiet else color, bold=bold, size=size))


def _rounded(row: dict[str, object]) -> dict[str, object]:
    return {
        key: round(value, 2) if isinstance(value, float) and math.isfinite(value) else value
        for key, value in row.items()
    }
