"""Learning from history: the priors of a scenario become their posterior before the scenario is run.

The scenario's priors on past growth enter the model of history (`inference_model`). What comes out is written back
as priors of the scenario: the growth of spending and of FLOP per USD, the scatter of yearly growth, and where both
start, from the largest known run with its error. Each is stated by quantiles of its posterior draws, and their rank
correlations join them by a Gaussian copula. Regimes of later eras, caps and constraints stay as the scenario states
them. So a scenario that has learnt is a scenario like any other, and needs no sampler to be run again.
"""

from __future__ import annotations

import copy
import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.dates import date_of
from simulator.errors import InputError, Path, dotted, number
from simulator.history import loading
from simulator.history.beliefs import history_priors, plain_family
from simulator.history.columns import fit_date, fitted_words, known_words, last_day
from simulator.history.diagnostics import diagnose
from simulator.history.fit import SamplerSettings, fit_history
from simulator.history.fragility import conflicts
from simulator.history.frontier import without
from simulator.history.model import HistoryPriors
from simulator.history.observations import Observations, observations
from simulator.history.quantity_learning import (
    PROBABILITIES,
    learn_quantities,
    rank_correlations,
    refused,
    table_beside,
)
from simulator.history.tables import AcceleratorHistory, RunHistory
from simulator.scenario.documents import Document
from simulator.scenario.layers import lookup
from simulator.scenario.load import Source, scenario_of
from simulator.scenario.resolving import Scenario, resolve
from simulator.schema.history import HistoryStatement
from simulator.schema.prior_names import entries_of, rate_path, regimes_of
from simulator.schema.quantities import Factor, Level, MeanRate
from simulator.units import Array, parse_level_unit, parse_unit

if TYPE_CHECKING:
    import xarray as xr

_UNITS: Final[Mapping[str, str]] = {"spending": "USD", "hardware": "FLOP/USD"}
"""What learns, and in which unit."""

LONGEST_GAP: Final[float] = 2.0
"""Years by which the known record may end before the first year of a scenario."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a driver learns: its path and level, and the path of its rate of past growth."""

    path: Path
    level: Level
    rate: Path


def learn(scenario: Scenario | Source, *, cache: FilePath | None = None) -> Scenario:
    """Condition the priors of a scenario on the history that it names.

    Parameters
    ----------
    scenario : Scenario, or what `load_scenario` reads
        With `history`. One that names none, or has learnt already, is given back as it is.
    cache : path, optional
        A folder of fits; one that is there is read in no time, any other is stored.

    Returns
    -------
    Scenario
        Its `fit` has the groups `prior`, `posterior`, `posterior_predictive`, `log_likelihood`, `log_prior`,
        `sample_stats` and `observed_data`; `warnings` say where data and prior are in conflict, and whether the
        chains agree.

    Raises
    ------
    InputError
        The history cannot be read, says too little, or ends years before the scenario begins; a driver that is to
        learn is not a single level with a constant rate.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> learn(load_scenario("baseline")).fit is None
    True
    """
    scenario = scenario_of(scenario)
    history = scenario.spec.history
    if history is None or not scenario.must_learn:
        return scenario
    learnt = scenario if history.runs == "none" else _learn_from_runs(scenario, history, cache)
    return learn_quantities(learnt) if history.quantities else learnt


def _learn_from_runs(scenario: Scenario, history: HistoryStatement, cache: FilePath | None) -> Scenario:
    """Condition the drivers on training runs and accelerators."""
    places = _places(scenario)
    seen = series(scenario).observations()
    _refuse_gap(scenario, seen)
    priors = learnt_priors(scenario)
    sampler = history.sampler
    asked = {key: getattr(sampler, key) for key in ("draws", "tune", "chains", "seed")}
    settings = SamplerSettings(sampler=sampler.name, **asked)
    fit = fit_history(seen, priors=priors, settings=settings, cache=cache)
    draws = learnt_draws(fit, history)
    data, dropped = _conditioned(scenario, places, fit, draws)
    learnt = resolve(Document(data, scenario.places))
    faults = diagnose(fit).faults
    said = (
        *(f"history: {fault}" for fault in faults),
        *(f"history: {each.line}." for each in conflicts(fit) if each.conflict),
        *(f"history: {line}" for line in dropped),
    )
    return replace(
        learnt, overrides=scenario.overrides, warnings=tuple(dict.fromkeys((*learnt.warnings, *said))), fit=fit
    )


def learn_each(scenarios: Sequence[Scenario], *, cache: FilePath | None = None) -> tuple[Scenario, ...]:
    """Let several scenarios learn; those that ask the same of the same history share one fit."""
    if cache is not None or not any(scenario.must_learn for scenario in scenarios):
        return tuple(learn(scenario, cache=cache) for scenario in scenarios)
    with tempfile.TemporaryDirectory() as folder:
        return tuple(learn(scenario, cache=FilePath(folder)) for scenario in scenarios)


def learnt_lines(scenario: Scenario) -> list[str]:
    """Say what a scenario has learnt, by which chains; nothing where it has not."""
    history = scenario.spec.history
    if history is None:
        return []
    moved = [
        f"  {name}: {prior.understood}; before: {str(prior.prior.notes).partition('Before: ')[2].rstrip('.')}"
        for name, prior in scenario.priors.items()
        if str(prior.prior.notes).startswith("learnt from observations")
    ]
    if scenario.fit is None:
        return moved
    attributes = scenario.fit.attrs
    head = f"  fit {attributes['fit']}: {fitted_words(attributes)}, {attributes['sampler']}"
    rows = [f"  {each.line}" for each in conflicts(scenario.fit) if each.is_single]
    return [head, *rows, *(f"  {line}" for line in diagnose(scenario.fit).lines), *moved]


def learnt_priors(scenario: Scenario) -> HistoryPriors:
    """Take a scenario's priors for the model of history; on growth, the first rates of the drivers that learn."""
    spending, hardware = (
        plain_family(scenario.joint.priors[dotted(place.rate)]) for place in _places(scenario).values()
    )
    return history_priors(_history_of(scenario).priors, spending=spending, efficiency=hardware)


def _history_of(scenario: Scenario) -> HistoryStatement:
    if scenario.spec.history is None:
        rule = f"names no history. Write history: {{snapshot: {loading.SNAPSHOT}}}."
        raise InputError(f"{scenario.spec.name}: {rule}")
    return scenario.spec.history


@dataclass(frozen=True, slots=True)
class Series:
    """The tables that a history names, its rule of the frontier, and its cut-off."""

    runs: RunHistory
    accelerators: AcceleratorHistory | None
    top: int
    within_oom: float | None = None
    until: dt.date | None = None

    def observations(self, *, without_domain: str | None = None, until: dt.date | None = None) -> Observations:
        """Choose what was observed; leave a domain out, or end on a day where no cut-off is named."""
        runs = self.runs if without_domain is None else without(self.runs, domains=(without_domain,))
        last = until if self.until is None else self.until
        return observations(runs, self.accelerators, until=last, top=self.top, within_oom=self.within_oom)


def series(scenario: Scenario) -> Series:
    """Read the tables that a scenario's history names."""
    history = _history_of(scenario)
    runs = _runs(history, scenario)
    if history.without is not None:
        reason = history.without.reason or "left out"
        runs = without(runs, domains=history.without.domains, names=dict.fromkeys(history.without.names, reason))
    until = None if history.until is None else last_day(history.until, entry="history.until")
    rule = history.frontier
    top = rule.top or (loading.SHIPPED_TOP if history.runs == "shipped" else 10)
    return Series(runs, _accelerators(history, scenario), top, rule.within_oom, until)


def _runs(history: HistoryStatement, scenario: Scenario) -> RunHistory:
    if history.runs == "none":
        rule = "is none, and this asks about training runs."
        raise refused(scenario, ("history", "runs"), rule, "Name a table of them, or shipped.")
    if history.runs != "shipped":
        file = table_beside(scenario, ("history", "runs"), history.runs)
        return loading.load_history(file, snapshot=history.snapshot)
    if rule := loading.snapshot_rule(history.snapshot):
        remedy = "Name one of them, or a table of your own: runs: ./runs.csv."
        raise refused(scenario, ("history", "snapshot"), rule, remedy)
    return loading.shipped_runs(history.snapshot)


def _accelerators(history: HistoryStatement, scenario: Scenario) -> AcceleratorHistory | None:
    if history.accelerators == "none":
        return None
    if history.accelerators == "shipped":
        return loading.shipped_accelerators()
    file = table_beside(scenario, ("history", "accelerators"), history.accelerators)
    return loading.load_accelerators(file, snapshot=history.snapshot)


def _places(scenario: Scenario) -> dict[str, Place]:
    """Find the levels that learn."""
    learns = _history_of(scenario).learns
    return {name: _place(scenario, name, getattr(learns, name)) for name in _UNITS}


def _place(scenario: Scenario, name: str, path_text: str) -> Place:
    path, at = tuple(path_text.split(".")), ("history", "learns", name)
    level = dict(entries_of(Factor, scenario.spec.drivers, ("drivers",))).get(path)
    if level is None:
        raise refused(scenario, at, f"there is no {path_text}.", "Name a driver that the scenario has.")
    rule = _unfit(level)
    if rule is not None:
        text = f"{path_text} {rule}; what learns is a single level with a start and a rate."
        remedy = "State the driver so, or name one of its factors under history: learns."
        raise refused(scenario, at, text, remedy)
    unit = level.start.unit if level.start is not None else None
    expected = _UNITS[name]
    if unit is not None and parse_level_unit(unit)[0].dimension != parse_unit(expected).dimension:
        text = f"{path_text} is in {unit}; {name} is learnt in {expected}."
        raise refused(scenario, at, text, "Name the factor that has that unit.")
    return Place(path, level, rate_path(level, regimes_of(level, path)[0][0]))


def _unfit(level: Level) -> str | None:
    """Say why a level cannot learn; None where it can."""
    for key in ("factors", "level", "table", "custom", "drift"):
        if getattr(level, key, None) is not None:
            return f"has {key}"
    if level.growth is None:
        return "has no growth"
    first = regimes_of(level, ())[0][1]
    if first.times is not None:
        return "has a first rate that is multiplied"
    if isinstance(first.rate, MeanRate):
        return "has a first rate that is the mean of others"
    for prior, what in ((level.start, "start"), (first.rate, "first rate")):
        if prior is not None and (prior.input is not None or prior.function is not None):
            return f"has a {what} that follows another prior"
    return "has a first rate that decays" if first.half_life is not None else None


def _refuse_gap(scenario: Scenario, seen: Observations) -> None:
    known, first = seen.known_to, scenario.spec.years.first
    if first - known > LONGEST_GAP:
        gap = f"{number(first - known)} years before {number(first)}"
        rule, remedy = f"the record is known to {known_words(known)}, {gap}.", "or bring a longer history."
        raise refused(scenario, ("history",), rule, f"Start the scenario earlier (years: first), {remedy}")


def learnt_draws(fit: xr.DataTree, history: HistoryStatement) -> dict[str, Array]:
    """Turn the posterior into what a scenario's drivers start from and grow by.

    From the largest known run R (log10 FLOP, with a normal error of `record_error`) and the trend at the end of the
    data, with the slope b of cost on compute:

        spending start = spending + b (R - compute)        hardware start = R - spending start

    Returns
    -------
    dict of arrays (draw,): `spending_start` (log10 USD), `hardware_start` (log10 FLOP/USD), `spending_growth`,
    `hardware_growth`, `spending_volatility`, `hardware_volatility` (OOM/year)
    """
    posterior = fit["posterior"].to_dataset().stack(draw_of_all=("chain", "draw"))
    last = posterior.interp(year=fit_date(fit.attrs))
    error = np.random.default_rng([history.sampler.seed, 5]).standard_normal(posterior.sizes["draw_of_all"])
    record = float(fit.attrs["record"]) + history.record_error * error
    above = record - last["compute"].values
    spending = last["spending"].values + posterior["cost_slope"].values * above
    return {
        "spending_start": spending,
        "hardware_start": record - spending,
        "spending_growth": _widened(posterior["spending_growth"].values, history.widen.get("spending")),
        "hardware_growth": _widened(posterior["efficiency_growth"].values, history.widen.get("hardware")),
        "spending_volatility": posterior["spending_volatility"].values,
        "hardware_volatility": posterior["efficiency_volatility"].values,
    }


def _widened(draws: Array, least: float | None) -> Array:
    spread = float(draws.std())
    if least is None or spread >= least or spread == 0.0:
        return draws
    centre = float(draws.mean())
    return np.asarray(centre + (draws - centre) * (least / spread))


def _conditioned(
    scenario: Scenario, places: Mapping[str, Place], fit: xr.DataTree, draws: Mapping[str, Array]
) -> tuple[dict[str, Any], list[str]]:
    """Write what was learnt as priors; give the plain data, and what was said about it."""
    data: dict[str, Any] = copy.deepcopy(dict(scenario.data))
    named: dict[str, Array] = {}
    for name, place in places.items():
        lookup(data, place.path)["at"] = fit_date(fit.attrs)
        stated = {"start": ((*place.path, "start"), _UNITS[name]), "growth": (place.rate, "OOM/year")}
        if place.level.volatility is None:
            stated["volatility"] = ((*place.path, "volatility"), "OOM/year")
        for what, (path, unit) in stated.items():
            values = draws[f"{name}_{what}"]
            if values.std() == 0.0:  # a rate that was fixed has nothing to learn
                continue
            was = scenario.joint.priors[dotted(path)].understood if what == "growth" else None
            lookup(data, path[:-1])[path[-1]] = _stated(values, unit, fit, spread=what == "volatility", was=was)
            named[dotted(path)] = values
    correlations, dropped = [], []
    for correlation in data.get("correlations") or []:
        between = [str(each) for each in correlation["between"]]
        if all(each in named for each in between):
            dropped.append(f"the correlation between {between[0]} and {between[1]} is learnt.")
        else:
            correlations.append(correlation)
    source = f"posterior of history, fit {fit.attrs['fit']}"
    correlations += [
        {"between": [first, second], "rank": rank, "source": source} for first, second, rank in rank_correlations(named)
    ]
    data["correlations"] = correlations
    data["history"] = {**data["history"], "fit": str(fit.attrs["fit"])}
    return data, dropped


def _stated(values: Array, unit: str, fit: xr.DataTree, *, spread: bool, was: str | None) -> dict[str, Any]:
    levels = np.quantile(values, PROBABILITIES)
    shown = 10.0**levels if unit != "OOM/year" else levels
    quantiles = {f"{key:g}": float(f"{value:.7g}") for key, value in zip(PROBABILITIES, shown, strict=True)}
    prior = "" if was is None else f" Before: {was}."
    tails = {"truncated": [0.0, None]} if spread else {}  # the normal tail of a curve would reach below 0
    return {
        "quantiles": quantiles,
        **tails,
        "unit": unit,
        "source": f"posterior of {fitted_words(fit.attrs)}",
        "as_of": (date_of(fit_date(fit.attrs)) - dt.timedelta(days=1)).date().isoformat(),
        "notes": f"learnt from history (fit {fit.attrs['fit']}).{prior}",
    }
