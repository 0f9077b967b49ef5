"""Exports of supply (chips, clusters, data centres, prices, companies), and whichever table of history a file is."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Literal

from scipy.special import ndtri

from simulator.errors import InputError, near_name, shown
from simulator.history import columns as sheets
from simulator.history.columns import PRICE_COLUMNS, RUN_COLUMNS, cell_list, cell_text, read_points
from simulator.history.loading import Cells, Reading, is_hardware, load_accelerators, load_history, start_reading
from simulator.history.tables import NO_FIGURE, SAME, AcceleratorHistory, Figure, RunHistory, SupplyHistory
from simulator.runs.table import Row
from simulator.units import parse_unit

_SHARES = {"": "median", " low": "5th percentile", " high": "95th percentile"}


@dataclass(frozen=True, slots=True)
class Measure:
    """What a column counts: its names, `{}` for which point of the estimate it is, and the unit of its numbers."""

    unit: str
    names: tuple[str, ...]

    def columns(self, name: str) -> dict[str, tuple[str, ...]]:
        """Name the columns of the middle, and of both ends of the estimate where there are any."""
        marked = {
            f"{name}{end}": tuple(each.format(share) for each in self.names if "{}" in each)
            for end, share in _SHARES.items()
        }
        plain = tuple(each for each in self.names if "{}" not in each)
        return {key: names for key, names in {**marked, name: marked[name] + plain}.items() if names}


@dataclass(frozen=True, slots=True)
class Export:
    """A kind of table: what it is of, what its columns are called, and how its rows make a total.

    `sum`: all rows of a date, and of those that are silent then what they said last, make the world's; `largest`: the
    largest so far; `each`: every row is an observation of its own.
    """

    what: str
    columns: Mapping[str, tuple[str, ...]]
    measures: Mapping[str, Measure]
    total: Literal["sum", "largest", "each"]
    of: tuple[str, ...] = ()
    told: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    """Columns by which rows are left out: the words with which a cell begins that does so, and the reason."""

    @property
    def every(self) -> dict[str, tuple[str, ...]]:
        """All its columns by meaning."""
        measured = {key: names for name, each in self.measures.items() for key, names in each.columns(name).items()}
        return {"day_known": ("day_known",), "since": ("Start date",), **self.columns, **measured}

    @property
    def needed(self) -> tuple[tuple[str, ...], ...]:
        """What it cannot be without: what it is of, a date, and one of the measures."""
        return ("name",), ("date",), tuple(self.measures)


EXPORTS: tuple[Export, ...] = (
    Export(
        "chip sales or owners",
        {"name": ("Name", "Chip manufacturer"), "date": ("End date",), "maker": ("Chip manufacturer",),
         "owner": ("Owner",), "chip": ("Chip type",), "incomplete": ("Incomplete",)},
        {"h100e": Measure("chip", ("Compute estimate in H100e ({})", "H100e compute power ({})", "H100e ({})")),
         "units": Measure("chip", ("Number of Units ({})", "Number of Units")),
         "power": Measure("MW", ("Power in MW ({})",)),
         "tdp": Measure("W", ("Total TDP (W) ({})", "Total TDP (W)")),
         "cost": Measure("USD", ("Cost Estimate (USD)",))},
        "sum", ("maker", "owner", "chip"), {"incomplete": (("true",), "its quarter is not complete")},
    ),
    Export(
        "GPU clusters",
        {"name": ("Name",), "date": ("First Operational Date",), "owner": ("Owner",), "country": ("Country",),
         "chip": ("Chip type (primary)",), "status": ("Status",),
         "twice": ("Possible duplicate",)},
        {"h100e": Measure("chip", ("H100 equivalents",)), "power": Measure("MW", ("Power Capacity (MW)",)),
         "units": Measure("chip", ("Chip quantity (primary)",)), "cost": Measure("USD", ("Hardware Cost",))},
        "largest", ("owner", "country", "chip"),
        {"status": (("planned", "cancel"), "it is planned, or was cancelled"),
         "twice": (("true",), "it may be there twice")},
    ),
    Export(
        "data centres",
        {"name": ("Data center", "Data centre"), "date": ("Date",)},
        {"h100e": Measure("chip", ("H100 equivalents",)), "power": Measure("MW", ("Power (MW)",)),
         "it-power": Measure("MW", ("IT power (MW)",)),
         "cost": Measure("billion USD", ("Capital cost (2025 USD billions)",
                                         "Total capital cost (2025 USD billions)"))},
        "largest",
    ),
    Export(
        "hardware prices",
        {"name": PRICE_COLUMNS["name"], "date": PRICE_COLUMNS["date"], "maker": ("Manufacturer",),
         "vendor": ("Vendor",)},
        {"purchase": Measure("USD", PRICE_COLUMNS["price"]),
         "hour": Measure("USD/hour", ("Price per chip-hour (on-demand)",)),
         "hour-1-year": Measure("USD/hour", ("Price per chip-hour (1-year CUD)",)),
         "hour-3-year": Measure("USD/hour", ("Price per chip-hour (3-year CUD)",))},
        "each", ("maker", "vendor"),
    ),
    Export(
        "companies",
        {"name": ("Company",), "date": ("Date",), "scope": ("Scope",), "period": ("Period type",),
         "hidden": ("Exclude from graph view",)},
        {"compute": Measure("USD", ("Total compute spend",)), "research": Measure("USD", ("R&D compute spend",)),
         "inference": Measure("USD", ("Inference compute spend",)),
         "revenue": Measure("USD", ("Annualized revenue (USD)", "Revenue amount (normalize to annual)"))},
        "each", ("scope",),
        {"hidden": (("true",), "the export leaves it out of its own charts"),
         "period": (("month", "quarter", "half"), "it is of less than a year")},
    ),
)  # fmt: skip
"""Tables of supply, as Epoch AI publishes them; a company's money is of a year."""

LONGEST_QUARTER = 0.3
"""Years: rows of shorter periods, in the middle, are of quarters, and those of longer ones of all up to their end."""


def export_of(path: FilePath | str) -> Export | None:
    """Tell of which kind a table of supply is, by its columns; None where it is none."""
    heads = set(map(str.lower, sheets.headings_of(path)))

    def has(export: Export, group: tuple[str, ...]) -> bool:
        return any(name.lower() in heads for meaning in group for name in export.every[meaning])

    return next((each for each in EXPORTS if all(has(each, group) for group in each.needed)), None)


def load_supply(path: FilePath | str, *, snapshot: str) -> SupplyHistory:
    """Load a table of supply: an export of Epoch AI on chips, clusters, data centres, prices or companies.

    Which it is, its columns tell. Figures are in base units, and what came after the snapshot's date is a plan and
    left out, as is what the table marks as incomplete, planned, cancelled or there twice.

    Parameters
    ----------
    path : path
        A CSV file in UTF-8. Nothing is fetched: download an export from https://epoch.ai/data.
    snapshot : str
        Year, month or day of the export, e.g. "2026-05".

    Returns
    -------
    SupplyHistory
        `rows` by date, a figure each; `report` says what was left out and why.

    Raises
    ------
    InputError
        The file is no such table, or no row of it can be used.

    Examples
    --------
    >>> file = getfixture("tmp_path") / "clusters.csv"
    >>> header = "Name,First Operational Date,H100 equivalents,Power Capacity (MW),Status"
    >>> _ = file.write_text(header + chr(10) + "Made-up Cluster,2024-07-01,1000,1.5,Existing")
    >>> [(row.measure, round(row.log_value, 3), row.unit) for row in load_supply(file, snapshot="2026-05").rows]
    [('h100e', 3.0, 'chip'), ('power', 6.176, 'W')]
    """
    export = export_of(path)
    if export is None:
        heads = "; ".join(f"{each.what} ('{"', '".join(_first(each))}')" for each in EXPORTS)
        rule = "is no table of supply: its columns are those of none."
        raise sheets.refusal(f"{path}:1", rule, f"There are: {heads}. Export it again from {sheets.PUBLIC_PAGE}.")
    reading = start_reading(path, snapshot, export.every, export.needed, export.what)
    rows = sorted(
        (row for cells in reading.sheet.rows for row in _figures(cells, reading, export)),
        key=lambda row: (row.date, row.name, row.of),
    )
    notes = _said_twice(rows) if export.total == "sum" else ()
    report = reading.report([row.date for row in rows], notes, of="figure")
    return SupplyHistory(str(path), snapshot, tuple(rows), report, export.what)


def _said_twice(rows: Iterable[Figure]) -> Iterator[str]:
    """Tell figures of one thing and day that differ: the last counts, and they are not added up."""
    known: dict[tuple[object, ...], Figure] = {}
    for row in rows:
        earlier = known.setdefault((row.name, row.of, row.measure, row.date), row)
        if abs(row.log_value - earlier.log_value) >= SAME:
            off = f"{row.log_value - earlier.log_value:+.2f} OOM"
            yield f"'{row.name}' has two figures ({row.measure}) of {row.date}, {off} apart: the last counts."
        known[row.name, row.of, row.measure, row.date] = row


def _first(export: Export) -> list[str]:
    """Name the columns by which a kind of table is known."""
    return [export.every[group[0]][0] for group in export.needed]


def _figures(cells: Cells, reading: Reading, export: Export) -> Iterator[Figure]:
    """Read the figures of a row: one for each measure that it tells."""
    reasons = (
        reason for key, (words, reason) in export.told.items() if cell_text(cells[key]).lower().startswith(words)
    )
    known = {name: log for name in export.measures if (log := reading.amount(cells, name)) is not None}
    given = next((f" ({shown(cells[name])})" for name in export.measures if cell_text(cells[name])), "")
    fault, told = next(((reason, "") for reason in reasons), ("" if known else NO_FIGURE, given))
    since = sheets.cell_date(cells["since"], order=reading.order)
    dated = reading.dated(cells, fault, told)
    if dated is None:
        return
    if since and since[0] > dated[0]:
        reading.drop("its start is after its end", cell_text(cells["name"]))
        return
    if dated[0] > reading.known_to:
        reading.drop("of a day after the snapshot: a plan", cell_text(cells["name"]))
        return
    words = tuple(text for key in export.of for text in cell_list(cells[key]))
    for name, log in known.items():
        unit = parse_unit(export.measures[name].unit)
        low, high = (reading.sheet.log10(cells, key) if (key := f"{name} {end}") in cells else None
                     for end in ("low", "high"))  # fmt: skip
        scale, whole = math.log10(unit.scale), low is not None and high is not None and low <= log <= high
        yield Figure(
            cell_text(cells["name"]), words, *dated, since[0] if since else None, name, log + scale,
            low + scale if whole and low is not None else None,
            high + scale if whole and high is not None else None,
            BASE_NAMES.get(str(unit), str(unit)),
        )  # fmt: skip


BASE_NAMES: Mapping[str, str] = {"J/s": "W"}
"""Base units as people call them."""


@dataclass(frozen=True, slots=True)
class Point:
    """What was observed at a date: log10 of base units, the spread of the estimate (OOM) where it is known, a label."""

    year: float
    log_value: float
    spread: float | None
    label: str
    unit: str


def supply_points(history: SupplyHistory, measure: str | None = None, *, of: str | None = None) -> tuple[Point, ...]:
    """Make observations over time of a table of supply: of the world, of the largest so far, or each by itself.

    Parameters
    ----------
    history : SupplyHistory
        The table.
    measure : str, optional
        What is counted: h100e, units, power, cost, ...; without it the first that the table has.
    of : str, optional
        Only of one maker, owner, chip, site or company.

    Returns
    -------
    tuple of Point
        By date. The spread takes the errors of rows that are added up as going together.

    Raises
    ------
    InputError
        The table has no such measure, or nothing of that name.

    Examples
    --------
    >>> file = getfixture("tmp_path") / "chips.csv"
    >>> header = "Name,Chip manufacturer,End date,H100e compute power (median)" + chr(10)
    >>> _ = file.write_text(header + "A,A,2024-12-31,100" + chr(10) + "B,B,2024-12-31,900")
    >>> [(point.year, point.log_value, point.label) for point in supply_points(load_supply(file, snapshot="2026"))]
    [(2025.0, 3.0, 'the world')]
    """
    rows = _chosen(history, measure, of)
    export = next(each for each in EXPORTS if each.what == history.kind)
    if export.total == "sum":
        points = _totals(rows, "the world" if of is None else of, history.file)
    else:
        points = [
            Point(row.year, row.log_value, _spread(row.log_low, row.log_high), row.name, row.unit) for row in rows
        ]
    if export.total == "largest" and of is None:
        highest = itertools.accumulate((point.log_value for point in points), max, initial=-math.inf)
        points = [point for point, before in zip(points, highest, strict=False) if point.log_value > before]
    return tuple(points)


def _chosen(history: SupplyHistory, measure: str | None, of: str | None) -> list[Figure]:
    measures = list(dict.fromkeys(row.measure for row in history.rows))
    if measure is not None and measure not in measures:
        rule = f"has no measure '{measure}'; it has {', '.join(measures)}."
        raise sheets.refusal(history.file, rule, near_name(measure, measures) or "Name one of them.")
    rows = [row for row in history.rows if row.measure == (measure or measures[0])]
    if of is None:
        return rows
    found = [row for row in rows if of.casefold() in (word.casefold() for word in (row.name, *row.of))]
    if not found:
        names = sorted({word for row in rows for word in (row.of or (row.name,))})
        rule, more = f"has nothing of '{of}'.", ", ..." if len(names) > 12 else "."
        raise sheets.refusal(history.file, rule, near_name(of, names) or f"It has {', '.join(names[:12])}{more}")
    return found


def _spread(low: float | None, high: float | None) -> float | None:
    return None if low is None or high is None else (high - low) / (2.0 * float(ndtri(0.95)))


def _totals(rows: Sequence[Figure], label: str, file: str) -> list[Point]:
    """Add rows up, by date; a flow is of one date and a rate, a stock what each said last.

    A date counts where rows that make at least half of the sum are of that date: others have not reported yet.
    """
    spans = sorted((row.date - row.since).days / 365.25 for row in rows if row.since is not None)
    flows = bool(spans) and spans[len(spans) // 2] < LONGEST_QUARTER
    last: dict[tuple[str, ...], dict[str, Figure]] = {}
    points = []
    for date, group in itertools.groupby(rows, key=lambda row: row.date):
        now = [_rate(row, file) if flows else row for row in group]
        said: dict[tuple[str, ...], dict[str, Figure]] = {}
        for row in now:
            said.setdefault(row.of or (row.name,), {})[row.name] = row
        last = said if flows else last | said
        held = [row for named in last.values() for row in named.values()]
        total = _log_sum(row.log_value for row in held)
        if _log_sum(row.log_value for row in now) < total - math.log10(2.0):
            continue
        known = [(row.log_low, row.log_high) for row in held]
        lows, highs = ([end for end in ends if end is not None] for ends in zip(*known, strict=True))
        spread = _spread(_log_sum(lows), _log_sum(highs)) if len(lows) == len(highs) == len(known) else None
        end = sheets.decimal_year(date + dt.timedelta(days=1))
        begin = sheets.decimal_year(now[0].since) if flows and now[0].since else end
        points.append(Point((begin + end) / 2, total, spread, label, now[0].unit))
    return points


def _log_sum(logs: Iterable[float]) -> float:
    return math.log10(sum(10.0**log for log in logs))


def _rate(row: Figure, file: str) -> Figure:
    """Turn the figure of a quarter into one of base units a second."""
    if row.since is None:
        rule = f"'{row.name}' of {row.date} has no start date beside rows of quarters: over which time is it?"
        raise sheets.refusal(file, rule, "Fill its 'Start date', or leave the row out.")
    per = math.log10(((row.date - row.since).days + 1) * 86_400.0)
    low, high = (None if end is None else end - per for end in (row.log_low, row.log_high))
    unit = str(parse_unit(row.unit) / parse_unit("s"))
    return replace(row, log_value=row.log_value - per, log_low=low, log_high=high, unit=unit)


def load_table(
    path: FilePath | str, *, snapshot: str, prices: FilePath | str | None = None
) -> RunHistory | AcceleratorHistory | SupplyHistory:
    """Load a table of training runs, of accelerators or of supply, whichever its columns are of."""
    if prices is None and export_of(path) is not None:
        return load_supply(path, snapshot=snapshot)
    if is_hardware(path):
        return load_accelerators(path, snapshot=snapshot, prices=prices)
    if prices is not None:
        raise InputError(f"--prices: {path} is no table of accelerators. Leave --prices out.")
    return load_history(path, snapshot=snapshot)


def observed_points(path: FilePath | str) -> tuple[Row, ...]:
    """Read what a chart shows as observed: `date,value,label`, or a table that `history load` reads.

    Of training runs each point has its `quantity` too: physical compute, or spending where the cost is the run's; of
    supply its `unit`.
    """
    heads = set(map(str.lower, sheets.headings_of(path)))
    exported = {name.lower() for name in RUN_COLUMNS["flop"]} - {"value"}
    if (export := export_of(path)) is not None:
        return _supplied(path, export)
    if not heads & exported:
        return read_points(path)
    runs = load_history(path, snapshot=str(dt.date.max.year)).runs  # nothing is later than its export
    points: list[Row] = []
    for run in runs:
        said = {"date": run.year, "label": run.name}
        points.append({**said, "quantity": "physical_compute", "value": 10.0**run.log_flop})
        if run.log_cost is not None and run.cost_consistent:
            points.append({**said, "quantity": "spending", "value": 10.0**run.log_cost})
    return tuple(points)


def _supplied(path: FilePath | str, export: Export) -> tuple[Row, ...]:
    """Read the observations of a table of supply, of each of its measures the first of its unit."""
    if export.what == "data centres":
        rule = "is a table of data centres, whose later rows are plans, and a chart has no date to tell them by."
        raise sheets.refusal(path, rule, "Write it under history: quantities: of a scenario, which has a snapshot.")
    history = load_supply(path, snapshot=str(dt.date.max.year))
    units: dict[str, str] = {}
    for row in history.rows:
        units.setdefault(row.unit, row.measure)
    return tuple(
        {"date": point.year, "label": point.label, "value": 10.0**point.log_value, "unit": point.unit}
        for measure in units.values()
        for point in supply_points(history, measure)
    )
