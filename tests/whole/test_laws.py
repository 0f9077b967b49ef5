"""The laws of the simulator, over scenarios that are drawn."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simulator import crossing_years, parse_scenario, quantiles, simulate
from simulator.engine.batches import compute_batch
from simulator.engine.plan import plan_of
from simulator.model.crossings import FINER, PARTS, STRAIGHT
from simulator.model.projection import year_grid
from simulator.testing import assert_valid_run, run_of, scenario_data, scenario_text, scenarios, small_scenario

CLOSE = PARTS**-FINER  # the part of a step to which crossings are followed
FLOAT32 = 4e-6  # one place of a level kept in float32


def some(examples: int) -> Any:
    return settings(max_examples=examples)


def trajectories(run: xr.DataTree) -> xr.Dataset:
    return run["trajectories"].to_dataset()


def rates_in(data: Any) -> list[dict[str, Any]]:
    """List the rates of growth in plain data."""
    if isinstance(data, dict):
        own = [data] if data.get("unit") == "OOM/year" else []
        return own + [rate for value in data.values() for rate in rates_in(value)]
    return [rate for item in data for rate in rates_in(item)] if isinstance(data, list) else []


def caps_in(data: dict[str, Any]) -> list[dict[str, Any]]:
    """List the maps of caps of drivers and their factors that hold any."""
    levels = list(data["drivers"].values())
    levels += [factor for driver in levels for factor in driver.get("factors", {}).values()]
    return [level["caps"] for level in levels if level.get("caps")]


def assert_same_numbers(first: xr.DataTree, second: xr.DataTree) -> None:
    for node in first.subtree:
        for name, values in node.data_vars.items():
            np.testing.assert_array_equal(second[node.path][name].values, values.values, err_msg=f"{node.path}/{name}")


@some(25)
@given(scenarios())
def test_every_scenario_gives_a_valid_run(text: str) -> None:
    assert_valid_run(simulate(parse_scenario(text)))


def gaussian_fan(levels: Any, years: Any) -> np.ndarray:
    """Give the quantiles of the small scenario: a normal start and a normal rate make a normal level."""
    normal = stats.norm.ppf(levels)[:, None]
    return 26 + 0.5 * years + normal * np.hypot(np.log10(4) / stats.norm.ppf(0.95), 0.1 * years)


@pytest.mark.parametrize("design", ["latin-hypercube", "random"])
def test_more_samples_converge_to_the_closed_form(design: str) -> None:
    missed: dict[int, list[np.ndarray]] = {1024: [], 16_384: []}
    for samples, misses in missed.items():
        for seed in range(12):
            changes = {"samples": samples, "block": 1024, "seed": seed, "design": design}
            values = run_of(small_scenario(changes))["summary/effective_compute"].sel(quantile=[0.05, 0.5, 0.95])
            misses.append(values.values - gaussian_fan([0.05, 0.5, 0.95], values["year"].values - 2025))
    few, many = (np.sqrt(np.mean(np.square(misses), axis=0)).mean() for misses in missed.values())
    # 16 times the samples, a quarter of the error; each error is known to about 1 / sqrt(2 x 12) of itself.
    assert 0.12 < many / few < 0.45
    worst = 1.06 * np.sqrt(0.05 * 0.95 / 16_384) / stats.norm.pdf(stats.norm.ppf(0.05))
    assert many < 1.5 * worst  # the standard error of plain sampling at the horizon


@pytest.mark.parametrize("design", ["latin-hypercube", "random"])
def test_the_reported_error_covers_the_distance_to_the_closed_form(design: str) -> None:
    run = run_of(small_scenario({"samples": 8192, "design": design}))
    summary = run["summary"].to_dataset().sel(quantile=[0.1, 0.25, 0.5, 0.75, 0.9])
    exact = gaussian_fan(summary["quantile"].values, summary["year"].values - 2025)
    z = (summary["effective_compute"].values - exact) / summary["effective_compute_error"].values
    assert np.abs(z).max() < 5  # Student t with 31 degrees of freedom: 1 in 40,000 for each
    assert 0.2 < np.sqrt(np.mean(z**2)) < 2.5


@some(8)
@given(scenario_data(), st.sampled_from([(384, 1024), (256, 640), (600, 601)]))
def test_a_longer_run_begins_with_the_samples_of_the_shorter(data: dict[str, Any], sizes: tuple[int, int]) -> None:
    short, long = (run_of({**data, "samples": samples}) for samples in sizes)
    for group in ("parameters", "trajectories", "crossings"):
        for name, values in short[group].data_vars.items():
            whole = slice(
                sizes[0] // data["block"] * data["block"]
            )  # a block that ends early is spread over what it has
            begun, first = (each.isel(sample=whole).values for each in (long[group][name], values))
            np.testing.assert_array_equal(begun, first, err_msg=str(name))


def test_seed_0_is_a_seed() -> None:
    first, again, other = (run_of(small_scenario({"seed": seed})) for seed in (0, 0, 1))
    assert_same_numbers(first, again)
    assert not np.array_equal(first["trajectories/effective_compute"], other["trajectories/effective_compute"])


@some(2)
@given(scenario_data(feedback=False))
def test_workers_change_no_number(data: dict[str, Any]) -> None:
    scenario = parse_scenario(scenario_text({**data, "samples": 17_000}))
    assert_same_numbers(simulate(scenario), simulate(scenario, workers=3))


@pytest.mark.parametrize("keep", ["trajectories", "summary"])
def test_one_two_and_three_workers_give_identical_runs(keep: Any) -> None:
    data = small_scenario({"samples": 150_000, "block": 1024, "thresholds.a": {"effective_compute": 1e29}})
    scenario = parse_scenario(scenario_text(data))
    one, two, three = (simulate(scenario, keep=keep, workers=workers) for workers in (1, 2, 3))
    assert one.identical(two)
    assert one.identical(three)


@some(10)
@given(scenario_data())
def test_a_run_of_the_summary_agrees_with_one_of_trajectories(data: dict[str, Any]) -> None:
    whole, summary = run_of(data), run_of(data, keep="summary")
    for name, values in whole["summary"].data_vars.items():
        # One bin of a streamed histogram, 1/1024, and float32.
        streamed = summary["summary"][name].values
        if not str(name).endswith("_error"):
            np.testing.assert_array_equal(np.isinf(streamed), np.isinf(values.values), err_msg=str(name))
            finite = np.isfinite(values.values)
            np.testing.assert_allclose(streamed[finite], values.values[finite], rtol=0, atol=0.001, err_msg=str(name))
    np.testing.assert_array_equal(summary["summary/crossed"], whole["summary/crossed"])


@some(10)
@given(scenario_data(), st.randoms(use_true_random=False))
def test_permuting_the_samples_changes_no_estimate(data: dict[str, Any], random: Any) -> None:
    run = run_of(data)
    order = list(range(data["samples"]))
    random.shuffle(order)
    levels = [0.05, 0.5, 0.95]
    for values in (run["trajectories/effective_compute"], run["crossings/crossing_year"]):
        np.testing.assert_array_equal(quantiles(values, levels), quantiles(values.isel(sample=order), levels))


@some(6)
@given(scenario_data())
def test_adding_removing_and_reordering_priors_leaves_the_draws_of_the_others(data: dict[str, Any]) -> None:
    less = copy.deepcopy(data)
    less.pop("constraints", None)
    del less["thresholds"]["delayed"]
    more = json.loads(scenario_text(data))
    more["thresholds"] = {
        "new": {"effective_compute": {"median": 1e30, "interval_90": [1e29, 1e31]}},
        **dict(reversed(data["thresholds"].items())),
    }
    more["quantities"]["another"] = {"median": 2.0, "interval_90": [1.0, 4.0]}
    runs = [run_of(version)["parameters"] for version in (data, less, more)]
    for name in runs[1].data_vars:
        np.testing.assert_array_equal(runs[0][name], runs[1][name])
    for name in runs[0].data_vars:
        np.testing.assert_array_equal(runs[0][name], runs[2][name])


NAMED = {"inputs", "factors", "quantities", "constraints", "caps", "thresholds"}


def turned_round(data: Any, *, names: bool, key: str = "") -> Any:
    """Turn the order of keys round; that of the author's own names, in which a run shows them, only where asked."""
    if isinstance(data, dict):
        items = list(data.items()) if key in NAMED and not names else list(reversed(data.items()))
        return {key: turned_round(value, names=names, key=key) for key, value in items}
    return [turned_round(item, names=names) for item in data] if isinstance(data, list) else data


@some(10)
@given(scenario_data())
def test_the_order_of_keys_changes_no_number_and_that_of_names_the_run_id_alone(data: dict[str, Any]) -> None:
    run, other = run_of(data), run_of(turned_round(data, names=True))
    xr.testing.assert_identical(run, run_of(turned_round(data, names=False)))
    assert other.attrs["run_id"] != run.attrs["run_id"]
    assert other.attrs["scenario_hash"] == run.attrs["scenario_hash"]
    for node in run.subtree:
        for name, values in node.data_vars.items():
            there = other[node.path][name]
            if "threshold" in values.dims:
                there = there.sel(threshold=values["threshold"])
            np.testing.assert_array_equal(there.values, values.values, err_msg=str(name))


@some(10)
@given(scenario_data(wide=False))
def test_renaming_thresholds_and_caps_changes_names_alone(data: dict[str, Any]) -> None:
    renamed = copy.deepcopy(data)
    renamed["thresholds"]["anew"] = renamed["thresholds"].pop("delayed")
    for caps in caps_in(renamed):
        for name in list(caps):
            caps[{"narrow": "one", "broad": "other"}[name]] = caps.pop(name)
    run, other = run_of(data), run_of(renamed)
    np.testing.assert_array_equal(crossing_years(run, "delayed").values, crossing_years(other, "anew").values)
    for name, values in trajectories(run).data_vars.items():
        if not str(name).startswith(("cap_", "binding_")):
            np.testing.assert_array_equal(other["trajectories"][name].values, values.values)
    for name, shares in run["summary"].data_vars.items():
        if str(name).startswith("binding_"):
            there = other["summary"][name]
            (dim,) = set(shares.dims) - {"year"}
            for limit in shares[dim].values.tolist():
                new = {"narrow": "one", "broad": "other"}.get(limit, limit)
                np.testing.assert_array_equal(there.sel({dim: new}), shares.sel({dim: limit}))


@some(12)
@given(scenario_data(feedback=False), st.integers(0, 10), st.floats(0.01, 0.5))
def test_raising_a_growth_median_never_lowers_a_quantile(data: dict[str, Any], which: int, more: float) -> None:
    raised = copy.deepcopy(data)
    rates = rates_in(raised["drivers"])
    rates[which % len(rates)]["mean"] += more
    low, high = (run_of(version)["summary/effective_compute"] for version in (data, raised))
    assert float((high - low).min()) >= -FLOAT32


def test_raising_a_growth_median_with_its_interval_never_lowers_a_quantile() -> None:
    rate = {"family": "lognormal", "median": 3, "interval_90": [2, 4.5], "unit": "x/year"}
    raised = {**rate, "median": 3.6, "interval_90": [2.4, 5.4]}
    low, high = (
        run_of(small_scenario({"drivers.compute.growth": growth}))["summary/effective_compute"]
        for growth in (rate, raised)
    )
    assert float((high - low).min()) >= 0


@some(12)
@given(scenario_data(feedback=False))
def test_a_cap_never_raises_anything_and_its_removal_never_delays_a_crossing(data: dict[str, Any]) -> None:
    free = copy.deepcopy(data)
    for caps in caps_in(free):
        caps.clear()
    free.pop("constraints", None)
    capped, uncapped = run_of(data), run_of(free)
    for name, values in trajectories(uncapped).data_vars.items():
        assert float((trajectories(capped)[name] - values).max()) <= FLOAT32, name
    fixed = ["level", "multiple", "delayed"]  # a multiple of the start moves with the start
    early, late = (run["crossings/crossing_year"].sel(threshold=fixed).values for run in (uncapped, capped))
    assert (early <= late + CLOSE).all()


@some(12)
@given(scenario_data(feedback=False))
def test_doubling_a_cap_never_delays_a_crossing(data: dict[str, Any]) -> None:
    wider = copy.deepcopy(data)
    for caps in caps_in(wider):
        for cap in caps.values():
            limit = cap["limit"]
            limit["median"] *= 2
            limit["interval_90"] = [2 * end for end in limit["interval_90"]]
    fixed = ["level", "multiple", "delayed"]
    narrow, wide = (run_of(version)["crossings/crossing_year"].sel(threshold=fixed).values for version in (data, wider))
    assert (wide <= narrow + CLOSE).all()


@some(6)
@given(
    st.floats(0.05, 0.6), st.floats(0.01, 0.3), st.floats(1.0, 4.0), st.sampled_from(["hard", "logistic", "gompertz"])
)
def test_with_feedback_that_rises_more_growth_gives_more_and_a_cap_less(
    rate: float, more: float, multiplier: float, kind: str
) -> None:
    base = {
        "drivers.algorithms.growth": {"value": rate, "unit": "OOM/year"},
        "drivers.algorithms.feedback": [{"at": 1e26, "multiplier": 1.0}, {"at": 1e30, "multiplier": multiplier}],
        "drivers.compute.growth": {"uniform": [0.1, 0.6], "unit": "OOM/year"},
    }
    raised = {**base, "drivers.algorithms.growth": {"value": rate + more, "unit": "OOM/year"}}
    capped = {**base, "drivers.compute.caps.cap": {"kind": kind, "limit": {"value": 1e28, "unit": "FLOP"}}}
    now, higher, lower = (
        trajectories(run_of(small_scenario(changes)))["effective_compute"] for changes in (base, raised, capped)
    )
    assert float((higher - now).min()) >= -FLOAT32
    assert float((lower - now).max()) <= FLOAT32


@some(10)
@given(scenario_data(wide=False))
def test_priors_of_no_width_give_a_fan_of_no_width(data: dict[str, Any]) -> None:
    data["drivers"].get("spending", {}).pop("drift", None)
    run = run_of(data)
    for name, values in run["summary"].data_vars.items():
        if values.dims == ("quantile", "year") and not str(name).endswith("_error"):
            assert float((values.max("quantile") - values.min("quantile")).max()) == 0.0, name


def levels_in_float64(data: dict[str, Any]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Project one block without the rounding of what is kept."""
    from simulator.model.projection import Projection
    from simulator.priors.draws import draw_blocks

    scenario = parse_scenario(scenario_text(data))
    spec, years = scenario.spec, year_grid(scenario.spec)
    draws = draw_blocks(scenario.joint, seed=spec.seed, blocks=range(1), size=spec.block, design=spec.design)
    projection = Projection(spec, years=years, custom={})
    return years, projection.project(projection.block(draws)).levels


@some(10)
@given(scenario_data(), st.sampled_from([1, 5, 7.3]))
def test_a_later_horizon_changes_no_bit_of_an_earlier_year(data: dict[str, Any], longer: float) -> None:
    later = copy.deepcopy(data)
    later["years"]["last"] += longer
    years, short = levels_in_float64(data)
    later_years, long = levels_in_float64(later)
    assert np.isin(years, later_years).all()
    kept = np.searchsorted(later_years, years)
    for name, values in short.items():
        np.testing.assert_array_equal(long[name][:, kept], values, err_msg=name)


@some(10)
@given(scenario_data(), st.sampled_from([1, 5, 7.3]))
def test_a_later_horizon_changes_no_crossing_before_it(data: dict[str, Any], longer: float) -> None:
    later = copy.deepcopy(data)
    later["years"]["last"] += longer
    short, long = run_of(data), run_of(later)
    crossing, later_crossing = (run["crossings/crossing_year"].values for run in (short, long))
    met, last = np.isfinite(crossing), data["years"]["last"]
    # A path that falls after the last year may have peaked just before it, which the longer run alone can tell.
    after = trajectories(long)[["effective_compute", "physical_compute"]].to_array()
    steps = after.sel(year=after["year"] >= np.floor(last) - 1).diff("year")
    steady = (steps >= 0).all(["variable", "year"]).values[None] & np.ones(met.shape, dtype=bool)
    both = later_crossing[met & steady], crossing[met & steady]
    # Near the end the longer run alone knows of a turn to come, and follows a path that the other takes for a line.
    before = both[1] <= np.floor(last) - 1
    np.testing.assert_array_equal(both[0][before], both[1][before])
    np.testing.assert_allclose(*both, rtol=0, atol=STRAIGHT)
    assert (later_crossing[~met & steady] > last).all()
    assert (later_crossing <= crossing + STRAIGHT).all()


@some(12)
@given(scenario_data(), st.sampled_from(["quarter", "month"]))
def test_a_finer_step_changes_no_bit_of_a_shared_year(data: dict[str, Any], step: str) -> None:
    data["quantities"]["chips"] = {
        "accumulation": {
            "start": {"value": 1e6, "unit": "chip/year"},
            "growth": {"mean": 0.3, "sd": 0.1, "unit": "OOM/year"},
        },
        "start": {"value": 3e6, "unit": "chip"},
    }
    coarse, fine = copy.deepcopy(data), copy.deepcopy(data)
    coarse["years"]["step"], fine["years"]["step"] = "year", step
    years, rough = levels_in_float64(coarse)
    fine_years, smooth = levels_in_float64(fine)
    assert np.isin(years, fine_years).all()
    kept = np.searchsorted(fine_years, years)
    for name, values in rough.items():
        np.testing.assert_array_equal(smooth[name][:, kept], values, err_msg=name)


def test_how_blocks_are_batched_changes_no_bit() -> None:
    correlated = {
        "samples": 20_000,
        "correlations": [{"between": ["drivers.compute.start", "drivers.compute.growth"], "rank": 0.5}],
    }
    scenario = parse_scenario(scenario_text(small_scenario(correlated)))
    plan = plan_of(scenario.components)
    whole = compute_batch(plan, 0, 8192)
    for first in (0, 256, 4096, 7936):
        part = compute_batch(plan, first, 256)
        for name, values in part.parameters.items():
            np.testing.assert_array_equal(whole.parameters[name][first : first + 256], values)
        for name, values in part.trajectories.items():
            np.testing.assert_array_equal(whole.trajectories[name][:, first : first + 256], values)
