"""The chart of influence: bars of an index, and small charts of conditional medians with their bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simulator import chart_style as style
from simulator import vega_lite as vega
from simulator.chart_style import RunLabel, Text
from simulator.figure import Row
from simulator.words import cut_front, number_in

NAME_WIDTH = 330.0
BAR_WIDTH = 420.0
BAR_STEP = 22.0
TOP = 40.0
COLUMNS = 3
PANEL_WIDTH = 220.0
PANEL_HEIGHT = 130.0
GAP_X = 62.0
GAP_Y = 84.0
PANELS_TOP = 76.0
LEFT = 52.0
WIDTH = LEFT + COLUMNS * PANEL_WIDTH + (COLUMNS - 1) * GAP_X + 20
NAME_CHARACTERS = 46

type Kind = Literal["log", "year", "share"]


@dataclass(frozen=True, slots=True)
class InfluenceTables:
    """Hold the tables of a chart of influence, as `figure_influence` makes them.

    Parameters
    ----------
    bars : rows (prior,)
        `input`, `rank`, `delta`; the strongest first.
    deciles : rows (prior, decile)
        `input`, `decile`, `value`, `lower`, `upper` (None: no band), `from_text`, `to_text`, `scale`.
    names : the priors of the small charts, in their order
    """

    bars: Sequence[Row]
    deciles: Sequence[Row]
    names: Sequence[str]


def draw_influence(
    tables: InfluenceTables, *, kind: Kind, horizon: float, title: str, subtitle: str, run: RunLabel
) -> vega.Spec:
    """Draw bars of delta over small charts of the outcome within tenths of the strongest priors.

    Parameters
    ----------
    tables : InfluenceTables
    kind : what the outcome is: "log" (log10 of a level), "year" or "share"
    horizon : float
        The last year; what is not crossed by it is drawn above it.
    title, subtitle : str
    run : RunLabel
    """
    views = [_bars(tables.bars)]
    if tables.names:
        views.append(_panels(tables, kind=kind, horizon=horizon))
    return style.stacked([*views, style.footer(run, x=0, width=WIDTH)], title=title, subtitle=subtitle, width=WIDTH)


def _bars(rows: Sequence[Row]) -> vega.Spec:
    largest = max(number_in(row, "delta") for row in rows) or 1.0
    bars: style.Data = []
    texts = [
        Text(["Prior"], 0, 14, style.QUIET, bold=True),
        Text(["Influence (delta) and rank correlation"], NAME_WIDTH, 14, style.QUIET, bold=True),
    ]
    for place, row in enumerate(rows):
        y = TOP + BAR_STEP * (place + 0.5)
        length = max(1.0, BAR_WIDTH * 0.66 * number_in(row, "delta") / largest)
        color = style.BLUE if number_in(row, "rank") >= 0 else style.ORANGE
        bars.append({"x": NAME_WIDTH, "x2": NAME_WIDTH + length, "y": y - 7, "y2": y + 7, "color": color})
        rank = f"{number_in(row, 'rank'):+.2f}".replace("-", "−")
        texts.append(Text([cut_front(str(row["input"]).removeprefix("drivers."), width=NAME_CHARACTERS)], 0, y))
        texts.append(Text([f"{row['delta']:.3f}  (rank {rank})"], NAME_WIDTH + length + 8, y, style.QUIET))
    bottom = TOP + BAR_STEP * len(rows)
    entries: list[style.LegendEntry] = [
        ("bar", style.BLUE, "rises with the prior"),
        ("bar", style.ORANGE, "falls as the prior rises"),
    ]
    entries = [entry for entry in entries if any(bar["color"] == entry[1] for bar in bars)]
    layers = [style.pixel_layer(bars, mark={"type": "rect"}), *style.text_layers(texts)]
    layers += style.legend_layers(entries, x=NAME_WIDTH, y=bottom + 16)
    return vega.view(layers, width=WIDTH, height=bottom + 28)


@dataclass(frozen=True, slots=True)
class _Axis:
    """The outcome on the vertical axis, shared by all small charts; `top` is drawn at the upper edge."""

    kind: Kind
    low: float
    high: float
    horizon: float
    censored: bool

    def y(self, value: float, top: float) -> float:
        share = (min(value, self.high) - self.low) / (self.high - self.low)
        return round(top + PANEL_HEIGHT * (1.0 - share), 2)

    def texts(self, left: float, top: float) -> tuple[list[Text], list[float]]:
        """Write the ticks; give their values."""
        if self.kind == "log":
            ticks = style.power_ticks(self.low, self.high, most=5)
            return [
                text for tick in ticks for text in style.power_texts(tick, right=left - 6, y=self.y(tick, top))
            ], ticks
        ticks = [tick for tick in style.plain_ticks(self.low, self.high, most=4) if self.low <= tick <= self.high]
        ticks = [tick for tick in ticks if not self.censored or tick < self.horizon]
        written = [f"{100 * tick:g} %" if self.kind == "share" else f"{tick:g}" for tick in ticks]
        if self.censored:
            ticks, written = [*ticks, self.high], [*written, f"> {self.horizon:g}"]
        places = zip(ticks, written, strict=True)
        return [Text([word], left - 6, self.y(tick, top), align="right") for tick, word in places], ticks


def _axis(rows: Sequence[Row], kind: Kind, horizon: float) -> _Axis:
    values = [number_in(row, key) for row in rows for key in ("value", "lower", "upper") if row[key] is not None]
    finite = [value for value in values if math.isfinite(value)]
    censored = len(finite) < len(values)
    if kind == "share":
        return _Axis(kind, 0.0, 1.0, horizon, censored=False)
    low, high = min(finite, default=horizon - 1), max(finite, default=horizon)
    spare = max(0.04 * (high - low), 0.0 if high - low > 0.5 else 0.5)
    if censored:
        return _Axis(kind, low - spare, horizon + 0.08 * (horizon - low), horizon, censored=True)
    return _Axis(kind, low - spare, high + spare, horizon, censored=False)


def _panels(tables: InfluenceTables, *, kind: Kind, horizon: float) -> vega.Spec:
    axis = _axis(tables.deciles, kind, horizon)
    parts = _Parts()
    band = "" if kind == "share" else ", band: 90 % of the samples"
    word = "Share that has crossed" if kind == "share" else f"Median of the outcome{band}"
    later = f"; a triangle: later than {horizon:g}" if axis.censored else ""
    parts.texts.append(Text([f"{word}, by tenth of the prior{later}"], 0, 12, style.QUIET, bold=True))
    for place, name in enumerate(tables.names):
        left = LEFT + (place % COLUMNS) * (PANEL_WIDTH + GAP_X)
        top = PANELS_TOP + (place // COLUMNS) * (PANEL_HEIGHT + GAP_Y)
        parts.panel([row for row in tables.deciles if row["input"] == name], axis, name=name, left=left, top=top)
    rows = -(-len(tables.names) // COLUMNS)
    height = PANELS_TOP + rows * PANEL_HEIGHT + (rows - 1) * GAP_Y + 36
    return vega.view(parts.layers(), width=WIDTH, height=height)


class _Parts:
    """Collect the marks of all small charts, so that each kind is one layer."""

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self._grid: style.Data = []
        self._bands: style.Data = []
        self._lines: style.Data = []
        self._dots: style.Data = []
        self._arrows: style.Data = []

    def panel(self, rows: Sequence[Row], axis: _Axis, *, name: str, left: float, top: float) -> None:
        """Add the small chart of one prior."""
        words = style.wrapped(name.removeprefix("drivers."), width=36)
        self.texts.append(Text(words[:2], left, top - 12 - 7 * len(words[:2])))
        ticks, places = axis.texts(left, top)
        self.texts += ticks
        self._grid += [
            {"x": left, "x2": left + PANEL_WIDTH, "y": axis.y(tick, top), "y2": axis.y(tick, top)} for tick in places
        ]
        for row in rows:
            x = left + PANEL_WIDTH * (number_in(row, "decile") - 0.5) / 10
            if row["lower"] is not None:
                ends = axis.y(number_in(row, "lower"), top), axis.y(number_in(row, "upper"), top)
                self._bands.append({"x": x, "y": ends[0], "y2": ends[1], "detail": name})
            y = axis.y(number_in(row, "value"), top)
            self._lines.append({"x": x, "y": y, "detail": name})
            (self._arrows if math.isinf(number_in(row, "value")) else self._dots).append({"x": x, "y": y})
        bottom = top + PANEL_HEIGHT + 14
        unit = f" {rows[0]['scale']}" if rows[0]["scale"] else ""
        self.texts.append(Text([f"up to {rows[0]['to_text']}"], left, bottom, style.QUIET, size=style.FOOT_SIZE))
        end = f"from {rows[-1]['from_text']}{unit}"
        self.texts.append(Text([end], left + PANEL_WIDTH, bottom, style.QUIET, size=style.FOOT_SIZE, align="right"))

    def layers(self) -> list[vega.Spec]:
        area = {"type": "area", "color": style.band_tints(1)[0], "opacity": 1}
        arrow = {
            "type": "point",
            "shape": "triangle-up",
            "size": 60,
            "filled": True,
            "fill": style.VERMILION,
            "opacity": 1,
        }
        found = []
        for rows, mark in (
            (self._bands, area),
            (self._grid, {"type": "rule", "color": style.HAIR, "strokeWidth": 0.8}),
            (self._lines, {"type": "line", "color": style.DARK_BLUE, "strokeWidth": 1.6}),
            (self._dots, style.dot_mark()),
            (self._arrows, arrow),
        ):
            found += [style.pixel_layer(rows, mark=mark)] if rows else []
        return [*found, *style.text_layers(self.texts)]
