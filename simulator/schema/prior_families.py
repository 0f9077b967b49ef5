"""Prior families: one record each, from which keys, faults, JSON Schema, fits, words and inference follow.

An installed package adds a family with one record, under the entry points `simulator.prior_families`:

    [project.entry-points."simulator.prior_families"]
    half-normal = "our_package.half_normal:FAMILY"

and in the one file of the record the class of its distributions and the function that fits them:

    @dataclass(frozen=True)
    class HalfNormal:                      # what `Distribution` asks for: support, ppf, cdf, logpdf; continuous
        sigma: float
        ...

    def fit(statement: Statement) -> HalfNormal:
        return HalfNormal(statement.parameters["sigma"])

    FAMILY = PriorFamily(
        "half-normal",
        "half normal",                     # in words: "half normal, median 2 (90 % 0.2 to 6)"
        (("sigma",), ("median",)),         # each set of keys that states one
        fit,
        HalfNormal,
        keys={"sigma": "Width of a half-normal prior."},
    )

A scenario then says `{family: half-normal, sigma: 2, unit: USD}`. The name of the entry point and of the record are
the same. A set of keys may hold keys of every prior (median, interval, quantiles, mean, sd, mode, lower, upper, alpha,
beta, shape, scale, df, location) and keys of the family's own, plain numbers, which `keys` names and explains. `fit`
gets a statement with one of these sets, its numbers finite, intervals in order and quantiles rising, and `positive`
where the quantity cannot be 0 or less; it raises FitError or ValueError where the numbers do not do. Without a `twin`
inference reads the quantile function from a table. Short forms (`uniform: [1, 2]`) are what is shipped alone: a file
is read without looking for what is installed, but where it names a family that is not shipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol, cast

from simulator.errors import Fault, number, shown
from simulator.registers import Register, attribute_at
from simulator.units import Array

type Points = tuple[tuple[float, float], ...]
"""Pairs of probability and value, increasing."""


class Distribution(Protocol):
    """Describe what the distributions of every prior family can do, for arrays of any shape.

    What `ppf` gives for one u depends on that u only. Where it reads a table, there is also `direct_ppf`, slower for
    many values.
    """

    def __hash__(self) -> int: ...

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and largest value."""
        ...

    def ppf(self, u: Array) -> Array:
        """Return the smallest x with cdf(x) >= u, for u in (0, 1)."""
        ...

    def cdf(self, x: Array) -> Array:
        """Return the probability of a value at or below x."""
        ...

    def logpdf(self, x: Array) -> Array:
        """Return the natural log of the density (of the mass, where a value has one); -inf outside the support."""
        ...


class FitError(ValueError):
    """Say why no family fits a statement: the key at fault, the rule with the numbers, and what to do."""

    def __init__(self, key: str, rule: str, remedy: str = "") -> None:
        super().__init__(f"{key}: {rule} {remedy}".strip())
        self.field = key
        self.rule = rule
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Statement:
    """Hold what is stated about one number: quantiles, moments or parameters, never a mixture of them.

    `interval` is (level, low, high), equal-tailed: half of 1 - level lies below low. `parameters` are the numbers that
    families have of their own, by key. `positive` says that the quantity cannot be 0 or less. Without a `family` the
    choice is left. `stated` are the keys that are stated, and `points` the stated quantiles, those of the median and
    the interval among them, by rising probability.
    """

    family: str | None = None
    median: float | None = None
    mean: float | None = None
    sd: float | None = None
    interval: tuple[float, float, float] | None = None
    quantiles: Points = ()
    parameters: Mapping[str, float] = field(default_factory=dict)
    positive: bool = False
    stated: tuple[str, ...] = field(init=False)
    points: Points = field(init=False)

    def __post_init__(self) -> None:
        given = [key for key in ("median", "mean", "sd", "interval") if getattr(self, key) is not None]
        quantiles = ("quantiles",) if self.quantiles else ()
        object.__setattr__(self, "stated", (*given, *quantiles, *self.parameters))
        points = list(self.quantiles)
        if not points and self.median is not None:
            points.append((0.5, self.median))
        if not self.quantiles and self.interval is not None:
            level, low, high = self.interval
            points = [(0.5 - 0.5 * level, low), *points, (0.5 + 0.5 * level, high)]
        object.__setattr__(self, "points", tuple(sorted(points) if self.quantiles else points))

    def __hash__(self) -> int:
        return hash((self.family, self.points, self.mean, self.sd, frozenset(self.parameters.items()), self.positive))


@dataclass(frozen=True, slots=True)
class PriorFamily:
    """Everything that is known of one family; functions and classes may be texts `module:attribute`, loaded when used.

    `words` name it where it is said what was understood. `ways` are the sets of keys that state one, `optional` keys
    that may stand beside any of them, `keys` the family's own with what each means. `fit` makes a distribution of a
    statement, and `kind` is the class of what it makes. `twin` adds it to the PyMC model whose context is open, from
    the name of the variable and the distribution. `positive` says that all its values are above 0. `short` are the
    keys that `name: [..]` stands for; `whole` is the one key that states the family without naming it.
    """

    name: str
    words: str
    ways: tuple[tuple[str, ...], ...]
    fit: Callable[[Statement], Distribution] | str
    kind: type | str
    twin: Callable[[str, Any], Any] | str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    positive: bool = False
    short: tuple[str, ...] = ()
    whole: str = ""


_CENTRED = (("mean", "sd"), ("median", "sd"), ("interval",), ("median", "interval"), ("quantiles",))
_THREE = (("median", "interval"), ("quantiles",))
_LIMITS = ("lower", "upper")
_PEAK = ("lower", "mode", "upper")
_DF = (("df", "interval"), ("df", "median", "interval"))
_CURVE = (("quantiles",), ("median", "interval"), ("interval",))
_FITS, _TWINS = "simulator.priors.fits:", "simulator.priors.twins:"
_SIMPLE, _FREE, _JOINED = (f"simulator.priors.{module}:" for module in ("families", "free_families", "composite"))

_SHIPPED = (
    PriorFamily("fixed", "fixed", (), "", f"{_SIMPLE}Fixed", f"{_TWINS}fixed", whole="value"),
    PriorFamily("normal", "normal", _CENTRED, f"{_FITS}fit_centred", f"{_SIMPLE}Normal", f"{_TWINS}normal"),
    PriorFamily("lognormal", "lognormal", _CENTRED, f"{_FITS}fit_centred", f"{_FREE}LogNormal", f"{_TWINS}lognormal",
                positive=True),
    PriorFamily("uniform", "uniform", (_LIMITS, ("interval",)), f"{_FITS}fit_uniform", f"{_SIMPLE}Uniform",
                f"{_TWINS}uniform", short=_LIMITS),
    PriorFamily("log-uniform", "log-uniform", (_LIMITS, ("interval",)), f"{_FITS}fit_uniform", f"{_FREE}LogUniform",
                f"{_TWINS}of_logs", positive=True, short=_LIMITS),
    PriorFamily("triangular", "triangular", (_PEAK,), f"{_FITS}fit_peaked", f"{_SIMPLE}Triangular",
                f"{_TWINS}triangular", short=_PEAK),
    PriorFamily("pert", "PERT", (_PEAK,), f"{_FITS}fit_peaked", f"{_SIMPLE}PERT", f"{_TWINS}pert", short=_PEAK),
    PriorFamily("beta", "beta", (("alpha", "beta"), ("mean", "sd"), ("interval",)), f"{_FITS}fit_beta",
                f"{_SIMPLE}Beta", f"{_TWINS}beta", optional=frozenset(_LIMITS)),
    PriorFamily("gamma", "gamma", (("shape", "scale"), ("mean", "sd"), ("interval",)), f"{_FITS}fit_gamma",
                f"{_SIMPLE}Gamma", f"{_TWINS}gamma", positive=True),
    PriorFamily("student-t", "Student t", (*_DF, ("df", "location", "scale")), f"{_FITS}fit_student",
                f"{_SIMPLE}StudentT", f"{_TWINS}student_t"),
    PriorFamily("log-student-t", "log Student t", _DF, f"{_FITS}fit_student", f"{_FREE}LogStudentT",
                f"{_TWINS}of_logs", positive=True),
    PriorFamily("skewed-normal", "skewed normal", _THREE, f"{_FITS}fit_skewed", f"{_SIMPLE}SkewedNormal"),
    PriorFamily("skewed-lognormal", "skewed lognormal", _THREE, f"{_FITS}fit_skewed",
                f"{_FREE}SkewedLogNormal", positive=True),
    PriorFamily("metalog", "metalog", _THREE, f"{_FITS}fit_metalog", f"{_FREE}Metalog", f"{_TWINS}metalog",
                optional=frozenset(_LIMITS)),
    PriorFamily("quantiles", "quantiles", _CURVE, f"{_FITS}fit_quantiles", f"{_FREE}Quantiles"),
    PriorFamily("discrete", "discrete", (), "", f"{_FREE}Discrete", f"{_TWINS}discrete", whole="discrete"),
    PriorFamily("empirical", "empirical", (), "", f"{_FREE}Empirical", whole="empirical"),
    PriorFamily("mixture", "mixture", (), "", f"{_JOINED}Mixture", f"{_TWINS}mixture", whole="mixture"),
    PriorFamily("function", "function", (), "", "", whole="function"),
    PriorFamily("input", "input", (), "", "", whole="input"),
)  # fmt: skip

SHIPPED: Mapping[str, PriorFamily] = MappingProxyType({family.name: family for family in _SHIPPED})
FAMILIES: Register[PriorFamily] = Register("prior family", "simulator.prior_families", SHIPPED, PriorFamily)


@cache
def fit_of(name: str) -> Callable[[Statement], Distribution]:
    """Load the function that makes a family's distributions of statements."""
    fit = FAMILIES.find(name).fit
    return cast("Callable[[Statement], Distribution]", attribute_at(fit))


@cache
def family_of(kind: type) -> PriorFamily | None:
    """Find the family whose distributions are of a class; None where there is none."""
    place = f"{kind.__module__}:{kind.__qualname__}"
    for family in SHIPPED.values():  # without looking at what is installed
        if family.kind == place:
            return family
    return next((family for _, family in FAMILIES.usable() if family.kind in (kind, place)), None)


SHORT_FORMS = {name: family.short for name, family in SHIPPED.items() if family.short}
SPANS = tuple(name for name, keys in SHORT_FORMS.items() if len(keys) == 2)
"""The short forms that give a lower and an upper end."""
_INTERVAL = re.compile(r"interval_([0-9]+(?:\.[0-9]+)?)")


def written_out(data: Mapping[Any, Any]) -> tuple[dict[Any, Any], list[Fault]]:
    """Write out a prior in its long form, and list what is wrong with it."""
    written: dict[Any, Any] = {}
    return written, [fault for key, value in data.items() for fault in _write_out(key, value, written)]


def _write_out(key: Any, value: Any, written: dict[Any, Any]) -> Iterator[Fault]:
    """Add an entry of a prior, in its long form, to those that are written."""
    if key == "interval" and not isinstance(value, Mapping):
        yield Fault((key,), "does not say its level.", f"Write for example interval_90: {_pair(value)}.")
    elif isinstance(key, str) and key.startswith("interval_"):
        yield from _interval(key, value, written)
    elif key in SHORT_FORMS:
        yield from _shorthand(key, value, written)
    elif key == "quantiles" and isinstance(value, list | tuple) and len(value) == 3:
        low, middle, high = map(shown, value)
        rule = f"must say of which probabilities they are; got {shown(value)}."
        yield Fault((key,), rule, f"Write for example {{0.05: {low}, 0.5: {middle}, 0.95: {high}}}.")
    elif key == "quantiles" and isinstance(value, Mapping):
        written[key] = {str(probability): quantile for probability, quantile in value.items()}
    else:
        written[key] = value


def _interval(key: str, value: Any, written: dict[Any, Any]) -> Iterator[Fault]:
    match = _INTERVAL.fullmatch(key)
    level = float(match[1]) / 100.0 if match else 0.0
    if not 0.0 < level < 1.0:
        said = re.search(r"[0-9]+(?:\.[0-9]+)?", key)
        named = said[0] if said and 0 < float(said[0]) < 100 else "90"
        yield Fault(
            (key,), "must name a level between 0 and 100 %.", f"Write for example interval_{named}: {_pair(value)}."
        )
    elif level < 0.01:
        rule = f"is an interval of {number(100 * level)} %."
        yield Fault((key,), rule, f"Write interval_{number(float(f'{1e4 * level:.12g}'))}: {_pair(value)}.")
    elif not _numbers(value, 2):
        remedy = "Write for example [1.6, 3.4]."
        if isinstance(value, str) and "(" in value:
            remedy = f"The key says the level already: {key}: {value.partition('(')[0].strip()}."
        yield Fault((key,), f"must be two numbers, [low, high]; got {shown(value)}.", remedy)
    elif "interval" in written:
        yield Fault((key,), "is a second interval.", "Keep one, or write all points as quantiles: {0.05: .., 0.5: ..}.")
    else:
        written["interval"] = {"level": level, "lower": value[0], "upper": value[1]}


def _shorthand(key: str, value: Any, written: dict[Any, Any]) -> Iterator[Fault]:
    keys = SHORT_FORMS[key]
    if not _numbers(value, len(keys)):
        yield Fault((key,), f"must be [{', '.join(keys)}]; got {shown(value)}.", f"Write {len(keys)} numbers.")
    else:
        written |= {"family": key, **dict(zip(keys, value, strict=True))}


def _numbers(value: Any, count: int) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == count
        and all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)
    )


def _pair(value: Any) -> str:
    return shown(value) if _numbers(value, 2) else "[low, high]"
