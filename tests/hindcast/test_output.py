"""Hindcasts in words."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import InputError, RunFileError
from simulator.hindcast.output import hindcast_lines, open_hindcast
from simulator.hindcast.rows import COLUMNS, MODEL, made_table, skills
from simulator.runs.table import Table
from tests.hindcast.small_hindcast import RESULT, ROWS, forecasts, row


def test_the_number_of_distinct_years_is_said_large_and_the_skill_with_its_interval() -> None:
    lines = list(hindcast_lines(RESULT))
    assert "6 forecasts of 4 DISTINCT YEARS" in lines[0]
    assert any("0.200" in line and line.split()[0] == MODEL for line in lines)
    assert lines[-1] == "  against 4x a year: skill +0.60 (no interval), too few distinct years to tell"


LATE = [{**row("scenario s", 2018, year, 0.3), "hindsight": True} for year in range(2019, 2023)]
LATE += [row("scenario s", 2020, year, 0.3) for year in range(2021, 2023)]
EVENTS = made_table(
    "events",
    [
        dict(zip(COLUMNS["events"], (name, origin, 2021, threshold, 0.5, True, 0.25, name != MODEL), strict=True))
        for name in (MODEL, "scenario s")
        for origin, threshold in ((2018, 1e24), (2020, 1e25))
    ],
)
WITH_ARMS = dataclasses.replace(
    RESULT,
    forecasts=forecasts([*ROWS, *LATE]),
    skills=skills(forecasts([*ROWS, *LATE])),
    events=EVENTS,
    notes=("something",),
)


def test_hindsight_is_said_beside_every_number_that_rests_on_it() -> None:
    lines = list(hindcast_lines(WITH_ARMS))
    named = [line for line in lines if "scenario s" in line]
    assert len(named) == 3  # mean scores, Brier scores, skill
    assert all("scenario s (with hindsight)" in line for line in named)
    assert "  note: something" in lines


RECORD = Table({"year": [2017, 2018], "log_flop": [22.0, 22.5], "snapshot": ["2026-05"] * 2})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return dataclasses.replace(RESULT, record=RECORD, folder_name="h").save(tmp_path)


def test_what_was_written_is_read_again(folder: Path) -> None:
    stored = open_hindcast(folder)
    assert stored.forecasts == RESULT.forecasts
    assert stored.skills == RESULT.skills
    assert stored.record == RECORD
    assert (stored.folder_name, stored.targets, stored.origins) == ("h", 4, (2018, 2020))
    assert (stored.names, stored.with_hindsight) == (("model", "4x a year"), frozenset())
    assert (stored.lines(), stored.warnings) == (RESULT.lines(), ())


def test_its_dataset_holds_the_tables_along_their_names() -> None:
    data = dataclasses.replace(RESULT, record=RECORD).dataset
    mine = data["forecasts"].to_dataset().sel(forecast=MODEL)
    assert mine["crps"].sel(origin=2018).values.tolist() == [0.2] * 4
    assert np.isnan(mine["crps"].sel(origin=2020, target=2019))
    assert data["skills/skill"].sel(baseline="4x a year") == pytest.approx(0.6)
    assert data["record/log_flop"].sel(year=2018) == 22.5


def test_a_folder_without_the_record_has_that_of_the_years_that_were_forecast(folder: Path) -> None:
    (folder / "record.csv").unlink()
    assert open_hindcast(folder).record["year"].tolist() == [2019, 2020, 2021, 2022]


def test_a_folder_from_before_hindsight_was_told_has_none(folder: Path) -> None:
    path = folder / "forecasts.csv"
    lines = [line.rpartition(",")[0] for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert open_hindcast(folder).with_hindsight == frozenset()


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("crps", "crp", "forecasts.csv: lacks the columns crps."),
        ("model,2018,2019,25.0", "model,2018,2019,many", "forecasts.csv:2: observed: must be a number; got 'many'."),
    ],
)
def test_a_table_that_is_none_of_a_hindcast_is_refused_with_its_place(
    folder: Path, old: str, new: str, text: str
) -> None:
    path = folder / "forecasts.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(RunFileError) as told:
        open_hindcast(folder)
    assert text in str(told.value)


def test_another_folder_is_no_hindcast(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no folder of a hindcast.*simulate hindcast"):
        open_hindcast(tmp_path)
