"""Faults of laws of growth: what they take is not there, begins another year, or parameters out of their range."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.errors import Fault, dotted, number
from simulator.priors.joint import JointPrior
from simulator.scenario.checks.priors import out_of_range
from simulator.scenario.checks.units import UnitCheck
from simulator.schema.laws import DECLINE
from simulator.schema.prior_names import stated_drivers
from simulator.schema.spec import ScenarioSpec
from simulator.wording import percent

SELDOM = 0.01
"""The part of the draws in which growth from which a law goes on may be a decline, until some are drawn."""


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
        for key, stated in driver.law.record.parameters.items():
            if joint is None or key not in driver.law.parameters or stated.kind == "level":
                continue
            at = (*path, "law", "parameters", key)
            if stated.kind == "rate":
                prior = joint.priors[dotted(at)]
                if prior.family.ppf(np.array([SELDOM]))[0] < stated.above:
                    often = f" in {percent(SELDOM)} of the draws or more" if prior.value is None else ""
                    yield Fault(at, f"is a decline{often}; a law says how growth goes on.", DECLINE)
            elif rule := out_of_range(joint.priors[dotted(at)].family, above=stated.above, below=stated.below):
                yield Fault(at, rule, f"What it is: {stated.meaning}. Write other numbers, or truncate it.")
