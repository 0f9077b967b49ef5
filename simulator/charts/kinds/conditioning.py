"""Figures of a forecast given what happened: levels, crossing years and priors, before and given it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.charts import style
from simulator.charts.layout import RECT, Marks, PixelScale, rule_mark
from simulator.charts.overlaid import crossing_span, draw_dumbbells, draw_fans, ends_words, level_words
from simulator.charts.reading import level_unit
from simulator.charts.spec import Figure, Head
from simulator.runs.table import Row, Table
from simulator.wording import amount_range, capital, signed, year_text

if TYPE_CHECKING:
    from simulator.runs.result import Result

NAMES, PLOT, VALUES = 250.0, 400.0, 280.0
"""Pixels of the names of priors, of the plot and of the texts behind it."""
TOP, STEP = 62.0, 24.0
MOST = 14
STRONG = style.band_tints(2)[1]


def condition_figures(found: Result) -> list[Figure]:
    """Draw a forecast given what happened, as `simulator.condition` gives it."""
    tables, about = found.tables(), found.dataset.attrs
    worth = f"{about['samples']:,} samples" + (" drawn anew" if about["redrawn"] else "")
    foot = f"Run {about['run_id']} · scenario {about['name']} · seed {about['seed']} · {worth}, worth "
    head = Head("", f"{about['title']}. Given {about['given']}.", [f"{foot}{about['effective']:,.0f}"])
    figures = [
        _levels(own, name, head, tables["given"]) for (name,), own in tables["levels"].groups("quantity")
    ]  # fmt: skip
    if "crossings" in tables:
        figures.append(_crossings(tables["crossings"], head))
    moved = tables["priors"].where(beyond_chance=1) if "priors" in tables else Table({})
    return [*figures, _priors(moved, head)] if len(moved) else figures


def _levels(levels: Table, name: str, head: Head, given: Table) -> Figure:
    """Draw a level by year, before and given it."""
    runs = levels.with_columns({"run": levels["state"]})
    label, unit = str(levels["label"][0]), level_unit(str(levels["unit"][0]))
    states = {state: own.rows() for (state,), own in runs.groups("run")}
    middle = len(next(iter(states.values()))) // 2
    ends = {state: rows[middle] for state, rows in states.items()}
    year = next(iter(ends.values()))["year"]
    first, then = (level_words(row["median"], unit) for row in ends.values())
    title = f"{capital(label)} in {year:g}: median {first} before, {then} given what happened"
    news = [row for row in given.rows() if row["quantity"] == name and row["year"] is not None]
    chart = draw_fans(runs, name=label, unit=unit, head=replace(head, title=title), news=news)
    said = "; ".join(f"{state} {ends_words(row, unit)}" for state, row in ends.items())
    caption = f"{capital(label)} in {year:g}, median and 90 % interval, {unit}: {said}. {head.subtitle}"
    alt_text = f"Line chart with bands of {label} by year, on a log axis in {unit}, before and given it. {title}."
    return Figure(f"condition_{name}", chart, {"": levels}, caption, alt_text)


def _crossings(crossings: Table, head: Head) -> Figure:
    """Draw crossing years before and given it, threshold by threshold."""
    runs = crossings.with_columns({"run": crossings["state"]})
    first, last = float(crossings["first_year"][0]), float(crossings["last_year"][0])
    pairs = [own.rows() for _, own in crossings.groups("threshold")]
    before, then = max(pairs, key=lambda pair: abs(_held(pair[1], first, last) - _held(pair[0], first, last)))
    texts = [year_text(row["median"], last, first) for row in (before, then)]
    title = f"{before['label']}: median crossing year {texts[0]} before, {texts[1]} given what happened"
    years = crossing_span(crossings, first)[0], last
    chart = draw_dumbbells(runs, years=years, head=replace(head, title=title), words=("before", "given it"))
    said = "; ".join(f"{pair[0]['label']} {pair[0]['text']} to {pair[1]['text']}" for pair in pairs)
    caption = f"Median crossing years before and given what happened: {said}. {head.subtitle}"
    alt_text = f"Dot chart of the median crossing years of {len(pairs)} thresholds with 50 % intervals. {title}."
    return Figure("condition_crossings", chart, {"": crossings}, caption, alt_text)


def _held(row: Row, first: float, last: float) -> float:
    return min(max(float(row["median"]), first), last)


def _priors(moved: Table, head: Head) -> Figure:
    """Draw the priors that moved, on their normal scores: 90 % before and given it, and the mean."""
    rows = moved.first(MOST).rows()
    reach = max(2.2, *(abs(row[end]) for row in rows for end in ("score_lower", "score_upper"))) * 1.05
    marks = Marks(rules=rule_mark(), before=RECT, after=RECT, zero=rule_mark(style.AXIS, 1.2), dots=style.dot_mark())
    x = PixelScale(-reach, reach, NAMES, NAMES + PLOT)
    marks.text("standard deviations of the prior", NAMES, TOP - 24, style.QUIET)
    marks.text("median before → given it", NAMES + PLOT + 16, TOP - 24, style.QUIET)
    top = TOP
    for row in rows:
        name = style.wrapped(row["label"], width=38)
        height = max(STEP, style.LINE_HEIGHT * len(name) + 8)
        y, top = top + height / 2, top + height
        marks.text(name, 0, y)
        marks.box("rules", (0, NAMES + PLOT + VALUES), (top, top))
        marks.box("before", (x(-1.645), x(1.645)), (y - 8, y + 8), color=style.HAIR)
        marks.box("after", (x(row["score_lower"]), x(row["score_upper"])), (y - 4, y + 4), color=STRONG)
        marks.add("dots", x=x(row["shift"]), y=y)
        shown = amount_range(row["before_median_text"], row["median_text"], "→")
        marks.text(f"{shown}  ({signed(row['shift'])})", NAMES + PLOT + 16, y)
    for tick in range(-math.floor(reach), math.floor(reach) + 1):
        marks.box("zero" if tick == 0 else "rules", (x(tick), x(tick)), (TOP, top))
        marks.centred(f"{tick:+d}".replace("-", "−") if tick else "0", x(tick), top + 14)
    entries: list[style.LegendEntry] = [
        ("bar", style.HAIR, "prior, 90 %"), ("bar", STRONG, "given what happened, 90 %"), ("dot", style.INK, "mean"),
    ]  # fmt: skip
    first = rows[0]
    title = (
        f"{capital(first['label'])} moves most: from {first['before_median_text']} to {first['median_text']}, "
        f"{signed(first['shift'])} standard deviations"
    )
    legend = style.legend_layers(entries, x=0, y=8)
    chart = marks.sheet(replace(head, title=title), *legend, width=NAMES + PLOT + VALUES, height=top + 24)
    said = "; ".join(f"{row['label']} {signed(row['shift'])}" for row in rows)
    left = f" {len(moved) - len(rows)} more moved." if len(moved) > len(rows) else ""
    caption = f"Priors that what happened moves by more than chance, in standard deviations: {said}.{left}"
    alt_text = f"Bars of {len(rows)} priors before and given what happened, on one scale. {title}."
    return Figure("condition_priors", chart, {"": moved}, f"{caption} {head.subtitle}", alt_text)
