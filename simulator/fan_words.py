"""What fans say in words: titles, captions, and texts for those who do not see them."""

from __future__ import annotations

import math

from simulator.chart_strip import share_text
from simulator.errors import number
from simulator.fan_tables import Fan
from simulator.summary import PASSED
from simulator.words import listed


def capital(text: str) -> str:
    """Begin a sentence with a text."""
    return f"{text[0].upper()}{text[1:]}"


def first_year(fan: Fan) -> str:
    """Write the first year that is drawn."""
    return number(float(str(fan.tables.medians[0]["year"])))


def last_year(fan: Fan) -> str:
    """Write the last year that is drawn."""
    return number(float(str(fan.tables.medians[-1]["year"])))


def widest(fan: Fan) -> str:
    """Name the widest band."""
    return str(fan.tables.bands[0]["band"])


def final_level(fan: Fan, key: str) -> float:
    """Read the last median, or an end of the widest band in the last year."""
    if key == "median":
        return float(str(fan.tables.medians[-1]["median"]))
    rows = [row for row in fan.tables.bands if row["band"] == widest(fan)]
    return float(str(rows[-1][key]))


def final_range(fan: Fan) -> str:
    """Write the widest band in the last year."""
    if not fan.spread:
        return fan.said(final_level(fan, "median"))
    low, high = fan.said(final_level(fan, "lower")), fan.said(final_level(fan, "upper"))
    return low if low == high else f"{low.removesuffix(fan.unit).strip()} to {high}"


def panel_line(fan: Fan) -> str:
    """Say in a few words what one of several fans shows."""
    level = fan.said(final_level(fan, "median"))
    if not fan.spread:
        return f"{last_year(fan)}: {level}"
    return f"{last_year(fan)}: median {level}, {widest(fan)} {final_range(fan).removesuffix(fan.unit).strip()}"


def course(fan: Fan) -> str:
    """Say where the median begins and ends, and how wide the samples end."""
    first, last = float(str(fan.tables.medians[0]["median"])), final_level(fan, "median")
    verb = "stays near" if fan.said(first) == fan.said(last) else "rises from" if last > first else "falls from"
    course = f"{verb} {fan.said(first)} in {first_year(fan)}"
    if fan.said(first) != fan.said(last):
        course += f" to {fan.said(last)} in {last_year(fan)}"
    if not fan.spread:
        return f"{fan.label} {course}, without any spread"
    return f"the median of {fan.label} {course}; {widest(fan)} of the samples end at {final_range(fan)}"


def fan_caption(fan: Fan) -> str:
    """Say the fan and its crossings in three sentences.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> from simulator.fan_tables import read_fan
    >>> from simulator.figure import FigureOptions
    >>> fan = read_fan(simulate(load_scenario("essay-2023")), "spending", FigureOptions())
    >>> print(fan_caption(fan))
    Spending rises from 1,000 USD in 2012 to 1e11 USD in 2043, without any spread. It crosses $100 billion run in 2030.
    """
    sentences = [f"{capital(course(fan))}."]
    own = {row["threshold"] for row in fan.tables.thresholds if row["quantity"] == fan.quantity}
    rows = [row for row in fan.tables.crossings if row["threshold"] in own and float(str(row["already"])) < PASSED]
    crossed = [row for row in rows if math.isfinite(float(str(row["median"])))]
    late = [row for row in rows if row not in crossed]
    if crossed:
        said = [f"{row['label']} in {math.floor(float(str(row['median'])) + 1e-6)}" for row in crossed[:4]]
        sentences.append(f"{'The median crosses' if fan.spread else 'It crosses'} {listed(said)}.")
    if late:
        horizon = number(float(str(late[0]["last_year"])))
        said = [f"{row['label']} in {share_text(float(str(row['never'])))} of the samples" for row in late[:3]]
        sentences.append(f"Not crossed by {horizon}: {listed(said)}.")
    if fan.tables.history:
        named = ", labelled where there is room" if any(row["label"] for row in fan.tables.history) else ""
        sentences.append(f"Dots: runs that were observed ({len(fan.tables.history)}){named}.")
    if fan.tables.trend:
        sentences.append(f"Grey: the trend that was learnt of them, to {number(_trend_end(fan))}, with its 90 % band.")
    return " ".join(sentences)


def _trend_end(fan: Fan) -> float:
    return float(str(fan.tables.trend[-1]["year"]))


def fan_alt_text(fan: Fan) -> str:
    """Describe a fan to somebody who does not see it.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> from simulator.fan_tables import read_fan
    >>> from simulator.figure import FigureOptions
    >>> fan = read_fan(simulate(load_scenario("essay-2023")), "spending", FigureOptions())
    >>> for sentence in fan_alt_text(fan).split(". "):
    ...     print(sentence)
    Chart of one line: years from 2012 to 2043 along, spending in USD on a log scale up
    Spending rises from 1,000 USD in 2012 to 1e11 USD in 2043, without any spread
    Below, bars show the years in which a threshold is crossed.
    """
    scale = "on a log scale" if fan.log else "on a plain scale"
    unit = f" in {fan.unit}" if fan.unit else ""
    bands = list(dict.fromkeys(str(row["band"]) for row in reversed(fan.tables.bands)))
    drawn = f"Fan chart of a median and bands of {listed(bands)} of the samples" if bands else "Chart of one line"
    sentences = [
        f"{drawn}: years from {first_year(fan)} to {last_year(fan)} along, {fan.label}{unit} {scale} up.",
        f"{capital(course(fan))}.",
    ]
    extra = []
    if fan.tables.paths:
        extra.append(f"{len({row['path'] for row in fan.tables.paths})} thin lines are single samples")
    if fan.tables.history:
        extra.append(f"dots are observed runs ({len(fan.tables.history)})")
    if fan.tables.trend:
        extra.append(f"a grey band is the trend that was learnt of the past, to {number(_trend_end(fan))}")
    if extra:
        sentences.append(f"{capital(' and '.join(extra))}.")
    if fan.tables.crossings:
        count = len(fan.tables.crossings)
        crossed = "a threshold is crossed" if count == 1 else f"{count} thresholds are crossed"
        sentences.append(f"Below, bars show the years in which {crossed}.")
    return " ".join(sentences)
