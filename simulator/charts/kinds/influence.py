"""The figure of influence: which priors go with an outcome, and how its median changes with them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simulator.analysis.influence import Influence, default_outcomes, influence_of, value_text
from simulator.analysis.outcomes import in_a_sentence, outcome_words_in
from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.densities import scale_of
from simulator.charts.spec import Figure, FigureOptions, Row
from simulator.charts.style import Text
from simulator.errors import InputError
from simulator.runs.groups import RunLabel, group, run_label
from simulator.wording import cut_front, listed, number_in

if TYPE_CHECKING:
    import xarray as xr

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


MOST_BARS = 12
MOST_PANELS = 6


def influence_figures(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    """Draw what moves effective compute at the end of a run, and the first threshold that lies ahead.

    Parameters
    ----------
    run : xarray.DataTree
        A run that kept its samples.
    options : FigureOptions
        None of them concerns influence.

    Raises
    ------
    InputError
        The run kept its summary only, or none of these outcomes varies.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> [figure.name for figure in influence_figures(run, FigureOptions())]
    ['influence_effective_compute_2045', 'influence_crossing_1000x-gpt-4']
    """
    del options
    found = [influence_of(run, outcome) for outcome in default_outcomes(run)[1:]]
    told = [each for each in found if not each.said]
    if not told:
        raise InputError(f"influence: {' '.join(each.said for each in found)}")
    return [influence_figure(run, each) for each in told]


def influence_figure(run: xr.DataTree, influence: Influence) -> Figure:
    """Draw the influence of priors on one outcome: bars of delta, and conditional medians of the strongest six.

    Raises
    ------
    InputError
        The outcome does not vary.
    """
    if influence.said:
        raise InputError(influence.said)
    outcome = influence.outcome
    horizon = float(group(run, "summary")["year"].values[-1])
    bars = [row for row in influence.indices if float(str(row["delta"])) > float(str(row["delta_by_chance"]))]
    bars = (bars or list(influence.indices))[:MOST_BARS]
    names = [str(row["input"]) for row in bars[:MOST_PANELS] if row["low"] is not None]
    parameters = group(run, "parameters", of_samples=True)
    deciles: list[Row] = []
    for row in influence.deciles:
        if row["input"] in names:
            scale = scale_of({"unit": row["unit"], "understood": parameters[str(row["input"])].attrs["understood"]})
            written = {"from_text": scale.text(float(str(row["from"]))), "to_text": scale.text(float(str(row["to"])))}
            deciles.append({**row, **written, "scale": scale.unit})
    label = in_a_sentence(outcome_words_in(run, outcome))
    strongest = bars[0]
    said = "share that has crossed" if outcome.kind == "crossed" else "median"
    span = f"{value_text(outcome, strongest['low'], horizon)} to {value_text(outcome, strongest['high'], horizon)}"
    first = f"{strongest['input']} has most to do with it: the {said} goes from {span} from its lowest to highest tenth"
    chart = draw_influence(
        InfluenceTables(bars, deciles, names),
        kind="log" if outcome.kind == "level" else "share" if outcome.kind == "crossed" else "year",
        horizon=horizon,
        title=f"What goes with {label}",
        subtitle=f"{run.attrs['title']}: {run.attrs['subject']}. {first}.",
        run=run_label(run),
    )
    ranked = listed([f"{row['input']} ({row['delta']:.2f})" for row in bars[:MOST_PANELS]])
    caption = (
        f"{label[0].upper()}{label[1:]} and the priors of this run, by a moment-independent index (0: nothing to do "
        f"with it, 1: given by it), less what chance gives: {ranked}. {first}. Correlated priors share their influence."
    )
    alt_text = (
        f"Bars of the influence of {len(bars)} priors on {label}, and {len(names)} small charts of the {said} of the "
        f"outcome within tenths of a prior. {first}."
    )
    tables: dict[str, Sequence[Row]] = {"": bars, "deciles": deciles}
    return Figure(f"influence_{re.sub(r'[^A-Za-z0-9-]+', '_', outcome.text)}", chart, tables, caption, alt_text)
