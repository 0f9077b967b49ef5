"""What a hindcast gives: its tables, the lines that say it, its folder read again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from simulator.errors import InputError, RunFileError
from simulator.files import read_csv, short_hash
from simulator.hindcast.rows import COLUMNS, distinct, event_scores, lead, made_table, mean_scores
from simulator.hindcast.verdicts import verdict
from simulator.history.diagnostics import Diagnostics, RateCheck
from simulator.runs.contents import HINDCAST
from simulator.runs.entries import read_cell
from simulator.runs.kinds import kind_named, stored_lines
from simulator.runs.result import Result
from simulator.runs.table import Row, Table
from simulator.scenario.resolving import Scenario

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Asked:
    """What is asked of a hindcast; see `simulator.hindcast.hindcast.make_hindcast`."""

    scenario: Scenario | FilePath | str | None
    against: tuple[Scenario | FilePath | str, ...]
    allow_hindsight: bool
    origins: tuple[int, ...]
    runs: FilePath | None
    accelerators: FilePath | None
    snapshot: str | None
    until: str
    without_domain: tuple[str, ...]
    sampler: Literal["pymc", "nutpie"] | None
    seed: int
    cache: FilePath | None

    @property
    def words(self) -> list[str]:
        """The command line that asks the same again, but for where it is written."""
        words = ["hindcast", *([_name(self.scenario)] if self.scenario else [])]
        words += [f"--against {_name(each)}" for each in self.against]
        words += ["--allow-hindsight"] if self.allow_hindsight else []
        words += [f"--origins {','.join(map(str, self.origins))}"]
        for name in ("snapshot", "until", "sampler", "seed", "runs", "accelerators"):
            if (value := getattr(self, name)) is not None:
                words.append(f"--{name} {value}")
        return words + [f"--without-domain '{domain}'" for domain in self.without_domain]

    @property
    def folder_name(self) -> str:
        """The folder of its answer, named by what was asked."""
        first, last = self.origins[0], self.origins[-1]
        return f"hindcast-{first}-{last}-{short_hash(*self.words)}"


def _name(scenario: Scenario | FilePath | str) -> str:
    return f"{scenario.spec.name}@{scenario.hash}" if isinstance(scenario, Scenario) else str(scenario)


@dataclass(frozen=True, repr=False)
class Hindcast(Result):
    """A hindcast of one snapshot: every forecast, mean scores, skill, and whether the fits can be trusted.

    `diagnostics` has one entry for every origin; `rate_checks` too, where history without one domain was given.
    Of one that was read from its folder, which keeps neither, `said` and `warned` are what was printed of it.
    """

    kind: ClassVar[str] = "hindcast"

    snapshot: str
    origins: tuple[int, ...]
    forecasts: Table
    skills: Table
    diagnostics: tuple[Diagnostics, ...] = ()
    rate_checks: tuple[RateCheck, ...] = ()
    quantiles: Table = field(default_factory=lambda: made_table("quantiles", ()))
    events: Table = field(default_factory=lambda: made_table("events", ()))
    notes: tuple[str, ...] = ()
    record: Table = field(default_factory=lambda: made_table("record", ()))
    folder_name: str = "hindcast"
    table: str = ""
    asked: Asked | None = None
    said: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()

    @property
    def scores(self) -> Table:
        """Mean scores by forecast, over all origins and at each."""
        return mean_scores(self.forecasts)

    @property
    def event_scores(self) -> Table:
        """Mean Brier scores by forecast and threshold."""
        return event_scores(self.events)

    @property
    def targets(self) -> int:
        """The number of distinct years that were forecast: fewer than the forecasts, which overlap."""
        return len(distinct(self.forecasts, "target"))

    @property
    def names(self) -> tuple[str, ...]:
        """The forecasts, first that which is held against the others."""
        return tuple(distinct(self.forecasts, "forecast"))

    @property
    def lead(self) -> str:
        """The forecast that is held against the others."""
        return lead(self.forecasts)

    @property
    def with_hindsight(self) -> frozenset[str]:
        """The forecasts in which a prior knew what came."""
        return frozenset(distinct(self.forecasts.where(hindsight=True), "forecast"))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What speaks against trusting these figures, one line each."""
        fits = zip(self.origins, self.diagnostics, strict=False)
        lines = [f"origin {origin}: {fault}" for origin, fit in fits for fault in fit.faults]
        return (*self.warned, *lines, *(check.line for check in self.rate_checks if not check.passed))

    @property
    def holds(self) -> bool:
        """Whether the chains of every fit agreed."""
        return not any(fit.faults for fit in self.diagnostics)

    @property
    def label(self) -> str:
        return f"Hindcast {self.folder_name}"

    def tables(self) -> dict[str, Table]:
        """Give the tables by the names of their CSV files."""
        return {name: getattr(self, name) for name in _ALONG}

    @property
    def dataset(self) -> xr.DataTree:
        """The tables as arrays along forecast, origin, target, quantile and threshold."""
        import xarray as xr

        tables = {**self.tables(), "scores": of_all(self.scores)}
        groups = {name: table.to_dataset(*_ALONG[name]) for name, table in tables.items() if len(table)}
        return xr.DataTree.from_dict({"/": xr.Dataset(attrs={"snapshot": self.snapshot}), **groups})

    def lines(self) -> list[str]:
        """Say it in lines: how many targets, mean scores of all, the first by origin, thresholds, skill."""
        return list(self.said or hindcast_lines(self))


_ALONG: Final[Mapping[str, tuple[str, ...]]] = {
    "forecasts": ("forecast", "origin", "target"),
    "scores": ("forecast",),
    "skills": ("baseline",),
    "quantiles": ("forecast", "origin", "target", "quantile"),
    "events": ("forecast", "origin", "target", "threshold"),
    "event_scores": ("forecast", "threshold"),
    "record": ("year",),
}
"""The tables, and the columns along which the others of each are arrays."""


def open_hindcast(folder: FilePath | str) -> Hindcast:
    """Read a folder that a hindcast was written into; one without `record.csv` has the record of the years forecast."""
    folder = FilePath(folder)
    if not (folder / "forecasts.csv").is_file() or not (folder / "skills.csv").is_file():
        raise InputError(f"{folder}: is no folder of a hindcast: it has no forecasts.csv. Make one: simulate hindcast.")
    forecasts = _read(folder, "forecasts")
    if not len(forecasts):
        raise RunFileError(f"{folder / 'forecasts.csv'}: has no forecast. Make the hindcast again.")
    record = _read(folder, "record")
    if not len(record):
        known = dict(sorted(forecasts.select("target", "observed").records()))
        record = Table({"year": list(known), "log_flop": list(known.values()), "snapshot": [""] * len(known)})
    kind = kind_named(Hindcast.kind)
    said, warned = stored_lines(folder, kind) if kind and (folder / kind.lines).is_file() else ((), ())
    return Hindcast(
        snapshot=record["snapshot"][-1],
        origins=tuple(sorted(set(forecasts["origin"].tolist()))),
        forecasts=forecasts,
        skills=_read(folder, "skills"),
        quantiles=_read(folder, "quantiles"),
        events=_read(folder, "events"),
        record=record,
        folder_name=folder.resolve().name,
        said=tuple(said),
        warned=tuple(warned),
    )


def _read(folder: FilePath, name: str) -> Table:
    """Read a table of a hindcast; without rows where there is no such file."""
    path, columns = folder / f"{name}.csv", COLUMNS[name]
    if not path.is_file():
        return made_table(name, ())
    try:
        (_, head), *lines = read_csv(path) or [(1, [])]
    except (OSError, ValueError) as error:
        raise RunFileError(f"{path}: cannot be read as a table: {error}.") from None
    untold = {} if "hindsight" in head else {"hindsight": "False"}
    missing = [column for column in columns if column not in (*head, *untold)]
    if lines and missing:
        raise RunFileError(f"{path}: lacks the columns {', '.join(missing)}. Make the hindcast again.")
    entries, rows = {entry.name: entry for entry in HINDCAST[name]}, []
    for line, texts in lines:
        cells, row = {**untold, **dict(zip(head, texts, strict=False))}, {}
        for column in columns:
            try:
                row[column] = read_cell(entries[column], cells.get(column, ""))
            except ValueError as error:
                raise RunFileError(f"{path}:{line}: {column}: {error}. Make the hindcast again.") from None
        rows.append(row)
    return made_table(name, rows)


LATE = " (with hindsight)"
"""Stands after the name of a forecast whose priors knew what came."""


def of_all(scores: Table) -> Table:
    """Keep the mean scores over all origins."""
    return scores.where([origin is None for origin in scores["origin"]])


def hindcast_lines(result: Hindcast) -> Iterator[str]:
    """Say a hindcast in lines: how many targets, the mean scores of all, the first by origin, thresholds, skill."""
    scores = result.scores.rows()
    width, count = max(16, *(len(_named(row)) for row in scores)), len(result.forecasts.where(forecast=result.lead))
    yield (
        f"hindcast of the year-end record, log10 FLOP: {result.table or result.snapshot}; "
        f"origins {', '.join(map(str, result.origins))}; {count} forecasts of {result.targets} DISTINCT YEARS"
    )
    yield f"  {'':<{width}}{'n':>4}   CRPS  pinball   bias   coverage 50/80/90 %"
    for row in scores:
        if row["origin"] is None or row["forecast"] == result.lead:
            name = _named(row) if row["origin"] is None else f"  from {row['origin']}{_late(row)}"
            yield (
                f"  {name:<{width}}{row['forecasts']:>4}  {row['crps']:>5.3f}  {row['pinball']:>7.3f}  "
                f"{row['bias']:>+5.2f}   {_coverage(row)}"
            )
    if thresholds := _thresholds(result):
        yield "  Brier score of the record being above (0 is best, 0.25 is a coin):"
        yield f"  {'FLOP':<{width}}" + "".join(f"{_flop(threshold):>10}" for threshold in thresholds)
        for name, cells in _by_forecast(result, thresholds):
            yield f"  {name:<{width}}" + "".join(f"{cell['brier']:>10.3f}" if cell else f"{'-':>10}" for cell in cells)
    for note in result.notes:
        yield f"  note: {note}"
    for skill in result.skills.rows():
        yield (
            f"  against {skill['baseline']}{_late(skill)}: skill {skill['skill']:+.2f} "
            f"{_interval(skill)}, {verdict(skill)}"
        )


def _interval(skill: Row) -> str:
    low, high = skill["skill_05"], skill["skill_95"]
    return "(no interval)" if math.isnan(low) else f"(90 % {low:+.2f} to {high:+.2f})"


def _late(row: Row) -> str:
    return LATE if row["hindsight"] else ""


def _named(row: Row) -> str:
    return f"{row['forecast']}{_late(row)}"


def _coverage(row: Row) -> str:
    return f"{100 * row['coverage_50']:.0f} / {100 * row['coverage_80']:.0f} / {100 * row['coverage_90']:.0f}"


def _thresholds(result: Hindcast) -> list[float]:
    return sorted(set(result.events["threshold"].tolist()))


def _flop(threshold: float) -> str:
    return f"{threshold:.3g}".replace("e+", "e")


def _by_forecast(result: Hindcast, thresholds: Sequence[float]) -> Iterator[tuple[str, list[Row | None]]]:
    """Give the mean Brier scores of each forecast by threshold."""
    for _, mine in result.event_scores.groups("forecast"):
        found = {row["threshold"]: row for row in mine.rows()}
        cells: list[Row | None] = [found.get(threshold) for threshold in thresholds]
        yield next(_named(cell) for cell in cells if cell), cells
