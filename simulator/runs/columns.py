"""Units and meanings of the columns of tables, from `columns.csv`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path as FilePath

from simulator.files import read_csv


@cache
def words_of_columns() -> Mapping[str, tuple[str, str]]:
    """Give the unit and the meaning of each column by its name, or by `table.name` where it is of one table alone."""
    return {name: (unit, meaning) for _, (name, unit, meaning) in read_csv(FilePath(__file__).with_name("columns.csv"))}


@lru_cache(maxsize=1024)
def column_words(name: str) -> tuple[str, str]:
    """Give the unit and the meaning that a column has in all tables, from `columns.csv`; empty where it has none.

    >>> column_words("share:spending@2030")  # the meaning of `share:`, and what stands behind it
    ('1', 'share of the variance that belongs to the input: spending@2030')
    """
    head, colon, rest = name.partition(":")
    unit, meaning = words_of_columns().get(head + colon, ("", ""))
    return unit, f"{meaning} {rest}" if colon and meaning else meaning
