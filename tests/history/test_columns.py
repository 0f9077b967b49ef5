"""Cells of exported tables, in every spelling."""

from __future__ import annotations

import datetime as dt

import pytest

from simulator.history.columns import (
    Sheet,
    cell_date,
    cell_flag,
    cell_list,
    cell_number,
    cell_text,
    date_order,
    decimal_year,
    last_day,
)


def test_text_is_on_one_line_and_what_means_unknown_is_empty() -> None:
    assert cell_text(" Cosmos-1.0-\nDiffusion-14B  ") == "Cosmos-1.0- Diffusion-14B"
    assert [cell_text(cell) for cell in ("n/a", "-", "NaN", "")] == ["", "", "", ""]
    assert cell_list("Google,Google Brain,Google") == ("Google", "Google Brain")


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("$6770000.00", 6770000.0), ("7.80E+24", 7.8e24), ("1,250", 1250.0), (".5", 0.5),
        *((cell, None) for cell in ("0.0", "inf", "TRUE", "7,80E+24", "-3", "1e400", "")),
    ],
)  # fmt: skip
def test_a_comma_parts_thousands_alone_and_what_is_no_positive_number_is_unknown(
    cell: str, value: float | None
) -> None:
    assert cell_number(cell) == value


def test_a_column_of_logarithms_is_read_as_it_is() -> None:
    sheet = Sheet("x.csv", {"flop": "Training compute (FLOP)", "cost": "log10_cost_usd"}, (), ())
    cells = {"flop": "1e26", "cost": "-0.5"}
    assert (sheet.log10(cells, "flop"), sheet.log10(cells, "cost")) == (26.0, -0.5)


def test_flags_are_read_as_a_spreadsheet_a_database_or_a_person_writes_them() -> None:
    assert [cell_flag(cell) for cell in ("TRUE", "checked", "No", "")] == [True, True, False, None]


def test_dates_are_read_in_the_order_of_their_column_and_a_first_of_a_month_may_stand_for_it() -> None:
    assert date_order(["15-03-2023", "05-04-2023"], file="runs.csv") == "day-month-year"
    assert cell_date("2023-03-15", order="year-month-day") == (dt.date(2023, 3, 15), True)
    assert cell_date("01-03-2023", order="day-month-year") == (dt.date(2023, 3, 1), False)
    assert cell_date("2023", order="year-month-day") is None


def test_a_year_or_a_month_stands_for_its_last_day() -> None:
    assert last_day("2025-06", entry="--snapshot") == dt.date(2025, 6, 30)
    assert last_day("2018", entry="--until") == dt.date(2018, 12, 31)
    assert decimal_year(dt.date(2023, 7, 2)) == pytest.approx(2023 + 182 / 365)
    assert decimal_year(dt.date(2024, 1, 1)) == 2024.0
