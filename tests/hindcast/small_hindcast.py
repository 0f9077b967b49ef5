"""A hindcast of a few forecasts, made up by hand."""

from __future__ import annotations

from simulator.hindcast.output import Hindcast
from simulator.hindcast.rows import COLUMNS, MODEL, made_table, skills
from simulator.history.diagnostics import Diagnostics
from simulator.runs.table import Row, Table


def row(forecast: str, origin: int, target: int, crps: float) -> Row:
    levels = 25.0, 24.0, 24.6, 25.1, 25.5, 26.0
    scores = crps, crps / 2, 1.0, 1.0, 0.1, 0.45, True, True, True
    return dict(zip(COLUMNS["forecasts"], (forecast, origin, target, *levels, *scores, False), strict=True))


def forecasts(rows: list[Row]) -> Table:
    return made_table("forecasts", rows)


ROWS = [
    row(name, origin, target, score)
    for name, score in ((MODEL, 0.2), ("4x a year", 0.5))
    for origin in (2018, 2020)
    for target in range(origin + 1, 2023)
]

FIT = Diagnostics(4, 800, 1.001, "a", 2000.0, "a", 2000.0, "a", 0)
FORECASTS = forecasts(ROWS)
RESULT = Hindcast("2026-05", (2018, 2020), FORECASTS, skills(FORECASTS), (FIT, FIT))
