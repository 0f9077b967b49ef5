"""`simulate export` on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import typer

from simulator import load_scenario, simulate
from simulator.cli.export import export, report
from simulator.errors import InputError, RunFileError
from simulator.runs.folder import save_run, write_run
from simulator.testing import run_of, small_scenario

app = typer.Typer()
app.command()(export)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = small_scenario({"samples": 64, "thresholds": {"near": {"effective_compute": 1e28}}})
    return write_run(run_of(data), tmp_path_factory.mktemp("outputs"))


def call(*arguments: object) -> None:
    app(args=[str(argument) for argument in arguments], standalone_mode=False)


def test_text_goes_to_standard_output_and_notes_do_not(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(folder, "-f", "json")
    assert json.loads(capsys.readouterr().out)["run"]["name"] == "small"
    call(folder / "run.nc", "--format", "hub", "--variable", "effective_compute", "--date", "mid-2025")
    said = capsys.readouterr()
    assert next(csv.DictReader(said.out.splitlines()))["origin_date"] == "2025-07-01"
    assert "name the targets as your hub does" in said.err


def test_text_goes_to_the_file_that_is_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(folder, "-f", "bibtex", "--output", tmp_path / "new" / "sources.bib")
    assert (tmp_path / "new" / "sources.bib").read_text(encoding="utf-8").startswith("% Sources of the priors of run")
    assert "sources.bib: written." in capsys.readouterr().out


def test_tables_go_beside_the_run_or_where_they_are_told_to(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(folder, "-f", "csv", "--group", "parameters")
    assert capsys.readouterr().out.split() == [
        str(folder / "export" / "parameters.csv"),
        str(folder / "export" / "parameters.columns.csv"),
    ]
    call(folder, "-f", "parquet", "--group", "crossings", "--threshold", "near", "--output", tmp_path / "x.parquet")
    assert (tmp_path / "x.parquet").exists()
    call(folder, "-f", "csv", "--output", tmp_path / "all")
    assert (tmp_path / "all" / "trajectories.csv").exists()


def test_a_question_is_told_by_its_bounds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(folder, "-f", "metaculus", "--threshold", "near", "--range", "2025-01-01", "2040-01-01", "--open-upper")
    said = capsys.readouterr()
    assert json.loads(said.out)["scaling"]["open_upper_bound"] is True
    assert "Metaculus' rules move the CDF by at most" in said.err
    call(
        folder, "-f", "metaculus", "--variable", "effective_compute", "--year", 2030, "--range", "1e24", "1e36", "--log",
        "--open-lower", "--open-upper",
    )  # fmt: skip
    assert json.loads(capsys.readouterr().out)["scaling"]["zero_point"] == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-f", "excel"], "no format 'excel'"),
        (["-f", "hub", "--date", "soon"], "--date: must be a year or a date; got 'soon'"),
        (["-f", "metaculus", "--threshold", "near", "--range", "2025 Q5", "2040"], "got '2025 Q5'"),
        (["-f", "metaculus", "--threshold", "near", "--log"], "--range LOW HIGH"),
        (["-f", "metaculus", "--threshold", "near", "--range", "1", "2", "--log", "--zero-point", "0"], "give one of them"),
        (["-f", "json", "--range", "1", "2"], "--range: has no meaning for --format json"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(folder: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(folder, *arguments)


@pytest.fixture(scope="module")
def report_folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    save_run(simulate(load_scenario("doubling-times")), path / "run.nc")
    return path


def test_a_report_stands_beside_the_run_unless_another_file_is_named(report_folder, tmp_path, capsys):
    report(report_folder)
    assert capsys.readouterr().out == f"{report_folder / 'report.html'}\n"
    other = tmp_path / "deep" / "page.html"
    report(report_folder / "run.nc", other)
    assert other.read_bytes() == (report_folder / "report.html").read_bytes()


def test_a_wrong_name_is_told_before_the_run_is_read(tmp_path):
    with pytest.raises(InputError, match=r"must end in \.html; got '\.pdf'"):
        report(tmp_path / "none.nc", tmp_path / "page.pdf")


def test_a_missing_run_is_told(tmp_path):
    with pytest.raises(RunFileError, match="no such run file"):
        report(tmp_path / "none.nc", tmp_path / "page.html")


def test_the_command_explains_itself():
    app = typer.Typer(add_completion=False)
    app.command()(report)
    from typer.testing import CliRunner

    said = CliRunner().invoke(app, ["--help"]).output
    assert "one HTML page" in said
    assert "FILE.html" in said
