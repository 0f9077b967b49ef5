"""Shares of variance as tables, charts, lines and folders, from their dataset alone."""

import csv
import json

import numpy as np
import pytest
import xarray as xr

from simulator.analysis.outcomes import outcomes_over, parse_outcome
from simulator.analysis.shares import Shares, largest, open_shares, variance_shares
from simulator.charts.kinds.shares import _interval, draw_shares, share_figures, stacked
from simulator.charts.layout import fill_mark, stacked_areas
from simulator.charts.spec import Head
from simulator.errors import InputError, RunFileError
from simulator.runs.table import Table
from simulator.scenario.load import parse_scenario
from tests.analysis.linear_scenario import CORRELATIONS, LINEAR

YEARS = [2025.0, 2026.0, 2027.0, 2028.0, 2029.0, 2030.0]
ASKED = [
    *outcomes_over("effective_compute", YEARS),
    *outcomes_over("crossed:late", YEARS),
    parse_outcome("restricted:late"),
]


@pytest.fixture(scope="module", params=["sobol", "shapley"])
def shares(request):
    text = LINEAR if request.param == "sobol" else LINEAR + CORRELATIONS
    return variance_shares(parse_scenario(text), ASKED, samples=256)


def many(values, *, method="shapley", constant=()):
    """Make shares of as many inputs as there are rows of values (input, year), by hand."""
    names = {"sobol": ("first_order", "total"), "shapley": ("shapley",)}[method]
    years = [2025.0 + place for place in range(values.shape[1])]
    told = np.array([place not in constant for place in range(len(years))])
    parts = {f"{name}{part}": (("input", "outcome"), values) for name in names for part in ("", "_lower", "_upper")}
    parts |= {f"{name}_error": (("input", "outcome"), np.full(values.shape, 0.01)) for name in names}
    return Shares(xr.Dataset(
        parts
        | {
            "variance": ("outcome", np.ones(len(years))),
            "constant": ("outcome", (~told).astype(np.int8)),
            "deciding_samples": ("outcome", np.where(told, 500.0, 0.0)),
        },
        coords={
            "input": [f"drivers.d{place}.start" for place in range(len(values))],
            "input_words": ("input", [f"d{place}: start" for place in range(len(values))]),
            "outcome": [f"spending@{year:g}" for year in years],
            "subject": ("outcome", ["spending"] * len(years)),
            "year": ("outcome", years),
        },
        attrs={"method": method, "method_because": "of a test", "name": "t", "title": "T", "subject": "s",
               "shares_id": "12345678", "seed": 1, "samples": 64},
    ))  # fmt: skip


def test_the_table_has_a_row_for_each_outcome_and_input(shares):
    rows = shares.tables()["shares"].rows()
    assert len(rows) == shares.dataset["outcome"].size * shares.dataset["input"].size
    first = "first_order" if shares.dataset.attrs["method"] == "sobol" else "shapley"
    row = next(
        row for row in rows if (row["outcome"], row["input"]) == ("restricted:late", "drivers.algorithms.growth")
    )
    assert row["label"] == "algorithms: growth"
    assert row[first] == float(shares.dataset[first].sel(outcome="restricted:late", input="drivers.algorithms.growth"))


def test_the_parts_of_a_chart_add_up_to_one_in_each_year(shares):
    for subject in ("effective_compute", "crossed:late"):
        rows = stacked(shares, subject).rows()
        assert min(row["share"] for row in rows) >= 0.0
        for year in {row["year"] for row in rows}:
            assert sum(row["share"] for row in rows if row["year"] == year) == pytest.approx(1.0)
        kinds = {row["kind"] for row in rows}
        assert ("interactions" in kinds) == (shares.dataset.attrs["method"] == "sobol")


def test_the_largest_seven_are_named_and_the_others_are_one():
    values = np.repeat(np.linspace(0.01, 0.19, 10)[:, None], 3, axis=1)
    rows = stacked(many(values), "spending").rows()
    named = list(dict.fromkeys(row["part"] for row in rows))
    assert named == [f"drivers.d{place}.start" for place in range(9, 2, -1)] + ["others"]
    assert next(row["label"] for row in rows if row["part"] == "others") == "3 others"
    assert next(row["share"] for row in rows if row["part"] == "others") == pytest.approx(values[:3, 0].sum())


def test_estimates_below_0_are_drawn_as_0_and_kept_in_the_table():
    rows = stacked(many(np.array([[0.7, 0.7], [0.4, 0.4], [-0.1, -0.1]]), method="sobol"), "spending").rows()
    drawn = {row["part"]: (row["share"], row["estimate"]) for row in rows if row["year"] == 2025}
    assert drawn["drivers.d0.start"] == (pytest.approx(0.7 / 1.1), 0.7)
    assert drawn["others"] == (0.0, -0.1)
    assert drawn["interactions"][0] == pytest.approx(0.0)


def test_an_input_below_one_percent_is_not_named_but_the_largest_always_is():
    assert largest(np.array([[0.99], [0.009], [0.001]]), most=7) == [0]
    assert largest(np.array([[0.001], [0.0]]), most=7) == [0]


def test_constant_years_are_left_out_and_said():
    values = np.array([[0.0, 0.6, 0.5], [0.0, 0.4, 0.5]])
    shares = many(values, constant=[0])
    assert {row["year"] for row in stacked(shares, "spending").rows()} == {2026.0, 2027.0}
    (figure,) = share_figures(shares)
    assert "Left out, for too few samples differ: 2025." in figure.caption
    said = "\n".join(shares.lines())
    assert "constant in 2025: no sample differs" in said
    assert "nan" not in said.lower()


def test_a_subject_that_is_always_constant_has_lines_and_no_chart():
    shares = many(np.zeros((2, 3)), constant=[0, 1, 2])
    assert share_figures(shares) == []
    assert "constant in 2025 and 2 more years" in "\n".join(shares.lines())


def test_an_outcome_that_hangs_on_a_few_samples_is_called_rare():
    shares = many(np.array([[0.6, 0.6, 0.5], [0.4, 0.4, 0.5]]))
    shares.dataset["deciding_samples"].values[2] = 3.0
    assert {row["year"] for row in stacked(shares, "spending").rows()} == {2025.0, 2026.0}
    said = "\n".join(shares.lines())
    assert "rare in 2027: too few samples differ" in said


def test_a_chart_says_who_has_most_or_that_priors_act_together():
    alone, together = (share_figures(many(np.full((2, 2), share), method="sobol"))[0].caption for share in (0.45, 0.2))
    assert alone.startswith("45 % of the variance of spending in 2026 comes from d0: start.")
    assert together.startswith("60 % of the variance of spending in 2026 comes from priors acting together.")


def test_a_chart_is_drawn_of_each_series(shares):
    figures = share_figures(shares)
    assert [figure.name for figure in figures] == ["shares_effective_compute", "shares_crossed_late"]
    text = json.dumps(figures[0].chart)
    assert shares.dataset.attrs["shares_id"] in text
    assert "algorithms: growth" in text


def test_one_year_is_no_chart():
    with pytest.raises(InputError, match="two or more years"):
        draw_shares(
            Table({"part": ["a"], "label": ["a"], "kind": ["input"], "year": [2025.0], "share": [1.0]}),
            heading="h", head=Head("t", "", ["f"]),
        )  # fmt: skip


def test_lines_give_the_shares_in_a_few_years(shares):
    lines = shares.lines()
    assert max(map(len, lines)) <= 200
    row = next(line for line in lines if line.strip().startswith("algorithms: growth"))
    assert row.count("/") == (5 if shares.dataset.attrs["method"] == "sobol" else 0)


def test_a_folder_is_written_and_read_back_the_same(shares, tmp_path):
    folder = shares.save(tmp_path)
    assert folder.name == f"linear-shares-{shares.dataset.attrs['shares_id']}"
    assert open_shares(folder).dataset.identical(shares.dataset)
    first = (folder / "shares.nc").read_bytes()
    shares.save(tmp_path)
    assert (folder / "shares.nc").read_bytes() == first
    with (folder / "shares.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == len(shares.tables()["shares"].rows())
    assert parse_scenario((folder / "scenario.yaml").read_text()).hash == shares.dataset.attrs["scenario_hash"]


def test_what_holds_no_shares_is_refused(tmp_path):
    (tmp_path / "text.nc").write_text("no")
    xr.Dataset().to_netcdf(tmp_path / "other.nc")
    with pytest.raises(RunFileError, match="is damaged or no netCDF file"):
        open_shares(tmp_path / "text.nc")
    with pytest.raises(RunFileError, match="holds no shares of variance"):
        open_shares(tmp_path / "other.nc")


def test_a_part_that_ends_at_0_is_labelled_where_it_stands_in_the_stack():
    fills = [fill_mark("#000000")] * 3
    parts = [[0.5, 0.5], [0.25, 0.0], [0.25, 0.5]]
    _, middles = stacked_areas(parts, fills=fills, years=[2025.0, 2026.0])
    assert middles == [0.25, 0.5, 0.75]


def test_what_is_drawn_in_percent_is_added_up_as_shares():
    shares = [[0.1, 0.1], [0.2, 0.2], [0.7, 0.7]]
    fills = [fill_mark("#000000")] * 3
    layers, _ = stacked_areas(shares, fills=fills, years=[2025.0, 2026.0])
    assert layers[1]["data"]["values"][0] == {"year": 2025.0, "low": 10.0, "high": 100 * (0.1 + 0.2)}


def test_an_interval_says_that_it_is_in_percent():
    ends = [(0.03, 0.04), (0.003, 0.004), (-0.12, 0.05), (None, None)]
    assert [_interval({"lower": low, "upper": high}) for low, high in ends] == ["3 to 4 %", "0 %", "−12 to 5 %", ""]
