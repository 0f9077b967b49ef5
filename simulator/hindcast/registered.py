"""Registered forecasts: what every way to forecast says of years to come, written once before they came, then scored.

A file holds them all, whatever they scored on the past, and names the one that is chosen; its digest refuses changes.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from simulator.engine.collecting import LEVELS
from simulator.engine.workers import Workers, pool_of
from simulator.errors import InputError
from simulator.files import LARGEST_TEXT, make_folder, read_bytes, short_hash, write_text
from simulator.hindcast.arms import SAMPLES
from simulator.hindcast.matrix import Question, program_hash, told_later, truths, ways
from simulator.hindcast.run_scores import RunScore, observed_runs, score_run
from simulator.history.forecast import RecordForecast
from simulator.history.observations import Observations
from simulator.runs.frozen import sealed, unsealed
from simulator.runs.groups import Group, Labelled
from simulator.runs.result import Result
from simulator.runs.run import Run
from simulator.runs.table import Table
from simulator.scenario.load import load_scenario
from simulator.version import simulator_version
from simulator.wording import aligned

if TYPE_CHECKING:
    import xarray as xr

YEARS_AHEAD: Final[int] = 5
KEY: Final[str] = "registered"
FORMAT: Final[int] = 1
_ABOUT: Final[str] = """\
# Forecasts of the largest known training run, registered before it came, by 'simulate hindcast --register': written
# once, never changed. Every way that was held against the others stands here, whatever it scored, and the chosen one.
# A row of `ways` is a year, of whose end it tells, and the quantiles of the record, log10 FLOP.
# It is scored by 'simulate score FILE': CRPS at each end of a year, by the table of training runs that is newest then.
"""


def register_forecasts(
    asked: Question, file: FilePath, *, cache: FilePath | None = None, workers: Workers = 1
) -> FilePath:
    """Write what every way forecasts from the last known year on, with the digest of it all; a file is written once.

    The table is the one that is named, or the newest that is shipped.
    """
    stays = f"{file}: is registered already, and stays as it is. Name another file."
    if file.exists():
        raise InputError(stays)
    if asked.origins or len(asked.own) > 1:
        raise InputError("--register: forecasts one table from its last year: leave out --origins and more tables.")
    name = asked.own[0].name if asked.own else None
    truth = next(each for each in truths(asked.own) if each.name == name or name is None)
    scenarios = [load_scenario(each) for each in asked.scenarios]
    origin, today = truth.seen.years[1], dt.datetime.now(tz=dt.UTC).date()
    longer = until_year(truth.seen, today.year + YEARS_AHEAD)
    with pool_of(workers) as pool:
        arms = ways(asked, scenarios, origins=[origin], cache=cache, pool=pool)
        for arm in arms:
            arm.begin(longer, origin)
        made = {arm.name: _rows(arm.forecast(longer, origin)) for arm in arms}
    data = {
        KEY: FORMAT, "dated": today.isoformat(), "chosen": arms[0].name, "scored_by": "CRPS of the record, OOM",
        "table": truth.name, "known_to_end_of": origin, "record": round(truth.seen.record_at(origin + 1.0), 4),
        "simulator_version": simulator_version(), "program": program_hash(), "seed": asked.seed, "samples": SAMPLES,
        "sampler": asked.sampler or "", "quantiles": list(LEVELS),
        "ways": made,
    }  # fmt: skip
    make_folder(file.parent)
    write_text(file, sealed(_ABOUT, data), new=stays)
    return file


def until_year(seen: Observations, last: int) -> Observations:
    """Lengthen what was observed to a year to come, for forecasts; the record there is not read."""
    years = np.arange(seen.record_year[0], last + 1.0)
    levels = np.full(years.size, seen.record_log_compute[-1])
    return told_later(seen, replace(seen, record_year=years, record_log_compute=levels, known_to=0.0))


def _rows(made: RecordForecast) -> list[list[float]]:
    ends = np.quantile(made.samples, LEVELS, axis=1).T
    return [[int(year), *np.round(row, 4).tolist()] for year, row in zip(made.years, ends, strict=True)]


def read_registered(file: FilePath) -> Mapping[str, Any]:
    """Read a file of registered forecasts, and refuse one that was changed."""
    remedy = "file of registered forecasts. 'simulate hindcast --register FILE' writes one."
    return unsealed(file, key=KEY, remedy=remedy, form=FORMAT)


def is_registered(file: FilePath) -> bool:
    """Tell a file of registered forecasts by its first words."""
    try:
        return file.suffix in (".yaml", ".yml") and f"\n{KEY}: ".encode() in read_bytes(file, most=LARGEST_TEXT)
    except OSError:  # who reads it says why it cannot be read
        return False


def _run_of(data: Mapping[str, Any], name: str) -> Run:
    """Give one of the forecasts as a run that kept its summary only."""
    rows = np.array(data["ways"][name], dtype=np.float64)
    about = {"units": "log10(FLOP)", "long_name": "physical compute"}
    levels = Labelled(("quantile", "year"), rows[:, 1:].T, about)
    coords = {
        "quantile": Labelled(("quantile",), np.array(data["quantiles"])),
        "year": Labelled(("year",), rows[:, 0] + 1.0),
    }
    attrs = {
        "name": name, "run_id": short_hash(str(data["digest"]), name), "scenario_hash": str(data["program"]),
        "simulator_version": data["simulator_version"], "subject": "largest known training run",
        "dollars": "not stated", "first_year": float(data["known_to_end_of"]) + 1.0, "samples": int(data["samples"]),
        "keep": "summary", "scenario": json.dumps({"as_of": data["dated"]}),
    }  # fmt: skip
    return Run.of(Group(attrs=attrs, children={"summary": Group({"physical_compute": levels}, coords)}).to_xarray())


@dataclass(frozen=True, repr=False)
class RegisteredScore(Result):
    """The scores of all ways in a file of registered forecasts."""

    kind: ClassVar[str] = "score"
    folder_name: ClassVar[str] = ""

    chosen: str
    dated: str
    scores: Sequence[RunScore]

    def tables(self) -> dict[str, Table]:
        """Give the scores as the ledger has them."""
        return {"scores": Table.of_rows(row for each in self.scores for row in each.tables()["scores"].rows())}

    @property
    def dataset(self) -> xr.Dataset:
        """The scores along way and target."""
        rows = ({"way": each.scoring["name"], **row} for each in self.scores for row in each.scores.rows())
        return Table.of_rows(rows).to_dataset("way", "quantity", "target")

    def lines(self) -> list[str]:
        """Say it in lines: each way in each year, then the mean CRPS, best first."""
        return list(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"forecasts registered on {self.dated} against {self.scores[0].against}; the chosen one is {self.chosen}"
        rows = [["", "end of", "came", "median (90 %)", "CRPS", "error", ""]]
        for each in self.scores:
            rows += [
                [each.scoring["name"], row["target"].removesuffix("-12-31"), f"{row['observed']:.2f}",
                 f"{row['median']:.2f} ({row['low']:.2f} to {row['high']:.2f})", f"{row['crps']:.3f}",
                 f"{row['error']:+.2f}", "in sample" if row["in_sample"] else ""]
                for row in each.scores.rows()
            ]  # fmt: skip
        yield from aligned(rows, keys=1, right=[False, False, True, False, True, True])
        means = {each.scoring["name"]: float(np.mean(each.scores["crps"])) for each in self.scores}
        order = sorted(means, key=lambda name: means[name])
        yield f"  mean CRPS: {', '.join(f'{name} {means[name]:.3f}' for name in order)}"


def score_registered(
    file: FilePath, observed: FilePath | None = None, *, snapshot: str | None = None, after: str | None = None
) -> RegisteredScore:
    """Score every registered forecast against the record at each end of a year that has come."""
    data, history = read_registered(file), observed_runs(observed, snapshot=snapshot)
    scores = [score_run(_run_of(data, name), history, after=after) for name in data["ways"]]
    ends = [replace(each, scores=each.scores.where(_at_ends(each))) for each in scores]
    return RegisteredScore(data["chosen"], data["dated"], ends)


def _at_ends(score: RunScore) -> list[bool]:
    """Tell which scores are at the end of a year: the forecasts are of nothing between."""
    return [target.endswith("-12-31") for target in score.scores["target"].tolist()]
