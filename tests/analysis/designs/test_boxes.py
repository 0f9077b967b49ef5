"""Scenario discovery in designs: a box that follows from the model, noise, what is refused, files and charts."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.analysis.designs.boxes import find_boxes, said_limits
from simulator.analysis.sweep_files import Sweep
from simulator.analysis.sweeps import sweep
from simulator.charts.kinds.boxes import box_figures
from simulator.cli.main import main
from simulator.errors import InputError
from simulator.runs.result import open_result
from simulator.scenario.load import parse_scenario
from simulator.testing import scenario_text, small_scenario

ALGORITHMS, COMPUTE = "drivers.algorithms.growth", "drivers.compute.growth"
OTHER = "drivers.compute.caps.far.limit.value"
SMALL = small_scenario({
    "samples": 8, ALGORITHMS: {"value": 2.0, "unit": "factor/year"}, COMPUTE: {"value": 2.0, "unit": "factor/year"},
    "drivers.compute.caps": {"far": {"limit": {"value": 1e60, "unit": "FLOP"}}},
    "thresholds": {"near": {"effective_compute": 1e27}},
})  # fmt: skip
OVER = [f"{ALGORITHMS}.value=1.2:4", f"{COMPUTE}.value=1.2:4", f"{OTHER}=1e50:1e60:log"]


@pytest.fixture(scope="module")
def swept() -> Sweep:
    return sweep(parse_scenario(scenario_text(SMALL)), over=OVER, design="sobol:256")


def product(swept: Sweep) -> np.ndarray:
    summary = swept["summary"].to_dataset()
    return np.log10(summary[f"{ALGORITHMS}.value"].values) + np.log10(summary[f"{COMPUTE}.value"].values)


@pytest.mark.parametrize("method", ["prim", "cart"])
def test_early_is_where_growth_is_fast_and_a_far_limit_has_no_say(swept: Sweep, method: Any) -> None:
    if method == "cart":
        pytest.importorskip("sklearn")
    years = swept["summary/crossing_quantile"].sel(threshold="near", quantile=0.5).values
    early = float(np.quantile(years, 0.3))
    assert np.corrcoef(np.argsort(np.argsort(years)), np.argsort(np.argsort(-product(swept))))[0, 1] > 0.999
    found = find_boxes(swept, "crossing:near", before=early, method=method, density=0.85)
    box, limits = found.boxes.rows()[0], found.limits.where(box=1, chance=False)
    assert found.about["cases"] == int((years < early).sum())
    assert set(limits["input"].tolist()) <= {f"{ALGORITHMS}.value", f"{COMPUTE}.value"}
    assert all(row["low"] is not None and row["high"] is None for row in limits.rows())
    assert box["density"] >= 0.8
    assert box["coverage"] > (0.5 if method == "prim" else 0.3)
    assert box["held_out_density"] > 0.6
    own = found.points
    inside = np.all([own[row["input"]] >= row["low"] for row in limits.rows()], axis=0)
    assert int(inside.sum()) == box["points"]
    assert int(own["case"][inside].sum()) == box["cases"]


def test_levels_are_parted_in_their_own_unit_and_a_limit_by_ratios_is_told_in_it(swept: Sweep) -> None:
    level = swept["summary/cap_physical_compute_far"].sel(quantile=0.5, year=swept["summary/year"].values[-1]).values
    limit = 10.0 ** float(np.quantile(level, 0.25))
    found = find_boxes(swept, "cap_physical_compute_far", below=limit, density=0.95)
    [row] = found.limits.where(chance=False).rows()
    assert row["input"] == OTHER
    assert math.log10(row["high"]) == pytest.approx(math.log10(limit), abs=0.2)
    assert found.boxes.rows()[0]["coverage"] > 0.95
    assert found.lines()[1].startswith("  [1] low if ")


def test_a_point_that_is_no_number_is_left_out_and_its_entry_is_not(tmp_path: Path) -> None:
    rows = [*(str(1.2 + 0.01 * place) for place in range(200)), "nan", "inf"]
    (tmp_path / "points.csv").write_text("\n".join([f"{ALGORITHMS}.value", *rows]) + "\n")
    made = sweep(parse_scenario(scenario_text(SMALL)), points=tmp_path / "points.csv")
    assert made.attrs["left_out"] == 2
    assert ": 1.2 to 3.19" in made.lines()[1]
    years = made["summary/crossing_quantile"].sel(threshold="near", quantile=0.5).values
    found = find_boxes(made, "crossing:near", before=float(np.nanquantile(years, 0.3)))
    assert found.limits["input"].tolist() == [f"{ALGORITHMS}.value"]
    assert (found.about["cases"], found.about["count"]) == (60, 200)


def test_what_no_input_tells_has_no_box(swept: Sweep, tmp_path: Path) -> None:
    noise = Sweep.of(swept.copy(deep=True))
    crossing = noise["summary/crossing_quantile"]
    order = np.argsort(np.random.default_rng(3).random(256))
    crossing.values[:] = crossing.values[order]
    years = crossing.sel(threshold="near", quantile=0.5).values
    found = find_boxes(noise, "crossing:near", before=float(np.quantile(years, 0.3)))
    assert len(found.boxes) == 0
    assert found.lines()[1] == "  no box: no restriction does better than chance"
    assert list(open_result(found.save(tmp_path)).lines()) == found.lines()
    assert box_figures(found) == []
    assert "none such, or all" in find_boxes(swept, "crossing:near", before=1900).lines()[1]


def test_boxes_are_written_opened_drawn_and_printed(swept: Sweep, tmp_path: Path, capsys: Any) -> None:
    folder = swept.save(tmp_path)
    years = swept["summary/crossing_quantile"].sel(threshold="near", quantile=0.5).values
    before = f"{np.quantile(years, 0.3):.2f}"
    main(["boxes", str(folder), "--outcome", "crossing:near", "--before", before, "--output", str(tmp_path), "--json",
          "--no-charts"])  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], sorted(told["tables"])) == ("boxes", ["boxes", "limits", "points"])
    [made] = tmp_path.glob("*-boxes-*")
    opened = open_result(made)
    found = find_boxes(swept, "crossing:near", before=before)
    assert list(opened.lines()) == found.lines()
    assert opened.tables()["limits"] == found.limits
    figure, again = box_figures(found)[0], box_figures(opened)[0]
    assert figure.chart == again.chart
    assert "coverage" in figure.caption


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"outcome": "crossing:near"}, "is parted by one of --before and --after; got none"),
        ({"outcome": "crossing:near", "above": 3.0}, "got --above"),
        ({"outcome": "effective_compute", "before": 2030}, "parted by one of --above and --below"),
        ({"outcome": "effective_compute", "above": -1.0}, "must be above 0"),
        ({"outcome": "crossed:near@2028", "above": float("nan")}, "--above nan: must be a number"),
        ({"outcome": "crossing:nar", "before": 2030}, "Did you mean 'near'?"),
        ({"outcome": "crossing:near", "before": "soon"}, "--before soon: is no date."),
        ({"outcome": "crossing:near", "before": 2030, "density": 2.0}, "--density: must be above 0 and at most 1"),
    ],
)
def test_what_is_no_question_is_refused(swept: Sweep, told: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=r".*") as refused:
        find_boxes(swept, **told)
    assert said in str(refused.value)


def test_a_grid_is_refused_and_limits_are_written_as_people_do() -> None:
    grid = sweep(parse_scenario(scenario_text(SMALL)), over={f"{ALGORITHMS}.value": [2.0, 3.0]})
    with pytest.raises(InputError, match="the sweep is no design"):
        find_boxes(grid, "crossing:near", before=2030)
    rows = [{"label": "growth", "unit": "x/year", "low": 2.0, "high": None},
            {"label": "cost", "unit": "1", "low": 1.0, "high": 5e9}]  # fmt: skip
    assert said_limits(rows) == "growth > 2 x/year and 1 < cost < 5e+09"
