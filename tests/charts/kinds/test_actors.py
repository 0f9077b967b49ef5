"""Charts of actors: what is drawn is what the run says of them; and what has nothing to draw says so."""

from __future__ import annotations

import math
from typing import Any

import pytest
import xarray as xr

from simulator import load_scenario, simulate
from simulator.charts.kinds.actors import actor_figures, ladder_figures, lead_figures
from simulator.charts.layout import LINE_SHADES
from simulator.charts.spec import Figure, FigureOptions
from simulator.errors import InputError, NothingToDraw

RACE = {
    "extends": "baseline", "name": "race", "samples": 256, "block": 128,
    "actors": {"us": {"label": "US lab"}, "second-lab": {"of": "us", "lag": "1 year"},
               "third-lab": {"of": "us", "lag": "2 years"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return simulate(load_scenario(RACE))


def test_the_fans_are_those_of_each_actor(run: xr.DataTree) -> None:
    compute, spending = actor_figures(run, FigureOptions(quantities=("effective_compute", "spending")))
    assert (compute.name, spending.name) == ("actors_effective_compute", "actors_spending")
    held = run["actors_summary/spending"].sel(actor="us", quantile=0.5, year=2030).item()
    assert spending.tables[""].where(actor="us", year=2030.0)["median"].tolist() == [held]
    assert compute.caption.startswith("Effective compute in 2045 by actor, median and 90 % interval, FLOP: US lab ")
    with pytest.raises(InputError, match="no level 'power' by actor"):
        actor_figures(run, FigureOptions(quantities=("power",)))


def test_the_lead_is_shared_out_and_told_in_months_where_it_is_known(run: xr.DataTree) -> None:
    (figure,) = lead_figures(run, FigureOptions(years=(2028, 2035)))
    leads, ahead = figure.tables[""], figure.tables["ahead"]
    assert {*leads["year"].tolist()} == {*map(float, range(2028, 2036))}
    for _, own in leads.groups("year"):
        assert own["leads"].sum() == pytest.approx(1.0)
    at = ahead.where(year=2030.0).rows()[0]
    assert at["median"] == pytest.approx(12.0, abs=0.7)  # of paths that bend, straight between the years
    assert "Who leads in 2035: US lab" in figure.caption


def test_the_ladder_has_a_rung_for_each_actor_and_leaves_out_what_all_have_passed(run: xr.DataTree) -> None:
    (figure,) = ladder_figures(run, FigureOptions())
    rows = [
        row for view in figure.chart["vconcat"] for layer in view.get("layer", ()) for row in layer["data"]["values"]
    ]
    texts = [str(row.get("text", "")) for row in rows]
    assert texts.count("US lab") >= 6
    assert not any(text == "GPT-4" for text in texts)
    first, second = (
        figure.tables[""].where(actor=name, threshold="million-x-gpt-4")["median"][0] for name in ("us", "second-lab")
    )
    assert second - first == pytest.approx(1.0, abs=0.05)
    assert math.isfinite(first)


def test_an_actor_has_one_colour_in_all_charts(run: xr.DataTree) -> None:
    colors = [color for color, _ in LINE_SHADES[:3]]
    (fans,), (lead,), (ladder,) = (draw(run, FigureOptions()) for draw in (actor_figures, lead_figures, ladder_figures))
    assert [mark["color"] for mark in _marks(fans) if mark.get("strokeWidth") == 2.6][:3] == colors[::-1]
    assert [mark["color"] for mark in _marks(lead) if mark["type"] == "area"][:3] == colors
    shapes = {mark["shape"]: mark for mark in _marks(ladder) if mark["type"] == "point"}
    assert shapes["circle"]["fill"] == colors[0]
    assert [mark["stroke"] for mark in _marks(ladder) if mark.get("shape") == "diamond"][:-1] == colors[1:]


def _marks(figure: Figure) -> list[dict[str, Any]]:
    return [layer["mark"] for view in figure.chart["vconcat"] for layer in view.get("layer", ())]


def test_a_run_without_actors_or_with_one_has_nothing_to_draw() -> None:
    alone = simulate(load_scenario({"extends": "essay-2023", "name": "alone", "samples": 32}))
    for draw in (actor_figures, lead_figures, ladder_figures):
        with pytest.raises(NothingToDraw, match="this run has no actors"):
            draw(alone, FigureOptions())
    one = simulate(load_scenario({"extends": "essay-2023", "name": "one", "samples": 32, "actors": {"it": {}}}))
    with pytest.raises(NothingToDraw, match="one actor, which leads alone"):
        lead_figures(one, FigureOptions())
    assert len(ladder_figures(one, FigureOptions())) == 1


def test_of_actors_that_have_the_same_none_is_drawn_as_ahead_by_nothing() -> None:
    even = simulate(
        load_scenario({"extends": "essay-2023", "name": "even", "samples": 32, "actors": {"a": {}, "b": {}}})
    )
    (figure,) = lead_figures(even, FigureOptions())
    assert figure.caption.endswith("a 50 %, b 50 %. In 95 % of the samples or more several have the same then.")
