"""The reference of the format: each kind of entry with its keys, in words, from the JSON Schema alone.

`simulate explain` prints it and the documentation is made of it, so neither can say something else than the code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from simulator.errors import InputError, near_name, near_or_all, number
from simulator.scenario.describing import json_schema
from simulator.scenario.examples import ROOT_KIND, Example, Form, below, forms, groups, shown_keys, spelled, stated_keys
from simulator.schema.prior_names import unit_words


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a kind of entry: what it means, what may stand there, its unit, its default, an example.

    `kinds` are the kinds of entry that may stand below it. `value` is what the example says there.
    """

    name: str
    kind: str
    meaning: str
    takes: str
    unit: str
    default: str
    kinds: tuple[str, ...]
    example: Example | None
    value: Any


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entry: a group of keys, by its name in the schema."""

    name: str
    meaning: str
    keys: Mapping[str, Key]

    @property
    def words(self) -> str:
        """Its name, as words."""
        return in_words(self.name)


def in_words(kind: str) -> str:
    """Write the name of a kind as words: PointFunction is a point function."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind).strip()


@cache
def kinds() -> Mapping[str, Kind]:
    """Give every kind of entry of a scenario file, the file itself first, the others by name."""
    schema = json_schema()
    shown = shown_keys(schema)
    found: dict[str, dict[str, Key]] = {}
    for kind, name, part in stated_keys(schema):
        example, value = shown.get((kind, name), (None, None))
        below_it = tuple(dict.fromkeys(kind for kind, _ in _all_forms(schema, part) if kind))
        required = name in groups(schema)[kind].get("required", ())
        found.setdefault(kind, {})[name] = Key(
            name, kind, _paragraphs(part.get("description", "")), _takes(schema, part),
            unit_words(name) if "Prior" in below_it else "",
            _default(part, required=required), below_it, example, value,
        )  # fmt: skip
    said = groups(schema)
    return {kind: Kind(kind, _paragraphs(said[kind].get("description", "")), keys) for kind, keys in found.items()}


def _paragraphs(text: str) -> str:
    """Put each paragraph and each item of a list on a line."""
    return "\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n|\n\s*(?=- )", text))


def _all_forms(schema: Mapping[str, Any], part: Mapping[str, Any]) -> list[Form]:
    """List the forms of an entry and those of the items of its lists and maps."""
    found = []
    for kind, form in forms(schema, part):
        found.append((kind, form))
        if not kind:
            inside = [*form.get("prefixItems", ()), form.get("items"), form.get("additionalProperties")]
            inside += form.get("patternProperties", {}).values()
            for inner in inside:
                found += _all_forms(schema, inner) if isinstance(inner, Mapping) else []
    return found


_TYPES = {"number": "a number", "integer": "a whole number", "string": "a text", "boolean": "true or false"}


def _takes(schema: Mapping[str, Any], part: Mapping[str, Any]) -> str:
    """Say what may stand at a key."""
    said = list(dict.fromkeys(filter(None, (_form_words(schema, form) for form in _choices(part)))))
    if "a number" in said and "a text" in said:
        said = ["a number, with its unit as text or without", *(set(said) - {"a number", "a text"})]
    return ("; or " if any(", each" in words for words in said) else " or ").join(said) or "anything"


def _choices(part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    choices = part.get("anyOf", part.get("oneOf"))
    return [each for choice in choices for each in _choices(choice)] if choices else [part]


def _form_words(schema: Mapping[str, Any], form: Mapping[str, Any]) -> str:
    if "$ref" in form:
        kind = in_words(form["$ref"].rpartition("/")[2])
        return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
    if "enum" in form:
        return " or ".join(f"`{each}`" for each in form["enum"])
    if "const" in form:
        return f"`{form['const']}`"
    named = form.get("type", "")
    told = named if isinstance(named, str) else next((each for each in named if each != "null"), "")
    if told == "array":
        inner = form.get("prefixItems") or [form.get("items", {})]
        many = "two" if form.get("minItems") == form.get("maxItems") == 2 else "a list"
        return f"{many}, each {' or '.join(dict.fromkeys(_takes(schema, each) for each in inner))}"
    if told == "object":
        inside = [*form.get("patternProperties", {}).values(), form.get("additionalProperties")]
        each = next((_takes(schema, inner) for inner in inside if isinstance(inner, Mapping)), "")
        return f"names, each with {each}" if each else "keys with values"
    if told == "string" and "pattern" in form and "description" in form:
        return "a number with its unit as text"
    if form.get("pattern", "").startswith("^[a-z0-9]+(-"):
        return "a name"
    return _TYPES.get(told, "")


def _default(part: Mapping[str, Any], *, required: bool) -> str:
    if required:
        return "must be written"
    default = part.get("default")
    if default in (None, {}, []):
        return "none"
    return number(float(default)) if isinstance(default, float) else json.dumps(default, ensure_ascii=False).strip('"')


def explain_key(key: str) -> list[str]:
    """Explain a key of scenario files, a kind of entry, or what stands at a dotted path.

    Parameters
    ----------
    key : str
        A key such as `half_life`, a kind of entry such as `regime`, both as `regime.half_life`, or a path such as
        `drivers.spending.growth[0].from`.

    Returns
    -------
    list of str
        Lines: what it means, what may stand there, its unit, its default, and an example that runs; of a kind of
        entry its keys with what each means. A key that several kinds have is explained for each.

    Raises
    ------
    InputError
        There is no such key.

    Examples
    --------
    >>> explain_key("drivers.spending.growth[0].half_life")[:2]
    ['half_life, of a regime', '  The time in which the rate halves its distance to `towards`: `5 years`.']
    """
    found = _asked(key)
    return _kind_lines(found) if isinstance(found, Kind) else _several(found)


def key_rows(key: str) -> list[dict[str, str]]:
    """Tabulate what `explain_key` explains: a key, or those of a kind of entry."""
    found = _asked(key)
    return [
        {
            "key": each.name,
            "kind": in_words(each.kind),
            "meaning": each.meaning,
            "takes": each.takes,
            "unit": each.unit,
            "default": each.default,
            "example": each.example.text if each.example else "",
        }
        for each in (found.keys.values() if isinstance(found, Kind) else found)
    ]


def _asked(key: str) -> Kind | list[Key]:
    """Find the kind of entry, or the keys, that a key, a kind or a path names."""
    asked = re.sub(r"\[[^]]+\]", ".0", key.strip()).replace("[", ".").strip(".")  # an item, by number or name
    first, _, rest = asked.partition(".")
    every = kinds()
    named = {kind.words.replace(" ", "-"): kind for kind in every.values()}
    known = {name for kind in every.values() for name in kind.keys}
    kind = named.get(first.lower().replace(" ", "-").replace("_", "-")) or every.get(first)
    if kind is not None and not rest:
        return kind
    if kind is not None and rest in kind.keys:
        return [kind.keys[rest]]
    if not rest and (found := [kind.keys[first] for kind in every.values() if first in kind.keys]):
        return found
    if not rest:
        hint = near_name(first, {*known, *named}) or f"Kinds of entry: {', '.join(sorted(named))}."
        raise InputError(f"no key or kind of entry is called '{key}'. {hint}")
    return _at_path(asked.split("."), key)


def _at_path(steps: Sequence[str], key: str) -> list[Key]:
    """Find the keys at a dotted path."""
    schema = json_schema()
    found: list[Form] = [(ROOT_KIND, schema)]
    last: list[Key] = []
    for place, step in enumerate(steps):
        inside = [kinds()[kind].keys for kind, _ in _groups(schema, found)]
        keys = [every[name] for every in inside for name in (spelled(step),) if name in every]
        stepped = below(schema, found, step)
        if not stepped and not keys:
            near = sorted({name for every in inside for name in every})
            where = ".".join(steps[:place]) or "the top of a file"
            hint = near_or_all(step, near) if near else ""
            raise InputError(f"{key}: there is no '{step}' below {where}. {hint}".strip())
        last = keys or last
        found = stepped
    return last


def _groups(schema: Mapping[str, Any], found: Sequence[Form]) -> list[Form]:
    """List the groups of keys among forms, those of the items of lists too."""
    groups = []
    for kind, part in found:
        if kind:
            groups.append((kind, part))
        elif "items" in part:
            groups += _groups(schema, list(forms(schema, part["items"])))
    return groups


def _several(keys: Sequence[Key]) -> list[str]:
    """Explain keys of one name; what several kinds say alike once."""
    alike: dict[tuple[str, str], list[Key]] = {}
    for key in keys:
        alike.setdefault((key.meaning, key.takes), []).append(key)
    blocks = [_key_lines(same[0], also=[key.kind for key in same[1:]]) for same in alike.values()]
    return [line for place, block in enumerate(blocks) for line in (["", *block] if place else block)]


def _key_lines(key: Key, *, also: Sequence[str] = ()) -> list[str]:
    of = ", ".join(_article(in_words(kind)) for kind in (key.kind, *also))
    facts = [f"takes {key.takes.replace('`', '')}", f"unit: {key.unit}" if key.unit else "", f"default: {key.default}"]
    lines = [
        f"{key.name}, of {of}",
        *(f"  {line}" for line in key.meaning.splitlines()),
        f"  {'; '.join(filter(None, facts))}",
    ]
    if key.kinds:
        lines.append(
            f"  more: {', '.join(f'simulate explain {in_words(kind).replace(" ", "-")}' for kind in key.kinds)}"
        )
    if key.example is not None:
        lines += [f"  For example, {key.example.about[0].lower()}{key.example.about[1:]}:", ""]
        lines += [f"    {line}" for line in key.example.text.rstrip().splitlines()]
    return lines


def _article(words: str) -> str:
    return words if words.endswith("s") else f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _kind_lines(kind: Kind) -> list[str]:
    width = max(map(len, kind.keys))
    lines = [f"{_article(kind.words)}: {kind.meaning}".replace(": .", "."), ""]
    lines += [f"  {name:<{width}}  {key.meaning.partition('\n')[0]}" for name, key in kind.keys.items()]
    return [*lines, "", f"simulate explain {kind.words.replace(' ', '-')}.KEY says more of one."]
