"""Actors that follow: drivers that are what they were a time ago, and gaps that close, as quantities of the format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from simulator.errors import Fault, Path, dotted
from simulator.scenario.documents import Document
from simulator.scenario.layers import effects_in, lookup
from simulator.scenario.overrides import set_entry
from simulator.schema.actors import CATCH_UP, OWN
from simulator.schema.base import Faults
from simulator.schema.quantities import Level

LAG, GAP, CLOSES = "lag", "gap", "closes"
ONE: Path = ("one",)
"""Where a number stood that no file writes: 1."""
_OF_LEVEL = frozenset(
    {field.alias or name for name, field in Level.model_fields.items()} - {"label", "name", "drawn_as"}
)
_BENT = ("feedback", "law", "custom")


@dataclass(slots=True)
class Following:
    """A document whose drivers follow: where what it says stood before, and where it says what the actor adds.

    `steps` change it one after the other: each gives the old path of what stands below a new one, and the path below
    the actor of what it adds.
    """

    document: Document
    steps: list[tuple[Mapping[Path, Path], Mapping[Path, Path]]] = field(default_factory=list)

    def origin(self, path: Path) -> tuple[Path, bool]:
        """Give the path at which an entry stood before; or that below the actor, where the actor says it itself."""
        for moves, said in reversed(self.steps):
            if path in said:
                return said[path], True
            length = next((each for each in range(len(path), 0, -1) if path[:each] in moves), 0)
            path = (*moves[path[:length]], *path[length:]) if length else path
        return path, False


def following(document: Document, lags: Mapping[Path, Any], gaps: Mapping[Path, bool]) -> Following:
    """Let drivers be what they were a time ago, and others be behind by a gap; a lag at () is of all that grows.

    The lag of a driver is that of its level under its caps. `gaps` tell of each whether it closes. Faults, with paths
    below the actor: what cannot follow.
    """
    result = Following(document)
    for path in lags:
        drivers = [path] if path else [("drivers", str(name)) for name in lookup(document.data, ("drivers",)) or ()]
        for driver in drivers:
            _let_lag(result, driver, (*path, LAG), lags[path])
        for name in lookup(document.data, ("constraints",)) or () if not path else ():
            _lag_limit(result, ("constraints", str(name)), (*path, LAG), lags[path])
    for path, closes in gaps.items():
        _set_back(result, path, closes=closes)
    return result


def _driver(result: Following, path: Path, key: str, at: Path) -> dict[str, Any]:
    """Give what a driver says; Faults where it cannot follow."""
    entry = lookup(result.document.data, path)
    if not isinstance(entry, Mapping):
        raise Faults([Fault(at, "is of a driver that the scenario has not.", "State the driver, or remove it.")])
    inner = [entry, *(entry.get("factors") or {}).values()]
    if bent := next((each for each in _BENT if any(each in one for one in inner)), ""):
        rule = f"stands beside {bent} of {path[-1]}, which is known from the first year on alone."
        raise Faults([Fault(at, rule, f"Give another driver a {key}, or let growth state this one.")])
    if any(on.startswith(dotted(path)) for _, on, _ in effects_in(result.document.data)):
        rule = f"is of {path[-1]}, which an event changes."
        raise Faults([Fault(at, rule, "Take the effect away for this actor: events: {NAME: {effects: null}}.")])
    return dict(entry)


def _let_lag(result: Following, path: Path, at: Path, by: Any) -> None:
    entry = _driver(result, path, LAG, at)
    if factors := entry.get("factors"):
        for name in factors:
            _let_lag_level(result, (*path, "factors", str(name)), at, by)
        for name in entry.get("caps") or ():
            _lag_limit(result, (*path, "caps", str(name)), at, by)
    else:
        _let_lag_level(result, path, at, by)


def _let_lag_level(result: Following, path: Path, at: Path, by: Any) -> None:
    entry = dict(lookup(result.document.data, path))
    new: Path = (*path, "level", LAG)
    if "level" in entry:
        entry["level"] = {LAG: {"of": entry["level"], "by": by}}
        moves = {(*new, "of"): (*path, "level")}
        _put(result, path, entry, moves, {(*new, "by"): at})
        for name in entry.get("caps") or ():
            _lag_limit(result, (*path, "caps", str(name)), at, by)
        return
    inner = {key: value for key, value in entry.items() if key in _OF_LEVEL}
    kept = {key: value for key, value in entry.items() if key not in inner}
    moves = {(*new, "of", key): (*path, key) for key in inner}
    if not {"start", "table"} & {*inner}:  # of a driver that is 1 there, which a quantity has to say
        inner, moves[(*new, "of", "start")] = {"start": 1.0, **inner}, ONE
    _put(result, path, {**kept, "level": {LAG: {"of": inner, "by": by}}}, moves, {(*new, "by"): at})


def _lag_limit(result: Following, path: Path, at: Path, by: Any) -> None:
    entry = dict(lookup(result.document.data, path))
    if entry.get("kind") == "gompertz":
        rule = f"is of {dotted(path)}, which slows a level from its start on."
        raise Faults([Fault(at, rule, "Give the limit another kind for this actor, or let one driver lag alone.")])
    new: Path = (*path, "limit", LAG)
    share, of = entry.pop("share", None), entry.pop("of", None)
    moves: dict[Path, Path] = {(*new, "of"): (*path, "limit")}
    if share is not None:
        entry["limit"] = {"product": [share, of]}
        moves = {(*new, "of", "product", 0): (*path, "share")}
    entry["limit"] = {LAG: {"of": entry["limit"], "by": by}}
    _put(result, path, entry, moves, {(*new, "by"): at})


def _set_back(result: Following, path: Path, *, closes: bool) -> None:
    """Put a driver behind by a factor that closes: by its half-life, of which the numbers are drawn."""
    entry = _driver(result, path, GAP, (*path, GAP))
    behind = {"start": 1.0} | ({"growth": [{"rate": "1x/year", "half_life": "1 year"}]} if closes else {})
    factors = entry.get("factors") or {}
    name = CATCH_UP + "-again" * sum(str(each).startswith(CATCH_UP) for each in factors)
    own: Path = (*path, "factors", name)
    said: dict[Path, Path] = {(*own, "start"): (*path, GAP)}
    said |= {(*own, "growth", 0, key): (*path, CLOSES) for key in ("rate", "half_life")}
    if factors:
        _put(result, path, {**entry, "factors": {**factors, name: behind}}, {}, said)
        return
    moves = {(*path, "factors", OWN, key): (*path, key) for key in entry}
    _put(result, path, {"factors": {OWN: entry, name: behind}}, moves, said)


def _put(result: Following, path: Path, entry: Any, moves: Mapping[Path, Path], said: Mapping[Path, Path]) -> None:
    """Put an entry in the place of another; what moved has the place in its file that it had."""
    document = result.document
    back = {old: new for new, old in moves.items()}
    places = {}
    for at, place in document.places.items():
        length = next((each for each in range(len(at), 0, -1) if at[:each] in back), 0)
        places[(*back[at[:length]], *at[length:]) if length else at] = place
    result.steps.append((moves, said))
    result.document = replace(document, data=set_entry(document.data, path, entry), places=places)
