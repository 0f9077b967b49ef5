"""The forecast given what happened: closed forms, what is refused, and what is kept."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from simulator import open_result, parse_scenario, simulate
from simulator.analysis import evaluation
from simulator.analysis.conditioning import Conditioned, condition
from simulator.errors import InputError
from simulator.model.meeting import cross_block
from simulator.runs.table import Row
from tests.analysis.linear_scenario import CORRELATIONS, LINEAR

START, GROWTH = "drivers.spending.start", "drivers.spending.growth"
SPREAD = 0.5 * math.log10(4) / stats.norm.ppf(0.95)  # of log10 of the start, about 8
YEARS = 5
SPENDING = math.hypot(SPREAD, YEARS * 0.1)  # of log10 of spending in 2030, about 10
LEVEL = math.hypot(SPENDING, YEARS * math.hypot(0.05, 0.2))  # of effective compute in 2030, about 30
FIXED = """
schema: 2
name: fixed
years: {first: 2025, last: 2030}
drivers:
  spending: {start: {value: 1e9, unit: USD}, growth: {value: 1, unit: x/year}}
  hardware: {start: {value: 1e18, unit: FLOP/USD}, growth: {value: 1.3, unit: x/year}}
  algorithms: {growth: {value: 3, unit: x/year}}
"""


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return simulate(parse_scenario(LINEAR, overrides=["samples=8000"]))


def moved(found: Conditioned, name: str) -> Row:
    (row,) = found.priors.where(input=name).rows()
    return row


def after(found: Conditioned, year: float = 2030.0) -> Row:
    (row,) = found.levels.where(quantity="effective_compute", state="given it", year=year).rows()
    return row


def test_a_level_observed_with_an_error_has_the_conjugate_posterior(run: xr.DataTree) -> None:
    found = condition(run, ["spending@2030 = 3e10 +- 0.2 OOM"])
    gain = SPENDING**2 / (SPENDING**2 + 0.2**2)
    news = gain * (math.log10(3e10) - 10)
    for name, part in ((START, SPREAD), (GROWTH, YEARS * 0.1)):
        share = part / SPENDING  # its correlation with spending in 2030
        row = moved(found, name)
        exact = share * news / SPENDING
        assert abs(row["shift"] - exact) < 4 * row["shift_error"]
        assert abs(row["contraction"] - share**2 * gain) < 4 * row["contraction_error"]
        assert row["beyond_chance"] == 1
    assert moved(found, "drivers.algorithms.growth")["beyond_chance"] == 0
    sd = math.sqrt(LEVEL**2 - gain * SPENDING**2)
    assert after(found)["median"] == pytest.approx(30 + news, abs=0.05)
    assert after(found)["upper"] == pytest.approx(30 + news + 1.645 * sd, abs=0.12)
    (row,) = found.facts.rows()
    seen = stats.norm(10, math.hypot(SPENDING, 0.2)).cdf(math.log10(3e10))
    assert abs(row["probability"] - seen) < 4 * row["standard_error"]


@pytest.mark.parametrize("redraw", [False, True])
def test_twice_their_errors_hold_the_exact_shifts_and_medians(redraw: bool) -> None:
    gain = SPENDING**2 / (SPENDING**2 + 0.2**2)
    news, held = gain * (math.log10(3e10) - 10), []
    for seed in range(6):
        small = simulate(parse_scenario(LINEAR, overrides=["samples=4000", f"seed={seed}"]))
        found = condition(small, ["spending@2030 = 3e10 +- 0.2 OOM"], redraw=redraw)
        for name, part in ((START, SPREAD), (GROWTH, YEARS * 0.1)):
            row = moved(found, name)
            held.append(abs(row["shift"] - part * news / SPENDING**2) <= 2 * row["shift_error"])
        (row,) = found.headlines.where(quantity="effective_compute", year=2030.0, statistic="median").rows()
        held.append(abs(row["after"] - 30 - news) <= 2 * row["after_error"])
    assert sum(held) >= 14  # of 18 at 95.4 % each; fewer in one case of 1,000


def test_a_level_above_its_median_has_the_moments_of_half_a_normal(run: xr.DataTree) -> None:
    found = condition(run, ["spending@2025 >= 1e8"])
    row = moved(found, START)
    assert abs(row["shift"] - math.sqrt(2 / math.pi)) < 4 * row["shift_error"]
    assert abs(row["contraction"] - 2 / math.pi) < 4 * row["contraction_error"]
    assert row["median"] == pytest.approx(8 + SPREAD * stats.norm.ppf(0.75), abs=0.02)
    assert found.facts["probability"][0] == pytest.approx(0.5, abs=0.005)  # drawn evenly
    assert found.effective == pytest.approx(4000, abs=40)


def test_several_facts_multiply_and_their_probability_is_told(run: xr.DataTree) -> None:
    found = condition(run, ["spending@2025 >= 1e8", "spending@2030 <= 1e10"])
    both = found.facts.rows()[-1]
    angle = math.acos(SPREAD / SPENDING)  # P(z1 > 0, z2 < 0) of correlated normals
    assert both["given"] == "all of it"
    assert abs(both["probability"] - angle / (2 * math.pi)) < 4 * both["standard_error"]
    assert moved(found, GROWTH)["shift"] < -0.3


def test_a_crossing_that_has_not_come_moves_the_crossing_of_the_forecast(run: xr.DataTree) -> None:
    found = condition(run, ["crossing:late not by 2029"])
    rows = {row["state"]: row for row in found.crossings.rows()}
    assert rows["given it"]["lower_90"] > 2029 > rows["before"]["lower_90"]
    exact = stats.norm(30, LEVEL).cdf(29)
    assert rows["before"]["never"] == pytest.approx(exact, abs=0.02)
    four = math.hypot(SPREAD, 4 * math.sqrt(0.1**2 + 0.05**2 + 0.2**2))
    late = stats.norm(26 + 4 * 0.8, four).cdf(29)
    assert rows["given it"]["never"] == pytest.approx(exact / late, abs=0.02)


@pytest.mark.parametrize("more", ["", CORRELATIONS])
def test_what_no_sample_has_is_drawn_anew_with_its_probability(more: str) -> None:
    small = simulate(parse_scenario(LINEAR + more, overrides=["samples=4000"]))
    level = small["trajectories/spending"].sel(year=2030).values
    text = f"spending@2030 >= {10 ** (10 + 5 * SPENDING):.6g}"
    assert level.max() < 10 + 5 * SPENDING
    sd = math.sqrt(SPREAD**2 + (YEARS * 0.1) ** 2)  # spending's own priors are not correlated with one another
    with pytest.raises(InputError, match=r"none of 4,000 samples has .* Draw samples where it holds: --redraw"):
        condition(small, [text])
    found = condition(small, [text], redraw=True)
    row = found.facts.rows()[-1]
    assert abs(row["probability"] - stats.norm.sf(5.0)) < 4 * row["standard_error"]
    assert row["standard_error"] < 0.1 * row["probability"]
    assert found.effective > 400
    assert float(re.search(r"P ([\de.-]+) ± [\d<e.-]+ %", row["said"])[1]) == pytest.approx(  # type: ignore[index]
        100 * row["probability"], abs=100 * row["standard_error"]
    )
    tail = stats.norm.pdf(5) / stats.norm.sf(5)
    for name, part in ((START, SPREAD), (GROWTH, YEARS * 0.1)):
        told = moved(found, name)
        assert abs(told["shift"] - tail * part / sd) < 5 * told["shift_error"] + 0.02
    again = condition(small, [text], redraw=True)
    assert again.weights.tolist() == found.weights.tolist()
    if more:  # what is correlated with it comes along: rank 0.6 is 2 sin(0.1 pi) of normal scores
        told = moved(found, "drivers.algorithms.growth")
        exact = 2 * math.sin(math.pi * 0.6 / 6) * tail * YEARS * 0.1 / sd
        assert abs(told["shift"] - exact) < 5 * told["shift_error"] + 0.02


def test_what_is_drawn_anew_agrees_with_what_the_run_has(run: xr.DataTree) -> None:
    given = ["spending@2030 = 3e10 +- 0.2 OOM", "crossing:late by 2030"]
    own, new = condition(run, given), condition(run, given, redraw=True)
    for one, other in zip(own.headlines.rows(), new.headlines.rows(), strict=True):
        if one["after_error"] and other["after_error"]:
            error = math.hypot(one["after_error"], other["after_error"])
            assert abs(one["after"] - other["after"]) < 4.5 * error + 1e-9, one
    assert new.folder_name != own.folder_name


def test_what_few_samples_stand_for_is_refused_with_how_many_would_do(run: xr.DataTree) -> None:
    text = f"spending@2030 >= {10 ** (10 + 3 * SPENDING):.6g}"  # 1.3 in 1,000
    with pytest.raises(InputError, match=r"would be worth \d+\.0 .*--redraw or run .* --samples 2e5"):
        condition(run, [text])
    with pytest.raises(InputError, match=r"80 samples would be worth .*run .* --samples 2e2"):
        condition(simulate(parse_scenario(LINEAR, overrides=["samples=80"])), ["spending@2030 >= 1"])
    assert condition(simulate(parse_scenario(LINEAR, overrides=["samples=100"])), ["spending@2030 >= 1"]).effective
    with pytest.raises(InputError, match=r"all that is given together: its probability is below 0.037 %"):
        condition(run, ["crossed:late@2028", "not crossed:late@2029"])
    with pytest.raises(
        InputError, match=r"all that is given together: it was not reached in 40 rounds that .* Give something"
    ):
        condition(run, ["crossed:late@2028", "not crossed:late@2029"], redraw=True)


def test_what_the_run_and_the_error_hardly_allow_is_said_to_conflict() -> None:
    fixed = parse_scenario(FIXED, overrides=["samples=256"])
    given = ["spending@2030 = 2e10 +- 0.1 OOM"]  # ten errors from the 1e9 that every sample has
    (said,) = condition(simulate(fixed), given).warnings
    assert "are in conflict" in said
    with pytest.raises(InputError, match="needs priors that vary"):
        condition(simulate(fixed), given, redraw=True)


def test_crossings_of_what_is_drawn_anew_are_computed_once(run: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def counted(*args: Any, size: int, **options: Any) -> Any:
        sizes.append(size)
        return cross_block(*args, size=size, **options)

    monkeypatch.setattr(evaluation, "cross_block", counted)
    found = condition(run, ["spending@2030 >= 4e10"], redraw=True)
    assert len(found.crossings)
    assert sum(sizes) == found.weights.size


def test_what_is_certain_is_drawn_anew_with_all_of_the_probability(run: xr.DataTree) -> None:
    found = condition(run, ["spending@2025 >= 1"], redraw=True)
    assert found.facts.rows()[-1]["probability"] == pytest.approx(1.0, abs=0.02)
    assert found.facts["probability"].max() <= 1.0


def test_what_every_sample_has_is_said_to_tell_nothing(run: xr.DataTree) -> None:
    found = condition(run, ["spending@2025 >= 1"])
    assert found.warnings == ("'spending@2025 >= 1' holds in every sample of the run, and tells nothing.",)
    assert found.lines()[-1] == "no prior moved by more than chance"
    assert found.effective == pytest.approx(8000)


def test_lines_tell_the_news_the_forecast_and_the_priors(run: xr.DataTree) -> None:
    lines = condition(run, ["spending@2026.5 >= 3e8"]).lines()
    assert lines[0] == f"run {run.attrs['run_id']} of linear, given"
    assert lines[1].startswith("  spending@2026.5 >= 3e8: P ")
    assert "  between the years of the run, on straight lines (levels in log10): spending@2026.5" in lines
    assert any("late: median crossing year" in line and "->" in line for line in lines)
    assert any(line.startswith("  ... and 2 that did not by more than chance") for line in lines)


def test_the_folder_holds_all_of_it_and_gives_it_again(run: xr.DataTree, tmp_path: Path) -> None:
    found = condition(run, ["spending@2030 >= 1e10"])
    folder = found.save(tmp_path)
    assert folder.name.startswith("linear-given-")
    stored = open_result(folder)
    assert list(stored.lines()) == found.lines()
    assert stored.dataset.identical(found.dataset) or stored.dataset.equals(found.dataset)
    assert {name: table.to_csv() for name, table in stored.tables().items()} == {
        name: table.to_csv() for name, table in found.tables().items()
    }
    assert found.dataset["weight"].sum() == pytest.approx(1.0)
    assert found.dataset["shift"].sel(input=START) == moved(found, START)["shift"]


def test_a_mixture_of_scenarios_is_weighed_and_not_drawn_anew() -> None:
    from simulator import load_scenario

    views = simulate(load_scenario("views", overrides=["samples=2000"]))
    found = condition(views, ["physical_compute@2030 >= 1e28"])
    assert np.isfinite(found.priors["shift"]).all()
    with pytest.raises(InputError, match="mixes"):
        condition(views, ["physical_compute@2030 >= 1e28"], redraw=True)


def test_what_was_observed_beyond_all_that_is_drawn_of_a_prior_is_refused() -> None:
    """A normal prior of sd 0.3 and 10 sd observed gave its end, 7.03 sd, for the conjugate 9."""
    small = simulate(parse_scenario(LINEAR, overrides=["samples=1000"]))
    level = 10 ** (10 + 12 * SPENDING)
    with pytest.raises(InputError, match="condition: what was observed lies where a prior has less than"):
        condition(small, [f"spending@2030 = {level:.6g} +- 0.001 OOM"], redraw=True)
