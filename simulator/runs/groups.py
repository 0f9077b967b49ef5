"""Arrays with names for their dimensions, in groups: a run in memory, before a file or xarray holds it.

Loading xarray takes longer than a run. What writes, tabulates and draws a run asks a variable for its dimensions,
values and attributes and no more; it takes the arrays of this module and those of xarray alike.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError, near_name, shown
from simulator.runs.estimates import BANDS, place_of
from simulator.scenario.canonical import kept_text, stored_data
from simulator.scenario.documents import yaml_text
from simulator.variables import headline

if TYPE_CHECKING:
    import xarray as xr


type Run = xr.DataTree
"""A run as a tree of labelled arrays, in memory or opened from its file."""

type Dataset = xr.Dataset
"""One group of labelled arrays; named here, as `Run` is, for those who take one and need no xarray."""

type Variable = Labelled | xr.Variable
"""What is asked for its dimensions, shape, values and attributes."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """An array, the names of its dimensions and what describes it."""

    dims: tuple[str, ...]
    values: NDArray[Any]
    attrs: dict[Any, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each dimension."""
        return self.values.shape


def labelled(arrays: Mapping[str, tuple[tuple[str, ...], NDArray[Any], dict[Any, Any]]]) -> dict[str, Labelled]:
    """Label arrays by name, each with its dimensions and what describes it."""
    return {name: Labelled(*each) for name, each in arrays.items()}


@dataclass(frozen=True, slots=True)
class Group:
    """Variables and their coordinates by name, attributes, and the groups below: a run, or a part of one."""

    data_vars: Mapping[str, Variable] = field(default_factory=dict)
    coords: Mapping[str, Variable] = field(default_factory=dict)
    attrs: dict[str, Any] = field(default_factory=dict)
    children: Mapping[str, Group] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Variable:
        return self.data_vars[name] if name in self.data_vars else self.coords[name]

    def __contains__(self, name: str) -> bool:
        return name in self.data_vars or name in self.coords

    @property
    def variables(self) -> dict[str, Variable]:
        """Variables and coordinates by name."""
        return {**self.data_vars, **self.coords}

    @property
    def sizes(self) -> dict[str, int]:
        """The length of each dimension."""
        return {
            str(dim): length
            for variable in self.variables.values()
            for dim, length in zip(variable.dims, variable.shape, strict=True)
        }

    def walk(self, path: str = "/") -> Iterator[tuple[str, Group]]:
        """List this group and those below, each by its path."""
        yield path, self
        for name, child in self.children.items():
            yield from child.walk(f"{path.rstrip('/')}/{name}")

    def to_xarray(self) -> xr.DataTree:
        """Give it to xarray; the arrays are not copied."""
        import xarray as xr

        return xr.DataTree.from_dict({path: as_dataset(group) for path, group in self.walk()})


def arrays_of(group: Group) -> dict[str, NDArray[Any]]:
    """Give what tells the size and type of each variable; those of xarray may be on the disk still, and stay there."""
    return {
        name: each.values if isinstance(each, Labelled) else cast("NDArray[Any]", each)
        for name, each in group.variables.items()
    }


def as_dataset(group: Group) -> xr.Dataset:
    """Give one group, without those below, to xarray."""
    import xarray as xr

    return xr.Dataset(
        {name: _as_variable(each) for name, each in group.data_vars.items()},
        coords={name: _as_variable(each) for name, each in group.coords.items()},
        attrs=group.attrs,
    )


def _as_variable(given: Variable) -> xr.Variable:
    import xarray as xr

    return given if isinstance(given, xr.Variable) else xr.Variable(given.dims, given.values, given.attrs)


def of_dataset(dataset: xr.Dataset) -> Group:
    """Take a dataset of xarray; values that are still on the disk are read when they are asked for."""
    variables, coords = {str(name): each for name, each in dataset.variables.items()}, {*map(str, dataset.coords)}
    return Group(
        {name: each for name, each in variables.items() if name not in coords},
        {name: each for name, each in variables.items() if name in coords},
        {str(key): value for key, value in dataset.attrs.items()},
    )


def of_tree(tree: xr.DataTree) -> Group:
    """Take a tree of xarray's datasets, like `of_dataset`."""
    own = of_dataset(tree.to_dataset(inherit=False))
    return Group(own.data_vars, own.coords, own.attrs, {name: of_tree(child) for name, child in tree.children.items()})


def group(run: Group | xr.DataTree, name: str, *, of_samples: bool = False) -> xr.Dataset:
    """Give one group of a run as a dataset, whether xarray holds the run or not."""
    _check(run, name, of_samples=of_samples)
    child = run.children[name]
    return as_dataset(child) if isinstance(child, Group) else child.to_dataset()


def is_use(parameter: xr.DataArray) -> bool:
    """Tell whether a parameter is the draw of an input once more, in every component of a run."""
    return str(parameter.attrs.get("input", "")).startswith("inputs.")


def arrays(run: Group | xr.DataTree, name: str, *, of_samples: bool = False) -> Group:
    """Give one group of a run as labelled arrays, whether xarray holds the run or not."""
    _check(run, name, of_samples=of_samples)
    child = run.children[name]
    return child if isinstance(child, Group) else of_dataset(child.to_dataset())


def read_quantiles(held: Group, name: str, levels: Mapping[str, float] = BANDS) -> dict[str, NDArray[Any]]:
    """Read quantiles of a variable by the names of columns, each without the dimension of quantiles."""
    variable, known = held[name], held.coords["quantile"].values
    axis = variable.dims.index("quantile")
    return {key: np.take(variable.values, place_of(level, known), axis) for key, level in levels.items()}


def _check(run: Group | xr.DataTree, name: str, *, of_samples: bool) -> None:
    if not hasattr(run, "children"):
        raise InputError(f"takes a run, from simulate or open_run; got {shown(run)}. Give open_run(path) for a path.")
    if name in run.children:
        return
    if of_samples:
        raise InputError(
            f"{run_words(run)} kept its summary only and has no {name}. "
            "Run it again with --keep trajectories to have samples."
        )
    raise InputError(f"{run_words(run)} has no {name}. {near_name(name, list(run.children))}".strip())


def run_words(run: Group | xr.DataTree) -> str:
    """Name a run for a message: its id and scenario where it has them."""
    if "run_id" not in run.attrs:
        return "this run"
    return f"run {run.attrs['run_id']} of {run.attrs['name']}" if "name" in run.attrs else f"run {run.attrs['run_id']}"


_OWN = "own judgement"


def differing_samples(run: Group | xr.DataTree) -> int:
    """Count the samples that shares of a run or sweep are estimated from: 1 where every number is fixed."""
    return int(run.attrs["samples"]) if run.attrs.get("uncertain", 1) else 1


@dataclass(frozen=True, slots=True)
class RunLabel:
    """Name the run that a chart is drawn from."""

    run_id: str
    scenario: str
    seed: int
    samples: int
    sources: tuple[str, ...] = ()


def run_label(run: Group | xr.DataTree) -> RunLabel:
    """Read the label of a run off its attributes."""
    return RunLabel(
        run_id=str(run.attrs["run_id"]),
        scenario=str(run.attrs["name"]),
        seed=int(run.attrs["seed"]),
        samples=int(run.attrs["samples"]),
        sources=short_sources(list(json.loads(str(run.attrs.get("sources", "{}"))).values())),
    )


def short_sources(sources: Sequence[str]) -> tuple[str, ...]:
    """Shorten sources to who and when, each once, the most used first and own judgement last."""
    counts = Counter(map(_short_source, sources))
    return tuple(sorted(counts, key=lambda name: (name == _OWN, -counts[name], name)))


def _short_source(source: str) -> str:
    text = " ".join(source.split())
    if text.lower().startswith(_OWN):
        return _OWN
    dated = re.match(r".{3,36}?\b(?:19|20)\d\d\b", text)
    return dated[0] if dated else textwrap.shorten(re.split(r"[,;(]", text)[0], 40, placeholder=" ...")


def stood_on(summary: Group | xr.Dataset) -> list[str]:
    """List what the thresholds of a summary stand on."""
    return list(map(str, summary.coords["quantity"].values.tolist())) if "quantity" in summary.coords else []


def named_thresholds(summary: Group | xr.Dataset, told: str = "label") -> dict[str, str]:
    """Give the thresholds of a summary by name, each with its label, or with the quantity that it stands on."""
    if "threshold" not in summary.coords:
        return {}
    names, words = (map(str, summary.coords[key].values.tolist()) for key in ("threshold", told))
    return dict(zip(names, words, strict=True))


def headline_of(summary: Group | xr.Dataset) -> str:
    """Name the variable that a summary, of a sweep too, is told by where nothing is asked."""
    return headline(map(str, summary.data_vars), stood_on(summary))


def summarised_names(summary: Group | xr.Dataset) -> list[str]:
    """List the variables of a summary that have quantiles by year."""
    return [
        str(name)
        for name, values in summary.data_vars.items()
        if values.dims == ("quantile", "year") and not str(name).endswith("_error")
    ]


MOST_ROWS = 1_000_000
"""Rows of the table of quantiles, about as many as a spreadsheet opens."""


def kept_dates(summary: Group | xr.Dataset) -> tuple[int, str]:
    """Tell which dates the table of quantiles has, each n-th; and say so where these are not all."""
    dates = summary.coords["year"].values.size
    rows = dates * len(summarised_names(summary)) * summary.coords["quantile"].values.size
    every = max(1, -(-rows // MOST_ROWS))
    rule = f"quantiles.csv has one in {every} of the {dates:,} dates: all would be {rows:,} rows, and"
    return every, f"{rule} {MOST_ROWS:,} are the most. The run file has all." if every > 1 else ""


def stored_scenario_text(run: Group | xr.DataTree) -> str:
    """Write the resolved scenario of a run as YAML."""
    return yaml_text(stored_data(run.attrs))


def kept_scenario_text(result: Group | xr.DataTree | xr.Dataset) -> str:
    """Write the resolved scenario of a result for a file beside it; InputError where that would not be read again."""
    return kept_text(stored_data(result.attrs))
