"""A prior that is moved, widened or given another family: stated anew, as a file would state it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from simulator.errors import Fault, number
from simulator.priors.composite import Mixture, Truncated, WithNever
from simulator.priors.joint import NamedPrior, named_prior
from simulator.priors.scales import scale_of
from simulator.scenario.layers import DIFFERENCES, text_keys
from simulator.schema.amounts import prior_in_words, written_in_numbers
from simulator.schema.base import Faults
from simulator.schema.prior_families import FAMILIES, SHIPPED, SHORT_FORMS, Distribution, family_of
from simulator.schema.prior_names import Slot
from simulator.schema.statements import PROVENANCE_KEYS, Prior, stating_keys
from simulator.units import Array

_FREE = ("quantiles", "metalog", "discrete", "empirical", "mixture")
"""Families that keep the ratios of their numbers where these are positive."""
_BOUNDED = ("quantiles", "metalog", "beta")
"""Families with bounds that are stated apart from their quantiles."""
_BESIDE = ("truncated", "never")
"""What bounds a prior, whatever its family."""
_ROUNDS, _ROOTS, _AMONG = 3, 6, 65
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Move:
    """From the numbers of a prior to those of the prior that is moved and widened about its median."""

    old: float
    new: float
    width: float
    keeps_ratios: bool
    in_log: bool

    def __call__(self, stated: float) -> float:
        """Move a number; the least digits are dropped, and what stays put is exact."""
        if self.old == self.new and self.width == 1.0:
            return stated
        if self.in_log:
            return plain(self.new * _power(stated / self.old, self.width))
        return plain(self.new + self.scale * (stated - self.old))

    @property
    def scale(self) -> float:
        """By how much differences from the median grow."""
        return self.width * (self.new / self.old if self.keeps_ratios else 1.0)


def _power(base: float, exponent: float) -> float:
    try:
        return math.exp(exponent * math.log(base)) if base > 0 else math.nan
    except OverflowError:
        return math.inf


def plain(computed: float) -> float:
    """Drop the digits that computing adds."""
    return float(f"{computed:.12g}")


def base_of(family: Distribution) -> Distribution:
    """Give the numbers of a prior without its mass at "never"."""
    return family.base if isinstance(family, WithNever) else family


def family_name(prior: NamedPrior) -> str:
    """Name the family of a prior as a file names it; of an installed one that is not found, its class."""
    family = base_of(prior.stated)
    family = family.base if isinstance(family, Truncated) else family
    record = family_of(type(family))
    return record.name if record else type(family).__name__


def quantiles(prior: NamedPrior, levels: Sequence[float]) -> list[float]:
    """Give quantiles of a prior in its unit, of the numbers given that there is one."""
    family, conversion, among = base_of(prior.stated), prior.asked[-1], np.array(levels)
    if conversion is not None and conversion.falling:
        among = 1.0 - among
    found = family.ppf(among)  # of a mixture on the internal scale
    return list(map(float, found if conversion is None else conversion.inverse(found)))


def below(prior: NamedPrior) -> Callable[[Array], Array]:
    """Give what tells the probability of a number in the unit of a prior or of less (or more, where growth halves)."""
    conversion, family = prior.asked[-1], base_of(prior.stated)
    return family.cdf if conversion is None else lambda numbers: family.cdf(conversion.forward(numbers))


def keeps_ratios(prior: NamedPrior) -> bool:
    """Tell whether a prior that is moved keeps the ratios of its quantiles, or else their differences."""
    if prior.unit == "year" or prior.stated_unit in DIFFERENCES:
        return False
    return quantiles(prior, [0.005])[0] > 0


def in_log(prior: NamedPrior) -> bool:
    """Tell whether a prior is widened in the log."""
    record = SHIPPED.get(family_name(prior))
    return keeps_ratios(prior) and record is not None and (record.positive or record.name in _FREE)


@cache
def _stated_by_points() -> tuple[str, ...]:
    """List the families that median and interval state."""
    ways = {"median", "interval"}
    return tuple(name for name, family in FAMILIES.usable() if any({*way} == ways for way in family.ways))


def families_for(prior: NamedPrior, slot: Slot) -> list[str]:
    """List the families that the same median and interval can state, its own first; without a choice only that."""
    own = family_name(prior)
    if own in ("mixture", "discrete"):
        return [own]
    low, median, high = quantiles(prior, [0.05, 0.5, 0.95])
    kept = {key: value for key in ("unit", "truncated") if (value := getattr(prior.prior, key)) is not None}
    found = [own]
    for name in _stated_by_points():
        stated = {"family": name, "median": median, "interval_90": [low, high], **kept}
        try:
            named_prior(replace(slot, prior=Prior.read(stated)))
        except Faults:
            continue
        found.append(name)
    return list(dict.fromkeys(found))


def bounds_of(prior: NamedPrior) -> tuple[float, float]:
    """Give the bounds that stay where they are when a prior moves, in its unit."""
    family, stated = base_of(prior.stated), prior.prior
    if isinstance(family, Truncated):
        return family.lower, family.upper
    low, high = (stated.lower, stated.upper) if family_name(prior) in _BOUNDED else (None, None)
    return -math.inf if low is None else low, math.inf if high is None else high


def as_data(stated: Any) -> dict[str, Any]:
    """Write a prior in its long way: a bare number, or one with its unit, as a value."""
    if isinstance(stated, Mapping):
        return dict(written_in_numbers(stated)[0])
    read = prior_in_words(stated) if isinstance(stated, str) else None
    return dict(read[0]) if read else {"value": stated}


def restated(
    stated: Any,
    prior: NamedPrior,
    slot: Slot,
    *,
    median: float | None = None,
    width: float = 1.0,
    family: str | None = None,
) -> dict[str, Any]:
    """State a prior anew with another median, width or family; what was said of where its numbers come from is gone.

    `stated` is how the scenario says it, with the entries of the library written out; bounds stay where they are.
    """
    data = as_data(stated)
    old = float(data["median"]) if "median" in data else quantiles(prior, [0.5])[0]
    move = Move(old, old if median is None else median, width, keeps_ratios(prior), in_log(prior))
    if move.keeps_ratios and not move.new > 0:
        rule = f"must be above 0; got {number(move.new)}."
        raise Faults([Fault((), rule, "The prior keeps the ratios of its quantiles.")])
    if family is not None and family != family_name(prior):
        return _of_family(bare(data), prior, family, move)
    return _moved(data, prior, slot, move)


def bare(data: Mapping[str, Any]) -> dict[str, Any]:
    """Leave what a prior says without where its numbers come from."""
    return {key: value for key, value in data.items() if key not in (*PROVENANCE_KEYS, "prior")}


def _moved(data: dict[str, Any], prior: NamedPrior, slot: Slot, move: Move) -> dict[str, Any]:
    if move.old == move.new and move.width == 1.0:
        return data
    data = bare(data)
    if "mixture" in data:
        with np.errstate(all="ignore"):  # what leads beyond all numbers is refused where it is read
            return _mixture(data, prior, slot, move)
    for way in (_fixed, _points, _ends, _values):
        if (found := way(data, move)) is not None:
            return found
    return _moments(data, prior, move) or _quantiles(data, prior, move)


def parts_in(slot: Slot) -> list[tuple[Slot, float]]:
    """List the places of the parts of a mixture with their weights; a part without a unit has that of the whole."""
    prior, found = slot.prior, list[tuple[Slot, float]]()
    for index, part in enumerate(prior.mixture or ()):
        own = part.model_copy(update={"unit": part.unit or prior.unit})
        found.append((replace(slot, path=(*slot.path, "mixture", index), prior=own, asks=False), part.weight))
    return found


def _mixture(data: Mapping[str, Any], prior: NamedPrior, slot: Slot, move: Move) -> dict[str, Any]:
    """Move a mixture; widening each part by itself moves the median of the whole a little, which is brought back."""
    wanted, aimed = move.new, move
    for _ in range(_ROUNDS):
        moved = {**data, "mixture": _parts(data["mixture"], prior, slot, aimed)}
        if move.width == 1.0:
            break
        found = _middle(named_prior(replace(slot, prior=Prior.read(text_keys(moved)))))
        if abs(found - wanted) <= 1e-3 * abs(wanted):
            break
        nearer = aimed.new * wanted / found if move.keeps_ratios else aimed.new + wanted - found
        aimed = replace(aimed, new=plain(nearer))
    return moved


def _middle(prior: NamedPrior) -> float:
    """Give the median of a mixture by its distribution function: its table of quantiles takes ten times as long."""
    family, conversion = base_of(prior.stated), prior.asked[-1]
    parts = family.components if isinstance(family, Mixture) else (family,)
    ends = np.sort([float(part.ppf(np.array(0.5))) for part in parts])[[0, -1]]
    for _ in range(_ROOTS):
        among = np.linspace(ends[0], ends[1], _AMONG)
        place = int(np.clip(np.searchsorted(family.cdf(among), 0.5), 1, _AMONG - 1))
        ends = among[place - 1 : place + 1]
    return float(ends[1] if conversion is None else conversion.inverse(ends[1]))


def _parts(stated: Sequence[Any], prior: NamedPrior, slot: Slot, move: Move) -> list[Any]:
    """Move the parts of a mixture with the whole: on the internal scale all in the same way, their bounds with them.

    Growth is shifted, as factors a year are multiplied; where a part is stated as the time of a doubling, or nothing
    is a growth, a level or a date, the ratios are kept.
    """
    places = [place for place, _ in parts_in(slot)]
    conversions = [scale_of(slot.kind, slot.unit, place.prior.own_unit, False).conversion for place in places]
    whole = prior.asked[-1] or conversions[0]
    old, new = (float(whole.forward(np.array(each))) for each in (move.old, move.new))
    by_ratio = (any(each.reciprocal for each in conversions) or prior.unit == "1") and old * new > 0
    moved = []
    for each, place, conversion in zip(stated, places, conversions, strict=True):
        part = named_prior(place)
        middle = quantiles(part, [0.5])[0]
        at = float(conversion.forward(np.array(middle)))
        by_power = by_ratio and at / old > 0
        towards = new * _power(at / old, move.width) if by_power else new + move.width * (at - old)
        stretch = new / old if by_ratio and prior.unit == "OOM/year" and not conversion.reciprocal else 1.0
        to = plain(float(conversion.inverse(np.array(towards))))
        own = Move(middle, to, move.width * stretch, keeps_ratios(part), in_log(part))
        data = _moved(as_data(each), part, place, own)
        bounds = [None if end is None else own(float(end)) for end in data.get("truncated", ())]
        moved.append({**data, "truncated": bounds} if bounds else data)
    return moved


def _of_family(data: Mapping[str, Any], prior: NamedPrior, family: str, move: Move) -> dict[str, Any]:
    interval = next((key for key in data if key.startswith("interval_")), "interval_90")
    tail = (1.0 - float(interval.removeprefix("interval_")) / 100.0) / 2.0
    ends = data.get(interval) or quantiles(prior, [tail, 1.0 - tail])
    numbers = {"median": plain(move.new), interval: [move(float(end)) for end in ends]}
    return _with(data, {"family": family, **numbers})


def _with(data: Mapping[str, Any], numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Put numbers in the place of those of a prior; its bounds stay."""
    gone = stating_keys(data) - {*_BESIDE}
    return {**numbers, **{key: value for key, value in data.items() if key not in gone}}


def _fixed(data: Mapping[str, Any], move: Move) -> dict[str, Any] | None:
    return {**data, "value": move.new} if "value" in data else None


def _points(data: Mapping[str, Any], move: Move) -> dict[str, Any] | None:
    """Move quantiles: median and interval, or several points; bounds of a bounded curve stay."""
    interval = next((key for key in data if key.startswith("interval_")), None)
    if interval is not None:
        middle = {"median": move.new} if "median" in data else {}
        return {**data, **middle, interval: [move(float(end)) for end in data[interval]]}
    if "quantiles" in data:
        return {**data, "quantiles": {key: move(float(value)) for key, value in data["quantiles"].items()}}
    return None


def _ends(data: Mapping[str, Any], move: Move) -> dict[str, Any] | None:
    """Move a family that is stated by its ends and its peak."""
    short = next((key for key in SHORT_FORMS if key in data), None)
    if short is not None:
        return {**data, short: [move(float(end)) for end in data[short]]}
    if data.get("family") in SHORT_FORMS:
        return {**data, **{key: move(float(data[key])) for key in SHORT_FORMS[data["family"]]}}
    return None


def _moments(data: Mapping[str, Any], prior: NamedPrior, move: Move) -> dict[str, Any] | None:
    """Move a family of a place and a scale on the scale of its numbers; a symmetric one keeps its shape."""
    if move.in_log or family_name(prior) not in ("normal", "student-t"):
        return None
    places = {key: move(float(data[key])) for key in ("mean", "median", "location") if key in data}
    scales = {key: plain(abs(move.scale) * float(data[key])) for key in ("sd", "scale") if key in data}
    return {**data, **places, **scales}


def _values(data: Mapping[str, Any], move: Move) -> dict[str, Any] | None:
    if "discrete" not in data:
        return None
    return {**data, "discrete": {**data["discrete"], "values": [move(float(x)) for x in data["discrete"]["values"]]}}


def _quantiles(data: Mapping[str, Any], prior: NamedPrior, move: Move) -> dict[str, Any]:
    """State a lognormal by its interval, anything else by five quantiles: its family cannot move so."""
    base = base_of(prior.stated)
    if family_name(prior) == "lognormal" and not isinstance(base, Truncated):
        ends = [move(end) for end in quantiles(prior, [0.05, 0.95])]
        return _with(data, {"family": "lognormal", "interval_90": ends})
    found = quantiles(prior, _LEVELS)
    return _with(data, {"quantiles": {str(level): move(x) for level, x in zip(_LEVELS, found, strict=True)}})
