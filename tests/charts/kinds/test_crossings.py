"""The chart of crossings: curves, what never crosses, intervals."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from simulator import load_scenario, simulate
from simulator.charts.kinds.crossings import CrossingTables, crossing_figures, crossing_tables, draw_crossings
from simulator.charts.spec import FigureOptions, Head
from simulator.errors import InputError
from simulator.runs.groups import RunLabel
from simulator.runs.table import Table
from simulator.testing import run_of, small_scenario
from tests.charts.drawn import tables, texts
from tests.charts.small import mixed_run

RUN = RunLabel("3f9a2c1", "few", seed=1, samples=9)


def thresholds(*levels: float) -> dict[str, Any]:
    return {"thresholds": {f"t{i}": {"effective_compute": 10.0**x, "label": f"T{i}"} for i, x in enumerate(levels)}}


def caption(*levels: float, **changes: Any) -> str:
    (figure,) = crossing_figures(run_of(small_scenario(thresholds(*levels) | changes)), FigureOptions())
    return figure.caption


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return simulate(load_scenario("baseline", overrides=["samples=1024"]))


@pytest.mark.parametrize("keep", ["trajectories", "summary"])
def test_curves_rise_and_hold_every_share_and_every_quantile_that_is_known(keep: Any) -> None:
    run = run_of(small_scenario(thresholds(27, 29, 31)), keep=keep)
    tables = crossing_tables(run, bands=[0.5, 0.9], years=None)
    summary = run["summary"]
    for t, name in enumerate(("t0", "t1", "t2")):
        curve = [(row["year"], row["probability"]) for row in tables.curves.rows() if row["threshold"] == name]
        years, shares = np.array(curve).T
        assert (np.diff(years) >= 0).all()
        assert (np.diff(shares) >= 0).all()
        for year, share in zip(summary["year"].values, summary["crossed"].values[t], strict=True):
            assert shares[years == year][-1] == pytest.approx(share, abs=1e-12)
        median = float(summary["crossing_quantile"].sel(quantile=0.5)[t])
        if np.isfinite(median):
            assert np.interp(median, years, shares) == pytest.approx(0.5, abs=0.01)


def test_a_single_date_is_a_step() -> None:
    run = simulate(load_scenario("essay-2023"))
    tables = crossing_tables(run, bands=[0.9], years=None)
    curve = {(row["year"], row["probability"]) for row in tables.curves.rows() if row["label"] == "1000x GPT-4"}
    (date,) = {row["median"] for row in tables.crossings.rows() if row["label"] == "1000x GPT-4"}
    assert {(date, 0.0), (date, 1.0)} <= curve
    assert {share for year, share in curve if year != date} == {0.0, 1.0}


def test_what_never_crosses_is_said_and_no_bar_repeats_the_colours(run: xr.DataTree) -> None:
    (figure,) = crossing_figures(run, FigureOptions())
    never = {
        str(name): float(share)
        for name, share in zip(run["summary/threshold"].values, run["summary/never"].values, strict=True)
    }
    assert {str(row["threshold"]): row["not_by"] for row in figure.tables[""].rows()} == pytest.approx(never)
    spec = figure.chart
    bars = [row for rows in tables(spec) for row in rows if {"x2", "y2", "color"} <= set(row) and row["y"] == 0]
    assert not bars
    assert "never by 2045" in texts(figure.chart)


def test_a_mixture_has_a_row_for_each_part_with_its_weight(tmp_path: Path) -> None:
    (figure,) = crossing_figures(mixed_run(tmp_path), FigureOptions())
    parts = {row["part"]: round(row["median"], 6) for row in figure.tables["parts"].rows()}
    assert parts == {"slow (75 %)": 2029.0, "fast (25 %)": 2027.0}
    assert {"slow (75 %)", "fast (25 %)", "2029.0", "2027.0"} <= set(texts(figure.chart))


def test_the_title_says_what_is_ahead() -> None:
    assert caption(60, 70).startswith("No threshold ahead is crossed by 2035 in any sample.")
    assert caption(15, 16).startswith("All 2 thresholds are passed in 2025 already.")
    assert caption(15).startswith("The threshold is passed in 2025 already.")
    assert caption(28).startswith("Even odds of T0 in 20")
    assert "; T1 < 0.58 % by 2035." in caption(28, 60)
    fixed = {"drivers.compute.start": {"value": 1e26, "unit": "FLOP"}, "drivers.compute.growth": "10x/year"}
    assert caption(28.5, **fixed).startswith("Crossed: T0 in 2027.")


def test_without_even_odds_the_title_says_the_chances() -> None:
    assert caption(31.5, 60).startswith("Crossed: T0 ")
    assert caption(31.5).startswith("Crossed: T0 ")


def test_years_that_end_before_the_horizon_say_not_rather_than_never(run: xr.DataTree) -> None:
    (figure,) = crossing_figures(run, FigureOptions(years=(2026, 2032)))
    said = texts(figure.chart)
    assert "not by 2032" in said
    assert not any("never" in text for text in said)
    assert all(2026 <= float(row["year"]) <= 2032 for row in figure.tables["probability"].rows())
    shares = run["summary/crossed"].sel(year=2032)
    assert sorted(float(row["not_by"]) for row in figure.tables[""].rows()) == pytest.approx(sorted(1 - shares.values))


def test_the_narrowest_and_the_widest_band_are_the_intervals(run: xr.DataTree) -> None:
    (figure,) = crossing_figures(run, FigureOptions(bands=(0.6, 0.3, 0.9)))
    assert {"30 %", "90 % of the samples"} <= set(texts(figure.chart))
    quantiles = run["summary/crossing_quantile"].sel(threshold="1000x-gpt-4")
    (row,) = [row for row in figure.tables[""].rows() if row["threshold"] == "1000x-gpt-4"]
    assert row["narrow_lower"] == float(quantiles.sel(quantile=0.35))
    assert row["wide_upper"] == float(quantiles.sel(quantile=0.95))


def test_twelve_long_names_have_a_mark_each_and_do_not_touch() -> None:
    data = {f"t{i}": {"effective_compute": 10.0 ** (26.5 + i / 10), "label": f"a long label of forty characters no. {i}"}
            for i in range(12)}  # fmt: skip
    (figure,) = crossing_figures(run_of(small_scenario({"thresholds": data})), FigureOptions())
    rows = [row for rows in tables(figure.chart) for row in rows]
    labels = [row for row in rows if "text" in row and "forty" in str(row["text"])]
    for x in {row["x"] for row in labels}:
        blocks = sorted(
            (row["y"], row["y"] + 15 * (str(row["text"]).count("\n") + 1)) for row in labels if row["x"] == x
        )
        assert len(blocks) == 12
        assert all(end <= start for (_, end), (start, _) in pairwise(blocks))
    assert len({(row["shape"], row["fill"] == row["color"]) for row in rows if "shape" in row}) == 12


def test_what_is_above_at_the_start_says_so() -> None:
    said = texts(crossing_figures(run_of(small_scenario(thresholds(20))), FigureOptions())[0].chart)
    assert said.count("≤ 2025") == 2


def test_a_run_without_thresholds_is_refused() -> None:
    with pytest.raises(InputError, match="no thresholds, so nothing can be crossed"):
        crossing_figures(run_of(small_scenario()), FigureOptions())
    with pytest.raises(InputError, match="there are no thresholds to draw"):
        draw_crossings(CrossingTables(Table({}), Table({})), head=Head("", "", RUN))


@pytest.mark.parametrize("bands", [(), (0.67,)])
def test_bands_that_cannot_be_had_are_refused(run: xr.DataTree, bands: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="bands: "):
        crossing_figures(run, FigureOptions(bands=bands))


def test_what_all_or_none_of_few_samples_cross_is_bounded() -> None:
    (figure,) = crossing_figures(run_of(small_scenario(thresholds(28, 60) | {"samples": 40})), FigureOptions())
    # T0 is crossed by all of 40 samples, T1 by none: 1 - 0.05^(1/40) = 7.2 %
    assert [row["samples"] for row in figure.tables[""].rows()] == [40, 40]
    labels, rows = (texts(view) for view in figure.chart["vconcat"][:2])
    assert {"> 92.8 %", "< 7.2 %"} <= set(labels) & set(rows)
    assert not {"0 %", "100 %"} & set(rows)
    assert "In 2035: T0 > 92.8 % and T1 < 7.2 %." in figure.alt_text


def test_shares_of_fixed_numbers_are_exact() -> None:
    fixed = {"drivers.compute.start": {"value": 1e26, "unit": "FLOP"}, "drivers.compute.growth": "10x/year"}
    data = small_scenario(thresholds(28, 60) | fixed | {"drivers.algorithms.growth": "2x/year"})
    (figure,) = crossing_figures(run_of(data), FigureOptions())
    assert "In 2035: T0 100 % and T1 0 %." in figure.alt_text
