"""What counts of models must fulfil beyond their single entries: years, shares, the reach of priors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from simulator.errors import Fault, Path, dotted, number
from simulator.models import Models
from simulator.priors import JointPrior, is_fixed
from simulator.schema import ScenarioSpec
from simulator.slots import calendar_years, share_path


def model_faults(spec: ScenarioSpec, joint: JointPrior | None) -> Iterator[Fault]:
    """Find what is wrong with the counts of models of a scenario.

    Parameters
    ----------
    spec : ScenarioSpec
    joint : JointPrior, or None where priors have faults, which then hide what their reach would tell

    Examples
    --------
    >>> from simulator.scenario import load_scenario
    >>> list(model_faults(load_scenario("baseline").spec, None))
    []
    """
    models = spec.models
    if models is None:
        return
    yield from _year_faults(models, spec)
    if joint is None:
        return
    high = joint.priors[dotted(share_path(models, calendar_years(spec.years)[0]))].family.support[1]
    if high > 0:
        reach = f"reaches up to {number(10.0**high)}" if high < 300 else "has no upper end"
        rule = f"must be at most 1; the prior {reach}."
        remedy = "It is a share of the year's training compute. Truncate it: truncated: [0.05, 0.5]."
        yield Fault(("models", "largest_share"), rule, remedy)
    for key, what in (("smallest", "a distance in OOM"), ("gradient", "a power")):
        low = joint.priors[f"models.{key}"].family.support[0]
        if low < 0 or (low == 0 and is_fixed(joint.priors[f"models.{key}"].family)):
            reach = f"reaches down to {number(low)}" if np.isfinite(low) else "has no lower end"
            rule = f"must stay above 0; the prior {reach}."
            yield Fault(("models", key), rule, f"It is {what}. Use uniform, or truncate it: truncated: [0.1, null].")


def stated_once(fault: Fault) -> Fault:
    """Place a fault of a prior that is drawn anew for each year where the prior stands.

    Examples
    --------
    >>> stated_once(Fault(("models", "largest_share", 2026, "unit"), "is wrong.", "")).path
    ('models', 'largest_share', 'unit')
    """
    if fault.path[:2] != ("models", "largest_share"):
        return fault
    return replace(fault, path=tuple(part for part in fault.path if not isinstance(part, int) or part < 1000))


def _year_faults(models: Models, spec: ScenarioSpec) -> Iterator[Fault]:
    years = spec.years
    path: Path = ("years", "step")
    if years.step != "year":
        rule = f"is {years.step}; models are counted by calendar year."
        yield Fault(path, rule, "Write step: year, or remove models.")
        return
    if years.last != np.floor(years.last) and np.floor(years.last) > years.first:
        rule = f"is {number(years.last)}: two points of the years would lie in {np.floor(years.last):.0f}."
        remedy = "Models are counted by calendar year: write a whole year."
        yield Fault(("years", "last"), rule, remedy)
    within = calendar_years(years)
    for year in models.known:
        if int(year) not in within:
            rule = f"lies outside the years of the scenario, {within[0]} to {within[-1]}."
            remedy = "Models before the first year go under earlier."
            yield Fault(("models", "known", year), rule, remedy)
