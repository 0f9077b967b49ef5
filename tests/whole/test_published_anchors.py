"""Published closed forms, a table of crossing years and a forecast, as the shipped scenarios give them."""

from __future__ import annotations

from math import log10

import numpy as np
import pytest

from simulator.scenario.library import library_prior, shipped_names
from simulator.scenario.load import load_scenario
from simulator.units import parse_growth_unit
from tests.published_runs import published, run_of

NAMES = (
    "cottier-2023", "cottier-2024", "four-times-a-year", "gpt-3-carried-forward", "rethink-2024", "cotra-2020",
)  # fmt: skip


def test_there_are_targets_for_every_requirement_and_factor_of_the_tables():
    assert len(published("rethink-2024").targets) == 23
    assert len(published("cotra-2020").targets) == 4 * 9 + 2


def test_published_numbers_are_no_scenarios():
    assert {f"published/{name}" for name in NAMES} <= set(shipped_names("scenarios"))
    assert not [name for name in shipped_names("scenarios") if "targets" in name]


def test_a_scenario_of_fixed_numbers_has_nothing_to_draw():
    for name in ("cottier-2024", "four-times-a-year", "gpt-3-carried-forward", "rethink-2024"):
        assert load_scenario(f"published/{name}").joint.uncertain == ()
    assert load_scenario("published/cotra-2020").joint.uncertain == ("thresholds.requirement.effective_compute",)


def test_rates_and_limits_follow_the_drawn_requirement_in_every_sample():
    parameters = run_of("cotra-2020")["parameters"]
    x = parameters["thresholds.requirement.effective_compute"].values
    years = np.clip(3.5 - (x - 29) / 4, 2, 3.5)
    headroom = np.clip(2 + (x - 32) / 4, 2, 5)
    assert np.isinf(x).mean() == pytest.approx(0.07, abs=1e-3)
    assert parameters["drivers.algorithms.growth"].values == pytest.approx(log10(2) / years, abs=1e-9)
    assert parameters["drivers.algorithms.caps.headroom.limit"].values == pytest.approx(headroom, abs=1e-9)


@pytest.mark.parametrize("x", range(23, 46))
def test_the_steps_of_the_table_are_its_roundings(x):
    joint = load_scenario("published/rethink-2024", overrides=[f"thresholds.requirement.effective_compute=1e{x}"]).joint
    years = min(max(3.5 - round((x - 29) / 2) / 2, 2), 3.5)
    assert joint.priors["drivers.algorithms.growth"].value == pytest.approx(log10(2) / years, rel=1e-12)
    limit = joint.priors["drivers.algorithms.caps.headroom.limit"].value
    assert limit == pytest.approx(min(max(2 + round((x - 32) / 4), 2), 5), rel=1e-12)


@pytest.mark.parametrize(
    ("months", "factor", "digits"), [(8, 2.83, 2), (5, 5.28, 2), (14, 1.81, 2), (2, 64, 0), (22, 1.46, 2)]
)
def test_a_halving_time_is_a_factor_a_year(months, factor, digits):
    rate = float(parse_growth_unit("months/halving of requirement").conversion.forward(np.array(float(months))))
    assert round(10**rate, digits) == factor


def test_300000_fold_takes_61_9_months_at_a_doubling_in_3_4_months():
    rate = float(parse_growth_unit("months/doubling").conversion.forward(np.array(3.4)))
    assert 12 * log10(300_000) / rate == pytest.approx(61.9, abs=0.05)


OF_2026 = {
    "starts/mythos-preview-read-2026": (6.1e27, "FLOP", "low"),
    "compute/openai-all-2026": (4, "factor/year", "medium"),
    "compute/experiments-2026": (3.7, "factor/year", "low"),
    "algorithms/research-staff-2026": (2.3, "factor/year", "low"),
    "compute/aschenbrenner-2024": (0.5, "OOM/year", "medium"),
    "algorithms/aschenbrenner-2024": (0.5, "OOM/year", "medium"),
    "spending/openai-compute-2028": (1.21e11, "USD", "low"),
    "spending/openai-compute-to-2030": (6e11, "USD", "low"),
    "spending/xpt-2022-superforecasters-run-2024": (3.5e7, "USD", "medium"),
    "spending/xpt-2022-experts-run-2024": (6e7, "USD", "medium"),
    "spending/xpt-2022-superforecasters": ((6.4, 11), "%/year", "medium"),
    "spending/xpt-2022-experts": ((5.7, 19.5), "%/year", "medium"),
    "algorithms/xpt-2022-superforecasters": ((0.09, 0.2), "OOM/year", "medium"),
    "algorithms/xpt-2022-experts": ((0.15, 0.23), "OOM/year", "medium"),
    "hardware/epoch-price-performance-2026": (37, "%/year", "medium"),
    "caps/capex-growth-since-gpt-4-2026": (70, "%/year", "medium"),
    "caps/five-company-capex-2027": (1.1e12, "USD", "low"),
    "constraints/power-openai-growth-2026": (3, "factor/year", "medium"),
    "constraints/power-openai-growth-to-2027": (2.5, "factor/year", "medium"),
    "constraints/power-openai-2027": (12e9, "W", "medium"),
    "constraints/chips-three-labs-share-2025": (0.21, "fraction", "medium"),
    "constraints/chips-world-running-2025": (16e6, "chip", "medium"),
    "constraints/chips-world-sold-2025": (20e6, "chip", "medium"),
    "constraints/chips-openai-2025": (1.7e6, "chip", "medium"),
    "constraints/chips-anthropic-at-least-2025": (1e6, "chip", "medium"),
    "constraints/chips-world-stock-growth-2026": (3.4, "factor/year", "medium"),
    "constraints/chips-largest-data-centre-2026": (1.4e6, "chip", "medium"),
    "constraints/chips-largest-data-centre-growth-from-2027": (3.3, "factor/year", "medium"),
    **{f"constraints/memory-supply-{y}": (v, "Ebyte", "low") for y, v in ((2026, 3.6), (2027, 5.6), (2028, 7.2))},
    **{f"constraints/memory-demand-{y}": (v, "Ebyte", "low") for y, v in ((2026, 4.8), (2027, 6.7), (2028, 9.8))},
    "capability/metr-horizon-at-least-2026": (16, "hour", "medium"),
    "capability/metr-2026-may": ((4, 4.5), "months/doubling", "medium"),
    "capability/reasoning-models-growth-2026": ((2, 3), "1", "low"),
    "capability/ai-futures-2025-doubling": (5.5, "months/doubling", "medium"),
    "capability/ai-futures-2025-difficulty": (0.92, "1", "medium"),
    "capability/ai-futures-2025-automated-coder": (3.3, "person year", "medium"),
}
"""Published values or intervals, units and confidence of what the library holds of 2026 and of the periods before it."""


@pytest.mark.parametrize("entry", OF_2026)
def test_an_entry_gives_the_published_figure_with_its_unit_and_confidence(entry):
    figure, unit, confidence = OF_2026[entry]
    prior = library_prior(entry)
    stated = prior.value or prior.median
    assert figure == (stated if prior.interval is None or stated else (prior.interval.lower, prior.interval.upper))
    assert (prior.unit, prior.confidence) == (unit, confidence)
    assert str(prior.as_of) < "2026-08"
    assert prior.source
    assert prior.notes


def test_what_is_claimed_of_the_largest_run_has_the_error_of_a_speculative_estimate():
    read, claimed = (library_prior(f"starts/{name}-2026") for name in ("mythos-preview-read", "largest-run-claimed"))
    assert (read.interval.lower, read.interval.upper, read.interval.level) == (5.3e27, 7.1e27, 0.95)
    assert np.sqrt(claimed.interval.lower * claimed.interval.upper) == pytest.approx(6.1e27, rel=1e-4)
    assert np.sqrt(claimed.interval.upper / claimed.interval.lower) == pytest.approx(31, rel=1e-4)
