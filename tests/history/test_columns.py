"""Cells of exported tables, in every spelling."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from simulator.errors import InputError
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
    read_points,
    read_series,
    read_sheet,
)
from simulator.history.exports import load_table, observed_points


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


def test_a_control_character_is_refused_in_a_cell_that_is_used_and_passed_over_in_one_that_is_not(
    tmp_path: Path,
) -> None:
    """Abstracts in Epoch AI's export of February 2025 hold U+0014 to U+001E."""
    file, rows = (
        tmp_path / "runs.csv",
        "name,date,training_flop,Abstract\na,2024-01-02,1e25,W\x14A\nb,2025-01-02,1e26,\n",
    )
    file.write_text(rows)
    assert load_table(file, snapshot="2026").table["name"].tolist() == ["a", "b"]
    assert [point["label"] for point in observed_points(file)] == ["a", "b"]
    file.write_text(rows.replace("\nb", "\nb\x1b[2J"))
    with pytest.raises(InputError, match=r"runs\.csv:3: .* the control character U\+001B\.\n +Remove it"):
        load_table(file, snapshot="2026")


@pytest.mark.parametrize("text", ["", "\ufeff", "\n \n", "\n,,\n \n"])
def test_a_table_of_nothing_is_empty(tmp_path: Path, text: str) -> None:
    file = tmp_path / "runs.csv"
    file.write_text(text)
    for read in (observed_points, lambda path: read_sheet(path, columns={}, needed=(), what="runs")):
        with pytest.raises(InputError, match=r"runs\.csv: is empty\.\n +Download the export again"):
            read(file)


def written(folder: Path, text: str) -> Path:
    path = folder / "runs.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_dates_may_be_iso_or_decimal_and_rows_are_sorted(tmp_path: Path) -> None:
    text = "label,value,date,note\nlate,3e25,2024.5,x\nday,2.1e25,2023-03-15,\nmonth,1,2022-07,\nyear,1,2020,\n"
    points = read_points(written(tmp_path, text))
    assert [(point["label"], point["value"]) for point in points] == [
        ("year", 1.0), ("month", 1.0), ("day", 2.1e25), ("late", 3e25)
    ]  # fmt: skip
    dates = [point["date"] for point in points]
    assert dates == pytest.approx([2020.0, 2022 + 181 / 365, 2023.2, 2024.5], abs=1e-5)


def test_a_byte_order_mark_blank_lines_and_quoted_line_breaks_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufeffDate , VALUE,Label\n\n2020,5,"two\nlines"\n\n')
    assert read_points(path) == ({"date": 2020.0, "value": 5.0, "label": "two lines"},)


def test_missing_columns_are_named_beside_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(InputError) as fault:
        read_points(written(tmp_path, "date,values,Model\n2020,1,a\n"))
    said = str(fault.value)
    assert "this one has 'date', 'values', 'Model' and lacks value, label" in said
    assert "Did you mean 'values'?" in said


def test_every_wrong_row_is_named_with_its_line(tmp_path: Path) -> None:
    text = 'date,value,label\n2020,1,"a\nb"\n15/03/2023,2,c\n2021,fast,d\n2022,inf,e\n2023,1,\n2024\n'
    with pytest.raises(InputError) as fault:
        read_points(written(tmp_path, text))
    lines = str(fault.value).splitlines()
    assert [line.split("runs.csv:")[1].split(":")[:2] for line in lines] == [
        ["4", " date"], ["5", " value"], ["6", " value"], ["7", " label"], ["8", " label"]
    ]  # fmt: skip
    assert "got '15/03/2023'" in lines[0]
    assert "got 'fast'" in lines[1]


def test_many_wrong_rows_are_counted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.\.\. and 15 more rows$"):
        read_points(written(tmp_path, "date,value,label\n" + "x,1,a\n" * 25))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("date,value,label\n", "holds no rows"),
        ('date,"', "no CSV table in UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_points(written(tmp_path, text))


def test_what_is_no_file_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_points(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder, not a table"):
        read_points(tmp_path)
    binary = tmp_path / "run.nc"
    binary.write_bytes(b"\x89HDF\r\n\x1a\n\xff\xfe" * 9)
    with pytest.raises(InputError, match="no CSV table in UTF-8"):
        read_points(binary)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,value,label\n2024-01-01,3,1e26,One\n", "r.csv:2: has 4 cells, and the first line names 3 columns."),
        ("date,value,label\n2024-03-155,1e26,One\n", "r.csv:2: date: must be as 2023-03-15"),
        ("date,value,label\n2024-03-15 to 2024-04-01,1e26,One\n", "r.csv:2: date: must be as 2023-03-15"),
        ("date,value,label,value\n2024,1,One,2\n", "r.csv:1: has two columns 'value'. Keep one of them."),
    ],
)
def test_what_would_be_another_number_or_day_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """A comma within a number moves the cells: 3,1e26 was 3, and 1e26 the label."""
    file = tmp_path / "r.csv"
    file.write_text(text)
    with pytest.raises(InputError) as refused:
        read_points(file)
    assert message in str(refused.value)


def test_a_moment_counts_as_its_day(tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text("date,value,label\n2024-03-15T23:30:00-08:00,1,a\n2024-03-15 12:00,1,b\n2024-03-15,1,c\n")
    assert {point["date"] for point in read_points(file)} == {round(decimal_year(dt.date(2024, 3, 15)), 6)}


def test_a_number_with_an_exponent_has_no_thousands_and_a_logarithm_is_none_beyond_every_number() -> None:
    assert [cell_number(cell) for cell in ("4,640E+26", "1,234e5", "4.640E+26", "4,640")] == [None, None, 4.64e26, 4640]
    sheet = Sheet("x.csv", {"flop": "log10_training_flop"}, (), ())
    assert [sheet.log10({"flop": cell}, "flop") for cell in ("2e25", "26.3")] == [None, 26.3]


def test_a_column_that_stands_twice_is_refused_where_its_cells_differ(tmp_path: Path) -> None:
    file = tmp_path / "runs.csv"
    file.write_text("name,date,training_flop,Training_FLOP\na,2024-01-02,1e25,1e25\nb,2025-01-02,1e26,2e26\n")
    with pytest.raises(InputError, match="has two columns 'training_flop', which differ on line 3"):
        load_table(file, snapshot="2026")


def test_slashes_among_other_dates_do_not_say_which_number_is_the_day() -> None:
    with pytest.raises(InputError, match="'3/4/2024' do not say which number is the day"):
        date_order(["03.04.2024", "3/4/2024"], file="runs.csv")


def test_values_of_a_series_that_are_of_a_later_day_are_told(tmp_path: Path) -> None:
    file = tmp_path / "power.csv"
    file.write_text("date,value,label\n2026-06-01,40,d\n2026.6,80,e\n2024,10,a\n2026-05-31,30,c\n2025,20,b\n")
    points, said = read_series(file, until=dt.date(2026, 5, 31))
    assert [(point["value"], point["label"]) for point in points] == [(10, "a"), (20, "b"), (30, "c")]
    assert said == ["2 of the 5 values of power.csv are of a day after 2026-05-31, and left out."]
    assert read_series(file, until=dt.date(2027, 12, 31))[1] == []
