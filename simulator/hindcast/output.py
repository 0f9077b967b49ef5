"""The folder of a hindcast: its tables, written and read again."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path as FilePath
from typing import Any, Final

from scipy import special

from simulator.errors import InputError, RunFileError
from simulator.files import make_folder, write_table
from simulator.hindcast.baselines import BASELINES
from simulator.hindcast.hindcast import MODEL, ForecastRow, Hindcast, ScoreRow, SkillRow, skills
from simulator.hindcast.scores import EventScore, RecordRow

TABLES: Final[tuple[str, ...]] = ("forecasts", "scores", "skills", "quantiles", "events", "event_scores", "record")
"""The tables of a hindcast, each a CSV file of that name."""


@dataclass(frozen=True, slots=True)
class StoredHindcast:
    """Hold what charts draw of a hindcast: the name of its folder, forecasts, skills, and the record by year."""

    name: str
    forecasts: tuple[ForecastRow, ...]
    skills: tuple[SkillRow, ...]
    record: tuple[RecordRow, ...]

    @property
    def targets(self) -> int:
        """The number of distinct years that were forecast."""
        return len({row.target for row in self.forecasts if row.forecast == MODEL})

    @property
    def origins(self) -> tuple[int, ...]:
        """The years at whose ends forecasts were made."""
        return tuple(sorted({row.origin for row in self.forecasts}))

    @property
    def names(self) -> tuple[str, ...]:
        """The forecasts, the model first."""
        return tuple(dict.fromkeys([MODEL, *(row.forecast for row in self.forecasts)]))

    @property
    def with_hindsight(self) -> frozenset[str]:
        """The forecasts in which a prior knew what came."""
        return frozenset(row.forecast for row in self.forecasts if row.hindsight)


def write_hindcast(result: Hindcast, folder: FilePath) -> None:
    """Write the tables of a hindcast into a folder."""
    make_folder(folder)
    for name in TABLES:
        write_table(folder / f"{name}.csv", [asdict(row) for row in getattr(result, name)])


def is_hindcast(folder: FilePath) -> bool:
    """Say whether a folder holds a hindcast."""
    return folder.is_dir() and (folder / "forecasts.csv").is_file() and (folder / "skills.csv").is_file()


def open_hindcast(folder: FilePath) -> StoredHindcast:
    """Read the tables of a hindcast that charts draw.

    A folder without `record.csv` has the record of the years that were forecast, and none before.
    """
    if not is_hindcast(folder):
        raise InputError(f"{folder}: is no folder of a hindcast: it has no forecasts.csv. Make one: simulate hindcast.")
    forecasts = _rows(folder / "forecasts.csv", ForecastRow)
    if all(row.forecast != MODEL for row in forecasts):
        raise RunFileError(f"{folder / 'forecasts.csv'}: has no forecast by the {MODEL}. Make the hindcast again.")
    path = folder / "record.csv"
    if path.is_file():
        record = _rows(path, RecordRow)
    else:
        record = tuple(RecordRow(*pair, "") for pair in sorted({(row.target, row.observed) for row in forecasts}))
    return StoredHindcast(folder.resolve().name, forecasts, _rows(folder / "skills.csv", SkillRow), record)


def _flag(text: str) -> bool:
    return {"True": True, "False": False}[text]


_READ: Final[Mapping[str, Callable[[str], object]]] = {"float": float, "int": int, "str": str, "bool": _flag}


def _rows[T](path: FilePath, kind: type[T]) -> tuple[T, ...]:
    """Read a table, one object of `kind` to a row."""
    columns: Any = fields(kind)  # type: ignore[arg-type]
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RunFileError(f"{path}: cannot be read as a table: {error}.") from None
    given = list(lines[0]) if lines else []
    missing = [column.name for column in columns if column.name not in given and column.default is MISSING]
    if lines and missing:
        raise RunFileError(f"{path}: lacks the columns {', '.join(missing)}. Make the hindcast again.")
    made = []
    for number, line in enumerate(lines, start=2):
        cells = {}
        for column in (each for each in columns if each.name in given):
            try:
                cells[column.name] = _READ[column.type](line[column.name])
            except (ValueError, KeyError, TypeError):
                rule = f"{column.name}: must be a {column.type}; got {line[column.name]!r}."
                raise RunFileError(f"{path}:{number}: {rule} Make the hindcast again.") from None
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


LEVELS: Final[tuple[int, ...]] = (50, 80, 90)
LEAST_TARGETS: Final[int] = 3
"""Distinct years below which no interval is given."""


@dataclass(frozen=True, slots=True)
class PitRow:
    """Count where in their forecasts (probability of no more than what came) the values that came lay, in one bin.

    `expected` is the count of a calibrated forecast, with its 90 % interval for as many independent forecasts as there
    are distinct years.
    """

    forecast: str
    lower: float
    upper: float
    count: int
    expected: float
    expected_05: float
    expected_95: float


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """Hold how often what came lay in the central intervals of a level, with a 90 % interval of the true share.

    The interval (Jeffreys) is that of as many independent forecasts as there are distinct years (`targets`), for
    forecasts of one year err together.
    """

    forecast: str
    level: int
    inside: int
    forecasts: int
    targets: int
    seen: float
    seen_05: float
    seen_95: float
    hindsight: bool


@dataclass(frozen=True, slots=True)
class HorizonRow:
    """Hold the skill of the model against a baseline so many years ahead; no interval of fewer than three years."""

    baseline: str
    first_ahead: int
    last_ahead: int
    forecasts: int
    targets: int
    crps: float
    baseline_crps: float
    skill: float
    skill_05: float | None
    skill_95: float | None
    hindsight: bool


def pit_rows(rows: Sequence[ForecastRow]) -> tuple[PitRow, ...]:
    """Count probability integral transforms in 5 bins (10 from 50 forecasts on), by forecast."""
    table = []
    for name in dict.fromkeys(row.forecast for row in rows):
        mine = [row for row in rows if row.forecast == name]
        bins = 10 if len(mine) >= 50 else 5
        targets = len({row.target for row in mine})
        low, high = (binomial_quantile(level, targets, 1 / bins) * len(mine) / targets for level in (0.05, 0.95))
        for place in range(bins):
            count = sum(min(int(row.pit * bins), bins - 1) == place for row in mine)
            table.append(PitRow(name, place / bins, (place + 1) / bins, count, len(mine) / bins, low, high))
    return tuple(table)


def binomial_quantile(level: float, count: int, share: float) -> int:
    """Give the smallest number of successes whose cumulated probability reaches a level."""
    reached = 0.0
    for hits in range(count + 1):
        reached += math.comb(count, hits) * share**hits * (1 - share) ** (count - hits)
        if reached >= level:
            return hits
    return count


def coverage_rows(rows: Sequence[ForecastRow]) -> tuple[CoverageRow, ...]:
    """Count how often what came lay inside the 50, 80 and 90 % intervals, by forecast."""
    table = []
    for name in dict.fromkeys(row.forecast for row in rows):
        mine = [row for row in rows if row.forecast == name]
        targets = len({row.target for row in mine})
        for level in LEVELS:
            inside = sum(bool(getattr(row, f"inside_{level}")) for row in mine)
            low, high = jeffreys(inside / len(mine) * targets, targets)
            late = any(row.hindsight for row in mine)
            table.append(CoverageRow(name, level, inside, len(mine), targets, inside / len(mine), low, high, late))
    return tuple(table)


def jeffreys(hits: float, count: int) -> tuple[float, float]:
    """Give the central 90 % interval of a share after `hits` of `count`: Beta(hits + 1/2, count - hits + 1/2).

    The lower end is 0 where nothing hit, the upper 1 where everything did (Brown, Cai and DasGupta 2001).
    """
    low, high = (float(special.betaincinv(hits + 0.5, count - hits + 0.5, level)) for level in (0.05, 0.95))
    return (0.0 if hits <= 0 else low), (1.0 if hits >= count else high)


def horizon_bins(rows: Sequence[ForecastRow]) -> list[tuple[int, int]]:
    """Group years ahead, from the nearest, so that each group has three distinct target years or more."""
    targets: dict[int, set[int]] = {}
    for row in rows:
        if row.forecast == MODEL:
            targets.setdefault(row.target - row.origin, set()).add(row.target)
    bins: list[tuple[int, int]] = []
    first, held = min(targets), set[int]()
    for ahead in sorted(targets):
        held |= targets[ahead]
        if len(held) >= LEAST_TARGETS:
            bins.append((first, ahead))
            first, held = ahead + 1, set[int]()
    if held:
        begin = bins.pop()[0] if bins else first
        bins.append((begin, max(targets)))
    return bins


def horizon_rows(rows: Sequence[ForecastRow]) -> tuple[HorizonRow, ...]:
    """Compare the model with every other forecast by years ahead; whole target years are resampled, as in `skills`."""
    table = []
    for first, last in horizon_bins(rows):
        mine = [row for row in rows if first <= row.target - row.origin <= last]
        count = sum(row.forecast == MODEL for row in mine)
        targets = len({row.target for row in mine})
        table += [_horizon(skill, (first, last), count, targets) for skill in skills(mine, seed=0)]
    names = list(dict.fromkeys(row.forecast for row in rows))
    return tuple(sorted(table, key=lambda row: (names.index(row.baseline), row.first_ahead)))


def _horizon(skill: SkillRow, ahead: tuple[int, int], count: int, targets: int) -> HorizonRow:
    known = targets >= LEAST_TARGETS
    return HorizonRow(
        skill.baseline, *ahead, forecasts=count, targets=targets, crps=skill.crps, baseline_crps=skill.baseline_crps,
        skill=skill.skill, skill_05=skill.skill_05 if known else None, skill_95=skill.skill_95 if known else None,
        hindsight=skill.hindsight,
    )  # fmt: skip
