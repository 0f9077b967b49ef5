"""Laws of actors: ties, renaming, adding, the frontier, the order in which they cross; and how far one is behind."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from simulator.analysis.evaluation import evaluate, model_of
from simulator.analysis.outcomes import outcomes_over
from simulator.engine import run_folders, simulation
from simulator.engine.batches import Batch, compute_batch
from simulator.engine.run_folders import extend_run
from simulator.engine.simulation import run_plan, simulate
from simulator.model.race import leading, race
from simulator.priors.streams import blocks_uniforms
from simulator.runs.folder import open_run, save_run
from simulator.scenario.load import load_scenario, parse_scenario
from simulator.testing import assert_valid_run

SPEC: dict[str, Any] = {
    "schema": 2,
    "name": "actors",
    "years": {"first": 2026, "last": 2034},
    "samples": 384,
    "block": 128,
    "drivers": {
        "spending": {
            "start": {"median": 4e8, "interval_90": [2e8, 8e8], "unit": "USD"},
            "growth": {"median": 2.4, "interval_90": [1.6, 3.4], "unit": "x/year"},
            "caps": {"budget": {"limit": {"median": 5e10, "interval_90": [1e10, 2e11], "unit": "USD"}}},
        },
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "1.35x/year"},
        "algorithms": {"growth": {"median": 3, "interval_90": [2, 5], "unit": "x/year"}},
    },
    "thresholds": {"run": {"effective_compute": 1e29}, "twice": {"multiple": 2, "of": "run"}},
}
ALONE = parse_scenario(json.dumps(SPEC))
OWN = {"median": 0.4, "interval_90": [0.1, 2.0]}
RACE = {"us": {}, "china": {"drivers": {"hardware": {"start": {"times": OWN}}}}, "eu": {"of": "china", "drivers": {
    "algorithms": {"growth": {"median": 3, "interval_90": [1.5, 6], "unit": "x/year"}}}}}  # fmt: skip


def batch_of(actors: Any, **more: Any) -> Batch:
    plan = run_plan(parse_scenario(json.dumps(SPEC | more | ({"actors": actors} if actors else {}))))
    return compute_batch(plan, 0, plan.spec.samples)


def assert_same(one: Batch, other: Batch) -> None:
    for group in ("parameters", "trajectories", "crossings"):
        held, known = getattr(one, group), getattr(other, group)
        assert held.keys() == known.keys()
        assert all(np.array_equal(held[name], known[name], equal_nan=True) for name in held)


@pytest.mark.parametrize("actors", [{"one": {}}, {"us": {"label": "US"}, "china": {}, "eu": {"of": "us"}}])
def test_one_actor_and_identical_actors_are_the_scenario_bit_for_bit_and_tie(actors: dict[str, Any]) -> None:
    alone, batch = batch_of(None), batch_of(actors)
    assert_same(batch, alone)
    for name in ("effective_compute", "spending"):
        assert all(np.array_equal(each, alone.trajectories[name]) for each in batch.actors[name])
    found = race(np.arange(2026.0, 2035.0), batch.actors["effective_compute"])
    assert not found["behind"].any()
    assert not found["behind_years"].any()
    assert np.allclose(leading(batch.actors["effective_compute"]), 1.0 / len(actors), rtol=1e-15)


def test_renaming_an_actor_and_the_order_of_actors_change_no_number_that_is_not_its_own_draw() -> None:
    shifted = {
        "us": {},
        "china": {"drivers": {"hardware": {"start": {"times": 0.4}}, "spending": {"growth": "3x/year"}}},
    }
    batch, renamed = batch_of(shifted), batch_of({"zz": shifted["china"], "us": {}})
    for group in ("trajectories", "crossings"):
        for name, values in getattr(batch, group).items():
            assert np.array_equal(values, getattr(renamed, group)[name], equal_nan=True)
    assert np.array_equal(batch.actors["effective_compute"], renamed.actors["effective_compute"][::-1])


def test_an_actor_that_is_drawn_as_it_was_called_before_is_renamed_and_nothing_else() -> None:
    growth = {"median": 2.2, "interval_90": [1.6, 3.4], "unit": "x/year"}
    algorithms = {"lag": {"median": "9 months", "interval_90": ["3 months", "18 months"]}}
    own = {"drivers": {"hardware": {"start": {"times": OWN}}, "spending": {"growth": growth}, "algorithms": algorithms}}

    def found(name: str, **more: str) -> Batch:
        rates = [f"{at}drivers.spending.growth" for at in ("", f"actors.{name}.", "actors.eu.")]
        joined = [{"between": rates[:2], "rank": 0.6}, {"between": rates[1:], "rank": 0.3}]
        actors = {"us": {}, name: own | more, "eu": {"drivers": {"spending": {"growth": growth}}}}
        return compute_batch(
            run_plan(parse_scenario(json.dumps(SPEC | {"actors": actors, "correlations": joined}))), 0, 384
        )

    before, renamed, anew = found("china"), found("zz", drawn_as="china"), found("zz")
    assert all(np.array_equal(renamed.actors[name], values) for name, values in before.actors.items())
    old = {name.replace("actors.zz.", "actors.china."): values for name, values in renamed.parameters.items()}
    assert_same(replace(renamed, parameters=old), before)
    assert not np.array_equal(anew.actors["spending"][1], before.actors["spending"][1])


def test_of_actors_that_tie_under_a_limit_neither_name_nor_order_says_whose_drivers_the_frontier_has() -> None:
    capped = SPEC | {"constraints": {"power": {"limit": {"value": 1e27, "unit": "FLOP"}}}}
    less: dict[str, Any] = {"drivers": {"spending": {"start": {"times": 0.4}}}}
    raced = [{"china": less, "us": {}}, {"zz": less, "us": {}}, {"us": {}, "china": less}]
    runs = [run_plan(parse_scenario(json.dumps(capped | {"actors": each}))) for each in raced]
    first, *others = [compute_batch(plan, 0, 384) for plan in runs]
    spending, effective = first.actors["spending"], first.actors["effective_compute"]
    assert (first.actors["physical_compute"][0] == first.actors["physical_compute"][1]).mean() > 0.2
    assert (spending[0] < spending[1])[effective[0] == effective[1]].any()
    assert np.array_equal(first.trajectories["spending"], spending[1])  # it spends no less, and has no less
    for other in others:
        assert_same(replace(first, parameters={}), replace(other, parameters={}))


def test_another_actor_moves_no_draw_and_no_path_of_the_others() -> None:
    two, three = batch_of({name: RACE[name] for name in ("us", "china")}), batch_of(RACE)
    assert three.parameters.keys() - two.parameters.keys() == {"actors.eu.drivers.algorithms.growth"}
    assert all(np.array_equal(three.parameters[name], values) for name, values in two.parameters.items())
    for name, values in two.actors.items():
        assert np.array_equal(three.actors[name][:2], values)


def test_a_multiple_is_one_of_the_draw_of_the_scenario_and_what_is_stated_is_a_draw_of_its_own() -> None:
    batch, times = batch_of(RACE), "actors.china.drivers.hardware.start.times"
    behind = batch.actors["hardware"][1] - batch.actors["hardware"][0]
    assert np.allclose(behind, batch.parameters[times], atol=2e-6)
    assert np.array_equal(batch.actors["hardware"][1], batch.actors["hardware"][2])  # of: china
    assert np.array_equal(batch.actors["spending"][0], batch.actors["spending"][2])
    growth = [batch.parameters[f"{at}drivers.algorithms.growth"] for at in ("", "actors.eu.")]
    assert abs(np.corrcoef(growth)[0, 1]) < 0.15
    eu = batch.actors["algorithms"][2]
    assert np.allclose(eu[3] - eu[0], 3.0 * growth[1], atol=2e-6)


def test_the_growth_of_an_actor_may_be_a_multiple_and_be_joined_to_that_of_another() -> None:
    joined = copy.deepcopy(SPEC) | {"actors": copy.deepcopy(RACE)}
    joined["actors"]["us"] = {"drivers": {"algorithms": {"growth": {"times": 0.5}}}}
    joined["correlations"] = [
        {"between": ["drivers.algorithms.growth", "actors.eu.drivers.algorithms.growth"], "rank": 0.9}
    ]
    plan = run_plan(parse_scenario(json.dumps(joined)))
    batch, before = compute_batch(plan, 0, 384), batch_of(RACE)
    growth = [batch.parameters[f"{at}drivers.algorithms.growth"] for at in ("", "actors.eu.")]
    assert np.corrcoef(growth)[0, 1] > 0.8
    assert np.allclose(batch.actors["algorithms"][0], 0.5 * before.actors["algorithms"][0], atol=2e-6)


def test_the_frontier_is_the_one_that_leads_and_its_crossing_the_first_of_all() -> None:
    batch = batch_of(RACE)
    levels, crossing = batch.actors["effective_compute"], batch.actors["crossing_year"]
    assert np.array_equal(batch.trajectories["effective_compute"], levels.max(axis=0))
    leads = levels.argmax(axis=0)
    assert set(np.unique(leads)) == {0, 1, 2}
    for name in ("spending", "hardware", "algorithms"):
        picked = np.take_along_axis(batch.actors[name], leads[None], axis=0)[0]
        assert np.array_equal(batch.trajectories[name], picked)
    assert np.array_equal(batch.crossings["crossing_year"], crossing.min(axis=0))
    assert np.array_equal(batch.crossings["already_above"], batch.actors["already_above"].max(axis=0))


def test_a_limit_that_actors_share_adds_up_to_the_whole_in_every_sample() -> None:
    shares = {"us": {"share": {"interval_90": [0.4, 0.7], "unit": "fraction"}}, "china": {"share": "rest"}}
    shared = SPEC | {
        "stocks": {"power": {"start": {"interval_90": [1, 4], "unit": "GW"}, "growth": "20 %/year"}},
        "allocation": {"power": {"uses": shares}},
        "constraints": {"power": {"limit": {"product": ["power-us", "1e12 FLOP/J", "1 day"]}}},
        "actors": {"us": {}, "china": {"constraints": {"power": {"limit": {"product": ["power-china", "1e12 FLOP/J", "1 day"]}}}}},
    }  # fmt: skip
    plan = run_plan(parse_scenario(json.dumps(shared)))
    batch = compute_batch(plan, 0, plan.spec.samples)
    allowed = batch.actors["physical_compute"].astype(np.float64)
    whole = batch.trajectories["quantity_power"].astype(np.float64) + np.log10(1e12 * 86_400)
    held = np.log10((10.0**allowed).sum(axis=0))
    alone = compute_batch(run_plan(parse_scenario(json.dumps(SPEC))), 0, plan.spec.samples)
    both = (alone.trajectories["physical_compute"] > whole).all(axis=0)  # either wants more than all there is
    assert both.sum() > 100
    assert held[:, both] == pytest.approx(whole[:, both], abs=1e-5)
    assert (held <= whole + 1e-5).all()


def test_a_threshold_may_be_crossed_by_all_by_so_many_or_by_one() -> None:
    ways = {"first": "first", "second": 2, "every": "all", "eu-alone": "eu", "plain": None}
    thresholds = {name: {"effective_compute": 1e29} | ({"by": by} if by else {}) for name, by in ways.items()}
    data = SPEC | {"actors": RACE, "thresholds": thresholds}
    model = model_of(parse_scenario(json.dumps(data)))
    batch = compute_batch(model.plan, 0, 384)
    each = np.sort(batch.actors["crossing_year"][:, 0], axis=0)
    found = dict(zip(ways, batch.crossings["crossing_year"], strict=True))
    for name, place in (("first", 0), ("plain", 0), ("second", 1), ("every", 2)):
        assert np.array_equal(found[name], each[place]), name
    assert np.array_equal(found["eu-alone"], batch.actors["crossing_year"][2, 0])
    assert (found["second"] > found["first"]).mean() > 0.9
    drawn = blocks_uniforms(
        model.joint.uncertain, seed=0, blocks=range(3), size=128, design="latin-hypercube", samples=384
    )
    outcomes = [one for name in ways for one in outcomes_over(f"crossing:{name}", model.years)]
    assert np.allclose(evaluate(model, drawn, outcomes), batch.crossings["crossing_year"])


def test_how_far_an_actor_is_behind_in_oom_and_years() -> None:
    years = np.array([2026.0, 2027.0, 2028.0, 2029.0])
    first, second = np.array([20.0, 21.0, 22.0, 22.0]), np.array([19.5, 20.25, 21.5, 22.0])
    third = np.array([19.0, 19.0, 20.0, 23.0])  # leads in the end
    levels = np.stack([first, second, third])[:, :, None].astype(np.float32)
    found = race(years, levels)
    assert found["behind"][..., 0].tolist() == [[0, 0, 0, 1], [0.5, 0.75, 0.5, 1], [1, 2, 2, 0]]
    assert found["behind_years"][..., 0].tolist() == [[0, 0, 0, 1], [np.inf, 0.75, 0.5, 1], [np.inf, np.inf, 2, 0]]
    assert found["lead"][:, 0].tolist() == [0.5, 0.75, 0.5, 1]
    assert found["lead_years"][:, 0].tolist() == [np.inf, 0.75, 0.5, 1]
    assert leading(levels)[..., 0].tolist() == [[1, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]]


def test_an_event_that_waits_for_a_level_comes_to_all_actors_when_the_first_gets_there() -> None:
    """US compute is 1e26 FLOP x 10^t, that of China 1e25.5 x 10^(0.6 t): at 1e28 in 2028, and in 2030.17 by itself."""
    half = {"effects": [{"on": "drivers.compute.growth", "times": 0.5}]}
    china: dict[str, Any] = {"drivers": {"compute": {"start": {"times": 10**-0.5}, "growth": "0.6 OOM/year"}}}
    data: dict[str, Any] = {
        "schema": 2, "name": "race", "years": {"first": 2026, "last": 2034}, "samples": 4, "block": 4,
        "drivers": {"compute": {"start": "1e26 FLOP", "growth": "1 OOM/year"}, "algorithms": {"growth": "0 %/year"}},
        "thresholds": {"run": {"effective_compute": 1e28}},
        "events": {"ban": {"from": {"when": "physical_compute", "reaches": {"value": 1e28, "unit": "FLOP"}}}},
        "actors": {"us": {}, "china": china | {"events": {"ban": half}}},
    }  # fmt: skip

    def found(**changes: Any) -> Batch:
        return compute_batch(run_plan(parse_scenario(json.dumps(data | changes))), 0, 4)

    years = np.arange(2026.0, 2035.0)[:, None]

    def path(date: float) -> np.ndarray:
        return 25.5 + 0.6 * (np.minimum(years, date) - 2026) + 0.3 * np.maximum(years - date, 0)

    one = found()
    assert np.allclose(one.actors["physical_compute"][1], path(2028), atol=4e-6)
    assert np.allclose(one.crossings["event_year"], 2028, rtol=0, atol=1e-6)
    slower = found(actors=data["actors"] | {"eu": {"of": "china", "drivers": {"compute": {"start": {"times": 0.1}}}}})
    assert np.array_equal(slower.actors["physical_compute"][:2], one.actors["physical_compute"])
    assert np.array_equal(slower.crossings["event_year"], one.crossings["event_year"])
    for by, date in ((None, 2028), ("first", 2028), (2, 2026 + 2.5 / 0.6), ("china", 2026 + 2.5 / 0.6), ("us", 2028)):
        thresholds = {"run": {"effective_compute": 1e28} | ({"by": by} if by else {})}
        each = found(thresholds=thresholds, events={"ban": {"from": {"threshold": "run"}}})
        assert np.allclose(each.crossings["event_year"], date, rtol=0, atol=1e-6), by
        assert np.allclose(each.actors["physical_compute"][1], path(date), atol=4e-6), by
    model = model_of(parse_scenario(json.dumps(data)))
    drawn = {name: np.full(4, 0.5) for name in model.joint.uncertain}
    outcomes = [each for text in ("crossing:ban", "physical_compute@2034") for each in outcomes_over(text, model.years)]
    assert np.allclose(evaluate(model, drawn, outcomes), [[2028] * 4, [34] * 4], rtol=0, atol=4e-6)
    era = [{"rate": "0.6 OOM/year"}, {"from": data["events"]["ban"]["from"], "rate": "0.3 OOM/year"}]
    own = {"drivers": {"compute": {"start": {"times": 10**-0.5}, "growth": era}}}
    late = found(actors={"us": {}, "china": own}, events={})
    assert np.allclose(late.actors["physical_compute"][1], path(2026 + 2.5 / 0.6), atol=4e-6)
    ban = {"ban": data["events"]["ban"] | half}
    assert_same(found(actors={"us": {}, "eu": {}}, events=ban), found(actors={}, events=ban))


def test_a_run_says_of_its_actors_what_the_samples_say_however_it_is_kept(tmp_path: Path) -> None:
    scenario = parse_scenario(json.dumps(SPEC | {"actors": RACE, "samples": 300}))
    run, counted = simulate(scenario), simulate(scenario, keep="summary")
    assert_valid_run(run)
    held = run["actors_summary"]
    levels = run["actors"]["effective_compute"].sel(actor="china")
    assert np.allclose(held["effective_compute"].sel(actor="china", quantile=0.5), levels.median("sample"))
    crossing = run["actors"]["crossing_year"].values
    assert np.allclose(held["crossed"].values[..., -1], np.isfinite(crossing).mean(axis=-1))
    second = np.sort(crossing, axis=0)[1]
    assert np.allclose(held["place_crossed"].sel(place=2).values[:, -1], np.isfinite(second).mean(axis=-1))
    assert np.allclose(held["leads"].sum("actor"), 1.0)
    assert (held["leads_error"].values >= 0).all()
    for name, values in held.data_vars.items():
        known, other = values.values, counted["actors_summary"][name].values
        near = np.isclose(known, other, rtol=0, atol=1.2e-3) | (np.isinf(known) & np.isinf(other))
        assert near.all(), name
    save_run(run, tmp_path / "run.nc")
    with open_run(tmp_path / "run.nc") as opened:
        assert np.array_equal(opened["actors"]["crossing_year"].values, crossing)


@pytest.mark.parametrize("thresholds", [SPEC["thresholds"], {}])
def test_a_run_of_actors_is_extended_to_the_bits_of_a_fresh_one(
    thresholds: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (run_folders, simulation):
        monkeypatch.setattr(module, "KEPT", 128)
    data = SPEC | {"actors": RACE, "thresholds": thresholds}
    folder = simulate(parse_scenario(json.dumps(data | {"samples": 300}))).save(tmp_path)
    said = list[str]()
    more = extend_run(folder, samples=384, outputs=tmp_path, say=said.append)
    assert said == ["256 samples are taken over."]
    fresh = simulate(parse_scenario(json.dumps(data)))
    for group in ("parameters", "actors", "actors_summary"):
        for name, values in fresh[group].data_vars.items():
            assert np.array_equal(more[group][name].values, values.values, equal_nan=True), name


def test_a_scenario_with_actors_is_evaluated_as_it_is_run() -> None:
    model, spec = model_of(parse_scenario(json.dumps(SPEC | {"actors": RACE}))), ALONE.spec
    outcomes = [each for text in ("effective_compute@2030", "effective_compute@2030.5", "crossing:run", "spending@2031")
                for each in outcomes_over(text, model.years)]  # fmt: skip
    drawn = blocks_uniforms(
        model.joint.uncertain, seed=spec.seed, blocks=range(3), size=128, design=spec.design, samples=384
    )
    found, batch = evaluate(model, drawn, outcomes), batch_of(RACE)
    assert np.allclose(found[0], batch.trajectories["effective_compute"][4], atol=3e-6)
    assert (found[1] > found[0]).all()
    assert (found[1] < batch.trajectories["effective_compute"][5]).all()
    assert np.allclose(found[2], batch.crossings["crossing_year"][0])
    assert np.allclose(found[3], batch.trajectories["spending"][5], atol=3e-6)


def test_the_baseline_with_one_actor_is_the_baseline() -> None:
    batches = []
    for actors in ([], ["actors={a: {}}"]):
        plan = run_plan(load_scenario("baseline", overrides=["samples=64", "block=64", *actors]))
        batches.append(compute_batch(plan, 0, 64))
    assert_same(*batches)


MODELS: dict[str, Any] = {
    "largest_share": {"median": 0.1, "interval_90": [0.05, 0.2], "unit": "fraction", "truncated": [0.01, 0.9]},
    "smallest": {"uniform": [4, 6]}, "gradient": {"uniform": [0.9, 1.1]}, "above": [1e26, 1e27], "within_oom": [1],
}  # fmt: skip
ABOVE, WITHIN = "models_above_1e26_in_year", "models_within_1_oom_in_year"
COUNTED = SPEC | {"models": MODELS, "samples": 256, "years": {"first": 2026, "last": 2029}}


def counted(actors: dict[str, Any], *, keep: Any = "trajectories", **more: Any) -> xr.DataTree:
    return simulate(parse_scenario(json.dumps(COUNTED | {"actors": actors} | more)), keep=keep)


def by_year(run: xr.DataTree, actor: str, name: str = ABOVE) -> np.ndarray:
    return run["actors"][name].sel(actor=actor).transpose("year", "sample").values


def test_models_of_actors_lie_below_their_own_largest_run_and_add_up_to_all_in_every_sample() -> None:
    known = {"models": {"known": {"2027": {"above": {"1e26": 3}}}, "earlier": {"1e26": 2}}}
    run = counted(RACE | {"us": known, "open": {"of": "us", "models": "none"}})
    assert_valid_run(run)
    actors, years = run["actors"], run["trajectories"]
    for name in years.data_vars:
        if str(name).startswith("models_"):
            assert np.array_equal(actors[name].sum("actor"), years[name]), name
            assert not actors[name].sel(actor="open").values.any()
    assert (by_year(run, "us")[1] == 3).all()
    assert (by_year(run, "us", "models_above_1e26") - by_year(run, "us").cumsum(axis=0) == 2).all()
    theirs = actors.to_dataset().sel(actor=["china", "eu"])
    assert (theirs[ABOVE].where(theirs["physical_compute"] < 26, 0) == 0).all()
    far = theirs["physical_compute"] < actors["physical_compute"].max("actor") - 1
    assert far.any()
    assert (theirs[WITHIN].where(far, 0) == 0).all()
    assert (theirs[WITHIN].where(~far, 1) >= 1).mean() > 0.9


def test_actors_that_are_alike_have_runs_of_their_own_of_one_law() -> None:
    fixed = {"largest_share": "10 %", "smallest": 5, "gradient": 1, "above": [1e26]}
    drivers = {"spending": {"start": "$1 billion", "growth": "2x/year"}, "hardware": {"start": "1e18 FLOP/USD"}}
    told = {"models": fixed, "drivers": drivers, "samples": 2048, "thresholds": {}}
    less = {"drivers": {"hardware": {"start": {"times": 0.1}}}}
    run = counted({"a": {}, "b": {}, "c": less}, **told)
    a, b, c = (by_year(run, name) for name in "abc")
    error = np.sqrt(a.var(axis=1) / 1024)
    assert (np.abs(a.mean(axis=1) - b.mean(axis=1)) < 4 * error).all()
    assert abs(np.corrcoef(a[0], b[0])[0, 1]) < 4 / np.sqrt(2048)
    tenth = counted(
        {"d": {}, "c": less}, **told | {"models": fixed | {"above": [1e25]}}
    )  # the same, on a smaller scale
    assert (np.abs(a.mean(axis=1) - by_year(tenth, "c", "models_above_1e25_in_year").mean(axis=1)) < 4 * error).all()
    assert np.array_equal(by_year(counted({"c": less}, **told), "c"), c)


def test_counts_of_actors_are_summed_up_and_evaluated_as_they_are_run() -> None:
    run, summary = counted(RACE), counted(RACE, keep="summary")
    for name in (ABOVE, "models_above_1e26"):
        known, other = run["actors_summary"][name].values, summary["actors_summary"][name].values
        assert np.allclose(known, other, atol=1, rtol=0.005)
        assert np.allclose(known[:, 12], run["actors"][name].median("sample").transpose("actor", "year"))
    model = model_of(parse_scenario(json.dumps(COUNTED | {"actors": RACE})))
    drawn = blocks_uniforms(
        model.joint.uncertain, seed=ALONE.spec.seed, blocks=range(2), size=128, design=ALONE.spec.design, samples=256
    )
    (found,) = evaluate(model, drawn, outcomes_over(f"{ABOVE}@2028", model.years))
    assert np.array_equal(found, run["trajectories"][ABOVE].sel(year=2028))


@pytest.mark.parametrize("part", [0.0, 0.4, 1.0])
def test_who_takes_over_a_part_of_what_the_leader_is_beyond_it_has_that_to_its_closed_form(part: float) -> None:
    growth = {"median": 3, "interval_90": [2, 5], "unit": "x/year"}
    quantities = {
        "leaders": {"start": 1, "growth": growth},
        "own": {"start": 0.5, "growth": {"median": 2, "interval_90": [1, 4], "unit": "x/year"}},
        "beyond": {"maximum": [{"ratio": ["leaders", "own"]}, 1]},
    }
    level = {"product": ["own", {"power": ["beyond", part]}]} if part else "own"
    actors = {"us": {}, "cn": {"drivers": {"algorithms": {"level": level}}}}
    drivers = SPEC["drivers"] | {"algorithms": {"level": "leaders"}}
    batch = batch_of(actors, quantities=quantities, drivers=drivers)
    us, cn = batch.actors["algorithms"]
    own = batch.trajectories["quantity_own"]
    assert np.allclose(cn, own + part * np.maximum(us - own, 0.0), atol=1e-5)
    assert ((cn >= own - 1e-5) & (cn <= np.maximum(us, own) + 1e-5)).all()
