"""The frontier: which runs were among the largest when they came out, judged from the past alone."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError, near_name
from simulator.history.columns import last_day, refusal
from simulator.history.loading import SNAPSHOT, load_history, shipped_runs
from simulator.history.tables import SAME, HiddenRun, RunHistory, TrainingRun
from simulator.runs.table import Table, values_or_none


@dataclass(frozen=True, slots=True)
class Trend:
    """A straight line through log10 levels: OOM per year, its standard error, and how many points it has."""

    slope: float
    standard_error: float
    count: int

    @property
    def interval_90(self) -> tuple[float, float]:
        """The 90 % interval of the slope, OOM per year, as if the residuals were normal."""
        return self.slope - 1.645 * self.standard_error, self.slope + 1.645 * self.standard_error


def published_until(history: RunHistory, date: dt.date) -> RunHistory:
    """Keep what was published up to and including a date."""
    known = history.known_until(date, came="published")
    if not known.runs:
        first = history.runs[0]
        rule = f"no run was published by {date}: the first, {first.name}, came on {first.date}."
        raise refusal(history.file, rule, "Name a later cut-off date, or a longer history.")
    return known


def without(history: RunHistory, *, domains: Iterable[str] = (), names: Mapping[str, str] | None = None) -> RunHistory:
    """Leave out runs by domain, or by name with a reason; those without FLOP too.

    A rank that the table states is counted again without them.
    """
    domains = tuple(domains)
    reasons = {f"domain {domain}": _matching(history, domain, "domain", lambda run: run.domains) for domain in domains}
    for name, reason in (names or {}).items():
        reasons.setdefault(reason, []).extend(_matching(history, name, "run", lambda run: (run.name,)))
    gone = {id(run) for runs in reasons.values() for run in runs}
    kept = [run for run in history.runs if id(run) not in gone]
    hidden = tuple(run for run in history.hidden if id(run) not in gone)
    if not kept:
        raise refusal(history.file, "nothing is left of the history.", "Leave fewer domains or runs out.")
    removed = [run for run in history.runs if id(run) in gone]
    report = history.report
    for reason, runs in reasons.items():
        report = report.without(f"left out: {reason}", [run.name for run in runs])
    rows = tuple(_reranked(run, removed) for run in kept)
    return replace(history, rows=rows, report=report, hidden=hidden)


def rank_at_release(history: RunHistory, *, same_day: bool = True) -> NDArray[np.float64]:
    """Rank each run (run,), from 1, among those published up to and including its date.

    rank = 1 + the number of runs that had more FLOP by more than 0.0001 OOM; without `same_day`, of earlier days.
    Runs that continue another model include its FLOP: they are not ranked (+inf), and count for nobody. A rank that
    the table states goes before.
    """
    level, stated = history.log_flop, history.numbers("stated_rank")
    larger = _known(history, same_day=same_day) & (level > level[:, None] + SAME)
    ranks = np.where(np.isnan(stated), 1.0 + larger.sum(axis=1), stated)
    return np.where(_from_nothing(history), ranks, np.inf)


def top_at_release(history: RunHistory, n: int = 10) -> NDArray[np.bool_]:
    """Say which runs were among the n largest when they came out: array (run,)."""
    return rank_at_release(history) <= n


def hidden_at_release(history: RunHistory, *, top: int, within_oom: float | None = None) -> tuple[HiddenRun, ...]:
    """List the runs without FLOP that were of the frontier when they came out, by what is known of them."""
    day, base = np.array([run.date.toordinal() for run in history.runs]), _from_nothing(history)
    found = []
    for run in history.hidden:
        known = history.log_flop[base & (day <= run.date.toordinal())]
        least = -np.inf if within_oom is None else known.max(initial=-np.inf) - within_oom
        is_top = within_oom is not None or (known > run.log_about + SAME).sum() < top
        if is_top and not run.base_model and run.log_about > -np.inf and run.log_about >= least:
            found.append(run)
    return tuple(found)


def records_at_release(history: RunHistory) -> NDArray[np.bool_]:
    """Say which runs were larger than every earlier one, and than those of the same day: array (run,).

    A run that equals the record within 0.0001 OOM is none; of equals of one day the first by name may be one.
    """
    level, stated = history.log_flop, history.numbers("stated_rank")
    beats = _from_nothing(history) & (level > _record(history, same_day=False) + SAME)
    best = np.flatnonzero(beats & (level == _record(history)))
    _, first = np.unique(level[best], return_index=True)
    records = np.zeros(level.size, dtype=np.bool_)
    records[best[first]] = True
    return np.asarray(records & (np.isnan(stated) | (stated == 1)), dtype=np.bool_)


def within_of_record(history: RunHistory, oom: float) -> NDArray[np.bool_]:
    """Say which runs came within some orders of magnitude of the record of their date, itself included: array (run,).

    Runs that continue another model are never within.
    """
    return _from_nothing(history) & (history.log_flop >= _record(history) - oom - SAME)


def largest_of_each(levels: NDArray[np.float64], kinds: Sequence[Hashable]) -> NDArray[np.bool_]:
    """Say which is the largest of its kind (run,), the first of equals: runs of one line err together.

    >>> largest_of_each(np.array([22.1, 23.0, 22.5]), [("Google", 2017), ("Google", 2017), ("OpenAI", 2017)]).tolist()
    [False, True, True]
    """
    best: dict[Hashable, int] = {}
    for place, kind in enumerate(kinds):
        if kind not in best or levels[place] > levels[best[kind]]:
            best[kind] = place
    return np.isin(np.arange(len(kinds)), list(best.values()))


def _from_nothing(history: RunHistory) -> NDArray[np.bool_]:
    """Say which runs continue no other model (run,): those alone are ranked."""
    return np.array([not run.base_model for run in history.runs], dtype=np.bool_)


def _known(history: RunHistory, *, same_day: bool = True) -> NDArray[np.bool_]:
    """Say of each run which ranked runs were known when it came out (run, other)."""
    days = np.array([run.date.toordinal() for run in history.runs])
    return _from_nothing(history) & (days <= days[:, None] if same_day else days < days[:, None])


def _record(history: RunHistory, *, same_day: bool = True) -> NDArray[np.float64]:
    """Give the largest run that was known when each came out (run,), log10 FLOP; -inf where there was none."""
    known = np.where(_known(history, same_day=same_day), history.log_flop, -np.inf)
    return np.asarray(known.max(axis=1), dtype=np.float64)


def record_on(history: RunHistory, date: dt.date) -> TrainingRun | None:
    """Find the largest run that was published up to and including a date; None before the first."""
    known = (run for run in history.runs if run.date <= date and not run.base_model)
    return max(known, key=lambda run: run.log_flop, default=None)


def year_end_records(
    history: RunHistory, *, first: int | None = None, last: int | None = None
) -> dict[int, TrainingRun | None]:
    """Find the record at the end of each year from the first run's on."""
    known_to = history.known_to
    ended = known_to.year if (known_to.month, known_to.day) == (12, 31) else known_to.year - 1
    years = range(history.runs[0].date.year if first is None else first, (ended if last is None else last) + 1)
    return {year: record_on(history, dt.date(year, 12, 31)) for year in years}


def trend(years: NDArray[np.float64], log_levels: NDArray[np.float64]) -> Trend:
    """Fit a straight line to log10 levels by least squares; pairs with a NaN are left out.

    Three points of more than one date are needed (ValueError).

    >>> line = trend(np.array([2020.0, 2021.0, 2022.0]), np.array([1.0, 2.0, 3.0]))
    >>> round(line.slope, 6), round(line.standard_error, 6)
    (1.0, 0.0)
    """
    known = np.isfinite(years) & np.isfinite(log_levels)
    x, y = years[known], log_levels[known]
    if x.size < 3 or np.ptp(x) == 0:
        raise ValueError("a line with an error needs three points of more than one date")
    (slope, _), covariance = np.polyfit(x - x.mean(), y, 1, cov=True)
    return Trend(float(slope), math.sqrt(covariance[0, 0]), int(x.size))


def chosen_runs(
    runs: FilePath | str | None = None,
    *,
    snapshot: str | None = None,
    until: str | None = None,
    without_domain: Iterable[str] = (),
    without_run: Mapping[str, str] | None = None,
) -> RunHistory:
    """Load a table of training runs, or what is shipped, and leave out what does not count."""
    if runs is not None and snapshot is None:
        raise InputError(f"--snapshot: {runs} needs the date of its export. Write for example --snapshot 2025-06.")
    history = shipped_runs(snapshot or SNAPSHOT) if runs is None else load_history(runs, snapshot=str(snapshot))
    if without_domain or without_run:
        history = without(history, domains=without_domain, names=without_run)
    return history if until is None else published_until(history, last_day(until, entry="--until"))


def frontier_runs(
    runs: RunHistory | FilePath | str | None = None,
    *,
    snapshot: str | None = None,
    top: int = 10,
    since: int = 2012,
    until: str | None = None,
    without_domain: Iterable[str] = (),
    without_run: Mapping[str, str] | None = None,
) -> Table:
    """List the training runs that were among the largest when they came out, judged from the past alone.

    A run's rank is 1 + the number of runs up to and including its day that had more FLOP; runs that continue another
    model are not ranked. A record is larger than every earlier run, and than those of its day.

    Parameters
    ----------
    runs : RunHistory or path, optional
        A table of training runs, of which `snapshot` is the date; what is shipped without it. The shipped table is
        whole among the five largest at release, and not beyond.
    snapshot : str, optional
        The date of the estimates, such as 2025-06.
    top : int
        Among so many largest at release.
    since : int
        The first year of the list.
    until : str, optional
        What was published by then counts: a year, a month or a day.
    without_domain : iterable of str
        Domains to leave out before ranking, such as Games.
    without_run : mapping of str to str, optional
        Runs to leave out before ranking, each with the reason.

    Returns
    -------
    Table
        name, date, year (decimal), rank, record, log10_training_flop, log10_cost_usd (missing where it is unknown or
        does not belong to the run).

    Raises
    ------
    InputError
        The table cannot be read, there is no such domain or run, or nothing is left.

    Examples
    --------
    >>> runs = frontier_runs(top=1, since=2023, until="2024")
    >>> runs["name"][runs["record"]].tolist()
    ['GPT-4', 'Gemini 1.0 Ultra']
    """
    if not isinstance(runs, RunHistory):
        runs = chosen_runs(runs, snapshot=snapshot, until=until, without_domain=without_domain, without_run=without_run)
    return frontier_table(runs, top, since=since)


def frontier_table(history: RunHistory, n: int, *, since: int) -> Table:
    """Tabulate the runs among the n largest at release since a year."""
    ranks = rank_at_release(history)
    chosen = (ranks <= n) & (history.years >= since)
    costs = history.log_cost
    return Table(
        {
            "name": history.names,
            "date": [run.date.isoformat() for run in history.runs],
            "year": history.years,
            "rank": ranks,
            "record": records_at_release(history),
            "log10_training_flop": history.log_flop,
            "log10_cost_usd": values_or_none(costs).tolist(),
        }
    ).where(chosen)


def frontier_lines(history: RunHistory, n: int = 10, *, since: int = 2012) -> list[str]:
    """List the runs among the n largest at release since a year, the records marked, and their growth per year."""
    table = frontier_table(history, n, since=since)
    head = f"{history.file} (snapshot {history.snapshot}): {len(table)} runs among the {n} largest at release"
    lines = [f"{head}, since {since}; * is a record", "  date        rank  log10 FLOP   log10 USD  name"]
    for row in table.rows():
        price = f"{'-':>11}" if row["log10_cost_usd"] is None else f"{row['log10_cost_usd']:11.2f}"
        mark = "*" if row["record"] else " "
        lines.append(
            f"  {row['date']}  {row['rank']:4.0f}  {row['log10_training_flop']:9.2f}{mark} {price}  {row['name']}"
        )
    for what, column in (("compute", "log10_training_flop"), ("cost", "log10_cost_usd")):
        levels = np.asarray(table[column], dtype=np.float64)
        if np.isfinite(levels).sum() > 2 and np.ptp(table["year"]) > 0:
            line = trend(table["year"], levels)
            low, high = (10**rate for rate in line.interval_90)
            lines.append(f"  {what}: {10**line.slope:.2f}x a year (90 % {low:.2f} to {high:.2f}), {line.count} runs")
    return lines + [f"  note: {doubt}" for doubt in history.report.doubts]


def _matching(
    history: RunHistory, word: str, what: str, read: Callable[[TrainingRun | HiddenRun], tuple[str, ...]]
) -> list[TrainingRun | HiddenRun]:
    every: list[TrainingRun | HiddenRun] = [*history.runs, *history.hidden]
    found = [run for run in every if word.casefold() in (text.casefold() for text in read(run))]
    if not found:
        known = dict.fromkeys(text for run in every for text in read(run))
        hint = near_name(word, known) or f"There are for example {', '.join(list(known)[:6])}."
        raise refusal(history.file, f"has no {what} '{word}'.", hint)
    return found


def _reranked(run: TrainingRun, removed: Iterable[TrainingRun]) -> TrainingRun:
    """Count a stated rank again without some runs that were larger before it."""
    if run.stated_rank is None:
        return run
    larger = sum(
        other.date < run.date and other.log_flop > run.log_flop + SAME and not other.base_model for other in removed
    )
    return replace(run, stated_rank=run.stated_rank - larger)
