"""What the model of history believes before it sees the data: what a scenario states, and else the library."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache

import numpy as np

from simulator.history.model import CONFIDENCE, HistoryPriors
from simulator.history.observations import Array
from simulator.history.path import DAMPS, DRIFTS, PathPrior
from simulator.priors.composite import Converted
from simulator.priors.families import Normal
from simulator.priors.free_families import LogNormal
from simulator.priors.joint import NamedPrior, named_prior
from simulator.scenario.library import library_prior
from simulator.schema.history import ModelPriors
from simulator.schema.prior_families import Distribution
from simulator.schema.prior_names import Slot, history_slot
from simulator.schema.statements import Prior
from simulator.units import multiple


def history_priors(
    stated: ModelPriors | None = None, *, spending: Distribution | None = None, efficiency: Distribution | None = None
) -> HistoryPriors:
    """Give the priors of the model: those that are stated, and of the rest those of the library `history`.

    `spending` and `efficiency` are the priors on growth, OOM/year.
    """
    growth = {"spending_growth": spending, "efficiency_growth": efficiency}
    found = {name: given or _growth(name.replace("_", "-")) for name, given in growth.items()}
    for field in ModelPriors.model_fields:
        given = getattr(stated, field, None)
        found[field] = family_of(history_slot(field, shipped_belief(field) if given is None else given))
    return HistoryPriors(**found)


@cache
def shipped_belief(field: str) -> Prior:
    """Read a prior of the library by the name of its unknown."""
    return library_prior(f"history/{field.replace('_', '-')}")


@cache
def tail_prior() -> Distribution:
    """Give the prior of the library on the degrees of freedom of a scatter, above FEWEST_FREEDOM."""
    return family_of(history_slot("cost_tail", shipped_belief("cost_tail")))


@cache
def _growth(entry: str) -> Distribution:
    return family_of(Slot(("growth",), library_prior(f"history/{entry}"), "rate"))


def path_prior(entry: str, *, drifts: bool = False) -> PathPrior:
    """Give the prior of a path whose growth the library `history` states."""
    middle, above = _growth(entry).ppf(np.array([0.5, _ONE_SD])).tolist()
    return PathPrior(middle, above - middle, *((DRIFTS, DAMPS) if drifts else ()))


def estimate_errors(confidence: Iterable[str]) -> Array:
    """Give the standard error (run,), OOM, of the estimate of a run's FLOP by its confidence, as the library has it.

    An estimate of which nothing is said is as uncertain as a speculative one.
    """
    return np.array([_estimate_error(each) for each in confidence])


@cache
def _estimate_error(confidence: str) -> float:
    field = CONFIDENCE.get(confidence, "error_speculative")
    return float(family_of(history_slot(field, shipped_belief(field))).ppf(np.array([0.5]))[0])


def family_of(slot: Slot) -> Distribution:
    """Make the family of a prior on the internal scale."""
    return plain_family(named_prior(slot))


def plain_family(prior: NamedPrior) -> Distribution:
    """Give the family of a prior as PyMC has its own: without a conversion that changes nothing, logs as normal."""
    family = prior.family
    if not isinstance(family, Converted):
        return family
    if isinstance(family.base, LogNormal) and prior.unit.startswith("log10"):
        middle, above = family.ppf(np.array([0.5, _ONE_SD]))
        return Normal(float(middle), float(above - middle))
    return family.base if family.conversion == multiple() or prior.prior.unit == "OOM" else family


_ONE_SD = 0.5 * (1 + math.erf(math.sqrt(0.5)))
"""The probability of a normal at most a standard deviation above its mean."""
