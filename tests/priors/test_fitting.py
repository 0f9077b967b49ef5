"""A fitted family says exactly what was stated, or says why none can."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.priors.composite import Mixture, Truncated, WithNever
from simulator.priors.families import Beta, Fixed, Normal, SkewedNormal, Uniform
from simulator.priors.fits import FitError, Statement
from simulator.priors.fitting import fit_family, in_words
from simulator.priors.free_families import LogNormal, Metalog, Quantiles, SkewedLogNormal
from simulator.schema.prior_families import Distribution

LN9 = np.log(9.0)


@pytest.mark.parametrize(
    ("statement", "tolerance"),
    [
        (Statement(interval=(0.9, 0.004, 5.0), positive=True), 1e-12),
        (Statement(family="normal", interval=(0.8, 0.4, 4.75)), 1e-12),
        (Statement(median=2.4, interval=(0.9, 1.6, 3.4), positive=True), 1e-12),
        (Statement(median=2.4, interval=(0.9, -1.6, 5.5)), 1e-12),
        (Statement(quantiles=((0.2, 2.0), (0.9, 8.0)), positive=True), 1e-12),
        (Statement(quantiles=((0.95, 7.0), (0.05, 2.0), (0.4, 3.0)), positive=True), 1e-12),
        (Statement(quantiles=((0.05, 1.0), (0.1, 2.0), (0.5, 3.0), (0.9, 9.0))), 1e-12),
        (Statement(family="uniform", interval=(0.9, 1.0, 4.0)), 1e-12),
        (Statement(family="log-uniform", interval=(0.9, 1.0, 4.0)), 1e-12),
        (Statement(family="beta", interval=(0.8, 0.16, 0.4)), 1e-9),
        (Statement(family="beta", interval=(0.9, 2.0, 4.0), parameters={"lower": 1.0, "upper": 9.0}), 1e-9),
        (Statement(family="gamma", interval=(0.9, 0.16, 40.0)), 1e-9),
        (Statement(family="student-t", interval=(0.9, -1.0, 4.0), parameters={"df": 4.0}), 1e-9),
        (Statement(family="log-student-t", interval=(0.9, 1.0, 4.0), parameters={"df": 4.0}), 1e-9),
        (Statement(family="metalog", median=4.0, interval=(0.8, 1.0, 9.0), positive=True), 1e-12),
        (Statement(family="metalog", quantiles=((0.1, 1.0), (0.4, 2.0), (0.6, 3.0), (0.9, 6.0))), 1e-12),
        (Statement(family="skewed-normal", median=1.5, interval=(0.9, 1.0, 2.2)), 1e-12),
    ],
)
def test_stated_quantiles_are_met_exactly(statement: Statement, tolerance: float) -> None:
    probabilities, values = np.array(statement.points).T
    np.testing.assert_allclose(fit_family(statement).ppf(probabilities), values, rtol=tolerance)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.8, 0.99), st.floats(1e-3, 1e3), st.floats(1.01, 1e3), st.floats(0.42, 0.58))
def test_a_median_off_centre_is_met_exactly(level: float, low: float, ratio: float, place: float) -> None:
    high, median = low * ratio, low * ratio**place
    family = fit_family(Statement(median=median, interval=(level, low, high), positive=True))
    found = family.ppf(np.array([0.5 - level / 2, 0.5, 0.5 + level / 2]))
    np.testing.assert_allclose(found, [low, median, high], rtol=1e-10)


def test_the_interval_of_a_positive_quantity_is_lognormal() -> None:
    family = fit_family(Statement(interval=(0.9, 0.004, 5.0), positive=True))
    assert isinstance(family, LogNormal)
    assert family.ppf(np.array(0.5)) == pytest.approx(np.sqrt(0.004 * 5.0), rel=1e-12)
    assert family.cdf(np.array([0.004, 5.0])).tolist() == pytest.approx([0.05, 0.95], rel=1e-12)


def test_a_central_median_gives_the_symmetric_family() -> None:
    assert isinstance(fit_family(Statement(median=2.0, interval=(0.9, 1.0, 4.0), positive=True)), LogNormal)
    assert isinstance(fit_family(Statement(median=2.5, interval=(0.9, 1.0, 4.0))), Normal)
    assert isinstance(fit_family(Statement(median=2.2, interval=(0.9, 1.0, 4.0), positive=True)), SkewedLogNormal)
    assert isinstance(fit_family(Statement(median=2.2, interval=(0.9, 1.0, 4.0))), SkewedNormal)


def test_lopsided_quantiles_without_a_family_give_a_free_curve() -> None:
    family = fit_family(Statement(quantiles=((0.05, 2.0), (0.5, 2.1), (0.95, 8.0)), positive=True))
    assert isinstance(family, Quantiles)
    assert family.log


@pytest.mark.parametrize("family", ["normal", "lognormal", "gamma", "beta"])
def test_mean_and_deviation_are_met(family: str) -> None:
    u = (np.arange(200_000) + 0.5) / 200_000
    draws = fit_family(Statement(family=family, mean=0.4, sd=0.1)).ppf(u)
    assert draws.mean() == pytest.approx(0.4, rel=1e-4)
    assert draws.std() == pytest.approx(0.1, rel=1e-3)


def test_a_lognormal_is_fitted_to_median_and_deviation() -> None:
    family = fit_family(Statement(family="lognormal", median=3.0, sd=1.0))
    assert isinstance(family, LogNormal)
    w = np.exp(family.log_sd**2)
    assert np.exp(family.log_mean) == pytest.approx(3.0)
    assert 3.0 * np.sqrt(w * (w - 1)) == pytest.approx(1.0, rel=1e-12)


def test_three_quantiles_give_the_closed_form_metalog() -> None:
    points = ((0.1, 0.16), (0.5, 0.26), (0.9, 0.40))
    family = fit_family(Statement(family="metalog", quantiles=points, parameters={"lower": 0.0, "upper": 1.0}))
    f10, f50, f90 = (np.log(x / (1 - x)) for _, x in points)
    r = (f50 - f10) / (f90 - f10)
    expected = (f50, (f90 - f10) / (2 * LN9), (1 - 2 * r) * (f90 - f10) / (0.8 * LN9))
    assert isinstance(family, Metalog)
    assert family.coefficients == pytest.approx(expected, rel=1e-12)


def test_a_positive_metalog_is_bounded_at_zero() -> None:
    quantiles = ((0.1, 5.18e6), (0.5, 1.56e7), (0.9, 2.33e7))
    assert fit_family(Statement(family="metalog", quantiles=quantiles, positive=True)).support[0] == 0.0


@pytest.mark.parametrize(
    ("statement", "field", "says"),
    [
        (Statement(median=4.0, interval=(0.9, 1.0, 3.0)), "interval", r"bracket the median 4; got \[1, 3\]"),
        (Statement(interval=(0.9, 3.0, 1.0)), "interval", r"low to high; got \[3, 1\].*Write \[1, 3\]"),
        (Statement(interval=(0.9, 1.0, 1.0)), "interval", "ends must differ"),
        (Statement(interval=(90.0, 1.0, 3.0)), "interval", "level must lie between 0 and 100 %; got 9000 %"),
        (
            Statement(family="lognormal", interval=(0.9, -1.0, 2.0)),
            "interval",
            "above 0 for a lognormal; got -1",
        ),
        (Statement(family="lognormal", mean=-1.0, sd=1.0), "mean", "above 0 for a lognormal"),
        (Statement(quantiles=((0.5, 1.0),)), "quantiles", "at least two are needed; got one, 1 at 0.5"),
        (Statement(quantiles=((0.1, 2.0), (0.9, 1.0))), "quantiles", "got 2 at 0.1 and 1 at 0.9"),
        (Statement(quantiles=((0.1, 2.0), (0.1, 3.0))), "quantiles", "0.1 is stated twice"),
        (Statement(quantiles=((0.0, 2.0), (0.9, 3.0))), "quantiles", "between 0 and 1; got 0"),
        (Statement(mean=1.0), "mean", "State one of: mean and sd"),
        (Statement(mean=1.0, sd=1.0, interval=(0.9, 0.0, 2.0)), "mean", "not stated by mean, sd, interval"),
        (Statement(mean=1.0, sd=1.0, parameters={"shape": 2.0}), "shape", "not stated by"),
        (Statement(family="lognormall", mean=1.0, sd=1.0), "family", "Did you mean 'lognormal'"),
        (Statement(family="beta", mean=0.5, sd=0.6), "sd", "below 0.5 for values between 0 and 1"),
        (Statement(family="beta", interval=(0.9, 0.5, 1.5)), "interval", "between 0 and 1"),
        (Statement(family="gamma", parameters={"shape": -1.0, "scale": 1.0}), "shape", "above 0; got -1"),
        (Statement(family="pert", parameters={"lower": 1.0, "mode": 5.0, "upper": 3.0}), "mode", "got 5"),
        (Statement(family="uniform", parameters={"lower": 3.0, "upper": 1.0}), "lower", "below upper"),
        (
            Statement(family="student-t", median=1.0, interval=(0.9, 0.0, 4.0), parameters={"df": 4.0}),
            "median",
            "the median of this interval is 2; got 1",
        ),
        (Statement(family="metalog", quantiles=((0.1, 1.0), (0.9, 4.0))), "quantiles", "at least 3; got 2"),
        (
            Statement(family="metalog", quantiles=((0.1, 1.0), (0.5, 1.01), (0.9, 40.0))),
            "quantiles",
            "no metalog",
        ),
        (Statement(median=1.1, interval=(0.9, 1.0, 10.0), positive=True), "interval", "0.476 to 2.1 times"),
    ],
)
def test_a_statement_that_cannot_be_met_is_refused(statement: Statement, field: str, says: str) -> None:
    with pytest.raises(FitError, match=says) as caught:
        fit_family(statement)
    assert caught.value.field == field


def test_the_range_of_medians_that_is_offered_is_right() -> None:
    with pytest.raises(FitError, match="it can be") as caught:
        fit_family(Statement(median=1.1, interval=(0.9, 1.0, 10.0), positive=True))
    low, high = (float(word.strip(",")) for word in caught.value.remedy.split() if word[0].isdigit())
    for median in (low * 1.001, high / 1.001):
        fit_family(Statement(median=median, interval=(0.9, 1.0, 10.0), positive=True))


@pytest.mark.parametrize(
    ("family", "text"),
    [
        (
            LogNormal(np.log(np.sqrt(1.6 * 3.4)), np.log(3.4 / 1.6) / 2 / 1.6448536),
            "lognormal, median 2.33 (90 % 1.6 to 3.4)",
        ),
        (Uniform(2027.0, 2030.0), "uniform, median 2028.5 (90 % 2027.2 to 2029.8)"),
        (Uniform(0.0, 9999.0), "uniform, median 4999.5 (90 % 500 to 9499)"),
        (Uniform(20_000.0, 40_000.0), "uniform, median 30,000 (90 % 21,000 to 39,000)"),
        (
            Truncated(Normal(2030.0, 5.0), lower=2026.0),
            "normal above 2026, median 2031.3 (90 % 2026.6 to 2038.8)",
        ),
        (Truncated(Normal(2030.0, 5.0), upper=2034.0), "normal below 2034, median 2028.7 (90 % 2021.2 to 2033.4)"),
        (Normal(1.644853626951473, 1.0), "normal, median 1.64 (90 % 0 to 3.29)"),
        (LogNormal(0.0, 20.0), "lognormal, median 1 (90 % 5.16e-15 to 1.94e+14)"),
        (Beta(1.0, 1.0), "beta, median 0.5 (90 % 0.05 to 0.95)"),
        (
            Mixture((0.5, 0.5), (Uniform(0.0, 1.0), Uniform(0.0, 1.0))),
            "mixture of 2, median 0.5 (90 % 0.05 to 0.95)",
        ),
        (WithNever(Fixed(1e26), 0.07), "1e+26 given that it happens, never with 7 %"),
        (Fixed(2045.25), "2045.25"),
        (Fixed(10_000.0), "10000"),
    ],
)
def test_what_was_understood_is_printed_back(family: Distribution, text: str) -> None:
    assert in_words([(family, "", "", "", None)])[0] == text
