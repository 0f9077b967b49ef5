"""The shipped scenarios: they load, they run, they reproduce what their sources say, and they obey the laws of caps."""

from __future__ import annotations

from functools import cache
from math import inf, log, log2, log10, sqrt

import numpy as np
import pytest

from simulator.engine.simulation import simulate
from simulator.runs.frozen import LEVELS, open_frozen
from simulator.scenario.library import shipped_file, shipped_names
from simulator.scenario.load import load_scenario, parse_scenario
from tests.places import ROOT

SAMPLES = 512
FLOAT32 = 3e-6  # trajectories are kept in float32: 6e-8 of a log10 of up to 45
EXACT = 5e-5  # the same for a factor between two sums of three levels: 6 x 3e-6 x ln 10
OURS = tuple(name for name in shipped_names("scenarios") if "/" not in name)


@cache
def run_of(name):
    """Run a shipped scenario with few samples, once."""
    return simulate(load_scenario(name, overrides=[f"samples={SAMPLES}"]))


def levels(run, variable):
    """Give the log10 levels of a variable, (sample, year)."""
    return run["trajectories"][variable]


def factor(run, first, last, *variables):
    """Give the factor by which the product of some variables grows between two years, in the first sample."""
    total = sum(levels(run, variable).isel(sample=0) for variable in variables)
    return 10.0 ** float(total.sel(year=last) - total.sel(year=first))


def crossing(run, threshold):
    """Give the crossing years of a threshold, (sample,)."""
    return run["crossings/crossing_year"].sel(threshold=threshold).values


def run_text(body, *, first=2025, last=2035):
    """Run a tiny scenario from its text without the header."""
    header = f"schema: 2\nname: tiny\nsamples: {SAMPLES}\nyears: {{first: {first}, last: {last}}}\n"
    return simulate(parse_scenario(header + body))


COMPUTE = "drivers: {compute: {start: {value: 1e26, unit: FLOP}, growth: 4x/year}}\n"


def quantity(text, **years):
    """Compute a quantity that is written as one YAML value; its first sample at the first and at the last year."""
    run = run_text(f"{COMPUTE}quantities:\n  it: {text}\n", **years)
    return 10.0 ** levels(run, "quantity_it").isel(sample=0, year=[0, -1]).values.astype(float)


@pytest.mark.parametrize("name", shipped_names("scenarios"))
def test_every_shipped_scenario_names_the_schema_in_its_first_line(name):
    up = "../" * (name.count("/") + 1)
    first = shipped_file("scenarios", name).read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema={up}schemas/scenario.schema.json"


@pytest.mark.parametrize("name", shipped_names("scenarios"))
def test_every_shipped_scenario_loads_and_runs(name):
    scenario = load_scenario(name, overrides=[f"samples={SAMPLES}"])
    assert scenario.spec.name == name.rpartition("/")[2]
    if "'custom':" not in str(scenario.data) and not scenario.must_learn:  # these have tests of their own
        run = simulate(scenario)
        assert np.isfinite(levels(run, "effective_compute")).all()


@pytest.mark.parametrize("name", OURS)
def test_a_scenario_of_ours_loads_without_warnings_and_says_what_it_means(name):
    scenario = load_scenario(name)
    assert scenario.warnings == ()
    assert scenario.spec.title
    assert scenario.spec.notes
    assert all(threshold.label for threshold in scenario.spec.thresholds.values())


@pytest.mark.parametrize("name", ["baseline", "tight-caps", "feedback", "no-caps"])
def test_every_uncertain_number_of_the_forecasts_has_a_source(name):
    joint = load_scenario(name).joint
    assert [prior for prior in joint.uncertain if joint.priors[prior].prior.source is None] == []


DRIVERS = ("spending_demanded", "hardware", "algorithms")
SPANS = [  # first, last, product of the table's yearly factors; the same as printed, and as the essay rounds it
    (2012, 2018, 6.92**5, "1.5868e+04", "1.6e+04"),
    (2018, 2025, 22.663**7, "3.07e+09", "3e+09"),
    (2025, 2035, 3.651338**10, "4.21231e+05", "4e+05"),
    (2012, 2023, 6.92**5 * 22.663**5, "9.487e+10", "9.5e+10"),
    (2023, 2043, 22.663**2 * 3.651338**18, "6.8e+12", "7e+12"),  # the essay says 1.4e9, which does not follow
]


@pytest.mark.parametrize(("first", "last", "product", "printed", "rounded"), SPANS)
def test_the_essays_products_follow_from_its_table(first, last, product, printed, rounded):
    assert factor(run_of("essay-2023"), first, last, *DRIVERS) == pytest.approx(product, rel=EXACT)
    for text in (printed, rounded):
        digits = len(text.partition("e")[0].replace(".", ""))
        assert f"{product:.{digits - 1}e}" == text


def test_spending_in_the_essay_would_reach_nearly_two_trillion_in_2043():
    growth = factor(run_of("essay-2023"), 2025, 2043, "spending_demanded")
    assert growth == pytest.approx(19_268, rel=EXACT)
    assert f"{growth:.1e}" == "1.9e+04"
    assert f"{1e8 * growth:.1e}" == "1.9e+12"


def test_20x_to_1000x_gpt_4_come_in_the_essays_next_few_years_and_then_growth_slows():
    run = run_of("essay-2023")
    np.testing.assert_allclose(levels(run, "physical_compute").sel(year=2023), log10(2.1e25), atol=2e-5)  # GPT-4
    np.testing.assert_allclose(crossing(run, "gpt-4"), 2023, atol=1e-4)
    np.testing.assert_allclose(crossing(run, "20x-gpt-4"), 2023 + log(20) / log(22.663), atol=1e-3)
    after = 2025 + log(1000 / 22.663**2) / log(3.651338)
    np.testing.assert_allclose(crossing(run, "1000x-gpt-4"), after, atol=1e-3)
    assert factor(run, 2035, 2036, "effective_compute") == pytest.approx(1.22 * 1.73, rel=EXACT)


def test_spending_in_the_essay_stops_at_the_hard_cap():
    run = run_of("essay-2023")
    assert float(levels(run, "spending").max()) == pytest.approx(11.0, abs=FLOAT32)
    reached = 2025 + log(10) / log(1.73)  # $10 billion in 2025
    year = crossing(run, "hundred-billion-dollar-run")
    assert year == pytest.approx(np.full(year.size, reached), abs=1e-4)


def test_spending_under_the_realistic_cap_ends_between_10_and_20_billion():
    run = run_of("essay-2023-realistic")
    last = levels(run, "spending").isel(year=-1).values
    assert last.min() >= 10.0 - FLOAT32
    assert last.max() <= log10(2e10) + FLOAT32
    assert np.all(crossing(run, "1000x-gpt-4") >= crossing(run_of("essay-2023"), "1000x-gpt-4")[0] - 0.005)


GPUS = "{value: 2048, unit: chip}, {value: 15000, unit: USD/chip}, {value: 0.25, unit: fraction}"
WEEKS = "{ratio: [{value: 21, unit: day}, {value: 365, unit: day}]}"
STOCK = "{value: 3e14, unit: token}"
ARITHMETIC = {
    "2048 GPUs at $15,000 for 21/365 of a year at 25 % a year (the essay says $450,000)": (
        f"{{product: [{GPUS}, {WEEKS}]}}", "4.42e+05"),
    "400 MWh at $0.168 per kWh": ("{product: [{value: 400, unit: MWh}, {value: 0.168, unit: USD/kWh}]}", "6.72e+04"),
    "tokens from $60 to $0.06 per million, 1000x cheaper (the essay says 100x)": (
        "{ratio: [{value: 60, unit: USD/Mtoken}, {value: 0.06, unit: USD/Mtoken}]}", "1.00e+03"),
    "6 N D with N = D / 20 is 0.3 D^2": (
        f"{{product: [{{value: 6, unit: FLOP/parameter/token}}, {{ratio: [{STOCK}, {{value: 20, unit: token/parameter}}]}}, {STOCK}]}}",
        f"{0.3 * 3e14**2:.2e}"),
}  # fmt: skip


@pytest.mark.parametrize("what", ARITHMETIC)
def test_arithmetic(what):
    text, printed = ARITHMETIC[what]
    assert f"{quantity(text)[0]:.2e}" == printed


@pytest.mark.parametrize(
    ("prior", "low", "high"),
    [("gpt-2-cost-2019", 2e4, 1e5), ("gpt-3-cost-2020", 2e6, 1e7), ("gpt-4-cost-essay-2023", 1e8, 1e9)],
)
def test_the_essays_ranges_of_cost_are_80_percent_intervals(prior, low, high):
    joint = parse_scenario(
        f"schema: 2\nname: cost\nyears: {{first: 2019, last: 2023}}\n{COMPUTE}quantities: {{cost: {{prior: starts/{prior}}}}}\n"
    ).joint
    quantiles = joint.priors["quantities.cost"].family.ppf(np.array([0.1, 0.9]))
    np.testing.assert_allclose(quantiles, np.log10([low, high]), atol=1e-9)


def test_gpt_4_as_100_to_10000_times_gpt_3():
    text = (
        "drivers: {compute: {start: {value: 3.14e23, unit: FLOP}, growth: 10x/year}}\n"
        "thresholds:\n  gpt-3: {physical_compute: {prior: thresholds/gpt-3}}\n"
        "  gpt-4: {multiple: {interval_80: [100, 10000]}, of: gpt-3}\n"
    )
    run = run_text(text, first=2020, last=2030)
    year = crossing(run, "gpt-4")  # at 10 times a year, 2 to 4 years after GPT-3
    # The share inside the 80 % interval; each of its ends is known to 1 in a block of 500.
    assert np.mean((year >= 2022) & (year <= 2024)) == pytest.approx(0.8, abs=0.01)


def test_300000x_at_a_doubling_time_of_34_months_takes_61_9_months():
    months = 12 * (crossing(run_of("doubling-times"), "300000x-alexnet") - 2012)
    np.testing.assert_allclose(months, 3.4 * log2(300_000), rtol=1e-5)
    assert round(float(months[0]), 1) == 61.9


def test_compute_doubles_every_two_years_until_2012():
    run = run_of("doubling-times")
    assert factor(run, 1959, 2012, "physical_compute") == pytest.approx(2 ** (53 / 2), rel=EXACT)
    assert factor(run, 2012, 2018, "physical_compute") == pytest.approx(2 ** (72 / 3.4), rel=EXACT)


def test_compute_contributes_about_twice_as_much_as_algorithms():
    # Ho et al. 2024: language models to 2023, two thirds from compute (60-95 %).
    run = run_text(
        "drivers:\n  compute: {start: {value: 1e17, unit: FLOP}, growth: {prior: compute/language-notable-2024}}\n"
        "  algorithms: {growth: {prior: algorithms/ho-2024}}\n",
        first=2012, last=2023,
    )  # fmt: skip
    compute, algorithms = (
        float(np.diff(np.median(levels(run, name).values[:, [0, -1]], axis=0))[0])
        for name in ("physical_compute", "algorithms")
    )
    assert compute / algorithms == pytest.approx(log(9.5) / log(2) * 8 / 12, rel=0.02)
    assert compute / (compute + algorithms) == pytest.approx(2 / 3, abs=0.03)


SPENDING = "  hardware: {start: {value: 1e18, unit: FLOP/USD}}\n"
EXPRESS = {
    "hard cap, realistic cap, growth that stops at the cap": (
        "drivers:\n  spending:\n    start: {value: 1e8, unit: USD}\n    growth: 10x/year\n    caps:\n"
        "      hard: {limit: {value: 1e11, unit: USD}}\n"
        f"      realistic: {{limit: {{log-uniform: [1e10, 2e10], unit: USD}}}}\n{SPENDING}"
    ),
    "20x to 1000x GPT-4 in a few years, then slower": (
        "drivers:\n  compute:\n    start: {value: 2.1e25, unit: FLOP}\n    growth:\n"
        "      - rate: {interval_80: [20, 1000], unit: factor/3 years}\n      - {from: 2028, rate: {value: 2, unit: x/year}}\n"
        "thresholds: {gpt-4: {effective_compute: 2.1e25}, 1000x-gpt-4: {multiple: 1000, of: gpt-4}}\n"
    ),
    "eras by doubling time": (
        "drivers:\n  compute:\n    start: {value: 1e20, unit: FLOP}\n    growth:\n"
        "      - rate: {value: 2, unit: years/doubling}\n"
        "      - {from: 2028, rate: {median: 3.4, interval_90: [3, 4], unit: months/doubling}}\n"
    ),
    "performance by compute, images 40x for twice as good": (
        f"{COMPUTE}capability: {{name: image quality, kind: gain-per-doubling, gain: 1.1391}}\n"
        "thresholds: {twice: {capability: 2}}\n"
    ),
    "loss falling as a power of compute": (
        f"{COMPUTE}capability: {{name: loss, kind: power-law-loss, irreducible: {{prior: capability/chinchilla-refit-2024-irreducible}},"
        " scale: 2708, exponent: 0.1783}\nthresholds: {low-loss: {capability: 1.85}}\n"
    ),
    "AI that speeds up algorithms and hardware": (
        "drivers:\n  spending: {start: {value: 1e8, unit: USD}, growth: 2x/year}\n"
        "  hardware: {start: {value: 1e18, unit: FLOP/USD}, growth: 1.4x/year, feedback: [{at: 1e26, multiplier: 1}, {at: 1e30, multiplier: 2}]}\n"
        "  algorithms: {growth: 3x/year, feedback: [{at: 1e26, multiplier: 1}, {at: 1e30, multiplier: {interval_80: [1, 4]}}]}\n"
    ),
    "GPU speed over twenty years": "drivers:\n  spending: {start: {value: 1e8, unit: USD}}\n"
    "  hardware: {start: {value: 1e18, unit: FLOP/USD}, growth: {value: 1000, unit: factor/20 years}}\n",
    "data as a driver and as a limit": (
        f"{COMPUTE}quantities: {{tokens: {{start: {{value: 3e13, unit: token}}, growth: {{value: 20000, unit: factor/7 years}}}}}}\n"
        "constraints: {data: {limit: {product: [{value: 0.3, unit: FLOP/token^2}, tokens, tokens]}}}\n"
    ),
}


@pytest.mark.parametrize("form", EXPRESS)
def test_a_file_can_state(form):
    run = run_text(EXPRESS[form])
    path = levels(run, "effective_compute")
    assert np.isfinite(path).all()
    assert float((path.isel(year=-1) - path.isel(year=0)).min()) > 0


def test_a_thousandfold_in_twenty_years_is_the_essays_gpu_speed():
    run = run_text(EXPRESS["GPU speed over twenty years"], first=2005, last=2025)
    assert factor(run, 2005, 2025, "hardware") == pytest.approx(1000, rel=EXACT)
    _, last = quantity(
        "{start: {value: 100, unit: GFLOP/s}, growth: {prior: hardware/essay-2025-gpu-speed}}", first=2005, last=2025
    )
    assert last == pytest.approx(1e5 * 1e9, rel=EXACT)


def test_a_training_set_that_grew_20000x_since_2018():
    first, last = quantity(
        "{start: {value: 1e9, unit: token}, growth: {value: 20000, unit: factor/7 years}}", first=2018, last=2025
    )
    assert last / first == pytest.approx(20_000, rel=EXACT)


@pytest.mark.parametrize(("factor_for_twice", "gain"), [(40, 1.1391), (1_900_000, 1.0338)])
def test_the_gain_per_doubling_that_doubles_performance_at_40x_and_at_1900000x(factor_for_twice, gain):
    assert 2 ** (1 / log2(factor_for_twice)) == pytest.approx(gain, abs=5e-5)
    run = run_text(
        f"drivers: {{compute: {{start: {{value: 1e20, unit: FLOP}}, growth: {factor_for_twice}x/year}}}}\n"
        f"capability: {{name: quality, kind: gain-per-doubling, gain: {gain}}}\n"
    )
    np.testing.assert_allclose(run["trajectories/capability"].isel(sample=0, year=slice(0, 4)), [1, 2, 4, 8], rtol=3e-3)


@pytest.mark.parametrize(("threshold", "level"), [("twice", 2), ("five-times", 5), ("ten-times", 10)])
def test_performance_reaches_a_level_in_the_year_that_its_doublings_take(threshold, level):
    year = 2025 + log(level) / log(1.1)
    # The metric is read as a straight line within a quarter: at most ln(1.1) / 8 x 1/16 years off.
    np.testing.assert_allclose(crossing(run_of("capability"), threshold), year, atol=log(1.1) / 128 + 1e-6)


def test_the_loss_in_parameters_and_data_is_the_one_in_compute_at_20_tokens_per_parameter():
    # Each term falls at half its exponent as compute grows fourfold a year, as N and D grow twofold each.
    e, a, b, alpha, beta, compute = 1.8172, 482.01, 2085.43, 0.3478, 0.3658, 1e26
    terms = [a * sqrt(compute / 120) ** -alpha, b * sqrt(compute / 0.3) ** -beta]
    parts = ", ".join(
        f"{{start: {{value: {term!r}}}, growth: {{value: {-power * log10(2)!r}, unit: OOM/year}}}}"
        for term, power in zip(terms, (alpha, beta), strict=True)
    )
    first, last = quantity(f"{{sum: [{{value: {e}}}, {parts}]}}")
    later = compute * 4**10
    assert first == pytest.approx(e + sum(terms), rel=EXACT)
    assert last == pytest.approx(e + a * (later / 120) ** (-alpha / 2) + b * (later / 0.3) ** (-beta / 2), rel=EXACT)
    # The single power of compute in capability.yaml is that law at its best N and D: within 1e-4 nats here.
    assert first == pytest.approx(e + 2708 * compute**-0.1783, abs=1e-3)


def test_feedback_is_off_unless_it_is_written():
    assert not any("feedback" in name for name in load_scenario("baseline").joint.priors)
    assert any("feedback" in name for name in load_scenario("feedback").joint.priors)


@pytest.mark.parametrize(("rate", "year"), [(0.49, 2032.4), (0.56, 2031.2), (0.37, 2035.6)])
def test_cottier_2023_spending_reaches_one_percent_of_gdp(rate, year):
    run = run_text(
        f"drivers:\n  spending: {{start: {{value: 3.27e6, unit: USD}}, growth: {{value: {rate}, unit: OOM/year}}}}\n"
        f"{SPENDING}thresholds: {{one-percent: {{spending: {{prior: caps/one-percent-of-us-gdp-2021}}}}}}\n",
        first=2022.5, last=2040,
    )  # fmt: skip
    assert round(float(crossing(run, "one-percent")[0]), 1) == year


def test_a_billion_dollar_run_at_24_times_a_year_from_40_million():
    run = run_text(
        f"drivers:\n  spending: {{start: {{value: 4e7, unit: USD}}, growth: 2.4x/year}}\n{SPENDING}thresholds: {{billion: {{spending: 1e9}}}}\n",
        first=2023.2, last=2030,
    )  # fmt: skip
    assert round(float(crossing(run, "billion")[0]), 2) == 2026.88


@pytest.mark.parametrize(
    ("start", "rate", "first", "year", "level"),
    [
        (5e25, 4, 2024, 2030, "2.05e+29"),
        (3e23, 4, 2020.41, 2023.20, "1.44e+25"),
        (3e23, 4, 2020.41, 2023.93, "3.95e+25"),
        (3e23, 5, 2020.41, 2023.20, "2.67e+25"),
        (3e23, 5, 2020.41, 2023.93, "8.66e+25"),
    ],
)
def test_compute_at_a_constant_rate(start, rate, first, year, level):
    run = run_text(
        f"drivers: {{compute: {{start: {{value: {start}, unit: FLOP}}, growth: {rate}x/year}}}}\n",
        first=first,
        last=year,
    )
    assert f"{10.0 ** float(levels(run, 'physical_compute')[0, -1]):.2e}" == level


@pytest.mark.parametrize(
    ("prior", "slow", "middle", "fast"),
    [("ho-2024-arxiv", (0.975, 1.81), (0.5, 2.83), (0.025, 5.28)), ("ho-2024", (0.95, 1.46), (0.5, 2.83), (0.05, 64))],
)
def test_halving_times_of_algorithms_as_factors_per_year(prior, slow, middle, fast):
    joint = parse_scenario(
        "schema: 2\nname: halving\nyears: {first: 2012, last: 2023}\ndrivers:\n  compute: {start: {value: 1, unit: FLOP}}\n"
        f"  algorithms: {{growth: {{prior: algorithms/{prior}}}}}\n"
    ).joint
    family = joint.priors["drivers.algorithms.growth"].family
    for probability, per_year in (slow, middle, fast):  # a slow rate is a long time to halve
        assert 10.0 ** float(family.ppf(np.array([1 - probability]))[0]) == pytest.approx(per_year, rel=0.002)


def test_the_baseline_is_made_of_at_least_30_priors():
    assert len(load_scenario("baseline").joint.priors) >= 30


def test_the_baseline_of_2025_starts_at_the_largest_known_run():
    start = levels(run_of("baseline-2025"), "physical_compute").isel(year=0).values
    # The standard error of the median of 512 samples with a spread of 0.20 OOM is 0.011; four of them.
    assert np.median(start) == pytest.approx(log10(5e26), abs=0.045)
    assert start.std() == pytest.approx(0.20, abs=0.02)


def test_the_baseline_starts_from_the_nowcast():
    """1.7e27 FLOP (90 % 8.0e26 to 5.5e27); the standard error of a median of 512 samples is 0.015 OOM, of an end 0.03."""
    start = levels(run_of("baseline"), "physical_compute_demanded").isel(year=0).values
    assert np.median(start) == pytest.approx(log10(1.7e27), abs=0.06)
    np.testing.assert_allclose(np.quantile(start, [0.05, 0.95]), np.log10([8.0e26, 5.5e27]), atol=0.12)


@pytest.mark.parametrize(("name", "most"), [("baseline-2025", 0.02), ("baseline", 0.05)])
def test_the_limits_of_the_baseline_allow_todays_run(name, most):
    """Of November 2026 the largest run is known within a factor of seven, and so are its limits: a few meet."""
    run = run_of(name)
    for limit in ("binding_spending", "binding_physical_compute"):
        assert float((run["trajectories"][limit].isel(year=0) > 0).mean()) <= most


def test_the_baseline_of_2025_has_the_numbers_that_were_frozen_of_it():
    """Bit for bit the samples of the scenario that was frozen, and the quantiles of the file to its four digits."""
    file = ROOT / "forecasts" / "baseline-2025-11.yaml"
    one = run_of("baseline-2025")
    other = simulate(load_scenario(file.parent / "scenarios" / file.name, overrides=[f"samples={SAMPLES}"]))
    for name in ("trajectories/effective_compute", "trajectories/spending", "crossings/crossing_year"):
        np.testing.assert_array_equal(one[name].values, other[name].values)
    frozen, run = open_frozen(file), simulate(load_scenario("baseline-2025"))
    for name in ("effective_compute", "physical_compute", "spending"):
        held, found = (each[f"summary/{name}"].sel(quantile=list(LEVELS)) for each in (frozen, run))
        np.testing.assert_allclose(held, found, atol=5.1e-5)


def test_frontier_compute_grows_4_to_5_times_a_year_at_the_start():
    path = levels(run_of("baseline-2025"), "physical_compute_demanded")
    per_year = np.median((path.sel(year=2027) - path.sel(year=2025.5)) / 1.5)
    assert 4 <= 10**per_year <= 5


def test_the_baseline_stays_near_what_epoch_finds_feasible_in_2030():
    run = run_of("baseline")
    compute = np.median(levels(run, "physical_compute").sel(year=2030))
    assert 2e28 <= 10.0**compute <= 2e29
    power = np.quantile(levels(run, "constraint_power").sel(year=2030), [0.1, 0.5, 0.9])
    np.testing.assert_allclose(power, np.log10([2.6e28, 2.3e29, 1.7e30]), atol=0.3)


def test_the_baselines_data_constraint_is_three_tenths_of_the_square_of_its_tokens():
    run = run_of("baseline")
    expected = log10(0.3) + 2 * levels(run, "quantity_tokens")
    np.testing.assert_allclose(levels(run, "constraint_data"), expected, atol=4 * FLOAT32)


def test_some_biological_anchors_are_never_met():
    level = run_of("baseline")["crossings/threshold_level"].sel(threshold="biological-anchors").values
    assert np.mean(level == inf) == pytest.approx(0.07, abs=0.005)


BOUNDED = ("spending", "physical_compute", "effective_compute")


@pytest.mark.parametrize("variable", BOUNDED)
def test_tight_caps_are_never_above_the_baseline_in_any_sample(variable):
    tight, base = levels(run_of("tight-caps"), variable).values, levels(run_of("baseline"), variable).values
    assert np.all(tight <= base + FLOAT32)
    assert np.median(tight[:, -1]) < np.median(base[:, -1]) - 0.1


@pytest.mark.parametrize("variable", BOUNDED)
def test_no_caps_are_never_below_the_baseline_in_any_sample(variable):
    free, base = levels(run_of("no-caps"), variable).values, levels(run_of("baseline"), variable).values
    assert np.all(free >= base - FLOAT32)
    assert np.median(free[:, -1]) > np.median(base[:, -1]) + 1.0


def test_feedback_only_speeds_up_where_every_multiplier_is_at_least_one():
    run, base = run_of("feedback"), run_of("baseline")
    parameters = run["parameters"]
    names = [f"drivers.{driver}.feedback[1].multiplier" for driver in ("hardware", "algorithms")]
    faster = np.all([parameters[name].values >= 0 for name in names], axis=0)
    rates = ("algorithms.growth", "hardware.factors.precision-and-utilisation.growth[0].rate")
    rising = np.all([parameters[f"drivers.{rate}"].values >= 0 for rate in rates], axis=0)  # a fall is sped up too
    gain = (levels(run, "effective_compute") - levels(base, "effective_compute")).values
    np.testing.assert_allclose(gain[:, 0], 0.0, atol=FLOAT32)
    assert faster.mean() == pytest.approx(0.81, abs=0.05)
    assert np.all(gain[faster & rising] >= -2 * FLOAT32)
    assert np.median(gain[faster][:, -1]) > 0.3


def test_the_yardstick_of_the_benchmarks_can_be_read() -> None:
    assert load_scenario(ROOT / "benchmarks" / "three_drivers.yaml").spec.samples == 1_000_000
