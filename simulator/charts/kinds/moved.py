"""Figures of a forecast by release: each headline in a small frame, its medians and intervals by date."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from simulator.analysis.moved import LEVEL, median_words, move_words, never_words
from simulator.charts import style
from simulator.charts.layout import RECT, Marks, PixelScale, line_mark, rule_mark
from simulator.charts.spec import Figure, Head
from simulator.charts.ticks import axis_ticks
from simulator.runs.table import Row, Table
from simulator.wording import capital

if TYPE_CHECKING:
    from simulator.runs.result import Result

COLUMNS, MOST = 3, 9
WIDTH, HEIGHT, LEFT, TOP, BELOW, GAP = 210.0, 150.0, 52.0, 62.0, 40.0, 26.0
"""Pixels of a frame, of its numbers at the left, its heading, its dates, and between two frames."""
PALE, STRONG = style.band_tints(2)
INSET = 26.0
CENSORED = "medians, 50 and 90 % intervals; triangles: on beyond the last year."


def moved_figures(found: Result) -> list[Figure]:
    """Draw how a forecast moved, as `simulator.forecast_moves` gives it: levels, then crossing years."""
    headlines, about = found.tables()["headlines"], found.dataset.attrs
    figures = []
    for name, what, how, mine in (
        ("moved_levels", "levels", "medians, 50 and 90 % intervals.", headlines["statistic"] == LEVEL),
        ("moved_crossings", "crossing years", CENSORED, headlines["statistic"] != LEVEL),
    ):
        if any(mine):
            figures.append(
                _figure(name, (what, how), headlines.where(mine), str(about["scenario"]), str(about["label"]))
            )
    return figures


def _figure(name: str, words: tuple[str, str], headlines: Table, scenario: str, label: str) -> Figure:
    what, how = words
    frames = [own.rows() for _, own in headlines.groups("headline")]
    shown = sorted(frames, key=_size, reverse=True)[:MOST]
    frames = [rows for rows in frames if rows in shown]
    dates = list(dict.fromkeys(headlines["dated"].tolist()))
    most = max(frames, key=_size)
    told = ": no median can be held against another" if most[-1]["moved"] is None else (
        f": {most[-1]['headline']} moved most, {move_words(most[-1])}"
    )  # fmt: skip
    title = f"{capital(scenario)} from {dates[-2]} to {dates[-1]}{told}"
    head = Head(title, f"Forecast {what} by release: {how}", [label])
    marks = Marks(
        grid=rule_mark(), wide=RECT, narrow=RECT, path=line_mark(style.QUIET, 1.2), dots=style.dot_mark(),
        beyond=style.shape_mark("triangle-up", 60, fill=style.VERMILION),
    )  # fmt: skip
    for place, rows in enumerate(frames):
        left = LEFT + place % COLUMNS * (WIDTH + LEFT + GAP)
        top = 24 + TOP + place // COLUMNS * (TOP + HEIGHT + BELOW)
        _draw(rows, marks, left=left, top=top)
    entries: list[style.LegendEntry] = [("bar", STRONG, "50 %"), ("bar", PALE, "90 %"), ("dot", style.INK, "median")]
    width = COLUMNS * (WIDTH + LEFT + GAP) - GAP
    height = 24 + math.ceil(len(frames) / COLUMNS) * (TOP + HEIGHT + BELOW)
    chart = marks.sheet(head, *style.legend_layers(entries, x=0, y=8), width=width, height=height)
    said = "; ".join(f"{rows[-1]['headline']} {' then '.join(median_words(row) for row in rows)}" for rows in frames)
    left_out = f" {n} more are in the table." if (n := len(set(headlines["headline"])) - len(frames)) else ""
    alt_text = f"{len(frames)} small frames of {what}, a bar for each of {len(dates)} releases. {title}."
    return Figure(name, chart, {"": headlines}, f"Medians by release: {said}.{left_out}", alt_text)


def _size(rows: Sequence[Row]) -> float:
    """Tell how far a headline moved at last, in the unit that all of a figure have."""
    moved = rows[-1]["moved"]
    return -1.0 if moved is None else abs(moved)


def _draw(rows: Sequence[Row], marks: Marks, *, left: float, top: float) -> None:
    """Draw one headline: its heading, its axes, and for each release two bars and the median."""
    days = [row["day"] for row in rows]
    x = PixelScale(min(days), max(days), left + INSET, left + WIDTH - INSET)
    y = _scale(rows, top)
    is_level = rows[0]["statistic"] == LEVEL
    for place, line in enumerate(
        [*style.fitted(rows[0]["headline"], WIDTH + LEFT / 2, bold=True, most=1), *_notes(rows)]
    ):
        marks.text(
            line, left, top - TOP + 14 + place * style.LINE_HEIGHT, style.QUIET if place else style.INK, bold=not place
        )
    for tick in axis_ticks(y.low, y.high, "power" if is_level else "year", most=8 if is_level else 6):
        marks.box("grid", (left, left + WIDTH), (y(tick), y(tick)))
        marks.tick(tick, "power" if is_level else "year", left - 6, y(tick))
    half = min(11.0, max(2.5, 0.3 * min((x(b) - x(a) for a, b in pairwise(days)), default=WIDTH)))
    for row in rows:
        at = x(row["day"])
        for kind, color, share, low, high in (
            ("wide", PALE, 1.0, "lower_90", "upper_90"), ("narrow", STRONG, 0.7, "lower_50", "upper_50"),
        ):  # fmt: skip
            if row[low] < math.inf:
                ends = (y.held(row[high]), y.held(row[low]))
                marks.box(kind, (at - share * half, at + share * half), ends, color=color)
        if row["upper_90"] == math.inf:
            marks.add("beyond", x=at, y=y.end - 4)
        if math.isfinite(row["median"]):
            marks.add("dots", x=at, y=y(row["median"]))
            marks["path"].append({"x": at, "y": y(row["median"]), "detail": row["headline"]})
    _write_dates(rows, x, marks, y=y.start + 14)


def _write_dates(rows: Sequence[Row], x: PixelScale, marks: Marks, *, y: float) -> None:
    """Write the dates of releases below a frame: the last, the first, and of the others those that have room."""
    taken: list[tuple[float, float]] = []
    for row in (rows[-1], *rows[:-1]):
        at, room = x(row["day"]), style.text_width(row["dated"]) / 2 + 3
        if all(at + room < left or at - room > right for left, right in taken):
            marks.centred(row["dated"], at, y)
            taken.append((at - room, at + room))


def _scale(rows: Sequence[Row], top: float) -> PixelScale:
    """Choose the ends of the upright axis: all intervals, as far as they are before the horizon."""
    ends = [row[key] for row in rows for key in ("lower_90", "upper_90")]
    ends += [row["last_year"] for row in rows if row["upper_90"] == math.inf]
    finite = [end for end in ends if math.isfinite(end)]
    low, high = min(finite), max(finite)
    spare = max(0.06 * (high - low), 0.15)
    return PixelScale(low - spare, high + spare, top + HEIGHT, top)


def _notes(rows: Sequence[Row]) -> list[str]:
    """Say the last two medians and the move; of a crossing year the odds of none too."""
    before, last = rows[-2:]
    moved = f" ({move_words(last)})" if last["moved"] is not None else ""
    told = [f"{median_words(before)} → {median_words(last)}{moved}"]
    if last["statistic"] != LEVEL:
        shares = " → ".join(never_words(row) for row in (before, last))
        told.append(f"never by {last['last_year']:g}: {shares}")
    return told
