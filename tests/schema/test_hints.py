"""What is proposed in the place of keys and texts that people try means the same, and is read."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.errors import Fault
from simulator.scenario.documents import parse_document
from simulator.schema.hints import (
    ANY_PRIOR,
    UNKNOWN_KEY,
    example_at,
    interval_key,
    joined,
    key_hint,
    number_alone,
    text_hint,
)
from simulator.schema.statements import Prior

TEXTS = {
    "50,000,000,000": "50_000_000_000", "2,5": "2.5", "$400,000,000": "$400_000_000",
    "3-8 x/year (90 %)": "3 to 8 x/year (90 %)", "3 to 8 x/year (90)": "3 to 8 x/year (90 %)",
    "3 to 8 x/year (90% CI)": "3 to 8 x/year (90 %)", "3–8 x/year": "3 to 8 x/year (90 %)",
    "between 3 and 8 x/year": "3 to 8 x/year (90 %)", "2 TO 3 x/year (80 %)": "2 to 3 x/year (80 %)",
    "1e8..9e8 USD (0.9)": "1e8 to 9e8 USD (90 %)", "$1-3 billion (90 %)": "$1 to 3 billion (90 %)",
    "4*10^8 USD": "4e8 USD", "4x10^8 USD": "4e8 USD", "10^29 FLOP": "1e29 FLOP", "10**29": "1e29",
    "1/2": "0.5 fraction", "1 /10 years": "0.1 /year, if it is how often", "~2.4x/year": "2.4x/year", "about $5 billion": "$5 billion",
    "USD 400 million": "400 million USD", "doubles every 6 months": "6 months/doubling",
    "halving time: 2 years": "2 years/halving", "doubles every year": "2x/year", "triples every year": "3x/year",
    "1.3 ± 0.1 x/year": "{mean: 1.3, sd: 0.1, unit: x/year}",
}  # fmt: skip


def yaml_value(text: str) -> Any:
    return parse_document(text).data


@pytest.mark.parametrize(("text", "proposed"), TEXTS.items(), ids=TEXTS)
def test_a_text_gets_what_to_write_with_its_number(text: str, proposed: str) -> None:
    assert proposed in text_hint(text)
    if not proposed.startswith("{"):
        assert Prior.read(yaml_value(proposed))


def test_a_text_that_means_nothing_gets_no_hint() -> None:
    assert [text_hint(text) for text in ("fast", "", "spending/cottier-2024", "gpt-4")] == [""] * 4


KEYS: list[tuple[str, dict[str, Any], str]] = [
    ("ci90", {"ci90": [1, 3]}, "interval_90: [1, 3]"),
    ("ci_90", {"ci_90": [1, 3]}, "interval_90: [1, 3]"),
    ("CI 95%", {"CI 95%": [1, 3]}, "interval_95: [1, 3]"),
    ("90%", {"90%": [1, 3]}, "interval_90: [1, 3]"),
    ("interval80", {"interval80": [1, 3]}, "interval_80: [1, 3]"),
    ("range", {"range": [1, 3]}, "interval_90: [1, 3]"),
    ("p50", {"p50": 4}, "median: 4"),
    ("p5", {"p5": 1, "p50": 2, "p95": 4}, "quantiles: {0.05: 1, 0.5: 2, 0.95: 4}"),
    ("q0.05", {"q0.05": 1, "q0.95": 4}, "quantiles: {0.05: 1, 0.95: 4}"),
    ("high", {"low": 1, "high": 3}, "interval_90: [1, 3]"),
    ("sigma", {"median": 4e8, "sigma": 0.5}, "median: 4e+08, interval_90: [1.76e+08, 9.1e+08]"),
    ("mu", {"mu": 20, "sigma": 1}, "interval_90: [9.37e+07, 2.51e+09]"),
    ("std", {"mean": 3, "std": 1}, "sd: 1"),
    ("distribution", {"distribution": "lognormal"}, "family: lognormal"),
    ("normal", {"normal": [3, 1]}, "family: normal, mean: 3, sd: 1"),
]


@pytest.mark.parametrize(("key", "stated", "proposed"), KEYS, ids=[key for key, *_ in KEYS])
def test_a_key_that_is_tried_in_a_prior_gets_the_right_one_with_its_number(
    key: str, stated: dict[str, Any], proposed: str
) -> None:
    assert proposed in key_hint("Prior", key, stated[key], stated)


@pytest.mark.parametrize(
    ("entry", "key", "given", "proposed"),
    [
        ("Correlation", "rho", 0.3, "Write rank: 0.3."),
        ("Regime", "start", 2028, "Write from: 2028."),
        ("Years", "end", 2040, "Write last: 2040."),
        ("ScenarioSpec", "draws", 5000, "Write samples: 5000."),
        ("Level", "growth_rate", "2x/year", "Write growth: 2x/year."),
        ("Limit", "max", 1e11, "Write limit: 1e+11."),
        ("Limit", "5 %", None, "In braces a comma parts entries; a decimal point is a point."),
        ("Models", "nothing", 1, ""),
    ],
)
def test_a_key_that_is_tried_elsewhere_does_too(entry: str, key: str, given: Any, proposed: str) -> None:
    assert key_hint(entry, key, given, {key: given}) == proposed


def test_what_is_no_number_is_not_counted_with() -> None:
    tried = (
        "1.2.3/4",
        "1/2.3.4",
        "../2",
        "1.2.3/year",
        "1.2.3x10^5",
        "doubling every 1.2.3 months",
        "10^" + "9" * 5000,
    )
    assert [text_hint(text) for text in tried] == [""] * len(tried)


@pytest.mark.parametrize(
    ("text", "whole", "proposed"),
    [
        ("10k", True, "Write 10_000."),
        ("$5B", False, "Write the number alone, 5e+09: no unit can stand here."),
        ("50 %", False, "Write the number alone, 0.5: no unit can stand here."),
        ("12", True, "Write it without quotes."),
        ("10,000", True, "Group digits by underscores: 10_000."),
        ("many", True, ""),
    ],
)
def test_where_a_plain_number_must_stand_it_is_told(text: str, whole: bool, proposed: str) -> None:
    assert number_alone(text, whole=whole) == proposed


def test_an_interval_of_less_than_a_percent_is_meant_as_a_share() -> None:
    assert [interval_key(level) for level in (0.9, 90, 0.95, 97.5)] == [
        "interval_90", "interval_90", "interval_95", "interval_97.5",
    ]  # fmt: skip


def test_an_example_is_of_the_kind_of_its_place() -> None:
    assert "x/year" in example_at(("drivers", "spending", "growth"))
    assert "%" in example_at(("drivers", "spending", "caps", "all", "share", "mixture", 0))
    assert "FLOP" in example_at(("thresholds", "far", "effective_compute"))
    assert "0.2/year" in example_at(("drivers", "hardware", "jumps", "rate"))
    assert example_at(("quantities", "power")) == ANY_PRIOR


def test_keys_that_state_one_thing_together_are_one_fault() -> None:
    both = [Fault(("start", key), UNKNOWN_KEY, "Write quantiles: {0.05: 1, 0.95: 4}.") for key in ("p5", "p95")]
    other = [Fault(("growth", "x"), UNKNOWN_KEY, "Remove it."), Fault(("growth", "y"), UNKNOWN_KEY, "Remove it.")]
    assert joined([*both, *other]) == [both[0], *other]
