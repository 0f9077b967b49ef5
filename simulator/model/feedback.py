"""Feedback: effective compute bends the growth of drivers, by points or by laws, stepped through time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import reduce
from typing import cast

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path
from simulator.model.breaks import FOLLOWING, breaks_between, followed_lags
from simulator.model.chance import jump_growth
from simulator.model.courses import is_followed
from simulator.model.fine_grid import FINE_STEPS, fine_grid, is_fine
from simulator.model.growth import Multiplier
from simulator.model.laws import COMPUTES, laws_of
from simulator.model.quantities import Chain, limit_level, quantity_level
from simulator.model.saturation import law_of, saturate
from simulator.schema.prior_names import stated_drivers
from simulator.schema.quantities import Level
from simulator.schema.subjects import Bound, Subject
from simulator.units import Array
from simulator.wording import BEYOND

MOST_CHANGE = 0.05
"""By how much the natural log of a multiplier may change in one step."""

SMALLEST = 1e-6
"""The least part of a step of the fine grid that is made at once, however fast a multiplier rises."""

MOST_ERROR = 1e-7
"""The error of one step in OOM, as estimated, up to which it stands where drivers grow by laws."""

FASTEST = BEYOND * FINE_STEPS
"""Growth, OOM/year, by which a level is beyond all numbers within a step of the fine grid."""

AWAY = 1e39
"""The level at which a driver without a ceiling stands once it is beyond all numbers, or grows faster than is followed:
beyond what a run keeps as a number."""

type Moment = Mapping[str | Path, Array]
"""Levels of samples at a moment, each (sample,): effective compute; what is demanded where there is feedback or a level
is followed, by name of the subject; of limits that it is followed under, by place, the limit and, with "followed" after
it, the level under it; after "own", what is had of a variable that limits are made of. Where a driver grows by a law,
its stocks stand after "stock", how fast it and they grow, OOM/year, after "rate", what it never passes after "most"."""


def feed_back(chain: Chain, years: Array) -> None:
    """Step the levels of drivers through time where effective compute feeds back on their growth; the block holds them.

    d level/dt = rate(t) m(effective compute(t)), by Heun's method on a grid of sixteenths of a year, each cut where a
    multiplier changes by more than a twentieth; where a driver grows by a law, all by the classical method of Runge and
    Kutta, each step cut where its error is too large. A year that is not on the grid is stepped to from the grid and
    not from, so that neither the step of the scenario nor its horizon changes the other years.
    """
    times, block = fine_grid(float(years[0]), float(years[-1]), years), chain.block
    names, lags = followed_lags(block)
    held: dict[Path, Array] = {("own", name): np.empty((block.size, times.size)) for name in names}
    if lags:
        block.known[FOLLOWING] = True
    stepper, on_grid, origin = _Stepper(chain, times, names), is_fine(times), 0
    path: list[Moment] = []
    for place in range(times.size):
        if lags:
            stepper.limit(place)
        path.append(stepper.over(path[origin], origin, place) if path else stepper.first())
        for at, levels in held.items():
            levels[:, place] = path[-1][at]
            block.steps[at] = times[: place + 1], levels[:, : place + 1]
        origin = place if on_grid[place] else origin
    if lags:
        for at in held:
            del block.steps[at]
        block.known.clear()

    def hold(key: str | Path, at: Path) -> None:
        chain.block.steps[at] = times, np.stack([moment[key] for moment in path], axis=1)

    for key in stepper.stocks:
        hold(key, key[1:])
    for name in stepper.bent:
        subject = chain.subjects[name]
        driver, fed = subject.driver, (*subject.path, "feedback")
        hold(name, fed)
        if subject.level is not None and subject.level.jumps is not None:  # held without its jumps, which are no slopes
            hold(("multiplier", driver), (*subject.path, "multiplier"))
            block.steps[fed] = times, block.steps[fed][1] - jump_growth(times, chain.multiplied_jumps(subject))
    for place_of in stepper.starts:
        hold((*place_of, "followed"), place_of)


class _Stepper:
    """What does not depend on feedback, at the times of the grid: growth alone, limits, points of multipliers."""

    def __init__(self, chain: Chain, times: Array, own: Sequence[str]) -> None:
        self.chain, self.times, self.own, block = chain, times, own, chain.block
        self.size, first = block.size, times[:1]

        def whole(values: Array) -> Array:
            """Give levels (time, sample), each time side by side."""
            rows = np.ascontiguousarray(values.T) if len(values) > 1 else values.T
            return np.broadcast_to(rows, (values.shape[-1], self.size))

        levels = {name: subject for name, subject in chain.subjects.items() if subject.level is not None}
        bounds = [(name, bound) for name, subject in chain.subjects.items() for bound in subject.bounds]
        self.grown: dict[str | Path, Array] = {
            name: whole(chain.grown(subject, times)) for name, subject in levels.items()
        }
        self.limits: dict[str | Path, Array] = {
            bound.path: np.full((times.size, self.size), np.nan)
            if own
            else whole(limit_level(bound.limit, bound.path, block, times))
            for _, bound in bounds
        }
        self.begins = {name: whole(chain.start(name))[0] for name, _ in bounds}
        self.starts = {
            bound.path: whole(chain.capped(name, first).followed[bound.name])[0]
            for name, bound in bounds
            if is_followed(bound, block.spec)
        }
        drivers = stated_drivers(block.spec)
        self.fed = {name: subject.driver for name, subject in levels.items() if drivers[subject.driver].feedback}
        self.laws = laws_of(chain)
        self.bent = (*self.fed, *self.laws)
        self.stocks = [at for name in self.laws for at in self._stocks(name).values()]
        self.beginning: dict[str | Path, Array] = {}
        for law in self.laws.values():
            for key, path in law.takes().items():
                self.grown[path] = whole(quantity_level(law.law.quantities[key], path, block, times))
        of_levels = [(each.path, cast("Level", each.level)) for each in levels.values()]
        self.breaks = breaks_between(times, of_levels, block, self.size)
        self.broken = self._at_breaks(levels, bounds) if len(self.breaks) else {}
        self.jumping = {driver for name, driver in self.fed.items() if cast("Level", levels[name].level).jumps}
        points: dict[tuple[tuple[float, float], ...], dict[str, Multiplier]] = {}
        for driver in dict.fromkeys(self.fed.values()):
            found = self._points(driver)
            points.setdefault(found.spans, {})[driver] = found
        self.numbers = {
            driver: number for number, driver in enumerate(driver for alike in points.values() for driver in alike)
        }
        self.points = [Multiplier.stacked(list(alike.values())) for alike in points.values()]
        self.followed = [name for name, bound in bounds if bound.path in self.starts]
        self.still = [
            name
            for name, subject in levels.items()
            if name not in self.bent and self.starts.keys().isdisjoint(bound.path for bound in subject.bounds)
        ]

    def _at_breaks(self, levels: Mapping[str, Subject], bounds: Sequence[tuple[str, Bound]]) -> dict[str | Path, Array]:
        """Compute what does not depend on feedback just before and on each of these dates, (before or on, sample)."""
        after = np.minimum(self.breaks, self.times[-1])
        times = np.stack([np.nextafter(after, -np.inf), after], axis=1).reshape(-1, self.size).T
        block = self.chain.block.taken(np.arange(self.size), times)
        chain = Chain(block, self.chain.subjects)
        found: dict[str | Path, Array] = {name: chain.grown(each, times) for name, each in levels.items()}
        for law in self.laws.values():
            for key, path in law.takes().items():
                found[path] = quantity_level(law.law.quantities[key], path, block, times)
        for _, bound in bounds if not self.own else ():
            found[bound.path] = limit_level(bound.limit, bound.path, block, times)
        return {key: np.broadcast_to(each.T, times.T.shape) for key, each in found.items()}

    def _points(self, driver: str) -> Multiplier:
        """Read the points of feedback on a driver."""
        block = self.chain.block
        points = stated_drivers(block.spec)[driver].feedback or ()
        drawn = (block.draw(("drivers", driver, "feedback", place, "multiplier")) for place in range(len(points)))
        return Multiplier.of(
            np.log10([point.at for point in points]), [np.broadcast_to(each, self.size) for each in drawn]
        )

    def limit(self, place: int) -> None:
        """Compute the limits at a time of the grid from what was had before."""
        now = self.times[place : place + 1]
        for bound in (bound for subject in self.chain.subjects.values() for bound in subject.bounds):
            level = limit_level(bound.limit, bound.path, self.chain.block, now)
            self.limits[bound.path][place] = level[:, 0]

    def first(self) -> Moment:
        """The first moment."""
        levels: dict[str | Path, Array] = {name: self.grown[name][0] for name in self.bent}
        levels |= {stock: np.zeros(self.size) for stock in self.stocks}
        return self._moment(levels, self._piece(slice(None), 0, 0), None)

    def over(self, start: Moment, origin: int, place: int) -> Moment:
        """Step all samples from one time of the grid to another; those that break between them up to, over and on."""
        whole, begin, end = self.stepped(start, origin, place), self.times[origin], self.times[place]
        inside = (self.breaks > begin) & (self.breaks <= end)
        rows = np.flatnonzero(inside.any(axis=0))
        if not rows.size:
            return whole
        counts = inside[:, rows].sum(axis=0)
        both = np.arange(2 * counts.max())[:, None]  # before and on each date
        held = np.minimum(2 * np.argmax(inside[:, rows], axis=0) + both, 2 * len(self.breaks) - 1)
        times = np.where(is_here := both < 2 * counts, self.breaks[held // 2, rows], end)
        apart = copy(self)
        apart.size, apart.points = rows.size, [each.taken(rows) for each in self.points]
        apart.laws = {name: law.taken(rows) for name, law in self.laws.items()}
        apart.beginning = {key: each[rows] for key, each in self.beginning.items()}
        apart.times = np.pad(times, [(1, 1), (0, 0)], constant_values=((begin, end), (0, 0)))
        apart.begins = {name: each[rows] for name, each in self.begins.items()}
        apart.starts = {path: each[rows] for path, each in self.starts.items()}

        def along(key: str | Path, level: Array) -> Array:
            low, high = level[origin][rows], level[place][rows]
            if key not in self.broken:
                return _along(low, high, (apart.times - begin) / (end - begin))
            return np.concatenate([low[None], np.where(is_here, self.broken[key][held, rows], high), high[None]])

        apart.grown = {key: along(key, each) for key, each in self.grown.items()}
        apart.limits = {key: along(key, each) for key, each in self.limits.items()}
        now: Moment = {key: values[rows] for key, values in start.items()}
        for step in range(1, len(apart.times)):
            now = apart.stepped(now, step - 1, step)
        result = {key: np.array(values) for key, values in whole.items()}
        for key, values in now.items():
            result[key][rows] = values
        return result

    def stepped(self, start: Moment, origin: int, place: int) -> Moment:
        """Step all samples from one time of the grid to another, each in as many steps as it takes."""
        whole, change = self._tried(start, slice(None), origin, place)
        left = np.flatnonzero(change > MOST_CHANGE)
        if not left.size:
            return whole
        now = {key: np.array(values) for key, values in whole.items()}
        for key, values in now.items():
            values[left] = start[key][left]
        done, part = np.zeros(self.size), _next(np.ones(self.size), change)
        while left.size:
            rest = 1.0 - done[left]
            length = np.minimum(part[left], rest)
            share = np.where(part[left] < rest, done[left] + length, 1.0)
            here = {key: values[left] for key, values in now.items()}
            there, change = self._tried(here, left, origin, place, length, share)
            fits = (change <= MOST_CHANGE) | (length <= SMALLEST)
            for key, values in there.items():
                now[key][left[fits]] = values[fits]
            done[left[fits]] = share[fits]
            part[left] = _next(length, change)
            left = left[done[left] < 1.0]
        return now

    def _piece(
        self, rows: NDArray[np.intp] | slice, origin: int, place: int, length: Array | float = 1.0,
        share: Array | float | None = None,
    ) -> _Piece:  # fmt: skip
        """Read, of some samples, what does not depend on feedback: up to a `share` of the way between two times."""
        levels = self.grown | self.limits
        begins, points = self.begins, self.points
        low, high = ([level[at][rows] for level in levels.values()] for at in (origin, place))
        ends: Iterable[Array] = high
        if share is not None:
            ends = _along(np.stack(low), np.stack(high), share)  # at once: steps of few samples are many
            begins = {name: level[rows] for name, level in begins.items()}
            points = [each.taken(rows) for each in points]
        changes = {name: (high[at] - low[at]) * length for at, name in enumerate(self.grown) if name in self.fed}
        span = self.times[place] - self.times[origin]
        span = (span if self.times.ndim == 1 else span[rows]) * length
        piece = _Piece(rows, changes, dict(zip(levels, ends, strict=True)), begins, points, span, {})
        piece.still.update({name: self._under(name, piece.ends[name], piece, None, {}) for name in self.still})
        return piece

    def _tried(
        self, here: Moment, rows: NDArray[np.intp] | slice, origin: int, place: int, length: Array | float = 1.0,
        share: Array | None = None,
    ) -> tuple[dict[str | Path, Array], Array]:  # fmt: skip
        """Go over a piece of a step, and tell by how much the log of a multiplier changes on it.

        Where a driver grows by a law, the change is told for which the next step is right by its error.
        """
        piece = self._piece(rows, origin, place, length, share)
        if self.laws:
            middle = (1.0 if share is None else share) - length / 2.0
            return self._by_laws(here, self._piece(rows, origin, place, length / 2.0, middle), piece, length)
        before = piece.multipliers(here["effective_compute"])
        after = piece.multipliers(self._advanced(here, before, piece)["effective_compute"])
        there = self._advanced(here, (before + after) / 2, piece)
        return there, np.abs(np.log(after / before)).max(axis=0)

    def _by_laws(
        self, here: Moment, middle: _Piece, end: _Piece, length: Array | float
    ) -> tuple[dict[str | Path, Array], Array]:
        """Go over a piece of a step by the classical method of Runge and Kutta; its error is told by the last slopes.

        The third order that is embedded in it has the weights 1/6, 1/3, 1/3, 1/15 and, of the slope at the end, 1/10.
        """

        def slopes(moment: Moment) -> dict[str | Path, Array]:
            found = {key: moment[_rate(key)] * end.span for name in self.laws for key in self._states(name)}
            by = end.multipliers(moment["effective_compute"]) if self.fed else np.empty(0)
            return found | {name: end.changes[name] * by[self.numbers[of]] for name, of in self.fed.items()}

        def over(piece: _Piece, part: float, by: Mapping[str | Path, Array]) -> dict[str | Path, Array]:
            return self._moment({key: here[key] + part * each for key, each in by.items()}, piece, here)

        with np.errstate(over="ignore", invalid="ignore"):
            first = slopes(here)
            second = slopes(over(middle, 0.5, first))
            third = slopes(over(middle, 0.5, second))
            fourth = slopes(over(end, 1.0, third))
            mean = {key: (first[key] + 2.0 * (second[key] + third[key]) + fourth[key]) / 6.0 for key in first}
            there = over(end, 1.0, mean)
            after = slopes(there)
            errors = {
                key: np.nan_to_num(np.abs(after[key] - fourth[key]) / 10.0, nan=np.inf, posinf=np.inf) for key in first
            }
        error = reduce(np.maximum, errors.values())
        stuck = (error > MOST_ERROR) & (length <= SMALLEST)
        lost = {
            name: (there[name] > BEYOND) | (there[_rate(name)] > FASTEST)
            | (stuck & (reduce(np.maximum, [errors[at] for at in self._states(name)]) > MOST_ERROR))
            for name in self.laws
        }  # fmt: skip
        if any(each.any() for each in lost.values()):
            levels = {key: there[key] for key in first}
            for name, each in lost.items():
                levels[name] = np.where(each, there["most", name], there[name])
                levels |= {at: np.where(each, AWAY, there[at]) for at in self._states(name)[1:]}
            there = self._moment(levels, end, here)
        return there, MOST_CHANGE * np.where(stuck, 0.0, error / MOST_ERROR) ** 0.25

    def _advanced(self, here: Moment, by: Array, piece: _Piece) -> dict[str | Path, Array]:
        """Let all levels grow over a piece of a step, those with feedback by these multiples of their growth."""
        grown = {name: here[name] + piece.changes[name] * by[self.numbers[of]] for name, of in self.fed.items()}
        return self._moment(grown, piece, here)

    def _under(
        self, name: str, demanded: Array, piece: _Piece, before: Moment | None, moment: dict[str | Path, Array]
    ) -> Array:
        """Put a level under its limits at the end of a piece; what is followed stands in the moment then."""
        least = demanded
        for bound in self.chain.subjects[name].bounds:
            level, begin = piece.ends[bound.path], piece.begins[name]
            if bound.path not in self.starts:
                bent = saturate(demanded, level, kind=bound.limit.kind, log_start=begin)
            else:
                if before is None:
                    bent = self.starts[bound.path][piece.rows]
                else:
                    step = cast("Callable[..., Array]", law_of(bound.limit.kind).step)
                    ends = (before[name], demanded), (before[bound.path], level)
                    bent = step(before[*bound.path, "followed"], *ends, log_start=begin)
                moment |= {bound.path: level, (*bound.path, "followed"): bent}
            least = np.minimum(least, bent)
        return least

    def _moment(
        self, fed: Mapping[str, Array] | Mapping[str | Path, Array], piece: _Piece, before: Moment | None
    ) -> dict[str | Path, Array]:
        """Put levels together at the end of a piece of a step, from those that feedback bends."""
        moment: dict[str | Path, Array] = dict(fed.items())
        capped: dict[str | Path, Array] = dict(piece.still.items())
        for name, subject in self.chain.subjects.items():
            if name in capped:
                continue
            if subject.level is None:
                demanded = reduce(np.add, [capped[part] for part in subject.parts])
            else:
                demanded = fed[name] if name in fed else piece.ends[name]
            if name in self.followed:
                moment[name] = demanded
            capped[name] = self._under(name, demanded, piece, before, moment)
        moment["effective_compute"] = capped["effective_compute"] = capped["physical_compute"] + capped.get(
            "algorithms", 0.0
        )
        moment |= {("own", name): capped[name] for name in self.own}
        if self.jumping:
            multipliers = piece.multipliers(capped["effective_compute"])
            moment |= {("multiplier", driver): multipliers[self.numbers[driver]] for driver in self.jumping}
        if self.laws:
            moment |= self._rates(moment, {**piece.ends, **capped}, piece.rows)
        return moment

    def _rates(
        self, moment: Moment, levels: Mapping[str | Path, Array], rows: NDArray[np.intp] | slice
    ) -> dict[str | Path, Array]:
        """Tell how fast what grows by laws does, OOM/year; not at all where it is beyond all numbers."""
        if not self.beginning:  # the first moment
            self.beginning |= levels
            self.beginning |= {("start", name): moment[name] for name in self.laws}
        found: dict[str | Path, Array] = {}
        for name, law in self.laws.items():
            taken: dict[str, str | Path] = {**{key: key for key in COMPUTES}, **law.takes()}
            state = {key: levels[at] - self.beginning[at][rows] for key, at in taken.items()}
            state["start"] = self.beginning["start", name][rows]
            state["level"] = moment[name] - state["start"]  # what caps hold back makes nothing easier
            stocks = self._stocks(name)
            state |= {stock: moment[at] for stock, at in stocks.items()}
            rates = law.follow(law.taken(rows).parameters, state)
            is_still = reduce(np.logical_or, [moment[at] > BEYOND for at in self._states(name)])
            found[_rate(name)] = np.where(is_still, 0.0, rates["growth"])
            found |= {_rate(at): np.where(is_still, 0.0, rates[stock]) for stock, at in stocks.items()}
            most = np.minimum(state["start"] + rates.get("most", np.inf), AWAY)
            found["most", name] = np.zeros(is_still.shape) + most
        return found

    def _stocks(self, name: str) -> dict[str, Path]:
        """Give the places of the stocks of a law, by name."""
        law = self.laws[name]
        return {stock: ("stock", *law.path, stock) for stock in law.stocks}

    def _states(self, name: str) -> list[str | Path]:
        """List what a law moves: the level, then its stocks."""
        return [name, *self._stocks(name).values()]


def _rate(key: str | Path) -> Path:
    """Name how fast something grows."""
    return ("rate", key) if isinstance(key, str) else ("rate", *key)


def _along(low: Array, high: Array, shares: Array | float) -> Array:
    """Read levels (.., sample) at shares (.., sample) of the way between two, straight."""
    with np.errstate(invalid="ignore"):
        between = np.where(np.isposinf(low), low, low + shares * (high - low))  # a limit that is put on at the end
        return np.asarray(np.where((shares == 1.0) | (low == high), high, between))


def _next(length: Array, change: Array) -> Array:
    """Choose how long the next piece of a step is, from the change of the log of a multiplier on the last."""
    with np.errstate(divide="ignore"):
        return np.maximum(length * np.clip(0.9 * MOST_CHANGE / change, 0.1, 4.0), SMALLEST)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a step of some samples: what of it does not depend on feedback, each (sample,).

    `changes` of the levels with feedback over it by growth alone; at its end what the others have grown to, by name,
    and the limits, by place, and those levels that are `still` under their limits; where levels begin; the points of
    multipliers; how long it is in years.
    """

    rows: NDArray[np.intp] | slice
    changes: Mapping[str, Array]
    ends: Mapping[str | Path, Array]
    begins: Mapping[str, Array]
    points: Sequence[Multiplier]
    span: Array
    still: dict[str, Array]

    def multipliers(self, compute: Array) -> Array:
        """Read the multipliers on the growth of drivers at effective compute, (driver, sample)."""
        found = [each.at(compute) for each in self.points]
        return found[0] if len(found) == 1 else np.concatenate(found)
