"""The charts of a hindcast."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.charts.drawing import draw_result
from simulator.charts.kinds.hindcast import (
    calibration_figures,
    fan_figures,
    hindcast_figures,
    skill_figures,
    write_pictures,
)
from simulator.charts.writing import svg_text
from simulator.errors import InputError
from simulator.hindcast.output import Hindcast
from simulator.hindcast.rows import MODEL, made_table, skills
from tests.charts.drawn import tables
from tests.hindcast.small_hindcast import ROWS, forecasts, row


def stored(rows: list, *, record: bool = True) -> Hindcast:
    known = [{"year": year, "log_flop": 24.0, "snapshot": "2026-05"} for year in range(2012, 2023)] if record else []
    origins, made = tuple(sorted({row["origin"] for row in rows})), forecasts(rows)
    return Hindcast("x", origins, made, skills(made), record=made_table("record", known), folder_name="hindcast-x")


OUTSIDE = [{**each, "observed": 29.0, "inside_90": each["origin"] != 2020} for each in ROWS]
LATE = [{**each, "hindsight": each["forecast"] != MODEL} for each in ROWS]
EVERY = (fan_figures, calibration_figures, skill_figures)


@pytest.mark.parametrize("draw", EVERY)
def test_the_number_of_distinct_years_is_large_on_every_chart(draw) -> None:
    for figure in draw(stored(ROWS)):
        text = svg_text(figure.chart)
        assert 'font-size="40px" font-weight="bold"' in text
        assert "distinct years that came," in text
        assert "4 distinct years, forecast 6 times." in figure.caption
        assert figure.alt_text


@pytest.mark.parametrize("draw", EVERY)
def test_hindsight_is_printed_on_every_chart_that_draws_such_a_row_and_on_no_other(draw) -> None:
    for figure in draw(stored(LATE)):
        mine = figure.name == "hindcast_fans"  # of the model alone, which knew nothing
        assert ("indsight" in svg_text(figure.chart)) is not mine, figure.name
    assert not any("indsight" in svg_text(figure.chart) for figure in draw(stored(ROWS)))


def test_what_came_is_told_apart_inside_and_outside() -> None:
    model, _ = fan_figures(stored(OUTSIDE))
    assert model.caption.split(". ")[1] == "Inside the 90 % band: model 4 of 6"
    assert [row["inside_90"] for row in model.tables[""].rows()] == [True] * 4 + [False] * 2
    text = svg_text(model.chart)
    assert "4 of 4 inside 90 %" in text
    assert "0 of 2 inside 90 %" in text


def test_a_fan_begins_at_the_record_of_its_origin_where_that_is_known() -> None:
    def years(chart) -> set[float]:
        return {row["year"] for rows in tables(chart) for row in rows if "median" in row}

    assert min(years(fan_figures(stored(ROWS))[0].chart)) == 2018.0
    assert min(years(fan_figures(stored(ROWS, record=False))[0].chart)) == 2019.0


def test_many_origins_are_set_in_rows_of_four_and_the_others_drawn_from_some() -> None:
    rows = [row(name, origin, 2022, 0.3) for name in (MODEL, "4x a year") for origin in range(2016, 2022)]
    model, others = fan_figures(stored(rows))
    assert [len(view["hconcat"]) for view in model.chart["vconcat"] if "hconcat" in view] == [4, 2]
    assert "Drawn are 4 of 6 origins" in svg_text(others.chart)
    assert len(others.tables[""]) == 6


def test_skill_names_who_is_better_and_refuses_a_model_alone() -> None:
    (figure,) = skill_figures(stored(ROWS))
    assert figure.caption.startswith(
        "The model against simple rules: too few distinct years to tell 1 of 1. Skill in CRPS"
    )
    assert "4x a year +0.60." in figure.caption
    with pytest.raises(InputError, match="has the model alone"):
        skill_figures(stored([each for each in ROWS if each["forecast"] == MODEL]))


def test_calibration_names_what_is_further_off_than_chance() -> None:
    (figure,) = calibration_figures(stored(ROWS))
    assert figure.caption.startswith("The model's 50, 80 and 90 % intervals held 6 of 6, 6 of 6 and 6 of 6.")
    assert "Away from what they state by more than chance: model at 50 % (6 of 6)" in figure.caption
    assert len(figure.tables["coverage"]) == 6
    said = svg_text(figure.chart, alt_text="")
    for entry in ("expected", "90 % by chance", "its 90 % interval", "as stated"):
        assert f">{entry}<" in said


def test_charts_are_written_with_tables_and_words_the_same_every_time(tmp_path: Path) -> None:
    first, second = (draw_result(stored(ROWS), tmp_path / name, asked=["skill"], formats=["svg"]) for name in "ab")
    assert [path.name for path in first] == [
        "hindcast_skill.svg", "hindcast_skill.csv", "hindcast_skill_by_years_ahead.csv", "hindcast_skill.txt"
    ]  # fmt: skip
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_kind_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match=r"no kind of chart of a hindcast 'fan'. Did you mean 'fans'"):
        hindcast_figures(stored(ROWS), ["fan"])


def test_the_pictures_of_the_page_are_small(tmp_path: Path) -> None:
    assert [name for name, _ in write_pictures(stored(ROWS), tmp_path)] == ["hindcast_fans.svg", "hindcast_skill.svg"]
    assert max(path.stat().st_size for path in tmp_path.iterdir()) < 100_000
