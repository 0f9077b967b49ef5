"""Whole numbers of many samples in few bytes, as a shared page holds them."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.units import Array

_LARGEST = 30_000
"""The most steps between the least and the greatest of a variable."""


@dataclass(slots=True)
class Packed:
    """Arrays of whole numbers (row, sample), and what is said of them; their bytes are compressed together.

    A row is told by its differences from the one before it, the first from 0; each as 2 v, or -2 v - 1 below 0; of all
    rows the low bytes come first, then the high ones.
    """

    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    _bytes: list[bytes] = field(default_factory=list)

    def add(self, name: str, codes: NDArray[np.integer], **said: Any) -> None:
        """Add an array (row, sample)."""
        rows = np.atleast_2d(codes).astype(np.int64)
        apart = np.diff(rows, axis=0, prepend=0)
        told = np.where(apart < 0, -2 * apart - 1, 2 * apart).astype(np.uint32)
        planes = [((told >> shift) & 255).astype(np.uint8).tobytes() for shift in (0, 8, 16)]
        self.parts[name] = {"rows": rows.shape[0], **said}
        self._bytes += planes

    def text(self, **more: Any) -> str:
        """Write all of it, with more that is plain data, as base64 of a zlib stream: length, JSON, arrays."""
        head = json.dumps({"parts": self.parts, **more}, ensure_ascii=False, separators=(",", ":")).encode()
        head += b" " * (-len(head) % 4)
        whole = b"".join([np.uint32(len(head)).tobytes(), head, *self._bytes])
        # Smaller than level 9 as it stands, in less than half its time
        pack = zlib.compressobj(6, memLevel=7, strategy=zlib.Z_FILTERED)
        return base64.b64encode(pack.compress(whole) + pack.flush()).decode()


def levels_in_steps(levels: Array, *, step: float) -> tuple[NDArray[np.int64], dict[str, float]]:
    """Put levels (row, sample) into whole steps, from the least on; what is said of them: `step`, `low`, `most`.

    -inf is -1 and +inf one more than `most`. The step is larger where they spread over more than 30,000.
    """
    finite = np.isfinite(levels)
    low, high = (float(levels[finite].min()), float(levels[finite].max())) if finite.any() else (0.0, 0.0)
    step = max(step, (high - low) / _LARGEST)
    low = step * np.floor(low / step)
    codes = np.rint((np.where(finite, levels, low) - low) / step).astype(np.int64)
    most = int(codes.max(initial=0))
    return np.where(finite, codes, np.where(levels > 0, most + 1, -1)), {"step": step, "low": low, "most": most}


def unpacked(text: str) -> tuple[dict[str, NDArray[np.int64]], Mapping[str, Any]]:
    """Read what `Packed` writes: the arrays by name, and the plain data."""
    whole = zlib.decompress(base64.b64decode(text))
    length = int(np.frombuffer(whole[:4], np.uint32)[0])
    head = json.loads(whole[4 : 4 + length])
    place, arrays = 4 + length, dict[str, NDArray[np.int64]]()
    for name, said in head["parts"].items():
        size = said["rows"] * said["samples"]
        planes = np.frombuffer(whole, np.uint8, 3 * size, place).reshape(3, said["rows"], -1).astype(np.int64)
        told = planes[0] + 256 * planes[1] + 65536 * planes[2]
        arrays[name] = np.cumsum(np.where(told % 2, -(told + 1) // 2, told // 2), axis=0)
        place += 3 * size
    return arrays, head
