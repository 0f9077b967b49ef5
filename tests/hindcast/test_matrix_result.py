"""What a matrix amounts to: its means, ratios, horizons and verdicts add up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulator import open_result
from simulator.hindcast.rows import record_table
from simulator.runs.kinds import MATRIX_TABLES
from tests.columns import unsaid
from tests.hindcast.made_up_record import OBSERVED
from tests.hindcast.small_matrix import MATRIX


def test_means_are_of_cells_and_the_summary_of_tables() -> None:
    (mine,) = MATRIX.means.where(table="one", forecast="forecast", origins="2015 on").rows()
    cells = MATRIX.forecasts.where(table="one", forecast="forecast")
    late = cells.where(cells["origin"] >= 2015)
    assert mine["crps"] == pytest.approx(np.mean(late["crps"].astype(float)))
    assert mine["forecasts"] == len(late)
    assert mine["ratio"] == pytest.approx(0.5)  # the best rule of this table
    (two,) = MATRIX.means.where(table="two", forecast="forecast", origins="2015 on").rows()
    assert two["ratio"] == pytest.approx(2.0)
    (whole,) = MATRIX.summary.where(forecast="forecast", origins="2015 on").rows()
    assert whole["ratio_mean"] == pytest.approx(1.25)
    assert whole["ratio_worst"] == pytest.approx(2.0)
    assert whole["crps"] == pytest.approx((mine["crps"] + two["crps"]) / 2)
    assert whole["width_90"] == pytest.approx(2.0)


def test_the_ratio_of_the_whole_is_to_the_rule_that_is_best_of_the_whole() -> None:
    rows = {row["forecast"]: row for row in MATRIX.summary.where(origins="2014 on").rows()}
    best = min(rows[name]["crps"] for name in ("4x a year", "random walk"))
    assert rows["forecast"]["ratio"] == pytest.approx(rows["forecast"]["crps"] / best)
    assert min(rows[name]["ratio"] for name in ("4x a year", "random walk")) == pytest.approx(1.0)


def test_a_way_that_is_not_made_on_every_table_has_no_mean_over_all() -> None:
    some = [
        not (table == "two" and name == "stack")
        for table, name in MATRIX.forecasts.select("table", "forecast").records()
    ]
    found = replace(MATRIX, forecasts=MATRIX.forecasts.where(some))
    assert "stack" in found.means["forecast"].tolist()
    assert set(found.summary["forecast"]) == {"forecast", "learned", "4x a year", "random walk"}


def test_horizons_count_every_forecast_once_and_their_fifths_sum_to_one() -> None:
    mine = MATRIX.horizons.where(forecast="forecast").rows()
    assert sum(row["forecasts"] for row in mine) == len(MATRIX.forecasts.where(forecast="forecast"))
    assert [row["first_ahead"] for row in mine] == [1, 2, 4, 7]
    for row in mine:
        assert sum(row[f"pit_{place}"] for place in range(1, 6)) == pytest.approx(1)


def test_verdicts_are_on_each_rule_and_none_of_three_origins() -> None:
    mine = MATRIX.verdicts.where(forecast="forecast").rows()
    told = {(row["table"], row["origins"], row["baseline"]): row["verdict"] for row in mine}
    assert told["one", "2014 on", "4x a year"] == "better"
    assert told["two", "2014 on", "4x a year"] == "worse"
    assert told["one", "2018, 2020, 2022", "4x a year"] == "too few distinct years to tell"
    assert len(told) == 2 * 3 * 2
    assert set(MATRIX.verdicts["forecast"]) == {"forecast", "stack", "learned"}
    (row,) = MATRIX.verdicts.where(table="two", origins="2014 on", forecast="learned", baseline="random walk").rows()
    assert (row["verdict"], row["difference"]) == ("worse", pytest.approx(-0.3))


def test_one_table_is_a_hindcast() -> None:
    found = MATRIX.of("one")
    assert found.lead == "forecast"
    assert found.record == record_table(OBSERVED)
    assert len(found.forecasts) == len(MATRIX.forecasts.where(table="one"))


def test_it_is_written_and_shown_again(tmp_path: Path) -> None:
    folder = MATRIX.save(tmp_path)
    assert {file.stem for file in folder.glob("*.csv")} == set(MATRIX_TABLES)
    stored = open_result(folder)
    assert stored.kind == "matrix"
    assert unsaid(MATRIX.tables()) == unsaid(stored.tables()) == []
    assert list(stored.lines()) == list(MATRIX.lines())
    assert list(MATRIX.dataset["means"].sizes) == ["table", "forecast", "origins"]
