"""From a file to a scenario: round trips, order, layers, overrides, what is remembered."""

from __future__ import annotations

import copy
import json
import pickle
import random
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.engine.checking import check_run
from simulator.engine.collecting import LEVELS
from simulator.engine.simulation import simulate
from simulator.errors import InputError, ScenarioError, as_path
from simulator.runs.estimates import quantiles
from simulator.runs.summary import summary_lines
from simulator.scenario import library
from simulator.scenario.documents import yaml_text
from simulator.scenario.layers import lookup
from simulator.scenario.library import shipped_names
from simulator.scenario.load import load_scenario, load_variants, load_with_variants, parse_scenario
from simulator.scenario.remaining import remaining_faults
from simulator.scenario.resolving import Scenario
from simulator.scenario.sweep_axes import parse_over
from simulator.schema.prior_names import entries_of
from simulator.schema.statements import Prior, is_prior
from simulator.testing import assert_valid_run, scenario_text, small_scenario
from simulator.wording import harmful

SMALL: dict[str, Any] = {
    "schema": 2,
    "name": "small",
    "years": {"first": 2025, "last": 2035},
    "drivers": {
        "spending": {
            "start": {"median": 4e8, "interval_90": [2e8, 8e8], "unit": "USD", "source": "Someone 2024"},
            "growth": {"median": 2.4, "interval_90": [1.6, 3.4], "unit": "x/year"},
        },
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "1.35x/year"},
        "algorithms": {"growth": {"quantiles": {0.05: 5, 0.5: 8, 0.95: 14}, "unit": "months/halving of requirement"}},
    },
    "thresholds": {"gpt-4": {"physical_compute": 2.1e25}},
}
PROBABILITIES = np.array([0.01, 0.2, 0.5, 0.77, 0.999])


def parsed(data: Any, *, overrides: tuple[str, ...] = ()) -> Scenario:
    return parse_scenario(json.dumps(data), overrides=overrides)  # JSON is YAML


@pytest.mark.parametrize("written", ["2x/year", {"value": "2x/year"}, {"mixture": [{"weight": 1, "value": "2x/year"}]}])
def test_an_input_says_its_unit_beside_its_number(written: Any) -> None:
    spending = SMALL["drivers"]["spending"] | {"growth": {"input": "pace"}}
    data = SMALL | {"inputs": {"pace": written}, "drivers": SMALL["drivers"] | {"spending": spending}}
    family = parsed(data).joint.priors["drivers.spending.growth"].family
    assert family.ppf(np.array([0.5])) == pytest.approx(np.log10(2))


def quantiles_by_name(scenario: Scenario) -> dict[str, tuple[float, ...]]:
    priors = scenario.joint.priors
    return {name: tuple(prior.family.ppf(PROBABILITIES).tolist()) for name, prior in sorted(priors.items())}


def shuffled(data: Any, rng: random.Random) -> Any:
    if isinstance(data, dict):
        keys = list(data)
        rng.shuffle(keys)
        return {key: shuffled(data[key], rng) for key in keys}
    return [shuffled(item, rng) for item in data] if isinstance(data, list) else data


positive = st.floats(min_value=1.05, max_value=9.0).map(lambda value: round(value, 6))
texts = st.text(min_size=1, max_size=20).filter(str.strip).filter(lambda text: not harmful(text)[1]) | st.sampled_from(
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
                {"median": middle, "interval_90": [low, high], "truncated": [low / 4, None]},
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
    regimes = [{"rate": draw(priors("x/year"))}]
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


def test_a_scenario_that_extends_another_changes_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(json.dumps(SMALL))
    (tmp_path / "heir.yaml").write_text(
        "schema: 2\nname: heir\nextends: ./base.yaml\nsamples: 64\ndrivers: {spending: {growth: 2x/year}, algorithms: null}\n"
    )
    base, heir = load_scenario(tmp_path / "base.yaml"), load_scenario(tmp_path / "heir.yaml")
    assert (heir.spec.name, heir.spec.samples, heir.spec.years) == ("heir", 64, base.spec.years)
    assert heir.joint.priors["drivers.spending.growth"].value == pytest.approx(np.log10(2))
    assert set(base.joint.priors) - set(heir.joint.priors) == {"drivers.algorithms.growth"}
    assert "extends" not in heir.data
    assert parse_scenario(heir.text()).hash == heir.hash


def test_a_chain_of_three_is_followed_and_the_nearest_stands(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(json.dumps({**SMALL, "samples": 1, "seed": 1}))
    (tmp_path / "b.yaml").write_text("schema: 2\nname: b\nextends: ./a.yaml\nsamples: 2\n")
    (tmp_path / "c.yaml").write_text("schema: 2\nname: c\nextends: ./b.yaml\n")
    spec = load_scenario(tmp_path / "c.yaml").spec
    assert (spec.name, spec.samples, spec.seed) == ("c", 2, 1)


def test_one_number_of_a_metric_is_changed_in_what_is_extended(tmp_path: Path) -> None:
    loss = {"name": "loss", "kind": "power-law-loss", "irreducible": 1.7, "scale": 400, "exponent": 0.15}
    (tmp_path / "a.yaml").write_text(json.dumps({**SMALL, "capability": loss}))
    (tmp_path / "b.yaml").write_text("schema: 2\nname: b\nextends: ./a.yaml\ncapability: {scale: 300}\n")
    heir = load_scenario(tmp_path / "b.yaml")
    assert heir.data["capability"] == loss | {"scale": 300}


def test_thresholds_are_merged_whatever_they_are_called() -> None:
    assert not is_prior({"never": {"effective_compute": 1e28}, "median": {"effective_compute": 1e29}})
    assert all(map(is_prior, ({"quantiles": {"0.5": 1}}, {"prior": "spending/cottier-2024"}, {"median": 1}, 3)))


def test_a_library_entry_is_written_out_with_its_source() -> None:
    data = copy.deepcopy(SMALL)
    data["drivers"]["spending"]["growth"] = {"prior": "spending/cottier-2024"}
    growth = parsed(data).data["drivers"]["spending"]["growth"]
    assert growth["prior"] == "spending/cottier-2024"
    assert "Cottier" in growth["source"]


def test_a_column_of_a_file_becomes_part_of_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "growth.csv").write_text("year,growth\n2020,2.1\n2021,2.9\n2022,2.4\n")
    data = copy.deepcopy(SMALL)
    data["drivers"]["spending"]["growth"] = {"empirical": {"file": "growth.csv", "column": "growth"}, "unit": "x/year"}
    (tmp_path / "s.yaml").write_text(json.dumps(data))
    scenario = load_scenario(tmp_path / "s.yaml")
    (tmp_path / "growth.csv").unlink()
    assert parse_scenario(scenario.text()).hash == scenario.hash
    assert scenario.data["drivers"]["spending"]["growth"]["empirical"]["values"] == [2.1, 2.9, 2.4]


@pytest.fixture
def with_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in the folder above that of a scenario, its table and its library."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "growth.csv").write_text("fast,slow\n2.1,1.1\n2.9,1.9\n")
    (tmp_path / "here.csv").write_text("fast\n5.1\n5.9\n")
    data = copy.deepcopy(SMALL)
    stated = {"file": "growth.csv", "column": "fast"}
    data["drivers"]["spending"]["growth"] = {"empirical": stated, "unit": "x/year", "source": "Somebody 2020"}
    data["variants"] = {
        "slow": {"drivers": {"spending": {"growth": {"empirical": stated | {"column": "slow"}, "unit": "x/year"}}}}
    }
    (folder / "s.yaml").write_text(json.dumps(data))
    entry = {"schema": 2, "subject": "team", "priors": {"fast": {"empirical": stated, "unit": "x/year"}}}
    (folder / "team.yaml").write_text(json.dumps(entry))
    monkeypatch.chdir(tmp_path)
    return folder / "s.yaml"


GROWTH = "drivers.spending.growth"


@pytest.mark.parametrize(
    ("overrides", "values"),
    [
        ([], [2.1, 2.9]),
        ([f"{GROWTH}.empirical.column=slow"], [1.1, 1.9]),
        ([f"{GROWTH}.empirical.column=nowhere", f"{GROWTH}.empirical.column=slow"], [1.1, 1.9]),
        ([f"{GROWTH}.empirical.file=here.csv"], [5.1, 5.9]),  # from the working directory, as on the command line
        ([f"{GROWTH}={{empirical: {{file: own/growth.csv, column: slow}}, unit: x/year}}"], [1.1, 1.9]),
        ([f"{GROWTH}.prior=./own/team/fast", f"{GROWTH}.empirical.column=slow"], [1.1, 1.9]),
    ],
)
def test_a_column_is_read_when_all_overrides_are_made(
    with_columns: Path, overrides: list[str], values: list[float]
) -> None:
    scenario = load_scenario(with_columns, overrides=overrides)
    assert scenario.data["drivers"]["spending"]["growth"]["empirical"]["values"] == values
    rates = scenario.priors[GROWTH].family.ppf(np.array([0.001, 0.999]))
    np.testing.assert_allclose(10**rates, values, rtol=0.01)
    again = parse_scenario(scenario.text(), file="stored.yaml")  # no file of that name, and no need of the table
    assert again.hash == scenario.hash


def test_the_column_of_a_stored_scenario_is_read_anew_where_it_changes(with_columns: Path) -> None:
    stored = with_columns.with_name("stored.yaml")
    stored.write_text(load_scenario(with_columns).text())
    changed = load_scenario(stored, overrides=[f"{GROWTH}.empirical.column=slow"])
    growth = changed.data["drivers"]["spending"]["growth"]
    assert growth["empirical"]["values"] == [1.1, 1.9]
    assert "source" not in growth
    heir = with_columns.parents[1] / "heir.yaml"
    heir.write_text("schema: 2\nname: heir\nextends: ./own/s.yaml\n")
    assert load_scenario(heir).data["drivers"]["spending"]["growth"]["empirical"]["values"] == [2.1, 2.9]


def test_a_variant_may_name_a_column_of_its_own(with_columns: Path) -> None:
    slow = load_variants(with_columns)["slow"]
    assert slow.data["drivers"]["spending"]["growth"]["empirical"]["values"] == [1.1, 1.9]


@pytest.mark.parametrize(
    ("override", "text"),
    [
        (f"{GROWTH}.empirical.column=slwo", "own/growth.csv has no column 'slwo'"),
        (f"{GROWTH}.empirical.file=growth.csv", "there is no file growth.csv"),
    ],
)
def test_a_column_that_an_override_does_not_find_is_its_fault(with_columns: Path, override: str, text: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(text)) as refused:
        load_scenario(with_columns, overrides=[override])
    assert refused.value.faults[0].place.file == f"--set {override}"


def test_a_number_however_deep_leaves_no_source_that_is_not_its_own() -> None:
    data = copy.deepcopy(SMALL)
    parts = [{"weight": 1, "value": 2, "source": "A"}, {"weight": 1, "value": 3, "source": "B"}]
    data["drivers"]["spending"]["growth"] = {"mixture": parts, "unit": "x/year", "source": "C"}
    quantiles = {"0.05": 2e8, "0.5": 4e8, "0.95": 9e8}
    data["drivers"]["spending"]["start"] = {"quantiles": quantiles, "unit": "USD", "source": "D"}

    def sources(*overrides: str) -> list[str]:
        return sorted(
            prior.source for _, prior in entries_of(Prior, parsed(data, overrides=overrides).spec) if prior.source
        )

    assert sources("drivers.spending.start.quantiles.0.05=1e8") == ["C"]
    assert sources(f"{GROWTH}.mixture[0].value=4") == ["D"]
    assert sources(f"{GROWTH}.notes=read again") == ["C", "D"]


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


RATE = {"mean": 0.3, "sd": 0.2, "unit": "OOM/year"}
PLAIN = small_scenario({"samples": 4096, "block": 1024, "drivers.algorithms.growth": RATE})
CAPPED = small_scenario({
    "samples": 4096, "block": 1024,
    "drivers.algorithms.growth": {"mean": 0.6, "sd": 0.1, "unit": "OOM/year"},
    "drivers.compute.caps.cap": {"limit": {"family": "lognormal", "median": 1e29, "interval_90": [1e28, 1e30], "unit": "FLOP"}},
})  # fmt: skip
MIXED = {
    "schema": 2,
    "name": "mixed",
    "mixture": [
        {"name": "plain", "weight": 3, "scenario": PLAIN},
        {"name": "capped", "weight": 1, "scenario": CAPPED},
    ],
}


def mixed(**changes: Any) -> xr.DataTree:
    return simulate(parse_scenario(scenario_text(MIXED | changes)))


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return mixed()


def test_a_mixture_is_a_valid_run_and_reads_back(run: xr.DataTree) -> None:
    assert_valid_run(run)
    assert check_run(run).passed
    assert run.attrs["name"] == "mixed"
    again = parse_scenario(str(run.attrs["scenario"]))
    assert again.hash == run.attrs["scenario_hash"]


def test_each_block_holds_the_components_by_their_weights(run: xr.DataTree) -> None:
    """A one-dimensional net of 1,024 points puts a share into an interval to within a point."""
    component = run["parameters/component"].values.reshape(4, 1024)
    assert np.abs((component == 1).sum(axis=1) - 256).max() <= 1
    assert run["parameters/component"].attrs["flag_meanings"] == "plain capped"


def test_a_sample_is_that_of_its_components_own_run(run: xr.DataTree) -> None:
    component = run["parameters/component"].values
    for number, data in enumerate((PLAIN, CAPPED)):
        own = simulate(parse_scenario(scenario_text(data)))
        here = component == number
        for group, name in (("trajectories", "effective_compute"), ("parameters", "drivers.algorithms.growth")):
            np.testing.assert_array_equal(run[group][name].values[here], own[group][name].values[here])


def test_what_a_component_does_not_have_stands_where_it_changes_nothing(run: xr.DataTree) -> None:
    plain = run["parameters/component"].values == 0
    assert np.isnan(run["parameters/drivers.compute.caps.cap.limit"].values[plain]).all()
    assert np.isposinf(run["trajectories/cap_physical_compute_cap"].values[plain]).all()
    assert not run["trajectories/binding_physical_compute"].values[plain].any()
    assert run["trajectories/binding_physical_compute"].values[~plain].any()


def test_the_summary_is_of_all_samples_and_of_each_component_apart(run: xr.DataTree) -> None:
    values = run["trajectories/effective_compute"]
    np.testing.assert_array_equal(run["summary/effective_compute"], quantiles(values, LEVELS))
    capped = values.isel(sample=np.flatnonzero(run["parameters/component"].values == 1))
    np.testing.assert_array_equal(run["components/capped/effective_compute"], quantiles(capped, LEVELS))
    assert any("apart" in line and "capped (25 %)" in line for line in summary_lines(run))


def test_counting_a_mixture_agrees_with_keeping_it(run: xr.DataTree) -> None:
    counted = simulate(parse_scenario(scenario_text(MIXED)), keep="summary")
    for group in ("summary", "components/plain", "components/capped"):
        for name in ("effective_compute", "crossing_quantile"):
            if name in run[group]:
                kept, streamed = run[group][name].values, counted[group][name].values
                np.testing.assert_allclose(streamed[np.isfinite(kept)], kept[np.isfinite(kept)], rtol=0, atol=0.001)
    np.testing.assert_array_equal(counted["summary/effective_compute_error"], run["summary/effective_compute_error"])


def test_a_mixture_of_a_scenario_with_itself_is_that_scenario() -> None:
    same = {"mixture": [{"name": name, "weight": 0.5, "scenario": PLAIN} for name in ("one", "other")]}
    own, both = simulate(parse_scenario(scenario_text(PLAIN))), mixed(**same)
    np.testing.assert_array_equal(both["trajectories/effective_compute"], own["trajectories/effective_compute"])


def test_the_rest_of_the_file_holds_for_all_and_changes_for_one() -> None:
    scenario = parse_scenario(
        scenario_text(
            MIXED
            | {"samples": 512, "seed": 7}
            | {
                "mixture": [
                    MIXED["mixture"][0],
                    MIXED["mixture"][1] | {"changes": {"drivers": {"algorithms": {"growth": RATE}}}},
                ]
            }
        )
    )
    assert [component.spec.samples for component in scenario.components] == [512, 512]
    assert {component.spec.seed for component in scenario.components} == {7}
    assert scenario.components[1].spec.drivers.algorithms == scenario.components[0].spec.drivers.algorithms
    assert [component.weight for component in scenario.components] == [0.75, 0.25]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"mixture": [MIXED["mixture"][0]]}, "mixture: must hold at least 2 items; got 1."),
        ({"extends": "baseline"}, "extends: stands beside mixture, which names the parents."),
        ({"mixture": [MIXED["mixture"][0], MIXED["mixture"][0]]}, "mixture[1].name: two entries are called 'plain'."),
        ({"mixture": [MIXED["mixture"][0], {"weight": 0, "scenario": "baseline"}]}, "mixture[1].weight: must be above 0"),
        ({"mixture": [MIXED["mixture"][0], {"weight": 1, "scenario": "basline"}]}, "Did you mean 'baseline'?"),
        ({"mixture": [MIXED["mixture"][0], {"weight": 1, "scenario": PLAIN | {"samples": 9}}]}, "has samples 9 where 'plain' has 4096"),
        (
            {"mixture": [MIXED["mixture"][0], {"weight": 1, "scenario": PLAIN | {"thresholds": {"t": {"physical_compute": 1e27}}}}]},
            "declares other thresholds than 'plain'",
        ),
        ({"mixture": [MIXED["mixture"][0], {"weight": 1, "scenario": MIXED}]}, "is a mixture, which cannot be mixed again"),
        ({"drivers": {"compute": {"growth": {"mean": "x", "unit": "x/year"}}}}, "drivers.compute.growth.mean"),
    ],
)  # fmt: skip
def test_faults_of_a_mixture_are_said_with_their_place(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(scenario_text(MIXED | changes))
    assert text in str(caught.value)
    assert "<text>:1:" in str(caught.value)


def test_overrides_reach_every_component() -> None:
    scenario = parse_scenario(scenario_text(MIXED), overrides=["samples=256"])
    assert [component.spec.samples for component in scenario.components] == [256, 256]
    assert scenario.overrides == ("samples: 4096 -> 256",)


def test_a_variant_is_the_scenario_with_its_changes(tmp_path: Path) -> None:
    file = tmp_path / "team.yaml"
    file.write_text(
        "schema: 2\nname: team\nextends: baseline\nsamples: 512\nvariants:\n"
        "  poor: {drivers: {spending: {caps: {cash-flow: {limit: {value: 1e9, unit: USD}}}}}}\n"
        "  free:\n    drivers: {spending: {caps: null}}\n    title: without caps\n"
    )
    base, variants = load_scenario(file), load_variants(file)
    assert list(variants) == ["poor", "free"]
    assert variants["poor"].spec.name == "team-poor"
    assert variants["free"].spec.title == "without caps"
    assert variants["free"].spec.drivers.spending is not None
    assert not variants["free"].spec.drivers.spending.caps
    assert "variants" not in base.data
    poor, plain = simulate(variants["poor"]), simulate(base)
    np.testing.assert_array_equal(poor["trajectories/hardware"], plain["trajectories/hardware"])
    assert float(poor["trajectories/spending"].max()) < float(plain["trajectories/spending"].max())


def test_a_fault_in_a_variant_has_its_place(tmp_path: Path) -> None:
    file = tmp_path / "team.yaml"
    file.write_text("schema: 2\nname: team\nextends: baseline\nvariants:\n  fast:\n    drivers: {spendin: {}}\n")
    with pytest.raises(ScenarioError, match=r"(?s)team.yaml:6:15: drivers.spendin: .*Did you mean 'spending'"):
        load_variants(file)


def test_what_extends_a_file_does_not_inherit_its_variants(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("schema: 2\nname: a\nextends: baseline\nvariants: {x: {samples: 99}}\n")
    (tmp_path / "b.yaml").write_text("schema: 2\nname: b\nextends: ./a.yaml\n")
    assert load_variants(tmp_path / "b.yaml") == {}
    assert load_scenario(tmp_path / "b.yaml").spec.name == "b"


def test_a_mixture_may_have_variants(tmp_path: Path) -> None:
    file = tmp_path / "mixed.yaml"
    file.write_text(scenario_text(MIXED | {"variants": {"few": {"samples": 128}}}))
    assert load_scenario(file).spec.samples == 4096
    few = load_variants(file)["few"]
    assert [component.spec.samples for component in few.components] == [128, 128]
    assert few.spec.name == "mixed-few"


def test_a_scenario_is_read_from_a_path_a_name_text_or_data(tmp_path: Path) -> None:
    text = yaml_text(SMALL)
    file = tmp_path / "small: of mine.yaml"  # a path is a file, whatever it is called
    file.write_text(text, encoding="utf-8")
    read = [load_scenario(source) for source in (file, text, json.dumps(SMALL), SMALL)]
    assert len({scenario.hash for scenario in read}) == 1
    assert load_scenario("baseline").spec.name == "baseline"
    with pytest.raises(InputError, match="no such file"):
        load_scenario("small")
    with pytest.raises(ScenarioError, match=r"^<text>: is empty\."):
        load_scenario("")
    for other in (None, 3, [1], b"schema: 2"):
        with pytest.raises(InputError, match=r"^scenario: must be a path, .* or a mapping; got "):
            load_scenario(other)  # type: ignore[arg-type]


def test_data_may_hold_arrays_and_tuples_and_faults_are_placed_in_it() -> None:
    data = copy.deepcopy(SMALL)
    data["drivers"]["spending"]["start"]["interval_90"] = (np.float64(2e8), 8e8)
    data["drivers"]["algorithms"]["growth"] = {"interval_90": np.array([2.0, 3.0]), "unit": "x/year"}
    data["drivers"]["hardware"]["start"] = {"value": Decimal("1e18"), "unit": "FLOP/USD"}
    scenario = load_scenario(data)
    assert scenario.spec.drivers.algorithms.growth.interval.upper == 3.0
    assert scenario.hash == load_scenario(scenario.text()).hash
    with pytest.raises(ScenarioError, match=r"^<data>: samples: must be at least 1"):
        load_scenario({**SMALL, "samples": 0})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (lambda: parse_scenario(None), "text: must be YAML text; got nothing."),  # type: ignore[arg-type]
        (lambda: load_scenario("baseline", overrides=[3]), "overrides: must be a list of texts path=value; got 3."),  # type: ignore[list-item]
        (lambda: load_scenario("baseline", overrides=3), "overrides: must be a list of texts path=value; got 3."),  # type: ignore[arg-type]
        (lambda: load_scenario(HELD_BY_ITSELF), "<data>: is nested more than 60 levels deep."),
    ],
)
def test_what_is_no_scenario_is_refused_in_words(given: Callable[[], Scenario], told: str) -> None:
    with pytest.raises(InputError) as caught:
        given()
    assert str(caught.value).startswith(told)


HELD_BY_ITSELF: dict[str, Any] = {"schema": 2, "name": "circle"}
HELD_BY_ITSELF["notes"] = HELD_BY_ITSELF


@pytest.mark.parametrize("mixed", [False, True])
def test_files_that_are_extended_or_mixed_are_read_once_for_all_variants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, mixed: bool
) -> None:
    (tmp_path / "base.yaml").write_text(scenario_text(SMALL))
    own = {"name": "team", "variants": {"few": {"samples": 16}, "fewer": {"samples": 8}}}
    names = {"mixture": [{"name": name, "weight": 1, "scenario": "./base.yaml"} for name in "ab"]}
    (tmp_path / "team.yaml").write_text(
        scenario_text({"schema": 2, **own, **(names if mixed else {"extends": "./base.yaml"})})
    )
    read: list[str] = []
    real = library.file_document
    monkeypatch.setattr(library, "file_document", lambda path: read.append(Path(path).name) or real(path))
    _, variants = load_with_variants(tmp_path / "team.yaml")
    assert [each.spec.samples for each in variants.values()] == [16, 8]
    assert read == ["base.yaml"] * (2 if mixed else 1)


@pytest.mark.parametrize("name", ["baseline", "views", "capability"])  # with correlations, mixed, without
def test_scenarios_that_say_the_same_are_equal(name: str) -> None:
    one, other = load_scenario(name), load_scenario(name)
    assert one == other
    assert one.components == other.components
    assert one == parse_scenario(one.text())  # wherever it stands
    assert one != load_scenario(name, overrides=["samples=64"])


@pytest.mark.parametrize("name", shipped_names("scenarios"))
def test_a_scenario_goes_through_pickle(name: str) -> None:
    scenario = load_scenario(name)
    again = pickle.loads(pickle.dumps(scenario))
    assert (repr(again), again.hash, again.places) == (repr(scenario), scenario.hash, scenario.places)
    assert [each.family for each in again.priors.values()] == [each.family for each in scenario.priors.values()]


def test_variants_of_data_are_read() -> None:
    found = load_variants({**SMALL, "variants": {"late": {"years": {"last": 2040}}}})
    assert {name: each.spec.years.last for name, each in found.items()} == {"late": 2040.0}


@pytest.mark.parametrize("name", ["baseline", "views", "published/cotra-2020"])
def test_a_scenario_is_shown_in_few_lines(name: str) -> None:
    scenario = load_scenario(name)
    lines = repr(scenario).splitlines()
    assert len(lines) <= 15
    assert lines[0] == f"{scenario.spec.name}: {scenario.spec.title}"
    assert scenario.counted in repr(scenario)
    assert scenario._repr_html_().count("<tr>") == 1 + min(40, len(scenario.priors))


def test_a_scenario_is_shown_as_text_whatever_it_holds() -> None:
    data = copy.deepcopy(SMALL) | {"title": "<script>x</script>"}
    data["drivers"]["spending"]["start"]["source"] = "<b>bold</b>"
    shown = load_scenario(data, overrides=[f"samples={count}" for count in range(2, 40)])
    assert len(repr(shown).splitlines()) <= 15
    assert max(map(len, repr(shown).splitlines())) <= 200
    assert "<script>" not in shown._repr_html_()
    assert "&lt;b&gt;bold" in shown._repr_html_()


POINTS = """
schema: 2
name: points
years: {first: 2025, last: 2035}
drivers:
  spending:
    start: {quantiles: {0.05: 1.8e8, 0.5: 3.9e8, 0.95: 8.3e8}, unit: USD}
    growth: {prior: spending/forward-independent-2023}
  hardware: {start: {value: 1e18, unit: FLOP/USD}, growth: 1.35x/year}
  algorithms: {growth: {function: {of: drivers.spending.start, points: {1e8: 2, 1e9: 3}}, unit: x/year}}
"""


@pytest.mark.parametrize(
    ("override", "entry", "key"),
    [
        ("drivers.spending.start.quantiles.0.05=2e8", "drivers.spending.start.quantiles", 0.05),
        ("drivers.spending.start.quantiles[0.050]=2e8", "drivers.spending.start.quantiles", 0.05),
        ("drivers.algorithms.growth.function.points.1e9=4", "drivers.algorithms.growth.function.points", 1e9),
        ("drivers.algorithms.growth.function.points[1000000000]=4", "drivers.algorithms.growth.function.points", 1e9),
    ],
)
def test_one_of_several_numbers_is_set_by_its_key(override: str, entry: str, key: float) -> None:
    before, after = (lookup(parse_scenario(POINTS, overrides=each).data, as_path(entry)) for each in ([], [override]))
    assert [each for each in after if after[each] != before[each]] == [key]
    assert list(after) == list(before)


def test_one_quantile_of_a_library_entry_is_set_and_the_others_stay() -> None:
    scenario = parse_scenario(POINTS, overrides=["drivers.spending.growth.quantiles.0.95=0.5"])
    growth = scenario.data["drivers"]["spending"]["growth"]
    assert growth["quantiles"] == {0.05: 0.1, 0.5: 0.3, 0.95: 0.5}
    assert "source" not in growth
    assert scenario.overrides == ("drivers.spending.growth.quantiles.0.95: 0.4 -> 0.5",)


def test_a_quantile_is_swept_by_its_key() -> None:
    (axis,) = parse_over(["drivers.spending.start.quantiles.0.05=1e8,2e8"])
    found = [parse_scenario(POINTS, overrides=point.overrides) for point in axis.points]
    assert [each.data["drivers"]["spending"]["start"]["quantiles"][0.05] for each in found] == [1e8, 2e8]


def test_the_name_of_an_interval_may_hold_a_dot() -> None:
    scenario = parsed(SMALL, overrides=("drivers.spending.start={median: 4e8, unit: USD, interval_97.5: [2e8, 8e8]}",))
    wider = parsed(scenario.data, overrides=("drivers.spending.start.interval_97.5=[1e8, 9e8]",))
    assert wider.spec.drivers.spending.start.interval.upper == 9e8


def test_one_scenario_of_a_mixture_is_changed_by_its_name_or_number() -> None:
    path = "drivers.spending.growth[0].rate"
    found = load_scenario(
        "views", overrides=["mixture[no-caps].weight=50 %", f"mixture[0].changes.{path}.centre=3x/year", "samples=64"]
    )
    assert [each.weight for each in found.components] == pytest.approx([0.6 / 1.4, 0.3 / 1.4, 0.5 / 1.4])
    assert [each.joint.priors[path].read.median for each in found.components] == pytest.approx([3.0, 2.4, 2.4])
    assert {each.spec.samples for each in found.components} == {64}
    assert "mixture[no-caps].weight: 0.1 -> 0.5" in found.overrides


@pytest.mark.parametrize(("override", "text"), [
    ("mixture[other].weight=1", "the scenario mixes baseline, tight-caps and no-caps."),
    ("mixture[7].weight=1", "the scenario mixes baseline, tight-caps and no-caps."),
    ("mixture=1", "the scenario mixes baseline, tight-caps and no-caps."),
    ("mixture[0].weight=-1", "must be above 0; got -1."),
    ("mixture[0].scenario=baseline", "of a scenario in a mixture its weight can be set, and its changes"),
    ("mixture[0].changes.drivers.speding=1", "drivers.speding: no such driver."),
])  # fmt: skip
def test_what_is_no_change_of_a_scenario_of_a_mixture_is_said(override: str, text: str) -> None:
    with pytest.raises(InputError, match=re.escape(text)):
        load_scenario("views", overrides=[override])


def test_a_limit_that_an_event_no_longer_puts_on_is_told(tmp_path: Path) -> None:
    drivers = {"compute": {"start": "1e26 FLOP", "growth": "2x/year", "caps": {"ban": {"limit": "1e28 FLOP"}}}}
    both = ["constraints.treaty", "drivers.compute.caps.ban"]
    base = {
        "schema": 2, "name": "base", "years": {"first": 2025, "last": 2030}, "drivers": drivers,
        "constraints": {"treaty": {"limit": "1e27 FLOP"}},
        "events": {"pact": {"from": 2027, "effects": [{"on": both, "limit": "put-on"}]}},
    }  # fmt: skip
    (tmp_path / "base.yaml").write_text(json.dumps(base))
    (tmp_path / "child.yaml").write_text("{extends: base.yaml, name: child, events: {pact: null}}")
    told = [f"{on}: always stands, as events.pact no longer puts it on; null takes it away too." for on in both]
    assert load_scenario(tmp_path / "base.yaml").warnings == ()
    assert list(load_scenario(tmp_path / "child.yaml").warnings) == told
    assert list(load_scenario(tmp_path / "base.yaml", overrides=["events.pact.effects=null"]).warnings) == told
    gone = ["constraints.treaty=null", "events.pact=null"]
    assert list(load_scenario(tmp_path / "base.yaml", overrides=gone).warnings) == told[1:]
