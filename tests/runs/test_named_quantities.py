"""The table of the named quantities of a run."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.engine.simulation import simulate
from simulator.errors import InputError
from simulator.runs.named_quantities import quantity_lines, quantity_table
from simulator.scenario.load import load_scenario
from simulator.testing import assert_valid_run, run_of, small_scenario


def test_what_moves_has_three_years_and_what_stands_still_one_row() -> None:
    power = {"start": {"value": 2, "unit": "GW"}, "growth": "2x/year"}
    cost = {"median": 3, "interval_90": [2, 4.5], "unit": "USD"}
    run = run_of(small_scenario({"quantities": {"power": power, "cost": cost}, "samples": 4000}))
    table = quantity_table(run)
    assert [row["year"] for row in table.rows()] == [2025.0, 2030.0, 2035.0, None]
    assert table.rows()[1]["median"] == pytest.approx(2e9 * 32, rel=1e-4)
    low, high = (table.rows()[3][key] for key in ("lower", "upper"))
    assert (low, high) == pytest.approx((2, 4.5), rel=0.02)
    assert [line.split()[:3] for line in quantity_lines(table)][-1] == ["cost", "every", "3"]


def test_a_run_without_quantities_says_so() -> None:
    with pytest.raises(InputError, match="names no quantities"):
        quantity_table(run_of(small_scenario({})))


@pytest.mark.parametrize("keep", ["trajectories", "summary"])
def test_dates_of_events_are_kept_and_told_below_the_quantities(keep: str) -> None:
    """Compute starts at 1e26 and grows by a drawn rate until it is 1e29: the date is the quotient, or never comes."""
    eras = [{"rate": {"uniform": [0.2, 1.2], "unit": "OOM/year"}},
            {"from": {"when": "physical_compute", "reaches": {"value": 1e29, "unit": "FLOP"}}, "rate": "1.2x/year"}]  # fmt: skip
    changes = {"drivers.compute.growth": eras, "drivers.compute.start": "1e26 FLOP", "samples": 2000}
    run = simulate(load_scenario(small_scenario(changes)), keep=keep)
    if keep == "trajectories":
        assert_valid_run(run)
        assert run["events"].sizes == {"event": 1, "sample": 2000}
        exact = 2025 + 3 / run["parameters/drivers.compute.growth[0].rate"].values
        found = run["events/event_year"].values[0]
        np.testing.assert_allclose(found, np.where(exact > 2035, np.inf, exact), rtol=0, atol=1e-9)
    (row,) = quantity_table(run).rows()
    assert run["summary"]["event"].values.tolist() == ["drivers.compute.growth[1].from"]
    assert row["median"] == pytest.approx(2025 + 3 / 0.7, abs=0.02)
    assert (row["lower"], row["upper"]) == (pytest.approx(2025 + 3 / 1.15, abs=0.02), np.inf)
    assert quantity_lines(quantity_table(run))[-1].split()[-6:] == ["2", "2029.3", "2027.6", "to", "later", "year"]
