"""Hindcasts in words."""

from __future__ import annotations

import dataclasses

from simulator.diagnostics import Diagnostics, RateCheck
from simulator.hindcast import MODEL, ForecastRow, Hindcast, mean_scores, skills
from simulator.hindcast_tables import EventRow
from simulator.hindcast_text import hindcast_lines, hindcast_page


def row(forecast: str, origin: int, target: int, crps: float) -> ForecastRow:
    return ForecastRow(
        forecast, origin, target, 25.0, 24.0, 24.6, 25.1, 25.5, 26.0, crps, crps / 2, 1.0, 1.0, 0.1, 0.45, True, True, True
    )  # fmt: skip


ROWS = [
    row(name, origin, target, score)
    for name, score in ((MODEL, 0.2), ("4x a year", 0.5))
    for origin in (2018, 2020)
    for target in range(origin + 1, 2023)
]
FIT = Diagnostics(4, 800, 1.001, "a", 2000.0, "a", 2000.0, "a", 0)
RESULT = Hindcast("2026-05", (2018, 2020), tuple(ROWS), mean_scores(ROWS), skills(ROWS, seed=0), (FIT, FIT), ())


def test_the_number_of_distinct_years_is_said_large_and_the_skill_with_its_interval() -> None:
    lines = list(hindcast_lines(RESULT))
    assert "6 forecasts of 4 DISTINCT YEARS" in lines[0]
    assert any("0.200" in line and line.split()[0] == MODEL for line in lines)
    assert lines[-1] == "  against 4x a year: skill +0.60 (90 % +0.60 to +0.60), better"


def test_the_page_has_a_row_for_each_forecast_and_its_command() -> None:
    page = hindcast_page([("a table", RESULT), ("another", dataclasses.replace(RESULT, snapshot="x"))], command="c --d")
    assert "Written by `c --d`." in page
    assert page.count("| 4x a year | 6 | 0.500 |") == 2
    assert page.count("**4 distinct years**") == 2


LATE = [dataclasses.replace(row("scenario s", 2018, year, 0.3), hindsight=True) for year in range(2019, 2023)]
LATE += [row("scenario s", 2020, year, 0.3) for year in range(2021, 2023)]
EVENTS = tuple(
    EventRow(name, origin, 2021, threshold, 0.5, True, 0.25, name != MODEL)
    for name in (MODEL, "scenario s")
    for origin, threshold in ((2018, 1e24), (2020, 1e25))
)
WITH_ARMS = dataclasses.replace(
    RESULT,
    forecasts=(*ROWS, *LATE),
    scores=mean_scores([*ROWS, *LATE]),
    skills=skills([*ROWS, *LATE], seed=0),
    events=EVENTS,
    notes=("something",),
)


def test_hindsight_is_said_beside_every_number_that_rests_on_it() -> None:
    lines = list(hindcast_lines(WITH_ARMS))
    named = [line for line in lines if "scenario s" in line]
    assert len(named) == 3  # mean scores, Brier scores, skill
    assert all("scenario s (with hindsight)" in line for line in named)
    assert "  note: something" in lines
    page = hindcast_page([("a table", WITH_ARMS)], command="c")
    assert page.count("| scenario s (with hindsight) |") == 2
    assert "**With hindsight**" in page
    assert "| model | 0.250 (1) | 0.250 (1) |" in page
    assert "with hindsight" not in hindcast_page([("a table", RESULT)], command="c").lower()


def test_the_failure_has_a_section_of_its_own_with_whether_it_was_told() -> None:
    told = dataclasses.replace(RESULT, rate_checks=(RateCheck(2018, "Games", 0.9, 0.6),))
    for result, words in ((told, "see the warning below"), (RESULT, "there is no warning")):
        page = hindcast_page([("a table", RESULT)], command="c", failure=("Where it fails", result))
        section = page.split("## Where it fails")[1]
        assert words in section
        assert "Its CRPS is 0.200" in section
        assert ("Warning: compute up to 2018" in section) == (result is told)
