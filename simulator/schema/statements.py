"""How a file states what is believed about one number; that its numbers fit one another is checked in `fitting`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, StringConstraints, model_serializer

from simulator.errors import Fault, InputError, number, shown
from simulator.schema.amounts import AMOUNT_FORM, HELD, is_amount, or_amounts, prior_in_words, written_in_numbers
from simulator.schema.base import (
    OF_ONE_KIND,
    Date,
    ItemName,
    Line,
    Name,
    Number,
    Probability,
    Spec,
    Text,
    Told,
    Weight,
    Weights,
)
from simulator.schema.choices import Registered
from simulator.schema.hints import ANY_PRIOR, text_hint
from simulator.schema.prior_families import FAMILIES, SHIPPED, SHORT_FORMS, PriorFamily, written_out

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema


PROVENANCE_KEYS = ("source", "url", "doi", "as_of", "confidence", "notes")
_WHOLES = {family.whole: name for name, family in SHIPPED.items() if family.whole}
WHOLE_KEYS = frozenset({"family", "quantiles", *_WHOLES, *SHORT_FORMS})
"""Keys that state all the numbers of a prior at once."""
_ENTRY = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")
_OWN = "<own>"
"""Under this key, which no file writes, stand the keys that only an installed family takes."""


_GROUPED = ("quantiles", "interval", *_WHOLES)
"""Keys whose value is a group of entries."""


def is_statement(key: object) -> bool:
    """Tell whether a key states numbers of a prior."""
    return isinstance(key, str) and (key in STATEMENT_KEYS or key.startswith("interval_"))


def is_prior(data: object) -> bool:
    """Tell whether plain data reads as a prior: a number, or a mapping that states one.

    A group that has a word of priors for a name, as a threshold called never, is none.
    """
    if isinstance(data, Mapping):
        told = {key for key, value in data.items() if key in _GROUPED or not isinstance(value, Mapping)}
        return "prior" in told or any(is_statement(key) for key in told)
    return (isinstance(data, int | float) and not isinstance(data, bool)) or (isinstance(data, str) and is_amount(data))


def stating_keys(data: Mapping[str, Any]) -> frozenset[str]:
    """List the keys of a prior that state its numbers, those that only its installed family takes too."""
    own = _own_keys(data.get("family"))
    return frozenset(key for key in data if is_statement(key) or key in own)


def _installed(family: Any) -> PriorFamily | None:
    """Find a family that is not shipped; None where there is none of that name."""
    if not isinstance(family, str) or family in SHIPPED or family not in FAMILIES:
        return None
    return FAMILIES.find(family)


def _own_keys(family: Any) -> Collection[str]:
    """List the keys that only an installed family takes."""
    installed = _installed(family)
    return [key for key in installed.keys if key not in Prior.model_fields] if installed else ()


class Interval(Spec):
    """An equal-tailed interval and its level."""

    lists_keys: ClassVar[bool] = False
    level: float
    lower: Number
    upper: Number


class Discrete(Spec):
    """Values with their weights."""

    values: Annotated[tuple[Told, ...], Field(min_length=1)]
    """The values."""
    weights: Weights
    """A weight for each value; they are scaled to add up to 1."""

    def _faults(self) -> Iterator[Fault]:
        if len(self.values) != len(self.weights):
            rule = f"must hold as many weights as values; got {len(self.weights)} and {len(self.values)}."
            yield Fault(("weights",), rule, "Give each value its weight.")


class Empirical(Spec):
    """A column of a CSV file, taken as a sample of the prior."""

    file: Text
    """A CSV file, beside the scenario file."""
    column: Text
    """The name of its column."""
    values: tuple[Number, ...] = ()
    """The numbers read from it; written by the simulator, so that a run can be repeated without the file."""


class PointFunction(Spec):
    """A function of another prior, through given points; constant beyond the first and the last.

    Where the other prior is stated in `log10(FLOP)`, its numbers are too: `{29: 3.5, 35: 2}`.
    """

    of: Text
    """The dotted path of the other prior."""
    points: Annotated[dict[str, Told], Field(min_length=2)]
    """The other prior's numbers, in the unit in which that is stated, and what this one is there, in its own:
    `{1e29: 3.5, 1e35: 2}`."""
    between: Literal["line", "step"] = "line"
    """line: straight lines between the points; levels in their log, everything else as it is stated.
    step: what holds at a point holds until the next."""


class Prior(Spec):
    """What is believed about one number: a number that is fixed, or quantiles or parameters of a family.

    An interval is equal-tailed, its level is written (`interval_90`), and quantiles are matched exactly.
    """

    lists_keys: ClassVar[bool] = False
    family: Annotated[str, Registered(FAMILIES)] | None = None
    """The family; without it lognormal for a positive quantity, normal otherwise."""
    value: Number | None = None
    """A fixed number."""
    median: Number | None = None
    """The 50 % point."""
    mean: Number | None = None
    """The mean (with `sd`)."""
    sd: Annotated[Number, Field(gt=0.0)] | None = None
    """The standard deviation (with `mean`)."""
    interval: Interval | None = None
    """An equal-tailed interval; written `interval_90: [low, high]`."""
    quantiles: dict[str, Number] | None = None
    """Probabilities and their quantiles: `{0.05: 2, 0.5: 3, 0.95: 8}`."""
    mode: Number | None = None
    """The most likely value of a triangular or PERT prior."""
    lower: Number | None = None
    """The lower end of a bounded family."""
    upper: Number | None = None
    """The upper end of a bounded family."""
    alpha: Annotated[Number, Field(gt=0.0)] | None = None
    """First shape of a beta prior."""
    beta: Annotated[Number, Field(gt=0.0)] | None = None
    """Second shape of a beta prior."""
    shape: Annotated[Number, Field(gt=0.0)] | None = None
    """Shape of a gamma prior."""
    scale: Annotated[Number, Field(gt=0.0)] | None = None
    """Scale of a gamma or Student t prior."""
    df: Annotated[Number, Field(gt=0.0)] | None = None
    """Degrees of freedom of a Student t prior."""
    location: Number | None = None
    """Location of a Student t prior."""
    mixture: Annotated[tuple[MixturePart, ...], Field(min_length=1), OF_ONE_KIND] | None = None
    """Priors with weights: schools of thought."""
    discrete: Discrete | None = None
    """Values with weights."""
    empirical: Empirical | None = None
    """A column of a CSV file."""
    function: PointFunction | None = None
    """A function of another prior of the scenario, whose draw settles this number."""
    input: Name | None = None
    """An input of the scenario, whose draw is this number; with its unit and source."""
    truncated: tuple[Number | None, Number | None] | None = None
    """Bounds outside which the prior has no mass; null leaves a side open. Stated quantiles, mean and sd are those of
    what is left between them."""
    never: Probability | None = None
    """The probability that there is no such number at all; for thresholds."""
    prior: Text | None = None
    """An entry of the prior library, `file/name`; other keys written beside it override its fields."""
    unit: Text | None = None
    """The unit of the numbers: `USD`, `FLOP/USD`, `factor/year`, `months/halving`, `fraction`, ..."""
    dollars: Annotated[str, StringConstraints(pattern=r"^(nominal|real [0-9]{4})$")] | None = None
    """Whether amounts are `nominal` or in the dollars of a year (`real 2023`)."""
    source: Text | None = None
    """Where the numbers come from."""
    url: Text | None = None
    """The address of the source."""
    doi: Text | None = None
    """The DOI of the source."""
    as_of: Date | None = None
    """The date of what the source knew: 2024, 2024-05 or 2024-05-31."""
    confidence: Literal["high", "medium", "low"] | None = None
    """How far the numbers can be relied on."""
    notes: Text | None = None
    """Scope, rule, level, own judgement."""
    label: Line | None = None
    """A name for charts and tables."""
    name: ItemName | None = None
    """As an item of a list: its name in paths, as in `growth[slowdown].rate`; draws hang on that, not on its place."""
    own: dict[str, Number] | None = Field(default=None, alias=_OWN)

    @classmethod
    def _prepared(cls, data: Any) -> tuple[Any, list[Fault]]:
        """Write out the short forms: a bare number, an amount, interval_NN, uniform: [a, b] and the like."""
        if isinstance(data, int | float) and not isinstance(data, bool):
            return {"value": data}, []
        told = prior_in_words(data) if isinstance(data, str) else None
        if told is None and not isinstance(data, Mapping):
            return data, []
        data, amiss = told or written_in_numbers(data)
        written, faults = written_out(
            {key: value for key, value in data.items() if (key,) not in {f.path for f in amiss}}
        )
        try:
            own = _own_keys(data.get("family"))
        except InputError as error:  # what its package offers cannot be had
            return written, [*amiss, *faults, Fault(("family",), str(error))]
        if own:
            written[_OWN] = {key: written.pop(key) for key in own if key in written}
        return written, [*amiss, *faults]

    @model_serializer(mode="wrap")
    def _as_in_the_file(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write an installed family's own keys among the others."""
        written: dict[str, Any] = write(self)
        inner = [written.pop(key) for key in ("own", _OWN) if key in written]
        return {**written, **(inner[0] or {})} if inner else written

    @classmethod
    def written_keys(cls) -> list[str]:
        """List the keys that a file may write: an interval with its level, and the short forms."""
        names = (name for name in super().written_keys() if name not in ("interval", _OWN))
        return [*names, "interval_90", *SHORT_FORMS]

    @classmethod
    def no_group(cls, given: object) -> tuple[str, str]:
        """Say that what is given is no prior."""
        rule = f"must be a number or a prior; got {shown(given)}."
        if isinstance(given, list | tuple) and len(given) == 2:
            return rule, f"An interval says its level: {{interval_90: {shown(given)}}}."
        if isinstance(given, str) and (hint := text_hint(given)):
            return rule, hint
        if isinstance(given, str) and given[:1].isdigit():
            return rule, "Write a number without quotes, alone or with its unit: 4e8 USD, 2.4x/year."
        if isinstance(given, str) and _ENTRY.fullmatch(given):
            return rule, f"An entry of the prior library is named as {{prior: {given}}}."
        return rule, ANY_PRIOR

    @property
    def own_unit(self) -> str | None:
        """The unit that it states; of a mixture without one, that of its first part."""
        return self.unit or (self.mixture[0].unit if self.mixture else None)

    def _faults(self) -> Iterator[Fault]:
        """Yield what is wrong with the way in which a prior states its numbers; the numbers are checked later."""
        words = (*_WHOLE_STATEMENTS, "median", "interval", *_PARAMETER_WORDS, *_BOUND_WORDS)
        given = [key for key in words if getattr(self, key) is not None] + list(self.own or ())
        whole = [key for key in _WHOLE_STATEMENTS if key in given]
        beside = [key for key in given if key not in (*whole[:1], *(_BOUND_WORDS if whole == ["quantiles"] else ()))]
        named = _WHOLES.get(whole[0] if whole else "")
        if not given:
            if self.prior is None:
                remedy = "Write value, median with interval_90, quantiles, or prior: file/name."
                yield Fault((), "states no numbers.", remedy)
        elif self.input is not None and (beside or self.never is not None or self.truncated is not None):
            key = _written(self, beside[0]) if beside else "truncated" if self.never is None else "never"
            remedy = f"Write it there (--set inputs.{self.input}.{key}=..), or remove input."
            yield Fault((key,), f"stands beside input: the number is that of inputs.{self.input}.", remedy)
        elif whole and beside:
            other = _written(self, beside[0])
            rule = f"stands beside {whole[0]}: a prior states its numbers one way."
            yield Fault((other,), rule, f"Keep {whole[0]} or {other}.")
        elif whole == ["function"] and (self.never is not None or self.truncated is not None):
            key = "truncated" if self.never is None else "never"
            remedy = "Bound the function by its first and last points: it is constant beyond them."
            if key == "never":
                remedy = "Write it beside the other prior; where that is never, the function has its last point."
            yield Fault((key,), "cannot stand beside function.", remedy)
        elif whole and self.family is not None and (self.family != named if named else self.family in _WHOLES.values()):
            rule = f"is {self.family}, but the prior is stated by {whole[0]}."
            yield Fault(("family",), rule, "Remove family, or state the numbers that belong to it.")
        elif not whole and self.family is not None and self.family in _WHOLES.values():
            key = SHIPPED[self.family].whole
            yield Fault(("family",), f"{self.family} goes with {key}.", f"Write {key} alone, without family.")
        elif not whole and not ((installed := _installed(self.family)) and tuple(given) in installed.ways):
            yield from _halves(self, given)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        written = super().__get_pydantic_json_schema__(schema, handler)
        body = handler.resolve_ref_schema(written)
        properties = body["properties"]
        del properties["interval"], properties[_OWN]
        pair = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
        interval = pair | {"description": "An equal-tailed interval of that level in percent."}
        body["patternProperties"] = {r"^interval_[0-9]+(\.[0-9]+)?$": interval}
        for short, keys in SHORT_FORMS.items():
            count = {"minItems": len(keys), "maxItems": len(keys)}
            properties[short] = pair | count | {"description": f"[{', '.join(keys)}]"}
        for _, family in FAMILIES.usable():
            for key, meaning in family.keys.items():
                properties.setdefault(key, {"type": "number", "description": meaning})
        for key in (*HELD, *SHORT_FORMS):
            properties[key] = or_amounts(properties[key])
        body["patternProperties"] = {key: or_amounts(form) for key, form in body["patternProperties"].items()}
        properties["quantiles"]["description"] = "Probabilities and their quantiles: {0.05: 2, 0.5: 3, 0.95: 8}."
        return {"anyOf": [{"type": "number"}, AMOUNT_FORM, written]}


class MixturePart(Prior):
    """One part of a mixture."""

    weight: Weight
    """Its weight; the weights of a mixture are scaled to add up to 1."""


def _own_order(keys: Collection[str]) -> tuple[str, ...]:
    return tuple(key for key in Prior.model_fields if key in keys)


NO_STATEMENT = frozenset({*PROVENANCE_KEYS, "prior", "unit", "dollars", "label", "name", "own", "weight"})
"""Keys that say nothing of the numbers of a prior."""
STATEMENT_KEYS = frozenset({*Prior.model_fields, *SHORT_FORMS} - NO_STATEMENT)
"""Keys that state the numbers of a prior; `interval_NN` too."""
_WHOLE_STATEMENTS = _own_order({"quantiles", *_WHOLES})
_MOMENTS = ("mean", "sd")
PARAMETERS = _own_order(
    {key for family in SHIPPED.values() for keys in (*family.ways, family.optional) for key in keys}
    - {"median", "interval", "quantiles", *_MOMENTS}
)
"""Keys of the numbers that families have of their own."""
_BOUND_WORDS = ("lower", "upper", "df")
_PARAMETER_WORDS = (*_MOMENTS, *(key for key in PARAMETERS if key not in _BOUND_WORDS))


def _halves(prior: Prior, given: list[str]) -> Iterator[Fault]:
    """Yield quantiles that stand beside parameters, and a centre that stands without a width."""
    quantile_words = [key for key in ("median", "interval") if key in given]
    parameters = [key for key in _PARAMETER_WORDS if key in given]
    if quantile_words and parameters and parameters != ["location"]:
        rule = f"stands beside {_written(prior, quantile_words[0])}: a prior states quantiles or parameters, not both."
        other = "a mean with sd" if {"sd", "mean"} & {*parameters} else "the parameters of one family"
        yield Fault((parameters[0],), rule, f"Keep a median with an interval, or {other}.")
    elif given in (["median"], ["mean"]):
        rule = f"stands alone: a {given[0]} says nothing about the width."
        width = "interval_90: [low, high]" if given == ["median"] else "sd"
        yield Fault((given[0],), rule, f"Add {width}; for a fixed number write value instead.")
    elif given == ["sd"]:
        yield Fault(("sd",), "stands alone: it is the width of a mean.", "Add mean.")


def _written(prior: Prior, key: str) -> str:
    if key == "interval" and prior.interval is not None:
        return f"interval_{number(round(prior.interval.level * 100, 9))}"
    return key
