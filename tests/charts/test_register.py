"""Kinds of chart, and what is asked of charts in words."""

from __future__ import annotations

from importlib import metadata

import pytest
import xarray as xr

from simulator import registers
from simulator.charts.drawing import draw, draw_kinds
from simulator.charts.register import KINDS, RESULTS, band_levels, year_span
from simulator.charts.spec import Figure, FigureOptions
from simulator.errors import InputError
from simulator.registers import attribute_at
from simulator.runs.table import Table
from simulator.testing import run_of
from tests.charts.small import scenario


def waffle(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    """What a package would offer."""
    levels = run["summary"]["effective_compute"].sel(quantile=0.5)
    table = Table({"year": levels["year"].values, "level": levels.values})
    chart = {"data": {"values": table.rows()}, "mark": "bar", "encoding": {"x": {"field": "year"}}}
    return [Figure("waffle", chart, {"": table}, "What is seen.", "The same.")]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("waffle", "tests.charts.test_register:waffle", KINDS.group)
    monkeypatch.setattr(registers, "entry_points", lambda *, group: (point,) if group == KINDS.group else ())


def test_what_is_shipped_is_there() -> None:
    for name in KINDS.shipped:
        assert callable(KINDS.find(name))
    for place in RESULTS.values():
        assert callable(attribute_at(place))


@pytest.mark.usefixtures("offered")
def test_a_kind_of_a_package_is_drawn_by_its_name_and_among_all() -> None:
    run = run_of(scenario())
    assert draw(run, "waffle")[0].name == "waffle"
    names = [figure.name for figure in draw_kinds(run, ["all"], FigureOptions(), left_out=lambda _: None)]
    assert names[0] == "fan_effective_compute"
    assert names[-1] == "waffle"
    with pytest.raises(InputError, match=r"no kind of chart 'wafle'\. Did you mean 'waffle'"):
        draw(run, "wafle")


def test_a_kind_that_a_package_calls_all_is_refused_and_the_others_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("all", "tests.charts.test_register:waffle", KINDS.group)
    monkeypatch.setattr(registers, "entry_points", lambda *, group: (point,) if group == KINDS.group else ())
    run, said = run_of(scenario()), list[str]()
    with pytest.raises(InputError, match="offers a kind of chart by this name, which stands for every kind"):
        draw(run, "all")
    names = [figure.name for figure in draw_kinds(run, ["all"], FigureOptions(), left_out=said.append)]
    assert "waffle" not in names
    assert "fan_effective_compute" in names
    assert any("all: left out: --kind all: an installed package" in line for line in said)


@pytest.mark.parametrize(
    ("text", "levels"),
    [("boe", (0.3, 0.6, 0.9)), ("IPCC", (0.66, 0.9)), ("hub", (0.5, 0.95)), ("90, 50%", (0.5, 0.9)), ("80", (0.8,))],
)
def test_bands_are_presets_or_percentages(text: str, levels: tuple[float, ...]) -> None:
    assert band_levels(text) == levels


@pytest.mark.parametrize("text", ["", "0,50", "100", "10,20,30,40", "-5", "50-90", "nan", "inf"])
def test_bands_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"boe \(30/60/90\), ipcc \(66/90\), hub \(50/95\)"):
        band_levels(text)


def test_a_misspelled_preset_is_recognised() -> None:
    with pytest.raises(InputError, match="Did you mean 'ipcc'"):
        band_levels("ipc")


@pytest.mark.parametrize(
    "text",
    [
        "2035-2026",
        "2026-2026",
        "2026",
        "a-b",
        "-",
        "",
        "mid-2026",
        "end of 2030 to mid-2030",
        "2026-13 to 2030",
        "2026-inf",
        "nan-2030",
    ],
)
def test_years_that_are_no_span_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="as 2026-2035"):
        year_span(text)
