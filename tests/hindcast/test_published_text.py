"""Published numbers in lines: quantiles side by side, like cases joined, decimals as they are stated."""

from __future__ import annotations

import re
from dataclasses import replace
from math import inf

import pytest

from simulator.errors import Place
from simulator.hindcast.published import Published, Reproduced, Target, published_names
from simulator.hindcast.published_text import published_lines, published_page, result_lines, signed
from tests.places import ROOT
from tests.published_runs import published, results_of

ROW = Target(Place("f.yaml", 3, 5), "spending", "log10(USD)", year=2030, published=9.4, tolerance=0.1)


def result(value: float, **changes: object) -> Reproduced:
    return Reproduced(replace(ROW, **changes), "spending", value, 2124.0)


def test_quantiles_stand_side_by_side_in_their_order() -> None:
    (line,) = result_lines(
        [
            result(9.46),
            result(8.5, quantile=0.05, published=8.58, tolerance=0.2),
            result(10.0, quantile=0.95, published=None, tolerance=None),
        ]
    )
    assert (line.name, line.cells["year"], line.cells["quantiles"]) == ("spending (log10 USD)", "2030", "5 / 50 / 95 %")
    assert (line.cells["published"], line.cells["recomputed"], line.cells["tool"]) == (
        "8.58 / 9.40 / -",
        "",
        "8.50 / 9.46 / 10.00",
    )
    assert (line.cells["difference"], line.cells["tolerance"], line.cells["holds"]) == (
        "-0.08 / +0.06 / -",
        "0.2 / 0.1",
        "yes",
    )


def test_one_quantile_out_of_its_tolerance_is_said() -> None:
    (line,) = result_lines([result(9.46), result(8.3, quantile=0.05, published=8.58)])
    assert line.cells["holds"] == "NO"
    (shown,) = result_lines([result(9.46, published=None, tolerance=None)])
    assert (shown.cells["holds"], shown.cells["difference"], shown.cells["tolerance"], shown.cells["published"]) == (
        "shown",
        "",
        "",
        "",
    )


def test_cases_that_come_out_alike_are_joined_and_others_are_not() -> None:
    cases = [("a", 2028.0), ("b", 2028.0), ("c", 2028.0), ("d", 2032.0), ("e", inf), ("f", inf)]
    rows = [
        result(year, quantity="crossing_year", unit="year", year=None, case=case, published=year, tolerance=0.0)
        for case, year in cases
    ]
    assert [(line.case, line.cells["published"], line.cells["tool"]) for line in result_lines(rows)] == [
        ("a to c", "2028", "2028"), ("d", "2032", "2032"), ("e to f", "> 2124", "> 2124"),
    ]  # fmt: skip
    assert [line.case for line in result_lines([rows[0], replace(rows[1], value=2029.0)])] == ["a", "b"]


@pytest.mark.parametrize(
    ("unit", "published", "tolerance", "value", "printed", "tool"),
    [
        ("log10(USD)", 9.0, 0.1, 9.004, "9.00", "9.00"),
        ("year", 2031.0, 2.0, 2030.66, "2031.0", "2030.7"),
        ("year", 2026.88, 0.005, 2026.8772, "2026.88", "2026.88"),
        ("year", 2057.0, 0.0, 2057.0, "2057", "2057"),
        ("FLOP", 2.05e29, 5e26, 2.048e29, "2.05e29", "2.048e29"),
        ("factor", 16000.0, 200.0, 15868.3, "16,000", "15,868"),
        ("%", 7.72, 4.0, 8.862, "7.72", "8.86"),
        ("1", 38.0, 5.7, 37.6, "38", "38"),
    ],
)
def test_numbers_are_printed_as_finely_as_they_are_stated(
    unit: str, published: float, tolerance: float, value: float, printed: str, tool: str
) -> None:
    (line,) = result_lines([result(value, unit=unit, published=published, tolerance=tolerance)])
    assert (line.cells["published"], line.cells["tool"]) == (printed, tool)


@pytest.mark.parametrize(
    ("unit", "name"),
    [("log10(J/s)", "spending (log10 W)"), ("log10(1)", "spending (log10)"), ("fraction", "spending")],
)
def test_units_are_those_that_readers_know(unit: str, name: str) -> None:
    (line,) = result_lines([result(9.4, unit=unit)])
    assert line.name == name


def test_a_difference_that_rounds_to_nothing_has_no_sign() -> None:
    assert [signed(x, 2) for x in (-0.004, 0.004, -0.006, 1234.5)] == ["0.00", "0.00", "-0.01", "+1,234.50"]


def test_what_is_printed_says_what_was_assumed_and_counts_what_holds() -> None:
    found = Published("published/x", "X", "2025", "Money grows.", "", "", (ROW,))
    rows = [result(9.46), result(9.6, year=2040), result(9.6, year=2050, published=None, tolerance=None)]
    lines = list(published_lines(found, rows))
    assert lines[:2] == ["X (published/x)", "  Money grows."]
    assert "recomputed" not in lines[2]  # a column that would be empty
    assert lines[3].split() == ["spending", "(log10", "USD)", "2030", "9.40", "9.46", "+0.06", "0.1", "yes"]
    assert lines[4].endswith("NO")
    assert lines[5].endswith("shown")
    assert lines[-1] == "  1 of 2 numbers within their tolerance; 1 more shown, with nothing to hold them against"


PAGE = (ROOT / "docs" / "published.md").read_text(encoding="utf-8")
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
        for text in filter(None, (line.cells["published"], line.cells["recomputed"], line.cells["tool"])):
            assert text in cells, f"{line.name} {line.cells['year']}: {text}"


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
