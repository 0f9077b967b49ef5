"""Test the fan chart by its tables, its specification and its files; pictures are for eyes."""

from __future__ import annotations

import json
import math
import struct
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import vl_convert
import xarray as xr

from simulator.charts import style
from simulator.charts.frame import Frame
from simulator.charts.kinds.fan import PANEL_WIDTH, draw_fan, draw_panels, fan_figures
from simulator.charts.layout import WIDTH
from simulator.charts.reading import Fan, FanTables, read_fan
from simulator.charts.spec import Figure, FigureOptions, Head, Spec
from simulator.charts.writing import POINTER, save_chart
from simulator.errors import InputError, SimulatorError
from simulator.runs.estimates import quantiles
from simulator.runs.groups import RunLabel
from simulator.runs.table import Table
from simulator.testing import run_of
from tests.charts.small import (
    CROSSED,
    FEW,
    FIRST,
    LAST,
    PANEL,
    RUN,
    crossing,
    drawn,
    fan,
    mixed_run,
    observed,
    scenario,
    steps,
    tables_of,
    threshold,
)


def rows(view: Spec, kind: str, *columns: str) -> list[Spec]:
    """Collect the rows of all layers of one kind of mark that have the columns."""
    found = []
    for layer in view["layer"]:
        values = layer["data"]["values"]
        if layer["mark"]["type"] == kind and values and set(columns) <= set(values[0]):
            found += values
    return found


def texts(view: Spec) -> list[str]:
    return [row["text"] for row in rows(view, "text", "text")]


def views(tables: FanTables) -> list[Spec]:
    found: list[Spec] = drawn(tables)["vconcat"]
    return found


def test_a_fan_of_four_bands_is_refused() -> None:
    with pytest.raises(InputError, match="one to three bands; got 4"):
        style.band_tints(4)


def test_bands_are_drawn_from_the_widest_to_the_narrowest_whatever_the_order_of_rows() -> None:
    tables = fan()
    mixed = FanTables(tables.medians, Table.of_rows(tables.bands.rows()[::-1]))
    areas = [layer for layer in views(mixed)[0]["layer"] if layer["mark"]["type"] == "area"]
    ends = [max(row["upper"] for row in layer["data"]["values"]) for layer in areas]
    assert ends == sorted(ends, reverse=True)
    assert [layer["mark"]["color"] for layer in areas] == list(style.band_tints(3))


def test_the_chart_holds_the_numbers_of_the_tables_unchanged() -> None:
    tables = fan()
    view = views(tables)[0]
    assert rows(view, "line", "median") == tables.medians.rows()
    shown = {(row["year"], row["lower"], row["upper"]) for row in rows(view, "area", "lower")}
    assert shown == {(row["year"], row["lower"], row["upper"]) for row in tables.bands.rows()}


def test_each_threshold_on_the_quantity_has_a_line_and_others_have_none() -> None:
    view = views(fan([*FEW, threshold("money", 30.0, quantity="spending")]))[0]
    assert [row["level"] for row in rows(view, "rule", "level")] == [31.0, 28.3, 25.3]
    assert "label of money" not in texts(view)


def test_a_threshold_far_outside_the_fan_has_a_label_with_an_arrow_and_no_line() -> None:
    view = views(fan([*FEW, threshold("evolution", 90.0), threshold("abacus", 2.0)]))[0]
    assert [row["level"] for row in rows(view, "rule", "level")] == [31.0, 28.3, 25.3]
    assert {"▲ label of evolution", "▼ label of abacus"} <= set(texts(view))
    low, high = view["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert high - low < 15


@pytest.mark.parametrize(("count", "spacing"), [(2, 0.02), (12, 0.0), (12, 0.5), (40, 0.5)])
def test_threshold_labels_do_not_overlap(count: int, spacing: float) -> None:
    name = "a threshold whose name is forty letters."
    thresholds = [threshold(str(i), 27 + spacing * i) | {"label": f"{name} {i}"} for i in range(count)]
    view = views(fan(thresholds))[0]
    labels = [row for row in rows(view, "text", "text") if "a threshold" in row["text"]]
    tops = [row["y"] - style.LINE_HEIGHT / 2 for row in labels]
    bottoms = [top + style.LINE_HEIGHT * len(row["text"].split("\n")) for top, row in zip(tops, labels, strict=True)]
    assert len(labels) == count
    assert all(bottom <= top + 1e-9 for bottom, top in zip(bottoms, tops[1:], strict=False))
    assert bottoms[-1] <= view["height"] + style.LINE_HEIGHT


def test_leader_lines_join_the_level_to_its_label() -> None:
    view = views(fan([threshold("a", 28.0), threshold("b", 28.01)]))[0]
    low, high = view["layer"][0]["encoding"]["y"]["scale"]["domain"]
    leaders = rows(view, "line", "detail")
    names = [row for row in rows(view, "text", "text") if row["text"].startswith("label of")]
    for index, level in enumerate([28.01, 28.0]):
        corners = [row for row in leaders if row["detail"] == index]
        assert corners[0]["y"] == pytest.approx((high - level) / (high - low) * view["height"])
        assert corners[-1]["y"] == names[index]["y"]


def test_an_uncertain_threshold_has_a_bracket_and_a_legend_entry() -> None:
    certain, uncertain = views(fan(FEW))[0], views(fan([threshold("a", 28.0, lower=27.0, upper=30.0)]))[0]
    assert "90 % of an uncertain threshold" in texts(uncertain)
    assert "90 % of an uncertain threshold" not in texts(certain)
    never = views(fan([threshold("a", 28.0, lower=27.0, upper=None)]))[0]
    assert "90 % and median of an uncertain threshold, counting never" in texts(never)
    low, high = uncertain["layer"][0]["encoding"]["y"]["scale"]["domain"]
    bracket = next(row for row in rows(uncertain, "rect", "y2") if row["x"] > WIDTH)
    assert bracket["y2"] - bracket["y"] == pytest.approx(3.0 / (high - low) * uncertain["height"])


def test_dots_on_the_fan_stand_only_where_a_certain_level_is_crossed_within_the_years() -> None:
    thresholds = [*FEW, threshold("vague", 29.0, lower=28.0, upper=30.0)]
    crossings = [*CROSSED[:2], crossing("anchor", median=None), crossing("vague")]
    assert rows(views(fan(thresholds, crossings))[0], "point", "year") == [{"year": 2031.4, "level": 28.3}]


@pytest.mark.parametrize(("rate", "width"), [(0.0, 0.0), (0.01, 0.001), (0.3, 0.1), (1.5, 1.0), (0.5, 12.0)])
def test_the_axis_holds_the_fan_and_has_a_readable_number_of_ticks(rate: float, width: float) -> None:
    tables = fan(rate=rate, width=width)
    axis = views(tables)[0]["layer"][0]["encoding"]["y"]
    low, high = axis["scale"]["domain"]
    assert low < min(float(str(row["lower"])) for row in tables.bands.rows())
    assert high > max(float(str(row["upper"])) for row in tables.bands.rows())
    assert 2 <= len(axis["axis"]["values"]) <= 10


def test_exponents_are_raised_beside_their_tick() -> None:
    view = views(fan())[0]
    assert {"10", "28", "30"} <= set(texts(view))
    base = next(row for row in rows(view, "text", "text") if row["text"] == "10")
    exponent = next(row for row in rows(view, "text", "text") if row["text"].isdigit() and row["text"] != "10")
    assert exponent["x"] > base["x"]
    assert exponent["y"] < base["y"]


def test_the_fan_and_the_strip_share_the_years_and_stand_under_one_another() -> None:
    chart = drawn(fan(FEW, CROSSED))
    spec = chart
    plots = spec["vconcat"][:2]
    assert plots[0]["width"] == plots[1]["width"]
    for plot in plots:
        scales = [layer["encoding"]["x"].get("scale") for layer in plot["layer"]]
        assert [scale["domain"] for scale in scales if scale] == [[FIRST, LAST]] * sum(map(bool, scales))
    groups: list[Spec] = []

    def gather(node: object) -> None:
        if isinstance(node, dict):
            if str(node.get("name", "")).endswith("_group") and node.get("marktype") == "group":
                groups.extend(node["items"])
            for child in node.values():
                gather(child)
        elif isinstance(node, list):
            for child in node:
                gather(child)

    gather(vl_convert.vegalite_to_scenegraph(json.dumps(spec)))
    assert len(groups) == 3
    assert groups[0]["x"] == groups[1]["x"] == groups[2]["x"]
    assert groups[0]["y"] + groups[0]["height"] < groups[1]["y"] < groups[2]["y"]


def test_rows_stand_in_the_order_of_the_lines_and_other_quantities_come_last() -> None:
    strip = views(fan(FEW, [crossing("money"), *CROSSED]))[1]
    names = [text for text in texts(strip) if text.startswith("label of")]
    assert names == [f"label of {name}" for name in ("anchor", "thousandfold", "gpt-4", "money")]


def test_a_closed_interval_is_drawn_as_given_and_has_no_arrow() -> None:
    strip = views(fan(FEW, [crossing("thousandfold")]))[1]
    bars = [(row["from"], row["to"]) for row in rows(strip, "rule", "from")]
    assert bars == [(2027.0, 2040.0), (2029.0, 2034.0)]
    assert [row["year"] for row in rows(strip, "point", "year")] == [2031.4]
    assert not [row for row in rows(strip, "point", "x") if row["x"] > WIDTH]
    assert not [text for text in texts(strip) if text.startswith("goes on")]


@pytest.mark.parametrize("missing", [None, math.inf])
def test_a_censored_interval_runs_to_the_horizon_and_has_an_arrow(missing: float | None) -> None:
    strip = views(fan(FEW, [crossing("anchor", upper_50=missing, upper_90=missing, median=missing, never=0.6)]))[1]
    assert [(row["from"], row["to"]) for row in rows(strip, "rule", "from")] == [
        (2027.0, LAST),
        (2029.0, LAST),
    ]
    assert not rows(strip, "point", "year")
    assert len([row for row in rows(strip, "point", "x") if row["x"] > WIDTH]) == 1
    assert {"> 2045", "never by 2045: 60 %", "goes on after 2045"} <= set(texts(strip))


def test_a_threshold_that_no_sample_crosses_has_an_arrow_and_no_bar() -> None:
    none = dict.fromkeys(("lower_90", "lower_50", "median", "upper_50", "upper_90"))
    strip = views(fan(FEW, [crossing("anchor", never=1.0, **none)]))[1]
    assert not rows(strip, "rule", "from")
    assert len([row for row in rows(strip, "point", "x") if row["x"] > WIDTH]) == 1
    assert {"> 2045", "never by 2045: 100 %"} <= set(texts(strip))


def test_a_threshold_that_all_samples_cross_at_the_start_says_so() -> None:
    start = dict.fromkeys(("lower_90", "lower_50", "median", "upper_50", "upper_90"), FIRST)
    strip = views(fan(FEW, [crossing("gpt-4", already=1.0, **start)]))[1]
    assert {"≤ 2025.5", "from the start: 100 %\nnever by 2045: 0 %"} <= set(texts(strip))


def test_shares_are_never_rounded_to_certainty() -> None:
    shares = {0.0: "< 0.3 %", 0.004: "0.4 %", 0.123: "12 %", 0.997: "99.7 %", 1.0: "> 99.7 %"}
    strip = views(fan([], [crossing(str(share), never=share, samples=1000) for share in shares]))[1]
    notes = [text for text in texts(strip) if text.startswith("never")]
    assert notes == [f"never by 2045: {text}" for text in shares.values()]


def test_the_median_is_rounded_and_not_cut() -> None:
    medians = {2031.99: "2032.0", 2033.0: "2033.0", 2036.64: "2036.6"}
    strip = views(fan([], [crossing(str(year), median=year) for year in medians]))[1]
    assert [text for text in texts(strip) if text in medians.values()] == list(medians.values())


def test_without_crossings_there_is_no_strip() -> None:
    assert len(views(fan(FEW))) == 2


def test_long_names_are_broken_and_widen_the_margin_no_further() -> None:
    long = [crossing(str(i)) | {"label": label} for i, label in enumerate(["x" * 400, "many words " * 30])]
    strip = views(fan([], long))[1]
    left = min(row["x"] for row in rows(strip, "text", "text"))
    assert left > -250
    assert max(len(line) for text in texts(strip) for line in text.split("\n")) <= 40
    assert strip["height"] > 17 * style.LINE_HEIGHT


def test_each_sample_path_is_a_line_of_its_own_and_the_axis_holds_it() -> None:
    view = views(replace(fan(), paths=Table.of_rows([*steps(0, 27.0), *steps(1, 45.0)])))[0]
    lines = rows(view, "line", "path")
    assert [(row["path"], row["value"]) for row in lines] == [(0, 27.0), (0, 27.0), (1, 45.0), (1, 45.0)]
    assert view["layer"][0]["encoding"]["y"]["scale"]["domain"][1] > 45.0
    assert "each of 2 samples" in texts(view)


def test_observed_runs_stretch_the_axis_to_the_left_and_have_labels() -> None:
    shown = views(replace(fan([], CROSSED), history=Table.of_rows(observed(2012.5, 2016.0, 2020.0))))
    fan_view, strip = shown[0], shown[1]
    assert rows(fan_view, "point", "value") == [
        {"year": 2012.5, "value": 20.0},
        {"year": 2016.0, "value": 20.2},
        {"year": 2020.0, "value": 20.4},
    ]
    assert {"run 0", "run 1", "run 2", "observed"} <= set(texts(fan_view))
    domains = [view["layer"][place]["encoding"]["x"]["scale"]["domain"] for view, place in ((fan_view, 0), (strip, 1))]
    assert domains[0] == domains[1]
    assert 2010 < domains[0][0] < 2012.5


def test_the_first_year_of_the_run_counts_where_the_axis_begins_elsewhere() -> None:
    crossings = [crossing("old", median=2027.0), crossing("start", median=FIRST, already=0.9)]
    chart = draw_fan(
        Fan(fan([], crossings), "q", "Q", "FLOP"), head=Head("t", "", RUN),
        years=(2030.0, LAST), start=FIRST,
    )  # fmt: skip
    strip = chart["vconcat"][1]
    assert {"2027.0", f"≤ {FIRST}"} <= set(texts(strip))
    ends = [row[end] for row in rows(strip, "rule", "from") for end in ("from", "to")]
    assert min(ends) == 2030.0
    assert rows(strip, "point", "year") == []


def test_an_interval_that_ends_after_the_chart_has_an_arrow() -> None:
    chart = draw_fan(
        Fan(fan([], [crossing("a")]), "q", "Q", ""),
        head=Head("t", "", RUN),
        years=(FIRST, 2036.0),
    )
    strip = chart["vconcat"][1]
    assert "goes on after 2036" in texts(strip)
    assert max(row["to"] for row in rows(strip, "rule", "from")) == 2036.0
    assert [row["x"] for row in rows(strip, "point", "x") if row["x"] > WIDTH] == [WIDTH + 5]


def test_what_is_certain_has_no_key_of_intervals() -> None:
    fixed = dict.fromkeys(("median", "lower_50", "upper_50", "lower_90", "upper_90"), 2031.0)
    strip = views(fan([], [crossing("a", **fixed)]))[1]
    assert "year, without any spread" in texts(strip)
    assert "90 % of the samples" not in texts(strip)


def test_a_plain_scale_writes_plain_numbers() -> None:
    tables = tables_of([{"year": 2025, "median": 1.0}, {"year": 2060, "median": 28.1}], [])
    chart = draw_fan(Fan(tables, "q", "Q", "points", log=False), head=Head("t", "", RUN))
    assert {"5", "10", "25"} <= set(texts(chart["vconcat"][0]))


def test_everyday_numbers_are_no_powers_of_ten() -> None:
    tables = tables_of([{"year": 2025, "median": 0.0}, {"year": 2060, "median": 1.2}], [])
    assert {"1", "2", "5", "10"} <= set(texts(views(tables)[0]))


def test_the_pointer_meets_every_year_once_and_pictures_know_nothing_of_it(tmp_path: Path) -> None:
    chart = drawn(fan())
    (layer,) = [layer for layer in chart["vconcat"][0]["layer"] if layer.get("name", "").startswith(POINTER)]
    columns = layer["data"]["values"]
    assert [row["year"] for row in columns] == [f"{row['year']:g}" for row in fan().medians.rows()]
    assert all(before["to"] == after["from"] for before, after in pairwise(columns))
    assert columns[0]["median"].startswith("5e26 FLOP")
    save_chart(chart, tmp_path / "fan.svg")
    assert "5e26" not in (tmp_path / "fan.svg").read_text(encoding="utf-8")


def test_the_footer_names_sources_as_far_as_one_line_holds() -> None:
    many = RunLabel("a", "b", 0, 1, tuple(f"Someone et al. {year}" for year in range(2000, 2030)))
    lines = texts(drawn(fan(), run=many)["vconcat"][-1])[0].split("\n")
    assert len(lines) == 2
    assert lines[1].startswith("Sources of the priors: Someone et al. 2000; ")
    named = lines[1].count("Someone")
    assert lines[1].endswith(f"; and {30 - named} more in the run file")
    few = replace(many, sources=("Cotra 2020",))
    assert texts(drawn(fan(), run=few)["vconcat"][-1])[0].endswith("Sources of the priors: Cotra 2020")


def test_an_svg_says_what_is_seen_whatever_the_words(tmp_path: Path) -> None:
    save_chart(drawn(fan()), tmp_path / "fan.svg", alt_text='rises "fast" <to> 9 & more')
    root = ET.parse(tmp_path / "fan.svg").getroot()
    assert root.get("aria-label") == 'rises "fast" <to> 9 & more'
    assert root.get("role") == "img"


def test_the_footer_names_run_scenario_seed_and_samples() -> None:
    run = RunLabel("3f9a2c1", "a-very-long-scenario-name-" * 8, 0, 1_000_000)
    foot = drawn(fan(), run=run, note="Prices are 2023 USD.")["vconcat"][-1]
    (text,) = texts(foot)
    whole = text.replace("\n", "")
    for part in ("Run 3f9a2c1", run.scenario, "seed 0", "1,000,000 samples", "Prices are 2023 USD."):
        assert part in whole or part.replace(" ", "") in whole.replace(" ", "")
    assert max(map(len, text.split("\n"))) < 160


def test_the_heading_names_quantity_and_unit_and_a_long_title_is_broken() -> None:
    chart = drawn(fan(), title="a long title " * 20)
    assert "Effective compute, FLOP of 2025 algorithms" in texts(chart["vconcat"][0])
    assert len(chart["title"]["text"]) > 2


@pytest.mark.parametrize("last", [FIRST + 5, LAST, 2100.0])
def test_all_text_of_the_chart_reaches_the_picture(tmp_path: Path, last: float) -> None:
    chart = drawn(fan(FEW, CROSSED, last=last))
    save_chart(chart, tmp_path / "fan.svg")
    svg = (tmp_path / "fan.svg").read_text(encoding="utf-8")
    for text in (
        "What is seen",
        "label of gpt-4",
        "label of anchor",
        "90 % of the samples",
        "never by 2045: 0 %",
        "seed",
    ):
        assert text in svg


def test_the_chart_writes_only_characters_of_its_own_font(tmp_path: Path) -> None:
    save_chart(drawn(fan([*FEW, threshold("far", 90.0), threshold("low", -40.0)], CROSSED)), tmp_path / "fan.svg")
    svg = (tmp_path / "fan.svg").read_text(encoding="utf-8")
    assert {character for character in svg if not character.isascii()} <= set("×·−≤▲▼")


def test_the_same_tables_give_the_same_bytes_whatever_was_drawn_before(tmp_path: Path) -> None:
    save_chart(drawn(fan(FEW, CROSSED)), tmp_path / "a.svg", tmp_path / "a.png")
    save_chart(drawn(fan()), tmp_path / "other.svg")
    save_chart(drawn(fan(FEW, CROSSED)), tmp_path / "b.svg", tmp_path / "b.png")
    for suffix in ("svg", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    assert (tmp_path / "a.svg").read_bytes() != (tmp_path / "other.svg").read_bytes()


def test_each_suffix_gives_its_format_and_no_other_file_is_left(tmp_path: Path) -> None:
    names = ["fan.SVG", "fan.png", "fan.pdf"]
    save_chart(drawn(fan(FEW)), *(tmp_path / name for name in names))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    svg = (tmp_path / "fan.SVG").read_text(encoding="utf-8")
    png = (tmp_path / "fan.png").read_bytes()
    assert (tmp_path / "fan.pdf").read_bytes().startswith(b"%PDF")
    width, height = struct.unpack(">II", png[16:24])
    assert f'width="{width // 2}" height="{height // 2}"' in svg


def test_an_unknown_suffix_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must be \.svg, \.png or \.pdf; got '\.gif'"):
        save_chart(drawn(fan()), tmp_path / "fan.svg", tmp_path / "fan.gif")
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fan.svg").write_text("old")

    def fail(source: object, target: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(SimulatorError, match="cannot be written: no space"):
        save_chart(drawn(fan()), tmp_path / "fan.svg")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("fan.svg", "old")]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (tables_of([], []), "medians: year: must be two or more years in ascending order; got none"),
        (
            tables_of([{"year": 2030, "median": 1}, {"year": 2029, "median": 1}], []),
            "ascending order; got 2030, 2029",
        ),
        (
            tables_of([{"year": 1, "median": math.nan}, {"year": 2, "median": 1}], []),
            "medians: median: .* got nan",
        ),
        (tables_of([{"year": 1}, {"year": 2, "median": 1}], []), "medians: median: .* got nothing"),
        (
            fan([threshold("a", -math.inf)]),
            "thresholds: level: must be a finite number in every row; got -inf",
        ),
        (fan([], [crossing("a", median=math.nan)]), "crossings: median: must be a finite number"),
        (fan([], [{"threshold": "a", "label": "a", "median": 2030.0}]), "crossings: .* got nothing"),
        (fan([], [{"threshold": "a"}]), "label: must be a text in every row; got None"),
    ],
)
def test_a_table_that_cannot_be_drawn_is_refused_with_the_reason(tables: FanTables, message: str) -> None:
    with pytest.raises(InputError, match=message):
        drawn(tables)


def test_a_band_that_is_no_percentage_is_refused() -> None:
    tables = fan()
    odd = Table.of_rows({**row, "band": "wide"} for row in tables.bands.rows())
    with pytest.raises(InputError, match="must be a percentage such as '90 %'; got 'wide'"):
        drawn(FanTables(tables.medians, odd))


def test_charts_do_not_load_pandas() -> None:
    code = "import sys, simulator.charts.kinds.fan; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def panels_of(panels: list[Fan], **options: Any) -> list[dict[str, Any]]:
    spec = draw_panels(panels, head=Head("What is seen", "of what", RUN), **options)
    every = [panel for row in spec["vconcat"] if "hconcat" in row for panel in row["hconcat"]]
    return every[: len(panels)]


def test_a_mixture_draws_its_parts_with_their_weights(tmp_path: Path) -> None:
    run = mixed_run(tmp_path)
    whole, apart = fan_figures(run, FigureOptions())
    assert [figure.name for figure in (whole, apart)] == ["fan_physical_compute", "fan_parts_physical_compute"]
    ends = {row["part"]: row for row in whole.tables["parts"].rows() if row["year"] == 2035}
    assert {part: (row["weight"], round(row["median"], 9)) for part, row in ends.items()} == {
        "slow": (0.75, 31.0), "fast": (0.25, 36.0),
    }  # fmt: skip
    dates = {row["part"]: round(row["median"], 6) for row in whole.tables["part_crossings"].rows()}
    assert dates == {"slow": 2029.0, "fast": 2027.0}
    fan_view, strip = whole.chart["vconcat"][:2]
    assert {"slow (75 %)", "fast (25 %)"} <= set(texts(fan_view))
    assert {2029.0, 2027.0} <= {round(row["year"], 6) for row in rows(strip, "point", "year")}
    assert {"slow, weight 75 %", "fast, weight 25 %", "all together"} <= set(texts(apart.chart["vconcat"][0]))
    assert " ".join(apart.chart["title"]["text"]) == (
        "Physical compute in 2035: median 1.0e31 FLOP in slow and 1.0e36 in fast"
    )


def test_money_is_told_as_people_do_on_the_axis_and_in_words() -> None:
    ends = ((2025.0, 8.0, 8.3, 8.6), (2035.0, 9.845, 10.7, 11.477))
    medians: list[dict[str, object]] = [{"year": year, "median": middle} for year, _, middle, _ in ends]
    bands: list[dict[str, object]] = [
        {"band": "90 %", "year": year, "lower": low, "upper": high} for year, low, _, high in ends
    ]
    (panel,) = panels_of([Fan(tables_of(medians, bands), "spending", "spending", "USD")])
    assert {"Spending, billion USD", "2035: median 50 billion USD, 90 % 7 to 300 billion", "0.1", "100"} <= set(
        words(panel)
    )


def test_fans_whose_numbers_are_wide_keep_powers() -> None:
    frame = Frame(2025, 2045, 5.0, 16.0, height=200, gutter=50, width=300)
    assert frame.told_in(10.5, "USD") == (frame, "USD")
    told, unit = replace(frame, lower=8.0, upper=12.0).told_in(10.5, "USD")
    assert (unit, [text.lines for text in told.level_texts(10.0, right=0, y=0)]) == ("billion USD", [["10"]])


def words(panel: dict[str, Any]) -> list[str]:
    return [row["text"] for layer in panel["layer"] for row in layer["data"]["values"] if "text" in row]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_panels_stand_two_in_a_row(count: int) -> None:
    spec = draw_panels([PANEL] * count, head=Head("t", "", RUN))
    rows = [len(view["hconcat"]) for view in spec["vconcat"] if "hconcat" in view]
    assert rows == [2] * -(-count // 2)  # the legend fills a free corner
    assert ("median" in words(spec["vconcat"][-2]["hconcat"][-1])) is (count % 2 == 1)


def test_panels_share_the_years_and_the_height_and_have_scales_of_their_own() -> None:
    other = replace(PANEL, tables=fan(rate=1.5))
    one, two = panels_of([PANEL, other])
    axes = [panel["layer"][0]["encoding"] for panel in (one, two)]
    assert axes[0]["x"]["scale"] == axes[1]["x"]["scale"]
    assert axes[0]["y"]["scale"] != axes[1]["y"]["scale"]
    assert one["height"] == two["height"]


def test_a_panel_says_its_name_its_unit_and_what_is_seen() -> None:
    (panel,) = panels_of([PANEL])
    assert {"Quantity, FLOP", "2045: median 4e32 FLOP, 90 % 4e29 to 3e35", "label of gpt-4"} <= set(words(panel))


def test_a_panel_labels_its_own_thresholds_alone() -> None:
    (panel,) = panels_of([replace(PANEL, quantity="another")])
    assert not [text for text in words(panel) if text.startswith("label of")]


@pytest.mark.parametrize("spacing", [0.0, 0.1, 3.0])
def test_labels_of_many_thresholds_do_not_overlap(spacing: float) -> None:
    many = [
        threshold(str(i), 27 + spacing * i, quantity="q") | {"label": f"{i} is a threshold whose name is forty letters"}
        for i in range(12)
    ]
    (panel,) = panels_of([replace(PANEL, tables=fan(many))])
    labels = sorted(
        (row["y"], row["y"] + 15 * row["text"].count("\n"))
        for layer in panel["layer"]
        for row in layer["data"]["values"]
        if " is a" in row.get("text", "") and row["x"] > PANEL_WIDTH
    )
    assert len(labels) == 12
    assert all(last + 14 <= first for (_, last), (first, _) in pairwise(labels))
    assert labels[-1][1] <= panel["height"] + 15


def test_a_long_name_takes_two_lines_of_its_panel_before_it_is_cut() -> None:
    (panel,) = panels_of([replace(PANEL, label="a very long name of a quantity " * 6)])
    (heading,) = [text for text in words(panel) if text.startswith("A very long")]
    assert heading.endswith("…")
    assert [len(line) < 100 for line in heading.split("\n")] == [True, True]


def test_there_is_room_between_panels_only_for_labels_that_stand_there() -> None:
    bare, labelled = replace(PANEL, quantity="another"), PANEL
    charts = [draw_panels(drawn, head=Head("title", "")) for drawn in ([bare, labelled], [labelled, bare])]
    apart = [next(row["spacing"] for row in chart["vconcat"] if "hconcat" in row) for chart in charts]
    assert apart[0] + 36 < apart[1]


def test_a_fan_of_no_width_is_drawn() -> None:
    flat = tables_of([{"year": 2025, "median": 3.0}, {"year": 2045, "median": 3.0}], [])
    (panel,) = panels_of([replace(PANEL, tables=flat)])
    low, high = panel["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert low < 3.0 < high


OPTIONS = FigureOptions()
POINTS = (
    {"date": 2012.7, "value": 4.7e17, "label": "AlexNet"},
    {"date": 2023.2, "value": 2.1e25, "label": "GPT-4"},
)


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return run_of(scenario())


@pytest.fixture(scope="module")
def summary() -> xr.DataTree:
    return run_of(scenario(), keep="summary")


def only(run: xr.DataTree, **options: Any) -> Figure:
    (figure,) = fan_figures(run, replace(OPTIONS, **options))
    return figure


def test_the_table_holds_the_quantiles_of_the_run(run: xr.DataTree) -> None:
    table = only(run, quantities=("spending",), bands=(0.9,)).tables[""].rows()
    known = run["summary/spending"]
    assert [row["year"] for row in table] == known["year"].values.tolist()
    for key, level in (("median", 0.5), ("lower_90", 0.05), ("upper_90", 0.95)):
        assert [row[key] for row in table] == known.sel(quantile=level).values.tolist()
    assert {row["unit"] for row in table} == {"log10(USD)"}


@pytest.mark.parametrize("bands", [(0.3, 0.6, 0.9), (0.66, 0.9), (0.5, 0.95)])
def test_the_usual_bands_are_in_every_summary(summary: xr.DataTree, bands: tuple[float, ...]) -> None:
    drawn = read_fan(summary, "effective_compute", replace(OPTIONS, bands=bands)).tables.bands.rows()
    assert list(dict.fromkeys(row["band"] for row in drawn)) == [f"{100 * band:g} %" for band in reversed(bands)]


def test_another_band_is_read_off_the_samples(run: xr.DataTree) -> None:
    drawn = read_fan(run, "spending", replace(OPTIONS, bands=(0.67,))).tables.bands.rows()
    expected = quantiles(run["trajectories/spending"], [0.165, 0.835]).values
    np.testing.assert_allclose([row["lower"] for row in drawn], expected[0], rtol=1e-12)
    np.testing.assert_allclose([row["upper"] for row in drawn], expected[1], rtol=1e-12)


def test_without_samples_the_bands_that_can_be_had_are_named(summary: xr.DataTree) -> None:
    with pytest.raises(InputError, match=r"a band of 67 % .* it has 10, 20, 30, .* 66, 70, 80, 90, 95, 98 %") as fault:
        only(summary, bands=(0.67,))
    assert "--keep trajectories" in str(fault.value)


@pytest.mark.parametrize("bands", [(), (0.1, 0.2, 0.3, 0.4), (1.0,), (0.0, 0.5)])
def test_bands_must_be_one_to_three_shares(run: xr.DataTree, bands: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="--bands: must be one to three levels"):
        only(run, bands=bands)


def test_any_variable_of_the_summary_can_be_drawn_and_others_are_named(run: xr.DataTree) -> None:
    for name in ("hardware", "algorithms", "capability", "physical_compute"):
        assert only(run, quantities=(name,)).name == f"fan_{name}"
    with pytest.raises(InputError, match="Did you mean 'spending'"):
        only(run, quantities=("spendin",))


def test_paths_are_the_first_samples(run: xr.DataTree) -> None:
    rows = only(run, quantities=("spending",), paths=3).tables["paths"].rows()
    drawn = np.array([row["value"] for row in rows]).reshape(3, -1)
    assert (drawn == run["trajectories/spending"].values[:3]).all()


def test_paths_need_samples_and_enough_of_them(run: xr.DataTree, summary: xr.DataTree) -> None:
    with pytest.raises(InputError, match=r"kept its summary only .* --keep trajectories"):
        only(summary, paths=5)
    with pytest.raises(InputError, match="--paths: must be 0 to 200"):
        only(run, paths=201)
    few = run_of(scenario(samples=16))
    with pytest.raises(InputError, match="the run has 16 samples; got 17"):
        only(few, paths=17)


def test_years_cut_the_tables_and_the_axis_but_not_the_run(run: xr.DataTree) -> None:
    figure = only(run, years=(2028.0, 2031.2))
    assert [row["year"] for row in figure.tables[""].rows()] == [2028.0, 2029.0, 2030.0, 2031.0]
    assert figure.tables["crossings"].rows()[0]["last_year"] == 2035.0
    assert "in 2031" in figure.chart["title"]["text"][0]
    with pytest.raises(
        InputError, match=r"two or more years of the run, which has 11 from 2025 to 2035; got 2050-2060"
    ):
        only(run, years=(2050.0, 2060.0))


def test_observed_runs_are_drawn_in_log10(run: xr.DataTree) -> None:
    figure = only(run, quantities=("physical_compute",), history=POINTS)
    assert [row["value"] for row in figure.tables["history"].rows()] == [math.log10(4.7e17), math.log10(2.1e25)]
    text = json.dumps(figure.chart, ensure_ascii=False)
    assert "AlexNet" in text
    assert "observed (2)" in figure.caption


def test_observed_runs_belong_to_one_quantity_and_are_above_zero_on_a_log_scale(run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="--history: observed runs are drawn on one quantity; got 2"):
        only(run, quantities=("spending", "hardware"), history=POINTS)
    zero = ({"date": 2020.0, "value": 0.0, "label": "none"},)
    with pytest.raises(InputError, match=r"must be above 0; got .*none"):
        only(run, history=zero)
    assert only(run, quantities=("capability",), history=zero).tables["history"].rows()[0]["value"] == 0.0


def test_observed_runs_outside_the_years_are_left_out(run: xr.DataTree) -> None:
    figure = only(run, history=POINTS, years=(2020.0, 2030.0))
    assert [row["label"] for row in figure.tables["history"].rows()] == ["GPT-4"]
    (domain,) = {
        tuple(layer["encoding"]["x"]["scale"]["domain"])
        for layer in figure.chart["vconcat"][0]["layer"]
        if layer["encoding"]["x"].get("scale")
    }
    assert domain == (2020.0, 2030.0)


def test_a_fan_of_effective_compute_shows_every_crossing_and_others_their_own(run: xr.DataTree) -> None:
    assert [row["threshold"] for row in only(run).tables["crossings"].rows()] == ["a", "rich"]
    assert [row["threshold"] for row in only(run, quantities=("spending",)).tables["crossings"].rows()] == ["rich"]
    assert "crossings" not in only(run, quantities=("hardware",)).tables


def test_several_quantities_share_one_figure_and_one_table(run: xr.DataTree) -> None:
    figure = only(run, quantities=("spending", "hardware", "spending"), bands=(0.9,))
    assert figure.name == "fan_spending_and_hardware"
    assert [row["variable"] for row in figure.tables[""].rows()] == ["spending"] * 11 + ["hardware"] * 11
    assert figure.alt_text.startswith("2 fan charts")
    with pytest.raises(InputError, match="one figure holds up to 6 fans; got 7"):
        only(run, quantities=("spending", "hardware", "algorithms", "capability", "effective_compute",
                              "physical_compute", "spending_demanded"))  # fmt: skip


def test_the_words_quote_the_table(run: xr.DataTree) -> None:
    figure = only(run)
    assert "The median of effective compute rises from 1e26 FLOP in 2025 to" in figure.caption
    assert "90 % of the samples end at" in figure.caption
    assert "The median crosses Thirty in 20" in figure.caption
    assert figure.alt_text.startswith("Fan chart of a median and bands of 50 %, 80 % and 90 % of the samples")
    assert figure.alt_text.count(". ") <= 3


def test_what_most_samples_do_not_cross_is_said(run: xr.DataTree) -> None:
    far = run_of(scenario(thresholds={"far": {"effective_compute": 1e60, "label": "Far"}}))
    assert "Not crossed by 2035: Far in > 99.42 % of cases." in only(far).caption


def test_a_run_without_spread_says_so_and_has_no_bands() -> None:
    drivers = {"spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": "2x/year"},
               "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "1.4x/year"}, "algorithms": {"growth": "3x/year"}}  # fmt: skip
    figure = only(run_of(scenario(drivers=drivers)))
    assert "without any spread" in figure.caption
    assert "Every prior in it is fixed: there is no spread." in json.dumps(figure.chart)
    assert "One sample is a point forecast: there is no spread." in json.dumps(only(run_of(scenario(samples=1))).chart)
    assert set(figure.tables[""].rows()[0]) == {"variable", "unit", "year", "median"}


def test_a_capability_is_drawn_in_its_own_unit(run: xr.DataTree) -> None:
    figure = only(run, quantities=("capability",))
    assert {row["unit"] for row in figure.tables[""].rows()} == {run["summary/capability"].attrs["units"]}
    assert "plain scale" in figure.alt_text


def test_a_summary_of_a_streamed_run_has_certain_thresholds(summary: xr.DataTree) -> None:
    rows = read_fan(summary, "effective_compute", OPTIONS).tables.thresholds.rows()
    assert not any("lower" in row for row in rows)


def test_the_same_run_gives_the_same_words_and_spec(run: xr.DataTree) -> None:
    one, two = only(run, paths=2), only(run, paths=2)
    assert (one.caption, one.alt_text) == (two.caption, two.alt_text)
    assert one.chart == two.chart
