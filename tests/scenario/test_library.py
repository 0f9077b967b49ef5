"""Files that a scenario names are read beside it or below, as tables of limited size, and nothing else of a disk is told."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from simulator.errors import ScenarioError
from simulator.scenario.library import beyond
from simulator.scenario.load import load_scenario

TEXT = """schema: 2
name: own
years: {first: 2025, last: 2030}
samples: 16
drivers:
  spending: {start: {empirical: {file: FILE, column: usd}, unit: USD}, growth: 2x/year}
  hardware: {start: {value: 1e18, unit: FLOP/USD}, growth: 1.3x/year}
"""


@pytest.fixture
def refusal(tmp_path: Path):
    (tmp_path / "outside.csv").write_text("usd\n1e8\n2e8\n")
    (tmp_path / "inside" / "below").mkdir(parents=True)

    def told(file: str, *changes: str) -> str:
        path = tmp_path / "inside" / "own.yaml"
        path.write_text(TEXT.replace("FILE", file))
        try:
            load_scenario(path, overrides=changes)
        except ScenarioError as error:
            return str(error).replace(f"{tmp_path}/", "")
        return ""

    return told


def test_a_table_is_read_beside_the_scenario_or_below_and_elsewhere_only_by_the_command_line(
    refusal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inside" / "below" / "own.csv").write_text("usd\n1e8\n2e8\n")
    (tmp_path / "inside" / "link.csv").symlink_to(tmp_path / "outside.csv")
    outside = tmp_path / "outside.csv"
    assert refusal("below/own.csv") == refusal("below/../below/own.csv") == ""
    for file in ("../outside.csv", "link.csv"):
        said = (
            "lies outside the folder of this file and the working directory.\n        Put it beside this file or below"
        )
        assert said in refusal(file)
    for file in (outside, tmp_path / "inside" / "below" / "own.csv"):
        assert " is an absolute path, and paths count from this file.\n        Put it beside" in refusal(str(file))
    assert refusal("none.csv", f"drivers.spending.start.empirical.file={outside}") == ""
    monkeypatch.chdir(tmp_path)  # of a folder with both, as of a project
    assert refusal("../outside.csv") == refusal("link.csv") == ""
    assert "is an absolute path" in refusal(str(outside))


def test_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "named").symlink_to(tmp_path / "real")
    assert beyond("own.csv", tmp_path / "named") == beyond("./own.csv", Path()) == ""
    assert beyond("../own.csv", Path()) != ""


@pytest.mark.parametrize("name", ["circle", "x" * 300], ids=["circle", "long"])
@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ("extends: ./NAME.yaml", "The path counts from this file."),
        ("drivers: {compute: {start: {prior: ./NAME/fast}, growth: 2x/year}}", "The path counts from this file."),
        ("drivers: {compute: {start: {empirical: {file: NAME.csv, column: a}}, growth: 2x/year}}", "Name a CSV file."),
    ],
    ids=["extends", "prior", "empirical"],
)
def test_a_link_to_itself_and_a_name_too_long_are_no_file(tmp_path: Path, name: str, change: str, remedy: str) -> None:
    for file in ("circle.yaml", "circle.csv"):
        (tmp_path / file).symlink_to(file)
    path = tmp_path / "own.yaml"
    path.write_text(f"schema: 2\nname: own\nyears: {{first: 2025, last: 2030}}\n{change.replace('NAME', name)}\n")
    with pytest.raises(ScenarioError, match=re.escape(remedy)):
        load_scenario(path)


def test_a_pipe_is_not_waited_for_and_a_large_table_is_not_read(
    refusal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "inside" / "pipe.csv")
    assert "cannot be read: it is no regular file, but a pipe or a device." in refusal("pipe.csv")
    (tmp_path / "inside" / "long.csv").write_text("usd\n" + "1e8\n" * 20)
    monkeypatch.setattr("simulator.scenario.library.MOST_NUMBERS", 10)
    assert "long.csv has 20 rows; at most 10 are read." in refusal("long.csv")


@pytest.mark.parametrize(
    "text", ["root:x:0:0:root:/root:/bin/bash\nx\n", "SECRET=abc\nx\n", "-----BEGIN KEY-----\nx\n"]
)
def test_nothing_of_what_is_no_table_is_told(refusal, tmp_path: Path, text: str) -> None:
    (tmp_path / "inside" / "other").write_text(text)
    said = refusal("other")
    assert said.endswith("other has no column 'usd'.\n        Its first line names no columns.")
    (tmp_path / "inside" / "other").write_text("dollars,year\n1,2\n")
    assert refusal("other").endswith("other has no column 'usd'.\n        It has: dollars, year.")


def test_a_control_character_in_a_table_is_told_with_its_line(refusal, tmp_path: Path) -> None:
    (tmp_path / "inside" / "steers.csv").write_text("usd,label\n1,a\n2,\x1b[2J\n")
    assert "steers.csv cannot be read: it holds the control character U+001B on line 3." in refusal("steers.csv")


def test_a_comma_within_a_number_and_a_column_that_stands_twice_are_refused(refusal, tmp_path: Path) -> None:
    """3,1e8 was read as 3, and 1e8 as another cell."""
    table = tmp_path / "inside" / "own.csv"
    table.write_text("quote,usd\na,3,1e8\nb,4.4e8\nc,3.9e8,\n")
    said = refusal("own.csv")
    assert "line 2 has 3 cells, for 2 columns (a decimal comma parts cells)." in said
    assert "line 4" not in said
    table.write_text("usd,quote,usd\n1e8,a,2e8\n2e8,b,3e8\n")
    assert "own.csv has two columns 'usd'." in refusal("own.csv")
