"""What the history of a scenario must fulfil: priors of its model, and what was observed of quantities."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.errors import Fault, items, near_name, number
from simulator.priors.joint import named_prior
from simulator.scenario.checks.units import named_unit
from simulator.schema.base import Faults
from simulator.schema.prior_names import Slot, history_slot
from simulator.schema.quantities import OWN
from simulator.schema.spec import ScenarioSpec


def history_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find what is wrong with the priors of the model of history, which are not drawn: they learn."""
    for field, prior in spec.history.priors if spec.history else ():
        if prior is None:
            continue
        slot = history_slot(field, prior)
        odd = [
            key for key in ("function", "input", "never", "discrete", "empirical") if getattr(prior, key) is not None
        ]
        if odd:
            remedy = "State it by numbers of its own that spread evenly: an interval, quantiles or a family."
            yield Fault((*slot.path, odd[0]), "cannot stand on a prior of the model of history.", remedy)
            continue
        try:
            least = named_prior(slot).family.support[0]
        except Faults as error:
            yield from error.faults
            continue
        if field.endswith(("scatter", "tail")) and least < 0:
            rule = f"must stay above 0; it reaches down to {number(least)}."
            yield Fault(slot.path, rule, "Use family: gamma or lognormal, or truncate it: truncated: [0, null].")


def observed_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find what was observed of nothing that there is, in another unit, or twice; only where all units are known."""
    known = [*spec.named, *(name for name in OWN if name != "effective_compute")]
    for name, observed in (spec.history.quantities if spec.history else {}).items():
        path = ("history", "quantities", name)
        if name not in known:
            yield Fault(path, f"there is no quantity '{name}'.", near_name(name, known) or "Name one that there is.")
            continue
        of_runs = name in ("spending", "hardware", "physical_compute") and name not in spec.named
        if of_runs and spec.history and spec.history.runs != "none":
            rule = "is learnt from the table of runs already, with scatter of single years that nothing else moves."
            yield Fault(path, rule, "Add a row to that table, or write runs: none.")
        for place, value in ((place, each.value) for place, each in items(observed) if each.value is not None):
            try:
                named_prior(Slot((*path, place, "value"), value, "level", named_unit(spec, name)))
            except Faults as error:
                yield from error.faults
