"""The table of the named quantities of a run."""

from __future__ import annotations

import pytest

from simulator.errors import InputError
from simulator.runs.named_quantities import quantity_lines, quantity_table
from simulator.testing import run_of, small_scenario


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
