"""The hindcast from the command line: what it reads, writes and refuses."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import simulator.hindcast.hindcast
from simulator.cli.main import main
from simulator.history.observations import Observations
from tests.hindcast.small_hindcast import RESULT


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Observations, dict[str, Any]]]:
    """Stand in for the fits, which take minutes and have tests of their own."""
    calls: list[tuple[Observations, dict[str, Any]]] = []

    def hindcast(observed: Observations, **options: Any) -> Any:
        calls.append((observed, options))
        return RESULT

    monkeypatch.setattr(simulator.hindcast.hindcast, "hindcast", hindcast)
    return calls


def test_the_shipped_table_is_forecast_with_and_without_games(asked: list[Any], tmp_path: Path) -> None:
    page = tmp_path / "hindcast.md"
    main(["hindcast", "--output", str(tmp_path), "--document", str(page), "--origins", "2020,2018"])
    (every, options), (no_games, other), (earlier, _) = asked
    assert options["origins"] == (2018, 2020)
    assert every.years[1] == 2025
    assert set(options["without"].run_year) != set(every.run_year)
    assert no_games.run_year.size == options["without"].run_year.size
    assert other["without"] is None
    assert (earlier.snapshot, earlier.years[1]) == ("2025-06", 2024)
    assert page.read_text(encoding="utf-8").count("## ") == 3
    assert "## Where it fails" in page.read_text(encoding="utf-8")
    for name in ("hindcast_fans.svg", "hindcast_skill.svg"):
        assert f"]({name})" in page.read_text(encoding="utf-8")
        assert (tmp_path / name).is_file()
    (folder,) = tmp_path.glob("hindcast-2026-05-2018-2020-*")
    with (folder / "forecasts.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == len(RESULT.forecasts)
    drawn = ("fans", "fans_others", "calibration", "skill")
    assert {f"hindcast_{name}.{end}" for name in drawn for end in ("png", "svg")} <= {
        path.name for path in folder.iterdir()
    }


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--origins", "soon"], "--origins: must be years such as 2018,2020,2022; got 'soon'."),
        (["--snapshot", "2024-01"], "--snapshot: the shipped table has the estimates of 2026-05 and 2025-06"),
        (["--without-domain", "Gamez"], "Gamez"),
        (["--against", "no-caps"], "--against: names a scenario to compare with"),
        (["baseline"], "knew of 2026-11, after the origin 2018."),
        (["baseline", "--against", "baseline", "--allow-hindsight"], "two of the scenarios are 'scenario baseline'"),
        (["baselin"], "Did you mean 'baseline'"),
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
        ["hindcast", "baseline", "--against", "no-caps", "--allow-hindsight", "--no-charts", "--output", str(tmp_path)]
    )
    ((observed, options),) = asked
    assert {(arm.name, arm.forecast.origin, arm.hindsight) for arm in options["arms"]} == {
        (name, origin, name != "period priors")
        for name in ("period priors", "scenario baseline", "scenario no-caps")
        for origin in (2018, 2020, 2022)
    }
    assert options["priors"] is None  # its hardware is a product of factors: the model keeps its own
    assert not options["with_hindsight"]
    (folder,) = tmp_path.glob("hindcast-*")
    assert {file.name for file in folder.iterdir()} == {
        "forecasts.csv", "scores.csv", "skills.csv", "quantiles.csv", "events.csv", "event_scores.csv", "record.csv",
        "hindcast.txt",
    }  # fmt: skip
    assert observed.years[1] == 2025


def test_a_table_of_accelerators_of_ones_own_is_taken(asked: list[Any], tmp_path: Path) -> None:
    table = tmp_path / "chips.csv"
    rows = [f"chip {year},{year}-06-01,{10 ** (year - 2003):.3g},10000" for year in range(2016, 2021)]
    table.write_text("\n".join(["Name,release_date,flops_16bit,price_usd", *rows]), encoding="utf-8")
    main(["hindcast", "--accelerators", str(table), "--output", str(tmp_path), "--no-charts"])
    ((observed, _),) = asked
    assert observed.accelerator_year.size == 5
    assert observed.accelerator_log_flops_per_usd[0] == pytest.approx(13 - 4)
