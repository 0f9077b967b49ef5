"""Priors that move: the median is met, the interval goes along, the family stays, whatever states the prior."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator import load_scenario
from simulator.explorer.restating import families_for, family_name, quantiles, restated
from simulator.priors.joint import NamedPrior, named_prior
from simulator.scenario.overrides import CENTRE
from simulator.schema.prior_names import Slot
from simulator.schema.statements import Prior
from simulator.testing import small_scenario

LEVELS = [0.05, 0.5, 0.95]
LOGS = (
    {"median": 2.4, "interval_90": [2.0, 2.9]},
    {"interval_80": [1.3, 1.8]},
    {"family": "lognormal", "mean": 2.0, "sd": 0.5},
    {"family": "lognormal", "median": 2.0, "interval_50": [1.5, 2.7]},
    {"family": "log-student-t", "df": 4, "interval_90": [1.5, 3.0]},
    {"family": "skewed-lognormal", "quantiles": {0.05: 1, 0.5: 3, 0.95: 6}},
    {"log-uniform": [1, 9]},
)
STRAIGHT = (
    {"family": "normal", "mean": 0.4, "sd": 0.1},
    {"family": "normal", "median": 0.4, "interval_90": [0.2, 0.6]},
    {"family": "skewed-normal", "median": 0.4, "interval_90": [0.3, 0.55]},
    {"family": "student-t", "df": 5, "location": 1.0, "scale": 0.2},
    {"uniform": [0.1, 0.9]},
    {"triangular": [0.1, 0.3, 0.9]},
    {"pert": [0.1, 0.3, 0.9]},
    {"quantiles": {0.1: 0.1, 0.5: 0.3, 0.8: 0.5, 0.9: 0.7}},
)


def _slot(data, unit):
    stated = {str(key): value for key, value in {**data, "unit": unit}.items()}
    if "quantiles" in stated:
        stated["quantiles"] = {str(level): value for level, value in stated["quantiles"].items()}
    kind = "rate" if unit.endswith("year") and unit != "year" else "date" if unit == "year" else "level"
    return Slot(("drivers", "spending", "growth"), Prior.read(stated), kind)


def _moved(data, unit, **change) -> tuple[NamedPrior, NamedPrior]:
    slot = _slot(data, unit)
    prior = named_prior(slot)
    return prior, named_prior(_slot(restated({**data, "unit": unit}, prior, slot, **change), unit))


@pytest.mark.parametrize("data", LOGS)
@pytest.mark.parametrize(("factor", "width"), [(1.25, 1.0), (0.9, 1.0), (1.0, 1.3), (1.1, 0.8)])
def test_what_is_positive_moves_and_widens_in_the_log(data, factor, width):
    old = quantiles(_slot_prior(data, "USD"), LEVELS)
    prior, moved = _moved(data, "USD", median=factor * old[1], width=width)
    low, middle, high = quantiles(moved, LEVELS)
    assert middle == pytest.approx(factor * old[1], rel=1e-6)
    assert math.log(high / middle) == pytest.approx(width * math.log(old[2] / old[1]), rel=1e-5)
    assert math.log(middle / low) == pytest.approx(width * math.log(old[1] / old[0]), rel=1e-5)
    assert family_name(moved) == family_name(prior)


def _slot_prior(data, unit):
    return named_prior(_slot(data, unit))


@pytest.mark.parametrize("data", STRAIGHT)
@pytest.mark.parametrize(("shift", "width"), [(0.05, 1.0), (0.0, 1.2), (-0.05, 0.7)])
def test_differences_move_and_widen_as_they_are(data, shift, width):
    old = quantiles(_slot_prior(data, "OOM/year"), LEVELS)
    prior, moved = _moved(data, "OOM/year", median=old[1] + shift, width=width)
    low, middle, high = quantiles(moved, LEVELS)
    assert middle == pytest.approx(old[1] + shift, abs=1e-6)
    assert high - middle == pytest.approx(width * (old[2] - old[1]), rel=1e-5)
    assert middle - low == pytest.approx(width * (old[1] - old[0]), rel=1e-5)
    assert family_name(moved) == family_name(prior)


@pytest.mark.parametrize("data", [
    {"family": "gamma", "shape": 3.0, "scale": 0.1},
    {"family": "beta", "alpha": 2.0, "beta": 5.0},
    {"discrete": {"values": [0.1, 0.2, 0.4], "weights": [1, 2, 1]}},
    {"family": "metalog", "median": 0.3, "interval_90": [0.1, 0.6], "lower": 0.0, "upper": 1.0},
])  # fmt: skip
def test_what_has_no_place_and_width_of_its_own_moves_by_its_quantiles(data):
    old = quantiles(_slot_prior(data, "x"), LEVELS)
    _, moved = _moved(data, "x", median=1.1 * old[1])
    assert quantiles(moved, LEVELS) == pytest.approx(np.multiply(1.1, old), rel=1e-6)


def test_dates_keep_their_differences():
    _, moved = _moved({"uniform": [2027, 2030]}, "year", median=2030.0, width=2.0)
    assert moved.stated.support == (2027, 2033)


def test_the_median_moves_as_the_word_centre_moves_it():
    stated = {"median": 2.4, "interval_90": [2.0, 2.9], "unit": "x/year"}
    slot = _slot({"median": 2.4, "interval_90": [2.0, 2.9]}, "x/year")
    found = restated(stated, named_prior(slot), slot, median=3.0)
    base = small_scenario({"drivers.compute.growth": stated})
    moved = load_scenario(base, overrides=[f"drivers.compute.growth.{CENTRE}=3x/year"])
    assert moved.data["drivers"]["compute"]["growth"] == found


def test_another_family_has_the_same_median_and_interval():
    data = {"median": 2.4, "interval_90": [1.0, 6.0], "unit": "USD"}
    slot = _slot({"median": 2.4, "interval_90": [1.0, 6.0]}, "USD")
    prior = named_prior(slot)
    families = families_for(prior, slot)
    assert families[0] == family_name(prior) == "skewed-lognormal"
    assert {*families} == {"skewed-lognormal", "lognormal", "metalog", "quantiles"}  # a normal would reach 0 and less
    for family in families[1:]:
        made = restated(data, prior, slot, family=family)
        assert made["family"] == family
        found = named_prior(_slot({key: value for key, value in made.items() if key != "unit"}, "USD"))
        assert quantiles(found, LEVELS) == pytest.approx([1.0, 2.4, 6.0])


def test_sources_go_and_names_stay():
    data = {"prior": "a/b", "median": 2.0, "interval_90": [1, 4], "source": "x", "label": "growth", "name": "first"}
    slot = _slot({"median": 2.0, "interval_90": [1, 4]}, "USD")
    made = restated(data, named_prior(slot), slot, width=0.5)
    assert made == {"median": 2.0, "interval_90": [2.0 / 2**0.5, 2.0 * 2**0.5], "label": "growth", "name": "first"} | {
        "interval_90": pytest.approx([2.0 / 2**0.5, 2.0 * 2**0.5])
    }


def test_a_mixture_moves_as_one():
    parts = [
        {
            "weight": 0.6,
            "median": 8,
            "interval_90": [2, 22],
            "unit": "months/halving of requirement",
            "truncated": [1.2, None],
        },
        {"weight": 0.4, "interval_90": [1.1, 1.5], "unit": "x/year"},
    ]
    data = {"mixture": parts}
    slot = Slot(("drivers", "algorithms", "growth"), Prior.read(data), "rate")
    prior = named_prior(slot)
    old = prior.family.ppf(np.linspace(0.02, 0.98, 25))
    middle = quantiles(prior, [0.5])[0]
    made = named_prior(Slot(slot.path, Prior.read(restated(data, prior, slot, median=middle / 2)), "rate"))
    np.testing.assert_allclose(made.family.ppf(np.linspace(0.02, 0.98, 25)), 2.0 * old, rtol=1e-4)
    wide = named_prior(Slot(slot.path, Prior.read(restated(data, prior, slot, width=1.5)), "rate"))
    assert quantiles(wide, [0.5])[0] == pytest.approx(middle, rel=2e-3)
    assert quantiles(wide, [0.95])[0] > quantiles(prior, [0.95])[0]
