"""Charts of a forecast by release, drawn from its folder as from itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from simulator import forecast_moves, open_result
from simulator.analysis.moved import Moved
from simulator.charts.kinds.moved import moved_figures
from simulator.charts.writing import svg_text
from simulator.runs.result import Result
from tests.analysis.releases import frozen_releases
from tests.places import ROOT


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Moved:
    return forecast_moves(frozen_releases(tmp_path_factory.mktemp("series")), "linear", reasons=False)


def test_levels_and_crossing_years_are_drawn_by_date(found: Moved) -> None:
    figures = {figure.name: figure for figure in moved_figures(found)}
    assert list(figures) == ["moved_levels", "moved_crossings"]
    title = " ".join(figures["moved_levels"].chart["title"]["text"])
    assert title == "Linear from 2025-06 to 2026-06: effective compute, end of 2029 moved most, +1.00 OOM"
    levels = svg_text(figures["moved_levels"].chart)
    for text in ("2024-06", "2025-06", "2026-06", "3.2e30 FLOP → 3.2e31 FLOP (+1.00 OOM)", "spending, end of 2029"):
        assert text in levels
    assert "late 2028.8 then 2028.3 then 2027.7" in figures["moved_crossings"].caption
    assert "never by 2030: " in svg_text(figures["moved_crossings"].chart)


def test_the_last_two_releases_make_a_chart_too(found: Moved) -> None:
    two = replace(found, releases=found.releases[1:], reasons=found.reasons[1:])
    title = " ".join(moved_figures(two)[0].chart["title"]["text"])
    assert title == "Linear from 2025-06 to 2026-06: effective compute, end of 2029 moved most, +1.00 OOM"


def test_what_moved_most_is_told_in_years_and_not_in_widths_of_its_interval() -> None:
    """A run of $10 billion moved by 1.0 years, a twelfth of its 90 %; 1000x GPT-4 by 0.3, a seventh of its own."""
    every = forecast_moves(ROOT / "forecasts", "baseline", reasons=False)
    figure = moved_figures(replace(every, releases=every.releases[:2], reasons=every.reasons[:1]))[1]
    assert " ".join(figure.chart["title"]["text"]).endswith("$10 billion run moved most, +1.0 years")


def test_a_folder_is_drawn_as_the_result_is(found: Moved, tmp_path: Path) -> None:
    def drawn(result: Result) -> list[tuple[str, str]]:
        return [(svg_text(figure.chart), figure.caption) for figure in moved_figures(result)]

    assert drawn(open_result(found.save(tmp_path))) == drawn(found)
