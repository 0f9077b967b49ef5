"""Chains that disagree, are too short or diverge do not pass, and say why."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from simulator.errors import InputError
from simulator.history.beliefs import history_priors
from simulator.history.diagnostics import check_rate, diagnose, reading, sensitivities
from simulator.history.fit import draw_prior
from simulator.history.model import build_model, log_prior
from simulator.history.observations import Observations, known_at
from simulator.history.replicates import log_likelihood
from simulator.priors.families import Normal
from simulator.priors.free_families import Quantiles
from tests.history.made_up_history import FIVE_RUNS


def fit(rate, *, divergences=0, **others):
    diverging = np.zeros(rate.shape, dtype=bool)
    diverging.flat[:divergences] = True
    variables = {"rate": (("chain", "draw"), rate)} | {
        name: (("chain", "draw", "year")[: values.ndim], values) for name, values in others.items()
    }
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(variables, coords={"year": [2020.0, 2021.0]} if others else None),
            "sample_stats": xr.Dataset({"diverging": (("chain", "draw"), diverging)}),
        }
    )


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_independent_draws_pass(rng):
    found = diagnose(fit(rng.normal(size=(4, 1000))))
    assert found.passed
    assert (found.chains, found.draws, found.rhat_of) == (4, 1000, "rate")
    assert found.ess_bulk == pytest.approx(4000, rel=0.2)
    assert len(found.lines) == 1


def test_a_chain_elsewhere_fails_and_names_the_unknown(rng):
    levels = rng.normal(size=(4, 1000, 2))
    levels[2, :, 1] += 3
    found = diagnose(fit(rng.normal(size=(4, 1000)), level=levels))
    assert not found.passed
    assert found.rhat_of == found.ess_bulk_of == "level[2021]"
    assert any("chains disagree" in line for line in found.lines)


def test_what_the_priors_fix_is_left_out_and_a_chain_that_stands_still_is_not(rng):
    drawn, still = rng.normal(size=(2, 500, 2)), np.zeros((2, 500, 2))
    certain = np.stack([still[..., 0], drawn[..., 0]], axis=-1)  # in 2020, not in 2021
    made = fit(drawn[..., 1], level=certain, path=np.broadcast_to([1.0, 2.0], still.shape))
    assert diagnose(made.assign({"prior": made["posterior"]})).rhat < 1.05
    moved = made["posterior"].to_dataset().assign(level=(("chain", "draw", "year"), drawn))
    assert np.isnan(diagnose(made.assign({"prior": xr.DataTree(moved)})).rhat)


def test_slow_chains_fail_for_their_size(rng):
    steps = rng.normal(size=(4, 1000))
    walk = np.zeros_like(steps)
    for draw in range(1, 1000):
        walk[:, draw] = 0.95 * walk[:, draw - 1] + steps[:, draw]
    assert any("bulk ESS" in line and "more draws" in line for line in diagnose(fit(walk)).faults)


@pytest.mark.parametrize(("divergences", "passed"), [(4, True), (5, False)])
def test_one_divergence_in_a_thousand_draws_is_let_pass(rng, divergences, passed):
    found = diagnose(fit(rng.normal(size=(4, 1000)), divergences=divergences))
    assert found.passed is passed
    assert f"{divergences} divergences" in found.lines[0]


def test_a_fixed_unknown_is_left_out(rng):
    assert diagnose(fit(rng.normal(size=(4, 1000)), level=np.ones((4, 1000, 2)))).passed


def test_what_is_not_a_number_does_not_pass(rng):
    rate = rng.normal(size=(4, 1000))
    rate[1, 7] = np.nan
    assert not diagnose(fit(rate)).passed


def test_a_tree_without_statistics_is_refused():
    with pytest.raises(InputError, match="no sample_stats"):
        diagnose(xr.DataTree.from_dict({"posterior": xr.Dataset({"rate": (("chain", "draw"), [[1.0, 2.0]])})}))


def history(jump):
    years = np.arange(2012.5, 2020)
    compute = 18 + 0.6 * (years - 2012.5)
    compute[5:] += jump
    record = np.maximum.accumulate(compute)
    none = np.array([])
    return Observations(years, compute, np.full(years.size, np.nan), none, none, np.floor(years), record)


def test_a_rate_that_rests_on_one_domain_is_seen():
    check = check_rate(history(1.5), without=history(0.0), left_out="games", origin=2019)
    assert not check.passed
    assert check.rate_without == pytest.approx(0.6)
    assert "rests on games" in check.line
    assert check_rate(history(0.2), without=history(0.0), left_out="games", origin=2019).passed


def test_a_jump_after_the_origin_is_not_seen():
    check = check_rate(history(1.5), without=history(0.0), left_out="games", origin=2016)
    assert check.rate == pytest.approx(check.rate_without)


PRIORS = history_priors(spending=Normal(0.4, 0.2))
slow = pytest.mark.slow  # powers are taken of compiled densities


@pytest.fixture(scope="module")
def built():
    return build_model(FIVE_RUNS, priors=PRIORS)


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


@slow
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


@slow
def test_a_prior_that_is_sampled_by_a_latent_has_its_own_density():
    family = Quantiles((0.05, 0.5, 0.95), (0.1, 0.4, 0.9))
    priors = history_priors(spending=family)
    built = build_model(FIVE_RUNS, priors=priors)
    drawn = draw_prior(built.model, seed=3)
    found = log_prior(drawn, built)
    np.testing.assert_allclose(found["spending_growth"], family.logpdf(drawn["spending_growth"].values))
    assert not [name for name in found.data_vars if "__" in str(name)]


@slow
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


@slow
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
