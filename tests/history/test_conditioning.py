"""What a fit keeps for who draws it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from simulator import load_scenario
from simulator.history.beliefs import history_priors
from simulator.history.conditioning import PRIOR_CURVES, Learnt, conditioned, keep_priors
from simulator.priors.families import Fixed, Normal
from simulator.scenario.documents import Document
from simulator.scenario.resolving import Scenario, resolve
from tests.charts.learnt_run import learnt_run

COMPUTE = ("drivers", "compute")
DATE, RATE = (*COMPUTE, "growth", 1, "from"), (*COMPUTE, "growth", 0, "rate")


def written_back(learnt: dict[tuple[str | int, ...], Learnt]) -> Scenario:
    scenario, about = load_scenario("change-point"), {"snapshot": "2025-06", "known_to": 2022.1, "runs": 3}
    data, _ = conditioned(scenario, learnt, xr.DataTree(xr.Dataset(attrs={"fit": "0" * 16} | about)))
    return resolve(Document(data, scenario.places))


def test_the_densities_of_stated_priors_are_kept_between_their_1_and_99_percent_points() -> None:
    fit = learnt_run()
    fit.attrs["known_to"] = 2022.0
    for name, fewest in (("run_tail", 1.0), ("cost_tail", 2.5)):
        fit["prior"][f"{name}_excess"] = fit["prior"]["run_tail_excess"]
        fit["prior"][name] = fit["prior"]["run_tail_excess"] + fewest
    keep_priors(fit, history_priors(spending=Normal(0.4, 0.2), efficiency=Fixed(0.1)).unknowns(2012))
    curves = json.loads(fit["prior"].attrs[PRIOR_CURVES])
    assert "efficiency_growth" not in curves
    exact = {
        "spending_growth": stats.norm(0.4, 0.2), "run_scatter": stats.gamma(1.8610690458521935, scale=0.2656738548719126),
        "run_tail": stats.gamma(2.0, loc=1.0, scale=2.0), "spending_volatility": stats.gamma((0.1 / 0.058) ** 2, scale=0.058**2 / 0.1),
    }  # fmt: skip
    for name, family in exact.items():
        points, heights = (np.array(curves[name][key]) for key in ("value", "height"))
        assert points[[0, -1]] == pytest.approx(family.ppf([0.01, 0.99]), rel=1e-6)
        assert heights == pytest.approx(family.pdf(points) / family.pdf(points).max(), abs=2e-3), name


@pytest.mark.parametrize(
    "draws",
    [
        [2006.0] * 3 + [2006.0 + 0.1 * step for step in range(1, 38)],  # a chain stayed where it began
        [2008.0] * 20 + [2008.0 + 0.1 * step for step in range(1, 21)],  # one of two chains never moved
        (2008.0 + 1e-4 * stats.norm.ppf((np.arange(40) + 0.5) / 40)).tolist(),  # nearer than seven digits tell
        [2008.0, *[2008.0 + 1e-9] * 39],
    ],
)
def test_quantiles_of_draws_that_coincide_are_written_once(draws):
    rate = Learnt(np.linspace(0.2, 0.3, 40), "OOM/year", "x")
    now = written_back({RATE: rate, DATE: Learnt(np.array(draws), "year", "x")})
    date = now.joint.priors["drivers.compute.growth[1].from"]
    assert date.family.ppf(np.array([0.5]))[0] == pytest.approx(np.median(draws), abs=1e-3)


def test_labels_stay_and_what_is_certain_becomes_a_number_unless_it_was_stated_as_certain():
    start = Learnt(np.full(40, 15.3), "FLOP")
    was = {name: each.prior for name, each in load_scenario("change-point").joint.priors.items()}
    rate = Learnt(np.full(40, 0.3), "OOM/year", "x")
    date = Learnt(np.linspace(2007.0, 2009.0, 40), "year", "x")
    now = written_back({(*COMPUTE, "start"): start, RATE: rate, DATE: date}).joint.priors
    assert now["drivers.compute.start"].family.ppf(np.array([0.1, 0.9])) == pytest.approx([15.3, 15.3])
    assert now["drivers.compute.growth[0].rate"].prior == was["drivers.compute.growth[0].rate"]
    label = {name: now[f"drivers.compute.{name}"].prior.label for name in ("start", "growth[1].from")}
    assert label == {"start": None, "growth[1].from": "date at which growth changes"}  # the start is of another date
