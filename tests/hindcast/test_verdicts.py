"""Verdicts hold as often as they say, in worlds where it is known who is better."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.hindcast.rows import MODEL, skills
from simulator.hindcast.verdicts import (
    DESIGNS,
    EQUAL,
    TOO_FEW,
    UNEQUAL,
    simulated_differences,
    simulated_verdicts,
    two_halves,
    verdict,
)
from tests.hindcast.small_hindcast import forecasts, row

WORLDS = 1000
ERROR = 2 * np.sqrt(0.85 * 0.15 / WORLDS)
"""Two standard errors of a share of worlds."""


def said(*, mine: float = 0.2, theirs: float = 0.5, later: float | None = None, origins: range = range(2016, 2020)):
    """Say the verdict on a forecast that scores so beside another, from later origins otherwise."""
    rows = [row(MODEL, each, 2022, mine if each < 2018 or later is None else later) for each in origins]
    rows += [row("other", each, 2022, theirs) for each in origins]
    (skill,) = skills(forecasts(rows)).rows()
    return verdict(skill), skill


def test_the_verdict_follows_the_difference_where_both_halves_agree() -> None:
    assert said()[0] == "better"
    assert said(mine=0.5, theirs=0.2)[0] == "worse"
    assert said(mine=0.5)[0] == "a tie"
    told, skill = said(mine=0.2, later=0.22)
    assert (told, skill["skill"]) == ("better", pytest.approx(0.58))
    assert skill["skill_05"] < 0.58 < skill["skill_95"]


def test_a_difference_that_rests_on_half_of_the_origins_or_on_too_few_is_none() -> None:
    assert said(later=0.4)[0] == TOO_FEW
    assert said(mine=0.49, later=0.51)[0] == TOO_FEW  # near 0, and may be large
    assert said(origins=range(2016, 2019))[0] == TOO_FEW


def test_the_half_width_is_that_of_two_means() -> None:
    mean, low, high = two_halves([1, 2, 3, 4, 5], [[0.0, 0.0, 0.0, 1.0, 1.0]])
    assert [float(each[0]) for each in (mean, low, high)] == pytest.approx([0.4, 0.4 - 3.1569, 0.4 + 3.1569], abs=1e-4)


def test_the_interval_holds_the_truth_and_seldom_errs() -> None:
    rows = simulated_verdicts(worlds=WORLDS, seed=1).rows()
    equal = [each for each in rows if each["kind"] in EQUAL]
    assert len(equal) == len(EQUAL) * len(DESIGNS)
    for each in equal:
        assert 0.85 - ERROR <= each["holds"] <= 0.95 + ERROR, each
        assert max(each["better"], each["worse"]) <= 0.1 + ERROR, each
    for each in (each for each in rows if each["kind"] in UNEQUAL):
        assert each["worse"] < each["better"], each


def test_forecasters_are_equally_good_where_it_is_said_and_the_first_is_better_elsewhere() -> None:
    for kind in (*EQUAL, *UNEQUAL):
        _, _, differences = simulated_differences(kind, range(2015, 2025), worlds=4000, seed=2)
        mean, error = differences.mean(), differences.mean(axis=1).std() / np.sqrt(4000)
        assert abs(mean) < 4 * error if kind in EQUAL else mean > 4 * error, kind


def test_to_resample_target_years_as_if_they_were_independent_fails() -> None:
    """What was done before: it would say better or worse in most worlds."""
    rng, held = np.random.default_rng(3), {}
    for kind in EQUAL:
        _, targets, differences = simulated_differences(kind, (2018, 2020, 2022), worlds=300, seed=1)
        years, place = np.unique(targets, return_inverse=True)
        counts = np.bincount(place).astype(float)
        totals = np.stack([differences[:, place == each].sum(axis=1) for each in range(years.size)])
        chosen = rng.multinomial(years.size, [1 / years.size] * years.size, 1000)
        low, high = np.quantile(chosen @ totals / (chosen @ counts)[:, None], [0.05, 0.95], axis=0)
        held[kind] = np.mean((low <= 0) & (high >= 0))
    assert max(held.values()) < 0.6
