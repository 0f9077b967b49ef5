"""Loading observed training runs and accelerators from public tables: cleaned, counted, and what was dropped said."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Literal

from simulator.errors import InputError, shown
from simulator.history.columns import (
    ACCELERATOR_COLUMNS,
    PRICE_COLUMNS,
    RUN_COLUMNS,
    DateOrder,
    Sheet,
    cell_date,
    cell_flag,
    cell_list,
    cell_log10,
    cell_number,
    cell_text,
    date_order,
    last_day,
    read_sheet,
    refusal,
)
from simulator.history.tables import SAME, Accelerator, AcceleratorHistory, Report, RunHistory, TrainingRun
from simulator.scenario.library import shipped_file

_HARDWARE = (("name",), ("date",), ("tensor", "fp16", "fp32"))


@dataclass
class _Sieve:
    """Collects what is left out while rows are read."""

    names: dict[str, list[str]] = field(default_factory=dict)

    def drop(self, reason: str, name: str) -> None:
        self.names.setdefault(reason, []).append(name)

    def report(self, sheet: Sheet, notes: Iterable[str], *, left: int, of: str) -> Report:
        """Say what was left out; refuse a table of which nothing is left."""
        report = Report(len(sheet.rows) + len(sheet.ragged), notes=tuple(notes))
        ragged = [f"line {line}" for line in sheet.ragged]
        report = report.without("more cells than the header has columns", ragged)
        for reason, names in self.names.items():
            report = report.without(reason, names)
        if not left:
            reasons = "; ".join(f"{each.reason}: {each.count}, e.g. {each.examples[0]}" for each in report.dropped)
            rule = f"none of its {report.rows_read} rows is a {of} that can be used."
            raise refusal(sheet.file, rule, f"Left out: {reasons}.")
        return report


def load_history(
    path: FilePath | str, *, snapshot: str, columns: Mapping[str, tuple[str, ...]] = RUN_COLUMNS
) -> RunHistory:
    """Load training runs from an export of Epoch AI's database, or from the simulator's own tidy form.

    Runs of unknown FLOP, unreadable date or a name that another row has are dropped and counted. Runs that continue
    another model are kept; the rules of the frontier leave them out.

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
        `runs` by date, with log10 FLOP and log10 USD; `report` says what was left out and why; `table` is the tidy
        form, which can be loaded again.

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
    last = last_day(snapshot, entry="snapshot")
    sheet = read_sheet(path, columns=columns, needed=(("name",), ("date",), ("flop",)), what="training runs")
    order, sieve = date_order((cells["date"] for cells in sheet.rows), file=str(path)), _Sieve()
    read = [run for cells in sheet.rows if (run := _run(cells, sheet=sheet, order=order, sieve=sieve))]
    read.sort(key=lambda run: (run.date, run.name, run.log_cost is None, -run.log_flop))
    runs = tuple(_first_of_each(read, sieve))
    notes = [*_date_notes(order, [run.date for run in runs], last=last), *_run_notes(sheet)]
    return RunHistory(str(path), snapshot, runs, sieve.report(sheet, notes, left=len(runs), of="training run"))


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
    last = last_day(snapshot, entry="snapshot")
    sheet = read_sheet(path, columns=ACCELERATOR_COLUMNS, needed=_HARDWARE, what="accelerators")
    order, sieve = date_order((cells["date"] for cells in sheet.rows), file=str(path)), _Sieve()
    bought = {} if prices is None else _purchase_prices(prices)
    marked = any(cell_flag(cells["used"]) for cells in sheet.rows)
    rows = (cells for cells in sheet.rows if not marked or _is_marked(cells, sieve))
    read = [each for cells in rows if (each := _accelerator(cells, sheet=sheet, order=order, sieve=sieve))]
    read = [_priced(each, bought) for each in read]
    read.sort(key=lambda each: (each.date, each.name, each.log_price is None, -each.log_flops))
    accelerators = tuple(_first_of_each(read, sieve))
    notes = list(_date_notes(order, [each.date for each in accelerators], last=last))
    if "price" not in sheet.found:
        notes.append("there is no column of prices.")
    report = sieve.report(sheet, notes, left=len(accelerators), of="accelerator")
    return AcceleratorHistory(str(path), snapshot, accelerators, report)


def is_hardware(path: FilePath | str) -> bool:
    """Tell a table of accelerators from one of training runs by its columns."""
    columns = {**RUN_COLUMNS, **{f"hardware {key}": names for key, names in ACCELERATOR_COLUMNS.items()}}
    needed = (
        ("name", "hardware name"),
        ("date", "hardware date"),
        ("flop", "hardware tensor", "hardware fp16", "hardware fp32"),
    )
    sheet = read_sheet(path, columns=columns, needed=needed, what="training runs or accelerators")
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


def _run(cells: Mapping[str, str], *, sheet: Sheet, order: DateOrder, sieve: _Sieve) -> TrainingRun | None:
    name = cell_text(cells["name"])
    dated = cell_date(cells["date"], order=order)
    log_flop = cell_log10(cells["flop"], column=sheet.found["flop"])
    if not name:
        sieve.drop("no name", f"of {cells['date'] or 'no date'}")
    elif not cell_text(cells["flop"]):
        sieve.drop("training compute unknown", name)
    elif log_flop is None:
        sieve.drop("training compute is no positive number", f"{name} ({shown(cells['flop'])})")
    elif dated is None:
        sieve.drop("no date that can be read", f"{name} ({shown(cells['date'])})")
    else:
        open_weights = cell_text(cells["open_weights"]).lower()
        flag = cell_flag(open_weights)
        log_cost = cell_log10(cells["cost"], column=sheet.found.get("cost", ""))
        rank = cell_number(cells["rank"])
        return TrainingRun(
            name=name,
            organisation=", ".join(cell_list(cells["organisation"])),
            domains=cell_list(cells["domain"]),
            date=dated[0],
            day_known=_day_known(cells, dated[1]),
            log_flop=log_flop,
            log_cost=log_cost,
            cost_basis="" if log_cost is None else cell_text(cells["cost_basis"]) or _basis(sheet.found["cost"]),
            confidence=cell_text(cells["confidence"]).lower() or "unknown",
            open_weights=flag if flag is not None or not open_weights else open_weights.startswith("open weights"),
            base_model=cell_text(cells["base_model"]),
            link=cell_text(cells["link"]),
            stated_rank=None if rank is None else int(rank),
        )
    return None


def _accelerator(cells: Mapping[str, str], *, sheet: Sheet, order: DateOrder, sieve: _Sieve) -> Accelerator | None:
    name = cell_text(cells["name"])
    dated = cell_date(cells["date"], order=order)
    tensor, fp16, fp32 = (cell_log10(cells[key], column=sheet.found.get(key, "")) for key in ("tensor", "fp16", "fp32"))
    speed = training_speed(tensor, fp16, fp32)
    log_price = cell_log10(cells["price"], column=sheet.found.get("price", ""))
    if not name:
        sieve.drop("no name", f"of {cells['date'] or 'no date'}")
    elif speed is None:
        sieve.drop("no speed in 16 or 32 bits", name)
    elif dated is None:
        sieve.drop("no date that can be read", f"{name} ({shown(cells['date'])})")
    else:
        return Accelerator(
            name=name,
            manufacturer=", ".join(cell_list(cells["manufacturer"])),
            date=dated[0],
            day_known=_day_known(cells, dated[1]),
            log_flops=speed[0],
            precision=cell_text(cells["precision"]) or speed[1],
            log_price=log_price,
            price_basis="" if log_price is None else cell_text(cells["price_basis"]) or "release price",
            power=cell_number(cells["power"]),
            link=cell_text(cells["link"]),
        )
    return None


def _day_known(cells: Mapping[str, str], guess: bool) -> bool:
    stated = cell_flag(cells["day_known"])
    return guess if stated is None else stated


def _basis(column: str) -> str:
    years = re.findall(r"20\d\d", column)
    return f"amortised, {years[0]} USD" if years else "not stated"


def _is_marked(cells: Mapping[str, str], sieve: _Sieve) -> bool:
    used = cell_flag(cells["used"]) is True
    if not used:
        sieve.drop("not marked as ML hardware", cells["name"])
    return used


def _purchase_prices(path: FilePath | str) -> dict[str, tuple[float, str]]:
    """Find the earliest purchase price of each accelerator: log10 USD per chip, and its date."""
    sheet = read_sheet(path, columns=PRICE_COLUMNS, needed=(("name",), ("date",), ("price",)), what="hardware prices")
    order = date_order((cells["date"] for cells in sheet.rows), file=str(path))
    found: dict[str, tuple[dt.date, float]] = {}
    for cells in sheet.rows:
        dated, log_price = cell_date(cells["date"], order=order), cell_log10(cells["price"], column="price")
        if dated is not None and log_price is not None:
            name = cell_text(cells["name"]).casefold()
            found[name] = min(found.get(name, (dated[0], log_price)), (dated[0], log_price))
    return {name: (log_price, f"first purchase price, {date}") for name, (date, log_price) in found.items()}


def _priced(each: Accelerator, bought: Mapping[str, tuple[float, str]]) -> Accelerator:
    if each.log_price is not None or each.name.casefold() not in bought:
        return each
    log_price, basis = bought[each.name.casefold()]
    return replace(each, log_price=log_price, price_basis=basis)


def _first_of_each[Row: (TrainingRun, Accelerator)](rows: Iterable[Row], sieve: _Sieve) -> Iterator[Row]:
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
            differs = "" if abs(level - same) < SAME else f" ({level - same:+.2f} OOM from the first)"
            sieve.drop("another row has the name", row.name + differs)


def _date_notes(order: DateOrder, dates: Sequence[dt.date], *, last: dt.date) -> Iterator[str]:
    if order != "year-month-day":
        yield f"dates are written {order}, as spreadsheets do; numbers may be rounded."
    if late := sum(date > last for date in dates):
        yield f"{late} of {len(dates)} came after the snapshot's date {last}: is that date right?"


def _run_notes(sheet: Sheet) -> Iterator[str]:
    meanings = {"cost": "costs", "base_model": "base models: runs that continue another count as frontier runs"}
    for meaning, what in meanings.items():
        if meaning not in sheet.found:
            yield f"there is no column of {what}."


SNAPSHOT = "2026-05"
"""The date of the estimates that are shipped."""
EARLIER_SNAPSHOT = "2025-06"
"""The date of the earlier estimates that are kept beside them."""
SNAPSHOTS = (SNAPSHOT, EARLIER_SNAPSHOT)
SHIPPED_TOP = 5
"""The frontier of the shipped runs: they are complete among so many largest at release, and not beyond."""
DOUBTFUL_IN_2025_06 = {
    "Wu Dao 2.0": "speculative; revised from 1.03e25 to 1.54e24 FLOP",
    "GPT-4 Turbo": "imputed from benchmarks, and in no later list of the frontier",
}
"""Runs of the mid-2025 database that would be records for years, with the reason to leave them out of its frontier."""


def history_file(name: Literal["training-runs", "accelerators"]) -> FilePath:
    """Find a shipped table of history: inside an installed package, or in a checkout."""
    return shipped_file("history", name)


def snapshot_rule(given: str) -> str:
    """Say which estimates the shipped table of runs has; empty where it has those that are asked for."""
    known = " and ".join(SNAPSHOTS)
    return "" if given in SNAPSHOTS else f"the shipped table has the estimates of {known}; got {given}."


# One rule chose the shipped runs, by rank and confidence alone: every run that was among the five largest at its
# release by the newest estimates, counted with or without games, if its compute is better than speculative or it was
# the largest; of runs that one organisation published on one day, the largest. Five is the most that 80 rows hold.
# The rule was not found blindly: that the five largest forecast as well as the ten was known of the whole database
# before it was fixed; no other list of 80 was tried with it. Beside them stand the other games of the ten largest,
# from which ranks without games are counted, and the Transformer and GPT-1, which no rule of the frontier takes.
def shipped_runs(estimate: str = SNAPSHOT) -> RunHistory:
    """Load the shipped landmark runs with the newest estimates, or with those of mid-2025.

    Each states its rank among all runs known at its release: the rules of the frontier need not hold them all.
    """
    if rule := snapshot_rule(estimate):
        raise InputError(f"--snapshot: {rule} Take one of them, or name a table of your own.")
    columns = RUN_COLUMNS
    if estimate == EARLIER_SNAPSHOT:
        columns = {
            **RUN_COLUMNS,
            "flop": ("training_flop_2025_06",),
            "cost": ("cost_usd_2025_06",),
            "rank": ("rank_2025_06",),
        }
    return load_history(history_file("training-runs"), snapshot=estimate, columns=columns)


def shipped_accelerators() -> AcceleratorHistory:
    """Load the shipped accelerators."""
    return load_accelerators(history_file("accelerators"), snapshot=SNAPSHOT)
