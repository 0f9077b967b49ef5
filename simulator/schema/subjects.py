"""What limits stand on: factors, drivers, physical compute, and levels within quantities and limits; by name.

The one place that says how the levels of a scenario are made of one another, and what their variables in a run are
called. A subject `s` has the variables `s`, `s_demanded`, `cap_s_<cap>` and `binding_s`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from simulator.errors import Path, dotted
from simulator.schema.actors import CATCH_UP, OWN
from simulator.schema.goals import count_names
from simulator.schema.prior_names import entries_of, stated_drivers
from simulator.schema.quantities import Factor, Level, Limit, Operation, Quantity
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import Prior
from simulator.schema.words import in_words, labels_of, threshold_labels
from simulator.variables import snake


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit on a subject: its name, its place, what the scenario says of it, and the variable of its level."""

    name: str
    path: Path
    limit: Limit
    variable: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A level that limits may stand on: one of its own, or the product of others, its `parts`.

    `name` is that of its variable, `path` its place, `level` what the scenario says of it, None of a product.
    """

    name: str
    path: Path
    level: Level | None
    parts: tuple[str, ...]
    bounds: tuple[Bound, ...]

    @property
    def driver(self) -> str:
        """The driver that it is, or is a factor of."""
        return str(self.path[1])

    @property
    def has_demand(self) -> bool:
        """Whether a run holds what is demanded apart from what is had."""
        return bool(self.bounds) or self.name in ("spending", "physical_compute")


def bounds_of(level: Level, path: Path) -> tuple[Bound, ...]:
    """List the caps of a level, by name."""
    subject = level_name(path)
    return tuple(
        Bound(name, (*path, "caps", name), level.caps[name], f"cap_{subject}_{snake(name)}")
        for name in sorted(level.caps)
    )


def level_name(path: Path) -> str:
    """Name the variable of a level at a place in the scenario."""
    match path:
        case ("drivers", "compute"):
            return "physical_compute"
        case ("drivers", driver):
            return str(driver)
        case ("drivers", driver, "factors", factor):
            return f"{driver}_factor_{snake(str(factor))}"
        case ("quantities" | "stocks", name):
            return f"quantity_{snake(str(name))}"
        case ("allocation", name):
            return f"allocation_{snake(str(name))}"
        case ("constraints", name, "limit"):
            return f"constraint_{snake(str(name))}"
        case ("thresholds", name, _):
            return f"moving_threshold_{snake(str(name))}"
        case (*owner, "caps", name, "limit"):
            return f"cap_{level_name(tuple(owner))}_{snake(str(name))}"
        case (*outer, last):
            return f"{level_name(tuple(outer))}_{snake(str(last).strip('[]'))}"
    raise ValueError(f"level_name: path: names no level; got {path}.")


def subjects(spec: ScenarioSpec) -> tuple[Subject, ...]:
    """List the levels that effective compute is made of, parts first: factors, drivers, physical compute last."""
    found: list[Subject] = []
    constraints = [
        Bound(name, ("constraints", name), limit, f"constraint_{snake(name)}")
        for name, limit in spec.constraints.items()
    ]
    for driver_name, driver in sorted(stated_drivers(spec).items(), key=lambda each: each[0] == "compute"):
        path: Path = ("drivers", driver_name)
        factors = [((*path, "factors", name), factor) for name, factor in sorted((driver.factors or {}).items())]
        parts = [Subject(level_name(at), at, factor, (), bounds_of(factor, at)) for at, factor in factors]
        bounds = [*bounds_of(driver, path), *(constraints if driver_name == "compute" else ())]
        level = driver if driver.factors is None else None
        found += [*parts, Subject(level_name(path), path, level, tuple(part.name for part in parts), _ordered(bounds))]
    if spec.drivers.compute is None and not spec.drivers.missing:
        parts_of_compute = ("spending", "hardware")
        found.append(Subject("physical_compute", ("constraints",), None, parts_of_compute, _ordered(constraints)))
    return tuple(found)


def _ordered(bounds: Sequence[Bound]) -> tuple[Bound, ...]:
    return tuple(sorted(bounds, key=lambda bound: bound.name))


def inner_subjects(spec: ScenarioSpec) -> tuple[Subject, ...]:
    """List the levels with caps that stand within quantities, constraints and limits."""
    return tuple(
        Subject(level_name(path), path, level, (), bounds_of(level, path))
        for path, level in entries_of(Level, spec)
        if level.caps and not isinstance(level, Factor)
    )


def subjects_within(spec: ScenarioSpec) -> dict[str, tuple[Subject, tuple[Path, ...]]]:
    """List the levels of an actor whose limits stand within what it follows, by a lag or a gap, under their own names.

    Each with that level and its limits, and the paths of the lags, by the name of the subject.
    """
    found = dict[str, tuple[Subject, tuple[Path, ...]]]()
    for subject in subjects(spec):
        level, path, lags = subject.level, subject.path, list[Path]()
        factors = stated_drivers(spec)[subject.driver].factors if level is None and path[0] == "drivers" else None
        if factors and OWN in factors and all(name == OWN or name.startswith(CATCH_UP) for name in factors):
            level, path = factors[OWN], (*path, "factors", OWN)
        while (
            level is not None and not level.caps and isinstance(level.level, Operation) and level.level.lag is not None
        ):
            lags.append((*path, "level", "lag"))
            path = (*path, "level", "lag", "of")
            level = level.level.lag.of if isinstance(level.level.lag.of, Level) else None
        if level is not None and level.caps and path != subject.path:
            bounds = tuple(
                replace(each, variable=f"cap_{subject.name}_{snake(each.name)}") for each in bounds_of(level, path)
            )
            found[subject.name] = Subject(subject.name, path, level, (), bounds), tuple(lags)
    return found


def binding_names(spec: ScenarioSpec, *, of_actor: bool = False) -> dict[str, tuple[str, ...]]:
    """Name the limits behind the numbers 1, 2, ... of each `binding_*` variable, of an actor what it follows too."""
    within = [subject for subject, _ in subjects_within(spec).values()] if of_actor else []
    return {
        f"binding_{subject.name}": tuple(bound.name for bound in subject.bounds)
        for subject in (*subjects(spec), *inner_subjects(spec), *within)
        if subject.bounds
    }


def variable_places(spec: ScenarioSpec) -> list[tuple[str, Path]]:
    """Name the variables over samples and years of a scenario's run, each with its place in the scenario."""
    found: list[tuple[str, Path]] = [(level_name(("quantities", name)), path) for name, (path, _) in spec.named.items()]
    found += [(name, path) for name, (_, path, _) in moving_thresholds(spec).items()]
    chain = subjects(spec)
    for subject in (*chain, *inner_subjects(spec)):
        if dict(found).get(subject.name) not in (subject.path, subject.path[:-1]):  # a quantity or a limit is there
            found.append((subject.name, subject.path))
        found += [(f"{subject.name}_demanded", subject.path)] if subject.has_demand else []
        found += [(bound.variable, bound.path) for bound in subject.bounds]
        found += [(f"binding_{subject.name}", subject.path)] if subject.bounds else []
    found += [(name, ("drivers", told.driver, "law", told.what)) for name, told in told_variables(spec).items()]
    found += [("effective_compute", ("drivers",))] if not spec.drivers.missing else []
    found += [("capability", ("capability",))] if spec.capability is not None else []
    return found + [(name, ("models",)) for name in (count_names(spec.models) if spec.models is not None else ())]


class Told(NamedTuple):
    """What the law of a driver tells beside its level: by its name there, and in words."""

    driver: str
    what: str
    words: str


def told_variables(spec: ScenarioSpec) -> dict[str, Told]:
    """Name the variables that laws tell beside levels."""
    return {
        f"{driver}_law_{snake(what)}": Told(driver, what, words)
        for driver, entry in spec.drivers
        if entry is not None and entry.law is not None
        for what, words in entry.law.tells.items()
    }


def standing(spec: ScenarioSpec) -> dict[str, str]:
    """Name the variables that thresholds may stand on, by what a file calls them: levels, and never counts."""
    places = [(name, path) for name, path in variable_places(spec) if path != ("models",)]
    named = {name: name for name, path in places if not name.startswith(("binding_", "moving_threshold_"))}
    paths = {dotted(path): name for name, path in reversed(places) if name in named and path not in _NO_PLACE}
    return paths | {name: level_name(("quantities", name)) for name in spec.named} | named


_NO_PLACE: tuple[Path, ...] = (("drivers",), ("constraints",))


def quantity_of(spec: ScenarioSpec, name: str) -> str:
    """Name the variable that a threshold stands on."""
    threshold = spec.thresholds[root_of(spec, name)]
    if threshold.stated is not None and threshold.stated[0] != "level":
        return threshold.stated[0]
    word = threshold.quantity or "effective_compute"
    return word if word in ("effective_compute", "physical_compute", "spending") else standing(spec)[word]


def root_of(spec: ScenarioSpec, name: str) -> str:
    """Name the threshold that one is a multiple of in the end; itself where it says of what it is a level."""
    of = spec.thresholds[name].of
    return name if of in (None, "start") else root_of(spec, str(of))


def is_falling(spec: ScenarioSpec, name: str) -> bool:
    """Tell whether a threshold is met from above, as a loss is."""
    threshold = spec.thresholds[name]
    if threshold.falling is not None:
        return threshold.falling
    if threshold.of not in (None, "start"):
        return is_falling(spec, str(threshold.of))
    metric = spec.capability
    return metric is not None and metric.is_falling and quantity_of(spec, name) == "capability"


class Stand(NamedTuple):
    """What a threshold stands on, of which one it is a multiple in the end, and whether it is met from above."""

    quantity: str
    root: str
    falls: bool


def stands_of(spec: ScenarioSpec) -> dict[str, Stand]:
    """Say of every threshold where it stands."""
    return {
        name: Stand(quantity_of(spec, name), root_of(spec, name), is_falling(spec, name)) for name in spec.thresholds
    }


def moving_thresholds(spec: ScenarioSpec) -> dict[str, tuple[Quantity, Path, tuple[Path, ...]]]:
    """Give the levels of thresholds that are no single number, by the names of their variables.

    Each with its place, and the places of what it is multiplied by.
    """
    found: dict[str, tuple[Quantity, Path, tuple[Path, ...]]] = {}
    thresholds = spec.thresholds
    for name in thresholds:
        multiples: list[Path] = []
        root = name
        while thresholds[root].of in thresholds and len(multiples) < len(thresholds):  # a circle is a fault
            multiples.append(("thresholds", root, "multiple"))
            root = str(thresholds[root].of)
        stated = thresholds[root].stated
        if stated is not None and not isinstance(stated[1], Prior):
            place = ("thresholds", root, stated[0])
            found[f"moving_threshold_{snake(name)}"] = stated[1], place, tuple(multiples)
    return found


def variable_words(spec: ScenarioSpec) -> dict[str, str]:
    """Say what variables are called that have a label, or stand within quantities and limits; thresholds by name."""
    labels = labels_of(spec)
    inner = {subject.name: in_words(subject.path, labels=labels) for subject in inner_subjects(spec)}
    named = {
        name: label
        for name, path in variable_places(spec)
        if not name.startswith("binding_") and not name.endswith("_demanded") and (label := labels.get(dotted(path)))
    }
    metric = {"capability": spec.capability.name} if spec.capability is not None else {}
    named |= dict(_allocated_words(spec, labels))
    told = {name: each.words for name, each in told_variables(spec).items()}
    return inner | named | metric | told | threshold_labels(spec)


def _allocated_words(spec: ScenarioSpec, labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Say what the quantities are called that follow from who uses a stock."""
    for stock, allocation in spec.allocation.items():
        of = labels.get(dotted(spec.named[stock].path)) or stock.replace("-", " ")
        path: Path = ("allocation", stock, "uses")
        uses = {name: labels.get(dotted((*path, name))) or name.replace("-", " ") for name in allocation.uses}
        for name, use in uses.items():
            variable = level_name(("quantities", f"{stock}-{name}"))
            yield from ((variable, f"{of}: {use}"), (f"{variable}_share", f"{use}, share of {of}"))
        if (run := allocation.largest_run) is not None:
            variable = level_name(("quantities", f"{stock}-{run.use}"))
            yield f"{variable}_compute", run.label or f"{uses[run.use]} that {of} make"
            yield f"{variable}_ratio", f"{uses[run.use]} of the drivers, over what {of} make"


def variable_names(spec: ScenarioSpec) -> tuple[str, ...]:
    """Name the variables over samples and years of a scenario's run."""
    return tuple(name for name, _ in variable_places(spec))
