"""The figure of signposts: how much early observables tell of an outcome, and what their values would mean."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.charts import style
from simulator.charts.layout import LINE_SHADES, RECT, Marks, PixelScale, line_mark, rule_mark
from simulator.charts.spec import Figure, Head
from simulator.charts.ticks import outcome_scale, plain_ticks, power_ticks, year_ticks
from simulator.runs.table import Row, Table
from simulator.wording import capital, listed

if TYPE_CHECKING:
    from simulator.runs.result import Result

LEFT, PLOT, HEIGHT, TOP = 52.0, 460.0, 260.0, 34.0
WIDTH, NAMES, STEP = 860.0, 340.0, 22.0
MOST = len(LINE_SHADES)
STRONG = style.band_tints(2)[1]


def signpost_figures(found: Result) -> list[Figure]:
    """Draw signposts, as `simulator.signposts` gives them."""
    tables, about = found.tables(), found.dataset.attrs
    posts = tables["signposts"]
    every = sorted((own.sorted_by("year") for _, own in posts.groups("observable")), key=_largest)
    lines = [own for own in every if (own["reduction"] > 2 * own["reduction_error"]).any()][:MOST] or every[:1]
    best = max(posts.rows(), key=lambda row: row["reduction"])
    title = f"{capital(best['name'])} tells most of {about['words']}: {100 * best['reduction']:.0f} % off its CRPS"
    under = f"{about['title']}. What knowing an observable exactly would take off the expected error (CRPS)."
    foot = f"Run {about['run_id']} · scenario {about['name']} · seed {about['seed']} · {about['samples']:,} samples"
    kinds = {"grid": rule_mark(), "leaders": line_mark(style.QUIET, 0.8), "errors": rule_mark(style.QUIET, 1)}
    kinds |= {f"line {place}": line_mark(color, 2, dash=dash) for place, (color, dash) in enumerate(LINE_SHADES)}
    marks = Marks(**kinds, bars=RECT, ends=style.shape_mark("triangle-right", 60), dots=style.dot_mark())
    _draw_lines(marks, lines)
    bottom = TOP + HEIGHT + 40
    if "meant" in tables:
        unit, years = str(about["unit"]), (float(about["first_year"]), float(about["last_year"]))
        bottom = _draw_meant(marks, tables["meant"], unit=unit, years=years, top=bottom + 16, words=str(about["words"]))
    chart = marks.sheet(Head(title, under, [foot]), width=WIDTH, height=bottom)
    told = listed(f"{own['label'][0]} {-100 * _largest(own):.0f} %" for own in lines)
    caption = f"{title}. The most that each would take off, in any year drawn: {told}."
    alt_text = f"Lines of {len(lines)} observables by year, in % of the expected CRPS. {title}."
    name = re.sub(r"[^A-Za-z0-9-]+", "_", str(about["outcome"]))
    return [Figure(f"signposts_{name}", chart, {"": posts, **{key: tables[key] for key in ("meant",) if key in tables}},
                   caption, alt_text)]  # fmt: skip


def _largest(own: Table) -> float:
    return -float(own["reduction"].max())


def _draw_lines(marks: Marks, lines: Sequence[Table]) -> None:
    """Draw the reduction by year of each observable, with plus and minus twice its error, and its name at the right."""
    years = sorted({year for own in lines for year in own["year"].tolist()})
    spare = 0.5 if len(years) == 1 else 0.0
    x = PixelScale(years[0] - spare, years[-1] + spare, LEFT + 14, LEFT + PLOT)
    top = max(2.0, *(100 * (row["reduction"] + 2 * row["reduction_error"]) for own in lines for row in own.rows()))
    y = PixelScale(0.0, top * 1.05, TOP + HEIGHT, TOP)
    marks.text("taken off the expected error, %", 0, TOP - 22, bold=True)
    for tick in plain_ticks(0.0, y.high, most=6):
        marks.box("grid", (LEFT, LEFT + PLOT), (y(tick), y(tick)))
        marks.text(f"{tick:g} %", LEFT - 8, y(tick), align="right")
    for year in years:
        marks.centred(f"{year:g}", x(year), TOP + HEIGHT + 14)
    ends = [y.held(100 * own["reduction"][-1]) for own in lines]
    order = sorted(range(len(lines)), key=lambda place: ends[place])
    names = [style.wrapped(str(lines[place]["label"][0]), width=36) for place in order]
    heights = [style.LINE_HEIGHT * len(name) + 3.0 for name in names]
    middles = style.spread_labels([ends[place] for place in order], heights=heights, top=TOP - 8, bottom=TOP + HEIGHT)
    for place, name, middle in zip(order, names, middles, strict=True):
        for row in lines[place].rows():
            low, high = (100 * (row["reduction"] + side * 2 * row["reduction_error"]) for side in (-1, 1))
            marks.add(f"line {place}", x=x(row["year"]), y=y.held(100 * row["reduction"]), detail="line")
            marks.box("errors", (x(row["year"]), x(row["year"])), (y.held(low), y.held(high)))
        right = LEFT + PLOT
        for across, down in ((right + 4, ends[place]), (right + 12, ends[place]), (right + 26, middle)):
            marks.add("leaders", x=across, y=down, detail=place)
        for across in (right + 28, right + 52):
            marks.add(f"line {place}", x=across, y=middle, detail="sample")
        marks.text(name, right + 58, middle)


def _draw_meant(
    marks: Marks, meant: Table, *, unit: str, years: tuple[float, float], top: float, words: str
) -> float:  # fmt: skip
    """Draw the outcome at the 10, 50 and 90 % value of each signpost: median and 90 %; give where it ends."""
    rows = meant.rows()
    x = _scale(rows, unit=unit, years=years)
    marks.text(f"{capital(words)}, if", 0, top, bold=True)
    top += 16
    for (name,), own in meant.groups("name"):
        marks.text(f"{name} is at its", 0, top + STEP / 2)
        top += STEP
        for row in own.rows():
            y, top = top + STEP / 2, top + STEP
            marks.text(f"{100 * row['level']:g} % value, {row['value_text']}", 16, y, style.QUIET)
            _draw_interval(marks, row, x, y)
            marks.text(row["said"].partition(" (")[0], x.end + 16, y)
        marks.box("grid", (0, WIDTH), (top, top))
    scale = outcome_scale({"year": "crossing", "1": "crossed"}.get(unit, "level"), log=unit.startswith("log10("))
    choose = {"power": power_ticks, "year": lambda low, high: list(map(float, year_ticks(low, high, most=6)))}
    for tick in choose.get(scale, plain_ticks)(x.low, x.high):
        marks.box("grid", (x(tick), x(tick)), (TOP + HEIGHT + 70, top + 4))
        if scale == "power":
            marks.texts += style.power_texts(tick, right=x(tick) + style.power_width(tick) / 2, y=top + 14)
        else:
            marks.centred(f"{100 * tick:.3g} %" if unit == "1" else f"{tick:g}", x(tick), top + 14)
    return top + 26


def _scale(rows: Sequence[Row], *, unit: str, years: tuple[float, float]) -> PixelScale:
    values = [row[end] for row in rows for end in ("lower", "median", "upper") if row[end] is not None]
    held = [min(value, years[1]) if unit == "year" else value for value in values if math.isfinite(value)]
    low, high = (0.0, max(held)) if unit == "1" else (min(held, default=years[0]), max(held, default=years[1]))
    if unit == "year" and any(math.isinf(value) for value in values):
        high = years[1]
    spare = 0.04 * (high - low) or 0.5
    return PixelScale(low - (0.0 if unit == "1" else spare), high + spare, NAMES, NAMES + 330.0)


def _draw_interval(marks: Marks, row: Row, x: PixelScale, y: float) -> None:
    """Draw a median and its 90 % interval; what is later than the horizon goes on in an arrow."""
    if row["lower"] is not None and math.isfinite(row["lower"]):
        marks.box("bars", (x.held(row["lower"]), x.held(row["upper"])), (y - 4, y + 4), color=STRONG)
        if math.isinf(row["upper"]):
            marks.add("ends", x=x.end + 2, y=y, color=STRONG)
    if math.isfinite(row["median"]):
        marks.add("dots", x=x(row["median"]), y=y)
