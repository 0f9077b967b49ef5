"""An installed package adds a prior family, laws, a kind of chart and a format, a file each; commands use them by name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from simulator import open_run
from simulator.testing import scenario_text, small_scenario
from tests.places import ROOT, TESTS

SMALL = {
    "drivers.compute.start": {"family": "half-normal", "sigma": 2e26, "unit": "FLOP"},
    "thresholds": {"big": {"physical_compute": 1e27, "label": "big run"}},
    "drivers.compute.caps": {"money": {"kind": "root", "limit": {"value": 1e28, "unit": "FLOP"}}},
    "drivers.compute.growth": None,
    "drivers.algorithms": {"law": {"kind": "doubling", "parameters": {"pace": "0.2 OOM/year"}}},
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package from its files and install it into a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    package = shutil.copytree(TESTS / "plugins", tmp_path_factory.mktemp("source") / "plugins")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--target", folder, package], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def folder(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a scenario that names the family and the laws."""
    work = tmp_path_factory.mktemp("work")
    (work / "small.yaml").write_text(scenario_text(small_scenario(SMALL)))
    done = simulate(installed, work, "small.yaml", "--no-charts")
    assert done.returncode == 0, done.stderr
    (run,) = (path for path in (work / "outputs").iterdir() if path.name != "latest")
    return run


SERVER = """
import json, os, sys
from simulator.cli.main import main
import simulator.engine.simulation, simulator.runs.folder, simulator.scenario.load

for line in sys.stdin:
    work, words, place = json.loads(line)
    if child := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    os.chdir(work)
    for handle, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(os.path.join(place, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), handle)
    code = 1
    try:
        main(words)
        code = 0
    except SystemExit as ending:
        code = int(ending.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
"""
"""Loads the program, which runs nothing itself: each command has a process of its own, which is forked from it."""


SERVERS: dict[Path, subprocess.Popen[str]] = {}


@pytest.fixture(scope="module", autouse=True)
def _servers() -> Iterator[None]:
    """End what was started."""
    yield
    for process in SERVERS.values():
        process.communicate()
    SERVERS.clear()


def server(installed: Path) -> subprocess.Popen[str]:
    """Give what runs commands where a package is installed."""
    if installed not in SERVERS:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(installed)])}
        SERVERS[installed] = subprocess.Popen(
            [sys.executable, "-c", SERVER], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    return SERVERS[installed]


def simulate(installed: Path, work: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command where the package is installed."""
    words, process = list(map(str, arguments)), server(installed)
    assert process.stdin is not None
    assert process.stdout is not None
    with tempfile.TemporaryDirectory() as place:
        process.stdin.write(json.dumps([str(work), words, place]) + "\n")
        process.stdin.flush()
        code = int(process.stdout.readline())
        said = [(Path(place) / name).read_text(encoding="utf-8") for name in ("out", "err")]
    return subprocess.CompletedProcess(words, code, *said)


def test_its_family_and_its_laws_run_from_a_scenario_file(folder: Path) -> None:
    with open_run(folder) as run:
        drawn = run["parameters/drivers.compute.start"].values
        level = run["trajectories/physical_compute"].values
        demanded = run["trajectories/physical_compute_demanded"].values
    assert np.median(10**drawn) == pytest.approx(2e26 * 0.6744897501960817, rel=0.02)  # the half normal's median
    np.testing.assert_allclose(level, demanded - 0.5 * np.log10(1 + 100 ** (demanded - 28.0)), rtol=2e-7)
    assert "money" in (folder / "binding.csv").read_text()
    with open_run(folder) as run:  # d a/dt = 0.2 (1 + a / 2)
        algorithms, faster = (run[f"trajectories/{name}"].values for name in ("algorithms", "algorithms_law_faster"))
    exact = np.broadcast_to(2 * np.expm1(0.1 * np.arange(algorithms.shape[1])), algorithms.shape)
    np.testing.assert_allclose(algorithms, exact, atol=2e-6)
    np.testing.assert_allclose(10**faster, 10 ** (exact / 2), rtol=1e-5)


def test_the_run_says_which_version_of_it_made_it_and_a_check_when_it_is_another(
    installed: Path, folder: Path, tmp_path: Path
) -> None:
    with open_run(folder) as run:
        assert json.loads(run.attrs["libraries"])["simulator-extras"] == "1.0"
    assert len(simulate(installed, folder.parents[1], "check", folder).stdout.splitlines()) == 1
    newer = shutil.copytree(installed, tmp_path / "newer")
    (metadata,) = newer.glob("simulator_extras-*.dist-info/METADATA")
    metadata.write_text(metadata.read_text().replace("Version: 1.0", "Version: 1.1"))
    (tmp_path / "small.yaml").write_text((folder.parents[1] / "small.yaml").read_text())
    said = simulate(newer, tmp_path, "check", folder).stdout.splitlines()
    assert said[0].startswith("same: ")
    assert said[1] == "  made by simulator-extras 1.0 (here 1.1)"
    assert simulate(newer, tmp_path, "small.yaml", "--no-charts").returncode == 0
    assert {path.name for path in (tmp_path / "outputs").iterdir()} != {folder.name}


def test_they_are_said_like_any_other(installed: Path, folder: Path) -> None:
    work = folder.parents[1]
    said = simulate(installed, work, "validate", "small.yaml")
    assert "half normal, median 1.35e+26" in said.stdout, said.stderr
    schema = json.loads(simulate(installed, work, "schema").stdout)
    for name in ("half-normal", "root"):
        assert f'"{name}"' in json.dumps(schema)
    assert simulate(installed, work, "check", folder).returncode == 0
    page = simulate(installed, work, "report", folder)
    assert page.returncode == 0, page.stderr
    assert "root law" in (folder / "report.html").read_text(encoding="utf-8")


def test_its_chart_is_drawn_by_name_and_among_all(installed: Path, folder: Path) -> None:
    work = folder.parents[1]
    assert "never" in simulate(installed, work, "chart", "--help").stdout
    done = simulate(installed, work, "chart", folder, "--kind", "never", "--format", "svg", "--output", "never")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (work / "never").iterdir()} == {"never.svg", "never.csv", "never.txt"}
    every = simulate(installed, work, "chart", folder, "--kind", "all", "--format", "svg", "--output", "every")
    assert (work / "every" / "never.svg").exists(), every.stderr


def test_its_format_is_written_by_name(installed: Path, folder: Path) -> None:
    work = folder.parents[1]
    assert "markdown" in simulate(installed, work, "export", "--help").stdout
    done = simulate(installed, work, "export", folder, "--format", "markdown")
    assert done.stdout.startswith("| threshold | median |"), done.stderr
    simulate(installed, work, "export", folder, "--format", "markdown", "--output", "crossings.md")
    assert (work / "crossings.md").read_text(encoding="utf-8") == done.stdout


def test_without_it_a_fault_tells_which_there_are(folder: Path) -> None:
    said = simulate(Path("nowhere"), folder.parents[1], "small.yaml")
    assert said.returncode == 2
    assert "'half-normal'" in said.stderr
    assert "'root'" in said.stderr
    drawn = simulate(Path("nowhere"), folder.parents[1], "chart", folder, "--kind", "never")
    assert (drawn.returncode, drawn.stdout) == (2, "")


def test_a_package_that_cannot_be_imported_harms_only_what_names_it(folder: Path, tmp_path: Path) -> None:
    """Whatever goes wrong in it: commands that do not use it work, and a scenario that does has a placed fault."""
    (tmp_path / "torn.py").write_text("raise ValueError('torn')\n")
    record = tmp_path / "torn-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: torn\nVersion: 1.0\n")
    groups = ("prior_families", "saturation_laws", "growth_laws", "draw_designs", "chart_kinds", "exporters", "drivers")
    entries = "".join(f"[simulator.{group}]\ntorn = torn:it\n" for group in groups)
    (record / "entry_points.txt").write_text(entries)
    schema = simulate(tmp_path, tmp_path, "schema")
    assert (schema.returncode, '"torn"' in schema.stdout) == (0, False), schema.stderr
    written = simulate(tmp_path, tmp_path, "export", folder, "--format", "json")
    assert written.returncode == 0, written.stderr
    changes: dict[str, object] = {"design": "torn", "drivers.compute.caps.money.kind": "torn"}
    capped = {"money": {"kind": "hard", "limit": {"value": 1e28, "unit": "FLOP"}}}
    text = scenario_text(
        small_scenario({**SMALL, "drivers.compute.start": 2e26, "drivers.compute.caps": capped} | changes)
    )
    (tmp_path / "torn.yaml").write_text(text)
    said = simulate(tmp_path, tmp_path, "validate", "torn.yaml")
    assert said.returncode == 2, said.stdout
    assert said.stderr.count("torn:it cannot be imported: torn. Mend or reinstall its package.") == 2
    assert "design: torn: the installed design of draws" in said.stderr
