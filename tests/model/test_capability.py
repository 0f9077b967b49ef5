"""Metrics as functions of compute, parameters and data, against their closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.model import capability


@pytest.mark.parametrize("factor", [2.0, 40.0])
def test_a_metric_gains_its_gain_with_each_factor_of_compute(factor):
    compute = 26.0 + np.log10(factor) * np.array([[-1.0, 0.0, 1.0, 3.0]])
    gains = np.log10([1.2, 3.0])[:, None]
    got = capability.gain_per_factor(compute, log_reference=26.0, log_gain=gains, log_factor=np.log10(factor))
    np.testing.assert_allclose(got, np.array([[1.2], [3.0]]) ** [-1.0, 0.0, 1.0, 3.0], rtol=1e-13)


def test_a_power_law_loss_falls_to_what_is_irreducible():
    got = capability.power_law_loss([0.0, 20.0, 400.0], irreducible=1.69, log_scale=2.0, exponent=0.05)
    np.testing.assert_allclose(got, [101.69, 11.69, 1.69 + 1e-18], rtol=1e-13)
    halved = capability.power_law_loss(np.log10(2.0) / 0.05, irreducible=0.0, log_scale=0.0, exponent=0.05)
    assert halved == pytest.approx(0.5, rel=1e-13)


def test_a_logistic_score_is_half_way_at_its_midpoint_and_symmetric_about_it():
    distance = np.array([-1e4, -3.0, 0.0, 3.0, 1e4])
    got = capability.logistic_capability(
        [26.0 + distance], midpoint_log10=[26.0], slope_per_oom=1.7, floor=0.2, ceiling=0.9
    )
    expected = 0.2 + 0.7 * np.array([0.0, 1 / (1 + np.exp(5.1)), 0.5, 1 / (1 + np.exp(-5.1)), 1.0])
    np.testing.assert_allclose(got[0], expected, rtol=1e-13)


def test_capabilities_out_of_range_become_infinite_without_a_warning():
    assert capability.gain_per_factor(1e6, log_reference=0.0, log_gain=1.0, log_factor=0.3) == np.inf
    assert capability.power_law_loss(-1e6, irreducible=1.0, log_scale=0.0, exponent=1.0) == np.inf
