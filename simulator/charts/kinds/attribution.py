"""The figure of an attribution: from one scenario's number to the other's, input by input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.analysis.attribution import Attribution
from simulator.charts import style
from simulator.charts.layout import RECT, Marks, PixelScale, rule_mark
from simulator.charts.spec import Figure, Head
from simulator.errors import InputError
from simulator.runs.table import Row, Table
from simulator.wording import capital, cut_front, listed, power_text, signed

NAME_WIDTH = 340.0
PLOT_WIDTH = 430.0
WIDTH = NAME_WIDTH + PLOT_WIDTH + 130
STEP = 23.0
HEADING = 34.0
GAP = 22.0
NAME_CHARACTERS = 48
MOST_PARTS = 8
MOST_NUMBERS = 4


@dataclass(frozen=True, slots=True)
class Fall:
    """One waterfall: its heading, its two ends and how they are written, and what each input adds, in order."""

    heading: str
    unit: str
    ends: tuple[float, float]
    end_texts: tuple[str, str]
    parts: Sequence[tuple[str, float]]

    @classmethod
    def of(cls, own: Table) -> Fall:
        """Take the waterfall of one number from its rows: those of its parts, and of the whole, which has no input."""
        whole: Row = own.where(input="").rows()[0]
        median = f" in {whole['year']:g}" if whole["statistic"] == "median" else ""
        before, after = whole["before"], whole["after"]
        texts = [f"{power_text(end)} FLOP" if whole["unit"] == "OOM" else f"{end:.1f}" for end in (before, after)]
        heading = f"{whole['label']}, {whole['statistic']}{median}"
        return cls(heading, whole["unit"], (before, after), (texts[0], texts[1]), shown_parts(own))

    def written(self, value: float) -> str:
        """Write what an input adds."""
        return f"{signed(value)} {self.unit}"


def _draw(fall: Fall, marks: Marks, labels: Sequence[str], top: float) -> float:
    """Add one waterfall that begins at a pixel; give where it ends."""
    levels = [fall.ends[0]]
    for _, value in fall.parts:
        levels.append(levels[-1] + value)
    low, high = min(*levels, fall.ends[1]), max(*levels, fall.ends[1])
    x = PixelScale(low, high if high > low else low + 1.0, NAME_WIDTH + 20, NAME_WIDTH + PLOT_WIDTH - 20)

    def end(place: int, y: float) -> None:
        at = x(fall.ends[place])
        marks.box("bars", (at - 2.5, at + 2.5), (y - 9, y + 9), color=style.INK)
        marks.text(labels[place], 0, y, bold=True)
        marks.text(fall.end_texts[place], at + 10, y, bold=True)

    marks.text(fall.heading, 0, top + 10, bold=True)
    marks.box("rules", (0, WIDTH), (top + 22, top + 22))
    y = top + HEADING + STEP / 2
    end(0, y)
    for (name, value), start, stop in zip(fall.parts, levels[:-1], levels[1:], strict=True):
        marks.box("links", (x(start), x(start)), (y, y + STEP))
        y += STEP
        left, right = sorted((x(start), x(stop)))
        color = style.BLUE if value > 0 else style.ORANGE
        marks.box("bars", (left, max(right, left + 1)), (y - 7, y + 7), color=color)
        marks.text(cut_front(name, width=NAME_CHARACTERS), 0, y)
        marks.text(fall.written(value), right + 8, y, style.QUIET)
    marks.box("links", (x(fall.ends[1]), x(fall.ends[1])), (y, y + STEP))
    end(1, y + STEP)
    return y + STEP * 1.5


def attribution_figures(found: Attribution) -> list[Figure]:
    """Draw how the parts of headline numbers add up: effective compute in the last year, then crossing years.

    Nothing is drawn where nothing differs; where no headline number does, it is refused.
    """
    table, labels, note = found.table, found.scenarios, found.label
    if not any(row["input"] and row["part"] for row in table.rows()):
        return []
    numbers = dict(table.groups("quantity", "statistic", "year"))
    falls = [Fall.of(numbers[key]) for key in _chosen(numbers)]
    if not falls:
        raise InputError(f"attribution: no headline number of {labels[1]} differs from that of {labels[0]}.")
    first = falls[0]
    name, largest = max(first.parts, key=lambda part: abs(part[1]))
    gist = capital(
        f"{first.heading}: {first.end_texts[0]} in {labels[0]}, {first.end_texts[1]} in {labels[1]}; the largest part, "
        f"{first.written(largest)}, is due to {name}"
    )
    head = Head(f"What makes {labels[1]} differ from {labels[0]}", f"{gist}.", [note])
    marks, top = Marks(rules=rule_mark(), bars=RECT, links=rule_mark(style.QUIET)), 0.0
    for fall in falls:
        top = _draw(fall, marks, labels, top) + GAP
    chart = marks.sheet(head, width=WIDTH, height=top)
    caption = f"{gist}. {note} The parts of each number add up to its whole difference."
    alt_text = (
        f"Waterfalls of {len(falls)} numbers ({listed([fall.heading for fall in falls])}): a bar for what each input "
        f"adds or takes away, from {labels[0]} at the top to {labels[1]} at the bottom. {gist}."
    )
    drawn = [
        {"number": fall.heading, "input": name, "part": value, "unit": fall.unit}
        for fall in falls
        for name, value in fall.parts
    ]
    return [Figure("attribution", chart, {"parts": Table.of_rows(drawn)}, caption, alt_text)]


def _chosen(numbers: Mapping[tuple[Any, ...], Table]) -> list[tuple[Any, ...]]:
    """Choose the numbers that are drawn: those of the last year and of the thresholds that differ, if any part does."""
    moving = [key for key, own in numbers.items() if own.where(own["input"] != "")["part"].any()]
    crossings = [key for key in moving if key[1].endswith("crossing year")]
    levels = [key for key in moving if key[1] == "median"]
    crossings.sort(key=lambda key: -abs(numbers[key].where(input="")["part"][0]))
    return [*levels[-1:], *crossings[: MOST_NUMBERS - 1]]


def shown_parts(own: Table, *, most: int = MOST_PARTS) -> list[tuple[str, float]]:
    """Give the parts of one number, the largest first; small ones are drawn as one, those of 0 not at all.

    >>> shown_parts(Table({"input": ["a", "b", ""], "part": [1.0, -3.0, -2.0]}))
    [('b', -3.0), ('a', 1.0)]
    """
    parts = own.where((own["input"] != "") & (own["part"] != 0.0)).rows()
    moving = sorted(((row["input"], row["part"]) for row in parts), key=lambda part: -abs(part[1]))
    if len(moving) <= most:
        return moving
    rest = moving[most - 1 :]
    return [*moving[: most - 1], (f"{len(rest)} other inputs", sum(value for _, value in rest))]
