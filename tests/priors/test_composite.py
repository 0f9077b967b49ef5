"""Laws of the prior families, held against SciPy, closed forms and brute force."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, interpolate, stats

from simulator.priors.composite import (
    Converted,
    Mixture,
    Truncated,
    WithNever,
    direct_quantiles,
    exact_density,
    quantile_table,
)
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
from simulator.schema.prior_families import Distribution
from simulator.units import Array, logarithm, parse_growth_unit

CONTINUOUS: tuple[Distribution, ...] = (
    Normal(1.0, 2.0),
    LogNormal(0.5, 1.5),
    Uniform(-1.0, 3.0),
    LogUniform(1.0, 300.0),
    Triangular(0.0, 1.0, 4.0),
    Triangular(0.0, 0.0, 4.0),
    PERT(1.0, 2.0, 4.0),
    Beta(2.0, 3.0),
    Beta(0.5, 0.7, -1.0, 4.0),
    Gamma(0.5, 2.0),
    Gamma(200.0, 0.1),
    StudentT(3.0, 1.0, 2.0),
    LogStudentT(4.0, 0.0, 0.5),
    SkewedNormal(1.0, 0.5, 3.0),
    SkewedLogNormal(0.0, 1.2, 0.4),
    Metalog((0.0, 1.0, 0.5)),
    Metalog((0.0, 0.5, 0.1, 0.2), lower=1.0),
    Metalog((0.0, 0.5, 0.1), upper=1.0),
    Metalog((-1.0, 0.4, 0.1), lower=0.0, upper=1.0),
    Quantiles((0.1, 0.5, 0.9), (1.0, 2.0, 7.0)),
    Quantiles((0.05, 0.5, 0.8, 0.95), (2.0, 3.0, 7.0, 8.0), log=True),
    Empirical((0.3, 1.0, 1.2, 4.0, 9.0)),
    Truncated(Normal(0.0, 1.0), 0.5, 2.0),
    Mixture((0.3, 0.7), (Normal(0.0, 1.0), Normal(4.0, 0.3))),
    Mixture((1.0, 2.0), (LogNormal(0.0, 1.0), Mixture((0.5, 0.5), (Gamma(2.0, 1.0), Uniform(5.0, 6.0))))),
)
ATOMIC: tuple[Distribution, ...] = (
    Fixed(2.0),
    Discrete((1.0, 2.0, 5.0), (1.0, 2.0, 3.0)),
    Mixture((0.2, 0.3, 0.5), (Fixed(0.3), Discrete((0.0, 1.0), (1.0, 1.0)), Normal(0.0, 1.0))),
    Mixture(
        (0.5, 0.5),
        (WithNever(Normal(0.0, 1.0), 0.2), Mixture((0.1, 0.9), (Fixed(0.0), StudentT(3.0, 0.0, 1.0)))),
    ),
    Truncated(Mixture((0.5, 0.5), (Fixed(1.0), Normal(0.0, 1.0))), -1.0, 1.0),
    WithNever(LogNormal(0.0, 1.0), 0.07),
)
UNIFORM = np.random.default_rng(7).random(4096)


def name_of(family: Distribution) -> str:
    return repr(family)[:50]


@pytest.mark.parametrize(
    ("family", "oracle"),
    [
        (Normal(1.0, 2.0), stats.norm(1.0, 2.0)),
        (LogNormal(0.5, 1.5), stats.lognorm(1.5, scale=np.exp(0.5))),
        (Uniform(-1.0, 3.0), stats.uniform(-1.0, 4.0)),
        (LogUniform(1.0, 300.0), stats.loguniform(1.0, 300.0)),
        (Triangular(0.0, 1.0, 4.0), stats.triang(0.25, 0.0, 4.0)),
        (PERT(1.0, 2.0, 4.0), stats.beta(7 / 3, 11 / 3, 1.0, 3.0)),
        (Beta(0.5, 0.7, -1.0, 4.0), stats.beta(0.5, 0.7, -1.0, 5.0)),
        (Gamma(0.5, 2.0), stats.gamma(0.5, scale=2.0)),
        (Gamma(0.05, 2.0), stats.gamma(0.05, scale=2.0)),
        (StudentT(3.0, 1.0, 2.0), stats.t(3.0, 1.0, 2.0)),
        (Truncated(Normal(0.0, 1.0), 0.5, 2.0), stats.truncnorm(0.5, 2.0)),
    ],
    ids=name_of,
)
def test_a_family_agrees_with_scipy(family: Distribution, oracle: stats.rv_continuous) -> None:
    u = np.concatenate([[1e-9, 1e-6, 1 - 1e-6], UNIFORM[:500]])
    expected = oracle.ppf(u)
    np.testing.assert_allclose(family.ppf(u), expected, rtol=1e-9, atol=1e-9)
    x = np.concatenate([expected, [-2.0, 0.37, 500.0]])
    np.testing.assert_allclose(family.cdf(x), oracle.cdf(x), rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(family.logpdf(x), oracle.logpdf(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("family", CONTINUOUS, ids=name_of)
def test_the_quantile_function_inverts_the_cdf(family: Distribution) -> None:
    x = family.ppf(UNIFORM[:500])
    np.testing.assert_allclose(family.cdf(x), UNIFORM[:500], rtol=0, atol=1e-10)
    np.testing.assert_allclose(family.ppf(family.cdf(x)), x, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("family", CONTINUOUS, ids=name_of)
def test_the_density_integrates_to_differences_of_the_cdf(family: Distribution) -> None:
    edges = family.ppf(np.array([0.05, 0.3, 0.6, 0.95]))
    for low, high in pairwise(edges):
        knots = [x for x in (*family.ppf(np.linspace(0.06, 0.94, 23)), 5.0, 6.0, 1.0, 1.2) if low < x < high]
        area, _ = integrate.quad(
            lambda x: float(np.exp(family.logpdf(np.array(x)))), low, high, points=knots or None, limit=200
        )
        rise = np.diff(family.cdf(np.array([low, high])))[0]
        assert area == pytest.approx(rise, abs=2e-6)


@pytest.mark.parametrize("family", CONTINUOUS, ids=name_of)
def test_nothing_lies_outside_the_support(family: Distribution) -> None:
    low, high = family.support
    x = family.ppf(np.array([1e-12, 0.5, 1 - 1e-12]))
    assert np.all((x >= low) & (x <= high) & np.isfinite(x))
    outside = np.array([end for end in (low - 1.0, high + 1.0) if np.isfinite(end)])
    assert np.all(family.logpdf(outside) == -np.inf)
    assert set(family.cdf(outside).tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("family", CONTINUOUS + ATOMIC, ids=name_of)
@settings(max_examples=20, deadline=None)
@given(u=st.lists(st.floats(1e-12, 1 - 1e-12), min_size=2, max_size=30))
def test_the_quantile_function_never_falls(family: Distribution, u: list[float]) -> None:
    x = family.ppf(np.sort(np.array(u)))
    assert np.all(x[1:] >= x[:-1])


@pytest.mark.parametrize("family", CONTINUOUS + ATOMIC, ids=name_of)
def test_what_one_u_gives_does_not_depend_on_the_others_or_on_the_shape(family: Distribution) -> None:
    u = UNIFORM[:64]
    whole = family.ppf(UNIFORM)[:64]
    assert np.array_equal(np.array([family.ppf(np.array([one]))[0] for one in u]), whole)
    assert np.array_equal(family.ppf(u.reshape(8, 8)), whole.reshape(8, 8))


@pytest.mark.parametrize("family", ATOMIC, ids=name_of)
def test_the_quantile_function_is_the_smallest_value_that_reaches_u(family: Distribution) -> None:
    x = family.ppf(UNIFORM)
    assert np.all(family.cdf(x) >= UNIFORM - 1e-10)
    finite = np.isfinite(x)
    assert np.all(family.cdf(np.nextafter(x, -np.inf))[finite] <= UNIFORM[finite] + 1e-10)
    assert np.all(family.cdf(np.full(3, 1e300)) <= UNIFORM[~finite].min(initial=1.0) + 1e-10)


def test_the_masses_of_atoms_are_their_weights() -> None:
    mixture = Mixture((1.0, 3.0), (Fixed(0.0), Mixture((0.5, 0.5), (Fixed(0.0), Normal(0.0, 1.0)))))
    assert mixture.logpdf(np.array(0.0)) == pytest.approx(np.log(0.625))
    assert np.mean(mixture.ppf(UNIFORM) == 0.0) == pytest.approx(0.625, abs=4 * np.sqrt(0.625 * 0.375 / 4096))


def test_never_takes_its_share_and_leaves_the_rest_as_it_was() -> None:
    base = LogNormal(0.0, 1.0)
    family = WithNever(base, 0.25)
    u = np.array([0.1, 0.5, 0.7499, 0.7501, 0.99])
    x = family.ppf(u)
    np.testing.assert_allclose(x[:3], base.ppf(u[:3] / 0.75), rtol=1e-14)
    assert np.all(x[3:] == np.inf)
    assert family.cdf(np.array([1e308, np.inf])).tolist() == pytest.approx([0.75, 1.0])


def test_two_pieces_of_equal_width_are_a_normal() -> None:
    np.testing.assert_allclose(SkewedNormal(1.0, 2.0, 2.0).ppf(UNIFORM), Normal(1.0, 2.0).ppf(UNIFORM), atol=1e-12)


def test_free_quantiles_go_through_the_points_as_scipys_monotone_cubic_does() -> None:
    probabilities, values = np.array([0.05, 0.1, 0.5, 0.9, 0.95]), np.array([26.1, 26.6, 28.9, 33.6, 35.0])
    family = Quantiles(tuple(probabilities), tuple(values))
    oracle = interpolate.PchipInterpolator(stats.norm.ppf(probabilities), values)
    u = np.linspace(0.05, 0.95, 501)
    np.testing.assert_allclose(family.ppf(u), oracle(stats.norm.ppf(u)), rtol=1e-12)
    np.testing.assert_allclose(family.ppf(probabilities), values, rtol=1e-14)


def test_a_mixture_of_quantiles_is_tabulated_exactly() -> None:
    parts = (
        Quantiles((0.05, 0.1, 0.5, 0.9, 0.95), (26.1, 26.6, 28.9, 33.6, 35.0)),
        Quantiles((0.05, 0.1, 0.5, 0.9, 0.95), (34.7, 36.1, 40.9, 45.6, 46.9)),
    )
    mixture = Mixture((0.3, 0.7), parts)
    u = np.concatenate([UNIFORM, [1e-10, 1e-6, 1 - 1e-6]])
    np.testing.assert_allclose(mixture.cdf(mixture.ppf(u)), u, rtol=0, atol=1e-10)


HARD: tuple[Mixture, ...] = (
    Mixture((0.5, 0.5), (Uniform(0.0, 1.0), Uniform(2.0, 3.0))),  # a gap
    Mixture((0.5, 0.5), (Normal(0.0, 1.0), Normal(1e4, 1e-2))),  # far apart
    Mixture((1e-8, 1.0), (Normal(1e3, 1.0), Normal(0.0, 1.0))),  # hardly there
    Mixture((0.5, 0.5), (StudentT(1.0, 0.0, 1.0), Normal(3.0, 0.01))),
    Mixture((0.5, 0.5), (LogStudentT(9.0, 0.0, 1.0), LogNormal(60.0, 10.0))),
    Mixture((0.5, 0.5), (Normal(0.0, 1.0), LogNormal(0.0, 3.0))),
    Mixture((0.5, 0.3, 0.2), (PERT(0.0, 1.0, 10.0), Metalog((0.0, 1.0, 0.5)), Triangular(0.0, 5.0, 20.0))),
    Mixture((0.5, 0.5), (Empirical(tuple(np.geomspace(1.0, 9.0, 300))), Normal(1.0, 1.0))),
    Mixture((0.5, 0.5), (Truncated(Normal(0.0, 1.0), 0.5, 2.0), Beta(0.5, 0.7))),
    Mixture(
        (0.6, 0.2, 0.2),
        (
            Converted(LogNormal(2.0, 0.7), parse_growth_unit("months/doubling").conversion),
            Converted(LogNormal(0.3, 0.1), parse_growth_unit("factor/year").conversion),
            Normal(1.0, 0.5),
        ),
    ),
    Mixture(
        (0.4, 0.6),
        (
            Converted(Quantiles((0.1, 0.5, 0.9), (1e26, 1e29, 1e34), log=True), logarithm()),
            Converted(Empirical(tuple(np.geomspace(1e20, 1e40, 300))), logarithm()),
        ),
    ),
)


@pytest.mark.parametrize("mixture", HARD, ids=name_of)
def test_the_quantile_function_of_a_mixture_errs_by_less_than_its_tolerance(mixture: Mixture) -> None:
    u = np.concatenate([UNIFORM, 10.0 ** -np.arange(1, 13), 1 - 10.0 ** -np.arange(1, 13)])
    x = mixture.ppf(u)
    rounding = 8 * np.finfo(float).eps * np.abs(x) * (1 + np.abs(np.log(np.abs(x))))
    below, above = mixture.cdf(x - rounding), mixture.cdf(x + rounding)
    # The table errs by 3e-11 in z, in u by that times the density of z; what is read goes through ndtr and ndtri.
    tolerance = 6e-11 * np.minimum(0.4, 10 * np.minimum(u, 1 - u)) + 1e-15
    assert np.all(below <= u + tolerance)
    assert np.all(above >= u - tolerance)


@pytest.mark.parametrize("mixture", HARD, ids=name_of)
def test_a_mixture_stays_within_its_support(mixture: Mixture) -> None:
    low, high = mixture.support
    x = mixture.ppf(np.array([1e-12, 0.5, 1 - 1e-12]))
    assert np.all((x >= low) & (x <= high))


def test_a_gap_between_components_is_crossed_in_one_step() -> None:
    mixture = HARD[0]
    near = mixture.ppf(np.array([0.5 - 1e-9, 0.5, 0.5 + 1e-9]))
    np.testing.assert_allclose(near, [1.0, 1.0, 2.0], atol=4e-9)


def test_a_value_that_an_observed_sample_repeats_keeps_its_share() -> None:
    mixture = Mixture((0.5, 0.5), (Empirical((1.0, 2.0, 2.0, 2.0, 3.0)), Normal(0.0, 1.0)))
    first, last = 0.5 * (0.25 + stats.norm.cdf(2.0)), 0.5 * (0.75 + stats.norm.cdf(2.0))
    u = np.linspace(first + 1e-9, last - 1e-9, 101)
    np.testing.assert_allclose(mixture.ppf(u), 2.0, rtol=1e-14)
    assert mixture.ppf(np.array([first - 1e-6]))[0] < 2.0 - 1e-6
    assert mixture.ppf(np.array([last + 1e-6]))[0] > 2.0 + 1e-6


@dataclass(frozen=True, slots=True)
class Counted:
    """A normal that counts how often it is asked."""

    mean: float
    sd: float
    asked: list[int] = field(default_factory=list, compare=False)
    support: tuple[float, float] = (-np.inf, np.inf)

    def ppf(self, u: Array) -> Array:
        self.asked.append(np.size(u))
        return Normal(self.mean, self.sd).ppf(u)

    def cdf(self, x: Array) -> Array:
        self.asked.append(np.size(x))
        return Normal(self.mean, self.sd).cdf(x)

    def logpdf(self, x: Array) -> Array:
        self.asked.append(np.size(x))
        return Normal(self.mean, self.sd).logpdf(x)


def test_a_table_asks_its_components_seldom_and_then_for_many_values_at_once() -> None:
    parts = tuple(Counted(float(place), 0.1 * 1.5**place) for place in range(6))
    quantile_table(Mixture((1.0,) * 6, parts))
    for part in parts:
        assert len(part.asked) <= 40
        assert sum(part.asked) <= 40_000


@pytest.mark.parametrize(
    "family",
    [Beta(0.5, 0.7, -1.0, 4.0), PERT(1.0, 2.0, 4.0), Gamma(0.5, 2.0), StudentT(3.0, 1.0, 2.0),
     LogStudentT(4.0, 0.0, 0.5), Triangular(0.0, 1.0, 4.0)],
    ids=name_of,
)  # fmt: skip
def test_quantiles_without_a_table_are_those_with_one(family: Distribution) -> None:
    np.testing.assert_allclose(direct_quantiles([family], UNIFORM)[0], family.ppf(UNIFORM), rtol=1e-9, atol=1e-9)


def test_a_table_refuses_single_values() -> None:
    with pytest.raises(ValueError, match="no smooth table"):
        quantile_table(Mixture((0.5, 0.5), (Fixed(1.0), Normal(0.0, 1.0))))


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: Fixed(np.nan), "value must be a finite number; got nan"),
        (lambda: Normal(0.0, 0.0), "sd must be a finite number above 0; got 0"),
        (lambda: Uniform(3.0, 1.0), "lower must be below upper; got lower 3, upper 1"),
        (lambda: LogUniform(0.0, 1.0), "0 < lower < upper"),
        (lambda: Triangular(0.0, 5.0, 4.0), "mode must lie from lower to upper; got 5"),
        (lambda: Beta(-1.0, 1.0), "alpha must be a finite number above 0"),
        (lambda: Metalog((0.0, 1.0, 1.7)), "is no distribution"),
        (lambda: Quantiles((0.1, 0.5), (2.0, 1.0)), "values must be finite and increase"),
        (lambda: Discrete((1.0,), (-1.0,)), "weights must be 0 or more"),
        (lambda: Empirical((1.0, 1.0)), "two of them different"),
        (lambda: Truncated(Normal(0.0, 1.0), 9.0, 10.0), "at least 1e-9 must remain"),
        (lambda: WithNever(Normal(0.0, 1.0), 1.0), "must be at least 0 and below 1; got 1"),
    ],
)
def test_impossible_parameters_are_refused_with_the_number(make: object, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        make()  # type: ignore[operator]


def test_the_metalog_is_refused_exactly_where_its_quantiles_fall() -> None:
    assert Metalog((0.0, 1.0, 1.66)).ppf(np.array(0.5)) == 0.0  # Keelin 2016: |a3| / a2 < 1.66711
    with pytest.raises(ValueError, match="no distribution"):
        Metalog((0.0, 1.0, 1.668))


def test_an_exact_density_is_that_of_its_closed_form() -> None:
    points = np.linspace(-2.0, 2.0, 41)
    found = exact_density(Normal(0.0, 1.0), points)
    assert found == pytest.approx(np.exp(-0.5 * points**2), abs=1e-4)
    assert exact_density(Uniform(0.0, 1.0), np.linspace(0.0, 1.0, 11)) == pytest.approx(1.0)
