"""The figure of an attribution: from one scenario's number to the other's, input by input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.spec import Figure, Row
from simulator.charts.style import Text
from simulator.errors import InputError
from simulator.wording import cut_front, listed, power_text, signed

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


MOST_PARTS = 8
MOST_NUMBERS = 4


def attribution_figure(rows: Sequence[Row], *, labels: Sequence[str], note: str) -> Figure:
    """Draw how the parts of headline numbers add up: effective compute in the last year, then crossing years.

    Parameters
    ----------
    rows : rows of an attribution
        `quantity`, `label`, `statistic`, `year`, `unit`, `input` ("" for the whole), `part`, `standard_error`,
        `before`, `after`.
    labels : what the first and the second are called
    note : str
        How the parts were told, for the foot.

    Returns
    -------
    Figure, named `attribution`

    Raises
    ------
    InputError
        No number differs.
    """
    chosen = _chosen(rows)
    if not chosen:
        raise InputError(f"attribution: no headline number of {labels[1]} differs from that of {labels[0]}.")
    table: list[Row] = []
    falls: list[Fall] = []
    for key in chosen:
        own = [row for row in rows if _key(row) == key]
        parts = shown_parts(own)
        whole = next(row for row in own if row["input"] == "")
        falls.append(_fall(whole, parts, labels))
        table += [
            {"number": falls[-1].heading, "input": part.name, "part": part.value, "unit": whole["unit"]}
            for part in falls[-1].parts
        ]
    first = falls[0]
    largest = max(first.parts, key=lambda part: abs(part.value))
    gist = (
        f"{first.heading}: {first.first_text} in {labels[0]}, {first.last_text} in {labels[1]}; the largest part, "
        f"{largest.text}, is due to {largest.name}"
    )
    gist = gist[0].upper() + gist[1:]
    chart = draw_waterfalls(
        falls, title=f"What makes {labels[1]} differ from {labels[0]}", subtitle=f"{gist}.", note=note
    )
    caption = f"{gist}. {note} The parts of each number add up to its whole difference."
    alt_text = (
        f"Waterfalls of {len(falls)} numbers ({listed([fall.heading for fall in falls])}): a bar for what each input "
        f"adds or takes away, from {labels[0]} at the top to {labels[1]} at the bottom. {gist}."
    )
    return Figure("attribution", chart, {"parts": table}, caption, alt_text)


def _key(row: Row) -> tuple[object, ...]:
    return row["quantity"], row["statistic"], row["year"]


def _chosen(rows: Sequence[Row]) -> list[tuple[object, ...]]:
    """Choose the numbers that are drawn: those of the last year and of the thresholds that differ, if any part does."""
    moving = [row for row in rows if row["input"] and abs(float(str(row["part"]))) > 0.0]
    keys = list(dict.fromkeys(_key(row) for row in moving))
    levels = [key for key in keys if key[0] == "effective_compute"]
    crossings = [key for key in keys if str(key[1]).endswith("crossing year")]
    sizes = {_key(row): abs(float(str(row["part"]))) for row in rows if not row["input"]}
    crossings.sort(key=lambda key: -sizes[key])
    return [*levels[-1:], *crossings[: MOST_NUMBERS - 1]]


def shown_parts(rows: Sequence[Row], *, most: int = MOST_PARTS) -> list[tuple[str, float]]:
    """Give the parts of one number, the largest first; small ones are drawn as one, those of 0 not at all.

    Examples
    --------
    >>> shown_parts([{"input": "a", "part": 1.0}, {"input": "b", "part": -3.0}, {"input": "", "part": -2.0}])
    [('b', -3.0), ('a', 1.0)]
    """
    parts = [(str(row["input"]), float(str(row["part"]))) for row in rows if row["input"]]
    moving = sorted((part for part in parts if part[1] != 0.0), key=lambda part: -abs(part[1]))
    if len(moving) <= most:
        return moving
    rest = moving[most - 1 :]
    return [*moving[: most - 1], (f"{len(rest)} other inputs", sum(value for _, value in rest))]


def _fall(whole: Row, parts: Sequence[tuple[str, float]], labels: Sequence[str]) -> Fall:
    unit = str(whole["unit"])
    statistic = str(whole["statistic"])
    heading = f"{whole['label']}, {statistic}" + (f" in {whole['year']:g}" if statistic == "median" else "")
    ends = [float(str(whole[name])) for name in ("before", "after")]
    texts = [f"{power_text(end)} FLOP" if unit == "OOM" else f"{end:.1f}" for end in ends]
    return Fall.of(heading, parts, ends=ends, end_texts=texts, labels=labels, unit=unit)
