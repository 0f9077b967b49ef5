"""Jobs, each from a blank file with what its page of the documentation says: files and commands run as they stand."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from tests.places import ROOT

DOCS = ROOT / "docs"


def of_site(name):
    """Load a module of the site, which is in no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / "site" / f"{name}.py")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pages = of_site("pages")

ANSWERS = {
    "money": r"\$10 billion run: 20[23]\d.*never by 2040",
    "two-experts": r"weight|bold|cautious",
    "events": r"export controls tighten: comes by 20\d\d (39|40|41)",
    "date": r"1e28 FLOP run.*by .*end of 2027",
    "actors": r"leads at 20.*US frontier lab.*the second is",
    "counts": r"(?i)models",
    "stocks": r"100 million chips run: 20[23]\d.*power",
    "sweep": r"budget",
    "why": r"(?i)algorithms",
    "correlated": r"correlation",
    "benchmark": r"90 % of tasks: 20\d\d",
    "own-data": r"fan_physical",
    "news": r"priors that moved.*as drawn anew.*tells most, within its error: physical compute in 2029",
    "feedback": r"99 % of research automated: 20\d\d.*1/v.*shift",
    "explore": r"page\.html",
    "today": r"16 of 18 runs of later date have no FLOP.*% of such observations would be smaller",
}
"""What must be among the words that the commands of a page print."""
RUNS = {"news": 4000, "events": 1000, "actors": 1000, "feedback": 2000, "gallery": 900}
"""Samples of runs where a few do not do: news that few samples carry is refused."""


def test_every_job_has_its_answer():
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


def test_pictures_of_one_name_are_kept_apart(tmp_path):
    """Two runs on one page may each draw a fan of effective compute: the page shows each beside its command."""
    pytest.importorskip("sphinx")
    ran, kept, shown = of_site("ran"), tmp_path / "kept", []
    kept.mkdir()
    for run in ("first", "second"):
        paths = [Path(run, theme, "fan.svg") for theme in ("light", "dark")]
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True)
            (tmp_path / path).write_text(f'<svg aria-label="{run}"/>', encoding="utf-8")
        done = pages.Done("simulate chart latest", "", 0, (paths[0],), (paths[1],))
        shown += ran._told(done, "gallery", tmp_path, kept)["pictures"]
    for run, (stem, words) in zip(("first", "second"), shown, strict=True):
        assert words == run
        for theme in ("light", "dark"):
            assert run in (kept / f"{stem}-{theme}.svg").read_text(encoding="utf-8")


def test_a_page_shows_what_a_command_prints_beside_what_it_draws() -> None:
    cut = of_site("ran").cut
    lines = [f"line {number}" for number in range(40)]
    assert cut("\n".join([*lines, "  outputs/run-given-1"])) == [*lines, "  outputs/run-given-1"]
    assert cut("outputs/fan.png\noutputs/fan.csv\n") == ["outputs/fan.png", "... and 1 more files"]
    assert cut("\n".join(lines * 2))[-1] == "... and 30 more lines"
