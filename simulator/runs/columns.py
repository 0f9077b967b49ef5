"""Units and meanings of the columns of tables, from `columns.csv`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path as FilePath

from simulator.files import read_csv


@cache
def words_of_columns() -> Mapping[str, tuple[str, str]]:
    """Give the unit and the meaning of each column by its name, or by `table.name` where it is of one table alone."""
    return {name: (unit, meaning) for _, (name, unit, meaning) in read_csv(FilePath(__file__).with_name("columns.csv"))}


def column_words(names: Iterable[str]) -> list[tuple[str, str]]:
    """Give the unit and the meaning that columns have in all tables, from `columns.csv`; empty where they have none.

    >>> column_words(["share:spending@2030"])  # the meaning of `share:`, and what stands behind it
    [('1', 'share of the variance that belongs to the input: spending@2030')]
    """
    return [_words(*name.partition(":")) for name in names]


def _words(head: str, colon: str, rest: str) -> tuple[str, str]:
    unit, meaning = words_of_columns().get(head + colon, ("", ""))
    return unit, f"{meaning} {rest}" if colon and meaning else meaning
