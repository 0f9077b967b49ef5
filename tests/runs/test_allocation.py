"""Who uses a stock, as tables of a run: shares whose medians are made to add up, and both readings of the largest run."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.runs.allocation import allocation_lines, allocation_table, reading_table
from simulator.runs.summary import run_tables
from simulator.testing import run_of, small_scenario


@pytest.fixture(scope="module")
def run():
    uses = {"largest-run": {"share": {"interval_90": [5, 20], "unit": "%"}}, "inference": {"share": "40 %"},
            "experiments": {"share": "rest"}}  # fmt: skip
    largest = {"product": ["1e15 FLOP/s/chip", "40 %", "100 days"]}
    return run_of(small_scenario({
        "stocks": {"chips": {"start": "1 million chip", "growth": {"interval_90": [1.8, 2.5], "unit": "x/year"}}},
        "allocation": {"chips": {"uses": uses, "largest_run": largest}},
    }))  # fmt: skip


def test_shares_of_a_year_add_up_and_amounts_are_those_of_the_run(run) -> None:
    table = allocation_table(run)
    assert set(table["use"]) == {"largest-run", "inference", "experiments"}
    years = np.unique(table["year"])
    for year in years:
        of_year = table.where(year=year)
        assert of_year["adds_up"].sum() == pytest.approx(1.0, abs=1e-12)
        assert of_year["median"].sum() == pytest.approx(1.0, abs=0.03)
    amount = np.median(10.0 ** run["trajectories/quantity_chips_largest_run"].values[:, -1].astype(float))
    last = table.where(use="largest-run", year=years[-1])
    assert last["amount"][0] == pytest.approx(amount, rel=0.01)
    assert last["unit"][0] == "chip"
    assert (last["lower_90"][0], last["upper_90"][0]) == (pytest.approx(0.05, rel=0.05), pytest.approx(0.2, rel=0.05))


def test_both_readings_of_the_largest_run_and_their_ratio_stand_by_year(run) -> None:
    table = reading_table(run)
    assert (table["lower_90"] < table["median"]).all()
    np.testing.assert_allclose(table["driven"] / table["allocated"], table["median"], rtol=0.1)
    assert set(run_tables(run)) >= {"allocation", "largest_run"}
    lines = allocation_lines(run)
    assert lines[0].split() == ["use", "year", "share", "90", "%", "amount"]
    assert lines[lines.index("") + 1].startswith("largest run of")


def test_a_run_that_shares_nothing_out_says_so() -> None:
    run = run_of(small_scenario({"samples": 4}))
    assert not allocation_table(run)
    assert "allocation" not in run_tables(run)
    with pytest.raises(InputError, match="shares out no stock"):
        allocation_lines(run)


def test_a_mixture_has_the_table_of_what_all_its_parts_share_out() -> None:
    uses = {"training": {"share": "40 %"}, "inference": {"share": "rest"}}
    data = small_scenario({"samples": 8, "stocks": {"chips": {"start": "1 chip", "growth": "2x/year"}},
                           "allocation": {"chips": {"uses": uses}}})  # fmt: skip
    parts = [{"weight": weight, "name": name, "scenario": data} for name, weight in (("one", 1), ("two", 3))]
    table = allocation_table(run_of({"schema": 2, "name": "mixed", "mixture": parts}))
    assert set(table["use"]) == {"training", "inference"}
