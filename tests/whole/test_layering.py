"""The shape of the package: layers, no circles, short modules and functions, light imports."""

from __future__ import annotations

import ast
import contextlib
import io
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.places import ROOT

PACKAGE = ROOT / "simulator"
MODULES = sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    """Name a module as an import does."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


@cache
def trees() -> dict[str, ast.Module]:
    """Read all modules, by name, once."""
    return {dotted(path): ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}


def test_the_contracts_of_the_layers_are_kept() -> None:
    cli = pytest.importorskip("importlinter.cli")
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = cli.lint_imports(config_filename=str(PACKAGE.parent / "pyproject.toml"), no_cache=True)
    assert code == 0, said.getvalue()


def imported(tree: ast.Module) -> set[str]:
    """List the modules of the package that one imports, those inside functions included."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in trees() else node.module for name in below}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & set(trees())


def test_no_module_imports_itself_through_others() -> None:
    public = {"simulator"}  # its names are loaded when they are used
    graph = {name: imported(tree) - public for name, tree in trees().items() if name not in public}
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)  # raises where there is a circle


def test_nothing_imports_the_module_for_tests() -> None:
    assert [name for name, tree in trees().items() if "simulator.testing" in imported(tree)] == []


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_modules_and_functions_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in ast.walk(trees()[dotted(path)])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - body_start(node) + 1 >= 60
    ]
    assert long == []


def body_start(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function from its first line of code: what is long in many is what they say about themselves."""
    first = node.body[0]
    said = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(node.body) > 1
    return node.body[1].lineno if said else first.lineno


def statements(tree: ast.Module, kind: type[ast.AST]) -> Iterator[ast.AST]:
    return (node for node in ast.walk(tree) if isinstance(node, kind))


@pytest.mark.parametrize("name", [dotted(path) for path in MODULES])
def test_there_is_no_assert_and_no_global_outside_tests(name: str) -> None:
    assert not list(statements(trees()[name], ast.Assert))
    assert not list(statements(trees()[name], ast.Global))


HEAVY = {"pymc", "pytensor", "arviz", "pandas", "matplotlib", "altair", "vl_convert", "scoringrules", "nutpie"}


def loaded(code: str) -> set[str]:
    """List the top-level packages, and scipy.stats, that some code loads in a process of its own."""
    code += "\nimport sys; print('\\n'.join(sys.modules), file=sys.__stderr__)"
    environment = {"PYTHONPATH": ":".join(filter(None, [str(PACKAGE.parent), *sys.path]))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    names = done.stderr.split()
    return {name.split(".")[0] for name in names} | ({"scipy.stats"} & set(names))


def test_import_simulator_loads_nothing_heavy() -> None:
    heavy = HEAVY | {"numpy", "scipy", "scipy.stats", "xarray", "pydantic", "ruamel", "typer"}
    assert loaded("import simulator; dir(simulator)") & heavy == set()


def test_simulate_help_loads_nothing_heavy() -> None:
    code = "from simulator.cli.main import main\nmain(['--help'])"
    assert loaded(code) & (HEAVY | {"numpy", "scipy", "xarray", "pydantic"}) == set()


def test_simulating_loads_neither_inference_nor_charts() -> None:
    code = (
        "from simulator import load_scenario, simulate\nsimulate(load_scenario('baseline', overrides=['samples=256']))"
    )
    # xarray itself needs pandas.
    assert loaded(code) & ((HEAVY | {"scipy.stats"}) - {"pandas"}) == set()


def test_reading_a_scenario_loads_neither_the_engine_nor_the_projection() -> None:
    code = (
        "import sys\nfrom simulator import load_scenario\n"
        "for name in ('baseline', 'views', 'learned', 'published/cotra-2020'):\n    load_scenario(name)\n"
        "print([name for name in sys.modules if name.startswith(('simulator.engine', 'simulator.model.projection'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", ["load_scenario", "simulate", "crossing_years", "quantiles", "fan_chart", "open_run"])
def test_public_names_are_loaded_when_they_are_used(name: str) -> None:
    import simulator

    assert callable(getattr(simulator, name))
    assert name in simulator.__all__
    assert name in dir(simulator)


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    import simulator

    with pytest.raises(AttributeError, match="no attribute 'simulates'"):
        _ = simulator.simulates
