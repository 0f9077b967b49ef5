"""From pydantic's errors to faults in the words of this project."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from simulator.errors import Fault, Path, near_name, number, shown
from simulator.schema.base import Faults, Spec, field_words
from simulator.schema.spec import Custom, Drivers, Operation, ScenarioSpec
from simulator.schema.statements import SHORT_FORMS, Prior, is_statement

_EXAMPLES = {
    "schema": "Write schema: 1.",
    "name": "Write for example name: current-trends.",
    "years": "Write for example years: {first: 2025, last: 2045}.",
    "drivers": "Write spending, hardware and algorithms below it.",
    "rate": "Write for example rate: {median: 2.4, interval_90: [1.6, 3.4]}.",
    "weight": "Write for example weight: 0.5.",
}
_ENTRY = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")
_NUMBER = re.compile(r"\s*[-+]?[0-9][0-9_.,]*([eE][-+]?[0-9]+)?")


def faults_of(error: ValidationError, model: type[Spec]) -> Iterator[Fault]:
    """Turn each of pydantic's errors in an entry into a fault with its path below the entry, a rule and a remedy."""
    details = error.errors(include_url=False)
    for detail in details:
        raised = detail.get("ctx", {}).get("error")
        path = path_in_file(detail["loc"])
        if isinstance(raised, Faults):
            yield from (Fault((*path, *fault.path), fault.rule, fault.remedy) for fault in raised.faults)
        elif detail["type"] != "too_short" or not _broken_inside(path, details):
            yield Fault(path, *_worded(path, detail, model))


def path_in_file(location: tuple[str | int, ...]) -> Path:
    """Strip from pydantic's location what names a form and not an entry."""
    return tuple(part for part in location if part not in _FORMS)


_FORMS = frozenset({"<regimes>", "<rate>", "<name>", "<prior>", "<level>", "<operation>", "<own>", "[key]"})


def _broken_inside(path: Path, details: Any) -> bool:
    """Tell whether a list is short only because its items are at fault themselves."""
    inner = [path_in_file(detail["loc"]) for detail in details]
    return any(len(other) > len(path) and other[: len(path)] == path for other in inner)


def _worded(path: Path, detail: Any, model: type[Spec]) -> tuple[str, str]:
    kind, context, given = detail["type"], detail.get("ctx", {}), detail.get("input")
    key = str(path[-1]) if path else ""
    if kind == "missing" and isinstance(path[-1], int):
        return "is missing.", _description(model, str(path[-2])) if model is Operation else ""
    if kind == "missing":
        return "is missing.", f"{_description(model, key)}\n{_EXAMPLES.get(key, '')}".strip()
    if kind == "extra_forbidden":
        return _unknown_key(key, model)
    if kind == "literal_error":
        expected = str(context["expected"])
        known = [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]
        return f"must be one of {expected}; got {shown(given)}.", near_name(str(given), known)
    if kind == "string_pattern_mismatch":
        return _pattern(str(given), str(context["pattern"]))
    if kind in ("float_type", "int_type", "int_from_float"):
        return _not_a_number(given, whole=kind != "float_type")
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        if model is Custom and not path and isinstance(given, str):
            return "must be keys with values; got " + shown(given) + ".", f"Write {{driver: {given}}}."
        return _not_a_group(given, prior=issubclass(model, Prior) and not path)
    if kind in ("too_short", "too_long"):
        bound = f"at least {context['min_length']}" if kind == "too_short" else f"at most {context['max_length']}"
        return f"must hold {bound} items; got {context['actual_length'] or 'none'}.", _description(model, key)
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"must be {words} {number(float(context[name]))}; got {shown(given)}.", _description(model, key)
    if kind == "string_type" and isinstance(given, list | tuple | Mapping):
        return f"must be a text; got {shown(given)}.", "Write a word, or a text in quotes."
    rule, remedy = _RULES.get(kind, ("cannot stand here", "See 'simulate schema' for what can."))
    return f"{rule}; got {shown(given)}.", remedy


_RULES = {
    "string_type": ("must be a text", "Put it in quotes."),
    "finite_number": ("must be a finite number", "Write a number below 1e308."),
    "tuple_type": ("must be a list", "Write for example [1.6, 3.4], or items that begin with '- '."),
    "string_too_short": ("must not be empty", "Write a text, or remove the key."),
    "string_too_long": ("is too long a name", "Keep it to 60 letters."),
}
_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}


def _not_a_number(given: Any, *, whole: bool) -> tuple[str, str]:
    rule = f"must be a {'whole ' if whole else ''}number; got {shown(given)}."
    match = _NUMBER.match(given) if isinstance(given, str) else None
    if match and match.end() == len(given.rstrip()) and "," not in match[0]:
        return rule, "Write it without quotes."
    if match and "," in match[0]:
        return rule, f"Group digits by underscores: {given.replace(',', '_')}."
    if match and given[match.end() :].strip():
        return rule, f"Write the number alone; '{given[match.end() :].strip()}' goes into unit, if it is one."
    return rule, f"Write for example {'10_000' if whole else '2.4 or 1e26'}."


def _not_a_group(given: Any, *, prior: bool) -> tuple[str, str]:
    if not prior:
        return f"must be keys with values; got {shown(given)}.", "Write its entries below it, each as key: value."
    rule = f"must be a number or a prior; got {shown(given)}."
    if isinstance(given, list | tuple) and len(given) == 2:
        return rule, f"An interval says its level: {{interval_90: {shown(given)}}}."
    if isinstance(given, str) and _NUMBER.match(given):
        return rule, "Write a number without quotes; a unit goes beside it: {value: 4e8, unit: USD}."
    if isinstance(given, str) and _ENTRY.fullmatch(given):
        return rule, f"An entry of the prior library is named as {{prior: {given}}}."
    return rule, "Write for example 2.4, {median: 2.4, interval_90: [1.6, 3.4]} or {prior: spending/cottier-2024}."


def _pattern(given: str, pattern: str) -> tuple[str, str]:
    if "nominal" in pattern:
        return f"must be nominal, or real and a year; got {shown(given)}.", "Write for example real 2023."
    if pattern.startswith("^[0-9]{4}"):
        return f"must be a date; got {shown(given)}.", "Write 2024, 2024-05 or 2024-05-31."
    proposed = re.sub(r"[^a-z0-9]+", "-", given.lower()).strip("-") or "cash-flow"
    return f"{shown(given)} is not a name.", f"Use lower-case letters, digits and single hyphens: {proposed}."


def _unknown_key(key: str, model: type[Spec]) -> tuple[str, str]:
    if key == "<<":
        return "YAML 1.2 has no merge key.", "Use extends, or write the entries out."
    word, colon, value = key.partition(":")
    if colon:
        remedy = f"A space must follow the colon: {word}: {value}."
        return "no such key.", remedy if value else f"A value must follow {word}: and a space."
    known = sorted(_keys(model))
    remedy = near_name(key, known)
    if not remedy and not any(is_statement(name) for name in known):
        remedy = f"Known here: {', '.join(known)}."
    return f"no such {'driver' if model is Drivers else 'key'}.", remedy or "Remove it."


def _keys(model: type[Spec]) -> list[str]:
    """List the keys that a file may write."""
    fields = [field.alias or name for name, field in model.model_fields.items()]
    if model is ScenarioSpec:
        return [*fields, "extends"]  # gone when the entries are checked: the scenarios are merged by then
    if not issubclass(model, Prior):
        return fields
    return [*(name for name in fields if name not in ("interval", "<own>")), "interval_90", *SHORT_FORMS]


def _description(model: type[Spec], key: str) -> str:
    names = {field.alias or name: name for name, field in model.model_fields.items()}
    return " ".join(field_words(model).get(names.get(key, ""), "").replace("`", "").split())
