"""Hindcasts: forecasts of the record from past origins, scored against what came and against simple baselines.

At each origin a forecast sees what had been published by the end of that year, as the snapshot tells it today: later
revisions of those values are not undone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Final, Literal

from simulator.errors import InputError
from simulator.hindcast import rows as tables
from simulator.hindcast.arms import (
    Arm,
    check_hindsight,
    forecast_baseline,
    growth_knew,
    rule_arms,
    scenario_arms,
    scenario_notes,
)
from simulator.hindcast.baselines import BASELINES
from simulator.hindcast.output import Asked, Hindcast
from simulator.hindcast.rows import MODEL, Made
from simulator.hindcast.scenario_forecast import growth_priors
from simulator.history import loading
from simulator.history.columns import last_day
from simulator.history.diagnostics import check_rate, diagnose
from simulator.history.fit import SamplerSettings, fit_dates
from simulator.history.forecast import forecast_record, forecast_times
from simulator.history.frontier import without
from simulator.history.learning import Series, series
from simulator.history.loading import SNAPSHOT
from simulator.history.model import HistoryPriors
from simulator.history.observations import Observations, known_at
from simulator.scenario.load import load_scenario
from simulator.scenario.resolving import Scenario

ORIGINS: Final[tuple[int, ...]] = (2018, 2020, 2022)
GAMES: Final[str] = "Games"
"""The domain without which the rate is measured again: its self-play was once counted as training."""


def hindcast(
    observations: Observations,
    *,
    origins: Sequence[int] = ORIGINS,
    without: Observations | None = None,
    left_out: str = "one domain",
    priors: HistoryPriors | None = None,
    settings: SamplerSettings | None = None,
    cache: FilePath | None = None,
    arms: Sequence[Arm] = (),
    with_hindsight: Collection[int] = (),
    notes: Sequence[str] = (),
    thresholds: Sequence[float] = tables.THRESHOLDS,
) -> Hindcast:
    """Forecast the year-end record from past origins to the last known year, and score model, baselines and arms.

    `without` is the same snapshot ranked again without one domain, which shows whether the rate rests on it;
    `with_hindsight` are the origins at which the model's priors knew what came; see `fit_history` for the others.
    """
    settings = settings or SamplerSettings()
    check_origins(observations, origins)
    dates = [origin + 1.0 for origin in origins]
    fits = fit_dates(observations, dates=dates, priors=priors, settings=settings, cache=cache)
    last, size = observations.years[1], settings.chains * settings.draws
    made = [
        Made(MODEL, forecast_record(fit, last_year=last, seed=settings.seed), hindsight=origin in with_hindsight)
        for origin, fit in zip(origins, fits, strict=True)
    ]
    every = [*rule_arms(size=size, seed=settings.seed), *arms]
    made += [arm.made(observations, origin) for arm in every for origin in origins]
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
        diagnostics=tuple(diagnose(fit) for fit in fits),
        rate_checks=tuple(checks),
        quantiles=tables.made_table("quantiles", (row for arm in made for row in tables.quantile_rows(arm))),
        events=tables.made_table("events", events),
        notes=tuple(notes),
        record=tables.record_table(observations),
    )


def check_origins(observations: Observations, origins: Iterable[int]) -> None:
    """Check before any fit that a record can be forecast from each origin, by model and baselines."""
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
    origins: Sequence[int] = ORIGINS,
    runs: FilePath | str | None = None,
    accelerators: FilePath | str | None = None,
    snapshot: str = SNAPSHOT,
    until: str = "2025",
    without_domain: Sequence[str] = (),
    sampler: Literal["pymc", "nutpie"] = "pymc",
    seed: int = 0,
    cache: FilePath | str | None = None,
) -> Hindcast:
    """Forecast the record of training compute from past years, and score model and baselines against what came.

    At the end of each origin the model of history is fitted to what had been published by then, and forecasts the
    largest known run at the end of each later year (log10 FLOP). Beside it stand four simple rules and, where a
    scenario is named, the priors that were published by then, and the scenario as it stands, from that record on.
    The skill against another forecast is 1 - CRPS of the model / CRPS of the other, see `simulator.hindcast.scores`.

    Parameters
    ----------
    scenario : Scenario, path or shipped name, optional
        Where it learns from history, the model has its table of runs and its priors on past growth.
    against : sequence of the same
        Further scenarios to compare with.
    allow_hindsight : bool
        Admit priors that knew what came after an origin (their `as_of`); every table then says so.
    origins : sequence of int
        Calendar years at whose ends forecasts are made.
    runs, accelerators : path, optional
        Tables of training runs and of accelerators with prices; what is shipped without them.
    snapshot : str
        The date of the estimates in `runs`, or those of the shipped table: 2026-05 or 2025-06.
    until : str
        The last day whose record is forecast: a year, a month or a day.
    without_domain : sequence of str
        Domains that are left out of the frontier, such as Games.
    sampler : {"pymc", "nutpie"}
    seed : int
        Of the chains and forecasts.
    cache : path, optional
        A folder of fits; one that is there is read, any other takes a minute or more and is stored.

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
        scenario, tuple(against), allow_hindsight, tuple(sorted(set(origins))), _path(runs), _path(accelerators),
        snapshot, until, tuple(without_domain), sampler, seed, _path(cache),
    )  # fmt: skip
    return answer(asked)


def _path(path: FilePath | str | None) -> FilePath | None:
    return None if path is None else FilePath(path)


def answer(asked: Asked) -> Hindcast:
    """Read what is asked about, check it, and make the hindcast."""
    if asked.against and asked.scenario is None:
        raise InputError("--against: names a scenario to compare with, and there is none to compare. Name it first.")
    named = (asked.scenario, *asked.against) if asked.scenario is not None else ()
    scenarios = [each if isinstance(each, Scenario) else load_scenario(str(each)) for each in named]
    settings = SamplerSettings(sampler=asked.sampler, seed=asked.seed)
    tables = _series(asked, scenarios)
    last = last_day(asked.until, entry="--until")
    has_games = not asked.without_domain and any(GAMES in run.domains for run in tables.runs.runs)
    games = tables.observations(without_domain=GAMES, until=last) if has_games else None
    seen = tables.observations(until=last)
    check_origins(seen, asked.origins)
    arms, notes, priors, late = list[Arm](), list[str](), None, set[int]()
    if scenarios:
        if not asked.allow_hindsight:
            check_hindsight(scenarios, origins=asked.origins)
        arms = scenario_arms(scenarios, size=settings.chains * settings.draws, seed=asked.seed)
        notes = scenario_notes(scenarios, origins=asked.origins)
        priors = growth_priors(scenarios[0])
        if priors is not None:
            late = {origin for origin in asked.origins if growth_knew(scenarios[0], origin=origin)}
    found = hindcast(
        seen,
        origins=asked.origins,
        without=games,
        left_out=GAMES,
        priors=priors,
        settings=settings,
        cache=asked.cache,
        arms=arms,
        with_hindsight=late,
        notes=notes,
    )
    return replace(found, asked=asked, folder_name=asked.folder_name)


def _series(asked: Asked, scenarios: Sequence[Scenario]) -> Series:
    """Choose the tables: those that are named, else those of the scenario, else what is shipped."""
    chips = loading.load_accelerators(asked.accelerators, snapshot=asked.snapshot) if asked.accelerators else None
    if asked.runs is not None:
        found = Series(loading.load_history(asked.runs, snapshot=asked.snapshot), loading.shipped_accelerators(), 10)
    elif asked.snapshot == SNAPSHOT and scenarios and scenarios[0].spec.history is not None:
        found = series(scenarios[0])
    else:
        found = Series(loading.shipped_runs(asked.snapshot), loading.shipped_accelerators(), loading.SHIPPED_TOP)
    if chips is not None:
        found = replace(found, accelerators=chips)
    if asked.without_domain:
        found = replace(found, runs=without(found.runs, domains=asked.without_domain))
    return found
