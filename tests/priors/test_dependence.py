"""Priors that are functions of another prior: computed after the draw, exact at the points, no dimension of their own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import spearmanr

from simulator import load_scenario, simulate
from simulator.engine.checking import check_run
from simulator.priors.composite import Mixture, Truncated, WithNever
from simulator.priors.dependence import chained, dependence, rank_correlation, score_correlation
from simulator.priors.draws import draw_blocks
from simulator.priors.families import Normal
from simulator.priors.free_families import Discrete, Empirical
from simulator.priors.scales import Scale
from simulator.runs.folder import stored_scenario
from simulator.scenario.assumptions import assumptions
from simulator.scenario.load import parse_scenario
from simulator.schema.base import Faults
from simulator.schema.prior_families import Distribution
from simulator.schema.statements import PointFunction
from simulator.units import logarithm, multiple

LEVEL, NUMBER = Scale(logarithm(), "log10(FLOP)", positive=True, least=0.0), Scale(multiple(), "1")
TEXT = """\
schema: 2
name: small
years: {{first: 2025, last: 2035}}
samples: 512
drivers:
  spending: {{start: {{median: 4e8, interval_90: [2e8, 8e8], unit: USD}}, growth: {spending}}}
  hardware: {{start: {{value: 1e18, unit: FLOP/USD}}, growth: {hardware}}}
thresholds:
  far: {{effective_compute: {far}, delay: {delay}}}
"""
FAR = "{interval_90: [1e28, 1e36], never: 0.2}"
ON_FAR = "{function: {of: thresholds.far.effective_compute, points: {1e28: 2, 1e36: 4}}, unit: x/year}"


def scenario(*, spending="2x/year", hardware="1.35x/year", far=FAR, delay="1 year"):
    return parse_scenario(TEXT.format(spending=spending, hardware=hardware, far=far, delay=delay))


def drawn(joint):
    return draw_blocks(joint, seed=0, blocks=range(2), size=256, design="latin-hypercube")


def made(points, between="line", *, other=LEVEL, own=NUMBER):
    function = PointFunction(of="x", points=points, between=between)
    return dependence(function, ("rate",), other=other, own=own)


def test_a_line_is_straight_in_the_log_of_a_level_and_constant_beyond_its_ends():
    line = made({"1e20": 1.0, "1e30": 3.0})
    assert line(np.array([10.0, 20.0, 25.0, 30.0, 40.0, np.inf])).tolist() == [1, 1, 2, 3, 3, 3]


def test_a_step_holds_from_its_point_on():
    step = made({"1e20": 1.0, "1e30": 3.0}, "step")
    assert step(np.array([10.0, 20.0, 29.99, 30.0, np.inf])).tolist() == [1, 1, 1, 3, 3]


def test_a_level_is_straight_in_its_log_and_any_other_number_as_it_is_stated():
    assert made({"1e20": 1e2, "1e30": 1e4}, own=LEVEL)(np.array([25.0])) == pytest.approx([3.0])
    assert made({"0": 1.0, "10": 2.0}, other=NUMBER)(np.array([5.0])) == pytest.approx([1.5])


def test_points_count_whatever_their_order():
    values = np.linspace(18, 32, 8)
    assert (made({"1e30": 3, "1e20": 1})(values) == made({"1e20": 1, "1e30": 3})(values)).all()


def test_a_point_that_stands_twice_under_two_spellings_is_refused():
    with pytest.raises(Faults, match="is a second point at 1e"):
        made({"1e20": 1.0, "1.0e20": 2.0, "1e30": 3.0})


def test_functions_of_functions_come_after_what_they_rest_on():
    order, circles = chained({"c": "b", "b": "a", "d": "c", "x": "y", "y": "z", "z": "y"})
    assert order == ("b", "c", "d")
    assert circles == [("y", "y -> z -> y")]


def test_a_function_changes_no_other_draw_and_takes_no_dimension():
    plain, joined = scenario().joint, scenario(spending=ON_FAR).joint
    assert joined.uncertain == plain.uncertain
    before, after = drawn(plain), drawn(joined)
    assert all((before[name] == after[name]).all() for name in plain.uncertain)
    assert list(after) == list(joined.priors)


def test_a_function_is_exact_in_every_sample_and_never_takes_the_last_point():
    draws = drawn(scenario(spending=ON_FAR).joint)
    x = draws["thresholds.far.effective_compute"]
    assert np.isinf(x).any()
    assert 10 ** draws["drivers.spending.growth"] == pytest.approx(np.interp(x, [28, 36], [2, 4]), rel=1e-12)


def test_a_function_of_a_correlated_prior_follows_it_after_the_copula():
    text = TEXT.format(spending=ON_FAR, hardware="1.35x/year", far="{interval_90: [1e28, 1e36]}", delay="1 year")
    pair = "[drivers.spending.start, thresholds.far.effective_compute]"
    draws = drawn(parse_scenario(f"{text}correlations:\n  - {{between: {pair}, rank: 0.9}}\n").joint)
    x = draws["thresholds.far.effective_compute"]
    assert 10 ** draws["drivers.spending.growth"] == pytest.approx(np.interp(x, [28, 36], [2, 4]), rel=1e-12)
    assert np.corrcoef(draws["drivers.spending.start"], draws["drivers.spending.growth"])[0, 1] > 0.8


def test_a_function_of_a_function_and_one_of_a_rate_in_its_own_unit():
    on_growth = "{function: {of: drivers.spending.growth, points: {2: 10, 4: 30}}, unit: '%/year'}"
    draws = drawn(scenario(spending=ON_FAR, hardware=on_growth).joint)
    factor = 10 ** draws["drivers.spending.growth"]
    assert 10 ** draws["drivers.hardware.growth"] == pytest.approx(1.1 + 0.1 * (factor - 2), rel=1e-9)


def test_a_function_of_a_fixed_number_is_fixed():
    joint = scenario(spending=ON_FAR, far="1e32").joint
    assert joint.functions == {}
    assert 10 ** joint.priors["drivers.spending.growth"].value == pytest.approx(3.0)
    assert joint.priors["drivers.spending.growth"].understood == "3 x/year by thresholds.far.effective_compute"


def test_what_comes_of_a_function_is_told_with_its_spread():
    understood = scenario(spending=ON_FAR).joint.priors["drivers.spending.growth"].understood
    assert understood.startswith("function of thresholds.far.effective_compute, median 3.19 (90 % 2.07 to 4)")


def test_a_delay_may_follow_the_requirement_and_be_none():
    delay = "{function: {of: thresholds.far.effective_compute, points: {1e28: 0, 1e36: 8}}, unit: years}"
    joint = scenario(delay=delay).joint
    assert joint.priors["thresholds.far.delay"].family.support[0] == pytest.approx(0.0)


def test_a_run_with_functions_runs_again_from_its_file_and_reports_them():
    run = simulate(scenario(spending=ON_FAR))
    assert check_run(run).passed
    said = {each.path: each.statements[0] for each in assumptions(stored_scenario(run))}["drivers.spending.growth"]
    assert said.shape == "function of thresholds.far.effective_compute"
    counted = simulate(scenario(spending=ON_FAR), keep="summary")
    said = {each.path: each.statements[0] for each in assumptions(stored_scenario(counted), understood=False)}[
        "drivers.spending.growth"
    ]
    assert (said.shape, said.value) == (
        "function",
        "2 at 10²⁸, 4 at 10³⁶ of thresholds.far.effective_compute x/year",
    )


NORMAL = Normal(0.0, 1.0)
COIN = Discrete((0.0, 1.0), (1.0, 1.0))
SKEWED = Discrete((0.0, 1.0, 2.0), (8.0, 1.0, 1.0))
HALF = Mixture((0.5, 0.5), (NORMAL, Discrete((0.0,), (1.0,))))
TIES = Empirical((1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 4.0, 5.0))
NEVER = WithNever(NORMAL, 0.3)


@pytest.mark.parametrize("scores", [-0.95, -0.5, 0.0, 0.3, 0.9])
def test_rank_correlations_are_those_of_closed_forms(scores: float) -> None:
    found = [
        rank_correlation(scores, first, second) for first, second in ((NORMAL, NORMAL), (NORMAL, COIN), (COIN, COIN))
    ]
    exact = [
        6 / math.pi * math.asin(scores / 2),
        math.sqrt(12) / math.pi * math.asin(scores / math.sqrt(2)),  # P(Z' < Z1, Z2 > 0)
        2 / math.pi * math.asin(scores),  # P(Z1 > 0, Z2 > 0)
    ]
    np.testing.assert_allclose(found, exact, atol=1e-4)


@pytest.mark.parametrize(
    ("first", "second", "rank"),
    [
        (NORMAL, COIN, 0.8),
        (NORMAL, SKEWED, 0.4),
        (COIN, SKEWED, -0.3),
        (NEVER, NEVER, 0.8),
        (NEVER, NORMAL, -0.6),
        (HALF, TIES, 0.8),
        (TIES, COIN, 0.5),
        (Truncated(SKEWED, 0.5, 3.0), HALF, 0.5),
    ],
)
def test_large_samples_have_the_stated_rank_correlation(first: Distribution, second: Distribution, rank: float) -> None:
    scores = score_correlation(rank, first, second)
    z = np.random.default_rng(5).standard_normal((2, 400_000))
    z[1] = scores * z[0] + math.sqrt(1 - scores**2) * z[1]
    found = spearmanr(first.ppf(ndtr(z[0])), second.ppf(ndtr(z[1])))[0]
    assert abs(found - rank) < 4 / math.sqrt(400_000)
    assert abs(found - rank) < abs(rank_correlation(2 * math.sin(math.pi * rank / 6), first, second) - rank)


def test_continuous_priors_keep_the_formula_of_pearson() -> None:
    assert score_correlation(0.8, NORMAL, Truncated(NORMAL, -1.0, 2.0)) == 2 * math.sin(math.pi * 0.8 / 6)


def tied(rank: float, prior: str) -> str:
    """State a scenario with a correlation of hardware's growth with a prior that has ties."""
    return f"""
schema: 2
name: ties
years: {{first: 2025, last: 2030}}
samples: 100_000
drivers:
  spending: {{start: {{value: 4e8, unit: USD}}, growth: {prior}}}
  hardware: {{start: {{value: 1e18, unit: FLOP/USD}}, growth: {{interval_90: [1.2, 1.6], unit: x/year}}}}
correlations:
  - {{between: [drivers.spending.growth, drivers.hardware.growth], rank: {rank}}}
"""


@pytest.mark.parametrize(
    "prior",
    [
        "{discrete: {values: [1.5, 3], weights: [1, 1]}, unit: x/year}",
        "{discrete: {values: [6, 12], weights: [1, 1]}, unit: months/doubling}",
        "{mixture: [{weight: 1, value: 2}, {weight: 1, interval_90: [1.5, 4]}], unit: x/year}",
    ],
)
def test_a_run_has_the_stated_rank_correlation(prior: str) -> None:
    drawn = simulate(load_scenario(tied(0.8, prior)))["parameters"]
    found = spearmanr(drawn["drivers.spending.growth"], drawn["drivers.hardware.growth"])[0]
    assert abs(found - 0.8) < 4 / math.sqrt(100_000)


def test_a_rank_correlation_that_ties_leave_no_room_for_is_refused_with_the_largest() -> None:
    rare = "{discrete: {values: [1.5, 3], weights: [9, 1]}, unit: x/year}"
    most = math.sqrt(3 * 0.9 * 0.1)  # of a uniform rank and the indicator of its highest tenth: sqrt(3 p (1 - p))
    with pytest.raises(Exception, match=r"correlations\[0\].rank: cannot be 0.6: .* these two reach 0.519"):
        load_scenario(tied(0.6, rare))
    assert math.floor(1000 * most) / 1000 == 0.519
    load_scenario(tied(0.519, rare))
    with pytest.raises(Exception, match=r"reach -0.519"):
        load_scenario(tied(-0.6, rare))
