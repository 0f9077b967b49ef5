"""Designs run: a point is a run of its own, failed points are told, going on, files, tables and charts."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from simulator.analysis.designs import points as designed
from simulator.analysis.designs.points import UnfinishedDesign, load_design, run_design
from simulator.analysis.designs.tables import columns_of, going_with, outcome_values
from simulator.analysis.outcomes import Outcome
from simulator.analysis.sweep_files import Sweep, open_sweep
from simulator.analysis.sweeps import sweep, sweep_to_folder
from simulator.charts.kinds.sweep import swept_figures
from simulator.cli.main import main
from simulator.engine.record import run_id
from simulator.engine.simulation import simulate
from simulator.errors import InputError
from simulator.runs.result import open_result
from simulator.scenario.load import parse_scenario
from simulator.testing import scenario_text, small_scenario

RATE, LIMIT = "drivers.algorithms.growth", "drivers.compute.caps.cap.limit.quantiles[0.5]"
SMALL = small_scenario({
    "samples": 256, "block": 128,
    RATE: {"median": 2.0, "interval_90": [1.5, 3.0], "unit": "factor/year"},
    "drivers.compute.caps.cap": {
        "limit": {"quantiles": {0.05: 1e28, 0.5: 1e29, 0.95: 1e31}, "unit": "FLOP"}},
    "thresholds": {"near": {"effective_compute": 1e27}, "far": {"effective_compute": 1e60}},
})  # fmt: skip
OVER = [f"{RATE}.centre=1.5:3", f"{LIMIT}=5e27:2e30:log"]
"""Of the limit a fifth is outside its interval: such points have faults."""
NEAR = Outcome("crossing", "near")


def small() -> Any:
    return parse_scenario(scenario_text(SMALL))


@pytest.fixture(scope="module")
def swept() -> Sweep:
    return sweep(small(), over=OVER, design="lhs:30")


def test_a_point_of_a_design_is_the_run_with_the_same_overrides(swept: Sweep) -> None:
    place = int(np.flatnonzero(swept["points/fault"].values == "")[3])
    rate, limit = (swept[f"summary/{name}"].values[place].item() for name in (f"{RATE}.centre", LIMIT))
    run = simulate(parse_scenario(small().text(), overrides=[f"{RATE}.centre={rate!r}", f"{LIMIT}={limit!r}"]))
    own = swept["summary"].to_dataset().isel(point=place)
    alike = run["summary"].to_dataset().sel(quantile=own["quantile"].values)
    for name, values in alike.data_vars.items():
        np.testing.assert_array_equal(own[name].values, values.values, err_msg=str(name))
    bare = parse_scenario(json.dumps(json.loads(run.attrs["scenario"])))
    assert swept["points/run_id"].values[place] == run_id(bare, keep="trajectories")
    assert swept.at(point=place + 1)["never"].sel(threshold="far").item() == 1.0


def test_a_point_with_faults_is_left_out_counted_and_named(swept: Sweep, tmp_path: Path) -> None:
    limit, faults = swept[f"summary/{LIMIT}"].values, swept["points/fault"].values
    np.testing.assert_array_equal(faults != "", (limit < 1e28))
    gone = int((faults != "").sum())
    assert 0 < gone < 15
    assert not swept.holds
    np.testing.assert_array_equal(np.isnan(swept["summary/never"].values[:, 0]), faults != "")
    [line] = [line for line in swept.attrs["warnings"].splitlines() if "left out" in line]
    assert line.startswith(f"{gone} of 30 points failed and are left out: point ")
    assert "quantiles[0.5]" in line
    assert len(swept.tables()["left_out"]) == gone
    assert any(f"{gone} of 30 points are left out" in each for each in swept.lines())
    folder = swept.save(tmp_path)
    xr.testing.assert_identical(open_sweep(folder)["summary"].to_dataset(), swept["summary"].to_dataset())
    assert open_result(folder).lines() == swept.lines()


def test_points_do_not_depend_on_the_workers(swept: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(designed, "worth_processes", lambda _: True)
    other = sweep(small(), over=OVER, design="lhs:30", workers=2)
    with ThreadPoolExecutor(2) as executor:  # as a cluster is one
        afar = sweep(small(), over=OVER, design="lhs:30", workers=executor)
    for each in (other, afar):
        xr.testing.assert_identical(each["summary"].to_dataset(), swept["summary"].to_dataset())
        assert each.attrs == swept.attrs


def test_an_interrupted_design_goes_on_where_it_was(swept: Sweep, tmp_path: Path) -> None:
    plan, left = load_design(small(), over=OVER, design="lhs:30"), UnfinishedDesign(tmp_path / "left")
    done = list[int]()

    def stop(count: int, of: int) -> None:
        done.append(count)
        if count == 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_design(plan, progress=stop, unfinished=left)
    done.clear()
    again = run_design(plan, progress=lambda count, _: done.append(count), unfinished=UnfinishedDesign(left.folder))
    assert done == list(range(12, 31))
    xr.testing.assert_identical(again["summary"].to_dataset(), swept["summary"].to_dataset())
    assert again.attrs == swept.attrs


def test_tables_and_charts_say_what_goes_with_what(swept: Sweep) -> None:
    table = swept.tables()["sweep"]
    assert len(table) == 30
    assert table.names[:3] == ("point", f"{RATE}.centre", LIMIT)
    assert table.unit(f"{RATE}.centre") == "factor/year"
    values = outcome_values(swept, NEAR)
    first, rank = going_with(swept, values)[0]
    assert first.name == f"{RATE}.centre"
    assert rank < -0.9  # faster growth crosses earlier
    assert [each.log for each in columns_of(swept)] == [False, True]
    figures = swept_figures(swept, ["crossing:near"])
    assert [figure.name for figure in figures] == ["sweep_points_crossing_near"]
    assert "rank correlation" in figures[0].caption


def test_a_table_of_points_has_labels_and_words(tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    file.write_text(f'label,{RATE}.centre,drivers.compute.caps.cap\nslow,1.6,none\nfast,2.5,"{{limit: 1e28 FLOP}}"\n')
    found = sweep(small(), points=file)
    assert found["summary/point"].values.tolist() == ["slow", "fast"]
    assert np.isposinf(found.at(point="slow")["cap_physical_compute_cap"].values).all()
    assert found.at(point="fast")["cap_physical_compute_cap"].values.max() == 28.0
    years = found["summary/crossing_quantile"].sel(threshold="near", quantile=0.5).values
    assert years[1] < years[0]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"over": [f"{RATE}.centre=1:2"], "design": "lhs:9", "points": "x.csv"}, "stands beside --points"),
        ({"over": ["drivers.algoritms.growth=1:2"], "design": "lhs:4"}, "there is no 'algoritms'"),
        ({"over": [f"{LIMIT}=1e20:1e21"], "design": "lhs:4"}, "all 4 points fail; point 1: "),
    ],
)
def test_what_cannot_be_run_is_refused(told: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=r".*") as refused:
        sweep(small(), **told)
    assert said in str(refused.value)


def test_points_that_memory_does_not_hold_are_refused_before_they_are_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("simulator.engine.simulation.free_memory", lambda: 5e6)
    told: dict[str, Any] = {"over": OVER, "design": "lhs:10000", "overrides": ["samples=10"]}
    with pytest.raises(
        InputError, match=r"^design: the summaries of 10,000 points in 11 years take .* Take fewer points"
    ):
        sweep_to_folder(load_design(small(), **told), tmp_path)
    assert not [*tmp_path.iterdir()]


def test_the_command_ends_with_1_where_points_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(scenario_text(SMALL))
    words = ["sweep", str(file), "--over", OVER[1], "--design", "sobol:8", "--output", str(tmp_path), "--no-charts"]
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 1
    assert "of 8 points failed and are left out" in capsys.readouterr().err
    [folder] = tmp_path.glob("*-sweep-*")
    assert {path.name for path in folder.iterdir()} == {"sweep.csv", "left_out.csv", "sweep.nc", "scenario.yaml"}
    plan = load_design(small(), over=OVER[:1], design="lhs:2")
    assert sweep_to_folder(plan, tmp_path, say=lambda _: None)[1].is_dir()
