"""Weights of samples are those of the project's own reweighting, and give what the changed scenario gives."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.analysis.reweighting import Change as Reweighting
from simulator.explorer.changes import changed, opened
from simulator.explorer.controls import controls
from simulator.explorer.draws import Known, draws_of
from simulator.runs.estimates import weighted_quantiles
from simulator.testing import small_scenario

START, GROWTH = "drivers.compute.start", "drivers.compute.growth"


def drawn(changes=None, *, own=4096, wider=1024, most=2):
    base = opened(small_scenario({"block": 1024, **(changes or {})}))
    known = Known.of(base, controls(base.scenario))
    return base, draws_of(base, known, own=own, wider=wider, most=most)


@pytest.mark.parametrize("rank", [0.0, 0.7])
def test_weights_are_those_of_reweighting_with_and_without_a_correlation(rank):
    correlations = [{"between": [START, GROWTH], "rank": rank}] if rank else []
    base, draws = drawn({"correlations": correlations}, own=1024, most=0)
    changes = {GROWTH: {"median": 0.45, "width": 1.1}, START: {"median": 1.3e26}}
    new = changed(base, changes)
    values = {name: draws.batches[0].parameters[name] for name in (START, GROWTH)}
    expected = Reweighting.of(base.scenario, new).logs(values, samples=1024)
    assert draws.log_weights(changes) == pytest.approx(expected, abs=0.02)


def test_the_samples_that_are_drawn_wider_stand_for_the_scenario_too():
    _, draws = drawn()
    assert draws.logs.size == 4096 + 2 * 1024
    weights = np.exp(draws.log_weights({}))
    assert weights.mean() == pytest.approx(1.0, abs=0.02)
    growth = np.concatenate([each.parameters[GROWTH] for each in draws.batches])
    assert np.average(growth, weights=weights) == pytest.approx(0.5, abs=0.005)
    assert np.average((growth - 0.5) ** 2, weights=weights) == pytest.approx(0.01, abs=0.0005)


def test_what_is_joined_closely_is_weighed_by_the_density_from_which_it_was_drawn():
    """In closed form: 26 + 10 years of 0.5, with the spread of both and what joins them."""
    joined = {"correlations": [{"between": [START, GROWTH], "rank": 0.98}]}
    base, draws = drawn({**joined, "block": 256}, own=20_480, wider=10_240)
    sd, rho = np.log10(4) / 1.6448536, base.scenario.joint.groups[0].factor[1, 0]
    assert rho == pytest.approx(2 * np.sin(np.pi * 0.98 / 6))
    assert draws.of_run == 0
    for changes, width in (({}, 1.0), ({GROWTH: {"width": 1.1}}, 1.1)):
        weights = np.exp(draws.log_weights(changes))
        error = weights.std() / np.sqrt(weights.size)
        assert error < 0.01
        assert weights.mean() == pytest.approx(1.0, abs=3 * error)
        levels = np.asarray(draws.trajectories["physical_compute"][-1], dtype=np.float64)
        spread = np.sqrt(np.average((levels - 31.0) ** 2, weights=weights))
        assert spread == pytest.approx(np.sqrt(sd**2 + width**2 + 2 * rho * sd * width), rel=0.01)


def test_a_far_move_gives_the_levels_of_the_changed_scenario():
    _, draws = drawn()
    changes = {GROWTH: {"median": 0.72}}  # 2.2 standard deviations away
    weights = np.exp(draws.log_weights(changes))
    levels = np.asarray(draws.trajectories["physical_compute"][-1], dtype=np.float64)
    # In closed form: 26 + 10 years of 0.72, with the spread of start and growth
    sd = np.hypot(np.log10(4) / 1.6448536, 10 * 0.1)
    found = weighted_quantiles(levels, weights / weights.sum(), [0.25, 0.5, 0.75])
    worth = weights.sum() ** 2 / np.square(weights).sum()
    assert worth > 200
    error = 1.2533 * sd / np.sqrt(worth)
    assert found == pytest.approx(33.2 + sd * np.array([-0.6745, 0.0, 0.6745]), abs=3 * error)


def test_what_a_bounded_prior_gives_beyond_its_bounds_once_it_is_wider_weighs_nothing():
    _, draws = drawn({GROWTH: {"uniform": [0.3, 0.6], "unit": "OOM/year"}}, most=1)
    growth = np.concatenate([each.parameters[GROWTH] for each in draws.batches])
    outside = (growth < 0.3) | (growth > 0.6)
    assert 0.05 < outside.mean() < 0.15  # half of those that are drawn from twice as wide
    for changes in ({}, {GROWTH: {"width": 0.5}}):
        weights = np.exp(draws.log_weights(changes))
        assert weights[outside].max() == 0.0
        assert weights.mean() == pytest.approx(1.0, abs=0.02)


def test_a_partner_that_differs_between_the_scenarios_of_a_mixture_is_weighed_in_each_as_it_is_there():
    parts = [
        small_scenario({"block": 1024, "samples": 8192, "correlations": [{"between": [START, GROWTH], "rank": 0.7}],
                        GROWTH: {"mean": mean, "sd": 0.1, "unit": "OOM/year"}})
        for mean in (0.3, 0.6)
    ]  # fmt: skip
    mixed = [
        {"name": name, "weight": 0.5, "scenario": each} for name, each in zip(("slow", "fast"), parts, strict=True)
    ]
    base = opened({"schema": 2, "name": "mixed", "mixture": mixed})
    draws = draws_of(base, Known.of(base, controls(base.scenario)), own=8192, wider=0, most=0)
    weights = np.exp(draws.log_weights({START: {"median": 1.5e26}}))
    assert [weights[draws.component == at].mean() for at in (0, 1)] == pytest.approx([1.0, 1.0], abs=0.03)


def test_what_is_drawn_wider_is_weighed_by_the_prior_from_which_it_was_drawn():
    """And not by what stands for it in the file: a bounded prior that is widened is near it, and not the same."""
    bounded = {"family": "metalog", "median": 0.26, "interval_80": [0.16, 0.40], "lower": 0, "upper": 1,
               "unit": "OOM/year"}  # fmt: skip
    _, draws = drawn({GROWTH: bounded}, own=20_480, wider=20_480, most=1)
    assert list(draws.wide) == [GROWTH]
    growth, own = np.concatenate([each.parameters[GROWTH] for each in draws.batches]), draws.batches[0].component.size
    weights = np.exp(draws.log_weights({}))
    for edge in (0.1, 0.2, 0.3, 0.5):
        share = (growth[:own] < edge).mean()
        assert weights[growth < edge].sum() / weights.size == pytest.approx(share, abs=0.002)


def test_a_prior_that_is_too_wide_to_be_computed_is_drawn_as_it_is_alone():
    """Twice as wide, software may grow by -0.1 OOM a year at first: by the law it then falls to nothing."""
    given = {"automated": 0.3, "width": 3, "labour-share": 0.3, "returns": 0.8, "diminishing-returns": 0.6,
             "initial-growth": {"uniform": [0.1, 0.5], "unit": "OOM/year"}}  # fmt: skip
    law = {"kind": "automated-research", "quantities": {"labour": "people"}, "parameters": given}
    changes = {"drivers.algorithms": {"law": law}, "quantities": {"people": {"start": 1000}}}
    _, draws = drawn(changes, own=256, wider=64, most=3)
    assert set(draws.wide) == {START, GROWTH}
    assert draws.logs.size == 256 + 2 * 64
