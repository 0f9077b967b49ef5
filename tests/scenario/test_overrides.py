"""Changes from outside: what a reader of the help would try, on the shipped baseline."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.scenario.library import shipped_folder
from simulator.scenario.load import load_scenario, parse_scenario
from simulator.scenario.sweep_axes import check_paths, parse_over

RATE = "drivers.spending.growth[0].rate"


@pytest.mark.parametrize(
    ("override", "entry", "value"),
    [
        ("drivers.spending.start=1e9", "drivers.spending.start", 1e9),
        ("drivers.spending.start=$1 billion", "drivers.spending.start", 1e9),
        (f"{RATE}=2x/year", RATE, 2.0),
        ("drivers.spending.growth=2x/year", "drivers.spending.growth", 2.0),
        (f"{RATE}.value=2x/year", RATE, 2.0),
        (f"{RATE}.median=2.6x/year", RATE, 2.6),
        (f"{RATE}.median=2.6", RATE, 2.6),
        (f"{RATE}.centre=3", RATE, 3.0),
        ("drivers.algorithms.growth.value=3x/year", "drivers.algorithms.growth", 3.0),
        ("drivers.spending.start.centre=$1 billion", "drivers.spending.start", 1e9),
    ],
)
def test_what_ifs_work_on_the_baseline(override: str, entry: str, value: float) -> None:
    prior = load_scenario("baseline", overrides=[override]).priors[entry]
    assert prior.family.ppf(0.5) == pytest.approx(math.log10(value))  # USD, or times a year


def test_the_median_of_a_library_entry_takes_its_interval_along_and_says_so() -> None:
    scenario = load_scenario("baseline", overrides=[f"{RATE}.median=3"])
    assert scenario.overrides == (f"{RATE}.median: 2.4 -> 3", f"{RATE}.interval_90: [2.0, 2.9] -> [2.5, 3.625]")
    stored = load_scenario(dict(load_scenario("baseline").data), overrides=[f"{RATE}.median=3"])  # as a run holds it
    assert stored.data["drivers"] == scenario.data["drivers"]


def test_an_interval_that_is_set_stays_where_it_is_set() -> None:
    for given in (
        [f"{RATE}.interval_90=[2, 4]", f"{RATE}.median=3"],
        [f"{RATE}.median=3", f"{RATE}.interval_90=[2, 4]"],
    ):
        assert load_scenario("baseline", overrides=given).priors[RATE].stated.ppf(0.95) == pytest.approx(4)


def test_a_centre_keeps_the_unit_that_stands_beside_the_numbers() -> None:
    start, growth = "{median: $1 billion, interval_90: [$0.5 billion, 2 billion USD]}", "20 to 40 %/year (90 %)"
    text = (
        "schema: 2\nname: a\nyears: {first: 2025, last: 2030}\ndrivers:\n  compute: {start: 1e26 FLOP, growth: 2x/year}\n"
        f"quantities:\n  q: {{label: q, start: {start}, growth: {growth}}}\n"
    )
    moved = ["quantities.q.start.centre=$500 million", "quantities.q.growth.centre=50"]
    priors = load_scenario(text, overrides=moved).joint.priors
    assert 10 ** priors["quantities.q.start"].family.ppf(np.array([0.05, 0.5])) == pytest.approx([2.5e8, 5e8])
    assert 10 ** priors["quantities.q.growth"].family.ppf(np.array([0.05, 0.5])) == pytest.approx([1.4, 1.5])


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (["drivers.spending.growth.median=2.6"], f"Did you mean {RATE}.median or drivers.spending.growth[1].rate.median?"),
        (["drivers.spending.growth.rate=2x/year"], f"Did you mean {RATE} or drivers.spending.growth[1].rate?"),
        (["drivers.algorithms.growth.prior=algorithms/ho-2024", "drivers.algorithms.growth.value=3"],
         "--set drivers.algorithms.growth.value=3: drivers.algorithms.growth.value: does not say its unit: 3 what?"),
        (["drivers.algorithms.growth={prior: algorithms/ho-2024, median: 3}"], "3 months/halving of requirement, 3 x/year or"),
        (["drivers.algorithms.growth={prior: algorithms/ho-2024, median: 3x/year}"], "That is 7.571 months/halving of requirement"),
        (["drivers.algorithms.growth.centre=3"], "it states no interval, and no quantiles with 0.5, that could go along"),
        ([f"{RATE}.centre=-1"], "must be above 0; the prior keeps the ratios"),
        ([f"{RATE}.median=30 %/year"], "is in %/year, where the prior is in factor/year"),
        (["drivers.spending.growth[slow].rate=2x/year"], "drivers.spending.growth has no item [slow]. None is named"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_what_can(given: list[str], text: str) -> None:
    with pytest.raises(InputError, match=re.escape(text)):
        load_scenario("baseline", overrides=given)


def test_an_item_of_what_is_no_list_is_refused_with_a_path_that_works() -> None:
    for given in (
        "drivers.algorithms.growth[0].rate.prior=algorithms/ho-2024",
        "drivers.algorithms.growth[0].rate=3x/year",
    ):
        with pytest.raises(InputError, match=re.escape("drivers.algorithms.growth is no list; leave [0].rate out.")):
            load_scenario("baseline", overrides=[given])
        assert load_scenario("baseline", overrides=[given.replace("[0].rate", "")]).overrides
    with pytest.raises(InputError, match=re.escape("drivers.algorithms.growth is no list; leave [0].rate out.")):
        check_paths(load_scenario("baseline"), *parse_over(["drivers.algorithms.growth[0].rate=3x/year,4x/year"]))
    eras = "drivers.algorithms.growth=[{rate: 3x/year}, {rate: 2x/year, from: 2028}]"
    with pytest.raises(InputError, match=re.escape("set it as a whole: drivers.algorithms.growth=[{rate: ..}, {rate")):
        load_scenario("baseline", overrides=["drivers.algorithms.growth[1].from=2028"])
    assert load_scenario("baseline", overrides=[eras]).overrides


_EXAMPLE = re.compile(
    r"(?<!\.)(?:drivers|quantities|constraints|thresholds|inputs)\.[a-z0-9_.\[\]-]+=[^\s`\"'|)(\\<{}]+(?: [A-Za-z%]+/year)?"
)


def _examples() -> list[str]:
    """Find every example of a change or a sweep, in help, faults, docstrings and documents."""
    root = shipped_folder("scenarios").parent
    files = [root / "README.md", *(root / "docs").rglob("*.md"), *(root / "simulator").rglob("*.py")]
    lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines() if ">>>" not in line)
    lines = (line for line in lines if "--design" not in line)  # ranges, of which points are made
    texts = (each.rstrip(".,;:") for line in lines for each in _EXAMPLE.findall(line))
    return sorted({text for text in texts if not text.endswith("=") and "..." not in text})


def test_every_example_of_a_change_runs_on_the_baseline() -> None:
    examples = _examples()
    assert f"{RATE}.median=3x/year" in examples
    for text in examples:
        for axis in parse_over([text]):
            for point in axis.points[:: len(axis.points) - 1 or 1]:
                load_scenario("baseline", overrides=point.overrides)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ("2x/year:4x/year:3", ("2 x/year", "3 x/year", "4 x/year")),
        ("$1 billion:4 billion USD:3:log", ("1 billion USD", "2 billion USD", "4 billion USD")),
        ("2:4x/year:2", ("2 x/year", "4 x/year")),
        ("200 MW:1 GW:2", ("0.2 GW", "1 GW")),
        ("mid-2027:2029:2", ("2027.5 year", "2029 year")),
    ],
)
def test_a_range_goes_from_one_amount_to_another(values: str, labels: tuple[str, ...]) -> None:
    assert parse_over([f"drivers.spending.start={values}"])[0].labels == labels


PLAIN = """
schema: 2
name: plain
years: {first: 2025, last: 2030}
drivers:
  spending: {start: 400 million USD, growth: {median: 2.4, interval_90: [2, 2.9], unit: x/year}}
  hardware: {start: 1e18 FLOP/USD, growth: 1.4x/year}
"""
GROWTH, PERCENT = "drivers.spending.growth", "drivers.spending.growth.unit=percent/year"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([PERCENT], "is stated in x/year, and a unit alone converts nothing. Set its numbers with it: interval_90"),
        ([f"{GROWTH}.median=140", PERCENT], "Set its numbers with it: interval_90."),
        (["drivers.hardware.growth.unit=percent/year"], "drivers.hardware.growth is stated in x/year"),
        (["drivers.spending.start.unit=billion USD"], "drivers.spending.start is stated in million USD"),
    ],
)
def test_another_unit_for_numbers_that_stay_is_refused(given: list[str], said: str) -> None:
    """1.4x/year was 1.4 % a year."""
    with pytest.raises(InputError, match=re.escape(said)):
        parse_scenario(PLAIN, overrides=given)


def test_a_unit_goes_with_numbers_that_are_set_too_in_any_order_and_by_another_name() -> None:
    numbers = [f"{GROWTH}.median=140", f"{GROWTH}.interval_90=[100, 190]"]
    for given in ([*numbers, PERCENT], [PERCENT, *numbers]):
        scenario = parse_scenario(PLAIN, overrides=given)
        assert scenario.priors[GROWTH].family.ppf(np.array([0.05, 0.5, 0.95])) == pytest.approx(np.log10([2, 2.4, 2.9]))
    same = parse_scenario(PLAIN, overrides=[f"{GROWTH}.unit=factor/year"])
    assert same.priors[GROWTH].family.ppf(0.5) == pytest.approx(math.log10(2.4))
