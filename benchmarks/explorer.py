"""What a move of the explorer costs the engine: milliseconds of processor from a change to the JSON of its picture.

Run it from the project's root: `python benchmarks/explorer.py [SCENARIO ...]`; without names baseline, feedback, views
and, where its fit is stored below --outputs, learned. Each move sets another median, so that nothing is known before.
The median of the moves is printed, with the 95th percentile in brackets; then what moved, for one, three and six
changes; and how much the memory of the process grows over 2,000 moves, with --memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simulator.explorer.explorer import Explorer
from simulator.explorer.protocol import Asked, Changes, Control

SAMPLES = (2048, 4096, 10_000)
MOVES, WARM = 40, 3


def moves(controls: Sequence[Control], count: int) -> list[Changes]:
    """Make changes of the prior that matters most, each another."""
    first = next(each for each in controls if each["kind"] == "prior")
    return [{first["path"]: {"median": first["median"] * (1.0 + 0.0005 * number)}} for number in range(1, count + 1)]


def timed(explorer: Explorer, asked: Sequence[Asked]) -> list[float]:
    """Time answers and their JSON, milliseconds of processor; the first ones are not counted."""
    found = []
    for each in asked:
        start = time.process_time()
        answer = explorer.answer(each)
        json.dumps(answer, allow_nan=False)
        found.append(1000.0 * (time.process_time() - start))
        if "faults" in answer:
            raise SystemExit(str(answer["faults"]))
    return found[WARM:]


def said(times: Sequence[float]) -> str:
    return f"{np.median(times):6.0f} ({np.quantile(times, 0.95):.0f})"


def together(controls: Sequence[Control], count: int) -> Changes:
    """Narrow the priors that matter most, several at once."""
    priors = [each for each in controls if each["kind"] == "prior" and ".mixture[" not in each["path"]]
    return {each["path"]: {"width": 0.9} for each in priors[:count]}


def grown(explorer: Explorer, controls: Sequence[Control], count: int) -> float:
    """Measure by how many megabytes the largest memory of the process grows over moves, after the first hundred."""
    after = 0
    for number, changes in enumerate(moves(controls, count + 100)):
        explorer.answer({"kind": "picture", "samples": SAMPLES[0], "changes": changes})
        if number == 100:
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - after) / 1024.0


def main() -> None:
    """Print one line for each scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*")
    parser.add_argument("--outputs", type=Path, default=Path("outputs"))
    parser.add_argument("--memory", action="store_true")
    asked = parser.parse_args()
    learns = any((asked.outputs / "fits").glob("history-*"))
    names = asked.scenarios or ["baseline", "feedback", *(["learned"] if learns else []), "views"]
    print(f"{'':12}{''.join(f'{samples:>13,}' for samples in SAMPLES)}   what moved: 1, 3, 6 changes")
    for name in names:
        explorer = Explorer(name, outputs=asked.outputs)
        controls = explorer.answer({"kind": "state"})["state"]["controls"]
        cells = []
        for samples in SAMPLES:
            changes = moves(controls, MOVES + WARM)
            pictures: list[Asked] = [{"kind": "picture", "samples": samples, "changes": each} for each in changes]
            cells.append(said(timed(explorer, pictures)))
        why: list[Asked] = [{"kind": "moved", "changes": together(controls, count)} for count in (1, 3, 6)]
        costs = [timed(explorer, [each] * (WARM + 1))[0] for each in why]
        told = " ".join(f"{cost:7.0f}" for cost in costs)
        print(f"{name:12}{''.join(f'{cell:>13}' for cell in cells)}   {told}")
        if asked.memory:
            print(f"{'':12}memory grows by {grown(explorer, controls, 2000):.1f} MB over 2,000 moves")


if __name__ == "__main__":
    main()
