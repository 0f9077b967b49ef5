"""Jumps at random times against the moments of a compound Poisson process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulator.model import levels
from simulator.model.chance import drawn_jumps, jump_growth
from simulator.testing import run_of, small_scenario

SAMPLES = 20_000
UNIFORMS = np.random.default_rng(5).random((SAMPLES, 10))
DATES = tuple(range(2026, 2036))


def jumps(years: list[float], **stated: float) -> np.ndarray:
    given = {key: np.array([value]) for key, value in ({"rate": 0.7, "size": 0.4, "spread": 0.0} | stated).items()}
    return jump_growth(np.array(years), drawn_jumps(base=2025.5, uniforms=UNIFORMS, jump_years=DATES, **given))


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
    short = jump_growth(own, drawn_jumps(uniforms=UNIFORMS[:, :5], jump_years=DATES[:5], **stated))
    longer = jump_growth(own, drawn_jumps(uniforms=UNIFORMS, jump_years=DATES, **stated))
    np.testing.assert_array_equal(short, longer)
    at_once = jump_growth(own[:20, 0], drawn_jumps(uniforms=UNIFORMS[:20], jump_years=DATES, **stated))
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


def test_jumps_of_a_block_are_drawn_once_however_often_its_levels_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []

    def counted(**given: Any) -> Any:
        calls.append(len(given["uniforms"]))
        return drawn_jumps(**given)

    monkeypatch.setattr(levels, "drawn_jumps", counted)
    changes = {"drivers.algorithms": {"growth": "10x/year", "jumps": {"rate": "0.5/year", "size": "10x"}}}
    run_of(small_scenario(changes | {"samples": 60}))
    assert calls == [60]


@pytest.mark.parametrize(("size", "growth", "falling"), [("0.1x", 10.0, False), ("8x", 0.3, True)])
def test_what_is_met_just_before_a_jump_away_is_dated_then(size: str, growth: float, falling: bool) -> None:
    """Between jumps the path is a line: it first stands at a level on one of them, or never."""
    jumping = {"rate": "1.5/year", "size": size}
    compute = {"start": 1e26, "growth": {"value": growth, "unit": "x/year"}, "jumps": jumping}
    levels = 26 + (-1.0 if falling else 1.0) * np.arange(0.2, 3, 0.2)
    thresholds = {
        f"t{k}": {"physical_compute": float(10.0**level), "falling": falling} for k, level in enumerate(levels)
    }
    run = run_of(small_scenario({"drivers": {"compute": compute}, "thresholds": thresholds, "samples": 60}))
    years = range(2026, 2036)
    uniforms = [run[f"parameters/drivers.compute.jumps.shock[{year}]"].values for year in years]
    by, slope, sign = np.log10(float(size[:-1])), np.log10(growth), -1 if falling else 1
    stated = {"base": 2025.0, "rate": np.array([1.5]), "size": np.array([by]), "spread": np.zeros(1)}
    drawn = [when for when, _ in drawn_jumps(uniforms=np.stack(uniforms, axis=-1), jump_years=years, **stated)]
    exact = np.full((levels.size, 60), np.inf)
    for sample, jumps_at in enumerate(np.sort(np.stack(drawn), axis=0).T):
        for number, end in enumerate(np.minimum(np.append(jumps_at, np.inf), 2035.0)):
            begin = jumps_at[number - 1] if number else 2025.0
            met = np.maximum(2025 + (levels - 26 - number * by) / slope, begin)
            stands = sign * (26 + slope * (met - 2025) + number * by) >= sign * levels - 1e-9
            exact[:, sample] = np.minimum(exact[:, sample], np.where(stands & (met < end), met, np.inf))
    np.testing.assert_allclose(run["crossings/crossing_year"].values, exact, rtol=0, atol=1e-5)
