"""Warnings of what is drawn oddly."""

from __future__ import annotations

import numpy as np
import pytest

from simulator import load_scenario, shipped_scenarios, simulate

TEXT = """
schema: 1
name: twice
years: {{first: 2025, last: 2035}}
{inputs}
drivers:
  spending: {{start: {{value: 4e8, unit: USD}}, growth: {spending}}}
  hardware: {{start: {{value: 1e18, unit: FLOP/USD}}, growth: {hardware}}}
{more}
"""
ENTRY = "{prior: constraints/world-product-growth}"
PLACES = "drivers.spending.growth and drivers.hardware.growth"


def warnings(*, spending: str = ENTRY, hardware: str = ENTRY, inputs: str = "", more: str = "") -> tuple[str, ...]:
    return load_scenario(TEXT.format(spending=spending, hardware=hardware, inputs=inputs, more=more)).warnings


def test_an_entry_of_the_library_in_two_places_is_said_to_be_drawn_twice() -> None:
    (line,) = warnings()
    assert line == (
        f"constraints/world-product-growth: drawn twice, independently: {PLACES}. "
        "Where one number is meant, name it under inputs and use it as {input: its-name}."
    )


def test_so_is_a_mixture_of_entries() -> None:
    mixture = "{mixture: [{weight: 1, prior: spending/cottier-2024}, {weight: 1, value: 2}]}"
    (line,) = warnings(spending=mixture, hardware=mixture)
    assert line.startswith(f"spending/cottier-2024: drawn twice, independently: {PLACES}.")


@pytest.mark.parametrize(
    "said",
    [
        {"hardware": "{prior: constraints/world-product-growth, interval_80: [0.5, 4.75]}"},  # another number
        {"hardware": "{interval_80: [0.4, 4.75], unit: '%/year'}"},  # which the file states by itself
        {"more": f"correlations: [{{between: [{PLACES.replace(' and', ',')}], rank: 0.8}}]"},
        {"inputs": f"inputs: {{world: {ENTRY}}}", "spending": "{input: world}", "hardware": "{input: world}"},
        {"spending": "{prior: algorithms/benchmark-stitched-2025}", "hardware": "{prior: algorithms/benchmark-stitched-2025}"},
    ],
)  # fmt: skip
def test_what_is_another_number_joined_shared_or_fixed_is_not(said: dict[str, str]) -> None:
    assert warnings(**said) == ()


def test_an_input_beside_the_same_entry_is_drawn_apart_from_it() -> None:
    (line,) = warnings(inputs=f"inputs: {{world: {ENTRY}}}", spending="{input: world}")
    assert "drawn twice, independently: inputs.world and drivers.hardware.growth." in line


def test_an_input_that_nothing_uses_is_said() -> None:
    assert warnings(inputs="inputs: {world: 1.5}", hardware="1.3") == ("inputs.world: nothing uses it.",)
    followed = "{function: {of: inputs.world, points: {1: 1.2, 2: 1.4}}}"
    assert warnings(inputs="inputs: {world: {interval_90: [1.2, 1.8]}}", hardware=followed) == ()


def follows(points: str, *, other: str, between: str = "line") -> dict[str, str]:
    """State a growth that is a function of a threshold."""
    function = f"{{function: {{of: thresholds.far.effective_compute, points: {points}, between: {between}}}}}"
    return {"spending": "2", "hardware": function, "more": f"thresholds: {{far: {{effective_compute: {other}}}}}"}


LEVELS = "{interval_90: [1e28, 1e36], unit: FLOP}"
LOGS = "{family: normal, interval_90: [28, 36], unit: log10(FLOP)}"


def test_points_in_a_unit_that_the_other_prior_no_longer_has_are_said() -> None:
    assert warnings(**follows("{1e29: 3, 1e35: 2}", other=LEVELS)) == ()
    (line,) = warnings(**follows("{1e29: 3, 1e35: 2}", other=LOGS))
    assert line == (
        "drivers.hardware.growth: thresholds.far.effective_compute lies below the first point, 1e+29 log10(FLOP), in "
        "100 % of the draws and above the last, 1e+35 log10(FLOP), in 0 %: the function is constant there. "
        "Points are stated in the unit of what they refer to."
    )


def test_points_follow_the_unit_of_what_they_refer_to() -> None:
    stated = [follows("{1e29: 3, 1e35: 2}", other=LEVELS), follows("{29: 3, 35: 2}", other=LOGS)]
    drawn = [
        simulate(load_scenario(TEXT.format(**{"inputs": "", **said})))["parameters/drivers.hardware.growth"].values
        for said in stated
    ]
    np.testing.assert_allclose(drawn[0], drawn[1], rtol=1e-12)
    assert np.ptp(drawn[0]) > 0.1


@pytest.mark.parametrize(
    ("points", "other", "between", "shares"),
    [
        ("{1e10: 3, 1e20: 2}", LEVELS, "line", ("0 %", "100 %")),
        ("{1e31: 3, 1.1e31: 2}", LEVELS, "line", ("34 %", "65 %")),  # P(z < -1 / 2.43) and P(z > -0.96 / 2.43)
        ("{1e40: 3, 1e50: 2}", LEVELS, "step", ("100 %", "0 %")),
        ("{1e10: 3, 1e20: 2}", "1e25", "line", ("0 %", "100 %")),  # of a fixed number
        ("{1e10: 3, 1e20: 2}", "{interval_90: [1e28, 1e36], never: 0.5}", "line", ("0 %", "100 %")),
    ],
)
def test_a_function_of_what_lies_off_its_points_is_said_with_the_shares(
    points: str, other: str, between: str, shares: tuple[str, str]
) -> None:
    (line,) = warnings(**follows(points, other=other, between=between))
    assert f"in {shares[0]} of the draws and above the last" in line
    assert f", in {shares[1]}: the function is constant there." in line


@pytest.mark.slow
def test_no_shipped_scenario_draws_oddly_unawares() -> None:
    for name in shipped_scenarios():
        assert not [line for line in load_scenario(name).warnings if "drawn" in line or "constant there" in line]
