"""The folder of a hindcast, written and read again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from test_hindcast_text import RESULT

from simulator.errors import InputError, RunFileError
from simulator.hindcast_folder import is_hindcast, open_hindcast, write_hindcast
from simulator.hindcast_tables import RecordRow

RECORD = (RecordRow(2017, 22.0, "2026-05"), RecordRow(2018, 22.5, "2026-05"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_hindcast(dataclasses.replace(RESULT, record=RECORD), tmp_path / "h")
    return tmp_path / "h"


def test_what_was_written_is_read_again(folder: Path) -> None:
    stored = open_hindcast(folder)
    assert stored.forecasts == RESULT.forecasts
    assert stored.skills == RESULT.skills
    assert stored.record == RECORD
    assert (stored.name, stored.targets, stored.origins) == ("h", 4, (2018, 2020))
    assert (stored.names, stored.with_hindsight) == (("model", "4x a year"), frozenset())


def test_a_folder_without_the_record_has_that_of_the_years_that_were_forecast(folder: Path) -> None:
    (folder / "record.csv").unlink()
    assert [row.year for row in open_hindcast(folder).record] == [2019, 2020, 2021, 2022]


def test_a_folder_from_before_hindsight_was_told_has_none(folder: Path) -> None:
    path = folder / "forecasts.csv"
    lines = [line.rpartition(",")[0] for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert open_hindcast(folder).with_hindsight == frozenset()


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("crps", "crp", "forecasts.csv: lacks the columns crps."),
        ("model,2018,2019,25.0", "model,2018,2019,many", "forecasts.csv:2: observed: must be a float; got 'many'."),
        ("model", "modal", "forecasts.csv: has no forecast by the model."),
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
    assert not is_hindcast(tmp_path)
    with pytest.raises(InputError, match=r"no folder of a hindcast.*simulate hindcast"):
        open_hindcast(tmp_path)
