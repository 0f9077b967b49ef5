"""How a forecast moved from one of its frozen releases to the next, and what the moves are due to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from simulator.analysis.attribution import Attribution, attribute_runs, chosen_years, common_years, unlike
from simulator.errors import InputError
from simulator.files import short_hash
from simulator.history.columns import decimal_year
from simulator.runs.estimates import BANDS
from simulator.runs.frozen import HEADLINES, frozen_day, frozen_series
from simulator.runs.groups import group
from simulator.runs.result import Result
from simulator.runs.summary import PASSED, crossing_table, summarised
from simulator.runs.table import Row, Table
from simulator.scenario.canonical import stored_data
from simulator.units import plain_unit
from simulator.wording import aligned, amount_range, amount_words, power_text, share_text, signed, year_range, year_text

if TYPE_CHECKING:
    import xarray as xr

LEVEL, CROSSING = "level", "crossing year"


@dataclass(frozen=True, repr=False)
class Moved(Result):
    """The headlines of a forecast by release, and what the moves between releases are due to.

    `reasons` holds the attribution of each release against the one before, None where it cannot be told: `said` tells
    why, and what else a reader should know.
    """

    kind: ClassVar[str] = "moved"
    scenario: str
    releases: tuple[xr.DataTree, ...]
    reasons: tuple[Attribution | None, ...]
    said: tuple[str, ...]

    @property
    def dates(self) -> tuple[str, ...]:
        """The dates of the releases, as they were given."""
        return tuple(str(run.attrs["dated"]) for run in self.releases)

    @cached_property
    def headlines(self) -> Table:
        """Each headline by release: levels at ends of years that all have, crossing years; and how far it moved."""
        return Table.of_rows(_with_moves(_headlines(self.releases)))

    @property
    def folder_name(self) -> str:
        return f"{self.scenario}-moved-{short_hash(*(str(run.attrs['run_id']) for run in self.releases), *self.dates)}"

    @property
    def label(self) -> str:
        told = ", ".join(f"{run.attrs['dated']} (run {run.attrs['run_id']})" for run in self.releases)
        return f"Frozen forecasts of scenario {self.scenario}: {told}"

    @property
    def dataset(self) -> xr.Dataset:
        """The headlines over headline and release date."""
        found = self.headlines.to_dataset("headline", "dated")
        return found.assign_attrs(scenario=self.scenario, label=self.label)

    def tables(self) -> dict[str, Table]:
        """The headlines, and the parts of the moves where they can be told."""
        held = zip(pairwise(self.dates), self.reasons, strict=True)
        rows = [{"from": one, "to": other} | row for (one, other), why in held if why for row in why.table.rows()]
        reasons = Table.of_rows(rows).called("attribution").called("reasons")
        return {"headlines": self.headlines} | ({"reasons": reasons} if rows else {})

    @property
    def parts(self) -> tuple[Result, ...]:
        """What the last move is due to, which is drawn too."""
        return (self.reasons[-1],) if self.reasons[-1] else ()

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.said

    def lines(self) -> list[str]:
        """Say the medians of each headline by release and how far it moved at last, and what that is due to."""
        last = self.dates[-1]
        rows = [["medians", *self.dates, "moved", f"90 % in {last}"]]
        for (name,), own in self.headlines.groups("headline"):
            told = {row["dated"]: row for row in own.rows()}
            texts = [median_words(told[date]) if date in told else "-" for date in self.dates]
            rows.append([name, *texts, move_words(told[last]), _interval(told[last])])
            if told[last]["statistic"] == CROSSING:
                shares = [never_words(told[date]) if date in told else "-" for date in self.dates]
                rows.append([f"  never by {told[last]['last_year']:g}", *shares, "", ""])
        lines = [f"{self.scenario}: {len(self.releases)} releases", *aligned(rows, keys=1)]
        if why := self.reasons[-1]:
            lines += [f"{last} against {self.dates[-2]}, {why.lines()[0]}", *why.lines()[1:]]
        return lines


def median_words(row: Row) -> str:
    """Write the median of a headline at a release."""
    if row["statistic"] == LEVEL:
        return amount_words(row["median"], plain_unit(row["unit"]), power_text)
    return year_text(row["median"], row["last_year"], row["first_year"])


def never_words(row: Row) -> str:
    """Write the probability that a threshold is not crossed by the last year."""
    return share_text(row["never"], row["samples"])


def _interval(row: Row) -> str:
    ends = row["lower_90"], row["upper_90"]
    if row["statistic"] == LEVEL:
        low, high = (amount_words(end, plain_unit(row["unit"]), power_text) for end in ends)
        return amount_range(low, high)
    return year_range(*ends, row["last_year"], row["first_year"])


def move_words(row: Row) -> str:
    """Write how far a headline moved since the release before; nothing where that cannot be told."""
    if row["moved"] is None:
        return ""
    return f"{signed(row['moved'])} OOM" if row["statistic"] == LEVEL else f"{signed(row['moved'], digits=1)} years"


def told_years(releases: Sequence[xr.DataTree]) -> list[float]:
    """Choose the ends of years whose levels are told, among those that all releases have."""
    return chosen_years([year for year in common_years(releases) if year == round(year)])


def _headlines(releases: Sequence[xr.DataTree]) -> Iterator[Row]:
    """List the headlines that the last release shares with another; thresholds that all have passed tell nothing."""
    last_summary = group(releases[-1], "summary")
    for name in (each for each in HEADLINES if each in last_summary):
        label, unit = (str(last_summary[name].attrs[key]) for key in ("long_name", "units"))
        shared = [run for run in releases if name in group(run, "summary")]
        for year, run in product(told_years(releases), shared if len(shared) > 1 else ()):
            found = summarised(run, name)
            place = found.years.tolist().index(year)
            ends = {key: float(found.at(level)[place]) for key, level in BANDS.items()}
            yield {**_row(run, name, label, LEVEL, year, unit), **ends}
    crossings = [{row["threshold"]: row for row in crossing_table(run).rows()} for run in releases]
    for name, last in crossings[-1].items():
        held = [(run, own[name]) for run, own in zip(releases, crossings, strict=True) if name in own]
        if len(held) > 1 and min(row["already"] for _, row in held) < PASSED:
            for run, row in held:
                ends = {key: row[key] for key in (*BANDS, "never", "samples", "first_year", "last_year")}
                yield {**_row(run, name, last["label"], CROSSING, None, "year"), **ends}


def _row(run: xr.DataTree, quantity: str, label: str, statistic: str, year: float | None, unit: str) -> Row:
    told = f"{label}, end of {year - 1:g}" if year else label
    about: Row = {"headline": told, "quantity": quantity, "label": label, "statistic": statistic, "year": year}
    return {**about, "unit": unit, "dated": str(run.attrs["dated"]), "day": decimal_year(frozen_day(run))}


def _with_moves(rows: Iterator[Row]) -> Iterator[Row]:
    """Add how far the median is from that of the release before: none of the first, and of what is censored."""
    before: Row = {"headline": ""}
    for row in rows:
        gap = row["median"] - before["median"] if row["headline"] == before["headline"] else math.nan
        yield {**row, "moved": gap if np.isfinite(gap) else None}
        before = row


def forecast_moves(
    folder: FilePath | str = "forecasts", scenario: str = "baseline", *, since: str = "", reasons: bool = True
) -> Moved:
    """Say how a forecast moved between its frozen releases, and why.

    What a move is due to is told by `attribute_difference`, from the scenarios that were frozen with the releases.

    Parameters
    ----------
    folder : path
        Where the releases are, as `freeze_forecast` writes them.
    scenario : str
        The name of the scenario whose releases they are.
    since : str
        The date of the first release that counts; all without it.
    reasons : bool
        Whether to tell what the moves are due to, which runs the scenarios.

    Returns
    -------
    Moved
        With its `lines()`, and the tables `headlines` and `reasons`.

    Raises
    ------
    InputError
        The folder holds fewer than two releases of the scenario; a file in it is none, or was changed.

    Examples
    --------
    >>> from simulator import freeze_forecast, load_scenario, simulate
    >>> folder = getfixture("tmp_path")
    >>> for date, rate in (("2024-01", "2.4x/year"), ("2025-01", "2.2x/year")):
    ...     changes = ["samples=64", f"drivers.spending.growth[0].rate={rate}"]
    ...     made = freeze_forecast(simulate(load_scenario("essay-2023", overrides=changes)), folder, dated=date)
    >>> found = forecast_moves(folder, "essay-2023")
    >>> found.dates, found.tables()["headlines"]["moved"][1].round(2).item()
    (('2024-01', '2025-01'), -0.23)
    """
    releases = frozen_series(folder, scenario, since=since)
    dates = [str(run.attrs["dated"]) for run in releases]
    if len(releases) < 2:
        held = f"{len(releases)} release{'s' * (not releases)} of {scenario}{f' since {since}' if since else ''}"
        raise InputError(
            f"{folder}: holds {held}, and nothing to hold against another. "
            "Freeze the next: simulate history freeze RUN --dated DATE."
        )
    why, said = list[Attribution | None](), list[str]()
    for runs, names in zip(pairwise(releases), pairwise(dates), strict=True):
        said += unlike(runs, names)
        why.append(None)
        if reasons:
            try:
                why[-1] = _attributed(runs, names, told_years(releases))
            except InputError as error:
                said.append(f"what moved {scenario} from {names[0]} to {names[1]} cannot be told: {error}")
    return Moved(scenario, tuple(releases), tuple(why), tuple(dict.fromkeys(said)))


def _attributed(runs: Sequence[xr.DataTree], names: Sequence[str], years: Sequence[float]) -> Attribution:
    for run in runs:
        if "name" not in stored_data(run.attrs):
            raise InputError(f"the scenario that was frozen with {run.attrs['dated']} is not beside it.")
    return attribute_runs(runs, names, years=years)
