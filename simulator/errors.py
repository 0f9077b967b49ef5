"""The exceptions, and the wording of their messages.

A message says where, which entry, what rule, what was given, what it means and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from simulator.wording import bounded, unseen

type Path = tuple[str | int, ...]
"""Where an entry stands in a file: keys and list positions from the top; `[name]` is an item of a list by its name."""

_KEY = r"(?:interval_)?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?(?=[.\[]|$)|[^.\[\]=]+"
"""A key of a mapping; numbers and the levels of intervals may hold a dot."""
_IN_BRACKETS = r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?"
_BLANK = re.compile("[ \\t\\r\\n]+")
_STEP = re.compile(rf"({_KEY})|\[([0-9]+)\]|\[({_IN_BRACKETS})\]|(\[[a-z][a-z0-9-]*\])")
_ENTRY = re.compile(rf"(?:{_KEY}|\[{_IN_BRACKETS}\])(?:\.(?:{_KEY})|\[(?:{_IN_BRACKETS}|[a-z][a-z0-9-]*)\])*")


class SimulatorError(Exception):
    """Report a failure that the user can understand without a traceback."""

    exit_code = 1

    def __str__(self) -> str:
        """Say it in lines that can be read, however long what they quote is."""
        return bounded(super().__str__())


class NotStoredError(SimulatorError):
    """Tell that something is not stored, and was not to be made."""


class InputError(SimulatorError):
    """Report bad input: an argument, an option, a file that is not what it should be."""

    exit_code = 2


def missing_extra(rule: str, extra: str, remedy: str = "") -> InputError:
    """Report a library that is not installed, and say which extra brings it."""
    how = f"pip install 'effective-compute-simulator[{extra}]', or in a checkout pip install -e '.[{extra}]'"
    return InputError(f"{rule} Install the extra {extra}: {how}{f'; {remedy}' if remedy else ''}.")


class NothingToDraw(InputError):
    """Report a chart of what a run does not have: thresholds, limits, counts, something learnt."""


class RunFileError(InputError):
    """Report a run file that is damaged, foreign or of another format."""


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """A position in a file; line and column count from 1, and 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one entry, before it is known where the entry stands."""

    path: Path
    rule: str
    remedy: str = ""


@dataclass(frozen=True, order=True, slots=True)
class PlacedFault:
    """One thing that is wrong, with its file, line and column."""

    place: Place
    entry: str
    rule: str
    remedy: str = ""

    def __post_init__(self) -> None:
        odd = unseen(f"{self.entry} {self.rule}")
        remedy = f"It holds {odd}: type it anew. {self.remedy}".rstrip() if odd else self.remedy
        for name, text in (("entry", self.entry), ("rule", self.rule), ("remedy", remedy)):
            object.__setattr__(self, name, bounded(text))

    def __str__(self) -> str:
        head = f"{self.place}: {self.entry}: {self.rule}" if self.entry else f"{self.place}: {self.rule}"
        return head + "".join(f"\n        {line}" for line in self.remedy.splitlines())


MOST_FAULTS = 100
"""Faults that the message of an error tells; `faults` has all."""


class ScenarioError(InputError):
    """Report every fault of a scenario file or prior library at once, sorted by place."""

    def __init__(self, faults: Sequence[PlacedFault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        more = len(self.faults) - MOST_FAULTS
        told = [str(fault) for fault in self.faults[:MOST_FAULTS]]
        super().__init__("\n".join([*told, f"... and {more:,} more faults."] if more > 0 else told))

    @classmethod
    def at(cls, place: Place, rule: str, remedy: str = "", *, entry: str = "") -> Self:
        """Report one fault."""
        return cls([PlacedFault(place, entry, rule, remedy)])


@lru_cache(maxsize=4096)  # the same entries are named again and again
def dotted(path: Path) -> str:
    """Write a path as it is named on the command line."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text and not is_item_name(part) else part
    return text


@lru_cache(maxsize=4096)
def as_path(entry: str) -> Path:
    """Read the dotted name of an entry; empty where it is none. A number as a key may stand in brackets."""
    if not _ENTRY.fullmatch(entry):
        return ()
    return tuple(int(match[2]) if match[2] else match[1] or match[3] or match[4] for match in _STEP.finditer(entry))


def is_item_name(part: str | int) -> bool:
    """Tell whether a part of a path is an item of a list by its name."""
    return isinstance(part, str) and part.startswith("[")


def item_part(item: object, number: int) -> str | int:
    """Give the part of a path that leads to an item of a list: its name, or else its number."""
    name = item.get("name") if isinstance(item, Mapping) else getattr(item, "name", None)
    return f"[{name}]" if isinstance(name, str) and name else number


def items[T](values: Sequence[T]) -> list[tuple[str | int, T]]:
    """List the items of a list, each with the part of a path that leads to it: its name or its number."""
    return [(item_part(value, number), value) for number, value in enumerate(values)]


def near_name(word: str, known: Iterable[str]) -> str:
    """Suggest the known name that is nearest to a word, as the tail of a message; empty where none is near."""
    spelled = {name.lower(): name for name in known}
    import difflib

    matches = difflib.get_close_matches(word.lower(), list(spelled), n=1, cutoff=0.6)
    return f"Did you mean '{spelled[matches[0]]}'?" if matches else ""


def near_or_all(word: str, known: Iterable[str], *, more: str = "") -> str:
    """Suggest the known name that is nearest to a word; where none is near, list all, with `more` behind them."""
    names = list(known)
    return near_name(word, names) or (f"There are: {', '.join(names)}{more}." if names else "There are none.")


def shown(value: object) -> str:
    """Write what was given as a file would write it, cut to a length that a message can hold."""
    text = "nothing" if value is None else _flow(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _flow(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + _BLANK.sub(" ", value).strip(" ") + "'"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value)


def number(value: float) -> str:
    """Write a number for a message: short, exact enough to be recognised."""
    return f"{value:.10g}" if abs(value) < 1e6 else f"{value:.6g}"
