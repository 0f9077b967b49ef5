"""The page of published forecasts is what the command gives, and leaves out no number."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.published import published_names
from simulator.published_page import published_page
from simulator.published_text import result_lines
from tests.published_runs import published, results_of

PAGE = (Path(__file__).parents[1] / "docs" / "published.md").read_text(encoding="utf-8")
COMMAND = "simulate published --document docs/published.md"


def test_the_page_is_what_the_command_gives() -> None:
    sources = sorted(map(published, published_names()), key=lambda source: (source.date, source.scenario))
    found = [(source, results_of(source.scenario)) for source in sources]
    assert published_page(found, command=COMMAND) == PAGE, f"write it anew with: {COMMAND}"


def section(name: str) -> str:
    (found,) = [part for part in PAGE.split("\n## ") if f"`simulate {name}`" in part]
    return found


@pytest.mark.parametrize("name", published_names())
def test_every_target_of_every_file_has_its_number_on_the_page(name: str) -> None:
    cells = re.findall(r"(?<=\| )[^|]+(?= \|)", section(name))
    for line in result_lines(results_of(name)):
        for text in filter(None, (line.published, line.recomputed, line.tool)):
            assert text in cells, f"{line.name} {line.year}: {text}"


def test_the_page_says_where_sources_contradict_themselves_and_what_is_missing() -> None:
    for name, words in {
        "essay-2023": "does not: the table gives thousands of times",
        "published/kumar-manning-2025": "Such a sum is no interval of the total",
        "published/direct-approach-2023": "lets it pay for itself over 12 years",
        "published/rethink-2024": "stands still in places",
    }.items():
        assert words in section(name)
    assert PAGE.count("**Not reproduced, or not published:**") == len(published_names())


def test_a_number_out_of_its_tolerance_is_said_in_the_table_and_at_the_top() -> None:
    source = published("cotra-2020")
    results = list(results_of("cotra-2020"))
    results[0] = replace(results[0], value=9.5)
    page = published_page([(source, results)], command="c")
    assert "| 37 of 38 | 50.0 |" in page
    assert "+0.50 of 0.01, NOT HELD |" in page
    crossing = published("cottier-2024")
    late = [replace(result, value=2028.0) for result in results_of("cottier-2024")]
    assert "| 2026.88 | 2028.00 | +1.12 | 0.005 | NO |" in published_page([(crossing, late)], command="c")
