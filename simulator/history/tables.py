"""Tables of observed training runs and accelerators: frozen rows, arrays of them, and what was left out."""

from __future__ import annotations

import collections
import datetime as dt
import html
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from simulator.history.columns import decimal_year, last_day
from simulator.priors.joint import named_prior
from simulator.runs.result import MOST_LINES
from simulator.runs.table import Row, Table
from simulator.scenario.library import library_prior
from simulator.schema.prior_names import Slot
from simulator.wording import percent

WIDEST_LOG_FLOP_PER_USD = 1.7
"""OOM from what was expected of a dollar outside which a cost does not belong to its run: a revision changed one of the
two and not the other."""
SAME = 1e-4
"""OOM within which two figures are one: exports mark rows by trailing digits, as in 5.0000000000001e+26."""
EXAMPLES = 3
LEVEL_YEAR = 2012
"""The year at whose start the priors on levels hold."""
LONGEST_GAP = 2.0
"""Years by which a history may end before the date that it is asked to tell about."""
SILENCE = 0.01
"""The probability, at the rate of the last years, of no run at all in a gap that is not believed."""
_RECENT = 5.0
"""Years of which the rate of runs is taken."""
_YEARS_TOLD = 6


_FIELD_OF: Mapping[str, str] = {
    "domain": "domains", "log10_training_flop": "log_flop", "log10_training_flop_at_least": "log_least",
    "log10_cost_usd": "log_cost", "cost_consistent": "cost_fits", "rank_at_release": "stated_rank",
    "log10_flops": "log_flops", "log10_price_usd": "log_price", "power_w": "power",
    "log10_value": "log_value", "log10_low": "log_low", "log10_high": "log_high",
}  # fmt: skip
"""What is told in a column of the tidy form that has another name."""


class Dated:
    """What has a date."""

    __slots__ = ()
    date: dt.date
    columns: ClassVar[tuple[str, ...]]
    """The columns of the tidy form."""

    @property
    def cells(self) -> Mapping[str, object]:
        """What it is, by the columns of the tidy form."""
        told = {column: getattr(self, _FIELD_OF.get(column, column)) for column in self.columns}
        return {column: ", ".join(value) if isinstance(value, tuple) else value for column, value in told.items()}

    @property
    def year(self) -> float:
        """Date as a decimal year."""
        return decimal_year(self.date)


@dataclass(frozen=True, slots=True)
class TrainingRun(Dated):
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
    columns: ClassVar = (
        "name", "organisation", "domain", "date", "year", "day_known", "log10_training_flop", "log10_cost_usd",
        "cost_basis", "cost_consistent", "confidence", "open_weights", "base_model", "rank_at_release", "link",
    )  # fmt: skip

    @property
    def cost_consistent(self) -> bool:
        """Whether the cost is known and belongs to the FLOP: log10(FLOP/USD) within 1.7 of what was expected then."""
        if self.log_cost is None:
            return False
        return abs(self.log_flop - self.log_cost - expected_flop_per_usd(self.year)) < WIDEST_LOG_FLOP_PER_USD

    @property
    def cost_fits(self) -> bool | None:
        """The same of a cost that is known."""
        return None if self.log_cost is None else self.cost_consistent


@dataclass(frozen=True, slots=True)
class HiddenRun(Dated):
    """One training run without FLOP; what is None is unknown."""

    name: str
    organisation: str
    domains: tuple[str, ...]
    date: dt.date  # of publication
    log_least: float | None  # log10 of FLOP that it had at least
    log_cost: float | None  # log10 USD
    confidence: str  # of what is known
    base_model: str = ""
    columns: ClassVar = (
        "name", "organisation", "domain", "date", "year", "log10_training_flop_at_least", "log10_cost_usd",
        "confidence", "base_model",
    )  # fmt: skip

    @property
    def log_about(self) -> float:
        """What ranks it, log10 FLOP: what it had at least, or what its cost was expected to buy; -inf where neither."""
        bought = -math.inf if self.log_cost is None else self.log_cost + expected_flop_per_usd(self.year)
        return bought if self.log_least is None else self.log_least


def expected_flop_per_usd(year: float) -> float:
    """Tell what a dollar of training was expected to buy, log10 FLOP: the line of the library's priors of 2012."""
    level, growth = _line()
    return level + growth * (year - LEVEL_YEAR)


@cache
def _line() -> tuple[float, float]:
    slots = (
        Slot(("level",), library_prior("history/efficiency-level"), "level"),
        Slot(("growth",), library_prior("history/efficiency-growth"), "rate"),
    )
    level, growth = (float(named_prior(slot).family.ppf(np.array([0.5]))[0]) for slot in slots)
    return level, growth


@dataclass(frozen=True, slots=True)
class Accelerator(Dated):
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
    columns: ClassVar = (
        "name", "manufacturer", "date", "year", "day_known", "log10_flops", "precision", "log10_price_usd",
        "price_basis", "power_w", "link",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure(Dated):
    """One figure of a table of supply: of what and whom, when, and how much."""

    name: str
    of: tuple[str, ...]  # words by which it is chosen: maker, owner, chip, site, company
    date: dt.date
    day_known: bool
    since: dt.date | None  # where it is of a period: its first day
    measure: str
    log_value: float  # log10 of `unit`
    log_low: float | None  # the 5 % and 95 % points of the estimate, where the table has both
    log_high: float | None
    unit: str  # of base units: chip, W, USD
    columns: ClassVar = (
        "name", "of", "date", "year", "day_known", "since", "measure", "log10_value", "log10_low", "log10_high", "unit",
    )  # fmt: skip


RAGGED = "more cells than the header has columns"
NO_DATE = "no date that can be read"
NO_FLOP = "training compute is no positive number"
IS_LOG = "its number looks like a log10, whose column would be called log10_training_flop or log10_flops"
NO_FIGURE = "no figure that is a positive number"
TWICE = "another row has the name"
OTHER_VALUE = "OOM from the first)"


@dataclass(frozen=True, slots=True)
class Report:
    """What was read, and the names of the rows that were left out, by the reason."""

    rows_read: int
    dropped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def doubts(self) -> tuple[str, ...]:
        """What is odd of the rows that are kept, and which rows were left out though they say something."""
        misread = {reason: self.dropped.get(reason, ()) for reason in (RAGGED, NO_DATE, NO_FLOP, IS_LOG, NO_FIGURE)}
        misread[TWICE] = tuple(name for name in self.dropped.get(TWICE, ()) if name.endswith(OTHER_VALUE))
        return (*self.notes, *(
            f"{_counted(len(names), 'row')} left out: {reason}: {'; '.join(names[:EXAMPLES])}"
            f"{', ..' if len(names) > EXAMPLES else ''}."
            for reason, names in misread.items() if names
        ))  # fmt: skip

    def without(self, reason: str, names: Iterable[str]) -> Report:
        """Add rows that were left out for a reason."""
        said = tuple(" ".join(name.split()) or "(no name)" for name in names)
        return replace(self, dropped={**self.dropped, reason: said}) if said else self


@dataclass(frozen=True, slots=True, repr=False)
class History[Row: (TrainingRun, Accelerator, Figure)]:
    """What was observed by date, the snapshot that it comes from, and the report of how it was read."""

    file: str
    snapshot: str
    rows: tuple[Row, ...]
    report: Report

    def __repr__(self) -> str:
        return "\n".join(report_lines(self)[:MOST_LINES])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>{self.table._repr_html_()}"

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Give a number of every row (row,); NaN where it is unknown."""
        return np.array([getattr(each, name) for each in self.rows], dtype=np.float64)

    @property
    def years(self) -> NDArray[np.float64]:
        """Decimal years (row,)."""
        return self.numbers("year")

    @property
    def names(self) -> tuple[str, ...]:
        """What the rows are called."""
        return tuple(each.name for each in self.rows)

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """Keep the rows that are flagged (row,)."""
        return replace(self, rows=tuple(itertools.compress(self.rows, chosen)))

    @property
    def table(self) -> Table:
        """The rows in the tidy form; it can be loaded again."""
        return Table.of_rows({name: _plain(value) for name, value in each.cells.items()} for each in self.rows)

    def known_until(self, date: dt.date, *, came: str) -> Self:
        """Keep what came, as in `published`, up to and including a date; there may be nothing."""
        later = [each.name for each in self.rows if each.date > date]
        kept = tuple(each for each in self.rows if each.date <= date)
        return replace(self, rows=kept, report=self.report.without(f"{came} after {date}", later))


@dataclass(frozen=True, slots=True, repr=False)
class RunHistory(History[TrainingRun]):
    """Training runs by date, all that there were up to `whole_to`; without it, up to the date of the snapshot."""

    whole_to: dt.date | None = None
    hidden: tuple[HiddenRun, ...] = ()
    """Those without FLOP."""
    beyond: tuple[int, int] = (0, 0)
    """Runs that came after `whole_to` in the database that it was taken from: those without FLOP, and all."""

    @property
    def table(self) -> Table:
        """The rows in the tidy form, and of those without FLOP the ones of which something is known."""
        every = [run.cells for run in self.runs]
        every += [run.cells for run in self.hidden if run.log_about > -math.inf]
        columns = dict.fromkeys(name for cells in every for name in cells)
        return Table.of_rows({name: _plain(cells.get(name)) for name in columns} for cells in every)

    def known_until(self, date: dt.date, *, came: str) -> Self:
        """Keep what came up to and including a date."""
        known = History.known_until(self, date, came=came)
        return replace(known, hidden=tuple(each for each in self.hidden if each.date <= date))

    def silent(self) -> dict[int, tuple[int, int]]:
        """Count the runs without FLOP, and all runs, of each year that has some without."""
        hidden = collections.Counter(each.date.year for each in self.hidden)
        told = collections.Counter(each.date.year for each in self.rows)
        return {year: (count, count + told[year]) for year, count in sorted(hidden.items())}

    @property
    def told(self) -> tuple[TrainingRun | HiddenRun, ...]:
        """The runs, and those without FLOP of which something is known, by date."""
        known: list[TrainingRun | HiddenRun] = [*self.rows, *(run for run in self.hidden if run.log_about > -math.inf)]
        return tuple(sorted(known, key=lambda run: run.date))

    def silence(self, until: dt.date) -> str:
        """Say why it cannot be all that there was up to a day; empty where its newest run is late enough.

        At the rate r of its last five years no run comes out in a gap of d years with probability exp(-r d).
        """
        final = self.told[-1]
        gap = (until - final.date).days / 365.25
        rate = sum(run.year > final.year - _RECENT for run in self.told) / _RECENT
        chance = math.exp(-rate * gap)
        if gap <= LONGEST_GAP and chance >= SILENCE:
            return ""
        ends = f"ends on {final.date} with {final.name}, {gap:.1f} years before the day that it is to be known to"
        odds = f": at its {rate:.1f} runs a year such a silence has a probability of {percent(chance)}"
        return f"{ends}, {until}{odds if gap <= LONGEST_GAP else ''}"

    @property
    def known_to(self) -> dt.date:
        """The last day of which the table says all."""
        return self.whole_to or last_day(self.snapshot, entry="snapshot")

    def later(self, day: dt.date) -> tuple[int, int]:
        """Count the runs after a day: those without FLOP, and all."""
        unknown = sum(run.date > day for run in self.hidden) + self.beyond[0]
        return unknown, unknown + sum(run.date > day for run in self.rows) + self.beyond[1] - self.beyond[0]

    @property
    def runs(self) -> tuple[TrainingRun, ...]:
        """The training runs."""
        return self.rows

    @property
    def log_flop(self) -> NDArray[np.float64]:
        """Training compute (run,), log10 FLOP."""
        return self.numbers("log_flop")

    @property
    def log_cost(self) -> NDArray[np.float64]:
        """Cost (run,), log10 USD; NaN where it is unknown or does not belong to the run's FLOP."""
        return np.array([run.log_cost if run.cost_consistent else None for run in self.rows], dtype=np.float64)


@dataclass(frozen=True, slots=True, repr=False)
class AcceleratorHistory(History[Accelerator]):
    """Accelerators by date."""

    @property
    def accelerators(self) -> tuple[Accelerator, ...]:
        """The accelerators."""
        return self.rows

    @property
    def log_flops_per_usd(self) -> NDArray[np.float64]:
        """Speed per price (accelerator,), log10 FLOP/s per USD; NaN where the price is unknown."""
        return self.numbers("log_flops") - self.numbers("log_price")


@dataclass(frozen=True, slots=True, repr=False)
class SupplyHistory(History[Figure]):
    """Figures of supply by date: chips sold and owned, clusters, data centres, prices of hardware, companies."""

    kind: str = "supply"
    """What the table is of."""


def report_lines(history: History[TrainingRun] | History[Accelerator] | History[Figure]) -> list[str]:
    """Say what was read, what was left out and why, and what was kept."""
    report = history.report
    lines = [f"{history.file} (snapshot {history.snapshot}): {_counted(report.rows_read, 'row')} read"]
    what = {RunHistory: "training run", SupplyHistory: "figure"}.get(type(history), "accelerator")
    span = f"{history.rows[0].date} to {history.rows[-1].date}" if history.rows else "none"
    kept = f"  {_counted(len(history.rows), what)} kept, {span}:"
    if isinstance(history, RunHistory):
        lines += [kept, *(f"    {line}" for line in _about_runs(history.rows))]
        if silent := [f"{few} of {of} in {year}" for year, (few, of) in history.silent().items()][-_YEARS_TOLD:]:
            told = sum(each.log_about > -math.inf for each in history.hidden)
            lines.append(f"  without FLOP: {', '.join(silent)}; a lower bound or a cost is known of {told:,} of all")
    elif isinstance(history, SupplyHistory):
        counts = collections.Counter(f"{each.measure} ({each.unit})" for each in history.rows)
        lines += [f"{kept[:-1]}, of {history.kind}:", *(f"    {word}: {count:,}" for word, count in counts.items())]
    else:
        lines.append(f"{kept} {np.isfinite(history.numbers('log_price')).sum()} with a price")
    if report.dropped:
        lines.append(f"  {_counted(sum(map(len, report.dropped.values())), 'row')} left out:")
    for reason, names in sorted(report.dropped.items(), key=lambda each: -len(each[1])):
        lines.append(f"    {len(names):,} {reason}, e.g. {'; '.join(names[:EXAMPLES])}")
    notes = [*report.notes]
    if isinstance(history, RunHistory) and history.runs:
        known = history.known_to
        whole = known if (known.month, known.day) == (12, 31) else dt.date(known.year - 1, 12, 31)
        notes += filter(None, [history.silence(whole)])
    return lines + [f"  note: {note}" for note in notes]


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


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _plain(value: object) -> object:
    """Write a value of a row as the tidy form has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return round(value, 4)
    return value.isoformat() if isinstance(value, dt.date) else value
