"""The one reader of stored results: holds what was opened against `simulator.runs.contents`, and says what is wrong."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path as FilePath
from typing import Any, cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing

from simulator.addresses import as_path
from simulator.errors import RunFileError, shown
from simulator.files import is_folder, is_there
from simulator.runs.checksums import check_opened, lazily
from simulator.runs.contents import CONTENTS, FIT_GROUPS, FITTED, Contents, Part, dims_fit, entry_of
from simulator.runs.entries import TOUCH, Entry, attribute_rule, type_rule, value_rule
from simulator.runs.groups import Group, Variable, arrays_of
from simulator.runs.kinds import RUN, Kind, kind_named
from simulator.runs.netcdf import check_sealed
from simulator.variables import ACTORS

type Wrong = tuple[str, str]
"""Where something is wrong (`summary/crossed`), and what rule it breaks."""


def open_kept(path: FilePath | str, *, kind: str, format_: int) -> xr.DataTree:
    """Open what a kind of folder keeps: its netCDF file, or the folder that holds it."""
    known = kind_named(kind)
    if known is None:
        raise RunFileError(f"{path}: there is no kind of folder '{kind}'.")
    file = as_path(path)
    file = file / known.file if is_folder(file) else file
    if not is_there(file):
        raise RunFileError(f"{path}: no such {kind} file. `{known.command}` writes one.")
    tree = read_tree(file)
    of_kind(tree, known, file=file, newest=format_, oldest=format_)
    return tree


def read_tree(file: FilePath) -> xr.DataTree:
    """Read all groups of a netCDF file; RunFileError where it is damaged or none."""
    try:
        with xr.open_datatree(here := check_sealed(file), engine="netcdf4") as opened:  # noqa: F841  # a copy is held
            return opened.load()
    except (AttributeError, OSError, RuntimeError, ValueError) as error:  # netCDF's word for a broken attribute
        fault = f"cannot be read: it is damaged or no netCDF file ({type(error).__name__})."
        raise RunFileError(f"{file}: {fault}") from None


def of_kind(tree: xr.DataTree, kind: Kind, *, file: FilePath, newest: int, oldest: int = 1) -> None:
    """Refuse what is of another kind or format, was changed, or does not hold what such a result holds (RunFileError).

    Samples are not read: what a command takes of them is checked when it takes it.
    """
    found = tree.attrs.get(kind.attribute)
    if found is None:
        what = "is a run and" if RUN.attribute in tree.attrs else "is a netCDF file but"
        but = re.sub("^(is|holds) (an? )?", r"\1 no ", kind.is_one)
        raise RunFileError(f"{file}: {what} {but}. `{kind.command}` writes one.")
    if not isinstance(found, int | np.integer) or not oldest <= found <= newest:
        remedy = "Update it." if isinstance(found, int | np.integer) and found > newest else "Make it anew."
        raise RunFileError(
            f"{file}: is of {kind.name} format {shown(found)}; this simulator reads "
            f"{'up to ' if oldest < newest else ''}{newest}. {remedy}"
        )
    check(tree, kind.name, file=file)


def check(tree: xr.DataTree, kind: str, *, file: FilePath) -> None:
    """Refuse a tree that was changed, or does not hold what a kind must; what is not read yet is checked when it is."""
    parted = _parted({node.path: node for node in tree.subtree}, CONTENTS[kind])
    root = check_opened(tree, file, at_once={path for part, nodes in parted if not part.lazy for path in nodes})
    for wrong in faults(root, kind):
        raise fault(wrong, kind, file=file)
    _check_when_read(root, kind, str(file))


def fault(wrong: Wrong, kind: str, *, file: object) -> RunFileError:
    """Say what is wrong with a file, and what to do."""
    (where, rule), known = wrong, kind_named(kind)
    again = f" by `{known.command}`" if known and known is not RUN else ""
    remedy = "" if kind == "fit" else f": restore it, or make it anew{again}"
    return RunFileError(f"{file}: {where}: {rule}. It was changed or damaged since it was written{remedy}.")


def faults(root: Group, kind: str) -> list[Wrong]:
    """List what is wrong: with attributes; else with groups and arrays in memory; else with how they go together."""
    contents = CONTENTS[kind]
    for found in (attribute_faults(root.attrs, contents.attributes), _faults_of_parts(root, contents),
                  _unlike(root, contents), _run_faults(root) if kind == "run" else ()):  # fmt: skip
        if wrong := list(found):
            return wrong
    return []


def _faults_of_parts(root: Group, contents: Contents) -> Iterator[Wrong]:
    axes = tuple(str(axis["name"]) for axis in json.loads(root.attrs["sweep"])) if "sweep" in root.attrs else ()
    for part, groups in _parted(dict(root.walk()), contents):
        if part.front and root.attrs.get("left_out"):  # points without numbers
            part = replace(part, variables=tuple(replace(each, missing=True) for each in part.variables))  # noqa: PLW2901
        if not groups and not part.optional:
            yield part.path.strip("/"), "is missing"
        for path, group in groups.items():
            yield from _part_faults(path, group, part, axes if part.front else ())
            if part.rows and "dataset" in root.children:
                yield from _row_faults(path.strip("/"), group, root.children["dataset"], part.rows)
    for attribute, variants in contents.variants.items():
        for name in variants[root.attrs[attribute]]:
            if name not in root.data_vars:
                yield name, f"is missing, as {attribute} is {root.attrs[attribute]}"


def _row_faults(place: str, table: Group, dataset: Group, along: tuple[str, ...]) -> Iterator[Wrong]:
    """Say so where a table has not one row for each place along dimensions of its dataset."""
    wanted = [np.ravel(dataset.coords[name].values).tolist() if name in dataset.coords else () for name in along]
    columns = [np.ravel(table.data_vars[name].values).tolist() for name in along if name in table.data_vars]
    if Counter(zip(*columns, strict=False)) != Counter(product(*wanted)):
        rows = math.prod(map(len, wanted))
        yield place, f"must have {rows} rows, one for each {' and '.join(along)}"


def _parted[T](groups: Mapping[str, T], contents: Contents) -> Iterator[tuple[Part, dict[str, T]]]:
    """Give every part of a table with the groups that are such, by path."""
    left = dict(groups)
    for part in contents.parts:
        form = _form(part.path)
        yield part, {path: left.pop(path) for path in list(left) if form.fullmatch(path)}


@cache
def _form(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(path).replace(r"\*", "[^/]+"))


def attribute_faults(held: Mapping[Any, Any], entries: Iterable[Entry], where: str = "") -> Iterator[Wrong]:
    """List what is wrong with attributes."""
    for entry in entries:
        if entry.name not in held:
            if not entry.optional:
                yield f"{where}attribute {entry.name}", "is missing"
        elif rule := attribute_rule(entry, held[entry.name]):
            yield f"{where}attribute {entry.name}", f"{rule}; got {shown(_plain(held[entry.name]))}"


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _part_faults(path: str, group: Group, part: Part, front: tuple[str, ...]) -> Iterator[Wrong]:
    """List what is wrong with one group."""
    place = path.strip("/")
    at = f"{place}/" if place else ""
    coords, held, dims, arrays = group.coords, group.data_vars, {*group.sizes}, arrays_of(group)
    yield from attribute_faults(group.attrs, part.attributes, f"{place}: ")
    needed = [entry.name for entry in part.coords if _is_needed(entry, dims)]
    for name in dict.fromkeys((*needed, *front, *(dim for dim in dims if dim.startswith("limit_")))):
        if name not in coords:
            yield f"{at}{name}", "is missing: its dimension has no coordinate"
    for entry in part.variables:
        if _is_needed(entry, dims) and entry.name not in held:
            yield f"{at}{entry.name}", "is missing"
    if not part.open and not held:
        yield place, "holds no variable"
    alike: dict[tuple[Entry, tuple[str, ...], tuple[int, ...]], dict[str, Variable]] = {}
    # What is wrong with the years is said before what that makes of the numbers.
    for name, variable in (*coords.items(), *held.items()):
        is_coord = name in coords
        own = tuple(map(str, variable.dims))
        inner = own if is_coord else own[len(front) :]
        known = entry_of(part.coords if is_coord else part.variables, name, inner)
        if known is None:
            if not is_coord and not part.open:
                yield f"{at}{name}", f"is no variable of {place}"
            continue
        in_front = is_coord or own[: len(front)] == front
        if known.dims is not None and not (in_front and dims_fit(known.dims, inner)):
            yield f"{at}{name}", f"must be over ({', '.join((*front, *known.dims))}); is over ({', '.join(own)})"
            continue
        if not is_coord:
            yield from attribute_faults(variable.attrs, part.described, f"{at}{name}: ")
        if rule := type_rule(known, arrays[name].dtype):
            yield f"{at}{name}", rule
        elif not part.lazy or own == (name,):
            alike.setdefault((known, own, variable.shape), {})[name] = variable
    for (entry, own, _), same in alike.items():
        for name, rule in _value_faults(entry, own, same):
            yield f"{at}{name}", rule
    if part.levels and "unit" in group:
        yield from ((f"{at}{name}", rule) for name, rule in _level_faults(group, part.levels))


_OF_LEVEL, _UNIT_OF_LEVEL = Entry("", missing=True), re.compile(r"OOM$|log10\(")


def _level_faults(group: Group, names: Iterable[str]) -> Iterator[Wrong]:
    """Check numbers that are levels where their unit says so."""
    unit = group["unit"]
    is_level = [_UNIT_OF_LEVEL.match(str(text)) is not None for text in unit.values.ravel().tolist()]
    for name in names:
        held = group[name].values if name in group and group[name].dims[:1] == unit.dims else None
        if held is not None and held.dtype.kind in "fiu" and (rule := value_rule(_OF_LEVEL, (), held[is_level])):
            yield name, f"{rule}, where unit is log10 of one, or OOM"


def _is_needed(entry: Entry, dims: set[str]) -> bool:
    return not entry.optional and "*" not in entry.name and {*(entry.dims or ())} <= dims


def _value_faults(entry: Entry, dims: tuple[str, ...], variables: Mapping[str, Variable]) -> Iterator[Wrong]:
    """Check arrays of one entry and shape together, and name those that are wrong."""
    if entry.type in ("text", "any") or len(variables) == 1:
        held = {name: variable.values for name, variable in variables.items()}
        yield from ((name, rule) for name, values in held.items() if (rule := value_rule(entry, dims, values, name)))
    elif value_rule(entry, dims, np.stack([variable.values for variable in variables.values()])):
        for name, variable in variables.items():
            yield from _value_faults(entry, dims, {name: variable})


def _unlike(root: Group, contents: Contents) -> Iterator[Wrong]:
    """List coordinates that differ between groups, and dimensions that are not as long as an attribute says."""
    first: dict[str, tuple[str, NDArray[Any]]] = {}
    for path, group in root.walk():
        place = path.strip("/")
        if place in FIT_GROUPS:
            continue
        sizes = group.sizes if contents.sizes else {}
        for dim, told in contents.sizes.items():
            length = told if isinstance(told, int) else root.attrs[told]
            if dim in sizes and sizes[dim] != length:
                rule = f"there must be {told}" if isinstance(told, int) else f"attribute {told} says {length:,}"
                yield place or dim, f"holds {sizes[dim]:,} {dim}s, and {rule}"
        for name in contents.alike:
            if name in group.coords:
                values = group.coords[name].values
                other, known = first.setdefault(name, (place, values))
                if known is not values and not np.array_equal(known, values):
                    yield f"{place}/{name}", f"is another than {other}/{name}"


def _run_faults(root: Group) -> Iterator[Wrong]:
    """List how the groups, attributes and numbers of a run do not go together."""
    attrs, summary, groups = root.attrs, root.children["summary"], {*root.children}
    held, years = summary.data_vars, summary.coords["year"].values
    kept = attrs["keep"] == "trajectories"
    along = {"threshold": "crossings", "event": "events"}
    wanted = {"parameters", "trajectories", *(along[dim] for dim in summary.sizes if dim in along)} if kept else set()
    for group in ("parameters", "trajectories", *along.values()):
        if (group in wanted) != (group in groups):
            rule = (
                "is missing: the run kept its samples"
                if group in wanted
                else "stands in a run that has no such samples"
            )
            yield group, f"{rule} (attribute keep is {attrs['keep']})"
    if ("actors" in groups) != (kept and "actors_summary" in groups):
        yield "actors", f"must be there with actors_summary where samples are kept (attribute keep is {attrs['keep']})"
    for group in FITTED if groups & {*FIT_GROUPS} else ():
        if group not in groups:
            yield group, "is missing beside the other groups of a fit of history"
    for key, year in (("first_year", years[0]), ("last_year", years[-1])):
        if float(attrs[key]) != year:
            yield f"attribute {key}", f"says {attrs[key]}, and summary/year {year:g}"
    quantities = summary.coords["quantity"].values.tolist() if "quantity" in summary.coords else []
    for what, names in (("attribute drivers", attrs["drivers"].split()), ("summary/quantity", quantities)):
        for name in dict.fromkeys(names):
            if name not in held and name != "compute":
                yield what, f"names {name}, which the summary does not hold"
    levels = {name for name, each in held.items() if each.dims == ("quantile", "year")}
    levels -= {name for name in levels if name.endswith("_error") and f"{name}_mean" not in held}
    shares = {name for name, each in held.items() if str(each.dims[0]).startswith("limit_")}
    limits = {name.removesuffix("_share") for name in shares if name.endswith("_share")}
    told = {f"{name}_mean" for name in levels} | {f"{name}_share{end}" for name in limits for end in ("", "_error")}
    told |= levels | {f"{name}_error" for name in levels}
    for name in sorted(told - {f"{name}_error" for name in levels} - {*held}):
        yield f"summary/{name}", "is missing"
    for name in (name for name, each in held.items() if not {"threshold", "event"} & {*each.dims} and name not in told):
        yield f"summary/{name}", "is of nothing that the summary holds"
    if kept and "trajectories" in groups:
        for name in sorted((levels | limits) ^ {*root.children["trajectories"].data_vars}):
            yield name, "must be in summary and trajectories"
    yield from _share_faults(summary)
    yield from _incomplete(root)


def _incomplete(root: Group) -> Iterator[Wrong]:
    """List what is missing of what a run says together of its events, and of its actors."""
    summary, events = root.children["summary"], root.children.get("events", Group())
    named = any("." not in str(name) for name in summary.coords["event"].values) if "event" in summary else False
    told = ("event_date", "event_share", "event_share_error", *(("event_until",) if named else ()))
    if {*told} & {*summary.data_vars}:  # or else it is of a version that did not say so
        yield from ((f"summary/{name}", "is missing") for name in told if name not in summary)
    if "events" in root.children and ("event_end" in events) != ("event_until" in summary):
        yield "events/event_end", "must be there with summary/event_until"
    held = root.children.get("actors_summary", Group())
    if held.sizes.get("actor", 0) > 1:
        yield from ((f"actors_summary/{name}", "is missing") for name in ("lead", "lead_years") if name not in held)
    if "actors" in root.children:
        levels = {name for name, each in held.data_vars.items() if each.dims == ("actor", "quantile", "year")}
        samples = {name for name, each in root.children["actors"].data_vars.items() if "year" in each.dims}
        for name in sorted((levels - {*ACTORS}) ^ samples):
            yield name, "must be in actors_summary and actors"


def _share_faults(summary: Group) -> Iterator[Wrong]:
    """List shares and dates of a summary that do not go together."""
    years = summary.coords["year"].values
    for name, shares in summary.data_vars.items():
        if (
            name.endswith("_share")
            and str(shares.dims[0]).startswith("limit_")
            and (shares.values.sum(axis=0) > 1.0 + TOUCH).any()
        ):
            yield f"summary/{name}", "must add up to 1 at most"
    if "crossed" in summary.data_vars:
        crossed, never, already, dates = (
            summary.data_vars[name].values for name in ("crossed", "never", "already", "crossing_quantile")
        )
        if not np.allclose(crossed[:, -1] + never, 1.0, rtol=0.0, atol=TOUCH):
            yield "summary/never", "must be what is missing to 1 in summary/crossed in the last year"
        if (already > crossed[:, 0] + TOUCH).any():
            yield "summary/already", "must be within summary/crossed in the first year"
        known = dates[np.isfinite(dates)]
        if known.size and not years[0] <= known.min() <= known.max() <= years[-1]:
            yield "summary/crossing_quantile", "must lie within the years, or be +inf"


@dataclass(eq=False)
class _Checked(BackendArray):
    """An array on the disk whose values are checked when they are read."""

    variable: xr.Variable
    entry: Entry
    file: str
    where: str
    kind: str
    component: xr.Variable | None
    """Of a parameter of a mixture: the component of each sample; one that does not know the parameter has NaN."""

    def __post_init__(self) -> None:
        self.shape, self.dtype = self.variable.shape, self.variable.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> NDArray[Any]:
        try:
            values = self.variable[key].values
        except (OSError, RuntimeError, ValueError) as error:
            raise fault((self.where, f"cannot be read ({type(error).__name__})"), self.kind, file=self.file) from None
        entry, whole = self.entry, values.shape == self.shape
        if self.component is not None:
            of, gone = self.component[key].values, np.isnan(values)
            entry = replace(entry, missing=all(gone[of == each].all() for each in np.unique(of[gone])))
        dims = tuple(map(str, self.variable.dims))
        if rule := value_rule(entry, dims, values) if whole else value_rule(replace(entry, rises=""), (), values):
            raise fault((self.where, rule), self.kind, file=self.file)
        return np.asarray(values)


def _check_when_read(root: Group, kind: str, file: str) -> None:
    """Let arrays that are still on the disk be checked when they are read."""
    for part, groups in _parted(dict(root.walk()), CONTENTS[kind]):
        for path, group in groups.items() if part.lazy else ():
            variables = cast("dict[str, xr.Variable]", group.variables)
            component = variables.get("component")
            for name, variable in variables.items():
                entries = part.coords if name in group.coords else part.variables
                entry = entry_of(entries, name, tuple(map(str, variable.dims)))
                if entry is not None and not isinstance(variable, xr.IndexVariable):
                    of = None if name == "component" else component
                    checked = _Checked(variable.copy(deep=False), entry, file, f"{path.strip('/')}/{name}", kind, of)
                    variable.data = lazily(checked)
