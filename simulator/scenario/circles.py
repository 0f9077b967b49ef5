"""What is made from what: quantities and the scenario's own variables, circles among them, and lags that open some."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from simulator.errors import Fault, Path, dotted, number
from simulator.priors.joint import JointPrior
from simulator.schema.prior_names import entries, entries_of, stated_drivers
from simulator.schema.quantities import OPERATIONS, OWN, Lag
from simulator.schema.spec import ScenarioSpec

NAMING = ("", "limit", "level", "of", *OPERATIONS)
"""Fields that may hold the name of a quantity; a quantity may be one itself."""

MOST_LAGS = 60
"""How often a lag within a circle may fit into the years of a scenario."""

type Uses = Mapping[str, set[str]]


def names_in(entry: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """List the names of quantities and variables in what a scenario says, with their paths."""
    return ((at, name) for at, field, name in entries(entry, path) if field in NAMING and isinstance(name, str))


def uses_of(spec: ScenarioSpec, *, lagged: bool = True) -> dict[str, set[str]]:
    """List what each quantity and variable is made of by name; without what it takes as it was some time ago."""
    stated, drivers = spec.quantities, stated_drivers(spec)
    own = {name for name in OWN if name not in stated}
    within: dict[str, list[tuple[object, Path]]] = {
        name: [(entry, ("quantities", name))] for name, entry in stated.items()
    }
    within |= {name: [(drivers[name], ("drivers", name))] for name in own if name in drivers}
    compute = [(drivers["compute"], ("drivers", "compute"))] if "compute" in drivers else []
    within["physical_compute"] = [*compute, (spec.constraints, ("constraints",))]
    within["effective_compute"] = []
    parts = {"physical_compute": {"spending", "hardware"}, "effective_compute": {"physical_compute", "algorithms"}}
    return {
        name: {
            used
            for entry, at in places
            for path, used in names_in(entry, at)
            if used in {*stated, *own} and (lagged or not _is_before(path))
        }
        | (parts.get(name, set()) & set(within) - set(stated))
        for name, places in within.items()
    }


def _is_before(path: Path) -> bool:
    """Tell whether what stands at a path is taken as it was some time ago; a limit may be called `lag`."""
    return any(
        pair == ("lag", "of") and before not in ("caps", "constraints", "quantities")
        for before, pair in zip(path, pairwise(path[1:]), strict=False)
    )


def circle_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find what is made from itself at the same time; a lag opens a circle through a variable of the scenario."""
    at_once = uses_of(spec, lagged=False)
    alone = {name: used & set(spec.quantities) for name, used in uses_of(spec).items() if name in spec.quantities}
    own = set(OWN) - set(spec.quantities)
    found: set[frozenset[str]] = set()
    for uses in (at_once, alone):
        for name, way in circles(uses):
            if frozenset(way.split(" -> ")) in found:
                continue
            found.add(frozenset(way.split(" -> ")))
            remedy = "Break the circle: state one of them by its own prior"
            variable = next((each for each in way.split(" -> ") if each in own), "")
            remedy += f", or take what was before: lag: {{of: {variable}, by: 1 year}}." if variable else "."
            section = ("constraints",) if name == "physical_compute" else ("drivers",)
            at = ("quantities", name) if name in spec.quantities else (*section, name) if name in DRIVERS else section
            yield Fault(at, f"is made from itself: {way}.", remedy)


DRIVERS = ("spending", "hardware", "algorithms")


def lag_faults(spec: ScenarioSpec, joint: JointPrior) -> Iterator[Fault]:
    """Find lags within a circle that are too short to be followed from the first year to the last."""
    uses, least = uses_of(spec), (spec.years.last - spec.years.first) / MOST_LAGS
    within = {name for name in uses if way_round(name, uses)}
    for path, lag in entries_of(Lag, spec):
        low = float(joint.priors[dotted((*path, "by"))].family.ppf(np.array([1e-6]))[0])
        behind = {name for _, name in names_in(lag.of)}
        if low < least and behind & within:
            down, most = (number(float(f"{max(years, 0.0):.3g}")) for years in (low, least))
            rule = f"goes down to {down} years, within a circle through {', '.join(sorted(behind & within))}."
            remedy = f"It must be {most} years or more there, a {MOST_LAGS}th of the scenario's; truncate it."
            yield Fault((*path, "by"), rule, remedy)


def own_in_limits(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find limits that are made of the scenario's own variables where feedback bends these step by step."""
    if not any(driver.feedback for driver in stated_drivers(spec).values()):
        return
    uses = uses_of(spec)
    for section in ("drivers", "constraints"):
        for path, name in names_in(getattr(spec, section), (section,)):
            reach, seen = {name}, set[str]()
            while reach - seen:
                seen |= reach
                reach |= {each for one in reach for each in uses.get(one, ()) if one in spec.quantities}
            if own := sorted(reach & set(OWN) - set(spec.quantities)):
                rule = f"is made of {', '.join(own)}, which feedback bends step by step."
                yield Fault(path, rule, "A scenario has feedback, or limits made of its own variables: remove one.")


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
