"""Two commands at once on one ledger or one run folder: nothing is lost, and neither fails."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator.analysis.sweep_files
import simulator.engine.checkpoints
from simulator import load_scenario, open_run, save_run, simulate
from simulator.analysis.sweep_files import UnfinishedSweep
from simulator.engine.checkpoints import Unfinished, keep_in
from simulator.engine.collecting import Tallies
from simulator.errors import RunFileError, SimulatorError
from simulator.files import write_text
from tests.analysis.linear_scenario import LINEAR
from tests.places import ROOT

HERE = {**os.environ, "PYTHONPATH": str(ROOT)}

TOGETHER = """
import sys, time
from pathlib import Path
Path(f"ready-{sys.argv[1]}").touch()
while len(list(Path(".").glob("ready-*"))) < int(sys.argv[2]):
    time.sleep(0.002)
"""
"""Waits until every process is there, so that they work at the same time."""

SCORES = (
    """
from pathlib import Path
import sys
from simulator.hindcast.ledger import SCORES, SCORING, append_ledger, score_table
from simulator.runs.table import Table
"""
    + TOGETHER
    + """
added = 0
for number in range(12):
    for run in (f"{sys.argv[1]}-{number}", f"all-{number}"):
        scoring = dict(zip(SCORING, ("2028-02-01", run, "a, b", "ab", "0.1.0", "runs.csv", "2028-01", "cd")))
        row = {"quantity": "physical_compute", "target": "2027-12-31", "in_sample": False, "observed": 27.0}
        scores = Table.of_rows([row | {"median": 27.5, "crps": 0.4}], SCORES)
        added += append_ledger(Path("ledger.csv"), score_table(scoring, scores))
print(added)
"""
)

RUNS = (
    """
import simulator.engine.checkpoints
from simulator.cli.main import main
simulator.engine.checkpoints.Unfinished.due = lambda self: True
"""
    + TOGETHER
    + """
for _ in range(2):
    main(["run", "linear.yaml", "--samples", "65536", "--no-charts", "--keep", sys.argv[3]])
"""
)


def side_by_side(code: str, folder: Path, *words: str, count: int = 2) -> list[str]:
    """Run a script in several processes at once; give what each printed."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(number), str(count), *words],
            cwd=folder, env=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(count)
    ]  # fmt: skip
    said = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0] * count, said
    return [out for out, _ in said]


def test_scorings_at_once_all_stand_in_the_ledger_and_once(tmp_path: Path) -> None:
    said = side_by_side(SCORES, tmp_path, count=3)
    with (tmp_path / "ledger.csv").open(newline="") as stream:
        found = [row["run_id"] for row in csv.DictReader(stream)]
    names = {f"{who}-{number}" for who in ("0", "1", "2", "all") for number in range(12)}
    assert len(found) == len(names) == sum(map(int, said))
    assert set(found) == names


@pytest.mark.parametrize("keep", ["trajectories", "summary"])
def test_runs_of_one_scenario_at_once_leave_the_whole_run(tmp_path: Path, keep: str) -> None:
    (tmp_path / "linear.yaml").write_text(LINEAR)
    side_by_side(RUNS, tmp_path, keep)
    (folder,) = (
        path for path in (tmp_path / "outputs").iterdir() if path.name != "latest"
    )  # nothing unfinished is left
    alone = simulate(load_scenario(tmp_path / "linear.yaml", overrides=["samples=65536"]), keep=keep)
    save_run(alone, tmp_path / "alone.nc")
    with open_run(folder) as run, open_run(tmp_path / "alone.nc") as known:
        assert run["summary"].to_dataset().identical(known["summary"].to_dataset())


def test_what_is_done_is_kept_although_another_run_takes_the_folder_away(tmp_path: Path) -> None:
    left, tries = tmp_path / "left", []

    def write() -> None:
        tries.append(1)
        if len(tries) < 4:
            shutil.rmtree(left)
        write_text(left / "counts", "whole")

    keep_in(left, write)
    assert len(tries) == 4
    assert (left / "counts").read_text() == "whole"


@pytest.mark.parametrize("gone", [True, False])
def test_what_is_gone_while_it_is_read_counts_as_never_there_and_damage_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    (tmp_path / "counts.npz").write_text("damaged")
    (tmp_path / "samples-000000000000.npz").write_text("damaged")
    load = np.load

    def taken(path: Path, **how: Any) -> Any:
        if gone:
            path.unlink()
        return load(path, **how)

    monkeypatch.setattr(simulator.engine.checkpoints.np, "load", taken)
    left = Unfinished(tmp_path)
    for ask, nothing in ((left.tallies, Tallies()), (left.batches, [])):
        if gone:
            assert ask() == nothing
        else:
            with pytest.raises(RunFileError, match="cannot be read"):
                ask()


def test_a_folder_that_cannot_be_written_is_still_said_so(tmp_path: Path) -> None:
    tries = []

    def full() -> None:
        tries.append(1)
        raise SimulatorError("cannot be written: no space")

    with pytest.raises(SimulatorError, match="no space"):
        keep_in(tmp_path / "left", full)
    assert len(tries) == 5


@pytest.mark.parametrize("gone", [True, False])
def test_points_that_another_sweep_takes_away_are_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    (tmp_path / "point-one.nc").write_text("damaged")
    opened = simulator.analysis.sweep_files.open_run

    def taken(path: Path) -> Any:
        if gone:
            path.unlink()
        return opened(path)

    monkeypatch.setattr(simulator.analysis.sweep_files, "open_run", taken)
    if gone:
        assert UnfinishedSweep(tmp_path).points() == {}
    else:
        with pytest.raises(RunFileError, match="cannot be read"):
            UnfinishedSweep(tmp_path).points()
