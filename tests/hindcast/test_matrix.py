"""The matrix reads tables, scores each cell once, and has a bar that fails when skill is lost."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.hindcast.arms import Arm, path_arms, rule_arms
from simulator.hindcast.matrix import (
    REVISED,
    REVISION,
    OwnTable,
    Question,
    Truth,
    make_matrix,
    program_hash,
    revised,
    told_later,
    truths,
)
from simulator.hindcast.matrix_page import matrix_page
from simulator.history.forecast import RecordForecast
from tests.hindcast.made_up_record import OBSERVED, RECORD
from tests.hindcast.small_history import TABLE

MADE_UP = Truth("made up", dt.date(2023, 2, 1), OBSERVED, games=True)
RULES = rule_arms(size=200, seed=0)


class Counted:
    """A forecast that counts how often it is made."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def __call__(self, seen, origin: int) -> RecordForecast:
        self.made.append(origin)
        years = tuple(range(origin + 1, seen.years[1] + 1))
        return RecordForecast(
            origin, years, seen.record_at(origin + 1.0) + np.linspace(0, 1, 50) * np.ones((len(years), 1))
        )


def test_what_was_scored_is_read_and_a_half_file_is_made_again(tmp_path: Path) -> None:
    counted, told = Counted(), list[str]()
    for name in ("0123abcd", "mine"):
        (tmp_path / name).mkdir()
    arms = [Arm("mine", counted), *RULES]
    first = make_matrix(arms, tables=[MADE_UP], folder=tmp_path, say=told.append)
    assert counted.made == list(range(2014, 2022))
    assert told == ["1 of 1: made up, 5 ways from 8 origins"]
    files = sorted(tmp_path.glob("*/*.json"))
    assert len(files) == 5 * 8
    assert (tmp_path / "mine").is_dir()
    assert not (tmp_path / "0123abcd").exists()  # scores of another program
    (mine,) = (
        file
        for file in files
        if json.loads(file.read_text())["forecast"] == "mine" and '"origin": 2019' in file.read_text()
    )
    mine.write_text(mine.read_text()[:50])
    again = make_matrix(arms, tables=[MADE_UP], folder=tmp_path)
    assert counted.made[8:] == [2019]
    assert again.forecasts == first.forecasts
    make_matrix(arms, tables=[MADE_UP], origins=[2020], settled=["another seed"], folder=tmp_path)
    assert counted.made[9:] == [2020]


def test_what_is_wrong_with_a_fit_is_kept_with_its_scores_and_said(tmp_path: Path) -> None:
    arm = Arm("mine", Counted(), doubts=lambda _, origin: ["chains disagree."] if origin < 2016 else [])
    for _ in range(2):  # made, and read
        found = make_matrix([arm, *RULES], tables=[MADE_UP], folder=tmp_path)
        assert found.doubted == {"mine": "2 times, first made up, 2014: chains disagree."}


def test_a_way_that_some_origin_is_too_early_for_is_said_and_a_rule_that_fails_is_a_fault() -> None:
    def late(seen, origin: int) -> RecordForecast:
        if origin < 2018:
            raise InputError("nothing was known.")
        return Counted()(seen, origin)

    found = make_matrix([*RULES, Arm("late", late)], tables=[MADE_UP])
    assert found.missing == {"late": "4 times, first made up, 2014: nothing was known."}
    assert sorted(set(found.forecasts.where(forecast="late")["origin"])) == [2018, 2019, 2020, 2021]
    assert "late" not in found.means.where(origins="2015 on")["forecast"].tolist()
    assert "late" in found.means.where(origins="2018, 2020, 2022")["forecast"].tolist()
    with pytest.raises(InputError, match="nothing was known"):
        make_matrix([Arm("late", late), *RULES], tables=[MADE_UP])
    with pytest.raises(InputError, match="no table has a year after them"):
        make_matrix(RULES, tables=[MADE_UP], origins=[2022])


def test_a_table_has_the_origins_that_it_knows_enough_of_and_sets_without_any_are_left_out() -> None:
    short = {key: getattr(OBSERVED, key)[6:] for key in ("run_year", "run_log_compute", "cost_log_usd", "record_year",
                                                         "record_log_compute")}  # fmt: skip
    later = Truth("later", dt.date(2023, 2, 1), replace(OBSERVED, **short), games=True)
    both = make_matrix([Arm("mine", Counted()), *RULES], tables=[MADE_UP, later]).forecasts
    assert sorted(set(both.where(table="later")["origin"])) == [2020, 2021]
    mine = Arm("mine", Counted(), hindsight=lambda origin: "it knew" if origin < 2019 else "")
    found = make_matrix([mine, *RULES], tables=[MADE_UP], origins=[2019, 2019])
    assert found.forecasts.where(forecast="mine")["target"].tolist() == [2020, 2021, 2022]
    assert found.sets == ("2014 on", "2015 on")
    assert set(found.verdicts["origins"]) == set(found.sets)
    assert "mine" not in found.knew
    assert "Origins 2018, 2020, 2022: the" not in matrix_page(found, command="simulate hindcast --matrix")
    assert "origins 2015 on" in "\n".join(found.lines())


def test_every_table_stands_with_and_without_games_to_its_last_whole_year(tmp_path: Path) -> None:
    rows = [f"run {year},{year}-03-01,{10.0 ** (18 + year - 2012):.3g},1e5,Language" for year in range(2012, 2025)]
    rows.append("a game,2017-10-18,3e23,,Games")
    head = "Model,Publication date,Training compute (FLOP),Training compute cost (2023 USD),Domain"
    file = tmp_path / "mine.csv"
    file.write_text("\n".join([head, *rows]))
    found = {each.name: each for each in truths([OwnTable.read(f"{file}@2025-02")])}
    assert list(found) == [
        "shipped 2026-05", "shipped 2026-05, no games", "shipped 2025-06", "shipped 2025-06, no games",
        "mine 2025-02", "mine 2025-02, no games",
    ]  # fmt: skip
    assert found["mine 2025-02"].seen.years == (2012, 2024)
    assert found["mine 2025-02"].seen.record_at(2018.0) == pytest.approx(np.log10(3e23))
    assert found["mine 2025-02, no games"].seen.record_at(2018.0) == pytest.approx(23)
    (ended, *_) = [each for each in truths([OwnTable.read(f"{file}@2025-02:2020")]) if each.name == "mine 2025-02"]
    assert ended.seen.years == (2012, 2020)
    with pytest.raises(InputError, match="two tables are called 'mine 2025-02'"):
        truths([OwnTable.read(f"{file}@2025-02")] * 2)
    stale = tmp_path / "stale.csv"
    stale.write_text(TABLE)
    with pytest.raises(InputError, match="ends on 2027-11-01"):
        truths([OwnTable.read(f"{stale}@2031")])
    early = next(each for each in truths([OwnTable.read(f"{file}@2023-01")]) if each.name == "mine 2023-01")
    assert early.notes[0] == "2 of 14 came after the snapshot's date 2023-01-31: is that date right?"
    odd = make_matrix(RULES, tables=[replace(MADE_UP, notes=early.notes[:1])])
    assert odd.warnings == (f"made up: {early.notes[0]}",)
    for text in ("mine.csv", "@2025", "mine.csv@"):
        with pytest.raises(InputError, match="must be FILE@DATE"):
            OwnTable.read(text)


def test_the_command_names_no_folder() -> None:
    asked = Question(
        (OwnTable.read("/a/b/mine.csv@2025-02:2023"),), ("learned", "baseline"), True, (2018, 2020), "pymc", 3
    )
    assert asked.words == (
        "simulate hindcast learned --against baseline --matrix --allow-hindsight --table mine.csv@2025-02:2023 "
        "--origins 2018,2020 --sampler pymc --seed 3"
    )


def test_scores_are_those_of_the_shipped_priors_and_scenarios(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hashes = set[str]()
    monkeypatch.setattr("simulator.hindcast.matrix.shipped_folder", lambda kind: tmp_path / kind)
    for name in ("priors/history.yaml", "scenarios/learned.yaml"):
        (tmp_path / name).parent.mkdir()
        for text in ("one", "two"):
            (tmp_path / name).write_text(text)
            hashes.add(program_hash.__wrapped__())
    assert len(hashes) == 4


def test_revision_changes_a_share_of_samples_by_its_spread_in_all_years_alike() -> None:
    whole = revised(RecordForecast(2018, (2019, 2020), np.zeros((2, 100_000)))).samples
    assert (whole[0] == whole[1]).all()
    changed = whole[0][whole[0] != 0]
    assert changed.size / 100_000 == pytest.approx(REVISED, abs=0.006)
    assert changed.std() == pytest.approx(REVISION, abs=0.006)


def test_a_truth_that_is_told_later_lengthens_the_record_and_changes_nothing_before() -> None:
    early = OBSERVED.record_year <= 2019
    before = replace(OBSERVED, record_year=OBSERVED.record_year[early], record_log_compute=RECORD[early] + 0.5,
                     run_year=OBSERVED.run_year[early], run_log_compute=RECORD[early] + 0.5,
                     cost_log_usd=OBSERVED.cost_log_usd[early], known_to=0.0)  # fmt: skip
    whole = told_later(before, OBSERVED)
    assert whole.years == (2012, 2022)
    assert whole.record_at(2020.0) == RECORD[7] + 0.5
    early_table = Truth("early", dt.date(2020, 2, 1), before, games=True)
    rows = make_matrix(RULES, tables=[early_table, MADE_UP]).vintages
    other = make_matrix(RULES, tables=[early_table, MADE_UP], later=RULES[:1]).vintages
    assert set(other["forecast"]) == {RULES[0].name}
    assert set(rows["table"]) == {"early"}
    assert rows.where(forecast="4x a year")["target"].tolist() == [2020, 2021, 2022]
    assert rows.where(forecast="4x a year")["observed"].tolist() == RECORD[-3:].tolist()


@pytest.mark.slow
def test_the_forecast_keeps_its_skill() -> None:
    """The bar: on the shipped table from 2015 on below 0.85 of 4x a year, whose rate has hindsight (measured: 0.79).

    What lost its skill is above it: off by twice in either direction, half as wide again, or one of the three parts.
    """
    size, shipped = 1000, truths()[0]
    lead, _, _, from_record, *_ = path_arms(size=size, seed=0)

    def spoilt(seen, origin: int, *, off: float = 0.0, wide: float = 1.0) -> RecordForecast:
        made = lead.forecast(seen, origin)
        centre = np.median(made.samples, axis=1, keepdims=True)
        return replace(made, samples=centre + off + wide * (made.samples - centre))

    worse = [Arm(f"off by {off:+}", partial(spoilt, off=off)) for off in (-0.3, 0.3)]
    worse += [Arm("too wide", partial(spoilt, wide=1.5)), from_record]
    arms = [lead, *worse, *rule_arms(size=size, seed=0)]
    found = make_matrix(arms, tables=[shipped], origins=range(2015, 2025))
    scored = {row["forecast"]: row["crps"] for row in found.summary.where(origins="2015 on").rows()}
    bar = 0.85 * scored["4x a year"]
    assert scored[lead.name] < bar
    assert min(scored[arm.name] for arm in worse) > bar
    assert not found.verdicts.where(verdict="worse").rows()
