"""Three frozen releases of a scenario whose median is known by hand."""

from __future__ import annotations

from pathlib import Path

from simulator import freeze_forecast, parse_scenario, simulate
from tests.analysis.linear_scenario import LINEAR

RELEASES = {
    "2024-06": [],
    "2025-06": ["drivers.spending.growth.mean=0.5"],
    "2026-06": ["drivers.spending.growth.mean=0.5", "drivers.algorithms.growth.mean=0.5"],
}


def frozen_releases(folder: Path) -> Path:
    """Freeze them in a folder, and give it."""
    for dated, changes in RELEASES.items():
        run = simulate(parse_scenario(LINEAR, overrides=["samples=1000", *changes]), keep="summary")
        freeze_forecast(run, folder, dated=dated)
    return folder
