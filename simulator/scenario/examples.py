"""The examples of the format: pieces of scenario files that use each key, and where in the JSON Schema a key stands.

`examples.yaml` holds the pieces, one a YAML document. One that says no `schema` is laid over the baseline. Every
piece is run by a test, and a test finds the keys that none of them uses.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from ruamel.yaml import YAML

from simulator.scenario.layers import text_keys

ROOT_KIND = "Scenario"
"""What the keys at the top of a file belong to; all other kinds of entry are definitions of the schema."""
INTERVAL = "interval_90"
"""The key that stands for an interval of any level."""
_LONGEST = 120
_HEAD = "schema: 2\nname: example\nextends: baseline\n"

type Form = tuple[str, Mapping[str, Any]]
"""A way in which an entry may be written: the kind that it is, or "", and its part of the schema."""


@dataclass(frozen=True, slots=True)
class Example:
    """A piece of a scenario file: what it shows, its text without that line, and what it says."""

    about: str
    text: str
    data: Mapping[str, Any]

    @property
    def scenario(self) -> str:
        """The text of a whole scenario file."""
        return self.text if "schema" in self.data else _HEAD + self.text


@cache
def examples() -> tuple[Example, ...]:
    """Read all examples, in the order of their file."""
    text = (FilePath(__file__).parent / "examples.yaml").read_text(encoding="utf-8")
    reader = YAML(typ="safe", pure=True)
    found = []
    for piece in text.split("\n---\n"):
        about, _, body = piece.strip().partition("\n")
        found.append(Example(about.removeprefix("#").strip(), body + "\n", text_keys(reader.load(body))))
    return tuple(found)


def used_keys(schema: Mapping[str, Any]) -> dict[tuple[str, str], tuple[Example, Any]]:
    """Find for each kind of entry and key of a schema the shortest example that uses it, and what it says there."""
    found: dict[tuple[str, str], tuple[Example, Any]] = {}
    for example in sorted(examples(), key=lambda each: len(each.text)):
        for kind, key, value in _walk(schema, (ROOT_KIND, schema), example.data):
            if value is not None:
                found.setdefault((kind, key), (example, value))
    return found


def shown_keys(schema: Mapping[str, Any]) -> dict[tuple[str, str], tuple[Example, Any]]:
    """Find an example for each kind of entry and key; from another kind where the key means the same there."""
    used = used_keys(schema)
    texts = {(kind, key): form.get("description", "") for kind, key, form in stated_keys(schema)}
    alike = {
        (key, texts[kind, key]): example for (kind, key), example in reversed(used.items()) if (kind, key) in texts
    }
    return {(kind, key): alike[key, text] for (kind, key), text in texts.items() if (key, text) in alike} | used


def stated_keys(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """List the keys of every kind of entry: kind, key, and its part of the schema."""
    for kind, part in groups(schema).items():
        yield from ((kind, key, form) for key, form in part["properties"].items())
        patterns = part.get("patternProperties", {}).items()
        yield from ((kind, INTERVAL, form) for pattern, form in patterns if "interval_" in pattern)


def groups(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Give the groups of keys of a schema by kind: the file itself first, then the others by name."""
    found: dict[str, Mapping[str, Any]] = {ROOT_KIND: schema}
    for name in sorted(schema["$defs"]):
        found |= {kind: form for kind, form in forms(schema, schema["$defs"][name], name) if kind}
    return found


def with_examples(schema: dict[str, Any]) -> dict[str, Any]:
    """Give the keys of a schema what examples say there, where it is short, for editors to show."""
    shown = shown_keys(schema)
    for kind, key, form in list(stated_keys(schema)):
        value = shown.get((kind, key), (None, None))[1]
        if value is not None and "const" not in form and len(json.dumps(value)) <= _LONGEST:
            form["examples"] = [value]
    return schema


def forms(schema: Mapping[str, Any], part: Mapping[str, Any], kind: str = "") -> Iterator[Form]:
    """List the ways in which a part of a schema may be written; groups of keys come with their kind."""
    if "$ref" in part:
        kind = str(part["$ref"]).rpartition("/")[2]
        yield from forms(schema, schema["$defs"][kind], kind)
    elif (choices := part.get("anyOf", part.get("oneOf"))) and "properties" not in part:
        for choice in choices:
            yield from forms(schema, choice, kind)
    else:
        yield (kind if "properties" in part else "", part)


def _property(part: Mapping[str, Any], key: str) -> Any:
    """Give the part of a schema that a key of a group leads to: a key of its own, or any name of a map."""
    if key in part.get("properties", {}):
        return part["properties"][key]
    for pattern, form in part.get("patternProperties", {}).items():
        if key.startswith("interval_") or not pattern.startswith("^interval_"):
            return form
    more = part.get("additionalProperties")
    return more if isinstance(more, Mapping) else None


def below(schema: Mapping[str, Any], found: Sequence[Form], key: str) -> list[Form]:
    """Step from forms of an entry to those of what stands below a key, or below a place in a list."""
    stepped: list[Form] = []
    for _, part in found:
        if "items" in part or "prefixItems" in part:
            items = [form for item in _items(part) for form in forms(schema, item)]
            stepped += items if key.isdigit() else below(schema, items, key)
        elif (inner := _property(part, key)) is not None:
            stepped += forms(schema, inner)
    return list({id(part): (kind, part) for kind, part in stepped}.values())


def _items(part: Mapping[str, Any]) -> list[Any]:
    return list(part.get("prefixItems", ())) or [part["items"]]


def _walk(schema: Mapping[str, Any], form: Form, data: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield kind, key and value of each entry in plain data that follows a form."""
    kind, part = form
    if isinstance(data, Mapping):
        for key, value in data.items():
            inner = _property(part, key)
            if inner is None:
                continue
            if kind:
                yield kind, key if key in part["properties"] else spelled(key), value
            yield from _walk_below(schema, inner, value)
    elif isinstance(data, list) and ("items" in part or "prefixItems" in part):
        for item in data:
            yield from _walk_below(schema, _items(part)[0], item)


def spelled(key: str) -> str:
    """Name the key that a written one is told under."""
    return INTERVAL if key.startswith("interval_") else key


def _walk_below(schema: Mapping[str, Any], part: Mapping[str, Any], data: Any) -> Iterator[tuple[str, str, Any]]:
    if not isinstance(data, Mapping | list):
        return
    fitting = [form for form in forms(schema, part) if _fits(form, data)]
    if fitting:
        yield from _walk(schema, max(fitting, key=lambda form: bool(form[0])), data)


def _fits(form: Form, data: Any) -> bool:
    part = form[1]
    if isinstance(data, list):
        return "items" in part or "prefixItems" in part
    return all(_property(part, key) is not None for key in data)
