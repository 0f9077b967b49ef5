"""Whether every column of tables says what it means."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.runs.table import Table


def unsaid(tables: Mapping[str, Table]) -> list[str]:
    """Name the columns that have no meaning."""
    return [
        f"{name}.{each}" for name, table in tables.items() for each in table.names if not table.column(each).meaning
    ]
