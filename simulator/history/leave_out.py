"""What each group of runs does to the rate: growth of the frontier with and without a domain, a maker, a family."""

from __future__ import annotations

import datetime as dt
import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.errors import InputError, near_name
from simulator.history.diagnostics import LARGEST_RATE_GAP
from simulator.history.frontier import published_until, top_at_release, without
from simulator.history.observations import FEWEST_RUNS, FIRST_YEAR, Array
from simulator.history.tables import RunHistory, TrainingRun

TAIL: Final[float] = 4.0
"""Degrees of freedom of the scatter about the line: outliers count for little, as in the model of history."""
FEWEST_OF_A_GROUP: Final[int] = 2
_STEPS: Final[int] = 500
_FAMILY = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, slots=True)
class RateWithout:
    """Compare the growth of frontier compute with and without one group of runs, OOM/year.

    `frontier_runs` counts the group's runs on the frontier; `change` = `rate` - `rate_without`; `flagged` says
    whether that is more than 0.1 OOM/year either way: half an OOM in five years.
    """

    kind: str
    left_out: str
    frontier_runs: int
    rate: float
    rate_without: float
    change: float
    flagged: bool

    @property
    def line(self) -> str:
        """The comparison in words."""
        text = (
            f"{self.kind} {self.left_out} ({self.frontier_runs} runs): {self.rate:.2f} OOM/year, without "
            f"{self.rate_without:.2f}"
        )
        return f"{text}: the rate rests on these runs" if self.flagged else text


def rates_without(
    history: RunHistory, *, until: dt.date, top: int = 10, named: Sequence[str] = ()
) -> tuple[RateWithout, ...]:
    """Measure growth with and without each domain, organisation and name family of the frontier, and groups by hand.

    Groups of at least two frontier runs count, unless fewer than five frontier runs are left; those are ranked again.
    The most influential come first. A group by hand: names with * for any letters, joined by commas.
    """
    # A name family is the runs whose names begin with the same letters: AlphaGo Lee and AlphaGo Zero, GPT-3 and GPT-4.
    # A jump that is later defined away looks like growth, and no residual shows it; the rate without its group does.
    known = published_until(history, until)
    frontier = _frontier(known, top=top)
    if len(frontier.runs) < FEWEST_RUNS:
        raise InputError(
            f"{history.file}: only {len(frontier.runs)} runs of the frontier are known from {FIRST_YEAR} to {until}; "
            f"a rate with and without some needs {FEWEST_RUNS}. Name a later date."
        )
    rate = robust_slope(frontier.years, frontier.log_flop)
    found = []
    for (kind, name), members in _groups(known, frontier.runs, named=named).items():
        on_frontier = sum(name in members for name in frontier.names)
        if (kind != "by hand" and on_frontier < FEWEST_OF_A_GROUP) or len(members) == len(known.runs):
            continue
        left = _frontier(leave_out(known, members, reason=name), top=top)
        if len(left.runs) < FEWEST_RUNS:
            continue
        slope = robust_slope(left.years, left.log_flop)
        change = rate - slope
        found.append(RateWithout(kind, name, on_frontier, rate, slope, change, abs(change) > LARGEST_RATE_GAP))
    return tuple(sorted(found, key=lambda each: -abs(each.change)))


def leave_out(history: RunHistory, names: Iterable[str], *, reason: str) -> RunHistory:
    """Leave runs out by their names; those that are left are ranked again."""
    return without(history, names=dict.fromkeys(names, reason))


def members(history: RunHistory, group: RateWithout) -> tuple[str, ...]:
    """List the names of the runs of a group that `rates_without` gave, in any history."""
    found = _groups(history, history.runs, named=(group.left_out,) if group.kind == "by hand" else ())
    return tuple(sorted(found.get((group.kind, group.left_out), ())))


def robust_slope(years: Array, levels: Array) -> float:
    """Fit a straight line with Student-t scatter of 4 degrees of freedom to log10 levels, and give its slope, OOM/year.

    The most likely line, by weighted least squares again and again: a point that lies r from the line has the
    weight 5 / (4 + r^2 / s^2), with s^2 the weighted mean of r^2 (Lange, Little and Taylor 1989).

    >>> years = np.arange(2012.0, 2020.0)
    >>> levels = 18 + 0.5 * (years - 2012)
    >>> levels[-1] += 3  # one run far above the line
    >>> round(robust_slope(years, levels), 2), round(float(np.polyfit(years, levels, 1)[0]), 2)
    (0.5, 0.75)
    """
    if np.ptp(years) == 0:
        raise ValueError("a slope needs points of more than one date")
    weights, slope = np.ones_like(levels), np.inf
    for _ in range(_STEPS):
        centre_x, centre_y = np.average(years, weights=weights), np.average(levels, weights=weights)
        x, y = years - centre_x, levels - centre_y
        former, slope = slope, float((weights * x * y).sum() / (weights * x * x).sum())
        squares = (y - slope * x) ** 2
        spread = float((weights * squares).mean())
        if spread <= 1e-20 or abs(slope - former) < 1e-10:
            break
        weights = (TAIL + 1) / (TAIL + squares / spread)
    return slope


def _frontier(known: RunHistory, *, top: int) -> RunHistory:
    return known.where(top_at_release(known, top) & (known.years >= FIRST_YEAR))


def _groups(
    known: RunHistory, frontier: Sequence[TrainingRun], *, named: Sequence[str]
) -> Mapping[tuple[str, str], set[str]]:
    """Name all known runs of each domain, organisation and family that the frontier has, and of those by hand."""
    wanted = {key for run in frontier for key in _keys(run)}
    found: dict[tuple[str, str], set[str]] = {}
    for run in known.runs:
        for key in _keys(run):
            if key in wanted:
                found.setdefault(key, set()).add(run.name)
    for text in named:
        found["by hand", text] = _matching(known, text)
    return found


def _keys(run: TrainingRun) -> Iterable[tuple[str, str]]:
    yield from (("domain", domain) for domain in run.domains)
    yield from (("organisation", each) for each in dict.fromkeys(run.organisation.split(", ")) if each)
    family = _FAMILY.match(run.name)
    if family:
        yield "name family", family[0]


def _matching(known: RunHistory, text: str) -> set[str]:
    names = known.names
    chosen: set[str] = set()
    for part in (each.strip() for each in text.split(",")):
        # A name may hold brackets: only * stands for other letters.
        pattern = re.sub(r"([\[?])", r"[\1]", part).casefold()
        found = [name for name in names if fnmatch.fnmatchcase(name.casefold(), pattern)]
        if not found:
            hint = near_name(part.rstrip("*"), names) or "Write * for any letters, e.g. 'AlphaGo*'."
            raise InputError(f"--leave-out: {known.file} has no run '{part}' by then. {hint}")
        chosen.update(found)
    return chosen
