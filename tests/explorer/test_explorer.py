"""The one door: what is asked is checked, what is answered is what the command line gives, and depends on nothing else."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from simulator.cli.main import main
from simulator.engine.simulation import run_arrays
from simulator.errors import InputError, ScenarioError
from simulator.explorer.explorer import MOST_OPEN, MOST_SAMPLES, Explorer
from simulator.scenario.library import shipped_names
from simulator.scenario.load import load_scenario

CHANGES: dict[str, Any] = {
    "drivers.spending.growth[0].rate": {"median": 2.6, "width": 1.1},
    "drivers.spending.caps.cash-flow": {"on": False},
    "drivers.algorithms.growth.mixture[1].weight": {"weight": 0.4},
}


@pytest.fixture(scope="module")
def explorer(tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    return Explorer("baseline", outputs=tmp_path_factory.mktemp("outputs"))


def told(explorer: Explorer, asked: Any) -> list[dict[str, str]]:
    answer = explorer.answer(asked)
    assert set(answer) <= {"faults", "serial"}
    return [dict(fault) for fault in answer["faults"]]


def test_a_state_has_all_that_a_page_opens_with(explorer: Explorer) -> None:
    state = explorer.answer({"kind": "state"})["state"]
    assert json.loads(json.dumps(state, allow_nan=False))["name"] == "baseline"
    assert state["samples"] == (2048, 10_000)
    assert state["picture"]["samples"] == 10_000
    assert state["picture"]["command"] == "simulate baseline"
    assert [each["name"] for each in state["variables"]] == [fan["variable"] for fan in state["picture"]["fans"]]
    grouped = [path for group in state["groups"] for path in group["controls"]]
    assert sorted(grouped) == sorted(control["path"] for control in state["controls"])
    assert state["controls"][0]["share"] >= 0.2
    assert "Grok 4" in [seen["label"] for seen in state["history"]["physical_compute"]]
    assert {*state["history"]} == {"physical_compute", "spending"}
    assert [name for name, _ in state["presets"]] == list(shipped_names("scenarios"))
    assert dict(state["presets"])["no-caps"] == "Growth without limits"


@pytest.mark.parametrize("name", ["baseline", "views"])
def test_a_changed_picture_is_that_of_the_file_it_saves_and_of_its_command(name: str, tmp_path: Path) -> None:
    explorer = Explorer(name, outputs=tmp_path)
    changes = {path: change for path, change in CHANGES.items() if name == "baseline"}
    if name == "views":
        path = next(each["path"] for each in explorer.answer({"kind": "state"})["state"]["controls"] if "share" in each)
        changes = {path: {"width": 0.9}}
    asked = {"changes": changes, "samples": 600}
    shown = explorer.answer({"kind": "picture", **asked})["picture"]
    saved = explorer.answer({"kind": "save", "changes": changes})
    (tmp_path / saved["file"]).write_text(saved["text"], encoding="utf-8")
    told = [part for each in saved["settings"] for part in ("--set", each)]
    assert shown["command"].startswith(f"simulate {name} --set ")
    ways = ([str(tmp_path / saved["file"])], [name, *told])
    for number, way in enumerate(ways):
        output = tmp_path / str(number)
        main([*way, "--samples", "600", "--no-charts", "--output", str(output)])
        [folder] = [each for each in output.iterdir() if each.is_dir() and not each.is_symlink()]
        with (folder / "quantiles.csv").open(encoding="utf-8") as file:
            medians = [float(row["value"]) for row in csv.DictReader(file)
                       if (row["variable"], row["quantile"]) == ("effective_compute", "0.5")]  # fmt: skip
        assert medians == pytest.approx(shown["fans"][0]["quantiles"][2], rel=1e-6)
    assert folder.name == f"{name}-{shown['run']}"  # of the command
    untouched = explorer.answer({"kind": "picture", "samples": 600})["picture"]
    assert untouched["fans"][0]["quantiles"][2][-1] != shown["fans"][0]["quantiles"][2][-1]


def test_a_picture_says_how_what_was_changed_is_understood(explorer: Explorer) -> None:
    answer = explorer.answer({"kind": "picture", "changes": CHANGES, "samples": 64, "serial": 3})
    assert answer["serial"] == 3
    found = {control["path"]: control for control in answer["controls"]}
    assert {*found} == {*CHANGES} - {"drivers.spending.caps.cash-flow"}  # which is gone
    assert found["drivers.spending.growth[0].rate"]["median"] == pytest.approx(2.6)
    assert "controls" not in explorer.answer({"kind": "save"})


def test_no_answer_depends_on_an_earlier_one(explorer: Explorer) -> None:
    asked: list[dict[str, Any]] = [
        {"kind": "picture", "changes": CHANGES, "samples": 64},
        {"kind": "picture", "samples": 64},
        {"kind": "picture", "scenario": "no-caps", "samples": 64},
        {"kind": "picture", "text": "extends: tight-caps\nname: mine", "samples": 64},
        {"kind": "save", "changes": CHANGES},
    ]
    first = [explorer.answer(each) for each in asked]
    for name in ("essay-2023", "capability", "doubling-times", "three-eras", *(f"published/{each}" for each in
                 ("pilz-2025", "cottier-2024", "rethink-2024", "ai-2027", "four-times-a-year"))):  # fmt: skip
        assert "faults" not in explorer.answer({"kind": "picture", "scenario": name, "samples": 1})
    assert len(explorer._others) == MOST_OPEN  # memory does not grow with what is asked
    assert [explorer.answer(each) for each in reversed(asked)] == first[::-1]
    assert explorer.answer(asked[1]) == Explorer("baseline").answer(asked[1])


NUMBER = "must be a finite number"


@pytest.mark.parametrize(
    ("asked", "path", "text"),
    [
        (3, "", "must be keys with values; got 3"),
        ({}, "", "kind: is missing"),
        ({"kind": "pictures"}, "", "kind: must be one of 'state', 'picture'"),
        ({"kind": "picture", "samples": 0}, "", "samples: must be at least 1; got 0."),
        ({"kind": "picture", "samples": 1.5}, "", "samples: must be a whole number; got 1.5."),
        ({"kind": "picture", "samples": True}, "", "samples: must be a whole number; got true."),
        ({"kind": "picture", "samples": MOST_SAMPLES + 1}, "", "samples: must be at most 10,000 here; got 10,001."),
        ({"kind": "picture", "path": "/etc/passwd"}, "", "path: no such key."),
        ({"kind": "picture", "serial": -1}, "", "serial: must be at least 0; got -1."),
        ({"kind": "picture", "changes": []}, "", "changes: must be keys with values; got []."),
        ({"kind": "picture", "changes": {"a": {"median": float("nan")}}}, "a", f"median: {NUMBER}; got nan."),
        ({"kind": "picture", "changes": {"a": {"value": float("inf")}}}, "a", f"value: {NUMBER}; got inf."),
        ({"kind": "picture", "changes": {"a": {"value": "1e9"}}}, "a", "value: must be a number; got '1e9'."),
        ({"kind": "picture", "changes": {"a": {"width": 0.0}}}, "a", "width: must be above 0; got 0."),
        ({"kind": "picture", "changes": {"a": {"on": 1}}}, "a", "on: "),
        ({"kind": "picture", "changes": {"a": {"code": "x"}}}, "a", "code: no such key."),
        ({"kind": "picture", "changes": {"a" * 301: {}}}, "a" * 301, ""),
        ({"kind": "picture", "changes": {str(n): {} for n in range(1001)}}, "", "changes: must hold at most 1000 items"),
        ({"kind": "picture", "text": "a" * 200_001}, "", "text: "),
        ({"kind": "picture", "changes": {"nowhere": {"median": 1.0}}}, "nowhere", "there is no such control."),
        ({"kind": "picture", "scenario": "../baseline"}, "", "../baseline: no such file, and no scenario is shipped"),
        ({"kind": "picture", "scenario": "scenarios/baseline.yaml"}, "", "no scenario is shipped under that name"),
        ({"kind": "moved", "since": "/etc/passwd"}, "", "no scenario is shipped under that name"),
    ],
)  # fmt: skip
def test_what_is_asked_amiss_is_told(explorer: Explorer, asked: Any, path: str, text: str) -> None:
    faults = told(explorer, asked)
    assert [fault["path"] for fault in faults] == [path]
    assert text in faults[0]["text"]


def test_a_rule_of_the_reader_is_told_at_its_control_in_its_words(explorer: Explorer) -> None:
    path = "drivers.algorithms.growth.mixture[0]"
    [fault] = told(explorer, {"kind": "picture", "serial": 4, "changes": {path: {"width": 1.2}}})
    assert fault["path"] == path
    assert fault["text"].startswith("no lognormal that is cut to [1.2, null] has 5 % at ")


@pytest.mark.parametrize(
    "text",
    [
        "extends: ./team.yaml",
        "extends: /etc/passwd",
        "extends: scenarios/baseline.yaml",
        "mixture: [{weight: 1, scenario: ./team.yaml}, {weight: 1, scenario: baseline}]",
        "extends: baseline\ndrivers: {spending: {start: {empirical: {file: secret.csv, column: a}}}}",
        "extends: baseline\ndrivers: {spending: {start: {prior: ./team/fast}}}",
        "extends: learned\nhistory: {runs: secret.csv}",
        "extends: learned\nhistory: {accelerators: ../secret.csv}",
        "extends: learned\nhistory: {quantities: {world-product: [{table: secret.csv}]}}",
        "extends: change-point\nhistory: {change_point: {series: secret.csv}}",
    ],
)
def test_a_text_from_a_page_names_no_file(
    explorer: Explorer, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even one that is there; what is not there is told in the same words."""
    monkeypatch.chdir(tmp_path)
    for name in ("team.yaml", "secret.csv"):
        (tmp_path / name).write_text("a,b\n1,2\n", encoding="utf-8")
    [fault] = told(explorer, {"kind": "picture", "text": text})
    assert "and what comes from a page may not" in fault["text"]


@pytest.mark.parametrize(
    "setting",
    [
        "extends=./team.yaml",
        "extends=[./team.yaml]",
        "drivers.spending.start.empirical.file=secret.csv",
        "drivers.spending.start={empirical: {file: secret.csv, column: a}}",
        "drivers.spending.start.prior=./team/fast",
        "history.runs=secret.csv",
        "history.quantities.world-product[0].table=secret.csv",
    ],
)
def test_a_setting_from_a_page_names_no_file(
    explorer: Explorer, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "team.yaml").write_text("extends: baseline\n", encoding="utf-8")
    (tmp_path / "secret.csv").write_text("a\n1e9\n2e9\n", encoding="utf-8")
    for name in ("", "baseline", "no-caps"):
        [fault] = told(explorer, {"kind": "picture", "scenario": name, "set": [setting]})
        assert "and what comes from a page may not" in fault["text"]


def test_settings_are_those_of_the_command_line(explorer: Explorer, tmp_path: Path) -> None:
    asked = {"kind": "state", "scenario": "tight-caps", "set": ["samples=200", "drivers.spending.start.median=$1e9"]}
    state = explorer.answer(asked)["state"]
    run = run_arrays(load_scenario("tight-caps", overrides=asked["set"]))
    assert state["picture"]["run"] == run.attrs["run_id"]
    assert (state["extends"], state["set"]) == ("tight-caps", asked["set"])
    words = shlex.split(state["picture"]["command"])
    assert words == ["simulate", "tight-caps", *(word for each in asked["set"] for word in ("--set", each))]
    [fault] = told(explorer, asked | {"set": ["drivers.hardwear.start=3"]})
    assert fault["text"].startswith("--set drivers.hardwear.start=3: ")
    [fault] = told(explorer, asked | {"set": ["samples"]})
    assert fault["text"].startswith("--set samples: must be path=value")


def test_the_scenario_that_is_explored_has_the_name_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("extends: essay-2023\nname: mine\nsamples: 64\nyears: {last: 2030}\n", encoding="utf-8")
    explorer = Explorer(file, overrides=["years.last=2032"])
    state = explorer.answer({"kind": "state"})["state"]
    assert (state["extends"], state["set"]) == ("mine.yaml", ["years.last=2032"])  # and no folder of this disk
    for name, told, last in (("", [], 2032), ("mine.yaml", [], 2030), ("", ["samples=8"], 2032),
                             ("mine.yaml", ["years.last=2031"], 2031)):  # fmt: skip
        shown = explorer.answer({"kind": "picture", "scenario": name, "set": told})["picture"]
        assert (shown["years"][-1], shown["samples"]) == (last, 8 if told == ["samples=8"] else 64)


def test_a_text_may_extend_what_is_explored_and_what_is_shipped(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("extends: essay-2023\nname: mine\nyears: {last: 2030}\n", encoding="utf-8")
    explorer = Explorer(file)
    assert explorer.answer({"kind": "picture"})["picture"]["years"][-1] == 2030
    text = f"extends: {file}\nname: other\nyears: {{last: 2028}}"
    [fault] = told(explorer, {"kind": "picture", "text": text})  # no absolute path may be named, as in any file
    assert "absolute" in fault["text"]
    text = "extends: essay-2023\nname: other\nyears: {last: 2028}"
    shown = explorer.answer({"kind": "picture", "text": text})["picture"]
    assert (shown["years"][-1], shown["command"]) == (2028, "")
    [fault] = told(explorer, {"kind": "picture", "text": "extends: baseline\nsamples: [1"})
    assert fault["text"].startswith("<text>:2:12: the '[' of line 2 is not closed")


def test_a_text_runs_no_more_samples_than_what_is_explored(explorer: Explorer) -> None:
    text = "extends: essay-2023\nsamples: 1_000_000"
    opened = explorer.answer({"kind": "state", "text": text})["state"]
    for found in (opened["picture"], explorer.answer({"kind": "picture", "text": text})["picture"]):
        assert found["samples"] == MOST_SAMPLES == opened["samples"][1]
        assert found["warnings"][0].startswith("The scenario has 1,000,000 samples; here are at most 10,000.")
    [fault] = told(explorer, {"kind": "run", "text": text})
    assert fault["text"].startswith("samples: must be at most 10,000 here; got 1,000,000.")


def test_settings_of_the_command_line_are_explored_too() -> None:
    overrides = ["years.last=2030", "samples=16"]
    explorer = Explorer("essay-2023", overrides=overrides)
    shown = explorer.answer({"kind": "state"})["state"]["picture"]
    assert (shown["years"][-1], shown["samples"]) == (2030, 16)
    assert shown["command"] == "simulate essay-2023 --set years.last=2030 --set samples=16"
    saved = explorer.answer({"kind": "save", "changes": {"drivers.spending.start": {"value": 9e8}}})
    assert load_scenario(saved["text"]).spec.years.last == 2030


def test_scenarios_as_data_text_and_read_have_no_command() -> None:
    data = {"extends": "essay-2023", "name": "mine", "samples": 4}
    for given in (data, "extends: essay-2023\nname: mine\nsamples: 4", load_scenario(data)):
        shown = Explorer(given).answer({"kind": "picture"})["picture"]
        assert (shown["samples"], shown["command"]) == (4, "")
    with pytest.raises(InputError, match="overrides: change what is read"):
        Explorer(load_scenario(data), overrides=["samples=5"])
    with pytest.raises(ScenarioError):
        Explorer("schema: 2")


def test_what_moved_is_given_up_for_a_later_request(explorer: Explorer) -> None:
    asked = {"kind": "moved", "changes": CHANGES, "samples": 500, "serial": 9}
    assert explorer.answer(asked, lambda: True) == {"overtaken": True, "serial": 9}
    found = explorer.answer(asked)
    assert {name for name, _, _ in found["moved"][0]["inputs"]} == {
        "growth of spending until it slows", "company cash flow", "growth of algorithmic efficiency"
    }  # fmt: skip
    assert explorer.answer({"kind": "moved"})["moved"] == []
    walked = explorer.answer({"kind": "moved", "since": "no-caps", "samples": 500})["moved"]
    assert "electric power" in {name for name, _, _ in walked[0]["inputs"]}


def test_a_run_folder_is_that_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    changes = {"drivers.spending.start": {"value": 9e8}}
    explorer = Explorer("essay-2023", outputs="explored")
    folder = Path(explorer.answer({"kind": "run", "changes": changes})["folder"])
    assert folder.name == f"essay-2023-{explorer.answer({'kind': 'picture', 'changes': changes})['picture']['run']}"
    [setting] = explorer.answer({"kind": "save", "changes": changes})["settings"]
    main(["essay-2023", "--set", setting, "--output", "told"])
    names = sorted(path.name for path in folder.iterdir())
    other = tmp_path / "told" / folder.name
    assert "fan_effective_compute.png" in names
    assert names == sorted(path.name for path in other.iterdir())
    for name in ("quantiles.csv", "crossing_years.csv", "fan_effective_compute.svg"):
        assert (folder / name).read_bytes() == (other / name).read_bytes()
