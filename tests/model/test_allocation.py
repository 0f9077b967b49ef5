"""Shares of a stock add up to 1 in every sample, whatever rule makes them do so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import parse_scenario
from simulator.errors import SimulatorError
from simulator.model.allocation import above_floors
from simulator.model.projection import Projection, year_grid
from simulator.priors.draws import draw_blocks
from simulator.testing import run_of, scenario_text, small_scenario

STOCK = {"chips": {"start": "1 million chip", "growth": "2x/year"}}
DRAWN = {"interval_90": [10, 40], "unit": "%"}


def shares(uses: dict[str, Any], *, samples: int = 64, times: Any = None, **stated: Any) -> np.ndarray:
    """Compute the shares of a stock in full precision, (use, sample, time)."""
    allocation = {"chips": {"uses": uses, **({"scaled": True} if stated.pop("scaled", False) else {})}}
    data = {"stocks": STOCK, "samples": samples, "allocation": allocation, **stated}
    scenario = parse_scenario(scenario_text(small_scenario(data)))
    years = year_grid(scenario.spec)
    draws = draw_blocks(scenario.joint, seed=1, blocks=range(1), size=samples, design="random", samples=samples)
    projection = Projection(scenario.spec, years=years, custom={})
    levels = projection.named_levels(
        projection.block(draws), {f"chips-{use}-share": years if times is None else times for use in uses}
    )
    return 10 ** np.stack(np.broadcast_arrays(*(levels[f"chips-{use}-share"] for use in uses)))


@pytest.mark.parametrize(
    "uses",
    [
        {"training": {"share": DRAWN}, "inference": {"share": "30 %"}, "idle": {"share": "rest"}},
        {"training": {"shares": {"2026": DRAWN, "2030": "20 %", "2032-07": DRAWN}}, "inference": {"share": "rest"}},
        {"training": {"share": DRAWN}, "inference": {"shares": {"2027": "40 %", "2034": DRAWN}}, "scaled": True},
        {"training": {"share": DRAWN}, "inference": {"share": DRAWN, "floor": {"product": ["chips", "45 %"]}},
         "idle": {"share": "rest"}},
        {"training": {"share": DRAWN, "floor": {"product": ["chips", "35 %"]}}, "experiments": {"share": DRAWN},
         "inference": {"share": DRAWN, "floor": {"start": "3e5 chip", "growth": "2.05x/year"}}, "scaled": True},
    ],
)  # fmt: skip
def test_shares_add_up_in_every_sample(uses: dict[str, Any]) -> None:
    scaled = uses.pop("scaled", False)
    found = shares(uses, scaled=scaled)
    assert (found > 0).all()
    np.testing.assert_allclose(found.sum(axis=0), 1.0, rtol=0, atol=1e-12)
    uses["scaled"] = scaled


@pytest.mark.parametrize("share", ["rest", "100 %"])
def test_one_user_has_it_all(share: str) -> None:
    assert (shares({"training": {"share": share}}, samples=3) == 1.0).all()
    levels = run_of(small_scenario({
        "stocks": STOCK, "samples": 3, "allocation": {"chips": {"uses": {"training": {"share": share}}}}
    }))["trajectories"]  # fmt: skip
    np.testing.assert_array_equal(levels["quantity_chips_training"].values, levels["quantity_chips"].values)


def test_shares_are_straight_between_dates_and_constant_beyond() -> None:
    uses = {"training": {"shares": {"2026": "40 %", "2030": "20 %"}}, "inference": {"share": "rest"}}
    found = shares(uses, samples=1, times=np.array([2025.0, 2026, 2027, 2029.5, 2030, 2035]))
    np.testing.assert_allclose(found[0, 0], [0.4, 0.4, 0.35, 0.225, 0.2, 0.2], rtol=1e-12)


def test_scaled_shares_are_divided_by_their_sum() -> None:
    uses = {"training": {"share": DRAWN}, "inference": {"share": {**DRAWN, "interval_90": [30, 60]}}}
    apart = [shares({"training": {"share": each["share"]}, "rest": {"share": "rest"}})[0] for each in uses.values()]
    both = shares(uses, scaled=True)
    assert both[0, :, 0].std() > 0.05
    np.testing.assert_allclose(both[0] + both[1], 1.0, atol=1e-12)
    assert both[0].mean() == pytest.approx(float((apart[0] / (apart[0] + apart[1])).mean()), abs=0.05)


def test_a_floor_that_grows_with_revenue_lifts_a_share_and_the_others_give_way() -> None:
    """Revenue grows 3x a year, the stock 2x: from 10 % of it the floor reaches 20 % after log 2 / log 1.5 years."""
    uses = {"inference": {"share": "20 %", "floor": {"ratio": ["revenue", "$10000/chip/year"]}},
            "training": {"share": "60 %"}, "experiments": {"share": "rest"}}  # fmt: skip
    times = np.array([2025.0, 2026, 2027, 2028])
    found = shares(uses, samples=1, times=times,
                   quantities={"revenue": {"start": "$1 billion/year", "growth": "3x/year"}})  # fmt: skip
    inference = np.maximum(0.2, 0.1 * 1.5 ** (times - 2025))
    np.testing.assert_allclose(found[0, 0], inference, rtol=1e-12)
    np.testing.assert_allclose(found[1, 0], 0.75 * (1 - inference), rtol=1e-12)


@given(st.lists(st.tuples(st.floats(0.01, 1), st.floats(0, 0.19)), min_size=1, max_size=5))
def test_floors_hold_and_who_is_above_keeps_the_proportion(stated: list[tuple[float, float]]) -> None:
    share, floor = (np.array(each) for each in zip(*stated, strict=True))
    share = share / share.sum()
    lifted = above_floors(share, floor)
    assert lifted.sum() == pytest.approx(1.0, abs=1e-12)
    assert (lifted >= floor - 1e-15).all()
    free = lifted > floor
    if free.any():
        np.testing.assert_allclose(lifted[free] / share[free], (lifted[free] / share[free])[0], rtol=1e-9)
        assert (lifted[free] <= share[free] + 1e-12).all()


@pytest.mark.parametrize("floor", ["600000 chip", {"value": 0.6, "unit": "million chip"}])
def test_a_floor_may_be_a_bare_amount(floor: Any) -> None:
    """Of a stock of 1, 2, 4 million it is 60 % in the first year, and then less than the share."""
    of_inference = shares({"inference": {"share": "40 %", "floor": floor}, "idle": {"share": "rest"}})[0, 0, :3]
    assert of_inference == pytest.approx([0.6, 0.4, 0.4], abs=1e-12)


def test_what_leaves_nothing_is_refused_with_the_samples_and_what_entered_them() -> None:
    uses = {"training": {"share": {"interval_90": [10, 95], "unit": "%"}}, "inference": {"share": "20 %"},
            "idle": {"share": "rest"}}  # fmt: skip
    with pytest.raises(SimulatorError, match=r"allocation\.chips: the shares leave nothing for idle in \d+ % of the "
                       r"samples, first in 2025\. In them allocation\.chips\.uses\.training\.share is high"):  # fmt: skip
        shares(uses)
    floor = {"product": ["chips", {"interval_90": [50, 120], "unit": "%"}]}
    with pytest.raises(SimulatorError, match=r"floors are more than the whole in \d+ % of the samples"):
        shares({"inference": {"share": "20 %", "floor": floor}, "training": {"share": "rest"}})


def test_an_allocation_moves_no_draws_and_its_uses_are_quantities_for_limits_and_thresholds() -> None:
    uses = {"largest-run": {"share": DRAWN}, "rest": {"share": "rest"}}
    run = {"product": ["1e15 FLOP/s/chip", "40 %", "100 days"]}
    use = {
        "stocks": STOCK, "allocation": {"chips": {"uses": uses, "largest_run": run}}, "samples": 40,
        "constraints": {"chips": {"limit": "chips-largest-run-compute"}},
        "thresholds": {"half-a-million": {"quantity": "chips-largest-run", "level": "500_000 chip"}},
    }  # fmt: skip
    without, found = run_of(small_scenario({"samples": 40})), run_of(small_scenario(use))
    for name in without["parameters"].data_vars:
        np.testing.assert_array_equal(found["parameters"][name].values, without["parameters"][name].values)
    levels = found["trajectories"]
    share = 10.0 ** found["parameters/allocation.chips.uses.largest-run.share"].values[:, None]
    years = np.arange(levels["year"].size)
    made = 1e6 * 2.0**years * share * 0.4e15 * 100 * 86400
    np.testing.assert_allclose(10.0 ** levels["constraint_chips"].values, made, rtol=1e-5)
    crossed = found["crossings/crossing_year"].values.ravel()
    np.testing.assert_allclose(
        crossed - levels["year"].values[0], np.maximum(np.log2(0.5 / share[:, 0]), 0.0), atol=1e-3
    )


def test_a_driver_is_the_largest_run_of_an_allocation_or_is_held_against_it() -> None:
    uses = {"largest-run": {"share": "10 %"}, "rest": {"share": "rest"}}
    run = {"product": ["1e15 FLOP/s/chip", "40 %", "100 days"]}
    stated = {"stocks": STOCK, "allocation": {"chips": {"uses": uses, "largest_run": run}}, "samples": 1}
    made = 1e6 * 0.1 * 0.4e15 * 100 * 86400 * 2.0 ** np.arange(11)
    drivers = {"spending": None, "hardware": None, "compute": {"level": "chips-largest-run-compute"}}
    driven = run_of(small_scenario({**stated, "drivers": drivers}))
    np.testing.assert_allclose(10.0 ** driven["trajectories/physical_compute"].values[0], made, rtol=1e-5)
    assert not [name for name in driven["trajectories"].data_vars if str(name).endswith("_ratio")]
    drivers = {**drivers, "compute": {"start": "2e26 FLOP", "growth": "4x/year"}}
    beside = run_of(small_scenario({**stated, "drivers": drivers}))
    ratio = 10.0 ** beside["trajectories/quantity_chips_largest_run_ratio"].values[0]
    np.testing.assert_allclose(ratio, 2e26 * 4.0 ** np.arange(11) / made, rtol=1e-5)
    told = [line for line in beside.attrs["warnings"].splitlines() if "two readings" in line]
    assert len(told) == 1
    assert f"{ratio[0]:.2g} times" in told[0]
    assert f"{ratio[-1]:.2g} times" in told[0]


def test_an_actor_may_have_shares_of_its_own() -> None:
    uses = {"largest-run": {"share": "10 %"}, "others": {"share": "rest"}}
    run = {"product": ["1e15 FLOP/s/chip", "40 %", "100 days"]}
    half = {"chips": {"uses": {"largest-run": {"share": "5 %"}}}}
    found = run_of(small_scenario({
        "stocks": STOCK, "allocation": {"chips": {"uses": uses, "largest_run": run}}, "samples": 2,
        "drivers": {"spending": None, "hardware": None, "compute": {"level": "chips-largest-run-compute"}},
        "actors": {"one": {}, "other": {"allocation": half}},
    }))  # fmt: skip
    one, other = (
        10.0 ** found["actors/physical_compute"].sel(actor=name).values.astype(float) for name in ("one", "other")
    )
    np.testing.assert_allclose(other, one / 2, rtol=1e-5)
