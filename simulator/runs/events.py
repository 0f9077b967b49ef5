"""The events of a run: how likely each comes by the horizon, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.runs.estimates import INTERVAL
from simulator.runs.groups import Group, arrays, differing_samples, read_quantiles
from simulator.runs.table import Table
from simulator.wording import share_text, year_range, year_text

if TYPE_CHECKING:
    from xarray import DataTree


def event_table(run: Group | DataTree) -> Table:
    """Tabulate the events that have a name: the probability that each comes by the horizon, and its date where it does.

    Of the date the median and the 90 % interval, of its end the median. Without rows where a run has none.
    """
    summary = arrays(run, "summary")
    if "event_share" not in summary.data_vars:
        return Table({})
    names = [str(name) for name in summary.coords["event"].values]
    rows = [place for place, name in enumerate(names) if "." not in name]
    if not rows:
        return Table({})
    lower, median, upper = read_quantiles(summary, "event_date", INTERVAL).values()
    return Table(
        {
            "event": [names[place] for place in rows],
            "label": [str(summary.coords["begins"].values[place]) for place in rows],
            "probability": summary.data_vars["event_share"].values[rows],
            "standard_error": summary.data_vars["event_share_error"].values[rows],
            "median": median[rows],
            "lower": lower[rows],
            "upper": upper[rows],
            "until": read_quantiles(summary, "event_until")["median"][rows],
        }
    )


def event_lines(run: Group | DataTree) -> list[str]:
    """Say each event that has a name in a line."""
    first, last = (float(arrays(run, "summary").coords["year"].values[place]) for place in (0, -1))
    lines = []
    for row in event_table(run).rows():
        told = share_text(row["probability"], differing_samples(run), row["standard_error"])
        low, middle, high = row["lower"], row["median"], row["upper"]
        date = "" if middle == np.inf else f", in {year_text(middle, last, first)}"
        date += f" (90 % {year_range(low, high, last, first)})" if low < high < np.inf else ""
        lines.append(f"  {row['label']}: comes by {last:g} {told}{date}")
    return lines
