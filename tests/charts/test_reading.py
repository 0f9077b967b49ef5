"""The fan of a run that has learnt shows what it learnt from; thresholds that move are drawn as they move."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simulator.charts.kinds.fan import fan_figures
from simulator.charts.reading import observed_table, read_fan, trend_table
from simulator.charts.spec import FigureOptions
from simulator.charts.writing import svg_text
from simulator.engine.simulation import simulate
from simulator.errors import InputError
from simulator.scenario.load import parse_scenario
from simulator.testing import run_of as small_run
from simulator.testing import small_scenario
from tests.charts.learnt_run import RUNS, learnt_run


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return learnt_run()


def test_observed_runs_and_their_trend_are_drawn_without_being_asked(run: xr.DataTree) -> None:
    (figure,) = fan_figures(run, FigureOptions(quantities=("physical_compute",)))
    assert len(figure.tables["history"]) == RUNS
    assert [row["year"] for row in figure.tables["trend"].rows()] == [2020.0, 2021.0, 2022.0]
    assert "Dots: runs that were observed (12). Grey: the trend that was learnt" in figure.caption
    assert "trend learnt, 90 %" in svg_text(figure.chart)
    assert "labelled" not in figure.caption


def test_effective_compute_has_no_history_and_hardware_a_trend_alone(run: xr.DataTree) -> None:
    assert not observed_table(run, "effective_compute")
    assert not trend_table(run, "effective_compute")
    assert not observed_table(run, "hardware")
    assert len(trend_table(run, "hardware")) == 3


def test_years_after_the_start_leave_history_out(run: xr.DataTree) -> None:
    (figure,) = fan_figures(run, FigureOptions(quantities=("spending",), years=(2022.5, 2030.0)))
    assert not {"history", "trend"} & set(figure.tables)


def test_runs_that_are_given_take_the_place_of_those_that_were_learnt_from(run: xr.DataTree) -> None:
    given = ({"date": 2021.0, "value": 1e24, "label": "mine"},)
    (figure,) = fan_figures(run, FigureOptions(quantities=("physical_compute",), history=given))
    assert [row["label"] for row in figure.tables["history"].rows()] == ["mine"]


def test_several_fans_share_the_years_of_their_history(run: xr.DataTree) -> None:
    (figure,) = fan_figures(run, FigureOptions(quantities=("effective_compute", "physical_compute", "spending")))
    assert {row["variable"] for row in figure.tables["history"].rows()} == {"physical_compute", "spending"}
    spec = figure.chart
    domains = {
        tuple(layer["encoding"]["x"]["scale"]["domain"])
        for view in spec["vconcat"]
        for panel in view.get("hconcat", [])
        for layer in panel["layer"]
        if layer["encoding"].get("x", {}).get("field") == "year"
    }
    assert len(domains) == 1
    assert min(domains)[0] < 2020.0


def test_a_table_of_runs_shows_what_it_says_of_the_quantity(run: xr.DataTree) -> None:
    seen = {"date": 2026.0, "label": "a run"}
    history = ({**seen, "quantity": "physical_compute", "value": 1e27}, {**seen, "quantity": "spending", "value": 1e9})
    (figure,) = fan_figures(run, FigureOptions(("spending",), history=history))
    assert figure.tables["history"]["value"].tolist() == [9.0]
    with pytest.raises(InputError, match="says nothing of effective_compute; it has physical_compute and spending"):
        fan_figures(run, FigureOptions(("effective_compute",), history=history))


def test_a_threshold_that_moves_is_drawn_as_its_path_and_not_as_a_line() -> None:
    """A tenth of a grid of 100 GW, and ten times that: their medians by year, labelled where they end."""
    grid = {"start": {"value": 100, "unit": "GW"}, "growth": "0.05 OOM/year"}
    power = {"start": {"value": 1, "unit": "GW"}, "growth": {"mean": 0.25, "sd": 0.02, "unit": "OOM/year"}}
    thresholds = {
        "still": {"quantity": "power", "level": "10 GW"},
        "tenth": {"quantity": "power", "level": {"product": [0.1, "grid"]}},
        "whole": {"multiple": 10, "of": "tenth"},
    }
    run = small_run(small_scenario({"quantities": {"grid": grid, "power": power}, "thresholds": thresholds}))
    fan = read_fan(run, "quantity_power", FigureOptions())
    rows = {row["threshold"]: row for row in fan.tables.thresholds.rows()}
    assert [rows[name]["moves"] for name in thresholds] == [False, True, True]
    assert [rows[name]["level"] for name in thresholds] == pytest.approx([10, 10.5, 11.5], abs=1e-5)
    assert fan.tables.moving.where(threshold="tenth")["value"] == pytest.approx(10 + 0.05 * np.arange(11), abs=1e-5)
    (drawn,) = fan_figures(run, FigureOptions(quantities=("quantity_power",)))
    assert "moving" in drawn.tables


STOCK = """
schema: 2
name: chips
years: {first: 2025, last: 2028}
samples: 256
quantities:
  chip-stock: {start: {median: 6e6, interval_90: [3e6, 1.2e7], unit: chip}, growth: {median: 3, interval_90: [2, 4], unit: x/year}}
thresholds: {many: {quantity: chip-stock, level: 1e9 chip}}
history:
  snapshot: 2026-05
  runs: none
  quantities:
    chip-stock: [{at: 2025, value: 6.5 million chip, error: 0.1, label: sold}, {at: 2026, value: 2e7 chip, error: 0.2, label: sold}]
"""


@pytest.fixture(scope="module")
def stock() -> xr.DataTree:
    return simulate(parse_scenario(STOCK))


def test_what_was_observed_of_a_quantity_is_drawn_in_its_fan_with_its_error(stock: xr.DataTree) -> None:
    (figure,) = fan_figures(stock, FigureOptions(quantities=("quantity_chip_stock",)))
    rows = list(figure.tables["history"].rows())
    assert [row["date"] for row in rows] == [2025.0, 2026.0]
    assert [row["value"] for row in rows] == pytest.approx(np.log10([6.5e6, 2e7]), abs=1e-6)
    assert [row["upper"] - row["lower"] for row in rows] == pytest.approx([2 * 1.645 * 0.1, 2 * 1.645 * 0.2])
    assert [row["label"] for row in rows] == ["", "sold"]  # said once
    assert "Dots: what was observed, with the 90 % of its error (2)" in figure.caption
    assert "observed, 90 %" in svg_text(figure.chart)


def test_a_table_of_supply_is_drawn_where_it_has_the_unit_of_the_quantity(stock: xr.DataTree) -> None:
    power = {"date": 2026.0, "label": "a", "value": 1e9, "unit": "W"}
    chips = {"date": 2026.5, "label": "b", "value": 3e7, "unit": "chip"}
    (figure,) = fan_figures(stock, FigureOptions(quantities=("quantity_chip_stock",), history=(power, chips)))
    assert [row["label"] for row in figure.tables["history"].rows()] == ["b"]
    with pytest.raises(InputError, match="--history: quantity_chip_stock is in chip; the table is in W"):
        fan_figures(stock, FigureOptions(quantities=("quantity_chip_stock",), history=(power,)))
