"""Simulate future effective compute from scenarios of Bayesian priors.

    effective compute = spending x hardware efficiency x algorithmic efficiency

What a command does, a function does. A scenario or a run goes in; a run or a `Result` comes out, with its dataset,
tables and lines, and `save` writes the folder that the command writes.

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
    from simulator.analysis.attribution import attribute_difference
    from simulator.analysis.audit import audit_scenario
    from simulator.analysis.comparison import compare_runs
    from simulator.analysis.conditioning import condition
    from simulator.analysis.designs.boxes import find_boxes
    from simulator.analysis.influence import prior_influence
    from simulator.analysis.moved import forecast_moves
    from simulator.analysis.nowcasting import nowcast
    from simulator.analysis.reweighting import reweight_run
    from simulator.analysis.shares import variance_shares
    from simulator.analysis.signposts import signposts
    from simulator.analysis.sweep_files import open_sweep
    from simulator.analysis.sweeps import join_runs, sweep
    from simulator.analysis.swings import prior_swings
    from simulator.charts.drawing import draw_charts, draw_result, fan_chart
    from simulator.charts.writing import save_chart
    from simulator.engine.checking import check_run
    from simulator.engine.run_folders import extend_run
    from simulator.engine.simulation import simulate
    from simulator.errors import InputError, RunFileError, ScenarioError, SimulatorError
    from simulator.explorer.widget import explore
    from simulator.export.formats import export_run
    from simulator.hindcast.hindcast import make_hindcast
    from simulator.hindcast.published_text import reproduce_published
    from simulator.hindcast.run_scores import score_run
    from simulator.history.exports import load_supply, supply_points
    from simulator.history.fragility import history_fragility
    from simulator.history.frontier import frontier_runs
    from simulator.history.learning import learn
    from simulator.history.loading import load_accelerators, load_history
    from simulator.report.report import write_report
    from simulator.runs.crossings import crossed_by, crossing_years
    from simulator.runs.estimates import quantiles
    from simulator.runs.folder import open_run, save_run, write_run
    from simulator.runs.frozen import freeze_forecast, open_frozen
    from simulator.runs.result import Result, open_result
    from simulator.runs.run import Run
    from simulator.runs.summary import summary_lines
    from simulator.runs.table import Table
    from simulator.scenario.describing import describe_scenario, json_schema, library_priors, new_scenario
    from simulator.scenario.editions import upgrade_file
    from simulator.scenario.library import shipped_scenarios
    from simulator.scenario.load import load_scenario, load_variants, parse_scenario
    from simulator.scenario.reference import explain_key
    from simulator.scenario.resolving import Scenario

_HOMES = {
    "analysis.attribution": "attribute_difference",
    "analysis.audit": "audit_scenario",
    "analysis.comparison": "compare_runs",
    "analysis.conditioning": "condition",
    "analysis.designs.boxes": "find_boxes",
    "analysis.influence": "prior_influence",
    "analysis.moved": "forecast_moves",
    "analysis.nowcasting": "nowcast",
    "analysis.reweighting": "reweight_run",
    "analysis.shares": "variance_shares",
    "analysis.signposts": "signposts",
    "analysis.sweep_files": "open_sweep",
    "analysis.sweeps": "join_runs sweep",
    "analysis.swings": "prior_swings",
    "charts.drawing": "draw_charts draw_result fan_chart",
    "charts.writing": "save_chart",
    "engine.checking": "check_run",
    "engine.run_folders": "extend_run",
    "engine.simulation": "simulate",
    "errors": "InputError RunFileError ScenarioError SimulatorError",
    "explorer.widget": "explore",
    "export.formats": "export_run",
    "hindcast.hindcast": "make_hindcast",
    "hindcast.published_text": "reproduce_published",
    "hindcast.run_scores": "score_run",
    "history.exports": "load_supply supply_points",
    "history.fragility": "history_fragility",
    "history.frontier": "frontier_runs",
    "history.learning": "learn",
    "history.loading": "load_accelerators load_history",
    "report.report": "write_report",
    "runs.crossings": "crossed_by crossing_years",
    "runs.folder": "open_run save_run write_run",
    "runs.frozen": "freeze_forecast open_frozen",
    "runs.result": "Result open_result",
    "runs.run": "Run",
    "runs.estimates": "quantiles",
    "runs.summary": "summary_lines",
    "runs.table": "Table",
    "scenario.describing": "describe_scenario json_schema library_priors new_scenario",
    "scenario.editions": "upgrade_file",
    "scenario.library": "shipped_scenarios",
    "scenario.load": "load_scenario load_variants parse_scenario",
    "scenario.reference": "explain_key",
    "scenario.resolving": "Scenario",
}
"""The public names, by the module that holds them."""
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "InputError",
    "Result",
    "Run",
    "RunFileError",
    "Scenario",
    "ScenarioError",
    "SimulatorError",
    "Table",
    "attribute_difference",
    "audit_scenario",
    "check_run",
    "compare_runs",
    "condition",
    "crossed_by",
    "crossing_years",
    "describe_scenario",
    "draw_charts",
    "draw_result",
    "explain_key",
    "explore",
    "export_run",
    "extend_run",
    "fan_chart",
    "find_boxes",
    "forecast_moves",
    "freeze_forecast",
    "frontier_runs",
    "history_fragility",
    "join_runs",
    "json_schema",
    "learn",
    "library_priors",
    "load_accelerators",
    "load_history",
    "load_scenario",
    "load_supply",
    "load_variants",
    "make_hindcast",
    "new_scenario",
    "nowcast",
    "open_frozen",
    "open_result",
    "open_run",
    "open_sweep",
    "parse_scenario",
    "prior_influence",
    "prior_swings",
    "quantiles",
    "reproduce_published",
    "reweight_run",
    "save_chart",
    "save_run",
    "score_run",
    "shipped_scenarios",
    "signposts",
    "simulate",
    "summary_lines",
    "supply_points",
    "sweep",
    "upgrade_file",
    "variance_shares",
    "write_report",
    "write_run",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that `import simulator` takes no time."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'simulator' has no attribute '{name}'")
    return getattr(import_module(f"simulator.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
