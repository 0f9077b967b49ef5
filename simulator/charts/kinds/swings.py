"""Figures of swings: a tornado for each outcome."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from simulator.analysis.outcomes import outcome_text
from simulator.analysis.swings import Swings, censored_text, is_censored, is_seen, rest_text, swing_text, years_of
from simulator.charts import spec, style
from simulator.charts.layout import RECT, Marks, PixelScale, rule_mark
from simulator.charts.spec import Figure, Head
from simulator.charts.ticks import Scale, outcome_scale, plain_text, plain_ticks, power_ticks, tick_text, year_ticks
from simulator.runs.groups import Dataset
from simulator.runs.table import Row, Table
from simulator.units import plain_unit
from simulator.wording import capital, cut

NAME_CHARACTERS = 44
LIBRARY_CHARACTERS = 52
PLOT_WIDTH = 420
NEVER_WIDTH = 64
TOP = 66
BAR = 9
LABEL_SIZE = 11
COLORS = {"lower": style.SKY, "upper": style.DARK_BLUE}
MOST = 14
"""Inputs of one chart; the others are counted."""


def span_of(rows: Sequence[Row], *, base: float, scale: Scale, years: tuple[float, float]) -> tuple[float, float]:
    """Choose the ends of the axis: all finite values, up to the horizon where one is later than it.

    >>> span_of([{"lower": 2030.0, "upper": math.inf}], base=2031.0, scale="year", years=(2025.0, 2045.0))
    (2030.0, 2045.0)
    """
    values = [base, *(row[key] for row in rows for key in COLORS)]
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return years
    low, high = min(finite), max(finite)
    high = years[1] if len(finite) < len(values) else high
    least = {"power": 0.2, "year": 0.5, "share": 0.05}.get(scale, 0.05 * max(abs(low), 1e-9))
    spare = max(0.0, least - (high - low)) / 2
    return low - spare, high + spare


class _Tornado:
    """Draw swings as two bars for each input, from the value with nothing moved (`base`) to that at either quantile.

    `rows` have `input_words`, `library`, `lower_value`, `upper_value` (texts), `lower`, `upper` (the outcome; +inf: not
    by the horizon), the largest first. Each bar ends in the value of the input there. What is not crossed by the
    horizon, the last of `years`, ends in an arrow. Labels are measured first: they take room on both sides of the plot.
    """

    def __init__(self, rows: Sequence[Row], *, scale: Scale, base: float, years: tuple[float, float]) -> None:
        arrow, line = style.shape_mark("triangle-right", 70), rule_mark(style.INK, 1.4)
        self.marks = Marks(rules=rule_mark(), bars=RECT, arrows=arrow, lines=line)
        self._rows, self._scale, self._base, self._last = rows, scale, base, years[1]
        ends = [(row, key) for row in rows for key in COLORS]
        self._censored = math.isinf(base) or any(math.isinf(row[key]) for row, key in ends)
        room = {-1: 0.0, 1: 0.0}
        for row, key in ends:
            width = style.text_width(row[f"{key}_value"], size=LABEL_SIZE) * 1.05 + 8
            side = self._side(row[key])
            room[side] = max(room[side], width)
        names = [text for row in rows for lines, small in [_name_lines(row)] for text in (*lines, small)]
        left = max(map(style.text_width, names)) * 1.04 + 14 + room[-1] + 8
        self._right = left + PLOT_WIDTH
        self.width = self._right + (NEVER_WIDTH if self._censored else 0) + room[1] + 10
        ends_of_axis = span_of(rows, base=base, scale=scale, years=years)
        self._plot = PixelScale(*ends_of_axis, start=left + 4, end=self._right - 4)

    def _side(self, value: float) -> Literal[-1, 1]:
        """Tell on which side of its bar a label stands."""
        return -1 if value < self._base else 1

    def _x(self, value: float) -> float:
        return self._right + NEVER_WIDTH - 14 if math.isinf(value) else self._plot(value)

    def sheet(self, heading: str, *, base_text: str, rest: str, head: Head) -> spec.Spec:
        """Draw the rows under one another in their frame; `rest` says what is not named."""
        top = float(TOP)
        for row in self._rows:
            top = self._row(row, top=top)
        legend = self._frame(bottom=top, heading=heading, base_text=base_text, rest=rest)
        return self.marks.sheet(head, *legend, width=self.width, height=top + 26 + (24 if rest else 0))

    def _row(self, row: Row, *, top: float) -> float:
        """Add an input whose row begins at the pixel `top`; give the pixel at which the next begins."""
        lines, small = _name_lines(row)
        height = max(2 * BAR + 16, style.LINE_HEIGHT * (len(lines) + bool(small)) + 8)
        middle = top + height / 2
        shift = style.LINE_HEIGHT / 2
        self.marks.text(lines, 0, middle - (shift if small else 0))
        if small:
            self.marks.text(small, 0, middle + shift * len(lines), style.QUIET, size=LABEL_SIZE)
        self.marks.box("rules", (0, self.width), (top, top))
        for key, y in (("lower", middle - BAR / 2 - 1), ("upper", middle + BAR / 2 + 1)):
            self._bar(row, key, y)
        return top + height

    def _bar(self, row: Row, key: str, y: float) -> None:
        start, end = self._x(self._base), self._x(row[key])
        beyond = math.isinf(row[key])
        stop = end - 4 if beyond and start < end else end
        if abs(stop - start) > 0.3:
            self.marks.box("bars", (min(start, stop), max(start, stop)), (y - BAR / 2, y + BAR / 2), color=COLORS[key])
        if beyond:
            end += 9 if math.isinf(self._base) else 0  # beside the line of the base, not on it
            self.marks.add("arrows", x=end, y=y, color=COLORS[key])
        side = self._side(row[key])
        x, align = end + side * (9 if beyond else 5), "left" if side > 0 else "right"
        self.marks.text(row[f"{key}_value"], x, y, style.QUIET, size=LABEL_SIZE, align=align)

    def _frame(self, *, bottom: float, heading: str, base_text: str, rest: str) -> list[spec.Spec]:
        """Add axis, heading, the line of the base, and what is said of the rest; give the layers of the legend."""
        marks, last = self.marks, f"{self._last:g}"
        marks.box("rules", (0, self.width), (bottom, bottom))
        marks.text(heading, 0, 8, bold=True)
        for tick in self._ticks():
            x = self._x(tick)
            marks.box("rules", (x, x), (TOP - 4, bottom + 4))
            self._tick_text(tick, x, bottom + 14)
        if self._censored:
            marks.centred(f"> {last}", self._x(math.inf), bottom + 14)
        x = self._x(self._base)
        marks.box("lines", (x, x), (TOP - 8, bottom))
        half = style.text_width(base_text, size=LABEL_SIZE) / 2
        marks.text(base_text, min(max(x, half), self.width - half) - half, TOP - 16, size=LABEL_SIZE)
        bars = zip(COLORS.values(), ("10", "90"), strict=True)
        entries: list[style.LegendEntry] = [("bar", color, f"input at its {at} % quantile") for color, at in bars]
        if self._censored:
            x = sum(42 + style.text_width(text) for _, _, text in entries) + 9
            marks.add("arrows", x=x, y=30, color=style.QUIET)
            marks.text(f"not crossed by {last}", x + 15, 30, style.QUIET)
        if rest:
            marks.text(rest, 0, bottom + 40, style.QUIET)
        return style.legend_layers(entries, x=0, y=30)

    def _ticks(self) -> list[float]:
        low, high = self._plot.low, self._plot.high
        if self._scale == "power":
            return power_ticks(low, high, most=7)
        if self._scale == "year" and high - low > 5:
            return [float(year) for year in year_ticks(low, high, most=8)]
        return plain_ticks(low, high, most=6)

    def _tick_text(self, tick: float, x: float, y: float) -> None:
        """Write the label of a tick under it, as a power of ten where the number is long."""
        if self._scale != "power":
            self.marks.centred(tick_text(tick, self._scale), x, y)
        elif -3 <= tick < 4:
            self.marks.centred(plain_text(10.0**tick), x, y)
        else:
            self.marks.texts += style.power_texts(tick, right=x + style.power_width(tick) / 2, y=y)


def _name_lines(row: Row) -> tuple[list[str], str]:
    """Break the name of an input into lines, and cut that of its library entry to one."""
    small = cut(row["library"], width=LIBRARY_CHARACTERS, mark="…")
    return style.wrapped(row["input_words"], width=NAME_CHARACTERS), small


def swing_figures(swings: Swings) -> list[Figure]:
    """Draw the swings of each outcome; an outcome that is the same in all samples has no figure."""
    figures = []
    for (outcome,), own in swings.tables()["swings"].groups("outcome"):
        here = swings.dataset.sel(outcome=outcome)
        if not int(here["constant"]) or is_censored(own.rows()):
            figures.append(_figure(here, own))
    return figures


def _figure(here: Dataset, table: Table) -> Figure:
    attrs, unit, rows = here.attrs, str(here["unit"].values), table.rows()
    years, base = years_of(here), float(here["base"])
    words = str(here["outcome_words"].values)
    moving = [row for row in rows if is_seen(row)] or rows
    drawn, rest = moving[:MOST], [row for row in rows if row not in moving[:MOST]]
    middle = outcome_text(base, unit=unit, years=years)
    title = f"{capital(words)}{_finding(here, rows)}"
    size = f", {attrs['samples']:,} common draws" if attrs["mode"] == "free" else ""
    under = f"{attrs['title']}. One input at a time at its 10 % and its 90 % quantile, {attrs['mode_words']}."
    foot = f"Swings {attrs['id']} · scenario {attrs['name']} · seed {attrs['seed']} · {attrs['mode_words']}{size}"
    scale = outcome_scale(str(here["kind"].values), log=unit.startswith("log10("))
    drawing = _Tornado(drawn, scale=scale, base=base, years=years)
    head, base_text, in_unit = Head(title, under, [foot]), f"nothing moved: {middle}", plain_unit(unit)
    heading = words if in_unit in ("1", "", "year") else f"{words}, {in_unit}"
    chart = drawing.sheet(heading, base_text=base_text, rest=rest_text(rest), head=head)
    inputs = [f"{row['input_words']} ({row['lower_value']} to {row['upper_value']})" for row in drawn[:5]]
    said = "; ".join(f"{name}: {_ends(row, unit, years)}" for name, row in zip(inputs, drawn, strict=False))
    caption = f"{title}. With nothing moved it is {middle}. The largest swings, {attrs['mode_words']}: {said}."
    if is_censored(rows):
        caption = f"{title}. {censored_text(here)}"
    alt_text = (
        f"Tornado chart of {words}: two bars for each of {len(drawn)} inputs, from {middle} to what it is with the "
        f"input at its 10 and 90 % quantile, {attrs['mode_words']}. {title}."
    )
    name = "".join(letter if letter.isalnum() else "_" for letter in str(here["outcome"].values))
    return Figure(f"swings_{attrs['mode']}_{name}", chart, {"": table}, caption, alt_text)


def _finding(here: Dataset, rows: Sequence[Row]) -> str:
    """Say in a title what moves an outcome most."""
    if is_censored(rows):
        return f" is later than {here.attrs['last_year']:g} wherever an input is moved"
    if rows[0]["at_least"] == 0.0:
        return ": no input moves it between its 10 % and its 90 % quantile"
    return f" is moved most by {rows[0]['input_words']}, {_ends(rows[0], str(here['unit'].values), years_of(here))}"


def _ends(row: Row, unit: str, years: tuple[float, float]) -> str:
    lower = outcome_text(row["lower"], unit=unit, years=years, short=True)
    upper = outcome_text(row["upper"], unit=unit, years=years)
    return f"from {lower} to {upper}" if row["swing"] is not None else swing_text(row)
