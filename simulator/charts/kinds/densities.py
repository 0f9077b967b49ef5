"""The chart of priors: a small density for each, its numbers and its source beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.spec import Row
from simulator.charts.style import Text
from simulator.runs.groups import RunLabel
from simulator.wording import number_in

PLOT_X = 250
PLOT_WIDTH = 260
NOTE_X = PLOT_X + PLOT_WIDTH + 36
NOTE_WIDTH = 450
WIDTH = NOTE_X + NOTE_WIDTH
DENSITY_HEIGHT = 36
ROW_HEIGHT = 74
HEADING_HEIGHT = 40
LEGEND_HEIGHT = 24
NAME_CHARACTERS = 34
PLAIN_FROM, PLAIN_TO = -4.01, 5.0
"""Between these powers of ten numbers are written out."""
FACTOR = "times a year"
UNIT_NAMES = {"J/s": "W", "1": ""}


@dataclass(frozen=True, slots=True)
class Group:
    """What some priors are about, and their names, in the order in which they are drawn."""

    heading: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PriorTables:
    """Hold the tables of a chart of priors, as `figure_priors` makes them.

    Parameters
    ----------
    priors : rows (prior,)
        `name`, `unit`, `understood`, `lower_90`, `lower_50`, `median`, `upper_50`, `upper_90` (on the internal scale;
        +inf: never), `never`, `library`, `source`, `confidence`, `as_of`.
    densities : rows (prior, point)
        `name`, `value` (internal scale, rising), `height` (at most 1), `single`.
    groups : the groups from the top down
    """

    priors: Sequence[Row]
    densities: Sequence[Row]
    groups: Sequence[Group]


@dataclass(frozen=True, slots=True)
class Scale:
    """How numbers of one prior are told: a level as such, a rate as a factor or in per cent, a date, a number.

    `unit` is what is written after a number.
    """

    unit: str
    is_log: bool = False
    is_percent: bool = False
    is_date: bool = False

    def text(self, value: float) -> str:
        """Write a number of the internal scale.

        Examples
        --------
        >>> scale_of({"unit": "OOM/year", "understood": ""}).text(0.38)
        '2.4'
        """
        if math.isinf(value):
            return "never"
        if self.is_percent:
            return f"{100 * (10**value - 1):.2g}"
        if not self.is_log:
            return f"{round(value, 1):g}" if self.is_date else f"{value:.3g}"
        return f"{10**value:.3g}" if self.unit == FACTOR and value < 3 else power_text(value)

    def ticks(self, low: float, high: float) -> list[float]:
        """Choose at most five places on the internal scale for labels, round in what is told."""
        if self.is_percent:
            ends = (100 * (10**low - 1), 100 * (10**high - 1))
            return [math.log10(1 + tick / 100) for tick in _even_ticks(*ends)]
        if not self.is_log:
            return _even_ticks(low, high)
        if high - low > 2.2:
            return _even_ticks(low, high, whole=True)
        if high - low > 0.5:
            times = (1, 2, 5) if high - low > 1 else (1, 1.5, 2, 3, 5, 7)
            powers = range(math.floor(low), math.ceil(high) + 1)
            found = [power + math.log10(time) for power in powers for time in times]
            found = [tick for tick in found if low <= tick <= high]
            return found[:: -(-len(found) // 6)]
        base = math.floor(low)  # taken off first: a level may be far beyond what a float holds
        return [base + math.log10(tick) for tick in _even_ticks(10 ** (low - base), 10 ** (high - base)) if tick > 0]


def power_text(log_value: float) -> str:
    """Write a number that is given in log10, to two digits.

    Examples
    --------
    >>> power_text(0.38021), power_text(8.59), power_text(400.0), power_text(-3.0), power_text(-9.0), power_text(3.2)
    ('2.4', '3.9e8', '1e400', '0.001', '1e-9', '1,600')
    """
    if PLAIN_FROM <= log_value < PLAIN_TO:
        rounded = float(f"{10**log_value:.2g}")
        return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"
    exponent = math.floor(log_value)
    leading = f"{10 ** (log_value - exponent):.2g}"
    return f"1e{exponent + 1}" if leading == "10" else f"{leading}e{exponent}"


def _even_ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """List round numbers between two, four or five of them where that can be."""
    least = 0 if whole else math.floor(math.log10((high - low) / 5))
    steps = (step * 10.0**scale for scale in range(least, 300) for step in ((1, 2, 3, 5) if whole else (1, 2, 5)))
    step = next(step for step in steps if (high - low) / step <= 5)
    return [index * step for index in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def scale_of(row: Row) -> Scale:
    """Choose how the numbers of a prior are told, from its unit and from what was understood of it.

    Examples
    --------
    >>> scale_of({"unit": "log10(J/s)", "understood": "lognormal, median 5 (90 % 1 to 9) GW"}).unit
    'W'
    """
    unit, understood = str(row["unit"]), str(row["understood"])
    if unit == "OOM/year":
        percent = understood.endswith("%/year")
        return Scale("% a year" if percent else FACTOR, is_log=True, is_percent=percent)
    if unit.startswith("log10("):
        base = unit.removeprefix("log10(").removesuffix(")")
        said = "fraction" if base == "1" and understood.endswith(" fraction") else UNIT_NAMES.get(base, base)
        return Scale(said, is_log=True)
    return Scale("" if unit in ("1", "year") else unit, is_date=unit == "year")


def draw_priors(tables: PriorTables, *, title: str, run: RunLabel, subtitle: str = "") -> vega.Spec:
    """Draw priors one under another: name, density on an axis of its own, numbers and source.

    The tint of a density changes at the ends of the 50 and the 90 % interval. A share that stands at "never" is
    written at the right end of the axis.

    Parameters
    ----------
    tables : PriorTables
    title, subtitle : str
        What the chart shows.
    run : RunLabel
        The run that the tables come from, for the footer.
    """
    rows = {str(row["name"]): row for row in tables.priors}
    points: dict[str, list[Row]] = {}
    for point in tables.densities:
        points.setdefault(str(point["name"]), []).append(point)
    parts = _Parts()
    top = float(LEGEND_HEIGHT)
    for group in tables.groups:
        parts.heading(group.heading, y=top + HEADING_HEIGHT - 16)
        top += HEADING_HEIGHT
        for name in group.names:
            prefixes = (f"drivers.{group.heading}.", f"{group.heading}.")
            short = next((name.removeprefix(prefix) for prefix in prefixes if name.startswith(prefix)), name)
            parts.prior(rows[name], points.get(name, []), name=short, top=top)
            top += ROW_HEIGHT
    view = vega.view([*parts.layers(), *_legend(tables)], width=WIDTH, height=top)
    return style.stacked([view, style.footer(run, x=0, width=WIDTH)], title=title, subtitle=subtitle, width=WIDTH)


def _legend(tables: PriorTables) -> list[vega.Spec]:
    outer, middle, inner = style.band_tints(3)
    entries: list[style.LegendEntry] = [
        ("dot", style.INK, "median"),
        ("band", inner, "50 %"),
        ("band", middle, "90 %"),
        ("band", outer, "99 % of the samples"),
    ]
    if any(number_in(row, "never") > 0 for row in tables.priors):
        entries.append(("arrow", style.VERMILION, "and a share at never"))
    return style.legend_layers(entries, x=0, y=8)


class _Parts:
    """Collect the marks of all rows, so that each kind is one layer."""

    def __init__(self) -> None:
        self._areas: dict[str, style.Data] = {tint: [] for tint in style.band_tints(3)}
        self._rules: style.Data = []
        self._axes: style.Data = []
        self._spikes: style.Data = []
        self._dots: style.Data = []
        self._arrows: style.Data = []
        self._texts: list[Text] = []

    def layers(self) -> list[vega.Spec]:
        area = {tint: {"type": "area", "color": tint, "opacity": 1} for tint in self._areas}
        spike = {"type": "rule", "strokeWidth": 5, "color": style.band_tints(3)[2]}
        found = [style.pixel_layer(rows, mark=area[tint]) for tint, rows in self._areas.items() if rows]
        for rows, mark in (
            (self._rules, {"type": "rule", "color": style.HAIR, "strokeWidth": 0.8}),
            (self._spikes, spike),
            (self._axes, {"type": "rule", "color": style.QUIET, "strokeWidth": 0.8}),
            (self._arrows, style.arrow_mark()),
            (self._dots, style.dot_mark()),
        ):
            found += [style.pixel_layer(rows, mark=mark)] if rows else []
        return [*found, *style.text_layers(self._texts)]

    def heading(self, heading: str, *, y: float) -> None:
        words = heading.replace("_", " ")
        self._texts.append(Text([words[0].upper() + words[1:]], 0, y, bold=True, size=style.TEXT_SIZE + 1))
        self._rules.append({"x": 0, "x2": WIDTH, "y": y + 12, "y2": y + 12})

    def prior(self, row: Row, points: Sequence[Row], *, name: str, top: float) -> None:
        """Add one prior, whose row begins at the pixel `top`."""
        middle = top + ROW_HEIGHT / 2 - 4
        scale = scale_of(row)
        self._texts.append(Text(name_lines(name), 0, middle))
        self._notes(row, scale, middle)
        if not points:
            return
        values = [number_in(point, "value") for point in points]
        low, high = _ends(values, single=bool(points[0]["single"]), date=row["unit"] == "year")
        base = top + 8 + DENSITY_HEIGHT

        def pixel(value: float) -> float:
            return round(PLOT_X + PLOT_WIDTH * (value - low) / (high - low), 2)

        if points[0]["single"]:
            for point, value in zip(points, values, strict=True):
                up = base - DENSITY_HEIGHT * number_in(point, "height")
                self._spikes.append({"x": pixel(value), "x2": pixel(value), "y": base, "y2": round(up, 2)})
        else:
            self._zones(row, points, base=base, detail=str(row["name"]), left=low, width=high - low)
        self._axes.append({"x": PLOT_X, "x2": PLOT_X + PLOT_WIDTH, "y": base, "y2": base})
        self._ticks(scale, [tick for tick in scale.ticks(low, high) if low <= tick <= high], pixel, base)
        median = number_in(row, "median")
        if low <= median <= high:
            self._dots.append({"x": pixel(median), "y": base})
        if number_in(row, "never") > 0:
            self._arrows.append({"x": PLOT_X + PLOT_WIDTH + 6, "y": base})

    def _zones(self, row: Row, points: Sequence[Row], *, base: float, detail: str, left: float, width: float) -> None:
        """Fill the density, from the widest zone to the narrowest, each over the one before."""
        outer, middle, inner = style.band_tints(3)
        infinite = math.inf
        spans = {
            outer: (-infinite, infinite),
            middle: (number_in(row, "lower_90"), number_in(row, "upper_90")),
            inner: (number_in(row, "lower_50"), number_in(row, "upper_50")),
        }
        for tint, (low, high) in spans.items():
            for point in points:
                value = number_in(point, "value")
                if low <= value <= high:
                    x = PLOT_X + PLOT_WIDTH * (value - left) / width
                    up = base - DENSITY_HEIGHT * number_in(point, "height")
                    self._areas[tint].append({"x": round(x, 2), "y": base, "y2": round(up, 2), "detail": detail})

    def _ticks(self, scale: Scale, ticks: Sequence[float], pixel: Callable[[float], float], base: float) -> None:
        """Write the ticks that have room, from the left, with the unit after the last."""
        free = -math.inf
        for tick in ticks:
            x = pixel(tick)
            texts, width = tick_texts(scale, tick, x=x, y=base + 14)
            if x - width / 2 < free:
                continue
            free = x + width / 2 + 8
            self._axes.append({"x": x, "x2": x, "y": base, "y2": base + 4})
            self._texts += texts

    def _notes(self, row: Row, scale: Scale, middle: float) -> None:
        """Write the numbers, the family and the source at the right."""
        median, low, high = (scale.text(number_in(row, key)) for key in ("median", "lower_90", "upper_90"))
        numbers = "" if low == "never" else f"{median} (90 % {low} to {high}) {scale.unit}".strip()
        never = f"never {100 * number_in(row, 'never'):.0f} %" if number_in(row, "never") else ""
        numbers = ", ".join(filter(None, [numbers, never]))
        family = str(row["understood"]).split(", ")[0]
        facts = [f"{row['confidence']} confidence"] if row["confidence"] else []
        facts += [f"as of {row['as_of']}"] if row["as_of"] else []
        facts += [family, str(row["library"])]
        source = str(row["source"]) or "no source"
        color = style.QUIET if row["source"] else style.VERMILION
        self._texts.append(Text([numbers], NOTE_X, middle - style.LINE_HEIGHT - 1, bold=True))
        self._texts.append(Text([style.cut(" ".join(source.split()), NOTE_WIDTH)], NOTE_X, middle, color))
        self._texts.append(
            Text(
                [style.cut(" · ".join(filter(None, facts)), NOTE_WIDTH)],
                NOTE_X,
                middle + style.LINE_HEIGHT,
                style.QUIET,
            )
        )


def tick_texts(scale: Scale, tick: float, *, x: float, y: float) -> tuple[list[Text], float]:
    """Place the label of a tick under it, as a power of ten where the number is long."""
    size = style.FOOT_SIZE
    if not scale.is_log or scale.is_percent or PLAIN_FROM <= tick < PLAIN_TO:
        label = scale.text(tick).replace("-", "−")
        width = style.text_width(label, size=size)
        return [Text([label], x + width / 2, y, style.QUIET, size=size, align="right")], width
    base, exponent = style.power_parts(tick)
    small = 0.75 * size
    raised = style.text_width(exponent, size=small)
    width = style.text_width(base, size=size) + raised
    return [
        Text([base], x + width / 2 - raised - 0.5, y, style.QUIET, size=size, align="right"),
        Text([exponent], x + width / 2, y - 0.35 * size, style.QUIET, size=small, align="right"),
    ], width


def _ends(values: Sequence[float], *, single: bool, date: bool) -> tuple[float, float]:
    """Choose the ends of a prior's axis: where its density ends, and a little more around single values."""
    low, high = min(values), max(values)
    spare = 0.08 * (high - low) if single else 0.03 * (high - low)
    spare = max(spare, 0.5 if date and single else 0.0, 1e-9 * max(abs(low), abs(high), 1.0))
    return low - spare, high + spare


def name_lines(name: str) -> list[str]:
    """Break a dotted path into lines, after a dot where it can.

    Examples
    --------
    >>> name_lines("factors.precision-and-utilisation.growth[1].rate")
    ['factors.precision-and-utilisation.', 'growth[1].rate']
    """
    lines = [""]
    for part in name.replace(".", ".\0").split("\0"):
        if lines[-1] and len(lines[-1] + part) > NAME_CHARACTERS:
            lines.append("")
        lines[-1] += part
    return [piece for line in lines for piece in style.wrapped(line, width=NAME_CHARACTERS)]
