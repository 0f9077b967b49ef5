"""The fan of a run that has learnt shows what it learnt from; thresholds that move are drawn as they move."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simulator.charts.kinds.fan import fan_figures
from simulator.charts.reading import observed_table, read_fan, trend_table
from simulator.charts.spec import FigureOptions
from simulator.charts.writing import svg_text
from simulator.errors import InputError
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
