"""The PyMC model has the density that its equations say, and sees only what its weights let it see."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pymc
import pytensor
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymc.distributions.shape_utils import change_dist_size
from pytensor.graph.replace import vectorize_graph
from scipy import stats

from simulator.history.model import GrowthPriors, build_model, grid_weights, to_pymc, weights
from simulator.history.observations import Observations, known_at
from simulator.priors.composite import Mixture, Truncated, WithNever
from simulator.priors.families import (
    PERT,
    Beta,
    Family,
    Fixed,
    Gamma,
    Normal,
    SkewedNormal,
    StudentT,
    Triangular,
    Uniform,
)
from simulator.priors.free_families import (
    Discrete,
    Empirical,
    LogNormal,
    LogStudentT,
    LogUniform,
    Metalog,
    Quantiles,
    SkewedLogNormal,
)

OBSERVED = Observations(
    run_year=np.array([2016.25, 2016.5, 2017.75, 2018.0, 2019.5]),
    run_log_compute=np.array([20.5, 21.0, 21.8, 21.9, 23.0]),
    cost_log_usd=np.array([5.0, np.nan, 5.6, np.nan, 6.4]),
    accelerator_year=np.array([2014.9, 2016.3, 2018.4]),
    accelerator_log_flops_per_usd=np.array([9.4, 9.6, 9.9]),
    record_year=np.arange(2016, 2020),
    record_log_compute=np.array([21.0, 21.8, 21.9, 23.0]),
)
UNKNOWN = {
    "spending_growth": 0.5, "efficiency_growth": 0.12, "spending_volatility": 0.1, "efficiency_volatility": 0.05,
    "compute_start": 20.4, "efficiency_start": 16.0, "spending_steps": np.array([0.5, -1.0, 0.2, 0.1]),
    "efficiency_steps": np.array([-0.3, 0.4, 1.0, -0.6]), "run_scatter": 0.4, "cost_scatter": 0.2,
    "accelerator_scatter": 0.3, "run_tail_excess": 4.0, "cost_tail_excess": 2.0, "cost_slope": 0.9,
    "accelerator_offset": 6.5,
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return build_model(OBSERVED, priors=GrowthPriors()).model


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
    run = OBSERVED.run_year < origin + 1
    cost = run & np.isfinite(OBSERVED.cost_log_usd)
    chip = (OBSERVED.accelerator_year >= 2016) & (OBSERVED.accelerator_year < origin + 1)
    money = np.interp(OBSERVED.run_year, years, spending)
    trend = np.interp(OBSERVED.run_year, years, spending + efficiency)
    seen = OBSERVED.run_log_compute
    centre = money + u["cost_slope"] * (seen - trend)
    speed = np.interp(OBSERVED.accelerator_year, years, efficiency) - u["accelerator_offset"]
    return {
        "runs": stats.t.logpdf(seen, 6.5, trend, 0.4)[run].sum(),
        "costs": stats.t.logpdf(OBSERVED.cost_log_usd, 4.5, centre, 0.2)[cost].sum(),
        "accelerators": stats.norm.logpdf(OBSERVED.accelerator_log_flops_per_usd, speed, 0.3)[chip].sum(),
    }


@pytest.mark.parametrize("origin", [2017, 2018, 2019])
def test_one_model_has_the_density_of_what_was_known_at_each_origin(model, origin):
    import pymc as pm

    with model:
        pm.set_data(weights(known_at(OBSERVED, origin=origin)))
    assert potentials(model) == pytest.approx(expected(origin=origin), rel=1e-9)


def test_a_fresh_model_sees_everything(model):
    assert potentials(build_model(OBSERVED, priors=GrowthPriors()).model) == pytest.approx(expected(origin=2019))


@pytest.mark.parametrize(
    "family", [Normal(0.2, 0.1), LogNormal(-1.0, 0.3), Quantiles((0.1, 0.5, 0.9), (0.1, 0.3, 0.7))]
)
def test_growth_may_have_any_prior_of_the_simulator(family):
    import pymc as pm

    model = build_model(OBSERVED, priors=GrowthPriors(spending=family)).model
    draws = pm.draw(model["spending_growth"], draws=400, random_seed=1, mode="FAST_COMPILE")
    assert stats.kstest(draws, lambda x: family.cdf(np.asarray(x))).pvalue > 1e-3


@given(start=st.integers(1990, 2030), times=st.lists(st.floats(0, 6), min_size=1, max_size=5))
def test_a_path_is_read_on_straight_lines(start, times):
    grid = start + np.arange(7.0)
    path = np.array([1.0, 3.0, 2.0, 2.5, 8.0, 8.0, -1.0])
    at = start + np.array(times)
    np.testing.assert_allclose(grid_weights(at, grid=grid) @ path, np.interp(at, grid, path), atol=1e-9)


def test_times_outside_the_grid_read_its_ends():
    grid = np.array([2020.0, 2021.0])
    assert grid_weights(np.array([2010.0, 2030.0]), grid=grid).tolist() == [[1.0, 0.0], [0.0, 1.0]]


CONTINUOUS: tuple[Family, ...] = (
    Normal(1.0, 2.0),
    LogNormal(0.5, 1.5),
    Uniform(-1.0, 3.0),
    LogUniform(1.0, 300.0),
    Triangular(0.0, 1.0, 4.0),
    PERT(1.0, 2.0, 4.0),
    Beta(2.0, 3.0),
    Beta(2.0, 3.0, -1.0, 4.0),
    Gamma(0.5, 2.0),
    StudentT(3.0, 1.0, 2.0),
    LogStudentT(4.0, 0.0, 0.5),
    SkewedNormal(1.0, 0.5, 3.0),
    SkewedLogNormal(0.0, 1.2, 0.4),
    Metalog((-1.0, 0.4, 0.1, 0.1), lower=0.0, upper=1.0),
    Metalog((0.0, 0.5, 0.1), lower=1.0),
    Quantiles((0.05, 0.5, 0.95), (2.0, 3.0, 8.0), log=True),
    Empirical((0.3, 1.0, 1.2, 4.0, 9.0)),
    Truncated(Normal(0.0, 1.0), 0.5, 2.0),
    Mixture((0.3, 0.7), (Normal(0.0, 1.0), Normal(4.0, 0.3))),
    Mixture((0.3, 0.7), (LogNormal(0.0, 1.0), Uniform(4.0, 5.0))),
    Mixture((0.3, 0.7), (Uniform(0.0, 1.0), Uniform(2.0, 3.0))),
)
DISCRETE: tuple[Family, ...] = (Fixed(2.0), Discrete((1.0, 2.0, 5.0), (1.0, 2.0, 3.0)))


AS_IT_STANDS = pytensor.compile.mode.Mode(linker="py", optimizer="merge")


@pytest.fixture(autouse=True)
def graphs_run_as_they_stand() -> Iterator[None]:
    """Run the graphs, which are what is tested, without compiling them: that would take most of the time."""
    with pytensor.config.change_flags(cxx="", mode="FAST_COMPILE"):
        yield


def test_draws_of_the_counterpart_and_of_the_quantile_function_agree() -> None:
    with pymc.Model() as model:
        variables = [to_pymc(f"prior-{place}", family) for place, family in enumerate(CONTINUOUS)]
    # All draws in one evaluation: each base variable is given 2000 entries, and the graphs are carried along.
    many = vectorize_graph(variables, {base: change_dist_size(base, (2000,)) for base in model.free_RVs})
    u = np.random.default_rng(12).random(2000)
    drawn = pymc.draw(many, random_seed=11, mode=AS_IT_STANDS)
    for family, values in zip(CONTINUOUS, drawn, strict=True):
        assert stats.ks_2samp(family.ppf(u), values).pvalue > 1e-3, family


def test_draws_of_single_values_have_their_masses() -> None:
    with pymc.Model():
        variables = [to_pymc(f"prior-{place}", family) for place, family in enumerate(DISCRETE)]
    fixed, discrete = pymc.draw(variables, draws=1000, random_seed=11, mode=AS_IT_STANDS)
    assert np.all(fixed == 2.0)
    for value, mass in ((1.0, 1 / 6), (2.0, 2 / 6), (5.0, 3 / 6)):
        assert np.mean(discrete == value) == pytest.approx(mass, abs=4 * np.sqrt(mass * (1 - mass) / 1000))


def test_a_latent_normal_gives_the_same_quantiles_as_sampling() -> None:
    u = np.array([1e-6, 0.01, 0.3, 0.5, 0.77, 0.999])
    families = [family for family in CONTINUOUS if isinstance(family, (Metalog, SkewedNormal, Quantiles, Truncated))]
    with pymc.Model() as model:
        variables = [to_pymc(f"prior-{place}", family) for place, family in enumerate(families)]
    read = model.compile_fn(
        variables, inputs=model.free_RVs, mode=AS_IT_STANDS, on_unused_input="ignore", point_fn=False
    )
    for z, probability in zip(stats.norm.ppf(u), u, strict=True):
        values = read(*[z] * len(families))
        expected = [float(family.ppf(np.array(probability))) for family in families]
        np.testing.assert_allclose(values, expected, rtol=1e-7)


def test_every_continuous_counterpart_has_a_gradient() -> None:
    with pymc.Model() as model:
        total = sum(to_pymc(f"prior-{place}", family) for place, family in enumerate(CONTINUOUS))
        pymc.Normal("seen", mu=total, sigma=10.0, observed=40.0)
    start = {variable.name: 0.1 for variable in model.value_vars}
    gradient = model.compile_dlogp(mode=AS_IT_STANDS)(start)
    assert np.all(np.isfinite(gradient))
    assert np.all(gradient != 0.0)


def test_never_has_no_place_in_inference() -> None:
    with (
        pymc.Model(),
        pytest.raises(ValueError, match='"never" has no place in inference'),
    ):
        to_pymc("threshold", WithNever(Normal(0.0, 1.0), 0.1))


def test_single_values_are_not_mixed_with_a_spread() -> None:
    with pymc.Model(), pytest.raises(ValueError, match="single values"):
        to_pymc("rate", Mixture((0.5, 0.5), (Fixed(1.0), Normal(0.0, 1.0))))
