"""How far data travel: the modules that reading, running and drawing the baseline visit, and the moves between them.

A move is a call from a function of one module of the simulator to a function of another. Run it from the project's
root: `python benchmarks/journeys.py`. Each journey is traced on its second pass, when nothing is left to import.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from types import FrameType

from simulator.charts.drawing import draw_charts
from simulator.engine.simulation import run_arrays
from simulator.runs.folder import write_run
from simulator.scenario.load import load_scenario

PACKAGE = "simulator."


def traced(journey: Callable[[], object]) -> Counter[tuple[str, str]]:
    """Count the calls between modules of the package while something runs, by (from, to)."""
    moves: Counter[tuple[str, str]] = Counter()

    def hook(frame: FrameType, event: str, _: object) -> None:
        if event != "call":
            return
        here = frame.f_globals.get("__name__", "")
        caller = frame.f_back
        if not here.startswith(PACKAGE) or caller is None:
            return
        there = caller.f_globals.get("__name__", "")
        if there.startswith(PACKAGE) and there != here:
            moves[there, here] += 1

    sys.setprofile(hook)
    try:
        journey()
    finally:
        sys.setprofile(None)
    return moves


def main() -> None:
    """Print each journey with its modules and moves; with --pairs also between which modules most moves are."""
    scenario = load_scenario("baseline")
    run = run_arrays(scenario)
    with tempfile.TemporaryDirectory() as folder:
        journeys: dict[str, Callable[[], object]] = {
            "reading": lambda: load_scenario("baseline"),
            "run": lambda: write_run(run_arrays(scenario), folder),
            "fan": lambda: draw_charts(run, folder, kinds=["fan"]),
        }
        for name, journey in journeys.items():
            journey()
            moves = traced(journey)
            modules = {module for pair in moves for module in pair}
            print(f"{name:8} {len(modules):3} modules {moves.total():6,} moves")
            for (there, here), count in moves.most_common(12) if "--pairs" in sys.argv else ():
                print(f"    {count:5}  {there.removeprefix(PACKAGE)} -> {here.removeprefix(PACKAGE)}")


if __name__ == "__main__":
    main()
