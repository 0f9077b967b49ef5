"""`simulate history` reads, reports and writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simulator.cli.history import app
from simulator.errors import InputError
from simulator.history.loading import load_history
from tests.places import TESTS

TRAPS = TESTS / "bad_history"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[str]:
    capsys.readouterr()
    app(args=[str(argument) for argument in arguments], prog_name="simulate history", standalone_mode=False)
    return capsys.readouterr().out.splitlines()


def test_loading_reports_and_writes_the_tidy_form(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "tidy.csv"
    lines = run(capsys, "load", TRAPS / "continued-models.csv", "--snapshot", "2025-06", "--output", out)
    expected = (TRAPS / "continued-models.txt").read_text(encoding="utf-8").splitlines()
    assert lines[1:-1] == expected[1:]
    assert lines[-1] == f"  {out}"
    again = load_history(out, snapshot="2025-06")
    assert again.table == load_history(TRAPS / "continued-models.csv", snapshot="2025-06").table


def test_a_table_of_accelerators_is_recognised(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, "load", TRAPS / "hardware-speeds.csv", "--snapshot", "2025-06")
    assert lines[1] == "  4 accelerators kept, 2010-11-09 to 2020-05-14: 3 with a price"


def test_the_frontier_of_the_shipped_table_needs_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, "frontier", "--top", "1", "--since", "2023", "--until", "2024")
    assert [line.split("  ")[-1] for line in lines[2:] if "*" in line] == ["GPT-4", "Gemini 1.0 Ultra"]
    earlier = run(
        capsys, "frontier", "--snapshot", "2025-06", "--without-domain", "Games", "--without-run", "Wu Dao 2.0=old"
    )
    assert "AlphaGo" not in "".join(earlier)
    assert "Wu Dao" not in "".join(earlier)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frontier", "x.csv"], "--snapshot: x.csv needs the date of its export."),
        (["frontier", "--snapshot", "2024"], "--snapshot: the shipped table has the estimates of 2026-05 and 2025-06; got 2024."),
        (["frontier", "--without-run", "GPT-4"], "--without-run: must be NAME=REASON; got 'GPT-4'."),
        (["frontier", "--until", "2006"], "no run was published by 2006-12-31"),
        (["load", str(TRAPS / "rows-twice.csv"), "--snapshot", "last week"], "snapshot: must be a year or a date"),
        (["load", str(TRAPS / "rows-twice.csv"), "--snapshot", "2025", "--prices", "p.csv"], "is no table of accelerators"),
        (["load", str(TRAPS), "--snapshot", "2025"], "is a directory, not a file."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError) as refused:
        run(capsys, *arguments)
    assert message in str(refused.value)


def test_help_names_the_public_page_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from simulator.cli.history import app\n"
        "try: app(args=['load', '--help'], prog_name='x')\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'scipy', 'xarray', 'pandas'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "https://epoch.ai/data" in said
    assert said.rstrip().endswith("[]")
