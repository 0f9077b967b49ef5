"""Limits are called by their labels; in a run that has none, by their names."""

from __future__ import annotations

from simulator import load_scenario, simulate
from simulator.runs.groups import arrays
from simulator.runs.limits import bound_limits
from simulator.testing import run_of, small_scenario


def test_limits_and_what_they_stand_on_are_called_by_their_labels() -> None:
    run = simulate(load_scenario("baseline", overrides=["samples=64"]), keep="summary")
    found = {on.subject: on for on in bound_limits(arrays(run, "summary"))}
    assert found["spending"].labels == ["company cash flow", "share of world product"]
    assert found["spending"].names == ["cash-flow", "world-product"]
    inner = found["quantity_flop_per_joule_product_1"]
    assert (inner.words, inner.labels) == ("gain in FLOP per joule", ["physics of CMOS chips"])
    assert found["physical_compute"].labels == ["training data", "electric power"]


def test_a_limit_without_a_label_keeps_its_name() -> None:
    run = run_of(small_scenario({"constraints": {"far-wall": {"limit": "1e40 FLOP"}}}))
    (on,) = bound_limits(arrays(run, "summary"))
    assert (on.words, on.labels) == ("physical compute", ["far-wall"])
    assert on.shares.values.max() == 0.0
