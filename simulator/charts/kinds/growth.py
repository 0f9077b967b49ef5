"""The growth of effective compute by driver and factor, and what limits take away."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np

from simulator.charts import layout, spec, style
from simulator.charts.frame import check_numbers, check_years
from simulator.charts.reading import drawn_years, run_head
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.errors import number
from simulator.runs.groups import Run, group
from simulator.runs.growth_by_driver import mean_contributions
from simulator.runs.table import Row, Table
from simulator.wording import capital, listed, signed

HEIGHT = 400.0
LEAST_SHARE = 0.05
"""OOM of net growth below which shares of it say nothing."""
FILLS = {
    "growth": (
        (style.BLUE, 0.85), (style.BLUE, 0.35), (style.DARK_BLUE, 0.9), (style.BLUE, 0.18),
        (style.DARK_BLUE, 0.55), (style.QUIET, 0.4),
    ),
    "limits": ((style.VERMILION, 0.9), (style.VERMILION, 0.4), (style.VERMILION, 0.65), (style.QUIET, 0.3)),
}  # fmt: skip


def ooms(value: float) -> str:
    """Write orders of magnitude with their sign.

    >>> ooms(4.44), ooms(-2.31), ooms(0.001), ooms(-0.02)
    ('+4.4', '−2.3', '0.0', '−0.02')
    """
    if abs(value) < 0.005:
        return "0.0"
    return signed(value, digits=1 if abs(value) >= 0.1 else 2)


def draw_growth(parts: Table, *, net: Table, head: Head) -> spec.Spec:
    """Stack the parts of growth (`part`, `label`, `kind`, `year`, `value`, OOM) and draw their sum over them.

    The sum has `year` and `value`.
    """
    check_years(net, of="net")
    check_numbers(net, "value", of="net")
    check_numbers(parts, "year", "value", of="parts")
    years, total = net["year"].tolist(), net["value"].tolist()
    fills = {kind: cycle(choice) for kind, choice in FILLS.items()}
    telling = total[-1] > LEAST_SHARE

    def texts(value: float) -> tuple[str, ...]:
        return (ooms(value), f"{100 * value / total[-1]:.0f} %".replace("-", "−")) if telling else (ooms(value),)

    stack = []
    for (_, name, kind), own in parts.groups("part", "label", "kind"):
        known = dict(zip(own["year"].tolist(), own["value"].tolist(), strict=True))
        values = [known.get(year, 0.0) for year in years]
        lines = tuple(style.wrapped(name, width=layout.NAME_CHARACTERS))
        stack.append(layout.StackPart(values, layout.fill_mark(*next(fills[kind])), texts(values[-1]), lines))
    ups, downs = (np.clip([part.values for part in stack], *ends).sum(axis=0) for ends in ((0, None), (None, 0)))
    lower, upper = min(*downs.tolist(), *total), max(*ups.tolist(), *total)
    spare = max(0.0, 0.1 - (upper - lower)) + 0.03 * (upper - lower)
    ends = lower - (spare if lower < 0 else 0.0), upper + spare
    # The line of the sum has a rim that sets it apart from every fill.
    zero: spec.Data = [{"year": years[0], "to": years[-1], "value": 0.0}]
    along, up = layout.year_channel(years), layout.amount_channel("value", ends)
    over = [spec.layer(zero, along, spec.x2("to"), up, mark=layout.rule_mark(style.INK, 1))]
    lines_of_sum = (layout.line_mark(style.PAPER, 5.5), layout.line_mark(style.INK, 2.5))
    over += [spec.layer(net.rows(), along, up, mark=mark) for mark in lines_of_sum]
    whole = layout.EndLabel(total[-1], texts(total[-1]), ("effective compute",), bold=True)
    view = layout.stacked_view(
        stack, years=years, least=HEIGHT, heading=f"mean growth since {number(years[0])}, OOM",
        heads=("OOM", "share") if telling else ("OOM",), after=f"of the growth by {number(years[-1])}", ends=ends,
        over=over, more=[whole],
    )  # fmt: skip
    return layout.sheet([view], head, x=-layout.GUTTER, width=layout.GUTTER + layout.LABEL_X + 2 * layout.COLUMN + 200)


def growth_figures(run: Run, options: FigureOptions) -> list[Figure]:
    """Draw what each driver and factor adds to the growth of effective compute, and what limits take away.

    Means over the samples, for they add up; since the first year that is drawn.
    """
    parts, net = growth_tables(run, years=options.years)
    first, last, total = net["year"][0], net["year"][-1], float(net["value"][-1])
    final = parts.where(year=last)
    demanded, taken = (final.where(kind=kind).rows() for kind in ("growth", "limits"))
    loss = sum(row["value"] for row in taken)
    verb = "grows" if total >= 0 else "shrinks"
    title = f"Effective compute {verb} by {abs(total):.1f} OOM from {number(first)} to {number(last)}"
    if taken:
        wanted = sum(row["value"] for row in demanded)
        share = f"take {-loss:.1f} of {wanted:.1f} OOM" if loss <= 0 else f"give back {loss:.1f} OOM"
        title += f"; limits {share}"
    elif len(demanded) > 1 and total > 0:
        most = max(demanded, key=lambda row: float(row["value"]))
        title += f", {100 * most['value'] / total:.0f} % of it from {most['label']}"
    caption = (
        f"{title}. Demanded by growth alone: {_amounts(demanded)}. "
        + (f"{capital(_amounts(taken))}. " if taken else "")
        + "The parts are means over the samples, in OOM (factors of ten), which add up; medians do not."
    )
    below = "; below zero, what limits take away" if taken else ""
    alt_text = (
        f"Stacked area chart with a line. Along: years {number(first)} to {number(last)}. "
        f"Up: mean growth since {number(first)}, in OOM{below}. "
        f"The line, the sum of all parts, ends at {ooms(total)} OOM."
    )
    under = "Means over the samples, which add up; an OOM is a factor of ten."
    chart = draw_growth(parts, net=net, head=run_head(run, title, under))
    return [Figure("growth", chart, {"": parts, "net": net}, caption, alt_text)]


def growth_tables(run: Run, *, years: tuple[float, float] | None) -> tuple[Table, Table]:
    """Tabulate the parts of the mean growth since the first drawn year, and their sum; OOM."""
    summary = group(run, "summary")
    places = drawn_years(summary, years)
    parts = mean_contributions(run).isel(year=places)
    parts = parts - parts.isel(year=0, drop=True)
    every = parts["year"].values
    columns = {name: np.repeat(parts[name].values, every.size) for name in ("part", "label", "kind")}
    columns |= {"year": np.tile(every, parts.sizes["part"]), "value": parts.values.ravel()}
    mean = summary["effective_compute_mean"].values[places]
    return Table(columns), Table({"year": every, "value": mean - mean[0]})


def _amounts(rows: Sequence[Row]) -> str:
    return listed([f"{row['label']} {ooms(row['value'])}" for row in rows])
