"""What inference is fitted to holds what was known by a date, and nothing else."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.history_frontier import published_until, top_at_release
from simulator.history_library import shipped_accelerators, shipped_runs
from simulator.history_observations import observations
from simulator.history_tables import RunHistory

END_2020 = dt.date(2020, 12, 31)


def test_arrays_are_aligned_and_end_at_the_date() -> None:
    seen = observations(shipped_runs(), shipped_accelerators(), until=END_2020)
    size = len(seen.run_names)
    assert {len(each) for each in (seen.run_year, seen.run_log_compute, seen.run_is_top, seen.cost_log_usd)} == {size}
    assert seen.run_year.max() < 2021
    assert seen.accelerator_year.max() < 2021
    assert seen.record_year.tolist() == list(range(2012, 2021))
    assert (np.diff(seen.record_log_compute) >= 0).all()
    assert np.isfinite(seen.accelerator_log_flops_per_usd).all()
    assert (np.isnan(seen.cost_year) == np.isnan(seen.cost_log_usd)).all()
    assert seen.cost_basis == "amortised, 2023 USD"


def test_what_came_later_changes_nothing() -> None:
    until = dt.date(2018, 12, 31)
    seen = observations(shipped_runs(), shipped_accelerators(), until=until)
    blind = observations(published_until(shipped_runs(), until), shipped_accelerators(), until=until)
    for name in ("run_year", "run_log_compute", "run_is_top", "cost_log_usd", "record_log_compute", "accelerator_year"):
        np.testing.assert_array_equal(getattr(seen, name), getattr(blind, name))


def test_a_longer_look_begins_with_the_shorter() -> None:
    short, long = (observations(shipped_runs(), until=dt.date(year, 12, 31)) for year in (2018, 2024))
    size = len(short.run_names)
    assert long.run_names[:size] == short.run_names
    assert long.run_is_top[:size].tolist() == short.run_is_top.tolist()
    assert long.record_log_compute[: len(short.record_year)].tolist() == short.record_log_compute.tolist()


def test_costs_that_do_not_belong_are_not_observed() -> None:
    seen = observations(shipped_runs())
    for name in ("AlphaGo Master", "AlphaZero", "DistBelief NNLM"):
        assert np.isnan(seen.cost_log_usd[seen.run_names.index(name)])
    ratio = (seen.run_log_compute - seen.cost_log_usd)[~np.isnan(seen.cost_log_usd)]
    assert ratio.size > 50
    assert ((ratio > 15.3) & (ratio < 18.7)).all()


def test_without_a_date_all_up_to_the_snapshot_is_observed() -> None:
    seen = observations(shipped_runs())
    assert seen.until == dt.date(2026, 5, 31)
    assert len(seen.run_names) == len(shipped_runs().runs)
    assert seen.accelerator_year.size == 0
    assert seen.record_year[-1] == 2025


def test_a_date_after_the_snapshot_is_taken_as_its_date() -> None:
    assert observations(shipped_runs("2025-06"), until=dt.date(2026, 1, 1)).until == dt.date(2025, 6, 30)


def test_top_is_the_rule_of_the_frontier() -> None:
    history = shipped_runs()
    for top in (3, 10):
        assert observations(history, top=top).run_is_top.tolist() == top_at_release(history, top).tolist()


def test_too_few_prices_are_refused() -> None:
    with pytest.raises(InputError, match=r"only 2 accelerators with a price are known by 2013-06-30; a trend needs 3"):
        observations(shipped_runs_of_2013(), shipped_accelerators(), until=dt.date(2013, 6, 30))


def shipped_runs_of_2013() -> RunHistory:
    history = shipped_runs()
    early = (replace(run, date=dt.date(2013, 1, 5)) if run.date.year < 2016 else run for run in history.runs)
    return replace(history, runs=tuple(early))


def test_the_frontier_begins_in_2012_however_far_back_an_export_reaches() -> None:
    old = replace(shipped_runs().runs[0], name="Theseus", date=dt.date(1950, 7, 2), log_flop=1.6, stated_rank=1)
    table = replace(shipped_runs(), runs=(old, *shipped_runs().runs))
    seen, without_it = (observations(each, shipped_accelerators(), until=END_2020) for each in (table, shipped_runs()))
    np.testing.assert_array_equal(seen.frontier.run_year, without_it.frontier.run_year)
    assert seen.record_year[0] == 2012
    reaching_back = observations(table, shipped_accelerators(), until=END_2020, since=1950)
    assert reaching_back.frontier.run_year[0] < 1951
    assert reaching_back.record_year[0] == 1950
