"""Uniform numbers keyed by the name of a prior.

A run is a sequence of blocks. The numbers of one prior in one block are a function of (seed, name, block,
size, design) and of nothing else: a prior that comes, goes or moves changes no other prior's numbers, bit
for bit.

All bits come from SHAKE-256 and the raw output of Philox, never from `hash()` or from a NumPy method whose
algorithm may change, so the numbers are the same on every platform and release.

The design "sobol" is a digital net as Sobol's sequence is, but the generator matrix of a dimension is drawn
from the name of the prior instead of being read from a table by position. Most sets of names are spread as
well as Sobol's dimensions. Some are not: about 1 pair in 80, and some threes and fours, are worse than plain
sampling on the interaction of their priors, in every run. That is no fault of the construction: streams that
know nothing of each other cannot gain on interactions when averaged over all names, so what most gain, a few
pay. The salt of the matrices is fixed and was chosen by measuring the gain for the names of the shipped baseline;
`pair_loss` shows bad pairs among others. Errors estimated from the spread over blocks are right for good and
bad names alike, because each block is scrambled anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError
from simulator.registers import attribute_at
from simulator.schema.choices import DESIGNS

# Chosen by benchmarks/precision.py and benchmarks/designs.py.
DEFAULT_DESIGN: Final[str] = "sobol"
DEFAULT_BLOCK: Final[int] = 4096
EDGE: Final[float] = 1e-12

_BITS: Final[int] = 52  # (k + 1/2) 2^-52 is exact in float64 for every k < 2^52, and never 0 or 1
_MAX_LOG2_SIZE: Final[int] = 24
_STREAM_SALT: Final[str] = "streams-1"  # changing either salt changes every draw of every run
_MATRIX_SALT: Final[str] = "matrices-1378"  # the best of 2,000 on the names of the shipped baseline


def block_uniforms(name: str, *, seed: int, block: int, size: int, design: str) -> NDArray[np.float64]:
    """Draw the uniform numbers (size,) of one prior in one block, from 1e-12 to 1 - 1e-12.

    The name may be any text, the seed any integer. The size of a block is a power of two up to 2^24; a partial last
    block takes a prefix. `design` says how the numbers of the block are spread.
    """
    return blocks_uniforms([name], seed=seed, blocks=range(block, block + 1), size=size, design=design)[name]


def blocks_uniforms(
    names: Sequence[str], *, seed: int, blocks: range, size: int, design: str
) -> dict[str, NDArray[np.float64]]:
    """Draw the numbers (blocks x size,) of several priors in several blocks: as `block_uniforms`, one by one."""
    _check(block=blocks.start, size=size, design=design)
    if not names:
        return {}
    uniforms = _design(design)(names, seed=seed, blocks=blocks, size=size)
    return dict(zip(names, np.clip(uniforms, EDGE, 1.0 - EDGE), strict=True))


@cache
def _design(name: str) -> Callable[..., NDArray[np.float64]]:
    """Load the function of a design."""
    uniforms = DESIGNS.find(name).uniforms
    return cast("Callable[..., NDArray[np.float64]]", attribute_at(uniforms))


def random_numbers(names: Sequence[str], *, seed: int, blocks: Sequence[int], size: int) -> NDArray[np.float64]:
    """Draw independent numbers, (name, block x size)."""
    words = [_raw_words("random", name, seed, block, size) for name in names for block in blocks]
    return _to_unit(np.stack(words) >> np.uint64(64 - _BITS)).reshape(len(names), -1)


def latin_hypercubes(names: Sequence[str], *, seed: int, blocks: Sequence[int], size: int) -> NDArray[np.float64]:
    """Put one number of each name, at random, into each of `size` equal strata of a block: (name, block x size)."""
    parts = [_latin_hypercube(name, seed, block, size) for name in names for block in blocks]
    return np.stack(parts).reshape(len(names), -1)


def digital_nets(names: Sequence[str], *, seed: int, blocks: Sequence[int], size: int) -> NDArray[np.float64]:
    """Draw the points of each name's digital net, scrambled anew in every block: (name, block x size)."""
    return _to_unit(_digital_nets(names, seed, blocks, size)).reshape(len(names), -1)


def pair_loss(names: Sequence[str], *, size: int, salt: str = _MATRIX_SALT) -> NDArray[np.float64]:
    """Measure how evenly each pair of names is spread in a block of the design "sobol": (name, name), symmetric.

    The loss is the variance of a sample mean over that under plain sampling, for a function of the two priors alone
    whose variance falls by a factor of 4 from each binary digit to the next, as that of a smooth function does, and is
    spread evenly within a digit. Far below 1 the pair is a good net; 1 is plain sampling; a pair whose first digits
    coincide has more than size / 2. The diagonal is 0.
    """
    _check(block=0, size=size, design="sobol")
    depth = size.bit_length() - 1
    # The Walsh functions of digit r sum to 2^(r-1) where the first r digits are 0, to -2^(r-1) where the
    # first 1 is digit r, and to 0 elsewhere (Dick & Pillichshammer 2010): the sum hangs on the place of the
    # first 1 alone.
    weight = 4.0 ** -np.arange(1.0, _BITS + 1.0)
    before = np.concatenate([[0.0], np.cumsum(weight)])
    by_zeros = before - np.append(weight, 0.0)
    table = np.empty((len(names), size))
    rows = np.uint64(1) << np.arange(depth, dtype=np.uint64)[::-1]
    for index, name in enumerate(names):
        directions = np.bitwise_or.reduce(_generator_mask(name, salt)[:depth, :depth] & rows[None, :], axis=1)
        _, exponent = np.frexp(_span(directions[None, :], np.zeros(1, dtype=np.uint64))[0].astype(np.float64))
        zeros = np.where(exponent > 0, depth - exponent, _BITS)
        table[index] = by_zeros[zeros]
    loss: NDArray[np.float64] = table @ table.T / before[-1] ** 2
    np.fill_diagonal(loss, 0.0)
    return loss


def _check(*, block: int, size: int, design: str) -> None:
    """Refuse what no block can be drawn from."""
    if design not in DESIGNS:
        raise InputError(f"draws: design: must be one of {', '.join(sorted(DESIGNS))}; got {design!r}.")
    if size < 1 or size & (size - 1) or size > 1 << _MAX_LOG2_SIZE:
        raise InputError(
            f"draws: block size: must be a power of two from 1 to 2^{_MAX_LOG2_SIZE}; got {size}. "
            "A block is cut into halves again and again; take a whole block and keep a prefix of it."
        )
    if block < 0:
        raise InputError(f"draws: block: must be 0 or more; got {block}. Blocks are counted from 0.")


def _hash(text: str, count: int) -> bytes:
    """Hash any text, lone surrogates included, to `count` bytes."""
    return hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(count)


def _stream_bytes(purpose: str, name: str, seed: int, block: int, count: int) -> bytes:
    """Hash a purpose, seed, block and name; the name stands last, so no two streams share a text."""
    return _hash(f"{_STREAM_SALT}\n{purpose}\n{seed}\n{block}\n{name}", count)


def _raw_words(purpose: str, name: str, seed: int, block: int, count: int) -> NDArray[np.uint64]:
    """Return `count` raw 64-bit words of Philox-4x64, whose key is the hash of the stream."""
    key = np.frombuffer(_stream_bytes(purpose, name, seed, block, 16), dtype="<u8").astype(np.uint64)
    return np.asarray(np.random.Philox(key=key).random_raw(count), dtype=np.uint64)


def _to_unit(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Map 52-bit integers k to (k + 1/2) 2^-52."""
    uniforms = words.astype(np.float64)
    uniforms += 0.5
    uniforms *= 2.0**-_BITS
    return uniforms


def _latin_hypercube(name: str, seed: int, block: int, size: int) -> NDArray[np.float64]:
    """Put one number, at random, into each of `size` equal strata, in random order."""
    order = np.argsort(_raw_words("latin order", name, seed, block, size)).astype(np.uint64)
    depth = size.bit_length() - 1
    jitter = _raw_words("latin jitter", name, seed, block, size) >> np.uint64(64 - _BITS + depth)
    return _to_unit((order << np.uint64(_BITS - depth)) | jitter)


@lru_cache(maxsize=4096)
def _generator_mask(name: str, salt: str) -> NDArray[np.uint64]:
    """Return the generator matrix of a name, (column, row): all bits set where the entry is 1, else 0.

    Upper triangular with ones on the diagonal, random above: the matrices of Sobol's sequence have this form,
    and it makes every prefix of 2^k points a net. It depends on the name alone.
    """
    order = np.arange(_MAX_LOG2_SIZE, dtype=np.uint64)
    words = np.frombuffer(_hash(f"{salt}\n{name}", 4 * _MAX_LOG2_SIZE), dtype="<u4").astype(np.uint64)
    random_bits = (words[:, None] >> order[None, :]) & np.uint64(1)
    entries = np.tril(random_bits, k=-1) + np.eye(_MAX_LOG2_SIZE, dtype=np.uint64)
    mask: NDArray[np.uint64] = entries * np.uint64(0xFFFF_FFFF_FFFF_FFFF)
    mask.setflags(write=False)
    return mask


def _digital_nets(names: Sequence[str], seed: int, blocks: Sequence[int], size: int) -> NDArray[np.uint64]:
    """Return the points of each name's digital net in each block, (name x block, size), as 52-bit integers."""
    depth = size.bit_length() - 1
    count = 8 * (_MAX_LOG2_SIZE + 1)
    digests = [_stream_bytes("net scramble", name, seed, block, count) for name in names for block in blocks]
    words = np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64) >> np.uint64(64 - _BITS)
    words = words.reshape(len(digests), -1)
    shift, lower = words[:, 0], words[:, 1 : depth + 1]
    # Column r of the lower-triangular scramble: 0 above the diagonal, 1 on it, random below, to the last bit.
    # It is applied to the generator matrix, not to the points: random linear scrambling (Matousek 1998).
    position = np.uint64(_BITS - 1) - np.arange(depth, dtype=np.uint64)
    diagonal = np.uint64(1) << position
    lower = (lower & (diagonal - np.uint64(1))) | diagonal
    masks = np.stack([_generator_mask(name, _MATRIX_SALT)[:depth, :depth] for name in names])
    directions = np.bitwise_xor.reduce(np.repeat(masks, len(blocks), axis=0) & lower[:, None, :], axis=-1)
    return _span(directions, shift)


def _span(directions: NDArray[np.uint64], shift: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return point i = shift xor the directions at the bits of i, in natural order, by doubling.

    `directions` (net, bit) and `shift` (net,) give (net, point).
    """
    points = np.empty((shift.size, 1 << directions.shape[1]), dtype=np.uint64)
    points[:, 0] = shift
    for column in range(directions.shape[1]):
        half = 1 << column
        np.bitwise_xor(points[:, :half], directions[:, column, None], out=points[:, half : 2 * half])
    return points
