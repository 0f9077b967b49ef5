"""What the events of a scenario are on: growth, levels and limits, by the place at which each stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from simulator.errors import Path, as_path, items
from simulator.schema.events import Effect
from simulator.schema.prior_names import stated_drivers
from simulator.schema.spec import ScenarioSpec


class Touch(NamedTuple):
    """An effect of an event on something: the name of the event, and what it says at which path."""

    event: str
    path: Path
    effect: Effect

    @property
    def breaks(self) -> bool:
        """Whether levels change at once when the event begins or ends."""
        return not self.effect.is_on_growth


type Touches = Mapping[Path, tuple[Touch, ...]]


def touches_of(spec: ScenarioSpec) -> Touches:
    """List the effects on each growth, level and limit of a scenario, of events that may come; found once.

    What is on the growth of a product is on that of each of its factors. Of an event that never comes there are those
    that put a limit on: it never stands.
    """
    if "effects" not in spec.__dict__:
        found: dict[Path, tuple[Touch, ...]] = {}
        coming = may_come(spec)
        for name, event in spec.events.items():
            for part, effect in items(event.effects):
                if name not in coming and effect.limit != "put-on":
                    continue
                for target in effect.on:
                    for path in _parts(as_path(target), spec):
                        found[path] = (*found.get(path, ()), Touch(name, ("events", name, "effects", part), effect))
        spec.__dict__["effects"] = found
    result: Touches = spec.__dict__["effects"]
    return result


def is_touched(spec: ScenarioSpec, path: Path) -> bool:
    """Tell whether an event is on what stands at a path, or below it."""
    return any(each[: len(path)] == path for each in touches_of(spec)) if spec.events else False


def may_come(spec: ScenarioSpec) -> tuple[str, ...]:
    """Name the events that come in some samples: all but those whose probability is 0 and which nothing triggers."""
    triggered = {other for event in spec.events.values() for other in event.triggers}
    return tuple(
        name
        for name, event in spec.events.items()
        if name in triggered or event.probability is None or event.probability.value != 0.0
    )


def _parts(path: Path, spec: ScenarioSpec) -> tuple[Path, ...]:
    """Give the places of the growth of a product's factors; of anything else its own."""
    driver = stated_drivers(spec).get(str(path[1])) if path[0] == "drivers" and path[2:] == ("growth",) else None
    if driver is None or driver.factors is None:
        return (path,)
    return tuple((*path[:2], "factors", factor, "growth") for factor in driver.factors)
