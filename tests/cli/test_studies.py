"""Comparing, influence, reweighting and shares from the command line."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from simulator import load_scenario, save_run, simulate
from simulator.analysis.comparison import compare_runs
from simulator.analysis.shares import open_shares
from simulator.charts.drawing import draw_result
from simulator.cli.main import main
from simulator.cli.options import folder_for
from simulator.cli.studies import compare
from simulator.engine.run_folders import read_alike, run_all
from simulator.errors import InputError
from simulator.testing import run_of, scenario_text, small_scenario
from tests.analysis.linear_scenario import CORRELATIONS, LINEAR

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


# The folder is written once; each test writes its own output elsewhere.
@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    save_run(simulate(load_scenario("baseline", overrides=["samples=2048"])), path / "run.nc")
    return path


def rows_of(path):
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_influence_prints_and_writes_its_tables(run_folder, tmp_path, capsys):
    arguments = ["influence", str(run_folder), "--outcome", "effective_compute@2035", "--outcome", "crossing:1e30-run"]
    main([*arguments, "--no-charts", "--output", str(tmp_path)])
    said = capsys.readouterr().out
    assert "growth of a" in said
    assert "early and never" in said
    rows = rows_of(tmp_path / "influence.csv")
    assert {row["outcome"] for row in rows} == {"effective_compute@2035", "crossing:1e30-run"}
    assert len(rows_of(tmp_path / "influence_deciles.csv")) > 500
    assert {row["outcome"] for row in rows_of(tmp_path / "influence_regions.csv")} == {"crossing:1e30-run"}


def test_what_is_read_off_a_store_is_written_beside_it(tmp_path):
    store = tmp_path / "run.zarr"
    store.mkdir()
    assert [folder_for(path, None) for path in (store, tmp_path, tmp_path / "run.nc")] == [tmp_path] * 3


def test_influence_draws_a_chart_for_each_outcome(run_folder, tmp_path):
    arguments = ["influence", str(run_folder / "run.nc"), "--outcome", "effective_compute@2035"]
    main([*arguments, "--format", "svg", "--output", str(tmp_path)])
    assert (tmp_path / "influence_effective_compute_2035.svg").stat().st_size > 5000


def test_chart_draws_influence_too(run_folder, tmp_path):
    main(["chart", str(run_folder), "--kind", "influence", "--format", "svg", "--output", str(tmp_path)])
    assert (tmp_path / "influence_effective_compute_2045.svg").exists()
    assert (tmp_path / "influence_crossing_1000x-gpt-4_deciles.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--outcome", "crossing:nothing"], 2, "there is no threshold 'nothing'"),
        (["--outcome", "effective_compute@2055"], 2, "the years go from"),
        (["--format", "gif"], 2, "--format"),
    ],
)
def test_influence_refuses_what_is_not_there(run_folder, tmp_path, capsys, arguments, code, said):
    with pytest.raises(SystemExit) as ended:
        main(["influence", str(run_folder), "--output", str(tmp_path), *arguments])
    assert ended.value.code == code
    assert said in capsys.readouterr().err


def test_reweight_prints_before_and_after_and_writes_them(run_folder, tmp_path, capsys):
    change = "drivers.spending.growth[0].rate.median=2.5"
    main(["reweight", str(run_folder), "--set", change, "--output", str(tmp_path)])
    said = capsys.readouterr().out
    assert "samples are worth" in said
    rows = rows_of(tmp_path / "reweighted.csv")
    assert {"before", "before_error", "after", "after_error"} < set(rows[0])
    assert any(row["before"] != row["after"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "needs a prior to change"),
        (["--set", "drivers.spending.growth"], "must be path=value"),
        (["--set", "samples=3"], "is no prior of this run"),
    ],
)
def test_reweight_refuses_without_a_prior_to_change(run_folder, capsys, arguments, said):
    with pytest.raises(SystemExit) as ended:
        main(["reweight", str(run_folder), *arguments])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_condition_and_signposts_refuse_what_cannot_be_read(run_folder, capsys):
    for words, said in (
        (["condition"], "--given: must be one text or more"),
        (["condition", "--given", "spending@2027"], "does not say what is given"),
        (["signposts", "--outcome", "crossing:nothing"], "there is no threshold 'nothing'"),
        (["signposts", "--outcome", "crossing:1e30-run", "--until", "soon"], "--until: must be a year or a date"),
    ):
        with pytest.raises(SystemExit) as ended:
            main([words[0], str(run_folder), *words[1:]])
        assert ended.value.code == 2
        assert said in capsys.readouterr().err


def test_compare_attributes_and_names_its_folder_last(tmp_path, capsys):
    arguments = ["compare", "baseline", "feedback", "--attribute", "--samples", "512", "--no-charts"]
    main([*arguments, "--output", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("what the differences are due to (all subsets, 512") for line in lines)
    made = next(tmp_path.iterdir())
    assert lines[-1].strip() == str(made)
    rows = rows_of(made / "attribution.csv")
    assert {row["input"] for row in rows} == {"", "drivers.hardware.feedback", "drivers.algorithms.feedback"}


def test_compare_attributes_two_items_only(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["compare", "baseline", "feedback", "no-caps", "--attribute"])
    assert ended.value.code == 2
    assert "takes two runs or scenarios" in capsys.readouterr().err


def test_compare_refuses_to_attribute_other_mixtures_before_anything_is_written(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["compare", "views", "baseline", "--attribute", "--samples", "256", "--output", str(tmp_path)])
    assert "compare: --attribute: the two do not mix the same scenarios" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "linear.yaml"
    path.write_text(LINEAR)
    return str(path)


def shares(capsys, *arguments, tmp_path):
    main(["shares", *arguments, "--samples", "128", "--output", str(tmp_path / "out")])
    return capsys.readouterr().out


def test_shares_are_printed_and_written_with_a_chart(scenario, tmp_path, capsys):
    out = shares(capsys, scenario, "--format", "png", tmp_path=tmp_path)
    (folder,) = (tmp_path / "out").iterdir()
    assert out.splitlines()[-1].strip() == str(folder)
    assert "Sobol indices: the inputs are independent" in out
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "shares.nc", "shares.csv", "scenario.yaml",
        "shares_effective_compute.png", "shares_effective_compute.csv", "shares_effective_compute.txt",
    }  # fmt: skip
    assert open_shares(folder).dataset["year"].values.tolist() == [2025, 2026, 2027, 2028, 2029, 2030]


def test_outcomes_groups_and_overrides_are_heeded(scenario, tmp_path, capsys):
    out = shares(
        capsys, scenario, "--outcome", "crossed:late", "--outcome", "restricted:late", "--outcome", "spending@2030",
        "--group", "rates=drivers.*.growth", "--set", "drivers.hardware.growth.sd=0.1", "--no-charts", "--seed", "3",
        tmp_path=tmp_path,
    )  # fmt: skip
    (folder,) = (tmp_path / "out").iterdir()
    found = open_shares(folder).dataset
    assert found["input"].values.tolist() == ["drivers.spending.start", "rates"]
    assert found["outcome"].values.tolist()[-2:] == ["restricted:late", "spending@2030"]
    assert (found.attrs["seed"], found.attrs["samples"]) == (3, 128)
    assert "sd: 0.05 -> 0.1" in found.attrs["overrides"]
    assert "whether late is crossed by the year" in out
    assert not list(folder.glob("*.png"))


def test_by_driver_is_heeded(scenario, tmp_path, capsys):
    shares(capsys, scenario, "--by", "driver", "--no-charts", tmp_path=tmp_path)
    (folder,) = (tmp_path / "out").iterdir()
    assert open_shares(folder).dataset["input"].values.tolist() == [
        "drivers.spending",
        "drivers.hardware",
        "drivers.algorithms",
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--method", "sobol"], "--method sobol: "),
        (
            ["--outcome", "effective-computes"],
            "outcome 'effective-computes': there is no variable 'effective_computes'",
        ),
        (["--outcome", "effective-computes"], "Did you mean 'effective_compute'?"),
        (["--outcome", "crossed:1000x"], "outcome 'crossed:1000x': there is no threshold '1000x'"),
        (["--outcome", "crossed:1000x@2027"], "outcome 'crossed:1000x@2027': there is no threshold '1000x'"),
        (["--outcome", "crossed:"], "outcome 'crossed:': names nothing. Write for example"),
        (["--outcome", "binding-spending"], "outcome 'binding-spending': holds the numbers of limits"),
        (["--group", "a=drivers.sendin.*"], "Did you mean 'drivers.spending'?"),
        (["--group", "a"], "must be NAME=PATTERN"),
        (["--by", "cap"], "--by: must be driver"),
        (["--samples", "many"], "--samples: must be a whole number"),
        (["--samples", "5"], "--samples: must be from 64"),
        (["--format", "gif"], "--format: must be of"),
        (
            ["--set", "correlations=[]", "--set", "drivers.algorithms={custom: {parameters: {speed: 1}}}"],
            "is a custom driver; run it from Python",
        ),
    ],
)
def test_bad_input_is_refused_with_2(scenario, tmp_path, capsys, arguments, text):
    (tmp_path / "linear.yaml").write_text(LINEAR + CORRELATIONS)
    with pytest.raises(SystemExit) as ending:
        main(["shares", scenario, "--output", str(tmp_path / "out"), *arguments])
    assert ending.value.code == 2
    said = capsys.readouterr().err
    assert text in said
    assert not (tmp_path / "out").exists()
