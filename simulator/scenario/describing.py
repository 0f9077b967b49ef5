"""In words: priors of a scenario, the prior library, the shipped scenarios, the schema, a starter file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, Literal

import numpy as np

from simulator.errors import InputError, near_name, number
from simulator.priors.joint import NamedPrior, named_prior
from simulator.scenario.library import library_prior, load_library, shipped_names
from simulator.scenario.load import GroupingKeys, load_scenario
from simulator.scenario.resolving import Scenario
from simulator.schema.prior_names import Slot, SlotKind
from simulator.schema.spec import PriorLibrary, ScenarioSpec
from simulator.schema.statements import Prior
from simulator.units import UnitError, parse_growth_unit

_PUBLISHED = "published/"
_BARS = " ▁▂▃▄▅▆▇█"


def prior_lines(scenario: Scenario) -> Iterator[str]:
    """List the priors of a scenario: name, what was understood, source."""
    width = max(len(name) for component in scenario.components for name in component.joint.priors)
    for component in scenario.components:
        if len(scenario.components) > 1:
            yield f"{component.name}: weight {number(round(component.weight, 4))}"
        for name, prior in component.joint.priors.items():
            source = prior.prior.source or ("" if prior.value is not None else "no source")
            yield f"{name:<{width}}  {prior.understood}{f'  [{source}]' if source else ''}"


def scenario_lines() -> Iterator[str]:
    """List the shipped scenarios: name, what each says; then published forecasts under a heading, by their titles."""
    names = shipped_names("scenarios")
    width = max(len(name) for name in names)
    ours = [name for name in names if not name.startswith(_PUBLISHED)]
    for name in ours:
        spec = load_scenario(name).spec
        notes = " ".join((spec.notes or spec.title or "").split())
        first = notes.split(". ")[0].rstrip(".")
        yield f"{name:<{width}}  {first}."
    yield ""
    yield "Published forecasts; 'simulate published' holds them against what their authors published:"
    for name in sorted(set(names) - set(ours)):
        yield f"{name:<{width}}  {load_scenario(name).spec.title}."


def library_lines(name: str | None) -> Iterator[str]:
    """List the libraries, one library, one entry in full, or a scenario's priors.

    Raises
    ------
    InputError
        There is no such library, entry or file.
    """
    libraries = shipped_names("priors")
    if name is None:
        for library in libraries:
            yield from _library(library)
    elif name in libraries:
        yield from _library(name)
    elif inside := [library for library in libraries if library.startswith(f"{name}/")]:
        for library in inside:
            yield from _library(library)
    elif name.rpartition("/")[0] in libraries:
        library, _, key = name.rpartition("/")
        yield from _entry(library, key)
    elif name.endswith((".yaml", ".yml")) or name in shipped_names("scenarios"):
        yield from prior_lines(load_scenario(name))
    else:
        hint = near_name(name, [*libraries, *shipped_names("scenarios")]) or f"There are: {', '.join(libraries)}."
        raise InputError(f"there is no prior library, entry or scenario '{name}'. {hint}")


def _library(name: str) -> Iterator[str]:
    data = load_library(name).data
    about = " ".join(str(data.get("about", "")).split())
    yield f"{name}: {about}"
    width = max(len(key) for key in data["priors"])
    for key in data["priors"]:
        prior = library_prior(f"{name}/{key}")
        yield f"  {key:<{width}}  {_named(key, prior).understood}  [{prior.source or 'no source'}]"


def _entry(library: str, key: str) -> Iterator[str]:
    prior = library_prior(f"{library}/{key}")
    named = _named(key, prior)
    yield f"{library}/{key}"
    yield f"  {named.understood}"
    yield f"  {histogram(named)}"
    for field in ("source", "url", "doi", "as_of", "confidence", "dollars", "notes"):
        value = getattr(prior, field)
        if value is not None:
            yield f"  {field.replace('_', ' ')}: {' '.join(str(value).split())}"


def _named(key: str, prior: Prior) -> NamedPrior:
    """Put a library entry on the scale that its unit tells: growth, or a level, or a date."""
    unit = prior.unit or (prior.mixture[0].unit if prior.mixture else None) or "1"
    kind: SlotKind = "level"
    try:
        parse_growth_unit(unit)
        kind = "rate"
    except UnitError:
        if unit == "year":
            kind = "date"
        elif prior.value is not None and prior.value <= 0:
            kind = "number"
    return named_prior(Slot((key,), prior, kind, None, never=True))


def histogram(prior: NamedPrior, *, columns: int = 48) -> str:
    """Draw a prior's density as a line of text between its 0.5 and 99.5 % points, on the internal scale.

    Examples
    --------
    >>> len(histogram(_named("x", library_prior("algorithms/ho-2024"))).split("|")[1])
    48
    """
    if prior.value is not None:
        return "fixed"
    ordered = prior.family.ppf((np.arange(4000) + 0.5) / 4000)
    finite = ordered[np.isfinite(ordered)]
    low, high = finite[int(0.005 * finite.size)], finite[int(0.995 * finite.size)]
    if not high > low:
        return "one value"
    counts, _ = np.histogram(finite, bins=columns, range=(low, high))
    bars = "".join(_BARS[round(count / counts.max() * (len(_BARS) - 1))] for count in counts)
    never = f", never {100 * (1 - finite.size / ordered.size):.0f} %" if finite.size < ordered.size else ""
    return f"{number(round(float(low), 3))} |{bars}| {number(round(float(high), 3))} {prior.unit}{never}"


def schema_text(of: Literal["scenario", "priors"]) -> str:
    """Write the JSON Schema of scenario files or of prior libraries."""
    model = ScenarioSpec if of == "scenario" else PriorLibrary
    schema: dict[str, Any] = model.model_json_schema(by_alias=True)
    if of == "scenario":
        schema = _with_removals(schema)
        schema["properties"]["extends"] = {
            "type": "string",
            "description": "A shipped scenario, or a file such as ./team.yaml, that this one is laid over.",
        }
        for key, written in _grouping_schema(schema).items():
            schema["properties"][key] = written
        wholes = (schema.pop("required"), ["schema", "extends"], ["schema", "name", "mixture"])
        schema["anyOf"] = [{"required": keys} for keys in wholes]
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"{of} file", **schema}
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _grouping_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Write the keys by which a file stands for several scenarios; what they need joins the definitions."""
    grouping = GroupingKeys.model_json_schema(by_alias=True)
    schema["$defs"] |= grouping["$defs"]
    changes = {"type": "object", "description": "Entries of a scenario, laid over it; null takes one away."}
    entry = schema["$defs"]["MixtureEntry"]["properties"]
    entry["changes"] = changes
    entry["scenario"] = {"type": ["string", "object"], "description": entry["scenario"].get("description", "")}
    written: dict[str, Any] = grouping["properties"]
    written["mixture"] = {**written["mixture"]["anyOf"][0], "description": written["mixture"]["description"]}
    written["variants"] = {
        "type": "object", "additionalProperties": changes, "description": written["variants"]["description"],
    }  # fmt: skip
    written["sweep"] = {
        "type": "object",
        "additionalProperties": {"type": ["string", "array", "object", "number"]},
        "description": written["sweep"]["description"],
    }
    return written


def _with_removals(schema: Any) -> Any:
    """Let null stand for a map of named entries and for each entry: in a file that extends, null takes it away."""
    if isinstance(schema, list):
        return [_with_removals(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    written = {key: _with_removals(value) for key, value in schema.items()}
    if written.get("type") == "object" and "propertyNames" in written and "patternProperties" in written:
        written["type"] = ["object", "null"]
        entries = written["patternProperties"].items()
        written["patternProperties"] = {name: {"anyOf": [entry, {"type": "null"}]} for name, entry in entries}
    return written


def starter_text(name: str) -> str:
    """Write a commented starter scenario under a name."""
    text = (FilePath(__file__).parent / "starter.yaml").read_text(encoding="utf-8")
    slug = "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split()) or "my-scenario"
    return text.replace("name: my-scenario", f"name: {slug}")
