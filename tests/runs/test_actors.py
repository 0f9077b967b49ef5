"""What a run says of its actors as tables and lines."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from simulator import load_scenario, simulate
from simulator.errors import InputError
from simulator.runs.actors import actor_summaries, actor_table, actor_tables, lead_lines
from simulator.runs.summary import summary_lines

RACE = {
    "extends": "baseline", "name": "race", "samples": 256, "block": 128,
    "actors": {"us": {"label": "US lab"}, "second-lab": {"drivers": {"spending": {"start": {"times": 0.5}}}}},
}  # fmt: skip


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return simulate(load_scenario(RACE))


def test_the_tables_are_what_the_run_holds(run: xr.DataTree) -> None:
    tables, held = actor_tables(run), run["actors_summary"]
    assert [*tables] == ["actors", "lead", "actor_crossings", "place_crossings"]
    row = tables["actors"].where(actor="second-lab", variable="spending", year=2030.0).rows()[0]
    assert row["median"] == held["spending"].sel(actor="second-lab", quantile=0.5, year=2030).item()
    assert (row["label"], row["unit"]) == ("second-lab", "log10(USD)")
    lead = tables["lead"].where(actor="second-lab", year=2030.0).rows()[0]
    assert lead["leads"] + held["leads"].sel(actor="us", year=2030).item() == pytest.approx(1.0)
    assert lead["months_median"] == 12 * held["behind_years"].sel(actor="second-lab", quantile=0.5, year=2030).item()
    first, second = (
        tables["place_crossings"].where(place=place, threshold="million-x-gpt-4").rows()[0] for place in (1, 2)
    )
    assert first["median"] < second["median"]
    assert first["never_by_horizon"] == run["summary/never"].sel(threshold="million-x-gpt-4").item()
    columns = {name for table in tables.values() for name in table.names}
    assert all(table.column(name).meaning for table in tables.values() for name in columns & {*table.names})
    with pytest.raises(InputError, match="the run has no level 'power' by actor"):
        actor_table(run, "power")


def test_the_summary_says_what_each_has_and_who_leads(run: xr.DataTree) -> None:
    lines = "\n".join(summary_lines(run))
    assert "apart: US lab 20" in lines
    middle, last = lead_lines(run)
    assert middle.startswith("  leads at 2036.0 (end of 2035): US lab ")
    assert "; in 95 % of the samples or more several have the same" in last
    assert [*actor_summaries(run)] == ["US lab", "second-lab"]


def test_of_actors_that_have_the_same_none_is_behind_by_nothing_and_a_date_may_lie_between_the_years() -> None:
    even = simulate(
        load_scenario({"extends": "essay-2023", "name": "even", "samples": 32, "actors": {"a": {}, "b": {}}})
    )
    assert all(
        line.endswith(": a 50 %, b 50 %; in 95 % of the samples or more several have the same")
        for line in lead_lines(even)
    )
    (line,) = lead_lines(even, 2030.5)
    assert line == "  leads at 2030.5 (mid-2030): a 50 %, b 50 %; in 95 % of the samples or more several have the same"


def test_a_run_without_actors_says_nothing_of_them_and_of_one_no_lead() -> None:
    alone = simulate(load_scenario({"extends": "essay-2023", "name": "alone", "samples": 32}))
    assert actor_tables(alone) == {}
    assert lead_lines(alone) == []
    one = simulate(load_scenario({"extends": "essay-2023", "name": "one", "samples": 32, "actors": {"it": {}}}))
    assert lead_lines(one) == []
    assert np.array_equal(one["summary/crossed"].values, alone["summary/crossed"].values)
    assert math.isclose(one["actors_summary/leads"].values.min(), 1.0)
