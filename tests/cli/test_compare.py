"""Comparing from the command line."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from simulator import save_run
from simulator.analysis.comparison import compare_runs
from simulator.charts.drawing import draw_result
from simulator.cli.compare import compare
from simulator.engine.run_folders import read_alike, run_all
from simulator.errors import InputError
from simulator.testing import run_of, scenario_text, small_scenario

SLOW = {"name": "slow", "thresholds": {"near": {"effective_compute": 1e28}}, "samples": 4096, "block": 1024}
QUICK = {**SLOW, "name": "quick", "drivers.compute.growth.mean": 0.8, "seed": 5, "samples": 2048}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for changes in (SLOW, QUICK):
        text = scenario_text(small_scenario(changes))
        (tmp_path / f"{changes['name']}.yaml").write_text(text)
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def open_or_run(items: list[str], **options: Any) -> list[xr.DataTree]:
    return run_all(read_alike(items, **options), Path("outputs"))


def test_scenarios_run_on_the_draws_of_the_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compare(["slow.yaml", "quick.yaml"], charts=False, output=folder)
    said = capsys.readouterr()
    assert "quick against slow (on common draws):" in said.out
    assert "drivers.compute.growth: mean 0.5 sd 0.1 OOM/year -> mean 0.8 sd 0.1 OOM/year" in said.out
    assert said.err == ""
    (made,) = folder.glob("compare-slow-quick-*")
    assert said.out.splitlines()[-1] == f"  {made}"
    assert {row["path"] for row in rows(made / "inputs.csv")} == {"drivers.compute.growth", "name"}
    assert {row["draws"] for row in rows(made / "results.csv")} == {"", "common"}


def test_samples_and_seed_hold_for_every_scenario(folder: Path) -> None:
    runs = open_or_run(["slow.yaml", "quick.yaml"], samples=3000, seed=9)
    assert {(int(run.attrs["samples"]), int(run.attrs["seed"])) for run in runs} == {(3000, 9)}


def test_runs_and_scenarios_may_be_mixed(folder: Path) -> None:
    (folder / "one").mkdir()
    save_run(run_of(small_scenario(QUICK)), folder / "one" / "run.nc")
    for item in ("one", "one/run.nc", str(folder / "one")):
        runs = open_or_run([item, "slow.yaml"])
        assert {int(run.attrs["seed"]) for run in runs} == {5}
        assert [str(run.attrs["name"]) for run in runs] == ["quick", "slow"]


def test_a_shipped_scenario_with_a_slash_in_its_name_is_a_scenario(folder: Path) -> None:
    first, second = open_or_run(["published/cottier-2024", "published/four-times-a-year"])
    assert (first.attrs["name"], second.attrs["name"]) == ("cottier-2024", "four-times-a-year")
    with pytest.raises(InputError, match="published/cottier: no such run file"):
        open_or_run(["published/cottier", "slow.yaml"])


def test_a_run_of_the_summary_has_no_draws_to_share(folder: Path) -> None:
    save_run(run_of(small_scenario(QUICK), keep="summary"), folder / "summary.nc")
    runs = open_or_run(["summary.nc", "slow.yaml"])
    assert [int(run.attrs["seed"]) for run in runs] == [5, 0]
    assert any(line.startswith("not on the draws of quick: slow") for line in compare_runs(runs).warnings)


def test_charts_come_with_their_tables_and_words(folder: Path) -> None:
    runs = [run_of(small_scenario({**changes, "samples": 256})) for changes in (SLOW, QUICK)]
    found = compare_runs(runs, labels=["First run", "2nd: ünïcode/.."])
    made = found.save(folder)
    draw_result(found, made, formats=["png", "svg"])
    assert made.parent == folder
    assert made.name.startswith("compare-first-run-2nd-n-code-")
    assert {path.name for path in made.iterdir()} == {"inputs.csv", "results.csv", "comparison.txt"} | {
        f"comparison_{name}.{suffix}"
        for name in ("effective_compute", "crossings")
        for suffix in ("png", "svg", "csv", "txt")
    }


def test_the_folder_is_named_by_the_runs(folder: Path) -> None:
    a, b = (run_of(small_scenario({**changes, "samples": 256})) for changes in (SLOW, QUICK))
    names = [compare_runs(runs).save(folder) for runs in ([a, b], [a, b], [b, a], [a, a])]
    assert names[0] == names[1]
    assert len(set(names)) == 3


@pytest.mark.parametrize(
    ("items", "words"),
    [
        (["slow.yaml"], "needs two runs or scenarios at least; got 'slow.yaml' alone"),
        (["slow.yaml"] * 13, "at most 12 runs or scenarios; got 13"),
        (["slow.yaml", "baselin"], "Did you mean 'baseline'"),
        (["slow.yaml", "nowhere/run-1"], "nowhere/run-1: no such run file"),
        (["slow.yaml", "none.yaml"], "none.yaml"),
    ],
)
def test_what_cannot_be_compared_is_said(folder: Path, items: list[str], words: str) -> None:
    with pytest.raises(InputError) as caught:
        compare(items, charts=False, output=folder)
    assert words in str(caught.value)
    assert not list(folder.glob("compare-*"))


def test_a_number_of_samples_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="--samples: must be a whole number"):
        compare(["slow.yaml", "quick.yaml"], samples="many", output=folder)


def test_runs_are_only_read(folder: Path) -> None:
    run = run_of(small_scenario({**SLOW, "samples": 256}))
    before: xr.DataTree = run.copy(deep=True)
    compare_runs([run, run]).save(folder)
    assert run.identical(before)


def test_charts_come_in_the_formats_and_the_theme_that_are_asked_for(folder: Path) -> None:
    compare(["slow.yaml", "quick.yaml"], format_="pdf,html", theme="dark", output=folder)
    (made,) = folder.glob("compare-*")
    stems = {path.stem for path in made.glob("*.html")}
    assert stems == {path.stem for path in made.glob("*.pdf")}
    assert "comparison_effective_compute" in stems
    assert not list(made.glob("*.png"))


def test_a_format_that_is_none_is_refused_before_anything_is_run(folder: Path) -> None:
    with pytest.raises(InputError, match="--format"):
        compare(["slow.yaml", "quick.yaml"], format_="gif", output=folder)
    assert not list(folder.glob("compare-*"))
