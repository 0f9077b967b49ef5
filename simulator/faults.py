"""From pydantic's errors to faults in the words of this project."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from simulator.errors import Fault, Path, near_name, number
from simulator.schema import path_in_file
from simulator.statements import Faults, is_statement

_NOUNS = {"drivers": "driver"}


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """Turn each of pydantic's errors into a fault with the path of the entry, a rule and a remedy."""
    faults: list[Fault] = []
    for detail in error.errors(include_url=False):
        raised = detail.get("ctx", {}).get("error")
        path = path_in_file(detail["loc"])
        if isinstance(raised, Faults):
            faults += [Fault((*path, *fault.path), fault.rule, fault.remedy) for fault in raised.faults]
        elif not (detail["type"] == "too_short" and _broken_inside(path, error)):
            faults.append(_worded(path, detail["type"], detail, model))
    return faults


def _broken_inside(path: Path, error: ValidationError) -> bool:
    """Tell whether a list is short only because its items are at fault themselves."""
    return any(len(inner["loc"]) > len(path) and path_in_file(inner["loc"])[: len(path)] == path for inner in error.errors()
               if path_in_file(inner["loc"]) != path)  # fmt: skip


def _worded(path: Path, kind: str, detail: Any, model: type[BaseModel]) -> Fault:
    context, given = detail.get("ctx", {}), detail.get("input")
    if kind == "missing":
        description = _description(model, path)
        return Fault(path, "is missing.", description)
    if kind == "extra_forbidden":
        return _unknown_key(path, model)
    if kind == "literal_error":
        expected = str(context["expected"])
        known = [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]
        remedy = near_name(given, known) if isinstance(given, str) else ""
        return Fault(path, f"must be one of {expected}; got {given!r}.", remedy)
    if kind == "string_pattern_mismatch":
        return Fault(path, *_pattern(path, given, str(context["pattern"])))
    if kind in _RULES:
        rule, remedy = _RULES[kind]
        return Fault(path, f"{rule}; got {_shown(given)}.", remedy)
    if kind in _BOUNDS:
        bound = context[_BOUNDS[kind][0]]
        return Fault(path, f"must be {_BOUNDS[kind][1]} {number(float(bound))}; got {_shown(given)}.")
    return Fault(path, f"{detail['msg'][0].lower()}{detail['msg'][1:]}; got {_shown(given)}.")


_RULES = {
    "float_type": ("must be a number", "Write it without quotes, for example 2.4 or 1e26."),
    "int_type": ("must be a whole number", "Write it without quotes, for example 10_000."),
    "int_from_float": ("must be a whole number", "Write for example 10_000."),
    "string_type": ("must be a text", "Put it in quotes."),
    "finite_number": ("must be finite", "Write a number below 1e308."),
    "model_type": ("must be a prior or a group of entries", "Write a number, or keys and values."),
    "dict_type": ("must be keys with values", "Write for example name: {..}."),
    "model_attributes_type": ("must be keys with values", "Write for example name: {..}."),
    "tuple_type": ("must be a list", "Write for example [1.6, 3.4]."),
    "too_short": ("has too few items", "Add what is missing."),
    "too_long": ("has too many items", "Remove what is too many."),
    "string_too_short": ("is empty", "Write a text, or remove the key."),
    "string_too_long": ("is too long", "Keep names to 60 letters."),
}
_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}


def _pattern(path: Path, given: Any, pattern: str) -> tuple[str, str]:
    if "nominal" in pattern:
        return f"must be 'nominal' or 'real' and a year; got {given!r}.", "Write for example real 2023."
    if pattern.startswith("^[0-9]{4}"):
        return f"must be a date; got {given!r}.", "Write 2024, 2024-05 or 2024-05-31."
    return f"{given!r} is not a name.", "Use lower-case letters, digits and single hyphens, for example cash-flow."


def _shown(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unknown_key(path: Path, model: type[BaseModel]) -> Fault:
    noun = _NOUNS.get(str(path[-2])) if len(path) > 1 else None
    known = sorted({name for inner in _models_at(model, path[:-1]) for name in _fields(inner)})
    key = str(path[-1])
    if key == "<<":
        return Fault(path, "YAML 1.2 has no merge key.", "Use extends, or write the entries out.")
    remedy = near_name(key, known)
    if not remedy and not any(is_statement(name) for name in known):
        remedy = f"Known here: {', '.join(known)}."
    return Fault(path, f"no such {noun or 'key'}.", remedy)


def _fields(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _description(model: type[BaseModel], path: Path) -> str:
    for inner in _models_at(model, path[:-1]):
        for name, field in inner.model_fields.items():
            if (field.alias or name) == path[-1]:
                return " ".join((field.description or "").split())
    return ""


def _models_at(model: type[BaseModel], path: Path) -> list[type[BaseModel]]:
    """Find the models that may stand at a path."""
    models = [model]
    for part in path:
        inner: list[type[BaseModel]] = []
        for candidate in models:
            named = [f for n, f in candidate.model_fields.items() if (f.alias or n) == part]
            # A part that is no field is the name in a mapping or the place in a list: the models stay.
            inner += [found for field in named for found in _models_in(field.annotation)] or (
                [] if named else [candidate]
            )
        models = list(dict.fromkeys(inner)) or models
    return models


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
