"""Quantiles, tables and words of a run."""

from __future__ import annotations

import copy
import re
from typing import Literal

import numpy as np
import pytest
import xarray as xr

from simulator import load_scenario, quantiles, simulate
from simulator.errors import InputError
from simulator.runs.groups import summarised_names
from simulator.runs.summary import (
    binding_table,
    crossing_quantile_table,
    crossing_table,
    fan_table,
    main_quantity,
    probability_table,
    quantile_table,
    run_tables,
    sources,
    summarised,
    summary_lines,
    threshold_table,
)
from simulator.scenario.load import parse_scenario
from simulator.testing import run_of, small_scenario
from simulator.wording import power, year_text
from tests.money import POWER, money_alone, power_alone

LIMIT = {"limit": {"family": "lognormal", "median": 1e29, "interval_90": [1e28, 1e30], "unit": "FLOP"}}
THRESHOLDS = {
    "near": {"effective_compute": 1e28, "label": "Near"},
    "far": {"effective_compute": {"family": "lognormal", "median": 1e31, "interval_90": [1e30, 1e32]}},
    "beyond": {"effective_compute": 1e60},
}


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return run_of(small_scenario({"samples": 1024, "title": "Small", "drivers.compute.caps.cap": LIMIT,
                                  "thresholds": THRESHOLDS}))  # fmt: skip


def test_quantiles_keep_censored_samples_coordinates_and_units(run: xr.DataTree) -> None:
    years = run["crossings/crossing_year"]
    found = quantiles(years, [0.05, 0.5])
    assert found.dims == ("quantile", "threshold")
    assert found["threshold"].values.tolist() == ["near", "far", "beyond"]
    assert found.attrs["units"] == "year"
    assert np.isposinf(found.sel(threshold="beyond")).all()
    assert np.isfinite(found.sel(threshold="near")).all()


@pytest.mark.parametrize("levels", [[-0.1], [0.5, 1.1], [float("nan")]])
def test_quantiles_outside_0_to_1_are_refused(run: xr.DataTree, levels: list[float]) -> None:
    with pytest.raises(InputError, match=r"must lie in \[0, 1\]"):
        quantiles(run["trajectories/effective_compute"], levels)


def test_quantiles_of_what_has_no_samples_are_refused(run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="dimension 'sample'"):
        quantiles(run["summary/effective_compute"], [0.5])


def test_the_variables_of_a_summary_are_named(run: xr.DataTree) -> None:
    names = summarised_names(run["summary"].to_dataset())
    assert {"effective_compute", "physical_compute", "physical_compute_demanded", "cap_physical_compute_cap"} == set(
        names
    )
    with pytest.raises(InputError, match="Did you mean 'effective_compute'"):
        summarised(run, "efective_compute")


def test_tables_say_what_the_summary_says(run: xr.DataTree) -> None:
    summary = run["summary"].to_dataset()
    for row in quantile_table(run).rows()[::97]:
        cell = summary[str(row["variable"])].sel(quantile=row["quantile"], year=row["year"])
        assert row["value"] == float(cell)
    for row in probability_table(run).rows():
        assert row["probability"] == float(summary["crossed"].sel(threshold=row["threshold"], year=row["year"]))
    for row in crossing_quantile_table(run).rows():
        at = {"threshold": row["threshold"], "quantile": row["quantile"]}
        assert row["year"] == float(summary["crossing_quantile"].sel(at))
        assert row["never_by_horizon"] == float(summary["never"].sel(threshold=row["threshold"]))
    shares = binding_table(run)
    assert set(shares["limit"]) == {"cap"}
    assert shares["share"].tolist() == summary["binding_physical_compute_share"].values[0].tolist()


def test_the_fan_is_of_central_bands(run: xr.DataTree) -> None:
    medians, rows = fan_table(run, "effective_compute", [0.5, 0.9])
    summary = run["summary/effective_compute"]
    assert medians["median"].tolist() == summary.sel(quantile=0.5).values.tolist()
    wide = rows.where(band="90 %")
    assert wide["lower"].tolist() == summary.sel(quantile=0.05).values.tolist()
    assert wide["upper"].tolist() == summary.sel(quantile=0.95).values.tolist()
    with pytest.raises(InputError, match=r"no quantile at 0\.165"):
        fan_table(run, "effective_compute", [0.67])


def test_thresholds_have_an_interval_where_they_are_uncertain(run: xr.DataTree) -> None:
    near, far, _ = threshold_table(run).rows()
    certain = {"threshold": "near", "label": "Near", "quantity": "effective_compute", "level": 28.0}
    assert near == certain | {"lower": None, "upper": None}
    assert [far[key] for key in ("lower", "level", "upper")] == pytest.approx([30, 31, 32], abs=0.05)


def test_crossings_for_a_chart_keep_what_is_censored(run: xr.DataTree) -> None:
    near, far, beyond = crossing_table(run).rows()
    assert near["lower_90"] < near["lower_50"] < near["median"] < near["upper_50"] < near["upper_90"]
    assert far["last_year"] == 2035
    assert beyond["median"] == np.inf
    assert beyond["never"] == 1.0


def test_the_printed_summary_has_all_thresholds_up_to_twelve_in_the_order_written(run: xr.DataTree) -> None:
    lines = summary_lines(run)
    assert lines[0].startswith(f"Small: largest training run (small, run {run.attrs['run_id']}, 1,024 samples, seed 0)")
    assert lines[-1].startswith("  binds at 2035.0 (end of 2034) - physical compute: cap ")
    assert "  beyond: > 2035, never by 2035: > 99.71 %" in lines
    many = {f"t{i}": {"effective_compute": 10.0 ** (60 - i)} for i in range(13)}
    lines = summary_lines(run_of(small_scenario({"thresholds": many})))
    assert [line.split(":")[0].strip() for line in lines if ": >" in line] == [f"t{i}" for i in range(12)]
    assert lines[-1] == "  ... and 1 more thresholds in crossing_years.csv"


def test_a_files_own_thresholds_are_told_before_those_it_inherits() -> None:
    text = "schema: 2\nname: child\nextends: baseline\nsamples: 64\nthresholds:\n  mine: {effective_compute: 1e29}\n"
    spec = parse_scenario(text).spec
    assert list(spec.thresholds)[:2] == ["mine", "gpt-4"]


def test_a_metric_and_what_alone_is_asked_for_have_their_lines() -> None:
    metric = summary_lines(simulate(load_scenario("capability")))
    assert "  2060.0 (end of 2059)  performance 28.1" in metric
    money = summary_lines(simulate(load_scenario("published/cottier-2024")))
    assert [line for line in money if line.startswith("  2035")] == [
        "  2035.0 (end of 2034)  spending 1.2 trillion USD, log10 12.09"
    ]
    assert not any("physical compute" in line for line in money)


def test_a_mixture_tells_its_parts_for_each_headline() -> None:
    lines = summary_lines(simulate(load_scenario("views", overrides=["samples=512"]), keep="summary"))
    dated = [place for place, line in enumerate(lines) if line.startswith("  ") and "(90 %" in line]
    assert len(dated) == 9
    for place in dated:
        assert re.match(r"    apart: baseline \(60 %\) .+, tight-caps \(30 %\) .+, no-caps \(10 %\) ", lines[place + 1])


@pytest.mark.parametrize("samples", [100, 511])
def test_a_summary_of_fewer_than_two_blocks_says_that_its_levels_have_no_errors(samples: int) -> None:
    lines = summary_lines(run_of(small_scenario({"samples": samples})))
    assert len(lines) == 4
    assert "±" not in "".join(lines)
    assert lines[1] == "  fewer than two blocks of 256 samples: errors of levels cannot be told"
    assert lines[3].startswith("  2035.0 (end of 2034)  physical compute ")


def test_one_sample_is_called_a_point_forecast_and_fixed_numbers_are_not() -> None:
    head, note, *levels = summary_lines(run_of(small_scenario({"samples": 1})))
    assert head.endswith("1 sample)")
    assert note == "  one sample: a point forecast, one draw of each prior, and not a distribution"
    assert not any("±" in line or "90 %" in line for line in levels)
    fixed = {"drivers.compute.start": {"value": 1e26, "unit": "FLOP"}, "drivers.compute.growth": "3.0x/year"}
    assert [len(summary_lines(run_of(small_scenario({"samples": count, **fixed})))) for count in (1, 100)] == [3, 3]


@pytest.mark.parametrize("keep", ["trajectories", "summary"])
def test_shares_of_none_or_all_samples_are_bounds(keep: Literal["trajectories", "summary"]) -> None:
    cap = {"limit": {"value": 1e27, "unit": "FLOP"}}
    thresholds = {"soon": {"effective_compute": 1e27}, "beyond": {"effective_compute": 1e28}}
    data = small_scenario({"drivers.compute.caps.cap": cap, "thresholds": thresholds})
    lines = summary_lines(run_of(data, keep=keep))
    assert lines[3].startswith("  soon: 2027.0 ± ")
    assert lines[3].endswith("never by 2035: < 0.58 %")
    assert lines[4] == "  beyond: > 2035, never by 2035: > 99.42 %"
    assert lines[5].startswith("  P(soon by the end of 2026) 51.6 ± ")
    assert lines[6:] == ["  binds at 2035.0 (end of 2034) - physical compute: cap > 99.42 %"]
    data = small_scenario({"samples": 10_000, "block": 500, "thresholds": thresholds})
    assert summary_lines(run_of(data, keep=keep))[3].endswith("never by 2035: < 0.03 %")


def test_what_nothing_uncertain_concerns_is_certain_in_an_uncertain_run() -> None:
    drivers = {
        "spending": {"start": "1e8 USD", "growth": "2x/year"},
        "hardware": {"start": {"median": 1e18, "interval_90": [5e17, 2e18], "unit": "FLOP/USD"}, "growth": "1.3x/year"},
    }
    asked = {"dear": {"spending": 1e10}, "dearest": {"spending": 1e12}, "passed": {"spending": 1e7}}
    asked |= {
        "run": {"physical_compute": 1e24},
        "late": {"spending": 1e10, "delay": {"uniform": [0, 1], "unit": "years"}},
    }
    scenario = small_scenario({"drivers": drivers, "thresholds": asked})
    lines = "\n".join(summary_lines(run_of(scenario)))
    assert "dear: 2031.6, never by 2035: 0 %" in lines  # 1e8 x 2^t
    assert "dearest: > 2035, never by 2035: 100 %" in lines
    assert {row["threshold"]: row["samples"] for row in crossing_table(run_of(scenario)).rows()} == {
        "dear": 1, "dearest": 1, "passed": 1, "run": 512, "late": 512,
    }  # fmt: skip
    few = crossing_table(run_of(scenario | {"samples": 64}))
    assert set(few["samples"].tolist()) == {64}  # too few to show that nothing else may come


@pytest.mark.parametrize("keep", ["trajectories", "summary"])
def test_what_half_of_the_samples_exceed_at_the_start_is_no_date(keep: Literal["trajectories", "summary"]) -> None:
    thresholds = {"low": {"effective_compute": 5e25}}
    run = run_of(small_scenario({"years": {"first": 2025.5, "last": 2035}, "thresholds": thresholds}), keep=keep)
    [row] = crossing_table(run).rows()
    assert row["already"] == pytest.approx(0.795, abs=0.005)  # Phi(log10(2) / sd), of a sd of log10(4) / 1.645
    assert (row["first_year"], row["median"], row["lower_90"]) == (2025.5, 2025.5, 2025.5)
    assert row["upper_90"] > 2025.6
    [line] = [line for line in summary_lines(run) if "low:" in line]
    assert line.startswith("  low: already in 2025.5 (90 % ≤ 2025.5 to 2026.")
    assert line.endswith("), never by 2035: < 0.58 %")
    errors = crossing_quantile_table(run)
    assert np.isnan(errors["standard_error"][errors["quantile"] <= 0.7]).all()


@pytest.mark.parametrize(
    ("level", "text"),
    [
        (28.0, "1e28"),
        (27.99, "1e28"),
        (28.31, "2e28"),
        (0.0, "1e0"),
        (-2.5, "3e-3"),
        (np.inf, "beyond 1e300"),
        (28.98, "1e29"),
    ],
)
def test_a_level_is_written_as_a_power_of_ten(level: float, text: str) -> None:
    assert power(level) == text


def test_a_crossing_year_is_written_with_its_censoring() -> None:
    assert year_text(2031.25, 2045) == "2031.2"
    assert year_text(np.inf, 2045.5) == "> 2045.5"


def test_sources_are_listed_by_prior() -> None:
    data = copy.deepcopy(small_scenario())
    data["drivers"]["compute"]["start"]["source"] = "Somebody 2024"
    assert sources(run_of(data)) == {"drivers.compute.start": "Somebody 2024"}


@pytest.mark.parametrize("samples", [1, 4096])
def test_a_run_of_fixed_numbers_is_told_without_errors(samples: int) -> None:
    sure = {"drivers.compute.start": 1e26, "drivers.compute.growth": "4x/year", "samples": samples}
    cap = {"drivers.compute.caps": {"wall": {"limit": {"value": 1e28, "unit": "FLOP"}}}}
    lines = summary_lines(run_of(small_scenario({**sure, **cap})))
    assert "wall 100 %" in lines[-1]
    assert "±" not in "\n".join(lines)
    assert ("1 sample)" in lines[0]) == (samples == 1)


def test_titles_and_labels_of_several_lines_are_said_in_one() -> None:
    run = run_of(small_scenario({
        "samples": 256, "title": "A title\nof two lines\n", "subject": "a\u2028run",
        "thresholds": {"some": {"physical_compute": 1e27, "label": "a label\n\nof two\n"}},
    }))  # fmt: skip
    lines = summary_lines(run)
    assert lines[0].startswith("A title of two lines: a run (")
    assert any(line.startswith("  a label of two: ") for line in lines)
    assert not any(len(line.splitlines()) > 1 for line in lines)


def test_a_run_without_compute_is_told_by_what_is_asked_of_it() -> None:
    spent, powered = run_of(money_alone(samples=512)), run_of(power_alone(samples=512))
    assert [main_quantity(run) for run in (spent, powered)] == ["spending", "quantity_site"]
    said = "\n".join(summary_lines(spent))
    assert "spending" in said
    assert "compute" not in said
    both = money_alone(quantities={"site": POWER}, thresholds={"ten": {"quantity": "site", "level": "10 GW"}})
    assert main_quantity(run_of(both)) == "quantity_site"


def test_a_table_of_quantiles_that_is_too_long_has_fewer_dates_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.runs.groups.MOST_ROWS", 400)
    run = run_of(small_scenario({"samples": 64}))
    summary = run["summary"].to_dataset()
    rows = len(summarised_names(summary)) * summary.sizes["quantile"] * summary.sizes["year"]
    every = -(-rows // 400)
    assert every > 1
    told = f"quantiles.csv has one in {every} of the 11 dates: all would be {rows:,} rows, and 400 are the most."
    assert f"{told} The run file has all." in run.attrs["warnings"].splitlines()
    table = run_tables(run)["quantiles"]
    assert sorted(set(table["year"].tolist())) == run["summary/year"].values[::every].tolist()
    middle = table.where(variable="physical_compute", quantile=0.5)["value"]
    assert middle.tolist() == run["summary/physical_compute"].sel(quantile=0.5).values[::every].tolist()
