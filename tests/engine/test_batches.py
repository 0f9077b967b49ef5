"""Laws of a batch: no number depends on how many samples are drawn or projected at once."""

from __future__ import annotations

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


def test_a_batch_of_fewer_samples_is_the_beginning_of_a_longer_one() -> None:
    plan = run_plan(load_scenario("baseline", overrides=["samples=300", "block=256"]))
    short, long = arrays_of(compute_batch(plan, 0, 300)), arrays_of(compute_batch(plan, 0, 512))
    for key, values in short.items():
        assert np.array_equal(values, long[key][..., :300]), key


SPENT = """
schema: 1
name: spent
years: {first: 2025, last: 2030}
samples: 512
block: 512
drivers:
  compute: {start: {value: 1e26, unit: FLOP}, growth: 2}
  algorithms: {growth: 2}
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
