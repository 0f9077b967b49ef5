"""What cannot be done is refused before anything is sampled, fitted or drawn."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

import simulator.analysis.association
import simulator.analysis.sweeps
import simulator.cli.studies
import simulator.engine.run_folders
import simulator.engine.simulation
import simulator.hindcast.arms
import simulator.hindcast.hindcast
import simulator.history.fragility
import simulator.history.learning
from simulator import load_scenario, save_run, simulate
from simulator.cli.main import main
from tests.analysis.linear_scenario import LINEAR


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run a command in which all that takes time fails, and give what it says."""
    monkeypatch.chdir(tmp_path)
    Path("linear.yaml").write_text(LINEAR)

    def worked(*_: Any, **__: Any) -> None:
        raise AssertionError("there was work before the refusal")

    for module, name in (
        (simulator.history.learning, "fit_history"),
        (simulator.history.fragility, "fit_history"),
        (simulator.hindcast.arms, "fit_dates"),
        (simulator.hindcast.hindcast, "hindcast"),
        (simulator.engine.simulation, "simulate"),
        (simulator.engine.run_folders, "simulate"),
        (simulator.analysis.sweeps, "simulate"),
        (simulator.analysis.association, "drawn_priors"),
    ):
        monkeypatch.setattr(module, name, worked)

    def run(words: str) -> str:
        with pytest.raises(SystemExit) as ending:
            main(words.split())
        assert ending.value.code == 2
        said = capsys.readouterr()
        assert said.out == ""
        return said.err

    yield run
    assert [path.name for path in tmp_path.iterdir() if path.suffix not in (".yaml", ".nc")] == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("shares learned --method fast", "--method: must be one of"),
        ("shares learned --samples 5", "--samples: must be from 64; got 5"),
        ("shares learned --by cap", "--by: must be driver"),
        ("shares learned --outcome crossed:gtp-4", "outcome 'crossed:gtp-4': there is no threshold 'gtp-4'. Did you mean"),
        ("shares learned --outcome spendin", "outcome 'spendin': there is no variable"),
        ("swings learned --samples 4", "--samples: must be 8 at least"),
        ("swings learned --mode loose", "--mode: must be free or fixed"),
        ("swings learned --outcome crossing:gtp-4", "Did you mean 'gpt-4'?"),
        ("audit learned --samples 5", "--samples: must be from 64"),
        ("audit learned --outcome effective_compute@2020.5", "the years go from 2026 to"),
        ("run learned --store zarr --keep summary", "--store zarr holds samples"),
        ("sweep linear.yaml --over drivers.algorithms.growth.sd=0.1,0.2 --outcome crossing:lat", "the sweep has no threshold 'lat'"),
        ("sweep linear.yaml --over drivers.algorithms.growth.sd=0.1,0.2 --outcome spendin", "Did you mean 'spending'?"),
        ("sweep linear.yaml --over drivers.algorithms.growth.sd=0.1,0.2 --outcome crossed:late@2031", "the years go from 2025 to 2030"),
        ("sweep linear.yaml --over drivers.algorithms.growth.sd=0.1,0.2 --outcome restricted:late", "a sweep keeps no samples"),
        ("sweep learned --over history.record_error=0.1,0.2 --outcome crossing:gtp-4", "Did you mean 'gpt-4'?"),
        ("compare baseline tight-capz", "Did you mean 'tight-caps'?"),
        ("compare views baseline --attribute", "compare: --attribute: the two do not mix the same scenarios"),
        ("compare baseline linear.yaml --seed -1", "seed"),
        ("hindcast --origins 2020,2025", "must be after the end of 2025"),
        ("hindcast baseline --allow-hindsight --origins 2012", "needs at least 3 years of record"),
        ("history fragility --leave-out NoSuchRun", "NoSuchRun"),
    ],
)  # fmt: skip
def test_a_refusal_comes_before_the_work(refused, words: str, text: str) -> None:
    assert text in refused(words)


def test_an_outcome_that_a_run_has_not_is_refused_before_the_first_is_worked_on(refused) -> None:
    save_run(simulate(load_scenario("linear.yaml", overrides=["samples=64"])), "run.nc")
    assert "there is no threshold 'lat'" in refused("influence run.nc --outcome crossing:late --outcome crossing:lat")


def test_a_store_without_its_library_is_refused_before_the_scenario_learns(
    refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name == "zarr" else found(name))
    assert "zarr is not installed, which this command needs" in refused("run learned --store zarr")
