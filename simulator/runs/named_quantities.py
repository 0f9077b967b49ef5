"""The named quantities of a run as a table: what its constraints, costs and sizes come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import InputError
from simulator.runs.estimates import INTERVAL
from simulator.runs.groups import Group, arrays, read_quantiles, summarised_names
from simulator.runs.summary import summarised
from simulator.runs.table import Row, Table
from simulator.units import plain_unit
from simulator.wording import told_unit

if TYPE_CHECKING:
    from xarray import DataTree

PREFIX = "quantity_"


def quantity_table(run: Group | DataTree) -> Table:
    """Tabulate the named quantities in the first, middle and last year: median and 90 % interval, in their unit.

    One that no year changes has one row, without a year. Below them stand the dates of events at which eras begin.

    InputError: the run's scenario names none.
    """
    summary = arrays(run, "summary")
    names = [name for name in summarised_names(summary) if name.startswith(PREFIX)]
    if not names and "event" not in summary:
        raise InputError("--quantities: the scenario of this run names no quantities. Write some under quantities.")
    rows: list[dict[str, Any]] = []
    for name in names:
        found = summarised(run, name)
        unit = str(found.attrs["units"])
        moves = bool((found.values != found.values[:, :1]).any())
        for year in dict.fromkeys([float(found.years[0]), *(found.middle_and_last if moves else ())]):
            levels = np.array(found.three_in(year))
            low, middle, high = (10.0**levels if found.is_log else levels).tolist()
            told = str(found.attrs.get("label") or name.removeprefix(PREFIX).replace("_", " "))
            rows.append(
                {
                    "quantity": told,
                    "year": year if moves else None,
                    "median": middle,
                    "lower": low,
                    "upper": high,
                    "unit": plain_unit(unit),
                }
            )
    return Table.of_rows([*rows, *_event_rows(summary)])


def _event_rows(summary: Group) -> list[dict[str, Any]]:
    """List what begins with an event, with its date: median and 90 % interval, +inf for later than the horizon."""
    if "event" not in summary:
        return []
    dates = (each.tolist() for each in read_quantiles(summary, "event_quantile", INTERVAL).values())
    return [
        {"quantity": str(name), "year": None, "median": middle, "lower": low, "upper": high, "unit": "year"}
        for name, low, middle, high in zip(summary["begins"].values, *dates, strict=True)
    ]


def quantity_lines(table: Table) -> list[str]:
    """Set the table as text: one line for a quantity and a year, in the unit that people use for so much."""

    def spread(row: Row) -> str:
        return "" if row["lower"] == row["upper"] else f"{told(row, 'lower', '.3g')} to {told(row, 'upper', '.3g')}"

    def told(row: Row, key: str, digits: str) -> str:
        if row["unit"] == "year":  # the date of an event
            return f"{row[key]:.1f}" if row[key] < np.inf else "later"
        value = float(f"{row[key] / 10.0 ** unit_of(row)[0]:{digits}}")
        return f"{value:,g}" if 1e3 <= value < 1e6 else f"{value:{digits}}"

    def unit_of(row: Row) -> tuple[float, str]:
        return told_unit(float(np.log10(row["median"])) if row["median"] > 0.0 else -np.inf, row["unit"])

    return table.lines(
        {
            "quantity": lambda row: row["quantity"],
            "year": lambda row: f"{row['year']:g}" if row["year"] else "" if row["unit"] == "year" else "every",
            "median": lambda row: told(row, "median", ".4g"),
            "90 %": spread,
            "unit": lambda row: "" if row["unit"] == "1" else unit_of(row)[1],
        }
    )
