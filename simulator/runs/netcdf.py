"""Writing groups of labelled arrays as a netCDF-4 file, as xarray reads it."""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path as FilePath
from typing import IO, TYPE_CHECKING, Any, Final

import netCDF4
import numpy as np
from numpy.typing import NDArray

from simulator.addresses import Address
from simulator.errors import RunFileError
from simulator.files import is_there, replacing
from simulator.runs.groups import Group, Variable, arrays_of, of_dataset, of_tree

if TYPE_CHECKING:
    import xarray as xr

    from simulator.runs.table import Table

STEADY_COMPRESSED_ABOVE, COMPRESSED_ABOVE = 100_000_000, 500_000_000
"""Bytes of a file above which levels that no year changes are compressed, and all else with them.

Levels that no year changes shrink to a sixth, others by two fifths and in twice the time.
"""


CHECKSUMS: Final = "checksums"
"""The attribute of a file that holds the checksum of each variable, and of what is said of them, by group as JSON."""


def checksum(values: NDArray[Any], before: str = "0") -> str:
    """Give the CRC-32 of values as they stand in a file, the lowest byte first, or of texts; it goes on from another.

    Whatever adds up faster than a disk reads would do: it tells accidents, not intentions.
    """
    if values.dtype.kind in "OSU":
        data: Any = "".join(f"{text}\0" for text in values.ravel().tolist()).encode()
    else:
        data = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"), copy=False))
    return f"{zlib.crc32(data, int(before, 16)):08x}"


def said_checksum(group: Group, arrays: Mapping[str, NDArray[Any]]) -> str:
    """Give the checksum of the attributes of a group, and of the names, dimensions and attributes of what is in it.

    `arrays` tells the shapes of its variables.
    """
    each = {name: [each.dims, arrays[name].shape, _plain(each.attrs)] for name, each in group.variables.items()}
    said = json.dumps([_plain(group.attrs), each, sorted(group.children)], sort_keys=True)
    return f"{zlib.crc32(said.encode()):08x}"


def _plain(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Give attributes as JSON has them; a list of one thing and the thing are one in netCDF."""
    plain = {key: value if isinstance(value, str | int) else np.asarray(value) for key, value in attrs.items()}
    plain.pop(CHECKSUMS, None)
    return {
        key: value if isinstance(value, str | int) else value.item() if value.size == 1 else value.tolist()
        for key, value in plain.items()
    }


def write_netcdf(root: Group, path: FilePath) -> None:
    """Write groups, each with its own dimensions and coordinates; the same groups give the same bytes.

    Variables name those of their coordinates that are no dimensions in the attribute `coordinates` (CF conventions).
    OSError: the disk is full.
    """
    groups = [(place, group, arrays_of(group)) for place, group in root.walk()]
    total = sum(each.nbytes for *_, arrays in groups for each in arrays.values())
    try:
        with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
            file.set_fill_off()
            sums = {place: {"": said_checksum(group, arrays)} for place, group, arrays in groups}
            as_they_are: list[NDArray[Any]] = []
            waiting = [
                (place, *pair)
                for place, group, arrays in groups
                for pair in _declared(file if place == "/" else file.createGroup(place), group, arrays, total)
            ]
            for place, target, variable in waiting:  # all are declared: to go back and forth costs more than to write
                values = np.asarray(variable.values, order="C")
                sums[place][target.name] = checksum(values)
                target[...] = values.astype(object if target.dtype is str else target.dtype, copy=False)
                if target.chunking() == "contiguous":
                    as_they_are.append(values)
            file.setncattr(CHECKSUMS, json.dumps(sums, separators=(",", ":")))
    except RuntimeError as error:  # the netCDF library's word for a full disk
        raise OSError(str(error)) from None
    _seal(path, as_they_are)


_PLACE, _SEAL = struct.Struct("<QQ"), struct.Struct("<II8s")
"""What ends a file: where each of its large arrays stands; the CRC-32 of all else, how many they are, and a mark."""
_MARK: Final = b"\nsealed\n"
_LARGE, _AT_ONCE = 1 << 12, 1 << 24
_NODE, _LENGTH = struct.Struct("<6xH16x"), struct.Struct("<I")
_CHUNKS, _PACKED = b"TREE\x01\x00", b"\x78"
"""How HDF5 begins a list of where the pieces of a compressed array stand, and zlib a piece."""


def _seal(path: FilePath, arrays: Iterable[NDArray[Any]]) -> None:
    """Write behind a file where its large arrays stand, which have checksums of their own, and that of all else.

    What is found nowhere is part of it. HDF5 reads no further than its own end, and cuts off what stands behind it
    where a program changes the file.
    """
    with path.open("r+b") as stream:
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as held:
            found = sorted({*_places(held, arrays), *_pieces(held)})[: _AT_ONCE // _PLACE.size]
        is_apart = all(place + length <= after for (place, length), (after, _) in pairwise(found))
        large, end = found if is_apart else [], stream.seek(0, os.SEEK_END)
        sealed = _checksum_around(large, stream, end)
        stream.seek(end)
        stream.write(b"".join(_PLACE.pack(*each) for each in large) + _SEAL.pack(sealed, len(large), _MARK))


def _places(held: mmap.mmap, arrays: Iterable[NDArray[Any]]) -> Iterator[tuple[int, int]]:
    """Find where large arrays stand as they are, in the order in which they were written: place and length."""
    at = 0
    for values in arrays:
        if values.nbytes < _LARGE or values.dtype.kind in "OSU":
            continue
        own = values.reshape(-1).view(np.uint8)
        place = held.find(own[:_LARGE].tobytes(), at)
        if 0 <= place <= len(held) - own.size and np.array_equal(np.frombuffer(held, np.uint8, own.size, place), own):
            yield place, own.size
            at = place + own.size


def _pieces(held: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Find where the pieces of compressed arrays stand: place and length (HDF5 file format, version 1 B-trees)."""
    at = -1
    while (at := held.find(_CHUNKS, at + 1)) >= 0:
        (count,) = _NODE.unpack_from(held, at)
        for size in range(32, 64, 8):  # of an entry, which has a number for each dimension: the list does not say which
            found = list(_entries(held, at + _NODE.size, count, size))
            if found and all(not none and held[place : place + 1] == _PACKED for none, place, _ in found):
                yield from ((place, length) for _, place, length in found if place + length <= len(held))
                break


def _entries(held: mmap.mmap, at: int, count: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Read the entries of a list: the last number of each, which is 0, and of its piece the place and the length."""
    for start in range(at, min(at + count * size, len(held) - size + 1), size):
        yield (*_PLACE.unpack_from(held, start + size - _PLACE.size), *_LENGTH.unpack_from(held, start))


def _checksum_around(large: Iterable[tuple[int, int]], stream: IO[bytes], end: int) -> int:
    """Give the CRC-32 of where arrays stand in a file, and of all up to its end that is none of them."""
    result, at = 0, 0
    for place, length in (*large, (end, 0)):
        stream.seek(at)
        for start in range(at, place, _AT_ONCE):
            result = zlib.crc32(stream.read(min(_AT_ONCE, place - start)), result)
        result = zlib.crc32(b"%d %d" % (place, length), result)
        at = place + length
    return result


def check_sealed(path: FilePath) -> FilePath:
    """Give the path of a netCDF file; RunFileError where its structure was damaged, in which HDF5 may go astray.

    What stands at an address is copied to this machine, for as long as the path that is given is held.
    """
    here = path.fetch() if isinstance(path, Address) else path
    if is_there(here) and not here.is_file():  # HDF5 would wait for whoever writes into a pipe
        raise RunFileError(f"{path}: cannot be read: it is no regular file. Name a file or folder of results.")
    if is_there(here):
        with here.open("rb") as stream:
            if not _is_as_sealed(stream):
                raise RunFileError(f"{path}: is not what was written: it was damaged. Make it again.")
    return here


def _is_as_sealed(stream: IO[bytes]) -> bool:
    """Tell whether a file has its seal unbroken, or none: it is of an earlier version, or was changed by a program."""
    size = stream.seek(0, os.SEEK_END)
    if size < _SEAL.size:
        return True
    stream.seek(size - _SEAL.size)
    expected, count, mark = _SEAL.unpack(stream.read(_SEAL.size))
    if mark != _MARK:
        return True
    end = size - _SEAL.size - _PLACE.size * count
    if end < 0 or size - end > _AT_ONCE + _SEAL.size:
        return False
    stream.seek(end)
    large = list(_PLACE.iter_unpack(stream.read(_PLACE.size * count)))
    ends = [0, *(place + length for place, length in large)]
    between: list[int] = [place - at for at, (place, _) in zip(ends, (*large, (end, 0)), strict=True)]
    return min(between) >= 0 and _checksum_around(large, stream, end) == expected


def _declared(
    target: netCDF4.Dataset, group: Group, arrays: Mapping[str, NDArray[Any]], total: int
) -> Iterator[tuple[netCDF4.Variable[Any], Variable]]:
    """Declare the dimensions, attributes and variables of a group; give each variable with what it is to hold."""
    target.setncatts(group.attrs)
    for dim, length in group.sizes.items():
        target.createDimension(dim, length)
    beside = {name: set(each.dims) for name, each in group.coords.items() if each.dims != (name,)}
    for name, variable in group.variables.items():
        near = sorted(other for other, dims in beside.items() if name in group.data_vars and dims <= set(variable.dims))
        attrs = variable.attrs | ({"coordinates": " ".join(near)} if near else {})
        kind: Any = arrays[name].dtype
        if kind.kind == "b":
            kind, attrs = np.int8, attrs | {"dtype": "bool"}
        elif kind.kind in "OSU":
            kind = str
        dims = [str(dim) for dim in variable.dims]
        declared = target.createVariable(name, kind, dims, **_packing(variable, arrays[name].dtype.kind, total))
        declared.setncatts(attrs)
        yield declared, variable


def _packing(variable: Variable, kind: str, total: int) -> dict[str, Any]:
    """Choose how a variable of a file of so many bytes is packed."""
    if total <= STEADY_COMPRESSED_ABOVE or kind not in "fi":
        return {}
    if total > COMPRESSED_ABOVE or kind == "i" or _is_steady(variable):
        return {"compression": "zlib", "complevel": 1, "shuffle": True}
    return {}


def _is_steady(variable: Variable) -> bool:
    levels = variable.values
    return variable.dims == ("sample", "year") and np.array_equal(levels[:, 0], levels[:, -1])


def save_dataset(dataset: xr.Dataset | xr.DataTree, path: FilePath) -> None:
    """Write a dataset as a netCDF file, whole or not at all; the same dataset gives the same bytes."""
    from xarray import DataTree

    with replacing(path) as temporary:
        write_netcdf(of_tree(dataset) if isinstance(dataset, DataTree) else of_dataset(dataset), temporary)


KEPT_FORMAT: Final = 1


def to_kept(kind: str, dataset: xr.Dataset, tables: Mapping[str, Table], said: Mapping[str, str]) -> xr.DataTree:
    """Lay out what a file keeps of a result that no class reads: its dataset, its tables, what it says."""
    import xarray as xr

    root = xr.Dataset(attrs={f"{kind}_format": KEPT_FORMAT, **said})
    kept = {f"tables/{name}": table.to_kept() for name, table in tables.items()}
    return xr.DataTree.from_dict({"/": root, "dataset": _writable(dataset), "tables": xr.Dataset(), **kept})


def _writable(dataset: xr.Dataset) -> xr.Dataset:
    """Give arrays of objects a type that a file holds: texts, empty where there is none; else numbers, NaN there."""
    plain = {}
    for name, each in dataset.variables.items():
        if each.dtype == object:
            held = each.values.ravel().tolist()
            is_text = any(isinstance(value, str) for value in held)
            values = [value if isinstance(value, str) else "" for value in held] if is_text else held
            plain[name] = (each.dims, np.array(values, dtype=str if is_text else float).reshape(each.shape), each.attrs)
    return dataset.assign_coords({name: plain.pop(name) for name in dataset.coords if name in plain}).assign(plain)
