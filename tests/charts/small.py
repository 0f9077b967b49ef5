"""Small fans and a small scenario that several tests of charts draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xarray as xr

from simulator import load_scenario, simulate
from simulator.charts.kinds.fan import draw_fan
from simulator.charts.reading import Fan, FanTables
from simulator.charts.spec import Head, Spec
from simulator.runs.groups import RunLabel
from simulator.runs.table import Table
from simulator.testing import scenario_text, small_scenario

FIRST, LAST = 2025.5, 2045.0

RUN = RunLabel("3f9a2c1", "current-trends-with-caps", 20261122, 10_000)


def tables_of(*rows: list[dict[str, object]], **named: list[dict[str, object]]) -> FanTables:
    """Make the tables of a fan of rows."""
    return FanTables(*map(Table.of_rows, rows), **{name: Table.of_rows(own) for name, own in named.items()})


def median(year: float, rate: float = 0.3) -> float:
    return 26.7 + rate * (year - FIRST)


def crossing(name: str, **known: float | None) -> dict[str, object]:
    quantiles = {
        "lower_90": 2027.0,
        "lower_50": 2029.0,
        "median": 2031.4,
        "upper_50": 2034.0,
        "upper_90": 2040.0,
    }
    shares = {"never": 0.0, "already": 0.0, "samples": 1, "last_year": LAST}
    return {"threshold": name, "label": f"label of {name}", **quantiles, **shares, **known}


def threshold(name: str, level: float, **known: object) -> dict[str, object]:
    return {"threshold": name, "label": f"label of {name}", "level": level, **known}


def fan(
    thresholds: list[dict[str, object]] | None = None,
    crossings: list[dict[str, object]] | None = None,
    *,
    last: float = LAST,
    rate: float = 0.3,
    width: float = 0.15,
) -> FanTables:
    years = [FIRST + index * (last - FIRST) / 20 for index in range(21)]
    widths = {"50 %": 0.4 * width, "80 %": 0.8 * width, "90 %": width}
    bands: list[dict[str, object]] = [
        {
            "band": band,
            "year": year,
            "lower": median(year, rate) - half * (year - FIRST),
            "upper": median(year, rate) + half * (year - FIRST),
        }
        for band, half in widths.items()
        for year in years
    ]
    medians = [{"year": year, "median": median(year, rate)} for year in years]
    return tables_of(medians, bands, thresholds or [], crossings or [])


def drawn(tables: FanTables, *, run: RunLabel = RUN, title: str = "What is seen", note: str = "") -> Spec:
    panel = Fan(tables, "effective_compute", "Effective compute", "FLOP of 2025 algorithms")
    return draw_fan(panel, head=Head(title, "", run, note))


FEW = [threshold("gpt-4", 25.3), threshold("thousandfold", 28.3), threshold("anchor", 31.0)]
CROSSED = [
    crossing("gpt-4", median=FIRST, already=1.0),
    crossing("thousandfold"),
    crossing("anchor", upper_90=None),
]


def steps(path: int, value: float) -> list[dict[str, object]]:
    return [{"path": path, "year": year, "value": value} for year in (FIRST, LAST)]


def observed(*dates: float) -> list[dict[str, object]]:
    return [{"date": date, "value": 20.0 + index / 5, "label": f"run {index}"} for index, date in enumerate(dates)]


PANEL = Fan(fan([{**row, "quantity": "q"} for row in FEW]), "q", "Quantity", "FLOP")


def mixed_run(folder: Path) -> xr.DataTree:
    """Run a mixture of two certain scenarios: 0.5 and 1 OOM a year from 10^26 FLOP, of which 10^28 is to be crossed."""
    for name, growth in (("slow", 0.5), ("fast", 1.0)):
        changes = {"drivers.compute.start": "1e26 FLOP", "drivers.compute.growth": f"{growth} OOM/year", "name": name}
        crossed = {"thresholds": {"high": {"physical_compute": 1e28}}}
        (folder / f"{name}.yaml").write_text(scenario_text(small_scenario(changes | crossed)), encoding="utf-8")
    parts = "[{scenario: ./slow.yaml, weight: 3}, {scenario: ./fast.yaml, weight: 1}]"
    (folder / "both.yaml").write_text(f"schema: 2\nname: both\nsamples: 512\nblock: 256\nmixture: {parts}\n")
    return simulate(load_scenario(folder / "both.yaml"))


def scenario(**changes: Any) -> dict[str, Any]:
    drivers = {
        "spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": {"uniform": [2, 4], "unit": "x/year"}},
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "1.4x/year"},
        "algorithms": {"growth": {"uniform": [2, 4], "unit": "x/year"}},
    }
    return small_scenario({
        "drivers": drivers, "title": "Small scenario",
        "thresholds": {"a": {"effective_compute": 1e30, "label": "Thirty"}, "rich": {"spending": 1e10}},
        "capability": {"name": "score", "kind": "gain-per-doubling", "gain": 1.1},
    } | changes)  # fmt: skip
