"""Limits made of what a variable was before: the path as it is between the years, and when it crosses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simulator.runs.run import Run
from simulator.testing import run_of, small_scenario

LEVELS = 10 ** np.arange(8.2, 12, 0.15)


def followed(lag: Any, growth: Any = "5x/year", *, kind: str = "hard", **changes: Any) -> Run:
    """Run spending from 10^8 USD that is at most three times what it was; thresholds are named by their places."""
    cap = {"kind": kind, "limit": {"product": [lag, 3]}}
    spending = {"start": {"value": 1e8, "unit": "USD"}, "growth": growth, "caps": {"follows": cap}}
    return run_of(
        small_scenario(
            {
                "drivers": {"spending": spending, "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}}},
                "thresholds": {f"t{place}": {"spending": float(level)} for place, level in enumerate(LEVELS)},
                "samples": 1,
                **changes,
            }
        )
    )


def before(by: Any) -> dict[str, Any]:
    return {"lag": {"of": "spending", "by": f"{by} years" if isinstance(by, float) else by}}


type Numbers = np.ndarray[Any, np.dtype[np.float64]]
type Exact = Callable[[Numbers], Numbers]
TIMES = np.arange(100_001) / 10_000
OFF = 1.1e-4
"""Years between two of these times, and a little."""


def first_met(levels: Numbers) -> Numbers:
    """Find when a path, in log10 at the times since 2025, first stands at each of the levels."""
    met = [np.flatnonzero(levels >= np.log10(level) - 1e-9) for level in LEVELS]
    return np.array([2025 + TIMES[each[0]] if each.size else np.inf for each in met])


def fivefold(times: Numbers) -> Numbers:
    return 8 + times * np.log10(5)


def limited(by: float, kind: str = "hard") -> Exact:
    """Give what grows fivefold a year and, from 2025 on, is limited to three times what it was."""

    def path(times: Numbers) -> Numbers:
        levels, late = fivefold(times), times >= 0
        if late.any():
            limit = path(times[late] - by) + np.log10(3)
            bent = -np.logaddexp(-levels[late] * LN_10, -limit * LN_10) / LN_10
            levels[late] = np.minimum(levels[late], limit) if kind == "hard" else bent
        return levels

    return path


LN_10 = np.log(10)


@pytest.mark.parametrize("step", ["year", "month"])
def test_growth_is_at_most_what_the_lag_allows_and_its_crossings_lie_where_the_path_does(step: str) -> None:
    """Twice a year until 2027, then fivefold: held to threefold a year from 2027.44 on, with kinks in every year."""
    growth = [{"rate": "2x/year"}, {"from": 2027, "rate": "5x/year"}]
    run = followed(before("1 year"), growth, years={"first": 2025, "last": 2035, "step": step})
    meets = np.log(1.5) / np.log(2.5)
    whole, part = np.divmod(np.maximum(TIMES - 2, 0), 1)
    risen = np.minimum(part, meets) * np.log10(5) + np.maximum(part - meets, 0) * np.log10(2)
    exact = 8 + np.minimum(TIMES, 2) * np.log10(2) + whole * np.log10(3) + risen
    np.testing.assert_allclose(crossed(run), first_met(exact), rtol=0, atol=OFF)
    yearly = run["trajectories/spending"].sel(year=np.arange(2025, 2036)).values[0]
    np.testing.assert_allclose(yearly, exact[::10_000], rtol=1e-6)


@pytest.mark.parametrize("step", ["year", "month"])
@pytest.mark.parametrize("by", [1.0, 1.37, 0.5])
def test_a_path_that_falls_a_lag_after_its_limit_began_is_met_on_its_teeth(by: float, step: str) -> None:
    """Without a limit before 2025 it grew fivefold a year: it falls to its limit, and rises and falls again."""
    run = followed(before(by), years={"first": 2025, "last": 2035, "step": step})
    np.testing.assert_allclose(crossed(run), first_met(limited(by)(TIMES)), rtol=0, atol=OFF)


@pytest.mark.parametrize(("samples", "step"), [(3, "year"), (600, "month")])
def test_where_nothing_is_drawn_every_sample_crosses_on_the_teeth(samples: int, step: str) -> None:
    years = {"first": 2025, "last": 2035, "step": step}
    run = followed(before(1.0), years=years, samples=samples, thresholds={"t": {"spending": 2e9}})
    exact = 2027 + np.log(2e9 / (1e8 / 5 * 3**3)) / np.log(5)
    np.testing.assert_allclose(run["crossings/crossing_year"].values[0], exact, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["hard", "logistic"])
def test_a_drawn_lag_is_followed_in_every_sample(kind: str) -> None:
    run = followed(before({"uniform": [0.7, 1.9], "unit": "year"}), kind=kind, samples=3)
    for place, by in enumerate(run["parameters/drivers.spending.caps.follows.limit.product[0].lag.by"].values):
        exact = limited(by, kind)(TIMES)
        np.testing.assert_allclose(crossed(run, place), first_met(exact), rtol=0, atol=OFF)
        np.testing.assert_allclose(run["trajectories/spending"].values[place], exact[::10_000], rtol=1e-6)


def test_two_lags_in_one_limit_are_followed_in_any_order() -> None:
    lag = {"minimum": [before(0.75), {"product": [before(0.3125), 0.5]}]}
    earlier = {7500: np.log10(3), 3125: np.log10(1.5)}
    whole = fivefold(np.arange(-7500, TIMES.size) / 10_000)
    for begin in range(7500, whole.size, 3125):
        here = np.arange(begin, min(begin + 3125, whole.size))
        whole[here] = np.minimum(whole[here], np.min([whole[here - by] + up for by, up in earlier.items()], axis=0))
    np.testing.assert_allclose(crossed(followed(lag)), first_met(whole[7500:]), rtol=0, atol=OFF)


def test_a_limit_made_of_a_stock_of_what_was_spent_is_followed_with_it() -> None:
    """At most three times what had been spent half a year ago, 10^8 USD in 2025 and what came since."""
    yearly = {"ratio": ["spending", {"value": 1, "unit": "year"}]}
    stock = {"accumulation": yearly, "start": {"value": 1e8, "unit": "USD"}, "at": 2024}
    run = followed({"lag": {"of": "spent", "by": "6 months"}}, quantities={"spent": stock})
    whole = 10 ** fivefold(np.arange(-10_000, TIMES.size) / 10_000)
    spent = np.full(whole.size, 1e8)
    for begin in range(0, whole.size, 5000):
        here = np.arange(begin, min(begin + 5000, whole.size))
        late = here[here >= 10_000]
        whole[late] = np.minimum(whole[late], 3 * spent[late - 5000])
        steps = np.maximum(here - 1, 0)
        spent[here] = spent[steps[0]] + np.cumsum((whole[here] + whole[steps]) / 2 * (here > 0)) / 10_000
    np.testing.assert_allclose(crossed(run), first_met(np.log10(whole[10_000:])), rtol=0, atol=2e-3)


def crossed(run: Run, sample: int = 0) -> Numbers:
    return np.asarray(run["crossings/crossing_year"].values[:, sample])
