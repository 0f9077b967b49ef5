"""An input has one name in words, whichever analysis names it."""

from __future__ import annotations

import re

import pytest

from simulator.analysis.audit import audit_scenario
from simulator.analysis.outcomes import parse_outcome
from simulator.analysis.shares import variance_shares
from simulator.analysis.swings import prior_swings
from simulator.scenario.library import shipped_names
from simulator.scenario.load import load_scenario, parse_scenario
from simulator.schema.prior_names import input_words
from tests.analysis.linear_scenario import LINEAR

UNSURE = LINEAR + "  first: {label: First of its kind, effective_compute: {median: 1e29, interval_90: [1e28, 1e30]}}\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("thresholds.first.effective_compute", "threshold First of its kind: effective compute"),
        ("thresholds.other.effective_compute", "threshold other: effective compute"),
        ("capability.slope", "capability: slope"),
        ("models.gap", "gap"),
        ("correlations[0].rank", "correlations[0].rank"),
        ("my group", "my group"),
        ("drivers.spending.growth[1].from", "spending: growth, era 2: first year"),
        ("quantities.world-product.growth", "world product: growth"),
        ("quantities.tokens.product[0].sum[1]", "tokens: factor 1, term 2"),
        ("constraints.power.limit.product[2]", "constraint power: limit: factor 3"),
        (
            "drivers.hardware.factors.price-performance.caps.cmos.limit",
            "hardware: price performance: cap cmos: limit",
        ),
        ("drivers.spending", "spending"),
        ("all caps", "all caps"),
    ],
)
def test_an_input_says_what_it_is_about(name: str, words: str) -> None:
    assert input_words(name, labels={"thresholds.first": "First of its kind"}) == words


LABELS = {
    "constraints.power.limit.product[3]": "length of a training run",
    "drivers.spending.growth[0]": "growth of spending",
    "drivers.spending.caps.cash-flow": "cash flow",
    "thresholds.first.effective_compute": "what it takes",
}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("constraints.power.limit.product[3]", "length of a training run"),
        ("constraints.power.limit.product[2]", "constraint power: limit: factor 3"),
        ("drivers.spending.growth[0].rate", "growth of spending"),  # what an era with a label is about
        ("drivers.spending.growth[0].rate.centre", "growth of spending: rate: centre"),
        ("drivers.spending.growth[0].from", "growth of spending: first year"),
        ("drivers.spending.caps.cash-flow.limit", "cash flow"),
        ("drivers.spending.caps.cash-flow.limit.product[1]", "cash flow: limit: factor 2"),
        ("thresholds.first.effective_compute", "what it takes"),
    ],
)
def test_an_input_is_called_by_the_innermost_label(name: str, words: str) -> None:
    assert input_words(name, labels=LABELS) == words


def test_labels_that_stand_twice_are_told_apart() -> None:
    text = UNSURE.replace("effective_compute: {", "effective_compute: {label: twice, ")
    text = text.replace("label: First of its kind", "label: twice")
    labels = parse_scenario(text).labels
    assert labels["thresholds.first.effective_compute"] == "twice (threshold first: effective compute)"
    assert len(set(labels.values())) == len(labels)


@pytest.mark.parametrize("shipped", shipped_names("scenarios"))
def test_every_uncertain_number_of_a_shipped_scenario_has_words_and_no_places(shipped: str) -> None:
    scenario = load_scenario(shipped)
    labels = scenario.labels
    drawn = [name for name, prior in scenario.priors.items() if prior.value is None and not prior.is_use]
    placed = r"(factor|term|choice|era) [0-9]|numerator|denominator"
    assert not [name for name in drawn if re.search(placed, input_words(name, labels=labels))]
    unnamed = [name for name in drawn if name.startswith(("drivers.", "quantities.", "constraints."))]
    assert not [name for name in unnamed if ": " in input_words(name, labels=labels)]
    assert len({input_words(name, labels=labels) for name in drawn}) == len(drawn)


def test_shares_swings_and_audits_name_an_input_alike() -> None:
    scenario, asked = parse_scenario(UNSURE), [parse_outcome("restricted:first")]
    shares = variance_shares(scenario, asked, samples=64)
    audited = audit_scenario(scenario, outcomes=asked, samples=64).uncertain
    swings = prior_swings(scenario, outcomes=asked, samples=64).tables()["swings"].rows()
    named = {
        "shares": {row["input"]: row["label"] for row in shares.tables()["shares"].rows()},
        "swings": {row["input"]: row["input_words"] for row in swings},
        "audit": {row["input"]: row["words"] for row in audited},
    }
    assert named["shares"] == named["swings"] == named["audit"]
    words = named["shares"]["thresholds.first.effective_compute"]
    assert words == "threshold First of its kind: effective compute"
    assert any(line.strip().startswith(words[:40]) for line in shares.lines())
