"""What a matrix of hindcasts amounts to: means by table, over all, by years ahead and by origin; verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from simulator.hindcast.baselines import BASELINES
from simulator.hindcast.output import Hindcast
from simulator.hindcast.rows import COLUMNS, HORIZONS, distinct, skills
from simulator.hindcast.verdicts import TOO_FEW, verdict
from simulator.runs.kinds import MATRIX_TABLES
from simulator.runs.result import Result
from simulator.runs.table import Row, Table
from simulator.wording import aligned

if TYPE_CHECKING:
    import xarray as xr

FIRST_ORIGIN: Final[int] = 2014
"""Two years after deep learning: the first end of a year with three records before it."""
SETS: Final[Mapping[str, Callable[[int], bool]]] = {
    "2014 on": lambda origin: origin >= FIRST_ORIGIN,
    "2015 on": lambda origin: origin >= FIRST_ORIGIN + 1,
    "2018, 2020, 2022": lambda origin: origin in (2018, 2020, 2022),
}
"""The origins over which means are taken."""
_MEANS: Final[Mapping[str, str]] = {
    "crps": "crps", "pinball": "pinball", "bias": "error", "pit": "pit",
    **{f"coverage_{level}": f"inside_{level}" for level in (50, 80, 90)},
}  # fmt: skip


def _means(rows: Table) -> dict[str, float]:
    """Average scores, and the width of the 90 % interval, which is how sharp a forecast is (OOM)."""
    width = float(np.mean(rows["quantile_95"] - rows["quantile_05"]))
    return {**{key: float(np.mean(rows[column])) for key, column in _MEANS.items()}, "width_90": width}


def _complete(rows: Table) -> Table:
    """Keep the ways that were made wherever the first was."""
    counts = {name: len(part) for (name,), part in rows.groups("forecast")}
    most = max(counts.values(), default=0)
    return rows.where([counts[name] == most for name in rows["forecast"]])


@dataclass(frozen=True, repr=False)
class Matrix(Result):
    """Hindcasts of many tables: every forecast with its scores, the first way to forecast held against the others.

    `knew` says which ways knew what came, in words, and `missing` which cannot be made from some origins, so that means
    over those leave them out; `doubted` which come from fits whose chains disagree; `vintages` has forecasts of a truth
    that was told later.
    """

    kind: ClassVar[str] = "matrix"

    names: tuple[str, ...]
    forecasts: Table
    vintages: Table
    knew: Mapping[str, str]
    missing: Mapping[str, str]
    records: Mapping[str, Table]
    doubted: Mapping[str, str] = field(default_factory=dict)
    warned: tuple[str, ...] = ()
    folder_name: str = "hindcast-matrix"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd of the tables."""
        return self.warned

    @property
    def arms(self) -> tuple[str, ...]:
        """The ways to forecast, first that which is held against the others."""
        return tuple(distinct(self.forecasts, "forecast"))

    @property
    def sets(self) -> tuple[str, ...]:
        """The sets of origins over which there are means."""
        return tuple(distinct(self.means, "origins"))

    def of(self, name: str) -> Hindcast:
        """Give the hindcast of one table."""
        mine = _complete(self.forecasts.where(table=name))
        kept, record = mine.select(*COLUMNS["forecasts"]), self.records[name]
        origins = tuple(sorted(set(mine["origin"].tolist())))
        label = f"{self.folder_name}, {name}"
        return Hindcast(record["snapshot"][-1], origins, kept, skills(kept), record=record, folder_name=label)

    def _by_sets(self) -> Iterator[tuple[str, str, Table]]:
        """Give the cells of each table from each set of origins that it has any of."""
        for (table,), whole in self.forecasts.groups("table"):
            for told, held in SETS.items():
                if len(mine := whole.where([held(origin) for origin in whole["origin"]])):
                    yield table, told, _complete(mine)

    @cached_property
    def means(self) -> Table:
        """Mean scores by table, way and set of origins; `ratio` is the CRPS over that of the best simple rule there."""
        rows = list[Row]()
        for table, told, mine in self._by_sets():
            scored = {name: (len(part), _means(part)) for (name,), part in mine.groups("forecast")}
            best = min(each["crps"] for name, (_, each) in scored.items() if name in BASELINES)
            rows += [
                {"table": table, "forecast": name, "origins": told, "forecasts": count, **means,
                 "ratio": means["crps"] / best}
                for name, (count, means) in scored.items()
            ]  # fmt: skip
        return Table.of_rows(rows)

    @cached_property
    def summary(self) -> Table:
        """Mean scores over all tables by way and set of origins, each table alike; of ways that were made on them all.

        `ratio` is the mean CRPS over that of the best rule of the whole; `ratio_mean` and `ratio_worst` are of the
        ratios to the best rule of each table.
        """
        rows = list[Row]()
        for (told,), mine in self.means.groups("origins"):
            whole = _complete(mine)
            scored = {name: part for (name,), part in whole.groups("forecast")}
            rules = [float(np.mean(part["crps"])) for name, part in scored.items() if name in BASELINES]
            rows += [
                {"origins": told, "forecast": name, **{key: float(np.mean(part[key])) for key in (*_MEANS, "width_90")},
                 "ratio": float(np.mean(part["crps"])) / min(rules), "ratio_mean": float(np.mean(part["ratio"])),
                 "ratio_worst": float(np.max(part["ratio"]))}
                for name, part in scored.items()
            ]  # fmt: skip
        return Table.of_rows(rows)

    @cached_property
    def horizons(self) -> Table:
        """Mean scores over all tables by way and years ahead, with the fifths of the probability transforms."""
        rows, ahead = list[Row](), self.forecasts["target"] - self.forecasts["origin"]
        for first, last in HORIZONS:
            for (name,), mine in self.forecasts.where((first <= ahead) & (ahead <= last)).groups("forecast"):
                fifths = np.histogram(mine["pit"].astype(float), 5, (0, 1))[0] / len(mine)
                shares = {f"pit_{place}": float(share) for place, share in enumerate(fifths, start=1)}
                said = {"first_ahead": first, "last_ahead": min(last, int(ahead.max())), "forecasts": len(mine)}
                rows.append({"forecast": name, **said, **_means(mine), **shares})
        return Table.of_rows(rows)

    @cached_property
    def verdicts(self) -> Table:
        """Every way that is none of them against each simple rule, by table and set of origins."""
        rows = list[Row]()
        for table, told, mine in self._by_sets():
            for name in (each for each in distinct(mine, "forecast") if each not in BASELINES):
                both = mine.where([each == name or each in BASELINES for each in mine["forecast"]])
                rows += [
                    {"table": table, "origins": told, "forecast": name, **skill, "verdict": verdict(skill)}
                    for skill in skills(both, name).rows()
                ]
        return Table.of_rows(rows)

    @cached_property
    def by_origin(self) -> Table:
        """The mean CRPS of each way at each origin, over all tables."""
        return Table.of_rows(
            {"forecast": name, "origin": origin, "forecasts": len(mine), "crps": float(np.mean(mine["crps"]))}
            for (name, origin), mine in self.forecasts.groups("forecast", "origin")
        )

    def tables(self) -> dict[str, Table]:
        """Give the tables by the names of their CSV files."""
        return {"cells": self.forecasts, **{name: getattr(self, name) for name in MATRIX_TABLES[1:]}}

    @property
    def dataset(self) -> xr.DataTree:
        """The means as arrays along table, forecast and set of origins."""
        import xarray as xr

        along = {"means": ("table", "forecast", "origins"), "summary": ("origins", "forecast")}
        return xr.DataTree.from_dict({name: getattr(self, name).to_dataset(*keys) for name, keys in along.items()})

    def lines(self) -> Sequence[str]:
        """Say it in lines: the ratio to the best rule by origins, and the verdicts."""
        lines = [
            f"matrix of hindcasts: {len(self.names)} tables, {len(self.forecasts)} forecasts in {len(self.arms)} ways",
            "CRPS in OOM, its ratio to that of the best simple rule, the worst ratio of a table",
        ]
        for (told,), mine in self.summary.groups("origins"):
            rows = [[f"origins {told}", "CRPS", "ratio", "worst", "bias", "inside 50/90 %", "width"]]
            rows += [
                [row["forecast"], f"{row['crps']:.3f}", f"{row['ratio']:.3f}", f"{row['ratio_worst']:.2f}",
                 f"{row['bias']:+.2f}", f"{100 * row['coverage_50']:.0f} / {100 * row['coverage_90']:.0f}",
                 f"{row['width_90']:.1f}"]
                for row in mine.rows()
            ]  # fmt: skip
            lines += aligned(rows, right=[False, *([True] * 6)])
        told = self.verdicts.where(forecast=self.arms[0])["verdict"].tolist()
        counts = ", ".join(f"{said}: {told.count(said)}" for said in ("better", "worse", "a tie", TOO_FEW))
        return [*lines, f"  {self.arms[0]} against simple rules: {counts}"]
