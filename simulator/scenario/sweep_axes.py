"""What a sweep changes: its axes, from what is written behind `--over`, in a file's `sweep:` block or in Python.

An axis is called after the entry that it changes, `drivers.spending.growth[0].rate.median`, or by a word of its own
where each of its points changes several entries. A point of an axis is a label and the overrides that make it, as
`--set` takes them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from simulator.errors import InputError, Path, ScenarioError, dotted, is_item_name, near_name, number, shown
from simulator.scenario.assumptions import parts_of
from simulator.scenario.documents import parse_document
from simulator.scenario.layers import position
from simulator.scenario.library import beyond, named_files
from simulator.scenario.overrides import CENTRE, no_item, parse_override
from simulator.scenario.resolving import Scenario
from simulator.schema.amounts import Amount, in_unit, is_amount, read_amount
from simulator.schema.base import LARGEST
from simulator.schema.statements import is_prior
from simulator.units import UnitError

MOST_POINTS = 400
"""Points of a sweep; more are refused."""

WRITTEN = (
    "Write for example --over drivers.spending.growth[0].rate.centre=1.5:4:6 (from:to:count), =1e10:1e12:5:log, "
    "or values with commas between them."
)
_GONE = ("extends", "mixture", "variants", "sweep")
_FIXED = {
    **dict.fromkeys(("seed", "samples", "block", "design"), "every point is run on the same draws"),
    "years": "every point has the same years",
    **dict.fromkeys(("schema", "name", "title", "notes", "subject", "dollars"), "it changes no number"),
    **dict.fromkeys(_GONE, "it is gone when the scenario is read"),
}
_RANGE = re.compile(r"[^\s{}\[\],'\"]*:[^\s{}\[\],'\"]*")
_TAKEN = re.compile(r"year|quantile|threshold|quantity|label|falling|sample|limit_.*")


@dataclass(frozen=True, slots=True)
class AxisPoint:
    """One step along an axis: its label, and what is set there, as `path=value`."""

    label: str
    overrides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """What is changed along one dimension of a sweep.

    `paths` are the entries that it changes; `numbers` the values where all are numbers, else None; labels have no unit.
    `label` is what the scenario calls it; empty where nothing is known.
    """

    name: str
    points: tuple[AxisPoint, ...]
    paths: tuple[Path, ...] = ()
    numbers: tuple[float, ...] | None = None
    unit: str = ""
    label: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """What its points are called."""
        return tuple(point.label for point in self.points)

    @property
    def values(self) -> tuple[float, ...] | tuple[str, ...]:
        """Its numbers, or its labels where it has none."""
        return self.labels if self.numbers is None else self.numbers


def parse_over(texts: Sequence[str]) -> tuple[Axis, ...]:
    """Read what stands behind several `--over`: `path=from:to:count[:log]` or `path=value,value,...`."""
    axes = []
    for text in texts:
        name, equals, values = text.partition("=")
        if not equals or not name.strip() or not values.strip():
            raise InputError(f"--over {text}: must be path=values. {WRITTEN}")
        axes.append(_axis(name.strip(), values.strip()))
    return checked_axes(axes)


def read_axes(over: Mapping[str, Any]) -> tuple[Axis, ...]:
    """Read axes from a mapping: from a file's `sweep:` block, or from Python."""
    return checked_axes([_axis(str(name), values) for name, values in over.items()])


def checked_axes(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """Check axes against one another, and the number of their points."""
    if not axes:
        raise InputError(f"sweep: nothing is swept. {WRITTEN}")
    seen: dict[Path, str] = {}
    for axis in axes:
        if axis.name in seen.values():
            raise InputError(f"--over {axis.name}: is written twice. Put all its values behind one --over.")
        for path in axis.paths:
            for other, owner in seen.items():
                shorter = min(len(path), len(other))
                if path[:shorter] == other[:shorter]:
                    both = "the same entry" if path == other else "entries one of which stands inside the other"
                    raise InputError(
                        f"--over {axis.name}: and --over {owner} change {both} ({dotted(other)}, {dotted(path)}). "
                        "Sweep one of them, or name points in the sweep block of a file, each with all that it changes."
                    )
        seen |= dict.fromkeys(axis.paths, axis.name)
    count = math.prod(len(axis.points) for axis in axes)
    if count > MOST_POINTS:
        product = " x ".join(str(len(axis.points)) for axis in axes)
        raise InputError(
            f"sweep: {product} = {count:,} points; at most {MOST_POINTS} are run. Take fewer values, or sweep fewer "
            "entries at once: the rest of a large grid is better asked of a run's samples."
        )
    return tuple(axes)


def _axis(name: str, given: Any) -> Axis:
    if "." not in name and "[" not in name and isinstance(given, Mapping):
        return _named_points(name, given)
    path = path_of(name)
    if isinstance(given, Mapping):
        labels, values = [str(label) for label in given], list(given.values())
    else:
        values = [_plain(value) for value in _values(name, given)]
        labels = _labels(values)
    if not values:
        raise InputError(f"--over {name}: has no values. {WRITTEN}")
    _refuse_repeats(name, labels, values)
    texts = [f"{name}={value_override(value)}" for value in values]
    points = tuple(AxisPoint(label, (text,)) for label, text in zip(labels, texts, strict=True))
    return Axis(name, points, (root_of(path, values),), None if isinstance(given, Mapping) else _numbers(values))


def _numbers(values: Sequence[Any]) -> tuple[float, ...] | None:
    """Give the numbers of values that are all numbers, without a unit or in one; None where they are not."""
    amounts = [read_amount(value) if isinstance(value, str) else Amount(value) for value in values]
    if any(not isinstance(value, str | int | float) or isinstance(value, bool) for value in values):
        return None
    if any(each is None for each in amounts) or len({each.unit for each in amounts if each}) > 1:
        return None
    return tuple(float(each.value) for each in amounts if each)


def root_of(path: Path, values: Sequence[Any]) -> Path:
    """Find what a path changes: all of a prior where it is moved, or another entry of the library takes its place."""
    whole = path[-1] == CENTRE or (path[-1] == "prior" and any(isinstance(value, str) for value in values))
    return path[:-1] if whole else path


def _named_points(name: str, given: Mapping[Any, Any]) -> Axis:
    """Read points with a label each, which change several entries at once."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name) or _TAKEN.fullmatch(name):
        raise InputError(
            f"sweep: '{name}' cannot be the name of an axis. Use lower-case letters, digits and hyphens, and no name "
            "that a run has (year, quantile, threshold); or write the path of the entry that is swept."
        )
    points, paths = [], list[Path]()
    for label, changes in given.items():
        if not isinstance(changes, Mapping):
            raise InputError(
                f"sweep: {name}: {label}: must be entries with values; got {shown(changes)}. Write for example "
                f"{label}: {{drivers.spending.start.median: 1e8}}; '{name}' is no path, so each point says what it "
                "changes."
            )
        for path in map(str, changes):
            root = root_of(path_of(path), [changes[path]])
            paths += [root] if root not in paths else []
        texts = (f"{path}={value_override(_plain(value))}" for path, value in changes.items())
        points.append(AxisPoint(str(label), tuple(texts)))
    if not points:
        example = f"{name}: {{poor: {{drivers.spending.start: 1e8}}}}"
        raise InputError(f"sweep: {name}: has no points. Write for example {example}.")
    _refuse_repeats(name, [point.label for point in points], [list(point.overrides) for point in points])
    return Axis(name, tuple(points), tuple(paths))


def path_of(name: str) -> Path:
    """Read the path of an entry that may be swept."""
    try:
        path = parse_override(f"{name}=0").path
    except InputError:
        raise InputError(f"--over {name}: is no path of an entry. {WRITTEN}") from None
    if str(path[0]) in _FIXED:
        remedy = "" if path[0] in _GONE else " Give it to the whole sweep with --set."
        raise InputError(f"--over {name}: cannot be swept: {_FIXED[str(path[0])]}.{remedy}")
    return path


def _values(name: str, given: Any) -> list[Any]:
    if not isinstance(given, str):
        return list(given) if isinstance(given, Sequence) or hasattr(given, "__iter__") else [given]
    steps, _, unit = one_unit(name, given).partition(" ")
    if _RANGE.fullmatch(steps) and (not unit or is_amount(f"1 {unit}")):
        return [f"{step:g} {unit.strip()}" if unit else step for step in range_of(name, steps)]
    try:
        parsed = parse_document(f"[{given}]", file=f"--over {name}={given}").data
    except ScenarioError as error:
        said = f"{error.faults[0].rule} {error.faults[0].remedy}".rstrip()
        raise InputError(f"--over {name}={given}: the values cannot be read: {said}") from None
    return list(parsed)


def one_unit(name: str, given: str) -> str:
    """Write a range between amounts or dates, 2x/year:4x/year:3, as one of numbers with their unit behind it."""
    parts = [part.strip() for part in given.split(":")]
    first, last = (read_amount(part) for part in parts[:2]) if len(parts) in (3, 4) else (None, None)
    if first is None or last is None or not (first.unit or last.unit):
        return given
    unit = last.unit or first.unit
    try:
        steps = [repr(in_unit(first, unit)), repr(last.value), *parts[2:]]
    except UnitError as error:
        rule = f"{parts[0]} {error.rule.replace('the prior', parts[1])}"
        raise InputError(f"--over {name}={given}: {rule} Write both ends in {unit}.") from None
    return f"{':'.join(steps)} {unit}"


def range_of(name: str, text: str) -> list[float]:
    """Read from:to:count[:log]; a unit may stand behind it."""
    parts = text.split(":")
    try:
        first, last, count = float(parts[0]), float(parts[1]), float(parts[2])
    except (ValueError, IndexError):
        raise InputError(
            f"--over {name}={text}: must be from:to:count, three numbers, with :log behind them for equal ratios. "
            f"{WRITTEN}"
        ) from None
    spacing = parts[3:] or ["linear"]
    if spacing not in (["linear"], ["log"]):
        hint = near_name(":".join(spacing), ("linear", "log")) or "It is linear or log."
        raise InputError(f"--over {name}={text}: '{':'.join(spacing)}' is no spacing. {hint}")
    rule = ""
    if not (math.isfinite(first) and math.isfinite(last)) or first == last:
        rule = f"must go from one finite number to another; got {number(first)} to {number(last)}"
    elif max(abs(first), abs(last)) > LARGEST:
        rule = f"must go from one number to another, each at most {LARGEST:g}; got {number(first)} to {number(last)}"
    elif count != count // 1 or not 2 <= count <= MOST_POINTS:
        rule = f"the count must be a whole number from 2 to {MOST_POINTS}; got {parts[2]}"
    elif spacing == ["log"] and not (first > 0 and last > 0):
        rule = f"log spacing needs numbers above 0; got {number(first)} to {number(last)}"
    if rule:
        raise InputError(f"--over {name}={text}: {rule}. {WRITTEN}")
    in_log = spacing == ["log"]
    ends = (math.log10(first), math.log10(last)) if in_log else (first, last)
    steps = np.linspace(*ends, int(count))
    return [float(f"{step:.12g}") for step in (10.0**steps if in_log else steps)]


def _plain(value: Any) -> Any:
    """Turn numbers of numpy into Python's, and sequences into lists."""
    if hasattr(value, "item") and not isinstance(value, Mapping):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if value is not None and not isinstance(value, str | int | float):
        raise InputError(f"sweep: a value must be plain data, as a file holds it; got {value!r}.")
    return value


def value_override(value: Any) -> str:
    """Write a value as `--set` takes it; a whole number without its point, as it is mostly typed."""

    def whole(value: Any) -> Any:
        if isinstance(value, list):
            return [whole(item) for item in value]
        return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e6 else value

    return json.dumps(whole(value), ensure_ascii=False)


def files_beyond(texts: Sequence[str]) -> str:
    """Say which file changes name that lies beyond the working directory, where a file makes them; nothing else."""
    for path, _, value in (text.partition("=") for text in texts if '"' in text):
        for key, name in named_files({path: json.loads(value)}):
            if beyond(name, FilePath()):
                return (
                    f"{key}: {shown(name)} lies outside the working directory. Name it on the command line, by --over."
                )
    return ""


def _labels(values: Sequence[Any]) -> list[str]:
    """Write values as labels, all different."""
    labels = ["none" if value is None else value if isinstance(value, str) else shown(value) for value in values]
    return [f"{label} ({place + 1})" if labels.count(label) > 1 else label for place, label in enumerate(labels)]


def _refuse_repeats(name: str, labels: Sequence[str], values: Sequence[Any]) -> None:
    for place, value in enumerate(values):
        if value in values[:place]:
            said = labels[place].removesuffix(f" ({place + 1})")
            raise InputError(f"--over {name}: the value {said} is written twice. Write each value once.")


def check_paths(base: Scenario, axis: Axis) -> None:
    """Refuse an entry of which the scenario has not even what it stands in: to make it would be a new thing."""
    every = parts_of(base).values()
    for path in axis.paths:
        missing = [found for data in every if (found := _missing(data, path)) is not None]
        if len(missing) == len(every):
            raise InputError(f"--over {axis.name}: {missing[0]}")


def _missing(data: Any, path: Path) -> str | None:
    """Say what of a path is not there; its last part may be new, and so may all that stands in a prior."""
    for place, part in enumerate(path):
        above = dotted(path[:place]) or "the scenario"
        if isinstance(part, int) or is_item_name(part):
            if not isinstance(data, list) or (at := position(data, part)) is None:
                return f"{above} {no_item(data, path[place:], path[:place])}"
            data = data[at]
            continue
        if isinstance(data, list):
            return f"{above} is a list of {len(data)}; name one, as in {above}[0]."
        if is_prior(data):
            return None
        if not isinstance(data, Mapping):
            return f"{above} is {shown(data)}: it has no entry '{part}'."
        known = {str(key): key for key in data}
        if part not in known:
            if place == len(path) - 1:
                return None
            listed = f"There are: {', '.join(known)}." if len(known) <= 12 else ""
            return f"there is no '{part}' in {above}. {near_name(part, known) or listed}".rstrip()
        data = data[known[part]]
    return None
