"""The chart of counts of models, and the table that it is drawn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simulator import load_scenario, simulate
from simulator.charts.drawing import draw_kinds, write_charts
from simulator.charts.kinds.model_counts import CountPanel, count_figures, draw_counts
from simulator.charts.register import KINDS
from simulator.charts.spec import FigureOptions, Head
from simulator.errors import InputError
from simulator.runs.actors import actor_counts, actor_summaries
from simulator.runs.folder import open_run, write_run
from simulator.runs.groups import RunLabel
from simulator.runs.model_counts import OF_SUM, READINGS, count_lines, count_table, counted_names, said_counts
from simulator.runs.table import Table
from tests.charts.drawn import texts

RUN = RunLabel("3f9a2c1", "few", seed=1, samples=9)


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return simulate(load_scenario("published/kumar-manning-2025", overrides=["samples=1024"]))


def panel(*, last: tuple[float, float, float]) -> CountPanel:
    keys = ("lower_90", "median", "upper_90")
    rows = [{"year": 2025, **dict.fromkeys(keys, 0.0)}, {"year": 2026, **dict(zip(keys, last, strict=True))}]
    return CountPanel(Table.of_rows(rows), Table.of_rows(rows), "Models above 1e26 FLOP", "by the end of 2026")


def test_the_table_holds_every_count_in_every_reading(run: xr.DataTree) -> None:
    rows = count_table(run).rows()
    assert len(rows) == 5 * 5 * 3
    assert {row["reading"] for row in rows} == set(READINGS)
    assert {row["year"] for row in rows} == set(range(2024, 2029))
    for row in rows:
        assert row["lower_90"] <= row["median"] <= row["upper_90"]


def test_the_table_is_written_beside_the_run_and_reads_alike_from_the_file(run: xr.DataTree, tmp_path: Path) -> None:
    folder = write_run(run, tmp_path)
    assert (folder / "models.csv").read_text().splitlines()[0] == (
        "variable,counts,year,reading,lower_90,median,upper_90"
    )
    with open_run(folder) as opened:
        assert count_table(opened) == count_table(run)


def test_counts_are_listed_by_rising_level_in_whatever_order_a_file_holds_them(run: xr.DataTree) -> None:
    summary = run["summary"].to_dataset()
    other = xr.DataTree.from_dict({"summary": summary[sorted(map(str, summary.data_vars), reverse=True)]})
    assert counted_names(other) == counted_names(run)
    assert counted_names(run) == [
        "models_above_1e25", "models_above_1e26",
        *(f"models_within_{distance}_oom" for distance in ("0.5", "1", "1.5")),
    ]  # fmt: skip


def test_a_run_without_counts_has_no_table_no_line_and_no_chart(tmp_path: Path) -> None:
    plain = simulate(load_scenario("doubling-times", overrides=["samples=256"]))
    assert counted_names(plain) == count_table(plain).rows() == count_lines(plain) == []
    assert not (write_run(plain, tmp_path) / "models.csv").exists()
    with pytest.raises(InputError, match="counts no models"):
        count_figures(plain, FigureOptions())
    said: list[str] = []
    assert "counts" not in [figure.name for figure in draw_kinds(plain, ["all"], FigureOptions(), left_out=said.append)]
    assert said == []  # what does not apply is no news


def test_the_numbers_of_the_last_year_stand_in_the_chart_in_both_readings(run: xr.DataTree) -> None:
    (figure,) = count_figures(run, FigureOptions(quantities=("models_above_1e26",)))
    said = texts(figure.chart)
    for row in figure.tables[""].rows():
        if row["year"] == 2028 and row["reading"] != "in the year":
            for key in ("lower_90", "median", "upper_90"):
                assert f"{float(str(row[key])):,.0f}" in said
            assert said_counts(dict(row)) in figure.caption
    assert {"90 % interval of the total (percentile of the sum)", "sum of percentiles (5, 50, 95 %)"} <= set(said)
    assert "percentile of the sum" in figure.caption
    assert "no interval of the total" in figure.caption


def test_every_count_has_a_panel_and_those_that_are_asked_for_are_chosen(run: xr.DataTree) -> None:
    (figure,) = count_figures(run, FigureOptions())
    said = texts(figure.chart)
    for heading in ("Models above 1e25 FLOP", "Models within 0.5 OOM of the frontier"):
        assert heading in said
    (few,) = count_figures(run, FigureOptions(quantities=("models_within_1_oom",), years=(2025.0, 2027.0)))
    assert {row["variable"] for row in few.tables[""].rows()} == {"models_within_1_oom"}
    assert {row["year"] for row in few.tables[""].rows()} == {2025, 2026, 2027}


def test_what_is_not_counted_is_refused_by_name(run: xr.DataTree) -> None:
    with pytest.raises(InputError, match=r"Did you mean 'models_above_1e2[56]'"):
        count_figures(run, FigureOptions(quantities=("models_above_1e24",)))
    with pytest.raises(InputError, match="two or more years"):
        count_figures(run, FigureOptions(years=(2028.0, 2030.0)))


def y_domains(chart: object) -> list[list[float]]:
    found: list[list[float]] = []

    def walk(spec: object) -> None:
        if isinstance(spec, dict):
            if isinstance(spec.get("y"), dict) and (spec["y"].get("scale") or {}).get("domain"):
                found.append(spec["y"]["scale"]["domain"])
            for inner in spec.values():
                walk(inner)
        elif isinstance(spec, list):
            for inner in spec:
                walk(inner)

    walk(chart)  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize(
    ("last", "log"), [((3.0, 5.0, 9.0), False), ((44.0, 81.0, 146.0), False), ((0.0, 40.0, 4e4), True)]
)
def test_the_axis_is_of_whole_numbers_and_a_logarithm_where_it_is_wide(
    last: tuple[float, float, float], *, log: bool
) -> None:
    chart = draw_counts([panel(last=last)], head=Head("Counts", "", RUN))
    for low, high in y_domains(chart):
        assert low == 0
        assert (high < 6) == log
    ticks = [text for text in texts(chart) if text.replace(",", "").replace(".", "").isdecimal()]
    assert all("." not in tick for tick in ticks)


def test_the_charts_of_a_run_folder_have_the_counts(run: xr.DataTree, tmp_path: Path) -> None:
    assert "counts" in KINDS
    write_charts(run, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.{ending}" for name in ("fan_physical_compute", "counts") for ending in ("png", "svg")
    }


def test_a_panel_that_lacks_a_number_is_refused() -> None:
    rows = [{"year": year, "lower_90": 1.0, "median": np.nan, "upper_90": 2.0} for year in (2025, 2026)]
    with pytest.raises(InputError, match="median: must be a finite number"):
        draw_counts([CountPanel(Table.of_rows(rows), Table.of_rows(rows), "Models", "")], head=Head("", "", RUN))
    with pytest.raises(InputError, match="nothing to draw"):
        draw_counts([], head=Head("", "", RUN))


def test_models_of_several_actors_are_told_and_drawn_for_each_that_has_some() -> None:
    share = "models={largest_share: 10 %, smallest: 5, above: [1e26, 1e27]}"
    run = simulate(
        load_scenario("actors", overrides=["samples=128", "years.last=2030", share, "actors.open-weights.models=none"])
    )
    table = actor_counts(run).where(reading=OF_SUM, year=2030, variable="models_above_1e26")
    assert table["label"].tolist() == ["US laboratory", "Chinese laboratory", "Open weights"]
    assert table["median"].tolist()[2] == 0
    said = [f"{row['label']} {said_counts(row)}" for row in table.rows()]
    assert f"    apart: {', '.join(said)}" in count_lines(run, actor_summaries(run))
    assert f"    apart: {', '.join(said)}" in run.lines()
    whole, apart = count_figures(run, FigureOptions(years=(2027, 2030)))
    assert (whole.name, apart.name) == ("counts", "counts_by_actor")
    assert apart.caption.startswith(
        "Models above 1e27 FLOP by actor, by the end of 2030, median and 90 % interval: US lab"
    )
    assert {"US laboratory", "Chinese laboratory"} <= {*texts(apart.chart)}
    assert "Open weights" not in str(texts(apart.chart))
    assert set(apart.tables[""]["year"]) == {2027, 2028, 2029, 2030}
    assert "US laboratory" not in str(texts(whole.chart))
