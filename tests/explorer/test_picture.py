"""A picture shows the numbers of the command line, whatever the scenario, as plain JSON."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.engine.run_folders import run_to_folder
from simulator.engine.simulation import How, run_arrays
from simulator.explorer.picture import LEVELS, picture, with_samples
from simulator.explorer.protocol import Picture
from simulator.scenario.library import shipped_names
from simulator.scenario.load import load_scenario
from simulator.testing import small_scenario

NO_RUN = ("learned", "change-point")
"""Scenarios that learn first."""


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(text: str) -> float:
    return float(text) if text else np.nan


def assert_shows(shown: Picture, folder: Path) -> None:
    """Check every number of a picture against the tables that the command wrote."""
    years, levels = shown["years"], list(LEVELS)
    found: dict[str, dict[tuple[float, float], tuple[float, float]]] = {}
    for row in rows(folder, "quantiles"):
        key = float(row["quantile"]), float(row["year"])
        found.setdefault(row["variable"], {})[key] = number(row["value"]), number(row["standard_error"])
    for fan in shown["fans"]:
        own = found[fan["variable"]]
        for level, quantiles in zip(levels, fan["quantiles"], strict=True):
            np.testing.assert_allclose(quantiles, [own[level, year][0] for year in years], rtol=1e-6)
        errors = np.array(fan["error"], dtype=float)
        np.testing.assert_allclose(errors, [own[0.5, year][1] for year in years], rtol=1e-5)
    crossings = {(row["threshold"], float(row["quantile"])): row for row in rows(folder, "crossing_years")}
    by = {(row["threshold"], float(row["year"])): row for row in rows(folder, "crossing_probability")}
    for each in shown["crossings"]:
        own_rows = [crossings[each["name"], level] for level in levels]
        dated = [np.inf if year is None else year for year in each["quantiles"]]
        np.testing.assert_allclose(dated, [float(row["year"]) for row in own_rows], rtol=1e-7)
        assert each["never"] == pytest.approx(float(own_rows[0]["never_by_horizon"]))
        error = np.nan if each["error"] is None else each["error"]
        np.testing.assert_allclose(error, number(crossings[each["name"], 0.5]["standard_error"]), rtol=1e-5)
        np.testing.assert_allclose(each["by"], [float(by[each["name"], year]["probability"]) for year in years])
    binding = {(row["on"], row["limit"], float(row["year"])): float(row["share"]) for row in rows(folder, "binding")}
    for limit in shown["limits"]:
        on, name = limit["name"].split(".")
        np.testing.assert_allclose(limit["share"], [binding[on, name, year] for year in years], atol=1e-9)


@pytest.mark.parametrize("name", ["baseline", "views"])
def test_a_picture_is_what_the_command_writes(name: str, tmp_path: Path) -> None:
    """Numbers, errors and the id of the run are those of `simulate NAME --samples 1100`."""
    scenario = load_scenario(name, overrides=["samples=1100"])
    _, folder = run_to_folder(scenario, tmp_path, how=How())
    shown = picture(load_scenario(name), 1100)
    assert folder.name == f"{name}-{shown['run']}"
    assert len(shown["fans"]) > 8
    assert len(shown["crossings"]) == len(scenario.spec.thresholds)
    assert_shows(shown, folder)


@pytest.mark.parametrize("name", [name for name in shipped_names("scenarios") if name not in NO_RUN])
def test_every_shipped_scenario_has_a_picture_that_is_json(name: str) -> None:
    shown = picture(load_scenario(name), 12)
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown  # tuples, NaN and numbers of NumPy are none
    assert shown["samples"] == 12
    first = shown["fans"][0]
    assert len(first["quantiles"]) == len(LEVELS)
    assert all(len(quantile) == len(shown["years"]) for fan in shown["fans"] for quantile in fan["quantiles"])
    assert shown["headline"].endswith(".")
    assert shown["alts"]["fan"] == first["alt"]
    assert {"crossings", "by"} & {*shown["alts"]} == ({"crossings", "by"} if shown["crossings"] else set())


def test_what_is_beyond_any_number_or_cannot_be_told_is_null() -> None:
    """Of one block no error can be told; effective compute explodes under such feedback; 1e40 is never crossed."""
    rising: dict[str, Any] = {"at": 1e28, "multiplier": 1e4}
    algorithms = {"growth": "2x/year", "feedback": [{"at": 1e26, "multiplier": 1}, rising]}
    start = {"median": 1e26, "interval_90": [5e25, 2e26]}
    drivers = {"compute": {"start": start, "growth": "2x/year"}, "algorithms": algorithms}
    changes = {"drivers": drivers, "samples": 8, "thresholds": {"far": {"physical_compute": 1e40}}}
    shown = picture(load_scenario(small_scenario(changes)))
    json.dumps(shown, allow_nan=False)
    assert shown["fans"][0]["quantiles"][2][-1] is None
    assert set(shown["fans"][0]["error"]) == {None}
    [far] = shown["crossings"]
    assert far["quantiles"] == [None] * 5
    assert (far["never"], far["by"][-1], far["error"]) == (1.0, 0.0, None)
    assert "beyond" in shown["headline"]
    assert any("block" in line for line in shown["warnings"])


def test_other_samples_are_those_of_the_option() -> None:
    for name in ("baseline", "views"):
        asked, option = with_samples(load_scenario(name), 40), load_scenario(name, overrides=["samples=40"])
        assert asked == option
        assert asked.overrides == option.overrides
        assert run_arrays(asked).attrs["run_id"] == run_arrays(option).attrs["run_id"]
    assert with_samples(option, 40) is option


def test_it_says_what_is_seen() -> None:
    shown = picture(load_scenario("baseline"), 1000)
    assert shown["headline"].startswith("The median forecast of effective compute is ")
    assert " FLOP in 2045 (90 % interval " in shown["headline"]
    assert "1,000,000x GPT-4 is crossed in 203" in shown["headline"]
    assert shown["fans"][0]["alt"].startswith("Fan chart of effective compute by year on a log scale, 2026.9 to 2045.")
    assert "$10 billion run: 203" in shown["alts"]["crossings"]
    assert "By 2045: GPT-4: > 99.7 %" in shown["alts"]["by"]
    assert "spending: company cash flow " in shown["alts"]["limits"]
    fixed = picture(load_scenario("essay-2023"))
    assert "every number is fixed" in fixed["headline"]
    assert fixed["fans"][0]["alt"].startswith("Line chart of effective compute")
