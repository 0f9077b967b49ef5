"""The chart of what was learnt: for each unknown the prior, pale, and the posterior, strong, on one axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import batched

from simulator import chart_style as style
from simulator import vega_lite as vega
from simulator.chart_frame import row_number, row_text
from simulator.chart_priors import FACTOR, Group, Scale, scale_of, tick_texts
from simulator.chart_style import RunLabel, Text
from simulator.figure import Row

COLUMNS = 3
PANEL_WIDTH = 280
GAP = 46
DENSITY_HEIGHT = 62
HEADING_HEIGHT = 36
LEGEND_HEIGHT = 30
NAME_CHARACTERS = 44
WIDTH = COLUMNS * PANEL_WIDTH + (COLUMNS - 1) * GAP
_LINE = float(style.LINE_HEIGHT)


@dataclass(frozen=True, slots=True)
class PosteriorTables:
    """Hold the tables of the chart, as `figure_posterior` makes them.

    Parameters
    ----------
    unknowns : rows (unknown,)
        `name`, `label`, `unit`; `prior_lower_90`, `prior_median`, `prior_upper_90`, `lower_90`, `median`, `upper_90`
        (internal scale); `contraction`; `said` (what the contraction means); `conflict` (in words, or empty).
    densities : rows (unknown, of, point)
        `name`, `of` ("prior" or "posterior"), `value` (internal scale, rising), `height` (at most 1).
    sections : the sections from the top down
    """

    unknowns: Sequence[Row]
    densities: Sequence[Row]
    sections: Sequence[Group]


def draw_posterior(tables: PosteriorTables, *, title: str, run: RunLabel, subtitle: str = "") -> vega.Spec:
    """Draw prior and posterior of each unknown, three beside one another, with what they say in words.

    Each curve is drawn to the same height, so that a narrow posterior does not hide its prior.

    Parameters
    ----------
    tables : PosteriorTables
    title, subtitle : str
        What the chart shows.
    run : RunLabel
        The run that the tables come from, for the footer.
    """
    rows = {row_text(row, "name"): row for row in tables.unknowns}
    points: dict[tuple[str, str], list[Row]] = {}
    for point in tables.densities:
        points.setdefault((row_text(point, "name"), row_text(point, "of")), []).append(point)
    parts = _Parts()
    top = float(LEGEND_HEIGHT)
    for section in tables.sections:
        parts.heading(section.heading, y=top + 14)
        top += HEADING_HEIGHT
        for names in batched(section.names, COLUMNS):
            top += _LINE * max(len(name_lines(rows[name])) for name in names) + DENSITY_HEIGHT
            for place, name in enumerate(names):
                left = place * float(PANEL_WIDTH + GAP)
                parts.panel(rows[name], points[name, "prior"], points[name, "posterior"], left=left, base=top)
            top += 54 + _LINE * (4 if any(rows[name]["conflict"] for name in names) else 3)
    prior, posterior = _fills()
    entries: list[style.LegendEntry] = [
        ("band", prior, "before: prior"),
        ("band", posterior, "learnt: posterior"),
    ]
    layers = [*parts.layers(), *style.legend_layers(entries, x=0, y=8)]
    view = vega.view(layers, width=WIDTH, height=top)
    note = "Both curves have the same height. In brackets: 90 % intervals. Contraction: 1 − variance after / before."
    foot = style.footer(run, note=note, x=0, width=WIDTH)
    return style.stacked([view, foot], title=title, subtitle=subtitle, width=WIDTH)


def _fills() -> tuple[str, str]:
    pale, _, strong = style.band_tints(3)
    return pale, strong


def name_lines(row: Row) -> list[str]:
    """Break the name of an unknown into the lines above its panel.

    Examples
    --------
    >>> name_lines({"label": "growth of what frontier training runs cost, of all of them"})
    ['growth of what frontier training runs cost,', 'of all of them']
    """
    return style.wrapped(row_text(row, "label"), width=NAME_CHARACTERS)


def told(row: Row) -> Scale:
    """Choose how the numbers of an unknown are told: growth as a factor, scatter as it is.

    Examples
    --------
    >>> told({"name": "spending_growth", "unit": "OOM/year"}).text(0.5)
    '3.16'
    >>> told({"name": "spending_volatility", "unit": "OOM/year"}).text(0.0958)
    '0.0958'
    """
    unit = str(row["unit"])
    if unit == "OOM/year" and not str(row["name"]).endswith("_growth"):
        return Scale("OOM/year")
    return scale_of({"unit": unit, "understood": ""})


class _Parts:
    """Collect the marks of all panels, so that each kind is one layer."""

    def __init__(self) -> None:
        self._areas: dict[str, style.Data] = {"prior": [], "posterior": []}
        self._outlines: style.Data = []
        self._rules: style.Data = []
        self._axes: style.Data = []
        self._texts: list[Text] = []

    def layers(self) -> list[vega.Spec]:
        outline = {"type": "line", "color": style.QUIET, "strokeWidth": 0.9, "strokeDash": [3, 2]}
        found = []
        for of, fill in zip(("prior", "posterior"), _fills(), strict=True):
            area = {"type": "area", "color": fill, "opacity": 1}
            found += [style.pixel_layer(self._areas[of], mark=area)] if self._areas[of] else []
        for rows, mark in (
            (self._outlines, outline),  # over the posterior: the prior is seen through it
            (self._rules, {"type": "rule", "color": style.HAIR, "strokeWidth": 0.8}),
            (self._axes, {"type": "rule", "color": style.QUIET, "strokeWidth": 0.8}),
        ):
            found += [style.pixel_layer(rows, mark=mark)] if rows else []
        return [*found, *style.text_layers(self._texts)]

    def heading(self, heading: str, *, y: float) -> None:
        self._texts.append(Text([heading], 0, y, bold=True, size=style.TEXT_SIZE + 1))
        self._rules.append({"x": 0, "x2": WIDTH, "y": y + 12, "y2": y + 12})

    def panel(self, row: Row, prior: Sequence[Row], posterior: Sequence[Row], *, left: float, base: float) -> None:
        """Add the panel of one unknown, whose axis begins at the pixels `left` and `base`."""
        name = name_lines(row)
        self._texts.append(Text(name, left, base - DENSITY_HEIGHT - 14 - _LINE * (len(name) - 1) / 2, bold=True))
        every = [row_number(point, "value", table="densities") for point in (*prior, *posterior)]
        low, high = min(every), max(every)
        low, high = low - 0.02 * (high - low), high + 0.02 * (high - low)

        def pixel(value: float) -> float:
            return round(left + PANEL_WIDTH * (value - low) / (high - low), 2)

        for of, points in (("prior", prior), ("posterior", posterior)):
            for point in points:
                x = pixel(row_number(point, "value", table="densities"))
                up = round(base - DENSITY_HEIGHT * row_number(point, "height", table="densities"), 2)
                self._areas[of].append({"x": x, "y": base, "y2": up, "detail": row["name"]})
                if of == "prior":
                    self._outlines.append({"x": x, "y": up, "detail": row["name"]})
        self._axes.append({"x": left, "x2": left + PANEL_WIDTH, "y": base, "y2": base})
        scale = told(row)
        self._ticks(scale, [tick for tick in scale.ticks(low, high) if low <= tick <= high], pixel, base)
        self._words(row, scale, left=left, top=base + 26 + _LINE / 2)

    def _ticks(self, scale: Scale, ticks: Sequence[float], pixel: Callable[[float], float], base: float) -> None:
        free = -float("inf")
        for tick in ticks:
            x = pixel(tick)
            texts, width = tick_texts(scale, tick, x=x, y=base + 14)
            if x - width / 2 < free:
                continue
            free = x + width / 2 + 8
            self._axes.append({"x": x, "x2": x, "y": base, "y2": base + 4})
            self._texts += texts

    def _words(self, row: Row, scale: Scale, *, left: float, top: float) -> None:
        for place, prefix in enumerate(("", "prior_")):
            median, low, high = (
                _text(scale, row_number(row, f"{prefix}{key}", table="unknowns"))
                for key in ("median", "lower_90", "upper_90")
            )
            unit = "x a year" if scale.unit == FACTOR else f" {scale.unit}" if scale.unit else ""
            words = f"{'before' if prefix else 'learnt'} {median}{unit} ({low} to {high})"
            y = top + place * _LINE
            self._texts.append(Text([words], left, y, style.QUIET if prefix else style.INK, bold=not prefix))
        self._texts.append(Text([row_text(row, "said")], left, top + 2 * _LINE, style.QUIET))
        if conflict := row_text(row, "conflict"):
            self._texts.append(Text([conflict], left, top + 3 * _LINE, style.VERMILION, bold=True))


def _text(scale: Scale, value: float) -> str:
    return scale.text(value) if scale.is_log else f"{value:.2g}"
