"""The hindcast from the command line: what it reads, writes and refuses."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import simulator.hindcast
from simulator.cli import main
from simulator.observations import Observations
from tests.test_hindcast_text import RESULT


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Observations, dict[str, Any]]]:
    """Stand in for the fits, which take minutes and have tests of their own."""
    calls: list[tuple[Observations, dict[str, Any]]] = []

    def hindcast(observed: Observations, **options: Any) -> Any:
        calls.append((observed, options))
        return RESULT

    monkeypatch.setattr(simulator.hindcast, "hindcast", hindcast)
    return calls


def test_the_shipped_table_is_forecast_with_and_without_games(asked: list[Any], tmp_path: Path) -> None:
    page = tmp_path / "hindcast.md"
    main(["hindcast", "--output", str(tmp_path), "--document", str(page), "--origins", "2020,2018"])
    (every, options), (no_games, other) = asked
    assert options["origins"] == (2018, 2020)
    assert every.years[1] == 2025
    assert set(options["without"].run_year) != set(every.run_year)
    assert no_games.run_year.size == options["without"].run_year.size
    assert other["without"] is None
    assert page.read_text(encoding="utf-8").count("## ") == 2
    (folder,) = tmp_path.glob("hindcast-2026-05-2018-2020-*")
    with (folder / "forecasts.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == len(RESULT.forecasts)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--origins", "soon"], "--origins: must be years such as 2018,2020,2022; got 'soon'."),
        (["--snapshot", "2024-01"], "--snapshot: the shipped table has the estimates of 2026-05 and 2025-06"),
        (["--without-domain", "Gamez"], "Gamez"),
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
