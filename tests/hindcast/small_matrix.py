"""A matrix of hindcasts of two tables, made up by hand: on one the forecast is best, on the other a rule."""

from __future__ import annotations

from simulator.hindcast.matrix_result import Matrix
from simulator.hindcast.rows import COLUMNS, record_table
from simulator.runs.table import Table
from tests.hindcast.made_up_record import OBSERVED
from tests.hindcast.small_hindcast import row

SCORES = {"one": {"forecast": 0.1, "stack": 0.12, "learned": 0.13, "4x a year": 0.2, "random walk": 0.3},
          "two": {"forecast": 0.4, "stack": 0.4, "learned": 0.5, "4x a year": 0.3, "random walk": 0.2}}  # fmt: skip
CELLS = [
    {"table": table, **row(name, origin, target, score)}
    for table, scores in SCORES.items()
    for name, score in scores.items()
    for origin in range(2014, 2022)
    for target in range(origin + 1, 2023)
]
VINTAGE = {"table": "one", "told_by": "two", "forecast": "forecast", "origin": 2021, "target": 2022, "observed": 24.0,
           "crps": 0.1, "error": 0.1, "crps_revised": 0.2, "inside_90": True}  # fmt: skip
MATRIX = Matrix(
    ("one", "two"),
    Table.of_rows(CELLS, ("table", *COLUMNS["forecasts"])),
    Table.of_rows([VINTAGE]),
    {"4x a year": "its rate was measured later"},
    {"period priors": "4 times, first one, 2014: nothing was known."},
    dict.fromkeys(("one", "two"), record_table(OBSERVED)),
    {"learned": "1 time, first one, 2014: 9 divergences: raise the target acceptance."},
)
