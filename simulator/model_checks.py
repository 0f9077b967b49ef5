"""What counts of models must fulfil beyond their single entries: years, shares, the reach of priors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.errors import Fault, Path, dotted, number
from simulator.models import Models
from simulator.priors import JointPrior
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
    low, high = joint.priors[dotted(share_path(models, calendar_years(spec.years)[0]))].family.support
    if high > 0 or not np.isfinite(low):
        rule = f"must lie above 0 and be at most 1; the prior reaches from {_end(10.0**low)} to {_end(10.0**high)}."
        remedy = "It is a share of the year's training compute. Truncate it: truncated: [0.05, 0.5]."
        yield Fault(("models", "largest_share"), rule, remedy)
    for key, what in (("smallest", "a distance in OOM"), ("gradient", "a power")):
        low = joint.priors[f"models.{key}"].family.support[0]
        if low <= 0:
            rule = f"must stay above 0; the prior reaches down to {_end(low)}."
            yield Fault(("models", key), rule, f"It is {what}. Use uniform, or truncate it: truncated: [0.1, null].")


def _end(value: float) -> str:
    return number(float(value)) if np.isfinite(value) else ("any number" if value > 0 else "any number below 0")


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
