"""Eras that begin with an event: the date, in each sample, is found on the path that leads to it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.errors import dotted
from simulator.model.crossings import cross_block
from simulator.model.levels import Block
from simulator.model.projection import Projection
from simulator.schema.goals import Threshold
from simulator.schema.prior_names import events_of
from simulator.units import Array


def block_of(projection: Projection, draws: Mapping[str, Array], *, size: int) -> Block:
    """Hold the draws of `size` samples, and the dates of the events at which eras begin."""
    return projection.block(begun(projection, draws, size=size))


def begun(projection: Projection, draws: Mapping[str, Array], *, size: int) -> Mapping[str, Array]:
    """Add to draws the dates at which eras begin with an event, by the paths of their `from`; +inf where none comes.

    What comes before an event does not depend on it. So the first event of a sample is dated on the path on which none
    has come, the next on that on which only the first has, and so on.
    """
    spec, events = projection.spec, events_of(projection.spec)
    if not events:
        return draws
    names = [event.threshold or f"event {number}" for number, (_, event) in enumerate(events)]
    reached = {
        name: Threshold.model_construct(level=event.reaches, quantity=event.when)
        for name, (_, event) in zip(names, events, strict=True)
        if event.threshold is None
    }
    levels = {
        dotted(("thresholds", name, "level")): draws[dotted((*path, "reaches"))]
        for name, (path, event) in zip(names, events, strict=True)
        if event.threshold is None
    }
    watched = spec.model_copy(update={"thresholds": {**spec.thresholds, **reached}})
    watching = Projection(watched, years=projection.years, custom=projection.custom)
    rows = [list(watched.thresholds).index(name) for name in names]
    dates, coming = np.full((len(events), size), np.inf), np.ones((len(events), size), dtype=np.bool_)
    for _ in events:
        found = {dotted(path): date for (path, _), date in zip(events, dates, strict=True)}
        given = {**draws, **levels, **found}
        paths = watching.project(watching.block(given))
        crossed = cross_block(watched, given, paths, years=projection.years, size=size)["crossing_year"][rows]
        crossed = np.where(coming, crossed, np.inf)
        now = coming & (crossed == crossed.min(axis=0)) & np.isfinite(crossed)
        dates, coming = np.where(now, crossed, dates), coming & ~now
        if not now.any():
            break
    return {**draws, **{dotted(path): date for (path, _), date in zip(events, dates, strict=True)}}
