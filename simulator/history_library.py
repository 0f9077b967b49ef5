"""The history that travels with the simulator: landmark training runs and accelerators, a source to each."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Literal

from simulator.errors import InputError
from simulator.history import load_accelerators, load_history
from simulator.history_columns import RUN_COLUMNS
from simulator.history_tables import AcceleratorHistory, RunHistory
from simulator.shipped import shipped_file

SNAPSHOT = "2026-05"
"""The date of the estimates that are shipped."""
EARLIER_SNAPSHOT = "2025-06"
"""The date of the earlier estimates that are kept beside them."""
SNAPSHOTS = (SNAPSHOT, EARLIER_SNAPSHOT)
SHIPPED_TOP = 5
"""The frontier of the shipped runs: they are complete among so many largest at release, and not beyond."""
DOUBTFUL_IN_2025_06 = {
    "Wu Dao 2.0": "speculative; revised from 1.03e25 to 1.54e24 FLOP",
    "GPT-4 Turbo": "imputed from benchmarks, and in no later list of the frontier",
}
"""Runs of the mid-2025 database that would be records for years, with the reason to leave them out of its frontier."""


def history_file(name: Literal["training-runs", "accelerators"]) -> FilePath:
    """Find a shipped table of history: inside an installed package, or in a checkout."""
    return shipped_file("history", name)


def snapshot_rule(given: str) -> str:
    """Say which estimates the shipped table of runs has; empty where it has those that are asked for.

    Examples
    --------
    >>> snapshot_rule("2024"), snapshot_rule("2026-05")
    ('the shipped table has the estimates of 2026-05 and 2025-06; got 2024.', '')
    """
    known = " and ".join(SNAPSHOTS)
    return "" if given in SNAPSHOTS else f"the shipped table has the estimates of {known}; got {given}."


def shipped_runs(estimate: str = SNAPSHOT) -> RunHistory:
    """Load the shipped landmark runs with the newest estimates, or with those of mid-2025.

    Each states its rank among all runs known at its release, so that the rules of the frontier apply to a table that
    does not hold them all. One rule chose them, by rank and confidence alone: every run that was among the five
    largest at its release by the newest estimates, counted with or without games, if its compute is better than
    speculative or it was the largest; of runs that one organisation published on one day, the largest. Five is the
    most that 80 rows hold. The rule was not found blindly: that the five largest forecast as well as the ten was known
    of the whole database before it was fixed; no other list of 80 was tried with it. Beside them stand the other games
    of the ten largest, from which ranks without games are counted, and the Transformer and GPT-1, which no rule of the
    frontier takes.

    Raises
    ------
    InputError
        The table has no estimates of that date.

    Examples
    --------
    >>> newest, earlier = shipped_runs(), shipped_runs("2025-06")
    >>> [round(run.log_flop, 2) for table in (newest, earlier) for run in table.runs if run.name == "GPT-4.5"]
    [26.58, 26.32]
    """
    if rule := snapshot_rule(estimate):
        raise InputError(f"--snapshot: {rule} Take one of them, or name a table of your own.")
    columns = RUN_COLUMNS
    if estimate == EARLIER_SNAPSHOT:
        columns = {
            **RUN_COLUMNS,
            "flop": ("training_flop_2025_06",),
            "cost": ("cost_usd_2025_06",),
            "rank": ("rank_2025_06",),
        }
    return load_history(history_file("training-runs"), snapshot=estimate, columns=columns)


def shipped_accelerators() -> AcceleratorHistory:
    """Load the shipped accelerators.

    Examples
    --------
    >>> len(shipped_accelerators().accelerators) <= 40
    True
    """
    return load_accelerators(history_file("accelerators"), snapshot=SNAPSHOT)
