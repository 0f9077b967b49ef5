"""Powers of prior and likelihood are taken of the model's own densities, and mean what is said."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from simulator.history.beliefs import history_priors
from simulator.history.fit import draw_prior
from simulator.history.model import build_model, log_prior
from simulator.history.observations import Observations, known_at
from simulator.history.power_scaling import reading, sensitivities
from simulator.history.replicates import log_likelihood
from simulator.priors.families import Normal
from simulator.priors.free_families import Quantiles

OBSERVED = Observations(
    run_year=np.array([2016.25, 2016.5, 2017.75, 2018.0, 2019.5]),
    run_log_compute=np.array([20.5, 21.0, 21.8, 21.9, 23.0]),
    cost_log_usd=np.array([5.0, np.nan, 5.6, np.nan, 6.4]),
    accelerator_year=np.array([2014.9, 2016.3, 2018.4]),
    accelerator_log_flops_per_usd=np.array([9.4, 9.6, 9.9]),
    record_year=np.arange(2016, 2020),
    record_log_compute=np.array([21.0, 21.8, 21.9, 23.0]),
)
PRIORS = history_priors(spending=Normal(0.4, 0.2))
pytestmark = pytest.mark.slow  # powers are taken of compiled densities


@pytest.fixture(scope="module")
def built():
    return build_model(OBSERVED, priors=PRIORS)


@pytest.fixture(scope="module")
def drawn(built):
    return draw_prior(built.model, seed=3)


def fit_of(draws, built):
    """Take draws as a posterior, with the densities that a fit holds."""
    known = known_at(built.observations, 2018 + 1.0)
    return xr.DataTree.from_dict({
        "posterior": draws,
        "log_likelihood": log_likelihood(draws, built.observations, known),
        "log_prior": log_prior(draws, built),
    })  # fmt: skip


def test_priors_have_their_densities_and_steps_are_none_of_them(built, drawn):
    expected = {
        "spending_growth": stats.norm(0.4, 0.2), "efficiency_growth": stats.norm(0.13, 0.08),
        "spending_volatility": stats.gamma((0.1 / 0.058) ** 2, scale=0.058**2 / 0.1),
        "efficiency_volatility": stats.gamma((0.04 / 0.0231) ** 2, scale=0.0231**2 / 0.04),
        # Of 2012 (17.5 with 1.5, 16.6 with 0.7), four years later.
        "compute_start": stats.norm(17.5 + 4 * 0.53, math.hypot(1.5, 4 * math.hypot(0.2, 0.08))),
        "efficiency_start": stats.norm(16.6 + 4 * 0.13, math.hypot(0.7, 4 * 0.08)),
        "run_scatter": stats.gamma(1.861069, scale=0.2656739), "cost_scatter": stats.gamma(1.7496896, scale=0.230838),
        "accelerator_scatter": stats.gamma(1.7913841, scale=0.1817555),
        "run_tail_excess": stats.gamma(2, scale=2), "cost_tail_excess": stats.gamma(2, scale=1 / 0.3),
        "cost_slope": stats.norm(1, 0.3), "accelerator_offset": stats.norm(7.4, 0.5),
    }  # fmt: skip
    found = log_prior(drawn, built)
    assert set(found.data_vars) == set(expected)
    for name, family in expected.items():
        np.testing.assert_allclose(found[name], family.logpdf(drawn[name]), atol=0.05)


def test_a_prior_that_is_sampled_by_a_latent_has_its_own_density():
    family = Quantiles((0.05, 0.5, 0.95), (0.1, 0.4, 0.9))
    priors = history_priors(spending=family)
    built = build_model(OBSERVED, priors=priors)
    drawn = draw_prior(built.model, seed=3)
    found = log_prior(drawn, built)
    np.testing.assert_allclose(found["spending_growth"], family.logpdf(drawn["spending_growth"].values))
    assert not [name for name in found.data_vars if "__" in str(name)]


def test_where_there_are_no_data_only_the_priors_move_an_unknown(built, drawn):
    # Draws of the prior are a posterior of no data; the own prior of a rate is then what it is sensitive to.
    rows = {row.unknown: row for row in sensitivities(fit_of(drawn, built))}
    assert list(rows)[:3] == ["spending_growth", "efficiency_growth", "compute_growth"]
    assert "run_tail" in rows
    assert "run_tail_excess" not in rows
    row = rows["efficiency_growth"]
    assert row.own_prior > 0.05 > row.other_prior
    assert row.mean_own_prior_half == pytest.approx(0.13, abs=0.02)
    # A normal prior to the power of 2 has the same mean.
    assert row.mean_own_prior_double == pytest.approx(0.13, abs=0.01)


def test_a_prior_that_pulls_is_told_by_its_half_and_its_double(built, drawn):
    # Draws from Normal(0.29, 0.08 / sqrt 2): the prior Normal(0.13, 0.08) and as much data at 0.45.
    rng = np.random.default_rng(1)
    moved = drawn.assign(
        efficiency_growth=(("chain", "draw"), 0.29 + 0.08 / math.sqrt(2) * rng.standard_normal((1, 1000)))
    )
    row = {row.unknown: row for row in sensitivities(fit_of(moved, built))}["efficiency_growth"]
    assert row.mean == pytest.approx(0.29, abs=0.01)
    assert row.mean_own_prior_half == pytest.approx((0.5 * 0.13 + 0.45) / 1.5, abs=0.02)
    assert row.mean_own_prior_double == pytest.approx((2 * 0.13 + 0.45) / 3, abs=0.02)


@pytest.mark.parametrize(
    ("own", "data", "text"),
    [
        (0.1, 0.1, "possible prior-data conflict"), (0.05, 0.049, "its prior dominates"),
        (0.049, 0.05, "the likelihood dominates"), (0.0, 0.0, "settled"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("other", [0.01, 0.06])
def test_the_bound_is_five_hundredths(own, data, text, other):
    said = reading(own_prior=own, likelihood=data, other_prior=other, other_prior_of="run_tail", parts={})
    assert said.startswith(text)
    assert ("the prior of run_tail moves it" in said) is (other > 0.05)


def test_parts_of_the_data_that_pull_apart_are_not_settled():
    parts = {"runs": 0.01, "costs": 0.09, "accelerators": 0.054}
    said = reading(own_prior=0.0, likelihood=0.02, other_prior=0.0, other_prior_of="run_tail", parts=parts)
    assert said == "not settled: costs (0.09) and accelerators (0.05) move it, and the rest of the data pulls it back"
    said = reading(own_prior=0.0, likelihood=0.0, other_prior=0.0, other_prior_of="run_tail", parts={"costs": 0.05})
    assert said == "not settled: costs (0.05) moves it, and the rest of the data pulls it back"
