"""Collect blocks into the groups of a run: every sample, or a stream of counts whose memory the block bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.estimates import Histogram, block_error, quantile_error, sample_quantiles
from simulator.events import Crossings
from simulator.priors import JointPrior
from simulator.projection import binding_names
from simulator.schema import ScenarioSpec
from simulator.units import Array

LEVELS: tuple[float, ...] = (
    0.01, 0.025, 0.05, 0.1, 0.15, 0.17, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
    0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.83, 0.85, 0.9, 0.95, 0.975, 0.99,
)  # fmt: skip
"""The quantile levels of a summary: the 23 of the forecast hubs, and 17 and 83 % for the likely range of the IPCC."""

HEADLINE = ("effective_compute", "physical_compute", "spending")
"""The variables whose quantiles carry a standard error."""

type Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Groups:
    """The arrays of a run by group; `parameters`, `trajectories` and `crossings` are empty where samples are not kept."""

    summary: Arrays
    parameters: Arrays
    trajectories: Arrays
    crossings: Arrays


class Collector(Protocol):
    """Takes blocks in order and gives the groups of a run."""

    def add(
        self,
        size: int,
        draws: Mapping[str, Array],
        trajectories: Mapping[str, Array],
        crossings: Mapping[str, Crossings],
    ) -> None:
        """Take the first `size` samples of a block."""
        ...

    def groups(self) -> Groups:
        """Give what was collected."""
        ...


class _Blockwise:
    """What both collectors keep of each full block, for standard errors: quantiles of the headline variables, shares."""

    def __init__(self, spec: ScenarioSpec, years: Array) -> None:
        self.spec, self.years = spec, years
        self.quantiles: dict[str, list[Array]] = {}
        self.crossed: dict[str, list[Array]] = {name: [] for name in spec.thresholds}
        self.crossed_count = {name: np.zeros(years.size) for name in spec.thresholds}
        self.already = dict.fromkeys(spec.thresholds, 0)
        self.never = dict.fromkeys(spec.thresholds, 0)

    def add(self, size: int, trajectories: Mapping[str, Array], crossings: Mapping[str, Crossings]) -> None:
        full = size == self.spec.block
        for name in HEADLINE:
            if full and name in trajectories:
                self.quantiles.setdefault(name, []).append(sample_quantiles(trajectories[name], LEVELS))
        for name, crossing in crossings.items():
            year = crossing.year[:size]
            counts = np.array([np.count_nonzero(year <= y) for y in self.years], dtype=float)
            self.crossed_count[name] += counts
            self.already[name] += int(np.count_nonzero(crossing.already[:size]))
            self.never[name] += int(np.count_nonzero(np.isinf(year)))
            if full:
                self.crossed[name].append(counts / size)

    def errors(self) -> Arrays:
        block, samples = self.spec.block, self.spec.samples
        result: Arrays = {}
        for name in HEADLINE:
            estimates = self.quantiles.get(name)
            if estimates is not None:
                result[f"{name}_error"] = block_error(np.stack(estimates), block=block, samples=samples)
        return result

    def crossing_summary(self, quantiles: Mapping[str, Array], level_quantiles: Mapping[str, Array]) -> Arrays:
        """Summarise the crossings: arrays over (threshold, ...)."""
        names, samples = list(self.spec.thresholds), self.spec.samples
        if not names:
            return {}
        share = {name: self.crossed_count[name] / samples for name in names}
        error = {
            name: block_error(
                np.array(self.crossed[name]).reshape(-1, self.years.size), block=self.spec.block, samples=samples
            )
            for name in names
        }
        return {
            "crossed": np.stack([share[name] for name in names]),
            "crossed_error": np.stack([error[name] for name in names]),
            "never": np.array([self.never[name] / samples for name in names]),
            "already": np.array([self.already[name] / samples for name in names]),
            "crossing_quantile": np.stack([quantiles[name] for name in names]),
            "crossing_quantile_error": np.stack(
                [quantile_error(self.years, share[name], error[name], quantiles[name]) for name in names]
            ),
            "threshold_level_quantile": np.stack([level_quantiles[name] for name in names]),
        }


def binding_shares(spec: ScenarioSpec, counts: Mapping[str, NDArray[np.int64]], samples: int) -> Arrays:
    """Turn counts (limit, year) of what binds into shares, by variable."""
    return {f"{name}_share": counts[name] / samples for name in binding_names(spec)}


def _count_binding(values: NDArray[Any], limits: int) -> NDArray[np.int64]:
    return np.stack([np.count_nonzero(values == number, axis=0) for number in range(1, limits + 1)])


class SampleCollector:
    """Keeps every sample: trajectories in float32 (a relative error of 6e-8), crossings and parameters in float64."""

    def __init__(self, spec: ScenarioSpec, joint: JointPrior, years: Array) -> None:
        self._spec, self._joint, self._years = spec, joint, years
        self._blockwise = _Blockwise(spec, years)
        self._parameters: Arrays = {name: np.empty(spec.samples) for name in joint.priors}
        self._trajectories: Arrays = {}
        shape = (len(spec.thresholds), spec.samples)
        self._crossings: dict[str, NDArray[Any]] = {
            "crossing_year": np.empty(shape),
            "already_above": np.empty(shape, dtype=np.int8),
            "threshold_level": np.empty(shape),
        }
        self._done = 0

    def add(
        self,
        size: int,
        draws: Mapping[str, Array],
        trajectories: Mapping[str, Array],
        crossings: Mapping[str, Crossings],
    ) -> None:
        """Take the first `size` samples of a block."""
        here = slice(self._done, self._done + size)
        for name, values in draws.items():
            self._parameters[name][here] = values[:size]
        for name, values in trajectories.items():
            if name not in self._trajectories:
                kind = np.int8 if name.startswith("binding_") else np.float64 if name == "capability" else np.float32
                self._trajectories[name] = np.empty((self._spec.samples, self._years.size), dtype=kind)
            self._trajectories[name][here] = values[:size]
        for row, crossing in enumerate(crossings.values()):
            self._crossings["crossing_year"][row, here] = crossing.year[:size]
            self._crossings["already_above"][row, here] = crossing.already[:size]
            self._crossings["threshold_level"][row, here] = crossing.level[:size]
        self._blockwise.add(size, trajectories, crossings)
        self._done += size

    def groups(self) -> Groups:
        """Give every sample and the summary."""
        names = binding_names(self._spec)
        summary: Arrays = {
            name: sample_quantiles(values, LEVELS) for name, values in self._trajectories.items() if name not in names
        }
        counts = {name: _count_binding(self._trajectories[name], len(limits)) for name, limits in names.items()}
        summary |= binding_shares(self._spec, counts, self._spec.samples)
        rows = range(len(self._spec.thresholds))
        years, levels = self._crossings["crossing_year"], self._crossings["threshold_level"]
        summary |= self._blockwise.errors()
        summary |= self._blockwise.crossing_summary(
            _by_threshold(self._spec, [sample_quantiles(years[row], LEVELS) for row in rows]),
            _by_threshold(self._spec, [sample_quantiles(levels[row], LEVELS) for row in rows]),
        )
        crossings = self._crossings if self._spec.thresholds else {}
        return Groups(summary, self._parameters, self._trajectories, crossings)


def _by_threshold(spec: ScenarioSpec, arrays: Sequence[Array]) -> dict[str, Array]:
    return dict(zip(spec.thresholds, arrays, strict=True))


class StreamCollector:
    """Keeps counts only: histograms of every variable and year, of crossing years and of thresholds' levels."""

    def __init__(self, spec: ScenarioSpec, joint: JointPrior, years: Array) -> None:
        del joint
        self._spec, self._years = spec, years
        self._blockwise = _Blockwise(spec, years)
        self._variables: dict[str, Histogram] = {}
        self._binding: dict[str, NDArray[np.int64]] = {}
        self._crossing = {name: Histogram(1) for name in spec.thresholds}
        self._level = {name: Histogram(1) for name in spec.thresholds}

    def add(
        self,
        size: int,
        draws: Mapping[str, Array],
        trajectories: Mapping[str, Array],
        crossings: Mapping[str, Crossings],
    ) -> None:
        """Take the first `size` samples of a block."""
        del draws
        names = binding_names(self._spec)
        for name, values in trajectories.items():
            whole = np.broadcast_to(values, (self._spec.block, self._years.size))[:size]
            if name in names:
                counts = _count_binding(whole, len(names[name]))
                self._binding[name] = self._binding.get(name, np.zeros_like(counts)) + counts
            else:
                self._variables.setdefault(name, Histogram(self._years.size)).add(whole)
        for name, crossing in crossings.items():
            self._crossing[name].add(crossing.year[:size, None])
            self._level[name].add(crossing.level[:size, None])
        self._blockwise.add(size, trajectories, crossings)

    def groups(self) -> Groups:
        """Give the summary."""
        summary: Arrays = {name: histogram.quantiles(LEVELS) for name, histogram in self._variables.items()}
        summary |= binding_shares(self._spec, self._binding, self._spec.samples)
        summary |= self._blockwise.errors()
        summary |= self._blockwise.crossing_summary(
            {name: histogram.quantiles(LEVELS)[:, 0] for name, histogram in self._crossing.items()},
            {name: histogram.quantiles(LEVELS)[:, 0] for name, histogram in self._level.items()},
        )
        return Groups(summary, {}, {}, {})
