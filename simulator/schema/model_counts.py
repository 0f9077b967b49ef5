"""What a scenario may say about counts of models: how many runs there are under the largest, and above what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from simulator.errors import Fault, number
from simulator.schema.amounts import number_of
from simulator.schema.base import AmountIn, Number, Spec, Text
from simulator.schema.statements import Prior

Level = Annotated[Number, Field(gt=0.0), AmountIn("FLOP")]
Count = Annotated[int, Field(strict=True, ge=0)]

MOST_BINS = 200


class KnownYear(Spec):
    """What is known of a calendar year, in the place of what would be simulated."""

    above: dict[str, Count] = Field(default_factory=dict)
    """How many models were trained above a level in that year: `{1e25: 20}`; the levels are those of `above`."""
    largest: Level | None = None
    """The largest run of that year, FLOP."""
    source: Text | None = None
    """Where it comes from."""
    notes: Text | None = None
    """What was counted."""


class Models(Spec):
    """Counts of models: how the training compute of a year is spread over runs, and which of them are counted.

    The runs of a calendar year lie below its largest run. The share of the year's training compute that goes to runs
    of at most a size is a power of that size (relative to the largest run); bins of sizes are filled with runs until
    the compute of each is used up.
    """

    physical_compute: Literal["largest-run", "all-training"] = "largest-run"
    """What the physical compute of the scenario is: that of a year's largest run, or that of all training in it."""
    largest_share: Prior
    """The share of the year's training compute that the largest run takes."""
    largest_share_drawn: Literal["each-year", "once"] = "each-year"
    """Whether that share is drawn anew for each year, or once for all years of a sample."""
    smallest: Prior
    """By how many OOM the smallest runs lie below the largest."""
    gradient: Prior = Field(default_factory=lambda: Prior(value=1.0))
    """The power: 1 spreads compute evenly over the orders of magnitude; less gives more of it to small runs."""
    bins: Annotated[int, Field(strict=True, ge=1, le=MOST_BINS)] = 20
    """Into how many bins, of one width in the log, the sizes are divided; within a bin they are uniform."""
    above: tuple[Level, ...] = ()
    """Levels of training compute, FLOP, rising: the models at or above each are counted."""
    within_oom: tuple[Annotated[Number, Field(gt=0.0), AmountIn("OOM")], ...] = ()
    """Distances from the largest run of the year, OOM, rising: the models within each are counted."""
    known: dict[str, KnownYear] = Field(default_factory=dict)
    """What is known of calendar years, in the place of what would be simulated."""
    earlier: dict[str, Count] = Field(default_factory=dict)
    """How many models above a level were trained before the first year: `{1e25: 4}`."""
    notes: Text | None = None
    """Where the distribution comes from, and how it may be wrong."""

    def _faults(self) -> Iterator[Fault]:
        yield from _rising(self.above, "above")
        yield from _rising(self.within_oom, "within_oom")
        yield from _unknown_levels(self.earlier, self.above, ("earlier",))
        if not self.above and not self.within_oom:
            remedy = "Write above: [1e25, 1e26], or within_oom: [1]."
            yield Fault((), "counts nothing: it has neither above nor within_oom.", remedy)
        for year, known in self.known.items():
            if not re.fullmatch(r"[0-9]{4}", year):
                yield Fault(("known", year), f"must be a calendar year; got '{year}'.", "Write 2024: {...}.")
            yield from _unknown_levels(known.above, self.above, ("known", year, "above"))
            yield from _falling(known.above, ("known", year, "above"))
        yield from _falling(self.earlier, ("earlier",))


def _rising(levels: Sequence[float], key: str) -> Iterator[Fault]:
    for place, (lower, upper) in enumerate(pairwise(levels), start=1):
        if level_text(upper) == level_text(lower) or upper < lower:
            rule = f"must rise; {number(upper)} follows {number(lower)}."
            yield Fault((key, place), rule, "Sort the levels, each once.")


def _level(key: str) -> float | None:
    try:
        return number_of(key, "FLOP")
    except ValueError:
        return None


def _unknown_levels(counts: Mapping[str, int], above: Sequence[float], path: tuple[str, ...]) -> Iterator[Fault]:
    for key in counts:
        if _level(key) not in above:
            known = ", ".join(map(level_text, above)) or "none"
            rule = f"is not one of the levels that are counted: {known}."
            yield Fault((*path, key), rule, "Write the level under above too, or remove it here.")


def _falling(counts: Mapping[str, int], path: tuple[str, ...]) -> Iterator[Fault]:
    """Find counts that rise with their level: whatever is above the higher one is above the lower one too."""
    ordered = sorted((level, count, key) for key, count in counts.items() if (level := _level(key)) is not None)
    for (lower, few, _), (upper, many, key) in pairwise(ordered):
        if many > few:
            rule = f"counts {many} above {level_text(upper)}, more than the {few} above {level_text(lower)}."
            yield Fault((*path, key), rule, "A model above the higher level is above the lower one too.")


def level_text(level: float) -> str:
    """Write a level as variables and labels name it."""
    return f"{level:g}".replace("e+", "e")


def counted_at(counts: Mapping[str, int], level: float) -> int | None:
    """Read what is known to be above a level; None where nothing is."""
    return next((count for key, count in counts.items() if _level(key) == level), None)


def absolute_name(level: float) -> str:
    """Name the variable that counts the models at or above a level."""
    return f"models_above_{level_text(level)}"


def relative_name(distance: float) -> str:
    """Name the variable that counts the models within a distance of the largest run."""
    return f"models_within_{level_text(distance)}_oom"


def count_names(models: Models) -> tuple[str, ...]:
    """Name the variables of a scenario's counts: by the end of a year, and in the year."""
    names = [*map(absolute_name, models.above), *map(relative_name, models.within_oom)]
    return tuple(each for name in names for each in (name, f"{name}_in_year"))
