"""YAML 1.2 text as plain data that knows the line and column of every entry.

Nothing in a file is executed: tags are refused, and a value is a number, a text, true, false, null,
a list or a mapping with text or number keys.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path as FilePath
from types import SimpleNamespace
from typing import Any

from simulator.errors import Path, Place, PlacedFault, ScenarioError, dotted, shown
from simulator.files import LARGEST_TEXT, read_bytes
from simulator.wording import cut, harmful, harmless, unseen

# Marks of tags, of anchors on more than a quoted text, directives, more documents; block scalars libyaml takes more of.
_RARE = re.compile(
    r"(?:^|[\s\[{,])(?:!\S|(?<!: )[&*]\S|&(?![\w-]+ [\"'])\S|\*(?![\w-]+(?:[,}\]]|$))\S)"
    r"|^(?:%|---|\.\.\.)|[|>][-+0-9]*(?:#| *\n *\n)",
    re.MULTILINE,
)


def plain_nodes(text: str) -> Any:
    """Read YAML text that is plain; None where it is not, be it at fault or only written in a rarer way."""
    import yaml

    if not text.replace("\n", "").isprintable() or _RARE.search(text) or not yaml.__with_libyaml__:
        return None
    try:
        root = yaml.compose(text, Loader=_shallow_loader())
    except yaml.YAMLError:
        return None
    return root if isinstance(root, yaml.MappingNode) else None


@cache
def _shallow_loader() -> type[Any]:
    """Compose nodes of libyaml, and give up on those that are nested too deep for its stack."""
    import yaml

    class Loader(yaml.CBaseLoader):  # type: ignore[misc]
        depth = 0

        def descend_resolver(self, *_above: Any) -> None:
            self.depth += 1
            if self.depth > DEEPEST_DOCUMENT:
                raise yaml.YAMLError(_TOO_DEEP)

        def ascend_resolver(self) -> None:
            self.depth -= 1

    return Loader


MOST_COPIES = 20_000  # entries that aliases stand for: more is an attack or a mistake
DEEPEST_DOCUMENT = 60
_TOO_DEEP = f"is nested more than {DEEPEST_DOCUMENT} levels deep."
_NO_DEEPER = "No scenario needs more than a dozen."
LONGEST_NUMBER = 300  # digits: more would not fit the largest number that is computed with
LONGEST_TEXT = 20_000  # letters of a text
MOST_ENTRIES, MOST_NUMBERS = 2_000, 100_000  # entries of a group or a list; numbers in one, with or without a year each

_INTEGER = re.compile(r"[-+]?[0-9](_?[0-9])*")
_FLOAT = re.compile(r"[-+]?(\.[0-9](_?[0-9])*|[0-9](_?[0-9])*(\.([0-9](_?[0-9])*)?)?)([eE][-+]?[0-9]+)?")
_NOT_A_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_SEPARATION, _QUOTED = re.compile(r"^\s+|[:-]\s"), ("'", '"', "|", ">")
_WORDS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data read from a file, and where each entry stands.

    `places` maps the path of an entry to its place: of the key for an entry of a mapping, of the value for
    an item of a list. The empty path is the start of the document. `faults` are those of single entries, kept
    where the reader asks for it so that they are reported together with what the entries say. `parent` is what it was
    laid over.
    """

    data: Any
    places: Mapping[Path, Place]
    faults: tuple[PlacedFault, ...] = ()
    parent: Document | None = field(default=None, compare=False)


def load_document(file: FilePath | str, *, keep_faults: bool = False) -> Document:
    """Read a YAML file."""
    name = str(file)
    try:
        raw = read_bytes(FilePath(file), most=LARGEST_TEXT)
    except FileNotFoundError:
        raise ScenarioError.at(Place(name), "no such file.") from None
    except IsADirectoryError:
        raise ScenarioError.at(Place(name), "is a directory, not a file.", "Name the .yaml file in it.") from None
    except OSError as error:
        remedy = "Check its permissions." if isinstance(error, PermissionError) else "Name a .yaml file."
        raise ScenarioError.at(Place(name), f"cannot be read: {error.strerror or error}.", remedy) from None
    return parse_document(_decoded(raw, name), file=name, keep_faults=keep_faults)


def _decoded(raw: bytes, name: str) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ScenarioError.at(Place(name), "is text in UTF-16.", "Save it as UTF-8.")
    if b"\0" in raw:
        raise ScenarioError.at(Place(name), "is not text (a binary file?).", "Name a .yaml file.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _place_behind(raw[: error.start].decode("utf-8-sig"), name)
        rule = f"the byte 0x{raw[error.start]:02x} is not text in UTF-8."
        remedy = "Save the file as UTF-8 (is it in Windows-1252, or no text at all?)."
        raise ScenarioError.at(place, rule, remedy) from None


def parse_document(text: str, *, file: str = "<text>", keep_faults: bool = False) -> Document:
    """Read YAML text."""
    document = _parsed(text, file)
    if document.faults and not keep_faults:
        raise ScenarioError(document.faults)
    return document


@lru_cache(maxsize=128)  # a scenario may be read to be run, and again to say where each of its priors comes from
def _parsed(text: str, file: str) -> Document:
    root = plain_nodes(text) or composed(text, file)
    builder = _Builder(file)
    data = builder.build(root, ())
    return Document(data, builder.places, tuple(builder.faults))


def composed(text: str, file: str) -> Any:
    """Compose the nodes of YAML text, each with its marks; ScenarioError where it is not YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        yaml = YAML(typ="safe", pure=True)
        yaml.composer.warn_double_anchors = False  # YAML 1.2 allows a name to be given again
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark, rule, remedy = _syntax_fault(error, text)
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        raise ScenarioError.at(place, rule, remedy) from None
    except RecursionError:
        raise ScenarioError.at(Place(file), _TOO_DEEP, _NO_DEEPER) from None
    except YAMLError as error:
        raise _unreadable_character(error, text, file) from None
    if root is None:
        raise ScenarioError.at(Place(file), "is empty.", "'simulate new' writes a starter file.")
    return root


def file_document(file: FilePath, *, keep_faults: bool = True) -> Document:
    """Read a YAML file that must be keys with values; the faults of single entries are kept, or else raised."""
    return _mapping(load_document(file, keep_faults=keep_faults), str(file))


def text_document(text: str, file: str) -> Document:
    """Read YAML text that must be keys with values; the faults of single entries are kept."""
    return _mapping(parse_document(text, file=file, keep_faults=True), file)


def data_document(data: Mapping[str, Any], file: str) -> Document:
    """Take plain data for a document, each entry of which stands in `file`; arrays and tuples become lists."""
    places: dict[Path, Place] = {}

    def visit(value: Any, path: Path) -> Any:
        if len(path) > DEEPEST_DOCUMENT:  # or data that hold themselves
            raise ScenarioError.at(Place(file), _TOO_DEEP, _NO_DEEPER)
        places[path] = Place(file)
        value = value.tolist() if hasattr(value, "tolist") else value
        value = float(value) if hasattr(value, "as_integer_ratio") and not isinstance(value, int) else value
        keys = value if isinstance(value, Mapping) else ()
        held = value.values() if keys else value if isinstance(value, list | tuple) else ()
        too_many = _too_many(len(held), chain(keys, held))
        if rule := next(filter(None, map(_unreadable, (value, *keys))), too_many):
            raise ScenarioError.at(Place(file), rule, entry=dotted(path))
        if isinstance(value, Mapping):
            return {key: visit(inner, (*path, str(key))) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [visit(inner, (*path, index)) for index, inner in enumerate(value)]
        return value

    return Document(visit(data, ()), places)


def _mapping(document: Document, file: str) -> Document:
    if not isinstance(document.data, dict):
        kind = "a list" if isinstance(document.data, list) else f"the single value {shown(document.data)}"
        rule = f"must be keys with values; it is {kind}."
        raise ScenarioError.at(document.places.get((), Place(file)), rule, "'simulate new' writes a starter file.")
    return document


def _syntax_fault(error: Any, text: str) -> tuple[Any, str, str]:
    """Put a parser's complaint in plain words: the mark it is about, the rule, the remedy."""
    problem, context = str(error.problem or "cannot be read").strip(), str(error.context or "")
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    for number, each in enumerate(lines[: mark.line + 1] if mark else ()):
        if odd := unseen("".join(_SEPARATION.findall(each))):
            return SimpleNamespace(line=number, column=0), f"holds {odd}.", "Write a plain space there."
    if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in problem:
        return mark, "a tab stands where only spaces may.", "Indent with spaces: YAML does not allow tabs there."
    if "document" in problem and "document" in context:
        return mark, "holds more than one document ('---').", "Keep one scenario to a file."
    if "end of stream" in problem and "quoted" in context:
        return error.context_mark, "a quote opens here and is never closed.", "Close it."
    if "flow" in context and problem.startswith("expected ',' or"):
        bracket = "[" if "sequence" in context else "{"
        found = problem.partition("but got ")[2].replace("'<stream end>'", "the end of the file")
        rule = f"the '{bracket}' of line {error.context_mark.line + 1} is not closed before {found}."
        return mark, rule, f"Close it with '{']' if bracket == '[' else '}'}', or separate its items by commas."
    if "could not find expected ':'" in problem:
        return error.context_mark, "a word stands without a colon.", "Write key: value."
    if "cannot start any token" in problem:
        character = problem.partition("'")[2].partition("'")[0]
        return mark, f"a value cannot begin with {character}.", 'Put it in quotes, for example "%/year".'
    for part, rule, remedy in _SYNTAX:
        if part in problem:
            return mark, rule, remedy
    if match := re.search(r"undefined alias '?([^']+)'?", problem):
        return mark, f"the alias *{match[1]} is not defined above.", "Write the value out, or put it in quotes."
    plain = re.sub(r"<([a-z ]+)>", r"\1", problem).replace("'\\n'", "the end of the line")
    return mark, f"is not YAML 1.2: {plain}.", "Check colons, brackets, quotes and indentation here and just above."


_SYNTAX = (
    ("mapping values are not allowed here", "a second colon stands in one entry, or the line is indented too far.",
     "Put a text that holds ': ' in quotes; start the entries of one group in one column."),
    ("found '<block mapping start>'", "is indented differently from the entries above.",
     "Start the entries of one group in one column."),
    ("found '<scalar>'", "text follows a closing quote or bracket.", "Put the whole text in one pair of quotes."),
    ("found '?'", "a key stands where an item of a list ('- ') should.", "Indent it, or begin it with '- '."),
    ("found '-'", "an item of a list ('- ') stands where a key should.",
     "Indent it below its key, or write key: value."),
    ("found '}'", "a '}' closes nothing.", "Remove it."),
    ("found ']'", "a ']' closes nothing.", "Remove it."),
    ("found ','", "a comma separates nothing.", "Remove it."),
    ("sequence entries are not allowed here", "an item of a list ('- ') stands on the line of its key.",
     "Start it on a line of its own."),
    ("<document start>", "text follows the end of the scenario.", "Keep one scenario to a file."),
)  # fmt: skip


def _unreadable_character(error: Any, text: str, file: str) -> ScenarioError:
    position = int(getattr(error, "position", 0))
    character = f"U+{ord(text[position]):04X}" if position < len(text) else "unknown"
    place = _place_behind(text[:position], file)
    return ScenarioError.at(place, f"holds the control character {character}.", "Remove it.")


def _place_behind(text: str, file: str) -> Place:
    return Place(file, text.count("\n") + 1, len(text) - text.rfind("\n"))


def _scalar(node: Any) -> Any:
    """Resolve a scalar by the YAML 1.2 core schema; digits may be grouped by underscores (10_000)."""
    text: str = node.value
    if not text.isascii():  # JSON writes rare characters as two halves
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if node.style in _QUOTED:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0].isalpha():
        return text
    if _INTEGER.fullmatch(text) and not _too_large(text):
        return int(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return text


def _unreadable(value: Any) -> str:
    """Say why a text is none that a reader may get; empty where it may."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"is a text of {len(value):,} letters; at most {LONGEST_TEXT:,} are read."
    found = harmful(value)[1] if isinstance(value, str) else ""
    return found and f"holds the control character {found}."


def _too_many(count: int, parts: Iterable[Any]) -> str:
    """Say that a group or a list holds more than anybody writes: if its keys and values are numbers, more of them."""
    if count <= MOST_ENTRIES:
        return ""
    of_numbers = all(isinstance(part, str | int | float) and _FLOAT.fullmatch(str(part)) for part in parts)
    most, what = (MOST_NUMBERS, "numbers") if of_numbers else (MOST_ENTRIES, "entries")
    return f"holds {count:,} {what}; at most {most:,} are read." if count > most else ""


def _is_word(text: str) -> bool:
    """Tell whether a text may stand without quotes: it reads as no number and no other word of YAML 1.2."""
    return text not in _WORDS and not any(kind.fullmatch(text) for kind in (_INTEGER, _FLOAT, _NOT_A_NUMBER))


def _too_large(text: str) -> bool:
    """Tell whether a word is a number beyond what can be computed with."""
    if _INTEGER.fullmatch(text):
        return len(text) > LONGEST_NUMBER
    return bool(_FLOAT.fullmatch(text)) and math.isinf(float(text.replace("_", "")))


class _Builder:
    """Turns the nodes of one document into data, and keeps places and faults."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[Path, Place] = {}
        self.faults: list[PlacedFault] = []
        self._copies = 0
        self._seen: set[int] = set()
        self._within: list[int] = []

    def build(self, node: Any, path: Path) -> Any:
        if path not in self.places:
            self.places[path] = self._place(node)
        self._copies += id(node) in self._seen
        self._seen.add(id(node))
        if self._copies > MOST_COPIES:
            rule = f"has aliases (*name) that stand for more than {MOST_COPIES:,} entries."
            raise ScenarioError.at(Place(self.file), rule, "Remove the aliases that repeat one another.")
        if id(node) in self._within:
            rule = f"the alias *{node.anchor} stands inside what it stands for."
            raise ScenarioError.at(self._place(node), rule, "Write the values out.")
        if len(path) > DEEPEST_DOCUMENT:
            raise ScenarioError.at(self._place(node), _TOO_DEEP, _NO_DEEPER)
        self._refuse_tag(node, path)
        if node.id == "scalar":
            return self._scalar(node, path)
        self._within.append(id(node))
        data: Any = self._mapping(node, path) if node.id == "mapping" else None
        if node.id == "sequence":
            self._refuse_many(node, path)
            data = [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        self._within.pop()
        return data

    def _mapping(self, node: Any, path: Path) -> dict[Any, Any]:
        data: dict[Any, Any] = {}
        cut = False
        written: dict[str | float, Path] = {}  # a number in two ways of writing is one key
        self._refuse_many(node, path)
        for key_node, value_node in node.value:
            place = self._place(key_node)
            if key_node.id != "scalar":
                self._add(place, path, "a list or a group of entries stands where a key should.", "Write key: value.")
                continue
            key = _scalar(key_node)
            if (not key_node.value.isprintable() or len(key_node.value) > LONGEST_TEXT) and (rule := _unreadable(key)):
                self._add(place, path, f"a key {rule}", "Remove it.")
                continue
            if not isinstance(key, str | int | float) or isinstance(key, bool):
                rule = f"a key must be a word or a number; got {shown(key)}."
                self._add(place, path, rule, "Put it in quotes if it is meant as a word.")
                continue
            inner = (*path, str(key))
            if re.fullmatch("[0-9]{3}", key_node.value) and value_node.id == "scalar" and not value_node.value:
                remedy = "Group digits by underscores: 50_000; or write million, billion."
                if not cut:
                    self._add(place, path, f"the comma before {key_node.value} cuts a number in two.", remedy)
                cut = True
                continue
            if (before := written.get(key, written.get(str(key)))) is not None:
                first = self.places[before].line
                self._add(place, inner, f"is written twice; first on line {first}.", "Keep one of the two.")
                continue
            written |= {key: inner, str(key): inner}
            self.places[inner] = place
            data[key] = self.build(value_node, inner)
        return data

    def _scalar(self, node: Any, path: Path) -> Any:
        text = node.value
        if node.style not in _QUOTED and not text[:1].isalpha():
            remedy = "Write a number, or leave the entry out." if _NOT_A_NUMBER.fullmatch(text) else ""
            remedy = "Write a number below 1e308." if _too_large(text) else remedy
            if remedy:
                self._add(self._place(node), path, f"{cut(text, width=40)} is not a finite number.", remedy)
                return None
        value = _scalar(node)
        if (not text.isprintable() or len(text) > LONGEST_TEXT) and (rule := _unreadable(value)):
            self._add(self._place(node), path, rule, "Remove it." if "control" in rule else "Shorten it.")
            return None
        return value

    def _refuse_many(self, node: Any, path: Path) -> None:
        """Refuse a group or a list of more entries than anybody writes; numbers in one may be more."""
        parts = chain.from_iterable(node.value) if node.id == "mapping" else node.value
        if rule := _too_many(len(node.value), (part.value for part in parts)):
            raise ScenarioError.at(self.places[path], rule, "Leave entries out, or part the file.", entry=dotted(path))

    def _refuse_tag(self, node: Any, path: Path) -> None:
        tag = str(node.tag or "")
        if tag.startswith("tag:yaml.org,2002:python") or (tag and not tag.startswith("tag:yaml.org,2002:")):
            rule = f"has the tag {tag.replace('tag:yaml.org,2002:', '!!')}."
            self._add(self._place(node), path, rule, "Remove it: nothing in a file is executed.")

    def _place(self, node: Any) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _add(self, place: Place, path: Path, rule: str, remedy: str) -> None:
        self.faults.append(PlacedFault(place, dotted(path), rule, remedy))


def yaml_text(data: Any, *, flow: bool | None = None, width: int = 110) -> str:
    """Write plain data as YAML 1.2 that reads back as the same data; with `flow` in lines of brackets and braces."""
    import yaml

    # Without a style of its own, each innermost group stands in one line.
    text: str = yaml.dump(
        _plain(data), Dumper=_dumper(), default_flow_style=flow, sort_keys=False, width=width, allow_unicode=True
    )
    return harmless(text)  # what is no letter stands in quotes, where YAML reads it back


@cache
def _dumper() -> type[Any]:
    """Write texts in quotes where YAML 1.2 would read something else in them, or where rare characters are escaped."""
    import yaml

    class Dumper(yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper):  # type: ignore[misc]
        pass

    def quoted(dumper: Any, text: str) -> Any:
        read = None if _is_word(text) else "'"
        style = read if text.isprintable() else '"'
        text = text.encode(errors="replace").decode()  # half a character
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, quoted)
    return Dumper


def _plain(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(item) for item in data] if isinstance(data, list) else data
