"""The tests mirror the rooms, and the rooms stay small enough to find one's way in."""

from __future__ import annotations

import ast
import statistics
from collections import Counter

from tests.places import PACKAGE, TESTS

MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "__init__.py"]
TEST_MODULES = sorted(TESTS.rglob("test_*.py"))
ELSEWHERE = {TESTS / "whole", TESTS / "oracle", TESTS / "hostile", TESTS / "explorer" / "test_browser.py"}
"""About the product as a whole, the model written a second time, attacks, and the explorer's page in a browser."""
MOST_MODULES, MOST_IN_A_FOLDER, MEDIAN_LINES, MOST_LINES = 269, 25, 243, 450


def test_every_test_module_is_named_after_what_it_tests() -> None:
    modules = {path.relative_to(PACKAGE) for path in MODULES}
    named = [path.relative_to(TESTS) for path in TEST_MODULES if not {path, path.parent} & ELSEWHERE]
    assert [str(path) for path in named if path.with_name(path.name.removeprefix("test_")) not in modules] == []


def test_no_test_module_imports_another() -> None:
    names = {".".join(path.relative_to(TESTS.parent).with_suffix("").parts) for path in TEST_MODULES}
    found = [
        (path.name, node.module)
        for path in sorted(TESTS.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module in names
    ]
    assert found == []  # data that several share stand in a module of their own, beside them


def test_no_folder_is_crowded() -> None:
    count = Counter(path.parent for path in MODULES)
    assert {str(folder): size for folder, size in count.items() if size > MOST_IN_A_FOLDER} == {}


def test_modules_are_few_and_most_are_short() -> None:
    lines = [len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES]
    assert len(lines) <= MOST_MODULES
    assert statistics.median(lines) <= MEDIAN_LINES
    assert max(lines) <= MOST_LINES
