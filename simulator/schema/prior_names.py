"""Every prior of a scenario, with its name and what it is about.

The one walk over a scenario that the joint prior, the checks and the projection's names all rest on. The name of a
prior is its dotted path in the scenario.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from simulator.errors import Path, as_path, dotted
from simulator.schema.goals import Capability, Threshold
from simulator.schema.model_counts import Models
from simulator.schema.spec import (
    OPERATIONS,
    Driver,
    Factor,
    Level,
    Limit,
    Operation,
    Quantity,
    Regime,
    ScenarioSpec,
    Years,
)
from simulator.schema.statements import Prior

SlotKind = Literal["level", "rate", "drift", "date", "duration", "delay", "number"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a scenario at which a prior stands.

    `kind`: a level (log10 of base units), a rate (OOM/year), the drift of a rate (OOM/year), a date, a duration or a
    delay (years), or a plain number. `unit` is what a level must be in; None where the unit is free. `never` says
    that the prior may have a mass at "never". `name` is the dotted path.
    """

    path: Path
    prior: Prior
    kind: SlotKind
    unit: str | None = None
    never: bool = False
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", dotted(self.path))


DRIVER_UNITS = {"spending": "USD", "hardware": "FLOP/USD", "compute": "FLOP", "algorithms": "1"}
_IN_THRESHOLDS: Mapping[str, tuple[SlotKind, str | None]] = {
    "effective_compute": ("level", "FLOP"), "physical_compute": ("level", "FLOP"), "spending": ("level", "USD"),
    "capability": ("number", None), "multiple": ("level", "1"),
}  # fmt: skip
_IN_CAPABILITY: Mapping[str, tuple[SlotKind, str | None]] = {
    "gain": ("level", "1"), "reference": ("level", "FLOP"), "irreducible": ("number", None),
    "scale": ("level", "1"), "exponent": ("number", None), "midpoint": ("level", "FLOP"),
    "slope": ("number", None), "floor": ("number", None), "ceiling": ("number", None),
}  # fmt: skip


def stated_drivers(spec: ScenarioSpec) -> dict[str, Driver]:
    """Give the drivers that a scenario states, by name."""
    stated = {name: getattr(spec.drivers, name) for name in DRIVER_UNITS}
    return {name: driver for name, driver in stated.items() if driver is not None}


def driver_levels(spec: ScenarioSpec) -> Iterator[tuple[Path, Factor]]:
    """List the drivers of a scenario and their factors, with the path of each."""
    for name, driver in stated_drivers(spec).items():
        yield ("drivers", name), driver
        for key, factor in (driver.factors or {}).items():
            yield ("drivers", name, "factors", key), factor


def levels_in(quantity: Quantity, path: Path) -> Iterator[tuple[Path, Level]]:
    """List the levels in a quantity, also in the limits of its caps, with the path of each."""
    if isinstance(quantity, Level):
        yield path, quantity
        for name, cap in quantity.caps.items():
            if cap.limit is not None:
                yield from levels_in(cap.limit, (*path, "caps", name, "limit"))
    elif isinstance(quantity, Operation):
        for inner_path, part in parts_of(quantity, path):
            yield from levels_in(part, inner_path)


def slots(spec: ScenarioSpec) -> tuple[Slot, ...]:
    """List every prior of a scenario."""
    return tuple(_slots(spec))


def _slots(spec: ScenarioSpec) -> Iterator[Slot]:
    for name, driver in stated_drivers(spec).items():
        yield from _driver_slots(("drivers", name), driver, DRIVER_UNITS[name], spec.years)
    for name, quantity in spec.quantities.items():
        yield from _quantity_slots(("quantities", name), quantity, spec.years)
    for name, limit in spec.constraints.items():
        yield from _limit_slots(("constraints", name), limit, spec.years)
    for name, threshold in spec.thresholds.items():
        yield from _stated(("thresholds", name), threshold, _IN_THRESHOLDS, never=True)
        yield from _stated(("thresholds", name), threshold, {"delay": ("delay", None)})
    if spec.capability is not None:
        yield from _stated(("capability",), spec.capability, _IN_CAPABILITY)
    if spec.models is not None:
        yield from _model_slots(spec.models, spec.years)


def regimes_of(level: Level, path: Path) -> tuple[tuple[Path, Regime], ...]:
    """List the regimes of growth of a level, with the path of each; a single rate is one regime."""
    if level.growth is None:
        return ()
    if isinstance(level.growth, Prior):
        return (((*path, "growth"), Regime.model_construct(rate=level.growth)),)  # a prior that was checked already
    return tuple(((*path, "growth", index), regime) for index, regime in enumerate(level.growth))


def rate_path(level: Level, regime_path: Path) -> Path:
    """Name the path of a regime's rate."""
    return regime_path if isinstance(level.growth, Prior) else (*regime_path, "rate")


def level_unit(level: Level, expected: str | None) -> str:
    """Name the unit in which a level is stated; the expected one where it says none."""
    stated = level.unit if level.start is None else level.start.unit
    return stated or expected or "1"


def _driver_slots(path: Path, driver: Driver, unit: str, years: Years) -> Iterator[Slot]:
    yield from _factor_slots(path, driver, unit, years)
    for name, factor in (driver.factors or {}).items():
        yield from _factor_slots((*path, "factors", name), factor, None, years)
    for index, point in enumerate(driver.feedback or ()):
        yield Slot((*path, "feedback", index, "multiplier"), point.multiplier, "level", "1")


def _factor_slots(path: Path, factor: Factor, unit: str | None, years: Years) -> Iterator[Slot]:
    yield from _level_slots(path, factor, unit, years)
    for name, prior in (factor.custom.parameters if factor.custom else {}).items():
        yield Slot((*path, "custom", "parameters", name), prior, "number")


def _level_slots(path: Path, level: Level, unit: str | None, years: Years) -> Iterator[Slot]:
    if level.start is not None:
        yield Slot((*path, "start"), level.start, "level", unit)
    for regime_path, regime in regimes_of(level, path):
        if regime.rate is not None:
            yield Slot(rate_path(level, regime_path), regime.rate, "rate")
        if regime.times is not None:
            yield Slot((*regime_path, "times"), regime.times, "number")
        if regime.from_ is not None:
            yield Slot((*regime_path, "from"), regime.from_, "date")
        if regime.half_life is not None:
            yield Slot((*regime_path, "half_life"), regime.half_life, "duration")
        if regime.towards is not None:
            yield Slot((*regime_path, "towards"), regime.towards, "rate")
    for key in ("drift", "volatility"):
        prior = getattr(level, key)
        if prior is not None:
            yield Slot((*path, key), prior, "drift")
            for year in shock_years(level, years):
                yield Slot(shock_path((*path, key), year), _shock(), "number")
    for name, limit in level.caps.items():
        yield from _limit_slots((*path, "caps", name), limit, years)


def shock_years(level: Level, years: Years) -> tuple[int, ...]:
    """List the whole years with a shock to a level or its rate: after its base year, up to the horizon."""
    base = years.first if level.at is None else level.at
    return tuple(range(math.floor(base) + 1, math.ceil(years.last) + 1))


@cache
def _shock() -> Prior:
    return Prior(family="normal", mean=0.0, sd=1.0, notes="Shock of a year.")


def shock_path(path: Path, year: int) -> Path:
    """Name the prior of the shock of a drift or volatility in a year; a standard normal of its own."""
    return (*path, "shock", year)


def _limit_slots(path: Path, limit: Limit, years: Years) -> Iterator[Slot]:
    if limit.share is not None:
        yield Slot((*path, "share"), limit.share, "level", "1")
    if limit.limit is not None:
        yield from _quantity_slots((*path, "limit"), limit.limit, years)


def _quantity_slots(path: Path, quantity: Quantity, years: Years) -> Iterator[Slot]:
    if isinstance(quantity, Prior):
        yield Slot(path, quantity, "level")
    elif isinstance(quantity, Level):
        yield from _level_slots(path, quantity, None, years)
    elif isinstance(quantity, Operation):
        for inner_path, inner in parts_of(quantity, path):
            yield from _quantity_slots(inner_path, inner, years)
        if quantity.start is not None:
            yield Slot((*path, "start"), quantity.start, "level")


def parts_of(operation: Operation, path: Path) -> tuple[tuple[Path, Quantity], ...]:
    """List the quantities that an operation works on, with the path of each."""
    for key in OPERATIONS:
        value = getattr(operation, key)
        if value is None:
            continue
        if isinstance(value, tuple):
            return tuple(((*path, key, index), part) for index, part in enumerate(value))
        return (((*path, key), value),)
    return ()


def _stated(
    path: Path, spec: Threshold | Capability, places: Mapping[str, tuple[SlotKind, str | None]], *, never: bool = False
) -> Iterator[Slot]:
    """List the priors that an entry states, of those that it may state: by key their kind and unit."""
    for key, (kind, unit) in places.items():
        prior = getattr(spec, key)
        if prior is not None:
            yield Slot((*path, key), prior, kind, unit, never=never)


def _model_slots(models: Models, years: Years) -> Iterator[Slot]:
    for year in calendar_years(years):
        yield Slot(share_path(models, year), models.largest_share, "level", "1")
        if models.largest_share_drawn == "once":
            break
    yield Slot(("models", "smallest"), models.smallest, "number")
    yield Slot(("models", "gradient"), models.gradient, "number")
    yield Slot(RUNS_PATH, _runs_prior(), "number")


def calendar_years(years: Years) -> range:
    """List the calendar years of a scenario whose step is a year."""
    return range(math.floor(years.first), math.floor(years.last) + 1)


def share_path(models: Models, year: int) -> Path:
    """Name the prior of the largest run's share of a year's training compute."""
    path: Path = ("models", "largest_share")
    return (*path, year) if models.largest_share_drawn == "each-year" else path


RUNS_PATH: Path = ("models", "runs")
"""The prior of a uniform number from which all runs of a sample are drawn."""


@cache
def _runs_prior() -> Prior:
    return Prior(family="uniform", lower=0.0, upper=1.0, notes="The number from which all runs of a sample are drawn.")


SECTIONS = ("drivers", "quantities", "constraints", "capability", "thresholds", "models")
_ABOUT = {"constraints": "constraint ", "capability": "capability: ", "thresholds": "threshold "}
_PLACES = {
    "product": "factor", "sum": "term", "minimum": "choice", "maximum": "choice", "feedback": "feedback point",
    "growth": "era",
}  # fmt: skip


def in_words(path: Path, *, labels: Mapping[str, str] | None = None) -> str:
    """Say a path in words, without its section; thresholds by their labels."""
    words: list[str] = []
    rest = list(path[2:] if path[0] == "drivers" else path[1:])
    if path[0] == "thresholds" and len(path) > 2:
        name = str(rest.pop(0))
        words.append((labels or {}).get(name, name))
    while rest:
        key = rest.pop(0)
        if key in ("factors", "caps") and rest and isinstance(rest[0], str):
            name = str(rest.pop(0)).replace("-", " ")
            words.append(f"cap {name}" if key == "caps" else name)
        elif rest and isinstance(rest[0], int):
            place = int(rest.pop(0)) + 1
            if key == "growth":
                words.append(f"growth, era {place}")
            elif key == "ratio":
                words.append(("numerator", "denominator")[place - 1] if place <= 2 else str(place))
            else:
                words.append(f"{_PLACES.get(str(key), str(key))} {place}")
        else:
            words.append("first year" if key == "from" else str(key).replace("-", " ").replace("_", " "))
    text = words[0] if words else ""
    for before, after in itertools.pairwise(words):
        nested = before.split(" ")[0] in _PLACES.values() and after.split(" ")[0] in _PLACES.values()
        text += f"{',' if nested else ':'} {after}"
    return text


def input_words(name: str, *, labels: Mapping[str, str] | None = None) -> str:
    """Name an input so that it says by itself what it is about; a group of inputs keeps its name."""
    path = as_path(name)
    if len(path) < 2 or path[0] not in SECTIONS:
        return name
    words = in_words(path, labels=labels)
    if path[0] == "drivers":
        return f"{path[1]}: {words}" if words else str(path[1])
    return f"{_ABOUT.get(str(path[0]), '')}{words}"
