"""Epoch's "Can AI scaling continue through 2030?": the four constraints, which of them binds, and what they are made of."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.special import expit, logit
from scipy.stats import spearmanr

from simulator import fan_chart, load_scenario, simulate
from simulator.engine.checking import check_run
from simulator.units import SECONDS_PER_YEAR
from tests.published_runs import published, run_of

FILE = "published/scaling-2030"


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return run_of(FILE)


def test_what_is_published_and_what_its_inputs_give_lie_within_a_quarter_of_an_order_of_magnitude() -> None:
    printed = [target for target in published(FILE).targets if target.published is not None]
    assert len(printed) == 9
    for target in printed:
        assert target.recomputed == pytest.approx(target.published, abs=0.25), target


def metalog(u: np.ndarray, low: float, middle: float, high: float) -> np.ndarray:
    """Keelin's three-term metalog through the 10, 50 and 90 % points, before any bound."""
    r, wide, span = (middle - low) / (high - low), np.log(9) * 2, logit(u)
    return middle + (high - low) / wide * span + (1 - 2 * r) * (high - low) / (0.8 * np.log(9)) * (u - 0.5) * span


@pytest.mark.parametrize(
    ("name", "points", "bound"),
    [
        ("quantities.run-duration", (5.18e6, 1.56e7, 2.33e7), "log"),
        ("quantities.tokens-per-image", (2, 22, 290), "log"),
        ("quantities.share-of-largest-run", (0.16, 0.26, 0.40), "logit"),
        ("quantities.data-centre-growth.growth", (1.10, 1.15, 1.32), "growth"),
    ],
)
def test_a_prior_is_the_metalog_of_the_source(
    run: xr.DataTree, name: str, points: tuple[float, float, float], bound: str
) -> None:
    family = load_scenario(FILE).joint.priors[name].family
    u = np.array([0.001, 0.1, 0.3, 0.5, 0.9, 0.999])
    there = {"log": np.log, "logit": logit, "growth": lambda x: np.log(np.asarray(x) - 1)}[bound]
    back = {"log": np.exp, "logit": expit, "growth": lambda m: 1 + np.exp(m)}[bound]
    np.testing.assert_allclose(10 ** family.ppf(u), back(metalog(u, *there(points))), rtol=1e-9)
    drawn = run[f"parameters/{name}"].values
    np.testing.assert_allclose(10 ** np.quantile(drawn, [0.1, 0.5, 0.9]), points, rtol=0.02)


def test_every_node_is_the_arithmetic_of_its_inputs_in_2030(run: xr.DataTree) -> None:

    def drawn(name: str) -> np.ndarray:
        return 10 ** np.asarray(run[f"parameters/quantities.{name}"].values, dtype=float)

    def level(name: str) -> np.ndarray:
        return 10 ** np.asarray(run[f"trajectories/{name}"].sel(year=2030).values, dtype=float)

    growth, other = drawn("data-centre-growth.growth"), drawn("other-growth.minimum[1].growth")
    for_ai = (
        drawn("data-centres-2023") * growth**6 - (drawn("data-centres-2023") - 3.04e9) * np.minimum(other, growth) ** 6
    )
    np.testing.assert_allclose(level("quantity_power_for_ai"), for_ai, rtol=1e-4)
    g = drawn("gpu-production.product[0].growth") * drawn("gpu-production.product[1].growth")
    flow, stock = drawn("gpu-production.product[0].start"), drawn("gpu-stock.start")
    np.testing.assert_allclose(
        level("quantity_gpu_stock"), stock + flow * SECONDS_PER_YEAR * (g**6 - 1) / np.log(g), rtol=1e-5
    )
    tokens = drawn("tokens-per-image") * (drawn("images") + drawn("video")) + drawn("text")
    tokens = tokens + drawn("tokens-per-second-of-audio") * drawn("audio")
    tokens = tokens * drawn("tokens.product[1].growth") ** 6 * drawn("tokens.product[2]") * drawn("tokens.product[3]")
    np.testing.assert_allclose(level("constraint_data"), 0.3 * tokens**2, rtol=1e-3)
    power = np.maximum(
        level("quantity_local_run"), np.minimum(level("quantity_distributed_run"), level("quantity_run_over_network"))
    )
    np.testing.assert_array_equal(level("constraint_power"), power)
    least = np.minimum.reduce([level(f"constraint_{name}") for name in ("power", "chips", "data", "latency")])
    np.testing.assert_array_equal(level("physical_compute"), least)


def test_rank_correlations_are_those_of_the_source(run: xr.DataTree) -> None:
    spec = load_scenario(FILE).spec
    assert len(spec.correlations) == 9
    for correlation in spec.correlations:
        first, second = (run[f"parameters/{name}"].values for name in correlation.between)
        assert spearmanr(first, second).statistic == pytest.approx(correlation.rank, abs=4 / np.sqrt(20_000))


def test_every_named_quantity_is_in_the_run_with_its_unit_and_can_be_drawn(run: xr.DataTree) -> None:
    units = {
        name.removeprefix("quantity_"): values.attrs["units"] for name, values in run["trajectories"].data_vars.items()
    }
    assert set(units) > {name.replace("-", "_") for name in load_scenario(FILE).spec.quantities}
    assert units["flop_per_watt"] == "log10(FLOP s/J)"  # over a whole run: FLOP per watt
    assert units["local_run"] == units["distributed_run"] == units["run_over_network"] == "log10(FLOP)"
    assert units["gpu_stock"] == "log10(chip)"
    assert units["tokens"] == "log10(token)"
    assert fan_chart(run, "quantity_power_distributed").to_dict()


def test_a_stored_run_is_run_again_bit_for_bit() -> None:
    checked = check_run(simulate(load_scenario(FILE, overrides=["samples=1024"])))
    assert checked.passed
    assert not checked.close
