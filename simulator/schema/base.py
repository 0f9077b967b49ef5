"""What every entry of a file has in common: kinds of text and numbers, its documentation, what is wrong with it.

Closed and frozen: an unknown key is a fault. The text under a field documents it, in the editor too.
"""

from __future__ import annotations

import ast
import inspect
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)

from simulator.dates import FORMS, DateError, last_day_of, read_year
from simulator.errors import Fault, Path, near_name, number, shown
from simulator.schema.amounts import number_of, or_amounts, read_amount
from simulator.schema.hints import key_hint, number_alone
from simulator.units import PERCENT, UnitError

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema


@cache
def field_words(model: type[BaseModel]) -> Mapping[str, str]:
    """Give the text under each field of a model, those that it inherits too; fields without one are left out."""
    above = [field_words(base) for base in reversed(model.__bases__) if issubclass(base, BaseModel)]
    words = {name: text for inherited in above for name, text in inherited.items()}
    if model is not BaseModel:
        for entry, below in pairwise(ast.parse(inspect.getsource(model)).body[0].body):  # type: ignore[attr-defined]
            match entry, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    words[name] = inspect.cleandoc(text)
    return {name: text for name, text in words.items() if model is BaseModel or name in model.model_fields}


@dataclass(frozen=True)
class AmountIn:
    """Let a number of a known unit stand as an amount too: `60 %`, `1e25 FLOP`."""

    unit: str

    def told(self, value: Any) -> Any:
        """Tell an amount in the unit; what is none is left to be refused as what it is."""
        if not isinstance(value, str) or value.strip()[-1:].isdigit():
            return value
        try:
            return number_of(value, self.unit)
        except UnitError:
            what = "a plain number or in percent" if self.unit == "1" else f"in {self.unit}"
            rule, example = f"must be {what}; got {shown(value)}.", "60 %" if self.unit == "1" else f"2 {self.unit}"
            raise Faults([Fault((), rule, f"Write a number alone, or as {example}.")]) from None
        except ValueError:
            return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        from pydantic_core.core_schema import no_info_before_validator_function

        return no_info_before_validator_function(self.told, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        form: JsonSchemaValue = or_amounts(handler(schema))
        return form


LARGEST = 1e300
"""The largest number, up or down, that a file may state: sums and spreads of it are numbers still."""

LARGEST_LOG = math.log10(LARGEST)


@dataclass(frozen=True)
class _Bounded:
    """Bound a number; the bounds stand in no schema, where they would say nothing."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        bounded: Any = {**handler(source), "ge": -LARGEST, "le": LARGEST}
        return cast("core_schema.CoreSchema", bounded)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        form = handler(schema)
        return {key: bound for key, bound in form.items() if bound not in (-LARGEST, LARGEST)}


Number = Annotated[float, Field(strict=True, allow_inf_nan=False), _Bounded()]
Told = Annotated[Number, WithJsonSchema(or_amounts({"type": "number"}))]
"""A number in the unit of its entry, which writes its amounts as numbers."""
ItemName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
"""The name of an item of a list, which no number can be taken for."""
Probability = Annotated[float, Field(strict=True, gt=0.0, lt=1.0), AmountIn("1")]
Weight = Annotated[Number, Field(gt=0.0, le=1e100), AmountIn("1")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Text = Annotated[str, StringConstraints(strict=True, min_length=1)]


def _in_one_line(text: str) -> str:
    """Put a text into one line, as a folded text of YAML, which ends with a line break, is meant."""
    return " ".join(line.strip() for line in text.splitlines() if line.strip())


Line = Annotated[Text, AfterValidator(_in_one_line)]


_PLAIN_DATE = re.compile(r"[12][0-9]{3}(-(0[1-9]|1[0-2])(-(0[1-9]|1[0-9]|2[0-8]))?)?")


def _as_date(value: Any) -> Any:
    """Take a bare year, which YAML reads as a number, for the text that is meant, and refuse a text that is no date."""
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    try:
        if isinstance(text, str) and not _PLAIN_DATE.fullmatch(text):
            last_day_of(text)
    except DateError as error:
        raise Faults([Fault((), error.rule, error.remedy)]) from None
    return text


def _as_year(value: Any) -> Any:
    """Take a date that is written as a text for the decimal year that it is."""
    try:
        return read_year(value) if isinstance(value, str) else value
    except DateError as error:
        raise Faults([Fault((), error.rule, error.remedy)]) from None


YEAR_FORM = {"anyOf": [{"type": "number"}, {"type": "string", "description": f"A date: {FORMS}."}]}
Year = Annotated[Number, BeforeValidator(_as_year), WithJsonSchema(YEAR_FORM)]
"""A point in time: a decimal year, or a date as people write it."""
Date = Annotated[str, BeforeValidator(_as_date), WithJsonSchema(YEAR_FORM)]
"""A stretch of time that ends what is known: a year, a quarter, a month, a day, or a point in time."""


def year_faults(path: Path, *years: float | None, example: float) -> Iterator[Fault]:
    """Yield a fault where one of some numbers, if they are stated, is no year that a scenario can be about."""
    for year in years:
        if year is not None and not FIRST_YEAR <= year <= LAST_YEAR:
            rule = f"must be a year from {FIRST_YEAR} to {LAST_YEAR}; got {number(year)}."
            yield Fault(path, rule, f"Write for example {number(example)}.")


def date_faults(key: str, dates: Iterable[str], *, noun: str, year: int, value: str) -> Iterator[Fault]:
    """Yield a fault where one of the keys below a key is no year or date, or one of them once more; with an example."""
    seen: dict[float, str] = {}
    for date in dates:
        try:
            yield from year_faults((key, date), at := read_year(date), example=year)
            if (same := seen.setdefault(at, date)) != date:
                yield Fault((key, date), f"is the {noun} {same} once more.", "Keep one of the two.")
        except DateError:
            yield Fault((key, date), f"must be a {noun}; got '{date}'.", f"Write for example {year}: {value}.")


FIRST_YEAR, LAST_YEAR = 1900, 2300
MOST_NAMED, MOST_LIMITS, LONGEST_CHAIN = 300, 60, 50
"""Entries of a group that a scenario names, such as thresholds; caps of a level and constraints, which a run tells
apart in a byte; entries and files that name one another, one after the other."""


class Faults(ValueError):
    """Carry several faults, each with its path below the entry that is validated, through pydantic."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(fault.rule for fault in faults))
        self.faults = faults


def _of_one_kind(items: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """Refuse weights in percent that are not 100 % together, and numbers above 1 among them.

    Those may be meant in percent too; and where 60 % and 60 % become half each, nobody has said so.
    """
    told = read(items)
    alone = ((item.get("weight"), ("weight",)) if isinstance(item, Mapping) else (item, ()) for item in items)
    weights = [(weight, (at, *key)) for at, (weight, key) in enumerate(alone)]
    amounts = {text: read_amount(text) for text, _ in weights if isinstance(text, str)}
    percent = next((text for text, amount in amounts.items() if amount and amount.unit in PERCENT), None)
    faults = [
        Fault(path, f"{number(weight)} stands beside {percent}: it has two readings.",
              f"Is it {number(weight)} % or {number(100 * weight)} %? Write that, or all weights as plain numbers.")
        for weight, path in weights
        if percent is not None and isinstance(weight, int | float) and weight > 1
    ]  # fmt: skip
    shares = [amount.value for text, _ in weights if (amount := amounts.get(str(text))) and amount.unit in PERCENT]
    if len(shares) == len(weights) > 1 and abs(sum(shares) - 100.0) > 0.5 * len(shares):  # each may be rounded
        rule = f"are weights in percent, which add up to {number(sum(shares))} %."
        faults = [Fault((), rule, "Write 100 % together; or plain numbers, which are divided by their sum.")]
    if faults:
        raise Faults(faults)
    return told


OF_ONE_KIND = WrapValidator(_of_one_kind)
"""Of a list of weights, or of what has one each."""
Weights = Annotated[tuple[Weight, ...], Field(min_length=1), OF_ONE_KIND]


class Spec(BaseModel):
    """Something a file may say."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    noun: ClassVar[str] = "key"  # what its entries are called where there is no such one
    lists_keys: ClassVar[bool] = True  # and whether they are listed then
    short_for: ClassVar[str] = ""  # how a text that stands in the place of its entries may be meant: {{kind: {}}}

    @classmethod
    def written_keys(cls) -> list[str]:
        """List the keys that a file may write."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    @classmethod
    def no_group(cls, given: object) -> tuple[str, str]:
        """Say that what is given is not what it should be: rule and remedy."""
        rule, remedy = no_group(given)
        return rule, f"Write {cls.short_for.format(given)}." if cls.short_for and isinstance(given, str) else remedy

    def _faults(self) -> Iterator[Fault]:
        """Find what is wrong with its entries together, each of which is right by itself."""
        return iter(())

    @model_validator(mode="wrap")
    @classmethod
    def _checked(cls, data: Any, made_of: ModelWrapValidatorHandler[Self]) -> Self:
        """Say what is wrong with each entry, and with all of them together, in the words of this project."""
        data, amiss = cls._prepared(data)
        try:
            spec = made_of(data)
        except ValidationError as error:
            raise Faults([*amiss, *faults_of(error, cls, data)]) from None
        if faults := amiss or list(cls._faults(spec)):
            raise Faults(faults)
        return spec

    @classmethod
    def _prepared(cls, data: Any) -> tuple[Any, list[Fault]]:
        """Write out what stands in a short form, without what is amiss in it, which is listed."""
        return data, []

    @classmethod
    def read(cls, data: Any) -> Self:
        """Read plain data with texts as keys; `Faults` where they are wrong."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise error.errors()[0]["ctx"]["error"] from None

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        written = handler(schema)
        properties = handler.resolve_ref_schema(written)["properties"]
        for name, text in field_words(cls).items():
            properties[cls.model_fields[name].alias or name]["description"] = text
        return written


_EXAMPLES = {
    "schema": "Write schema: 2.",
    "name": "Write for example name: current-trends.",
    "years": "Write for example years: {first: 2025, last: 2045}.",
    "drivers": "Write spending, hardware and algorithms below it.",
    "rate": "Write for example rate: {median: 2.4, interval_90: [1.6, 3.4]}.",
    "weight": "Write for example weight: 0.5.",
}
_PAIRS = ("ratio", "difference")  # of quantities, whose parts are explained


def faults_of(error: ValidationError, model: type[Spec], data: Any) -> Iterator[Fault]:
    """Turn each of pydantic's errors in an entry, `data`, into a fault with its path below it, a rule and a remedy."""
    details = error.errors(include_url=False)
    proposed: set[str] = set()  # keys that stand there by another name
    for detail in sorted(details, key=lambda detail: detail["type"] == "missing"):
        raised = detail.get("ctx", {}).get("error")
        path = path_in_file(detail["loc"])
        if isinstance(raised, Faults):
            yield from (Fault((*path, *fault.path), fault.rule, fault.remedy) for fault in raised.faults)
        elif detail["type"] == "extra_forbidden":
            key = str(detail["loc"][-1])
            rule, remedy = _unknown_key(key, model, key_hint(model.__name__, key, detail.get("input"), data))
            proposed |= {remedy.removeprefix("Write ").partition(":")[0]}
            yield Fault(path, rule, remedy)
        elif detail["type"] == "missing" and path and path[-1] in proposed:
            continue
        elif detail["type"] != "too_short" or not _broken_inside(path, details):
            yield Fault(path, *_worded(path, detail, model))


def path_in_file(location: tuple[str | int, ...]) -> Path:
    """Strip from pydantic's location what names a form and not an entry."""
    return tuple(part for part in location if part not in _FORMS)


_FORMS = frozenset({
    "<regimes>", "<rate>", "<mean>", "<quantity>", "<name>", "<prior>", "<level>", "<operation>", "<own>",
    "<event>", "<rest>", "<models>", "<none>", "[key]",
})  # fmt: skip


def _broken_inside(path: Path, details: Any) -> bool:
    """Tell whether a list is short only because its items are at fault themselves."""
    inner = [path_in_file(detail["loc"]) for detail in details]
    return any(len(other) > len(path) and other[: len(path)] == path for other in inner)


def _worded(path: Path, detail: Any, model: type[Spec]) -> tuple[str, str]:
    kind, context, given = detail["type"], detail.get("ctx", {}), detail.get("input")
    key = str(path[-1]) if path else ""
    if kind == "missing" and isinstance(path[-1], int):
        return "is missing.", _description(model, str(path[-2])) if path[-2] in _PAIRS else ""
    if kind == "missing":
        return "is missing.", f"{_description(model, key)}\n{_EXAMPLES.get(key, '')}".strip()
    if kind == "literal_error":
        expected = str(context["expected"])
        known = [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]
        return f"must be one of {expected}; got {shown(given)}.", near_name(str(given), known)
    if kind == "string_pattern_mismatch":
        return _pattern(str(given), str(context["pattern"]))
    if kind in ("float_type", "int_type", "int_from_float"):
        return _not_a_number(given, whole=kind != "float_type")
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return model.no_group(given) if not path else no_group(given)
    if kind in ("too_short", "too_long"):
        bound = f"at least {context['min_length']}" if kind == "too_short" else f"at most {context['max_length']}"
        return f"must hold {bound} items; got {len(given) or 'none'}.", _description(model, key)
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"must be {words} {number(float(context[name]))}; got {shown(given)}.", _description(model, key)
    if kind == "tuple_type" and isinstance(given, Mapping):
        return f"must be a list; got {shown(given)}.", "Write its items one below the other, each after '- '."
    if kind == "string_type" and isinstance(given, list | tuple | Mapping):
        return f"must be a text; got {shown(given)}.", "Write a word, or a text in quotes."
    rule, remedy = _RULES.get(kind, ("cannot stand here", "See 'simulate schema' for what can."))
    return f"{rule}; got {shown(given)}.", remedy


_RULES = {
    "string_type": ("must be a text", "Put it in quotes."),
    "finite_number": ("must be a finite number", "Write a number below 1e308."),
    "tuple_type": ("must be a list", "Write for example [1.6, 3.4], or items that begin with '- '."),
    "string_too_short": ("must not be empty", "Write a text, or remove the key."),
    "string_too_long": ("is too long a name", "Keep it to 60 letters."),
}
_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}


def _not_a_number(given: Any, *, whole: bool) -> tuple[str, str]:
    rule = f"must be a {'whole ' if whole else ''}number; got {shown(given)}."
    hint = number_alone(given, whole=whole) if isinstance(given, str) else ""
    return rule, hint or f"Write for example {'10_000' if whole else '2.4 or 1e26'}."


def no_group(given: object) -> tuple[str, str]:
    """Say that what is given is no group of entries: rule and remedy."""
    return f"must be keys with values; got {shown(given)}.", "Write its entries below it, each as key: value."


def _pattern(given: str, pattern: str) -> tuple[str, str]:
    if "nominal" in pattern:
        return f"must be nominal, or real and a year; got {shown(given)}.", "Write for example real 2023."
    named = given.lower()
    if re.fullmatch(
        r"[0-9]+([.][0-9]+)?(e[+][0-9]+)?", given
    ):  # a number as YAML reads it, which it would be again alone
        named = f"{float(given):g}-run".replace("e+0", "e").replace("e+", "e")
    proposed = re.sub(r"[^a-z0-9]+", "-", named).strip("-") or "cash-flow"
    return f"{shown(given)} is not a name.", f"Use lower-case letters, digits and single hyphens: {proposed}."


def _unknown_key(key: str, model: type[Spec], hint: str) -> tuple[str, str]:
    if key == "<<":
        return "YAML 1.2 has no merge key.", "Use extends, or write the entries out."
    word, colon, value = key.partition(":")
    if colon:
        remedy = f"A space must follow the colon: {word}: {value}."
        return "no such key.", remedy if value else f"A value must follow {word}: and a space."
    known = sorted(model.written_keys())
    if key in known:
        return "shapes the file in which it stands.", "Write it there: what comes after cannot set it."
    remedy = hint or near_name(key, known)
    if not remedy and model.lists_keys:
        remedy = f"Known here: {', '.join(known)}."
    return f"no such {model.noun}.", remedy or "Remove it."


def _description(model: type[BaseModel], key: str) -> str:
    names = {field.alias or name: name for name, field in model.model_fields.items()}
    return " ".join(field_words(model).get(names.get(key, ""), "").replace("`", "").split())
