"""An input has one name in words, whichever analysis names it."""

from __future__ import annotations

import pytest

from simulator.analysis.audit import audit_scenario
from simulator.analysis.outcomes import parse_outcome
from simulator.analysis.shares import variance_shares
from simulator.analysis.swings import prior_swings
from simulator.scenario.load import parse_scenario
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
    assert input_words(name, labels={"first": "First of its kind"}) == words


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
