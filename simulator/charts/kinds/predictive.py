"""What was seen of history, against what the fitted model would have shown."""

from __future__ import annotations

from typing import Final

import numpy as np

from simulator.charts import spec, style
from simulator.charts.frame import Frame, check_numbers
from simulator.charts.layout import key_view, line_mark, outside_mark, sheet
from simulator.charts.reading import check_learnt
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.charts.style import Text
from simulator.runs.groups import Run, group, run_label
from simulator.runs.table import Table
from simulator.units import plain_unit
from simulator.variables import UNKNOWNS
from simulator.wording import capital, listed

WIDTH = 700
HEIGHT = 210
GUTTER = 60.0
RIGHT = 190
NOTE_X = WIDTH + 18


def draw_predictive(table: Table, *, head: Head) -> spec.Spec:
    """Draw each kind of observation in a plot of its own, under one another on common years.

    Points outside the 90 % band are hollow diamonds, the others discs.
    """
    check_numbers(table, "year", "value", *_KEYS, of="points")
    years = table["year"].tolist()
    spare = 0.02 * max(max(years) - min(years), 1.0)
    ends = (min(years) - spare, max(years) + spare)
    pale, strong = style.band_tints(2)
    entries: list[style.LegendEntry] = [
        ("line", style.DARK_BLUE, "predictive median"),
        ("band", strong, "50 %"),
        ("band", pale, "90 % of what the fitted model would show"),
        ("point", style.INK, "seen"),
    ]
    views = [
        key_view(entries, x=-GUTTER, outside="seen, outside 90 %"),
        *(_plot(kind, points, ends=ends) for (kind,), points in table.groups("kind")),
    ]
    return sheet(views, head, x=-GUTTER, width=GUTTER + WIDTH + RIGHT)


def _plot(kind: str, points: Table, *, ends: tuple[float, float]) -> spec.Spec:
    rows = points.select("year", "value", *_KEYS).rows()
    levels = [level for key in ("value", *_KEYS) for level in points[key].tolist()]
    margin = 0.04 * max(max(levels) - min(levels), 0.5)
    frame = Frame(*ends, min(levels) - margin, max(levels) + margin, height=HEIGHT, gutter=GUTTER, width=WIDTH)
    layers = frame.bands(rows, levels=(90, 50))
    layers.append(spec.layer(rows, frame.x("year"), frame.y("median"), mark=line_mark(style.DARK_BLUE, 2.5)))
    for inside, mark in ((True, style.point_mark()), (False, outside_mark())):
        if mine := points.where(inside_90=inside).select("year", "value", *_KEYS).rows():
            layers.append(spec.layer(mine, frame.x("year"), frame.y("value"), mark=mark))
    texts = [Text([_heading(kind)], -GUTTER, -18, bold=True), *frame.texts()]
    y = style.LINE_HEIGHT / 2
    for band in (90, 50):
        main, share = band == 90, 100 * points[f"inside_{band}"].sum() / len(points)
        lines = style.wrapped(f"{_inside(points, band)} inside the {band} % band ({share:.0f} %)", width=26)
        middle = y + style.LINE_HEIGHT * (len(lines) - 1) / 2
        texts.append(Text(lines, NOTE_X, middle, style.INK if main else style.QUIET, bold=main))
        y += style.LINE_HEIGHT * len(lines) + 4
    return spec.view([*layers, *style.text_layers(texts)], width=WIDTH, height=HEIGHT)


OBSERVED: Final = {
    "run_log_compute": ("run_year", "runs"),
    "cost_log_usd": ("costed_run_year", "costs"),
    "accelerator_log_flops_per_usd": ("accelerator_year", "accelerators"),
}
"""What is seen: the coordinate that says when, and what one calls them."""
_KEYS: Final = {"lower_90": 0.05, "lower_50": 0.25, "median": 0.5, "upper_50": 0.75, "upper_90": 0.95}


def predictive_figures(run: Run, options: FigureOptions) -> list[Figure]:
    """Draw runs, costs and accelerators over the predictive bands of the model that was fitted to them.

    `years` chooses the years, if any observation lies in them.
    """
    table = predictive_table(run)
    if options.years is not None:
        first, last = options.years
        table = table.where((table["year"] >= first) & (table["year"] <= last)) or table
    seen = {kind: points for (kind,), points in table.groups("kind")}
    named = listed(f"{_inside(points, 90)} {OBSERVED[kind][1]}" for kind, points in seen.items())
    half = listed(_inside(points, 50) for points in seen.values())
    title = f"Inside the 90 % band: {named}"
    attributes = run["posterior"].attrs
    under = (
        f"{run.attrs['title']}. The model of {attributes['runs']} frontier runs to the end of "
        f"{attributes['origin']} (estimates of {attributes['snapshot']}) against what it was fitted to."
    )
    chart = draw_predictive(table, head=Head(title, under, run_label(run)))
    caption = (
        f"{title}. A model that fits has about 90 % of them inside, and half of them inside the 50 % band: there are "
        f"{half}. The bands are those of data that the model had seen."
    )
    alt_text = (
        f"{len(seen)} plots under one another on common years: {listed(map(_heading, seen))}, on log "
        f"scales. Each has the predictive median with 50 and 90 % bands, rising, and points for what was seen. {title}."
    )
    return [Figure("predictive", chart, {"": table}, caption, alt_text)]


def predictive_table(run: Run) -> Table:
    """Tabulate what was seen and the quantiles of its posterior prediction, by kind and date; log10 of the unit."""
    check_learnt(run)
    seen, drawn = group(run, "observed_data"), group(run, "posterior_predictive")
    parts = []
    for kind, (when, _) in OBSERVED.items():
        if kind not in seen or not seen[kind].size:
            continue
        values, years = seen[kind].values, seen[when].values
        order = np.argsort(years, kind="stable")
        bands = np.quantile(drawn[kind].values.reshape(-1, values.size), list(_KEYS.values()), axis=0)[:, order]
        values, levels = values[order].astype(float), dict(zip(_KEYS, bands, strict=True))
        names = {"kind": [kind] * values.size, "unit": [UNKNOWNS[kind][0]] * values.size}
        inside = {
            f"inside_{band}": (levels[f"lower_{band}"] <= values) & (values <= levels[f"upper_{band}"])
            for band in (50, 90)
        }
        parts.append(Table({**names, "year": years[order].astype(float), "value": values, **levels, **inside}))
    return sum(parts, start=Table({}))


def _heading(kind: str) -> str:
    unit, label = UNKNOWNS[kind]
    return f"{capital(label)}, {plain_unit(unit)}"


def _inside(points: Table, band: int) -> str:
    return f"{points[f'inside_{band}'].sum()} of {len(points)}"
