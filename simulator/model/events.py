"""When events come, in each sample: by chance, on dates, after one another, or where the path that leads there says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path, dotted
from simulator.model.levels import Block
from simulator.model.meeting import delayed, meet_block
from simulator.model.projection import Projection
from simulator.model.windows import NEAR, window_paths
from simulator.schema.events import NamedEvent, chance_path
from simulator.schema.goals import Threshold
from simulator.schema.prior_names import events_of
from simulator.schema.quantities import Event
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import Prior
from simulator.units import SECONDS_PER_YEAR, Array


def block_of(projection: Projection, draws: Mapping[str, Array], *, size: int) -> Block:
    """Hold the draws of `size` samples, and the dates on which events come and end; +inf where one does not come.

    What comes before an event does not depend on it. So the first event of a sample that waits for a path is dated on
    the path on which none such has come, the next on that on which only the first has, and so on; and so is what meets
    a threshold before each. Events that wait for no path, directly or through others, come first of all.
    """
    return blocks_of([projection], [draws], size=size)[0]


def blocks_of(
    projections: Sequence[Projection],
    draws: Sequence[Mapping[str, Array]],
    *,
    size: int,
    decides: Mapping[str, tuple[int, bool]] | None = None,
) -> list[Block]:
    """Do so for several actors, to all of whom an event comes on one date.

    What waits for a path comes when the first of them gets there; for a threshold, when that one crosses it by whom it
    counts as crossed (`decides`, by name: see `who_decides`). Eras of drivers wait for the path of their own actor.
    """
    found = [_followed(projection, own, size) for projection, own in zip(projections, draws, strict=True)]
    ways = [each for each in found if isinstance(each, _Way)]
    for _ in range(sum(len(way.waiting) + len(way.late) for way in ways)):
        for way in ways:
            way.look()
        if len(found) > 1:
            _share_dates(found, decides or {}, size)
        until = np.minimum.reduce([way.next() for way in ways]) + NEAR
        has_come = [way.advance(until) for way in ways]
        if not any(has_come):
            break
    return [each.block() if isinstance(each, _Way) else each for each in found]


def _followed(projection: Projection, draws: Mapping[str, Array], size: int) -> Block | _Way:
    """Hold the draws of a scenario, once it is known when events come; or the way to that, where some wait for it."""
    spec = projection.spec
    waiting = [(path, event) for path, event in events_of(spec) if event.event is None]
    if not waiting and not spec.events:
        return projection.block(draws)
    calendar = _Calendar(spec, draws, size)
    late = _behind_paths(spec)
    calendar.advance([name for name in spec.events if name not in late])
    return _Way(projection, calendar, waiting, late) if waiting else projection.block(calendar.draws())


def _share_dates(found: Sequence[Block | _Way], decides: Mapping[str, tuple[int, bool]], size: int) -> None:
    """Date what events wait for on paths alike for all actors."""
    crossed = [each.crossed if isinstance(each, _Way) else {} for each in found]
    waiting = dict(each for way in found if isinstance(way, _Way) for each in way.waiting if each[0][0] == "events")
    for path, event in waiting.items():
        number, is_place = decides.get(event.threshold or "", (0, True))
        dates = np.stack([each.get(path, np.full(size, np.inf)) for each in crossed])
        date = np.sort(dates, axis=0)[number] if is_place else dates[number]
        for known in crossed:
            known.update({path: date} if path in known else {})


class _Way:
    """The paths of samples as far as events have come, and when they get to what events and eras wait for.

    Eras may begin where thresholds stand that a run dates, so that these are watched too, and hold what they met
    before each; events alone that wait for levels leave them to the path that comes of all.
    """

    def __init__(
        self, projection: Projection, calendar: _Calendar, waiting: Sequence[tuple[Path, Event]], late: Sequence[str]
    ) -> None:
        spec, self._years, self._size = projection.spec, projection.years, calendar.size
        self.waiting, self.late, self._own, self._calendar = waiting, late, projection, calendar
        names = [event.threshold or f"event {number}" for number, (_, event) in enumerate(waiting)]
        stated = [(name, path, event) for name, (path, event) in zip(names, waiting, strict=True) if event.when]
        reached = {
            name: Threshold.model_construct(level=event.reaches, quantity=event.when) for name, _, event in stated
        }
        self._levels = {
            dotted(("thresholds", name, "level")): calendar.drawn[dotted((*at, "reaches"))] for name, at, _ in stated
        }
        self._bends = [path for path, _ in waiting if path[0] != "events" or path[-1] == "until"]
        """What of it changes paths when it comes: the beginnings of eras, and the ends of events."""
        self._holds = any(path[0] != "events" for path, _ in waiting)
        known = spec.thresholds if self._holds else _with_roots(spec, names)
        self._spec = spec.model_copy(update={"thresholds": {**known, **reached}})
        self._of = Projection(self._spec, years=projection.years, custom=projection.custom)
        self._rows = [list(self._spec.thresholds).index(name) for name in names]
        self._found = self._met = np.full((len(self._spec.thresholds), self._size), np.inf)
        self._kept = len(spec.thresholds)
        self._is_new = True
        """Whether the path has changed since it was looked at."""
        self.crossed: dict[Path, Array] = {}
        """When what has not come gets where it waits, by where that stands; +inf of the rest."""

    def look(self) -> None:
        """Find when paths get to what is waited for, as far as is known."""
        if self._is_new:
            given = {**self._calendar.draws(), **self._levels}
            block = self._of.block(given)
            paths = self._of.project(replace(block, met=self._met) if self._holds else block)
            met = meet_block(self._spec, given, paths, years=self._years, size=self._size)
            self._found = met["crossing_year"]
            self._dates = delayed(self._spec, given, met, years=self._years)["crossing_year"][self._rows]
        come = [self._calendar.waited[path] < np.inf for path, _ in self.waiting]
        dates = np.where(come, np.inf, self._dates)
        self.crossed = dict(zip((path for path, _ in self.waiting), dates, strict=True))

    def next(self) -> Array:
        """Give the date on which the next comes, as far as is known."""
        return np.minimum(np.min([*self.crossed.values()], axis=0), self._calendar.next_of(self.late))

    def advance(self, until: Array) -> bool:
        """Hold what is met up to a date of each sample, and let come what does; tell whether any has."""
        self._met = np.where(self._found <= until, self._found, self._met)
        now = {path: (date <= until) & np.isfinite(date) for path, date in self.crossed.items()}
        for path, comes in now.items():
            self._calendar.waited[path] = np.where(comes, self.crossed[path], self._calendar.waited[path])
        has_come = self._calendar.advance(self.late, until=until)
        self._is_new = has_come or any(now[path].any() for path in self._bends)
        return has_come or any(comes.any() for comes in now.values())

    def block(self) -> Block:
        """Hold the draws and the dates of what has come, and when the thresholds of the scenario are met before."""
        block = self._own.block(self._calendar.draws())
        return replace(block, met=self._met[: self._kept] if self._holds else None)


def _with_roots(spec: ScenarioSpec, names: Sequence[str]) -> dict[str, Threshold]:
    """Take some thresholds, and those that they are multiples of."""
    found = {name for name in names if name in spec.thresholds}
    while more := {str(spec.thresholds[name].of) for name in found} & set(spec.thresholds) - found:
        found |= more
    return {name: each for name, each in spec.thresholds.items() if name in found}


def _behind_paths(spec: ScenarioSpec) -> tuple[str, ...]:
    """Name the events whose dates depend on paths: on a threshold or a level, or on such an event."""
    found: set[str] = set()
    while True:
        after = {
            name
            for name, event in spec.events.items()
            if isinstance(event.from_, Event) and (event.from_.event is None or event.from_.event in found)
        }
        after |= {
            other
            for name in found
            for other in (*spec.events[name].excludes, *spec.events[name].triggers, *spec.events[name].delays)
        }
        if after <= found:
            return tuple(name for name in spec.events if name in found)
        found |= after


class _Calendar:
    """The dates of the events of samples as they come, +inf of those that have not come."""

    def __init__(self, spec: ScenarioSpec, draws: Mapping[str, Array], size: int) -> None:
        self._spec, self.drawn, self.size = spec, draws, size
        self.begun = {name: np.full(size, np.inf) for name in spec.events}
        self.waited = {path: np.full(size, np.inf) for path, event in events_of(spec) if event.event is None}
        """The dates of what is waited for on paths, by where that stands."""

    def _draw(self, path: Path) -> Array:
        return np.broadcast_to(self.drawn[dotted(path)], self.size)

    def draws(self) -> dict[str, Array]:
        """Give what was drawn with the dates that are known."""
        dates: dict[Path, Array] = {}
        for name, event in self._spec.events.items():
            begin, end = window_paths(name)
            dates[begin] = self.begun[name]
            dates[end] = np.maximum(self.begun[name], self._end(name, event))  # of one that ends before, no time
        dates |= {path: self._moment(moment, path) for path, moment in events_of(self._spec)}
        return {**self.drawn, **{dotted(path): date for path, date in dates.items()}}

    def _end(self, name: str, event: NamedEvent) -> Array:
        if event.for_ is not None:
            return self.begun[name] + self._draw(("events", name, "for"))
        return np.full(1, np.inf) if event.until is None else self._moment(event.until, ("events", name, "until"))

    def _moment(self, moment: Prior | Event, path: Path) -> Array:
        """Give a date that is drawn, on which another event comes, or on which a path gets somewhere."""
        if isinstance(moment, Prior):
            return self._draw(path)
        return self.waited[path] if moment.event is None else self.begun[moment.event]

    def _comes(self, path: Path, likely: Path) -> NDArray[np.bool_]:
        """Tell where what may come at a path does: where its uniform number is in so large an upper part."""
        part = self._draw(likely)
        return (self._draw(chance_path(path)) >= 1.0 - part) & (part > 0.0)

    def _next(self, name: str) -> Array:
        """Give the date on which an event that has not come would come, as far as others have."""
        event, path = self._spec.events[name], ("events", name)
        date = np.full(self.size, np.inf)
        if event.from_ is not None:
            date = self._moment(event.from_, (*path, "from"))
        elif event.hazard is not None:
            date = np.full(self.size, self._spec.years.first)
        if event.hazard is not None:
            date = date - np.log(self._draw(chance_path(path))) / (
                10.0 ** self._draw((*path, "hazard")) * SECONDS_PER_YEAR
            )
        elif event.probability is not None:
            date = np.where(self._comes(path, (*path, "probability")), date, np.inf)
        for other in self._spec.events:
            if name in self._spec.events[other].triggers:
                by = ("events", other, "triggers", name)
                date = np.minimum(date, np.where(self._comes(by, by), self.begun[other], np.inf))
        date = date if event.delay is None else date + self._draw((*path, "delay"))
        delaying = [other for other in self._spec.events if name in self._spec.events[other].delays]
        waits = [np.ones(self.size, dtype=np.bool_) for _ in delaying]
        for _ in delaying:  # each that comes before it, as late as it is by then, once
            for place, other in enumerate(delaying):
                now = waits[place] & (self.begun[other] <= date)
                date = np.where(now, date + self._draw(("events", other, "delays", name)), date)
                waits[place] &= ~now
        for other in self._spec.events:
            if name in self._spec.events[other].excludes:
                date = np.where(self.begun[other] <= date, np.inf, date)
        return np.where(np.isfinite(self.begun[name]), np.inf, date)

    def next_of(self, names: Sequence[str]) -> Array:
        """Give the date on which the next of some events comes, as far as is known."""
        return np.asarray(np.min([np.full(self.size, np.inf), *map(self._next, names)], axis=0), dtype=np.float64)

    def advance(self, names: Sequence[str], *, until: Array | float = np.inf) -> bool:
        """Let events come one after another, up to a date; tell whether one has."""
        has_come = False
        chances = np.ones((len(names), self.size))
        for place, name in enumerate(names):
            if dotted(chance_path(("events", name))) in self.drawn:
                chances[place] = self._draw(chance_path(("events", name)))
        for _ in names:
            dates = np.stack([self._next(name) for name in names])
            soonest = dates.min(axis=0)
            first = np.argmax(np.where(dates == soonest, chances, -1.0), axis=0)
            comes = np.isfinite(soonest) & (soonest <= until)
            if not comes.any():
                break
            has_come = True
            for place, name in enumerate(names):
                self.begun[name] = np.where(comes & (first == place), soonest, self.begun[name])
        return has_come
