"""The rank correlation of draws is the stated one, whatever values have a probability of their own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import spearmanr

from simulator import load_scenario, simulate
from simulator.priors.composite import Mixture, Truncated, WithNever
from simulator.priors.families import Normal
from simulator.priors.free_families import Discrete, Empirical
from simulator.priors.ranks import rank_correlation, score_correlation
from simulator.schema.prior_families import Distribution

NORMAL = Normal(0.0, 1.0)
COIN = Discrete((0.0, 1.0), (1.0, 1.0))
SKEWED = Discrete((0.0, 1.0, 2.0), (8.0, 1.0, 1.0))
HALF = Mixture((0.5, 0.5), (NORMAL, Discrete((0.0,), (1.0,))))
TIES = Empirical((1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 4.0, 5.0))
NEVER = WithNever(NORMAL, 0.3)


@pytest.mark.parametrize("scores", [-0.95, -0.5, 0.0, 0.3, 0.9])
def test_rank_correlations_are_those_of_closed_forms(scores: float) -> None:
    found = [
        rank_correlation(scores, first, second) for first, second in ((NORMAL, NORMAL), (NORMAL, COIN), (COIN, COIN))
    ]
    exact = [
        6 / math.pi * math.asin(scores / 2),
        math.sqrt(12) / math.pi * math.asin(scores / math.sqrt(2)),  # P(Z' < Z1, Z2 > 0)
        2 / math.pi * math.asin(scores),  # P(Z1 > 0, Z2 > 0)
    ]
    np.testing.assert_allclose(found, exact, atol=1e-4)


@pytest.mark.parametrize(
    ("first", "second", "rank"),
    [
        (NORMAL, COIN, 0.8),
        (NORMAL, SKEWED, 0.4),
        (COIN, SKEWED, -0.3),
        (NEVER, NEVER, 0.8),
        (NEVER, NORMAL, -0.6),
        (HALF, TIES, 0.8),
        (TIES, COIN, 0.5),
        (Truncated(SKEWED, 0.5, 3.0), HALF, 0.5),
    ],
)
def test_large_samples_have_the_stated_rank_correlation(first: Distribution, second: Distribution, rank: float) -> None:
    scores = score_correlation(rank, first, second)
    z = np.random.default_rng(5).standard_normal((2, 400_000))
    z[1] = scores * z[0] + math.sqrt(1 - scores**2) * z[1]
    found = spearmanr(first.ppf(ndtr(z[0])), second.ppf(ndtr(z[1])))[0]
    assert abs(found - rank) < 4 / math.sqrt(400_000)
    assert abs(found - rank) < abs(rank_correlation(2 * math.sin(math.pi * rank / 6), first, second) - rank)


def test_continuous_priors_keep_the_formula_of_pearson() -> None:
    assert score_correlation(0.8, NORMAL, Truncated(NORMAL, -1.0, 2.0)) == 2 * math.sin(math.pi * 0.8 / 6)


def scenario(rank: float, prior: str) -> str:
    """State a scenario with a correlation of hardware's growth with a prior that has ties."""
    return f"""
schema: 2
name: ties
years: {{first: 2025, last: 2030}}
samples: 100_000
drivers:
  spending: {{start: {{value: 4e8, unit: USD}}, growth: {prior}}}
  hardware: {{start: {{value: 1e18, unit: FLOP/USD}}, growth: {{interval_90: [1.2, 1.6], unit: x/year}}}}
correlations:
  - {{between: [drivers.spending.growth, drivers.hardware.growth], rank: {rank}}}
"""


@pytest.mark.parametrize(
    "prior",
    [
        "{discrete: {values: [1.5, 3], weights: [1, 1]}, unit: x/year}",
        "{discrete: {values: [6, 12], weights: [1, 1]}, unit: months/doubling}",
        "{mixture: [{weight: 1, value: 2}, {weight: 1, interval_90: [1.5, 4]}], unit: x/year}",
    ],
)
def test_a_run_has_the_stated_rank_correlation(prior: str) -> None:
    drawn = simulate(load_scenario(scenario(0.8, prior)))["parameters"]
    found = spearmanr(drawn["drivers.spending.growth"], drawn["drivers.hardware.growth"])[0]
    assert abs(found - 0.8) < 4 / math.sqrt(100_000)


def test_a_rank_correlation_that_ties_leave_no_room_for_is_refused_with_the_largest() -> None:
    rare = "{discrete: {values: [1.5, 3], weights: [9, 1]}, unit: x/year}"
    most = math.sqrt(3 * 0.9 * 0.1)  # of a uniform rank and the indicator of its highest tenth: sqrt(3 p (1 - p))
    with pytest.raises(Exception, match=r"correlations\[0\].rank: cannot be 0.6: .* these two reach 0.519"):
        load_scenario(scenario(0.6, rare))
    assert math.floor(1000 * most) / 1000 == 0.519
    load_scenario(scenario(0.519, rare))
    with pytest.raises(Exception, match=r"reach -0.519"):
        load_scenario(scenario(-0.6, rare))
