"""The draws that a shared page holds: what each prior was in each sample, and how its weight follows changes.

The weight of a sample is the new density over that from which it was drawn. Priors that matter most are also drawn
from twice as wide, so that far moves have samples too; all samples stand for the mixture of these ways to draw (the
balance heuristic, Veach and Guibas 1995; Owen and Zhou 2000). What a wider prior gives beyond the reach of the stated
one weighs nothing: its density as stated is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.engine.batches import Batch, compute_batch
from simulator.engine.plan import Plan
from simulator.engine.simulation import run_plan
from simulator.errors import SimulatorError
from simulator.explorer.changes import Opened, changed
from simulator.explorer.curves import Curve, Movable, movable, scores_of, stated
from simulator.explorer.protocol import Changes, Control
from simulator.priors.composite import split_atoms
from simulator.priors.dependence import CopulaGroup
from simulator.scenario.resolving import Component, Scenario
from simulator.units import Array

WIDE = 2.0
"""The width of a prior in the samples that are drawn from a wider one."""
_NOTHING = 1000.0
"""The log of how much likelier a sample is that the scenario as it is cannot give: it weighs nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The priors of a scenario that can be moved, by path; the `groups` that join them; and why others cannot be."""

    priors: Mapping[str, Movable]
    groups: tuple[CopulaGroup, ...]
    refused: Mapping[str, str]

    @classmethod
    def of(cls, base: Opened, controls: Sequence[Control]) -> Known:
        """Tabulate the priors of controls."""
        components = base.scenario.components
        weights = weighed_scenarios(base)
        beliefs = [each for each in controls if each["kind"] in ("prior", "weight") and each["path"] not in weights]
        found = {each["path"]: movable(base, each) for each in beliefs}
        refused = {path: each for path, each in found.items() if isinstance(each, str)}
        priors = {path: each for path, each in found.items() if isinstance(each, Movable)}
        groups = components[0].joint.groups
        alike = all(
            len(each.joint.groups) == len(groups)
            and all(
                a.names == b.names and np.array_equal(a.factor, b.factor)
                for a, b in zip(each.joint.groups, groups, strict=True)
            )
            for each in components
        )
        joined = {name for each in components for group in each.joint.groups for name in group.names}
        single = {
            name
            for group in groups
            if any(split_atoms(components[0].joint.priors[name].family).values for name in group.names)
            for name in group.names
        }
        for path, each in priors.items():
            apart = each.of is not None or each.part is not None or not alike or each.name in single
            if each.name in joined and apart:
                refused[path] = "It is correlated with another prior, in a way that this file does not hold."
        priors = {path: each for path, each in priors.items() if path not in refused}
        names = {each.name for each in priors.values() if each.of is None}
        return cls(priors, tuple(group for group in groups if names & set(group.names)), refused)

    @property
    def names(self) -> dict[str, tuple[str, int | None]]:
        """Name the scores that count, each by prior and scenario of a mixture, None: all."""
        own = {each.key: (each.name, each.of) for each in self.priors.values()}
        return own | {name: (name, None) for group in self.groups for name in group.names}

    def log_ratios(self, scores: Mapping[str, Array], moved: Mapping[str, Curve]) -> Array:
        """Give the logs of the density with priors moved over that without, where they had these scores (sample,)."""
        total, after = np.zeros(next(iter(scores.values())).size), dict(scores)
        for path, curve in moved.items():
            prior = self.priors[path]
            ratio, after[prior.key] = prior.log_ratio(scores[prior.key], curve)
            total += ratio
        names = {self.priors[path].key for path in moved}
        for group in self.groups:
            if names & set(group.names):
                total += _log_copula(group, after) - _log_copula(group, scores)
        return total


def weighed_scenarios(base: Opened) -> dict[str, str]:
    """Name the scenarios of a mixture by the paths of the controls of their weights."""
    return {path: handle.part for path, handle in base.handles.items() if path == f"mixture[{handle.part}].weight"}


def _log_copula(group: CopulaGroup, scores: Mapping[str, Array]) -> Array:
    """Give the log density of a Gaussian copula, up to a constant."""
    joined = np.stack([scores[name] for name in group.names])
    return np.asarray(-0.5 * (np.square(np.linalg.solve(group.factor, joined)) - np.square(joined)).sum(axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Samples of a scenario and of it with a wider prior, one after the other.

    `scores` (sample,) by name are those of the priors that are `known`; `logs` (sample,) of how much likelier the
    sample is in all ways to draw than in the scenario as it is. `wide` are the paths of the priors that are drawn wider
    too, each in so large a share of the samples.
    """

    plan: Plan
    batches: tuple[Batch, ...]
    known: Known
    scores: Mapping[str, Array]
    logs: Array
    wide: Mapping[str, float]

    @property
    def of_run(self) -> int:
        """How many of them the run of the scenario has too; what is joined is drawn otherwise here."""
        joined = any(each.joint.groups for each in self.plan.components)
        return 0 if joined else self.batches[0].component.size

    @property
    def component(self) -> Array:
        """Which scenario of a mixture each sample is of, (sample,)."""
        return np.concatenate([each.component for each in self.batches])

    @property
    def trajectories(self) -> dict[str, Array]:
        """The levels of each variable, and what binds, (year, sample)."""
        names = self.batches[0].trajectories
        return {name: np.concatenate([each.trajectories[name] for each in self.batches], axis=1) for name in names}

    def crossings(self, name: str) -> Array:
        """What is known of each threshold, (threshold, sample)."""
        return np.concatenate([each.crossings[name] for each in self.batches], axis=-1)

    def log_weights(self, changes: Changes) -> Array:
        """Give the logs of weights (sample,) for priors that are moved."""
        moved = {path: self.known.priors[path].after(change) for path, change in changes.items()}
        return self.known.log_ratios(self.scores, moved) - self.logs


def draws_of(base: Opened, known: Known, *, own: int, wider: int, most: int) -> Draws:
    """Draw samples of a scenario that has learnt what it has to.

    `own` samples are those of its run, and `wider` more have one of the `most` priors that matter most twice as wide;
    what is joined by a copula is drawn from that itself, whose density weighs it.
    """
    scenario = _unspread(base.scenario)
    plan, components = run_plan(scenario), scenario.components
    batches, wide, curves = [compute_batch(plan, 0, own)], dict[str, int](), dict[str, Curve]()
    for number, path in enumerate(_strongest(batches[0], plan, known.priors)[:most]):
        prior = known.priors[path]
        curve = stated(base, prior, prior.median, WIDE)  # from which these are drawn, and not what stands for it
        if curve is None or not np.isfinite(curve.at).all():
            continue
        try:
            other = _unspread(changed(base, {path: {"width": WIDE}}))
            batches.append(compute_batch(run_plan(_seeded(other, number + 1)), 0, wider))
        except SimulatorError:
            continue  # it may not be so wide: there are only the scenario's own samples
        curves[path], wide[path] = curve, wider
    component = np.concatenate([each.component for each in batches])
    scores = dict[str, Array]()
    for key, (name, of) in sorted(known.names.items()):
        drawn = np.concatenate([each.parameters[name] for each in batches])
        drawn = np.where(np.isnan(drawn), np.inf, drawn)
        priors = [each.joint.priors.get(name) for each in components]  # what is only joined may differ
        found = np.full(drawn.size, np.inf)
        for at, each in enumerate(priors):
            if each is not None:
                found = np.where(component == at, scores_of(each, drawn), found)
        scores[key] = found if of is None else np.where(component == of, found, np.inf)
    size = own + sum(wide.values())
    outside = np.any([np.isnan(found) for found in scores.values()], axis=0) if scores else np.zeros(size, bool)
    scores = {key: np.where(outside, 0.0, found) for key, found in scores.items()}
    total = np.full(size, own / size)
    for path, count in wide.items():
        total += count / size * np.exp(known.log_ratios(scores, {path: curves[path]}))
    logs = np.where(outside, _NOTHING, np.log(total))
    return Draws(plan, tuple(batches), known, scores, logs, {path: n / size for path, n in wide.items()})


def _seeded(scenario: Scenario, number: int) -> Scenario:
    """Give a scenario with draws of its own."""
    seeds = {"seed": scenario.spec.seed + number}
    other = (replace(each, spec=each.spec.model_copy(update=seeds)) for each in scenario.components)
    return replace(scenario, components=tuple(other))


def _unspread(scenario: Scenario) -> Scenario:
    """Give a scenario with draws that have the density of their copulas, and are not spread over each block again."""

    def plain(component: Component) -> Component:
        groups = tuple(replace(group, is_spread=False) for group in component.joint.groups)
        return replace(component, joint=replace(component.joint, groups=groups))

    return replace(scenario, components=tuple(map(plain, scenario.components)))


def _strongest(batch: Batch, plan: Plan, priors: Mapping[str, Movable]) -> list[str]:
    """Sort priors by how strongly the levels half-way and at the end go with them."""
    levels = batch.trajectories.get("effective_compute", next(iter(batch.trajectories.values())))
    ends = [np.asarray(levels[place], dtype=np.float64) for place in (plan.years.size // 2, -1)]

    def strength(path: str) -> float:
        drawn = batch.parameters[priors[path].name]
        if not np.isfinite(drawn).all() or np.ptp(drawn) == 0.0:
            return 0.0
        found = [abs(float(np.corrcoef(drawn, end)[0, 1])) for end in ends if np.isfinite(end).all() and np.ptp(end)]
        return max(found, default=0.0)

    wholes = [path for path, each in priors.items() if path == each.key]
    return sorted(wholes, key=strength, reverse=True)
