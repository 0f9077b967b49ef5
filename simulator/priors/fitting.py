"""From a statement (median and interval, mean and deviation, quantiles, parameters) to a prior family.

A statement that no member of the family fits is refused, with what was given and the ways out. Its numbers are finite
and its deviation is above 0: the schema sees to that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from simulator.errors import near_name, number
from simulator.priors.composite import Mixture, Truncated, WithNever, direct_quantiles
from simulator.priors.families import Fixed
from simulator.priors.fits import within_reach
from simulator.schema.prior_families import (
    FAMILIES,
    SHIPPED,
    Distribution,
    FitError,
    Points,
    PriorFamily,
    Statement,
    family_of,
    fit_of,
)
from simulator.units import Conversion
from simulator.wording import told_units


def fit_family(statement: Statement) -> Distribution:
    """Make the distribution that says exactly what was stated; FitError where the numbers contradict the family.

    A median that is not central (on the log scale, for a lognormal) gives the two-piece family through all points.
    """
    if statement.interval is not None:
        _check_interval(statement.interval, statement.median)
    if statement.quantiles:
        _check_quantiles(statement.points)
    name = family_name(statement)
    family = SHIPPED.get(name) or (FAMILIES.find(name) if name in FAMILIES else None)
    if family is None or not family.ways:
        known = [each for each, record in SHIPPED.items() if record.ways]
        raise FitError("family", f"no such family: {name!r}.", near_name(name, known))
    if family.positive:
        _check_positive(statement, family)
    _check_ways(statement, family)
    return fit_statement(replace(statement, family=name))


def fit_statement(statement: Statement) -> Distribution:
    """Make the distribution of a statement that names its family and was checked, or that moves the points of one."""
    name = str(statement.family)
    try:
        return fit_of(name)(statement)
    except FitError:
        raise
    except ValueError as error:  # a family refuses its parameters: its message names the rule and the value
        named = next((key for key in statement.stated if str(error).startswith(key)), "family")
        raise FitError(named, str(error), f"Change the numbers of the {name}.") from error


def family_name(statement: Statement) -> str:
    """Name the family of a statement: the one it names, else lognormal for a positive quantity, normal for others.

    Three quantiles too lopsided for that, and four or more, give a free curve (`quantiles`).
    """
    if statement.family:
        return statement.family
    points = statement.points
    numbers = [*(value for _, value in points), *([] if statement.mean is None else [statement.mean])]
    log_scale = statement.positive and all(value > 0 for value in numbers)
    if statement.quantiles and not (
        len(points) < 3 or (len(points) == 3 and within_reach(points, log_scale=log_scale))
    ):
        return "quantiles"
    return "lognormal" if log_scale else "normal"


def _check_interval(interval: tuple[float, float, float], median: float | None) -> None:
    level, low, high = interval
    shown = f"[{number(low)}, {number(high)}]"
    if not 0 < level < 1:
        rule = f"its level must lie between 0 and 100 %; got {number(100 * level)} %."
        raise FitError("interval", rule, "interval_90 means that 5 % lies below and 5 % above.")
    if low == high:
        raise FitError("interval", f"its ends must differ; got {shown}.", "For a fixed value write the number alone.")
    if low > high:
        raise FitError("interval", f"must go from low to high; got {shown}.", f"Write [{number(high)}, {number(low)}].")
    if median is not None and not low < median < high:
        rule = f"must bracket the median {number(median)}; got {shown}."
        raise FitError("interval", rule, "Widen the interval or move the median.")


def _check_quantiles(points: Points) -> None:
    if len(points) < 2:
        rule = f"at least two are needed; got one, {number(points[0][1])} at {number(points[0][0])}."
        remedy = "One quantile gives no width: add another, or write the number alone for a fixed value."
        raise FitError("quantiles", rule, remedy)
    for probability, _ in points:
        if not 0 < probability < 1:
            remedy = "0.05 means that 5 % lies below."
            if all(1 <= each < 100 for each, _ in points):  # in percent
                remedy = f"Write {{{', '.join(f'{number(each / 100)}: {number(at)}' for each, at in points)}}}."
            rule = f"probabilities must lie between 0 and 1; got {number(probability)}."
            raise FitError("quantiles", rule, remedy)
    for (first, low), (second, high) in pairwise(points):
        if first == second:
            raise FitError("quantiles", f"probability {number(first)} is stated twice.", "Keep one of them.")
        if low >= high:
            got = f"{number(low)} at {number(first)} and {number(high)} at {number(second)}"
            remedy = "The value at a probability is what that share of the outcomes lies below."
            raise FitError("quantiles", f"must increase with the probability; got {got}.", remedy)


def check_above_zero(statement: Statement) -> None:
    """Refuse quantiles at 0 or below of what cannot be 0: no family would do."""
    low = min((value for _, value in statement.points), default=1.0)
    if statement.positive and low <= 0:
        key = next(each for each in ("interval", "quantiles", "median") if each in statement.stated)
        remedy = "Write the low end as a small number above 0, or state quantiles without it: {0.5: .., 0.95: ..}."
        raise FitError(key, f"must be above 0: nothing of this kind is 0 or less; got {number(low)}.", remedy)


def _check_positive(statement: Statement, family: PriorFamily) -> None:
    remedy = f"A {family.name} has only values above 0. Use family: normal, or numbers above 0."
    candidates: list[tuple[str, float | None]] = [("median", statement.median), ("mean", statement.mean)]
    candidates += [("interval", statement.interval[1])] if statement.interval is not None else []
    candidates += [("quantiles", value) for _, value in statement.quantiles]
    if any("lower" in way for way in family.ways):
        candidates.append(("lower", statement.parameters.get("lower")))
    for key, value in candidates:
        if value is not None and value <= 0:
            raise FitError(key, f"must be above 0 for a {family.name}; got {number(value)}.", remedy)


def _check_ways(statement: Statement, family: PriorFamily) -> None:
    """Refuse a set of keys that does not state this family."""
    stated = [key for key in statement.stated if key not in family.optional]
    if any(set(stated) == set(way) for way in family.ways):
        return
    known = {key for way in family.ways for key in way}
    shown = "; ".join(" and ".join(way) for way in family.ways)
    got = ", ".join(stated) or "nothing"
    key = next((key for key in stated if key not in known), stated[0] if stated else "family")
    raise FitError(key, f"a {family.name} is not stated by {got}.", f"State one of: {shown}.")


@dataclass(frozen=True, slots=True)
class Understood:
    """What was read of a prior: its family (empty: one number), central 90 % and median, unit, mass at "never".

    The quantiles are those of the number given that there is one: of a prior with a mass at "never" they leave it out.
    `by` is the prior that settles it, `size` how many of the unit of the file the one has in which it is told.
    """

    shape: str
    low: float
    median: float
    high: float
    unit: str = ""
    never: float = 0.0
    by: str = ""
    size: float = 1.0

    @property
    def words(self) -> str:
        """Say it for readers."""
        if self.shape:
            rounding = min(1e-15 * abs(self.median), 1e-12)  # what is left of a stated 0
            ends = (0.0 if abs(each) < rounding else each for each in (self.low, self.median, self.high))
            low, median, high = map(three_digits, ends)
            value = f"{self.shape}, median {median} (90 % {low} to {high})"
        else:
            value = number(self.median)
        given = f"{GIVEN}, never with {100 * self.never:.3g} %" if self.never else ""
        settled = f"by {self.by}" if self.by and not self.shape else ""
        return " ".join(filter(None, [value, self.unit, given, settled]))


GIVEN = "given that it happens"
"""How numbers are marked that leave a mass at "never" out."""


type Asked = tuple[Distribution, str, str, str, Conversion | None]
"""What is asked of a prior so that it is told: its family, in the unit of the file; that unit; the prior that settles
it, if any; how its family is named then; the conversion that led to the scale of the family, if that is another."""


def understood(asked: Sequence[Asked]) -> list[Understood]:
    """Tell what was read of priors.

    A base unit that the file states becomes the one in which people tell so much: million USD for USD.
    """
    families = [family.base if isinstance(family, WithNever) else family for family, *_ in asked]
    drawn = iter(direct_quantiles([each for each in families if not isinstance(each, Fixed)], _TOLD_AT))
    numbers: list[list[float]] = []
    for family, (*_, conversion) in zip(families, asked, strict=True):
        read = [family.value] * 3 if isinstance(family, Fixed) else next(drawn).tolist()
        numbers.append(read if conversion is None else sorted(conversion.inverse(np.array(read)).tolist()))
    logs = [math.log10(median) if median > 0 else -math.inf for _, median, _ in numbers]
    told = told_units(list(zip(logs, [unit for _, unit, *_ in asked], strict=True)))
    result = []
    for (whole, _, of, word, _), family, read, (log_size, unit) in zip(asked, families, numbers, told, strict=True):
        size = 10.0**log_size
        low, median, high = (each / size for each in read)
        shape = "" if isinstance(family, Fixed) else word or _words(family, size)
        never = whole.probability if isinstance(whole, WithNever) else 0.0
        result.append(Understood(shape, low, median, high, unit, never, of, size))
    return result


def in_words(asked: Sequence[Asked]) -> list[str]:
    """Tell what was read of priors, for readers."""
    return [each.words for each in understood(asked)]


_TOLD_AT = np.array([0.05, 0.5, 0.95])


def three_digits(value: float) -> str:
    """Write three digits, or five from 1000 to 9999, where a year is told apart from the next."""
    if 9999.5 <= abs(value) < 999_500:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.5g}" if 999.5 <= abs(value) < 9999.5 else f"{value:.3g}"


def _words(family: Distribution, size: float = 1.0) -> str:
    """Name a family; its bounds are told in a unit of so many of its own."""
    if isinstance(family, Truncated):
        bounds = (("above", family.lower), ("below", family.upper))
        ends = {word: end / size for word, end in bounds if math.isfinite(end)}
        if len(ends) == 2:
            return "{} from {} to {}".format(_words(family.base), *map(three_digits, ends.values()))
        return " ".join([_words(family.base), *(f"{word} {three_digits(end)}" for word, end in ends.items())])
    if isinstance(family, Mixture):
        return f"mixture of {len(family.components)}"
    record = family_of(type(family))
    return record.words if record else type(family).__name__
