"""`simulate score` from the command line: what it writes and refuses."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from simulator import load_scenario, simulate
from simulator.cli.main import main
from simulator.runs.folder import write_run
from tests.hindcast.small_history import CHANGES, TABLE


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


SCENARIO = """
schema: 1
name: mine
title: Mine
years: {first: 2025, last: 2026}
drivers: {compute: {start: {value: 1e26, unit: FLOP}, growth: 4}}
"""


def test_named_sources_are_printed_by_date_and_written_to_a_table_and_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    main(["published", "four-times-a-year", "cottier-2024", "--output", str(tmp_path), "--document", str(page)])
    said = capsys.readouterr().out
    assert said.index("published/cottier-2024") < said.index("published/four-times-a-year")
    assert "2026.88" in said
    with (tmp_path / "published.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["scenario"] for row in rows] == ["published/cottier-2024", "published/four-times-a-year"]
    assert [row["within"] for row in rows] == ["True", "True"]
    assert f"simulate published four-times-a-year cottier-2024 --document {page}" in page.read_text()


def test_a_number_out_of_its_tolerance_ends_with_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = "{quantity: physical_compute, year: 2026, published: 26.7, tolerance: 0.05, unit: log10(FLOP)}"
    (tmp_path / "targets").mkdir()
    (tmp_path / "mine.yaml").write_text(SCENARIO)
    (tmp_path / "targets" / "mine.yaml").write_text(f"assumed: Compute.\nrows:\n  - {row}\n")
    with pytest.raises(SystemExit) as ending:
        main(["published", str(tmp_path / "mine.yaml")])
    assert ending.value.code == 1
    said = capsys.readouterr().out
    assert "-0.10       0.05       NO" in said
    assert "0 of 1 numbers within their tolerance" in said


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["published", "cotra"])
    assert ending.value.code == 2
    assert "cotra: no scenario of that name has published numbers beside it." in capsys.readouterr().err
