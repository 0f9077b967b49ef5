"""Charts of sweeps: which are drawn, what stands beyond the horizon, colours, words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from simulator.analysis.sweep_points import load_sweep
from simulator.analysis.sweep_tables import sweep_outcomes
from simulator.analysis.sweeps import sweep, sweep_to_folder
from simulator.charts.kinds.sweep import swept_figures
from simulator.charts.spec import Figure
from simulator.charts.style import DARK
from simulator.charts.swept import RAMP
from simulator.cli.main import main
from simulator.errors import InputError
from simulator.scenario.load import parse_scenario
from simulator.schema.words import input_words
from simulator.testing import scenario_text, small_scenario
from tests.charts.drawn import colors_of

RATE = "drivers.algorithms.growth"
LIMIT = "drivers.compute.caps.cap.limit"
SMALL = small_scenario({
    "samples": 2048, "block": 1024,
    RATE: {"median": 2.0, "interval_90": [1.5, 3.0], "unit": "factor/year"},
    LIMIT: {"family": "lognormal", "median": 1e29, "interval_90": [1e28, 1e30], "unit": "FLOP"},
    "thresholds": {"near": {"effective_compute": 1e31}, "far": {"effective_compute": 1e60}},
})  # fmt: skip


@pytest.fixture(scope="module")
def grid() -> xr.DataTree:
    over = {f"{LIMIT}.centre": "1e27:1e31:3:log", f"{RATE}.centre": [1.5, 2.5]}
    return sweep(parse_scenario(scenario_text(SMALL)), over=over)


def said(figure: object) -> str:
    return json.dumps(figure.chart, ensure_ascii=False)  # type: ignore[attr-defined]


def test_two_numbers_are_drawn_as_a_heat_map_and_as_lines(grid: xr.DataTree) -> None:
    heat, lines = swept_figures(grid, ["crossing:near"])
    assert [heat.name, lines.name] == ["sweep_heat_crossing_near", "sweep_lines_crossing_near"]
    for figure in (heat, lines):
        assert len(figure.tables[""]) == 6
        assert "> 2035" in figure.caption
        assert f"Sweep {grid.attrs['run_id']}" in said(figure)
    assert "median later than 2035" in said(heat)
    assert "triangle-up" in said(lines)


def test_every_cell_is_filled_or_hatched(grid: xr.DataTree) -> None:
    (heat,) = [f for f in swept_figures(grid, ["crossing:far"]) if "heat" in f.name]
    text = said(heat)
    assert text.count("> 2035") >= 6
    assert not any(f'"color": "{color}"' in text for color in RAMP)
    assert "> 2035 at every point" in heat.caption


def test_every_colour_has_a_dark_counterpart(grid: xr.DataTree) -> None:
    for figure in swept_figures(grid, ["crossing:near", "crossed:near@2031"]):
        assert colors_of(figure.chart) <= set(DARK) | {"white"}


def test_labels_alone_are_drawn_as_strips_and_a_third_axis_as_frames() -> None:
    scenario = parse_scenario(scenario_text(SMALL | {"samples": 512}))
    alone = sweep(scenario, over={RATE: {"slow": "1.5x/year", "fast": "3x/year"}})
    assert [f.name for f in swept_figures(alone, ["effective_compute"])] == ["sweep_strips_effective_compute_2035"]
    three = {
        "drivers.compute.start": [1e25, 1e26],
        f"{LIMIT}.centre": [1e28, 1e29],
        RATE: {"slow": "1.5x/year", "fast": "3x/year"},
    }
    several = sweep(scenario, over=three)
    heat, lines = swept_figures(several, ["effective_compute"])
    assert f"{input_words(RATE, labels=scenario.labels)} = slow" in said(heat)
    assert f"{input_words(RATE, labels=scenario.labels)} = fast" in said(lines)


def rows_of(figure: Figure, kind: str) -> list[dict[str, Any]]:
    layers = figure.chart["vconcat"][0]["layer"]
    return [row for layer in layers if layer["mark"]["type"] == kind for row in layer["data"]["values"]]


def test_two_maps_and_two_frames_stand_beside_one_another() -> None:
    scenario = parse_scenario(scenario_text(SMALL | {"samples": 256, "block": 256}))
    over = {f"{LIMIT}.centre": [1e28, 1e29], "drivers.compute.start": [1e25, 1e26], f"{RATE}.centre": [1.5, 2.5]}
    swept = sweep(scenario, over=over)
    for figure in swept_figures(swept, ["effective_compute"]):
        first, second = (row for row in rows_of(figure, "text") if row["text"].startswith(f"{input_words(RATE)} = "))
        assert first["y"] == second["y"]
        assert second["x"] - first["x"] > 200


def test_lines_beyond_the_horizon_do_not_hide_one_another(grid: xr.DataTree) -> None:
    (lines,) = [f for f in swept_figures(grid, ["crossing:far"]) if "lines" in f.name]
    places = [(row["x"], row["y"]) for row in rows_of(lines, "point")]
    assert len(places) == len(set(places)) == 6


def test_the_threshold_that_most_samples_have_ahead_of_them_is_chosen() -> None:
    data = SMALL | {"thresholds": {"passed": {"effective_compute": 1.01e26}, "ahead": {"effective_compute": 1e28}}}
    changed = small_scenario(data | {"samples": 1024, "block": 1024, "drivers.compute.start": {
        "median": 1.05e26, "interval_90": [1e26, 1.1e26], "unit": "FLOP"}})  # fmt: skip
    swept = sweep(parse_scenario(scenario_text(changed)), over={f"{RATE}.centre": [1.5, 2.5]})
    assert 0.5 < float(swept["summary/already"][..., 0].min()) < 0.995
    assert [outcome.name for outcome in sweep_outcomes(swept)][2:] == ["ahead", "ahead"]


def test_too_many_frames_are_refused_with_the_count() -> None:
    scenario = parse_scenario(scenario_text(SMALL | {"samples": 256, "block": 256}))
    over = {RATE: "2x/year,3x/year", "drivers.compute.start": [1e25, 1e26], f"{LIMIT}.centre": "1e28:1e30:13:log"}
    swept = sweep(scenario, over=over)
    with pytest.raises(InputError, match="13 maps would be drawn"):
        swept_figures(swept)


def test_the_chart_command_draws_a_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = load_sweep(parse_scenario(scenario_text(SMALL)), over={f"{RATE}.centre": [2, 3]})
    _, folder = sweep_to_folder(plan, tmp_path)
    main(["chart", str(folder), "--quantity", "crossed:near@2031", "--format", "svg"])
    assert "sweep_lines_crossed_near_2031.svg" in capsys.readouterr().out
    assert (folder / "sweep_lines_crossed_near_2031.csv").exists()
    with pytest.raises(SystemExit):
        main(["chart", str(folder), "--kind", "fan"])
    assert "a sweep is drawn by outcome" in capsys.readouterr().err


def test_a_span_of_less_than_two_years_has_ticks_between_them() -> None:
    scenario = parse_scenario(scenario_text(SMALL | {"samples": 256, "block": 256}))
    swept = sweep(scenario, over={f"{RATE}.centre": [2.4, 2.5, 2.6], "drivers.compute.start": [1e26, 1.1e26]})
    (lines,) = [f for f in swept_figures(swept, ["crossing:near"]) if "lines" in f.name]
    years = [row["text"] for row in rows_of(lines, "text") if str(row["text"]).startswith("20")]
    assert len(years) > 2


def test_shares_of_none_and_all_are_bounded_in_cells_legend_and_title(grid: xr.DataTree) -> None:
    # none of 2,048 samples: below 1 - 0.05^(1/2048) = 0.15 %
    heat, lines = swept_figures(grid, ["crossed:far@2035"])
    assert heat.caption.startswith("Probability that far is crossed by the end of 2034: < 0.15 % at every point")
    assert "standard error" not in heat.caption
    assert said(heat).count('"text": "< 0.15 %"') == 7  # six cells and their colour
    assert '"0.0 %"' not in said(heat) + said(lines)
    heat, _ = swept_figures(grid, ["crossed:near@2035"])
    assert '"text": "99.90 %"' in said(heat)  # two of 2,048 do not cross
