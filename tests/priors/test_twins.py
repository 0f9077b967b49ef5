"""Every family has a twin in PyMC with the same distribution and a gradient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pymc
import pytensor
import pytest
from pymc.distributions.shape_utils import change_dist_size
from pytensor.graph.replace import vectorize_graph
from scipy import stats

from simulator.priors.composite import Mixture, Truncated, WithNever
from simulator.priors.families import (
    PERT,
    Beta,
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
from simulator.priors.twins import to_pymc
from simulator.schema.prior_families import Distribution

CONTINUOUS: tuple[Distribution, ...] = (
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
DISCRETE: tuple[Distribution, ...] = (Fixed(2.0), Discrete((1.0, 2.0, 5.0), (1.0, 2.0, 3.0)))


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
