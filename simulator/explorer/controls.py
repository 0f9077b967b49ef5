"""The controls of a scenario: each prior, number, date, switch and weight, with what is believed and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simulator.analysis.association import MOST_SAMPLES, rank_by_chance, spearman
from simulator.errors import as_path
from simulator.explorer.handles import Handle, handles
from simulator.explorer.protocol import Control, Density, Group
from simulator.explorer.restating import Move, base_of, below, families_for, family_name, in_log, plain, quantiles
from simulator.priors.composite import mean_density
from simulator.priors.free_families import Discrete
from simulator.priors.joint import NamedPrior
from simulator.runs.groups import Group as Run
from simulator.runs.groups import arrays
from simulator.scenario.assumptions import stated_name
from simulator.scenario.resolving import Scenario
from simulator.schema.prior_names import input_words
from simulator.schema.statements import Prior
from simulator.wording import capital

POINTS = 61
"""Points of a density."""
_TITLES = {
    "inputs": "Shared inputs", "spending": "Spending", "hardware": "Hardware efficiency",
    "compute": "Physical compute", "algorithms": "Algorithmic efficiency", "quantities": "Quantities",
    "constraints": "Constraints", "capability": "Capability", "thresholds": "Thresholds", "models": "Counts of models",
}  # fmt: skip


def controls(
    scenario: Scenario, *, shares: Mapping[str, float] | None = None, like: Mapping[str, Handle] | None = None
) -> list[Control]:
    """List the controls of a scenario, those with the greatest share of the variance first.

    `like` are the handles of the scenario as it was opened: then only those of these are listed that are there still,
    in the units in which they were told.
    """
    known = handles(scenario, like=like)
    chosen = [each for path, each in known.items() if like is None or path in like]
    labels = scenario.labels
    found = [_control(each, labels) for each in chosen]
    for control in found:
        if shares and control["path"] in shares:
            control["share"] = shares[control["path"]]
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


def _control(handle: Handle, labels: Mapping[str, str]) -> Control:
    path, prior = as_path(handle.path), handle.prior
    about = prior.prior if prior is not None else None
    control = Control(
        path=handle.path,
        kind=handle.kind,
        label=input_words(handle.path, labels=labels),
        group=str(path[1]) if path[0] == "drivers" else str(path[0]),
        unit=handle.unit,
        about=_said(about, "notes"),
        source=_said(about, "source"),
        url=_said(about, "url") or (f"https://doi.org/{about.doi}" if about is not None and about.doi else ""),
        confidence=_said(about, "confidence"),
        as_of=_said(about, "as_of"),
        understood="" if prior is None else prior.understood,
    )
    if handle.kind == "switch":
        control["on"] = True
    elif handle.kind == "weight" and handle.value is not None:
        control["weight"], control["span"] = handle.value, (0.0, 1.0)
    elif handle.kind == "number" and handle.value is not None:
        control["value"] = plain(handle.value / handle.size)
        control["span"] = _span_of_number(control["value"], date=prior is not None and prior.unit == "year")
    elif prior is not None:
        _add_prior(control, prior, handle.size)
    return control


def _said(prior: Prior | None, key: str) -> str:
    return " ".join(str(getattr(prior, key, None) or "").split())


def _span_of_number(value: float, *, date: bool) -> tuple[float, float]:
    if date:
        return value - 10.0, value + 10.0
    return (plain(value / 10.0), plain(value * 10.0)) if value > 0 else (value - 1.0, value + 1.0)


_READ_AT = (0.005, 0.05, 0.5, 0.95, 0.995)


def _add_prior(control: Control, prior: NamedPrior, size: float) -> None:
    """Add what is believed: median and interval, family, density, and how far the handle goes: a half beyond 99 %."""
    log = in_log(prior)
    first, low, middle, high, last = (value / size for value in quantiles(prior, _READ_AT))
    control["median"], control["low"], control["high"] = plain(middle), plain(low), plain(high)
    control["family"], control["families"] = family_name(prior), families_for(prior)
    control["scale"] = "log" if log else "linear"
    control["density"] = _density(prior, first, last, size=size, log=log)
    wider = Move(middle, middle, 1.5, keeps_ratios=log, in_log=log)
    control["span"] = wider(first), wider(last)


def _density(prior: NamedPrior, low: float, high: float, *, size: float, log: bool) -> Density:
    """Read the density of a prior between two of its quantiles, in its unit; of few values their shares."""
    family = base_of(prior.stated)
    if isinstance(family, Discrete):
        total = sum(family.weights)
        return Density(x=[value / size for value in family.values], y=[weight / total for weight in family.weights])
    points = np.linspace(np.log10(low), np.log10(high), POINTS) if log else np.linspace(low, high, POINTS)
    read = below(prior)
    heights = np.abs(mean_density(lambda at: read(size * (10.0**at if log else at)), points))
    values = 10.0**points if log else points
    return Density(x=[float(f"{x:.6g}") for x in values.tolist()], y=[float(f"{y:.4g}") for y in heights.tolist()])
