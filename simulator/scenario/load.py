"""Reading scenarios: from a file, a shipped name or text to a `Scenario`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path as FilePath
from typing import Annotated, Any

from pydantic import Field

from simulator.errors import Fault, InputError, PlacedFault, ScenarioError, dotted, shown
from simulator.scenario.changes import changes_in_words, resolve_changed, titled
from simulator.scenario.dating import laid_over
from simulator.scenario.documents import Document, data_document, file_document, text_document
from simulator.scenario.layers import below, lookup, place_of, placed, text_keys
from simulator.scenario.library import (
    GROUPING,
    OF_ITS_OWN,
    extended,
    find_scenario,
    parent_file,
    read_extended,
    second_edition,
)
from simulator.scenario.mixing import MixtureEntry, by_part, mixed_of, part_name, part_names
from simulator.scenario.resolving import Scenario
from simulator.scenario.sweep_axes import Axis, checked_axes, files_beyond, read_axes
from simulator.schema.base import OF_ONE_KIND, Faults, Name, Spec
from simulator.wording import listed


class GroupingKeys(Spec):
    """What makes a file stand for several scenarios."""

    mixture: Annotated[tuple[MixtureEntry, ...], Field(min_length=2), OF_ONE_KIND] | None = None
    """Scenarios that are run as one forecast, each with its weight."""
    variants: dict[Name, dict[str, Any]] | None = None
    """Named changes: each is the scenario with what stands below its name laid over it."""
    sweep: dict[str, Any] | None = None
    """What `simulate sweep` changes: paths of entries, each with its values."""


@dataclass(frozen=True, slots=True)
class Groups:
    """A document taken apart: what it says itself, what it mixes, its variants as documents, what it sweeps.

    `file` is what it is called; the files that it names count from the folder of that one.
    """

    file: str
    own: Document
    whole: Document
    mixture: tuple[MixtureEntry, ...] = ()
    variants: Mapping[str, Document] = field(default_factory=dict)
    sweep: tuple[Axis, ...] = ()


def grouped(document: Document, file: str) -> Groups:
    """Take a document apart."""
    second_edition(document, file)
    given = {key: document.data[key] for key in GROUPING if key in document.data}
    own = replace(document, data={key: value for key, value in document.data.items() if key not in GROUPING})
    if not given:
        return Groups(file, own, document)
    keys, faults = _group_keys(text_keys(given), document)
    if keys.mixture and "extends" in own.data:
        faults.append(Fault(("extends",), "stands beside mixture, which names the parents.", "Keep one of them."))
        own = replace(own, data={key: value for key, value in own.data.items() if key != "extends"})
    names = part_names(keys.mixture or ())
    faults += [
        Fault(("mixture", number, "name"), f"two entries are called '{name}'.", "Give each a name of its own.")
        for number, name in enumerate(names)
        if name in names[:number]
    ]
    axes, amiss = _axes(keys.sweep or {}, document)
    if faults or amiss:  # they are told together with what the rest says
        own = replace(own, faults=(*placed(faults, document).faults, *amiss))
    variants = {name: below(document, ("variants", name)) for name in keys.variants or {}}
    return Groups(file, own, document, keys.mixture or (), variants, axes)


def _group_keys(data: dict[str, Any], document: Document) -> tuple[GroupingKeys, list[Fault]]:
    """Read what groups scenarios, without what is at fault in it, which is listed; raised where nothing stands then."""
    try:
        return GroupingKeys.read(data), []
    except Faults as error:
        faults = error.faults
    left = copy.deepcopy(data)
    for fault in faults:
        depth = {"mixture": 2, "variants": 1}.get(str(fault.path[0]), 0)  # an entry of a mixture, a variant, a sweep
        above: Any = lookup(left, fault.path[:depth]) if len(fault.path) > depth else left
        if isinstance(above, dict):
            above.pop(key := fault.path[depth if above is not left else 0], None)
            above |= {"weight": 1.0} if key == "weight" else {}
    try:
        if {*left} >= {"mixture"} & {*data}:
            return GroupingKeys.read(left), faults
    except Faults:
        pass
    raise placed(faults, document)


def _axes(sweep: Mapping[str, Any], document: Document) -> tuple[tuple[Axis, ...], list[PlacedFault]]:
    """Read the axes of a sweep, and list what is wrong, with its places."""
    axes: list[Axis] = []
    faults: list[PlacedFault] = []
    for name, values in sweep.items():
        try:
            axes = [*checked_axes([*axes, *read_axes({name: values})])]
            if rule := files_beyond([text for point in axes[-1].points for text in point.overrides]):
                raise InputError(rule)
        except InputError as error:
            place = place_of(document.places, ("sweep", name))
            faults.append(PlacedFault(place, "sweep", str(error).replace("--over ", "")))
    return tuple(axes), faults


def resolver(groups: Groups) -> Callable[[Sequence[str], str], Scenario]:
    """Give what checks a file with overrides, or one of its variants; the files that it names are read once."""
    if groups.mixture:
        read = cache(partial(_mixed_document, groups))
        return lambda overrides, variant: _mixed(groups, read, overrides, variant)
    document = part_documents(groups)[""]
    return lambda overrides, variant: resolve_changed(_varied(document, groups, variant), overrides)


def resolve_groups(groups: Groups, overrides: Sequence[str] = ()) -> Scenario:
    """Check what a file says, and give the scenario."""
    return resolver(groups)(overrides, "")


def _varied(document: Document, groups: Groups, variant: str) -> Document:
    """Lay a variant over a document, and name it after the variant; without one the document is as it was."""
    if not variant:
        return document
    merged = laid_over(document, groups.variants[variant])
    name, title = document.data.get("name", "scenario"), document.data.get("title")
    said = changes_in_words(document.data, merged.data)
    named = {"name": f"{name}-{variant}", "title": f"{title or name}: {variant}{f' ({said})' if said else ''}"}
    own = groups.variants[variant].data
    data = {key: value for key, value in merged.data.items() if key != "notes" or key in own}
    return replace(merged, data=data | {key: value for key, value in named.items() if key not in own})


def _mixed_document(groups: Groups, number: int) -> Document:
    """Read one of the scenarios that a file mixes, with what is laid over it."""
    named = {"title": f"mixture of {listed(part_names(groups.mixture))}"}
    base = _base(groups, number)
    if isinstance(groups.mixture[number].scenario, str):
        kept = {key: value for key, value in base.data.items() if key not in OF_ITS_OWN}
        base = replace(base, data=kept | named)
    document = laid_over(base, groups.own)
    changed = groups.mixture[number].changes
    return laid_over(document, below(groups.whole, ("mixture", number, "changes"))) if changed else document


def _mixed(groups: Groups, read: Callable[[int], Document], overrides: Sequence[str], variant: str) -> Scenario:
    faults: list[PlacedFault] = []
    resolved: dict[str, Scenario] = {}
    own, weights = by_part(groups.mixture, overrides)
    for number, entry in enumerate(groups.mixture):
        try:
            resolved[part_name(entry, number)] = resolve_changed(_varied(read(number), groups, variant), own[number])
        except ScenarioError as error:
            faults += error.faults
    if faults:
        raise ScenarioError(faults)
    return mixed_of(groups.mixture, groups.whole, resolved, weights)


def part_documents(groups: Groups) -> dict[str, Document]:
    """Read what each of the scenarios that a file mixes says, by name; of one alone the name is empty."""
    if not groups.mixture:
        return {"": titled(extended(groups.own, groups.file))}
    return {name: _mixed_document(groups, number) for number, name in enumerate(part_names(groups.mixture))}


def _base(groups: Groups, number: int) -> Document:
    """Read the scenario that an entry names, or that is written in it."""
    stated, at = groups.mixture[number].scenario, ("mixture", number, "scenario")
    if isinstance(stated, str):
        found = parent_file(stated, FilePath(groups.file).parent)
        if isinstance(found, Fault):
            place = place_of(groups.whole.places, at)
            raise ScenarioError.at(place, found.rule, found.remedy, entry=dotted(at))
        return read_extended(found, (FilePath(groups.file).resolve(),))
    if "mixture" in stated:
        rule = "is a mixture, which cannot be mixed again."
        place = place_of(groups.whole.places, (*at, "mixture"))
        raise ScenarioError.at(place, rule, "Name the scenarios in it.", entry=dotted(at))
    return extended(below(groups.whole, at), groups.file)


type Source = FilePath | str | Mapping[str, Any]
"""A scenario file, the name of a shipped scenario, YAML text, or a scenario as plain data."""


def load_scenario(source: Source, *, overrides: Sequence[str] = ()) -> Scenario:
    """Read and check a scenario.

    Parameters
    ----------
    source : path, str or mapping
        A path is always a file. A str with a line break or with ": " in it is YAML text; any other names a file (it
        ends in .yaml, or there is one) or a shipped scenario such as `baseline`. A mapping is a scenario as plain
        data. Names of files in text and data count from the working directory.
    overrides : sequence of str
        Changes as `path=value`, for example `drivers.spending.growth[0].rate.median=3x/year`. A key that is a number
        may stand behind a dot or in brackets: `drivers.algorithms.caps.headroom.limit.quantiles.0.1=1e4` or
        `...quantiles[0.1]=1e4`.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        It has faults: all of them, each with file, line and column.
    InputError
        There is no such file or shipped scenario, or an override cannot be read.

    Examples
    --------
    >>> scenario = load_scenario("baseline", overrides=["samples=2048"])
    >>> scenario.spec.samples, scenario.overrides
    (2048, ('samples: 10000 -> 2048',))
    >>> load_scenario({"extends": "baseline", "name": "few", "samples": 16}).spec.samples
    16
    >>> load_scenario("schema: 2")
    Traceback (most recent call last):
    simulator.errors.ScenarioError: <text>:1:1: drivers: spending and hardware are missing, and ...
    ...
    """
    return resolve_groups(load_groups(source), overrides)


def scenario_of(given: Scenario | Source) -> Scenario:
    """Give a scenario as it is, or read what `load_scenario` reads."""
    return given if isinstance(given, Scenario) else load_scenario(given)


def load_variants(source: Source, *, overrides: Sequence[str] = ()) -> dict[str, Scenario]:
    """Read the variants of a scenario: the scenario with each of its named changes laid over it.

    Parameters
    ----------
    source : path, str or mapping
        As in `load_scenario`; its key `variants` names the changes.
    overrides : sequence of str
        Changes to every variant, as `path=value`.

    Returns
    -------
    dict of str to Scenario, by the names of the variants; empty where there are none

    Raises
    ------
    ScenarioError
        The scenario has faults, or a variant has.

    Examples
    --------
    >>> changes = {"long": {"years": {"last": 2050}}, "short": {"years": {"last": 2035}}}
    >>> found = load_variants({"extends": "essay-2023", "name": "spans", "variants": changes})
    >>> [(name, each.spec.years.last) for name, each in found.items()]
    [('long', 2050.0), ('short', 2035.0)]
    """
    return load_with_variants(source, overrides=overrides)[1]


def load_with_variants(source: Source, *, overrides: Sequence[str] = ()) -> tuple[Scenario, dict[str, Scenario]]:
    """Read a scenario once, and give it and its variants."""
    groups = load_groups(source)
    checked = resolver(groups)
    found, faults = dict[str, Scenario](), list[PlacedFault]()
    for name in ("", *groups.variants):
        try:
            found[name] = checked(overrides, name)
        except ScenarioError as error:
            faults += error.faults
    if faults:
        raise ScenarioError(faults)
    return found.pop(""), found


def parse_scenario(text: str, *, file: str = "<text>", overrides: Sequence[str] = ()) -> Scenario:
    """Read a scenario from YAML text that faults speak of as a file of some name; otherwise as `load_scenario`.

    Parameters
    ----------
    text : str
        YAML 1.2.
    file : str
        What faults call it; files that the text names count from the folder of this one.
    overrides : sequence of str
        Changes as `path=value`.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        The text has faults.

    Examples
    --------
    >>> parse_scenario("schema: 2", file="mine.yaml")
    Traceback (most recent call last):
    simulator.errors.ScenarioError: mine.yaml:1:1: drivers: spending and hardware are missing, and ...
    ...
    """
    if not isinstance(text, str):
        raise InputError(f"text: must be YAML text; got {shown(text)}.")
    return resolve_groups(grouped(text_document(text, file), file), overrides)


def load_groups(source: Source) -> Groups:
    """Read a scenario and take it apart."""
    if isinstance(source, Mapping):
        return grouped(data_document(source, "<data>"), "<data>")
    if not isinstance(source, str | FilePath):
        kinds = "a path, the name of a shipped scenario, YAML text or a mapping"
        raise InputError(f"scenario: must be {kinds}; got {shown(source)}.")
    if isinstance(source, str) and ("\n" in source or ": " in source or not source.strip()):
        return grouped(text_document(source, "<text>"), "<text>")
    found = find_scenario(source)
    return grouped(file_document(found), str(found))


__all__ = ["Scenario", "load_scenario", "load_variants", "load_with_variants", "parse_scenario"]
