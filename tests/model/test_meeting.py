"""Paths that rise and fall between two years: dated on the path, against sums by hand and against a finer step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulator.model.chance import drawn_jumps
from simulator.runs.run import Run
from simulator.testing import run_of, small_scenario

TIMES = 2025 + np.arange(160_001) / 20_000
"""Eight years, (time,)."""
SHARP = 0.01
"""Years to which a crossing beside a sharp turn is dated."""

type Numbers = np.ndarray[Any, np.dtype[np.float64]]

LEVELS = {f"t{place}": {"effective_compute": 10 ** (26 + 0.4 * place)} for place in range(1, 9)}
SCATTER = {"family": "lognormal", "median": 0.4, "interval_90": [0.2, 0.8], "unit": "OOM/year"}
SLOWING = [
    {"rate": {"mean": 0.6, "sd": 0.2, "unit": "OOM/year"}},
    {"from": {"uniform": [2026, 2032]}, "rate": {"mean": -0.2, "sd": 0.3, "unit": "OOM/year"}},
]
TURNING = [
    {"rate": {"mean": 0.3, "sd": 0.2, "unit": "OOM/year"}},
    {"from": {"uniform": [2026, 2030]}, "rate": {"mean": 1.5, "sd": 0.3, "unit": "OOM/year"}},
    {"from": {"uniform": [2026, 2031]}, "rate": {"mean": -1, "sd": 0.3, "unit": "OOM/year"}},
    {"from": {"uniform": [2026, 2032]}, "rate": {"mean": 0.5, "sd": 0.3, "unit": "OOM/year"}},
]
FADING = [
    {"rate": {"mean": 1.5, "sd": 0.3, "unit": "OOM/year"}, "half_life": {"uniform": [0.2, 1], "unit": "year"},
     "towards": {"value": -0.3, "unit": "OOM/year"}},
    {"from": {"uniform": [2026, 2030]}, "rate": {"mean": 2, "sd": 0.3, "unit": "OOM/year"},
     "half_life": {"uniform": [0.2, 0.5], "unit": "year"}, "towards": {"value": -1, "unit": "OOM/year"}},
]  # fmt: skip
LIMIT = {"start": {"median": 3e27, "interval_90": [3e26, 3e28], "unit": "FLOP"}}
WALKING = {**LIMIT, "growth": "-0.2 OOM/year", "volatility": SCATTER}
UP_AND_DOWN = {**LIMIT, "growth": TURNING}


def crossings(**changes: Any) -> Run:
    years = {"first": 2025, "last": 2033}
    return run_of(small_scenario({"years": years, "thresholds": LEVELS, "samples": 512, **changes}))


def first_met(path: Numbers, log_level: float) -> float:
    met = np.flatnonzero(path >= log_level - 1e-9)
    return float(TIMES[met[0]]) if met.size else np.inf


def turned(run: Run, path: str, sample: int) -> Numbers:
    """Add up by hand what the regimes of a level at a path give since 2025, the later of two dates counting, (time,)."""
    drawn = {name: float(values.values[min(sample, values.size - 1)]) for name, values in run["parameters"].items()}
    begins, latest = [2025.0], 2025.0
    for place in (1, 2, 3):
        latest = max(latest, drawn[f"{path}.growth[{place}].from"])
        begins.append(latest)
    ends = [*begins[1:], np.inf]
    spans = [np.clip(TIMES, begin, end) - begin for begin, end in zip(begins, ends, strict=True)]
    rates = [drawn[f"{path}.growth[{place}].rate"] for place in range(4)]
    return drawn[f"{path}.start"] + np.sum([rate * span for rate, span in zip(rates, spans, strict=True)], axis=0)


@pytest.mark.parametrize("step", ["year", "quarter"])
@pytest.mark.parametrize("kind", ["none", "hard", "logistic"])
def test_a_path_whose_regimes_change_within_a_year_is_met_on_its_peak(kind: str, step: str) -> None:
    """By itself; or as a limit on what grows, by which the path turns on no date that is written."""
    limited = {"caps": {"c": {"kind": kind, "limit": UP_AND_DOWN}}, "growth": "1 OOM/year"}
    compute = {"start": LIMIT["start"], "growth": TURNING} if kind == "none" else {"start": "1e26 FLOP", **limited}
    years = {"first": 2025, "last": 2033, "step": step}
    run = crossings(**{"drivers.compute": compute, "samples": 128, "years": years})
    at = "drivers.compute" + (".caps.c.limit" if kind != "none" else "")
    hidden = 0
    for sample in range(128):
        path, grown = turned(run, at, sample), 26 + TIMES - 2025
        if kind == "hard":
            path = np.minimum(path, grown)
        elif kind == "logistic":
            path = -np.logaddexp(-path * LN_10, -grown * LN_10) / LN_10
        exact = [first_met(path, 26 + 0.4 * place) for place in range(1, 9)]
        found = run["crossings/crossing_year"].values[:, sample]
        np.testing.assert_allclose(found, exact, rtol=0, atol=SHARP)
        yearly = np.maximum.accumulate(path[::20_000])
        hidden += sum(exact_ < np.inf and yearly[-1] < 26 + 0.4 * k for k, exact_ in enumerate(exact, start=1))
    assert hidden > 0


LN_10 = np.log(10)


LAGGING = {"quantities": {"q": UP_AND_DOWN}, "drivers.compute.caps": {
    "c": {"kind": "hard", "limit": {"lag": {"of": "q", "by": {"uniform": [0.3, 1.5], "unit": "year"}}}}}}  # fmt: skip
"""Some of its paths never fall, yet leave a straight line and come back to it within a step, which is not seen."""
EVENT = {"from": {"uniform": [2026, 2032]}, "for": {"uniform": [0.1, 1], "unit": "year"}}


@pytest.mark.parametrize(
    "changes",
    [
        {"drivers.compute.growth": SLOWING, "drivers.compute.volatility": SCATTER},
        {"drivers.compute.growth": SLOWING, "drivers.compute.drift": SCATTER},
        {"drivers.compute.growth": FADING},
        {"drivers.compute.growth": FADING, "drivers.compute.volatility": SCATTER},
        {"drivers.compute.caps": {"c": {"kind": "hard", "limit": WALKING}}},
        {"drivers.compute.caps": {"c": {"kind": "logistic", "limit": WALKING}}},
        {"drivers.compute.caps": {"c": {"kind": "exponential", "limit": UP_AND_DOWN}}},
        LAGGING,
        {"drivers.compute.growth": TURNING, "drivers.compute.caps": {"c": {"kind": "hard", "limit": {"product": [
            {"lag": {"of": "physical_compute", "by": {"uniform": [0.3, 1.5], "unit": "year"}}}, 3]}}}},
        {"drivers.compute.growth": TURNING, "drivers.compute.jumps": {"rate": "1/year", "size": "0.5x"}},
        {"events": {"e": {**EVENT, "effects": [{"on": "drivers.compute.growth", "times": -3}]}}},
        {"drivers.compute.volatility": SCATTER,
         "events": {"e": {**EVENT, "effects": [{"on": "drivers.compute.growth", "rate": "-3 OOM/year"}]}}},
        {"drivers.compute.caps": {"c": {"kind": "hard", "limit": WALKING}},
         "events": {"e": {**EVENT, "effects": [{"on": "drivers.compute.caps.c", "limit": "put-on"}]}}},
        {"drivers.compute.growth": TURNING, "thresholds": {"moves": {"physical_compute": {
            "start": "1e28 FLOP", "growth": [{"rate": "0.3 OOM/year"},
            {"from": {"uniform": [2027, 2032]}, "rate": "-1 OOM/year"},
            {"from": {"uniform": [2027, 2032]}, "rate": "2 OOM/year"}]}}}},
        {"drivers.algorithms": {"growth": TURNING, "feedback": [
            {"at": 1e26, "multiplier": 1}, {"at": 1e30, "multiplier": 3}]}},
    ],
)  # fmt: skip
def test_a_finer_step_dates_no_crossing_otherwise(changes: Any) -> None:
    """But for one in a thousand, which only just touch, by more than 0.003 years."""
    yearly, finer = (
        crossings(**changes, years={"first": 2025, "last": 2033, "step": step})["crossings/crossing_year"].values
        for step in ("year", "quarter")
    )
    apart = np.where(yearly == finer, 0, np.abs(np.where(yearly == finer, 0, yearly) - finer))
    assert (apart > 0.003).mean() <= 0.001
    assert apart.max() <= (0.12 if changes is LAGGING else SHARP)
    assert np.isfinite(finer).any()


GAIN = {"kind": "gain-per-doubling", "reference": "1e26 FLOP"}
LOSS = {"kind": "power-law-loss", "irreducible": 1.7, "scale": 1e4, "exponent": 0.15}


@pytest.mark.parametrize("metric", [{**GAIN, "gain": 2}, {**GAIN, "gain": 5}, LOSS])
@pytest.mark.parametrize(
    "changes",
    [
        {"drivers.compute.growth": TURNING},
        {"drivers.compute.growth": FADING},
        {"drivers.compute.caps": {"c": {"kind": "hard", "limit": WALKING}}},
    ],
)
def test_a_metric_is_met_when_the_compute_that_it_is_made_of_is(changes: Any, metric: Any) -> None:
    """However steep it is: what compute may fall by in a step bounds no metric."""
    levels = [26 + 0.4 * place for place in range(1, 9)]
    metrics = [
        metric["gain"] ** ((level - 26) / np.log10(2)) if "gain" in metric
        else metric["irreducible"] + metric["scale"] * 10 ** (-metric["exponent"] * level)
        for level in levels
    ]  # fmt: skip
    thresholds = {f"c{place}": {"physical_compute": 10**level} for place, level in enumerate(levels)}
    thresholds |= {f"m{place}": {"capability": float(value)} for place, value in enumerate(metrics)}
    made = {"capability": {"name": "m", "of": "physical_compute", **metric}, "thresholds": thresholds}
    found = crossings(**changes, **made)["crossings/crossing_year"].values
    np.testing.assert_allclose(found[8:], found[:8], rtol=0, atol=SHARP)
    assert np.isfinite(found).any()


def test_a_table_with_months_is_met_where_it_is_highest() -> None:
    dated = {2025: 1e26, 2025.4: 3e27, 2026: 1e27, 2027.5: 1e28, 2027.6: 1e27, 2028: 2e28, 2034: 1e29}
    met = {1.1e27: 2025 + 0.4 * np.log(11) / np.log(30), 2.9e27: 2025 + 0.4 * np.log(29) / np.log(30), 9e27: 2027.5 + 1.5 * np.log(0.9) / np.log(10)}  # fmt: skip
    thresholds = {f"t{place}": {"physical_compute": level} for place, level in enumerate(met)}
    run = crossings(drivers={"compute": {"table": dated, "unit": "FLOP"}}, thresholds=thresholds, samples=2)
    np.testing.assert_allclose(run["crossings/crossing_year"].values[:, 0], [*met.values()], rtol=0, atol=1e-6)


@pytest.mark.parametrize("lifted", [2028.6, 2028.75, 2028.9])
@pytest.mark.parametrize("reach", [2028.05, 2028.2, 2028.45])
def test_a_path_that_waits_at_the_threshold_meets_it_where_it_comes_there(reach: float, lifted: float) -> None:
    """At a limit of its height, which is lifted before the year is over."""
    growth = [{"rate": "0 OOM/year"}, {"from": lifted, "rate": "2 OOM/year"}]
    limit = {"kind": "hard", "limit": {"start": "1e28 FLOP", "growth": growth}}
    compute = {"start": "1e26 FLOP", "growth": {"value": 2 / (reach - 2025), "unit": "OOM/year"}, "caps": {"c": limit}}
    run = crossings(**{"drivers.compute": compute, "thresholds": {"t": {"physical_compute": 1e28}}, "samples": 2})
    np.testing.assert_allclose(run["crossings/crossing_year"].values[0], reach, rtol=0, atol=1 / 4096)


@pytest.mark.parametrize("size", ["2x", "0.5x"])
def test_what_a_jump_brings_about_comes_on_the_day_of_the_jump(size: str) -> None:
    """The date of the crossing, and of the event that waits for it, is one at which the path is there, and none before."""
    halved = size != "2x"
    jumping = {
        "start": "1e26 FLOP",
        "growth": "100 %/year" if halved else "1 %/year",
        "jumps": {"rate": "1/year", "size": size},
    }
    level = (
        {"quantity": "physical_compute", "level": "9e25 FLOP", "falling": True}
        if halved
        else {"physical_compute": 3e26}
    )
    event = {"from": {"threshold": "t"}, "effects": [{"on": "drivers.compute.growth", "times": 1}]}
    run = crossings(**{"drivers.compute": jumping, "thresholds": {"t": level}, "events": {"e": event}})
    crossed, came = run["crossings/crossing_year"].values[0], run["events/event_year"].values[0]
    met = np.isfinite(crossed)
    np.testing.assert_allclose(crossed, came, rtol=0, atol=1e-9)
    shocks = [run[f"parameters/drivers.compute.jumps.shock[{year}]"].values[met] for year in range(2026, 2034)]
    one, none = np.ones(1), np.zeros(1)
    drawn = drawn_jumps(
        base=2025.0, rate=one, size=one, spread=none, uniforms=np.stack(shocks, axis=1), jump_years=range(2026, 2034)
    )
    beside = np.min([np.abs(when - crossed[met]) for when, _ in drawn], axis=0)
    assert (beside < 1 / 2048).mean() > 0.5
    assert beside[beside < 1 / 2048].max() < 1e-9
