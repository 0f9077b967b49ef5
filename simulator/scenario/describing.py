"""In words: priors of a scenario, the prior library, the shipped scenarios, the schema, a starter file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, Literal

import numpy as np

from simulator.errors import InputError, dotted, near_name, near_or_all, number
from simulator.files import is_there, make_folder, write_text
from simulator.priors.joint import NamedPrior, named_prior
from simulator.scenario.assumptions import is_belief
from simulator.scenario.dating import dates_taken
from simulator.scenario.documents import Document
from simulator.scenario.examples import with_examples
from simulator.scenario.library import library_prior, load_library, shipped_names
from simulator.scenario.load import GroupingKeys, Source, load_scenario, scenario_of
from simulator.scenario.resolving import Scenario
from simulator.schema.base import Faults
from simulator.schema.prior_names import Slot, entries_of, free_kind
from simulator.schema.quantities import Limit
from simulator.schema.spec import PriorLibrary, ScenarioSpec
from simulator.schema.statements import Prior
from simulator.wording import listed, percent

_PUBLISHED = "published/"
_BARS = " ▁▂▃▄▅▆▇█"


def describe_scenario(scenario: Scenario | Source) -> list[str]:
    """Say what was understood of each prior of a scenario.

    Parameters
    ----------
    scenario : Scenario, or what `load_scenario` reads

    Returns
    -------
    list of str
        A line for each prior: its name, its family, median and 90 % interval with their unit, its source. Of a mixture
        each component has its weight above its priors. Then the dates of starts that no file writes.

    Examples
    --------
    >>> from simulator import load_scenario
    >>> describe_scenario(load_scenario("essay-2023"))[0].split()[:3]
    ['drivers.spending.start', '1000', 'USD']
    """
    scenario = scenario_of(scenario)
    taken = dates_taken(Document(scenario.data, scenario.places))
    width = max(len(name) for component in scenario.components for name in component.joint.priors)
    lines = []
    for component in scenario.components:
        if len(scenario.components) > 1:
            lines.append(f"{component.name}: weight {number(round(component.weight, 4))}")
        for name, prior in component.joint.priors.items():
            source = prior.prior.source or ("no source" if prior.value is None and is_belief(name) else "")
            lines.append(f"{name:<{width}}  {prior.understood}{f'  [{source}]' if source else ''}")
    return [*lines, *taken]


def defaults_taken(scenario: Scenario) -> Iterator[str]:
    """Say in one line what is taken where a scenario says nothing: samples, seed, step, laws, units."""
    spec = scenario.spec
    said = [
        f"{key} {value:,}" if isinstance(value, int) else f"{key} {value}"
        for within, keys in ((spec, ("samples", "seed", "block", "design")), (spec.years, ("step",)))
        for key in keys
        if key not in within.model_fields_set and (value := getattr(within, key)) is not None
    ]
    taken: dict[str, list[str]] = {}
    for path, limit in entries_of(Limit, spec):
        if "kind" not in limit.model_fields_set:
            taken.setdefault(f"law {limit.kind}", []).append(dotted(path))
    for name, prior in scenario.joint.priors.items():
        if prior.prior.own_unit is None and prior.unit.startswith("log10(") and prior.stated_unit:
            taken.setdefault(f"unit {prior.stated_unit}", []).append(name)
    for what, names in taken.items():
        said.append(f"{what} of {listed(names if len(names) < 5 else [*names[:3], f'{len(names) - 3} more'])}")
    if said:
        yield f"taken where nothing is said: {'; '.join(said)}"


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


def scenario_rows() -> Iterator[dict[str, str | None]]:
    """List the shipped scenarios as rows of a table."""
    for name in shipped_names("scenarios"):
        spec = load_scenario(name).spec
        yield {"name": name, "title": spec.title, "notes": " ".join((spec.notes or "").split())}


def library_priors(name: str | None = None) -> dict[str, NamedPrior]:
    """Read priors of the shipped library.

    Parameters
    ----------
    name : str, optional
        A library such as `algorithms`, a folder of libraries, or one entry such as `algorithms/ho-2024`; all of them
        without it.

    Returns
    -------
    dict of str to NamedPrior
        By `library/entry`. `understood` says it in words; `prior` has its source, date and confidence; `family` is on
        the internal scale, in `unit`: log10 of a level, OOM/year of growth, a year.

    Raises
    ------
    InputError
        There is no such library or entry.

    Examples
    --------
    >>> prior = library_priors("algorithms/ho-2024")["algorithms/ho-2024"]
    >>> prior.understood, prior.prior.as_of
    ('skewed lognormal, median 8 (90 % 2 to 22) months/halving of requirement', '2024-12')
    """
    libraries = shipped_names("priors")
    chosen = [each for each in libraries if name is None or each == name or each.startswith(f"{name}/")]
    if chosen:
        keys = [f"{library}/{key}" for library in chosen for key in load_library(library).data["priors"]]
    elif name is not None and name.rpartition("/")[0] in libraries:
        keys = [name]
    else:
        hint = near_or_all(str(name), libraries)
        raise InputError(f"there is no prior library or entry '{name}'. {hint}")
    return {key: _named(key, library_prior(key)) for key in keys}


_TOLD = ("source", "url", "doi", "as_of", "confidence", "dollars", "notes")
"""What an entry of the library says beside its numbers."""


def library_rows(name: str | None) -> Iterator[dict[str, str | None]]:
    """List priors of the library, or of a scenario, as rows of a table: name, what was understood, unit, source ..."""
    if name is not None and (name.endswith((".yaml", ".yml")) or name in shipped_names("scenarios")):
        loaded = load_scenario(FilePath(name) if name.endswith((".yaml", ".yml")) else name)
        found = {key: prior for part in loaded.components for key, prior in part.joint.priors.items()}
    else:
        found = library_priors(name)
    for key, prior in found.items():
        fields = {field: getattr(prior.prior, field) for field in _TOLD}
        yield {"name": key, "understood": prior.understood, "unit": prior.stated_unit, **fields}


def library_lines(name: str | None) -> Iterator[str]:
    """List the libraries, one library, one entry in full, or a scenario's priors."""
    libraries = shipped_names("priors")
    inside = [library for library in libraries if name is None or library.startswith(f"{name}/")]
    if name is None or inside or name in libraries:
        for library in inside or [str(name)]:
            yield from _library(library)
    elif name.rpartition("/")[0] in libraries:
        yield from _entry(name)
    elif name.endswith((".yaml", ".yml")) or name in shipped_names("scenarios"):
        yield from describe_scenario(load_scenario(FilePath(name) if name.endswith((".yaml", ".yml")) else name))
    else:
        hint = near_name(name, [*libraries, *shipped_names("scenarios")]) or f"There are: {', '.join(libraries)}."
        raise InputError(f"there is no prior library, entry or scenario '{name}'. {hint}")


def _library(name: str) -> Iterator[str]:
    about = " ".join(str(load_library(name).data.get("about", "")).split())
    yield f"{name}: {about}"
    found = {key.removeprefix(f"{name}/"): prior for key, prior in library_priors(name).items()}
    width = max(map(len, found))
    for key, named in found.items():
        yield f"  {key:<{width}}  {named.understood}  [{named.prior.source or 'no source'}]"


def _entry(name: str) -> Iterator[str]:
    named = library_priors(name)[name]
    yield name
    yield f"  {named.understood}"
    yield f"  {histogram(named)}"
    for field in _TOLD:
        value = getattr(named.prior, field)
        if value is not None:
            yield f"  {field.replace('_', ' ')}: {' '.join(str(value).split())}"


def _named(key: str, prior: Prior) -> NamedPrior:
    """Put a library entry on the scale that its unit tells: growth, a level, a date; or it is a plain number."""
    kind = free_kind(prior)
    try:
        return named_prior(Slot((key,), prior, kind, None, never=True))
    except Faults:
        if kind != "level" or prior.own_unit not in (None, "1"):
            raise
        return named_prior(Slot((key,), prior, "number", None, never=True))


def histogram(prior: NamedPrior, *, columns: int = 48) -> str:
    """Draw a prior's density as a line of text between its 0.5 and 99.5 % points, on the internal scale."""
    if prior.value is not None:
        return "fixed"
    ordered = prior.family.ppf((np.arange(4000) + 0.5) / 4000)
    finite = ordered[np.isfinite(ordered)]
    low, high = finite[int(0.005 * finite.size)], finite[int(0.995 * finite.size)]
    if not high > low:
        return "one value"
    counts, _ = np.histogram(finite, bins=columns, range=(low, high))
    bars = "".join(_BARS[round(count / counts.max() * (len(_BARS) - 1))] for count in counts)
    never = f", never {percent(1 - finite.size / ordered.size)}" if finite.size < ordered.size else ""
    return f"{number(round(float(low), 3))} |{bars}| {number(round(float(high), 3))} {prior.unit}{never}"


def json_schema(of: Literal["scenario", "priors"] = "scenario") -> dict[str, Any]:
    """Give the JSON Schema of scenario files or of prior libraries, by which editors complete and check them.

    Parameters
    ----------
    of : "scenario" or "priors"

    Returns
    -------
    dict, JSON Schema of draft 2020-12

    Examples
    --------
    >>> json_schema("priors")["properties"]["priors"]["type"]
    'object'
    """
    model = ScenarioSpec if of == "scenario" else PriorLibrary
    schema: dict[str, Any] = model.model_json_schema(by_alias=True)
    if of == "scenario":
        schema = _with_removals(schema)
        schema["properties"]["extends"] = {
            "type": "string",
            "description": "A shipped scenario, or a file such as ./team.yaml, that this one is laid over.",
        }
        schema["properties"]["without"] = {
            "type": "array",
            "items": {"type": "string"},
            "description": "Paths of entries that are left out of what is extended, so that they can be said anew as a "
            "whole: [constraints, drivers.spending.caps]. In variants and changes, too.",
        }
        schema["properties"] |= _grouping_schema(schema)
        wholes = (schema.pop("required"), ["schema", "extends"], ["schema", "name", "mixture"])
        schema["anyOf"] = [{"required": keys} for keys in wholes]
        schema = with_examples(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"{of} file", **schema}


def schema_text(of: Literal["scenario", "priors"]) -> str:
    """Write a JSON Schema as its file holds it."""
    return json.dumps(json_schema(of), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _grouping_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Write the keys by which a file stands for several scenarios; what they need joins the definitions."""
    grouping = GroupingKeys.model_json_schema(by_alias=True)
    schema["$defs"] |= grouping["$defs"]
    changes = {"type": "object", "description": "Entries of a scenario, laid over it; null takes one away."}
    entry = schema["$defs"]["MixtureEntry"]["properties"]
    entry["changes"] = changes
    entry["scenario"] = {"type": ["string", "object"], "description": entry["scenario"].get("description", "")}
    said: dict[str, Any] = grouping["properties"]
    values = {"type": ["string", "array", "object", "number"]}
    forms = {
        "mixture": said["mixture"]["anyOf"][0],
        "variants": {"type": "object", "additionalProperties": changes},
        "sweep": {"type": "object", "additionalProperties": values},
    }
    return {key: form | {"description": said[key]["description"]} for key, form in forms.items()}


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


def new_scenario(path: FilePath | str, *, name: str = "", question: str = "") -> FilePath:
    """Write a commented starter scenario.

    Parameters
    ----------
    path : path
        Ends in .yaml, and names no file that there is; its folder is made where it is not there.
    name : str
        What the scenario is called, from which its short name is made; the name of the file without it.
    question : str
        What it shall answer; it stands in the notes.

    Returns
    -------
    path of the file

    Raises
    ------
    InputError
        The name is not that of a YAML file, or there is such a file.
    SimulatorError
        The file cannot be written.

    Examples
    --------
    >>> from simulator import load_scenario
    >>> spec = load_scenario(new_scenario(getfixture("tmp_path") / "mine.yaml", question="When is 1e30 reached?")).spec
    >>> spec.name, spec.notes
    ('mine', 'When is 1e30 reached?')
    """
    file = check_new(path)
    text = (FilePath(__file__).parent / "starter.yaml").read_text(encoding="utf-8")
    called = " ".join((name or file.stem).split())
    slug = "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in called.lower()).split())
    text = text.replace("name: my-scenario", f"name: {slug or 'my-scenario'}")
    told = {"title": called if name else "", "notes": " ".join(question.split())}
    for key, words in told.items():
        if words:
            before, _, after = re.split(rf"(?m)^({key}: .*)$", text, maxsplit=1)
            text = f"{before}{key}: {json.dumps(words, ensure_ascii=False)}{after}"
    make_folder(file.parent)
    write_text(file, text)
    return file


def check_new(path: FilePath | str) -> FilePath:
    """Refuse a path that is that of no new YAML file."""
    file = FilePath(path)
    if file.suffix not in (".yaml", ".yml"):
        raise InputError(f"{file}: a scenario file ends in .yaml. Write for example {file.with_suffix('.yaml')}.")
    if is_there(file):
        raise InputError(f"{file}: there is such a file already. Name another, or remove it first.")
    return file
