"""The charts of a run."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import xarray as xr

from simulator import fan_chart
from simulator.charts import drawing
from simulator.charts.drawing import draw, draw_charts, draw_kinds, write_charts
from simulator.charts.register import KINDS, Draw
from simulator.charts.spec import Figure, FigureOptions
from simulator.errors import InputError, RunFileError
from simulator.registers import Register
from simulator.testing import run_of, small_scenario
from tests.charts.small import scenario
from tests.money import money_alone, power_alone


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return run_of(scenario())


def test_a_fan_says_its_range_its_run_and_its_seed(run: xr.DataTree) -> None:
    text = fan_chart(run).to_json()
    for word in ("Small scenario", run.attrs["run_id"], "Effective compute", "FLOP in 2035", "Thirty"):
        assert word in text, word


@pytest.mark.parametrize(
    ("quantity", "words"),
    [("spending", "USD in 2035"), ("algorithms", "times the start in 2035"), ("hardware", "FLOP/USD in")],
)
def test_every_level_of_a_run_can_be_drawn(run: xr.DataTree, quantity: str, words: str) -> None:
    assert words in fan_chart(run, quantity).to_json()


def test_a_run_of_the_summary_can_be_drawn() -> None:
    run = run_of(small_scenario({"thresholds.a": {"effective_compute": 1e60}}), keep="summary")
    assert run.attrs["run_id"] in fan_chart(run).to_json()


def test_what_is_not_there_is_named(run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="Did you mean 'spending'"):
        fan_chart(run, "spendin")
    with pytest.raises(InputError, match=r"no kind of chart 'fans'\. Did you mean 'fan'"):
        draw(run, "fans")
    with pytest.raises(InputError, match=r"no kind of chart 'pie'\. There are: fan, crossings"):
        draw(run, "pie")


@pytest.mark.parametrize("kind", KINDS.shipped)
def test_every_kind_is_drawn_or_says_why_not(run: xr.DataTree, kind: str) -> None:
    try:
        drawn = draw(run, kind)
    except InputError as error:
        assert len(str(error)) > 20  # noqa: PT017  # either outcome is right, a crash is not
    else:
        assert drawn
        assert len({figure.name for figure in drawn}) == len(drawn)
        for figure in drawn:
            assert figure.caption
            assert figure.alt_text


def refuse(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    raise InputError("the run has no caps.")


def kinds(**others: Draw) -> Register[Draw]:
    return Register("kind of chart", "simulator.no_kinds", {"fan": KINDS.find("fan"), **others})


def damaged(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    raise RunFileError("damaged")


def test_all_leaves_out_what_does_not_apply_and_says_why(run: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "KINDS", kinds(demand=refuse))
    said: list[str] = []
    drawn = draw_kinds(run, ["all"], FigureOptions(), left_out=said.append)
    assert [figure.name for figure in drawn] == ["fan_effective_compute"]
    assert said == ["demand: left out: the run has no caps."]


def test_a_kind_asked_for_by_name_is_never_left_out(run: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "KINDS", kinds(demand=refuse, growth=damaged))
    with pytest.raises(InputError, match="no caps"):
        draw_kinds(run, ["demand"], FigureOptions(), left_out=print)
    with pytest.raises(RunFileError, match="damaged"):
        draw_kinds(run, ["all"], FigureOptions(), left_out=lambda _: None)
    with pytest.raises(InputError, match="Did you mean 'spending'"):
        draw_kinds(run, ["all"], FigureOptions(quantities=("spendin",)), left_out=print)


def test_a_figure_asked_for_twice_is_drawn_once(run: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "KINDS", kinds())
    assert len(draw_kinds(run, ["fan", "all", "fan"], FigureOptions(), left_out=print)) == 1


def test_a_figure_is_written_in_each_format_with_its_tables_and_words(run: xr.DataTree, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "charts"
    formats = ("pdf", "png", "svg", "html")
    written = draw_charts(run, folder, kinds=["fan"], options=FigureOptions(paths=2), formats=formats, theme="dark")
    assert sorted(written) == sorted(folder.iterdir())
    assert {path.name.removeprefix("fan_effective_compute") for path in written} == {
        ".pdf", ".png", ".svg", ".html", ".csv", "_thresholds.csv", "_crossings.csv", "_paths.csv", ".txt",
    }  # fmt: skip
    words = (folder / "fan_effective_compute.txt").read_text(encoding="utf-8")
    (figure,) = draw(run, "fan", FigureOptions(paths=2))
    assert words == f"{figure.caption}\n\nAlternative text: {figure.alt_text}\n"
    with (folder / "fan_effective_compute.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["median"]) for row in rows] == [row["median"] for row in figure.tables[""].rows()]
    assert f'fill="{"#14181D"}"' in (folder / "fan_effective_compute.svg").read_text(encoding="utf-8")[:900]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"formats": ["pgn"]}, "--format: must be of png, svg, pdf, html, vega; got 'pgn'. Did you mean 'png'"),
        ({"formats": []}, "--format: must be one or more of"),
        ({"theme": "drak"}, "--theme: must be light or dark; got 'drak'"),
        ({"kinds": ["fann"]}, "no kind of chart 'fann'"),
    ],
)
def test_a_wrong_word_is_refused_before_anything_is_written(
    run: xr.DataTree, tmp_path: Path, wrong: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        draw_charts(run, tmp_path / "none", **{"kinds": ["fan"], **wrong})
    assert not (tmp_path / "none").exists()


def test_charts_are_written_into_the_run_folder_the_same_twice(run: xr.DataTree, tmp_path: Path) -> None:
    write_charts(run, tmp_path)
    png, svg = (tmp_path / f"fan_effective_compute.{name}" for name in ("png", "svg"))
    first = png.read_bytes(), svg.read_bytes()
    assert first[0].startswith(b"\x89PNG")
    assert b"<svg" in first[1][:500]
    write_charts(run, tmp_path)
    assert (png.read_bytes(), svg.read_bytes()) == first


def test_charts_of_a_run_without_compute_are_of_what_it_has() -> None:
    left_out: list[str] = []
    names = [
        figure.name for figure in draw_kinds(run_of(money_alone()), ["all"], FigureOptions(), left_out=left_out.append)
    ]
    assert names[0] == "fan_spending"
    assert "growth" not in names
    assert "crossings" in names
    assert not left_out
    assert [figure.name for figure in draw(run_of(power_alone()), "fan")] == ["fan_quantity_site"]
