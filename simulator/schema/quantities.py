"""What a file says of levels that grow, of quantities that are made of others, and of limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, StringConstraints, Tag

from simulator.dates import DateError, read_year
from simulator.errors import Fault, number
from simulator.schema.amounts import is_amount, prior_in_words, table_in_numbers
from simulator.schema.base import (
    MOST_LIMITS,
    Faults,
    ItemName,
    Line,
    Name,
    Spec,
    Text,
    Told,
    Weights,
    Year,
    date_faults,
    year_faults,
)
from simulator.schema.choices import LAWS, Registered, law_words
from simulator.schema.statements import Prior
from simulator.units import UnitError, parse_growth_unit


def _as_date(value: Any) -> Any:
    """Take a text for the date that it is; a prior over dates is left as it is."""
    if not isinstance(value, str) or prior_in_words(value) is not None:
        return value
    try:
        return {"value": read_year(value), "unit": "year"}
    except DateError as error:
        raise Faults([Fault((), error.rule, error.remedy)]) from None


class MeanRate(Spec):
    """A rate that lies between others: their weighted mean in OOM/year, the geometric mean of factors."""

    mean_of: Annotated[tuple[Prior, ...], Field(min_length=2)]
    """The rates, each drawn by itself; `{input: name}` names one that is drawn elsewhere."""
    weights: Weights | None = None
    """A weight for each; they are scaled to add up to 1. Without them all count alike."""
    notes: Text | None = None
    """Why."""

    @property
    def shares(self) -> tuple[float, ...]:
        """The weights, scaled."""
        weights = self.weights or (1.0,) * len(self.mean_of)
        return tuple(weight / sum(weights) for weight in weights)

    def _faults(self) -> Iterator[Fault]:
        if self.weights is not None and len(self.weights) != len(self.mean_of):
            rule = f"must hold as many weights as mean_of has rates; got {len(self.weights)} and {len(self.mean_of)}."
            yield Fault(("weights",), rule, "Give each rate its weight.")


class QuantityRate(Spec):
    """A rate that a quantity tells, at each moment its own: the level grows by its integral over time."""

    quantity: Quantity
    """The quantity: its name, or an operation on quantities such as a product with a share."""
    unit: Text
    """How its numbers are read: `ln/year`, `OOM/year` or `%/year` of a quantity in 1/year (or %/year), `x/year` of a
    plain number, `months/doubling` and the like of a time."""
    notes: Text | None = None
    """Why."""

    def _faults(self) -> Iterator[Fault]:
        try:
            parse_growth_unit(self.unit)
        except UnitError as error:
            yield Fault(("unit",), error.rule, error.remedy)


_RATES: Mapping[str, tuple[type[Spec], str]] = {
    "mean_of": (MeanRate, "<mean>"), "quantity": (QuantityRate, "<quantity>")
}  # fmt: skip


def _rate_form(data: Any) -> str:
    for key, (kind, form) in _RATES.items():
        if isinstance(data, kind) or (isinstance(data, Mapping) and key in data):
            return form
    return "<rate>"


_ANY_RATE = (
    Annotated[Prior, Tag("<rate>")] | Annotated[MeanRate, Tag("<mean>")] | Annotated[QuantityRate, Tag("<quantity>")]
)
Rate = Annotated[_ANY_RATE, Discriminator(_rate_form)]


class Event(Spec):
    """What begins an era or an event: a level that is reached, the crossing of a threshold, an event that has a name.

    In each sample it has its own date.
    """

    when: Text | None = None
    """The variable that reaches a level: `spending`, `effective_compute`, a quantity, ..."""
    reaches: Prior | None = None
    """The level."""
    threshold: Name | None = None
    """The threshold that is crossed, with its delay."""
    event: Name | None = None
    """The event of `events` that begins."""

    def _faults(self) -> Iterator[Fault]:
        example = "{when: spending, reaches: $4 billion}, {threshold: name} or {event: name}"
        named = [key for key in ("when", "threshold", "event") if getattr(self, key) is not None]
        if (self.when is None) != (self.reaches is None):
            given, missing = ("when", "reaches") if self.reaches is None else ("reaches", "when")
            yield Fault((given,), f"needs {missing}.", f"Write {example}.")
        elif len(named) != 1:
            yield Fault((), "names two events." if named else "names no event.", f"Write {example}.")


def _begin_form(data: Any) -> str:
    if isinstance(data, BaseModel):
        return "<event>" if isinstance(data, Event) else "<prior>"
    return "<event>" if isinstance(data, Mapping) and {"when", "reaches", "threshold", "event"} & {*data} else "<prior>"


Begin = Annotated[Annotated[Prior, Tag("<prior>")] | Annotated[Event, Tag("<event>")], Discriminator(_begin_form)]
"""A date, or an event."""
Moment = Annotated[Begin | None, BeforeValidator(_as_date)]
"""The same, or none; a text is the date that it says."""


class Regime(Spec):
    """A stretch of time with one rate of growth."""

    rate: Rate | None = None
    """Growth, with its unit: `2.4x/year`, `30 %/year`, `0.3 OOM/year`, `6 months/doubling`, ..."""
    times: Prior | None = None
    """A number by which the rate, in OOM/year, is multiplied; without a rate that of the regime before."""
    from_: Moment = Field(default=None, alias="from")
    """The date from which it holds, until the next one, or the event: `{when: spending, reaches: $4 billion}`,
    `{threshold: name}`, `{event: name}`; the first regime holds from the start. Where dates cross, it begins with the
    later one, and the regime before it is left out; so what comes after an event waits for it."""
    half_life: Prior | None = None
    """The time in which the rate halves its distance to `towards`: `5 years`."""
    towards: Prior | None = None
    """The rate towards which a decaying rate falls; 0 OOM/year without it."""
    label: Line | None = None
    """A name for charts and tables."""
    name: ItemName | None = None
    """As an item of a list: its name in paths, as in `growth[slowdown].rate`; draws hang on that, not on its place."""

    def _faults(self) -> Iterator[Fault]:
        if self.rate is None and self.times is None:
            yield Fault((), "has no rate.", "Write rate, or times: a multiple of the rate before.")
        elif self.rate is None and self.from_ is None:
            yield Fault(("times",), "multiplies no rate.", "Write rate, or from: the year of a later era.")
        elif self.towards is not None and self.half_life is None:
            yield Fault(("towards",), "needs half_life.", "Say how fast the rate decays: half_life: 3 years.")

    @classmethod
    def no_group(cls, given: object) -> tuple[str, str]:
        """Say that what is given is no regime, but may be its rate."""
        rule, remedy = super().no_group(given)
        return rule, f"Write {{rate: {given}}}, and from when it holds: {{rate: .., from: 2028}}." if given else remedy


class Custom(Spec):
    """A driver whose levels are computed by Python code, found by its name or handed over by whoever runs it."""

    short_for: ClassVar[str] = "{{driver: {}}}"
    driver: Name | None = None
    """The name of a driver that the simulator or an installed package offers; without it, the caller hands one over."""
    parameters: dict[Name, Prior] = Field(default_factory=dict)
    """Priors that are drawn and handed to it by name."""


def _growth_form(data: Any) -> str:
    return "<regimes>" if isinstance(data, list | tuple) else _rate_form(data)


Growth = Annotated[
    Annotated[tuple[Regime, ...], Field(min_length=1), Tag("<regimes>")] | _ANY_RATE, Discriminator(_growth_form)
]


class Jumps(Spec):
    """Jumps of a level at random times, such as rare discoveries: their times a Poisson process."""

    rate: Prior
    """How many come in a year, on average: `0.2/year` is one in five years."""
    size: Prior
    """The factor by which one changes the level: 3, below 1 a setback. Of all jumps of a sample the same, or their
    median where `spread` is written."""
    spread: Prior | None = None
    """How far the jumps of one sample differ: the standard deviation of the log10 of their factors, OOM."""


class Level(Spec):
    """A level and how it grows: from a start by regimes of growth, or by a table of years."""

    start: Prior | None = None
    """The level at the start; its unit is the level's."""
    at: Year | None = None
    """The date at which `start` holds; without it the first year of the file that states it."""
    growth: Growth | None = None
    """One rate, or a list of regimes, each `from` a year on."""
    drift: Prior | None = None
    """Random drift of the rate: the standard deviation of its change from year to year, OOM/year."""
    volatility: Prior | None = None
    """Scatter of yearly growth about its rate: its standard deviation, OOM/year; the level walks at random."""
    jumps: Jumps | None = None
    """Jumps at random times beside steady growth, such as rare discoveries."""
    table: Annotated[dict[str, Annotated[Told, Field(gt=0.0)]], Field(min_length=1)] | None = None
    """Levels by year or date instead of start and growth; straight lines in the log between them."""
    unit: Text | None = None
    """The unit of `table`; elsewhere the unit of `start` counts."""
    caps: dict[Name, Limit] = Field(default_factory=dict, max_length=MOST_LIMITS)
    """Limits under which the level saturates; several may stand, the lowest binds."""
    label: Line | None = None
    """A name for charts and tables."""
    name: ItemName | None = None
    """As an item of a list: its name in paths, as in `growth[slowdown].rate`; draws hang on that, not on its place."""
    drawn_as: Name | None = None
    """Of a quantity, a stock or a factor that was renamed: the name that it had, under which it is still drawn."""
    level: Quantity | None = None
    """What it is in every year, in the place of start and growth: the name of a quantity, or an operation on
    quantities; `level: power-limited-run`."""

    @classmethod
    def _prepared(cls, data: Any) -> tuple[Any, list[Fault]]:
        """Write the amounts of a table as numbers."""
        table = data.get("table") if isinstance(data, Mapping) else None
        if not isinstance(table, Mapping) or not any(isinstance(value, str) for value in table.values()):
            return data, []
        return table_in_numbers(data)

    def _faults(self) -> Iterator[Fault]:
        yield from year_faults(("at",), self.at, example=2025)
        beside = [key for key in STATING if getattr(self, key, None) is not None] if self.level is not None else []
        if beside:
            rule = "stands beside level, which says what it is in every year."
            yield Fault((beside[0],), rule, f"Remove {beside[0]}, or make it part of the quantity.")
        elif self.table is not None:
            for key in ("start", "growth", "at", "drift", "volatility", "jumps"):
                if getattr(self, key) is not None:
                    yield Fault((key,), "stands beside table.", "A table states all levels: remove one of the two.")
            yield from date_faults("table", self.table, noun="year", year=2025, value="1e26")
            if self.unit == "fraction" and (most := max(self.table.values())) > 1:
                yield Fault(("table",), f"must be at most 1, the whole; it reaches {number(most)}.", _OF_A_WHOLE)
        elif self.unit is not None:
            yield Fault(("unit",), "goes with table.", "Write the unit inside start: {value: .., unit: ..}.")

    @property
    def points(self) -> list[tuple[float, float]]:
        """The years of a table and their levels, in order."""
        return sorted((read_year(year), level) for year, level in (self.table or {}).items())


_OF_A_WHOLE = "A multiple has the unit 1; a share in percent is written as 60 %."


class Factor(Level):
    """One factor of a driver."""

    name: ClassVar[None] = None  # type: ignore[misc]  # its key is its name

    custom: Custom | None = None
    """Levels computed by Python code."""


STATING = ("start", "growth", "at", "table", "drift", "volatility", "jumps", "custom")
"""Keys that say, in the place of `level` or of factors, what a level is."""


OWN = ("spending", "hardware", "algorithms", "physical_compute", "effective_compute")
"""The scenario's own variables, which a quantity may name too; one of the same name is the quantity."""
Reference = Annotated[
    str, StringConstraints(pattern=r"^([a-z0-9]+(-[a-z0-9]+)*|physical_compute|effective_compute)$", max_length=60)
]
"""The name of a quantity, or of a variable of the scenario."""
OPERATIONS = (
    "product", "sum", "minimum", "maximum", "ratio", "difference", "power", "accumulation", "lag", "highest", "lowest"
)  # fmt: skip
_DATED = ("accumulation", "highest", "lowest")


class Lag(Spec):
    """What a quantity was some time ago."""

    of: Quantity
    """The quantity."""
    by: Prior
    """How long ago: `2 years`."""


def _exponent(value: Any) -> Any:
    """Read a fraction (1/3) as the exponent that it is."""
    match = re.fullmatch(r"\s*(-?[0-9]+)\s*/\s*([1-9][0-9]*)\s*", value) if isinstance(value, str) else None
    return int(match[1]) / int(match[2]) if match else value


class Operation(Spec):
    """A quantity made from others: exactly one of the operations."""

    product: Annotated[tuple[Quantity, ...], Field(min_length=1)] | None = None
    """The product of quantities; units multiply."""
    sum: Annotated[tuple[Quantity, ...], Field(min_length=1)] | None = None
    """The sum of quantities of one unit."""
    minimum: Annotated[tuple[Quantity, ...], Field(min_length=1)] | None = None
    """The smallest of quantities of one unit."""
    maximum: Annotated[tuple[Quantity, ...], Field(min_length=1)] | None = None
    """The largest of quantities of one unit."""
    ratio: tuple[Quantity, Quantity] | None = None
    """The first divided by the second."""
    difference: tuple[Quantity, Quantity] | None = None
    """The first less the second; it must stay above 0."""
    power: tuple[Quantity, Annotated[Prior, BeforeValidator(_exponent)]] | None = None
    """A quantity and the power to which it is raised: 2, -1, 0.5 for the square root, 1/3."""
    accumulation: Quantity | None = None
    """A stock that a flow (unit per time) adds to; with `start`."""
    start: Prior | None = None
    """The stock of an accumulation at the start."""
    depreciation: Prior | None = None
    """The part of the stock of an accumulation that is lost within a year: `25 %/year` leaves 75 % after a year."""
    life: Prior | None = None
    """The mean time that what is in the stock of an accumulation lasts, in place of `depreciation`: `4 years`."""
    service_life: Prior | None = None
    """The time after which what was added to an accumulation is retired, all at once: `5 years`, in place of both. What
    it holds at the start is of all ages alike, and goes evenly within that time."""
    lag: Lag | None = None
    """What a quantity was some time ago: `lag: {of: spending, by: 2 years}`."""
    highest: Quantity | None = None
    """The highest that a quantity has been since `at`."""
    lowest: Quantity | None = None
    """The lowest that a quantity has been since `at`."""
    at: Year | None = None
    """The date at which the stock is `start`, or since which the highest or lowest counts; without it the first year of
    the file that states it."""
    label: Line | None = None
    """A name for charts and tables."""
    name: ItemName | None = None
    """As an item of a list: its name in paths, as in `growth[slowdown].rate`; draws hang on that, not on its place."""

    def _faults(self) -> Iterator[Fault]:
        yield from year_faults(("at",), self.at, example=2025)
        given = [key for key in OPERATIONS if getattr(self, key) is not None]
        beside = [key for key in ("start", "at", *DECAYS) if getattr(self, key) is not None]
        beside = [key for key in beside if key != "at" or not given or given[0] not in _DATED]
        if not given:
            yield Fault((), "states no operation.", f"Write one of {', '.join(OPERATIONS)}.")
        elif len(given) > 1:
            yield Fault((given[1],), f"stands beside {given[0]}.", "Nest one inside the other.")
        elif self.accumulation is not None and self.start is None:
            remedy = "Write start: {value: .., unit: ..}, the stock at the first year."
            yield Fault(("accumulation",), "needs a start.", remedy)
        elif fault := decay_fault(self):
            yield fault
        elif self.accumulation is None and beside:
            yield Fault((beside[0],), f"goes with accumulation, not with {given[0]}.", f"Remove {beside[0]}.")


DECAYS = ("depreciation", "life", "service_life")
"""Keys that say how a stock gets less by itself."""


def decay_fault(stock: Spec) -> Fault | None:
    """Refuse a stock that says twice how it gets less."""
    said = [key for key in DECAYS if getattr(stock, key) is not None]
    if len(said) < 2:
        return None
    return Fault((said[1],), f"stands beside {said[0]}.", "Both say how the stock decays: keep one.")


def _quantity_form(data: Any) -> str:
    if isinstance(data, str):
        return "<prior>" if is_amount(data) else "<name>"
    if isinstance(data, BaseModel):
        return {"Operation": "<operation>", "Level": "<level>"}.get(type(data).__name__, "<prior>")
    if isinstance(data, Mapping):
        if any(key in OPERATIONS for key in data):
            return "<operation>"
        if any(key in data for key in ("start", "growth", "table", "level")):
            return "<level>"
    return "<prior>"


Quantity = Annotated[
    Annotated[Reference, Tag("<name>")]
    | Annotated[Prior, Tag("<prior>")]
    | Annotated[Level, Tag("<level>")]
    | Annotated[Operation, Tag("<operation>")],
    Discriminator(_quantity_form),
]
"""A named quantity, a prior, a growing level, or an operation on quantities."""


class Limit(Spec):
    """A limit and the law by which a level saturates under it."""

    kind: Annotated[str, Registered(LAWS, law_words)] = "hard"
    limit: Quantity | None = None
    """The limit: an amount, a growing level, a named quantity, or an operation on quantities."""
    share: Prior | None = None
    """The limit as a share of the quantity named by `of`."""
    of: Reference | None = None
    """The named quantity of which `share` is taken."""
    label: Line | None = None
    """A name for charts and tables."""
    notes: Text | None = None
    """Why."""

    def _faults(self) -> Iterator[Fault]:
        if self.limit is None and self.share is None:
            yield Fault((), "has no limit.", "Write limit: an amount, or share: .. with of: a quantity.")
        elif self.limit is not None and (self.share is not None or self.of is not None):
            yield Fault(("share" if self.share else "of",), "stands beside limit.", "Keep one of the two.")
        elif self.limit is None and self.of is None:
            yield Fault(("share",), "does not say of what.", "Add of: and the name of a quantity.")
