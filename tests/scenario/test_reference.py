"""The reference of the format, in words."""

from __future__ import annotations

import re

import pytest

from simulator import InputError, explain_key
from simulator.scenario.reference import kinds
from simulator.schema.base import Spec
from simulator.schema.laws import GROWTH_LAWS


def test_every_key_of_the_code_is_there():
    named = {each.__name__.removesuffix("Spec"): each for each in Spec.__subclasses__()}
    assert len(set(named) & set(kinds())) > 20
    for name in set(named) & set(kinds()):
        keys = {field.alias or key for key, field in named[name].model_fields.items()}
        assert keys - {"interval", "<own>"} <= set(kinds()[name].keys), name


def test_every_key_says_what_it_means_and_what_it_takes():
    for kind in kinds().values():
        for key in kind.keys.values():
            assert key.meaning, (kind.name, key.name)
            assert key.takes


def test_units_are_those_that_are_checked():
    assert "must be written" in kinds()["Regime"].keys["rate"].unit
    assert "must be written" in kinds()["Limit"].keys["share"].unit
    assert kinds()["Threshold"].keys["spending"].unit == "USD"
    assert kinds()["Regime"].keys["from"].unit.startswith("a year")
    assert kinds()["Regime"].keys["half_life"].unit.startswith("a time (2 years")


@pytest.mark.parametrize(
    ("asked", "first", "has"),
    [
        ("half_life", "half_life, of a regime", "halves its distance"),
        ("drivers.spending.growth[0].rate.interval_80", "interval_90, of a prior", "two, each a number"),
        ("drivers.hardware.factors.any-name.growth.towards", "towards, of a regime", "OOM/year"),
        ("quantities.q.product[1].sum[0].median", "median, of a prior", "50 % point"),
        ("drivers.spending.growth[slowdown].rate", "rate, of a regime", "a prior or a mean rate"),
        ("threshold.of", "of, of a threshold", "default: none"),
        ("samples", "samples, of a scenario", "default: 10000"),
        ("years.step", "step, of years", "year or quarter or month"),
    ],
)
def test_a_key_is_explained(asked, first, has):
    lines = explain_key(asked)
    assert lines[0] == first
    assert has in " ".join(lines)


def test_a_kind_lists_its_keys():
    lines = explain_key("point-function")
    assert lines == explain_key("PointFunction") == explain_key("point function")
    assert [line.split()[0] for line in lines[2:-2]] == list(kinds()["PointFunction"].keys)


def test_what_several_kinds_say_alike_is_said_once():
    assert sum(bool(re.match("unit, of", line)) for line in explain_key("unit")) == 3


@pytest.mark.parametrize(
    ("asked", "remedy"),
    [
        ("halflife", "Did you mean 'half_life'?"),
        ("drivers.spending.grwth", "no 'grwth' below drivers.spending. Did you mean 'growth'?"),
        ("drivers.chips", "There are: algorithms, compute, hardware, spending."),
        ("", "Kinds of entry: "),
        ("threshold.foo", "Did you mean"),
    ],
)
def test_what_there_is_not_is_refused_with_a_hint(asked, remedy):
    with pytest.raises(InputError) as caught:
        explain_key(asked)
    assert remedy in str(caught.value)


def test_what_is_a_list_is_explained_line_by_line() -> None:
    lines = explain_key("law.kind")
    assert lines[1] == f"  One of {', '.join(f'`{name}`' for name in GROWTH_LAWS.shipped)}."
    assert "  - quantities: `labour` (coders)" in lines
    assert next(line for line in explain_key("law") if line.startswith("  kind ")).endswith("`automated-tasks`.")
