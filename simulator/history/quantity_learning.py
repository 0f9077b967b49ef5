"""What observations of a quantity teach the priors that it is made of, by importance sampling.

The log10 of what was observed is that of the quantity at its date, with a normal error:

    y_i = level(t_i) + e_i + s_i c        e_i ~ N(0, error^2), c ~ N(0, 1)

with s_i the spread of an estimate of a table, an error that its rows share; a number with an interval of its own has
both errors by itself. The priors are standard normal scores, joined by their copula, and are drawn given that.
"""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special
from scipy.linalg import block_diag

from simulator.errors import Path, number
from simulator.history.columns import decimal_year, last_day
from simulator.history.conditioning import PROBABILITIES, numbers_of, put, rank_correlations, refused, table_beside
from simulator.history.exports import Point, load_supply, supply_points
from simulator.history.importance import DRAWN, ROUND, sample_scores
from simulator.model.events import block_of
from simulator.model.projection import Projection, year_grid
from simulator.priors.composite import Converted, split_atoms
from simulator.priors.draws import values_at
from simulator.priors.joint import named_prior
from simulator.priors.streams import EDGE
from simulator.runs.estimates import effective_samples, weighted_quantiles
from simulator.scenario.checks.units import named_unit
from simulator.scenario.documents import Document
from simulator.scenario.layers import lookup
from simulator.scenario.resolving import Scenario, resolve
from simulator.schema.drivers import named_drivers
from simulator.schema.history import Observed
from simulator.schema.prior_names import Slot, slots
from simulator.units import Array, parse_unit, plain_unit
from simulator.wording import listed, power

_LOOKED = 64
_ERRORS = 4.0
"""Standard errors by which a score must have moved for its prior to be written anew."""
_APART = 4.0
"""Errors from what was learnt at which observations are in conflict with one another."""
_FAR = 0.005
"""The share of the prior's draws on one side of an observation at which the two are in conflict."""

_SIGNED = {"%/year": -100.0, **dict.fromkeys(("OOM/year", "ln/year", "(1)", "(year)"), -np.inf)}
"""Where numbers of units that may be below 0 end, unwritten units in brackets; those of others end at 0."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was observed of one quantity: dates (n,), log10 of base units (n,), and the covariance of errors (n, n)."""

    name: str
    times: Array
    values: Array
    covariance: Array


def noted(scenario: Scenario) -> Scenario:
    """Write into a scenario what was observed of quantities in numbers, so that it can be run without its tables."""
    history = scenario.spec.history
    data: dict[str, Any] = copy.deepcopy(dict(scenario.data))
    said: list[str] = []
    for name, observed in (history.quantities if history else {}).items():
        unit = named_unit(scenario.spec, name)
        for place, each in enumerate(observed):
            path = ("history", "quantities", name, place)
            points, doubts = _points(scenario, each, path, unit)
            said += [f"history: {name}: {doubt}" for doubt in doubts]
            lookup(data, path)["points"] = [
                {"at": round(point.year, 6), "log10": round(point.log_value, 6)}
                | ({"spread": round(point.spread, 6)} if point.spread else {})
                | ({"label": label} if (label := each.label or point.label) else {})
                for point in points
            ]
    found = resolve(Document(data, scenario.places))
    warnings = tuple(dict.fromkeys((*found.warnings, *said)))
    return replace(found, overrides=scenario.overrides, warnings=warnings, fit=scenario.fit)


def _points(scenario: Scenario, observed: Observed, path: Path, unit: str) -> tuple[Sequence[Point], Sequence[str]]:
    """Read the points of a table, and what is odd of it; those of a number are one, with the spread of its interval."""
    if observed.value is not None:
        family = named_prior(Slot((*path, "value"), observed.value, "level", unit)).family
        low, middle, high = family.ppf(np.array([0.05, 0.5, 0.95])).tolist()
        spread = (high - low) / (2.0 * float(special.ndtri(0.95)))
        return (Point(observed.at or 0.0, middle, spread, observed.value.label or "", unit),), ()
    if observed.points or scenario.spec.history is None:  # which a run that was stored has already
        return [Point(each.at, each.log10, each.spread, each.label or "", unit) for each in observed.points], ()
    file = table_beside(scenario, (*path, "table"), str(observed.table))
    history = load_supply(file, snapshot=scenario.spec.history.snapshot)
    found = supply_points(history, observed.measure, of=observed.only)
    if parse_unit(found[0].unit).dimension != parse_unit(unit).dimension:
        rule = f"tells {found[0].unit}, and {path[2]} is in {unit}."
        raise refused(scenario, (*path, "table"), rule, "Name a measure in that unit: measure: power.")
    return found, history.report.doubts


def seen_of(scenario: Scenario) -> tuple[Seen, ...]:
    """Take what was observed of each quantity, once it is noted in numbers, with its errors."""
    found = []
    for name, observed in (scenario.spec.history.quantities if scenario.spec.history else {}).items():
        every = [point for each in observed for point in each.points]
        errors = [(each.error or 0.0) ** 2 for each in observed for _ in each.points]
        spreads = [np.array([[point.spread for point in each.points]]) for each in observed]
        shared = block_diag(*(each.T @ each for each in spreads))
        found.append(Seen(name, np.array([point.at for point in every]), np.array([point.log10 for point in every]),
                          np.diag(errors) + shared))  # fmt: skip
    return tuple(found)


class _Scores:
    """A scenario's priors as standard normal scores, and the levels of what was observed of it, by them."""

    def __init__(self, scenario: Scenario, seen: Sequence[Seen]) -> None:
        self.joint, self.seen = scenario.joint, seen
        first, last = scenario.spec.years.first, max(float(each.times.max()) for each in seen)
        own = year_grid(scenario.spec)  # at which events are looked for
        years = np.unique([first, *own[own <= last], *(time for each in seen for time in each.times if time >= first)])
        self.projection = Projection(scenario.spec, years=years, custom=named_drivers(scenario.spec))
        self.names = self.joint.uncertain
        self.names = self._moving()

    def draws(self, scores: Array) -> dict[str, Array]:
        """Turn scores (sample, prior) into numbers by name on the internal scale; others are at their median."""
        uniforms = {name: np.array([0.5]) for name in self.joint.uncertain}
        own = np.clip(special.ndtr(scores), EDGE, 1.0 - EDGE)
        return values_at(self.joint, uniforms | dict(zip(self.names, own.T, strict=True)))

    def levels(self, scores: Array) -> list[Array]:
        """Compute what was observed, an array (sample, n) for each quantity."""
        block = block_of(self.projection, self.draws(scores), size=len(scores))
        times = {each.name: np.unique(each.times) for each in self.seen}
        found = self.projection.named_levels(block, times)
        places = {each.name: np.searchsorted(times[each.name], each.times) for each in self.seen}
        return [np.broadcast_to(found[at], (len(scores), times[at].size))[:, place] for at, place in places.items()]

    def log_likelihood(self, scores: Array) -> Array:
        """Give the log density of what was observed at scores, (sample,)."""
        total = np.zeros(len(scores))
        for each, levels in zip(self.seen, self.levels(scores), strict=True):
            whitened = np.linalg.solve(np.linalg.cholesky(each.covariance), (each.values - levels).T)
            total -= 0.5 * (whitened**2).sum(axis=0)
        return np.where(np.isnan(total), -np.inf, total)

    def _moving(self) -> tuple[str, ...]:
        """Find the priors whose scores move what was observed, and those that a copula joins with them."""
        rng = np.random.default_rng(0)
        scores = rng.standard_normal((_LOOKED, len(self.names)))
        before = self.levels(scores)
        moving = set()
        for place, name in enumerate(self.names):
            other = scores.copy()
            other[:, place] = rng.standard_normal(_LOOKED)
            if any(np.any(new != old) for new, old in zip(self.levels(other), before, strict=True)):
                moving.add(name)
        return self._with_groups(moving)

    def _with_groups(self, names: set[str]) -> tuple[str, ...]:
        """Add to names those that a copula joins with one of them."""
        whole = names.union(*(group.names for group in self.joint.groups if names & set(group.names)))
        return tuple(name for name in self.names if name in whole)

    def moved(self, scores: Array, weights: Array) -> tuple[str, ...]:
        """Find what was learnt of: mean, spread or a correlation is not that of the prior, by four errors."""
        error = 1.0 / np.sqrt(effective_samples(weights))
        mean = weights @ scores
        covariance = (scores * weights[:, None]).T @ scores - np.outer(mean, mean)
        off = np.abs(covariance - np.eye(mean.size)) / (1.0 + (np.sqrt(2.0) - 1.0) * np.eye(mean.size))
        told = (np.abs(mean) > _ERRORS * error) | (off.max(axis=0) > _ERRORS * error)
        return self._with_groups({name for name, yes in zip(self.names, told, strict=True) if yes})


def learn_quantities(scenario: Scenario) -> Scenario:
    """Condition the priors of a scenario on what was observed of its quantities.

    Each prior that was moved is stated anew by quantiles of its posterior, in its own unit, and their rank correlations
    join them; others stay as they are stated.
    """
    scenario = noted(scenario)
    scores = _Scores(scenario, seen_of(scenario))
    paths = {slot.name: slot.path for slot in slots(scenario.spec)}
    _refuse_unwritten(scenario, scores, paths)
    size, seed = len(scores.names), scenario.spec.history.sampler.seed if scenario.spec.history else 0
    drawn, weights = sample_scores(scores.log_likelihood, size=size, seed=seed)
    every = scores.draws(drawn)
    draws = {name: every[name] for name in scores.moved(drawn, weights)}
    data: dict[str, Any] = copy.deepcopy(dict(scenario.data))
    said = listed(each.name for each in scores.seen)
    for name, values in draws.items():
        put(data, paths[name], _stated(scenario, name, values, weights, said))
    chosen = np.searchsorted(np.cumsum(weights), (np.arange(DRAWN // 2) + 0.5) / (DRAWN // 2))
    even = {name: values[np.minimum(chosen, values.size - 1)] for name, values in draws.items()}
    kept = [each for each in data.get("correlations") or [] if not {str(one) for one in each["between"]} & set(draws)]
    data["correlations"] = kept + [
        {"between": [one, other], "rank": rank, "source": f"posterior of what was observed of {said}"}
        for one, other, rank in (rank_correlations(even) if len(even) > 1 else ())
    ]
    digest = hashlib.sha256(scenario.hash.encode())
    for each in scores.seen:
        digest.update(each.values.tobytes())
    data["history"] = {"fit": digest.hexdigest()[:16], **data["history"]}
    learnt = resolve(Document(data, scenario.places))
    odd = (*_ahead(scenario, scores.seen), *_conflicts(scores, drawn[chosen[:: DRAWN // 2 // ROUND]]))
    warnings = dict.fromkeys((*scenario.warnings, *learnt.warnings, *odd))
    return replace(learnt, overrides=scenario.overrides, warnings=tuple(warnings), fit=scenario.fit)


def learnt_of_quantities(scenario: Scenario) -> list[str]:
    """Say what each prior has become by what was observed of quantities, and what it was before."""
    return [
        f"  {name}: {prior.understood}; before: {str(prior.prior.notes).partition('Before: ')[2].rstrip('.')}"
        for name, prior in scenario.priors.items()
        if str(prior.prior.notes).startswith("learnt from observations")
    ]


def _refuse_unwritten(scenario: Scenario, scores: _Scores, paths: Mapping[str, Path]) -> None:
    """Refuse what cannot be written back as a prior of its own, or observations that nothing uncertain moves."""
    for name in scores.names:
        if name not in paths or "shock" in paths[name] or lookup(scenario.data, paths[name]) is None:
            rule = f"hang on {name}, a shock of a single year, which the file has no place for."
            raise refused(scenario, ("history", "quantities"), rule, "Observe a quantity without drift and volatility.")
        if split_atoms(scenario.joint.priors[name].family).values:
            rule = f"hang on {name}, which has single values; what learns has a density."
            raise refused(scenario, ("history", "quantities"), rule, "State it by a family or quantiles.")
    if not scores.names:
        rule = "hang on nothing that is uncertain."
        raise refused(scenario, ("history", "quantities"), rule, "Give the quantity a prior, or leave it out.")


def _stated(scenario: Scenario, name: str, values: Array, weights: Array, said: str) -> dict[str, Any]:
    """State a posterior by its quantiles, in the unit in which the prior was stated."""
    prior = scenario.joint.priors[name]
    if isinstance(prior.family, Converted):
        shown, unit = prior.family.conversion.inverse(values), prior.prior.own_unit
        low, high = prior.family.base.support
    elif prior.unit.startswith("log10("):
        shown, unit, (low, high) = 10.0**values, plain_unit(prior.unit), 10.0 ** np.array(prior.family.support)
    else:
        shown, unit, (low, high) = values, {"OOM/year": "OOM/year"}.get(prior.unit), prior.family.support
    levels = weighted_quantiles(shown, weights, PROBABILITIES).tolist()
    natural = _SIGNED.get(unit or f"({prior.unit})", 0.0)
    ends = [end if np.isfinite(end) and end != natural else None for end in (float(low), float(high))]
    return {
        **numbers_of(levels, ends),
        **({"unit": unit} if unit else {}),
        "source": f"posterior of what was observed of {said}",
        "notes": f"learnt from observations. Before: {prior.understood}.",
    }


def _ahead(scenario: Scenario, seen: Sequence[Seen]) -> list[str]:
    """Say what is dated after all that the snapshot can have seen: a plan is no observation."""
    snapshot = scenario.spec.history.snapshot if scenario.spec.history else ""
    end = decimal_year(last_day(snapshot, entry="history.snapshot") + dt.timedelta(days=1))
    return [
        f"history: {each.name}: what stands at {number(round(float(each.times.max()), 2))} is after the snapshot, "
        f"{snapshot}: a plan, which counts as an observation of its error."
        for each in seen
        if each.times.max() > end
    ]


def _conflicts(scores: _Scores, learnt: Array) -> list[str]:
    """Say where an observation lies outside nearly all that the prior and its error allow, or far off what is learnt.

    `learnt` are scores (sample, prior) of the posterior, each of the same weight.
    """
    rng, said = np.random.default_rng(1), []
    levels = scores.levels(rng.standard_normal((ROUND, len(scores.names))))
    for each, drawn, posterior in zip(scores.seen, levels, scores.levels(learnt), strict=True):
        errors = np.sqrt(np.diag(each.covariance))
        below = (drawn + errors * rng.standard_normal(drawn.shape) <= each.values).mean(axis=0)
        tails = np.minimum(below, 1.0 - below)
        apart = np.abs(each.values - posterior.mean(axis=0)) / errors
        worst = int(np.argmin(tails)) if tails.min() < _FAR else int(np.argmax(apart))
        low, high = (power(end) for end in np.quantile(drawn[:, worst], [0.05, 0.95]).tolist())
        date = number(round(float(each.times[worst]), 2))
        seen = f"history: {each.name}: {power(float(each.values[worst]))} was observed at {date}"
        if tails.min() < _FAR:
            said.append(f"{seen}, where the prior has {low} to {high} (90 %): data and prior are in conflict.")
        elif apart[worst] > _APART:
            off = f"{apart[worst]:.0f} errors from what all observations give together"
            said.append(f"{seen}, {off}: they are in conflict with one another.")
    return said
