"""Actors of a scenario: each is the scenario with what it says of itself laid over it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from simulator.errors import Fault, Path, near_name
from simulator.schema.base import Line, Name, Spec, Text
from simulator.schema.goals import Models
from simulator.schema.statements import Prior
from simulator.wording import listed

MOST_ACTORS = 20
"""Actors of one scenario."""


FIRST, ALL, NONE = "first", "all", "none"
OWN, CATCH_UP = "own", "catch-up"
"""The factors of a driver of an actor that is behind by a gap: what it would have, and how far it is behind."""


def _counted(stated: object) -> str:
    return "<none>" if stated == NONE else "<models>"


Counted = Annotated[
    Annotated[dict[str, Any], Tag("<models>")] | Annotated[Literal["none"], Tag("<none>")], Discriminator(_counted)
]


class Actor(Spec):
    """One of those whose compute is forecast: the scenario with what stands here laid over it.

    In the place of a start or of growth, `{times: 0.4}` multiplies that of the scenario, in each sample.
    """

    label: Line | None = None
    """A name for charts and tables."""
    of: Name | None = None
    """The actor that it is like, but for what stands here; without it the scenario as it stands."""
    lag: Prior | None = None
    """How long it is behind what it is like: its drivers and constraints are what those were this time ago. Before the
    first year they follow their growth backwards."""
    drawn_as: Name | None = None
    """Of one that was renamed: the name that it had, under which its priors are still drawn."""
    drivers: dict[str, Any] = Field(default_factory=dict)
    """What is laid over the drivers. A prior that is stated here is drawn for this actor alone. A driver may say
    `lag: 9 months`, by which it is what it was some time ago; or `gap: 0.5 OOM`, by which it is behind, and by how much
    of that gap it `closes` in a year (`30 %/year`)."""
    quantities: dict[str, Any] = Field(default_factory=dict)
    """What is laid over the named quantities."""
    stocks: dict[str, Any] = Field(default_factory=dict)
    """What is laid over the stocks."""
    allocation: dict[str, Any] = Field(default_factory=dict)
    """What is laid over who uses a stock."""
    events: dict[str, Any] = Field(default_factory=dict)
    """What is laid over the events: effects on this actor alone. Whether and when one comes is the same for all; one
    that waits for a level comes when the first actor reaches it, for a threshold when that counts as crossed (`by`)."""
    constraints: dict[str, Any] = Field(default_factory=dict)
    """What is laid over the constraints."""
    models: Counted = Field(default_factory=dict)
    """What is laid over the counts of models, such as its share of the largest run or what is known of it; `none`: none
    are counted of it. Sizes of runs are drawn for each actor by itself, below its own largest run."""
    notes: Text | None = None
    """Who it is, and where its numbers come from."""


OVERLAID = ("drivers", "quantities", "stocks", "allocation", "events", "constraints", "models")
"""What an actor may say of itself."""


def who_decides(by: str | None, actors: Sequence[str]) -> tuple[int, bool]:
    """Give the number of the actor by whom a threshold is crossed; or, and True, its place among them by date, from 0.

    >>> who_decides("china", ["us", "china"]), who_decides("all", ["us", "china"]), who_decides(None, ["us"])
    ((1, False), (1, True), (0, True))
    """
    if by in actors:
        return actors.index(by), False
    return len(actors) - 1 if by == ALL else 0 if by in (None, FIRST) else int(by) - 1, True


def by_faults(thresholds: Mapping[str, str | None], actors: Collection[str]) -> Iterator[Fault]:
    """Find thresholds that are to be crossed by what are no actors, or more than there are."""
    for name, by in thresholds.items():
        path, many = ("thresholds", name, "by"), int(by) if by is not None and by.isdecimal() else 1
        if by is not None and not actors:
            yield Fault(path, "goes with actors, of which the scenario has none.", "Remove it, or write actors.")
        elif not 1 <= many <= max(len(actors), 1):
            yield Fault(path, f"is {many}, of {len(actors)} actors.", f"Write 1 to {len(actors)}, or all.")
        elif by is not None and by not in (FIRST, ALL, *actors) and not by.isdecimal():
            remedy = near_name(by, [*actors, FIRST, ALL]) or f"Write first, all, 2, or one of {', '.join(actors)}."
            yield Fault(path, f"there is no actor '{by}'.", remedy)


def actor_faults(
    actors: Mapping[str, Actor], events: Collection[str], uses: Mapping[str, Collection[str]]
) -> Iterator[Fault]:
    """Find actors that are too many, like one that is not there or themselves, or that say what is the same for all.

    That are the names of `events`, and whether they come, and the names of the `uses` of each stock.
    """
    if len(actors) > MOST_ACTORS:
        rule = f"holds {len(actors)} actors; at most {MOST_ACTORS} are computed with."
        yield Fault(("actors",), rule, "Leave some out.")
    for name, actor in actors.items():
        if name in (FIRST, ALL) or name.isdecimal():
            yield Fault(("actors", name), f"is {name} of the actors, where a threshold says by whom.", "Rename it.")
        way = [name]
        while (of := actors[way[-1]].of) in actors and of not in way:
            way.append(str(of))
        if of == name:
            rule = f"is like itself: {' of '.join((*way, name))}."
            yield Fault(("actors", name, "of"), rule, "Let one of them state itself.")
        elif actor.of is not None and actor.of not in actors:
            remedy = near_name(actor.of, actors) or f"There are: {', '.join(actors)}."
            yield Fault(("actors", name, "of"), f"there is no actor '{actor.of}'.", remedy)
        for event, said in actor.events.items():
            at: Path = ("actors", name, "events", event)
            if event not in events:
                remedy = near_name(event, events) or f"Define {event} under events, and here what it does to {name}."
                yield Fault(at, f"there is no event '{event}'.", remedy)
            for key in said if isinstance(said, Mapping) else ():
                if key not in _OF_EVENTS:
                    rule = "is the same for all actors, as whether and when an event comes is."
                    yield Fault((*at, key), rule, "State it under events of the scenario; an actor says effects.")
        for stock, said in actor.allocation.items():
            stated = said.get("uses") if isinstance(said, Mapping) and stock in uses else None
            for use, share in stated.items() if isinstance(stated, Mapping) else ():
                if use not in uses[stock] or share is None:
                    rule = "changes who uses it, which is the same for all actors: shares of the frontier add up to 1."
                    remedy = f"State {use} in the scenario, and here its share; a small one where it matters little."
                    yield Fault(("actors", name, "allocation", stock, "uses", use), rule, remedy)


_OF_EVENTS = ("effects", "label", "notes")


def count_faults(actors: Mapping[str, Actor], models: Models | None) -> Iterator[Fault]:
    """Find counts that do not add up over actors: what is known of all together, and what only one of them counts."""
    for key in ("known", "earlier") if models is not None and actors else ():
        if getattr(models, key):
            rule = f"is of one scenario, and stands beside actors ({listed(list(actors)[:3])}): of whom is it known?"
            yield Fault(
                ("models", key), rule, f"State it of each: actors: {{{next(iter(actors))}: {{models: {{{key}: ..}}}}}}."
            )
    for name, actor in actors.items():
        path: Path = ("actors", name, "models")
        if actor.models and models is None:
            yield Fault(path, "counts models that the scenario does not.", "State models in the scenario too.")
        for key in ("above", "within_oom"):
            if key in actor.models:
                rule = "is the same for all actors, so that their counts add up."
                yield Fault((*path, key), rule, "State it under models of the scenario.")
