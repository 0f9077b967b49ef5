"""The simulator against the oracle: levels, quantiles, limits, crossings and draws of whole scenarios."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from simulator import load_scenario, simulate, write_run
from tests.oracle import feedback, marginals
from tests.oracle.comparison import compare
from tests.oracle.crossing import crossings
from tests.oracle.model import Model, Moment

SAMPLES = 1000
SCENARIOS = [
    *("baseline", "tight-caps", "no-caps", "essay-2023", "essay-2023-realistic", "doubling-times", "capability"),
    *(str(Path(__file__).with_name(name)) for name in ("every_law.yaml", "references.yaml", "operations.yaml")),
    *(f"published/{name}" for name in ("cotra-2020", "scaling-2030", "cottier-2023", "four-times-a-year")),
]


EVENTS, WORLDS = (str(Path(__file__).with_name(name)) for name in ("events.yaml", "worlds.yaml"))


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        *((name, SAMPLES) for name in SCENARIOS),
        *(pytest.param(name, SAMPLES, marks=pytest.mark.slow) for name in ("feedback", "discoveries")),
        *(pytest.param(name, 150, marks=pytest.mark.slow) for name in (EVENTS, WORLDS, "events")),
    ],
)
def test_a_scenario_gives_what_the_documents_say(name: str, samples: int, tmp_path: Path) -> None:
    rows = compare(write_run(simulate(load_scenario(name, overrides=[f"samples={samples}"])), tmp_path))
    assert [row for row in rows if not row.holds] == []


GOMPERTZ = """
schema: 2
name: gompertz
years: {first: 2025, last: 2040}
drivers:
  spending:
    start: {interval_90: [1e8, 1e9], unit: USD}
    at: 2022
    growth: 3x/year
    caps: {moving: {kind: gompertz, limit: {start: {value: 1e11, unit: USD}, growth: {uniform: [1.1, 1.6], unit: x/year}}}}
  hardware: {start: {value: 1e18, unit: FLOP/USD}, growth: 1.4x/year}
  algorithms:
    growth: {uniform: [-0.2, 0.4], unit: OOM/year}
    caps: {headroom: {kind: gompertz, limit: {value: 1e4, unit: factor}}}
thresholds: {level: {effective_compute: 1e29}}
"""


def test_gompertz_is_the_equation_of_the_documents(tmp_path: Path) -> None:
    rows = compare(write_run(simulate(load_scenario(GOMPERTZ, overrides=[f"samples={SAMPLES}"])), tmp_path))
    assert [row for row in rows if not row.holds] == []


def test_the_oracle_knows_nothing_of_the_simulator() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        if path != Path(__file__):
            nodes = [
                node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)
            ]
            names = {
                name for node in nodes for name in [getattr(node, "module", ""), *(alias.name for alias in node.names)]
            }
            assert not [name for name in names if name and name.startswith("simulator")]


def _model(
    drivers: Mapping[str, object], thresholds: Mapping[str, object], years: tuple[float, float] = (2025, 2035)
) -> Model:
    scenario = {"years": {"first": years[0], "last": years[1]}, "drivers": drivers, "thresholds": thresholds}
    return Model(scenario, {"none": np.zeros(1)})


def test_the_oracle_dates_crossings_on_the_path() -> None:
    cap = {"limit": {"start": {"value": 1e3}, "growth": {"value": -50, "unit": "%/year"}}}
    compute = {"start": {"value": 1.0}, "growth": {"value": 10, "unit": "factor/year"}, "caps": {"falling": cap}}
    peak = 3 / (1 + np.log10(2))  # where growth meets the cap that falls: a corner between the times of the scan
    thresholds = {
        "under": {"physical_compute": 10 ** (peak - 1e-6)},
        "over": {"physical_compute": 10 ** (peak + 1e-6)},
        "start": {"physical_compute": 1.0},
    }
    found = crossings(_model({"compute": compute}, thresholds))
    assert found["under"].year == pytest.approx(2025 + peak - 1e-6, abs=1e-9)
    assert found["over"].year == np.inf
    assert found["start"].year == 2025


def test_the_oracle_feeds_back_as_the_closed_form_does() -> None:
    # d log10(A)/dt = 0.3 x 10^(log10(A) / 10): 10^(-log10(A) / 10) falls by 0.03 ln 10 a year
    points = [{"at": 1e20, "multiplier": 1}, {"at": 1e30, "multiplier": 10}]
    drivers = {
        "compute": {"start": {"value": 1e20}},
        "algorithms": {"growth": {"value": 0.3, "unit": "OOM/year"}, "feedback": points},
    }
    model = _model(drivers, {})
    feedback.solve(model)
    t = np.array([[2025.0, 2028.3, 2035.0]])
    expected = -10 * np.log10(1 - 0.03 * np.log(10) * (t - 2025))
    assert Moment(model, t).driver("algorithms") == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("at", [2015.0, 2025.0, 2030.0])
def test_the_oracle_holds_a_start_under_a_gompertz_limit_that_moves(at: float) -> None:
    limit = {"start": {"value": 1e10}, "at": at, "growth": {"value": 1.5, "unit": "x/year"}}
    compute = {
        "start": {"value": 1e8},
        "at": at,
        "growth": {"value": 3, "unit": "x/year"},
        "caps": {"moving": {"kind": "gompertz", "limit": limit}},
    }
    model = _model({"compute": compute}, {}, (2025, 2040))
    found = Moment(model, np.array([[at, at + 10]])).driver("compute")
    assert found[0] == pytest.approx([8, 10.4831283], abs=1e-6)  # the equation in 20,000 steps of equal length


@pytest.mark.parametrize(
    "spec",
    [
        {"median": 8, "interval_90": [2, 22]},
        {"family": "normal", "median": 0.2, "interval_80": [0.12, 0.3]},
        {"family": "metalog", "median": 0.26, "interval_80": [0.16, 0.4], "lower": 0, "upper": 1},
        {"family": "metalog", "quantiles": {"0.1": 1e3, "0.5": 1e6, "0.9": 1e12}, "lower": 1},
    ],
)
def test_the_oracle_reads_stated_quantiles_exactly(spec: dict[str, object]) -> None:
    points = marginals.stated_points(spec)
    quantile = marginals.quantile_function(spec, None, "level")
    assert quantile(np.array(list(points))) == pytest.approx(list(points.values()), rel=1e-9)
