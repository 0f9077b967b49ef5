"""Runs that are interrupted, gone on with, extended, done by several workers, or written to a store."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import netCDF4
import numpy as np
import pytest

from simulator import files
from simulator.engine import checkpoints, simulation
from simulator.engine import run_folders as runs
from simulator.engine import workers as work
from simulator.engine import zarr_store as stores
from simulator.engine.batches import Batch, compute_batch
from simulator.engine.checking import check_run
from simulator.engine.checkpoints import Unfinished
from simulator.engine.collecting import Piece, Tallies, count_piece
from simulator.engine.plan import Plan
from simulator.engine.run_folders import extend_run, run_several, run_to_folder
from simulator.engine.simulation import How, simulate
from simulator.errors import InputError, RunFileError, SimulatorError
from simulator.runs import folder as folders
from simulator.runs.folder import open_run, write_run
from simulator.runs.groups import Group, of_tree
from simulator.scenario.load import load_scenario, parse_scenario
from simulator.scenario.resolving import Scenario
from simulator.testing import assert_valid_run, scenario_text, small_scenario
from tests.places import ROOT

pytest.importorskip("zarr")

DATA = small_scenario({
    "samples": 10_000, "block": 1024,
    "drivers.algorithms.growth": {"mean": 0.3, "sd": 0.2, "unit": "OOM/year"},
    "drivers.compute.caps.cap": {"limit": {"family": "lognormal", "median": 1e29, "interval_90": [1e28, 1e30], "unit": "FLOP"}},
    "thresholds": {"some": {"effective_compute": 1e30}},
})  # fmt: skip


def scenario(**changes: Any) -> Scenario:
    return parse_scenario(scenario_text(DATA | changes))


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (simulation, runs):
        monkeypatch.setattr(module, "KEPT", 2048)
        monkeypatch.setattr(module, "COUNTED", 2048)
    monkeypatch.setattr(simulation, "LEAVES_COUNTS", 4096)


def contents(folder: Path) -> dict[str, bytes]:
    """Read every file of a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def same(one: Path, other: Path) -> None:
    """Compare run files to the byte."""
    assert one.read_bytes() == other.read_bytes()


class Stop(BaseException):
    """Stands for Ctrl-C, a full disk, a killed worker."""


def stopping_after(batches: int) -> Iterator[None]:
    for _ in range(batches):
        yield
    raise Stop


def interrupted(monkeypatch: pytest.MonkeyPatch, *, after: int) -> None:
    stop = stopping_after(after)

    def compute(plan: Plan, first: int, size: int) -> Batch:
        next(stop, None)
        return compute_batch(plan, first, size)

    monkeypatch.setattr(work, "compute_batch", compute)


@pytest.mark.parametrize(
    "how", [How(), How(keep="summary"), How(store="zarr"), How(keep="summary", workers=2), How(workers=2)]
)
def test_an_interrupted_run_goes_on_and_ends_as_if_nothing_had_happened(
    how: How, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = run_to_folder(scenario(), tmp_path / "whole", how=how)
    with monkeypatch.context() as patch:
        interrupted(patch, after=3)
        with pytest.raises((Stop, RuntimeError)):
            run_to_folder(scenario(), tmp_path / "cut", how=how)
    (left,) = (tmp_path / "cut").glob("[!.]*")
    assert left.suffix == ".unfinished"
    computed: list[int] = []

    def compute(plan: Plan, first: int, size: int) -> Batch:
        computed.append(first)
        return compute_batch(plan, first, size)

    monkeypatch.setattr(work, "compute_batch", compute)
    said: list[str] = []
    again, folder = run_to_folder(scenario(), tmp_path / "cut", how=how, resume=True, say=said.append)
    assert said == []
    assert 0 not in computed
    assert len(computed) <= 4
    assert not left.exists()
    assert again.attrs == whole.attrs
    assert contents(folder) == contents(tmp_path / "whole" / folder.name)


@pytest.mark.parametrize("how", [How(keep="summary"), How(store="zarr")])
def test_what_is_half_added_when_a_run_is_stopped_is_not_left(
    how: How, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole = run_to_folder(scenario(), tmp_path / "whole", how=how)
    real = Tallies.add

    def add(tallies: Tallies, piece: Piece) -> None:
        if tallies.samples == 3 * 2048:
            tallies.counts[0].add(piece.counts[0][0])  # and no histogram
            raise Stop
        real(tallies, piece)

    with monkeypatch.context() as patch:
        patch.setattr(Tallies, "add", add)
        patch.setattr(Unfinished, "due", lambda _: True)
        with pytest.raises(Stop):
            run_to_folder(scenario(), tmp_path / "cut", how=how)
    said: list[str] = []
    _, folder = run_to_folder(scenario(), tmp_path / "cut", how=how, resume=True, say=said.append)
    assert said == []
    assert contents(folder) == contents(whole)


@pytest.mark.parametrize("how", [How(), How(store="zarr")])
def test_a_run_that_is_whole_is_taken_without_what_a_kill_left_beside_it(how: How, tmp_path: Path) -> None:
    _, folder = run_to_folder(scenario(), tmp_path, how=how)
    whole = contents(folder)
    left = folder / f".{'run.zarr' if how.store == 'zarr' else 'run.nc'}.{files._machine()}-{1 << 30}-0123abcd.old"
    left.mkdir()
    (left / "zarr.json").write_text("{}")
    said: list[str] = []
    run_to_folder(scenario(), tmp_path, how=how, resume=True, say=said.append)
    assert said == [f"{folder}: is whole, and taken as it is."]
    assert contents(folder) == whole


@pytest.mark.parametrize("how", [How(), How(keep="summary"), How(store="zarr")])
@pytest.mark.parametrize("extended", [False, True])
def test_ended_behind_the_last_rename_the_tables_are_written_by_whoever_goes_on(
    how: How, extended: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run stands in its folder, nothing else does; a store is not computed again."""

    def go_on(outputs: Path) -> Path:
        if not extended:
            return run_to_folder(scenario(), outputs, how=how, resume=True, say=lambda _: None)[1]
        with extend_run(first, samples=15_000, outputs=outputs) as run:
            return outputs / run.folder_name

    first = run_to_folder(scenario(), tmp_path / "first", how=how)[1] if extended else tmp_path
    whole = go_on(tmp_path / "whole")

    def stop(*_: object) -> None:
        raise Stop

    with monkeypatch.context() as patch:
        for module in (runs, folders):
            patch.setattr(module, "write_tables", stop)
        with pytest.raises(Stop):
            go_on(tmp_path / "cut")
    cut = tmp_path / "cut" / whole.name
    assert [each.name for each in cut.iterdir()] == ["run.zarr" if how.store == "zarr" else "run.nc"]
    if how.store == "zarr":
        interrupted(monkeypatch, after=0)
    assert contents(go_on(tmp_path / "cut")) == contents(whole)
    assert [each.name for each in (tmp_path / "cut").glob("[!.]*")] == [whole.name]


def test_where_something_was_left_it_is_said_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for after, noted in ((3, ["--resume goes on with what was done."]), (0, [])):
        with monkeypatch.context() as patch:
            interrupted(patch, after=after)
            with pytest.raises((Stop, RuntimeError)) as caught:
                run_to_folder(scenario(), tmp_path / str(after), how=How(keep="summary"))
        assert getattr(caught.value, "__notes__", []) == noted


def test_without_resume_an_interrupted_run_starts_anew_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupted(patch, after=3)
        with pytest.raises((Stop, RuntimeError)):
            run_to_folder(scenario(), tmp_path, how=How(keep="summary"))
    said: list[str] = []
    run_to_folder(scenario(), tmp_path, how=How(keep="summary"), say=said.append)
    assert "--resume" in said[0]
    run_to_folder(scenario(), tmp_path, how=How(keep="summary"), resume=True, say=said.append)
    assert "is whole, and taken as it is" in said[1]
    run_to_folder(scenario(), tmp_path / "new", how=How(keep="summary"), resume=True, say=said.append)
    assert "nothing was left" in said[2]


def assert_same_numbers(run: Group, other: Group) -> None:
    groups = dict(run.walk())
    for path, group in other.walk():
        for name, values in group.variables.items():
            np.testing.assert_array_equal(groups[path][name].values, values.values, err_msg=f"{path} {name}")


def test_a_run_of_the_default_size_is_taken_over_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    scenario = parse_scenario(
        scenario_text({key: each for key, each in small_scenario().items() if key not in ("samples", "block")})
    )
    assert (scenario.spec.samples, scenario.spec.block) == (10_000, 500)
    _, folder = run_to_folder(scenario, tmp_path, how=How())
    said: list[str] = []
    with extend_run(folder, samples=10_001, outputs=tmp_path, say=said.append):
        assert said == ["10,000 samples are taken over."]


def test_counts_that_another_process_left_meanwhile_and_those_of_a_slow_run_are_not_those_of_the_run_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = How(keep="summary")
    _, whole = run_to_folder(scenario(), tmp_path / "whole", how=how)
    with monkeypatch.context() as patch:
        interrupted(patch, after=1)
        with pytest.raises(Stop):
            run_to_folder(scenario(), tmp_path / "cut", how=how)
    (early,) = (tmp_path / "cut").glob("*/counts.npz")

    def meanwhile(run: Group, outputs: Path) -> Path:
        (left,) = outputs.glob("*.unfinished")
        (left / "counts.npz").write_bytes(early.read_bytes())
        return write_run(run, outputs)

    monkeypatch.setattr(runs, "write_run", meanwhile)
    _, other = run_to_folder(scenario(), tmp_path / "other", how=how)
    assert (other / "counts.npz").read_bytes() == (whole / "counts.npz").read_bytes()
    monkeypatch.setattr(runs, "write_run", write_run)
    monkeypatch.setattr(Unfinished, "due", lambda _: True)
    _, slow = run_to_folder(scenario(samples=3000), tmp_path / "slow", how=how)
    assert not (slow / "counts.npz").exists()


def test_counted_samples_are_taken_over_by_the_batches_in_which_they_were_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (simulation, runs):
        monkeypatch.setattr(module, "COUNTED", 3000)  # batches of samples that are kept are 2,000 here
    how, said = How(keep="summary"), []
    _, folder = run_to_folder(scenario(block=500), tmp_path / "few", how=how)
    with extend_run(folder, samples=15_000, outputs=tmp_path / "more", say=said.append) as opened:
        more = of_tree(opened.load())
    assert said == ["9,000 samples are taken over."]
    assert_same_numbers(more, run_to_folder(scenario(block=500, samples=15_000), tmp_path / "fresh", how=how)[0])


@pytest.mark.parametrize("how", [How(), How(keep="summary"), How(store="zarr")])
def test_an_extended_run_is_a_fresh_run_of_so_many_samples(how: How, tmp_path: Path) -> None:
    _, folder = run_to_folder(scenario(), tmp_path / "few", how=how)
    said: list[str] = []
    with extend_run(folder, samples=15_000, outputs=tmp_path / "more", say=said.append) as opened:
        more = of_tree(opened.load())
    assert said == ["8,192 samples are taken over."]
    wanted = parse_scenario(scenario_text(DATA), overrides=["samples=15000"])
    _, other = run_to_folder(wanted, tmp_path / "fresh", how=how)
    assert contents(tmp_path / "more" / other.name) == contents(other)
    assert more.attrs["overrides"] == "samples: 10000 -> 15000"
    assert folder.exists()
    with pytest.raises(InputError, match="must be more than the 10,000 samples"):
        extend_run(folder, samples=9_000, outputs=tmp_path)


def rewritten(folder: Path, **attrs: str) -> None:
    with netCDF4.Dataset(folder / "run.nc", "a") as file:
        file.setncatts(attrs)
        if "checksums" in file.ncattrs():
            file.delncattr("checksums")


def test_a_run_of_other_code_is_not_extended_and_one_of_another_commit_of_the_same_code_is(tmp_path: Path) -> None:
    _, folder = run_to_folder(scenario(), tmp_path, how=How())
    rewritten(folder, simulator_version="0.1.0+g0000000000")
    with extend_run(folder, samples=12_000, outputs=tmp_path) as more:
        assert more.attrs["simulator_version"] != "0.1.0+g0000000000"
        assert "extended" not in more.attrs["warnings"]
    rewritten(folder, code="000000000000")
    with pytest.raises(
        RunFileError, match=r"made by simulator 0\.1\.0\+g0000000000, code 0{12}; this is .* may differ"
    ):
        extend_run(folder, samples=20_000, outputs=tmp_path)


def test_samples_that_other_libraries_made_are_taken_over_and_that_is_said(tmp_path: Path) -> None:
    _, folder = run_to_folder(scenario(), tmp_path, how=How())
    rewritten(folder, platform="another")
    with extend_run(folder, samples=12_000, outputs=tmp_path) as more:
        assert "the run that is extended were made by platform another (here " in more.attrs["warnings"]
        assert more.attrs["platform"] != "another"


def test_what_was_left_and_is_damaged_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupted(patch, after=3)
        with pytest.raises((Stop, RuntimeError)):
            run_to_folder(scenario(), tmp_path, how=How(keep="summary"))
    (left,) = tmp_path.iterdir()
    (left / "counts.npz").write_bytes(b"PK not really")
    with pytest.raises(RunFileError, match="what was done of the run cannot be read"):
        run_to_folder(scenario(), tmp_path, how=How(keep="summary"), resume=True)


@pytest.mark.parametrize("keep", ["trajectories", "summary"])
def test_processes_give_the_same_bits_as_one_worker(keep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = simulate(scenario(), keep=keep)
    monkeypatch.setattr(work, "WORTH_PROCESSES", {"fork": 0.0, "spawn": 0.0})
    monkeypatch.setattr(work, "MOST_TOGETHER", 2)
    together = simulate(scenario(), keep=keep, workers=2)
    for node in alone.subtree:
        for name, values in node.variables.items():
            np.testing.assert_array_equal(together[node.path].variables[name].values, values.values, err_msg=str(name))


def test_pieces_may_hold_any_number_of_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = simulation.run_plan(scenario(samples=8192))
    firsts = simulation.batch_firsts(plan, keep="summary")
    one, all_at_once = simulation.Tallies(), simulation.Tallies()
    for place in range(len(firsts)):
        one.add(work.counted(plan, firsts[place : place + 1]))
    all_at_once.add(work.counted(plan, firsts))
    for name, values in one.groups(plan).summary.items():
        np.testing.assert_array_equal(all_at_once.groups(plan).summary[name], values, err_msg=name)


def killed(plan: Plan, firsts: range) -> Piece:
    """Die in another process, as a worker does that the system kills; count the first batches here."""
    if multiprocessing.parent_process() is not None:
        os._exit(9)
    return count_piece(plan, work.batches_from(plan, firsts))


def test_a_killed_worker_is_said_and_loses_nothing_that_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "WORTH_PROCESSES", {"fork": 0.0, "spawn": 0.0})
    monkeypatch.setattr(work, "counted", killed)
    with pytest.raises(SimulatorError, match="a worker process was killed"):
        run_to_folder(scenario(), tmp_path, how=How(keep="summary", workers=2))
    (left,) = tmp_path.iterdir()
    assert Unfinished(left).tallies().samples >= 2048


def test_a_killed_worker_of_an_executor_that_was_handed_over_is_said_too() -> None:
    with ProcessPoolExecutor(1) as executor:
        with pytest.raises(SimulatorError, match="a worker process was killed"), work.pool_of(executor) as pool:
            work.later(pool, os._exit, 9)()
        with pytest.raises(SimulatorError, match="a worker process was killed"):
            simulate(scenario(), keep="summary", workers=executor)


WORK = """
import os, sys, time
from simulator.engine import workers as work

def there(pool, job):
    return pool.submit(os.getpid)

if __name__ == "__main__":
    work._start_method = lambda: sys.argv[1]
    jobs = work.side_by_side(range(9), workers=3, here=lambda job: time.sleep(0.5), there=there)
    for _, process in jobs:
        if process is not None:
            break
    print("at work", flush=True)
    os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_end_with_the_process_that_started_them(method: str, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(WORK)
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, script, method]
    parent = subprocess.run(command, env=here, capture_output=True, text=True, timeout=30, check=False)
    assert (parent.returncode, parent.stdout) == (-9, "at work\n")  # the output ends when the last that has it ended


def test_the_tables_and_groups_of_a_store_have_the_order_of_those_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, file = run_to_folder(scenario(), tmp_path, how=How())
    listed = Path.iterdir
    for backwards in (False, True):  # whatever order the disk lists a folder in
        monkeypatch.setattr(Path, "iterdir", lambda path, turned=backwards: iter(sorted(listed(path), reverse=turned)))
        _, store = run_to_folder(scenario(), tmp_path, how=How(store="zarr"))
        with open_run(file) as known, open_run(store) as run:
            assert list(run.children)[:1] == list(known.children)[:1] == ["summary"]
            for name, group in known.children.items():
                assert list(run[name].data_vars) == list(group.data_vars)
                assert run[name].attrs == group.attrs


def test_a_store_holds_what_a_file_holds(tmp_path: Path) -> None:
    whole, _ = run_to_folder(scenario(), tmp_path, how=How())
    _, folder = run_to_folder(scenario(), tmp_path, how=How(store="zarr"))
    stored = open_run(folder)
    assert_valid_run(stored)
    for group in ("parameters", "trajectories", "crossings"):
        for name, values in whole.children[group].data_vars.items():
            assert stored[group][name].attrs.keys() == values.attrs.keys()
            np.testing.assert_array_equal(stored[group][name].values, values.values, err_msg=str(name))
    np.testing.assert_allclose(
        stored["summary/effective_compute"], whole.children["summary"]["effective_compute"].values, rtol=0, atol=0.001
    )
    assert stored.attrs["store"] == "zarr"
    assert check_run(stored).passed


def test_a_store_of_a_summary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--store zarr holds samples"):
        run_to_folder(scenario(), tmp_path, how=How(keep="summary", store="zarr"))


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(InputError, match=r"the disk has 0\.0 GiB"):
        run_to_folder(scenario(), tmp_path, how=How(store="zarr"))
    assert not list(tmp_path.glob("[!.]*"))


def test_two_processes_do_not_grow_one_store(tmp_path: Path) -> None:
    _, folder = run_to_folder(scenario(), tmp_path, how=How(store="zarr"))
    held = Unfinished(folder.with_name(f"{folder.name}.unfinished"))
    with held.alone(), pytest.raises(InputError, match="another run of this scenario is at work there"):
        run_to_folder(scenario(), tmp_path, how=How(store="zarr"))
    run_to_folder(scenario(), tmp_path, how=How(store="zarr"))
    lock = f".{folder.name}.unfinished.lock"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([folder.name, lock])


def test_batches_come_back_as_they_were_left(tmp_path: Path) -> None:
    plan = simulation.run_plan(scenario())
    batches = compute_batch(plan, 0, 4096).cut(2048)
    unfinished = Unfinished(tmp_path / "left")
    unfinished.keep_batches(batches)
    again = unfinished.batches()
    assert [batch.first for batch in again] == [0, 2048]
    for one, other in zip(batches, again, strict=True):
        for group in ("parameters", "trajectories", "crossings"):
            for name, values in getattr(one, group).items():
                np.testing.assert_array_equal(getattr(other, group)[name], values)
    (tmp_path / "left" / "samples-000000000000.npz").unlink()
    assert unfinished.batches() == []


def test_a_folder_that_another_run_takes_away_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "is_folder", lambda folder: True)  # it was there a moment ago
    assert not Unfinished(tmp_path / "gone").exists


def test_what_another_run_takes_away_and_writes_anew_was_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished, path = Unfinished(tmp_path), tmp_path / "counts.npz"

    def written_too_late(*_: object, **__: object) -> None:
        path.write_bytes(b"of a run that has begun meanwhile")
        raise FileNotFoundError(path)

    monkeypatch.setattr(checkpoints.np, "load", written_too_late)
    assert unfinished.tallies().samples == 0
    monkeypatch.undo()
    with pytest.raises(RunFileError, match=r"counts\.npz: what was done of the run cannot be read"):
        unfinished.tallies()


def several(folder: Path, *, faulty: bool = False) -> list[Path]:
    """Write three scenarios of several batches, of which the second has a fault."""
    files = []
    for number, samples in enumerate((10_000, 9_000, 8_200)):
        fault = {"hardwear": 3} if faulty and number == 1 else {}
        text = scenario_text(DATA | {"samples": samples, "name": f"scenario-{number}"} | fault)
        (file := folder / f"{number}.yaml").write_text(text, encoding="utf-8")
        files.append(file)
    return files


class Asked(ThreadPoolExecutor):
    """Threads that keep in mind of which scenario each batch was, and whether anything waits when one is whole."""

    hands = 2

    def __init__(self) -> None:
        super().__init__(2)
        self.batches: list[tuple[str, int]] = []

    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        _, text, job = args[1].args  # type: ignore[attr-defined]
        self.batches.append((json.loads(text)["name"], job.start))
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("keep", ["trajectories", "summary"])
def test_several_scenarios_go_out_as_one_queue_and_give_the_bytes_of_one_after_the_other(
    keep: Literal["trajectories", "summary"], tmp_path: Path
) -> None:
    files, found, handed = several(tmp_path), list[Path](), list[set[str]]()
    with Asked() as pool:
        for each in run_several(files, tmp_path / "afar", [], how=How(keep, workers=pool)):
            found += [folder for _, _, folder in each()]
            handed.append({name for name, _ in pool.batches})
    assert handed[0] >= {"scenario-0", "scenario-1"}  # before it was written
    assert len(pool.batches) == len(set(pool.batches)) == (5 + 5 + 5)
    alone = [run_to_folder(load_scenario(file), tmp_path / "alone", how=How(keep))[1] for file in files]
    assert [contents(folder) for folder in found] == [contents(folder) for folder in alone]


def test_of_several_scenarios_one_that_fails_takes_no_others_with_it(tmp_path: Path) -> None:
    files = several(tmp_path, faulty=True)
    ran, faults = list[str](), list[str]()
    with Asked() as pool:
        for each in run_several(files, tmp_path / "afar", [], how=How(workers=pool)):
            try:
                ran += [name for name, _, _ in each()]
            except SimulatorError as error:
                faults.append(str(error))
    assert ran == ["scenario-0", "scenario-2"]
    assert len(faults) == 1
    assert "hardwear" in faults[0]


def test_what_is_left_of_a_run_that_ends_early_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = several(tmp_path)
    with Asked() as pool:
        every = run_several(files, tmp_path / "afar", [], how=How(workers=pool))
        begun = next(every)()
        with monkeypatch.context() as patch:
            patch.setattr(folders, "save_run", refuse)
            with pytest.raises(SimulatorError, match="no room"):
                next(begun)
        assert [name for each in every for name, _, _ in each()] == ["scenario-1", "scenario-2"]


def refuse(*_: object) -> None:
    raise SimulatorError("no room")


def test_several_scenarios_are_gone_on_with_and_those_that_are_whole_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, how = several(tmp_path), How(keep="summary")
    whole = [next(each())[2] for each in run_several(files, tmp_path / "whole", [], how=how)]
    with monkeypatch.context() as patch:
        interrupted(patch, after=8)
        with pytest.raises((Stop, RuntimeError)):
            [list(each()) for each in run_several(files, tmp_path / "cut", [], how=how)]
    said: list[str] = []
    with Asked() as pool:
        every = run_several(files, tmp_path / "cut", [], how=replace(how, workers=pool), resume=True, say=said.append)
        found = [next(each())[2] for each in every]
    assert [line.rpartition(":")[2] for line in said] == [
        " is whole, and taken as it is.", " it is run from the start."
    ]  # fmt: skip
    assert {name for name, _ in pool.batches} == {"scenario-1", "scenario-2"}
    assert ("scenario-1", 0) not in pool.batches
    assert [contents(folder) for folder in found] == [contents(folder) for folder in whole]
