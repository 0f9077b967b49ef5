"""Tables of a run for other programs: columns with units, values in blocks of samples, written as CSV or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError, SimulatorError, near_name
from simulator.files import replacing, write_table
from simulator.runs.groups import group
from simulator.runs.summary import summarised_names

if TYPE_CHECKING:
    import xarray as xr

GROUPS = ("parameters", "trajectories", "crossings", "summary")
_CELLS = 1_000_000
"""Values that are in memory at once; a block has at least one sample."""

type Values = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name, the unit of its numbers, what it is, and how it is stored."""

    name: str
    unit: str
    long_name: str
    description: str
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a run.

    Parameters
    ----------
    name : str
        The group of the run.
    columns : in the order of the values
    blocks : function
        Gives the rows in order, a block at a time: one array (row,) per column. A block is read when it is
        asked for, so that a run may be larger than the memory.
    about : where the table comes from: run id, scenario, seed, number of samples
    """

    name: str
    columns: tuple[Column, ...]
    blocks: Callable[[], Iterator[tuple[Values, ...]]]
    about: dict[str, str]


def run_table(run: xr.DataTree, name: str, *, variables: Sequence[str] = (), thresholds: Sequence[str] = ()) -> Table:
    """Lay out a group of a run as a table.

    `parameters`: a row per sample. `crossings`: a row per sample; columns `<variable>.<threshold>`. `trajectories`:
    a row per sample and year. `summary`: a row per year and quantile level. Crossing years later than the
    horizon are +inf.

    Parameters
    ----------
    run : xarray.DataTree
    name : str
        One of `GROUPS`.
    variables : names of variables of the group; none: all
    thresholds : names of thresholds, for `crossings`; none: all

    Returns
    -------
    Table

    Raises
    ------
    InputError
        There is no such group, variable or threshold, or the run kept no samples.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> table = run_table(run, "trajectories", variables=["spending"])
    >>> [(column.name, column.unit) for column in table.columns]
    [('sample', '1'), ('year', 'year'), ('spending', 'log10(USD)')]
    >>> sum(len(block[0]) for block in table.blocks())
    21504
    """
    if name not in GROUPS:
        hint = near_name(name, GROUPS) or f"There are: {', '.join(GROUPS)}."
        raise InputError(f"--group: a run has no group '{name}' to export. {hint}")
    if name == "summary":
        return _summary_table(run, variables)
    if name == "crossings" and name not in run.children and "trajectories" in run.children:
        raise InputError("the run declares no thresholds, so that it has no crossings to export.")
    dataset = group(run, name, of_samples=True)
    if name == "crossings":
        return _crossings_table(run, dataset, variables, thresholds)
    chosen = chosen_names(variables, [str(item) for item in dataset.data_vars], f"the run's {name} have no variable")
    dims = ["sample", "year"] if name == "trajectories" else ["sample"]
    columns = tuple(_column(dataset, item) for item in [*dims, *chosen])

    def blocks() -> Iterator[tuple[Values, ...]]:
        years = dataset["year"].values if name == "trajectories" else np.zeros(1)
        for rows in _stretches(dataset.sizes["sample"], width=len(chosen) * len(years)):
            sample = dataset["sample"].values[rows]
            values = [dataset[item].isel(sample=rows).transpose(*dims).values.ravel() for item in chosen]
            grid = [np.repeat(sample, len(years)), np.tile(years, len(sample))]
            yield (*grid[: len(dims)], *values)

    return Table(name, columns, blocks, _about(run))


def _crossings_table(
    run: xr.DataTree, dataset: xr.Dataset, variables: Sequence[str], thresholds: Sequence[str]
) -> Table:
    names = [str(name) for name in dataset["threshold"].values]
    chosen = chosen_names(thresholds, names, "the run has no threshold")
    kinds = chosen_names(variables, [str(item) for item in dataset.data_vars], "the run's crossings have no variable")
    pairs = [(kind, name) for name in chosen for kind in kinds]

    def column(kind: str, name: str) -> Column:
        plain = _column(dataset, kind)
        return Column(f"{kind}.{name}", plain.unit, f"{plain.long_name}: {name}", plain.description, plain.dtype)

    def blocks() -> Iterator[tuple[Values, ...]]:
        for rows in _stretches(dataset.sizes["sample"], width=len(pairs)):
            loaded = {kind: dataset[kind].isel(sample=rows).transpose("threshold", "sample").values for kind in kinds}
            yield (dataset["sample"].values[rows], *(loaded[kind][names.index(name)] for kind, name in pairs))

    columns = (_column(dataset, "sample"), *(column(kind, name) for kind, name in pairs))
    return Table("crossings", columns, blocks, _about(run))


def _summary_table(run: xr.DataTree, variables: Sequence[str]) -> Table:
    summary = group(run, "summary")
    chosen = chosen_names(variables, summarised_names(summary), "the run's summary has no variable")
    names = [item for name in chosen for item in (name, f"{name}_error") if item in summary]
    columns = tuple(_column(summary, item) for item in ("year", "quantile", *names))

    def blocks() -> Iterator[tuple[Values, ...]]:
        years, levels = summary["year"].values, summary["quantile"].values
        values = [summary[item].transpose("year", "quantile").values.ravel() for item in names]
        yield (np.repeat(years, len(levels)), np.tile(levels, len(years)), *values)

    return Table("summary", columns, blocks, _about(run))


def chosen_names(asked: Sequence[str], known: Sequence[str], rule: str) -> list[str]:
    """Give the names that were asked for, or all where none were.

    Raises
    ------
    InputError
        One is not known; the message begins with `rule`.

    Examples
    --------
    >>> chosen_names([], ["spending", "hardware"], "no variable")
    ['spending', 'hardware']
    """
    for name in asked:
        if name not in known:
            hint = near_name(name, known) or f"There are: {', '.join(known)}."
            raise InputError(f"{rule} '{name}'. {hint}")
    return list(dict.fromkeys(asked)) or list(known)


def _stretches(samples: int, *, width: int) -> Iterator[slice]:
    """Cut the samples into blocks of `_CELLS` values."""
    step = max(1, _CELLS // max(width, 1))
    yield from (slice(start, min(start + step, samples)) for start in range(0, samples, step))


def _column(dataset: xr.Dataset, name: str) -> Column:
    values = dataset[name]
    attributes = {key: str(values.attrs.get(key, "")) for key in ("units", "long_name", "description", "understood")}
    said = attributes["description"] or attributes["understood"]
    meanings = str(values.attrs.get("flag_meanings", "")).split()
    said += f" Here: {', '.join(f'{n} {word}' for n, word in enumerate(meanings))}." if meanings else ""
    return Column(name, attributes["units"], attributes["long_name"] or name, said, values.dtype)


def _about(run: xr.DataTree) -> dict[str, str]:
    return {key: str(run.attrs[key]) for key in ("run_id", "name", "subject", "seed", "samples", "run_format")}


def columns_path(path: FilePath) -> FilePath:
    """Name the file that says what the columns of a CSV file are.

    Examples
    --------
    >>> columns_path(FilePath("trajectories.csv")).name
    'trajectories.columns.csv'
    """
    return path.with_name(f"{path.stem}.columns.csv")


def write_csv(table: Table, path: FilePath) -> tuple[FilePath, ...]:
    """Write a table as CSV, with names and units of its columns in a file beside it.

    Every number is written with as many digits as tell it from its neighbours of the same type, so that reading it as
    that type (`float32` or `float64`, in Parquet's schema) gives it back exactly; infinity is `inf`.

    Returns
    -------
    The two files.

    Raises
    ------
    SimulatorError
        The file cannot be written. What stood there before is left as it was.
    """
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([column.name for column in table.columns])
        for block in table.blocks():
            # numpy writes the shortest digits of the values' own type; csv alone would write float32 as float64
            writer.writerows(zip(*(values.astype(str).tolist() for values in block), strict=True))
    names = columns_path(path)
    rows = [
        {"column": item.name, "unit": item.unit, "long_name": item.long_name, "description": item.description}
        for item in table.columns
    ]
    write_table(names, rows)
    return path, names


def write_parquet(table: Table, path: FilePath) -> tuple[FilePath, ...]:
    """Write a table as Parquet; unit, long name and description are metadata of the fields.

    Returns
    -------
    The file.

    Raises
    ------
    SimulatorError
        pyarrow is not installed, or the file cannot be written.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise SimulatorError(
            "--format parquet needs pyarrow, which is not installed. "
            "Install it with: pip install 'effective-compute-simulator[parquet]', or use --format csv."
        ) from None
    fields = [
        pa.field(
            column.name,
            pa.from_numpy_dtype(column.dtype),
            nullable=False,
            metadata={"unit": column.unit, "long_name": column.long_name, "description": column.description},
        )
        for column in table.columns
    ]
    schema = pa.schema(fields, metadata={"effective-compute-simulator": json.dumps(table.about)})
    with replacing(path) as temporary, parquet.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for block in table.blocks():
            writer.write_batch(pa.record_batch(list(block), schema=schema))
    return (path,)


def write_tables(tables: Sequence[tuple[Table, FilePath]], *, kind: str) -> tuple[FilePath, ...]:
    """Write tables, each to its file, as `csv` or `parquet`; give the files written."""
    write = write_csv if kind == "csv" else write_parquet
    return tuple(path for table, file in tables for path in write(table, file))
