"""The hindcast and the scores of a run from the command line: what they read, write and refuse."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import simulator.hindcast.hindcast
import simulator.hindcast.matrix
from simulator import load_scenario, simulate
from simulator.cli.main import main
from simulator.engine.workers import Workers
from simulator.hindcast.matrix import OwnTable, Question
from simulator.history.observations import Observations
from simulator.runs.folder import write_run
from tests.hindcast.small_hindcast import RESULT
from tests.hindcast.small_history import CHANGES, TABLE
from tests.hindcast.small_matrix import MATRIX
from tests.places import ROOT


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Observations, dict[str, Any]]]:
    """Stand in for the fits, which take minutes and have tests of their own."""
    calls: list[tuple[Observations, dict[str, Any]]] = []

    def hindcast(observed: Observations, **options: Any) -> Any:
        calls.append((observed, options))
        return RESULT

    monkeypatch.setattr(simulator.hindcast.hindcast, "hindcast", hindcast)
    return calls


def test_the_shipped_table_is_forecast_and_checked_without_games(asked: list[Any], tmp_path: Path) -> None:
    main(["hindcast", "--output", str(tmp_path), "--origins", "2020,2018"])
    ((every, options),) = asked
    assert options["origins"] == (2018, 2020)
    assert every.years[1] == 2025
    assert set(options["without"].run_year) != set(every.run_year)
    (folder,) = tmp_path.glob("hindcast-2018-2020-*")
    with (folder / "forecasts.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == len(RESULT.forecasts)
    drawn = ("fans", "fans_others", "calibration", "skill")
    assert {f"hindcast_{name}.{end}" for name in drawn for end in ("png", "svg")} <= {
        path.name for path in folder.iterdir()
    }


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--until", "2014"], "has records of 2012 to 2014; a forecast needs three and a later year"),
        (["--origins", "soon"], "--origins: must be years such as 2018,2020,2022; got 'soon'."),
        (["--snapshot", "2024-01"], "--snapshot: the shipped table has the estimates of 2026-05 and 2025-06"),
        (["--without-domain", "Gamez"], "Gamez"),
        (["--against", "no-caps"], "--against: names a scenario to compare with"),
        (["baseline"], "knew of 2026-11, after the origin 2014."),
        (["baseline", "--against", "baseline", "--allow-hindsight"], "two of the scenarios are 'scenario baseline'"),
        (["baselin"], "Did you mean 'baseline'"),
        (["--table", "mine.csv@2026"], "--table: is for --matrix: add it."),
        (["--document", "page.md"], "--document: is for --matrix: add it."),
        (["--matrix", "--runs", "mine.csv"], "--runs: is not for --matrix, which has every table"),
        (["--matrix", "--table", "mine.csv"], "--table: must be FILE@DATE"),
        (["baseline", "--matrix"], "knew of 2026-11, after the origin 2014."),
    ],
)
def test_bad_input_is_refused(
    asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["hindcast", "--output", str(tmp_path), *arguments])
    assert ending.value.code == 2
    assert text in capsys.readouterr().err
    assert not asked


def test_a_scenario_is_forecast_beside_the_priors_of_the_period(asked: list[Any], tmp_path: Path) -> None:
    main(
        [
            "hindcast",
            "baseline",
            "--against",
            "no-caps",
            "--allow-hindsight",
            "--no-charts",
            "--output",
            str(tmp_path),
            "--origins",
            "2018,2020",
        ]
    )
    ((observed, options),) = asked
    assert [(arm.name, bool(arm.hindsight(2022))) for arm in options["arms"][-3:]] == [
        (name, name != "period priors") for name in ("period priors", "scenario baseline", "scenario no-caps")
    ]
    assert options["arms"][0].name == "forecast"
    assert options["fits"] is None  # nothing is sampled unless it is asked for
    (folder,) = tmp_path.glob("hindcast-*")
    assert {file.name for file in folder.iterdir()} == {
        "forecasts.csv", "scores.csv", "skills.csv", "quantiles.csv", "events.csv", "event_scores.csv", "record.csv",
        "hindcast.txt",
    }  # fmt: skip
    assert observed.years[1] == 2025


def test_the_matrix_is_asked_as_it_is_said_and_has_a_page_with_pictures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = []

    def answered(asked: Question, *, folder: Path, cache: Path, say: Any, workers: Workers) -> Any:
        assert workers == 1
        questions.append(asked)
        assert (folder, cache) == (tmp_path / "scores", tmp_path / "fits")
        say("1 of 2")
        return MATRIX

    monkeypatch.setattr(simulator.hindcast.matrix, "answer_matrix", answered)
    page = tmp_path / "pages" / "hindcast.md"
    main(["hindcast", "--matrix", "--table", "a/mine.csv@2025-02", "--sampler", "nutpie", "--origins", "2018",
          "--output", str(tmp_path), "--document", str(page)])  # fmt: skip
    assert questions == [Question((OwnTable(Path("a/mine.csv"), "2025-02"),), origins=(2018,), sampler="nutpie")]
    text = page.read_text(encoding="utf-8")
    assert f"Written by `{questions[0].words} --document {page}`." in text
    assert "](hindcast_fans.svg)" in text
    assert (page.parent / "hindcast_skill.svg").is_file()
    assert (tmp_path / "hindcast-matrix" / "cells.csv").is_file()
    said = capsys.readouterr().out
    assert said.startswith("1 of 2")
    assert "forecast against simple rules: better: 4" in said


MINE = """
schema: 2
name: mine
extends: learned
history: {runs: ./mine.csv, snapshot: 2026-05, until: null, frontier: null, without: null}
"""


def test_a_table_of_ones_own_is_named_and_never_dropped(
    asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = (ROOT / "history" / "training-runs.csv").read_text(encoding="utf-8")
    (tmp_path / "mine.csv").write_text(shipped.replace("Grok 4,", "Mine,"), encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(MINE, encoding="utf-8")
    mine = ["hindcast", str(tmp_path / "mine.yaml"), "--allow-hindsight", "--no-charts", "--output", str(tmp_path)]
    main([*mine, "--origins", "2020"])
    assert "Mine" in asked[-1][0].run_name
    assert "mine.csv, estimates of 2026-05" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*mine, "--snapshot", "2025-06"])
    assert "mine has a table of its own, ./mine.csv, with the estimates of 2026-05" in capsys.readouterr().err
    main([*mine, "--origins", "2020", "--runs", str(tmp_path / "mine.csv"), "--snapshot", "2025-12-31"])
    assert asked[-1][0].snapshot == "2025-12-31"
    learned = ["hindcast", "learned", *mine[2:], "--origins", "2020", "--snapshot", "2025-06", "--until", "2024"]
    main(learned)
    assert asked[-1][0].snapshot == "2025-06"
    assert "shipped table, estimates of 2025-06" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["hindcast", "--runs", str(tmp_path / "mine.csv")])
    assert "needs the date of its export" in capsys.readouterr().err


def test_a_table_of_accelerators_of_ones_own_is_taken(asked: list[Any], tmp_path: Path) -> None:
    table = tmp_path / "chips.csv"
    rows = [f"chip {year},{year}-06-01,{10 ** (year - 2003):.3g},10000" for year in range(2016, 2021)]
    table.write_text("\n".join(["Name,release_date,flops_16bit,price_usd", *rows]), encoding="utf-8")
    main(["hindcast", "--accelerators", str(table), "--output", str(tmp_path), "--no-charts"])
    ((observed, _),) = asked
    assert observed.accelerator_year.size == 5
    assert observed.accelerator_log_flops_per_usd[0] == pytest.approx(13 - 4)


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


def test_a_frozen_forecast_is_scored_into_the_ledger_of_its_series(
    folder: Path, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["history", "freeze", str(folder), "--dated", "2026-11"])
    assert capsys.readouterr().out == "  forecasts/baseline-2026-11.yaml\n"
    main(["score", "forecasts/baseline-2026-11.yaml", "--observed", str(table), "--snapshot", "2028-02"])
    said = capsys.readouterr().out
    assert "forecasts/ledger.csv: " in said
    assert "outputs/baseline-2026-11/scores.csv" in said
    assert {path.name for path in Path("forecasts").iterdir()} == {
        "baseline-2026-11.yaml", "ledger.csv", ".ledger.csv.lock", "scenarios",
    }  # fmt: skip
    with pytest.raises(SystemExit) as ending:
        main(["history", "freeze", str(folder), "--dated", "2026-11"])
    assert ending.value.code == 2
    assert "is frozen already" in capsys.readouterr().err


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
    assert "begins after 2028-02-29" in refused(capsys, run, *observed, "--after", "2028-02-29")
    assert "--after: must be a year or a date" in refused(capsys, run, *observed, "--after", "soon")
    hardware = tmp_path / "chips.csv"
    hardware.write_text("Hardware name,Release date,FP16 performance (FLOP/s)\nx,2020-01-02,1e14\n")
    assert "table of accelerators" in refused(capsys, run, "--observed", str(hardware), "--snapshot", "2028")


SCENARIO = """
schema: 2
name: mine
title: Mine
years: {first: 2025, last: 2026}
drivers: {compute: {start: {value: 1e26, unit: FLOP}, growth: 4x/year}}
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
    assert " 26.60  -0.10 " in said
    assert said.splitlines()[-2].endswith(" NO")
    assert "0 of 1 numbers within their tolerance" in said


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["published", "cotra"])
    assert ending.value.code == 2
    assert "cotra: no scenario of that name has published numbers beside it." in capsys.readouterr().err
