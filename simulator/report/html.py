"""The parts of an HTML page: escaped text, links, badges, bars and tables."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Container, Iterable, Sequence
from pathlib import Path as FilePath
from typing import Any
from urllib.parse import quote, urlsplit

from simulator.charts.spec import Figure
from simulator.charts.style import AXIS, BLUE, DARK, HAIR, INK, PAPER, QUIET, VERMILION, band_tints
from simulator.charts.writing import svg_text
from simulator.errors import number
from simulator.runs.table import Row, Table
from simulator.wording import capital, harmless

MOST_ROWS = 80
"""Rows of a table on the page; a longer one is thinned."""

_SUPERSCRIPT = re.compile("[⁻⁰¹²³⁴-⁹]+")
_UNBROKEN = re.compile(r"(?<=\d) (?=%|× 10|OOM\b|[mb]illion\b|trillion\b)|(?<=×) (?=10)")
"""The spaces at which no line should end."""
_PLAIN = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "−0123456789")


class Html(str):
    """Text that is HTML already. Any other is escaped by `text` where it is set into an element."""

    __slots__ = ()

    def __html__(self) -> str:
        """Say that it is, as templates and tables ask."""
        return str(self)


def text(words: object) -> Html:
    """Show words as text, whatever they hold; raised digits become superscripts, and numbers keep their units."""
    if isinstance(words, Html):
        return words
    escaped = _UNBROKEN.sub("\u00a0", html.escape(str(words)))
    return Html(_SUPERSCRIPT.sub(lambda match: f"<sup>{match[0].translate(_PLAIN)}</sup>", escaped))


def name(words: object) -> Html:
    """Show a name, letter by letter, in its own direction of writing, so that it cannot turn what stands around it."""
    return Html(f"<bdi>{html.escape(str(words))}</bdi>")


def joined(parts: Iterable[str], between: str = "") -> Html:
    """Set parts one after another."""
    return Html(between.join(map(text, parts)))


def element(tag: str, *content: str, **attributes: str) -> Html:
    """Make an element; `class_` is its class, an underscore in an attribute's name a dash; empty ones are left out."""
    stated = {key.rstrip("_").replace("_", "-"): html.escape(value) for key, value in attributes.items() if value}
    said = "".join(f' {key}="{value}"' for key, value in stated.items())
    return Html(f"<{tag}{said}>{joined(content)}</{tag}>")


def link(words: str, *, url: str = "", doi: str = "") -> Html:
    """Link words to a page of the web; words alone where there is no address that a browser may follow."""
    target = address(url=url, doi=doi)
    return element("a", name(words), href=target, rel="noopener noreferrer") if target else name(words)


def address(*, url: str = "", doi: str = "") -> str:
    """Give the address of a source on the web; empty where it has none, or one that is no web address."""
    if url:
        try:
            parts = urlsplit(url.strip())
        except ValueError:
            return ""
        return url.strip() if parts.scheme in ("http", "https") and parts.netloc else ""
    bare = re.sub(r"^(https?://(dx\.)?doi\.org/|doi:)", "", doi.strip())
    return f"https://doi.org/{quote(bare, safe='/():;._-')}" if bare.startswith("10.") else ""


def badge(words: str, kind: str) -> Html:
    """Mark something with a word in a frame."""
    return element("span", words, class_=f"badge {kind}")


def bar(share: float, *, signed: bool = False) -> Html:
    """Draw a bar: from the left, or from the middle with negative ones to the left."""
    width = min(abs(share), 1.0) * (50.0 if signed else 100.0)
    left = (50.0 if share >= 0 else 50.0 - width) if signed else 0.0
    kind = "loss" if share < 0 else "gain"
    inner = element("span", class_=kind, style=f"left:{left:.1f}%;width:{width:.1f}%")
    return element("span", inner, class_="bar signed" if signed else "bar", aria_hidden="true")


def range_bar(low: float, middle: float, high: float) -> Html:
    """Draw an interval and its median, as shares of the whole width."""
    span = element("span", class_="range", style=f"left:{100 * low:.1f}%;width:{max(100 * (high - low), 0.5):.1f}%")
    dot = element("span", class_="dot", style=f"left:{100 * middle:.1f}%")
    return element("span", span, dot, class_="bar interval", aria_hidden="true")


def path_name(path: str) -> Html:
    """Show the path of an entry, which may be broken at its dots."""
    return element("code", Html(name(path).replace(".", ".<wbr>")), class_="origin")


def paragraphs(lines: Iterable[str]) -> Html:
    """Set texts as paragraphs."""
    return joined((element("p", line) for line in lines), "\n")


def bullets(items: Iterable[str]) -> Html:
    """Set items as a list."""
    return element("ul", joined((element("li", item) for item in items), "\n"))


def terms(pairs: Iterable[tuple[str, str]]) -> Html:
    """Set words and what they mean as a list of definitions."""
    rows = (element("div", element("dt", name(word)), element("dd", meaning)) for word, meaning in pairs)
    return element("dl", joined(rows, "\n"))


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    caption: str,
    numbers: Container[int] = (),
    stacked: bool = False,
) -> Html:
    """Set cells as a table in a box of its own; `numbers` are the places of the columns that hold numbers."""
    named = {str(place): text(head) for place, head in enumerate(heads)}
    cells = Table.of_rows((dict(zip(named, map(text, row), strict=True)) for row in rows), [*named])
    whole = cells.to_html(
        heads=named,
        caption=element("span", caption),
        numbers=[str(place) for place in range(len(named)) if place in numbers],
        class_="stacked" if stacked else "",
    )
    return element("div", Html(whole), class_="scroll", role="region", tabindex="0", aria_label=caption)


def data_table(rows: Sequence[Row], *, caption: str, leave: Sequence[str] = ()) -> Html:
    """Show the table of a chart: series side by side, at most `MOST_ROWS` rows, columns that say nothing left out."""
    kept = [{key: value for key, value in row.items() if key not in leave} for row in rows]
    wide = _side_by_side(kept)
    same = {
        key: str(wide[0][key])
        for key in wide[0]
        if len(wide) > 1 and isinstance(wide[0][key], str) and len({str(row.get(key)) for row in wide}) == 1
    }
    every = -(-len(wide) // MOST_ROWS)
    shown = wide[::every] if every > 1 else wide
    notes = [", ".join(f"{key.replace('_', ' ')} {value}" for key, value in same.items())] if same else []
    notes += [f"one row in {every}"] if every > 1 else []
    keys = [key for key in dict.fromkeys(key for row in wide for key in row) if key not in same]
    cells = [[name(_shown(row, key)) for key in keys] for row in shown]
    numbers = [
        place for place, key in enumerate(keys) if all(isinstance(row.get(key), int | float | None) for row in wide)
    ]
    full = f"{caption} ({'; '.join(notes)})" if notes else caption
    return table([key.replace("_", " ") for key in keys], cells, caption=full, numbers=numbers)


def _side_by_side(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Give a table over years and series one row for each year, and each series a column."""
    first = rows[0]
    texts = [key for key in first if isinstance(first[key], str) and len({str(row[key]) for row in rows}) > 1]
    values = [key for key in first if key != "year" and not isinstance(first[key], str)]
    years = [row.get("year") for row in rows]
    if not texts or "year" not in first or not values or len(set(years)) == len(rows):
        return [dict(row) for row in rows]
    distinct = [key for key in texts if "label" not in texts or key not in ("part", "threshold", "kind")]
    wide: dict[object, dict[str, Any]] = {}
    for row in rows:
        series = ", ".join(str(row[key]) for key in distinct)
        at = wide.setdefault(row["year"], {"year": row["year"]})
        for value in values:
            at[series if len(values) == 1 else f"{series}: {value}"] = row[value]
    heads = dict.fromkeys(key for row in wide.values() for key in row)
    shared = [row for row in wide.values() if len(row) == len(heads)]
    # Where series have points of their own, as curves between the years, only years that all of them have are shown.
    chosen = shared if len(shared) > 1 else list(wide.values())
    return sorted(chosen, key=lambda row: row["year"])


def _shown(row: Row, key: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if math.isinf(value):
            late = row.get("horizon", row.get("last_year"))
            return f"> {number(late)}" if late is not None and value > 0 else "none"
        return number(value) if key == "year" else f"{value:.5g}"
    return str(value)


_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What the page may do: show what it holds, and load or run nothing."""

_BANDS = band_tints(3)
_ROLES = {
    "paper": PAPER, "ink": INK, "quiet": QUIET, "axis": AXIS, "hair": HAIR, "link": BLUE, "accent": VERMILION,
    "gain": _BANDS[2], "band": _BANDS[1], "wash": _BANDS[0],
}  # fmt: skip
_UNTABLED = ("density",)
"""Tables of charts that are no reading: points of curves."""
_SAID_BELOW = ("group", "understood", "library", "source", "confidence", "as_of", "fixed")
"""Columns of the tables of priors that the table of assumptions has."""


def page(title: str, *, head: Html, sections: Sequence[tuple[str, str, Html]], foot: str) -> str:
    """Write the page."""
    links = element("ul", *(element("li", element("a", name, href=f"#{key}")) for key, name, _ in sections))
    content = (
        element("section", element("h2", name, id=key), inner, aria_labelledby=key) for key, name, inner in sections
    )
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{html.escape(title)}</title>",
        f"<style>\n{_style()}</style>",
        "</head>",
        "<body>",
        '<a class="skip" href="#forecast">To the forecast</a>',
        element("header", head, element("nav", links, aria_label="Sections")),
        element("main", joined(content, "\n")),
        element("footer", foot),
        "</body>",
        "</html>",
    ]
    return harmless("\n".join(parts) + "\n")


def _style() -> str:
    """Write the style: the colours of the palette, light, and dark on screens that ask for it; then the layout."""
    light = " ".join(f"--{role}: {color};" for role, color in _ROLES.items())
    dark = " ".join(f"--{role}: {DARK[color]};" for role, color in _ROLES.items())
    charts = "\n".join(
        f'  .picture [fill="{color}"] {{ fill: {other}; }}\n  .picture [stroke="{color}"] {{ stroke: {other}; }}'
        for color, other in DARK.items()
    )
    sheet = (FilePath(__file__).parent / "report.css").read_text(encoding="utf-8")
    return (
        f":root {{ color-scheme: light dark; {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{\n  :root {{ {dark} }}\n{charts}\n}}\n{sheet}"
    )


def chart(figure: Figure) -> Html:
    """Show a chart: a heading, the picture with its text for those who do not see it, the caption, the numbers."""
    title = chart_title(figure.name)
    picture = Html(svg_text(figure.chart, alt_text=figure.alt_text))
    tables = {key: rows for key, rows in figure.tables.items() if rows}
    left_out = [key for key in tables if key in _UNTABLED]
    note = f" The points of the curves are in {figure.name}_{left_out[0]}.csv." if left_out else ""
    shown = (
        data_table(rows.rows(), caption=f"{title}{f', {key}' if key else ''}".replace("_", " "), leave=_SAID_BELOW)
        for key, rows in tables.items()
        if key not in _UNTABLED
    )
    scale = element("p", f"Levels are log10 of their unit; years are decimal.{note}", class_="quiet small")
    drawn = element(
        "figure",
        element("div", picture, class_="picture", role="group", tabindex="0", aria_label=title),
        element("span", "Swipe sideways to see the whole chart.", class_="quiet small swipe"),
        element("figcaption", figure.caption),
        element("details", element("summary", "The numbers of this chart"), *shown, scale),
    )
    return joined([element("h3", title), drawn], "\n")


def chart_title(key: str) -> str:
    """Say in words what the chart of a name shows."""
    titles = {
        "crossings": "When thresholds are crossed", "growth": "Where growth comes from",
        "binding": "Which limits bind, and when", "lead": "Who leads, and by how much",
        "ladder": "When each actor crosses thresholds", "allocation": "Who uses the stocks",
    }  # fmt: skip
    kind, _, subject = key.partition("_")
    about = subject.replace("_", " ")
    if key in titles:
        return titles[key]
    if kind == "fan":
        return f"{capital(about)} by year"
    if kind == "actors":
        return f"{capital(about)} by actor"
    if kind == "events":
        event, _, variable = subject.partition("_")
        return f"{capital(variable.replace('_', ' '))} with and without the event {event.replace('-', ' ')}"
    if kind == "demand":
        return f"Demand and limits: {about}"
    return f"The uncertain numbers, part {about}" if kind == "priors" else key.replace("_", " ")
