"""Learning from history: the priors of a scenario become their posterior before the scenario is run.

The scenario's priors on past growth enter the model of history (`inference_model`). What comes out is written back
as priors of the scenario: the growth of spending and of FLOP per USD, the scatter of yearly growth, and where both
start: in a third of the samples from the largest known run with its error, in the others from the trend and the largest
run of a year about it. Each is stated by quantiles of its posterior draws, and their rank correlations join them by a
Gaussian copula. Regimes of later eras, caps and constraints stay as the scenario states them. So a scenario that has
learnt is a scenario like any other, and needs no sampler to be run again.
"""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.errors import InputError, Path, dotted, number
from simulator.history import loading
from simulator.history.beliefs import history_priors, plain_family
from simulator.history.change_point import ChangePriors, Values, change_lines, check_values, fit_change
from simulator.history.columns import fit_date, known_words, last_day, read_series
from simulator.history.conditioning import Learnt, conditioned, keep_priors, refused, table_beside
from simulator.history.diagnostics import diagnose, seen_words
from simulator.history.fit import SamplerSettings, fit_history
from simulator.history.forecast import largest_of_last_year, spending_of
from simulator.history.fragility import conflicts
from simulator.history.frontier import published_until, top_at_release, within_of_record, without
from simulator.history.model import HistoryPriors
from simulator.history.observations import Observations, observations
from simulator.history.quantity_learning import learn_quantities, learnt_of_quantities
from simulator.history.tables import LONGEST_GAP, AcceleratorHistory, RunHistory
from simulator.priors.families import Fixed
from simulator.runs.groups import group
from simulator.scenario.documents import Document
from simulator.scenario.load import Source, scenario_of
from simulator.scenario.resolving import Scenario, resolve
from simulator.schema.history import ChangePoint, HistoryStatement
from simulator.schema.prior_names import entries_of, level_unit, rate_path, regimes_of
from simulator.schema.quantities import Event, Factor, Level, MeanRate, QuantityRate, Regime
from simulator.schema.statements import Prior
from simulator.units import Array, parse_level_unit, parse_unit

if TYPE_CHECKING:
    import xarray as xr

_UNITS: Final[Mapping[str, str]] = {"spending": "USD", "hardware": "FLOP/USD"}
"""What learns, and in which unit."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a driver learns: its path and level, and the path of its rate of past growth."""

    path: Path
    level: Level
    rate: Path


def learn(scenario: Scenario | Source, *, cache: FilePath | None = None, stored: bool = False) -> Scenario:
    """Condition the priors of a scenario on the history that it names.

    Parameters
    ----------
    scenario : Scenario, or what `load_scenario` reads
        With `history`. One that names none, or has learnt already, is given back as it is.
    cache : path, optional
        A folder of fits; one that is there is read in no time, any other is stored. Where only what is `stored` is
        wanted and it is not there, NotStoredError is raised.

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
    learnt = scenario if history.runs == "none" else _learn_from_runs(scenario, history, cache, stored)
    return learn_quantities(learnt) if history.quantities else learnt


def _learn_from_runs(scenario: Scenario, history: HistoryStatement, cache: FilePath | None, stored: bool) -> Scenario:
    """Condition drivers, or one level, on training runs and accelerators, or on a series."""
    asked = {key: getattr(history.sampler, key) for key in ("draws", "tune", "chains", "seed")}
    settings = SamplerSettings(sampler=history.sampler.name, stored=stored, **asked)
    study = _learn_growth if history.change_point is None else _learn_change
    fit, (data, dropped), unused = study(scenario, history, settings, cache)
    learnt = resolve(Document(data, scenario.places))
    faults = diagnose(fit).faults
    said = (
        *(f"history: {fault}" for fault in faults),
        *(f"history: {each.line}." for each in conflicts(fit) if each.conflict),
        *(f"history: {line}" for line in dropped),
        *unused,
    )
    return replace(
        learnt, overrides=scenario.overrides, warnings=tuple(dict.fromkeys((*learnt.warnings, *said))), fit=fit
    )


type _Study = tuple[xr.DataTree, tuple[dict[str, Any], list[str]], list[str]]
"""A fit, the data of the scenario with what was learnt and what was said of it, and what was not used."""


def _learn_growth(
    scenario: Scenario, history: HistoryStatement, settings: SamplerSettings, cache: FilePath | None
) -> _Study:
    """Learn the growth of spending and of hardware, and where both start."""
    _places(scenario)  # its faults are told before any fit
    asked = series(scenario)
    seen = asked.observations()
    _refuse_gap(scenario, seen)
    priors = learnt_priors(scenario)
    fit = keep_priors(fit_history(seen, priors=priors, settings=settings, cache=cache), priors.unknowns(seen.years[0]))
    return fit, learnt_from(scenario, history, fit), _doubts(asked)


def _doubts(asked: Series) -> list[str]:
    """Say what is odd of the runs, and of the last years, where half of them or more have no FLOP, how many."""
    end = asked.until or asked.runs.known_to
    counts = published_until(asked.runs, end).silent()
    told = [each.report.doubts for each in (asked.runs, asked.accelerators) if each is not None]
    return [f"history: {doubt}" for doubts in told for doubt in doubts] + [
        f"history: {few} of {of} runs of {year} have no FLOP: the largest known run may not be the largest."
        for year, (few, of) in counts.items()
        if 2 * few >= of and year >= end.year - 1
    ]


def learnt_from(scenario: Scenario, history: HistoryStatement, fit: xr.DataTree) -> tuple[dict[str, Any], list[str]]:
    """Write what a fit says of spending and hardware into a scenario's priors; give the data, and what was said."""
    draws, learnt, places = learnt_draws(fit, history), dict[Path, Learnt](), _places(scenario)
    for name, place in places.items():
        was = scenario.joint.priors[dotted(place.rate)].understood
        learnt[*place.path, "start"] = Learnt(draws[f"{name}_start"], _UNITS[name])
        learnt[place.rate] = Learnt(draws[f"{name}_growth"], "OOM/year", was)
        if place.level.volatility is None and draws[f"{name}_volatility"].any():
            learnt[*place.path, "volatility"] = Learnt(draws[f"{name}_volatility"], "OOM/year", is_spread=True)
    at = {place.path: fit_date(fit.attrs) for place in places.values()}
    return conditioned(scenario, learnt, fit, at=at)


def _learn_change(
    scenario: Scenario, history: HistoryStatement, settings: SamplerSettings, cache: FilePath | None
) -> _Study:
    """Learn when the growth of one level changed, and both rates."""
    asked = history.change_point or ChangePoint()
    path, stated = tuple(asked.of.split(".")), ("history", "change_point", "of")
    level = dict(entries_of(Level, scenario.spec)).get(path)
    if level is None:
        raise refused(scenario, stated, f"there is no {asked.of}.", "Name what the scenario has.")
    eras = regimes_of(level, path)
    rule = _unfit(level) or next(_unfit_change(level, [regime for _, regime in eras]), None)
    if rule is not None or level.start is None:
        text = f"{asked.of} {rule or 'has no start'}; a change point is learnt by a level with a start and two rates."
        raise refused(scenario, stated, text, "State it so: growth: [{rate: ..}, {from: .., rate: ..}].")
    names = {
        "level_start": (*path, "start"),
        "earlier_growth": (*eras[0][0], "rate"),
        "change_date": (*eras[1][0], "from"),
        "later_growth": (*eras[1][0], "rate"),
    }
    before = {name: scenario.joint.priors[dotted(each)] for name, each in names.items()}
    if isinstance(before["change_date"].family, Fixed):
        raise refused(scenario, names["change_date"], "is fixed: there is no date to learn.", "Write a prior.")
    seen, said = _values(scenario, history, asked, level)
    check_values(seen, before["change_date"].family)
    if later := [each for each, _ in eras[2:] if _first_date(scenario, (*each, "from")) < seen.year[-1]]:
        rule = f"may begin before the series ends ({number(float(seen.year[-1]))}); one change is fitted."
        raise refused(scenario, (*later[0], "from"), rule, "Let it begin later, or end the series: until.")
    at = scenario.spec.years.first if level.at is None else level.at
    priors = ChangePriors(**{name: plain_family(prior) for name, prior in before.items()}, at=at, scatter=asked.scatter)
    fit = fit_change(seen, priors, snapshot=history.snapshot, settings=settings, cache=cache)
    keep_priors(fit, priors.every)
    posterior, units = group(fit, "posterior"), {"level_start": seen.unit, "change_date": "year"}
    learnt = {
        each: Learnt(posterior[name].values.ravel(), units.get(name, "OOM/year"), before[name].understood)
        for name, each in names.items()
    }
    return fit, conditioned(scenario, learnt, fit), [f"history: {each}" for each in said]


def _unfit_change(level: Level, eras: Sequence[Regime]) -> Iterator[str]:
    """Say why the growth of a level is no broken line."""
    for key in ("volatility", "jumps"):
        if getattr(level, key) is not None:
            yield f"has {key}"
    if len(eras) < 2:
        yield "has one rate"
        return
    later = eras[1]
    if not isinstance(later.rate, Prior) or later.half_life is not None:
        yield "has a second rate that is no prior of its own"
    if isinstance(later.from_, Event):
        yield "has a second rate that waits for an event"
    if any(getattr(each, "input", None) or getattr(each, "function", None) for each in (later.rate, later.from_)):
        yield "has a second rate or date that follows another prior"


def _first_date(scenario: Scenario, path: Path) -> float:
    """Give the date before which an era begins in 1 % of the samples; of one that waits for an event, none."""
    prior = scenario.joint.priors.get(dotted(path))
    return math.inf if prior is None else float(prior.family.ppf(np.array([0.01]))[0])


def _values(
    scenario: Scenario, history: HistoryStatement, asked: ChangePoint, level: Level
) -> tuple[Values, Sequence[str]]:
    """Read the series of a change point: a table of its own, or what the table of runs says in the level's unit.

    And what is odd of it.
    """
    unit = parse_level_unit(level_unit(level, None))[0]
    until = min(last_day(each, entry="history") for each in (history.until, history.snapshot) if each is not None)
    if asked.series:
        file = table_beside(scenario, ("history", "change_point"), asked.series)
        points, said = read_series(file, until=until)
        years, values = (np.array([point[key] for point in points]) for key in ("date", "value"))
        names = tuple(str(point["label"]) for point in points)
        return Values(years, np.log10(values) + math.log10(unit.scale), names, str(unit), file.name), said
    runs, chosen = published_until(_counted(scenario, history), until), history.frontier
    if chosen.within_oom is not None:
        runs = runs.where(within_of_record(runs, chosen.within_oom))
    elif chosen.top is not None or history.runs == "shipped":
        runs = runs.where(top_at_release(runs, chosen.top or loading.SHIPPED_TOP))
    told = {"FLOP": runs.log_flop, "USD": runs.log_cost, "FLOP/USD": runs.log_flop - runs.log_cost}
    if str(unit) not in told:
        rule = f"{asked.of} is in {level_unit(level, None)}, of which the table of runs says nothing."
        remedy = "Name a series in that unit: change_point: {series: ./mine.csv}."
        raise refused(scenario, ("history", "change_point"), rule, remedy)
    known = np.isfinite(told[str(unit)])
    names = tuple(name for name, kept in zip(runs.names, known, strict=True) if kept)
    source = FilePath(runs.file).name
    found = Values(runs.years[known], told[str(unit)][known], names, str(unit), source, of_runs=True)
    return found, runs.report.doubts


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
    moved = learnt_of_quantities(scenario)
    if scenario.fit is None:
        return moved
    attributes = scenario.fit.attrs
    head = f"  fit {attributes['fit']}: {seen_words(attributes)}, estimates of {attributes['snapshot']}"
    rows = [f"  {each.line}" for each in conflicts(scenario.fit) if each.is_single]
    told = rows if history.change_point is None else change_lines(scenario.fit)
    return [f"{head}, {attributes['sampler']}", *told, *(f"  {line}" for line in diagnose(scenario.fit).lines), *moved]


def learnt_priors(scenario: Scenario) -> HistoryPriors:
    """Take a scenario's priors for the model of history; on growth, the first rates of the drivers that learn."""
    spending, hardware = (
        plain_family(scenario.joint.priors[dotted(place.rate)]) for place in _places(scenario).values()
    )
    return history_priors(history_of(scenario).priors, spending=spending, efficiency=hardware)


def history_of(scenario: Scenario) -> HistoryStatement:
    """Give the history of spending and hardware that a scenario names; refuse where it names none."""
    if scenario.spec.history is None:
        rule = f"names no history. Write history: {{snapshot: {loading.SNAPSHOT}}}."
        raise InputError(f"{scenario.spec.name}: {rule}")
    if (alone := scenario.spec.history.runs == "none") or scenario.spec.history.change_point is not None:
        what = "quantities alone" if alone else "one change of growth"
        rule = f"its history is of {what}, and not of spending and hardware, which this is about."
        raise InputError(f"{scenario.spec.name}: {rule} Take a scenario such as learned.")
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
        """Choose what was observed; leave a domain out, or end on a day before the cut-off."""
        runs = self.runs if without_domain is None else without(self.runs, domains=(without_domain,))
        last = min((day for day in (until, self.until) if day is not None), default=None)
        return observations(runs, self.accelerators, until=last, top=self.top, within_oom=self.within_oom)


def series(scenario: Scenario, *, runs: RunHistory | None = None) -> Series:
    """Read the tables that a scenario's history names; or let its rules choose among other runs."""
    history = history_of(scenario)
    runs = _counted(scenario, history, runs)
    until = None if history.until is None else last_day(history.until, entry="history.until")
    rule = history.frontier
    top = rule.top or (10 if runs.whole_to is None else loading.SHIPPED_TOP)
    return Series(runs, _accelerators(history, scenario), top, rule.within_oom, until)


def _counted(scenario: Scenario, history: HistoryStatement, other: RunHistory | None = None) -> RunHistory:
    """Read the table of runs, or take another, without what does not count."""
    runs, left_out = other or _runs(history, scenario), history.without
    if left_out is None:
        return runs
    return without(runs, domains=left_out.domains, names=dict.fromkeys(left_out.names, left_out.reason or "left out"))


def _runs(history: HistoryStatement, scenario: Scenario) -> RunHistory:
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
    learns = history_of(scenario).learns
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
    if isinstance(first.rate, QuantityRate):
        return "has a first rate that a quantity tells"
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

    In a share `from_record` of the draws R is the largest known run (log10 FLOP, with a normal error of
    `record_error`), and in the others the largest run of the last year about the trend (`largest_of_last_year`). From
    R and the trend at the end of the data, with the slope b of cost on compute:

        spending start = spending + b (R - compute)        hardware start = R - spending start

    Returns
    -------
    dict of arrays (draw,): `spending_start` (log10 USD), `hardware_start` (log10 FLOP/USD), `spending_growth`,
    `hardware_growth`, `spending_volatility`, `hardware_volatility` (OOM/year)
    """
    posterior = fit["posterior"].to_dataset().stack(draw_of_all=("chain", "draw"))
    last = posterior.interp(year=fit_date(fit.attrs))
    rng, size = np.random.default_rng([history.sampler.seed, 5]), posterior.sizes["draw_of_all"]
    record = float(fit.attrs["record"]) + history.record_error * rng.standard_normal(size)
    from_record = rng.permutation(size) < history.from_record * size
    largest = np.where(from_record, record, largest_of_last_year(fit, seed=history.sampler.seed))
    spending = spending_of(largest, last, posterior["cost_slope"].values)
    return {
        "spending_start": spending,
        "hardware_start": largest - spending,
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
