"""What the scenarios of several runs say differently."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from simulator.errors import InputError, Path, dotted, number
from simulator.scenario.canonical import stored_data
from simulator.scenario.documents import Document
from simulator.scenario.layers import lookup, values_in
from simulator.scenario.library import OF_ITS_OWN
from simulator.scenario.resolving import Scenario, resolve
from simulator.schema.prior_families import SPANS
from simulator.schema.statements import PROVENANCE_KEYS, is_prior
from simulator.schema.words import input_words

if TYPE_CHECKING:
    import xarray as xr

MOST_RUNS = 12
_OF_RUN = ("name", "title", "notes", "seed", "samples", "design", "block")
_APART = ("name", "title", "notes", "subject", "dollars", "history", "seed", "samples", "design", "block")
"""Entries on which no result depends (what was learnt stands in the priors), and how samples are drawn, which is the
first scenario's throughout."""
_NAMED = ("inputs", "quantities", "stocks", "uses", "events", "constraints", "thresholds", "caps", "factors", "drivers")
"""Mappings of which every entry is an input of its own, also where one scenario has none of them."""
ORIGIN = (*PROVENANCE_KEYS, "prior")
"""Keys that say where a prior comes from."""
_UNUSED = (*ORIGIN, "label")
"""Keys on which no result depends."""


class _Absent:
    """Stands for an entry that a scenario does not have."""


ABSENT = _Absent()


def check_number(names: Sequence[str]) -> None:
    """Check that there are two runs or scenarios at least to compare, and not too many."""
    if len(names) < 2:
        alone = f"{names[0]!r} alone" if names else "none"
        rule = f"needs two runs or scenarios at least; got {alone}"
        raise InputError(f"compare: {rule}. Name another: simulate compare baseline tight-caps.")
    if len(names) > MOST_RUNS:
        rule = f"takes at most {MOST_RUNS} runs or scenarios; got {len(names)}"
        raise InputError(f"compare: {rule}. Compare fewer at once.")


def run_labels(runs: Sequence[xr.DataTree], labels: Sequence[str] | None = None) -> list[str]:
    """Call each run something else than the others: by its name, its run id, or its place."""
    check_number([str(run.attrs["name"]) for run in runs])
    if labels is not None:
        if len(labels) != len(runs) or len(set(labels)) != len(labels):
            raise InputError(f"labels: must be one for each of {len(runs)} runs, all different; got {list(labels)}.")
        return list(labels)
    names = [str(run.attrs["name"]) for run in runs]
    once = Counter(names)
    ids = [str(run.attrs["run_id"]) for run in runs]
    same = once[names[0]] > 1 and len(set(zip(names, ids, strict=True))) == len(runs)
    names = [f"{name} {key}" if once[name] > 1 and same else name for name, key in zip(names, ids, strict=True)]
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result


def differing_inputs(runs: Sequence[xr.DataTree], *, labels: Sequence[str] | None = None) -> list[dict[str, str]]:
    """Tabulate the entries of the resolved scenarios that are not the same in all runs.

    Priors are compared whole and written in short; an entry that some runs do not have is `absent` there, and stands
    for all that is below it.
    """
    names = run_labels(runs, labels)
    drawn_with = (("seed", int), ("samples", int), ("design", str), ("block", int))  # a scenario need not say so
    scenarios = [stored_data(run.attrs) | {key: kind(run.attrs[key]) for key, kind in drawn_with} for run in runs]
    rows = [
        {"path": dotted(path), "kind": kind, **dict(zip(names, map(in_short, values), strict=True))}
        for difference in topmost_differences(scenarios, whole=_holds_prior, named=_NAMED)
        for path, kind, values in _kinds(*difference)
    ]
    return sorted(rows, key=lambda row: ("number", "origin", "run").index(row["kind"]))


def labelled(rows: Sequence[Mapping[str, str]], labels: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Put the words of its labels beside the path of each entry; empty where it has none."""
    for row in rows:
        words = input_words(row["path"], labels=labels)
        yield {"path": row["path"], "label": "" if words == input_words(row["path"]) else words, **row}


def _kinds(path: Path, values: Sequence[Any]) -> Iterator[tuple[Path, str, Sequence[Any]]]:
    """Tell what a difference is of: numbers, how a run is made, or only where the same numbers come from."""
    if all(map(is_prior, values)) and all(bare_data(value) == bare_data(values[0]) for value in values):
        origins = [(key, [value.get(key, ABSENT) for value in values]) for key in ORIGIN]
        yield from (((*path, key), "origin", found) for key, found in origins if _differ(found))
    else:
        origin = path[-1] in ORIGIN and all(value is ABSENT or isinstance(value, str) for value in values)
        yield path, "run" if path[0] in _OF_RUN else "origin" if origin else "number", values


def _differ(values: Sequence[Any]) -> bool:
    return any(value != values[0] for value in values)


def _holds_prior(path: Path, values: Sequence[Any]) -> bool:
    """Tell whether any of values is a prior; a scenario as a whole and a capability, which has a scale, are none."""
    return path not in ((), ("capability",)) and any(map(is_prior, values))


def _are_uneven(_: Path, values: Sequence[Any]) -> bool:
    """Tell whether values are lists of different length."""
    return all(isinstance(value, list) for value in values) and _differ([len(value) for value in values])


def topmost_differences(
    values: Sequence[Any],
    path: Path = (),
    *,
    whole: Callable[[Path, Sequence[Any]], bool] = _are_uneven,
    named: Collection[str] = (),
) -> Iterator[tuple[Path, Sequence[Any]]]:
    """Walk down plain data of several at once, to the topmost entries that differ and are `whole` or have no parts.

    What is not there is ABSENT; a mapping of a name in `named` that is not there is an empty one.
    """
    if path and path[-1] in named and all(isinstance(value, Mapping) or value is ABSENT for value in values):
        values = [{} if value is ABSENT else value for value in values]
    parts: dict[str | int, Sequence[Any]] = {}
    if all(isinstance(value, Mapping) for value in values):
        parts = {key: [value.get(key, ABSENT) for value in values] for key in chain.from_iterable(values)}
    elif all(isinstance(value, list) for value in values):
        parts = dict(enumerate(zip_longest(*values, fillvalue=ABSENT)))
    if _differ(values) and (not parts or whole(path, values)):
        yield path, values
    elif _differ(values):
        for key, inner in parts.items():
            yield from topmost_differences(inner, (*path, key), whole=whole, named=named)


def in_short(value: Any) -> str:
    """Write an entry of a scenario, one that is at fault too, on one line; a prior by its numbers and library entry."""
    if value is ABSENT:
        return "absent"
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, list):
        return f"[{', '.join(map(in_short, value))}]"
    if is_prior(value):
        return _prior_in_short(value)
    if list(value) == ["limit"]:
        return f"limit {in_short(value['limit'])}"
    return "{" + ", ".join(f"{key}: {in_short(inner)}" for key, inner in value.items() if key not in _UNUSED) + "}"


def _prior_in_short(prior: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in prior.items() if key not in (*_UNUSED, "name")}
    unit, middle, family = rest.pop("unit", ""), rest.pop("median", None), rest.pop("family", None)
    intervals = [
        f"{key.removeprefix('interval_')} % {span_in_short(rest.pop(key))}"
        for key in list(rest)
        if key.startswith("interval_")
    ]
    words = [f"{family}," if family and (middle is not None or intervals or rest) else str(family or "")]
    words.append("" if middle is None else f"median {in_short(middle)}")
    joined = ", ".join(intervals)
    words.append(f"({joined})" if joined and middle is not None else joined)
    words.append(in_short(rest.pop("value")) if "value" in rest else "")
    rest.pop("weight", None)
    if "mixture" in rest:
        parts = rest.pop("mixture")
        told = ", ".join(map(_part_in_short, parts)) if isinstance(parts, list) else in_short(parts)
        words.append(f"mixture of {told}")
    words += [f"{key} {span_in_short(rest.pop(key))}" for key in SPANS if key in rest]
    details = [f"{key} {in_short(value)}" for key, value in rest.items()]
    words += [str(unit), *details] if any(words[1:]) else [*details, str(unit)]
    words.append(f"[{prior['prior']}]" if "prior" in prior else "")
    return " ".join(filter(None, words))


def _part_in_short(part: Any) -> str:
    return f"{in_short(part.get('weight', 1) if isinstance(part, Mapping) else 1)} × ({in_short(part)})"


def span_in_short(ends: Any) -> str:
    """Write the ends of an interval or a span in short."""
    if not isinstance(ends, list):  # 1.6 to 3.4 as one text
        return in_short(ends)
    return " to ".join("..." if end is None else in_short(end) for end in ends)


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
        """The paths of its entries, of many the first two; a start stands for its date too."""
        every = [entry.path for entry in self.entries]
        paths = [dotted(path) for path in every if path[-1] != "at" or (*path[:-1], "start") not in every]
        return " + ".join(paths if len(paths) <= 3 else [*paths[:2], f"{len(paths) - 2} more"])


@dataclass(frozen=True, slots=True)
class Shift:
    """One input: the entries that change together, and what is swapped, by the place of a scenario in a mixture.

    Of one alone that is 0. `weights` are what the second mixture gives its scenarios, where that is what changes.
    """

    entries: tuple[Entry, ...]
    swaps: Mapping[int, Swap]
    weights: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """The paths of its entries, of many the first two."""
        return Swap(self.entries).name


def each_of(scenario: Scenario) -> dict[str, Scenario]:
    """Take a mixture apart into its scenarios, by name; one alone is itself, without a name."""
    if len(scenario.components) == 1:
        return {"": scenario}
    return {str(part["name"]): resolve(Document(part["scenario"], {})) for part in scenario.data["mixture"]}


def mixed_names(item: xr.DataTree | Scenario) -> list[str]:
    """Name what a scenario or a run mixes; none where it is one scenario alone."""
    if isinstance(item, Scenario):
        return [component.name for component in item.components] if len(item.components) > 1 else []
    return list(json.loads(item.attrs.get("components") or "{}"))


def shifts(first: Scenario, second: Scenario) -> list[Shift]:
    """List the inputs that two scenarios, or two mixtures of the same ones, state differently.

    What changes alike in all scenarios of a mixture is one input, and so are their weights, which sum to 1.
    """
    ones, others = each_of(first), each_of(second)
    apart = [joined_swaps(one, differing_entries(one.data, others[name].data)) for name, one in ones.items()]
    shared = [swap for swap in apart[0] if all(swap in own for own in apart)]
    found = [Shift(swap.entries, dict.fromkeys(range(len(apart)), swap)) for swap in shared]
    for place, (name, own) in enumerate(zip(ones, apart, strict=True)):
        within = ("mixture", f"[{name}]", "changes")
        for swap in own:
            if swap not in shared:
                entries = tuple(Entry((*within, *each.path), each.one, each.other) for each in swap.entries)
                found.append(Shift(entries, {place: swap}))
    weights = [tuple(each.weight for each in scenario.components) for scenario in (first, second)]
    if weights[0] != weights[1]:
        paths = [("mixture", f"[{name}]", "weight") for name in ones]
        found.append(Shift(tuple(map(Entry, paths, *weights)), {}, weights[1]))
    return found


def differing_entries(one: Mapping[str, Any], other: Mapping[str, Any], *, every: bool = False) -> list[Entry]:
    """List what two scenarios say differently, each prior, cap, constraint or correlation as a whole.

    Notes, sources and names, on which no result depends, are left out unless `every` entry is asked for. Lists of
    different length are one entry.
    """
    return [
        Entry(path, *values)
        for path, values in topmost_differences([one, other], whole=_is_one_input, named=_NAMED)
        if every or (path[0] not in _APART and path[-1] not in _UNUSED and bare_data(values[0]) != bare_data(values[1]))
    ]


def _is_one_input(path: Path, values: Sequence[Any]) -> bool:
    """Tell whether what two scenarios say at a path changes as a whole."""
    if len(path) == 2 and path[0] == "drivers" and all(isinstance(value, Mapping) for value in values):
        return ("factors" in values[0]) != ("factors" in values[1])  # one of factors has no start and growth of its own
    whole = path == ("years",) or (len(path) == 2 and path[0] in ("correlations", "events", "thresholds"))
    return whole or _holds_prior(path, values) or _are_uneven(path, values)


def bare_data(value: Any, *, without: Collection[str] = _UNUSED) -> Any:
    """Leave of plain data what results depend on; `prior` is only where the numbers beside it come from."""
    if isinstance(value, Mapping):
        return {key: bare_data(inner, without=without) for key, inner in value.items() if key not in without}
    return [bare_data(inner, without=without) for inner in value] if isinstance(value, list) else value


def swapped(scenario: Scenario, swaps: Sequence[Swap]) -> Scenario:
    """Give a scenario with some entries as in the other."""
    data: Any = scenario.data
    for swap in swaps:
        for entry in swap.entries:
            data = with_entry(data, entry.path, entry.other)
    return resolve(Document(data, {}))


def with_entry(data: Any, path: Path, value: Any) -> Any:
    """Copy plain data with another value at a path; ABSENT takes the entry away."""
    head, rest = path[0], path[1:]
    if isinstance(data, list):
        return [(with_entry(item, rest, value) if rest else value) if place == head else item
                for place, item in enumerate(data)]  # fmt: skip
    above = {} if data is ABSENT else dict(data)
    inner = with_entry(above.get(head, ABSENT), rest, value) if rest else value
    if value is ABSENT and (not rest or inner == {}):  # an empty map says no more than none
        above.pop(head, None)
    else:
        above[head] = inner
    return above


def laid_between(before: Any, after: Any) -> dict[Path, Any]:
    """List what is to be laid over what a scenario says to make another of it, by path; None takes an entry away.

    Priors and lists are replaced as a whole, and what starts anew keeps its date; what each says of itself is left out.
    """
    found: dict[Path, Any] = {}
    for path, (_, value) in topmost_differences([before, after], whole=_is_replaced):
        if path[0] in OF_ITS_OWN:
            continue
        found[path] = None if value is ABSENT else value
        for place, part in enumerate(path):
            dated = (*path[:place], "at")
            if part == "start" and (at := lookup(after, dated)) is not None:
                found[dated] = at
    return found


def _is_replaced(path: Path, values: Sequence[Any]) -> bool:
    return _holds_prior(path, values) or any(isinstance(value, list) for value in values)


def as_layer(changes: Mapping[Path, Any], after: Any, *, under: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write what is laid over a scenario, and over what lies `under` it, so that it says what is there `after`."""
    layer: Any = dict(under or {})
    for path, value in changes.items():
        layer = with_entry(layer, path, value)
    if isinstance(own := layer.get("thresholds"), Mapping) and any(path[0] == "thresholds" for path in changes):
        places = list(lookup(after, ("thresholds",)) or ())  # a file tells its own first
        until = max((places.index(name) + 1 for name in own if name in places), default=0)
        layer["thresholds"] = {name: own.get(name, {}) for name in places[:until]} | dict(own)
    return dict(layer)


def joined_swaps(scenario: Scenario, entries: Sequence[Entry]) -> list[Swap]:
    """Join entries that do not hold together one without the other, such as a constraint and the quantity it names.

    Each input is tried alone and left out alone; one that fails is joined to the first other with which neither fails,
    or else to all that fail.
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


def _texts(data: Any) -> list[str]:
    return [value for value in values_in(data) if isinstance(value, str)]


def _by_mention(entries: Sequence[Entry]) -> list[Swap]:
    """Join a start and its date, and a quantity or an input that only one scenario has and what is built of it."""
    groups = [[entry] for entry in entries]
    for entry in entries:
        head, key = entry.path[:-1], entry.path[-1]
        if key == "at":
            near = [group for group in groups if any(one is entry or one.path == (*head, "start") for one in group)]
        elif head in (("quantities",), ("stocks",), ("inputs",)) and ABSENT in (entry.one, entry.other):
            near = [
                group for group in groups
                if any(one is entry or key in (*_texts(one.one), *_texts(one.other)) for one in group)
            ]  # fmt: skip
        else:
            continue
        groups = [group for group in groups if group not in near] + [[one for group in near for one in group]]
    return [
        Swap(tuple(sorted(group, key=entries.index))) for group in sorted(groups, key=lambda g: entries.index(g[0]))
    ]


def _separable(scenario: Scenario, swaps: Sequence[Swap], one: Swap) -> bool:
    return _holds(scenario, [one]) and _holds(scenario, [swap for swap in swaps if swap is not one])


def _holds(scenario: Scenario, swaps: Collection[Swap]) -> bool:
    try:
        swapped(scenario, list(swaps))
    except InputError:
        return False
    return True
