"""Twelve jobs, each from a blank file with what its page of the documentation says: files and commands run as they stand."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest

from tests.places import ROOT

DOCS = ROOT / "docs"
_SPEC = importlib.util.spec_from_file_location("pages", DOCS / "site" / "pages.py")
pages = importlib.util.module_from_spec(_SPEC)
sys.modules["pages"] = pages
_SPEC.loader.exec_module(pages)

ANSWERS = {
    "money": r"\$10 billion run: 20[23]\d.*never by 2040",
    "two-experts": r"weight|bold|cautious",
    "shock": r"(?i)crisis",
    "date": r"1e28 FLOP run.*by .*end of 2027",
    "counts": r"(?i)models",
    "sweep": r"budget",
    "why": r"(?i)algorithms",
    "correlated": r"correlation",
    "benchmark": r"90 % of tasks: 20\d\d",
    "own-data": r"fan_physical",
    "news": r"priors that moved.*as drawn anew.*tells most, within its error: physical compute in 2029",
    "today": r"16 of 18 runs of later date have no FLOP.*% of such observations would be smaller",
}
"""What must be among the words that the commands of a page print."""
RUNS = {"news": 4000, "gallery": 900}
"""Samples of runs where a few do not do: news that few samples carry is refused."""


def test_there_are_twelve_jobs():
    assert set(ANSWERS) == {path.stem for path in (DOCS / "how-to").glob("*.md")} - {"index"}


@pytest.mark.slow
@pytest.mark.parametrize("page", ANSWERS)
def test_a_job_is_done_as_its_page_says(page, tmp_path):
    text = (DOCS / "how-to" / f"{page}.md").read_text(encoding="utf-8")
    done = [each for block in pages.run_page(text, tmp_path, samples=64, runs=RUNS.get(page)) for each in block]
    assert done
    assert [(each.command, each.printed) for each in done if each.code] == []
    assert re.search(ANSWERS[page], "\n".join(each.printed for each in done), re.DOTALL)
    for each in done:
        assert each.pictures or not each.command.startswith("simulate chart"), each.command


@pytest.mark.slow
@pytest.mark.parametrize("page", ["tutorial", "gallery"])
def test_a_page_that_shows_what_it_does_can_be_followed(page, tmp_path):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8").partition("## Of what was learnt")[0]  # fits take long
    done = [each for block in pages.run_page(text, tmp_path, samples=64, runs=RUNS.get(page)) for each in block]
    assert [(each.command, each.printed) for each in done if each.code] == []
