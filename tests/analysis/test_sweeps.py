"""Sweeps over priors: what is swept, that a point is a run of its own, going on, files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import simulator
from simulator.analysis import sweep_files
from simulator.analysis import sweeps as module
from simulator.analysis.outcomes import Outcome
from simulator.analysis.sweep_files import UnfinishedSweep, open_sweep
from simulator.analysis.sweep_points import PointFaults, joined_faults, load_sweep
from simulator.analysis.sweep_tables import outcome_table, parse_outcomes, point_table, sweep_lines, sweep_outcomes
from simulator.analysis.sweeps import join_runs, run_sweep, sweep, sweep_to_folder
from simulator.cli.main import main
from simulator.engine.record import run_id
from simulator.engine.simulation import simulate
from simulator.errors import InputError, Place, PlacedFault, RunFileError, ScenarioError
from simulator.runs.folder import open_run, write_run
from simulator.runs.groups import stored_scenario_text
from simulator.runs.kinds import kind_of
from simulator.runs.result import open_result
from simulator.scenario.load import load_scenario, parse_scenario
from simulator.testing import scenario_text, small_scenario

RATE = "drivers.algorithms.growth"
CAP = "drivers.compute.caps.cap"
LIMIT = {"limit": {"family": "lognormal", "median": 1e29, "interval_90": [1e28, 1e30], "unit": "FLOP"}}
SMALL = small_scenario({
    "samples": 2048, "block": 1024,
    f"{RATE}": {"median": 2.0, "interval_90": [1.5, 3.0], "unit": "factor/year"},
    CAP: LIMIT,
    "thresholds": {"near": {"effective_compute": 1e27}, "far": {"effective_compute": 1e60}},
})  # fmt: skip
TEXT = scenario_text(SMALL)


def small(**changes: Any) -> Any:
    return parse_scenario(scenario_text(SMALL | changes))


@pytest.fixture(scope="module")
def swept() -> xr.DataTree:
    return sweep(small(), over={f"{RATE}.centre": "1.5:3:3", f"{CAP}.limit.median": [5e28, 2e29]})


def assert_same(swept: xr.Dataset, run: xr.Dataset) -> None:
    for name, values in run.data_vars.items():
        assert swept[name].dims == values.dims
        np.testing.assert_array_equal(swept[name].values, values.values, err_msg=str(name))


def test_a_point_of_a_sweep_is_the_run_with_the_same_overrides(swept: xr.DataTree) -> None:
    overrides = [f"{RATE}.median=3", f"{RATE}.interval_90=[2.25, 4.5]", f"{CAP}.limit.median=2e29"]
    run = simulate(parse_scenario(small().text(), overrides=overrides), keep="summary")
    point = {f"{RATE}.centre": 3.0, f"{CAP}.limit.median": 2e29}
    assert_same(swept["summary"].to_dataset().sel(point), run["summary"].to_dataset())
    assert swept["points/run_id"].sel(point).item() == run_id(parse_scenario(stored_scenario_text(run)), keep="summary")


def test_a_sweep_of_the_baseline_agrees_with_set() -> None:
    path = "correlations[1].rank"
    point = (
        sweep("baseline", over=[f"{path}=0,0.6"], overrides=["samples=1024"])["summary"].to_dataset().sel({path: 0.6})
    )
    run = simulate(load_scenario("baseline", overrides=["samples=1024", f"{path}=0.6"]), keep="summary")
    assert_same(point, run["summary"].to_dataset())


def test_a_sweep_of_one_point_is_the_run() -> None:
    one = sweep(small(), over={f"{RATE}.median": [2.0]})["summary"].to_dataset().squeeze(f"{RATE}.median")
    assert_same(one, simulate(small(), keep="summary")["summary"].to_dataset())


def test_the_order_of_what_is_swept_is_the_order_of_the_dimensions_alone(swept: xr.DataTree) -> None:
    other = sweep(small(), over={f"{CAP}.limit.median": [5e28, 2e29], f"{RATE}.centre": "1.5:3:3"})
    first = swept["summary/effective_compute"]
    turned = other["summary/effective_compute"]
    assert turned.dims[:2] == (first.dims[1], first.dims[0])
    np.testing.assert_array_equal(turned.transpose(*first.dims).values, first.values)


def test_points_do_not_depend_on_the_workers(swept: xr.DataTree) -> None:
    other = sweep(small(), over={f"{RATE}.centre": "1.5:3:3", f"{CAP}.limit.median": [5e28, 2e29]}, workers=2)
    assert_same(other["summary"].to_dataset(), swept["summary"].to_dataset())
    assert other.attrs == swept.attrs


def test_the_batches_of_long_points_go_out_as_one_queue(swept: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCHES_EACH", 0)  # all points are long
    handed: list[int] = []

    class Asked(ThreadPoolExecutor):
        def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
            handed[-1] += 1
            return super().submit(fn, *args, **kwargs)

    with Asked(2) as pool:
        handed.append(0)
        other = sweep(
            small(),
            over={f"{RATE}.centre": "1.5:3:3", f"{CAP}.limit.median": [5e28, 2e29]},
            workers=pool,
            progress=lambda done, of: handed.append(0),
        )
    assert handed[0] >= 3  # of one batch each, before the first point was done
    assert sum(handed) == 6
    xr.testing.assert_identical(other["summary"].to_dataset(), swept["summary"].to_dataset())


def test_faster_growth_never_delays_a_crossing(swept: xr.DataTree) -> None:
    years = swept["summary/crossing_quantile"].sel(threshold="near").values
    assert (np.diff(np.where(np.isinf(years), 1e9, years), axis=0) <= 0).all()
    assert swept["summary"][f"{RATE}.centre"].attrs["units"] == "factor/year"


def test_labels_whole_entries_dates_and_removals_are_swept() -> None:
    result = sweep(
        "baseline",
        over={
            "drivers.algorithms.growth.prior": ["algorithms/ho-2024", "algorithms/small-scale-2025"],
            "drivers.spending.caps.cash-flow": {"kept": {"limit": {"value": 1e11, "unit": "USD"}}, "none": None},
        },
        overrides=["samples=512"],
    )
    summary = result["summary"].to_dataset()
    assert summary["drivers.spending.caps.cash-flow"].values.tolist() == ["kept", "none"]
    gone = summary.sel({"drivers.spending.caps.cash-flow": "none"})
    assert np.isposinf(gone["cap_spending_cash_flow"].values).all()
    assert not gone["binding_spending_share"].sel(limit_spending="cash-flow").values.any()
    assert "left out" not in result.attrs["warnings"]


def test_named_points_of_a_file_change_several_entries_at_once(tmp_path: Path) -> None:
    file = tmp_path / "team.yaml"
    block = {"sweep": {"mood": {"slow": {f"{RATE}.centre": 1.2, CAP: None}, "fast": {f"{RATE}.centre": 3}}}}
    file.write_text(scenario_text(SMALL | block))
    assert load_scenario(file).hash == small().hash
    result = sweep(file)
    assert result["summary"]["mood"].values.tolist() == ["slow", "fast"]
    overrides = [f"{RATE}.median=1.2", f"{RATE}.interval_90=[0.9, 1.8]", f"{CAP}=null"]
    run = simulate(parse_scenario(TEXT, overrides=overrides), keep="summary")
    np.testing.assert_array_equal(
        result["summary/effective_compute"].sel(mood="slow").values, run["summary/effective_compute"].values
    )
    (tmp_path / "child.yaml").write_text("schema: 2\nname: child\nextends: ./team.yaml\n")
    with pytest.raises(InputError, match="the file has no sweep block"):
        load_sweep(tmp_path / "child.yaml")


def test_a_mixture_is_swept_as_a_whole_and_apart() -> None:
    mixed = {
        "schema": 2,
        "name": "mixed",
        "mixture": [{"name": "one", "weight": 1, "scenario": SMALL}, {"name": "two", "weight": 1, "scenario": SMALL}],
    }
    result = sweep(parse_scenario(scenario_text(mixed)), over={f"{RATE}.median": [1.9, 2.1]})
    assert result["components/one/effective_compute"].sizes[f"{RATE}.median"] == 2


@pytest.mark.parametrize(
    ("over", "text"),
    [
        ([f"{RATE}.median"], "must be path=values"),
        ([f"{RATE}.median=1:2"], "must be from:to:count"),
        ([f"{RATE}.median=1:2:3:lgo"], "Did you mean 'log'?"),
        ([f"{RATE}.median=0:2:3:log"], "log spacing needs numbers above 0"),
        ([f"{RATE}.median=-1e308:1e308:3"], "must go from one number to another, each at most 1e+300"),
        ([f"{RATE}.median=2,2"], "the value 2 is written twice"),
        ([f"{RATE}.median=1:2:401"], "a whole number from 2 to 400; got 401"),
        ([f"{RATE}.median=2:2.5:21", f"{CAP}.limit.median=1e28:1e29:20"], "21 x 20 = 420 points; at most 400"),
        ([f"{RATE}.median=2:2.5:3", f"{RATE}.median=2"], "is written twice"),
        ([f"{RATE}.median=2:2.5:3", f"{RATE}=2,3"], "one of which stands inside the other"),
        ([f"{RATE}.median=2:2.5:3", f"{RATE}.centre=2,3"], "one of which stands inside the other"),
        (["seed=1,2"], "seed: cannot be swept: every point is run on the same draws"),
        (["drivers.algorithm.growth.median=2,3"], "there is no 'algorithm' in drivers. Did you mean 'algorithms'?"),
        (["drivers.compute.caps.cup.limit.median=2,3"], "there is no 'cup' in drivers.compute.caps. Did you mean 'cap'?"),
        ([f"{RATE}.medain=2,3"], "Did you mean 'median'?"),
        ([f"{RATE}.median=2,4"], f"at {RATE}.median=4: {RATE}.interval_90: must bracket the median 4"),
        ([f"{RATE}.median=2,4"], "write .centre in the place of .median"),
        ([f"{RATE}.centre=-1,2"], "must be above 0"),
        (["thresholds.near=null,{effective_compute: 1e28}"], "All points of a sweep have the same thresholds"),
        ([], "nothing is swept"),
    ],
)  # fmt: skip
def test_what_cannot_be_swept_is_refused_with_the_reason(over: list[str], text: str) -> None:
    with pytest.raises(InputError) as caught:
        load_sweep(small(), over=over)
    assert text in str(caught.value)
    assert "--set" not in str(caught.value).replace("with --set.", "")


def test_a_fault_is_said_once_with_the_points_that_have_it() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_sweep(small(), over=[f"{RATE}.median=2,4,5,6,7,8,9,10", "thresholds.near.effective_compute=1e27,1e28"])
    (fault,) = caught.value.faults
    assert str(fault.place) == f"at {RATE}.median=4"
    assert fault.rule.startswith("must bracket the median 4")
    assert fault.remedy.splitlines()[-1] == "The same at 5, 6, 7, 8, 9, and 1 more."


def test_different_faults_of_one_entry_are_said_each() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_sweep("baseline", over=["correlations[1].rank=-3,-2,0,1,2"])
    assert [(str(fault.place)[-7:], fault.remedy.splitlines()[-1]) for fault in caught.value.faults] == [
        ("rank=-3", "The same at -2."),
        (".rank=1", "The same at 2."),
    ]


def test_a_fault_of_the_file_names_the_points_at_which_it_comes_up() -> None:
    file = Place("team.yaml", 3, 5)
    met = [
        PointFaults(f"a={n}", (f"a={n}",), (PlacedFault(file, "correlations", f"cannot all hold; got {n}."),))
        for n in range(8)
    ]
    (fault,) = joined_faults(met)
    assert str(fault) == (
        "team.yaml:3:5: correlations: cannot all hold; got 0.\n"
        "        It comes up at a=0; a=1; a=2; a=3; a=4; and 3 more."
    )
    other = [PointFaults("a=9", ("a=9",), (PlacedFault(file, f"entry {n}", "x"),)) for n in range(20)]
    said = joined_faults(other)
    assert len(said) == 12
    assert said[-1].remedy.splitlines() == ["It comes up at a=9.", "8 more faults of the sweep are not listed."]


def test_too_much_work_is_refused_with_the_count() -> None:
    with pytest.raises(InputError, match=r"2 points of 600,000,000 samples are 1,200,000,000 samples"):
        load_sweep(small(samples=600_000_000), over={f"{RATE}.median": [2, 2.1]})


def test_a_fault_in_a_files_block_has_its_place(tmp_path: Path) -> None:
    file = tmp_path / "team.yaml"
    file.write_text("schema: 2\nname: team\nextends: baseline\nsweep:\n  correlations[1].rank: 0:1\n")
    with pytest.raises(ScenarioError, match=r"team.yaml:5:3: sweep: correlations\[1\].rank=0:1: must be from:to:count"):
        load_scenario(file)


def test_a_files_block_names_no_file_beyond_the_working_directory(tmp_path: Path) -> None:
    file = tmp_path / "team.yaml"
    values = "[{empirical: {file: /etc/passwd, column: usd}}, 1e8 USD]"
    file.write_text(f"schema: 2\nname: team\nextends: baseline\nsweep:\n  drivers.spending.start: {values}\n")
    with pytest.raises(ScenarioError, match=r"team.yaml:5:3: sweep: file: '/etc/passwd' lies outside the working"):
        load_scenario(file)


def test_what_changes_nothing_is_said() -> None:
    result = sweep(small(), over={f"{RATE}.centre": [2, 3], "thresholds.far.label": ["a", "b"]})
    assert "nothing depends on thresholds.far.label" in result.attrs["warnings"]
    assert "the crossing years are the same at every point: a." in result.attrs["warnings"]


def test_points_that_say_the_same_are_said_and_run_once() -> None:
    done: list[tuple[int, int]] = []
    whole = {"median": 2.1, "interval_90": [1.5, 3.0], "unit": "factor/year"}
    view = {"a": {f"{RATE}.median": 2.1}, "b": {RATE: whole}}
    same = sweep(small(), over={"view": view}, progress=lambda number, of: done.append((number, of)))
    assert done == [(1, 1)]
    assert "1 of 2 points say the same as another and were not run again: view=a is view=b" in same.attrs["warnings"]
    with pytest.raises(InputError, match="written twice"):
        load_sweep(small(), over={f"{RATE}.interval_90": {"stated": [1.5, 3.0], "again": [1.5, 3.0]}})


def test_an_interrupted_sweep_goes_on_where_it_stopped_with_the_same_bytes(tmp_path: Path) -> None:
    plan = load_sweep(small(), over={f"{RATE}.centre": "1.5:3:4"})
    _, whole = sweep_to_folder(plan, tmp_path / "whole")

    def interrupt(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep_to_folder(plan, tmp_path, progress=interrupt)
    left = next(tmp_path.glob("*.unfinished"))
    assert len(list(left.glob("point-*.nc"))) == 2
    done: list[int] = []
    _, folder = sweep_to_folder(plan, tmp_path, resume=True, progress=lambda n, _: done.append(n))
    assert done == [3, 4]
    assert not left.exists()
    for name in ("sweep.nc", "points.csv", "scenario.yaml"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()


def test_what_is_left_is_cleared_where_the_sweep_starts_anew(tmp_path: Path) -> None:
    plan = load_sweep(small(), over={f"{RATE}.centre": [2, 3]})
    said: list[str] = []
    name = sweep_to_folder(plan, tmp_path)[1].name
    unfinished = UnfinishedSweep(tmp_path / f"{name}.unfinished", seconds=0.0)
    run_sweep(plan, unfinished=unfinished)
    assert len(unfinished.points()) == 2
    sweep_to_folder(plan, tmp_path, say=said.append)
    assert "started anew" in said[0]
    assert not unfinished.exists


def test_a_point_that_another_sweep_takes_away_and_writes_anew_was_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = tmp_path / "point-1.nc"
    point.write_text("half a point")
    with pytest.raises(RunFileError, match="cannot be read as a run"):
        UnfinishedSweep(tmp_path).points()

    def written_too_late(path: Path) -> None:
        path.write_text("of a sweep that has begun meanwhile")
        os.utime(path, ns=(0, 0))
        raise RunFileError(f"{path}: no such run file.")

    monkeypatch.setattr(sweep_files, "open_run", written_too_late)
    assert UnfinishedSweep(tmp_path).points() == {}


def test_a_sweep_file_is_opened_as_a_sweep_and_refused_as_a_run(tmp_path: Path, swept: xr.DataTree) -> None:
    plan = load_sweep(small(), over={f"{RATE}.centre": [2, 3]})
    result, folder = sweep_to_folder(plan, tmp_path)
    opened = open_sweep(folder)
    assert_same(opened["summary"].to_dataset(), result["summary"].to_dataset())
    assert dict(opened.attrs) == dict(result.attrs)
    assert kind_of(folder).name == kind_of(folder / "sweep.nc").name == "sweep"
    assert kind_of(tmp_path).name == "run"
    with pytest.raises(RunFileError, match="is a sweep, not a run"):
        open_run(folder / "sweep.nc")
    with pytest.raises(RunFileError, match="no such sweep file"):
        simulator.open_sweep(tmp_path / "none.nc")
    with pytest.raises(RunFileError, match=r"is a run and is no sweep\. `simulate sweep` writes one"):
        open_sweep(write_run(simulate(plan.base), tmp_path) / "run.nc")


def test_tables_have_a_row_for_each_point_and_outcome(swept: xr.DataTree) -> None:
    rows = point_table(swept).rows()
    assert len(rows) == 6 * len({row["outcome"] for row in rows})
    last = [row for row in rows if row["outcome"] == "crossing:far"]
    assert [row["value"] for row in last] == [np.inf] * 6
    asked = parse_outcomes(swept, ["crossed:near@2030", "effective_compute"])
    assert outcome_table(swept, asked[0])["value"][5] == float(
        swept["summary/crossed"].sel(threshold="near", year=2030.0).values[-1, -1]
    )
    assert asked[1].year == float(swept["summary"]["year"].values[-1])


def test_between_its_years_a_sweep_is_read_on_straight_lines_and_says_so(swept):
    texts = ["effective_compute@2028.25", "crossed:near@2028.25"]
    for outcome in parse_outcomes(swept, texts):
        values = np.array([
            outcome_table(swept, Outcome(outcome.kind, outcome.name, year))["value"] for year in (2028, 2029)
        ])  # fmt: skip
        found = outcome_table(swept, outcome)["value"]
        np.testing.assert_allclose(np.asarray(found, float), 0.75 * values[0] + 0.25 * values[1], rtol=1e-12)
    assert "straight lines" in swept.lines(texts)[-1]
    assert not any("straight lines" in line for line in swept.lines(["effective_compute@2028"]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("crossing:naer", "no threshold 'naer'. Did you mean 'near'?"),
        ("efective_compute@2030", "no variable 'efective_compute'. Did you mean 'effective_compute'?"),
        ("crossed:near@2051.5", "the years go from"),
        ("restricted:near", "a sweep keeps no samples"),
    ],
)
def test_an_outcome_that_a_sweep_has_not_is_refused(swept: xr.DataTree, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_outcomes(swept, [text])
    assert said in str(caught.value)


def test_the_table_for_the_terminal_says_what_is_later_than_the_horizon(swept: xr.DataTree) -> None:
    lines = sweep_lines(swept, outcomes=parse_outcomes(swept, ["crossing:far"]))
    assert len(lines) == 1 + 2 + 1 + 6
    assert all("> 20" in line for line in lines[-6:])
    assert "1 more points" not in "\n".join(lines)
    assert sweep_lines(swept, most=4)[-1].strip() == "... and 3 more points in points.csv"
    assert [outcome.kind for outcome in sweep_outcomes(swept)] == ["level", "level", "crossing", "crossed"]


def test_what_half_of_the_samples_exceed_at_the_start_is_no_date() -> None:
    given = small(thresholds={"low": {"effective_compute": 8e25}, "near": {"effective_compute": 1e27}})
    lines = sweep_lines(sweep(given, over={f"{RATE}.centre": [2, 3]}), outcomes=[Outcome("crossing", "low")])
    # The start is 1e26 (90 %: 2.5e25 to 4e26): more than half of the samples are there already, without an error.
    assert all(re.search(r"already in 2025 \(≤ 2025 to 202\d\.\d\)", line) for line in lines[-2:])


def test_the_command_sweeps_shows_and_says_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(TEXT)
    main(["sweep", str(file), "--over", f"{RATE}.centre=2,3", "--no-charts", "--output", str(tmp_path)])
    printed = capsys.readouterr().out
    folder = next(tmp_path.glob("*-sweep-*"))
    assert str(folder) in printed
    main(["show", str(folder)])
    assert capsys.readouterr().out.splitlines() == printed.splitlines()[:-1]
    main(["show", str(folder), "--variables"])
    assert "effective_compute" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["sweep", str(file), "--over", f"{RATE}.median=9,10", "--output", str(tmp_path)])
    assert ended.value.code == 2
    assert f"at {RATE}.median=9:" in capsys.readouterr().err


def test_the_table_for_the_terminal_censors_what_is_passed_at_the_start_and_bounds_shares_of_none_and_all() -> None:
    data = small(thresholds={"low": {"effective_compute": 5e25}, "far": {"effective_compute": 1e60}})
    found = sweep(data, over={f"{RATE}.centre": [2, 3]})
    asked = parse_outcomes(found, ["crossing:low", "crossed:low@2030", "crossed:far@2030"])
    samples = int(found.attrs["samples"])
    bound = float(f"{100 * (1 - 0.05 ** (1 / samples)):.2g}")
    for line in sweep_lines(found, outcomes=asked)[-2:]:
        assert "already in 2025 (≤ 2025 to 20" in line
        assert " ".join(line.split()).endswith(f"> {100 - bound:g} % < {bound:g} %")


def test_a_sweep_of_fixed_numbers_prints_no_intervals_and_one_sample_is_no_plural() -> None:
    lines = sweep_lines(sweep("essay-2023", over={RATE: ["2x/year", "3x/year"]}))
    assert not any(" to " in line or "> 9" in line for line in lines)
    one = sweep_lines(sweep("essay-2023", over={RATE: ["2x/year", "3x/year"]}, overrides=["samples=1"]))
    assert ", 1 sample each" in one[0]


def test_what_is_crossed_at_no_point_is_asked_for_at_the_horizon() -> None:
    far = small(thresholds={"far": {"effective_compute": 1e60}})
    swept = sweep(far, over={f"{RATE}.centre": [2, 3]})
    assert sweep_outcomes(swept)[-1].year == float(swept["summary"]["year"].values[-1])


def test_points_are_selected_by_words_of_the_axes(swept: xr.DataTree) -> None:
    whole = swept["summary"].to_dataset().sel({f"{RATE}.centre": 1.5, f"{CAP}.limit.median": 2e29}, drop=False)
    for names in ({"centre": 1.5, "cap": 2e29}, {"algorithms.growth": 1.5, "limit_median": 2e29 * (1 + 1e-12)}):
        assert swept.at(names).identical(whole)
    assert swept.at(centre=1.5, cap=2e29, year=2030, quantile=0.5)["effective_compute"].shape == ()
    assert swept.at({f"{RATE}.centre": slice(2, 3)}).sizes[f"{RATE}.centre"] == 2
    for names, said in (
        ({"drivers": 1.5}, "drivers: more than one axis of the sweep is meant"),
        ({"hardware": 1.5}, "hardware: no axis of the sweep is meant. There are: drivers.algorithms.growth.centre"),
        ({"centre": 1.6}, "has no value 1.6. There are: 1.5, 2.25, 3."),
    ):
        with pytest.raises(InputError) as caught:
            swept.at(names)
        assert said in str(caught.value)
    labelled = sweep(small(), over={"view": {"slow": {f"{RATE}.centre": 1.2}, "fast": {f"{RATE}.centre": 3}}})
    assert labelled.at(view="slow")["view"].item() == "slow"
    with pytest.raises(InputError, match="Did you mean 'fast'"):
        labelled.at(view="fats")


def test_a_sweep_is_a_result(tmp_path: Path, swept: xr.DataTree) -> None:
    folder = swept.save(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["points.csv", "scenario.yaml", "sweep.nc"]
    again = open_result(folder)
    assert again.identical(swept)
    assert again.lines() == swept.lines()
    assert repr(swept).splitlines()[0] == swept.lines()[0]
    assert "<pre>" in swept._repr_html_()


ONE = {"samples": 64, "thresholds": {"near": {"effective_compute": 1e27}, "own": {"effective_compute": 1e28}}}
OTHER = {"name": "other", "samples": 64, "seed": 5, "thresholds": {"near": {"effective_compute": 1e27}},
         "drivers.compute.caps.cap": {"limit": {"value": 1e29, "unit": "FLOP"}}}  # fmt: skip


def text_of(changes: dict) -> str:
    return scenario_text(small_scenario(changes))


def test_summaries_are_those_of_the_runs_where_all_have_them() -> None:
    runs = [simulate(parse_scenario(text_of(each))) for each in (ONE, OTHER)]
    joined = join_runs(runs)
    summary = joined["summary"].to_dataset()
    assert summary["threshold"].values.tolist() == ["near"]
    for place, run in enumerate(runs):
        own = run["summary"].to_dataset().sel(threshold=["near"])
        for name in ("effective_compute", "crossed", "spending" if "spending" in own else "never"):
            np.testing.assert_array_equal(summary[name].values[place], own[name].values)
    assert np.isposinf(summary["cap_physical_compute_cap"].values[0]).all()
    warned = str(joined.attrs["warnings"])
    assert "left out, since not every scenario has them: threshold own" in warned
    assert "the scenarios are not on common draws: seed is" in warned
    assert joined["points/run_id"].values.tolist() == [run.attrs["run_id"] for run in runs]
    assert join_runs([runs[0], runs[0]])["summary/scenario"].values.tolist() == [
        f"{runs[0].attrs['name']} (1)", f"{runs[0].attrs['name']} (2)"
    ]  # fmt: skip
    with pytest.raises(InputError, match="two or more are joined; got 1"):
        join_runs(runs[:1])


def test_a_faulty_scenario_is_told_and_the_others_finish(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tmp_path / f"{name}.yaml" for name in ("one", "bad", "other")]
    for file, text in zip(files, (text_of(ONE), "schema: 2\nname: bad\n", text_of(OTHER)), strict=True):
        file.write_text(text)
    outputs = tmp_path / "outputs"
    with pytest.raises(SystemExit) as ended:
        main([*map(str, files), "--output", str(outputs), "--no-charts", "--json"])
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert "bad.yaml:1:1: drivers" in told.err
    assert "1 of 3 scenarios failed; 2 runs are written." in told.err
    kinds = [json.loads(line)["kind"] for line in told.out.splitlines()]
    assert kinds == ["run", "run", "sweep"]
    [folder] = outputs.glob("*-sweep-*")
    joined = open_sweep(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["points.csv", "sweep.nc"]
    for name, run_name in zip(joined["summary/scenario"].values, joined["points/run_id"].values, strict=True):
        with open_run(outputs / f"{name}-{run_name}") as run:
            assert run.attrs["run_id"] == run_name
    assert joined.lines()[0].startswith("2 scenarios (")
