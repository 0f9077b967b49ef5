"""Charts as plain data: they keep to the words of Vega-Lite."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema

from simulator.charts.drawing import draw_kinds
from simulator.charts.kinds.fan import draw_panels
from simulator.charts.register import ALL
from simulator.charts.spec import Figure, FigureOptions, Head, Spec, altair_chart
from simulator.charts.writing import page_text, svg_text
from simulator.engine.simulation import simulate
from simulator.runs.table import Table
from simulator.scenario.load import load_scenario
from simulator.wording import harmful
from tests.charts.small import CROSSED, FEW, PANEL, RUN, crossing, drawn, fan, threshold

SCHEMA = files("altair.vegalite.v6.schema") / "vega-lite-schema.json"
VALID = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
"""The published schema of Vega-Lite."""


def brief(part: Any) -> Any:
    """Leave one row in each table of a chart."""
    if isinstance(part, dict):
        return {key: below[:1] if key == "values" else brief(below) for key, below in part.items()}
    return [brief(below) for below in part] if isinstance(part, list) else part


def check(chart: Spec) -> None:
    assert VALID.is_valid(brief(chart))


def test_every_kind_of_chart_of_the_baseline_is_vega_lite() -> None:
    run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    figures = draw_kinds(run, [ALL], FigureOptions(paths=3), left_out=lambda _: None)
    assert len(figures) > 6
    for figure in figures:
        check(figure.chart)


def test_fans_with_all_their_parts_are_vega_lite() -> None:
    check(drawn(fan(FEW, CROSSED)))
    check(draw_panels([PANEL] * 3, head=Head("t", "", RUN)))


def test_a_misspelt_word_would_be_found() -> None:
    chart = drawn(fan())
    chart["vconcat"][0]["layer"][0]["mark"]["strokeWidht"] = 1
    assert not VALID.is_valid(chart)


def test_a_chart_of_altair_is_drawn_as_the_chart_that_it_is_made_of() -> None:
    for chart in (drawn(fan(FEW, CROSSED)), draw_panels([PANEL] * 3, head=Head("t", "", RUN))):
        assert svg_text(altair_chart(chart).to_dict()) == svg_text(chart)


TURNED = "ni \u202e turned\x1b \ufffe\ud800"


def test_a_character_that_turns_the_text_after_it_is_written_out_in_pictures_and_pages() -> None:
    chart = drawn(fan([threshold(TURNED, 28.0)], [crossing(TURNED)]), title=TURNED, note=TURNED)
    figure = Figure("fan", chart, {"": Table.of_rows([{"label": TURNED}])}, TURNED, TURNED)
    for text in (svg_text(chart, alt_text=TURNED), page_text(figure, footer=TURNED)):
        assert harmful(text) == (0, "")
        assert "ni \\u202e turned\\u001b \\ufffe\\ud800" in text


def test_letters_that_run_from_the_right_stay_as_they_are() -> None:
    assert "שלום" in svg_text(drawn(fan(), title="שלום"))
