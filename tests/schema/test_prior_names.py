"""An input has one name in words, whichever analysis names it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from simulator.analysis.audit import audit_scenario
from simulator.analysis.outcomes import parse_outcome
from simulator.analysis.shares import variance_shares
from simulator.analysis.sweep_points import load_sweep
from simulator.analysis.swings import prior_swings
from simulator.engine.simulation import simulate
from simulator.errors import InputError, ScenarioError, as_path, dotted
from simulator.scenario.library import shipped_names
from simulator.scenario.load import load_scenario, parse_scenario
from simulator.schema.prior_names import slots, unit_alone
from simulator.schema.words import input_words
from simulator.units import SECONDS_PER_YEAR
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
    believed = (each for each in scenario.priors.items() if ".shock[" not in each[0])
    drawn = [name for name, prior in believed if prior.value is None and not prior.is_use]
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


NAMED = """
schema: 2
name: named
years: {first: 2025, last: 2035}
samples: 64
drivers:
  spending:
    start: 4e8 USD
    growth:
      - {rate: {interval_90: [2, 3], unit: x/year}}
      - {name: slowdown, from: {uniform: [2027, 2030]}, rate: {interval_90: [1.2, 1.8], unit: x/year}}
  hardware: {start: 1e18 FLOP/USD, growth: {mean_of: [{name: chips, interval_90: [1.2, 1.4], unit: x/year}, 1.1x/year]}}
quantities:
  tokens:
    product:
      - {name: stock, sum: [{name: text, interval_90: [1e14, 1e15], unit: token}, {interval_90: [1e13, 1e14], unit: token}]}
      - {name: reuse, start: 1, growth: {interval_90: [1.1, 1.3], unit: x/year}}
constraints: {data: {limit: {product: [0.3 FLOP/token^2, tokens, tokens]}}}
correlations:
  - name: cost
    between: ["drivers.spending.growth[slowdown].rate", "quantities.tokens.product[stock].sum[text]"]
    rank: 0.5
thresholds: {big: {physical_compute: 1e28}}
"""


def test_named_items_have_paths_by_name_and_unnamed_ones_by_number() -> None:
    names = {slot.name for slot in slots(parse_scenario(NAMED).spec)}
    assert names >= {
        "drivers.spending.growth[0].rate", "drivers.spending.growth[slowdown].from", "drivers.spending.growth[slowdown].rate",
        "drivers.hardware.growth.mean_of[chips]", "drivers.hardware.growth.mean_of[1]",
        "quantities.tokens.product[stock].sum[text]", "quantities.tokens.product[stock].sum[1]",
        "quantities.tokens.product[reuse].growth",
    }  # fmt: skip
    assert all(dotted(as_path(name)) == name for name in names)


def test_an_item_before_others_neither_renames_nor_redraws_the_named() -> None:
    before = simulate(parse_scenario(NAMED))
    more = NAMED.replace(
        "      - {name: stock", "      - {interval_90: [0.5, 0.9], unit: fraction}\n      - {name: stock"
    )
    more = more.replace(
        "- {rate: {interval_90: [2, 3]", "- {rate: 2.5x/year}\n      - {from: 2026, rate: {interval_90: [2, 3]"
    )
    after = simulate(parse_scenario(more))
    kept = [name for name in before["parameters"].data_vars if "[" in str(name) and "[0]" not in str(name)]
    assert "quantities.tokens.product[stock].sum[1]" in kept
    for name in kept:
        assert (before["parameters"][name].values == after["parameters"][name].values).all(), name


def test_a_name_says_what_its_number_says() -> None:
    by_name = simulate(parse_scenario(NAMED))
    assert np.isfinite(by_name["trajectories"]["effective_compute"].values).all()
    shown = parse_scenario(NAMED).text()
    assert parse_scenario(shown).hash == parse_scenario(NAMED).hash


@pytest.mark.parametrize(
    ("override", "entry"),
    [
        ("drivers.spending.growth[slowdown].rate=1.5x/year", "drivers.spending.growth[slowdown].rate"),
        ("drivers.spending.growth[1].rate=1.5x/year", "drivers.spending.growth[slowdown].rate"),
        ("drivers.spending.growth[slowdown].rate.centre=1.5x/year", "drivers.spending.growth[slowdown].rate"),
        ("quantities.tokens.product[stock].sum[text]=5e14 token", "quantities.tokens.product[stock].sum[text]"),
    ],
)
def test_what_is_named_is_set_by_its_name(override: str, entry: str) -> None:
    before, after = (parse_scenario(NAMED, overrides=each).priors for each in ([], [override]))
    moved = {name for name in before if before[name].understood != after[name].understood}
    assert moved == {entry}


def test_a_correlation_and_a_sweep_use_names() -> None:
    assert parse_scenario(NAMED, overrides=["correlations[cost].rank=0.2"]).spec.correlations[0].rank == 0.2
    plan = load_sweep(
        parse_scenario(NAMED), over=["drivers.spending.growth[slowdown].rate.centre=1.3 x/year,1.6 x/year"]
    )
    assert len(plan.points) == 2
    with pytest.raises(InputError, match=r"has no item \[slow\]. There are \[slowdown\]|Did you mean"):
        load_sweep(parse_scenario(NAMED), over=["drivers.spending.growth[slow].rate=2x/year,3x/year"])


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("{name: text, interval_90", "{name: text, interval_95", ""),
        (
            "start: 4e8 USD",
            "start: {name: own, value: 4e8, unit: USD}",
            "drivers.spending.start.name: names an item of a list",
        ),
        ("{name: reuse, start", "{name: stock, start", "quantities.tokens.product: has two items called 'stock'."),
        ("{name: reuse, start", "{name: 2nd, start", "is not a name"),
        ("[1.2, 1.8]", "[1.8, 1.2]", "drivers.spending.growth[slowdown].rate.interval_90"),
        ("sum[text]", "sum[txt]", "Did you mean 'quantities.tokens.product[stock].sum[text]'?"),
    ],
)
def test_faults_of_named_items_tell_the_name_at_its_place(old: str, new: str, text: str) -> None:
    if not text:
        assert parse_scenario(NAMED.replace(old, new)).joint
        return
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(NAMED.replace(old, new))
    assert text in str(caught.value)
    assert all(fault.place.line > 1 for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("thresholds.big.spending", "USD"), ("thresholds.spending", ""), ("drivers.spending.start", "USD"),
        ("drivers.algorithms.jumps.rate", "1/year"), ("drivers.algorithms.jumps.size", ""), ("inputs.spending", ""),
        ("drivers.spending.growth[0].rate", ""), ("quantities.stock.depreciation", "1/year"), ("quantities.rate", ""),
        ("drivers.algorithms.drift", "OOM/year"), ("drivers.algorithms.feedback[0].at", "FLOP"),
    ],
)  # fmt: skip
def test_a_number_without_a_unit_has_that_of_its_place(path: str, unit: str) -> None:
    assert unit_alone(as_path(path)) == unit


@pytest.mark.parametrize("section", ["inputs", "quantities"])
def test_what_a_file_calls_like_a_key_is_read_in_its_own_unit(section: str) -> None:
    used = "quantities: {lost: {label: lost, product: [{input: depreciation}, 3]}}" if section == "inputs" else ""
    text = f"extends: baseline\nname: called\n{section}: {{depreciation: 2 %/month}}\n{used}\n"
    [prior] = [each for each in parse_scenario(text).joint.priors.values() if each.name == f"{section}.depreciation"]
    assert float(10 ** prior.family.ppf(np.array(0.5)) * SECONDS_PER_YEAR) == pytest.approx(0.24)
