"""Tables of what was observed show themselves."""

from __future__ import annotations

from dataclasses import replace

from simulator.history.loading import shipped_accelerators, shipped_runs
from simulator.history.tables import report_lines


def test_a_history_shows_itself_in_few_lines_and_a_table() -> None:
    for history in (shipped_runs(), shipped_accelerators()):
        assert len(repr(history).splitlines()) <= 15
        assert repr(history).startswith(report_lines(history)[0])
        assert "<table" in history._repr_html_()


def test_a_table_that_ends_long_before_it_is_known_to_is_said_to_when_it_is_read() -> None:
    runs = replace(shipped_runs(), whole_to=None, snapshot="2026-05")
    assert not [line for line in report_lines(runs) if "silence" in line]  # judged to the end of the last whole year
    (said,) = [line for line in report_lines(replace(runs, snapshot="2027-05")) if "silence" in line]
    assert said.startswith("  note: ends on 2025-07-09 with Grok 4, 1.5 years before the day that it is to be known to")
