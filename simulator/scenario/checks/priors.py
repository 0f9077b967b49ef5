"""Priors that mean nothing, or something else than they say: dates, shares and starts out of range, odd draws.

Those of laws of growth and of the model of history are among them, and what was observed.

What cannot be meant is a fault; what is allowed but odd becomes a warning, with the share of the draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from simulator.errors import Fault, as_path, dotted, items, near_name, number
from simulator.priors.dependence import Dependence
from simulator.priors.families import Fixed
from simulator.priors.joint import JointPrior, NamedPrior, named_prior
from simulator.scenario.checks.units import UnitCheck, named_unit
from simulator.schema.base import FIRST_YEAR, LARGEST, LARGEST_LOG, LAST_YEAR, Faults, year_faults
from simulator.schema.laws import DECLINE
from simulator.schema.prior_families import Distribution
from simulator.schema.prior_names import (
    Slot,
    drawn_dates,
    entries,
    entries_of,
    former_names,
    history_slot,
    slots,
    stated_drivers,
)
from simulator.schema.quantities import OWN, Level, Limit, Operation
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import PointFunction, Prior
from simulator.units import Array, plain_unit
from simulator.wording import listed, percent


def draw_warnings(spec: ScenarioSpec, joint: JointPrior, stated: Sequence[Slot]) -> Iterator[str]:
    """Warn of library entries that are drawn twice, of functions off their points, of inputs that nothing uses."""
    yield from _drawn_twice(spec, joint)
    for slot in stated:
        if slot.prior.function is not None:
            yield from _off_the_points(slot.name, slot.prior.function, joint)
    used = {slot.prior.input for slot in stated} | {
        function.of.removeprefix("inputs.") for function in joint.functions.values()
    }
    for name in spec.inputs:
        if name not in used:
            yield f"inputs.{name}: nothing uses it."


def former_faults(spec: ScenarioSpec, joint: JointPrior | None, own: Sequence[Slot]) -> Iterator[Fault]:
    """Find names of before that are said where no name is the author's, or by which two would be one draw."""
    for path, level in entries_of(Level, spec):
        if level.drawn_as and path[-2] not in ("quantities", "stocks", "factors"):
            remedy = "It is said of an actor, an event, a quantity, a stock or a factor that was renamed: remove it."
            yield Fault((*path, "drawn_as"), "stands where there is no name to change.", remedy)
    every = (*slots(spec), *own)
    if joint is None or not any(slot.drawn for slot in every):
        return
    drawn, found = set(joint.uncertain), dict[str, Slot]()
    for slot in sorted((slot for slot in every if slot.name in drawn), key=lambda each: bool(each.drawn)):
        other = found.setdefault(slot.stream, slot)
        if other is not slot:
            place = next(at for at, both in enumerate(zip(slot.path, slot.drawn, strict=True)) if both[0] != both[1])
            remedy = "Give it another name; what is one draw is an input, used as {input: its-name}."
            rule = f"draws {slot.name} as {slot.stream}, and so is {other.name}."
            yield Fault((*slot.path[: place + 1], "drawn_as"), rule, remedy)


def former_warnings(spec: ScenarioSpec, joint: JointPrior, own: Sequence[Slot]) -> Iterator[str]:
    """Warn of names of before under which nothing is drawn."""
    former = (*former_names(spec), *(("actors", name) for name, actor in spec.actors.items() if actor.drawn_as))
    drawn = set(joint.uncertain) if former else ()
    paths = [slot.path for slot in (*slots(spec), *own) if slot.name in drawn]
    for path in former:
        if not any(each[: len(path)] == path for each in paths):
            yield f"{dotted(path)}.drawn_as: changes nothing, as no prior of it is drawn."


def _drawn_twice(spec: ScenarioSpec, joint: JointPrior) -> Iterator[str]:
    """Find the same entry of the library in several places whose draws are independent."""
    joined = [frozenset(each.between) for each in spec.correlations]
    using: dict[tuple[str, ...], list[str]] = {}
    for name in joint.uncertain:
        using.setdefault(tuple(_entries(joint.priors[name].prior)), []).append(name)
    found: dict[tuple[tuple[str, ...], Distribution], list[str]] = {}
    for said, names in using.items():
        for name in names if said and len(names) > 1 else ():
            found.setdefault((said, joint.priors[name].family), []).append(name)
    for (said, _), names in found.items():
        apart = [name for name in names if all({name, other} not in joined for other in names if other != name)]
        of_each_year = all(name.startswith("models.largest_share") for name in names)
        if len(apart) > 1 and not of_each_year:
            times = "twice" if len(apart) == 2 else f"{len(apart)} times"
            yield (
                f"{' with '.join(dict.fromkeys(said))}: drawn {times}, independently: {listed(apart)}. "
                "Where one number is meant, name it under inputs and use it as {input: its-name}."
            )


FEW = 0.1
"""Fewer draws than these between the points of a function are said."""


def _off_the_points(name: str, function: PointFunction, joint: JointPrior) -> Iterator[str]:
    """Say that the other prior lies outside the points of a function, where that is constant, in nearly all draws."""
    other, points = joint.priors[function.of], sorted(map(float, function.points))
    followed = joint.functions.get(name)
    if isinstance(followed, Dependence):
        x = followed.place(other.family.ppf((np.arange(1000) + 0.5) / 1000))
        first, last = followed.at[0], followed.at[-1]
    else:  # of a fixed number
        x, first, last = other.stated.ppf(np.array([0.5])), points[0], points[-1]
    x = x[np.isfinite(x)]
    below, above = float(np.mean(x < first)), float(np.mean(x > last))
    if 1.0 - below - above < FEW:
        unit = f" {other.stated_unit}" if other.stated_unit else ""
        yield (
            f"{name}: {function.of} lies below the first point, {number(points[0])}{unit}, in {percent(below)} of the "
            f"draws and above the last, {number(points[-1])}{unit}, in {percent(above)}: the function is constant "
            "there. Points are stated in the unit of what they refer to."
        )


def _entries(prior: Prior) -> Iterator[str]:
    """List the entries of the library that a prior is, or is mixed of."""
    if prior.prior is not None:
        yield prior.prior
    for part in prior.mixture or ():
        yield from _entries(part)


_GRID = (np.arange(1000) + 0.5) / 1000
MOSTLY = 0.95
"""A date that lies before the path begins in so many of the draws is hardly meant."""
SELDOM = 0.01
"""Fewer draws than these may, without a word, be shares above 1, as in a lognormal tail, or declines before a law."""


def out_of_range(family: Distribution, *, above: float = -np.inf, below: float = np.inf) -> str:
    """Say that a prior does not stay between two bounds; empty where it does."""
    low, high = family.support
    is_fixed = isinstance(family, Fixed)
    if low < above or (is_fixed and low == above):
        reach = f"reaches down to {number(low)}" if np.isfinite(low) else "has no lower end"
        return f"must stay above {number(above)}; the prior {reach}."
    if high > below or (is_fixed and high == below):
        reach = f"reaches up to {number(high)}" if np.isfinite(high) else "has no upper end"
        return f"must stay below {number(below)}; the prior {reach}."
    return ""


MOST_GAIN = 10.0
"""The factor of a metric for each doubling of compute from which it is taken for something else."""


def range_faults(joint: JointPrior, shares: Mapping[str, NamedPrior]) -> Iterator[Fault]:
    """Find dates that are no years, levels beyond all numbers, and `shares` (`shares_of`) that are mostly above 1."""
    for name, prior in joint.priors.items():
        if prior.unit == "year":
            yield from _date_faults(prior)
        elif str(prior.prior.unit).startswith("log10(") and abs(prior.median) > LARGEST_LOG:
            amount = f"10^({prior.median:.4g}) {plain_unit(prior.unit)}"
            rule = f"is {amount}, and {LARGEST:g} is the most that is computed with."
            remedy = "A number in log10 is an exponent: 30 for 1e30. Leave log10 out, or write that."
            yield Fault(as_path(name), rule, remedy)
        elif name in shares and (middle := float(np.median(_draws(prior)))) > 0.0:
            amount = "is" if isinstance(prior.family, Fixed) else "has the median"
            rule = f"must be at most 1, the whole; it {amount} {10**middle:.4g}, or {100 * 10**middle:.4g} %."
            remedy = "A multiple is a product: limit: {product: [10, world-product]}; a plain number has the unit 1."
            yield Fault(as_path(name), rule, remedy)


def gain_faults(spec: ScenarioSpec, joint: JointPrior) -> Iterator[Fault]:
    """Find a gain that is meant as the compute it takes: no metric is known to rise tenfold with each doubling."""
    if spec.capability is None or spec.capability.kind != "gain-per-doubling" or spec.capability.gain is None:
        return
    middle = 10.0 ** float(np.median(_draws(joint.priors["capability.gain"])))
    if middle >= MOST_GAIN:
        told = number(float(f"{middle:.4g}"))
        rule = f"is {told} times for each doubling of compute, 10 times or more."
        remedy = f"Twice the metric for {told} times the compute is kind: gain-per-factor, gain: 2, per: {told}."
        yield Fault(("capability", "gain"), rule, remedy)


def _date_faults(prior: NamedPrior) -> Iterator[Fault]:
    low, middle, high = prior.family.ppf(np.array([0.01, 0.5, 0.99])).tolist()
    if isinstance(prior.family, Fixed):
        yield from year_faults(as_path(prior.name), middle, example=2027)
    elif low < FIRST_YEAR or middle > LAST_YEAR:
        rule = f"must be years from {FIRST_YEAR} to {LAST_YEAR}; 98 % of it lies between {low:.6g} and {high:.6g}."
        yield Fault(as_path(prior.name), rule, "Write for example {uniform: [2027, 2030]}.")


def range_warnings(spec: ScenarioSpec, joint: JointPrior, shares: Mapping[str, NamedPrior]) -> Iterator[str]:
    """Warn of dates outside the years, shares that are above 1 at times, and algorithms that do not start at 1."""
    for name, prior in shares.items():
        if (above := float(np.mean(_draws(prior) > 0.0))) > SELDOM:
            yield f"{name}: is above 1, the whole, in {percent(above)} of the draws."
    first, last = spec.years.first, spec.years.last
    for path, _, entry in entries(spec):
        if isinstance(entry, Level | Operation) and entry.at is not None and entry.at > last:
            yield f"{dotted((*path, 'at'))}: {number(entry.at)} lies after the last year, {number(last)}."
    for level, dates in drawn_dates(spec):
        begin = first if level.at is None else min(first, level.at)
        for date in dates:
            yield from _era_warnings(joint.priors[date], begin, last)
    yield from _algorithm_warnings(spec, joint)


def is_beyond(date: NamedPrior, last: float) -> bool:
    """Tell whether a date lies at or after the last year whatever is drawn; of others, runs count the samples."""
    return date.family.support[0] >= last


def _era_warnings(date: NamedPrior, begin: float, last: float) -> Iterator[str]:
    if is_beyond(date, last):
        yield f"{date.name}: lies at or beyond the last year, {number(last)}: this era is never in force."
    elif (share := float(np.mean(_draws(date) <= begin))) >= MOSTLY:
        where = f"{number(begin)}, where the path begins" + ("" if share == 1 else f" in {percent(share)} of the draws")
        yield f"{date.name}: lies at or before {where}: the era before is not seen."


def _algorithm_warnings(spec: ScenarioSpec, joint: JointPrior) -> Iterator[str]:
    """Effective compute counts FLOP of first-year algorithms where these are 1 then, or of a year that is stated.

    Who states that they start at 1 in another year says so.
    """
    driver, first, path = spec.drivers.algorithms, spec.years.first, ("drivers", "algorithms")
    if driver is None:
        return
    parts = {path: driver} if driver.factors is None else {(*path, "factors", k): v for k, v in driver.factors.items()}
    total, dated = np.zeros(_GRID.size), {first}
    for at, level in parts.items():
        if level.table is None:
            dated.add(first if level.at is None or level.start is not None else level.at)
        if level.start is not None:
            total = total + _draws(joint.priors[dotted((*at, "start"))])
        elif level.table is not None:
            points = np.array([(year, np.log10(value)) for year, value in level.points])
            total = total + np.interp(first, points[:, 0], points[:, 1])
    low, middle, high = (number(float(f"{10 ** float(np.quantile(total, q)):.3g}")) for q in (0.05, 0.5, 0.95))
    if total.any():
        spread = f" (90 % {low} to {high})" if low != high else ""
        year = number(max(dated - {first}, default=first))
        yield (
            f"drivers.algorithms: is {middle}{spread} in {year}, not 1: effective compute is then so many times "
            "physical compute, in FLOP of algorithms that are so much less efficient."
        )
    elif len(dated) > 1:
        yield (
            f"drivers.algorithms: is 1 in {number(max(dated - {first}))} and not in the first year, {number(first)}: "
            "effective compute counts FLOP of the algorithms of that year."
        )


def shares_of(spec: ScenarioSpec, joint: JointPrior) -> dict[str, NamedPrior]:
    """Find the priors that are shares of a limit, or levels that are stated as fractions."""
    limits = {dotted((*path, "share")) for path, _ in entries_of(Limit, spec)}

    def is_fraction(prior: NamedPrior) -> bool:
        return "fraction" in {prior.prior.unit, *(part.unit for part in prior.prior.mixture or ())}

    return {
        name: prior
        for name, prior in joint.priors.items()
        if prior.unit == "log10(1)" and not name.startswith("models.") and (name in limits or is_fraction(prior))
    }


def _draws(prior: NamedPrior) -> Array:
    return prior.family.ppf(_GRID)


def history_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find what is wrong with the priors of the model of history, which are not drawn: they learn."""
    for field, prior in spec.history.priors if spec.history else ():
        if prior is None:
            continue
        slot = history_slot(field, prior)
        odd = [
            key for key in ("function", "input", "never", "discrete", "empirical") if getattr(prior, key) is not None
        ]
        if odd:
            remedy = "State it by numbers of its own that spread evenly: an interval, quantiles or a family."
            yield Fault((*slot.path, odd[0]), "cannot stand on a prior of the model of history.", remedy)
            continue
        try:
            least = named_prior(slot).family.support[0]
        except Faults as error:
            yield from error.faults
            continue
        if field.endswith(("scatter", "tail")) and least < 0:
            rule = f"must stay above 0; it reaches down to {number(least)}."
            yield Fault(slot.path, rule, "Use family: gamma or lognormal, or truncate it: truncated: [0, null].")


def observed_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find what was observed of nothing that there is, in another unit, or twice; only where all units are known."""
    known = [*spec.named, *(name for name in OWN if name != "effective_compute")]
    for name, observed in (spec.history.quantities if spec.history else {}).items():
        path = ("history", "quantities", name)
        if name not in known:
            yield Fault(path, f"there is no quantity '{name}'.", near_name(name, known) or "Name one that there is.")
            continue
        of_runs = name in ("spending", "hardware", "physical_compute") and name not in spec.named
        if of_runs and spec.history and spec.history.runs != "none":
            rule = "is learnt from the table of runs already, with scatter of single years that nothing else moves."
            yield Fault(path, rule, "Add a row to that table, or write runs: none.")
        for place, value in ((place, each.value) for place, each in items(observed) if each.value is not None):
            try:
                named_prior(Slot((*path, place, "value"), value, "level", named_unit(spec, name)))
            except Faults as error:
                yield from error.faults


def law_faults(spec: ScenarioSpec, joint: JointPrior | None, units: UnitCheck) -> Iterator[Fault]:
    """Find what is wrong with the laws by which drivers grow."""
    for name, driver in stated_drivers(spec).items():
        if driver.law is None:
            continue
        path = ("drivers", name)
        if driver.at not in (None, spec.years.first):
            rule = f"is {number(driver.at or 0.0)}; a law begins in the first year, {number(spec.years.first)}."
            yield Fault((*path, "at"), rule, "State the level of that year, and remove at.")
        for key, quantity in driver.law.quantities.items():
            units.of(quantity, (*path, "law", "quantities", key))
        for key, stated in driver.law.record.parameters.items():
            if joint is None or key not in driver.law.parameters or stated.kind == "level":
                continue
            at = (*path, "law", "parameters", key)
            if stated.kind == "rate":
                prior = joint.priors[dotted(at)]
                if prior.family.ppf(np.array([SELDOM]))[0] < stated.above:
                    often = f" in {percent(SELDOM)} of the draws or more" if prior.value is None else ""
                    yield Fault(at, f"is a decline{often}; a law says how growth goes on.", DECLINE)
            elif rule := out_of_range(joint.priors[dotted(at)].family, above=stated.above, below=stated.below):
                yield Fault(at, rule, f"What it is: {stated.meaning}. Write other numbers, or truncate it.")
