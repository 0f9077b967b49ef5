"""What a scenario file and a prior library may say.

Closed and frozen: an unknown key is a fault, and a scenario does not change once it is read. The text under a
field documents it, in the editor too (`simulate schema`). Faults that need only one entry are found here; those
that need its surroundings (names, units, order) in `checks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from simulator.errors import Fault, Path, items, number, shown
from simulator.schema.actors import Actor, actor_faults, by_faults, count_faults
from simulator.schema.amounts import prior_in_words, written_in_numbers
from simulator.schema.base import (
    LONGEST_CHAIN,
    MOST_LIMITS,
    MOST_NAMED,
    AmountIn,
    Faults,
    ItemName,
    Line,
    Name,
    Number,
    Spec,
    Text,
    Year,
    year_faults,
)
from simulator.schema.choices import DESIGNS, Registered
from simulator.schema.events import NamedEvent
from simulator.schema.goals import Capability, Models, Threshold
from simulator.schema.history import HistoryStatement
from simulator.schema.laws import Law
from simulator.schema.quantities import STATING, Factor, Limit, Operation, Quantity
from simulator.schema.statements import Prior
from simulator.schema.stocks import PURCHASES, AllocatedShare, Allocation, Stock

SCHEMA_VERSION = 2


class FeedbackPoint(Spec):
    """The multiplier of a rate at a level of effective compute."""

    at: Annotated[Number, Field(gt=0.0), AmountIn("FLOP")]
    """Effective compute, FLOP."""
    multiplier: Prior
    """By how much the driver's rate is multiplied there."""


class Driver(Factor):
    """Spending, hardware efficiency, algorithmic efficiency, or physical compute as a whole.

    Either a level of its own (start, growth), or a product of named factors; then caps on the product.
    """

    drawn_as: ClassVar[None] = None  # type: ignore[misc]  # its name is that of the format

    factors: Annotated[dict[Name, Factor], Field(min_length=1)] | None = None
    """Named factors whose product the driver is."""
    feedback: Annotated[tuple[FeedbackPoint, ...], Field(min_length=2)] | None = None
    """Points of a log-linear function of effective compute that multiplies the driver's rate; constant beyond them."""
    law: Law | None = None
    """A law by which it grows from its start in the first year on, in the place of growth: `{kind: automated-research}`
    with its quantities and parameters."""

    def _faults(self) -> Iterator[Fault]:
        levels = [point.at for point in self.feedback or ()]
        beside = [key for key in _OF_FACTORS if getattr(self, key) is not None] if self.factors is not None else []
        by_law = [key for key in _OF_LAW if getattr(self, key) is not None] if self.law is not None else []
        if faults := list(super()._faults()):
            yield from faults
        elif by_law:
            yield Fault((by_law[0],), "stands beside law, by which the driver grows.", f"Remove {by_law[0]}, or law.")
        elif beside:
            rule = "stands beside factors: the driver is their product."
            yield Fault((beside[0],), rule, f"Move {beside[0]} into one of the factors.")
        elif any(level < LEAST_COMPUTE for level in levels):
            level = min(levels)
            rule = f"is {number(level)} FLOP, with which nothing is trained."
            meant = f"Write {10.0**level:.3g} for 10^{level:g} FLOP." if level < 300 else ""
            remedy = meant or "It is a level and no date: write for example 1e30."
            yield Fault(("feedback", levels.index(level), "at"), rule, remedy)
        elif any(later <= earlier for earlier, later in pairwise(levels)):
            yield Fault(("feedback",), "must list its points by rising `at`.", "Sort the points.")


LEAST_COMPUTE = 1e6
"""Effective compute in FLOP below which a number is taken for its logarithm, or for a date."""
_OF_FACTORS = ("level", *STATING)
_OF_LAW = ("growth", "feedback", "factors", "level", *(key for key in STATING if key not in ("start", "growth", "at")))


class Correlation(Spec):
    """A rank correlation between two priors; a pair with a fixed number, which has no rank, is left out."""

    between: tuple[Text, Text]
    """The dotted paths of the two priors."""
    rank: Annotated[Number, Field(gt=-1.0, lt=1.0), AmountIn("1")]
    """Spearman's rank correlation."""
    source: Text | None = None
    """Where it comes from."""
    notes: Text | None = None
    """Why."""
    name: ItemName | None = None
    """A name, by which a path leads to it: `correlations[cost].rank`."""


class Years(Spec):
    """The years of the projection: the first, every calendar step after it, the last."""

    first: Year
    """The first year or date of the projection."""
    last: Year
    """The horizon, a year or date."""
    step: Literal["year", "quarter", "month"] = "year"
    """The spacing of the years between."""

    def _faults(self) -> Iterator[Fault]:
        far = [fault for key in ("first", "last") for fault in year_faults((key,), getattr(self, key), example=2045)]
        if self.last <= self.first:
            rule = f"must come after first {number(self.first)}; got {number(self.last)}."
            yield Fault(("last",), rule, "Write a later year.")
        else:
            yield from far[:1]


class Drivers(Spec):
    """The drivers: spending, hardware and algorithms; or compute and algorithms; or those that something asks for."""

    noun: ClassVar[str] = "driver"
    spending: Driver | None = None
    """Spending on the subject, USD."""
    hardware: Driver | None = None
    """Hardware efficiency, FLOP per USD."""
    compute: Driver | None = None
    """Physical compute as a whole, FLOP, where spending and hardware are not told apart."""
    algorithms: Driver | None = None
    """Algorithmic efficiency, 1 at the start; constant at 1 without it."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The drivers without which there is no compute, physical or effective; none where it is stated as a whole."""
        return tuple(key for key in ("spending", "hardware") if self.compute is None and getattr(self, key) is None)

    def _faults(self) -> Iterator[Fault]:
        if self.compute is not None and (self.spending is not None or self.hardware is not None):
            rule = "stands beside compute, which is spending times hardware."
            beside = "hardware" if self.spending is None else "spending"
            yield Fault((beside,), rule, "Keep compute, or spending and hardware.")


def _whole(value: Any) -> Any:
    """Take a whole number that is written with an exponent (1e6) for the whole number it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _schema_version(value: Any) -> Any:
    if value != SCHEMA_VERSION or isinstance(value, bool):
        rule = f"must be {SCHEMA_VERSION}; got {shown(value)}."
        remedy = f"Write schema: {SCHEMA_VERSION}, or use the simulator that the file was written for."
        raise Faults([Fault((), rule, remedy)])
    return value


SchemaVersion = Annotated[Literal[2], BeforeValidator(_schema_version)]


def walked(value: Any, path: Path) -> tuple[tuple[Path, str, Any], ...]:
    """List what an entry says, down to its priors: path, field and content, outer ones first."""
    return tuple(_walk(value, path, ""))


def _walk(value: Any, path: Path, of: str) -> Iterator[tuple[Path, str, Any]]:
    yield path, of, value
    if isinstance(value, Spec) and not isinstance(value, Prior):
        for name, field in type(value).model_fields.items():
            if (inner := getattr(value, name)) is not None:
                yield from _walk(inner, (*path, field.alias or name), name)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _walk(inner, (*path, key), of)
    elif isinstance(value, tuple):
        for part, inner in items(value):
            yield from _walk(inner, (*path, part), of)


class Named(NamedTuple):
    """A quantity that has a name, and its place in the scenario."""

    path: Path
    quantity: Quantity

    @property
    def derived(self) -> bool:
        """Whether it is written nowhere, and follows from an allocation."""
        return self.path[0] == "allocation"


def allocated(of: str, allocation: Allocation, drivers: Drivers) -> Iterator[tuple[str, Named]]:
    """Write out an allocation as quantities by name: of each use its share and how much it has, and the largest run.

    Where that is not what the drivers are made of, it is held against them.
    """
    path: Path = ("allocation", of)
    for use in allocation.uses:
        name, at = f"{of}-{use}", (*path, "uses", use)
        share = AllocatedShare.model_construct(allocation=allocation, use=use, of=of)
        yield f"{name}-share", Named((*at, "share"), share)
        yield name, Named(at, Operation.model_construct(product=(of, f"{name}-share")))
    if (run := allocation.largest_run) is not None:
        compute = Operation.model_construct(product=(*run.product, f"{of}-{run.use}"))
        yield (name := f"{of}-{run.use}-compute"), Named((*path, "largest_run"), compute)
        if not drivers.missing and getattr(drivers.compute, "level", None) != name:
            ratio = Operation.model_construct(ratio=("physical_compute", name))
            yield f"{of}-{run.use}-ratio", Named((*path, "ratio"), ratio)


class ScenarioSpec(Spec):
    """A scenario: priors over the growth of spending, hardware and algorithms, caps, constraints, thresholds."""

    @classmethod
    def written_keys(cls) -> list[str]:
        """List the keys that a file may write; some are gone when the entries are checked."""
        return [*super().written_keys(), "extends", "without"]

    schema_: SchemaVersion = Field(alias="schema")
    """The version of this format: 2."""
    name: Name
    """A short name; the run folder is called after it."""
    title: Line | None = None
    """A name for readers."""
    subject: Line = "largest training run"
    """Whose compute is forecast, and on which basis."""
    notes: Text | None = None
    """What the scenario means, where it comes from, how it may be wrong."""
    dollars: Annotated[str, StringConstraints(pattern=r"^(nominal|real [0-9]{4})$")] | None = None
    """Whether amounts are `nominal` or in the dollars of a year (`real 2023`). Nothing is converted."""
    years: Years
    """The years of the projection."""
    samples: Annotated[int, Field(strict=True, ge=1), BeforeValidator(_whole)] = 10_000
    """How many samples are drawn."""
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63), BeforeValidator(_whole)] = 0
    """The seed; 0 is a seed."""
    design: Annotated[str, Registered(DESIGNS)] = "latin-hypercube"
    """How the unit cube is sampled within a block."""
    block: Annotated[int, Field(strict=True, ge=1, le=65_536), BeforeValidator(_whole)] = 500
    """Samples in a block, the unit of randomisation: blocks are independent, and their spread tells the Monte Carlo
    error. Within a block each prior is spread evenly."""
    inputs: dict[Name, Prior] = Field(default_factory=dict)
    """Priors by name that any rate, level, limit, share, quantity or threshold may use as one draw: `{input: name}`."""
    drivers: Drivers = Drivers()
    """What effective compute is the product of; of a question about money or a quantity alone, what it asks for."""
    quantities: dict[Name, Quantity] = Field(default_factory=dict)
    """Named quantities that caps and constraints are built from."""
    stocks: dict[Name, Stock] = Field(default_factory=dict)
    """Stocks of compute, or of anything else that is bought, ages and is used; quantities under their own names."""
    allocation: dict[Name, Allocation] = Field(default_factory=dict)
    """Who uses a stock, by its name: shares that add up to 1."""
    constraints: dict[Name, Limit] = Field(default_factory=dict, max_length=MOST_LIMITS)
    """Named limits on physical compute, FLOP."""
    events: dict[Name, NamedEvent] = Field(default_factory=dict)
    """What may happen, by name: when, for how long, and what it changes."""
    correlations: tuple[Correlation, ...] = ()
    """Rank correlations between priors."""
    thresholds: dict[Name, Threshold] = Field(default_factory=dict)
    """Levels whose crossing is dated."""
    capability: Capability | None = None
    """A metric as a function of compute."""
    history: HistoryStatement | None = None
    """What was observed, by which the priors on past growth are conditioned before the run."""
    models: Models | None = None
    """Counts of models: how many training runs there are under the largest, and above what."""
    actors: dict[Name, Actor] = Field(default_factory=dict)
    """Actors by name, each the scenario with what it says laid over it; the run is of the one that leads."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy it with changes; what was found of it is found anew."""
        copied = super().model_copy(update=update, deep=deep)
        for found in ("below", "by_kind", "named", "slots", "effects", "fed"):
            copied.__dict__.pop(found, None)
        return copied

    def _faults(self) -> Iterator[Fault]:
        for key in ("inputs", "quantities", "stocks", "allocation", "events", "constraints", "thresholds"):
            if (count := len(getattr(self, key))) > MOST_NAMED:
                rule = f"holds {count:,} entries; at most {MOST_NAMED} are computed with."
                yield Fault((key,), rule, "Leave some out, or part the scenario.")
                return
        uses = {stock: each.uses for stock, each in self.allocation.items()}
        yield from actor_faults(self.actors, self.events, uses)
        yield from by_faults({name: each.by for name, each in self.thresholds.items()}, self.actors)
        yield from count_faults(self.actors, self.models)
        for name in self.thresholds:
            way = [name]
            while (of := str(self.thresholds[way[-1]].of)) in self.thresholds and of not in way:
                way.append(of)
            if len(way) > LONGEST_CHAIN:
                rule = f"is a multiple of a multiple, {len(way)} thresholds deep; at most {LONGEST_CHAIN} are followed."
                yield Fault(("thresholds", way[0], "of"), rule, "Name the first threshold, and multiply.")
                return

    @cached_property
    def below(self) -> tuple[tuple[Path, str, Any], ...]:
        """What stands in it, down to its priors; without itself: scenarios are compared with all that was found."""
        return walked(self, ())[1:]

    @cached_property
    def fed(self) -> frozenset[str]:
        """The drivers on whose growth effective compute feeds back."""
        return frozenset(name for name, driver in self.drivers if driver and (driver.feedback or driver.law))

    @cached_property
    def by_kind(self) -> dict[type, list[tuple[int, Path, Any]]]:
        """The same by class, each with its number in the whole."""
        found: dict[type, list[tuple[int, Path, Any]]] = {}
        for place, (path, _, entry) in enumerate(self.below):
            found.setdefault(type(entry), []).append((place, path, entry))
        return found

    @cached_property
    def named(self) -> dict[str, Named]:
        """The quantities that names lead to."""
        return dict(self.every_named)

    @property
    def every_named(self) -> Iterator[tuple[str, Named]]:
        """List the quantities that have a name: those stated as such, stocks, and what is bought for them."""
        yield from ((name, Named(("quantities", name), each)) for name, each in self.quantities.items())
        for name, stock in self.stocks.items():
            yield name, Named(("stocks", name), stock)
            if stock.purchases is not None:
                yield f"{name}-{PURCHASES}", Named(("stocks", name, PURCHASES), stock.purchases)
        for stock_name, allocation in self.allocation.items():
            yield from allocated(stock_name, allocation, self.drivers)

    @model_validator(mode="before")
    @classmethod
    def _with_units(cls, data: Any) -> Any:
        """Give each use of an input its unit, where it states none: what is checked is checked by units."""
        inputs = data.get("inputs") if isinstance(data, Mapping) else None
        if not isinstance(inputs, Mapping):
            return data
        units = {name: unit for name, prior in inputs.items() if (unit := _unit_of(prior)) is not None}
        return {
            key: {name: _uses_with_units(entry, units) for name, entry in value.items()}
            if isinstance(value, Mapping)
            else value
            for key, value in data.items()
        }


def _unit_of(prior: Any) -> str | None:
    """Read the unit of an input, beside its numbers too; of a mixture without one, that of its first part."""
    if isinstance(prior, str):
        prior = (prior_in_words(prior) or ({},))[0]
    if not isinstance(prior, Mapping):
        return None
    prior, _ = written_in_numbers(prior)
    parts = prior.get("mixture")
    return prior.get("unit") or (_unit_of(parts[0]) if isinstance(parts, list | tuple) and parts else None)


def _uses_with_units(data: Any, units: Mapping[Any, str]) -> Any:
    if isinstance(data, list | tuple):
        return [_uses_with_units(item, units) for item in data]
    if not isinstance(data, dict):  # which is asked of a number four times as fast as whether it is a Mapping
        return data
    used = data.get("input")
    added = {"unit": units[used]} if isinstance(used, str) and used in units and "unit" not in data else {}
    return {key: _uses_with_units(value, units) for key, value in data.items()} | added


class PriorLibrary(Spec):
    """A file of the prior library."""

    schema_: SchemaVersion = Field(alias="schema")
    """The version of this format: 2."""
    subject: Name
    """What the priors are about; the name of the file."""
    about: Text | None = None
    """What the file holds."""
    priors: dict[Name, Prior]
    """The entries by name."""

    def _faults(self) -> Iterator[Fault]:
        for name, prior in self.priors.items():
            if prior.input is not None:
                rule = "names an input, which a scenario has and a library does not."
                yield Fault(("priors", name, "input"), rule, "State the prior by its numbers.")
