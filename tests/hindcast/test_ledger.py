"""The ledger keeps every scoring once, and refuses files that are none."""

from __future__ import annotations

import pytest

from simulator.errors import InputError
from simulator.hindcast.ledger import (
    COLUMNS,
    SCORES,
    SCORING,
    append_ledger,
    ledger_lines,
    read_ledger,
    score_table,
)
from simulator.runs.table import Table

SCORED = dict(zip(SCORING, ("2028-02-01", "123e0893", "a, b", "ab", "0.1.0", "runs.csv", "2028-01", "cd"), strict=True))
AT = {"target": "2027-12-31", "in_sample": False}
LEVEL = {
    "quantity": "physical_compute", **AT, "observed": 27.0, "median": 27.5, "crps": 0.4, "error": 0.5, "inside_90": True
}  # fmt: skip
EVENT = {"quantity": "crossing x", **AT, "observed": 1.0, "probability": 0.7, "brier": 0.09}


def written(*rows, **change):
    return score_table(SCORED | change, Table.of_rows(rows, SCORES))


def test_a_scoring_is_added_once_whenever_it_is_made(tmp_path):
    ledger = tmp_path / "new" / "ledger.csv"
    rows = written(LEVEL, EVENT)
    assert append_ledger(ledger, rows) == 2
    before = ledger.read_bytes()
    assert append_ledger(ledger, written(LEVEL, EVENT, scored_on="2029-01-01")) == 0
    assert ledger.read_bytes() == before
    assert read_ledger(ledger) == rows


@pytest.mark.parametrize("change", [{"run_id": "x"}, {"snapshot": "2029"}, {"observations_sha256": "x"}])
def test_another_run_or_table_is_another_scoring(tmp_path, change):
    ledger = tmp_path / "ledger.csv"
    append_ledger(ledger, written(LEVEL))
    before = ledger.read_text()
    assert append_ledger(ledger, written(LEVEL, EVENT, **change)) == 2
    assert ledger.read_text().startswith(before)


def test_a_ledger_without_a_final_line_break_or_without_rows_is_taken_up(tmp_path):
    ledger = tmp_path / "ledger.csv"
    ledger.write_text(",".join(COLUMNS))
    append_ledger(ledger, written(LEVEL))
    ledger.write_text(ledger.read_text().rstrip("\n"))
    append_ledger(ledger, written(EVENT))
    assert len(read_ledger(ledger)) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", r"ledger.csv:1: is no ledger of this simulator: it lacks scored_on, .*; it has a, b"),
        (",".join(reversed(COLUMNS)) + "\n", "its columns are in another order"),
        (",".join(COLUMNS) + "\n1,2\n", r"ledger.csv:2: has 2 cells, must have 26"),
    ],
)
def test_a_file_that_is_no_ledger_is_refused_and_left_as_it_was(tmp_path, text, message):
    ledger = tmp_path / "ledger.csv"
    ledger.write_text(text)
    with pytest.raises(InputError, match=message):
        append_ledger(ledger, written(LEVEL))
    assert ledger.read_text() == text


def test_means_are_taken_by_scenario_and_the_last_scoring_of_a_target_counts(tmp_path):
    ledger = tmp_path / "ledger.csv"
    append_ledger(ledger, written(LEVEL, EVENT))
    other = LEVEL | {"target": "2026-12-31", "crps": 0.2, "inside_90": False}
    append_ledger(ledger, written(LEVEL | {"crps": 0.6}, other, snapshot="2029"))
    head, _, level, event = ledger_lines(ledger)
    assert head.endswith("ledger.csv: 3 scores of 1 run")
    assert level.split() == ["a,", "b:", "physical", "compute", "2", "0.400", "-", "+0.50", "50", "-"]
    assert event.split()[-2:] == ["-", "0.090"]


def test_a_missing_ledger_is_said(tmp_path):
    with pytest.raises(InputError, match="no such ledger"):
        list(ledger_lines(tmp_path / "none.csv"))
