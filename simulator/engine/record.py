"""The run as groups of labelled arrays: coordinates, units, long names, provenance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.engine.batches import OF_EVENTS, Arrays
from simulator.engine.collecting import LEVELS, Groups
from simulator.engine.frontier import CROSSED
from simulator.engine.plan import Plan, plan_warnings
from simulator.errors import as_path, dotted
from simulator.files import short_hash
from simulator.priors.joint import NamedPrior
from simulator.registers import Register
from simulator.runs.groups import Group, Labelled, kept_dates, labelled, of_dataset
from simulator.runs.kinds import RUN_FORMAT
from simulator.runs.limits import bound_limits
from simulator.scenario.checks.units import variable_units
from simulator.scenario.layers import texts_under
from simulator.scenario.resolving import Scenario
from simulator.schema.choices import DESIGNS, LAWS
from simulator.schema.drivers import DRIVERS
from simulator.schema.laws import GROWTH_LAWS
from simulator.schema.prior_families import FAMILIES
from simulator.schema.prior_names import DRIVER_UNITS, stated_drivers
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import PROVENANCE_KEYS
from simulator.schema.subjects import stands_of
from simulator.schema.words import inputs_in_words, threshold_labels
from simulator.variables import COORDINATES, UNKNOWNS, actor_dims, attributes, sample_dims, summary_dims
from simulator.version import made_by, source_digest

if TYPE_CHECKING:
    import xarray as xr


def run_id(scenario: Scenario, *, keep: str, store: str = "netcdf", results: bytes = b"") -> str:
    """Name a run by what determines its bytes: all that it says of its scenario, what is kept, the format, the code.

    `results` are added where custom drivers, whose code has no name that tells it apart, enter the run.
    """
    parts = [stored_text(scenario), *scenario.overrides, *scenario.warnings, keep, str(RUN_FORMAT), code_of(scenario)]
    parts += [store] if store != "netcdf" else []  # its summary is counted, not sorted
    parts += [hashlib.sha256(results).hexdigest()] if results else []
    return short_hash(*parts)


def stored_text(scenario: Scenario) -> str:
    """Write the resolved scenario as a run holds it."""
    return json.dumps(scenario.data, ensure_ascii=False)


_OFFERED: tuple[tuple[str, Register[Any]], ...] = (
    ("family", FAMILIES), ("kind", LAWS), ("kind", GROWTH_LAWS), ("design", DESIGNS), ("driver", DRIVERS)
)  # fmt: skip
"""Where a scenario may name what a package offers, and its numbers hang on."""


def packages_of(scenario: Scenario) -> dict[str, str]:
    """Give the installed packages that the numbers of a scenario hang on by what it names, with their versions."""
    named = texts_under(scenario.data, [key for key, _ in _OFFERED])
    shipped = {(key, name) for key, register in _OFFERED for name in register.shipped}
    others = {key: {name for name in names if (key, name) not in shipped} for key, names in named.items()}
    found = [register.packages(others[key]) for key, register in _OFFERED]
    return {name: version for packages in found for name, version in packages.items()}


def code_of(scenario: Scenario) -> str:
    """Name the code that makes the numbers of a scenario: the simulator's, and that of packages."""
    return json.dumps([source_digest(), packages_of(scenario)])


def build_run(scenario: Scenario, groups: Groups, *, plan: Plan, keep: str, store: str = "netcdf") -> Group:
    """Label the arrays of a run and say where it comes from; of a Zarr store, all but the samples."""
    results = groups.summary[plan.headline].tobytes() if plan.data is None else b""
    identity = run_id(scenario, keep=keep, store=store, results=results)
    label = Labels(scenario, plan)
    summary = label.group(groups.summary)
    children = {"summary": summary}
    if groups.components:
        apart = {name: label.group(arrays) for name, arrays in groups.components.items()}
        children["components"] = Group(children=apart)
    if groups.actors_summary:
        children["actors_summary"] = label.of_actors(groups.actors_summary)
    if groups.trajectories:
        children |= label.samples(groups)
    if scenario.fit is not None:
        children |= fit_groups(scenario.fit)
    attrs: dict[str, Any] = run_attributes(scenario, keep=keep, store=store, identity=identity)
    thinned = [line for line in kept_dates(summary)[1:] if line]
    told = [*plan_warnings(scenario), *groups.warnings, *_never_binding(summary, plan), *thinned]
    attrs["warnings"] = "\n".join(told)
    return Group(attrs=attrs, children=children)


def fit_groups(fit: xr.DataTree) -> dict[str, Group]:
    """Take a fit of history as groups of a run; what it is a fit of stands on `posterior`."""
    groups = {name: of_dataset(fit[name].to_dataset()) for name in fit.children}
    for name, (unit, long_name) in UNKNOWNS.items():
        for place, group in groups.items():
            if name in group:
                own = group[name].attrs.get("units", unit)
                said = (own, long_name) if not place.startswith("log_") else ("1", f"log density of {long_name}")
                group[name].attrs.update(dict(zip(("units", "long_name"), said, strict=True)))
    groups["posterior"].attrs.update({str(key): value for key, value in fit.attrs.items()})
    return groups


def fit_of(run: xr.DataTree) -> xr.DataTree | None:
    """Take the fit of history out of a run whose priors were learnt; None of any other."""
    if "posterior" not in run.children:
        return None
    import xarray as xr

    from simulator.runs.contents import FIT_GROUPS

    datasets = {name: run[name].to_dataset() for name in FIT_GROUPS if name in run.children}
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=datasets["posterior"].attrs), **datasets})


def _never_binding(summary: Group, plan: Plan) -> list[str]:
    who = ", of the actor that leads then; whether another does is not told" if len(plan.actors) > 1 else ""
    return [
        f"{limit} never binds: no sample reaches it by the horizon{who}."
        for on in bound_limits(summary)
        for limit, share in zip(on.labels, on.shares.values, strict=True)
        if not float(share.max()) > 0
    ]


class Labels:
    """What the arrays of a run are called: dimensions, coordinates, units, the names of limits and thresholds."""

    def __init__(self, scenario: Scenario, plan: Plan) -> None:
        self._scenario = scenario
        self._years, self._limits = plan.years, plan.limits
        self._units: dict[str, str] = {}
        for component in reversed(scenario.components):
            self._units |= variable_units(component.spec)
        self._words = scenario.words
        self._thresholds = _threshold_coords(scenario.spec, plan.thresholds)
        places = (dotted(as_path(name)[:-1] or ("events", name)) for name in plan.events)
        told = inputs_in_words(places, labels=scenario.labels)
        events = (("event", plan.events), ("begins", told))
        self._events = labelled(
            {name: (("event",), np.array(texts, dtype=str), {"long_name": name}) for name, texts in events}
        )
        actors = (("actor", [each.name for each in plan.actors]), ("actor_label", [each.label for each in plan.actors]))
        self._actors = labelled({name: (("actor",), np.array(texts, dtype=str), {}) for name, texts in actors})

    def of_actors(self, arrays: Arrays, samples: Mapping[str, NDArray[Any]] | None = None) -> Group:
        """Label arrays by actor: those of samples, (actor, year, sample) as levels come, or what is said of them."""
        return self.group(arrays, samples, dims=actor_dims(arrays, of_samples=samples is not None))

    def group(
        self,
        arrays: Arrays,
        samples: Mapping[str, NDArray[Any]] | None = None,
        *,
        dims: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Group:
        """Label arrays: those of samples with these numbers, or, where there are none, those of a summary."""
        dims = dims or (summary_dims(arrays) if samples is None else sample_dims(arrays))
        on = [name.removeprefix("binding_") for name in self._limits]
        described = attributes(arrays, self._units, on, self._words)
        variables = labelled({name: (dims[name], values, dict(described[name])) for name, values in arrays.items()})
        used = {dim for name in arrays for dim in dims[name]}
        places = np.arange(1, 1 + len(self._actors["actor"].values))
        numbers = {"year": self._years, "quantile": np.array(LEVELS), "place": places, **(samples or {})}
        every = _coordinates({dim: values for dim, values in numbers.items() if dim in used})
        for name, limits in self._limits.items():
            dim = f"limit_{name.removeprefix('binding_')}"
            if dim in used:
                every[dim] = Labelled((dim,), np.array(limits, dtype=str))
            if name in variables:
                variables[name].attrs.update(_flags(["none", *limits], np.int8))
        if "threshold" in used:
            every |= self._thresholds
        every |= self._events if "event" in used else {}
        every |= self._actors if "actor" in used else {}
        return Group(variables, every)

    def samples(self, groups: Groups, *, first: int = 0) -> dict[str, Group]:
        """Label the groups of a run that hold samples, from sample number `first` on."""
        paths = groups.trajectories
        samples = {"sample": np.arange(first, first + next(iter(paths.values())).shape[0])}
        label: Mapping[str, Callable[[Arrays, Mapping[str, NDArray[Any]]], Group]] = {
            "parameters": self._parameters, "actors": self.of_actors
        }  # fmt: skip
        return {name: label.get(name, self.group)(each, samples) for name, each in grouped(groups).items()}

    def _parameters(self, arrays: Arrays, coords: Mapping[str, NDArray[Any]]) -> Group:
        named, labels = [component.name for component in self._scenario.components], self._scenario.labels
        words = dict(zip(arrays, inputs_in_words(arrays, labels=labels), strict=True))
        described = {
            name: shared | {"long_name": words[name]} for name, shared in _shared_attributes(self._scenario).items()
        }
        if "component" in arrays:
            described["component"] = attributes(["component"], {})["component"] | _flags(named, np.int16)
        variables = labelled({name: (("sample",), values, described[name]) for name, values in arrays.items()})
        return Group(variables, _coordinates(coords))


def grouped(groups: Groups) -> dict[str, Arrays]:
    """Give the arrays of samples by the groups of a run in which they stand."""
    found = {"parameters": groups.parameters, "trajectories": groups.trajectories}
    for name, held in (("events", {*OF_EVENTS}), ("crossings", {*groups.crossings} - {*OF_EVENTS})):
        if arrays := {each: values for each, values in groups.crossings.items() if each in held}:
            found[name] = arrays
    turned = {name: each if name in CROSSED else each.T for name, each in groups.actors.items()}
    return found | ({"actors": turned} if turned else {})


def _flags(meanings: Sequence[str], kind: type[np.integer]) -> dict[str, Any]:
    return {"flag_values": np.arange(len(meanings), dtype=kind), "flag_meanings": " ".join(meanings)}


def _coordinates(numbers: Mapping[str, NDArray[Any]]) -> dict[str, Labelled]:
    said = {dim: {"units": COORDINATES[dim].unit, "long_name": COORDINATES[dim].long_name} for dim in numbers}
    return labelled({dim: ((dim,), values, said[dim]) for dim, values in numbers.items()})


def _threshold_coords(spec: ScenarioSpec, quantities: Mapping[str, str]) -> dict[str, Labelled]:
    names = list(spec.thresholds)
    coords = {
        "threshold": np.array(names, dtype=str),
        "quantity": np.array(list(quantities.values()), dtype=str),
        "label": np.array(list(threshold_labels(spec).values()), dtype=str),
        "falling": np.array([stand.falls for stand in stands_of(spec).values()], dtype=np.int8),
    }
    named = {"threshold": {"long_name": "threshold"}}
    return labelled({name: (("threshold",), values, named.get(name, {})) for name, values in coords.items()})


def _shared_attributes(scenario: Scenario) -> dict[str, dict[str, Any]]:
    """Describe each prior; where the components of a mixture say different things of it, what each says."""
    every: dict[str, dict[str, dict[str, str]]] = {}
    for component in scenario.components:
        for name, understood in component.joint.understood().items():
            described = _prior_attributes(component.joint.priors[name], understood)
            every.setdefault(name, {})[component.name] = described
    return {name: _shared(each) for name, each in every.items()}


def _shared(every: Mapping[str, dict[str, str]]) -> dict[str, Any]:
    result = {}
    for key in dict.fromkeys(key for described in every.values() for key in described):
        said = {component: described.get(key, "nothing") for component, described in every.items()}
        first, *others = dict.fromkeys(said.values())
        result[key] = "; ".join(f"{of}: {text}" for of, text in said.items()) if others else first
    return result


def _prior_attributes(prior: NamedPrior, understood: str) -> dict[str, str]:
    """Describe a prior: its unit, what was understood, and where it comes from."""
    stated = prior.prior
    attributes = {"units": prior.unit, "understood": understood}
    attributes |= {"library": stated.prior} if stated.prior else {}
    attributes |= {"input": prior.of} if prior.is_use else {}
    return attributes | {key: value for key in sorted(PROVENANCE_KEYS) if (value := getattr(stated, key)) is not None}


def run_attributes(scenario: Scenario, *, keep: str, store: str, identity: str) -> dict[str, str | int]:
    """Say where a run comes from, and what it is of."""
    spec = scenario.spec
    sources: dict[str, dict[str, None]] = {}
    for component in scenario.components:
        for name, prior in sorted(component.joint.priors.items()):
            if prior.prior.source is not None:
                sources.setdefault(name, {})[prior.prior.source] = None
    every = [component.spec for component in scenario.components]
    weights = {component.name: component.weight for component in scenario.components}
    return {
        "run_format": RUN_FORMAT,
        "run_id": identity,
        "name": spec.name,
        "title": spec.title or spec.name,
        "subject": spec.subject,
        "dollars": spec.dollars or "not stated",
        "notes": spec.notes or "",
        "scenario": stored_text(scenario),
        "scenario_hash": scenario.hash,
        "keep": keep,
        "store": store,
        "samples": spec.samples,
        "uncertain": sum(len(component.joint.uncertain) for component in scenario.components),
        "seed": spec.seed,
        "design": spec.design,
        "block": spec.block,
        "first_year": str(spec.years.first),
        "last_year": str(spec.years.last),
        "drivers": " ".join(name for name in DRIVER_UNITS if any(name in stated_drivers(each) for each in every)),
        "components": json.dumps(weights) if len(every) > 1 else "",
        **made_by(packages_of(scenario)),
        "overrides": "\n".join(scenario.overrides),
        "sources": json.dumps({name: "; ".join(each) for name, each in sources.items()}, ensure_ascii=False),
    }
