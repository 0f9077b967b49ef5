"""Laws of saturation against mpmath at 50 digits, what they obey, and one that a package offers."""

from __future__ import annotations

import itertools
from importlib.metadata import EntryPoint

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from simulator import simulate
from simulator.errors import InputError, ScenarioError
from simulator.model import fine_grid, saturation
from simulator.model.growth import aligned
from simulator.scenario.load import parse_scenario
from simulator.schema.choices import LAWS, SaturationLaw
from simulator.testing import scenario_text, small_scenario

mpmath.mp.dps = 50

ULPS = 8 * np.finfo(np.float64).eps

levels = st.floats(-40.0, 400.0)

DISTANCES = [
    -400.0,
    -300.0,
    -15.0,
    -12.0,
    -9.0,
    -6.0,
    -4.0,
    -3.0,
    -2.0,
    -1.5,
    -1.302,
    -1.301,
    -1.0,
    -0.5,
    -0.1,
]
# Each side of where a formula changes: V/L = 0.3 and 50.
DISTANCES += [
    -0.5229,
    -0.5228,
    1.699,
    1.701,
    -1e-9,
    0.0,
    1e-9,
    0.1,
    0.5,
    1.0,
    1.5,
    2.0,
    2.99,
    3.0,
    3.01,
    5.0,
    50.0,
    300.0,
    1e4,
]


def saturate(level, limit, *, kind, log_start=0.0):
    """Bend plain numbers; what has one axis beside a path is one number for each sample."""
    level, limit, log_start = aligned(level, limit, log_start)
    return saturation.saturate(level, limit, kind=kind, log_start=log_start)


def exact_shortfall(kind, distance):
    """Return demanded minus bent level in OOM at log10(V/L) = distance, to 50 digits."""
    # Enough digits to see 10^-400 beside 1; at V/L = 10^4 the last, exp(-10^4), is no longer seen.
    with mpmath.workdps(450):
        ratio = mpmath.mpf(10) ** mpmath.mpf(distance)
        if kind == "hard":
            bent = min(ratio, mpmath.mpf(1))
        elif kind == "logistic":
            bent = ratio / (1 + ratio)
        else:
            bent = -mpmath.expm1(-min(ratio, mpmath.mpf(10) ** 4))
        return mpmath.log10(ratio / bent)


@pytest.mark.parametrize("kind", ["hard", "exponential", "logistic"])
@pytest.mark.parametrize("distance", DISTANCES)
def test_the_shortfall_has_relative_accuracy_at_every_distance_from_the_limit(kind, distance):
    # A level of 0 leaves the difference the full precision of float64.
    got = 0.0 - saturate([0.0], [-distance], kind=kind)[0]
    # The power 10^distance is exp of a product that is rounded once, at its own size.
    tolerance = 5e-14 + np.finfo(np.float64).eps * np.log(10) * abs(distance)
    assert got == pytest.approx(float(exact_shortfall(kind, distance)), rel=tolerance, abs=1e-320)


@pytest.mark.parametrize("kind", ["hard", "exponential", "logistic"])
@pytest.mark.parametrize("limit", [-300.0, 0.0, 31.7])
def test_the_level_is_exact_to_rounding_at_any_limit(kind, limit):
    level = limit + np.array(DISTANCES)
    expected = [float(mpmath.mpf(v) - exact_shortfall(kind, mpmath.mpf(v) - limit)) for v in level]
    got = saturate(level, limit, kind=kind)
    # The distance itself is rounded at the size of the level and limit.
    np.testing.assert_array_less(np.abs(got - expected), ULPS * (1 + np.minimum(np.abs(level), 700) + abs(limit)))


def exact_gompertz(demand, distance):
    """Return demanded minus bent level in OOM, `demand` above the start and the limit `distance` above it."""
    demand, distance = mpmath.mpf(demand), mpmath.mpf(distance)
    return demand + distance * mpmath.expm1(-demand / distance)


@pytest.mark.parametrize("distance", [1e-6, 0.3, 6.0, 300.0, 1e8])
@pytest.mark.parametrize("demand", [1e-12, 1e-6, 0.01, 0.1, 0.13, 1.0, 5.9, 6.1, 40.0, 1e4])
def test_gompertz_has_relative_accuracy_where_it_bends_little_and_near_the_limit(demand, distance):
    # A demanded level of 0, the start below it, leaves the difference the full precision of float64.
    got = 0.0 - saturate([0.0], [distance - demand], kind="gompertz", log_start=[-demand])[0]
    exact_distance = mpmath.mpf(distance - demand) + mpmath.mpf(demand)
    expected = float(exact_gompertz(demand, exact_distance))
    # limit - start is itself rounded, at the size of the larger.
    lost = np.finfo(np.float64).eps * max(demand, distance) / distance
    assert got == pytest.approx(expected, rel=5e-14 + 4 * lost, abs=1e-320)


def test_gompertz_solves_its_differential_equation():
    start, limit, rate = 26.0, 30.0, 0.7
    time = np.linspace(0.0, 20.0, 2001)
    level = saturate(start + rate * time, limit, kind="gompertz", log_start=start)
    slope = np.gradient(level, time, edge_order=2)
    expected = rate * (limit - level) / (limit - start)
    # The central difference errs by dt^2/6 times the third derivative, below 4 (0.7/4)^3 (0.01)^2.
    np.testing.assert_allclose(slope, expected, atol=1e-5)


@pytest.mark.parametrize("seed", range(12))
def test_a_followed_level_is_the_equation_where_growth_turns_and_the_limit_moves(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.uniform(-0.5, 1.0, 2)  # growth, OOM/year, that changes once
    turn, top, moves = rng.uniform(2, 8), rng.uniform(8.5, 12), rng.uniform(-0.02, 0.5)

    def demanded(time):
        return 8 + first * np.minimum(time, turn) + second * np.maximum(time - turn, 0)

    def slope(time, level):
        room = top + moves * time - 8
        return (first if time < turn else second) * np.minimum(1, (room + 8 - level) / room)

    exact = np.array([8.0])
    for ends in ((0, turn), (turn, 10)):
        exact = solve_ivp(slope, ends, exact, rtol=1e-10, atol=1e-12, max_step=0.02).y[:, -1]
    time = np.arange(161) / 16
    fine = np.ones(time.size, dtype=bool)
    levels, limits = demanded(time)[None], (top + moves * time)[None]
    found = fine_grid.follow(
        saturation.gompertz_step, levels, limits, log_start=np.full((1, 1), 8.0), fine=fine, base=0
    )
    assert found[0, -1] == pytest.approx(exact[0], abs=5e-5)  # the turn lies within a step


def test_steps_under_a_limit_that_stands_still_are_the_closed_form():
    demand = np.array([8.0, 8.5, 10.0, 9.0, 7.5, 8.2, 14.0])
    fine, top = np.ones(demand.size, dtype=bool), np.full((1, demand.size), 10.0)
    start = np.full((1, 1), 8.0)
    found = fine_grid.follow(saturation.gompertz_step, demand[None], top, log_start=start, fine=fine, base=0)
    # From 9 to 7.5 the start is passed within the step, which is a straight line there.
    expected = saturate(demand[None], 10.0, kind="gompertz", log_start=8.0)
    np.testing.assert_allclose(found[0, :4], expected[0, :4], rtol=0, atol=1e-14)
    small = np.concatenate([np.linspace(a, b, 400) for a, b in itertools.pairwise(demand)])
    fine, top = np.ones(small.size, dtype=bool), np.full((1, small.size), 10.0)
    found = fine_grid.follow(saturation.gompertz_step, small[None], top, log_start=start, fine=fine, base=0)
    np.testing.assert_allclose(found[0, -1], expected[0, -1], rtol=0, atol=1e-5)


def test_a_limit_that_falls_below_the_start_holds_the_level_and_lets_it_go_when_it_rises():
    time = np.linspace(0, 10, 161)
    limit = 8 + np.abs(time - 4) - 1  # at 11 first, below the start from 3 to 5, at 13 last
    fine = np.ones(time.size, dtype=bool)
    found = fine_grid.follow(
        saturation.gompertz_step, 8 + time[None], limit[None], log_start=np.full((1, 1), 8.0), fine=fine, base=0
    )[0]
    assert (found <= limit + 1e-12).all()
    np.testing.assert_allclose(found[48:81], limit[48:81], rtol=0, atol=1e-12)
    # From no room at all, w = t - 5 and y' = (w - y) / w: y = w / 2.
    np.testing.assert_allclose(found[81:], 8 + (time[81:] - 5) / 2, rtol=0, atol=1e-9)


def test_a_limit_that_stands_below_the_start_for_a_while_holds_a_level_that_falls_too():
    demand, limit = np.array([[8.0, 9.0, 8.5, 6.0]]), np.array([[7.5, 7.5, 7.5, 7.5]])
    found = fine_grid.follow(
        saturation.gompertz_step, demand, limit, log_start=np.full((1, 1), 8.0), fine=np.ones(4, dtype=bool), base=0
    )
    np.testing.assert_array_equal(found[:, 1:], np.minimum(demand, limit)[:, 1:])


def test_gompertz_without_room_is_the_lower_of_the_two_and_a_shrinking_level_is_kept():
    got = saturate([[27.0, 24.0, 25.0]], [[25.0, 25.0, 30.0]], kind="gompertz", log_start=26.0)
    np.testing.assert_array_equal(got, [[25.0, 24.0, 25.0]])


@pytest.mark.parametrize("kind", list(LAWS))
def test_no_limit_returns_the_level_bit_for_bit(kind):
    level = np.random.default_rng(3).uniform(-50.0, 400.0, (20, 30))
    np.testing.assert_array_equal(saturate(level, np.inf, kind=kind, log_start=26.1), level)


@pytest.mark.parametrize("kind", list(LAWS))
def test_infinite_levels_and_limits_have_their_limits_and_nan_stays_nan(kind):
    level = [np.inf, np.inf, -np.inf, 5.0, np.nan, 5.0]
    limit = [7.0, np.inf, 7.0, -np.inf, 7.0, np.nan]
    got = saturate(level, limit, kind=kind, log_start=1.0)
    np.testing.assert_array_equal(got, [7.0, np.inf, -np.inf, -np.inf, np.nan, np.nan])


@pytest.mark.parametrize("kind", list(LAWS))
@given(level=levels, limit=levels, start=levels, more=st.floats(0.0, 50.0))
@settings(max_examples=150)
def test_a_limit_never_raises_a_level_and_a_higher_one_never_lowers_it(kind, level, limit, start, more):
    got, freer, larger = saturate(
        [level, level, level + more], [limit, limit + more, limit], kind=kind, log_start=start
    )
    assert got <= min(level, limit)
    slack = ULPS * (1 + abs(level) + abs(limit) + abs(start) + more)
    assert freer >= got - slack
    assert larger >= got - slack


@pytest.mark.parametrize("kind", list(LAWS))
def test_saturation_is_continuous_where_its_formula_changes(kind):
    for seam in (np.log10(0.3), 0.0, 1.7, 26.0 + 0.02 * 4 - 30.0):
        level = 30.0 + seam + np.linspace(-1e-9, 1e-9, 2001)
        step = np.diff(saturate(level, 30.0, kind=kind, log_start=26.0))
        assert np.all(np.abs(step) <= 1e-12 + 4 * np.spacing(30.0))


def test_a_limit_per_sample_applies_to_the_whole_path_of_its_sample():
    level = np.add.outer(np.zeros(3), np.linspace(20.0, 40.0, 3))
    got = saturate(level, [25.0, 30.0, 35.0], kind="hard")
    np.testing.assert_array_equal(got.max(axis=1), [25.0, 30.0, 35.0])
    per_year = saturate(level, [[25.0, 30.0, 35.0]], kind="hard")
    np.testing.assert_array_equal(per_year[0], [20.0, 30.0, 35.0])


def test_an_unknown_kind_is_refused():
    with pytest.raises(InputError, match="no law of saturation 'soft' is installed"):
        saturate([1.0], 2.0, kind="soft")


def square_root(log_level, log_limit):
    level, limit = aligned(log_level, log_limit)
    return np.minimum(level, limit) - np.log10(1 + 10.0 ** (-2 * np.abs(level - limit))) / 2


LAW = SaturationLaw("square-root", square_root, "V / sqrt(1 + (V/L)^2)", "a ceiling between soft and hard", rank=3)


@pytest.fixture
def offered(monkeypatch):
    """Let an installed package offer a law."""
    point = EntryPoint("square-root", f"{__name__}:LAW", LAWS.group)
    monkeypatch.setattr("simulator.registers.entry_points", lambda group: [point] if group == LAWS.group else [])
    saturation.law_of.cache_clear()
    yield
    saturation.law_of.cache_clear()


def capped(kind):
    cap = {"kind": kind, "limit": {"value": 1e30, "unit": "FLOP"}}
    return scenario_text(small_scenario({"drivers.compute.caps": {"cap": cap}, "samples": 16}))


def test_a_law_of_a_package_bends_levels_from_a_scenario_file(offered):
    run = simulate(parse_scenario(capped("square-root")))
    free, bent = (run[f"trajectories/physical_compute{end}"].values.astype(float) for end in ("_demanded", ""))
    np.testing.assert_allclose(bent, square_root(free, 30.0), atol=1e-5)
    assert float((free - bent).max()) > 0.1


def test_a_law_of_a_package_is_in_the_schema_its_words_and_the_faults(offered):
    from simulator.schema.quantities import Limit

    kind = (
        Limit.model_json_schema()["properties"]["kind"]
        if "properties" in Limit.model_json_schema()
        else (Limit.model_json_schema()["$defs"]["Limit"]["properties"]["kind"])
    )
    assert kind["enum"] == ["hard", "exponential", "logistic", "gompertz", "square-root"]
    assert kind["description"].endswith("square-root: V / sqrt(1 + (V/L)^2).")
    with pytest.raises(
        ScenarioError, match=r"'gompertz' or 'square-root'; got 'square-rot'\.\s+Did you mean 'square-root'"
    ):
        parse_scenario(capped("square-rot"))


def test_without_its_package_the_law_is_unknown():
    with pytest.raises(ScenarioError, match="must be one of 'hard', 'exponential', 'logistic' or 'gompertz'"):
        parse_scenario(capped("square-root"))
    with pytest.raises(InputError, match="no law of saturation 'square-root' is installed"):
        LAWS.find("square-root")


def test_every_law_says_what_it_is():
    for name in LAWS:
        law = saturation.law_of(name)
        assert law.name == name
        assert law.formula
        assert law.words
        assert callable(law.bend)
