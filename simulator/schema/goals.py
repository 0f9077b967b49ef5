"""What a scenario may ask about: thresholds whose crossing is dated, a metric that stands on compute, counts of models.

Models are counted by how many runs there are under the largest, and above what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from simulator.errors import Fault, number
from simulator.schema.amounts import number_of
from simulator.schema.base import AmountIn, Line, Name, Number, Spec, Text
from simulator.schema.quantities import Quantity
from simulator.schema.statements import Prior
from simulator.variables import snake

THRESHOLD_QUANTITIES = ("effective_compute", "physical_compute", "spending", "capability")


def _as_text(value: Any) -> Any:
    """Take a number of actors for the text that names it."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_BY_FORM = {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 1}]}


class Threshold(Spec):
    """A level whose crossing is dated."""

    effective_compute: Quantity | None = None
    """A level of effective compute, FLOP of base-year algorithms. Like every level of a threshold it may be a number, a
    level that grows, a named quantity, or an operation on quantities."""
    physical_compute: Quantity | None = None
    """A level of physical compute, FLOP."""
    spending: Quantity | None = None
    """A level of spending, USD."""
    capability: Prior | None = None
    """A level of the capability metric."""
    level: Quantity | None = None
    """A level of what `quantity` names, in its unit: `{quantity: power-of-ai, level: 10 GW}`."""
    multiple: Prior | None = None
    """A multiple of the threshold named by `of`, or of the start."""
    of: Text | None = None
    """The threshold that `multiple` multiplies, or `start`."""
    quantity: Text | None = None
    """What `level` is a level of, or `multiple` a multiple of the start of: `effective_compute` (meant without it
    beside multiple), `physical_compute`, `spending`, `hardware`, `algorithms`, a named quantity, or the path of a
    factor, a cap or a constraint (`drivers.hardware.factors.price-performance`, `constraints.power`)."""
    falling: bool | None = None
    """Whether it is met from above, as by a price: at the first time at or below it. A loss is, without a word."""
    within_oom: Annotated[Number, Field(gt=0.0), AmountIn("OOM")] | None = None
    """The crossing is dated when the frontier has moved this many OOM past the level: from then on a run of that
    level is no longer within so many OOM of the frontier."""
    reading: Literal["interpolated", "calendar"] = "interpolated"
    """interpolated: the date within the step at which the level is reached. calendar: the first of the scenario's
    years (quarters, months) that is at or above the level, as a table by year has it."""
    delay: Prior | None = None
    """The time between the crossing and the date that is reported, `18 months`; past the horizon none is reported."""
    by: Annotated[Name, BeforeValidator(_as_text), WithJsonSchema(_BY_FORM)] | None = None
    """Of actors: when it counts as crossed: by the `first` of them (meant without it), by `all`, by so many (`2`), or
    by one alone, of the name."""
    label: Line | None = None
    """A name for charts and tables."""
    notes: Text | None = None
    """What the threshold means."""

    def _faults(self) -> Iterator[Fault]:
        given = [key for key in (*THRESHOLD_QUANTITIES, "level", "multiple") if getattr(self, key) is not None]
        if len(given) != 1:
            rule = f"must state exactly one level; got {' and '.join(given) if given else 'none'}."
            words = "effective_compute, physical_compute, spending, capability"
            remedy = f"Write one of {words}, level with quantity, or multiple with of."
            yield Fault(tuple(given[1:2]), rule, remedy)
        elif self.multiple is None and self.of is not None:
            yield Fault(("of",), "goes with multiple.", "Write multiple: 1000 beside it.")
        elif self.multiple is not None and self.of is None:
            yield Fault(("multiple",), "does not say of what.", "Add of: start, or of: another threshold.")
        elif self.multiple is not None and self.quantity is not None and self.of != "start":
            yield Fault(("quantity",), "goes with of: start.", "Another threshold brings its own quantity.")
        elif self.level is not None and self.quantity is None:
            yield Fault(("level",), "does not say of what.", "Add quantity: hardware, or the name of a quantity.")
        elif self.quantity is not None and self.level is None and self.multiple is None:
            rule = f"stands beside {given[0]}, which says of what it is a level."
            yield Fault(("quantity",), rule, f"Remove quantity, or write level in the place of {given[0]}.")
        elif self.within_oom is not None and "capability" in (given[0], self.quantity):
            yield Fault(("within_oom",), "goes with compute or spending, not with a metric.", "Remove it.")
        elif self.quantity == "capability" and self.level is not None and not isinstance(self.level, Prior):
            yield Fault(("level",), "must be a number or a prior, as the metric has no unit.", "State it as a prior.")

    @cached_property
    def stated(self) -> tuple[str, Quantity] | None:
        """The key and the content of the level that it states; None of a multiple."""
        for key in (*THRESHOLD_QUANTITIES, "level"):
            if (level := getattr(self, key)) is not None:
                return key, level
        return None


class Capability(Spec):
    """A metric as a function of compute."""

    name: Text
    """What is measured."""
    kind: Literal["gain-per-doubling", "gain-per-factor", "power-law-loss", "parameters-and-data-loss", "logistic"]
    """gain-per-doubling: gain^(log2(C / reference)); gain-per-factor: gain^(log(C / reference) / log(per));
    power-law-loss: irreducible + scale C^-exponent; parameters-and-data-loss: irreducible + parameter_scale
    N^-parameter_exponent + data_scale D^-data_exponent; logistic: floor + (ceiling - floor) / (1 + exp(-slope
    (log10 C - log10 midpoint)))."""
    of: Literal["effective_compute", "physical_compute"] = "effective_compute"
    """The compute that it is a function of."""
    gain: Prior | None = None
    """Factor by which the metric rises with each doubling of compute (1.1 is 10 %), or with each factor `per`."""
    per: Prior | None = None
    """The factor of compute that brings the gain: gain 2, per 40 is twice the quality for 40 times the compute."""
    reference: Prior | None = None
    """Compute at which the metric is 1, FLOP; without it the level at the start."""
    irreducible: Prior | None = None
    """The loss that no compute removes."""
    scale: Prior | None = None
    """The scale of the loss that falls with compute."""
    exponent: Prior | None = None
    """The power with which it falls."""
    parameters: Name | None = None
    """The quantity that is the number of parameters, N."""
    tokens: Name | None = None
    """The quantity that is the number of tokens trained on, D."""
    parameter_scale: Prior | None = None
    """The scale of the loss that falls with parameters."""
    parameter_exponent: Prior | None = None
    """The power with which it falls."""
    data_scale: Prior | None = None
    """The scale of the loss that falls with data."""
    data_exponent: Prior | None = None
    """The power with which it falls."""
    midpoint: Prior | None = None
    """Compute at which the logistic is half way, FLOP."""
    slope: Prior | None = None
    """Steepness of the logistic per OOM."""
    floor: Prior | None = None
    """The logistic's lower end; 0 without it."""
    ceiling: Prior | None = None
    """The logistic's upper end; 1 without it."""
    notes: Text | None = None
    """Where the form comes from."""

    lists_keys: ClassVar[bool] = False
    NEEDS: ClassVar[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
        "gain-per-doubling": (("gain",), ("reference",)),
        "gain-per-factor": (("gain", "per"), ("reference",)),
        "power-law-loss": (("irreducible", "scale", "exponent"), ()),
        "parameters-and-data-loss": (
            ("irreducible", "parameters", "tokens", "parameter_scale", "parameter_exponent", "data_scale",
             "data_exponent"), (),
        ),
        "logistic": (("midpoint", "slope"), ("floor", "ceiling")),
    }  # fmt: skip

    @property
    def made_of(self) -> tuple[str, ...]:
        """The variables that it is a function of: compute; or two quantities."""
        if self.parameters is None or self.tokens is None:
            return (self.of,)
        return tuple(f"quantity_{snake(name)}" for name in (self.parameters, self.tokens))

    @property
    def is_falling(self) -> bool:
        """Whether more compute lowers it, as a loss."""
        return self.kind.endswith("-loss")

    def _faults(self) -> Iterator[Fault]:
        needed, optional = self.NEEDS[self.kind]
        for key in needed:
            if getattr(self, key) is None:
                yield Fault((), f"needs {key} for kind {self.kind}.", f"Add {key}.")
        every = {field for group in self.NEEDS.values() for fields in group for field in fields}
        for key in sorted(every - {*needed, *optional}):
            if getattr(self, key) is not None:
                yield Fault((key,), f"does not belong to kind {self.kind}.", f"Remove {key}, or change the kind.")
        if self.parameters is not None and "of" in self.model_fields_set:
            yield Fault(("of",), "stands beside parameters and tokens.", "The metric is made of these: remove it.")


_Flop = Annotated[Number, Field(gt=0.0), AmountIn("FLOP")]
Count = Annotated[int, Field(strict=True, ge=0)]

MOST_BINS = 200


class KnownYear(Spec):
    """What is known of a calendar year, in the place of what would be simulated."""

    above: dict[str, Count] = Field(default_factory=dict)
    """How many models were trained above a level in that year: `{1e25: 20}`; the levels are those of `above`."""
    largest: _Flop | None = None
    """The largest run of that year, FLOP."""
    source: Text | None = None
    """Where it comes from."""
    notes: Text | None = None
    """What was counted."""


class Models(Spec):
    """Counts of models: how the training compute of a year is spread over runs, and which of them are counted.

    The runs of a calendar year lie below its largest run. The share of the year's training compute that goes to runs
    of at most a size is a power of that size (relative to the largest run); bins of sizes are filled with runs until
    the compute of each is used up.
    """

    physical_compute: Literal["largest-run", "all-training"] = "largest-run"
    """What the physical compute of the scenario is: that of a year's largest run, or that of all training in it."""
    largest_share: Prior
    """The share of the year's training compute that the largest run takes."""
    largest_share_drawn: Literal["each-year", "once"] = "each-year"
    """Whether that share is drawn anew for each year, or once for all years of a sample."""
    smallest: Prior
    """By how many OOM the smallest runs lie below the largest."""
    gradient: Prior = Field(default_factory=lambda: Prior(value=1.0))
    """The power: 1 spreads compute evenly over the orders of magnitude; less gives more of it to small runs."""
    bins: Annotated[int, Field(strict=True, ge=1, le=MOST_BINS)] = 20
    """Into how many bins, of one width in the log, the sizes are divided; within a bin they are uniform."""
    above: tuple[_Flop, ...] = ()
    """Levels of training compute, FLOP, rising: the models at or above each are counted."""
    within_oom: tuple[Annotated[Number, Field(gt=0.0), AmountIn("OOM")], ...] = ()
    """Distances from the largest run of the year, OOM, rising: the models within each are counted."""
    known: dict[str, KnownYear] = Field(default_factory=dict)
    """What is known of calendar years, in the place of what would be simulated."""
    earlier: dict[str, Count] = Field(default_factory=dict)
    """How many models above a level were trained before the first year: `{1e25: 4}`."""
    notes: Text | None = None
    """Where the distribution comes from, and how it may be wrong."""

    def _faults(self) -> Iterator[Fault]:
        yield from _rising(self.above, "above")
        yield from _rising(self.within_oom, "within_oom")
        yield from _unknown_levels(self.earlier, self.above, ("earlier",))
        if not self.above and not self.within_oom:
            remedy = "Write above: [1e25, 1e26], or within_oom: [1]."
            yield Fault((), "counts nothing: it has neither above nor within_oom.", remedy)
        for year, known in self.known.items():
            if not re.fullmatch(r"[0-9]{4}", year):
                yield Fault(("known", year), f"must be a calendar year; got '{year}'.", "Write 2024: {...}.")
            yield from _unknown_levels(known.above, self.above, ("known", year, "above"))
            yield from _falling(known.above, ("known", year, "above"))
        yield from _falling(self.earlier, ("earlier",))


def _rising(levels: Sequence[float], key: str) -> Iterator[Fault]:
    for place, (lower, upper) in enumerate(pairwise(levels), start=1):
        if level_text(upper) == level_text(lower) or upper < lower:
            rule = f"must rise; {number(upper)} follows {number(lower)}."
            yield Fault((key, place), rule, "Sort the levels, each once.")


def _level(key: str) -> float | None:
    try:
        return number_of(key, "FLOP")
    except ValueError:
        return None


def _unknown_levels(counts: Mapping[str, int], above: Sequence[float], path: tuple[str, ...]) -> Iterator[Fault]:
    for key in counts:
        if _level(key) not in above:
            known = ", ".join(map(level_text, above)) or "none"
            rule = f"is not one of the levels that are counted: {known}."
            yield Fault((*path, key), rule, "Write the level under above too, or remove it here.")


def _falling(counts: Mapping[str, int], path: tuple[str, ...]) -> Iterator[Fault]:
    """Find counts that rise with their level: whatever is above the higher one is above the lower one too."""
    ordered = sorted((level, count, key) for key, count in counts.items() if (level := _level(key)) is not None)
    for (lower, few, _), (upper, many, key) in pairwise(ordered):
        if many > few:
            rule = f"counts {many} above {level_text(upper)}, more than the {few} above {level_text(lower)}."
            yield Fault((*path, key), rule, "A model above the higher level is above the lower one too.")


def level_text(level: float) -> str:
    """Write a level as variables and labels name it."""
    return f"{level:g}".replace("e+", "e")


def counted_at(counts: Mapping[str, int], level: float) -> int | None:
    """Read what is known to be above a level; None where nothing is."""
    return next((count for key, count in counts.items() if _level(key) == level), None)


def absolute_name(level: float) -> str:
    """Name the variable that counts the models at or above a level."""
    return f"models_above_{level_text(level)}"


def relative_name(distance: float) -> str:
    """Name the variable that counts the models within a distance of the largest run."""
    return f"models_within_{level_text(distance)}_oom"


def count_names(models: Models) -> tuple[str, ...]:
    """Name the variables of a scenario's counts: by the end of a year, and in the year."""
    names = [*map(absolute_name, models.above), *map(relative_name, models.within_oom)]
    return tuple(each for name in names for each in (name, f"{name}_in_year"))
