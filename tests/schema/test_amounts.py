"""Numbers are read with their units as people write them, and what is no amount is left to be refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.errors import Fault
from simulator.scenario.assumptions import assumptions
from simulator.scenario.describing import schema_text
from simulator.scenario.load import parse_scenario
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


NO_AMOUNTS = {
    **dict.fromkeys(("schema", "samples", "seed", "block", "draws", "tune", "chains", "bins", "top"), "a count"),
    "above": "counts of models", "earlier": "counts of models",
    **dict.fromkeys(("alpha", "beta", "shape", "df"), "a shape, which has no unit"),
    "error": "in OOM", **dict.fromkeys(("values", "log10", "spread"), "read from a file by the simulator"),
}  # fmt: skip
"""Fields whose numbers are numbers alone, each with the reason."""


def numbers_alone(form: Any, key: str = "", *, text: bool = False) -> Iterator[str]:
    """List the keys of the JSON Schema under which a number may stand and no text."""
    if isinstance(form, list):
        for each in form:
            yield from numbers_alone(each, key, text=text)
    if not isinstance(form, dict):
        return
    ways = form.get("anyOf", [])
    text = text or any(way.get("type") == "string" or {"type": "string"} in way.get("anyOf", []) for way in ways)
    if form.get("type") in ("number", "integer") and not text:
        yield key
    yield from numbers_alone(ways, key, text=text)
    for word in ("items", "prefixItems", "additionalProperties"):
        yield from numbers_alone(form.get(word), key)
    for word in ("$defs", "properties", "patternProperties"):
        for name, inner in form.get(word, {}).items():
            yield from numbers_alone(inner, name)


def test_amounts_stand_wherever_a_number_may_but_where_it_has_no_unit() -> None:
    found = {key for of in ("scenario", "priors") for key in numbers_alone(json.loads(schema_text(of)))}
    assert found == {*NO_AMOUNTS}


WRITTEN = """\
schema: 2
name: amounts
years: {first: 2025, last: 2030}
drivers:
  spending: {unit: USD, table: {2025: 4e8, 2030: 4e9}}
  hardware: {start: 1e18 FLOP/USD, growth: 1.3x/year}
  algorithms:
    growth:
      function: {of: thresholds.far.effective_compute, points: {1e29: 3, 1e35: 2}}
      unit: x/year
    feedback: [{at: 1e30, multiplier: 1}, {at: 1e36, multiplier: 2}]
quantities:
  power: {start: {value: 1, unit: GW}, growth: {mean_of: [2x/year, 3x/year], weights: [0.6, 0.4]}}
thresholds:
  far: {effective_compute: {mixture: [{weight: 0.6, value: 1e32}, {weight: 0.4, value: 1e34}], never: 0.1}, within_oom: 1}
correlations: [{between: [thresholds.far.effective_compute, models.smallest], rank: 0.3}]
models:
  largest_share: 0.1 fraction
  smallest: {family: student-t, location: 4, scale: 0.1, df: 5, truncated: [1, 9]}
  above: [1e25, 1e26]
  within_oom: [0.5]
  known: {2025: {above: {1e25: 30}, largest: 5e26}}
  earlier: {1e25: 4}
"""
AS_AMOUNTS = (
    ("unit: USD, table: {2025: 4e8, 2030: 4e9}", "table: {2025: 4e8 USD, 2030: $4 billion}"),
    ("{1e29: 3, 1e35: 2}}\n      unit: x/year", "{1e29: 3x/year, 1e35: 2x/year}}"),
    ("at: 1e30", "at: 1e30 FLOP"), ("at: 1e36", "at: 1e18 EFLOP"), ("[0.6, 0.4]", "[60 %, 40 %]"),
    ("weight: 0.6", "weight: 60 %"), ("weight: 0.4", "weight: 0.4 fraction"), ("never: 0.1", "never: 10 %"),
    ("within_oom: 1}", "within_oom: 1 OOM}"), ("rank: 0.3", "rank: 30 %"), ("[1e25, 1e26]", "[1e25 FLOP, 1e8 EFLOP]"),
    ("[0.5]", "[0.5 OOM]"), ("{1e25: 30}, largest: 5e26", "{1e25 FLOP: 30}, largest: 5e26 FLOP"),
    ("{1e25: 4}", "{1e25 FLOP: 4}"),
)  # fmt: skip


@pytest.mark.parametrize(("number", "amount"), AS_AMOUNTS, ids=[each[1] for each in AS_AMOUNTS])
def test_an_amount_means_the_number_that_it_is(number: str, amount: str) -> None:
    assert WRITTEN.count(number) == 1
    plain, told = (parse_scenario(text) for text in (WRITTEN, WRITTEN.replace(number, amount)))
    told_spec = told.spec.model_dump_json().replace("1e25 FLOP", "1e+25")
    assert told_spec == plain.spec.model_dump_json()
    assert len(assumptions(told)) == len(assumptions(plain))
