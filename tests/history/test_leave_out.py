"""A rate that rests on one group of runs is seen, and only then."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.history.frontier import without
from simulator.history.leave_out import RateWithout, leave_out, members, rates_without, robust_slope
from simulator.history.loading import load_history, shipped_runs
from simulator.history.tables import Report, RunHistory, TrainingRun
from tests.places import SNAPSHOTS

needs_snapshots = pytest.mark.skipif(
    not SNAPSHOTS.is_dir(), reason="the snapshots of the public databases are not beside the project"
)
END_OF_2018, END_OF_2025 = dt.date(2018, 12, 31), dt.date(2025, 12, 31)
FAMILY = [("domain", "Games"), ("name family", "AlphaGo"), ("organisation", "DeepMind")]


def run(name: str, year: int, log_flop: float, *, organisation: str = "A Lab", domain: str = "Language") -> TrainingRun:
    return TrainingRun(
        name=name, organisation=organisation, domains=(domain,), date=dt.date(year, 7, 1), day_known=True,
        log_flop=log_flop, log_cost=None, cost_basis="", confidence="confident", open_weights=None, base_model="",
        link="",
    )  # fmt: skip


def history(*more: TrainingRun) -> RunHistory:
    # Scatter about the line: without any, a heavy-tailed line passes the jump by as if it were not there.
    steady = [run(f"Line{'abcdefgh'[n]}", 2012 + n, 18 + 0.5 * n + (-0.4, 0.4)[n % 4 // 2]) for n in range(8)]
    runs = sorted([*steady, *more], key=lambda each: each.date)
    return RunHistory("runs.csv", "2025-06", tuple(runs), Report(len(runs)))


JUMP = history(
    run("Leap [big]-1", 2018, 24.5, organisation="B, A Lab", domain="Games"),
    run("Leap 2", 2019, 25.0, organisation="B", domain="Games"),
)


def flags(found: tuple[RateWithout, ...]) -> dict[tuple[str, str], bool]:
    return {(each.kind, each.left_out): each.flagged for each in found}


def test_a_jump_of_one_group_is_flagged_under_each_of_its_names_and_said() -> None:
    found = rates_without(JUMP, until=END_OF_2025)
    assert flags(found)["domain", "Games"] is flags(found)["organisation", "B"] is True
    assert flags(found)["name family", "Leap"] is True
    games = next(each for each in found if each.left_out == "Games")
    assert games.rate_without == pytest.approx(0.5, abs=0.1)
    assert games.change == pytest.approx(games.rate - games.rate_without)
    assert games.frontier_runs == 2
    assert "rests on these runs" in games.line


def test_a_jump_after_the_date_is_not_seen() -> None:
    found, without_it = (rates_without(each, until=dt.date(2017, 12, 31)) for each in (JUMP, history()))
    assert found == without_it


def test_the_most_influential_comes_first() -> None:
    changes = [abs(each.change) for each in rates_without(JUMP, until=END_OF_2025)]
    assert changes == sorted(changes, reverse=True)


def test_a_group_by_hand_takes_stars_brackets_and_several_names() -> None:
    found = rates_without(JUMP, until=END_OF_2025, named=["leap [BIG]-1, Leap 2", "Leap*"])
    by_hand = [each for each in found if each.kind == "by hand"]
    assert {each.left_out: each.frontier_runs for each in by_hand} == {"leap [BIG]-1, Leap 2": 2, "Leap*": 2}
    assert by_hand[0].rate_without == by_hand[1].rate_without == pytest.approx(0.5, abs=0.1)
    assert members(JUMP, by_hand[0]) == ("Leap 2", "Leap [big]-1")


def test_what_a_group_is_left_out_as_is_what_leaving_out_the_domain_gives() -> None:
    games = next(each for each in rates_without(JUMP, until=END_OF_2025) if each.left_out == "Games")
    left = leave_out(JUMP, members(JUMP, games), reason="a test")
    assert left.runs == without(JUMP, domains=["Games"]).runs


def test_a_group_without_which_too_little_is_left_is_not_listed() -> None:
    assert ("domain", "Language") not in flags(rates_without(JUMP, until=END_OF_2025))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"named": ["Leep 2"]}, "--leave-out: runs.csv has no run 'Leep 2' by then. Did you mean 'Leap 2'?"),
        ({"named": ["x*"]}, "Write * for any letters"),
        ({"until": dt.date(2015, 12, 31)}, "runs.csv: only 4 runs of the frontier are known from 2012 to 2015-12-31"),
    ],
)
def test_bad_input_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError) as refused:
        rates_without(JUMP, **{"until": END_OF_2025, **options})
    assert text in str(refused.value)


@pytest.mark.parametrize(("estimate", "flagged"), [("2025-06", True), ("2026-05", False)])
def test_the_alphago_family_carries_the_rate_of_2018_by_the_estimates_of_mid_2025_only(
    estimate: Any, flagged: bool
) -> None:
    found = flags(rates_without(shipped_runs(estimate), until=END_OF_2018, top=5, named=["AlphaGo*,AlphaZero"]))
    assert {found[key] for key in [*FAMILY, ("by hand", "AlphaGo*,AlphaZero")]} == {flagged}


@needs_snapshots
@pytest.mark.parametrize(
    ("file", "snapshot", "flagged"),
    [
        ("frontier_top10_2025_06.csv", "2025-06", True),
        ("epoch_all_ml_systems_2025-06.csv", "2025-06", True),
        ("frontier_top10_latest.csv", "2026-05", False),
    ],
)
def test_the_same_holds_of_the_whole_database(file: str, snapshot: str, flagged: bool) -> None:
    found = flags(rates_without(load_history(SNAPSHOTS / file, snapshot=snapshot), until=END_OF_2018))
    assert {found[key] for key in FAMILY} == {flagged}
    if not flagged:
        assert not any(found.values())


def test_no_maker_or_family_carries_the_rate_of_2025() -> None:
    found = rates_without(shipped_runs(), until=END_OF_2025, top=5)
    assert not [each.left_out for each in found if each.flagged and each.kind != "domain"]


@given(st.floats(-1, 1), st.floats(-50, 50))
def test_points_on_a_line_give_its_slope(slope: float, level: float) -> None:
    years = np.array([2012.0, 2013.5, 2017.2, 2020.0])
    assert robust_slope(years, level + slope * (years - 2015)) == pytest.approx(slope, abs=1e-6)


def test_the_line_is_the_most_likely_one_with_student_scatter() -> None:
    from scipy import optimize, stats

    rng = np.random.default_rng(4)
    years = np.sort(rng.uniform(2012, 2020, 60))
    levels = 18 + 0.6 * (years - 2012) + 0.4 * rng.standard_t(3, 60)

    def loss(values: Any) -> float:
        return -float(stats.t.logpdf(levels - values[0] - values[1] * (years - 2016), 4, scale=np.exp(values[2])).sum())

    best = optimize.minimize(loss, [20.4, 0.6, -1.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10})
    assert robust_slope(years, levels) == pytest.approx(best.x[1], abs=1e-5)


def test_points_of_one_date_have_no_slope() -> None:
    with pytest.raises(ValueError, match="more than one date"):
        robust_slope(np.array([2012.0, 2012.0]), np.array([1.0, 2.0]))
