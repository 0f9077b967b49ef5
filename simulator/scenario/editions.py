"""The first edition of the format, `schema: 1`, and how a file of it is rewritten as the second, comments kept.

In the second edition growth, shares and times say their unit, a start says its year, and a halving time halves the
level that it stands on; `months/halving of requirement` is what `months/halving` was.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from simulator.errors import InputError, Path, Place, ScenarioError, as_path, number
from simulator.files import write_text
from simulator.scenario.documents import Document, composed, file_document, parse_document
from simulator.scenario.layers import entries_in, lookup, merge, positions, text_keys
from simulator.scenario.library import library_entry, parent_file
from simulator.schema.amounts import HELD, is_read_one_way
from simulator.schema.prior_names import key_of
from simulator.schema.statements import is_prior

_DEFAULT: Mapping[str, str] = {
    **dict.fromkeys(("growth", "rate", "towards"), "x/year"),
    **dict.fromkeys(("share", "largest_share"), "fraction"),
    **dict.fromkeys(("half_life", "delay"), "years"),
}
"""The units that numbers under a key had without a word."""
_HALVING = ("months/halving", "years/halving")

type _Layers = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Edit:
    """A stretch of a text and what takes its place."""

    start: int
    end: int
    text: str
    what: str


def upgraded_text(text: str, file: str) -> tuple[str, list[str]]:
    """Rewrite a text of the first edition as one of the second, and list what was changed, by line.

    Nothing else moves: comments, order and layout stay.
    """
    root = composed(text, file)
    document = parse_document(text, file=file, keep_faults=True)
    edits = {edit.start: edit for edit in _of_document(root, document, file)}
    lines = []
    for edit in sorted(edits.values(), key=lambda edit: edit.start, reverse=True):
        lines.append(f"{file}:{text.count('\n', 0, edit.start) + 1}: {edit.what}")
        more = 0 if "\n" in edit.text else len(edit.text) - edit.end + edit.start
        text = text[: edit.start] + edit.text + _in_column(text[edit.end :], more)
    return text, lines[::-1]


def _in_column(rest: str, more: int) -> str:
    """Leave the comment at the end of a line in its column, where there is room for what was added before it."""
    found = re.match(r"""((?:[^\n#'"]|"[^"\n]*"|'[^'\n]*')*? )( +)#""", rest)
    return rest if found is None else found[1] + " " * max(0, len(found[2]) - more) + rest[found.end(2) :]


def upgrade_file(file: FilePath | str, *others: FilePath | str) -> list[str]:
    r"""Rewrite a file of the first edition as one of the second; what was changed, by line. Nothing where it is one.

    Parameters
    ----------
    file : path
        A scenario file or a prior library.
    *others : path
        More of them. All are read before one is written: what a file means hangs on those that it extends.

    Returns
    -------
    list of str
        A line for each change; empty where the file is of the second edition already.

    Raises
    ------
    ScenarioError
        One cannot be read as YAML; nothing is written then.
    InputError
        One that is to be rewritten is protected against it; nothing is written then.

    Examples
    --------
    >>> from pathlib import Path; from tempfile import mkdtemp
    >>> file = Path(mkdtemp()) / "mine.yaml"
    >>> _ = file.write_text("schema: 1\nextends: baseline\nname: mine\n")
    >>> len(upgrade_file(file)), file.read_text().splitlines()[0]
    (1, 'schema: 2')
    """
    paths = list({path.resolve(): path for path in map(FilePath, (file, *others))}.values())
    old = {path: path.read_text(encoding="utf-8-sig") for path in paths if is_first_edition(file_document(path).data)}
    new = {path: upgraded_text(text, str(path)) for path, text in old.items()}
    for path in new:
        if not path.stat().st_mode & 0o222:
            raise InputError(
                f"{path}: is read-only. Give yourself the right to write it (chmod u+w); nothing is changed."
            )
    for path, (text, _) in new.items():
        mode = path.stat().st_mode
        write_text(path.resolve(), text.replace("\n", "\r\n") if b"\r\n" in path.read_bytes() else text, lasting=True)
        path.chmod(mode)
    return [line for _, lines in new.values() for line in lines]


def change_rows(files: Iterable[FilePath], changes: Iterable[str]) -> dict[str, list[dict[str, object]]]:
    """Tabulate what `upgrade_file` did: each change by file and line, and of each file whether it was changed."""
    rows: list[dict[str, object]] = []
    for file, line in itertools.product(files, changes):
        number, parted, what = line.removeprefix(f"{file}:").partition(": ")
        if line.startswith(f"{file}:") and parted and number.isdecimal():
            rows.append({"file": str(file), "line": int(number), "change": what})
    changed = {row["file"] for row in rows}
    return {"changes": rows, "files": [{"file": str(file), "changed": str(file) in changed} for file in files]}


def upgraded_data(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Rewrite what an older run holds, plain data of the first edition, as the second says it."""
    text, _ = upgraded_text(json.dumps(data, ensure_ascii=False), "the stored scenario")
    said: Mapping[str, Any] = parse_document(text).data
    return said


def is_first_edition(data: Any) -> bool:
    """Tell whether plain data says `schema: 1`."""
    return isinstance(data, Mapping) and data.get("schema") in (1, "1") and data["schema"] is not True


def _of_document(root: Any, document: Document, file: str) -> Iterator[_Edit]:
    """List the changes of one scenario or library; of scenarios that are written in it, too."""
    own = text_keys(document.data)
    for path, _, node, _ in _nodes(root, ()):
        if path == ("schema",) and node.id == "scalar" and node.value == "1":
            yield _instead(node, "2", "schema: 1 -> 2")
        if path[-1:] == ("unit",) and node.id == "scalar" and node.value in _HALVING:
            told = f"{node.value} of requirement"
            yield _instead(node, told, f"unit: {node.value} -> {told}")
        if path[:1] == ("mixture",) and path[2:] == ("scenario",) and node.id == "mapping":
            yield from _of_document(node, Document(lookup(own, path), {}), file)
    written = _layers(own, file)
    for path, key, node, flow in _nodes(root, ()):
        at, layers = path, written
        if path[:1] == ("variants",):
            at, layers = path[2:], (lookup(own, path[:2]), *written)
        elif path[:1] == ("mixture",):
            if path[2:3] != ("changes",) or not isinstance(lookup(own, (*path[:2], "scenario")), str):
                continue
            of = _layers({"extends": lookup(own, (*path[:2], "scenario"))}, file)
            at, layers = path[3:], (lookup(own, path[:3]), *of)
        before = _first_year(_laid(layers[1:])) if at == ("years", "first") else None
        if before not in (None, _first_year(_laid(layers))):
            yield _Edit(key.start_mark.index, key.start_mark.index, "", _moved(node.value, before))
        if at[:1] == ("sweep",):
            yield from _of_axis(at, node, layers, file)
        yield from _of_entry(at, key, node, layers, file, flow=flow)


def _of_axis(path: Path, node: Any, layers: _Layers, file: str) -> Iterator[_Edit]:
    """List the changes of the values of a sweep: under the path of what it changes, or of a point with a name."""
    whole = _laid(layers)
    target = positions(whole, as_path(str(path[-1])))
    if len(path) not in (2, 4) or len(target) < 2:
        return
    unit, above = _unit_of(target, whole), lookup(whole, target[:-1])
    if not unit and target[-1] in ("centre", *HELD) and _unit_of(target[:-1], whole) and isinstance(above, Mapping):
        told = _library_unit(above, file) or ""
        unit = "" if "unit" in above or is_read_one_way(told) else told
    data, values = lookup(layers[0], path), [node]
    if node.id != "scalar":
        values = [each[1] for each in node.value] if node.id == "mapping" else node.value
    listed = data.values() if isinstance(data, Mapping) else data if isinstance(data, list) else [data]
    for value, said in zip(values, listed, strict=True) if unit else ():
        if isinstance(said, str) and re.fullmatch(r"[^\s,{]+:[^\s,{]+:[0-9]+(:log)?", said):
            yield _instead(value, json.dumps(told := f"{said} {unit}"), f"{said} -> {told}")
        else:
            yield from _with_unit(value, said, unit, file)


def _moved(first: str, before: float | None) -> str:
    return (
        f"first: {first}, where what is changed begins in {number(before or 0.0)}: inherited starts without `at` held "
        f"in {first}, and now hold in the year of their own file. Write at: {first} beside those that are to move."
    )


def _of_entry(path: Path, key: Any, node: Any, layers: _Layers, file: str, *, flow: bool) -> Iterator[_Edit]:
    """List the changes of one entry of the first of the layers; together they are the scenario in which it stands."""
    whole = _laid(layers)
    if unit := _unit_of(path, whole):
        yield from _with_unit(node, lookup(whole, path), unit, file)
    if key_of(path) == "start" and len(path) > 1 and (first := _first_year(whole)) is not None:
        above = lookup(whole, path[:-1])
        if isinstance(above, Mapping) and "feedback" not in path and _held_in_first_year(path[:-1], above, layers):
            yield _before(key, f"at: {number(first)}", flow=flow)


def _held_in_first_year(path: Path, above: Mapping[str, Any], layers: _Layers) -> bool:
    """Tell whether a start had no year of its own: none is said, or by a layer of schema 2 that wrote its own first."""
    for at, layer in enumerate(layers):
        if "at" in above and lookup(layer, (*path, "at")) is not None:
            moved = above["at"] != _first_year(_laid(layers))
            return moved and layer.get("schema") == 2 and above["at"] == _first_year(_laid(layers[at:]))
    return True


def _unit_of(path: Path, whole: Mapping[str, Any]) -> str:
    """Name the unit that a rate, a share or a time had without a word; empty for any other entry."""
    if len(path) == 2 and path[0] == "inputs":
        uses = {
            at[-2] for at, value in entries_in(whole) if at and at[-1] == "input" and value == path[1] and len(at) > 1
        }
        return next((unit for key, unit in _DEFAULT.items() if key in uses), "")
    sections = ("drivers", "quantities", "stocks", "allocation", "constraints", "models", "thresholds")
    return _DEFAULT.get(key_of(path), "") if path and path[0] in sections else ""


def _with_unit(node: Any, said: Any, unit: str, file: str) -> Iterator[_Edit]:
    """Give a prior the unit that it had by default, where none is stated."""
    if node.id == "scalar" and isinstance(said, int | float) and not isinstance(said, bool):
        told = f"{node.value}{unit}" if unit.startswith("x") else f"{node.value} {unit}"
        yield _instead(node, told, f"{node.value} -> {told}")
    if node.id != "mapping" or not is_prior(said) or {"unit", "input"} & {*said}:
        return
    parts = next((inner for key, inner in node.value if key.value == "mixture"), None)
    if parts is not None:
        for inner, part in zip(parts.value, said["mixture"], strict=True):
            yield from _with_unit(inner, part, unit, file)
        return
    if "prior" in said:
        stated = _library_unit(said, file)
        if stated is None or (
            stated and not any(is_prior({key: value}) for key, value in said.items() if key != "prior")
        ):
            return
        unit = stated or unit
    second = node.value[min(1, len(node.value) - 1)][0]  # a value may be an alias of one that stands elsewhere
    yield _before(second, f"unit: {unit}", flow=bool(node.flow_style))


def _library_unit(said: Mapping[str, Any], file: str) -> str | None:
    """Name the unit of the library entry that a prior names, as the second edition says it; None where it is not read.

    It is empty where no entry is named, or that has none.
    """
    try:
        stated = lookup(library_entry(said["prior"], Place(file)).data, ("unit",)) if "prior" in said else None
    except ScenarioError:
        return None  # it is told when the file is read
    return f"{stated} of requirement" if stated in _HALVING else stated or ""


def _instead(node: Any, text: str, what: str) -> _Edit:
    """Write a text in the place of a scalar; an anchor before it stays."""
    anchor = f"&{node.anchor} " if node.anchor else ""
    return _Edit(node.start_mark.index, node.end_mark.index, anchor + text, what)


def _before(key: Any, line: str, *, flow: bool) -> _Edit:
    """Write an entry before another one of its group."""
    start, column = key.start_mark.index, key.start_mark.column
    return _Edit(start, start, f"{line}, " if flow else f"{line}\n{' ' * column}", f"+ {line}")


def _nodes(node: Any, path: Path) -> Iterator[tuple[Path, Any, Any, bool]]:
    """List what stands in a document: path, the node of its key, its own node, whether it stands in braces."""
    if node.id == "mapping":
        for key, value in node.value:
            yield (*path, str(key.value)), key, value, bool(node.flow_style)
            yield from _nodes(value, (*path, str(key.value)))
    elif node.id == "sequence":
        for index, item in enumerate(node.value):
            yield from _nodes(item, (*path, index))


def _first_year(whole: Mapping[str, Any]) -> float | None:
    first = lookup(whole, ("years", "first"))
    return float(first) if isinstance(first, int | float) and not isinstance(first, bool) else None


def _layers(own: Mapping[str, Any], file: str) -> _Layers:
    """List plain data and what they extend, whatever edition that is of."""
    layers, files = [own], [FilePath(file)]
    while (parent := layers[-1].get("extends")) is not None:
        found = parent_file(parent, files[-1].parent)
        if not isinstance(found, FilePath) or found.resolve() in map(FilePath.resolve, files[1:]):
            break
        layers.append(text_keys(file_document(found).data))
        files.append(found)
    return tuple(layers)


def _laid(layers: _Layers) -> Mapping[str, Any]:
    """Lay each of the layers over those after it."""
    merged = Document({}, {})
    for layer in reversed(layers):
        merged = merge(merged, Document(layer, {}))
    data: Mapping[str, Any] = merged.data
    return data
