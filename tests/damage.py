"""Stored results changed as another program might: every attribute, group, variable, coordinate and value, one at a time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from simulator.runs.groups import Group, Labelled, Variable, of_tree
from simulator.runs.netcdf import write_netcdf

NUMBERS = (np.nan, -1.0, 2.0, 1e300, np.inf)


def read_groups(path: Path) -> Group:
    """Read the groups of a netCDF file as they stand there, whatever they hold."""
    with xr.open_datatree(path, engine="netcdf4") as tree:
        return of_tree(tree.load())


def write_groups(root: Group, path: Path) -> None:
    """Write groups as netCDF, whatever they hold."""
    write_netcdf(root, path)


def places_of_values(path: Path, draw: random.Random) -> list[int]:
    """Draw a place in a netCDF file for each variable of numbers: one of the bytes of its values.

    What flips elsewhere, in the structure of HDF5 itself, may end its library.
    """
    data, places = path.read_bytes(), list[int]()
    for values in (each.values for _, group in read_groups(path).walk() for each in group.variables.values()):
        stored = np.ascontiguousarray(values).tobytes() if np.asarray(values).dtype.kind in "fi" else b""
        places += [data.find(stored) + draw.randrange(len(stored))] if stored and data.count(stored) == 1 else []
    return places


def flip(path: Path, place: int, draw: random.Random) -> None:
    """Flip one of the bits of a byte of a file."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << draw.randrange(8)
    path.write_bytes(data)


def damages(root: Group, *, values: bool = True) -> Iterator[tuple[str, Group]]:
    """Give what was done, and the groups after it; without `values`, what was taken away alone."""
    for place, group in root.walk():
        if place != "/":
            yield f"{place} deleted", _put(root, place, None)
        for what, changed in _of_group(group, values=values):
            yield f"{place} {what}", _put(root, place, changed)


def _put(root: Group, place: str, group: Group | None) -> Group:
    """Put another group in a place, or take away what is there."""
    first, _, rest = place.strip("/").partition("/")
    if not first:
        return group or Group()
    below = dict(root.children)
    if rest or group is not None:
        below[first] = _put(below[first], rest, group) if rest else group or Group()
    else:
        del below[first]
    return replace(root, children=below)


def _of_group(group: Group, *, values: bool) -> Iterator[tuple[str, Group]]:
    for key, value in group.attrs.items():
        rest = {name: each for name, each in group.attrs.items() if name != key}
        yield f"attribute {key} deleted", replace(group, attrs=rest)
        for other in ("", "x", 7, -1.0, 1e300) if values else ():
            if other != value:
                yield f"attribute {key} = {other!r}", replace(group, attrs=rest | {key: other})
    for dim, length in group.sizes.items() if values else ():
        yield f"{dim} reversed", _along(group, dim, slice(None, None, -1))
        if length > 1:
            yield f"{dim} cut", _along(group, dim, slice(0, length - 1))
        yield f"{dim} emptied", _along(group, dim, slice(0, 0))
        renamed = {name: _renamed(each, dim) for name, each in group.variables.items()}
        yield f"dimension {dim} renamed", _with(group, renamed)
    for name, variable in group.variables.items():
        every = dict(group.variables)
        del every[name]
        yield f"{name} deleted", _with(group, every)
        if values:
            yield f"{name} renamed", _with(group, every | {f"{name}_of_another": variable})
        for what, changed in _of_variable(variable) if values else ():
            yield f"{name} {what}", _with(group, every | {name: changed}, {name})


def _of_variable(variable: Variable) -> Iterator[tuple[str, Labelled]]:
    values, attrs = np.asarray(variable.values), dict(variable.attrs)
    dims = tuple(map(str, variable.dims))
    for key in attrs:
        rest = {name: each for name, each in attrs.items() if name != key}
        yield f"attribute {key} deleted", Labelled(dims, values, rest)
        yield f"attribute {key} = 7", Labelled(dims, values, rest | {key: 7})
    if len(dims) == 2 and values.shape[0] != values.shape[1]:
        yield "transposed", Labelled((dims[1], dims[0]), values.T, attrs)
    if values.size:
        for number in NUMBERS if values.dtype.kind in "fiub" else ():
            changed = values.astype(values.dtype if number in (-1.0, 2.0) and values.dtype.kind != "b" else np.float64)
            changed.reshape(-1)[changed.size // 2] = number
            yield f"holds {number}", Labelled(dims, changed, attrs)
        other = np.full(values.shape, "x") if values.dtype.kind in "fiub" else np.zeros(values.shape)
        yield "is of another type", Labelled(dims, other, attrs)


def _renamed(variable: Variable, dim: str) -> Variable:
    dims = tuple("other" if each == dim else str(each) for each in variable.dims)
    return Labelled(dims, np.asarray(variable.values), dict(variable.attrs))


def _along(group: Group, dim: str, part: slice) -> Group:
    """Take a part along a dimension."""

    def taken(variable: Variable) -> Labelled:
        places: Any = tuple(part if each == dim else slice(None) for each in variable.dims)
        return Labelled(tuple(map(str, variable.dims)), np.asarray(variable.values)[places], dict(variable.attrs))

    return _with(group, {name: taken(each) for name, each in group.variables.items()})


def _with(group: Group, variables: dict[str, Variable], changed: set[str] = frozenset()) -> Group:  # type: ignore[assignment]
    """Give a group other variables; those of the names of its coordinates stay coordinates."""
    coords = {name: each for name, each in variables.items() if name in group.coords}
    data = {name: each for name, each in variables.items() if name not in coords}
    return replace(group, data_vars=data, coords=coords)
