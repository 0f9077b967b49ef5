"""What a file says of events: how likely they are, from when to when they last, and what they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from simulator.errors import Fault, Path
from simulator.schema.base import ItemName, Line, Name, Spec, Text
from simulator.schema.quantities import Moment
from simulator.schema.statements import Prior


def _as_list(value: Any) -> Any:
    """Take one text for the list that it is."""
    return [value] if isinstance(value, str) else value


_THRESHOLDS = "thresholds."
_PATH = {"type": "string", "minLength": 1}
_PATHS = {"anyOf": [_PATH, {"type": "array", "items": _PATH, "minItems": 1}]}


class Effect(Spec):
    """What an event changes while it lasts: one of `times`, `rate`, `limit` and `crossing`."""

    on: Annotated[tuple[Text, ...], Field(min_length=1), BeforeValidator(_as_list), WithJsonSchema(_PATHS)]
    """Path of what it is on, or a list of paths: growth (`drivers.hardware.growth`), a level (`drivers.hardware`, a
    factor, `quantities.chips`), a limit (`constraints.power`, `drivers.spending.caps.cash-flow`), a threshold
    (`thresholds.gpt-6`)."""
    times: Prior | None = None
    """By how much it is multiplied: growth in OOM/year, a level or the level of a limit."""
    rate: Prior | None = None
    """The rate of growth in the place of its own; `0 %/year` holds a level, `-20 %/year` lets it fall. Of several that
    are in force the lowest counts."""
    limit: Literal["put-on", "lifted"] | None = None
    """Of a limit: `put-on`, it stands while the event lasts and at no other time; `lifted`, it does not stand then."""
    crossing: Literal["none"] | None = None
    """Of a threshold: `none`, it does not count as crossed while the event lasts. What has reached it by the end is
    dated then, if it is still there; of an event for good, never. What was crossed before it stays so."""
    recovers: Prior | None = None
    """The time after the end of the event in which a level comes back, in a straight line in the log: `2 years`."""
    notes: Text | None = None
    """Why."""
    name: ItemName | None = None
    """As an item of a list: its name in paths, as in `effects[slower].times`; draws hang on that, not on its place."""

    @property
    def is_on_growth(self) -> bool:
        """Whether it is on growth, and not on a level or a limit."""
        return self.on[0].endswith(".growth") and not self.on[0].startswith(_THRESHOLDS)

    def _faults(self) -> Iterator[Fault]:
        given = [key for key in ("crossing", "times", "rate", "limit") if getattr(self, key) is not None]
        if len(given) != 1:
            rule = f"must say one change; got {' and '.join(given) if given else 'none'}."
            remedy = "Write times, rate, limit or crossing; what is more is another effect."
            yield Fault(tuple(given[1:2]), rule, remedy)
        elif given == ["crossing"] and not all(path.startswith(_THRESHOLDS) for path in self.on):
            yield Fault(("crossing",), "is of a threshold.", "Write on: thresholds.NAME.")
        elif given != ["crossing"] and any(path.startswith(_THRESHOLDS) for path in self.on):
            remedy = "Write crossing: none; to move its level, let that be a quantity, and the effect be on it."
            yield Fault((given[0],), "is not of a threshold.", remedy)
        elif len({path.endswith(".growth") for path in self.on}) > 1:
            yield Fault(("on",), "names growth and levels.", "Write an effect for each.")
        elif self.rate is not None and not self.is_on_growth:
            yield Fault(("rate",), "is of growth.", f"Write on: {self.on[0]}.growth.")
        elif self.limit is not None and self.is_on_growth:
            yield Fault(("limit",), "is of a cap or a constraint.", "Write on: constraints.power, for example.")
        elif self.recovers is not None and (self.times is None or self.is_on_growth):
            yield Fault(("recovers",), "goes with times on a level.", "Growth and limits are what they were at once.")


class NamedEvent(Spec):
    """Something that may happen: in each sample it begins at a date and lasts for a time, or it does not come."""

    label: Line | None = None
    """A name for charts and tables."""
    probability: Prior | None = None
    """How likely it is that it comes at all: `40 %`; a prior where that is uncertain. Without it, nor a hazard, it
    comes for sure when `from` does."""
    hazard: Prior | None = None
    """How often it comes in a year from `from` on, or from the start: by t years of `8 %/year` with the probability
    1 - exp(-0.08 t)."""
    from_: Moment = Field(default=None, alias="from")
    """When it begins: a date, a prior over dates, `{threshold: name}`, `{when: physical_compute, reaches: 1e28 FLOP}`,
    or `{event: other}`. One without it begins only where another one triggers it."""
    delay: Prior | None = None
    """The time between that, or what triggers it, and its beginning: `6 months`."""
    for_: Prior | None = Field(default=None, alias="for")
    """How long it lasts: `3 years`; without it, nor `until`, for good."""
    until: Moment = None
    """When it ends: as `from`."""
    effects: tuple[Effect, ...] = ()
    """What it changes while it lasts. Multiples of several events in force multiply."""
    excludes: Annotated[tuple[Name, ...], BeforeValidator(_as_list)] = ()
    """Events that do not come any more once it has come. Of two that come on one day that is first whose chance, the
    number `occurs`, is higher."""
    triggers: dict[Name, Prior] = Field(default_factory=dict)
    """Events that it brings about, each with the probability that it does: `{retaliation: 60 %}`."""
    delays: dict[Name, Prior] = Field(default_factory=dict)
    """Events that come later where they have not come before it, each with the time: `{treaty: 2 years}`."""
    drawn_as: Name | None = None
    """Of one that was renamed: the name that it had, under which its priors and its chance are still drawn."""
    notes: Text | None = None
    """What it is, and where its numbers come from."""

    def _faults(self) -> Iterator[Fault]:
        if self.probability is not None and self.hazard is not None:
            yield Fault(("hazard",), "stands beside probability.", "Both say how likely it is: keep one.")
        elif self.probability is not None and self.from_ is None:
            yield Fault((), "does not say from when.", "Write from: and a date, or a prior over dates.")
        elif self.delay is not None and self.hazard is not None:
            yield Fault(("delay",), "stands beside hazard.", "Write from: the date from which the hazard acts.")
        elif self.for_ is not None and self.until is not None:
            yield Fault(("until",), "stands beside for.", "Both say when it ends: keep one.")
        elif self.for_ is None and self.until is None:
            for place, effect in enumerate(self.effects):
                if effect.recovers is not None:
                    at = ("effects", f"[{effect.name}]" if effect.name else place, "recovers")
                    yield Fault(at, "comes after an event that ends.", "Write for: 3 years, or until: a date.")


def chances(events: Mapping[str, NamedEvent]) -> Iterator[Path]:
    """Name the uniform numbers that decide whether and when events come, and whether they trigger others."""
    for name, event in events.items():
        if event.probability is not None or event.hazard is not None:
            yield chance_path(("events", name))
        yield from (chance_path(("events", name, "triggers", other)) for other in event.triggers)


def chance_path(path: Path) -> Path:
    """Name the uniform number of an event, or of an event that it triggers; a high one lets it come."""
    return (*path, "occurs")
