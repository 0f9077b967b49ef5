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
    from simulator.charts import save_chart
    from simulator.checking import check_run
    from simulator.figures import fan_chart
    from simulator.outputs import open_run, save_run
    from simulator.scenario import Scenario, load_scenario, load_variants, parse_scenario
    from simulator.simulation import simulate
    from simulator.summary import quantiles
    from simulator.sweep_files import open_sweep
    from simulator.sweeps import sweep
    from simulator.thresholds import crossing_years

_HOMES = {
    "Scenario": "scenario",
    "check_run": "checking",
    "crossing_years": "thresholds",
    "fan_chart": "figures",
    "load_scenario": "scenario",
    "load_variants": "scenario",
    "open_run": "outputs",
    "open_sweep": "sweep_files",
    "parse_scenario": "scenario",
    "quantiles": "summary",
    "save_chart": "charts",
    "save_run": "outputs",
    "simulate": "simulation",
    "sweep": "sweeps",
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
