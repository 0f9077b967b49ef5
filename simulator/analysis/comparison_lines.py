"""What a comparison says in lines: inputs that differ, then results of each run against the first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from simulator.analysis.attribution import MEDIAN_YEAR
from simulator.runs.table import Row, Table
from simulator.units import plain_unit
from simulator.wording import cut, power_text, share_text

NEVER = "probability of no crossing"
SAME = "no difference"
LINE_WIDTH = 120


def compared_lines(inputs: Table, results: Table, samples: Mapping[str, int], *, most: int) -> list[str]:
    """Say inputs first, then results, each run against the first; what does not fit in `most` lines is counted.

    `samples` of each run by its label; 1 of one whose samples are alike.
    """
    labels = list(samples)
    numbers = [row for row in inputs.rows() if row["kind"] == "number"]
    beside = [row["path"] for row in inputs.rows() if row["kind"] != "number"]
    said = [_input_line(row, labels) for row in numbers] or ["  nothing that the results depend on"]
    lines = [f"inputs that differ ({', '.join(labels)}):"]
    lines += _shortened(said, room=max(3, most // 3), table="inputs.csv")
    if beside:
        lines.append(cut(f"  and, beside what the model computes with: {', '.join(beside)}", width=LINE_WIDTH))
    others = len(labels) - 1
    room = max(1, max(others, most - len(lines) - 1) // others - 1)
    by_run: dict[str, list[Row]] = {label: [] for label in labels}
    for row in results.rows():
        by_run[row["run"]].append(row)
    (_, first), *rest = by_run.items()
    for label, own in rest:
        draws = " (on common draws)" if {row["draws"] for row in own} - {""} == {"common"} else ""
        lines.append(f"{label} against {labels[0]}{draws}:")
        lines += _shortened(
            _result_lines(first, own, samples[label]) or ["  no result in common"], room=room, table="results.csv"
        )
    return lines


def _shortened(lines: Sequence[str], *, room: int, table: str) -> list[str]:
    if len(lines) <= room:
        return list(lines)
    kept = max(1, room - 1)
    return [*lines[:kept], f"  ... and {len(lines) - kept} more in {table}"]


def _input_line(row: Row, labels: Sequence[str]) -> str:
    """Write an entry with its values; equal ones once, where there are many runs."""
    parts = [str(row[label]) for label in labels]
    many = len(parts) > 2
    if many:
        holders = {value: [label for label in labels if str(row[label]) == value] for value in parts}
        parts = [f"{value} ({', '.join(names)})" for value, names in holders.items()]
    room = max(16, (LINE_WIDTH - len(row["path"]) - 4) // len(parts) - 4)
    short = (" | " if many else " -> ").join(cut(part, width=room) for part in parts)
    return cut(f"  {row['path']}: {short}", width=LINE_WIDTH)


def _result_lines(first: Sequence[Row], own: Sequence[Row], samples: int) -> list[str]:
    """Write a line per median level and per threshold, those that tell most first: the latest year, then crossings."""
    before = {_key(row): row for row in first}
    never = {row["quantity"]: row for row in own if row["statistic"] == NEVER}
    lines: list[tuple[int, float, str]] = []
    for row in own:
        one = before[_key(row)]
        note = "" if row["draws"] != "independent" else ", independent errors"
        if row["statistic"] == "median":
            text = f"  {row['year']:g}  {row['label']}: {_level(one)} -> {_level(row)} ({row['said']}{note})"
            lines.append((0 if row["quantity"] == "effective_compute" else 3, -row["year"], text))
        elif row["statistic"] == MEDIAN_YEAR:
            crossing = row["said"]
            if row["difference"] is not None:
                crossing = f"{one['value']:.1f} -> {row['value']:.1f} ({row['said']})"
            text = f"  {row['label']}: {crossing}{note}"
            if last := never.get(row["quantity"]):
                share = share_text(last["value"], math.nan, samples) if samples > 1 else f"{100 * last['value']:.0f} %"
                text += f"; not by {last['year']:g}: {share} ({last['said']})"
            lines.append((2 if text.count(SAME) == 2 else 1, 0.0, text))
    return [text for *_, text in sorted(lines, key=lambda line: line[:2])]


def _key(row: Row) -> tuple[object, ...]:
    return row["quantity"], row["statistic"], row["year"]


def _level(row: Row) -> str:
    """Write a level as a power of ten with its unit, and the value of a metric as it is."""
    if not row["unit"].startswith("log10("):
        return f"{row['value']:.4g}"
    return f"{power_text(row['value'])} {plain_unit(row['unit'])}".removesuffix(" 1")
