"""From a file to a scenario: round trips, order, layers, overrides, what is remembered."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.errors import InputError, ScenarioError
from simulator.remainder import remaining_faults
from simulator.scenario import Scenario, load_scenario, parse_scenario
from simulator.shipped import shipped_names

SMALL: dict[str, Any] = {
    "schema": 1,
    "name": "small",
    "years": {"first": 2025, "last": 2035},
    "drivers": {
        "spending": {
            "start": {"median": 4e8, "interval_90": [2e8, 8e8], "unit": "USD", "source": "Someone 2024"},
            "growth": {"median": 2.4, "interval_90": [1.6, 3.4]},
        },
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": 1.35},
        "algorithms": {"growth": {"quantiles": {0.05: 5, 0.5: 8, 0.95: 14}, "unit": "months/halving"}},
    },
    "thresholds": {"gpt-4": {"physical_compute": 2.1e25}},
}
PROBABILITIES = np.array([0.01, 0.2, 0.5, 0.77, 0.999])


def parsed(data: Any, *, overrides: tuple[str, ...] = ()) -> Scenario:
    return parse_scenario(json.dumps(data), overrides=overrides)  # JSON is YAML


def quantiles_by_name(scenario: Scenario) -> dict[str, tuple[float, ...]]:
    priors = scenario.joint.priors
    return {name: tuple(prior.family.ppf(PROBABILITIES).tolist()) for name, prior in sorted(priors.items())}


def shuffled(data: Any, rng: random.Random) -> Any:
    if isinstance(data, dict):
        keys = list(data)
        rng.shuffle(keys)
        return {key: shuffled(data[key], rng) for key in keys}
    return [shuffled(item, rng) for item in data] if isinstance(data, list) else data


# ------------------------------------------------------------------------------------ scenarios made by Hypothesis

positive = st.floats(min_value=1.05, max_value=9.0).map(lambda value: round(value, 6))
texts = st.text(min_size=1, max_size=20).filter(str.strip) | st.sampled_from(
    [
        "no",
        "1e5",
        "10_000",
        "null",
        "a: b",
        "# x",
        "'",
        '"',
        "- x",
        "{",
        "2024",
        "%",
        "*x",
        "&x",
        "!x",
        "| y",
        ".5",
        "~",
    ]
)


@st.composite
def priors(draw: st.DrawFn, unit: str | None = None) -> Any:
    middle = draw(positive)
    spread = draw(st.floats(min_value=1.1, max_value=2.0))
    low, high = middle / spread, middle * spread
    prior: Any = draw(
        st.sampled_from(
            [
                {"median": middle, "interval_90": [low, high]}, {"interval_50": [low, high]}, {"uniform": [low, high]},
                {"log-uniform": [low, high]}, {"triangular": [low, middle, high]}, {"pert": [low, middle, high]},
                {"quantiles": {0.05: low, 0.5: middle, 0.95: high}}, {"value": middle},
                {"discrete": {"values": [low, high], "weights": [1, 2]}},
                {"median": middle, "interval_90": [low, high], "truncated": [low, None]},
                {"mixture": [{"weight": 0.3, "value": low}, {"weight": 1, "median": middle, "interval_80": [low, high]}]},
            ]
        )
    )  # fmt: skip
    if unit is not None:
        prior = {**prior, "unit": unit}
    return {**prior, "notes": draw(texts)} if draw(st.booleans()) else prior


@st.composite
def scenarios(draw: st.DrawFn) -> Any:
    data = copy.deepcopy(SMALL)
    data |= {"seed": draw(st.integers(0, 2**40)), "title": draw(texts), "samples": draw(st.integers(1, 5000))}
    spending = data["drivers"]["spending"]
    spending["start"] = draw(priors("USD"))
    regimes = [{"rate": draw(priors())}]
    regimes += [{"from": 2027 + i, "rate": draw(priors("factor/2 years"))} for i in range(draw(st.integers(0, 2)))]
    spending["growth"] = regimes
    if draw(st.booleans()):
        kind = draw(st.sampled_from(["hard", "exponential", "logistic", "gompertz"]))
        spending["caps"] = {"cash": {"kind": kind, "limit": draw(priors("USD"))}}
    data["drivers"]["algorithms"] = {"growth": draw(priors("months/doubling")), "drift": 0.05}
    data["quantities"] = {
        "world": {"product": [draw(priors("GW")), draw(priors("day")), {"table": {2020: 1, 2040: 2}}]}
    }
    never = {"never": 0.1} if draw(st.booleans()) else {}
    data["thresholds"]["late"] = {"effective_compute": {**draw(priors("FLOP")), **never}, "label": draw(texts)}
    return data


few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@few
@given(scenarios())
def test_a_scenario_that_is_written_reads_back_as_the_same(data: Any) -> None:
    scenario = parsed(data)
    again = parse_scenario(scenario.text())
    assert again.hash == scenario.hash
    assert again.spec == scenario.spec
    assert again.text() == scenario.text()
    assert quantiles_by_name(again) == quantiles_by_name(scenario)


@few
@given(scenarios(), st.integers(0, 1000))
def test_the_order_of_keys_changes_neither_hash_nor_joint_prior(data: Any, seed: int) -> None:
    scenario, other = parsed(data), parsed(shuffled(data, random.Random(seed)))
    assert other.hash == scenario.hash
    assert quantiles_by_name(other) == quantiles_by_name(scenario)


@few
@given(scenarios())
def test_a_sound_scenario_has_no_faults_beside_those_that_are_known(data: Any) -> None:
    assert remaining_faults(data, []) == []
    for path in (("years",), ("drivers", "spending", "growth"), ("thresholds", "late"), ("drivers",), ("quantities",)):
        assert remaining_faults(data, [path]) == []


@pytest.mark.parametrize("name", shipped_names("scenarios"))
def test_a_shipped_scenario_reads_back_as_the_same(name: str) -> None:
    scenario = load_scenario(name)
    assert parse_scenario(scenario.text()).hash == scenario.hash


def test_another_number_another_name_or_another_seed_gives_another_hash() -> None:
    changes = [
        (),
        ("seed=1",),
        ("name=other",),
        ("drivers.spending.growth.median=2.5",),
        ("title=x",),
        ("years.step=month",),
    ]
    hashes = {parsed(SMALL, overrides=change).hash for change in changes}
    assert len(hashes) == len(changes)


def test_numbers_and_texts_as_keys_give_one_hash() -> None:
    as_text = copy.deepcopy(SMALL)
    as_text["drivers"]["algorithms"]["growth"]["quantiles"] = {"0.05": 5, "0.5": 8, "0.95": 14}
    text = "quantiles: {0.05: 5, 0.5: 8, 0.95: 14}"
    assert text in parse_scenario(parsed(SMALL).text().replace("'", "")).text()
    assert parsed(as_text).hash == parse_scenario(parsed(SMALL).text().replace("'", "")).hash


# -------------------------------------------------------------------------------------------------- overrides


def test_an_override_is_remembered_as_old_and_new() -> None:
    scenario = parsed(SMALL, overrides=("samples=2048", "drivers.spending.growth.median=2.2", "title=x", "seed=null"))
    assert scenario.overrides == (
        "samples: nothing -> 2048", "drivers.spending.growth.median: 2.4 -> 2.2", "title: nothing -> x",
        "seed: nothing -> nothing",
    )  # fmt: skip
    assert scenario.spec.samples == 2048


def test_an_override_that_changes_nothing_warns() -> None:
    scenario = parsed(SMALL, overrides=("drivers.spending.growth.median=2.4",))
    assert scenario.warnings == (
        "--set drivers.spending.growth.median=2.4 changes nothing: drivers.spending.growth.median is 2.4 already.",
    )
    assert scenario.hash == parsed(SMALL).hash


def test_later_overrides_stand_over_earlier_ones() -> None:
    assert parsed(SMALL, overrides=("samples=10", "samples=20")).spec.samples == 20


def test_an_override_moves_only_the_prior_that_it_names() -> None:
    before = quantiles_by_name(parsed(SMALL))
    after = quantiles_by_name(parsed(SMALL, overrides=("drivers.spending.growth.median=2.2",)))
    assert {name for name in before if before[name] != after[name]} == {"drivers.spending.growth"}


# ------------------------------------------------------------------------------------------- extends, libraries


def test_a_scenario_that_extends_another_changes_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(json.dumps(SMALL))
    (tmp_path / "heir.yaml").write_text(
        "schema: 1\nname: heir\nextends: ./base.yaml\nsamples: 64\ndrivers: {spending: {growth: 2}, algorithms: null}\n"
    )
    base, heir = load_scenario(tmp_path / "base.yaml"), load_scenario(tmp_path / "heir.yaml")
    assert (heir.spec.name, heir.spec.samples, heir.spec.years) == ("heir", 64, base.spec.years)
    assert heir.joint.priors["drivers.spending.growth"].value == pytest.approx(np.log10(2))
    assert set(base.joint.priors) - set(heir.joint.priors) == {"drivers.algorithms.growth"}
    assert "extends" not in heir.data
    assert parse_scenario(heir.text()).hash == heir.hash


def test_a_chain_of_three_is_followed_and_the_nearest_stands(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(json.dumps({**SMALL, "samples": 1, "seed": 1}))
    (tmp_path / "b.yaml").write_text("schema: 1\nname: b\nextends: ./a.yaml\nsamples: 2\n")
    (tmp_path / "c.yaml").write_text("schema: 1\nname: c\nextends: ./b.yaml\n")
    spec = load_scenario(tmp_path / "c.yaml").spec
    assert (spec.name, spec.samples, spec.seed) == ("c", 2, 1)


def test_a_library_entry_is_written_out_with_its_source() -> None:
    data = copy.deepcopy(SMALL)
    data["drivers"]["spending"]["growth"] = {"prior": "spending/cottier-2024"}
    growth = parsed(data).data["drivers"]["spending"]["growth"]
    assert growth["prior"] == "spending/cottier-2024"
    assert "Cottier" in growth["source"]


def test_a_column_of_a_file_becomes_part_of_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "growth.csv").write_text("year,growth\n2020,2.1\n2021,2.9\n2022,2.4\n")
    data = copy.deepcopy(SMALL)
    data["drivers"]["spending"]["growth"] = {"empirical": {"file": "growth.csv", "column": "growth"}}
    (tmp_path / "s.yaml").write_text(json.dumps(data))
    scenario = load_scenario(tmp_path / "s.yaml")
    (tmp_path / "growth.csv").unlink()
    assert parse_scenario(scenario.text()).hash == scenario.hash
    assert scenario.data["drivers"]["spending"]["growth"]["empirical"]["values"] == [2.1, 2.9, 2.4]


# ------------------------------------------------------------------------------------------- files and their faults


def test_every_entry_of_a_file_has_its_place() -> None:
    scenario = parse_scenario("\n".join(f"{key}: {json.dumps(value)}" for key, value in SMALL.items()), file="s.yaml")
    assert scenario.places["drivers", "spending", "growth", "median"].line == 4
    assert {place.file for place in scenario.places.values()} == {"s.yaml"}


def test_faults_are_sorted_unique_and_carry_the_exit_code() -> None:
    with pytest.raises(ScenarioError) as refused:
        parsed({**SMALL, "smaples": 1, "sede": 2, "samples": 0})
    assert [fault.entry for fault in refused.value.faults] == ["smaples", "sede", "samples"]
    assert refused.value.exit_code == 2
    assert issubclass(ScenarioError, InputError)


def test_one_fault_hides_no_other() -> None:
    broken = {
        ("samples",): 0,
        ("years", "last"): 2000,
        ("drivers", "spending", "start", "unit"): "FLOP",
        ("drivers", "spending", "growth", "interval_90"): [3, 2],
        ("drivers", "hardware", "growth"): "fast",
        ("thresholds", "gpt-4", "of"): "start",
    }

    def entries(paths: list[tuple[str, ...]]) -> set[str]:
        data = copy.deepcopy(SMALL)
        for path in paths:
            inner = data
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = broken[path]
        with pytest.raises(ScenarioError) as refused:
            parsed(data)
        return {fault.entry for fault in refused.value.faults}

    alone = set.union(*(entries([path]) for path in broken))
    # Of one prior only the first fault is told; the start and the growth of spending are two priors.
    assert entries(list(broken)) == alone
    assert len(alone) == len(broken)
