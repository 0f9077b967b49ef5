"""The laws of laying documents over one another: merging, library entries, overrides."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import InputError, Place, ScenarioError
from simulator.scenario.documents import Document, parse_document
from simulator.scenario.layers import (
    entries_in,
    expand_priors,
    known_path,
    lookup,
    merge,
    moved,
    place_of,
    text_keys,
)
from simulator.scenario.overrides import apply_override, parse_override

NAMES = st.sampled_from(["a", "b", "c", "d"])
LEAVES = st.one_of(st.sampled_from(["x", "y"]), st.booleans(), st.lists(st.sampled_from(["x", "y"]), max_size=2))
PRIORS = st.one_of(
    st.integers(0, 9), st.fixed_dictionaries({"median": st.integers(1, 9), "source": st.sampled_from(["s", "t"])})
)
TREES = st.dictionaries(
    NAMES,
    st.recursive(LEAVES | PRIORS, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=8),
    max_size=4,
)


def laid(base: Any, over: Any) -> Any:
    return merge(Document(base, {}), Document(over, {})).data


@given(TREES)
def test_laying_nothing_over_a_document_changes_nothing(tree: dict[str, Any]) -> None:
    assert laid(tree, {}) == tree
    assert laid({}, tree) == tree


@given(TREES)
def test_laying_a_document_over_itself_changes_nothing(tree: dict[str, Any]) -> None:
    assert laid(tree, tree) == tree


@given(TREES, TREES)
def test_laying_the_same_twice_is_laying_it_once(base: dict[str, Any], over: dict[str, Any]) -> None:
    assert laid(laid(base, over), over) == laid(base, over)


@given(TREES, TREES)
def test_every_entry_of_the_upper_document_stands(base: dict[str, Any], over: dict[str, Any]) -> None:
    def stands(upper: Any, result: Any) -> bool:
        if isinstance(upper, dict) and isinstance(result, dict) and "median" not in upper:
            return all(key in result and stands(value, result[key]) for key, value in upper.items())
        return bool(upper == result)

    assert stands(over, laid(base, over))


@given(TREES, TREES)
def test_merging_changes_neither_document(base: dict[str, Any], over: dict[str, Any]) -> None:
    before = repr(base), repr(over)
    laid(base, over)
    assert (repr(base), repr(over)) == before


@given(TREES, NAMES)
def test_null_takes_the_entry_away(tree: dict[str, Any], name: str) -> None:
    assert laid(tree, {name: None} if name in tree else {}) == {key: v for key, v in tree.items() if key != name}


def test_lists_and_priors_replace_and_maps_merge() -> None:
    base = {"list": [1, 2], "belief": {"median": 2, "source": "s"}, "map": {"x": "1", "y": "2"}}
    over = {"list": [3], "belief": {"median": 3}, "map": {"y": "4"}}
    assert laid(base, over) == {"list": [3], "belief": {"median": 3}, "map": {"x": "1", "y": "4"}}


def test_every_entry_keeps_the_place_that_it_came_from() -> None:
    base = parse_document("drivers:\n  a: {median: 2, source: s}\n  b: {caps: {x: y}}\n", file="base.yaml")
    over = parse_document("drivers:\n  a: {median: 3}\n", file="over.yaml")
    places = merge(base, over).places
    assert places["drivers", "a", "median"] == Place("over.yaml", 2, 7)
    assert ("drivers", "a", "source") not in places
    assert places["drivers", "b", "caps", "x"] == Place("base.yaml", 3, 14)
    assert place_of(places, ("drivers", "b", "caps", "x", "deeper", 3)) == Place("base.yaml", 3, 14)


def test_faults_of_both_documents_are_kept() -> None:
    base = parse_document("a: 1\na: 2\n", file="base.yaml", keep_faults=True)
    over = parse_document("b: .inf\n", file="over.yaml", keep_faults=True)
    assert merge(base, over).faults == (*base.faults, *over.faults)
    assert apply_override(merge(base, over), parse_override("c=1")).faults == (*base.faults, *over.faults)


ENTRY = {"median": 3, "interval_90": [2, 4], "unit": "factor/year", "source": "Someone 2024", "confidence": "high"}


def expanded(written: dict[str, Any], entry: dict[str, Any] | None = None) -> Any:
    return expand_priors(Document({"rate": written}, {}), lambda _, __: Document(entry or ENTRY, {})).data["rate"]


def test_a_reference_alone_takes_the_whole_entry() -> None:
    assert expanded({"prior": "f/e"}) == {**ENTRY, "prior": "f/e"}


def test_a_note_beside_a_reference_leaves_numbers_and_source() -> None:
    assert expanded({"prior": "f/e", "notes": "mine"}) == {**ENTRY, "prior": "f/e", "notes": "mine"}


def test_a_changed_number_drops_the_source_which_would_be_no_longer_true() -> None:
    assert expanded({"prior": "f/e", "median": 6}) == {
        "median": 6, "interval_90": [4, 8], "unit": "factor/year", "prior": "f/e"  # which goes along
    }  # fmt: skip


@pytest.mark.parametrize(
    ("prior", "centre", "told"),
    [
        ({"median": 3, "interval_90": [2, 4], "unit": "x/year"}, 6, {"median": 6, "interval_90": [4, 8]}),
        ({"median": 3, "interval_90": [2, 4], "unit": "x/year"}, "6x/year", {"median": 6, "interval_90": [4, 8]}),
        ({"interval_80": [1, 4], "unit": "USD"}, 3, {"median": 3, "interval_80": [1.5, 6]}),
        (
            {"median": 2030, "interval_90": [2028, 2035], "unit": "year"},
            2031,
            {"median": 2031, "interval_90": [2029, 2036]},
        ),
        ({"interval_90": ["1 %/year", "3 %/year"]}, "4 %/year", {"median": 4, "interval_90": [3, 5]}),
        ({"median": 5, "interval_90": [-2, 9]}, 6, {"median": 6, "interval_90": [-1, 10]}),
        ({"quantiles": {0.1: 1, 0.5: 2, 0.9: 8}}, 4, {"quantiles": {"0.1": 2, "0.5": 4, "0.9": 16}}),
        ({"value": 3}, 4, None),
        ({"mixture": [{"weight": 1, "value": 3}]}, 4, None),
    ],
)
def test_a_prior_is_moved_as_a_whole(prior: dict[str, Any], centre: Any, told: dict[str, Any] | None) -> None:
    assert moved(prior, centre) == told


IN_MONTHS = {"median": 8, "interval_90": [2, 22], "unit": "months/halving of requirement", "source": "Someone 2024"}


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ({"value": 3}, "value: does not say its unit: 3 what?"),
        ({"median": 3}, "Is it 3 months/halving of requirement, 3 x/year or 3 percent/year?"),
        ({"interval_90": [2, 4]}, "interval_90: does not say its unit: 2 what?"),
        (
            {"median": 3, "unit": "x/year"},
            "unit: is x/year, where the other numbers of the entry are in months/halving",
        ),
    ],
)
def test_a_number_over_a_library_entry_in_months_is_asked_for_its_unit(written: dict[str, Any], text: str) -> None:
    document = expand_priors(Document({"rate": {"prior": "f/e", **written}}, {}), lambda _, __: Document(IN_MONTHS, {}))
    (fault,) = document.faults
    assert text in str(fault)


@pytest.mark.parametrize(
    "written", [{"value": "3x/year"}, {"value": 3, "unit": "x/year"}, {"quantiles": {0.5: "3x/year"}}]
)
def test_numbers_that_say_their_unit_replace_that_of_the_entry(written: dict[str, Any]) -> None:
    result = expanded({"prior": "f/e", **written}, IN_MONTHS)
    assert result.get("unit", "x/year") == "x/year"
    assert "median" not in result


def test_an_interval_of_another_level_replaces_the_entrys() -> None:
    result = expanded({"prior": "f/e", "interval_50": [2.5, 3.5]})
    assert "interval_90" not in result
    assert result["median"] == 3


def test_a_whole_statement_replaces_all_numbers() -> None:
    assert expanded({"prior": "f/e", "uniform": [1, 2]}) == {"uniform": [1, 2], "unit": "factor/year", "prior": "f/e"}


def test_a_reference_that_leads_nowhere_joins_the_faults_of_the_document() -> None:
    document = parse_document("a: {prior: x/y}\nb: [{prior: x/z}]\n", file="f.yaml")

    def refuse(reference: str, place: Place) -> Document:
        raise ScenarioError([*parse_document("p: 1\np: 2\n", file=f"{place}", keep_faults=True).faults])

    assert [fault.place.file for fault in expand_priors(document, refuse).faults] == ["f.yaml:1:5", "f.yaml:2:6"]


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("samples=1e6", ("samples",), 1e6),
        ("a.b[0].c = 3", ("a", "b", 0, "c"), 3),
        ("a.cash-flow={x: [1, 2]}", ("a", "cash-flow"), {"x": [1, 2]}),
        ("a=", ("a",), None),
        ("a=b=c", ("a",), "b=c"),
        ("a[2][3]=no", ("a", 2, 3), "no"),
        ("a.quantiles.0.05=2e8", ("a", "quantiles", "0.05"), 2e8),
        ("a.quantiles[0.05].b=1", ("a", "quantiles", "0.05", "b"), 1),
        ("a.interval_97.5=[1, 2]", ("a", "interval_97.5"), [1, 2]),
        ("a.points.1e29=2", ("a", "points", "1e29"), 2),
        ("a[slow].rate=2", ("a", "[slow]", "rate"), 2),
        ("a.table.2030.25=3", ("a", "table", "2030.25"), 3),
    ],
)
def test_an_override_is_read_as_path_and_value(text: str, path: tuple[str | int, ...], value: Any) -> None:
    override = parse_override(text)
    assert (override.path, override.value, override.text) == (path, value, text)


@pytest.mark.parametrize("text", ["", "a", "=1", "a..b=1", "a[X]=1", "a[0=1", ".a=1", "a.=1"])
def test_an_override_without_a_path_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="must be path=value"):
        parse_override(text)


@given(TREES, st.lists(NAMES, min_size=1, max_size=3), st.integers(1, 9))
def test_what_is_set_is_found_there_and_nothing_else_changes(tree: dict[str, Any], path: list[str], value: int) -> None:
    document = Document(tree, {})
    try:
        changed = apply_override(document, parse_override(f"{'.'.join(path)}={value}"))
    except InputError:
        return  # the path leads through a text, true, false or a list
    assert lookup(changed.data, tuple(path)) == value
    for name in set(tree) - {path[0]}:
        assert changed.data[name] == tree[name]


@given(TREES, NAMES)
def test_null_removes_what_is_there(tree: dict[str, Any], name: str) -> None:
    changed = apply_override(Document(tree, {}), parse_override(f"{name}=null")).data
    assert changed == {key: value for key, value in tree.items() if key != name}


def test_a_number_becomes_a_prior_when_one_of_its_entries_is_set() -> None:
    document = Document({"rate": "2x/year"}, {})
    assert apply_override(document, parse_override("rate.unit=OOM/year")).data == {
        "rate": {"value": 2, "unit": "OOM/year"}
    }


def test_another_library_entry_replaces_the_numbers_beside_it() -> None:
    parts = [{"weight": 0.4, "median": 2, "interval_90": [1, 3]}]
    document = Document({"rate": {"median": 2, "interval_90": [1, 3], "unit": "x/year"}, "mix": parts}, {})
    assert apply_override(document, parse_override("rate.prior=f/e")).data["rate"] == {"prior": "f/e"}
    assert apply_override(document, parse_override("mix[0].prior=f/e")).data["mix"] == [{"prior": "f/e", "weight": 0.4}]


def test_a_number_as_a_key_is_known_however_it_is_written() -> None:
    data = {"points": {1e29: 3, "0.050": 4}, "list": [{2030: 1}]}
    assert known_path(data, ("points", "1e29")) == ("points", "1e+29")
    assert known_path(data, ("points", "0.05")) == ("points", "0.050")
    assert known_path(data, ("list", 0, 2030)) == ("list", 0, "2030")
    assert known_path(data, ("points", "2e29", 1)) == ("points", "2e29", 1)


def test_an_override_is_the_place_of_what_it_sets_and_makes() -> None:
    document = parse_document("a: {b: 1}\n", file="f.yaml")
    places = apply_override(document, parse_override("a.c.d=2")).places
    assert places["a",] == Place("f.yaml", 1, 1)
    assert places["a", "c"] == places["a", "c", "d"] == Place("--set a.c.d=2")


def test_keys_are_turned_into_text_at_every_depth() -> None:
    assert text_keys({1: [{0.5: {2030: "x"}}]}) == {"1": [{"0.5": {"2030": "x"}}]}


@given(TREES)
def test_every_entry_is_found_at_its_path(data: dict[str, Any]) -> None:
    found = dict(entries_in(data))
    assert found[()] == data
    assert all(lookup(data, path) == value for path, value in found.items())
