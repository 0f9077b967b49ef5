"""What a scenario must fulfil beyond its single entries: names, units, circles, order, reach.

Everything is found in one go, as faults with the path of the entry; what is allowed but odd becomes a warning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.errors import Fault, Path, as_path, dotted, near_name, number
from simulator.priors.joint import JointPrior, joint_prior
from simulator.scenario.checks import priors
from simulator.scenario.checks.events import event_faults
from simulator.scenario.checks.plausibility import implausible
from simulator.scenario.checks.priors import history_faults, law_faults, observed_faults
from simulator.scenario.checks.quantities import (
    circle_faults,
    decay_faults,
    difference_faults,
    early_faults,
    lag_faults,
    lag_warnings,
    own_in_limits,
)
from simulator.scenario.checks.stocks import (
    allocation_unit_faults,
    name_faults,
    stated_quantities,
    sum_faults,
    sum_warnings,
)
from simulator.scenario.checks.units import UnitCheck, unit_name
from simulator.schema.base import Faults
from simulator.schema.drivers import driver_faults
from simulator.schema.events import Effect
from simulator.schema.goals import THRESHOLD_QUANTITIES, Capability, Models
from simulator.schema.laws import Law
from simulator.schema.prior_names import (
    DRIVER_UNITS,
    Slot,
    calendar_years,
    entries,
    entries_of,
    events_of,
    rate_path,
    regimes_of,
    share_paths,
    slots,
    stated_drivers,
)
from simulator.schema.quantities import OWN, Factor, Level, Limit, Operation, QuantityRate, Regime
from simulator.schema.spec import Correlation, Driver, FeedbackPoint, ScenarioSpec
from simulator.schema.statements import Prior, is_statement
from simulator.schema.subjects import level_name, standing, stands_of, variable_places
from simulator.schema.uses import NAMING, circles, names_in, uses_of, way_round
from simulator.units import DIMENSIONLESS, Unit, UnitError, parse_growth_unit, parse_unit
from simulator.wording import listed


def model_faults(spec: ScenarioSpec, joint: JointPrior | None) -> Iterator[Fault]:
    """Find what is wrong with the counts of models of a scenario."""
    models = spec.models
    if models is None:
        return
    yield from _year_faults(models, spec)
    if models.largest_share.input is not None and models.largest_share_drawn == "each-year":
        rule = f"is drawn each year, and inputs.{models.largest_share.input} is one draw."
        remedy = "Write largest_share_drawn: once, or state the prior here."
        yield Fault(("models", "largest_share", "input"), rule, remedy)
    if joint is None:
        return
    high = joint.priors[dotted(share_paths(spec)[0])].family.support[1]
    if high > 0:
        reach = f"reaches up to {number(10.0**high)}" if high < 300 else "has no upper end"
        rule = f"must be at most 1; the prior {reach}."
        remedy = "It is a share of the year's training compute. Truncate it: truncated: [0.05, 0.5]."
        yield Fault(("models", "largest_share"), rule, remedy)
    for key, what in (("smallest", "a distance in OOM"), ("gradient", "a power")):
        if rule := priors.out_of_range(joint.priors[f"models.{key}"].family, above=0):
            yield Fault(("models", key), rule, f"It is {what}. Use uniform, or truncate it: truncated: [0.1, null].")


def stated_once(fault: Fault) -> Fault:
    """Place a fault of a prior that is drawn anew for each year where the prior stands."""
    if fault.path[:2] != ("models", "largest_share"):
        return fault
    return replace(fault, path=tuple(part for part in fault.path if not isinstance(part, int) or part < 1000))


def _year_faults(models: Models, spec: ScenarioSpec) -> Iterator[Fault]:
    years = spec.years
    if years.step != "year":
        rule = f"is {years.step}; models are counted by calendar year."
        yield Fault(("years", "step"), rule, "Write step: year, or remove models.")
        return
    if years.last != np.floor(years.last) and np.floor(years.last) > years.first:
        rule = f"is {number(years.last)}: two points of the years would lie in {np.floor(years.last):.0f}."
        remedy = "Models are counted by calendar year: write a whole year."
        yield Fault(("years", "last"), rule, remedy)
    within = calendar_years(years)
    for year in models.known:
        if int(year) not in within:
            rule = f"lies outside the years of the scenario, {within[0]} to {within[-1]}."
            remedy = "Models before the first year go under earlier."
            yield Fault(("models", "known", year), rule, remedy)


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of a check: the joint prior where it can be made, faults, warnings, quantities that nothing uses."""

    joint: JointPrior | None
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


def check_scenario(spec: ScenarioSpec, own: Sequence[Slot] = ()) -> Checked:
    """Check a scenario as a whole; `own` are the priors of its actors."""
    faults: list[Fault] = []
    joint: JointPrior | None = None
    try:
        joint = joint_prior(spec, more=own)
    except Faults as error:
        faults += [stated_once(fault) for fault in error.faults]
    ranges = joint or _without_correlations(spec, own)
    uses = uses_of(spec)
    alone = {name: used & set(spec.named) for name, used in uses.items() if name in spec.named}
    in_circles = [*circle_faults(spec, alone)]
    faults += [*in_circles, *own_in_limits(spec)]
    units = UnitCheck(spec, frozenset(name for name in alone if way_round(name, alone)))
    for name, driver in stated_drivers(spec).items():
        faults += _driver_faults(("drivers", name), driver, parse_unit(DRIVER_UNITS[name]), units)
    for path, quantity in stated_quantities(spec):
        units.of(quantity, path)
    faults += allocation_unit_faults(spec, units)
    for name, limit in spec.constraints.items():
        units.limit(limit, ("constraints", name), parse_unit("FLOP"))
        if spec.drivers.compute is not None and name in spec.drivers.compute.caps:
            rule = f"has the name of a cap on compute, '{name}': both limit physical compute."
            faults.append(Fault(("constraints", name), rule, "Rename one of the two."))
    for path, level in entries_of(Level, spec):
        faults += _growth_faults(level, path, spec, units)
    faults += _capability_faults(spec, units)
    faults += driver_faults(spec)
    faults += [*_missing_faults(spec), *_threshold_faults(spec, units), *_event_faults(spec, units)]
    faults += [*law_faults(spec, ranges, units), *units.faults, *priors.former_faults(spec, ranges, own)]
    faults += [*model_faults(spec, ranges), *event_faults(spec, ranges)]
    faults += [*name_faults(spec), *_name_faults(spec), *history_faults(spec)]
    warnings: list[str] = []
    if ranges is not None:
        shares = priors.shares_of(spec, ranges)
        faults += [*priors.range_faults(ranges, shares), *priors.gain_faults(spec, ranges), *lag_faults(spec, ranges)]
        faults += [*decay_faults(spec, ranges), *sum_faults(spec, ranges)]
        faults += () if in_circles else early_faults(spec, ranges)
        faults += () if in_circles or units.faults else [*difference_faults(spec, ranges), *observed_faults(spec)]
    if joint is not None:
        warnings += [*_dollar_warnings(spec, joint), *_correlation_warnings(spec, joint)]
        stated = slots(spec)
        warnings += [*priors.range_warnings(spec, joint, shares), *implausible(spec, joint, stated)]
        warnings += [*priors.draw_warnings(spec, joint, stated), *priors.former_warnings(spec, joint, own)]
        warnings += [*sum_warnings(spec, joint), *lag_warnings(spec)]
    return Checked(joint, tuple(dict.fromkeys(faults)), tuple(warnings), () if faults else _unused(spec, uses))


def _without_correlations(spec: ScenarioSpec, own: Sequence[Slot]) -> JointPrior | None:
    """Make the priors alone, to find what is wrong with them where the correlations are at fault; None if they are."""
    try:
        return joint_prior(spec.model_copy(update={"correlations": ()}), more=own) if spec.correlations else None
    except Faults:
        return None


def _unused(spec: ScenarioSpec, uses: Mapping[str, set[str]]) -> tuple[str, ...]:
    """List the quantities that no limit is made of, directly or through others, and no other prior looks at."""
    rest, naming = ("drivers", "stocks", "allocation", "constraints", "thresholds"), (*NAMING, *THRESHOLD_QUANTITIES)
    used = {name for path, field, name in entries(spec)
            if field in naming and isinstance(name, str) and path[0] in rest}  # fmt: skip
    stood_on = {stand.quantity for stand in stands_of(spec).values()}
    used |= {name for name in uses if level_name(("quantities", name)) in stood_on}
    used |= {str(getattr(spec.capability, key, None)) for key in ("parameters", "tokens")}
    used |= {name for name, quantity in spec.quantities.items() if getattr(quantity, "label", None)}  # outputs
    used |= {str(as_path(prior.function.of)[1]) for _, prior in entries_of(Prior, spec)
             if prior.function is not None and prior.function.of.startswith("quantities.")}  # fmt: skip
    for _ in uses:
        used |= {other for name in used for other in uses.get(name, ())}
    return tuple(name for name in spec.quantities if name not in used)


def _name_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find names that mean something else, and those that the variables of a run cannot be called after."""
    limits = [path for path, _ in entries_of(Limit, spec)]
    factors = [path for path, factor in entries_of(Factor, spec.drivers, ("drivers",)) if path[-2:-1] == ("factors",)]
    groups = [
        (key, name) for key in ("inputs", "quantities", "stocks", "events", "thresholds") for name in getattr(spec, key)
    ]
    told: set[Path] = set()
    for path in [*limits, *factors, *groups]:
        name, means = str(path[-1]), ""
        if name == "prior" or is_statement(name):
            means = "a prior states a number"
        elif path in limits and name in ("none", "nothing"):
            means = "a run says that no limit binds"
        elif path == ("thresholds", "start"):
            means = "a multiple means the first year"
        if means:
            told.add(path)
            yield Fault(path, f"is called '{name}', by which {means}.", "Rename it.")
    yield from _item_faults(spec)
    places: dict[str, Path] = {}
    for variable, path in variable_places(spec):
        if places.setdefault(variable, path) != path:
            rule = f"gives the run a variable '{variable}', as {dotted(places[variable])} does."
            yield Fault(path, rule, "Rename one of the two.")
    for variable, path in places.items():
        base, _, ending = variable.rpartition("_")
        own = ending == "demanded" and places.get(base) in (path, path[:-1])
        if ending in ("mean", "error", "demanded") and not own and path not in told:
            told.add(path)
            rule = f"gives the run a variable '{variable}', whose ending is that of means, errors or what is demanded."
            yield Fault(path, rule, "Rename it.")


def _item_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find names of items that stand on no item of a list, or twice in one."""
    for path, _, entry in entries(spec):
        is_item = isinstance(entry, Prior | Regime | Level | Operation | Correlation | Effect)
        name = getattr(entry, "name", None) if is_item else None
        if name is not None and path[-1] != f"[{name}]":
            yield Fault((*path, "name"), "names an item of a list, and this is none.", "Write label, or remove it.")
        parts, at = (entry, path) if not isinstance(entry, Prior) else (entry.mixture, (*path, "mixture"))
        named = Counter(getattr(part, "name", None) for part in parts) if isinstance(parts, tuple) else {}
        for name in (name for name, count in named.items() if name and count > 1):
            yield Fault(at, f"has two items called '{name}'.", "Give each a name of its own.")


def _driver_faults(path: Path, driver: Driver, unit: Unit, units: UnitCheck) -> Iterator[Fault]:
    if driver.factors is None:
        yield from _one_level(path, driver, unit, units)
        return
    product, known = DIMENSIONLESS, True
    for name, factor in driver.factors.items():
        inner = (*path, "factors", name)
        try:
            own = units.factor(factor, inner)
        except UnitError as error:
            known = False
            if factor.table is not None:  # of a start, the joint prior reports it
                yield Fault((*inner, "unit"), error.rule, error.remedy)
            continue
        if own is None:  # what hides it is a fault already
            known = False
            continue
        product = product * own
        yield from _one_level(inner, factor, own, units)
    if known and product.dimension != unit.dimension:
        rule = f"multiply to {unit_name(product)}; the driver is in {unit_name(unit)}."
        yield Fault((*path, "factors"), rule, f"Give one factor a start in {unit_name(unit)}.")
    units.caps(driver, path, unit)


def _one_level(path: Path, level: Factor, unit: Unit, units: UnitCheck) -> Iterator[Fault]:
    if level.level is not None and path[2:3] != ("factors",):
        own = units.of(level.level, (*path, "level"))
        if own is not None and own.dimension != unit.dimension:
            remedy = "Name a quantity of that unit, or write a product with the factor that is missing."
            yield Fault((*path, "level"), f"must be in {unit_name(unit)}; it is in {unit_name(own)}.", remedy)
    if all(each is None for each in (level.level, level.custom, level.start, level.table)) and unit.dimension:
        remedy = f"Write start: its level in the first year, in {unit_name(unit)}."
        yield Fault(path, "has no start.", remedy)
    for key in ("start", "growth", "table", "drift", "volatility", "jumps", "at") if level.custom is not None else ():
        if getattr(level, key) is not None:
            yield Fault((*path, key), "stands beside custom.", "A custom driver computes its own levels: remove one.")
    if level.table is not None and level.unit is not None:
        try:
            if parse_unit(level.unit).dimension != unit.dimension:
                rule = f"must be a unit of {unit_name(unit)}; got '{level.unit}'."
                yield Fault((*path, "unit"), rule, f"State the numbers in {unit_name(unit)}.")
        except UnitError as error:
            yield Fault((*path, "unit"), error.rule, error.remedy)
    units.caps(level, path, unit)


def _growth_faults(level: Level, path: Path, spec: ScenarioSpec, units: UnitCheck) -> Iterator[Fault]:
    if level.table is not None:
        years = [year for year, _ in level.points]
        if years[0] > spec.years.first or years[-1] < spec.years.last:
            covered = f"{number(years[0])} to {number(years[-1])}"
            asked = f"{number(spec.years.first)} to {number(spec.years.last)}"
            rule = f"covers {covered}; the scenario runs from {asked}."
            yield Fault((*path, "table"), rule, "Add the years that are missing: nothing is extrapolated.")
    before: float | None = None
    follows = False
    for index, (regime_path, regime) in enumerate(regimes_of(level, path)):
        if isinstance(regime.rate, QuantityRate):
            yield from _rate_faults(regime.rate, rate_path(level, regime_path), units)
        follows = follows if regime.rate is None else isinstance(regime.rate, QuantityRate)
        if follows and regime.half_life is not None:
            rule = "is for a rate that is a number; this one follows a quantity."
            yield Fault((*regime_path, "half_life"), rule, "Let the quantity fall: growth: -20 %/year.")
        start, at = regime.from_, (*regime_path, "from")
        if index == 0:
            if start is not None:
                yield Fault(at, "is not for the first regime, which holds from the start.", "Remove it.")
        elif start is None:
            remedy = "Write from: and a year, or a prior over years."
            yield Fault(regime_path, "does not say from when it holds.", remedy)
        elif isinstance(start, Prior):
            if start.value is not None and before is not None and start.value <= before:
                rule = f"must come after the regime before, {number(before)}; got {number(start.value)}."
                yield Fault(at, rule, "Sort the regimes by year.")
            before = before if start.value is None else start.value


def _rate_faults(rate: QuantityRate, path: Path, units: UnitCheck) -> Iterator[Fault]:
    """Find a quantity that is not what its numbers are read as."""
    unit, wanted = units.of(rate.quantity, (*path, "quantity")), parse_growth_unit(rate.unit).told_in
    if unit is not None and unit.dimension != wanted.dimension:
        told, must = (_TOLD.get(str(each), f"in {each}") for each in (unit, wanted))
        remedy = "Say unit: ln/year, OOM/year or %/year of what is in 1/year, x/year of a number, "
        remedy += "months/doubling of a time."
        yield Fault((*path, "quantity"), f"is {told}; what is read in {rate.unit} must be {must}.", remedy)


_TOLD = {"1": "a plain number", "s": "a time", "1/s": "in 1/year"}


def _missing_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find drivers that are missing and asked for, or without which nothing asks for what is there."""
    missing, asked = spec.drivers.missing, list(_asked_for(spec))
    compute = [path for path, word in asked if word in _COMPUTES]
    beside = [name for name in stated_drivers(spec) if name != "spending"]
    idle = [name for name in beside if all(name not in word for _, word in asked)]
    if not missing or not (compute or idle or not (asked or spec.drivers.spending or spec.stocks)):
        return
    rule, remedy = f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} missing", "or write compute alone."
    if compute:
        rule += f", which {dotted(compute[0])} asks for"
    elif idle:
        rule += f", and nothing asks for {listed(idle)} alone"
        remedy = f"or write compute alone; or remove {listed(idle)}."
    else:
        rule += ", and no threshold stands on anything else"
        remedy = "or write compute alone; or a threshold on a quantity."
    yield Fault(("drivers",), f"{rule}.", f"Physical compute is spending times hardware; {remedy}")


_COMPUTES = ("effective_compute", "physical_compute")


def _asked_for(spec: ScenarioSpec) -> Iterator[tuple[Path, str]]:
    """List the variables, quantities and paths that a scenario asks about, each with the place that asks."""
    for name, threshold in spec.thresholds.items():
        key = threshold.stated[0] if threshold.stated is not None else "level"
        meant = threshold.quantity or ("effective_compute" if threshold.of == "start" else "")
        yield ("thresholds", name), key if key != "level" else meant
    for path, _, entry in entries(spec):
        is_made = isinstance(entry, Capability) and entry.parameters is not None  # of quantities
        if isinstance(entry, Models | Capability | FeedbackPoint | Law) and not is_made:
            yield path, "effective_compute"
    yield from ((("constraints", name), "physical_compute") for name in spec.constraints)
    yield from ((path, event.when or "") for path, event in events_of(spec))
    yield from ((path, name) for path, name in names_in(spec) if name in OWN and name not in spec.named)


def _event_faults(spec: ScenarioSpec, units: UnitCheck) -> Iterator[Fault]:
    known = standing(spec)
    for path, event in events_of(spec):
        if event.threshold is not None and event.threshold not in spec.thresholds:
            remedy = near_name(event.threshold, spec.thresholds) or "Define it under thresholds."
            yield Fault((*path, "threshold"), f"there is no threshold '{event.threshold}'.", remedy)
        if event.when in _COMPUTES and spec.drivers.missing:
            continue  # that is said of the drivers
        if event.when is not None and event.when not in known:
            remedy = near_name(event.when, known) or "Name spending, physical_compute, effective_compute or a quantity."
            yield Fault((*path, "when"), f"there is no variable '{event.when}'.", remedy)
        elif event.when is not None and event.reaches is not None:
            units.stands_on(event.reaches, (*path, "reaches"), known[event.when])


def _threshold_faults(spec: ScenarioSpec, units: UnitCheck) -> Iterator[Fault]:
    known = standing(spec)
    plain = [name for name in known if "." not in name and not name.startswith(("cap_", "constraint_", "quantity_"))]
    uses = {name: {t.of} if t.of and t.of != "start" else set() for name, t in spec.thresholds.items()}
    for name, way in circles(uses):
        rule = f"is a multiple of itself: {way}."
        yield Fault(("thresholds", name, "of"), rule, "Break the circle: state one of them as a level.")
    for name, threshold in spec.thresholds.items():
        path = ("thresholds", name)
        if threshold.of not in (None, "start", *spec.thresholds):
            remedy = near_name(str(threshold.of), [*spec.thresholds, "start"]) or "Name a threshold, or start."
            yield Fault((*path, "of"), f"there is no threshold '{threshold.of}'.", remedy)
        key = threshold.stated[0] if threshold.stated is not None and threshold.stated[0] != "level" else "quantity"
        word = key if key != "quantity" else threshold.quantity
        if word in _COMPUTES and spec.drivers.missing:
            continue  # that is said of the drivers
        if word == "capability" and spec.capability is None:
            remedy = "Define the metric under capability, at the top level of the file."
            yield Fault((*path, key), "needs a capability metric.", remedy)
        elif word == "spending" and spec.drivers.spending is None:
            whole = "This scenario states compute as a whole: set the threshold on compute."
            remedy = "Write drivers.spending." if spec.drivers.compute is None else whole
            yield Fault((*path, key), "needs a spending driver.", remedy)
        elif word in DRIVER_UNITS and word not in known:
            yield Fault((*path, key), f"needs a driver {word}.", f"Write drivers.{word}.")
        elif word is not None and word not in known:
            remedy = near_name(word, known) or f"Name one of {', '.join(plain)}, or define it under quantities."
            yield Fault((*path, key), f"there is no quantity '{word}'.", remedy)
        elif word is not None and threshold.stated is not None and word != "capability":
            units.stands_on(threshold.stated[1], (*path, threshold.stated[0]), known[word])


def _capability_faults(spec: ScenarioSpec, units: UnitCheck) -> Iterator[Fault]:
    for key in ("parameters", "tokens"):
        name = getattr(spec.capability, key, None)
        if name is None:
            continue
        path, wanted = ("capability", key), parse_unit(key.removesuffix("s"))
        unit = units.of(name, path)
        if unit is not None and unit.dimension != wanted.dimension:
            remedy = f"Its parts must combine to {wanted}: 6 FLOP/parameter/token, 20 token/parameter, ..."
            yield Fault(path, f"must be in {wanted}; '{name}' is in {unit_name(unit)}.", remedy)


def _correlation_warnings(spec: ScenarioSpec, joint: JointPrior) -> Iterator[str]:
    for place, each in enumerate(spec.correlations):
        if fixed := [name for name in each.between if joint.priors[name].value is not None]:
            is_are = "is fixed and has" if len(fixed) == 1 else "are fixed and have"
            yield f"correlations[{place}]: is left out, as {listed(fixed)} {is_are} no rank."


def _dollar_warnings(spec: ScenarioSpec, joint: JointPrior) -> Iterator[str]:
    for name, prior in joint.priors.items():
        if spec.dollars and not prior.is_use and prior.prior.dollars and prior.prior.dollars != spec.dollars:
            kinds = f"{prior.prior.dollars} dollars, the scenario in {spec.dollars}"
            yield f"{name}: is in {kinds}; nothing is converted."
