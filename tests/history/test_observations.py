"""Observations are checked when they are made, and what was known at an origin never looks ahead."""

from __future__ import annotations

import datetime as dt
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.history.frontier import published_until, top_at_release
from simulator.history.loading import load_history, shipped_accelerators, shipped_runs
from simulator.history.observations import known_at, observations, refuse_stale
from simulator.history.tables import HiddenRun, RunHistory
from tests.history.made_up_history import FIVE_RUNS

OBSERVED = replace(
    FIVE_RUNS,
    run_year=np.array([2015.2, 2016.5, 2017.9, 2018.0, 2019.999]),
    record_year=np.arange(2015, 2020),
    record_log_compute=FIVE_RUNS.run_log_compute,
    snapshot="2026-05",
)


@given(origin=st.integers(2016, 2019))
def test_nothing_later_than_the_origin_is_known(origin):
    known = known_at(OBSERVED, origin + 1.0)
    assert (known.run == (OBSERVED.run_year < origin + 1)).all()
    assert not known.cost[~known.run].any()
    assert (OBSERVED.accelerator_year[known.accelerator] < origin + 1).all()
    assert known.record == OBSERVED.record_log_compute[origin - 2015]


def test_unknown_costs_and_accelerators_before_the_first_run_are_left_out():
    known = known_at(OBSERVED, 2019 + 1.0)
    assert known.cost.tolist() == [True, False, True, False, True]
    assert known.accelerator.tolist() == [False, True, True]


def test_observations_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        OBSERVED.snapshot = "other"
    with pytest.raises(ValueError, match="read-only"):
        OBSERVED.run_year[0] = 2000.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"run_log_compute": np.array([1.0])}, r"run_log_compute: must be as long as run_year \(5\); got 1"),
        ({"accelerator_year": np.array([2014.9, np.nan, 2018.4])}, "accelerator_year: must be a row of finite numbers"),
        ({"cost_log_usd": np.array([5.0, np.inf, 5.6, 5.5, 6.4])}, "cost_log_usd: must be a row of finite numbers"),
        (
            {"record_year": np.array([2015, 2016, 2018, 2019, 2020])},
            "record_year: must hold whole years that rise by 1",
        ),
        ({"record_log_compute": np.array([20.5, 21.0, 20.8, 21.9, 23.0])}, "record_log_compute: must never fall"),
        ({"record_year": [], "record_log_compute": []}, "must not be empty"),
    ],
)
def test_faults_name_the_snapshot_the_entry_and_the_rule(change, said):
    with pytest.raises(InputError, match=f"2026-05: .*{said}"):
        replace(OBSERVED, **change)


def test_an_origin_outside_the_record_is_refused_with_the_years_that_there_are():
    with pytest.raises(
        InputError, match="the end of 2025: must be a date with a known record, the end of 2015 to the end of 2019"
    ):
        known_at(OBSERVED, 2025 + 1.0)


def test_an_origin_with_one_run_is_refused():
    with pytest.raises(InputError, match="at least two runs must be known by then; got 1"):
        known_at(OBSERVED, 2015 + 1.0)


END_2020 = dt.date(2020, 12, 31)


def test_arrays_are_aligned_and_end_at_the_date() -> None:
    seen = observations(shipped_runs(), shipped_accelerators(), until=END_2020)
    size = len(seen.run_name)
    assert {len(each) for each in (seen.run_year, seen.run_log_compute, seen.cost_log_usd)} == {size}
    assert seen.run_year.max() < 2021
    assert seen.accelerator_year.max() < 2021
    assert seen.record_year.tolist() == list(range(2012, 2021))
    assert (np.diff(seen.record_log_compute) >= 0).all()
    assert np.isfinite(seen.accelerator_log_flops_per_usd).all()


def test_what_came_later_changes_nothing() -> None:
    until = dt.date(2018, 12, 31)
    seen = observations(shipped_runs(), shipped_accelerators(), until=until)
    blind = observations(published_until(shipped_runs(), until), shipped_accelerators(), until=until)
    for name in ("run_year", "run_log_compute", "run_name", "cost_log_usd", "record_log_compute", "accelerator_year"):
        np.testing.assert_array_equal(getattr(seen, name), getattr(blind, name))


def test_a_longer_look_begins_with_the_shorter() -> None:
    short, long = (observations(shipped_runs(), until=dt.date(year, 12, 31)) for year in (2018, 2024))
    assert long.run_name[: len(short.run_name)] == short.run_name
    assert long.record_log_compute[: len(short.record_year)].tolist() == short.record_log_compute.tolist()


def test_costs_that_do_not_belong_are_not_observed() -> None:
    seen = observations(shipped_runs(), top=1000)
    for name in ("AlphaGo Master", "AlphaZero", "DistBelief NNLM"):
        assert np.isnan(seen.cost_log_usd[seen.run_name.index(name)])
    ratio = (seen.run_log_compute - seen.cost_log_usd)[~np.isnan(seen.cost_log_usd)]
    assert ratio.size > 50
    assert ((ratio > 15.3) & (ratio < 18.7)).all()


def test_without_a_date_all_up_to_the_snapshot_is_observed() -> None:
    seen = observations(shipped_runs())
    assert seen.run_year.max() > 2025
    assert seen.accelerator_year.size == 0
    assert seen.record_year[-1] == 2025


def test_a_date_after_the_snapshot_is_taken_as_its_date() -> None:
    late, at_end = (
        observations(shipped_runs("2025-06"), until=day) for day in (dt.date(2026, 1, 1), dt.date(2025, 6, 30))
    )
    assert late.record_year[-1] == at_end.record_year[-1] == 2024
    assert late.run_name == at_end.run_name


def test_top_is_the_rule_of_the_frontier() -> None:
    history = shipped_runs()
    for top in (3, 10):
        is_top = top_at_release(history, top) & (history.years >= 2012)
        chosen = [run.name for run, kept in zip(history.runs, is_top, strict=True) if kept]
        assert list(observations(history, top=top).run_name) == chosen


def test_too_few_prices_are_refused() -> None:
    with pytest.raises(InputError, match=r"only 2 accelerators with a price are known by 2013-06-30; a trend needs 3"):
        observations(shipped_runs_of_2013(), shipped_accelerators(), until=dt.date(2013, 6, 30))


def shipped_runs_of_2013() -> RunHistory:
    history = shipped_runs()
    early = (replace(run, date=dt.date(2013, 1, 5)) if run.date.year < 2016 else run for run in history.runs)
    return replace(history, rows=tuple(early))


def test_the_frontier_begins_in_2012_however_far_back_an_export_reaches() -> None:
    old = replace(shipped_runs().runs[0], name="Theseus", date=dt.date(1950, 7, 2), log_flop=1.6, stated_rank=1)
    table = replace(shipped_runs(), rows=(old, *shipped_runs().runs))
    seen, without_it = (observations(each, shipped_accelerators(), until=END_2020) for each in (table, shipped_runs()))
    np.testing.assert_array_equal(seen.run_year, without_it.run_year)
    assert seen.record_year[0] == 2012
    reaching_back = observations(table, shipped_accelerators(), until=END_2020, since=1950)
    assert reaching_back.run_year[0] < 1951
    assert reaching_back.record_year[0] == 1950


def test_of_the_runs_of_a_maker_domain_and_year_the_largest_that_was_known_counts():
    """A larger run of the same year counts from its own day on, and the smaller one until then."""
    seen = replace(
        OBSERVED,
        run_year=np.array([2018.2, 2018.6, 2018.3, 2018.8, 2019.1]),
        run_maker=("A", "A", "A", "B", "A"),
        run_domain=("Games", "Games", "Language", "Games", "Games"),
    )
    assert known_at(seen, 2018.75).run.tolist() == [False, True, True, False, False]
    assert known_at(seen).run.tolist() == [False, True, True, True, True]
    assert known_at(seen, 2018.5).run.tolist() == [True, False, True, False, False]


def test_runs_whose_maker_nobody_says_are_each_of_their_own(tmp_path):
    """A table of names, dates and FLOP counted one run a year."""
    file, dates = tmp_path / "runs.csv", [f"{year}-{month:02}-01" for year in range(2019, 2025) for month in (2, 5, 8)]
    rows = [f"{date},{10 ** (21 + place / 4):g},5e6,run {place}" for place, date in enumerate(dates)]
    file.write_text("\n".join(["date,value,cost_usd,label", *rows]))
    seen = observations(load_history(file, snapshot="2024"))
    assert seen.run_year.size == known_at(seen).run.sum() == 18


def test_a_table_whose_newest_runs_have_no_flop_is_not_stale_where_something_is_known_of_them() -> None:
    known, day = published_until(shipped_runs(), dt.date(2022, 12, 31)), dt.date(2025, 6, 30)

    def later(least: float | None) -> RunHistory:
        dates = (dt.date(year, month, 1) for year in (2023, 2024, 2025) for month in (1, 3, 5))
        return replace(known, hidden=tuple(HiddenRun("a", "Lab", (), date, least, None, "") for date in dates))

    refuse_stale(later(25.0), day)
    for stale in (later(None), known):
        with pytest.raises(InputError, match=r"ends on 2022-04-04 .* 3\.2 years before"):
            refuse_stale(stale, day)
