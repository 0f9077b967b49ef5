"""The page of the matrix says where rules are as good, what had hindsight, and how far verdicts can be trusted."""

from __future__ import annotations

from simulator.hindcast.matrix_page import matrix_page
from simulator.hindcast.tried import STACKS, TRIED
from tests.hindcast.small_matrix import MATRIX

PAGE = matrix_page(MATRIX, command="simulate hindcast --matrix", pictures=[("fans.svg", "fans")])


def test_failures_and_hindsight_are_said() -> None:
    assert "Written by `simulate hindcast --matrix`." in PAGE
    assert (
        "**Simple rules are as good or better**, within 0.03 OOM: of origins 2014 on *random walk* on two (0.20 against 0.40)"
        in PAGE
    )
    assert "**With hindsight**: its rate was measured later." in PAGE
    assert "Not made everywhere: *period priors*, 4 times" in PAGE
    assert "(goal 0.9: missed)" in PAGE
    assert PAGE.count("![fans](fans.svg)") == 1


def test_every_table_and_verdict_stands_on_it() -> None:
    assert "| one | **0.100** | 0.200 | 0.300 |" in PAGE
    assert "| two | 0.400 | 0.300 | **0.200** |" in PAGE
    assert "| one | 2021 to 2022 | 24.00 | +0.10, 0.10, 0.20 |" in PAGE
    assert "**The power is small**" in PAGE
    for row in (*TRIED, *STACKS):
        assert row[0] in PAGE
