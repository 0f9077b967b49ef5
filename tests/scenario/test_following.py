"""Actors that follow: a lag of a driver or of all, a gap that closes, each against its closed form; what cannot follow."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from simulator.engine.batches import Batch, compute_batch
from simulator.engine.simulation import run_plan
from simulator.errors import ScenarioError
from simulator.scenario.load import parse_scenario
from simulator.testing import run_of
from simulator.units import Array

SPEC: dict[str, Any] = {
    "schema": 2,
    "name": "following",
    "years": {"first": 2026, "last": 2036},
    "samples": 64,
    "block": 64,
    "drivers": {
        "spending": {
            "start": {"median": 4e8, "interval_90": [2e8, 8e8], "unit": "USD"},
            "growth": [{"rate": {"median": 2.4, "interval_90": [1.6, 3.4], "unit": "x/year"}}, {"from": 2031, "rate": "1.4x/year"}],
            "caps": {"budget": {"kind": "exponential", "limit": {"start": {"value": 2e10, "unit": "USD"}, "growth": "1.2x/year"}}},
        },
        "hardware": {
            "factors": {
                "price": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "1.35x/year"},
                "use": {"growth": {"median": 1.1, "interval_90": [1.0, 1.2], "unit": "x/year"}},
            }
        },
        "algorithms": {"growth": {"median": 3, "interval_90": [2, 5], "unit": "x/year"}},
    },
    "constraints": {"power": {"limit": {"start": {"value": 1e29, "unit": "FLOP"}, "growth": "1.5x/year"}}},
    "thresholds": {"run": {"effective_compute": 1e30}, "near": {"effective_compute": 1e26}},
}  # fmt: skip


def batch_of(actors: dict[str, Any]) -> Batch:
    plan = run_plan(parse_scenario(json.dumps(SPEC | {"actors": {"us": {}, **actors}})))
    return compute_batch(plan, 0, 64)


def levels(batch: Batch, name: str, actor: int = 1) -> Array:
    return np.asarray(batch.actors[name][actor], dtype=np.float64)


def test_an_actor_with_a_lag_has_what_the_other_had_then_under_the_limits_of_then() -> None:
    batch = batch_of({"late": {"of": "us", "lag": "2 years"}})
    for name in ("spending", "hardware", "algorithms", "physical_compute", "effective_compute"):
        assert np.allclose(levels(batch, name)[2:], levels(batch, name, 0)[:-2], atol=4e-6), name
    us, late = batch.actors["crossing_year"]
    later = np.isfinite(late)
    assert later.any()
    assert np.allclose(late[later & (us > 2026)], us[later & (us > 2026)] + 2.0, atol=2e-4)
    assert (us[~later] + 2.0 > 2036).all()


def test_before_the_first_year_growth_is_followed_backwards() -> None:
    batch = batch_of({"late": {"lag": {"median": "9 months", "interval_90": [3, 18]}}})
    lag, rate = (batch.parameters[name] for name in ("actors.late.lag", "drivers.algorithms.growth"))
    assert 0.25 < np.median(lag) < 1.5
    assert np.allclose(levels(batch, "algorithms")[0], -rate * lag, atol=2e-6)
    assert (levels(batch, "effective_compute")[0] < levels(batch, "effective_compute", 0)[0]).all()


def test_one_driver_lags_and_the_rest_is_its_own() -> None:
    batch = batch_of({"late": {"drivers": {"algorithms": {"lag": "18 months"}, "hardware": {"lag": "1 year"}}}})
    rate = batch.parameters["drivers.algorithms.growth"]
    assert np.allclose(levels(batch, "algorithms", 0) - levels(batch, "algorithms"), 1.5 * rate, atol=2e-6)
    assert np.allclose(levels(batch, "hardware")[1:], levels(batch, "hardware", 0)[:-1], atol=2e-6)
    assert np.array_equal(levels(batch, "spending"), levels(batch, "spending", 0))


def test_a_follower_of_a_follower_adds_its_lag() -> None:
    followers = {"late": {"drivers": {"algorithms": {"lag": "1 year"}}}, "later": {"of": "late", "lag": "2 years"}}
    batch = batch_of(followers)
    assert np.allclose(levels(batch, "algorithms", 2)[3:], levels(batch, "algorithms", 0)[:-3], atol=2e-6)
    assert np.allclose(levels(batch, "spending", 2)[2:], levels(batch, "spending", 0)[:-2], atol=2e-6)


def test_what_is_laid_over_a_follower_is_laid_over_what_it_follows_and_then_lags() -> None:
    """Starts, growth and limits of an actor may be others than those of the follower that it is like."""
    over = {
        "start": {"times": 2},
        "growth": {"times": 1.2},
        "caps": {"budget": {"limit": {"value": 1e11, "unit": "USD"}}},
    }
    own = {"spending": over, "algorithms": {"growth": "4x/year"}}
    lagged = {"late": {"of": "us", "lag": "2 years"}, "later": {"of": "late", "drivers": own}}
    batch = batch_of({"unlagged": {"of": "us", "drivers": own}, **lagged})
    assert np.allclose(levels(batch, "algorithms", 3), np.log10(4) * (np.arange(11.0)[:, None] - 2), atol=2e-6)
    for name in ("spending", "hardware", "algorithms", "effective_compute"):
        assert np.allclose(levels(batch, name, 3)[2:], levels(batch, name, 1)[:-2], atol=4e-6), name
    assert not np.allclose(levels(batch, "spending", 3), levels(batch, "spending", 2), atol=0.1)


@pytest.mark.parametrize("kind", ["gompertz", "logistic", "hard"])
def test_what_limits_one_that_follows_is_told_where_it_leads(kind: str) -> None:
    """Once a year behind, then half an OOM: the limit, what is demanded, and whether the limit binds are those of then."""
    limit = {"median": 300, "interval_90": [100, 1000], "unit": "1"}
    bent = {**SPEC["drivers"]["algorithms"], "caps": {"headroom": {"kind": kind, "limit": limit}}}
    names = ("algorithms", "algorithms_demanded", "cap_algorithms_headroom", "binding_algorithms")
    more = {"hardware": {"factors": {"price": {"start": {"times": 10000}}}}}

    def told(driver: dict[str, Any]) -> list[Array]:
        spec = SPEC | {"drivers": SPEC["drivers"] | {"algorithms": bent}, "constraints": {}}
        run = run_of(spec | {"actors": {"us": {}, "ahead": {"drivers": more | {"algorithms": driver}}}})
        assert (run["actors_summary/leads"].sel(actor="ahead").values == 1).all()
        return [run["trajectories"][name].values for name in names]

    plain = told({})
    assert 0.1 < np.mean(plain[3]) < 0.9
    for before, late in zip(plain, told({"lag": "1 year"}), strict=True):
        assert np.allclose(late[:, 1:], before[:, :-1], atol=4e-6)
    drawn = told({"lag": {"uniform": [0.5, 1], "unit": "years"}})
    assert (drawn[1] <= plain[1]).all()
    assert (drawn[2] == plain[2]).all()
    assert (drawn[3] == (drawn[1] >= drawn[2])).mean() > 0.999
    *levels, binds = told({"gap": "0.5 OOM"})
    assert all(np.allclose(behind, one - 0.5, atol=4e-6) for behind, one in zip(levels, plain, strict=False))
    assert np.array_equal(binds, plain[3])
    assert np.allclose(told({"gap": "0.5 OOM", "lag": "1 year"})[0][:, 1:], plain[0][:, :-1] - 0.5, atol=4e-6)


def test_gaps_of_an_actor_and_of_the_one_that_it_is_like_add_up() -> None:
    behind = {"late": {"drivers": {"algorithms": {"gap": "0.5 OOM"}}}}
    batch = batch_of(
        {**behind, "later": {"of": "late", "drivers": {"algorithms": {"gap": "0.3 OOM", "closes": "20 %/year"}}}}
    )
    found = levels(batch, "algorithms", 1) - levels(batch, "algorithms", 2)
    assert np.allclose(found, 0.3 * 0.8 ** np.arange(11.0)[:, None], atol=4e-6)


@pytest.mark.parametrize("driver", ["algorithms", "hardware", "spending"])
def test_a_gap_in_oom_closes_by_its_share_a_year(driver: str) -> None:
    batch = batch_of(
        {
            "late": {
                "drivers": {driver: {"gap": {"median": "0.8 OOM", "interval_90": [0.4, 1.2]}, "closes": "30 %/year"}}
            }
        }
    )
    gap = batch.parameters[f"actors.late.drivers.{driver}.gap"]
    behind = levels(batch, driver, 0) - levels(batch, driver)
    assert np.allclose(behind, gap * 0.7 ** np.arange(11.0)[:, None], atol=4e-6)
    constant = batch_of({"late": {"drivers": {driver: {"gap": "0.5 OOM"}}}})
    assert np.allclose(levels(constant, driver, 0) - levels(constant, driver), 0.5, atol=4e-6)


@pytest.mark.parametrize(
    ("actor", "said"),
    [
        ({"drivers": {"algorithms": {"closes": "30 %/year"}}}, "actors.late.drivers.algorithms.closes: closes no gap."),
        ({"drivers": {"algorithms": {"gap": "1 OOM", "closes": "100 %/year"}}},
         "actors.late.drivers.algorithms.closes: reaches 100 % of the gap within a year"),
        ({"drivers": {"algorithms": {"gap": 0.5}}}, "actors.late.drivers.algorithms.gap: does not say its unit: 0.5 what?"),
        ({"drivers": {"algorithms": {"gap": {"interval_90": [0.2, 1]}}}},
         "actors.late.drivers.algorithms.gap: does not say its unit: 0.2 to 1 what?"),
        ({"drivers": {"algorithms": {"gap": "30 %"}}}, "actors.late.drivers.algorithms.gap.unit: is a factor; of percent"),
        ({"drivers": {"compute": {"lag": "1 year"}}}, "actors.late.drivers.compute"),
        ({"lag": "-1 year"}, "actors.late.lag: must be above 0; got -1."),
        ({"drivers": {"algorithms": {"feedback": [{"at": 1e26, "multiplier": 1}, {"at": 1e30, "multiplier": 2}], "lag": "1 year"}}},
         "actors.late.drivers.algorithms.lag: stands beside feedback of algorithms, which is known from the first year"),
        ({"drivers": {"algorithms": {"growth": None, "table": {"2026": 1, "2036": 30}, "unit": "1", "lag": "1 year"}}},
         "actors.late.drivers.algorithms.table: begins in 2026; the scenario runs from 2026 and needs it from 2025."),
    ],
)  # fmt: skip
def test_what_cannot_follow_is_refused(actor: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse_scenario(json.dumps(SPEC | {"actors": {"us": {}, "late": actor}}))
    told = "\n".join(f"{fault.entry}: {fault.rule}" for fault in error.value.faults)
    assert said in told, told
