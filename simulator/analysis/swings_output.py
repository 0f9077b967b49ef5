"""Swings in words: numbers of outcomes, and the lines for the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, ClassVar

from simulator.analysis.inputs import level_text
from simulator.analysis.swings import SWINGS_FORMAT, Row, swing_table
from simulator.runs.netcdf import open_dataset
from simulator.runs.result import Result
from simulator.runs.table import Table
from simulator.wording import percent, plus_minus, year_text

if TYPE_CHECKING:
    import xarray as xr

MOST = 12


def outcome_text(value: float, *, unit: str, last: float, short: bool = False) -> str:
    """Write an outcome; a crossing that is not by the horizon as later than it.

    Examples
    --------
    >>> outcome_text(32.3, unit="log10(FLOP)", last=2045), outcome_text(math.inf, unit="year", last=2045)
    ('2.0e32 FLOP', '> 2045')
    >>> outcome_text(0.25, unit="1", last=2045, short=True), outcome_text(0.25, unit="1", last=2045)
    ('0.25', '0.25')
    """
    if unit == "year":
        return year_text(value, last)
    if unit.startswith("log10("):
        base = unit.removeprefix("log10(").removesuffix(")")
        text = level_text(value, base)
        return text.removesuffix(f" {base}") if short else text
    return f"{value:.3g}" if unit in ("", "1") or short else f"{value:.3g} {unit}"


def swing_text(row: Mapping[str, object]) -> str:
    """Write a swing with its standard error: in OOM, years, or as a number; what is censored in words.

    Examples
    --------
    >>> swing_text({"unit": "year", "swing": -1.25, "standard_error": 0.02, "at_least": 1.25})
    '-1.2 ± <0.1 years'
    >>> swing_text({"unit": "year", "swing": math.inf, "standard_error": None, "at_least": 6.0})
    'more than 6.0 years'
    """
    digits, unit = measure_of(str(row["unit"]))
    swing = row["swing"]
    if swing is None:
        return "not crossed at either"
    value = float(str(swing))
    if math.isinf(value):
        size = f"{float(str(row['at_least'])):.{digits}f} {unit}".rstrip()
        return f"more than {size}" if value > 0 else f"earlier by more than {size}"
    if value == 0.0:
        return "0"
    error = row["standard_error"]
    said = "" if error is None else plus_minus(float(str(error)), digits)
    return f"{value:+.{digits}f}{said} {unit}".rstrip()


def measure_of(unit: str) -> tuple[int, str]:
    """Tell to how many digits, and in what, a difference of an outcome is written.

    Examples
    --------
    >>> measure_of("log10(FLOP)")
    (2, 'OOM')
    """
    if unit == "year":
        return 1, "years"
    return (2, "OOM") if unit.startswith("log10(") else (2, "")


def is_seen(row: Mapping[str, object], unit: str) -> bool:
    """Tell whether a swing is more than 0 as it is written.

    Examples
    --------
    >>> is_seen({"at_least": 0.04}, "year"), is_seen({"at_least": 0.06}, "year")
    (False, True)
    """
    return float(str(row["at_least"])) >= 10.0 ** -measure_of(unit)[0] / 2


def swing_lines(found: xr.Dataset, *, most: int = MOST) -> list[str]:
    """Say swings for the terminal: for each outcome the largest, and how many more there are.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> from simulator.analysis.swings import prior_swings
    >>> lines = swing_lines(prior_swings(load_scenario("baseline"), mode="fixed"))
    >>> lines[1]
    'effective compute in 2035: 1.0e33 FLOP with nothing moved'
    """
    draws = f", {found.attrs['samples']:,} common draws" if found.attrs["mode"] == "free" else ""
    where = f"{found.attrs['name']}, swings {found.attrs['id']}{draws}"
    lines = [f"Each input at its 10 % and 90 % quantile, {found.attrs['mode_words']} ({where})"]
    rows = swing_table(found)
    for outcome in found["outcome"].values.tolist():
        lines += _outcome_lines(found.sel(outcome=outcome), [row for row in rows if row["outcome"] == outcome], most)
    return lines


def _outcome_lines(here: xr.Dataset, rows: Sequence[Row], most: int) -> list[str]:
    last, unit = float(here.attrs["last_year"]), str(here["unit"].values)
    base = float(here["base"])
    head = f"{here['outcome_words'].values}: {outcome_text(base, unit=unit, last=last)} with nothing moved"
    constant = constant_text(here)
    if constant:
        return [head, f"  {constant}"]
    lines = [head]
    if all(math.isinf(float(str(row[key]))) for row in rows for key in ("lower", "upper")):
        lines.append(f"  {censored_text(here)}")
        return lines
    named = [row for row in rows if is_seen(row, unit)][:most]
    lines += _table(named, unit=unit, last=last)
    rest = rest_text([row for row in rows if row not in named], unit)
    return [*lines, f"  {rest}"] if rest else lines


def _table(rows: Sequence[Row], *, unit: str, last: float) -> list[str]:
    """Set swings in columns: input, its values, the outcome there, the swing, what fixing it does."""
    cells = []
    for row in rows:
        ends = [outcome_text(float(str(row[key])), unit=unit, last=last, short=True) for key in ("lower", "upper")]
        fixed = "" if row["narrowing"] is None else f"fixed: {narrowing_text(float(str(row['narrowing'])))}"
        values = f"{row['lower_value']} to {row['upper_value']}"
        cells.append([str(row["input_words"]), values, " to ".join(ends), swing_text(row), fixed])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def narrowing_text(narrowing: float) -> str:
    """Say what fixing an input at its median does to the 90 % interval of the outcome.

    Examples
    --------
    >>> narrowing_text(0.6), narrowing_text(-0.02), narrowing_text(0.001)
    ('interval 60 % narrower', 'interval 2 % wider', 'interval as wide')
    """
    if abs(narrowing) < 0.005:
        return "interval as wide"
    return f"interval {percent(abs(narrowing))} {'narrower' if narrowing > 0 else 'wider'}"


def rest_text(rows: Sequence[Mapping[str, object]], unit: str) -> str:
    """Say how many inputs are not named, and how little each of them moves.

    Examples
    --------
    >>> rest_text([{"at_least": 0.12, "swing": 0.12}, {"at_least": 0.0, "swing": 0.0}], "log10(FLOP)")
    '2 more inputs, each by 0.12 OOM at most; 1 of them not at all'
    """
    if not rows:
        return ""
    digits, word = measure_of(unit)
    most = max(float(str(row["at_least"])) for row in rows)
    never, still = sum(row["swing"] is None for row in rows), sum(row["swing"] == 0.0 for row in rows)
    head = f"{len(rows)} more input{'s' if len(rows) > 1 else ''}"
    counts = [f"{still} of them not at all"] if still else []
    counts += [f"{never} of them not crossed by the horizon at either quantile"] if never else []
    if never == len(rows):
        return f"{head}: not crossed by the horizon at either quantile"
    if still == len(rows):
        return f"{head}: {'none of them moves' if len(rows) > 1 else 'it does not move'} it"
    if most == 0.0:
        return f"{head}: {'; '.join(counts)}"
    least = 10.0**-digits
    size = f"by {most:.{digits}f} {word}".rstrip() + " at most" if most >= least else f"by less than {least:g} {word}"
    return "; ".join([f"{head}, each {size.rstrip()}", *counts])


def constant_text(here: xr.Dataset) -> str:
    """Say of one outcome that nothing moves it because it is one number in all samples; empty where it is not."""
    if not int(here["constant"]):
        return ""
    last, unit = float(here.attrs["last_year"]), str(here["unit"].values)
    if math.isinf(float(here["base"])):
        return censored_text(here) if here.attrs["mode"] == "fixed" else f"Not crossed by {last:g} in any sample."
    start = unit == "year" and float(here["base"]) <= float(here.attrs["first_year"])
    why = ", as it is passed at the start" if start else ""
    where = "in every sample" if here.attrs["mode"] == "free" else "wherever an input is moved"
    return f"It is the same {where}{why}: there is nothing to swing. Ask for another outcome."


def censored_text(here: xr.Dataset) -> str:
    """Say of one outcome that it is later than the horizon wherever an input is moved."""
    last = float(here.attrs["last_year"])
    name = str(here["outcome"].values).partition(":")[2]
    return (
        f"Later than {last:g} wherever an input is moved, so no swing can be told. "
        f"Ask for crossed:{name}@{last:g}, restricted:{name}, or give the scenario later years."
    )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Swings(Result):
    """Swings of the inputs of a scenario, as `prior_swings` gives them."""

    kind: ClassVar[str] = "swings"
    found: xr.Dataset

    @property
    def dataset(self) -> xr.Dataset:
        """See `prior_swings`."""
        return self.found

    @property
    def folder_name(self) -> str:
        """`<scenario>-swings-<id>`."""
        return f"{self.found.attrs['name']}-swings-{self.found.attrs['id']}"

    @property
    def label(self) -> str:
        """Their id and scenario."""
        return f"Swings {self.found.attrs['id']} of scenario {self.found.attrs['name']}"

    def tables(self) -> dict[str, Table]:
        """`swings`: see `swing_table`."""
        return {"swings": Table.of_rows(swing_table(self.found))}

    def lines(self) -> list[str]:
        """The largest swings of each outcome."""
        return swing_lines(self.found)


def open_swings(path: FilePath | str) -> Swings:
    """Open swings: a file, or the folder that holds it.

    Raises
    ------
    RunFileError
        There is none, or the file is something else.

    Examples
    --------
    >>> open_swings("no-such-swings.nc")
    Traceback (most recent call last):
    simulator.errors.RunFileError: no-such-swings.nc: no such file of swings. `simulate swings` writes one.
    """
    return Swings(open_dataset(path, kind="swings", format_=SWINGS_FORMAT))
