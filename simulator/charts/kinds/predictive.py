"""What was seen of history, against what the fitted model would have shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.frame import Frame, row_columns, row_number
from simulator.charts.layout import outside_mark
from simulator.charts.reading import check_learnt
from simulator.charts.spec import Figure, FigureOptions, Row
from simulator.charts.style import Text
from simulator.runs.groups import RunLabel, group, run_label
from simulator.runs.table import Table
from simulator.variables import UNKNOWNS
from simulator.wording import listed

if TYPE_CHECKING:
    import xarray as xr

WIDTH = 700
HEIGHT = 210
GUTTER = 60.0
RIGHT = 190
NOTE_X = WIDTH + 18


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of observation.

    Parameters
    ----------
    heading : str
        What was seen, and its unit.
    points : rows (observation,)
        `year` (decimal, rising), `value`, `lower_90`, `lower_50`, `median`, `upper_50`, `upper_90` (log10 of the
        unit), `inside_90`.
    notes : sequence of (text, whether it is the main one)
        What is written beside the plot.
    """

    heading: str
    points: Sequence[Row]
    notes: Sequence[tuple[str, bool]]


def draw_predictive(series: Sequence[Series], *, title: str, run: RunLabel, subtitle: str = "") -> vega.Spec:
    """Draw each kind of observation in a plot of its own, under one another on common years.

    Points outside the 90 % band are hollow diamonds, the others discs.

    Parameters
    ----------
    series : sequence of Series
        From the top down.
    title, subtitle : str
        What the chart shows.
    run : RunLabel
        The run that the tables come from, for the footer.
    """
    years = [row_number(row, "year", table="points") for each in series for row in each.points]
    spare = 0.02 * max(max(years) - min(years), 1.0)
    ends = (min(years) - spare, max(years) + spare)
    pale, strong = style.band_tints(2)
    entries: list[style.LegendEntry] = [
        ("line", style.DARK_BLUE, "predictive median"),
        ("band", strong, "50 %"),
        ("band", pale, "90 % of what the fitted model would show"),
        ("point", style.INK, "seen"),
    ]
    legend = style.legend_layers(entries, x=-GUTTER, y=0)
    last = -GUTTER + sum(24 + style.text_width(text) + 18 for _, _, text in entries)
    legend.append(style.pixel_layer([{"x": last + 9, "y": 0}], mark=outside_mark()))
    legend += style.text_layers([Text(["seen, outside 90 %"], last + 24, 0, style.QUIET)])
    views = [vega.view(legend, width=10, height=4)]
    views += [_plot(each, ends=ends) for each in series]
    views.append(style.footer(run, x=-GUTTER, width=GUTTER + WIDTH + RIGHT))
    return style.stacked(views, title=title, subtitle=subtitle, width=GUTTER + WIDTH + RIGHT)


def _plot(series: Series, *, ends: tuple[float, float]) -> vega.Spec:
    keys = ("year", "value", "lower_90", "lower_50", "median", "upper_50", "upper_90")
    rows = row_columns(series.points, *keys, table="points")
    levels = [row_number(row, key, table="points") for row in rows for key in keys[1:]]
    margin = 0.04 * max(max(levels) - min(levels), 0.5)
    frame = Frame(*ends, min(levels) - margin, max(levels) + margin, height=HEIGHT, gutter=GUTTER, width=WIDTH)
    layers = []
    for fill, level in zip(style.band_tints(2), (90, 50), strict=True):
        area = {"type": "area", "color": fill, "opacity": 1}
        upper = vega.y2(f"upper_{level}")
        layers.append(style.layer(rows, frame.x("year"), frame.y(f"lower_{level}"), upper, mark=area))
    line = {"type": "line", "color": style.DARK_BLUE, "strokeWidth": 2.5}
    layers.append(style.layer(rows, frame.x("year"), frame.y("median"), mark=line))
    for inside, mark in ((True, style.point_mark()), (False, outside_mark())):
        mine = [row for row, given in zip(rows, series.points, strict=True) if bool(given["inside_90"]) is inside]
        layers += [style.layer(mine, frame.x("year"), frame.y("value"), mark=mark)] if mine else []
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

    Parameters
    ----------
    run : xarray.DataTree
        Whose priors were learnt from history.
    options : FigureOptions
        `years` chooses the years, if two or more observations of a kind lie in them.

    Returns
    -------
    list of one Figure, `predictive`

    Raises
    ------
    InputError
        The run has learnt nothing.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> predictive_figures(simulate(load_scenario("doubling-times")), FigureOptions())
    Traceback (most recent call last):
    simulator.errors.InputError: the run has learnt nothing from history: its priors are as its scenario states them...
    """
    rows = predictive_table(run)
    if options.years is not None:
        first, last = options.years
        rows = [row for row in rows if first <= float(str(row["year"])) <= last] or rows
    kinds = [kind for kind in OBSERVED if any(row["kind"] == kind for row in rows)]
    series = [_series(kind, [row for row in rows if row["kind"] == kind]) for kind in kinds]
    inside = [_inside(each.points, 90) for each in series]
    named = [f"{hit} of {each} {OBSERVED[kind][1]}" for (hit, each), kind in zip(inside, kinds, strict=True)]
    title = f"Inside the 90 % band: {listed(named)}"
    attributes = run["posterior"].attrs
    chart = draw_predictive(
        series,
        title=title,
        subtitle=(
            f"{run.attrs['title']}. The model of {attributes['runs']} frontier runs to the end of "
            f"{attributes['origin']} (estimates of {attributes['snapshot']}) against what it was fitted to."
        ),
        run=run_label(run),
    )
    caption = (
        f"{title}. A model that fits has about 90 % of them inside, and half of them inside the 50 % band: there are "
        f"{listed([_share(each.points, 50) for each in series])}. The bands are those of data that the model had seen."
    )
    alt_text = (
        f"{len(series)} plots under one another on common years: {listed([each.heading for each in series])}, on log "
        f"scales. Each has the predictive median with 50 and 90 % bands, rising, and points for what was seen. {title}."
    )
    return [Figure("predictive", chart, {"": Table.of_rows(rows)}, caption, alt_text)]


def predictive_table(run: xr.DataTree) -> list[Row]:
    """Tabulate what was seen and the quantiles of its posterior prediction, by kind and date.

    Returns
    -------
    rows of `kind`, `unit`, `year` (decimal), `value`, `lower_90`, `lower_50`, `median`, `upper_50`, `upper_90` (log10
    of the unit), `inside_50`, `inside_90`

    Raises
    ------
    InputError
        The run has learnt nothing.
    """
    check_learnt(run)
    seen, drawn = group(run, "observed_data"), group(run, "posterior_predictive")
    rows: list[Row] = []
    for kind, (when, _) in OBSERVED.items():
        if kind not in seen or not seen[kind].size:
            continue
        values, years = seen[kind].values, seen[when].values
        bands = np.quantile(drawn[kind].values.reshape(-1, values.size), list(_KEYS.values()), axis=0)
        for place in np.argsort(years, kind="stable").tolist():
            levels = dict(zip(_KEYS, bands[:, place].tolist(), strict=True))
            value = float(values[place])
            rows.append(
                {"kind": kind, "unit": UNKNOWNS[kind][0], "year": float(years[place]), "value": value, **levels}
                | {f"inside_{band}": levels[f"lower_{band}"] <= value <= levels[f"upper_{band}"] for band in (50, 90)}
            )
    return rows


def _series(kind: str, rows: Sequence[Row]) -> Series:
    unit, label = UNKNOWNS[kind]
    unit = unit.removeprefix("log10(").removesuffix(")")
    hit, count = _inside(rows, 90)
    narrow, _ = _inside(rows, 50)
    notes = [
        (f"{hit} of {count} inside the 90 % band ({100 * hit / count:.0f} %)", True),
        (f"{narrow} of {count} inside the 50 % band ({100 * narrow / count:.0f} %)", False),
    ]
    return Series(f"{label[0].upper()}{label[1:]}, {unit}", rows, notes)


def _inside(rows: Sequence[Row], band: int) -> tuple[int, int]:
    return sum(bool(row[f"inside_{band}"]) for row in rows), len(rows)


def _share(rows: Sequence[Row], band: int) -> str:
    hit, count = _inside(rows, band)
    return f"{hit} of {count}"
