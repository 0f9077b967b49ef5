"""What once ended in a traceback, each by its command: it is done, or refused in words."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from simulator import load_scenario, simulate
from simulator.errors import InputError
from simulator.runs.folder import write_run
from simulator.runs.frozen import freeze_forecast
from tests.hostile.attacks import LINEAR
from tests.hostile.children import Ended, command
from tests.hostile.disk import tree
from tests.places import ROOT


def asked(folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> Ended:
    monkeypatch.chdir(folder)
    found = command(*words)
    assert found.trouble == [], found.said
    return found


@pytest.mark.parametrize(
    "words", ["audit published/gpt-3-carried-forward", "swings published/direct-approach-2023 --no-charts"]
)
def test_a_scenario_without_thresholds_and_one_with_limits_in_oom_are_studied(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(tmp_path, monkeypatch, *words.split(), "--samples", "64").code in (0, 1)  # 1: an audit finds something


@pytest.mark.parametrize("words", ["validate", "run", "score"])
@pytest.mark.parametrize("start", [b"\xef\xbb\xbf\xff", b"%YAML 9.9\n---\n"], ids=["mark", "edition"])
def test_a_mark_before_a_broken_byte_and_another_edition_of_yaml_are_refused(
    words: str, start: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.yaml").write_bytes(start + LINEAR.encode())
    found = asked(tmp_path, monkeypatch, words, "own.yaml")
    assert found.code == 2
    assert found.said.startswith("own.yaml")


def test_a_mark_of_the_latest_folder_that_is_no_text_names_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs/latest").write_bytes(b"\xff\x00")
    assert asked(tmp_path, monkeypatch, "show", "latest").code == 2


@pytest.mark.parametrize("name", ["pipe", "run.nc", "own/run.zarr/zarr.json", "own/audit.txt"])
@pytest.mark.parametrize("words", ["show", "score", "chart", "check --fast", "validate"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(
    words: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(file)
    (file.parent / "audit.csv").write_text("", encoding="utf-8")
    assert asked(tmp_path, monkeypatch, *words.split(), name.partition("/")[0]).code == 2


@pytest.mark.parametrize("words", ["history load", "history frontier"])
def test_the_last_date_of_a_calendar_may_stand_in_a_table(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *lines, last = (ROOT / "history/training-runs.csv").read_text(encoding="utf-8").splitlines()
    text = "\n".join([*lines, last.replace(last.split(",")[3], "9999-12-31")])
    (tmp_path / "late.csv").write_text(text, encoding="utf-8")
    assert asked(tmp_path, monkeypatch, *words.split(), "late.csv", "--snapshot", "2026-05").code in (0, 2)


def test_the_last_date_of_a_calendar_may_stand_in_a_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "forecasts/ledger.csv").read_text(encoding="utf-8")
    (tmp_path / "book.csv").write_text(text.replace("\n2026-", "\n9999-"), encoding="utf-8")
    assert asked(tmp_path, monkeypatch, "score", "--ledger", "book.csv").code in (0, 2)


def test_a_mixture_with_a_part_that_gets_no_sample_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "linear.yaml").write_text(LINEAR, encoding="utf-8")
    (tmp_path / "other.yaml").write_text(LINEAR.replace("mean: 0.4", "mean: 0.5"), encoding="utf-8")
    parts = "[{weight: 0.999, scenario: ./linear.yaml}, {weight: 0.001, scenario: ./other.yaml}]"
    (tmp_path / "parts.yaml").write_text(f"schema: 2\nname: parts\nmixture: {parts}\n", encoding="utf-8")
    for words in (
        "run parts.yaml --samples 2 --charts none",
        "report latest",
        "show latest",
        "chart latest --format vega",
    ):
        assert asked(tmp_path, monkeypatch, *words.split()).code == 0, words


def test_a_metric_that_is_to_reach_what_it_never_does_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = (
        "run",
        "capability",
        "--samples",
        "64",
        "--charts",
        "none",
        "--set",
        "thresholds.five-times.capability=1.3e18",
    )
    assert asked(tmp_path, monkeypatch, *run).code == 0
    assert asked(tmp_path, monkeypatch, "check", "latest", "--fast").code == 0


def test_a_level_that_no_file_holds_is_refused_where_it_falls_and_is_infinite_where_it_rises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ("--samples", "64", "--charts", "none")
    for number, mean in enumerate((0.3, -0.3)):
        growth = f"growth: {{family: normal, mean: {mean}, sd: 0.01, unit: OOM/year}}"
        points = "[{at: 1e20, multiplier: 1e12}, {at: 1e40, multiplier: 1e12}]"
        old = "algorithms: {growth: {family: normal, mean: 0.3, sd: 0.2, unit: OOM/year}}"
        text = LINEAR.replace(old, f"algorithms: {{{growth}, feedback: {points}}}")
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    assert asked(tmp_path, monkeypatch, "run", "0.yaml", *few).code == 0
    assert asked(tmp_path, monkeypatch, "check", "latest", "--fast").code == 0
    found = asked(tmp_path, monkeypatch, "run", "1.yaml", *few)
    assert found.code == 2
    assert "algorithms: falls below 10^-1,000,000,000 in some samples" in found.said


@pytest.mark.parametrize("largest", [0, 500], ids=["nothing", "half a kilobyte"])
def test_a_store_that_is_extended_onto_a_full_disk_is_told_in_a_line_and_goes_on_when_there_is_room(
    largest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "linear.yaml").write_text(LINEAR, encoding="utf-8")
    run = ("run", "linear.yaml", "--samples", "64", "--charts", "none", "--store", "zarr", "--output")
    extend = ("extend", "one/latest", "--samples", "192", "--charts", "none", "--output")
    assert asked(tmp_path, monkeypatch, *run, "one").code == 0
    before = tree(tmp_path / "one")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, limit[1]))
    try:
        found = asked(tmp_path, monkeypatch, *extend, "two")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert found.code == 1
    assert "cannot be written: File too large. Name another folder with --output, or free space." in found.said
    assert tree(tmp_path / "one") == before
    for outputs in ("two", "three"):
        assert asked(tmp_path, monkeypatch, *extend, outputs).code == 0
    assert tree(tmp_path / "two") == tree(tmp_path / "three")


def test_a_run_whose_tables_would_not_be_read_again_is_refused_before_it_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "table.csv").write_text("usd\n" + "".join(f"{1e8 + each}\n" for each in range(1000)), encoding="utf-8")
    start = "start: {empirical: {file: table.csv, column: usd}, unit: USD}"
    own = LINEAR.replace("start: {family: lognormal, median: 1e8, interval_90: [5e7, 2e8], unit: USD}", start)
    (tmp_path / "own.yaml").write_text(own, encoding="utf-8")
    words = ("run", "own.yaml", "--samples", "64", "--charts", "none")
    assert asked(tmp_path, monkeypatch, *words).code == 0
    size = (tmp_path / "outputs/latest/scenario.yaml").stat().st_size
    run = simulate(load_scenario(tmp_path / "own.yaml", overrides=["samples=64"]))
    limits = [f"simulator.{module}.LARGEST_TEXT" for module in ("engine.run_folders", "scenario.canonical")]
    for limit in limits:
        monkeypatch.setattr(limit, size)
    assert asked(tmp_path, monkeypatch, *words).code == 0
    assert run.save(tmp_path / "saved").is_dir()
    for limit in limits:
        monkeypatch.setattr(limit, size - 1)
    for write in (run.save, partial(write_run, run), partial(freeze_forecast, run)):
        with pytest.raises(InputError, match=r"linear: .* in its scenario\.yaml, which would have"):
            write(tmp_path / "other")
    found = asked(tmp_path, monkeypatch, *words, "--output", "other")
    assert found.code == 2
    assert "linear: a run keeps the numbers of its tables in its scenario.yaml, which would have" in found.said
    assert not (tmp_path / "other").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_what_cannot_be_printed_is_told_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(tmp_path, monkeypatch, "run", "essay-2023", "--samples", "64", "--charts", "none")
    words = [sys.executable, "-m", "simulator", "show", str(tmp_path / "outputs/latest")]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(words, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "space" in done.stderr
