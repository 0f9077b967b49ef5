"""Every published number of every file comes out, from the scenario beside it, within its tolerance."""

from __future__ import annotations

import re
from dataclasses import replace
from math import inf, isnan, log10, nan

import pytest

from simulator.errors import InputError, Place
from simulator.published import Target, published_names
from simulator.published_runs import Result, published_results, read_result, result_table, run_published
from tests.published_runs import published, results_of, run_of

EVERY = [(name, place) for name in published_names() for place in range(len(published(name).targets))]
ROW = Target(Place("f.yaml", 3, 5), "spending", "log10(USD)", year=2030)


@pytest.mark.parametrize(("name", "place"), EVERY, ids=[f"{name}-{place}" for name, place in EVERY])
def test_a_number_comes_out_within_its_tolerance(name: str, place: int) -> None:
    result = results_of(name)[place]
    assert result.within is not False, result
    assert not isnan(result.value)


@pytest.mark.parametrize("name", published_names())
def test_uncertain_scenarios_have_20000_samples_and_fixed_ones_one(name: str) -> None:
    uncertain = {"cotra-2020", "cottier-2023", "direct-approach-2023", "kumar-manning-2025", "scaling-2030"}
    target = published(name).targets[0]
    samples = run_of(name, target.variant, target.set).attrs["samples"]
    assert samples == (20_000 if name.removeprefix("published/") in uncertain else 1)


def test_results_come_in_the_order_of_the_rows_whichever_run_they_are_of() -> None:
    found = published("gpt-3-carried-forward")
    mixed = replace(found, targets=(found.targets[2], found.targets[0], found.targets[3]))
    assert [result.target for result in published_results(mixed)] == list(mixed.targets)
    assert len({result.value for result in published_results(mixed)}) == 3


def result(value: float, **changes: object) -> Result:
    return Result(replace(ROW, **changes), "spending", value, 2030.0)


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
        read_result(run_of("cotra-2020"), replace(ROW, **row))


def test_a_number_may_be_plain_or_a_log() -> None:
    run = run_of("cotra-2020")
    plain = read_result(run, replace(ROW, unit="USD", year=2025))
    assert log10(plain.value) == pytest.approx(read_result(run, replace(ROW, year=2025)).value)
    grown = read_result(run, replace(ROW, quantity="hardware", since=2025, year=2030, unit="factor"))
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
    rows = result_table(published("rethink-2024"), results_of("rethink-2024"))
    assert len(rows) == 23
    assert rows[-1]["published"] == rows[-1]["tool"] == inf
    assert rows[0]["set"] == "thresholds.requirement.effective_compute=1e23"
    assert {row["within"] for row in rows} == {True}
