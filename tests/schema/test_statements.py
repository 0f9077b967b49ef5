"""What a file may say documents itself, and a prior is told from a group of entries."""

from __future__ import annotations

import pytest

from simulator.schema.base import field_words, path_in_file
from simulator.schema.statements import MixturePart, is_prior, stating_keys


def test_the_text_under_a_field_is_its_description_also_of_what_it_inherits() -> None:
    words = field_words(MixturePart)
    assert words["weight"] == "Its weight; the weights of a mixture are scaled to add up to 1."
    assert words["median"] == "The 50 % point."


@pytest.mark.parametrize(
    ("data", "told"),
    [(3, True), (True, False), ("3", False), ({"median": 2}, True), ({"prior": "a/b"}, True), ({"start": 2}, False),
     ({"interval_80": [1, 2]}, True)],
)  # fmt: skip
def test_a_prior_is_a_number_or_states_one(data: object, told: bool) -> None:
    assert is_prior(data) is told


def test_keys_that_state_numbers_are_told_from_where_they_come() -> None:
    assert stating_keys({"median": 2, "interval_90": [1, 3], "unit": "USD", "source": "X"}) == {"median", "interval_90"}


def test_a_path_in_the_file_has_no_names_of_forms() -> None:
    location = ("quantities", "power", "<operation>", "product", 0, "<prior>", "median")
    assert path_in_file(location) == ("quantities", "power", "product", 0, "median")
