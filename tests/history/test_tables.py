"""Tables of what was observed show themselves."""

from __future__ import annotations

from simulator.history.loading import shipped_accelerators, shipped_runs
from simulator.history.tables import report_lines


def test_a_history_shows_itself_in_few_lines_and_a_table() -> None:
    for history in (shipped_runs(), shipped_accelerators()):
        assert len(repr(history).splitlines()) <= 15
        assert repr(history).startswith(report_lines(history)[0])
        assert "<table" in history._repr_html_()
