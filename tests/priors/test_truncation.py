"""What is stated of a truncated prior holds after the truncation, or is refused."""

from __future__ import annotations

from importlib import import_module
from math import inf, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from simulator.priors import truncation
from simulator.priors.composite import Truncated
from simulator.priors.fitting import fit_family
from simulator.priors.truncation import fit_truncated, moments
from simulator.schema.prior_families import FitError, Statement


def statement(family: str | None = None, **stated: Any) -> Statement:
    """State a positive number."""
    return Statement(family=family, positive=True, **stated)


@pytest.mark.parametrize(
    ("stated", "lower", "upper"),
    [
        (statement(interval=(0.8, 2.0, 50.0)), 1.0, 100.0),
        (statement(median=8.0, interval=(0.9, 2.0, 22.0)), 1.2, inf),
        (statement(median=8.0, interval=(0.9, 2.0, 22.0)), 1.0, 40.0),
        (statement("normal", interval=(0.8, 0.4, 4.75)), -1.0, inf),
        (statement("normal", median=0.2, interval=(0.9, -1.0, 1.0)), -inf, 1.5),
        (statement("skewed-normal", median=2.0, interval=(0.8, 1.2, 3.2)), 0.5, 4.0),
        (statement("skewed-lognormal", quantiles=((0.1, 1.0), (0.5, 2.2), (0.9, 5.0))), 0.5, inf),
        (statement("uniform", interval=(0.8, 1.0, 2.0)), 0.5, 3.0),
        (statement("beta", interval=(0.8, 0.2, 0.6)), 0.1, 0.8),
        (statement("gamma", interval=(0.8, 2.0, 9.0)), 1.0, inf),
        (statement("student-t", interval=(0.8, 2.0, 9.0), parameters={"df": 4.0}), 0.0, inf),
        (statement("log-student-t", interval=(0.8, 2.0, 9.0), parameters={"df": 4.0}), 1.0, 20.0),
        (statement("metalog", quantiles=((0.1, 1.0), (0.5, 3.0), (0.9, 6.0))), 0.5, 10.0),
        (statement("quantiles", quantiles=((0.1, 1.0), (0.3, 2.0), (0.5, 3.0), (0.9, 6.0))), 0.5, 10.0),
    ],
)
def test_stated_quantiles_hold_after_the_truncation(stated: Statement, lower: float, upper: float) -> None:
    family = fit_truncated(stated, lower, upper)
    p, x = np.array(stated.points).T
    np.testing.assert_allclose(family.ppf(p), x, rtol=1e-8)
    assert lower <= family.ppf(np.array([1e-12]))[0] <= family.ppf(np.array([1 - 1e-12]))[0] <= upper
    naive = Truncated(fit_family(stated), lower, upper).ppf(p)
    if stated.family != "uniform":  # which ends before the bounds
        assert not np.allclose(naive, x, rtol=1e-4)


def test_the_law_is_the_one_that_scipy_cuts() -> None:
    family = fit_truncated(statement(interval=(0.8, 2.0, 50.0)), 1.0, 100.0)
    centre, spread = float(family.base.log_mean), float(family.base.log_sd)  # type: ignore[attr-defined]
    law = stats.truncnorm((0.0 - centre) / spread, (log(100.0) - centre) / spread, centre, spread)
    np.testing.assert_allclose(np.exp(law.ppf([0.1, 0.9])), [2.0, 50.0], rtol=1e-9)
    u = np.linspace(0.001, 0.999, 99)
    np.testing.assert_allclose(family.ppf(u), np.exp(law.ppf(u)), rtol=1e-9)


def test_a_curve_that_no_cut_leaves_is_bent_to_the_bounds() -> None:
    p = np.array([0.005, *np.arange(0.05, 1.0, 0.05), 0.99, 0.995])
    law = stats.truncexpon(2.0, 1.0, 3.0)  # falls from 1 to 7; turned round it piles up at 7
    x = 8.0 - law.ppf(1.0 - p)
    stated = statement("quantiles", quantiles=tuple(zip(p.tolist(), x.tolist(), strict=True)))
    family = fit_truncated(stated, 1.0, 7.0)
    np.testing.assert_allclose(family.ppf(p), x, rtol=1e-12)
    u = np.linspace(0.001, 0.999, 999)
    drawn = family.ppf(u)
    np.testing.assert_allclose(drawn, 8.0 - law.ppf(1.0 - u), atol=0.01)
    np.testing.assert_allclose(family.cdf(drawn), u, atol=1e-10)
    assert 1.0 < family.ppf(np.array([1e-12]))[0] < family.ppf(np.array([1 - 1e-12]))[0] <= 7.0
    grid = np.linspace(1.0, 7.0, 200_001)
    assert np.trapezoid(np.exp(family.logpdf(grid)), grid) == pytest.approx(1.0, abs=1e-4)
    assert np.isneginf(family.logpdf(np.array([0.9, 7.1]))).all()


def test_mean_and_deviation_hold_after_the_truncation() -> None:
    family = fit_truncated(statement("normal", mean=2085.43, sd=1293.23), 0.0, inf)
    centre, spread = float(family.base.mean), float(family.base.sd)  # type: ignore[attr-defined]
    law = stats.truncnorm(-centre / spread, inf, centre, spread)
    np.testing.assert_allclose([law.mean(), law.std()], [2085.43, 1293.23], rtol=1e-7)


@pytest.mark.parametrize(
    ("stated", "lower", "upper"),
    [
        (statement("lognormal", mean=3.0, sd=1.0), 1.5, inf),
        (statement("gamma", mean=3.0, sd=1.0), -inf, 5.0),
        (statement("beta", mean=0.4, sd=0.1), 0.2, 0.7),
    ],
)
def test_moments_hold_in_large_samples(stated: Statement, lower: float, upper: float) -> None:
    family = fit_truncated(stated, lower, upper)
    np.testing.assert_allclose(moments(family), [stated.mean, stated.sd], rtol=1e-7)
    drawn = family.ppf((np.arange(400_000) + 0.5) / 400_000)
    np.testing.assert_allclose([drawn.mean(), drawn.std()], [stated.mean, stated.sd], rtol=1e-4)


def test_a_median_beside_a_deviation_holds_after_the_truncation() -> None:
    family = fit_truncated(statement("lognormal", median=3.0, sd=1.0), 1.5, inf)
    assert family.ppf(np.array([0.5]))[0] == pytest.approx(3.0, rel=1e-8)
    assert moments(family)[1] == pytest.approx(1.0, rel=1e-8)


def test_bounds_far_outside_change_nothing() -> None:
    stated = statement(median=8.0, interval=(0.9, 2.0, 22.0))
    assert fit_truncated(stated, 1e-9, 1e12).base == fit_family(stated)


def test_parameters_are_those_of_the_family_that_is_cut() -> None:
    family = fit_truncated(statement("gamma", parameters={"shape": 2.0, "scale": 3.0}), 1.0, inf)
    law = stats.gamma(2.0, scale=3.0)
    u = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(family.ppf(u), law.ppf(law.cdf(1.0) + u * law.sf(1.0)), rtol=1e-9)


def test_so_do_those_of_an_installed_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "plugins"))
    monkeypatch.setattr(truncation, "fit_family", import_module("simulator_extras.half_normal").fit)
    family = fit_truncated(statement("half-normal", median=2.0), 0.5, inf)
    assert family.ppf(np.array([0.5]))[0] == pytest.approx(2.0, rel=1e-9)
    sigma = float(family.base.sigma)  # type: ignore[attr-defined]
    share = stats.halfnorm(scale=sigma).sf([0.5, 2.0])
    assert share[1] / share[0] == pytest.approx(0.5, rel=1e-9)
    with pytest.raises(FitError, match="no half-normal that is cut"):
        fit_truncated(statement("half-normal", median=2.0), -inf, 3.0)  # of a half normal cut at 3, at most 1.5


@pytest.mark.parametrize(
    ("stated", "lower", "upper", "rule"),
    [
        (statement(median=8.0, interval=(0.9, 2.0, 22.0)), 1.8, inf, "no lognormal that is cut to [1.8, null] has 5 %"),
        (statement("uniform", interval=(0.8, 1.0, 2.0)), 0.9, inf, "no uniform that is cut"),
        (statement(interval=(0.8, 2.0, 50.0)), 3.0, inf, "cuts off 2, which"),
        (statement("normal", mean=1.0, sd=2.0), 0.0, inf, "has mean 1, sd 2"),  # an exponential has mean = sd
    ],
)
def test_what_no_member_of_the_family_says_is_refused(stated: Statement, lower: float, upper: float, rule: str) -> None:
    with pytest.raises(FitError) as fault:
        fit_truncated(stated, lower, upper)
    assert fault.value.field == "truncated"
    assert rule in fault.value.rule
    assert "bounds" in fault.value.remedy
