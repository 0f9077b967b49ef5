"""Frozen forecasts: written once, read back as they are, and refused where they were changed."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from simulator import freeze_forecast, open_frozen, parse_scenario, simulate
from simulator.errors import InputError, RunFileError
from simulator.runs.folder import stored_scenario
from simulator.runs.frozen import LEVELS, frozen_series, frozen_text
from simulator.runs.run import Run
from tests.analysis.linear_scenario import LINEAR
from tests.places import ROOT

CHANGES = [
    "samples=64", "years.first=2025.5", "thresholds.far={spending: 1e30}",
    "thresholds.slow={spending: 1e9, delay: 1 year}", "drivers.spending.growth.as_of=2025-06-30",
]  # fmt: skip


@pytest.fixture(scope="module")
def run() -> Run:
    return simulate(parse_scenario(LINEAR, overrides=CHANGES))


@pytest.fixture
def file(run: Run, tmp_path: Path) -> Path:
    return freeze_forecast(run, tmp_path / "series", dated="2025-11")


def test_a_frozen_file_reads_back_equal(run: Run, file: Path) -> None:
    assert file.name == "linear-2025-11.yaml"
    read = open_frozen(file)
    assert frozen_text(read, dated="2025-11", frozen=read.attrs["frozen"]) == file.read_text(encoding="utf-8")
    assert read["summary/year"].values.tolist() == [2025.5, 2026, 2027, 2028, 2029, 2030]
    for name in ("effective_compute", "physical_compute", "spending"):
        own, theirs = (each[f"summary/{name}"].sel(quantile=list(LEVELS)) for each in (read, run))
        np.testing.assert_allclose(own, theirs.sel(year=own["year"]), atol=5.1e-5)
        assert own.attrs == {key: theirs.attrs[key] for key in ("units", "long_name")}
    own, theirs = (each["summary/crossing_quantile"].sel(quantile=list(LEVELS)) for each in (read, run))
    np.testing.assert_allclose(own, theirs, atol=5.1e-4)
    assert read["summary/never"].sel(threshold="far") == 1
    assert {key: read.attrs[key] for key in ("run_id", "scenario_hash", "samples", "first_year", "known_to")} == {
        **{key: run.attrs[key] for key in ("run_id", "scenario_hash", "samples")},
        "first_year": 2025.5,
        "known_to": "2025-06-30",
    }
    assert stored_scenario(read).data == stored_scenario(run).data
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))  # as a checkout on Windows has it
    assert open_frozen(file).identical(read)


def test_a_run_that_does_not_say_whether_something_is_uncertain_is_frozen_as_one_where_it_is(run: Run) -> None:
    early, texts = run.copy(), {"dated": "2025-11", "frozen": "2025-11-01"}
    del early.attrs["uncertain"]
    assert "\nuncertain: 1\n" in frozen_text(early, **texts)
    assert frozen_text(early, **texts).splitlines()[-50:] == frozen_text(run, **texts).splitlines()[-50:]


def test_it_says_what_its_numbers_are_in_words_that_people_read(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    today = dt.datetime.now(tz=dt.UTC).date()
    for line in (f"frozen: '{today}'", "    unit: log10(USD)", "    delayed: true", "known_to: '2025-06-30'"):
        assert f"\n{line}\n" in text
    assert "crossing_year: [never, never" in text


def test_a_forecast_is_frozen_once(run: Run, file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(InputError, match=r"linear-2025-11\.yaml: is frozen already, and stays as it is"):
        freeze_forecast(run, file.parent, dated="2025-11")
    assert file.read_bytes() == before
    assert freeze_forecast(run, file.parent, dated="2025-12") != file
    assert {path.name for path in file.parent.iterdir()} == {file.name, "linear-2025-12.yaml", "scenarios"}


def test_killed_before_its_scenario_is_whole_nothing_is_frozen(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("simulator.runs.frozen.write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            freeze_forecast(run, tmp_path, dated="2025-11")
    path = freeze_forecast(run, tmp_path, dated="2025-11")
    assert (path.parent / "scenarios" / path.name).exists()


def test_a_date_must_be_one_that_has_come(run: Run, tmp_path: Path) -> None:
    for dated, said in (
        ("9999-01", "lies ahead of today"),
        ("2026-13", "--dated: "),
        ("11/2026", "must be a month or a day"),
    ):
        with pytest.raises(InputError, match=said):
            freeze_forecast(run, tmp_path, dated=dated)
    assert list(tmp_path.iterdir()) == []
    today = dt.datetime.now(tz=dt.UTC).date()
    with pytest.raises(InputError, match="lies ahead of today"):
        freeze_forecast(run, tmp_path, dated=f"{today + dt.timedelta(days=2)}")
    assert freeze_forecast(run, tmp_path, dated=f"{today}").name == f"linear-{today}.yaml"


def test_what_was_changed_since_is_refused(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("never: 1.0", "never: 0.5"))
    with pytest.raises(RunFileError, match="was changed since it was frozen"):
        open_frozen(file)
    file.write_text("schema: 2\n")
    with pytest.raises(RunFileError, match="is no frozen forecast"):
        open_frozen(file)
    file.write_text(text)
    beside = file.parent / "scenarios" / file.name
    beside.write_text(beside.read_text().replace("seed: 7", "seed: 8"))
    with pytest.raises(RunFileError, match="is not the scenario of"):
        open_frozen(file)


def test_without_its_scenario_it_says_what_its_scores_ask(file: Path) -> None:
    (file.parent / "scenarios" / file.name).unlink()
    scenario = open_frozen(file).attrs["scenario"]
    assert scenario == '{"thresholds": {"slow": {"delay": true}}, "as_of": "2025-06-30"}'


def test_a_series_is_in_the_order_of_its_dates(run: Run, file: Path) -> None:
    for dated in ("2026", "2024-06-01"):
        freeze_forecast(run, file.parent, dated=dated)
    dates = [each.attrs["dated"] for each in frozen_series(file.parent, "linear")]
    assert dates == ["2024-06-01", "2025-11", "2026"]
    assert len(frozen_series(file.parent, "linear", since="2025-11")) == 2
    with pytest.raises(InputError, match=r"holds no forecast of baseline. There are: linear\."):
        frozen_series(file.parent, "baseline")
    with pytest.raises(InputError, match="holds no frozen forecasts"):
        frozen_series(file.parent / "scenarios" / "none", "linear")


def test_a_copy_is_no_second_release(file: Path) -> None:
    (file.parent / "copy.yaml").write_text(file.read_text())
    with pytest.raises(
        InputError, match=r"linear-2025-11.yaml: is the release of linear of 2025-11, as copy.yaml is \(run \w+\)"
    ):
        frozen_series(file.parent, "linear")


def test_the_series_of_the_repository_is_as_it_was_frozen() -> None:
    files = sorted((ROOT / "forecasts").glob("*.yaml"))
    runs = list(map(open_frozen, files))
    assert [f"{run.attrs['name']}-{run.attrs['dated']}" for run in runs] == [file.stem for file in files]
    assert all("drivers" in run.attrs["scenario"] for run in runs)  # the scenario beside it, of the hash that it says
    page = (ROOT / "docs" / "forecasts.md").read_text(encoding="utf-8")
    for run, file in zip(runs, files, strict=True):
        assert f"| [{run.attrs['dated']}](../forecasts/{file.name}) | {run.attrs['frozen']} |" in page
    with (ROOT / "forecasts" / "ledger.csv").open() as stream:
        assert {row["run_id"] for row in csv.DictReader(stream)} <= {run.attrs["run_id"] for run in runs}
