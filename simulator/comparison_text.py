"""A comparison of runs in words, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.comparison import MEDIAN_YEAR, NEVER, SAME, Comparison, Row
from simulator.words import cut, power_text

MOST_LINES = 25
LINE_WIDTH = 120


def comparison_lines(comparison: Comparison, *, most: int = MOST_LINES) -> list[str]:
    """Say what differs between runs: inputs first, then results, each run against the first.

    Parameters
    ----------
    comparison : Comparison
    most : int
        Lines that are wanted at most; what does not fit is counted and named by its table.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> from simulator.comparison import compare_results
    >>> run = simulate(load_scenario("baseline", overrides=["samples=2048"]))
    >>> comparison_lines(compare_results([run, run], labels=["a", "b"]))[1]
    '  nothing that the results depend on'
    """
    labels = comparison.labels
    numbers = [row for row in comparison.inputs if row["kind"] == "number"]
    others = [str(row["path"]) for row in comparison.inputs if row["kind"] != "number"]
    lines = [f"inputs that differ ({', '.join(labels)}):"]
    said = [_input_line(row, labels) for row in numbers] or ["  nothing that the results depend on"]
    lines += _shortened(said, room=max(3, most // 3), table="inputs.csv")
    if others:
        lines.append(cut(f"  and, beside what the model computes with: {', '.join(others)}", width=LINE_WIDTH))
    results = list(_result_lines(comparison.results, labels[1:]))
    room = max(len(labels) - 1, most - len(lines) - 1)
    share = max(1, room // (len(labels) - 1) - 1)
    for label in labels[1:]:
        own = [line for name, line in results if name == label]
        lines.append(f"{label} against {labels[0]}{_draws(comparison.results, label)}:")
        lines += _shortened(own or ["  no result in common"], room=share, table="results.csv")
    return lines


def _shortened(lines: Sequence[str], *, room: int, table: str) -> list[str]:
    if len(lines) <= room:
        return list(lines)
    kept = max(1, room - 1)
    return [*lines[:kept], f"  ... and {len(lines) - kept} more in {table}"]


def _input_line(row: Row, labels: Sequence[str]) -> str:
    """Write an entry with its values; equal ones once, where there are many runs."""
    values = [str(row[label]) for label in labels]
    if len(values) > 2:
        holders = {
            value: [label for label, own in zip(labels, values, strict=True) if own == value] for value in values
        }
        parts = [f"{value} ({', '.join(names)})" for value, names in holders.items()]
    else:
        parts = values
    room = max(16, (LINE_WIDTH - len(str(row["path"])) - 4) // len(parts) - 4)
    short = [cut(part, width=room) for part in parts]
    return cut(f"  {row['path']}: {(' | ' if len(values) > 2 else ' -> ').join(short)}", width=LINE_WIDTH)


def _draws(results: Sequence[Row], label: str) -> str:
    kinds = {row["draws"] for row in results if row["run"] == label} - {""}
    return " (on common draws)" if kinds == {"common"} else ""


def _result_lines(results: Sequence[Row], labels: Sequence[str]) -> list[tuple[str, str]]:
    """Write a line per median level and per threshold, those that tell most first: the latest year, then crossings."""
    first = {_key(row): row for row in results if row["said"] == ""}
    lines: list[tuple[int, float, str, str]] = []
    for row in results:
        if row["run"] not in labels or row["said"] == "":
            continue
        one = first[_key(row)]
        note = "" if row["draws"] != "independent" else ", independent errors"
        if row["statistic"] == "median":
            a, b = (_level(item) for item in (one, row))
            text = f"  {row['year']:g}  {row['label']}: {a} -> {b} ({row['said']}{note})"
            rank = 0 if row["quantity"] == "effective_compute" else 3
            lines.append((rank, -float(str(row["year"])), str(row["run"]), text))
        elif row["statistic"] == MEDIAN_YEAR:
            never = _of_threshold(results, row)
            text = f"  {row['label']}: {_crossing(one, row)}{note}{never}"
            lines.append((2 if text.count(SAME) == 2 else 1, 0.0, str(row["run"]), text))
    return [(run, text) for *_, run, text in sorted(lines, key=lambda line: line[:2])]


def _key(row: Row) -> tuple[object, ...]:
    return row["quantity"], row["statistic"], row["year"]


def _level(row: Row) -> str:
    value, unit = float(str(row["value"])), str(row["unit"])
    if not unit.startswith("log10("):
        return f"{value:.4g}"
    name = unit.removeprefix("log10(").removesuffix(")")
    return f"{power_text(value)} {name}" if name != "1" else power_text(value)


def _crossing(first: Row, row: Row) -> str:
    if row["difference"] is None:
        return str(row["said"])
    return f"{float(str(first['value'])):.1f} -> {float(str(row['value'])):.1f} ({row['said']})"


def _of_threshold(results: Sequence[Row], crossing: Row) -> str:
    """Add the probability that a threshold is not crossed by the last common year."""
    for row in results:
        if row["quantity"] == crossing["quantity"] and row["run"] == crossing["run"] and row["statistic"] == NEVER:
            share = 100 * float(str(row["value"]))
            return f"; not by {row['year']:g}: {share:.1f} % ({row['said']})"
    return ""
