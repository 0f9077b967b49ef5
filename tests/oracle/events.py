"""Eras that begin with an event: each is dated on the path on which those before it have come."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.oracle import feedback
from tests.oracle.crossing import crossings
from tests.oracle.model import Model, levels
from tests.oracle.units import Array


def solve(model: Model) -> None:
    """Give the model the dates of its events, +inf where one does not come, and what feedback makes of growth."""
    events = {
        f"{path}.growth[{k}].from": regime["from"]
        for path, level in levels("", model.scenario)
        for k, regime in enumerate(level["growth"] if isinstance(level.get("growth"), list) else [])
        if isinstance(regime.get("from"), dict) and regime["from"].keys() & {"when", "threshold"}
    }
    model.events = {path: np.full((model.samples, 1), np.inf) for path in events}
    feedback.solve(model)
    open_ = np.ones((len(events), model.samples), dtype=bool)
    while open_.any():
        found = np.array([_date(model, path, event) for path, event in events.items()])
        found = np.where(open_, found, np.inf)
        now = np.isfinite(found) & (found == found.min(axis=0))
        if not now.any():
            return
        for k, path in enumerate(events):
            model.events[path] = np.where(now[k], found[k], model.events[path][:, 0])[:, None]
        open_ &= ~now
        model.bent.clear()
        model.gains.clear()
        feedback.solve(model)


def _date(model: Model, path: str, event: Any) -> Array:
    """When an event comes on the path that the model has now."""
    if "threshold" in event:
        return crossings(model)[event["threshold"]].year
    stated = {"quantity": event["when"], "level": event["reaches"], "path": path}
    return crossings(model, {"event": stated})["event"].year
