"""Figures of swings: a tornado for each outcome."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from simulator.analysis.swings_output import Swings, censored_text, is_seen, outcome_text, rest_text, swing_text
from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.spec import Figure, Row
from simulator.charts.style import Text
from simulator.wording import number_in

if TYPE_CHECKING:
    import xarray as xr


type Axis = Literal["log", "plain", "year", "share"]

NAME_CHARACTERS = 44
PLOT_WIDTH = 420
NEVER_WIDTH = 64
TOP = 66
BAR = 9
LABEL_SIZE = 11
COLORS = {"lower": style.SKY, "upper": style.DARK_BLUE}


def draw_swings(
    rows: Sequence[Row],
    *,
    title: str,
    subtitle: str,
    heading: str,
    axis: Axis,
    base: float,
    base_text: str,
    years: tuple[float, float],
    rest: str,
    foot: Sequence[str],
) -> vega.Spec:
    """Draw swings as two bars for each input, from the value with nothing moved to that at either quantile.

    Each bar ends in the value of the input there. What is not crossed by the horizon ends in an arrow.

    Parameters
    ----------
    rows : rows (input,)
        `input_words`, `library`, `lower_value`, `upper_value` (texts), `lower`, `upper` (the outcome; +inf: not by the
        horizon); the largest first.
    title, subtitle, heading : str
        What the chart shows; the outcome and its unit.
    axis : {"log", "plain", "year", "share"}
        Whether the outcome is a log10, a number, a year or a probability.
    base : float
        The outcome with nothing moved; +inf: not by the horizon.
    base_text : str
        What is written at its line.
    years : first and last year of the scenario
    rest : str
        What is said of the inputs that are not named; may be empty.
    foot : sequence of str
        What the numbers come from.
    """
    parts = _Tornado(rows, axis=axis, base=base, years=years)
    top = float(TOP)
    for row in rows:
        top = parts.row(row, top=top)
    parts.frame(bottom=top, heading=heading, base_text=base_text, rest=rest)
    height = top + 26 + (24 if rest else 0)
    view = vega.view(parts.layers(), width=parts.width, height=height)
    return style.framed(view, title=title, subtitle=subtitle, foot=foot, width=parts.width)


def span_of(rows: Sequence[Row], *, base: float, axis: Axis, years: tuple[float, float]) -> tuple[float, float]:
    """Choose the ends of the axis: all finite values, up to the horizon where one is later than it.

    Examples
    --------
    >>> span_of([{"lower": 2030.0, "upper": math.inf}], base=2031.0, axis="year", years=(2025.0, 2045.0))
    (2030.0, 2045.0)
    """
    values = [base, *(number_in(row, key) for row in rows for key in ("lower", "upper"))]
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return years
    low, high = min(finite), max(finite)
    high = years[1] if len(finite) < len(values) else high
    least = {"log": 0.2, "year": 0.5, "share": 0.05}.get(axis, 0.05 * max(abs(low), 1e-9))
    spare = max(0.0, least - (high - low)) / 2
    return low - spare, high + spare


class _Tornado:
    """Collect the marks of all rows, so that each kind is one layer."""

    def __init__(self, rows: Sequence[Row], *, axis: Axis, base: float, years: tuple[float, float]) -> None:
        self._axis, self._base, self._last = axis, base, years[1]
        self._span = span_of(rows, base=base, axis=axis, years=years)
        self._names = [_name_lines(row) for row in rows]
        self._place = 0
        ends = [(row, key) for row in rows for key in COLORS]
        self._censored = any(math.isinf(value) for value in [base, *(number_in(row, key) for row, key in ends)])
        texts = {
            side: [
                _label_width(str(row[f"{key}_value"])) for row, key in ends if self._side(number_in(row, key)) == side
            ]
            for side in (-1, 1)
        }
        names = [text for lines, small in self._names for text in [*lines, small]]
        self._name_width = max(map(style.text_width, names)) * 1.04 + 14
        self._left = self._name_width + max(texts[-1], default=0) + 8
        self._right = self._left + PLOT_WIDTH
        self.width = self._right + (NEVER_WIDTH if self._censored else 0) + max(texts[1], default=0) + 10
        self._bars: style.Data = []
        self._rules: style.Data = []
        self._arrows: style.Data = []
        self._lines: style.Data = []
        self._texts: list[Text] = []
        self._legend: list[vega.Spec] = []

    def _side(self, value: float) -> int:
        """Tell on which side of its bar a label stands."""
        return -1 if value < self._base else 1

    def _x(self, value: float) -> float:
        if math.isinf(value):
            return self._right + NEVER_WIDTH - 14
        low, high = self._span
        return round(self._left + 4 + (PLOT_WIDTH - 8) * (value - low) / (high - low), 2)

    def row(self, row: Row, *, top: float) -> float:
        """Add an input whose row begins at the pixel `top`; give the pixel at which the next begins."""
        lines, small = self._names[self._place]
        self._place += 1
        count = len(lines) + bool(small)
        height = max(2 * BAR + 16, style.LINE_HEIGHT * count + 8)
        middle = top + height / 2
        shift = style.LINE_HEIGHT / 2
        self._texts.append(Text(lines, 0, middle - (shift if small else 0)))
        if small:
            below = middle + shift * len(lines)
            self._texts.append(Text([small], 0, below, style.QUIET, size=LABEL_SIZE))
        self._rules.append({"x": 0, "x2": self.width, "y": top, "y2": top})
        for key, y in (("lower", middle - BAR / 2 - 1), ("upper", middle + BAR / 2 + 1)):
            self._bar(row, key, y)
        return top + height

    def _bar(self, row: Row, key: str, y: float) -> None:
        value = number_in(row, key)
        start, end = self._x(self._base), self._x(value)
        arrow = math.isinf(value)
        stop = end - 4 if arrow and start < end else end
        if abs(stop - start) > 0.3:
            self._bars.append({"x": min(start, stop), "x2": max(start, stop), "y": y - BAR / 2, "y2": y + BAR / 2,
                               "color": COLORS[key]})  # fmt: skip
        if arrow and math.isinf(self._base):  # beside the line of the base, not on it
            end += 9
        if arrow:
            self._arrows.append({"x": end, "y": y, "color": COLORS[key]})
        side = self._side(value)
        gap = 9 if arrow else 5
        text = str(row[f"{key}_value"])
        align: Literal["left", "right"] = "left" if side > 0 else "right"
        self._texts.append(Text([text], end + side * gap, y, style.QUIET, size=LABEL_SIZE, align=align))

    def frame(self, *, bottom: float, heading: str, base_text: str, rest: str) -> None:
        """Add axis, heading, legend, the line of the base, and what is said of the rest."""
        self._rules.append({"x": 0, "x2": self.width, "y": bottom, "y2": bottom})
        self._texts.append(Text([heading], 0, 8, bold=True))
        for tick in self._ticks():
            x = self._x(tick)
            self._rules.append({"x": x, "x2": x, "y": TOP - 4, "y2": bottom + 4})
            self._texts += self._tick_texts(tick, x, bottom + 14)
        if self._censored:
            x, said = self._x(math.inf), f"> {self._last:g}"
            self._texts.append(Text([said], x + style.text_width(said) / 2, bottom + 14, align="right"))
        x = self._x(self._base)
        self._lines.append({"x": x, "x2": x, "y": TOP - 8, "y2": bottom})
        half = style.text_width(base_text, size=LABEL_SIZE) / 2
        middle = min(max(x, half), self.width - half)
        self._texts.append(Text([base_text], middle - half, TOP - 16, size=LABEL_SIZE))
        entries: list[style.LegendEntry] = [
            ("bar", COLORS["lower"], "input at its 10 % quantile"),
            ("bar", COLORS["upper"], "input at its 90 % quantile"),
        ]
        self._legend = style.legend_layers(entries, x=0, y=30)
        if self._censored:
            x = sum(42 + style.text_width(text) for _, _, text in entries) + 9
            self._arrows.append({"x": x, "y": 30, "color": style.QUIET})
            self._texts.append(Text([f"not crossed by {self._last:g}"], x + 15, 30, style.QUIET))
        if rest:
            self._texts.append(Text([rest], 0, bottom + 40, style.QUIET))

    def _ticks(self) -> list[float]:
        low, high = self._span
        if self._axis == "log":
            return style.power_ticks(low, high, most=7)
        if self._axis == "year" and high - low > 5:
            return [float(year) for year in style.year_ticks(low, high, most=8)]
        return style.plain_ticks(low, high, most=6)

    def _tick_texts(self, tick: float, x: float, y: float) -> list[Text]:
        """Write the label of a tick under it, as a power of ten where the number is long."""
        if self._axis == "log" and not -3 <= tick < 4:
            base, exponent = style.power_parts(tick)
            raised = style.text_width(exponent, size=0.75 * style.TEXT_SIZE)
            return style.power_texts(tick, right=x + (style.text_width(base) + raised) / 2, y=y)
        if self._axis == "year":
            said = f"{tick:.10g}"
        elif self._axis == "share":
            said = f"{100 * tick:.3g} %"
        else:
            said = style.plain_text(10.0**tick if self._axis == "log" else tick)
        return [Text([said], x + style.text_width(said) / 2, y, align="right")]

    def layers(self) -> list[vega.Spec]:
        """Give the layers, from the back to the front."""
        arrow = {"type": "point", "shape": "triangle-right", "size": 70, "filled": True, "opacity": 1}
        found = []
        for rows, mark in (
            (self._rules, {"type": "rule", "color": style.HAIR, "strokeWidth": 0.8}),
            (self._bars, {"type": "rect"}),
            (self._arrows, arrow),
            (self._lines, {"type": "rule", "color": style.INK, "strokeWidth": 1.4}),
        ):
            found += [style.pixel_layer(rows, mark=mark)] if rows else []
        return [*found, *self._legend, *style.text_layers(self._texts)]


def _name_lines(row: Row) -> tuple[list[str], str]:
    """Break the name of an input into lines, and cut that of its library entry to one."""
    library = str(row["library"])
    small = library if len(library) <= 52 else f"{library[:51]}…"
    return style.wrapped(str(row["input_words"]), width=NAME_CHARACTERS), small


def _label_width(text: str) -> float:
    return style.text_width(text, size=LABEL_SIZE) * 1.05 + 8


MOST = 14


def swing_figures(swings: Swings) -> list[Figure]:
    """Draw the swings of each outcome; an outcome that is the same in all samples has no figure."""
    rows = swings.tables()["swings"].rows()
    figures = []
    for outcome in swings.dataset["outcome"].values.tolist():
        here = swings.dataset.sel(outcome=outcome)
        own = [row for row in rows if row["outcome"] == outcome]
        if not int(here["constant"]) or _all_censored(own):
            figures.append(_figure(here, own))
    return figures


def _all_censored(rows: Sequence[Row]) -> bool:
    return all(math.isinf(number_in(row, key)) for row in rows for key in ("lower", "upper"))


def _figure(here: xr.Dataset, rows: Sequence[Row]) -> Figure:
    attrs, unit = here.attrs, str(here["unit"].values)
    last, base = float(attrs["last_year"]), float(here["base"])
    words = str(here["outcome_words"].values)
    moving = [row for row in rows if is_seen(row, unit)] or list(rows)
    drawn, rest = moving[:MOST], [row for row in rows if row not in moving[:MOST]]
    middle = outcome_text(base, unit=unit, last=last)
    title = f"{words[0].upper()}{words[1:]}{_finding(here, rows)}"
    size = f", {attrs['samples']:,} common draws" if attrs["mode"] == "free" else ""
    chart = draw_swings(
        drawn,
        title=title,
        subtitle=f"{attrs['title']}. One input at a time at its 10 % and its 90 % quantile, {attrs['mode_words']}.",
        heading=f"{words}{_unit(unit)}",
        axis=_axis(here),
        base=base,
        base_text=f"nothing moved: {middle}",
        years=(float(attrs["first_year"]), last),
        rest=rest_text(rest, unit),
        foot=[f"Swings {attrs['id']} · scenario {attrs['name']} · seed {attrs['seed']} · {attrs['mode_words']}{size}"],
    )
    said = "; ".join(
        f"{row['input_words']} ({row['lower_value']} to {row['upper_value']}): {_ends(row, unit, last)}"
        for row in drawn[:5]
    )
    caption = f"{title}. With nothing moved it is {middle}. The largest swings, {attrs['mode_words']}: {said}."
    if _all_censored(rows):
        caption = f"{title}. {censored_text(here)}"
    alt_text = (
        f"Tornado chart of {words}: two bars for each of {len(drawn)} inputs, from {middle} to what it is with the "
        f"input at its 10 and 90 % quantile, {attrs['mode_words']}. {title}."
    )
    name = "".join(letter if letter.isalnum() else "_" for letter in str(here["outcome"].values))
    return Figure(f"swings_{attrs['mode']}_{name}", chart, {"": rows}, caption, alt_text)


def _finding(here: xr.Dataset, rows: Sequence[Row]) -> str:
    """Say in a title what moves an outcome most."""
    unit, last = str(here["unit"].values), float(here.attrs["last_year"])
    if _all_censored(rows):
        return f" is later than {last:g} wherever an input is moved"
    if number_in(rows[0], "at_least") == 0.0:
        return ": no input moves it between its 10 % and its 90 % quantile"
    return f" is moved most by {rows[0]['input_words']}, {_ends(rows[0], unit, last)}"


def _ends(row: Row, unit: str, last: float) -> str:
    lower = outcome_text(number_in(row, "lower"), unit=unit, last=last, short=True)
    upper = outcome_text(number_in(row, "upper"), unit=unit, last=last)
    return f"from {lower} to {upper}" if row["swing"] is not None else swing_text(row)


def _axis(here: xr.Dataset) -> Axis:
    kind, unit = str(here["kind"].values), str(here["unit"].values)
    if kind == "level":
        return "log" if unit.startswith("log10(") else "plain"
    return "share" if kind == "crossed" else "year"


def _unit(unit: str) -> str:
    base = unit.removeprefix("log10(").removesuffix(")")
    return "" if base in ("1", "", "year") else f", {base}"
