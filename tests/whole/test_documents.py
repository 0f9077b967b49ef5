"""The documents say what is there: links, functions that equations name, charts of the gallery, keys of the reference."""

from __future__ import annotations

import ast
import re

import pytest

from simulator.charts.register import KINDS, RESULTS
from simulator.cli.main import COMMANDS
from tests.places import PACKAGE, ROOT

DOCS = ROOT / "docs"
MADE = {DOCS / "reference" / "index.md", DOCS / "python" / "index.md"}
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(path for path in sorted(DOCS.rglob("*.md")) if path in MADE or path.parent.name not in ("reference", "python")),
]
LINK = re.compile(r"\]\((?!https?:|#)([^)\s#]+)(?:#[^)\s]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere_in_the_repository(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    found = LINK.findall(text)
    missing = [link for link in found if link != "commands.md" and not (page.parent / link).exists()]
    assert missing == []


def test_equations_stand_where_they_are_said_to_stand():
    text = (DOCS / "equations.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(\.\./(simulator/[\w/]+\.py)\)", text)
    names = {
        node.name
        for path in set(linked)
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    said = re.findall(r"`([A-Za-z_.]+)`(?:,| in| there|\)|$)", text)
    assert len(linked) > 10
    assert [name for name in said if "_" in name or name[0].isupper() if not set(name.split(".")) <= names] == []


def test_the_gallery_draws_every_kind_of_chart():
    text = (DOCS / "gallery.md").read_text(encoding="utf-8")
    drawn = set(re.findall(r"--kind (\w+)", text))
    assert set(KINDS.shipped) <= drawn
    words = {"comparison": "simulate compare", "attribution": "--attribute", "hindcast": "(hindcast.md)"}
    for result in RESULTS:
        assert words.get(result, result) in text, result


def test_commands_in_the_documents_are_commands():
    known = {*COMMANDS, "history"}
    for page in PAGES:
        for line in re.findall(r"^simulate (\S+)", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert (
                line in known
                or "." in line
                or "/" in line
                or line in ("baseline", "learned", "views", "events", "actors")
            ), (
                page.name,
                line,
            )


def test_every_room_is_on_the_map():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    for room in (path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()):
        assert re.search(rf"\b{room}\b", text), room
