"""The controls of a scenario: each prior, number, date, switch and weight, with what is believed and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulator.analysis.association import MOST_SAMPLES, rank_by_chance, spearman
from simulator.errors import dotted
from simulator.explorer.handles import Handle, handles, label_of, said_of
from simulator.explorer.protocol import Control, Density, Group
from simulator.explorer.restating import (
    Move,
    base_of,
    below,
    bounds_of,
    families_for,
    family_name,
    in_log,
    plain,
    quantiles,
)
from simulator.priors.composite import mean_density
from simulator.priors.free_families import Discrete
from simulator.priors.joint import NamedPrior
from simulator.runs.groups import Group as Run
from simulator.runs.groups import arrays
from simulator.scenario.assumptions import parts_of, stated_name
from simulator.scenario.layers import lookup
from simulator.scenario.resolving import Scenario
from simulator.schema.statements import PROVENANCE_KEYS
from simulator.wording import capital, raised

POINTS = 61
"""Points of a density."""
_TITLES = {
    "inputs": "Shared inputs", "spending": "Spending", "hardware": "Hardware efficiency",
    "compute": "Physical compute", "algorithms": "Algorithmic efficiency",
    "quantities": "Quantities", "stocks": "Stocks", "allocation": "Allocation",
    "constraints": "Constraints", "events": "Events",
    "capability": "Capability", "thresholds": "Thresholds", "models": "Counts of models",
    "mixture": "Scenarios", "correlations": "Correlations", "years": "Years",
}  # fmt: skip


def controls(
    scenario: Scenario, *, shares: Mapping[str, float] | None = None, like: Mapping[str, Handle] | None = None
) -> list[Control]:
    """List the controls of a scenario, those with the greatest share of the variance first.

    `like` are handles of the scenario as it was opened: then only those of these are listed that are there still, in
    the units in which they were told.
    """
    known = handles(scenario, like=like)
    found = [_control(each, scenario, alone=like is None) for each in known.values()]
    for control in found:
        share = (shares or {}).get(dotted(known[control["path"]].at))
        if share is not None and control["kind"] != "switch":
            control["share"] = share
    return _ordered(found, known)


def _ordered(found: Sequence[Control], known: Mapping[str, Handle]) -> list[Control]:
    """Sort by share; parts and weights of a mixture, which have none of their own, stand behind the whole."""
    shares = {each["path"]: each.get("share", -1.0) for each in found}
    place = {path: number for number, path in enumerate(known)}

    def key(control: Control) -> tuple[float, int]:
        whole = control["path"].partition(".mixture[")[0]
        return -shares.get(whole, -1.0), place[control["path"]]

    return sorted(found, key=key)


def groups(found: Sequence[Control]) -> list[Group]:
    """Group controls by what they are about, in the order of the first of each."""
    names = list(dict.fromkeys(each["group"] for each in found))
    return [
        Group(
            name=name, title=_TITLES.get(name, capital(name)), controls=[c["path"] for c in found if c["group"] == name]
        )
        for name in names
    ]


def first_order(run: Run) -> dict[str, float]:
    """Estimate the share of the variance of the outcome in the last year that each prior of a run has.

    It is the square of Spearman's rank correlation, as of the association of priors with the outcome that a run tells:
    of its own draws alone, so that nothing is run again. What chance gives is 0.
    """
    from simulator.runs.summary import main_quantity

    levels = arrays(run, "trajectories")[main_quantity(run)].values
    outcome = np.asarray(levels[:MOST_SAMPLES, -1], dtype=np.float64)
    found: dict[str, float] = {}
    for name, drawn in arrays(run, "parameters").data_vars.items():
        values = np.asarray(drawn.values, dtype=np.float64)[:MOST_SAMPLES]
        present = ~np.isnan(values)
        if name == "component" or present.sum() < 30:
            continue
        rank = spearman(values[present], outcome[present]) or 0.0
        share = rank**2 if abs(rank) > rank_by_chance(int(present.sum())) else 0.0
        found[stated_name(str(name))] = max(share, found.get(stated_name(str(name)), 0.0))
    return found


def _control(handle: Handle, scenario: Scenario, *, alone: bool) -> Control:
    prior, said = handle.prior, _provenance(handle, scenario)
    control = Control(
        path=handle.path,
        kind=handle.kind,
        label=label_of(handle, scenario),
        group=_group(handle),
        unit=handle.unit,
        about=said["notes"],
        source=said["source"],
        url=said["url"] or (f"https://doi.org/{said['doi']}" if said["doi"] else ""),
        confidence=said["confidence"],
        as_of=said["as_of"],
        understood="" if handle.kind == "switch" else raised(said_of(handle)),
    )
    if handle.kind == "switch":
        control["on"] = True
    elif handle.kind == "weight" and handle.told is not None:
        control["weight"], control["span"] = handle.told, handle.span
    elif handle.kind == "number" and handle.told is not None:
        low, high = handle.span
        control["value"], control["span"] = handle.told, (plain(low / handle.size), plain(high / handle.size))
    elif prior is not None and handle.slot is not None:
        _add_prior(control, prior, handle.size)
        control["families"] = families_for(prior, handle.slot) if alone else [control["family"]]
    return control


def _group(handle: Handle) -> str:
    if not handle.at:
        return "mixture"
    return str(handle.at[1]) if handle.at[0] == "drivers" else str(handle.at[0])


def _provenance(handle: Handle, scenario: Scenario) -> dict[str, str]:
    """Read where a number comes from: off its prior, or what stands beside it."""
    if handle.prior is not None:
        stated: Mapping[str, Any] = handle.prior.prior.model_dump(include={*PROVENANCE_KEYS})
    else:
        data = parts_of(scenario)
        beside = lookup(data.get(handle.part, next(iter(data.values()))), handle.at)
        beside = beside if isinstance(beside, Mapping) else lookup(next(iter(data.values())), handle.at[:-1])
        stated = beside if isinstance(beside, Mapping) else {}
    return {key: " ".join(str(stated.get(key) or "").split()) for key in PROVENANCE_KEYS}


_READ_AT = (0.005, 0.05, 0.5, 0.95, 0.995)


def _add_prior(control: Control, prior: NamedPrior, size: float) -> None:
    """Add what is believed: median and interval, family, density, and the span of its handle: a half more than 99 %."""
    log = in_log(prior)
    first, low, middle, high, last = (value / size for value in quantiles(prior, _READ_AT))
    control["median"], control["low"], control["high"] = plain(middle), plain(low), plain(high)
    control["family"], control["scale"] = family_name(prior), "log" if log else "linear"
    control["density"] = _density(prior, first, last, size=size, log=log)
    wider = Move(middle, middle, 1.5, keeps_ratios=log, in_log=log)
    least, most = (plain(bound / size) for bound in bounds_of(prior))
    most = min(most, 1.0) if control["unit"] == "fraction" and high < 1.0 else most
    control["span"] = max(wider(first), least), min(wider(last), most)


def _density(prior: NamedPrior, low: float, high: float, *, size: float, log: bool) -> Density:
    """Read the density of a prior between two of its quantiles, in its unit; of few values their shares."""
    family = base_of(prior.stated)
    if isinstance(family, Discrete):
        total = sum(family.weights)
        return Density(x=[value / size for value in family.values], y=[weight / total for weight in family.weights])
    if high - low <= 1e-9 * abs(high):
        return Density(x=[high], y=[1.0])
    points = np.linspace(np.log10(low), np.log10(high), POINTS) if log else np.linspace(low, high, POINTS)
    read = below(prior)
    heights = np.abs(mean_density(lambda at: read(size * (10.0**at if log else at)), points))
    values = 10.0**points if log else points
    return Density(x=[float(f"{x:.6g}") for x in values.tolist()], y=[float(f"{y:.4g}") for y in heights.tolist()])
