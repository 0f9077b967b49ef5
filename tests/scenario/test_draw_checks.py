"""Warnings of what is drawn oddly."""

from __future__ import annotations

import pytest

from simulator import load_scenario

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


def test_no_shipped_scenario_draws_an_entry_twice_unawares() -> None:
    for name in ("baseline", "tight-caps", "learned", "views"):
        assert not [line for line in load_scenario(name).warnings if "drawn" in line]
