"""What a scenario must fulfil beyond its single entries, and what is allowed but odd."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from simulator.errors import Fault
from simulator.scenario.checks.units import UnitCheck, variable_units
from simulator.scenario.checks.whole import check_scenario
from simulator.scenario.load import parse_scenario
from simulator.schema.spec import ScenarioSpec
from simulator.units import parse_unit

SMALL: dict[str, Any] = {
    "schema": 2,
    "name": "small",
    "years": {"first": 2025, "last": 2035},
    "drivers": {
        "spending": {"start": {"value": 4e8, "unit": "USD"}, "growth": "2.4x/year"},
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "1.35x/year"},
    },
}


def faults(**groups: Any) -> list[tuple[str, str]]:
    data = {**copy.deepcopy(SMALL), **groups}
    found: tuple[Fault, ...] = check_scenario(ScenarioSpec.model_validate(data)).faults
    return [(".".join(map(str, fault.path)), fault.rule) for fault in found]


def spending(**entries: Any) -> dict[str, Any]:
    return {"drivers": {**SMALL["drivers"], "spending": {**SMALL["drivers"]["spending"], **entries}}}


def test_a_sound_scenario_has_no_faults() -> None:
    assert faults() == []


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [
        ({"value": 1, "unit": "GW"}, "J/s"),
        (
            {"product": [{"value": 1, "unit": "GW"}, {"value": 90, "unit": "day"}, {"value": 1e12, "unit": "FLOP/J"}]},
            "FLOP",
        ),
        ({"ratio": [{"value": 1, "unit": "FLOP"}, {"value": 1, "unit": "USD"}]}, "FLOP/USD"),
        ({"sum": [{"value": 1, "unit": "kWh"}, {"value": 1, "unit": "J"}]}, "J"),
        (
            {"minimum": [{"value": 1, "unit": "chip"}, {"start": {"value": 1, "unit": "chip"}, "growth": "2x/year"}]},
            "chip",
        ),
        ({"difference": [{"value": 2, "unit": "USD"}, {"value": 1, "unit": "USD"}]}, "USD"),
        ({"accumulation": {"start": {"value": 1, "unit": "chip/year"}}, "start": {"value": 1, "unit": "chip"}}, "chip"),
        ({"table": {"2020": 1, "2040": 2}, "unit": "TB"}, None),
        (3, "1"),
    ],
)
def test_the_unit_of_a_quantity_follows_from_its_parts(quantity: Any, unit: str | None) -> None:
    spec = ScenarioSpec.model_validate({**SMALL, "quantities": {"q": quantity}})
    found = UnitCheck(spec, frozenset()).of(spec.quantities["q"], ("quantities", "q"))
    assert (None if found is None else found.dimension) == (None if unit is None else parse_unit(unit).dimension)


@pytest.mark.parametrize("operation", ["sum", "minimum", "maximum", "difference"])
def test_quantities_of_two_units_do_not_combine(operation: str) -> None:
    parts = [{"value": 1, "unit": "USD"}, {"value": 1, "unit": "FLOP"}]
    rule = "is in FLOP; the first is in USD: they do not combine."
    assert faults(quantities={"q": {operation: parts}}) == [(f"quantities.q.{operation}.1", rule)]


STOCK = {
    "accumulation": {"start": {"value": 1, "unit": "W/year"}, "growth": "10 %/year"},
    "start": {"value": 1, "unit": "W"},
}
TABLE = {"table": {"2025": 1, "2035": 2}, "unit": "W"}
AMOUNT = {"value": 3, "unit": "W"}


@pytest.mark.parametrize(
    ("quantity", "entry"),
    [
        ({"lag": {"of": TABLE, "by": "2 years"}}, "lag.of.table"),
        ({"lag": {"of": TABLE, "by": {"uniform": [0.1, 0.5], "unit": "year"}}}, "lag.of.table"),
        ({"lag": {"of": {**TABLE, "table": {"2023": 1, "2035": 2}}, "by": "2 years"}}, None),
        ({"highest": TABLE, "at": 2020}, "highest.table"),
        ({"highest": TABLE}, None),
        ({**STOCK, "accumulation": {**TABLE, "unit": "W/year"}, "at": 2020}, "accumulation.table"),
        ({**STOCK, "at": 2026}, ""),
        ({"lag": {"of": STOCK, "by": "1 year"}}, "lag.of"),
        ({"lag": {"of": {**STOCK, "at": 2024}, "by": "1 year"}}, None),
        ({**STOCK, "depreciation": {"value": 100, "unit": "%/year"}}, "depreciation"),
        ({**STOCK, "depreciation": {"uniform": [80, 110], "unit": "%/year"}}, "depreciation"),
        ({**STOCK, "depreciation": {"uniform": [80, 99], "unit": "%/year"}}, None),
        ({"difference": [AMOUNT, AMOUNT]}, "difference"),
        ({"difference": [{"start": {"uniform": [1, 3], "unit": "W"}, "growth": "9x/year"}, AMOUNT]}, "difference"),
        ({"difference": [{"start": {"uniform": [1, 4], "unit": "W"}}, AMOUNT]}, None),
        ({"difference": [{"start": AMOUNT, "at": 2020, "growth": "2x/year"}, {"value": 4, "unit": "W"}]}, None),
    ],
)
def test_what_a_run_would_refuse_of_a_quantity_is_a_fault(quantity: Any, entry: str | None) -> None:
    at = f"quantities.q.{entry}".rstrip(".")
    assert [path for path, _ in faults(quantities={"q": quantity})] == ([] if entry is None else [at])


def test_a_lag_of_a_variable_asks_for_earlier_years_of_the_tables_behind_it() -> None:
    spending_table = {"table": {"2025": 1e9, "2035": 1e11}, "unit": "USD"}
    drivers = {**SMALL["drivers"], "spending": spending_table}
    before = {"lag": {"of": "physical_compute", "by": "1 year"}}
    rule = "begins in 2025; the scenario runs from 2025 and needs it from 2024."
    assert faults(drivers=drivers, quantities={"before": before}) == [("drivers.spending.table", rule)]
    factors = {"rate": {"table": {"2024": 1e9, "2035": 1e11}, "unit": "USD"}, "part": {"level": "share"}}
    share = {"lag": {"of": {"table": {"2024": 0.5, "2035": 1}, "unit": "1"}, "by": "1 year"}}
    drivers["spending"] = {"factors": factors}
    rule = "begins in 2024; the scenario runs from 2025 and needs it from 2023."
    found = faults(drivers=drivers, quantities={"before": before, "share": share})
    assert found == [("quantities.share.lag.of.table", rule)]


def test_a_driver_that_is_a_quantity_under_a_limit_of_what_the_driver_was_begins_nowhere() -> None:
    cap = {"limit": {"product": [{"lag": {"of": "spending", "by": "1 year"}}, 3]}}
    own = {"start": {"value": 1e9, "unit": "USD"}, "growth": "2x/year", "caps": {"cash": cap}}
    found = faults(drivers={**SMALL["drivers"], "spending": {"level": "own"}}, quantities={"own": own})
    assert found == [("quantities.own", "is made from itself: own -> spending -> own.")]


def test_what_is_made_of_itself_twice_at_each_of_many_levels_is_checked_at_once() -> None:
    doubled = {f"q{n}": {"sum": [f"q{n - 1}", f"q{n - 1}"]} for n in range(1, 60)}
    late = {"lag": {"of": "q59", "by": "1 year"}}
    found = faults(quantities={"q0": TABLE, **doubled, "late": late})
    assert [path for path, _ in found] == ["quantities.q0.table"]


def test_a_fault_in_a_quantity_is_told_once_however_often_it_is_used() -> None:
    bad = {"sum": [{"value": 1, "unit": "USD"}, {"value": 1, "unit": "FLOP"}]}
    caps = {name: {"limit": "bad"} for name in ("a", "b")}
    assert len(faults(quantities={"bad": bad, "user": {"product": ["bad", 2]}}, **spending(caps=caps))) == 1


@pytest.mark.parametrize(("unit", "count"), [("USD", 0), ("MUSD", 0), ("FLOP", 1), ("1", 1)])
def test_a_cap_has_the_unit_of_what_it_caps(unit: str, count: int) -> None:
    assert len(faults(**spending(caps={"cash": {"limit": {"value": 1e11, "unit": unit}}}))) == count


def test_the_remedy_of_a_wrong_unit_names_what_is_missing() -> None:
    spec = ScenarioSpec.model_validate({**SMALL, "constraints": {"power": {"limit": {"value": 1, "unit": "GW"}}}})
    (fault,) = check_scenario(spec).faults
    assert "a factor in FLOP s/J is missing" in fault.remedy


def test_factors_multiply_to_the_unit_of_the_driver() -> None:
    per_dollar = {"start": {"value": 1e18, "unit": "FLOP/USD"}}
    for factors, count in [
        ({"a": per_dollar, "b": {"growth": "1.2x/year"}}, 0),
        ({"a": per_dollar, "b": per_dollar}, 1),
    ]:
        assert len(faults(drivers={**SMALL["drivers"], "hardware": {"factors": factors}})) == count


def test_the_units_of_variables_are_those_of_the_scenario() -> None:
    data = {**SMALL, "quantities": {"world-product": {"value": 1e14, "unit": "USD"}}}
    data |= spending(caps={"cash-flow": {"limit": "world-product"}})
    units = variable_units(ScenarioSpec.model_validate(data))
    assert units == {"cap_spending_cash_flow": "log10(USD)", "quantity_world_product": "log10(USD)"}


@pytest.mark.parametrize(
    ("froms", "faulty"),
    [([None], []), ([None, 2027, 2030], []), ([2025], [0]), ([None, None], [1]), ([None, 2030, 2027], [2]),
     ([None, 2030, 2030], [2]), ([None, 30, 2030], [1]), ([None, {"uniform": [2027, 2030]}, 2029], [])],
)  # fmt: skip
def test_regimes_follow_one_another_in_time(froms: list[Any], faulty: list[int]) -> None:
    growth = [{"rate": "2.0x/year"} | ({} if year is None else {"from": year}) for year in froms]
    found = [path.split(".")[3] for path, _ in faults(**spending(growth=growth))]
    assert found == [str(index) for index in faulty]


@pytest.mark.parametrize(
    ("years", "count"), [((2025, 2035), 0), ((2020, 2040), 0), ((2026, 2035), 1), ((2025, 2034), 1)]
)
def test_a_table_covers_the_years_of_the_scenario(years: tuple[int, int], count: int) -> None:
    level = {"table": {str(years[0]): 1e8, str(years[1]): 1e9}, "unit": "USD"}
    assert len(faults(drivers={**SMALL["drivers"], "spending": level})) == count


def test_a_circle_is_told_once_and_what_leads_into_it_is_not_told() -> None:
    quantities = {"a": {"product": ["b", 2]}, "b": {"product": ["c", 2]}, "c": {"product": ["a", 2]}}
    quantities["into"] = {"product": ["a", 2]}
    quantities["self"] = {"sum": ["self", 2]}
    assert faults(quantities=quantities) == [
        ("quantities.a", "is made from itself: a -> b -> c -> a."),
        ("quantities.self", "is made from itself: self -> self."),
    ]


def test_a_circle_through_the_cap_of_a_level_is_found() -> None:
    level = {"start": {"value": 1, "unit": "USD"}, "caps": {"x": {"share": "0.5 fraction", "of": "b"}}}
    found = faults(quantities={"a": level, "b": {"product": ["a", 2]}})
    assert found == [("quantities.a", "is made from itself: a -> b -> a.")]


def test_thresholds_may_build_on_one_another_but_not_in_a_circle() -> None:
    chain = {"a": {"effective_compute": 1e30}, "b": {"multiple": 10, "of": "a"}, "c": {"multiple": 10, "of": "b"}}
    assert faults(thresholds=chain) == []
    chain["a"] = {"multiple": 2, "of": "c"}
    assert faults(thresholds=chain) == [("thresholds.a.of", "is a multiple of itself: a -> c -> b -> a.")]


def test_a_threshold_on_spending_needs_spending() -> None:
    whole = {"compute": {"start": {"value": 1e25, "unit": "FLOP"}, "growth": "4x/year"}}
    assert [path for path, _ in faults(drivers=whole, thresholds={"x": {"spending": 1e10}})] == [
        "thresholds.x.spending"
    ]
    assert [path for path, _ in faults(drivers=whole, thresholds={"x": {"physical_compute": 1e30}})] == []


def warnings(**groups: Any) -> tuple[str, ...]:
    return parse_scenario(json.dumps({**SMALL, **groups})).warnings


@pytest.mark.parametrize(
    ("scenario", "prior", "count"),
    [("real 2023", "nominal", 1), ("real 2023", "real 2023", 0), ("real 2023", None, 0), (None, "nominal", 0)],
)
def test_dollars_of_another_kind_warn(scenario: str | None, prior: str | None, count: int) -> None:
    start = {"value": 4e8, "unit": "USD"} | ({} if prior is None else {"dollars": prior})
    assert len(warnings(**({"dollars": scenario} if scenario else {}), **spending(start=start))) == count
