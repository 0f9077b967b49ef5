"""The chart of who uses a stock, and what it says of medians that are made to add up."""

from __future__ import annotations

import pytest

from simulator.charts.kinds.allocation import allocation_figures
from simulator.charts.spec import FigureOptions
from simulator.errors import InputError, NothingToDraw
from simulator.testing import run_of, small_scenario
from tests.charts.drawn import texts

STOCKS = {"chips": {"label": "chips in use", "start": "1 million chip", "growth": "2x/year"}}


def run(**uses: object):
    allocation = {"chips": {"uses": {"training": {"label": "all training", "share": "40 %"}, **uses}},
                  "chips-training": {"uses": {"largest-run": {"share": "20 %"}, "others": {"share": "rest"}}}}  # fmt: skip
    return run_of(small_scenario({"samples": 200, "stocks": STOCKS, "allocation": allocation}))


def test_each_stock_has_a_panel_and_each_use_its_name_share_and_interval() -> None:
    drawn = {"inference": {"share": {"interval_90": [20, 35], "unit": "%"}}, "idle": {"share": "rest"}}
    (figure,) = allocation_figures(run(**drawn), FigureOptions())
    said = texts(figure.chart)
    assert {"shares of chips in use", "shares of all training", "all training", "inference", "idle"} <= {*said}
    assert {"40 %", "20 %", "80 %", "2035", "90 % interval"} <= {*said}
    assert "divided by the sum of these medians" in figure.caption
    table = figure.tables[""]
    for _, own in table.groups("stock", "year"):
        assert own["adds_up"].sum() == pytest.approx(1.0)


def test_what_is_certain_has_no_interval_and_nothing_is_divided() -> None:
    (figure,) = allocation_figures(run(idle={"share": "rest"}), FigureOptions(quantities=("quantity_chips",)))
    said = texts(figure.chart)
    assert "90 % interval" not in said
    assert "shares of all training" not in said
    assert figure.caption.endswith("Share of each use by year.")


def test_a_run_without_an_allocation_and_a_stock_that_there_is_not_are_refused() -> None:
    with pytest.raises(NothingToDraw, match="Add allocation: to its scenario"):
        allocation_figures(run_of(small_scenario({"samples": 4})), FigureOptions())
    with pytest.raises(InputError, match="no such stock is shared out"):
        allocation_figures(run(idle={"share": "rest"}), FigureOptions(quantities=("quantity_chip",)))
