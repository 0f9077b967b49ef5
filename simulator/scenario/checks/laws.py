"""Faults of laws of growth: what they take is not there, begins another year, or parameters out of their range."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.errors import Fault, dotted, number
from simulator.priors.families import Fixed
from simulator.priors.joint import JointPrior
from simulator.scenario.checks.units import UnitCheck
from simulator.schema.prior_names import stated_drivers
from simulator.schema.spec import ScenarioSpec


def law_faults(spec: ScenarioSpec, joint: JointPrior | None, units: UnitCheck) -> Iterator[Fault]:
    """Find what is wrong with the laws by which drivers grow."""
    for name, driver in stated_drivers(spec).items():
        if driver.law is None:
            continue
        path = ("drivers", name)
        if driver.at not in (None, spec.years.first):
            rule = f"is {number(driver.at or 0.0)}; a law begins in the first year, {number(spec.years.first)}."
            yield Fault((*path, "at"), rule, "State the level of that year, and remove at.")
        for key, quantity in driver.law.quantities.items():
            units.of(quantity, (*path, "law", "quantities", key))
        for key in driver.law.parameters if joint is not None else ():
            stated, at = driver.law.record.parameters[key], (*path, "law", "parameters", key)
            family = joint.priors[dotted(at)].family if joint is not None else Fixed(0.0)
            low, high = family.support
            is_fixed = isinstance(family, Fixed)
            if stated.kind != "number":
                continue
            if low < stated.above or (is_fixed and low == stated.above):
                reach = f"reaches down to {number(low)}" if np.isfinite(low) else "has no lower end"
                rule = f"must stay above {number(stated.above)}; the prior {reach}."
            elif high > stated.below or (is_fixed and high == stated.below):
                reach = f"reaches up to {number(high)}" if np.isfinite(high) else "has no upper end"
                rule = f"must stay below {number(stated.below)}; the prior {reach}."
            else:
                continue
            yield Fault(at, rule, f"What it is: {stated.meaning}. Write other numbers, or truncate it.")
