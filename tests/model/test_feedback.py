"""Feedback against the differential equation, by SciPy: near a singularity, under caps on factors, limits that move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from simulator.model.chance import drawn_jumps, jump_growth
from simulator.testing import run_of, small_scenario

YEARS = np.arange(11.0)
type Numbers = np.ndarray[Any, np.dtype[np.float64]]


def levels(algorithms: dict[str, Any], name: str) -> Numbers:
    compute = {"start": 1e26, "growth": {"value": 0.5, "unit": "OOM/year"}}
    run = run_of(small_scenario({"drivers": {"compute": compute, "algorithms": algorithms}, "samples": 1}))
    return np.asarray(run["trajectories"][name].values[0], dtype=float)


def points(top: float, at: float) -> list[dict[str, float]]:
    return [{"at": 1e26, "multiplier": 1}, {"at": at, "multiplier": top}]


def faster(top: float, at: float) -> Callable[[float], float]:
    """The multiplier at a level of effective compute above 10^26, in OOM."""
    width = np.log10(at) - 26
    return lambda above: float(top ** np.clip(above / width, 0, 1))


def solved(slope: Callable[[float, Numbers], list[float]], start: list[float]) -> Numbers:
    found = solve_ivp(slope, (0, 10), start, t_eval=YEARS, rtol=1e-10, atol=1e-10, max_step=0.01)
    return np.asarray(found.y)


@pytest.mark.parametrize(("top", "at"), [(30, 1e40), (300, 1e60), (3e3, 1e60), (1e6, 1e90)])
def test_a_multiplier_that_rises_steeply_is_the_equation(top: float, at: float) -> None:
    multiplier = faster(top, at)
    exact = 26 + 0.5 * YEARS + solved(lambda t, a: [0.3 * multiplier(0.5 * t + a[0])], [0.0])[0]
    algorithms = {"growth": {"value": 0.3, "unit": "OOM/year"}, "feedback": points(top, at)}
    found = levels(algorithms, "effective_compute")
    held = exact < 300
    np.testing.assert_allclose(found[held], exact[held], rtol=2e-3, atol=5e-3)
    assert np.isposinf(found[~held]).all()


def test_a_cap_on_a_factor_holds_under_feedback_and_binds_when_it_is_met() -> None:
    """Feedback doubles growth: the factor meets its cap of 2 OOM after 2 / 0.6 years, and stays."""
    rise = {"growth": {"value": 0.3, "unit": "OOM/year"}, "caps": {"top": {"limit": {"value": 100, "unit": "factor"}}}}
    double = [{"at": 1e26, "multiplier": 2}, {"at": 1e30, "multiplier": 2}]
    algorithms = {"factors": {"a": rise}, "feedback": double}
    np.testing.assert_allclose(levels(algorithms, "algorithms"), np.minimum(0.6 * YEARS, 2), rtol=0, atol=1e-6)
    np.testing.assert_allclose(levels(algorithms, "algorithms_factor_a_demanded"), 0.6 * YEARS, rtol=0, atol=1e-6)
    assert levels(algorithms, "binding_algorithms_factor_a").tolist() == [0] * 4 + [1] * 7


def test_a_gompertz_limit_that_moves_goes_with_feedback() -> None:
    limit = {"start": {"value": 1e3, "unit": "factor"}, "growth": {"value": 0.2, "unit": "OOM/year"}}
    growth = {"value": 0.3, "unit": "OOM/year"}
    caps = {"top": {"kind": "gompertz", "limit": limit}}
    multiplier = faster(5, 1e32)

    def slope(time: float, state: Numbers) -> list[float]:
        rate = 0.3 * multiplier(0.5 * time + state[1])
        return [rate, rate * min(1, (3 + 0.2 * time - state[1]) / (3 + 0.2 * time))]

    demanded, had = solved(slope, [0.0, 0.0])
    algorithms = {"growth": growth, "caps": caps, "feedback": points(5, 1e32)}
    np.testing.assert_allclose(levels(algorithms, "algorithms_demanded"), demanded, rtol=0, atol=1e-3)
    np.testing.assert_allclose(levels(algorithms, "algorithms"), had, rtol=0, atol=1e-3)


@pytest.mark.parametrize("of", ["effective_compute", "quantity"])
def test_a_limit_made_of_what_compute_was_goes_with_feedback(of: str) -> None:
    """Spending is at most so much a FLOP of the effective compute of a year ago, which feeds back on algorithms."""
    per = {"value": 2e-17, "unit": "USD/FLOP"}
    before = {"product": [{"lag": {"of": "effective_compute", "by": "1 year"}}, per]}
    drivers = {
        "spending": {
            "start": {"value": 1e8, "unit": "USD"},
            "growth": {"value": 1.0, "unit": "OOM/year"},
            "caps": {"income": {"limit": "income" if of == "quantity" else before}},
        },
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}},
        "algorithms": {"growth": {"value": 0.3, "unit": "OOM/year"}, "feedback": points(10, 1e36)},
    }
    changes = {"drivers": drivers, "samples": 1, "thresholds": {"far": {"effective_compute": 1e31}}}
    run = run_of(small_scenario({**changes, "quantities": {"income": before} if of == "quantity" else {}}))
    steps = 4000
    had, algorithms, multiplier = np.empty(10 * steps + 1), 0.0, faster(10, 1e36)
    for place in range(had.size):  # where algorithms were is known a year ahead of what they allow
        time = place / steps
        ago = 26 + 1.3 * (time - 1) if place < steps else had[place - steps]
        rate = 0.0 if place == 0 else 0.3 * multiplier(had[place - 1] - 26)
        algorithms += rate / steps
        had[place] = 18 + min(8 + time, ago + np.log10(2e-17)) + algorithms
    np.testing.assert_allclose(run["trajectories/effective_compute"].values[0], had[::steps], rtol=0, atol=3e-3)
    crossed = float(run["crossings/crossing_year"].values[0, 0])
    assert crossed == pytest.approx(2025 + np.argmax(had >= 31) / steps, abs=2e-3)


def test_jumps_beside_feedback_come_when_they_come_and_are_multiplied() -> None:
    """With a multiplier of 2 throughout, tenfold jumps are of 2 OOM, each on its day."""
    jumping = {"rate": "0.7/year", "size": "10x"}
    double = [{"at": 1e26, "multiplier": 2}, {"at": 1e30, "multiplier": 2}]
    algorithms = {"growth": {"value": 0.1, "unit": "OOM/year"}, "jumps": jumping, "feedback": double}
    thresholds = {
        f"t{k}": {"quantity": "algorithms", "level": {"value": 10.0**k, "unit": "factor"}} for k in range(1, 9)
    }
    drivers = {"compute": {"start": 1e26}, "algorithms": algorithms}
    run = run_of(small_scenario({"drivers": drivers, "thresholds": thresholds, "samples": 40}))
    uniforms = [run[f"parameters/drivers.algorithms.jumps.shock[{year}]"].values for year in range(2026, 2036)]
    stated = {"base": 2025.0, "rate": np.array([0.7]), "size": np.array([2.0]), "spread": np.zeros(1)}
    drawn = [*drawn_jumps(uniforms=np.stack(uniforms, axis=-1), jump_years=range(2026, 2036), **stated)]
    times = 2025 + np.arange(40_001) / 4000
    exact = 0.2 * (times - 2025) + jump_growth(times, drawn)
    np.testing.assert_allclose(run["trajectories/algorithms"].values, exact[:, ::4000], rtol=0, atol=1e-5)
    met = exact[None] >= np.arange(1, 9)[:, None, None] - 1e-9
    dates = np.where(met.any(axis=2), times[met.argmax(axis=2)], np.inf)
    np.testing.assert_allclose(run["crossings/crossing_year"].values, dates, rtol=0, atol=6e-4)


def test_a_jump_splits_the_step_of_feedback_in_which_it_comes() -> None:
    """Compute jumps tenfold, which trebles and more the growth of algorithms: from the day on, not from a step on."""
    drivers = {
        "compute": {"start": 1e26, "jumps": {"rate": "0.5/year", "size": "10x"}},
        "algorithms": {"growth": {"value": 0.2, "unit": "OOM/year"}, "feedback": points(1e3, 1e32)},
    }
    run = run_of(small_scenario({"drivers": drivers, "samples": 30}))
    uniforms = [run[f"parameters/drivers.compute.jumps.shock[{year}]"].values for year in range(2026, 2036)]
    stated = {"base": 2025.0, "rate": np.array([0.5]), "size": np.array([1.0]), "spread": np.zeros(1)}
    drawn = [*drawn_jumps(uniforms=np.stack(uniforms, axis=-1), jump_years=range(2026, 2036), **stated)]
    found = run["trajectories/algorithms"].values
    # d a/dt = 0.2 x 10^((a + jumps) / 2) between jumps: 10^(-a / 2) falls by 0.1 ln 10 x 10^(jumps / 2) a year.
    for sample, jumps in enumerate(np.sort([when for when, _ in drawn], axis=0).T - 2025):
        spent = sum(np.clip(YEARS - jump, 0, None) * (10 ** (k / 2) - 10 ** ((k - 1) / 2))
                    for k, jump in enumerate(jumps[np.isfinite(jumps)], start=1)) + YEARS  # fmt: skip
        left = 1 - 0.1 * np.log(10) * spent
        exact = -2 * np.log10(np.maximum(left, 1e-9))
        held = np.cumsum(exact + (jumps < YEARS[:, None]).sum(axis=1) > 3) == 0  # up to where it explodes
        np.testing.assert_allclose(found[sample, held], exact[held], rtol=0, atol=1e-3)
