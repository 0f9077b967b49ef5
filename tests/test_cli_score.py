"""`simulate score` from the command line: what it writes and refuses."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from simulator import load_scenario, simulate
from simulator.cli import main
from simulator.outputs import write_run
from tests.test_run_scores import CHANGES, TABLE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(simulate(load_scenario("baseline", overrides=CHANGES)), tmp_path_factory.mktemp("outputs"))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "runs.csv"
    file.write_text(TABLE)
    return file


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ending:
        main(["score", *arguments])
    assert ending.value.code == 2
    return capsys.readouterr().err


def test_scores_are_written_beside_the_run_and_to_the_ledger_once(
    folder: Path, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger.csv"
    asked = [
        "score",
        str(folder / "run.nc"),
        "--observed",
        str(table),
        "--snapshot",
        "2028-02",
        "--ledger",
        str(ledger),
    ]
    main(asked)
    first = capsys.readouterr().out
    main(asked)
    second = capsys.readouterr().out
    with (folder / "scores.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    with ledger.open() as stream:
        assert list(csv.DictReader(stream)) == rows
    assert f"{len(rows)} rows added" in first
    assert f"0 rows added; {len(rows)} were there already" in second
    main(["score", "--ledger", str(ledger)])
    assert "baseline: physical compute" in capsys.readouterr().out


def test_bad_input_is_refused_before_anything_is_written(
    folder: Path, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, ledger = str(folder), tmp_path / "ledger.csv"
    ledger.write_text("a,b\n")
    observed = ["--observed", str(table), "--snapshot", "2028-02", "--output", str(tmp_path / "out")]
    assert "is no ledger" in refused(capsys, run, *observed, "--ledger", str(ledger))
    assert not (tmp_path / "out").exists()
    assert "--observed needs --snapshot" in refused(capsys, run, "--observed", str(table))
    assert "--snapshot: the shipped table has" in refused(capsys, run, "--snapshot", "2024-01")
    assert "names no run to score" in refused(capsys, *observed)
    assert "no end of a year to score" in refused(capsys, run, *observed, "--after", "2027-12-31")
    assert "--after: must be a year, a month or a day" in refused(capsys, run, *observed, "--after", "soon")
    hardware = tmp_path / "chips.csv"
    hardware.write_text("Hardware name,Release date,FP16 performance (FLOP/s)\nx,2020-01-02,1e14\n")
    assert "table of accelerators" in refused(capsys, run, "--observed", str(hardware), "--snapshot", "2028")


def test_a_library_that_is_missing_is_named_with_what_installs_it(
    folder: Path, table: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = refused(capsys, str(folder), "--observed", str(table), "--snapshot", "2028-02")
    assert "scoringrules is not installed" in said
    assert "effective-compute-simulator[hindcast]" in said
