"""Waterfalls: how their parts are written."""

from __future__ import annotations

from simulator.charts.kinds.attribution import Fall


def test_a_part_that_is_written_as_nothing_has_no_sign() -> None:
    parts = [("up", 0.3), ("down", -0.3), ("barely", 0.001), ("hardly", -0.001)]
    fall = Fall.of("a", parts, ends=[1, 1], end_texts=["1", "1"], labels=["A", "B"], unit="OOM")
    assert [part.text for part in fall.parts] == ["+0.30 OOM", "−0.30 OOM", "0.00 OOM", "0.00 OOM"]
