"""The reader of published numbers: what it takes, and what it refuses with place, rule and remedy."""

from __future__ import annotations

import re
from dataclasses import replace
from math import inf, isnan, log10, nan
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simulator.errors import InputError, Place, ScenarioError
from simulator.hindcast.published import (
    Reproduced,
    Target,
    load_published,
    published_names,
    published_results,
    read_result,
    result_table,
    run_published,
)
from simulator.scenario.library import shipped_folder, shipped_names
from tests.published_runs import published, results_of, run_of

SCENARIO = """
schema: 2
name: mine
title: Mine
years: {first: 2025, last: 2030}
drivers: {compute: {start: {value: 1e26, unit: FLOP}, growth: 4x/year}}
"""
ROW = "{quantity: physical_compute, year: 2030, published: 29, tolerance: 0.1, unit: log10(FLOP)}"


@pytest.fixture
def write(tmp_path: Path):
    """Write a scenario with published numbers beside it."""

    def written(text: str) -> str:
        (tmp_path / "targets").mkdir(exist_ok=True)
        (tmp_path / "mine.yaml").write_text(SCENARIO)
        (tmp_path / "targets" / "mine.yaml").write_text(text)
        return str(tmp_path / "mine.yaml")

    return written


def test_every_file_of_published_numbers_is_read_and_has_its_scenario():
    files = {
        f"{file.parent.parent.relative_to(shipped_folder('scenarios')).as_posix()}/{file.stem}".removeprefix("./")
        for file in shipped_folder("scenarios").rglob("targets/*.yaml")
    }
    assert files == set(published_names())
    assert files >= {name for name in shipped_names("scenarios") if name.startswith("published/")}
    for name in files:
        found = load_published(name)
        assert found.title
        assert found.date[:2] == "20"
        assert found.assumed.endswith(".")
        assert any(target.expected is not None for target in found.targets)


def test_a_scenario_of_ones_own_may_have_published_numbers(write):
    found = load_published(write(f"date: '2025'\nassumed: a\nrows:\n  - {ROW}\n"))
    (target,) = found.targets
    assert (found.title, found.found, target.expected, target.quantile, target.set) == ("Mine", "", 29.0, 0.5, ())
    assert target.place.line == 4


def test_later_than_the_horizon_is_infinite():
    *_, last = load_published("rethink-2024").targets
    assert last.published == inf


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "cotra-2021",
            "cotra-2021: no scenario of that name has published numbers beside it. Did you mean 'cotra-2020'?",
        ),
        ("baseline", "baseline: no scenario of that name has published numbers beside it. There are: doubling-times"),
        ("my/own.yaml", "my/own.yaml: has no published numbers beside it. Write them into my/targets/own.yaml."),
    ],
)
def test_a_name_without_published_numbers_is_refused(name, said):
    with pytest.raises(InputError) as refused:
        load_published(name)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{quantiti: spending}", "rows[0].quantiti: is no key of a row. Did you mean 'quantity'?"),
        ("{unit: USD}", "rows[0].quantity: is missing."),
        ("{quantity: spending, unit: USD}", "rows[0].year: is missing. Only a crossing year needs none."),
        ("{quantity: crossed, year: 2030, unit: '%'}", "rows[0].threshold: is missing. 'crossed' is that of a"),
        ("{quantity: spending, year: soon, unit: USD}", "rows[0].year: must be a number; got 'soon'."),
        ("{quantity: spending, year: true, unit: USD}", "rows[0].year: must be a number; got true."),
        ("{quantity: spending, year: 2030, unit: 1}", "rows[0].unit: must be a text; got 1. Put it in quotes."),
        ("{quantity: spending, year: 2030, unit: USD, set: a}", "rows[0].set: must be a list of overrides; got 'a'."),
        ("{quantity: spending, year: 2030, unit: USD, published: 1}", "rows[0].tolerance: is missing."),
        ("{quantity: spending, year: 2030, unit: USD, tolerance: 1}", "rows[0].tolerance: stands there without a"),
        ("{quantity: spending, year: 2030, unit: USD, published: '< 3', tolerance: 1}", "published: must be a number"),
        ("5", "rows[0]: must be keys with values; got 5."),
    ],
)
def test_a_row_is_refused_with_its_place(write, row, said):
    with pytest.raises(ScenarioError) as refused:
        load_published(write(f"rows:\n  - {ROW}\n  - {row}\n"))
    text = " ".join(str(refused.value).split())
    assert said.replace("rows[0]", "rows[1]") in text
    assert "mine.yaml:3:5: rows[1]" in text


def test_all_faults_come_at_once(write):
    with pytest.raises(ScenarioError) as refused:
        load_published(write("date: 2025\nasumed: x\nrows: []\n"))
    text = str(refused.value)
    assert "date: must be a text; got 2025." in text
    assert "asumed: is no key of published numbers." in text
    assert "Did you mean 'assumed'?" in text
    assert "rows: must be a list of at least one row." in text


EVERY = [(name, place) for name in published_names() for place in range(len(published(name).targets))]
RUN_ROW = Target(Place("f.yaml", 3, 5), "spending", "log10(USD)", year=2030)


@pytest.mark.parametrize(("name", "place"), EVERY, ids=[f"{name}-{place}" for name, place in EVERY])
def test_a_number_comes_out_within_its_tolerance(name: str, place: int) -> None:
    result = results_of(name)[place]
    assert result.within is not False, result
    assert not isnan(result.value)


@pytest.mark.parametrize("name", published_names())
def test_uncertain_scenarios_have_20000_samples_and_fixed_ones_one(name: str) -> None:
    uncertain = {
        "cotra-2020", "cottier-2023", "direct-approach-2023", "kumar-manning-2025", "kwa-2026", "scaling-2030",
    }  # fmt: skip
    target = published(name).targets[0]
    samples = run_of(name, target.variant, target.set).attrs["samples"]
    assert samples == (20_000 if name.removeprefix("published/") in uncertain else 1)


def test_beta_and_the_width_of_automation_move_the_year_of_automated_research_most() -> None:
    run = run_of("published/kwa-2026")
    years = run["crossings"]["crossing_year"].sel(threshold="nearly-all").values
    law = "drivers.algorithms.law.parameters."
    drawn = {str(name).removeprefix(law): each.values for name, each in run["parameters"].data_vars.items()
             if str(name).startswith(law) and np.ptp(each.values) > 1e-9}  # fmt: skip
    ranks = {name: abs(float(stats.spearmanr(values, years).statistic)) for name, values in drawn.items()}
    assert sorted(ranks, key=ranks.__getitem__, reverse=True)[:2] == ["width", "diminishing-returns"]
    assert len(ranks) == 5


def test_results_come_in_the_order_of_the_rows_whichever_run_they_are_of() -> None:
    found = published("gpt-3-carried-forward")
    mixed = replace(found, targets=(found.targets[2], found.targets[0], found.targets[3]))
    assert [result.target for result in published_results(mixed)] == list(mixed.targets)
    assert len({result.value for result in published_results(mixed)}) == 3


def result(value: float, **changes: object) -> Reproduced:
    return Reproduced(replace(RUN_ROW, **changes), "spending", value, 2030.0)


def test_a_number_is_held_against_what_is_recomputed_before_what_is_published() -> None:
    both = result(2.2, published=1.0, recomputed=2.0, tolerance=0.3)
    assert both.difference == pytest.approx(0.2)
    assert both.within
    assert not result(2.2, published=1.0, tolerance=0.3).within
    shown = result(2.2)
    assert isnan(shown.difference)
    assert shown.within is None


def test_never_is_met_by_never_alone() -> None:
    never = result(inf, published=inf, tolerance=0.0)
    assert (never.difference, never.within) == (0.0, True)
    assert result(2120.0, published=inf, tolerance=5.0).within is False
    assert result(inf, published=2120.0, tolerance=5.0).within is False
    assert result(nan, published=2120.0, tolerance=5.0).within is False


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"quantity": "spendin"}, "f.yaml:3:5: quantity: the run has no 'spendin'. Did you mean 'spending'?"),
        ({"year": 2030.4}, "f.yaml:3:5: year: the run has no 2030.4; it has 2025 to 2100."),
        (
            {"quantity": "crossed", "threshold": "requirment", "unit": "%"},
            "threshold: the run has no requirment; it has requirement. Did you mean 'requirement'?",
        ),
        ({"unit": "FLOP"}, "f.yaml:3:5: unit: the run has spending in USD or its log10, and the row in FLOP."),
        ({"quantity": "models_above_1e25", "reading": "in the year"}, "has no counts of models 'models_above_1e25'"),
        ({"quantity": "binding_spending", "limit": "cash"}, "has no cash; it has share-of-product."),
    ],
)
def test_a_row_of_what_the_run_does_not_have_is_refused_with_its_place(row: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        read_result(run_of("cotra-2020"), replace(RUN_ROW, **row))


def test_a_number_may_be_plain_or_a_log() -> None:
    run = run_of("cotra-2020")
    plain = read_result(run, replace(RUN_ROW, unit="USD", year=2025))
    assert log10(plain.value) == pytest.approx(read_result(run, replace(RUN_ROW, year=2025)).value)
    grown = read_result(run, replace(RUN_ROW, quantity="hardware", since=2025, year=2030, unit="factor"))
    assert grown.value == pytest.approx(4, rel=1e-4)
    assert grown.what == "growth factor of hardware efficiency"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"reading": "sum"},
            "reading: the run has no sum; it has in the year, percentile of the sum, sum of percentiles.",
        ),
        ({"quantile": 0.1}, "quantile: the run has no 0.1; it has 0.05, 0.5, 0.95."),
        ({"year": 2029}, "year: the run has no 2029; it has 2024, 2025, 2026, 2027, 2028."),
    ],
)
def test_a_count_in_a_reading_or_quantile_that_there_is_not_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        read_result(run_of("kumar-manning-2025"), replace(published("kumar-manning-2025").targets[0], **change))


def test_a_variant_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match=r"has no variant 'fiv'\. Did you mean 'five'\?"):
        run_published("published/gpt-3-carried-forward", variant="fiv")


def test_the_table_has_a_row_for_each_target() -> None:
    rows = result_table([(published("rethink-2024"), results_of("rethink-2024"))]).rows()
    assert len(rows) == 23
    assert rows[-1]["published"] == rows[-1]["tool"] == inf
    assert rows[0]["set"] == "thresholds.requirement.effective_compute=1e23"
    assert {row["within"] for row in rows} == {True}
