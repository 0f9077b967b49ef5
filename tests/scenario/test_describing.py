"""Priors, libraries, scenarios and schemas in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings

from simulator import load_scenario, parse_scenario
from simulator.errors import InputError, SimulatorError
from simulator.priors.joint import named_prior
from simulator.scenario.describing import (
    describe_scenario,
    histogram,
    library_lines,
    library_priors,
    new_scenario,
    scenario_lines,
    schema_text,
)
from simulator.scenario.documents import load_document
from simulator.scenario.library import shipped_file, shipped_names
from simulator.schema.prior_names import Slot
from simulator.schema.statements import Prior
from simulator.testing import scenario_text, scenarios, small_scenario
from tests.places import ROOT

SCHEMAS = ROOT / "schemas"


def texts_for_keys(data: Any) -> Any:
    """Write keys that are numbers, such as 0.05 and 2025, as the texts that JSON has for them."""
    if isinstance(data, Mapping):
        return {str(key): texts_for_keys(value) for key, value in data.items()}
    return [texts_for_keys(item) for item in data] if isinstance(data, list) else data


def validator(of: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{of}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


SCENARIOS, LIBRARIES = validator("scenario"), validator("priors")


@pytest.mark.parametrize("of", ["scenario", "priors"])
def test_the_committed_schemas_are_those_of_the_code(of: Any) -> None:
    assert (SCHEMAS / f"{of}.schema.json").read_text(encoding="utf-8") == schema_text(of)


def shipped_files() -> Iterator[Any]:
    for kind, schema in (("scenarios", SCENARIOS), ("priors", LIBRARIES)):
        for name in shipped_names(kind):  # type: ignore[arg-type]
            yield pytest.param(shipped_file(kind, name), schema, id=f"{kind}/{name}")  # type: ignore[arg-type]


@pytest.mark.parametrize(("file", "schema"), list(shipped_files()))
def test_every_shipped_file_is_valid_by_its_schema(file: Path, schema: jsonschema.Draft202012Validator) -> None:
    schema.validate(texts_for_keys(load_document(file).data))


@settings(max_examples=10)
@given(scenarios())
def test_what_the_simulator_takes_is_valid_by_the_schema(text: str) -> None:
    SCENARIOS.validate(json.loads(text))
    SCENARIOS.validate(texts_for_keys(parse_scenario(text).data))


@pytest.mark.parametrize(
    "changes",
    [{"samples": 0}, {"drivers.compute.grwth": 3}, {"years.step": "week"}, {"drivers.compute.growth.mean": "fast"},
     {"block": 0}, {"name": "Not a name"}, {"schema": 1}, {"schema": 3}],
)  # fmt: skip
def test_what_the_schema_refuses_the_simulator_refuses(changes: dict[str, Any]) -> None:
    data = small_scenario(changes)
    assert not SCENARIOS.is_valid(data)
    with pytest.raises(InputError):
        parse_scenario(scenario_text(data))


def test_every_prior_of_a_scenario_has_a_line_with_its_source() -> None:
    scenario = load_scenario("baseline")
    lines = describe_scenario(scenario)
    assert len(lines) == len(scenario.joint.priors)
    for line, (name, prior) in zip(lines, scenario.joint.priors.items(), strict=True):
        assert line.startswith(name)
        assert prior.understood in line
        assert prior.value is not None or line.endswith(f"[{prior.prior.source or 'no source'}]")


def test_every_shipped_scenario_says_in_one_sentence_what_it_is() -> None:
    for line in scenario_lines():
        if not line or line.startswith("Published forecasts; "):
            continue
        name, _, sentence = line.partition("  ")
        assert len(sentence.strip()) > 10, name
        assert sentence.endswith(".")
        assert not sentence.endswith("..")


def test_published_forecasts_stand_apart_under_a_heading() -> None:
    lines = list(scenario_lines())
    heading = lines.index("Published forecasts; 'simulate published' holds them against what their authors published:")
    assert not any(line.startswith("published/") for line in lines[:heading])
    assert all(line.startswith("published/") for line in lines[heading + 1 :])


@pytest.mark.parametrize("library", shipped_names("priors"))
def test_every_entry_of_the_library_is_shown_in_full(library: str) -> None:
    listed = list(library_lines(library))
    entries = [line.split()[0] for line in listed[1:]]
    assert entries
    for entry in entries[:3] + entries[-1:]:
        lines = list(library_lines(f"{library}/{entry}"))
        assert lines[0] == f"{library}/{entry}"
        assert len(lines) >= 4
        assert any(line.startswith("  source: ") for line in lines)


@pytest.mark.parametrize(
    ("name", "words"),
    [("spendin", "Did you mean 'spending'?"), ("zzz", "There are: "), ("spending/cotter-2024", "cottier-2024")],
)
def test_a_library_or_entry_that_is_not_there_is_named(name: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        list(library_lines(name))
    assert words in str(caught.value)


def drawn(stated: dict[str, Any]) -> str:
    return histogram(named_prior(Slot(("x",), Prior.model_validate(stated), "level", None, never=True)))


def test_a_histogram_shows_the_shape_between_its_ends() -> None:
    text = drawn({"family": "lognormal", "interval_90": [0.01, 100]})
    low, bars, high = text.split("|")
    assert float(low) == pytest.approx(-2 * 2.576 / 1.645, abs=0.02)
    assert float(high.split()[0]) == pytest.approx(2 * 2.576 / 1.645, abs=0.02)
    heights = np.array([" ▁▂▃▄▅▆▇█".index(bar) for bar in bars])
    assert heights.size == 48
    assert abs(int(np.argmax(heights)) - 24) <= 3
    assert (np.abs(heights - heights[::-1]) <= 1).all()
    assert drawn({"value": 3}) == "fixed"
    assert drawn({"family": "lognormal", "interval_90": [1, 9], "never": 0.25}).endswith(", never 25 %")
    assert drawn({"family": "lognormal", "interval_90": [1, 9], "never": 0.004}).endswith(", never < 1 %")
    assert set(drawn({"log-uniform": [1, 100]}).split("|")[1]) <= set("▇█")


@pytest.mark.parametrize(
    ("name", "slug"), [("fast", "fast"), ("My  Fast_World 2!", "my-fast-world-2"), ("été", "t"), ("!!", "my-scenario")]
)
def test_a_starter_takes_its_name_from_the_file(name: str, slug: str, tmp_path: Path) -> None:
    assert load_scenario(new_scenario(tmp_path / "folder" / f"{name}.yaml")).spec.name == slug


def test_a_starter_is_a_new_yaml_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").touch()
    with pytest.raises(InputError, match="there is such a file already"):
        new_scenario(tmp_path / "mine.yaml")
    with pytest.raises(InputError, match=r"Write for example .*mine\.yaml"):
        new_scenario(tmp_path / "mine.txt")
    for name in ("x" * 300 + ".yaml", "x" * 300 + "/mine.yaml"):
        with pytest.raises(SimulatorError, match="cannot be written: File name too long"):
            new_scenario(tmp_path / name)


def test_the_library_is_read_as_priors_by_name() -> None:
    every = library_priors()
    assert {name.rpartition("/")[0] for name in every} == set(shipped_names("priors"))
    assert set(library_priors("period")) == {name for name in every if name.startswith("period/")}
    assert library_priors("algorithms/ho-2024").keys() == {"algorithms/ho-2024"}
    with pytest.raises(InputError, match="Did you mean 'spending'"):
        library_priors("spendin")
