"""Several scenarios as one dataset: what they have in common, what is left out, a faulty one among them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from simulator.analysis.designs.scenarios import join_runs
from simulator.analysis.sweep_files import open_sweep
from simulator.cli.main import main
from simulator.engine.simulation import simulate
from simulator.errors import InputError
from simulator.runs.folder import open_run
from simulator.scenario.load import parse_scenario
from simulator.testing import scenario_text, small_scenario

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
