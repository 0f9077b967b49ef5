"""Charts of several runs: how their levels and their crossing years differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.spec import Figure, FigureOptions, Row
from simulator.charts.style import Text
from simulator.errors import InputError
from simulator.runs.groups import group
from simulator.runs.summary import crossing_table, fan_table, summarised
from simulator.scenario.differences import run_labels
from simulator.wording import listed, number_in, power_text, sample_count, year_text

if TYPE_CHECKING:
    import xarray as xr

WIDTH = 560
HEIGHT = 400
LEFT = 58
LABEL_WIDTH = 300
LABEL_CHARACTERS = 30
SHADES = (
    (style.DARK_BLUE, [1, 0]),
    (style.VERMILION, [8, 3]),
    (style.GREEN, [2, 2.5]),
    (style.PURPLE, [9, 3, 2, 3]),
)
"""Colour and dashes of each line of a few runs: they differ in grey and to colour-blind eyes too."""
REFERENCE = style.band_tints(2)[0]
COLUMNS = 3
PANEL_WIDTH, PANEL_HEIGHT, PANEL_GAP, PANEL_HEAD = 244, 150, 26, 40
ROW = 18
MEDIAN_WIDTH, STRIP_WIDTH = 130, 440
NAME_CHARACTERS, MOST_RUN_WIDTH = 26, 270


@dataclass(frozen=True, slots=True)
class Panel:
    """A frame in pixels: years along, log10 of the unit up.

    Examples
    --------
    >>> panel = Panel(40, 30, 500, 200, (2025.0, 2045.0), (24.0, 34.0))
    >>> panel.x(2035.0), panel.y(34.0), panel.y(24.0)  # down from the top
    (290.0, 30.0, 230.0)
    """

    left: float
    top: float
    width: float
    height: float
    years: tuple[float, float]
    levels: tuple[float, float]

    def x(self, year: float) -> float:
        """Place a year."""
        return round(self.left + self.width * (year - self.years[0]) / (self.years[1] - self.years[0]), 2)

    def y(self, level: float) -> float:
        """Place a level."""
        share = (self.levels[1] - level) / (self.levels[1] - self.levels[0])
        return round(self.top + self.height * share, 2)


def draw_overlaid(
    rows: Sequence[Row], *, title: str, subtitle: str, heading: str, notes: Mapping[str, str], foot: Sequence[str]
) -> vega.Spec:
    """Draw the fans of two to four runs over one another: medians, one band, and the ends at the right.

    The band of the first run is filled, those of the others are outlined.

    Parameters
    ----------
    rows : rows (run, year)
        `run`, `year`, `median`, `lower`, `upper` (log10 of the unit), the runs in their order.
    title, subtitle, heading : str
        What the chart shows; the quantity, its unit and the band.
    notes : mapping
        For each run, what is written under its name at the right.
    foot : sequence of str
        The runs that the tables come from.
    """
    runs = _by_run(rows)
    panel = Panel(LEFT, 30, WIDTH, HEIGHT, _span(rows, ("year",), 0.0), _span(rows, ("median", "lower", "upper"), 0.04))
    layers: list[vega.Spec] = []
    for place, own in reversed(list(enumerate(runs.values()))):
        color, dash = SHADES[place]
        if place == 0:
            area = [_at(panel, row, "lower") | {"y2": panel.y(number_in(row, "upper"))} for row in own]
            layers.insert(0, style.pixel_layer(area, mark={"type": "area", "color": REFERENCE}))
        for key, width in (("lower", 1.1), ("upper", 1.1), ("median", 2.6)):
            if key == "median" or (place > 0 and _has_width(own)):
                mark = {"type": "line", "color": color, "strokeWidth": width, "strokeDash": dash}
                layers.append(style.pixel_layer([_at(panel, row, key) for row in own], mark=mark))
    texts = [Text([heading], 0, 8, bold=True)]
    view = vega.view(
        [*_grid([panel], texts), *layers, *_ends(panel, runs, notes, texts), *style.text_layers(texts)],
        width=LEFT + WIDTH + LABEL_WIDTH,
        height=panel.top + HEIGHT + 24,
    )
    return style.framed(view, title=title, subtitle=subtitle, foot=foot, width=LEFT + WIDTH + LABEL_WIDTH)


def _ends(
    panel: Panel, runs: Mapping[str, Sequence[Row]], notes: Mapping[str, str], texts: list[Text]
) -> list[vega.Spec]:
    """Draw, beside the plot, the last interval of each run with its median, and write its name."""
    bars: style.Data = []
    leaders: style.Data = []
    samples: list[vega.Spec] = []
    right = panel.left + panel.width
    labels = {run: [*style.wrapped(run, width=LABEL_CHARACTERS), notes[run]] for run in runs}
    order = sorted(runs, key=lambda run: panel.y(number_in(runs[run][-1], "median")))
    wanted = [panel.y(number_in(runs[run][-1], "median")) for run in order]
    heights = [style.LINE_HEIGHT * len(labels[run]) + 8.0 for run in order]
    middles = style.spread_labels(wanted, heights=heights, top=panel.top - 6, bottom=panel.top + panel.height + 14)
    places = {run: place for place, run in enumerate(runs)}
    edge = right + 12 + 8 * len(runs)
    for run, start, end in zip(order, wanted, middles, strict=True):
        color, x, last = SHADES[places[run]][0], right + 10 + 8 * places[run], runs[run][-1]
        bars.append({"x": x, "x2": x + 4, "y": panel.y(number_in(last, "upper")) - 0.75,
                     "y2": panel.y(number_in(last, "lower")) + 0.75, "color": color})  # fmt: skip
        bars.append({"x": x - 2, "x2": x + 6, "y": start - 1.5, "y2": start + 1.5, "color": color})
        names = len(labels[run]) - 1
        shift = style.LINE_HEIGHT / 2
        line = end - shift * names
        corners = ((x + 6, start), (edge, start), (edge + 12, line), (edge + 16, line))
        leaders += [{"detail": run, "x": a, "y": b} for a, b in corners]
        sample: style.Data = [{"x": edge + 18, "y": line}, {"x": edge + 44, "y": line}]
        mark = {"type": "line", "color": color, "strokeWidth": 2.6, "strokeDash": SHADES[places[run]][1]}
        samples.append(style.pixel_layer(sample, mark=mark))
        texts.append(Text(labels[run][:names], edge + 50, end - shift, style.INK, bold=True))
        texts.append(Text(labels[run][names:], edge + 50, end + shift * names, style.QUIET))
    return [
        style.pixel_layer(leaders, mark={"type": "line", "color": style.QUIET, "strokeWidth": 0.8}),
        *samples,
        style.pixel_layer(bars, mark={"type": "rect"}),
    ]


def draw_multiples(
    rows: Sequence[Row], *, title: str, subtitle: str, heading: str, notes: Mapping[str, str], foot: Sequence[str]
) -> vega.Spec:
    """Draw the fans of many runs in small frames on the same axes, each over the fan of the first run.

    Parameters
    ----------
    rows, title, subtitle, heading, notes, foot
        As in `draw_overlaid`.
    """
    runs = _by_run(rows)
    years, levels = _span(rows, ("year",), 0.0), _span(rows, ("median", "lower", "upper"), 0.05)
    panels = {
        run: Panel(
            LEFT + (PANEL_WIDTH + PANEL_GAP) * (place % COLUMNS),
            30 + PANEL_HEAD + (PANEL_HEIGHT + PANEL_HEAD + 30) * (place // COLUMNS),
            PANEL_WIDTH, PANEL_HEIGHT, years, levels,
        )
        for place, run in enumerate(runs)
    }  # fmt: skip
    first = next(iter(runs))
    texts = [Text([heading], 0, 8, bold=True)]
    reference: style.Data = []
    edges: style.Data = []
    medians: dict[bool, style.Data] = {True: [], False: []}
    for run, panel in panels.items():
        texts.append(Text([style.cut(run, PANEL_WIDTH, bold=True)], panel.left, panel.top - 27, bold=True))
        texts.append(Text([style.cut(notes[run], PANEL_WIDTH)], panel.left, panel.top - 11, style.QUIET))
        for row in runs[first]:
            low = _at(panel, row, "lower") | {"detail": run}
            reference.append(low | {"y2": panel.y(number_in(row, "upper"))})
            medians[True].append(_at(panel, row, "median") | {"detail": run})
        if run != first:
            for key in ("lower", "upper") if _has_width(runs[run]) else ():
                edges += [_at(panel, row, key) | {"detail": f"{run} {key}"} for row in runs[run]]
            medians[False] += [_at(panel, row, "median") | {"detail": run} for row in runs[run]]
    line = {
        place: {"type": "line", "color": SHADES[place][0], "strokeDash": SHADES[place][1], "strokeWidth": 2}
        for place in (0, 1)
    }
    edge = {"type": "line", "color": style.VERMILION, "strokeWidth": 1}
    entries: list[style.LegendEntry] = [
        ("band", REFERENCE, f"{first} in every frame"),
        ("line", style.VERMILION, "the run of the frame: median, and the ends of its band"),
    ]
    width = LEFT + COLUMNS * (PANEL_WIDTH + PANEL_GAP)
    view = vega.view(
        [
            style.pixel_layer(reference, mark={"type": "area", "color": REFERENCE}),
            *_grid(list(panels.values()), texts),
            style.pixel_layer(medians[True], mark=line[0]),
            *([style.pixel_layer(edges, mark=edge)] if edges else []),  # runs of fixed numbers have none
            style.pixel_layer(medians[False], mark=line[1]),
            *style.legend_layers(entries, x=style.text_width(heading) * 1.08 + 24, y=8),
            *style.text_layers(texts),
        ],
        width=width,
        height=max(panel.top + panel.height for panel in panels.values()) + 24,
    )
    return style.framed(view, title=title, subtitle=subtitle, foot=foot, width=width)


def draw_dumbbells(
    rows: Sequence[Row], *, title: str, subtitle: str, years: tuple[float, float], foot: Sequence[str]
) -> vega.Spec:
    """Draw the median crossing years of several runs, threshold by threshold, with their 50 % intervals.

    A line joins each median with that of the first run. What is later than the horizon of a run ends in an arrow.

    Parameters
    ----------
    rows : rows (threshold, run)
        `threshold`, `label`, `run`, `median`, `lower_50`, `upper_50` (decimal years, +inf: later than the horizon),
        `last_year` (the horizon), `text` (written at the right); the runs of a threshold one after another.
    years : first and last year of the axis
    title, subtitle, foot
        As in `draw_overlaid`.
    """
    order = {run: place for place, run in enumerate(dict.fromkeys(str(row["run"]) for row in rows))}
    names = [line for row in rows for line in style.wrapped(str(row["label"]), width=NAME_CHARACTERS)]
    name_width = max(map(style.text_width, names)) * 1.1 + 20
    run_width = min(MOST_RUN_WIDTH, max(map(style.text_width, order)) * 1.05 + 20)
    parts = _Dumbbells(order, years, name_width=name_width, left=name_width + run_width)
    top = 34.0
    for threshold in dict.fromkeys(str(row["threshold"]) for row in rows):
        own = [row for row in rows if row["threshold"] == threshold]
        top = parts.threshold(own, top=top)
    parts.axis(top)
    width = parts.left + STRIP_WIDTH + MEDIAN_WIDTH
    view = vega.view(parts.layers(), width=width, height=top + 24)
    return style.framed(view, title=title, subtitle=subtitle, foot=foot, width=width)


class _Dumbbells:
    """Collect the marks of all rows, so that each kind is one layer."""

    def __init__(self, order: Mapping[str, int], years: tuple[float, float], *, name_width: float, left: float) -> None:
        self.left = left
        self._name_width = name_width
        self._order = order
        self._panel = Panel(left, 0, STRIP_WIDTH, 1, years, (0, 1))
        self._rules: style.Data = []
        self._bars: style.Data = []
        self._links: style.Data = []
        self._dots: dict[bool, style.Data] = {True: [], False: []}
        self._arrows: style.Data = []
        self._texts: list[Text] = [Text(["median"], left + STRIP_WIDTH + 20, 14, style.QUIET)]

    def threshold(self, rows: Sequence[Row], *, top: float) -> float:
        """Add a threshold; give the pixel at which the next begins."""
        name = style.wrapped(str(rows[0]["label"]), width=NAME_CHARACTERS)
        height = max(ROW * len(rows), style.LINE_HEIGHT * len(name)) + 12
        self._rules.append({"x": 0, "x2": self._panel.left + STRIP_WIDTH + MEDIAN_WIDTH, "y": top, "y2": top})
        self._texts.append(Text(name, 0, top + 7 + style.LINE_HEIGHT * len(name) / 2, bold=True))
        first = number_in(rows[0], "median")
        for place, row in enumerate(rows):
            y = top + 6 + ROW * (place + 0.5)
            self._run(row, first, y=y, is_first=self._order[str(row["run"])] == 0)
        return top + height

    def _run(self, row: Row, first: float, *, y: float, is_first: bool) -> None:
        low, median, high, last = (number_in(row, key) for key in ("lower_50", "median", "upper_50", "last_year"))
        tint = style.band_tints(2)[1] if is_first else style.band_tints(2)[0]
        self._texts.append(
            Text([style.cut(str(row["run"]), self.left - self._name_width - 12)], self._name_width, y, style.INK)
        )
        self._texts.append(Text([str(row["text"])], self._panel.left + STRIP_WIDTH + 20, y, style.INK))
        end = self._panel.x(min(last, high))
        if low < math.inf:
            self._bars.append({"x": self._panel.x(low), "x2": end, "y": y - 4, "y2": y + 4, "color": tint})
        if not math.isfinite(high):
            color = style.DARK_BLUE if is_first else style.VERMILION
            self._arrows.append({"x": end + 5, "y": y, "color": color})
        if not is_first and math.isfinite(first) and math.isfinite(median):
            self._links.append({"x": self._panel.x(first), "x2": self._panel.x(median), "y": y, "y2": y})
            self._links.append({"x": self._panel.x(first), "x2": self._panel.x(first), "y": y - ROW, "y2": y})
        if math.isfinite(median):
            self._dots[is_first].append({"x": self._panel.x(median), "y": y})

    def axis(self, bottom: float) -> None:
        left, right = self._panel.left, self._panel.left + STRIP_WIDTH
        self._rules.append({"x": 0, "x2": right + MEDIAN_WIDTH, "y": bottom, "y2": bottom})
        for tick in style.year_ticks(*self._panel.years):
            x = self._panel.x(tick)
            self._rules.append({"x": x, "x2": x, "y": 34, "y2": bottom + 4})
            self._texts.append(Text([str(tick)], x + style.text_width(str(tick)) / 2, bottom + 14, align="right"))
        entries: list[style.LegendEntry] = [("bar", style.band_tints(2)[1], "50 % of the samples")]
        self._legend = style.legend_layers(entries, x=left + 190, y=14)
        self._keys: dict[bool, style.Data] = {True: [{"x": left + 8, "y": 14}], False: [{"x": left + 98, "y": 14}]}
        self._texts.append(Text(["first run"], left + 20, 14, style.QUIET))
        self._texts.append(Text(["other run"], left + 110, 14, style.QUIET))

    def layers(self) -> list[vega.Spec]:
        point = {"type": "point", "shape": "circle", "size": 50, "filled": True, "fill": style.DARK_BLUE, "opacity": 1}
        diamond = {
            "type": "point",
            "shape": "diamond",
            "size": 62,
            "fill": style.PAPER,
            "stroke": style.VERMILION,
            "strokeWidth": 2,
            "opacity": 1,
        }
        arrow = {"type": "point", "shape": "triangle-right", "size": 60, "filled": True, "opacity": 1}
        found = []
        for rows, mark in (
            (self._rules, {"type": "rule", "color": style.HAIR, "strokeWidth": 0.8}),
            (self._bars, {"type": "rect"}),
            (self._links, {"type": "rule", "color": style.QUIET, "strokeWidth": 1.2}),
            (self._arrows, arrow),
            (self._dots[True] + self._keys[True], point),
            (self._dots[False] + self._keys[False], diamond),
        ):
            found += [style.pixel_layer(rows, mark=mark)] if rows else []
        return [*found, *self._legend, *style.text_layers(self._texts)]


def _grid(panels: Sequence[Panel], texts: list[Text]) -> list[vega.Spec]:
    """Draw the grids of frames, and write the ticks: levels beside those at the left, years under all."""
    lines: style.Data = []
    for panel in panels:
        small = panel.width < WIDTH
        right, bottom = panel.left + panel.width, panel.top + panel.height
        for tick in style.power_ticks(*panel.levels)[:: 2 if small else 1]:
            y = panel.y(tick)
            lines.append({"x": panel.left, "x2": right, "y": y, "y2": y})
            if panel.left == LEFT:
                texts += style.power_texts(tick, right=LEFT - 8, y=y)
        ticks = style.year_ticks(*panel.years)
        for tick in ticks[:: -(-len(ticks) // 6) if small else 1]:
            x = panel.x(tick)
            lines.append({"x": x, "x2": x, "y": panel.top, "y2": bottom + 4})
            texts.append(Text([str(tick)], x + style.text_width(str(tick)) / 2, bottom + 14, align="right"))
    return [style.pixel_layer(lines, mark={"type": "rule", "color": style.HAIR, "strokeWidth": 0.8})]


def _by_run(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row["run"]), []).append(row)
    return found


def _has_width(rows: Sequence[Row]) -> bool:
    return any(row["lower"] != row["upper"] for row in rows)


def _at(panel: Panel, row: Row, key: str) -> dict[str, object]:
    return {"x": panel.x(number_in(row, "year")), "y": panel.y(number_in(row, key))}


def _span(rows: Sequence[Row], keys: Sequence[str], margin: float) -> tuple[float, float]:
    """Find the ends of an axis, at least one unit long, with a margin as a share of its length."""
    values = [number_in(row, key) for row in rows for key in keys]
    low, high = min(values), max(values)
    spare = max(0.0, 1.0 - (high - low)) / 2 + margin * (high - low)
    return low - spare, high + spare


MOST_OVERLAID = 4
MOST_THRESHOLDS = 12
MOST_ROWS = 72
"""Rows of a chart of crossing years; thresholds on which the runs agree best are left out beyond."""


def comparison_figures(
    runs: Sequence[xr.DataTree], options: FigureOptions, *, labels: Sequence[str] | None = None
) -> list[Figure]:
    """Draw runs against one another: their levels by year, and their crossing years.

    Up to four runs are drawn in one frame, more in small frames, each over the first run.

    Parameters
    ----------
    runs : sequence of xarray.DataTree
        Two to twelve; the first is what the others are held against.
    options : FigureOptions
        `quantities` (effective compute where there are none), the widest of `bands`, `years`.
    labels : sequence of str, optional
        What to call the runs.

    Raises
    ------
    InputError
        There are too few or too many runs, or one has no such variable.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> runs = [simulate(load_scenario(name, overrides=["samples=1024"])) for name in ("baseline", "no-caps")]
    >>> [figure.name for figure in comparison_figures(runs, FigureOptions())]
    ['comparison_effective_compute', 'comparison_crossings']
    """
    names = run_labels(runs, labels)
    figures = [_levels_figure(runs, names, options, name) for name in options.quantities or ("effective_compute",)]
    rows = crossing_rows(runs, names)
    return [*figures, _crossings_figure(runs, names, rows)] if rows else figures


def level_rows(
    runs: Sequence[xr.DataTree],
    names: Sequence[str],
    *,
    quantity: str,
    band: float,
    years: tuple[float, float] | None = None,
) -> list[Row]:
    """Tabulate the median and a central band of a variable by year, for each run in its own years.

    Returns
    -------
    rows of `run`, `year`, `median`, `lower`, `upper` (log10 of the unit)

    Raises
    ------
    InputError
        A run has no such variable, or it is no level that is drawn in log10, or no year is within `years`.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> changes = ([], ["drivers.spending.caps=null"])
    >>> runs = [simulate(load_scenario("essay-2023", overrides=change)) for change in changes]
    >>> rows = level_rows(runs, ["capped", "free"], quantity="spending", band=0.9, years=(2042, 2043))
    >>> [(row["run"], row["year"], round(row["median"], 1)) for row in rows]
    [('capped', 2042.0, 11.0), ('capped', 2043.0, 11.0), ('free', 2042.0, 14.0), ('free', 2043.0, 14.3)]
    """
    rows: list[Row] = []
    for run, name in zip(runs, names, strict=True):
        unit = str(summarised(run, quantity).attrs["units"])
        if not unit.startswith("log10("):
            raise InputError(
                f"{quantity}: runs are compared on a log scale, and {quantity} of {name} is in {unit or 'no unit'}. "
                "Compare a level, such as effective_compute."
            )
        medians, bands = fan_table(run, quantity, (band,))
        found: list[Row] = [
            {"run": name, **middle, "lower": ends["lower"], "upper": ends["upper"]}
            for middle, ends in zip(medians, bands, strict=True)
        ]
        low, high = years or (-math.inf, math.inf)
        inside = [row for row in found if low <= float(str(row["year"])) <= high]
        if len(inside) < 2:
            raise InputError(
                f"years: {name} has fewer than two years from {low:g} to {high:g}; "
                f"it runs from {found[0]['year']:g} to {found[-1]['year']:g}."
            )
        rows += inside
    return rows


def crossing_rows(runs: Sequence[xr.DataTree], names: Sequence[str]) -> list[Row]:
    """Tabulate the crossing years of the thresholds that the first run shares with another, run by run.

    Thresholds that every run has passed by its first year are left out.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> runs = [simulate(load_scenario("essay-2023", overrides=change)) for change in ([], ["years.last=2025"])]
    >>> [(row["run"], row["text"]) for row in crossing_rows(runs, ["to 2043", "to 2025"]) if row["label"] == "GPT-4"]
    [('to 2043', '2023.0'), ('to 2025', '2023.0  (0.0)')]
    """
    tables = [{str(row["threshold"]): row for row in crossing_table(run)} for run in runs]
    starts = [float(group(run, "summary")["year"].values[0]) for run in runs]
    rows: list[Row] = []
    for threshold in tables[0]:
        own = [(name, table[threshold], start) for name, table, start in zip(names, tables, starts, strict=True)
               if threshold in table]  # fmt: skip
        if len(own) < 2 or all(float(str(row["upper_90"])) <= start for _, row, start in own):
            continue
        first = number_in(own[0][1], "median")
        for place, (name, row, _) in enumerate(own):
            kept = {key: row[key] for key in ("lower_50", "median", "upper_50", "never", "last_year")}
            text = _median_text(row, None if place == 0 else first)
            rows.append({"threshold": threshold, "label": own[0][1]["label"], "run": name, **kept, "text": text})
    return rows


def _median_text(row: Row, first: float | None) -> str:
    """Write a median year, and how far it is from that of the first run."""
    median, last = number_in(row, "median"), number_in(row, "last_year")
    text = year_text(median, last)
    if first is None or not (math.isfinite(first) and math.isfinite(median)):
        return text
    return f"{text}  ({median - first:+.1f})" if abs(median - first) >= 0.05 else f"{text}  (0.0)"


def _levels_figure(runs: Sequence[xr.DataTree], names: Sequence[str], options: FigureOptions, quantity: str) -> Figure:
    band = max(options.bands, default=0.9)
    rows = level_rows(runs, names, quantity=quantity, band=band, years=options.years)
    attrs = summarised(runs[0], quantity).attrs
    unit = str(attrs["units"]).removeprefix("log10(").removesuffix(")")
    unit = "times the start" if unit == "1" else unit
    long_name = str(attrs["long_name"])
    shared = set.intersection(*({float(str(row["year"])) for row in rows if row["run"] == name} for name in names))
    last = max(shared, default=None)
    ends = {name: _end(rows, name, last) for name in names}
    order = sorted(names, key=lambda name: number_in(ends[name], "median"))
    when = f"in {last:g}" if last is not None else "in the last year of each"
    lowest, highest = (power_text(number_in(ends[name], "median")) for name in (order[0], order[-1]))
    title = (
        f"{long_name[0].upper()}{long_name[1:]} {when}: median {lowest} {unit} in {order[0]}, {highest} in {order[-1]}"
    )
    if lowest == highest:
        title = f"{long_name[0].upper()}{long_name[1:]} {when}: median {lowest} {unit} in all runs"
    notes = {name: f"{_end(rows, name, None)['year']:g}: {_ends_text(_end(rows, name, None))}" for name in names}
    width = f"{100 * band:g} %"
    others = listed(names[1:]) if len(names) <= MOST_OVERLAID else f"{len(names) - 1} other runs"
    draw = draw_overlaid if len(runs) <= MOST_OVERLAID else draw_multiples
    chart = draw(
        rows,
        title=title,
        subtitle=f"{names[0]} against {others}. Medians, and the ends of {width} of the samples.",
        heading=f"{long_name}, {unit}",
        notes=notes,
        foot=_foot(runs, names),
    )
    said = "; ".join(f"{name} {_ends_text(ends[name])}" for name in names)
    caption = f"{long_name[0].upper()}{long_name[1:]} {when}, median and {width} interval, {unit}: {said}."
    alt_text = (
        f"Line chart with bands of {long_name} by year, on a log axis in {unit}, for {len(runs)} runs. "
        f"{when[0].upper()}{when[1:]} the medians reach from {lowest} ({order[0]}) to {highest} ({order[-1]})."
    )
    return Figure(f"comparison_{quantity}", chart, {"": rows}, caption, alt_text)


def _end(rows: Sequence[Row], name: str, year: float | None) -> Row:
    own = [row for row in rows if row["run"] == name]
    return own[-1] if year is None else next(row for row in own if row["year"] == year)


def _ends_text(row: Row) -> str:
    low, middle, high = (power_text(number_in(row, key)) for key in ("lower", "median", "upper"))
    return middle if low == high else f"{middle} ({low} to {high})"


def _crossings_figure(runs: Sequence[xr.DataTree], names: Sequence[str], rows: Sequence[Row]) -> Figure:
    spread = {}
    for threshold in dict.fromkeys(str(row["threshold"]) for row in rows):
        own = [row for row in rows if row["threshold"] == threshold]
        spread[threshold] = max(_shown_year(row) for row in own) - min(_shown_year(row) for row in own)
    most = min(MOST_THRESHOLDS, max(2, MOST_ROWS // len(runs)))
    kept = set(sorted(spread, key=lambda name: -spread[name])[:most])
    drawn = [row for row in rows if row["threshold"] in kept]
    widest = max(spread, key=lambda name: spread[name])
    own = [row for row in rows if row["threshold"] == widest]
    low, high = min(own, key=_shown_year), max(own, key=_shown_year)
    early, late = (year_text(number_in(row, "median"), number_in(row, "last_year")) for row in (low, high))
    title = f"{own[0]['label']}: median crossing from {early} ({low['run']}) to {late} ({high['run']})"
    if early == late:
        title = "The runs cross every threshold at the same time" if spread[widest] < 0.05 else title
    left = len(spread) - len(kept)
    more = f" {left} thresholds on which the runs differ least are left out." if left else ""
    first = min(float(group(run, "summary")["year"].values[0]) for run in runs)
    starts = [
        number_in(row, key) for row in drawn for key in ("lower_50", "median") if math.isfinite(number_in(row, key))
    ]
    horizon = max(number_in(row, "last_year") for row in drawn)
    last = min(
        horizon, math.ceil(max(min(number_in(row, "upper_50"), number_in(row, "last_year")) for row in drawn)) + 1.0
    )
    begin = max(first, math.floor(min(starts, default=first)) - 1.0)
    chart = draw_dumbbells(
        drawn,
        title=title,
        subtitle=f"Median crossing years and 50 % intervals, by threshold; arrows: later than the horizon.{more}",
        years=(min(begin, last - 1.0), last),
        foot=_foot(runs, names),
    )
    caption = f"Median crossing years of {len(spread)} thresholds in {len(runs)} runs. The runs differ most on "
    caption += f"{own[0]['label']}: {'; '.join(_crossing_text(row) for row in own)}.{more}"
    alt_text = (
        f"Dot chart of the median crossing years of {len(kept)} thresholds in {len(runs)} runs, with 50 % intervals; "
        f"the axis is years from {begin:g} to {last:g}. The runs differ most on {own[0]['label']}: {early} in "
        f"{low['run']}, {late} in {high['run']}."
    )
    return Figure("comparison_crossings", chart, {"": rows}, caption, alt_text)


def _shown_year(row: Row) -> float:
    return min(number_in(row, "median"), number_in(row, "last_year"))


def _crossing_text(row: Row) -> str:
    return f"{row['run']} {year_text(number_in(row, 'median'), number_in(row, 'last_year'))}"


def _foot(runs: Sequence[xr.DataTree], names: Sequence[str]) -> list[str]:
    """Name the runs that a chart is drawn from; seed and samples once where all have the same."""
    facts = [f"seed {run.attrs['seed']} · {sample_count(int(run.attrs['samples']))}" for run in runs]
    same = len(set(facts)) == 1
    parts = []
    for run, name, fact in zip(runs, names, facts, strict=True):
        scenario = str(run.attrs["name"])
        called = scenario if name.startswith(scenario) else f"{name}: scenario {scenario}"
        parts.append(f"{run.attrs['run_id']} ({called}{'' if same else f', {fact}'})")
    return [f"Runs {', '.join(parts)}" + (f" · {facts[0]} each" if same else "")]
