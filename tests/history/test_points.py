"""Reading a table of observed runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.errors import InputError
from simulator.history.points import read_points


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
