"""Figures of swings: a tornado for each outcome."""

from __future__ import annotations

import math
from collections.abc import Sequence

import xarray as xr

from simulator.chart_swings import Axis, draw_swings
from simulator.figure import Figure, Row
from simulator.swings_text import censored_text, is_seen, outcome_text, rest_text, swing_text
from simulator.words import number_in

MOST = 14


def swing_figures(found: xr.Dataset, rows: Sequence[Row]) -> list[Figure]:
    """Draw the swings of each outcome; an outcome that is the same in all samples has no figure.

    Parameters
    ----------
    found : xarray.Dataset
        From `prior_swings`.
    rows : sequence of rows
        From `swing_table`.

    Examples
    --------
    >>> from simulator.scenario import load_scenario
    >>> from simulator.swings import prior_swings, swing_table
    >>> found = prior_swings(load_scenario("baseline"), mode="fixed")
    >>> [figure.name for figure in swing_figures(found, swing_table(found))][0]
    'swings_fixed_effective_compute_2035'
    """
    figures = []
    for outcome in found["outcome"].values.tolist():
        here = found.sel(outcome=outcome)
        own = [row for row in rows if row["outcome"] == outcome]
        if not int(here["constant"]) or _all_censored(own):
            figures.append(_figure(here, own))
    return figures


def _all_censored(rows: Sequence[Row]) -> bool:
    return all(math.isinf(number_in(row, key)) for row in rows for key in ("lower", "upper"))


def _figure(here: xr.Dataset, rows: Sequence[Row]) -> Figure:
    attrs, unit = here.attrs, str(here["unit"].values)
    last, base = float(attrs["last_year"]), float(here["base"])
    words = str(here["outcome_words"].values)
    moving = [row for row in rows if is_seen(row, unit)] or list(rows)
    drawn, rest = moving[:MOST], [row for row in rows if row not in moving[:MOST]]
    middle = outcome_text(base, unit=unit, last=last)
    title = f"{words[0].upper()}{words[1:]}{_finding(here, rows)}"
    size = f", {attrs['samples']:,} common draws" if attrs["mode"] == "free" else ""
    chart = draw_swings(
        drawn,
        title=title,
        subtitle=f"{attrs['title']}. One input at a time at its 10 % and its 90 % quantile, {attrs['mode_words']}.",
        heading=f"{words}{_unit(unit)}",
        axis=_axis(here),
        base=base,
        base_text=f"nothing moved: {middle}",
        years=(float(attrs["first_year"]), last),
        rest=rest_text(rest, unit),
        foot=[f"Swings {attrs['id']} · scenario {attrs['name']} · seed {attrs['seed']} · {attrs['mode_words']}{size}"],
    )
    said = "; ".join(
        f"{row['input_words']} ({row['lower_value']} to {row['upper_value']}): {_ends(row, unit, last)}"
        for row in drawn[:5]
    )
    caption = f"{title}. With nothing moved it is {middle}. The largest swings, {attrs['mode_words']}: {said}."
    if _all_censored(rows):
        caption = f"{title}. {censored_text(here)}"
    alt_text = (
        f"Tornado chart of {words}: two bars for each of {len(drawn)} inputs, from {middle} to what it is with the "
        f"input at its 10 and 90 % quantile, {attrs['mode_words']}. {title}."
    )
    name = "".join(letter if letter.isalnum() else "_" for letter in str(here["outcome"].values))
    return Figure(f"swings_{attrs['mode']}_{name}", chart, {"": rows}, caption, alt_text)


def _finding(here: xr.Dataset, rows: Sequence[Row]) -> str:
    """Say in a title what moves an outcome most."""
    unit, last = str(here["unit"].values), float(here.attrs["last_year"])
    if _all_censored(rows):
        return f" is later than {last:g} wherever an input is moved"
    if number_in(rows[0], "at_least") == 0.0:
        return ": no input moves it between its 10 % and its 90 % quantile"
    return f" is moved most by {rows[0]['input_words']}, {_ends(rows[0], unit, last)}"


def _ends(row: Row, unit: str, last: float) -> str:
    lower = outcome_text(number_in(row, "lower"), unit=unit, last=last, short=True)
    upper = outcome_text(number_in(row, "upper"), unit=unit, last=last)
    return f"from {lower} to {upper}" if row["swing"] is not None else swing_text(row)


def _axis(here: xr.Dataset) -> Axis:
    kind, unit = str(here["kind"].values), str(here["unit"].values)
    if kind == "level":
        return "log" if unit.startswith("log10(") else "plain"
    return "share" if kind == "crossed" else "year"


def _unit(unit: str) -> str:
    base = unit.removeprefix("log10(").removesuffix(")")
    return "" if base in ("1", "", "year") else f", {base}"
