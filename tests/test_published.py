"""The reader of published numbers: what it takes, and what it refuses with place, rule and remedy."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest

from simulator.errors import InputError, ScenarioError
from simulator.published import load_published, published_names
from simulator.shipped import shipped_folder, shipped_names

SCENARIO = """
schema: 1
name: mine
title: Mine
years: {first: 2025, last: 2030}
drivers: {compute: {start: {value: 1e26, unit: FLOP}, growth: 4}}
"""
ROW = "{quantity: physical_compute, year: 2030, published: 29, tolerance: 0.1, unit: log10(FLOP)}"


@pytest.fixture
def write(tmp_path: Path):
    """Write a scenario with published numbers beside it."""

    def written(text: str) -> str:
        (tmp_path / "targets").mkdir(exist_ok=True)
        (tmp_path / "mine.yaml").write_text(SCENARIO)
        (tmp_path / "targets" / "mine.yaml").write_text(text)
        return str(tmp_path / "mine.yaml")

    return written


def test_every_file_of_published_numbers_is_read_and_has_its_scenario():
    files = {
        f"{file.parent.parent.relative_to(shipped_folder('scenarios')).as_posix()}/{file.stem}".removeprefix("./")
        for file in shipped_folder("scenarios").rglob("targets/*.yaml")
    }
    assert files == set(published_names())
    assert files >= {name for name in shipped_names("scenarios") if name.startswith("published/")}
    for name in files:
        found = load_published(name)
        assert found.title
        assert found.date[:2] == "20"
        assert found.assumed.endswith(".")
        assert any(target.expected is not None for target in found.targets)


def test_a_scenario_of_ones_own_may_have_published_numbers(write):
    found = load_published(write(f"date: '2025'\nassumed: a\nrows:\n  - {ROW}\n"))
    (target,) = found.targets
    assert (found.title, found.found, target.expected, target.quantile, target.set) == ("Mine", "", 29.0, 0.5, ())
    assert target.place.line == 4


def test_later_than_the_horizon_is_infinite():
    *_, last = load_published("rethink-2024").targets
    assert last.published == inf


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "cotra-2021",
            "cotra-2021: no scenario of that name has published numbers beside it. Did you mean 'cotra-2020'?",
        ),
        ("baseline", "baseline: no scenario of that name has published numbers beside it. There are: doubling-times"),
        ("my/own.yaml", "my/own.yaml: has no published numbers beside it. Write them into my/targets/own.yaml."),
    ],
)
def test_a_name_without_published_numbers_is_refused(name, said):
    with pytest.raises(InputError) as refused:
        load_published(name)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{quantiti: spending}", "rows[0].quantiti: is no key of a row. Did you mean 'quantity'?"),
        ("{unit: USD}", "rows[0].quantity: is missing."),
        ("{quantity: spending, unit: USD}", "rows[0].year: is missing. Only a crossing year needs none."),
        ("{quantity: crossed, year: 2030, unit: '%'}", "rows[0].threshold: is missing. 'crossed' is that of a"),
        ("{quantity: spending, year: soon, unit: USD}", "rows[0].year: must be a number; got 'soon'."),
        ("{quantity: spending, year: true, unit: USD}", "rows[0].year: must be a number; got true."),
        ("{quantity: spending, year: 2030, unit: 1}", "rows[0].unit: must be a text; got 1. Put it in quotes."),
        ("{quantity: spending, year: 2030, unit: USD, set: a}", "rows[0].set: must be a list of overrides; got 'a'."),
        ("{quantity: spending, year: 2030, unit: USD, published: 1}", "rows[0].tolerance: is missing."),
        ("{quantity: spending, year: 2030, unit: USD, tolerance: 1}", "rows[0].tolerance: stands there without a"),
        ("{quantity: spending, year: 2030, unit: USD, published: '< 3', tolerance: 1}", "published: must be a number"),
        ("5", "rows[0]: must be keys with values; got 5."),
    ],
)
def test_a_row_is_refused_with_its_place(write, row, said):
    with pytest.raises(ScenarioError) as refused:
        load_published(write(f"rows:\n  - {ROW}\n  - {row}\n"))
    text = " ".join(str(refused.value).split())
    assert said.replace("rows[0]", "rows[1]") in text
    assert "mine.yaml:3:5: rows[1]" in text


def test_all_faults_come_at_once(write):
    with pytest.raises(ScenarioError) as refused:
        load_published(write("date: 2025\nasumed: x\nrows: []\n"))
    text = str(refused.value)
    assert "date: must be a text; got 2025." in text
    assert "asumed: is no key of published numbers." in text
    assert "Did you mean 'assumed'?" in text
    assert "rows: must be a list of at least one row." in text
