"""The chart of growth by part."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simulator import load_scenario, simulate
from simulator.charts.kinds.growth import draw_growth, growth_figures, growth_tables, ooms
from simulator.charts.spec import FigureOptions, Head
from simulator.errors import InputError
from simulator.runs.groups import RunLabel
from simulator.runs.table import Table
from simulator.testing import run_of, small_scenario
from tests.charts.drawn import tables, texts

RUN = RunLabel("3f9a2c1", "few", seed=1, samples=9)


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return simulate(load_scenario("tight-caps", overrides=["samples=1024"]))


@pytest.mark.parametrize("years", [None, (2027.0, 2040.0)])
def test_the_drawn_parts_add_up_to_the_line_in_every_year(run: xr.DataTree, years: tuple[float, float] | None) -> None:
    rows, net = (table.rows() for table in growth_tables(run, years=years))
    for row in net:
        parts = [part["value"] for part in rows if part["year"] == row["year"]]
        assert sum(parts) == pytest.approx(row["value"], abs=1e-5)
    assert net[0]["value"] == 0.0
    assert net[0]["year"] == (2026.9 if years is None else 2027)


def test_amounts_and_shares_of_the_growth_stand_at_the_right_end(run: xr.DataTree) -> None:
    (figure,) = growth_figures(run, FigureOptions())
    said = texts(figure.chart)
    final = [row for row in figure.tables[""].rows() if row["year"] == 2045]
    total = float(figure.tables["net"].rows()[-1]["value"])
    for row in final:
        assert ooms(float(row["value"])) in said
        assert f"{100 * float(row['value']) / total:.0f} %".replace("-", "−") in said
        assert str(row["label"])[1:] in figure.caption  # the first may be a capital
    assert {"effective compute", "100 %", "share", "OOM"} <= set(said)
    assert "medians do not" in figure.caption
    assert "limits take" in figure.caption


def test_areas_lie_end_to_end_on_their_side_of_zero(run: xr.DataTree) -> None:
    (figure,) = growth_figures(run, FigureOptions())
    drawn = tables(figure.chart)
    assert sum("base" in rows[0] or "foot" in rows[0] for rows in drawn) == 7
    for near, far in (("base", "low"), ("foot", "high")):
        ends = np.array([[[row[near], row[far]] for row in rows] for rows in drawn if near in rows[0]])
        assert np.all(ends[0, :, 0] == 0.0)
        assert np.all(ends[..., 1] <= ends[..., 0] if far == "low" else ends[..., 1] >= ends[..., 0])
        np.testing.assert_array_equal(ends[1:, :, 0], ends[:-1, :, 1])


def test_shrinking_compute_and_a_single_driver_are_drawn() -> None:
    run = run_of(small_scenario({"drivers.compute.growth.mean": -0.5}))
    (figure,) = growth_figures(run, FigureOptions())
    assert figure.caption.startswith("Effective compute shrinks by 5.0 OOM from 2025 to 2035.")
    assert "share" not in texts(figure.chart)
    assert "limits" not in figure.alt_text


def test_where_nothing_grows_there_are_no_shares() -> None:
    net = [{"year": 2025, "value": 0.0}, {"year": 2030, "value": 0.0}]
    rows = [{"part": "a", "label": "a", "kind": "growth", **row} for row in net]
    said = texts(draw_growth(Table.of_rows(rows), net=Table.of_rows(net), head=Head("", "", RUN)))
    assert "0.0" in said
    assert not any("%" in text for text in said)


def test_years_out_of_order_are_refused() -> None:
    net = [{"year": 2030, "value": 0.0}, {"year": 2025, "value": 0.0}]
    with pytest.raises(InputError, match="ascending order"):
        draw_growth(Table({}), net=Table.of_rows(net), head=Head("", "", RUN))
