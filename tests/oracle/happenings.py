"""Named events: windows of time that bend growth, shift levels and put limits on or lift them; and when they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from tests.oracle import units
from tests.oracle.units import Array

NEVER = 1e6
"""The year from which on what never comes does."""
Model = Any


def effects(model: Model, on: str) -> Iterator[tuple[Array, Array, str, Any]]:
    """Begin and end (sample, 1) of each effect on a path, its path and what it says."""
    for name, event in (model.scenario.get("events") or {}).items():
        for k, effect in enumerate(event.get("effects") or []):
            if on in (effect["on"] if isinstance(effect["on"], list) else [effect["on"]]):
                yield *model.windows[name], f"events.{name}.effects[{effect.get('name', k)}]", effect


def bent(model: Model, path: str, at: float, t: Array, own: Callable[[Array], Array]) -> Array:
    """Growth from the year `at` on: in each piece between bounds of windows so many times a level's own, or at a rate."""
    found = list(effects(model, f"{path}.growth"))
    if not found:
        return own(t)
    bounds = np.sort(np.hstack([date for begin, end, *_ in found for date in (begin, end)]), axis=1)
    edges = [np.full((model.samples, 1), -NEVER), *bounds.T[..., None], np.full((model.samples, 1), NEVER)]
    result = np.zeros((model.samples, t.shape[1]))
    for low, high in pairwise(edges):
        times, rate = np.ones((model.samples, 1)), np.full((model.samples, 1), np.inf)
        for begin, end, here, effect in found:
            force = (begin <= low) & (low < end)
            if "times" in effect:
                times = times * np.where(force, model.number(f"{here}.times", effect["times"], "plain"), 1)
            else:
                rate = np.minimum(rate, np.where(force, model.number(f"{here}.rate", effect["rate"], "rate"), np.inf))
        first, last = np.clip(at, low, high), np.clip(t, low, high)
        instead = np.where(np.isinf(rate), 0, rate) * (last - first)
        result = result + times * np.where(np.isinf(rate), own(last) - own(first), instead)
    return result


def shift(model: Model, path: str, t: Array) -> Array:
    """What events add to a level, log10: all of it while they last, and in a straight line less until it is back."""
    result = np.zeros(t.shape)
    for begin, end, here, effect in effects(model, path):
        if "times" in effect:
            left = np.where((t >= begin) & (t < end), 1.0, 0.0)
            if "recovers" in effect:
                span = model.number(f"{here}.recovers", effect["recovers"], "years")
                left = np.where((t >= end) & (begin < end), np.clip(1 - (t - end) / span, 0, 1), left)
            result = result + left * model.number(f"{here}.times", effect["times"])
    return result


def standing(model: Model, path: str, limit: Array, t: Array) -> Array:
    """A limit with what events make of it: +inf where one lifts it, or where none that puts it on lasts."""
    found = list(effects(model, path))
    lasting = {kind: np.zeros(limit.shape, dtype=bool) for kind in ("put-on", "lifted")}
    for begin, end, _, effect in found:
        if "limit" in effect:
            lasting[effect["limit"]] |= (t >= begin) & (t < end)
    off = lasting["lifted"] | (any(effect.get("limit") == "put-on" for *_, effect in found) & ~lasting["put-on"])
    return np.where(off, np.inf, limit + shift(model, path, t))


class Calendar:
    """When the named events of a model come and end, (sample,): one after another, each as those before it let it."""

    def __init__(self, model: Model) -> None:
        self.model, self.events = model, model.scenario.get("events") or {}
        no = np.full(model.samples, np.inf)
        self.begun, self.ended, self.brought = (dict.fromkeys(self.events, no) for _ in range(3))
        self.late = {name: np.zeros(model.samples) for name in self.events}
        self.gone = {name: np.zeros(model.samples, dtype=bool) for name in self.events}

    def number(self, path: str, stated: Any, kind: str = "plain") -> Array:
        return np.asarray(self.model.number(path, stated, kind)[:, 0])

    def chance(self, path: str) -> Array:
        return self.model.draws.get(f"{path}.occurs", np.ones(self.model.samples))

    def moment(self, path: str, stated: Any, date: Callable[[str, Any], Array]) -> Array:
        """A date that is drawn, on which another event comes, or on which a path gets somewhere."""
        if not isinstance(stated, dict) or not stated.keys() & {"event", "when", "threshold"}:
            return self.number(path, stated)
        return self.begun[stated["event"]] if "event" in stated else date(path, stated)

    def next(self, date: Callable[[str, Any], Array]) -> dict[tuple[str, str], Array]:
        """When each event would come, and each that has come end, as far as others have come."""
        found = {}
        for name, event in self.events.items():
            path, begin = f"events.{name}", np.full(self.model.samples, np.inf)
            if "from" in event or "hazard" in event:
                begin = self.moment(f"{path}.from", event.get("from", self.model.first), date)
            if "hazard" in event:
                a_year = 10.0 ** self.number(f"{path}.hazard", event["hazard"], "level") * units.YEAR
                begin = begin - np.log(self.chance(path)) / a_year
            if "probability" in event:
                comes = self.chance(path) >= 1 - self.number(f"{path}.probability", event["probability"], "share")
                begin = np.where(comes, begin, np.inf)
            begin = np.minimum(begin, self.brought[name]) + self.late[name]
            begin = begin + (self.number(f"{path}.delay", event["delay"], "years") if "delay" in event else 0)
            found[name, "begun"] = np.where(np.isfinite(self.begun[name]) | self.gone[name], np.inf, begin)
            end = np.full(self.model.samples, np.inf)
            if "for" in event:
                end = self.begun[name] + self.number(f"{path}.for", event["for"], "years")
            elif "until" in event:
                end = np.maximum(self.begun[name], self.moment(f"{path}.until", event["until"], date))
            found[name, "ended"] = np.where(np.isfinite(self.ended[name]), np.inf, end)
        return found

    def come(self, name: str, what: str, now: Array, date: Array) -> None:
        """Let an event come, or end, in some samples, with what it does to others that have not come."""
        getattr(self, what)[name] = np.where(now, date, getattr(self, what)[name])
        if what == "begun":
            event, path = self.events[name], f"events.{name}"
            for other in event.get("excludes") or []:
                self.gone[other] = self.gone[other] | (now & np.isinf(self.begun[other]))
            for other, part in (event.get("triggers") or {}).items():
                here = f"{path}.triggers.{other}"
                does = now & (self.chance(here) >= 1 - self.number(here, part, "share"))
                self.brought[other] = np.where(does, np.minimum(date, self.brought[other]), self.brought[other])
            for other, by in (event.get("delays") or {}).items():
                late = self.number(f"{path}.delays.{other}", by, "years")
                self.late[other] = self.late[other] + np.where(now & np.isinf(self.begun[other]), late, 0)
        for each in self.events:
            self.model.windows[each] = tuple(
                np.minimum(dates[each], NEVER)[:, None] for dates in (self.begun, self.ended)
            )
