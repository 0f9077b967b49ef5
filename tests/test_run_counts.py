"""Runs that fill bins of sizes: against a plain simulation, renewal theory, and the laws of keyed random numbers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from simulator import run_counts
from simulator.run_counts import count_above, fill_bin, numbered_uniforms, sample_keys, stream_keys

SIZE = 20_000


def keys(size: int = SIZE, seed: int = 1) -> np.ndarray:
    return sample_keys(np.random.default_rng(seed).random(size))


def brute_force(total, largest, span, gradient, bins, levels, rng):  # type: ignore[no-untyped-def]
    """Count the runs of one year as the rule says it, one run after the other."""
    edges = largest * 10.0 ** (-span * np.arange(bins + 1) / bins)
    counts = np.zeros(len(levels))
    for upper, lower in pairwise(edges):
        left = total * ((upper / largest) ** gradient - (lower / largest) ** gradient)
        while left > 0:
            size = rng.uniform(lower, upper)
            left -= size
            counts += size >= levels
    return counts


@pytest.mark.parametrize(
    ("share", "span", "gradient", "bins"), [(0.16, 7.0, 1.0, 20), (0.5, 6.0, 1.1, 20), (0.05, 3.0, 0.9, 5)]
)
def test_counts_are_those_of_a_plain_simulation(share: float, span: float, gradient: float, bins: int) -> None:
    levels = np.array([1e24, 3e24, 1e25, 7e25])
    rng = np.random.default_rng(0)
    plain = np.array([brute_force(1e26 / share, 1e26, span, gradient, bins, levels, rng) for _ in range(400)])
    one = np.ones(SIZE)
    found = count_above(
        keys(), log_total=(26 - np.log10(share)) * one, log_largest=26 * one, span=span * one, gradient=gradient * one,
        bins=bins, log_levels=np.log10(levels)[:, None] * one,
    )  # fmt: skip
    error = plain.std(axis=0) / np.sqrt(400)
    assert np.all(np.abs(found.mean(axis=1) - plain.mean(axis=0)) <= 4 * error + 1e-9)
    np.testing.assert_allclose(found.std(axis=1), plain.std(axis=0), rtol=0.15, atol=0.02)


@pytest.mark.parametrize("compute", [40.0, 300.0])
def test_the_normal_law_has_the_moments_of_runs_that_are_drawn(compute: float) -> None:
    floor = np.full(SIZE, 0.45)
    cuts = np.array([0.45, 0.5, 0.7, 0.95, 1.0])[:, None] * np.ones(SIZE)
    arguments = (np.full(SIZE, compute), floor, cuts)
    drawn = run_counts._one_by_one(keys(seed=2), *arguments)
    normal = run_counts._many(keys(seed=3), *arguments)
    sd = drawn.std(axis=1)
    assert np.all(np.abs(drawn.mean(axis=1) - normal.mean(axis=1)) <= 6 * sd / np.sqrt(SIZE) + 1e-9)
    np.testing.assert_allclose(normal.std(axis=1)[:4], sd[:4], rtol=0.04)
    np.testing.assert_allclose(np.corrcoef(normal[:4]), np.corrcoef(drawn[:4]), atol=0.05)
    assert np.all(np.diff(normal, axis=0) <= 0)
    assert not normal[4].any()


def test_very_many_runs_are_counted_by_the_normal_law_and_few_are_drawn() -> None:
    edge = run_counts.MOST_EXACT * 1.45 / 2
    compute = np.where(np.arange(SIZE) % 2, 0.9 * edge, 1.1 * edge)
    floor, cuts = np.full(SIZE, 0.45), np.full((1, SIZE), 0.45)
    found = fill_bin(keys(), compute, floor=floor, cuts=cuts)[0]
    expected = compute / 0.725 + (0.725**2 + 0.55**2 / 12) / (2 * 0.725**2)  # renewal theory
    for half in (slice(0, None, 2), slice(1, None, 2)):
        assert found[half].mean() == pytest.approx(expected[half][0], abs=6 * found[half].std() / np.sqrt(SIZE / 2))


def test_a_bin_whose_compute_is_less_than_a_run_has_one_run() -> None:
    half = np.full(8, 0.5)
    assert fill_bin(keys(8), np.full(8, 0.1), floor=half, cuts=half[None]).tolist() == [[1] * 8]


def counted(chosen: np.ndarray, levels: list[float], *, places: np.ndarray | None = None) -> np.ndarray:
    places = np.arange(chosen.size) if places is None else places
    rng = np.random.default_rng(5)
    largest, span, gradient = 26 + rng.random(SIZE), 6 + rng.random(SIZE), 0.5 + rng.random(SIZE)
    return count_above(
        chosen, log_total=largest[places] + 1.0, log_largest=largest[places], span=span[places],
        gradient=gradient[places], bins=20, log_levels=np.array(levels)[:, None] * np.ones(chosen.size),
    )  # fmt: skip


def test_the_order_and_the_company_of_samples_change_nothing() -> None:
    every, order = keys(), np.random.default_rng(9).permutation(SIZE)[:3000]
    np.testing.assert_array_equal(
        counted(every, [25.0, 26.0])[:, order], counted(every[order], [25.0, 26.0], places=order)
    )


def test_a_further_level_changes_no_other_count() -> None:
    np.testing.assert_array_equal(counted(keys(), [25.0, 26.0]), counted(keys(), [24.0, 25.0, 25.5, 26.0])[[1, 3]])


def test_a_higher_level_never_has_more_runs_above_it() -> None:
    found = counted(keys(), [22.0, 23.0, 24.0, 25.0, 26.0, 27.5])
    assert np.all(np.diff(found, axis=0) <= 0)
    assert not found[-1].any()  # above every largest run


def test_uniform_numbers_are_uniform_and_streams_know_nothing_of_one_another() -> None:
    first, second = stream_keys(keys(), 0), stream_keys(keys(), 1)
    numbers = np.concatenate([numbered_uniforms(each, range(4)) for each in (first, second)], axis=1)
    assert numbers.min() > 0
    assert numbers.max() < 1
    counts = np.stack([np.histogram(column, bins=20, range=(0, 1))[0] for column in numbers.T])
    assert np.all(((counts - SIZE / 20) ** 2 / (SIZE / 20)).sum(axis=1) < 19 + 5 * np.sqrt(38))
    scatter = np.abs(np.corrcoef(numbers.T) - np.eye(8))
    assert scatter.max() < 5 / np.sqrt(SIZE)


def test_neighbouring_keys_give_numbers_that_are_not_near() -> None:
    near = sample_keys(0.5 + np.arange(SIZE) * 2.0**-52)
    numbers = numbered_uniforms(near, range(2))
    assert abs(np.corrcoef(numbers[:-1, 0], numbers[1:, 0])[0, 1]) < 5 / np.sqrt(SIZE)
    assert np.unique(numbers).size == 2 * SIZE
