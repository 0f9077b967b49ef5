"""Flows that are added up to stocks, which may age: log10 of base units, (sample, year) or (1, year)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path, SimulatorError, dotted
from simulator.model import growth
from simulator.model.breaks import breaks_between
from simulator.model.fine_grid import fine_grid, is_fine
from simulator.model.levels import Block, LevelOf, quantity_line
from simulator.model.lines import Line
from simulator.schema.prior_names import entries_of, parts_of
from simulator.schema.quantities import Level, Operation
from simulator.schema.stocks import Stock
from simulator.units import SECONDS_PER_YEAR, Array
from simulator.wording import percent

type _FlowAt = Callable[[Array], Array]
"""Gives a flow at times."""


def accumulated(operation: Operation | Stock, path: Path, block: Block, years: Array, level_of: LevelOf) -> Array:
    """Add a flow up to a stock that may age, (sample, year) or (1, year)."""
    line, flow_at = _flow(operation, path, block, level_of)
    is_straight = line is not None and not line.bends  # it needs no fine grid
    if not (is_straight and years.ndim > 1) and (known := _known(operation, path, block, years)) is not None:
        return known
    base = block.spec.years.first if operation.at is None else operation.at
    if np.any(base > years[0]):
        raise SimulatorError(
            f"{dotted(path)}: accumulates from {base:g}, after the first year {years[0]:g}. Set at: earlier."
        )
    if is_straight and years.ndim > 1:
        return _added_up(operation, path, block, years, base=base, flow_at=flow_at)
    times = np.unique([base, *years]) if is_straight else fine_grid(base, float(years[-1]), years)
    # A stock S that loses a part d a year has S e^(d t) grow by the flow times e^(d t): added up, and turned back.
    decay, per_base = _decay(operation, path, block)[:, None], np.log10(SECONDS_PER_YEAR)
    turn = decay * (times - base)
    per_year = flow_at(times) + per_base + turn  # base units of a flow are per second
    on_grid = times == base if is_straight else is_fine(times)
    grid = np.flatnonzero(on_grid)
    breaks = None if is_straight else _Breaks.of(times, block, lambda at: flow_at(at) + per_base + decay * (at - base))
    start = block.draw((*path, "start")) if operation.service_life is None else np.full(1, -np.inf)
    on = growth.accumulate(times[grid], per_year[:, grid], log_start=start)
    stock = np.empty((on.shape[0] if breaks is None else block.size, times.size))
    stock[:, grid] = on if breaks is None else breaks.mended(times[grid], per_year[:, grid], on)
    for time in np.flatnonzero(~on_grid):  # added up from the grid and not onto it: no year changes another
        before = grid[np.searchsorted(grid, time) - 1]
        step = [before, time]
        on = growth.accumulate(times[step], per_year[:, step], log_start=stock[:, before])
        stock[:, time] = (on if breaks is None else breaks.mended(times[step], per_year[:, step], on))[:, 1]
    if operation.service_life is not None and not is_straight:  # what is left is found where it is asked for
        for key, held in ((ADDED, stock), (FLOW, per_year)):
            block.stepped((*path, key), times, held)
        return np.asarray(_known(operation, path, block, years))
    if operation.service_life is not None:
        ends, every = np.unique([0, times.size - 1]), np.arange(times.size)[None]
        stock = _less_retired(_Added(times, stock, per_year, ends), every, path=path, block=block)
    return block.stepped(path, times, stock - turn)[:, np.searchsorted(times, years)]


ADDED, FLOW = "added", "flow"
"""Of a stock that serves for a time: where what was added up, and the flow, are held on the fine grid."""


def _known(operation: Operation | Stock, path: Path, block: Block, years: Array) -> Array | None:
    """Read a stock that was added up on the fine grid, as `Block.between` does; None where it was not."""
    whole = block.whole if block.whole and isinstance(block.samples, np.ndarray) else None
    steps = (whole or block).steps
    if (known := block.between(path, years)) is not None or (*path, ADDED) not in steps:
        return known
    (times, stock), (_, per_year) = (steps[*path, key] for key in (ADDED, FLOW))
    added = _Added(times, stock, per_year, np.flatnonzero(is_fine(times)))
    decay = _decay(operation, path, block)[:, None]

    def left(place: NDArray[np.intp]) -> Array:
        rows = None if whole is None else cast("NDArray[np.intp]", block.samples) - whole.begin
        stands = _less_retired(added, place, path=path, block=block, rows=rows)
        return np.asarray(stands - decay * (times[place] - times[0]))

    after = np.atleast_2d(np.searchsorted(times, years))
    if years.ndim == 1 and whole is None:
        if after[0, -1] == times.size or (times[after[0]] != years).any():  # times rise
            return None
        if path not in steps and 2 * years.size < times.size:
            return left(after)
        levels = left(np.arange(times.size)[None])  # of so many times all are held
        steps[path] = times, levels
        return levels[:, after[0]]
    after = np.clip(after, 1, times.size - 1)
    low, share = left(after - 1), (years - times[after - 1]) / (times[after] - times[after - 1])
    return np.asarray(low + share * (left(after) - low))


@dataclass(frozen=True, slots=True)
class _Breaks:
    """Where a flow jumps, (date, sample), +inf where a sample has fewer; with its log10 before and after."""

    dates: Array
    before: Array
    after: Array

    @classmethod
    def of(cls, times: Array, block: Block, flow_at: _FlowAt) -> _Breaks | None:
        """Find them; None where it does not jump."""
        dates = breaks_between(times, entries_of(Level, block.spec), block, block.size)
        known = np.where(np.isfinite(dates), dates, times[-1])
        before, after = (
            np.array([np.broadcast_to(flow_at(at[:, None])[:, 0], block.size) for at in each]).reshape(known.shape)
            for each in (np.nextafter(known, times[0]), known)
        )
        jumps = (np.abs(after - before) > 1e-9).any(axis=1)  # NaN, of nothing bought on both sides, is no jump
        return cls(dates[jumps], before[jumps], after[jumps]) if jumps.any() else None

    def mended(self, grid: Array, flow: Array, stock: Array) -> Array:
        """Count jumps from their day on in a stock that was added up of a flow as if it were straight on each step."""
        rows = np.arange(self.dates.shape[1])
        flow, stock = (np.broadcast_to(each, (rows.size, grid.size)) for each in (flow, stock))
        begun, level = np.full(rows.size, -np.inf), np.zeros(rows.size)  # what stands before a jump in its step
        more: Array = np.zeros(stock.shape)
        for date, before, after in zip(self.dates, self.before, self.after, strict=True):
            step = np.clip(np.searchsorted(grid, date), 1, grid.size - 1)
            low, high, last = grid[step - 1], grid[step], flow[rows, step]
            here, again = (date > low) & (date <= high), begun > low
            low, first = np.where(again, begun, low), np.where(again, level, flow[rows, step - 1])
            whole = stock[rows, step]
            part = _added(first, before, date - low, whole) + _added(after, last, high - date, whole)
            part = np.where(here, part - _added(first, last, high - low, whole), 0.0)
            more += part[:, None] * 10.0 ** np.minimum(whole[:, None] - stock, 0.0) * (grid >= high[:, None])
            begun, level = np.where(here, date, begun), np.where(here, after, level)
        return np.asarray(stock + np.log1p(more) / growth.LN_10)


def _added(first: Array, last: Array, span: Array, whole: Array) -> Array:
    """Add up a flow that is straight in the log, as a part of a stock."""
    fall = growth.mean_decay(np.abs(first - last) * growth.LN_10)
    return np.asarray(10.0 ** (np.maximum(first, last) - whole) * fall * np.where(np.isfinite(span), span, 0.0))


def _flow(operation: Operation | Stock, path: Path, block: Block, level_of: LevelOf) -> tuple[Line | None, _FlowAt]:
    """Give what is added up as broken lines, if it is such, and its levels at times; nothing may be added."""
    if not (parts := parts_of(operation, path)):
        nothing = np.full(1, -np.inf)
        return Line(block.spec.years.first, nothing), lambda times: np.full_like(np.atleast_2d(times), -np.inf)
    at, flow = parts[0]
    return quantity_line(flow, at, block), lambda times: level_of(flow, at, block, times)


@dataclass(frozen=True, slots=True)
class _Added:
    """What was added up at times, and the flow, (sample, time) or (1, time); straight in the log between the `grid`."""

    times: Array
    stock: Array
    per_year: Array
    grid: NDArray[np.intp]


def _less_retired(
    added: _Added, place: NDArray[np.intp], *, path: Path, block: Block, rows: NDArray[np.intp] | None = None
) -> Array:
    """Take from what was added up what has served its life, and add what is left of the start, (sample, n).

    Stock(t) = start max(0, 1 - (t - t0) / life) + added(t) - added(t - life); flows are straight in the log on a step.
    It is given at the times of some places, (sample, n) or (1, n), of all samples or of those of some `rows`.
    """
    life, start = (block.draw((*path, key))[:, None] for key in ("service_life", "start"))
    if added.grid.size < 2:
        return start
    rows = np.arange(max(map(len, (added.stock, added.per_year, life)))) if rows is None else rows
    stock, flows = (partial(_taken, levels, rows) for levels in (added.stock, added.per_year))
    times, grid = added.times[place], added.times[added.grid]
    then = np.broadcast_to(times - life, (rows.size, place.shape[1]))
    before = np.clip(np.searchsorted(grid, then, side="right") - 1, 0, grid.size - 1)
    after = np.clip(before + (grid[before] < then), 1, grid.size - 1)
    first, low, high = (flows(added.grid[at]) for at in (before, after - 1, after))
    last = low + (then - grid[after - 1]) / (grid[after] - grid[after - 1]) * (high - low)
    with np.errstate(divide="ignore"):
        step = np.maximum(then - grid[before], 0.0) * growth.mean_decay(np.abs(first - last) * growth.LN_10)
        gone = growth.log_sum([stock(added.grid[before]), np.maximum(first, last) + np.log10(step)])
        left = start + np.log10(np.maximum(1.0 - (times - added.times[0]) / life, 0.0))
    return _left_of(left, stock(place), gone, path)


def _taken(levels: Array, rows: NDArray[np.intp], place: NDArray[np.intp]) -> Array:
    """Take levels (sample, time) or (1, time) of some rows at places (sample, n) or (1, n)."""
    return levels[rows[:, None], place] if len(levels) > 1 else levels[0, place]


def _left_of(left: Array, added: Array, gone: Array, path: Path) -> Array:
    """Add what is left of the start to what was added up and is not gone."""
    kept = np.where(np.isneginf(gone), added, growth.log_difference(added, gone))
    if np.isnan(kept).any():
        raise SimulatorError(f"{dotted(path)}: next to nothing is left of it once what was bought has served its life.")
    return growth.log_sum([left, kept])


def _added_up(
    operation: Operation | Stock, path: Path, block: Block, times: Array, *, base: float, flow_at: _FlowAt
) -> Array:
    """Add a flow at a constant rate of growth up to a stock at times of each sample's own, (sample, 1), in one step."""
    span, start = times - base, block.draw((*path, "start"))
    turn = _decay(operation, path, block)[:, None] * span

    def added(until: Array, *, log_start: Array, turned: Array) -> Array:
        ends = [flow_at(each) for each in (np.full_like(times, base), until)]
        per_step = np.log10(SECONDS_PER_YEAR * np.maximum(until - base, 1e-300))
        flows = np.hstack([ends[0] + per_step, ends[1] + turned + per_step])
        return growth.accumulate([0.0, 1.0], flows, log_start=log_start)[:, 1:]

    if operation.service_life is None:
        return added(times, log_start=start, turned=turn) - turn
    life, none = block.draw((*path, "service_life"))[:, None], np.full(1, -np.inf)
    then = np.maximum(times - life, base)
    gone = np.where(then > base, added(then, log_start=none, turned=turn), -np.inf)
    with np.errstate(divide="ignore"):
        left = start[:, None] + np.log10(np.maximum(1.0 - span / life, 0.0))
    return _left_of(left, added(times, log_start=none, turned=turn), gone, path)


def _decay(operation: Operation | Stock, path: Path, block: Block) -> Array:
    """Give the rate at which a stock decays, OOM a year, (sample,) or (1,).

    SimulatorError: in some samples all of it is lost within a year.
    """
    if operation.life is not None:
        return 1.0 / (growth.LN_10 * block.draw((*path, "life")))
    if operation.depreciation is None:
        return np.zeros(1)
    lost = 10.0 ** block.draw((*path, "depreciation")) * SECONDS_PER_YEAR
    if (all_of_it := lost >= 1.0 - 1e-9).any():
        raise SimulatorError(
            f"{dotted((*path, 'depreciation'))}: is all of the stock within a year, or more, in "
            f"{percent(float(all_of_it.mean()))} of the samples. Write life: 6 months, or truncate it."
        )
    return np.asarray(-np.log10(1.0 - lost))
