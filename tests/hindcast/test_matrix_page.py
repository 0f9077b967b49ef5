"""The page of the matrix says where rules are as good, what had hindsight, and how far verdicts can be trusted."""

from __future__ import annotations

import pytest

from simulator.hindcast.matrix_page import WAYS, matrix_page
from simulator.hindcast.registered import read_registered
from tests.hindcast.small_matrix import MATRIX
from tests.places import ROOT


@pytest.fixture(scope="module")
def page() -> str:
    return matrix_page(MATRIX, command="simulate hindcast --matrix", pictures=[("fans.svg", "fans")])


def test_failures_and_hindsight_are_said(page: str) -> None:
    assert "Written by `simulate hindcast --matrix`." in page
    assert (
        "**Simple rules are as good or better**, within 0.03 OOM: of origins 2014 on *random walk* on two (0.20 against 0.40)"
        in page
    )
    assert "**With hindsight**: its rate was measured later." in page
    assert "Not made everywhere: *period priors*, 4 times" in page
    assert "Fits in which something is wrong, scored all the same: *learned*, 1 time, first one, 2014: 9 diverg" in page
    assert "(goal 0.9: missed)" in page
    assert page.count("![fans](fans.svg)") == 1


def test_where_what_is_learned_is_worse_than_the_simple_stack_is_said_in_one_sentence(page: str) -> None:
    assert (
        "***learned* is worse than the simple *stack***, by more than 0.03 OOM, in 3 of 6 means: of origins 2014 on on "
        "two (0.50 against 0.40); of origins 2015 on on two (0.50 against 0.40); of origins 2018, 2020, 2022 on two "
        "(0.50 against 0.40)." in page
    )
    assert "What `simulate learned` would have printed, *learned*: a ratio of 1.26 (2014 on)" in page


def test_the_registered_forecasts_are_named_with_their_digest(page: str) -> None:
    file = ROOT / "forecasts" / "hindcast" / "2026-11.yaml"
    data = read_registered(file)
    assert f"[forecasts/hindcast/2026-11.yaml](../forecasts/hindcast/2026-11.yaml), digest {data['digest']}" in page
    assert data["chosen"] == "forecast"
    assert set(WAYS) <= data["ways"].keys()


def test_every_table_and_verdict_stands_on_it(page: str) -> None:
    assert "| one | **0.100** | 0.120 | 0.130 | 0.200 | 0.300 |" in page
    assert "| two | 0.400 | 0.400 | 0.500 | 0.300 | **0.200** |" in page
    assert "\n| learned | 2014 on | -0.065 | 2 | 2 | 0 | 0 |\n" in page  # two tables by two rules
    assert "| one | 2021 to 2022 | 24.00 | +0.10, 0.10, 0.20 |" in page
    assert "**The power is small**" in page


def test_what_was_tried_stands_on_it_with_the_figures_of_then(page: str) -> None:
    for head in ("How the forecast was chosen", "Verdicts", "In short"):
        assert page.count(f"\n## {head}\n") == 1
    assert "\n| steady growth, runs within 2 OOM of the record (first choice) | 0.962 | 0.818 | 0.936 |\n" in page
    assert "\n| equal weights: the forecast | 0.873 | 0.829 | 0.843 |\n" in page
    assert "Some 20 procedures were held against such worlds" in page
    assert "* Values are those that a snapshot gives today" in page
