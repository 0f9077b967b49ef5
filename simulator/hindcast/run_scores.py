"""Scores of a run against what came after it: records of training compute, their costs, thresholds that were crossed.

A run is a forecast that was declared. It is compared with a table of training runs that may be newer, at every end of
a year that has come. A quantity is a level in log10; a threshold is an event with a probability.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from simulator.dates import date_of
from simulator.errors import InputError
from simulator.hindcast.ledger import SCORES, score_table
from simulator.hindcast.scores import Array, brier, level_scores, log_score
from simulator.history.columns import decimal_year, last_day, refusal
from simulator.history.frontier import record_on
from simulator.history.loading import SNAPSHOT, is_hardware, load_history, shipped_runs
from simulator.history.observations import refuse_stale
from simulator.history.tables import RunHistory, TrainingRun
from simulator.runs.crossings import crossed_by
from simulator.runs.folder import open_run
from simulator.runs.frozen import SAME_LEVEL, is_frozen, open_frozen
from simulator.runs.groups import differing_samples, group, named_thresholds
from simulator.runs.result import Result
from simulator.runs.table import Row, Table
from simulator.scenario.assumptions import delayed_thresholds, knowledge
from simulator.scenario.canonical import stored_data
from simulator.wording import aligned, share_text

if TYPE_CHECKING:
    import xarray as xr

QUANTITIES: Final[Mapping[str, str]] = {"physical_compute": "log10(FLOP)", "spending": "log10(USD)"}
"""What can be observed, with the unit in which a run must hold it."""

DRAWS_OF_QUANTILES: Final[int] = 10_000
"""Evenly spaced points by which quantiles stand for samples."""


@dataclass(frozen=True, repr=False)
class RunScore(Result):
    """The scores of a run, the day up to which its priors knew what came, and what a reader should know.

    `scores` has the columns `simulator.hindcast.ledger.SCORES`; `scoring` is what the ledger keeps beside each row,
    `against` names the table of observations, `samples` is how many its probabilities are estimated from.
    """

    kind: ClassVar[str] = "score"
    folder_name: ClassVar[str] = ""  # its table is written beside the run

    scores: Table
    known_to: dt.date | None
    after: dt.date
    notes: tuple[str, ...]
    scoring: Mapping[str, str]
    against: str
    samples: int

    def tables(self) -> dict[str, Table]:
        """Give the scores as the ledger has them."""
        return {"scores": score_table(self.scoring, self.scores)}

    @property
    def dataset(self) -> xr.Dataset:
        """The scores along quantity and target (the end of a year)."""
        return self.scores.to_dataset("quantity", "target").assign_attrs(self.scoring)

    def lines(self) -> list[str]:
        """Say it in lines: a table for each quantity, one for thresholds, means, notes."""
        return list(run_score_lines(self))


def score_run(
    run: xr.DataTree | FilePath | str,
    observed: RunHistory | FilePath | str | None = None,
    *,
    snapshot: str | None = None,
    after: dt.date | str | None = None,
) -> RunScore:
    """Score a run against the largest training run known at each end of a year.

    Parameters
    ----------
    run : DataTree or path
        A run, or its file or folder, or a frozen forecast; what kept no samples is scored by its quantiles, without a
        log score.
    observed : RunHistory or path of a table of training runs, optional
        What was observed, up to the date of its snapshot; the shipped table without it.
    snapshot : str, optional
        The date of the estimates in the table, where that is not a RunHistory.
    after : date or str, optional
        Only what came after this day is scored; without it, what came after the run's first year.

    Returns
    -------
    RunScore
        Scores of physical compute (log10 FLOP), spending (log10 USD) and thresholds, with its `lines()` and
        `tables()`; for the rules see `simulator.hindcast.scores`.

    Raises
    ------
    InputError
        The run has no physical compute, or in another unit; nothing was observed between its start and its horizon;
        the table cannot be read.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> changes = ["samples=256", "block=256", "years.first=2023", "years.last=2030"]
    >>> row = score_run(simulate(load_scenario("no-caps", overrides=changes))).scores.rows()[0]
    >>> row["quantity"], row["target"], round(row["observed"], 2), row["in_sample"]
    ('physical_compute', '2023-12-31', 25.7, True)
    """
    if isinstance(run, FilePath | str):
        with open_frozen(run) if is_frozen(run) else open_run(run) as opened:
            return score_run(opened, observed, snapshot=snapshot, after=after)
    history = observed if isinstance(observed, RunHistory) else observed_runs(observed, snapshot=snapshot)
    source = FilePath(history.file)
    named = "shipped table" if observed is None else source.name
    start = date_of(float(run.attrs["first_year"])).date()
    if after is not None:
        start = last_day(after, entry="--after") if isinstance(after, str) else after
    summary = group(run, "summary")
    _check_unit(summary, "physical_compute")
    targets = _targets(summary, history, after=start)
    scenario = stored_data(run.attrs)
    known_to = knowledge(scenario)
    rows = [
        _level_row(run, "physical_compute", target=end, year=year, observed=largest.log_flop)
        for end, year, largest in targets
    ]
    spending, said = _spending_rows(run, targets)
    events, more = _event_rows(run, history, targets, start=start, scenario=scenario)
    rows += [*spending, *events]
    for row in rows:
        row["in_sample"] = known_to is not None and row["target"] <= known_to.isoformat()
    return RunScore(
        scores=Table.of_rows(rows, SCORES),
        known_to=known_to,
        after=start,
        notes=(*history.report.doubts, *_notes(run, known_to, [target for target, *_ in targets]), *said, *more),
        scoring={
            "scored_on": dt.datetime.now(tz=dt.UTC).date().isoformat(),
            **{key: str(run.attrs.get(key, "")) for key in ("run_id", "name", "scenario_hash", "simulator_version")},
            "observations": source.name,
            "snapshot": history.snapshot,
            "observations_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        },
        against=f"{named}, estimates of {history.snapshot}",
        samples=differing_samples(run),
    )


def observed_runs(path: FilePath | str | None, *, snapshot: str | None) -> RunHistory:
    """Read the table of training runs that a run is scored against; the shipped one where none is named."""
    if path is None:
        return shipped_runs(snapshot or SNAPSHOT)
    if snapshot is None:
        rule = "--observed needs --snapshot, the date of the table's estimates: they are revised later."
        raise InputError(f"{rule} Write for example --snapshot 2027-01.")
    if is_hardware(path):
        raise refusal(path, "is a table of accelerators.", "Name a table of training runs.")
    return load_history(path, snapshot=snapshot)


def _check_unit(summary: xr.Dataset, name: str) -> None:
    if name not in summary:
        raise InputError(
            f"the run has no {name}, so it forecasts nothing that is observed of it. "
            "Score a run of a scenario with spending and hardware, or with compute."
        )
    unit = summary[name].attrs.get("units")
    if unit != QUANTITIES[name]:
        raise InputError(
            f"the run's {name} is in {unit or 'no unit'}; observations are in {QUANTITIES[name]}. "
            "Nothing is converted: write the run again in that unit."
        )


type _Target = tuple[dt.date, float, TrainingRun]


def _targets(summary: xr.Dataset, history: RunHistory, *, after: dt.date) -> list[_Target]:
    """List the ends of years that have come, and the last day that is known: each with its year, and the record."""
    years = summary["year"].values
    known_to, last = history.known_to, history.runs[-1]
    refuse_stale(history, known_to)
    ends = [(dt.date(round(year) - 1, 12, 31), float(year)) for year in years if year == round(year)]
    part = decimal_year(known_to + dt.timedelta(days=1))
    if part % 1 and years[0] <= part <= years[-1]:
        ends = sorted([*ends, (known_to, part)])
    come = [(end, year, record_on(history, end)) for end, year in ends if after < end <= known_to]
    found = [(end, year, largest) for end, year, largest in come if largest is not None]
    if not found:
        raise InputError(
            f"{history.file}: nothing to score: observations go up to {known_to} (the last is {last.name}, "
            f"{last.date}), the run forecasts {years[0]:g} to {years[-1]:g}, and what is counted begins after {after}. "
            "Score it again with a newer table, or name an earlier day with --after."
        )
    return found


def _notes(run: xr.DataTree, known_to: dt.date | None, targets: Sequence[dt.date]) -> Iterator[str]:
    yield f"the run is about: {run.attrs['subject']}; what came is the largest training run known."
    if known_to is None:
        yield "no prior of the run states as_of: it cannot be told what its priors knew, and nothing is in sample."
    elif all(target <= known_to for target in targets):
        yield f"all of it is in sample: priors of the run knew of {known_to}. This is a fit, not a forecast."
    if "trajectories" not in run.children:
        yield (
            "the run kept its summary only: scores come from its 25 quantiles, with nothing beyond the 1 and 99 % "
            "points; there is no log score."
        )


def _draws(run: xr.DataTree, name: str, year: float) -> Array:
    """Give the samples of a variable at a date, or points of its quantile function where no samples were kept.

    Between two years they are read on straight lines, in log10.
    """
    if "trajectories" in run.children:
        samples = group(run, "trajectories")[name].interp(year=year)
        return np.asarray(samples.values, dtype=np.float64)
    quantiles = group(run, "summary")[name].interp(year=year)
    points = (np.arange(DRAWS_OF_QUANTILES) + 0.5) / DRAWS_OF_QUANTILES
    return np.asarray(np.interp(points, quantiles["quantile"].values, quantiles.values), dtype=np.float64)


def _level_row(run: xr.DataTree, name: str, *, target: dt.date, year: float, observed: float) -> dict[str, Any]:
    draws = _draws(run, name, year)
    low, median, high = np.quantile(draws, [0.05, 0.5, 0.95]).tolist()
    has_density = "trajectories" in run.children and float(np.ptp(draws)) > 0
    return {
        "quantity": name,
        "target": target.isoformat(),
        "observed": observed,
        "median": median,
        "low": low,
        "high": high,
        **level_scores(draws, observed),
        "log_score": float(log_score(draws, observed)) if has_density else None,
        "error": median - observed,
    }


def _spending_rows(run: xr.DataTree, targets: Sequence[_Target]) -> tuple[list[dict[str, Any]], list[str]]:
    summary = group(run, "summary")
    if "spending" not in summary:
        return [], ["spending: the run does not tell it from hardware."]
    _check_unit(summary, "spending")
    rows, notes, unknown, bases = list[dict[str, Any]](), list[str](), list[str](), set[str]()
    for target, year, largest in targets:
        if largest.log_cost is None or not largest.cost_consistent:
            unknown.append(f"{target.year} ({largest.name})")
        elif other := _other_dollars(str(run.attrs["dollars"]), largest.cost_basis):
            notes.append(f"spending: left out: {other}.")
        else:
            rows.append(_level_row(run, "spending", target=target, year=year, observed=largest.log_cost))
            bases.add(largest.cost_basis)
    if unknown:
        notes.append(f"spending: no cost that belongs to the largest run is known at the end of {', '.join(unknown)}.")
    if rows:
        notes.append(f"spending: observed as {'; '.join(sorted(bases))}; the run's are {run.attrs['dollars']} dollars.")
    return rows, list(dict.fromkeys(notes))


def _other_dollars(ours: str, basis: str) -> str:
    """Say that a cost is in other dollars than the run's; empty where it is not, or where one does not say."""
    observed = re.search(r"\b(?:19|20)\d\d\b", basis)
    if ours == "not stated" or observed is None or ours == f"real {observed[0]}":
        return ""
    return f"the run is in {ours} dollars, the cost in those of {observed[0]}; nothing is converted"


def _event_rows(
    run: xr.DataTree,
    history: RunHistory,
    targets: Sequence[_Target],
    *,
    start: dt.date,
    scenario: Any,
) -> tuple[list[dict[str, Any]], list[str]]:
    summary = group(run, "summary")
    rows: list[dict[str, Any]] = []
    left_out, delayed = dict[str, list[str]](), delayed_thresholds(scenario)
    for name in named_thresholds(summary):
        at = summary.sel(threshold=name)
        quantity, levels = str(at["quantity"].values), at["threshold_level_quantile"].values
        level = float(np.median(levels))
        reason = _unobservable(quantity, levels, delayed=name in delayed)
        if quantity == "spending":
            bases = sorted({each.cost_basis for each in history.runs if each.cost_consistent})
            others = (_other_dollars(str(run.attrs["dollars"]), each) for each in bases)
            reason = reason or next(filter(None, others), "")
        if not reason and _crossed(history, start, quantity, level):
            reason = f"crossed by {start} already"
        if reason:
            left_out.setdefault(reason, []).append(name)
            continue
        for target, year, _ in targets:
            happened = _crossed(history, target, quantity, level)
            if happened is None:
                left_out.setdefault("the cost of the largest run is not known", []).append(f"{name} ({target.year})")
                continue
            probability = float(crossed_by(run, year, threshold=name)["probability"][0])
            said = {"quantity": f"crossing {name}", "target": target.isoformat(), "observed": float(happened)}
            rows.append({**said, "probability": probability, "brier": float(brier(probability, happened))})
    return rows, [f"thresholds left out: {', '.join(names)}: {reason}." for reason, names in left_out.items()]


def _unobservable(quantity: str, levels: Array, *, delayed: bool) -> str:
    if quantity == "effective_compute":
        return "nobody observes effective compute"
    if quantity not in QUANTITIES:
        return f"nothing is observed of {quantity}"
    if not np.isfinite(levels).all() or float(np.ptp(levels)) > SAME_LEVEL:
        return "the level is uncertain, so that it cannot be told whether it was crossed"
    return "a delay stands between the crossing and its date" if delayed else ""


def _crossed(history: RunHistory, date: dt.date, quantity: str, level: float) -> bool | None:
    """Tell whether a level was reached by a day; None where the cost that would tell is not known."""
    record = record_on(history, date)
    if quantity == "physical_compute":
        return record is not None and record.log_flop >= level
    costs = [each.log_cost for each in history.runs if each.date <= date and each.cost_consistent]
    if any(cost is not None and cost >= level for cost in costs):
        return True
    return False if record is None or record.cost_consistent else None


_HEADS = ["end of", "came", "median (90 %)", "CRPS", "WIS", "pinball", "log", "PIT", "error", "inside 50/80/90", ""]
_UNITS = {"physical_compute": "physical compute, log10 FLOP", "spending": "spending, log10 USD"}


def run_score_lines(score: RunScore) -> Iterator[str]:
    """Say the scores of a run: a table for each quantity, one for thresholds, means, notes."""
    forecasts = score.scores.where(in_sample=False)
    targets, ahead = (len(set(scores["target"].tolist())) for scores in (score.scores, forecasts))
    yield f"{score.scoring['name']} (run {score.scoring['run_id']}) against {score.against}, from {score.after} on"
    yield f"  {targets} DISTINCT {'DATE' if targets == 1 else 'DATES'}, {ahead} of them after what its priors knew"
    for quantity, title in _UNITS.items():
        if len(scores := score.scores.where(quantity=quantity)):
            yield f"  {title}"
            rows = [_HEADS, *map(_cells, scores.rows())]
            yield from aligned(rows, keys=1, right=[False, True, False, *[True] * 6])
            for mine, said in _apart(scores):
                inside = " / ".join(f"{100 * _mean(mine, f'inside_{level}'):.0f}" for level in (50, 80, 90))
                yield (
                    f"  mean of {len(mine)} {said}: CRPS {_mean(mine, 'crps'):.3f}, "
                    f"WIS {_mean(mine, 'interval_score'):.3f}, bias {_mean(mine, 'error'):+.2f}, "
                    f"inside 50/80/90: {inside} %"
                )
    if len(events := score.scores.where(~score.scores.column("probability").missing)):
        yield "  thresholds"
        rows = [["", "end of", "forecast", "came", "Brier", ""]]
        for row in events.rows():
            forecast, came = share_text(row["probability"], score.samples), "crossed" if row["observed"] else "not"
            name = row["quantity"].removeprefix("crossing ")
            rows.append([name, row["target"].removesuffix("-12-31"), forecast, came, f"{row['brier']:.3f}", _mark(row)])
        yield from aligned(rows, keys=1, right=[False, False, True, False, True])
        for mine, said in _apart(events):
            yield f"  mean of {len(mine)} {said}: Brier {_mean(mine, 'brier'):.3f}"
    for note in score.notes:
        yield f"  note: {note}"


def _cells(row: Row) -> list[str]:
    interval = f"{row['median']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
    logs = "-" if row["log_score"] is None else f"{row['log_score']:.2f}"
    scored = [*(f"{row[name]:.3f}" for name in ("crps", "interval_score", "pinball")), logs, f"{row['pit']:.2f}"]
    inside = " / ".join("yes" if row[f"inside_{level}"] else "no" for level in (50, 80, 90))
    return [
        row["target"].removesuffix("-12-31"),
        f"{row['observed']:.2f}",
        interval,
        *scored,
        f"{row['error']:+.2f}",
        inside,
        _mark(row),
    ]


def _mark(row: Row) -> str:
    return "in sample" if row["in_sample"] else ""


def _apart(scores: Table) -> Iterator[tuple[Table, str]]:
    """Part forecasts from what is in sample; their means are never mixed."""
    for in_sample, said in ((False, "forecasts"), (True, "in sample")):
        if len(mine := scores.where(in_sample=in_sample)):
            yield mine, said


def _mean(scores: Table, column: str) -> float:
    return float(np.mean(scores[column].astype(np.float64)))
