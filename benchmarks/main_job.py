"""The main job as a whole process: processor seconds, wall seconds and memory of the commands that users type.

    python benchmarks/main_job.py [--runs 5]

Each command runs once to warm up and then `--runs` times; the medians are printed, beside what each must reach.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

PYTHON = [sys.executable, "-c"]
COMMAND = [*PYTHON, "from simulator.cli.main import main; main()"]
IMPORTS = "import numpy, scipy.special, netCDF4, pydantic, typer, yaml"
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # as the command sets it for itself
JOBS = {
    "the libraries' imports alone": ([*PYTHON, IMPORTS], "(what a run cannot do without)"),
    "import simulator": ([*PYTHON, "import simulator"], "0.3 s wall"),
    "simulate --help": ([*COMMAND, "--help"], "0.5 s wall"),
    "simulate baseline --no-charts": (
        [*COMMAND, "baseline", "--samples", "10000", "--no-charts"],
        "1.5 s of processor time",
    ),
    "simulate baseline": ([*COMMAND, "baseline", "--samples", "10000"], "5 s of processor time, 400 MB"),
}


def measure(command: list[str], folder: str) -> tuple[float, float, float]:
    """Run a command and give its processor seconds, wall seconds and largest memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{command}: failed")
    scale = 1024.0 if sys.platform != "darwin" else 1024.0**2
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / scale


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    print(f"{'command':<32}{'processor s':>12}{'wall s':>9}{'MB':>7}   must reach")
    for name, (command, target) in JOBS.items():
        with tempfile.TemporaryDirectory() as folder:
            measure(command, folder)
            found = [measure(command, folder) for _ in range(options.runs)]
        cpu, wall, memory = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{name:<32}{cpu:>12.2f}{wall:>9.2f}{memory:>7.0f}   {target}")


if __name__ == "__main__":
    main()
