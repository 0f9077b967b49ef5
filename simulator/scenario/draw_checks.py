"""What is odd about how priors are drawn: one drawn twice, an input that nothing uses, a function that is constant."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.errors import number
from simulator.priors.dependence import Dependence
from simulator.priors.joint import JointPrior
from simulator.schema.prior_families import Distribution
from simulator.schema.prior_names import slots
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import PointFunction, Prior
from simulator.wording import listed, percent


def draw_warnings(spec: ScenarioSpec, joint: JointPrior) -> Iterator[str]:
    """Warn of library entries that are drawn twice, of functions off their points, of inputs that nothing uses."""
    yield from _drawn_twice(spec, joint)
    for slot in slots(spec):
        if slot.prior.function is not None:
            yield from _off_the_points(slot.name, slot.prior.function, joint)
    used = {slot.prior.input for slot in slots(spec)} | {
        function.of.removeprefix("inputs.") for function in joint.functions.values()
    }
    for name in spec.inputs:
        if name not in used:
            yield f"inputs.{name}: nothing uses it."


def _drawn_twice(spec: ScenarioSpec, joint: JointPrior) -> Iterator[str]:
    """Find the same entry of the library in several places whose draws are independent."""
    joined = [frozenset(each.between) for each in spec.correlations]
    found: dict[tuple[tuple[str, ...], Distribution], list[str]] = {}
    for name in joint.uncertain:
        entries = tuple(_entries(joint.priors[name].prior))
        if entries:
            found.setdefault((entries, joint.priors[name].family), []).append(name)
    for (entries, _), names in found.items():
        apart = [name for name in names if all({name, other} not in joined for other in names if other != name)]
        if len(apart) > 1 and not _one_each_year(names):
            times = "twice" if len(apart) == 2 else f"{len(apart)} times"
            yield (
                f"{' with '.join(dict.fromkeys(entries))}: drawn {times}, independently: {listed(apart)}. "
                "Where one number is meant, name it under inputs and use it as {input: its-name}."
            )


FEW = 0.1
"""Fewer draws than these between the points of a function are said."""


def _off_the_points(name: str, function: PointFunction, joint: JointPrior) -> Iterator[str]:
    """Say that the other prior lies outside the points of a function, where that is constant, in nearly all draws."""
    other, points = joint.priors[function.of], sorted(map(float, function.points))
    followed = joint.functions.get(name)
    if isinstance(followed, Dependence):
        x = followed.place(other.family.ppf((np.arange(1000) + 0.5) / 1000))
        first, last = followed.at[0], followed.at[-1]
    else:  # of a fixed number
        x, first, last = other.stated.ppf(np.array([0.5])), points[0], points[-1]
    x = x[np.isfinite(x)]
    below, above = float(np.mean(x < first)), float(np.mean(x > last))
    if 1.0 - below - above < FEW:
        unit = f" {other.stated_unit}" if other.stated_unit else ""
        yield (
            f"{name}: {function.of} lies below the first point, {number(points[0])}{unit}, in {percent(below)} of the "
            f"draws and above the last, {number(points[-1])}{unit}, in {percent(above)}: the function is constant "
            "there. Points are stated in the unit of what they refer to."
        )


def _entries(prior: Prior) -> Iterator[str]:
    """List the entries of the library that a prior is, or is mixed of."""
    if prior.prior is not None:
        yield prior.prior
    for part in prior.mixture or ():
        yield from _entries(part)


def _one_each_year(names: list[str]) -> bool:
    """Tell whether priors are those of one entry that is drawn anew for each year."""
    return all(name.startswith("models.largest_share") for name in names)
