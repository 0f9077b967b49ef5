"""Jumps at random times against the moments of a compound Poisson process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulator.model.chance import jump_growth
from simulator.testing import run_of, small_scenario

SAMPLES = 20_000
UNIFORMS = np.random.default_rng(5).random((SAMPLES, 10))
DATES = tuple(range(2026, 2036))


def jumps(years: list[float], **stated: float) -> np.ndarray:
    given = {key: np.array([value]) for key, value in ({"rate": 0.7, "size": 0.4, "spread": 0.0} | stated).items()}
    return jump_growth(np.array(years), base=2025.5, uniforms=UNIFORMS, jump_years=DATES, **given)


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_jumps_have_the_mean_and_variance_of_a_compound_poisson_process(spread: float) -> None:
    found = jumps([2025.5, 2026.0, 2027.25, 2035.0], spread=spread)
    for place, time in enumerate([0.0, 0.5, 1.75, 9.5]):
        mean, variance = 0.7 * time * 0.4, 0.7 * time * (0.4**2 + spread**2)
        assert found[:, place].mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / SAMPLES))
        assert found[:, place].var() == pytest.approx(variance, rel=0.05)


def test_jumps_of_years_are_independent_and_none_is_half_made() -> None:
    found = jumps([2026.0, 2027.0, 2028.0]) / 0.4
    np.testing.assert_allclose(found, np.rint(found), atol=1e-9)
    assert abs(np.corrcoef(np.diff(found, axis=1).T)[0, 1]) < 4 / np.sqrt(SAMPLES)
    assert (np.diff(jumps([2025.6, 2025.9, 2026.3])) >= 0).all()


def test_a_later_horizon_or_times_of_its_own_change_no_jump() -> None:
    own = np.linspace(2025.5, 2030, SAMPLES)[:, None]
    stated = {"base": 2025.5, "rate": np.array([2.0]), "size": np.array([0.4]), "spread": np.array([0.2])}
    short = jump_growth(own, uniforms=UNIFORMS[:, :5], jump_years=DATES[:5], **stated)
    np.testing.assert_array_equal(short, jump_growth(own, uniforms=UNIFORMS, jump_years=DATES, **stated))
    at_once = jump_growth(own[:20, 0], uniforms=UNIFORMS[:20], jump_years=DATES, **stated)
    np.testing.assert_array_equal(short[:20, 0], np.diagonal(at_once))


@pytest.mark.parametrize("written", ["0.5/year", "5 per decade", {"value": 0.5, "unit": "1/year"}])
def test_discoveries_of_a_scenario_add_to_its_steady_growth(written: Any) -> None:
    jumping = {"rate": written, "size": "10x"}
    changes = {"drivers.algorithms": {"growth": "10x/year", "jumps": jumping}, "samples": 4000}
    run = run_of(small_scenario(changes))
    found = np.asarray(run["trajectories/algorithms"].values[:, -1], dtype=float) - 10.0
    np.testing.assert_allclose(found, np.rint(found), atol=1e-5)
    assert found.mean() == pytest.approx(5.0, abs=0.15)
    assert found.var() == pytest.approx(5.0, rel=0.1)
