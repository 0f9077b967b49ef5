"""Tables: columns of arrays with names, units and meanings.

Every CSV file, printed table, table of a report and table of a chart is made from one.
"""

from __future__ import annotations

import contextlib
import csv
import html
import io
import math
import operator
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.errors import RunFileError
from simulator.files import csv_cells, read_csv, replacing
from simulator.runs.columns import column_words, words_of_columns
from simulator.units import Array
from simulator.wording import WIDTH, aligned, cut

if TYPE_CHECKING:
    import xarray as xr
    from _typeshed import DataclassInstance


def value_or_none(value: float) -> float | None:
    """Give a number, None where it is NaN: a table and JSON have it empty."""
    return None if math.isnan(value) else value


def values_or_none(values: Array) -> NDArray[np.object_]:
    """Give numbers of any shape, None where they are NaN."""
    held = values.astype(object)
    held[np.isnan(values)] = None
    return held


type Row = Mapping[str, Any]
"""One line of a table: plain numbers and texts by the names of its columns; None where there is nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column: values (row,), which of them are missing (row,), unit, meaning."""

    values: NDArray[Any]
    missing: NDArray[np.bool_]
    unit: str
    meaning: str


def axis_columns(axes: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Give a column for each axis of an array, with a row for each of its numbers, the last axis fastest."""
    grids = np.meshgrid(*(np.asarray(values) for values in axes.values()), indexing="ij")
    return {name: grid.ravel() for name, grid in zip(axes, grids, strict=True)}


class Table:
    """Columns of equal length, in an order.

    Parameters
    ----------
    columns : mapping of str to array_like (row,)
        By name; None is a missing entry. NaN is a number like any other.
    units : mapping of str to str
        Of columns; without it, as what they mean, those of `column_words`.

    Examples
    --------
    >>> table = Table({"year": [2030.0, 2031.0], "median": [28.5, None]}, units={"median": "log10(FLOP)"})
    >>> len(table), table.names, table["year"].tolist(), table.unit("median")
    (2, ('year', 'median'), [2030.0, 2031.0], 'log10(FLOP)')
    >>> list(table.rows())[1]
    {'year': 2031.0, 'median': None}
    >>> print(table.where(year=2030.0).to_csv(), end="")
    year,median
    2030.0,28.5
    """

    __slots__ = ("_columns", "_length")

    def __init__(
        self, columns: Mapping[str, ArrayLike | Sequence[object]], *, units: Mapping[str, str] | None = None
    ) -> None:
        given = {name: _array(values) for name, values in columns.items()}
        if deep := [name for name, (values, _) in given.items() if values.ndim != 1]:
            raise ValueError(f"the columns of a table must have one dimension; {deep[0]} has {given[deep[0]][0].ndim}.")
        lengths = {values.size for values, _ in given.values()}
        if len(lengths) > 1:
            told = ", ".join(f"{name} {values.size}" for name, (values, _) in given.items())
            raise ValueError(f"the columns of a table must be of one length; got {told}.")
        self._length = lengths.pop() if lengths else 0
        self._columns = {}
        for name, (values, missing) in given.items():
            unit, meaning = column_words(name)
            self._columns[name] = Column(values, missing, (units or {}).get(name, unit), meaning)

    @classmethod
    def of_rows(
        cls, rows: Iterable[Row], columns: Sequence[str] = (), *, units: Mapping[str, str] | None = None
    ) -> Self:
        """Make a table of rows; its columns are those named, then the keys of the rows as they come."""
        held = list(rows)
        names = dict.fromkeys([*columns, *(name for row in held for name in row)])
        return cls({name: [row.get(name) for row in held] for name in names}, units=units)

    @classmethod
    def of_records(cls, records: Iterable[DataclassInstance]) -> Self:
        """Make a table of dataclass objects, a row each; its columns are their fields."""
        held = list(records)
        names = [field.name for field in fields(held[0])] if held else []
        return cls({name: [getattr(each, name) for each in held] for name in names})

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self._columns)

    def __len__(self) -> int:
        return self._length

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name].values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and self.names == other.names and repr(self.rows()) == repr(other.rows())

    __hash__ = None  # type: ignore[assignment]

    def column(self, name: str) -> Column:
        """Give a column with its unit, its meaning and what is missing in it."""
        return self._columns[name]

    def unit(self, name: str) -> str:
        """Give the unit of a column; empty where it has none."""
        return self._columns[name].unit

    def rows(self) -> list[dict[str, Any]]:
        """Give the lines as plain numbers and texts by the names of the columns; None where an entry is missing."""
        return [dict(zip(self._columns, values, strict=True)) for values in self.records()]

    def records(self) -> Iterator[tuple[Any, ...]]:
        """Give the lines as tuples in the order of the columns; None where an entry is missing."""
        lists = [
            [None if gone else value for value, gone in zip(each.values.tolist(), each.missing, strict=True)]
            if each.missing.any()
            else each.values.tolist()
            for each in self._columns.values()
        ]
        return zip(*lists, strict=True)

    def where(self, mask: ArrayLike | None = None, /, **equal: object) -> Table:
        """Keep the rows for which a mask (row,) holds, and in which each named column has a value."""
        kept = np.ones(len(self), dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
        for name, value in equal.items():
            kept = kept & np.asarray(self[name] == value, dtype=bool)
        return self._taken(np.flatnonzero(kept))

    def groups(self, *names: str) -> Iterator[tuple[tuple[Any, ...], Table]]:
        """Part the table by the values of columns, in the order in which they first come; None where one is missing."""
        places: dict[tuple[Any, ...], list[int]] = {}
        for place, key in enumerate(self.select(*names).records()):
            places.setdefault(key, []).append(place)
        for key, chosen in places.items():
            yield key, self._taken(np.asarray(chosen, dtype=np.intp))

    def first(self, count: int) -> Table:
        """Keep the first rows, so many or as many as there are."""
        return self._taken(np.arange(min(count, len(self))))

    def sorted_by(self, name: str) -> Table:
        """Put the rows in the ascending order of a column; rows that are equal in it stay as they are."""
        return self._taken(np.argsort(self[name], kind="stable"))

    def select(self, *names: str) -> Table:
        """Keep some columns, in the order in which they are named."""
        return self._of({name: self._columns[name] for name in names}, len(self))

    def with_columns(self, columns: Mapping[str, ArrayLike | Sequence[object]]) -> Table:
        """Add columns behind those there are, or put them in the place of those of their names."""
        added = Table(columns)
        if len(added) != len(self):
            raise ValueError(f"the table has {len(self)} rows; got columns of {len(added)}.")
        return self._of({**self._columns, **added._columns}, len(self))

    def __add__(self, other: Table) -> Table:
        """Put the rows of another table behind these; a column that one has not is missing there."""
        columns = {**other._columns, **self._columns}
        rows = Table.of_rows([*self.rows(), *other.rows()], [*self.names, *other.names])
        return rows.saying({name: (each.unit, each.meaning) for name, each in columns.items()})

    def saying(self, words: Mapping[str, tuple[str, str]]) -> Table:
        """Give columns a unit and a meaning of their own, in the place of those that tables have in common."""
        told = {name: replace(self._columns[name], unit=unit, meaning=said) for name, (unit, said) in words.items()}
        return self._of(self._columns | told, len(self))

    def called(self, table: str) -> Table:
        """Give columns the units and meanings that they have in the table of a name alone, as `attribution.first`."""
        own = {name: words_of_columns().get(f"{table}.{name}") for name in self._columns}
        return self.saying({name: words for name, words in own.items() if words})

    def to_dataset(self, *along: str) -> xr.Dataset:
        """Lay the other columns out along some, whose values together name each row once; NaN where no row is."""
        import xarray as xr

        labels = {name: list(dict.fromkeys(self[name].tolist())) for name in along}
        places = tuple(np.array([labels[name].index(each) for each in self[name].tolist()], int) for name in along)
        dataset = xr.Dataset(coords=labels)
        whole = len(self) == math.prod(map(len, labels.values()))
        for name, column in self._columns.items():
            if name not in along:
                kind = column.values.dtype if whole or column.values.dtype.kind == "f" else object
                array = np.full([len(each) for each in labels.values()], 0 if whole else np.nan, dtype=kind)
                array[places] = column.values
                said = {"units": column.unit, "long_name": column.meaning}
                dataset[name] = (along, array, {key: text for key, text in said.items() if text})
        return dataset

    def to_kept(self) -> xr.Dataset:
        """Lay the columns out along `row`, as a file keeps them; rows in which an entry is missing are in `missing`."""
        import xarray as xr

        kept = {}
        for name, each in self._columns.items():
            values, gone = each.values, np.flatnonzero(each.missing)
            if values.dtype == object:
                held = [value for value in values.tolist() if value is not None]
                blank = type(held[0])() if held else 0.0
                values = np.array([blank if value is None else value for value in values.tolist()])
            said = {"units": each.unit, "long_name": each.meaning} | ({"missing": gone} if gone.size else {})
            kept[name] = ("row", values, {key: value for key, value in said.items() if len(value)})
        return xr.Dataset(kept)

    @classmethod
    def of_kept(cls, kept: xr.Dataset) -> Self:
        """Make the table again that `to_kept` laid out."""
        columns = {}
        for name, each in kept.data_vars.items():
            gone = np.atleast_1d(each.attrs.get("missing", [])).tolist()
            held = [None if place in gone else value for place, value in enumerate(each.values.tolist())]
            unit, meaning = (str(each.attrs.get(key, "")) for key in ("units", "long_name"))
            columns[str(name)] = Column(*_array(held), unit, meaning)
        return cls._of(columns, kept.sizes.get("row", 0))

    @classmethod
    def read_csv(cls, path: FilePath) -> Self:
        """Read a table from the CSV file that it was written to: a column is of numbers where all its cells are.

        Raises RunFileError where it cannot be read.
        """
        try:
            columns = list(zip(*(cells for _, cells in read_csv(path)), strict=True))
            if len({name for name, *_ in columns}) < len(columns):
                raise ValueError
        except (OSError, ValueError) as error:
            raise RunFileError(f"{path}: cannot be read as a table ({type(error).__name__}). Make it anew.") from None
        return cls({name: _typed(cells) for name, *cells in columns})

    def to_csv(self, *, head: bool = True) -> str:
        """Write the table as CSV with a head; what is missing is left empty. A table without rows is empty text.

        A number has as many digits as tell it from its neighbours of the same type.
        """
        if not len(self):
            return ""
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, lineterminator="\n")
        every = {name: each.values for name, each in self._columns.items()}
        held = {name: values.tolist() for name, values in every.items() if values.dtype.kind in "OU"}
        told = csv_cells({*every, *(cell for cells in held.values() for cell in cells if isinstance(cell, str))})
        written: dict[str, ArrayLike | Sequence[object]] = {
            name: values.astype(str) for name, values in every.items() if values.dtype == np.float32
        }
        if any(map(operator.ne, told, told.values())):
            written |= {name: [told.get(cell, cell) for cell in cells] for name, cells in held.items()}
        if head:
            writer.writerow(map(told.__getitem__, every))
        writer.writerows((self.with_columns(written) if written else self).records())  # None is left empty
        return stream.getvalue()

    def to_data(self) -> dict[str, Any]:
        """Give the table as plain data that is strict JSON: `columns` with unit and meaning, and `rows`.

        What is missing, and NaN, is null; an infinite number is "inf" or "-inf", as in CSV.
        """
        columns = [{"name": name, "unit": each.unit, "meaning": each.meaning} for name, each in self._columns.items()]
        rows = [{name: _strict(value) for name, value in row.items()} for row in self.rows()]
        return {"columns": columns, "rows": rows}

    def save_csv(self, path: FilePath) -> None:
        """Write the table to a CSV file."""
        save_blocks(path, [self])

    def lines(
        self, cells: Mapping[str, Callable[[Row], str]] | None = None, *, head: bool = True, width: int = WIDTH
    ) -> list[str]:
        """Set the table as text: a column for each of `cells`, by its heading; numbers to the right."""
        shown = cells or self._as_they_are()
        body = [[write(row) for write in shown.values()] for row in self.rows()]
        rows = [list(shown), *body] if head else body
        if not rows or not shown:
            return []
        right = [all(_is_number(line[place]) for line in body) for place in range(len(shown))]
        return aligned(rows, keys=int(head), right=right, indent=0, width=width)

    def to_html(
        self,
        cells: Mapping[str, Callable[[Row], str]] | None = None,
        *,
        heads: Mapping[str, str] | None = None,
        caption: str = "",
        numbers: Container[str] | None = None,
        class_: str = "",
    ) -> str:
        """Set the table as HTML, its first column the heads of its rows.

        Every text is escaped, but for what is markup already (it has `__html__`). `heads` are headings in the place of
        the names of columns; `numbers` names the columns whose cells stand to the right, those of numbers without it.
        """
        shown = cells or self._as_they_are()
        right = [name for name in self.names if self[name].dtype.kind in "iuf"] if numbers is None else numbers
        kinds = [' class="number"' if name in right else "" for name in shown]
        said = {name: name for name in shown} | dict(heads or {})
        above = (
            f'<th scope="col"{kind}{self._title(name)} role="columnheader">{_markup(said[name])}</th>'
            for name, kind in zip(shown, kinds, strict=True)
        )
        look = f' class="{html.escape(class_)}"' if class_ else ""
        parts = [f'<table role="table"{look}>']
        parts += [f"<caption>{_markup(caption)}</caption>"] if caption else []
        parts += [f'<thead role="rowgroup"><tr role="row">{"".join(above)}</tr></thead>', '<tbody role="rowgroup">']
        for row in self.rows():
            first, *rest = (_markup(write(row)) for write in shown.values())
            line = [f'<th scope="row"{kinds[0]} role="rowheader">{first}</th>']
            line += [f'<td{kind} role="cell">{cell}</td>' for cell, kind in zip(rest, kinds[1:], strict=True)]
            parts.append(f'<tr role="row">{"".join(line)}</tr>')
        return "\n".join([*parts, "</tbody></table>"])

    def __repr__(self) -> str:
        lines = [cut(line, width=_WIDTH) for line in self.first(_SHOWN).lines(width=_WIDTH)]
        more = [f"... {len(self) - _SHOWN:,} more rows"] if len(self) > _SHOWN else []
        return "\n".join([*lines, *more]) or "an empty table"

    def _repr_html_(self) -> str:
        more = f"<p>{len(self) - _SHOWN:,} more rows</p>" if len(self) > _SHOWN else ""
        return self.first(_SHOWN).to_html() + more

    def _as_they_are(self) -> dict[str, Callable[[Row], str]]:
        def cell(name: str) -> Callable[[Row], str]:
            return lambda row: _written(row[name])

        return {name: cell(name) for name in self.names}

    def _title(self, name: str) -> str:
        if name not in self._columns:
            return ""
        column = self._columns[name]
        said = f"{column.meaning} [{column.unit}]" if column.unit and column.meaning else column.meaning or column.unit
        return f' title="{html.escape(said)}"' if said else ""

    @classmethod
    def _of(cls, columns: Mapping[str, Column], length: int) -> Self:
        table = cls({})
        table._columns, table._length = dict(columns), length
        return table

    def _taken(self, places: NDArray[np.intp]) -> Table:
        taken = {
            name: Column(each.values[places], each.missing[places], each.unit, each.meaning)
            for name, each in self._columns.items()
        }
        return self._of(taken, places.size)


def save_blocks(path: FilePath, blocks: Iterable[Table]) -> None:
    """Write a table that comes in blocks of rows to one CSV file; what stood there is left where that fails."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        for place, block in enumerate(blocks):
            stream.write(block.to_csv(head=place == 0))


_SHOWN = 12
"""Rows of a table that are shown where it is looked at."""
_WIDTH = 240
"""Characters of a line of it there."""


def _array(values: ArrayLike | Sequence[object]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Hold values in an array of one type, and tell which are missing; whole numbers and others are not mixed."""
    if isinstance(values, np.ndarray) and values.dtype != object:
        return values, np.zeros(values.shape, dtype=bool)
    held = list(values)  # type: ignore[arg-type]
    missing = np.array([value is None for value in held], dtype=bool)
    kinds = {type(value) for value in held if value is not None}
    if kinds == {float}:
        return np.array([np.nan if value is None else value for value in held], dtype=np.float64), missing
    if kinds in ({int}, {bool}) and not missing.any():
        return np.array(held), missing
    plain = np.empty(len(held), dtype=object)
    plain[:] = [value.item() if isinstance(value, np.generic) else value for value in held]
    return plain, missing


def _typed(cells: list[str]) -> list[Any]:
    for read in (int, float):
        with contextlib.suppress(ValueError):
            return [read(cell) if cell else None for cell in cells]
    truths = {"True": True, "False": False, "": None}
    return [truths[cell] for cell in cells] if {*cells} <= {*truths} else [cell or None for cell in cells]


def _strict(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _written(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value if isinstance(value, str) else str(value)


def _markup(text: str) -> str:
    """Escape a text, unless it is markup already."""
    return str(text) if hasattr(text, "__html__") else html.escape(text)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "").rstrip(" %"))
    except ValueError:
        return text == ""
    return True
