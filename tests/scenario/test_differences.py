"""What scenarios say differently."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import xarray as xr

from simulator.errors import InputError
from simulator.scenario.dating import laid_over
from simulator.scenario.differences import (
    ABSENT,
    as_layer,
    differing_inputs,
    in_short,
    laid_between,
    run_labels,
    topmost_differences,
)
from simulator.scenario.documents import Document
from simulator.testing import run_of, small_scenario

SPENDING = {"start": {"value": 1e8, "unit": "USD"}, "growth": {"uniform": [2, 4], "unit": "x/year"}}
DRIVERS = {
    "spending": {**SPENDING, "caps": {"budget": {"limit": {"value": 1e10, "unit": "USD"}}}},
    "hardware": {
        "start": {"value": 1e18, "unit": "FLOP/USD"},
        "growth": [{"rate": "1.4x/year"}, {"from": 2030, "rate": "1.2x/year"}],
    },
}


def small(changes: dict[str, Any] | None = None) -> xr.DataTree:
    return run_of(small_scenario({"samples": 4, "block": 256, "drivers": copy.deepcopy(DRIVERS), **(changes or {})}))


@pytest.fixture(scope="module")
def plain() -> xr.DataTree:
    return small()


def rows(first: xr.DataTree, *others: xr.DataTree) -> list[dict[str, object]]:
    return differing_inputs([first, *others])


def test_the_same_scenario_differs_in_nothing(plain: xr.DataTree) -> None:
    assert rows(plain, small()) == []


def test_a_prior_is_reported_whole_with_the_value_of_each_run(plain: xr.DataTree) -> None:
    other = small(
        {
            "name": "other",
            "drivers.spending.growth": {"median": 3, "interval_90": [2, 4], "unit": "x/year", "source": "X 2024"},
        }
    )
    found = rows(plain, other)
    assert found[0] == {
        "path": "drivers.spending.growth", "kind": "number", "small": "uniform 2 to 4 x/year",
        "other": "median 3 (90 % 2 to 4) x/year",
    }  # fmt: skip
    assert [(row["path"], row["kind"]) for row in found[1:]] == [("name", "run")]


def test_entries_of_lists_have_their_place_in_the_path(plain: xr.DataTree) -> None:
    regimes = [{"rate": "1.4x/year"}, {"from": 2031, "rate": "1.2x/year"}, {"from": 2033, "rate": "1.1x/year"}]
    found = rows(plain, small({"drivers.hardware.growth": regimes}))
    assert [row["path"] for row in found] == ["drivers.hardware.growth[1].from", "drivers.hardware.growth[2]"]
    assert list(found[0].values())[2:] == ["2030", "2031"]
    assert list(found[1].values())[2:] == ["absent", "{from: 2033, rate: 1.1x/year}"]


def test_a_cap_that_one_run_lacks_is_named_even_where_it_is_the_only_one(plain: xr.DataTree) -> None:
    found = rows(plain, small({"drivers.spending": copy.deepcopy(SPENDING)}))
    assert [row["path"] for row in found] == ["drivers.spending.caps.budget"]
    assert list(found[0].values())[2:] == ["limit 1e+10 USD", "absent"]


def test_a_source_alone_is_kept_apart_from_numbers(plain: xr.DataTree) -> None:
    growth = {"uniform": [2, 4], "unit": "x/year", "source": "X 2024"}
    (row,) = rows(plain, small({"drivers.spending.growth": growth}))
    assert (row["path"], row["kind"]) == ("drivers.spending.growth.source", "origin")


def test_the_source_of_a_correlation_is_no_number() -> None:
    pair = {"between": ["drivers.spending.growth", "drivers.hardware.growth[0].rate"], "rank": 0.3}
    growth = {"drivers.hardware.growth": [{"rate": {"uniform": [1.2, 1.4], "unit": "x/year"}}]}
    runs = [small(growth | {"correlations": [pair | {"source": source}]}) for source in ("A", "B")]
    assert [(row["path"], row["kind"]) for row in rows(*runs)] == [("correlations[0].source", "origin")]


def test_only_what_differs_between_any_of_several_runs_is_listed(plain: xr.DataTree) -> None:
    found = rows(plain, small({"seed": 3}), small({"years.last": 2040}))
    assert [(row["path"], row["kind"]) for row in found] == [("years.last", "number"), ("seed", "run")]
    assert list(found[0].values())[2:] == ["2035", "2035", "2040"]


def test_the_scale_of_a_capability_makes_it_no_prior(plain: xr.DataTree) -> None:
    loss = {"name": "loss", "kind": "power-law-loss", "irreducible": 1.7, "scale": 2700, "exponent": 0.18}
    first, second = (small({"capability": loss | {"exponent": exponent}}) for exponent in (0.18, 0.2))
    assert [row["path"] for row in rows(first, second)] == ["capability.exponent"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {"median": 2.4, "interval_90": [2.0, 2.9], "unit": "factor/year", "source": "X 2024"},
            "median 2.4 (90 % 2 to 2.9) factor/year",
        ),
        (
            {"mixture": [{"weight": 0.6, "median": 2}, {"weight": 0.4, "uniform": [1, 3], "prior": "a/b"}]},
            "mixture of 0.6 × (median 2), 0.4 × (uniform 1 to 3 [a/b])",
        ),
        (True, "true"),
        (None, "null"),
        (1e26, "1e+26"),
        ([1, None], "[1, null]"),
        ({"value": 2, "unit": "USD"}, "2 USD"),
        ({"family": "normal", "mean": 0.4, "sd": 0.1}, "normal, mean 0.4 sd 0.1"),
        ({"mean": 0.4, "sd": 0.1, "unit": "OOM/year"}, "mean 0.4 sd 0.1 OOM/year"),
        ({"interval_80": [1, 3], "unit": "%/year"}, "80 % 1 to 3 %/year"),
        ({"median": 3, "truncated": [1, None]}, "median 3 truncated [1, null]"),
        ({"prior": "caps/x", "median": 3, "notes": "long"}, "median 3 [caps/x]"),
        (
            {"share": {"value": 0.1, "unit": "fraction"}, "of": "world-product"},
            "{share: 0.1 fraction, of: world-product}",
        ),
    ],
)
def test_entries_are_written_in_short(value: Any, text: str) -> None:
    assert in_short(value) == text


def test_runs_of_one_name_are_told_apart(plain: xr.DataTree) -> None:
    other = small({"seed": 3})
    ids = [run.attrs["run_id"] for run in (plain, other)]
    assert run_labels([plain, other]) == [f"small {key}" for key in ids]
    assert run_labels([plain, plain]) == ["small", "small (2)"]
    assert run_labels([plain, small({"name": "other"})]) == ["small", "other"]


def test_labels_and_numbers_of_runs_that_cannot_be_are_refused(plain: xr.DataTree) -> None:
    with pytest.raises(InputError, match="needs two runs or scenarios at least; got 'small' alone"):
        run_labels([plain])
    with pytest.raises(InputError, match="at most 12 runs or scenarios; got 13"):
        run_labels([plain] * 13)
    with pytest.raises(InputError, match="all different"):
        run_labels([plain, plain], ["a", "a"])


def test_data_are_walked_down_to_what_differs() -> None:
    first = {"a": {"b": 1, "c": [1, 2]}, "d": [1], "caps": {}}
    other = {"a": {"b": 1, "c": [1, 3]}, "d": [1, 2], "caps": {}}
    assert list(topmost_differences([first, other])) == [(("a", "c", 1), (2, 3)), (("d",), [[1], [1, 2]])]
    assert list(topmost_differences([{"caps": {"x": 1}}, {}])) == [(("caps",), [{"x": 1}, ABSENT])]
    assert list(topmost_differences([{"caps": {"x": 1}}, {}], named=["caps"])) == [(("caps", "x"), [1, ABSENT])]


def test_what_lies_between_two_scenarios_makes_the_other_of_the_one() -> None:
    level = {"start": {"value": 3.0, "unit": "USD"}, "at": 2022, "growth": ["2x/year"]}
    one = {"years": {"first": 2025}, "title": "One", "quantities": {"a": level, "b": {"sum": ["a", 1]}},
           "constraints": {"x": {"limit": "a"}}, "thresholds": {"t": {"spending": 1}, "u": {"spending": 2}},
           "correlations": [{"rank": 0.1}], "inputs": {"rate": "3x/year"}}  # fmt: skip
    other = {"years": {"first": 2026}, "title": "Other", "quantities": {"a": {**level, "start": "$4"}},
             "thresholds": {"t": {"spending": 1}, "v": {"spending": 3}, "u": {"spending": 5}},
             "correlations": [{"rank": 0.2}], "inputs": {"rate": {"median": 3, "unit": "x/year"}}, "seed": 3}  # fmt: skip
    layer = as_layer(laid_between(one, other), other)
    assert layer["quantities"] == {"a": {"start": "$4", "at": 2022}, "b": None}  # its date does not move with the years
    assert layer["thresholds"] == {"t": {}, "v": {"spending": 3}, "u": {"spending": 5}}
    found = laid_over(Document(one, {}), Document(layer, {})).data
    assert found == {**other, "title": "One"}
    assert list(found["thresholds"]) == list(other["thresholds"])
    assert laid_between(one, one) == {}
    under = {"constraints": {"y": {"limit": "b"}}}
    assert as_layer({("constraints", "x"): None}, other, under=under)["constraints"] == {
        **under["constraints"],
        "x": None,
    }
