"""What is made from what, and what events are on.

Quantities and the scenario's own variables, circles among them, and lags that open some; growth, levels and limits that
an event changes, by the place at which each stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from simulator.errors import Path, as_path, items
from simulator.schema.events import Effect
from simulator.schema.prior_names import entries, entries_of, stated_drivers
from simulator.schema.quantities import OPERATIONS, OWN, Lag
from simulator.schema.spec import ScenarioSpec
from simulator.schema.stocks import PURCHASES

NAMING = ("", "quantities", "limit", "level", "of", "quantity", "floor", PURCHASES, *OPERATIONS)
"""Fields that may hold the name of a quantity; a quantity may be one itself."""
QUANTITIES = ("quantities", "stocks", "allocation")
"""Sections whose entries are quantities by name."""

type Uses = Mapping[str, set[str]]


def names_in(entry: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """List the names of quantities and variables in what a scenario says, with their paths."""
    return ((at, name) for at, field, name in entries(entry, path) if field in NAMING and isinstance(name, str))


def uses_of(spec: ScenarioSpec, *, lagged: bool = True, limits: bool = True) -> dict[str, set[str]]:
    """List what each quantity and variable is made of by name.

    Without what it takes as it was some time ago, if not `lagged`; without what only limits variables, if not `limits`.
    """
    stated, drivers = spec.named, stated_drivers(spec)
    own = {name for name in OWN if name not in stated}
    within: dict[str, list[Path]] = {name: [each.path] for name, each in stated.items()}
    within |= {name: [("drivers", name)] for name in own if name in drivers}
    within |= {"physical_compute": [("drivers", "compute"), ("constraints",)], "effective_compute": []}
    named = list(names_in(spec))
    for each in stated.values() if spec.allocation else ():
        named += names_in(each.quantity, each.path) if each.derived else ()
    parts = {"physical_compute": {"spending", "hardware"}, "effective_compute": {"physical_compute", "algorithms"}}
    return {
        name: {
            used
            for place in places
            for path, used in named
            if path[: len(place)] == place
            and used in {*stated, *own}
            and (lagged or not is_before(path))
            and (limits or path[0] in QUANTITIES or not {"caps", "constraints"} & {path[0], *path[2:]})
        }
        | (parts.get(name, set()) & set(within) - set(stated))
        for name, places in within.items()
    }


def is_before(path: Path) -> bool:
    """Tell whether what stands at a path is taken as it was some time ago; a limit may be called `lag`."""
    return any(
        pair == ("lag", "of") and before not in ("caps", "constraints", *QUANTITIES)
        for before, pair in zip(path, pairwise(path[1:]), strict=False)
    )


def circles(uses: Uses) -> Iterator[tuple[str, str]]:
    """Find the circles in what uses what: a name of each, and the way round."""
    seen: set[frozenset[str]] = set()
    for name in uses:
        way = way_round(name, uses)
        if way and frozenset(way.split(" -> ")) not in seen:
            seen.add(frozenset(way.split(" -> ")))
            yield name, way


def way_round(name: str, uses: Uses) -> str:
    """Write a way from a name back to itself; empty where there is none."""
    ways: list[tuple[str, ...]] = [(name,)]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for following in sorted(uses.get(way[-1], ())):
            if following == name:
                return " -> ".join([*way, name])
            if following not in seen:
                seen.add(following)
                ways.append((*way, following))
    return ""


def with_feedback(uses: Uses, spec: ScenarioSpec) -> dict[str, set[str]]:
    """Add to what each variable is made of the effective compute that feeds back on it."""
    fed = {"physical_compute" if name == "compute" else name for name in spec.fed}
    return {name: used | ({"effective_compute"} if name in fed else set()) for name, used in uses.items()}


def lagged(spec: ScenarioSpec) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """Name the variables that follow from themselves some time ago, and the paths of the lags on the way."""
    uses = with_feedback(uses_of(spec), spec)
    within = {name for name in uses if way_round(name, uses)}

    def owner(path: Path) -> str:
        """Name the quantity or variable that is made of what stands at a path."""
        of_compute = path[0] == "constraints" or path[:2] == ("drivers", "compute")
        return "physical_compute" if of_compute else str(path[1]) if path[0] in ("drivers", *QUANTITIES) else ""

    paths = tuple(
        path
        for path, lag in entries_of(Lag, spec)
        if owner(path) in within and within & {name for _, name in names_in(lag.of)}
    )
    return tuple(name for name in OWN if paths and name in within and name not in spec.named), paths


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
