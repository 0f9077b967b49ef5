"""What was seen of history, against what the fitted model would have shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.frame import Frame, check_numbers
from simulator.charts.layout import key_view, line_mark, outside_mark, sheet
from simulator.charts.reading import check_learnt
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.charts.style import Text
from simulator.runs.groups import group, run_label
from simulator.runs.table import Table
from simulator.units import plain_unit
from simulator.variables import UNKNOWNS
from simulator.wording import capital, listed

if TYPE_CHECKING:
    import xarray as xr

WIDTH = 700
HEIGHT = 210
GUTTER = 60.0
RIGHT = 190
NOTE_X = WIDTH + 18


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of observation: its heading, its points, and what is written beside the plot (and whether it is main).

    points: `year` (decimal, rising), `value`, `lower_90` ... `upper_90` (log10 of the unit), `inside_90`.
    """

    heading: str
    points: Table
    notes: Sequence[tuple[str, bool]]


def draw_predictive(series: Sequence[Series], *, head: Head) -> vega.Spec:
    """Draw each kind of observation in a plot of its own, under one another on common years.

    Points outside the 90 % band are hollow diamonds, the others discs.
    """
    for each in series:
        check_numbers(each.points, "year", "value", *_KEYS, of="points")
    years = [year for each in series for year in each.points["year"].tolist()]
    spare = 0.02 * max(max(years) - min(years), 1.0)
    ends = (min(years) - spare, max(years) + spare)
    pale, strong = style.band_tints(2)
    entries: list[style.LegendEntry] = [
        ("line", style.DARK_BLUE, "predictive median"),
        ("band", strong, "50 %"),
        ("band", pale, "90 % of what the fitted model would show"),
        ("point", style.INK, "seen"),
    ]
    views = [key_view(entries, x=-GUTTER, outside="seen, outside 90 %"), *(_plot(each, ends=ends) for each in series)]
    return sheet(views, head, x=-GUTTER, width=GUTTER + WIDTH + RIGHT)


def _plot(series: Series, *, ends: tuple[float, float]) -> vega.Spec:
    rows = series.points.select("year", "value", *_KEYS).rows()
    levels = [level for key in ("value", *_KEYS) for level in series.points[key].tolist()]
    margin = 0.04 * max(max(levels) - min(levels), 0.5)
    frame = Frame(*ends, min(levels) - margin, max(levels) + margin, height=HEIGHT, gutter=GUTTER, width=WIDTH)
    layers = frame.bands(rows, levels=(90, 50))
    layers.append(vega.layer(rows, frame.x("year"), frame.y("median"), mark=line_mark(style.DARK_BLUE, 2.5)))
    for inside, mark in ((True, style.point_mark()), (False, outside_mark())):
        if mine := series.points.where(inside_90=inside).select("year", "value", *_KEYS).rows():
            layers.append(vega.layer(mine, frame.x("year"), frame.y("value"), mark=mark))
    texts = [Text([series.heading], -GUTTER, -18, bold=True), *frame.texts()]
    y = style.LINE_HEIGHT / 2
    for note, main in series.notes:
        lines = style.wrapped(note, width=26)
        middle = y + style.LINE_HEIGHT * (len(lines) - 1) / 2
        texts.append(Text(lines, NOTE_X, middle, style.INK if main else style.QUIET, bold=main))
        y += style.LINE_HEIGHT * len(lines) + 4
    return vega.view([*layers, *style.text_layers(texts)], width=WIDTH, height=HEIGHT)


OBSERVED: Final = {
    "run_log_compute": ("run_year", "runs"),
    "cost_log_usd": ("costed_run_year", "costs"),
    "accelerator_log_flops_per_usd": ("accelerator_year", "accelerators"),
}
"""What is seen: the coordinate that says when, and what one calls them."""
_KEYS: Final = {"lower_90": 0.05, "lower_50": 0.25, "median": 0.5, "upper_50": 0.75, "upper_90": 0.95}


def predictive_figures(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    """Draw runs, costs and accelerators over the predictive bands of the model that was fitted to them.

    `years` chooses the years, if any observation lies in them.
    """
    table = predictive_table(run)
    if options.years is not None:
        first, last = options.years
        table = table.where((table["year"] >= first) & (table["year"] <= last)) or table
    kinds = [kind for (kind,), _ in table.groups("kind")]
    series = [_series(kind, table.where(kind=kind)) for kind in kinds]
    inside = [_inside(each.points, 90) for each in series]
    named = [f"{hit} of {each} {OBSERVED[kind][1]}" for (hit, each), kind in zip(inside, kinds, strict=True)]
    title = f"Inside the 90 % band: {listed(named)}"
    attributes = run["posterior"].attrs
    under = (
        f"{run.attrs['title']}. The model of {attributes['runs']} frontier runs to the end of "
        f"{attributes['origin']} (estimates of {attributes['snapshot']}) against what it was fitted to."
    )
    chart = draw_predictive(series, head=Head(title, under, run_label(run)))
    caption = (
        f"{title}. A model that fits has about 90 % of them inside, and half of them inside the 50 % band: there are "
        f"{listed([_share(each.points, 50) for each in series])}. The bands are those of data that the model had seen."
    )
    alt_text = (
        f"{len(series)} plots under one another on common years: {listed([each.heading for each in series])}, on log "
        f"scales. Each has the predictive median with 50 and 90 % bands, rising, and points for what was seen. {title}."
    )
    return [Figure("predictive", chart, {"": table}, caption, alt_text)]


def predictive_table(run: xr.DataTree) -> Table:
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
    return Table.of_rows(row for part in parts for row in part.rows())


def _series(kind: str, points: Table) -> Series:
    unit, label = UNKNOWNS[kind]
    hit, count = _inside(points, 90)
    narrow, _ = _inside(points, 50)
    notes = [
        (f"{hit} of {count} inside the 90 % band ({100 * hit / count:.0f} %)", True),
        (f"{narrow} of {count} inside the 50 % band ({100 * narrow / count:.0f} %)", False),
    ]
    return Series(f"{capital(label)}, {plain_unit(unit)}", points, notes)


def _inside(points: Table, band: int) -> tuple[int, int]:
    return int(points[f"inside_{band}"].sum()), len(points)


def _share(points: Table, band: int) -> str:
    hit, count = _inside(points, band)
    return f"{hit} of {count}"
