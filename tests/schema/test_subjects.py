"""What limits stand on, and what it is called."""

from __future__ import annotations

import numpy as np
import pytest

from simulator import load_scenario, parse_scenario
from simulator.errors import ScenarioError
from simulator.model.projection import Projection, year_grid
from simulator.schema.subjects import inner_subjects, level_name, subjects, variable_names
from simulator.testing import scenario_text, small_scenario
from tests.money import money_alone, power_alone


def test_a_level_is_called_after_its_place() -> None:
    assert level_name(("drivers", "compute")) == "physical_compute"
    assert level_name(("drivers", "hardware", "factors", "use-of-chips")) == "hardware_factor_use_of_chips"
    assert level_name(("quantities", "power", "product", 1)) == "quantity_power_product_1"
    assert level_name(("constraints", "data", "limit", "product", 0)) == "constraint_data_product_0"
    assert level_name(("drivers", "spending", "caps", "cash", "limit")) == "cap_spending_cash"
    with pytest.raises(ValueError, match="names no level"):
        level_name(())


def test_parts_come_before_what_is_made_of_them() -> None:
    names = [subject.name for subject in subjects(load_scenario("baseline").spec)]
    factors = [name for name in names if "_factor_" in name]
    assert names == ["spending", *factors, "hardware", "algorithms", "physical_compute"]
    assert [subject.name for subject in inner_subjects(load_scenario("baseline").spec)] == [
        "quantity_flop_per_joule_product_1"
    ]


@pytest.mark.parametrize("name", ["baseline", "capability", "feedback", "published/scaling-2030"])
def test_the_names_of_variables_are_those_that_a_projection_gives(name: str) -> None:
    scenario = load_scenario(name)
    projection = Projection(scenario.spec, years=year_grid(scenario.spec), custom={})
    priors = scenario.components[0].joint.priors
    draws = {key: prior.family.ppf(np.array([0.4])) for key, prior in priors.items()}
    assert set(projection.project(projection.block(draws)).levels) == set(variable_names(scenario.spec))


def test_two_entries_that_would_give_one_variable_are_refused() -> None:
    capped = {
        "start": {"value": 2, "unit": "1"},
        "growth": "2x/year",
        "caps": {"x": {"limit": {"value": 3, "unit": "1"}}},
    }
    quantities = {"a": {"product": [{"value": 1}, capped]}, "a-product-1": {"value": 1}}
    rule = (
        "quantities.a.product\\[1\\]: gives the run a variable 'quantity_a_product_1', as quantities.a-product-1 does"
    )
    with pytest.raises(ScenarioError, match=rule):
        parse_scenario(scenario_text(small_scenario({"quantities": quantities})))


def test_without_compute_a_run_has_what_is_stated_alone() -> None:
    alone = parse_scenario(scenario_text(money_alone())).spec
    assert set(variable_names(alone)) == {"spending", "spending_demanded", "cap_spending_budget", "binding_spending"}
    assert set(variable_names(parse_scenario(scenario_text(power_alone())).spec)) == {"quantity_other", "quantity_site"}
