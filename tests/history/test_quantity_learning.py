"""What was observed of a quantity conditions its priors: as closed forms say, and wherever they stand."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import stats

from simulator import load_scenario, simulate
from simulator.errors import InputError, ScenarioError
from simulator.history.learning import learn, learnt_lines
from simulator.history.quantity_learning import noted, seen_of
from simulator.runs.folder import stored_scenario
from simulator.scenario.load import parse_scenario

STOCK = """
schema: 2
name: chips
years: {{first: 2025, last: 2030}}
samples: 1024
quantities:
  chip-stock:
    at: 2025
    start: {start}
    growth: {growth}
thresholds: {{many: {{quantity: chip-stock, level: 1e9 chip}}}}
history:
  snapshot: 2026-05
  runs: none
  quantities:
    chip-stock: [{seen}]
"""
START = "{family: normal, mean: 7, sd: 0.5, unit: log10(chip)}"
GROWTH = "{family: normal, mean: 0.4, sd: 0.2, unit: OOM/year, label: growth of chips}"
TWO = "{at: 2025, value: 6.5 million chip, error: 0.1}, {at: 2026-07-02, value: 20 million chip, error: 0.2}"


def stock(*, start: str = START, growth: str = GROWTH, seen: str = TWO):
    return parse_scenario(STOCK.format(start=start, growth=growth, seen=seen))


def conditioned(times, values, covariance, *, mean=(7.0, 0.4), sd=(0.5, 0.2)):
    """Condition a normal start and growth on normal observations of the line that they make: mean and covariance."""
    design = np.stack([np.ones(len(times)), np.asarray(times) - 2025.0], axis=1)
    inverse = np.linalg.inv(covariance)
    precision = np.diag(1 / np.square(sd)) + design.T @ inverse @ design
    spread = np.linalg.inv(precision)
    return spread @ (np.diag(1 / np.square(sd)) @ mean + design.T @ inverse @ np.asarray(values)), spread


def numbers(scenario, name):
    low, middle, high = scenario.joint.priors[name].family.ppf(np.array([0.05, 0.5, 0.95]))
    return middle, (high - low) / (2 * stats.norm.ppf(0.95))


def check_closed_form(learnt, mean, spread):
    for place, name in enumerate(("start", "growth")):
        middle, sd = numbers(learnt, f"quantities.chip-stock.{name}")
        width = np.sqrt(spread[place, place])
        assert middle == pytest.approx(mean[place], abs=0.02 * width)
        assert sd == pytest.approx(width, rel=0.02)
    (correlation,) = learnt.spec.correlations
    expected = spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1])
    assert 2 * np.sin(np.pi / 6 * correlation.rank) == pytest.approx(expected, abs=0.01)


def test_normal_priors_and_normal_observations_give_the_closed_form():
    learnt = learn(stock())
    date = 2026 + 182 / 365
    expected = conditioned([2025, date], np.log10([6.5e6, 2e7]), np.diag([0.01, 0.04]))
    check_closed_form(learnt, *expected)
    assert learnt.spec.history.fit
    assert learnt.spec.quantities["chip-stock"].growth.label == "growth of chips"
    assert any("growth: quantiles, median 0.3" in line and "before: normal" in line for line in learnt_lines(learnt))


def test_far_and_exact_observations_are_found_too():
    learnt = learn(stock(seen="{at: 2025, value: 1e8 chip, error: 0.005}, {at: 2026, value: 3e8 chip, error: 0.005}"))
    check_closed_form(learnt, *conditioned([2025, 2026], np.log10([1e8, 3e8]), np.eye(2) * 0.005**2))


def test_growth_that_ends_with_an_event_is_learnt_from_what_was_observed_after_it():
    """The stock stands still once the clock has struck, in mid-2025: in 2026 it is what it was then."""
    clock = "  clock: {at: 2025, start: 1 USD, growth: {value: 1, unit: OOM/year}}\n"
    growth = (
        f"[{{rate: {GROWTH}}}, {{from: {{when: clock, reaches: {10**0.5} USD}}, rate: {{value: 0, unit: OOM/year}}}}]"
    )
    text = STOCK.format(start=START, growth=growth, seen="{at: 2026, value: 2e7 chip, error: 0.1}")
    learnt = learn(parse_scenario(text.replace("quantities:\n", f"quantities:\n{clock}", 1)))
    mean, spread = conditioned([2025.5], np.log10([2e7]), np.array([[0.01]]))
    for place, name in enumerate(("start", "growth[0].rate")):
        middle, sd = numbers(learnt, f"quantities.chip-stock.{name}")
        width = np.sqrt(spread[place, place])
        assert (middle, sd) == (pytest.approx(mean[place], abs=0.02 * width), pytest.approx(width, rel=0.02))


def test_what_the_prior_hardly_allows_is_said():
    learnt = learn(stock(seen="{at: 2025, value: 1e9 chip, error: 0.1}"))
    assert any("10^9.00 was observed at 2025, where the prior has" in line for line in learnt.warnings) or any(
        "was observed at 2025, where the prior has" in line and "in conflict" in line for line in learnt.warnings
    )
    assert not any("in conflict" in line for line in learn(stock()).warnings)
    twice = "{at: 2025, value: 3.2e6 chip, error: 0.01}, {at: 2025, value: 3.2e7 chip, error: 0.01}"
    assert any(
        "50 errors from what all observations give together" in line for line in learn(stock(seen=twice)).warnings
    )


def test_what_is_dated_after_the_snapshot_is_said_to_be_a_plan():
    (said,) = (line for line in learn(stock()).warnings if "a plan" in line)
    assert "chip-stock: what stands at 2026.5 is after the snapshot, 2026-05" in said
    assert not any("a plan" in line for line in learn(stock(seen="{at: 2026.3, value: 2e7 chip, error: 0.1}")).warnings)


def test_an_interval_of_its_own_is_an_error_beside_the_stated_one():
    (seen,) = seen_of(
        noted(stock(seen="{at: 2026, error: 0.1, value: {prior: constraints/chips-nvidia-shipped-2025}}"))
    )
    own = np.log10(1.55e7 / 1.19e7) / (2 * stats.norm.ppf(0.95))
    assert seen.covariance[0, 0] == pytest.approx(0.01 + own**2, rel=1e-3)
    assert seen.values == pytest.approx([np.log10(1.366e7)])


def test_the_rows_of_a_table_share_the_error_of_its_intervals(tmp_path):
    text = (
        "Name,Chip manufacturer,End date,H100e compute power (median),H100e (5th percentile),H100e (95th percentile)\n"
    )
    rows = "A,A,2024-12-31,6.5e6,5.2e6,8.125e6\nA,A,2025-12-31,1.97e7,1.576e7,2.4625e7\n"
    (tmp_path / "chips.csv").write_text(text + rows, encoding="utf-8")
    file = tmp_path / "chips.yaml"
    file.write_text(STOCK.format(start=START, growth=GROWTH, seen="{table: chips.csv, error: 0.05}"), encoding="utf-8")
    scenario = load_scenario(file)
    (seen,) = seen_of(noted(scenario))
    shared = np.log10(1.25 / 0.8) / (2 * stats.norm.ppf(0.95))
    covariance = 0.05**2 * np.eye(2) + shared**2
    assert seen.covariance == pytest.approx(covariance, rel=1e-4)
    learnt = learn(scenario)
    check_closed_form(learnt, *conditioned([2025, 2026], np.log10([6.5e6, 1.97e7]), covariance))
    (tmp_path / "chips.csv").unlink()
    run = simulate(learnt)  # its points stand in it
    assert [point.label for point in stored_scenario(run).spec.history.quantities["chip-stock"][0].points] == [
        "the world"
    ] * 2


PRODUCT = """
schema: 2
name: power
years: {first: 2025, last: 2030}
samples: 1024
inputs: {more: {median: 1.5, interval_90: [1.2, 1.9], unit: x/year}}
quantities:
  chips: {at: 2025, start: {median: 1e7, interval_90: [5e6, 2e7], unit: chip}, growth: {input: more}}
  power: {product: [chips, {median: 1400, interval_90: [1000, 2000], unit: W/chip}]}
  apart: {start: {median: 1, interval_90: [0.5, 2], unit: "1"}, growth: {median: 1.5, interval_90: [1.2, 1.9], unit: x/year}}
thresholds: {much: {quantity: power, level: 1e12 W}}
history:
  snapshot: 2026-05
  runs: none
  quantities: {power: [{at: 2025, value: 20 GW, error: 0.02}]}
"""


def test_of_a_product_the_parts_share_what_was_learnt_and_what_is_apart_stays():
    scenario = parse_scenario(PRODUCT)
    learnt = learn(scenario)
    names = ("quantities.chips.start", "quantities.power.product[1]")
    own = [numbers(scenario, name) for name in names]
    total = sum(sd**2 for _, sd in own) + 0.02**2
    gap = np.log10(2e10) - sum(middle for middle, _ in own)
    for name, (middle, sd) in zip(names, own, strict=True):
        found = numbers(learnt, name)
        assert found[0] == pytest.approx(middle + gap * sd**2 / total, abs=0.02 * sd)
        assert found[1] == pytest.approx(sd * np.sqrt(1 - sd**2 / total), rel=0.03)
    for name in ("inputs.more", "quantities.apart.start", "quantities.apart.growth"):
        assert learnt.joint.priors[name].understood == scenario.joint.priors[name].understood


def test_a_doubling_time_stays_one():
    learnt = learn(stock(growth="{median: 10, interval_90: [6, 16], unit: months/doubling}"))
    prior = learnt.joint.priors["quantities.chip-stock.growth"].prior
    assert prior.unit == "months/doubling"
    assert 6 < prior.quantiles["0.5"] < 16


def test_compute_may_be_observed_of_a_whole_scenario():
    seen = "history.quantities={physical_compute: [{at: 2025.5, value: 1e27 FLOP, error: 0.05}]}"
    given = ["samples=1024", "history={snapshot: 2026-05, runs: none}"]
    scenario = load_scenario(
        "baseline-2025",
        overrides=[
            given[0],
            given[1].replace("none}", "none, " + seen[8:].replace("quantities=", "quantities: ") + "}"),
        ],
    )
    learnt = learn(scenario)
    before, after = (
        sum(
            numbers(each, name)[0]
            for name in ("drivers.spending.start", "drivers.hardware.factors.price-performance.start")
        )
        for each in (scenario, learnt)
    )
    assert before == pytest.approx(26.7, abs=0.02)
    assert 26.9 < after < 27.0


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (
            "{at: 2025, value: 20 GW, error: 0.1}",
            r"history\.quantities\.chip-stock\[0\]\.value\.unit: must be a unit of chip",
        ),
        ("{at: 2025, value: 1e7 chip}", r"chip-stock\[0\]\.error: is missing"),
        ("{value: 1e7 chip, error: 0.1}", r"chip-stock\[0\]\.at: is missing"),
        ("{at: 2025, error: 0.1}", r"chip-stock\[0\]: needs one of value and table; has 0"),
        ("{at: 2025, value: 1e7 chip, only: Nvidia, error: 0.1}", r"\.only: does not go with value"),
    ],
)
def test_what_is_wrong_of_an_observation_is_said_with_its_place(seen, said):
    with pytest.raises(ScenarioError, match=said):
        stock(seen=seen)


def test_observations_of_nothing_that_there_is_are_a_fault():
    with pytest.raises(
        ScenarioError, match=r"quantities\.chip-stok: there is no quantity 'chip-stok'\.\s+Did you mean 'chip-stock'"
    ):
        parse_scenario(
            re.sub(r"    chip-stock: \[", "    chip-stok: [", STOCK).format(start=START, growth=GROWTH, seen=TWO)
        )


def test_a_table_in_another_unit_is_a_fault_at_its_place(tmp_path):
    (tmp_path / "c.csv").write_text("Company,Date,Total compute spend\nLab,2025-12-31,7e9\n", encoding="utf-8")
    file = tmp_path / "chips.yaml"
    file.write_text(STOCK.format(start=START, growth=GROWTH, seen="{table: c.csv, error: 0.05}"), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"chips\.yaml:16:.*table: tells USD, and chip-stock is in chip"):
        learn(load_scenario(file))


SUM = """
schema: 2
name: sum
years: {first: 2025, last: 2030}
samples: 1024
quantities:
  one: {at: 2025, start: {median: 3e6, interval_90: [1e6, 2e7], unit: chip}}
  two: {at: 2025, start: {uniform: [1e6, 8e6], unit: chip}, growth: {median: 1.5, interval_90: [1.2, 2.1], unit: x/year}}
  both: {sum: [one, two]}
thresholds: {many: {quantity: both, level: 1e9 chip}}
history:
  snapshot: 2026-05
  runs: none
  quantities: {both: [{at: 2026, value: 2e7 chip, error: 0.05}]}
"""


def test_of_a_sum_of_skewed_priors_the_posterior_is_that_of_many_weighted_draws():
    scenario = parse_scenario(SUM)
    learnt = learn(scenario)
    names = ("quantities.one.start", "quantities.two.start", "quantities.two.growth")
    rng = np.random.default_rng(0)
    one, two, growth = (scenario.joint.priors[name].family.ppf(rng.random(2_000_000)) for name in names)
    level = np.log10(10**one + 10 ** (two + growth))
    weights = stats.norm.pdf(np.log10(2e7), level, 0.05)
    for name, values in zip(names, (one, two, growth), strict=True):
        order = np.argsort(values)
        share = np.cumsum(weights[order]) / weights.sum()
        expected = values[order][np.searchsorted(share, [0.1, 0.5, 0.9])]
        found = learnt.joint.priors[name].family.ppf(np.array([0.1, 0.5, 0.9]))
        assert found == pytest.approx(expected, abs=0.03 * (expected[2] - expected[0]))


@pytest.mark.parametrize(
    ("cut", "seen"),
    [
        ({"start": "{family: normal, mean: 7, sd: 0.2, unit: log10(chip), truncated: [6.5, 7.5]}"}, (2025, 7.7)),
        ({"start": "{uniform: [1e6, 8e6], unit: chip}"}, (2025, 7.0)),
        ({"growth": "{family: normal, mean: 0.2, sd: 0.1, unit: OOM/year, truncated: [0, null]}"}, (2029, 6.5)),
    ],
)
def test_what_is_cut_stays_within_its_bounds_and_has_the_posterior(cut, seen):
    at, value = seen
    scenario = stock(**cut, seen=f"{{at: {at}, value: {10**value:.6g} chip, error: 0.1}}")
    learnt = learn(scenario)
    rng = np.random.default_rng(0)
    names = ("quantities.chip-stock.start", "quantities.chip-stock.growth")
    start, growth = (scenario.joint.priors[name].family.ppf(rng.random(1_000_000)) for name in names)
    weights = stats.norm.pdf(value, start + (at - 2025) * growth, 0.1)
    name, values = (names[0], start) if "start" in cut else (names[1], growth)
    order = np.argsort(values)
    share = np.cumsum(weights[order]) / weights.sum()
    expected = values[order][np.searchsorted(share, [0.001, 0.05, 0.5, 0.95, 0.999])]
    family, width = learnt.joint.priors[name].family, expected[3] - expected[1]
    assert family.ppf(np.array([0.05, 0.5, 0.95])) == pytest.approx(expected[1:4], abs=0.03 * width)
    assert family.ppf(np.array([0.001, 0.999])) == pytest.approx(expected[[0, 4]], abs=0.1 * width)
    low, high = scenario.joint.priors[name].family.support
    assert low - 1e-6 <= family.ppf(np.array([1e-9]))[0] <= family.ppf(np.array([1 - 1e-9]))[0] <= high + 1e-6


def test_compute_is_not_observed_twice():
    seen = "history={snapshot: 2026-05, quantities: {physical_compute: [{at: 2026, value: 1e27 FLOP, error: 0.2}]}}"
    with pytest.raises(ScenarioError, match=r"physical_compute: is learnt from the table of runs already"):
        load_scenario("baseline", overrides=[seen])


def test_the_shock_of_a_year_has_no_place_to_be_written():
    with pytest.raises(ScenarioError, match=r"hang on quantities\.chip-stock\.volatility\.shock\[?\.?2026.*no place"):
        learn(stock(growth=GROWTH + "\n    volatility: 0.1"))


def test_rows_of_a_table_that_are_not_read_are_told(tmp_path):
    (tmp_path / "chips.csv").write_text(
        "Name,Chip manufacturer,End date,H100e compute power (median)\n"
        "A,A,2024-12-31,6e6\nB,B,Dec 2025,2e7\nC,C,2025-12-31,~2e7\nD,D,2025-12-31,2e7\n"
    )
    file = tmp_path / "chips.yaml"
    file.write_text(STOCK.format(start=START, growth=GROWTH, seen="{table: chips.csv, error: 0.1}"))
    said = [each for each in noted(load_scenario(file)).warnings if "left out" in each]
    assert said == [
        "history: chip-stock: 1 row left out: no date that can be read: B ('Dec 2025').",
        "history: chip-stock: 1 row left out: no figure that is a positive number: C ('~2e7').",
    ]


def test_what_was_observed_far_beyond_its_prior_is_refused_and_not_put_at_the_end_of_what_is_drawn():
    with pytest.raises(InputError, match="lies where a prior has less than a probability of 1e-12"):
        learn(stock(seen="{at: 2025, value: 6.5 chip, error: 0.1}"))
