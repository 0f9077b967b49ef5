"""Tables of observed values by date, as a person writes them: date, value, label."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from pathlib import Path as FilePath

from simulator.dates import year_of
from simulator.errors import InputError, near_name, shown
from simulator.files import headings, is_there, read_csv
from simulator.runs.table import Row

COLUMNS = ("date", "value", "label")
_MOST_FAULTS = 10


def read_points(path: FilePath | str) -> tuple[Row, ...]:
    """Read a table of observed runs: `date` (ISO, or a decimal year), `value` (no logarithm), `label`.

    Other columns are left unread. Rows are sorted by date.
    """
    rows = _lines(FilePath(path))
    header = [name.strip().lower() for name in rows[0][1]]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        told = ", ".join(map(repr, headings(rows[0][1]))) or "no names of columns"
        others = [word for word in header if word not in COLUMNS]
        hints = [hint for name in missing if (hint := near_name(name, others))]
        raise InputError(
            f"{path}: a table of observed runs has the columns date, value and label, or is one that "
            f"'simulate history load' reads; "
            f"this one has {told} and lacks {', '.join(missing)}." + "".join(f" {hint}" for hint in hints)
        )
    places = [header.index(name) for name in COLUMNS]
    points: list[Row] = []
    faults: list[str] = []
    for line, cells in rows[1:]:
        try:
            points.append(_point([cells[place].strip() if place < len(cells) else "" for place in places]))
        except ValueError as error:
            faults.append(f"{path}:{line}: {error}")
    if faults:
        more = [f"... and {len(faults) - _MOST_FAULTS} more rows"] if len(faults) > _MOST_FAULTS else []
        raise InputError("\n".join([*faults[:_MOST_FAULTS], *more]))
    if not points:
        raise InputError(f"{path}: holds no rows. Write one observed run to a line, as 2023-03-15,2.1e25,GPT-4.")
    return tuple(sorted(points, key=lambda point: (point["date"], point["label"])))


def _lines(path: FilePath) -> list[tuple[int, list[str]]]:
    """Read the rows that are not empty, with the line on which each begins."""
    if not is_there(path) or path.is_dir():
        what = "is a folder, not a table" if is_there(path) else "no such file"
        raise InputError(f"{path}: {what}. Name a CSV file with the columns date, value and label.")
    try:
        rows = read_csv(path)
    except ValueError as error:
        raise InputError(f"{path}: is no CSV table in UTF-8 ({error}). Export it as CSV, UTF-8.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from None
    if not rows:
        raise InputError(f"{path}: is empty. Its first line must name the columns: date,value,label.")
    return rows


def _point(cells: list[str]) -> Row:
    date, value, label = cells
    if not label:
        raise ValueError("label: must be a text; got nothing. It is written beside the dot.")
    return {"date": _date(date), "value": _value(value), "label": " ".join(label.split())}


def _value(text: str) -> float:
    try:
        value = float(text.replace("_", ""))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(
            f"value: must be a number such as 2.1e25; got {shown(text or None)}. "
            "Write the plain number, without unit, thousands commas or logarithm."
        )
    return value


def _date(text: str) -> float:
    """Read a date as a decimal year; a month stands for its first day."""
    if re.fullmatch(r"[12]\d{3}(\.\d*)?", text):
        return float(text)
    try:
        if re.fullmatch(r"\d{4}-\d{2}", text):
            return round(year_of(datetime.fromisoformat(f"{text}-01").replace(tzinfo=UTC)), 6)
        return round(year_of(datetime.fromisoformat(text[:10]).replace(tzinfo=UTC)), 6)
    except ValueError:
        raise ValueError(
            f"date: must be as 2023-03-15, 2023-03 or 2023.2; got {shown(text or None)}. "
            "Day and month in another order would be read as another day."
        ) from None
