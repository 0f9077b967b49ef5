"""Who uses a stock: shares by year, one on top of the other."""

from __future__ import annotations

import itertools

import numpy as np

from simulator.charts import layout, spec, style
from simulator.charts.reading import drawn_years, run_head
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.errors import InputError, NothingToDraw, near_or_all, number
from simulator.runs.allocation import allocation_table
from simulator.runs.groups import Run, group
from simulator.runs.table import Row, Table
from simulator.wording import listed, percent

HEIGHT = 260.0
_UNDER = (
    "Median of the share of each use by year, divided by the sum of these medians, which is {}: medians of parts do "
    "not add up by themselves, as the shares of every sample do."
)


def draw_allocation(table: Table, *, head: Head) -> spec.Spec:
    """Draw who uses each stock, one panel for each, the first use at the bottom.

    `table` has `stock`, `use`, `label` (of both: `chips: inference`), `year`, `adds_up` (0 to 1, adding up to 1 in each
    year), `median`, `lower_90` and `upper_90`.
    """
    views = [_panel(own) for _, own in table.groups("stock")]
    return layout.sheet(views, head, width=layout.LABEL_X + 398, x=-layout.GUTTER)


def _panel(table: Table) -> spec.Spec:
    years, stack, known = np.unique(table["year"]).tolist(), [], _is_known(table)
    for (_, own), fill in zip(table.groups("use"), itertools.cycle(layout.PART_FILLS), strict=False):
        last = own.rows()[-1]
        ends = percent(last["median"]), f"{100 * last['lower_90']:.0f} to {100 * last['upper_90']:.0f} %"
        lines = tuple(style.wrapped(_words(last)[1], width=layout.NAME_CHARACTERS))
        stack.append(layout.StackPart(own["adds_up"].tolist(), fill, ends[:1] if known else ends, lines))
    heading, heads = f"shares of {_words(table.rows()[0])[0]}", (number(years[-1]), "90 % interval")
    return layout.stacked_view(stack, years=years, least=HEIGHT, heading=heading, heads=heads[:1] if known else heads)


def _is_known(table: Table) -> bool:
    """Tell whether all samples agree in every share."""
    return bool((table["lower_90"] == table["upper_90"]).all())


def _words(row: Row) -> tuple[str, str]:
    """Name the stock and the use, of a quantity that is called after both: `chips: inference`."""
    of, _, use = row["label"].rpartition(": ")
    return of, use


def allocation_figures(run: Run, options: FigureOptions) -> list[Figure]:
    """Draw who uses the stocks of a run; `quantities` chooses among them by their names."""
    table = allocation_table(run)
    if not table:
        raise NothingToDraw(
            "allocation: this run shares out no stock, so there is nothing to draw. "
            "Add allocation: to its scenario (uses with their shares) and run it again."
        )
    known = list(dict.fromkeys(table["stock"].tolist()))
    chosen = [asked.removeprefix("quantity_").replace("_", "-") for asked in options.quantities] or known
    if wrong := next((each for each in chosen if each not in known), ""):
        raise InputError(f"allocation: {wrong}: no such stock is shared out in this run. {near_or_all(wrong, known)}")
    summary = group(run, "summary")
    years = summary["year"].values[drawn_years(summary, options.years)]
    table = table.where(np.isin(table["stock"], chosen) & np.isin(table["year"], years))
    sums = [100.0 * float(own["median"].sum()) for _, own in table.groups("stock", "year")]
    low, high = (f"{each:.0f}" for each in (min(sums), max(sums)))
    said = [_said(own) for _, own in table.where(year=years[-1]).groups("stock")]
    last = number(float(years[-1]))
    title = f"Shares in {last} of {said[0]}"
    between = f"{low} %" if low == high else f"{low} to {high} %"
    under = "Share of each use by year." if _is_known(table) else _UNDER.format(between)
    caption = f"Shares in {last}, in medians, of {'; of '.join(said)}. {under}"
    alt_text = f"Stacked areas of shares by year, {number(float(years[0]))} to {last}. {title}."
    return [
        Figure("allocation", draw_allocation(table, head=run_head(run, title, under)), {"": table}, caption, alt_text)
    ]


def _said(table: Table) -> str:
    """Say who uses a stock in the year of a table."""
    uses = [f"{percent(row['median'])} {_words(row)[1]}" for row in table.rows()]
    return f"{_words(table.rows()[0])[0]}: {listed(uses)}"
