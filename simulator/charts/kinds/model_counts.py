"""Counts of models of a run: how many lie above each level by year, in both readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.charts import spec, style
from simulator.charts.frame import Frame, check_numbers, check_years
from simulator.charts.layout import fill_mark, line_mark, panel_grid, sheet
from simulator.charts.reading import run_head
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.errors import InputError, NothingToDraw, near_or_all, number
from simulator.runs.actors import actor_counts
from simulator.runs.groups import Group, Run
from simulator.runs.model_counts import OF_SUM, SUM_OF, count_table, counted_names, said_counts
from simulator.runs.table import Table
from simulator.units import Array
from simulator.wording import capital, listed

WIDTH, HEIGHT = 330.0, 220.0
GUTTER = 52.0
RIGHT = 92.0
GAP = 30.0
HEADING_Y, LINE_Y = -38, -21
WIDE = 50.0
"""How many times the lowest of the last 90 % interval its highest must be for the axis to be a logarithm."""

_COLUMNS = ("lower_90", "median", "upper_90")


@dataclass(frozen=True, slots=True)
class CountPanel:
    """The counts above one level, `year`, `lower_90`, `median`, `upper_90`: `of_sum` of the total, `sum_of` of years.

    `heading` says what is counted, `line` what is seen in it.
    """

    of_sum: Table
    sum_of: Table
    heading: str
    line: str


def draw_counts(panels: Sequence[CountPanel], *, head: Head, alike: bool = False) -> spec.Spec:
    """Draw counts of models by year, two panels beside one another, each with its own scale, or `alike` with one.

    A band and a line are the 90 % interval and the median of the total; dashed lines the points of the single years
    added up. An axis of whole numbers begins at 0; a wide one is a logarithm and begins at 1.
    """
    if not panels:
        raise InputError("counts: there is nothing to draw.")
    for panel in panels:
        for table in (panel.of_sum, panel.sum_of):
            check_years(table)
            check_numbers(table, *_COLUMNS, of="counts")
    frames = [_frame(panels if alike else [panel]) for panel in panels]
    drawn = [_panel(*each, name=f"counts_{place}") for place, each in enumerate(zip(panels, frames, strict=True))]
    entries: list[style.LegendEntry] = [
        ("band", style.band_tints(1)[0], "90 % interval of the total (percentile of the sum)"),
        ("line", style.DARK_BLUE, "its median"),
        ("line", style.VERMILION, "sum of percentiles (5, 50, 95 %)"),
    ]
    views = panel_grid(drawn, entries, x=-GUTTER, columns=2, spacing=RIGHT + GUTTER + GAP)
    width = 2 * (GUTTER + WIDTH + RIGHT) + GAP
    return sheet(views, head, x=-GUTTER, width=width, spacing=24.0)


def _panel(panel: CountPanel, frame: Frame, *, name: str) -> spec.Spec:
    total, added, log = panel.of_sum, panel.sum_of, frame.log
    year, count = frame.x("year"), frame.y("count")

    def line(table: Table, key: str, mark: spec.Spec) -> spec.Spec:
        rows = Table({"year": table["year"], "count": _placed(table[key], log=log)}).rows()
        return spec.layer(rows, year, count, mark=mark)

    ends = {end: _placed(total[f"{end}_90"], log=log) for end in ("lower", "upper")}
    band, area = Table({"year": total["year"], **ends}).rows(), fill_mark(style.band_tints(1)[0])
    layers = [spec.layer(band, year, frame.y("lower"), spec.y2("upper"), mark=area)]
    layers += [line(added, key, line_mark(style.VERMILION, 1.4, [5, 3])) for key in _COLUMNS]
    layers.append(line(total, "median", line_mark(style.DARK_BLUE, 2.5)))
    if len(total) <= 12:
        layers.append(line(total.where((total["median"] >= 1) | (not log)), "median", style.dot_mark()))
    texts = [
        style.Text([panel.heading], -GUTTER, HEADING_Y, bold=True),
        style.Text([panel.line], -GUTTER, LINE_Y, style.QUIET),
        *frame.texts(),
        *_end_texts(total, added, frame=frame),
    ]
    layers += style.text_layers(texts)
    layers.append(_pointer(panel, frame=frame, name=name))
    return spec.view(layers, width=frame.width, height=frame.height)


def _placed(counts: Array, *, log: bool) -> Array:
    return np.log10(np.maximum(counts, 1.0)) if log else counts


def _frame(panels: Sequence[CountPanel]) -> Frame:
    """Choose the axes: whole numbers from 0, at least to 10, so that no tick is a part of a model; or powers from 1."""
    most = max(9.0, *(table["upper_90"].max() for panel in panels for table in (panel.of_sum, panel.sum_of)))
    ends = [panel.of_sum.rows()[-1] for panel in panels]
    log = any(row["upper_90"] > WIDE * max(row["lower_90"], 1.0) for row in ends)
    upper = float(1.03 * np.log10(most)) if log else 1.06 * most
    first, last = panels[0].of_sum["year"][[0, -1]].tolist()
    return Frame(first, last, 0.0, upper, height=HEIGHT, gutter=GUTTER, width=WIDTH, log=log)


def _end_texts(total: Table, added: Table, *, frame: Frame) -> list[style.Text]:
    """Write the counts of the last year at the right: the total beside the plot, the sums of percentiles after it."""
    texts = []
    for table, x, color in ((total, WIDTH + 46, style.DARK_BLUE), (added, WIDTH + 86, style.VERMILION)):
        counts = [table[key][-1] for key in reversed(_COLUMNS)]
        wanted = [frame.pixel(level) for level in _placed(np.array(counts), log=frame.log).tolist()]
        middles = style.spread_labels(wanted, heights=[14.0] * 3, top=-8.0, bottom=HEIGHT + 8.0)
        texts += [
            style.Text([f"{count:,.0f}"], x, middle, color, bold=place == 1, align="right")
            for place, (count, middle) in enumerate(zip(counts, middles, strict=True))
        ]
    return texts


def _pointer(panel: CountPanel, *, frame: Frame, name: str) -> spec.Spec:
    """Say the counts of a year under the pointer."""
    rows: spec.Data = []
    for total, added in zip(panel.of_sum.rows(), panel.sum_of.rows(), strict=True):
        year = total["year"]
        row: dict[str, object] = {"year": f"{year:.0f}", "from": max(frame.first, year - 0.5)}
        row |= {"to": min(frame.last, year + 0.5), "y": 0.0, "y2": frame.height}
        for key, source in (("total", total), ("added", added)):
            low, middle, high = (f"{source[column]:,.0f}" for column in _COLUMNS)
            row[key] = f"{middle} ({low} to {high})"
        rows.append(row)
    columns = [("year", "by the end of"), ("total", "percentile of the sum"), ("added", "sum of percentiles")]
    return frame.pointer_layer(rows, columns=columns, name=name)


MOST_PANELS = 6


def count_figures(run: Group | Run, options: FigureOptions) -> list[Figure]:
    """Draw how many models lie above each level, or within each distance of the frontier, by the end of each year.

    `quantities` chooses among the counts, up to six. Of several actors that of the title is drawn for each too.
    """
    names = _chosen(run, options.quantities)
    first, last = options.years or (-float("inf"), float("inf"))
    table = count_table(run)
    table = table.where(np.isin(table["variable"], names) & (table["year"] >= first) & (table["year"] <= last))
    years = sorted({int(year) for year in table["year"].tolist()})
    if len(years) < 2:
        span = f"{number(first)} to {number(last)}"
        raise InputError(f"--years: {span}: two or more years of the run must lie in it; {len(years)} do.")
    panels = [_count_panel(table.where(variable=name), last=years[-1]) for name in names]
    said = [f"{panel.heading[0].lower()}{panel.heading[1:]}: {_total(panel)}" for panel in panels]
    head = panels[_headline(names)]
    title = f"{head.heading} by the end of {years[-1]}: {_total(head)}"
    under = (
        "Training runs of all calendar years to the end of each. Points of single years, "
        "added up, are no interval of the total: they lie too far apart, as years do not fall together."
    )
    chart = draw_counts(panels, head=run_head(run, title, under))
    added = [f"{said_counts(panel.sum_of.rows()[-1])} {panel.heading[7:]}" for panel in panels]
    caption = (
        f"By the end of {years[-1]}, median and 90 % interval of the total (percentile of the sum): {listed(said)}. "
        f"The 5, 50 and 95 % points of the single years, added up (sum of percentiles): {listed(added)}; "
        "that is no interval of the total, for good and bad years do not all fall together."
    )
    alt_text = (
        f"{len(panels)} charts of counts by year, {years[0]} to {years[-1]}. Each has a band and a line for the 90 % "
        f"interval and the median of the total, and dashed lines for sums of percentiles, mostly outside the band. "
        f"In {years[-1]}: {listed(said)}."
    )
    told = actor_counts(run)
    told = told.where(np.isin(told["year"], years), variable=names[_headline(names)]) if told else told
    apart = _of_actors(run, told, head) if told else []
    return [Figure("counts", chart, {"": table}, caption, alt_text), *apart]


def _of_actors(run: Group | Run, table: Table, of: CountPanel) -> list[Figure]:
    """Draw the count of a panel for each actor that has some; nothing of a single one, whose it is."""
    last = int(table["year"].max())
    panels = [
        replace(_count_panel(own, last=last), heading=label)
        for (label,), own in table.groups("label")
        if own["upper_90"].any()
    ]
    if len(panels) < 2:
        return []
    panels.sort(key=lambda panel: -panel.of_sum["median"][-1])
    left = f" {len(panels) - MOST_PANELS} more actors are left out." if len(panels) > MOST_PANELS else ""
    short = listed(f"{panel.heading} {panel.of_sum['median'][-1]:,.0f}" for panel in panels)
    title = f"{of.heading} by the end of {last}: {short}"
    under = f"Training runs of each actor below its own largest, on one scale.{left}"
    chart = draw_counts(panels[:MOST_PANELS], head=run_head(run, title, under), alike=True)
    said = listed(f"{panel.heading} {_total(panel)}" for panel in panels)
    caption = f"{of.heading} by actor, by the end of {last}, median and 90 % interval: {said}.{left}"
    alt_text = f"Charts of counts by year, one for each of {len(panels)} actors, on one scale. {caption}"
    return [Figure("counts_by_actor", chart, {"": table}, caption, alt_text)]


def _chosen(run: Group | Run, quantities: Sequence[str]) -> list[str]:
    known = counted_names(run)
    if not known:
        raise NothingToDraw(
            "counts: this run counts no models, so there is nothing to draw. "
            "Add models: to its scenario (largest_share, smallest, above) and run it again."
        )
    for quantity in quantities:
        if quantity not in known:
            hint = near_or_all(quantity, known)
            raise InputError(f"counts: {quantity}: no such count of models in this run. {hint}")
    chosen = [name for name in known if name in quantities or not quantities]
    if len(chosen) > MOST_PANELS and quantities:
        raise InputError(f"counts: one figure holds up to {MOST_PANELS} counts; got {len(chosen)}. Draw several.")
    return chosen[:MOST_PANELS]


def _headline(names: Sequence[str]) -> int:
    """Choose the count of the title: that above the highest level."""
    absolute = [place for place, name in enumerate(names) if name.startswith("models_above_")]
    return absolute[-1] if absolute else 0


def _count_panel(own: Table, *, last: int) -> CountPanel:
    of_sum, sum_of = (own.where(reading=reading) for reading in (OF_SUM, SUM_OF))
    line = f"by the end of {last}: {said_counts(of_sum.rows()[-1])}"
    return CountPanel(of_sum, sum_of, capital(own["counts"][0]), line)


def _total(panel: CountPanel) -> str:
    return said_counts(panel.of_sum.rows()[-1])
