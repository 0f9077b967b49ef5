"""The charts of limits, and what the figures of a run share."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import simulator
from simulator import load_scenario, simulate
from simulator.charts.kinds.crossings import crossing_figures
from simulator.charts.kinds.growth import growth_figures
from simulator.charts.kinds.limits import (
    DemandTables,
    binding_figures,
    demand_figures,
    demand_tables,
    draw_binding,
    draw_demand,
    within,
)
from simulator.charts.layout import EndLabel, end_labels, label_middles
from simulator.charts.reading import central_levels, drawn_years, subtitle
from simulator.charts.spec import FigureOptions, Head
from simulator.charts.style import DARK
from simulator.charts.writing import svg_text
from simulator.errors import InputError
from simulator.runs.groups import RunLabel
from simulator.runs.table import Table
from simulator.testing import run_of, small_scenario
from simulator.wording import listed, percent, share_text
from tests.charts.drawn import colors_of, texts

RUN = RunLabel("3f9a2c1", "few", seed=1, samples=9)
EVERY = (crossing_figures, growth_figures, binding_figures, demand_figures)


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return simulate(load_scenario("baseline-2025", overrides=["samples=1024"]))


def test_shares_and_the_rest_are_labelled_at_the_right_end(run: xr.DataTree) -> None:
    (figure,) = binding_figures(run, FigureOptions())
    shares = run["summary/binding_spending_share"].sel(limit_spending="cash-flow").values
    said = texts(figure.chart)
    end = share_text(shares[-1], 1024)
    for text in ("limits on spending", "limits on physical compute", "headroom of algorithms", "none binds", end):
        assert text in said, text
    assert figure.tables[""].rows()[0].keys() == {
        "subject",
        "subject_label",
        "limit",
        "label",
        "year",
        "share",
        "samples",
    }
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
        {
            "subject": "spending",
            "subject_label": "spending",
            "label": limit,
            "year": year,
            "share": share,
            "samples": 1000,
        }
        for limit, share in (("cap", 0.4), ("idle", 0.0), ("other", 0.0))
        for year in (2025, 2030)
    ]
    said = texts(draw_binding(Table.of_rows(rows), head=Head("", "", RUN)))
    assert "none binds\n(2 of the limits in no year)" in said
    assert "cap" in said
    assert "idle" not in said


def test_a_limit_that_bound_before_says_when() -> None:
    row = {"subject": "s", "subject_label": "s", "label": "cap", "samples": 1000}
    rows = [row | {"year": 2025 + i, "share": share} for i, share in enumerate((0, 1, 0.1))]
    assert "cap\nmost: > 99.7 % in 2026" in texts(draw_binding(Table.of_rows(rows), head=Head("", "", RUN)))


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
    assert subtitle(run).startswith("Baseline of 2025: largest training run")


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
    alone = simulate(load_scenario("baseline-2025", overrides=["samples=256"]), keep="summary")
    names = [figure.name for figure in figures(run, FigureOptions())]
    assert [figure.name for figure in figures(alone, FigureOptions())] == names


def test_charts_have_the_colours_of_the_palette_only() -> None:
    folder = Path(simulator.__file__).parent
    for path in [*folder.glob("chart_[bcdg][irel]*.py"), *folder.glob("figure_*.py")]:
        assert not re.search(r"#[0-9A-Fa-f]{6}", path.read_text(encoding="utf-8")), path.name


def test_limits_never_leave_more_than_is_demanded(run: xr.DataTree) -> None:
    tables = demand_tables(run, "spending", bands=[0.9], years=None)
    demanded, limited = ([row for row in tables.bands.rows() if row["series"] == s] for s in ("demanded", "limited"))
    for above, below in zip(demanded, limited, strict=True):
        assert below["lower"] <= above["lower"]
        assert below["upper"] <= above["upper"]


def test_each_subject_with_limits_has_a_figure_with_its_limits(run: xr.DataTree) -> None:
    figures = {figure.name: figure for figure in demand_figures(run, FigureOptions())}
    inner = "demand_quantity_flop_per_joule_product_1"
    assert list(figures) == ["demand_spending", "demand_physical_compute", "demand_algorithms", inner]
    assert "limit: physics of CMOS chips" in texts(figures[inner].chart)
    said = texts(figures["demand_physical_compute"].chart)
    assert {"demanded", "within limits", "limit: electric power"} <= set(said)
    assert any(text.endswith("limit: training data") for text in said)
    assert "before limits on compute" in figures["demand_physical_compute"].caption
    assert "lower the median of spending in 2045 by" in figures["demand_spending"].caption


def test_bands_years_and_subjects_can_be_chosen(run: xr.DataTree) -> None:
    options = FigureOptions(quantities=("spending",), bands=(0.5, 0.95), years=(2027, 2030))
    (figure,) = demand_figures(run, options)
    assert [row["band"] for row in figure.tables["bands"].rows()][::4] == ["95 %", "50 %", "95 %", "50 %"]
    assert "95 % of the samples" in texts(figure.chart)
    assert {row["year"] for row in figure.tables[""].rows()} == {2027, 2028, 2029, 2030}
    assert "in 2030 by" in figure.caption


def test_a_run_without_spread_has_lines_and_no_bands() -> None:
    (figure,) = demand_figures(simulate(load_scenario("essay-2023")), FigureOptions())
    said = texts(figure.chart)
    assert "demanded: median" in said
    assert not any("of the samples" in text for text in said)


def test_a_limit_far_off_does_not_flatten_the_fans() -> None:
    caps = {"near": {"limit": {"value": 1e28, "unit": "FLOP"}}, "far": {"limit": {"value": 1e80, "unit": "FLOP"}}}
    data = small_scenario({"drivers.compute.caps": {name: {"kind": "hard", **cap} for name, cap in caps.items()}})
    (figure,) = demand_figures(run_of(data), FigureOptions())
    assert "▲ limit: far" in texts(figure.chart)
    assert "limit: near" in texts(figure.chart)


@pytest.mark.parametrize("band", [0.67, 0.0, 1.0, -0.5])
def test_a_band_that_the_summary_does_not_hold_is_refused_with_those_it_holds(band: float) -> None:
    with pytest.raises(InputError, match=r"bands: .*it holds those of 50, 90 %\. Choose among these"):
        central_levels([0.05, 0.25, 0.5, 0.75, 0.95, 0.99], band)


def test_more_bands_than_can_be_told_apart_are_refused(run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="one to three"):
        demand_figures(run, FigureOptions(bands=(0.1, 0.3, 0.5, 0.9)))
    with pytest.raises(InputError, match="bands: "):
        demand_figures(run, FigureOptions(bands=()))


def test_a_single_year_is_refused() -> None:
    medians = [{"series": s, "year": 2025, "median": 9.0} for s in ("demanded", "limited")]
    with pytest.raises(InputError, match="two or more years; got 1"):
        draw_demand(DemandTables(Table.of_rows(medians)), name="", unit="FLOP", head=Head("", "", RUN))


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=8))
def test_a_path_is_cut_to_the_axis_and_keeps_what_lies_within(levels: list[float]) -> None:
    path = [(2025.0 + place, level) for place, level in enumerate(levels)]
    pieces = within(path, lower=-1.0, upper=1.0)
    assert all(-1 - 1e-9 <= level <= 1 + 1e-9 for piece in pieces for _, level in piece)
    assert all(first[0] < second[0] for piece in pieces for first, second in pairwise(piece))
    kept = {point for piece in pieces for point in piece}
    for before, point, after in zip(path, path[1:], path[2:], strict=False):
        if all(abs(level) < 0.999 for _, level in (before, point, after)):
            assert point in kept


def test_a_path_off_the_axis_is_not_drawn() -> None:
    assert within([(2025, 5.0), (2030, 5.0)], lower=0.0, upper=1.0) == []
    assert within([(2025, 0.5), (2030, 0.5)], lower=0.0, upper=1.0) == [[(2025, 0.5), (2030, 0.5)]]
