"""Every prior of a scenario, with its name and what it is about.

The one walk over a scenario that the joint prior, the checks and the projection's names all rest on. The name of a
prior is its dotted path in the scenario.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any, Literal

from simulator.errors import Fault, Path, dotted, item_part, items, number
from simulator.schema.amounts import ASKED
from simulator.schema.events import Effect, chances
from simulator.schema.goals import THRESHOLD_QUANTITIES, Models
from simulator.schema.laws import Law
from simulator.schema.quantities import OPERATIONS, Event, Lag, Level, Operation, Quantity, Regime
from simulator.schema.spec import Driver, ScenarioSpec, Years, walked
from simulator.schema.statements import Prior
from simulator.schema.stocks import PURCHASES, AllocatedShare
from simulator.units import PERCENT, UnitError, parse_growth_unit

SlotKind = Literal["level", "rate", "drift", "date", "duration", "delay", "number"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a scenario at which a prior stands.

    `kind`: a level (log10 of base units), a rate (OOM/year), the drift of a rate (OOM/year), a date, a duration or a
    delay (years), or a plain number. `unit` is what a level must be in; None where the unit is free. `never` says
    that the prior may have a mass at "never", `asks` that its numbers can be read in more than one way and must say
    their unit. `name` is the dotted path; `drawn` the path as which it is drawn, where an entry on the way to it was
    renamed and says so.
    """

    path: Path
    prior: Prior
    kind: SlotKind
    unit: str | None = None
    never: bool = False
    asks: bool = False
    drawn: Path = ()
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", dotted(self.path))

    @property
    def stream(self) -> str:
        """The name by which its draws are keyed."""
        return dotted(self.drawn) if self.drawn else self.name


_NOT_A_YEAR = re.compile(r"(?:/|per) ?(?:s|hour|day|week|month|quarter|decade)s?$")


def units_asked(slots: Iterable[Slot]) -> dict[Path, Fault]:
    """Ask for the units of priors that follow no other (`unit_asked`): faults by the path of a prior, or its part."""
    return dict(each for slot in slots for each in _units_asked(slot, slot.path, slot.prior, slot.prior.unit))


def _units_asked(slot: Slot, path: Path, prior: Prior, unit: str | None) -> Iterator[tuple[Path, Fault]]:
    for index, part in enumerate(prior.mixture or ()):
        if part.function is None and part.input is None:
            yield from _units_asked(slot, (*path, "mixture", index), part, part.unit or unit)
    if prior.mixture is None and (fault := unit_asked(slot, path, prior, unit)):
        yield path, fault


def unit_asked(slot: Slot, path: Path, prior: Prior, unit: str | None) -> Fault | None:
    """Ask for the unit of numbers that can be read in more than one way, and show each reading with them.

    Percent of what changes something by a factor can be, too: 30 % may be 1.3x or 0.3x.
    """
    is_gap = slot.path[0] == "actors" and key_of(slot.path) == "gap"
    factor = (
        is_gap or slot.path[-2:] == ("jumps", "size") or slot.path in (("capability", "gain"), ("capability", "per"))
    )
    if factor and unit in PERCENT:
        rule = "is a factor; of percent it is unclear whether they are added to 1."
        return Fault((*path, "unit"), rule, "Write 1.3x for 30 % more, 0.7x for 30 % less.")
    if key_of(slot.path) == "depreciation" and unit and _NOT_A_YEAR.search(unit):
        rule = f"is in {unit}; what is lost compounds, so that a year's part is not so many times as much."
        return Fault((*path, "unit"), rule, "State the part that is lost within a year (2 % a month is 21.5 %/year).")
    if unit is not None or not slot.asks or (slot.kind in _TIMES and prior.value is not None and prior.value <= 0):
        return None  # no time at all has no unit
    stated = prior.value if prior.value is not None else prior.median if prior.interval is None else None
    ends = prior.interval or prior
    low, high = ends.lower, ends.upper
    if prior.quantiles:
        low, high = min(prior.quantiles.values()), max(prior.quantiles.values())
    span = "" if low is None or high is None else f"{number(low)} to {number(high)}"
    told = span if stated is None else number(stated)
    units_of = ("x/year", "percent/year", "OOM/year") if slot.kind == "rate" else ("percent", "fraction")
    units_of = ("years", "months", "days") if slot.kind in _TIMES else ("OOM", "x") if is_gap else units_of
    readings = [f"{told} {each.replace('percent', '%')}" if told else each for each in units_of]
    remedy = (
        f"Is it {', '.join(readings[:-1])} or {readings[-1]}? Add unit: {units_of[0]} (or {', '.join(units_of[1:])})."
    )
    return Fault(path, f"does not say its unit: {told or 'its numbers'} what?", remedy)


_TIMES: tuple[SlotKind, ...] = ("duration", "delay")
DRIVER_UNITS = {"spending": "USD", "hardware": "FLOP/USD", "compute": "FLOP", "algorithms": "1"}
OWN_UNITS = {**DRIVER_UNITS, "physical_compute": "FLOP", "effective_compute": "FLOP"}
"""Those of all variables of the scenario itself."""
_KINDS: Mapping[str, tuple[SlotKind, str | None]] = {
    # of levels and their growth
    "growth": ("rate", None), "rate": ("rate", None), "mean_of": ("rate", None),
    "towards": ("rate", None), "times": ("number", None),
    "from_": ("date", None), "half_life": ("duration", None), "by": ("duration", None), "life": ("duration", None),
    "service_life": ("duration", None), "depreciation": ("level", "1/year"),
    "drift": ("drift", None), "volatility": ("drift", None),
    "share": ("level", "1"), "shares": ("level", "1"), "multiplier": ("level", "1"), "parameters": ("number", None),
    # of events
    "probability": ("number", None), "hazard": ("level", "1/year"), "for_": ("duration", None), "until": ("date", None),
    "recovers": ("duration", None), "triggers": ("number", None), "delays": ("duration", None),
    # of thresholds
    "effective_compute": ("level", "FLOP"), "physical_compute": ("level", "FLOP"), "spending": ("level", "USD"),
    "capability": ("number", None), "multiple": ("level", "1"), "delay": ("delay", None),
    # of the capability metric
    "gain": ("level", "1"), "per": ("level", "1"), "reference": ("level", "FLOP"), "irreducible": ("number", None),
    "scale": ("level", "1"), "exponent": ("number", None), "midpoint": ("level", "FLOP"),
    "parameter_scale": ("level", "1"), "parameter_exponent": ("number", None),
    "data_scale": ("level", "1"), "data_exponent": ("number", None),
    "slope": ("number", None), "ceiling": ("number", None),
    # of the counts of models
    "largest_share": ("level", "1"), "smallest": ("number", "OOM"), "gradient": ("number", None),
}  # fmt: skip
"""Kind and unit of a prior by the field that holds it; in any other it is a level of a free unit."""
_HISTORY: Mapping[str, tuple[SlotKind, str | None]] = {
    "compute_level": ("level", "FLOP"), "efficiency_level": ("level", "FLOP/USD"), "accelerator_offset": ("level", "s"),
    "spending_volatility": ("drift", None), "efficiency_volatility": ("drift", None), "run_scatter": ("level", "1"),
    "cost_scatter": ("level", "1"), "accelerator_scatter": ("level", "1"),
    "error_confident": ("level", "1"), "error_likely": ("level", "1"), "error_speculative": ("level", "1"),
    "run_tail": ("number", None), "cost_tail": ("number", None), "cost_slope": ("number", None),
}  # fmt: skip
"""The same of the priors of the model of history."""
_INNER: Mapping[Path, tuple[SlotKind, str | None]] = {
    ("power", 1): ("number", None), ("jumps", "rate"): ("level", "1/year"), ("jumps", "size"): ("level", "1"),
    ("jumps", "spread"): ("number", None), ("capability", "floor"): ("number", None),
}  # fmt: skip
"""The same by the last two parts of the path, where the field alone does not tell."""


_UNIT_WORDS: Mapping[SlotKind, str] = {
    "rate": "x/year, %/year, OOM/year, months/doubling, months/halving, ...; it must be written",
    "drift": "OOM/year", "date": "a year or a date", "number": "none", "level": "its own",
    **dict.fromkeys(_TIMES, "a time (2 years, 18 months); it must be written"),
}  # fmt: skip


def unit_words(key: str) -> str:
    """Say in which unit a prior stands at a key of a file."""
    kind, unit = _KINDS.get("from_" if key == "from" else key, ("level", None))
    told = {None: _UNIT_WORDS[kind], "1": "a plain factor"}.get(unit, unit)
    return "%, or a fraction; it must be written" if key in ASKED and kind == "level" else str(told)


_NAMED = (
    "inputs", "quantities", "stocks", "uses", "thresholds", "constraints", "factors", "caps", "parameters", "events",
    "triggers", "delays",
)  # fmt: skip


def key_of(path: Path) -> str:
    """Give the key at which an entry stands; empty where it stands at a name that its file gives it."""
    return "" if not path or (path[-2:-1] and path[-2] in _NAMED) else str(path[-1])


def unit_alone(path: Path) -> str:
    """Name the unit that a number has which states none, by its place; empty where it has none, or must state one."""
    if not key_of(path):
        return ""
    if "feedback" in path and path[-1] == "at":
        return "FLOP"
    starts = DRIVER_UNITS.get(str(path[1])) if path[0] == "drivers" and path[2:] == ("start",) else None
    kind, unit = _INNER.get(path[-2:]) or _KINDS.get(str(path[-1]), ("level", starts))
    return "OOM/year" if kind == "drift" else unit if unit not in (None, "1") else ""


def entries(within: Any, path: Path = ()) -> tuple[tuple[Path, str, Any], ...]:
    """List what a scenario says, down to its priors: path, field and content of each entry, outer ones first."""
    if isinstance(within, ScenarioSpec) and not path:
        return (path, "", within), *within.below  # walked once
    return walked(within, path)


def entries_of[T](kind: type[T], within: Any, path: Path = ()) -> list[tuple[Path, T]]:
    """List the entries of a class in what a scenario says, or in the part of it at a path, with the path of each."""
    if isinstance(within, ScenarioSpec) and not path and kind is not ScenarioSpec:
        groups = [group for of, group in within.by_kind.items() if issubclass(of, kind)]
        found = groups[0] if len(groups) == 1 else sorted(chain.from_iterable(groups), key=itemgetter(0))
        return [(at, entry) for _, at, entry in found]
    return [(at, entry) for at, _, entry in entries(within, path) if isinstance(entry, kind)]


def stated_drivers(spec: ScenarioSpec) -> dict[str, Driver]:
    """Give the drivers that a scenario states, by name."""
    return {name: driver for name, driver in spec.drivers if driver is not None}


def slots(spec: ScenarioSpec) -> tuple[Slot, ...]:
    """List every prior of a scenario; they are found once."""
    if "slots" not in spec.__dict__:
        former = former_names(spec)
        spec.__dict__["slots"] = tuple(drawn_slot(slot, former) for slot in _slots(spec))
    found: tuple[Slot, ...] = spec.__dict__["slots"]
    return found


def former_names(spec: ScenarioSpec) -> dict[Path, str]:
    """Give the names that events and levels had before, as which they say that they are drawn, by path."""
    levels = {path: level.drawn_as for path, level in entries_of(Level, spec)}
    found = levels | {("events", name): event.drawn_as for name, event in spec.events.items()}
    return {path: name for path, name in found.items() if name}


def drawn_slot(slot: Slot, former: Mapping[Path, str], above: Path = ()) -> Slot:
    """Draw a prior under the names that entries on the way to it had before; `above` it those of an actor."""
    if not former and not above:
        return slot
    path, section = slot.path[len(above) :], slot.path[len(above)]
    drawn = [former.get(path[: place + 1], part) for place, part in enumerate(path)]
    if section == "events" and path[2] in ("triggers", "delays"):
        drawn[3] = former.get(("events", path[3]), path[3])
    if section == "allocation":
        drawn[1] = former.get(("stocks", path[1]), former.get(("quantities", path[1]), path[1]))
    return slot if (path_drawn := (*above, *drawn)) == slot.path else replace(slot, drawn=path_drawn)


def _slots(spec: ScenarioSpec) -> Iterator[Slot]:
    stated = tuple(_stated_slots(spec))
    for name, prior in spec.inputs.items():
        uses = [slot for slot in stated if slot.prior.input == name]
        of_growth = free_kind(prior) == "rate"
        kinds = {slot.kind for slot in uses if prior.unit is None or (slot.kind in ("rate", "drift")) == of_growth}
        kinds = kinds or {free_kind(prior)}
        unit = next((slot.unit for slot in uses if slot.unit is not None), None)
        never = bool(uses) and all(slot.never for slot in uses)
        asks = any(slot.asks for slot in uses)
        yield Slot(input_path(name), prior, min(kinds, key=_STRICTEST.index), unit, never=never, asks=asks)
    yield from stated


_STRICTEST: tuple[SlotKind, ...] = ("rate", "level", "drift", "delay", "duration", "date", "number")
"""An input is of the first of these kinds among those of its uses: what may not be 0 or less comes first."""


def input_path(name: str) -> Path:
    """Name the prior of an input."""
    return ("inputs", name)


def free_kind(prior: Prior) -> SlotKind:
    """Tell the kind of a prior that stands nowhere, by its unit: growth, a date, or a level."""
    unit = prior.own_unit or "1"
    try:
        parse_growth_unit(unit)
    except UnitError:
        below = prior.value is not None and prior.value <= 0
        return "date" if unit == "year" else "number" if below else "level"
    return "rate"


def history_slot(field: str, prior: Prior) -> Slot:
    """Give the place of a prior of the model of history, which learns and is not drawn."""
    return Slot(("history", "priors", field), prior, *_HISTORY[field])


def _stated_slots(spec: ScenarioSpec) -> Iterator[Slot]:
    levels, events, laws = dict(entries_of(Level, spec)), dict(events_of(spec)), dict(entries_of(Law, spec))
    effects = dict(entries_of(Effect, spec))
    for path, of, prior in entries(spec):
        if not isinstance(prior, Prior) or path[0] in ("inputs", "history", "actors"):
            continue
        starts = DRIVER_UNITS[str(path[1])] if path[0] == "drivers" and path[2:] in (("start",), ("level",)) else None
        kind, unit = _INNER.get(path[-2:]) or _KINDS.get(of, ("level", starts))
        if path[0] == "thresholds" and path[2:] == ("level",):
            kind, unit = _threshold_slot(spec, str(spec.thresholds[str(path[1])].quantity))
        if of == "times" and (effect := effects.get(path[:-1])) is not None and not effect.is_on_growth:
            kind, unit = "level", "1"
        if of == "reaches":
            kind, unit = "level", OWN_UNITS.get(str(events[path[:-1]].when))
        if of == "parameters" and path[:-2] in laws:
            kind = laws[path[:-2]].record.parameters[str(path[-1])].kind
            unit = DRIVER_UNITS[str(path[1])] if kind == "level" else None
        asks = (of in ASKED and path[-2:] not in _INNER) or kind == "rate"
        never = path[0] == "thresholds" and len(path) == 3 and kind != "delay"
        places = share_paths(spec) if of == "largest_share" else (path,)
        yield from (Slot(place, prior, kind, unit, never=never, asks=asks) for place in places)
        if kind == "drift":
            for year in shock_years(levels[path[:-1]], spec.years):
                yield Slot(shock_path(path, year), _shock(), "number")
        if path[-2:] == ("jumps", "rate"):
            for year in shock_years(levels[path[:-2]], spec.years):
                yield Slot(shock_path(path[:-1], year), _uniform("the jumps of a year"), "number")
    for path in chances(spec.events):
        yield Slot(path, _uniform("chance"), "number")
    if spec.models is not None:
        yield Slot(RUNS_PATH, _uniform("all runs of a sample"), "number")


def _threshold_slot(spec: ScenarioSpec, quantity: str) -> tuple[SlotKind, str | None]:
    """Give kind and unit of the level of a threshold; that of a quantity is checked where all units are."""
    if quantity in THRESHOLD_QUANTITIES:
        return _KINDS[quantity]
    return "level", DRIVER_UNITS[quantity] if quantity in stated_drivers(spec) and quantity != "compute" else None


def events_of(spec: ScenarioSpec) -> tuple[tuple[Path, Event], ...]:
    """List what eras and events wait for to begin, and events to end, with the path of each."""
    return tuple(entries_of(Event, spec))


def regimes_of(level: Level, path: Path) -> tuple[tuple[Path, Regime], ...]:
    """List the regimes of growth of a level, with the path of each; a single rate is one regime."""
    if level.growth is None:
        return ()
    if not isinstance(level.growth, tuple):
        return (((*path, "growth"), Regime.model_construct(rate=level.growth)),)  # a prior that was checked already
    return tuple(((*path, "growth", part), regime) for part, regime in items(level.growth))


def drawn_dates(spec: ScenarioSpec) -> Iterator[tuple[Level, list[str]]]:
    """List the levels that have regimes which begin at drawn dates, and the names of the priors of these, in order."""
    for path, level in entries_of(Level, spec):
        regimes = regimes_of(level, path)
        if dates := [dotted((*at, "from")) for at, regime in regimes if isinstance(regime.from_, Prior)]:
            yield level, dates


def rate_path(level: Level, regime_path: Path) -> Path:
    """Name the path of a regime's rate."""
    return (*regime_path, "rate") if isinstance(level.growth, tuple) else regime_path


def level_unit(level: Level, expected: str | None) -> str:
    """Name the unit in which a level is stated; the expected one where it says none."""
    stated = level.unit if level.start is None else level.start.unit
    return stated or expected or "1"


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


def parts_of(operation: Operation | Level, path: Path) -> tuple[tuple[Path, Quantity], ...]:
    """List the quantities that an operation works on, with the path of each; of a level what it is, or what it adds."""
    if isinstance(operation, Level):
        stated = (("level", operation.level), (PURCHASES, getattr(operation, PURCHASES, None)))
        return tuple(((*path, key), part) for key, part in stated if part is not None)
    if isinstance(operation, AllocatedShare):
        floors = tuple(((*path[:2], "uses", use, "floor"), each) for use, each in operation.floors.items())
        return (*floors, ((*path[:2], "of"), operation.of)) if floors else ()
    for key in OPERATIONS:
        value = getattr(operation, key)
        if value is None:
            continue
        if isinstance(value, Lag):
            return (((*path, key, "of"), value.of),)
        if operation.power is not None:
            return (((*path, key, item_part(operation.power[0], 0)), operation.power[0]),)
        if isinstance(value, tuple):
            return tuple(((*path, key, at), part) for at, part in items(value))
        return (((*path, key), value),)
    return ()


def calendar_years(years: Years) -> range:
    """List the calendar years of a scenario whose step is a year."""
    return range(math.floor(years.first), math.floor(years.last) + 1)


def share_path(models: Models, year: int) -> Path:
    """Name the prior of the largest run's share of a year's training compute."""
    path: Path = ("models", "largest_share")
    return (*path, year) if models.largest_share_drawn == "each-year" else path


def share_paths(spec: ScenarioSpec) -> tuple[Path, ...]:
    """List the names of that prior: one for each year, or one in all."""
    if spec.models is None:
        return ()
    return tuple(dict.fromkeys(share_path(spec.models, year) for year in calendar_years(spec.years)))


RUNS_PATH: Path = ("models", "runs")
"""The prior of a uniform number from which all runs of a sample are drawn."""


@cache
def _uniform(drawn: str) -> Prior:
    return Prior(family="uniform", lower=0.0, upper=1.0, notes=f"The number from which {drawn} are drawn.")
