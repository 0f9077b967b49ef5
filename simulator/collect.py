"""Collect batches into the groups of a run: every sample, or counts whose memory does not grow with the samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batches import Arrays, Batch
from simulator.counting import (
    Counts,
    Histograms,
    count,
    counted_quantiles,
    histograms,
    parts_of,
    sampled_quantiles,
    summary_of,
)
from simulator.estimates import merged
from simulator.plan import Plan


@dataclass(frozen=True, slots=True)
class Groups:
    """The arrays of a run by group; `parameters`, `trajectories`, `crossings` are empty where samples are not kept.

    `components` are the summaries of the single components where there are several; `component` (sample,) tells them
    apart where samples are kept.
    """

    summary: Arrays
    components: dict[str, Arrays] = field(default_factory=dict)
    parameters: Arrays = field(default_factory=dict)
    trajectories: Arrays = field(default_factory=dict)
    crossings: Arrays = field(default_factory=dict)


class Samples:
    """Keeps every sample of the batches that it is given, in the order of the samples."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._batches: list[Batch] = []

    @property
    def samples(self) -> int:
        """How many samples it holds."""
        return sum(batch.size for batch in self._batches)

    @staticmethod
    def cut(batch: Batch, length: int) -> list[Batch]:
        """Cut samples into full batches of a length; what is left over at the end is left out."""
        return [
            Batch(
                first,
                length,
                {name: values[first : first + length] for name, values in batch.parameters.items()},
                {name: values[:, first : first + length] for name, values in batch.trajectories.items()},
                {name: values[:, first : first + length] for name, values in batch.crossings.items()},
                batch.component[first : first + length],
            )
            for first in range(0, batch.size - length + 1, length)
        ]

    def add(self, batch: Batch) -> None:
        """Take the next batch."""
        self._batches.append(batch)

    def groups(self) -> Groups:
        """Give every sample, (sample, year) and (threshold, sample), and the summary."""
        plan, batches = self._plan, self._batches
        parameters = {name: np.concatenate([batch.parameters[name] for batch in batches]) for name in plan.parameters}
        crossings = _together([batch.crossings for batch in batches])
        trajectories = _together([batch.trajectories for batch in batches])
        component = np.concatenate([batch.component for batch in batches])
        whole = _added([count(plan, batch) for batch in batches])
        summary = summary_of(plan, whole, sampled_quantiles(plan, trajectories, crossings))
        apart: dict[str, Arrays] = {}
        if len(plan.components) > 1:
            everything = Batch(0, component.size, {}, trajectories, crossings, component)
            parts = zip(*(parts_of(plan, batch) for batch in batches), strict=True)
            for each, own, pieces in zip(plan.components, parts_of(plan, everything), parts, strict=True):
                counted = [count(plan, piece) for piece in pieces]
                if own.size:
                    quantiles = sampled_quantiles(plan, own.trajectories, own.crossings)
                    apart[each.name] = summary_of(plan, _added(counted), quantiles)
            parameters["component"] = component
        return Groups(
            summary,
            apart,
            parameters,
            {name: values.T for name, values in trajectories.items()},
            crossings if plan.thresholds else {},
        )


def _together(batches: list[Arrays]) -> Arrays:
    """Put the arrays of batches one after the other, (..., sample); those of one batch are handed on as they are."""
    if len(batches) == 1:
        return dict(batches[0])
    together: dict[int, NDArray[Any]] = {}
    result: Arrays = {}
    for name, values in batches[0].items():
        if id(values) not in together:  # one array may stand under two names
            together[id(values)] = np.concatenate([batch[name] for batch in batches], axis=-1)
        result[name] = together[id(values)]
    return result


def _added(counts: list[Counts]) -> Counts:
    total = counts[0]
    for other in counts[1:]:
        total.add(other)
    return total


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive batches, counted: of each the counts of all samples and of each component; histograms of all."""

    counts: list[tuple[Counts, ...]]
    histograms: list[Histograms]


def count_piece(plan: Plan, batches: Iterable[Batch]) -> Piece:
    """Count batches one after the other; what their samples are is forgotten."""
    counts: list[tuple[Counts, ...]] = []
    held: list[Histograms] = []
    for batch in batches:
        parts = list(parts_of(plan, batch))
        own = [count(plan, part) for part in parts]
        counts.append(tuple(own) if len(parts) == 1 else (count(plan, batch), *own))
        for number, part in enumerate(parts):
            new = histograms(plan, part)
            if number < len(held):
                held[number].add(new)
            else:
                held.append(new)
    return Piece(counts, held)


@dataclass(slots=True)
class Tallies:
    """What has been counted so far: `counts` of all samples and, where there are several, of each component."""

    counts: list[Counts] = field(default_factory=list)
    histograms: list[Histograms] = field(default_factory=list)

    @property
    def samples(self) -> int:
        """How many samples were counted."""
        return self.counts[0].samples if self.counts else 0

    def add(self, piece: Piece) -> None:
        """Take the samples that come next. Sums are added batch by batch, whatever pieces they come in."""
        for counted in piece.counts:
            if not self.counts:
                self.counts = list(counted)
                continue
            for own, theirs in zip(self.counts, counted, strict=True):
                own.add(theirs)
        if not self.histograms:
            self.histograms = piece.histograms
            return
        for held, new in zip(self.histograms, piece.histograms, strict=True):
            held.add(new)

    def groups(self, plan: Plan) -> Groups:
        """Give the summary, and that of each component where there are several."""
        if len(plan.components) == 1:
            return Groups(summary_of(plan, self.counts[0], counted_quantiles(plan, self.histograms[0])))
        apart = {
            each.name: summary_of(plan, own, counted_quantiles(plan, held))
            for each, own, held in zip(plan.components, self.counts[1:], self.histograms, strict=True)
            if own.samples
        }
        every = Histograms(
            {name: merged([held.variables[name] for held in self.histograms]) for name in self.histograms[0].variables},
            merged([held.crossing for held in self.histograms]),
            merged([held.level for held in self.histograms]),
        )
        return Groups(summary_of(plan, self.counts[0], counted_quantiles(plan, every)), apart)
