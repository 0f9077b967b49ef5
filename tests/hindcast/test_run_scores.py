"""A run is scored against what came after it: values worked out by hand, what is left out, what is refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from simulator import freeze_forecast, load_scenario, simulate
from simulator.errors import InputError
from simulator.hindcast.run_scores import score_run
from simulator.hindcast.scores import crps, log_score
from simulator.history.loading import load_history
from simulator.wording import share_text
from tests.columns import unsaid
from tests.hindcast.small_history import CHANGES, TABLE


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    file = tmp_path_factory.mktemp("observed") / "runs.csv"
    file.write_text(TABLE)
    return load_history(file, snapshot="2028-02")


@pytest.fixture(scope="module")
def run():
    return simulate(load_scenario("baseline-2025", overrides=CHANGES))


@pytest.fixture(scope="module")
def score(run, history):
    return score_run(run, history)


def rows_of(score, quantity):
    return {row["target"]: row for row in score.scores.where(quantity=quantity).rows()}


def test_the_record_of_each_year_end_that_has_come_and_of_the_last_day_is_scored(score, run):
    rows = rows_of(score, "physical_compute")
    assert list(rows) == ["2025-12-31", "2026-12-31", "2027-12-31", "2028-02-29"]
    assert [row["observed"] for row in rows.values()] == pytest.approx(np.log10([3e26, 1e27, 4e27, 4e27]))
    before, after = (run["trajectories/physical_compute"].sel(year=year).values for year in (2028.0, 2029.0))
    assert rows["2028-02-29"]["median"] == pytest.approx(np.median(before + 60 / 366 * (after - before)))


def test_scores_are_those_of_the_samples_at_the_end_of_the_year(score, run):
    row = rows_of(score, "physical_compute")["2026-12-31"]
    draws = run["trajectories/physical_compute"].sel(year=2027.0).values.astype(float)
    assert row["crps"] == pytest.approx(float(crps(draws, 27.0)))
    assert row["log_score"] == pytest.approx(float(log_score(draws, 27.0)))
    assert row["error"] == pytest.approx(np.median(draws) - 27.0)
    assert row["pit"] == pytest.approx(np.mean(draws < 27.0))
    assert row["inside_90"] == (row["low"] <= 27.0 <= row["high"])


def test_a_cost_is_scored_where_that_of_the_largest_run_is_known(score):
    rows = rows_of(score, "spending")
    assert list(rows) == ["2025-12-31", "2026-12-31"]
    assert rows["2026-12-31"]["observed"] == pytest.approx(np.log10(9e8))
    assert any("no cost" in note and "2027 (d)" in note for note in score.notes)


def test_what_the_priors_knew_is_in_sample(score, run, history):
    assert score.known_to == dt.date(2026, 11, 30)
    assert [row["in_sample"] for row in rows_of(score, "physical_compute").values()] == [True, False, False, False]
    early = run.copy()
    early.attrs["scenario"] = '{"drivers": {"median": 2}}'
    found = score_run(early, history)
    assert found.known_to is None
    assert not any(row["in_sample"] for row in found.scores.rows())
    assert any("no prior of the run states as_of" in note for note in found.notes)


def test_only_what_came_after_the_day_is_counted(run, history):
    found = score_run(run, history, after=dt.date(2026, 12, 31))
    assert {row["target"] for row in found.scores.rows()} == {"2027-12-31", "2028-02-29"}


def test_thresholds_are_scored_by_what_came(run, history):
    changes = [
        *CHANGES,
        "thresholds.big={physical_compute: 5e26}",
        "thresholds.passed={physical_compute: 1e25}",
        "thresholds.vague={physical_compute: {median: 1e28, interval_90: [1e27, 1e29]}}",
        "thresholds.late={physical_compute: 1e28, delay: 1 year}",
        "thresholds.billion={spending: 1e9}",
    ]
    found = score_run(simulate(load_scenario("baseline-2025", overrides=changes)), history)
    big = rows_of(found, "crossing big")
    assert [row["observed"] for row in big.values()] == [0.0, 1.0, 1.0, 1.0]
    for row in big.values():
        assert row["brier"] == pytest.approx((row["probability"] - row["observed"]) ** 2)
    # The cost of the largest run of 2027 is not known, but that of another run reached the threshold.
    assert [row["observed"] for row in rows_of(found, "crossing billion").values()] == [0.0, 0.0, 1.0, 1.0]
    assert "crossing passed" not in {row["quantity"] for row in found.scores.rows()}
    said = "\n".join(found.notes)
    for words in ("passed: crossed by", "vague: the level is uncertain", "late: a delay", "gpt-4", "nobody observes"):
        assert words in said


def test_a_summary_is_scored_by_its_quantiles(run, history, score):
    counted = simulate(load_scenario("baseline-2025", overrides=CHANGES), keep="summary")
    found = score_run(counted, history)
    assert [(row["quantity"], row["target"]) for row in found.scores.rows()] == [
        (row["quantity"], row["target"]) for row in score.scores.rows()
    ]
    for mine, theirs in zip(found.scores.rows(), score.scores.rows(), strict=True):
        assert mine["log_score"] is None
        if mine["brier"] is not None:
            assert mine["brier"] == pytest.approx(theirs["brier"], abs=0.02)  # in its years it is the same
        else:
            assert mine["crps"] == pytest.approx(theirs["crps"], abs=0.01)
            assert mine["pit"] == pytest.approx(theirs["pit"], abs=0.02)
            assert mine["interval_score"] == pytest.approx(theirs["interval_score"], abs=0.005)
    assert any("kept its summary only" in note for note in found.notes)


def test_a_run_without_spread_is_scored_by_its_error(history):
    found = score_run(simulate(load_scenario("essay-2023")), history, after=dt.date(2025, 1, 1))
    for row in rows_of(found, "physical_compute").values():
        assert row["crps"] == pytest.approx(abs(row["error"]))
        assert row["log_score"] is None


def test_costs_in_other_dollars_are_left_out(run, history):
    nominal = run.copy()
    nominal.attrs["dollars"] = "nominal"
    found = score_run(nominal, history)
    assert not rows_of(found, "spending")
    assert not [row for row in found.scores.rows() if "dollar-run" in row["quantity"]]
    assert any("nominal dollars, the cost in those of 2023" in note for note in found.notes)


def test_nothing_after_the_start_is_refused_with_both_ends(run, history):
    old = replace(history, rows=history.runs[:2], snapshot="2025-06")
    with pytest.raises(InputError, match=r"observations go up to 2025-06-30 .*the run forecasts 2025\.5 to 2030"):
        score_run(run, old)


def test_a_table_that_ends_years_before_its_snapshot_is_refused(run, history):
    with pytest.raises(InputError, match=r"ends on 2023-03-15 with a, 5\.0 years before"):
        score_run(run, replace(history, rows=history.runs[:1]))


def test_a_run_without_physical_compute_or_in_another_unit_is_refused(run, history):
    bare = run.copy()
    bare["summary"] = bare["summary"].to_dataset().drop_vars("physical_compute")
    with pytest.raises(InputError, match="has no physical_compute"):
        score_run(bare, history)
    other = run.copy(deep=True)
    other["summary"]["physical_compute"].attrs["units"] = "log10(FLOP/s)"
    with pytest.raises(InputError, match=r"is in log10\(FLOP/s\); observations are in log10\(FLOP\)"):
        score_run(other, history)


def test_the_lines_say_how_many_years_there_are_and_mark_what_is_in_sample(score):
    lines = score.lines()
    assert lines[1] == "  4 DISTINCT DATES, 3 of them after what its priors knew"
    assert sum(line.endswith("in sample") for line in lines) == sum(row["in_sample"] for row in score.scores.rows())
    assert any(line.startswith("  mean of 3 forecasts: CRPS") for line in lines)
    events = [row for row in score.scores.rows() if row["brier"] is not None]
    for row in events:
        told = share_text(row["probability"], score.samples)
        assert any(f" {row['target'].removesuffix('-12-31')} " in line and f" {told} " in line for line in lines)
    assert any("< 0." in line for line in lines)  # what no sample crosses is bounded
    for in_sample, said in ((False, "forecasts"), (True, "in sample")):
        mine = [row["brier"] for row in events if row["in_sample"] == in_sample]
        assert f"  mean of {len(mine)} {said}: Brier {np.mean(mine):.3f}" in lines


def test_a_run_is_scored_by_its_path(score, run, history, tmp_path):
    assert score_run(run.save(tmp_path), history).lines() == score.lines()
    assert unsaid(score.tables()) == []


def test_a_frozen_forecast_is_scored_as_the_summary_of_its_run(history, tmp_path):
    changes = [
        *CHANGES,
        "thresholds.big={physical_compute: 5e26}",
        "thresholds.late={physical_compute: 1e28, delay: 1 year}",
    ]
    counted = simulate(load_scenario("baseline", overrides=changes), keep="summary")
    file = freeze_forecast(counted, tmp_path, dated="2026-11")
    ours, theirs = score_run(file, history), score_run(counted, history)
    assert len(ours.scores) == len(theirs.scores) > 6
    assert "2028-02-29" in set(ours.scores["target"])  # in the midst of a year
    for mine, other in zip(ours.scores.rows(), theirs.scores.rows(), strict=True):
        for name, value in other.items():
            assert mine[name] == (pytest.approx(value, abs=2e-4) if isinstance(value, float) else value), name
    assert ours.known_to == theirs.known_to
    assert {key: ours.scoring[key] for key in ("run_id", "name", "scenario_hash")} == {
        key: theirs.scoring[key] for key in ("run_id", "name", "scenario_hash")
    }
    (file.parent / "scenarios" / file.name).unlink()
    assert score_run(file, history).scores == ours.scores
