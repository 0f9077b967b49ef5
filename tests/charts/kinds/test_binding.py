"""The chart of what binds, and what the figures of a run share."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

import simulator
from simulator import load_scenario, simulate
from simulator.charts.kinds.binding import binding_figures, draw_binding
from simulator.charts.kinds.crossings import crossing_figures
from simulator.charts.kinds.demand import demand_figures
from simulator.charts.kinds.growth import growth_figures
from simulator.charts.layout import EndLabel, end_labels, label_middles
from simulator.charts.reading import drawn_years, subtitle
from simulator.charts.spec import FigureOptions, Head
from simulator.charts.style import DARK
from simulator.charts.writing import svg_text
from simulator.errors import InputError
from simulator.runs.groups import RunLabel
from simulator.runs.table import Table
from simulator.testing import run_of, small_scenario
from simulator.wording import listed, percent
from tests.charts.drawn import colors_of, texts

RUN = RunLabel("3f9a2c1", "few", seed=1, samples=9)
EVERY = (crossing_figures, growth_figures, binding_figures, demand_figures)


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return simulate(load_scenario("baseline", overrides=["samples=1024"]))


def test_shares_and_the_rest_are_labelled_at_the_right_end(run: xr.DataTree) -> None:
    (figure,) = binding_figures(run, FigureOptions())
    shares = run["summary/binding_spending_share"].sel(limit_spending="cash-flow").values
    said = texts(figure.chart)
    for text in ("limits on spending", "limits on physical compute", "headroom", "none binds", percent(shares[-1])):
        assert text in said, text
    assert figure.tables[""].rows()[0].keys() == {"subject", "limit", "year", "share"}
    assert [row["share"] for row in figure.tables[""].rows() if row["limit"] == "cash-flow"] == shares.tolist()
    assert "In 2045 limits bind on spending in" in figure.caption
    assert "Along: years 2025.5 to 2045" in figure.alt_text


def test_subjects_and_years_can_be_chosen(run: xr.DataTree) -> None:
    options = FigureOptions(quantities=("algorithms",), years=(2027, 2030))
    (figure,) = binding_figures(run, options)
    assert {row["subject"] for row in figure.tables[""].rows()} == {"algorithms"}
    assert [row["year"] for row in figure.tables[""].rows()] == [2027, 2028, 2029, 2030]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (FigureOptions(quantities=("spendin",)), "no such subject of limits in this run. Did you mean 'spending'"),
        (FigureOptions(quantities=("hardware",)), "no limit stands on it in this run. Limits stand on: spending"),
        (
            FigureOptions(years=(2026, 2026.4)),
            "years: 2026 to 2026.4: two or more years of the run must lie in it; 1 do",
        ),
        (FigureOptions(years=(1990, 2000)), "0 do. The run has 21, 2025.5 to 2045"),
    ],
)
def test_what_cannot_be_drawn_is_said(run: xr.DataTree, options: FigureOptions, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        binding_figures(run, options)


def test_a_run_without_limits_is_refused() -> None:
    with pytest.raises(InputError, match="no caps and no constraints, so there is nothing to draw"):
        binding_figures(run_of(small_scenario()), FigureOptions())


def test_limits_that_never_bind_are_counted_and_not_labelled() -> None:
    rows = [
        {"subject": "spending", "limit": limit, "year": year, "share": share}
        for limit, share in (("cap", 0.4), ("idle", 0.0), ("other", 0.0))
        for year in (2025, 2030)
    ]
    said = texts(draw_binding(Table.of_rows(rows), head=Head("", "", RUN)))
    assert "none binds\n(2 of the limits in no year)" in said
    assert "cap" in said
    assert "idle" not in said


def test_a_limit_that_bound_before_says_when() -> None:
    rows = [{"subject": "s", "limit": "cap", "year": 2025 + i, "share": share} for i, share in enumerate((0, 0.6, 0.1))]
    assert "cap\nmost: 60 % in 2026" in texts(draw_binding(Table.of_rows(rows), head=Head("", "", RUN)))


@pytest.mark.parametrize("share", [None, "x", float("nan"), True])
def test_a_table_that_cannot_be_drawn_is_refused(share: object) -> None:
    rows = [{"subject": "s", "limit": "cap", "year": 2025, "share": share}]
    with pytest.raises(InputError, match="share: must be a finite number in every row"):
        draw_binding(Table.of_rows(rows), head=Head("", "", RUN))


def test_labels_stand_apart_however_near_their_ends_are() -> None:
    labels = [EndLabel(50.0 + i / 10, ("1 %",), ("a name", "in two lines")) for i in range(8)]
    middles = label_middles(labels, height=300)
    assert all(second - first >= 33 for first, second in pairwise(middles))
    assert end_labels([], height=10) == []


@pytest.mark.parametrize("share", [0.0, 0.004, 0.5, 0.9999, 1.0])
def test_a_share_is_0_or_100_percent_only_where_it_is(share: float) -> None:
    assert (percent(share) in ("0 %", "100 %")) == (share in (0.0, 1.0))


def test_years_at_the_ends_of_a_range_belong_to_it(run: xr.DataTree) -> None:
    summary = run["summary"].to_dataset()
    assert len(drawn_years(summary, None)) == 21
    assert drawn_years(summary, (2026, 2028)) == [1, 2, 3]
    assert listed(["one"]) == "one"
    assert subtitle(run).startswith("Baseline: largest training run")


@pytest.mark.parametrize("figures", EVERY, ids=lambda figures: figures.__name__)
def test_every_figure_of_a_run_is_complete_and_the_same_every_time(run: xr.DataTree, figures: Any) -> None:
    for figure, again in zip(figures(run, FigureOptions()), figures(run, FigureOptions()), strict=True):
        assert svg_text(figure.chart) == svg_text(again.chart)
        spec = figure.chart
        assert colors_of(spec) <= set(DARK)
        assert any(run.attrs["run_id"] in text for text in texts(figure.chart))
        assert figure.caption.endswith(".")
        assert figure.alt_text.endswith(".")
        assert "nan" not in figure.caption + figure.alt_text
        assert all(figure.tables.values())


@pytest.mark.parametrize("figures", EVERY, ids=lambda figures: figures.__name__)
def test_a_run_of_the_summary_gives_the_same_figures(run: xr.DataTree, figures: Any) -> None:
    alone = simulate(load_scenario("baseline", overrides=["samples=256"]), keep="summary")
    names = [figure.name for figure in figures(run, FigureOptions())]
    assert [figure.name for figure in figures(alone, FigureOptions())] == names


def test_charts_have_the_colours_of_the_palette_only() -> None:
    folder = Path(simulator.__file__).parent
    for path in [*folder.glob("chart_[bcdg][irel]*.py"), *folder.glob("figure_*.py")]:
        assert not re.search(r"#[0-9A-Fa-f]{6}", path.read_text(encoding="utf-8")), path.name
