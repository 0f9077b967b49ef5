"""`simulate published` from the command line."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from simulator.cli import main

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
