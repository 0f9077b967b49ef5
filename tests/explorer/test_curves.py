"""Tables of priors move as the scenario does that is changed so."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import norm

from simulator.explorer.changes import believed, changed, opened
from simulator.explorer.controls import controls
from simulator.explorer.curves import SCORES, Curve, Movable, _of_mixture, movable, scores_of
from simulator.explorer.restating import base_of
from simulator.testing import small_scenario

GROWTH = "drivers.compute.growth"


def moving(changes, path=GROWTH):
    base = opened(small_scenario(changes))
    (control,) = (each for each in controls(base.scenario) if each["path"] == path)
    return base, movable(base, control)


@pytest.mark.parametrize("change", [{"median": 0.6}, {"width": 0.5}, {"median": 0.42, "width": 1.7}])
def test_a_normal_prior_has_its_closed_form_before_and_after_it_is_moved(change):
    _, prior = moving({})
    scores = np.linspace(-3, 3, 13)
    at = 0.5 + 0.1 * scores
    mean, sd = change.get("median", 0.5), 0.1 * change.get("width", 1.0)
    logs, after = prior.log_ratio(scores, prior.after(change))
    inside = np.abs((at - mean) / sd) < 5
    expected = norm(mean, sd).logpdf(at) - norm(0.5, 0.1).logpdf(at)
    assert logs[inside] == pytest.approx(expected[inside], abs=0.03)
    assert np.exp(logs[~inside]) == pytest.approx(0.0, abs=1e-3)
    assert after[inside] == pytest.approx(((at - mean) / sd)[inside], abs=1e-4)


@pytest.mark.parametrize(
    ("stated", "change"),
    [
        ({"median": 3.0, "interval_90": [2.0, 6.0], "unit": "x/year"}, {"median": 4.0, "width": 1.3}),
        ({"median": 6.0, "interval_90": [4.0, 9.0], "unit": "months/doubling"}, {"median": 7.0}),
        ({"uniform": [0.3, 0.6], "unit": "OOM/year"}, {"width": 0.6}),
        ({"quantiles": {0.1: 0.2, 0.5: 0.4, 0.9: 0.5}, "unit": "OOM/year"}, {"median": 0.45, "width": 1.2}),
        ({"family": "beta", "mean": 0.4, "sd": 0.1, "unit": "OOM/year"}, {"median": 0.42}),
        ({"mixture": [{"weight": 0.7, "median": 3.0, "interval_90": [2.0, 4.5], "unit": "x/year"},
                      {"weight": 0.3, "median": 6.0, "interval_90": [3.0, 12.0], "unit": "months/doubling"}]}, {"width": 1.3}),
    ],
)  # fmt: skip
def test_a_prior_of_any_family_is_that_of_the_scenario_that_is_changed(stated, change):
    base, prior = moving({GROWTH: stated})
    assert isinstance(prior, Movable)
    before, after = (each.joint.priors[GROWTH].family for each in (base.scenario, changed(base, {GROWTH: change})))
    values = before.ppf(np.linspace(0.05, 0.95, 19))
    logs, scores = prior.log_ratio(scores_of(base.scenario.joint.priors[GROWTH], values), prior.after(change))
    with np.errstate(divide="ignore"):
        expected = after.logpdf(values) - before.logpdf(values)
    assert np.exp(logs) == pytest.approx(np.exp(expected), abs=0.1)
    assert norm.cdf(scores) == pytest.approx(after.cdf(values), abs=0.02)


def test_the_weight_of_a_part_is_exact():
    parts = [{"weight": 0.7, "mean": 0.4, "sd": 0.1}, {"weight": 0.3, "mean": 0.7, "sd": 0.1}]
    path = f"{GROWTH}.mixture[1].weight"
    _, prior = moving({GROWTH: {"mixture": parts, "unit": "OOM/year"}}, path)
    at = np.interp([-1.0, 0.0, 1.0], SCORES, prior.stands.at)
    share = 0.9 / 1.6
    low, high = norm(0.4, 0.1).pdf(at), norm(0.7, 0.1).pdf(at)
    expected = np.log((1 - share) * low + share * high) - np.log(0.7 * low + 0.3 * high)
    assert prior.log_ratio(np.array([-1.0, 0.0, 1.0]), prior.after({"weight": 0.9}))[0] == pytest.approx(
        expected, abs=0.01
    )


def test_single_values_cannot_be_moved_and_it_is_said_why():
    _, why = moving({GROWTH: {"discrete": {"values": [0.3, 0.5], "weights": [0.5, 0.5]}, "unit": "OOM/year"}})
    assert "single values" in why


@pytest.mark.parametrize("width", [0.5, 1.2, 1.7])
def test_a_mixture_is_tabulated_as_its_own_quantiles_are(width):
    base = opened("baseline")
    for path in ("drivers.algorithms.growth", "thresholds.biological-anchors.effective_compute"):
        family = base_of(believed(base, path, {"width": width}).family)
        found = _of_mixture(family)
        assert found.at == pytest.approx(family.ppf(ndtr(SCORES)), abs=1e-6)
        inner = np.abs(SCORES) < 2.5
        slopes = Curve.through(found.at).logs  # by differences of its values
        assert (np.abs(found.logs - slopes)[inner] > 0.1).sum() <= 2  # beside a bound of a part, where it jumps
