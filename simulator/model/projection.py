"""From drawn parameters to trajectories: drivers, caps, constraints, feedback, effective compute, capability.

    physical compute  = spending x hardware efficiency, at most what the constraints allow
    effective compute = physical compute x algorithmic efficiency

All in log10, vectorised over the samples of a block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path
from simulator.model import growth, quantities
from simulator.model.model_counts import model_counts
from simulator.model.saturation import law_of, saturate
from simulator.schema.drivers import CustomDriver
from simulator.schema.goals import Capability
from simulator.schema.model_counts import count_names
from simulator.schema.prior_names import stated_drivers
from simulator.schema.spec import Limit, ScenarioSpec
from simulator.units import Array
from simulator.variables import snake

AT_ONCE = 1 << 14
"""Times that are computed at once: few enough that what is computed from them stays in the cache."""

STEPS_PER_YEAR = {"year": 1, "quarter": 4, "month": 12}


def year_grid(spec: ScenarioSpec) -> Array:
    """List the years of a scenario: the first, every calendar step after it, the last."""
    steps = STEPS_PER_YEAR[spec.years.step]
    first, last = spec.years.first, spec.years.last
    inner = np.arange(np.floor(first * steps) + 1, np.ceil(last * steps)) / steps
    return np.concatenate([[first], inner[(inner > first) & (inner < last)], [last]])


@dataclass(frozen=True, slots=True)
class Capped:
    """A level under its limits: what was demanded, what is left, the limits, and which of them binds (0: none)."""

    demanded: Array
    capped: Array
    limits: Mapping[str, Array]
    binding: NDArray[np.int8]


def under_limits(demanded: Array, start: Array, limits: Mapping[str, tuple[Limit, Array]]) -> Capped:
    """Put a level (sample, year) in log10 under several limits; the one that leaves the least counts.

    `start` (sample, 1) is the level at the start; `limits` gives each limit with its level (sample, year) by name. A
    limit binds where the demanded level has reached it; where several are reached, the one that leaves the least.
    """
    capped = demanded
    binding = np.zeros((1, 1), dtype=np.int8)
    earlier: list[tuple[NDArray[np.bool_], Array]] = []
    numbers = {name: number for number, name in enumerate(sorted(limits), start=1)}
    # Far above two limits of one height their levels round to the same number: the law that leaves less comes first.
    for name in sorted(limits, key=lambda name: (law_of(limits[name][0].kind).rank, name)):
        number, (limit, level) = numbers[name], limits[name]
        bent = saturate(demanded, level, kind=limit.kind, log_start=start)
        capped = np.minimum(capped, bent)
        reached = demanded >= level
        binds = reached
        for before, least in earlier:
            binds = binds & (~before | (bent < least))
        earlier.append((reached, bent))
        binding = binding * ~binds + np.int8(number) * binds  # np.where takes ten times as long
    return Capped(demanded, capped, {name: level for name, (_, level) in limits.items()}, binding)


class Projection:
    """A scenario made ready for its blocks of draws; what stands where in it is found once."""

    def __init__(self, spec: ScenarioSpec, *, years: Array, custom: Mapping[str, CustomDriver]) -> None:
        self.spec, self.years, self.custom = spec, years, custom
        self._places: dict[tuple[str, Path], Any] = {}
        self._has_feedback = any(driver.feedback for driver in stated_drivers(spec).values())

    def project(self, draws: Mapping[str, Array]) -> Paths:
        """Project a block of draws by name of the prior, (sample,) or (1,) on the internal scale, over the years."""
        spec, years, block = self.spec, self.years, quantities.Block(self.spec, draws, self.custom, self._places)
        parts = _with_feedback(block, years) if self._has_feedback else _parts(block, years)
        starts = {name: values[:, :1] for name, values in _totals(parts).items()}
        assembled = _assemble(parts, starts, _limits(block, years))
        result: dict[str, NDArray[Any]] = {
            f"quantity_{snake(name)}": block.named(name, years) for name in spec.quantities
        }
        result |= {f"{driver}_factor_{snake(name)}": level for (driver, name), level in parts.items() if name}
        for name, capped in assembled.items():
            result |= _variables_of(name, capped, spec)
        result["effective_compute"] = effective_compute(assembled)
        if spec.capability is not None:
            starts["reference"] = result[spec.capability.of][:, :1]
            result["capability"] = _capability(spec.capability, block, result[spec.capability.of], starts["reference"])
        if spec.models is not None:
            result |= model_counts(spec.models, block, years, log_physical=result["physical_compute"])
        return Paths(self, block, starts, result)

    def levels_at(self, paths: Paths, names: Sequence[str], samples: NDArray[np.intp], times: Array) -> Array:
        """Compute quantities that thresholds stand on for samples at times of their own, both (n,): (quantity, n).

        The path between the years is that of the equations; what is known on a grid alone (feedback, accumulations,
        custom drivers) is straight between its points.
        """
        at, block, capability = times[:, None], paths.block.taken(samples), self.spec.capability
        starts = {name: values[samples] if len(values) > 1 else values for name, values in paths.starts.items()}
        parts = _between(block, at) if self._has_feedback else _parts(block, at)
        assembled = _assemble(parts, starts, _limits(block, at))
        levels = {name: capped.capped for name, capped in assembled.items()}
        levels["effective_compute"] = effective_compute(assembled)
        if capability is not None and "capability" in names:
            levels["capability"] = _capability(capability, block, levels[capability.of], starts["reference"])
        return np.stack([np.broadcast_to(levels[name][:, 0], samples.shape) for name in names])


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of a block of samples.

    `levels` at the years by name of the variable, (sample, year) or (1, year): log10 of base units; `binding_*` the
    number of the limit that binds; `capability` the metric itself; `models_*` plain numbers. `starts` (sample, 1) are
    the levels of the first year that laws and metrics refer to.
    """

    projection: Projection
    block: quantities.Block
    starts: dict[str, Array]
    levels: dict[str, NDArray[Any]]

    def at(self, names: Sequence[str], samples: NDArray[np.intp], times: Array) -> Array:
        """Compute quantities for samples at times of their own, between the years too, both (n,): (quantity, n)."""
        starts = range(0, max(samples.size, 1), AT_ONCE)
        parts = (slice(start, start + AT_ONCE) for start in starts)
        return np.concatenate(
            [self.projection.levels_at(self, names, samples[part], times[part]) for part in parts], axis=1
        )


def joined(parts: Sequence[Paths], draws: Mapping[str, Array], names: Sequence[str]) -> Paths:
    """Join the paths of consecutive samples, whose draws are `draws`; of their levels those of some names."""
    if len(parts) == 1:
        return parts[0]
    projection, block = parts[0].projection, parts[0].block
    steps = {
        path: (times, _stacked([part.block.steps[path][1] for part in parts]))
        for path, (times, _) in block.steps.items()
    }
    starts = {name: _stacked([part.starts[name] for part in parts]) for name in parts[0].starts}
    levels = {name: _stacked([part.levels[name] for part in parts]) for name in names}
    return Paths(
        projection, quantities.Block(block.spec, draws, block.custom, block.places, steps=steps), starts, levels
    )


def _stacked(levels: Sequence[Array]) -> Array:
    """Put levels (sample, year) below one another; those that are the same in all samples, (1, year), stay one."""
    return levels[0] if all(len(each) == 1 for each in levels) else np.concatenate(levels)


def _between(block: quantities.Block, times: Array) -> Parts:
    """Read the levels that feedback has stepped through, by driver and factor."""
    result: dict[tuple[str, str], Array] = {}
    for name, driver in stated_drivers(block.spec).items():
        for key in sorted(driver.factors) if driver.factors is not None else [""]:
            if (level := block.between((name, key), times)) is not None:
                result[name, key] = level
    return result


def effective_compute(assembled: Mapping[str, Capped]) -> Array:
    """Add physical compute and algorithmic efficiency in log10; without algorithms the two computes are one."""
    physical = assembled["physical_compute"].capped
    return physical + assembled["algorithms"].capped if "algorithms" in assembled else physical


type Parts = Mapping[tuple[str, str], Array]
"""Levels by driver and factor; a driver without factors has one, of the name ''."""


def _parts(block: quantities.Block, years: Array) -> Parts:
    """Compute what growth demands of each driver, by factor."""
    result: dict[tuple[str, str], Array] = {}
    for name, driver in stated_drivers(block.spec).items():
        path: Path = ("drivers", name)
        if driver.factors is None:
            result[name, ""] = quantities.demanded_level(driver, path, block, years)
        for key, factor in sorted((driver.factors or {}).items()):
            result[name, key] = quantities.capped_level(factor, (*path, "factors", key), block, years)
    return result


def _totals(parts: Parts) -> dict[str, Array]:
    totals: dict[str, Array] = {}
    for (driver, _), level in parts.items():
        totals[driver] = totals[driver] + level if driver in totals else level
    return totals


type Limits = Mapping[str, Mapping[str, tuple[Limit, Array]]]


def _limits(block: quantities.Block, years: Array) -> Limits:
    """Compute the caps of each driver; the constraints on physical compute with a compute driver's caps."""
    spec = block.spec
    result: dict[str, dict[str, tuple[Limit, Array]]] = {"physical_compute": {}}
    for name, driver in stated_drivers(spec).items():
        target = result.setdefault("physical_compute" if name == "compute" else name, {})
        for cap_name, cap in driver.caps.items():
            target[cap_name] = (cap, quantities.limit_level(cap, ("drivers", name, "caps", cap_name), block, years))
    for name, constraint in spec.constraints.items():
        level = quantities.limit_level(constraint, ("constraints", name), block, years)
        result["physical_compute"][name] = (constraint, level)
    return result


def _assemble(parts: Parts, starts: Mapping[str, Array], limits: Limits) -> dict[str, Capped]:
    """Put each driver under its caps and physical compute under the constraints."""
    totals = _totals(parts)
    assembled = {
        name: under_limits(total, starts[name], limits[name]) for name, total in totals.items() if name != "compute"
    }
    if "compute" in totals:
        demanded, start = totals["compute"], starts["compute"]
    else:
        demanded = assembled["spending"].capped + assembled["hardware"].capped
        start = starts["spending"] + starts["hardware"]
    assembled["physical_compute"] = under_limits(demanded, start, limits["physical_compute"])
    return assembled


def _variables_of(name: str, capped: Capped, spec: ScenarioSpec) -> dict[str, NDArray[Any]]:
    """Name the arrays of a driver or of physical compute as they stand in the run."""
    result: dict[str, NDArray[Any]] = {name: capped.capped}
    if capped.limits or name in ("spending", "physical_compute"):
        result[f"{name}_demanded"] = capped.demanded
    for limit, level in capped.limits.items():
        result[_limit_variable(name, limit, spec)] = level
    if capped.limits:
        result[f"binding_{name}"] = capped.binding
    return result


def variable_names(spec: ScenarioSpec) -> tuple[str, ...]:
    """Name the variables that a `Projection` gives for a scenario."""
    limits = {name.removeprefix("binding_"): named for name, named in binding_names(spec).items()}
    names = [f"quantity_{snake(name)}" for name in spec.quantities]
    for driver_name, driver in stated_drivers(spec).items():
        names += [f"{driver_name}_factor_{snake(factor)}" for factor in sorted(driver.factors or {})]
    for name in (*(name for name in stated_drivers(spec) if name != "compute"), "physical_compute"):
        names += [name]
        names += [f"{name}_demanded"] if name in limits or name in ("spending", "physical_compute") else []
        names += [_limit_variable(name, limit, spec) for limit in limits.get(name, ())]
        names += [f"binding_{name}"] if name in limits else []
    names += ["effective_compute", *(["capability"] if spec.capability is not None else [])]
    return (*names, *(count_names(spec.models) if spec.models is not None else ()))


def _limit_variable(name: str, limit: str, spec: ScenarioSpec) -> str:
    kind = "constraint" if name == "physical_compute" and limit in spec.constraints else f"cap_{name}"
    return f"{kind}_{snake(limit)}"


def binding_names(spec: ScenarioSpec) -> dict[str, tuple[str, ...]]:
    """Name the limits behind the numbers 1, 2, ... of each `binding_*` variable."""
    names = {name: set(driver.caps) for name, driver in stated_drivers(spec).items() if name != "compute"}
    names["physical_compute"] = set(spec.constraints) | set(spec.drivers.compute.caps if spec.drivers.compute else ())
    return {f"binding_{name}": tuple(sorted(limits)) for name, limits in names.items() if limits}


def _with_feedback(block: quantities.Block, years: Array) -> Parts:
    """Step the drivers through time where effective compute feeds back on their growth.

    d level/dt = rate(t) m(effective compute(t)), by Heun's method on a grid of sixteenths of a year: second order in
    the step. A year that is not on the grid is stepped to from the grid and not from, so that neither the step of the
    scenario nor its horizon changes the other years.
    """
    times = quantities.fine_grid(float(years[0]), float(years[-1]), years)
    plain, limits, feedbacks = _parts(block, times), _limits(block, times), _feedbacks(block)
    starts = {name: total[:, :1] for name, total in _totals(plain).items()}

    def multipliers(now: Parts, step: int) -> dict[str, Array]:
        """Compute the multiplier on each driver's growth from the effective compute of a moment, (sample, 1)."""
        here = {
            target: {name: (limit, level[:, step : step + 1]) for name, (limit, level) in named.items()}
            for target, named in limits.items()
        }
        compute = effective_compute(_assemble(now, starts, here))[:, 0]
        return {
            name: growth.feedback_multiplier(compute, log_points=points, log_multipliers=drawn)[:, None]
            for name, (points, drawn) in feedbacks.items()
        }

    path: list[Parts] = [{key: level[:, :1] for key, level in plain.items()}]
    origin, before = 0, multipliers(path[0], 0)
    on_grid = quantities.is_fine(times)
    for step in range(1, times.size):
        change = {key: level[:, [step]] - level[:, [origin]] for key, level in plain.items()}
        after = multipliers(_advanced(path[origin], change, before), step)
        path.append(_advanced(path[origin], change, {name: (before[name] + after[name]) / 2 for name in before}))
        if on_grid[step]:
            origin, before = step, multipliers(path[step], step)
    kept = np.searchsorted(times, years)
    stepped = {key: np.concatenate(np.broadcast_arrays(*(now[key] for now in path)), axis=1) for key in plain}
    return {key: block.stepped(key, times, levels)[:, kept] for key, levels in stepped.items()}


def _advanced(now: Parts, change: Parts, by: Mapping[str, Array]) -> Parts:
    return {key: level + change[key] * by.get(key[0], 1.0) for key, level in now.items()}


def _feedbacks(block: quantities.Block) -> dict[str, tuple[Array, Array]]:
    """Give the points of each driver's feedback: log10 of compute, (point,), and of the multiplier, (sample, point)."""
    result = {}
    for name, driver in stated_drivers(block.spec).items():
        if driver.feedback:
            places = range(len(driver.feedback))
            drawn = (block.draw(("drivers", name, "feedback", place, "multiplier")) for place in places)
            multipliers = np.stack(np.broadcast_arrays(*drawn), axis=-1)
            result[name] = np.log10([point.at for point in driver.feedback]), multipliers
    return result


def _capability(spec: Capability, block: quantities.Block, compute: Array, first: Array) -> Array:
    """Compute the capability metric from effective or physical compute; `first` is that of the first year."""

    def drawn(key: str) -> Array:
        return block.draw(("capability", key))[:, None]

    if spec.kind == "gain-per-doubling":
        reference = first if spec.reference is None else drawn("reference")
        return growth.gain_per_doubling(compute, log_reference=reference, log_gain=drawn("gain"))
    if spec.kind == "power-law-loss":
        return growth.power_law_loss(
            compute, irreducible=drawn("irreducible"), log_scale=drawn("scale"), exponent=drawn("exponent")
        )
    return growth.logistic_capability(
        compute,
        midpoint_log10=drawn("midpoint"),
        slope_per_oom=drawn("slope"),
        floor=0.0 if spec.floor is None else drawn("floor"),
        ceiling=1.0 if spec.ceiling is None else drawn("ceiling"),
    )
