"""Several fans in one figure."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xarray as xr

from simulator.charts.fan_tables import read_fan
from simulator.charts.kinds.fan import PANEL_WIDTH, Panel, draw_panels, fan_figures
from simulator.charts.spec import Figure, FigureOptions
from simulator.errors import InputError
from simulator.runs.summary import quantiles
from simulator.testing import run_of
from tests.charts.small import PANEL, RUN, fan, scenario, tables_of, threshold


def panels_of(panels: list[Panel], **options: Any) -> list[dict[str, Any]]:
    spec = draw_panels(panels, title="What is seen", subtitle="of what", run=RUN, **options)
    return [panel for row in spec["vconcat"] if "hconcat" in row for panel in row["hconcat"]]


def words(panel: dict[str, Any]) -> list[str]:
    return [row["text"] for layer in panel["layer"] for row in layer["data"]["values"] if "text" in row]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_panels_stand_two_in_a_row(count: int) -> None:
    spec = draw_panels([PANEL] * count, title="t", subtitle="", run=RUN)
    rows = [len(view["hconcat"]) for view in spec["vconcat"] if "hconcat" in view]
    assert sum(rows) == count
    assert all(length == 2 for length in rows[:-1])


def test_panels_share_the_years_and_the_height_and_have_scales_of_their_own() -> None:
    other = replace(PANEL, tables=fan(rate=1.5))
    one, two = panels_of([PANEL, other])
    axes = [panel["layer"][0]["encoding"] for panel in (one, two)]
    assert axes[0]["x"]["scale"] == axes[1]["x"]["scale"]
    assert axes[0]["y"]["scale"] != axes[1]["y"]["scale"]
    assert one["height"] == two["height"]


def test_a_panel_says_its_name_its_unit_and_what_is_seen() -> None:
    (panel,) = panels_of([PANEL])
    assert {"Quantity, FLOP", "2045: median 3e32 FLOP", "label of gpt-4"} <= set(words(panel))


def test_a_panel_labels_its_own_thresholds_alone() -> None:
    (panel,) = panels_of([replace(PANEL, quantity="another")])
    assert not [text for text in words(panel) if text.startswith("label of")]


@pytest.mark.parametrize("spacing", [0.0, 0.1, 3.0])
def test_labels_of_many_thresholds_do_not_overlap(spacing: float) -> None:
    many = [
        threshold(str(i), 27 + spacing * i, quantity="q") | {"label": f"{i} is a threshold whose name is forty letters"}
        for i in range(12)
    ]
    (panel,) = panels_of([replace(PANEL, tables=fan(many))])
    labels = sorted(
        (row["y"], row["y"] + 15 * row["text"].count("\n"))
        for layer in panel["layer"]
        for row in layer["data"]["values"]
        if " is a thr" in row.get("text", "") and row["x"] > PANEL_WIDTH
    )
    assert len(labels) == 12
    assert all(last + 14 <= first for (_, last), (first, _) in pairwise(labels))
    assert labels[-1][1] <= panel["height"] + 15


def test_a_long_name_is_cut_to_its_panel() -> None:
    (panel,) = panels_of([replace(PANEL, label="a very long name of a quantity " * 6)])
    (heading,) = [text for text in words(panel) if text.startswith("a very long")]
    assert heading.endswith("…")
    assert len(heading) < 100


def test_a_fan_of_no_width_is_drawn() -> None:
    flat = tables_of([{"year": 2025, "median": 3.0}, {"year": 2045, "median": 3.0}], [])
    (panel,) = panels_of([replace(PANEL, tables=flat)])
    low, high = panel["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert low < 3.0 < high


OPTIONS = FigureOptions()
POINTS = (
    {"date": 2012.7, "value": 4.7e17, "label": "AlexNet"},
    {"date": 2023.2, "value": 2.1e25, "label": "GPT-4"},
)


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return run_of(scenario())


@pytest.fixture(scope="module")
def summary() -> xr.DataTree:
    return run_of(scenario(), keep="summary")


def only(run: xr.DataTree, **options: Any) -> Figure:
    (figure,) = fan_figures(run, replace(OPTIONS, **options))
    return figure


def test_the_table_holds_the_quantiles_of_the_run(run: xr.DataTree) -> None:
    table = only(run, quantities=("spending",), bands=(0.9,)).tables[""].rows()
    known = run["summary/spending"]
    assert [row["year"] for row in table] == known["year"].values.tolist()
    for key, level in (("median", 0.5), ("lower_90", 0.05), ("upper_90", 0.95)):
        assert [row[key] for row in table] == known.sel(quantile=level).values.tolist()
    assert {row["unit"] for row in table} == {"log10(USD)"}


@pytest.mark.parametrize("bands", [(0.3, 0.6, 0.9), (0.66, 0.9), (0.5, 0.95)])
def test_the_usual_bands_are_in_every_summary(summary: xr.DataTree, bands: tuple[float, ...]) -> None:
    drawn = read_fan(summary, "effective_compute", replace(OPTIONS, bands=bands)).tables.bands.rows()
    assert list(dict.fromkeys(row["band"] for row in drawn)) == [f"{100 * band:g} %" for band in reversed(bands)]


def test_another_band_is_read_off_the_samples(run: xr.DataTree) -> None:
    drawn = read_fan(run, "spending", replace(OPTIONS, bands=(0.67,))).tables.bands.rows()
    expected = quantiles(run["trajectories/spending"], [0.165, 0.835]).values
    np.testing.assert_allclose([row["lower"] for row in drawn], expected[0], rtol=1e-12)
    np.testing.assert_allclose([row["upper"] for row in drawn], expected[1], rtol=1e-12)


def test_without_samples_the_bands_that_can_be_had_are_named(summary: xr.DataTree) -> None:
    with pytest.raises(InputError, match=r"a band of 67 % .* it has 10, 20, 30, .* 66, 70, 80, 90, 95, 98 %") as fault:
        only(summary, bands=(0.67,))
    assert "--keep trajectories" in str(fault.value)


@pytest.mark.parametrize("bands", [(), (0.1, 0.2, 0.3, 0.4), (1.0,), (0.0, 0.5)])
def test_bands_must_be_one_to_three_shares(run: xr.DataTree, bands: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="--bands: must be one to three levels"):
        only(run, bands=bands)


def test_any_variable_of_the_summary_can_be_drawn_and_others_are_named(run: xr.DataTree) -> None:
    for name in ("hardware", "algorithms", "capability", "physical_compute"):
        assert only(run, quantities=(name,)).name == f"fan_{name}"
    with pytest.raises(InputError, match="Did you mean 'spending'"):
        only(run, quantities=("spendin",))


def test_paths_are_the_first_samples(run: xr.DataTree) -> None:
    rows = only(run, quantities=("spending",), paths=3).tables["paths"].rows()
    drawn = np.array([row["value"] for row in rows]).reshape(3, -1)
    assert (drawn == run["trajectories/spending"].values[:3]).all()


def test_paths_need_samples_and_enough_of_them(run: xr.DataTree, summary: xr.DataTree) -> None:
    with pytest.raises(InputError, match=r"kept its summary only .* --keep trajectories"):
        only(summary, paths=5)
    with pytest.raises(InputError, match="--paths: must be 0 to 200"):
        only(run, paths=201)
    few = run_of(scenario(samples=16))
    with pytest.raises(InputError, match="the run has 16 samples; got 17"):
        only(few, paths=17)


def test_years_cut_the_tables_and_the_axis_but_not_the_run(run: xr.DataTree) -> None:
    figure = only(run, years=(2028.0, 2031.2))
    assert [row["year"] for row in figure.tables[""].rows()] == [2028.0, 2029.0, 2030.0, 2031.0]
    assert figure.tables["crossings"].rows()[0]["last_year"] == 2035.0
    assert "in 2031" in figure.chart["title"]["text"][0]
    with pytest.raises(
        InputError, match=r"two or more years of the run, which has 11 from 2025 to 2035; got 2050-2060"
    ):
        only(run, years=(2050.0, 2060.0))


def test_observed_runs_are_drawn_in_log10(run: xr.DataTree) -> None:
    figure = only(run, quantities=("physical_compute",), history=POINTS)
    assert [row["value"] for row in figure.tables["history"].rows()] == [math.log10(4.7e17), math.log10(2.1e25)]
    text = json.dumps(figure.chart, ensure_ascii=False)
    assert "AlexNet" in text
    assert "observed (2)" in figure.caption


def test_observed_runs_belong_to_one_quantity_and_are_above_zero_on_a_log_scale(run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="--history: observed runs are drawn on one quantity; got 2"):
        only(run, quantities=("spending", "hardware"), history=POINTS)
    zero = ({"date": 2020.0, "value": 0.0, "label": "none"},)
    with pytest.raises(InputError, match=r"must be above 0; got .*none"):
        only(run, history=zero)
    assert only(run, quantities=("capability",), history=zero).tables["history"].rows()[0]["value"] == 0.0


def test_observed_runs_outside_the_years_are_left_out(run: xr.DataTree) -> None:
    figure = only(run, history=POINTS, years=(2020.0, 2030.0))
    assert [row["label"] for row in figure.tables["history"].rows()] == ["GPT-4"]
    (domain,) = {
        tuple(layer["encoding"]["x"]["scale"]["domain"])
        for layer in figure.chart["vconcat"][0]["layer"]
        if layer["encoding"]["x"].get("scale")
    }
    assert domain == (2020.0, 2030.0)


def test_a_fan_of_effective_compute_shows_every_crossing_and_others_their_own(run: xr.DataTree) -> None:
    assert [row["threshold"] for row in only(run).tables["crossings"].rows()] == ["a", "rich"]
    assert [row["threshold"] for row in only(run, quantities=("spending",)).tables["crossings"].rows()] == ["rich"]
    assert "crossings" not in only(run, quantities=("hardware",)).tables


def test_several_quantities_share_one_figure_and_one_table(run: xr.DataTree) -> None:
    figure = only(run, quantities=("spending", "hardware", "spending"), bands=(0.9,))
    assert figure.name == "fan_spending_and_hardware"
    assert [row["variable"] for row in figure.tables[""].rows()] == ["spending"] * 11 + ["hardware"] * 11
    assert figure.alt_text.startswith("2 fan charts")
    with pytest.raises(InputError, match="one figure holds up to 6 fans; got 7"):
        only(run, quantities=("spending", "hardware", "algorithms", "capability", "effective_compute",
                              "physical_compute", "spending_demanded"))  # fmt: skip


def test_the_words_quote_the_table(run: xr.DataTree) -> None:
    figure = only(run)
    assert "The median of effective compute rises from 1e26 FLOP in 2025 to" in figure.caption
    assert "90 % of the samples end at" in figure.caption
    assert "The median crosses Thirty in 20" in figure.caption
    assert figure.alt_text.startswith("Fan chart of a median and bands of 50 %, 80 % and 90 % of the samples")
    assert figure.alt_text.count(". ") <= 3


def test_what_most_samples_do_not_cross_is_said(run: xr.DataTree) -> None:
    far = run_of(scenario(thresholds={"far": {"effective_compute": 1e60, "label": "Far"}}))
    assert "Not crossed by 2035: Far in 100 % of the samples." in only(far).caption


def test_a_run_without_spread_says_so_and_has_no_bands() -> None:
    drivers = {"spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": 2},
               "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": 1.4}, "algorithms": {"growth": 3}}  # fmt: skip
    figure = only(run_of(scenario(drivers=drivers)))
    assert "without any spread" in figure.caption
    assert "fixed: there is no spread" in json.dumps(figure.chart)
    assert set(figure.tables[""].rows()[0]) == {"variable", "unit", "year", "median"}


def test_a_capability_is_drawn_in_its_own_unit(run: xr.DataTree) -> None:
    figure = only(run, quantities=("capability",))
    assert {row["unit"] for row in figure.tables[""].rows()} == {run["summary/capability"].attrs["units"]}
    assert "plain scale" in figure.alt_text


def test_a_summary_of_a_streamed_run_has_certain_thresholds(summary: xr.DataTree) -> None:
    rows = read_fan(summary, "effective_compute", OPTIONS).tables.thresholds.rows()
    assert not any("lower" in row for row in rows)


def test_the_same_run_gives_the_same_words_and_spec(run: xr.DataTree) -> None:
    one, two = only(run, paths=2), only(run, paths=2)
    assert (one.caption, one.alt_text) == (two.caption, two.alt_text)
    assert one.chart == two.chart
