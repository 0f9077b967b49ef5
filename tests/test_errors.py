"""Messages name the entry, write what was given as a file would, and propose the nearest name."""

from __future__ import annotations

import pytest

from simulator.errors import (
    InputError,
    Place,
    PlacedFault,
    ScenarioError,
    as_path,
    dotted,
    near_name,
    near_or_all,
    number,
    shown,
)


def test_faults_stand_by_place_each_once() -> None:
    early, late = (
        PlacedFault(Place("a.yaml", line, 1), "samples", "must be at least 1.", "Write 1.") for line in (3, 9)
    )
    words = str(ScenarioError([late, early, late]))
    assert words.split("\n")[::2] == [f"a.yaml:{line}:1: samples: must be at least 1." for line in (3, 9)]
    assert words.split("\n")[1] == "        Write 1."


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ("drivers.spending.growth[0].rate", ("drivers", "spending", "growth", 0, "rate")),
        ("thresholds.gpt-4", ("thresholds", "gpt-4")),
    ],
)
def test_a_dotted_name_reads_back_as_its_path(entry: str, path: tuple[str | int, ...]) -> None:
    assert as_path(entry) == path
    assert dotted(path) == entry


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ("start.quantiles.0.05", ("start", "quantiles", "0.05")),
        ("start.quantiles[0.05]", ("start", "quantiles", "0.05")),
        ("start.interval_97.5", ("start", "interval_97.5")),
        ("", ()),
        ("a..b", ()),
    ],
)
def test_a_number_as_a_key_is_one_part_and_what_is_no_name_is_empty(entry: str, path: tuple[str | int, ...]) -> None:
    assert as_path(entry) == path


def test_what_was_given_is_written_short() -> None:
    given = (True, None, "fast", [1.6, "x"], {"median": 4e8})
    assert [shown(value) for value in given] == ["true", "nothing", "'fast'", "[1.6, 'x']", "{median: 4e+08}"]
    assert [number(value) for value in (2.40, 1e26, 10000.0, 2045.0)] == ["2.4", "1e+26", "10000", "2045"]
    assert len(shown("x" * 99)) == 60


def test_the_nearest_name_is_proposed_and_none_where_none_is_near() -> None:
    assert near_name("hardwear", ["hardware", "spending"]) == "Did you mean 'hardware'?"
    assert near_name("zzz", ["hardware", "spending"]) == ""


def test_names_that_are_none_near_are_listed() -> None:
    assert near_or_all("spendin", ["spending", "hardware"]) == "Did you mean 'spending'?"
    assert near_or_all("x", ["spending", "hardware"], more=", and all") == "There are: spending, hardware, and all."
    assert near_or_all("x", []) == "There are none."


def test_a_message_can_be_read_however_long_what_it_quotes_is() -> None:
    fault = PlacedFault(Place("f.yaml", 1, 1), "x" * 10**6, f"got '{'y ' * 10**6}'.", "z\x1b\n" * 10**5)
    for said in (str(ScenarioError([fault])), str(InputError("w" * 10**6)), fault.rule, fault.remedy):
        assert len(said) < 12_000
        assert "\x1b" not in said
    many = ScenarioError([PlacedFault(Place("f.yaml", at, 1), "a", "wrong.") for at in range(1, 1001)])
    assert str(many).splitlines()[99:] == ["f.yaml:100:1: a: wrong.", "... and 900 more faults."]
    assert len(many.faults) == 1000
