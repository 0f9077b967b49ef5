"""What is allowed and hardly meant is said in one line, with the number and what may be meant."""

from __future__ import annotations

import numpy as np
import pytest

from simulator import library_priors, load_scenario, parse_scenario, shipped_scenarios
from simulator.scenario.checks.plausibility import FAR, REACH, USUAL

TEXT = """
schema: 2
name: odd
years: {{first: 2025, last: 2035}}
drivers:
  spending: {{start: {start}, growth: {growth}}}
  hardware: {{start: {hardware}, growth: 1.35x/year}}
thresholds: {{far: {{{threshold}}}}}
"""
PLAIN = {
    "start": "$400 million", "growth": "2.4x/year", "hardware": "1.3e18 FLOP/USD", "threshold": "physical_compute: 1e29",
}  # fmt: skip


def said(**changes: str) -> tuple[str, ...]:
    return parse_scenario(TEXT.format(**{**PLAIN, **changes})).warnings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"start": "400 USD"},
            "400 USD is 1e6 times less than what the largest training runs of 2025 had, about 4e+08",
        ),
        ({"start": "400 USD"}, "Is 400 million USD meant?"),
        ({"hardware": "1.3e9 FLOP/USD"}, "1.3e+09 FLOP/USD is 1e9 times less than"),
        ({"growth": "30x/year"}, "30 x/year is a rise by 30 times a year. Is 30 %/year meant?"),
        ({"growth": "10 to 30 x/year (90 %)"}, "the median, 17.32 x/year, is a rise by 17.3 times a year."),
        ({"growth": "0.2x/year"}, "0.2 x/year is a fall by 80 % a year. Is 20 %/year meant?"),
        ({"growth": "3 OOM/year"}, "Is 3x/year meant?"),
        ({"growth": "1 months/doubling"}, "is a rise by 4.1e+03 times a year."),
        ({"growth": "-30 %/year"}, "-30 %/year is a fall by 30 % a year."),
        ({"threshold": "effective_compute: 29"}, "Is 1e29 FLOP meant, or unit: log10(FLOP)?"),
        ({"threshold": "physical_compute: 1e60"}, "1e+60 FLOP lies far above all that is asked about"),
        ({"threshold": "spending: 10"}, "Is 10 million USD meant?"),
        (
            {"threshold": "spending: 2e7"},
            "lies below the start in every draw: it is passed before the forecast begins.",
        ),
    ],
)
def test_what_is_hardly_meant_is_said_with_its_number(changes: dict[str, str], words: str) -> None:
    (line,) = said(**changes)
    assert words in line


def test_what_is_usual_is_not() -> None:
    assert said() == ()
    assert said(growth="9x/year", start="$1 billion", threshold="spending: $1 trillion") == ()
    assert said(growth="0.85x/year") == ()


def test_a_threshold_that_others_are_multiples_of_may_be_passed() -> None:
    text = TEXT.format(**{**PLAIN, "threshold": "spending: 2e7"}) + "  more: {multiple: 1000, of: far}\n"
    assert (
        parse_scenario(
            text.replace("thresholds: {far: {spending: 2e7}}", "thresholds:\n  far: {spending: 2e7}")
        ).warnings
        == ()
    )


def test_the_starts_of_the_library_are_usual_in_their_years() -> None:
    units = {f"log10({unit})": name for name, (_, _, unit) in USUAL.items()}
    for name, prior in library_priors("starts").items():
        if prior.unit in units and name[-4:].isdigit():
            level, rise, _ = USUAL[units[prior.unit]]
            median = float(prior.family.ppf(np.array([0.5]))[0])
            assert abs(median - level - rise * (int(name[-4:]) - 2025)) < FAR, name


def test_the_thresholds_of_the_library_are_within_what_is_asked_about() -> None:
    low, high, _ = REACH["effective_compute"]
    for name, prior in library_priors("thresholds").items():
        if prior.unit == "log10(FLOP)":
            assert low < float(prior.family.ppf(np.array([0.5]))[0]) < high, name


@pytest.mark.slow
def test_nothing_shipped_is_hardly_meant_but_a_start_above_all_limits() -> None:
    words = ("a year.", "lies far", "times less than", "times more than")
    odd = {
        name for name in shipped_scenarios() if any(w in line for line in load_scenario(name).warnings for w in words)
    }
    assert odd <= {"published/scaling-2030"}
