"""Tornado charts: what is drawn of swings, censored ends, long names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.analysis.outcomes import parse_outcome
from simulator.analysis.swings import is_seen, prior_swings
from simulator.charts.drawing import write_figures
from simulator.charts.kinds.swings import COLORS, MOST, swing_figures
from simulator.charts.spec import Figure
from simulator.scenario.load import load_scenario, parse_scenario
from simulator.testing import scenario_text, small_scenario

SLOW = {"thresholds": {"near": {"effective_compute": 1e29}}, "drivers.compute.growth.mean": 0.3,
        "drivers.compute.growth.sd": 0.05}  # fmt: skip


def drawn(outcome: str, *, mode: str = "fixed", changes: dict[str, object] | None = None) -> list[Figure]:
    scenario = parse_scenario(scenario_text(small_scenario(changes or SLOW)))
    found = prior_swings(scenario, outcomes=[parse_outcome(outcome)], mode=mode, samples=64)
    return swing_figures(found)


def marks(figure: Figure, kind: str) -> list[dict[str, object]]:
    """List the rows of the layers of one kind of mark."""
    found: list[dict[str, object]] = []
    for layer in figure.chart["vconcat"][0]["layer"]:
        if layer["mark"].get("shape", layer["mark"]["type"]) == kind:
            found += layer["data"]["values"]
    return found


def texts(figure: Figure) -> str:
    return json.dumps(figure.chart, ensure_ascii=False)


def test_an_end_that_is_not_crossed_is_an_arrow_with_its_value() -> None:
    (figure,) = drawn("crossing:near")
    arrows = [row for row in marks(figure, "triangle-right") if row["color"] in COLORS.values()]
    assert [row["color"] for row in arrows] == [COLORS["lower"]] * 2
    assert "not crossed by 2035" in texts(figure)
    assert "> 2035" in texts(figure)


def test_where_all_is_later_than_the_horizon_all_are_arrows() -> None:
    (figure,) = drawn("crossing:near", changes=SLOW | {"drivers.compute.growth.mean": 0.15})
    arrows = [row for row in marks(figure, "triangle-right") if row["color"] in COLORS.values()]
    assert len(arrows) == 4
    assert "later than 2035 wherever an input is moved" in figure.caption


def test_a_constant_outcome_has_no_figure() -> None:
    assert drawn("crossing:near", changes={"thresholds": {"near": {"effective_compute": 1e10}}}) == []


@pytest.mark.parametrize("mode", ["free", "fixed"])
def test_the_mode_is_written_on_the_chart(mode: str) -> None:
    (figure,) = drawn("effective_compute@2035", mode=mode)
    words = {"free": "the others vary", "fixed": "the others at their medians"}
    assert words[mode] in texts(figure)
    assert words[mode] in figure.alt_text
    assert "1.58x/yr" not in texts(figure)
    assert "OOM/yr" in texts(figure)  # the unit of the file


def test_the_largest_are_named_and_the_others_counted(tmp_path: Path) -> None:
    found = prior_swings(load_scenario("baseline"), outcomes=[parse_outcome("effective_compute@2035")], samples=64)
    rows = found.tables()["swings"].rows()
    (figure,) = swing_figures(found)
    assert len(rows) == 37
    named = min(MOST, sum(map(is_seen, rows)))  # of so few draws some are within their errors
    assert f"{37 - named} more inputs" in texts(figure)
    assert "is moved most by growth of algorithmic efficiency" in figure.caption
    assert [row["rank"] for row in figure.tables[""].rows()] == list(range(1, 38))
    written = write_figures([figure], tmp_path, formats=["svg"])
    assert [path.name for path in written] == [
        f"swings_free_effective_compute_2035{ending}" for ending in (".svg", ".csv", ".txt")
    ]


def test_bars_begin_at_the_line_of_the_base() -> None:
    (figure,) = drawn("effective_compute@2035")
    base = max(row["x"] for row in marks(figure, "rule") if "color" not in row and row["x"] == row["x2"]
               and row["y"] == 58)  # fmt: skip
    bars = [row for row in marks(figure, "rect") if row["color"] in COLORS.values() and row["y"] > 60]
    assert len(bars) == 4
    assert all(base in (row["x"], row["x2"]) for row in bars)
