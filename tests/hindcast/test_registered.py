"""Registered forecasts are written once, refuse changes, and are scored by what came after them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from simulator.cli.main import main
from simulator.errors import InputError, RunFileError
from simulator.hindcast import registered
from simulator.hindcast.arms import RATE_KNEW, Arm, rule_arms
from simulator.hindcast.matrix import OwnTable, Question
from simulator.hindcast.registered import (
    is_registered,
    read_registered,
    register_forecasts,
    score_registered,
    until_year,
)
from simulator.history.forecast import RecordForecast
from tests.hindcast.made_up_record import OBSERVED
from tests.places import ROOT


def normal(seen, origin: int) -> RecordForecast:
    """Forecast N(27, 1) in every year."""
    years = tuple(range(origin + 1, seen.years[1] + 1))
    return RecordForecast(
        origin, years, np.tile(27 + np.random.default_rng(0).standard_normal(100_000), (len(years), 1))
    )


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    arms = [Arm("normal", normal), *rule_arms(size=500, seed=0)]
    monkeypatch.setattr(registered, "ways", lambda *_, **__: arms)
    return register_forecasts(Question(), tmp_path / "series" / "2026-11.yaml")


def test_every_way_stands_in_the_file_with_the_chosen_one_and_a_digest(file: Path) -> None:
    data = read_registered(file)
    assert is_registered(file)
    assert (data["chosen"], data["known_to_end_of"], data["record"]) == ("normal", 2025, 26.699)
    assert list(data["ways"]) == ["normal", *(arm.name for arm in rule_arms(size=1, seed=0))]
    assert [row[0] for row in data["ways"]["4x a year"]][:3] == [2026, 2027, 2028]
    first = dict(zip(data["quantiles"], data["ways"]["normal"][0][1:], strict=True))
    assert first[0.5] == pytest.approx(27, abs=0.01)
    assert first[0.95] == pytest.approx(28.645, abs=0.02)
    file.write_text(file.read_text().replace("chosen: normal", "chosen: 4x a year"))
    with pytest.raises(RunFileError, match="was changed since it was frozen"):
        read_registered(file)


def test_the_command_names_the_file_on_a_line_or_as_json(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, more in (("one", []), ("two", ["--json"])):
        words = ["hindcast", "--matrix", "--output", str(tmp_path), "--register", str(tmp_path / f"{name}.yaml"), *more]
        main(words)
    line, told = capsys.readouterr().out.splitlines()
    assert line == f"  {tmp_path / 'one.yaml'}"
    assert {key: json.loads(told)[key] for key in ("kind", "name", "tables")} == {
        "kind": "registered", "name": str(tmp_path / "two.yaml"), "tables": {},
    }  # fmt: skip
    ways = [read_registered(each)["ways"] for each in (file, tmp_path / "one.yaml", tmp_path / "two.yaml")]
    assert ways[0] == ways[1] == ways[2]


def test_it_is_written_once_and_of_one_table(file: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"2026-11\.yaml: is registered already, and stays as it is"):
        register_forecasts(Question(), file)
    two = (OwnTable.read("a.csv@2026-05"), OwnTable.read("b.csv@2026-05"))
    for asked in (Question(own=two), Question(origins=(2020,))):
        with pytest.raises(InputError, match="--register: forecasts one table from its last year"):
            register_forecasts(asked, tmp_path / "other.yaml")


def test_scores_are_those_of_what_came_and_nothing_comes_of_what_has_not(file: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to score"):
        score_registered(file)
    shipped = (ROOT / "history" / "training-runs.csv").read_text(encoding="utf-8").splitlines()
    head = shipped[0].split(",")
    told = {"name": "later", "date": "2026-12-20", "training_flop": "1e27"}
    later = tmp_path / "later.csv"
    later.write_text("\n".join([*shipped, ",".join(told.get(column, "") for column in head)]))
    found = score_registered(file, later, snapshot="2027-01")
    (row,) = found.scores[0].scores.rows()
    assert (row["target"], row["observed"], row["in_sample"]) == ("2026-12-31", 27.0, False)
    assert row["crps"] == pytest.approx((np.sqrt(2) - 1) / np.sqrt(np.pi), abs=0.003)  # of N(0, 1) at 0
    ledger = found.tables()["scores"]
    assert len(set(ledger["run_id"])) == len(found.scores) == 5
    assert "the chosen one is normal" in found.lines()[0]
    assert found.lines()[-1].startswith("  mean CRPS: ")


def test_years_to_come_change_no_forecast() -> None:
    longer = until_year(OBSERVED, 2030)
    assert longer.years == (2012, 2030)
    (arm,) = [each for each in rule_arms(size=300, seed=0) if each.name == "4x a year"]
    assert arm.hindsight(2022) == RATE_KNEW
    own, more = arm.forecast(OBSERVED, 2020), arm.forecast(longer, 2020)
    np.testing.assert_array_equal(own.samples[0], more.samples[0])
