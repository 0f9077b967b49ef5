"""Simulate future effective compute from scenarios of Bayesian priors.

    effective compute = spending x hardware efficiency x algorithmic efficiency

Examples
--------
>>> from simulator import load_scenario, simulate, crossing_years
>>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
>>> crossing_years(run, "1000x-gpt-4").sizes["sample"]
1024
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.analysis.sweep_files import open_sweep
    from simulator.analysis.sweeps import sweep
    from simulator.charts.drawing import fan_chart
    from simulator.charts.writing import save_chart
    from simulator.engine.run_folders import check_run
    from simulator.engine.simulation import simulate
    from simulator.runs.crossings import crossing_years
    from simulator.runs.folder import open_run, save_run
    from simulator.runs.summary import quantiles
    from simulator.scenario.load import load_scenario, load_variants, parse_scenario
    from simulator.scenario.resolving import Scenario

_HOMES = {
    "Scenario": "scenario.resolving",
    "check_run": "engine.run_folders",
    "crossing_years": "runs.crossings",
    "fan_chart": "charts.drawing",
    "load_scenario": "scenario.load",
    "load_variants": "scenario.load",
    "open_run": "runs.folder",
    "open_sweep": "analysis.sweep_files",
    "parse_scenario": "scenario.load",
    "quantiles": "runs.summary",
    "save_chart": "charts.writing",
    "save_run": "runs.folder",
    "simulate": "engine.simulation",
    "sweep": "analysis.sweeps",
}

__all__ = [
    "Scenario",
    "check_run",
    "crossing_years",
    "fan_chart",
    "load_scenario",
    "load_variants",
    "open_run",
    "open_sweep",
    "parse_scenario",
    "quantiles",
    "save_chart",
    "save_run",
    "simulate",
    "sweep",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that `import simulator` takes no time."""
    if name not in _HOMES:
        raise AttributeError(f"module 'simulator' has no attribute '{name}'")
    return getattr(import_module(f"simulator.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
