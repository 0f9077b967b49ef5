"""Charts of a forecast given what happened, drawn from its folder as from itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator import condition, open_result, parse_scenario, simulate
from simulator.analysis.conditioning import Conditioned
from simulator.charts.kinds.conditioning import condition_figures
from simulator.charts.writing import svg_text
from tests.analysis.linear_scenario import LINEAR


@pytest.fixture(scope="module")
def found() -> Conditioned:
    run = simulate(parse_scenario(LINEAR, overrides=["samples=2000"]))
    return condition(run, ["spending@2027 >= 8e8", "physical_compute@2026 = 4e26 +- 0.3 OOM"])


def test_levels_crossings_and_priors_are_drawn(found: Conditioned) -> None:
    figures = {figure.name: figure for figure in condition_figures(found)}
    assert list(figures) == [
        "condition_effective_compute", "condition_spending", "condition_physical_compute", "condition_crossings",
        "condition_priors",
    ]  # fmt: skip
    title = figures["condition_effective_compute"].chart["title"]["text"]
    assert " ".join(title).startswith("Effective compute in 2028: median ")
    priors = svg_text(figures["condition_priors"].chart)
    for text in ("Spending: growth", "standard deviations of the prior", "given what happened, 90 %"):
        assert text in priors
    assert "lgorithms: growth" not in priors  # it does not move
    assert "given it" in svg_text(figures["condition_crossings"].chart)


def test_what_is_given_is_marked_where_it_is_of_the_variable(found: Conditioned) -> None:
    figures = {figure.name: svg_text(figure.chart) for figure in condition_figures(found)}
    assert ">given<" in figures["condition_spending"]
    assert ">given<" in figures["condition_physical_compute"]
    assert ">given<" not in figures["condition_effective_compute"]


def test_a_folder_is_drawn_as_the_result_is(found: Conditioned, tmp_path: Path) -> None:
    stored = open_result(found.save(tmp_path))
    ours, theirs = condition_figures(found), condition_figures(stored)
    assert [svg_text(figure.chart) for figure in theirs] == [svg_text(figure.chart) for figure in ours]
    assert [figure.caption for figure in theirs] == [figure.caption for figure in ours]
