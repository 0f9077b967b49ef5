"""From pydantic's errors to faults in the words of this project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from simulator.errors import Fault, Path, dotted, near_name, number, shown
from simulator.scenario.checks import check_scenario
from simulator.scenario.layers import lookup, text_keys
from simulator.schema.spec import Level, Operation, Regime, ScenarioSpec, path_in_file
from simulator.schema.statements import SHORT_FORMS, Faults, Prior, field_words, is_prior, is_statement

_FORMS: Mapping[str, type[BaseModel]] = {
    "<regimes>": Regime, "<rate>": Prior, "<prior>": Prior, "<level>": Level, "<operation>": Operation,
}  # fmt: skip
_NOUNS = {"drivers": "driver"}
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


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """Turn each of pydantic's errors into a fault with the path of the entry, a rule and a remedy."""
    faults: list[Fault] = []
    details = error.errors(include_url=False)
    for detail in details:
        raised = detail.get("ctx", {}).get("error")
        path = path_in_file(detail["loc"])
        if isinstance(raised, Faults):
            faults += [Fault((*path, *fault.path), fault.rule, fault.remedy) for fault in raised.faults]
        elif detail["type"] != "too_short" or not _broken_inside(path, details):
            models = _models_at(model, detail["loc"])
            above = _models_at(model, detail["loc"][:-1])
            faults.append(Fault(path, *_worded(path, detail, models, above)))
    return faults


def _broken_inside(path: Path, details: Any) -> bool:
    """Tell whether a list is short only because its items are at fault themselves."""
    inner = [path_in_file(detail["loc"]) for detail in details]
    return any(len(other) > len(path) and other[: len(path)] == path for other in inner)


def _worded(path: Path, detail: Any, models: list[type[BaseModel]], above: list[type[BaseModel]]) -> tuple[str, str]:
    kind, context, given = detail["type"], detail.get("ctx", {}), detail.get("input")
    key = str(path[-1]) if path else ""
    if kind == "missing" and isinstance(path[-1], int):
        return "is missing.", _description(above, str(path[-2]))
    if kind == "missing":
        return "is missing.", f"{_description(above, key)}\n{_EXAMPLES.get(key, '')}".strip()
    if kind == "extra_forbidden":
        return _unknown_key(path, above)
    if kind == "literal_error":
        expected = str(context["expected"])
        known = [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]
        return f"must be one of {expected}; got {shown(given)}.", near_name(str(given), known)
    if kind == "string_pattern_mismatch":
        return _pattern(str(given), str(context["pattern"]))
    if kind in ("float_type", "int_type", "int_from_float"):
        return _not_a_number(given, whole=kind != "float_type")
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        if key == "custom" and isinstance(given, str):
            return "must be keys with values; got " + shown(given) + ".", f"Write {{driver: {given}}}."
        return _not_a_group(given, prior=any(issubclass(model, Prior) for model in models))
    if kind in ("too_short", "too_long"):
        bound = f"at least {context['min_length']}" if kind == "too_short" else f"at most {context['max_length']}"
        return f"must hold {bound} items; got {context['actual_length'] or 'none'}.", _description(above, key)
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"must be {words} {number(float(context[name]))}; got {shown(given)}.", _description(above, key)
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


def _unknown_key(path: Path, above: list[type[BaseModel]]) -> tuple[str, str]:
    key = str(path[-1])
    if key == "<<":
        return "YAML 1.2 has no merge key.", "Use extends, or write the entries out."
    word, colon, value = key.partition(":")
    if colon:
        remedy = f"A space must follow the colon: {word}: {value}."
        return "no such key.", remedy if value else f"A value must follow {word}: and a space."
    noun = _NOUNS.get(str(path[-2])) if len(path) > 1 else None
    known = sorted({name for model in above for name in _keys(model)})
    remedy = near_name(key, known)
    if not remedy and not any(is_statement(name) for name in known):
        remedy = f"Known here: {', '.join(known)}."
    return f"no such {noun or 'key'}.", remedy or "Remove it."


def _keys(model: type[BaseModel]) -> list[str]:
    """List the keys that a file may write."""
    fields = [field.alias or name for name, field in model.model_fields.items()]
    if model is ScenarioSpec:
        return [*fields, "extends"]  # gone when the entries are checked: the scenarios are merged by then
    if not issubclass(model, Prior):
        return fields
    return [*(name for name in fields if name not in ("interval", "<own>")), "interval_90", *SHORT_FORMS]


def _description(models: list[type[BaseModel]], key: str) -> str:
    for model in models:
        for name, field in model.model_fields.items():
            if (field.alias or name) == key:
                return " ".join(field_words(model).get(name, "").replace("`", "").split())
    return ""


def _models_at(model: type[BaseModel], location: tuple[str | int, ...]) -> list[type[BaseModel]]:
    """Find the models that may stand at a location of pydantic's, which names the form where there are several."""
    models, name_follows = [model], False
    for part in location:
        if part in _FORMS:
            models = [_FORMS[str(part)]]
        elif name_follows or isinstance(part, int):
            name_follows = False
        else:
            for held in models:
                held.model_rebuild()  # until it is built, its fields may name models that are not known yet
            fields = [f for m in models for n, f in m.model_fields.items() if (f.alias or n) == part]
            models = list(dict.fromkeys(found for field in fields for found in _models_in(field.annotation)))
            name_follows = any(_is_mapping(field.annotation) for field in fields)
    return models


def _is_mapping(annotation: Any) -> bool:
    return get_origin(annotation) is dict or any(_is_mapping(argument) for argument in get_args(annotation))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


_ROUNDS = 4  # taking an entry out can leave the one above it incomplete, and so on upwards
_ROOT_STAND_INS: Mapping[str, Any] = {"schema": 1, "name": "stand-in", "years": {"first": 2025, "last": 2045}}
_DRIVER_UNITS = {"spending": "USD", "hardware": "FLOP/USD"}


def remaining_faults(data: Any, known: Sequence[Path]) -> list[Fault]:
    """Check a scenario without the entries that are known to be at fault."""
    data = text_keys(data)
    roots = {entry_root(data, path) for path in known}
    faults: list[Fault] = []
    for _ in range(_ROUNDS):
        try:
            spec = ScenarioSpec.model_validate(_with_stand_ins(_cut(data, roots, ())))
        except ValidationError as error:
            hidden = faults_of(error, ScenarioSpec)  # those that show only when the others are gone
            faults += [fault for fault in hidden if not concerns(fault.path, roots)]
            found = {fault.path for fault in hidden}
            roots |= {entry_root(data, path) for path in found - roots} | {path[:-1] for path in found & roots if path}
            roots |= {path[:-1] for path in found if lookup(data, path) is None and len(path) > 1}
            continue
        faults += [fault for fault in check_scenario(spec).faults if not concerns(fault.path, roots)]
        return [fault for fault in faults if not _names(fault, roots)]
    return faults


def entry_root(data: Any, path: Path) -> Path:
    """Find the innermost prior in which an entry stands; the entry itself where it stands in none."""
    for length in range(len(path), 0, -1):
        if _stands_in(lookup(data, path[:length])):
            return path[:length]
    while path and isinstance(path[-1], int):
        path = path[:-1]  # to take one item out of a list would rename the items after it
    return path


def concerns(path: Path, roots: Iterable[Path]) -> bool:
    """Tell whether an entry lies in one of others, or right above it."""
    return any(root and (path[: len(root)] == root or path == root[:-1]) for root in roots)


def _cut(data: Any, roots: set[Path], path: Path) -> Any:
    """Copy plain data without some entries; a number stands in for a prior."""
    if isinstance(data, Mapping):
        if path in roots and is_prior(data):
            kept = {"unit": data["unit"]} if isinstance(data.get("unit"), str) else {}
            return {"value": 1.0} | kept | ({"weight": 1.0} if path[-2:-1] == ("mixture",) else {})
        gone = {key for key, value in data.items() if (*path, key) in roots and not _stands_in(value)}
        return {key: _cut(value, roots, (*path, key)) for key, value in data.items() if key not in gone}
    if isinstance(data, list):
        return [_cut(item, roots, (*path, index)) for index, item in enumerate(data)]
    return data


def _stands_in(value: Any) -> bool:
    return isinstance(value, Mapping) and is_prior(value)


def _with_stand_ins(data: Any) -> Any:
    """Put plain values where a scenario cannot do without."""
    drivers = data.get("drivers")
    drivers = dict(drivers) if isinstance(drivers, Mapping) else {}
    if "compute" not in drivers:
        for name, unit in _DRIVER_UNITS.items():
            drivers.setdefault(name, {"start": {"value": 1.0, "unit": unit}})
    return {**_ROOT_STAND_INS, **data, "drivers": drivers}


def _names(fault: Fault, roots: set[Path]) -> bool:
    """Tell whether a fault comes of the stand-in years, or is only that a name leads to what was taken out."""
    if "the scenario runs from" in fault.rule and any(root[:1] == ("years",) for root in roots):
        return True
    names = {dotted(root) for root in roots} | {str(root[1]) for root in roots if len(root) == 2}
    return any(f"'{name}'" in fault.rule or f"'{name}." in fault.rule for name in names)
