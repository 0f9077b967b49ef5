"""Who uses a stock by year, and the largest run as drivers and allocation each make it: tables of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.errors import InputError
from simulator.runs.estimates import INTERVAL
from simulator.runs.groups import Group, arrays, read_quantiles
from simulator.runs.table import Row, Table
from simulator.scenario.canonical import stored_data
from simulator.units import Array, plain_unit
from simulator.variables import snake
from simulator.wording import amount_words, percent

if TYPE_CHECKING:
    import xarray as xr


class Shared(NamedTuple):
    """A stock that is shared out in a run: its name, its uses by name, that of the largest run if it makes one."""

    stock: str
    uses: tuple[str, ...]
    largest_run: str | None

    def variable(self, use: str, ending: str = "") -> str:
        """Name the variable of a use in the run."""
        return f"quantity_{snake(self.stock)}_{snake(use)}{ending}"


def shared_stocks(run: Group | xr.DataTree) -> list[Shared]:
    """List the stocks that a run shares out, of its scenario or of the parts of a mixture."""
    if '"allocation"' not in str(run.attrs.get("scenario", "")):
        return []
    data, known = stored_data(run.attrs), arrays(run, "summary").data_vars
    parts = [data, *(each["scenario"] for each in data.get("mixture", ()))]
    stated = {stock: each for part in parts for stock, each in part.get("allocation", {}).items()}
    found = [Shared(stock, (*each["uses"],), _of_run(each)) for stock, each in stated.items()]
    return [each for each in found if all(each.variable(use, "_share") in known for use in each.uses)]


def _of_run(allocation: dict[str, Any]) -> str | None:
    run = allocation.get("largest_run")
    return None if run is None else str(run.get("use", "largest-run"))


def allocation_tables(run: Group | xr.DataTree) -> dict[str, Table]:
    """Give the tables of a run that shares out a stock: who uses it, and the largest run where that is held against."""
    if not shared_stocks(run):
        return {}
    tables = {"allocation": allocation_table(run), "largest_run": reading_table(run)}
    return {name: table for name, table in tables.items() if table}


def allocation_table(run: Group | xr.DataTree) -> Table:
    """Tabulate who uses what by year: each share, median and 90 % interval, and how much that is; empty without any.

    `adds_up` is the median share divided by the sum of the median shares of the year: medians of parts are no parts
    of a whole, and add up to somewhat more or less than 1.
    """
    summary, rows = arrays(run, "summary"), list[Row]()
    years = summary.coords["year"].values.tolist()
    for each in shared_stocks(run):
        shares = {use: _three(summary, each.variable(use, "_share")) for use in each.uses}
        whole = np.sum([share[1] for share in shares.values()], axis=0)
        for use, share in shares.items():
            label = str(summary.data_vars[each.variable(use)].attrs.get("label") or use.replace("-", " "))
            amount = _three(summary, each.variable(use))[1]
            unit = plain_unit(str(summary.data_vars[each.variable(use)].attrs["units"]))
            rows += [
                {"stock": each.stock, "use": use, "label": label, "year": year,
                 **dict(zip(INTERVAL, share[:, at].tolist(), strict=True)),
                 "adds_up": float(share[1, at] / whole[at]), "amount": float(amount[at]), "unit": unit}
                for at, year in enumerate(years)
            ]  # fmt: skip
    return Table.of_rows(rows) if rows else Table({})


def reading_table(run: Group | xr.DataTree) -> Table:
    """Tabulate the largest run by year as the allocation of a stock makes it, as the drivers do, and their ratio."""
    summary, rows = arrays(run, "summary"), list[Row]()
    for each in shared_stocks(run):
        if each.largest_run is None or each.variable(each.largest_run, "_ratio") not in summary.data_vars:
            continue
        names = {"allocated": each.variable(each.largest_run, "_compute"), "driven": "physical_compute"}
        middle = {key: _three(summary, name)[1] for key, name in names.items()}
        ratio = _three(summary, each.variable(each.largest_run, "_ratio"))
        rows += [
            {"stock": each.stock, "year": year, **{key: float(values[at]) for key, values in middle.items()},
             **dict(zip(INTERVAL, ratio[:, at].tolist(), strict=True))}
            for at, year in enumerate(summary.coords["year"].values.tolist())
        ]  # fmt: skip
    return Table.of_rows(rows) if rows else Table({})


def _three(summary: Group, name: str) -> Array:
    """Read the 5, 50 and 95 % points of a level by year, (3, year)."""
    return np.asarray(10.0 ** np.stack([*read_quantiles(summary, name, INTERVAL).values()]).astype(np.float64))


def allocation_lines(run: Group | xr.DataTree) -> list[str]:
    """Set both tables as text, in the first year, the middle one and the last; InputError where nothing is shared."""
    if not (table := allocation_table(run)):
        raise InputError("--allocation: the scenario of this run shares out no stock. Write allocation: in it.")
    return [line for part in _printed(table, reading_table(run)) for line in part]


def _printed(table: Table, readings: Table) -> Iterator[list[str]]:
    years = np.unique(table["year"])
    told = years[[0, years.size // 2, -1]]

    def spread(row: Row) -> str:
        return "" if row["lower_90"] == row["upper_90"] else f"{percent(row['lower_90'])} to {percent(row['upper_90'])}"

    yield table.where(np.isin(table["year"], told)).lines({
        "use": lambda row: row["label"],
        "year": lambda row: f"{row['year']:g}",
        "share": lambda row: percent(row["median"]),
        "90 %": spread,
        "amount": lambda row: amount_words(float(np.log10(row["amount"])), row["unit"]),
    })  # fmt: skip
    if readings:
        yield [""]
        yield readings.where(np.isin(readings["year"], told)).lines({
            "largest run of": lambda row: row["stock"].replace("-", " "),
            "year": lambda row: f"{row['year']:g}",
            "by its share": lambda row: f"{row['allocated']:.2g} FLOP",
            "by the drivers": lambda row: f"{row['driven']:.2g} FLOP",
            "ratio": lambda row: f"{row['median']:.3g} (90 % {row['lower_90']:.3g} to {row['upper_90']:.3g})",
        })  # fmt: skip
