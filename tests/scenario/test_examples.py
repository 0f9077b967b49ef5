"""Every key of the format has an example, and every example runs."""

from __future__ import annotations

import pytest

from simulator import parse_scenario, simulate
from simulator.scenario.describing import json_schema
from simulator.scenario.examples import examples, groups, shown_keys, stated_keys, used_keys
from tests.places import ROOT

SCHEMA = json_schema()


@pytest.mark.parametrize("example", examples(), ids=lambda each: each.about)
def test_an_example_runs(example):
    scenario = parse_scenario(example.scenario, file=str(ROOT / "scenarios" / "x.yaml"), overrides=["samples=8"])
    if scenario.spec.history is None:
        assert simulate(scenario).attrs["samples"] == 8


def test_every_key_has_an_example():
    shown = shown_keys(SCHEMA)
    missing = [f"{kind}: {key}" for kind, key, _ in stated_keys(SCHEMA) if (kind, key) not in shown]
    assert missing == [], "add a piece that uses it to simulator/scenario/examples.yaml"


def test_an_example_uses_the_key_that_it_is_shown_for():
    for (_, key), (example, value) in used_keys(SCHEMA).items():
        assert key.removesuffix("90") in example.text
        assert value is not None


def test_examples_reach_the_editor():
    regime = groups(SCHEMA)["Regime"]["properties"]
    assert regime["half_life"]["examples"] == ["5 years"]
    assert regime["from"]["examples"]
