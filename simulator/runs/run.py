"""A run in the hands of its user: xarray's tree, which says itself in a few lines."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import xarray as xr

from simulator.runs.groups import kept_scenario_text
from simulator.runs.result import Result
from simulator.runs.summary import run_tables, summary_lines
from simulator.runs.table import Table


class TreeResult(xr.DataTree, Result):  # type: ignore[no-untyped-call]  # of xarray's __init_subclass__
    """A result that is an `xarray.DataTree` in every respect; what xarray makes of it is shown as xarray does."""

    __slots__ = ()

    @classmethod
    def of(cls, tree: xr.DataTree) -> Self:
        """Take a tree that holds one; what closes its file closes that of the result."""
        result = cls(dataset=tree.to_dataset(inherit=False), children=dict(tree.children))
        result.set_close(tree.close)
        return result

    @property
    def stored(self) -> xr.DataTree:
        return self

    @property
    def label(self) -> str:
        return f"{self.kind.capitalize()} {self.attrs['run_id']} of scenario {self.attrs['name']}"

    def texts(self) -> Mapping[str, str]:
        """The resolved scenario, which runs again."""
        return {"scenario.yaml": kept_scenario_text(self)}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was warned of when it was run."""
        return tuple(str(self.attrs["warnings"]).splitlines())

    @property
    def _is_whole(self) -> bool:
        """Whether it is what it was when it was made, and no selection from it."""
        return self.kind in self.attrs

    def __repr__(self) -> str:  # type: ignore[override]  # as xarray's own
        return Result.__repr__(self) if self._is_whole else xr.DataTree.__repr__(self)

    def _repr_html_(self) -> str:
        return Result._repr_html_(self) if self._is_whole else str(xr.DataTree._repr_html_(self))  # type: ignore[no-untyped-call]


class Run(TreeResult):  # type: ignore[no-untyped-call]  # of xarray's __init_subclass__
    """A run: an `xarray.DataTree` in every respect, and a result like those of other studies.

    `run["trajectories/effective_compute"]` and whatever else xarray offers works as on any tree. Shown at a prompt, it
    is its summary; `print(xarray.DataTree(run.dataset, run.children))` lists its variables.

    Notes
    -----
    From `simulate` and `open_run`; nothing of it is copied, and of an opened run the samples stay on the disk. What
    xarray makes of it (a selection, a mean) is shown as xarray does.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("essay-2023", overrides=["samples=64"]))
    >>> run
    Three factors with regimes (essay, 2023)...
      groups: summary, parameters, trajectories, crossings
    >>> run["summary/never"].sel(threshold="gpt-4").item()
    0.0
    >>> run.tables()["crossing_years"].names[:4]
    ('threshold', 'quantity', 'quantile', 'year')
    """

    __slots__ = ()
    kind: ClassVar[str] = "run"

    @property
    def folder_name(self) -> str:
        return f"{self.attrs['name']}-{self.attrs['run_id']}"

    def tables(self) -> Mapping[str, Table]:
        """Quantiles by year, crossing years, probabilities, what binds; counts of models where there are any."""
        return run_tables(self)

    def lines(self) -> Sequence[str]:
        """Its summary."""
        return summary_lines(self)

    @property
    def _is_whole(self) -> bool:
        """Whether it is what a run was, and no selection from one."""
        return "run_id" in self.attrs and "summary" in self.children and {"quantile", "year"} <= {*self["summary"].dims}

    def __repr__(self) -> str:  # type: ignore[override]  # as xarray's own
        if not self._is_whole:
            return super().__repr__()
        return "\n".join([*summary_lines(self, most=2), f"  groups: {', '.join(self.children)}"])

    def _repr_html_(self) -> str:
        if not self._is_whole:
            return super()._repr_html_()
        groups = Table(
            {
                "group": list(self.children),
                "holds": [f"{len(each.data_vars):,} variables" for each in self.children.values()],
                "dimensions": [
                    ", ".join(f"{dim} {size:,}" for dim, size in each.sizes.items()) for each in self.children.values()
                ],
            }
        )
        return f"<pre>{html.escape(chr(10).join(self.lines()))}</pre>{groups.to_html()}"
