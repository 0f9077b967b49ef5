"""What has been observed: training runs, accelerators, and the record at each year's end.

Arrays only; reading files and choosing which runs count is done elsewhere.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError
from simulator.history import frontier
from simulator.history.columns import decimal_year, known_words, refusal
from simulator.history.tables import AcceleratorHistory, HiddenRun, Report, RunHistory, TrainingRun

type Array = NDArray[np.float64]
type Flags = NDArray[np.bool_]

_WORDS = ("run_name", "accelerator_name", "run_maker", "run_confidence")
NOT_ROWS = ("snapshot", "known_to", "hidden", "run_domain", *_WORDS)
"""The fields of observations that hold no rows of numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Hidden:
    """Runs of the frontier without FLOP, of which a lower bound, a cost or both are known."""

    year: Array = field(default_factory=lambda: np.zeros(0))  # (hidden_run,), decimal year of publication
    log_least: Array = field(default_factory=lambda: np.zeros(0))  # log10 FLOP; -inf where no bound is known
    cost_log_usd: Array = field(default_factory=lambda: np.zeros(0))  # log10 USD; NaN where it is not known
    log_about: Array = field(default_factory=lambda: np.zeros(0))  # log10 FLOP by which they are ranked
    maker: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    confidence: tuple[str, ...] = ()
    name: tuple[str, ...] = ()

    def where(self, chosen: Flags) -> Hidden:
        """Keep the runs that are flagged."""

        def kept(of: Any) -> Any:
            return tuple(itertools.compress(of, chosen)) if isinstance(of, tuple) else of[chosen]

        return Hidden(*(kept(getattr(self, each.name)) for each in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """One snapshot of the history of frontier training; every figure names the snapshot.

    InputError where lengths differ, a number is missing, years do not rise by 1, or the record falls.
    """

    run_year: Array  # (run,), decimal year of publication, of runs that were among the largest when they came out
    run_log_compute: Array  # (run,), log10 FLOP
    cost_log_usd: Array  # (run,), log10 USD; NaN where it is not known or does not belong to this compute
    accelerator_year: Array  # (accelerator,), decimal year of release
    accelerator_log_flops_per_usd: Array  # (accelerator,), log10 FLOP/s in training per USD of price
    record_year: Array  # (year,), calendar years, rising by 1
    record_log_compute: Array  # (year,), log10 FLOP of the largest known run at the end of each
    snapshot: str = "unnamed snapshot"
    run_name: tuple[str, ...] = ()  # empty where nobody says; no number depends on names
    accelerator_name: tuple[str, ...] = ()
    run_maker: tuple[str, ...] = ()  # of one maker, domain and year the largest counts; all do where nobody says
    run_domain: tuple[str, ...] = ()
    run_confidence: tuple[str, ...] = ()  # of the estimate of its FLOP; empty where they are exact
    hidden: Hidden = field(default_factory=Hidden)
    known_to: float = 0.0  # decimal year up to which all is known; where nothing is said, the end of the last record

    def __post_init__(self) -> None:
        for name in (each.name for each in fields(self) if each.name not in NOT_ROWS):
            values = np.array(getattr(self, name), dtype=np.float64)
            values.flags.writeable = False
            object.__setattr__(self, name, values)
            gaps = np.isinf(values) if name == "cost_log_usd" else ~np.isfinite(values)
            if values.ndim != 1 or gaps.any():
                raise _fault(self.snapshot, name, "must be a row of finite numbers", "Leave unknown runs out.")
        self._check_lengths()
        steps = np.diff(self.record_year)
        if self.record_year.size and (np.any(steps != 1) or np.any(self.record_year % 1)):
            rule = "must hold whole years that rise by 1"
            raise _fault(self.snapshot, "record_year", rule, "Fill the years between.")
        if np.any(np.diff(self.record_log_compute) < 0):
            remedy = "A record is the largest run so far: take maxima."
            raise _fault(self.snapshot, "record_log_compute", "must never fall", remedy)
        ended = float(self.record_year[-1]) + 1.0
        object.__setattr__(self, "known_to", float(self.known_to) or ended)
        if not ended <= self.known_to < ended + 1.0:
            raise _fault(self.snapshot, "known_to", f"must lie within the year after {ended:g}; got {self.known_to:g}")

    def _check_lengths(self) -> None:
        pairs = (
            ("run_year", "run_log_compute"),
            ("run_year", "cost_log_usd"),
            ("accelerator_year", "accelerator_log_flops_per_usd"),
            ("record_year", "record_log_compute"),
            ("run_maker", "run_domain"),
            *((f"{name.partition('_')[0]}_year", name) for name in _WORDS if getattr(self, name)),
        )
        for first, second in pairs:
            sizes = len(getattr(self, first)), len(getattr(self, second))
            if sizes[0] != sizes[1]:
                raise _fault(self.snapshot, second, f"must be as long as {first} ({sizes[0]}); got {sizes[1]}")
        if self.run_year.size == 0 or self.record_year.size == 0:
            raise _fault(self.snapshot, "run_year and record_year", "must not be empty", "Give at least one run.")

    @property
    def years(self) -> tuple[int, int]:
        """The first calendar year of a run, and the last whole year of the record."""
        return int(np.floor(self.run_year.min())), int(self.record_year[-1])

    @property
    def run_kind(self) -> list[Hashable]:
        """Maker, domain and year of each run, then of each hidden one; each is of its own where nobody says."""
        if not self.run_maker:
            return list(range(self.run_year.size + self.hidden.year.size))
        makers, domains = self.run_maker + self.hidden.maker, self.run_domain + self.hidden.domain
        years = np.floor(np.concatenate([self.run_year, self.hidden.year])).tolist()
        said = enumerate(zip(makers, domains, years, strict=True))
        return [kind if kind[0] else place for place, kind in said]

    def record_at(self, date: float) -> float:
        """Give the largest run that was known at a date (decimal year), log10 FLOP; -inf before the first.

        It is at least what is known of a hidden run.
        """
        ended = self.record_log_compute[self.record_year + 1.0 <= date]
        known = np.max(self.run_log_compute, where=self.run_year < date, initial=ended.max(initial=-np.inf))
        return float(np.max(self.hidden.log_least, where=self.hidden.year < date, initial=known))


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Say which observations were known at a date, in decimal years: 2019.0 is the end of 2018.

    Of the runs of one maker, domain and year the largest that was known counts: runs of one line err together. `run`,
    `cost`, `accelerator` and `hidden` are flags along the arrays of the observations; `record` is the largest known
    run (log10 FLOP).
    """

    date: float
    run: Flags
    cost: Flags
    accelerator: Flags
    record: float
    hidden: Flags


def known_at(observations: Observations, date: float | None = None) -> Known:
    """Select what had been published by a date (decimal year); by default all that is known."""
    first, _ = observations.years
    date = observations.known_to if date is None else date
    low, high = float(observations.record_year[0]) + 1.0, observations.known_to
    if not low <= date <= high:
        raise InputError(
            f"{observations.snapshot}: {known_words(date)}: must be a date with a known record, {known_words(low)} to "
            f"{known_words(high)}. A forecast starts from the record of that date."
        )
    run = observations.run_year < date
    out = np.concatenate([run, observations.hidden.year < date])
    levels = np.concatenate([observations.run_log_compute, observations.hidden.log_about])
    out &= frontier.largest_of_each(np.where(out, levels, -np.inf), observations.run_kind)
    run, hidden = out[: run.size], out[run.size :]
    if run.sum() < 2:
        raise InputError(
            f"{observations.snapshot}: {known_words(date)}: at least two runs must be known by then; got {run.sum()}. "
            "Take a later date."
        )
    accelerator = (observations.accelerator_year >= first) & (observations.accelerator_year < date)
    cost = run & np.isfinite(observations.cost_log_usd)
    return Known(date, run, cost, accelerator, observations.record_at(date), hidden)


def _fault(snapshot: str, entry: str, rule: str, remedy: str = "") -> InputError:
    return InputError(f"{snapshot}: {entry}: {rule}. {remedy}".strip())


FEWEST_RUNS = 5
FEWEST_PRICES = 3
FIRST_YEAR = 2012
"""Where the frontier begins by default: with deep learning."""


def observations(
    runs: RunHistory,
    accelerators: AcceleratorHistory | None = None,
    *,
    until: dt.date | None = None,
    top: int = 10,
    within_oom: float | None = None,
    since: int = FIRST_YEAR,
) -> Observations:
    """Turn tables into what a model of growth is fitted to: the runs that were of the frontier at their release.

    Those were among the `top` largest then, or within so many orders of magnitude of the record, from the year `since`
    on: exports reach back to 1950, when growth was slower. Without `until` all up to the snapshot's date counts.
    """
    last = runs.known_to if until is None else min(until, runs.known_to)
    known = frontier.published_until(runs, last)
    refuse_stale(known, last)
    is_top = frontier.top_at_release(known, top) if within_oom is None else frontier.within_of_record(known, within_oom)
    is_top &= known.years >= since
    _check_counts(known, is_top, until=last)
    top_runs, chips = known.where(is_top), _priced(accelerators, last)
    whole_years = last.year if (last.month, last.day) == (12, 31) else last.year - 1
    records = frontier.year_end_records(known, first=max(since, known.runs[0].date.year), last=whole_years)
    from_nothing = [run for run in known.hidden if not run.base_model]
    bounds = [(run.date.year, run.log_least) for run in from_nothing if run.log_least is not None]
    least = [max((least for of, least in bounds if of <= year), default=-np.inf) for year in records]
    return Observations(
        run_year=top_runs.years,
        run_log_compute=top_runs.log_flop,
        cost_log_usd=top_runs.log_cost,
        accelerator_year=chips.years,
        accelerator_log_flops_per_usd=chips.log_flops_per_usd,
        record_year=np.array(list(records), dtype=np.float64),
        record_log_compute=np.maximum([run.log_flop if run else -np.inf for run in records.values()], least),
        known_to=decimal_year(last + dt.timedelta(days=1)),
        snapshot=known.snapshot,
        run_name=top_runs.names,
        run_maker=tuple(map(_maker, top_runs.runs)),
        run_domain=tuple(map(_domain, top_runs.runs)),
        run_confidence=tuple(run.confidence for run in top_runs.runs),
        hidden=_hidden(frontier.hidden_at_release(known, top=top, within_oom=within_oom), since=since),
        accelerator_name=chips.names,
    )


def _maker(run: TrainingRun | HiddenRun) -> str:
    return run.organisation.partition(",")[0]


def _domain(run: TrainingRun | HiddenRun) -> str:
    return run.domains[0] if run.domains else ""


def _hidden(runs: Iterable[HiddenRun], *, since: int) -> Hidden:
    chosen = [run for run in runs if run.date.year >= since]
    numbers = [(run.year, run.log_least, run.log_cost, run.log_about) for run in chosen]
    year, least, cost, about = np.array(numbers, dtype=np.float64).reshape(-1, 4).T
    words = (tuple(map(_maker, chosen)), tuple(map(_domain, chosen)), tuple(run.confidence for run in chosen))
    least = np.where(np.isnan(least), -np.inf, least)
    return Hidden(year, least, cost, about, *words, tuple(run.name for run in chosen))


def _priced(history: AcceleratorHistory | None, last: dt.date) -> AcceleratorHistory:
    """Keep the accelerators that were released by then and have a price; none of no history."""
    if history is None:
        return AcceleratorHistory("none", "none", (), Report(0))
    known = history.known_until(last, came="released")
    priced = np.isfinite(known.log_flops_per_usd)
    if priced.sum() < FEWEST_PRICES:
        rule = f"only {priced.sum()} accelerators with a price are known by {last}; a trend needs {FEWEST_PRICES}."
        raise refusal(history.file, rule, "Name a later date, add the table of prices, or leave hardware out.")
    return known.where(priced)


def refuse_stale(known: RunHistory, until: dt.date) -> None:
    """Refuse a table that is said to be known up to a day, and whose newest run is too old for that."""
    if rule := known.silence(until):
        day = known.told[-1].date
        remedy = f"What came in between is not known here. Ask up to {day} (until, or the snapshot), or add runs."
        raise refusal(known.file, f"{rule}.", remedy)


def _check_counts(known: RunHistory, is_top: NDArray[np.bool_], *, until: dt.date) -> None:
    if is_top.sum() < FEWEST_RUNS:
        rule = f"only {is_top.sum()} runs of the frontier are known by {until}; a trend needs {FEWEST_RUNS}."
        raise refusal(known.file, rule, "Name a later date, or a longer history.")
    if np.isnan(known.log_cost).all():
        unknown = sum(run.log_cost is None for run in known.runs)
        rule = (
            f"no run by {until} has a cost that belongs to it: "
            f"{unknown} of {len(known.runs)} are unknown (0.0 is unknown), the rest do not fit their FLOP."
        )
        raise refusal(known.file, rule, "Spending cannot be told from hardware efficiency without costs: add some.")
