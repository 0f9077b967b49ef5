"""A run by a Dask cluster of this machine beside the own processes and a kernel fused by hand; what a job costs.

    python benchmarks/scale.py [--samples 1e7] [--runs 2] [--large 1e8]

three_drivers.yaml, its summary kept, each way in a fresh process after a small run that loads and plans. Processor
time is that of the client, its processes, the workers and the scheduler; it counts where the machine is shared. The
large run is done by two Dask workers alone. Needs the extra `cluster`, and numba for the kernel.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):  # one thread a worker, as the command has
    os.environ.setdefault(name, "1")
SCENARIO = Path(__file__).parent / "three_drivers.yaml"
SMALL, JOBS = 200_000, 2_000
WITHOUT_PROFILE = os.environ | {"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}
"""Workers keep an hour of profiles of what they do, which takes a MB in some seconds."""


@dataclass(frozen=True)
class Found:
    """What a way took: seconds of wall and of processor, those of its client, the most MB of it and of a worker."""

    wall: float
    processor: float
    client: float
    memory: float
    worker: float
    told: float


def used(processes: list[int]) -> float:
    """Add up the processor time of processes (Linux), seconds."""
    ticks = 0
    for process in processes:
        ticks += sum(map(int, Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def most(processes: list[int]) -> float:
    """Tell the most memory that one of some processes has had (Linux), MB."""
    said = [Path(f"/proc/{process}/status").read_text().partition("VmHWM:")[2].split()[0] for process in processes]
    return max(map(int, said), default=0) / 1024


def own() -> float:
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in usage)


def simulated(samples: int, workers: Any) -> float:
    """Run the simulator for a summary; give the last year's median of effective compute."""
    from simulator.engine.simulation import How, run_arrays
    from simulator.runs.summary import summarised
    from simulator.scenario.load import load_scenario

    run = run_arrays(load_scenario(SCENARIO, overrides=[f"samples={samples}"]), how=How("summary", workers=workers))
    return float(summarised(run, "effective_compute").at(0.5)[-1])


def by_processes(workers: int, samples: int) -> Callable[[int], float]:
    """Give a run by processes of this machine."""
    return lambda size: simulated(size or samples, workers)


def by_kernel(samples: int) -> Callable[[int], float]:
    """Give the kernel with two threads."""
    from fused import fused

    return lambda size: fused(size or samples)


def by_cluster(address: str, samples: int) -> Callable[[int], float]:
    """Give a run by a cluster that is there."""
    from simulator.engine.cluster import cluster

    def run(size: int) -> float:
        with cluster(address) as executor:
            return simulated(size or samples, executor)

    return run


def jobs(address: str) -> Callable[[int], float]:
    """Give so many jobs that do nothing, as those of a run go out."""
    from simulator.engine.cluster import cluster
    from simulator.engine.workers import side_by_side, submitted

    def run(_: int) -> float:
        with cluster(address) as executor:
            done = side_by_side(
                range(JOBS), workers=executor, here=float, there=lambda pool, job: submitted(pool, float, job)
            )
            return sum(result for _, result in done)

    return run


def _child(way: Callable[[], Callable[[int], float]], elsewhere: list[int], out: Any) -> None:
    run = way()
    run(SMALL)
    wall, before, afar = time.perf_counter(), own(), used(elsewhere)
    told = run(0)
    wall, client = time.perf_counter() - wall, own() - before
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    out.send(Found(wall, client + used(elsewhere) - afar, client, memory, most(elsewhere), told))


def apart(way: Callable[[], Callable[[int], float]], elsewhere: list[int]) -> Found:
    """Measure a way in a fresh process; elsewhere are those that work for it and are no children of it."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_child, args=(way, elsewhere, theirs))
    process.start()
    found: Found = ours.recv()
    process.join()
    return found


@contextlib.contextmanager
def started(workers: int) -> Iterator[tuple[str, list[int]]]:
    """Start a scheduler and workers of one thread each; give its file and the processes."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        file = Path(folder) / "scheduler.json"

        def dask(*words: str) -> int:
            command = [sys.executable, "-m", "dask", *words, "--scheduler-file", str(file), "--no-dashboard"]
            process = running.enter_context(
                subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=WITHOUT_PROFILE)
            )
            running.callback(process.kill)
            return process.pid

        processes = [dask("scheduler", "--host", "127.0.0.1", "--port", "0")]
        while not file.exists():
            time.sleep(0.1)
        one = ("worker", "--nthreads", "1", "--no-nanny", "--local-directory", folder)
        processes += [dask(*one) for _ in range(workers)]
        time.sleep(10)
        yield str(file), processes


def shown(name: str, found: Found) -> None:
    """Print a row."""
    load = os.getloadavg()[0]
    print(
        f"{name:<34}{found.wall:>9.2f}{found.processor:>12.2f}{found.client:>10.2f}{found.memory:>11.0f}{found.worker:>11.0f}"
        f"   {found.told:.3f}   load {load:.1f}",
        flush=True,
    )


def main() -> None:
    """Print the table and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=float, default=1e7)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--large", type=float, default=0)
    options = parser.parse_args()
    samples, least = int(options.samples), dict[str, Found]()
    print(f"{samples:,} samples; least processor time of {options.runs} runs")
    print(f"{'':<34}{'wall s':>9}{'processor s':>12}{'client s':>10}{'client MB':>11}{'worker MB':>11}   median")

    def measure(name: str, way: Callable[[], Callable[[int], float]], elsewhere: list[int], times: int) -> None:
        every = [apart(way, elsewhere) for _ in range(times)]
        least[name] = min(every, key=lambda found: found.processor)
        shown(name, least[name])

    for name, way in (
        ("kernel, two threads", partial(by_kernel, samples)),
        ("one process", partial(by_processes, 1, samples)),
        ("two processes", partial(by_processes, 2, samples)),
    ):
        measure(name, way, [], options.runs)
    for workers in (1, 2):
        with started(workers) as (file, processes):
            named = f"Dask, {workers} worker{'s' * (workers > 1)}"
            measure(named, partial(by_cluster, file, samples), processes, options.runs)
            if workers == 2:
                measure(f"{JOBS:,} jobs of nothing", partial(jobs, file), processes, options.runs)
                if options.large:
                    measure(
                        f"{named}, {int(options.large):,}", partial(by_cluster, file, int(options.large)), processes, 1
                    )
    one, two, dask = least["one process"], least["two processes"], least["Dask, 2 workers"]
    job = least[f"{JOBS:,} jobs of nothing"]
    print(f"wall: two Dask workers against one {least['Dask, 1 worker'].wall / dask.wall:.2f}, own processes "
          f"{one.wall / two.wall:.2f}; Dask against own processes {dask.wall / two.wall:.2f}")  # fmt: skip
    print(f"processor: Dask against own processes {dask.processor / two.processor:.2f}; own processes against the "
          f"kernel {two.processor / least['kernel, two threads'].processor:.2f}")  # fmt: skip
    print(f"a job: {1e3 * job.wall / JOBS:.2f} ms of wall, {1e3 * job.processor / JOBS:.2f} ms of processor, of which "
          f"the client's {1e3 * job.client / JOBS:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
