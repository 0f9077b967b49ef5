"""Counts of models name their variables by the level as a reader writes it."""

from __future__ import annotations

from simulator.schema.goals import Models, count_names, counted_at, level_text
from simulator.schema.statements import Prior


def test_a_level_is_written_without_padding() -> None:
    assert [level_text(level) for level in (1e25, 2.5e26, 1.5)] == ["1e25", "2.5e26", "1.5"]


def test_what_is_known_above_a_level_is_found_however_it_is_written() -> None:
    assert counted_at({"1e+25": 20}, 1e25) == 20
    assert counted_at({"1e+25": 20}, 1e26) is None


def test_each_count_has_a_variable_by_the_end_of_a_year_and_in_it() -> None:
    models = Models(largest_share=Prior(value=0.2), smallest=Prior(value=7), above=(1e25,), within_oom=(0.5,))
    absolute, relative = "models_above_1e25", "models_within_0.5_oom"
    assert count_names(models) == (absolute, f"{absolute}_in_year", relative, f"{relative}_in_year")
