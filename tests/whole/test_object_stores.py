"""Runs at an address of an object store: like those on a disk, by a server of S3 in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("s3fs")
pytest.importorskip("moto")

from simulator import (
    check_run,
    draw_charts,
    extend_run,
    load_scenario,
    open_result,
    open_run,
    simulate,
)
from simulator.addresses import Address, as_path
from simulator.cli.main import main
from simulator.engine import simulation
from simulator.engine import workers as work
from simulator.engine.run_folders import run_to_folder
from simulator.engine.simulation import How
from simulator.errors import RunFileError
from tests.analysis.linear_scenario import LINEAR
from tests.s3_server import SECRET, bucket_of_s3

pytestmark = pytest.mark.slow  # a server starts, and clients of it load, in seconds


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Address]:
    monkeypatch.chdir(tmp_path)
    with bucket_of_s3(monkeypatch) as address:
        yield address


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    def say(words: str) -> tuple[str, str, int]:
        capsys.readouterr()
        code = 0
        try:
            main(words.split())
        except SystemExit as ending:
            code = int(ending.code or 0)
        out, err = capsys.readouterr()
        assert SECRET not in out + err
        return out, err, code

    return say


def test_a_run_at_an_address_is_that_on_a_disk(bucket: Address, tmp_path: Path) -> None:
    run = simulate(load_scenario("essay-2023", overrides=["samples=64"]))
    here, there = run.save(tmp_path), run.save(str(bucket))
    assert str(there) == f"{bucket}/{here.name}"
    files = {path.name: path.read_bytes() for path in here.iterdir()}
    assert there.read_below(files) == files
    assert {*there.sizes()} == {*files}
    with open_run(str(there)) as opened:
        assert opened.identical(run)
        assert check_run(opened, fast=True).passed
        copy = Path(opened.encoding["source"])
        assert copy.exists()
    assert open_result(there).to_json() == run.to_json()
    longer = extend_run(str(there), samples=128, outputs=str(bucket))
    assert longer.identical(simulate(load_scenario("essay-2023", overrides=["samples=128"])))
    del opened, longer
    assert not copy.exists()


def test_commands_take_an_address_as_they_take_a_folder(bucket: Address, said, tmp_path: Path) -> None:
    def told(words: str) -> str:
        out, err, code = said(words)
        assert code == 0, err
        return out

    Path("linear.yaml").write_text(LINEAR)
    shown = told(f"run linear.yaml --samples 256 --no-charts --output {bucket}")
    run = as_path(shown.splitlines()[-1].strip())
    assert isinstance(run, Address)
    latest = f"{bucket}/latest"
    assert told(f"show {latest}") in shown
    assert told(f"chart {latest} --format svg").splitlines()[0] == f"{run}/fan_effective_compute.svg"
    assert f"{run}/export/trajectories.csv" in told(f"export {latest} --format csv")
    assert told(f"export {latest} --format hub").startswith("origin_date")
    assert told(f"report {latest}") == f"{run}/report.html\n"
    assert "bit for bit" in told(f"check {latest}")
    for words in (
        f"compare {latest} {run} --output {bucket}",
        f"swings linear.yaml --samples 64 --output {bucket}",
        f"sweep linear.yaml --samples 64 --over drivers.algorithms.growth.sd=0.1,0.2 --output {bucket}",
    ):
        folder = told(f"{words} --no-charts").splitlines()[-1].strip()
        assert folder.startswith(str(bucket))
        assert told(f"show {folder}")
    assert [path.name for path in tmp_path.iterdir()] == ["linear.yaml"]


def test_what_does_not_take_an_address_says_so_and_writes_nothing_here(bucket: Address, said, tmp_path: Path) -> None:
    for words, told in {
        f"run {bucket}/scenario.yaml": "scenarios are read from this machine alone",
        f"history load --output {bucket}/runs.csv": "is like an address of an object store, which is not taken here",
        f"show {bucket}/none": "no such run file",
        "show s3://no-such-bucket/run": "no such run file",
        "run linear.yaml --output s3://no-such-bucket/outputs": "cannot be written",
        "show s3://key:a-secret-key-of-the-tests@bucket/run": "an address must not hold credentials",
    }.items():
        _, err, code = said(words)
        assert told in err.replace("\n", " "), err
        assert code in (1, 2)
    assert list(tmp_path.iterdir()) == []


def test_what_is_damaged_at_an_address_is_refused_by_it(bucket: Address) -> None:
    folder = simulate(load_scenario("essay-2023", overrides=["samples=64"])).save(bucket)
    content = bytearray((folder / "run.nc").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "run.nc").write_bytes(bytes(content))
    with pytest.raises(RunFileError, match=f"{folder}/run.nc: "), open_run(folder) as run:
        check_run(run, fast=True)


def test_a_store_at_an_address_is_written_by_processes_and_taken_like_any_run(
    bucket: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "KEPT", 100)
    monkeypatch.setattr(work, "worth_processes", lambda _: True)
    scenario = load_scenario("essay-2023-realistic", overrides=["samples=330", "block=50"])
    _, alone = run_to_folder(scenario, as_path("memory://alone"), how=How(store="zarr"))
    _, folder = run_to_folder(scenario, bucket, how=How(store="zarr", workers=2))
    assert isinstance(folder, Address)
    assert isinstance(alone, Address)
    assert folder.read_below(folder.all_sizes()) == alone.read_below(alone.all_sizes())
    with open_run(folder) as run:
        assert run["trajectories"].to_dataset().identical(simulate(scenario)["trajectories"].to_dataset())
        assert check_run(run, fast=True).passed
    written = draw_charts(open_run(folder), folder, kinds=["fan"], formats=["svg"])
    assert {str(path.parent) for path in written} == {str(folder)}
