"""Actors of a scenario, each resolved: what it says as a whole, and what of its priors is drawn for it alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from simulator.errors import Fault, Path, PlacedFault, ScenarioError, dotted
from simulator.priors.joint import named_prior
from simulator.scenario.dating import laid_over
from simulator.scenario.documents import Document
from simulator.scenario.following import CLOSES, GAP, LAG, ONE, following
from simulator.scenario.layers import below, is_override, left_limits, place_of, text_keys
from simulator.schema.actors import NONE, OVERLAID
from simulator.schema.base import Faults
from simulator.schema.prior_names import RUNS_PATH, Slot, SlotKind, drawn_slot, former_names, slots
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import Prior, is_prior
from simulator.units import SECONDS_PER_YEAR, Array
from simulator.wording import percent

TIMES = "times"
_NOT_ITS_OWN = ("actors", "correlations")
"""What a scenario says of all its actors together."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """How a prior of an actor is drawn: as which prior of the scenario, and how many times that (a rate: its OOM).

    As none (empty) it is 1. Of a gap in OOM, of which a part `closes` in a year, it is the `part` of the factor that is
    behind by it: its `start`, its `rate` or its `half_life`.
    """

    of: str
    times: tuple[str, ...] = ()
    is_rate: bool = False
    closes: str = ""
    part: str = ""

    def values(self, draws: Mapping[str, Array]) -> Array:
        """Make its numbers of those of the scenario; levels and multiples are log10."""
        result = draws[self.of] if self.of else np.zeros(1)
        for name in self.times:
            result = result * 10.0 ** draws[name] if self.is_rate else result + draws[name]
        if not self.closes:
            return -result if self.part else result
        decay = -np.log1p(-SECONDS_PER_YEAR * 10.0 ** draws[self.closes])
        return result * decay if self.part == "rate" else np.log(2.0) / decay


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor of a scenario: what it is called, what it says as a whole, and those of its priors that are its own."""

    name: str
    label: str
    spec: ScenarioSpec
    own: Mapping[str, Drawn]

    def draws(self, draws: Mapping[str, Array]) -> Mapping[str, Array]:
        """Take its draws from those of the scenario: the same ones, but for its own."""
        return {**draws, **{name: drawn.values(draws) for name, drawn in self.own.items()}} if self.own else draws


@dataclass(frozen=True, slots=True)
class Acting:
    """The actors of a scenario, their own priors, what is wrong with them, and what a reader should look at."""

    actors: tuple[Actor, ...] = ()
    slots: tuple[Slot, ...] = ()
    faults: Mapping[PlacedFault, PlacedFault | None] = field(default_factory=dict)
    """Each with the fault that it is in what the actor says as a whole, where it is one of that."""
    warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def judged(self, spec: ScenarioSpec) -> ScenarioSpec:
        """Leave the correlations of actors out, where an actor is at fault and its priors are not known."""
        kept = [each for each in spec.correlations if not any(name.startswith("actors.") for name in each.between)]
        return spec.model_copy(update={"correlations": tuple(kept)}) if self.faults else spec

    def told_once(self, error: ScenarioError) -> ScenarioError:
        """Leave out the faults of actors that are those of the scenario, which is told of them already."""
        known = set(error.faults)
        return ScenarioError([fault for fault in error.faults if self.faults.get(fault) not in known])

    def all_say(self, line: str) -> bool:
        """Whether every actor that is not at fault has a warning; so it is where there are no actors."""
        return all(line in said for said in self.warnings.values())

    def told(self, known: Collection[str]) -> Iterator[str]:
        """Tell what a reader should look at that is not known of the scenario."""
        for name, said in self.warnings.items():
            yield from (f"actors.{name}: {line}" for line in said if line not in known)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What an actor says before it follows, how its priors are drawn, and what lets it and those it is like follow."""

    document: Document
    drawn: Mapping[str, Drawn] = field(default_factory=dict)
    follows: tuple[tuple[str, Mapping[Path, Any]], ...] = ()


type Check = Callable[[Document], tuple[ScenarioSpec, tuple[str, ...]]]
"""Checks a document; gives what it says, and what a reader should look at."""


def resolve_actors(document: Document, spec: ScenarioSpec, check: Check) -> Acting:
    """Lay each actor over the scenario, or over the actor that it is like, and check what it then says."""
    own_data = {key: each for key, each in document.data.items() if key not in _NOT_ITS_OWN}
    asked = {name: {key: each for key, each in entry.items() if key != "by"} if isinstance(entry, Mapping) else entry
             for name, entry in (own_data.get("thresholds") or {}).items()}  # fmt: skip
    base = replace(document, data=own_data | ({"thresholds": asked} if asked else {}))
    whole: dict[str, Actor] = {}
    standing: dict[str, _Standing] = {}
    priors: dict[str, Slot] = {}
    faults, warnings = dict[PlacedFault, PlacedFault | None](), dict[str, tuple[str, ...]]()
    for name in sorted(spec.actors, key=lambda each: _depth(each, spec)):
        of = spec.actors[name].of
        if of is not None and of not in whole:
            continue  # the fault is in that one
        over = below(document, ("actors", name))
        data = {key: text_keys(each) for key, each in over.data.items() if key in OVERLAID}
        data |= {"models": None} if data.get("models") == NONE else {}
        data |= {"events": _without_effects(data["events"])} if isinstance(data.get("events"), Mapping) else {}
        data, follows = _following(data, text_keys(over.data.get(LAG)))
        multiples = dict(_multiples(data, ()))
        own = replace(over, data=_without(data, ()) or {})
        like = _Standing(base) if of is None else standing[of]
        try:
            laid = laid_over(like.document, own)
            whole_spec, warnings[name] = check(laid)
            former = former_names(whole_spec)
            _refuse_left_limits(name, laid, base)
            stated, drawn = _own(name, whole_spec, data, multiples, like.drawn)
            standing[name] = _Standing(laid, drawn, (*like.follows, *([(name, follows)] if follows else [])))
            for each, given in standing[name].follows:
                laid, whole_spec, drawn, more = _followed(each, laid, drawn, given, check)
                stated += more if each == name else ()
        except ScenarioError as error:
            faults |= {_within(fault, name, document): fault for fault in error.faults}
            continue
        except Faults as error:
            faults |= dict.fromkeys(_placed(fault, document) for fault in error.faults)
            continue
        if former or spec.actors[name].drawn_as:
            above = ("actors", spec.actors[name].drawn_as or name)
            stated = [drawn_slot(slot, former, above) for slot in stated]
        priors |= {slot.name: slot for slot in stated}
        whole[name] = Actor(name, spec.actors[name].label or name, whole_spec, drawn)
    order = [name for name in spec.actors if name in whole]
    return Acting(tuple(whole[name] for name in order), tuple(priors.values()), faults, warnings)


def _refuse_left_limits(name: str, laid: Document, base: Document) -> None:
    """Refuse that an actor keeps a limit without the effect that puts it on: it would always stand."""
    faults = [
        Fault(("actors", name, "events", event), f"no longer puts on {limit}, which would always stand.",
              f"Take the limit away too: write null for {limit} of this actor.")
        for limit, event in left_limits(base.data, laid.data).items()
    ]  # fmt: skip
    if faults:
        raise Faults(faults)


def _without_effects(events: Mapping[str, Any]) -> dict[str, Any]:
    """Take the effects of an event that an actor takes away: it comes all the same, and to all at once."""
    return {name: {"effects": []} if event is None else event for name, event in events.items()}


def _depth(name: str, spec: ScenarioSpec) -> int:
    """Tell how many actors one is like, one after the other."""
    of = spec.actors[name].of
    return 0 if of is None else 1 + _depth(of, spec)


def _multiples(data: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """List where a multiple stands in the place of a start or of growth, with what is stated."""
    if _is_multiple(data):
        yield path, data[TIMES]
    elif isinstance(data, Mapping) and not is_prior(data):
        yield from (found for key, inner in data.items() for found in _multiples(inner, (*path, key)))


def _is_multiple(data: Any) -> bool:
    """Tell whether a multiple stands in the place of a start or of growth, and not that of a rate or a quantity."""
    return isinstance(data, Mapping) and TIMES in data and data.keys() <= {TIMES}


def _without(data: Any, path: Path) -> Any:
    """Copy what an actor says without its multiples; None where nothing is left."""
    if _is_multiple(data):
        return None
    if not isinstance(data, Mapping) or is_prior(data):
        return data
    kept = {key: (inner, _without(inner, (*path, key))) for key, inner in data.items()}
    return {key: left for key, (inner, left) in kept.items() if left is not None or inner is None}


def _own(
    name: str, spec: ScenarioSpec, data: Any, multiples: Mapping[Path, Any], inherited: Mapping[str, Drawn]
) -> tuple[list[Slot], dict[str, Drawn]]:
    """Find the priors that an actor states itself, and how each is drawn that is not drawn as the scenario's."""
    stated, drawn, faults = list[Slot](), dict[str, Drawn](), list[Fault]()
    for slot in slots(spec):
        if _states(data, slot.path) or slot.path == RUNS_PATH:  # whose runs are its own
            stated.append(Slot(("actors", name, *slot.path), slot.prior, slot.kind, slot.unit, slot.never, slot.asks))
            drawn[slot.name] = Drawn(stated[-1].name)
        elif slot.name in inherited:
            drawn[slot.name] = inherited[slot.name]
    for path, given in multiples.items():
        at: Path = ("actors", name, *path)
        found = [slot for slot in slots(spec) if _is_multiplied(slot, path)]
        if not found:
            faults.append(Fault((*at, TIMES), "multiplies no start and no growth.", _multiply_remedy(spec, path)))
            continue
        try:
            prior = Prior.read(given)
        except Faults as error:
            faults += [replace(fault, path=(*at, TIMES, *fault.path)) for fault in error.faults]
            continue
        stated.append(Slot((*at, TIMES), prior, "level", "1"))
        for slot in found:
            before = drawn.get(slot.name, Drawn(slot.name, is_rate=slot.kind == "rate"))
            drawn[slot.name] = replace(before, times=(*before.times, stated[-1].name), is_rate=slot.kind == "rate")
    if faults:
        raise Faults(faults)
    return stated, drawn


def _following(data: dict[str, Any], lag: Any) -> tuple[dict[str, Any], dict[Path, Any]]:
    """Take what lets drivers follow out of what an actor says: the lag of all, lags and gaps of drivers, by path."""
    drivers, found = data.get("drivers"), dict[Path, Any]()
    if lag is not None:
        found[(LAG,)] = lag
    if not isinstance(drivers, Mapping):
        return data, found
    kept = dict(drivers)
    for name, entry in drivers.items():
        if isinstance(entry, Mapping):
            found |= {("drivers", name, key): entry[key] for key in (LAG, GAP, CLOSES) if key in entry}
            kept[name] = {key: value for key, value in entry.items() if key not in (LAG, GAP, CLOSES)}
    return data | {"drivers": kept}, found


_KINDS: Mapping[str, tuple[SlotKind, str | None]] = {
    LAG: ("duration", None), GAP: ("level", "1"), CLOSES: ("level", "1/year"),
}  # fmt: skip


def _followed(
    name: str, laid: Document, drawn: Mapping[str, Drawn], follows: Mapping[Path, Any], check: Check
) -> tuple[Document, ScenarioSpec, dict[str, Drawn], list[Slot]]:
    """Let drivers of an actor follow: give the document, what it says then, how its priors are drawn, its own ones."""
    above: Path = ("actors", name)
    stated = {path: _stated((*above, *path), given) for path, given in follows.items()}
    gaps = {path[:-1]: (*path[:-1], CLOSES) in follows for path in follows if path[-1] == GAP}
    if alone := [path for path in follows if path[-1] == CLOSES and path[:-1] not in gaps]:
        raise Faults([Fault((*above, *alone[0]), "closes no gap.", "Write gap: 0.5 OOM beside it.")])
    try:
        result = following(laid, {path[:-1]: given for path, given in follows.items() if path[-1] == LAG}, gaps)
    except Faults as error:
        raise Faults([replace(fault, path=(*above, *fault.path)) for fault in error.faults]) from None
    spec, _ = check(result.document)
    made = dict[str, Drawn]()
    for slot in slots(spec):
        path, own = result.origin(slot.path)
        if own and path[-1] == CLOSES:
            made[slot.name] = Drawn(stated[(*path[:-1], GAP)].name, closes=stated[path].name, part=str(slot.path[-1]))
        elif own:
            made[slot.name] = Drawn(stated[path].name, part="start" if path[-1] == GAP else "")
        elif path == ONE:
            made[slot.name] = Drawn("")
        elif (before := dotted(path)) in drawn or before != slot.name:
            made[slot.name] = drawn.get(before, Drawn(before))
    return result.document, spec, made, list(stated.values())


def _stated(path: Path, given: Any) -> Slot:
    """Read a lag, a gap or how it closes; Faults where it is none."""
    kind, unit = _KINDS[str(path[-1])]
    try:
        slot = Slot(path, Prior.read(given), kind, unit, asks=True)
    except Faults as error:
        raise Faults([replace(fault, path=(*path, *fault.path)) for fault in error.faults]) from None
    most = named_prior(slot).family.support[1]
    if path[-1] == CLOSES and most >= -np.log10(SECONDS_PER_YEAR):
        share = percent(float(10.0**most) * SECONDS_PER_YEAR) if np.isfinite(most) else "any part"
        rule = f"reaches {share} of the gap within a year; less than all of it can be closed."
        raise Faults([Fault(path, rule, "Write for example 30 %/year, or truncate it: truncated: [1, 95].")])
    return slot


def _states(data: Any, path: Path) -> bool:
    """Tell whether the prior at a path stands in what an actor says: there, or in what it states as a whole."""
    for part in path:
        if _is_multiple(data) or (isinstance(data, Mapping) and not is_prior(data) and part not in data):
            return False
        if not isinstance(data, Mapping) or is_prior(data):
            return data is not None
        data = data[part]
    return data is not None and not _is_multiple(data)


def _is_multiplied(slot: Slot, path: Path) -> bool:
    """Tell whether a multiple at a path is that of a prior: of a level there, or of each rate of growth below it."""
    if path[-1:] == ("growth",) or (slot.path == path and slot.kind == "rate"):
        return slot.kind == "rate" and slot.path[: len(path)] == path
    return slot.path == path and slot.kind == "level"


def _multiply_remedy(spec: ScenarioSpec, path: Path) -> str:
    """Name what lies beside a path and may be multiplied, such as starts of the factors of a driver."""
    *above, key = path
    near = dict.fromkeys(
        dotted(part) for slot in slots(spec) if key in slot.path and [*slot.path[: len(above)]] == above
        for part in [slot.path[: slot.path.index(key) + 1]] if _is_multiplied(slot, part)
    )  # fmt: skip
    known = f"What may be multiplied: {', '.join(near)}."
    return known if near else "Multiply a start or growth that the scenario states."


def _within(fault: PlacedFault, name: str, document: Document) -> PlacedFault:
    """Lay a fault in an actor at what the actor says, where it is not there already."""
    own = below(document, ("actors", name)).places
    fault = replace(fault, entry=fault.entry.replace(".level.lag.of", ""))
    entry = f"actors.{name}.{fault.entry}" if fault.entry else f"actors.{name}"
    if fault.place in own.values() or is_override(fault.place):
        return replace(fault, entry=entry)
    remedy = f"{fault.remedy}\n{fault.entry} stands at {fault.place}.".strip()
    return replace(fault, entry=entry, place=place_of(document.places, ("actors", name)), remedy=remedy)


def _placed(fault: Fault, document: Document) -> PlacedFault:
    told = fault.path[:-1] if fault.path[-1:] == ("value",) and fault.path not in document.places else fault.path
    return PlacedFault(place_of(document.places, told), dotted(told), fault.rule, fault.remedy)
