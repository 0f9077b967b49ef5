"""Numbers are read with their units as people write them, and what is no amount is left to be refused."""

from __future__ import annotations

import pytest

from simulator.errors import Fault
from simulator.schema.amounts import (
    Amount,
    in_unit,
    is_amount,
    or_amounts,
    prior_in_words,
    read_amount,
    read_range,
    written_in_numbers,
)
from simulator.units import UnitError


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("2.4x/year", 2.4, "x/year"), ("30 %/year", 30, "%/year"), ("0.38 OOM/year", 0.38, "OOM/year"),
        ("6 months/doubling", 6, "months/doubling"), ("$5 billion", 5, "billion USD"), ("5B USD", 5, "billion USD"),
        ("400 million USD", 400, "million USD"), ("0.3 GW", 0.3, "GW"), ("90 %", 90, "%"), ("20 days", 20, "days"),
        ("10k", 1e4, ""), ("-$3M", -3, "million USD"), ("4e8 USD", 4e8, "USD"), ("10_000 chip", 1e4, "chip"),
        ("$5bn", 5, "billion USD"), (".5x/year", 0.5, "x/year"), ("7 T", 7e12, ""),
    ],
)  # fmt: skip
def test_an_amount_is_a_number_and_its_unit(text: str, value: float, unit: str) -> None:
    assert read_amount(text) == Amount(value, unit)
    assert is_amount(text) or text == "10k"  # which may be the name of a quantity


@pytest.mark.parametrize("text", ["fast", "2.4", "x/year", "1e29-run", "gpt-4", "", "2,4 x/year", "10k-run"])
def test_what_is_a_name_or_a_bare_number_is_no_amount(text: str) -> None:
    assert not is_amount(text)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("3 to 8 x/year (90 %)", (Amount(3, "x/year"), Amount(8, "x/year"), "90")),
        ("$1 to 3 billion (80%)", (Amount(1, "billion USD"), Amount(3, "billion USD"), "80")),
        ("400 million to 1 billion USD", (Amount(400, "million USD"), Amount(1, "billion USD"), "")),
        ("10 % to 30 %/year (90 %)", (Amount(10, "%/year"), Amount(30, "%/year"), "90")),
    ],
)
def test_a_range_has_two_ends_of_one_unit_and_a_level(text: str, ends: tuple[Amount, Amount, str]) -> None:
    assert read_range(text) == ends


def test_an_amount_is_told_in_another_unit_of_its_kind_alone() -> None:
    assert in_unit(Amount(0.3, "GW"), "MW") == 300
    assert in_unit(Amount(2.4, "x/year"), "factor/year") == 2.4
    assert in_unit(Amount(50), "million USD") == 50
    for unit, other in (("x/year", "%/year"), ("GW", "USD"), ("USD", "x/year")):
        with pytest.raises(UnitError, match="where the prior is in"):
            in_unit(Amount(3, unit), other)


def test_the_numbers_of_a_prior_are_all_in_its_unit() -> None:
    stated = {"interval_90": ["200 MW", "0.8 GW"], "median": "0.4 GW", "source": "2 GW"}
    assert written_in_numbers(stated) == (
        {"interval_90": [0.2, 0.8], "median": 0.4, "source": "2 GW", "unit": "GW"},
        [],
    )
    _, faults = written_in_numbers({"median": "3 GW", "interval_90": ["1 USD", "9 GW"]})
    assert [fault.path for fault in faults] == [("interval_90",)]
    assert "in USD, where the prior is in GW" in faults[0].rule


def test_the_order_of_keys_decides_nothing() -> None:
    stated = {"median": "0.4 GW", "interval_90": ["200 MW", "800 MW"]}
    assert written_in_numbers(stated)[0] == written_in_numbers(dict(reversed(stated.items())))[0]


def test_a_text_is_a_whole_prior_where_it_says_its_level() -> None:
    assert prior_in_words("3 to 8 x/year (90 %)") == ({"interval_90": [3.0, 8.0], "unit": "x/year"}, [])
    assert prior_in_words("2.4x/year") == ({"value": 2.4, "unit": "x/year"}, [])
    _, faults = prior_in_words("3 to 8 x/year") or ({}, list[Fault]())
    assert [fault.rule for fault in faults] == ["'3 to 8 x/year' does not say its level."]
    assert prior_in_words("fast") is None


@pytest.mark.parametrize(
    ("stated", "remedy"),
    [
        ({"median": "140 %/year", "interval_90": [1.6, 3.4], "unit": "x/year"}, "That is 2.4 x/year: write it so."),
        ({"median": "2.4x", "unit": "x/year"}, "Write 2.4 x/year."),
        ({"mean": "2.4x/year", "sd": "30 %/year"}, "State all of its numbers in x/year."),
        ({"median": "3 GW", "sd": "1 USD"}, "State all of its numbers in GW."),
    ],
)
def test_an_amount_in_another_unit_is_told_in_that_of_its_prior(stated: dict[str, object], remedy: str) -> None:
    _, (fault,) = written_in_numbers(stated)
    assert fault.remedy == remedy


def test_the_schema_lets_amounts_stand_where_numbers_do() -> None:
    form = or_amounts({"type": "array", "items": {"type": "number"}})
    assert [each["type"] for each in form["items"]["anyOf"]] == ["number", "string"]
