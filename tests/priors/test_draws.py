"""Draws: marginals, rank correlations, blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from simulator import parse_scenario, simulate
from simulator.priors.draws import draw_blocks
from simulator.priors.joint import JointPrior
from simulator.schema.choices import DESIGNS
from simulator.testing import scenario_text, small_scenario
from tests.two_rates import RATES, never, two_rates

START, GROWTH, LEVEL = "drivers.compute.start", "drivers.compute.growth", "thresholds.level.effective_compute"
THRESHOLD = {
    "thresholds.level": {"effective_compute": {"family": "lognormal", "median": 1e29, "interval_90": [1e27, 1e31]}}
}


def joint_of(*correlations: tuple[str, str, float], **changes: Any) -> JointPrior:
    stated = [{"between": [first, second], "rank": rank} for first, second, rank in correlations]
    return parse_scenario(scenario_text(small_scenario({**THRESHOLD, "correlations": stated, **changes}))).joint


def drawn(joint: JointPrior, blocks: int = 4, design: str = "random", seed: int = 1) -> dict[str, np.ndarray]:
    return draw_blocks(joint, seed=seed, blocks=range(blocks), size=4096, design=design)


@pytest.mark.parametrize("rank", [-0.9, -0.3, 0.0001, 0.5, 0.95])
def test_the_rank_correlation_that_is_asked_for_is_achieved(rank: float) -> None:
    draws = drawn(joint_of((START, GROWTH, rank)))
    achieved = stats.spearmanr(draws[START], draws[GROWTH]).statistic
    # Spearman's standard error is at most (1 + rank^2 / 2)^0.5 / n^0.5 (Bonett & Wright 2000).
    assert abs(achieved - rank) < 4 * np.sqrt((1 + rank**2 / 2) / draws[START].size)


def test_correlations_of_three_are_achieved_together() -> None:
    wanted = {(START, GROWTH): 0.6, (GROWTH, LEVEL): -0.4, (START, LEVEL): 0.1}
    draws = drawn(joint_of(*((*pair, rank) for pair, rank in wanted.items())))
    for (first, second), rank in wanted.items():
        achieved = stats.spearmanr(draws[first], draws[second]).statistic
        assert abs(achieved - rank) < 4 * np.sqrt((1 + rank**2 / 2) / draws[first].size)


def test_a_doubling_time_is_correlated_as_the_growth_that_it_stands_for() -> None:
    growth = {"median": 8, "interval_90": [5, 12], "unit": "months/doubling"}
    draws = drawn(joint_of((START, GROWTH, 0.7), **{GROWTH: growth}))
    assert stats.spearmanr(draws[START], draws[GROWTH]).statistic == pytest.approx(0.7, abs=0.03)


@pytest.mark.parametrize("design", list(DESIGNS))
def test_correlation_leaves_the_marginals_as_they_are(design: str) -> None:
    draws = drawn(joint_of((START, GROWTH, 0.8), (GROWTH, LEVEL, -0.5)), design=design)
    spread = np.log10(4) / stats.norm.ppf(0.95)
    for name, exact in {START: stats.norm(26, spread), GROWTH: stats.norm(0.5, 0.1),
                        LEVEL: stats.norm(29, 2 / stats.norm.ppf(0.95))}.items():  # fmt: skip
        # 4096 x 4 draws; Kolmogorov's distance is beyond 1.95 / sqrt(n) once in a thousand.
        assert stats.kstest(draws[name], exact.cdf).statistic < 1.95 / np.sqrt(draws[name].size), name


@pytest.mark.parametrize("design", list(DESIGNS))
def test_a_correlation_leaves_the_draws_of_others_and_of_its_first_name(design: str) -> None:
    alone, together = (drawn(joint_of(*pairs), design=design) for pairs in ((), ((START, GROWTH, 0.5),)))
    first = min(START, GROWTH)
    np.testing.assert_allclose(together[first], alone[first], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(together[LEVEL], alone[LEVEL])
    assert not np.array_equal(together[max(START, GROWTH)], alone[max(START, GROWTH)])


@pytest.mark.parametrize("design", list(DESIGNS))
def test_blocks_are_drawn_one_by_one_or_together(design: str) -> None:
    joint = joint_of((START, GROWTH, 0.5))
    together = draw_blocks(joint, seed=3, blocks=range(4), size=256, design=design)
    for number in range(4):
        alone = draw_blocks(joint, seed=3, blocks=range(number, number + 1), size=256, design=design)
        for name, values in alone.items():
            np.testing.assert_array_equal(together[name][256 * number : 256 * (number + 1)], values)


@pytest.mark.parametrize("design", list(DESIGNS))
def test_whole_blocks_are_the_same_however_many_samples_follow(design: str) -> None:
    joint = joint_of((START, GROWTH, 0.5))
    whole = draw_blocks(joint, seed=3, blocks=range(2), size=256, design=design)
    first = draw_blocks(joint, seed=3, blocks=range(2), size=256, design=design, samples=300)
    for name, values in first.items():
        np.testing.assert_array_equal(whole[name][:256], values[:256])


def test_a_fixed_prior_is_one_number_and_every_other_a_block() -> None:
    draws = draw_blocks(joint_of(**{GROWTH: "3x/year"}), seed=0, blocks=range(2), size=256, design="latin-hypercube")
    assert draws[GROWTH].tolist() == [np.log10(3)]
    assert draws[START].shape == (512,)


def test_a_stratified_block_has_one_draw_in_each_stratum_of_the_prior() -> None:
    for joint in (joint_of(), joint_of((START, GROWTH, 0.9))):  # a correlation costs no prior its even spread
        draws = draw_blocks(joint, seed=0, blocks=range(2), size=256, design="latin-hypercube", samples=300)
        uniforms = stats.norm.cdf(draws[GROWTH], 0.5, 0.1)
        for part in (uniforms[:256], uniforms[256:]):
            assert sorted(np.floor(part * part.size).astype(int).tolist()) == list(range(part.size))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["research", "pretraining"])
def test_the_names_of_priors_do_not_decide_the_forecast(name: str) -> None:
    exact = never()
    assert exact == pytest.approx(0.2985, abs=5e-4)
    found, errors = [], []
    for seed in range(1, 21):
        summary = simulate(parse_scenario(two_rates(name, seed)))["summary"]
        found.append(float(summary["never"][0]))
        errors.append(float(summary["crossed_error"][0, -1]))
    away = (np.array(found) - exact) / np.array(errors)
    assert np.abs(away).max() < 3
    assert np.square(away).mean() == pytest.approx(1, abs=0.7)  # 20 seeds: a standard deviation of 0.32
    assert np.std(found) < np.sqrt(exact * (1 - exact) / 10_000)  # better than plain samples


@pytest.mark.slow
def test_stated_ranks_and_quantiles_hold_in_every_run_of_the_case() -> None:
    for seed in range(1, 11):
        run = simulate(parse_scenario(two_rates("research", seed, rank=0.5)))
        spending, research = (run["parameters"][name.format(name="research")].values for name in RATES)
        assert stats.spearmanr(spending, research).statistic == pytest.approx(0.5, abs=4 * 0.0106)
        # Stratified in each of 20 blocks: the order statistics around a quantile are 1 / 10,000 apart.
        assert 10 ** np.quantile(spending, [0.05, 0.95]) == pytest.approx([1.2, 4], rel=0.005)
        assert 10 ** np.quantile(research, [0.05, 0.95]) == pytest.approx([1.5, 4], rel=0.005)
