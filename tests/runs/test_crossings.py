"""Crossing years that are read off a run, and questions by date."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simulator import crossing_years
from simulator.errors import InputError
from simulator.runs.crossings import by_year_lines, crossed_by, likely_line
from simulator.runs.summary import by_date_lines, summary_lines
from simulator.testing import run_of, small_scenario


@pytest.fixture(scope="module")
def grown() -> xr.DataTree:
    return run_of(small_scenario({
        "drivers": {
            "spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": {"uniform": [2, 4], "unit": "x/year"}},
            "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "1.4x/year"},
        },
        "thresholds": {"far": {"effective_compute": 3e30}, "rich": {"spending": 1e10}},
    }))  # fmt: skip


def test_a_declared_threshold_is_given_by_name(grown: xr.DataTree) -> None:
    found = crossing_years(grown, "rich")
    assert found.dims == ("sample",)
    np.testing.assert_array_equal(found, grown["crossings/crossing_year"].sel(threshold="rich"))
    growth = grown["parameters/drivers.spending.growth"].values
    exact = np.where(2025 + 2 / growth <= 2035, 2025 + 2 / growth, np.inf)
    np.testing.assert_allclose(found, exact, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "level", "quantity"), [("far", 3e30, "effective_compute"), ("rich", 1e10, "spending")]
)
def test_any_level_is_crossed_as_a_declared_one_is(grown: xr.DataTree, name: str, level: float, quantity: str) -> None:
    declared, free = crossing_years(grown, name).values, crossing_years(grown, level, quantity=quantity)
    assert free.attrs["units"] == "year"
    np.testing.assert_array_equal(np.isinf(free), np.isinf(declared))
    finite = np.isfinite(declared)
    np.testing.assert_allclose(free.values[finite], declared[finite], rtol=0, atol=2e-5)  # levels are kept in float32


def test_a_level_long_passed_is_crossed_at_the_start_and_one_too_far_never(grown: xr.DataTree) -> None:
    assert (crossing_years(grown, 1e10) == 2025).all()
    assert np.isposinf(crossing_years(grown, 1e60)).all()


@pytest.mark.parametrize(
    ("threshold", "options", "words"),
    [
        ("farr", {}, "the run has no threshold 'farr'. Did you mean 'far'?"),
        ("x", {}, "the run has no threshold 'x'. There are: far, rich."),
        (1e30, {"quantity": "spendin"}, "the run has no variable 'spendin'. Did you mean 'spending'?"),
        (0.0, {}, "a threshold must be above 0; got 0.0."),
        (-1.0, {}, "a threshold must be above 0; got -1.0."),
        (float("nan"), {}, "a threshold must be above 0; got nan."),
    ],
)
def test_what_is_not_there_is_named(
    grown: xr.DataTree, threshold: str | float, options: dict[str, str], words: str
) -> None:
    with pytest.raises(InputError) as caught:
        crossing_years(grown, threshold, **options)
    assert str(caught.value) == words


def test_a_run_without_samples_or_thresholds_says_so() -> None:
    summary = run_of(small_scenario({"thresholds.a": {"effective_compute": 1e30}}), keep="summary")
    for threshold in ("a", 1e30):
        with pytest.raises(InputError, match=r"kept its summary only .* Run it again with --keep trajectories"):
            crossing_years(summary, threshold)
    with pytest.raises(InputError, match="declares no thresholds"):
        crossing_years(run_of(small_scenario()), "a")


THRESHOLDS = {
    "passed": {"effective_compute": 1e20},
    "near": {"effective_compute": 1e28, "label": "1e28 run"},
    "beyond": {"effective_compute": 1e60},
}


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return run_of(small_scenario({"samples": 1024, "thresholds": THRESHOLDS}))


@pytest.fixture(scope="module")
def summary(run: xr.DataTree) -> xr.DataTree:
    """The same run, without its samples."""
    return xr.DataTree(run.dataset, {"summary": run.children["summary"].copy()})


def test_crossings_are_counted_to_the_day(run: xr.DataTree) -> None:
    years = run["crossings/crossing_year"].sel(threshold="near").values
    middle = float(np.median(years))
    table = crossed_by(run, [middle, middle + 0.01, "mid-2029"], threshold="near")
    counted = [(years <= each).mean() for each in (middle, middle + 0.01, 2029.5)]
    np.testing.assert_array_equal(table["probability"], counted)
    assert counted[1] > counted[0]


def test_by_the_end_of_a_year_is_the_row_of_the_next_year(run: xr.DataTree, summary: xr.DataTree) -> None:
    stored = float(run["summary/crossed"].sel(threshold="near", year=2029.0))
    for each in (run, summary):
        for date in ("end of 2028", "2029", 2029, "2029-01-01"):
            row = crossed_by(each, date, threshold="near").rows()[0]
            assert (row["probability"], row["by"]) == (stored, "by the end of 2028")


def test_the_years_of_a_run_are_answered_without_reading_its_samples(summary: xr.DataTree) -> None:
    unread = xr.DataTree(summary.dataset, {**summary.children, "crossings": xr.DataTree()})
    assert crossed_by(unread) == crossed_by(summary)
    assert by_date_lines(unread, "2028") == by_date_lines(summary, "2028")
    with pytest.raises(KeyError):
        crossed_by(unread, "2028-04")


def test_without_samples_a_date_is_read_between_the_years_and_that_is_said(
    run: xr.DataTree, summary: xr.DataTree
) -> None:
    ends = run["summary/crossed"].sel(threshold="near", year=[2028.0, 2029.0]).values
    found = crossed_by(summary, 2028.25, threshold="near")["probability"]
    assert found.tolist() == [pytest.approx(0.75 * ends[0] + 0.25 * ends[1], rel=1e-12)]
    assert "no samples were kept" in by_date_lines(summary, "2028-04", threshold="near")[-1]
    assert not any("straight" in line for line in by_date_lines(run, "2028-04", threshold="near"))
    assert "levels, in log10" in by_date_lines(run, "2028-04")[-1]
    assert not any("straight" in line for line in by_date_lines(run, "2028"))


def test_a_level_by_date_has_the_words_that_the_summary_has() -> None:
    ratio = {"start": 3, "growth": [{"rate": "2x/year"}], "label": "share of chips"}
    asked = {"quantities": {"ratio": ratio}, "thresholds": {"ten": {"quantity": "ratio", "level": 10}}, "samples": 64}
    run = run_of(small_scenario(asked))
    level = by_date_lines(run, "2030")[1]
    assert level == "  share of chips 96"
    assert any(line.startswith(f"  2030.0 (end of 2029){level}, log10 ") for line in summary_lines(run))


def test_a_date_is_answered_in_words(run: xr.DataTree) -> None:
    head, level, *lines = by_date_lines(run, "2028-12-31")
    assert head.endswith("at 2028-12-31")
    assert level.startswith("  physical compute ")
    assert [line.partition(")")[0] for line in lines[:3]] == [
        "  P(passed by 2028-12-31", "  P(1e28 run by 2028-12-31", "  P(beyond by 2028-12-31",
    ]  # fmt: skip
    told = by_year_lines(run, "near")
    assert told[0] == "1e28 run: crossed"
    assert told[1].startswith("  by the end of 2024: ")


def test_the_summary_tells_the_first_threshold_that_is_not_sure_yet(run: xr.DataTree) -> None:
    [line] = [line for line in summary_lines(run) if line.startswith("  P(")]
    likely = crossed_by(run, threshold="near")
    rows = [row for row in likely.rows() if row["year"] % 1 == 0]
    nearest = min(rows, key=lambda row: abs(row["probability"] - 0.5))
    assert line.startswith(f"  P(1e28 run {nearest['by']}) {100 * nearest['probability']:.0f}"[:-1])
    unlikely = run_of(small_scenario({"samples": 64, "thresholds": {"beyond": THRESHOLDS["beyond"]}}))
    assert likely_line(unlikely, passed=0.995) == ""
    assert likely_line(run_of(small_scenario({"samples": 8, "thresholds": {}})), passed=0.995) == ""


@pytest.mark.parametrize(
    ("date", "threshold", "said"),
    [
        ("soon", "", "must be a year or a date"),
        ("2060", "", r"2060.0 \(end of 2059\) lies outside the years of the run"),
        ("2028", "naer", "Did you mean 'near'"),
    ],
)
def test_what_a_run_cannot_answer_is_refused(run: xr.DataTree, date: str, threshold: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        crossed_by(run, date, threshold=threshold)
