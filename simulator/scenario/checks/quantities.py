"""Faults of quantities as a whole: made from themselves, asked for before they begin, all lost, never above 0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

import numpy as np

from simulator.errors import Fault, Path, dotted, number
from simulator.priors.joint import JointPrior
from simulator.schema.prior_names import entries, entries_of, parts_of, rate_path, regimes_of, stated_drivers
from simulator.schema.quantities import OWN, Factor, Lag, Level, Operation, Quantity, QuantityRate
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import Prior
from simulator.schema.stocks import Stock
from simulator.schema.uses import Uses, circles, is_before, lagged, names_in, uses_of, way_round, with_feedback
from simulator.units import SECONDS_PER_YEAR
from simulator.wording import percent

LEAST_LAG = 0.0625
"""The least lag within a circle, in years: a step of the grid on which it is followed."""

MOST_TIMES = 2000
"""The most times at which lags within a circle may come again, one after another: each is computed of its own."""


def circle_faults(spec: ScenarioSpec, alone: Uses) -> Iterator[Fault]:
    """Find what is made from itself at the same time; a lag opens a circle through a limit on a variable.

    `alone` are the quantities that each quantity is made of.
    """
    at_once = uses_of(spec, lagged=False)
    own = set(OWN) - set(spec.named)
    found: set[frozenset[str]] = set()
    rates = [(path, each) for path, _, each in spec.below if isinstance(each, QuantityRate)]
    for path, rate in rates:  # the integral of which is over all times before, so that no lag opens a circle
        owner = str(path[1]) if path[1] in (*spec.named, *DRIVERS) else "physical_compute"
        if way := way_round(
            owner, {**with_feedback(uses_of(spec), spec), owner: {name for _, name in names_in(rate.quantity)}}
        ):
            found.add(frozenset(way.split(" -> ")))
            remedy = "Break the circle; what bends growth by effective compute is feedback."
            yield Fault((*path, "quantity"), f"follows what it makes grow: {way}.", remedy)
    demanded = uses_of(spec, limits=False)  # a level that only follows from what it was before begins nowhere
    for uses in (at_once, alone, demanded):
        for name, way in circles(uses):
            if frozenset(way.split(" -> ")) in found:
                continue
            found.add(frozenset(way.split(" -> ")))
            remedy = "Break the circle: state one of them by its own prior"
            variable = next((each for each in way.split(" -> ") if each in own), "")
            if uses is demanded:
                remedy += "; only a limit may follow from what was before."
            else:
                remedy += f", or take what was before: lag: {{of: {variable}, by: 1 year}}." if variable else "."
            section = ("constraints",) if name == "physical_compute" else ("drivers",)
            at = spec.named[name].path if name in spec.named else (*section, name) if name in DRIVERS else section
            yield Fault(at, f"is made from itself: {way}.", remedy)


DRIVERS = ("spending", "hardware", "algorithms")


def lag_faults(spec: ScenarioSpec, joint: JointPrior) -> Iterator[Fault]:
    """Find lags within a circle that are too short to be followed, or too many."""
    shortest: dict[Path, float] = {}
    for path in lagged(spec)[1]:
        low = shortest[path] = float(joint.priors[dotted((*path, "by"))].family.ppf(np.array([1e-9]))[0])
        if low < LEAST_LAG:
            rule = f"goes down to {number(float(f'{max(low, 0.0):.3g}'))} years, within a circle."
            yield Fault((*path, "by"), rule, f"It must be {LEAST_LAG} years or more there; truncate it.")
    if not shortest or min(shortest.values()) < LEAST_LAG:
        return
    times, span = {0.0}, spec.years.last - spec.years.first
    left = [0.0]
    while left and len(times) <= MOST_TIMES:
        after = {round(left[-1] + by, 9) for by in shortest.values()} - times
        times |= (after := {each for each in after if each <= span})
        left = [*left[:-1], *after]
    if len(times) > MOST_TIMES:
        rule = f"comes again, with the other lags within its circle, at more than {MOST_TIMES:,} times."
        remedy = "Make these lags longer or multiples of one another, or keep one."
        yield Fault((*min(shortest, key=lambda path: shortest[path]), "by"), rule, remedy)


def lag_warnings(spec: ScenarioSpec) -> Iterator[str]:
    """Warn of lags that look back at what grows by a law, which says nothing of the time before the first year."""
    stated = stated_drivers(spec).items()
    by_law = {"physical_compute" if name == "compute" else name for name, driver in stated if driver.law is not None}
    uses = uses_of(spec) if by_law else {}
    for path, lag in entries_of(Lag, spec) if by_law else ():
        used, more = set[str](), {name for _, name in names_in(lag.of)}
        while more:
            used |= more
            more = {other for name in more for other in uses.get(name, ())} - used
        since = number(spec.years.first)
        for name in sorted(by_law & used):
            yield f"{dotted(path)}: before {since} {name} stands as it does then: it grows by a law from then on."


def own_in_limits(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find limits made of variables that feedback bends step by step at the same time, and levels made of them ever."""
    if not spec.fed:
        return
    uses, at_once = with_feedback(uses_of(spec), spec), uses_of(spec, lagged=False)
    bent = {name for name in set(OWN) - set(spec.named) if way_round(name, uses)}
    for section in ("drivers", "constraints"):
        for path, name in names_in(getattr(spec, section), (section,)):
            if "growth" in path:
                continue  # that follows what it makes grow
            limits = section == "constraints" or "caps" in path
            reach, seen = set() if limits and is_before(path) else {name}, set[str]()
            while reach - seen:
                seen |= reach
                made_of = at_once if limits else uses
                reach |= {each for one in reach for each in made_of.get(one, ()) if one in spec.named}
            if own := sorted(reach & bent):
                rule = f"is made of {', '.join(own)}{' at the same time' * limits}, which feedback bends step by step."
                remedy = f"Take what was before: lag: {{of: {own[0]}, by: 1 year}}; or remove feedback."
                yield Fault(path, rule, remedy if limits else "Only limits may follow it, lagged; or remove feedback.")


def early_faults(spec: ScenarioSpec, joint: JointPrior) -> Iterator[Fault]:
    """Find stocks that begin after the first year, and tables and stocks that are asked for before they begin.

    A lag asks for earlier years, and so does a stock, a highest or a lowest that counts from an earlier date.
    """
    first = spec.years.first
    asked: dict[Path, tuple[Quantity, float]] = {}
    open_: list[Asked] = [
        (path, each, first)
        for path, _, each in entries(spec)
        if isinstance(each, Operation | Stock) or (isinstance(each, Level) and _follows(each))
    ]
    while open_:
        path, quantity, year = open_.pop(0)
        if path not in asked or year < asked[path][1]:
            asked[path] = (quantity, year)
            open_ += _asks(quantity, path, year, spec, joint)

    def needed(year: float) -> str:
        needs = "then on" if year == first else number(float(f"{year:.8g}"))
        return f"the scenario runs from {number(first)} and needs it from {needs}."

    for path, (each, year) in asked.items():
        if isinstance(each, Level) and each.table is not None:
            if year < (begin := each.points[0][0]) <= first:  # that it covers the years is checked of each table
                remedy = "Add the years that are missing: nothing is extrapolated."
                yield Fault((*path, "table"), f"begins in {number(begin)}; {needed(year)}", remedy)
        elif _is_stock(each) and (since := _since(each, spec)) > year:
            yield Fault(
                path, f"begins in {number(since)}; {needed(year)}", "Set at: earlier, and start: to what it was."
            )


type Asked = tuple[Path, Quantity, float]
"""A quantity with its path, and the year from which it is asked for."""


def _follows(level: Level) -> bool:
    """Tell whether a rate of a level is what a quantity says."""
    eras = level.growth if isinstance(level.growth, tuple) else ()
    return any(isinstance(rate, QuantityRate) for rate in (level.growth, *(era.rate for era in eras)))


def _is_stock(quantity: Quantity) -> TypeGuard[Operation | Stock]:
    """Tell whether a quantity is a flow that was added up."""
    stock = isinstance(quantity, Stock) and quantity.adds_up
    return stock or (isinstance(quantity, Operation) and quantity.accumulation is not None)


def _since(operation: Operation | Level, spec: ScenarioSpec) -> float:
    return spec.years.first if operation.at is None else operation.at


def _asks(quantity: Quantity, path: Path, year: float, spec: ScenarioSpec, joint: JointPrior) -> Iterator[Asked]:
    """List what a quantity that is asked for from a year on is made of, with the years from which it asks for that."""
    if isinstance(quantity, str) and quantity in spec.named:
        yield *spec.named[quantity], year
    elif isinstance(quantity, str) and year < spec.years.first:  # before the first year, what growth alone gives
        for at, level in _behind(quantity, spec):
            yield (at, level, year) if level.level is None else ((*at, "level"), level.level, year)
    elif isinstance(quantity, Level) and _follows(quantity):
        since = min(spec.years.first if quantity.at is None else quantity.at, year)
        for at, regime in regimes_of(quantity, path):
            if isinstance(regime.rate, QuantityRate):
                yield (*rate_path(quantity, at), "quantity"), regime.rate.quantity, since
    elif isinstance(quantity, Operation | Level):
        if isinstance(quantity, Operation) and quantity.lag is not None:
            year -= float(joint.priors[dotted((*path, "lag", "by"))].family.ppf(np.array([0.9995]))[0])
        elif _is_stock(quantity) or any(getattr(quantity, key, None) is not None for key in ("highest", "lowest")):
            year = min(_since(quantity, spec), year)
        yield from ((at, part, year) for at, part in parts_of(quantity, path))


def _behind(name: str, spec: ScenarioSpec) -> Iterator[tuple[Path, Factor]]:
    """List the levels that a variable of the scenario is the product of."""
    drivers = stated_drivers(spec)
    compute = ("compute",) if "compute" in drivers else ("spending", "hardware")
    made = {"physical_compute": compute, "effective_compute": (*compute, "algorithms")}
    for each in made.get(name, (name,)):
        if (driver := drivers.get(each)) is not None and driver.factors is None:
            yield ("drivers", each), driver
        elif driver is not None and driver.factors is not None:
            yield from ((("drivers", each, "factors", key), factor) for key, factor in driver.factors.items())


def decay_faults(spec: ScenarioSpec, joint: JointPrior) -> Iterator[Fault]:
    """Find stocks of which all is lost within a year."""
    stocks: list[tuple[Path, Operation | Stock]] = [*entries_of(Operation, spec), *entries_of(Stock, spec)]
    for path, operation in stocks:
        if operation.depreciation is None:
            continue
        at = (*path, "depreciation")
        lost = joint.priors[dotted(at)].family.ppf((np.arange(1000) + 0.5) / 1000) + np.log10(SECONDS_PER_YEAR)
        if share := float(np.mean(lost >= -1e-9)):
            often = "" if share == 1 else f", in {percent(share)} of the draws"
            rule = f"is all of the stock within a year, or more{often}."
            yield Fault(at, rule, "Write life: 6 months, or truncate it.")


def difference_faults(spec: ScenarioSpec, joint: JointPrior) -> Iterator[Fault]:
    """Find differences that are not above 0 in the first year, whatever is drawn; of others, runs tell the samples."""
    for path, operation in entries_of(Operation, spec):
        if operation.difference is None:
            continue
        whole, part = (_start_bounds(each, at, spec, joint) for at, each in parts_of(operation, path))
        if whole and part and whole[1] <= part[0]:
            rule = f"is not above 0 at the start, whatever is drawn; the scenario runs from {number(spec.years.first)}."
            yield Fault((*path, "difference"), rule, "The second is taken from the first: is their order right?")


def _start_bounds(quantity: Quantity, path: Path, spec: ScenarioSpec, joint: JointPrior) -> tuple[float, float] | None:
    """Give the bounds of a quantity in the first year, log10; None where not one prior alone says it."""
    if isinstance(quantity, str):
        named = spec.named.get(quantity)
        return None if named is None else _start_bounds(named.quantity, named.path, spec, joint)
    if isinstance(quantity, Level) and quantity.start is not None:
        held = quantity.at in (None, spec.years.first) and not quantity.caps and quantity.jumps is None
        return joint.priors[dotted((*path, "start"))].family.support if held else None
    return joint.priors[dotted(path)].family.support if isinstance(quantity, Prior) else None
