"""What a fit keeps for who draws it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from simulator.history.beliefs import history_priors
from simulator.history.conditioning import PRIOR_CURVES, keep_priors
from simulator.priors.families import Fixed, Normal
from tests.charts.learnt_run import learnt_run


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
