"""Small words are written alike everywhere: numbers, shares, lists, dates, names that are too long."""

from __future__ import annotations

import math

import pytest

from simulator import wording as w


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (w.raised("median 3.89e+08 (90 % 1e-05 to 1e9) USD in 1e30-run"), "median 3.89 × 10⁸ (90 % 10⁻⁵ to 10⁹) USD in 1e30-run"),
        (w.listed(["a"]), "a"),
        (w.listed(["a", "b", "c"]), "a, b and c"),
        (w.sample_count(1), "1 sample"),
        (w.sample_count(20_000), "20,000 samples"),
        (w.percent(0.0), "0 %"),
        (w.percent(0.004), "< 1 %"),
        (w.percent(0.12), "12 %"),
        (w.percent(0.997), "> 99 %"),
        (w.cut("drivers.algorithms", width=18), "drivers.algorithms"),
        (w.cut("drivers.algorithms", width=12), "drivers.a..."),
        (w.cut("a long source", width=8, mark="…"), "a long…"),
        (w.cut_front("drivers.algorithms.growth", width=12), "…thms.growth"),
        (w.harmless("a\u202ename"), "a\\u202ename"),
        (w.harmless("GPT-4"), "GPT-4"),
        (w.signed(0.5), "+0.50"),
        (w.signed(-0.123), "−0.12"),
        (w.signed(-0.0004), "0.00"),
        (w.signed(-2.31, digits=1), "−2.3"),
        (w.signed(0.04, digits=1), "0.0"),
        (w.plus_minus(0.26, 1), " ± 0.3"),
        (w.plus_minus(0.001, 2), " ± <0.01"),
        (w.plus_minus(math.nan, 1), ""),
        (w.power(28.31), "2e28"),
        (w.power_text(34.6902), "4.9e34"),
        (w.power_text(-2.0), "1.0e-2"),
        (w.power_text(28.999), "1.0e29"),
        (w.power_text(math.inf), "none"),
        (w.power(math.inf), "beyond 1e300"),
        (w.power(math.nan), "none"),
        (w.year_text(2031.23, 2045), "2031.2"),
        (w.year_text(math.inf, 2045), "> 2045"),
        (w.year_text(2025.5, 2045, 2025.5), "already in 2025.5"),
        (w.year_text(2025.6, 2045, 2025.5), "2025.6"),
        (w.year_range(2025.0, 2031.23, 2045, 2025), "≤ 2025 to 2031.2"),
        (w.year_range(2025.0, math.inf, 2045, 2025), "≤ 2025 to > 2045"),
        (w.year_range(2025.0, 2025.0, 2045, 2025), "already in 2025"),
        (w.year_range(2028.04, 2031.23, 2045), "2028.0 to 2031.2"),
        (w.share_text(0.2986, 10_000, 0.0049), "29.9 ± 0.5 %"),
        (w.share_text(0.5, 10_000, math.nan), "50 %"),
        (w.share_text(0.2986, 10_000), "30 %"),
        (w.share_text(0.2986, 1_000_000), "29.9 %"),
        (w.share_text(3e-4, 10_000), "0.03 %"),
        (w.share_text(0.9995, 10_000), "99.95 %"),
        (w.share_text(0.004, 1_000), "0.4 %"),
        (w.share_text(0.9, 10), "90 %"),
        (w.share_text(0.0, 10_000), "< 0.03 %"),
        (w.share_text(1.0 - 1e-16, 10_000), "> 99.97 %"),
        (w.share_text(1.0, 1), "100 %"),  # nothing differs
        (w.share_text(0.0, 10_000, 0.0), "< 0.03 %"),
        (w.share_text(1.0, 10_000, 0.0), "> 99.97 %"),
        (w.share_text(1.0, 1_000_000, 0.0), "> 99.9997 %"),
        (w.share_text(0.0, 512, 0.0), "< 0.58 %"),  # 3/512 is 0.586 %
        (w.share_text(0.0, 4, 0.0), "< 53 %"),  # 1 - 0.05^(1/4)
        (w.share_text(3e-4, 10_000, 1.7e-4), "0.03 ± 0.02 %"),
        (w.share_text(0.9995, 10_000, 2.2e-4), "99.95 ± 0.02 %"),
    ],
)  # fmt: skip
def test_it_is_written_as_readers_know_it(said: str, expected: str) -> None:
    assert said == expected


def test_columns_are_as_wide_as_their_widest_cell_and_nothing_stands_behind_the_last() -> None:
    assert w.aligned([["a", "bb", ""], ["aaa", "b", "c"]]) == ["  a    bb", "  aaa  b   c"]
    assert w.aligned([["a", "b"]], gap=3) == ["  a   b"]
    assert w.aligned([]) == []


def test_cells_stand_between_bars_below_their_headings() -> None:
    assert w.markdown_table(["", "a"], [["x", "1"], ["y", ""]]) == "|  | a |\n|---|---|\n| x | 1 |\n| y |  |"


ROWS = [
    ["drivers.hardware.factors.precision-and-utilisation.growth[0].rate", "+0.84", "4e30 to 6e35", "from 1.06x/yr to 1.53x/yr"],
    ["tokens: factor 1, term 2, factor 2", "-0.11 ± <0.01 years", "7e32 to 5e36", "fixed: interval 62 ± 2 % narrower"],
]  # fmt: skip


@pytest.mark.parametrize("keys", [0, 1, 2])
@pytest.mark.parametrize("copies", [1, 2, 5])
def test_a_table_keeps_to_80_characters_and_cuts_no_number(keys: int, copies: int) -> None:
    rows = [row + row[1:] * (copies - 1) for row in ROWS]
    heads = ["", "rank", "from lowest to highest tenth", "what it is"] + ["again"] * (3 * (copies - 1))
    lines = w.aligned([heads, *rows] if keys else rows, keys=keys)
    assert max(map(len, lines)) <= w.WIDTH
    for cell in (cell for row in rows for cell in row[1:]):
        assert any(cell in line for line in lines)
    if copies == 1 and keys == 1:  # one table: a row each, the name on two lines
        assert sum("to 6e35" in line for line in lines) == 1


def test_a_table_that_fits_is_set_side_by_side() -> None:
    assert w.aligned([["a", "b"], ["long name", "2"]], keys=1, right=[False, True]) == [
        "  a          b",
        "  long name  2",
    ]
    assert w.aligned([]) == []
    assert w.aligned([["", "year"]], keys=1) == ["    year"]


@pytest.mark.parametrize("keys", [0, 1])
def test_a_column_of_empty_cells_takes_no_room(keys: int) -> None:
    rows = [["way", "", "b" * 30, "c" * 41, ""], ["d", "", "e", "1", ""]]  # 2 + 3 + 2 + 30 + 2 + 41 letters
    told = [f"  way  {'b' * 30}  {'c' * 41}", f"  d    {'e':30}  {'1':>41}"]
    assert w.aligned(rows, keys=keys, right=[False, False, False, True]) == told


def test_what_does_not_fit_stands_below_its_row() -> None:
    lines = w.aligned([["a", "b" * 40, "c" * 40], ["d", "e", ""]])
    assert lines == [f"  a  {'b' * 40}", f"      {'c' * 40}", "  d  e"]


def test_a_line_is_folded_between_words_and_a_number_keeps_its_error() -> None:
    assert w.folded("log10 32.32 ± 0.02 (90 % 1e30 to 5e36)", width=18, hang="  ") == [
        "log10 32.32 ± 0.02",
        "  (90 % 1e30 to",
        "  5e36)",
    ]
    assert w.folded("outputs/" + "x" * 30, width=10) == ["outputs/" + "x" * 30]
    assert w.folded("drivers.spending.growth[0].rate", width=20, dotted=True) == ["drivers.spending.", "growth[0].rate"]
    assert w.folded("growth of 1.25 to 2.5", width=12, dotted=True) == ["growth of", "1.25 to 2.5"]
