"""The PyMC model has the density that its equations say, and sees only what its weights let it see."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from collections.abc import Iterator
from dataclasses import replace

import arviz as az
import numpy as np
import pymc as pm
import pytensor
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from simulator import load_scenario, simulate
from simulator.charts.kinds.learnt import posterior_figures
from simulator.charts.spec import FigureOptions
from simulator.charts.writing import svg_text
from simulator.history.beliefs import history_priors
from simulator.history.columns import decimal_year
from simulator.history.learning import learn, learnt_lines
from simulator.history.model import (
    ARRAYS,
    build_model,
    hidden_density,
    path_at,
    path_density,
    spread_of,
    weights,
)
from simulator.history.observations import Hidden, known_at
from simulator.priors.families import (
    Fixed,
    Normal,
)
from simulator.priors.free_families import (
    LogNormal,
    Quantiles,
)
from tests.history.made_up_history import FIVE_RUNS

UNKNOWN = {
    "spending_growth": 0.5, "efficiency_growth": 0.12, "spending_volatility": 0.1, "efficiency_volatility": 0.05,
    "compute_start": 20.4, "efficiency_start": 16.0, "spending_steps": np.array([0.5, -1.0, 0.2, 0.1]),
    "efficiency_steps": np.array([-0.3, 0.4, 1.0, -0.6]), "run_scatter": 0.4, "cost_scatter": 0.2,
    "accelerator_scatter": 0.3, "run_tail_excess": 4.0, "cost_tail_excess": 2.0, "cost_slope": 0.9,
    "accelerator_offset": 6.5,
}  # fmt: skip


@pytest.fixture(autouse=True)
def graphs_run_as_they_stand(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run the graphs, which are what is tested, without compiling them: that would take most of the time."""
    if request.node.get_closest_marker("slow"):
        yield
        return
    with pytensor.config.change_flags(cxx="", mode="FAST_COMPILE"):
        yield


@pytest.fixture(scope="module")
def model():
    return build_model(FIVE_RUNS, priors=history_priors()).model


def potentials(model):
    """Compute the log density of what is seen, term by term, at the unknowns above."""
    density = pytensor.function([model[name] for name in UNKNOWN], model.potentials, mode="FAST_COMPILE")
    terms = density(*(np.asarray(value, dtype=float) for value in UNKNOWN.values()))
    return {term.name: float(value) for term, value in zip(model.potentials, terms, strict=True)}


def expected(*, origin):
    """Compute the same by SciPy from the equations."""
    u = UNKNOWN
    years = np.arange(2016.0, 2021.0)
    walks = {
        name: u[f"{name}_growth"] * (years - 2016)
        + u[f"{name}_volatility"] * np.concatenate([[0.0], np.cumsum(u[f"{name}_steps"])])
        for name in ("spending", "efficiency")
    }
    efficiency = u["efficiency_start"] + walks["efficiency"]
    spending = u["compute_start"] - u["efficiency_start"] + walks["spending"]
    run = FIVE_RUNS.run_year < origin + 1
    cost = run & np.isfinite(FIVE_RUNS.cost_log_usd)
    chip = (FIVE_RUNS.accelerator_year >= 2016) & (FIVE_RUNS.accelerator_year < origin + 1)
    money = np.interp(FIVE_RUNS.run_year, years, spending)
    trend = np.interp(FIVE_RUNS.run_year, years, spending + efficiency)
    seen = FIVE_RUNS.run_log_compute
    centre = money + u["cost_slope"] * (seen - trend)
    speed = np.interp(FIVE_RUNS.accelerator_year, years, efficiency) - u["accelerator_offset"]
    return {
        "runs": stats.t.logpdf(seen, 5.0, trend, 0.4)[run].sum(),
        "costs": stats.t.logpdf(FIVE_RUNS.cost_log_usd, 4.5, centre, 0.2)[cost].sum(),
        "accelerators": stats.norm.logpdf(FIVE_RUNS.accelerator_log_flops_per_usd, speed, 0.3)[chip].sum(),
    }


@pytest.mark.parametrize("origin", [2017, 2018, 2019])
def test_one_model_has_the_density_of_what_was_known_at_each_origin(model, origin):
    import pymc as pm

    with model:
        pm.set_data(weights(known_at(FIVE_RUNS, origin + 1.0)))
    assert potentials(model) == pytest.approx(expected(origin=origin), rel=1e-9)


def test_a_fresh_model_sees_everything(model):
    assert potentials(build_model(FIVE_RUNS, priors=history_priors()).model) == pytest.approx(expected(origin=2019))


def test_paths_reach_the_date_to_which_all_is_known_where_no_run_of_that_year_has_flop():
    seen = replace(FIVE_RUNS, known_to=2020.3)
    assert list(build_model(seen, priors=history_priors()).model.coords["year"]) == list(range(2016, 2022))


def test_levels_of_another_year_are_certain_where_level_and_growth_are():
    """A standard deviation of 4e-15 came of rounding, and its density was 0/0."""
    priors = history_priors(spending=Normal(0.3, 0.1), efficiency=Fixed(0.15))
    priors = replace(priors, efficiency_level=Fixed(16.6), compute_level=Normal(17.0, 1.0))
    unknown = priors.unknowns(2016)
    assert unknown["efficiency_start"] == Fixed(16.6 + 4 * 0.15)
    assert unknown["compute_start"] == Normal(17.0 + 4 * 0.45, np.hypot(1.0, 4 * 0.1))


@pytest.mark.parametrize(
    "family", [Normal(0.2, 0.1), LogNormal(-1.0, 0.3), Quantiles((0.1, 0.5, 0.9), (0.1, 0.3, 0.7))]
)
def test_growth_may_have_any_prior_of_the_simulator(family):
    import pymc as pm

    model = build_model(FIVE_RUNS, priors=history_priors(spending=family)).model
    draws = pm.draw(model["spending_growth"], draws=400, random_seed=1, mode="FAST_COMPILE")
    assert stats.kstest(draws, lambda x: family.cdf(np.asarray(x))).pvalue > 1e-3


@given(start=st.integers(1990, 2030), times=st.lists(st.floats(0, 6), min_size=1, max_size=5))
def test_a_path_is_read_on_straight_lines(start, times):
    grid = start + np.arange(7.0)
    path = np.array([1.0, 3.0, 2.0, 2.5, 8.0, 8.0, -1.0])
    at = start + np.array(times)
    np.testing.assert_allclose(path_at(path, at, grid=grid), np.interp(at, grid, path), atol=1e-9)


def test_times_outside_the_grid_read_its_ends():
    times = np.array([2010.0, 2030.0])
    assert path_at(np.array([3.0, 4.0]), times, grid=np.array([2020.0, 2021.0])).tolist() == [3.0, 4.0]
    assert path_at(np.array([3.0]), times, grid=np.array([2020.0])).tolist() == [3.0, 3.0]


STARTS = {"compute_start": Normal(17.5, 1.5), "efficiency_start": Normal(16.6, 0.7)}


def test_the_prior_density_of_a_path_is_the_normal_that_its_start_and_its_steps_make() -> None:
    draws = {"spending_growth": 0.4, "efficiency_growth": 0.1, "spending_volatility": 0.2, "efficiency_volatility": 0.1}
    constant = {name: (("chain", "draw"), np.full((2, 5), value)) for name, value in draws.items()}
    prior = xr.Dataset(constant, coords={"year": [2016.0, 2017.0, 2018.0, 2019.0, 2020.0]})
    points = np.linspace(10, 30, 9)
    expected = {
        "spending": stats.norm(17.5 - 16.6 + 1.6, np.sqrt(1.5**2 + 0.7**2 + 4 * 0.04)),
        "efficiency": stats.norm(16.6 + 0.4, np.sqrt(0.7**2 + 4 * 0.01)),
        "compute": stats.norm(17.5 + 2.0, np.sqrt(1.5**2 + 4 * 0.05)),
    }
    for path, exact in expected.items():
        assert path_density(path, points, prior=prior, starts=STARTS, year=2020.0) == pytest.approx(
            exact.pdf(points), rel=1e-9
        )


def test_the_stated_priors_are_those_of_the_model(model) -> None:
    for name, family in history_priors().unknowns(2016).items():
        if isinstance(family, Fixed):
            assert float(model[name].eval()) == family.value
            continue
        drawn = pytensor.function([model[name]], pm.logp(model[name], model[name]), mode="FAST_COMPILE")
        assert float(drawn(0.3)) == pytest.approx(float(family.logpdf(np.array([0.3]))[0]), rel=1e-6), name


def test_the_spread_of_a_run_is_its_scatter_and_the_error_of_its_estimate():
    unknown = {"run_scatter": 0.3, "error_confident": 0.4, "error_likely": 0.6, "error_speculative": 0.9}
    words = ("confident", "speculative", "unknown", "likely")
    expected = np.sqrt(0.09 + np.array([0.16, 0.81, 0.81, 0.36]))
    assert spread_of(unknown, words) == pytest.approx(expected)
    assert spread_of(unknown, ()) == 0.3


@pytest.mark.parametrize("tail", [1.3, 2.0, 4.0, 30.0])
def test_a_lower_bound_alone_has_the_survival_function_of_student(tail):
    hidden = Hidden(*np.array([[2020.0, bound, np.nan, bound] for bound in (15.0, 19.5, 20.0, 21.0, 26.0)]).T)
    unknown = {name: np.array(value) for name, value in (UNKNOWN | {"run_tail": tail, "cost_tail": 4.5}).items()}
    level = np.full(5, 20.0)
    found = hidden_density(hidden, level - 17, level, spread=np.array(0.6), unknown=unknown, by=ARRAYS)
    assert found == pytest.approx(stats.t.logsf((hidden.log_least - 20) / 0.6, tail), abs=2e-3, rel=1e-3)


@pytest.mark.parametrize("bound", [-np.inf, 20.0, 21.5])
@pytest.mark.parametrize("cost", [2.0, 4.0, 6.5])
def test_a_cost_has_the_density_that_is_left_when_the_compute_is_integrated_over(bound, cost):
    hidden = Hidden(*np.array([[2020.0], [bound], [cost], [20.0]]))
    unknown = {name: np.array(value) for name, value in (UNKNOWN | {"run_tail": 3.5, "cost_tail": 4.5}).items()}
    spread = np.array(0.7)
    found = hidden_density(hidden, np.array([3.0]), np.array([20.0]), spread=spread, unknown=unknown, by=ARRAYS)

    def joint(level):
        costs = stats.t.pdf(cost, 4.5, 3 + 0.9 * (level - 20), 0.2)
        return stats.t.pdf(level, 3.5, 20, 0.7) * costs

    places = [20 + (cost - 3) / 0.9, 20.0]
    low = max(bound, -20.0)
    exact, _ = integrate.quad(joint, low, 60, points=[each for each in places if each > low], limit=200)
    assert found[0] == pytest.approx(np.log(exact), abs=1e-3)


def test_the_model_has_the_same_density_of_hidden_runs_and_sees_those_that_were_known():
    numbers = np.array([[2017.3, 21.6, np.nan, 21.6], [2018.4, -np.inf, 5.9, 22.0], [2019.2, 22.8, 6.6, 22.8]]).T
    hidden = Hidden(*numbers, confidence=("likely", "unknown", "confident"))
    seen = replace(FIVE_RUNS, hidden=hidden)
    built = build_model(seen, priors=history_priors())
    with built.model:
        pm.set_data(weights(known_at(seen, 2019.0)))
    inputs, outputs = ([built.model[name] for name in names] for names in (UNKNOWN, ("spending", "compute")))
    paths = pytensor.function(inputs, outputs, mode="FAST_COMPILE", on_unused_input="ignore")
    grid = np.arange(2016.0, 2021.0)
    spending, compute = (np.interp(hidden.year, grid, path) for path in paths(*map(np.asarray, UNKNOWN.values())))
    errors = {"error_confident": 0.290, "error_likely": 0.608, "error_speculative": 0.907}
    unknown = {
        name: np.array(value) for name, value in (UNKNOWN | errors | {"run_tail": 5.0, "cost_tail": 4.5}).items()
    }
    spread = spread_of(unknown, hidden.confidence)
    exact = hidden_density(hidden, spending, compute, spread=spread, unknown=unknown, by=ARRAYS)
    assert potentials(built.model)["hidden_runs"] == pytest.approx(exact[:2].sum(), rel=1e-9)


RUNS = """name,date,training_flop,training_flop_at_least,cost_usd,Organization,confidence
a,2013-07-02,2e18,,100,A,confident
b,2015-07-02,2e19,,500,B,confident
c,2017-07-02,6e20,,1e4,C,likely
d,2019-07-02,4e21,,3e4,D,likely
e,2021-07-02,3e23,,2e6,E,confident
f,2023-07-02,,8e25,,F,speculative
g,2024-07-02,,,6e8,G,likely
h,2025-07-02,,3e26,9e8,H,confident
"""
CERTAIN = """
schema: 2
name: certain
years: {first: 2026, last: 2030}
samples: 512
history:
  snapshot: 2026-04-30
  runs: runs.csv
  accelerators: none
  from_record: 0
  sampler: {draws: 500, tune: 300, chains: 2}
  priors:
    compute_level: {median: 1e17, interval_90: [1e15, 1e19], unit: FLOP}
    efficiency_level: 4e16 FLOP/USD
    spending_volatility: 0 OOM/year
    efficiency_volatility: 0 OOM/year
    run_scatter: 0.3 OOM
    cost_scatter: 0.2 OOM
    accelerator_scatter: 0.3 OOM
    run_tail: 3
    cost_tail: 4
    cost_slope: 0.9
    accelerator_offset: 2.5e7 s
drivers:
  spending:
    start: {median: 4e8, interval_90: [2e8, 8e8], unit: USD}
    growth: {family: normal, mean: 0.3, sd: 0.2, unit: OOM/year}
  hardware:
    start: {median: 1e18, interval_90: [7e17, 1.5e18], unit: FLOP/USD}
    growth: 0.15 OOM/year
"""


def by_quadrature(hidden: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give compute at the start of 2013, growth of spending and their weights, on a grid of both.

    The level is that of 2012 and a year's growth, which is independent of that in the table.
    """
    start, growth = (each.ravel() for each in np.meshgrid(np.linspace(15, 20, 61), np.linspace(0.1, 0.75, 61)))
    weight = stats.norm.logpdf(start, 17.45, math.hypot(2 / 1.6448536, 0.2)) + stats.norm.logpdf(growth, 0.3, 0.2)
    errors = {"confident": 0.290, "likely": 0.608, "speculative": 0.907}
    for row in csv.DictReader(io.StringIO(RUNS)):
        flop, least, cost = (math.log10(float(row[key] or "nan")) for key in list(row)[2:5])
        time = decimal_year(dt.date.fromisoformat(row["date"])) - 2013
        spending = (start - math.log10(4e16) - 0.15 + growth * time)[:, None]
        compute, spread = (start + (growth + 0.15) * time)[:, None], math.hypot(0.3, errors[row["confidence"]])
        levels = np.array([flop]) if np.isfinite(flop) else np.arange(least if np.isfinite(least) else 5.0, 40.0, 0.05)
        seen = stats.t.pdf(levels, 4, compute, spread)
        if np.isfinite(cost):
            seen = seen * stats.t.pdf(cost, 6.5, spending + 0.9 * (levels - compute), 0.2)
        if np.isfinite(flop):
            weight += np.log(seen[:, 0])
        elif hidden:
            weight += np.log(integrate.trapezoid(seen, levels, axis=1))
    found = np.exp(weight - weight.max())
    return start, growth, found / found.sum()


@pytest.mark.slow
def test_a_users_table_with_runs_without_flop_gives_the_posterior_of_a_quadrature_and_a_run(tmp_path):
    """The table ends within a year of which no FLOP is known: the paths ended before it, and starts were NaN."""
    (tmp_path / "runs.csv").write_text(RUNS)
    (tmp_path / "certain.yaml").write_text(CERTAIN)
    learnt = learn(load_scenario(tmp_path / "certain.yaml"))
    posterior = learnt.fit["posterior"]
    start, growth, weight = by_quadrature(hidden=True)
    _, _, without = by_quadrature(hidden=False)
    of_fit = {"start": posterior["compute_start"], "growth": posterior["spending_growth"]}
    for name, exact in (("start", start), ("growth", growth)):
        mean = float(weight @ exact)
        sd = math.sqrt(weight @ (exact - mean) ** 2)
        error = sd / math.sqrt(float(az.ess(of_fit[name].values)))
        assert float(of_fit[name].mean()) == pytest.approx(mean, abs=4 * error), name
        assert float(of_fit[name].std()) == pytest.approx(sd, abs=4 * error), name
    assert abs(weight @ growth - without @ growth) > 10 * error  # what is told of the three runs is no small part
    assert learnt_lines(learnt)[0].endswith(
        "8 frontier runs, 3 of them without FLOP, to 2026-04-30, estimates of 2026-04-30, "
        + learnt.fit.attrs["sampler"]
    )
    run = simulate(learnt)
    grown = run["parameters/drivers.spending.growth"].values
    assert np.quantile(grown, [0.05, 0.5, 0.95]) == pytest.approx(
        np.quantile(posterior["spending_growth"], [0.05, 0.5, 0.95]), abs=0.01
    )
    assert np.isfinite(run["trajectories/physical_compute"].values).all()
    assert "without FLOP" in svg_text(posterior_figures(run, FigureOptions())[0].chart)
