"""A run folder against the oracle, number by number: what was compared, how far apart, and the bar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import NormalDist

import numpy as np

from tests.oracle import events, marginals
from tests.oracle.crossing import crossings
from tests.oracle.model import Model, Moment, moving, variable
from tests.oracle.reading import Stored, read
from tests.oracle.units import Array

LEVEL = 1e-5
"""OOM; a run stores levels to 2e-6."""
CROSSING_MEAN, CROSSING_QUANTILE = 0.002, 0.02
"""Years."""
CROSSED = 0.0015
"""Share of samples: one of a thousand may touch a threshold, or cross it at a year's end."""
EXACT = 1e-9
EVENT = 1e-4
"""Years, in the mean: dates at which events wait for a path; the others are exact."""
MOVING = 0.001
"""OOM; the level of a threshold that moves is read at the date of its crossing."""
MARGINAL = 3.9
"""Kolmogorov's distance that one sample in a thousand exceeds, in standard errors at the median."""
CHANCE = 1e-3
"""That one of many independent pairs lies beyond its bar."""
RANK = 4.0


STEPPED = {("feedback", "levels"): 0.02, ("feedback", "quantiles"): 0.01, ("feedback", "means"): 0.001}
STEPPED |= {("events", "levels"): 1e-4, ("events", "quantiles"): 1e-4}
"""Bars of what is stepped through time, or begins at dates that are, and is not solved exactly, in OOM, by scenario."""


@dataclass(frozen=True)
class Row:
    """One thing compared."""

    scenario: str
    what: str
    of: str
    unit: str
    apart: float
    bar: float

    @property
    def holds(self) -> bool:
        """Whether the two agree."""
        return self.apart <= self.bar


def compare(folder: Path) -> list[Row]:
    """Everything of a run that keeps its samples."""
    stored = read(folder)
    name = stored.scenario["name"]
    model = Model(stored.scenario, stored.draws)
    events.solve(model)
    years = stored.groups["trajectories"]["year"]
    levels = Moment(model, np.broadcast_to(years, (model.samples, len(years)))).variables()
    rows = [*_levels(stored, levels), *_binding(stored, levels), *_crossings(stored, model), *_priors(stored)]
    rows += _events(stored, model)
    return [Row(name, *row[:-1], max(row[-1], STEPPED.get((name, row[0]), 0.0))) for row in rows]


Figures = Iterator[tuple[str, str, str, float, float]]


def _levels(stored: Stored, levels: dict[str, Array]) -> Figures:
    trajectories, summary = stored.groups["trajectories"], stored.groups["summary"]
    stands = [name for name in trajectories if name not in {"year", "sample"} and not name.startswith("binding_")]
    names = [name for name in stands if name in levels]
    yield "not recomputed", "variables", "1", len(stands) - len(names), 0
    apart = max(_apart(trajectories[name], levels[name]) for name in names)
    yield "levels", f"{len(names)} variables by sample and year", "OOM", apart, LEVEL
    probabilities = summary["quantile"]
    apart = max(_apart(summary[name], _quantiles(levels[name].T, probabilities).T) for name in names)
    yield "quantiles", f"{len(names)} variables at {len(probabilities)} points a year", "OOM", apart, LEVEL
    apart = max(_apart(summary[f"{name}_mean"], levels[name].mean(axis=0)) for name in names)
    yield "means", f"{len(names)} variables by year", "OOM", apart, LEVEL


def _binding(stored: Stored, levels: dict[str, Array]) -> Figures:
    """A limit binds where what is demanded reaches it; of several, the one that leaves the least."""
    for subject, names in stored.limits.items():
        if subject == "physical_compute":
            limits = left = np.array([levels[variable("constraint", name)] for name in names])
        else:
            limits = np.array([levels[variable("cap", subject, name)] for name in names])
            left = np.array([levels[variable("left", subject, name)] for name in names])
        reached = levels[f"{subject}_demanded"] >= limits
        flags = np.where(reached.any(axis=0), np.where(reached, left, np.inf).argmin(axis=0) + 1, 0)
        apart = float(np.mean(flags != stored.groups["trajectories"][f"binding_{subject}"]))
        of = f"{len(names)} on {subject.replace('_', ' ')}"
        yield "what binds", f"{of}, by sample and year", "share", apart, 0
        shares = np.array([(flags == number).mean(axis=0) for number in range(1, len(names) + 1)])
        apart = _apart(stored.groups["summary"][f"binding_{subject}_share"], shares)
        yield "shares in which it binds", f"{of}, by year", "share", apart, EXACT


def _crossings(stored: Stored, model: Model) -> Figures:
    if not stored.scenario.get("thresholds"):
        return
    given, summary = stored.groups["crossings"], stored.groups["summary"]
    found = crossings(model)
    names = [str(name) for name in given["threshold"]]
    of = f"{len(names)} thresholds"
    height = MOVING if any(moving(*each) for each in stored.scenario["thresholds"].items()) else EXACT
    exact, levels = (np.array([getattr(found[name], part) for name in names]) for part in ("year", "level"))
    yield "threshold levels", f"{of} by sample", "OOM", _apart(given["threshold_level"], levels), height
    already = np.array([found[name].already for name in names])
    yield "above at the start", f"{of} by sample", "share", _apart(given["already_above"], already), 0
    yield "share above at the start", of, "share", _apart(summary["already"], already.mean(axis=1)), EXACT
    listed = [k for k, name in enumerate(names) if stored.scenario["thresholds"][name].get("reading") == "calendar"]
    if listed:
        apart = float(np.mean(exact[listed] != given["crossing_year"][listed]))
        yield "calendar readings", f"{len(listed)} thresholds by sample", "share", apart, 0
    yield "share that never crosses", of, "share", _apart(summary["never"], np.isinf(exact).mean(axis=1)), CROSSED
    crossed = (exact[..., None] <= summary["year"]).mean(axis=1)
    yield "share that has crossed", f"{of} by year", "share", _apart(summary["crossed"], crossed), CROSSED
    both = np.isfinite(exact) & np.isfinite(given["crossing_year"])
    late = np.where(both, given["crossing_year"], 0) - np.where(both, exact, 0)
    mean = np.abs(late.sum(axis=1) / np.maximum(both.sum(axis=1), 1))
    yield "mean crossing year", of, "year", float(mean.max()), CROSSING_MEAN
    probabilities = summary["quantile"]
    apart = _apart(summary["threshold_level_quantile"], _quantiles(levels, probabilities))
    yield "quantiles of threshold levels", f"{of} at {len(probabilities)} points", "OOM", apart, height
    quantiles = _quantiles(exact, probabilities)
    apart = _apart(summary["crossing_quantile"], quantiles)
    yield "quantiles of the crossing year", f"{of} at {len(probabilities)} points", "year", apart, CROSSING_QUANTILE


def _events(stored: Stored, model: Model) -> Figures:
    """When named events come, and end; the horizon is the last year."""
    given_events = stored.groups.get("events") or {}
    for part, (key, what) in enumerate({"event_year": "dates of events", "event_end": "ends of events"}.items()):
        for name, window in model.windows.items():
            given, date = given_events[key][list(given_events["event"]).index(name)], window[part][:, 0]
            date = np.where(date <= model.last, date, np.inf)
            apart = [_apart(*each) for each in zip(given, date, strict=True)]
            yield what, str(name), "year", float(np.mean(apart)), EVENT


def _priors(stored: Stored) -> Figures:
    stated = list(marginals.priors("", stored.scenario))
    if not stated:
        return
    distances = [marginals.furthest(stored.draws[path], spec, kind) for path, spec, kind in stated]
    yield "distributions", f"{len(stated)} priors", "standard errors", max(distances), MARGINAL
    joined = {frozenset(pair["between"]): pair["rank"] for pair in stored.scenario.get("correlations") or []}
    errors = {
        between: marginals.rank_error([stored.draws[path] for path in between], joined[between]) for between in joined
    }
    if errors:
        yield "rank correlations", f"{len(errors)} pairs", "standard errors", max(errors.values()), RANK
    alone = [path for path, _, _ in stated if not any(path in pair for pair in joined)]
    errors = {pair: marginals.rank_error([stored.draws[path] for path in pair], 0) for pair in combinations(alone, 2)}
    if errors:
        bar = NormalDist().inv_cdf(1 - CHANCE / 2 / len(errors))
        yield "independence", f"{len(errors)} pairs", "standard errors", max(errors.values()), bar


def _quantiles(numbers: Array, probabilities: Array) -> Array:
    """Quantiles of each row's samples; what falls among samples at infinity, or next to them, is there."""
    with np.errstate(invalid="ignore"):
        quantiles = np.quantile(numbers, probabilities, axis=1).T
    return np.where(np.isnan(quantiles), np.inf, quantiles)


def _apart(first: Array, second: Array) -> float:
    """The largest difference; infinite where only one is infinite."""
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    same = first == second
    return float(np.max(np.where(same, 0, np.abs(np.where(same, 0, first) - np.where(same, 0, second)))))
