"""Chains that disagree, are too short or diverge do not pass, and say why."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simulator.errors import InputError
from simulator.history.diagnostics import check_rate, diagnose
from simulator.history.observations import Observations


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
