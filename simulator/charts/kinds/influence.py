"""The figure of influence: which priors go with an outcome, and how its median changes with them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.analysis.influence import Influence, OutcomeInfluence, default_outcomes, prior_influence, span_text
from simulator.analysis.outcomes import in_a_sentence, outcome_words_in, years_of
from simulator.charts import spec, style
from simulator.charts.densities import scale_of
from simulator.charts.layout import RECT, Marks, PixelScale, fill_mark, line_mark, rule_mark, sheet
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.charts.ticks import Scale, outcome_scale, plain_ticks, power_ticks
from simulator.errors import InputError, NothingToDraw
from simulator.runs.folder import stored_scenario
from simulator.runs.groups import Run, run_label
from simulator.runs.table import Row
from simulator.wording import capital, listed, signed

NAME_WIDTH, BAR_WIDTH, BAR_STEP, TOP = 330.0, 420.0, 22.0, 30.0
COLUMNS = 3
PANEL_WIDTH, PANEL_HEIGHT, GAP_X, GAP_Y, PANELS_TOP = 220.0, 130.0, 62.0, 84.0, 76.0
LEFT = 52.0
WIDTH = LEFT + COLUMNS * PANEL_WIDTH + (COLUMNS - 1) * GAP_X + 20
MOST_BARS, MOST_PANELS = 12, 6


def _bars(rows: Sequence[Row]) -> spec.Spec:
    """Draw bars of delta; rows have `input`, `rank`, `delta`, the strongest first."""
    largest = max(row["delta"] for row in rows) or 1.0
    marks = Marks(bars=RECT)
    marks.text("Prior", 0, 14, style.QUIET, bold=True)
    marks.text("Influence (delta) and rank correlation", NAME_WIDTH, 14, style.QUIET, bold=True)
    bottom = TOP
    for row in rows:
        label = style.fitted(row["label"], NAME_WIDTH - 16)
        step = BAR_STEP + style.LINE_HEIGHT * (len(label) - 1)
        y, bottom = bottom + step / 2, bottom + step
        end = NAME_WIDTH + max(1.0, BAR_WIDTH * 0.66 * row["delta"] / largest)
        marks.box("bars", (NAME_WIDTH, end), (y - 7, y + 7), color=style.BLUE if row["rank"] >= 0 else style.ORANGE)
        marks.text(label, 0, y)
        marks.text(f"{row['delta']:.3f}  (rank {signed(row['rank'])})", end + 8, y, style.QUIET)
    entries: list[style.LegendEntry] = [
        ("bar", style.BLUE, "rises with the prior"),
        ("bar", style.ORANGE, "falls as the prior rises"),
    ]
    seen = {bar["color"] for bar in marks["bars"]}
    legend = style.legend_layers([entry for entry in entries if entry[1] in seen], x=NAME_WIDTH, y=bottom + 16)
    return spec.view([*marks.layers(), *legend], width=WIDTH, height=bottom + 28)


@dataclass(frozen=True, slots=True)
class _Axis:
    """The outcome on the vertical axis, shared by all small charts; what is `beyond` the horizon stands at its top."""

    scale: Scale
    low: float
    high: float
    ticks: Sequence[float]
    beyond: str = ""

    @classmethod
    def of(cls, rows: Sequence[Row], scale: Scale, horizon: float) -> _Axis:
        """Choose the axis of the values and the bands of all small charts."""
        if scale == "share":
            return cls(scale, 0.0, 1.0, plain_ticks(0.0, 1.0, most=4))
        values = [row[key] for row in rows for key in ("value", "lower", "upper") if row[key] is not None]
        finite = [value for value in values if math.isfinite(value)]
        low, high = min(finite, default=horizon - 1), max(finite, default=horizon)
        spare = max(0.04 * (high - low), 0.0 if high - low > 0.5 else 0.5)
        beyond = f"> {horizon:g}" if len(finite) < len(values) else ""
        low, high = low - spare, horizon + 0.08 * (horizon - low) if beyond else high + spare
        if scale == "power":
            return cls(scale, low, high, power_ticks(low, high, most=5))
        last = horizon - 1e-9 if beyond else high
        ticks = [tick for tick in plain_ticks(low, high, most=4) if low <= tick <= last]
        return cls(scale, low, high, [*ticks, *([high] if beyond else [])], beyond)

    def draw(self, marks: Marks, y: PixelScale, left: float) -> None:
        """Draw the grid of one small chart and write its ticks."""
        for tick in self.ticks:
            marks.box("grid", (left, left + PANEL_WIDTH), (y(tick), y(tick)))
            if self.beyond and tick == self.high:
                marks.text(self.beyond, left - 6, y(tick), align="right")
            else:
                marks.tick(tick, self.scale, left - 6, y(tick))


def _panels(panels: Mapping[str, Sequence[Row]], *, scale: Scale, horizon: float) -> spec.Spec:
    """Draw small charts of the outcome within tenths of the strongest priors, whose names are given.

    Rows have `decile`, `value`, `lower`, `upper` (None: no band), `from_text`, `to_text`, `scale`. What is not crossed
    by the horizon is drawn above it.
    """
    axis = _Axis.of([row for rows in panels.values() for row in rows], scale, horizon)
    marks = Marks(
        bands=fill_mark(style.band_tints(1)[0]), grid=rule_mark(), lines=line_mark(style.DARK_BLUE, 1.6),
        dots=style.dot_mark(), later=style.shape_mark("triangle-up", 60, fill=style.VERMILION),
    )  # fmt: skip
    word = "Share that has crossed" if scale == "share" else "Median of the outcome, band: 90 % of the samples"
    later = f"; a triangle: later than {horizon:g}" if axis.beyond else ""
    marks.text(f"{word}, by tenth of the prior{later}", 0, 12, style.QUIET, bold=True)
    for place, (name, rows) in enumerate(panels.items()):
        left = LEFT + (place % COLUMNS) * (PANEL_WIDTH + GAP_X)
        top = PANELS_TOP + (place // COLUMNS) * (PANEL_HEIGHT + GAP_Y)
        _panel(marks, rows, axis, name=name, left=left, top=top)
    rows_of_panels = -(-len(panels) // COLUMNS)
    height = PANELS_TOP + rows_of_panels * PANEL_HEIGHT + (rows_of_panels - 1) * GAP_Y + 36
    return spec.view(marks.layers(), width=WIDTH, height=height)


def _panel(marks: Marks, rows: Sequence[Row], axis: _Axis, *, name: str, left: float, top: float) -> None:
    """Draw the small chart of one prior."""
    words = style.wrapped(name, width=36)[:2]
    marks.text(words, left, top - 12 - 7 * len(words))
    bottom = top + PANEL_HEIGHT
    y = PixelScale(axis.low, axis.high, bottom, top)
    axis.draw(marks, y, left)
    for row in rows:
        x = left + PANEL_WIDTH * (row["decile"] - 0.5) / 10
        if row["lower"] is not None:
            marks.add("bands", x=x, y=y.held(row["lower"]), y2=y.held(row["upper"]), detail=name)
        middle = y.held(row["value"])
        marks.add("lines", x=x, y=middle, detail=name)
        marks.add("later" if math.isinf(row["value"]) else "dots", x=x, y=middle)
    unit = f" {rows[0]['scale']}" if rows[0]["scale"] else ""
    marks.text(f"up to {rows[0]['to_text']}", left, bottom + 14, style.QUIET, size=style.FOOT_SIZE)
    end = f"from {rows[-1]['from_text']}{unit}"
    marks.text(end, left + PANEL_WIDTH, bottom + 14, style.QUIET, size=style.FOOT_SIZE, align="right")


def influence_figures(run: Run, options: FigureOptions) -> list[Figure]:
    """Draw what moves effective compute at the end of a run that kept its samples, and the first threshold ahead.

    No option concerns it.
    """
    del options
    return outcome_figures(prior_influence(run, default_outcomes(run)[1:]))


def outcome_figures(influence: Influence) -> list[Figure]:
    """Draw the influence on each outcome that priors go with; an InputError says why none has any."""
    drawn = [each for each in influence.found if not each.none]
    if not drawn:
        raise NothingToDraw(f"influence: {' '.join(each.none for each in influence.found)}")
    return [influence_figure(influence.run, each) for each in drawn]


def influence_figure(run: Run, influence: OutcomeInfluence) -> Figure:
    """Draw the influence of priors on one outcome: bars of delta, and conditional medians of the strongest six.

    An outcome that no prior goes with is refused.
    """
    if influence.none:
        raise InputError(influence.none)
    outcome = influence.outcome
    years = years_of(run)
    table = influence.beyond_chance.first(MOST_BARS)
    bars = table.rows()
    names = [row["input"] for row in bars[:MOST_PANELS] if row["low"] is not None]
    deciles = influence.deciles.where(np.isin(influence.deciles["input"], names))
    priors = stored_scenario(run).priors
    scales = [scale_of(row["unit"], priors[row["input"]].read.unit) for row in deciles.rows()]
    told = {
        f"{end}_text": [scale.text(value) for scale, value in zip(scales, deciles[end].tolist(), strict=True)]
        for end in ("from", "to")
    }
    deciles = deciles.with_columns(told | {"scale": [scale.unit for scale in scales]})
    label = in_a_sentence(outcome_words_in(run, outcome))
    strongest = bars[0]
    said = {"crossed": "share that has crossed", "leads": "share that leads"}.get(outcome.kind, "median")
    span = span_text(outcome, strongest, years)
    first = (
        f"{capital(strongest['label'])} has most to do with it: the {said} goes from {span} "
        "from its lowest to highest tenth"
    )
    panels = {row["label"]: deciles.where(input=row["input"]).rows() for row in bars if row["input"] in names}
    views = [
        _bars(bars),
        *(
            [_panels(panels, scale=outcome_scale(outcome.kind, log=outcome.unit == "log10"), horizon=years[1])]
            if panels
            else []
        ),
    ]
    under = f"{run.attrs['title']}: {run.attrs['subject']}. {first}."
    chart = sheet(views, Head(f"What goes with {label}", under, run_label(run)), width=WIDTH)
    ranked = listed([f"{row['label']} ({row['delta']:.2f})" for row in bars[:MOST_PANELS]])
    caption = (
        f"{capital(label)} and the priors of this run, by a moment-independent index (0: nothing to do "
        f"with it, 1: given by it), less what chance gives: {ranked}. {first}. Correlated priors share their influence."
    )
    alt_text = (
        f"Bars of the influence of {len(bars)} priors on {label}, and {len(names)} small charts of the {said} of the "
        f"outcome within tenths of a prior. {first}."
    )
    name = f"influence_{re.sub(r'[^A-Za-z0-9-]+', '_', outcome.text)}"
    return Figure(name, chart, {"": table, "deciles": deciles}, caption, alt_text)
