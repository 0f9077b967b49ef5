"""What a command does, a function does; public names are told in one place, typed, and shown by an example."""

from __future__ import annotations

import ast
import inspect

import pytest

import simulator
from simulator.cli.main import COMMANDS, GROUPS
from tests.places import PACKAGE

FUNCTIONS = {
    "run": "simulate", "extend": "extend_run", "explore": "explore", "chart": "draw_charts", "compare": "compare_runs", "export": "export_run",
    "report": "write_report", "sweep": "sweep", "hindcast": "make_hindcast", "published": "reproduce_published",
    "score": "score_run", "shares": "variance_shares", "swings": "prior_swings", "audit": "audit_scenario",
    "influence": "prior_influence", "reweight": "reweight_run", "condition": "condition",
    "signposts": "signposts", "boxes": "find_boxes", "validate": "describe_scenario", "show": "open_result",
    "check": "check_run", "priors": "library_priors", "scenarios": "shipped_scenarios", "schema": "json_schema", "explain": "explain_key",
    "new": "new_scenario", "load": "load_history", "frontier": "frontier_runs", "fragility": "history_fragility",
    "nowcast": "nowcast", "freeze": "freeze_forecast", "moved": "forecast_moves",
    "upgrade": "upgrade_file",
}  # fmt: skip


def test_every_command_has_its_function() -> None:
    history = {command.name or command.callback.__name__ for command in GROUPS["history"].registered_commands}
    assert {*COMMANDS, *history} == set(FUNCTIONS)
    assert set(FUNCTIONS.values()) <= set(simulator.__all__)


def test_what_a_type_checker_sees_is_what_there_is() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    seen = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("simulator.")
        for alias in node.names
    }
    assert sorted(seen) == sorted(simulator.__all__)
    assert {name: f"simulator.{home}" for name, home in simulator._HOME_OF.items()} == seen


@pytest.mark.parametrize("name", [name for name in simulator.__all__ if not name.endswith("Error")])
def test_a_public_name_is_typed_and_has_an_example(name: str) -> None:
    found = getattr(simulator, name)
    assert ">>> " in str(found.__doc__), "an example that runs"
    if inspect.isfunction(found):
        signature = inspect.signature(found)
        untyped = [p for p in signature.parameters.values() if p.annotation is inspect.Parameter.empty]
        assert not untyped
        assert signature.return_annotation is not inspect.Signature.empty


def test_no_public_name_is_that_of_a_room() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    assert not rooms & set(simulator.__all__)


def test_functions_of_a_scenario_read_what_names_one() -> None:
    run = simulator.simulate({"extends": "essay-2023", "name": "few", "samples": 16})
    assert run.attrs["name"] == "few"
    assert simulator.describe_scenario("essay-2023") == simulator.describe_scenario(
        simulator.load_scenario("essay-2023")
    )


def test_what_names_no_scenario_is_refused_without_a_traceback() -> None:
    for wrong in ("a" * 5000, "no-such-scenario"):
        with pytest.raises(simulator.InputError, match=r"no shipped scenario|no such"):
            simulator.load_scenario(wrong)
    with pytest.raises(simulator.InputError, match="must be a list of texts"):
        simulator.load_scenario("baseline", overrides="samples=1024")


def test_a_table_with_a_long_text_is_shown_short() -> None:
    shown = repr(simulator.Table({"said": ["x" * 5000]}))
    assert max(map(len, shown.splitlines())) <= 240


MOST_LINES = 12
"""Lines of a command, without its name and what it says of itself: it reads, computes, finishes."""


def test_a_command_reads_computes_and_finishes() -> None:
    callbacks = [*COMMANDS.values(), *(each.callback for each in GROUPS["history"].registered_commands)]
    long = {}
    for command in callbacks:
        source = inspect.getsource(command)
        (tree,) = ast.parse(source).body
        body = source.splitlines()[tree.body[0].end_lineno :]  # behind the docstring
        if (lines := sum(bool(line.strip()) for line in body)) > MOST_LINES:
            long[command.__name__] = lines
    assert long == {}


def test_what_is_no_run_is_refused_in_plain_words() -> None:
    for function in (simulator.summary_lines, simulator.prior_influence, simulator.fan_chart):
        with pytest.raises(simulator.InputError, match="takes a run, from simulate or open_run; got 'outputs/some'"):
            function("outputs/some")
