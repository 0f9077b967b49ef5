"""Growth that effective compute speeds up: the coupled equations, solved in small steps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from tests.oracle import laws, stepping
from tests.oracle.model import Model, Moment, variable
from tests.oracle.units import Array

STEPS_A_YEAR = 32


def solve(model: Model) -> None:
    """Give the model the growth of every level of a driver with feedback, as functions of time.

    d(level)/dt = multiplier(effective compute) x rate, from the first year. Within a step every rate is constant: the dates of regimes are ends of steps. A first solution shows where limits and
    points of the multiplier are met; these times are ends of steps in the second.
    """
    drivers = model.scenario["drivers"]
    fed = {name: _paths(name, spec) for name, spec in drivers.items() if "feedback" in spec}
    if not fed:
        return
    if set(fed) - {"hardware", "algorithms"} or drivers.get("hardware", {}).get("caps"):
        raise NotImplementedError("feedback on spending, or under a cap on hardware")
    nodes = model.times(STEPS_A_YEAR)
    model.gains = _integrated(model, fed, nodes)
    nodes = np.sort(np.hstack([nodes, *_corners(model, fed, nodes)]), axis=1)
    model.gains = _integrated(model, fed, nodes)


def _integrated(model: Model, fed: dict[str, dict[str, Any]], nodes: Array) -> dict[str, stepping.Path]:
    """The growth of each level that feedback touches, stepped from node to node."""
    middle = (nodes[:, 1:] + nodes[:, :-1]) / 2
    driver = {path: name for name, levels in fed.items() for path in levels}
    rates = np.array([laws.rate_in_force(model.growth(path, fed[name][path]), middle) for path, name in driver.items()])
    points = {name: _points(model, name) for name in fed}
    outside = [_Outside(model, t, set(driver)) for t in (nodes, middle)]

    def slope(gains: Array, step: int, half: int) -> Array:
        compute = outside[half % 2].effective(dict(zip(driver, gains, strict=True)), step + half // 2)
        faster = {name: multiplier(compute, *points[name]) for name in fed}
        return np.array([faster[name] for name in driver.values()]) * rates[:, :, step]

    return dict(zip(driver, stepping.solve(nodes, np.zeros((len(driver), model.samples)), slope), strict=True))


class _Outside:
    """What feedback does not touch, at given times: spending, constraints, starts and the limits on algorithms."""

    def __init__(self, model: Model, t: Array, paths: set[str]) -> None:
        still = Model(model.scenario, model.draws)
        still.gains = dict.fromkeys(paths, np.zeros_like)
        moment, algorithms = Moment(still, t), model.scenario["drivers"]["algorithms"]
        self.named = moment.variables()
        self.caps = (algorithms.get("caps") or {}).items()
        self.begun = moment.grown("drivers.algorithms", algorithms)[0]
        constraints = [level for name, level in self.named.items() if name.startswith("constraint_")]
        self.constraint = np.min([np.full(t.shape, np.inf), *constraints], axis=0)

    def effective(self, gains: dict[str, Array], k: int) -> Array:
        """Effective compute at the k-th time after these gains."""
        demanded = self.named["physical_compute_demanded"][:, k]
        demanded = demanded + sum(gain for path, gain in gains.items() if "hardware" in path)
        algorithms = self.named["algorithms"][:, k]
        if "drivers.algorithms" in gains:
            algorithms = self.begun[:, k] + gains["drivers.algorithms"]
        left = [algorithms]
        for name, cap in self.caps if "drivers.algorithms" in gains else ():
            limit = self.named[variable("cap", "algorithms", name)][:, k]
            if cap.get("kind") == "gompertz":
                left.append(laws.gompertz(algorithms, np.zeros(1), limit))
            else:
                left.append(laws.LAWS[cap.get("kind", "hard")](algorithms, limit))
        return np.minimum(demanded, self.constraint[:, k]) + np.min(left, axis=0)


def _corners(model: Model, fed: dict[str, dict[str, Any]], nodes: Array) -> Iterator[Array]:
    """Times (sample, 1) at which effective compute meets a point of a multiplier, or limits and what they limit meet."""
    levels = Moment(model, nodes).variables()
    gaps = [levels["effective_compute"] - at for name in fed for at in _points(model, name)[0]]
    for subject, limit in (("spending", "cap_spending_"), ("physical_compute", "constraint_")):
        limits = [level for name, level in levels.items() if name.startswith(limit)]
        if limits:
            gaps += [one - other for one, other in combinations([levels[f"{subject}_demanded"], *limits], 2)]
    rows = np.arange(len(nodes))
    for gap in gaps:
        turns = (gap[:, 1:] >= 0) != (gap[:, :-1] >= 0)
        for _ in range(2):  # that a gap closes more than twice is rare, and costs accuracy only
            k = turns.argmax(axis=1)
            before, behind = gap[rows, k], gap[rows, k + 1]
            share = np.clip(before / np.where(before == behind, 1, before - behind), 0, 1)
            yield np.where(
                turns.any(axis=1), nodes[rows, k] + share * (nodes[rows, k + 1] - nodes[rows, k]), model.last
            )[:, None]
            turns[rows, k] = False


def _paths(name: str, spec: Any) -> dict[str, Any]:
    """The levels of a driver by path: its factors, or itself."""
    path = f"drivers.{name}"
    return (
        {f"{path}.factors.{key}": part for key, part in spec["factors"].items()} if "factors" in spec else {path: spec}
    )


def _points(model: Model, name: str) -> tuple[Array, list[Array]]:
    """Levels of effective compute (point,) and log10 multipliers (sample,) of a driver's feedback."""
    points = model.scenario["drivers"][name]["feedback"]
    path = f"drivers.{name}.feedback"
    numbers = [model.number(f"{path}[{k}].multiplier", point["multiplier"])[:, 0] for k, point in enumerate(points)]
    return np.log10([float(point["at"]) for point in points]), numbers


def multiplier(compute: Array, levels: Array, numbers: list[Array]) -> Array:
    """A straight line in the log of both between points, constant beyond them."""
    held = numbers[0]
    for k in range(1, len(levels)):
        share = np.clip((compute - levels[k - 1]) / (levels[k] - levels[k - 1]), 0, 1)
        held = held + share * (numbers[k] - numbers[k - 1])
    return 10.0**held
