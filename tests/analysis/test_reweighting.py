"""Another prior from the samples of a run: weights, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri

from simulator import load_scenario, parse_scenario, simulate
from simulator.analysis.reweighting import (
    FEWEST_EFFECTIVE,
    Change,
    Reweighting,
    effective_samples,
    headline_table,
    reweight_run,
)
from simulator.errors import InputError
from simulator.runs.estimates import weighted_quantiles
from simulator.runs.table import Table
from tests.analysis.linear_scenario import LINEAR

RATE = "drivers.spending.growth[0].rate"
ANCHORS = "thresholds.biological-anchors.effective_compute"
CHANGES = {
    f"{RATE}.median": 2.55,  # correlated, so that its copula counts too
    "drivers.hardware.factors.price-performance.growth.median": 1.38,
}


def run_of(*changes, samples=16384, seed=None):
    more = [] if seed is None else [f"seed={seed}"]
    return simulate(load_scenario("baseline-2025", overrides=[f"samples={samples}", *more, *changes]))


def reweight(run, changes) -> Reweighting:
    return reweight_run(
        run, [f"{path}={value if isinstance(value, str) else json.dumps(value)}" for path, value in changes.items()]
    )


# Runs that several tests read and none changes.
@pytest.fixture(scope="module")
def run():
    return run_of()


@pytest.fixture(scope="module")
def small():
    return run_of(samples=2048)


def test_reweighting_agrees_with_a_fresh_run_within_standard_errors(run):
    weights = reweight(run, CHANGES)
    fresh = run_of(*(f"{path}={value}" for path, value in CHANGES.items()), seed=7)
    ours = weights.headlines.rows()
    theirs = headline_table(fresh, np.ones(16384)).rows()
    compared = 0
    for one, other in zip(ours, theirs, strict=True):
        if one["after_error"] is None or other["before_error"] is None:
            continue
        compared += 1
        error = np.hypot(one["after_error"], other["before_error"])
        assert abs(one["after"] - other["before"]) <= 4 * error + 1e-3, one
    assert compared > 20


def test_the_median_of_the_changed_prior_and_its_correlation_are_those_of_the_new_prior(run):
    from scipy import stats

    weights = reweight(run, {f"{RATE}.median": 2.55, "correlations[1].rank": 0.6}).weights
    rates = run[f"parameters/{RATE}"].values
    fresh = run_of(f"{RATE}.median=2.55", "correlations[1].rank=0.6")
    expected = np.median(fresh[f"parameters/{RATE}"].values)
    assert weighted_quantiles(rates, weights, [0.5])[0] == pytest.approx(expected, abs=0.002)
    other = run["parameters/drivers.hardware.factors.price-performance.growth"].values
    rng = np.random.default_rng(1)
    drawn = rng.choice(rates.size, size=20_000, p=weights)
    assert stats.spearmanr(rates[drawn], other[drawn]).statistic == pytest.approx(0.6, abs=0.03)


def test_weights_sum_to_one_and_do_not_depend_on_the_order_of_the_samples(small):
    weights = reweight(small, CHANGES)
    order = np.random.default_rng(2).permutation(2048)
    copy = small.copy()
    copy["parameters"].dataset = small["parameters"].to_dataset().isel(sample=order)
    again = reweight(copy, CHANGES)
    assert weights.weights.sum() == pytest.approx(1.0)
    assert again.weights == pytest.approx(weights.weights[order])
    assert weights.largest == weights.weights.max()
    assert weights.effective == pytest.approx(effective_samples(weights.weights))
    growth = "drivers.hardware.factors.price-performance.growth"
    assert sorted(weights.changed) == sorted([RATE, growth])  # each changed, and joined to the other by the copula


def test_another_probability_of_never_moves_the_weight_to_the_samples_that_never_cross(small):
    weights = reweight(small, {f"{ANCHORS}.never": 0.2}).weights
    never = np.isinf(small[f"parameters/{ANCHORS}"].values)
    assert weights[never].sum() == pytest.approx(0.2, abs=0.005)


def test_a_narrower_date_leaves_out_the_samples_outside(small):
    weights = reweight(small, {"drivers.spending.growth[1].from": {"uniform": [2028, 2029]}}).weights
    dates = small["parameters/drivers.spending.growth[1].from"].values
    assert (weights[(dates < 2028) | (dates > 2029)] == 0).all()
    assert np.ptp(weights[(dates > 2028) & (dates < 2029)]) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({RATE: {"median": 5, "interval_90": [4.9, 5.1], "unit": "x/year"}}, "samples would be worth"),
        ({"drivers.spending.growth[1].from": {"uniform": [2026, 2030]}}, "must not have values that the run's prior"),
        ({"drivers.spending.growth[1].from": 2028}, "becomes one fixed number"),
        ({"quantities.power-of-ai.start": {"median": 2e10, "interval_90": [1e10, 4e10], "unit": "W"}}, "was one fixed"),
        ({"samples": 4096}, "is no prior of this run"),
        ({"constraints.power": "null"}, "is no prior of this run"),
        ({f"{RATE}.median": 2.4}, "nothing is changed"),
        ({"drivers.spending.growht": 3}, "Did you mean 'growth'"),
        ({f"{RATE}.interval_90": [3, 4]}, "must bracket the median"),
        ({ANCHORS: {"mixture": [{"weight": 1, "value": 1e30}, {"weight": 1, "value": 1e31}], "unit": "FLOP"}}, "of its own"),
    ],
)  # fmt: skip
def test_what_weights_cannot_say_is_refused_with_the_reason(small, changes, said):
    with pytest.raises(InputError, match=said):
        reweight(small, changes)


def test_too_few_effective_samples_are_refused_also_where_they_are_more_than_one_percent():
    run = run_of(samples=int(FEWEST_EFFECTIVE))
    with pytest.raises(InputError, match="100 are needed at least"):
        reweight(run, CHANGES)


def test_a_summary_and_a_mixture_are_refused():
    with pytest.raises(InputError, match="kept its summary only"):
        reweight(simulate(load_scenario("baseline-2025", overrides=["samples=256"]), keep="summary"), CHANGES)
    with pytest.raises(InputError, match="mixes"):
        reweight(simulate(load_scenario("views", overrides=["samples=256"])), CHANGES)


def test_lines_tell_before_and_after(small):
    found = reweight(small, CHANGES)
    head, *lines, last, tail = found.lines()
    assert head == f"run {small.attrs['run_id']}, before -> after: {', '.join(found.overrides)}"
    assert last.startswith("  2,048 samples are worth ")
    assert tail == "  Pareto k-hat of the weights: 0.12; the errors hold up to 0.5"
    assert lines[0].startswith("  2030.0 (end of 2029)  effective compute: ")
    assert any("crossed by 2045" in line and "->" in line for line in lines)
    assert not any("crossed" in line for line in lines if "log10" in line)


def test_weights_must_be_one_for_each_sample():
    run = simulate(load_scenario("capability", overrides=["samples=64"]))
    with pytest.raises(InputError, match="one for each of 64 samples"):
        headline_table(run, np.ones(3))


def test_a_line_writes_numbers_with_their_errors_and_what_is_not_known_without(small):
    found = reweight(small, CHANGES)
    row = {"quantity": "effective_compute", "label": "Effective compute", "statistic": "median", "year": 2035.0,
           "unit": "log10(FLOP)", "before": 32.0, "before_error": 0.01, "after": 32.5, "after_error": None}  # fmt: skip
    lines = replace(found, headlines=Table.of_rows([row])).lines()
    assert lines[1] == "  2035.0 (end of 2034)  Effective compute: 1e32 -> 3e32 FLOP (log10 32.00 ± 0.01 -> 32.50)"


def test_the_dataset_and_the_files_hold_the_table_and_the_weights(small, tmp_path):
    found = reweight(small, CHANGES)
    assert found.dataset["after"].values.tolist() == found.headlines["after"].tolist()
    assert found.dataset["weight"].sum() == pytest.approx(1.0)
    found.write_into(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["reweighted.csv"]


# Of the linear scenario log10 of effective compute in 2030 is normal: median 30, and its sd by that of algorithms' growth.
GROWTH = "drivers.algorithms.growth"


def linear_run(seed, *, samples=4000):
    return simulate(parse_scenario(LINEAR, overrides=[f"seed={seed}", f"samples={samples}"]))


def test_twice_its_error_holds_the_true_quantiles_under_a_wider_prior():
    start = 0.5 * np.log10(200 / 50) / ndtri(0.95)
    exact = 30 + np.sqrt(start**2 + 25 * (0.1**2 + 0.05**2 + 0.25**2)) * ndtri([0.05, 0.5, 0.95])
    held = []
    for seed in range(8):
        rows = (
            reweight(linear_run(seed), {f"{GROWTH}.sd": 0.25}).headlines.where(year=2030.0, unit="log10(FLOP)").rows()
        )
        held += [abs(row["after"] - true) <= 2 * row["after_error"] for row, true in zip(rows, exact, strict=True)]
    assert len(held) == 24
    assert sum(held) >= 20  # of 24 at 95.4 % each; fewer in one case of 250


@pytest.mark.parametrize("width", [2.0, 2.5, 3.0])
def test_an_interval_twice_as_wide_is_refused_whatever_the_seed(width):
    # Its 5 and 95 % quantiles would be off by 0.2 to 1.5 standard deviations of the samples.
    for seed in range(3):
        with pytest.raises(InputError, match="too heavy a tail"):
            reweight(linear_run(seed, samples=10_000), {f"{GROWTH}.sd": 0.2 * width})


def test_the_tail_of_weights_is_that_of_the_ratio_of_two_normals():
    before = parse_scenario(LINEAR)
    for width in (1.2, 1.5, 2.0):  # the ratio has the tail index 1 - 1 / width^2
        after = parse_scenario(LINEAR, overrides=[f"{GROWTH}.sd={0.2 * width}"])
        assert Change.of(before, after).khat(50_000) == pytest.approx(1 - 1 / width**2, abs=0.08)
    narrow = parse_scenario(LINEAR, overrides=[f"{GROWTH}.sd=0.1"])
    assert Change.of(before, narrow).khat(50_000) < 0


def test_a_median_that_is_passed_at_the_start_is_no_date_and_has_no_error():
    changes = ["samples=2000", "thresholds={low: {effective_compute: 8e25}}"]
    run = simulate(parse_scenario(LINEAR, overrides=changes))
    (line,) = [line for line in reweight(run, {f"{GROWTH}.sd": 0.18}).lines() if line.startswith("  low:")]
    assert line.startswith("  low: median crossing year already in 2025 -> already in 2025; crossed by 2030:")
