"""Tables keep what they are given, in every form in which they are written."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import RunFileError
from simulator.runs.table import Table, value_or_none, values_or_none
from tests.columns import unsaid


def test_whole_numbers_stay_whole_beside_what_is_missing():
    assert Table({"n": [1, None, 3], "x": [1.0, math.nan, None]}).to_csv() == "n,x\n1,1.0\n,nan\n3,\n"


def test_what_is_nan_is_none_and_what_is_beyond_stays():
    assert [value_or_none(value) for value in (1.5, math.nan, math.inf)] == [1.5, None, math.inf]
    assert values_or_none(np.array([[1.5, math.nan], [math.inf, 0.0]])).tolist() == [[1.5, None], [math.inf, 0.0]]


def test_rows_read_back_as_they_were_given():
    rows = [{"a": 1, "b": "x"}, {"a": 2.5, "b": None}, {"a": True, "b": "é"}]
    assert Table.of_rows(rows).rows() == rows


def test_columns_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="of one length; got a 1, b 2"):
        Table({"a": [1], "b": [1, 2]})


def test_rows_are_chosen_by_value_and_parted_in_their_order():
    table = Table({"on": ["b", "a", "b"], "year": np.array([1.0, 2.0, 3.0])})
    assert table.where(on="b")["year"].tolist() == [1.0, 3.0]
    assert table.where(table["year"] > 1.5, on="b").rows() == [{"on": "b", "year": 3.0}]
    assert [(key, len(part)) for key, part in table.groups("on")] == [(("b",), 2), (("a",), 1)]


def test_rows_are_put_in_order_and_stay_where_they_are_equal():
    table = Table({"year": [2031.0, 2030.0, 2031.0], "n": [1, 2, 3]})
    assert table.sorted_by("year")["n"].tolist() == [2, 1, 3]
    assert (table.first(2)["n"].tolist(), len(table.first(9))) == ([1, 2], 3)


def test_what_is_missing_is_one_group():
    table = Table({"year": [2030.0, None, None], "n": [1, 2, 3]})
    assert [(key, part["n"].tolist()) for key, part in table.groups("year")] == [((2030.0,), [1]), ((None,), [2, 3])]


def test_tables_are_joined_below_one_another_with_their_units():
    joined = Table({"year": [1.0]}, units={"year": "day"}) + Table({"error": [2]}, units={"error": "m"})
    assert joined.to_csv() == "year,error\n1.0,\n,2\n"
    assert (joined.unit("year"), joined.unit("error")) == ("day", "m")


def test_texts_are_escaped_in_html_and_units_are_said():
    written = Table({"year": ["<b>"]}).to_html()
    assert "<b>" not in written
    assert 'title="decimal year, a point in time' in written


class Markup(str):
    __slots__ = ()

    def __html__(self) -> str:
        return self


def test_what_is_markup_already_is_set_as_it_is_and_the_first_column_heads_the_rows():
    table = Table({"name": [Markup("<a>x</a>"), "<i>"], "value": [1.0, None], "note": ["<b>", None]})
    written = table.to_html(heads={"note": Markup("<em>note</em>")}, caption="a & b", class_="stacked")
    assert written.splitlines() == [
        '<table role="table" class="stacked">',
        "<caption>a &amp; b</caption>",
        (
            '<thead role="rowgroup"><tr role="row"><th scope="col" title="what it is called" role="columnheader">name</th>'
            '<th scope="col" class="number" title="value, in the unit of the row" role="columnheader">value</th>'
            '<th scope="col" title="remark for readers" role="columnheader"><em>note</em></th></tr></thead>'
        ),
        '<tbody role="rowgroup">',
        (
            '<tr role="row"><th scope="row" role="rowheader"><a>x</a></th><td class="number" role="cell">1</td>'
            '<td role="cell">&lt;b&gt;</td></tr>'
        ),
        (
            '<tr role="row"><th scope="row" role="rowheader">&lt;i&gt;</th><td class="number" role="cell"></td>'
            '<td role="cell"></td></tr>'
        ),
        "</tbody></table>",
    ]


def test_a_long_table_is_shown_short():
    shown = repr(Table({"n": range(1000)}))
    assert len(shown.splitlines()) <= 15
    assert shown.endswith("... 988 more rows")


def test_columns_are_added_and_taken():
    table = Table({"a": [1, 2]}).with_columns({"b": ["x", "y"]})
    assert table.select("b", "a").to_csv() == "b,a\nx,1\ny,2\n"
    with pytest.raises(ValueError, match="has 2 rows; got columns of 3"):
        table.with_columns({"c": [1, 2, 3]})


def test_tables_have_a_header_quote_commas_and_may_be_empty(tmp_path: Path) -> None:
    Table.of_rows([{"name": "a, b", "x": 0.1}, {"name": "ü", "x": float("inf")}]).save_csv(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text(encoding="utf-8") == 'name,x\n"a, b",0.1\nü,inf\n'
    Table.of_rows([]).save_csv(tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text() == ""


def test_a_row_may_lack_a_column_and_nothing_of_another_is_lost(tmp_path: Path) -> None:
    Table.of_rows([{"a": 1}, {"a": 2, "b": 3}, {"b": 4}]).save_csv(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "a,b\n1,\n2,3\n,4\n"


def test_a_table_of_one_column_and_one_of_none(tmp_path: Path) -> None:
    Table.of_rows([{"a": "x, y"}, {"a": 2.5}]).save_csv(tmp_path / "one.csv")
    assert (tmp_path / "one.csv").read_text() == 'a\n"x, y"\n2.5\n'
    Table.of_rows([]).save_csv(tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text() == ""


def test_columns_of_several_dimensions_are_refused():
    with pytest.raises(ValueError, match="must have one dimension; a has 2"):
        Table({"a": np.zeros((2, 3))})


def test_texts_that_a_spreadsheet_would_compute_are_quoted_and_read_back(tmp_path: Path) -> None:
    table = Table({"=name": ["=1+1", "@x", None, "plain", "a\x1bb"], "number": [-1.5, -2.0, None, 1.0, 2.0]})
    assert table.to_csv().splitlines() == ["'=name,number", "'=1+1,-1.5", "'@x,-2.0", ",", "plain,1.0", "a\\u001bb,2.0"]
    table.save_csv(tmp_path / "t.csv")
    assert Table.read_csv(tmp_path / "t.csv")["=name"].tolist() == ["=1+1", "@x", "plain", "a\\u001bb"]
    assert Table({"mixed": ["=1", 2, -3.5]}).to_csv() == "mixed\n'=1\n2\n-3.5\n"


@pytest.mark.parametrize("text", ["a,b,c\n1,2\n3,4\n", "a\n1,2\n", "a,b\n1,2\n3\n", "a,a\n1,2\n", 'a,b\n1,"2\n'])
def test_a_csv_file_that_is_no_table_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(RunFileError, match=r"t.csv: cannot be read as a table \(.*Error\)\. Make it anew"):
        Table.read_csv(tmp_path / "t.csv")


def test_a_csv_file_without_rows_is_an_empty_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n")
    assert Table.read_csv(tmp_path / "t.csv").names == ("a", "b")
    (tmp_path / "t.csv").write_text("")
    assert Table.read_csv(tmp_path / "t.csv").names == ()


def test_a_column_has_the_words_of_its_name_or_those_of_it_in_one_table_alone():
    table = Table({"share:spending@2030": [0.5], "first": ["a"], "level": [0.1], "other": [1]})
    assert unsaid({"t": table}) == ["t.first", "t.level", "t.other"]
    told = table.called("attribution").saying({"other": ("FLOP", "made up")})
    assert unsaid({"t": told}) == ["t.level"]
    assert (told.unit("share:spending@2030"), told.unit("other")) == ("1", "FLOP")
    assert told.column("first").meaning == "what is stated before"
    assert (told + table).column("other").meaning == "made up"
    assert Table.of_kept(told.to_kept()).column("first").meaning == "what is stated before"


def test_a_table_without_columns_prints_as_empty() -> None:
    assert repr(Table.of_rows([])) == "an empty table"
    assert Table.of_rows([]).lines() == []
