"""Boxes by peeling and pasting: a known box is found, noise is no box, quasi-p-values are binomial tails."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.analysis.designs.prim import Box, coverage_and_density, pasted, peeled, prim, quasi_p, significant, whole
from simulator.priors.streams import latin_hypercubes


def square(size: int, inputs: int = 4) -> np.ndarray:
    return latin_hypercubes([f"x{number}" for number in range(inputs)], seed=1, blocks=range(1), size=size).T


def test_a_known_box_is_found_and_says_nothing_of_other_inputs() -> None:
    values = square(1000)
    cases = (values[:, 0] > 0.6) & (values[:, 1] > 0.3) & (values[:, 1] < 0.8)
    found = prim(values, cases, density=0.95)
    assert found.box.restricted == [0, 1]
    assert found.box.low[0] == pytest.approx(0.6, abs=0.02)
    assert (found.box.low[1], found.box.high[1]) == pytest.approx((0.3, 0.8), abs=0.03)
    assert math.isinf(found.box.high[0])
    coverage, density = coverage_and_density(found.box, values, cases)
    assert coverage > 0.95
    assert density > 0.95


def test_a_box_is_found_whatever_the_scale_of_an_input() -> None:
    values = square(600)
    cases = (values[:, 2] < 0.3) & (values[:, 3] > 0.5)
    stretched = values * [1.0, 1.0, 1e9, 1.0]
    one, other = prim(values, cases, density=0.9).box, prim(stretched, cases, density=0.9).box
    np.testing.assert_array_equal(one.holds(values), other.holds(stretched))
    flipped = prim(-values, cases, density=0.9).box
    assert coverage_and_density(flipped, -values, cases)[0] > 0.85


def test_peeling_takes_a_slice_at_once_and_never_lowers_the_mean_where_it_can() -> None:
    values = square(400, 2)
    cases = values[:, 0] > 0.5
    path = list(peeled(values, cases, fewest=20))
    sizes = [int(box.holds(values).sum()) for box in path]
    assert sizes[:3] == [400, 380, 361]  # a twentieth of what is left
    shares = [coverage_and_density(box, values, cases)[1] for box in path]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_pasting_gives_back_what_was_peeled_too_far() -> None:
    values = square(400, 2)
    cases = values[:, 0] > 0.5
    narrow = whole(2).moved(0, low=0.8)
    assert pasted(narrow, values, cases).low[0] == pytest.approx(0.5, abs=0.01)


def test_a_quasi_p_value_is_the_tail_of_a_binomial() -> None:
    values = np.array([[0.1], [0.2], [0.3], [0.4], [0.6], [0.7], [0.8], [0.9]])
    cases = np.array([False, True, False, False, True, True, True, False])
    box = Box(np.array([0.5]), np.array([np.inf]))
    assert quasi_p(box, 0, values, cases) == pytest.approx((4 + 1) / 16)  # 3 or 4 of 4, each with 1/2
    found = significant(box, values, cases)
    assert found.box.restricted == []
    assert found.chance[0] == (0.5, np.inf, pytest.approx(5 / 16))


def test_nothing_and_everything_have_no_box() -> None:
    values = square(200)
    for cases in (np.zeros(200, dtype=bool), np.ones(200, dtype=bool)):
        assert prim(values, cases, density=0.8).box.restricted == []
