"""Designs: how evenly points lie, what a table of points may say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.scenario.designs import MOST_DESIGN, read_design, read_points

RATE, CAP = "drivers.spending.growth[0].rate.centre", "drivers.spending.caps.cash-flow.limit.value"
OVER = [f"{RATE}=1.5x/year:4x/year", f"{CAP}=1e10:1e12:log"]


@pytest.mark.parametrize("design", ["lhs:50", "lhs:64", "sobol:64"])
def test_each_entry_has_one_point_in_each_part_of_its_range(design: str) -> None:
    made = read_design(OVER, design, seed=3)
    rate, cap = made.inputs
    assert (rate.unit, cap.unit, rate.log, cap.log) == ("x/year", "", False, True)
    for each, place in ((rate, (rate.numbers - 1.5) / 2.5), (cap, (np.log10(cap.numbers) - 10) / 2)):
        assert sorted(np.floor(place * made.size).astype(int)) == list(range(made.size)), each.name
    assert made.overrides(0)[0] == f'{RATE}="{rate.numbers[0]!r} x/year"'.replace("np.float64(", "").replace(")", "")


def test_a_sobol_sequence_fills_the_square_evenly_and_a_hypercube_is_of_its_names() -> None:
    rate, cap = read_design(OVER, "sobol:64", seed=0).inputs
    cells = np.floor(8 * (rate.numbers - 1.5) / 2.5).astype(int) * 8 + np.floor(4 * (np.log10(cap.numbers) - 10))
    assert len(set(cells.astype(int).tolist())) == 64  # one in each of 8 x 8 cells
    alone, both = read_design(OVER[:1], "lhs:40", seed=0), read_design(OVER, "lhs:40", seed=0)
    np.testing.assert_array_equal(alone.inputs[0].numbers, both.inputs[0].numbers)
    other = read_design(OVER[:1], "lhs:40", seed=1)
    assert (alone.inputs[0].numbers != other.inputs[0].numbers).any()
    pair = read_design({RATE: (1.5, 4)}, "lhs:40", seed=0)
    np.testing.assert_array_equal(pair.inputs[0].numbers, alone.inputs[0].numbers)


@pytest.mark.parametrize(
    ("over", "design", "said"),
    [
        (OVER, "lhs", "must be lhs:POINTS or sobol:POINTS, with 2 to 10,000 points"),
        (OVER, f"lhs:{MOST_DESIGN + 1}", "with 2 to 10,000 points"),
        (OVER, "sobol:500", "is even for a power of two. Write sobol:256 or sobol:512."),
        ([f"{RATE}=1.5:4:6"], "lhs:9", "'6' is no spacing"),
        ([f"{RATE}=2"], "lhs:9", "with --design it must be from:to, or from:to:log"),
        ([f"{CAP}=-1:5:log"], "lhs:9", "log spacing needs numbers above 0"),
        ([OVER[0], OVER[0]], "lhs:9", "is written twice"),
        (["seed=1:5"], "lhs:9", "every point is run on the same draws"),
        ([], "lhs:9", "nothing is swept"),
    ],
)
def test_what_is_no_design_is_refused(over: list[str], design: str, said: str) -> None:
    with pytest.raises(InputError, match=r".*") as refused:
        read_design(over, design, seed=0)
    assert said in str(refused.value)


def test_a_table_of_points_is_read_with_its_labels_units_and_words(tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    file.write_text(
        f"label,{RATE},{CAP},drivers.algorithms.growth.prior\nslow,2x/year,1e10,a/b\nfast,3x/year,none,c/d\n"
    )
    made = read_points(file)
    rate, cap, prior = made.inputs
    assert made.labels == ("slow", "fast")
    assert (rate.unit, rate.numbers.tolist()) == ("x/year", [2.0, 3.0])
    assert (cap.numbers, cap.values, prior.values) == (None, (1e10, None), ("a/b", "c/d"))
    assert made.overrides(1) == [f'{RATE}="3x/year"', f"{CAP}=null", 'drivers.algorithms.growth.prior="c/d"']


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{RATE}\n2\n\n3,4\n", "points.csv:4:1: has 2 cells; the first line names 1."),
        (
            f'{RATE}\n2\n"{{empirical: {{file: /etc/passwd, column: a}}}}"\n',
            "points.csv:3:1: file: '/etc/passwd' lies outside the working directory. Name it on the command line, by --over",
        ),
        (f"{RATE}.prior\n../../../other/entry\n", "points.csv:2:1: prior: '../../../other/entry' lies outside"),
        (f"{RATE},{CAP}\n2,1\n3,\n", f"points.csv:3:1: {CAP}: is empty."),
        (f"{RATE},{CAP}\n2,[1\n", f"points.csv:2:1: {CAP}: cannot be read"),
        (f"{RATE},{RATE}\n2,2\n", "points.csv:1:1: has two columns"),
        ("a[,b\n2,2\n", "points.csv:1:1: a[: is no path of an entry."),
        ("seed\n2\n", "points.csv:1:1: seed: cannot be swept"),
        ("label\n2\n", "has no column of an entry"),
        (f"{RATE}\n", "has a header and no points"),
        (f"label,{RATE}\na,2\na,3\n", "the label 'a' stands at several points"),
        (f"{RATE}\n" + "2\n" * (MOST_DESIGN + 1), "has 10,001 points; at most 10,000 are run."),
    ],
)
def test_a_table_that_says_no_points_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "points.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=r".*") as refused:
        read_points(file)
    assert said in str(refused.value)
    with pytest.raises(InputError, match="there is no such file"):
        read_points(tmp_path / "none.csv")
