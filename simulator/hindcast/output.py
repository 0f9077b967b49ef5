"""What a hindcast gives: its tables, the lines that say it, its page, its folder read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from simulator.errors import InputError, RunFileError
from simulator.files import read_csv, short_hash
from simulator.hindcast.baselines import BASELINES
from simulator.hindcast.rows import COLUMNS, INSIDE, MODEL, distinct, event_scores, made_table, mean_scores, verdict
from simulator.history.diagnostics import Diagnostics, RateCheck
from simulator.runs.kinds import kind_named, stored_lines
from simulator.runs.result import Result
from simulator.runs.table import Row, Table
from simulator.scenario.resolving import Scenario
from simulator.wording import markdown_table

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
        for name in ("snapshot", "until", "sampler", "seed", "runs", "accelerators"):
            if (value := getattr(self, name)) is not None:
                words.append(f"--{name} {value}")
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
    forecasts: Table
    skills: Table
    diagnostics: tuple[Diagnostics, ...] = ()
    rate_checks: tuple[RateCheck, ...] = ()
    quantiles: Table = field(default_factory=lambda: made_table("quantiles", ()))
    events: Table = field(default_factory=lambda: made_table("events", ()))
    notes: tuple[str, ...] = ()
    record: Table = field(default_factory=lambda: made_table("record", ()))
    folder_name: str = "hindcast"
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
        """The forecasts, the model first."""
        return tuple(dict.fromkeys([MODEL, *distinct(self.forecasts, "forecast")]))

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
        """What its charts say of where they come from."""
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
    forecasts = _read(folder, "forecasts")
    if MODEL not in forecasts["forecast"].tolist():
        raise RunFileError(f"{folder / 'forecasts.csv'}: has no forecast by the {MODEL}. Make the hindcast again.")
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


_FLAGS: Final[Mapping[str, bool]] = {"True": True, "False": False}
_CELLS: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    **dict.fromkeys(("forecast", "baseline", "snapshot"), ("str", str)),
    **dict.fromkeys(("origin", "target", "year"), ("int", int)),
    **dict.fromkeys((*INSIDE, "happened", "hindsight"), ("bool", _FLAGS.__getitem__)),
}
"""What the cells of columns are that hold no plain numbers, and how they are read."""


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
    rows = []
    for line, texts in lines:
        cells, row = {**untold, **dict(zip(head, texts, strict=False))}, {}
        for column in columns:
            kind, read = _CELLS.get(column, ("float", float))
            try:
                row[column] = read(cells[column])
            except (ValueError, KeyError):
                rule = f"{column}: must be a {kind}; got {cells.get(column)!r}."
                raise RunFileError(f"{path}:{line}: {rule} Make the hindcast again.") from None
        rows.append(row)
    return made_table(name, rows)


LATE = " (with hindsight)"
"""Stands after the name of a forecast whose priors knew what came."""


def of_all(scores: Table) -> Table:
    """Keep the mean scores over all origins."""
    return scores.where([origin is None for origin in scores["origin"]])


def hindcast_lines(result: Hindcast) -> Iterator[str]:
    """Say a hindcast in lines: how many targets, the mean scores of all, the model by origin, thresholds, skill."""
    scores = result.scores.rows()
    width, count = max(16, *(len(_named(row)) for row in scores)), len(result.forecasts.where(forecast=MODEL))
    yield (
        f"hindcast of the year-end record, log10 FLOP: {result.snapshot}; "
        f"origins {', '.join(map(str, result.origins))}; {count} forecasts of {result.targets} DISTINCT YEARS"
    )
    yield f"  {'':<{width}}{'n':>4}   CRPS  pinball   bias   coverage 50/80/90 %"
    for row in scores:
        if row["origin"] is None or row["forecast"] == MODEL:
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
            f"(90 % {skill['skill_05']:+.2f} to {skill['skill_95']:+.2f}), {verdict(skill)}"
        )


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


_HEAD = """\
The year-end record of training compute (log10 FLOP) is forecast from the end of past years, with the runs
and accelerators that had been published by then, and scored against what came. CRPS is in orders of
magnitude (OOM), smaller is better. Forecasts of one year from several origins err together: read the number
of distinct years, not that of forecasts. Differences in CRPS below 0.03 are ties. The values are those that
the snapshot gives today: revisions of a run's compute after the origin are not undone."""
_ARMS = """\
Beside the model, which is fitted to past runs, and the four simple rules stand forecasts that are fitted to
nothing. *Period priors* start from the record (with an error of 0.2 OOM) and grow as the newest publication
said that was known at the origin. A *scenario* is run as it stands from the record on: its growth, caps and
constraints, with their dates; FLOP per USD is the median of the runs of the last two years."""
_HINDSIGHT = f"""\
**{LATE.strip("( )").capitalize()}**: these forecasts rest on priors that knew what came after an origin. They
show what the scenario says of the past, and not how good a forecast it would have been."""


def hindcast_page(
    results: Sequence[tuple[str, Hindcast]],
    *,
    command: str,
    failure: tuple[str, Hindcast] | None = None,
    pictures: Sequence[tuple[str, str]] = (),
) -> str:
    """Write the page that documents hindcasts, from their results: (heading, hindcast) each."""
    blocks = ["# Hindcasts: how good such forecasts would have been", f"Written by `{command}`.", _HEAD]
    every = [result for _, result in results] + ([failure[1]] if failure else [])
    if any(name not in (MODEL, *BASELINES) for result in every for name in result.names):
        blocks.append(_ARMS)
    if any(result.with_hindsight for result in every):
        blocks.append(_HINDSIGHT)
    for place, (heading, result) in enumerate(results):
        blocks += [f"## {heading}", *_section(result)]
        blocks += [f"![{text}]({file})" for file, text in pictures if place == 0]
    if failure:
        heading, result = failure
        blocks += [f"## {heading}", *_failure_words(result), *_section(result)]
    return "\n\n".join(blocks) + "\n"


def _section(result: Hindcast) -> Iterator[str]:
    """Write the tables of one hindcast."""
    yield f"**{result.targets} distinct years**, origins {', '.join(map(str, result.origins))}."
    skills = {row["baseline"]: _skill(row) for row in result.skills.rows()}
    yield markdown_table(
        ["forecast", "n", "CRPS", "pinball", "bias", "inside 50 / 80 / 90 %", "skill of the model, 90 % interval"],
        (
            [_named(row), f"{row['forecasts']}", f"{row['crps']:.3f}", f"{row['pinball']:.3f}", f"{row['bias']:+.2f}",
             _coverage(row), skills.get(row["forecast"], "")]
            for row in of_all(result.scores).rows()
        ),
    )  # fmt: skip
    if thresholds := _thresholds(result):
        yield "Brier scores of the record being above a threshold (0 is best, 0.25 is a coin; n in brackets):"
        rows = (
            [name, *(f"{cell['brier']:.3f} ({cell['forecasts']})" if cell else "" for cell in cells)]
            for name, cells in _by_forecast(result, thresholds)
        )
        yield markdown_table(["forecast", *(f"{_flop(threshold)} FLOP" for threshold in thresholds)], rows)
    yield from (f"Note: {note}." for note in result.notes)
    yield from (f"Warning: {warning.rstrip('.')}." for warning in result.warnings)


def _skill(skill: Row) -> str:
    return f"{skill['skill']:+.2f} ({skill['skill_05']:+.2f} to {skill['skill_95']:+.2f}), {verdict(skill)}"


def _failure_words(result: Hindcast) -> Iterator[str]:
    """Say how the model does on the earlier snapshot, and whether its check of the rate told."""
    mine = of_all(result.scores).where(forecast=MODEL).rows()[0]
    simple = [row for row in result.skills.rows() if row["baseline"] in BASELINES]
    best = min(simple, key=lambda row: float(row["baseline_crps"]))
    crps, bias = mine["crps"], mine["bias"]
    yield (
        "Until mid-2025 the database counted the self-play of game-playing systems as training: AlphaGo Zero stood\n"
        "at 3.41e23 FLOP, later at 6.5e20. A model that is fitted to these estimates extrapolates a jump that was\n"
        f"defined away. Its CRPS is {crps:.3f} with a bias of {bias:+.2f}; the best of the simple rules,\n"
        f"*{best['baseline']}*, has {best['baseline_crps']:.3f}."
    )
    told = any(not check.passed for check in result.rate_checks)
    yield (
        "The rate with and without Games tells it, knowing nothing of what came: see the warning below."
        if told
        else "The rate with and without Games does not tell it: there is no warning."
    )
