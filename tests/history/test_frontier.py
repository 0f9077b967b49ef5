"""The frontier is judged from the past alone, and agrees with the published ranks, records and rates."""

from __future__ import annotations

import csv
import datetime as dt
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.history.frontier import (
    frontier_lines,
    frontier_runs,
    published_until,
    rank_at_release,
    record_on,
    records_at_release,
    top_at_release,
    trend,
    within_of_record,
    without,
    year_end_records,
)
from simulator.history.loading import load_history
from simulator.history.tables import NO_DATE, HiddenRun, Report, RunHistory, TrainingRun
from tests.places import SNAPSHOTS

needs_snapshots = pytest.mark.skipif(
    not SNAPSHOTS.is_dir(), reason="the snapshots of the public databases are not beside the project"
)


def run(name: str, date: str, log_flop: float, **other: Any) -> TrainingRun:
    plain = TrainingRun(
        name=name, organisation="A Lab", domains=("Language",), date=dt.date.fromisoformat(date), day_known=True,
        log_flop=log_flop, log_cost=None, cost_basis="", confidence="confident", open_weights=None, base_model="",
        link="",
    )  # fmt: skip
    return replace(plain, **other)


def history(*runs: TrainingRun) -> RunHistory:
    return RunHistory("runs.csv", "2025-06", tuple(sorted(runs, key=lambda run: run.date)), Report(len(runs)))


SMALL = history(
    run("first", "2018-01-05", 20.0),
    run("game", "2018-06-05", 23.0, domains=("Games", "Vision")),
    run("second", "2019-01-05", 21.0),
    run("tuned", "2019-02-05", 24.0, base_model="second"),
    run("smaller twin", "2020-01-05", 22.0),
    run("larger twin", "2020-01-05", 22.5),
    run("marked", "2021-01-05", 22.50000001),
    run("later", "2025-01-05", 26.0),
)
histories = st.lists(
    st.tuples(st.dates(dt.date(2012, 1, 1), dt.date(2025, 6, 1)), st.floats(15, 27), st.booleans()), min_size=1, max_size=25
).map(lambda rows: history(*(
    run(f"run {n}", date.isoformat(), level, base_model="another" if tuned else "")
    for n, (date, level, tuned) in enumerate(rows)
)))  # fmt: skip


def names(table: RunHistory, chosen: Any) -> list[str]:
    return [run.name for run, keep in zip(table.runs, chosen, strict=True) if keep]


def test_a_rank_counts_larger_runs_up_to_the_day_and_no_run_that_continues_another() -> None:
    assert rank_at_release(SMALL).tolist() == [1, 1, 2, math.inf, 3, 2, 2, 1]
    assert rank_at_release(SMALL, same_day=False).tolist() == [1, 1, 2, math.inf, 2, 2, 2, 1]


def test_a_record_exceeds_every_earlier_run_and_those_of_its_day() -> None:
    assert names(SMALL, records_at_release(SMALL)) == ["first", "game", "later"]
    plain = without(SMALL, domains=["Games"])
    assert names(plain, records_at_release(plain)) == ["first", "second", "larger twin", "later"]


def test_within_some_oom_of_the_record_means_of_the_record_of_that_date() -> None:
    assert names(SMALL, within_of_record(SMALL, 0.5)) == ["first", "game", "larger twin", "marked", "later"]
    assert names(SMALL, within_of_record(SMALL, 0)) == ["first", "game", "later"]


def test_trailing_digits_that_mark_a_row_make_no_record() -> None:
    table = history(
        run("plain", "2024-01-05", math.log10(5e25)), run("marked", "2024-02-05", math.log10(5.0000000000001e25))
    )
    assert names(table, records_at_release(table)) == ["plain"]
    assert rank_at_release(table).tolist() == [1, 1]


@given(histories, st.integers(0, 24))
def test_what_comes_later_changes_no_rank(table: RunHistory, at: int) -> None:
    date = table.runs[min(at, len(table.runs) - 1)].date
    past = published_until(table, date)
    size = len(past.runs)
    assert table.runs[:size] == past.runs
    assert rank_at_release(table)[:size].tolist() == rank_at_release(past).tolist()
    assert records_at_release(table)[:size].tolist() == records_at_release(past).tolist()


@given(histories)
def test_ranks_are_those_of_a_count_run_by_run(table: RunHistory) -> None:
    scratch = [run for run in table.runs if not run.base_model]
    expected = [
        math.inf if run.base_model else 1 + sum(other.date <= run.date and other.log_flop > run.log_flop + 1e-4 for other in scratch)
        for run in table.runs
    ]  # fmt: skip
    assert rank_at_release(table).tolist() == expected


@given(histories)
def test_a_record_is_first_and_within_and_records_rise(table: RunHistory) -> None:
    records = records_at_release(table)
    assert not (records & ~top_at_release(table, 1)).any()
    assert not (records & ~within_of_record(table, 0)).any()
    levels = table.log_flop[records]
    assert (np.diff(levels) > 0).all()
    ends = [run.log_flop if run else -math.inf for run in year_end_records(table, last=2025).values()]
    assert ends == sorted(ends)


@given(histories, st.integers(1, 9))
def test_a_longer_list_of_the_largest_holds_the_shorter(table: RunHistory, n: int) -> None:
    assert not (top_at_release(table, n) & ~top_at_release(table, n + 1)).any()


def test_before_the_first_run_there_is_no_record() -> None:
    assert record_on(SMALL, dt.date(2017, 1, 1)) is None


def test_year_ends_stop_before_the_year_in_which_the_snapshot_was_taken() -> None:
    assert list(year_end_records(SMALL)) == list(range(2018, 2025))
    assert max(year_end_records(replace(SMALL, snapshot="2025"))) == 2025


def test_what_is_left_out_is_counted_with_its_reason() -> None:
    less = without(SMALL, domains=["games"], names={"first": "too old", "Second": "too old"})
    assert [(reason, len(names)) for reason, names in less.report.dropped.items()] == [
        ("left out: domain games", 1), ("left out: too old", 2),
    ]  # fmt: skip
    assert len(less.runs) == len(SMALL.runs) - 3


def test_runs_without_flop_are_left_out_by_name_and_by_domain() -> None:
    day = dt.date(2024, 5, 1)
    hidden = [
        HiddenRun(name, "Lab", (of,), day, 26.0, None, "") for name, of in (("secret", "Video"), ("play", "Games"))
    ]
    less = without(replace(SMALL, hidden=tuple(hidden)), names={"Secret": "a rumour"})
    assert [each.name for each in less.hidden] == ["play"]
    assert less.runs == SMALL.runs
    assert less.report.dropped["left out: a rumour"] == ("secret",)
    assert [each.name for each in without(replace(SMALL, hidden=tuple(hidden)), domains=["Games"]).hidden] == ["secret"]
    assert without(replace(SMALL, hidden=tuple(hidden)), domains=["video"]).runs == SMALL.runs


def test_a_domain_or_run_that_is_not_there_gets_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"has no domain 'Gmes'.*\n.*Did you mean 'Games'"):
        without(SMALL, domains=["Gmes"])
    with pytest.raises(InputError, match=r"has no run 'frst'.*\n.*Did you mean 'first'"):
        without(SMALL, names={"frst": "a slip"})
    with pytest.raises(InputError, match="nothing is left"):
        without(SMALL, domains=["Language", "Games"])


def test_a_stated_rank_is_taken_and_counted_again_without_larger_runs_before_it() -> None:
    stated = history(
        run("game", "2018-06-05", 23.0, domains=("Games",), stated_rank=1), run("sparse", "2019-01-05", 21.0, stated_rank=5),
        run("larger", "2020-01-05", 24.0, stated_rank=1),
    )  # fmt: skip
    assert rank_at_release(stated).tolist() == [1, 5, 1]
    assert rank_at_release(without(stated, domains=["Games"])).tolist() == [4, 1]


def test_the_trend_is_that_of_scipy() -> None:
    rng = np.random.default_rng(20261122)
    x = rng.uniform(2012, 2026, 40)
    y = 0.6 * x + rng.normal(size=40)
    fitted, expected = trend(np.append(x, 2020.0), np.append(y, np.nan)), scipy.stats.linregress(x, y)
    assert (fitted.slope, fitted.standard_error) == pytest.approx((expected.slope, expected.stderr))
    assert fitted.count == 40
    for few in (x[:2], np.array([2020.0, 2020.0, 2020.0])):
        with pytest.raises(ValueError, match="three points"):
            trend(few, few)


def test_the_list_marks_records_and_leaves_unknown_costs_open() -> None:
    lines = frontier_lines(SMALL, 1, since=2018)
    assert lines[0] == "runs.csv (snapshot 2025-06): 3 runs among the 1 largest at release, since 2018; * is a record"
    assert lines[2:5] == [
        "  2018-01-05     1      20.00*           -  first",
        "  2018-06-05     1      23.00*           -  game",
        "  2025-01-05     1      26.00*           -  later",
    ]
    assert len(lines) == 6
    assert lines[5].startswith("  compute: 4.79x a year (90 % ")


def published(name: str) -> dict[str, dict[str, str]]:
    with (SNAPSHOTS / name).open(newline="", encoding="utf-8") as stream:
        return {row["model"]: row for row in csv.DictReader(stream)}


DOUBTFUL = {
    "Wu Dao 2.0": "speculative; revised from 1.03e25 to 1.54e24 FLOP",
    "GPT-4 Turbo": "imputed from benchmarks, and in no later list of the frontier",
}


def mid_2025(*, games: bool = True) -> RunHistory:
    whole = load_history(SNAPSHOTS / "epoch_all_ml_systems_2025-06.csv", snapshot="2025-06")
    return without(whole, names=DOUBTFUL, domains=() if games else ["Games"])


@needs_snapshots
def test_ranks_of_mid_2025_are_those_published() -> None:
    # The published ranks do not count runs of the same day. Two of its runs, MCDNN and PLUG, are in the notable list alone.
    expected = published("frontier_top10_2025_06.csv")
    ranks: dict[str, tuple[float, float]] = {}
    for column, table in enumerate((mid_2025(), mid_2025(games=False))):
        for each, rank in zip(table.runs, rank_at_release(table, same_day=False), strict=True):
            if each.date.year >= 2012:
                before = ranks.get(each.name, (math.inf, math.inf))
                ranks[each.name] = (rank, before[1]) if column == 0 else (before[0], rank)
    top = {name: pair for name, pair in ranks.items() if min(pair) <= 10}
    assert set(expected) - set(top) == {"MCDNN (MNIST)", "PLUG"}
    assert set(top) <= set(expected)
    for name, (rank, alone) in top.items():
        row = expected[name]
        # AlphaGo Master's 2.0001e23 is 2e23 with a mark, and so no larger than HyperCLOVA's 2e23.
        assert rank == int(row["rank_at_release"]) - (name == "HyperCLOVA 204B")
        assert row["is_games"] == "True" or alone == int(float(row["rank_at_release_nogames"]))


@needs_snapshots
def test_counting_runs_of_the_same_day_takes_two_more_from_the_list() -> None:
    expected, found = set(published("frontier_top10_2025_06.csv")), set[str]()
    for table in (mid_2025(), mid_2025(games=False)):
        recent = published_until(table, dt.date(2025, 6, 30))
        found |= {name for name, each in zip(names(recent, top_at_release(recent)), recent.runs, strict=False) if each}
    missing = {"MCDNN (MNIST)", "PLUG", "Gemini 1.0 Pro", "ProtT5-XXL-BFD"}
    assert expected - found == missing


@needs_snapshots
@pytest.mark.parametrize(("games", "column"), [(True, "2025_06"), (False, "2025_06_nogames")])
def test_year_end_records_of_mid_2025_are_those_published(games: bool, column: str) -> None:
    with (SNAPSHOTS / "record_yearend.csv").open(newline="", encoding="utf-8") as stream:
        expected = {int(row["year"]): float(row[f"record_log10_flop_{column}"]) for row in csv.DictReader(stream)}
    records = year_end_records(mid_2025(games=games), first=2013)  # the published ones begin with runs of 2012
    assert list(records) == list(range(2013, 2025))
    for year, record in records.items():
        assert record.log_flop == pytest.approx(expected[year], abs=1e-3)


@needs_snapshots
@pytest.mark.parametrize(
    ("name", "since", "factor"),
    [("latest", 2012, 4.64), ("latest", 2018, 5.00), ("2025_06", 2018, 4.40)],
)
def test_the_rate_of_the_ten_largest_is_that_published(name: str, since: int, factor: float) -> None:
    table = load_history(SNAPSHOTS / f"frontier_top10_{name}.csv", snapshot="2026-05")
    chosen = top_at_release(table) & (table.years >= since)
    assert 10 ** trend(table.years[chosen], table.log_flop[chosen]).slope == pytest.approx(factor, abs=0.005)


def test_the_table_of_the_frontier_has_the_runs_of_its_lines() -> None:
    table = frontier_runs(SMALL, top=1, since=2018)
    lines = frontier_lines(SMALL, 1, since=2018)
    assert [line.split("  ")[-1] for line in lines if line.startswith("  20")] == table["name"].tolist()
    shipped = frontier_runs(top=5, until="2020", without_domain=["Games"])
    assert max(shipped["date"]) <= "2020-12-31"
    assert shipped["rank"].max() <= 5
    with pytest.raises(InputError, match="no domain 'Gamez'"):
        frontier_runs(without_domain=["Gamez"])


def test_rows_that_were_not_read_stand_below_the_list() -> None:
    doubted = replace(SMALL, report=SMALL.report.without(NO_DATE, ["Late ('Mar 2025')"]))
    plain, told = frontier_lines(SMALL, 1, since=2018), frontier_lines(doubted, 1, since=2018)
    assert told == [*plain, f"  note: 1 row left out: {NO_DATE}: Late ('Mar 2025')."]
