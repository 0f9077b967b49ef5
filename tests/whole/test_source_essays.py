"""What the source essays say, as scenarios and quantities, each with its number."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from simulator import load_scenario, simulate
from simulator.runs.growth_by_driver import mean_contributions
from simulator.runs.named_quantities import quantity_lines, quantity_table

EXACT = 1e-5


@cache
def run_of(name: str) -> Any:
    return simulate(load_scenario(name, overrides=["samples=512"]))


def level(run: Any, variable: str, year: float = 2023) -> np.ndarray:
    return 10.0 ** np.asarray(run[f"trajectories/{variable}"].sel(year=year).values, dtype=float)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gpt_3_compute", 6 * 175e9 * 300e9),
        ("gpt_3_tokens_asked_for", 3.5e12),
        ("gpt_3_undertrained", 3 / 35),
        ("gpt_3_best_size", np.sqrt(3.15e23 / 120)),  # 5.1e10 parameters on 1.0e12 tokens
        ("largest_run_on_text", 0.3 * 5.1e14**2),
        ("parameters_times_data", 1e9),  # the essay's check, beside
        ("effective_compute_so_far", 9.487e10),  # what its table gives
        ("llama_chips", 2048 * 15_000 * 21 / 365.25 * 0.25),  # $442,000: the essay says $450,000
        ("llama_electricity", 67_200),
        ("run_under_hard_cap", None),
    ],
)
def test_what_is_built_from_parts(name: str, value: float | None) -> None:
    run = run_of("essay-parts")
    value = 1e11 * level(run, "hardware")[0] if value is None else value
    np.testing.assert_allclose(level(run, f"quantity_{name}"), value, rtol=2e-4 if "so_far" in name else EXACT)


def test_the_essay_rounds_its_costs_and_its_successor_follows_from_them() -> None:
    run = run_of("essay-parts")
    chips, electricity = (level(run, f"quantity_llama_{part}")[0] for part in ("chips", "electricity"))
    assert chips == pytest.approx(450_000, rel=0.02)
    assert electricity == pytest.approx(67_000, rel=0.005)
    low, high = np.quantile(level(run, "quantity_successor"), [0.0, 1.0])
    assert low == pytest.approx(50e6, rel=0.05)
    assert high == pytest.approx(500e6, rel=0.05)


def test_the_compute_of_the_largest_run_is_made_of_its_parameters_and_tokens() -> None:
    run = run_of("essay-parts")
    for year in (2023, 2030):
        compute, size, tokens = (
            level(run, name, year)[0] for name in ("physical_compute", "quantity_parameters", "quantity_tokens")
        )
        assert tokens == pytest.approx(min(20 * size, 5.1e14), rel=EXACT)
        if 20 * size < 5.1e14:
            assert 6 * size * tokens == pytest.approx(compute, rel=1e-4)


def test_data_become_a_wall_and_loss_stays_above_what_compute_alone_would_give() -> None:
    run = run_of("essay-parts")
    size, tokens = (level(run, f"quantity_{name}", 2043)[0] for name in ("parameters", "tokens"))
    assert tokens == pytest.approx(5.1e14, rel=EXACT)
    assert 20 * size > 5.1e14
    loss = run["trajectories/capability"].sel(year=2043).values[0]
    assert loss == pytest.approx(1.69 + 406.4 / size**0.34 + 410.7 / tokens**0.28, rel=1e-5)
    assert loss > 1.69 + 406.4 / size**0.34 + 410.7 / (20 * size) ** 0.28


def test_an_undertrained_model_is_worse_than_the_best_of_its_compute() -> None:
    def loss(size: float, tokens: float) -> float:
        return 1.69 + 406.4 / size**0.34 + 410.7 / tokens**0.28

    size = level(run_of("essay-parts"), "quantity_gpt_3_best_size")[0]
    assert 6 * size * 20 * size == pytest.approx(3.15e23, rel=1e-4)
    assert loss(175e9, 300e9) == pytest.approx(2.002, abs=1e-3)
    assert loss(size, 20 * size) == pytest.approx(1.961, abs=2e-3)


def test_twenty_to_a_thousand_times_as_spending_and_as_compute() -> None:
    run = run_of("essay-parts")
    for name, unit in (("cost", 1e8), ("compute", 2.1e25)):
        found = level(run, f"quantity_next_runs_{name}") / unit
        np.testing.assert_allclose([found.min(), found.max()], [20, 1000], rtol=0.02)
    hard, realistic = (level(run, f"quantity_run_under_{cap}_cap") for cap in ("hard", "realistic"))
    assert np.median(hard / realistic) == pytest.approx(100 / np.sqrt(200), rel=0.01)


def test_tokens_are_a_thousand_times_cheaper_and_not_a_hundred() -> None:
    assert level(run_of("essay-parts"), "quantity_cheaper_tokens", 2025)[0] == pytest.approx(1000, rel=EXACT)
    assert level(run_of("essay-parts"), "quantity_training_set", 2025)[0] == pytest.approx(20_000, rel=EXACT)


def test_a_roofline_is_the_smaller_of_peak_and_bandwidth_times_intensity() -> None:
    run = run_of("essay-parts")
    assert level(run, "quantity_speed_of_training")[0] == pytest.approx(1e15, rel=EXACT)
    assert level(run, "quantity_speed_of_reading")[0] == pytest.approx(2 * 3.35e12, rel=EXACT)


def test_a_roofline_limits_hardware_from_the_day_that_memory_no_longer_feeds_the_peak() -> None:
    """Peak 1.3e18 x 1.4^t, roof 1.1e16 x 1600 x 2^(t / 4.1) FLOP a dollar: they meet after 15.56 years, in early 2041."""
    levels = run_of("roofline")["trajectories"]
    met = np.minimum(levels["hardware_demanded"], levels["cap_hardware_memory"])
    np.testing.assert_array_equal(levels["hardware"], met)
    factors = "drivers.hardware.factors"
    fixed = [
        *(f"{factors}.price-performance.{key}" for key in ("start=1.3e18 FLOP/USD", "growth=1.4x/year")),
        f"{factors}.precision-and-utilisation.growth=[{{rate: 1x/year}}]",
        "quantities.work-per-byte={value: 1600, unit: FLOP/byte}",
        f"thresholds.below={{quantity: hardware, level: {1.3e18 * 1.4**15} FLOP/USD}}",
        f"thresholds.above={{quantity: hardware, level: {1.76e19 * 2 ** (18 / 4.1)} FLOP/USD}}",
        *("samples=64", "years.step=month", "years.first=2025.5", f"{factors}.price-performance.at=2025.5"),
    ]
    run = simulate(load_scenario("roofline", overrides=fixed))
    meets = 2025.5 + np.log(1.76e19 / 1.3e18) / (np.log(1.4) - np.log(2) / 4.1)
    years, share = run["summary/year"].values, run["summary/binding_hardware_share"].values[0]
    np.testing.assert_array_equal(share, years >= meets)
    crossing = run["crossings/crossing_year"]
    for name, date in (("below", 2040.5), ("above", 2043.5)):
        np.testing.assert_allclose(crossing.sel(threshold=name), date, atol=1e-6)


def test_quantities_are_printed() -> None:
    lines = quantity_lines(quantity_table(run_of("essay-parts")))
    told = "\n".join(lines)
    assert "chips of Llama" in told
    assert "441,600" in told
    assert "67,200" in told


def test_three_eras_double_as_fast_as_their_dates_say_and_jump_in_2016() -> None:
    run = run_of("three-eras")
    compute = run["trajectories/physical_compute"]

    def doublings(first: float, last: float) -> float:
        return float(np.median(compute.sel(year=last) - compute.sel(year=first))) / np.log10(2)

    assert doublings(1990, 2010) == pytest.approx(20 * 12 / 20, rel=0.01)
    assert doublings(2010, 2015) == pytest.approx(5 * 12 / 6, rel=0.01)
    assert doublings(2017, 2022) == pytest.approx(5 * 12 / 10, rel=0.01)
    from_2015_to_2017 = 0.75 * 12 / 6 + 1.25 * 12 / 10 + np.log2(100)
    assert doublings(2015, 2017) == pytest.approx(from_2015_to_2017, rel=0.01)


def test_compute_contributes_about_twice_as_much_as_algorithms_since_2014() -> None:
    parts = mean_contributions(run_of("compute-and-algorithms")).sel(year=2023)
    compute, algorithms = (float(parts.sel(part=name)) for name in ("physical_compute", "algorithms"))
    assert compute / algorithms == pytest.approx(2, abs=0.35)
    medians = [np.log10(9.5), np.log10(2) * 12 / 8]
    assert medians[0] / medians[1] == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize(("factor", "years"), [("image", np.log2(40)), ("language", np.log2(1_900_000))])
def test_twice_the_quality_takes_40x_or_1900000x_compute(factor: str, years: float) -> None:
    changes = [
        "capability.kind=gain-per-factor",
        "capability.gain={value: 2}",
        f"capability.per={{prior: capability/{factor}-compute-for-twice-as-good}}",
        "samples=4",
    ]
    run = simulate(load_scenario("capability", overrides=changes))
    found = run["crossings/crossing_year"].sel(threshold="twice").values
    np.testing.assert_allclose(found, 2025 + years, atol=1e-3)  # 2030.3 for images: compute doubles every year


def test_rare_discoveries_add_their_mean_and_scatter_to_the_baseline() -> None:
    names = ("discoveries", "baseline")
    last = [np.asarray(run_of(name)["trajectories/algorithms_demanded"].isel(year=-1).values) for name in names]
    added = (last[0] - last[1]).astype(float)  # both have the same draws of steady growth
    rate = 10 ** run_of("discoveries")["parameters/drivers.algorithms.jumps.rate"].values * 365.25 * 86400
    expected = rate * 19.5 * np.log10(7.2)
    assert added.mean() == pytest.approx(expected.mean(), rel=0.1)
    variance = rate.mean() * 19.5 * (np.log10(7.2) ** 2 + 0.18**2) + expected.var()
    assert added.var() == pytest.approx(variance, rel=0.25)
