"""Epoch's Direct Approach of August 2023: the published quantiles, and its hardware as a driver of one's own."""

from __future__ import annotations

import numpy as np

from simulator import load_scenario, simulate
from simulator.engine.checking import check_run
from simulator.model.driver_gpu_2023 import log_flop_per_dollar
from tests.published_runs import published, results_of, run_of

FILE = "published/direct-approach-2023"


def test_every_number_of_the_source_is_a_target() -> None:
    assert run_of(FILE).attrs["samples"] == 20_000
    held = [target for target in published(FILE).targets if target.expected is not None]
    assert len({(target.quantity, target.year, target.quantile) for target in held}) == len(held) == 5 * 5 * 3


def test_the_jump_at_the_end_of_progress_is_shown() -> None:
    (jump,) = [result for result in results_of(FILE) if result.within is None]
    assert 2 < jump.value < 6


def test_a_stored_run_with_a_driver_by_name_is_run_again_bit_for_bit() -> None:
    checked = check_run(simulate(load_scenario(FILE, overrides=["samples=1024"])))
    assert checked.passed
    assert not checked.close


PARAMETERS = {
    "process-limit": np.array([1.4, 1.9, 2.5]),
    "transistors-per-core": np.array([0.9, 1.3, 2.0]),
    "cheapening": np.array([0.05, 0.1, 0.2]),
    "core-trend": np.array([0.0, 2.0, 3.0]),
}


def test_a_year_of_the_hardware_does_not_depend_on_the_other_years() -> None:
    years = np.linspace(2022.0, 2100.0, 313)
    together = log_flop_per_dollar(PARAMETERS, years)
    alone = np.concatenate([log_flop_per_dollar(PARAMETERS, years[[i]]) for i in range(years.size)], axis=1)
    np.testing.assert_array_equal(together, alone)


def test_where_hardware_stops_it_pays_for_itself_over_twelve_years_and_jumps_about_fourfold() -> None:
    levels = log_flop_per_dollar({**PARAMETERS, "cheapening": np.full(3, 1e-9)}, np.arange(2024.0, 2080.0))
    jumps = 10 ** np.diff(levels).max(axis=1)
    assert ((jumps > 2) & (jumps < 6)).all()
    np.testing.assert_allclose(levels[:, -27:], levels[:, [-1]] * np.ones(27), atol=1e-6)
