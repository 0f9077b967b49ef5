"""Custom drivers by name: shipped ones, those of installed packages, and what is said where one is missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator import load_scenario, parse_scenario, simulate
from simulator.engine import workers as work
from simulator.engine.checking import check_run
from simulator.engine.simulation import simulate as simulated
from simulator.errors import InputError, ScenarioError, SimulatorError
from simulator.scenario.resolving import Scenario
from simulator.schema.drivers import DRIVERS
from simulator.testing import scenario_text, small_scenario

MODULE = """\
from __future__ import annotations
import numpy as np

def log_level(parameters, years):
    return 25 + parameters["speed"][:, None] * (years - 2025)

def log_squares(parameters, years):
    return [25 / 0] + years

constant = 3
"""
ENTRIES = """\
[simulator.drivers]
our-model = team_model:log_level
our-number = team_model:constant
our-error = team_model:log_squares
our-mistake = team_model:no_such_function
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for a package that was installed: a module, and the entry points of its distribution."""
    (tmp_path / "team_model.py").write_text(MODULE)
    for distribution in ("team-1.0", "other-1.0"):
        folder = tmp_path / f"{distribution}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution[:-4]}\nVersion: 1.0\n")
    (tmp_path / "team-1.0.dist-info" / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "team_model", raising=False)
    return tmp_path


def scenario(driver: str, **changes: Any) -> Scenario:
    custom = {"driver": driver, "parameters": {"speed": {"uniform": [0.1, 0.5]}}}
    return parse_scenario(scenario_text(small_scenario({"drivers.compute": {"custom": custom}, **changes})))


def test_every_shipped_driver_is_there() -> None:
    assert set(DRIVERS.shipped) <= set(DRIVERS)
    assert all(callable(DRIVERS.find(name)) for name in DRIVERS.shipped)


@pytest.mark.usefixtures("installed")
def test_a_driver_of_an_installed_package_is_found_by_its_name_and_run_again() -> None:
    run = simulate(scenario("our-model"))
    speed = run["parameters/drivers.compute.custom.parameters.speed"].values[:, None]
    np.testing.assert_allclose(run["trajectories/physical_compute"], 25 + speed * np.arange(11.0), rtol=1e-6)
    assert check_run(run).passed


@pytest.mark.usefixtures("installed")
def test_processes_find_a_driver_by_name_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "WORTH_PROCESSES", {"fork": 0.0, "spawn": 0.0})
    monkeypatch.setattr("simulator.engine.simulation.KEPT", 256)
    asked = scenario("our-model", samples=1024, block=256)
    one, two = (simulated(asked, workers=workers) for workers in (1, 2))
    np.testing.assert_array_equal(one["trajectories/physical_compute"], two["trajectories/physical_compute"])
    assert one.attrs["run_id"] == two.attrs["run_id"]


@pytest.mark.usefixtures("installed")
def test_what_an_installed_package_offers_and_cannot_give_is_told() -> None:
    entry = r"drivers.compute.custom.driver: "
    with pytest.raises(ScenarioError, match=entry + "our-number: team_model:constant is no function"):
        scenario("our-number")
    with pytest.raises(
        ScenarioError, match=entry + "our-mistake: the installed driver team_model:no_such_function cannot be imp"
    ):
        scenario("our-mistake")


@pytest.mark.usefixtures("installed")
def test_a_driver_that_fails_is_named() -> None:
    with pytest.raises(SimulatorError, match=r"the driver 'our-error' failed on .* \(ZeroDivisionError: division by"):
        simulate(scenario("our-error"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("core-trend.discrete.values=[0, 1, 2, 30]", "epoch-gpu-2023: core-trend must be 0, 1, 2 or 3; got 0 to 30"),
        ("core-trend=-1", "must be 0, 1, 2 or 3; got -1 to -1"),
        ("core-trend=0.5", "must be 0, 1, 2 or 3; got 0.5 to 0.5"),
        ("process-limit=-1", "drivers.hardware: returned NaN or infinity in 100 % of the samples"),
    ],
)
def test_parameters_that_the_shipped_driver_does_not_know_are_refused(change: str, words: str) -> None:
    overrides = [f"drivers.hardware.custom.parameters.{change}", "samples=64"]
    with pytest.raises(SimulatorError, match=words):
        simulate(load_scenario("published/direct-approach-2023", overrides=overrides))


def test_two_packages_that_offer_one_name_are_told_apart_by_the_user(installed: Path) -> None:
    other = installed / "other-1.0.dist-info" / "entry_points.txt"
    other.write_text("[simulator.drivers]\nour-model = elsewhere:log_level\n")
    with pytest.raises(
        InputError, match=r"our-model: is offered by 2 installed packages \(elsewhere:log_level, team_m"
    ):
        DRIVERS.find("our-model")


def test_a_driver_that_is_not_installed_is_a_fault_with_the_nearest_name() -> None:
    with pytest.raises(ScenarioError, match=r"drivers.compute.custom.driver: no driver 'epoch-gpu-2032' is installed"):
        scenario("epoch-gpu-2032")
    with pytest.raises(InputError, match=r"no driver 'nothing-like-it' is installed. There are: .*epoch-gpu-2023"):
        DRIVERS.find("nothing-like-it")


def test_a_parameter_that_a_driver_asks_for_and_does_not_get_is_named() -> None:
    with pytest.raises(SimulatorError, match=r"drivers.compute.custom.parameters: its driver asks for 'process-limit'"):
        simulate(scenario("epoch-gpu-2023"))


@pytest.mark.usefixtures("installed")
def test_a_function_beside_a_name_is_refused() -> None:
    with pytest.raises(InputError, match=r"names the driver of drivers.compute, 'our-model'"):
        simulate(scenario("our-model"), custom={"drivers.compute": lambda parameters, years: years})
