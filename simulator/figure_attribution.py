"""The figure of an attribution: from one scenario's number to the other's, input by input."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.chart_waterfall import Fall, draw_waterfalls
from simulator.errors import InputError
from simulator.figure import Figure, Row
from simulator.words import listed, power_text

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
