"""Named events, and eras that begin with one: each is dated on the path on which those before it have come."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.oracle import feedback
from tests.oracle.crossing import crossings
from tests.oracle.happenings import Calendar
from tests.oracle.model import Model, levels
from tests.oracle.units import Array


def solve(model: Model) -> None:
    """Give the model the dates of its events, +inf where one does not come, and what feedback makes of growth."""
    begins = {
        f"{path}.growth[{k}].from": regime["from"]
        for path, level in levels("", model.scenario)
        for k, regime in enumerate(level["growth"] if isinstance(level.get("growth"), list) else [])
        if isinstance(regime.get("from"), dict) and regime["from"].keys() & {"when", "threshold", "event"}
    }
    events = {path: event for path, event in begins.items() if "event" not in event}
    model.events = {path: np.full((model.samples, 1), np.inf) for path in begins}
    calendar = Calendar(model)
    feedback.solve(model)
    while True:
        dates: dict[Any, Array] = {
            path: np.where(np.isfinite(model.events[path][:, 0]), np.inf, _date(model, path, event))
            for path, event in events.items()
        }
        dates |= calendar.next(lambda path, event: _date(model, path, event))
        if not dates:
            return
        found = np.array(list(dates.values()))
        chances = [
            calendar.chance(f"events.{key[0]}") if isinstance(key, tuple) else np.ones(model.samples) for key in dates
        ]
        first = np.where(found == found.min(axis=0), chances, -1.0).argmax(axis=0)
        now = (found.min(axis=0) <= model.last) & (first == np.arange(len(dates))[:, None])
        if not now.any():
            return
        for key, here, date in zip(dates, now, found, strict=True):
            if isinstance(key, tuple):
                calendar.come(*key, here, date)
            else:
                model.events[key] = np.where(here, date, model.events[key][:, 0])[:, None]
        for path, event in begins.items():
            if "event" in event:
                model.events[path] = calendar.begun[event["event"]][:, None]
        model.bent.clear()
        model.gains.clear()
        feedback.solve(model)


def _date(model: Model, path: str, event: Any) -> Array:
    """When an event comes on the path that the model has now."""
    if "threshold" in event:
        return crossings(model)[event["threshold"]].year
    stated = {"quantity": event["when"], "level": event["reaches"], "path": path}
    return crossings(model, {"event": stated})["event"].year
