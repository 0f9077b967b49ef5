"""Loading observed training runs and accelerators from public tables: cleaned, counted, and what was dropped said."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath

from simulator.errors import InputError, shown
from simulator.history import columns as sheets
from simulator.history.columns import ACCELERATOR_COLUMNS, PRICE_COLUMNS, RUN_COLUMNS, cell_flag, cell_list, cell_text
from simulator.history.tables import (
    EXAMPLES,
    IS_LOG,
    NO_DATE,
    NO_FLOP,
    OTHER_VALUE,
    RAGGED,
    SAME,
    TWICE,
    Accelerator,
    AcceleratorHistory,
    HiddenRun,
    Report,
    RunHistory,
    TrainingRun,
)
from simulator.scenario.library import shipped_file

FEWEST_LOG_FLOP, MODERN = 6.0, 2000
"""What no training run since that year has less of in FLOP, and no accelerator in FLOP/s, as log10: a smaller number
is a logarithm itself."""
_HARDWARE = (("name",), ("date",), ("tensor", "fp16", "fp32"))

type Cells = Mapping[str, str]
"""The cells of a row by what their columns mean."""


@dataclass
class Reading:
    """A table that is being read: how it writes its dates, the day of its snapshot, and what is left out of it."""

    sheet: sheets.Sheet
    order: sheets.DateOrder
    known_to: dt.date
    left_out: dict[str, list[str]] = field(default_factory=dict)
    misread: dict[str, list[str]] = field(default_factory=dict)
    """Cells that hold a number which is not read, with their rows, by the column."""

    def drop(self, reason: str, name: str) -> None:
        self.left_out.setdefault(reason, []).append(name)

    def amount(self, cells: Cells, meaning: str) -> float | None:
        """Read a positive number as its log10; None where it is unknown, which is noted of what is written."""
        if self.sheet.misread(cells, meaning):
            told = f"{cell_text(cells['name'])} ({shown(cells[meaning])})"
            self.misread.setdefault(self.sheet.found[meaning], []).append(told)
        return self.sheet.log10(cells, meaning)

    def dated(self, cells: Cells, fault: str, told: str = "") -> tuple[dt.date, bool] | None:
        """Read the date of a row and whether its day is known; None where the row has no name, no date or a fault."""
        name, dated = cell_text(cells["name"]), sheets.cell_date(cells["date"], order=self.order)
        if not name:
            self.drop("no name", f"of {cells['date'] or 'no date'}")
        elif fault:
            self.drop(fault, f"{name}{told}")
        elif dated is None:
            self.drop(NO_DATE, f"{name} ({shown(cells['date'])})")
        else:
            stated = cell_flag(cells["day_known"])
            return dated if stated is None else (dated[0], stated)
        return None

    def report(self, dates: Sequence[dt.date], notes: Iterable[str], *, of: str) -> Report:
        """Say what was left out, and what is odd of the rest; refuse a table of which nothing is left."""
        said = []
        if self.order != "year-month-day":
            said.append(f"dates are written {self.order}, as spreadsheets do; numbers may be rounded.")
        if late := sum(date > self.known_to for date in dates):
            said.append(f"{late} of {len(dates)} came after the snapshot's date {self.known_to}: is that date right?")
        for column, cells in self.misread.items():
            some = "; ".join(cells[:EXAMPLES])
            said.append(f"'{column}' is no positive number, and unknown, in {len(cells)} of the rows, e.g. {some}.")
        ragged = [f"line {line}" for line in self.sheet.ragged]
        report = Report(len(self.sheet.rows) + len(ragged), notes=(*said, *notes))
        for reason, names in {RAGGED: ragged, **self.left_out}.items():
            report = report.without(reason, names)
        if not dates:
            reasons = "; ".join(f"{reason}: {len(names)}, e.g. {names[0]}" for reason, names in report.dropped.items())
            rule = f"none of its {report.rows_read} rows is a {of} that can be used."
            raise sheets.refusal(self.sheet.file, rule, f"Left out: {reasons}.")
        return report


def start_reading(
    path: FilePath | str,
    snapshot: str,
    columns: Mapping[str, tuple[str, ...]],
    needed: Iterable[tuple[str, ...]],
    what: str,
) -> Reading:
    """Open a table: find its columns, and tell how it writes dates."""
    known_to = sheets.last_day(snapshot, entry="snapshot")
    sheet = sheets.read_sheet(path, columns=columns, needed=needed, what=what)
    return Reading(sheet, sheets.date_order((cells["date"] for cells in sheet.rows), file=str(path)), known_to)


def load_history(
    path: FilePath | str, *, snapshot: str, columns: Mapping[str, tuple[str, ...]] = RUN_COLUMNS
) -> RunHistory:
    """Load training runs from an export of Epoch AI's database, or from the simulator's own tidy form.

    Runs of unreadable date or a name that another row has are dropped and counted, as are those of which neither FLOP
    nor a lower bound of it (`training_flop_at_least`) nor a cost is known. Runs that continue another model are kept;
    the rules of the frontier leave them out.

    Parameters
    ----------
    path : path
        A CSV file in UTF-8. Nothing is fetched: download an export from https://epoch.ai/data.
    snapshot : str
        Year, month or day of the export, e.g. "2025-06": values are revised, so every figure names it.
    columns : mapping of str to tuple of str
        The names of each column by meaning; one's own table may bring its own.

    Returns
    -------
    RunHistory
        `runs` by date, with log10 FLOP and log10 USD; `hidden`, those without FLOP; `report` says what was left out
        and why; `table` is the tidy form, which can be loaded again.

    Raises
    ------
    InputError
        The file is no such table, or no row of it can be used.

    Examples
    --------
    >>> file = getfixture("tmp_path") / "export.csv"
    >>> row = 'Grok-3 ,2025-02-17,4.6400000000000005e+26,$300872430.00'
    >>> header = "Model,Publication date,Training compute (FLOP),Training compute cost (2023 USD)"
    >>> _ = file.write_text(header + chr(10) + row)
    >>> run = load_history(file, snapshot="2025-06").runs[0]
    >>> run.name, round(run.log_flop, 3), run.cost_consistent
    ('Grok-3', 26.667, True)
    """
    reading = start_reading(path, snapshot, columns, (("name",), ("date",), ("flop",)), "training runs")
    read = [run for cells in reading.sheet.rows if (run := _run(cells, reading))]
    read.sort(key=lambda run: (run.date, run.name, run.log_cost is None, -run.log_flop))
    runs = tuple(_first_of_each(read, reading))
    meanings = {"cost": "costs", "base_model": "base models: runs that continue another count as frontier runs"}
    notes = [f"there is no column of {what}." for key, what in meanings.items() if key not in reading.sheet.found]
    names = {run.name.casefold() for run in runs}
    hidden = [run for run in (_hidden(cells, reading) for cells in reading.sheet.rows) if run]
    hidden = [run for run in hidden if run.name.casefold() not in names]
    hidden.sort(key=lambda run: (run.date, run.name))
    report = reading.report([run.date for run in runs], notes, of="training run")
    return RunHistory(str(path), snapshot, runs, report, hidden=tuple(hidden))


def load_accelerators(
    path: FilePath | str, *, snapshot: str, prices: FilePath | str | None = None
) -> AcceleratorHistory:
    """Load accelerators from an export of Epoch AI's hardware table, or from the simulator's own tidy form.

    Parameters
    ----------
    path : path
        A CSV file in UTF-8. Nothing is fetched: download an export from https://epoch.ai/data.
    snapshot : str
        Year, month or day of the export.
    prices : path, optional
        The export of hardware prices; the earliest purchase price stands in for an unknown release price.

    Returns
    -------
    AcceleratorHistory
        `accelerators` by date, with log10 FLOP/s of dense 16-bit training and log10 USD; `log_flops_per_usd`
        (accelerator,); `report` says what was left out and why; `table` is the tidy form.

    Raises
    ------
    InputError
        A file is no such table, or no row of it can be used.

    Examples
    --------
    >>> file = getfixture("tmp_path") / "export.csv"
    >>> header = "Hardware name,Release date,Tensor-FP16/BF16 performance (FLOP/s),Release price (USD)"
    >>> _ = file.write_text(header + chr(10) + "NVIDIA A100 SXM4 40 GB,2020-05-14,3.12e14,$15000.00")
    >>> load_accelerators(file, snapshot="2025-06").log_flops_per_usd.round(2).tolist()
    [10.32]
    """
    reading = start_reading(path, snapshot, ACCELERATOR_COLUMNS, _HARDWARE, "accelerators")
    bought = {} if prices is None else _purchase_prices(prices)
    marked = any(cell_flag(cells["used"]) for cells in reading.sheet.rows)
    read = [
        _priced(each, bought)
        for cells in reading.sheet.rows
        if (not marked or _is_marked(cells, reading)) and (each := _accelerator(cells, reading))
    ]
    read.sort(key=lambda each: (each.date, each.name, each.log_price is None, -each.log_flops))
    accelerators = tuple(_first_of_each(read, reading))
    notes = [] if "price" in reading.sheet.found else ["there is no column of prices."]
    report = reading.report([each.date for each in accelerators], notes, of="accelerator")
    return AcceleratorHistory(str(path), snapshot, accelerators, report)


def is_hardware(path: FilePath | str) -> bool:
    """Tell a table of accelerators from one of training runs by its columns."""
    columns = {**RUN_COLUMNS, **{f"hardware {key}": names for key, names in ACCELERATOR_COLUMNS.items()}}
    needed = (
        ("name", "hardware name"),
        ("date", "hardware date"),
        ("flop", "hardware tensor", "hardware fp16", "hardware fp32"),
    )
    sheet = sheets.read_sheet(path, columns=columns, needed=needed, what="training runs or accelerators")
    return "flop" not in sheet.found


def training_speed(tensor: float | None, fp16: float | None, fp32: float | None) -> tuple[float, str] | None:
    """Choose the speed of 16-bit training: the tensor figure, else FP16 where it is not below FP32, else FP32.

    Parameters are FLOP/s or their log10, None where unknown; the result is the speed and which figure it is.
    """
    if tensor is not None:
        return tensor, "tensor"
    if fp16 is not None and (fp32 is None or fp16 >= fp32):
        return fp16, "FP16"
    return None if fp32 is None else (fp32, "FP32")


def _run(cells: Cells, reading: Reading) -> TrainingRun | None:
    sheet, stated = reading.sheet, cell_text(cells["flop"])
    log_flop, log_cost = sheet.log10(cells, "flop"), reading.amount(cells, "cost")
    is_hidden = not stated and (reading.amount(cells, "at_least") is not None or log_cost is not None)
    if log_flop is not None or is_hidden:
        dated = reading.dated(cells, "")
        if dated and log_flop is not None and log_flop < FEWEST_LOG_FLOP and dated[0].year >= MODERN:
            reading.drop(IS_LOG, f"{cell_text(cells['name'])} ({shown(cells['flop'])})")
            return None
    elif stated:
        dated = reading.dated(cells, NO_FLOP, f" ({shown(cells['flop'])})")
    else:
        dated = reading.dated(cells, "training compute unknown")
    if log_flop is None or dated is None:
        return None
    open_weights = cell_text(cells["open_weights"]).lower()
    flag = cell_flag(open_weights)
    rank = sheets.cell_number(cells["rank"])
    return TrainingRun(
        name=cell_text(cells["name"]),
        organisation=", ".join(cell_list(cells["organisation"])),
        domains=cell_list(cells["domain"]),
        date=dated[0],
        day_known=dated[1],
        log_flop=log_flop,
        log_cost=log_cost,
        cost_basis="" if log_cost is None else cell_text(cells["cost_basis"]) or _basis(sheet.found["cost"]),
        confidence=cell_text(cells["confidence"]).lower() or "unknown",
        open_weights=flag if flag is not None or not open_weights else open_weights.startswith("open weights"),
        base_model=cell_text(cells["base_model"]),
        link=cell_text(cells["link"]),
        stated_rank=None if rank is None else int(rank),
    )


def _hidden(cells: Cells, reading: Reading) -> HiddenRun | None:
    """Read a run without FLOP; None where it has some, or has no name or date."""
    name, dated = cell_text(cells["name"]), sheets.cell_date(cells["date"], order=reading.order)
    if cell_text(cells["flop"]) or not name or dated is None:
        return None
    return HiddenRun(
        name=name,
        organisation=", ".join(cell_list(cells["organisation"])),
        domains=cell_list(cells["domain"]),
        date=dated[0],
        log_least=reading.sheet.log10(cells, "at_least"),
        log_cost=reading.sheet.log10(cells, "cost"),
        confidence=cell_text(cells["confidence"]).lower() or "unknown",
        base_model=cell_text(cells["base_model"]),
    )


def _accelerator(cells: Cells, reading: Reading) -> Accelerator | None:
    tensor, fp16, fp32, log_price = (reading.amount(cells, key) for key in ("tensor", "fp16", "fp32", "price"))
    speed = training_speed(tensor, fp16, fp32)
    fault = IS_LOG if speed and speed[0] < FEWEST_LOG_FLOP else "" if speed else "no speed in 16 or 32 bits"
    dated = reading.dated(cells, fault)
    if speed is None or dated is None:
        return None
    return Accelerator(
        name=cell_text(cells["name"]),
        manufacturer=", ".join(cell_list(cells["manufacturer"])),
        date=dated[0],
        day_known=dated[1],
        log_flops=speed[0],
        precision=cell_text(cells["precision"]) or speed[1],
        log_price=log_price,
        price_basis="" if log_price is None else cell_text(cells["price_basis"]) or "release price",
        power=sheets.cell_number(cells["power"]),
        link=cell_text(cells["link"]),
    )


def _basis(column: str) -> str:
    years = re.findall(r"20\d\d", column)
    return f"amortised, {years[0]} USD" if years else "not stated"


def _is_marked(cells: Cells, reading: Reading) -> bool:
    used = cell_flag(cells["used"]) is True
    if not used:
        reading.drop("not marked as ML hardware", cells["name"])
    return used


def _purchase_prices(path: FilePath | str) -> dict[str, tuple[float, str]]:
    """Find the earliest purchase price of each accelerator: log10 USD per chip, and its date."""
    needed = (("name",), ("date",), ("price",))
    sheet = sheets.read_sheet(path, columns=PRICE_COLUMNS, needed=needed, what="hardware prices")
    order = sheets.date_order((cells["date"] for cells in sheet.rows), file=str(path))
    found: dict[str, tuple[dt.date, float]] = {}
    for cells in sheet.rows:
        dated, log_price = sheets.cell_date(cells["date"], order=order), sheet.log10(cells, "price")
        if dated is not None and log_price is not None:
            name = cell_text(cells["name"]).casefold()
            found[name] = min(found.get(name, (dated[0], log_price)), (dated[0], log_price))
    return {name: (log_price, f"first purchase price, {date}") for name, (date, log_price) in found.items()}


def _priced(each: Accelerator, bought: Mapping[str, tuple[float, str]]) -> Accelerator:
    if each.log_price is not None or each.name.casefold() not in bought:
        return each
    log_price, basis = bought[each.name.casefold()]
    return replace(each, log_price=log_price, price_basis=basis)


def _first_of_each[Row: (TrainingRun, Accelerator)](rows: Iterable[Row], reading: Reading) -> Iterator[Row]:
    """Keep the first of the rows that share a name and a maker."""
    kept: dict[str, list[tuple[set[str], float]]] = {}
    for row in rows:
        makers = set((row.organisation if isinstance(row, TrainingRun) else row.manufacturer).casefold().split(", "))
        level = row.log_flop if isinstance(row, TrainingRun) else row.log_flops
        earlier = kept.setdefault(row.name.casefold(), [])
        same = next((first for others, first in earlier if others & makers), None)
        if same is None:
            earlier.append((makers, level))
            yield row
        else:
            differs = "" if abs(level - same) < SAME else f" ({level - same:+.2f} {OTHER_VALUE}"
            reading.drop(TWICE, row.name + differs)


SNAPSHOT = "2026-05"
"""The date of the estimates that are shipped."""
EARLIER_SNAPSHOT = "2025-06"
"""The date of the earlier estimates that are kept beside them."""
SNAPSHOTS = (SNAPSHOT, EARLIER_SNAPSHOT)
_WHOLE_TO = {SNAPSHOT: dt.date(2025, 12, 31), EARLIER_SNAPSHOT: dt.date(2025, 6, 30)}
"""The last day of which the shipped runs say all, by estimates."""
_BEYOND = {SNAPSHOT: (16, 18)}
"""The notable runs of 2026 that Epoch AI's database had in May 2026: those without FLOP, and all."""
SHIPPED_TOP = 5
"""The frontier of the shipped runs: they are complete among so many largest at release, and not beyond."""


def snapshot_rule(given: str) -> str:
    """Say which estimates the shipped table of runs has; empty where it has those that are asked for."""
    known = " and ".join(SNAPSHOTS)
    return "" if given in SNAPSHOTS else f"the shipped table has the estimates of {known}; got {given}."


# One rule chose the shipped runs, by rank and confidence alone: every run that was among the five largest at its
# release by the newest estimates, counted with or without games, if its compute is better than speculative or it was
# the largest; of runs that one organisation published on one day, the largest. Five is the most that 80 rows hold.
# The rule was not found blindly: that the five largest forecast as well as the ten was known of the whole database
# before it was fixed; no other list of 80 was tried with it. Beside them stand the other games of the ten largest,
# from which ranks without games are counted, the Transformer and GPT-1, which no rule of the frontier takes, and the
# record of 2007, which stood until 2013.
def shipped_runs(estimate: str = SNAPSHOT) -> RunHistory:
    """Load the shipped landmark runs with the newest estimates, or with those of mid-2025.

    Each states its rank among all runs known at its release: the rules of the frontier need not hold them all.
    """
    if rule := snapshot_rule(estimate):
        raise InputError(f"--snapshot: {rule} Take one of them, or name a table of your own.")
    columns = RUN_COLUMNS
    if estimate == EARLIER_SNAPSHOT:
        earlier = {"flop": ("training_flop_2025_06",), "cost": ("cost_usd_2025_06",), "rank": ("rank_2025_06",)}
        columns = {**RUN_COLUMNS, **earlier}
    history = load_history(shipped_file("history", "training-runs"), snapshot=estimate, columns=columns)
    return replace(history, whole_to=_WHOLE_TO[estimate], beyond=_BEYOND.get(estimate, (0, 0)))


def shipped_accelerators() -> AcceleratorHistory:
    """Load the shipped accelerators."""
    return load_accelerators(shipped_file("history", "accelerators"), snapshot=SNAPSHOT)
