"""A run by the workers of a Dask cluster: the same bytes, and a line where something is lost."""

from __future__ import annotations

import datetime as dt
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simulator import (
    Scenario,
    audit_scenario,
    compare_runs,
    load_scenario,
    make_hindcast,
    prior_swings,
    reproduce_published,
    simulate,
    variance_shares,
)
from simulator.addresses import as_path
from simulator.analysis.sweep_points import load_sweep
from simulator.analysis.sweeps import run_sweep
from simulator.engine import cluster as module
from simulator.engine import simulation
from simulator.engine import workers as work
from simulator.engine.checkpoints import Unfinished
from simulator.engine.cluster import Cluster, cluster
from simulator.engine.run_folders import run_to_folder
from simulator.engine.simulation import How
from simulator.engine.workers import Workers, later, pool_of, with_this_code
from simulator.errors import InputError, SimulatorError
from simulator.hindcast.arms import path_arms, rule_arms
from simulator.hindcast.matrix import Truth, make_matrix
from simulator.history.fit import SamplerSettings, begin_fits, fit_dates
from tests.hindcast.made_up_record import OBSERVED as RECORD
from tests.history.made_up_history import OBSERVED
from tests.s3_server import bucket_of_s3

dask = pytest.importorskip("dask")
pytest.importorskip("distributed")
pytestmark = pytest.mark.slow  # a scheduler and its workers start in seconds


def started(*words: str) -> subprocess.Popen[bytes]:
    """Start a command of Dask, without a word."""
    command = [sys.executable, "-m", "dask", *words, "--no-dashboard"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def scheduler(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start a scheduler on a free port; give its process and the file that holds its address."""
    file = folder / "scheduler.json"
    process = started("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    while not file.exists():
        time.sleep(0.05)
    return process, str(file)


def worker(file: str) -> subprocess.Popen[bytes]:
    """Start a worker of one thread that nothing starts anew."""
    folder = str(Path(file).parent)
    return started("worker", "--scheduler-file", file, "--nthreads", "1", "--no-nanny", "--local-directory", folder)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler with two workers, by its file."""
    process, file = scheduler(tmp_path_factory.mktemp("dask"))
    processes = [process, worker(file), worker(file)]
    yield file
    for each in processes:
        each.kill()
        each.wait()


def scenario(samples: int = 4_000) -> Scenario:
    return load_scenario("essay-2023-realistic", overrides=[f"samples={samples}", "block=100"])


@pytest.mark.parametrize("how", [How(), How(keep="summary"), How(store="zarr")], ids=["kept", "counted", "store"])
def test_a_cluster_gives_the_bytes_of_one_process(
    address: str, how: How, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "KEPT", 500)
    monkeypatch.setattr(simulation, "COUNTED", 500)
    _, alone = run_to_folder(scenario(), tmp_path / "alone", how=how)
    with cluster(address) as executor:
        _, afar = run_to_folder(scenario(), tmp_path / "afar", how=replace(how, workers=executor))
    files = [path.relative_to(alone) for path in alone.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert [file for file in files if (alone / file).read_bytes() != (afar / file).read_bytes()] == []


def test_points_of_a_sweep_are_computed_by_a_cluster(address: str) -> None:
    over = {"drivers.spending.growth[0].rate.median": ["2x/year", "2.5x/year", "3x/year"]}
    plan = load_sweep("baseline", over=over, overrides=["samples=500"])
    with cluster(address) as executor:
        afar = run_sweep(plan, workers=executor)
    for name, values in run_sweep(plan)["summary"].variables.items():
        np.testing.assert_array_equal(afar["summary"].variables[name].values, values.values, err_msg=str(name))


def test_another_executor_does_the_work_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "COUNTED", 500)
    with ThreadPoolExecutor(2) as executor:
        afar = simulate(scenario(), keep="summary", workers=executor)
    assert afar["summary"].to_dataset().equals(simulate(scenario(), keep="summary")["summary"].to_dataset())


def test_work_is_done_anew_where_a_worker_is_lost(tmp_path: Path) -> None:
    process, file = scheduler(tmp_path)
    first = worker(file)
    killed = False

    def kill(*_: int) -> None:
        nonlocal killed, first
        if not killed:
            other.append(worker(file))
            first.kill()
        killed = True

    other: list[subprocess.Popen[bytes]] = []
    with cluster(file) as executor:
        afar = simulate(scenario(40_000), workers=executor, progress=kill)
    for each in (process, first, *other):
        each.kill()
        each.wait()
    assert killed
    assert afar["trajectories"].to_dataset().equals(simulate(scenario(40_000))["trajectories"].to_dataset())


def test_a_lost_scheduler_is_told_in_a_line_and_nothing_is_lost(tmp_path: Path) -> None:
    process, file = scheduler(tmp_path)
    only = worker(file)

    def kill(*_: int) -> None:
        for each in (only, process):
            each.kill()
            each.wait()

    said = "the scheduler was lost"
    soon = dask.config.set({"distributed.comm.timeouts.connect": "1s"})
    with soon, pytest.raises(SimulatorError, match=said) as caught, cluster(file) as executor:
        run_to_folder(scenario(40_000), tmp_path, how=How(workers=executor, progress=kill))
    assert caught.value.__notes__ == ["--resume goes on with what was done."]
    assert run_to_folder(scenario(40_000), tmp_path, how=How(), resume=True)[0].attrs["samples"] == 40_000


def test_workers_of_other_code_are_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "made_otherwise", lambda made: {"simulator": ("0.1", "0.2")})
    with pytest.raises(InputError, match=r"the scheduler has simulator 0\.1 \(here 0\.2\)"), cluster(address):
        pass
    monkeypatch.setattr(module, "made_otherwise", lambda made: {"numpy": ("1.9", "2.0")})
    told = r"has numpy 1\.9 \(here 2\.0\): its numbers may be others"
    with pytest.raises(InputError, match=told), cluster(address):
        pass
    with pytest.raises(SimulatorError, match="a worker has other code"):
        with_this_code("another", print)


def test_another_processor_is_told(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "made_otherwise", lambda made: {"platform": ("a", "b")})
    said: list[str] = []
    with cluster(address, say=said.append):
        pass
    assert len(said) == 2
    assert "another processor: samples agree to 1e-9" in said[0]


def test_no_scheduler_or_no_workers_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECTING", 0.5)
    with pytest.raises(InputError, match="no scheduler answers there"), cluster("tcp://127.0.0.1:9"):
        pass
    with pytest.raises(InputError, match="nor a scheduler file"), cluster(str(tmp_path / "none.json")):
        pass
    for place, content in enumerate(["{}", "[1]", '{"address": 5}', "no JSON"]):
        (other := tmp_path / f"other-{place}.json").write_text(content)
        with pytest.raises(InputError, match=r"other-\d\.json: names no scheduler that answers"), cluster(str(other)):
            pass
    with (
        pytest.raises(InputError, match=r"there \(TypeError: TLS expects .*TLS configuration"),
        cluster("tls://[::1]:9"),
    ):
        pass
    process, file = scheduler(tmp_path)
    with pytest.raises(InputError, match="has no workers"), cluster(file):
        pass
    process.kill()
    process.wait()


def test_studies_are_parted_to_the_same_bits(address: str) -> None:
    def studied(workers: Workers) -> list[xr.Dataset]:
        asked, given = ["effective_compute@2035", "crossing:1000x-gpt-4"], load_scenario("baseline")
        return [
            variance_shares(given, asked, samples=64, workers=workers).dataset,
            variance_shares("essay-2023-realistic", samples=64, workers=workers).dataset,
            prior_swings(given, outcomes=asked, samples=64, workers=workers).dataset,
            audit_scenario(given, outcomes=asked, samples=64, workers=workers).dataset,
        ]

    with cluster(address) as executor:
        afar = studied(executor)
    for one, other in zip(studied(1), afar, strict=True):
        xr.testing.assert_identical(one, other)


def test_differences_are_attributed_by_a_cluster(address: str) -> None:
    changes = [
        "drivers.spending.growth[2].rate=3x/year",
        "drivers.hardware.growth[3].rate=1.4x/year",
        "years.last=2040",
    ]
    items = [load_scenario("essay-2023"), load_scenario("essay-2023", overrides=changes)]
    with cluster(address) as executor:
        afar = compare_runs(items, attribute=True, workers=executor)
    alone = compare_runs(items, attribute=True)
    for name, table in alone.tables().items():
        assert repr(list(afar.tables()[name].rows())) == repr(list(table.rows()))
    assert len(alone.tables()["attribution"]) > 8


def test_published_forecasts_are_reproduced_by_a_cluster(address: str) -> None:
    names = ["four-times-a-year", "cottier-2024"]
    with cluster(address) as executor:
        afar = reproduce_published(names, workers=executor)
    assert afar.lines() == reproduce_published(names).lines()


def hindcasts(workers: Workers, folder: Path) -> tuple[list[str], dict[str, bytes]]:
    """Make hindcasts of one scenario and a matrix of them: what their tables hold, and the files that are kept."""
    one = make_hindcast("baseline", allow_hindsight=True, origins=[2015], workers=workers)
    with pool_of(workers) as pool:
        arms = [*path_arms(size=60, seed=0, pool=pool), *rule_arms(size=60, seed=0)]
        truth = Truth("made up", dt.date(2023, 2, 1), RECORD, games=True)
        many = make_matrix(arms, tables=[truth], origins=[2014, 2016], folder=folder)
    tables = [repr(list(table.rows())) for found in (one, many) for table in found.tables().values()]
    return tables, {file.name: file.read_bytes() for file in folder.rglob("*.json")}


@pytest.fixture(scope="module")
def hindcasts_here(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], dict[str, bytes]]:
    return hindcasts(1, tmp_path_factory.mktemp("here"))


@pytest.mark.parametrize("elsewhere", ["cluster", "processes"])
def test_hindcasts_are_made_elsewhere_to_the_same_bits(
    address: str, elsewhere: str, tmp_path: Path, hindcasts_here: tuple[list[str], dict[str, bytes]]
) -> None:
    with cluster(address) as executor:
        afar, kept = hindcasts(executor if elsewhere == "cluster" else 2, tmp_path)
    assert (afar, kept) == hindcasts_here
    assert len(kept) == 2 * 10


def test_fits_of_history_are_made_by_a_cluster_one_each_and_kept_here(address: str, tmp_path: Path) -> None:
    dates, settings = (2021.0, 2022.0), SamplerSettings(draws=20, tune=40, chains=2, target_acceptance=0.8, seed=5)
    alone = fit_dates(OBSERVED, dates=dates, settings=settings, cache=tmp_path / "alone")  # compiled once for all
    with cluster(address) as executor:
        afar = begin_fits(
            OBSERVED, dates=dates, settings=settings, cache=tmp_path / "afar", hand=lambda fit: later(executor, fit)
        )()
    for one, other in zip(alone, afar, strict=True):
        xr.testing.assert_identical(one, other)
    files = [sorted((tmp_path / each).glob("*.nc")) for each in ("afar", "alone")]
    assert [file.read_bytes() for file in files[0]] == [file.read_bytes() for file in files[1]]
    assert len(files[0]) == 2


def short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "KEPT", 500)
    monkeypatch.setattr(work, "MOST_TOGETHER", 2)


def of_run(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def by_one(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a store that is written by this process."""
    with pytest.MonkeyPatch.context() as patch:
        short_batches(patch)
        return of_run(run_to_folder(scenario(20_200), tmp_path_factory.mktemp("alone"), how=How(store="zarr"))[1])


def test_a_store_is_whole_where_a_worker_is_killed_while_it_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_one: dict[str, bytes]
) -> None:
    short_batches(monkeypatch)
    process, file = scheduler(tmp_path)
    hands = [worker(file)]

    def kill(*_: int) -> None:
        if len(hands) == 1:
            hands.append(worker(file))
            hands[0].kill()

    with cluster(file) as executor:
        how = How(store="zarr", workers=executor, progress=kill)
        _, folder = run_to_folder(scenario(20_200), tmp_path / "afar", how=how)
    for each in (process, *hands):
        each.kill()
        each.wait()
    assert len(hands) == 2
    assert of_run(folder) == by_one


CLIENT = """
import sys
from pathlib import Path
from simulator import load_scenario
from simulator.engine import simulation, workers, zarr_store
from simulator.engine.cluster import Cluster, cluster
from simulator.engine.run_folders import run_to_folder
from simulator.engine.simulation import How

def told(done, of):
    if done > of // 2:
        print("half", flush=True)
        sys.stdin.read()

simulation.KEPT = 500
workers.MOST_TOGETHER = 2
zarr_store.Unfinished.due = lambda _: True  # what was counted is left at once
scenario = load_scenario("essay-2023-realistic", overrides=["samples=20200", "block=100"])
with cluster(sys.argv[1]) as executor:
    run_to_folder(scenario, Path(sys.argv[2]), how=How(store="zarr", workers=executor, progress=told))
"""


def test_a_store_goes_on_where_its_client_was_killed(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_one: dict[str, bytes]
) -> None:
    short_batches(monkeypatch)
    command = [sys.executable, "-c", CLIENT, address, str(tmp_path / "afar")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"half\n"
        client.kill()
    (left,) = (tmp_path / "afar").glob("*.unfinished")
    assert 5_000 < Unfinished(left).tallies().samples < 20_000
    with cluster(address) as executor:
        how = How(store="zarr", workers=executor)
        _, folder = run_to_folder(scenario(20_200), tmp_path / "afar", how=how, resume=True)
    assert of_run(folder) == by_one


def limit_files(most: int) -> None:
    """Let this process write files of so many bytes at most: it meets with them as with a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def test_a_full_disk_of_a_worker_is_told_in_a_line_and_the_store_goes_on(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_one: dict[str, bytes]
) -> None:
    short_batches(monkeypatch)
    told = "cannot be written: File too large. Name another folder with --output, or free space"
    with cluster(address) as executor:
        assert isinstance(executor, Cluster)
        how = How(store="zarr", workers=executor, progress=lambda *_: executor.everywhere(limit_files, 2_000))
        with pytest.raises(SimulatorError, match=told) as caught:  # after the first batches
            run_to_folder(scenario(20_200), tmp_path / "afar", how=how)
        assert caught.value.__notes__ == ["--resume goes on with what was done."]
        executor.everywhere(limit_files, resource.RLIM_INFINITY)
        how = How(store="zarr", workers=executor)
        _, folder = run_to_folder(scenario(20_200), tmp_path / "afar", how=how, resume=True)
    assert of_run(folder) == by_one


def test_a_folder_that_a_worker_does_not_see_is_refused(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_network(cluster: Cluster, task: Callable[[str], object], sign: str) -> dict[str, object]:
        return {"tcp://there:1": task(f"{tmp_path}/elsewhere/{sign}")}

    monkeypatch.setattr(Cluster, "everywhere", without_network)
    with cluster(address) as executor, pytest.raises(InputError) as caught:
        run_to_folder(scenario(), tmp_path, how=How(store="zarr", workers=executor))
    said = (
        "unfinished: the worker tcp://there:1 does not see this folder (it is not there). Name a folder with --output"
    )
    assert said in str(caught.value)
    assert not list(tmp_path.glob("*.unfinished"))


def test_workers_write_into_a_store_at_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("s3fs")
    pytest.importorskip("moto")
    short_batches(monkeypatch)
    with bucket_of_s3(monkeypatch) as bucket:
        _, alone = run_to_folder(scenario(1_300), as_path("memory://alone"), how=How(store="zarr"))
        process, file = scheduler(tmp_path)
        processes = [process, worker(file), worker(file)]  # whose environment names the bucket
        with cluster(file) as executor:
            _, afar = run_to_folder(scenario(1_300), bucket, how=How(store="zarr", workers=executor))
        for each in processes:
            each.kill()
            each.wait()
        assert afar.read_below(afar.all_sizes()) == alone.read_below(alone.all_sizes())
        assert [each.name for each in bucket.iterdir()] == [afar.name]
