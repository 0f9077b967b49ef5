"""Forecasts of the past against what came: fans by origin, calibration, and skill, under one head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any

from simulator.charts import spec, style
from simulator.charts.frame import Frame
from simulator.charts.layout import GUTTER, RECT, Marks, PixelScale, key_view, line_mark, outside_mark, rule_mark, sheet
from simulator.charts.spec import Head
from simulator.charts.style import Text
from simulator.hindcast.output import Hindcast
from simulator.hindcast.rows import ENDS, distinct
from simulator.runs.table import Row, Table

BAND_ENDS = ("lower_90", "lower_50", "median", "upper_50", "upper_90")
YEARS_BEFORE = 5
"""Years of the record that are drawn before the first origin."""
LATE = "with hindsight"
WIDTH = 960.0
NUMBER_SIZE = 40

NAME_HEIGHT = 18
MOST_COLUMNS = 4
COLUMN_GAP = 34.0
REACH = 3.5
"""How far beyond what came bands are drawn, OOM."""

NAME_CHARACTERS = 22
PIT_X, PIT_WIDTH = 190.0, 240.0
COVER_X, COVER_WIDTH = 510.0, 300.0
ROW, PLOT = 96.0, 62.0

AXIS_X, AXIS_WIDTH = 230.0, 380.0
NOTE_X = AXIS_X + AXIS_WIDTH + 24
LINE = 21.0
SKILL_TICKS = {-1.0: "−1", -0.5: "−0.5", 0.0: "0", 0.5: "+0.5", 1.0: "+1"}

_COVER = PixelScale(0.0, 1.0, COVER_X, COVER_X + COVER_WIDTH)
_SKILL = PixelScale(-1.0, 1.0, AXIS_X, AXIS_X + AXIS_WIDTH)


def forecasts_made(stored: Hindcast) -> int:
    """Count the forecasts that were made in each way."""
    return len(stored.forecasts.where(forecast=stored.lead))


def headed(
    views: Sequence[spec.Spec], head: Head, stored: Hindcast, *, names: Sequence[str], left: float, more: str = ""
) -> spec.Spec:
    """Set the number of distinct years large above a chart of forecasts, and which knew what came; begin at `left`."""
    origins = style.wrapped(", ".join(map(str, stored.origins)), width=90)
    count = forecasts_made(stored)
    years, times = ("year" if stored.targets == 1 else "years"), "time" if count == 1 else "times"
    wide = style.text_width(str(stored.targets), size=NUMBER_SIZE) + 14
    made = f"forecast {count} {times}, from the end of {origins[0]}{' ...' if len(origins) > 1 else ''}"
    texts = [
        Text([str(stored.targets)], left, 20, bold=True, size=NUMBER_SIZE),
        Text([f"distinct {years} that came,"], left + wide, 11, bold=True, size=16),
        Text([made], left + wide, 31, style.QUIET),
    ]
    height = 42.0
    if late := [name for name in names if name in stored.with_hindsight]:
        rest = "They rest" if len(late) > 1 else "It rests"
        lines = style.wrapped(f"With hindsight: {', '.join(late)}. {rest} on what came later.", width=130)
        texts.append(Text(lines, left, 52 + style.LINE_HEIGHT * len(lines) / 2, style.VERMILION, bold=True))
        height = 56.0 + style.LINE_HEIGHT * len(lines)
    top = spec.view(style.text_layers(texts), width=10, height=height)
    snapshots = [name for name in distinct(stored.record, "snapshot") if name]
    source = f"Hindcast {stored.folder_name}" + (f" · history: {', '.join(snapshots)}" if snapshots else "")
    foot = [f"{source} · the values are those that the snapshot gives today{more}"]
    return sheet([top, *views], replace(head, foot=foot), x=left, width=WIDTH)


@dataclass(frozen=True, slots=True)
class Panel:
    """The forecasts of one origin: their bands, the record, and what is seen in it.

    `bands` has `year`, `lower_90`, `lower_50`, `median`, `upper_50`, `upper_90` (log10 FLOP); `record` has `year` and
    `value` (log10 FLOP) of what came "before" the origin, and of what lies "inside" or "outside" of the wider band.
    """

    origin: int
    bands: spec.Data
    record: Mapping[str, spec.Data]
    note: str

    @classmethod
    def of(cls, stored: Hindcast, name: str, origin: int) -> Panel:
        """Take the forecasts that were made in one way from one origin, and the record some years before it."""
        mine = stored.forecasts.where(forecast=name, origin=origin).rows()
        known = [(row["year"], row["log_flop"]) for row in stored.record.rows()]
        first = stored.origins[0] - YEARS_BEFORE
        # A fan begins at the record that it goes on from.
        bands: spec.Data = [
            {"year": float(origin), **dict.fromkeys(BAND_ENDS, level)} for year, level in known if year == origin
        ]
        bands += [{"year": float(row["target"]), **band_ends(row)} for row in mine]
        before = [{"year": float(year), "value": level} for year, level in known if first <= year <= origin]
        record: dict[str, spec.Data] = {"before": before, "inside": [], "outside": []}
        for row in mine:
            came: dict[str, object] = {"year": float(row["target"]), "value": row["observed"]}
            record["inside" if row["inside_90"] else "outside"].append(came)
        return cls(origin, bands, record, f"{len(record['inside'])} of {len(mine)} inside 90 %")


def band_ends(row: Row) -> dict[str, float]:
    """Name the quantiles of a forecast by the ends of its bands."""
    return {name: row[end] for name, end in zip(BAND_ENDS, ENDS, strict=True)}


def draw_hindcast_fans(
    stored: Hindcast, names: Sequence[str], origins: Sequence[int], *, head: Head, height: float
) -> spec.Spec:
    """Draw the forecasts from each origin, and what came, beside one another; each way of forecasting in a row.

    All plots, `height` pixels high, share both axes; four stand beside one another at most. What lies far outside what
    came is cut off at the edge, and the foot says so.
    """
    count = min(MOST_COLUMNS, len(origins))
    width = min(420.0, (WIDTH - GUTTER - (count - 1) * COLUMN_GAP) / count)
    rows = {name: [Panel.of(stored, name, origin) for origin in origins] for name in names}
    panels = [panel for row in rows.values() for panel in row]
    frame = _frame(panels, width=width, height=height)
    pale, strong = style.band_tints(2)
    entries: list[style.LegendEntry] = [
        ("line", style.DARK_BLUE, "median"), ("band", strong, "50 %"), ("band", pale, "90 % of the forecast"),
        ("thread", style.QUIET, "record before"), ("point", style.INK, "what came, inside 90 %"),
    ]  # fmt: skip
    views = [key_view(entries, x=-GUTTER, outside="what came, outside")]
    for name, part in [(name, part) for name, row in rows.items() for part in batched(row, count)]:
        lone, late = len(rows) == 1, name in stored.with_hindsight
        drawn = [
            _panel(panel, frame=frame, first=not place, lone=lone, name="" if lone or place else name, late=late)
            for place, panel in enumerate(part)
        ]
        views.append(spec.side_by_side(drawn, spacing=COLUMN_GAP))
    held = all(frame.holds(level) for level in _joined(panels, "lower_90", "upper_90"))
    more = "" if held else " · bands are cut off at the edge"
    return headed(views, head, stored, names=names, left=-GUTTER, more=more)


def _joined(panels: Sequence[Panel], *names: str) -> list[Any]:
    """List columns of all panels, of their bands or of their records."""
    rows = [row for panel in panels for part in (panel.bands, *panel.record.values()) for row in part]
    return [row[name] for row in rows for name in names if name in row]


def _frame(panels: Sequence[Panel], *, width: float, height: float) -> Frame:
    """Choose axes that hold what came and the narrower bands, and at most `REACH` OOM beyond what came."""
    years, came = _joined(panels, "year"), _joined(panels, "value")
    levels = [*_joined(panels, "lower_90", "upper_90"), *came]
    lower, upper = max(min(levels), min(came) - REACH), min(max(levels), max(came) + REACH)
    margin = 0.05 * (upper - lower)
    return Frame(
        min(years) - 0.5, max(years) + 0.5, lower - margin, upper + margin, height=height, gutter=GUTTER, width=width
    )


def _panel(panel: Panel, *, frame: Frame, first: bool, lone: bool, name: str, late: bool) -> spec.Spec:
    """Draw one fan; the only row has the origin above it, of several each has its name above the first."""
    clip, x, bands = {"clip": True}, frame.x("year"), panel.bands
    layers = frame.bands(bands, levels=(90, 50), clip=True)
    layers.append(spec.layer(bands, x, frame.y("median"), mark=line_mark(style.DARK_BLUE, 2) | clip))
    marks = {"before": line_mark(style.QUIET, 1.2) | clip, "inside": style.point_mark() | {"size": 34},
             "outside": outside_mark()}  # fmt: skip
    for state, mark in marks.items():
        if rows := panel.record[state]:
            layers.append(spec.layer(rows, x, frame.y("value"), mark=mark))
    note = panel.note if lone else f"from {panel.origin}: {panel.note}"
    texts = [Text([note], 6, 12, style.QUIET, size=style.FOOT_SIZE), *(frame.texts() if first else [])]
    if name:
        size = style.TEXT_SIZE + 1
        texts.append(Text([name], -GUTTER, -NAME_HEIGHT, bold=True, size=size))
        if late:
            end = -GUTTER + style.text_width(name, size=size) * 1.08
            texts.append(Text([f"  ({LATE})"], end, -NAME_HEIGHT, style.VERMILION, bold=True))
    if lone:
        texts.append(Text([f"from the end of {panel.origin}"], 0, -12))
    return spec.view([*layers, *style.text_layers(texts)], width=frame.width, height=frame.height)


def _marks() -> Marks:
    """Make the marks of calibration and skill, from the back to the front."""
    return Marks(
        grey={**RECT, "color": style.HAIR}, hair=rule_mark(), rules=rule_mark(style.AXIS),
        bars={**RECT, "color": style.band_tints(3)[2]}, dashes=rule_mark(style.QUIET, 1, [4, 3]),
        axes=rule_mark(style.QUIET, 1), lines=rule_mark(style.BLUE, 2), wide=rule_mark(style.BLUE, 7),
        strokes=rule_mark(style.VERMILION, 3), arrows=style.shape_mark("triangle-left", 70, fill=style.BLUE),
        dots=style.dot_mark(),
    )  # fmt: skip


def draw_calibration(stored: Hindcast, pit: Table, coverage: Table, *, head: Head) -> spec.Spec:
    """Draw for each forecast the histogram of its probability transforms, and nominal against seen coverage."""
    marks = _marks()
    top = 60.0
    marks.text("Where in the forecast what came lay", PIT_X, 8, bold=True)
    marks.text("How often its intervals held what came", COVER_X, 8, bold=True)
    counted: list[style.LegendEntry] = [
        ("band", style.band_tints(3)[2], "seen"),
        ("dash", style.QUIET, "expected"),
        ("band", style.HAIR, "90 % by chance"),
    ]
    covered: list[style.LegendEntry] = [
        ("dot", style.INK, "seen"),
        ("line", style.BLUE, "its 90 % interval"),
        ("bracket", style.VERMILION, "as stated"),
    ]
    legends = [*style.legend_layers(counted, x=PIT_X, y=28), *style.legend_layers(covered, x=COVER_X, y=28)]
    for name in stored.names:
        marks.box("rules", (0, WIDTH), (top - 12, top - 12))
        lines, late = style.wrapped(name, width=NAME_CHARACTERS), name in stored.with_hindsight
        middle = top + PLOT / 2 - (style.LINE_HEIGHT / 2 if late else 0.0)
        marks.text(lines, 0, middle, bold=True)
        if late:
            marks.text(LATE, 0, middle + style.LINE_HEIGHT * (len(lines) + 1) / 2, style.VERMILION, bold=True)
        _pit(marks, pit.where(forecast=name).rows(), top=top)
        _coverage(marks, coverage.where(forecast=name).rows(), top=top)
        top += ROW
    for place in range(5):
        marks.centred(f"{25 * place} %", _COVER(place / 4), top - 14, style.QUIET, align="left")
    for place, word in enumerate(("below all of it", "above all of it")):
        wide = style.text_width(word, size=style.FOOT_SIZE)
        marks.text(word, PIT_X + place * (PIT_WIDTH - wide), top - 6, style.QUIET, size=style.FOOT_SIZE)
    view = spec.view([*marks.layers(), *legends], width=WIDTH, height=top + 4)
    return headed([view], head, stored, names=stored.names, left=0)


def _pit(marks: Marks, rows: Sequence[Row], *, top: float) -> None:
    first, base = rows[0], top + PLOT
    up = PixelScale(0.0, max(max(row["count"], row["expected_95"]) for row in rows), base, top)
    across = PIT_X, PIT_X + PIT_WIDTH
    marks.box("grey", across, (up(first["expected_05"]), up(first["expected_95"])))
    marks.box("axes", across, (base, base))
    marks.box("dashes", across, (up(first["expected"]), up(first["expected"])))
    for row in rows:
        left, right = (PIT_X + PIT_WIDTH * end for end in (row["lower"], row["upper"]))
        middle, half = (left + right) / 2, 0.28 * (right - left)
        if row["count"]:
            marks.box("bars", (round(middle - half, 2), round(middle + half, 2)), (base, up(row["count"])))
        marks.centred(f"{row['count']}", middle, base + 9, size=style.FOOT_SIZE, align="left")


def _coverage(marks: Marks, rows: Sequence[Row], *, top: float) -> None:
    for place in range(5):
        marks.box("hair", (_COVER(place / 4), _COVER(place / 4)), (top - 6, top + PLOT + 6))
    for place, row in enumerate(rows):
        y = top + 8 + place * (PLOT - 16) / max(1, len(rows) - 1)
        marks.text(f"{row['level']} %", COVER_X - 38, y)
        marks.box("lines", (_COVER(row["seen_05"]), _COVER(row["seen_95"])), (y, y))
        marks.box("strokes", (_COVER(row["level"] / 100), _COVER(row["level"] / 100)), (y - 9, y + 9))
        marks.add("dots", x=_COVER(row["seen"]), y=y)
        said = f"{row['inside']} of {row['forecasts']}: {100 * row['inside'] / row['forecasts']:.0f} %"
        marks.text(said, COVER_X + COVER_WIDTH + 18, y)


@dataclass(frozen=True, slots=True)
class SkillLine:
    """A skill with its 90 % interval, if it has one, and what is written beside it; of all years or of some."""

    label: str
    skill: float
    ends: tuple[float, float] | None
    note: str
    whole: bool


def draw_skill(groups: Mapping[str, Sequence[SkillLine]], stored: Hindcast, *, head: Head) -> spec.Spec:
    """Draw the skill of the first against each baseline, by its name, in all and by years ahead, with intervals.

    The axis runs from -1 to 1; what lies beyond has an arrow.
    """
    marks = _marks()
    marks.text("← the other is better", AXIS_X, 8, style.QUIET)
    right = f"the {stored.lead} is better →"
    marks.text(right, AXIS_X + AXIS_WIDTH - style.text_width(right), 8, style.QUIET)
    marks.text("skill (90 % interval)", NOTE_X, 8, bold=True)
    top = 26.0
    for baseline, lines in groups.items():
        marks.box("rules", (0, WIDTH), (top, top))
        bottom = top + 8 + LINE * (len(lines) + 1)
        for tick in SKILL_TICKS:
            marks.box("hair" if tick else "axes", (_SKILL(tick), _SKILL(tick)), (top, bottom))
        name, y, late = f"against {baseline}", top + 14, baseline in stored.with_hindsight
        marks.text(f"{name} ({LATE})" if late else name, 0, y, style.VERMILION if late else style.INK, bold=True)
        for place, line in enumerate(lines, start=1):
            _skill(marks, line, y=y + LINE * place)
        top = bottom
    for tick, label in SKILL_TICKS.items():
        marks.centred(label, _SKILL(tick), top + 12, align="left")
    view = spec.view(marks.layers(), width=WIDTH, height=top + 20)
    return headed([view], head, stored, names=[stored.lead, *groups], left=0)


def _skill(marks: Marks, line: SkillLine, *, y: float) -> None:
    marks.text(line.label, 16, y, bold=line.whole)
    if line.ends is not None:
        low, high = line.ends
        marks.box("wide" if line.whole else "lines", (_SKILL.held(low), _SKILL.held(high)), (y, y))
    if abs(line.skill) <= 1:
        marks.add("dots", x=_SKILL(line.skill), y=y)
    if line.skill < -1 if line.ends is None else line.ends[0] < -1:
        marks.add("arrows", x=AXIS_X - 7, y=y)
    marks.text(line.note, NOTE_X, y, style.INK if line.whole else style.QUIET, bold=line.whole)
