"""Fans by whether an event comes, and the windows that a fan marks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from simulator.charts.kinds.events import event_figures
from simulator.charts.kinds.fan import fan_figures
from simulator.charts.spec import FigureOptions
from simulator.errors import InputError
from simulator.testing import run_of, small_scenario
from tests.charts.drawn import texts

SHOCK = {"label": "a shock", "probability": "40 %", "from": 2028, "for": "3 years",
         "effects": [{"on": "drivers.compute.growth", "times": 0.5}]}  # fmt: skip


def run_with(**events: Any) -> xr.DataTree:
    return run_of(small_scenario({"events": events}))


def test_each_side_is_the_fan_of_its_samples() -> None:
    run = run_with(shock=SHOCK, sure={"from": 2030})
    (figure,) = event_figures(run, FigureOptions())
    comes = np.isfinite(run["events/event_year"].sel(event="shock").values)
    levels = run["trajectories/physical_compute"].values
    for side, name in ((comes, "a shock, 40 %"), (~comes, "without it, 60 %")):
        own = figure.tables[""].where(run=name)
        for key, level in (("lower", 0.05), ("median", 0.5), ("upper", 0.95)):
            np.testing.assert_allclose(own[key], np.quantile(levels[side], level, axis=0), rtol=0, atol=1e-5)
        assert name in texts(figure.chart)
    assert figure.name == "events_shock_physical_compute"


def test_a_run_without_a_side_says_why() -> None:
    with pytest.raises(InputError, match="has no events"):
        event_figures(run_of(small_scenario()), FigureOptions())
    with pytest.raises(InputError, match="no event comes in 20 samples"):
        event_figures(run_with(sure={"from": 2030}), FigureOptions())
    summary = run_of(small_scenario({"events": {"shock": SHOCK}}), keep="summary")
    with pytest.raises(InputError, match="summary only"):
        event_figures(summary, FigureOptions())


def test_a_fan_marks_the_windows_of_events_within_its_years() -> None:
    run = run_with(shock=SHOCK, late={"from": 2300})
    (figure,) = fan_figures(run, FigureOptions())
    said = texts(figure.chart)
    assert "a shock, 40 %" in said
    assert "event, median dates" in said
    assert not any("late" in text for text in said)
    (without,) = fan_figures(run_of(small_scenario()), FigureOptions())
    assert "event, median dates" not in texts(without.chart)
