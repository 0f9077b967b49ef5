"""Exported tables as they come: a column by any of its names, a cell by any of its spellings.

And tables of observed values by date, as a person writes them: date, value, label.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Literal

from simulator.dates import DateError, date_of, last_day_of, year_of
from simulator.errors import InputError, Place, PlacedFault, near_name, shown
from simulator.files import CsvError, headings, is_there, read_bytes, read_csv, unchecked_rows
from simulator.runs.table import Row
from simulator.schema.base import LARGEST_LOG
from simulator.wording import harmful

PUBLIC_PAGE = "https://epoch.ai/data"

RUN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("Model", "System", "Name", "label"),
    "date": ("Publication date", "publication_date", "Date"),
    "flop": ("Training compute (FLOP)", "training_flop", "log10_training_flop", "value"),
    "at_least": ("training_flop_at_least", "log10_training_flop_at_least"),
    "organisation": ("Organization", "Organisation"),
    "domain": ("Domain",),
    "day_known": ("day_known",),
    "cost": (
        "Training compute cost (2023 USD)", "Training cost (2023 USD)", "Training compute cost (2020 USD)",
        "cost_usd", "cost_usd_2023_amortized", "log10_cost_usd",
    ),
    "cost_basis": ("cost_basis",),
    "confidence": ("Confidence",),
    "open_weights": ("Model accessibility", "Open model weights?", "open_weights"),
    "base_model": ("Base model", "base_model"),
    "link": ("Link", "source"),
    "rank": ("rank_at_release",),
}  # fmt: skip
"""Names under which each column of a table of training runs is published; the first that is there counts."""

ACCELERATOR_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("Hardware name", "Name of the hardware", "Name"),
    "date": ("Release date", "release_date", "Date"),
    "tensor": ("Tensor-FP16/BF16 performance (FLOP/s)", "flops_16bit", "peak_fp16_bf16_dense_flops", "log10_flops"),
    "fp16": ("FP16 (half precision) performance (FLOP/s)", "FP16 performance (FLOP/s)"),
    "fp32": ("FP32 (single precision) performance (FLOP/s)", "flops_fp32", "peak_fp32_flops"),
    "manufacturer": ("Manufacturer",),
    "day_known": ("day_known",),
    "price": ("Release price (USD)", "price_usd", "launch_price_usd", "log10_price_usd"),
    "price_basis": ("price_basis",),
    "power": ("TDP (W)", "power_w", "tdp_w"),
    "precision": ("precision",),
    "used": ("ML hardware",),
    "link": ("Link to datasheet", "Link", "source"),
}

PRICE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("Hardware model", "Hardware name"),
    "date": ("Price date",),
    "price": ("Price (hardware purchase)",),
}

DateOrder = Literal["year-month-day", "day-month-year", "month-day-year"]

_ISO = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:[T ].*)?")
_OTHER = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")
_NUMBER = re.compile(r"[-+]?(\d{1,3}(,\d{3})+(\.\d*)?|(\d+|(?=\.\d))(\.\d*)?(e[-+]?\d+)?)", re.IGNORECASE)
"""Thousands are parted by commas in no number with an exponent: in `4,640E+26` the comma is a decimal one."""
_UNKNOWN = {"", "nan", "none", "null", "n/a", "na", "-", "#n/a"}
_TRUE, _FALSE = {"true", "checked", "yes", "1"}, {"false", "unchecked", "no", "0"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a table, by what their columns mean."""

    file: str
    found: Mapping[str, str]  # the name under which each column that is there was found
    rows: tuple[Mapping[str, str], ...]  # cells by meaning; a column that is not there gives empty text
    ragged: tuple[int, ...]  # lines with more cells than the header has columns, which are not among the rows

    def log10(self, cells: Mapping[str, str], meaning: str) -> float | None:
        """Read a positive number of a row as its log10; a column named log10_... holds it already."""
        cell = cells[meaning]
        if not self.found.get(meaning, "").startswith("log10_"):
            number = cell_number(cell)
            return None if number is None else math.log10(number)
        try:
            value = float(cell)
        except ValueError:
            return None
        return value if abs(value) <= LARGEST_LOG else None

    def misread(self, cells: Mapping[str, str], meaning: str) -> bool:
        """Tell whether a cell holds a number that is not read: neither blank nor a word, nor 0, which is unknown."""
        return self.log10(cells, meaning) is None and bool(re.search("[1-9]", cell_text(cells[meaning])))


def refusal(place: FilePath | str, rule: str, remedy: str) -> InputError:
    """Write the error for a table that cannot be used: where, which rule, what to do."""
    return InputError(str(PlacedFault(Place(str(place)), "", rule, remedy)))


def read_sheet(
    path: FilePath | str, *, columns: Mapping[str, tuple[str, ...]], needed: Iterable[tuple[str, ...]], what: str
) -> Sheet:
    """Read a CSV table, finding each column under any of its published names."""
    (_, heads), *filled = _rows_of(path)
    header = _plain(heads)
    spelled = {name.lower(): index for index, name in reversed(list(enumerate(header)))}
    named = {meaning: [name.lower() for name in names if name.lower() in spelled] for meaning, names in columns.items()}
    places = {meaning: spelled[names[0]] for meaning, names in named.items() if names}
    missing = [
        tuple(name for meaning in group for name in columns[meaning]) for group in needed if not places.keys() & group
    ]
    if missing:
        raise _columns_missing(path, header=header, missing=missing, what=what)
    told = tuple(
        {meaning: row[at] if (at := places.get(meaning, len(row))) < len(row) else "" for meaning in columns}
        for _, row in filled
        if len(row) <= len(header)
    )
    _refuse_harmful(path, filled, places.values())
    _refuse_twice(path, header, filled, places.values())
    if not filled:
        raise refusal(path, "has a header and no rows.", f"Export {what} again; see {PUBLIC_PAGE}.")
    ragged = tuple(line for line, row in filled if len(row) > len(header))
    return Sheet(str(path), {meaning: header[at] for meaning, at in places.items()}, told, ragged)


def _refuse_harmful(path: FilePath | str, rows: Iterable[tuple[int, list[str]]], used: Collection[int]) -> None:
    """Refuse a control character in a cell that is used; in others public exports do hold some."""
    for line, row in rows:
        for at in used:
            if at < len(row) and (character := harmful(row[at])[1]):
                rule = f"is no CSV text: it holds the control character {character}."
                raise refusal(f"{path}:{line}", rule, "Remove it.")


def _refuse_twice(
    path: FilePath | str, header: Sequence[str], rows: Sequence[tuple[int, list[str]]], used: Collection[int]
) -> None:
    """Refuse a column that is used and stands twice, with different cells."""
    for at in used:
        for other in (place for place, name in enumerate(header) if place > at and name.lower() == header[at].lower()):
            line = next((line for line, row in rows if row[at : at + 1] != row[other : other + 1]), None)
            if line is not None:
                rule = f"has two columns '{header[at]}', which differ on line {line}."
                raise refusal(path, rule, "Keep one of them.")


def headings_of(path: FilePath | str) -> list[str]:
    """Read the names of the columns of a CSV table."""
    return _plain(_rows_of(path)[0][1])


def _plain(heads: Iterable[str]) -> list[str]:
    return [" ".join(name.split()) for name in heads]


def _rows_of(path: FilePath | str) -> list[tuple[int, list[str]]]:
    """Read the rows of a CSV table that are not blank, the header first, each with the line on which it begins."""
    try:
        rows = unchecked_rows(_text_of(path))
    except CsvError as error:
        rule = f"is no CSV text: {error}."
        remedy = "A quote may be open, or columns parted by another mark than a comma; export the table again."
        raise refusal(f"{path}:{error.line}", rule, remedy) from None
    if not rows:
        raise refusal(path, "is empty.", f"Download the export again from {PUBLIC_PAGE}.")
    return rows


def _text_of(path: FilePath | str) -> str:
    if str(path).startswith(("http://", "https://")):
        raise refusal(path, "is an address, not a file.", "Nothing is fetched: download the table and name the file.")
    try:
        content = read_bytes(FilePath(path))
    except IsADirectoryError:
        raise refusal(path, "is a directory, not a file.", "Name the .csv file in it.") from None
    except FileNotFoundError:
        raise refusal(path, "no such file.", f"Download an export from {PUBLIC_PAGE} and name the file.") from None
    except OSError as error:
        raise refusal(path, f"cannot be read: {error.strerror or error}.", "Check its permissions.") from None
    if b"\0" in content or content.startswith(b"PK\x03\x04"):
        raise refusal(path, "is no CSV text: it holds binary data.", "Unpack it, or save the sheet as CSV (UTF-8).")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise refusal(f"{path}:{line}", "is not in UTF-8.", "Save the sheet as 'CSV UTF-8'.") from None


def _columns_missing(
    path: FilePath | str, *, header: list[str], missing: list[tuple[str, ...]], what: str
) -> InputError:
    wanted = "; ".join(" or ".join(f"'{name}'" for name in names[:3]) for names in missing)
    shortened = [f"'{name}'" if len(name) <= 60 else f"'{name[:57]}...'" for name in header]
    more = f" and {len(header) - 12} more" if len(header) > 12 else ""
    remedy = f"It has {', '.join(shortened[:12])}{more}.\n" if headings(header) else ""
    if len(header) == 1 and (found := next((mark for mark in (";", "\t", "|") if mark in header[0]), "")):
        mark = "tabs" if found == "\t" else f"'{found}'"
        remedy += f"Its columns are parted by {mark}: save it with commas, and with points in numbers."
    else:
        remedy += f"Name a table of {what}: an export from {PUBLIC_PAGE}, or one with the columns above."
    return refusal(path, f"is no table of {what}: it lacks {wanted}.", remedy)


def cell_text(cell: str) -> str:
    """Read text on one line, without blanks at the ends; what means unknown is empty."""
    text = " ".join(cell.split())
    return "" if text.lower() in _UNKNOWN else text


def cell_list(cell: str) -> tuple[str, ...]:
    """Read a comma list, each item once."""
    return tuple(dict.fromkeys(filter(None, (cell_text(part) for part in cell.split(",")))))


def cell_number(cell: str) -> float | None:
    """Read a positive number, with or without a dollar sign; zero, infinity and what is no number are unknown.

    A comma parts thousands and nothing else, so that `7,80E+24` is unknown and not a hundred times too large.
    """
    text = cell_text(cell).removeprefix("$").strip()
    value = float(text.replace(",", "")) if _NUMBER.fullmatch(text) else math.inf
    return value if 0 < value < math.inf else None


def cell_flag(cell: str) -> bool | None:
    """Read yes or no as a spreadsheet, a database or a person writes them."""
    text = cell_text(cell).lower()
    return True if text in _TRUE else False if text in _FALSE else None


def date_order(cells: Iterable[str], *, file: str) -> DateOrder:
    """Tell in which order a column writes its dates, from the dates that allow one order only.

    Dates that are not ISO come from a spreadsheet: DD-MM-YYYY where nothing speaks against it.
    """
    others = [match for cell in cells if (match := _OTHER.fullmatch(cell.strip()))]
    if not others:
        return "year-month-day"
    day_first = [match[0] for match in others if int(match[1]) > 12]
    month_first = [match[0] for match in others if int(match[3]) > 12]
    if day_first and month_first:
        rule = f"writes dates in two orders: '{day_first[0]}' and '{month_first[0]}'."
        raise refusal(file, rule, "Save the dates as YYYY-MM-DD.")
    slashed = next((match[0] for match in others if match[2] == "/"), "")
    if not day_first and not month_first and slashed:
        rule = f"dates such as '{slashed}' do not say which number is the day."
        raise refusal(file, rule, "Save the dates as YYYY-MM-DD.")
    return "month-day-year" if month_first else "day-month-year"


def cell_date(cell: str, *, order: DateOrder) -> tuple[dt.date, bool] | None:
    """Read a date, and whether its day is known: a 1st often stands for a month of which no more is known."""
    text = cell.strip()
    if match := _ISO.fullmatch(text):
        year, month, day = int(match[1]), int(match[2]), int(match[3] or 1)
    elif match := _OTHER.fullmatch(text):
        year, month, day = int(match[4]), int(match[3]), int(match[1])
        if order == "month-day-year":
            month, day = day, month
    else:
        return None
    try:
        return dt.date(year, month, day), day != 1
    except ValueError:
        return None


def last_day(text: str, *, entry: str) -> dt.date:
    """Read a date in any form as the last day that it covers."""
    try:
        return last_day_of(text)
    except DateError as error:
        raise refusal(entry, error.rule, error.remedy) from None


def known_words(date: float) -> str:
    """Say the last day that has passed at a decimal year: the end of 2025, 2026-05-31.

    >>> known_words(2026.0), known_words(decimal_year(dt.date(2026, 6, 1)))
    ('the end of 2025', '2026-05-31')
    """
    if date == math.floor(date):
        return f"the end of {math.floor(date) - 1}"
    return (date_of(date + 1e-6).date() - dt.timedelta(days=1)).isoformat()


def fit_date(fitted: Mapping[Any, Any]) -> float:
    """Read the decimal year to which the data of a fit go from its attributes; older ones name a whole year."""
    return float(fitted["known_to"]) if "known_to" in fitted else float(fitted["origin"]) + 1.0


def decimal_year(date: dt.date) -> float:
    """Write a date as a decimal year: the share of the year that has passed when the day begins."""
    return year_of(dt.datetime(date.year, date.month, date.day, tzinfo=dt.UTC))


POINT_COLUMNS = ("date", "value", "label")
_MOST_FAULTS = 10


def read_points(path: FilePath | str) -> tuple[Row, ...]:
    """Read a table of observed runs: `date` (ISO, or a decimal year), `value` (no logarithm), `label`.

    Other columns are left unread. Rows are sorted by date.
    """
    rows = _lines(FilePath(path))
    header = [name.strip().lower() for name in rows[0][1]]
    missing = [name for name in POINT_COLUMNS if name not in header]
    if missing:
        told = ", ".join(map(repr, headings(rows[0][1]))) or "no names of columns"
        others = [word for word in header if word not in POINT_COLUMNS]
        hints = [hint for name in missing if (hint := near_name(name, others))]
        raise InputError(
            f"{path}: a table of observed runs has the columns date, value and label, or is one that "
            f"'simulate history load' reads; "
            f"this one has {told} and lacks {', '.join(missing)}." + "".join(f" {hint}" for hint in hints)
        )
    if twice := [name for name in POINT_COLUMNS if header.count(name) > 1]:
        raise InputError(f"{path}:{rows[0][0]}: has two columns '{twice[0]}'. Keep one of them.")
    places = [header.index(name) for name in POINT_COLUMNS]
    points: list[Row] = []
    faults: list[str] = []
    for line, cells in rows[1:]:
        try:
            if more := _more_cells(cells, header):
                raise ValueError(more)
            points.append(_point([cells[place].strip() if place < len(cells) else "" for place in places]))
        except ValueError as error:
            faults.append(f"{path}:{line}: {error}")
    if faults:
        others = [f"... and {len(faults) - _MOST_FAULTS} more rows"] if len(faults) > _MOST_FAULTS else []
        raise InputError("\n".join([*faults[:_MOST_FAULTS], *others]))
    if not points:
        raise InputError(f"{path}: holds no rows. Write one observed run to a line, as 2023-03-15,2.1e25,GPT-4.")
    return tuple(sorted(points, key=lambda point: (point["date"], point["label"])))


def read_series(path: FilePath | str, *, until: dt.date) -> tuple[tuple[Row, ...], list[str]]:
    """Read positive values by date as `read_points` does, up to a day, and say how many are of a later one."""
    every, end = read_points(path), decimal_year(until + dt.timedelta(1))
    points = tuple(point for point in every if point["date"] < end)
    if low := next((point for point in points if point["value"] <= 0), None):
        rule = f"holds {low['value']:g} ({low['label']}), and growth is of positive values."
        raise refusal(path, rule, "Leave out what is unknown.")
    later = len(every) - len(points)
    name = FilePath(path).name
    said = f"{later} of the {len(every)} values of {name} are of a day after {until}, and left out."
    return points, [said] if later else []


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


def _more_cells(cells: Sequence[str], header: Sequence[str]) -> str:
    """Say that a row has cells beyond its columns, which a comma within a number makes; empty where it has none."""
    if not any(cell.strip() for cell in cells[len(header) :]):
        return ""
    rule = f"has {len(cells)} cells, and the first line names {len(header)} columns."
    return f"{rule} A decimal point is a point; a text with a comma stands in quotes."


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
            text = f"{text}-01"
        return round(decimal_year(dt.datetime.fromisoformat(text).date()), 6)
    except ValueError:
        raise ValueError(
            f"date: must be as 2023-03-15, 2023-03 or 2023.2; got {shown(text or None)}. "
            "Day and month in another order would be read as another day."
        ) from None
