"""The laws of the uniform streams."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from scipy import stats

from simulator.errors import InputError
from simulator.priors import streams
from simulator.priors.streams import EDGE, block_uniforms, blocks_uniforms, stratified
from simulator.schema.choices import DESIGNS, DrawDesign
from tests.rank_correlations import rank_correlations

STRATIFIED = tuple(name for name in DESIGNS if DESIGNS.find(name).stratified)
NAMES = ("spending", "hardware", "algorithms", "power")


def strata(uniforms: np.ndarray, count: int) -> list[int]:
    """Return the stratum of each number, sorted."""
    return sorted(np.floor(uniforms * count).astype(int).tolist())


@pytest.mark.parametrize("design", list(DESIGNS))
def test_the_same_key_gives_the_same_numbers_whatever_was_drawn_before(design: str) -> None:
    first = block_uniforms("spending", seed=1, block=2, size=256, design=design)
    for name in ("hardware", "algorithms"):
        block_uniforms(name, seed=1, block=2, size=256, design=design)
    np.testing.assert_array_equal(block_uniforms("spending", seed=1, block=2, size=256, design=design), first)


@pytest.mark.parametrize("design", list(DESIGNS))
def test_writing_into_the_result_does_not_change_later_draws(design: str) -> None:
    first = block_uniforms("spending", seed=1, block=0, size=64, design=design)
    kept = first.copy()
    first[:] = 0.5
    np.testing.assert_array_equal(block_uniforms("spending", seed=1, block=0, size=64, design=design), kept)


def test_numbers_do_not_depend_on_the_hash_seed_of_the_process() -> None:
    code = (
        "from simulator.priors.streams import *\n"
        "for design in DESIGNS:\n"
        "    drawn = block_uniforms('spending', seed=3, block=1, size=16, design=design)\n"
        "    print(drawn.tobytes().hex())"
    )
    here = [block_uniforms("spending", seed=3, block=1, size=16, design=d).tobytes().hex() for d in DESIGNS]
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
        )
        assert done.stdout.split() == here


@pytest.mark.parametrize("design", list(DESIGNS))
def test_every_part_of_the_key_counts(design: str) -> None:
    keys = [
        ("spending", 0, 0),
        ("Spending", 0, 0),
        ("spending ", 0, 0),
        ("", 0, 0),
        ("dépense", 0, 0),
        ("支出", 0, 0),
        ("0\nspending", 0, 0),
        ("spending", 1, 0),
        ("spending", -1, 0),
        ("spending", 2**64, 0),
        ("spending", 10**40, 0),
        ("spending", 0, 1),
        ("spending", 0, 10),
        ("spending", 10, 0),
    ]
    drawn = [block_uniforms(n, seed=s, block=b, size=64, design=design) for n, s, b in keys]
    for one, other in itertools.combinations(drawn, 2):
        assert np.all(one != other)


@pytest.mark.parametrize("design", STRATIFIED)
@pytest.mark.parametrize("size", [1, 2, 3, 64, 500, 4096, 10_007])
def test_each_stratum_holds_one_number(design: str, size: int) -> None:
    for seed, name in itertools.product((0, 7), NAMES):
        uniforms = block_uniforms(name, seed=seed, block=3, size=size, design=design)
        assert strata(uniforms, size) == list(range(size))


@pytest.mark.parametrize("design", list(DESIGNS))
def test_one_number_of_each_block_is_uniform(design: str) -> None:
    # Across blocks the numbers at one place are independent, so the Kolmogorov-Smirnov law holds.
    for place in (0, 1, 63):
        numbers = [block_uniforms("x", seed=0, block=b, size=64, design=design)[place] for b in range(1000)]
        assert stats.kstest(numbers, "uniform").pvalue > 1e-4


@pytest.mark.parametrize("design", STRATIFIED)
def test_the_place_within_a_stratum_is_uniform(design: str) -> None:
    numbers = np.concatenate([block_uniforms("x", seed=0, block=b, size=16, design=design) for b in range(1000)])
    within = numbers * 16 % 1.0
    # Two places within a block are independent in both designs, so the counts have the multinomial variance.
    counts = np.bincount((within * 10).astype(int), minlength=10)
    assert np.all(np.abs(counts - 1600) < 4 * np.sqrt(16000 * 0.09))


@pytest.mark.parametrize("design", list(DESIGNS))
def test_names_and_blocks_and_seeds_are_uncorrelated(design: str) -> None:
    # The mean over independent blocks of the covariance in a block, against its own standard error.
    for other in ({"name": "hardware"}, {"block": 1000}, {"seed": 1}):
        key = {"name": "spending", "seed": 0, "block": 0} | other
        products = []
        for block in range(200):
            x = block_uniforms("spending", seed=0, block=block, size=64, design=design)
            y = block_uniforms(key["name"], seed=key["seed"], block=key["block"] + block, size=64, design=design)
            products.append(np.mean((x - 0.5) * (y - 0.5)))
        assert abs(np.mean(products)) < 4 * np.std(products, ddof=1) / np.sqrt(len(products))


@pytest.mark.parametrize("design", STRATIFIED)
def test_a_sum_over_names_has_far_less_error_than_plain_sampling(design: str) -> None:
    errors = [
        sum(block_uniforms(n, seed=s, block=0, size=1024, design=design).mean() - 0.5 for n in NAMES) for s in range(50)
    ]
    plain_variance = len(NAMES) / 12 / 1024
    assert np.mean(np.square(errors)) < plain_variance / 1000


@pytest.mark.parametrize("design", list(DESIGNS))
def test_numbers_stay_inside_the_edges(design: str) -> None:
    for block in range(20):
        uniforms = block_uniforms("edge", seed=0, block=block, size=4096, design=design)
        assert uniforms.dtype == np.float64
        assert uniforms.shape == (4096,)
        assert uniforms.min() >= EDGE
        assert uniforms.max() <= 1 - EDGE


def test_the_words_are_those_of_philox_keyed_by_a_hash() -> None:
    # The definition, written out: 52 bits of the n-th word of the stream, n = 2 size block + place.
    text = b"streams-2\nrandom\n7\n500\nspending"
    key = np.frombuffer(hashlib.shake_256(text).digest(16), dtype="<u8")
    words = np.random.Philox(key=key).random_raw(2 * 500 * 4).reshape(4, 2, 500)
    drawn = block_uniforms("spending", seed=7, block=3, size=500, design="random")
    assert drawn.tolist() == ((words[3, 0] >> np.uint64(12)) * 2.0**-52 + 2.0**-53).tolist()
    text = b"streams-2\nlatin hypercube\n7\n500\nspending"
    key = np.frombuffer(hashlib.shake_256(text).digest(16), dtype="<u8")
    words = np.random.Philox(key=key).random_raw(2 * 500 * 4).reshape(4, 2, 500)
    drawn = block_uniforms("spending", seed=7, block=3, size=500, design="latin-hypercube")
    order = np.argsort(words[3, 0] >> np.uint64(9))  # the 9 last bits hold the place of a sample
    assert drawn.tolist() == ((order + ((words[3, 1] >> np.uint64(12)) + 0.5) * 2.0**-52) / 500).tolist()


def test_golden_numbers() -> None:
    golden = {
        "latin-hypercube": [0.3442293646179809, 0.06806363495015268, 0.5561952008410259, 0.7374617763335106],
        "random": [0.663143877115299, 0.9979493725928573, 0.11906512868865204, 0.08003693299572434],
    }
    assert set(golden) == set(DESIGNS)
    for design, expected in golden.items():
        drawn = block_uniforms("spending", seed=0, block=0, size=500, design=design)
        assert drawn[[0, 1, 123, 499]].tolist() == expected


@pytest.mark.parametrize(
    ("samples", "block"),
    [(1024, 500), (1024, 1024), (4096, 500), (4096, 4096), pytest.param(10_000, 500, marks=pytest.mark.slow)],
)
def test_no_pair_of_2000_names_goes_together_more_than_independent_draws_do(samples: int, block: int) -> None:
    pairs = [(f"prior {number}", f"other {number}") for number in range(2000)]
    found = rank_correlations(pairs, samples=samples, block=block) * np.sqrt(samples - 1)
    # Of independent orders the rank correlation has the variance 1 / (n - 1) and is near to normal.
    assert stats.kstest(found, "norm").pvalue > 1e-4
    assert np.abs(found).max() < stats.norm.ppf(1 - 1e-4 / 2 / 2000)


def test_what_goes_together_in_one_block_does_not_in_the_next() -> None:
    pairs = [(f"prior {number}", f"other {number}") for number in range(500)]
    first, second = (rank_correlations(pairs, samples=500 * (b + 1), block=500) for b in (0, 1))
    # Of two blocks the first is half of the samples.
    assert abs(np.corrcoef(first, 2 * second - first)[0, 1]) < 4 / np.sqrt(500)


@pytest.mark.parametrize("design", STRATIFIED)
def test_a_block_that_ends_early_is_spread_over_the_samples_it_has(design: str) -> None:
    drawn = blocks_uniforms(["x"], seed=0, blocks=range(3), size=500, design=design, samples=1096)["x"]
    assert strata(drawn[500:1000], 500) == list(range(500))
    assert strata(drawn[1000:], 96) == list(range(96))
    alone = blocks_uniforms(["x"], seed=0, blocks=range(1), size=500, design=design, samples=96)["x"]
    assert strata(alone, 96) == list(range(96))


def test_numbers_are_put_into_their_strata_in_the_order_that_they_have() -> None:
    given = np.random.default_rng(0).uniform(size=1096) ** 2
    put = stratified(given, 500)
    for part in (slice(0, 500), slice(500, 1000), slice(1000, 1096)):
        size = put[part].size
        assert strata(put[part], size) == list(range(size))
        assert (np.argsort(put[part]) == np.argsort(given[part])).all()
    assert stratified(put, 500) == pytest.approx(put, abs=1e-12)
    assert stratified(np.array([0.3]), 500) == pytest.approx([0.3])


def test_equal_numbers_are_spread_in_the_order_in_which_they_stand() -> None:
    given = np.random.default_rng(3).choice([0.15, 0.35, 0.55], 60)
    rank = np.array([np.sum(given < own) + np.sum(given[:place] == own) for place, own in enumerate(given)])
    np.testing.assert_allclose(stratified(given, 60), (rank + given * 60 % 1.0) / 60, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"design": "halton"}, "must be one of latin-hypercube, random; got 'halton'"),
        ({"size": 0}, "must be from 1 to 16,777,216; got 0"),
        ({"size": 2**25}, "must be from 1 to 16,777,216"),
        ({"block": -1}, "must be 0 or more; got -1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change: dict[str, object], message: str) -> None:
    arguments = {"seed": 0, "block": 0, "size": 8, "design": "random"} | change
    with pytest.raises(InputError) as caught:
        block_uniforms("x", **arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize("design", list(DESIGNS))
def test_several_priors_and_blocks_at_once_are_those_one_by_one(design: str) -> None:
    together = blocks_uniforms(["a", "b"], seed=3, blocks=range(2, 4), size=64, design=design)
    for name, numbers in together.items():
        one = [block_uniforms(name, seed=3, block=block, size=64, design=design) for block in (2, 3)]
        assert np.array_equal(numbers, np.concatenate(one))
    assert blocks_uniforms([], seed=3, blocks=range(2), size=64, design=design) == {}


def midpoints(names: Sequence[str], *, seed: int, blocks: Sequence[int], size: int) -> np.ndarray:
    """The middles of equal strata, in the same order for every name."""
    return np.tile((np.arange(size) + 0.5) / size, (len(names), len(blocks)))


MIDPOINTS = DrawDesign("midpoints", midpoints, "The middles of equal strata.")


def test_a_design_of_a_package_is_drawn_by_from_a_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    from simulator import load_scenario, simulate

    point = EntryPoint("midpoints", f"{__name__}:MIDPOINTS", DESIGNS.group)
    monkeypatch.setattr("simulator.registers.entry_points", lambda group: [point] if group == DESIGNS.group else [])
    scenario = load_scenario("baseline", overrides=["design=midpoints", "samples=256", "block=256"])
    start = simulate(scenario)["parameters/drivers.spending.start"].values
    assert (np.diff(start) > 0).all()
    streams._design.cache_clear()
    monkeypatch.undo()
    with pytest.raises(InputError, match="must be one of 'latin-hypercube' or 'random'; got 'midpoints'"):
        load_scenario("baseline", overrides=["design=midpoints"])
