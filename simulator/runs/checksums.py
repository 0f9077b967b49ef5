"""Whether what is read of a file is what was written: by a checksum of each variable, and of all that is said of them.

What is said and small is checked when a file is opened; a variable on the disk when its values are first asked for.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import Any, cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing

from simulator.errors import RunFileError
from simulator.runs.groups import Group, arrays_of, of_tree
from simulator.runs.netcdf import CHECKSUMS, checksum, said_checksum

_AT_ONCE = 1 << 18


class _AsWritten(BackendArray):
    """A variable on the disk: before its first values are handed on, all are read and held against their checksum."""

    def __init__(self, held: Any, label: str, file: str, expected: str | None) -> None:
        self.shape, self.dtype = held.shape, held.dtype
        self._held, self._label, self._file, self._expected = held, label, file, expected

    def __getitem__(self, key: indexing.ExplicitIndexer) -> NDArray[Any]:
        with _readable(self._file, self._label):
            values = np.asarray(indexing.apply_indexer(self._held, key))
            if self._expected is not None:
                is_whole = values.shape == self.shape and checksum(values) == self._expected  # as mostly: read once
                if not is_whole and self._sum() != self._expected:
                    raise _changed(self._file, self._label)
                self._expected = None
            return values

    def _sum(self) -> str:
        """Read all values, a stretch of the first dimension at a time."""
        result, every = "0", (slice(None),) * len(self.shape)
        for first in range(0, self.shape[0] if every else 1, _AT_ONCE):
            part = (slice(first, first + _AT_ONCE), *every[1:]) if every else ()
            result = checksum(np.asarray(self._held[indexing.BasicIndexer(part)]), result)
        return result


def check_opened(tree: xr.DataTree, file: FilePath, *, at_once: Container[str] = ()) -> Group:
    """Check what is read at opening, and have the rest checked when it is read; RunFileError where it was changed.

    Gives its groups; what those at the paths `at_once` hold is read. A file of an earlier version has no checksums;
    that a variable of it cannot be read is said all the same.
    """
    known = CHECKSUMS in tree.attrs
    try:
        expected: dict[str, dict[str, str]] = json.loads(str(tree.attrs.pop(CHECKSUMS))) if known else {}
        if not all(isinstance(sums, dict) for sums in expected.values()):
            raise TypeError
        root = of_tree(tree)
        groups = dict(root.walk())
        missing = sorted({*expected} - {*groups})
    except (ValueError, TypeError, AttributeError):
        raise _changed(str(file), f"the attribute {CHECKSUMS}") from None
    if missing:
        raise _changed(str(file), f"what it says of its groups ({missing[0]} is missing)")
    for path, group in groups.items():
        sums = expected.get(path, {})
        if known and sums.get("") != said_checksum(group, arrays_of(group)):
            raise _changed(str(file), f"what it says of {path}")
        for name, variable in cast("dict[str, xr.Variable]", group.variables).items():
            label = f"{path.rstrip('/')}/{name}"
            held = variable._data  # noqa: SLF001  # every public way reads it
            is_lazy = isinstance(held, indexing.ExplicitlyIndexed) and not isinstance(variable, xr.IndexVariable)
            if is_lazy and path not in at_once:
                variable.data = lazily(_AsWritten(held, label, str(file), sums.get(name)))
                continue
            with _readable(str(file), label):
                variable.load()
            if known and checksum(variable.values) != sums.get(name):
                raise _changed(str(file), label)
    tree.encoding = {**tree.encoding, CHECKSUMS: known}
    return root


def lazily(held: BackendArray) -> Any:
    """Make values of a variable of what reads them, when they are asked for; as of any that xarray opens, kept then."""
    typed: Any = indexing  # its types are for arrays of users
    return typed.MemoryCachedArray(typed.CopyOnWriteArray(typed.LazilyIndexedArray(held)))


@contextmanager
def _readable(file: str, label: str) -> Iterator[None]:
    """Say of what cannot be read that it is damaged."""
    try:
        yield
    except RunFileError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever libraries make of a broken file
        rule = f"{label} cannot be read: it is damaged or cut short ({type(error).__name__})"
        raise RunFileError(f"{file}: {rule}. Make it again.") from None


def read_all(tree: xr.DataTree) -> int:
    """Read every variable of an opened file, so that each is checked; give their number."""
    count = 0
    for node in tree.subtree:
        for variable in node.to_dataset(inherit=False).variables.values():
            first = {str(dim): slice(0, 1) for dim in variable.dims}
            _ = variable.isel(first).values
            count += 1
    return count


def _changed(file: str, what: str) -> RunFileError:
    return RunFileError(
        f"{file}: {what} is not what was written: it was damaged, or changed by another program. "
        f"Make it again; where the change is meant, take the attribute '{CHECKSUMS}' of the file away."
    )
