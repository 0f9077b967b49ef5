"""Groups of priors: by pattern, by driver, and what is refused."""

import pytest

from simulator import load_scenario
from simulator.analysis.evaluation import Input, inputs_of, model_of
from simulator.analysis.inputs import companions, group_inputs, median_draws, moved_by, parse_groups
from simulator.errors import InputError


@pytest.fixture(scope="module")
def inputs():
    return inputs_of(model_of(load_scenario("baseline")))


def test_a_group_holds_what_its_patterns_match_and_the_rest_stays(inputs):
    grouped = group_inputs(inputs, groups={"caps": ["*.caps.*"], "algorithms": ["drivers.algorithms.growth"]})
    named = {each.name: each.members for each in grouped}
    assert all(".caps." in name for name in named["caps"])
    assert named["algorithms"] == ("drivers.algorithms.growth",)
    assert sorted(prior for each in grouped for prior in each.members) == sorted(
        prior for each in inputs for prior in each.members
    )


def test_a_pattern_without_a_star_takes_what_stands_below_it_and_not_what_begins_alike(inputs):
    (group,) = [
        each for each in group_inputs(inputs, groups={"g": ["quantities.tokens.product[0]"]}) if each.name == "g"
    ]
    assert all(name.startswith("quantities.tokens.product[0].") for name in group.members)
    with pytest.raises(InputError, match="matches no uncertain prior"):
        group_inputs(inputs, groups={"g": ["drivers.algo"]})


def test_by_driver_puts_together_what_stands_under_one(inputs):
    grouped = group_inputs(inputs, by="driver")
    assert {"drivers.spending", "drivers.hardware", "drivers.algorithms", "constraints.power"} <= {
        each.name for each in grouped
    }
    assert all(f"{name}.".startswith(f"{each.name}.") for each in grouped for name in each.members)


def test_no_group_changes_nothing(inputs):
    assert group_inputs(inputs) == inputs


@pytest.mark.parametrize(
    ("groups", "by", "text"),
    [
        ({"a": ["drivers.algoritms.*"]}, None, "Did you mean 'drivers.algorithms'?"),
        ({"a": ["drivers.*"], "b": ["drivers.spending.*"]}, None, "which group 'a' has"),
        ({"drivers.algorithms.growth": ["drivers.spending"]}, None, "is the name of a prior outside the group"),
        (None, "drivr", "--by: must be driver; got 'drivr'."),
    ],
)
def test_bad_groups_are_refused(inputs, groups, by, text):
    with pytest.raises(InputError) as caught:
        group_inputs(inputs, groups=groups, by=by)
    assert text in str(caught.value)


@pytest.mark.parametrize("text", ["algorithms", "=drivers.*", "a=", "a= , "])
def test_a_group_is_written_as_name_and_pattern(text):
    with pytest.raises(InputError, match="must be NAME=PATTERN"):
        parse_groups([text])


def test_a_group_named_twice_is_refused():
    with pytest.raises(InputError, match="is named twice"):
        parse_groups(["a=b.*", "a=c.*"])


def test_what_is_correlated_moves_along_and_nothing_else():
    model = model_of(load_scenario("baseline"))
    start, growth = (Input(name, (name,)) for name in ("drivers.spending.start", "drivers.algorithms.growth"))
    assert companions(model.joint, start) == ("drivers.hardware.factors.price-performance.start",)
    draws = median_draws(model, 1)
    moved = moved_by(model.joint, draws, growth, step=1.0)
    assert [name for name in model.joint.uncertain if moved[name] != draws.values[name]] == [growth.name]
