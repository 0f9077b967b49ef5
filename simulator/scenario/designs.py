"""Designs: many points over several entries of a scenario at once, spread evenly or read from a table.

A sweep's grid has every combination of values; a design has points, of which each sets all the entries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from simulator.errors import InputError, Path, Place, PlacedFault, ScenarioError, near_name, shown
from simulator.files import CsvError, read_csv
from simulator.priors.streams import latin_hypercubes, random_numbers
from simulator.scenario.documents import parse_document
from simulator.scenario.sweep_axes import (
    Axis,
    AxisPoint,
    checked_axes,
    files_beyond,
    one_unit,
    path_of,
    range_of,
    root_of,
    value_override,
)
from simulator.schema.amounts import read_amount
from simulator.units import Array

MOST_DESIGN = 10_000
"""Points of a design or of a table; more are refused."""
POINT = "point"
"""The dimension of the points."""
KINDS = {"lhs": "Latin hypercube", "sobol": "Sobol sequence", "file": "points of a table"}
WRITTEN_DESIGN = "Write for example --over drivers.spending.growth[0].rate.centre=1.5x/year:4x/year --design lhs:500."
_BITS = 30


@dataclass(frozen=True, slots=True)
class Input:
    """An entry that every point sets: its values as `--set` takes them, and numbers in one unit where they are such."""

    name: str
    path: Path
    values: tuple[Any, ...]
    numbers: Array | None
    unit: str = ""
    log: bool = False
    """Whether its numbers are spread evenly by ratios."""


@dataclass(frozen=True, slots=True)
class Design:
    """Points over several entries; a point is called by its label, or by its number from 1 on."""

    kind: str
    inputs: tuple[Input, ...]
    labels: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many points it has."""
        return len(self.inputs[0].values)

    def overrides(self, point: int) -> list[str]:
        """Say what a point sets, as `path=value`."""
        return [f"{each.name}={value_override(each.values[point])}" for each in self.inputs]

    def name(self, point: int) -> str:
        """Name a point."""
        return f"{POINT} {self.labels[point] if self.labels else point + 1}"

    @property
    def axis(self) -> Axis:
        """The dimension of its points."""
        names = self.labels or [str(place + 1) for place in range(self.size)]
        numbers = None if self.labels else tuple(float(place + 1) for place in range(self.size))
        return Axis(POINT, tuple(AxisPoint(name, ()) for name in names), numbers=numbers)


def read_design(over: Mapping[str, Any] | Sequence[str], design: str, *, seed: int) -> Design:
    """Spread points over ranges `path=from:to[:log]`, as `lhs:500` or `sobol:512` says.

    A Latin hypercube has one point in each of as many equal parts of every range (McKay, Beckman and Conover 1979). A
    Sobol sequence fills all ranges together (directions of Joe and Kuo 2008), moved by a random digital shift. The
    numbers of an entry hang on the seed, its path and the number of points.
    """
    kind, _, told = design.strip().partition(":")
    count = int(told) if told.strip().isdigit() else 0
    if kind not in ("lhs", "sobol") or not 2 <= count <= MOST_DESIGN:
        rule = f"must be lhs:POINTS or sobol:POINTS, with 2 to {MOST_DESIGN:,} points"
        raise InputError(f"--design {design}: {rule}. {near_name(kind, KINDS)} {WRITTEN_DESIGN}".replace(".  ", ". "))
    if kind == "sobol" and count & (count - 1):
        near = 1 << (count.bit_length() - 1)
        rule = "a Sobol sequence is even for a power of two"
        raise InputError(f"--design {design}: {rule}. Write sobol:{near} or sobol:{min(2 * near, 8192)}.")
    ranges = over.items() if isinstance(over, Mapping) else (_parted(text) for text in over)
    ends = [_ends(str(name), given) for name, given in ranges]
    if not ends:
        raise InputError(f"--design {design}: nothing is swept. {WRITTEN_DESIGN}")
    uniforms = _uniforms(kind, count, [end.name for end in ends], seed=seed)
    inputs = [_spread(end, own) for end, own in zip(ends, uniforms, strict=True)]
    return _checked(Design(kind, tuple(inputs)))


def _parted(text: str) -> tuple[str, str]:
    name, _, values = text.partition("=")
    return name.strip(), values.strip()


def _ends(name: str, given: Any) -> Input:
    """Read the range of an entry: its ends."""
    pair = isinstance(given, Sequence) and not isinstance(given, str) and len(given) == 2
    text = f"{given[0]}:{given[1]}" if pair else str(given)
    parts = [part.strip() for part in text.split(":")]
    path = path_of(name)
    if len(parts) not in (2, 3) or not all(parts):
        raise InputError(f"--over {name}={text}: with --design it must be from:to, or from:to:log. {WRITTEN_DESIGN}")
    steps, _, unit = one_unit(name, ":".join([*parts[:2], "2", *parts[2:]])).partition(" ")
    ends = range_of(name, steps)
    return Input(name, path, tuple(ends), np.array(ends), unit.strip(), log=parts[2:] == ["log"])


def _spread(ends: Input, uniforms: Array) -> Input:
    """Put numbers between 0 and 1 between the ends of a range."""
    low, high = np.log10(ends.values) if ends.log else np.asarray(ends.values)
    steps = low + (high - low) * uniforms
    numbers = [float(f"{step:.12g}") for step in (10.0**steps if ends.log else steps)]
    values = tuple(f"{number!r} {ends.unit}" if ends.unit else number for number in numbers)
    return Input(ends.name, root_of(ends.path, values), values, np.array(numbers), ends.unit, ends.log)


def _uniforms(kind: str, count: int, names: Sequence[str], *, seed: int) -> Array:
    """Spread points over the unit cube, (input, point)."""
    keyed = [f"design {kind} {name}" for name in names]
    if kind == "lhs":
        return latin_hypercubes(keyed, seed=seed, blocks=range(1), size=count)
    from scipy.stats.qmc import Sobol

    if len(names) > Sobol.MAXDIM:
        raise InputError(f"--design sobol: has {len(names):,} entries; at most {Sobol.MAXDIM:,} are spread. Take lhs.")
    plain = Sobol(len(names), scramble=False, bits=_BITS).random_base2(count.bit_length() - 1).T
    grid, shift = (
        np.floor(np.ldexp(each, _BITS)).astype(np.int64)
        for each in (plain, random_numbers(keyed, seed=seed, blocks=range(1), size=1))
    )
    return np.asarray(np.ldexp((grid ^ shift) + 0.5, -_BITS))


def read_points(path: FilePath | str) -> Design:
    """Read points from a table (CSV): a column for each entry, called by its path, and maybe one called `label`."""
    (line, heads), *rows = _rows(FilePath(path))
    if len(rows) > MOST_DESIGN:
        raise _refused(path, line, f"has {len(rows):,} points; at most {MOST_DESIGN:,} are run.", "Take fewer rows.")
    names = [name.strip() for name in heads]
    paths = {}
    for name in names:
        if name != "label":
            try:
                paths[name] = path_of(name)
            except InputError as error:
                told = str(error).removeprefix("--over ").partition(" Write for example")[0]
                raise _refused(path, line, told, "A column is called by the path of the entry that it sets.") from None
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise _refused(path, line, f"has two columns '{twice[0]}'.", "Keep one of them.")
    if not paths or not rows:
        what = "has no column of an entry." if not paths else "has a header and no points."
        raise _refused(path, line, what, "Write the paths of entries in its first line, and a point in each other.")
    cells: dict[str, list[Any]] = {name: [] for name in names}
    for at, row in rows:
        if len(row) != len(names):
            raise _refused(path, at, f"has {len(row)} cells; the first line names {len(names)}.", "Fill it up.")
        for name, cell in zip(names, row, strict=True):
            cells[name].append(cell.strip() if name == "label" else _cell(path, at, name, cell.strip()))
    labels = tuple(cells.pop("label", ()))
    if twice := [label or "nothing" for label, count in Counter(labels).items() if count > 1 or not label]:
        raise _refused(path, line, f"the label {shown(twice[0])} stands at several points, or is none.", "Tell apart.")
    inputs = [_column(name, paths[name], tuple(values)) for name, values in cells.items()]
    design = Design("file", tuple(inputs), labels)
    for point, (at, _) in enumerate(rows):
        if rule := files_beyond(design.overrides(point)):
            raise _refused(path, at, rule, "")
    return _checked(design)


def _rows(path: FilePath) -> list[tuple[int, list[str]]]:
    try:
        return read_csv(path) or [(1, [])]
    except FileNotFoundError:
        raise InputError(f"--points {path}: there is no such file. Name a CSV file.") from None
    except CsvError as error:
        raise _refused(path, error.line, f"{error}.", "Mend the file.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no CSV text in UTF-8"
        raise InputError(f"--points {path}: cannot be read: {reason}. Name a CSV file.") from None


def _refused(path: FilePath | str, line: int, rule: str, remedy: str) -> InputError:
    return InputError(str(PlacedFault(Place(str(path), line, 1), "", rule, remedy)))


def _cell(path: FilePath | str, line: int, name: str, text: str) -> Any:
    """Read a cell: a number, an amount, a word, or plain data; `none` takes an entry away."""
    if not text:
        raise _refused(path, line, f"{name}: is empty.", "Write a value; none takes the entry away.")
    try:
        return float(text)
    except ValueError:
        pass
    if text[0] not in "[{":
        return None if text in ("none", "null") else text
    try:
        return parse_document(text, file=name).data
    except ScenarioError as error:
        raise _refused(path, line, f"{name}: cannot be read: {error.faults[0].rule}", "Write a value.") from None


def _column(name: str, path: Path, values: tuple[Any, ...]) -> Input:
    amounts = [read_amount(value) if isinstance(value, str) else None for value in values]
    units = {"" if isinstance(value, float) else amount.unit if amount else None
             for value, amount in zip(values, amounts, strict=True)}  # fmt: skip
    numbers = None
    if len(units) == 1 and None not in units:
        told = [amount.value if amount else value for value, amount in zip(values, amounts, strict=True)]
        numbers = np.array(told, dtype=np.float64)
    unit = str(units.pop() or "") if numbers is not None else ""
    return Input(name, root_of(path, values), values, numbers, unit)


def _checked(design: Design) -> Design:
    """Refuse entries that are swept twice, or stand in one another."""
    checked_axes([Axis(each.name, (AxisPoint("", ()),), (each.path,)) for each in design.inputs])
    return design
