"""Waterfalls: how their parts are written."""

from __future__ import annotations

from simulator.charts.kinds.attribution import Fall


def test_a_part_that_is_written_as_nothing_has_no_sign() -> None:
    fall = Fall("a", "OOM", (1, 1), ("1", "1"), [("up", 0.3), ("down", -0.3), ("barely", 0.001), ("hardly", -0.001)])
    assert [fall.written(value) for _, value in fall.parts] == ["+0.30 OOM", "−0.30 OOM", "0.00 OOM", "0.00 OOM"]
