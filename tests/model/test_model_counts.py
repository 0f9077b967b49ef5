"""Counts of models in a run: laws of what enters them, and that they live in every kind of run."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from simulator import load_scenario, simulate
from simulator.engine.checking import check_run
from simulator.model import model_counts as run_counts
from simulator.model.model_counts import count_above, fill_bin, numbered_uniforms, sample_keys, stream_keys
from simulator.runs.model_counts import count_quantiles, counted_names
from simulator.scenario.load import parse_scenario
from simulator.schema.goals import Models, count_names
from simulator.schema.statements import Prior
from simulator.schema.subjects import variable_names
from simulator.testing import Data, assert_valid_run, run_of, scenario_text, small_scenario

MODELS: Data = {
    "largest_share": {"family": "lognormal", "interval_90": [0.08, 0.4], "truncated": [0.05, 0.5], "unit": "fraction"},
    "smallest": {"uniform": [6, 8]},
    "gradient": {"uniform": [0.9, 1.1]},
    "above": [1e26, 3e27],
    "within_oom": [0.5, 1],
}
TOTAL, YEARLY = "models_above_1e26", "models_above_1e26_in_year"


def small(changes: dict[str, Any] | None = None) -> Data:
    return small_scenario({"models": {**MODELS, **(changes or {})}})


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return run_of(small())


def counts(run: xr.DataTree, name: str = YEARLY) -> np.ndarray:
    return run[f"trajectories/{name}"].values


def test_the_names_of_the_counts_are_those_of_the_run(run: xr.DataTree) -> None:
    spec = parse_scenario(scenario_text(small())).spec
    assert spec.models is not None
    assert variable_names(spec)[-8:] == count_names(spec.models)
    assert [name for name in run["trajectories"].data_vars if str(name).startswith("models_")] == list(
        count_names(spec.models)
    )
    assert counted_names(run) == [name for name in count_names(spec.models) if not name.endswith("_in_year")]
    assert run["trajectories/models_within_0.5_oom_in_year"].attrs["long_name"] == (
        "models within 0.5 OOM of the frontier of the year"
    )
    assert run["summary/models_above_3e27_mean"].attrs == {
        "units": "1", "long_name": "mean of models above 3e27 FLOP",
        "description": run["summary/models_above_3e27_mean"].attrs["description"],
    }  # fmt: skip


def test_a_run_with_counts_is_valid_and_runs_again_to_the_same(run: xr.DataTree) -> None:
    assert_valid_run(run)
    checked = check_run(run)
    assert checked.passed


def test_counts_are_whole_numbers_that_add_up(run: xr.DataTree) -> None:
    np.testing.assert_array_equal(counts(run), np.rint(counts(run)))
    np.testing.assert_array_equal(counts(run, TOTAL), counts(run).cumsum(axis=1))
    assert np.all(counts(run) >= counts(run, "models_above_3e27_in_year"))
    assert np.all(counts(run, "models_within_1_oom_in_year") >= counts(run, "models_within_0.5_oom_in_year"))


def test_no_model_lies_above_a_level_that_the_largest_run_does_not_reach(run: xr.DataTree) -> None:
    below = run["trajectories/physical_compute"].values < 26 - 1e-4
    assert below.sum() > 100
    assert not counts(run)[below].any()


def test_a_later_horizon_and_a_further_level_leave_the_counts_as_they_were(run: xr.DataTree) -> None:
    later = run_of(small_scenario({"models": {**MODELS, "above": [1e25, 1e26, 3e27]}, "years.last": 2040}))
    np.testing.assert_array_equal(counts(later)[:, :11], counts(run))


def test_workers_and_what_is_kept_change_no_count() -> None:
    scenario = parse_scenario(scenario_text(small_scenario({"models": MODELS, "samples": 40_000, "years.last": 2028})))
    whole = simulate(scenario)
    shared = simulate(scenario, workers=2)
    np.testing.assert_array_equal(counts(whole), counts(shared))
    counted = simulate(scenario, keep="summary", workers=2)
    assert_valid_run(counted)
    for name in counted_names(whole):
        for reading, values in count_quantiles(whole, name).items():
            np.testing.assert_allclose(count_quantiles(counted, name)[reading], values, rtol=0.004, atol=1.0)


def test_the_first_samples_of_a_longer_run_are_those_of_a_shorter_one(run: xr.DataTree) -> None:
    longer = run_of({**small(), "samples": 700})
    np.testing.assert_array_equal(counts(longer)[:512], counts(run))


def test_all_training_and_its_largest_run_say_the_same() -> None:
    """A largest run with a fixed share of all training, stated either way."""
    fixed = {"largest_share": "0.2 fraction", "above": [1e26]}
    of_largest = run_of(small(fixed))
    whole = small({**fixed, "physical_compute": "all-training"})
    start = whole["drivers"]["compute"]["start"]
    whole["drivers"]["compute"]["start"] = {**start, "median": 5e26, "interval_90": [1.25e26, 2e27]}
    np.testing.assert_array_equal(counts(run_of(whole)), counts(of_largest))


def test_a_larger_share_of_the_largest_run_leaves_fewer_runs() -> None:
    few, many = (run_of(small({"largest_share": share})) for share in ("0.5 fraction", "0.1 fraction"))
    assert counts(few, TOTAL)[:, -1].mean() < 0.4 * counts(many, TOTAL)[:, -1].mean()


def test_a_share_drawn_once_spreads_the_total_more_than_one_drawn_each_year() -> None:
    once, each = (run_of(small({"largest_share_drawn": how})) for how in ("once", "each-year"))
    names = [name for name in once["parameters"].data_vars if str(name).startswith("models.largest_share")]
    assert names == ["models.largest_share"]
    spread = [np.log(counts(run, TOTAL)[:, -1] + 1.0).std() for run in (once, each)]
    assert spread[0] > 1.1 * spread[1]


def test_what_is_known_enters_the_total_and_leaves_the_other_years(run: xr.DataTree) -> None:
    known = run_of(small({"known": {"2026": {"above": {"1e26": 7}, "largest": 3e26}}, "earlier": {"1e26": 5}}))
    assert set(np.unique(counts(known)[:, 1])) == {7}
    np.testing.assert_array_equal(np.delete(counts(known), 1, axis=1), np.delete(counts(run), 1, axis=1))
    np.testing.assert_array_equal(counts(known, TOTAL), 5 + counts(known).cumsum(axis=1))
    other = "models_above_3e27_in_year"
    assert not counts(known, other)[:, 1].any()  # the largest run of 2026 is known to lie below


def test_counts_of_fixed_priors_still_scatter_for_runs_are_drawn() -> None:
    data = small({"largest_share": "0.2 fraction", "smallest": 7, "gradient": 1})
    data["drivers"]["compute"] = {"start": {"value": 1e26, "unit": "FLOP"}, "growth": "3x/year"}
    run = run_of(data)
    assert_valid_run(run)
    assert counts(run).std(axis=0)[-1] > 0
    assert counts(run).shape == (512, 11)


def test_a_scenario_that_extends_the_baseline_may_count_models(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    share = "{median: 0.2, interval_90: [0.08, 0.45], truncated: [null, 1], unit: fraction}"
    file.write_text(
        "schema: 2\nname: mine\nextends: baseline-2025\nsamples: 1024\n"
        f"models: {{largest_share: {share}, smallest: 7, above: [1e27]}}\n"
    )
    run = simulate(load_scenario(file))
    assert_valid_run(run)
    plain = simulate(load_scenario("baseline-2025", overrides=["samples=1024"]))
    np.testing.assert_array_equal(
        run["trajectories/effective_compute"].values, plain["trajectories/effective_compute"].values
    )
    total = run["trajectories/models_above_1e27"].values
    assert np.median(total[:, 0]) == 0
    assert np.median(total[:, -1]) > 100


def test_components_of_a_mixture_count_their_own(tmp_path: Path) -> None:
    for name, share in (("few", 0.5), ("many", 0.1)):
        (tmp_path / f"{name}.yaml").write_text(
            scenario_text({**small({"largest_share": f"{share} fraction"}), "name": name})
        )
    (tmp_path / "both.yaml").write_text(
        "schema: 2\nname: both\nsamples: 512\nmixture:\n"
        "  - {scenario: ./few.yaml, weight: 1}\n  - {scenario: ./many.yaml, weight: 1}\n"
    )
    run = simulate(load_scenario(tmp_path / "both.yaml"))
    apart = {name: simulate(load_scenario(tmp_path / f"{name}.yaml")) for name in ("few", "many")}
    component = run["parameters/component"].values
    for number, name in enumerate(("few", "many")):
        here = component == number
        np.testing.assert_array_equal(counts(run)[here], counts(apart[name])[here])


def test_one_number_may_stand_for_a_prior() -> None:
    models = Models(largest_share=Prior(value=0.2), smallest=Prior(value=7), above=(1e25,))
    assert models.gradient.value == 1.0


SIZE = 20_000


def keys(size: int = SIZE, seed: int = 1) -> np.ndarray:
    return sample_keys(np.random.default_rng(seed).random(size))


def brute_force(total, largest, span, gradient, bins, levels, rng):  # type: ignore[no-untyped-def]
    """Count the runs of one year as the rule says it, one run after the other."""
    edges = largest * 10.0 ** (-span * np.arange(bins + 1) / bins)
    counts = np.zeros(len(levels))
    for upper, lower in pairwise(edges):
        left = total * ((upper / largest) ** gradient - (lower / largest) ** gradient)
        while left > 0:
            size = rng.uniform(lower, upper)
            left -= size
            counts += size >= levels
    return counts


@pytest.mark.parametrize(
    ("share", "span", "gradient", "bins"), [(0.16, 7.0, 1.0, 20), (0.5, 6.0, 1.1, 20), (0.05, 3.0, 0.9, 5)]
)
def test_counts_are_those_of_a_plain_simulation(share: float, span: float, gradient: float, bins: int) -> None:
    levels = np.array([1e24, 3e24, 1e25, 7e25])
    rng = np.random.default_rng(0)
    plain = np.array([brute_force(1e26 / share, 1e26, span, gradient, bins, levels, rng) for _ in range(400)])
    one = np.ones(SIZE)
    found = count_above(
        keys(), log_total=(26 - np.log10(share)) * one, log_largest=26 * one, span=span * one, gradient=gradient * one,
        bins=bins, log_levels=np.log10(levels)[:, None] * one,
    )  # fmt: skip
    error = plain.std(axis=0) / np.sqrt(400)
    assert np.all(np.abs(found.mean(axis=1) - plain.mean(axis=0)) <= 4 * error + 1e-9)
    np.testing.assert_allclose(found.std(axis=1), plain.std(axis=0), rtol=0.15, atol=0.02)


@pytest.mark.parametrize("compute", [40.0, 300.0])
def test_the_normal_law_has_the_moments_of_runs_that_are_drawn(compute: float) -> None:
    floor = np.full(SIZE, 0.45)
    cuts = np.array([0.45, 0.5, 0.7, 0.95, 1.0])[:, None] * np.ones(SIZE)
    arguments = (np.full(SIZE, compute), floor, cuts)
    drawn = run_counts._one_by_one(keys(seed=2), *arguments)
    normal = run_counts._many(keys(seed=3), *arguments)
    sd = drawn.std(axis=1)
    assert np.all(np.abs(drawn.mean(axis=1) - normal.mean(axis=1)) <= 6 * sd / np.sqrt(SIZE) + 1e-9)
    np.testing.assert_allclose(normal.std(axis=1)[:4], sd[:4], rtol=0.04)
    np.testing.assert_allclose(np.corrcoef(normal[:4]), np.corrcoef(drawn[:4]), atol=0.05)
    assert np.all(np.diff(normal, axis=0) <= 0)
    assert not normal[4].any()


def test_very_many_runs_are_counted_by_the_normal_law_and_few_are_drawn() -> None:
    edge = run_counts.MOST_EXACT * 1.45 / 2
    compute = np.where(np.arange(SIZE) % 2, 0.9 * edge, 1.1 * edge)
    floor, cuts = np.full(SIZE, 0.45), np.full((1, SIZE), 0.45)
    found = fill_bin(keys(), compute, floor=floor, cuts=cuts)[0]
    expected = compute / 0.725 + (0.725**2 + 0.55**2 / 12) / (2 * 0.725**2)  # renewal theory
    for half in (slice(0, None, 2), slice(1, None, 2)):
        assert found[half].mean() == pytest.approx(expected[half][0], abs=6 * found[half].std() / np.sqrt(SIZE / 2))


def test_a_bin_whose_compute_is_less_than_a_run_has_one_run() -> None:
    half = np.full(8, 0.5)
    assert fill_bin(keys(8), np.full(8, 0.1), floor=half, cuts=half[None]).tolist() == [[1] * 8]


def counted(chosen: np.ndarray, levels: list[float], *, places: np.ndarray | None = None) -> np.ndarray:
    places = np.arange(chosen.size) if places is None else places
    rng = np.random.default_rng(5)
    largest, span, gradient = 26 + rng.random(SIZE), 6 + rng.random(SIZE), 0.5 + rng.random(SIZE)
    return count_above(
        chosen, log_total=largest[places] + 1.0, log_largest=largest[places], span=span[places],
        gradient=gradient[places], bins=20, log_levels=np.array(levels)[:, None] * np.ones(chosen.size),
    )  # fmt: skip


def test_the_order_and_the_company_of_samples_change_nothing() -> None:
    every, order = keys(), np.random.default_rng(9).permutation(SIZE)[:3000]
    np.testing.assert_array_equal(
        counted(every, [25.0, 26.0])[:, order], counted(every[order], [25.0, 26.0], places=order)
    )


def test_a_further_level_changes_no_other_count() -> None:
    np.testing.assert_array_equal(counted(keys(), [25.0, 26.0]), counted(keys(), [24.0, 25.0, 25.5, 26.0])[[1, 3]])


def test_a_higher_level_never_has_more_runs_above_it() -> None:
    found = counted(keys(), [22.0, 23.0, 24.0, 25.0, 26.0, 27.5])
    assert np.all(np.diff(found, axis=0) <= 0)
    assert not found[-1].any()  # above every largest run


def test_uniform_numbers_are_uniform_and_streams_know_nothing_of_one_another() -> None:
    first, second = stream_keys(keys(), 0), stream_keys(keys(), 1)
    numbers = np.concatenate([numbered_uniforms(each, range(4)) for each in (first, second)], axis=1)
    assert numbers.min() > 0
    assert numbers.max() < 1
    counts = np.stack([np.histogram(column, bins=20, range=(0, 1))[0] for column in numbers.T])
    assert np.all(((counts - SIZE / 20) ** 2 / (SIZE / 20)).sum(axis=1) < 19 + 5 * np.sqrt(38))
    scatter = np.abs(np.corrcoef(numbers.T) - np.eye(8))
    assert scatter.max() < 5 / np.sqrt(SIZE)


def test_neighbouring_keys_give_numbers_that_are_not_near() -> None:
    near = sample_keys(0.5 + np.arange(SIZE) * 2.0**-52)
    numbers = numbered_uniforms(near, range(2))
    assert abs(np.corrcoef(numbers[:-1, 0], numbers[1:, 0])[0, 1]) < 5 / np.sqrt(SIZE)
    assert np.unique(numbers).size == 2 * SIZE
