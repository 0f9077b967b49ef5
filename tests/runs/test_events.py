"""The events of a run: how likely each comes, and when, from samples and from bins."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from simulator.runs.events import event_lines, event_table
from simulator.runs.summary import run_tables, summary_lines
from simulator.testing import assert_valid_run, run_of, small_scenario

EVENTS = {
    "shock": {"label": "A shock", "probability": "40 %", "from": {"uniform": [2027, 2029]}, "for": "3 years",
              "effects": [{"on": "drivers.compute.growth", "times": 0.5}]},
    "war": {"hazard": "5 %/year"},
    "far": {"from": 2300},
}  # fmt: skip


@pytest.mark.parametrize("keep", ["trajectories", "summary"])
def test_an_event_is_told_with_its_share_and_its_dates_where_it_comes(keep: Literal["trajectories", "summary"]) -> None:
    run = run_of(small_scenario({"events": EVENTS, "samples": 1024, "block": 256}), keep=keep)
    assert_valid_run(run)
    shock, war, far = event_table(run).rows()
    assert (shock["label"], war["event"], far["probability"]) == ("A shock", "war", 0.0)
    assert shock["probability"] == pytest.approx(0.4, abs=2e-3)
    assert [shock[key] for key in ("lower", "median", "upper")] == pytest.approx([2027.1, 2028, 2028.9], abs=0.02)
    assert shock["until"] == pytest.approx(2031, abs=0.02)
    assert war["probability"] == pytest.approx(1 - np.exp(-0.5), abs=4e-3)
    assert far["median"] == war["until"] == np.inf
    assert run_tables(run)["events"].names == event_table(run).names
    lines = event_lines(run)
    assert lines[0].startswith("  A shock: comes by 2035 40")
    assert "in 2028.0 (90 % 2027.1 to 2028.9)" in lines[0]
    assert "event far: comes by 2035 < " in lines[2]
    assert set(lines) <= set(summary_lines(run))


def test_a_run_without_events_says_nothing_of_them() -> None:
    run = run_of(small_scenario())
    assert not event_table(run)
    assert event_lines(run) == []
    assert "events" not in run_tables(run)
