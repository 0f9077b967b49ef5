"""Courses give the levels that the chain gives, bit for bit, on the years and at times of the samples' own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulator.model.courses import quantity_course
from simulator.model.lines import Bent, Joined, Named, levels_of
from simulator.model.projection import Projection, year_grid
from simulator.model.quantities import Chain, named_level, subject_course
from simulator.priors.draws import draw_blocks
from simulator.scenario.load import load_scenario
from simulator.schema.subjects import subjects


def level(start: float, growth: str, **more: Any) -> dict[str, Any]:
    drawn = {"median": start, "interval_90": [start / 3, start * 2], "unit": "USD"}
    return {
        "start": drawn,
        "growth": [{"rate": growth}, {"from": {"uniform": [2028, 2032]}, "rate": "1.1x/year"}],
        **more,
    }


MADE: dict[str, Any] = {
    "extends": "baseline",
    "name": "made",
    "quantities": {
        "site": level(1e10, "2x/year", caps={"top": {"kind": "exponential", "limit": {"value": 1e12, "unit": "USD"}}}),
        "both": {"sum": ["site", level(1e9, "3x/year")]},
        "least": {"minimum": ["both", level(1e11, "1.2x/year"), {"product": ["site", {"ratio": ["both", "site"]}]}]},
        "most": {"maximum": ["least", level(1e9, "4x/year")]},
    },
    "drivers": {"spending": {"caps": {
        "pool": {"kind": "logistic", "limit": "least"},
        "part": {"kind": "hard", "share": {"uniform": [0.1, 0.5], "unit": "fraction"}, "of": "most"},
    }}},
}  # fmt: skip
"""Levels of which none is broken lines: bent, joined, and shares of such."""


def chain_of(name: str | dict[str, Any], *overrides: str) -> Chain:
    scenario = load_scenario(name, overrides=overrides)
    spec = scenario.spec
    draws = draw_blocks(scenario.joint, seed=1, blocks=range(1), size=16, design="random")
    projection = Projection(spec, years=year_grid(spec), custom={})
    return Chain(projection.block(draws), {each.name: each for each in subjects(spec)})


@pytest.mark.parametrize("name", ["baseline", "tight-caps", "no-caps", "doubling-times", MADE])
def test_a_course_gives_what_the_chain_gives(name: str | dict[str, Any]) -> None:
    chain = chain_of(name)
    block, samples = chain.block, np.array([3, 0, 15, 3])
    own = np.array([[2025.5], [2028.25], [2031.1], [2044.9]])
    asked = ["effective_compute", *chain.subjects]
    for variable in asked:
        for apart, times, which in ((False, own, samples), (True, block.times, None)):
            course = subject_course(variable, chain, apart=apart)
            assert course is not None
            expected = chain if which is None else Chain(block.taken(which, times), chain.subjects)
            levels = np.broadcast_to(levels_of(course, times, which, {}), expected.level(variable, times).shape)
            np.testing.assert_array_equal(levels, expected.level(variable, times))
    for quantity in block.spec.quantities:
        course = quantity_course(quantity, (), block)
        assert course is not None or name != MADE
        if course is not None:
            assert isinstance(course, Named)
            assert quantity not in MADE["quantities"] or isinstance(course.course, Bent | Joined)
            expected_level = named_level(quantity, block.taken(samples, own), own)
            np.testing.assert_array_equal(levels_of(course, own, samples, {}), expected_level)


def test_what_has_a_name_or_limits_is_computed_once() -> None:
    chain = chain_of("baseline")
    course = subject_course("spending", chain, apart=True)
    assert isinstance(course, Bent)
    known: dict[tuple[tuple[str | int, ...], bytes], object] = {}
    first = levels_of(course, chain.block.times, None, known)
    assert levels_of(course, chain.block.times, None, known) is first
    assert (("drivers", "spending"), b"") in known


def test_what_is_followed_has_no_course() -> None:
    drift = chain_of("baseline", "drivers.spending.drift={median: 0.02, interval_90: [0.01, 0.04], unit: OOM/year}")
    assert subject_course("spending", drift, apart=False) is None
    assert subject_course("effective_compute", drift, apart=False) is None
    assert subject_course("algorithms", drift, apart=False) is not None
    moving = chain_of("baseline", "drivers.spending.caps.cash-flow.kind=gompertz")  # under a limit that moves
    assert subject_course("spending", moving, apart=False) is None
