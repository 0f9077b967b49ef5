"""The page that documents published forecasts: what was assumed, what was published, what the tool gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulator.published import Published
from simulator.published_runs import SAMPLES, Result
from simulator.published_text import Line, cells, result_lines, signed

WIDE = 3
"""Years from which on a table has a column for each."""

type Results = Sequence[Result]

_HEAD = f"""\
Each of these forecasts is a scenario file that `simulate` runs like any other, fed with what its authors assumed.
The tables say what was published, what the tool gives, and how far apart they are. A scenario in which anything is
uncertain is run with {SAMPLES:,} samples. *Recomputed* is what the source's inputs give when they are computed again
without the tool. Where it stands the tool is held against it, since a published number may be rounded, or may not
follow from the inputs. A number that is held against nothing is only *shown*. Several numbers in a cell are quantiles
among the samples. *Furthest* is the largest difference of a row in relation to its tolerance, of which it stands.
"""

_TAIL = """\
## What is not here

Halving times of algorithms (8 months; 5 to 14; 2 to 22) as yearly factors are conversions of units, and are no
scenarios: tests hold them. Nothing on this page says that a forecast is right: it says that the tool computes what its
authors computed. How such forecasts would have done is in [hindcast.md](hindcast.md).
"""


def published_page(found: Sequence[tuple[Published, Results]], *, command: str) -> str:
    """Write the page that documents published forecasts, a section for each.

    Parameters
    ----------
    found : sequence of (Published, sequence of Result)
    command : str
        The command that writes the page.

    Returns
    -------
    str, Markdown
    """
    parts = ["# Published forecasts, and what the tool gives", "", f"Written by `{command}`.", "", _HEAD]
    parts += ["| source | scenario | within tolerance | furthest, in tolerances |", "|---|---|---|---|"]
    for published, results in found:
        held = [result for result in results if result.within is not None]
        met = sum(result.within is True for result in held)
        parts.append(f"| {published.title} | `{published.scenario}` | {met} of {len(held)} | {_furthest(held)} |")
    for published, results in found:
        parts += ["", *_section(published, results)]
    return "\n".join([*parts, "", _TAIL])


def _furthest(held: Results) -> str:
    if not held:
        return ""
    ratios = [abs(each.difference) / each.target.tolerance for each in held if each.target.tolerance]
    return f"{max(ratios):.1f}" if ratios else "exact"


def _section(published: Published, results: Results) -> Iterator[str]:
    yield f"## {published.title}"
    yield ""
    yield f"`simulate {published.scenario}`. **Assumed:** {published.assumed}"
    yield ""
    wide, rest = _split(result_lines(results))
    if wide:
        yield from _wide_table(wide)
        yield ""
    if rest:
        yield from _long_table(rest)
        yield ""
    if published.found:
        yield f"**Found:** {published.found}"
        yield ""
    yield f"**Not reproduced, or not published:** {published.missing or 'nothing.'}"


def _split(lines: list[Line]) -> tuple[list[list[Line]], list[Line]]:
    """Part the lines of quantities with many years, gathered by quantity, from the others."""
    gathered: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        gathered.setdefault((line.what, line.case), []).append(line)
    wide = [
        group
        for group in gathered.values()
        if len(group) >= WIDE and all(line.results[0].target.since is None and line.year for line in group)
    ]
    taken = {id(line) for group in wide for line in group}
    return wide, [line for line in lines if id(line) not in taken]


def _wide_table(groups: list[list[Line]]) -> Iterator[str]:
    """Write a column for each year, and for each quantity a row of what was said and one of what the tool gives."""
    years = list(dict.fromkeys(line.year for group in groups for line in group))
    yield f"| | | {' | '.join(years)} | furthest |"
    yield f"|---|---|{'---|' * len(years)}---|"
    for group in groups:
        by_year = {line.year: line for line in group}
        kinds = ("published", "recomputed", "tool")
        rows = {kind: [getattr(by_year[year], kind) if year in by_year else "" for year in years] for kind in kinds}
        stated = [kind for kind in kinds if any(rows[kind])]
        for kind in stated:
            levels = group[0].levels
            named = f"{group[0].name}{f', {levels}' if levels else ''}" if kind == stated[0] else ""
            last = _verdict(group) if kind == "tool" else ""
            yield f"| {named} | {kind} | {' | '.join(rows[kind])} | {last} |"


def _verdict(group: list[Line]) -> str:
    """Say by how much a row is furthest from what it is held against, and what is allowed there."""
    held = [result for line in group for result in line.results if result.within is not None]
    if not held:
        return "shown"
    worst = max(held, key=lambda each: abs(each.difference) / (each.target.tolerance or 1))
    outside = "" if all(each.within for each in held) else ", NOT HELD"
    return f"{signed(worst.difference, max(group[0].digits, 1))} of {worst.target.tolerance:g}{outside}"


def _long_table(lines: list[Line]) -> Iterator[str]:
    """Write a row for each line, and no column that would be empty."""
    head = ["", "year", "quantiles", "published", "recomputed", "tool", "difference", "tolerance", "holds"]
    rows = [[line.name, line.year, line.levels, *cells(line)] for line in lines]
    shown = [column for column in range(len(head)) if any(row[column] for row in rows)]
    yield f"| {' | '.join(head[column] for column in shown)} |"
    yield f"|{'---|' * len(shown)}"
    for row in rows:
        yield f"| {' | '.join(row[column] for column in shown)} |"
