"""Charts of how well hindcasts did: where what came lay in the forecasts, and skill by years ahead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simulator import chart_style as style
from simulator import vega_lite as vega
from simulator.chart_frame import row_number, row_text
from simulator.chart_hindcast import LATE, Head, framed
from simulator.chart_style import Text
from simulator.figure import Row

NAME_CHARACTERS = 22
_PIT_X, _PIT_WIDTH = 190.0, 240.0
_COVER_X, _COVER_WIDTH = 510.0, 300.0
_NOTE_X = _COVER_X + _COVER_WIDTH + 18
_ROW, _PLOT = 96.0, 62.0
_WIDTH = 960.0


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """One forecast: its name, rows of `PitRow` and of `CoverageRow` (by level, rising), whether a prior knew what came.

    Rows are mappings of the fields of those classes, see `simulator.hindcast_summaries`.
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
