"""Named fans over one another, a few in one frame and many in small frames; and their crossing years in rows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from simulator.charts import spec, style
from simulator.charts.frame import Frame
from simulator.charts.layout import LINE_SHADES, RECT, Marks, PixelScale, line_mark, outside_mark, row_edges, rule_mark
from simulator.charts.spec import Head
from simulator.charts.ticks import year_ticks
from simulator.runs.table import Row, Table
from simulator.wording import amount_range, amount_words, power_text

WIDTH, HEIGHT, LEFT, TOP = 560, 400, 58, 30
LABEL_WIDTH, LABEL_CHARACTERS = 300, 30
SHADES = LINE_SHADES[:4]
PALE, STRONG = style.band_tints(2)
COLUMNS = 3
PANEL_WIDTH, PANEL_HEIGHT, PANEL_GAP, PANEL_HEAD = 244, 150, 26, 40
MOST_OVERLAID = 4
ROW = 18
MEDIAN_WIDTH, STRIP_WIDTH = 130, 440
NAME_CHARACTERS, MOST_RUN_WIDTH = 26, 270


@dataclass(frozen=True, slots=True)
class Panel:
    """A frame in pixels: years along, log10 of the unit up; `frame` tells how its numbers are written."""

    x: PixelScale
    y: PixelScale
    frame: Frame


def level_words(log_level: float, unit: str) -> str:
    """Write a level to two digits, in the unit in which people tell it."""
    return amount_words(log_level, unit, power_text)


def ends_words(row: Row, unit: str) -> str:
    """Write the median and the ends of a band, under a heading that has the unit."""
    low, middle, high = (
        level_words(row[key], unit).removesuffix(unit).rstrip() for key in ("lower", "median", "upper")
    )
    return middle if low == high else f"{middle} ({amount_range(low, high)})"


def draw_fans(levels: Table, *, name: str, unit: str, head: Head, news: Sequence[Row] = ()) -> spec.Spec:
    """Draw the fans of two runs or more over one another: up to four in one frame, more in small frames.

    `levels` has `run`, `year`, `median`, `lower`, `upper` (log10 of the unit), the runs in their order; under the name
    of each stands its last row. `news` are marked in the one frame: `year`, `lower`, `upper` (infinite at an open end).
    Levels beyond any number (+inf) stand at the top.
    """
    runs = {run: own for (run,), own in levels.groups("run")}
    small = len(runs) > MOST_OVERLAID
    years, spread = _span(levels, ("year",), 0.0), _span(levels, ("median", "lower", "upper"), 0.05 if small else 0.04)
    height, width = (PANEL_HEIGHT, PANEL_WIDTH) if small else (HEIGHT, WIDTH)
    frame, told = Frame(*years, *spread, height=height, gutter=LEFT, width=width).told_in(
        levels.where(run=next(iter(runs)))["median"][-1], unit
    )
    lasts = {run: own.rows()[-1] for run, own in runs.items()}
    notes = {run: f"{row['year']:g}: {ends_words(row, unit)}" for run, row in lasts.items()}
    draw = _draw_multiples if small else partial(_draw_overlaid, news=news)
    return draw(runs, frame, heading=f"{name}, {told}", notes=notes, head=head)


def _panel(frame: Frame, *, left: float, top: float) -> Panel:
    across = PixelScale(frame.first, frame.last, left, left + frame.width)
    return Panel(across, PixelScale(frame.lower, frame.upper, top + frame.height, top), frame)


def _draw_overlaid(
    runs: Mapping[str, Table], frame: Frame, *, heading: str, notes: Mapping[str, str], head: Head, news: Sequence[Row]
) -> spec.Spec:
    """Draw medians, one band, and the ends at the right; the band of the first run is filled, others are outlined."""
    panel = _panel(frame, left=LEFT, top=TOP)
    ends = {run: own.rows()[-1] for run, own in runs.items()}
    starts = {run: panel.y.held(row["median"]) for run, row in ends.items()}
    order = sorted(runs, key=lambda run: starts[run])
    shades = dict(zip(runs, SHADES, strict=False))
    kinds = {"grid": rule_mark(), "band": {"type": "area", "color": PALE}}
    for run, (color, dash) in reversed(shades.items()):
        kinds |= {f"{key} {run}": line_mark(color, width, dash=dash)
                  for key, width in (("lower", 1.1), ("upper", 1.1), ("median", 2.6))}  # fmt: skip
    kinds["leaders"] = line_mark(style.QUIET, 0.8)
    kinds |= {f"sample {run}": line_mark(shades[run][0], 2.6, dash=shades[run][1]) for run in order}
    marks = Marks(**kinds, bars=RECT, news=rule_mark(style.VERMILION, 3), seen=outside_mark())
    marks.text(heading, 0, 8, bold=True)
    _grid([panel], marks)
    for row in news:
        _mark_news(marks, panel, row)
    for place, (run, own) in enumerate(runs.items()):
        if place == 0:
            marks["band"].extend(_band(panel, own))
        elif _has_width(own):
            for key in ("lower", "upper"):
                marks[f"{key} {run}"].extend(_line(panel, own, key))
        marks[f"median {run}"].extend(_line(panel, own, "median"))
    labels = [[*style.wrapped(run, width=LABEL_CHARACTERS), notes[run]] for run in order]
    heights = [style.LINE_HEIGHT * len(label) + 8.0 for label in labels]
    wanted = [starts[run] for run in order]
    middles = style.spread_labels(wanted, heights=heights, top=panel.y.end - 6, bottom=panel.y.start + 14)
    edge, shift = panel.x.end + 12 + 8 * len(runs), style.LINE_HEIGHT / 2
    for run, label, middle in zip(order, labels, middles, strict=True):
        # Beside the plot the last interval of the run with its median; then its line, name and note.
        x, start, color = panel.x.end + 10 + 8 * list(runs).index(run), starts[run], shades[run][0]
        low, high = (panel.y.held(ends[run][key]) for key in ("lower", "upper"))
        marks.box("bars", (x, x + 4), (high - 0.75, low + 0.75), color=color)
        marks.box("bars", (x - 2, x + 6), (start - 1.5, start + 1.5), color=color)
        line = middle - shift * (len(label) - 1)
        corners = ((x + 6, start), (edge, start), (edge + 12, line), (edge + 16, line))
        marks["leaders"].extend([{"detail": run, "x": across, "y": down} for across, down in corners])
        marks[f"sample {run}"].extend([{"x": edge + 18, "y": line}, {"x": edge + 44, "y": line}])
        marks.text(label[:-1], edge + 50, middle - shift, bold=True)
        marks.text(label[-1], edge + 50, middle + shift * (len(label) - 1), style.QUIET)
    width = LEFT + WIDTH + LABEL_WIDTH
    return marks.sheet(head, width=width, height=panel.y.start + 24)


def _draw_multiples(
    runs: Mapping[str, Table], frame: Frame, *, heading: str, notes: Mapping[str, str], head: Head
) -> spec.Spec:
    """Draw small frames on the same axes, each over the fan of the first run; their legend fills a free corner."""
    corners = [
        (LEFT + (PANEL_WIDTH + PANEL_GAP) * (place % COLUMNS),
         TOP + PANEL_HEAD + (PANEL_HEIGHT + PANEL_HEAD + 30) * (place // COLUMNS))
        for place in range(len(runs) + 1)
    ]  # fmt: skip
    panels = {run: _panel(frame, left=left, top=top) for run, (left, top) in zip(runs, corners, strict=False)}
    marks = Marks(
        band={"type": "area", "color": PALE}, grid=rule_mark(), first=line_mark(SHADES[0][0], 2, dash=SHADES[0][1]),
        edges=line_mark(style.VERMILION, 1), medians=line_mark(SHADES[1][0], 2, dash=SHADES[1][1]),
    )  # fmt: skip
    marks.text(heading, 0, 8, bold=True)
    first, reference = next(iter(runs.items()))
    for run, panel in panels.items():
        name, note = style.fitted(run, PANEL_WIDTH, bold=True), style.fitted(notes[run], PANEL_WIDTH)
        y = panel.y.end - 11 - style.LINE_HEIGHT * (len(note) - 1) / 2
        marks.text(note, panel.x.start, y, style.QUIET)
        y -= 1 + style.LINE_HEIGHT * (len(note) + len(name)) / 2
        marks.text(name, panel.x.start, y, bold=True)
        marks["band"].extend(_band(panel, reference, detail=run))
        marks["first"].extend(_line(panel, reference, "median", detail=run))
        if run != first:
            for key in ("lower", "upper") if _has_width(runs[run]) else ():
                marks["edges"].extend(_line(panel, runs[run], key, detail=f"{run} {key}"))
            marks["medians"].extend(_line(panel, runs[run], "median", detail=run))
    _grid(list(panels.values()), marks)
    entries: list[style.LegendEntry] = [
        ("band", PALE, f"{first} in every frame"),
        ("line", style.VERMILION, "that of the frame: median, and the ends of its band"),
    ]
    if len(runs) % COLUMNS:
        legend = style.legend_layers(entries, x=corners[-1][0], y=corners[-1][1] + 8, width=PANEL_WIDTH)
    else:
        legend = style.legend_layers(entries, x=style.text_width(heading) * 1.08 + 24, y=8)
    width = LEFT + COLUMNS * (PANEL_WIDTH + PANEL_GAP)
    height = max(panel.y.start for panel in panels.values()) + 24
    return marks.sheet(head, *legend, width=width, height=height)


def _grid(panels: Sequence[Panel], marks: Marks) -> None:
    """Draw the grids of frames, and write the ticks: levels beside those at the left, years under all."""
    small = len(panels) > 1
    for panel in panels:
        for tick in panel.frame.ticks():
            y = panel.y(tick)
            marks.box("grid", (panel.x.start, panel.x.end), (y, y))
            if panel.x.start == LEFT:
                marks.texts.extend(panel.frame.level_texts(tick, right=LEFT - 8, y=y))
        ticks = year_ticks(panel.x.low, panel.x.high)
        for year in ticks[:: -(-len(ticks) // 6) if small else 1]:
            x = panel.x(year)
            marks.box("grid", (x, x), (panel.y.end, panel.y.start + 4))
            marks.centred(str(year), x, panel.y.start + 14)


def _mark_news(marks: Marks, panel: Panel, row: Row) -> None:
    """Mark what was observed of a level: from its lower to its upper end, which may be open."""
    x, low, high = panel.x(row["year"]), panel.y.held(row["lower"]), panel.y.held(row["upper"])
    marks.box("news", (x, x), (low, high))
    for end, y in (("lower", low), ("upper", high)):
        if panel.y.low < row[end] < panel.y.high:
            marks.add("seen", x=x, y=y)
    marks.text("given", x + 10, high + 8 if row["upper"] >= panel.y.high else low + 14, style.VERMILION)


def _has_width(levels: Table) -> bool:
    return bool((levels["lower"] != levels["upper"]).any())


def _line(panel: Panel, levels: Table, key: str, **more: object) -> spec.Data:
    pairs = zip(levels["year"].tolist(), levels[key].tolist(), strict=True)
    return [{"x": panel.x(year), "y": panel.y.held(level), **more} for year, level in pairs]


def _band(panel: Panel, levels: Table, **more: object) -> spec.Data:
    low = _line(panel, levels, "lower", **more)
    return [row | {"y2": panel.y.held(level)} for row, level in zip(low, levels["upper"].tolist(), strict=True)]


def _span(levels: Table, keys: Sequence[str], margin: float) -> tuple[float, float]:
    """Find the ends of an axis of finite levels, at least one unit long, with a margin as a share of its length."""
    values = [value for key in keys for value in levels[key].tolist() if value < math.inf]
    low, high = min(values), max(values)
    spare = max(0.0, 1.0 - (high - low)) / 2 + margin * (high - low)
    return low - spare, high + spare


def crossing_span(crossings: Table, first: float) -> tuple[float, float]:
    """Choose the ends of the axis of crossing years: a year of room on either side, from `first` to the horizon."""
    starts = np.concatenate([crossings["lower_50"], crossings["median"]])
    begin = max(first, math.floor(min(starts[np.isfinite(starts)], default=first)) - 1.0)
    ends = np.minimum(crossings["upper_50"], crossings["last_year"])
    last = min(float(crossings["last_year"].max()), math.ceil(ends.max()) + 1.0)
    return min(begin, last - 1.0), last


def draw_dumbbells(
    crossings: Table, *, years: tuple[float, float], head: Head, words: tuple[str, str] = ("first run", "other run")
) -> spec.Spec:
    """Draw the median crossing years of several runs, threshold by threshold, with their 50 % intervals.

    `crossings` has `threshold`, `label`, `run`, `median`, `lower_50`, `upper_50` (decimal years, +inf: later than the
    horizon), `last_year` (the horizon), `text` (written at the right), the runs of a threshold one after another;
    `years` are the ends of the axis. A line joins each median with that of the first run, and a run has the colour of
    its fan. What is later than the horizon of a run ends in an arrow.
    """
    runs = list(dict.fromkeys(crossings["run"].tolist()))
    names = [line for label in crossings["label"] for line in style.wrapped(label, width=NAME_CHARACTERS)]
    name_width = max(map(style.text_width, names)) * 1.1 + 20
    left = name_width + min(MOST_RUN_WIDTH, max(map(style.text_width, runs)) * 1.05 + 20)
    right = left + STRIP_WIDTH
    x = PixelScale(*years, left, right)
    colors = dict(zip(runs, itertools.cycle(color for color, _ in LINE_SHADES), strict=False))
    rims = {f"other {run}": colors[run] for run in runs[1:]}
    rims["other"] = colors[runs[-1]] if len(runs) == 2 else style.QUIET  # in the legend
    marks = Marks(
        rules=rule_mark(), bars=RECT, links=rule_mark(style.QUIET, 1.2), arrows=style.shape_mark("triangle-right", 60),
        first=style.shape_mark("circle", 50, fill=style.DARK_BLUE),
        **{key: style.shape_mark("diamond", 62, fill=style.PAPER, rim=rim, width=2) for key, rim in rims.items()},
    )  # fmt: skip
    marks.text("median", right + 20, 14, style.QUIET)
    top = 34.0
    for _, own in crossings.groups("threshold"):
        name = style.wrapped(own["label"][0], width=NAME_CHARACTERS)
        marks.box("rules", (0, right + MEDIAN_WIDTH), (top, top))
        marks.text(name, 0, top + 7 + style.LINE_HEIGHT * len(name) / 2, bold=True)
        called = [style.fitted(run, left - name_width - 12) for run in own["run"]]
        edges, middles = row_edges([float(ROW + style.LINE_HEIGHT * (len(lines) - 1)) for lines in called])
        above = top
        for row, lines, middle in zip(own.rows(), called, middles, strict=True):
            y = top + 6 + middle
            marks.text(lines, name_width, y)
            marks.text(row["text"], right + 20, y)
            _dumbbell(marks, row, own["median"][0], x=x, y=y, above=above, color=colors[row["run"]],
                      is_first=row["run"] == runs[0])  # fmt: skip
            above = y
        top += max(edges[-1], style.LINE_HEIGHT * len(name)) + 12
    marks.box("rules", (0, right + MEDIAN_WIDTH), (top, top))
    for tick in year_ticks(*years):
        marks.box("rules", (x(tick), x(tick)), (34, top + 4))
        marks.centred(str(tick), x(tick), top + 14)
    for place, (kind, word) in enumerate(zip(("first", "other"), words, strict=True)):
        marks.add(kind, x=left + 8 + 90 * place, y=14)
        marks.text(word, left + 20 + 90 * place, 14, style.QUIET)
    legend = style.legend_layers([("bar", STRONG, "50 % of the samples")], x=left + 190, y=14)
    return marks.sheet(head, *legend, width=right + MEDIAN_WIDTH, height=top + 24)


def _dumbbell(
    marks: Marks, row: Row, first: float, *, x: PixelScale, y: float, above: float, color: str, is_first: bool
) -> None:
    """Draw the interval and the median of one run, joined with the first median; `above` is the row before."""
    low, median, high = row["lower_50"], row["median"], row["upper_50"]
    end = x(min(row["last_year"], high))
    if low < math.inf:
        marks.box("bars", (x(low), end), (y - 4, y + 4), color=STRONG if is_first else PALE)
    if not math.isfinite(high):
        marks.add("arrows", x=end + 5, y=y, color=color)
    if math.isfinite(median):
        marks.add("first" if is_first else f"other {row['run']}", x=x(median), y=y)
        if not is_first and math.isfinite(first):
            marks.box("links", (x(first), x(median)), (y, y))
            marks.box("links", (x(first), x(first)), (above, y))
