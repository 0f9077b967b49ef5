"""What the data moved by more than two prior standard deviations is a conflict; what they narrowed is told."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simulator.errors import InputError
from simulator.prior_conflict import conflicts

RNG = np.random.default_rng(2)


def draws(mean, sd, size=1000):
    values = RNG.standard_normal(size)
    values = (values - values.mean()) / values.std()
    return (("chain", "draw"), (mean + sd * values)[None])


def fit(prior, posterior):
    return xr.DataTree.from_dict({"prior": xr.Dataset(prior), "posterior": xr.Dataset(posterior)})


@pytest.mark.parametrize(("mean", "conflict"), [(0.35 + 0.69, False), (0.35 + 0.71, True), (0.35 - 0.71, True)])
def test_a_mean_beyond_two_prior_deviations_either_way_is_a_conflict(mean, conflict):
    (found,) = conflicts(fit({"rate": draws(0.35, 0.35)}, {"rate": draws(mean, 0.1)}))
    assert found.conflict is conflict
    assert found.shift == pytest.approx((mean - 0.35) / 0.35)
    assert found.contraction == pytest.approx(1 - (0.1 / 0.35) ** 2)
    assert ("contradict" in found.line) is conflict


def test_data_that_widen_a_prior_contract_it_by_less_than_nothing():
    (found,) = conflicts(fit({"rate": draws(0, 1)}, {"rate": draws(0, 2)}))
    assert found.contraction == pytest.approx(-3)


def test_each_step_is_an_unknown_and_paths_helpers_and_fixed_values_are_none():
    steps = (("chain", "draw", "step"), np.stack([draws(0, 1)[1], draws(0, 1)[1]], axis=2))
    path = (("chain", "draw", "year"), np.ones((1, 1000, 3)))
    prior = {"rate__z": draws(0, 1), "tail_excess": draws(1, 1), "fixed": draws(3, 0), "steps": steps, "path": path}
    tree = fit(prior, {**prior, "steps": (("chain", "draw", "step"), steps[1] + [0.0, 2.5])})
    tree["prior"] = tree["prior"].to_dataset().assign_coords(step=[2013.0, 2014.0])
    tree["posterior"] = tree["posterior"].to_dataset().assign_coords(step=[2013.0, 2014.0])
    assert {row.unknown: row.conflict for row in conflicts(tree)} == {"steps[2013]": False, "steps[2014]": True}


def test_a_step_that_the_data_do_not_reach_is_left_out():
    believed = xr.Dataset(
        {"steps": (("chain", "draw", "step"), np.array([[[0.0, 1.0], [1.0, 0.0]]]))}, {"step": [1, 2]}
    )
    tree = xr.DataTree.from_dict({"prior": believed, "posterior": believed.isel(step=[0])})
    assert [row.unknown for row in conflicts(tree)] == ["steps[1]"]


def test_a_fit_without_prior_draws_is_refused():
    with pytest.raises(InputError, match="no prior"):
        conflicts(xr.DataTree.from_dict({"posterior": xr.Dataset({"rate": draws(0, 1)})}))
