"""The matrix of hindcasts: every table with and without games, from every origin, by every way to forecast.

The scores of one way from one origin of one table are a file: what was scored before is read, and the rest is made.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from pathlib import Path as FilePath
from typing import Final, Literal

import numpy as np

from simulator.engine.checkpoints import keep_in
from simulator.engine.workers import Workers, pool_of
from simulator.errors import InputError
from simulator.files import make_folder, remove_folder, short_hash, write_text
from simulator.hindcast.arms import (
    GAMES,
    SAMPLES,
    Arm,
    check_hindsight,
    fitted_arms,
    origins_of,
    path_arms,
    rule_arms,
    sampled,
    scenario_arms,
)
from simulator.hindcast.baselines import BASELINES
from simulator.hindcast.matrix_result import FIRST_ORIGIN, Matrix
from simulator.hindcast.rows import COLUMNS, Made, forecast_rows, record_table
from simulator.history import loading
from simulator.history.columns import last_day
from simulator.history.fit import SamplerSettings
from simulator.history.forecast import RecordForecast
from simulator.history.learning import Series
from simulator.history.observations import Observations
from simulator.runs.table import Row, Table
from simulator.scenario.library import shipped_folder
from simulator.scenario.load import load_scenario
from simulator.scenario.resolving import Scenario

REVISED: Final[float] = 0.31
"""The share of frontier estimates that Epoch AI changed between December 2023 and May 2026."""
REVISION: Final[float] = 0.46
"""OOM: the spread of a normal change whose median size is the 0.31 OOM of those that changed."""


@dataclass(frozen=True, slots=True)
class Truth:
    """A table of the matrix: its name, the day of its estimates, what was observed, with games or not; what is odd."""

    name: str
    date: dt.date
    seen: Observations
    games: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnTable:
    """A table of one's own: the file, the date of its estimates, and the last year of it that counts, if not all."""

    file: FilePath
    date: str
    until: str = ""

    @property
    def name(self) -> str:
        """What it is called: its file without folders, and the date."""
        return self.file.stem if self.date in self.file.stem else f"{self.file.stem} {self.date}"

    @classmethod
    def read(cls, text: str) -> OwnTable:
        """Read FILE@DATE or FILE@DATE:YEAR."""
        path, _, dates = text.rpartition("@")
        date, _, until = dates.partition(":")
        if not path or not date:
            raise InputError(
                f"--table: must be FILE@DATE, such as runs.csv@2026-05, or FILE@DATE:LAST-YEAR; got '{text}'."
            )
        return cls(FilePath(path), date, until)


def truths(own: Sequence[OwnTable] = ()) -> tuple[Truth, ...]:
    """Read the shipped table by both estimates, and tables of one's own, each to the end of its last whole year."""
    held = [(f"shipped {date}", loading.shipped_runs(date), loading.SHIPPED_TOP, "") for date in loading.SNAPSHOTS]
    held += [(each.name, loading.load_history(each.file, snapshot=each.date), 10, each.until) for each in own]
    names = [name for name, *_ in held]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"--table: two tables are called '{twice[0]}'. Give one of the files another name.")
    found = []
    for name, runs, top, until in held:
        known = runs.known_to
        year = known.year if (known.month, known.day) == (12, 31) else known.year - 1
        date = last_day(runs.snapshot, entry="--table")
        last, tables = last_day(until or f"{year}", entry="--table"), Series(runs, loading.shipped_accelerators(), top)
        found.append(Truth(name, date, tables.observations(until=last), games=True, notes=runs.report.doubts))
        if any(GAMES in run.domains for run in runs.runs):
            seen = tables.observations(without_domain=GAMES, until=last)
            found.append(Truth(f"{name}, no games", date, seen, games=False))
    return tuple(found)


@cache
def program_hash() -> str:
    """Name the program by its sources, shipped priors and scenarios: another one makes other forecasts."""
    package = FilePath(__file__).resolve().parents[1]
    places = (package, "*.py"), (shipped_folder("priors"), "*.yaml"), (shipped_folder("scenarios"), "*.yaml")
    files = [file for folder, pattern in places for file in sorted(folder.rglob(pattern))]
    return short_hash(results=b"".join(file.read_bytes() for file in files))


def _table_hash(seen: Observations) -> str:
    return short_hash(*(repr(np.asarray(getattr(seen, field.name)).tolist()) for field in fields(seen)))


type Cell = tuple[list[Row], list[str]]
"""The scores of one way to forecast from one origin, and what speaks against its fit."""


def scored_cell(truth: Truth, arm: Arm, origin: int, *, settled: str, folder: FilePath | None) -> Cell:
    """Score one way to forecast from one origin, or read what was scored; `settled` is all else that it hangs on."""
    said, file = _cell(truth, arm, origin, settled=settled, folder=folder)
    if file is not None:
        stored = None
        with contextlib.suppress(OSError, ValueError):
            stored = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(stored, dict) and {key: stored.get(key) for key in said} == said:
            return stored["rows"], stored["doubts"]
    rows = list(forecast_rows(arm.made(truth.seen, origin), truth.seen))
    doubts = list(arm.doubts(truth.seen, origin))
    if file is not None:  # which another edition of this program may remove meanwhile
        keep_in(file.parent, partial(write_text, file, json.dumps({**said, "rows": rows, "doubts": doubts})))
    return rows, doubts


def _cell(
    truth: Truth, arm: Arm, origin: int, *, settled: str, folder: FilePath | None
) -> tuple[dict[str, object], FilePath | None]:
    """Say what the scores of a cell are of, and where they are kept."""
    hangs_on = f"{_table_hash(truth.seen)} {settled}"
    said = {"table": truth.name, "forecast": arm.name, "origin": origin, "settled": hangs_on}
    return said, None if folder is None else folder / f"{short_hash(*map(str, said.values()))}.json"


def _begin(truth: Truth, arms: Sequence[Arm], origins: Sequence[int], *, settled: str, folder: FilePath | None) -> None:
    """Hand over what the cells of a table need that are not kept; what is wrong is said where they are scored."""
    for arm in arms:
        for origin in origins_of(truth.seen, origins):
            _, file = _cell(truth, arm, origin, settled=settled, folder=folder)
            if file is None or not file.is_file():
                with contextlib.suppress(InputError):
                    arm.begin(truth.seen, origin)


def _kept(folder: FilePath) -> FilePath:
    """Make the folder of this program's scores; those of others can never be read again, and are removed."""
    mine = folder / program_hash()
    make_folder(mine)
    for other in folder.iterdir():
        if other != mine and other.is_dir() and re.fullmatch("[0-9a-f]{8}", other.name):
            remove_folder(other)
    return mine


def make_matrix(
    arms: Sequence[Arm],
    *,
    tables: Sequence[Truth],
    origins: Sequence[int] = (),
    later: Sequence[Arm] = (),
    settled: Sequence[str] = (),
    folder: FilePath | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Matrix:
    """Score every arm, the first against the others, from every origin of every table.

    `settled` names what forecasts hang on beside the program: seeds, scenarios; `say` is told of each table that is
    done. A table has the origins of which it knows enough before and a later year; an arm that some origin is too early
    for is not made there, and compared where it is. `later` forecast a truth that was told later; the arms without it.
    """
    if folder is not None:
        folder = _kept(folder)
    key = " ".join([program_hash(), *settled])
    rows, missing, doubted = list[Row](), dict[str, list[str]](), dict[str, list[str]]()
    for truth in tables[:1]:
        _begin(truth, arms, origins, settled=key, folder=folder)
    for place, truth in enumerate(tables, start=1):
        for after in tables[place : place + 1]:
            _begin(after, arms, origins, settled=key, folder=folder)
        chosen = origins_of(truth.seen, origins)
        for arm in arms:
            for origin in chosen:
                try:
                    made, doubts = scored_cell(truth, arm, origin, settled=key, folder=folder)
                except InputError as error:
                    if arm.name in (arms[0].name, *BASELINES):
                        raise
                    missing.setdefault(arm.name, []).append(f"{truth.name}, {origin}: {error}")
                else:
                    rows += [{"table": truth.name, **row} for row in made]
                    if doubts:
                        doubted.setdefault(arm.name, []).append(f"{truth.name}, {origin}: {' '.join(doubts)}")
        say(f"{place} of {len(tables)}: {truth.name}, {len(arms)} ways from {len(chosen)} origins")
    if not rows:
        raise InputError("--origins: no table has a year after them, and three records before. Name others.")
    return Matrix(
        names=tuple(dict.fromkeys(str(row["table"]) for row in rows)),
        forecasts=Table.of_rows(rows, ("table", *COLUMNS["forecasts"])),
        vintages=vintages(later or arms, tables),
        knew={arm.name: told for arm in arms if (told := arm.hindsight(min(row["origin"] for row in rows)))},
        missing={name: _times(told) for name, told in missing.items()},
        doubted={name: _times(told) for name, told in doubted.items()},
        records={truth.name: record_table(truth.seen) for truth in tables},
        warned=tuple(f"{truth.name}: {note}" for truth in tables for note in truth.notes),
    )


def _times(told: Sequence[str]) -> str:
    return f"{len(told)} time{'s' * (len(told) > 1)}, first {told[0]}"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a matrix: tables and scenarios beside those that are shipped, origins, how the model is sampled.

    Without origins all are taken that a table has; without a sampler the model of history is left out.
    """

    own: tuple[OwnTable, ...] = ()
    scenarios: tuple[str, ...] = ()
    allow_hindsight: bool = False
    origins: tuple[int, ...] = ()
    sampler: Literal["pymc", "nutpie"] | None = None
    seed: int = 0

    @property
    def words(self) -> str:
        """The command that asks the same; files are named without their folders."""
        words = ["simulate hindcast", *self.scenarios[:1], *(f"--against {each}" for each in self.scenarios[1:])]
        words += ["--matrix", *(["--allow-hindsight"] if self.allow_hindsight else [])]
        words += [f"--table {each.file.name}@{each.date}{f':{each.until}' if each.until else ''}" for each in self.own]
        words += [f"--origins {','.join(map(str, self.origins))}"] if self.origins else []
        words += [f"--sampler {self.sampler}"] if self.sampler else []
        return " ".join([*words, *([f"--seed {self.seed}"] if self.seed else [])])


def ways(
    asked: Question,
    scenarios: Sequence[Scenario],
    *,
    origins: Sequence[int],
    cache: FilePath | None,
    pool: Executor | None = None,
) -> list[Arm]:
    """Give every way to forecast that is asked for, the forecast first; origins are those of the sampled model."""
    size, seed = SAMPLES, asked.seed
    found = path_arms(size=size, seed=seed, pool=pool)
    if asked.sampler:
        fits = sampled(origins, settings=SamplerSettings(sampler=asked.sampler, seed=seed), cache=cache, pool=pool)
        found += fitted_arms(fits, size=size, seed=seed, pool=pool)
    return [*found, *rule_arms(size=size, seed=seed), *scenario_arms(scenarios, size=size, seed=seed, pool=pool)]


def answer_matrix(
    asked: Question,
    *,
    folder: FilePath | None = None,
    cache: FilePath | None = None,
    say: Callable[[str], None] = lambda _: None,
    workers: Workers = 1,
) -> Matrix:
    """Read the tables, and score every way to forecast on them; `folder` keeps scores, and `cache` fits."""
    scenarios = [load_scenario(name) for name in asked.scenarios]
    if not asked.allow_hindsight:
        check_hindsight(scenarios, origins=asked.origins or (FIRST_ORIGIN,))
    tables = truths(asked.own)
    ends = [truth.seen.years[1] for truth in tables]
    with pool_of(workers) as pool:
        made = make_matrix(
            ways(asked, scenarios, origins=asked.origins, cache=cache, pool=pool),
            tables=tables,
            origins=asked.origins,
            later=ways(asked, scenarios, origins=ends, cache=cache, pool=pool),
            settled=[f"{asked.seed}", asked.sampler or "", *(scenario.hash for scenario in scenarios)],
            folder=folder,
            say=say,
        )
    return replace(made, folder_name=f"hindcast-matrix-{short_hash(asked.words)}")


def revised(forecast: RecordForecast) -> RecordForecast:
    """Add to a forecast the error of a truth that is told by a later snapshot: estimates are revised."""
    rng = np.random.default_rng([0, forecast.origin, 7])  # 0 to 6 are the streams of the forecasts themselves
    size = forecast.samples.shape[1]
    change = np.where(rng.random(size) < REVISED, REVISION * rng.standard_normal(size), 0.0)
    return replace(forecast, samples=forecast.samples + change)


def vintages(arms: Sequence[Arm], tables: Sequence[Truth]) -> Table:
    """Score forecasts from the end of each earlier snapshot's last year by what the latest snapshot tells.

    Both as they are made, and with the error of revision.
    """
    rows, told = list[Row](), list[tuple[Truth, Truth, Observations]]()
    for games in (True, False):
        alike = [truth for truth in tables if truth.games is games]
        latest = max(alike, key=lambda each: each.seen.known_to, default=None)
        earlier = (truth for truth in alike if latest is not None and truth.date < latest.date)
        told += [(truth, latest, told_later(truth.seen, latest.seen)) for truth in earlier if latest is not None]
    for truth, _, seen in told:
        for arm in arms:
            with contextlib.suppress(InputError):
                arm.begin(seen, truth.seen.years[1])
    for truth, latest, seen in told:
        origin = truth.seen.years[1]
        for arm in arms:
            try:
                made = arm.forecast(seen, origin)
            except InputError:  # said of the cells
                continue
            pairs = zip(forecast_rows(Made(arm.name, made), latest.seen),
                        forecast_rows(Made(arm.name, revised(made)), latest.seen), strict=True)  # fmt: skip
            rows += [
                {"table": truth.name, "told_by": latest.name, "forecast": arm.name, "origin": origin,
                 "target": row["target"], "observed": row["observed"], "crps": row["crps"], "error": row["error"],
                 "crps_revised": other["crps"], "inside_90": row["inside_90"]}
                for row, other in pairs
            ]  # fmt: skip
    return Table.of_rows(rows)


def told_later(seen: Observations, later: Observations) -> Observations:
    """Lengthen the record of a snapshot by the years that a later one tells, to be forecast; a record never falls."""
    new = later.record_year > seen.years[1]
    levels = np.concatenate([seen.record_log_compute, later.record_log_compute[new]])
    return replace(
        seen,
        record_year=np.concatenate([seen.record_year, later.record_year[new]]),
        record_log_compute=np.maximum.accumulate(levels),
        known_to=0.0,
    )
