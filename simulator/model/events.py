"""Eras that begin with an event: the date, in each sample, is found on the path that leads to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from simulator.errors import dotted
from simulator.model.crossings import delayed, meet_block
from simulator.model.levels import Block
from simulator.model.projection import Projection
from simulator.schema.goals import Threshold
from simulator.schema.prior_names import events_of
from simulator.units import Array

NEAR = 1e-9
"""How near to an event, in years, another event or a threshold is met with it: rounding must not part them."""


def block_of(projection: Projection, draws: Mapping[str, Array], *, size: int) -> Block:
    """Hold the draws of `size` samples, and the dates of the events at which eras begin; +inf where one does not come.

    What comes before an event does not depend on it. So the first event of a sample is dated on the path on which none
    has come, the next on that on which only the first has, and so on; and so is what meets a threshold before each.
    """
    spec, events = projection.spec, events_of(projection.spec)
    if not events:
        return projection.block(draws)
    names = [event.threshold or f"event {number}" for number, (_, event) in enumerate(events)]
    stated = [(name, path, event) for name, (path, event) in zip(names, events, strict=True) if event.threshold is None]
    reached = {name: Threshold.model_construct(level=event.reaches, quantity=event.when) for name, _, event in stated}
    levels = {dotted(("thresholds", name, "level")): draws[dotted((*path, "reaches"))] for name, path, _ in stated}
    watched = spec.model_copy(update={"thresholds": {**spec.thresholds, **reached}})
    watching = Projection(watched, years=projection.years, custom=projection.custom)
    rows = [list(watched.thresholds).index(name) for name in names]
    dates, coming = np.full((len(events), size), np.inf), np.ones((len(events), size), dtype=np.bool_)
    met = np.full((len(watched.thresholds), size), np.inf)

    def dated() -> dict[str, Array]:
        return {**draws, **{dotted(path): date for (path, _), date in zip(events, dates, strict=True)}}

    for _ in events:
        given = {**dated(), **levels}
        paths = watching.project(replace(watching.block(given), met=met))
        found = meet_block(watched, given, paths, years=projection.years, size=size)
        crossed = delayed(watched, given, found, years=projection.years)["crossing_year"][rows]
        crossed = np.where(coming, crossed, np.inf)
        until = crossed.min(axis=0) + NEAR
        met = np.where(found["crossing_year"] <= until, found["crossing_year"], met)
        now = coming & (crossed <= until) & np.isfinite(crossed)
        dates, coming = np.where(now, crossed, dates), coming & ~now
        if not now.any():
            break
    return replace(projection.block(dated()), met=met[: len(spec.thresholds)])
