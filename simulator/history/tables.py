"""Tables of observed training runs and accelerators: frozen rows, arrays of them, and what was left out."""

from __future__ import annotations

import collections
import datetime as dt
import html
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path as FilePath

import numpy as np
from numpy.typing import NDArray

from simulator.dates import year_of
from simulator.errors import InputError, near_name, shown
from simulator.files import read_csv
from simulator.history.columns import decimal_year
from simulator.runs.result import MOST_LINES
from simulator.runs.table import Row, Table

LOWEST_LOG_FLOP_PER_USD, HIGHEST_LOG_FLOP_PER_USD = 15.3, 18.7
"""A cost outside these bounds does not belong to its run: a revision changed one of the two and not the other."""
SAME = 1e-4
"""OOM within which two figures are one: exports mark rows by trailing digits, as in 5.0000000000001e+26."""
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One training run; what is None is unknown."""

    name: str
    organisation: str
    domains: tuple[str, ...]
    date: dt.date  # of publication
    day_known: bool  # a 1st often stands for the month
    log_flop: float
    log_cost: float | None  # log10 USD
    cost_basis: str  # which cost, in which dollars
    confidence: str
    open_weights: bool | None
    base_model: str  # the run that it continues, whose FLOP its own include; empty where it starts from nothing
    link: str
    stated_rank: int | None = None  # among all runs known at its release, where the table says it

    @property
    def year(self) -> float:
        """Date as a decimal year."""
        return decimal_year(self.date)

    @property
    def cost_consistent(self) -> bool:
        """Whether the cost is known and belongs to the FLOP: 15.3 < log10(FLOP/USD) < 18.7."""
        known = self.log_cost is not None
        return known and LOWEST_LOG_FLOP_PER_USD < self.log_flop - (self.log_cost or 0.0) < HIGHEST_LOG_FLOP_PER_USD


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One accelerator: its speed in 16-bit training, and its price; what is None is unknown."""

    name: str
    manufacturer: str
    date: dt.date
    day_known: bool
    log_flops: float  # log10 FLOP/s, dense
    precision: str  # which figure that is: tensor, FP16 or FP32
    log_price: float | None  # log10 USD
    price_basis: str
    power: float | None  # watts
    link: str

    @property
    def year(self) -> float:
        """Date of release as a decimal year."""
        return decimal_year(self.date)


@dataclass(frozen=True, slots=True)
class Dropped:
    """Rows that were left out for one reason, with the first few of them."""

    reason: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What was read and what was left out."""

    rows_read: int
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()

    def without(self, reason: str, names: Sequence[str]) -> Report:
        """Add rows that were left out for a reason."""
        if not names:
            return self
        shown_names = tuple(" ".join(name.split()) or "(no name)" for name in names[:EXAMPLES])
        return replace(self, dropped=(*self.dropped, Dropped(reason, len(names), shown_names)))


@dataclass(frozen=True, slots=True, repr=False)
class RunHistory:
    """Training runs by date, the snapshot that they come from, and the report of how they were read."""

    file: str
    snapshot: str
    runs: tuple[TrainingRun, ...]
    report: Report

    def __repr__(self) -> str:
        return "\n".join(report_lines(self)[:MOST_LINES])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>{self.table._repr_html_()}"

    @property
    def years(self) -> NDArray[np.float64]:
        """Decimal years (run,)."""
        return np.array([run.year for run in self.runs], dtype=np.float64)

    @property
    def log_flop(self) -> NDArray[np.float64]:
        """Training compute (run,), log10 FLOP."""
        return np.array([run.log_flop for run in self.runs], dtype=np.float64)

    @property
    def log_cost(self) -> NDArray[np.float64]:
        """Cost (run,), log10 USD; NaN where it is unknown or does not belong to the run's FLOP."""
        return np.array([run.log_cost if run.cost_consistent else None for run in self.runs], dtype=np.float64)

    @property
    def table(self) -> Table:
        """The runs in the tidy form, a row each; it can be loaded again."""
        return Table.of_rows(
            {
                "name": run.name,
                "organisation": run.organisation,
                "domain": ", ".join(run.domains),
                "date": run.date.isoformat(),
                "year": round(run.year, 4),
                "day_known": _word(run.day_known),
                "log10_training_flop": round(run.log_flop, 4),
                "log10_cost_usd": None if run.log_cost is None else round(run.log_cost, 4),
                "cost_basis": run.cost_basis,
                "cost_consistent": None if run.log_cost is None else _word(run.cost_consistent),
                "confidence": run.confidence,
                "open_weights": _word(run.open_weights),
                "base_model": run.base_model,
                "rank_at_release": run.stated_rank,
                "link": run.link,
            }
            for run in self.runs
        )


@dataclass(frozen=True, slots=True, repr=False)
class AcceleratorHistory:
    """Accelerators by date, the snapshot that they come from, and the report of how they were read."""

    file: str
    snapshot: str
    accelerators: tuple[Accelerator, ...]
    report: Report

    def __repr__(self) -> str:
        return "\n".join(report_lines(self)[:MOST_LINES])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>{self.table._repr_html_()}"

    @property
    def years(self) -> NDArray[np.float64]:
        """Decimal years (accelerator,)."""
        return np.array([each.year for each in self.accelerators], dtype=np.float64)

    @property
    def log_flops_per_usd(self) -> NDArray[np.float64]:
        """Speed per price (accelerator,), log10 FLOP/s per USD; NaN where the price is unknown."""
        speeds, prices = ([getattr(each, name) for each in self.accelerators] for name in ("log_flops", "log_price"))
        return np.array(speeds, dtype=np.float64) - np.array(prices, dtype=np.float64)

    @property
    def table(self) -> Table:
        """The accelerators in the tidy form, a row each; it can be loaded again."""
        return Table.of_rows(
            {
                "name": each.name,
                "manufacturer": each.manufacturer,
                "date": each.date.isoformat(),
                "year": round(each.year, 4),
                "day_known": _word(each.day_known),
                "log10_flops": round(each.log_flops, 4),
                "precision": each.precision,
                "log10_price_usd": None if each.log_price is None else round(each.log_price, 4),
                "price_basis": each.price_basis,
                "power_w": each.power,
                "link": each.link,
            }
            for each in self.accelerators
        )


def report_lines(history: RunHistory | AcceleratorHistory) -> list[str]:
    """Say what was read, what was left out and why, and what was kept."""
    report = history.report
    lines = [f"{history.file} (snapshot {history.snapshot}): {_counted(report.rows_read, 'row')} read"]
    if isinstance(history, RunHistory):
        lines.append(
            f"  {_counted(len(history.runs), 'training run')} kept, {_span([run.date for run in history.runs])}:"
        )
        lines += [f"    {line}" for line in _about_runs(history.runs)]
    else:
        priced = sum(each.log_price is not None for each in history.accelerators)
        span = _span([each.date for each in history.accelerators])
        lines.append(f"  {_counted(len(history.accelerators), 'accelerator')} kept, {span}: {priced} with a price")
    if report.dropped:
        lines.append(f"  {_counted(sum(each.count for each in report.dropped), 'row')} left out:")
    for each in sorted(report.dropped, key=lambda each: -each.count):
        lines.append(f"    {each.count:,} {each.reason}, e.g. {'; '.join(each.examples)}")
    return lines + [f"  note: {note}" for note in report.notes]


def _about_runs(runs: Sequence[TrainingRun]) -> Iterable[str]:
    known = [run for run in runs if run.log_cost is not None]
    astray = [run for run in known if not run.cost_consistent]
    yield f"{len(known):,} with a cost ({'; '.join(sorted({run.cost_basis for run in known})) or 'none'})"
    if astray:
        names = "; ".join(run.name for run in astray[:EXAMPLES])
        yield f"not used, because the cost cannot belong to the run's FLOP: {len(astray):,}, e.g. {names}"
    if continued := [run for run in runs if run.base_model]:
        names = "; ".join(run.name for run in continued[:EXAMPLES])
        yield f"never of the frontier, because they continue another model: {len(continued):,}, e.g. {names}"
    if firsts := sum(not run.day_known for run in runs):
        yield f"dated on the 1st, where often only the month is known: {firsts:,}"
    yield "confidence: " + ", ".join(
        f"{word} {count:,}" for word, count in collections.Counter(run.confidence for run in runs).most_common()
    )


def _span(dates: Sequence[dt.date]) -> str:
    return f"{dates[0]} to {dates[-1]}" if dates else "none"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _word(flag: bool | None) -> str | None:
    return None if flag is None else "true" if flag else "false"


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
        others = [word for word in header if word not in COLUMNS]
        hints = [hint for name in missing if (hint := near_name(name, others))]
        raise InputError(
            f"{path}: a table of observed runs has the columns date, value and label; "
            f"this one has {', '.join(map(repr, rows[0][1]))} and lacks {', '.join(missing)}."
            + "".join(f" {hint}" for hint in hints)
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
    if not path.is_file():
        what = "is a folder, not a table" if path.is_dir() else "no such file"
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
