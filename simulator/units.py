"""Units of levels and of growth, and their one conversion to the internal scale.

Inside the simulator a level is the log10 of a number of base units (FLOP, USD, J, s, bit, token, chip, ...)
and a growth rate is in OOM per year. What a file says is converted here, once.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.errors import near_name

type Array = NDArray[np.float64]

SECONDS_PER_YEAR = 365.25 * 86_400.0
PERCENT = ("%", "percent", "pct")
MANY: Mapping[str, float] = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}

_BASES = {
    "FLOP": ("FLOP", 1.0), "USD": ("USD", 1.0), "J": ("J", 1.0), "Wh": ("J", 3600.0), "bit": ("bit", 1.0),
    "byte": ("bit", 8.0), "token": ("token", 1.0), "chip": ("chip", 1.0), "image": ("image", 1.0),
    "model": ("model", 1.0), "person": ("person", 1.0), "parameter": ("parameter", 1.0),
    "s": ("s", 1.0), "hour": ("s", 3600.0), "day": ("s", 86_400.0), "week": ("s", 7 * 86_400.0),
    "month": ("s", SECONDS_PER_YEAR / 12), "quarter": ("s", SECONDS_PER_YEAR / 4), "year": ("s", SECONDS_PER_YEAR),
    "decade": ("s", 10 * SECONDS_PER_YEAR), "$": ("USD", 1.0),
    **dict.fromkeys(("1", "fraction", "factor", "x", "times"), ("", 1.0)), **dict.fromkeys(PERCENT, ("", 0.01)),
    **{word: ("", times) for word, times in MANY.items()},
}  # fmt: skip
_PREFIXES = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_PREFIXED = ("W", "Wh", "J", "FLOP", "USD", "bit", "byte", "token", "chip", "s")
_CURRENCIES = ("EUR", "GBP", "CNY", "RMB", "JPY", "INR", "euro", "euros", "€", "£", "¥")
_OFTEN_MEANT = {
    **dict.fromkeys(("dollar", "dollars", "US$", "usd", "Dollar", "Dollars"), "USD"),
    **dict.fromkeys(("FLOPS", "flops", "FLOPs/s", "FLOP/S"), "FLOP/s"), "petaflop": "PFLOP", "exaflop": "EFLOP",
    **dict.fromkeys(("watt", "watts"), "W"), "gigawatt": "GW", "gigawatts": "GW", "megawatt": "MW", "megawatts": "MW",
    **dict.fromkeys(("GPU", "GPUs", "gpu", "gpus", "H100", "H100s", "TPU", "accelerator", "accelerators"), "chip"),
    **dict.fromkeys(("m", "mil", "mio", "mln", "mn", "Mio"), "million"), "Mrd": "billion",
    **dict.fromkeys(("b", "bil", "bln", "bn"), "billion"), "tn": "trillion", "tril": "trillion",
    **dict.fromkeys(("yr", "yrs", "annum", "y"), "year"), "mo": "month", "mos": "months", "wk": "week", "wks": "week",
    **dict.fromkeys(("sec", "second", "seconds"), "s"), **dict.fromkeys(("hr", "hrs", "h"), "hour"),
    **dict.fromkeys(("params", "param", "parameters"), "parameter"), "people": "person", "researchers": "person",
    "per": "/", "GB": "Gbyte", "TB": "Tbyte", "PB": "Pbyte", "share": "fraction",
}  # fmt: skip
_FACTOR_PER_YEARS = re.compile(r"factor/(?:([0-9]+\.?[0-9]*|\.[0-9]+) ?)?(year|month)s?")
_WORDS_OF_GROWTH = {
    **dict.fromkeys(("x", "times", "fold"), "factor"), **dict.fromkeys(PERCENT, "%"), "month": "months", "yr": "years",
}  # fmt: skip
_SHORT_OR_LONG = re.compile(r"(day|week|month|quarter|decade|century)s?$")
_HALVES = ("doubling", "halving", "halving of requirement")


class UnitError(ValueError):
    """Report a unit that is not known; `remedy` says what to write."""

    def __init__(self, rule: str, remedy: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as a product of powers of base units times a number.

    `scale` is the number of base units in one of it; `dimension` lists (base, power), sorted.
    """

    dimension: tuple[tuple[str, int], ...]
    scale: float = 1.0

    def __mul__(self, other: Unit) -> Unit:
        return _collect((*self.dimension, *other.dimension), self.scale * other.scale)

    def __truediv__(self, other: Unit) -> Unit:
        return self * Unit(tuple((base, -power) for base, power in other.dimension), 1.0 / other.scale)

    def __str__(self) -> str:
        above = [_power(base, power) for base, power in self.dimension if power > 0]
        below = [_power(base, -power) for base, power in self.dimension if power < 0]
        return "/".join([" ".join(above) or "1", *below])


DIMENSIONLESS = Unit(())


@cache
def parse_unit(text: str) -> Unit:
    """Read a unit such as `FLOP/USD`, `GW`, `per year`, `FLOP/token^2` or `%`; UnitError where a word is no unit.

    >>> print(parse_unit("FLOP/s/W"), parse_unit("GW").scale)
    FLOP/J 1000000000.0
    """
    if not text.strip():
        raise UnitError("is empty.", "Write 1 for a plain number.")
    unit = DIMENSIONLESS
    for position, part in enumerate(re.sub(r"^\s*(?:/|per\b)", "1/", text).split("/")):
        for words in part.split("*"):
            if not words.strip():
                raise UnitError(f"'{text}' lacks a unit beside '/' or '*'.", "Write for example FLOP/USD or 1/USD.")
            for word in words.split():
                unit = unit * _factor(word) if position == 0 else unit / _factor(word)
    if not 0.0 < unit.scale < math.inf:
        raise UnitError(f"'{text}' is a unit too large or too small to compute with.", "Lower its powers.")
    return unit


def _factor(word: str) -> Unit:
    """Read one word of a unit with its power: `token^2`."""
    name, raised, digits = word.partition("^")
    if raised and not re.fullmatch(r"-?[0-9]+", digits):
        raise UnitError(f"the power in '{word}' is not a whole number.", "Write for example token^2.")
    if len(digits.lstrip("-0")) > 1:
        raise UnitError(f"the power in '{word}' must lie from -9 to 9.", "Write for example token^2.")
    base, power = _base(name), int(digits or 1)
    return Unit(tuple((b, p * power) for b, p in base.dimension if power), base.scale**power)


@cache
def _base(word: str) -> Unit:
    if word == "W":
        return Unit((("J", 1), ("s", -1)))
    if word in _BASES:
        base, scale = _BASES[word]
        return Unit(((base, 1),) if base else (), scale)
    if word.endswith("s") and len(word) > 2 and word[:-1] in _BASES:
        return _base(word[:-1])
    if len(word) > 1 and word[0] in _PREFIXES and word[1:] in _PREFIXED:
        inner = _base(word[1:])
        return Unit(inner.dimension, inner.scale * _PREFIXES[word[0]])
    if word in ("OOM", "ln"):
        remedy = "A rate is in 1/year; growth that follows it says how it is read: in OOM/year, for example."
        raise UnitError(f"'{word}' is not a unit.", remedy)
    if word in _CURRENCIES:
        raise UnitError(f"'{word}' is not a unit.", "Amounts of money are in USD: convert it, and say so in notes.")
    if word in _OFTEN_MEANT:
        raise UnitError(f"'{word}' is not a unit.", f"Did you mean '{_OFTEN_MEANT[word]}'?")
    near = near_name(word, [known for known in (*_BASES, "W", "GW") if known[:1].lower() == word[:1].lower()])
    raise UnitError(f"'{word}' is not a unit.", near or f"Known units: {', '.join([*_BASES, 'W'])}; with k M G T P E.")


def _collect(pairs: tuple[tuple[str, int], ...], scale: float) -> Unit:
    powers: dict[str, int] = {}
    for base, power in pairs:
        powers[base] = powers.get(base, 0) + power
    return Unit(tuple(sorted((base, power) for base, power in powers.items() if power)), scale)


def _power(base: str, power: int) -> str:
    return base if power == 1 else f"{base}^{power}"


@cache
def parse_level_unit(text: str) -> tuple[Unit, bool]:
    """Read the unit of a level, and tell whether its numbers are logs: `OOM`, or `log10(FLOP)` and the like."""
    if text.strip() == "OOM":
        return DIMENSIONLESS, True
    inner = re.fullmatch(r"log10\((.+)\)", text.strip())
    return parse_unit(inner[1] if inner else text), inner is not None


def plain_unit(unit: str) -> str:
    """Name the unit of which `unit` is the logarithm: FLOP for log10(FLOP); others stay what they are."""
    return unit.removeprefix("log10(").removesuffix(")")


def file_unit(unit: str) -> str:
    """Name the unit in which a file states a number of an internal unit without a word: how often is by year."""
    return "1/year" if unit == "log10(1/s)" else plain_unit(unit)


class Conversion(ABC):
    """A one-to-one map from the numbers in a file to the internal scale.

    `forward` maps x to y, `inverse` y to x, `log_slope` y to ln |dx/dy|; `falling` says that y falls as x rises,
    `reciprocal` that it is one over x, which has no bound near 0.
    Each is made once (`_one`), here and where it is unpickled: the same numbers are the same object.
    """

    __slots__ = ()
    reciprocal: ClassVar[bool] = False
    falling: ClassVar[bool] = False

    def __reduce__(self) -> tuple[Any, ...]:
        return _one, (type(self), *astuple(self))  # type: ignore[call-overload]

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """Convert numbers of a file."""

    @abstractmethod
    def inverse(self, y: Array) -> Array:
        """Convert back."""

    @abstractmethod
    def log_slope(self, y: Array) -> Array:
        """Give the log of how fast the numbers of the file change with the internal ones."""


@cache
def _one(kind: type[Conversion], *numbers: float) -> Conversion:
    return kind(*numbers)


_LN10 = math.log(10.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Logarithm(Conversion):
    """y = log10(scale x) / span."""

    scale: float
    span: float

    def forward(self, x: Array) -> Array:
        return np.log10(x * self.scale) / self.span

    def inverse(self, y: Array) -> Array:
        return np.exp(y * (self.span * _LN10)) / self.scale

    def log_slope(self, y: Array) -> Array:
        return y * (self.span * _LN10) + math.log(self.span * _LN10 / self.scale)


@dataclass(frozen=True, slots=True, eq=False)
class _Line(Conversion):
    """y = scale x + shift."""

    scale: float
    shift: float

    def forward(self, x: Array) -> Array:
        return x * self.scale + self.shift

    def inverse(self, y: Array) -> Array:
        return (y - self.shift) / self.scale

    def log_slope(self, y: Array) -> Array:
        return np.full_like(y, -math.log(self.scale))


@dataclass(frozen=True, slots=True, eq=False)
class _Reciprocal(Conversion):
    """y = constant / x, of x above 0; a level doubles in the time x."""

    constant: float
    reciprocal: ClassVar[bool] = True
    falling: ClassVar[bool] = True

    def forward(self, x: Array) -> Array:
        return self.constant / x

    def inverse(self, y: Array) -> Array:
        return self.constant / y

    def log_slope(self, y: Array) -> Array:
        return math.log(abs(self.constant)) - 2.0 * np.log(np.abs(y))


@dataclass(frozen=True, slots=True, eq=False)
class _RisingReciprocal(_Reciprocal):
    """The same of a constant below 0: a level halves in the time x."""

    falling: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, eq=False)
class _Percent(Conversion):
    """y = log10(1 + x / 100)."""

    def forward(self, x: Array) -> Array:
        return np.log1p(x / 100.0) / _LN10

    def inverse(self, y: Array) -> Array:
        return 100.0 * np.expm1(y * _LN10)

    def log_slope(self, y: Array) -> Array:
        return y * _LN10 + math.log(100.0 * _LN10)


def logarithm(scale: float = 1.0) -> Conversion:
    """Convert a positive number of units to the log10 of base units: y = log10(scale x)."""
    return _one(_Logarithm, scale, 1.0)


def logged(scale: float = 1.0) -> Conversion:
    """Convert the log10 of a number of units to the log10 of base units: y = x + log10(scale)."""
    return _one(_Line, 1.0, math.log10(scale))


def multiple(scale: float = 1.0) -> Conversion:
    """Convert a number of units to base units: y = scale x."""
    return _one(_Line, scale, 0.0)


@dataclass(frozen=True, slots=True)
class GrowthUnit:
    """A way to write growth, and its conversion to OOM per year.

    `meaning` explains a number in it; `positive` says that the number must be above 0 (a factor, a time).
    """

    text: str
    conversion: Conversion
    meaning: str
    positive: bool = True

    @property
    def told_in(self) -> Unit:
        """The unit of a quantity that tells growth so: of OOM/year so much a year, of x/year a number, else a time."""
        head = self.text.partition("/")[0]
        return parse_unit({"factor": "1", "%": "%/year", "OOM": "1/year", "ln": "1/year"}.get(head, head))


@cache
def parse_growth_unit(text: str) -> GrowthUnit:
    """Read a unit of growth.

    `x/year` (or `factor/year`), `x/2 years`, `%/year`, `OOM/year`, `ln/year`, `months/doubling`, `years/doubling`,
    and `months/halving`, the time in which the level itself halves. `months/halving of requirement` is the time in
    which what is needed for the same result halves, so that the level, an efficiency, doubles.
    """
    text, told = re.sub(r"\b(?:annually|yearly|p\.?a\b\.?)", "/year", " ".join(text.split())), text
    head, _, rest = re.sub(r"\s*(?:/|\b(?:per|every|each|an?)\b)\s*", "/", text, count=1).partition("/")
    rest = {"yr": "year", "annum": "year", "decade": "10 years", "quarter": "3 months"}.get(rest, rest)
    head = head.lower() if head == "X" else head
    head = _WORDS_OF_GROWTH.get(head, head) if rest in _HALVES or head not in ("month", "yr") else head
    head = "years" if rest in _HALVES and head == "year" else head
    plain = f"{head}/{rest}"
    if plain in _GROWTH_UNITS:
        return _GROWTH_UNITS[plain]
    match = _FACTOR_PER_YEARS.fullmatch(plain)
    if match:
        span = float(match[1] or 1) / (12 if match[2] == "month" else 1)
        if 0.0 < span < math.inf:
            return _factor_per(plain, span)
    raise UnitError(f"'{told}' is not a unit of growth.", _meant(told))


def _meant(text: str) -> str:
    """Say what may have been meant by what is no unit of growth: what means the same, not what is spelled so."""
    words = text.partition("/")[0].strip().removesuffix(".")
    if words in ("month", "months", "year", "years", "yr", "yrs"):
        span = "years" if words.startswith("y") else "months"
        return f"Write {span}/doubling, or {span}/halving."
    if text.replace(" ", "").rstrip(".") in ("1/year", "/year", "1/yr", "peryear", "ayear", "annually", "peryr"):
        return "Write x/year for a factor, percent/year for percent."
    if other := _SHORT_OR_LONG.search(text):  # a year's rate would be another one
        of_span = other[1] if other[1] in ("month", "quarter", "decade") else "year"
        return f"Growth of one {other[1]} is not that of a year: state it as a factor, as 1.1x/{of_span}."
    if words in (*PERCENT, "x", "factor", "times", "OOM", "ln"):
        return f"Write {'percent' if words == '%' else words}/year."
    if words in ("OOMs", "oom", "ooms", "dex", "log10") or words.startswith("orders of magnitude"):
        return "Write OOM/year."
    if found := re.search(r"\b(month|year)s?\b.*(doubl|halv)", text):
        return f"Write {found[1]}s/{found[2]}ing."
    return f"Growth is no amount: it says how often, by how much or in what time. Known: {', '.join(_NAMED)}."


_NAMED = (
    "x/year", "x/2 years", "%/year", "OOM/year", "ln/year", "months/doubling", "years/doubling", "months/halving",
    "years/halving", "months/halving of requirement", "years/halving of requirement",
)  # fmt: skip


@cache
def factor_between(text: str, other: str) -> float:
    """Find how many of another unit one of a unit is; UnitError where that is no matter of a factor."""
    rule, remedy = f"is in {text}, where the prior is in {other}.", f"State all of its numbers in {other}."
    growth = [_growth_or_none(each) for each in (text, other)]
    if None not in growth or text.startswith("log10(") or other.startswith("log10("):
        if growth[0] and growth[1] and growth[0].conversion == growth[1].conversion:
            return 1.0
        raise UnitError(rule, remedy)
    try:
        (first, in_logs), (second, logs) = parse_level_unit(text), parse_level_unit(other)
    except UnitError as error:
        raise UnitError(*((error.rule, error.remedy) if growth == [None, None] else (rule, remedy))) from None
    if first.dimension != second.dimension or in_logs or logs:
        raise UnitError(rule, remedy)
    return first.scale / second.scale


def _growth_or_none(text: str) -> GrowthUnit | None:
    try:
        return parse_growth_unit(text)
    except UnitError:
        return None


@cache
def _factor_per(text: str, span: float) -> GrowthUnit:
    meaning = f"a factor per {text.partition('/')[2]}: 2.4 means a rise by 140 %, 1 no growth, 0.7 a fall by 30 %."
    return GrowthUnit(text, _one(_Logarithm, 1.0, span), f"Growth is {meaning}")


def _time_per(text: str, per_year: float) -> GrowthUnit:
    span, _, what = text.partition("/")
    halves = what == "halving"
    doubled = math.log10(2.0) * per_year
    conversion = _one(_RisingReciprocal, -doubled) if halves else _one(_Reciprocal, doubled)
    does = "halves" if halves else "doubles"
    return GrowthUnit(text, conversion, f"Growth is the time in which the level {does}, in {span}.")


_GROWTH_UNITS: Mapping[str, GrowthUnit] = MappingProxyType({
    unit.text: unit
    for unit in (
        _factor_per("factor/year", 1.0),
        GrowthUnit("OOM/year", multiple(), "Growth is in orders of magnitude a year: 0.3 doubles a level.",
                   positive=False),
        GrowthUnit("ln/year", multiple(1.0 / _LN10), "Growth is in natural logs a year: 0.7 doubles a level.",
                   positive=False),
        GrowthUnit("%/year", _one(_Percent),
                   "Growth is in percent a year: 140 is a factor of 2.4; it must stay above -100.", positive=False),
        *(_time_per(f"{span}s/{what}", per_year)
          for what in _HALVES for span, per_year in (("month", 12.0), ("year", 1.0))),
    )
})  # fmt: skip
