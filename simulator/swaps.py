"""Scenarios between two: one with some of its entries as in the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.comparison_inputs import ORIGIN
from simulator.documents import Document
from simulator.errors import InputError, Path, dotted
from simulator.resolving import Scenario, resolve
from simulator.statements import is_prior

APART = ("name", "title", "notes", "subject", "dollars", "history", "seed", "samples", "design", "block")
"""Entries on which no result depends (what was learnt stands in the priors), and how samples are drawn, which is the
first scenario's throughout."""
_NAMED = ("quantities", "constraints", "thresholds", "caps", "factors", "drivers")
"""Mappings of which every entry is an input of its own, also where one scenario has none of them."""


class _Absent:
    """Stand for an entry that a scenario does not have."""


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that two scenarios say differently, at a path; `one` and `other` are what each says, or ABSENT."""

    path: Path
    one: Any
    other: Any


@dataclass(frozen=True, slots=True)
class Swap:
    """Entries that change together, as one input."""

    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """The paths of its entries, of many the first two."""
        paths = [dotted(entry.path) for entry in self.entries]
        return " + ".join(paths if len(paths) <= 3 else [*paths[:2], f"{len(paths) - 2} more"])


def differing_entries(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Entry]:
    """List what two scenarios say differently, each prior, cap, constraint or correlation as a whole.

    Notes, sources and names, on which no result depends, are left out. Lists of different length are one entry.

    Parameters
    ----------
    one, other : the resolved data of two scenarios

    Examples
    --------
    >>> from simulator.scenario import load_scenario
    >>> pair = [load_scenario(name).data for name in ("baseline", "feedback")]
    >>> [dotted(entry.path) for entry in differing_entries(*pair)]
    ['drivers.hardware.feedback', 'drivers.algorithms.feedback']
    """
    return list(_differing(one, other, ()))


def _differing(one: Any, other: Any, path: Path) -> Iterator[Entry]:
    if bare_data(one) == bare_data(other) or (len(path) == 1 and path[0] in APART):
        return
    named = bool(path) and path[-1] in _NAMED
    one, other = ({} if named and value is ABSENT else value for value in (one, other))
    whole = len(path) == 2 and path[0] in ("correlations", "thresholds")
    if len(path) == 2 and path[0] == "drivers" and isinstance(one, Mapping) and isinstance(other, Mapping):
        whole = ("factors" in one) != ("factors" in other)  # a driver of factors has no start and growth of its own
    priors = path not in ((), ("capability",)) and any(is_prior(value) for value in (one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping) and not priors and not whole and path != ("years",):
        for key in dict.fromkeys([*one, *other]):
            yield from _differing(one.get(key, ABSENT), other.get(key, ABSENT), (*path, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other) and not priors:
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from _differing(*pair, (*path, place))
    else:
        yield Entry(path, one, other)


def bare_data(value: Any) -> Any:
    """Leave of plain data what results depend on; `prior` is only where the numbers beside it come from.

    Examples
    --------
    >>> bare_data({"median": 2, "source": "X 2024", "prior": "a/b"})
    {'median': 2}
    """
    if isinstance(value, Mapping):
        return {key: bare_data(inner) for key, inner in value.items() if key not in (*ORIGIN, "label")}
    return [bare_data(inner) for inner in value] if isinstance(value, list) else value


def swapped(scenario: Scenario, swaps: Sequence[Swap]) -> Scenario:
    """Give a scenario with some entries as in the other.

    Raises
    ------
    ScenarioError
        It does not hold together with these entries.

    Examples
    --------
    >>> from simulator.scenario import load_scenario
    >>> one, other = (load_scenario(name) for name in ("baseline", "feedback"))
    >>> swaps = [Swap((entry,)) for entry in differing_entries(one.data, other.data)]
    >>> swapped(one, swaps).data["drivers"] == other.data["drivers"]
    True
    """
    data: Any = scenario.data
    for swap in swaps:
        for entry in swap.entries:
            data = _set(data, entry.path, entry.other)
    return resolve(Document(data, {}))


def _set(data: Any, path: Path, value: Any) -> Any:
    head, rest = path[0], path[1:]
    if isinstance(data, list):
        return [(_set(item, rest, value) if rest else value) if place == head else item
                for place, item in enumerate(data)]  # fmt: skip
    above = {} if data is ABSENT else dict(data)
    inner = _set(above.get(head, ABSENT), rest, value) if rest else value
    if value is ABSENT and (not rest or inner == {}):  # an empty map says no more than none
        above.pop(head, None)
    else:
        above[head] = inner
    return above


def joined_swaps(scenario: Scenario, entries: Sequence[Entry]) -> list[Swap]:
    """Join entries that do not hold together one without the other, such as a constraint and the quantity it names.

    Each input is tried alone and left out alone; one that fails is joined to the first other with which neither fails,
    or else to all that fail.

    Raises
    ------
    InputError
        All entries together do not make a scenario.
    """
    swaps = _by_mention(entries)
    if swaps and not _holds(scenario, swaps):
        raise InputError(
            "compare: --attribute: the second scenario does not hold together on the first one's "
            "draws. Compare them without --attribute."
        )
    while True:
        broken = [swap for swap in swaps if not _separable(scenario, swaps, swap)]
        if not broken or len(swaps) == 1:
            return swaps
        first, rest = broken[0], [swap for swap in swaps if swap is not broken[0]]
        candidates = [*broken[1:], *(swap for swap in rest if swap not in broken)]
        for other in candidates:
            joint = Swap((*first.entries, *other.entries))
            tried = [joint, *(swap for swap in rest if swap is not other)]
            if _separable(scenario, tried, joint):
                swaps = tried
                break
        else:
            partners = broken if len(broken) > 1 else swaps
            swaps = [Swap(tuple(entry for swap in partners for entry in swap.entries)),
                     *(swap for swap in swaps if swap not in partners)]  # fmt: skip


def _by_mention(entries: Sequence[Entry]) -> list[Swap]:
    """Join a quantity that only one scenario has to the entries that are built of it by name."""
    groups = [[entry] for entry in entries]
    for entry in entries:
        if entry.path[0] != "quantities" or len(entry.path) != 2 or ABSENT not in (entry.one, entry.other):
            continue
        name = str(entry.path[1])
        near = [
            group for group in groups
            if any(one is entry or name in {*_texts(one.one), *_texts(one.other)} for one in group)
        ]  # fmt: skip
        groups = [group for group in groups if group not in near] + [[one for group in near for one in group]]
    return [
        Swap(tuple(sorted(group, key=entries.index))) for group in sorted(groups, key=lambda g: entries.index(g[0]))
    ]


def _texts(value: Any) -> Iterator[str]:
    """List the texts anywhere in plain data."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _separable(scenario: Scenario, swaps: Sequence[Swap], one: Swap) -> bool:
    return _holds(scenario, [one]) and _holds(scenario, [swap for swap in swaps if swap is not one])


def _holds(scenario: Scenario, swaps: Collection[Swap]) -> bool:
    try:
        swapped(scenario, list(swaps))
    except InputError:
        return False
    return True
