"""The command that draws charts."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from simulator.cli.charts import chart
from simulator.errors import InputError
from simulator.runs.folder import save_run
from simulator.testing import run_of
from tests.charts.small import scenario
from tests.hindcast.small_hindcast import RESULT

app = typer.Typer()
app.command()(chart)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    save_run(run_of(scenario()), folder / "run.nc")
    return folder


def call(*arguments: object) -> list[str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None:
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_the_fan_is_written_beside_the_run_and_the_files_are_named(folder: Path) -> None:
    written = call(folder)
    assert [Path(line).name for line in written[:2]] == ["fan_effective_compute.png", "fan_effective_compute.svg"]
    assert all(Path(line).parent == folder and Path(line).exists() for line in written)
    assert call(folder / "run.nc") == written


def test_every_option_reaches_the_chart(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "runs.csv"
    table.write_text("date,value,label\n2023-03-15,2.1e25,GPT-4\n", encoding="utf-8")
    written = call(
        folder, "--kind", "fan", "--quantity", "physical_compute", "--bands", "ipcc", "--paths", 4, "--years", "2020-2033",
        "--history", table, "--format", "svg", "--theme", "dark", "--output", tmp_path / "out",
    )  # fmt: skip
    assert {Path(line).name for line in written} == {
        "fan_physical_compute.svg", "fan_physical_compute.csv", "fan_physical_compute_paths.csv",
        "fan_physical_compute_thresholds.csv", "fan_physical_compute_history.csv", "fan_physical_compute.txt",
    }  # fmt: skip
    svg = (tmp_path / "out" / "fan_physical_compute.svg").read_text(encoding="utf-8")
    for word in ("66 %", "GPT-4", "each of 4 samples", "in 2033", "#14181D"):
        assert word in svg, word


def test_several_quantities_make_one_figure(folder: Path, tmp_path: Path) -> None:
    written = call(folder, "--quantity", "spending", "--quantity", "hardware", "--format", "svg", "--output", tmp_path)
    assert Path(written[0]).name == "fan_spending_and_hardware.svg"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kind", "fann"], "Did you mean 'fan'"),
        (["--quantity", "spendin"], "Did you mean 'spending'"),
        (["--bands", "wide"], "--bands: must be one to three percentages"),
        (["--years", "2035"], "--years: must be a first and a later last year"),
        (["--format", "gif"], "--format: must be of png, svg, pdf, html; got 'gif'"),
        (["--theme", "blue"], "--theme: must be light or dark"),
        (["--history", "none.csv"], "none.csv: no such file"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    folder: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        call(folder, *arguments, "--output", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_of_a_hindcast_is_drawn_by_its_own_kinds(tmp_path: Path) -> None:
    RESULT.write_into(tmp_path / "h")
    written = call(
        tmp_path / "h", "--kind", "skill", "--format", "svg", "--theme", "dark", "--output", tmp_path / "out"
    )
    assert Path(written[0]) == tmp_path / "out" / "hindcast_skill.svg"
    assert "#14181D" in Path(written[0]).read_text(encoding="utf-8")
    with pytest.raises(InputError, match=r"--quantity: .* is a hindcast"):
        call(tmp_path / "h", "--quantity", "spending")
