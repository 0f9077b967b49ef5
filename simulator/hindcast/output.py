"""What a hindcast gives: its tables, the lines that say it, its page, its folder read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from simulator.errors import InputError, RunFileError
from simulator.files import read_csv, short_hash
from simulator.hindcast.baselines import BASELINES
from simulator.hindcast.rows import (
    MODEL,
    EventRow,
    EventScore,
    ForecastRow,
    QuantileRow,
    RecordRow,
    ScoreRow,
    SkillRow,
    event_scores,
    mean_scores,
)
from simulator.history.diagnostics import Diagnostics, RateCheck
from simulator.runs.kinds import kind_named, stored_lines
from simulator.runs.result import Result
from simulator.runs.table import Table
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
    snapshot: str
    until: str
    without_domain: tuple[str, ...]
    sampler: Literal["pymc", "nutpie"]
    seed: int
    cache: FilePath | None

    @property
    def words(self) -> list[str]:
        """The command line that asks the same again, but for where it is written."""
        words = ["hindcast", *([_name(self.scenario)] if self.scenario else [])]
        words += [f"--against {_name(each)}" for each in self.against]
        words += ["--allow-hindsight"] if self.allow_hindsight else []
        words += [f"--origins {','.join(map(str, self.origins))}"]
        words += [f"--snapshot {self.snapshot}", f"--until {self.until}"]
        words += [f"--sampler {self.sampler}", f"--seed {self.seed}"]
        words += [f"--runs {self.runs}"] if self.runs is not None else []
        words += [f"--accelerators {self.accelerators}"] if self.accelerators is not None else []
        return words + [f"--without-domain '{domain}'" for domain in self.without_domain]

    @property
    def folder_name(self) -> str:
        """The folder of its answer, named by what was asked."""
        return f"hindcast-{self.snapshot}-{'-'.join(map(str, self.origins))}-{short_hash(*self.words)}"

    @property
    def heading(self) -> str:
        """Which table it is about."""
        return f"{'shipped table' if self.runs is None else self.runs.name}, estimates of {self.snapshot}"


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
    forecasts: tuple[ForecastRow, ...]
    skills: tuple[SkillRow, ...]
    diagnostics: tuple[Diagnostics, ...] = ()
    rate_checks: tuple[RateCheck, ...] = ()
    quantiles: tuple[QuantileRow, ...] = ()
    events: tuple[EventRow, ...] = ()
    notes: tuple[str, ...] = ()
    record: tuple[RecordRow, ...] = ()
    folder_name: str = "hindcast"
    asked: Asked | None = None
    said: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()

    @property
    def scores(self) -> tuple[ScoreRow, ...]:
        """Mean scores by forecast, over all origins and at each."""
        return mean_scores(self.forecasts)

    @property
    def event_scores(self) -> tuple[EventScore, ...]:
        """Mean Brier scores by forecast and threshold."""
        return event_scores(self.events)

    @property
    def targets(self) -> int:
        """The number of distinct years that were forecast: fewer than the forecasts, which overlap."""
        return len({row.target for row in self.forecasts})

    @property
    def names(self) -> tuple[str, ...]:
        """The forecasts, the model first."""
        return tuple(dict.fromkeys([MODEL, *(row.forecast for row in self.forecasts)]))

    @property
    def with_hindsight(self) -> frozenset[str]:
        """The forecasts in which a prior knew what came."""
        return frozenset(row.forecast for row in self.forecasts if row.hindsight)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What speaks against trusting these figures, one line each."""
        fits = zip(self.origins, self.diagnostics, strict=False)
        lines = [f"origin {origin}: {fault}" for origin, fit in fits for fault in fit.faults]
        return (*self.warned, *lines, *(check.line for check in self.rate_checks if not check.passed))

    @property
    def label(self) -> str:
        """What its charts say of where they come from."""
        return f"Hindcast {self.folder_name}"

    def tables(self) -> dict[str, Table]:
        """Give the tables by the names of their CSV files."""
        return {name: Table.of_records(getattr(self, name)) for name in _ALONG}

    @property
    def dataset(self) -> xr.DataTree:
        """The tables as arrays along forecast, origin, target, quantile and threshold."""
        import xarray as xr

        tables = {**self.tables(), "scores": Table.of_records(row for row in self.scores if row.origin is None)}
        groups = {name: table.to_dataset(*_ALONG[name]) for name, table in tables.items() if len(table)}
        return xr.DataTree.from_dict({"/": xr.Dataset(attrs={"snapshot": self.snapshot}), **groups})

    def lines(self) -> list[str]:
        """Say it in lines: how many targets, mean scores of all, the model by origin, thresholds, skill."""
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
    forecasts = _read(folder / "forecasts.csv", ForecastRow)
    if all(row.forecast != MODEL for row in forecasts):
        raise RunFileError(f"{folder / 'forecasts.csv'}: has no forecast by the {MODEL}. Make the hindcast again.")
    known = sorted({(row.target, row.observed) for row in forecasts})
    record = _read(folder / "record.csv", RecordRow) or tuple(RecordRow(*pair, "") for pair in known)
    kind = kind_named(Hindcast.kind)
    said, warned = stored_lines(folder, kind) if kind and (folder / kind.lines).is_file() else ((), ())
    return Hindcast(
        snapshot=record[-1].snapshot,
        origins=tuple(sorted({row.origin for row in forecasts})),
        forecasts=forecasts,
        skills=_read(folder / "skills.csv", SkillRow),
        quantiles=_read(folder / "quantiles.csv", QuantileRow),
        events=_read(folder / "events.csv", EventRow),
        record=record,
        folder_name=folder.resolve().name,
        said=tuple(said),
        warned=tuple(warned),
    )


_CELLS: Final[Mapping[str, Callable[[str], object]]] = {
    "float": float, "int": int, "str": str, "bool": {"True": True, "False": False}.__getitem__,
}  # fmt: skip


def _read[T](path: FilePath, kind: type[T]) -> tuple[T, ...]:
    """Read a table, one object of `kind` to a row; nothing where there is no such file."""
    if not path.is_file():
        return ()
    try:
        head, *rows = read_csv(path) or [(1, [])]
    except (OSError, ValueError) as error:
        raise RunFileError(f"{path}: cannot be read as a table: {error}.") from None
    columns: Any = fields(kind)  # type: ignore[arg-type]
    given = {name: place for place, name in enumerate(head[1])}
    missing = [column.name for column in columns if column.name not in given and column.default is MISSING]
    if rows and missing:
        raise RunFileError(f"{path}: lacks the columns {', '.join(missing)}. Make the hindcast again.")
    made = []
    for line, row in rows:
        cells = {}
        for column in (each for each in columns if each.name in given):
            text = row[given[column.name]] if given[column.name] < len(row) else None
            try:
                cells[column.name] = _CELLS[column.type](text)  # type: ignore[arg-type]
            except (ValueError, KeyError, TypeError):
                rule = f"{column.name}: must be a {column.type}; got {text!r}."
                raise RunFileError(f"{path}:{line}: {rule} Make the hindcast again.") from None
        made.append(kind(**cells))
    return tuple(made)


LATE = " (with hindsight)"
"""Stands after the name of a forecast whose priors knew what came."""


def hindcast_lines(result: Hindcast) -> Iterator[str]:
    """Say a hindcast in lines: how many targets, the mean scores of all, the model by origin, thresholds, skill."""
    origins = ", ".join(str(origin) for origin in result.origins)
    forecasts = next(row.forecasts for row in result.scores if row.forecast == MODEL and row.origin is None)
    width = max(16, *(len(_named(row)) for row in result.scores))
    yield (
        f"hindcast of the year-end record, log10 FLOP: {result.snapshot}; origins {origins}; "
        f"{forecasts} forecasts of {result.targets} DISTINCT YEARS"
    )
    yield f"  {'':<{width}}{'n':>4}   CRPS  pinball   bias   coverage 50/80/90 %"
    for row in result.scores:
        if row.origin is None or row.forecast == MODEL:
            yield f"  {_cells(row, width)}"
    yield from _event_lines(result, width)
    for note in result.notes:
        yield f"  note: {note}"
    for skill in result.skills:
        yield (
            f"  against {skill.baseline}{LATE if skill.hindsight else ''}: skill {skill.skill:+.2f} "
            f"(90 % {skill.skill_05:+.2f} to {skill.skill_95:+.2f}), {skill.verdict}"
        )


def _named(row: ScoreRow | EventScore) -> str:
    return f"{row.forecast}{LATE if row.hindsight else ''}"


def _cells(row: ScoreRow, width: int) -> str:
    name = _named(row) if row.origin is None else f"  from {row.origin}{LATE if row.hindsight else ''}"
    return (
        f"{name:<{width}}{row.forecasts:>4}  {row.crps:>5.3f}  {row.pinball:>7.3f}  {row.bias:>+5.2f}   "
        f"{100 * row.coverage_50:.0f} / {100 * row.coverage_80:.0f} / {100 * row.coverage_90:.0f}"
    )


def _event_lines(result: Hindcast, width: int) -> Iterator[str]:
    """Say the mean Brier scores: a row for each forecast, a column for each threshold."""
    scores = result.event_scores
    if not scores:
        return
    thresholds = sorted({row.threshold for row in scores})
    yield "  Brier score of the record being above (0 is best, 0.25 is a coin):"
    yield f"  {'FLOP':<{width}}" + "".join(f"{_flop(threshold):>10}" for threshold in thresholds)
    for name, cells in _by_forecast(scores, thresholds):
        yield f"  {name:<{width}}" + "".join(f"{cell.brier:>10.3f}" if cell else f"{'-':>10}" for cell in cells)


def _flop(threshold: float) -> str:
    return f"{threshold:.3g}".replace("e+", "e")


def _by_forecast(
    scores: Sequence[EventScore], thresholds: Sequence[float]
) -> Iterator[tuple[str, list[EventScore | None]]]:
    found = {(row.forecast, row.threshold): row for row in scores}
    for name in dict.fromkeys(row.forecast for row in scores):
        cells = [found.get((name, threshold)) for threshold in thresholds]
        yield next(_named(cell) for cell in cells if cell), cells


_HEAD = (
    "The year-end record of training compute (log10 FLOP) is forecast from the end of past years, with the runs",
    "and accelerators that had been published by then, and scored against what came. CRPS is in orders of",
    "magnitude (OOM), smaller is better. Forecasts of one year from several origins err together: read the number",
    "of distinct years, not that of forecasts. Differences in CRPS below 0.03 are ties. The values are those that",
    "the snapshot gives today: revisions of a run's compute after the origin are not undone.",
)
_ARMS = (
    "Beside the model, which is fitted to past runs, and the four simple rules stand forecasts that are fitted to",
    "nothing. *Period priors* start from the record (with an error of 0.2 OOM) and grow as the newest publication",
    "said that was known at the origin. A *scenario* is run as it stands from the record on: its growth, caps and",
    "constraints, with their dates; FLOP per USD is the median of the runs of the last two years.",
)
_HINDSIGHT = (
    f"**{LATE.strip('( )').capitalize()}**: these forecasts rest on priors that knew what came after an origin. They",
    "show what the scenario says of the past, and not how good a forecast it would have been.",
)


def hindcast_page(
    results: Sequence[tuple[str, Hindcast]],
    *,
    command: str,
    failure: tuple[str, Hindcast] | None = None,
    pictures: Sequence[tuple[str, str]] = (),
) -> str:
    """Write the page that documents hindcasts, from their results: (heading, hindcast) each."""
    lines = ["# Hindcasts: how good such forecasts would have been", "", f"Written by `{command}`.", "", *_HEAD]
    every = [result for _, result in results] + ([failure[1]] if failure else [])
    if any(row.forecast not in (MODEL, *BASELINES) for result in every for row in result.scores):
        lines += ["", *_ARMS]
    if any(row.hindsight for result in every for row in result.scores):
        lines += ["", *_HINDSIGHT]
    for place, (heading, result) in enumerate(results):
        lines += ["", f"## {heading}", "", *_section(result)]
        for file, text in pictures if place == 0 else ():
            lines += ["", f"![{text}]({file})"]
    if failure:
        heading, result = failure
        lines += ["", f"## {heading}", "", *_failure_words(result), "", *_section(result)]
    return "\n".join(lines) + "\n"


def _section(result: Hindcast) -> Iterator[str]:
    """Write the tables of one hindcast."""
    yield f"**{result.targets} distinct years**, origins {', '.join(map(str, result.origins))}."
    yield ""
    yield "| forecast | n | CRPS | pinball | bias | inside 50 / 80 / 90 % | skill of the model, 90 % interval |"
    yield "|---|---|---|---|---|---|---|"
    skills = {row.baseline: row for row in result.skills}
    for row in result.scores:
        if row.origin is None:
            yield (
                f"| {_named(row)} | {row.forecasts} | {row.crps:.3f} | {row.pinball:.3f} | {row.bias:+.2f} | "
                f"{100 * row.coverage_50:.0f} / {100 * row.coverage_80:.0f} / {100 * row.coverage_90:.0f} | "
                f"{_skill(skills.get(row.forecast))} |"
            )
    if scores := result.event_scores:
        thresholds = sorted({row.threshold for row in scores})
        yield ""
        yield "Brier scores of the record being above a threshold (0 is best, 0.25 is a coin; n in brackets):"
        yield ""
        yield f"| forecast | {' | '.join(f'{_flop(threshold)} FLOP' for threshold in thresholds)} |"
        yield f"|---|{'---|' * len(thresholds)}"
        for name, cells in _by_forecast(scores, thresholds):
            said = (f"{cell.brier:.3f} ({cell.forecasts})" if cell else "" for cell in cells)
            yield f"| {name} | {' | '.join(said)} |"
    for note in result.notes:
        yield from ("", f"Note: {note}.")
    for warning in result.warnings:
        yield from ("", f"Warning: {warning.rstrip('.')}.")


def _skill(skill: SkillRow | None) -> str:
    if skill is None:
        return ""
    return f"{skill.skill:+.2f} ({skill.skill_05:+.2f} to {skill.skill_95:+.2f}), {skill.verdict}"


def _failure_words(result: Hindcast) -> Iterator[str]:
    """Say how the model does on the earlier snapshot, and whether its check of the rate told."""
    mine = next(row for row in result.scores if row.forecast == MODEL and row.origin is None)
    best = min((row for row in result.skills if row.baseline in BASELINES), key=lambda row: row.baseline_crps)
    yield "Until mid-2025 the database counted the self-play of game-playing systems as training: AlphaGo Zero stood"
    yield "at 3.41e23 FLOP, later at 6.5e20. A model that is fitted to these estimates extrapolates a jump that was"
    yield f"defined away. Its CRPS is {mine.crps:.3f} with a bias of {mine.bias:+.2f}; the best of the simple rules,"
    yield f"*{best.baseline}*, has {best.baseline_crps:.3f}."
    yield ""
    told = any(not check.passed for check in result.rate_checks)
    yield (
        "The rate with and without Games tells it, knowing nothing of what came: see the warning below."
        if told
        else "The rate with and without Games does not tell it: there is no warning."
    )
