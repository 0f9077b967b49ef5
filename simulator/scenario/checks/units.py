"""The units of a scenario's quantities, limits and variables, worked out from what its priors say."""

from __future__ import annotations

from contextlib import suppress
from functools import reduce
from operator import mul

from simulator.errors import Fault, Path, near_name, number
from simulator.schema.prior_names import DRIVER_UNITS, OWN_UNITS, level_unit, parts_of
from simulator.schema.quantities import OWN, Level, Limit, Operation, Quantity
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import Prior
from simulator.schema.stocks import PURCHASES, AllocatedShare, Stock
from simulator.schema.subjects import inner_subjects, level_name, moving_thresholds, subjects, told_variables
from simulator.units import Unit, UnitError, parse_level_unit, parse_unit, plain_unit


def variable_units(spec: ScenarioSpec) -> dict[str, str]:
    """List the units of the variables whose unit depends on the scenario: factors, quantities, caps, constraints."""
    check = UnitCheck(spec, frozenset())
    result: dict[str, str] = {}
    for name, (path, quantity) in spec.named.items():
        result[level_name(("quantities", name))] = _logarithm(check.of(quantity, path))
    for subject in (*subjects(spec), *inner_subjects(spec)):
        main = _FIXED_UNITS.get(subject.name)
        unit = main or _logarithm(check.factor(subject.level, subject.path))
        result |= {bound.variable: unit for bound in subject.bounds} | ({} if main else {subject.name: unit})
    result |= dict.fromkeys(told_variables(spec), "log10(1)")
    for name, (level, path, _) in moving_thresholds(spec).items():
        result[name] = _logarithm(check.of(level, path))
    if spec.capability is not None:
        result["capability"] = spec.capability.name
    return result


def named_unit(spec: ScenarioSpec, name: str) -> str:
    """Name the unit of a named quantity, or of a variable of the scenario itself: `chip`, `FLOP/USD`."""
    variable = level_name(("quantities", name)) if name in spec.named else name
    unit = plain_unit({**_FIXED_UNITS, **variable_units(spec)}[variable])
    return "W" if unit == "J/s" else unit


_FIXED_UNITS = {name: f"log10({unit})" for name, unit in OWN_UNITS.items()}


def _logarithm(unit: Unit | None) -> str:
    return f"log10({Unit(unit.dimension) if unit else '1'})"


class UnitCheck:
    """Works out the unit of each quantity and collects what does not combine."""

    def __init__(self, spec: ScenarioSpec, in_circles: frozenset[str]) -> None:
        self.spec = spec
        self.faults: list[Fault] = []
        self._in_circles = in_circles
        self._known: dict[str, Unit | None] = {}
        self._units: dict[str, str] | None = None

    def of(self, quantity: Quantity, path: Path) -> Unit | None:
        """Work out the unit; None where a fault, which is then collected, hides it."""
        if isinstance(quantity, str):
            return self._named(quantity, path)
        if isinstance(quantity, Prior):
            return self._parse(quantity.own_unit or "1")
        if isinstance(quantity, Level):
            return self._level(quantity, path)
        return self._operation(quantity, path)

    def _parse(self, text: str) -> Unit | None:
        try:
            return parse_level_unit(text)[0]
        except UnitError:
            return None  # the joint prior reports it, with the path of the prior

    def _named(self, name: str, path: Path) -> Unit | None:
        if name not in self.spec.named and name in OWN:
            return self._own(name, path)
        if name not in self.spec.named:
            remedy = near_name(name, self.spec.named) or "Define it under quantities."
            self.faults.append(Fault(path, f"there is no quantity '{name}'.", remedy))
            return None
        if name in self._in_circles:
            return None
        if name not in self._known:
            before = len(self.faults)
            path, quantity = self.spec.named[name]
            self._known[name] = self.of(quantity, path)
            del self.faults[before:]  # they are collected where the quantity itself is checked
        return self._known[name]

    def _own(self, name: str, path: Path) -> Unit | None:
        """Give the unit of a variable of the scenario itself."""
        if name in DRIVER_UNITS and getattr(self.spec.drivers, name) is None:
            remedy = f"Write drivers.{name}." if self.spec.drivers.missing else "Name physical_compute, or state it."
            self.faults.append(Fault(path, f"the scenario has no driver {name}.", remedy))
            return None
        return parse_unit(DRIVER_UNITS.get(name, "FLOP"))

    def _level(self, level: Level, path: Path) -> Unit | None:
        if isinstance(level, Stock) and level.purchases is not None:
            flow = self.of(level.purchases, (*path, PURCHASES))
            return self._under_caps(level, path, None if flow is None else self._accumulated(level, path, flow))
        if level.level is not None:
            return self._under_caps(level, path, self.of(level.level, (*path, "level")))
        if level.start is None and level.table is None:
            self.faults.append(
                Fault(path, "has no start.", "Write start: {value: 1, unit: USD}, for example, or a table.")
            )
            return None
        try:
            unit = stated_unit(level)
        except UnitError as error:
            if level.table is not None:
                self.faults.append(Fault((*path, "unit"), error.rule, error.remedy))
            return None
        return self._under_caps(level, path, unit)

    def _under_caps(self, level: Level, path: Path, unit: Unit | None) -> Unit | None:
        if unit is not None:
            self.caps(level, path, unit)
        return unit

    def factor(self, level: Level | None, path: Path) -> Unit | None:
        """Work out the unit of a level that may be a quantity; UnitError where what it states is none."""
        if level is not None and (level.level is not None or isinstance(level, Stock)):
            return self._level(level, path)
        return None if level is None else stated_unit(level)

    def caps(self, level: Level, path: Path, unit: Unit) -> None:
        """Check that the caps of a level have its unit."""
        for name, cap in level.caps.items():
            self.limit(cap, (*path, "caps", name), unit)

    def limit(self, limit: Limit, path: Path, expected: Unit) -> None:
        """Check that a limit has the unit of what it limits."""
        if limit.limit is not None:
            unit, where = self.of(limit.limit, (*path, "limit")), (*path, "limit")
        else:
            unit, where = self._named(str(limit.of), (*path, "of")), (*path, "of")
        if unit is not None and unit.dimension != expected.dimension:
            missing = Unit((expected / unit).dimension)
            rule = f"must be in {expected}; it is in {unit_name(unit)}."
            remedy = f"A limit has the unit of what it limits: a factor in {missing} is missing, or one too many."
            self.faults.append(Fault(where, rule, remedy))

    def stands_on(self, level: Quantity, path: Path, variable: str) -> None:
        """Check that the level of a threshold has the unit of the variable that it stands on."""
        if isinstance(level, Prior) and variable in _FIXED_UNITS:
            return  # the joint prior knows the unit
        unit = self.of(level, path)
        if self._units is None and not self.faults and not self._in_circles:
            with suppress(UnitError):  # which is told of the factor that states it
                self._units = {**_FIXED_UNITS, **variable_units(self.spec)}
        expected = (self._units or _FIXED_UNITS).get(variable.removesuffix("_demanded"))
        of = parse_level_unit(expected)[0] if expected else None
        if unit is None or of is None or unit.dimension == of.dimension:
            return
        if isinstance(level, Prior) and level.own_unit is None:
            self.faults.append(Fault(path, f"says no unit; what it is a level of is in {of}.", f"Add unit: {of}."))
        else:
            rule = f"is in {unit_name(unit)}; what it is a level of is in {unit_name(of)}."
            self.faults.append(Fault(path, rule, f"State it in {unit_name(of)}."))

    def _operation(self, operation: Operation, path: Path) -> Unit | None:
        if isinstance(operation, AllocatedShare):
            return Unit(())
        parts = parts_of(operation, path)
        found = [(inner_path, self.of(inner, inner_path)) for inner_path, inner in parts]
        if any(unit is None for _, unit in found):
            return None
        units = [(inner_path, unit) for inner_path, unit in found if unit is not None]
        if operation.accumulation is not None:
            return self._accumulated(operation, path, units[0][1])
        if operation.power is not None:
            return self._raised(operation.power[1], (*path, "power", 1), units[0][1])
        if operation.product is not None:
            return reduce(mul, (unit for _, unit in units))
        if operation.ratio is not None:
            return units[0][1] / units[1][1]
        for inner_path, unit in units[1:]:
            if unit.dimension != units[0][1].dimension:
                rule = f"is in {unit_name(unit)}; the first is in {unit_name(units[0][1])}: they do not combine."
                self.faults.append(Fault(inner_path, rule, "Only quantities of one unit can be added or compared."))
                return None
        return units[0][1]

    def _raised(self, exponent: Prior, path: Path, unit: Unit) -> Unit | None:
        """Raise a unit to a power; its own powers must stay whole."""
        if not unit.dimension:
            return unit
        if exponent.value is None:
            rule = f"is uncertain, and what is raised is in {unit_name(unit)}: the unit would be uncertain too."
            self.faults.append(
                Fault(path, rule, "Divide by an amount of that unit first: ratio: [it, {value: 1, ..}].")
            )
            return None
        powers = [(base, power * exponent.value) for base, power in unit.dimension]
        if any(abs(power - round(power)) > 1e-9 for _, power in powers):
            rule = f"raises {unit_name(unit)} to the power {number(exponent.value)}, which is no unit."
            remedy = "Divide by an amount first, so that whole powers come out: (FLOP / (FLOP/parameter^2))^0.5."
            self.faults.append(Fault(path, rule, remedy))
            return None
        return Unit(tuple((base, round(power)) for base, power in powers if round(power)))

    def _accumulated(self, operation: Operation | Stock, path: Path, flow: Unit) -> Unit | None:
        stock = Unit((flow * parse_unit("s")).dimension)
        if operation.start is not None and operation.start.unit is not None:
            start = self._parse(operation.start.unit)
            if start is not None and start.dimension != stock.dimension:
                rule = f"is in {unit_name(start)}; a flow in {unit_name(flow)} adds up to {unit_name(stock)}."
                remedy = "State the flow per year, the start as a stock."
                self.faults.append(Fault((*path, "start", "unit"), rule, remedy))
                return None
        return stock


def stated_unit(level: Level) -> Unit:
    """Read the unit in which a level is stated; UnitError where it is none."""
    text = level_unit(level, None)
    return parse_unit(text) if level.start is None else parse_level_unit(text)[0]


def unit_name(unit: Unit) -> str:
    """Write a unit for a message."""
    return str(unit) if unit.dimension else "a plain number"
