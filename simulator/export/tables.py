"""Tables of a run for other programs: columns with units, values in blocks of samples, written as CSV or Parquet."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

import numpy as np

from simulator.errors import InputError, missing_extra, near_name, near_or_all
from simulator.files import replacing
from simulator.runs.groups import group, summarised_names
from simulator.runs.table import Table, save_blocks

if TYPE_CHECKING:
    import xarray as xr

GROUPS = ("parameters", "trajectories", "crossings", "summary")
_CELLS = 1_000_000
"""Values that are in memory at once."""

type Blocks = Callable[[], Iterator[Table]]
"""Gives the rows of a table in order, a block at a time; a block is read when it is asked for."""


@dataclass(frozen=True, slots=True)
class RunTable:
    """A group of a run as a table that may be larger than the memory: what its columns are, and its rows in blocks."""

    name: str
    columns: Table
    blocks: Blocks
    about: Mapping[str, str]


def run_table(
    run: xr.DataTree, name: str, *, variables: Sequence[str] = (), thresholds: Sequence[str] = ()
) -> RunTable:
    """Lay out a group of a run as a table; without names, all its variables and thresholds.

    `parameters`: a row per sample. `crossings`: a row per sample; columns `<variable>.<threshold>`. `trajectories`:
    a row per sample and year. `summary`: a row per year and quantile level.
    """
    if name not in GROUPS:
        hint = near_or_all(name, GROUPS)
        raise InputError(f"--group: a run has no group '{name}' to export. {hint}")
    if name == "crossings" and name not in run.children and "trajectories" in run.children:
        raise InputError("the run declares no thresholds, so that it has no crossings to export.")
    dataset = group(run, name, of_samples=name != "summary")
    held = [str(item) for item in dataset.data_vars]
    dims = {"trajectories": ("sample", "year"), "summary": ("year", "quantile")}.get(name, ("sample",))
    if name == "summary":
        chosen = chosen_names(variables, summarised_names(dataset), "the run's summary has no variable")
        arrays = {item: dataset[item] for one in chosen for item in (one, f"{one}_error") if item in dataset}
    elif name == "crossings":
        names = chosen_names(thresholds, dataset["threshold"].values.tolist(), "the run has no threshold")
        kinds = chosen_names(variables, held, "the run's crossings have no variable")
        arrays = {f"{kind}.{one}": _of_threshold(dataset[kind], one) for one in names for kind in kinds}
    else:
        arrays = {one: dataset[one] for one in chosen_names(variables, held, f"the run's {name} have no variable")}
    first, *others = (dataset[dim].values for dim in dims)

    def blocks() -> Iterator[Table]:
        step = max(1, _CELLS // max(1, math.prod(map(len, others)) * len(arrays)))  # a block has at least one sample
        for start in range(0, len(first), step):
            rows = slice(start, start + step)
            grid = np.meshgrid(first[rows], *others, indexing="ij")
            values = {one: array.isel({dims[0]: rows}).transpose(*dims).values for one, array in arrays.items()}
            yield Table({one: each.ravel() for one, each in {**dict(zip(dims, grid, strict=True)), **values}.items()})

    about = {key: str(run.attrs[key]) for key in ("run_id", "name", "subject", "seed", "samples", "run_format")}
    return RunTable(name, _columns({**{dim: dataset[dim] for dim in dims}, **arrays}), blocks, about)


def _of_threshold(crossings: xr.DataArray, name: str) -> xr.DataArray:
    said = crossings.attrs.get("long_name") or crossings.name
    return crossings.sel(threshold=name).assign_attrs(long_name=f"{said}: {name}")


def every_table(run: xr.DataTree, *, variables: Sequence[str], thresholds: Sequence[str]) -> list[RunTable]:
    """Lay out every group that the run has and that holds one of the variables asked for."""
    present = [name for name in GROUPS if name in run.children]
    if thresholds:
        present = [name for name in present if name == "crossings"] or ["crossings"]
    held = {name: [str(item) for item in run.children[name].data_vars] for name in present if name in run.children}
    for variable in variables:
        if not any(variable in names for names in held.values()):
            known = list(dict.fromkeys(name for names in held.values() for name in names))
            raise InputError(f"--variable: the run has no variable '{variable}'. {near_name(variable, known)}".strip())
    tables = []
    for name in present:
        wanted = [variable for variable in variables if variable in held.get(name, ())]
        if name == "summary":
            wanted = [variable for variable in wanted if run.children[name][variable].dims == ("quantile", "year")]
        if wanted or not variables:
            tables.append(run_table(run, name, variables=wanted, thresholds=thresholds))
    return tables


def chosen_names(asked: Sequence[str], known: Sequence[str], rule: str) -> list[str]:
    """Give the names that were asked for, or all where none were; a fault begins with `rule`."""
    for name in asked:
        if name not in known:
            hint = near_or_all(name, known)
            raise InputError(f"{rule} '{name}'. {hint}")
    return list(dict.fromkeys(asked)) or list(known)


def _columns(arrays: Mapping[str, xr.DataArray]) -> Table:
    """Say what columns are: name, unit, long name, description."""
    rows = []
    for name, array in arrays.items():
        attributes = array.attrs
        said = str(attributes.get("description", "") or attributes.get("understood", ""))
        meanings = str(attributes.get("flag_meanings", "")).split()
        said += f" Here: {', '.join(f'{n} {word}' for n, word in enumerate(meanings))}." if meanings else ""
        rows.append({
            "column": name, "unit": str(attributes.get("units", "")),
            "long_name": str(attributes.get("long_name", "")) or name, "description": said,
        })  # fmt: skip
    return Table.of_rows(rows)


def write_csv(table: RunTable, path: FilePath) -> tuple[FilePath, FilePath]:
    """Write a table as CSV, and what its columns are into a file beside it; give both.

    Every number is written with as many digits as tell it from its neighbours of the same type, so that reading it as
    that type (`float32` or `float64`, in Parquet's schema) gives it back exactly; infinity is `inf`.
    """
    save_blocks(path, table.blocks())
    columns = path.with_name(f"{path.stem}.columns.csv")
    table.columns.save_csv(columns)
    return path, columns


def write_parquet(table: RunTable, path: FilePath) -> tuple[FilePath]:
    """Write a table as Parquet, and give the file; unit, long name and description are metadata of the fields."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        rule, remedy = "--format parquet needs pyarrow, which is not installed.", "or use --format csv"
        raise missing_extra(rule, "parquet", remedy) from None
    blocks = table.blocks()
    first = next(blocks)
    fields = [
        pa.field(row.pop("column"), pa.from_numpy_dtype(first[name].dtype), nullable=False, metadata=row)
        for name, row in zip(first.names, table.columns.rows(), strict=True)
    ]
    schema = pa.schema(fields, metadata={"effective-compute-simulator": json.dumps(table.about)})
    with replacing(path) as temporary, parquet.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for block in itertools.chain([first], blocks):
            writer.write_batch(pa.record_batch([block[name] for name in block.names], schema=schema))
    return (path,)
