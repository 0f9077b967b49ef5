"""Laws of a batch: no number depends on how many samples are drawn or projected at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from simulator import load_scenario
from simulator.engine import batches
from simulator.engine.batches import Batch, compute_batch
from simulator.engine.simulation import run_plan
from simulator.errors import SimulatorError
from simulator.scenario.load import parse_scenario


def arrays_of(batch: Batch) -> dict[str, Any]:
    return {**batch.parameters, **batch.trajectories, **batch.crossings, "component": batch.component}


@pytest.mark.parametrize("name", ["baseline", "feedback", "capability", "views"])
def test_pieces_and_steps_of_any_length_give_the_same_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = run_plan(load_scenario(name, overrides=["samples=600", "block=256"]))
    whole = arrays_of(compute_batch(plan, 0, 600))
    monkeypatch.setattr(batches, "STEP", 256)
    monkeypatch.setattr(batches, "PIECE", 97 * plan.years.size)
    apart = arrays_of(compute_batch(plan, 0, 600))
    assert whole.keys() == apart.keys()
    for key, values in whole.items():
        assert values.dtype == apart[key].dtype
        assert np.array_equal(values, apart[key], equal_nan=values.dtype.kind == "f"), key


def test_the_whole_blocks_of_a_shorter_batch_are_those_of_a_longer_one() -> None:
    plan = run_plan(load_scenario("baseline", overrides=["samples=300", "block=256"]))
    short, long = arrays_of(compute_batch(plan, 0, 300)), arrays_of(compute_batch(plan, 0, 512))
    for key, values in short.items():
        assert np.array_equal(values[..., :256], long[key][..., :256]), key


SPENT = """
schema: 2
name: spent
years: {first: 2025, last: 2030}
samples: 512
block: 512
drivers:
  compute: {start: {value: 1e26, unit: FLOP}, growth: 2x/year}
  algorithms: {growth: 2x/year}
quantities:
  left:
    difference:
      - {value: 100, unit: W}
      - {median: 60, interval_90: [30, 120], unit: W}
"""


def test_an_error_speaks_of_all_samples_that_were_drawn_whatever_the_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = run_plan(parse_scenario(SPENT, file="spent.yaml"))
    with pytest.raises(SimulatorError) as whole:
        compute_batch(plan, 0, 512)
    monkeypatch.setattr(batches, "PIECE", 50 * plan.years.size)
    with pytest.raises(SimulatorError) as apart:
        compute_batch(plan, 0, 512)
    assert "is not above 0 in 1" in str(whole.value)
    assert str(apart.value) == str(whole.value)


CUSTOM = """
schema: 2
name: by-hand
years: {first: 2025, last: 2030}
samples: 200
block: 256
drivers:
  compute: {custom: {parameters: {level: {family: normal, mean: 26, sd: 1}}}}
  algorithms: {growth: 2x/year}
"""


def test_a_driver_that_is_steady_in_the_first_piece_alone_is_kept_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds in one piece of a batch is not taken to hold in the others."""
    pieces = []

    def steady_first(draws: Mapping[str, np.ndarray], years: np.ndarray) -> np.ndarray:
        level = draws["level"][:, None]
        pieces.append(level.size)
        growth = 0.0 if len(pieces) == 1 else 0.1
        return np.broadcast_to(level, (level.size, years.size)) if not growth else level + growth * (years - years[0])

    monkeypatch.setattr(batches, "PIECE", 100 * 6)
    plan = run_plan(parse_scenario(CUSTOM), {"drivers.compute": steady_first})
    batch = compute_batch(plan, 0, 200)
    assert pieces == [100, 100]
    level = batch.parameters["drivers.compute.custom.parameters.level"]
    grown = np.where(np.arange(200) < 100, 0.0, 0.1) * np.arange(6.0)[:, None]
    np.testing.assert_allclose(batch.trajectories["physical_compute"], level + grown, rtol=1e-6)


def test_levels_that_are_one_array_in_the_first_piece_alone_are_held_apart_after_it() -> None:
    held = batches._Trajectories(2, 4)
    one = np.ones((2, 2))
    held.add({"spending": one, "spending_demanded": one}, slice(0, 2))
    held.add({"spending": one, "spending_demanded": 2 * one}, slice(2, 4))
    assert held.arrays()["spending"].tolist() == [[1, 1, 1, 1]] * 2
    assert held.arrays()["spending_demanded"].tolist() == [[1, 1, 2, 2]] * 2
