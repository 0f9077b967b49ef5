"""The chart of waterfalls: from one number to another, a bar for each part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator import chart_style as style
from simulator import vega_lite as vega
from simulator.chart_style import Text
from simulator.words import cut_front, signed

NAME_WIDTH = 340.0
PLOT_WIDTH = 430.0
WIDTH = NAME_WIDTH + PLOT_WIDTH + 130
STEP = 23.0
HEADING = 34.0
GAP = 22.0
NAME_CHARACTERS = 48


@dataclass(frozen=True, slots=True)
class Part:
    """What one input adds: its name, the value, and the value as it is written."""

    name: str
    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Fall:
    """One waterfall: its heading, where it starts and ends, and its parts in their order."""

    heading: str
    first: float
    last: float
    first_text: str
    last_text: str
    first_label: str
    last_label: str
    parts: tuple[Part, ...]

    @classmethod
    def of(
        cls,
        heading: str,
        parts: Sequence[tuple[str, float]],
        *,
        ends: Sequence[float],
        end_texts: Sequence[str],
        labels: Sequence[str],
        unit: str,
    ) -> Fall:
        """Put a waterfall together.

        Examples
        --------
        >>> fall = Fall.of("a", [("x", -0.5)], ends=[2, 1.5], end_texts=["2", "1.5"], labels=["A", "B"], unit="years")
        >>> fall.parts[0].text
        '−0.50 years'
        """
        written = tuple(Part(name, value, f"{signed(value)} {unit}") for name, value in parts)
        return cls(heading, ends[0], ends[1], end_texts[0], end_texts[1], labels[0], labels[1], written)


def draw_waterfalls(falls: Sequence[Fall], *, title: str, subtitle: str, note: str) -> vega.Spec:
    """Draw waterfalls under one another, each on a scale of its own.

    Parameters
    ----------
    falls : sequence of Fall
    title, subtitle, note : str

    Examples
    --------
    >>> fall = Fall.of("a", [("x", -0.5)], ends=[2, 1.5], end_texts=["2", "1.5"], labels=["A", "B"], unit="years")
    >>> len(draw_waterfalls([fall], title="A to B", subtitle="", note="")["vconcat"])
    2
    """
    bars: style.Data = []
    links: style.Data = []
    rules: style.Data = []
    texts: list[Text] = []
    top = 0.0
    for fall in falls:
        top = _place(fall, top, bars, links, rules, texts) + GAP
    layers = [
        style.pixel_layer(rules, mark={"type": "rule", "color": style.HAIR, "strokeWidth": 0.8}),
        style.pixel_layer(bars, mark={"type": "rect"}),
        style.pixel_layer(links, mark={"type": "rule", "color": style.QUIET, "strokeWidth": 0.8}),
        *style.text_layers(texts),
    ]
    view = vega.view(layers, width=WIDTH, height=top)
    return style.framed(view, title=title, subtitle=subtitle, foot=[note], width=WIDTH)


def _place(fall: Fall, top: float, bars: style.Data, links: style.Data, rules: style.Data, texts: list[Text]) -> float:
    """Add one waterfall that begins at a pixel; give where it ends."""
    levels = [fall.first]
    for part in fall.parts:
        levels.append(levels[-1] + part.value)
    low, high = min(*levels, fall.last), max(*levels, fall.last)
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return round(NAME_WIDTH + 20 + (PLOT_WIDTH - 40) * (value - low) / span, 2)

    texts.append(Text([fall.heading], 0, top + 10, bold=True))
    rules.append({"x": 0, "x2": WIDTH, "y": top + 22, "y2": top + 22})
    y = top + HEADING + STEP / 2
    _end(fall.first_label, fall.first_text, x(fall.first), y, bars, texts)
    for part, start, stop in zip(fall.parts, levels[:-1], levels[1:], strict=True):
        links.append({"x": x(start), "x2": x(start), "y": y, "y2": y + STEP})
        y += STEP
        left, right = sorted((x(start), x(stop)))
        color = style.BLUE if part.value > 0 else style.ORANGE
        bars.append({"x": left, "x2": max(right, left + 1), "y": y - 7, "y2": y + 7, "color": color})
        texts.append(Text([cut_front(part.name, width=NAME_CHARACTERS)], 0, y))
        texts.append(Text([part.text], right + 8, y, style.QUIET))
    links.append({"x": x(fall.last), "x2": x(fall.last), "y": y, "y2": y + STEP})
    y += STEP
    _end(fall.last_label, fall.last_text, x(fall.last), y, bars, texts)
    return y + STEP / 2


def _end(label: str, written: str, x: float, y: float, bars: style.Data, texts: list[Text]) -> None:
    bars.append({"x": x - 2.5, "x2": x + 2.5, "y": y - 9, "y2": y + 9, "color": style.INK})
    texts.append(Text([label], 0, y, bold=True))
    texts.append(Text([written], x + 10, y, bold=True))
