"""What is made from what: quantities and the scenario's own variables, circles among them, and lags that open some."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from simulator.errors import Path
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
    named += [
        pair
        for each in stated.values()
        if spec.allocation and each.derived
        for pair in names_in(each.quantity, each.path)
    ]
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
