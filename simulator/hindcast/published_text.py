"""Published numbers beside those of the tool, in lines: quantiles side by side, and what is printed."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, groupby
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, ClassVar

from simulator.engine.workers import Workers, side_by_side, submitted
from simulator.files import make_folder, write_text
from simulator.hindcast.published import (
    SAMPLES,
    Published,
    Reproduced,
    load_published,
    published_names,
    published_results,
    result_table,
)
from simulator.runs.result import Result
from simulator.runs.table import Table, value_or_none
from simulator.wording import WIDTH, aligned, markdown_table

if TYPE_CHECKING:
    import xarray as xr

LARGE = 1e6
_UNITS = {"J/s": "W", "1": ""}

type Results = Sequence[Reproduced]


_COLUMNS = ("year", "quantiles", "published", "recomputed", "tool", "difference", "tolerance", "holds")


@dataclass(frozen=True, slots=True)
class Line:
    """The results of one quantity in one year or case: its quantiles, side by side, as texts.

    Of `cells`, `year` may be two, and is empty for a crossing year; `quantiles` is empty where there is the median
    alone. In `published` a dash stands for a quantile that was not; `recomputed` is what the source's inputs give
    without the tool, `difference` the tool less what it is held against; `holds` is yes, NO, or shown where there is
    nothing to hold it against.
    """

    what: str
    case: str
    results: tuple[Reproduced, ...]
    digits: int
    cells: Mapping[str, str]

    @property
    def name(self) -> str:
        """What the line is of, with the case and a note."""
        return "; ".join(filter(None, [", ".join(filter(None, [self.what, self.case])), self.results[0].target.note]))


def _line(what: str, case: str, results: tuple[Reproduced, ...], digits: int) -> Line:
    first, targets = results[0].target, [result.target for result in results]
    large = any(LARGE <= abs(result.value) < math.inf for result in results)

    def said(value: float) -> str:
        if value == math.inf:
            return f"> {results[0].last_year:g}"
        if first.unit == "year":
            return f"{value:.{digits}f}"
        return _plain(f"{value:.4g}") if large else f"{value:,.{digits}f}"

    def joined(values: Sequence[float | None], write: Callable[[float], str] = said) -> str:
        told = ["-" if value is None else write(value) for value in values]
        return " / ".join(told) if set(told) - {"-"} else ""

    year = "" if first.year is None else f"{first.year:g}"
    levels = [f"{100 * target.quantile:g}" for target in targets]
    off = [value_or_none(each.difference) for each in results]
    allowed = [_plain(f"{target.tolerance:g}") for target in targets if target.tolerance is not None]
    held = _held(results)
    cells = {
        "year": year if first.since is None else f"{first.since:g} to {year}",
        "quantiles": "" if levels == ["50"] else f"{' / '.join(levels)} %",
        "published": joined([target.published for target in targets]),
        "recomputed": joined([target.recomputed for target in targets]),
        "tool": joined([result.value for result in results]),
        "difference": joined(off, partial(signed, digits=0 if large else digits, large=large)),
        "tolerance": allowed[0] if len(set(allowed)) == 1 else " / ".join(allowed),
        "holds": ("yes" if all(each.within for each in held) else "NO") if held else "shown",
    }
    return Line(what, case, results, digits, cells)


def _held(results: Iterable[Reproduced]) -> list[Reproduced]:
    """Leave out results that are held against nothing."""
    return [result for result in results if result.within is not None]


def _plain(text: str) -> str:
    return re.sub(r"e\+?0*(\d)", r"e\1", text)


def signed(value: float, digits: int, *, large: bool = False) -> str:
    """Write a difference with its sign; nothing where it rounds to nothing."""
    text = _plain(f"{value:+.1g}") if large else f"{value:+,.{digits}f}"
    return text if float(text.replace(",", "")) else text[1:]


def result_lines(results: Results) -> list[Line]:
    """Gather results that differ in their quantile alone, in their order; cases that come out alike are joined."""
    lines: list[Line] = []
    for (what, case, *_), gathered in groupby(results, key=_key):
        in_order = tuple(sorted(gathered, key=lambda result: result.target.quantile))
        line = _line(what, case, in_order, _digits(what, results))
        before = lines[-1] if lines else None
        if before and case and before.case and _without_case(before) == _without_case(line):
            line = replace(line, case=f"{before.case.partition(' to ')[0]} to {case}")
            lines.pop()
        lines.append(line)
    return lines


def _key(result: Reproduced) -> tuple[str, str, float | None, float | None, str]:
    target = result.target
    return _what(result), target.case or target.variant, target.since, target.year, target.note


def _what(result: Reproduced) -> str:
    """Name a quantity with its unit."""
    unit = result.target.unit
    if unit.startswith("log10("):
        unit = f"log10 {_UNITS.get(unit[6:-1], unit[6:-1])}".rstrip()
    return result.what if unit in ("1", "factor", "fraction") else f"{result.what} ({unit})"


def _without_case(line: Line) -> tuple[str, ...]:
    return line.what, *(text for key, text in line.cells.items() if key != "difference")


def _digits(what: str, results: Results) -> int:
    """Take the decimals of the stated numbers; of a log10 two, of a year at least one unless it must be met exactly."""
    targets = [result.target for result in results if _what(result) == what]
    unit = targets[0].unit
    if unit.startswith("log10("):
        return 2
    stated = [each for target in targets for each in (target.published, target.recomputed) if each is not None]
    digits = max((_decimals(each) for each in stated), default=1 if unit == "factor" else 0)
    exact = all(target.tolerance == 0 for target in targets)
    return max(digits, 1) if unit == "year" and not exact else digits


def _decimals(value: float) -> int:
    text = repr(value)
    return 0 if "e" in text or "inf" in text or text.endswith(".0") else len(text.partition(".")[2])


def published_lines(published: Published, results: Results) -> Iterator[str]:
    """Say in lines what was assumed and published, what the tool gives, the difference, and whether it holds."""
    yield f"{published.title} ({published.scenario})"
    yield from textwrap.wrap(published.assumed, WIDTH, initial_indent="  ", subsequent_indent="  ")
    rows = []
    for line in result_lines(results):
        year, levels, *others = line.cells.values()
        rows.append([line.name, ", ".join(filter(None, [year, levels])), *others])
    filled = _filled(["", "", *_COLUMNS[2:]], rows)
    yield from aligned(filled, keys=filled[0].count(""))
    yield f"  {_tally(results)}"


def _filled(head: list[str], rows: list[list[str]]) -> list[list[str]]:
    """Leave out the columns that would be empty."""
    kept = [column for column in range(len(head)) if any(row[column] for row in rows)]
    return [[row[column] for column in kept] for row in [head, *rows]]


def _tally(results: Results) -> str:
    held = _held(results)
    more = len(results) - len(held)
    shown = f"; {more} more shown, with nothing to hold them against" if more else ""
    return f"{_met(held)} numbers within their tolerance{shown}"


def _met(held: Results) -> str:
    return f"{sum(each.within is True for each in held)} of {len(held)}"


WIDE = 3
"""Years from which on a table has a column for each."""

_HEAD = f"""\
Each of these forecasts is a scenario file that `simulate` runs like any other, fed with what its authors assumed.
The tables say what was published, what the tool gives, and how far apart they are. A scenario in which anything is
uncertain is run with {SAMPLES:,} samples. *Recomputed* is what the source's inputs give when they are computed again
without the tool. Where it stands the tool is held against it, since a published number may be rounded, or may not
follow from the inputs. A number that is held against nothing is only *shown*. Several numbers in a cell are quantiles
among the samples. *Furthest* is the largest difference of a row in relation to its tolerance, of which it stands.
The table says of each source whether it holds; the section that it leads to has its numbers, to be looked up."""

_TAIL = """\
## What is not here

Halving times of algorithms (8 months; 5 to 14; 2 to 22) as yearly factors are conversions of units, and are no
scenarios: tests hold them. Nothing on this page says that a forecast is right: it says that the tool computes what its
authors computed. How such forecasts would have done is in [hindcast.md](hindcast.md).
"""


def published_page(found: Sequence[tuple[Published, Results]], *, command: str) -> str:
    """Write the page that documents published forecasts, a section for each."""
    parts = ["# Published forecasts, and what the tool gives", f"Written by `{command}`.", _HEAD]
    told = ((published, _held(results)) for published, results in found)
    rows = (
        [f"[{source.title}](#{_anchor(source.title)})", f"`{source.scenario}`", _met(held), _furthest(held)]
        for source, held in told
    )
    parts.append(markdown_table(["source", "scenario", "within tolerance", "furthest, in tolerances"], rows))
    for published, results in found:
        parts += _section(published, results)
    return "\n\n".join([*parts, _TAIL])


def _anchor(title: str) -> str:
    """Name the heading of a section as GitHub and the site do."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _furthest(held: Results) -> str:
    if not held:
        return ""
    ratios = [abs(each.difference) / each.target.tolerance for each in held if each.target.tolerance]
    return f"{max(ratios):.1f}" if ratios else "exact"


def _section(published: Published, results: Results) -> Iterator[str]:
    yield f"## {published.title}"
    yield f"`simulate {published.scenario}`. **Assumed:** {published.assumed}"
    wide, rest = _split(result_lines(results))
    if wide:
        yield "\n".join(_wide_table(wide))
    if rest:
        head, *rows = _filled(["", *_COLUMNS], [[line.name, *line.cells.values()] for line in rest])
        yield markdown_table(head, rows)
    if published.found:
        yield f"**Found:** {published.found}"
    yield f"**Not reproduced, or not published:** {published.missing or 'nothing.'}"


def _split(lines: list[Line]) -> tuple[list[list[Line]], list[Line]]:
    """Part the lines of quantities with many years, gathered by quantity, from the others."""
    gathered: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        gathered.setdefault((line.what, line.case), []).append(line)

    def is_wide(group: list[Line]) -> bool:
        return len(group) >= WIDE and all(line.results[0].target.since is None and line.cells["year"] for line in group)

    wide = [group for group in gathered.values() if is_wide(group)]
    return wide, [line for line in lines if gathered[line.what, line.case] not in wide]


def _wide_table(groups: list[list[Line]]) -> Iterator[str]:
    """Write a column for each year, and for each quantity a row of what was said and one of what the tool gives."""
    dates = {line.cells["year"]: line.results[0].target.year or 0.0 for group in groups for line in group}
    years = sorted(dates, key=dates.__getitem__)
    yield f"| | | {' | '.join(years)} | furthest |"
    yield f"|---|---|{'---|' * len(years)}---|"
    for group in groups:
        by_year = {line.cells["year"]: line.cells for line in group}
        named = ", ".join(filter(None, [group[0].name, group[0].cells["quantiles"]]))
        for kind in ("published", "recomputed", "tool"):
            row = [by_year[year][kind] if year in by_year else "" for year in years]
            if any(row):
                yield f"| {named} | {kind} | {' | '.join(row)} | {_verdict(group) if kind == 'tool' else ''} |"
                named = ""


def _verdict(group: list[Line]) -> str:
    """Say by how much a row is furthest from what it is held against, and what is allowed there."""
    held = _held(chain.from_iterable(line.results for line in group))
    if not held:
        return "shown"
    worst = max(held, key=lambda each: abs(each.difference) / (each.target.tolerance or 1))
    outside = "" if all(each.within for each in held) else ", NOT HELD"
    large = abs(worst.target.expected or 0.0) >= LARGE
    return f"{signed(worst.difference, max(group[0].digits, 1), large=large)} of {worst.target.tolerance:g}{outside}"


@dataclass(frozen=True, repr=False)
class Reproduction(Result):
    """What the tool gives for published numbers: of each source what it says, and a result for each number."""

    kind: ClassVar[str] = "published"
    folder_name: ClassVar[str] = "published"

    found: tuple[tuple[Published, tuple[Reproduced, ...]], ...]

    def tables(self) -> dict[str, Table]:
        """Give a row for each number."""
        return {"published": result_table(self.found)}

    @property
    def dataset(self) -> xr.Dataset:
        """The columns of the table along `row`."""
        table = self.tables()["published"]
        return table.with_columns({"row": range(len(table))}).to_dataset("row")

    def lines(self) -> list[str]:
        """Say of each source what was published and what the tool gives."""
        return [line for published, results in self.found for line in published_lines(published, results)]

    @property
    def holds(self) -> bool:
        """Whether every number lies within its tolerance."""
        return all(result.within is not False for _, results in self.found for result in results)


def reproduce_published(
    names: Sequence[str] = (), *, say: Callable[[Sequence[str]], None] | None = None, workers: Workers = 1
) -> Reproduction:
    """Run published forecasts from what their authors assumed, and compare with what they published.

    Each number is read off a run of its scenario, 20,000 samples where anything in it is uncertain. It holds where
    the tool is off what was published by at most the tolerance that its file states, in its unit; see
    `simulator.hindcast.published`.

    Parameters
    ----------
    names : sequence of str
        Shipped scenarios that have published numbers beside them, with `published/` before the name or not, or
        scenario files that have; all that are shipped without one.
    say : function of lines, optional
        Is told the lines of each source as soon as it is done.
    workers : int or concurrent.futures.Executor
        Sources that are run side by side; an executor has to find the files of those that are not shipped.

    Returns
    -------
    Reproduction
        In the order of the sources' dates, with its `lines()` and `tables()`.

    Raises
    ------
    InputError
        There is no such scenario, or it has no published numbers; a row names what its run does not have.
    ScenarioError
        A file of numbers has faults: all of them.

    Examples
    --------
    >>> reproduce_published(["cottier-2024"]).tables()["published"]["tool"].round(2).tolist()
    [2026.88]
    """
    sources = sorted(map(load_published, names or published_names()), key=lambda each: (each.date, each.scenario))
    found = []
    done = side_by_side(
        sources,
        workers=workers,
        here=published_results,
        there=lambda pool, source: submitted(pool, published_results, source),
    )
    for source, results in done:
        found.append((source, results))
        if say is not None:
            say(list(published_lines(source, results)))
    return Reproduction(tuple(found))


def write_published_page(path: FilePath, found: Reproduction, names: Sequence[str] = ()) -> None:
    """Write the page of published forecasts, of those named or all, with the command that writes it again."""
    command = " ".join(["simulate published", *names, f"--document {path}"])
    make_folder(path.parent)
    write_text(path, published_page(found.found, command=command))
