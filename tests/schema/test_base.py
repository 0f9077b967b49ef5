"""What a file may say is refused in the words of the file, and never in those of the library that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.errors import ScenarioError
from simulator.scenario.load import GroupingKeys, parse_scenario
from simulator.schema import base
from simulator.schema.spec import PriorLibrary, ScenarioSpec


def forms(schema: Any, seen: set[int]) -> Iterator[str]:
    """List what a schema puts into the place of a fault beside the entries of a file; of a union without tags, all."""
    if isinstance(schema, list | tuple):
        for item in schema:
            yield from forms(item, seen)
    elif isinstance(schema, dict) and id(schema) not in seen:
        seen.add(id(schema))
        if schema.get("type") in ("union", "tagged-union"):
            yield from (str(choice) for choice in schema["choices"])
        for inner in schema.values():
            yield from forms(inner, seen)


@pytest.mark.parametrize("model", [ScenarioSpec, PriorLibrary, GroupingKeys])
def test_every_choice_of_form_has_a_name_that_no_message_shows(model: Any) -> None:
    model.model_rebuild()
    found = set(forms(model.__pydantic_core_schema__, set()))
    assert found or model is PriorLibrary
    assert found <= base._FORMS


@pytest.mark.parametrize("given", ["5", "[[1]]", "null", "''", "true"])
def test_what_is_no_scenario_in_a_mixture_is_said_in_the_words_of_the_file(given: str) -> None:
    text = f"schema: 2\nname: m\nmixture: [{{weight: 1, scenario: {given}}}, {{weight: 1, scenario: baseline}}]\n"
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(text)
    assert {fault.entry for fault in refused.value.faults} == {"mixture[0].scenario"}
    assert len(refused.value.faults) == 1
