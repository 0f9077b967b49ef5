"""The laws of the uniform streams."""

from __future__ import annotations

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
from simulator.priors.streams import (
    DEFAULT_BLOCK,
    DEFAULT_DESIGN,
    EDGE,
    block_uniforms,
    blocks_uniforms,
    pair_loss,
)
from simulator.schema.choices import DESIGNS, DrawDesign

STRATIFIED = ("latin-hypercube", "sobol")
NAMES = ("spending", "hardware", "algorithms", "power")


def strata(uniforms: np.ndarray, count: int) -> list[int]:
    """Return the stratum of each number, sorted."""
    return sorted(np.floor(uniforms * count).astype(int).tolist())


@pytest.mark.parametrize("design", list(DESIGNS))
def test_the_same_key_gives_the_same_numbers_whatever_was_drawn_before(design: str) -> None:
    first = block_uniforms("spending", seed=1, block=2, size=256, design=design)
    streams._generator_mask.cache_clear()
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
@pytest.mark.parametrize("size", [1, 2, 64, 512, 4096, 16384])
def test_each_stratum_holds_one_number(design: str, size: int) -> None:
    for seed, name in itertools.product((0, 7), NAMES):
        uniforms = block_uniforms(name, seed=seed, block=3, size=size, design=design)
        assert strata(uniforms, size) == list(range(size))


def test_every_aligned_run_of_a_power_of_two_in_a_net_is_stratified() -> None:
    for name in NAMES:
        uniforms = block_uniforms(name, seed=0, block=0, size=4096, design="sobol")
        for length in 2 ** np.arange(13):
            runs = np.sort(np.floor(uniforms.reshape(-1, length) * length), axis=1)
            assert np.all(runs == np.arange(length))


@pytest.mark.parametrize("design", ["random", "sobol"])
def test_a_smaller_block_is_the_prefix_of_a_larger(design: str) -> None:
    small = block_uniforms("spending", seed=5, block=1, size=256, design=design)
    large = block_uniforms("spending", seed=5, block=1, size=4096, design=design)
    np.testing.assert_array_equal(large[:256], small)


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


def test_a_product_of_two_names_has_less_error_in_a_net_than_in_plain_sampling() -> None:
    def error(seed: int) -> float:
        x, y = (block_uniforms(n, seed=seed, block=0, size=4096, design="sobol") for n in NAMES[:2])
        return float(np.mean((x - 0.5) * (y - 0.5)))

    variance = np.mean([error(seed) ** 2 for seed in range(100)])
    assert variance < 0.2 / (144 * 4096)


def test_pair_loss_predicts_the_error_of_a_bad_and_a_good_pair() -> None:
    names = [f"name {number}" for number in range(120)]
    loss = pair_loss(names, size=256)
    np.testing.assert_array_equal(loss, loss.T)
    one, other = np.unravel_index(np.argmax(loss), loss.shape)
    assert loss[one, other] > 10

    def squares(first: str, second: str) -> np.ndarray:
        drawn = [
            [block_uniforms(n, seed=s, block=0, size=256, design="sobol") - 0.5 for n in (first, second)]
            for s in range(300)
        ]
        return np.array([np.mean(x * y) ** 2 for x, y in drawn]) * 144 * 256

    # x - 1/2 has the digit variances that the loss assumes.
    bad = squares(names[one], names[other])
    assert abs(bad.mean() - loss[one, other]) < 4 * bad.std(ddof=1) / np.sqrt(len(bad))
    calm = loss + np.eye(len(names)) * loss.max()
    one, other = np.unravel_index(np.argmin(calm), loss.shape)
    assert squares(names[one], names[other]).mean() < 0.2


def test_pair_loss_of_one_name_twice_is_that_of_no_net_at_all() -> None:
    # All digits coincide: the squared variances of the digits, over their number in the digit, add up.
    digits = np.arange(1.0, 13.0)
    share = 3.0 * 4.0**-digits
    expected = 4096 * np.sum(share**2 / 2 ** (digits - 1))
    assert pair_loss(["a", "a"], size=4096)[0, 1] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("design", list(DESIGNS))
def test_numbers_stay_inside_the_edges(design: str) -> None:
    for block in range(20):
        uniforms = block_uniforms("edge", seed=0, block=block, size=4096, design=design)
        assert uniforms.dtype == np.float64
        assert uniforms.shape == (4096,)
        assert uniforms.min() >= EDGE
        assert uniforms.max() <= 1 - EDGE


def test_all_bits_clear_and_all_bits_set_are_not_zero_and_one() -> None:
    ends = streams._to_unit(np.array([0, 2**52 - 1], dtype=np.uint64))
    assert ends[0] == 2.0**-53
    assert ends[1] == 1 - 2.0**-53


def test_golden_numbers() -> None:
    golden = {
        "latin-hypercube": [0.29828582550094185, 0.5061628994378239, 0.21683238747788536, 0.4488907524517739],
        "random": [0.07208172938349067, 0.09473038875243389, 0.8422111305861161, 0.6665016970317713],
        "sobol": [0.39964046795456165, 0.8561648663036382, 0.6936262185393854, 0.8730419764522942],
    }
    assert set(golden) == set(DESIGNS)
    for design, expected in golden.items():
        drawn = block_uniforms("spending", seed=0, block=0, size=4096, design=design)
        assert drawn[[0, 1, 1234, 4095]].tolist() == expected


def test_default_is_a_known_design_and_a_power_of_two() -> None:
    assert DEFAULT_DESIGN in DESIGNS
    assert len(block_uniforms("x", seed=0, block=0, size=DEFAULT_BLOCK, design=DEFAULT_DESIGN)) == DEFAULT_BLOCK


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"design": "halton"}, "must be one of latin-hypercube, random, sobol; got 'halton'"),
        ({"size": 1000}, "must be a power of two from 1 to 2^24; got 1000"),
        ({"size": 0}, "must be a power of two"),
        ({"size": 2**25}, "must be a power of two"),
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
    with pytest.raises(InputError, match="must be one of 'sobol', 'latin-hypercube' or 'random'; got 'midpoints'"):
        load_scenario("baseline", overrides=["design=midpoints"])
