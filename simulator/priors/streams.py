"""Uniform numbers keyed by the name of a prior.

A run is a sequence of blocks, the last of which may be shorter. The numbers of one prior in one block are a function
of (seed, name, block, size, design) and of nothing else: a prior that comes, goes or moves changes no other prior's
numbers, bit for bit. The numbers of different names, blocks and seeds are independent whatever the names are, because
each has random words of its own: no matrix, table or order is shared between them.

All bits come from SHAKE-256 and the raw output of Philox, never from `hash()` or from a NumPy method whose
algorithm may change, so the numbers are the same on every platform and release.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError
from simulator.registers import attribute_at
from simulator.schema.choices import DESIGNS

EDGE: Final[float] = 1e-12
MOST: Final[int] = 1 << 24
"""Samples of the longest block."""

_SALT: Final[str] = "streams-2"  # changing it changes every draw of every run


def block_uniforms(name: str, *, seed: int, block: int, size: int, design: str) -> NDArray[np.float64]:
    """Draw the uniform numbers (size,) of one prior in one block, from 1e-12 to 1 - 1e-12.

    The name may be any text, the seed any integer, the size from 1 to 2^24. `design` says how the numbers of the block
    are spread.
    """
    return blocks_uniforms([name], seed=seed, blocks=range(block, block + 1), size=size, design=design)[name]


def blocks_uniforms(
    names: Sequence[str], *, seed: int, blocks: range, size: int, design: str, samples: int | None = None
) -> dict[str, NDArray[np.float64]]:
    """Draw the numbers (sample,) of several priors in several blocks: as `block_uniforms`, one by one.

    Where `samples` end within the last block, that block is as short, and spread over the samples that it has.
    """
    _check(block=blocks.start, size=size, design=design)
    if not names:
        return {}
    draw = _design(design)
    whole = len(blocks) if samples is None else samples // size
    rest = 0 if samples is None else samples % size
    parts = [draw(names, seed=seed, blocks=blocks[:whole], size=size)] if whole else []
    parts += [draw(names, seed=seed, blocks=blocks[whole : whole + 1], size=rest)] if rest else []
    uniforms = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    return dict(zip(names, np.clip(uniforms, EDGE, 1.0 - EDGE), strict=True))


@cache
def _design(name: str) -> Callable[..., NDArray[np.float64]]:
    """Load the function of a design."""
    uniforms = DESIGNS.find(name).uniforms
    return cast("Callable[..., NDArray[np.float64]]", attribute_at(uniforms))


def random_numbers(names: Sequence[str], *, seed: int, blocks: range, size: int) -> NDArray[np.float64]:
    """Draw independent numbers, (name, block x size)."""
    words = np.stack([_words("random", name, seed, blocks, size)[:, 0, :] for name in names])
    return _to_unit(words).reshape(len(names), -1)


def latin_hypercubes(names: Sequence[str], *, seed: int, blocks: range, size: int) -> NDArray[np.float64]:
    """Put one number of each name, at random, into each of `size` equal strata of a block: (name, block x size).

    u_i = (pi(i) + v_i) / size, where pi is a random order of 0 ... size - 1 and v_i are uniform, both of the name's own
    in each block (McKay, Beckman and Conover 1979). The variance of a mean is that of plain samples less what single
    priors contribute to it, and never more than size / (size - 1) times that of plain samples (Owen 1997).
    """
    low = np.uint64((1 << (size - 1).bit_length()) - 1)  # the bits that hold a place; the others are random
    places = np.arange(size, dtype=np.uint64)
    uniforms = np.empty((len(names), len(blocks), size))
    for own, name in zip(uniforms, names, strict=True):
        words = _words("latin hypercube", name, seed, blocks, size)
        order = words[:, 0, :] & ~low
        order |= places
        order.sort(axis=-1)
        order &= low
        within = _to_unit(words[:, 1, :])
        within += order
        np.divide(within, size, out=own)
    return uniforms.reshape(len(names), -1)


def stratified(uniforms: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Move numbers (sample,) into one stratum each of their block, in the order that they have: (rank + rest) / size.

    The rest is a number's place within the stratum that it comes from.
    """
    whole = uniforms.size // size * size
    parts = [part for part in (uniforms[:whole].reshape(-1, size), uniforms[None, whole:]) if part.size]
    result = []
    for part in parts:
        rank, order = np.empty(part.shape), np.argsort(part, axis=1)
        ordered = np.take_along_axis(part, order, axis=1)
        if (ordered[:, 1:] == ordered[:, :-1]).any():  # equals stay in their order, which takes four times as long
            order = np.argsort(part, axis=1, kind="stable")
        np.put_along_axis(rank, order, np.arange(part.shape[1], dtype=np.float64)[None], axis=1)
        place = part * part.shape[1]
        result.append(((rank + (place - np.floor(place))) / part.shape[1]).ravel())
    return np.asarray(np.clip(np.concatenate(result), EDGE, 1.0 - EDGE))


def _check(*, block: int, size: int, design: str) -> None:
    """Refuse what no block can be drawn from."""
    if design not in DESIGNS:
        raise InputError(f"draws: design: must be one of {', '.join(sorted(DESIGNS))}; got {design!r}.")
    if not 1 <= size <= MOST:
        raise InputError(f"draws: block size: must be from 1 to {MOST:,}; got {size}.")
    if block < 0:
        raise InputError(f"draws: block: must be 0 or more; got {block}. Blocks are counted from 0.")


def _words(purpose: str, name: str, seed: int, blocks: range, size: int) -> NDArray[np.uint64]:
    """Give raw 64-bit words of Philox-4x64, (block, 2, size): each block's own stretch of the stream of a name.

    The key is the hash of purpose, seed, size and name; the name stands last, so no two streams share a text. It may
    hold any characters, lone surrogates included.
    """
    text = f"{_SALT}\n{purpose}\n{seed}\n{size}\n{name}".encode("utf-8", "surrogatepass")
    key = np.frombuffer(hashlib.shake_256(text).digest(16), dtype="<u8").astype(np.uint64)
    each = -(-2 * size // 4)  # the counter counts four words
    raw = np.random.Philox(key=key, counter=blocks.start * each).random_raw(len(blocks) * each * 4)
    words: NDArray[np.uint64] = np.asarray(raw, dtype=np.uint64).reshape(len(blocks), -1)[:, : 2 * size]
    return words.reshape(len(blocks), 2, size)


def _to_unit(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Map the first 52 bits k of words to (k + 1/2) 2^-52: exact, and never 0 or 1."""
    uniforms = (words >> np.uint64(12)).astype(np.float64)
    uniforms += 0.5
    uniforms *= 2.0**-52
    return uniforms
