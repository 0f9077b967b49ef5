"""Hindcasts: forecasts of the record from past origins, scored against what came and against simple baselines.

At each origin a forecast sees what had been published by the end of that year, as the snapshot tells it today: later
revisions of those values are not undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Literal

from simulator.engine.workers import Workers, pool_of
from simulator.errors import InputError
from simulator.hindcast import rows as tables
from simulator.hindcast.arms import (
    GAMES,
    SAMPLES,
    Arm,
    Begun,
    check_hindsight,
    fitted_arms,
    forecast_baseline,
    origins_of,
    path_arms,
    rule_arms,
    sampled,
    scenario_arms,
    scenario_notes,
)
from simulator.hindcast.baselines import BASELINES
from simulator.hindcast.output import Asked, Hindcast
from simulator.hindcast.scenario_forecast import first_period, growth_priors
from simulator.history import loading
from simulator.history.columns import last_day
from simulator.history.diagnostics import check_rate, diagnose
from simulator.history.fit import SamplerSettings
from simulator.history.forecast import forecast_times
from simulator.history.frontier import chosen_runs, without
from simulator.history.learning import Series, series
from simulator.history.observations import Observations, known_at
from simulator.scenario.load import load_scenario
from simulator.scenario.resolving import Scenario
from simulator.wording import listed


def hindcast(
    observations: Observations,
    *,
    arms: Sequence[Arm],
    origins: Sequence[int],
    fits: Begun | None = None,
    without: Observations | None = None,
    left_out: str = "one domain",
    notes: Sequence[str] = (),
    thresholds: Sequence[float] = tables.THRESHOLDS,
) -> Hindcast:
    """Forecast the year-end record from past origins to the last known year by every arm, and score them.

    The first arm is held against the others. `fits` are those that arms use; whether their chains agree is said.
    `without` is the same snapshot ranked again without one domain, which shows whether the rate rests on it.
    """
    check_origins(observations, origins)
    for arm in arms:
        for origin in origins:
            arm.begin(observations, origin)
    made = [arm.made(observations, origin) for arm in arms for origin in origins]
    forecasts = [row for arm in made for row in tables.forecast_rows(arm, observations)]
    events = [row for arm in made for row in tables.event_rows(arm, observations, thresholds=thresholds)]
    scored = tables.made_table("forecasts", forecasts)
    checks = () if without is None else (
        check_rate(observations, without=without, left_out=left_out, origin=origin) for origin in origins
    )  # fmt: skip
    return Hindcast(
        snapshot=observations.snapshot,
        origins=tuple(origins),
        forecasts=scored,
        skills=tables.skills(scored),
        diagnostics=() if fits is None else tuple(diagnose(fits(observations)()[origin]) for origin in origins),
        rate_checks=tuple(checks),
        quantiles=tables.made_table("quantiles", (row for arm in made for row in tables.quantile_rows(arm))),
        events=tables.made_table("events", events),
        notes=(*notes, *_knew(arms, min(origins)), *_short(observations, arms, origins)),
        record=tables.record_table(observations),
    )


def _knew(arms: Sequence[Arm], origin: int) -> Iterator[str]:
    """Say what arms knew of what came after the first origin, those that knew the same in one line."""
    words = {arm.name: said for arm in arms if (said := arm.hindsight(origin))}
    for said in dict.fromkeys(words.values()):
        yield f"with hindsight, {listed([name for name, knew in words.items() if knew == said])}: {said}"


def _short(observations: Observations, arms: Sequence[Arm], origins: Sequence[int]) -> Iterator[str]:
    """Say of which rules hardly anything was known, so that their score is that of the draws alone."""
    first = origins_of(observations)[0]
    if first in origins and (short := [arm.name for arm in arms if arm.name in ("jump from last", "regression line")]):
        yield (
            f"{' and '.join(short)} at origin {first}: three years of record leave one degree of freedom, of which "
            "the expected CRPS is infinite; the scores are those of the draws"
        )


def check_origins(observations: Observations, origins: Iterable[int]) -> None:
    """Check before any fit that a record can be forecast from each origin, by every arm."""
    for origin in origins:
        known_at(observations, origin + 1.0)
        forecast_times(origin + 1.0, observations.years[1] + 1.0)
        for name in BASELINES:
            forecast_baseline(name, observations, origin, size=1, seed=0)


def make_hindcast(
    scenario: Scenario | FilePath | str | None = None,
    *,
    against: Sequence[Scenario | FilePath | str] = (),
    allow_hindsight: bool = False,
    origins: Sequence[int] | None = None,
    runs: FilePath | str | None = None,
    accelerators: FilePath | str | None = None,
    snapshot: str | None = None,
    until: str = "2025",
    without_domain: Sequence[str] = (),
    sampler: Literal["pymc", "nutpie"] | None = None,
    seed: int = 0,
    cache: FilePath | str | None = None,
    workers: Workers = 1,
) -> Hindcast:
    """Forecast the record of training compute from past years, and score every way of doing so against what came.

    From the end of each origin on, the largest known run at the end of each later year is forecast (log10 FLOP) by
    what had been published by then. The forecast is a third each of three closed forms (`simulator.history.path`),
    which stand beside it, as do the same with a growth that was known in 2012, a stack of the three by past scores,
    and four simple rules. Where a scenario is named, so do the priors that were published by then, and the scenario
    as it stands, from that record on. With a sampler the model of history is fitted at each origin too, and the
    scenario that learns from it forecasts what it would have printed then.
    The skill against another forecast is 1 - CRPS of the first / CRPS of the other, see `simulator.hindcast.scores`.

    Parameters
    ----------
    scenario : Scenario, path or shipped name, optional
        Where it learns from history, its table of runs is forecast, and the model has its priors on past growth.
    against : sequence of the same
        Further scenarios to compare with.
    allow_hindsight : bool
        Admit priors that knew what came after an origin (their `as_of`); every table then says so.
    origins : sequence of int, optional
        Calendar years at whose ends forecasts are made; all without them: from the third record
        on, 2014.
    runs, accelerators : path, optional
        Tables of training runs and of accelerators with prices; what is shipped without them.
    snapshot : str, optional
        The date of the estimates in `runs`, or those of the shipped table: 2026-05 or 2025-06. Without it that of the
        scenario's history, or 2026-05.
    until : str
        The last day whose record is forecast: a year, a month or a day.
    without_domain : sequence of str
        Domains that are left out of the frontier, such as Games.
    sampler : {"pymc", "nutpie"}, optional
        What samples the model of history, which takes a minute or more; it is left out without one.
    seed : int
        Of the chains and forecasts.
    cache : path, optional
        A folder of fits; one that is there is read, any other takes a minute or more and is stored.
    workers : int or concurrent.futures.Executor
        Forecasts and fits made side by side, in processes or by an executor, such as that of `cluster`.

    Returns
    -------
    Hindcast
        Its `tables()`: forecasts, scores, skills, quantiles, events, event_scores, record.

    Raises
    ------
    InputError
        A table cannot be read, an origin is not in the record, has too little before it or nothing after it; a prior
        knew what came and that is not allowed.

    Examples
    --------
    >>> make_hindcast(origins=[2025])
    Traceback (most recent call last):
    simulator.errors.InputError: until: must be after the end of 2025, to which the data of this fit go; ...
    """
    asked = Asked(
        scenario, tuple(against), allow_hindsight, tuple(sorted(set(origins or ()))), _path(runs), _path(accelerators),
        snapshot, until, tuple(without_domain), sampler, seed, _path(cache),
    )  # fmt: skip
    return answer(asked, workers=workers)


def _path(path: FilePath | str | None) -> FilePath | None:
    return None if path is None else FilePath(path)


def answer(asked: Asked, *, workers: Workers = 1) -> Hindcast:
    """Read what is asked about, check it, and make the hindcast."""
    if asked.against and asked.scenario is None:
        raise InputError("--against: names a scenario to compare with, and there is none to compare. Name it first.")
    named = (asked.scenario, *asked.against) if asked.scenario is not None else ()
    scenarios = [each if isinstance(each, Scenario) else load_scenario(str(each)) for each in named]
    tables, name = _series(asked, scenarios)
    last = last_day(asked.until, entry="--until")
    has_games = not asked.without_domain and any(GAMES in run.domains for run in tables.runs.runs)
    games = tables.observations(without_domain=GAMES, until=last) if has_games else None
    seen = tables.observations(until=last)
    asked = replace(asked, origins=asked.origins or origins_of(seen))
    if not asked.origins:
        first, end = seen.years[0], seen.years[1]
        raise InputError(
            f"{tables.runs.file}: has records of {first} to {end}; a forecast needs three and a later year to score it "
            "by. Name a longer table, or a later --until."
        )
    check_origins(seen, asked.origins)
    if scenarios and not asked.allow_hindsight:
        check_hindsight(scenarios, origins=asked.origins)
    read = [each for each in (tables.runs, tables.accelerators) if each is not None]
    notes = [
        *(doubt for each in read for doubt in each.report.doubts),
        *(scenario_notes(scenarios, origins=asked.origins) if scenarios else ()),
    ]
    if last.year > tables.runs.known_to.year:
        notes.append(
            f"the table is known to {tables.runs.known_to}: nothing later counts, though it is asked to {last}"
        )
    with pool_of(workers) as pool:
        arms, fits = _arms(asked, scenarios, pool)
        found = hindcast(seen, arms=arms, origins=asked.origins, fits=fits, without=games, left_out=GAMES, notes=notes)
    return replace(found, asked=asked, folder_name=asked.folder_name, table=name)


def _arms(asked: Asked, scenarios: Sequence[Scenario], pool: Executor | None) -> tuple[list[Arm], Begun | None]:
    """Give all arms that are asked for, the forecast first, and the fits that some of them use."""
    size, seed = SAMPLES, asked.seed
    simple, named = rule_arms(size=size, seed=seed), scenario_arms(scenarios, size=size, seed=seed, pool=pool)
    paths = path_arms(size=size, seed=seed, pool=pool)
    if not scenarios or min(asked.origins) < first_period():
        named = named[1:]
    if asked.sampler is None:
        return [*paths, *simple, *named], None
    settings, scenario = SamplerSettings(sampler=asked.sampler, seed=seed), scenarios[0] if scenarios else None
    priors = None if scenario is None else growth_priors(scenario)
    fits = sampled(asked.origins, settings=settings, priors=priors, cache=asked.cache, pool=pool)
    fitted = fitted_arms(fits, scenario=scenario, size=size, seed=seed, pool=pool)
    return [*paths, *simple, *fitted, *named], fits


def _series(asked: Asked, scenarios: Sequence[Scenario]) -> tuple[Series, str]:
    """Choose the tables: those that are named, else those of the scenario, else what is shipped; say which runs."""
    stated = scenarios[0].spec.history if scenarios else None
    if stated is not None and stated.runs != "shipped" and asked.snapshot is not None and asked.runs is None:
        raise InputError(
            f"--snapshot: {scenarios[0].spec.name} has a table of its own, {stated.runs}, with the estimates of "
            f"{stated.snapshot}. Leave --snapshot out, or name the table that is meant: --runs FILE."
        )
    if stated is not None:
        named = asked.runs is not None or asked.snapshot is not None
        found = series(scenarios[0], runs=chosen_runs(asked.runs, snapshot=asked.snapshot) if named else None)
    else:
        top = loading.SHIPPED_TOP if asked.runs is None else 10
        found = Series(chosen_runs(asked.runs, snapshot=asked.snapshot), loading.shipped_accelerators(), top)
    runs = found.runs if not asked.without_domain else without(found.runs, domains=asked.without_domain)
    chips = found.accelerators
    if asked.accelerators:
        chips = loading.load_accelerators(asked.accelerators, snapshot=runs.snapshot)
    name = "shipped table" if runs.whole_to is not None else FilePath(runs.file).name
    return replace(found, runs=runs, accelerators=chips), f"{name}, estimates of {runs.snapshot}"
