"""Results that stand beside what they are about are opened again from their file."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import pytest

from simulator import attribute_difference, load_scenario, open_result, prior_influence, score_run, simulate
from simulator.errors import RunFileError
from simulator.runs.result import Result
from simulator.runs.run import Run


@pytest.fixture(scope="module")
def run() -> Run:
    return simulate(load_scenario("baseline", overrides=["samples=256", "years.first=2023"]))


def found_of(kind: str, run: Run) -> Result:
    if kind == "influence":
        return prior_influence(run, ["effective_compute@2035", "crossed:1000x-gpt-4@2030", "crossing:gpt-4"])
    if kind == "score":
        return score_run(run, after="2024")
    return attribute_difference(load_scenario("baseline"), load_scenario("no-caps"), samples=64)


@pytest.mark.parametrize("kind", ["influence", "attribution", "score"])
def test_what_stands_beside_a_run_is_opened_again(kind: str, run: Run, tmp_path: Path) -> None:
    found = found_of(kind, run)
    folder = found.save(tmp_path / "apart")
    for place in (folder, folder / f"{kind}.nc"):
        again = open_result(place)
        assert (again.kind, again.label) == (kind, found.label)
        assert (list(again.lines()), again.warnings) == (list(found.lines()), tuple(found.warnings))
        assert dict(again.tables()) == dict(found.tables())
        assert set(again.dataset.variables) == set(found.dataset.variables)
    first = (folder / f"{kind}.nc").read_bytes()
    found.write_into(folder)
    assert (folder / f"{kind}.nc").read_bytes() == first


def test_a_file_of_another_format_is_refused(run: Run, tmp_path: Path) -> None:
    found_of("influence", run).write_into(tmp_path)
    with netCDF4.Dataset(tmp_path / "influence.nc", "a") as file:
        file.influence_format = 9
    with pytest.raises(RunFileError, match="is of influence format 9; this simulator reads 1"):
        open_result(tmp_path)
