"""The named joint prior of a scenario: each prior on the internal scale, and their rank correlations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from simulator import units
from simulator.errors import Fault, Path, dotted, number
from simulator.priors.composite import EXTREMES, EmptyTruncation, Mixture, Truncated, WithNever, carried_over
from simulator.priors.dependence import (
    CopulaGroup,
    Dependence,
    Use,
    chained,
    copula_groups,
    dependence,
    reference_faults,
)
from simulator.priors.families import Fixed, Normal
from simulator.priors.fitting import Asked, Understood, check_above_zero, fit_family, in_words, understood
from simulator.priors.free_families import Discrete, Empirical
from simulator.priors.scales import Scale, beyond_scale, nears_zero, scale_of
from simulator.priors.truncation import fit_truncated
from simulator.schema.base import Faults
from simulator.schema.hints import with_number
from simulator.schema.prior_families import SHORT_FORMS, Distribution, FitError, Statement
from simulator.schema.prior_names import Slot, SlotKind, input_path, slots, unit_asked, units_asked
from simulator.schema.spec import Correlation, ScenarioSpec
from simulator.schema.statements import PARAMETERS, Prior
from simulator.units import Array
from simulator.wording import BEYOND

_KIND_OF: Mapping[str, SlotKind] = {"OOM/year": "rate", "year": "date", "years": "duration", "1": "number"}
_ANY = Normal(0.0, 1.0)
"""What stands in for a prior that cannot be made."""


@dataclass(frozen=True, slots=True)
class NamedPrior:
    """One prior of a scenario on the internal scale.

    `unit` is that of the internal numbers: `log10(USD)`, `OOM/year`, `year`, `years` or `1`; `stated` is the same
    prior in the unit of the file, where it is no mixture; `middle` the median, if that is known. A function of another
    prior has that one's name in `of`, and so has a use of an input (`is_use`), whose `prior` is that of the input.
    """

    name: str
    family: Distribution
    unit: str
    prior: Prior
    stated: Distribution
    of: str = ""
    is_use: bool = False
    middle: float | None = None

    @property
    def median(self) -> float:
        """The median on the internal scale; +inf is never."""
        return float(self.family.ppf(np.array([0.5]))[0]) if self.middle is None else self.middle

    @property
    def stated_unit(self) -> str:
        """The unit in which it is told: that of the file, else that of its place; empty of a date or plain number."""
        unit = self.prior.unit or self.prior.own_unit
        unit = unit or ("" if self.unit in ("1", "year") else units.file_unit(self.unit))
        return "" if unit == "1" else unit

    @property
    def asked(self) -> Asked:
        """What is asked of it so that it is told."""
        conversion = None
        if self.prior.mixture is not None and not self.of:  # which is stated on the internal scale
            unit = self.prior.own_unit or units.file_unit(self.unit)
            conversion = scale_of(_KIND_OF.get(self.unit, "level"), None, unit, False).conversion
        of = "" if isinstance(self.stated, WithNever) else self.of
        shape = self.of.replace("inputs.", "input ") if self.is_use else f"function of {of}" if of else ""
        return self.stated, self.stated_unit, of, shape, conversion

    @property
    def read(self) -> Understood:
        """What was read, in numbers: only when asked for, since quantiles have to be found for them."""
        return understood([self.asked])[0]

    @property
    def understood(self) -> str:
        """What was read, in words for readers."""
        return self.read.words

    @property
    def value(self) -> float | None:
        """The number, where it is fixed."""
        return self.family.value if isinstance(self.family, Fixed) else None


@dataclass(frozen=True, slots=True)
class JointPrior:
    """All priors of a scenario by name, their rank correlations, and the groups that a Gaussian copula joins.

    A correlation with a fixed number says nothing, as that has no rank, and is left out.
    `functions` holds those that are a function of another one or use an input, each after what it follows; the `family`
    of a function is what comes of the other's spread, to a thousandth, and its draws are computed from the other's.
    """

    priors: Mapping[str, NamedPrior]
    groups: tuple[CopulaGroup, ...] = ()
    functions: Mapping[str, Dependence | Use] = field(default_factory=dict)
    correlations: tuple[Correlation, ...] = ()
    streams: Mapping[str, str] = field(default_factory=dict)
    """The names by which the draws of those are keyed that were renamed, by name."""

    @property
    def uncertain(self) -> tuple[str, ...]:
        """The names of the priors that are drawn: neither fixed nor a function of another."""
        return tuple(
            name
            for name, prior in self.priors.items()
            if name not in self.functions and not isinstance(prior.family, Fixed)
        )

    def understood(self) -> dict[str, str]:
        """What was read of each prior, in words for readers."""
        return dict(zip(self.priors, in_words([prior.asked for prior in self.priors.values()]), strict=True))


def joint_prior(spec: ScenarioSpec, *, more: Sequence[Slot] = ()) -> JointPrior:
    """Make the joint prior of a scenario; Faults where a prior or the correlations cannot be what they say.

    `more` are priors beside those of the scenario, such as its actors' own.
    """
    priors: dict[str, NamedPrior] = {}
    every = {slot.name: slot for slot in (*slots(spec), *more)}
    alone = [slot for slot in every.values() if not _followed(slot.prior)]
    asked, faults = units_asked(alone), list[Fault]()
    for slot in alone:
        try:
            priors[slot.name] = _named(slot, asked)
        except Faults as error:
            faults += error.faults
    functions, function_faults = _functions(every, priors)
    fixed = {name for name, prior in priors.items() if prior.value is not None}
    uses = {name: function.of for name, function in functions.items()}
    families = {name: priors[name].family if name in priors else _ANY for name in every}
    streams = {name: slot.stream for name, slot in every.items() if slot.drawn}
    groups, copula_faults = copula_groups(
        spec.correlations, families=families, fixed=fixed, functions=uses, streams=streams
    )
    if faults or function_faults or copula_faults:
        raise Faults([*faults, *function_faults, *copula_faults])
    stated = tuple(each for each in spec.correlations if fixed.isdisjoint(each.between))
    return JointPrior({name: priors[name] for name in every}, groups, functions, stated, streams)


def _functions(
    every: Mapping[str, Slot], priors: dict[str, NamedPrior]
) -> tuple[dict[str, Dependence | Use], Sequence[Fault]]:
    """Add the priors that follow others to those that do not; of a fixed number they are fixed."""
    uses = {name: of for name, slot in every.items() if (of := _followed(slot.prior))}
    ends = {name: ("input",) if every[name].prior.input else ("function", "of") for name in uses}
    faults = list(reference_faults(uses, {name: (*every[name].path, *end) for name, end in ends.items()}, list(every)))
    result: dict[str, Dependence | Use] = {}
    for name in chained(uses)[0]:
        slot, other = every[name], every.get(uses[name])
        if slot.path[0] == "inputs" and slot.prior.input is not None:
            rule = "is another input: an input states its own numbers."
            faults.append(Fault((*slot.path, "input"), rule, "Use the other one in its place."))
            continue
        if other is None or other.name not in priors:
            continue  # the fault is in what it follows
        try:
            if slot.prior.function is not None:
                followed: Dependence | Use = dependence(
                    slot.prior.function, slot.path, other=_own_scale(other), own=_own_scale(slot)
                )
                priors[name] = _following(slot, followed, priors[other.name])
            else:
                followed = _use(slot, other)
                priors[name] = _using(slot, followed, priors[other.name])
        except Faults as error:
            faults += error.faults
            continue
        if not isinstance(priors[name].family, Fixed):
            result[name] = followed
    return result, faults


def _followed(prior: Prior) -> str:
    """Name the prior that another one follows; empty for one that is drawn."""
    if prior.function is not None:
        return prior.function.of
    return "" if prior.input is None else dotted(input_path(prior.input))


def _following(slot: Slot, function: Dependence | Use, other: NamedPrior) -> NamedPrior:
    """Make the prior that comes of another's spread, to a thousandth."""
    scale, base = function.own, other.family
    if isinstance(function, Use) and isinstance(base, WithNever):
        base = base.base
    spread = function(base.ppf(np.clip(np.linspace(0.0, 1.0, 1001), 5e-4, 1.0 - 5e-4)))
    in_file = scale.conversion.inverse(spread)
    made: list[Distribution] = [Fixed(float(spread[0])), Fixed(round(float(in_file[0]), 12))]
    if spread.min() < spread.max():
        made = [Empirical(tuple(each.tolist())) for each in (spread, in_file)]
    if isinstance(other.family, WithNever) and base is not other.family:
        made = [WithNever(each, other.family.probability) for each in made]
    return NamedPrior(slot.name, made[0], scale.unit, slot.prior, made[1], other.name)


def _use(slot: Slot, other: Slot) -> Use:
    """Make the use of an input at a place, where its unit is one that does."""
    try:
        return Use(other.name, _own_scale(other), _own_scale(slot))
    except Faults as error:
        does_not = f"{other.name} does not do here: "
        raise Faults(
            [Fault((*slot.path, "input"), does_not + each.rule, each.remedy) for each in error.faults]
        ) from None


def _using(slot: Slot, use: Use, other: NamedPrior) -> NamedPrior:
    """Make the prior of a place that uses an input: that of the input, on the scale of the place."""
    path, same_numbers = (*slot.path, "input"), use.own.conversion == use.other.conversion
    if not use.same and slot.prior.unit != other.prior.unit:
        rule = f"is stated in {slot.prior.unit or 'no unit'}; {use.of} is in {other.prior.unit or 'no unit'}."
        raise Faults([Fault((*slot.path, "unit"), rule, "Remove unit: it is that of the input.")])
    ends = use(other.family.ppf(EXTREMES))
    if np.isnan(ends).any() or np.isneginf(ends).any():
        rule = f"must stay above {number(use.own.least)} here; {use.of} reaches that or less."
        raise Faults([Fault(path, rule, "Truncate the input, or state its family: lognormal.")])
    if fault := _reach_fault(slot.kind, path, ends, use.own.unit):
        raise Faults([fault])
    made = other if use.same and same_numbers else _following(slot, use, other)
    family, stated = other.family if use.same else made.family, other.stated if same_numbers else made.stated
    prior = other.prior.model_copy(update={"unit": slot.prior.unit})
    return NamedPrior(slot.name, family, use.own.unit, prior, stated, other.name, is_use=True)


def _own_scale(slot: Slot) -> Scale:
    """Find the scale of a prior's numbers, and ask for their unit."""
    if fault := unit_asked(slot, slot.path, slot.prior, slot.prior.own_unit):
        raise Faults([fault])
    return _scale(slot, slot.path, slot.prior, slot.prior.own_unit)


def named_prior(slot: Slot) -> NamedPrior:
    """Put one prior on the internal scale; Faults where its unit or its numbers do not do, or it reaches beyond."""
    return _named(slot, units_asked([slot]))


def _named(slot: Slot, asked: Mapping[Path, Fault]) -> NamedPrior:
    family, stated, unit, middle = _internal(slot, slot.prior, (), slot.prior.unit, asked)
    if slot.prior.never is not None:
        if not slot.never:
            part = slot.path[0] == "thresholds" and slot.kind != "delay"
            rule = "cannot stand on a part of a level." if part else "goes with thresholds only."
            raise Faults([Fault((*slot.path, "never"), rule, "Remove never.")])
        family, stated, middle = WithNever(family, slot.prior.never), WithNever(stated, slot.prior.never), None
    return NamedPrior(slot.name, family, unit, slot.prior, stated, middle=middle)


def _internal(
    slot: Slot, prior: Prior, below: Path, unit: str | None, asked: Mapping[Path, Fault]
) -> tuple[Distribution, Distribution, str, float | None]:
    """Make a prior's family on the internal scale and in the unit of the file; with the former's unit and median."""
    path = (*slot.path, *below)
    if prior.mixture is not None:
        family, label = _mixture(slot, prior, below, unit, asked)
        return family, family, label, None
    if path in asked:
        raise Faults([asked[path]])
    scale = _scale(slot, path, prior, unit)
    base, (family, ends) = _family(prior, path, scale)
    if not np.isfinite(ends).all() or (scale.conversion.reciprocal and nears_zero(base)):
        rule, remedy = beyond_scale(base, scale)
        raise Faults([Fault(path, rule, f"{scale.meaning}\n{remedy}".strip())])
    if fault := _reach_fault(slot.kind, path, ends, scale.unit):
        raise Faults([fault])
    return family, base, scale.unit, float(ends[ends.size // 2])


_MOST: Mapping[str | int, float] = {"multiplier": 100.0}
"""The log10 of the most, or of its inverse, that a prior at a place may reach; growth may reach that of a number."""


def _reach_fault(kind: SlotKind, path: Path, ends: Array, unit: str) -> Fault | None:
    """Say that a deviation or a span of time falls below 0, or growth leads beyond all numbers; None where not.

    `ends` are the quantiles of a prior at `EXTREMES`, or its one value, in the internal unit.
    """
    if kind in ("drift", "duration", "delay") and ends[0] < 0:
        what = "a standard deviation" if kind == "drift" else "a span of time"
        remedy = "Use family: lognormal, or truncate it: truncated: [0, null]."
        return Fault(path, f"is {what} and must not fall below 0.", remedy)
    most = _MOST.get(path[-1], BEYOND if unit == "OOM/year" else math.inf)
    seldom = ends.size // 4  # one in a million
    far = 0.0 if most == math.inf else float(max(ends[seldom], ends[-1 - seldom], key=abs))
    if abs(far) <= most:
        return None
    rule = f"reaches 10^{far:.3g} times{' a year' * (unit == 'OOM/year')}; 10^{most:g} or its inverse is the most."
    return Fault(path, rule, "Write other numbers, or truncate it.")


def _mixture(
    slot: Slot, prior: Prior, below: Path, unit: str | None, asked: Mapping[Path, Fault]
) -> tuple[Distribution, str]:
    """Make a mixture on the internal scale, with its unit; one part at fault hides no fault of another."""
    path = (*slot.path, *below)
    faults: list[Fault] = []
    parts: list[tuple[float, Distribution, str]] = []
    for index, part in enumerate(prior.mixture or ()):
        try:
            if part.function is None and part.input is None:
                family, _, label, _ = _internal(slot, part, (*below, "mixture", index), part.unit or unit, asked)
                parts.append((part.weight, family, label))
        except Faults as error:
            faults += error.faults
        if part.never is not None:
            rule = "cannot stand on one part of a mixture."
            faults.append(Fault((*path, "mixture", index, "never"), rule, "Write never beside mixture, for the whole."))
        for key, whole in (("function", "prior a function"), ("input", "mixture the input")):
            if getattr(part, key) is not None:
                rule, remedy = "cannot be a part of a mixture.", f"Make the whole {whole}."
                faults.append(Fault((*path, "mixture", index, key), rule, remedy))
    if prior.truncated is not None:
        faults.append(Fault((*path, "truncated"), "cannot stand on a mixture.", "Truncate its parts."))
    kinds = sorted({units.plain_unit(label) for _, _, label in parts})
    if len(kinds) > 1:
        rule = f"mixes units: {', '.join(kinds)}."
        faults.append(Fault((*path, "mixture"), rule, "State every part in the same kind of unit."))
    if faults:
        raise Faults(faults)
    weights, families, labels = zip(*parts, strict=True)
    return Mixture(weights, families), labels[0]


def _scale(slot: Slot, path: Path, prior: Prior, unit: str | None) -> Scale:
    """Find the scale of a slot's numbers that are stated in a unit."""
    fixed = slot.kind == "delay" and slot.prior.value is not None  # 0 is a delay
    try:
        return scale_of(slot.kind, slot.unit, unit, fixed)
    except units.UnitError as error:
        raise Faults([Fault((*path, "unit"), error.rule, with_number(error.remedy, prior.value))]) from None


type _Made = tuple[Distribution, tuple[Distribution, Array]]


def _family(prior: Prior, path: Path, scale: Scale) -> _Made:
    """Make the family of a prior that is no mixture in the units of the file, and carry it over (`carried_over`)."""
    bounds = _bounds(prior, path)
    try:
        if prior.value is not None and scale.positive and prior.value <= 0:
            raise FitError("value", f"must be above 0; got {number(prior.value)}.", "Write a positive number.")
        if prior.value is not None and not prior.truncated:
            return _fixed(prior.value, scale.conversion)
        if (family := _single(prior)) is None:
            cut = bounds if prior.truncated else None
            return _fitted(_stated(prior, positive=scale.positive), cut, scale.conversion)
        family = Truncated(family, *bounds) if prior.truncated else family
        return family, carried_over(family, scale.conversion)
    except FitError as error:
        remedy = f"{scale.meaning}\n{_in_keys_of_file(prior, error.remedy)}".strip()
        raise Faults([Fault((*path, *_field(prior, error.field)), error.rule, remedy)]) from None
    except EmptyTruncation as error:
        first, last = error.base.ppf(np.array([0.001, 0.999])).tolist()
        rule = f"leaves nothing: the prior lies between {first:.4g} and {last:.4g} (99.8 %)."
        raise Faults([Fault((*path, "truncated"), rule, "Move the bounds.")]) from None
    except ValueError as error:
        raise Faults([Fault(path, str(error), scale.meaning)]) from None


@lru_cache(maxsize=1024)
def _fixed(value: float, conversion: units.Conversion) -> _Made:
    family = Fixed(value)
    return family, carried_over(family, conversion)


@lru_cache(maxsize=1024)
def _fitted(stated: tuple[Any, ...], bounds: tuple[float, float] | None, conversion: units.Conversion) -> _Made:
    """Find the distribution of what is `_stated`, and carry it over; once for all scenarios that are read."""
    family, median, mean, sd, interval, quantiles, parameters, positive = stated
    statement = Statement(family, median, mean, sd, interval, quantiles, dict(parameters), positive)
    check_above_zero(statement)
    made = fit_family(statement) if bounds is None else fit_truncated(statement, *bounds)
    return made, carried_over(made, conversion)


def _in_keys_of_file(prior: Prior, remedy: str) -> str:
    """Name the keys that a file writes, where the fit speaks of its own."""
    if remedy.startswith("State one of: "):
        return remedy.replace("interval", "interval_90")
    if remedy.startswith("Change the numbers of") and prior.family in SHORT_FORMS:
        return f"Write {', '.join(SHORT_FORMS[prior.family])} in rising order."
    return remedy


def _bounds(prior: Prior, path: Path) -> tuple[float, float]:
    low, high = prior.truncated or (None, None)
    if low is not None and high is not None and low >= high:
        rule = f"must go from low to high; got [{number(low)}, {number(high)}]."
        raise Faults([Fault((*path, "truncated"), rule, "Sort the bounds; null leaves a side open.")])
    return -math.inf if low is None else low, math.inf if high is None else high


def _single(prior: Prior) -> Distribution | None:
    """Make the family of a prior that states values one by one; None of one that has to be fitted."""
    if prior.value is not None:
        return Fixed(prior.value)
    if prior.discrete is not None:
        return Discrete(prior.discrete.values, prior.discrete.weights)
    return None if prior.empirical is None else Empirical(prior.empirical.values)


def _stated(prior: Prior, *, positive: bool) -> tuple[Any, ...]:
    """List the fields of the `Statement` that a prior makes."""
    within = prior.interval
    interval = None if within is None else (within.level, within.lower, within.upper)
    quantiles = tuple(sorted((_probability(key), value) for key, value in (prior.quantiles or {}).items()))
    parameters = *((key, getattr(prior, key)) for key in PARAMETERS), *(prior.own or {}).items()
    own = tuple(each for each in parameters if each[1] is not None)
    return prior.family, prior.median, prior.mean, prior.sd, interval, quantiles, own, positive


def _probability(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        percent = text.strip().removesuffix("%").strip()
        said = number(float(percent) / 100) if percent.replace(".", "", 1).isdigit() else "0.05"
        raise FitError("quantiles", f"'{text}' is not a probability.", f"Write for example {said}: 2.") from None


def _field(prior: Prior, field: str) -> tuple[str, ...]:
    """Name the key in the file that a fault of the fit is about."""
    if field == "interval" and prior.interval is not None:
        return (f"interval_{number(round(prior.interval.level * 100, 9))}",)
    if prior.family in SHORT_FORMS and field in SHORT_FORMS[prior.family]:
        return (prior.family,)
    given = {key for key in Prior.model_fields if getattr(prior, key) is not None} | set(prior.own or ())
    return (field,) if field in given else ()
