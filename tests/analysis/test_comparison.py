"""Results of runs held against one another."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr, ndtri

from simulator import load_scenario, simulate
from simulator.analysis.attribution import CROSSED, MEDIAN_YEAR
from simulator.analysis.comparison import LINE_WIDTH, NEVER, Comparison, compare_runs, on_common_draws
from simulator.errors import InputError
from simulator.testing import run_of, small_scenario

THRESHOLDS = {"near": {"effective_compute": 1e28}, "far": {"effective_compute": 1e50}}


def small(changes: dict[str, Any] | None = None, **options: Any) -> xr.DataTree:
    data = {"samples": 4096, "thresholds": THRESHOLDS, **(changes or {})}
    return run_of(small_scenario(data), **options)


@pytest.fixture(scope="module")
def plain() -> xr.DataTree:
    return small()


@pytest.fixture(scope="module")
def faster() -> xr.DataTree:
    return small({"name": "faster", "drivers.compute.growth.mean": 0.6})


def pick(rows: list[dict[str, Any]], run: str, **known: object) -> dict[str, Any]:
    (row,) = [row for row in rows if row["run"] == run and all(row[key] == value for key, value in known.items())]
    return row


def test_a_run_differs_from_itself_by_exactly_nothing(plain: xr.DataTree) -> None:
    rows = [row for row in compare_runs([plain, small()], labels=["a", "b"]).results.rows() if row["run"] == "b"]
    assert {row["difference"] for row in rows if math.isfinite(float(str(row["value"])))} == {0.0}
    assert {row["difference_error"] for row in rows if row["difference"] is not None} == {0.0}
    assert {row["said"] for row in rows} == {"no difference", "both > 2035"}


def test_a_shift_of_every_sample_is_known_to_one_sample_on_common_draws(plain: xr.DataTree) -> None:
    shifted = small(
        {"name": "shifted", "drivers.compute.start.median": 1e27, "drivers.compute.start.interval_90": [2.5e26, 4e27]}
    )
    rows = compare_runs([plain, shifted]).results.rows()
    row = pick(rows, "shifted", quantity="effective_compute", statistic="median", year=2035.0)
    assert row["difference"] == pytest.approx(1.0, abs=1e-5)
    assert 0.0 < row["difference_error"] < 0.1 * row["standard_error"]
    assert row["draws"] == "common"
    assert row["said"] == "+1.00 ± <0.01 OOM"


def test_twice_its_error_holds_a_difference_on_common_draws() -> None:
    # log10 of effective compute in 2030 is normal: mean 28.5, variance that of the start and of five years of growth.
    start = math.log10(4e26 / 2.5e25) / (2 * ndtri(0.95))
    spreads = [math.hypot(start, 5 * sd) for sd in (0.1, 0.2)]
    held = []
    for seed in range(10):
        pair = [
            small({"seed": seed, "name": f"sd-{round(10 * sd)}", "drivers.compute.growth.sd": sd}) for sd in (0.1, 0.2)
        ]
        rows = compare_runs(pair).results.rows()
        for statistic, level in (("5 % quantile", 0.05), ("median", 0.5), ("95 % quantile", 0.95)):
            row = pick(rows, "sd-2", quantity="effective_compute", statistic=statistic, year=2030.0)
            assert row["draws"] == "common"
            held.append(
                abs(row["difference"] - (spreads[1] - spreads[0]) * ndtri(level)) <= 2 * row["difference_error"]
            )
        when = {row["run"]: row for row in rows if row["statistic"] == MEDIAN_YEAR and row["quantity"] == "near"}
        held.append(abs(when["sd-2"]["difference"]) <= 2 * when["sd-2"]["difference_error"])  # both 2029
        shares = [ndtr((28.5 - 28.0) / spread) for spread in spreads]
        row = pick(rows, "sd-2", quantity="near", statistic=CROSSED, year=2030.0)
        held.append(abs(row["difference"] - (shares[1] - shares[0])) <= 2 * row["difference_error"])
    assert len(held) == 50
    assert sum(held) >= 43  # of 50 at 95.4 % each, fewer in one case of 300


def test_errors_of_other_draws_add_up_in_squares(plain: xr.DataTree) -> None:
    for other in (small({"seed": 5, "name": "other"}), small({"name": "other"}, keep="summary")):
        assert not on_common_draws(plain, other)
        rows = compare_runs([plain, other]).results.rows()
        errors = [pick(rows, run, statistic="median", quantity="effective_compute", year=2035.0)["standard_error"]
                  for run in ("small", "other")]  # fmt: skip
        row = pick(rows, "other", statistic="median", quantity="effective_compute", year=2035.0)
        assert row["difference_error"] == pytest.approx(math.hypot(*errors))
        assert row["draws"] == "independent"


def test_an_input_is_told_by_its_label_beside_its_path(plain: xr.DataTree) -> None:
    rate = {"mean": 0.6, "sd": 0.1, "unit": "OOM/year", "label": "growth of the largest run"}
    found = compare_runs([plain, small({"name": "other", "drivers.compute.growth": rate})])
    (row,) = found.inputs.where(kind="number").rows()
    assert (row["path"], row["label"]) == ("drivers.compute.growth", "growth of the largest run")
    (line,) = [line for line in found.lines() if "growth of the largest run" in line]
    assert line.startswith("  growth of the largest run: ")
    assert line.endswith("  [drivers.compute.growth]")


def test_crossings_are_compared_with_censoring_in_words(plain: xr.DataTree, faster: xr.DataTree) -> None:
    rows = compare_runs([plain, faster]).results.rows()
    near = pick(rows, "faster", quantity="near", statistic=MEDIAN_YEAR)
    assert near["difference"] == pytest.approx(
        near["value"] - pick(rows, "small", quantity="near", statistic=MEDIAN_YEAR)["value"]
    )
    assert near["difference"] < 0 < near["difference_error"]
    far = pick(rows, "faster", quantity="far", statistic=MEDIAN_YEAR)
    assert (far["value"], far["difference"], far["said"]) == (math.inf, None, "both > 2035")
    assert pick(rows, "faster", quantity="far", statistic=NEVER)["value"] == 1.0
    lines = compare_runs([plain, faster]).lines()
    assert "  far: both > 2035; not by 2035: > 99.927 % (no difference)" in lines  # 1 - 0.05^(1 / 4096) = 0.073 %
    assert pick(rows, "faster", quantity="near", statistic=CROSSED, year=2030.0)["unit"] == "1"


def test_one_censored_median_is_said_from_and_to(plain: xr.DataTree) -> None:
    fast = small({"name": "fast", "drivers.compute.growth.mean": 3.0})
    said = pick(compare_runs([plain, fast]).results.rows(), "fast", quantity="far", statistic=MEDIAN_YEAR)["said"]
    assert said.startswith("from > 2035 to 20")
    back = pick(compare_runs([fast, plain]).results.rows(), "small", quantity="far", statistic=MEDIAN_YEAR)["said"]
    assert back.startswith("from 20")
    assert back.endswith("to > 2035")


def test_what_is_passed_at_the_start_is_no_date_to_compare(plain: xr.DataTree) -> None:
    low = {"thresholds.near.effective_compute": 1e20}
    early, later = (
        small({"name": "early", **low}),
        small({"name": "later", "years": {"first": 2027, "last": 2035}, **low}),
    )
    rows = compare_runs([early, later]).results.rows()
    row = pick(rows, "later", quantity="near", statistic=MEDIAN_YEAR)
    assert (row["difference"], row["said"]) == (None, "both already at the start")  # and not +2.0 years
    said = pick(compare_runs([plain, later]).results.rows(), "later", quantity="near", statistic=MEDIAN_YEAR)["said"]
    assert re.fullmatch(r"from 20\d\d\.\d to already in 2027", said)
    same = compare_runs([early, small({"name": "again", "seed": 5, **low})]).results.rows()
    assert pick(same, "again", quantity="near", statistic=MEDIAN_YEAR)["said"] == "both already at the start"


def test_no_row_holds_nan(plain: xr.DataTree, faster: xr.DataTree) -> None:
    for row in compare_runs([plain, faster, small({"name": "few", "samples": 8, "block": 256})]).results.rows():
        assert not any(isinstance(value, float) and math.isnan(value) for value in row.values())
        assert "nan" not in str(row["said"])


def test_only_years_that_all_runs_have_are_compared(plain: xr.DataTree) -> None:
    later = small({"name": "later", "years": {"first": 2027, "last": 2040}})
    comparison = compare_runs([plain, later])
    assert any("algorithms are 1 in different years (2025.0, 2027.0)" in warning for warning in comparison.warnings)
    assert {row["year"] for row in comparison.results.rows()} == {None, 2029.0, 2031.0, 2035.0}


def test_without_a_common_year_crossings_remain_and_it_is_said(plain: xr.DataTree) -> None:
    apart = small({"name": "apart", "years": {"first": 2036, "last": 2046}})
    comparison = compare_runs([plain, apart])
    assert any("no year in common" in warning for warning in comparison.warnings)
    assert {row["statistic"] for row in comparison.results.rows()} == {MEDIAN_YEAR}


def test_what_makes_runs_hard_to_compare_is_said(plain: xr.DataTree) -> None:
    other = small({"name": "other", "subject": "another thing", "dollars": "nominal", "samples": 600, "block": 512})
    warnings = "\n".join(compare_runs([plain, other, plain]).warnings)
    for words in ("different subjects", "different dollars", "not on the draws", "too few samples", "same run as"):
        assert words in warnings, words
    assert compare_runs([plain, small({"name": "other", "drivers.compute.growth.mean": 0.6})]).warnings == ()


def test_what_only_some_runs_have_is_compared_where_it_is(plain: xr.DataTree) -> None:
    more = small({"name": "more", "thresholds": {**THRESHOLDS, "extra": {"effective_compute": 1e29}}})
    fewer = small({"name": "fewer", "thresholds": {"far": THRESHOLDS["far"]}})
    rows = compare_runs([plain, more, fewer]).results.rows()
    assert {row["quantity"] for row in rows if row["unit"] == "year"} == {"near", "far"}
    assert {row["run"] for row in rows if row["quantity"] == "near"} == {"small", "more"}


def test_a_certain_run_has_no_error() -> None:
    start = {"value": 1e26, "unit": "FLOP"}
    certain = [
        small({"name": name, "samples": 16, "block": 256, "drivers": {"compute": {"start": start, "growth": growth}}})
        for name, growth in (("slow", "2x/year"), ("quick", "3x/year"))
    ]
    comparison = compare_runs(certain)
    row = pick(comparison.results.rows(), "quick", quantity="effective_compute", statistic="median", year=2035.0)
    assert row["difference"] == pytest.approx(10 * math.log10(1.5), abs=1e-5)
    assert row["difference_error"] == 0.0
    assert comparison.warnings == ()


LONG = "x" * 200


def compared(count: int) -> Comparison:
    thresholds = {f"t{n}": {"effective_compute": 10.0 ** (27 + n)} for n in range(12)}
    runs = [
        run_of(small_scenario({
            "name": f"run-{n}", "thresholds": thresholds, "subject": f"{n}{LONG}", "years.last": 2035 + n,
            "drivers.compute.growth.mean": 0.5 + 0.1 * n, "notes": LONG,
        }))
        for n in range(count)
    ]  # fmt: skip
    return compare_runs(runs)


@pytest.mark.parametrize("count", [2, 3, 12])
def test_a_comparison_fits_a_screen_and_counts_what_is_left_out(count: int) -> None:
    lines = compared(count).lines()
    assert len(lines) <= max(25, 2 * count + 14)
    text = "\n".join(lines)
    assert "more in results.csv" in text
    assert "nan" not in text
    for n in range(1, count):
        assert f"run-{n} against run-0" in text


def test_inputs_keep_to_the_width_of_a_terminal() -> None:
    lines = compared(3).lines()
    assert max(map(len, lines)) <= LINE_WIDTH
    assert any(line.startswith("  drivers.compute.growth: ") for line in lines)


def test_the_latest_levels_come_first_and_crossings_before_other_variables() -> None:
    lines = compared(2).lines(most=60)
    start = lines.index("run-1 against run-0 (on common draws):")
    assert lines[start + 1].startswith(
        "  2035.0 (end of 2034)  effective compute: 1.0e31 FLOP -> 1.0e32 FLOP (+1.00 ± <0.01 OOM)"
    )
    crossing = next(place for place, line in enumerate(lines) if line.startswith("  t1: "))
    other = next(place for place, line in enumerate(lines) if "physical compute: " in line)
    assert start < crossing < other


def test_independent_errors_are_flagged() -> None:
    runs = [run_of(small_scenario({"name": f"seed-{seed}", "seed": seed, "samples": 4096})) for seed in (1, 2)]
    text = "\n".join(compare_runs(runs).lines())
    assert "independent errors)" in text
    assert "on common draws" not in text


def test_the_difference_of_a_metric_is_in_its_own_unit(tmp_path: Path) -> None:
    runs = [simulate(load_scenario("capability", overrides=[f"capability.gain.value={gain}"])) for gain in (1.1, 1.05)]
    comparison = compare_runs(runs, labels=["more", "less"])
    assert "  2060.0 (end of 2059)  performance: 28.1 -> 5.516 (−22.59 performance)" in comparison.lines()
    own = [row for row in comparison.results.rows() if row["quantity"] == "capability"]
    assert {row["unit"] for row in own} == {"performance"}
    assert not any("OOM" in row["said"] for row in own)


def test_the_dataset_has_results_by_run(plain: xr.DataTree, faster: xr.DataTree) -> None:
    comparison = compare_runs([plain, faster])
    dataset = comparison.dataset
    last = dataset.where((dataset["statistic"] == "median") & (dataset["year"] == 2035.0), drop=True)
    row = pick(comparison.results.rows(), "faster", quantity="effective_compute", statistic="median", year=2035.0)
    assert last["difference"].sel(run="faster").values[0] == row["difference"]
    assert np.isnan(last["difference"].sel(run="small").values).all()
    assert repr(comparison).count("\n") < 15


def test_runs_are_read_and_scenarios_run_by_their_names(plain: xr.DataTree, tmp_path: Path) -> None:
    folder = plain.save(tmp_path)
    found = compare_runs([folder, str(folder), "essay-2023"], samples=64, outputs=tmp_path)
    assert found.runs[1].attrs["run_id"] == plain.attrs["run_id"]
    assert found.runs[2].attrs["samples"] == 64
    assert compare_runs([plain, load_scenario("essay-2023")], seed=3).runs[1].attrs["seed"] == 3


def test_one_name_is_no_two_runs() -> None:
    with pytest.raises(InputError, match="needs two runs or scenarios at least; got 'baseline' alone"):
        compare_runs("baseline")
    with pytest.raises(InputError, match="needs two runs or scenarios at least; got none"):
        compare_runs([])


def test_a_share_near_one_has_the_error_of_its_run_and_one_sample_tells_none() -> None:
    seldom = {"samples": 2000, "thresholds.a": {"effective_compute": 1e34}}
    first, other = (run_of(small_scenario({**seldom, "seed": seed})) for seed in (1, 2))
    never = float(first["summary/never"][0])
    assert 0.9 < never < 1
    row = compare_runs([first, other]).results.where(statistic=NEVER, quantity="a").rows()[0]
    assert row["standard_error"] == pytest.approx(float(first["summary/crossed_error"][0, -1]))
    single = [run_of(small_scenario({"samples": 1, "seed": seed})) for seed in (1, 2)]
    rows = compare_runs(single).results.where(quantity="effective_compute").rows()
    assert rows
    assert all(row["standard_error"] is None or np.isnan(row["standard_error"]) for row in rows)
