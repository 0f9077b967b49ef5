"""Faults of what is made from itself, and of lags that are to open such a circle."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.errors import Fault, dotted, number
from simulator.priors.joint import JointPrior
from simulator.schema.prior_names import stated_drivers
from simulator.schema.quantities import OWN
from simulator.schema.spec import ScenarioSpec
from simulator.schema.uses import circles, lagged, names_in, uses_of

LEAST_LAG = 0.0625
"""The least lag within a circle, in years: a step of the grid on which it is followed."""


def circle_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find what is made from itself at the same time; a lag opens a circle through a limit on a variable."""
    at_once = uses_of(spec, lagged=False)
    alone = {name: used & set(spec.quantities) for name, used in uses_of(spec).items() if name in spec.quantities}
    own = set(OWN) - set(spec.quantities)
    found: set[frozenset[str]] = set()
    demanded = uses_of(spec, limits=False)  # a level that only follows from what it was before begins nowhere
    for uses in (at_once, alone, demanded):
        for name, way in circles(uses):
            if frozenset(way.split(" -> ")) in found:
                continue
            found.add(frozenset(way.split(" -> ")))
            remedy = "Break the circle: state one of them by its own prior"
            variable = next((each for each in way.split(" -> ") if each in own), "")
            if uses is demanded:
                remedy += "; only a limit may follow from what was before."
            else:
                remedy += f", or take what was before: lag: {{of: {variable}, by: 1 year}}." if variable else "."
            section = ("constraints",) if name == "physical_compute" else ("drivers",)
            at = ("quantities", name) if name in spec.quantities else (*section, name) if name in DRIVERS else section
            yield Fault(at, f"is made from itself: {way}.", remedy)


DRIVERS = ("spending", "hardware", "algorithms")


def lag_faults(spec: ScenarioSpec, joint: JointPrior) -> Iterator[Fault]:
    """Find lags within a circle that are too short to be followed in steps of a sixteenth of a year."""
    for path in lagged(spec)[1]:
        low = float(joint.priors[dotted((*path, "by"))].family.ppf(np.array([1e-9]))[0])
        if low < LEAST_LAG:
            rule = f"goes down to {number(float(f'{max(low, 0.0):.3g}'))} years, within a circle."
            yield Fault((*path, "by"), rule, f"It must be {LEAST_LAG} years or more there; truncate it.")


def own_in_limits(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find limits that are made of the scenario's own variables where feedback bends these step by step."""
    if not any(driver.feedback for driver in stated_drivers(spec).values()):
        return
    uses = uses_of(spec)
    for section in ("drivers", "constraints"):
        for path, name in names_in(getattr(spec, section), (section,)):
            reach, seen = {name}, set[str]()
            while reach - seen:
                seen |= reach
                reach |= {each for one in reach for each in uses.get(one, ()) if one in spec.quantities}
            if own := sorted(reach & set(OWN) - set(spec.quantities)):
                rule = f"is made of {', '.join(own)}, which feedback bends step by step."
                yield Fault(path, rule, "A scenario has feedback, or limits made of its own variables: remove one.")
