"""The shipped history: small, sourced, and close to what the whole database says."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from simulator.history_frontier import record_on, top_at_release, trend, without, year_end_records
from simulator.history_library import DOUBTFUL_IN_2025_06, history_file, shipped_accelerators, shipped_runs
from simulator.history_tables import RunHistory

SNAPSHOTS = Path(__file__).parents[2] / "shared" / "data"
needs_snapshots = pytest.mark.skipif(
    not SNAPSHOTS.is_dir(), reason="the snapshots of the public databases are not beside the project"
)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def rate(history: RunHistory, since: int) -> float:
    chosen = top_at_release(history) & (history.years >= since)
    return 10 ** trend(history.years[chosen], history.log_flop[chosen]).slope


def test_the_tables_are_small_and_every_row_has_a_source() -> None:
    for name, most in (("training-runs", 80), ("accelerators", 40)):
        table = rows(history_file(name))
        assert 0 < len(table) <= most
        assert all(row["source"].endswith((")", "2025-11", "counts")) and row["name"] and row["date"] for row in table)


def test_nothing_shipped_is_dropped_when_it_is_loaded() -> None:
    assert shipped_runs().report.dropped == shipped_accelerators().report.dropped == ()
    assert [each.reason for each in shipped_runs("2025-06").report.dropped] == ["training compute unknown"]


def test_revisions_are_kept_beside_the_newest_estimates() -> None:
    newest, earlier = ({run.name: run for run in shipped_runs(date).runs} for date in ("2026-05", "2025-06"))
    revised = {name: round(newest[name].log_flop - run.log_flop, 2) for name, run in earlier.items()}
    assert {name: by for name, by in revised.items() if abs(by) > 0.1} == {
        "AlphaGo Zero": -2.72, "AlphaGo Master": -2.77, "AlphaZero": -2.54, "AlphaStar": 0.26, "Wu Dao 2.0": -0.82,
        "Grok 3": -0.12, "GPT-4.5": 0.26,
    }  # fmt: skip
    assert set(newest) - set(earlier) >= {"Grok 4", "Grover-Mega"}


def test_a_cost_of_an_earlier_estimate_belongs_to_that_estimate() -> None:
    zero = next(run for run in shipped_runs("2025-06").runs if run.name == "AlphaGo Zero")
    assert zero.log_cost is None or zero.cost_consistent


def test_the_rate_of_the_shipped_sample_is_close_to_that_of_the_whole_frontier() -> None:
    # The whole: 4.64x a year since 2012 [4.43, 4.86] and 5.00x since 2018 [4.61, 5.42].
    assert 4.43 < rate(shipped_runs(), 2012) < 4.86
    assert 4.61 < rate(shipped_runs(), 2018) < 5.42


def test_the_record_at_the_end_of_2025_is_grok_4() -> None:
    last = year_end_records(shipped_runs())[-1]
    assert (last.date.year, last.name, round(last.log_flop, 2)) == (2025, "Grok 4", 26.70)


@needs_snapshots
def test_the_shipped_runs_are_those_that_the_rule_takes() -> None:
    table = rows(SNAPSHOTS / "frontier_top10_latest.csv")
    best = {n: min(int(float(row[key])) for key in ("rank_at_release", "rank_at_release_nogames") if row[key])
            for n, row in enumerate(table)}  # fmt: skip
    chosen = [row for n, row in enumerate(table) if best[n] <= (5 if row["confidence"] != "Speculative" else 1)]
    largest: dict[tuple[str, str], float] = {}
    for row in chosen:
        release = row["publication_date"], row["organization"]
        largest[release] = max(largest.get(release, 0.0), float(row["training_flop"]))
    expected = {
        row["model"].removesuffix(" (Mar 2023)") for row in chosen
        if float(row["training_flop"]) == largest[row["publication_date"], row["organization"]]
    }  # fmt: skip
    same_run = {"GPT-3.5"}  # a second row of GPT-3.5 (davinci-002)
    shown = {"Transformer", "GPT-1"}
    games = {"Libratus", "AlphaGo Master", "AlphaZero", "OpenAI Five Rerun"}
    assert {run.name for run in shipped_runs().runs} == (expected - same_run) | shown | games


@needs_snapshots
def test_the_shipped_records_are_those_of_the_whole_database() -> None:
    expected = {int(row["year"]): row for row in rows(SNAPSHOTS / "record_yearend.csv")}
    earlier = without(shipped_runs("2025-06"), names={"Wu Dao 2.0": DOUBTFUL_IN_2025_06["Wu Dao 2.0"]})
    for table, column in (
        (shipped_runs(), "latest"),
        (without(shipped_runs(), domains=["Games"]), "latest_nogames"),
    ):
        for record in year_end_records(table):
            assert record.log_flop == pytest.approx(
                float(expected[record.date.year][f"record_log10_flop_{column}"]), abs=1e-3
            )
    missing = {2021, 2022}  # ERNIE 3.0 Titan and GPT-3.5 of mid-2025 are not among the landmarks
    for record in year_end_records(earlier):
        if record.date.year not in missing:
            known = float(expected[record.date.year]["record_log10_flop_2025_06"])
            assert record.log_flop == pytest.approx(known, abs=1e-3)


@needs_snapshots
def test_ranks_without_games_are_those_of_the_whole_database() -> None:
    expected = {row["model"]: row for row in rows(SNAPSHOTS / "frontier_top10_latest.csv")}
    for run in without(shipped_runs(), domains=["Games"]).runs:
        if run.name in expected:
            assert run.stated_rank == int(float(expected[run.name]["rank_at_release_nogames"])), run.name


@needs_snapshots
def test_shipped_accelerators_improve_as_fast_as_was_published() -> None:
    # 0.160 OOM a year [0.133, 0.188] among accelerators since 2012 that were not made for one market.
    hardware = shipped_accelerators()
    chosen = [
        n for n, each in enumerate(hardware.accelerators) if each.date.year >= 2012 and "HGX H20" not in each.name
    ]
    line = trend(hardware.years[chosen], hardware.log_flops_per_usd[chosen])
    assert line.slope == pytest.approx(0.160, abs=0.001)
    assert line.interval_90 == pytest.approx((0.133, 0.188), abs=0.003)


def test_a_record_is_found_on_a_day() -> None:
    history = shipped_runs()
    gpt4 = next(run for run in history.runs if run.name == "GPT-4")
    assert record_on(history, gpt4.date).name == "GPT-4"
