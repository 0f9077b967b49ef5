"""Writing groups of labelled arrays as a netCDF-4 file, as xarray reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

import netCDF4
import numpy as np

from simulator.labelled import Group, Variable

STEADY_COMPRESSED_ABOVE, COMPRESSED_ABOVE = 100_000_000, 500_000_000
"""Bytes of a file above which levels that no year changes are compressed, and all else with them.

Levels that no year changes shrink to a sixth, others by two fifths and in twice the time.
"""


def write_netcdf(root: Group, path: FilePath) -> None:
    """Write groups, each with its own dimensions and coordinates; the same groups give the same bytes.

    Variables name those of their coordinates that are no dimensions in the attribute `coordinates` (CF conventions).

    Parameters
    ----------
    root : Group
        Of numbers, truth values and words.
    path : path of the file to write

    Raises
    ------
    OSError
        The disk is full.

    Examples
    --------
    >>> from simulator.labelled import Labelled
    >>> file = getfixture("tmp_path") / "small.nc"
    >>> years = Labelled(("year",), np.array([2030.0, 2031.0]), {"units": "year"})
    >>> write_netcdf(Group(children={"summary": Group({}, {"year": years})}), file)
    >>> netCDF4.Dataset(file)["summary/year"][:].tolist()
    [2030.0, 2031.0]
    """
    total = sum(each.nbytes for _, group in root.walk() for each in group.variables.values())
    try:
        with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
            file.set_fill_off()
            waiting = [
                pair
                for place, group in root.walk()
                for pair in _declared(file if place == "/" else file.createGroup(place), group, total)
            ]
            for target, variable in waiting:  # after all are declared: to go back and forth costs more than to write
                values = variable.values
                target[...] = values.astype(object if target.dtype is str else target.dtype, copy=False)
    except RuntimeError as error:  # the netCDF library's word for a full disk
        raise OSError(str(error)) from None


def _declared(target: netCDF4.Dataset, group: Group, total: int) -> Iterator[tuple[netCDF4.Variable[Any], Variable]]:
    """Declare the dimensions, attributes and variables of a group; give each variable with what it is to hold."""
    target.setncatts(group.attrs)
    for dim, length in group.sizes.items():
        target.createDimension(dim, length)
    beside = {name: set(each.dims) for name, each in group.coords.items() if each.dims != (name,)}
    for name, variable in group.variables.items():
        near = sorted(other for other, dims in beside.items() if name in group.data_vars and dims <= set(variable.dims))
        attrs = variable.attrs | ({"coordinates": " ".join(near)} if near else {})
        kind: Any = variable.dtype
        if kind.kind == "b":
            kind, attrs = np.int8, attrs | {"dtype": "bool"}
        elif kind.kind in "OSU":
            kind = str
        dims = [str(dim) for dim in variable.dims]
        declared = target.createVariable(name, kind, dims, **_packing(variable, total))
        declared.setncatts(attrs)
        yield declared, variable


def _packing(variable: Variable, total: int) -> dict[str, Any]:
    """Choose how a variable of a file of so many bytes is packed."""
    if total <= STEADY_COMPRESSED_ABOVE or variable.dtype.kind not in "fi":
        return {}
    if total > COMPRESSED_ABOVE or variable.dtype.kind == "i" or _is_steady(variable):
        return {"compression": "zlib", "complevel": 1, "shuffle": True}
    return {}


def _is_steady(variable: Variable) -> bool:
    levels = variable.values
    return variable.dims == ("sample", "year") and np.array_equal(levels[:, 0], levels[:, -1])
