"""The mistakes that newcomers make: each is told with what to write, and what is told is read; docs/mistakes.md says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.scenario.load import parse_scenario
from simulator.wording import markdown_table
from tests.places import ROOT, TESTS

FOLDER, DOCUMENT = TESTS / "bad_scenarios", ROOT / "docs" / "mistakes.md"
MARK, MEND = "# mistake: ", "# mend: "
FILES = sorted(file for file in FOLDER.glob("*.yaml") if file.read_bytes().startswith(MARK.encode()))
HEAD = """\
# What newcomers write, and what they are told

Each is a file of the tests, refused with file, line, rule and remedy. Where the last column says "as it stands", what is proposed
is put in the place of the mistake by a test, and is read; otherwise there is more than one thing that may be meant.
"""


def mend_of(file: Path) -> tuple[str, str] | None:
    """What is to be replaced in a file, and by what; None where no one thing is proposed."""
    found = re.search(rf"^{MEND}(.*) => (.*)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return (found[1], found[2]) if found else None


def row(file: Path) -> list[str]:
    words, _, written = file.read_text(encoding="utf-8").splitlines()[0].removeprefix(MARK).partition(" | ")
    first, *more = file.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    rule = first.partition(": ")[2]
    remedy = " ".join(line.strip() for line in more if line.startswith(" "))
    return [words, f"`{written}`", f"`{rule}`", remedy, "as it stands" if mend_of(file) else "in words"]


def document() -> str:
    rows = [[cell.replace("|", "\\|") for cell in row(file)] for file in FILES]
    told = sum(mend_of(file) is not None for file in FILES)
    count = f"{len(FILES)} mistakes; for {told} of them the remedy can be taken as it stands.\n"
    return (
        f"{HEAD}\n{count}\n{markdown_table(['mistake', 'written', 'what is wrong', 'what to write', 'remedy'], rows)}\n"
    )


def test_the_document_is_what_the_files_say(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--renew-golden"):
        DOCUMENT.write_text(document(), encoding="utf-8")
    assert document() == DOCUMENT.read_text(encoding="utf-8"), "write it anew with --renew-golden"


def test_there_are_sixty_and_most_are_told_what_to_write() -> None:
    assert len(FILES) >= 60
    assert sum(mend_of(file) is not None for file in FILES) >= 0.7 * len(FILES)


@pytest.mark.parametrize("file", [file for file in FILES if mend_of(file)], ids=lambda file: file.stem)
def test_what_is_proposed_is_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    old, new = mend_of(file) or ("", "")
    head, _, body = file.read_text(encoding="utf-8").partition("schema: 2")
    assert body.count(old) == 1
    parse_scenario(f"schema: 2{body.replace(old, new)}")
    said = " ".join(file.with_suffix(".txt").read_text(encoding="utf-8").split())
    words = re.findall(r"[A-Za-z_%/]+|[0-9.+e]+", new)
    assert [word for word in words if word not in said and word not in old] == []
    assert head.startswith(MARK)
