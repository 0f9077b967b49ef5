"""How a forecast moved between frozen releases: by how much, and what that is due to."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator import forecast_moves, freeze_forecast, open_result, parse_scenario, simulate
from simulator.analysis.moved import Moved
from simulator.errors import InputError
from tests.analysis.linear_scenario import LINEAR
from tests.analysis.releases import frozen_releases


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return frozen_releases(tmp_path_factory.mktemp("series"))


@pytest.fixture(scope="module")
def found(series: Path) -> Moved:
    return forecast_moves(series, "linear")


def test_each_headline_is_told_by_release(found: Moved) -> None:
    table = found.tables()["headlines"]
    last = table.where(headline="effective compute, end of 2029")
    # Five years at 0.1 OOM a year more of spending, then 0.2 of algorithms: the medians are closed forms.
    assert last["dated"].tolist() == ["2024-06", "2025-06", "2026-06"]
    assert last["median"].tolist() == pytest.approx([30.0, 30.5, 31.5], abs=0.01)
    assert [row["moved"] for row in last.rows()] == [None, pytest.approx(0.5, abs=0.01), pytest.approx(1.0, abs=0.01)]
    (late,) = set(table.where(quantity="late")["headline"])
    assert late == "late"
    assert (last["lower_90"] < last["lower_50"]).all()


def test_the_parts_of_a_move_are_those_of_its_inputs(found: Moved) -> None:
    rows = found.tables()["reasons"].where(quantity="effective_compute", year=2030.0)
    parts = {(row["from"], row["input"]): row["part"] for row in rows.rows()}
    assert parts == {
        ("2024-06", "drivers.spending.growth"): pytest.approx(0.5, abs=0.01),
        ("2024-06", ""): pytest.approx(0.5, abs=0.01),
        ("2025-06", "drivers.algorithms.growth"): pytest.approx(1.0, abs=0.01),
        ("2025-06", ""): pytest.approx(1.0, abs=0.01),
    }
    said = "\n".join(found.lines())
    assert "effective compute, end of 2029" in said
    assert "2026-06 against 2025-06, what the differences are due to" in said
    assert [part.kind for part in found.parts] == ["attribution"]


def test_without_the_scenarios_it_says_that_the_reasons_cannot_be_told(tmp_path: Path) -> None:
    series = frozen_releases(tmp_path)
    (series / "scenarios" / "linear-2026-06.yaml").unlink()
    found = forecast_moves(series, "linear", since="2025")
    assert found.dates == ("2025-06", "2026-06")
    assert found.parts == ()
    assert any(
        "cannot be told: the scenario that was frozen with 2026-06 is not beside it" in w for w in found.warnings
    )
    assert "reasons" not in found.tables()


def test_a_saved_one_is_shown_again(found: Moved, tmp_path: Path) -> None:
    again = open_result(found.save(tmp_path))
    assert again.kind == "moved"
    assert list(again.lines()) == found.lines()
    assert again.tables()["headlines"] == found.tables()["headlines"]


def test_one_release_has_not_moved(tmp_path: Path) -> None:
    freeze_forecast(simulate(parse_scenario(LINEAR, overrides=["samples=64"])), tmp_path, dated="2025-01")
    for since, said in (("", "1 release of linear"), ("2026", "0 releases of linear since 2026")):
        with pytest.raises(InputError, match=f"holds {said}, and nothing to hold against another"):
            forecast_moves(tmp_path, "linear", since=since)
